/*
 * encoder.c
 *		Writing a timeline: from events in any order to its one canonical spelling.
 *
 * Equal multisets of events give equal bytes, whatever their order: the
 * dictionary is a selection from a sorted one, and events are sorted by (time, kind,
 * value).  Events that are sorted already cost one comparison each.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "timeline/dictionary.h"
#include "timeline/encoder.h"

/* What is written besides the dictionary and the events themselves. */
typedef struct Layout
{
	uint32		event_count;
	uint32		value_count;
	TimelineTimeUnit time_unit;
	TimelineValueUnit value_unit;
} Layout;

static inline TimelineDictionary dictionary_of_view(const TimelineView *view);
static struct varlena *write_timeline(const PartDictionary *dictionary, EncoderEvent *events, uint32 event_count);
static bool may_print_long(uint64 size, uint32 event_count);
static uint64 text_size(const PartDictionary *dictionary, uint32 time_length,
						const EncoderEvent *events, uint32 event_count);
static uint32 time_text_size(int64 first, int64 last, TimelineTimeUnit unit);
static uint64 label_text_size(const TimelineString *label);
static uint64 properties_text_size(const TimelineString *properties);
static bool keeps_units(const TimelineView *view, const TimelineRun *run);
static uint64 measure_head(const PartDictionary *dictionary, const Layout *layout);
static uint8 *write_head(uint8 *out, const PartDictionary *dictionary, const Layout *layout);
static uint8 *write_codes(uint8 *out, const PartDictionary *dictionary, const EncoderEvent *events,
						  uint32 event_count);
static uint64 measure_events(const PartDictionary *dictionary, Layout *layout, EncoderEvent *events);
static void sort_events(EncoderEvent *events, uint32 event_count);
static TimelineTimeUnit find_time_unit(const EncoderEvent *events, uint32 event_count);
static TimelineValueUnit find_value_unit(const PartDictionary *dictionary,
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
		size += varint_size(strings[i].length) + (uint64) strings[i].length;
	return size;
}

/* The label index of a kind as it is written. */
static inline uint64
kind_label(const PartDictionary *dictionary, uint32 i)
{
	if (!dictionary->has_values)
		return dictionary->part.kinds[i].event;
	return (uint64) dictionary->part.kinds[i].event << 1 | (dictionary->part.kinds[i].has_value ? 1 : 0);
}

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

/* A timeline without events, in the current memory context. */
struct varlena *
timeline_empty(void)
{
	struct varlena *result = palloc(VARHDRSZ + 3);

	SET_VARSIZE(result, VARHDRSZ + 3);
	memcpy(VARDATA(result), "\001\000\000", 3);
	return result;
}

/*
 * The timeline of events, in the current memory context.
 *
 * The events refer to kinds of the dictionary and may be in any order.  Times must
 * be valid, values finite; the value of an event whose kind has none must be 0.  The
 * events are overwritten.  A result over 1 GB is an error
 * (ERRCODE_PROGRAM_LIMIT_EXCEEDED) that names the number of events.
 */
struct varlena *
timeline_encode(const TimelineDictionary *whole, EncoderEvent *events, uint32 event_count)
{
	PartDictionary dictionary;
	struct varlena *result;

	if (event_count == 0)
		return timeline_empty();
	part_dictionary_build(&dictionary, whole, events, event_count);
	result = write_timeline(&dictionary, events, event_count);
	part_dictionary_free(&dictionary);
	return result;
}

/* The timeline of some events of another, in the current memory context; likewise. */
struct varlena *
timeline_subset(const TimelineView *view, EncoderEvent *events, uint32 event_count)
{
	TimelineDictionary whole = dictionary_of_view(view);

	return timeline_encode(&whole, events, event_count);
}

static inline TimelineDictionary
dictionary_of_view(const TimelineView *view)
{
	TimelineDictionary dictionary = {
		view->label_count, view->channel_count, view->property_count, view->kind_count,
		view->labels, view->channels, view->properties, view->kinds
	};

	return dictionary;
}

/* Events refer to the kinds of the dictionary; they are sorted here, and overwritten. */
static struct varlena *
write_timeline(const PartDictionary *dictionary, EncoderEvent *events, uint32 event_count)
{
	Layout		layout = {event_count};
	uint32		time_length;
	uint64		size;
	struct varlena *result;
	uint8	   *out;

	sort_events(events, event_count);
	layout.time_unit = find_time_unit(events, event_count);
	layout.value_unit = find_value_unit(dictionary, events, event_count);
	time_length = time_text_size(events[0].at, events[event_count - 1].at, layout.time_unit);
	size = measure_events(dictionary, &layout, events);
	size += measure_head(dictionary, &layout);
	if (size > MaxAllocSize - VARHDRSZ ||
		(may_print_long(size, event_count) &&
		 text_size(dictionary, time_length, events, event_count) > TIMELINE_MAX_TEXT))
		timeline_too_large(event_count);
	result = palloc(VARHDRSZ + size);
	SET_VARSIZE(result, VARHDRSZ + size);
	out = write_head((uint8 *) VARDATA(result), dictionary, &layout);
	out = write_codes(out, dictionary, events, event_count);
	for (uint32 i = 0; dictionary->has_values && i < event_count; i++)
	{
		if (!dictionary->part.kinds[events[i].kind].has_value)
			continue;
		if (layout.value_unit == TIMELINE_DOUBLES)
		{
			uint64		bits;

			memcpy(&bits, &events[i].value, 8);
			for (int b = 0; b < 8; b++)
				*out++ = (uint8) (bits >> (8 * b));
		}
		else
			out = varint_write(out, encode_value(events[i].value, layout.value_unit));
	}
	for (uint32 i = 0; i < event_count; i++)
	{
		if (i % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		out = varint_write(out, (uint64) events[i].at);
	}
	Assert(out == (uint8 *) result + VARSIZE(result));
	return result;
}

/*
 * The error for a timeline that would not fit into 1 GB, stored or as text: one
 * that could be stored but not printed would make pg_dump fail.
 */
void
timeline_too_large(uint32 event_count)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("timeline of %u events is too large", event_count),
			 errdetail("Its stored form or its text form, as pg_dump writes it, would come close to 1 GB or exceed it."),
			 errhint("Leave out long properties, or group by visitor and year.")));
}

/* A rough look that spares nearly all timelines the exact one: no event is longer than all strings. */
static bool
may_print_long(uint64 size, uint32 event_count)
{
	return (4 * size + 100) * event_count > TIMELINE_MAX_TEXT;
}

/* At most this many bytes make the text form in the lines that COPY writes. */
static uint64
text_size(const PartDictionary *dictionary, uint32 time_length,
		  const EncoderEvent *events, uint32 event_count)
{
	const TimelineDictionary *part = &dictionary->part;
	uint64	   *kind_sizes = palloc_extended(sizeof(uint64) * (Size) part->kind_count, MCXT_ALLOC_HUGE);
	uint64		label_size = 0;
	uint64		size = 2;

	for (uint32 i = 0; i < part->kind_count; i++)
	{
		const TimelineKind *kind = &part->kinds[i];

		if (i == 0 || kind->event != part->kinds[i - 1].event)
			label_size = label_text_size(&part->labels[kind->event]);
		/* the blank after the time, and the comma and blank after the event */
		kind_sizes[i] = time_length + 3 + label_size;
		if (kind->channel != 0)
			kind_sizes[i] += 1 + label_text_size(&part->channels[kind->channel - 1]);
		if (kind->has_value)
			kind_sizes[i] += 2 + 24;
		if (kind->properties != 0)
			kind_sizes[i] += 1 + properties_text_size(&part->properties[kind->properties - 1]);
		CHECK_FOR_INTERRUPTS();
	}
	for (uint32 i = 0; i < event_count; i++)
	{
		size += kind_sizes[events[i].kind];
		if (i % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	pfree(kind_sizes);
	return size;
}

/* The longest of the times between two, as iso_time_print() writes it. */
static uint32
time_text_size(int64 first, int64 last, TimelineTimeUnit unit)
{
	/* from the year 1 to the end of 9999 there is no sign */
	const int64 year_1 = INT64CONST(-63082281600) * 1000000;
	const int64 year_10000 = INT64CONST(252455616000) * 1000000;

	return (first < year_1 ? 21 : last >= year_10000 ? 23 : 20) +
		(unit == TIMELINE_SECONDS ? 0 : unit == TIMELINE_MILLISECONDS ? 4 : 7) +
		(first < year_1 && last >= year_10000 ? 2 : 0);
}

/* With quotes and backslashes where append_label() writes them; COPY doubles backslashes. */
static uint64
label_text_size(const TimelineString *label)
{
	uint64		size = label->length;
	bool		is_quoted = label->length == 0;

	for (uint32 i = 0; i < label->length; i++)
	{
		char		c = label->bytes[i];

		if (timeline_is_plain(c))
			continue;
		is_quoted = true;
		size += c == '\\' ? 3 : c == '"' ? 2 : (unsigned char) c < ' ' ? 1 : 0;
	}
	return size + (is_quoted ? 2 : 0);
}

static uint64
properties_text_size(const TimelineString *properties)
{
	uint64		size = properties->length;

	for (uint32 i = 0; i < properties->length; i++)
		size += properties->bytes[i] == '\\';
	return size;
}

/*
 * The timeline of a run of events that follow each other in another, as those of
 * a visit do; in the current memory context.  Where the units are the same, which
 * they mostly are, the times and values are copied as they are written.
 */
struct varlena *
timeline_of_run(const TimelineView *view, const TimelineRun *run)
{
	TimelineDictionary whole = dictionary_of_view(view);
	PartDictionary dictionary;
	Layout		layout = {run->event_count};
	Size		value_size = run->values_end - run->values;
	Size		time_size = run->times_end - run->times;
	uint64		first_time;
	uint64		size;
	struct varlena *result;
	uint8	   *out;

	if (!keeps_units(view, run))
		return timeline_encode(&whole, run->events, run->event_count);

	part_dictionary_build(&dictionary, &whole, run->events, run->event_count);
	layout.time_unit = view->time_unit == 1000000 ? TIMELINE_SECONDS :
		view->time_unit == 1000 ? TIMELINE_MILLISECONDS : TIMELINE_MICROSECONDS;
	layout.value_unit = dictionary.has_values ? view->value_unit : TIMELINE_NO_VALUES;
	for (uint32 i = 0; dictionary.has_values && i < run->event_count; i++)
		layout.value_count += dictionary.part.kinds[run->events[i].kind].has_value;
	first_time = timeline_zigzag(run->events[0].at / view->time_unit);

	size = measure_head(&dictionary, &layout) +
		(Size) run->event_count * timeline_code_width(dictionary.part.kind_count) +
		value_size + varint_size(first_time) + time_size;
	result = palloc(VARHDRSZ + size);
	SET_VARSIZE(result, VARHDRSZ + size);
	out = write_head((uint8 *) VARDATA(result), &dictionary, &layout);
	out = write_codes(out, &dictionary, run->events, run->event_count);
	memcpy(out, run->values, value_size);
	out = varint_write(out + value_size, first_time);
	memcpy(out, run->times, time_size);
	Assert(out + time_size == (uint8 *) result + VARSIZE(result));
	part_dictionary_free(&dictionary);
	return result;
}

/* Whether the run by itself would be written in the same units as the whole. */
static bool
keeps_units(const TimelineView *view, const TimelineRun *run)
{
	int64		coarser = view->time_unit * 1000;

	/* a visit with values in hundredths or doubles might do with a coarser unit */
	if (run->values_end != run->values && view->value_unit != TIMELINE_WHOLE)
		return false;
	if (view->time_unit == 1000000)
		return true;
	for (uint32 i = 0; i < run->event_count; i++)
	{
		if (run->events[i].at % coarser != 0)
			return true;
	}
	return false;
}

/* The size of everything before the codes. */
static uint64
measure_head(const PartDictionary *dictionary, const Layout *layout)
{
	uint64		size;

	size = 2 + varint_size(layout->event_count) + varint_size(dictionary->part.label_count) +
		varint_size(dictionary->part.kind_count) +
		strings_size(dictionary->part.labels, dictionary->part.label_count);
	if (dictionary->has_values)
		size += varint_size(layout->value_count);
	if (dictionary->part.channel_count > 0)
		size += varint_size(dictionary->part.channel_count) +
			strings_size(dictionary->part.channels, dictionary->part.channel_count);
	if (dictionary->part.property_count > 0)
		size += varint_size(dictionary->part.property_count) +
			strings_size(dictionary->part.properties, dictionary->part.property_count);
	for (uint32 i = 0; i < dictionary->part.kind_count; i++)
	{
		size += varint_size(kind_label(dictionary, i));
		if (dictionary->part.channel_count > 0)
			size += varint_size(dictionary->part.kinds[i].channel);
		if (dictionary->part.property_count > 0)
			size += varint_size(dictionary->part.kinds[i].properties);
	}
	return size;
}

static uint8 *
write_head(uint8 *out, const PartDictionary *dictionary, const Layout *layout)
{
	*out++ = TIMELINE_VERSION;
	*out++ = (uint8) (layout->time_unit | layout->value_unit << 2 |
					  (dictionary->part.channel_count > 0 ? TIMELINE_FLAG_CHANNELS : 0) |
					  (dictionary->part.property_count > 0 ? TIMELINE_FLAG_PROPERTIES : 0));
	out = varint_write(out, layout->event_count);
	if (dictionary->has_values)
		out = varint_write(out, layout->value_count);
	out = varint_write(out, dictionary->part.label_count);
	if (dictionary->part.channel_count > 0)
		out = varint_write(out, dictionary->part.channel_count);
	if (dictionary->part.property_count > 0)
		out = varint_write(out, dictionary->part.property_count);
	out = varint_write(out, dictionary->part.kind_count);
	out = write_strings(out, dictionary->part.labels, dictionary->part.label_count);
	out = write_strings(out, dictionary->part.channels, dictionary->part.channel_count);
	out = write_strings(out, dictionary->part.properties, dictionary->part.property_count);
	for (uint32 i = 0; i < dictionary->part.kind_count; i++)
	{
		out = varint_write(out, kind_label(dictionary, i));
		if (dictionary->part.channel_count > 0)
			out = varint_write(out, dictionary->part.kinds[i].channel);
		if (dictionary->part.property_count > 0)
			out = varint_write(out, dictionary->part.kinds[i].properties);
	}
	return out;
}

static uint8 *
write_codes(uint8 *out, const PartDictionary *dictionary, const EncoderEvent *events, uint32 event_count)
{
	uint32		width = timeline_code_width(dictionary->part.kind_count);

	for (uint32 i = 0; width > 0 && i < event_count; i++)
	{
		for (uint32 b = 0; b < width; b++)
			*out++ = (uint8) (events[i].kind >> (8 * b));
	}
	return out;
}

/*
 * The exact size of codes, values and times, and the number of values.  The
 * events' times become what is written of them.
 */
static uint64
measure_events(const PartDictionary *dictionary, Layout *layout, EncoderEvent *events)
{
	int64		previous = 0;
	uint64		size = (uint64) layout->event_count * timeline_code_width(dictionary->part.kind_count);

	for (uint32 i = 0; i < layout->event_count; i++)
	{
		int64		at = events[i].at;

		if (i % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		/* each division by a constant of its own, which is a multiplication */
		if (layout->time_unit == TIMELINE_SECONDS)
			at /= 1000000;
		else if (layout->time_unit == TIMELINE_MILLISECONDS)
			at /= 1000;
		events[i].at = i == 0 ? (int64) timeline_zigzag(at) : (int64) ((uint64) at - (uint64) previous);
		size += varint_size((uint64) events[i].at);
		previous = at;
		if (dictionary->part.kinds[events[i].kind].has_value)
		{
			layout->value_count++;
			size += layout->value_unit == TIMELINE_DOUBLES ? 8 :
				varint_size(encode_value(events[i].value, layout->value_unit));
		}
	}
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
find_value_unit(const PartDictionary *dictionary, const EncoderEvent *events, uint32 event_count)
{
	const TimelineKind *kinds = dictionary->part.kinds;
	TimelineValueUnit unit = TIMELINE_WHOLE;

	if (!dictionary->has_values)
		return TIMELINE_NO_VALUES;
	for (uint32 i = 0; i < event_count; i++)
	{
		double		value = events[i].value;

		if (!kinds[events[i].kind].has_value)
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
		if (kinds[events[i].kind].has_value &&
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
