/*
 * retention_stats.c
 *		Counts of retention over many visitors: retention_stats, rollup,
 *		retention_periods.
 *
 * A RetentionStats is one group's state and also what a user stores: two counts
 * a period, of a length that is known from the group's first row.  Nothing
 * lives per query or per row.  Counts are whole numbers, so neither the order of
 * rows nor the way in which parts are merged changes a byte.
 *
 * The aggregates change their state in place; called in any other way the
 * functions work on a copy, since their argument may lie in a shared buffer.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "common/hashfn.h"
#include "common/int.h"
#include "funcapi.h"

#include "base/boolean_array.h"
#include "base/compat.h"
#include "base/set_call.h"
#include "funnel/retention.h"
#include "statistics/proportion.h"

PG_FUNCTION_INFO_V1(retention_stats_accum);
PG_FUNCTION_INFO_V1(retention_stats_combine);
PG_FUNCTION_INFO_V1(retention_periods);
PG_FUNCTION_INFO_V1(retention_stats_eq);
PG_FUNCTION_INFO_V1(retention_stats_ne);
PG_FUNCTION_INFO_V1(retention_stats_hash);
PG_FUNCTION_INFO_V1(retention_stats_hash_extended);

#define DEFAULT_CONF_LEVEL 0.95

/* The walk of retention_periods over the periods. */
typedef struct PeriodWalk
{
	const RetentionStats *stats;
	double		conf_level;
	int32		next;
} PeriodWalk;

static RetentionStats *state_argument(FunctionCallInfo fcinfo);
static void add_visitor(RetentionStats *stats, ArrayType *periods);
static void merge(RetentionStats *stats, const RetentionStats *other);
static HeapTuple form_period(const PeriodWalk *walk, int32 period, SetCall *call);
static bool are_equal(FunctionCallInfo fcinfo);
pg_noreturn static void length_error(int expected, int found);

/* Transition of the aggregate retention_stats: (state, periods). */
Datum
retention_stats_accum(PG_FUNCTION_ARGS)
{
	RetentionStats *stats;
	ArrayType  *periods;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		return PG_GETARG_DATUM(0);
	}
	periods = PG_GETARG_ARRAYTYPE_P(1);
	if (PG_ARGISNULL(0))
	{
		BooleanArrayWalk walk;

		boolean_array_start(&walk, periods, "periods");
		if (walk.length < 1 || walk.length > RETENTION_MAX_PERIODS + 1)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"periods\" must have from 1 to %d elements, not %d",
							RETENTION_MAX_PERIODS + 1, walk.length)));
		stats = retention_stats_create(walk.length);
	}
	else
		stats = state_argument(fcinfo);
	add_visitor(stats, periods);
	PG_RETURN_POINTER(stats);
}

/* Merges two: the combine function of both aggregates and rollup's transition. */
Datum
retention_stats_combine(PG_FUNCTION_ARGS)
{
	RetentionStats *stats = state_argument(fcinfo);

	merge(stats, PG_GETARG_RETENTION_STATS_P(1));
	PG_RETURN_POINTER(stats);
}

/* (stats, conf_level) */
Datum
retention_periods(PG_FUNCTION_ARGS)
{
	SetCall    *call = set_call_begin(fcinfo);
	PeriodWalk *walk;

	if (!call->is_running)
	{
		MemoryContext caller;

		if (PG_ARGISNULL(0))
			SET_CALL_RETURN_DONE(fcinfo, call);
		set_call_start(fcinfo, call);
		caller = MemoryContextSwitchTo(call->context);
		call->state = walk = palloc0(sizeof(PeriodWalk));
		/* an argument that is not toasted stays where it is until the set is complete */
		walk->stats = PG_GETARG_RETENTION_STATS_P(0);
		walk->conf_level = PG_ARGISNULL(1) ? DEFAULT_CONF_LEVEL : PG_GETARG_FLOAT8(1);
		check_conf_level(walk->conf_level);
		MemoryContextSwitchTo(caller);
	}
	walk = call->state;

	if (walk->next < walk->stats->length)
		SET_CALL_RETURN_NEXT(fcinfo, HeapTupleGetDatum(form_period(walk, walk->next++, call)));
	SET_CALL_RETURN_DONE(fcinfo, call);
}

Datum
retention_stats_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(are_equal(fcinfo));
}

Datum
retention_stats_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!are_equal(fcinfo));
}

Datum
retention_stats_hash(PG_FUNCTION_ARGS)
{
	const RetentionStats *stats = PG_GETARG_RETENTION_STATS_P(0);

	return hash_any((const unsigned char *) stats->counts, stats->length * (int) sizeof(RetentionCount));
}

Datum
retention_stats_hash_extended(PG_FUNCTION_ARGS)
{
	const RetentionStats *stats = PG_GETARG_RETENTION_STATS_P(0);

	return hash_any_extended((const unsigned char *) stats->counts,
							 stats->length * (int) sizeof(RetentionCount), PG_GETARG_INT64(1));
}

/*
 * A stored value with a long header, so that the fields are aligned; the argument itself
 * if it is so already.  Damaged bytes are an error (ERRCODE_DATA_CORRUPTED).
 */
RetentionStats *
retention_stats_open(Datum datum)
{
	RetentionStats *stats = (RetentionStats *) PG_DETOAST_DATUM(datum);
	bool		is_valid = VARSIZE(stats) > offsetof(RetentionStats, counts) &&
		stats->version == RETENTION_STATS_VERSION && stats->length <= RETENTION_MAX_PERIODS + 1 &&
		VARSIZE(stats) == offsetof(RetentionStats, counts) + stats->length * sizeof(RetentionCount);

	for (int i = 0; is_valid && i < stats->length; i++)
		is_valid = stats->counts[i].returned >= 0 && stats->counts[i].returned <= stats->counts[i].size;
	if (!is_valid)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("invalid or unknown version of retention_stats")));
	return stats;
}

/* Counts of this many periods, the cohort included, without a visitor yet. */
RetentionStats *
retention_stats_create(int length)
{
	Size		size = offsetof(RetentionStats, counts) + length * sizeof(RetentionCount);
	RetentionStats *stats = palloc0(size);

	SET_VARSIZE(stats, size);
	stats->version = RETENTION_STATS_VERSION;
	stats->length = (uint16) length;
	return stats;
}

/* Argument 0 as something to write to: the aggregate's own state, or a copy. */
static RetentionStats *
state_argument(FunctionCallInfo fcinfo)
{
	RetentionStats *stats = PG_GETARG_RETENTION_STATS_P(0);
	RetentionStats *copy;

	/* a state that was compressed or has a short header is a copy already */
	if ((Pointer) stats != DatumGetPointer(PG_GETARG_DATUM(0)) || AggCheckCallContext(fcinfo, NULL) != 0)
		return stats;
	copy = palloc(VARSIZE(stats));
	memcpy(copy, stats, VARSIZE(stats));
	return copy;
}

static void
add_visitor(RetentionStats *stats, ArrayType *periods)
{
	BooleanArrayWalk walk;

	boolean_array_start(&walk, periods, "periods");
	if (walk.length != stats->length)
		length_error(stats->length, walk.length);
	for (int i = 0; i < walk.length; i++)
	{
		RetentionCount *count = &stats->counts[i];
		BooleanElement element = boolean_array_next(&walk);

		if (element == BOOLEAN_NULL)
			continue;
		/* which is never less than returned */
		if (unlikely(count->size == PG_INT64_MAX))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("number of visitors in retention_stats is out of range")));
		count->size++;
		count->returned += element == BOOLEAN_TRUE;
	}
}

static void
merge(RetentionStats *stats, const RetentionStats *other)
{
	if (other->length != stats->length)
		length_error(stats->length, other->length);
	for (int i = 0; i < stats->length; i++)
	{
		if (unlikely(pg_add_s64_overflow(stats->counts[i].size, other->counts[i].size, &stats->counts[i].size)))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("number of visitors in retention_stats is out of range")));
		stats->counts[i].returned += other->counts[i].returned;
	}
}

static HeapTuple
form_period(const PeriodWalk *walk, int32 period, SetCall *call)
{
	const RetentionCount *count = &walk->stats->counts[period];
	Datum		fields[6];
	bool		nulls[6] = {false};
	double		lower;
	double		upper;

	fields[0] = Int32GetDatum(period);
	fields[1] = Int64GetDatum(count->size);
	fields[2] = Int64GetDatum(count->returned);
	nulls[3] = nulls[4] = nulls[5] = !wilson_interval(count->returned, count->size, walk->conf_level, &lower, &upper);
	if (!nulls[3])
	{
		fields[3] = Float8GetDatum((double) count->returned / (double) count->size);
		fields[4] = Float8GetDatum(lower);
		fields[5] = Float8GetDatum(upper);
	}
	return heap_form_tuple(call->row_type, fields, nulls);
}

static bool
are_equal(FunctionCallInfo fcinfo)
{
	const RetentionStats *left = PG_GETARG_RETENTION_STATS_P(0);
	const RetentionStats *right = PG_GETARG_RETENTION_STATS_P(1);

	return left->length == right->length &&
		memcmp(left->counts, right->counts, left->length * sizeof(RetentionCount)) == 0;
}

static void
length_error(int expected, int found)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("retention of different lengths cannot be counted together: %d and %d elements",
					expected, found),
			 errhint("Ask for the same periods for all visitors.")));
}
