/*
 * period.c
 *		Which period since a start an instant is in.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/duration.h"
#include "base/period.h"

/* The clock of a time zone, which is looked up when the name is another than before; NULL: UTC. */
LocalClock *
zone_site_clock(ZoneSite *site, const text *time_zone)
{
	const char *name = time_zone == NULL ? "UTC" : VARDATA_ANY(time_zone);
	int			length = time_zone == NULL ? 3 : (int) VARSIZE_ANY_EXHDR(time_zone);

	if (length > 0 && length == site->name_length && memcmp(name, site->name, length) == 0)
		return &site->clock;
	local_clock_set(&site->clock, calendar_time_zone(time_zone == NULL ? cstring_to_text(name) : time_zone));
	/* a name that is too long to be kept is none */
	Assert(length <= TZ_STRLEN_MAX);
	memcpy(site->name, name, length);
	site->name_length = length;
	return &site->clock;
}

/*
 * The rule of the SQL arguments period and time_zone (NULL: rolling periods); errors are
 * those of calendar_period() and duration_positive().
 */
PeriodRule
period_rule(const Interval *period, const text *time_zone, ZoneSite *site)
{
	PeriodRule	rule = {0};

	if (time_zone != NULL)
	{
		rule.clock = zone_site_clock(site, time_zone);
		rule.calendar = calendar_period(period, "period");
		return rule;
	}
	if (period->month != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"period\" must not have months or years if time_zone is NULL: \"%s\"",
						DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(period)))),
				 errdetail("Months differ in length."),
				 errhint("Give time_zone for calendar months, or use days, for example 30 days.")));
	rule.length = (uint64) duration_positive(period, "period");
	return rule;
}

/* Period 0 is the one of this instant. */
void
period_start(PeriodRule *rule, int64 started_at)
{
	rule->started_at = started_at;
	if (rule->length == 0)
		rule->start_unit = calendar_unit_number(rule->calendar.unit, local_clock_day(rule->clock, started_at));
}

/*
 * The number of the period of an instant that is not before the start.  It does not
 * decrease from one instant to a later one, but for this: a clock that is put back just
 * after midnight shows yesterday's date again.
 */
uint64
period_number(const PeriodRule *rule, int64 at)
{
	int32		units;

	/* the range of time is wider than int64 */
	if (rule->length != 0)
		return ((uint64) at - (uint64) rule->started_at) / rule->length;
	units = calendar_unit_number(rule->calendar.unit, local_clock_day(rule->clock, at)) - rule->start_unit;
	return (uint64) Max(units, 0) / (uint64) rule->calendar.count;
}
