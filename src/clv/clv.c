/*
 * clv.c
 *		clv(model, value_model, frequency, recency, age, monetary_value, ...): customer
 *		lifetime value, all put together.
 *
 * Per call: nothing that stays.  The models are read where they stand.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"

#include "clv/buyer_argument.h"

PG_FUNCTION_INFO_V1(clv);

static double finite_option(FunctionCallInfo fcinfo, int number, const char *argument, double preset);

/*
 * (model, value_model, frequency, recency, age, monetary_value, horizon, rate, margin,
 * acquisition_cost)
 */
Datum
clv(PG_FUNCTION_ARGS)
{
	const Model *model;
	const Model *value_model;
	double		horizon = HUGE_VAL;
	double		rate = PG_ARGISNULL(7) ? 0 : PG_GETARG_FLOAT8(7);
	double		margin = finite_option(fcinfo, 8, "margin", 1);
	double		acquisition_cost = finite_option(fcinfo, 9, "acquisition_cost", 0);
	double		monetary_value;
	double		purchases;
	double		value;
	Buyer		buyer;

	if (margin > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"margin\" must be at most 1, not %g", margin),
				 errhint("It is the share of the value that is earned: 0.4 for 40 %%.")));
	for (int i = 0; i < 5; i++)
	{
		if (PG_ARGISNULL(i))
			PG_RETURN_NULL();
	}
	model = PG_GETARG_MODEL(0);
	value_model = PG_GETARG_MODEL(1);
	buyer = buyer_of_arguments(model, PG_GETARG_INT32(2), PG_GETARG_FLOAT8(3), PG_GETARG_FLOAT8(4));
	if (!PG_ARGISNULL(6) && PG_GETARG_FLOAT8(6) != HUGE_VAL)
	{
		horizon = PG_GETARG_FLOAT8(6);
		check_horizon(model, horizon);
	}
	check_rate(rate, horizon);
	if (buyer.frequency > 0 && PG_ARGISNULL(5))
		PG_RETURN_NULL();
	monetary_value = monetary_value_argument(fcinfo, 5, PG_GETARG_INT32(2));
	if (!model_has_parameters(model) || !model_has_parameters(value_model))
		PG_RETURN_NULL();
	purchases = margin * buyer_model(model)->discounted_purchases(model->parameters, &buyer, horizon, rate);
	value = gamma_gamma_expected_value(value_model->parameters, buyer.frequency, monetary_value);
	/* a value can be infinite, and nothing times that is still nothing */
	PG_RETURN_FLOAT8(checked_score((purchases == 0 ? 0 : purchases * value) - acquisition_cost));
}

static double
finite_option(FunctionCallInfo fcinfo, int number, const char *argument, double preset)
{
	double		option = PG_ARGISNULL(number) ? preset : PG_GETARG_FLOAT8(number);

	if (!isfinite(option))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be finite, not %g", argument, option)));
	return option;
}
