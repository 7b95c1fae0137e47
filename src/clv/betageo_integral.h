/*
 * betageo_integral.h
 *		The integrals of BG/NBD and MBG/NBD that have no short sum: means over a beta
 *		distribution, discounted time, and the tail of a negative binomial distribution.
 *
 * Plain C: no PostgreSQL header and no error exit, so that a test links it alone.
 */
#ifndef ENGAGEMENT_BETAGEO_INTEGRAL_H
#define ENGAGEMENT_BETAGEO_INTEGRAL_H

/* A function of a probability. */
typedef double (*ProbabilityFunction) (double p, const void *data);

extern double beta_mean(double a, double b, double reach, ProbabilityFunction function, const void *data);
extern double discounted_decay(double zeta, double s, double discount, double length);
extern double negative_binomial(double n, double s, double u);
extern double negative_binomial_tail(double n, double s, double u);
extern double beta_power_mean(double a, double b, double n);

#endif							/* ENGAGEMENT_BETAGEO_INTEGRAL_H */
