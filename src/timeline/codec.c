/*
 * codec.c
 *		Reading the bytes of a timeline: header, dictionary, validation.
 *
 * The format is described in codec.h, with the walk over the events, which is
 * inline there.  Nothing is believed: every count is held against the bytes
 * that are left, before anybody allocates by it.
 */
#include "timeline/codec.h"

static bool fail(TimelineView *view, TimelineFault fault, const uint8_t *byte);
static bool read_count(TimelineView *view, const uint8_t **byte, uint32_t *count);
static bool read_strings(TimelineView *view, const uint8_t **byte);
static bool read_kinds(TimelineView *view, const uint8_t **byte);
static bool skip_values(TimelineView *view, const uint8_t **byte);

/*
 * Reads the counts.  After this the caller sees to it that view->labels has
 * room for all strings and view->kinds for all kinds (the inline arrays are set
 * when they suffice), and goes on with timeline_read_dictionary().
 *
 * False at a fault: view->fault and view->fault_offset say which and where.
 */
bool
timeline_read_header(TimelineView *view, const void *bytes, size_t length)
{
	static const int64_t units[] = {1000000, 1000, 1};
	const uint8_t *byte = bytes;
	uint8_t		flags;

	view->start = byte;
	view->end = byte + length;
	view->fault = TIMELINE_OK;
	view->labels = view->inline_strings;
	view->kinds = view->inline_kinds;
	view->value_count = view->label_count = view->channel_count = view->property_count = 0;
	view->kind_count = view->event_count = 0;

	if (length < 3)
		return fail(view, TIMELINE_TRUNCATED, view->end);
	if (byte[0] != TIMELINE_VERSION)
		return fail(view, TIMELINE_BAD_VERSION, byte);
	flags = byte[1];
	if ((flags & ~TIMELINE_FLAGS_KNOWN) != 0 || (flags & 3) > TIMELINE_MICROSECONDS)
		return fail(view, TIMELINE_BAD_FLAGS, byte + 1);
	view->time_unit = units[flags & 3];
	view->value_unit = (TimelineValueUnit) (flags >> 2 & 3);
	byte += 2;

	if (!read_count(view, &byte, &view->event_count))
		return false;
	if (view->event_count == 0)
	{
		view->strings_start = byte;
		return flags == 0 || fail(view, TIMELINE_BAD_FLAGS, view->start + 1);
	}
	if ((view->value_unit != TIMELINE_NO_VALUES && !read_count(view, &byte, &view->value_count)) ||
		!read_count(view, &byte, &view->label_count) ||
		((flags & TIMELINE_FLAG_CHANNELS) && !read_count(view, &byte, &view->channel_count)) ||
		((flags & TIMELINE_FLAG_PROPERTIES) && !read_count(view, &byte, &view->property_count)) ||
		!read_count(view, &byte, &view->kind_count))
		return false;
	/* a kind nobody uses, or an event without a kind, is not canonical */
	if (view->label_count == 0 || view->kind_count == 0 || view->kind_count > view->event_count ||
		view->label_count > view->kind_count || view->channel_count > view->kind_count ||
		view->property_count > view->kind_count || view->value_count > view->event_count ||
		(uint64_t) view->label_count + view->channel_count + view->property_count +
		view->kind_count > (uint64_t) (view->end - byte))
		return fail(view, TIMELINE_BAD_COUNT, byte);
	view->strings_start = byte;
	return true;
}

/*
 * Reads strings and kinds into the arrays that the view points to, and finds
 * where codes, values and times start.  False at a fault.
 */
bool
timeline_read_dictionary(TimelineView *view)
{
	const uint8_t *byte = view->strings_start;

	view->channels = view->labels + view->label_count;
	view->properties = view->channels + view->channel_count;
	view->code_width = timeline_code_width(view->kind_count);
	if (!read_strings(view, &byte))
		return false;
	view->kinds_start = byte;
	if (!read_kinds(view, &byte))
		return false;

	view->codes = byte;
	if ((uint64_t) view->event_count * view->code_width > (uint64_t) (view->end - byte))
		return fail(view, TIMELINE_TRUNCATED, view->end);
	byte += (size_t) view->event_count * view->code_width;

	view->values = byte;
	if (!skip_values(view, &byte))
		return false;
	view->times = byte;
	return true;
}

/*
 * Walks over all events of untrusted bytes and checks what reading alone does
 * not need: that nothing follows the last event and that the values are as many
 * as announced.  Order within the dictionary is not checked: who accepts foreign
 * bytes encodes them anew.
 */
bool
timeline_validate(TimelineView *view)
{
	TimelineCursor cursor;
	uint32_t	value_count = 0;

	timeline_cursor_start(&cursor, view);
	while (timeline_next(&cursor))
		value_count += cursor.has_value;
	if (cursor.fault != TIMELINE_OK)
		return fail(view, cursor.fault, view->start + cursor.fault_offset);
	if (value_count != view->value_count)
		return fail(view, TIMELINE_BAD_COUNT, view->values);
	if (cursor.value_byte != view->times)
		return fail(view, TIMELINE_BAD_VALUE, cursor.value_byte);
	if (cursor.time_byte != view->end)
		return fail(view, TIMELINE_TRAILING_BYTES, cursor.time_byte);
	return true;
}

/* What a fault means, as the detail of an error message. */
const char *
timeline_fault_text(TimelineFault fault)
{
	switch (fault)
	{
		case TIMELINE_OK:
			return "no fault";
		case TIMELINE_TRUNCATED:
			return "the bytes end too early";
		case TIMELINE_BAD_VERSION:
			return "unknown format version";
		case TIMELINE_BAD_FLAGS:
			return "unknown flags";
		case TIMELINE_BAD_VARINT:
			return "a number is longer than it needs to be";
		case TIMELINE_BAD_COUNT:
			return "a count does not fit the others";
		case TIMELINE_BAD_KIND:
			return "an event refers to a kind that does not exist";
		case TIMELINE_BAD_TIME:
			return "a time is out of range";
		case TIMELINE_BAD_VALUE:
			return "a value is not a finite number in its unit";
		case TIMELINE_TRAILING_BYTES:
			return "bytes follow the last event";
	}
	return "unknown fault";
}

static bool
fail(TimelineView *view, TimelineFault fault, const uint8_t *byte)
{
	view->fault = fault;
	view->fault_offset = (size_t) (byte - view->start);
	return false;
}

/* Everything counted takes at least one byte, so no count exceeds the bytes left. */
static bool
read_count(TimelineView *view, const uint8_t **byte, uint32_t *count)
{
	uint64_t	number;
	TimelineFault fault = timeline_read_varint(byte, view->end, &number);

	if (fault != TIMELINE_OK)
		return fail(view, fault, *byte);
	if (number > (uint64_t) (view->end - *byte) || number > UINT32_MAX)
		return fail(view, TIMELINE_BAD_COUNT, *byte);
	*count = (uint32_t) number;
	return true;
}

static bool
read_strings(TimelineView *view, const uint8_t **byte)
{
	uint64_t	count = (uint64_t) view->label_count + view->channel_count + view->property_count;
	uint64_t	i;

	for (i = 0; i < count; i++)
	{
		uint32_t	length;

		if (!read_count(view, byte, &length))
			return false;
		view->labels[i].bytes = (const char *) *byte;
		view->labels[i].length = length;
		*byte += length;
	}
	return true;
}

static bool
read_kinds(TimelineView *view, const uint8_t **byte)
{
	uint32_t	i;

	for (i = 0; i < view->kind_count; i++)
	{
		TimelineKind *kind = &view->kinds[i];
		uint64_t	event;
		uint64_t	channel = 0;
		uint64_t	properties = 0;
		TimelineFault fault;

		fault = timeline_read_varint(byte, view->end, &event);
		if (fault == TIMELINE_OK && view->channel_count > 0)
			fault = timeline_read_varint(byte, view->end, &channel);
		if (fault == TIMELINE_OK && view->property_count > 0)
			fault = timeline_read_varint(byte, view->end, &properties);
		if (fault != TIMELINE_OK)
			return fail(view, fault, *byte);

		kind->has_value = view->value_unit != TIMELINE_NO_VALUES && (event & 1) != 0;
		if (view->value_unit != TIMELINE_NO_VALUES)
			event >>= 1;
		if (event >= view->label_count || channel > view->channel_count ||
			properties > view->property_count)
			return fail(view, TIMELINE_BAD_KIND, *byte);
		kind->event = (uint32_t) event;
		kind->channel = (uint32_t) channel;
		kind->properties = (uint32_t) properties;
	}
	return true;
}

static bool
skip_values(TimelineView *view, const uint8_t **byte)
{
	uint32_t	i;

	if (view->value_unit == TIMELINE_DOUBLES)
	{
		if ((uint64_t) view->value_count * 8 > (uint64_t) (view->end - *byte))
			return fail(view, TIMELINE_TRUNCATED, view->end);
		*byte += (size_t) view->value_count * 8;
		return true;
	}
	for (i = 0; i < view->value_count; i++)
	{
		uint64_t	number;
		TimelineFault fault = timeline_read_varint(byte, view->end, &number);

		if (fault != TIMELINE_OK)
			return fail(view, fault, *byte);
	}
	return true;
}
