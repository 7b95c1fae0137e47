/*
 * calendar.h
 *		Local days, ISO weeks, months, quarters and years.
 */
#ifndef ENGAGEMENT_CALENDAR_H
#define ENGAGEMENT_CALENDAR_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "pgtime.h"

typedef enum CalendarUnit
{
	CALENDAR_DAY,
	CALENDAR_WEEK,				/* from Monday, as ISO 8601 has it */
	CALENDAR_MONTH,
	CALENDAR_QUARTER,
	CALENDAR_YEAR
} CalendarUnit;

/* A length in calendar units: 2 weeks, 1 quarter. */
typedef struct CalendarPeriod
{
	CalendarUnit unit;
	int32		count;			/* > 0 */
} CalendarPeriod;

/*
 * A time zone, and a stretch of time in which its clocks are not changed: most
 * questions are about times close to the one before.
 */
typedef struct LocalClock
{
	pg_tz	   *time_zone;
	int64		from;
	int64		until;			/* exclusive; from = until: nothing is known yet */
	int64		shift;			/* microseconds from UTC to local time */
} LocalClock;

extern pg_tz *calendar_time_zone(const text *name);
extern CalendarPeriod calendar_period(const Interval *interval, const char *argument);
extern int32 calendar_unit_number(CalendarUnit unit, int32 day);
extern void local_clock_set(LocalClock *clock, pg_tz *time_zone);
extern void local_clock_look_up(LocalClock *clock, int64 at);

/* The Julian day of the date that the clock shows at this instant, which is finite. */
static inline int32
local_clock_day(LocalClock *clock, int64 at)
{
	int64		local;
	int64		day;

	if (at < clock->from || at >= clock->until)
		local_clock_look_up(clock, at);
	/* there is more room between the last timestamptz and int64's end than any shift */
	local = at + clock->shift;
	day = local / USECS_PER_DAY - (local % USECS_PER_DAY < 0);
	return (int32) day + POSTGRES_EPOCH_JDATE;
}

#endif							/* ENGAGEMENT_CALENDAR_H */
