/*
 * flow.c
 *		Transitions from step to step: flow, the rows of a Sankey diagram.
 *
 * A path is the events of a visitor, or of each of the visits if a gap is given.
 * Forward it is followed from its first event that matches start_event, or from
 * its first step; backward from its first event that matches end_event.
 *
 * Per call site: the compiled patterns.  Per timeline, in the memory of the set:
 * the walk, with the steps of one path, of which never more are kept than
 * depth + 1, and the label texts.  Per event: nothing.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/set_call.h"
#include "timeline/label_text.h"
#include "timeline/matcher.h"
#include "timeline/timeline.h"
#include "timeline/visits.h"

PG_FUNCTION_INFO_V1(timeline_flow);

#define DEFAULT_DEPTH 5
#define MAX_DEPTH 1000

/* The bits of the patterns as the matcher sets them, and one that is derived. */
#define START_EVENT UINT64CONST(1)
#define END_EVENT UINT64CONST(2)
#define IS_STEP UINT64CONST(8)

typedef struct FlowStep
{
	int64		at;				/* of the first of its repeats */
	uint32		label;
} FlowStep;

/* The walk of one call over the paths of one timeline. */
typedef struct FlowWalk
{
	TimelineView view;
	TimelineCursor cursor;
	LabelTexts	labels;
	uint64	   *masks;
	uint32		depth;
	bool		collapse;
	bool		has_start;
	bool		is_backward;
	bool		has_gap;
	VisitSplitter splitter;
	bool		has_event;		/* the cursor is at an event that was not looked at yet */
	bool		starts_visit;	/* which is the first of a visit */
	FlowStep   *steps;			/* a ring: step i is at i % capacity */
	uint32		capacity;
	uint32		step_count;		/* of the path, those that the ring has lost included */
	uint32		row_count;
	uint32		rows_given;
} FlowWalk;

static FlowWalk *start_walk(FunctionCallInfo fcinfo, SetCall *call);
static uint32 depth_argument(FunctionCallInfo fcinfo, int number);
static bool next_path(FlowWalk *walk);
static void read_path(FlowWalk *walk);
static void add_step(FlowWalk *walk);
static void read_event(FlowWalk *walk);
static HeapTuple form_row(FlowWalk *walk, SetCall *call);

/* (timeline, start_event, end_event, depth, among, collapse, gap) */
Datum
timeline_flow(PG_FUNCTION_ARGS)
{
	SetCall    *call = set_call_begin(fcinfo);
	FlowWalk   *walk;

	if (!call->is_running)
	{
		MemoryContext caller;

		if (PG_ARGISNULL(0))
			SET_CALL_RETURN_DONE(fcinfo, call);
		set_call_start(fcinfo, call);
		caller = MemoryContextSwitchTo(call->context);
		call->state = start_walk(fcinfo, call);
		MemoryContextSwitchTo(caller);
	}
	walk = call->state;

	if (walk->rows_given < walk->row_count || next_path(walk))
		SET_CALL_RETURN_NEXT(fcinfo, HeapTupleGetDatum(form_row(walk, call)));
	SET_CALL_RETURN_DONE(fcinfo, call);
}

/* In a memory context that lasts for the whole set. */
static FlowWalk *
start_walk(FunctionCallInfo fcinfo, SetCall *call)
{
	static const int numbers[] = {1, 2, 4};
	static const char *const names[] = {"start_event", "end_event", "among"};
	FlowWalk   *walk = palloc(sizeof(FlowWalk));
	TimelineView *view = &walk->view;

	walk->has_start = !PG_ARGISNULL(1);
	walk->is_backward = !PG_ARGISNULL(2);
	if (walk->has_start && walk->is_backward)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("arguments \"start_event\" and \"end_event\" cannot both be given"),
				 errdetail("A flow goes forward from a start or back from an end."),
				 errhint("Leave one of them out.")));
	walk->depth = depth_argument(fcinfo, 3);
	walk->collapse = PG_ARGISNULL(5) || PG_GETARG_BOOL(5);
	walk->has_gap = !PG_ARGISNULL(6);
	memset(&walk->splitter, 0, sizeof(VisitSplitter));
	if (walk->has_gap)
		walk->splitter.rule = visit_rule(PG_GETARG_INTERVAL_P(6), false, NULL, false);

	/* an argument that is not toasted stays where it is until the set is complete */
	timeline_open(view, PG_GETARG_TIMELINE(0));
	walk->masks = matcher_masks(matcher_of_arguments(fcinfo, &call->site, 3, numbers, names), view);
	for (uint32 i = 0; i < view->kind_count; i++)
	{
		/* the start or end is a step, whether among has it or not */
		if (PG_ARGISNULL(4) || walk->masks[i] != 0)
			walk->masks[i] |= IS_STEP;
	}
	label_texts_start(&walk->labels, view);
	walk->capacity = Min(walk->depth, view->event_count) + 1;
	walk->steps = palloc(walk->capacity * sizeof(FlowStep));
	walk->step_count = 0;
	walk->row_count = 0;
	walk->rows_given = 0;
	timeline_cursor_start(&walk->cursor, view);
	read_event(walk);
	return walk;
}

static uint32
depth_argument(FunctionCallInfo fcinfo, int number)
{
	int32		depth = PG_ARGISNULL(number) ? DEFAULT_DEPTH : PG_GETARG_INT32(number);

	if (depth < 1 || depth > MAX_DEPTH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"depth\" must be from 1 to %d, not %d", MAX_DEPTH, depth)));
	return (uint32) depth;
}

/* Makes the next path that has a row ready; false if there is none. */
static bool
next_path(FlowWalk *walk)
{
	do
	{
		if (!walk->has_event)
			return false;
		read_path(walk);
	} while (walk->step_count == 0);
	walk->row_count = Min(walk->depth, walk->step_count);
	walk->rows_given = 0;
	return true;
}

/*
 * Collects the steps of one visit, or of the visitor; none if the start or end is
 * not there.  Forward they stop at depth + 1, backward at the end event.
 */
static void
read_path(FlowWalk *walk)
{
	bool		is_open = !walk->has_start;
	bool		is_complete = false;

	walk->step_count = 0;
	do
	{
		if (!is_complete)
		{
			uint64		mask = walk->masks[walk->cursor.kind];

			is_open = is_open || (mask & START_EVENT) != 0;
			if (is_open && (mask & IS_STEP) != 0)
				add_step(walk);
			is_complete = walk->is_backward ? (mask & END_EVENT) != 0 : walk->step_count > walk->depth;
		}
		if (is_complete && !walk->has_gap)
		{
			/* what follows does not matter */
			walk->has_event = false;
			return;
		}
		read_event(walk);
	} while (walk->has_event && !walk->starts_visit);
	if (walk->is_backward && !is_complete)
		walk->step_count = 0;
}

/* The event at the cursor becomes a step, or a repeat of the last one. */
static void
add_step(FlowWalk *walk)
{
	uint32		label = walk->view.kinds[walk->cursor.kind].event;
	FlowStep   *step;

	if (walk->collapse && walk->step_count > 0 &&
		walk->steps[(walk->step_count - 1) % walk->capacity].label == label)
		return;
	step = &walk->steps[walk->step_count % walk->capacity];
	step->at = walk->cursor.at;
	step->label = label;
	walk->step_count++;
}

static void
read_event(FlowWalk *walk)
{
	walk->has_event = timeline_next(&walk->cursor);
	if (!walk->has_event)
	{
		timeline_cursor_end(&walk->cursor);
		return;
	}
	walk->starts_visit = walk->has_gap && visit_starts(&walk->splitter, walk->cursor.at, 0);
	if (walk->cursor.remaining % TIMELINE_INTERRUPT_EVERY == 0)
		CHECK_FOR_INTERRUPTS();
}

/*
 * The next row of the path: forward the transitions from its first step on,
 * backward those from its last step back.  Where there is no step on the other side,
 * the visitor left or entered.
 */
static HeapTuple
form_row(FlowWalk *walk, SetCall *call)
{
	uint32		row = ++walk->rows_given;
	uint32		near = walk->is_backward ? walk->step_count - row : row - 1;
	const FlowStep *source = &walk->steps[near % walk->capacity];
	const FlowStep *target = NULL;
	Datum		fields[4] = {0};
	bool		nulls[4] = {false};

	if (row < walk->step_count)
		target = &walk->steps[(walk->is_backward ? near - 1 : near + 1) % walk->capacity];
	if (walk->is_backward)
	{
		const FlowStep *later = source;

		source = target;
		target = later;
	}

	fields[0] = Int32GetDatum(walk->is_backward ? -(int32) row : (int32) row);
	nulls[1] = source == NULL;
	if (!nulls[1])
		fields[1] = label_text(&walk->labels, source->label);
	nulls[2] = target == NULL;
	if (!nulls[2])
		fields[2] = label_text(&walk->labels, target->label);
	nulls[3] = nulls[1] || nulls[2];
	if (!nulls[3])
		fields[3] = Float8GetDatum((double) ((uint64) target->at - (uint64) source->at) / 1000000.0);
	return heap_form_tuple(call->row_type, fields, nulls);
}
