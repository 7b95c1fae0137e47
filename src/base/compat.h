/*
 * compat.h
 *		Every difference between the PostgreSQL versions we support, in one place.
 *
 * Include after postgres.h.  A file that needs another #if PG_VERSION_NUM
 * is a reason to add a line here.
 */
#ifndef ENGAGEMENT_COMPAT_H
#define ENGAGEMENT_COMPAT_H

#include "fmgr.h"
#include "nodes/nodes.h"

#if PG_VERSION_NUM < 150000
#error "engagement needs PostgreSQL 15 or later"
#endif

#ifndef HAVE_INT128
#error "engagement needs a compiler with 128-bit integers, as those for 64-bit machines have"
#endif

#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#include "varatt.h"
#else
/* Before 16 there are no soft errors: the caller always wants the hard one. */
#define ereturn(context, dummy_value, ...) \
	do { \
		(void) (context); \
		ereport(ERROR, __VA_ARGS__); \
		return dummy_value; \
	} while (0)
#endif

/* Calls a type's text input; false if it found a soft error. */
static inline bool
call_input_safely(PGFunction input, char *text, Node *escontext, Datum *result)
{
#if PG_VERSION_NUM >= 160000
	return DirectInputFunctionCallSafe(input, text, InvalidOid, -1, escontext, result);
#else
	(void) escontext;
	*result = DirectFunctionCall1(input, CStringGetDatum(text));
	return true;
#endif
}

/* PostgreSQL 18 lets a module tell its name and version (pg_get_loaded_modules). */
#ifdef PG_MODULE_MAGIC_EXT
#define ENGAGEMENT_MODULE_MAGIC(module_version) \
	PG_MODULE_MAGIC_EXT(.name = "engagement", .version = module_version)
#else
#define ENGAGEMENT_MODULE_MAGIC(module_version) PG_MODULE_MAGIC
#endif

/* The name from PostgreSQL 18 on, which stands before the declaration. */
#ifndef pg_noreturn
#define pg_noreturn pg_attribute_noreturn()
#endif

#endif							/* ENGAGEMENT_COMPAT_H */
