/*
 * exact_sum.h
 *		The exact sum of doubles: the same for any order of adding and any way of
 *		merging, rounded once, when it is read.
 *
 * Two doubles that do not overlap hold nearly every sum of money; they stand in the
 * struct itself.  A sum that needs more bits is a long whole number of 2^-1074,
 * the smallest double, in a chunk of its own that covers the bits in use.
 *
 * All zero bytes are a sum of nothing.  Addends are finite.  Whoever takes them from
 * a user wants them smaller than EXACT_SUM_LIMIT, so that no sum of up to 2^63 of
 * them is out of the range of doubles.  Larger ones are summed as exactly; only
 * reading a sum that is out of range is an error, whatever the order was.
 */
#ifndef ENGAGEMENT_EXACT_SUM_H
#define ENGAGEMENT_EXACT_SUM_H

#include "postgres.h"

#define EXACT_SUM_LIMIT 0x1p900
/* ... and what so many add up to. */
#define EXACT_SUM_PART_LIMIT 0x1p963
#define EXACT_SUM_MAX_PARTS 42

typedef struct ExactSum
{
	double		part[2];		/* the sum rounded, and the rest */
	struct ExactSumMore *more;	/* NULL: the two parts are the sum; else they are 0 */
} ExactSum;

extern void exact_sum_add(ExactSum *sum, double addend, MemoryContext context);
extern void exact_sum_merge(ExactSum *sum, const ExactSum *other, MemoryContext context);
extern double exact_sum_value(const ExactSum *sum);
extern int	exact_sum_parts(const ExactSum *sum, double *parts);

#endif							/* ENGAGEMENT_EXACT_SUM_H */
