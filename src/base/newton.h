/*
 * newton.h
 *		Maximises a smooth function of a few positive parameters.
 *
 * Plain C but for the check for interrupts that the function itself makes.
 */
#ifndef ENGAGEMENT_NEWTON_H
#define ENGAGEMENT_NEWTON_H

#include <stdbool.h>

#define NEWTON_MAX_PARAMETERS 4

/* The value of a function with its derivatives; only the lower triangle (i >= j) of the Hessian is read. */
typedef struct Derivatives
{
	double		value;
	double		gradient[NEWTON_MAX_PARAMETERS];
	double		hessian[NEWTON_MAX_PARAMETERS][NEWTON_MAX_PARAMETERS];
} Derivatives;

/* Computes the function at these parameters (not their logarithms). */
typedef void (*NewtonFunction) (void *data, const double *parameters, Derivatives *result);

/* Why a search ended. */
typedef enum NewtonEnd
{
	NEWTON_CONVERGED = 0,
	NEWTON_BOUNDARY,			/* a parameter runs to 0 or to infinity */
	NEWTON_FLAT,				/* the parameters are not determined: the Hessian is singular */
	NEWTON_STUCK,				/* no step finds a larger value */
	NEWTON_TOO_LONG				/* too many steps */
} NewtonEnd;

typedef struct NewtonResult
{
	NewtonEnd	end;
	int			iterations;
	double		value;
	double		parameters[NEWTON_MAX_PARAMETERS];
	double		gradient_norm;	/* largest component, by logarithms of the parameters */
	double		condition_number;	/* of the Hessian by logarithms; infinity: singular */
	int			boundary;		/* number of the parameter that ran away, or -1 */
	bool		has_covariance;
	double		covariance[NEWTON_MAX_PARAMETERS][NEWTON_MAX_PARAMETERS];	/* of the parameters */
} NewtonResult;

extern void newton_maximise(NewtonFunction function, void *data, int count, const double *start,
							double gradient_tolerance, NewtonResult *result);

#endif							/* ENGAGEMENT_NEWTON_H */
