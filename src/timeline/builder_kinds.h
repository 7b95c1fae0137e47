/*
 * builder_kinds.h
 *		The kinds of events within a builder, and its layout.
 */
#ifndef ENGAGEMENT_TIMELINE_BUILDER_KINDS_H
#define ENGAGEMENT_TIMELINE_BUILDER_KINDS_H

#include "postgres.h"

#include "timeline/builder.h"

/* With more kinds than this the table gives way to an index. */
#define TABLED_KINDS 12

#define KIND_HAS_VALUE 0x01
#define KIND_HAS_CHANNEL 0x02
#define KIND_HAS_PROPERTIES 0x04
#define KIND_IS_JSONB 0x08
#define KIND_SHARES_EVENT 0x10
#define KIND_SHARES_CHANNEL 0x20
#define KIND_CONTENT (KIND_HAS_VALUE | KIND_HAS_CHANNEL | KIND_HAS_PROPERTIES | KIND_IS_JSONB)

/* An entry of the table: where the kind of this number is defined. */
typedef struct KindEntry
{
	uint16		token;			/* given by the cache; 0: not known */
	uint16		offset;			/* of the definition in the stream */
} KindEntry;

/* The same in the index, which is a hash table. */
typedef struct KindSlot
{
	uint32		hash;
	uint32		offset;
	uint32		number;			/* + 1; 0: the slot is free */
} KindSlot;

/* With an index, the numbers of kinds by token; tokens from the last size on are not kept. */
typedef struct KindNumbers
{
	uint16	   *numbers;		/* + 1; 0: not known */
	uint32		size;
} KindNumbers;

#define MAX_NUMBERS 1024

struct TimelineBuilder
{
	uint32		capacity;		/* bytes of data */
	uint32		used;			/* of them */
	uint32		event_count;
	uint32		kind_count;
	int64		last_at;		/* time of the previous event, in order of arrival */
	uint64		cache_id;		/* of the cache that gave the tokens; 0: none */
	KindSlot   *index;			/* NULL: there is a table */

	/*
	 * Without an index: the table, one entry a kind, and the stream.  With one:
	 * KindNumbers and the stream.
	 */
	uint8		data[FLEXIBLE_ARRAY_MEMBER];
};

/* A definition read back. */
typedef struct KindDefinition
{
	uint8		flags;
	TimelineString event;
	TimelineString channel;
	TimelineString properties;
} KindDefinition;

extern bool builder_find_kind(TimelineBuilder *builder, const BuilderEvent *event,
							  const KindToken *token, uint32 *number);
extern TimelineBuilder *builder_define_kind(TimelineBuilder *builder, const BuilderEvent *event,
											const KindToken *token);
extern const uint8 *builder_read_definition(const TimelineBuilder *builder, uint32 offset,
											KindDefinition *definition);
extern uint32 builder_hash_kind(uint8 flags, const BuilderEvent *event);

/* from builder.c */
extern TimelineBuilder *builder_grow(TimelineBuilder *builder, uint64 more);
extern MemoryContext builder_context(const TimelineBuilder *builder);

/* Makes room for so many more bytes and returns the builder, which may have moved. */
static inline TimelineBuilder *
builder_reserve(TimelineBuilder *builder, uint64 more)
{
	if (likely(builder->used + more <= builder->capacity))
		return builder;
	return builder_grow(builder, more);
}

/* The flags that belong to the content of a kind. */
static inline uint8
builder_kind_flags(const BuilderEvent *event)
{
	return (event->has_value ? KIND_HAS_VALUE : 0) |
		(event->channel.bytes != NULL ? KIND_HAS_CHANNEL : 0) |
		(event->properties.bytes != NULL ? KIND_HAS_PROPERTIES : 0) |
		(event->properties.bytes != NULL && event->form == PROPERTIES_JSONB ? KIND_IS_JSONB : 0);
}

static inline KindEntry *
builder_table(const TimelineBuilder *builder)
{
	return (KindEntry *) builder->data;
}

/* Where the stream starts: right after the table. */
static inline uint8 *
builder_stream(const TimelineBuilder *builder)
{
	return (uint8 *) builder->data +
		(builder->index == NULL ? builder->kind_count * sizeof(KindEntry) : sizeof(KindNumbers));
}

/* These bytes are our own and in memory, so there is nothing to check. */
static inline uint64
builder_read_varint(const uint8 **byte)
{
	const uint8 *p = *byte;
	uint64		number = *p & 0x7f;

	for (int shift = 7; *p++ >= 0x80; shift += 7)
		number |= (uint64) (*p & 0x7f) << shift;
	*byte = p;
	return number;
}

#endif							/* ENGAGEMENT_TIMELINE_BUILDER_KINDS_H */
