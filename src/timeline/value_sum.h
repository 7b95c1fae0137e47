/*
 * value_sum.h
 *		Sums of the values of one timeline's events, rounded once, when they are read.
 *
 * Values that the timeline keeps as whole numbers or hundredths, as money mostly is, are
 * added up as such: 0.1 and 0.2 are 0.3.  Others are added up as the doubles that they are.
 *
 * All zero bytes are a sum of nothing.  Sums of different timelines do not mix.
 */
#ifndef ENGAGEMENT_TIMELINE_VALUE_SUM_H
#define ENGAGEMENT_TIMELINE_VALUE_SUM_H

#include "postgres.h"

#include <math.h>

#include "base/exact_sum.h"
#include "timeline/codec.h"

typedef struct ValueSum
{
	int128		units;			/* up to 2^32 values of up to 2^53 */
	ExactSum	doubles;
} ValueSum;

/* Adds the value of an event, of a timeline of this value unit; the context is that of the sum's memory. */
static inline void
value_sum_add(ValueSum *sum, TimelineValueUnit unit, double value, MemoryContext context)
{
	if (unit == TIMELINE_DOUBLES)
		exact_sum_add(&sum->doubles, value, context);
	else
		sum->units += (int64) rint(unit == TIMELINE_HUNDREDTHS ? value * 100.0 : value);
}

/* The double closest to the sum; an error if that is out of the range of doubles. */
static inline double
value_sum_value(const ValueSum *sum, TimelineValueUnit unit)
{
	if (unit == TIMELINE_DOUBLES)
		return exact_sum_value(&sum->doubles);
	return (double) sum->units / (unit == TIMELINE_HUNDREDTHS ? 100.0 : 1.0);
}

#endif							/* ENGAGEMENT_TIMELINE_VALUE_SUM_H */
