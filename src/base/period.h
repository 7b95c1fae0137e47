/*
 * period.h
 *		Which period since a start an instant is in.
 *
 * Rolling periods are of equal length from the start on.  Calendar ones are days, ISO
 * weeks, months, quarters or years as clocks of a time zone show them; period 0 is
 * then the whole unit of the start, say its month.
 *
 *		PeriodRule	rule = period_rule(interval, time_zone, &site->zone);
 *
 *		period_start(&rule, started_at);
 *		... period_number(&rule, at) ...
 */
#ifndef ENGAGEMENT_PERIOD_H
#define ENGAGEMENT_PERIOD_H

#include "postgres.h"

#include "base/calendar.h"

/* A time zone that is kept for a call site; all zeros: none yet.  Nothing in it changes an answer. */
typedef struct ZoneSite
{
	int			name_length;
	char		name[TZ_STRLEN_MAX + 1];
	LocalClock	clock;
} ZoneSite;

typedef struct PeriodRule
{
	uint64		length;			/* microseconds of a rolling period; 0: calendar */
	CalendarPeriod calendar;
	LocalClock *clock;			/* the site's */
	int64		started_at;
	int32		start_unit;
} PeriodRule;

extern LocalClock *zone_site_clock(ZoneSite *site, const text *time_zone);
extern PeriodRule period_rule(const Interval *period, const text *time_zone, ZoneSite *site);
extern void period_start(PeriodRule *rule, int64 started_at);
extern uint64 period_number(const PeriodRule *rule, int64 at);

#endif							/* ENGAGEMENT_PERIOD_H */
