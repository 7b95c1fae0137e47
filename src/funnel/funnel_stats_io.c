/*
 * funnel_stats_io.c
 *		Text and binary form of funnel_stats.
 *
 * The text is (window, as of, step, step, ...), for example
 *
 *		(604800000000, 2026-01-31T00:00:00Z, (1, 2, 0, 0, {}), (0, 3, 0, 16000000, {779:2, 789:1}))
 *
 * The window is in microseconds; it and the time may be null.  A step is (in
 * progress, dropped, skipped, sum, {bucket:visitors, ...}): how many visitors
 * got no further and may still, how many got no further and cannot (if it is
 * the last step: how many reached it), how many got further without it; then
 * the sum of the times from the step before, in microseconds, and how many of
 * these times fall into each bucket of log_histogram.h.  It is exact, and no
 * setting changes it.
 *
 * The binary form has the same in the same order.  Both are read into
 * FunnelParts, and only assemble() decides what is accepted: what no visitors
 * could have given is not.
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/iso_time.h"
#include "common/int.h"
#include "funnel/funnel_stats.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define WIRE_VERSION 1

/* The digits of 2^128, and a NUL. */
#define MAX_DIGITS 40

PG_FUNCTION_INFO_V1(funnel_stats_in);
PG_FUNCTION_INFO_V1(funnel_stats_out);
PG_FUNCTION_INFO_V1(funnel_stats_recv);
PG_FUNCTION_INFO_V1(funnel_stats_send);

/* How many of a step's times are in a bucket. */
typedef struct BucketCount
{
	int			bucket;
	int64		count;
} BucketCount;

/* A state as it is read: nothing in it has been checked. */
typedef struct FunnelParts
{
	int			step_count;
	uint8		flags;
	int64		within;
	TimestampTz as_of;
	FunnelStatsStep steps[FUNNEL_STATS_MAX_STEPS];	/* but for the histograms */
	int			starts[FUNNEL_STATS_MAX_STEPS + 1]; /* of each step's buckets, and the end */
	int			capacity;
	BucketCount *buckets;
} FunnelParts;

static void init_parts(FunnelParts *parts);
static bool add_bucket(FunnelParts *parts, int bucket, int64 count);
static const char *assemble(const FunnelParts *parts, FunnelStats **stats);
static const char *check_steps(const FunnelParts *parts);
static const char *check_durations(const FunnelParts *parts, int step, int64 *total);
static const char *parse(const char **cursor, FunnelParts *parts);
static const char *parse_step(const char **cursor, FunnelParts *parts);
static const char *parse_buckets(const char **cursor, FunnelParts *parts);
static bool parse_null(const char **cursor);
static bool parse_number(const char **cursor, int64 *number);
static bool parse_sum(const char **cursor, FunnelStatsStep *step);
static bool parse_digits(const char **cursor, uint128 limit, uint128 *number);
static bool parse_character(const char **cursor, char wanted);
static void skip_spaces(const char **cursor);
static bool is_digit(char c);
static void print_step(StringInfo out, const FunnelStats *stats, int step);
static void print_number(StringInfo out, uint128 number);
static void send_step(StringInfo out, const FunnelStats *stats, int step);
static void receive_step(StringInfo in, FunnelParts *parts);

Datum
funnel_stats_in(PG_FUNCTION_ARGS)
{
	const char *str = PG_GETARG_CSTRING(0);
	const char *in = str;
	FunnelStats *stats = NULL;
	FunnelParts parts;
	const char *problem;

	init_parts(&parts);
	problem = parse(&in, &parts);
	if (problem != NULL)
		problem = psprintf("%s It is read up to byte %d.", problem, (int) (in - str));
	else
		problem = assemble(&parts, &stats);
	if (problem != NULL)
		ereturn(fcinfo->context, (Datum) 0,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s", "funnel_stats"),
				 errdetail("%s", problem),
				 errhint("Write (window in microseconds or null, as of or null), and in it for each step (in progress, dropped, skipped, microseconds, {bucket:visitors}), for example (null, null, (0, 1, 0, 0, {}), (0, 2, 0, 10000000, {779:2})).")));
	PG_RETURN_POINTER(stats);
}

Datum
funnel_stats_out(PG_FUNCTION_ARGS)
{
	const FunnelStats *stats = PG_GETARG_FINISHED_FUNNEL_STATS(0);
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '(');
	if ((stats->flags & FUNNEL_STATS_WITHIN) != 0)
		print_number(&out, stats->within);
	else
		appendStringInfoString(&out, "null");
	appendStringInfoString(&out, ", ");
	if ((stats->flags & FUNNEL_STATS_AS_OF) != 0)
	{
		enlargeStringInfo(&out, ISO_TIME_MAX_LENGTH);
		out.len += iso_time_print(stats->as_of, out.data + out.len);
	}
	else
		appendStringInfoString(&out, "null");
	for (int i = 0; i < stats->step_count; i++)
		print_step(&out, stats, i);
	appendStringInfoChar(&out, ')');
	PG_RETURN_CSTRING(out.data);
}

Datum
funnel_stats_recv(PG_FUNCTION_ARGS)
{
	StringInfo	in = (StringInfo) PG_GETARG_POINTER(0);
	FunnelStats *stats = NULL;
	FunnelParts parts;
	int			version = pq_getmsgbyte(in);
	int			step_count;
	const char *problem;

	if (version != WIRE_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("unknown version %d of binary funnel_stats", version)));
	init_parts(&parts);
	parts.flags = (uint8) pq_getmsgbyte(in);
	parts.within = pq_getmsgint64(in);
	parts.as_of = pq_getmsgint64(in);
	step_count = pq_getmsgbyte(in);
	if (step_count > FUNNEL_STATS_MAX_STEPS)
		problem = "There may be at most 64 steps.";
	else
	{
		while (parts.step_count < step_count)
			receive_step(in, &parts);
		problem = assemble(&parts, &stats);
	}
	if (problem != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary funnel_stats"),
				 errdetail("%s", problem)));
	PG_RETURN_POINTER(stats);
}

/*
 * Version, flags, window, as of, number of steps; for each step in progress,
 * dropped, skipped, the sum (its upper half first), number of buckets; for each
 * of these its number and count.
 */
Datum
funnel_stats_send(PG_FUNCTION_ARGS)
{
	const FunnelStats *stats = PG_GETARG_FINISHED_FUNNEL_STATS(0);
	StringInfoData out;

	pq_begintypsend(&out);
	pq_sendbyte(&out, WIRE_VERSION);
	pq_sendbyte(&out, stats->flags);
	pq_sendint64(&out, stats->within);
	pq_sendint64(&out, stats->as_of);
	pq_sendbyte(&out, (uint8) stats->step_count);
	for (int i = 0; i < stats->step_count; i++)
		send_step(&out, stats, i);
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

static void
init_parts(FunnelParts *parts)
{
	memset(parts, 0, sizeof(FunnelParts));
	parts->capacity = 256;
	parts->buckets = palloc(parts->capacity * sizeof(BucketCount));
}

/*
 * To the step that is being read.  False if the step has a higher bucket
 * already, which also bounds the memory taken: 64 steps of 2241 buckets.
 */
static bool
add_bucket(FunnelParts *parts, int bucket, int64 count)
{
	int		   *end = &parts->starts[parts->step_count + 1];

	if (bucket < 0 || bucket > LOG_HISTOGRAM_LAST_BUCKET ||
		(*end > parts->starts[parts->step_count] && parts->buckets[*end - 1].bucket >= bucket))
		return false;
	if (*end == parts->capacity)
	{
		parts->capacity *= 2;
		parts->buckets = repalloc(parts->buckets, parts->capacity * sizeof(BucketCount));
	}
	parts->buckets[*end].bucket = bucket;
	parts->buckets[*end].count = count;
	(*end)++;
	return true;
}

/*
 * Makes a finished state of its parts.  Returns NULL, or what is wrong with them.
 */
static const char *
assemble(const FunnelParts *parts, FunnelStats **stats)
{
	LogHistogram shapes[FUNNEL_STATS_MAX_STEPS] = {{0}};
	const char *problem = check_steps(parts);

	if (problem != NULL)
		return problem;

	*stats = funnel_stats_create(parts->step_count, parts->flags, parts->within, parts->as_of);
	for (int i = 0; i < parts->step_count; i++)
	{
		(*stats)->steps[i] = parts->steps[i];
		(*stats)->visitors += parts->steps[i].in_progress + parts->steps[i].ended;
		for (int j = parts->starts[i]; j < parts->starts[i + 1]; j++)
		{
			if (parts->buckets[j].bucket != 0)
				log_histogram_cover(&shapes[i], parts->buckets[j].bucket, parts->buckets[j].count);
		}
	}
	*stats = funnel_stats_with_room(*stats, shapes);
	for (int i = 0; i < parts->step_count; i++)
	{
		LogHistogram *durations = &(*stats)->steps[i].durations;

		for (int j = parts->starts[i]; j < parts->starts[i + 1]; j++)
		{
			const BucketCount *bucket = &parts->buckets[j];

			if (bucket->bucket == 0)
				durations->zeros = bucket->count;
			else
				log_histogram_write(durations, funnel_stats_counts(*stats, i),
									bucket->bucket - durations->first, bucket->count);
		}
	}
	(*stats)->flags |= FUNNEL_STATS_SPARE;
	*stats = funnel_stats_finished(*stats);
	funnel_stats_assert(*stats);
	return NULL;
}

/*
 * Whether there are visitors who would give these numbers.  Each visitor has one
 * time less than steps taken, as nothing is before the first.
 */
static const char *
check_steps(const FunnelParts *parts)
{
	bool		has_within = (parts->flags & FUNNEL_STATS_WITHIN) != 0;
	bool		has_as_of = (parts->flags & FUNNEL_STATS_AS_OF) != 0;
	int			last = parts->step_count - 1;
	int64		reached = 0;
	int128		times_due = 0;

	if (parts->step_count < 1)
		return "There must be a step.";
	if ((parts->flags & ~(FUNNEL_STATS_WITHIN | FUNNEL_STATS_AS_OF)) != 0)
		return "There is an unknown flag.";
	if (parts->within < 0 || (!has_within && parts->within != 0))
		return "The window must be a number of microseconds from 0.";
	if (!has_as_of ? parts->as_of != 0 :
		TIMESTAMP_NOT_FINITE(parts->as_of) || !IS_VALID_TIMESTAMP(parts->as_of))
		return "The second part must be a time.";
	if (has_as_of && !has_within)
		return "With a time there must be a window.";

	for (int i = last; i >= 0; i--)
	{
		const FunnelStatsStep *step = &parts->steps[i];
		int64		further = reached;
		int64		times = 0;
		const char *problem;

		if (step->in_progress < 0 || step->ended < 0 || step->skipped < 0)
			return "Numbers of visitors must not be negative.";
		if (pg_add_s64_overflow(reached, step->in_progress, &reached) ||
			pg_add_s64_overflow(reached, step->ended, &reached))
			return "There are more visitors than 64 bits can count.";
		if (step->in_progress > 0 && !has_as_of)
			return "Without a time nobody is in progress.";
		if (step->skipped > further)
			return "More visitors skipped a step than got further.";
		problem = check_durations(parts, i, &times);
		if (problem != NULL)
			return problem;
		if (times > reached - step->skipped)
			return "A step has more times than visitors.";
		times_due += (int128) reached - step->skipped - times;
	}
	if (times_due != reached)
		return "Each visitor must have a time for every step but the first.";
	return NULL;
}

static const char *
check_durations(const FunnelParts *parts, int step, int64 *total)
{
	uint128		shortest = 0;
	uint128		longest = 0;
	uint128		sum = funnel_stats_sum(&parts->steps[step]);

	for (int i = parts->starts[step]; i < parts->starts[step + 1]; i++)
	{
		const BucketCount *bucket = &parts->buckets[i];
		uint64		lower = log_histogram_lower(bucket->bucket);

		if (bucket->count <= 0)
			return "Numbers of times must be greater than zero.";
		if (log_histogram_bucket(lower) != bucket->bucket)
			return "There is a bucket into which no time falls.";
		if (pg_add_s64_overflow(*total, bucket->count, total))
			return "There are more times than 64 bits can count.";
		shortest += (uint128) lower * (uint64) bucket->count;
		longest += (uint128) log_histogram_upper(bucket->bucket) * (uint64) bucket->count;
	}
	if (sum < shortest || sum > longest)
		return "The sum of a step's times does not agree with their buckets.";
	return NULL;
}

/* Reads the text form to its end.  Returns NULL, or what is wrong where the cursor stands. */
static const char *
parse(const char **cursor, FunnelParts *parts)
{
	const char *problem;

	skip_spaces(cursor);
	if (!parse_character(cursor, '('))
		return "It must begin with a parenthesis.";
	skip_spaces(cursor);
	if (!parse_null(cursor))
	{
		parts->flags |= FUNNEL_STATS_WITHIN;
		if (!parse_number(cursor, &parts->within))
			return "The first part must be the window: microseconds from 0, or null.";
	}
	skip_spaces(cursor);
	if (!parse_character(cursor, ','))
		return "A comma must follow the window.";
	skip_spaces(cursor);
	if (!parse_null(cursor))
	{
		parts->flags |= FUNNEL_STATS_AS_OF;
		if (!iso_time_parse(cursor, *cursor + strlen(*cursor), &parts->as_of))
			return "The second part must be a time such as 2026-01-31T00:00:00Z, or null.";
	}
	for (skip_spaces(cursor); parse_character(cursor, ','); skip_spaces(cursor))
	{
		if (parts->step_count == FUNNEL_STATS_MAX_STEPS)
			return "There may be at most 64 steps.";
		problem = parse_step(cursor, parts);
		if (problem != NULL)
			return problem;
	}
	if (!parse_character(cursor, ')'))
		return "A comma or a parenthesis must follow each step.";
	skip_spaces(cursor);
	if (**cursor != '\0')
		return "Nothing may follow the closing parenthesis.";
	return NULL;
}

static const char *
parse_step(const char **cursor, FunnelParts *parts)
{
	FunnelStatsStep *step = &parts->steps[parts->step_count];
	int64	   *numbers[] = {&step->in_progress, &step->ended, &step->skipped};
	const char *problem;

	skip_spaces(cursor);
	if (!parse_character(cursor, '('))
		return "A step must begin with a parenthesis.";
	for (int i = 0; i < (int) lengthof(numbers); i++)
	{
		skip_spaces(cursor);
		if (!parse_number(cursor, numbers[i]))
			return "A step must begin with the numbers in progress, dropped and skipped.";
		skip_spaces(cursor);
		if (!parse_character(cursor, ','))
			return "A comma must follow each number.";
	}
	skip_spaces(cursor);
	if (!parse_sum(cursor, step))
		return "The fourth part of a step must be a number of microseconds.";
	skip_spaces(cursor);
	if (!parse_character(cursor, ','))
		return "A comma must follow each number.";
	parts->starts[parts->step_count + 1] = parts->starts[parts->step_count];
	problem = parse_buckets(cursor, parts);
	if (problem != NULL)
		return problem;
	skip_spaces(cursor);
	if (!parse_character(cursor, ')'))
		return "A parenthesis must follow the buckets.";
	parts->step_count++;
	return NULL;
}

static const char *
parse_buckets(const char **cursor, FunnelParts *parts)
{
	int64		bucket;
	int64		count;

	skip_spaces(cursor);
	if (!parse_character(cursor, '{'))
		return "The fifth part of a step must be its buckets in braces.";
	skip_spaces(cursor);
	if (parse_character(cursor, '}'))
		return NULL;
	do
	{
		skip_spaces(cursor);
		if (!parse_number(cursor, &bucket) || !parse_character(cursor, ':') ||
			!parse_number(cursor, &count))
			return "A bucket must be its number, a colon and the number of times in it.";
		if (!add_bucket(parts, (int) Min(bucket, LOG_HISTOGRAM_LAST_BUCKET + 1), count))
			return "Buckets must have ascending numbers from 0 to 2240.";
		skip_spaces(cursor);
	} while (parse_character(cursor, ','));
	if (!parse_character(cursor, '}'))
		return "A comma or a brace must follow each bucket.";
	return NULL;
}

static bool
parse_null(const char **cursor)
{
	if (strncmp(*cursor, "null", 4) != 0)
		return false;
	*cursor += 4;
	return true;
}

static bool
parse_number(const char **cursor, int64 *number)
{
	uint128		result;

	if (!parse_digits(cursor, PG_INT64_MAX, &result))
		return false;
	*number = (int64) result;
	return true;
}

static bool
parse_sum(const char **cursor, FunnelStatsStep *step)
{
	uint128		sum;

	/* the greatest that the longest times of all visitors could add up to */
	if (!parse_digits(cursor, ~(uint128) 0 >> 1, &sum))
		return false;
	funnel_stats_add_to_sum(step, sum);
	return true;
}

/* The limit is below 2^127. */
static bool
parse_digits(const char **cursor, uint128 limit, uint128 *number)
{
	const char *in = *cursor;

	if (!is_digit(*in))
		return false;
	for (*number = 0; is_digit(*in); in++)
	{
		/* from 2^124 on, ten times as much is over the limit and may be over 2^128 */
		if (*number >> 124 != 0)
			return false;
		*number = *number * 10 + (unsigned int) (*in - '0');
		if (*number > limit)
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

static void
print_step(StringInfo out, const FunnelStats *stats, int number)
{
	const FunnelStatsStep *step = &stats->steps[number];
	const LogHistogram *durations = &step->durations;
	const uint8 *counts = funnel_stats_counts(stats, number);
	const char *separator = "";

	appendStringInfoString(out, ", (");
	print_number(out, step->in_progress);
	appendStringInfoString(out, ", ");
	print_number(out, step->ended);
	appendStringInfoString(out, ", ");
	print_number(out, step->skipped);
	appendStringInfoString(out, ", ");
	print_number(out, funnel_stats_sum(step));
	appendStringInfoString(out, ", {");
	if (durations->zeros != 0)
	{
		appendStringInfoString(out, "0:");
		print_number(out, durations->zeros);
		separator = ", ";
	}
	for (int i = log_histogram_next(durations, counts, 0); i < durations->length;
		 i = log_histogram_next(durations, counts, i + 1))
	{
		appendStringInfoString(out, separator);
		print_number(out, durations->first + i);
		appendStringInfoChar(out, ':');
		print_number(out, log_histogram_read(durations, counts, i));
		separator = ", ";
	}
	appendStringInfoString(out, "})");
}

/* Faster than appendStringInfo(), which has no 128 bits either. */
static void
print_number(StringInfo out, uint128 number)
{
	char		digits[MAX_DIGITS];
	char	   *first = digits + MAX_DIGITS;
	uint64		rest;

	for (; number > PG_UINT64_MAX; number /= 10)
		*--first = (char) ('0' + (int) (number % 10));
	rest = (uint64) number;
	do
	{
		*--first = (char) ('0' + rest % 10);
		rest /= 10;
	} while (rest != 0);
	appendBinaryStringInfo(out, first, (int) (digits + MAX_DIGITS - first));
}

static void
send_step(StringInfo out, const FunnelStats *stats, int number)
{
	const FunnelStatsStep *step = &stats->steps[number];
	const LogHistogram *durations = &step->durations;
	const uint8 *counts = funnel_stats_counts(stats, number);
	uint16		used = durations->zeros != 0;

	for (int i = log_histogram_next(durations, counts, 0); i < durations->length;
		 i = log_histogram_next(durations, counts, i + 1))
		used++;

	pq_sendint64(out, step->in_progress);
	pq_sendint64(out, step->ended);
	pq_sendint64(out, step->skipped);
	pq_sendint64(out, step->sum_high);
	pq_sendint64(out, step->sum_low);
	pq_sendint16(out, used);
	if (durations->zeros != 0)
	{
		pq_sendint16(out, 0);
		pq_sendint64(out, durations->zeros);
	}
	for (int i = log_histogram_next(durations, counts, 0); i < durations->length;
		 i = log_histogram_next(durations, counts, i + 1))
	{
		pq_sendint16(out, durations->first + i);
		pq_sendint64(out, log_histogram_read(durations, counts, i));
	}
}

static void
receive_step(StringInfo in, FunnelParts *parts)
{
	FunnelStatsStep *step = &parts->steps[parts->step_count];
	int			used;

	step->in_progress = pq_getmsgint64(in);
	step->ended = pq_getmsgint64(in);
	step->skipped = pq_getmsgint64(in);
	step->sum_high = (uint64) pq_getmsgint64(in);
	step->sum_low = (uint64) pq_getmsgint64(in);
	used = (int) pq_getmsgint(in, 2);
	parts->starts[parts->step_count + 1] = parts->starts[parts->step_count];
	for (int i = 0; i < used; i++)
	{
		int			bucket = (int) pq_getmsgint(in, 2);

		if (!add_bucket(parts, bucket, pq_getmsgint64(in)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					 errmsg("invalid binary funnel_stats"),
					 errdetail("Buckets must have ascending numbers from 0 to %d.", LOG_HISTOGRAM_LAST_BUCKET)));
	}
	parts->step_count++;
}
