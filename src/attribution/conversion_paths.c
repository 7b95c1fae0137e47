/*
 * conversion_paths.c
 *		The aggregate conversion_paths: distinct paths with their counts.
 *
 * The state of the aggregate is the value itself, as an expanded object
 * (expanded_state.h); what it holds is described in path_set.h.
 */
#include "postgres.h"

#include "utils/array.h"
#include "utils/timestamp.h"

#include "attribution/path_argument.h"
#include "attribution/path_set.h"
#include "attribution/timed_credit.h"
#include "base/text_array.h"

PG_FUNCTION_INFO_V1(conversion_paths_accum);
PG_FUNCTION_INFO_V1(conversion_paths_accum_timed);
PG_FUNCTION_INFO_V1(conversion_paths_combine);

static int64 *times_of_touches(FunctionCallInfo fcinfo, const PathArgument *path, int64 *room);

/* (conversion_paths, path, conversions, value, non_conversions) */
Datum
conversion_paths_accum(PG_FUNCTION_ARGS)
{
	ExpandedState *state = expanded_state_for_change(fcinfo, &path_set_methods);
	PathSet    *set = state->content;
	int64		conversions = count_argument(fcinfo, 2, "conversions");
	int64		non_conversions = count_argument(fcinfo, 4, "non_conversions");
	double		value = value_argument(fcinfo, 3);
	PathArgument path;

	/* a path that nobody took does not make its channels known either */
	if (conversions == 0 && non_conversions == 0)
		PG_RETURN_STATE(state);
	path_argument(fcinfo, 1, &set->channels, &path);
	path_set_add(set, path.channels, path.length, conversions, non_conversions, value);
	PG_RETURN_STATE(state);
}

/* (conversion_paths, path, touched_at, converted_at, value [, half_life]) */
Datum
conversion_paths_accum_timed(PG_FUNCTION_ARGS)
{
	ExpandedState *state = expanded_state_for_change(fcinfo, &path_set_methods);
	PathSet    *set = state->content;
	bool		is_converted = !PG_ARGISNULL(3);
	double		value = value_argument(fcinfo, 4);
	PathArgument path;

	if (is_converted && TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(3)))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("argument \"converted_at\" must not be infinite"),
				 errhint("NULL stands for a journey that did not convert.")));
	path_argument(fcinfo, 1, &set->channels, &path);
	path_set_add(set, path.channels, path.length, is_converted, !is_converted, value);
	if (is_converted && path.length > 0 && !PG_ARGISNULL(2))
	{
		int64		room[PATH_ROOM];

		timed_credit_add(set, path.channels, times_of_touches(fcinfo, &path, room), path.length,
						 PG_GETARG_TIMESTAMPTZ(3), value, half_life_argument(fcinfo, 5));
	}
	PG_RETURN_STATE(state);
}

/* (conversion_paths, conversion_paths) */
Datum
conversion_paths_combine(PG_FUNCTION_ARGS)
{
	ExpandedState *state;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	state = expanded_state_for_change(fcinfo, &path_set_methods);
	path_set_merge(state->content, PG_GETARG_PATH_SET(1));
	PG_RETURN_STATE(state);
}

/* Of argument 2, the times of the touches that have a channel, by argument 1. */
static int64 *
times_of_touches(FunctionCallInfo fcinfo, const PathArgument *path, int64 *room)
{
	TextArrayWalk walk;
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(2);
	const uint8 *not_nulls = ARR_NULLBITMAP(array);
	const char *next = array_elements(array);
	int			length = ARR_NDIM(array) == 0 ? 0 : ARR_DIMS(array)[0];
	int64	   *times = path->length > PATH_ROOM ?
		palloc_extended(path->length * sizeof(int64), MCXT_ALLOC_HUGE) : room;
	uint32		count = 0;

	text_array_start(&walk, PG_GETARG_ARRAYTYPE_P(1), "path");
	if (ARR_NDIM(array) > 1 || length != walk.length)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"touched_at\" must have a time for each of the %d touches of the path, not %d",
						walk.length, length)));
	for (int i = 0; text_array_next(&walk); i++)
	{
		bool		is_null = not_nulls != NULL && (not_nulls[i / 8] & (1 << i % 8)) == 0;
		int64		at = 0;

		if (!is_null)
		{
			memcpy(&at, next, sizeof(int64));
			next += sizeof(int64);
		}
		if (!is_channel(walk.bytes, walk.size))
			continue;
		if (is_null || TIMESTAMP_NOT_FINITE(at))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("touch %d of the path has no finite time in \"touched_at\"", i + 1)));
		times[count++] = at;
	}
	return times;
}
