/*
 * path_set.c
 *		Distinct conversion paths with their counts.
 *
 * Per set: the channels' names, an entry for each distinct path, a hash table over
 * the entries, and once touches with times have come, a few sums for each channel.
 * Per row: nothing, unless the path is new.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "common/int.h"
#include "datatype/timestamp.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "attribution/path_set.h"

#define FORMAT_VERSION 1
#define INITIAL_PATHS 64

/* Of the flat form: sums by channel follow. */
#define FLAG_TIMED 1

static void read_content(void *content, StateReader *reader);
static void write_content(const void *content, StringInfo out);
static void merge_content(void *content, const void *other_content);
static void read_timed(PathSet *set, StateReader *reader);
static void write_timed(const PathSet *set, const uint32 *order, StringInfo out);
static void grow_paths(PathSet *set);
static void merge_timed(PathSet *set, const PathSet *other, const uint32 *numbers);
static int	compare_paths(const void *a, const void *b, void *places);

const StateMethods path_set_methods = {
	.type = "conversion_paths",
	.content_size = sizeof(PathSet),
	.init = path_set_init,
	.read = read_content,
	.write = write_content,
	.merge = merge_content,
	.size_hint = "Collapse repeats, shorten the lookback, give rare channels one name, or keep several, each of some of the paths."
};

void
path_set_init(void *content, MemoryContext context)
{
	PathSet    *set = content;

	memset(set, 0, sizeof(PathSet));
	set->context = context;
	channel_names_init(&set->channels, context);
	set->path_capacity = INITIAL_PATHS;
	set->paths = MemoryContextAlloc(context, INITIAL_PATHS * sizeof(PathEntry));
	set->slot_mask = INITIAL_PATHS * 2 - 1;
	set->slots = MemoryContextAllocZero(context, INITIAL_PATHS * 2 * sizeof(uint32));
}

/*
 * Adds conversions worth 'value' together, and paths that did not convert, that went
 * through these channels.  Neither conversions nor non_conversions: the path is ignored.
 */
void
path_set_add(PathSet *set, const uint32 *channels, uint32 length,
			 int64 conversions, int64 non_conversions, double value)
{
	PathEntry  *entry;

	if (conversions == 0 && non_conversions == 0)
		return;
	entry = path_set_entry(set, channels, length);
	path_set_count(set, entry, conversions, non_conversions);
	if (value != 0)
		exact_sum_add(&entry->value, value, set->context);
}

/* The entry of a path, made if it is new; valid until the next one is made. */
PathEntry *
path_set_entry(PathSet *set, const uint32 *channels, uint32 length)
{
	Size		size = (Size) length * sizeof(uint32);
	uint32		hash = hash_bytes((const unsigned char *) channels, (int) size);
	PathEntry  *entry;
	uint32		slot;

	for (slot = hash;; slot++)
	{
		uint32		number = set->slots[slot & set->slot_mask];

		if (number == 0)
			break;
		entry = &set->paths[number - 1];
		if (entry->hash == hash && entry->length == length && (size == 0 || memcmp(entry->channels, channels, size) == 0))
			return entry;
	}
	if (set->path_count == set->path_capacity)
	{
		grow_paths(set);
		for (slot = hash; set->slots[slot & set->slot_mask] != 0;)
			slot++;
	}
	set->slots[slot & set->slot_mask] = ++set->path_count;
	entry = &set->paths[set->path_count - 1];
	memset(entry, 0, sizeof(PathEntry));
	if (size > 0)
		entry->channels = memcpy(MemoryContextAllocHuge(set->context, size), channels, size);
	entry->length = length;
	entry->hash = hash;
	return entry;
}

/* Counts are not negative. */
void
path_set_count(PathSet *set, PathEntry *entry, int64 conversions, int64 non_conversions)
{
	count_add(&set->conversions, conversions);
	count_add(&entry->conversions, conversions);
	count_add(&entry->non_conversions, non_conversions);
}

/*
 * Takes note of the half-life, in microseconds, of credit that is about to be added.
 * One that differs from the set's is an error (ERRCODE_INVALID_PARAMETER_VALUE).
 */
void
path_set_half_life(PathSet *set, int64 half_life)
{
	Assert(half_life > 0);
	if (unlikely(set->half_life != 0 && set->half_life != half_life))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("paths with different half-lives cannot be added up"),
				 errdetail("One half-life is %.15g days, the other %.15g.",
						   (double) set->half_life / USECS_PER_DAY, (double) half_life / USECS_PER_DAY),
				 errhint("Credit that fades with time has been added up already: keep one conversion_paths for each half-life.")));
	set->half_life = half_life;
}

/* The sums of a channel; valid until the next channel's are asked for. */
TimedCredit *
path_set_timed(PathSet *set, uint32 channel)
{
	if (unlikely(channel >= set->timed_capacity))
	{
		uint32		capacity = set->channels.capacity;
		TimedCredit *timed = MemoryContextAllocExtended(set->context, (Size) capacity * sizeof(TimedCredit),
														MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

		if (set->timed != NULL)
		{
			memcpy(timed, set->timed, (Size) set->timed_capacity * sizeof(TimedCredit));
			pfree(set->timed);
		}
		set->timed = timed;
		set->timed_capacity = capacity;
	}
	return &set->timed[channel];
}

/* Adds what another set holds. */
static void
merge_content(void *content, const void *other_content)
{
	PathSet    *set = content;
	const PathSet *other = other_content;
	uint32	   *numbers = channel_numbers(&set->channels, &other->channels);
	uint32	   *path = NULL;
	uint32		path_room = 0;

	for (uint32 i = 0; i < other->path_count; i++)
	{
		const PathEntry *from = &other->paths[i];
		PathEntry  *entry;

		if (from->length > path_room)
		{
			if (path != NULL)
				pfree(path);
			path_room = from->length;
			path = palloc_extended((Size) path_room * sizeof(uint32), MCXT_ALLOC_HUGE);
		}
		for (uint32 j = 0; j < from->length; j++)
			path[j] = numbers[from->channels[j]];
		entry = path_set_entry(set, path, from->length);
		path_set_count(set, entry, from->conversions, from->non_conversions);
		exact_sum_merge(&entry->value, &from->value, set->context);
		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	if (other->half_life != 0)
		merge_timed(set, other, numbers);
	if (path != NULL)
		pfree(path);
	pfree(numbers);
}

/*
 * The paths in canonical order: by the places of their channels, a path after its own
 * beginnings.  'places' is channel_places() of the set's channels.  Palloc'd.
 */
const PathEntry **
path_set_sorted(const PathSet *set, const uint32 *places)
{
	const PathEntry **sorted = palloc_extended(Max(set->path_count, 1) * sizeof(PathEntry *), MCXT_ALLOC_HUGE);

	for (uint32 i = 0; i < set->path_count; i++)
		sorted[i] = &set->paths[i];
	qsort_interruptible(sorted, set->path_count, sizeof(PathEntry *), compare_paths, unconstify(uint32 *, places));
	return sorted;
}

void
count_add(int64 *count, int64 more)
{
	if (unlikely(pg_add_s64_overflow(*count, more, count)))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("too many journeys: more than %lld", (long long) PG_INT64_MAX)));
}

/*
 * The flat form: version, flags, names of the channels in order, paths in canonical
 * order (length, places of channels, conversions, non_conversions, value), sums by
 * channel if any touch had a time.
 */
static void
write_content(const void *content, StringInfo out)
{
	const PathSet *set = content;
	uint32	   *order = channels_in_order(&set->channels);
	uint32	   *places = channel_places(&set->channels, order);
	const PathEntry **sorted = path_set_sorted(set, places);

	state_write_number(out, FORMAT_VERSION);
	state_write_number(out, set->half_life != 0 ? FLAG_TIMED : 0);
	channel_names_write(&set->channels, order, out);
	state_write_number(out, set->path_count);
	for (uint32 i = 0; i < set->path_count; i++)
	{
		const PathEntry *entry = sorted[i];

		state_write_number(out, entry->length);
		for (uint32 j = 0; j < entry->length; j++)
			state_write_number(out, places[entry->channels[j]]);
		state_write_number(out, (uint64) entry->conversions);
		state_write_number(out, (uint64) entry->non_conversions);
		state_write_sum(out, &entry->value);
		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	if (set->half_life != 0)
		write_timed(set, order, out);
	pfree(sorted);
	pfree(places);
	pfree(order);
}

static void
read_content(void *content, StateReader *reader)
{
	PathSet    *set = content;
	uint64		flags;
	uint64		path_count;
	uint32	   *path = NULL;
	uint64		path_room = 0;

	if (state_read_number(reader, PG_UINT64_MAX) != FORMAT_VERSION)
		state_corrupt(reader);
	flags = state_read_number(reader, FLAG_TIMED);
	channel_names_read(&set->channels, reader);
	path_count = state_read_number(reader, PG_INT32_MAX);
	for (uint64 i = 0; i < path_count; i++)
	{
		/* each channel takes a byte at least */
		uint64		length = state_read_number(reader, (uint64) (reader->end - reader->next));
		PathEntry  *entry;
		int64		conversions;
		int64		non_conversions;

		if (length > path_room)
		{
			path_room = Max(length, 64);
			path = palloc_extended(path_room * sizeof(uint32), MCXT_ALLOC_HUGE);
		}
		for (uint64 j = 0; j < length; j++)
			path[j] = (uint32) state_read_place(reader, set->channels.count);
		conversions = (int64) state_read_number(reader, PG_INT64_MAX);
		non_conversions = (int64) state_read_number(reader, PG_INT64_MAX);
		if (conversions == 0 && non_conversions == 0)
			state_corrupt(reader);
		entry = path_set_entry(set, path, (uint32) length);
		path_set_count(set, entry, conversions, non_conversions);
		state_read_sum(reader, &entry->value, set->context);
		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	if ((flags & FLAG_TIMED) != 0)
		read_timed(set, reader);
}

static void
write_timed(const PathSet *set, const uint32 *order, StringInfo out)
{
	state_write_number(out, (uint64) set->half_life);
	state_write_number(out, (uint64) set->timed_conversions);
	for (uint32 i = 0; i < set->channels.count; i++)
	{
		const TimedCredit *timed = path_set_timed_credit(set, order[i]);

		state_write_sum(out, &timed->conversions);
		state_write_sum(out, &timed->value);
		state_write_number(out, (uint64) timed->journeys);
		state_write_sum(out, &timed->lag);
	}
}

static void
read_timed(PathSet *set, StateReader *reader)
{
	set->half_life = (int64) state_read_number(reader, PG_INT64_MAX);
	set->timed_conversions = (int64) state_read_number(reader, PG_INT64_MAX);
	if (set->half_life == 0)
		state_corrupt(reader);
	for (uint32 i = 0; i < set->channels.count; i++)
	{
		TimedCredit *timed = path_set_timed(set, i);

		state_read_sum(reader, &timed->conversions, set->context);
		state_read_sum(reader, &timed->value, set->context);
		timed->journeys = (int64) state_read_number(reader, PG_INT64_MAX);
		state_read_sum(reader, &timed->lag, set->context);
	}
}

static void
grow_paths(PathSet *set)
{
	uint64		capacity = (uint64) set->path_capacity * 2;

	if (capacity > PG_INT32_MAX / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many distinct paths: more than %u", set->path_capacity),
				 errhint("Collapse repeats, shorten the lookback, or use markov, which does not keep paths.")));
	set->path_capacity = (uint32) capacity;
	set->paths = repalloc_huge(set->paths, capacity * sizeof(PathEntry));
	pfree(set->slots);
	set->slots = MemoryContextAllocExtended(set->context, capacity * 2 * sizeof(uint32),
											MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	set->slot_mask = (uint32) (capacity * 2 - 1);
	for (uint32 i = 0; i < set->path_count; i++)
	{
		uint32		slot = set->paths[i].hash;

		while (set->slots[slot & set->slot_mask] != 0)
			slot++;
		set->slots[slot & set->slot_mask] = i + 1;
	}
}

/* 'numbers' are those in 'set' of the other's channels. */
static void
merge_timed(PathSet *set, const PathSet *other, const uint32 *numbers)
{
	path_set_half_life(set, other->half_life);
	count_add(&set->timed_conversions, other->timed_conversions);
	for (uint32 i = 0; i < Min(other->channels.count, other->timed_capacity); i++)
	{
		const TimedCredit *from = &other->timed[i];
		TimedCredit *timed = path_set_timed(set, numbers[i]);

		exact_sum_merge(&timed->conversions, &from->conversions, set->context);
		exact_sum_merge(&timed->value, &from->value, set->context);
		count_add(&timed->journeys, from->journeys);
		exact_sum_merge(&timed->lag, &from->lag, set->context);
	}
}

static int
compare_paths(const void *a, const void *b, void *arg)
{
	const uint32 *places = arg;
	const PathEntry *left = *(const PathEntry *const *) a;
	const PathEntry *right = *(const PathEntry *const *) b;
	uint32		common = Min(left->length, right->length);

	for (uint32 i = 0; i < common; i++)
	{
		if (left->channels[i] != right->channels[i])
			return places[left->channels[i]] < places[right->channels[i]] ? -1 : 1;
	}
	return (left->length > right->length) - (left->length < right->length);
}
