/*
 * likelihood.h
 *		Log-likelihoods of the models, with gradient and Hessian: what the fits maximise.
 *
 * Each is a NewtonFunction over a Likelihood, by the parameters in the order of
 * ModelKind.  Sums over customers are compensated, in the order of the histories, so
 * that a fit is the same to the last bit for any plan.
 */
#ifndef ENGAGEMENT_CLV_LIKELIHOOD_H
#define ENGAGEMENT_CLV_LIKELIHOOD_H

#include "postgres.h"

#include "base/newton.h"
#include "clv/histories.h"

typedef struct FrequencyCount
{
	double		frequency;
	double		customers;
} FrequencyCount;

typedef struct Frequencies
{
	uint32		count;
	const FrequencyCount *items;
} Frequencies;

typedef struct Likelihood
{
	Histories	histories;
	uint32		step;			/* 1: all histories; n: each n-th, for a first approximation */
	int			nodes;			/* paretonbd: of the quadrature */
	const int64 *lost;			/* sbg: customers lost in each period ... */
	int			periods;
	int64		survivors;		/* ... and left after the last */
	void	   *prepared;		/* what the model keeps between two calls; NULL at first */
	Frequencies *frequencies;	/* of likelihood_frequencies(); NULL at first */
} Likelihood;

/* A sum of value, gradient and lower Hessian with what rounding took (Neumaier). */
typedef struct DerivativeSum
{
	double		sum[1 + NEWTON_MAX_PARAMETERS + NEWTON_MAX_PARAMETERS * (NEWTON_MAX_PARAMETERS + 1) / 2];
	double		rest[1 + NEWTON_MAX_PARAMETERS + NEWTON_MAX_PARAMETERS * (NEWTON_MAX_PARAMETERS + 1) / 2];
} DerivativeSum;

extern void derivative_sum_add(DerivativeSum *sum, const Derivatives *term, int count, double customers);
extern void derivative_sum_result(const DerivativeSum *sum, int count, Derivatives *result);

extern const Frequencies *likelihood_frequencies(Likelihood *likelihood);

extern void bgnbd_likelihood(void *likelihood, const double *parameters, Derivatives *result);
extern void mbgnbd_likelihood(void *likelihood, const double *parameters, Derivatives *result);
extern void paretonbd_likelihood(void *likelihood, const double *parameters, Derivatives *result);
extern void gamma_gamma_likelihood(void *likelihood, const double *parameters, Derivatives *result);
extern void bgbb_likelihood(void *likelihood, const double *parameters, Derivatives *result);
extern void sbg_likelihood(void *likelihood, const double *parameters, Derivatives *result);

#endif							/* ENGAGEMENT_CLV_LIKELIHOOD_H */
