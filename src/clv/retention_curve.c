/*
 * retention_curve.c
 *		What an sBG says about customers with a contract: how many stay, and for how long.
 *
 * The formulas are in sbg.c.  Lifetimes are those of Fader and Hardie (2010), "Customer-Base
 * Valuation in a Contractual Setting": DEL of a new customer, DERL of one who decides
 * on his n-th renewal.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "base/set_call.h"
#include "clv/buyer.h"
#include "clv/buyer_argument.h"

PG_FUNCTION_INFO_V1(sbg_survival_rate);
PG_FUNCTION_INFO_V1(sbg_retention_rate);
PG_FUNCTION_INFO_V1(sbg_retention_curve);
PG_FUNCTION_INFO_V1(sbg_expected_lifetime);
PG_FUNCTION_INFO_V1(sbg_discounted_lifetime);

typedef struct CurveRows
{
	double		parameters[MODEL_MAX_PARAMETERS];
	int64		next;
	int64		last;
	double		survival;		/* of the last row */
} CurveRows;

static Datum curve_row(CurveRows *rows, TupleDesc row_type);
static double lifetime(const Model *model, int32 periods, double horizon, double rate);
static int32 whole_number_argument(FunctionCallInfo fcinfo, int number, const char *name, int32 smallest);

/* (model, period) */
Datum
sbg_survival_rate(PG_FUNCTION_ARGS)
{
	const Model *model = PG_GETARG_MODEL(0);
	int32		period = whole_number_argument(fcinfo, 1, "period", 0);

	if (!model_has_parameters(model))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(checked_score(sbg_survival(model->parameters, period)));
}

/* (model, period) */
Datum
sbg_retention_rate(PG_FUNCTION_ARGS)
{
	const Model *model = PG_GETARG_MODEL(0);
	int32		period = whole_number_argument(fcinfo, 1, "period", 1);

	if (!model_has_parameters(model))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(checked_score(sbg_retention(model->parameters, period)));
}

/* (model, periods) */
Datum
sbg_retention_curve(PG_FUNCTION_ARGS)
{
	SetCall    *call = set_call_begin(fcinfo);
	CurveRows  *rows;

	if (!call->is_running)
	{
		const Model *model;
		int32		periods;

		if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
			SET_CALL_RETURN_DONE(fcinfo, call);
		model = PG_GETARG_MODEL(0);
		periods = whole_number_argument(fcinfo, 1, "periods", 0);
		if (!model_has_parameters(model))
			SET_CALL_RETURN_DONE(fcinfo, call);
		set_call_start(fcinfo, call);
		call->state = rows = MemoryContextAllocZero(call->context, sizeof(CurveRows));
		memcpy(rows->parameters, model->parameters, sizeof(rows->parameters));
		rows->last = periods;
		rows->survival = 1;
	}
	rows = call->state;
	if (rows->next <= rows->last)
		SET_CALL_RETURN_NEXT(fcinfo, curve_row(rows, call->row_type));
	SET_CALL_RETURN_DONE(fcinfo, call);
}

static Datum
curve_row(CurveRows *rows, TupleDesc row_type)
{
	int32		period = (int32) rows->next++;
	double		retention = period == 0 ? 1 : sbg_retention(rows->parameters, period);
	Datum		fields[3];
	bool		nulls[3] = {false, false, period == 0};

	rows->survival *= retention;
	fields[0] = Int32GetDatum(period);
	fields[1] = Float8GetDatum(rows->survival);
	fields[2] = Float8GetDatum(retention);
	return HeapTupleGetDatum(heap_form_tuple(row_type, fields, nulls));
}

/* (model, periods) */
Datum
sbg_expected_lifetime(PG_FUNCTION_ARGS)
{
	const Model *model;
	int32		periods;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	model = PG_GETARG_MODEL(0);
	periods = whole_number_argument(fcinfo, 1, "periods", 0);
	if (!model_has_parameters(model))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(checked_score(lifetime(model, periods, HUGE_VAL, 0)));
}

/* (model, rate, periods, horizon) */
Datum
sbg_discounted_lifetime(PG_FUNCTION_ARGS)
{
	const Model *model;
	double		rate;
	int32		periods;
	double		horizon;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	model = PG_GETARG_MODEL(0);
	rate = PG_GETARG_FLOAT8(1);
	periods = whole_number_argument(fcinfo, 2, "periods", 0);
	horizon = PG_ARGISNULL(3) ? HUGE_VAL : whole_number_argument(fcinfo, 3, "horizon", 0);
	if (!(rate >= 0 && isfinite(rate)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"rate\" must be 0 or more and finite, not %g", rate),
				 errhint("It is the discount rate for a period: 0.1 for 10 %%.")));
	if (rate == 0 && isinf(horizon))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"rate\" must be greater than 0 without a horizon"),
				 errhint("Give a horizon, or use expected_lifetime, which does not discount.")));
	if (!model_has_parameters(model))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(checked_score(lifetime(model, periods, horizon, rate)));
}

/*
 * Payments to expect, each as it counts now: of a new customer the first one for certain,
 * now; of one who made 'periods' of them the next one now, if he renews.
 */
static double
lifetime(const Model *model, int32 periods, double horizon, double rate)
{
	double		shifted[2] = {model->parameters[0], model->parameters[1] + periods};
	double		first = periods == 0 ? 1 : sbg_retention(model->parameters, periods);

	if (horizon == 0)
		return 0;
	/* who renews his n-th time is a new customer of beta + n */
	return first * (1 + sbg_discounted_periods(shifted, horizon - 1, rate));
}

static int32
whole_number_argument(FunctionCallInfo fcinfo, int number, const char *name, int32 smallest)
{
	int32		value = PG_GETARG_INT32(number);

	if (value < smallest)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be %d or more, not %d", name, smallest, value)));
	return value;
}
