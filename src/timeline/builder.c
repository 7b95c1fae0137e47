/*
 * builder.c
 *		Collecting the events of one visitor, in any order, into a timeline.
 *
 * While an aggregate runs there is one builder for each visitor, perhaps
 * millions, so all of it is one small chunk of memory that grows as it fills.  Where
 * there are many, the first sizes come from slabs: an allocation set would round
 * them up to powers of two, and keep each chunk that was outgrown.  What events
 * have in common, their kinds, is in a table that builders share (kind_table.c).
 *
 * The data is a stream, written once and read once:
 *
 *	event	varint kind, step from the previous event's time, 8-byte value if the
 *			kind has values
 *	step	varint: two low bits a unit (s, ms, us), the rest the zigzag distance in
 *			it; or unit 3 alone and then the time itself in 8 bytes
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "timeline/builder.h"
#include "timeline/encoder.h"
#include "timeline/timeline.h"

/*
 * Sizes of the chunk, header included: some three events, some twelve, some
 * thirty, and from the last on it doubles.
 */
#define SLAB_COUNT 3
static const Size slab_sizes[SLAB_COUNT] = {64, 112, 224};
#define DOUBLING_SIZE 512

/* Names by whose address the slabs are known. */
static const char *const slab_names[SLAB_COUNT] = {
	"timeline builders, small", "timeline builders, medium", "timeline builders, large"
};

#define SLAB_BLOCK_SIZE (8 * 1024)

/* The unit of a step too long to be written as a distance. */
#define STEP_ABSOLUTE 3
#define STEP_MAX (UINT64CONST(1) << 61)

/* Events up to this number are unpacked on the stack. */
#define INLINE_EVENTS 64

struct TimelineBuilder
{
	uint32		capacity;		/* bytes of data */
	uint32		used;			/* of them */
	uint32		event_count;
	int64		last_at;		/* time of the previous event, in order of arrival */
	KindTable  *kinds;
	uint8		data[FLEXIBLE_ARRAY_MEMBER];
};

/* A walk over the stream; the fields from kind on are the current event. */
typedef struct BuilderReader
{
	const KindTable *kinds;
	const uint8 *byte;
	uint32		kind;
	int64		at;
	double		value;
} BuilderReader;

static TimelineBuilder *append(TimelineBuilder *builder, uint32 kind, bool has_value,
							   int64 at, double value);
static uint64 step_to(const TimelineBuilder *builder, int64 at);
static inline void reader_start(BuilderReader *reader, const TimelineBuilder *builder);
static inline void reader_next(BuilderReader *reader);
static TimelineBuilder *initialize(TimelineBuilder *builder, uint32 size, KindTable *kinds);
static MemoryContext find_slab(MemoryContext context, int number);
static int	slab_number(const TimelineBuilder *builder);
static TimelineBuilder *grow(TimelineBuilder *builder, uint64 more);

/* An empty builder; it stays in this memory context as it grows. */
TimelineBuilder *
builder_create(MemoryContext context)
{
	return initialize(MemoryContextAlloc(context, DOUBLING_SIZE), DOUBLING_SIZE,
					  kind_table_create(context));
}

/*
 * An empty builder where millions more may live in the same memory context, as
 * the groups of a hash aggregate do.
 */
TimelineBuilder *
builder_create_among_many(MemoryContext context)
{
	return initialize(MemoryContextAlloc(find_slab(context, 0), slab_sizes[0]), slab_sizes[0],
					  kind_table_shared(context));
}

/*
 * Appends an event and returns the builder, which may have moved.  Over 4 GB of
 * collected events are an error (ERRCODE_PROGRAM_LIMIT_EXCEEDED).
 */
TimelineBuilder *
builder_append(TimelineBuilder *builder, const BuilderEvent *event)
{
	uint32		kind = kind_table_number(builder->kinds, &event->kind);

	return append(builder, kind, event->kind.has_value, event->at, event->value);
}

/*
 * Appends all events of a timeline and returns the builder, which may have
 * moved.  A fault in the timeline is an error (ERRCODE_DATA_CORRUPTED).
 */
TimelineBuilder *
builder_append_timeline(TimelineBuilder *builder, const TimelineView *view)
{
	uint32	   *numbers;		/* of each kind, its number here + 1 once it is known */
	TimelineCursor cursor;

	numbers = palloc_extended(sizeof(uint32) * Max(view->kind_count, 1),
							  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	timeline_cursor_start(&cursor, view);
	while (timeline_next(&cursor))
	{
		if (numbers[cursor.kind] == 0)
		{
			const TimelineKind *kind = &view->kinds[cursor.kind];
			KindContent content = {view->labels[kind->event]};

			if (kind->channel != 0)
				content.channel = view->channels[kind->channel - 1];
			if (kind->properties != 0)
				content.properties = view->properties[kind->properties - 1];
			content.form = PROPERTIES_TEXT;
			content.has_value = kind->has_value;
			numbers[cursor.kind] = kind_table_number(builder->kinds, &content) + 1;
			CHECK_FOR_INTERRUPTS();
		}
		builder = append(builder, numbers[cursor.kind] - 1, cursor.has_value, cursor.at, cursor.value);
		if (cursor.remaining % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	timeline_cursor_end(&cursor);
	pfree(numbers);
	return builder;
}

/*
 * Appends all events of another builder, which has a table of kinds of its own, and
 * returns the builder, which may have moved.
 */
TimelineBuilder *
builder_append_builder(TimelineBuilder *builder, const TimelineBuilder *other)
{
	uint32	   *numbers = NULL; /* of each kind of the other, its number here + 1 */
	BuilderReader reader;

	/* a table may hold far more kinds than this group has events */
	if (kind_table_count(other->kinds) <= other->event_count)
		numbers = palloc_extended(sizeof(uint32) * Max(kind_table_count(other->kinds), 1),
								  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	reader_start(&reader, other);
	for (uint32 i = 0; i < other->event_count; i++)
	{
		const KindContent *content;
		uint32		kind;

		reader_next(&reader);
		content = kind_table_content(other->kinds, reader.kind);
		if (numbers == NULL)
			kind = kind_table_number(builder->kinds, content);
		else
		{
			if (numbers[reader.kind] == 0)
				numbers[reader.kind] = kind_table_number(builder->kinds, content) + 1;
			kind = numbers[reader.kind] - 1;
		}
		builder = append(builder, kind, content->has_value, reader.at, reader.value);
		if (i % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	if (numbers != NULL)
		pfree(numbers);
	return builder;
}

/*
 * The timeline of everything appended, in the current memory context.  The
 * builder is left as it was and may take more.
 */
struct varlena *
builder_finish(const TimelineBuilder *builder)
{
	EncoderEvent inline_events[INLINE_EVENTS];
	EncoderEvent *events = inline_events;
	const TimelineDictionary *dictionary;
	const uint32 *places;
	BuilderReader reader;
	struct varlena *result;

	if (builder->event_count == 0)
		return timeline_empty();
	/* before there is memory for each event */
	if (builder->event_count > TIMELINE_MAX_EVENTS)
		timeline_too_large(builder->event_count);
	dictionary = kind_table_dictionary(builder->kinds, &places);
	if (builder->event_count > INLINE_EVENTS)
		events = palloc_extended(sizeof(EncoderEvent) * builder->event_count, MCXT_ALLOC_HUGE);
	reader_start(&reader, builder);
	for (uint32 i = 0; i < builder->event_count; i++)
	{
		reader_next(&reader);
		events[i].kind = places[reader.kind];
		events[i].at = reader.at;
		events[i].value = reader.value;
		if (i % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	Assert(reader.byte == builder->data + builder->used);

	result = timeline_encode(dictionary, events, builder->event_count);
	if (events != inline_events)
		pfree(events);
	return result;
}

static inline TimelineBuilder *
append(TimelineBuilder *builder, uint32 kind, bool has_value, int64 at, double value)
{
	uint64		step = step_to(builder, at);
	uint32		size = varint_size(kind) + varint_size(step) +
		(step == STEP_ABSOLUTE ? sizeof(int64) : 0) + (has_value ? sizeof(double) : 0);
	uint8	   *out;

	if (unlikely(builder->used + (uint64) size > builder->capacity))
		builder = grow(builder, size);
	out = varint_write(builder->data + builder->used, kind);
	out = varint_write(out, step);
	if (step == STEP_ABSOLUTE)
	{
		memcpy(out, &at, sizeof(int64));
		out += sizeof(int64);
	}
	if (has_value)
		memcpy(out, &value, sizeof(double));
	builder->used += size;
	builder->last_at = at;
	builder->event_count++;
	return builder;
}

/*
 * The step to this time as it is written.  The distance is taken modulo 2^64, as
 * the range of time is wider than int64.
 */
static inline uint64
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

static inline void
reader_start(BuilderReader *reader, const TimelineBuilder *builder)
{
	reader->kinds = builder->kinds;
	reader->byte = builder->data;
	reader->at = 0;
}

/* These bytes are our own and in memory, so there is nothing to check. */
static inline uint64
read_varint(const uint8 **byte)
{
	const uint8 *p = *byte;
	uint64		number = *p & 0x7f;

	for (int shift = 7; *p++ >= 0x80; shift += 7)
		number |= (uint64) (*p & 0x7f) << shift;
	*byte = p;
	return number;
}

/* To be called for each event there is. */
static inline void
reader_next(BuilderReader *reader)
{
	static const int64 units[] = {1000000, 1000, 1};
	uint64		step;

	reader->kind = (uint32) read_varint(&reader->byte);
	step = read_varint(&reader->byte);
	if (step == STEP_ABSOLUTE)
	{
		memcpy(&reader->at, reader->byte, sizeof(int64));
		reader->byte += sizeof(int64);
	}
	else						/* unsigned, as the distance may have wrapped around */
		reader->at = (int64) ((uint64) reader->at +
							  (uint64) timeline_unzigzag(step >> 2) * (uint64) units[step & 3]);
	reader->value = 0;
	if (kind_table_content(reader->kinds, reader->kind)->has_value)
	{
		memcpy(&reader->value, reader->byte, sizeof(double));
		reader->byte += sizeof(double);
	}
}

static TimelineBuilder *
initialize(TimelineBuilder *builder, uint32 size, KindTable *kinds)
{
	memset(builder, 0, offsetof(TimelineBuilder, data));
	builder->capacity = size - offsetof(TimelineBuilder, data);
	builder->kinds = kinds;
	return builder;
}

/*
 * The slab of this number below a memory context, made if it is not among the
 * youngest children.  A search that misses one made before costs memory, not
 * correctness, so a context with many children is not searched to the end.
 */
static MemoryContext
find_slab(MemoryContext context, int number)
{
	MemoryContext child = context->firstchild;

	for (int i = 0; i < 8 && child != NULL; i++, child = child->nextchild)
	{
		if (child->name == slab_names[number])
			return child;
	}
	return SlabContextCreate(context, slab_names[number], SLAB_BLOCK_SIZE, slab_sizes[number]);
}

/* Which slab a builder lies in; -1: in none. */
static int
slab_number(const TimelineBuilder *builder)
{
	const char *name = GetMemoryChunkContext((void *) builder)->name;

	for (int i = 0; i < SLAB_COUNT; i++)
	{
		if (name == slab_names[i])
			return i;
	}
	return -1;
}

/* Makes room for so many more bytes and returns the builder, which has moved. */
static TimelineBuilder *
grow(TimelineBuilder *builder, uint64 more)
{
	uint64		needed = offsetof(TimelineBuilder, data) + builder->used + more;
	uint64		size = offsetof(TimelineBuilder, data) + builder->capacity;
	MemoryContext context = GetMemoryChunkContext(builder);
	int			slab = slab_number(builder);
	TimelineBuilder *grown;

	if (slab >= 0)
	{
		context = context->parent;
		size = DOUBLING_SIZE;
		while (++slab < SLAB_COUNT)
		{
			if (needed <= slab_sizes[slab])
			{
				size = slab_sizes[slab];
				context = find_slab(context, slab);
				break;
			}
		}
	}
	while (size < needed)
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
