/*
 * builder_kinds.h
 *		The kinds of events within a builder's data.
 */
#ifndef ENGAGEMENT_TIMELINE_BUILDER_KINDS_H
#define ENGAGEMENT_TIMELINE_BUILDER_KINDS_H

#include "postgres.h"

#include "timeline/builder.h"

/* With more kinds than this the index is made. */
#define CHAINED_KINDS 12

#define KIND_HAS_VALUE 0x01
#define KIND_HAS_CHANNEL 0x02
#define KIND_HAS_PROPERTIES 0x04
#define KIND_IS_JSONB 0x08
#define KIND_SHARES_EVENT 0x10
#define KIND_SHARES_CHANNEL 0x20
#define KIND_CONTENT (KIND_HAS_VALUE | KIND_HAS_CHANNEL | KIND_HAS_PROPERTIES | KIND_IS_JSONB)

typedef struct KindSlot
{
	uint32		hash;
	uint32		offset;			/* of the definition + 1; 0: free */
} KindSlot;

typedef struct KindIndex
{
	uint32		mask;			/* slots - 1, a power of two less one */
	KindSlot	slots[FLEXIBLE_ARRAY_MEMBER];
} KindIndex;

struct TimelineBuilder
{
	uint32		capacity;		/* bytes of data */
	uint32		used;
	uint32		event_count;
	uint32		kind_count;
	uint32		latest_kind;	/* offset of the latest definition */
	uint32		recent_kind;	/* offset of the previous event's definition */
	int64		last_at;		/* time of the previous event, in order of arrival */
	KindIndex  *index;			/* NULL while the chain is short */
	uint8		data[FLEXIBLE_ARRAY_MEMBER];
};

/* A definition read back. */
typedef struct KindDefinition
{
	uint8		flags;
	uint32		number;
	uint32		distance;
	TimelineString event;
	TimelineString channel;
	TimelineString properties;
} KindDefinition;

extern bool builder_find_kind(const TimelineBuilder *builder, uint8 flags, uint32 hash,
							  const BuilderEvent *event, uint32 *offset, uint32 *number);
extern const uint8 *builder_read_definition(const TimelineBuilder *builder, uint32 offset,
											KindDefinition *definition);
extern void builder_find_shared_strings(const TimelineBuilder *builder, uint8 *flags,
										const BuilderEvent *event,
										uint32 *event_holder, uint32 *channel_holder);
extern uint32 builder_hash_kind(const BuilderEvent *event);
extern void builder_index_kind(TimelineBuilder *builder, uint32 offset, uint32 hash);

extern MemoryContext builder_context(const TimelineBuilder *builder);

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
