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

/* Of a model made from its parameters alone, only those are set; fit is all zeros. */
typedef struct Model
{
	int32		vl_len_;		/* varlena header; the type's storage is plain */
	uint8		version;
	uint8		kind;			/* ModelKind */
	bool		is_fitted;
	uint8		end;			/* NewtonEnd of the fit */
	double		parameters[MODEL_MAX_PARAMETERS];	/* > 0, finite */
	double		covariance[MODEL_MAX_PARAMETERS][MODEL_MAX_PARAMETERS];
	double		log_likelihood;
	double		gradient;		/* its largest component a customer */
	double		condition_number;
	int64		customers;
	int32		iterations;
	int8		boundary;		/* number of the parameter that ran away, or -1 */
	bool		has_covariance;
	bool		padding[2];
} Model;

#define PG_GETARG_MODEL(number) \
	((const Model *) PG_DETOAST_DATUM(PG_GETARG_DATUM(number)))

extern const char *model_name(ModelKind kind);
extern int	model_parameter_count(ModelKind kind);
extern const char *model_parameter_name(ModelKind kind, int number);

#endif							/* ENGAGEMENT_CLV_MODEL_H */
