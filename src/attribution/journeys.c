/*
 * journeys.c
 *		journeys(timeline, ...): a row for each conversion and its path, and one for
 *		what is left over.
 *
 * The arrays are written in one piece, straight from the timeline's own strings.
 *
 * Per call site: the rule and its walk.  Per timeline, in the memory of the set: the
 * view, and the timeline if it was toasted.  Per row: two arrays and the tuple.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "attribution/channel_names.h"
#include "attribution/journey.h"
#include "base/boolean_array.h"
#include "base/set_call.h"

PG_FUNCTION_INFO_V1(journeys);

/* Room for all of a row but its path and the times of it. */
#define ROW_OVERHEAD 256

typedef struct JourneysSet
{
	TimelineView view;
	JourneyWalk *walk;
} JourneysSet;

static HeapTuple form_row(const JourneyWalk *walk, const Journey *journey, TupleDesc row_type);
static ArrayType *form_path(const TimelineString *labels, const JourneyTouch *touches, uint32 count);
static ArrayType *form_times(const JourneyTouch *touches, uint32 count);
static ArrayType *form_no_time(void);
static ArrayType *form_array(Size overhead, Size size, Oid type, uint32 count);
pg_noreturn static void too_long(uint32 touch_count);

/* (timeline, and the options of a JourneyRule) */
Datum
journeys(PG_FUNCTION_ARGS)
{
	SetCall    *call = set_call_begin(fcinfo);
	JourneysSet *set;
	Journey		journey;

	if (!call->is_running)
	{
		MemoryContext caller;

		if (PG_ARGISNULL(0))
			SET_CALL_RETURN_DONE(fcinfo, call);
		set_call_start(fcinfo, call);
		caller = MemoryContextSwitchTo(call->context);
		call->state = set = palloc(sizeof(JourneysSet));
		/* an argument that is not toasted stays where it is until the set is complete */
		timeline_open(&set->view, PG_GETARG_TIMELINE(0));
		set->walk = journey_walk_of_rule(journey_rule_of_arguments(fcinfo, 1, &call->site));
		journey_walk_start(set->walk, &set->view);
		MemoryContextSwitchTo(caller);
	}
	set = call->state;

	if (journey_next(set->walk, &journey))
		SET_CALL_RETURN_NEXT(fcinfo, HeapTupleGetDatum(form_row(set->walk, &journey, call->row_type)));
	SET_CALL_RETURN_DONE(fcinfo, call);
}

static HeapTuple
form_row(const JourneyWalk *walk, const Journey *journey, TupleDesc row_type)
{
	static const TimelineString unattributed = {CHANNEL_UNATTRIBUTED, sizeof(CHANNEL_UNATTRIBUTED) - 1};
	static const JourneyTouch no_touch = {0, 0};
	Datum		fields[4];
	bool		nulls[4] = {false};

	if (journey->touch_count > 0)
	{
		fields[0] = PointerGetDatum(form_path(walk->labels, journey->touches, journey->touch_count));
		fields[1] = PointerGetDatum(form_times(journey->touches, journey->touch_count));
	}
	else
	{
		fields[0] = PointerGetDatum(form_path(&unattributed, &no_touch, 1));
		fields[1] = PointerGetDatum(form_no_time());
	}
	nulls[2] = !journey->is_converted;
	fields[2] = TimestampTzGetDatum(journey->converted_at);
	nulls[3] = !journey->has_value;
	fields[3] = Float8GetDatum(journey->value);
	return heap_form_tuple(row_type, fields, nulls);
}

/* The labels of the touches, as text[]. */
static ArrayType *
form_path(const TimelineString *labels, const JourneyTouch *touches, uint32 count)
{
	Size		size = 0;
	ArrayType  *path;
	char	   *element;

	for (uint32 i = 0; i < count; i++)
	{
		size += INTALIGN(VARHDRSZ + (Size) labels[touches[i].label].length);
		if (i % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	/* the row has to hold the times, too */
	if (size + (Size) count * sizeof(int64) + ROW_OVERHEAD > MaxAllocSize || count > MaxArraySize)
		too_long(count);

	path = form_array(ARR_OVERHEAD_NONULLS(1), size, TEXTOID, count);
	element = array_elements(path);
	for (uint32 i = 0; i < count; i++)
	{
		const TimelineString *label = &labels[touches[i].label];
		Size		length = VARHDRSZ + (Size) label->length;

		/* zeros behind the bytes up to the next element, so that equal paths are equal bytes */
		*(uint32 *) (element + INTALIGN(length) - sizeof(uint32)) = 0;
		SET_VARSIZE(element, length);
		memcpy(VARDATA(element), label->bytes, label->length);
		element += INTALIGN(length);
	}
	return path;
}

/* The times of the touches, as timestamptz[]; form_path() has seen that they are not too many. */
static ArrayType *
form_times(const JourneyTouch *touches, uint32 count)
{
	ArrayType  *times = form_array(ARR_OVERHEAD_NONULLS(1), (Size) count * sizeof(int64), TIMESTAMPTZOID, count);
	int64	   *element = (int64 *) array_elements(times);

	for (uint32 i = 0; i < count; i++)
		element[i] = touches[i].at;
	return times;
}

/* An array of one NULL. */
static ArrayType *
form_no_time(void)
{
	Size		overhead = ARR_OVERHEAD_WITHNULLS(1, 1);
	ArrayType  *times = form_array(overhead, 0, TIMESTAMPTZOID, 1);

	times->dataoffset = (int32) overhead;
	ARR_NULLBITMAP(times)[0] = 0;
	return times;
}

/* An array of one dimension without its elements; what lies between header and elements is zero. */
static ArrayType *
form_array(Size overhead, Size size, Oid type, uint32 count)
{
	ArrayType  *array = palloc(overhead + size);

	memset(array, 0, overhead);
	SET_VARSIZE(array, overhead + size);
	array->ndim = 1;
	array->dataoffset = 0;
	array->elemtype = type;
	ARR_DIMS(array)[0] = (int) count;
	ARR_LBOUND(array)[0] = 1;
	return array;
}

static void
too_long(uint32 touch_count)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("a journey of %u touches is too long for an array", touch_count),
			 errhint("Repeats of a label are left out with collapse => 'consecutive' or 'first'.")));
}
