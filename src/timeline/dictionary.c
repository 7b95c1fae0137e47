/*
 * dictionary.c
 *		The dictionary that a timeline is written with.
 *
 * Its order is the order of content: kinds by event label, channel, properties
 * and having a value, NULL before anything else; strings by memcmp.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "base/compat.h"
#include "timeline/dictionary.h"

static void allocate(Dictionary *dictionary, uint32 kind_count);
static uint32 build_strings(TimelineString *strings, uint32 *indexes, const uint32 *order,
							uint32 kind_count, const EncoderKind *kinds, Size member);
static inline uint32 insert_number(uint32 *numbers, uint32 count, uint32 number);
static inline uint32 find_number(const uint32 *numbers, uint32 number);

static inline int
compare_strings(const TimelineString *a, const TimelineString *b)
{
	int			order;

	/* NULL before anything else */
	if (a->bytes == NULL || b->bytes == NULL)
		return (a->bytes != NULL) - (b->bytes != NULL);
	if (a->bytes == b->bytes && a->length == b->length)
		return 0;
	order = memcmp(a->bytes, b->bytes, Min(a->length, b->length));
	return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

static inline int
compare_kinds(const EncoderKind *a, const EncoderKind *b)
{
	int			order = compare_strings(&a->event, &b->event);

	if (order == 0)
		order = compare_strings(&a->channel, &b->channel);
	if (order == 0)
		order = compare_strings(&a->properties, &b->properties);
	return order != 0 ? order : (int) a->has_value - (int) b->has_value;
}

#define ST_SORT sort_kind_numbers
#define ST_ELEMENT_TYPE uint32
#define ST_COMPARE(a, b, kinds) compare_kinds(&(kinds)[*(a)], &(kinds)[*(b)])
#define ST_COMPARE_ARG_TYPE const EncoderKind
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

#define ST_SORT sort_strings
#define ST_ELEMENT_TYPE TimelineString
#define ST_COMPARE(a, b) compare_strings(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * The dictionary of the kinds that the events use; kinds may be in any order,
 * repeated or unused.  The events come out with the numbers of the dictionary.
 * To be freed with dictionary_free().
 */
void
dictionary_build(Dictionary *dictionary, const EncoderKind *kinds, uint32 kind_count,
				 EncoderEvent *events, uint32 event_count)
{
	uint32	   *order;
	uint32		used = 0;
	uint32		count = 0;
	uint32		previous = 0;

	allocate(dictionary, kind_count);
	order = dictionary->order;
	memset(dictionary->codes, 0, sizeof(uint32) * kind_count);
	for (uint32 i = 0; i < event_count; i++)
		dictionary->codes[events[i].kind] = 1;
	for (uint32 i = 0; i < kind_count; i++)
	{
		if (dictionary->codes[i] != 0)
			order[used++] = i;
	}
	sort_kind_numbers(order, used, kinds);

	dictionary->has_values = false;
	for (uint32 i = 0; i < used; i++)
	{
		uint32		kind = order[i];

		/* kinds of equal content share a number */
		if (i == 0 || compare_kinds(&kinds[previous], &kinds[kind]) != 0)
		{
			dictionary->has_value[count] = kinds[kind].has_value;
			dictionary->has_values |= kinds[kind].has_value;
			order[count++] = kind;
		}
		dictionary->codes[kind] = count - 1;
		previous = kind;
	}
	dictionary->kind_count = count;
	dictionary->label_count = build_strings(dictionary->labels, dictionary->event_index,
											order, count, kinds, offsetof(EncoderKind, event));
	dictionary->channel_count = build_strings(dictionary->channels, dictionary->channel_index,
											  order, count, kinds, offsetof(EncoderKind, channel));
	dictionary->property_count = build_strings(dictionary->properties, dictionary->property_index,
											   order, count, kinds, offsetof(EncoderKind, properties));
	/* event labels are never NULL, so theirs count from 0 */
	for (uint32 i = 0; i < count; i++)
		dictionary->event_index[i]--;
	for (uint32 i = 0; i < event_count; i++)
		events[i].kind = dictionary->codes[events[i].kind];
}

/*
 * The same for a part of few events of a timeline, as a visit is: the dictionary
 * of the whole is sorted already, so the numbers of its entries stand for their
 * content.  There is nothing to free.
 */
void
dictionary_build_small_subset(Dictionary *dictionary, const TimelineView *view,
							  EncoderEvent *events, uint32 event_count)
{
	uint32		kinds[DICTIONARY_SMALL_SUBSET];
	uint32		channels[DICTIONARY_SMALL_SUBSET];
	uint32		properties[DICTIONARY_SMALL_SUBSET];

	StaticAssertStmt(DICTIONARY_SMALL_SUBSET <= DICTIONARY_INLINE_KINDS, "a small subset fits on the stack");
	allocate(dictionary, DICTIONARY_INLINE_KINDS);
	dictionary->kind_count = dictionary->label_count = 0;
	dictionary->channel_count = dictionary->property_count = 0;
	dictionary->has_values = false;
	for (uint32 i = 0; i < event_count; i++)
		dictionary->kind_count = insert_number(kinds, dictionary->kind_count, events[i].kind);
	for (uint32 k = 0; k < dictionary->kind_count; k++)
	{
		const TimelineKind *kind = &view->kinds[kinds[k]];

		if (k == 0 || kind->event != view->kinds[kinds[k - 1]].event)
			dictionary->labels[dictionary->label_count++] = view->labels[kind->event];
		dictionary->event_index[k] = dictionary->label_count - 1;
		if (kind->channel != 0)
			dictionary->channel_count = insert_number(channels, dictionary->channel_count, kind->channel);
		if (kind->properties != 0)
			dictionary->property_count = insert_number(properties, dictionary->property_count, kind->properties);
		dictionary->has_value[k] = kind->has_value;
		dictionary->has_values |= kind->has_value;
	}
	for (uint32 k = 0; k < dictionary->kind_count; k++)
	{
		const TimelineKind *kind = &view->kinds[kinds[k]];

		dictionary->channel_index[k] = kind->channel == 0 ? 0 : find_number(channels, kind->channel) + 1;
		dictionary->property_index[k] = kind->properties == 0 ? 0 : find_number(properties, kind->properties) + 1;
	}
	for (uint32 i = 0; i < dictionary->channel_count; i++)
		dictionary->channels[i] = view->channels[channels[i] - 1];
	for (uint32 i = 0; i < dictionary->property_count; i++)
		dictionary->properties[i] = view->properties[properties[i] - 1];
	for (uint32 i = 0; i < event_count; i++)
		events[i].kind = find_number(kinds, events[i].kind);
}

void
dictionary_free(Dictionary *dictionary)
{
	if (dictionary->order == dictionary->inline_numbers)
		return;
	pfree(dictionary->order);
	pfree(dictionary->labels);
	pfree(dictionary->has_value);
}

static void
allocate(Dictionary *dictionary, uint32 kind_count)
{
	dictionary->order = dictionary->inline_numbers;
	dictionary->labels = dictionary->inline_strings;
	dictionary->has_value = dictionary->inline_has_value;
	if (kind_count > DICTIONARY_INLINE_KINDS)
	{
		dictionary->order = palloc_extended(sizeof(uint32) * 5 * kind_count, MCXT_ALLOC_HUGE);
		dictionary->labels = palloc_extended(sizeof(TimelineString) * 3 * kind_count, MCXT_ALLOC_HUGE);
		dictionary->has_value = palloc_extended(kind_count, MCXT_ALLOC_HUGE);
	}
	dictionary->codes = dictionary->order + kind_count;
	dictionary->event_index = dictionary->codes + kind_count;
	dictionary->channel_index = dictionary->event_index + kind_count;
	dictionary->property_index = dictionary->channel_index + kind_count;
	dictionary->channels = dictionary->labels + kind_count;
	dictionary->properties = dictionary->channels + kind_count;
}

/*
 * Collects one member of the kinds, sorted and without repeats, and the index
 * + 1 of each kind's string in it, 0 for NULL.  Returns their number.
 */
static uint32
build_strings(TimelineString *strings, uint32 *indexes, const uint32 *order,
			  uint32 kind_count, const EncoderKind *kinds, Size member)
{
	uint32		found = 0;
	uint32		count = 0;

#define MEMBER(i) ((const TimelineString *) ((const char *) &kinds[order[i]] + member))

	for (uint32 i = 0; i < kind_count; i++)
	{
		const TimelineString *string = MEMBER(i);

		/* neighbours often agree, as kinds are sorted */
		if (string->bytes != NULL &&
			(found == 0 || compare_strings(&strings[found - 1], string) != 0))
			strings[found++] = *string;
	}
	sort_strings(strings, found);
	for (uint32 i = 0; i < found; i++)
	{
		if (i == 0 || compare_strings(&strings[count - 1], &strings[i]) != 0)
			strings[count++] = strings[i];
	}
	for (uint32 i = 0; i < kind_count; i++)
	{
		const TimelineString *string = MEMBER(i);
		uint32		low = 0;
		uint32		high = count;

		indexes[i] = 0;
		while (string->bytes != NULL && low < high)
		{
			uint32		middle = low + (high - low) / 2;
			int			order_of_two = compare_strings(string, &strings[middle]);

			if (order_of_two == 0)
			{
				indexes[i] = middle + 1;
				break;
			}
			if (order_of_two < 0)
				high = middle;
			else
				low = middle + 1;
		}
	}
#undef MEMBER
	return count;
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

/* Where a number is that is known to be there. */
static inline uint32
find_number(const uint32 *numbers, uint32 number)
{
	uint32		i = 0;

	while (numbers[i] != number)
		i++;
	return i;
}
