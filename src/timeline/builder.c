/*
 * builder.c
 *		Collecting the events of one visitor, in any order, into a timeline.
 *
 * While an aggregate runs there is one builder for each visitor, perhaps
 * millions, so all of it is one chunk of memory that grows as it fills.  Where
 * there are many, the first two sizes come from slabs: an allocation set would
 * round them up to powers of two, and keep each chunk that was outgrown.
 *
 * Its data is a stream, written once and read once:
 *
 *	event	varint token, step from the previous event's time, 8-byte value if its
 *			kind has values
 *	token	number of a kind + 1; or 0, followed by the definition of a new kind
 *	step	varint: two low bits a unit (s, ms, us), the rest the zigzag distance in
 *			it; or unit 3 alone and then the time itself in 8 bytes
 *
 * The definitions of kinds, and how the kind of an incoming event is found among
 * them, are in builder_kinds.c.  Nothing is kept outside of the builder: a
 * transition function may be called through a fresh FmgrInfo for each row.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "timeline/builder.h"
#include "timeline/builder_kinds.h"
#include "timeline/encoder.h"

/*
 * Sizes of the chunk, header included: a visitor of one or two events, one of
 * about ten events of five kinds, and from where on it doubles.
 */
#define SMALL_SIZE 96
#define MEDIUM_SIZE 232
#define DOUBLING_SIZE 512

#define SLAB_BLOCK_SIZE (8 * 1024)

#define INTERRUPT_EVERY (1 << 20)

/* Events up to this number are unpacked on the stack. */
#define INLINE_EVENTS 128
#define INLINE_KINDS 24

/* The unit of a step too long to be written as a distance. */
#define STEP_ABSOLUTE 3
#define STEP_MAX (UINT64CONST(1) << 61)

/* Names by whose address the slabs are known. */
static const char SMALL_SLAB[] = "timeline builders, small";
static const char MEDIUM_SLAB[] = "timeline builders, medium";

static TimelineBuilder *append_known(TimelineBuilder *builder, uint32 offset, uint32 number,
									 const BuilderEvent *event);
static TimelineBuilder *append_with_definition(TimelineBuilder *builder, uint8 flags, uint32 hash,
											   const BuilderEvent *event);
static uint64 step_to(const TimelineBuilder *builder, int64 at);
static uint32 step_and_value_size(uint64 step, const BuilderEvent *event);
static void append_step_and_value(TimelineBuilder *builder, uint64 step, const BuilderEvent *event);
static bool read_token(const TimelineBuilder *builder, const uint8 **byte, uint32 *kind,
					   KindDefinition *definition);
static int64 read_time(const uint8 **byte, int64 previous);
static TimelineBuilder *initialize(TimelineBuilder *builder, uint32 size);
static MemoryContext find_slab(MemoryContext context, const char *name, Size size);
static TimelineBuilder *reserve(TimelineBuilder *builder, uint64 more);
static TimelineString properties_text(const KindDefinition *definition);

static inline double
read_double(const uint8 **byte)
{
	double		value;

	memcpy(&value, *byte, sizeof(double));
	*byte += sizeof(double);
	return value;
}

/* An empty builder; it stays in this memory context as it grows. */
TimelineBuilder *
builder_create(MemoryContext context)
{
	return initialize(MemoryContextAlloc(context, DOUBLING_SIZE), DOUBLING_SIZE);
}

/*
 * An empty builder where millions more may live in the same memory context, as
 * the groups of a hash aggregate do.
 */
TimelineBuilder *
builder_create_among_many(MemoryContext context)
{
	return initialize(MemoryContextAlloc(find_slab(context, SMALL_SLAB, SMALL_SIZE), SMALL_SIZE),
					  SMALL_SIZE);
}

/*
 * Appends an event and returns the builder, which may have moved.  Over 4 GB of
 * collected events are an error (ERRCODE_PROGRAM_LIMIT_EXCEEDED).
 */
TimelineBuilder *
builder_append(TimelineBuilder *builder, const BuilderEvent *event)
{
	uint8		flags = (event->has_value ? KIND_HAS_VALUE : 0) |
		(event->channel.bytes != NULL ? KIND_HAS_CHANNEL : 0) |
		(event->properties.bytes != NULL ? KIND_HAS_PROPERTIES : 0) |
		(event->properties.bytes != NULL && event->form == PROPERTIES_JSONB ? KIND_IS_JSONB : 0);
	uint32		hash = builder->index != NULL ? builder_hash_kind(event) : 0;
	uint32		offset;
	uint32		number;

	if (builder_find_kind(builder, flags, hash, event, &offset, &number))
		return append_known(builder, offset, number, event);
	return append_with_definition(builder, flags, hash, event);
}

/*
 * Appends all events of a timeline and returns the builder, which may have
 * moved.  A fault in the timeline is reported by the caller's later look at its
 * bytes or here as ERRCODE_DATA_CORRUPTED.
 */
TimelineBuilder *
builder_append_timeline(TimelineBuilder *builder, const TimelineView *view)
{
	uint32	   *offsets;
	TimelineCursor cursor;
	BuilderEvent event;

	/* of each kind, the offset of its definition + 1 once it is known */
	offsets = palloc_extended(sizeof(uint32) * Max(view->kind_count, 1),
							  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	event.form = PROPERTIES_TEXT;
	timeline_cursor_start(&cursor, view);
	while (timeline_next(&cursor))
	{
		event.at = cursor.at;
		event.has_value = cursor.has_value;
		event.value = cursor.has_value ? cursor.value : 0;
		if (offsets[cursor.kind] != 0)
		{
			KindDefinition definition;

			(void) builder_read_definition(builder, offsets[cursor.kind] - 1, &definition);
			builder = append_known(builder, offsets[cursor.kind] - 1, definition.number, &event);
		}
		else
		{
			const TimelineKind *kind = &view->kinds[cursor.kind];

			event.event = view->labels[kind->event];
			event.channel.bytes = event.properties.bytes = NULL;
			if (kind->channel != 0)
				event.channel = view->channels[kind->channel - 1];
			if (kind->properties != 0)
				event.properties = view->properties[kind->properties - 1];
			builder = builder_append(builder, &event);
			offsets[cursor.kind] = builder->recent_kind + 1;
		}
		if (cursor.remaining % INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	if (cursor.fault != TIMELINE_OK)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("timeline is corrupt"),
				 errdetail("At byte %zu: %s.", cursor.fault_offset,
						   timeline_fault_text(cursor.fault))));
	pfree(offsets);
	return builder;
}

/* Appends all events of another builder and returns the builder, which may have moved. */
TimelineBuilder *
builder_append_builder(TimelineBuilder *builder, const TimelineBuilder *other)
{
	/* of each kind of the other, the offset of its definition here */
	uint32	   *offsets = palloc_extended(sizeof(uint32) * Max(other->kind_count, 1), MCXT_ALLOC_HUGE);
	const uint8 *byte = other->data;
	BuilderEvent event;

	event.at = 0;
	for (uint32 i = 0; i < other->event_count; i++)
	{
		uint32		kind;
		KindDefinition definition;
		bool		is_new = read_token(other, &byte, &kind, &definition);

		if (is_new)
		{
			event.event = definition.event;
			event.channel = definition.channel;
			event.properties = definition.properties;
			event.form = definition.flags & KIND_IS_JSONB ? PROPERTIES_JSONB : PROPERTIES_TEXT;
		}
		else
			(void) builder_read_definition(builder, offsets[kind], &definition);
		event.at = read_time(&byte, event.at);
		event.has_value = (definition.flags & KIND_HAS_VALUE) != 0;
		event.value = event.has_value ? read_double(&byte) : 0;
		if (is_new)
		{
			builder = builder_append(builder, &event);
			offsets[kind] = builder->recent_kind;
		}
		else
			builder = append_known(builder, offsets[kind], definition.number, &event);
		if (i % INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	pfree(offsets);
	return builder;
}

/*
 * The timeline of everything appended, in the current memory context.  The
 * builder is left as it was and may take more.
 */
struct varlena *
builder_finish(const TimelineBuilder *builder)
{
	EncoderKind inline_kinds[INLINE_KINDS];
	EncoderEvent inline_events[INLINE_EVENTS];
	EncoderKind *kinds = inline_kinds;
	EncoderEvent *events = inline_events;
	const uint8 *byte = builder->data;
	int64		at = 0;
	struct varlena *result;

	if (builder->kind_count > INLINE_KINDS)
		kinds = palloc_extended(sizeof(EncoderKind) * builder->kind_count, MCXT_ALLOC_HUGE);
	if (builder->event_count > INLINE_EVENTS)
		events = palloc_extended(sizeof(EncoderEvent) * builder->event_count, MCXT_ALLOC_HUGE);

	for (uint32 i = 0; i < builder->event_count; i++)
	{
		EncoderEvent *event = &events[i];
		KindDefinition definition;

		if (read_token(builder, &byte, &event->kind, &definition))
		{
			EncoderKind *kind = &kinds[event->kind];

			kind->event = definition.event;
			kind->channel = definition.channel;
			kind->properties = properties_text(&definition);
			kind->has_value = (definition.flags & KIND_HAS_VALUE) != 0;
		}
		event->at = at = read_time(&byte, at);
		event->value = kinds[event->kind].has_value ? read_double(&byte) : 0;
		if (i % INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	Assert(byte == builder->data + builder->used);

	result = timeline_encode(kinds, builder->kind_count, events, builder->event_count);
	if (kinds != inline_kinds)
		pfree(kinds);
	if (events != inline_events)
		pfree(events);
	return result;
}

static TimelineBuilder *
append_known(TimelineBuilder *builder, uint32 offset, uint32 number, const BuilderEvent *event)
{
	uint64		step = step_to(builder, event->at);
	uint8	   *out;

	builder = reserve(builder, timeline_varint_size((uint64) number + 1) +
					  step_and_value_size(step, event));
	out = timeline_write_varint(builder->data + builder->used, (uint64) number + 1);
	builder->used = out - builder->data;
	builder->recent_kind = offset;
	append_step_and_value(builder, step, event);
	return builder;
}

static inline uint64
string_size(const TimelineString *string)
{
	return timeline_varint_size(string->length) + (uint64) string->length;
}

static TimelineBuilder *
append_with_definition(TimelineBuilder *builder, uint8 flags, uint32 hash, const BuilderEvent *event)
{
	uint64		step = step_to(builder, event->at);
	uint32		offset = builder->used + 1;
	uint32		distance = builder->kind_count == 0 ? 0 : offset - builder->latest_kind;
	uint32		event_holder;
	uint32		channel_holder;
	uint64		size;
	uint8	   *out;

	builder_find_shared_strings(builder, &flags, event, &event_holder, &channel_holder);
	size = 2 + timeline_varint_size(builder->kind_count) + timeline_varint_size(distance) +
		step_and_value_size(step, event);
	size += flags & KIND_SHARES_EVENT ? timeline_varint_size(offset - event_holder) :
		string_size(&event->event);
	if (flags & KIND_HAS_CHANNEL)
		size += flags & KIND_SHARES_CHANNEL ? timeline_varint_size(offset - channel_holder) :
			string_size(&event->channel);
	if (flags & KIND_HAS_PROPERTIES)
		size += string_size(&event->properties);
	builder = reserve(builder, size);

	out = builder->data + builder->used;
	*out++ = 0;
	*out++ = flags;
	out = timeline_write_varint(out, builder->kind_count);
	out = timeline_write_varint(out, distance);
	out = flags & KIND_SHARES_EVENT ? timeline_write_varint(out, offset - event_holder) :
		timeline_write_string(out, &event->event);
	if (flags & KIND_HAS_CHANNEL)
		out = flags & KIND_SHARES_CHANNEL ? timeline_write_varint(out, offset - channel_holder) :
			timeline_write_string(out, &event->channel);
	if (flags & KIND_HAS_PROPERTIES)
		out = timeline_write_string(out, &event->properties);
	builder->used = out - builder->data;
	builder->latest_kind = builder->recent_kind = offset;
	builder->kind_count++;
	append_step_and_value(builder, step, event);

	if (builder->index != NULL || builder->kind_count > CHAINED_KINDS)
		builder_index_kind(builder, offset, hash);
	return builder;
}

/*
 * The step to this time as it is written.  The distance is taken modulo 2^64, as
 * the range of time is wider than int64.
 */
static uint64
step_to(const TimelineBuilder *builder, int64 at)
{
	int64		distance = (int64) ((uint64) at - (uint64) builder->last_at);
	uint64		unit = 2;

	/* most tables hold whole seconds or milliseconds, which are shorter so */
	if (distance % 1000 == 0)
	{
		distance /= 1000;
		unit = 1;
		if (distance % 1000 == 0)
		{
			distance /= 1000;
			unit = 0;
		}
	}
	if (timeline_zigzag(distance) >= STEP_MAX)
		return STEP_ABSOLUTE;
	return timeline_zigzag(distance) << 2 | unit;
}

static uint32
step_and_value_size(uint64 step, const BuilderEvent *event)
{
	return timeline_varint_size(step) + (step == STEP_ABSOLUTE ? sizeof(int64) : 0) +
		(event->has_value ? sizeof(double) : 0);
}

/* Room must have been made. */
static void
append_step_and_value(TimelineBuilder *builder, uint64 step, const BuilderEvent *event)
{
	uint8	   *out = timeline_write_varint(builder->data + builder->used, step);

	if (step == STEP_ABSOLUTE)
	{
		memcpy(out, &event->at, sizeof(int64));
		out += sizeof(int64);
	}
	if (event->has_value)
	{
		memcpy(out, &event->value, sizeof(double));
		out += sizeof(double);
	}
	builder->used = out - builder->data;
	builder->last_at = event->at;
	builder->event_count++;
}

/* Reads the kind of the next event; true if its definition came with it. */
static bool
read_token(const TimelineBuilder *builder, const uint8 **byte, uint32 *kind,
		   KindDefinition *definition)
{
	uint64		token = builder_read_varint(byte);

	if (token != 0)
	{
		*kind = (uint32) (token - 1);
		return false;
	}
	*byte = builder_read_definition(builder, *byte - builder->data, definition);
	*kind = definition->number;
	return true;
}

/* Reads a step and returns the time it leads to. */
static int64
read_time(const uint8 **byte, int64 previous)
{
	static const int64 units[] = {1000000, 1000, 1};
	uint64		step = builder_read_varint(byte);
	int64		at;

	if (step == STEP_ABSOLUTE)
	{
		memcpy(&at, *byte, sizeof(int64));
		*byte += sizeof(int64);
		return at;
	}
	/* unsigned, as the distance may have wrapped around */
	return (int64) ((uint64) previous +
					(uint64) timeline_unzigzag(step >> 2) * (uint64) units[step & 3]);
}

static TimelineBuilder *
initialize(TimelineBuilder *builder, uint32 size)
{
	memset(builder, 0, offsetof(TimelineBuilder, data));
	builder->capacity = size - offsetof(TimelineBuilder, data);
	return builder;
}

/*
 * The slab of this name below a memory context, made if it is not among the
 * youngest children.  A search that misses one made before costs memory, not
 * correctness, so a context with many children is not searched to the end.
 */
static MemoryContext
find_slab(MemoryContext context, const char *name, Size size)
{
	MemoryContext child = context->firstchild;

	for (int i = 0; i < 8 && child != NULL; i++, child = child->nextchild)
	{
		if (child->name == name)
			return child;
	}
	return SlabContextCreate(context, name, SLAB_BLOCK_SIZE, size);
}

/* The memory context for what is larger than a slab's chunk. */
MemoryContext
builder_context(const TimelineBuilder *builder)
{
	MemoryContext context = GetMemoryChunkContext((void *) builder);

	return context->name == SMALL_SLAB || context->name == MEDIUM_SLAB ? context->parent : context;
}

/* Makes room for so many more bytes. */
static TimelineBuilder *
reserve(TimelineBuilder *builder, uint64 more)
{
	uint64		needed = offsetof(TimelineBuilder, data) + builder->used + more;
	uint64		size = DOUBLING_SIZE;
	MemoryContext context;
	TimelineBuilder *grown;

	if (builder->used + more <= builder->capacity)
		return builder;

	context = builder_context(builder);
	if (GetMemoryChunkContext(builder)->name == SMALL_SLAB && needed <= MEDIUM_SIZE)
	{
		size = MEDIUM_SIZE;
		context = find_slab(context, MEDIUM_SLAB, MEDIUM_SIZE);
	}
	while (size < needed && size > MEDIUM_SIZE)
		size *= 2;
	/* the last doubling ends a little below 4 GB */
	if (size > PG_UINT32_MAX && needed <= PG_UINT32_MAX)
		size = PG_UINT32_MAX;
	if (size > PG_UINT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many events for one timeline: " UINT64_FORMAT,
						(uint64) builder->event_count + 1),
				 errhint("Leave out properties that differ in each event, or group by visitor and year.")));
	grown = MemoryContextAllocExtended(context, size, MCXT_ALLOC_HUGE);
	memcpy(grown, builder, offsetof(TimelineBuilder, data) + builder->used);
	grown->capacity = (uint32) (size - offsetof(TimelineBuilder, data));
	pfree(builder);
	return grown;
}

/* The properties as text; jsonb's own bytes are copied first, as they must be aligned. */
static TimelineString
properties_text(const KindDefinition *definition)
{
	TimelineString result = definition->properties;

	if (definition->flags & KIND_IS_JSONB)
	{
		char	   *aligned = palloc(result.length);
		StringInfoData text;

		memcpy(aligned, result.bytes, result.length);
		initStringInfo(&text);
		(void) JsonbToCString(&text, (JsonbContainer *) aligned, (int) result.length);
		pfree(aligned);
		result.bytes = text.data;
		result.length = text.len;
	}
	return result;
}
