/*
 * timed_credit.h
 *		What the times of touches add to a set of conversion paths: credit that fades
 *		with time, and how long before the conversion a channel was first met.
 */
#ifndef ENGAGEMENT_TIMED_CREDIT_H
#define ENGAGEMENT_TIMED_CREDIT_H

#include "postgres.h"

#include "fmgr.h"

#include "attribution/path_set.h"

extern int64 half_life_argument(FunctionCallInfo fcinfo, int number);
extern void timed_credit_add(PathSet *set, const uint32 *channels, const int64 *touched_at, uint32 length,
							 int64 converted_at, double value, int64 half_life);

#endif							/* ENGAGEMENT_TIMED_CREDIT_H */
