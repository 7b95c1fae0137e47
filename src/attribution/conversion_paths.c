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
#include "attribution/path_array.h"
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
	return expanded_state_combine(fcinfo, &path_set_methods);
}

/* Of argument 2, the times of the touches that have a channel, by argument 1. */
static int64 *
times_of_touches(FunctionCallInfo fcinfo, const PathArgument *path, int64 *room)
{
	TextArrayWalk walk;
	WideArrayWalk at_walk;
	int64	   *times = path->length > PATH_ROOM ?
		palloc_extended(path->length * sizeof(int64), MCXT_ALLOC_HUGE) : room;
	uint32		count = 0;

	text_array_start(&walk, PG_GETARG_ARRAYTYPE_P(1), "path");
	wide_array_start(&at_walk, PG_GETARG_ARRAYTYPE_P(2), "touched_at");
	if (at_walk.length != walk.length)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"touched_at\" must have a time for each of the %d touches of the path, not %d",
						walk.length, at_walk.length)));
	for (int i = 0; text_array_next(&walk); i++)
	{
		int64		at;
		bool		has_time = wide_array_next(&at_walk, &at);

		if (!is_channel(walk.bytes, walk.size))
			continue;
		if (!has_time || TIMESTAMP_NOT_FINITE(at))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("touch %d of the path has no finite time in \"touched_at\"", i + 1)));
		times[count++] = at;
	}
	return times;
}
