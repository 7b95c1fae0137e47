/*
 * encoder.c
 *		Writing a timeline: from events in any order to its one canonical spelling.
 *
 * Equal multisets of events give equal bytes, whatever their order, because
 * everything is sorted by content: the strings of the dictionary, the kinds,
 * then the events by (time, kind, value).  Input that is sorted already costs
 * one comparison an event.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "timeline/encoder.h"

/* Work space for this many kinds is on the stack. */
#define INLINE_KINDS 24

/* Parts of up to this many events are encoded without a look at all kinds of the whole. */
#define SMALL_SUBSET 12

/* Events between two looks for an interrupt: some milliseconds. */
#define INTERRUPT_EVERY (1 << 20)

/* What is written before the events.  Arrays have room for all kinds given. */
typedef struct Dictionary
{
	uint32		kind_count;		/* kinds in use, without repeats */
	uint32		label_count;
	uint32		channel_count;
	uint32		property_count;
	bool		has_values;
	/* of each kind, in the order of their content: */
	uint32	   *event_index;
	uint32	   *channel_index;	/* index + 1 */
	uint32	   *property_index; /* index + 1 */
	bool	   *has_value;
	/* sorted, without repeats: */
	TimelineString *labels;
	TimelineString *channels;
	TimelineString *properties;
} Dictionary;

/* Arrays of a dictionary, and the numbers that it gives to the kinds. */
typedef struct DictionarySpace
{
	uint32	   *order;			/* kinds in use, by content */
	uint32	   *codes;			/* of each kind given, its number in the timeline */
	uint32		inline_numbers[5 * INLINE_KINDS];
	bool		inline_has_value[INLINE_KINDS];
	TimelineString inline_strings[3 * INLINE_KINDS];
} DictionarySpace;

static void allocate_dictionary(Dictionary *dictionary, DictionarySpace *space, uint32 kind_count);
static void free_dictionary(Dictionary *dictionary, DictionarySpace *space);
static void build_dictionary(Dictionary *dictionary, DictionarySpace *space,
							 const EncoderKind *kinds, uint32 kind_count,
							 const EncoderEvent *events, uint32 event_count);
static uint32 build_strings(TimelineString *strings, uint32 *indexes, const uint32 *order,
							uint32 kind_count, const EncoderKind *kinds, Size member);
static struct varlena *small_subset(const TimelineView *view, EncoderEvent *events, uint32 event_count);
static uint32 insert_number(uint32 *numbers, uint32 count, uint32 number);
static uint32 find_number(const uint32 *numbers, uint32 number);
static struct varlena *write_timeline(const Dictionary *dictionary, EncoderEvent *events, uint32 event_count);
static uint64 measure_timeline(const Dictionary *dictionary, EncoderEvent *events, uint32 event_count,
							   TimelineTimeUnit time_unit, TimelineValueUnit value_unit,
							   uint32 *value_count);
static void sort_events(EncoderEvent *events, uint32 event_count);
static TimelineTimeUnit find_time_unit(const EncoderEvent *events, uint32 event_count);
static TimelineValueUnit find_value_unit(const Dictionary *dictionary,
										 const EncoderEvent *events, uint32 event_count);
static uint64 encode_value(double value, TimelineValueUnit unit);

static inline uint8 *
write_strings(uint8 *out, const TimelineString *strings, uint32 count)
{
	for (uint32 i = 0; i < count; i++)
		out = timeline_write_string(out, &strings[i]);
	return out;
}

static inline uint64
strings_size(const TimelineString *strings, uint32 count)
{
	uint64		size = 0;

	for (uint32 i = 0; i < count; i++)
		size += timeline_varint_size(strings[i].length) + (uint64) strings[i].length;
	return size;
}

/* The label index of a kind as it is written. */
static inline uint64
kind_label(const Dictionary *dictionary, uint32 i)
{
	if (!dictionary->has_values)
		return dictionary->event_index[i];
	return (uint64) dictionary->event_index[i] << 1 | (dictionary->has_value[i] ? 1 : 0);
}

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

static inline int
compare_events(const EncoderEvent *a, const EncoderEvent *b)
{
	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return (a->value > b->value) - (a->value < b->value);
}

#define ST_SORT sort_encoder_events
#define ST_ELEMENT_TYPE EncoderEvent
#define ST_COMPARE(a, b) compare_events(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * The timeline of these events, in the current memory context.
 *
 * Kinds may be in any order, repeated or unused.  Times must be valid, values
 * finite; the value of an event whose kind has none must be 0.  The events are
 * overwritten.  A result over 1 GB is an error
 * (ERRCODE_PROGRAM_LIMIT_EXCEEDED) that names the number of events.
 */
struct varlena *
timeline_encode(const EncoderKind *kinds, uint32 kind_count,
				EncoderEvent *events, uint32 event_count)
{
	Dictionary	dictionary;
	DictionarySpace space;
	struct varlena *result;

	if (event_count == 0)
	{
		result = palloc(VARHDRSZ + 3);
		SET_VARSIZE(result, VARHDRSZ + 3);
		memcpy(VARDATA(result), "\001\000\000", 3);
		return result;
	}
	allocate_dictionary(&dictionary, &space, kind_count);
	build_dictionary(&dictionary, &space, kinds, kind_count, events, event_count);
	for (uint32 i = 0; i < event_count; i++)
		events[i].kind = space.codes[events[i].kind];
	result = write_timeline(&dictionary, events, event_count);
	free_dictionary(&dictionary, &space);
	return result;
}

/*
 * The timeline of some events of another, whose kinds they number; in the
 * current memory context.  The events are overwritten.
 */
struct varlena *
timeline_subset(const TimelineView *view, EncoderEvent *events, uint32 event_count)
{
	static const TimelineString null_string = {NULL, 0};
	EncoderKind *kinds;
	struct varlena *result;

	if (event_count == 0 || view->kind_count == 0)
		return timeline_encode(NULL, 0, NULL, 0);
	if (event_count <= SMALL_SUBSET)
		return small_subset(view, events, event_count);

	kinds = palloc_extended(sizeof(EncoderKind) * view->kind_count, MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < view->kind_count; i++)
	{
		const TimelineKind *kind = &view->kinds[i];

		kinds[i].event = view->labels[kind->event];
		kinds[i].channel = kind->channel == 0 ? null_string : view->channels[kind->channel - 1];
		kinds[i].properties = kind->properties == 0 ? null_string : view->properties[kind->properties - 1];
		kinds[i].has_value = kind->has_value;
	}
	result = timeline_encode(kinds, view->kind_count, events, event_count);
	pfree(kinds);
	return result;
}

static void
allocate_dictionary(Dictionary *dictionary, DictionarySpace *space, uint32 kind_count)
{
	space->order = space->inline_numbers;
	dictionary->labels = space->inline_strings;
	dictionary->has_value = space->inline_has_value;
	if (kind_count > INLINE_KINDS)
	{
		space->order = palloc_extended(sizeof(uint32) * 5 * kind_count, MCXT_ALLOC_HUGE);
		dictionary->labels = palloc_extended(sizeof(TimelineString) * 3 * kind_count, MCXT_ALLOC_HUGE);
		dictionary->has_value = palloc_extended(kind_count, MCXT_ALLOC_HUGE);
	}
	space->codes = space->order + kind_count;
	dictionary->event_index = space->codes + kind_count;
	dictionary->channel_index = dictionary->event_index + kind_count;
	dictionary->property_index = dictionary->channel_index + kind_count;
	dictionary->channels = dictionary->labels + kind_count;
	dictionary->properties = dictionary->channels + kind_count;
}

static void
free_dictionary(Dictionary *dictionary, DictionarySpace *space)
{
	if (space->order == space->inline_numbers)
		return;
	pfree(space->order);
	pfree(dictionary->labels);
	pfree(dictionary->has_value);
}

/* Numbers the kinds in use by content, and the strings that they use. */
static void
build_dictionary(Dictionary *dictionary, DictionarySpace *space,
				 const EncoderKind *kinds, uint32 kind_count,
				 const EncoderEvent *events, uint32 event_count)
{
	uint32	   *order = space->order;
	uint32		used = 0;
	uint32		count = 0;
	uint32		previous = 0;

	memset(space->codes, 0, sizeof(uint32) * kind_count);
	for (uint32 i = 0; i < event_count; i++)
		space->codes[events[i].kind] = 1;
	for (uint32 i = 0; i < kind_count; i++)
	{
		if (space->codes[i] != 0)
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
		space->codes[kind] = count - 1;
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

/*
 * The same for few events, as a visit has: the dictionary of the whole is sorted
 * already, so the numbers of its entries stand for their content.
 */
static struct varlena *
small_subset(const TimelineView *view, EncoderEvent *events, uint32 event_count)
{
	Dictionary	dictionary;
	DictionarySpace space;
	uint32		kinds[SMALL_SUBSET];
	uint32		channels[SMALL_SUBSET];
	uint32		properties[SMALL_SUBSET];

	StaticAssertStmt(SMALL_SUBSET <= INLINE_KINDS, "a small subset fits on the stack");
	allocate_dictionary(&dictionary, &space, INLINE_KINDS);
	dictionary.kind_count = dictionary.label_count = 0;
	dictionary.channel_count = dictionary.property_count = 0;
	dictionary.has_values = false;
	for (uint32 i = 0; i < event_count; i++)
		dictionary.kind_count = insert_number(kinds, dictionary.kind_count, events[i].kind);
	for (uint32 k = 0; k < dictionary.kind_count; k++)
	{
		const TimelineKind *kind = &view->kinds[kinds[k]];

		if (k == 0 || kind->event != view->kinds[kinds[k - 1]].event)
			dictionary.labels[dictionary.label_count++] = view->labels[kind->event];
		dictionary.event_index[k] = dictionary.label_count - 1;
		if (kind->channel != 0)
			dictionary.channel_count = insert_number(channels, dictionary.channel_count, kind->channel);
		if (kind->properties != 0)
			dictionary.property_count = insert_number(properties, dictionary.property_count, kind->properties);
		dictionary.has_value[k] = kind->has_value;
		dictionary.has_values |= kind->has_value;
	}
	for (uint32 k = 0; k < dictionary.kind_count; k++)
	{
		const TimelineKind *kind = &view->kinds[kinds[k]];

		dictionary.channel_index[k] = kind->channel == 0 ? 0 : find_number(channels, kind->channel) + 1;
		dictionary.property_index[k] = kind->properties == 0 ? 0 : find_number(properties, kind->properties) + 1;
	}
	for (uint32 i = 0; i < dictionary.channel_count; i++)
		dictionary.channels[i] = view->channels[channels[i] - 1];
	for (uint32 i = 0; i < dictionary.property_count; i++)
		dictionary.properties[i] = view->properties[properties[i] - 1];
	for (uint32 i = 0; i < event_count; i++)
		events[i].kind = find_number(kinds, events[i].kind);
	return write_timeline(&dictionary, events, event_count);
}

/* Inserts into a sorted array unless it is there; returns how many there are. */
static uint32
insert_number(uint32 *numbers, uint32 count, uint32 number)
{
	uint32		i = count;

	while (i > 0 && numbers[i - 1] > number)
		i--;
	if (i > 0 && numbers[i - 1] == number)
		return count;
	memmove(&numbers[i + 1], &numbers[i], (count - i) * sizeof(uint32));
	numbers[i] = number;
	return count + 1;
}

/* Where a number is that is known to be there. */
static uint32
find_number(const uint32 *numbers, uint32 number)
{
	uint32		i = 0;

	while (numbers[i] != number)
		i++;
	return i;
}

/* Events refer to the kinds of the dictionary; they are sorted here, and overwritten. */
static struct varlena *
write_timeline(const Dictionary *dictionary, EncoderEvent *events, uint32 event_count)
{
	TimelineTimeUnit time_unit;
	TimelineValueUnit value_unit;
	uint32		code_width = timeline_code_width(dictionary->kind_count);
	uint32		value_count;
	uint64		size;
	struct varlena *result;
	uint8	   *out;

	sort_events(events, event_count);
	time_unit = find_time_unit(events, event_count);
	value_unit = find_value_unit(dictionary, events, event_count);
	size = measure_timeline(dictionary, events, event_count, time_unit, value_unit, &value_count);
	if (size > MaxAllocSize - VARHDRSZ)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("timeline of %u events is too large", event_count),
				 errdetail("It would take " UINT64_FORMAT " bytes; the limit is %zu.",
						   size, (size_t) (MaxAllocSize - VARHDRSZ)),
				 errhint("Leave out properties that differ in each event, or group by visitor and year.")));
	result = palloc(VARHDRSZ + size);
	SET_VARSIZE(result, VARHDRSZ + size);
	out = (uint8 *) VARDATA(result);

	*out++ = TIMELINE_VERSION;
	*out++ = (uint8) (time_unit | value_unit << 2 |
					  (dictionary->channel_count > 0 ? TIMELINE_FLAG_CHANNELS : 0) |
					  (dictionary->property_count > 0 ? TIMELINE_FLAG_PROPERTIES : 0));
	out = timeline_write_varint(out, event_count);
	if (dictionary->has_values)
		out = timeline_write_varint(out, value_count);
	out = timeline_write_varint(out, dictionary->label_count);
	if (dictionary->channel_count > 0)
		out = timeline_write_varint(out, dictionary->channel_count);
	if (dictionary->property_count > 0)
		out = timeline_write_varint(out, dictionary->property_count);
	out = timeline_write_varint(out, dictionary->kind_count);
	out = write_strings(out, dictionary->labels, dictionary->label_count);
	out = write_strings(out, dictionary->channels, dictionary->channel_count);
	out = write_strings(out, dictionary->properties, dictionary->property_count);
	for (uint32 i = 0; i < dictionary->kind_count; i++)
	{
		out = timeline_write_varint(out, kind_label(dictionary, i));
		if (dictionary->channel_count > 0)
			out = timeline_write_varint(out, dictionary->channel_index[i]);
		if (dictionary->property_count > 0)
			out = timeline_write_varint(out, dictionary->property_index[i]);
	}
	for (uint32 i = 0; code_width > 0 && i < event_count; i++)
	{
		for (uint32 b = 0; b < code_width; b++)
			*out++ = (uint8) (events[i].kind >> (8 * b));
	}
	for (uint32 i = 0; dictionary->has_values && i < event_count; i++)
	{
		if (!dictionary->has_value[events[i].kind])
			continue;
		if (value_unit == TIMELINE_DOUBLES)
		{
			uint64		bits;

			memcpy(&bits, &events[i].value, 8);
			for (int b = 0; b < 8; b++)
				*out++ = (uint8) (bits >> (8 * b));
		}
		else
			out = timeline_write_varint(out, encode_value(events[i].value, value_unit));
	}
	for (uint32 i = 0; i < event_count; i++)
	{
		if (i % INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		out = timeline_write_varint(out, (uint64) events[i].at);
	}
	Assert(out == (uint8 *) result + VARSIZE(result));
	return result;
}

/*
 * The exact size in bytes, and the number of values.  The events' times become
 * what is written of them.
 */
static uint64
measure_timeline(const Dictionary *dictionary, EncoderEvent *events, uint32 event_count,
				 TimelineTimeUnit time_unit, TimelineValueUnit value_unit, uint32 *value_count)
{
	uint32		values = 0;
	int64		previous = 0;
	uint64		size;

	size = 2 + timeline_varint_size(event_count) + timeline_varint_size(dictionary->label_count) +
		timeline_varint_size(dictionary->kind_count);
	if (dictionary->channel_count > 0)
		size += timeline_varint_size(dictionary->channel_count);
	if (dictionary->property_count > 0)
		size += timeline_varint_size(dictionary->property_count);
	size += strings_size(dictionary->labels, dictionary->label_count) +
		strings_size(dictionary->channels, dictionary->channel_count) +
		strings_size(dictionary->properties, dictionary->property_count);
	for (uint32 i = 0; i < dictionary->kind_count; i++)
	{
		size += timeline_varint_size(kind_label(dictionary, i));
		if (dictionary->channel_count > 0)
			size += timeline_varint_size(dictionary->channel_index[i]);
		if (dictionary->property_count > 0)
			size += timeline_varint_size(dictionary->property_index[i]);
	}
	size += (uint64) event_count * timeline_code_width(dictionary->kind_count);

	for (uint32 i = 0; i < event_count; i++)
	{
		int64		at = events[i].at;

		if (i % INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		/* each division by a constant of its own, which is a multiplication */
		if (time_unit == TIMELINE_SECONDS)
			at /= 1000000;
		else if (time_unit == TIMELINE_MILLISECONDS)
			at /= 1000;
		events[i].at = i == 0 ? (int64) timeline_zigzag(at) : (int64) ((uint64) at - (uint64) previous);
		size += timeline_varint_size((uint64) events[i].at);
		previous = at;
		if (dictionary->has_value[events[i].kind])
		{
			values++;
			size += value_unit == TIMELINE_DOUBLES ? 8 :
				timeline_varint_size(encode_value(events[i].value, value_unit));
		}
	}
	if (dictionary->has_values)
		size += timeline_varint_size(values);
	*value_count = values;
	return size;
}

static void
sort_events(EncoderEvent *events, uint32 event_count)
{
	for (uint32 i = 1; i < event_count; i++)
	{
		if (compare_events(&events[i - 1], &events[i]) > 0)
		{
			sort_encoder_events(events, event_count);
			return;
		}
	}
}

/* The coarsest unit that loses nothing. */
static TimelineTimeUnit
find_time_unit(const EncoderEvent *events, uint32 event_count)
{
	uint32		i = 0;

	while (i < event_count && events[i].at % 1000000 == 0)
		i++;
	if (i == event_count)
		return TIMELINE_SECONDS;
	while (i < event_count && events[i].at % 1000 == 0)
		i++;
	return i == event_count ? TIMELINE_MILLISECONDS : TIMELINE_MICROSECONDS;
}

static TimelineValueUnit
find_value_unit(const Dictionary *dictionary, const EncoderEvent *events, uint32 event_count)
{
	const bool *has_value = dictionary->has_value;
	TimelineValueUnit unit = TIMELINE_WHOLE;

	if (!dictionary->has_values)
		return TIMELINE_NO_VALUES;
	for (uint32 i = 0; i < event_count; i++)
	{
		double		value = events[i].value;

		if (!has_value[events[i].kind])
			continue;
		if (unit == TIMELINE_WHOLE &&
			!(value == rint(value) && fabs(value) <= (double) TIMELINE_MAX_EXACT))
			unit = TIMELINE_HUNDREDTHS;
		if (unit == TIMELINE_HUNDREDTHS)
		{
			double		hundredths = rint(value * 100.0);

			if (!(fabs(hundredths) <= (double) TIMELINE_MAX_EXACT && hundredths / 100.0 == value))
				return TIMELINE_DOUBLES;
		}
	}
	/* whole numbers were not tried as hundredths before the unit changed */
	for (uint32 i = 0; unit == TIMELINE_HUNDREDTHS && i < event_count; i++)
	{
		if (has_value[events[i].kind] &&
			!(fabs(events[i].value * 100.0) <= (double) TIMELINE_MAX_EXACT))
			return TIMELINE_DOUBLES;
	}
	return unit;
}

static uint64
encode_value(double value, TimelineValueUnit unit)
{
	return timeline_zigzag((int64) rint(unit == TIMELINE_WHOLE ? value : value * 100.0));
}
