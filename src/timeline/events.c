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

/* Strings become datums once for each dictionary entry, not once for each event. */
typedef struct EventsWalk
{
	TimelineView view;
	TimelineCursor cursor;
	Datum	   *labels;
	Datum	   *channels;
	Datum	   *properties;
} EventsWalk;

static EventsWalk *start_walk(const Timeline *timeline);

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
		fields[1] = walk->labels[kind->event];
		nulls[2] = kind->channel == 0;
		if (!nulls[2])
			fields[2] = walk->channels[kind->channel - 1];
		nulls[3] = !walk->cursor.has_value;
		if (!nulls[3])
			fields[3] = Float8GetDatum(walk->cursor.value);
		nulls[4] = kind->properties == 0;
		if (!nulls[4])
			fields[4] = walk->properties[kind->properties - 1];
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
	uint32		count;

	timeline_open(view, timeline);
	count = view->label_count + view->channel_count;
	walk->labels = palloc_extended(sizeof(Datum) * ((Size) count + view->property_count + 1), MCXT_ALLOC_HUGE);
	walk->channels = walk->labels + view->label_count;
	walk->properties = walk->channels + view->channel_count;
	for (uint32 i = 0; i < count; i++)
		walk->labels[i] = PointerGetDatum(cstring_to_text_with_len(view->labels[i].bytes,
																   (int) view->labels[i].length));
	for (uint32 i = 0; i < view->property_count; i++)
		walk->properties[i] = DirectFunctionCall1(jsonb_in,
												  CStringGetDatum(pnstrdup(view->properties[i].bytes,
																		   view->properties[i].length)));
	timeline_cursor_start(&walk->cursor, view);
	return walk;
}
