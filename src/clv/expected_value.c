/*
 * expected_value.c
 *		expected_value(gamma_gamma, frequency, monetary_value): what a customer's next
 *		purchase is worth.
 */
#include "postgres.h"

#include "clv/buyer_argument.h"

PG_FUNCTION_INFO_V1(expected_value);

/* (model, frequency, monetary_value) */
Datum
expected_value(PG_FUNCTION_ARGS)
{
	const Model *model;
	int32		frequency;
	double		monetary_value;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	frequency = PG_GETARG_INT32(1);
	if (frequency < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"frequency\" must be 0 or more, not %d", frequency),
				 errhint("It is the number of repeat purchases: a customer who has bought once has 0.")));
	if (frequency > 0 && PG_ARGISNULL(2))
		PG_RETURN_NULL();
	monetary_value = monetary_value_argument(fcinfo, 2, frequency);
	model = PG_GETARG_MODEL(0);
	if (!model_has_parameters(model))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(checked_score(gamma_gamma_expected_value(model->parameters, frequency, monetary_value)));
}
