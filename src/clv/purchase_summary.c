/*
 * purchase_summary.c
 *		What models of customers need to know of one: how often he bought again, when, how
 *		long ago he began, and what a purchase was worth.  Also the aggregate purchases,
 *		which makes timelines of plain order rows.
 *
 * Frequency, recency, age and monetary value are those of Fader, Hardie and Lee,
 * "Counting your customers" the easy way (2005): the first day is not a repeat
 * purchase, and its value is no part of the mean.
 *
 * Nothing lives longer than a call but the compiled pattern, the time zone and the type
 * of the result, which are kept for the call site.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/duration.h"
#include "base/iso_time.h"
#include "base/period.h"
#include "clv/purchase_days.h"
#include "timeline/matcher.h"
#include "timeline/timeline.h"

PG_FUNCTION_INFO_V1(purchase_summary);
PG_FUNCTION_INFO_V1(holdout_purchases);
PG_FUNCTION_INFO_V1(purchases_transition);

/* The event of the timelines that the aggregate purchases makes. */
#define PURCHASE_EVENT "purchase"

/* What is kept for a call site; nothing in it changes an answer. */
typedef struct PurchaseSite
{
	void	   *matcher;
	TupleDesc	row_type;		/* of purchase_summary; NULL: not known yet */
	ZoneSite	zone;
} PurchaseSite;

/* The timeline argument with the masks of its kinds. */
typedef struct PurchaseView
{
	TimelineView view;
	uint64	   *masks;
	uint64		inline_masks[TIMELINE_INLINE_KINDS];
} PurchaseView;

typedef struct PurchaseSummary
{
	int32		frequency;		/* days after the first */
	int32		first;			/* Julian days */
	int32		last;
	int32		valued;			/* of the repeat days, those with a value */
	double		value;			/* their sum */
} PurchaseSummary;

static PurchaseSite *site_of(FunctionCallInfo fcinfo);
static int64 finite_time(FunctionCallInfo fcinfo, int number, const char *argument, const char *hint);
pg_noreturn static void order_error(int64 from_at, int64 to_at);
static bool open_purchases(PurchaseView *purchases, FunctionCallInfo fcinfo, PurchaseSite *site);
static bool summarize(PurchaseSummary *summary, const PurchaseView *purchases, LocalClock *clock, int64 as_of);
static TupleDesc row_type_of(FunctionCallInfo fcinfo, PurchaseSite *site);

/* (timeline, purchase, as_of, unit, time_zone) */
Datum
purchase_summary(PG_FUNCTION_ARGS)
{
	PurchaseSite *site;
	LocalClock *clock;
	PurchaseView purchases;
	PurchaseSummary summary;
	int64		as_of;
	double		unit = (double) USECS_PER_DAY;
	int32		end;
	Datum		fields[4];
	bool		nulls[4] = {false};

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	as_of = finite_time(fcinfo, 2, "as_of",
						"Give the end of the observation, such as the last instant that the data covers: purchases after it do not count, and a customer's age is counted up to its day.");
	if (!PG_ARGISNULL(3))
		unit = (double) duration_positive(PG_GETARG_INTERVAL_P(3), "unit");
	site = site_of(fcinfo);
	clock = zone_site_clock(&site->zone, PG_ARGISNULL(4) ? NULL : PG_GETARG_TEXT_PP(4));
	if (!open_purchases(&purchases, fcinfo, site) || !summarize(&summary, &purchases, clock, as_of))
		PG_RETURN_NULL();

	/* a clock put back just after midnight may have shown a later date before as_of */
	end = Max(local_clock_day(clock, as_of), summary.last);
	fields[0] = Int32GetDatum(summary.frequency);
	fields[1] = Float8GetDatum((double) (summary.last - summary.first) * (double) USECS_PER_DAY / unit);
	fields[2] = Float8GetDatum((double) (end - summary.first) * (double) USECS_PER_DAY / unit);
	nulls[3] = summary.frequency > 0 && summary.valued == 0;
	fields[3] = Float8GetDatum(summary.valued == 0 ? 0 : summary.value / summary.valued);
	return HeapTupleGetDatum(heap_form_tuple(row_type_of(fcinfo, site), fields, nulls));
}

/* (timeline, purchase, from_at, to_at, time_zone) */
Datum
holdout_purchases(PG_FUNCTION_ARGS)
{
	static const char *const from_hint = "Give the end of the calibration period, the as_of of purchase_summary: the holdout period begins on the day after it.";
	static const char *const to_hint = "Give the end of the holdout period, such as the last instant that the data covers.";
	PurchaseSite *site;
	LocalClock *clock;
	PurchaseView purchases;
	PurchaseDayWalk walk;
	PurchaseDay day;
	int64		from_at;
	int64		to_at;
	int32		from_date;
	int32		count = 0;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	from_at = finite_time(fcinfo, 2, "from_at", from_hint);
	to_at = finite_time(fcinfo, 3, "to_at", to_hint);
	if (to_at < from_at)
		order_error(from_at, to_at);
	site = site_of(fcinfo);
	clock = zone_site_clock(&site->zone, PG_ARGISNULL(4) ? NULL : PG_GETARG_TEXT_PP(4));
	if (!open_purchases(&purchases, fcinfo, site))
		PG_RETURN_INT32(0);

	from_date = local_clock_day(clock, from_at);
	purchase_day_walk_start(&walk, &purchases.view, purchases.masks, clock, to_at);
	while (purchase_day_next(&walk, &day))
		/* what was bought up to from_at is in the summary already, whatever date clocks showed */
		count += day.date > from_date && day.first_at > from_at;
	PG_RETURN_INT32(count);
}

/* Transition of the aggregate purchases: (state, at, value), as that of timeline. */
Datum
purchases_transition(PG_FUNCTION_ARGS)
{
	LOCAL_FCINFO(timeline_call, 5);
	union
	{
		char		bytes[VARHDRSZ + sizeof(PURCHASE_EVENT) - 1];
		int32		alignment;
	}			event;

	SET_VARSIZE(&event, sizeof(event.bytes));
	memcpy(event.bytes + VARHDRSZ, PURCHASE_EVENT, sizeof(PURCHASE_EVENT) - 1);
	InitFunctionCallInfoData(*timeline_call, fcinfo->flinfo, 5, fcinfo->fncollation, fcinfo->context, NULL);
	timeline_call->args[0] = fcinfo->args[0];
	timeline_call->args[1] = fcinfo->args[1];
	timeline_call->args[2].value = PointerGetDatum(&event);
	timeline_call->args[2].isnull = false;
	timeline_call->args[3].value = (Datum) 0;
	timeline_call->args[3].isnull = true;
	timeline_call->args[4] = fcinfo->args[2];
	return timeline_transition(timeline_call);
}

static PurchaseSite *
site_of(FunctionCallInfo fcinfo)
{
	if (fcinfo->flinfo->fn_extra == NULL)
		fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(PurchaseSite));
	return fcinfo->flinfo->fn_extra;
}

static int64
finite_time(FunctionCallInfo fcinfo, int number, const char *argument, const char *hint)
{
	int64		at;

	if (PG_ARGISNULL(number))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must not be NULL", argument),
				 errhint("%s", hint)));
	at = PG_GETARG_TIMESTAMPTZ(number);
	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be finite, not %s", argument, TIMESTAMP_IS_NOBEGIN(at) ? "-infinity" : "infinity"),
				 errhint("%s", hint)));
	return at;
}

static void
order_error(int64 from_at, int64 to_at)
{
	char		from_text[ISO_TIME_MAX_LENGTH];
	char		to_text[ISO_TIME_MAX_LENGTH];

	iso_time_print(from_at, from_text);
	iso_time_print(to_at, to_text);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"to_at\" must not be before \"from_at\": %s is before %s", to_text, from_text)));
}

/* Opens argument 0 for the pattern in argument 1; false if none of its events match. */
static bool
open_purchases(PurchaseView *purchases, FunctionCallInfo fcinfo, PurchaseSite *site)
{
	static const int numbers[] = {1};
	static const char *const names[] = {"purchase"};
	TimelineMatcher *matcher = matcher_of_arguments(fcinfo, &site->matcher, 1, numbers, names);
	TimelineView *view = &purchases->view;

	timeline_open(view, PG_GETARG_TIMELINE(0));
	purchases->masks = purchases->inline_masks;
	if (view->kind_count > TIMELINE_INLINE_KINDS)
		purchases->masks = palloc_extended(sizeof(uint64) * view->kind_count, MCXT_ALLOC_HUGE);
	matcher_fill_masks(matcher, view, purchases->masks);
	for (uint32 i = 0; i < view->kind_count; i++)
	{
		if (purchases->masks[i] != 0)
			return true;
	}
	return false;
}

/* False if there is no purchase up to as_of. */
static bool
summarize(PurchaseSummary *summary, const PurchaseView *purchases, LocalClock *clock, int64 as_of)
{
	PurchaseDayWalk walk;
	PurchaseDay day;
	PurchaseSum sum = {0};

	memset(summary, 0, sizeof(PurchaseSummary));
	purchase_day_walk_start(&walk, &purchases->view, purchases->masks, clock, as_of);
	if (!purchase_day_next(&walk, &day))
		return false;
	summary->first = day.date;
	summary->last = day.date;
	while (purchase_day_next(&walk, &day))
	{
		/* there are fewer days in the range of time than an int32 counts */
		summary->frequency++;
		summary->last = day.date;
		if (!day.has_value)
			continue;
		summary->valued++;
		purchase_sum_add(&walk, &sum, &day.value);
	}
	summary->value = purchase_sum_value(&walk, &sum);
	return true;
}

static TupleDesc
row_type_of(FunctionCallInfo fcinfo, PurchaseSite *site)
{
	if (site->row_type == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
		TupleDesc	row_type;

		if (get_call_result_type(fcinfo, NULL, &row_type) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		site->row_type = BlessTupleDesc(row_type);
		MemoryContextSwitchTo(caller);
	}
	return site->row_type;
}
