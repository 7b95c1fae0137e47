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
#include "timeline/timeline.h"

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

/* A walk over the stream; the fields from kind on are the current event. */
typedef struct BuilderReader
{
	const TimelineBuilder *builder;
	const uint8 *byte;
	uint32		kind_count;		/* definitions met so far */
	uint32		kind;
	int64		at;
	double		value;
} BuilderReader;

static inline TimelineBuilder *append(TimelineBuilder *builder, const BuilderEvent *event,
							   const KindToken *token, uint32 *number);
static inline TimelineBuilder *append_known(TimelineBuilder *builder, uint32 number,
											const BuilderEvent *event);
static inline TimelineBuilder *append_step_and_value(TimelineBuilder *builder, const BuilderEvent *event);
static uint64 step_to(const TimelineBuilder *builder, int64 at);
static void reader_start(BuilderReader *reader, const TimelineBuilder *builder);
static inline bool read_token(BuilderReader *reader, KindDefinition *definition);
static inline void read_step_and_value(BuilderReader *reader, bool has_value);
static TimelineBuilder *initialize(TimelineBuilder *builder, uint32 size);
static MemoryContext find_slab(MemoryContext context, const char *name, Size size);
static TimelineString properties_text(const KindDefinition *definition);

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
 * Appends an event and returns the builder, which may have moved.  token may be
 * NULL.  Over 4 GB of collected events are an error
 * (ERRCODE_PROGRAM_LIMIT_EXCEEDED).
 */
TimelineBuilder *
builder_append(TimelineBuilder *builder, const BuilderEvent *event, const KindToken *token)
{
	static const KindToken unknown = {0};
	uint32		number;

	return append(builder, event, token != NULL ? token : &unknown, &number);
}

/*
 * Appends all events of a timeline and returns the builder, which may have
 * moved.  A fault in the timeline is an error (ERRCODE_DATA_CORRUPTED).
 */
TimelineBuilder *
builder_append_timeline(TimelineBuilder *builder, const TimelineView *view)
{
	static const KindToken unknown = {0};
	uint32	   *numbers;		/* of each kind, its number here + 1 once it is known */
	TimelineCursor cursor;
	BuilderEvent event;

	numbers = palloc_extended(sizeof(uint32) * Max(view->kind_count, 1),
							  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	event.form = PROPERTIES_TEXT;
	timeline_cursor_start(&cursor, view);
	while (timeline_next(&cursor))
	{
		event.at = cursor.at;
		event.has_value = cursor.has_value;
		event.value = cursor.has_value ? cursor.value : 0;
		if (numbers[cursor.kind] != 0)
			builder = append_known(builder, numbers[cursor.kind] - 1, &event);
		else
		{
			const TimelineKind *kind = &view->kinds[cursor.kind];

			event.event = view->labels[kind->event];
			event.channel.bytes = event.properties.bytes = NULL;
			if (kind->channel != 0)
				event.channel = view->channels[kind->channel - 1];
			if (kind->properties != 0)
				event.properties = view->properties[kind->properties - 1];
			builder = append(builder, &event, &unknown, &numbers[cursor.kind]);
			numbers[cursor.kind]++;
		}
		if (cursor.remaining % INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	timeline_cursor_end(&cursor);
	pfree(numbers);
	return builder;
}

/* Appends all events of another builder and returns the builder, which may have moved. */
TimelineBuilder *
builder_append_builder(TimelineBuilder *builder, const TimelineBuilder *other)
{
	static const KindToken unknown = {0};
	uint32	   *numbers;		/* of each kind of the other, its number here */
	bool	   *has_value;
	BuilderReader reader;
	BuilderEvent event;

	numbers = palloc_extended(sizeof(uint32) * Max(other->kind_count, 1), MCXT_ALLOC_HUGE);
	has_value = palloc_extended(Max(other->kind_count, 1), MCXT_ALLOC_HUGE);
	reader_start(&reader, other);
	for (uint32 i = 0; i < other->event_count; i++)
	{
		KindDefinition definition;
		bool		is_new = read_token(&reader, &definition);

		if (is_new)
			has_value[reader.kind] = (definition.flags & KIND_HAS_VALUE) != 0;
		read_step_and_value(&reader, has_value[reader.kind]);
		event.at = reader.at;
		event.has_value = has_value[reader.kind];
		event.value = reader.value;
		if (is_new)
		{
			event.event = definition.event;
			event.channel = definition.channel;
			event.properties = definition.properties;
			event.form = definition.flags & KIND_IS_JSONB ? PROPERTIES_JSONB : PROPERTIES_TEXT;
			builder = append(builder, &event, &unknown, &numbers[reader.kind]);
		}
		else
			builder = append_known(builder, numbers[reader.kind], &event);
		if (i % INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	pfree(numbers);
	pfree(has_value);
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
	BuilderReader reader;
	struct varlena *result;

	if (builder->kind_count > INLINE_KINDS)
		kinds = palloc_extended(sizeof(EncoderKind) * builder->kind_count, MCXT_ALLOC_HUGE);
	if (builder->event_count > INLINE_EVENTS)
		events = palloc_extended(sizeof(EncoderEvent) * builder->event_count, MCXT_ALLOC_HUGE);

	reader_start(&reader, builder);
	for (uint32 i = 0; i < builder->event_count; i++)
	{
		KindDefinition definition;

		if (read_token(&reader, &definition))
		{
			EncoderKind *kind = &kinds[reader.kind];

			kind->event = definition.event;
			kind->channel = definition.channel;
			kind->properties = properties_text(&definition);
			kind->has_value = (definition.flags & KIND_HAS_VALUE) != 0;
		}
		read_step_and_value(&reader, kinds[reader.kind].has_value);
		events[i].kind = reader.kind;
		events[i].at = reader.at;
		events[i].value = reader.value;
		if (i % INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	Assert(reader.byte == builder->data + builder->used);

	result = timeline_encode(kinds, builder->kind_count, events, builder->event_count);
	if (kinds != inline_kinds)
		pfree(kinds);
	if (events != inline_events)
		pfree(events);
	return result;
}

static inline TimelineBuilder *
append(TimelineBuilder *builder, const BuilderEvent *event, const KindToken *token, uint32 *number)
{
	__builtin_prefetch(builder->data + builder->used, 1);
	if (builder_find_kind(builder, event, token, number))
		return append_known(builder, *number, event);

	/* the token first, as the definition follows it */
	*number = builder->kind_count;
	builder = builder_reserve(builder, 1);
	builder->data[builder->used++] = 0;
	builder = builder_define_kind(builder, event, token);
	return append_step_and_value(builder, event);
}

static inline TimelineBuilder *
append_known(TimelineBuilder *builder, uint32 number, const BuilderEvent *event)
{
	uint8	   *out;

	builder = builder_reserve(builder, timeline_varint_size((uint64) number + 1));
	out = timeline_write_varint(builder->data + builder->used, (uint64) number + 1);
	builder->used = out - builder->data;
	return append_step_and_value(builder, event);
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

static inline TimelineBuilder *
append_step_and_value(TimelineBuilder *builder, const BuilderEvent *event)
{
	uint64		step = step_to(builder, event->at);
	uint8	   *out;

	builder = builder_reserve(builder, timeline_varint_size(step) +
							  (step == STEP_ABSOLUTE ? sizeof(int64) : 0) +
							  (event->has_value ? sizeof(double) : 0));
	out = timeline_write_varint(builder->data + builder->used, step);
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
	return builder;
}

static void
reader_start(BuilderReader *reader, const TimelineBuilder *builder)
{
	reader->builder = builder;
	reader->byte = builder_stream(builder);
	reader->kind_count = 0;
	reader->at = 0;
}

/* Reads the kind of the next event; true if its definition came with it. */
static inline bool
read_token(BuilderReader *reader, KindDefinition *definition)
{
	uint64		token = builder_read_varint(&reader->byte);

	if (token != 0)
	{
		reader->kind = (uint32) (token - 1);
		return false;
	}
	reader->byte = builder_read_definition(reader->builder,
										   reader->byte - builder_stream(reader->builder), definition);
	reader->kind = reader->kind_count++;
	return true;
}

static inline void
read_step_and_value(BuilderReader *reader, bool has_value)
{
	static const int64 units[] = {1000000, 1000, 1};
	uint64		step = builder_read_varint(&reader->byte);

	if (step == STEP_ABSOLUTE)
	{
		memcpy(&reader->at, reader->byte, sizeof(int64));
		reader->byte += sizeof(int64);
	}
	else						/* unsigned, as the distance may have wrapped around */
		reader->at = (int64) ((uint64) reader->at +
							  (uint64) timeline_unzigzag(step >> 2) * (uint64) units[step & 3]);
	reader->value = 0;
	if (has_value)
	{
		memcpy(&reader->value, reader->byte, sizeof(double));
		reader->byte += sizeof(double);
	}
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

/* The rare case of builder_reserve(). */
TimelineBuilder *
builder_grow(TimelineBuilder *builder, uint64 more)
{
	uint64		needed = offsetof(TimelineBuilder, data) + builder->used + more;
	uint64		size = DOUBLING_SIZE;
	MemoryContext context;
	TimelineBuilder *grown;

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
