/*
 * cohort_value.c
 *		The value of many customers by age: cohort_value, rollup, cohort_value_periods.
 *
 * A CohortValue is one group's state and also what a user stores: two counts and an
 * exact sum a period, of a length that is known from the group's first row.
 * Nothing lives per query or per row.  Neither the order of rows nor the way in
 * which parts are merged changes a byte of the trimmed state.
 *
 * The aggregates change their state in place; called in any other way the
 * functions work on a copy, since their argument may lie in a shared buffer.  A sum
 * that needs more parts than there is room for makes a new, larger state.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "common/int.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"

#include "base/boolean_array.h"
#include "base/compat.h"
#include "base/set_call.h"
#include "clv/cohort_value.h"

PG_FUNCTION_INFO_V1(cohort_value_accum);
PG_FUNCTION_INFO_V1(cohort_value_combine);
PG_FUNCTION_INFO_V1(cohort_value_final);
PG_FUNCTION_INFO_V1(cohort_value_periods);

/* Two doubles hold nearly every sum of money. */
#define USUAL_PARTS 2

#define PERIOD_COLUMNS 9

/* The walk of cohort_value_periods over the periods. */
typedef struct PeriodWalk
{
	const CohortValue *value;
	bool		has_cost;
	double		cost;			/* of acquiring a customer */
	double		growth;			/* 1 + discount rate */
	int			next;
	bool		is_known;		/* every period so far had a customer */
	ExactSum	cumulative;		/* means of the periods so far */
	ExactSum	discounted;
} PeriodWalk;

static CohortValue *state_argument(FunctionCallInfo fcinfo);
static Datum return_state(FunctionCallInfo fcinfo, CohortValue *value);
static int	element_count(ArrayType *array);
static CohortValue *add_customer(CohortValue *value, ArrayType *array);
static void check_value(double value, int period);
static CohortValue *merge(CohortValue *value, const CohortValue *other);
static void add_count(int64 *count, int64 addend);
static int	longest_sum(const CohortValue *value);
static PeriodWalk *start_walk(FunctionCallInfo fcinfo);
static HeapTuple form_period(PeriodWalk *walk, int period, SetCall *call);
pg_noreturn static void length_error(int expected, int found);

/* Transition of the aggregate cohort_value: (state, value_by_age). */
Datum
cohort_value_accum(PG_FUNCTION_ARGS)
{
	CohortValue *value;
	ArrayType  *array;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		return PG_GETARG_DATUM(0);
	}
	array = PG_GETARG_ARRAYTYPE_P(1);
	value = PG_ARGISNULL(0) ? cohort_value_create(element_count(array), USUAL_PARTS) : state_argument(fcinfo);
	return return_state(fcinfo, add_customer(value, array));
}

/* Merges two: the combine function of both aggregates and rollup's transition. */
Datum
cohort_value_combine(PG_FUNCTION_ARGS)
{
	return return_state(fcinfo, merge(state_argument(fcinfo), PG_GETARG_COHORT_VALUE_P(1)));
}

/* (state) */
Datum
cohort_value_final(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(cohort_value_trim(PG_GETARG_COHORT_VALUE_P(0)));
}

/* (cohort_value, acquisition_cost, discount_rate) */
Datum
cohort_value_periods(PG_FUNCTION_ARGS)
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
		call->state = start_walk(fcinfo);
		MemoryContextSwitchTo(caller);
	}
	walk = call->state;

	if (walk->next < walk->value->length)
		SET_CALL_RETURN_NEXT(fcinfo, HeapTupleGetDatum(form_period(walk, walk->next++, call)));
	SET_CALL_RETURN_DONE(fcinfo, call);
}

/*
 * A stored value with a long header, so that the fields are aligned; the argument itself
 * if it is so already.  Damaged bytes are an error (ERRCODE_DATA_CORRUPTED).
 */
CohortValue *
cohort_value_open(Datum datum)
{
	CohortValue *value = (CohortValue *) PG_DETOAST_DATUM(datum);

	if (VARSIZE(value) <= offsetof(CohortValue, counts) || value->version != COHORT_VALUE_VERSION ||
		value->length < 1 || value->length > COHORT_MAX_PERIODS + 1 ||
		value->part_count < 1 || value->part_count > EXACT_SUM_MAX_PARTS ||
		VARSIZE(value) != offsetof(CohortValue, counts) +
		value->length * (sizeof(CohortCount) + value->part_count * sizeof(double)))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("invalid or unknown version of cohort_value")));
	return value;
}

/* Of this many periods, period 0 included, without a customer yet. */
CohortValue *
cohort_value_create(int length, int part_count)
{
	Size		size = offsetof(CohortValue, counts) +
		length * (sizeof(CohortCount) + part_count * sizeof(double));
	CohortValue *value = palloc0(size);

	SET_VARSIZE(value, size);
	value->version = COHORT_VALUE_VERSION;
	value->part_count = (uint8) part_count;
	value->length = (uint16) length;
	return value;
}

/* The sum of a period; what does not fit into an ExactSum is in the current memory context. */
void
cohort_value_get_sum(const CohortValue *value, int period, ExactSum *sum)
{
	const double *parts = cohort_parts(value, period);

	memset(sum, 0, sizeof(ExactSum));
	sum->part[0] = parts[0];
	if (value->part_count > 1)
		sum->part[1] = parts[1];
	for (int i = 2; i < value->part_count && parts[i] != 0; i++)
		exact_sum_add(sum, parts[i], CurrentMemoryContext);
}

/* Sets it; returns the value, or a larger one if the sum needs more room. */
CohortValue *
cohort_value_put_sum(CohortValue *value, int period, const ExactSum *sum)
{
	double		parts[EXACT_SUM_MAX_PARTS];
	int			count = exact_sum_parts(sum, parts);

	if (count > value->part_count)
	{
		CohortValue *larger = cohort_value_create(value->length, count);

		memcpy(larger->counts, value->counts, value->length * sizeof(CohortCount));
		for (int i = 0; i < value->length; i++)
			memcpy(cohort_parts(larger, i), cohort_parts(value, i), value->part_count * sizeof(double));
		value = larger;
	}
	memset(cohort_parts(value, period), 0, value->part_count * sizeof(double));
	memcpy(cohort_parts(value, period), parts, count * sizeof(double));
	return value;
}

/* The value without unused room: itself if there is none. */
CohortValue *
cohort_value_trim(CohortValue *value)
{
	int			part_count = longest_sum(value);
	CohortValue *trimmed;

	if (part_count == value->part_count)
		return value;
	trimmed = cohort_value_create(value->length, part_count);
	memcpy(trimmed->counts, value->counts, value->length * sizeof(CohortCount));
	for (int i = 0; i < value->length; i++)
		memcpy(cohort_parts(trimmed, i), cohort_parts(value, i), part_count * sizeof(double));
	return trimmed;
}

/* Argument 0 as something to write to: the aggregate's own state, or a copy. */
static CohortValue *
state_argument(FunctionCallInfo fcinfo)
{
	CohortValue *value = PG_GETARG_COHORT_VALUE_P(0);
	CohortValue *copy;

	/* a state that was compressed or has a short header is a copy already */
	if ((Pointer) value != DatumGetPointer(PG_GETARG_DATUM(0)) || AggCheckCallContext(fcinfo, NULL) != 0)
		return value;
	copy = palloc(VARSIZE(value));
	memcpy(copy, value, VARSIZE(value));
	return copy;
}

/* Outside of an aggregate nobody else trims it. */
static Datum
return_state(FunctionCallInfo fcinfo, CohortValue *value)
{
	if (AggCheckCallContext(fcinfo, NULL) == 0)
		value = cohort_value_trim(value);
	PG_RETURN_POINTER(value);
}

static int
element_count(ArrayType *array)
{
	int			length = ARR_NDIM(array) == 0 ? 0 : ARR_DIMS(array)[0];

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"value_by_age\" must be an array of one dimension, not of %d", ARR_NDIM(array))));
	if (length < 1 || length > COHORT_MAX_PERIODS + 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"value_by_age\" must have from 1 to %d elements, not %d",
						COHORT_MAX_PERIODS + 1, length)));
	return length;
}

static CohortValue *
add_customer(CohortValue *value, ArrayType *array)
{
	int			length = element_count(array);
	const char *next = array_elements(array);
	const uint8 *not_nulls = ARR_NULLBITMAP(array);

	if (length != value->length)
		length_error(value->length, length);
	for (int i = 0; i < length; i++)
	{
		double		element;
		ExactSum	sum;

		if (not_nulls != NULL && (not_nulls[i / 8] & (1 << i % 8)) == 0)
			continue;
		memcpy(&element, next, sizeof(double));
		next += sizeof(double);
		check_value(element, i);
		/* which is never less than active */
		add_count(&value->counts[i].customers, 1);
		if (element == 0)
			continue;
		value->counts[i].active++;
		cohort_value_get_sum(value, i, &sum);
		exact_sum_add(&sum, element, CurrentMemoryContext);
		if (likely(sum.more == NULL && value->part_count >= USUAL_PARTS))
			memcpy(cohort_parts(value, i), sum.part, sizeof(sum.part));
		else
			value = cohort_value_put_sum(value, i, &sum);
	}
	return value;
}

static void
check_value(double value, int period)
{
	/* also true of NaN */
	if (!(fabs(value) < EXACT_SUM_LIMIT))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"value_by_age\" must not have %s in period %d",
						DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(value))), period),
				 errdetail("Values must be finite, and smaller than 2^900.")));
}

static CohortValue *
merge(CohortValue *value, const CohortValue *other)
{
	if (other->length != value->length)
		length_error(value->length, other->length);
	for (int i = 0; i < other->length; i++)
	{
		ExactSum	sum;
		ExactSum	addend;

		add_count(&value->counts[i].customers, other->counts[i].customers);
		value->counts[i].active += other->counts[i].active;
		cohort_value_get_sum(value, i, &sum);
		cohort_value_get_sum(other, i, &addend);
		exact_sum_merge(&sum, &addend, CurrentMemoryContext);
		value = cohort_value_put_sum(value, i, &sum);
	}
	return value;
}

static void
add_count(int64 *count, int64 addend)
{
	if (unlikely(pg_add_s64_overflow(*count, addend, count)))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("number of customers in cohort_value is out of range")));
}

/* How many parts the longest sum has, at least 1. */
static int
longest_sum(const CohortValue *value)
{
	int			longest = 1;

	for (int i = 0; i < value->length; i++)
	{
		const double *parts = cohort_parts(value, i);

		while (longest < value->part_count && parts[longest] != 0)
			longest++;
	}
	return longest;
}

static PeriodWalk *
start_walk(FunctionCallInfo fcinfo)
{
	PeriodWalk *walk = palloc0(sizeof(PeriodWalk));
	double		rate = PG_ARGISNULL(2) ? 0 : PG_GETARG_FLOAT8(2);

	/* an argument that is not toasted stays where it is until the set is complete */
	walk->value = PG_GETARG_COHORT_VALUE_P(0);
	walk->has_cost = !PG_ARGISNULL(1);
	if (walk->has_cost)
		walk->cost = PG_GETARG_FLOAT8(1);
	if (!(walk->cost >= 0 && isfinite(walk->cost)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"acquisition_cost\" must be a finite number from 0, not %s",
						DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(walk->cost))))));
	if (!(rate > -1 && isfinite(rate)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"discount_rate\" must be a finite number greater than -1, not %s",
						DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(rate)))),
				 errhint("It is the rate of one period: for example 0.01 for 1 %% a month where periods are months.")));
	walk->growth = 1 + rate;
	walk->is_known = true;
	return walk;
}

/*
 * A row of cohort_value_periods.  Cumulative values are sums of the periods' means, each
 * over the customers for whom that period is complete, as a life table has it.
 */
static HeapTuple
form_period(PeriodWalk *walk, int period, SetCall *call)
{
	const CohortCount *count = &walk->value->counts[period];
	Datum		fields[PERIOD_COLUMNS];
	bool		nulls[PERIOD_COLUMNS] = {false};
	MemoryContext caller = MemoryContextSwitchTo(call->context);
	ExactSum	sum;
	double		total;

	cohort_value_get_sum(walk->value, period, &sum);
	total = exact_sum_value(&sum);
	fields[0] = Int32GetDatum(period);
	fields[1] = Int64GetDatum(count->customers);
	fields[2] = Int64GetDatum(count->active);
	fields[3] = Float8GetDatum(total);

	walk->is_known = walk->is_known && count->customers > 0;
	for (int i = 4; i < PERIOD_COLUMNS; i++)
		nulls[i] = i == 4 ? count->customers == 0 : !walk->is_known || (i >= 7 && !walk->has_cost);
	if (!nulls[4])
		fields[4] = Float8GetDatum(total / (double) count->customers);
	if (walk->is_known)
	{
		double		mean = total / (double) count->customers;
		double		present = mean == 0 ? 0 : mean * pow(walk->growth, -period);
		double		cumulative;
		double		discounted;

		if (unlikely(!isfinite(present)))
			float_overflow_error();
		exact_sum_add(&walk->cumulative, mean, call->context);
		exact_sum_add(&walk->discounted, present, call->context);
		cumulative = exact_sum_value(&walk->cumulative);
		discounted = exact_sum_value(&walk->discounted);
		fields[5] = Float8GetDatum(cumulative);
		fields[6] = Float8GetDatum(discounted);
		fields[7] = BoolGetDatum(cumulative >= walk->cost);
		fields[8] = BoolGetDatum(discounted >= walk->cost);
	}
	MemoryContextSwitchTo(caller);
	return heap_form_tuple(call->row_type, fields, nulls);
}

static void
length_error(int expected, int found)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("values by age of different lengths cannot be added up: %d and %d elements",
					expected, found),
			 errhint("Ask for the same periods for all customers.")));
}
