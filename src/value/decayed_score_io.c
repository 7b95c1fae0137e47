/*
 * decayed_score_io.c
 *		Text and binary form of decayed_score.
 *
 * The text is (anchor, half-life in seconds, sum at the anchor, count), for
 * example (2026-01-05T09:30:00Z, 604800, 12.5, 3).  It is exact, and neither
 * DateStyle, TimeZone nor extra_float_digits changes it.
 */
#include "postgres.h"

#include <math.h>

#include "base/compat.h"
#include "base/iso_time.h"
#include "common/int.h"
#include "common/shortest_dec.h"
#include "libpq/pqformat.h"
#include "value/decayed_score.h"

#define WIRE_VERSION 1

/* Longest: a time, a half-life, a sum, a count, and punctuation. */
#define MAX_TEXT_LENGTH 160

PG_FUNCTION_INFO_V1(decayed_score_in);
PG_FUNCTION_INFO_V1(decayed_score_out);
PG_FUNCTION_INFO_V1(decayed_score_recv);
PG_FUNCTION_INFO_V1(decayed_score_send);

static const char *parse_score(const char *str, DecayedScore *score);
static bool parse_seconds(const char **cursor, int64 *microseconds);
static bool parse_sum(const char **cursor, double *sum);
static bool parse_digits(const char **cursor, int64 *number);
static bool parse_character(const char **cursor, char wanted);
static void skip_spaces(const char **cursor);
static bool is_digit(char c);

/*
 * Text input, for example (2026-01-05T09:30:00Z, 604800, 12.5, 3).
 */
Datum
decayed_score_in(PG_FUNCTION_ARGS)
{
	const char *str = PG_GETARG_CSTRING(0);
	DecayedScore *score = palloc0(sizeof(DecayedScore));
	const char *problem = parse_score(str, score);

	if (problem != NULL)
		ereturn(fcinfo->context, (Datum) 0,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s: \"%s\"",
						"decayed_score", str),
				 errdetail("%s", problem),
				 errhint("Write (time of the last event, half-life in seconds, sum at that time, number of events), for example (2026-01-05T09:30:00Z, 604800, 12.5, 3).")));

	decayed_score_assert(score);
	PG_RETURN_POINTER(score);
}

Datum
decayed_score_out(PG_FUNCTION_ARGS)
{
	const DecayedScore *score = PG_GETARG_DECAYED_SCORE_P(0);
	char	   *str = palloc(MAX_TEXT_LENGTH);
	char	   *out = str;

	*out++ = '(';
	out += iso_time_print(score->anchor, out);
	out += sprintf(out, ", %s, ", decayed_score_seconds(score->half_life));
	out += double_to_shortest_decimal_buf(decayed_score_sum(score), out);
	sprintf(out, ", " INT64_FORMAT ")", score->count);
	PG_RETURN_CSTRING(str);
}

Datum
decayed_score_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	DecayedScore *score = palloc0(sizeof(DecayedScore));
	int			version = pq_getmsgbyte(buf);

	if (version != WIRE_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("unknown version %d of binary decayed_score", version)));

	score->anchor = pq_getmsgint64(buf);
	score->half_life = pq_getmsgint64(buf);
	score->sum = pq_getmsgfloat8(buf) + 0.0;	/* never -0 */
	score->count = pq_getmsgint64(buf);

	if (TIMESTAMP_NOT_FINITE(score->anchor) ||
		!IS_VALID_TIMESTAMP(score->anchor))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid time in binary decayed_score")));
	if (score->half_life <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("half-life in binary decayed_score must be greater than zero")));
	if (isnan(score->sum) || isinf(score->sum))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("sum in binary decayed_score must be finite")));
	if (score->count < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("count in binary decayed_score must not be negative")));

	decayed_score_assert(score);
	PG_RETURN_POINTER(score);
}

Datum
decayed_score_send(PG_FUNCTION_ARGS)
{
	const DecayedScore *score = PG_GETARG_DECAYED_SCORE_P(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, WIRE_VERSION);
	pq_sendint64(&buf, score->anchor);
	pq_sendint64(&buf, score->half_life);
	pq_sendfloat8(&buf, decayed_score_sum(score));
	pq_sendint64(&buf, score->count);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* A half-life in seconds, as parse_seconds reads it. */
char *
decayed_score_seconds(int64 microseconds)
{
	char	   *str = psprintf(INT64_FORMAT ".%06d",
								microseconds / USECS_PER_SEC,
								(int) (microseconds % USECS_PER_SEC));
	char	   *end = str + strlen(str);

	while (end[-1] == '0')
		end--;
	if (end[-1] == '.')
		end--;
	*end = '\0';
	return str;
}

/*
 * Parse the text form into *score.  Returns NULL, or what is wrong.
 */
static const char *
parse_score(const char *str, DecayedScore *score)
{
	const char *in = str;

	skip_spaces(&in);
	if (!parse_character(&in, '('))
		return "It must begin with a parenthesis.";

	skip_spaces(&in);
	if (!iso_time_parse(&in, in + strlen(in), &score->anchor))
		return "The first part must be a time such as 2026-01-05T09:30:00Z.";

	skip_spaces(&in);
	if (!parse_character(&in, ','))
		return "A comma must follow the time.";
	skip_spaces(&in);
	if (!parse_seconds(&in, &score->half_life))
		return "The second part must be the half-life: seconds above zero, with at most six decimals.";

	skip_spaces(&in);
	if (!parse_character(&in, ','))
		return "A comma must follow the half-life.";
	skip_spaces(&in);
	if (!parse_sum(&in, &score->sum))
		return "The third part must be the sum: a finite number within the range of double precision.";

	skip_spaces(&in);
	if (!parse_character(&in, ','))
		return "A comma must follow the sum.";
	skip_spaces(&in);
	if (!parse_digits(&in, &score->count))
		return "The fourth part must be the number of events: a whole number from 0.";

	skip_spaces(&in);
	if (!parse_character(&in, ')'))
		return "A parenthesis must follow the number of events.";
	skip_spaces(&in);
	if (*in != '\0')
		return "Nothing may follow the closing parenthesis.";
	return NULL;
}

/* Seconds as a decimal number, to microseconds, exactly. */
static bool
parse_seconds(const char **cursor, int64 *microseconds)
{
	int64		seconds;
	int64		fraction = 0;
	int64		scale = USECS_PER_SEC;

	if (!parse_digits(cursor, &seconds))
		return false;

	if (parse_character(cursor, '.'))
	{
		if (!is_digit(**cursor))
			return false;
		for (; is_digit(**cursor); (*cursor)++)
		{
			if (scale == 1)
				return false;
			scale /= 10;
			fraction += scale * (**cursor - '0');
		}
	}

	return !pg_mul_s64_overflow(seconds, USECS_PER_SEC, microseconds) &&
		!pg_add_s64_overflow(*microseconds, fraction, microseconds) &&
		*microseconds > 0;
}

/* A decimal number; strtod alone would also take hexadecimal, NaN and inf. */
static bool
parse_sum(const char **cursor, double *sum)
{
	const char *in = *cursor;
	char	   *end;

	parse_character(&in, '-');
	if (!is_digit(*in))
		return false;
	while (is_digit(*in))
		in++;
	if (parse_character(&in, '.'))
	{
		if (!is_digit(*in))
			return false;
		while (is_digit(*in))
			in++;
	}
	if (parse_character(&in, 'e') || parse_character(&in, 'E'))
	{
		if (!parse_character(&in, '+'))
			parse_character(&in, '-');
		if (!is_digit(*in))
			return false;
		while (is_digit(*in))
			in++;
	}

	errno = 0;
	*sum = strtod(*cursor, &end) + 0.0; /* never -0 */
	if (end != in)
		return false;

	/* The smallest numbers set ERANGE too, though they are exact. */
	if (errno == ERANGE && (*sum == 0 || isinf(*sum)))
		return false;

	*cursor = in;
	return true;
}

static bool
parse_digits(const char **cursor, int64 *number)
{
	const char *in = *cursor;

	if (!is_digit(*in))
		return false;
	for (*number = 0; is_digit(*in); in++)
	{
		if (pg_mul_s64_overflow(*number, 10, number) ||
			pg_add_s64_overflow(*number, *in - '0', number))
			return false;
	}

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

/* Not isdigit: that depends on the locale. */
static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}
