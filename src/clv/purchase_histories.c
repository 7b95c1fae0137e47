/*
 * purchase_histories.c
 *		The aggregate purchase_histories: how many customers bought how often, when last,
 *		and are how old.  What the fits of purchase models read.
 *
 * The state of the aggregate is the value itself, as an expanded object
 * (expanded_state.h); what it holds is described in histories.h.
 */
#include "postgres.h"

#include "clv/buyer_argument.h"
#include "clv/histories.h"

PG_FUNCTION_INFO_V1(purchase_histories_accum);
PG_FUNCTION_INFO_V1(purchase_histories_combine);
PG_FUNCTION_INFO_V1(purchase_histories_customers);
PG_FUNCTION_INFO_V1(purchase_histories_counts);

static void form_row(const History *history, Datum *fields);

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
		report_history(history.frequency, history.recency, history.age);
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
