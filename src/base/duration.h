/*
 * duration.h
 *		Interval arguments that mean a fixed length of time.
 */
#ifndef ENGAGEMENT_DURATION_H
#define ENGAGEMENT_DURATION_H

#include "datatype/timestamp.h"

extern int64 duration_microseconds(const Interval *interval,
								   const char *argument);
extern int64 duration_positive(const Interval *interval, const char *argument);
extern Interval *duration_interval(int64 microseconds);

#endif							/* ENGAGEMENT_DURATION_H */
