/*
 * spend_histories.c
 *		The aggregate spend_histories: how many customers bought how often for which mean
 *		value.  What the fit of the Gamma-Gamma model reads.
 *
 * The state of the aggregate is the value itself, as an expanded object
 * (expanded_state.h); what it holds is described in histories.h.
 */
#include "postgres.h"

#include "common/shortest_dec.h"

#include "clv/histories.h"

PG_FUNCTION_INFO_V1(spend_histories_accum);
PG_FUNCTION_INFO_V1(spend_histories_combine);
PG_FUNCTION_INFO_V1(spend_histories_customers);
PG_FUNCTION_INFO_V1(spend_histories_counts);

static void form_row(const History *history, Datum *fields);
pg_noreturn static void report_invalid(const History *history);

/* (spend_histories, frequency, monetary_value [, customers]) */
Datum
spend_histories_accum(PG_FUNCTION_ARGS)
{
	ExpandedState *state = expanded_state_for_change(fcinfo, &spend_histories_methods);
	History		history;

	if (PG_ARGISNULL(1))
		PG_RETURN_STATE(state);
	history.frequency = PG_GETARG_INT32(1);
	history.customers = customers_argument(fcinfo, 3);
	/* without repeat purchases there is no mean value of them, whatever stands there */
	if (history.frequency == 0 || PG_ARGISNULL(2))
		PG_RETURN_STATE(state);
	history.recency = PG_GETARG_FLOAT8(2);
	history.age = 0;
	/* nor is there one that Gamma-Gamma knows if all of them were free */
	if (history.frequency > 0 && history.recency == 0)
		PG_RETURN_STATE(state);
	if (unlikely(!history_is_valid(HISTORY_OF_SPEND, &history)))
		report_invalid(&history);
	if (history.customers > 0)
		histories_add(state->content, &history);
	PG_RETURN_STATE(state);
}

/* (spend_histories, spend_histories) */
Datum
spend_histories_combine(PG_FUNCTION_ARGS)
{
	return expanded_state_combine(fcinfo, &spend_histories_methods);
}

/* (spend_histories) */
Datum
spend_histories_customers(PG_FUNCTION_ARGS)
{
	return histories_count(fcinfo, &spend_histories_methods);
}

/* (spend_histories) */
Datum
spend_histories_counts(PG_FUNCTION_ARGS)
{
	return histories_rows(fcinfo, &spend_histories_methods, form_row);
}

static void
form_row(const History *history, Datum *fields)
{
	fields[0] = Int32GetDatum(history->frequency);
	fields[1] = Float8GetDatum(history->recency);
	fields[2] = Int64GetDatum(history->customers);
}

/* Says which argument is wrong. */
static void
report_invalid(const History *history)
{
	char		value[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(history->recency, value);
	if (history->frequency < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"frequency\" must be 0 or more, not %d", history->frequency),
				 errhint("It is the number of repeat purchases: a customer who has bought once has 0.")));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"monetary_value\" must be finite and 0 or more where \"frequency\" is %d, not %s",
					history->frequency, value),
			 errhint("It is the mean value of the repeat purchases.")));
}
