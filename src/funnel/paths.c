/*
 * paths.c
 *		What came before an event and what after: paths_to, paths_from.
 *
 * The steps of a timeline fall into runs: a run is one step, or with collapse all
 * the repeats of a label after each other.  A path is some runs in a row, so the
 * walks keep the last runs in a ring.  For paths_from a second cursor leads
 * by as many runs as a path has, and both pass each event once.
 *
 * Per call site: the compiled patterns.  Per timeline, in the memory of the set:
 * the walk with its ring of n + 1 runs, and the label texts.  Per event: nothing.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/set_call.h"
#include "timeline/label_text.h"
#include "timeline/matcher.h"
#include "timeline/timeline.h"

PG_FUNCTION_INFO_V1(timeline_paths_to);
PG_FUNCTION_INFO_V1(timeline_paths_from);

#define MAX_LENGTH 1000

/* The bits of the patterns as the matcher sets them. */
#define PATTERN UINT64CONST(1)
#define AMONG UINT64CONST(2)

typedef enum Occurrence
{
	OCCURRENCE_ALL,
	OCCURRENCE_FIRST,
	OCCURRENCE_LAST
} Occurrence;

typedef struct PathRun
{
	uint32		label;
	uint32		last_step;		/* its number among all steps, from 1 */
} PathRun;

/* How far a cursor has come. */
typedef struct PathPlace
{
	uint32		step_count;
	uint32		run_count;
	uint32		last_label;		/* of the last run, if there is one */
} PathPlace;

/* The walk of one call over the matching events of one timeline. */
typedef struct PathWalk
{
	TimelineView view;
	LabelTexts	labels;
	uint64	   *masks;
	uint32		length;			/* at most, of a path: n, or the number of events */
	bool		collapse;
	bool		is_single;		/* only one event is asked for, */
	uint32		single;			/* this one */
	bool		is_done;
	TimelineCursor cursor;		/* looks for matching events */
	PathPlace	place;
	TimelineCursor lead;		/* collects what comes after them, for paths_from */
	PathPlace	lead_place;
	PathRun    *runs;			/* a ring: run i is at i % capacity */
	uint32		capacity;
	Datum	   *elements;		/* room for those of a path */
} PathWalk;

static PathWalk *path_set(FunctionCallInfo fcinfo, SetCall *call);
static PathWalk *start_walk(FunctionCallInfo fcinfo, SetCall *call);
static uint32 length_argument(FunctionCallInfo fcinfo, int number);
static Occurrence occurrence_argument(FunctionCallInfo fcinfo, int number);
static bool find_single(PathWalk *walk, Occurrence occurrence);
static bool next_path_to(PathWalk *walk, ArrayType **path);
static bool next_path_from(PathWalk *walk, ArrayType **path);
static bool next_event(const PathWalk *walk, TimelineCursor *cursor);
static bool is_wanted(PathWalk *walk);
static bool pass_event(const PathWalk *walk, const TimelineCursor *cursor, PathPlace *place);
static void keep_run(PathWalk *walk, const PathPlace *place);
static ArrayType *form_path(PathWalk *walk, uint32 first, uint32 count);
static HeapTuple form_row(const PathWalk *walk, const SetCall *call, ArrayType *path);

/* (timeline, pattern, n, among, collapse, occurrence) */
Datum
timeline_paths_to(PG_FUNCTION_ARGS)
{
	SetCall    *call = set_call_begin(fcinfo);
	PathWalk   *walk = path_set(fcinfo, call);
	ArrayType  *path;

	if (walk != NULL && next_path_to(walk, &path))
		SET_CALL_RETURN_NEXT(fcinfo, HeapTupleGetDatum(form_row(walk, call, path)));
	SET_CALL_RETURN_DONE(fcinfo, call);
}

/* (timeline, pattern, n, among, collapse, occurrence) */
Datum
timeline_paths_from(PG_FUNCTION_ARGS)
{
	SetCall    *call = set_call_begin(fcinfo);
	PathWalk   *walk = path_set(fcinfo, call);
	ArrayType  *path;

	if (walk != NULL && next_path_from(walk, &path))
		SET_CALL_RETURN_NEXT(fcinfo, HeapTupleGetDatum(form_row(walk, call, path)));
	SET_CALL_RETURN_DONE(fcinfo, call);
}

/* The walk of the set under way, which starts if none is; NULL: what is required is NULL. */
static PathWalk *
path_set(FunctionCallInfo fcinfo, SetCall *call)
{
	if (!call->is_running)
	{
		MemoryContext caller;

		if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
			return NULL;
		set_call_start(fcinfo, call);
		caller = MemoryContextSwitchTo(call->context);
		call->state = start_walk(fcinfo, call);
		MemoryContextSwitchTo(caller);
	}
	return call->state;
}

/* In a memory context that lasts for the whole set. */
static PathWalk *
start_walk(FunctionCallInfo fcinfo, SetCall *call)
{
	static const int numbers[] = {1, 3};
	static const char *const names[] = {"pattern", "among"};
	PathWalk   *walk = palloc0(sizeof(PathWalk));
	TimelineView *view = &walk->view;
	uint32		n = length_argument(fcinfo, 2);
	Occurrence	occurrence = occurrence_argument(fcinfo, 5);

	walk->collapse = !PG_ARGISNULL(4) && PG_GETARG_BOOL(4);
	/* an argument that is not toasted stays where it is until the set is complete */
	timeline_open(view, PG_GETARG_TIMELINE(0));
	walk->masks = matcher_masks(matcher_of_arguments(fcinfo, &call->site, 2, numbers, names), view);
	for (uint32 i = 0; PG_ARGISNULL(3) && i < view->kind_count; i++)
		walk->masks[i] |= AMONG;
	walk->is_single = occurrence != OCCURRENCE_ALL;
	walk->is_done = walk->is_single && !find_single(walk, occurrence);
	if (walk->is_done)
		return walk;
	label_texts_start(&walk->labels, view);
	walk->length = Min(n, view->event_count);
	walk->capacity = walk->length + 1;
	walk->runs = palloc(walk->capacity * sizeof(PathRun));
	walk->elements = palloc(walk->capacity * sizeof(Datum));
	timeline_cursor_start(&walk->cursor, view);
	timeline_cursor_start(&walk->lead, view);
	return walk;
}

static uint32
length_argument(FunctionCallInfo fcinfo, int number)
{
	int32		length = PG_GETARG_INT32(number);

	if (length < 1 || length > MAX_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"n\" must be from 1 to %d, not %d", MAX_LENGTH, length)));
	return (uint32) length;
}

static Occurrence
occurrence_argument(FunctionCallInfo fcinfo, int number)
{
	const text *occurrence;
	const char *bytes;
	int			length;

	if (PG_ARGISNULL(number))
		return OCCURRENCE_ALL;
	occurrence = PG_GETARG_TEXT_PP(number);
	bytes = VARDATA_ANY(occurrence);
	length = VARSIZE_ANY_EXHDR(occurrence);
	if (length == 3 && memcmp(bytes, "all", 3) == 0)
		return OCCURRENCE_ALL;
	if (length == 5 && memcmp(bytes, "first", 5) == 0)
		return OCCURRENCE_FIRST;
	if (length == 4 && memcmp(bytes, "last", 4) == 0)
		return OCCURRENCE_LAST;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"occurrence\" cannot be \"%.*s\"", length, bytes),
			 errhint("Valid values are \"all\", \"first\" and \"last\".")));
}

/* Looks for the first or last event that matches the pattern. */
static bool
find_single(PathWalk *walk, Occurrence occurrence)
{
	uint32		count = walk->view.event_count;

	for (uint32 i = 0; i < count; i++)
	{
		walk->single = occurrence == OCCURRENCE_FIRST ? i : count - 1 - i;
		if ((walk->masks[timeline_kind_at(&walk->view, walk->single)] & PATTERN) != 0)
			return true;
		if (i % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	return false;
}

/* Moves to the next event that is asked for and forms the path to it. */
static bool
next_path_to(PathWalk *walk, ArrayType **path)
{
	while (!walk->is_done && next_event(walk, &walk->cursor))
	{
		bool		found = is_wanted(walk);

		if (found)
		{
			uint32		count = Min(walk->length, walk->place.run_count);

			*path = form_path(walk, walk->place.run_count - count, count);
		}
		/* the event itself is a step for those after it only */
		if (pass_event(walk, &walk->cursor, &walk->place))
			keep_run(walk, &walk->place);
		if (found)
			return true;
	}
	return false;
}

/* Moves to the next event that is asked for and forms the path from it. */
static bool
next_path_from(PathWalk *walk, ArrayType **path)
{
	while (!walk->is_done && next_event(walk, &walk->cursor))
	{
		uint32		first;

		(void) pass_event(walk, &walk->cursor, &walk->place);
		if (!is_wanted(walk))
			continue;

		/* one more than a path has, so that the run in which the event is has ended */
		first = walk->place.run_count;
		while (walk->lead_place.run_count < first + walk->length && next_event(walk, &walk->lead))
		{
			if (pass_event(walk, &walk->lead, &walk->lead_place))
				keep_run(walk, &walk->lead_place);
		}
		/* repeats of the step at or before the event may come after it: they begin the path */
		if (first > 0 && walk->runs[(first - 1) % walk->capacity].last_step > walk->place.step_count)
			first--;
		*path = form_path(walk, first, Min(walk->length, walk->lead_place.run_count - first));
		return true;
	}
	return false;
}

static bool
next_event(const PathWalk *walk, TimelineCursor *cursor)
{
	if (!timeline_next(cursor))
	{
		timeline_cursor_end(cursor);
		return false;
	}
	if (cursor->remaining % TIMELINE_INTERRUPT_EVERY == 0)
		CHECK_FOR_INTERRUPTS();
	return true;
}

/* Whether the path of the event at the cursor is asked for. */
static bool
is_wanted(PathWalk *walk)
{
	if (!walk->is_single)
		return (walk->masks[walk->cursor.kind] & PATTERN) != 0;
	walk->is_done = walk->view.event_count - walk->cursor.remaining - 1 == walk->single;
	return walk->is_done;
}

/* Counts the event at a cursor; true if it is a step. */
static bool
pass_event(const PathWalk *walk, const TimelineCursor *cursor, PathPlace *place)
{
	uint32		label = walk->view.kinds[cursor->kind].event;

	if ((walk->masks[cursor->kind] & AMONG) == 0)
		return false;
	place->step_count++;
	if (!walk->collapse || place->run_count == 0 || place->last_label != label)
	{
		place->run_count++;
		place->last_label = label;
	}
	return true;
}

/* Writes the run into the ring of which the last step was just passed. */
static void
keep_run(PathWalk *walk, const PathPlace *place)
{
	PathRun    *run = &walk->runs[(place->run_count - 1) % walk->capacity];

	run->label = place->last_label;
	run->last_step = place->step_count;
}

/* The labels of some runs, which the ring still has. */
static ArrayType *
form_path(PathWalk *walk, uint32 first, uint32 count)
{
	for (uint32 i = 0; i < count; i++)
		walk->elements[i] = label_text(&walk->labels, walk->runs[(first + i) % walk->capacity].label);
	return construct_array(walk->elements, (int) count, TEXTOID, -1, false, TYPALIGN_INT);
}

static HeapTuple
form_row(const PathWalk *walk, const SetCall *call, ArrayType *path)
{
	Datum		fields[2];
	bool		nulls[2] = {false};

	fields[0] = TimestampTzGetDatum(walk->cursor.at);
	fields[1] = PointerGetDatum(path);
	return heap_form_tuple(call->row_type, fields, nulls);
}
