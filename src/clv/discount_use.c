/*
 * discount_use.c
 *		How many of a customer's orders were at a discount, and what they were worth.
 *
 * Purchase events at one instant are the lines of one order.  A line with a negative
 * value is a refund or a cost: it is no order by itself, and its value is subtracted.
 *
 * Nothing lives longer than a call but the compiled patterns and the type of the
 * result, which are kept for the call site.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "timeline/matcher.h"
#include "timeline/timeline.h"
#include "timeline/value_sum.h"

PG_FUNCTION_INFO_V1(discount_use);

/* The patterns by their bits. */
#define PURCHASE UINT64CONST(1)
#define DISCOUNTED UINT64CONST(2)

/* What is kept for a call site; nothing in it changes an answer. */
typedef struct DiscountSite
{
	void	   *matcher;
	TupleDesc	row_type;		/* NULL: not known yet */
} DiscountSite;

/* Sums over the orders that are complete, and the one that may get more lines. */
typedef struct DiscountSums
{
	int64		orders;
	int64		discounted_orders;
	ValueSum	value;
	ValueSum	discounted_value;
	int64		at;				/* of the order */
	bool		is_order;		/* it has a line that is no refund */
	bool		is_discounted;	/* ... and that is at a discount */
} DiscountSums;

static DiscountSite *site_of(FunctionCallInfo fcinfo);
static void add_lines(DiscountSums *sums, const TimelineView *view, const uint64 *masks, int64 as_of);
static void complete_order(DiscountSums *sums);

/* (timeline, purchase, discounted, as_of) */
Datum
discount_use(PG_FUNCTION_ARGS)
{
	static const int numbers[] = {1, 2};
	static const char *const names[] = {"purchase", "discounted"};
	DiscountSite *site;
	TimelineView view;
	uint64	   *masks;
	DiscountSums sums = {0};
	Datum		fields[5];
	bool		nulls[5] = {false};

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	site = site_of(fcinfo);
	timeline_open(&view, PG_GETARG_TIMELINE(0));
	masks = matcher_masks(matcher_of_arguments(fcinfo, &site->matcher, 2, numbers, names), &view);
	add_lines(&sums, &view, masks, PG_ARGISNULL(3) ? DT_NOEND : PG_GETARG_TIMESTAMPTZ(3));
	if (sums.orders == 0)
		PG_RETURN_NULL();

	fields[0] = Int64GetDatum(sums.orders);
	fields[1] = Int64GetDatum(sums.discounted_orders);
	fields[2] = Float8GetDatum(value_sum_value(&sums.value, view.value_unit));
	fields[3] = Float8GetDatum(value_sum_value(&sums.discounted_value, view.value_unit));
	fields[4] = BoolGetDatum(sums.discounted_orders == sums.orders);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(site->row_type, fields, nulls)));
}

static DiscountSite *
site_of(FunctionCallInfo fcinfo)
{
	DiscountSite *site = fcinfo->flinfo->fn_extra;

	if (site == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
		TupleDesc	row_type;

		if (get_call_result_type(fcinfo, NULL, &row_type) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		site = palloc0(sizeof(DiscountSite));
		site->row_type = BlessTupleDesc(CreateTupleDescCopy(row_type));
		fcinfo->flinfo->fn_extra = site;
		MemoryContextSwitchTo(caller);
	}
	return site;
}

static void
add_lines(DiscountSums *sums, const TimelineView *view, const uint64 *masks, int64 as_of)
{
	TimelineCursor cursor;

	timeline_cursor_start(&cursor, view);
	while (timeline_next(&cursor) && cursor.at <= as_of)
	{
		uint64		mask = masks[cursor.kind];

		if (cursor.remaining % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		if ((mask & PURCHASE) == 0)
			continue;
		if (cursor.at != sums->at)
		{
			complete_order(sums);
			sums->at = cursor.at;
		}
		if (!cursor.has_value || cursor.value >= 0)
		{
			sums->is_order = true;
			sums->is_discounted |= (mask & DISCOUNTED) != 0;
		}
		if (!cursor.has_value)
			continue;
		value_sum_add(&sums->value, view->value_unit, cursor.value, CurrentMemoryContext);
		if ((mask & DISCOUNTED) != 0)
			value_sum_add(&sums->discounted_value, view->value_unit, cursor.value, CurrentMemoryContext);
	}
	timeline_cursor_end(&cursor);
	complete_order(sums);
}

static void
complete_order(DiscountSums *sums)
{
	sums->orders += sums->is_order;
	sums->discounted_orders += sums->is_discounted;
	sums->is_order = sums->is_discounted = false;
}
