/*
 * stage_metrics.c
 *		Adding up what visitors did in a stage: stage_metrics, rollup(stage_activity).
 *
 * The sum of rows of stage_activity is such a row.  So the type is the state
 * of both aggregates, and their transition and combine function is addition; it
 * makes a new row each time, so no row is ever changed in place.  Counts and
 * decimals are exact: order and way of merging change nothing.  What rounds are the
 * ratios, once, at the end.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "utils/typcache.h"

#include "base/compat.h"
#include "funnel/stage_activity.h"
#include "timeline/timeline.h"

PG_FUNCTION_INFO_V1(stage_activity_add);
PG_FUNCTION_INFO_V1(stage_metrics_final);

/* A row of stage_activity, taken apart. */
typedef struct Activity
{
	Datum		fields[ACTIVITY_COLUMNS];
	bool		nulls[ACTIVITY_COLUMNS];
} Activity;

#define METRICS_COLUMNS 26

/* The columns of stage_metrics, in the making. */
typedef struct MetricsRow
{
	int			column_count;
	Datum		fields[METRICS_COLUMNS];
	bool		nulls[METRICS_COLUMNS];
} MetricsRow;

static void open_activity(Activity *activity, HeapTupleHeader tuple, TupleDesc row_type);
static void check_activity(const Activity *activity, TupleDesc row_type);
static void merge_place(Activity *sum, const Activity *addend);
static bool same_stage(const Activity *a, const Activity *b);
static bool same_period(const Activity *a, const Activity *b);
static int64 count_of(const Activity *activity, int column);
static void put_count(MetricsRow *row, int64 count);
static void put_number(MetricsRow *row, bool is_known, double number);
static void put_ratio(MetricsRow *row, double numerator, int64 denominator);
static double number_of(const Activity *activity, int column);
static TupleDesc metrics_row_type(FunctionCallInfo fcinfo);

/* (stage_activity, stage_activity): their sum; NULL stands for no row */
Datum
stage_activity_add(PG_FUNCTION_ARGS)
{
	HeapTupleHeader left;
	HeapTupleHeader right;
	TupleDesc	row_type;
	Activity	sum;
	Activity	addend;
	Datum		result;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	right = PG_GETARG_HEAPTUPLEHEADER(1);
	row_type = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(right), HeapTupleHeaderGetTypMod(right));
	stage_activity_check(row_type);
	open_activity(&addend, right, row_type);
	check_activity(&addend, row_type);
	if (PG_ARGISNULL(0))
	{
		ReleaseTupleDesc(row_type);
		PG_RETURN_HEAPTUPLEHEADER(right);
	}
	left = PG_GETARG_HEAPTUPLEHEADER(0);
	open_activity(&sum, left, row_type);

	merge_place(&sum, &addend);
	for (int i = ACTIVITY_VISITORS; ACTIVITY_IS_COUNT(i); i++)
	{
		int64		count;

		if (addend.nulls[i])
			continue;
		if (pg_add_s64_overflow(count_of(&sum, i), DatumGetInt64(addend.fields[i]), &count))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("bigint out of range"),
					 errdetail("Column \"%s\" adds up to more.", NameStr(TupleDescAttr(row_type, i)->attname))));
		sum.fields[i] = Int64GetDatum(count);
		/* an unknown number of visitors stays so */
		if (i != ACTIVITY_VISITORS)
			sum.nulls[i] = false;
	}
	for (int i = ACTIVITY_REVENUE; i < ACTIVITY_COLUMNS; i++)
	{
		if (addend.nulls[i])
			continue;
		sum.fields[i] = sum.nulls[i] ? addend.fields[i] :
			DirectFunctionCall2(numeric_add, sum.fields[i], addend.fields[i]);
		sum.nulls[i] = false;
	}
	result = HeapTupleGetDatum(heap_form_tuple(row_type, sum.fields, sum.nulls));
	ReleaseTupleDesc(row_type);
	PG_RETURN_DATUM(result);
}

/*
 * The columns of stage_metrics, in their order, of a sum of rows; NULL stands for
 * the sum of no rows.
 *
 * watch_share: how much of a video a start leads to watching, by the area under
 * the curve of those still watching, which the quartiles give at five points
 * (trapezoidal rule): (starts / 2 + q25 + q50 + q75 + completes / 2) / (4 * starts).
 * It takes a viewer who left between two quartiles to have left half-way.
 */
Datum
stage_metrics_final(PG_FUNCTION_ARGS)
{
	TupleDesc	row_type = metrics_row_type(fcinfo);
	Activity	activity;
	MetricsRow	row = {0};
	int64		starts;
	int64		orders;
	int64		subscriptions;
	double		quartiles = 0;

	memset(activity.nulls, true, sizeof(activity.nulls));
	if (!PG_ARGISNULL(0))
	{
		HeapTupleHeader tuple = PG_GETARG_HEAPTUPLEHEADER(0);
		TupleDesc	activity_type = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(tuple),
														   HeapTupleHeaderGetTypMod(tuple));

		stage_activity_check(activity_type);
		open_activity(&activity, tuple, activity_type);
		ReleaseTupleDesc(activity_type);
	}
	starts = count_of(&activity, ACTIVITY_METRIC(METRIC_VIDEO_STARTS));
	orders = count_of(&activity, ACTIVITY_METRIC(METRIC_ORDERS));
	subscriptions = count_of(&activity, ACTIVITY_METRIC(METRIC_SUBSCRIPTIONS));

	put_count(&row, count_of(&activity, ACTIVITY_VISITORS));
	row.nulls[0] = !PG_ARGISNULL(0) && activity.nulls[ACTIVITY_VISITORS];
	put_count(&row, count_of(&activity, ACTIVITY_EVENTS));
	for (int i = 0; i <= METRIC_VIDEO_COMPLETES; i++)
		put_count(&row, count_of(&activity, ACTIVITY_METRIC(i)));

	for (int i = METRIC_VIDEO_25; i <= METRIC_VIDEO_COMPLETES; i++)
	{
		double		reached = (double) count_of(&activity, ACTIVITY_METRIC(i));

		put_ratio(&row, reached, starts);
		quartiles += i == METRIC_VIDEO_COMPLETES ? reached / 2 : reached;
	}
	put_ratio(&row, ((double) starts / 2 + quartiles) / 4, starts);

	put_count(&row, orders);
	put_number(&row, !activity.nulls[ACTIVITY_REVENUE] || orders == 0, number_of(&activity, ACTIVITY_REVENUE));
	put_ratio(&row, number_of(&activity, ACTIVITY_REVENUE), activity.nulls[ACTIVITY_REVENUE] ? 0 : orders);

	put_count(&row, subscriptions);
	put_ratio(&row, number_of(&activity, ACTIVITY_LEVEL_SUM), count_of(&activity, ACTIVITY_LEVELS));
	put_number(&row, !activity.nulls[ACTIVITY_SUBSCRIPTION_VALUE] || subscriptions == 0,
			   number_of(&activity, ACTIVITY_SUBSCRIPTION_VALUE));

	put_count(&row, count_of(&activity, ACTIVITY_ACTIONS_AFTER_VIDEO));
	put_ratio(&row, (double) count_of(&activity, ACTIVITY_ACTIONS_AFTER_VIDEO), starts);

	Assert(row.column_count == METRICS_COLUMNS);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(row_type, row.fields, row.nulls)));
}

/*
 * Errors unless a row type has the columns that the code takes it to have; a
 * superuser can alter it.
 */
void
stage_activity_check(TupleDesc row_type)
{
	bool		fits = row_type->natts == ACTIVITY_COLUMNS;

	for (int i = 0; fits && i < ACTIVITY_COLUMNS; i++)
	{
		Oid			type = i == ACTIVITY_STAGE ? TEXTOID : i == ACTIVITY_PERIOD_START ? TIMESTAMPTZOID :
			ACTIVITY_IS_COUNT(i) ? INT8OID : NUMERICOID;

		fits = TupleDescAttr(row_type, i)->atttypid == type;
	}
	if (!fits)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("type stage_activity does not have the columns that it was made with")));
}

static void
open_activity(Activity *activity, HeapTupleHeader tuple, TupleDesc row_type)
{
	HeapTupleData wrapped = {0};

	wrapped.t_len = HeapTupleHeaderGetDatumLength(tuple);
	wrapped.t_data = tuple;
	heap_deform_tuple(&wrapped, row_type, activity->fields, activity->nulls);
}

/* Rows may be written by hand, from the figures of an advertising system for instance. */
static void
check_activity(const Activity *activity, TupleDesc row_type)
{
	for (int i = ACTIVITY_VISITORS; i < ACTIVITY_COLUMNS; i++)
	{
		const char *column = NameStr(TupleDescAttr(row_type, i)->attname);

		if (activity->nulls[i])
			continue;
		if (ACTIVITY_IS_COUNT(i) && DatumGetInt64(activity->fields[i]) < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("column \"%s\" of a stage_activity must not be negative: " INT64_FORMAT,
							column, DatumGetInt64(activity->fields[i]))));
		if (!ACTIVITY_IS_COUNT(i))
		{
			Numeric		number = DatumGetNumeric(activity->fields[i]);

			if (numeric_is_nan(number) || numeric_is_inf(number))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("column \"%s\" of a stage_activity must be a finite number", column)));
		}
	}
}

/*
 * Sets the sum's stage and period, before its number of visitors: what the rows
 * with visitors have in common, or if there are none, what all rows have.  A
 * visitor who is in rows of several stages or periods would be counted several
 * times, so then the number of visitors is not known.
 */
static void
merge_place(Activity *sum, const Activity *addend)
{
	bool		sum_has_visitors = sum->nulls[ACTIVITY_VISITORS] || count_of(sum, ACTIVITY_VISITORS) > 0;
	bool		addend_has_visitors = addend->nulls[ACTIVITY_VISITORS] || count_of(addend, ACTIVITY_VISITORS) > 0;
	bool		is_mixed;

	if (sum_has_visitors && !addend_has_visitors)
		return;
	if (addend_has_visitors && !sum_has_visitors)
	{
		for (int i = ACTIVITY_STAGE; i <= ACTIVITY_PERIOD_START; i++)
		{
			sum->fields[i] = addend->fields[i];
			sum->nulls[i] = addend->nulls[i];
		}
	}
	is_mixed = !same_stage(sum, addend) || !same_period(sum, addend);
	if (!same_stage(sum, addend))
		sum->nulls[ACTIVITY_STAGE] = true;
	if (!same_period(sum, addend))
		sum->nulls[ACTIVITY_PERIOD_START] = true;
	if (addend->nulls[ACTIVITY_VISITORS] || (addend_has_visitors && is_mixed))
		sum->nulls[ACTIVITY_VISITORS] = true;
}

static bool
same_stage(const Activity *a, const Activity *b)
{
	TimelineString left;
	TimelineString right;

	if (a->nulls[ACTIVITY_STAGE] || b->nulls[ACTIVITY_STAGE])
		return a->nulls[ACTIVITY_STAGE] == b->nulls[ACTIVITY_STAGE];
	left = timeline_string((struct varlena *) PG_DETOAST_DATUM_PACKED(a->fields[ACTIVITY_STAGE]));
	right = timeline_string((struct varlena *) PG_DETOAST_DATUM_PACKED(b->fields[ACTIVITY_STAGE]));
	return left.length == right.length && memcmp(left.bytes, right.bytes, left.length) == 0;
}

static bool
same_period(const Activity *a, const Activity *b)
{
	if (a->nulls[ACTIVITY_PERIOD_START] || b->nulls[ACTIVITY_PERIOD_START])
		return a->nulls[ACTIVITY_PERIOD_START] == b->nulls[ACTIVITY_PERIOD_START];
	return DatumGetInt64(a->fields[ACTIVITY_PERIOD_START]) == DatumGetInt64(b->fields[ACTIVITY_PERIOD_START]);
}

static int64
count_of(const Activity *activity, int column)
{
	return activity->nulls[column] ? 0 : DatumGetInt64(activity->fields[column]);
}

static void
put_count(MetricsRow *row, int64 count)
{
	row->fields[row->column_count++] = Int64GetDatum(count);
}

static void
put_number(MetricsRow *row, bool is_known, double number)
{
	row->nulls[row->column_count] = !is_known;
	row->fields[row->column_count++] = Float8GetDatum(number);
}

/* NULL if the denominator is 0. */
static void
put_ratio(MetricsRow *row, double numerator, int64 denominator)
{
	put_number(row, denominator != 0, denominator != 0 ? numerator / (double) denominator : 0);
}

/* A decimal as the double closest to it, 0 if it is NULL. */
static double
number_of(const Activity *activity, int column)
{
	double		number;

	if (activity->nulls[column])
		return 0;
	number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, activity->fields[column]));
	if (unlikely(isinf(number)))
		float_overflow_error();
	return number;
}

static TupleDesc
metrics_row_type(FunctionCallInfo fcinfo)
{
	TupleDesc	row_type;
	bool		fits = get_call_result_type(fcinfo, NULL, &row_type) == TYPEFUNC_COMPOSITE &&
		row_type->natts == METRICS_COLUMNS;

	for (int i = 0; fits && i < METRICS_COLUMNS; i++)
		fits = TupleDescAttr(row_type, i)->atttypid == INT8OID || TupleDescAttr(row_type, i)->atttypid == FLOAT8OID;
	if (!fits)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("type stage_metrics does not have the columns that it was made with")));
	return BlessTupleDesc(row_type);
}
