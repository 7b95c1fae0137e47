/*
 * dictionary.c
 *		The dictionary of a part: those kinds of a larger dictionary that some
 *		events use.
 *
 * The larger one is sorted, so the places of its entries stand for their content,
 * and no string is compared here.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "base/compat.h"
#include "timeline/dictionary.h"

/* Sets of numbers up to this size are kept sorted by insertion. */
#define SMALL_SET 12

/* Numbers below this are marked in an array on the stack. */
#define MARKED_RANGE 4096

/*
 * What is for many numbers and has arrays on the stack is kept apart from what is
 * for few, as a visit has, and is done for each visit.
 */
static inline uint32 used_kinds(uint32 *numbers, const EncoderEvent *events, uint32 event_count,
								uint32 range);
static uint32 many_used_kinds(uint32 *numbers, const EncoderEvent *events, uint32 event_count,
							  uint32 range);
static inline uint32 sort_numbers(uint32 *numbers, uint32 count, uint32 range);
static uint32 sort_many_numbers(uint32 *numbers, uint32 count, uint32 range);
static inline uint32 insert_number(uint32 *numbers, uint32 count, uint32 number);
static inline uint32 find_number(const uint32 *numbers, uint32 count, uint32 number);
static inline void renumber_events(const uint32 *kinds, uint32 kind_count, uint32 range,
								   EncoderEvent *events, uint32 event_count);
static void renumber_many_events(const uint32 *kinds, uint32 kind_count,
								 EncoderEvent *events, uint32 event_count);

#define ST_SORT sort_uint32
#define ST_ELEMENT_TYPE uint32
#define ST_COMPARE(a, b) (*(a) < *(b) ? -1 : *(a) > *(b))
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * The dictionary of the kinds that the events use.  The events come in with places
 * of the whole and come out with places of the part.  To be freed with
 * part_dictionary_free().
 */
void
part_dictionary_build(PartDictionary *dictionary, const TimelineDictionary *whole,
					  EncoderEvent *events, uint32 event_count)
{
	TimelineDictionary *part = &dictionary->part;
	uint32		capacity = Min(event_count, whole->kind_count);
	uint32	   *kinds = dictionary->inline_numbers;
	uint32	   *members;

	part->kinds = dictionary->inline_kinds;
	part->labels = dictionary->inline_strings;
	if (capacity > DICTIONARY_INLINE_KINDS)
		kinds = palloc_extended(2 * sizeof(uint32) * (Size) capacity, MCXT_ALLOC_HUGE);
	part->kind_count = used_kinds(kinds, events, event_count, whole->kind_count);
	members = kinds + part->kind_count;
	if (part->kind_count > DICTIONARY_INLINE_KINDS)
	{
		part->kinds = palloc_extended(sizeof(TimelineKind) * (Size) part->kind_count, MCXT_ALLOC_HUGE);
		part->labels = palloc_extended(3 * sizeof(TimelineString) * (Size) part->kind_count, MCXT_ALLOC_HUGE);
	}

	/* kinds are sorted by label first */
	part->label_count = 0;
	dictionary->has_values = false;
	for (uint32 i = 0; i < part->kind_count; i++)
	{
		const TimelineKind *kind = &whole->kinds[kinds[i]];

		if (i == 0 || kind->event != whole->kinds[kinds[i - 1]].event)
			part->labels[part->label_count++] = whole->labels[kind->event];
		part->kinds[i].event = part->label_count - 1;
		part->kinds[i].has_value = kind->has_value;
		dictionary->has_values |= kind->has_value;
	}

	part->channels = part->labels + part->label_count;
	part->channel_count = 0;
	for (uint32 i = 0; i < part->kind_count; i++)
	{
		if (whole->kinds[kinds[i]].channel != 0)
			members[part->channel_count++] = whole->kinds[kinds[i]].channel;
	}
	part->channel_count = sort_numbers(members, part->channel_count, whole->channel_count + 1);
	for (uint32 i = 0; i < part->channel_count; i++)
		part->channels[i] = whole->channels[members[i] - 1];
	for (uint32 i = 0; i < part->kind_count; i++)
		part->kinds[i].channel = whole->kinds[kinds[i]].channel == 0 ? 0 :
			find_number(members, part->channel_count, whole->kinds[kinds[i]].channel) + 1;

	part->properties = part->channels + part->channel_count;
	part->property_count = 0;
	for (uint32 i = 0; i < part->kind_count; i++)
	{
		if (whole->kinds[kinds[i]].properties != 0)
			members[part->property_count++] = whole->kinds[kinds[i]].properties;
	}
	part->property_count = sort_numbers(members, part->property_count, whole->property_count + 1);
	for (uint32 i = 0; i < part->property_count; i++)
		part->properties[i] = whole->properties[members[i] - 1];
	for (uint32 i = 0; i < part->kind_count; i++)
		part->kinds[i].properties = whole->kinds[kinds[i]].properties == 0 ? 0 :
			find_number(members, part->property_count, whole->kinds[kinds[i]].properties) + 1;

	renumber_events(kinds, part->kind_count, whole->kind_count, events, event_count);
	if (kinds != dictionary->inline_numbers)
		pfree(kinds);
}

void
part_dictionary_free(PartDictionary *dictionary)
{
	if (dictionary->part.kinds == dictionary->inline_kinds)
		return;
	pfree(dictionary->part.kinds);
	pfree(dictionary->part.labels);
}

/* The distinct kinds of the events, sorted; numbers has room for all there can be. */
static inline uint32
used_kinds(uint32 *numbers, const EncoderEvent *events, uint32 event_count, uint32 range)
{
	uint32		count = 0;

	if (event_count > SMALL_SET)
		return many_used_kinds(numbers, events, event_count, range);
	for (uint32 i = 0; i < event_count; i++)
		count = insert_number(numbers, count, events[i].kind);
	return count;
}

static pg_noinline uint32
many_used_kinds(uint32 *numbers, const EncoderEvent *events, uint32 event_count, uint32 range)
{
	uint8		inline_marks[MARKED_RANGE];
	uint8	   *marks = inline_marks;
	uint32		count = 0;

	if (range > MARKED_RANGE)
	{
		if (event_count <= range)
		{
			for (uint32 i = 0; i < event_count; i++)
				numbers[i] = events[i].kind;
			return sort_numbers(numbers, event_count, range);
		}
		marks = palloc_extended(range, MCXT_ALLOC_HUGE);
	}
	memset(marks, 0, range);
	for (uint32 i = 0; i < event_count; i++)
		marks[events[i].kind] = 1;
	for (uint32 i = 0; i < range; i++)
	{
		if (marks[i] != 0)
			numbers[count++] = i;
	}
	if (marks != inline_marks)
		pfree(marks);
	return count;
}

/* Sorts numbers and drops repeats; returns how many are left. */
static inline uint32
sort_numbers(uint32 *numbers, uint32 count, uint32 range)
{
	uint32		left = 0;

	if (count > SMALL_SET)
		return sort_many_numbers(numbers, count, range);
	for (uint32 i = 0; i < count; i++)
		left = insert_number(numbers, left, numbers[i]);
	return left;
}

static pg_noinline uint32
sort_many_numbers(uint32 *numbers, uint32 count, uint32 range)
{
	uint64		marks[MARKED_RANGE / 64 + 1];
	uint32		left = 0;

	if (range <= MARKED_RANGE)
	{
		memset(marks, 0, (range / 64 + 1) * sizeof(uint64));
		for (uint32 i = 0; i < count; i++)
			marks[numbers[i] / 64] |= UINT64CONST(1) << numbers[i] % 64;
		for (uint32 word = 0; word <= range / 64; word++)
		{
			for (uint64 bits = marks[word]; bits != 0; bits &= bits - 1)
				numbers[left++] = word * 64 + (uint32) __builtin_ctzll(bits);
		}
		return left;
	}
	sort_uint32(numbers, count);
	for (uint32 i = 0; i < count; i++)
	{
		if (i == 0 || numbers[i] != numbers[left - 1])
			numbers[left++] = numbers[i];
	}
	return left;
}

/* Inserts into a sorted array unless it is there; returns how many there are. */
static inline uint32
insert_number(uint32 *numbers, uint32 count, uint32 number)
{
	uint32		i = count;

	while (i > 0 && numbers[i - 1] > number)
		i--;
	if (i > 0 && numbers[i - 1] == number)
		return count;
	for (uint32 j = count; j > i; j--)
		numbers[j] = numbers[j - 1];
	numbers[i] = number;
	return count + 1;
}

/* Where a number is in a sorted array that has it. */
static inline uint32
find_number(const uint32 *numbers, uint32 count, uint32 number)
{
	uint32		low = 0;

	if (count <= SMALL_SET)
	{
		while (numbers[low] != number)
			low++;
		return low;
	}
	while (numbers[low] != number)
	{
		uint32		middle = low + (count - low) / 2;

		if (numbers[middle] <= number)
			low = middle;
		else
			count = middle;
	}
	return low;
}

/* Gives the events the places that their kinds have in the part. */
static inline void
renumber_events(const uint32 *kinds, uint32 kind_count, uint32 range,
				EncoderEvent *events, uint32 event_count)
{
	if (event_count > SMALL_SET && range <= MARKED_RANGE)
		renumber_many_events(kinds, kind_count, events, event_count);
	else
	{
		for (uint32 i = 0; i < event_count; i++)
			events[i].kind = find_number(kinds, kind_count, events[i].kind);
	}
}

static pg_noinline void
renumber_many_events(const uint32 *kinds, uint32 kind_count,
					 EncoderEvent *events, uint32 event_count)
{
	uint16		places[MARKED_RANGE];	/* set where they are looked at */

	for (uint32 i = 0; i < kind_count; i++)
		places[kinds[i]] = (uint16) i;
	for (uint32 i = 0; i < event_count; i++)
		events[i].kind = places[events[i].kind];
}
