/*
 * purchase_histories.c
 *		The aggregate purchase_histories: how many customers bought how often, when last,
 *		and are how old.  What the fits of purchase models read.
 *
 * The state of the aggregate is the value itself, as an expanded object
 * (expanded_state.h); what it holds is described in histories.h.
 */
#include "postgres.h"

#include "common/shortest_dec.h"

#include "clv/histories.h"

PG_FUNCTION_INFO_V1(purchase_histories_accum);
PG_FUNCTION_INFO_V1(purchase_histories_combine);
PG_FUNCTION_INFO_V1(purchase_histories_customers);
PG_FUNCTION_INFO_V1(purchase_histories_counts);

static void form_row(const History *history, Datum *fields);
pg_noreturn static void report_invalid(const History *history);

/* (purchase_histories, frequency, recency, age [, customers]) */
Datum
purchase_histories_accum(PG_FUNCTION_ARGS)
{
	ExpandedState *state = expanded_state_for_change(fcinfo, &purchase_histories_methods);
	History		history;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		PG_RETURN_STATE(state);
	history.frequency = PG_GETARG_INT32(1);
	/* no -0 */
	history.recency = PG_GETARG_FLOAT8(2) + 0.0;
	history.age = PG_GETARG_FLOAT8(3) + 0.0;
	history.customers = customers_argument(fcinfo, 4);
	if (unlikely(!history_is_valid(HISTORY_OF_PURCHASES, &history)))
		report_invalid(&history);
	if (history.customers > 0)
		histories_add(state->content, &history);
	PG_RETURN_STATE(state);
}

/* (purchase_histories, purchase_histories) */
Datum
purchase_histories_combine(PG_FUNCTION_ARGS)
{
	return expanded_state_combine(fcinfo, &purchase_histories_methods);
}

/* (purchase_histories) */
Datum
purchase_histories_customers(PG_FUNCTION_ARGS)
{
	return histories_count(fcinfo, &purchase_histories_methods);
}

/* (purchase_histories) */
Datum
purchase_histories_counts(PG_FUNCTION_ARGS)
{
	return histories_rows(fcinfo, &purchase_histories_methods, form_row);
}

static void
form_row(const History *history, Datum *fields)
{
	fields[0] = Int32GetDatum(history->frequency);
	fields[1] = Float8GetDatum(history->recency);
	fields[2] = Float8GetDatum(history->age);
	fields[3] = Int64GetDatum(history->customers);
}

/* Says which argument is wrong. */
static void
report_invalid(const History *history)
{
	char		recency[DOUBLE_SHORTEST_DECIMAL_LEN];
	char		age[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(history->recency, recency);
	double_to_shortest_decimal_buf(history->age, age);
	if (history->frequency < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"frequency\" must be 0 or more, not %d", history->frequency),
				 errhint("It is the number of repeat purchases: a customer who has bought once has 0.")));
	/* also true of NaN */
	if (!(history->age >= 0 && history->age <= DBL_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"age\" must be finite and 0 or more, not %s", age),
				 errhint("It is the time from the first purchase to the end of the observation.")));
	if (!(history->recency >= 0 && history->recency <= DBL_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"recency\" must be finite and 0 or more, not %s", recency),
				 errhint("It is the time from the first purchase to the last.")));
	if (history->recency > history->age)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"recency\" must be at most \"age\", which is %s, not %s", age, recency),
				 errhint("Both are times from the first purchase, in the same unit: recency to the last purchase, age to the end of the observation.")));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"recency\" must be 0 where \"frequency\" is 0, not %s", recency),
			 errhint("Both leave out the first purchase: a customer who has bought once has 0 and 0.")));
}
