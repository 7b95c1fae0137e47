/*
 * builder_kinds.c
 *		The kinds of events within a builder's data.
 *
 * The first event of a kind brings its definition, which stays where it is in the
 * stream:
 *
 *	kind	byte flags, varint own number, varint distance back to the kind
 *			defined before (0: none); then event label, channel and properties where
 *			the flags say so: varint length and bytes, or if the flags say shared,
 *			varint distance back to the kind whose string it is
 *
 * The kind of an incoming event is that of the event before, or is looked for
 * along the chain of definitions from the latest, or in a hash index beside the
 * builder once there are more than a few.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "timeline/builder_kinds.h"

static const uint8 *read_string(const uint8 *byte, TimelineString *string);
static bool definition_matches(const TimelineBuilder *builder, uint32 offset, uint8 flags,
							   const BuilderEvent *event, KindDefinition *definition);
static void insert_slot(KindIndex *index, uint32 hash, uint32 offset);

static inline bool
strings_equal(const TimelineString *a, const TimelineString *b)
{
	return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

/*
 * Finds the kind of an event, whose content flags and hash are given (the hash
 * only matters once there is an index): the offset of its definition and its
 * number.
 */
bool
builder_find_kind(const TimelineBuilder *builder, uint8 flags, uint32 hash, const BuilderEvent *event,
				  uint32 *offset, uint32 *number)
{
	KindDefinition definition;

	if (builder->kind_count == 0)
		return false;
	/* an event is often like the one before */
	*offset = builder->recent_kind;
	if (definition_matches(builder, *offset, flags, event, &definition))
	{
		*number = definition.number;
		return true;
	}
	if (builder->index != NULL)
	{
		const KindIndex *index = builder->index;

		for (uint32 i = hash & index->mask; index->slots[i].offset != 0; i = (i + 1) & index->mask)
		{
			*offset = index->slots[i].offset - 1;
			if (index->slots[i].hash == hash &&
				definition_matches(builder, *offset, flags, event, &definition))
			{
				*number = definition.number;
				return true;
			}
		}
		return false;
	}

	*offset = builder->latest_kind;
	for (;;)
	{
		if (definition_matches(builder, *offset, flags, event, &definition))
		{
			*number = definition.number;
			return true;
		}
		if (definition.distance == 0)
			return false;
		*offset -= definition.distance;
	}
}

/*
 * Looks among the first kinds for one with the same event label and one with the
 * same channel, sets the flags for those found and their offsets.
 */
void
builder_find_shared_strings(const TimelineBuilder *builder, uint8 *flags, const BuilderEvent *event,
							uint32 *event_holder, uint32 *channel_holder)
{
	uint32		offset = builder->latest_kind;

	*event_holder = *channel_holder = 0;
	if (builder->kind_count > CHAINED_KINDS)
		return;
	for (uint32 i = 0; i < builder->kind_count; i++)
	{
		KindDefinition definition;

		(void) builder_read_definition(builder, offset, &definition);
		if (!(definition.flags & KIND_SHARES_EVENT) &&
			strings_equal(&definition.event, &event->event))
		{
			*flags |= KIND_SHARES_EVENT;
			*event_holder = offset;
		}
		if ((*flags & definition.flags & KIND_HAS_CHANNEL) && !(definition.flags & KIND_SHARES_CHANNEL) &&
			strings_equal(&definition.channel, &event->channel))
		{
			*flags |= KIND_SHARES_CHANNEL;
			*channel_holder = offset;
		}
		offset -= definition.distance;
	}
}

static inline const uint8 *
read_string(const uint8 *byte, TimelineString *string)
{
	string->length = (uint32) builder_read_varint(&byte);
	string->bytes = (const char *) byte;
	return byte + string->length;
}

/* Reads the definition at this offset and returns where it ends. */
const uint8 *
builder_read_definition(const TimelineBuilder *builder, uint32 offset, KindDefinition *definition)
{
	const uint8 *byte = builder->data + offset;

	definition->flags = *byte++;
	definition->number = (uint32) builder_read_varint(&byte);
	definition->distance = (uint32) builder_read_varint(&byte);
	definition->channel.bytes = definition->properties.bytes = NULL;
	definition->channel.length = definition->properties.length = 0;
	if (definition->flags & KIND_SHARES_EVENT)
	{
		KindDefinition holder;

		(void) builder_read_definition(builder, offset - (uint32) builder_read_varint(&byte), &holder);
		definition->event = holder.event;
	}
	else
		byte = read_string(byte, &definition->event);
	if (definition->flags & KIND_SHARES_CHANNEL)
	{
		KindDefinition holder;

		(void) builder_read_definition(builder, offset - (uint32) builder_read_varint(&byte), &holder);
		definition->channel = holder.channel;
	}
	else if (definition->flags & KIND_HAS_CHANNEL)
		byte = read_string(byte, &definition->channel);
	if (definition->flags & KIND_HAS_PROPERTIES)
		byte = read_string(byte, &definition->properties);
	return byte;
}

static bool
definition_matches(const TimelineBuilder *builder, uint32 offset, uint8 flags,
				   const BuilderEvent *event, KindDefinition *definition)
{
	(void) builder_read_definition(builder, offset, definition);
	return (definition->flags & KIND_CONTENT) == flags &&
		strings_equal(&definition->event, &event->event) &&
		(!(flags & KIND_HAS_CHANNEL) || strings_equal(&definition->channel, &event->channel)) &&
		(!(flags & KIND_HAS_PROPERTIES) || strings_equal(&definition->properties, &event->properties));
}

/* Kinds that differ only in having a value share a hash; that is rare and harmless. */
uint32
builder_hash_kind(const BuilderEvent *event)
{
	uint32		hash = hash_bytes((const unsigned char *) event->event.bytes, event->event.length);

	if (event->channel.bytes != NULL)
		hash = hash_combine(hash, hash_bytes((const unsigned char *) event->channel.bytes,
											 event->channel.length));
	if (event->properties.bytes != NULL)
		hash = hash_combine(hash, hash_bytes((const unsigned char *) event->properties.bytes,
											 event->properties.length));
	return hash;
}

/* Enters the latest kind, making or doubling the index when it is half full. */
void
builder_index_kind(TimelineBuilder *builder, uint32 offset, uint32 hash)
{
	KindIndex  *index = builder->index;
	KindIndex  *grown;
	uint64		slots;

	if (index != NULL && (uint64) builder->kind_count * 2 <= (uint64) index->mask + 1)
	{
		insert_slot(index, hash, offset);
		return;
	}

	slots = index == NULL ? 4 * (CHAINED_KINDS + 4) : ((uint64) index->mask + 1) * 2;
	grown = MemoryContextAllocExtended(builder_context(builder), offsetof(KindIndex, slots) + slots * sizeof(KindSlot),
									   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	grown->mask = (uint32) (slots - 1);
	/* the chain holds every kind, so no slot needs to be moved */
	for (uint32 kind = builder->latest_kind;;)
	{
		KindDefinition definition;
		BuilderEvent event;

		(void) builder_read_definition(builder, kind, &definition);
		event.event = definition.event;
		event.channel = definition.channel;
		event.properties = definition.properties;
		insert_slot(grown, builder_hash_kind(&event), kind);
		if (definition.distance == 0)
			break;
		kind -= definition.distance;
	}
	if (index != NULL)
		pfree(index);
	builder->index = grown;
}

static void
insert_slot(KindIndex *index, uint32 hash, uint32 offset)
{
	uint32		i = hash & index->mask;

	while (index->slots[i].offset != 0)
		i = (i + 1) & index->mask;
	index->slots[i].hash = hash;
	index->slots[i].offset = offset + 1;
}
