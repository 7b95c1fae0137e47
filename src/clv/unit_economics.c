/*
 * unit_economics.c
 *		What a customer costs and brings: formulas on numbers.
 *
 * Amounts and counts are double precision, since costs are shared out and customers are
 * credited to channels in parts.  NULL gives NULL; a denominator of 0 gives NULL, as
 * there is no ratio; NaN, infinite and impossible numbers are errors
 * (ERRCODE_INVALID_PARAMETER_VALUE).
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"

#include "base/boolean_array.h"
#include "base/compat.h"
#include "base/exact_sum.h"

PG_FUNCTION_INFO_V1(economics_simple_clv);
PG_FUNCTION_INFO_V1(economics_customer_acquisition_cost);
PG_FUNCTION_INFO_V1(economics_clv_to_cac);
PG_FUNCTION_INFO_V1(economics_roi);
PG_FUNCTION_INFO_V1(economics_romi);
PG_FUNCTION_INFO_V1(economics_payback_period);
PG_FUNCTION_INFO_V1(economics_repeat_rate);
PG_FUNCTION_INFO_V1(economics_churn_rate);
PG_FUNCTION_INFO_V1(economics_retention_rate);
PG_FUNCTION_INFO_V1(economics_average_order_value);
PG_FUNCTION_INFO_V1(economics_average_revenue_per_user);

static Datum share(FunctionCallInfo fcinfo, int part, const char *part_name, int whole, const char *whole_name);
static Datum return_on(FunctionCallInfo fcinfo, const char *gain_name, const char *cost_name);
static Datum ratio(FunctionCallInfo fcinfo, double numerator, double denominator);
static double amount_argument(FunctionCallInfo fcinfo, int number, const char *name);
static double count_argument(FunctionCallInfo fcinfo, int number, const char *name);
static double discount_rate_argument(FunctionCallInfo fcinfo, int number);
pg_noreturn static void number_error(const char *name, double number, const char *valid);
static char *number_text(double number);

/*
 * (margin, retention_rate, discount_rate, first_margin)
 *
 * With m, r and d, the sum over t of m r^t / (1 + d)^t, from t = 0 or t = 1 on:
 * m (1 + d) / (1 + d - r), or m r / (1 + d - r).
 */
Datum
economics_simple_clv(PG_FUNCTION_ARGS)
{
	int			first = PG_ARGISNULL(3) ? 1 : PG_GETARG_INT32(3);
	double		margin;
	double		retention;
	double		discount;
	double		divisor;
	double		value;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	margin = amount_argument(fcinfo, 0, "margin");
	retention = amount_argument(fcinfo, 1, "retention_rate");
	discount = discount_rate_argument(fcinfo, 2);
	if (first != 0 && first != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"first_margin\" must be 0 or 1, not %d", first),
				 errdetail("0: the first margin comes at once; 1: it comes after one period, from those who are still customers.")));

	/* 1 - r is exact where r is near 1, and d may be tiny */
	divisor = (1 - retention) + discount;
	if (divisor <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"retention_rate\" must be less than 1 + discount_rate: %s is not less than 1 + %s",
						number_text(retention), number_text(discount)),
				 errdetail("The value of a customer would be infinite.")));
	if (retention < 0 || retention > 1)
		number_error("retention_rate", retention, "a share from 0 to 1");
	value = margin * ((first == 0 ? 1 + discount : retention) / divisor);
	if (unlikely(!isfinite(value)))
		float_overflow_error();
	PG_RETURN_FLOAT8(value);
}

/* (spend, customers) */
Datum
economics_customer_acquisition_cost(PG_FUNCTION_ARGS)
{
	double		spend = count_argument(fcinfo, 0, "spend");

	return ratio(fcinfo, spend, count_argument(fcinfo, 1, "customers"));
}

/* (clv, cac) */
Datum
economics_clv_to_cac(PG_FUNCTION_ARGS)
{
	double		clv = amount_argument(fcinfo, 0, "clv");

	return ratio(fcinfo, clv, count_argument(fcinfo, 1, "cac"));
}

/* (margin, cost) */
Datum
economics_roi(PG_FUNCTION_ARGS)
{
	return return_on(fcinfo, "margin", "cost");
}

/* (incremental_margin, spend) */
Datum
economics_romi(PG_FUNCTION_ARGS)
{
	return return_on(fcinfo, "incremental_margin", "spend");
}

/*
 * (acquisition_cost, margins, discount_rate)
 *
 * A margin flows evenly over its period, so within the period in which the cost is paid
 * back time is interpolated.
 */
Datum
economics_payback_period(PG_FUNCTION_ARGS)
{
	double		cost;
	double		growth;
	double		before = 0;
	ExactSum	sum = {{0}};
	ArrayType  *margins;
	const char *next;
	const uint8 *not_nulls;
	int			length;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	cost = count_argument(fcinfo, 0, "acquisition_cost");
	margins = PG_GETARG_ARRAYTYPE_P(1);
	growth = 1 + (PG_ARGISNULL(2) ? 0 : discount_rate_argument(fcinfo, 2));
	if (ARR_NDIM(margins) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"margins\" must be an array of one dimension, not of %d", ARR_NDIM(margins))));
	if (cost == 0)
		PG_RETURN_FLOAT8(0);

	length = ARR_NDIM(margins) == 0 ? 0 : ARR_DIMS(margins)[0];
	next = array_elements(margins);
	not_nulls = ARR_NULLBITMAP(margins);
	for (int i = 0; i < length; i++)
	{
		double		margin;
		double		after;

		CHECK_FOR_INTERRUPTS();
		/* what is not known cannot have paid */
		if (not_nulls != NULL && (not_nulls[i / 8] & (1 << i % 8)) == 0)
			break;
		memcpy(&margin, next, sizeof(double));
		next += sizeof(double);
		if (!isfinite(margin))
			number_error("margins", margin, "an array of finite numbers");
		if (margin != 0)
			margin *= pow(growth, -i);
		if (unlikely(!isfinite(margin)))
			float_overflow_error();
		exact_sum_add(&sum, margin, CurrentMemoryContext);
		after = exact_sum_value(&sum);
		if (after >= cost)
			PG_RETURN_FLOAT8(i + Min((cost - before) / margin, 1));
		before = after;
	}
	PG_RETURN_NULL();
}

/* (repeat_customers, customers) */
Datum
economics_repeat_rate(PG_FUNCTION_ARGS)
{
	return share(fcinfo, 0, "repeat_customers", 1, "customers");
}

/* (customers_at_start, customers_lost) */
Datum
economics_churn_rate(PG_FUNCTION_ARGS)
{
	return share(fcinfo, 1, "customers_lost", 0, "customers_at_start");
}

/* (customers_at_start, customers_at_end, new_customers) */
Datum
economics_retention_rate(PG_FUNCTION_ARGS)
{
	double		at_start = count_argument(fcinfo, 0, "customers_at_start");
	double		at_end = count_argument(fcinfo, 1, "customers_at_end");
	double		new = count_argument(fcinfo, 2, "new_customers");

	if (at_end < new || at_end - new > at_start)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"customers_at_end\" less new_customers must be from 0 to customers_at_start, not %s",
						number_text(at_end - new)),
				 errdetail("Of %s customers at the end %s are new, and there were %s at the start.",
						   number_text(at_end), number_text(new), number_text(at_start))));
	return ratio(fcinfo, at_end - new, at_start);
}

/* (revenue, orders) */
Datum
economics_average_order_value(PG_FUNCTION_ARGS)
{
	double		revenue = amount_argument(fcinfo, 0, "revenue");

	return ratio(fcinfo, revenue, count_argument(fcinfo, 1, "orders"));
}

/* (revenue, users) */
Datum
economics_average_revenue_per_user(PG_FUNCTION_ARGS)
{
	double		revenue = amount_argument(fcinfo, 0, "revenue");

	return ratio(fcinfo, revenue, count_argument(fcinfo, 1, "users"));
}

/* Of two counts of which one is part of the other. */
static Datum
share(FunctionCallInfo fcinfo, int part, const char *part_name, int whole, const char *whole_name)
{
	double		some = count_argument(fcinfo, part, part_name);
	double		all = count_argument(fcinfo, whole, whole_name);

	if (some > all)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must not exceed %s: %s of %s",
						part_name, whole_name, number_text(some), number_text(all))));
	return ratio(fcinfo, some, all);
}

/* (gain - cost) / cost */
static Datum
return_on(FunctionCallInfo fcinfo, const char *gain_name, const char *cost_name)
{
	double		gain = amount_argument(fcinfo, 0, gain_name);
	double		cost = count_argument(fcinfo, 1, cost_name);

	return ratio(fcinfo, gain - cost, cost);
}

/* NULL if there is nothing to divide by. */
static Datum
ratio(FunctionCallInfo fcinfo, double numerator, double denominator)
{
	double		result;

	if (denominator == 0)
		PG_RETURN_NULL();
	result = numerator / denominator;
	if (unlikely(!isfinite(result)))
		float_overflow_error();
	PG_RETURN_FLOAT8(result);
}

/* An argument that is finite. */
static double
amount_argument(FunctionCallInfo fcinfo, int number, const char *name)
{
	double		amount = PG_GETARG_FLOAT8(number);

	if (!isfinite(amount))
		number_error(name, amount, "a finite number");
	return amount;
}

/* An argument that is finite and not negative. */
static double
count_argument(FunctionCallInfo fcinfo, int number, const char *name)
{
	double		count = PG_GETARG_FLOAT8(number);

	if (!isfinite(count) || count < 0)
		number_error(name, count, "a finite number from 0");
	return count;
}

static double
discount_rate_argument(FunctionCallInfo fcinfo, int number)
{
	double		rate = PG_GETARG_FLOAT8(number);

	if (!isfinite(rate) || rate <= -1)
		number_error("discount_rate", rate, "a finite number greater than -1");
	return rate;
}

static void
number_error(const char *name, double number, const char *valid)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" must be %s, not %s", name, valid, number_text(number))));
}

static char *
number_text(double number)
{
	return DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(number)));
}
