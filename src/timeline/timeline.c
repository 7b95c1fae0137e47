/*
 * timeline.c
 *		The type timeline: everything that one visitor did, in order.
 *
 * A value holds a dictionary of the distinct kinds of events and, for each
 * event, a kind, a time and perhaps a value: some twelve bytes an event.  The
 * bytes are described in codec.h, the text form in timeline_text.c.
 */
#include "postgres.h"

#include <math.h>

#include "commands/vacuum.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "timeline/builder.h"
#include "timeline/timeline.h"

ENGAGEMENT_MODULE_MAGIC("0.4");

PG_FUNCTION_INFO_V1(timeline_in);
PG_FUNCTION_INFO_V1(timeline_out);
PG_FUNCTION_INFO_V1(timeline_recv);
PG_FUNCTION_INFO_V1(timeline_send);
PG_FUNCTION_INFO_V1(timeline_typanalyze);

static bool open_view(TimelineView *view, const void *bytes, size_t length);
static void receive_strings(TimelineString *strings, uint32 count);
static void receive_properties(TimelineView *view);
static void refuse_multiplied(const TimelineView *view);
static void compute_timeline_stats(VacAttrStatsP stats, AnalyzeAttrFetchFunc fetch,
								   int sample_rows, double total_rows);

Datum
timeline_in(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMELINE(timeline_from_text(PG_GETARG_CSTRING(0), fcinfo->context));
}

Datum
timeline_out(PG_FUNCTION_ARGS)
{
	TimelineView view;

	timeline_open(&view, PG_GETARG_TIMELINE(0));
	PG_RETURN_CSTRING(timeline_to_text(&view));
}

/*
 * The bytes are a stranger's: all are read and checked before anything is
 * built, then the timeline is encoded anew, so what is stored is canonical.
 */
Datum
timeline_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			length = buf->len - buf->cursor;
	const char *bytes = pq_getmsgbytes(buf, length);
	TimelineView view;
	TimelineBuilder *builder;

	if (!open_view(&view, bytes, length) || !timeline_validate(&view))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary representation of a timeline"),
				 errdetail("At byte %zu: %s.", view.fault_offset, timeline_fault_text(view.fault))));
	receive_strings(view.labels, view.label_count);
	receive_strings(view.channels, view.channel_count);
	receive_properties(&view);
	refuse_multiplied(&view);

	builder = builder_append_timeline(builder_create(CurrentMemoryContext), &view);
	PG_RETURN_TIMELINE(builder_finish(builder));
}

Datum
timeline_send(PG_FUNCTION_ARGS)
{
	TimelineView view;
	StringInfoData buf;

	timeline_open(&view, PG_GETARG_TIMELINE(0));
	pq_begintypsend(&buf);
	pq_sendbytes(&buf, (const char *) view.start, (int) (view.strings_start - view.start));
	for (uint32 i = 0; i < view.label_count + view.channel_count + view.property_count; i++)
	{
		TimelineString string = view.labels[i];
		char	   *converted = pg_server_to_client(string.bytes, (int) string.length);
		uint8		prefix[10];

		if (converted != string.bytes)
		{
			string.bytes = converted;
			string.length = strlen(converted);
		}
		pq_sendbytes(&buf, (char *) prefix, varint_write(prefix, string.length) - prefix);
		pq_sendbytes(&buf, string.bytes, (int) string.length);
	}
	if (view.event_count > 0)
		pq_sendbytes(&buf, (const char *) view.kinds_start, (int) (view.end - view.kinds_start));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/*
 * ANALYZE without copies of histories in pg_statistic: the share of NULLs and
 * the width are all that the planner can use, as hardly two are equal.
 */
Datum
timeline_typanalyze(PG_FUNCTION_ARGS)
{
	VacAttrStats *stats = (VacAttrStats *) PG_GETARG_POINTER(0);

	stats->compute_stats = compute_timeline_stats;
	stats->minrows = 3000;
	PG_RETURN_BOOL(true);
}

/*
 * Opens a timeline for reading.  The view points into it, so it must live as
 * long.  Corrupt bytes are an error (ERRCODE_DATA_CORRUPTED).
 */
void
timeline_open(TimelineView *view, const Timeline *timeline)
{
	if (unlikely(!open_view(view, VARDATA_ANY(timeline), VARSIZE_ANY_EXHDR(timeline))))
		timeline_corrupt(view->fault, view->fault_offset);
}

void
timeline_corrupt(TimelineFault fault, size_t offset)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("timeline is corrupt"),
			 errdetail("At byte %zu: %s.", offset, timeline_fault_text(fault))));
}

/* A timeline's times are points in time: infinity is an error (class 22). */
void
timeline_check_time(int64 at)
{
	if (unlikely(TIMESTAMP_NOT_FINITE(at)))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("the time of an event cannot be infinite"),
				 errhint("Leave such rows out with FILTER (WHERE isfinite(at)).")));
	if (unlikely(!IS_VALID_TIMESTAMP(at)))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("the time of an event is out of range")));
}

/*
 * An event's value as it is kept: without negative zero, so that equal values
 * have equal bytes.  NaN and infinity are an error (class 22).
 */
double
timeline_check_value(double value)
{
	if (unlikely(isnan(value) || isinf(value)))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("the value of an event must be a finite number, not %s",
						isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity"),
				 errhint("Use NULL for an event without a value.")));
	return value == 0 ? 0 : value;
}

/*
 * The text that properties are kept as.  JSON null stands for none, as it does in
 * the cast from jsonb: then the result's bytes are NULL.
 */
TimelineString
timeline_properties_text(Jsonb *properties)
{
	char	   *text = JsonbToCString(NULL, &properties->root, VARSIZE(properties));
	TimelineString result = {text, strlen(text)};

	if (strcmp(text, "null") == 0)
		result.bytes = NULL;
	return result;
}

/* Opens bytes as a view with room for its dictionary; false at a fault. */
static bool
open_view(TimelineView *view, const void *bytes, size_t length)
{
	uint64		strings;

	if (!timeline_read_header(view, bytes, length))
		return false;
	strings = (uint64) view->label_count + view->channel_count + view->property_count;
	if (strings > TIMELINE_INLINE_STRINGS)
		view->labels = palloc_extended(sizeof(TimelineString) * strings, MCXT_ALLOC_HUGE);
	if (view->kind_count > TIMELINE_INLINE_KINDS)
		view->kinds = palloc_extended(sizeof(TimelineKind) * view->kind_count, MCXT_ALLOC_HUGE);
	return timeline_read_dictionary(view);
}

/* From the client's encoding; text that is invalid in it is an error. */
static void
receive_strings(TimelineString *strings, uint32 count)
{
	for (uint32 i = 0; i < count; i++)
	{
		char	   *converted = pg_client_to_server(strings[i].bytes, (int) strings[i].length);

		CHECK_FOR_INTERRUPTS();
		if (converted != strings[i].bytes)
		{
			strings[i].bytes = converted;
			strings[i].length = strlen(converted);
		}
	}
}

/* Likewise, and to the text that jsonb prints for it. */
static void
receive_properties(TimelineView *view)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext scratch = AllocSetContextCreate(caller, "timeline input", ALLOCSET_DEFAULT_SIZES);

	receive_strings(view->properties, view->property_count);
	for (uint32 i = 0; i < view->property_count; i++)
	{
		TimelineString *string = &view->properties[i];
		Datum		jsonb;

		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(scratch);
		jsonb = DirectFunctionCall1(jsonb_in, CStringGetDatum(pnstrdup(string->bytes, string->length)));
		*string = timeline_properties_text(DatumGetJsonbP(jsonb));
		MemoryContextSwitchTo(caller);
		if (string->bytes != NULL)
			string->bytes = pnstrdup(string->bytes, string->length);
		MemoryContextReset(scratch);
	}
	MemoryContextDelete(scratch);
	for (uint32 i = 0; i < view->kind_count; i++)
	{
		if (view->kinds[i].properties != 0 && view->properties[view->kinds[i].properties - 1].bytes == NULL)
			view->kinds[i].properties = 0;
	}
}

/*
 * A few bytes can name a long label in each of many kinds; building would copy it
 * for each, before the size of the text form is known.
 */
static void
refuse_multiplied(const TimelineView *view)
{
	TimelineCursor cursor;
	uint64		size = 0;

	timeline_cursor_start(&cursor, view);
	while (timeline_next(&cursor) && size <= TIMELINE_MAX_TEXT)
	{
		const TimelineKind *kind = &view->kinds[cursor.kind];

		size += view->labels[kind->event].length;
		if (kind->channel != 0)
			size += view->channels[kind->channel - 1].length;
		if (kind->properties != 0)
			size += view->properties[kind->properties - 1].length;
		if (cursor.remaining % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	if (size > TIMELINE_MAX_TEXT)
		timeline_too_large(view->event_count);
}

static void
compute_timeline_stats(VacAttrStatsP stats, AnalyzeAttrFetchFunc fetch,
					   int sample_rows, double total_rows)
{
	int			null_count = 0;
	double		total_width = 0;

	for (int i = 0; i < sample_rows; i++)
	{
		bool		isnull;
		Datum		value = fetch(stats, i, &isnull);

		vacuum_delay_point(
#if PG_VERSION_NUM >= 180000
						   true
#endif
			);
		if (isnull)
			null_count++;
		else
			total_width += VARSIZE_ANY(DatumGetPointer(value));
	}
	if (sample_rows == 0)
		return;
	stats->stats_valid = true;
	stats->stanullfrac = (float4) null_count / sample_rows;
	stats->stawidth = null_count < sample_rows ?
		(int32) (total_width / (sample_rows - null_count)) : 0;
	stats->stadistinct = -1.0f * (1.0f - stats->stanullfrac);
}
