/*
 * fit.c
 *		Fits of the models: the parameters under which what the customers did is most
 *		likely.
 *
 * The histories come in one order, whatever order the rows had, and all sums are
 * compensated in that order, so a fit is the same to the last bit for any plan.
 *
 * A likelihood can have several tops.  A search climbs the one on which it starts, so
 * several searches start far from each other, in a part of the histories if they are many, and
 * the best goes on.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"

#include "clv/buyer.h"
#include "clv/likelihood.h"
#include "clv/model.h"

/* So many histories show the neighbourhood, and then so many times as many. */
#define FIRST_HISTORIES 8192
#define NEXT_HISTORIES 8

/* Nodes of the quadrature of paretonbd: to find the parameters, and to be exact. */
#define FIRST_NODES 8
#define LAST_NODES 32

PG_FUNCTION_INFO_V1(bgnbd_fit);
PG_FUNCTION_INFO_V1(mbgnbd_fit);
PG_FUNCTION_INFO_V1(paretonbd_fit);
PG_FUNCTION_INFO_V1(gamma_gamma_fit);
PG_FUNCTION_INFO_V1(bgbb_fit);
PG_FUNCTION_INFO_V1(sbg_fit);

/*
 * Where searches start, as multiples of the origin: customers who differ as exponential
 * variables do; who differ much in how often they buy, and hardly in how soon they are
 * lost; the other way round; who differ much in both.
 */
static const double starts[][MODEL_MAX_PARAMETERS] = {
	{1, 1, 1, 1},
	{0.2, 0.1, 5, 50},
	{5, 1, 1, 1},
	{0.2, 0.1, 0.1, 0.1}
};

/* A top is higher if it is so by more than rounding can be. */
#define HIGHER 1e-6

/* A model that is being fitted. */
typedef struct Fit
{
	Model	   *model;
	NewtonFunction function;
	Likelihood	likelihood;
	double		origin[MODEL_MAX_PARAMETERS];	/* usual parameters, by the scale of the data */
	double		best[MODEL_MAX_PARAMETERS]; /* parameters so far */
} Fit;

static Datum fit_purchases(FunctionCallInfo fcinfo, ModelKind kind, NewtonFunction function);
static void fit_start(Fit *fit, ModelKind kind, NewtonFunction function);
static void take_histories(Fit *fit, FunctionCallInfo fcinfo, const StateMethods *methods);
static double mean_of_histories(const Fit *fit, bool is_age);
static void warn_of_counts(const Histories *histories);
static void check_opportunities(const Histories *histories);
static void take_survivors(Fit *fit, ArrayType *survivors);
static Datum fit_model(Fit *fit);
static int	search_from_everywhere(Fit *fit, uint32 step);
static int	search(Fit *fit, uint32 step, int nodes, NewtonResult *result);
static void describe(Fit *fit, const NewtonResult *result);

/* (purchase_histories) */
Datum
bgnbd_fit(PG_FUNCTION_ARGS)
{
	return fit_purchases(fcinfo, MODEL_BGNBD, bgnbd_likelihood);
}

/* (purchase_histories) */
Datum
mbgnbd_fit(PG_FUNCTION_ARGS)
{
	return fit_purchases(fcinfo, MODEL_MBGNBD, mbgnbd_likelihood);
}

/* (purchase_histories) */
Datum
paretonbd_fit(PG_FUNCTION_ARGS)
{
	return fit_purchases(fcinfo, MODEL_PARETONBD, paretonbd_likelihood);
}

/* (spend_histories) */
Datum
gamma_gamma_fit(PG_FUNCTION_ARGS)
{
	Fit			fit;

	fit_start(&fit, MODEL_GAMMA_GAMMA, gamma_gamma_likelihood);
	take_histories(&fit, fcinfo, &spend_histories_methods);
	fit.origin[1] = 2;
	fit.origin[2] = mean_of_histories(&fit, false);
	return fit_model(&fit);
}

/* (purchase_histories) */
Datum
bgbb_fit(PG_FUNCTION_ARGS)
{
	Fit			fit;

	fit_start(&fit, MODEL_BGBB, bgbb_likelihood);
	take_histories(&fit, fcinfo, &purchase_histories_methods);
	check_opportunities(&fit.likelihood.histories);
	return fit_model(&fit);
}

/* (survivors) */
Datum
sbg_fit(PG_FUNCTION_ARGS)
{
	Fit			fit;

	fit_start(&fit, MODEL_SBG, sbg_likelihood);
	take_survivors(&fit, PG_GETARG_ARRAYTYPE_P(0));
	return fit_model(&fit);
}

/* The models of purchases at any time: alpha, and beta of paretonbd, are times. */
static Datum
fit_purchases(FunctionCallInfo fcinfo, ModelKind kind, NewtonFunction function)
{
	Fit			fit;

	fit_start(&fit, kind, function);
	take_histories(&fit, fcinfo, &purchase_histories_methods);
	warn_of_counts(&fit.likelihood.histories);
	fit.origin[1] = mean_of_histories(&fit, true);
	if (kind == MODEL_PARETONBD)
		fit.origin[3] = fit.origin[1];
	return fit_model(&fit);
}

static void
fit_start(Fit *fit, ModelKind kind, NewtonFunction function)
{
	memset(fit, 0, sizeof(*fit));
	fit->model = model_create(kind);
	fit->function = function;
	for (int i = 0; i < MODEL_MAX_PARAMETERS; i++)
		fit->origin[i] = 1;
}

static void
take_histories(Fit *fit, FunctionCallInfo fcinfo, const StateMethods *methods)
{
	histories_of_argument(fcinfo, 0, methods, &fit->likelihood.histories);
	fit->model->customers = fit->likelihood.histories.customers;
	/* two who did the same are like one */
	if (fit->likelihood.histories.count < 2)
		fit->model->outcome = MODEL_TOO_FEW;
}

/* The mean age, or of spend the mean value: the scale from which a search starts. */
static double
mean_of_histories(const Fit *fit, bool is_age)
{
	const Histories *histories = &fit->likelihood.histories;
	double		mean = 0;

	for (uint32 i = 0; i < histories->count; i++)
	{
		const History *history = &histories->items[i];

		/* divided first: a sum could be too large */
		mean += (is_age ? history->age : history->recency) * ((double) history->customers / histories->customers);
	}
	/* nobody was observed for any time */
	if (!(mean > 0))
		fit->model->outcome = MODEL_TOO_FEW;
	return mean;
}

/*
 * A repeat purchase on the day of the first is none: whoever has some there has most likely
 * counted the first too.
 */
static void
warn_of_counts(const Histories *histories)
{
	int64		customers = 0;

	for (uint32 i = 0; i < histories->count; i++)
	{
		if (histories->items[i].frequency > 0 && histories->items[i].recency == 0)
			customers += histories->items[i].customers;
	}
	if (customers > 0)
		ereport(WARNING,
				(errmsg("%lld of %lld customers have repeat purchases, but no time between the first and the last",
						(long long) customers, (long long) histories->customers),
				 errhint("The frequency is the number of repeat purchases, without the first: is it one too many?")));
}

/* Recency and age of bgbb are numbers of opportunities. */
static void
check_opportunities(const Histories *histories)
{
	for (uint32 i = 0; i < histories->count; i++)
	{
		const History *history = &histories->items[i];

		if (history->recency != rint(history->recency) || history->age != rint(history->age) ||
			history->frequency > history->recency || history->age > BUYER_MAX_OPPORTUNITIES)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a history of frequency %d, recency %g and age %g cannot be one of bgbb",
							history->frequency, history->recency, history->age),
					 errdetail("Recency and age must be whole numbers of opportunities, at most %d, with at most one purchase at each.", BUYER_MAX_OPPORTUNITIES),
					 errhint("For customers who can buy at any time, use mbgnbd_fit or paretonbd_fit.")));
	}
}

/* How many customers are left: at first, and after each period. */
static void
take_survivors(Fit *fit, ArrayType *survivors)
{
	Datum	   *elements;
	bool	   *nulls;
	int			count;
	int64	   *lost;

	deconstruct_array(survivors, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &elements, &nulls, &count);
	if (ARR_NDIM(survivors) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"survivors\" must be an array of one dimension, not of %d", ARR_NDIM(survivors))));
	lost = palloc(Max(count, 1) * sizeof(int64));
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("element %d of argument \"survivors\" must not be NULL", i + 1)));
		if (DatumGetInt64(elements[i]) < 0 ||
			(i > 0 && DatumGetInt64(elements[i]) > DatumGetInt64(elements[i - 1])))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("element %d of argument \"survivors\" must be from 0 to the one before, not %lld",
							i + 1, (long long) DatumGetInt64(elements[i])),
					 errdetail("It is how many customers are left: of one cohort at first, after one period, after two, and so on.")));
		if (i > 0)
			lost[i - 1] = DatumGetInt64(elements[i - 1]) - DatumGetInt64(elements[i]);
	}
	if (count > 0)
	{
		fit->model->customers = DatumGetInt64(elements[0]);
		fit->likelihood.survivors = DatumGetInt64(elements[count - 1]);
	}
	fit->likelihood.lost = lost;
	fit->likelihood.periods = Max(count - 1, 0);
	if (count < 2 || fit->model->customers == 0)
		fit->model->outcome = MODEL_TOO_FEW;
}

static Datum
fit_model(Fit *fit)
{
	uint32		step = Max(fit->likelihood.histories.count / FIRST_HISTORIES, 1);
	int			iterations;
	NewtonResult result;

	if (fit->model->outcome == MODEL_TOO_FEW)
		PG_RETURN_POINTER(fit->model);
	iterations = search_from_everywhere(fit, step);
	for (step /= NEXT_HISTORIES; step > 1; step /= NEXT_HISTORIES)
		iterations += search(fit, step, FIRST_NODES, &result);
	if (fit->model->kind == MODEL_PARETONBD)
		iterations += search(fit, 1, FIRST_NODES, &result);
	iterations += search(fit, 1, LAST_NODES, &result);
	describe(fit, &result);
	if (model_has_parameters(fit->model))
		fit->model->iterations = iterations;
	PG_RETURN_POINTER(fit->model);
}

/* The best top that can be climbed from one of the starts, by each step-th history; returns the steps of all. */
static int
search_from_everywhere(Fit *fit, uint32 step)
{
	double		best[MODEL_MAX_PARAMETERS];
	double		best_value = -HUGE_VAL;
	int			iterations = 0;

	memcpy(best, fit->origin, sizeof(best));
	for (int i = 0; i < (int) lengthof(starts); i++)
	{
		NewtonResult result;

		for (int j = 0; j < MODEL_MAX_PARAMETERS; j++)
			fit->best[j] = fit->origin[j] * starts[i][j];
		iterations += search(fit, step, FIRST_NODES, &result);
		if (result.end != NEWTON_OUT_OF_RANGE && (best_value == -HUGE_VAL || result.value > best_value + HIGHER))
		{
			memcpy(best, fit->best, sizeof(best));
			best_value = result.value;
		}
	}
	memcpy(fit->best, best, sizeof(best));
	return iterations;
}

/* Searches on from the best parameters by each step-th history, and returns how many steps that took. */
static int
search(Fit *fit, uint32 step, int nodes, NewtonResult *result)
{
	fit->likelihood.step = step;
	fit->likelihood.nodes = nodes;
	fit->likelihood.frequencies = NULL;
	fit->likelihood.prepared = NULL;
	newton_maximise(fit->function, &fit->likelihood, model_parameter_count(fit->model->kind), fit->origin, fit->best, result);
	if (result->end != NEWTON_OUT_OF_RANGE)
		memcpy(fit->best, result->parameters, sizeof(fit->best));
	return result->iterations;
}

static void
describe(Fit *fit, const NewtonResult *result)
{
	static const ModelOutcome outcomes[] = {
		[NEWTON_CONVERGED] = MODEL_CONVERGED,
		[NEWTON_BOUNDARY] = MODEL_BOUNDARY,
		[NEWTON_SINGULAR] = MODEL_SINGULAR,
		[NEWTON_STUCK] = MODEL_STUCK,
		[NEWTON_TOO_LONG] = MODEL_TOO_LONG,
		[NEWTON_OUT_OF_RANGE] = MODEL_OUT_OF_RANGE
	};
	Model	   *model = fit->model;

	model->outcome = outcomes[result->end];
	if (!outcome_has_parameters(model->outcome))
		return;
	model->boundary = (int8) result->boundary;
	memcpy(model->parameters, result->parameters, sizeof(model->parameters));
	memcpy(model->covariance, result->covariance, sizeof(model->covariance));
	model->log_likelihood = result->value;
	model->gradient = result->gradient / (double) model->customers;
	model->condition_number = result->condition_number;
}
