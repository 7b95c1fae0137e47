/*
 * retention.h
 *		What retention (retention.c) and its counts (retention_stats.c) share.
 */
#ifndef ENGAGEMENT_RETENTION_H
#define ENGAGEMENT_RETENTION_H

#include "postgres.h"

#include "fmgr.h"

/* The cohort comes on top. */
#define RETENTION_MAX_PERIODS 10000

/* How many visitors a period has. */
typedef struct RetentionCount
{
	int64		returned;		/* that are true */
	int64		size;			/* that are true or false; returned <= size */
} RetentionCount;

/* The type retention_stats: without padding, so that equal values are equal bytes. */
typedef struct RetentionStats
{
	int32		vl_len_;
	uint16		version;
	uint16		length;			/* 1 to RETENTION_MAX_PERIODS + 1 */
	RetentionCount counts[FLEXIBLE_ARRAY_MEMBER];
} RetentionStats;

#define RETENTION_STATS_VERSION 1

#define PG_GETARG_RETENTION_STATS_P(n) retention_stats_open(PG_GETARG_DATUM(n))

extern RetentionStats *retention_stats_open(Datum datum);
extern RetentionStats *retention_stats_create(int length);

#endif							/* ENGAGEMENT_RETENTION_H */
