/*
 * expanded_state.h
 *		Aggregate states that live as an expanded object in memory and as canonical
 *		bytes everywhere else.
 *
 * A state has a content, which the methods below fill, write and read.  The
 * written bytes must not depend on how the content came about, so that equal
 * states are equal bytes.
 */
#ifndef ENGAGEMENT_EXPANDED_STATE_H
#define ENGAGEMENT_EXPANDED_STATE_H

#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/expandeddatum.h"

#include "base/compat.h"
#include "base/exact_sum.h"

/* Reads written bytes; what is left begins at 'next'. */
typedef struct StateReader
{
	const char *type;			/* name, for errors */
	const uint8 *next;
	const uint8 *end;
} StateReader;

typedef struct StateMethods
{
	const char *type;			/* name of the SQL type */
	Size		content_size;
	void		(*init) (void *content, MemoryContext context);
	void		(*read) (void *content, StateReader *reader);
	void		(*write) (const void *content, StringInfo out);
	void		(*merge) (void *content, const void *other);
	const char *size_hint;		/* what to do against one that is too large */
} StateMethods;

typedef struct ExpandedState
{
	ExpandedObjectHeader header;
	const StateMethods *methods;
	void	   *content;
	struct varlena *flat;		/* the written form, until the content changes */
} ExpandedState;

extern ExpandedState *expanded_state_create(const StateMethods *methods, MemoryContext parent);
extern ExpandedState *expanded_state_for_change(FunctionCallInfo fcinfo, const StateMethods *methods);
extern Datum expanded_state_combine(FunctionCallInfo fcinfo, const StateMethods *methods);
extern const void *expanded_state_content(Datum datum, const StateMethods *methods);
extern struct varlena *expanded_state_flatten(ExpandedState *state);

/* To be returned from a function that made or changed the state. */
#define PG_RETURN_STATE(state) return EOHPGetRWDatum(&(state)->header)

extern void state_write_number(StringInfo out, uint64 number);
extern void state_write_bytes(StringInfo out, const void *bytes, Size size);
extern uint64 state_read_number(StateReader *reader, uint64 limit);
extern const uint8 *state_read_bytes(StateReader *reader, Size size);
extern uint64 state_read_place(StateReader *reader, uint64 count);
extern void state_write_sum(StringInfo out, const ExactSum *sum);
extern void state_read_sum(StateReader *reader, ExactSum *sum, MemoryContext context);
pg_noreturn extern void state_corrupt(const StateReader *reader);

#endif							/* ENGAGEMENT_EXPANDED_STATE_H */
