/*
 * metric_map.h
 *		Which events count for which metrics of a stage.
 */
#ifndef ENGAGEMENT_FUNNEL_METRIC_MAP_H
#define ENGAGEMENT_FUNNEL_METRIC_MAP_H

#include "postgres.h"

#include "fmgr.h"

#include "timeline/matcher.h"

/* Their order is that of the columns of stage_activity. */
typedef enum Metric
{
	METRIC_IMPRESSIONS,
	METRIC_VIEWS,
	METRIC_LIKES,
	METRIC_SHARES,
	METRIC_COMMENTS,
	METRIC_CLICKS,
	METRIC_VIDEO_STARTS,
	METRIC_VIDEO_25,
	METRIC_VIDEO_50,
	METRIC_VIDEO_75,
	METRIC_VIDEO_COMPLETES,
	METRIC_ORDERS,
	METRIC_SUBSCRIPTIONS
} Metric;

#define METRIC_COUNT (METRIC_SUBSCRIPTIONS + 1)

/* As matcher_masks() gives them. */
#define METRIC_BIT(metric) (UINT64CONST(1) << (metric))
#define METRIC_BITS (METRIC_BIT(METRIC_COUNT) - 1)
#define VIDEO_BITS (METRIC_BIT(METRIC_VIDEO_COMPLETES + 1) - METRIC_BIT(METRIC_VIDEO_STARTS))

/* The arguments metric_map and action, read. */
typedef struct MetricMap
{
	MemoryContext context;
	TimelineString map;			/* the arguments, by which it is recognised */
	TimelineString action;
	uint64		action_bits;	/* an event with one of them is an action */
	TimelineMatcher *matcher;
} MetricMap;

extern const MetricMap *metric_map_of_arguments(FunctionCallInfo fcinfo, void **cache,
												int map_number, int action_number);

#endif							/* ENGAGEMENT_FUNNEL_METRIC_MAP_H */
