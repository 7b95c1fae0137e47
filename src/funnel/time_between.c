/*
 * time_between.c
 *		How long it takes from one event to another: time_between, times_between.
 *
 * A from event opens a pair if none is open, and the next to event closes it; so
 * time counts from the first event that was not answered yet.  An event that
 * matches both closes the open pair and opens the next.
 *
 * Of the events at one instant, those that match from_event alone are taken first,
 * then those that match both, then those that match to_event alone.  So the order of
 * their labels does not matter, and a to event answers all that came up to its instant.
 *
 * Per call: a walk of fixed size and the masks of the patterns.  Per event: nothing.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "base/duration.h"
#include "base/set_call.h"
#include "timeline/matcher.h"
#include "timeline/timeline.h"

PG_FUNCTION_INFO_V1(timeline_time_between);
PG_FUNCTION_INFO_V1(timeline_times_between);

/* The bits of the patterns as the matcher sets them. */
#define FROM_EVENT UINT64CONST(1)
#define TO_EVENT UINT64CONST(2)

typedef enum PairPick
{
	PICK_FIRST,
	PICK_LAST,
	PICK_SHORTEST,
	PICK_LONGEST,
	PICK_MEAN
} PairPick;

/* The walk of one call over the pairs of one timeline. */
typedef struct PairWalk
{
	TimelineView view;
	TimelineCursor cursor;
	uint64	   *masks;
	uint64		at_most;		/* microseconds from a from event to its to event, */
	uint64		at_least;		/* both inclusive */
	bool		has_event;		/* the cursor is at an event that was not looked at yet */
	int64		at;				/* the instant under way, and what is left of it: */
	bool		has_from;
	uint32		both_count;
	bool		has_to;
	bool		is_open;
	int64		open_at;		/* of the open pair */
	int64		from_at;		/* of the pair closed last */
	int64		to_at;
	uint64		duration;
} PairWalk;

static void start_walk(PairWalk *walk, FunctionCallInfo fcinfo, void **cache);
static PairPick pick_argument(FunctionCallInfo fcinfo, int number);
static bool next_pair(PairWalk *walk);
static void open_pair(PairWalk *walk);
static bool close_pair(PairWalk *walk);
static bool read_instant(PairWalk *walk);
static void read_event(PairWalk *walk);
static Datum interval_of(uint64 duration);

/* (timeline, from_event, to_event, within, longer_than, pick) */
Datum
timeline_time_between(PG_FUNCTION_ARGS)
{
	PairWalk	walk;
	PairPick	pick;
	uint32		count = 0;
	uint64		result = 0;
	uint64		sum = 0;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	pick = pick_argument(fcinfo, 5);
	start_walk(&walk, fcinfo, &fcinfo->flinfo->fn_extra);
	while (next_pair(&walk))
	{
		count++;
		/* pairs do not overlap, so that together they are no longer than all of time */
		sum += walk.duration;
		if (count == 1 || pick == PICK_LAST ||
			(pick == PICK_SHORTEST && walk.duration < result) ||
			(pick == PICK_LONGEST && walk.duration > result))
			result = walk.duration;
		if (pick == PICK_FIRST)
			break;
	}
	if (count == 0)
		PG_RETURN_NULL();
	if (pick == PICK_MEAN)
		result = (sum + count / 2) / count;
	return interval_of(result);
}

/* (timeline, from_event, to_event, within, longer_than) */
Datum
timeline_times_between(PG_FUNCTION_ARGS)
{
	SetCall    *call = set_call_begin(fcinfo);
	PairWalk   *walk;

	if (!call->is_running)
	{
		MemoryContext caller;

		if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
			SET_CALL_RETURN_DONE(fcinfo, call);
		set_call_start(fcinfo, call);
		caller = MemoryContextSwitchTo(call->context);
		call->state = walk = palloc(sizeof(PairWalk));
		start_walk(walk, fcinfo, &call->site);
		MemoryContextSwitchTo(caller);
	}
	walk = call->state;

	if (next_pair(walk))
	{
		Datum		fields[3];
		bool		nulls[3] = {false};

		fields[0] = TimestampTzGetDatum(walk->from_at);
		fields[1] = TimestampTzGetDatum(walk->to_at);
		fields[2] = Float8GetDatum((double) walk->duration / 1000000.0);
		SET_CALL_RETURN_NEXT(fcinfo, HeapTupleGetDatum(heap_form_tuple(call->row_type, fields, nulls)));
	}
	SET_CALL_RETURN_DONE(fcinfo, call);
}

/* Arguments 0 to 4, of which the first three are not NULL. */
static void
start_walk(PairWalk *walk, FunctionCallInfo fcinfo, void **cache)
{
	static const int numbers[] = {1, 2};
	static const char *const names[] = {"from_event", "to_event"};

	walk->at_most = PG_ARGISNULL(3) ? PG_UINT64_MAX :
		(uint64) duration_microseconds(PG_GETARG_INTERVAL_P(3), "within");
	/* times are whole microseconds, so "longer" is "one more, or longer" */
	walk->at_least = PG_ARGISNULL(4) ? 0 :
		(uint64) duration_microseconds(PG_GETARG_INTERVAL_P(4), "longer_than") + 1;
	walk->has_from = false;
	walk->both_count = 0;
	walk->has_to = false;
	walk->is_open = false;
	/* an argument that is not toasted stays where it is until the set is complete */
	timeline_open(&walk->view, PG_GETARG_TIMELINE(0));
	walk->masks = matcher_masks(matcher_of_arguments(fcinfo, cache, 2, numbers, names), &walk->view);
	timeline_cursor_start(&walk->cursor, &walk->view);
	read_event(walk);
}

static PairPick
pick_argument(FunctionCallInfo fcinfo, int number)
{
	static const char *const names[] = {"first", "last", "shortest", "longest", "mean"};
	const text *pick;
	int			length;

	if (PG_ARGISNULL(number))
		return PICK_FIRST;
	pick = PG_GETARG_TEXT_PP(number);
	length = VARSIZE_ANY_EXHDR(pick);
	for (int i = 0; i < (int) lengthof(names); i++)
	{
		if (length == (int) strlen(names[i]) && memcmp(VARDATA_ANY(pick), names[i], length) == 0)
			return (PairPick) i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"pick\" cannot be \"%.*s\"", length, VARDATA_ANY(pick)),
			 errhint("Valid values are \"first\", \"last\", \"shortest\", \"longest\" and \"mean\".")));
}

/* Moves to the next pair that is asked for; false if there is none. */
static bool
next_pair(PairWalk *walk)
{
	for (;;)
	{
		bool		found = false;

		if (walk->has_from)
		{
			walk->has_from = false;
			open_pair(walk);
		}
		else if (walk->both_count > 0)
		{
			walk->both_count--;
			found = close_pair(walk);
			open_pair(walk);
		}
		else if (walk->has_to)
		{
			walk->has_to = false;
			found = close_pair(walk);
		}
		else if (!read_instant(walk))
			return false;
		if (found)
			return true;
	}
}

/* A pair that was open for longer than it may be stays unanswered and makes room. */
static void
open_pair(PairWalk *walk)
{
	if (walk->is_open && (uint64) walk->at - (uint64) walk->open_at <= walk->at_most)
		return;
	walk->is_open = true;
	walk->open_at = walk->at;
}

/* Closes the open pair, if there is one; false if it is not asked for. */
static bool
close_pair(PairWalk *walk)
{
	if (!walk->is_open)
		return false;
	walk->is_open = false;
	walk->from_at = walk->open_at;
	walk->to_at = walk->at;
	/* the range of time is wider than int64 */
	walk->duration = (uint64) walk->to_at - (uint64) walk->from_at;
	return walk->duration >= walk->at_least && walk->duration <= walk->at_most;
}

/* Counts what there is at the next instant; false if there is none. */
static bool
read_instant(PairWalk *walk)
{
	if (!walk->has_event)
		return false;
	walk->at = walk->cursor.at;
	do
	{
		switch (walk->masks[walk->cursor.kind])
		{
			case FROM_EVENT:
				walk->has_from = true;
				break;
			case TO_EVENT:
				walk->has_to = true;
				break;
			case FROM_EVENT | TO_EVENT:
				walk->both_count++;
				break;
		}
		read_event(walk);
	} while (walk->has_event && walk->cursor.at == walk->at);
	return true;
}

static void
read_event(PairWalk *walk)
{
	walk->has_event = timeline_next(&walk->cursor);
	if (!walk->has_event)
		timeline_cursor_end(&walk->cursor);
	else if (walk->cursor.remaining % TIMELINE_INTERRUPT_EVERY == 0)
		CHECK_FOR_INTERRUPTS();
}

/* As subtracting the times: whole days of 24 hours, and the rest. */
static Datum
interval_of(uint64 duration)
{
	Interval	interval = {0};

	if (duration > (uint64) PG_INT64_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("interval out of range")));
	interval.time = (TimeOffset) duration;
	return DirectFunctionCall1(interval_justify_hours, IntervalPGetDatum(&interval));
}
