/*
 * cohort_value.h
 *		What the counts of cohort_value (cohort_value.c) and their text and binary forms
 *		(cohort_value_io.c) share.
 */
#ifndef ENGAGEMENT_CLV_COHORT_VALUE_H
#define ENGAGEMENT_CLV_COHORT_VALUE_H

#include "postgres.h"

#include "fmgr.h"

#include "base/exact_sum.h"

/* Period 0 comes on top. */
#define COHORT_MAX_PERIODS 10000

typedef struct CohortCount
{
	int64		customers;		/* for whom the period is complete */
	int64		active;			/* those of them whose value is not 0 */
} CohortCount;

/*
 * The type cohort_value.  Behind the counts there are, for each period, the parts of the
 * exact sum of its values (exact_sum_parts()), as many as the longest sum needs; the
 * rest are 0.  While an aggregate adds, there may be room for more parts, so a
 * value is trimmed before it is stored: equal values are equal bytes.
 */
typedef struct CohortValue
{
	int32		vl_len_;
	uint8		version;
	uint8		part_count;		/* of each sum, 1 to EXACT_SUM_MAX_PARTS */
	uint16		length;			/* 1 to COHORT_MAX_PERIODS + 1 */
	CohortCount counts[FLEXIBLE_ARRAY_MEMBER];
} CohortValue;

#define COHORT_VALUE_VERSION 1

#define PG_GETARG_COHORT_VALUE_P(n) cohort_value_open(PG_GETARG_DATUM(n))

/* The parts of the sum of a period. */
static inline double *
cohort_parts(const CohortValue *value, int period)
{
	return (double *) &value->counts[value->length] + (Size) period * value->part_count;
}

extern CohortValue *cohort_value_open(Datum datum);
extern CohortValue *cohort_value_create(int length, int part_count);
extern void cohort_value_get_sum(const CohortValue *value, int period, ExactSum *sum);
extern CohortValue *cohort_value_put_sum(CohortValue *value, int period, const ExactSum *sum);
extern CohortValue *cohort_value_trim(CohortValue *value);

#endif							/* ENGAGEMENT_CLV_COHORT_VALUE_H */
