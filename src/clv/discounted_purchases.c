/*
 * discounted_purchases.c
 *		discounted_purchases(model, rate, frequency, recency, age, horizon): the purchases
 *		of a customer to come, each worth the less the later it is.
 *
 * Per call: nothing that stays.  The model is read where it stands.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"

#include "clv/buyer_argument.h"

PG_FUNCTION_INFO_V1(discounted_purchases);

/* (model, rate, frequency, recency, age, horizon); only the horizon may be NULL */
Datum
discounted_purchases(PG_FUNCTION_ARGS)
{
	const Model *model;
	double		rate;
	double		horizon = HUGE_VAL;
	Buyer		buyer;

	for (int i = 0; i < 5; i++)
	{
		if (PG_ARGISNULL(i))
			PG_RETURN_NULL();
	}
	model = PG_GETARG_MODEL(0);
	rate = PG_GETARG_FLOAT8(1);
	buyer = buyer_of_arguments(model, PG_GETARG_INT32(2), PG_GETARG_FLOAT8(3), PG_GETARG_FLOAT8(4));
	if (!PG_ARGISNULL(5))
	{
		horizon = PG_GETARG_FLOAT8(5);
		/* infinity says what NULL does */
		if (horizon != HUGE_VAL)
			check_horizon(model, horizon);
	}
	check_rate(rate, horizon);
	if (!model_has_parameters(model))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(checked_score(buyer_model(model)->discounted_purchases(model->parameters, &buyer, horizon, rate)));
}
