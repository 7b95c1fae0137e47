/*
 * value_by_age.c
 *		What a customer was worth in each period since a start, as a first purchase.
 *
 * Periods are those of retention: numbered from the start, which is in period 0, and
 * complete at as_of if as_of is in a later one.
 *
 * Nothing lives longer than a call but the compiled patterns and the time zone, which
 * are kept for the call site.
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/period.h"
#include "clv/cohort_value.h"
#include "timeline/matcher.h"
#include "timeline/timeline.h"
#include "timeline/value_sum.h"

PG_FUNCTION_INFO_V1(value_by_age);

/* The patterns by their bits. */
#define START_EVENT UINT64CONST(1)
#define VALUE_EVENT UINT64CONST(2)

/* What is kept for a call site; nothing in it changes an answer. */
typedef struct ValueSite
{
	void	   *matcher;
	ZoneSite	zone;
} ValueSite;

static int	read_periods(int32 periods);
static ValueSite *site_of(FunctionCallInfo fcinfo);
static bool find_start(const TimelineView *view, const uint64 *masks, int64 as_of, int64 *started_at);
static void sum_values(ValueSum *sums, int length, const PeriodRule *rule, const TimelineView *view,
					   const uint64 *masks, int64 as_of);
static ArrayType *form_array(const ValueSum *sums, TimelineValueUnit unit, int complete, int length);

/* (timeline, start_event, value_event, period, periods, time_zone, as_of) */
Datum
value_by_age(PG_FUNCTION_ARGS)
{
	static const int numbers[] = {1, 2};
	static const char *const names[] = {"start_event", "value_event"};
	ValueSite  *site;
	PeriodRule	rule;
	TimelineView view;
	uint64	   *masks;
	int64		as_of = PG_ARGISNULL(6) ? DT_NOEND : PG_GETARG_TIMESTAMPTZ(6);
	int64		started_at;
	int			length;
	int			complete;
	ValueSum   *sums;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3) || PG_ARGISNULL(4))
		PG_RETURN_NULL();
	length = read_periods(PG_GETARG_INT32(4)) + 1;
	site = site_of(fcinfo);
	rule = period_rule(PG_GETARG_INTERVAL_P(3), PG_ARGISNULL(5) ? NULL : PG_GETARG_TEXT_PP(5), &site->zone);

	timeline_open(&view, PG_GETARG_TIMELINE(0));
	masks = matcher_masks(matcher_of_arguments(fcinfo, &site->matcher, 2, numbers, names), &view);
	if (!find_start(&view, masks, as_of, &started_at))
		PG_RETURN_NULL();

	period_start(&rule, started_at);
	complete = length;
	if (as_of != DT_NOEND)
		complete = (int) Min(period_number(&rule, as_of), (uint64) length);
	sums = palloc0(sizeof(ValueSum) * length);
	sum_values(sums, complete, &rule, &view, masks, as_of);
	PG_RETURN_ARRAYTYPE_P(form_array(sums, view.value_unit, complete, length));
}

static int
read_periods(int32 periods)
{
	if (periods < 0 || periods > COHORT_MAX_PERIODS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"periods\" must be from 0 to %d, not %d", COHORT_MAX_PERIODS, periods),
				 errdetail("It is the number of the last period; period 0 is that of the start.")));
	return periods;
}

static ValueSite *
site_of(FunctionCallInfo fcinfo)
{
	if (fcinfo->flinfo->fn_extra == NULL)
		fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(ValueSite));
	return fcinfo->flinfo->fn_extra;
}

/* The first start event up to as_of; false if there is none. */
static bool
find_start(const TimelineView *view, const uint64 *masks, int64 as_of, int64 *started_at)
{
	TimelineCursor cursor;

	timeline_cursor_start(&cursor, view);
	/* values are of no interest, so only times are read in a row */
	for (uint32 i = 0; timeline_next_time(&cursor) && cursor.at <= as_of; i++)
	{
		if ((masks[timeline_kind_at(view, i)] & START_EVENT) != 0)
		{
			*started_at = cursor.at;
			return true;
		}
		if (cursor.remaining % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	timeline_cursor_end(&cursor);
	return false;
}

/*
 * Adds up the values of the first 'length' periods.  What happens at the instant of the
 * start belongs to period 0, wherever it stands among the events of that instant.
 */
static void
sum_values(ValueSum *sums, int length, const PeriodRule *rule, const TimelineView *view,
		   const uint64 *masks, int64 as_of)
{
	TimelineCursor cursor;

	timeline_cursor_start(&cursor, view);
	while (timeline_next(&cursor) && cursor.at <= as_of)
	{
		uint64		period;

		if (cursor.remaining % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		if (!cursor.has_value || (masks[cursor.kind] & VALUE_EVENT) == 0 || cursor.at < rule->started_at)
			continue;
		period = period_number(rule, cursor.at);
		if (period < (uint64) length)
			value_sum_add(&sums[period], view->value_unit, cursor.value, CurrentMemoryContext);
		/* of all later events none can be in a period more than one lower, see period_number */
		else if (period > (uint64) length)
			break;
	}
	timeline_cursor_end(&cursor);
}

/* An array of 'length' elements, of which the first 'complete' are known. */
static ArrayType *
form_array(const ValueSum *sums, TimelineValueUnit unit, int complete, int length)
{
	Datum	   *values = palloc(sizeof(Datum) * length);
	bool	   *nulls = palloc(sizeof(bool) * length);
	int			lower_bound = 1;

	for (int i = 0; i < length; i++)
	{
		nulls[i] = i >= complete;
		values[i] = Float8GetDatum(nulls[i] ? 0 : value_sum_value(&sums[i], unit));
	}
	return construct_md_array(values, nulls, 1, &length, &lower_bound, FLOAT8OID,
							  sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
}
