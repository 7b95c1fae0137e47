/*
 * stages.c
 *		Where a visitor is in the buyer's journey: stage_at, stage_moves.
 *
 * Events at one instant have no order, so an instant counts as one event, that
 * of the furthest stage among its events.  Ordered stages are never left for an
 * earlier one, so the visitor is in the furthest stage so far; free ones are, so
 * there the visitor is in the stage of the latest event that has one.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "datatype/timestamp.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/duration.h"
#include "base/set_call.h"
#include "funnel/stage_map.h"
#include "timeline/timeline.h"

PG_FUNCTION_INFO_V1(timeline_stage_at);
PG_FUNCTION_INFO_V1(timeline_stage_moves);

/* A walk over instants; at and stage are the current one's. */
typedef struct StageWalk
{
	const StageMap *map;
	TimelineView view;
	TimelineCursor cursor;		/* at the first event of the next instant */
	bool		has_next;
	int64		as_of;			/* later events do not exist */
	int		   *kind_stages;
	int			inline_stages[TIMELINE_INLINE_KINDS];
	int64		at;
	int			stage;
} StageWalk;

/* Of one call of stage_moves for one timeline. */
typedef struct MoveWalk
{
	StageWalk	instants;
	bool		ordered;
	int			stage;			/* the visitor's, since the last move */
	int64		since;
} MoveWalk;

static void start_walk(StageWalk *walk, FunctionCallInfo fcinfo, void **cache);
static bool next_instant(StageWalk *walk);
static bool is_move(int stage, int next, bool ordered);
static int	furthest_stage(const StageWalk *walk);
static Datum form_move(const MoveWalk *moves, SetCall *call);

/* (timeline, stage_map, stages, as_of, ordered, lapse) */
Datum
timeline_stage_at(PG_FUNCTION_ARGS)
{
	StageWalk	walk;
	bool		ordered = PG_ARGISNULL(4) || PG_GETARG_BOOL(4);
	bool		lapses = !PG_ARGISNULL(5);
	uint64		lapse = 0;
	int			stage = STAGE_NONE;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	if (lapses)
	{
		lapse = (uint64) duration_microseconds(PG_GETARG_INTERVAL_P(5), "lapse");
		if (PG_ARGISNULL(3) || TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(3)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"lapse\" needs a finite \"as_of\""),
					 errhint("Time passes up to some point: give for example as_of => now().")));
	}

	start_walk(&walk, fcinfo, &fcinfo->flinfo->fn_extra);
	if (ordered && walk.as_of == PG_INT64_MAX)
		stage = furthest_stage(&walk);	/* and nobody lapses without as_of */
	else
	{
		while (next_instant(&walk))
		{
			if (is_move(stage, walk.stage, ordered))
				stage = walk.stage;
		}
		/* the range of time is wider than int64 */
		if (lapses && (uint64) walk.as_of - (uint64) walk.at > lapse)
			stage = STAGE_NONE;
	}
	if (stage == STAGE_NONE)
		PG_RETURN_NULL();
	/* a copy, since the map may be gone when the result is looked at */
	PG_RETURN_DATUM(datumCopy(walk.map->names[stage], false, -1));
}

/* (timeline, stage_map, stages, as_of, ordered) */
Datum
timeline_stage_moves(PG_FUNCTION_ARGS)
{
	SetCall    *call = set_call_begin(fcinfo);
	MoveWalk   *moves;

	if (!call->is_running)
	{
		MemoryContext caller;

		if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
			SET_CALL_RETURN_DONE(fcinfo, call);
		set_call_start(fcinfo, call);
		caller = MemoryContextSwitchTo(call->context);
		call->state = moves = palloc(sizeof(MoveWalk));
		start_walk(&moves->instants, fcinfo, &call->site);
		moves->ordered = PG_ARGISNULL(4) || PG_GETARG_BOOL(4);
		moves->stage = STAGE_NONE;
		MemoryContextSwitchTo(caller);
	}
	moves = call->state;

	while (next_instant(&moves->instants))
	{
		if (is_move(moves->stage, moves->instants.stage, moves->ordered))
		{
			Datum		row = form_move(moves, call);

			moves->stage = moves->instants.stage;
			moves->since = moves->instants.at;
			SET_CALL_RETURN_NEXT(fcinfo, row);
		}
	}
	SET_CALL_RETURN_DONE(fcinfo, call);
}

/* Arguments 0 to 3 are (timeline, stage_map, stages, as_of), the first two not NULL. */
static void
start_walk(StageWalk *walk, FunctionCallInfo fcinfo, void **cache)
{
	walk->map = stage_map_of_arguments(fcinfo, cache, 1, 2);
	walk->as_of = PG_ARGISNULL(3) ? PG_INT64_MAX : PG_GETARG_TIMESTAMPTZ(3);
	timeline_open(&walk->view, PG_GETARG_TIMELINE(0));
	walk->kind_stages = stage_map_kinds(walk->map, &walk->view, walk->inline_stages);
	timeline_cursor_start(&walk->cursor, &walk->view);
	walk->has_next = timeline_next_time(&walk->cursor);
	walk->at = 0;
	walk->stage = STAGE_NONE;
}

/* Takes the events of the next instant up to as_of; false if there are none. */
static bool
next_instant(StageWalk *walk)
{
	if (!walk->has_next || walk->cursor.at > walk->as_of)
	{
		timeline_cursor_end(&walk->cursor);
		return false;
	}
	walk->at = walk->cursor.at;
	walk->stage = STAGE_NONE;
	do
	{
		uint32		event = walk->view.event_count - walk->cursor.remaining - 1;
		int			stage = walk->kind_stages[timeline_kind_at(&walk->view, event)];

		walk->stage = Max(walk->stage, stage);
		if (walk->cursor.remaining % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		walk->has_next = timeline_next_time(&walk->cursor);
	} while (walk->has_next && walk->cursor.at == walk->at);
	return true;
}

/* Does an instant of stage next, which may be STAGE_NONE, move a visitor who is in stage? */
static bool
is_move(int stage, int next, bool ordered)
{
	return ordered ? next > stage : next != STAGE_NONE && next != stage;
}

/* Of all events: every kind in the dictionary is that of some event. */
static int
furthest_stage(const StageWalk *walk)
{
	int			stage = STAGE_NONE;

	for (uint32 i = 0; i < walk->view.kind_count; i++)
		stage = Max(stage, walk->kind_stages[i]);
	return stage;
}

static Datum
form_move(const MoveWalk *moves, SetCall *call)
{
	const StageMap *map = moves->instants.map;
	Datum		fields[4] = {0};
	bool		nulls[4] = {false};

	if (moves->stage == STAGE_NONE)
		nulls[0] = nulls[3] = true;
	else
	{
		fields[0] = map->names[moves->stage];
		fields[3] = Float8GetDatum((double) ((uint64) moves->instants.at - (uint64) moves->since) / 1000000.0);
	}
	fields[1] = map->names[moves->instants.stage];
	fields[2] = TimestampTzGetDatum(moves->instants.at);
	return HeapTupleGetDatum(heap_form_tuple(call->row_type, fields, nulls));
}
