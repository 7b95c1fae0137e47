/*
 * expected_purchases.c
 *		expected_purchases(model, horizon, frequency, recency, age): how often a customer
 *		will buy in a time to come.
 *
 * Per call: nothing that stays.  The model is read where it stands.
 */
#include "postgres.h"

#include "fmgr.h"

#include "clv/buyer_argument.h"

PG_FUNCTION_INFO_V1(expected_purchases);

/* (model, horizon, frequency, recency, age); NULL if one of them is */
Datum
expected_purchases(PG_FUNCTION_ARGS)
{
	const Model *model;
	double		horizon;
	Buyer		buyer;

	for (int i = 0; i < 5; i++)
	{
		if (PG_ARGISNULL(i))
			PG_RETURN_NULL();
	}
	model = PG_GETARG_MODEL(0);
	horizon = PG_GETARG_FLOAT8(1);
	buyer = buyer_of_arguments(model, PG_GETARG_INT32(2), PG_GETARG_FLOAT8(3), PG_GETARG_FLOAT8(4));
	check_horizon(model, horizon);
	if (!model_has_parameters(model))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(checked_score(buyer_model(model)->expected_purchases(model->parameters, &buyer, horizon)));
}
