/*
 * p_alive.c
 *		p_alive(model, frequency, recency, age): the probability that a customer is
 *		still one.
 *
 * Per call: nothing that stays.  The model is read where it stands.
 */
#include "postgres.h"

#include "fmgr.h"

#include "clv/buyer_argument.h"

PG_FUNCTION_INFO_V1(p_alive);

/* (model, frequency, recency, age); strict */
Datum
p_alive(PG_FUNCTION_ARGS)
{
	const Model *model = PG_GETARG_MODEL(0);
	Buyer		buyer = buyer_of_arguments(model, PG_GETARG_INT32(1), PG_GETARG_FLOAT8(2), PG_GETARG_FLOAT8(3));

	if (!model_has_parameters(model))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(checked_score(buyer_model(model)->p_alive(model->parameters, &buyer)));
}
