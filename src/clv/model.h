/*
 * model.h
 *		The types bgnbd, mbgnbd, paretonbd, gamma_gamma, bgbb and sbg: the parameters of a
 *		model of customers, with what a fit says about them.
 *
 * All six have the same bytes, so that one set of functions reads them; the kind
 * says which model it is.
 */
#ifndef ENGAGEMENT_CLV_MODEL_H
#define ENGAGEMENT_CLV_MODEL_H

#include "postgres.h"

#include "fmgr.h"

#include "base/newton.h"

typedef enum ModelKind
{
	MODEL_BGNBD = 0,			/* r, alpha, a, b */
	MODEL_MBGNBD,				/* r, alpha, a, b */
	MODEL_PARETONBD,			/* r, alpha, s, beta */
	MODEL_GAMMA_GAMMA,			/* p, q, v */
	MODEL_BGBB,					/* alpha, beta, gamma, delta */
	MODEL_SBG					/* alpha, beta */
} ModelKind;

#define MODEL_KINDS 6
#define MODEL_MAX_PARAMETERS NEWTON_MAX_PARAMETERS

/* Where the parameters are from; of a fit, how it ended. */
typedef enum ModelOutcome
{
	MODEL_GIVEN = 0,			/* not from a fit */
	MODEL_CONVERGED,
	MODEL_BOUNDARY,
	MODEL_SINGULAR,
	MODEL_STUCK,
	MODEL_TOO_LONG,
	MODEL_OUT_OF_RANGE,			/* no likelihood could be computed: there are no parameters */
	MODEL_TOO_FEW				/* nothing to fit: there are no parameters */
} ModelOutcome;

#define MODEL_OUTCOMES 8

/* What is not known is 0. */
typedef struct Model
{
	int32		vl_len_;		/* varlena header; the type's storage is plain */
	uint8		version;
	uint8		kind;			/* ModelKind */
	uint8		outcome;		/* ModelOutcome */
	int8		boundary;		/* number of the parameter that ran away, or -1 */
	int32		iterations;
	int32		padding;		/* 0 */
	double		parameters[MODEL_MAX_PARAMETERS];	/* > 0, finite; all 0: there are none */
	double		covariance[MODEL_MAX_PARAMETERS][MODEL_MAX_PARAMETERS]; /* all 0: there is none */
	double		log_likelihood;
	double		gradient;		/* by logarithms of the parameters, its largest component a customer */
	double		condition_number;	/* infinity: singular */
	int64		customers;
} Model;

/* Plain storage needs no copy, but values also come from where it is not kept to. */
#define PG_GETARG_MODEL(number) \
	((const Model *) PG_DETOAST_DATUM(PG_GETARG_DATUM(number)))

/* Whether a fit came to an end that gives a model parameters. */
static inline bool
outcome_has_parameters(ModelOutcome outcome)
{
	return outcome != MODEL_OUT_OF_RANGE && outcome != MODEL_TOO_FEW;
}

/* False: its answers are NULL. */
static inline bool
model_has_parameters(const Model *model)
{
	return model->parameters[0] > 0;
}

extern const char *model_name(ModelKind kind);
extern int	model_parameter_count(ModelKind kind);
extern const char *model_parameter_name(ModelKind kind, int number);
extern Model *model_create(ModelKind kind);
extern const char *model_check(const Model *model);

#endif							/* ENGAGEMENT_CLV_MODEL_H */
