/*
 * path_tools.c
 *		Paths in arrays: parse_path, collapse_path, path_frequency, trim_path,
 *		path_lookback, path_last.
 *
 * All leave out elements that are no channel.  A path that has no channels but says
 * (unattributed) keeps the first of these, so that its conversions are not lost
 * where paths are unnested.
 *
 * Per call: the elements of the path, in the array that they came in, and the result.
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "attribution/channel_names.h"
#include "attribution/path_array.h"
#include "attribution/path_collapse.h"
#include "base/duration.h"
#include "timeline/timeline.h"

PG_FUNCTION_INFO_V1(parse_path);
PG_FUNCTION_INFO_V1(collapse_path);
PG_FUNCTION_INFO_V1(path_frequency);
PG_FUNCTION_INFO_V1(trim_path);
PG_FUNCTION_INFO_V1(path_lookback);
PG_FUNCTION_INFO_V1(path_last);

/* Where trim_path takes channels away; they can be combined. */
#define TRIM_START 1
#define TRIM_END 2
#define TRIM_MIDDLE 4

/* The elements of a path that stay. */
typedef struct Touches
{
	PathArray	path;
	int			count;
} Touches;

static bool next_part(TimelineString *rest, const TimelineString *separator, TimelineString *part);
static TimelineString trimmed(TimelineString part);
static bool is_blank(char c);
static void read_touches(Touches *touches, ArrayType *path);
static void keep_unattributed(Touches *touches);
static void collapse_runs(Touches *touches);
static void collapse_repeats(Touches *touches);
static int	trim_argument(const text *at);
static bool is_among(const PathArray *channels, const TimelineString *channel);
static bool is_same(const TimelineString *a, const TimelineString *b);

/* (path, separator) */
Datum
parse_path(PG_FUNCTION_ARGS)
{
	TimelineString path;
	TimelineString separator = {NULL, 0};
	TimelineString rest;
	TimelineString part;
	TimelineString *parts;
	int			count = 0;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (!PG_ARGISNULL(1))
		separator = timeline_string(PG_GETARG_TEXT_PP(1));
	if (separator.length == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"separator\" must not be %s", PG_ARGISNULL(1) ? "NULL" : "empty")));
	path = timeline_string(PG_GETARG_TEXT_PP(0));
	for (rest = path; next_part(&rest, &separator, &part);)
		count += part.length > 0;
	parts = palloc_extended(sizeof(TimelineString) * Max(count, 1), MCXT_ALLOC_HUGE);
	count = 0;
	for (rest = path; next_part(&rest, &separator, &part);)
	{
		if (part.length > 0)
			parts[count++] = part;
	}
	PG_RETURN_ARRAYTYPE_P(path_array_form(parts, count));
}

/* Takes the part before the next separator, without white space around it; false: there is no other. */
static bool
next_part(TimelineString *rest, const TimelineString *separator, TimelineString *part)
{
	const char *end;
	const char *next;

	if (rest->bytes == NULL)
		return false;
	CHECK_FOR_INTERRUPTS();
	end = rest->bytes + rest->length;
	/* a separator does not begin within a character */
	for (next = rest->bytes; (Size) (end - next) >= separator->length; next += Min(pg_mblen(next), end - next))
	{
		if (memcmp(next, separator->bytes, separator->length) != 0)
			continue;
		part->bytes = rest->bytes;
		part->length = next - rest->bytes;
		*part = trimmed(*part);
		rest->bytes = next + separator->length;
		rest->length = end - rest->bytes;
		return true;
	}
	*part = trimmed(*rest);
	rest->bytes = NULL;
	return true;
}

static TimelineString
trimmed(TimelineString part)
{
	while (part.length > 0 && is_blank(part.bytes[0]))
	{
		part.bytes++;
		part.length--;
	}
	while (part.length > 0 && is_blank(part.bytes[part.length - 1]))
		part.length--;
	return part;
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* (path, how) */
Datum
collapse_path(PG_FUNCTION_ARGS)
{
	PathCollapse how = COLLAPSE_CONSECUTIVE;
	Touches		touches;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (!PG_ARGISNULL(1))
		how = path_collapse_of(PG_GETARG_TEXT_PP(1), "how");
	read_touches(&touches, PG_GETARG_ARRAYTYPE_P(0));
	if (how == COLLAPSE_CONSECUTIVE)
		collapse_runs(&touches);
	else if (how == COLLAPSE_FIRST)
		collapse_repeats(&touches);
	PG_RETURN_ARRAYTYPE_P(path_array_form(touches.path.elements, touches.count));
}

static void
collapse_runs(Touches *touches)
{
	TimelineString *elements = touches->path.elements;
	int			count = 0;

	for (int i = 0; i < touches->count; i++)
	{
		if (count == 0 || !is_same(&elements[count - 1], &elements[i]))
			elements[count++] = elements[i];
	}
	touches->count = count;
}

static void
collapse_repeats(Touches *touches)
{
	TimelineString *elements = touches->path.elements;
	ChannelNames names;

	channel_names_init(&names, CurrentMemoryContext);
	for (int i = 0; i < touches->count; i++)
	{
		TimelineString channel = elements[i];
		uint32		known = names.count;

		/* new channels have the next number */
		if (channel_number(&names, channel.bytes, channel.length) == known)
			elements[known] = elements[i];
	}
	touches->count = (int) names.count;
}

/* (path) */
Datum
path_frequency(PG_FUNCTION_ARGS)
{
	Touches		touches;
	ChannelNames names;
	int		   *counts;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	read_touches(&touches, PG_GETARG_ARRAYTYPE_P(0));
	channel_names_init(&names, CurrentMemoryContext);
	counts = palloc_extended(sizeof(int) * Max(touches.count, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int i = 0; i < touches.count; i++)
	{
		const TimelineString *channel = &touches.path.elements[i];

		counts[channel_number(&names, channel->bytes, channel->length)]++;
	}
	touches.count = (int) names.count;
	for (int i = 0; i < touches.count; i++)
	{
		TimelineString *element = &touches.path.elements[i];

		*element = names.names[i];
		if (!is_channel(element->bytes, element->length))
			continue;
		element->bytes = psprintf("%.*s(%d)", (int) names.names[i].length, names.names[i].bytes, counts[i]);
		element->length = strlen(element->bytes);
	}
	PG_RETURN_ARRAYTYPE_P(path_array_form(touches.path.elements, touches.count));
}

/* (path, channels, at) */
Datum
trim_path(PG_FUNCTION_ARGS)
{
	Touches		touches;
	PathArray	channels;
	int			at = PG_ARGISNULL(2) ? TRIM_END : trim_argument(PG_GETARG_TEXT_PP(2));
	int			first = 0;
	int			end;
	int			count;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	read_touches(&touches, PG_GETARG_ARRAYTYPE_P(0));
	if (PG_ARGISNULL(1))
		PG_RETURN_ARRAYTYPE_P(path_array_form(touches.path.elements, touches.count));
	path_array_read(&channels, PG_GETARG_ARRAYTYPE_P(1), "channels");

	end = touches.count;
	while ((at & TRIM_START) != 0 && first < end && is_among(&channels, &touches.path.elements[first]))
		first++;
	while ((at & TRIM_END) != 0 && end > first && is_among(&channels, &touches.path.elements[end - 1]))
		end--;
	if (first == end)
		PG_RETURN_ARRAYTYPE_P(path_array_form(touches.path.elements, touches.count));
	if ((at & TRIM_MIDDLE) == 0)
		PG_RETURN_ARRAYTYPE_P(path_array_form(touches.path.elements + first, end - first));
	count = first;
	for (int i = first; i < end; i++)
	{
		if (!is_among(&channels, &touches.path.elements[i]))
			touches.path.elements[count++] = touches.path.elements[i];
	}
	PG_RETURN_ARRAYTYPE_P(path_array_form(touches.path.elements + first, count - first));
}

static int
trim_argument(const text *at)
{
	TimelineString name = timeline_string(at);

	if (name.length == 3 && memcmp(name.bytes, "end", 3) == 0)
		return TRIM_END;
	if (name.length == 5 && memcmp(name.bytes, "start", 5) == 0)
		return TRIM_START;
	if (name.length == 4 && memcmp(name.bytes, "both", 4) == 0)
		return TRIM_START | TRIM_END;
	if (name.length == 3 && memcmp(name.bytes, "all", 3) == 0)
		return TRIM_START | TRIM_END | TRIM_MIDDLE;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"at\" cannot be \"%.*s\"", (int) name.length, name.bytes),
			 errhint("Valid values are \"end\", \"start\", \"both\" and \"all\".")));
}

static bool
is_among(const PathArray *channels, const TimelineString *channel)
{
	for (int i = 0; i < channels->length; i++)
	{
		if (i % 1024 == 1023)
			CHECK_FOR_INTERRUPTS();
		if (is_same(&channels->elements[i], channel))
			return true;
	}
	return false;
}

/* (path, touched_at, converted_at, lookback) */
Datum
path_lookback(PG_FUNCTION_ARGS)
{
	Touches		touches;
	WideArrayWalk times;
	int64		converted_at;
	uint64		lookback = PG_UINT64_MAX;
	bool		has_channels = false;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	converted_at = PG_GETARG_TIMESTAMPTZ(2);
	if (TIMESTAMP_NOT_FINITE(converted_at))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("argument \"converted_at\" cannot be infinite")));
	if (!PG_ARGISNULL(3))
		lookback = duration_microseconds(PG_GETARG_INTERVAL_P(3), "lookback");
	path_array_read(&touches.path, PG_GETARG_ARRAYTYPE_P(0), "path");
	wide_array_start(&times, PG_GETARG_ARRAYTYPE_P(1), "touched_at");
	if (times.length != touches.path.length)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("argument \"touched_at\" must have as many elements as \"path\": %d, not %d",
						touches.path.length, times.length)));

	touches.count = 0;
	for (int i = 0; i < touches.path.length; i++)
	{
		const TimelineString *channel = &touches.path.elements[i];
		int64		at;
		bool		has_time = wide_array_next(&times, &at);

		if (!is_channel(channel->bytes, channel->length))
			continue;
		if (!has_time)
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument \"touched_at\" must not be NULL for a touch"),
					 errdetail("It is NULL for element %d of the path.", i + 1)));
		if (TIMESTAMP_NOT_FINITE(at))
			ereport(ERROR,
					(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
					 errmsg("the time of a touch cannot be infinite")));
		has_channels = true;
		/* the range of time is wider than int64 */
		if (at <= converted_at && (uint64) converted_at - (uint64) at <= lookback)
			touches.path.elements[touches.count++] = touches.path.elements[i];
	}
	if (!has_channels)
		keep_unattributed(&touches);
	PG_RETURN_ARRAYTYPE_P(path_array_form(touches.path.elements, touches.count));
}

/* (path, touches) */
Datum
path_last(PG_FUNCTION_ARGS)
{
	Touches		touches;
	int32		count = PG_GETARG_INT32(1);

	if (count < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"touches\" must be 1 or more, not %d", count)));
	read_touches(&touches, PG_GETARG_ARRAYTYPE_P(0));
	count = Min(count, touches.count);
	PG_RETURN_ARRAYTYPE_P(path_array_form(touches.path.elements + touches.count - count, count));
}

/* The touches of a path, moved to its front. */
static void
read_touches(Touches *touches, ArrayType *path)
{
	path_array_read(&touches->path, path, "path");
	touches->count = 0;
	for (int i = 0; i < touches->path.length; i++)
	{
		const TimelineString *channel = &touches->path.elements[i];

		if (is_channel(channel->bytes, channel->length))
			touches->path.elements[touches->count++] = touches->path.elements[i];
	}
	if (touches->count == 0)
		keep_unattributed(touches);
}

/* Takes the first element that says (unattributed); of what is no channel, only that has a name. */
static void
keep_unattributed(Touches *touches)
{
	for (int i = 0; i < touches->path.length; i++)
	{
		if (touches->path.elements[i].length > 0)
		{
			touches->path.elements[0] = touches->path.elements[i];
			touches->count = 1;
			return;
		}
	}
}

/* Bytes of a NULL element are none, as those of no channel are. */
static bool
is_same(const TimelineString *a, const TimelineString *b)
{
	return a->length == b->length && (a->length == 0 || memcmp(a->bytes, b->bytes, a->length) == 0);
}
