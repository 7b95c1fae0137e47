/*
 * normal.h
 *		The standard normal distribution.
 *
 * Plain C: no PostgreSQL header and no error exit, so that a test links it alone.
 */
#ifndef ENGAGEMENT_NORMAL_H
#define ENGAGEMENT_NORMAL_H

extern double normal_cdf(double x);
extern double normal_survival(double x);
extern double normal_quantile(double probability);
extern double normal_critical_value(double level);

#endif							/* ENGAGEMENT_NORMAL_H */
