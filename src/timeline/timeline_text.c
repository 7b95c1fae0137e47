/*
 * timeline_text.c
 *		The text form of a timeline.
 *
 *	{2026-01-05T09:30:00Z page_view@email, 2026-01-05T09:31:00.25Z purchase@email =49.9 {"country": "NO"}}
 *
 * An event is a time, a label, @ and a channel, = and a value, and properties as
 * JSON; all but time and label may be missing.  Labels and channels stand in
 * double quotes if they are empty or have anything in them that could be
 * mistaken; a backslash takes the meaning from the next character.
 *
 * Settings change nothing here: times are ISO 8601, printed in UTC, numbers the
 * shortest decimal that reads back as the same double.
 */
#include "postgres.h"

#include <ctype.h>
#include <math.h>

#include "common/shortest_dec.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/iso_time.h"
#include "timeline/builder.h"
#include "timeline/timeline.h"

typedef struct TextParser
{
	const char *text;
	const char *p;
	const char *end;
	Node	   *escontext;
} TextParser;

static void append_label(StringInfo text, const TimelineString *label);
static bool parse_event(TextParser *parser, BuilderEvent *event);
static bool parse_label(TextParser *parser, TimelineString *label);
static bool parse_value(TextParser *parser, double *value);
static bool parse_properties(TextParser *parser, TimelineString *properties);
static void skip_blanks(TextParser *parser);
static bool text_error(TextParser *parser, const char *expected);

/* The text form, in the current memory context. */
char *
timeline_to_text(const TimelineView *view)
{
	StringInfoData text;
	TimelineCursor cursor;
	bool		is_first = true;

	initStringInfo(&text);
	appendStringInfoChar(&text, '{');
	timeline_cursor_start(&cursor, view);
	while (timeline_next(&cursor))
	{
		const TimelineKind *kind = &view->kinds[cursor.kind];
		char		time[ISO_TIME_MAX_LENGTH + 1];
		char		number[DOUBLE_SHORTEST_DECIMAL_LEN];

		if (!is_first)
			appendBinaryStringInfo(&text, ", ", 2);
		is_first = false;
		appendBinaryStringInfo(&text, time, iso_time_print(cursor.at, time));
		appendStringInfoChar(&text, ' ');
		append_label(&text, &view->labels[kind->event]);
		if (kind->channel != 0)
		{
			appendStringInfoChar(&text, '@');
			append_label(&text, &view->channels[kind->channel - 1]);
		}
		if (cursor.has_value)
		{
			appendBinaryStringInfo(&text, " =", 2);
			appendBinaryStringInfo(&text, number, double_to_shortest_decimal_bufn(cursor.value, number));
		}
		if (kind->properties != 0)
		{
			const TimelineString *properties = &view->properties[kind->properties - 1];

			appendStringInfoChar(&text, ' ');
			appendBinaryStringInfo(&text, properties->bytes, (int) properties->length);
		}
		CHECK_FOR_INTERRUPTS();
	}
	timeline_cursor_end(&cursor);
	appendStringInfoChar(&text, '}');
	return text.data;
}

/*
 * Reads the text form; events may come in any order.  A mistake is an error
 * (class 22), soft if escontext asks for that, and then the result is NULL.
 */
Timeline *
timeline_from_text(const char *text, Node *escontext)
{
	TextParser	parser = {text, text, text + strlen(text), escontext};
	TimelineBuilder *builder = builder_create(CurrentMemoryContext);
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext scratch = AllocSetContextCreate(caller, "timeline input", ALLOCSET_DEFAULT_SIZES);

	skip_blanks(&parser);
	if (*parser.p != '{')
	{
		text_error(&parser, "{ before the first event");
		return NULL;
	}
	parser.p++;
	skip_blanks(&parser);
	if (*parser.p != '}')
	{
		for (;;)
		{
			BuilderEvent event;
			bool		is_read;

			CHECK_FOR_INTERRUPTS();
			MemoryContextReset(scratch);
			MemoryContextSwitchTo(scratch);
			is_read = parse_event(&parser, &event);
			MemoryContextSwitchTo(caller);
			if (!is_read)
				return NULL;
			builder = builder_append(builder, &event);
			skip_blanks(&parser);
			if (*parser.p != ',')
				break;
			parser.p++;
			skip_blanks(&parser);
		}
		if (*parser.p != '}')
		{
			text_error(&parser, "a comma before the next event, or } after the last");
			return NULL;
		}
	}
	parser.p++;
	skip_blanks(&parser);
	if (*parser.p != '\0')
	{
		text_error(&parser, "nothing after }");
		return NULL;
	}
	MemoryContextDelete(scratch);
	return builder_finish(builder);
}

static void
append_label(StringInfo text, const TimelineString *label)
{
	bool		is_quoted = label->length == 0;

	for (uint32 i = 0; i < label->length && !is_quoted; i++)
		is_quoted = !timeline_is_plain(label->bytes[i]);
	if (!is_quoted)
	{
		appendBinaryStringInfo(text, label->bytes, (int) label->length);
		return;
	}
	appendStringInfoChar(text, '"');
	for (uint32 i = 0; i < label->length; i++)
	{
		if (label->bytes[i] == '"' || label->bytes[i] == '\\')
			appendStringInfoChar(text, '\\');
		appendStringInfoChar(text, label->bytes[i]);
	}
	appendStringInfoChar(text, '"');
}

static bool
parse_event(TextParser *parser, BuilderEvent *event)
{
	TimestampTz at;

	memset(event, 0, sizeof(BuilderEvent));
	event->kind.form = PROPERTIES_TEXT;
	if (!iso_time_parse(&parser->p, parser->end, &at))
		return text_error(parser, "a time such as 2026-01-05T09:30:00Z");
	event->at = at;
	if (*parser->p != ' ')
		return text_error(parser, "a blank after the time");
	skip_blanks(parser);
	if (!parse_label(parser, &event->kind.event))
		return false;
	if (*parser->p == '@')
	{
		parser->p++;
		if (!parse_label(parser, &event->kind.channel))
			return false;
	}
	skip_blanks(parser);
	if (*parser->p == '=')
	{
		parser->p++;
		event->kind.has_value = true;
		if (!parse_value(parser, &event->value))
			return false;
		skip_blanks(parser);
	}
	if (*parser->p != ',' && *parser->p != '}' && *parser->p != '\0')
		return parse_properties(parser, &event->kind.properties);
	return true;
}

static bool
parse_label(TextParser *parser, TimelineString *label)
{
	const char *start = parser->p;
	const char *close;
	char	   *plain;
	char	   *out;

	if (*start != '"')
	{
		while (parser->p < parser->end && timeline_is_plain(*parser->p))
			parser->p++;
		label->bytes = start;
		label->length = (uint32) (parser->p - start);
		return label->length > 0 || text_error(parser, "a label; write \"\" for an empty one");
	}

	for (close = start + 1; close < parser->end && *close != '"'; close++)
	{
		if (*close == '\\')
			close++;
	}
	if (close >= parser->end)
	{
		parser->p = parser->end;
		return text_error(parser, "a closing double quote");
	}
	out = plain = palloc(close - start);
	for (parser->p++; parser->p < close; parser->p++)
	{
		if (*parser->p == '\\')
			parser->p++;
		*out++ = *parser->p;
	}
	parser->p++;
	label->bytes = plain;
	label->length = (uint32) (out - plain);
	return true;
}

/* A decimal number: strtod alone would take hexadecimal, inf and nan too. */
static bool
parse_value(TextParser *parser, double *value)
{
	const char *start = parser->p;
	const char *p = start;
	char	   *end;

	if (*p == '-' || *p == '+')
		p++;
	if (!isdigit((unsigned char) *p) && *p != '.')
		return text_error(parser, "a number after =");
	while (isdigit((unsigned char) *p) || *p == '.' || *p == 'e' || *p == 'E' ||
		   ((*p == '-' || *p == '+') && (p[-1] == 'e' || p[-1] == 'E')))
		p++;
	errno = 0;
	*value = strtod(start, &end);
	if (end != p)
		return text_error(parser, "a number after =");
	if (*p != ' ' && *p != ',' && *p != '}' && *p != '\0' && !isspace((unsigned char) *p))
		return text_error(parser, "a number after =, then a blank, a comma or }");
	/* too large, or so small that it would become 0 */
	if (isinf(*value) || (*value == 0 && errno == ERANGE))
		return text_error(parser, "a number within the range of double precision");
	*value = timeline_check_value(*value);
	parser->p = p;
	return true;
}

/* JSON up to the comma or brace that ends the event; jsonb's own input checks it. */
static bool
parse_properties(TextParser *parser, TimelineString *properties)
{
	const char *start = parser->p;
	const char *p;
	int			depth = 0;
	bool		in_string = false;
	Datum		jsonb;
	Jsonb	   *value;

	/* what JSON starts with; jsonb's own message would not help with a slip in a label */
	if (strchr("{[\"-0123456789", *start) == NULL && strncmp(start, "true", 4) != 0 &&
		strncmp(start, "false", 5) != 0 && strncmp(start, "null", 4) != 0)
		return text_error(parser, "@channel, =value, {properties} or the end of the event");

	for (p = start; p < parser->end; p++)
	{
		if (in_string)
		{
			if (*p == '\\' && p + 1 < parser->end)
				p++;
			else if (*p == '"')
				in_string = false;
		}
		else if (*p == '"')
			in_string = true;
		else if (depth == 0 && (*p == ',' || *p == '}'))
			break;
		else if (*p == '{' || *p == '[')
			depth++;
		else if (*p == '}' || *p == ']')
			depth--;
	}
	if (!call_input_safely(jsonb_in, pnstrdup(start, p - start), parser->escontext, &jsonb))
		return false;
	value = DatumGetJsonbP(jsonb);
	*properties = timeline_properties_text(value);
	parser->p = p;
	return true;
}

static void
skip_blanks(TextParser *parser)
{
	while (*parser->p == ' ' || *parser->p == '\n' || *parser->p == '\r' || *parser->p == '\t')
		parser->p++;
}

/* Always false, for the caller to return. */
static bool
text_error(TextParser *parser, const char *expected)
{
	int			rest = (int) Min(parser->end - parser->p, 200);

	if (rest == 0)
		ereturn(parser->escontext, false,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type timeline"),
				 errdetail("Expected %s, found the end.", expected)));
	ereturn(parser->escontext, false,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type timeline"),
			 errdetail("Expected %s, at byte %d: \"%.*s\".", expected,
					   (int) (parser->p - parser->text) + 1,
					   pg_mbcliplen(parser->p, rest, 30), parser->p)));
}
