/*
 * channel_names.c
 *		Numbers for the names of channels.
 *
 * Numbers follow the order of arrival, which depends on the plan; whatever leaves
 * a state is therefore put in the order of the names first (channels_in_order).
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "attribution/channel_names.h"

#define INITIAL_CHANNELS 16

static uint32 add_channel(ChannelNames *channels, const char *name, uint32 size, uint32 hash);
static void fill_slots(ChannelNames *channels, uint32 slot_count);
static int	compare_numbers(const void *a, const void *b, void *names);

/* No channels yet; names are kept in this memory context. */
void
channel_names_init(ChannelNames *channels, MemoryContext context)
{
	channels->context = context;
	channels->count = 0;
	channels->capacity = INITIAL_CHANNELS;
	channels->names = MemoryContextAlloc(context, INITIAL_CHANNELS * sizeof(TimelineString));
	channels->hashes = MemoryContextAlloc(context, INITIAL_CHANNELS * sizeof(uint32));
	channels->slots = NULL;
	fill_slots(channels, INITIAL_CHANNELS * 2);
}

/* The number of a channel by its name, for which is_channel() holds; new ones are added. */
uint32
channel_number(ChannelNames *channels, const char *name, uint32 size)
{
	uint32		hash = hash_bytes((const unsigned char *) name, (int) size);

	for (uint32 slot = hash;; slot++)
	{
		uint32		number = channels->slots[slot & channels->slot_mask];

		if (number == 0)
			return add_channel(channels, name, size, hash);
		number--;
		if (channels->hashes[number] == hash && channels->names[number].length == size &&
			memcmp(channels->names[number].bytes, name, size) == 0)
			return number;
	}
}

/* Of each of the others' channels its number here, where they are added; palloc'd. */
uint32 *
channel_numbers(ChannelNames *channels, const ChannelNames *others)
{
	uint32	   *numbers = palloc_extended(Max(others->count, 1) * sizeof(uint32), MCXT_ALLOC_HUGE);

	for (uint32 i = 0; i < others->count; i++)
		numbers[i] = channel_number(channels, others->names[i].bytes, others->names[i].length);
	return numbers;
}

/* The channels' numbers in the order of their names; palloc'd. */
uint32 *
channels_in_order(const ChannelNames *channels)
{
	uint32	   *order = palloc(Max(channels->count, 1) * sizeof(uint32));

	for (uint32 i = 0; i < channels->count; i++)
		order[i] = i;
	qsort_interruptible(order, channels->count, sizeof(uint32), compare_numbers, channels->names);
	return order;
}

/* Of each channel its place in this order, which is channels_in_order(); palloc'd. */
uint32 *
channel_places(const ChannelNames *channels, const uint32 *order)
{
	uint32	   *places = palloc(Max(channels->count, 1) * sizeof(uint32));

	for (uint32 i = 0; i < channels->count; i++)
		places[order[i]] = i;
	return places;
}

/* The names in this order, or by number if it is NULL, as SQL has them; palloc'd. */
Datum *
channel_texts(const ChannelNames *channels, const uint32 *order)
{
	Datum	   *texts = palloc_extended(Max(channels->count, 1) * sizeof(Datum), MCXT_ALLOC_HUGE);

	for (uint32 i = 0; i < channels->count; i++)
	{
		const TimelineString *name = &channels->names[order != NULL ? order[i] : i];

		texts[i] = PointerGetDatum(cstring_to_text_with_len(name->bytes, (int) name->length));
	}
	return texts;
}

/* In this order, as channel_names_read reads them. */
void
channel_names_write(const ChannelNames *channels, const uint32 *order, StringInfo out)
{
	state_write_number(out, channels->count);
	for (uint32 i = 0; i < channels->count; i++)
	{
		const TimelineString *name = &channels->names[order[i]];

		state_write_number(out, name->length);
		state_write_bytes(out, name->bytes, name->length);
	}
}

/* Into an empty list; names that are out of order or no channels are an error (ERRCODE_DATA_CORRUPTED). */
void
channel_names_read(ChannelNames *channels, StateReader *reader)
{
	uint64		count = state_read_number(reader, (uint64) (reader->end - reader->next));

	for (uint64 i = 0; i < count; i++)
	{
		uint64		size = state_read_number(reader, (uint64) (reader->end - reader->next));
		TimelineString name = {(const char *) state_read_bytes(reader, size), (uint32) size};

		if (!is_channel(name.bytes, name.length) ||
			(i > 0 && timeline_compare_strings(&channels->names[i - 1], &name) >= 0))
			state_corrupt(reader);
		(void) channel_number(channels, name.bytes, name.length);
	}
}

static uint32
add_channel(ChannelNames *channels, const char *name, uint32 size, uint32 hash)
{
	uint32		number = channels->count;

	if (number == channels->capacity)
	{
		if (number >= (uint32) (MaxAllocSize / sizeof(TimelineString) / 2))
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("too many channels: more than %u", number)));
		channels->capacity *= 2;
		channels->names = repalloc(channels->names, channels->capacity * sizeof(TimelineString));
		channels->hashes = repalloc(channels->hashes, channels->capacity * sizeof(uint32));
		fill_slots(channels, channels->capacity * 2);
	}
	channels->names[number].bytes = memcpy(MemoryContextAlloc(channels->context, size), name, size);
	channels->names[number].length = size;
	channels->hashes[number] = hash;
	channels->count++;
	for (uint32 slot = hash;; slot++)
	{
		if (channels->slots[slot & channels->slot_mask] == 0)
		{
			channels->slots[slot & channels->slot_mask] = number + 1;
			return number;
		}
	}
}

/* A table of this many slots, a power of two, with all channels in it. */
static void
fill_slots(ChannelNames *channels, uint32 slot_count)
{
	if (channels->slots != NULL)
		pfree(channels->slots);
	channels->slots = MemoryContextAllocZero(channels->context, slot_count * sizeof(uint32));
	channels->slot_mask = slot_count - 1;
	for (uint32 number = 0; number < channels->count; number++)
	{
		uint32		slot = channels->hashes[number];

		while (channels->slots[slot & channels->slot_mask] != 0)
			slot++;
		channels->slots[slot & channels->slot_mask] = number + 1;
	}
}

static int
compare_numbers(const void *a, const void *b, void *names)
{
	const TimelineString *strings = names;

	return timeline_compare_strings(&strings[*(const uint32 *) a], &strings[*(const uint32 *) b]);
}
