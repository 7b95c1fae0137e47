/*
 * builder_kinds.c
 *		The kinds of events within a builder.
 *
 * Kinds are numbered as they come.  The first event of a kind brings its
 * definition, which stays where it is in the stream:
 *
 *	kind	byte flags, then event label, channel and properties where the flags say
 *			so: varint length and bytes, or if the flags say shared, varint distance
 *			back to the definition whose string it is
 *
 * While kinds are few, a table in front of the stream tells where each is defined,
 * and its token; then a hash index and an array of numbers by token, both beside
 * the builder, do.  If the cache that gave the incoming event its token is the one
 * that gave these, equal tokens mean the same kind, and the definition, which is
 * likely out of the processor's cache, is left alone.  Otherwise the bytes are
 * compared.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "base/compat.h"
#include "timeline/builder_kinds.h"

static bool find_in_table(TimelineBuilder *builder, uint8 flags, const BuilderEvent *event,
						  const KindToken *token, uint32 *number);
static bool find_in_index(TimelineBuilder *builder, uint8 flags, const BuilderEvent *event,
						  const KindToken *token, uint32 *number);
static void adopt_cache(TimelineBuilder *builder, const KindToken *token);
static bool definition_matches(const TimelineBuilder *builder, uint32 offset, uint8 flags,
							   const BuilderEvent *event);
static const uint8 *read_string(const uint8 *byte, TimelineString *string);
static void find_shared_strings(const TimelineBuilder *builder, uint8 *flags, const BuilderEvent *event,
								uint32 *event_holder, uint32 *channel_holder);
static TimelineBuilder *replace_table(TimelineBuilder *builder);
static void add_to_index(TimelineBuilder *builder, uint32 hash, uint32 offset);
static KindSlot *create_index(const TimelineBuilder *builder, uint64 slots);
static void insert_slot(KindSlot *index, uint64 slots, const KindSlot *slot);
static void number_token(TimelineBuilder *builder, const KindToken *token, uint32 number);

/* How many slots the index of so many kinds has: a power of two, at most half of them full. */
static inline uint64
index_slots(uint32 kind_count)
{
	return kind_count <= 32 ? 64 : UINT64CONST(2) << (64 - __builtin_clzll((uint64) kind_count - 1));
}

/* Of a builder with an index, what stands in front of the stream; it may not be aligned. */
static inline KindNumbers
get_numbers(const TimelineBuilder *builder)
{
	KindNumbers numbers;

	memcpy(&numbers, builder->data, sizeof(numbers));
	return numbers;
}

static inline void
set_numbers(TimelineBuilder *builder, KindNumbers numbers)
{
	memcpy(builder->data, &numbers, sizeof(numbers));
}

static inline uint64
string_size(const TimelineString *string)
{
	return timeline_varint_size(string->length) + (uint64) string->length;
}

/* The number of an event's kind; false if it is new. */
bool
builder_find_kind(TimelineBuilder *builder, const BuilderEvent *event,
				  const KindToken *token, uint32 *number)
{
	if (builder->index == NULL)
	{
		const KindEntry *table = builder_table(builder);

		if (token->token != 0 && (token->cache_id == builder->cache_id || builder->kind_count == 0))
		{
			bool		all_known = true;

			for (uint32 i = 0; i < builder->kind_count; i++)
			{
				if (table[i].token == token->token)
				{
					*number = i;
					return true;
				}
				all_known = all_known && table[i].token != 0;
			}
			/* one cache never gives two tokens to one kind */
			if (all_known)
				return false;
		}
		return find_in_table(builder, builder_kind_flags(event), event, token, number);
	}
	return find_in_index(builder, builder_kind_flags(event), event, token, number);
}

/*
 * Writes the definition of an event's kind, which is new, to the end of the
 * stream.  Returns the builder, which may have moved; the kind's number is its
 * kind_count before.
 */
TimelineBuilder *
builder_define_kind(TimelineBuilder *builder, const BuilderEvent *event, const KindToken *token)
{
	uint8		flags = builder_kind_flags(event);
	uint8		content = flags;
	uint32		event_holder;
	uint32		channel_holder;
	uint32		offset;
	uint64		size;
	uint8	   *out;

	if (token->token != 0 && builder->cache_id != token->cache_id)
		adopt_cache(builder, token);
	offset = builder->data + builder->used - builder_stream(builder);
	if (builder->index == NULL && (builder->kind_count == TABLED_KINDS || offset > PG_UINT16_MAX))
		builder = replace_table(builder);

	find_shared_strings(builder, &flags, event, &event_holder, &channel_holder);
	size = 1 + (flags & KIND_SHARES_EVENT ? timeline_varint_size(offset - event_holder) :
				string_size(&event->event));
	if (flags & KIND_HAS_CHANNEL)
		size += flags & KIND_SHARES_CHANNEL ? timeline_varint_size(offset - channel_holder) :
			string_size(&event->channel);
	if (flags & KIND_HAS_PROPERTIES)
		size += string_size(&event->properties);
	builder = builder_reserve(builder, size + sizeof(KindEntry));

	if (builder->index == NULL)
	{
		KindEntry  *entry = builder_table(builder) + builder->kind_count;

		/* the table is small, and so is the stream while kinds are still new */
		memmove(entry + 1, entry, offset);
		entry->token = token->token;
		entry->offset = (uint16) offset;
		builder->used += sizeof(KindEntry);
	}
	else
	{
		add_to_index(builder, token->cache_id != 0 ? token->hash : builder_hash_kind(content, event),
					 offset);
		number_token(builder, token, builder->kind_count);
	}
	builder->kind_count++;

	out = builder->data + builder->used;
	*out++ = flags;
	out = flags & KIND_SHARES_EVENT ? timeline_write_varint(out, offset - event_holder) :
		timeline_write_string(out, &event->event);
	if (flags & KIND_HAS_CHANNEL)
		out = flags & KIND_SHARES_CHANNEL ? timeline_write_varint(out, offset - channel_holder) :
			timeline_write_string(out, &event->channel);
	if (flags & KIND_HAS_PROPERTIES)
		out = timeline_write_string(out, &event->properties);
	builder->used = out - builder->data;
	return builder;
}

/* Reads the definition at this offset of the stream and returns where it ends. */
const uint8 *
builder_read_definition(const TimelineBuilder *builder, uint32 offset, KindDefinition *definition)
{
	const uint8 *byte = builder_stream(builder) + offset;
	KindDefinition holder;

	definition->flags = *byte++;
	definition->channel.bytes = definition->properties.bytes = NULL;
	definition->channel.length = definition->properties.length = 0;
	if (definition->flags & KIND_SHARES_EVENT)
	{
		/* what is shared is never shared again, so this goes one level deep */
		(void) builder_read_definition(builder, offset - (uint32) builder_read_varint(&byte), &holder);
		definition->event = holder.event;
	}
	else
		byte = read_string(byte, &definition->event);
	if (definition->flags & KIND_SHARES_CHANNEL)
	{
		(void) builder_read_definition(builder, offset - (uint32) builder_read_varint(&byte), &holder);
		definition->channel = holder.channel;
	}
	else if (definition->flags & KIND_HAS_CHANNEL)
		byte = read_string(byte, &definition->channel);
	if (definition->flags & KIND_HAS_PROPERTIES)
		byte = read_string(byte, &definition->properties);
	return byte;
}

/* Takes in eight bytes at a time, as labels are short and this is done for each row. */
static inline uint64
hash_string(uint64 hash, const TimelineString *string)
{
	const char *bytes = string->bytes;
	uint32		length = string->length;
	uint64		word = 0;

	hash += length;
	if (length < 8)
	{
		for (uint32 i = 0; i < length; i++)
			word = word << 8 | (uint8) bytes[i];
	}
	else
	{
		for (uint32 i = 0; i + 8 < length; i += 8)
		{
			memcpy(&word, bytes + i, 8);
			hash = (hash ^ word) * UINT64CONST(0x9e3779b97f4a7c15);
			hash ^= hash >> 32;
		}
		/* the last eight may overlap with those before */
		memcpy(&word, bytes + length - 8, 8);
	}
	hash = (hash ^ word) * UINT64CONST(0xd6e8feb86659fd93);
	return hash ^ hash >> 32;
}

/* A hash of a kind's content. */
uint32
builder_hash_kind(uint8 flags, const BuilderEvent *event)
{
	uint64		hash = hash_string(flags, &event->event);

	if (flags & KIND_HAS_CHANNEL)
		hash = hash_string(hash, &event->channel);
	if (flags & KIND_HAS_PROPERTIES)
		hash = hash_string(hash, &event->properties);
	return (uint32) hash;
}

static bool
find_in_table(TimelineBuilder *builder, uint8 flags, const BuilderEvent *event,
			  const KindToken *token, uint32 *number)
{
	KindEntry  *table = builder_table(builder);

	for (uint32 i = 0; i < builder->kind_count; i++)
	{
		if (definition_matches(builder, table[i].offset, flags, event))
		{
			if (token->token != 0)
			{
				if (builder->cache_id != token->cache_id)
					adopt_cache(builder, token);
				table[i].token = token->token;
			}
			*number = i;
			return true;
		}
	}
	return false;
}

static bool
find_in_index(TimelineBuilder *builder, uint8 flags, const BuilderEvent *event,
			  const KindToken *token, uint32 *number)
{
	uint64		mask = index_slots(builder->kind_count) - 1;
	KindNumbers known = get_numbers(builder);
	uint32		hash;

	/* the number of token 0 stays unknown */
	if (token->cache_id == builder->cache_id && token->token < known.size &&
		known.numbers[token->token] != 0)
	{
		*number = known.numbers[token->token] - 1;
		return true;
	}

	hash = token->cache_id != 0 ? token->hash : builder_hash_kind(flags, event);
	for (uint64 i = hash & mask; builder->index[i].number != 0; i = (i + 1) & mask)
	{
		const KindSlot *slot = &builder->index[i];

		if (slot->hash == hash && definition_matches(builder, slot->offset, flags, event))
		{
			*number = slot->number - 1;
			number_token(builder, token, *number);
			return true;
		}
	}
	return false;
}

/* From here on tokens are those of another cache: the ones that are there mean nothing. */
static void
adopt_cache(TimelineBuilder *builder, const KindToken *token)
{
	if (builder->index == NULL)
	{
		for (uint32 i = 0; i < builder->kind_count; i++)
			builder_table(builder)[i].token = 0;
	}
	else if (get_numbers(builder).size > 0)
		memset(get_numbers(builder).numbers, 0, get_numbers(builder).size * sizeof(uint16));
	builder->cache_id = token->cache_id;
}

static bool
definition_matches(const TimelineBuilder *builder, uint32 offset, uint8 flags,
				   const BuilderEvent *event)
{
	KindDefinition definition;

	(void) builder_read_definition(builder, offset, &definition);
	return (definition.flags & KIND_CONTENT) == flags &&
		timeline_strings_equal(&definition.event, &event->event) &&
		(!(flags & KIND_HAS_CHANNEL) || timeline_strings_equal(&definition.channel, &event->channel)) &&
		(!(flags & KIND_HAS_PROPERTIES) || timeline_strings_equal(&definition.properties, &event->properties));
}

static const uint8 *
read_string(const uint8 *byte, TimelineString *string)
{
	string->length = (uint32) builder_read_varint(&byte);
	string->bytes = (const char *) byte;
	return byte + string->length;
}

/*
 * Looks among the kinds of the table for one with the same event label and one
 * with the same channel, sets the flags for those found and their offsets.
 */
static void
find_shared_strings(const TimelineBuilder *builder, uint8 *flags, const BuilderEvent *event,
					uint32 *event_holder, uint32 *channel_holder)
{
	*event_holder = *channel_holder = 0;
	for (uint32 i = 0; builder->index == NULL && i < builder->kind_count; i++)
	{
		uint32		offset = builder_table(builder)[i].offset;
		KindDefinition definition;

		(void) builder_read_definition(builder, offset, &definition);
		if (!(definition.flags & KIND_SHARES_EVENT) &&
			timeline_strings_equal(&definition.event, &event->event))
		{
			*flags |= KIND_SHARES_EVENT;
			*event_holder = offset;
		}
		if ((*flags & definition.flags & KIND_HAS_CHANNEL) && !(definition.flags & KIND_SHARES_CHANNEL) &&
			timeline_strings_equal(&definition.channel, &event->channel))
		{
			*flags |= KIND_SHARES_CHANNEL;
			*channel_holder = offset;
		}
	}
}

/*
 * Moves the kinds from the table to an index.  Returns the builder, which may
 * have moved.
 */
static TimelineBuilder *
replace_table(TimelineBuilder *builder)
{
	static const KindNumbers none = {NULL, 0};
	uint32		kind_count = builder->kind_count;
	KindEntry	table[TABLED_KINDS];
	uint8	   *stream;
	Size		stream_size;

	memcpy(table, builder_table(builder), kind_count * sizeof(KindEntry));
	builder = builder_reserve(builder, sizeof(KindNumbers));
	stream = builder_stream(builder);
	stream_size = builder->data + builder->used - stream;
	builder->index = create_index(builder, index_slots(kind_count));
	memmove(builder_stream(builder), stream, stream_size);
	builder->used = builder_stream(builder) - builder->data + stream_size;
	set_numbers(builder, none);

	for (uint32 i = 0; i < kind_count; i++)
	{
		KindToken	token = {builder->cache_id, table[i].token};
		KindDefinition definition;
		BuilderEvent event;
		KindSlot	slot;

		(void) builder_read_definition(builder, table[i].offset, &definition);
		event.event = definition.event;
		event.channel = definition.channel;
		event.properties = definition.properties;
		slot.hash = builder_hash_kind(definition.flags & KIND_CONTENT, &event);
		slot.offset = table[i].offset;
		slot.number = i + 1;
		insert_slot(builder->index, index_slots(kind_count), &slot);
		number_token(builder, &token, i);
	}
	return builder;
}

/* Enters the kind that is about to be counted. */
static void
add_to_index(TimelineBuilder *builder, uint32 hash, uint32 offset)
{
	uint64		slots = index_slots(builder->kind_count);
	uint64		needed = index_slots(builder->kind_count + 1);
	KindSlot	slot = {hash, offset, builder->kind_count + 1};

	if (needed != slots)
	{
		KindSlot   *grown = create_index(builder, needed);

		for (uint64 i = 0; i < slots; i++)
		{
			if (builder->index[i].number != 0)
				insert_slot(grown, needed, &builder->index[i]);
		}
		pfree(builder->index);
		builder->index = grown;
	}
	insert_slot(builder->index, needed, &slot);
}

static KindSlot *
create_index(const TimelineBuilder *builder, uint64 slots)
{
	return MemoryContextAllocExtended(builder_context(builder), slots * sizeof(KindSlot),
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

static void
insert_slot(KindSlot *index, uint64 slots, const KindSlot *slot)
{
	uint64		i = slot->hash & (slots - 1);

	while (index[i].number != 0)
		i = (i + 1) & (slots - 1);
	index[i] = *slot;
}

/* Remembers the number of the kind that has this token. */
static void
number_token(TimelineBuilder *builder, const KindToken *token, uint32 number)
{
	KindNumbers known = get_numbers(builder);

	if (token->token == 0 || token->token >= MAX_NUMBERS || number >= PG_UINT16_MAX)
		return;
	if (builder->cache_id != token->cache_id)
		adopt_cache(builder, token);
	if (token->token >= known.size)
	{
		KindNumbers grown = {NULL, 64};

		while (grown.size <= token->token)
			grown.size *= 2;
		grown.numbers = MemoryContextAllocZero(builder_context(builder), grown.size * sizeof(uint16));
		if (known.size > 0)
		{
			memcpy(grown.numbers, known.numbers, known.size * sizeof(uint16));
			pfree(known.numbers);
		}
		set_numbers(builder, grown);
		known = grown;
	}
	known.numbers[token->token] = (uint16) (number + 1);
}
