/*
 * events.c
 *		events(timeline): back to one row for each event.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "base/compat.h"
#include "base/set_call.h"
#include "timeline/timeline.h"

PG_FUNCTION_INFO_V1(timeline_events);

/*
 * A string of the dictionary becomes a datum at its first use, which stays for the
 * events after it.
 */
typedef struct EventsWalk
{
	TimelineView view;
	TimelineCursor cursor;
	Datum	   *datums;			/* labels, channels, properties; 0: not used yet */
} EventsWalk;

static EventsWalk *start_walk(const Timeline *timeline);
static Datum datum_of(EventsWalk *walk, SetCall *call, uint32 number);

Datum
timeline_events(PG_FUNCTION_ARGS)
{
	SetCall    *call = set_call_begin(fcinfo);
	EventsWalk *walk;

	if (!call->is_running)
	{
		MemoryContext caller;

		if (PG_ARGISNULL(0))
			SET_CALL_RETURN_DONE(fcinfo, call);
		set_call_start(fcinfo, call);
		caller = MemoryContextSwitchTo(call->context);
		/* an argument that is not toasted stays where it is until the set is complete */
		call->state = start_walk(PG_GETARG_TIMELINE(0));
		MemoryContextSwitchTo(caller);
	}
	walk = call->state;

	if (timeline_next(&walk->cursor))
	{
		const TimelineKind *kind = &walk->view.kinds[walk->cursor.kind];
		Datum		fields[5] = {0};
		bool		nulls[5] = {false};

		fields[0] = Int64GetDatum(walk->cursor.at);
		fields[1] = datum_of(walk, call, kind->event);
		nulls[2] = kind->channel == 0;
		if (!nulls[2])
			fields[2] = datum_of(walk, call, walk->view.label_count + kind->channel - 1);
		nulls[3] = !walk->cursor.has_value;
		if (!nulls[3])
			fields[3] = Float8GetDatum(walk->cursor.value);
		nulls[4] = kind->properties == 0;
		if (!nulls[4])
			fields[4] = datum_of(walk, call, walk->view.label_count + walk->view.channel_count +
								 kind->properties - 1);
		SET_CALL_RETURN_NEXT(fcinfo,
							 HeapTupleGetDatum(heap_form_tuple(call->row_type, fields, nulls)));
	}
	timeline_cursor_end(&walk->cursor);
	SET_CALL_RETURN_DONE(fcinfo, call);
}

static EventsWalk *
start_walk(const Timeline *timeline)
{
	EventsWalk *walk = palloc(sizeof(EventsWalk));
	TimelineView *view = &walk->view;

	timeline_open(view, timeline);
	walk->datums = palloc_extended(sizeof(Datum) * ((Size) view->label_count + view->channel_count +
													view->property_count + 1),
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	timeline_cursor_start(&walk->cursor, view);
	return walk;
}

/* The string of this number among labels, channels and properties. */
static Datum
datum_of(EventsWalk *walk, SetCall *call, uint32 number)
{
	const TimelineView *view = &walk->view;
	const TimelineString *string = &view->labels[number];
	Datum		datum;
	Size		size;

	if (walk->datums[number] != (Datum) 0)
		return walk->datums[number];
	/* what the parser leaves behind goes with the row */
	if (number < view->label_count + view->channel_count)
		datum = PointerGetDatum(cstring_to_text_with_len(string->bytes, (int) string->length));
	else
		datum = DirectFunctionCall1(jsonb_in, CStringGetDatum(pnstrdup(string->bytes, string->length)));
	size = VARSIZE(DatumGetPointer(datum));
	walk->datums[number] = PointerGetDatum(memcpy(MemoryContextAlloc(call->context, size),
												  DatumGetPointer(datum), size));
	return walk->datums[number];
}
