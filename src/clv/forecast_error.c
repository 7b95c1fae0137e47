/*
 * forecast_error.c
 *		How far a forecast is off: what was expected of each customer beside what he did.
 *
 * Per group, the state is a number of customers and four exact sums, in one chunk of the
 * aggregate's memory: neither the order of rows nor the plan changes a bit of the
 * result.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "libpq/pqformat.h"

#include "base/compat.h"
#include "base/exact_sum.h"
#include "base/state_io.h"

PG_FUNCTION_INFO_V1(forecast_error_transition);
PG_FUNCTION_INFO_V1(forecast_error_combine);
PG_FUNCTION_INFO_V1(forecast_error_serialize);
PG_FUNCTION_INFO_V1(forecast_error_deserialize);
PG_FUNCTION_INFO_V1(forecast_error_final);
PG_FUNCTION_INFO_V1(naive_purchases);

/* So that the squares of differences are far within the range of doubles. */
#define MAX_NUMBER 1e100

#define FORECAST_ERROR_COLUMNS 8

typedef struct ForecastError
{
	int64		customers;
	ExactSum	expected;
	ExactSum	actual;
	ExactSum	absolute;		/* of the differences ... */
	ExactSum	squared;		/* ... and of their squares, each rounded */
} ForecastError;

static ForecastError *get_state(FunctionCallInfo fcinfo);
static double number_argument(FunctionCallInfo fcinfo, int number, const char *argument);
static double not_negative(double number, const char *argument);

/* (state, expected, actual) */
Datum
forecast_error_transition(PG_FUNCTION_ARGS)
{
	ForecastError *state = get_state(fcinfo);
	MemoryContext context = GetMemoryChunkContext(state);
	double		expected;
	double		actual;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_POINTER(state);
	expected = number_argument(fcinfo, 1, "expected");
	actual = number_argument(fcinfo, 2, "actual");
	state->customers++;
	exact_sum_add(&state->expected, expected, context);
	exact_sum_add(&state->actual, actual, context);
	exact_sum_add(&state->absolute, fabs(expected - actual), context);
	exact_sum_add(&state->squared, (expected - actual) * (expected - actual), context);
	PG_RETURN_POINTER(state);
}

Datum
forecast_error_combine(PG_FUNCTION_ARGS)
{
	ForecastError *state = get_state(fcinfo);
	MemoryContext context = GetMemoryChunkContext(state);

	if (!PG_ARGISNULL(1))
	{
		const ForecastError *other = (const ForecastError *) PG_GETARG_POINTER(1);

		state->customers += other->customers;
		exact_sum_merge(&state->expected, &other->expected, context);
		exact_sum_merge(&state->actual, &other->actual, context);
		exact_sum_merge(&state->absolute, &other->absolute, context);
		exact_sum_merge(&state->squared, &other->squared, context);
	}
	PG_RETURN_POINTER(state);
}

Datum
forecast_error_serialize(PG_FUNCTION_ARGS)
{
	const ForecastError *state = (const ForecastError *) PG_GETARG_POINTER(0);
	StringInfoData out;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "aggregate function called in non-aggregate context");
	pq_begintypsend(&out);
	pq_sendint64(&out, state->customers);
	state_send_sum(&out, &state->expected);
	state_send_sum(&out, &state->actual);
	state_send_sum(&out, &state->absolute);
	state_send_sum(&out, &state->squared);
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

Datum
forecast_error_deserialize(PG_FUNCTION_ARGS)
{
	const bytea *bytes = PG_GETARG_BYTEA_PP(0);
	StringInfoData in;
	StateMessage message = {&in, "state of forecast_error"};
	ForecastError *state;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "aggregate function called in non-aggregate context");
	initStringInfo(&in);
	appendBinaryStringInfo(&in, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	/* it is read once, by the combine function, in this same short-lived context */
	state = palloc0(sizeof(ForecastError));
	state->customers = state_receive_count(&message);
	state_receive_sum(&message, &state->expected, CurrentMemoryContext);
	state_receive_sum(&message, &state->actual, CurrentMemoryContext);
	state_receive_sum(&message, &state->absolute, CurrentMemoryContext);
	state_receive_sum(&message, &state->squared, CurrentMemoryContext);
	pq_getmsgend(&in);
	PG_RETURN_POINTER(state);
}

/* The columns of the type forecast_error; no rows at all give zeros, as count gives 0. */
Datum
forecast_error_final(PG_FUNCTION_ARGS)
{
	static const ForecastError nothing = {0};
	const ForecastError *state = PG_ARGISNULL(0) ? &nothing : (const ForecastError *) PG_GETARG_POINTER(0);
	double		customers = (double) state->customers;
	double		expected = exact_sum_value(&state->expected);
	double		actual = exact_sum_value(&state->actual);
	TupleDesc	row_type;
	Datum		fields[FORECAST_ERROR_COLUMNS];
	bool		nulls[FORECAST_ERROR_COLUMNS] = {false};

	if (get_call_result_type(fcinfo, NULL, &row_type) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	fields[0] = Int64GetDatum(state->customers);
	fields[1] = Float8GetDatum(expected);
	fields[2] = Float8GetDatum(actual);
	fields[3] = Float8GetDatum(expected / customers);
	fields[4] = Float8GetDatum(actual / customers);
	fields[5] = Float8GetDatum(expected / actual);
	nulls[5] = actual == 0;
	fields[6] = Float8GetDatum(exact_sum_value(&state->absolute) / customers);
	fields[7] = Float8GetDatum(sqrt(exact_sum_value(&state->squared) / customers));
	if (state->customers == 0)
		nulls[3] = nulls[4] = nulls[6] = nulls[7] = true;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(row_type, fields, nulls)));
}

/* (horizon, frequency, age), strict */
Datum
naive_purchases(PG_FUNCTION_ARGS)
{
	double		horizon = not_negative(PG_GETARG_FLOAT8(0), "horizon");
	int32		frequency = PG_GETARG_INT32(1);
	double		age = not_negative(PG_GETARG_FLOAT8(2), "age");

	if (frequency < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"frequency\" must not be negative: %d", frequency)));
	if (frequency == 0)
		PG_RETURN_FLOAT8(0);
	if (age == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"age\" must be greater than zero if \"frequency\" is: %d", frequency),
				 errhint("Frequency counts the purchases on days after the first: give frequency and age as purchase_summary() does.")));
	PG_RETURN_FLOAT8(horizon / age * frequency);
}

static ForecastError *
get_state(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate function called in non-aggregate context");
	if (!PG_ARGISNULL(0))
		return (ForecastError *) PG_GETARG_POINTER(0);
	return MemoryContextAllocZero(context, sizeof(ForecastError));
}

static double
number_argument(FunctionCallInfo fcinfo, int number, const char *argument)
{
	double		value = PG_GETARG_FLOAT8(number);

	/* also true of NaN */
	if (!(fabs(value) < MAX_NUMBER))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("argument \"%s\" must be finite and smaller than 1e100, not %g", argument, value)));
	return value;
}

static double
not_negative(double number, const char *argument)
{
	if (!isfinite(number) || number < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be finite and not negative: %g", argument, number)));
	return number;
}
