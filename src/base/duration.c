/*
 * duration.c
 *		Interval arguments that mean a fixed length of time.
 */
#include "postgres.h"

#include "base/duration.h"
#include "common/int.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

static char *interval_text(const Interval *interval);

/*
 * The length of an interval in microseconds, a day being 24 hours.
 *
 * Months are refused, since they have no fixed length; so are negative and
 * infinite intervals.  Zero is allowed.  What exceeds int64 becomes
 * PG_INT64_MAX, which is longer than any two times are apart in practice.
 * 'argument' is the SQL argument's name, for the error.
 */
int64
duration_microseconds(const Interval *interval, const char *argument)
{
	int64		days = interval->day;
	int64		rest = interval->time;
	int64		result;

#if PG_VERSION_NUM >= 170000
	if (INTERVAL_NOT_FINITE(interval))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be finite", argument)));
#endif

	if (interval->month != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must not have months or years: \"%s\"",
						argument, interval_text(interval)),
				 errdetail("Months differ in length."),
				 errhint("Use days, for example 30 days for a month or 365 days for a year.")));

	/* Whole days first: days * 24 h may overflow where the total does not. */
	days += rest / USECS_PER_DAY;
	rest %= USECS_PER_DAY;
	if (rest < 0)
	{
		days--;
		rest += USECS_PER_DAY;
	}

	if (days < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must not be negative: \"%s\"",
						argument, interval_text(interval))));

	if (pg_mul_s64_overflow(days, USECS_PER_DAY, &result) ||
		pg_add_s64_overflow(result, rest, &result))
		return PG_INT64_MAX;
	return result;
}

/* Likewise, but zero is an error as well (ERRCODE_INVALID_PARAMETER_VALUE). */
int64
duration_positive(const Interval *interval, const char *argument)
{
	int64		microseconds = duration_microseconds(interval, argument);

	if (microseconds == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be greater than zero", argument)));
	return microseconds;
}

/* An interval of this length: our days are 24 hours, and 7 days reads better than 168 hours. */
Interval *
duration_interval(int64 microseconds)
{
	Interval   *interval = palloc0(sizeof(Interval));

	interval->day = (int32) (microseconds / USECS_PER_DAY);
	interval->time = microseconds % USECS_PER_DAY;
	return interval;
}

static char *
interval_text(const Interval *interval)
{
	return DatumGetCString(DirectFunctionCall1(interval_out,
											   PointerGetDatum(interval)));
}
