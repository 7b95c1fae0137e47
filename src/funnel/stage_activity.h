/*
 * stage_activity.h
 *		The columns of the type stage_activity, for the function that makes its
 *		rows (stage_activity.c) and the aggregates that add them up (stage_metrics.c).
 */
#ifndef ENGAGEMENT_FUNNEL_STAGE_ACTIVITY_H
#define ENGAGEMENT_FUNNEL_STAGE_ACTIVITY_H

#include "access/tupdesc.h"

#include "funnel/metric_map.h"

#define ACTIVITY_STAGE 0		/* text */
#define ACTIVITY_PERIOD_START 1 /* timestamptz */

/* bigint, NULL as 0; but where visitors may be in several of the rows added, their number is NULL */
#define ACTIVITY_VISITORS 2
#define ACTIVITY_EVENTS 3
#define ACTIVITY_METRIC(metric) (4 + (metric))
#define ACTIVITY_LEVELS (4 + METRIC_COUNT)
#define ACTIVITY_ACTIONS_AFTER_VIDEO (5 + METRIC_COUNT)

/* numeric, exact; NULL: nothing was added */
#define ACTIVITY_REVENUE (6 + METRIC_COUNT)
#define ACTIVITY_SUBSCRIPTION_VALUE (7 + METRIC_COUNT)
#define ACTIVITY_LEVEL_SUM (8 + METRIC_COUNT)

#define ACTIVITY_COLUMNS (9 + METRIC_COUNT)

#define ACTIVITY_IS_COUNT(column) ((column) >= ACTIVITY_VISITORS && (column) < ACTIVITY_REVENUE)

extern void stage_activity_check(TupleDesc row_type);

#endif							/* ENGAGEMENT_FUNNEL_STAGE_ACTIVITY_H */
