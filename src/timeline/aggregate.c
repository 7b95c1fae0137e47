/*
 * aggregate.c
 *		The aggregates timeline(at, event, ...) and rollup(timeline).
 *
 * Per aggregate and its memory context there is one table of the kinds of events
 * (kind_table.c).  Per group, the state is one builder (builder.c), a chunk of memory
 * in the same context.  Per row, an event is appended to it.  Nothing is kept in
 * fn_extra.  Partial states travel between processes as timelines, which are smaller
 * and already sorted.
 */
#include "postgres.h"

#include "nodes/execnodes.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "timeline/builder.h"
#include "timeline/timeline.h"

PG_FUNCTION_INFO_V1(timeline_transition);
PG_FUNCTION_INFO_V1(timeline_rollup_transition);
PG_FUNCTION_INFO_V1(timeline_combine);
PG_FUNCTION_INFO_V1(timeline_serialize);
PG_FUNCTION_INFO_V1(timeline_deserialize);
PG_FUNCTION_INFO_V1(timeline_final);
PG_FUNCTION_INFO_V1(timeline_concatenate);

static bool is_json_null(const TimelineString *jsonb);
static TimelineBuilder *get_state(FunctionCallInfo fcinfo);
static TimelineBuilder *create_state(FunctionCallInfo fcinfo);
static TimelineBuilder *append_argument(TimelineBuilder *builder, FunctionCallInfo fcinfo, int number);

/* (state, at, event [, channel [, value [, properties]]]) */
Datum
timeline_transition(PG_FUNCTION_ARGS)
{
	TimelineBuilder *builder = get_state(fcinfo);
	int			arguments = PG_NARGS();
	BuilderEvent event;

	builder_prefetch(builder);
	/* as other aggregates do with NULL */
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_POINTER(builder);

	event.at = PG_GETARG_TIMESTAMPTZ(1);
	timeline_check_time(event.at);
	event.value = 0;
	event.kind.event = timeline_string(PG_GETARG_TEXT_PP(2));
	event.kind.channel.bytes = NULL;
	event.kind.properties.bytes = NULL;
	event.kind.form = PROPERTIES_JSONB;
	event.kind.has_value = false;
	if (arguments > 3 && !PG_ARGISNULL(3))
		event.kind.channel = timeline_string(PG_GETARG_TEXT_PP(3));
	if (arguments > 4 && !PG_ARGISNULL(4))
	{
		event.kind.has_value = true;
		event.value = timeline_check_value(PG_GETARG_FLOAT8(4));
	}
	if (arguments > 5 && !PG_ARGISNULL(5))
	{
		event.kind.properties = timeline_string((struct varlena *) PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(5)));
		if (is_json_null(&event.kind.properties))
			event.kind.properties.bytes = NULL;
	}
	PG_RETURN_POINTER(builder_append(builder, &event));
}

/* (state, timeline) */
Datum
timeline_rollup_transition(PG_FUNCTION_ARGS)
{
	TimelineBuilder *builder = get_state(fcinfo);

	if (!PG_ARGISNULL(1))
		builder = append_argument(builder, fcinfo, 1);
	PG_RETURN_POINTER(builder);
}

Datum
timeline_combine(PG_FUNCTION_ARGS)
{
	TimelineBuilder *builder = get_state(fcinfo);

	if (!PG_ARGISNULL(1))
		builder = builder_append_builder(builder, (TimelineBuilder *) PG_GETARG_POINTER(1));
	PG_RETURN_POINTER(builder);
}

Datum
timeline_serialize(PG_FUNCTION_ARGS)
{
	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "aggregate function called in non-aggregate context");
	PG_RETURN_BYTEA_P(builder_finish((TimelineBuilder *) PG_GETARG_POINTER(0)));
}

Datum
timeline_deserialize(PG_FUNCTION_ARGS)
{
	TimelineBuilder *builder;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "aggregate function called in non-aggregate context");
	/* it is read once, by the combine function, in this same short-lived context */
	builder = append_argument(builder_create(CurrentMemoryContext), fcinfo, 0);
	PG_RETURN_POINTER(builder);
}

/* No rows at all give an empty timeline too, as count gives 0. */
Datum
timeline_final(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_TIMELINE(timeline_empty());
	PG_RETURN_TIMELINE(builder_finish((TimelineBuilder *) PG_GETARG_POINTER(0)));
}

/* timeline || timeline, strict */
Datum
timeline_concatenate(PG_FUNCTION_ARGS)
{
	TimelineBuilder *builder = builder_create(CurrentMemoryContext);

	builder = append_argument(builder, fcinfo, 0);
	builder = append_argument(builder, fcinfo, 1);
	PG_RETURN_TIMELINE(builder_finish(builder));
}

/* The bytes of jsonb's null: an array of one scalar, which is null. */
static bool
is_json_null(const TimelineString *jsonb)
{
	uint32		words[2];

	if (jsonb->length != sizeof(words))
		return false;
	memcpy(words, jsonb->bytes, sizeof(words));
	return (words[0] & JB_FSCALAR) != 0 && JBE_ISNULL(words[1]);
}

/* The group's state; only a new one needs the aggregate's context. */
static TimelineBuilder *
get_state(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		return create_state(fcinfo);
	return (TimelineBuilder *) PG_GETARG_POINTER(0);
}

static TimelineBuilder *
create_state(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate function called in non-aggregate context");
	/* a hash aggregate keeps all groups at once, a sorted one a group at a time */
	if (IsA(fcinfo->context, AggState) &&
		((AggState *) fcinfo->context)->curaggcontext == ((AggState *) fcinfo->context)->hashcontext)
		return builder_create_among_many(context);
	return builder_create(context);
}

static TimelineBuilder *
append_argument(TimelineBuilder *builder, FunctionCallInfo fcinfo, int number)
{
	TimelineView view;

	timeline_open(&view, PG_GETARG_TIMELINE(number));
	return builder_append_timeline(builder, &view);
}
