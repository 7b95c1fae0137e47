/*
 * retention_stats_io.c
 *		Text and binary form of retention_stats.
 *
 * The text has for each period, the cohort first, how many returned of how many:
 * (200/200, 80/190, 61/150).
 */
#include "postgres.h"

#include "common/int.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"

#include "base/compat.h"
#include "funnel/retention.h"

PG_FUNCTION_INFO_V1(retention_stats_in);
PG_FUNCTION_INFO_V1(retention_stats_out);
PG_FUNCTION_INFO_V1(retention_stats_recv);
PG_FUNCTION_INFO_V1(retention_stats_send);

#define WIRE_VERSION 1

static const char *parse_stats(const char *str, RetentionStats **stats);
static const char *parse_count(const char **cursor, RetentionCount *count);
static bool parse_digits(const char **cursor, int64 *number);
static bool parse_character(const char **cursor, char wanted);
static void skip_spaces(const char **cursor);

/* Text input, for example (200/200, 80/190, 61/150). */
Datum
retention_stats_in(PG_FUNCTION_ARGS)
{
	const char *str = PG_GETARG_CSTRING(0);
	RetentionStats *stats = NULL;
	const char *problem = parse_stats(str, &stats);

	if (problem != NULL)
		ereturn(fcinfo->context, (Datum) 0,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s: \"%s\"", "retention_stats", str),
				 errdetail("%s", problem),
				 errhint("Write how many returned of how many, the cohort first, for example (200/200, 80/190, 61/150).")));
	PG_RETURN_POINTER(stats);
}

Datum
retention_stats_out(PG_FUNCTION_ARGS)
{
	const RetentionStats *stats = PG_GETARG_RETENTION_STATS_P(0);
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < stats->length; i++)
		appendStringInfo(&out, "%s" INT64_FORMAT "/" INT64_FORMAT, i == 0 ? "(" : ", ",
						 stats->counts[i].returned, stats->counts[i].size);
	appendStringInfoChar(&out, ')');
	PG_RETURN_CSTRING(out.data);
}

Datum
retention_stats_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	RetentionStats *stats;
	int			version = pq_getmsgbyte(buf);
	int			length;

	if (version != WIRE_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("unknown version %d of binary retention_stats", version)));
	length = (int) pq_getmsgint(buf, 4);
	if (length < 1 || length > RETENTION_MAX_PERIODS + 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("binary retention_stats must have from 1 to %d elements, not %d",
						RETENTION_MAX_PERIODS + 1, length)));
	stats = retention_stats_create(length);
	for (int i = 0; i < length; i++)
	{
		RetentionCount *count = &stats->counts[i];

		count->returned = pq_getmsgint64(buf);
		count->size = pq_getmsgint64(buf);
		if (count->returned < 0 || count->returned > count->size)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					 errmsg("binary retention_stats must not have " INT64_FORMAT " returned of " INT64_FORMAT,
							count->returned, count->size)));
	}
	PG_RETURN_POINTER(stats);
}

Datum
retention_stats_send(PG_FUNCTION_ARGS)
{
	const RetentionStats *stats = PG_GETARG_RETENTION_STATS_P(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, WIRE_VERSION);
	pq_sendint32(&buf, stats->length);
	for (int i = 0; i < stats->length; i++)
	{
		pq_sendint64(&buf, stats->counts[i].returned);
		pq_sendint64(&buf, stats->counts[i].size);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* Parses the text form; returns NULL, or what is wrong. */
static const char *
parse_stats(const char *str, RetentionStats **stats)
{
	const char *in = str;
	int64		commas = 0;

	/* the number of elements, if nothing is wrong */
	for (const char *c = str; *c != '\0'; c++)
		commas += *c == ',';
	if (commas > RETENTION_MAX_PERIODS)
		return psprintf("There must not be more than %d elements.", RETENTION_MAX_PERIODS + 1);
	*stats = retention_stats_create((int) commas + 1);

	skip_spaces(&in);
	if (!parse_character(&in, '('))
		return "It must begin with a parenthesis.";
	for (int i = 0; i < (*stats)->length; i++)
	{
		const char *problem;

		if (i > 0 && !parse_character(&in, ','))
			return "A comma or a parenthesis must follow each element.";
		problem = parse_count(&in, &(*stats)->counts[i]);
		if (problem != NULL)
			return problem;
	}
	if (!parse_character(&in, ')'))
		return "A comma or a parenthesis must follow each element.";
	skip_spaces(&in);
	if (*in != '\0')
		return "Nothing may follow the closing parenthesis.";
	return NULL;
}

/* 80/190 and the spaces around it. */
static const char *
parse_count(const char **cursor, RetentionCount *count)
{
	skip_spaces(cursor);
	if (!parse_digits(cursor, &count->returned))
		return "Each element must begin with how many returned: a whole number from 0.";
	skip_spaces(cursor);
	if (!parse_character(cursor, '/'))
		return "A slash must follow how many returned.";
	skip_spaces(cursor);
	if (!parse_digits(cursor, &count->size))
		return "After the slash there must be of how many: a whole number from 0.";
	if (count->returned > count->size)
		return "No more can return than there are.";
	skip_spaces(cursor);
	return NULL;
}

static bool
parse_digits(const char **cursor, int64 *number)
{
	const char *in = *cursor;

	for (*number = 0; *in >= '0' && *in <= '9'; in++)
	{
		if (pg_mul_s64_overflow(*number, 10, number) ||
			pg_add_s64_overflow(*number, *in - '0', number))
			return false;
	}
	if (in == *cursor)
		return false;
	*cursor = in;
	return true;
}

static bool
parse_character(const char **cursor, char wanted)
{
	if (**cursor != wanted)
		return false;
	(*cursor)++;
	return true;
}

static void
skip_spaces(const char **cursor)
{
	while (**cursor == ' ' || (**cursor >= '\t' && **cursor <= '\r'))
		(*cursor)++;
}
