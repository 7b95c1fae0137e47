/*
 * newton.h
 *		Maximises a smooth function of a few positive parameters.
 *
 * Plain C: no PostgreSQL header; the function that is maximised may leave by error.
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

/* How a search ended. */
typedef enum NewtonEnd
{
	NEWTON_CONVERGED = 0,
	NEWTON_BOUNDARY,			/* a parameter runs to 0 or to infinity; the others are at their best */
	NEWTON_SINGULAR,			/* no parameters are better than others in some direction */
	NEWTON_STUCK,				/* no step finds a larger value */
	NEWTON_TOO_LONG,			/* too many steps */
	NEWTON_OUT_OF_RANGE			/* at the start the function is not finite; nor is there a value */
} NewtonEnd;

typedef struct NewtonResult
{
	NewtonEnd	end;
	int			iterations;
	int			boundary;		/* number of the parameter that ran away, or -1 */
	double		parameters[NEWTON_MAX_PARAMETERS];
	double		value;
	double		gradient;		/* by logarithms of the parameters, its largest component */
	double		condition_number;	/* of the Hessian by logarithms; infinity: singular */
	bool		has_covariance;
	double		covariance[NEWTON_MAX_PARAMETERS][NEWTON_MAX_PARAMETERS];	/* of the parameters */
} NewtonResult;

extern void newton_maximise(NewtonFunction function, void *data, int count, const double *origin,
							const double *start, NewtonResult *result);

#endif							/* ENGAGEMENT_NEWTON_H */
