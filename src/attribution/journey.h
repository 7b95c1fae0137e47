/*
 * journey.h
 *		The journeys of one visitor: the touches before each conversion, and what
 *		is left over.
 *
 *		JourneyWalk *walk = journey_walk_of_rule(rule);		-- again for each timeline
 *
 *		journey_walk_start(walk, &view);
 *		while (journey_next(walk, &journey))
 *			for (i = 0; i < journey.touch_count; i++)
 *				... walk->labels[journey.touches[i].label], journey.touches[i].at ...
 *
 * A rule has one walk, whose memory is used again for timeline after timeline.
 */
#ifndef ENGAGEMENT_JOURNEY_H
#define ENGAGEMENT_JOURNEY_H

#include "postgres.h"

#include "attribution/channel_names.h"
#include "attribution/journey_rule.h"
#include "attribution/touch_window.h"
#include "timeline/timeline.h"

typedef struct Journey
{
	bool		is_converted;	/* false: a null journey, without time and value */
	bool		has_value;
	int64		converted_at;
	double		value;
	uint32		touch_count;	/* 0: an unattributed conversion */
	const JourneyTouch *touches;	/* in order of time, repeats collapsed as the rule says;
								 * their labels are numbers in the walk's; valid until
								 * the next journey */
} Journey;

typedef struct JourneyWalk
{
	const JourneyRule *rule;
	uint32		label_count;	/* of this timeline; label 0 is CHANNEL_DIRECT */
	const TimelineString *labels;	/* distinct, valid as long as the view, until the next start */
	struct JourneyWalkState *state; /* the walk's own */
} JourneyWalk;

extern JourneyWalk *journey_walk_of_rule(const JourneyRule *rule);
extern void journey_walk_start(JourneyWalk *walk, const TimelineView *view);
extern bool journey_next(JourneyWalk *walk, Journey *journey);

#endif							/* ENGAGEMENT_JOURNEY_H */
