/*
 * narrow.c
 *		Parts of a timeline: keep, omit, during, between_times.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/rangetypes.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "timeline/matcher.h"
#include "timeline/timeline.h"

PG_FUNCTION_INFO_V1(timeline_keep);
PG_FUNCTION_INFO_V1(timeline_omit);
PG_FUNCTION_INFO_V1(timeline_during);
PG_FUNCTION_INFO_V1(timeline_between_times);

static Datum filter_by_pattern(FunctionCallInfo fcinfo, bool keep_matching);
static Datum filter_by_time(FunctionCallInfo fcinfo, int64 from_at, int64 to_at);
static EncoderEvent *allocate_events(uint32 count);
static inline void take_event(EncoderEvent *event, const TimelineCursor *cursor);

Datum
timeline_keep(PG_FUNCTION_ARGS)
{
	return filter_by_pattern(fcinfo, true);
}

Datum
timeline_omit(PG_FUNCTION_ARGS)
{
	return filter_by_pattern(fcinfo, false);
}

Datum
timeline_during(PG_FUNCTION_ARGS)
{
	RangeType  *range = PG_GETARG_RANGE_P(1);
	TypeCacheEntry *typcache = range_get_typcache(fcinfo, RangeTypeGetOid(range));
	RangeBound	lower;
	RangeBound	upper;
	bool		is_empty;
	int64		from_at = PG_INT64_MIN;
	int64		to_at = PG_INT64_MAX;

	range_deserialize(typcache, range, &lower, &upper, &is_empty);
	if (is_empty)
		PG_RETURN_TIMELINE(timeline_empty());
	/* from here on the range is half-open: [from_at, to_at) */
	if (!lower.infinite)
	{
		from_at = DatumGetTimestampTz(lower.val);
		if (!lower.inclusive && from_at < PG_INT64_MAX)
			from_at++;
	}
	if (!upper.infinite)
	{
		to_at = DatumGetTimestampTz(upper.val);
		if (upper.inclusive && to_at < PG_INT64_MAX)
			to_at++;
	}
	return filter_by_time(fcinfo, from_at, to_at);
}

/* NULL for a bound: open there */
Datum
timeline_between_times(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	return filter_by_time(fcinfo,
						  PG_ARGISNULL(1) ? PG_INT64_MIN : PG_GETARG_TIMESTAMPTZ(1),
						  PG_ARGISNULL(2) ? PG_INT64_MAX : PG_GETARG_TIMESTAMPTZ(2));
}

static Datum
filter_by_pattern(FunctionCallInfo fcinfo, bool keep_matching)
{
	static const int numbers[] = {1};
	static const char *const names[] = {"pattern"};
	Timeline   *timeline = PG_GETARG_TIMELINE(0);
	TimelineMatcher *matcher = matcher_of_arguments(fcinfo, &fcinfo->flinfo->fn_extra, 1, numbers, names);
	TimelineView view;
	TimelineCursor cursor;
	uint64	   *masks;
	EncoderEvent *events;
	uint32		matching = 0;
	uint32		kept = 0;

	timeline_open(&view, timeline);
	masks = matcher_masks(matcher, &view);
	for (uint32 i = 0; i < view.event_count; i++)
	{
		matching += (masks[timeline_kind_at(&view, i)] != 0) == keep_matching;
		if (i % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	if (matching == view.event_count)
		PG_RETURN_TIMELINE(timeline);

	events = allocate_events(matching);
	timeline_cursor_start(&cursor, &view);
	while (timeline_next(&cursor))
	{
		if ((masks[cursor.kind] != 0) == keep_matching)
			take_event(&events[kept++], &cursor);
		if (cursor.remaining % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	timeline_cursor_end(&cursor);
	PG_RETURN_TIMELINE(timeline_subset(&view, events, kept));
}

static Datum
filter_by_time(FunctionCallInfo fcinfo, int64 from_at, int64 to_at)
{
	Timeline   *timeline = PG_GETARG_TIMELINE(0);
	TimelineView view;
	TimelineCursor cursor;
	EncoderEvent *events;
	uint32		within = 0;
	uint32		kept = 0;

	timeline_open(&view, timeline);
	timeline_cursor_start(&cursor, &view);
	while (timeline_next_time(&cursor) && cursor.at < to_at)
	{
		within += cursor.at >= from_at;
		if (cursor.remaining % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	timeline_cursor_end(&cursor);
	if (within == view.event_count)
		PG_RETURN_TIMELINE(timeline);

	events = allocate_events(within);
	timeline_cursor_start(&cursor, &view);
	while (kept < within && timeline_next(&cursor))
	{
		if (cursor.at >= from_at)
			take_event(&events[kept++], &cursor);
		if (cursor.remaining % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	timeline_cursor_end(&cursor);
	PG_RETURN_TIMELINE(timeline_subset(&view, events, kept));
}

static EncoderEvent *
allocate_events(uint32 count)
{
	return palloc_extended(sizeof(EncoderEvent) * Max(count, 1), MCXT_ALLOC_HUGE);
}

static inline void
take_event(EncoderEvent *event, const TimelineCursor *cursor)
{
	event->at = cursor->at;
	event->kind = cursor->kind;
	event->value = cursor->has_value ? cursor->value : 0;
}
