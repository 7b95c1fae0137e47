/*
 * funnel.c
 *		funnel, funnel_level, funnel_entry, funnel_dropoffs: how far one visitor got.
 *
 * Per call site: a FunnelPlan in fn_extra (funnel_rule.c).  Per visitor: the events
 * that mean something to the plan, for the search (search.h); most funnels are plain and
 * need no such list (search_plain.h).
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/set_call.h"
#include "funnel/funnel_rule.h"
#include "funnel/search.h"
#include "funnel/search_plain.h"
#include "timeline/kind_property.h"
#include "timeline/timeline.h"

PG_FUNCTION_INFO_V1(funnel);
PG_FUNCTION_INFO_V1(funnel_level);
PG_FUNCTION_INFO_V1(funnel_entry);
PG_FUNCTION_INFO_V1(funnel_dropoffs);

static bool find_chain(const FunnelPlan *plan, const TimelineView *view, FunnelChain *chain, uint32 *entry_kind);
static void collect_events(const FunnelPlan *plan, const TimelineView *view, FunnelInput *input);
static Datum times_array(const FunnelRule *rule, const FunnelChain *chain);
static bool find_dropoff(FunctionCallInfo fcinfo, SetCall *call, Datum *row);

/* (timeline, steps, options) */
Datum
funnel(PG_FUNCTION_ARGS)
{
	FunnelPlan *plan;
	TimelineView view;
	FunnelChain chain;
	uint32		entry_kind;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	plan = funnel_plan_of_arguments(fcinfo, &fcinfo->flinfo->fn_extra, 2);
	timeline_open(&view, PG_GETARG_TIMELINE(0));
	(void) find_chain(plan, &view, &chain, &entry_kind);
	return times_array(funnel_plan_rule(plan), &chain);
}

/* (timeline, steps, options) */
Datum
funnel_level(PG_FUNCTION_ARGS)
{
	FunnelPlan *plan;
	TimelineView view;
	FunnelInput input;
	int			level;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	plan = funnel_plan_of_arguments(fcinfo, &fcinfo->flinfo->fn_extra, 2);
	timeline_open(&view, PG_GETARG_TIMELINE(0));
	if (!funnel_plain_level(plan, &view, &level))
	{
		collect_events(plan, &view, &input);
		level = funnel_search_level(&input);
	}
	PG_RETURN_INT32(level);
}

/* (timeline, steps, property, options) */
Datum
funnel_entry(PG_FUNCTION_ARGS)
{
	FunnelPlan *plan;
	TimelineView view;
	FunnelChain chain;
	uint32		entry_kind;
	TimelineString key;
	PropertyValue value;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	plan = funnel_plan_of_arguments(fcinfo, &fcinfo->flinfo->fn_extra, 3);
	key = timeline_string(PG_GETARG_TEXT_PP(2));
	timeline_open(&view, PG_GETARG_TIMELINE(0));
	if (!find_chain(plan, &view, &chain, &entry_kind) ||
		!kind_property(&view, entry_kind, &key, &value))
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

/* False if no chain starts; else entry_kind is the kind of the event with which it did. */
static bool
find_chain(const FunnelPlan *plan, const TimelineView *view, FunnelChain *chain, uint32 *entry_kind)
{
	FunnelInput input;

	if (funnel_plain_chain(plan, view, chain, entry_kind))
		return chain->level > 0;
	collect_events(plan, view, &input);
	funnel_search_chain(&input, chain);
	if (chain->level == 0)
		return false;
	*entry_kind = input.events[chain->entry].kind;
	return true;
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
	FunnelChain chain;
	uint32		entry_kind;
	Datum		fields[5] = {0};
	bool		nulls[5] = {false, false, false, true, true};

	if (!PG_ARGISNULL(as_of_number) && rule->within == FUNNEL_NO_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"as_of\" needs \"within\""),
				 errdetail("Without a window nobody has dropped out for good."),
				 errhint("Leave as_of out to see what all those did who did not go on.")));
	timeline_open(&view, PG_GETARG_TIMELINE(0));
	if (!find_chain(plan, &view, &chain, &entry_kind) || chain.level == rule->step_count)
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
