/*
 * visits.h
 *		Where one visit ends and the next begins.
 *
 * A gap strictly longer than a limit starts a new visit (a gap as long already
 * does so if asked); so can a change of the local date, and a channel that is
 * not NULL and differs from the visit's own, which is its first that is not NULL.
 */
#ifndef ENGAGEMENT_TIMELINE_VISITS_H
#define ENGAGEMENT_TIMELINE_VISITS_H

#include "postgres.h"

#include "fmgr.h"
#include "base/calendar.h"
#include "timeline/codec.h"

#define VISIT_DEFAULT_GAP (INT64CONST(30) * 60 * 1000000)

typedef struct VisitRule
{
	uint64		gap;			/* microseconds; longer gaps split */
	pg_tz	   *time_zone;		/* NULL: dates do not matter */
	bool		split_channel;
} VisitRule;

/* The walk over one visitor's events; zeroed but for the rule, it is at the start. */
typedef struct VisitSplitter
{
	VisitRule	rule;
	bool		is_running;
	int64		last_at;
	LocalClock	clock;			/* of the rule's time zone */
	int32		local_day;
	uint32		channel;		/* of the visit so far, as in TimelineKind; 0: none yet */
} VisitSplitter;

extern VisitRule visit_rule(const Interval *gap, bool gap_inclusive, text *time_zone, bool split_channel);

/* Takes the next event; true if it starts a visit, as the first does. */
static inline bool
visit_starts(VisitSplitter *splitter, int64 at, uint32 channel)
{
	bool		starts;

	/* the range of time is wider than int64 */
	starts = !splitter->is_running ||
		(uint64) at - (uint64) splitter->last_at > splitter->rule.gap;
	if (splitter->rule.time_zone != NULL)
	{
		int32		day;

		splitter->clock.time_zone = splitter->rule.time_zone;
		day = local_clock_day(&splitter->clock, at);
		starts = starts || day != splitter->local_day;
		splitter->local_day = day;
	}
	if (splitter->rule.split_channel && channel != 0)
	{
		if (splitter->is_running && splitter->channel != 0 && splitter->channel != channel)
			starts = true;
		if (starts || splitter->channel == 0)
			splitter->channel = channel;
	}
	else if (starts)
		splitter->channel = 0;
	splitter->is_running = true;
	splitter->last_at = at;
	return starts;
}

#endif							/* ENGAGEMENT_TIMELINE_VISITS_H */
