/*
 * model_io.c
 *		Text and binary form of models.
 *
 *		{"r": 0.24, "alpha": 4.41, "a": 0.79, "b": 2.43}
 *
 * and of a fit, besides: "outcome", "boundary" (the parameter that ran away), "customers",
 * "iterations", "log_likelihood", "gradient", "condition_number" (none if it is infinite),
 * "covariance" (an array of rows).
 */
#include "postgres.h"

#include <math.h>

#include "libpq/pqformat.h"
#include "utils/builtins.h"

#include "base/state_io.h"
#include "clv/model.h"

#define WIRE_VERSION 1

PG_FUNCTION_INFO_V1(bgnbd_in);
PG_FUNCTION_INFO_V1(mbgnbd_in);
PG_FUNCTION_INFO_V1(paretonbd_in);
PG_FUNCTION_INFO_V1(gamma_gamma_in);
PG_FUNCTION_INFO_V1(bgbb_in);
PG_FUNCTION_INFO_V1(sbg_in);
PG_FUNCTION_INFO_V1(model_out);
PG_FUNCTION_INFO_V1(bgnbd_recv);
PG_FUNCTION_INFO_V1(mbgnbd_recv);
PG_FUNCTION_INFO_V1(paretonbd_recv);
PG_FUNCTION_INFO_V1(gamma_gamma_recv);
PG_FUNCTION_INFO_V1(bgbb_recv);
PG_FUNCTION_INFO_V1(sbg_recv);
PG_FUNCTION_INFO_V1(model_send);

/* Members of the text; the parameters come last, as many as the model has. */
enum
{
	OUTCOME, BOUNDARY, CUSTOMERS, ITERATIONS, LOG_LIKELIHOOD, GRADIENT, CONDITION_NUMBER, COVARIANCE, FIRST_PARAMETER
};

#define MAX_MEMBERS (FIRST_PARAMETER + MODEL_MAX_PARAMETERS)

static const char *const outcome_names[MODEL_OUTCOMES] = {
	[MODEL_GIVEN] = "given",
	[MODEL_CONVERGED] = "converged",
	[MODEL_BOUNDARY] = "boundary",
	[MODEL_SINGULAR] = "singular",
	[MODEL_STUCK] = "stuck",
	[MODEL_TOO_LONG] = "too_long",
	[MODEL_OUT_OF_RANGE] = "out_of_range",
	[MODEL_TOO_FEW] = "too_few"
};

static Datum model_in(FunctionCallInfo fcinfo, ModelKind kind);
static bool parse(JsonReader *reader, Model *model);
static bool parse_covariance(JsonReader *reader, Model *model);
static bool parse_name(JsonReader *reader, const char *const *names, int count, int *number);
static char *example_of_kind(ModelKind kind);
static void print_number(StringInfo out, const char *name, double number);
static Datum model_recv(FunctionCallInfo fcinfo, ModelKind kind);

#define MODEL_INPUT(name, kind) \
Datum \
name##_in(PG_FUNCTION_ARGS) \
{ \
	return model_in(fcinfo, kind); \
} \
\
Datum \
name##_recv(PG_FUNCTION_ARGS) \
{ \
	return model_recv(fcinfo, kind); \
}

MODEL_INPUT(bgnbd, MODEL_BGNBD)
MODEL_INPUT(mbgnbd, MODEL_MBGNBD)
MODEL_INPUT(paretonbd, MODEL_PARETONBD)
MODEL_INPUT(gamma_gamma, MODEL_GAMMA_GAMMA)
MODEL_INPUT(bgbb, MODEL_BGBB)
MODEL_INPUT(sbg, MODEL_SBG)

static Datum
model_in(FunctionCallInfo fcinfo, ModelKind kind)
{
	Model	   *model = model_create(kind);
	JsonReader	reader;

	json_reader_start(&reader, PG_GETARG_CSTRING(0), fcinfo->context);
	if (!parse(&reader, model))
	{
		json_report(&reader, model_name(kind), example_of_kind(kind));
		PG_RETURN_NULL();
	}
	PG_RETURN_POINTER(model);
}

static bool
parse(JsonReader *reader, Model *model)
{
	int			parameter_count = model_parameter_count(model->kind);
	const char *names[MAX_MEMBERS] = {
		[OUTCOME] = "outcome",[BOUNDARY] = "boundary",[CUSTOMERS] = "customers",[ITERATIONS] = "iterations",
		[LOG_LIKELIHOOD] = "log_likelihood",[GRADIENT] = "gradient",[CONDITION_NUMBER] = "condition_number",[COVARIANCE] = "covariance"
	};
	const char *values[MAX_MEMBERS];
	const char *problem;
	int			number;
	int64		iterations;

	for (int i = 0; i < parameter_count; i++)
		names[FIRST_PARAMETER + i] = model_parameter_name(model->kind, i);
	if (!json_members(reader, names, values, FIRST_PARAMETER + parameter_count))
		return false;

/* Reads a member if it is there. */
#define MEMBER(member, read) \
	if (values[member] != NULL && (reader->next = values[member], !(read))) \
		return false

	for (int i = 0; i < parameter_count; i++)
		MEMBER(FIRST_PARAMETER + i, json_double(reader, &model->parameters[i]));
	MEMBER(OUTCOME, parse_name(reader, outcome_names, MODEL_OUTCOMES, &number) && (model->outcome = number, true));
	MEMBER(BOUNDARY, parse_name(reader, names + FIRST_PARAMETER, parameter_count, &number) && (model->boundary = number, true));
	MEMBER(CUSTOMERS, json_count(reader, &model->customers));
	if (values[ITERATIONS] != NULL)
	{
		reader->next = values[ITERATIONS];
		if (!json_count(reader, &iterations))
			return false;
		if (iterations > PG_INT32_MAX)
			return json_problem(reader, "There cannot be so many iterations.");
		model->iterations = (int32) iterations;
	}
	MEMBER(LOG_LIKELIHOOD, json_double(reader, &model->log_likelihood));
	MEMBER(GRADIENT, json_double(reader, &model->gradient));
	if (values[CONDITION_NUMBER] == NULL)
		model->condition_number = model->outcome == MODEL_GIVEN || !outcome_has_parameters(model->outcome) ? 0 : HUGE_VAL;
	MEMBER(CONDITION_NUMBER, json_double(reader, &model->condition_number));
	MEMBER(COVARIANCE, parse_covariance(reader, model));
#undef MEMBER

	problem = model_check(model);
	return problem == NULL || json_problem(reader, problem);
}

static bool
parse_covariance(JsonReader *reader, Model *model)
{
	int			count = model_parameter_count(model->kind);

	if (!json_begin_array(reader))
		return false;
	for (int i = 0; i < count; i++)
	{
		if ((i > 0 && !json_next_element(reader)) || !json_begin_array(reader))
			return false;
		for (int j = 0; j < count; j++)
		{
			if ((j > 0 && !json_next_element(reader)) || !json_double(reader, &model->covariance[i][j]))
				return false;
		}
		if (!json_end_array(reader))
			return false;
	}
	return json_end_array(reader);
}

static bool
parse_name(JsonReader *reader, const char *const *names, int count, int *number)
{
	const char *name;
	uint32		size;

	if (!json_string(reader, &name, &size))
		return false;
	for (*number = 0; *number < count; (*number)++)
	{
		if (strlen(names[*number]) == size && memcmp(names[*number], name, size) == 0)
			return true;
	}
	return json_problem(reader, "This name is not known here.");
}

static char *
example_of_kind(ModelKind kind)
{
	StringInfoData example;

	initStringInfo(&example);
	for (int i = 0; i < model_parameter_count(kind); i++)
		appendStringInfo(&example, "%s\"%s\": %s", i > 0 ? ", " : "{", model_parameter_name(kind, i), i % 2 == 0 ? "0.5" : "4.2");
	appendStringInfoChar(&example, '}');
	return example.data;
}

Datum
model_out(PG_FUNCTION_ARGS)
{
	const Model *model = PG_GETARG_MODEL(0);
	int			count = model_parameter_count(model->kind);
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	if (model_has_parameters(model))
	{
		for (int i = 0; i < count; i++)
			print_number(&out, model_parameter_name(model->kind, i), model->parameters[i]);
	}
	if (model->outcome != MODEL_GIVEN)
	{
		appendStringInfo(&out, "%s\"outcome\": \"%s\"", out.len > 1 ? ", " : "", outcome_names[model->outcome]);
		if (model->boundary >= 0)
			appendStringInfo(&out, ", \"boundary\": \"%s\"", model_parameter_name(model->kind, model->boundary));
		appendStringInfo(&out, ", \"customers\": " INT64_FORMAT, model->customers);
	}
	if (model->outcome != MODEL_GIVEN && model_has_parameters(model))
	{
		appendStringInfo(&out, ", \"iterations\": %d", model->iterations);
		print_number(&out, "log_likelihood", model->log_likelihood);
		print_number(&out, "gradient", model->gradient);
		if (isfinite(model->condition_number))
			print_number(&out, "condition_number", model->condition_number);
	}
	if (model->covariance[0][0] > 0)
	{
		appendStringInfoString(&out, ", \"covariance\": [");
		for (int i = 0; i < count; i++)
		{
			for (int j = 0; j < count; j++)
			{
				appendStringInfoString(&out, j > 0 ? ", " : i > 0 ? ", [" : "[");
				state_print_double(&out, model->covariance[i][j]);
			}
			appendStringInfoChar(&out, ']');
		}
		appendStringInfoChar(&out, ']');
	}
	appendStringInfoChar(&out, '}');
	PG_RETURN_CSTRING(out.data);
}

static void
print_number(StringInfo out, const char *name, double number)
{
	appendStringInfo(out, "%s\"%s\": ", out->len > 1 ? ", " : "", name);
	state_print_double(out, number);
}

static Datum
model_recv(FunctionCallInfo fcinfo, ModelKind kind)
{
	StateMessage message = {(StringInfo) PG_GETARG_POINTER(0), model_name(kind)};
	Model	   *model = model_create(kind);
	int			count = model_parameter_count(kind);
	const char *problem;

	state_receive_version(&message, WIRE_VERSION);
	model->outcome = (uint8) pq_getmsgbyte(message.in);
	if (model->outcome >= MODEL_OUTCOMES)
		state_bad_message(&message, "The outcome of the fit is not known.");
	model->boundary = (int8) pq_getmsgbyte(message.in);
	model->iterations = (int32) pq_getmsgint(message.in, 4);
	model->customers = state_receive_count(&message);
	model->log_likelihood = pq_getmsgfloat8(message.in) + 0.0;
	model->gradient = pq_getmsgfloat8(message.in) + 0.0;
	model->condition_number = pq_getmsgfloat8(message.in) + 0.0;
	for (int i = 0; i < count; i++)
		model->parameters[i] = pq_getmsgfloat8(message.in) + 0.0;
	for (int i = 0; i < count; i++)
	{
		for (int j = 0; j < count; j++)
			model->covariance[i][j] = pq_getmsgfloat8(message.in) + 0.0;
	}
	problem = model_check(model);
	if (problem != NULL)
		state_bad_message(&message, problem);
	PG_RETURN_POINTER(model);
}

Datum
model_send(PG_FUNCTION_ARGS)
{
	const Model *model = PG_GETARG_MODEL(0);
	int			count = model_parameter_count(model->kind);
	StringInfoData out;

	pq_begintypsend(&out);
	pq_sendbyte(&out, WIRE_VERSION);
	pq_sendbyte(&out, model->outcome);
	pq_sendbyte(&out, (uint8) model->boundary);
	pq_sendint32(&out, (uint32) model->iterations);
	pq_sendint64(&out, model->customers);
	pq_sendfloat8(&out, model->log_likelihood);
	pq_sendfloat8(&out, model->gradient);
	pq_sendfloat8(&out, model->condition_number);
	for (int i = 0; i < count; i++)
		pq_sendfloat8(&out, model->parameters[i]);
	for (int i = 0; i < count; i++)
	{
		for (int j = 0; j < count; j++)
			pq_sendfloat8(&out, model->covariance[i][j]);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}
