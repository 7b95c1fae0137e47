/*
 * funnel_stats.h
 *		The statistics of a funnel as they are stored, for their arithmetic
 *		(funnel_stats.c), their bytes (funnel_stats_state.c), their input and output
 *		(funnel_stats_io.c) and their report (funnel_steps.c).
 */
#ifndef ENGAGEMENT_FUNNEL_STATS_H
#define ENGAGEMENT_FUNNEL_STATS_H

#include "postgres.h"

#include "base/compat.h"
#include "base/log_histogram.h"
#include "datatype/timestamp.h"
#include "fmgr.h"

#define FUNNEL_STATS_MAX_STEPS 64
#define FUNNEL_STATS_VERSION 1

/* Bits of FunnelStats.flags. */
#define FUNNEL_STATS_WITHIN 1	/* there is a window */
#define FUNNEL_STATS_AS_OF 2	/* and a time at which it may still be open */
#define FUNNEL_STATS_SPARE 4	/* there may be room to spare: only while aggregating */

typedef struct FunnelStatsStep
{
	int64		in_progress;	/* visitors whose furthest step this is and whose window is open */
	int64		ended;			/* and those whose window is not: they will go no further */
	int64		skipped;		/* visitors who got further without this step */
	uint64		sum_high;		/* of all times from the step before: microseconds, 128 bits */
	uint64		sum_low;
	LogHistogram durations;		/* of these times, in microseconds */
	uint32		offset;			/* where its counts begin, behind the steps */
	uint32		unused;
} FunnelStatsStep;

/*
 * The type funnel_stats.  The counts of the steps' histograms follow the steps,
 * each where the one before ends.
 */
typedef struct FunnelStats
{
	int32		vl_len_;		/* varlena header (do not touch directly!) */
	uint8		version;
	uint8		flags;
	uint16		step_count;
	int64		within;			/* microseconds; 0 if there is none */
	TimestampTz as_of;			/* 0 if there is none */
	int64		visitors;		/* who reached the first step: no other count exceeds it */
	FunnelStatsStep steps[FLEXIBLE_ARRAY_MEMBER];
} FunnelStats;

#define FUNNEL_STATS_HEADER_SIZE(step_count) \
	(offsetof(FunnelStats, steps) + (step_count) * sizeof(FunnelStatsStep))

#define PG_GETARG_FUNNEL_STATS(n) funnel_stats_open(PG_GETARG_DATUM(n))
#define PG_GETARG_FINISHED_FUNNEL_STATS(n) funnel_stats_open_finished(PG_GETARG_DATUM(n))

extern FunnelStats *funnel_stats_open(Datum datum);
extern const FunnelStats *funnel_stats_open_finished(Datum datum);
extern FunnelStats *funnel_stats_create(int step_count, uint8 flags, int64 within, TimestampTz as_of);
extern FunnelStats *funnel_stats_with_room(const FunnelStats *stats, const LogHistogram *shapes);
extern FunnelStats *funnel_stats_finished(const FunnelStats *stats);
extern void funnel_stats_assert(const FunnelStats *stats);

static inline uint8 *
funnel_stats_counts(const FunnelStats *stats, int step)
{
	return (uint8 *) stats + FUNNEL_STATS_HEADER_SIZE(stats->step_count) + stats->steps[step].offset;
}

static inline uint128
funnel_stats_sum(const FunnelStatsStep *step)
{
	return (uint128) step->sum_high << 64 | step->sum_low;
}

static inline void
funnel_stats_add_to_sum(FunnelStatsStep *step, uint128 microseconds)
{
	uint128		sum = funnel_stats_sum(step) + microseconds;

	step->sum_high = (uint64) (sum >> 64);
	step->sum_low = (uint64) sum;
}

#endif							/* ENGAGEMENT_FUNNEL_STATS_H */
