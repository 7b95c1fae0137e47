/*
 * retention.c
 *		In which periods after a start event a visitor came back.
 *
 * Periods are counted from a visitor's first start event, which is in period 0.
 * All questions are about the number of the period that an instant is in:
 *
 * - a return event marks the period that it is in;
 * - a period is complete at as_of if as_of is in a later one.
 *
 * Rolling periods are of equal length from the start event on.  Calendar ones
 * are days, ISO weeks, months, quarters or years as clocks of a time zone show
 * them; period 0 is then the whole unit of the start, say its month.
 *
 * Nothing lives longer than a call but the compiled patterns and the time zone,
 * which are kept for the call site.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/boolean_array.h"
#include "base/compat.h"
#include "base/period.h"
#include "funnel/retention.h"
#include "timeline/matcher.h"
#include "timeline/timeline.h"

PG_FUNCTION_INFO_V1(retention);

/* The patterns by their bits. */
#define START_EVENT UINT64CONST(1)
#define RETURN_EVENT UINT64CONST(2)

typedef enum RetentionMode
{
	RETENTION_N_DAY,
	RETENTION_UNBOUNDED,
	RETENTION_BRACKETS
} RetentionMode;

/*
 * The result's elements after the first.  Element i is about the periods from
 * i up to before i + 1, or between two of the cut points.
 */
typedef struct RetentionElements
{
	RetentionMode mode;
	int			last;			/* the number of the last element, from 0 */
	const int32 *cuts;			/* of mode brackets: last + 1 of them */
} RetentionElements;

/* What is kept for a call site; nothing in it changes an answer. */
typedef struct RetentionSite
{
	void	   *matcher;
	ZoneSite	zone;
} RetentionSite;

static RetentionElements read_elements(FunctionCallInfo fcinfo);
static RetentionMode parse_mode(const text *mode);
static void read_cuts(RetentionElements *elements, ArrayType *brackets);
static RetentionSite *site_of(FunctionCallInfo fcinfo);
static bool find_start(TimelineCursor *cursor, const TimelineView *view, const uint64 *masks, int64 as_of);
static void mark_returns(bool *returned, const RetentionElements *elements, const PeriodRule *rule,
						 TimelineCursor *cursor, const TimelineView *view, const uint64 *masks, int64 as_of);
static int	element_of(const RetentionElements *elements, uint64 period);
static int	count_complete(const RetentionElements *elements, uint64 complete_periods);

/*
 * (timeline, start_event, return_event, period, periods, time_zone, as_of, mode,
 * brackets)
 */
Datum
retention(PG_FUNCTION_ARGS)
{
	static const int numbers[] = {1, 2};
	static const char *const names[] = {"start_event", "return_event"};
	RetentionElements elements;
	RetentionSite *site;
	PeriodRule	rule;
	TimelineView view;
	TimelineCursor cursor;
	uint64	   *masks;
	int64		as_of = PG_ARGISNULL(6) ? DT_NOEND : PG_GETARG_TIMESTAMPTZ(6);
	bool	   *returned;
	int			known;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		PG_RETURN_NULL();
	elements = read_elements(fcinfo);
	site = site_of(fcinfo);
	rule = period_rule(PG_GETARG_INTERVAL_P(3), PG_ARGISNULL(5) ? NULL : PG_GETARG_TEXT_PP(5), &site->zone);
	if (elements.last == 0)
		PG_RETURN_NULL();

	timeline_open(&view, PG_GETARG_TIMELINE(0));
	masks = matcher_masks(matcher_of_arguments(fcinfo, &site->matcher, 2, numbers, names), &view);
	timeline_cursor_start(&cursor, &view);
	if (!find_start(&cursor, &view, masks, as_of))
		PG_RETURN_NULL();

	period_start(&rule, cursor.at);
	returned = palloc0(sizeof(bool) * (elements.last + 1));
	returned[0] = true;
	mark_returns(returned, &elements, &rule, &cursor, &view, masks, as_of);
	known = as_of == DT_NOEND ? elements.last + 1 :
		1 + count_complete(&elements, period_number(&rule, as_of));
	PG_RETURN_ARRAYTYPE_P(boolean_array_form(returned, known, elements.last + 1));
}

/* Arguments 4, 7 and 8: periods, mode, brackets.  Without elements if periods is NULL. */
static RetentionElements
read_elements(FunctionCallInfo fcinfo)
{
	RetentionElements elements = {RETENTION_N_DAY};

	if (!PG_ARGISNULL(7))
		elements.mode = parse_mode(PG_GETARG_TEXT_PP(7));
	if (elements.mode == RETENTION_BRACKETS)
	{
		if (!PG_ARGISNULL(4))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"periods\" must be NULL if mode is \"brackets\", not %d", PG_GETARG_INT32(4)),
					 errdetail("The cut points in \"brackets\" say which periods to look at.")));
		if (PG_ARGISNULL(8))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("mode \"brackets\" needs argument \"brackets\""),
					 errhint("For example mode => 'brackets', brackets => '{1,3,7,14}' for the periods 1 to 2, 3 to 6 and 7 to 13.")));
		read_cuts(&elements, PG_GETARG_ARRAYTYPE_P(8));
		return elements;
	}

	if (!PG_ARGISNULL(8))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"brackets\" needs mode => 'brackets'")));
	if (PG_ARGISNULL(4))
		return elements;
	elements.last = PG_GETARG_INT32(4);
	if (elements.last < 1 || elements.last > RETENTION_MAX_PERIODS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"periods\" must be from 1 to %d, not %d",
						RETENTION_MAX_PERIODS, elements.last)));
	return elements;
}

static RetentionMode
parse_mode(const text *mode)
{
	const char *bytes = VARDATA_ANY(mode);
	int			length = VARSIZE_ANY_EXHDR(mode);

	if (length == 5 && memcmp(bytes, "n_day", 5) == 0)
		return RETENTION_N_DAY;
	if (length == 9 && memcmp(bytes, "unbounded", 9) == 0)
		return RETENTION_UNBOUNDED;
	if (length == 8 && memcmp(bytes, "brackets", 8) == 0)
		return RETENTION_BRACKETS;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"mode\" cannot be \"%.*s\"", length, bytes),
			 errhint("Valid values are \"n_day\", \"unbounded\" and \"brackets\".")));
}

static void
read_cuts(RetentionElements *elements, ArrayType *brackets)
{
	int			count = ARR_NDIM(brackets) == 0 ? 0 : ARR_DIMS(brackets)[0];

	if (ARR_NDIM(brackets) > 1 || array_contains_nulls(brackets))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"brackets\" must be an array of one dimension without NULL")));
	if (count < 2 || count > RETENTION_MAX_PERIODS + 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"brackets\" must have from 2 to %d cut points, not %d",
						RETENTION_MAX_PERIODS + 1, count)));
	elements->cuts = (const int32 *) array_elements(brackets);
	elements->last = count - 1;
	for (int i = 0; i < count; i++)
	{
		if (elements->cuts[i] <= (i == 0 ? 0 : elements->cuts[i - 1]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 i == 0 ?
					 errmsg("argument \"brackets\" must start from period 1 or later, not %d", elements->cuts[0]) :
					 errmsg("argument \"brackets\" must be strictly increasing: %d follows %d",
							elements->cuts[i], elements->cuts[i - 1])));
	}
}

static RetentionSite *
site_of(FunctionCallInfo fcinfo)
{
	if (fcinfo->flinfo->fn_extra == NULL)
		fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(RetentionSite));
	return fcinfo->flinfo->fn_extra;
}

/* Moves to the first start event; false if there is none up to as_of. */
static bool
find_start(TimelineCursor *cursor, const TimelineView *view, const uint64 *masks, int64 as_of)
{
	/* values are of no interest, so only times are read in a row */
	for (uint32 i = 0; timeline_next_time(cursor) && cursor->at <= as_of; i++)
	{
		if ((masks[timeline_kind_at(view, i)] & START_EVENT) != 0)
			return true;
		if (cursor->remaining % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	timeline_cursor_end(cursor);
	return false;
}

/* Goes through the events after the start, up to as_of. */
static void
mark_returns(bool *returned, const RetentionElements *elements, const PeriodRule *rule,
			 TimelineCursor *cursor, const TimelineView *view, const uint64 *masks, int64 as_of)
{
	uint64		end = elements->mode == RETENTION_BRACKETS ? (uint64) elements->cuts[elements->last] :
		(uint64) elements->last + 1;
	uint64		furthest = 0;

	for (uint32 i = view->event_count - cursor->remaining; timeline_next_time(cursor) && cursor->at <= as_of; i++)
	{
		uint64		period;
		int			element;

		if (cursor->remaining % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		if ((masks[timeline_kind_at(view, i)] & RETURN_EVENT) == 0)
			continue;
		period = period_number(rule, cursor->at);
		furthest = Max(furthest, period);
		/* of all later events none can be in a period more than one lower, see period_number */
		if (period > end)
			break;
		element = element_of(elements, period);
		if (element > 0)
			returned[element] = true;
	}
	timeline_cursor_end(cursor);

	if (elements->mode == RETENTION_UNBOUNDED)
	{
		for (int i = 1; i <= elements->last && (uint64) i <= furthest; i++)
			returned[i] = true;
	}
}

/* The element that a period belongs to; 0: none. */
static int
element_of(const RetentionElements *elements, uint64 period)
{
	int			low = 0;
	int			high = elements->last;

	if (elements->mode != RETENTION_BRACKETS)
		return period <= (uint64) elements->last ? (int) period : 0;
	if (period >= (uint64) elements->cuts[high])
		return 0;
	/* how many cut points are not after the period */
	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if ((uint64) elements->cuts[middle] <= period)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* How many elements, without the first, are about complete periods alone. */
static int
count_complete(const RetentionElements *elements, uint64 complete_periods)
{
	int			count = 0;

	while (count < elements->last &&
		   (elements->mode == RETENTION_BRACKETS ? (uint64) elements->cuts[count + 1] :
			(uint64) count + 2) <= complete_periods)
		count++;
	return count;
}
