/*
 * decayed_score.c
 *		A score whose events lose half of their value every half-life.
 *
 * S(t) = sum v_i * 2^(-(t - t_i) / half_life) over the events up to t.
 *
 * All events decay by the same factor between two times, so the sum at one
 * time, the anchor, is all that has to be kept.  The anchor is the latest
 * event's time: any earlier and an event would have to be left out again.
 *
 * A DecayedScore is one group's state and also what a user stores: 40 bytes,
 * fixed, nothing per query or per row.  The aggregates change their state in
 * place; called in any other way the functions work on a copy, since their
 * argument may lie in a shared buffer.
 *
 * Accuracy.  The result must not depend on the order of rows, so rounding
 * must not build up with their number.  Two things would let it: adding a
 * small value to a large sum, and multiplying the sum by a factor close to 1
 * for every row in time order.  Hence the carry, which collects what rounding
 * takes from the sum, and move_anchor, which adds the change of the sum
 * instead of multiplying.  Only an unfinished state has a carry: finish() puts
 * it into the sum before anybody sees a value.
 */
#include "postgres.h"

#include <math.h>

#include "base/duration.h"
#include "base/iso_time.h"
#include "common/hashfn.h"
#include "common/int.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "value/decayed_score.h"

/* What a finished value consists of: no padding, and -0.0 never occurs. */
#define VALUE_BYTES offsetof(DecayedScore, carry)

/* No double is left of any other after so many half-lives. */
#define MAX_HALVINGS 2200

PG_FUNCTION_INFO_V1(decayed_score_accum);
PG_FUNCTION_INFO_V1(decayed_score_combine);
PG_FUNCTION_INFO_V1(decayed_score_final);
PG_FUNCTION_INFO_V1(score_at);
PG_FUNCTION_INFO_V1(score_anchor);
PG_FUNCTION_INFO_V1(score_half_life);
PG_FUNCTION_INFO_V1(score_count);
PG_FUNCTION_INFO_V1(decayed_score_eq);
PG_FUNCTION_INFO_V1(decayed_score_ne);
PG_FUNCTION_INFO_V1(decayed_score_hash);
PG_FUNCTION_INFO_V1(decayed_score_hash_extended);

static DecayedScore *new_score(TimestampTz anchor, int64 half_life);
static DecayedScore *copy_of(const DecayedScore *score);
static void add_event(DecayedScore *score, double value, TimestampTz at);
static void merge(DecayedScore *score, const DecayedScore *other);
static void finish(DecayedScore *score);
static void move_anchor(DecayedScore *score, TimestampTz anchor);
static void add_to_sum(DecayedScore *score, double value);
static void add_to_count(DecayedScore *score, int64 events);
static double decayed(double value, uint64 elapsed, int64 half_life);
static uint64 time_between(TimestampTz from, TimestampTz to);
static void check_sum(double sum);

/*
 * decayed_sum's transition: (state, value, at, half_life).
 */
Datum
decayed_score_accum(PG_FUNCTION_ARGS)
{
	bool		in_aggregate = AggCheckCallContext(fcinfo, NULL) != 0;
	DecayedScore *score = NULL;
	int64		half_life;
	double		value;
	TimestampTz at;

	if (!PG_ARGISNULL(0))
	{
		score = PG_GETARG_DECAYED_SCORE_P(0);
		if (!in_aggregate)
			score = copy_of(score);
	}

	/* Checked first: a missing half-life is a mistake even in a skipped row. */
	if (PG_ARGISNULL(3))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"half_life\" must not be null")));
	half_life = duration_positive(PG_GETARG_INTERVAL_P(3), "half_life");

	if (score != NULL && score->half_life != half_life)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"half_life\" must be the same in all rows of a decayed sum: %s seconds and %s seconds",
						decayed_score_seconds(score->half_life),
						decayed_score_seconds(half_life)),
				 errhint("Write one half-life for all rows, or GROUP BY it.")));

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
	{
		if (score == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(score);
	}

	value = PG_GETARG_FLOAT8(1);
	at = PG_GETARG_TIMESTAMPTZ(2);
	if (isnan(value) || isinf(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"value\" must be a finite number, not %s",
						isnan(value) ? "NaN" :
						value > 0 ? "Infinity" : "-Infinity"),
				 errhint("Leave such rows out with FILTER (WHERE abs(value) < 'Infinity').")));
	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"at\" must be a finite time, not %s",
						TIMESTAMP_IS_NOBEGIN(at) ? "-infinity" : "infinity"),
				 errhint("Leave such rows out with FILTER (WHERE isfinite(at)).")));

	if (score == NULL)
		score = new_score(at, half_life);
	add_event(score, value, at);
	if (!in_aggregate)
		finish(score);
	PG_RETURN_POINTER(score);
}

/*
 * Merges two scores: the combine function of both aggregates and rollup's
 * transition.
 */
Datum
decayed_score_combine(PG_FUNCTION_ARGS)
{
	bool		in_aggregate = AggCheckCallContext(fcinfo, NULL) != 0;
	DecayedScore *score = PG_GETARG_DECAYED_SCORE_P(0);
	const DecayedScore *other = PG_GETARG_DECAYED_SCORE_P(1);

	if (!in_aggregate)
		score = copy_of(score);

	merge(score, other);
	if (!in_aggregate)
		finish(score);
	PG_RETURN_POINTER(score);
}

/*
 * The final function of both aggregates.  A copy, since a window's state
 * goes on to take more rows and must keep its carry.
 */
Datum
decayed_score_final(PG_FUNCTION_ARGS)
{
	DecayedScore *score = copy_of(PG_GETARG_DECAYED_SCORE_P(0));

	finish(score);
	PG_RETURN_POINTER(score);
}

/*
 * The score at a time: (score, at).
 */
Datum
score_at(PG_FUNCTION_ARGS)
{
	const DecayedScore *score = PG_GETARG_DECAYED_SCORE_P(0);
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(1);
	double		result;

	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"at\" must be a finite time, not %s",
						TIMESTAMP_IS_NOBEGIN(at) ? "-infinity" : "infinity")));
	if (at < score->anchor)
	{
		char		asked[ISO_TIME_MAX_LENGTH];
		char		anchor[ISO_TIME_MAX_LENGTH];

		iso_time_print(at, asked);
		iso_time_print(score->anchor, anchor);
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a decayed score cannot be read before its last event"),
				 errdetail("at is %s, the last event was at %s.",
						   asked, anchor),
				 errhint("Ask for a time from score_anchor(score) on, or add up earlier events only: decayed_sum(value, at, half_life) FILTER (WHERE at <= ...).")));
	}

	result = decayed(decayed_score_sum(score), time_between(score->anchor, at),
					 score->half_life);

	/* A negative sum may decay to -0. */
	PG_RETURN_FLOAT8(result + 0.0);
}

Datum
score_anchor(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(PG_GETARG_DECAYED_SCORE_P(0)->anchor);
}

Datum
score_half_life(PG_FUNCTION_ARGS)
{
	PG_RETURN_INTERVAL_P(duration_interval(PG_GETARG_DECAYED_SCORE_P(0)->half_life));
}

Datum
score_count(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(PG_GETARG_DECAYED_SCORE_P(0)->count);
}

/*
 * There is no order: sorting by score would put the latest anchor first, not
 * the highest score, and mislead.  ORDER BY score_at(...) is what is meant.
 */
Datum
decayed_score_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(memcmp(PG_GETARG_DECAYED_SCORE_P(0),
						  PG_GETARG_DECAYED_SCORE_P(1), VALUE_BYTES) == 0);
}

Datum
decayed_score_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(memcmp(PG_GETARG_DECAYED_SCORE_P(0),
						  PG_GETARG_DECAYED_SCORE_P(1), VALUE_BYTES) != 0);
}

Datum
decayed_score_hash(PG_FUNCTION_ARGS)
{
	return hash_any((unsigned char *) PG_GETARG_DECAYED_SCORE_P(0),
					VALUE_BYTES);
}

Datum
decayed_score_hash_extended(PG_FUNCTION_ARGS)
{
	return hash_any_extended((unsigned char *) PG_GETARG_DECAYED_SCORE_P(0),
							 VALUE_BYTES, PG_GETARG_INT64(1));
}

static DecayedScore *
new_score(TimestampTz anchor, int64 half_life)
{
	DecayedScore *score = palloc0(sizeof(DecayedScore));

	score->anchor = anchor;
	score->half_life = half_life;
	return score;
}

static DecayedScore *
copy_of(const DecayedScore *score)
{
	DecayedScore *copy = palloc(sizeof(DecayedScore));

	*copy = *score;
	return copy;
}

static void
add_event(DecayedScore *score, double value, TimestampTz at)
{
	if (at > score->anchor)
		move_anchor(score, at);
	add_to_sum(score, decayed(value, time_between(at, score->anchor),
							  score->half_life));
	add_to_count(score, 1);
	decayed_score_assert(score);
}

static void
merge(DecayedScore *score, const DecayedScore *other)
{
	DecayedScore moved = *other;

	if (score->half_life != other->half_life)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("decayed scores with different half-lives cannot be merged: %s seconds and %s seconds",
						decayed_score_seconds(score->half_life),
						decayed_score_seconds(other->half_life)),
				 errhint("GROUP BY score_half_life(score), or build the scores again with one half-life.")));

	if (score->anchor < moved.anchor)
		move_anchor(score, moved.anchor);
	else
		move_anchor(&moved, score->anchor);

	score->carry += moved.carry;
	add_to_sum(score, moved.sum);
	add_to_count(score, moved.count);
	decayed_score_assert(score);
}

static void
finish(DecayedScore *score)
{
	score->sum = decayed_score_sum(score);
	score->carry = 0;
	decayed_score_assert(score);
}

/*
 * Let the score decay to a later anchor.
 *
 * Within a half-life the loss is added.  Its rounding error is in proportion
 * to the loss, that is to the time that passed, not to the number of steps in
 * which it did.  Beyond a half-life the loss is close to the sum itself, so
 * the sum is multiplied; that cannot happen often before nothing is left of it.
 */
static void
move_anchor(DecayedScore *score, TimestampTz anchor)
{
	uint64		elapsed = time_between(score->anchor, anchor);

	if (elapsed == 0)
		return;
	score->anchor = anchor;

	if (elapsed < (uint64) score->half_life)
	{
		double		loss = expm1(-M_LN2 * ((double) elapsed /
										   (double) score->half_life));

		score->carry += score->carry * loss;
		add_to_sum(score, score->sum * loss);
	}
	else
	{
		/* + 0.0, since a negative sum may decay to -0 */
		score->sum = decayed(score->sum, elapsed, score->half_life) + 0.0;
		score->carry = decayed(score->carry, elapsed, score->half_life);
	}
}

/* Knuth's two-sum: what rounding takes from the sum goes to the carry. */
static void
add_to_sum(DecayedScore *score, double value)
{
	double		before = score->sum;
	double		after = before + value;
	double		added = after - before;

	score->carry += (before - (after - added)) + (value - added);
	score->sum = after + 0.0;	/* never -0 */
	check_sum(decayed_score_sum(score));
}

static void
add_to_count(DecayedScore *score, int64 events)
{
	if (pg_add_s64_overflow(score->count, events, &score->count))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("number of events in a decayed score is out of range")));
}

/*
 * What a value is worth when a time has passed.  Full half-lives are split
 * off in integers, so that the exponent keeps its precision however old the
 * value is.
 */
static double
decayed(double value, uint64 elapsed, int64 half_life)
{
	uint64		halvings;
	uint64		rest;

	if (elapsed == 0)
		return value;

	halvings = elapsed / (uint64) half_life;
	rest = elapsed % (uint64) half_life;
	if (halvings > MAX_HALVINGS)
		return 0;
	return ldexp(value * exp2(-((double) rest / (double) half_life)),
				 -(int) halvings);
}

/* Unsigned: 4713 BC to 294276 AD does not fit an int64. */
static uint64
time_between(TimestampTz from, TimestampTz to)
{
	Assert(from <= to);
	return (uint64) to - (uint64) from;
}

double
decayed_score_sum(const DecayedScore *score)
{
	return score->sum + score->carry + 0.0; /* never -0 */
}

static void
check_sum(double sum)
{
	if (isnan(sum) || isinf(sum))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("sum of a decayed score is out of range"),
				 errhint("Values must add up to less than 1.8e308.")));
}

void
decayed_score_assert(const DecayedScore *score)
{
	Assert(!TIMESTAMP_NOT_FINITE(score->anchor));
	Assert(IS_VALID_TIMESTAMP(score->anchor));
	Assert(score->half_life > 0);
	Assert(isfinite(score->sum) && isfinite(score->carry));
	Assert(score->sum != 0 || !signbit(score->sum));
	Assert(score->count >= 0);
}

