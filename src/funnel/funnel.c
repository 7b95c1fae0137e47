/*
 * funnel.c
 *		funnel, funnel_level, funnel_entry, funnel_dropoffs: how far one visitor got.
 *
 * Per call site: a FunnelPlan in fn_extra (funnel_rule.c).  Per visitor: the events
 * that mean something to the plan, for the search (search.h).  Most calls of funnel_level
 * need no list of events: then the levels are kept while the timeline is read.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/set_call.h"
#include "funnel/funnel_rule.h"
#include "funnel/search.h"
#include "timeline/kind_property.h"
#include "timeline/timeline.h"

PG_FUNCTION_INFO_V1(funnel);
PG_FUNCTION_INFO_V1(funnel_level);
PG_FUNCTION_INFO_V1(funnel_entry);
PG_FUNCTION_INFO_V1(funnel_dropoffs);

/* Events at one instant compete for steps: only the full search can tell. */
#define NEEDS_SEARCH (-1)

static int	find_level(const FunnelPlan *plan, const TimelineView *view);
static int	quick_level(const FunnelRule *rule, const TimelineView *view, const uint64 *masks, int highest);
static int	reach(const FunnelRule *rule, int64 *firsts, int level, int64 at, uint64 steps, bool together);
static bool find_chain(const FunnelPlan *plan, const TimelineView *view, FunnelInput *input, FunnelChain *chain);
static void collect_events(const FunnelPlan *plan, const TimelineView *view, FunnelInput *input);
static Datum times_array(const FunnelRule *rule, const FunnelChain *chain);
static bool find_dropoff(FunctionCallInfo fcinfo, SetCall *call, Datum *row);

/* (timeline, steps, options) */
Datum
funnel(PG_FUNCTION_ARGS)
{
	FunnelPlan *plan;
	TimelineView view;
	FunnelInput input;
	FunnelChain chain;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	plan = funnel_plan_of_arguments(fcinfo, &fcinfo->flinfo->fn_extra, 2);
	timeline_open(&view, PG_GETARG_TIMELINE(0));
	find_chain(plan, &view, &input, &chain);
	return times_array(funnel_plan_rule(plan), &chain);
}

/* (timeline, steps, options) */
Datum
funnel_level(PG_FUNCTION_ARGS)
{
	FunnelPlan *plan;
	TimelineView view;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	plan = funnel_plan_of_arguments(fcinfo, &fcinfo->flinfo->fn_extra, 2);
	timeline_open(&view, PG_GETARG_TIMELINE(0));
	PG_RETURN_INT32(find_level(plan, &view));
}

/* (timeline, steps, property, options) */
Datum
funnel_entry(PG_FUNCTION_ARGS)
{
	FunnelPlan *plan;
	TimelineView view;
	FunnelInput input;
	FunnelChain chain;
	TimelineString key;
	PropertyValue value;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	plan = funnel_plan_of_arguments(fcinfo, &fcinfo->flinfo->fn_extra, 3);
	key = timeline_string(PG_GETARG_TEXT_PP(2));
	timeline_open(&view, PG_GETARG_TIMELINE(0));
	if (!find_chain(plan, &view, &input, &chain) ||
		!kind_property(&view, input.events[chain.entry].kind, &key, &value))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(property_text(&value));
}

/* (timeline, steps, options, as_of): at most one row */
Datum
funnel_dropoffs(PG_FUNCTION_ARGS)
{
	SetCall    *call = set_call_begin(fcinfo);
	Datum		row;

	if (!call->is_running && !PG_ARGISNULL(0) && !PG_ARGISNULL(1) && find_dropoff(fcinfo, call, &row))
	{
		set_call_start(fcinfo, call);
		SET_CALL_RETURN_NEXT(fcinfo, row);
	}
	SET_CALL_RETURN_DONE(fcinfo, call);
}

static int
find_level(const FunnelPlan *plan, const TimelineView *view)
{
	const FunnelRule *rule = funnel_plan_rule(plan);
	FunnelInput input;

	if (funnel_plan_is_plain(plan))
	{
		uint64		inline_masks[TIMELINE_INLINE_KINDS];
		uint64	   *masks = inline_masks;
		uint64		steps = 0;
		int			level;

		if (view->kind_count > TIMELINE_INLINE_KINDS)
			masks = palloc_extended(sizeof(uint64) * view->kind_count, MCXT_ALLOC_HUGE);
		funnel_plan_steps(plan, view, masks);
		for (uint32 i = 0; i < view->kind_count; i++)
			steps |= masks[i];
		level = funnel_highest_level(rule, steps);
		/* with no step but the first its times do not matter */
		if (level > 1 || (level == 1 && funnel_restricts_entry(rule)))
			level = quick_level(rule, view, masks, level);
		if (level != NEEDS_SEARCH)
			return level;
	}
	collect_events(plan, view, &input);
	return funnel_search_level(&input);
}

/*
 * For each level, the latest first time of a chain that reached it; what the search
 * does if there are no options that need more.  Ends at the highest level possible.
 */
static int
quick_level(const FunnelRule *rule, const TimelineView *view, const uint64 *masks, int highest)
{
	TimelineCursor cursor;
	int64		firsts[FUNNEL_MAX_STEPS + 1];
	int64		at = 0;
	uint64		pending = 0;	/* steps of the events at this instant so far */
	bool		together = false;	/* they can be served at once */
	int			level = 0;

	timeline_cursor_start(&cursor, view);
	for (uint32 i = 0; timeline_next_time(&cursor); i++)
	{
		uint64		steps = masks[timeline_kind_at(view, i)];

		if (i % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		if (steps == 0)
			continue;
		if (pending != 0 && cursor.at == at)
		{
			/* events for one step each can be put into the order of the steps */
			if (rule->once && ((steps & (steps - 1)) || (!together && (pending & (pending - 1)))))
				return NEEDS_SEARCH;
			together = true;
			pending |= steps;
			continue;
		}
		if (pending != 0)
		{
			level = reach(rule, firsts, level, at, pending, together);
			if (level == highest)
				return level;
		}
		at = cursor.at;
		pending = steps;
		together = !rule->once;
	}
	timeline_cursor_end(&cursor);
	return reach(rule, firsts, level, at, pending, together);
}

/* One instant: its steps are served from the lowest on if together, else each from the state before. */
static int
reach(const FunnelRule *rule, int64 *firsts, int level, int64 at, uint64 steps, bool together)
{
	int			before = level;

	while (steps != 0)
	{
		int			step = 1 + (together ? pg_rightmost_one_pos64(steps) : pg_leftmost_one_pos64(steps));

		steps &= ~STEP_BIT(step);
		if (step == 1)
		{
			if (!funnel_may_enter(rule, at))
				continue;
			firsts[1] = at;
		}
		else if (step - 1 <= (together ? level : before) && (uint64) at - (uint64) firsts[step - 1] <= rule->within)
			firsts[step] = firsts[step - 1];
		else
			continue;
		level = Max(level, step);
	}
	return level;
}

/* False if no chain starts; the input lives in the current memory context. */
static bool
find_chain(const FunnelPlan *plan, const TimelineView *view, FunnelInput *input, FunnelChain *chain)
{
	collect_events(plan, view, input);
	funnel_search_chain(input, chain);
	return chain->level > 0;
}

/* Those that satisfy a step or break a chain; all of them if none may come between. */
static void
collect_events(const FunnelPlan *plan, const TimelineView *view, FunnelInput *input)
{
	const FunnelRule *rule = funnel_plan_rule(plan);
	bool		takes_all = rule->mode == FUNNEL_CONTIGUOUS;
	FunnelKind *kinds = funnel_plan_kinds(plan, view, &input->held_count);
	FunnelEvent *events = palloc_extended(sizeof(FunnelEvent) * Max(view->event_count, 1), MCXT_ALLOC_HUGE);
	uint32		count = 0;
	TimelineCursor cursor;

	timeline_cursor_start(&cursor, view);
	for (uint32 i = 0; timeline_next_time(&cursor); i++)
	{
		uint32		kind = timeline_kind_at(view, i);

		if (i % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		if (takes_all || (kinds[kind].steps | kinds[kind].breaks) != 0)
			events[count++] = (FunnelEvent) {cursor.at, kind};
	}
	timeline_cursor_end(&cursor);
	input->rule = rule;
	input->kinds = kinds;
	input->events = events;
	input->event_count = count;
}

static Datum
times_array(const FunnelRule *rule, const FunnelChain *chain)
{
	Datum		times[FUNNEL_MAX_STEPS];
	bool		nulls[FUNNEL_MAX_STEPS];
	int			count = rule->step_count;
	int			lower_bound = 1;

	for (int i = 1; i <= count; i++)
	{
		nulls[i - 1] = (chain->taken & STEP_BIT(i)) == 0;
		times[i - 1] = nulls[i - 1] ? (Datum) 0 : TimestampTzGetDatum(chain->times[i]);
	}
	return PointerGetDatum(construct_md_array(times, nulls, 1, &count, &lower_bound, TIMESTAMPTZOID,
											  sizeof(TimestampTz), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* False if the visitor is not stuck between steps, or may still go on at as_of. */
static bool
find_dropoff(FunctionCallInfo fcinfo, SetCall *call, Datum *row)
{
	FunnelPlan *plan = funnel_plan_of_arguments(fcinfo, &call->site, 2);
	const FunnelRule *rule = funnel_plan_rule(plan);
	int			as_of_number = 2 + FUNNEL_OPTION_COUNT;
	TimelineView view;
	TimelineCursor cursor;
	FunnelInput input;
	FunnelChain chain;
	Datum		fields[5] = {0};
	bool		nulls[5] = {false, false, false, true, true};

	if (!PG_ARGISNULL(as_of_number) && rule->within == FUNNEL_NO_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"as_of\" needs \"within\""),
				 errdetail("Without a window nobody has dropped out for good."),
				 errhint("Leave as_of out to see what all those did who did not go on.")));
	timeline_open(&view, PG_GETARG_TIMELINE(0));
	if (!find_chain(plan, &view, &input, &chain) || chain.level == rule->step_count)
		return false;
	if (!PG_ARGISNULL(as_of_number))
	{
		int64		as_of = PG_GETARG_TIMESTAMPTZ(as_of_number);

		if (as_of <= chain.first || (uint64) as_of - (uint64) chain.first <= rule->within)
			return false;
	}

	fields[0] = Int32GetDatum(chain.level);
	fields[1] = TimestampTzGetDatum(chain.first);
	fields[2] = TimestampTzGetDatum(chain.last);
	timeline_cursor_start(&cursor, &view);
	for (uint32 i = 0; timeline_next_time(&cursor); i++)
	{
		if (i % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		if (cursor.at > chain.last)
		{
			const TimelineString *label = &view.labels[view.kinds[timeline_kind_at(&view, i)].event];

			fields[3] = PointerGetDatum(cstring_to_text_with_len(label->bytes, (int) label->length));
			fields[4] = TimestampTzGetDatum(cursor.at);
			nulls[3] = nulls[4] = false;
			break;
		}
	}
	timeline_cursor_end(&cursor);
	*row = HeapTupleGetDatum(heap_form_tuple(call->row_type, fields, nulls));
	return true;
}
