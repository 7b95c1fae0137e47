/*
 * decimal_sum.h
 *		Exact sums of money and other decimals that come as doubles.
 */
#ifndef ENGAGEMENT_FUNNEL_DECIMAL_SUM_H
#define ENGAGEMENT_FUNNEL_DECIMAL_SUM_H

#include "postgres.h"

#include "utils/numeric.h"

/* All zero: nothing was added. */
typedef struct DecimalSum
{
	bool		is_set;			/* something was added */
	int64		hundredths;		/* the sum of what fits there */
	Numeric		rest;			/* the sum of all else; NULL: none */
} DecimalSum;

extern void decimal_sum_add(DecimalSum *sum, double value);
extern Numeric decimal_sum_total(const DecimalSum *sum);

#endif							/* ENGAGEMENT_FUNNEL_DECIMAL_SUM_H */
