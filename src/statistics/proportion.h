/*
 * proportion.h
 *		Intervals for a proportion: so many successes of so many trials.
 */
#ifndef ENGAGEMENT_PROPORTION_H
#define ENGAGEMENT_PROPORTION_H

#include "postgres.h"

extern void check_conf_level(double conf_level);
extern bool wilson_interval(int64 successes, int64 trials, double conf_level, double *lower, double *upper);

#endif							/* ENGAGEMENT_PROPORTION_H */
