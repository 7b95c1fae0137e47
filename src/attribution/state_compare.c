/*
 * state_compare.c
 *		Equality and hash of conversion_paths and markov.
 *
 * Equal states are equal bytes (expanded_state.h), so one set of functions serves all types.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "fmgr.h"

#include "timeline/timeline.h"

PG_FUNCTION_INFO_V1(attribution_state_eq);
PG_FUNCTION_INFO_V1(attribution_state_ne);
PG_FUNCTION_INFO_V1(attribution_state_hash);
PG_FUNCTION_INFO_V1(attribution_state_hash_extended);

/* The bytes of an argument; those of an expanded object are written for it. */
static TimelineString
state_bytes(FunctionCallInfo fcinfo, int number)
{
	return timeline_string((struct varlena *) PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(number)));
}

static bool
states_equal(FunctionCallInfo fcinfo)
{
	TimelineString left = state_bytes(fcinfo, 0);
	TimelineString right = state_bytes(fcinfo, 1);

	return left.length == right.length && memcmp(left.bytes, right.bytes, left.length) == 0;
}

/* (state, state) */
Datum
attribution_state_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(states_equal(fcinfo));
}

/* (state, state) */
Datum
attribution_state_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!states_equal(fcinfo));
}

/* (state) */
Datum
attribution_state_hash(PG_FUNCTION_ARGS)
{
	TimelineString state = state_bytes(fcinfo, 0);

	return hash_any((const unsigned char *) state.bytes, (int) state.length);
}

/* (state, seed) */
Datum
attribution_state_hash_extended(PG_FUNCTION_ARGS)
{
	TimelineString state = state_bytes(fcinfo, 0);

	return hash_any_extended((const unsigned char *) state.bytes, (int) state.length, (uint64) PG_GETARG_INT64(1));
}
