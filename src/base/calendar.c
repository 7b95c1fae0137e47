/*
 * calendar.c
 *		Local days, ISO weeks, months, quarters and years.
 *
 * An instant's date is what clocks of the time zone show then, so a local day
 * may have 23 or 25 hours.  Dates are Julian days, as in PostgreSQL's date2j.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "base/calendar.h"

static int32 divide_down(int32 number, int32 divisor);

/* The time zone of this name; ERRCODE_INVALID_PARAMETER_VALUE if there is none. */
pg_tz *
calendar_time_zone(const text *name)
{
	char	   *string = text_to_cstring(name);
	pg_tz	   *time_zone = pg_tzset(string);

	if (time_zone == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" not recognized", string),
				 errhint("For example Europe/Oslo; see the view pg_timezone_names.")));
	pfree(string);
	return time_zone;
}

/*
 * An interval in the largest calendar unit that divides it: 14 days are 2 weeks,
 * 10 days are 10 days, 3 months are a quarter, 24 months are 2 years.
 *
 * What is not positive, is below a day, or mixes months and days is an error
 * (ERRCODE_INVALID_PARAMETER_VALUE).  'argument' is the SQL argument's name.
 */
CalendarPeriod
calendar_period(const Interval *interval, const char *argument)
{
	CalendarPeriod period;
	bool		has_months = interval->month > 0;

	/* an infinite interval has all three */
	if (interval->time != 0 || interval->month < 0 || interval->day < 0 ||
		has_months == (interval->day > 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be whole days or whole months, above zero, if time_zone is given: \"%s\"",
						argument,
						DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(interval)))),
				 errhint("For example 1 day, 7 days, 1 month, 3 months or 1 year; a local day is not always 24 hours.")));

	period.count = has_months ? interval->month : interval->day;
	if (!has_months)
		period.unit = period.count % 7 == 0 ? CALENDAR_WEEK : CALENDAR_DAY;
	else if (period.count % 3 != 0)
		period.unit = CALENDAR_MONTH;
	else
		period.unit = period.count % 12 == 0 ? CALENDAR_YEAR : CALENDAR_QUARTER;

	if (period.unit == CALENDAR_WEEK)
		period.count /= 7;
	else if (period.unit == CALENDAR_QUARTER)
		period.count /= 3;
	else if (period.unit == CALENDAR_YEAR)
		period.count /= 12;
	return period;
}

/*
 * Units are numbered in the order of time, without gaps; this is the number of
 * the one with this Julian day.
 */
int32
calendar_unit_number(CalendarUnit unit, int32 day)
{
	int			year;
	int			month;
	int			day_of_month;

	if (unit == CALENDAR_DAY)
		return day;
	/* Julian day 0 was a Monday; west of Greenwich times begin on the day before */
	if (unit == CALENDAR_WEEK)
		return divide_down(day, 7);

	j2date(day, &year, &month, &day_of_month);
	if (unit == CALENDAR_MONTH)
		return year * MONTHS_PER_YEAR + month - 1;
	if (unit == CALENDAR_QUARTER)
		return year * 4 + (month - 1) / 3;
	return year;
}

/* Sets a clock to a time zone; nothing else of it need be set. */
void
local_clock_set(LocalClock *clock, pg_tz *time_zone)
{
	clock->time_zone = time_zone;
	clock->from = 0;
	clock->until = 0;
	clock->shift = 0;
}

/* Finds how the clock stands at this instant, and how long it stands so. */
void
local_clock_look_up(LocalClock *clock, int64 at)
{
	const pg_time_t epoch = (pg_time_t) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY;
	pg_time_t	seconds = at / USECS_PER_SEC - (at % USECS_PER_SEC < 0) + epoch;
	pg_time_t	boundary;
	struct pg_tm tm;
	fsec_t		fsec;
	int			offset;
	long int	gmtoff;
	int			isdst;
	int64		until = PG_INT64_MAX;
	int64		shift;

	if (timestamp2tm(at, &offset, &tm, &fsec, NULL, clock->time_zone) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	shift = -(int64) offset * USECS_PER_SEC;

	if (pg_next_dst_boundary(&seconds, &gmtoff, &isdst, &boundary, &gmtoff, &isdst, clock->time_zone) > 0 &&
		boundary - epoch < PG_INT64_MAX / USECS_PER_SEC)
		until = (boundary - epoch) * USECS_PER_SEC;

	/* the same stretch, of which an earlier part is known now */
	if (until == clock->until && shift == clock->shift && at < clock->from)
	{
		clock->from = at;
		return;
	}
	clock->from = at;
	clock->until = until;
	clock->shift = shift;
}

static int32
divide_down(int32 number, int32 divisor)
{
	return number / divisor - (number % divisor < 0);
}
