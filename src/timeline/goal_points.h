/*
 * goal_points.h
 *		Goals with their points, as SQL gives them: a JSON object of patterns and
 *		numbers.
 */
#ifndef ENGAGEMENT_TIMELINE_GOAL_POINTS_H
#define ENGAGEMENT_TIMELINE_GOAL_POINTS_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "timeline/matcher.h"

typedef struct GoalPoints
{
	int			goal_count;
	double	   *points;			/* by the number of the goal, which matcher_best gives */
	TimelineMatcher *matcher;
} GoalPoints;

extern GoalPoints goal_points_read(Jsonb *points);

#endif							/* ENGAGEMENT_TIMELINE_GOAL_POINTS_H */
