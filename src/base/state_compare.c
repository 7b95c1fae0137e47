/*
 * state_compare.c
 *		Equality and hash of storable states.
 *
 * Equal states are equal bytes (expanded_state.h), so one set of functions serves all types.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "fmgr.h"

#include "base/compat.h"

PG_FUNCTION_INFO_V1(state_eq);
PG_FUNCTION_INFO_V1(state_ne);
PG_FUNCTION_INFO_V1(state_hash);
PG_FUNCTION_INFO_V1(state_hash_extended);

/* Released in 0.3, and named by its SQL until somebody runs the update. */
PG_FUNCTION_INFO_V1(attribution_state_eq);
PG_FUNCTION_INFO_V1(attribution_state_ne);
PG_FUNCTION_INFO_V1(attribution_state_hash);
PG_FUNCTION_INFO_V1(attribution_state_hash_extended);

/* An argument; an expanded object is written for it. */
#define PG_GETARG_STATE(number) \
	((struct varlena *) PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(number)))

static bool
states_equal(FunctionCallInfo fcinfo)
{
	struct varlena *left = PG_GETARG_STATE(0);
	struct varlena *right = PG_GETARG_STATE(1);

	return VARSIZE_ANY_EXHDR(left) == VARSIZE_ANY_EXHDR(right) &&
		memcmp(VARDATA_ANY(left), VARDATA_ANY(right), VARSIZE_ANY_EXHDR(left)) == 0;
}

/* (state, state) */
Datum
state_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(states_equal(fcinfo));
}

/* (state, state) */
Datum
state_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!states_equal(fcinfo));
}

/* (state) */
Datum
state_hash(PG_FUNCTION_ARGS)
{
	struct varlena *state = PG_GETARG_STATE(0);

	return hash_any((const unsigned char *) VARDATA_ANY(state), (int) VARSIZE_ANY_EXHDR(state));
}

/* (state, seed) */
Datum
state_hash_extended(PG_FUNCTION_ARGS)
{
	struct varlena *state = PG_GETARG_STATE(0);

	return hash_any_extended((const unsigned char *) VARDATA_ANY(state), (int) VARSIZE_ANY_EXHDR(state), (uint64) PG_GETARG_INT64(1));
}

Datum
attribution_state_eq(PG_FUNCTION_ARGS)
{
	return state_eq(fcinfo);
}

Datum
attribution_state_ne(PG_FUNCTION_ARGS)
{
	return state_ne(fcinfo);
}

Datum
attribution_state_hash(PG_FUNCTION_ARGS)
{
	return state_hash(fcinfo);
}

Datum
attribution_state_hash_extended(PG_FUNCTION_ARGS)
{
	return state_hash_extended(fcinfo);
}
