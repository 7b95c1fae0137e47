/*
 * set_call.h
 *		Functions that return a set, one row a call.
 *
 * PostgreSQL's own SRF macros make and drop a memory context for each set and
 * take fn_extra for themselves.  Ours are called once for each visitor, so they
 * reset one context instead, and keep what belongs to the call site (compiled
 * patterns) from set to set.
 *
 *		SetCall    *call = set_call_begin(fcinfo);
 *
 *		if (!call->is_running)
 *		{
 *			set_call_start(fcinfo, call);
 *			... in call->context, build call->state ...
 *		}
 *		if (there is another row)
 *			SET_CALL_RETURN_NEXT(fcinfo, row);
 *		SET_CALL_RETURN_DONE(fcinfo, call);
 */
#ifndef ENGAGEMENT_SET_CALL_H
#define ENGAGEMENT_SET_CALL_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "fmgr.h"
#include "nodes/execnodes.h"

typedef struct SetCall
{
	MemoryContext context;		/* emptied after each set */
	bool		is_running;		/* a set is under way */
	void	   *state;			/* of that set */
	void	   *site;			/* of the call site; NULL at first */
	TupleDesc	row_type;		/* if rows are composite */
} SetCall;

extern SetCall *set_call_begin(FunctionCallInfo fcinfo);
extern void set_call_start(FunctionCallInfo fcinfo, SetCall *call);
extern void set_call_end(FunctionCallInfo fcinfo, SetCall *call);

#define SET_CALL_RETURN_NEXT(fcinfo, row) \
	do { \
		((ReturnSetInfo *) (fcinfo)->resultinfo)->isDone = ExprMultipleResult; \
		PG_RETURN_DATUM(row); \
	} while (0)

#define SET_CALL_RETURN_DONE(fcinfo, call) \
	do { \
		set_call_end(fcinfo, call); \
		((ReturnSetInfo *) (fcinfo)->resultinfo)->isDone = ExprEndResult; \
		PG_RETURN_NULL(); \
	} while (0)

#endif							/* ENGAGEMENT_SET_CALL_H */
