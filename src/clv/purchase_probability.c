/*
 * purchase_probability.c
 *		purchase_probability(model, purchases, horizon, frequency, recency, age): the
 *		probability of exactly so many purchases in a time to come.
 *
 * Per call: nothing that stays.  The model is read where it stands.
 */
#include "postgres.h"

#include "fmgr.h"

#include "clv/buyer_argument.h"

PG_FUNCTION_INFO_V1(purchase_probability);

/* (model, purchases, horizon, frequency, recency, age); NULL if one of them is */
Datum
purchase_probability(PG_FUNCTION_ARGS)
{
	const Model *model;
	int32		purchases;
	double		horizon;
	Buyer		buyer;

	for (int i = 0; i < 6; i++)
	{
		if (PG_ARGISNULL(i))
			PG_RETURN_NULL();
	}
	model = PG_GETARG_MODEL(0);
	purchases = PG_GETARG_INT32(1);
	horizon = PG_GETARG_FLOAT8(2);
	buyer = buyer_of_arguments(model, PG_GETARG_INT32(3), PG_GETARG_FLOAT8(4), PG_GETARG_FLOAT8(5));
	if (purchases < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"purchases\" must be 0 or more, not %d", purchases)));
	check_horizon(model, horizon);
	if (!model_has_parameters(model))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(checked_score(buyer_model(model)->purchase_probability(model->parameters, &buyer, purchases, horizon)));
}
