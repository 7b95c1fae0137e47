/*
 * json.c
 *		Casts between timeline and jsonb.
 *
 *	[{"at": "2026-01-05T09:30:00Z", "event": "purchase", "channel": "email",
 *	  "value": 49.9, "properties": {"country": "NO"}}, ...]
 *
 * What an event does not have is left out.  Times are strict ISO 8601, so the
 * casts do not depend on settings.
 */
#include "postgres.h"

#include "common/shortest_dec.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "base/compat.h"
#include "base/iso_time.h"
#include "timeline/builder.h"
#include "timeline/timeline.h"

PG_FUNCTION_INFO_V1(timeline_to_jsonb);
PG_FUNCTION_INFO_V1(timeline_from_jsonb);

static void append_json_string(StringInfo json, const TimelineString *string);
static void read_member(BuilderEvent *event, bool *has_time, const JsonbValue *key, const JsonbValue *value);
static bool parse_time(const JsonbValue *value, TimestampTz *at);
static TimelineString value_text(const JsonbValue *value);
pg_noreturn static void json_error(const char *detail);

Datum
timeline_to_jsonb(PG_FUNCTION_ARGS)
{
	TimelineView view;
	TimelineCursor cursor;
	StringInfoData json;

	timeline_open(&view, PG_GETARG_TIMELINE(0));
	initStringInfo(&json);
	appendStringInfoChar(&json, '[');
	timeline_cursor_start(&cursor, &view);
	while (timeline_next(&cursor))
	{
		const TimelineKind *kind = &view.kinds[cursor.kind];
		char		time[ISO_TIME_MAX_LENGTH + 1];
		char		number[DOUBLE_SHORTEST_DECIMAL_LEN];

		appendStringInfoString(&json, json.len > 1 ? ", {\"at\": \"" : "{\"at\": \"");
		appendBinaryStringInfo(&json, time, iso_time_print(cursor.at, time));
		appendStringInfoString(&json, "\", \"event\": ");
		append_json_string(&json, &view.labels[kind->event]);
		if (kind->channel != 0)
		{
			appendStringInfoString(&json, ", \"channel\": ");
			append_json_string(&json, &view.channels[kind->channel - 1]);
		}
		if (cursor.has_value)
		{
			appendStringInfoString(&json, ", \"value\": ");
			appendBinaryStringInfo(&json, number, double_to_shortest_decimal_bufn(cursor.value, number));
		}
		if (kind->properties != 0)
		{
			appendStringInfoString(&json, ", \"properties\": ");
			appendBinaryStringInfo(&json, view.properties[kind->properties - 1].bytes,
								   (int) view.properties[kind->properties - 1].length);
		}
		appendStringInfoChar(&json, '}');
		CHECK_FOR_INTERRUPTS();
	}
	timeline_cursor_end(&cursor);
	appendStringInfoChar(&json, ']');
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data)));
}

Datum
timeline_from_jsonb(PG_FUNCTION_ARGS)
{
	Jsonb	   *jsonb = PG_GETARG_JSONB_P(0);
	TimelineBuilder *builder = builder_create(CurrentMemoryContext);
	JsonbIterator *iterator = JsonbIteratorInit(&jsonb->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext scratch = AllocSetContextCreate(caller, "timeline input", ALLOCSET_DEFAULT_SIZES);

	if (!JB_ROOT_IS_ARRAY(jsonb) || JB_ROOT_IS_SCALAR(jsonb))
		json_error("It must be an array of objects.");
	(void) JsonbIteratorNext(&iterator, &value, false);
	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_END_ARRAY)
	{
		BuilderEvent event = {.kind.form = PROPERTIES_TEXT};
		bool		has_time = false;

		CHECK_FOR_INTERRUPTS();
		if (token != WJB_BEGIN_OBJECT)
			json_error("Each element must be an object.");
		MemoryContextReset(scratch);
		while (JsonbIteratorNext(&iterator, &value, true) == WJB_KEY)
		{
			JsonbValue	key = value;

			(void) JsonbIteratorNext(&iterator, &value, true);
			MemoryContextSwitchTo(scratch);
			read_member(&event, &has_time, &key, &value);
			MemoryContextSwitchTo(caller);
		}
		if (!has_time || event.kind.event.bytes == NULL)
			json_error("Each event needs \"at\" and \"event\".");
		builder = builder_append(builder, &event);
	}
	MemoryContextDelete(scratch);
	PG_RETURN_TIMELINE(builder_finish(builder));
}

static void
append_json_string(StringInfo json, const TimelineString *string)
{
	char	   *terminated = pnstrdup(string->bytes, string->length);

	escape_json(json, terminated);
	pfree(terminated);
}

static void
read_member(BuilderEvent *event, bool *has_time, const JsonbValue *key, const JsonbValue *value)
{
	int			length = key->val.string.len;
	const char *name = key->val.string.val;

#define KEY_IS(s) (length == (int) strlen(s) && memcmp(name, s, length) == 0)

	if (KEY_IS("at"))
	{
		TimestampTz at;

		if (value->type != jbvString || !parse_time(value, &at))
			json_error("\"at\" must be a time such as \"2026-01-05T09:30:00Z\".");
		event->at = at;
		*has_time = true;
	}
	else if (KEY_IS("event"))
	{
		if (value->type != jbvString)
			json_error("\"event\" must be a string.");
		event->kind.event = value_text(value);
	}
	else if (KEY_IS("channel"))
	{
		if (value->type != jbvString && value->type != jbvNull)
			json_error("\"channel\" must be a string or null.");
		if (value->type == jbvString)
			event->kind.channel = value_text(value);
	}
	else if (KEY_IS("value"))
	{
		if (value->type != jbvNumeric && value->type != jbvNull)
			json_error("\"value\" must be a number or null.");
		if (value->type == jbvNumeric)
		{
			event->kind.has_value = true;
			event->value = timeline_check_value(DatumGetFloat8(
															   DirectFunctionCall1(numeric_float8,
																				   NumericGetDatum(value->val.numeric))));
		}
	}
	else if (KEY_IS("properties"))
	{
		JsonbValue	copy = *value;

		event->kind.properties = timeline_properties_text(JsonbValueToJsonb(&copy));
	}
	else
		json_error(psprintf("Key \"%.*s\" is not one of at, event, channel, value, properties.",
							length, name));
#undef KEY_IS
}

static bool
parse_time(const JsonbValue *value, TimestampTz *at)
{
	const char *p = value->val.string.val;
	const char *end = p + value->val.string.len;

	return iso_time_parse(&p, end, at) && p == end;
}

static TimelineString
value_text(const JsonbValue *value)
{
	TimelineString string = {value->val.string.val, (uint32) value->val.string.len};

	return string;
}

static void
json_error(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("cannot cast this jsonb to a timeline"),
			 errdetail("%s", detail),
			 errhint("Expected [{\"at\": ..., \"event\": ..., \"channel\": ..., \"value\": ..., \"properties\": ...}, ...].")));
}
