/*
 * measure.c
 *		Single figures of a timeline: how many events, what they are worth, when
 *		the first and last were, and their properties.
 *
 * All take a pattern that may be NULL: then every event counts.
 */
#include "postgres.h"

#include <math.h>

#include "common/int.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "timeline/kind_property.h"
#include "timeline/matcher.h"
#include "timeline/timeline.h"

PG_FUNCTION_INFO_V1(timeline_event_count);
PG_FUNCTION_INFO_V1(timeline_total_value);
PG_FUNCTION_INFO_V1(timeline_first_at);
PG_FUNCTION_INFO_V1(timeline_last_at);
PG_FUNCTION_INFO_V1(timeline_span);
PG_FUNCTION_INFO_V1(timeline_first_property);
PG_FUNCTION_INFO_V1(timeline_last_property);

/* A walk over the events that match the pattern. */
typedef struct MatchingWalk
{
	TimelineView view;
	TimelineCursor cursor;
	uint64	   *masks;			/* NULL: every event matches */
} MatchingWalk;

static bool start_walk(MatchingWalk *walk, FunctionCallInfo fcinfo, int pattern_number);
static bool next_match(MatchingWalk *walk);
static Datum find_property(FunctionCallInfo fcinfo, bool is_last);

Datum
timeline_event_count(PG_FUNCTION_ARGS)
{
	MatchingWalk walk;
	int64		count = 0;

	if (!start_walk(&walk, fcinfo, 1))
		PG_RETURN_NULL();
	if (walk.masks == NULL)
		PG_RETURN_INT64(walk.view.event_count);
	for (uint32 i = 0; i < walk.view.event_count; i++)
	{
		count += walk.masks[timeline_kind_at(&walk.view, i)] != 0;
		if (i % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	PG_RETURN_INT64(count);
}

/*
 * The sum is exact where values are kept as whole numbers or hundredths, as
 * money mostly is; others are summed with the rounding error carried along
 * (Neumaier), which leaves an error of about one unit in the last place.
 */
Datum
timeline_total_value(PG_FUNCTION_ARGS)
{
	MatchingWalk walk;
	bool		is_exact;
	bool		found = false;
	double		scale;
	int64		exact = 0;
	double		sum = 0;
	double		error = 0;

	if (!start_walk(&walk, fcinfo, 1))
		PG_RETURN_NULL();
	is_exact = walk.view.value_unit != TIMELINE_DOUBLES;
	scale = walk.view.value_unit == TIMELINE_HUNDREDTHS ? 100.0 : 1.0;
	while (walk.view.value_count > 0 && next_match(&walk))
	{
		double		value = walk.cursor.value;
		int64		total;
		double		next;

		if (!walk.cursor.has_value)
			continue;
		found = true;
		if (is_exact && !pg_add_s64_overflow(exact, (int64) rint(value * scale), &total))
		{
			exact = total;
			continue;
		}
		if (is_exact)
		{
			/* beyond 64 bits, where a double is far from exact anyway */
			is_exact = false;
			sum = (double) exact / scale;
		}
		next = sum + value;
		error += fabs(sum) >= fabs(value) ? (sum - next) + value : (value - next) + sum;
		sum = next;
	}
	if (!found)
		PG_RETURN_NULL();
	sum = is_exact ? (double) exact / scale : sum + error;
	if (unlikely(isinf(sum) || isnan(sum)))
		float_overflow_error();
	PG_RETURN_FLOAT8(sum);
}

Datum
timeline_first_at(PG_FUNCTION_ARGS)
{
	MatchingWalk walk;

	if (!start_walk(&walk, fcinfo, 1) || !next_match(&walk))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(walk.cursor.at);
}

Datum
timeline_last_at(PG_FUNCTION_ARGS)
{
	MatchingWalk walk;
	bool		found = false;
	int64		at = 0;

	if (!start_walk(&walk, fcinfo, 1))
		PG_RETURN_NULL();
	while (next_match(&walk))
	{
		found = true;
		at = walk.cursor.at;
	}
	if (!found)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(at);
}

/* As subtracting the first time from the last. */
Datum
timeline_span(PG_FUNCTION_ARGS)
{
	MatchingWalk walk;
	bool		found = false;
	int64		first = 0;
	int64		last = 0;

	if (!start_walk(&walk, fcinfo, 1))
		PG_RETURN_NULL();
	while (next_match(&walk))
	{
		if (!found)
			first = walk.cursor.at;
		found = true;
		last = walk.cursor.at;
	}
	if (!found)
		PG_RETURN_NULL();
	/* not every server version checks this in the subtraction */
	if ((uint64) last - (uint64) first > (uint64) PG_INT64_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("interval out of range")));
	return DirectFunctionCall2(timestamp_mi, TimestampTzGetDatum(last), TimestampTzGetDatum(first));
}

Datum
timeline_first_property(PG_FUNCTION_ARGS)
{
	return find_property(fcinfo, false);
}

Datum
timeline_last_property(PG_FUNCTION_ARGS)
{
	return find_property(fcinfo, true);
}

/* False if the timeline is NULL.  Argument pattern_number is the pattern. */
static bool
start_walk(MatchingWalk *walk, FunctionCallInfo fcinfo, int pattern_number)
{
	static const char *const names[] = {"pattern"};

	if (PG_ARGISNULL(0))
		return false;
	timeline_open(&walk->view, PG_GETARG_TIMELINE(0));
	timeline_cursor_start(&walk->cursor, &walk->view);
	walk->masks = NULL;
	if (!PG_ARGISNULL(pattern_number))
	{
		walk->masks = matcher_masks(matcher_of_arguments(fcinfo, &fcinfo->flinfo->fn_extra, 1,
														 &pattern_number, names),
									&walk->view);
	}
	return true;
}

static bool
next_match(MatchingWalk *walk)
{
	while (timeline_next(&walk->cursor))
	{
		if (walk->cursor.remaining % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		if (walk->masks == NULL || walk->masks[walk->cursor.kind] != 0)
			return true;
	}
	timeline_cursor_end(&walk->cursor);
	return false;
}

/* (timeline, key, pattern): the first or last one that is not NULL */
static Datum
find_property(FunctionCallInfo fcinfo, bool is_last)
{
	MatchingWalk walk;
	TimelineString key;
	PropertyValue value;
	PropertyValue found = {0};

	if (PG_ARGISNULL(1) || !start_walk(&walk, fcinfo, 2))
		PG_RETURN_NULL();
	key = timeline_string(PG_GETARG_TEXT_PP(1));
	while (next_match(&walk))
	{
		if (kind_property(&walk.view, walk.cursor.kind, &key, &value))
		{
			found = value;
			if (!is_last)
				break;
		}
	}
	if (found.bytes == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(property_text(&found));
}
