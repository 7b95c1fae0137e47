/*
 * value_basis.c
 *		Whether customers buy again, and so whether a product is judged by ROI or by CLV.
 *
 * What counts as a purchase is the purchase days' business (purchase_days.h).  Nothing
 * lives longer than a call but the compiled pattern and the time zone, which are kept
 * for the call site.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/duration.h"
#include "base/period.h"
#include "clv/purchase_days.h"
#include "statistics/proportion.h"
#include "timeline/matcher.h"
#include "timeline/timeline.h"

PG_FUNCTION_INFO_V1(bought_again);
PG_FUNCTION_INFO_V1(value_basis);

/* With p buying again each time, the repeats are worth p / (1 - p) of the first: a fourth. */
#define DEFAULT_THRESHOLD 0.2

#define DEFAULT_CONF_LEVEL 0.95

/* The interval of a handful is no ground for anything: 1 of 1 would be at least 0.2. */
#define LEAST_CUSTOMERS 30

/* What is kept for a call site; nothing in it changes an answer. */
typedef struct RepeatSite
{
	void	   *matcher;
	ZoneSite	zone;
} RepeatSite;

static RepeatSite *site_of(FunctionCallInfo fcinfo);
static int64 whole_days(const Interval *interval, const char *argument);

/* (timeline, purchase, within, as_of, time_zone) */
Datum
bought_again(PG_FUNCTION_ARGS)
{
	static const int number = 1;
	static const char *const name = "purchase";
	RepeatSite *site;
	LocalClock *clock;
	TimelineView view;
	PurchaseDayWalk walk;
	PurchaseDay first;
	PurchaseDay second;
	int64		as_of = PG_ARGISNULL(3) ? DT_NOEND : PG_GETARG_TIMESTAMPTZ(3);
	int64		days;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	days = whole_days(PG_GETARG_INTERVAL_P(2), "within");
	site = site_of(fcinfo);
	clock = zone_site_clock(&site->zone, PG_ARGISNULL(4) ? NULL : PG_GETARG_TEXT_PP(4));

	timeline_open(&view, PG_GETARG_TIMELINE(0));
	purchase_day_walk_start(&walk, &view, matcher_masks(matcher_of_arguments(fcinfo, &site->matcher, 1, &number, &name), &view),
							clock, as_of);
	if (!purchase_day_next(&walk, &first))
		PG_RETURN_NULL();
	/* as long as as_of's day may be one of those within, more can be bought on it */
	if (as_of != DT_NOEND && (int64) local_clock_day(clock, as_of) - first.date <= days)
		PG_RETURN_NULL();
	PG_RETURN_BOOL(purchase_day_next(&walk, &second) && (int64) second.date - first.date <= days);
}

/* (repeat_customers, customers, threshold, conf_level) */
Datum
value_basis(PG_FUNCTION_ARGS)
{
	int64		repeat_customers;
	int64		customers;
	double		threshold = PG_ARGISNULL(2) ? DEFAULT_THRESHOLD : PG_GETARG_FLOAT8(2);
	double		conf_level = PG_ARGISNULL(3) ? DEFAULT_CONF_LEVEL : PG_GETARG_FLOAT8(3);
	const char *basis = "undecided";
	double		lower;
	double		upper;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	repeat_customers = PG_GETARG_INT64(0);
	customers = PG_GETARG_INT64(1);
	if (repeat_customers < 0 || repeat_customers > customers)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"repeat_customers\" must be from 0 to customers, not " INT64_FORMAT " of " INT64_FORMAT,
						repeat_customers, customers)));
	if (!(threshold > 0 && threshold < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"threshold\" must be greater than 0 and less than 1, not %s",
						DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(threshold)))),
				 errhint("It is a share of customers, for example 0.2.")));
	check_conf_level(conf_level);

	if (customers >= LEAST_CUSTOMERS && wilson_interval(repeat_customers, customers, conf_level, &lower, &upper))
	{
		if (lower >= threshold)
			basis = "CLV";
		else if (upper < threshold)
			basis = "ROI";
	}
	PG_RETURN_TEXT_P(cstring_to_text(basis));
}

static RepeatSite *
site_of(FunctionCallInfo fcinfo)
{
	if (fcinfo->flinfo->fn_extra == NULL)
		fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(RepeatSite));
	return fcinfo->flinfo->fn_extra;
}

static int64
whole_days(const Interval *interval, const char *argument)
{
	int64		microseconds = duration_positive(interval, argument);

	/* what is too long for 64 bits is the longest that fits */
	if (microseconds % USECS_PER_DAY != 0 && microseconds != PG_INT64_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be whole days: \"%s\"", argument,
						DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(interval)))),
				 errhint("For example 90 days.")));
	return microseconds / USECS_PER_DAY;
}
