/*
 * journey_rule.h
 *		How journeys are read from a timeline: what a conversion is, what a touch is,
 *		and how far back touches count.
 *
 *		const JourneyRule *rule = journey_rule_of_datum(fcinfo, 2, &cache);
 *		JourneyWalk *walk = journey_walk_of_rule(rule);
 */
#ifndef ENGAGEMENT_JOURNEY_RULE_H
#define ENGAGEMENT_JOURNEY_RULE_H

#include "postgres.h"

#include "fmgr.h"

#include "attribution/path_collapse.h"
#include "timeline/codec.h"
#include "timeline/goal_points.h"
#include "timeline/matcher.h"
#include "timeline/visits.h"

/* The arguments of journeys() after the timeline, which are the attributes of the type journey_rule. */
#define JOURNEY_OPTION_COUNT 13

/* The bits of the patterns as the rule's matcher sets them. */
#define JOURNEY_CONVERSION UINT64CONST(1)
#define JOURNEY_TOUCH UINT64CONST(2)

/* A lookback of no limit. */
#define JOURNEY_UNLIMITED PG_UINT64_MAX

typedef struct JourneyRule
{
	MemoryContext context;		/* of the rule and its walk */
	TimelineMatcher *matcher;	/* NULL: goals alone are conversions, and visits are touches */
	GoalPoints	goals;			/* without points: all NULL */
	uint64		lookback;		/* microseconds */
	bool		touch_is_visit; /* else an event that matches JOURNEY_TOUCH */
	bool		touch_by_channel;	/* else by the property touch_by */
	TimelineString touch_by;
	bool		first_conversion_only;
	bool		reuse_touches;
	uint32		ignore_count;
	const TimelineString *ignore;	/* sorted */
	PathCollapse collapse;
	int64		as_of;			/* PG_INT64_MAX, which is infinity: the end of all time */
	VisitRule	visits;
	struct JourneyWalk **walk;	/* where journey_walk_of_rule() keeps its walk */
} JourneyRule;

extern const JourneyRule *journey_rule_of_arguments(FunctionCallInfo fcinfo, int first, void **cache);
extern const JourneyRule *journey_rule_of_datum(FunctionCallInfo fcinfo, int number, void **cache);

#endif							/* ENGAGEMENT_JOURNEY_RULE_H */
