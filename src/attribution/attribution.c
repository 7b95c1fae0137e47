/*
 * attribution.c
 *		What each channel is credited with, by every model: the function attribution
 *		over a markov and over conversion_paths.
 *
 * Per call: the rows, formed at the first of them, in the memory of the set.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "attribution/attribution_model.h"
#include "attribution/path_figures.h"
#include "base/set_call.h"

PG_FUNCTION_INFO_V1(attribution_markov);
PG_FUNCTION_INFO_V1(attribution_paths);

/* At most, of a row. */
#define MAX_COLUMNS 11

/* Totals by which credit becomes shares. */
typedef struct Totals
{
	double		conversions;
	double		value;
	double		unattributed_conversions;
	double		unattributed_value;
} Totals;

typedef struct AttributionRows
{
	uint32		channel_count;
	uint32		next;
	Datum	   *names;			/* by place */
	ChannelCredit *credit;
	double	   *shares;
	PathFigures *figures;		/* by place; NULL: of a markov */
	Totals		totals;
} AttributionRows;

static AttributionRows *rows_of_markov(FunctionCallInfo fcinfo);
static AttributionRows *rows_of_paths(FunctionCallInfo fcinfo);
static void model_of_arguments(FunctionCallInfo fcinfo, AttributionModel *model);
static Datum next_row(AttributionRows *rows, const SetCall *call);
static void form_credit(const AttributionRows *rows, uint32 place, Datum *fields, bool *nulls);
static void form_effects(const AttributionRows *rows, uint32 place, Datum *fields, bool *nulls);
static void form_figures(const AttributionRows *rows, uint32 place, Datum *fields, bool *nulls);
static void form_number(double number, Datum *field, bool *null);

/* (markov, max_states) */
Datum
attribution_markov(PG_FUNCTION_ARGS)
{
	SetCall    *call = set_call_begin(fcinfo);
	Datum		row;

	if (!call->is_running)
	{
		MemoryContext caller;

		if (PG_ARGISNULL(0))
			SET_CALL_RETURN_DONE(fcinfo, call);
		set_call_start(fcinfo, call);
		caller = MemoryContextSwitchTo(call->context);
		call->state = rows_of_markov(fcinfo);
		MemoryContextSwitchTo(caller);
	}
	row = next_row(call->state, call);
	if (row != (Datum) 0)
		SET_CALL_RETURN_NEXT(fcinfo, row);
	SET_CALL_RETURN_DONE(fcinfo, call);
}

/* (conversion_paths, model, chain_order, skip, weights, permutations, seed, max_states) */
Datum
attribution_paths(PG_FUNCTION_ARGS)
{
	SetCall    *call = set_call_begin(fcinfo);
	Datum		row;

	if (!call->is_running)
	{
		MemoryContext caller;

		if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
			SET_CALL_RETURN_DONE(fcinfo, call);
		set_call_start(fcinfo, call);
		caller = MemoryContextSwitchTo(call->context);
		call->state = rows_of_paths(fcinfo);
		MemoryContextSwitchTo(caller);
	}
	row = next_row(call->state, call);
	if (row != (Datum) 0)
		SET_CALL_RETURN_NEXT(fcinfo, row);
	SET_CALL_RETURN_DONE(fcinfo, call);
}

static AttributionRows *
rows_of_markov(FunctionCallInfo fcinfo)
{
	AttributionRows *rows = palloc0(sizeof(AttributionRows));
	const Chain *chain = chain_of_counts(PG_GETARG_MARKOV(0),
										 PG_ARGISNULL(1) ? DEFAULT_MAX_STATES : PG_GETARG_INT32(1));

	rows->channel_count = chain->channel_count;
	rows->names = palloc(Max(chain->channel_count, 1) * sizeof(Datum));
	for (uint32 i = 0; i < chain->channel_count; i++)
		rows->names[i] = PointerGetDatum(cstring_to_text_with_len(chain->channels[i]->bytes,
																  (int) chain->channels[i]->length));
	rows->credit = markov_credit(chain);
	notice_no_conversions(chain->channel_count, chain->total_conversions);
	rows->totals.conversions = chain->total_conversions;
	rows->totals.value = chain->total_value;
	rows->totals.unattributed_conversions = chain->unattributed_conversions;
	rows->totals.unattributed_value = chain->unattributed_value;
	rows->shares = attribution_shares(rows->credit, rows->channel_count, rows->totals.conversions);
	return rows;
}

static AttributionRows *
rows_of_paths(FunctionCallInfo fcinfo)
{
	AttributionRows *rows = palloc0(sizeof(AttributionRows));
	const SortedPaths *paths = sorted_paths_create(PG_GETARG_PATH_SET(0));
	AttributionModel model;

	rows->channel_count = paths->channel_count;
	rows->names = channel_texts(&paths->set->channels, paths->order);
	model_of_arguments(fcinfo, &model);
	rows->credit = attribution_model_credit(&model, paths);
	if (model.kind == MODEL_MARKOV)
		notice_no_conversions(paths->channel_count, paths->conversions);
	rows->figures = path_figures(paths);
	rows->totals.conversions = paths->conversions;
	rows->totals.value = paths->value;
	rows->totals.unattributed_conversions = paths->unattributed_conversions;
	rows->totals.unattributed_value = paths->unattributed_value;
	rows->shares = attribution_shares(rows->credit, rows->channel_count, rows->totals.conversions);
	return rows;
}

/* (conversion_paths, model, chain_order, skip, weights, permutations, seed, max_states) */
static void
model_of_arguments(FunctionCallInfo fcinfo, AttributionModel *model)
{
	attribution_model_init(model, PG_GETARG_TEXT_PP(1));
	if (!PG_ARGISNULL(2))
		model->chain_order = PG_GETARG_INT32(2);
	if (!PG_ARGISNULL(3))
		model->skip = PG_GETARG_ARRAYTYPE_P(3);
	if (!PG_ARGISNULL(4))
		model->weights = PG_GETARG_ARRAYTYPE_P(4);
	if (!PG_ARGISNULL(5))
		model->permutations = PG_GETARG_INT32(5);
	if (!PG_ARGISNULL(6))
		model->seed = (uint64) PG_GETARG_INT64(6);
	if (!PG_ARGISNULL(7))
		model->max_states = PG_GETARG_INT32(7);
}

/* The next channel's row, then that of conversions without touches if there are any; 0: none is left. */
static Datum
next_row(AttributionRows *rows, const SetCall *call)
{
	uint32		place = rows->next++;
	Datum		fields[MAX_COLUMNS] = {0};
	bool		nulls[MAX_COLUMNS];

	memset(nulls, true, sizeof(nulls));
	nulls[0] = false;
	if (place < rows->channel_count)
		fields[0] = rows->names[place];
	else if (place == rows->channel_count && rows->totals.unattributed_conversions > 0)
		fields[0] = CStringGetTextDatum(CHANNEL_UNATTRIBUTED);
	else
		return (Datum) 0;
	if (rows->figures == NULL)
		form_effects(rows, place, fields, nulls);
	else
	{
		form_credit(rows, place, fields, nulls);
		form_figures(rows, place, fields, nulls);
	}
	return HeapTupleGetDatum(heap_form_tuple(call->row_type, fields, nulls));
}

/* removal_effect, value_removal_effect, share, conversions, value */
static void
form_effects(const AttributionRows *rows, uint32 place, Datum *fields, bool *nulls)
{
	bool		is_channel = place < rows->channel_count;

	if (is_channel)
	{
		form_number(rows->credit[place].effect, &fields[1], &nulls[1]);
		form_number(rows->credit[place].value_effect, &fields[2], &nulls[2]);
		form_number(rows->shares[place], &fields[3], &nulls[3]);
	}
	form_number(is_channel ? rows->credit[place].conversions : rows->totals.unattributed_conversions, &fields[4], &nulls[4]);
	form_number(is_channel ? rows->credit[place].value : rows->totals.unattributed_value, &fields[5], &nulls[5]);
}

/* share, conversions, value, effect, std_error */
static void
form_credit(const AttributionRows *rows, uint32 place, Datum *fields, bool *nulls)
{
	bool		is_channel = place < rows->channel_count;

	form_number(is_channel ? rows->credit[place].conversions : rows->totals.unattributed_conversions, &fields[2], &nulls[2]);
	form_number(is_channel ? rows->credit[place].value : rows->totals.unattributed_value, &fields[3], &nulls[3]);
	if (is_channel)
	{
		form_number(rows->shares[place], &fields[1], &nulls[1]);
		form_number(rows->credit[place].effect, &fields[4], &nulls[4]);
		form_number(rows->credit[place].std_error, &fields[5], &nulls[5]);
	}
}

/* assisted_conversions, last_touch_conversions, assist_ratio, mean_path_length, mean_days_to_conversion */
static void
form_figures(const AttributionRows *rows, uint32 place, Datum *fields, bool *nulls)
{
	const PathFigures *figures = &rows->figures[place];

	if (place >= rows->channel_count)
		return;
	form_number(figures->assisted_conversions, &fields[6], &nulls[6]);
	form_number(figures->last_touch_conversions, &fields[7], &nulls[7]);
	if (figures->last_touch_conversions > 0)
		form_number(figures->assisted_conversions / figures->last_touch_conversions, &fields[8], &nulls[8]);
	form_number(figures->mean_path_length, &fields[9], &nulls[9]);
	form_number(figures->mean_days, &fields[10], &nulls[10]);
}

static void
form_number(double number, Datum *field, bool *null)
{
	*null = isnan(number);
	*field = *null ? (Datum) 0 : Float8GetDatum(number);
}
