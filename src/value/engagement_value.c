/*
 * engagement_value.c
 *		What a timeline is worth: points for the goals reached in it.
 *
 * Goals are the keys of a jsonb object, each a pattern, with points as their
 * values.  An event counts for the most specific goal that it matches.  Goals
 * may count at each completion, once a visit or once a visitor, and lose half
 * of their points with each half-life that has passed since.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/duration.h"
#include "timeline/argument.h"
#include "timeline/goal_points.h"
#include "timeline/matcher.h"
#include "timeline/timeline.h"
#include "timeline/visits.h"

PG_FUNCTION_INFO_V1(engagement_value);

typedef enum CountMode
{
	COUNT_EACH,
	COUNT_VISIT,
	COUNT_VISITOR
} CountMode;

/* The points argument, read once and kept in fn_extra while it stays the same. */
typedef struct CachedGoals
{
	MemoryContext context;
	TimelineString argument;	/* the jsonb's bytes, by which it is recognised */
	GoalPoints	goals;
} CachedGoals;

static const GoalPoints *goals_of_argument(FunctionCallInfo fcinfo, int number);
static CountMode parse_count(const text *count);
static double value_of_each(const TimelineView *view, const double *points);
static double value_of_first(const TimelineView *view, const int *kind_goals, const GoalPoints *goals,
							 CountMode count, VisitRule rule, double half_life, int64 as_of);

#define HALF_LIFE_NONE 0.0

/* (timeline, points, count, half_life, as_of, gap) */
Datum
engagement_value(PG_FUNCTION_ARGS)
{
	const GoalPoints *goals;
	CountMode	count;
	double		half_life = HALF_LIFE_NONE;
	int64		as_of = PG_INT64_MAX;
	VisitRule	rule;
	TimelineView view;
	int			inline_goals[TIMELINE_INLINE_KINDS];
	int		   *kind_goals = inline_goals;
	double		value;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	goals = goals_of_argument(fcinfo, 1);
	count = PG_ARGISNULL(2) ? COUNT_EACH : parse_count(PG_GETARG_TEXT_PP(2));
	if (!PG_ARGISNULL(4))
		as_of = PG_GETARG_TIMESTAMPTZ(4);
	if (!PG_ARGISNULL(3))
	{
		half_life = (double) duration_positive(PG_GETARG_INTERVAL_P(3), "half_life");
		if (PG_ARGISNULL(4) || TIMESTAMP_NOT_FINITE(as_of))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"half_life\" needs a finite \"as_of\""),
					 errhint("Points fade towards a point in time: give for example as_of => now().")));
	}
	rule = visit_rule(PG_ARGISNULL(5) ? NULL : PG_GETARG_INTERVAL_P(5), false, NULL, false);

	timeline_open(&view, PG_GETARG_TIMELINE(0));
	if (view.kind_count > TIMELINE_INLINE_KINDS)
		kind_goals = palloc_extended(sizeof(int) * view.kind_count, MCXT_ALLOC_HUGE);
	matcher_best(goals->matcher, &view, kind_goals);

	if (count == COUNT_EACH && as_of == PG_INT64_MAX)
	{
		double		inline_points[TIMELINE_INLINE_KINDS];
		double	   *points = inline_points;

		if (view.kind_count > TIMELINE_INLINE_KINDS)
			points = palloc_extended(sizeof(double) * view.kind_count, MCXT_ALLOC_HUGE);
		for (uint32 i = 0; i < view.kind_count; i++)
			points[i] = kind_goals[i] < 0 ? 0 : goals->points[kind_goals[i]];
		value = value_of_each(&view, points);
	}
	else
		value = value_of_first(&view, kind_goals, goals, count, rule, half_life, as_of);
	if (unlikely(isinf(value) || isnan(value)))
		float_overflow_error();
	PG_RETURN_FLOAT8(value);
}

/* The commonest question needs no times: each event has its points. */
static double
value_of_each(const TimelineView *view, const double *points)
{
	double		value = 0;

	for (uint32 i = 0; i < view->event_count; i++)
	{
		value += points[timeline_kind_at(view, i)];
		if (i % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	return value;
}

/*
 * Each goal counts at its first completion in the visit, or of the visitor, or
 * at each; events after as_of do not exist; without a half-life nothing fades.
 */
static double
value_of_first(const TimelineView *view, const int *kind_goals, const GoalPoints *goals,
			   CountMode count, VisitRule rule, double half_life, int64 as_of)
{
	VisitSplitter splitter = {rule};
	TimelineCursor cursor;
	uint32	   *counted_in = palloc0(sizeof(uint32) * Max(goals->goal_count, 1));
	uint32		visit = 1;		/* the number of the visit, or of the only period there is */
	double		value = 0;

	timeline_cursor_start(&cursor, view);
	while (timeline_next(&cursor) && cursor.at <= as_of)
	{
		int			goal = kind_goals[cursor.kind];

		if (count == COUNT_VISIT)
			visit += visit_starts(&splitter, cursor.at, 0);
		if (cursor.remaining % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		if (goal < 0 || (count != COUNT_EACH && counted_in[goal] == visit))
			continue;
		counted_in[goal] = visit;
		if (half_life == HALF_LIFE_NONE)
			value += goals->points[goal];
		else
			value += goals->points[goal] *
				exp2(-(double) ((uint64) as_of - (uint64) cursor.at) / half_life);
	}
	timeline_cursor_end(&cursor);
	pfree(counted_in);
	return value;
}

static const GoalPoints *
goals_of_argument(FunctionCallInfo fcinfo, int number)
{
	CachedGoals *cached = fcinfo->flinfo->fn_extra;
	MemoryContext context;
	MemoryContext caller;

	if (cached != NULL && argument_is(fcinfo, number, &cached->argument))
		return &cached->goals;

	fcinfo->flinfo->fn_extra = NULL;
	if (cached != NULL)
		MemoryContextDelete(cached->context);
	/* it outlives this call only if there is no mistake in the points */
	context = AllocSetContextCreate(CurrentMemoryContext, "engagement goals", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(context);
	cached = palloc0(sizeof(CachedGoals));
	cached->context = context;
	cached->argument = argument_copy(fcinfo, number);
	cached->goals = goal_points_read(DatumGetJsonbPCopy(PG_GETARG_DATUM(number)));
	MemoryContextSwitchTo(caller);
	MemoryContextSetParent(context, fcinfo->flinfo->fn_mcxt);
	fcinfo->flinfo->fn_extra = cached;
	return &cached->goals;
}

static CountMode
parse_count(const text *count)
{
	const char *bytes = VARDATA_ANY(count);
	int			length = VARSIZE_ANY_EXHDR(count);

	if (length == 4 && memcmp(bytes, "each", 4) == 0)
		return COUNT_EACH;
	if (length == 5 && memcmp(bytes, "visit", 5) == 0)
		return COUNT_VISIT;
	if (length == 7 && memcmp(bytes, "visitor", 7) == 0)
		return COUNT_VISITOR;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"count\" cannot be \"%.*s\"", length, bytes),
			 errhint("Valid values are \"each\", \"visit\" and \"visitor\".")));
}
