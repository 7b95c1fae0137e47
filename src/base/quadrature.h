/*
 * quadrature.h
 *		Numerical integrals: Gauss-Legendre rules, and the integral of a positive function
 *		whose logarithm is concave.
 *
 * Plain C: no PostgreSQL header and no error exit, so that a test links it alone.
 */
#ifndef ENGAGEMENT_QUADRATURE_H
#define ENGAGEMENT_QUADRATURE_H

#define QUADRATURE_MAX_NODES 32

/* The integral of f over [0, 1] is about the sum of weights[i] * f(nodes[i]); nodes ascend. */
typedef struct QuadratureRule
{
	int			count;
	const double *nodes;
	const double *weights;
} QuadratureRule;

/* The logarithm of a function at y, and its slope there (of either sign; infinite only at y = 0). */
typedef double (*LogFunction) (const void *data, double y, double *slope);

extern const QuadratureRule *quadrature_rule(int nodes);
extern double quadrature_log_integral(LogFunction function, const void *data, double end);

#endif							/* ENGAGEMENT_QUADRATURE_H */
