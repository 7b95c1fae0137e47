/*
 * special.h
 *		Special functions: gamma and beta functions, their logarithms' derivatives, and
 *		sums of what was given as logarithms.
 *
 * Plain C: no PostgreSQL header and no error exit, so that a test links it alone.
 * Arguments of gamma functions are positive.
 */
#ifndef ENGAGEMENT_SPECIAL_H
#define ENGAGEMENT_SPECIAL_H

extern double log_gamma(double x);
extern double log_gamma_ratio(double x, double step);
extern double stirling_rest(double x);
extern double digamma(double x);
extern double trigamma(double x);
extern double log_beta(double a, double b);
extern double log_add_exp(double a, double b);

#endif							/* ENGAGEMENT_SPECIAL_H */
