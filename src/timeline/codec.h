/*
 * codec.h
 *		The bytes of a timeline, and the reader of them.
 *
 * Plain C: no PostgreSQL header, no allocation, no error exit, so that a
 * fuzzer links it alone.  Whoever reads gets a code and an offset, and decides
 * what to do with them.
 *
 * The same bytes are stored and sent (sent ones with their strings in the
 * client's encoding).  All integers are little-endian; a varint has seven bits
 * a byte, least significant first, and is never longer than it needs to be.
 *
 *	byte	version				1
 *	byte	flags				bits 0-1 time unit, 2-3 value unit, 4 channels, 5 properties
 *	varint	event count			0: nothing follows
 *	varint	value count			only with a value unit: events that have a value
 *	varint	event label count
 *	varint	channel count		only with the channels flag
 *	varint	properties count	only with the properties flag
 *	varint	kind count
 *	strings						event labels, channels, properties: varint length, bytes;
 *								each of the three sorted by memcmp, without repeats
 *	kinds						ascending, without repeats: varint label index, doubled and
 *								plus 1 if its events have a value when there is a value unit;
 *								varint channel index + 1 (0: NULL), varint properties index + 1
 *	codes						one kind number an event, of 0 (one kind), 1, 2 or 4 bytes
 *	values						zigzag varints in whole units or hundredths, or 8-byte doubles
 *	times						zigzag varint of the first, in time units from 2000-01-01;
 *								then the varint distance from each to the next
 *
 * Units are the coarsest that lose nothing; with no value there is no value unit.
 * Choosing them so is part of the format, as equality compares bytes: whoever adds
 * a version compares timelines of different versions by their events.
 *
 * A kind is what distinguishes events besides time and value: (event, channel,
 * properties, has a value).  As kinds are sorted, events at one instant are in
 * the order of their codes, so there is one spelling for one content.
 */
#ifndef ENGAGEMENT_TIMELINE_CODEC_H
#define ENGAGEMENT_TIMELINE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/varint.h"

#define TIMELINE_VERSION 1

#define TIMELINE_FLAG_CHANNELS 0x10
#define TIMELINE_FLAG_PROPERTIES 0x20
#define TIMELINE_FLAGS_KNOWN 0x3f

typedef enum TimelineTimeUnit
{
	TIMELINE_SECONDS = 0,
	TIMELINE_MILLISECONDS = 1,
	TIMELINE_MICROSECONDS = 2
} TimelineTimeUnit;

typedef enum TimelineValueUnit
{
	TIMELINE_NO_VALUES = 0,
	TIMELINE_WHOLE = 1,
	TIMELINE_HUNDREDTHS = 2,
	TIMELINE_DOUBLES = 3
} TimelineValueUnit;

/* The range of timestamptz, from PostgreSQL's MIN_TIMESTAMP to before END_TIMESTAMP. */
#define TIMELINE_MIN_AT INT64_C(-211813488000000000)
#define TIMELINE_MAX_AT INT64_C(9223371331199999999)

/* Integers up to this size are doubles without loss. */
#define TIMELINE_MAX_EXACT (INT64_C(1) << 53)

typedef enum TimelineFault
{
	TIMELINE_OK = 0,
	TIMELINE_TRUNCATED,
	TIMELINE_BAD_VERSION,
	TIMELINE_BAD_FLAGS,
	TIMELINE_BAD_VARINT,
	TIMELINE_BAD_COUNT,
	TIMELINE_BAD_KIND,
	TIMELINE_BAD_TIME,
	TIMELINE_BAD_VALUE,
	TIMELINE_TRAILING_BYTES
} TimelineFault;

typedef struct TimelineString
{
	const char *bytes;			/* not terminated */
	uint32_t	length;
} TimelineString;

typedef struct TimelineKind
{
	uint32_t	event;			/* index of the event label */
	uint32_t	channel;		/* index of the channel + 1; 0: NULL */
	uint32_t	properties;		/* index of the properties + 1; 0: NULL */
	bool		has_value;
} TimelineKind;

/* Kinds and their strings; all four arrays are sorted and without repeats. */
typedef struct TimelineDictionary
{
	uint32_t	label_count;
	uint32_t	channel_count;
	uint32_t	property_count;
	uint32_t	kind_count;
	TimelineString *labels;
	TimelineString *channels;
	TimelineString *properties;
	TimelineKind *kinds;
} TimelineDictionary;

/* Events between two looks for an interrupt in a walk: some milliseconds. */
#define TIMELINE_INTERRUPT_EVERY (1 << 20)

/* Most timelines fit into arrays of this size on the caller's stack. */
#define TIMELINE_INLINE_STRINGS 40
#define TIMELINE_INLINE_KINDS 40

/* A timeline's header and dictionary, and where its events start. */
typedef struct TimelineView
{
	const uint8_t *start;
	const uint8_t *end;
	const uint8_t *strings_start;
	const uint8_t *kinds_start;
	const uint8_t *codes;
	const uint8_t *values;
	const uint8_t *times;
	uint32_t	event_count;
	uint32_t	value_count;
	uint32_t	label_count;
	uint32_t	channel_count;
	uint32_t	property_count;
	uint32_t	kind_count;
	uint32_t	code_width;
	TimelineValueUnit value_unit;
	int64_t		time_unit;		/* microseconds */
	TimelineString *labels;		/* channels and properties follow in the same array */
	TimelineString *channels;
	TimelineString *properties;
	TimelineKind *kinds;
	TimelineFault fault;
	size_t		fault_offset;
	TimelineString inline_strings[TIMELINE_INLINE_STRINGS];
	TimelineKind inline_kinds[TIMELINE_INLINE_KINDS];
} TimelineView;

/* A walk over the events in order; the fields from at on are the current event. */
typedef struct TimelineCursor
{
	const uint8_t *code;
	const uint8_t *value_byte;
	const uint8_t *time_byte;
	const uint8_t *end;
	const TimelineKind *kinds;
	const uint8_t *start;
	uint32_t	remaining;
	uint32_t	kind_count;
	uint32_t	code_width;
	TimelineValueUnit value_unit;
	int64_t		time_unit;
	int64_t		units;			/* the current time in time units */
	int64_t		max_units;
	bool		is_first;
	TimelineFault fault;
	size_t		fault_offset;
	int64_t		at;				/* microseconds from 2000-01-01, as timestamptz */
	uint32_t	kind;
	bool		has_value;
	double		value;
} TimelineCursor;

extern bool timeline_read_header(TimelineView *view, const void *bytes, size_t length);
extern bool timeline_read_dictionary(TimelineView *view);
extern bool timeline_validate(TimelineView *view);
extern const char *timeline_fault_text(TimelineFault fault);

/* How many bytes the code of one of so many kinds takes. */
static inline uint32_t
timeline_code_width(uint32_t kind_count)
{
	return kind_count <= 1 ? 0 : kind_count <= 0x100 ? 1 : kind_count <= 0x10000 ? 2 : 4;
}

static inline TimelineFault
timeline_read_varint(const uint8_t **byte, const uint8_t *end, uint64_t *number)
{
	VarintFault fault = varint_read(byte, end, number);

	return fault == VARINT_OK ? TIMELINE_OK : fault == VARINT_TRUNCATED ? TIMELINE_TRUNCATED : TIMELINE_BAD_VARINT;
}

static inline int64_t
timeline_unzigzag(uint64_t number)
{
	return (int64_t) (number >> 1) ^ -(int64_t) (number & 1);
}

static inline uint64_t
timeline_zigzag(int64_t number)
{
	return ((uint64_t) number << 1) ^ (uint64_t) (number >> 63);
}

static inline uint8_t *
timeline_write_string(uint8_t *out, const TimelineString *string)
{
	out = varint_write(out, string->length);
	memcpy(out, string->bytes, string->length);
	return out + string->length;
}

/* For labels, which are short, this is faster than a call of memcmp. */
static inline bool
timeline_bytes_equal(const char *a, const char *b, uint32_t length)
{
	uint64_t	left;
	uint64_t	right;

	if (length < 8)
	{
		while (length > 0 && a[length - 1] == b[length - 1])
			length--;
		return length == 0;
	}
	for (uint32_t i = 0; i + 8 < length; i += 8)
	{
		memcpy(&left, a + i, 8);
		memcpy(&right, b + i, 8);
		if (left != right)
			return false;
	}
	/* the last eight may overlap with those before */
	memcpy(&left, a + length - 8, 8);
	memcpy(&right, b + length - 8, 8);
	return left == right;
}

/* By bytes; a string comes after its own beginnings. */
static inline int
timeline_compare_strings(const TimelineString *a, const TimelineString *b)
{
	int			order = memcmp(a->bytes, b->bytes, a->length < b->length ? a->length : b->length);

	return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

static inline uint32_t
timeline_read_code(const uint8_t *code, uint32_t width)
{
	switch (width)
	{
		case 0:
			return 0;
		case 1:
			return code[0];
		case 2:
			return code[0] | (uint32_t) code[1] << 8;
		default:
			return code[0] | (uint32_t) code[1] << 8 |
				(uint32_t) code[2] << 16 | (uint32_t) code[3] << 24;
	}
}

static inline void
timeline_cursor_start(TimelineCursor *cursor, const TimelineView *view)
{
	cursor->code = view->codes;
	cursor->value_byte = view->values;
	cursor->time_byte = view->times;
	cursor->end = view->end;
	cursor->kinds = view->kinds;
	cursor->start = view->start;
	cursor->remaining = view->event_count;
	cursor->kind_count = view->kind_count;
	cursor->code_width = view->code_width;
	cursor->value_unit = view->value_unit;
	cursor->time_unit = view->time_unit;
	cursor->units = 0;
	cursor->max_units = TIMELINE_MAX_AT / view->time_unit;
	cursor->is_first = true;
	cursor->value = 0;
	cursor->fault = TIMELINE_OK;
}

static inline bool
timeline_cursor_fail(TimelineCursor *cursor, TimelineFault fault, const uint8_t *byte)
{
	cursor->fault = fault;
	cursor->fault_offset = (size_t) (byte - cursor->start);
	return false;
}

/* Reads the next time alone: kinds and values of the event are left unread. */
static inline bool
timeline_next_time(TimelineCursor *cursor)
{
	uint64_t	number;
	TimelineFault fault;

	if (cursor->remaining == 0)
		return false;
	fault = timeline_read_varint(&cursor->time_byte, cursor->end, &number);
	if (fault != TIMELINE_OK)
		return timeline_cursor_fail(cursor, fault, cursor->time_byte);
	if (cursor->is_first)
	{
		cursor->units = timeline_unzigzag(number);
		if (cursor->units > cursor->max_units || cursor->units < TIMELINE_MIN_AT / cursor->time_unit)
			return timeline_cursor_fail(cursor, TIMELINE_BAD_TIME, cursor->time_byte);
		cursor->is_first = false;
	}
	else
	{
		/* the range of time is wider than int64, so the room left is unsigned */
		if (number > (uint64_t) cursor->max_units - (uint64_t) cursor->units)
			return timeline_cursor_fail(cursor, TIMELINE_BAD_TIME, cursor->time_byte);
		cursor->units = (int64_t) ((uint64_t) cursor->units + number);
	}
	cursor->at = cursor->units * cursor->time_unit;
	cursor->remaining--;
	return true;
}

static inline bool
timeline_read_value(TimelineCursor *cursor)
{
	uint64_t	number;
	int64_t		whole;
	TimelineFault fault;

	if (cursor->value_unit == TIMELINE_DOUBLES)
	{
		int			i;

		if (cursor->end - cursor->value_byte < 8)
			return timeline_cursor_fail(cursor, TIMELINE_TRUNCATED, cursor->value_byte);
		for (i = 7, number = 0; i >= 0; i--)
			number = number << 8 | cursor->value_byte[i];
		memcpy(&cursor->value, &number, 8);
		/* neither NaN nor infinite, and no negative zero */
		if ((number & UINT64_C(0x7ff0000000000000)) == UINT64_C(0x7ff0000000000000) ||
			number == UINT64_C(0x8000000000000000))
			return timeline_cursor_fail(cursor, TIMELINE_BAD_VALUE, cursor->value_byte);
		cursor->value_byte += 8;
		return true;
	}
	fault = timeline_read_varint(&cursor->value_byte, cursor->end, &number);
	if (fault != TIMELINE_OK)
		return timeline_cursor_fail(cursor, fault, cursor->value_byte);
	whole = timeline_unzigzag(number);
	if (whole > TIMELINE_MAX_EXACT || whole < -TIMELINE_MAX_EXACT)
		return timeline_cursor_fail(cursor, TIMELINE_BAD_VALUE, cursor->value_byte);
	cursor->value = cursor->value_unit == TIMELINE_WHOLE ? (double) whole : (double) whole / 100.0;
	return true;
}

/*
 * Moves to the next event.  False after the last one and at a fault: ask
 * cursor->fault after the loop.
 */
static inline bool
timeline_next(TimelineCursor *cursor)
{
	if (!timeline_next_time(cursor))
		return false;
	cursor->kind = timeline_read_code(cursor->code, cursor->code_width);
	if (cursor->kind >= cursor->kind_count)
		return timeline_cursor_fail(cursor, TIMELINE_BAD_KIND, cursor->code);
	cursor->code += cursor->code_width;
	cursor->has_value = cursor->kinds[cursor->kind].has_value;
	return !cursor->has_value || timeline_read_value(cursor);
}

#endif							/* ENGAGEMENT_TIMELINE_CODEC_H */
