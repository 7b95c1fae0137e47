/*
 * visits.c
 *		Splitting a timeline into visits (sessions): visits, split_visits, visit_count.
 *
 * The rule of where a visit ends is in visits.h.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "datatype/timestamp.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/duration.h"
#include "base/set_call.h"
#include "timeline/label_text.h"
#include "timeline/matcher.h"
#include "timeline/timeline.h"
#include "timeline/visits.h"

PG_FUNCTION_INFO_V1(timeline_visits);
PG_FUNCTION_INFO_V1(timeline_split_visits);
PG_FUNCTION_INFO_V1(timeline_visit_count);

/* An event matches page_view or key_event. */
#define PAGE_VIEW UINT64CONST(1)
#define KEY_EVENT UINT64CONST(2)

#define DEFAULT_ENGAGED_AFTER (INT64CONST(10) * 1000000)

/* The walk of one call over the visits of one timeline. */
typedef struct VisitWalk
{
	TimelineView view;
	TimelineCursor cursor;
	VisitSplitter splitter;
	TimelineRun visit;			/* under way; after its events, the next visit's first */
	uint32		capacity;		/* of visit.events */
	bool		has_next;		/* there is a next visit */
	const uint8 *next_values;	/* where the values from the next event on are written */
	const uint8 *values_read;	/* and those after it */
	LabelTexts	texts;
	int32		visit_number;
	uint64	   *masks;			/* NULL: no pattern was given */
	int64		engaged_after;
} VisitWalk;

static VisitWalk *start_walk(FunctionCallInfo fcinfo);
static bool next_visit(VisitWalk *walk);
static void read_next_event(VisitWalk *walk);
static HeapTuple form_visit(VisitWalk *walk, SetCall *call);
static VisitRule rule_of_arguments(FunctionCallInfo fcinfo);

/*
 * (timeline, gap, gap_inclusive, time_zone, split_channel, page_view, key_event,
 * engaged_after)
 */
Datum
timeline_visits(PG_FUNCTION_ARGS)
{
	SetCall    *call = set_call_begin(fcinfo);
	VisitWalk  *walk;

	if (!call->is_running)
	{
		static const int numbers[] = {5, 6};
		static const char *const names[] = {"page_view", "key_event"};
		MemoryContext caller;

		if (PG_ARGISNULL(0))
			SET_CALL_RETURN_DONE(fcinfo, call);
		set_call_start(fcinfo, call);
		caller = MemoryContextSwitchTo(call->context);
		call->state = walk = start_walk(fcinfo);
		if (!PG_ARGISNULL(5) || !PG_ARGISNULL(6))
			walk->masks = matcher_masks(matcher_of_arguments(fcinfo, &call->site, 2, numbers, names),
										&walk->view);
		walk->engaged_after = PG_ARGISNULL(7) ? DEFAULT_ENGAGED_AFTER :
			duration_microseconds(PG_GETARG_INTERVAL_P(7), "engaged_after");
		MemoryContextSwitchTo(caller);
	}
	walk = call->state;

	if (next_visit(walk))
		SET_CALL_RETURN_NEXT(fcinfo, HeapTupleGetDatum(form_visit(walk, call)));
	SET_CALL_RETURN_DONE(fcinfo, call);
}

/* (timeline, gap, gap_inclusive, time_zone, split_channel) */
Datum
timeline_split_visits(PG_FUNCTION_ARGS)
{
	SetCall    *call = set_call_begin(fcinfo);
	VisitWalk  *walk;

	if (!call->is_running)
	{
		MemoryContext caller;

		if (PG_ARGISNULL(0))
			SET_CALL_RETURN_DONE(fcinfo, call);
		set_call_start(fcinfo, call);
		caller = MemoryContextSwitchTo(call->context);
		call->state = start_walk(fcinfo);
		MemoryContextSwitchTo(caller);
	}
	walk = call->state;

	if (next_visit(walk))
		SET_CALL_RETURN_NEXT(fcinfo, PointerGetDatum(timeline_of_run(&walk->view, &walk->visit)));
	SET_CALL_RETURN_DONE(fcinfo, call);
}

/* (timeline, gap, gap_inclusive, time_zone, split_channel) */
Datum
timeline_visit_count(PG_FUNCTION_ARGS)
{
	TimelineView view;
	TimelineCursor cursor;
	VisitSplitter splitter = {0};
	int32		count = 0;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	splitter.rule = rule_of_arguments(fcinfo);
	timeline_open(&view, PG_GETARG_TIMELINE(0));
	timeline_cursor_start(&cursor, &view);
	while (splitter.rule.split_channel ? timeline_next(&cursor) : timeline_next_time(&cursor))
	{
		uint32		channel = splitter.rule.split_channel ? view.kinds[cursor.kind].channel : 0;

		count += visit_starts(&splitter, cursor.at, channel);
		if (cursor.remaining % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	timeline_cursor_end(&cursor);
	PG_RETURN_INT32(count);
}

/*
 * The rule of these SQL arguments.  NULL for gap: 30 minutes; NULL for
 * time_zone: dates do not split.  A gap in months, a negative one and an unknown
 * time zone are errors (ERRCODE_INVALID_PARAMETER_VALUE).
 */
VisitRule
visit_rule(const Interval *gap, bool gap_inclusive, text *time_zone, bool split_channel)
{
	VisitRule	rule = {VISIT_DEFAULT_GAP, NULL, split_channel};

	if (gap != NULL)
		rule.gap = (uint64) duration_microseconds(gap, "gap");
	if (gap_inclusive)
	{
		/* times are whole microseconds, so "as long or longer" is "longer than one less" */
		if (rule.gap == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"gap\" must be greater than zero if gap_inclusive is true"),
					 errdetail("Otherwise every event would be a visit, even those at one instant.")));
		rule.gap--;
	}
	if (time_zone != NULL)
		rule.time_zone = calendar_time_zone(time_zone);
	return rule;
}

/* In a memory context that lasts for the whole set. */
static VisitWalk *
start_walk(FunctionCallInfo fcinfo)
{
	VisitWalk  *walk = palloc(sizeof(VisitWalk));

	/* an argument that is not toasted stays where it is until the set is complete */
	timeline_open(&walk->view, PG_GETARG_TIMELINE(0));
	timeline_cursor_start(&walk->cursor, &walk->view);
	memset(&walk->splitter, 0, sizeof(VisitSplitter));
	walk->splitter.rule = rule_of_arguments(fcinfo);
	walk->capacity = 32;
	walk->visit.events = palloc(walk->capacity * sizeof(EncoderEvent));
	walk->visit.event_count = 0;
	label_texts_start(&walk->texts, &walk->view);
	walk->visit_number = 0;
	walk->masks = NULL;
	read_next_event(walk);
	if (walk->has_next)
		(void) visit_starts(&walk->splitter, walk->cursor.at, walk->view.kinds[walk->cursor.kind].channel);
	return walk;
}

/* Collects the events of the next visit; false if there is none. */
static bool
next_visit(VisitWalk *walk)
{
	TimelineRun *visit = &walk->visit;

	if (!walk->has_next)
		return false;
	/* the event that ended the visit before starts this one */
	visit->events[0] = visit->events[visit->event_count];
	visit->values = walk->next_values;
	visit->times = walk->cursor.time_byte;
	visit->event_count = 0;
	walk->visit_number++;
	do
	{
		visit->event_count++;
		visit->values_end = walk->values_read;
		visit->times_end = walk->cursor.time_byte;
		read_next_event(walk);
		if (walk->cursor.remaining % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	} while (walk->has_next &&
			 !visit_starts(&walk->splitter, walk->cursor.at, walk->view.kinds[walk->cursor.kind].channel));
	return true;
}

/* Reads the event after the visit's last one so far, if there is one. */
static void
read_next_event(VisitWalk *walk)
{
	TimelineRun *visit = &walk->visit;
	EncoderEvent *event;

	walk->next_values = walk->cursor.value_byte;
	walk->has_next = timeline_next(&walk->cursor);
	walk->values_read = walk->cursor.value_byte;
	if (!walk->has_next)
	{
		timeline_cursor_end(&walk->cursor);
		return;
	}
	if (visit->event_count == walk->capacity)
	{
		walk->capacity *= 2;
		visit->events = repalloc_huge(visit->events, (Size) walk->capacity * sizeof(EncoderEvent));
	}
	event = &visit->events[visit->event_count];
	event->at = walk->cursor.at;
	event->kind = walk->cursor.kind;
	event->value = walk->cursor.has_value ? walk->cursor.value : 0;
}

static HeapTuple
form_visit(VisitWalk *walk, SetCall *call)
{
	const TimelineView *view = &walk->view;
	const TimelineRun *visit = &walk->visit;
	int64		started_at = visit->events[0].at;
	int64		ended_at = visit->events[visit->event_count - 1].at;
	uint64		duration = (uint64) ended_at - (uint64) started_at;
	uint32		channel = 0;
	uint32		page_views = 0;
	bool		has_key_event = false;
	Datum		fields[10];
	bool		nulls[10] = {false};

	for (uint32 i = 0; i < visit->event_count; i++)
	{
		uint32		kind = visit->events[i].kind;

		if (channel == 0)
			channel = view->kinds[kind].channel;
		if (walk->masks != NULL)
		{
			page_views += (walk->masks[kind] & PAGE_VIEW) != 0;
			has_key_event |= (walk->masks[kind] & KEY_EVENT) != 0;
		}
	}

	fields[0] = Int32GetDatum(walk->visit_number);
	fields[1] = TimestampTzGetDatum(started_at);
	fields[2] = TimestampTzGetDatum(ended_at);
	fields[3] = Float8GetDatum((double) duration / 1000000.0);
	fields[4] = Int32GetDatum((int32) visit->event_count);
	nulls[5] = channel == 0;
	fields[5] = nulls[5] ? (Datum) 0 : label_text(&walk->texts, view->label_count + channel - 1);
	fields[6] = BoolGetDatum(visit->event_count == 1);
	fields[7] = BoolGetDatum(duration > (uint64) walk->engaged_after || has_key_event || page_views >= 2);
	fields[8] = label_text(&walk->texts, view->kinds[visit->events[0].kind].event);
	/* this overwrites the visit's events, but not the next one's first behind them */
	fields[9] = PointerGetDatum(timeline_of_run(&walk->view, &walk->visit));
	return heap_form_tuple(call->row_type, fields, nulls);
}

/* Arguments 1 to 4; NULL stands for the default. */
static VisitRule
rule_of_arguments(FunctionCallInfo fcinfo)
{
	return visit_rule(PG_ARGISNULL(1) ? NULL : PG_GETARG_INTERVAL_P(1),
					  !PG_ARGISNULL(2) && PG_GETARG_BOOL(2),
					  PG_ARGISNULL(3) ? NULL : PG_GETARG_TEXT_PP(3),
					  !PG_ARGISNULL(4) && PG_GETARG_BOOL(4));
}
