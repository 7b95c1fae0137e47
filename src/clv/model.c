/*
 * model.c
 *		Models from their parameters, and what can be read from a model.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "base/normal.h"
#include "base/set_call.h"
#include "clv/model.h"
#include "statistics/proportion.h"

#define MODEL_VERSION 1

PG_FUNCTION_INFO_V1(bgnbd_of_parameters);
PG_FUNCTION_INFO_V1(mbgnbd_of_parameters);
PG_FUNCTION_INFO_V1(paretonbd_of_parameters);
PG_FUNCTION_INFO_V1(gamma_gamma_of_parameters);
PG_FUNCTION_INFO_V1(bgbb_of_parameters);
PG_FUNCTION_INFO_V1(sbg_of_parameters);
PG_FUNCTION_INFO_V1(model_parameters);
PG_FUNCTION_INFO_V1(model_covariance);
PG_FUNCTION_INFO_V1(model_diagnostics);

typedef struct KindOfModel
{
	const char *name;
	int			parameter_count;
	const char *parameter_names[MODEL_MAX_PARAMETERS];
	/* in what customers hardly differ when a shape grows without end; NULL: the scale of the shape before it */
	const char *likeness[MODEL_MAX_PARAMETERS];
} KindOfModel;

#define OFTEN "how often they buy"
#define SOON "how soon they are lost"

static const KindOfModel kinds[MODEL_KINDS] = {
	[MODEL_BGNBD] = {"bgnbd", 4, {"r", "alpha", "a", "b"}, {OFTEN, NULL, SOON, SOON}},
	[MODEL_MBGNBD] = {"mbgnbd", 4, {"r", "alpha", "a", "b"}, {OFTEN, NULL, SOON, SOON}},
	[MODEL_PARETONBD] = {"paretonbd", 4, {"r", "alpha", "s", "beta"}, {OFTEN, NULL, SOON, NULL}},
	[MODEL_GAMMA_GAMMA] = {"gamma_gamma", 3, {"p", "q", "v"}, {"what they pay from purchase to purchase", "what they pay on average", NULL}},
	[MODEL_BGBB] = {"bgbb", 4, {"alpha", "beta", "gamma", "delta"}, {OFTEN, OFTEN, SOON, SOON}},
	[MODEL_SBG] = {"sbg", 2, {"alpha", "beta"}, {SOON, SOON}}
};

/* The rows of parameters(). */
typedef struct ParameterRows
{
	const Model *model;
	double		critical_value; /* of the normal distribution */
	int			next;
} ParameterRows;

static Datum model_of_arguments(FunctionCallInfo fcinfo, ModelKind kind);
static Datum parameter_row(const ParameterRows *rows, int number, TupleDesc row_type);
static char *outcome_reason(const Model *model);
static char *boundary_reason(const Model *model);
static bool loses_nobody(const Model *model);
static const char *warning_of_model(const Model *model);

/* As SQL calls the type. */
const char *
model_name(ModelKind kind)
{
	return kinds[kind].name;
}

int
model_parameter_count(ModelKind kind)
{
	return kinds[kind].parameter_count;
}

const char *
model_parameter_name(ModelKind kind, int number)
{
	return kinds[kind].parameter_names[number];
}

/* A model of which nothing is known. */
Model *
model_create(ModelKind kind)
{
	Model	   *model = palloc0(sizeof(Model));

	SET_VARSIZE(model, sizeof(Model));
	model->version = MODEL_VERSION;
	model->kind = kind;
	model->boundary = -1;
	return model;
}

/* What is wrong with a model that somebody gives us; NULL: nothing. */
const char *
model_check(const Model *model)
{
	int			count = model_parameter_count(model->kind);
	bool		has_parameters = outcome_has_parameters(model->outcome);
	bool		has_covariance = model->covariance[0][0] > 0;
	bool		has_figures = model->iterations > 0 || model->log_likelihood != 0 || model->gradient > 0 ||
		model->condition_number > 0 || has_covariance;

	for (int i = 0; i < count; i++)
	{
		if (has_parameters ? !(model->parameters[i] > 0 && isfinite(model->parameters[i])) : model->parameters[i] != 0)
			return "Parameters must be finite and greater than 0, and there are none if the outcome is \"too_few\" or \"out_of_range\".";
		for (int j = 0; j < count; j++)
		{
			double		covariance = model->covariance[i][j];

			if (!isfinite(covariance) || covariance != model->covariance[j][i] ||
				(has_covariance ? i == j && covariance <= 0 : covariance != 0))
				return "A covariance must be finite and symmetric, with variances greater than 0.";
		}
	}
	if (model->customers < 0 || model->iterations < 0 || !isfinite(model->log_likelihood) ||
		!(model->gradient >= 0 && isfinite(model->gradient)) || !(model->condition_number >= 0))
		return "The figures of a fit must be finite, and only the log-likelihood can be negative.";
	if ((model->outcome == MODEL_GIVEN && model->customers > 0) ||
		((model->outcome == MODEL_GIVEN || !has_parameters) && has_figures))
		return "Figures of a fit need its outcome, and parameters.";
	if (model->boundary < -1 || model->boundary >= count || (model->outcome == MODEL_BOUNDARY) != (model->boundary >= 0))
		return "A parameter must be named as the boundary if this is the outcome, and only then.";
	return NULL;
}

Datum
bgnbd_of_parameters(PG_FUNCTION_ARGS)
{
	return model_of_arguments(fcinfo, MODEL_BGNBD);
}

Datum
mbgnbd_of_parameters(PG_FUNCTION_ARGS)
{
	return model_of_arguments(fcinfo, MODEL_MBGNBD);
}

Datum
paretonbd_of_parameters(PG_FUNCTION_ARGS)
{
	return model_of_arguments(fcinfo, MODEL_PARETONBD);
}

Datum
gamma_gamma_of_parameters(PG_FUNCTION_ARGS)
{
	return model_of_arguments(fcinfo, MODEL_GAMMA_GAMMA);
}

Datum
bgbb_of_parameters(PG_FUNCTION_ARGS)
{
	return model_of_arguments(fcinfo, MODEL_BGBB);
}

Datum
sbg_of_parameters(PG_FUNCTION_ARGS)
{
	return model_of_arguments(fcinfo, MODEL_SBG);
}

/* (parameter, ...) */
static Datum
model_of_arguments(FunctionCallInfo fcinfo, ModelKind kind)
{
	Model	   *model = model_create(kind);

	for (int i = 0; i < model_parameter_count(kind); i++)
	{
		double		parameter = PG_GETARG_FLOAT8(i);

		if (!(parameter > 0 && isfinite(parameter)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("parameter %s of %s must be greater than 0 and finite, not %g",
							model_parameter_name(kind, i), model_name(kind), parameter)));
		model->parameters[i] = parameter;
	}
	PG_RETURN_POINTER(model);
}

/* (model, conf_level) */
Datum
model_parameters(PG_FUNCTION_ARGS)
{
	SetCall    *call = set_call_begin(fcinfo);
	ParameterRows *rows;

	if (!call->is_running)
	{
		double		conf_level = PG_ARGISNULL(1) ? 0.95 : PG_GETARG_FLOAT8(1);
		MemoryContext caller;

		check_conf_level(conf_level);
		if (PG_ARGISNULL(0))
			SET_CALL_RETURN_DONE(fcinfo, call);
		set_call_start(fcinfo, call);
		caller = MemoryContextSwitchTo(call->context);
		call->state = rows = palloc0(sizeof(ParameterRows));
		rows->model = (const Model *) PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(0));
		rows->critical_value = normal_critical_value(conf_level);
		MemoryContextSwitchTo(caller);
	}
	rows = call->state;
	if (rows->next < model_parameter_count(rows->model->kind))
		SET_CALL_RETURN_NEXT(fcinfo, parameter_row(rows, rows->next++, call->row_type));
	SET_CALL_RETURN_DONE(fcinfo, call);
}

/*
 * The interval is one of the parameter's logarithm, in which the likelihood is nearer to a
 * normal one; so it never reaches 0.
 */
static Datum
parameter_row(const ParameterRows *rows, int number, TupleDesc row_type)
{
	const Model *model = rows->model;
	double		estimate = model->parameters[number];
	double		std_error = sqrt(model->covariance[number][number]);
	double		factor = exp(rows->critical_value * std_error / estimate);
	Datum		fields[5] = {0};
	bool		nulls[5] = {false};

	fields[0] = CStringGetTextDatum(model_parameter_name(model->kind, number));
	nulls[1] = !model_has_parameters(model);
	fields[1] = Float8GetDatum(estimate);
	nulls[2] = nulls[3] = nulls[4] = nulls[1] || !(std_error > 0);
	if (!nulls[2])
	{
		fields[2] = Float8GetDatum(std_error);
		fields[3] = Float8GetDatum(estimate / factor);
		fields[4] = Float8GetDatum(estimate * factor);
	}
	return HeapTupleGetDatum(heap_form_tuple(row_type, fields, nulls));
}

/* (model) */
Datum
model_covariance(PG_FUNCTION_ARGS)
{
	const Model *model = PG_GETARG_MODEL(0);
	int			count = model_parameter_count(model->kind);
	int			dimensions[2] = {count, count};
	int			lower_bounds[2] = {1, 1};
	Datum		elements[MODEL_MAX_PARAMETERS * MODEL_MAX_PARAMETERS];

	if (!(model->covariance[0][0] > 0))
		PG_RETURN_NULL();
	for (int i = 0; i < count * count; i++)
		elements[i] = Float8GetDatum(model->covariance[i / count][i % count]);
	PG_RETURN_ARRAYTYPE_P(construct_md_array(elements, NULL, 2, dimensions, lower_bounds, FLOAT8OID,
											 sizeof(double), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* (model) */
Datum
model_diagnostics(PG_FUNCTION_ARGS)
{
	const Model *model = PG_GETARG_MODEL(0);
	const char *warning = warning_of_model(model);
	int			parameter_count = model_parameter_count(model->kind);
	bool		has_fit = model->outcome != MODEL_GIVEN && model_has_parameters(model);
	TupleDesc	row_type;
	Datum		fields[11] = {0};
	bool		nulls[11];

	if (get_call_result_type(fcinfo, NULL, &row_type) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	row_type = BlessTupleDesc(row_type);
	memset(nulls, true, sizeof(nulls));
	if (model->outcome != MODEL_GIVEN)
	{
		fields[0] = BoolGetDatum(model->outcome == MODEL_CONVERGED);
		fields[3] = Int64GetDatum(model->customers);
		nulls[0] = nulls[3] = false;
		nulls[1] = model->outcome == MODEL_CONVERGED;
		if (!nulls[1])
			fields[1] = CStringGetTextDatum(outcome_reason(model));
	}
	if (warning != NULL)
	{
		fields[2] = CStringGetTextDatum(warning);
		nulls[2] = false;
	}
	if (model->boundary >= 0)
	{
		fields[10] = CStringGetTextDatum(model_parameter_name(model->kind, model->boundary));
		nulls[10] = false;
	}
	if (has_fit)
	{
		fields[4] = Float8GetDatum(model->log_likelihood);
		fields[5] = Float8GetDatum(2 * parameter_count - 2 * model->log_likelihood);
		fields[6] = Float8GetDatum(parameter_count * log((double) model->customers) - 2 * model->log_likelihood);
		fields[7] = Int32GetDatum(model->iterations);
		fields[8] = Float8GetDatum(model->gradient);
		fields[9] = Float8GetDatum(model->condition_number);
		for (int i = 4; i < 10; i++)
			nulls[i] = false;
		/* a text can leave out how many there were */
		nulls[6] = model->customers == 0;
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(row_type, fields, nulls)));
}

/* Why a fit did not converge. */
static char *
outcome_reason(const Model *model)
{
	switch ((ModelOutcome) model->outcome)
	{
		case MODEL_GIVEN:
		case MODEL_CONVERGED:
			break;
		case MODEL_BOUNDARY:
			return boundary_reason(model);
		case MODEL_SINGULAR:
			return pstrdup("the customers do not tell the parameters apart: others fit as well");
		case MODEL_STUCK:
			return pstrdup("the search found no better parameters, though these are not the best");
		case MODEL_TOO_LONG:
			return pstrdup("the search was not finished after 100 steps");
		case MODEL_OUT_OF_RANGE:
			return pstrdup("times or values are too large or too small to compute with: use another unit");
		case MODEL_TOO_FEW:
			return pstrdup("there are too few customers who differ to fit a model");
	}
	return pstrdup("");
}

static char *
boundary_reason(const Model *model)
{
	const KindOfModel *kind = &kinds[model->kind];
	int			boundary = model->boundary;
	int			shape = boundary;
	const char *meaning = "the customers do not tell how large it is";

	/* a scale that grows together with its shape says no more than this one */
	if (kind->likeness[shape] == NULL && model->parameters[shape - 1] > 1000)
		shape--;
	/* a search for a shape starts from 1 */
	if (kind->likeness[shape] != NULL)
		meaning = psprintf(model->parameters[shape] > 1 ? "customers hardly differ in %s" : "customers differ in %s more than the model can say",
						   kind->likeness[shape]);
	if (loses_nobody(model))
		meaning = boundary < 2 && model->kind != MODEL_SBG ? psprintf("%s; nobody seems to be lost", meaning) : "nobody seems to be lost";
	return psprintf("parameter %s %s, it was %g when the search stopped: %s", kind->parameter_names[boundary],
					kind->likeness[boundary] != NULL && model->parameters[boundary] < 1 ? "goes to 0" : "grows without end",
					model->parameters[boundary], meaning);
}

/* Whether the mean customer is lost with next to no purchase, opportunity or period. */
static bool
loses_nobody(const Model *model)
{
	static const double next_to_none = 0.001;
	const double *parameters = model->parameters;

	switch ((ModelKind) model->kind)
	{
		case MODEL_BGNBD:
		case MODEL_MBGNBD:
		case MODEL_BGBB:
			return parameters[2] < next_to_none * parameters[3];
		case MODEL_PARETONBD:
			/* in the time in which he buys once */
			return parameters[2] / parameters[3] < next_to_none * parameters[0] / parameters[1];
		case MODEL_SBG:
			return parameters[0] < next_to_none * parameters[1];
		case MODEL_GAMMA_GAMMA:
			break;
	}
	return false;
}

/* What whoever uses the model should know, however well it fits; NULL: nothing. */
static const char *
warning_of_model(const Model *model)
{
	if (!model_has_parameters(model))
		return NULL;
	if (model->kind == MODEL_GAMMA_GAMMA && model->parameters[1] <= 1)
		return "q is not above 1: the mean value over all customers is infinite";
	if (model->outcome != MODEL_GIVEN && model->customers < 100)
		return "there are fewer than 100 customers";
	return NULL;
}
