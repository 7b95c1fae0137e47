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
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "attribution/attribution.h"
#include "attribution/path_figures.h"
#include "base/set_call.h"
#include "base/text_array.h"

PG_FUNCTION_INFO_V1(attribution_markov);
PG_FUNCTION_INFO_V1(attribution_paths);

#define DEFAULT_PERMUTATIONS 1000
#define DEFAULT_SEED 1
#define DEFAULT_MAX_STATES 100000

/* At most, of a row. */
#define MAX_COLUMNS 11

typedef enum AttributionModel
{
	MODEL_RULE,					/* one of touch_credit.h */
	MODEL_MARKOV,
	MODEL_SHAPLEY,
	MODEL_SHAPLEY_MARKOV,
	MODEL_SHAPLEY_OBSERVED
} AttributionModel;

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
static ChannelCredit *credit_of_paths(FunctionCallInfo fcinfo, const SortedPaths *paths);
static AttributionModel model_argument(FunctionCallInfo fcinfo, int number, CreditRule *rule);
static bool *skipped_channels(FunctionCallInfo fcinfo, int number, const ChannelNames *channels);
static const Chain *chain_of_counts(FunctionCallInfo fcinfo, const MarkovCounts *counts, int max_states);
static void check_times(const SortedPaths *paths);
static void share_out(AttributionRows *rows);
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

/*
 * Credit by removal effects, in conversions and value that add up to all of the chain's.
 * Without conversions effects are NaN, with a NOTICE.
 */
ChannelCredit *
markov_credit(const Chain *chain)
{
	ChannelCredit *credit = palloc0(Max(chain->channel_count, 1) * sizeof(ChannelCredit));
	ChannelLoss *losses = chain_losses(chain);
	double		lost_conversions = 0;
	double		lost_value = 0;

	for (uint32 i = 0; i < chain->channel_count; i++)
	{
		lost_conversions += losses[i].conversions;
		lost_value += losses[i].value;
	}
	for (uint32 i = 0; i < chain->channel_count; i++)
	{
		credit[i].effect = chain->total_conversions > 0 ? losses[i].conversions / chain->total_conversions : NAN;
		credit[i].value_effect = chain->total_value != 0 ? losses[i].value / chain->total_value : NAN;
		/* as the last touch before a conversion loses all of them, something is lost */
		credit[i].conversions = lost_conversions > 0 ? chain->total_conversions * (losses[i].conversions / lost_conversions) : 0;
		credit[i].value = lost_value != 0 ? chain->total_value * (losses[i].value / lost_value) :
			chain->total_value == 0 ? 0 : NAN;
	}
	if (chain->total_conversions == 0)
		ereport(NOTICE,
				(errmsg("no conversions: removal effects are NULL")));
	return credit;
}

static AttributionRows *
rows_of_markov(FunctionCallInfo fcinfo)
{
	AttributionRows *rows = palloc0(sizeof(AttributionRows));
	const Chain *chain = chain_of_counts(fcinfo, PG_GETARG_MARKOV(0), 1);

	rows->channel_count = chain->channel_count;
	rows->names = palloc(Max(chain->channel_count, 1) * sizeof(Datum));
	for (uint32 i = 0; i < chain->channel_count; i++)
		rows->names[i] = PointerGetDatum(cstring_to_text_with_len(chain->channels[i]->bytes,
																  (int) chain->channels[i]->length));
	rows->credit = markov_credit(chain);
	rows->totals.conversions = chain->total_conversions;
	rows->totals.value = chain->total_value;
	rows->totals.unattributed_conversions = chain->unattributed_conversions;
	rows->totals.unattributed_value = chain->unattributed_value;
	share_out(rows);
	return rows;
}

static AttributionRows *
rows_of_paths(FunctionCallInfo fcinfo)
{
	AttributionRows *rows = palloc0(sizeof(AttributionRows));
	const SortedPaths *paths = sorted_paths_create(PG_GETARG_PATH_SET(0));

	rows->channel_count = paths->channel_count;
	rows->names = palloc(Max(paths->channel_count, 1) * sizeof(Datum));
	for (uint32 i = 0; i < paths->channel_count; i++)
	{
		const TimelineString *name = &paths->set->channels.names[paths->order[i]];

		rows->names[i] = PointerGetDatum(cstring_to_text_with_len(name->bytes, (int) name->length));
	}
	rows->credit = credit_of_paths(fcinfo, paths);
	rows->figures = path_figures(paths);
	rows->totals.conversions = paths->conversions;
	rows->totals.value = paths->value;
	rows->totals.unattributed_conversions = paths->unattributed_conversions;
	rows->totals.unattributed_value = paths->unattributed_value;
	share_out(rows);
	return rows;
}

/* By the model and options of the SQL arguments. */
static ChannelCredit *
credit_of_paths(FunctionCallInfo fcinfo, const SortedPaths *paths)
{
	CreditRule	rule;
	AttributionModel model = model_argument(fcinfo, 1, &rule);
	int			permutations = PG_ARGISNULL(5) ? DEFAULT_PERMUTATIONS : PG_GETARG_INT32(5);
	uint64		seed = PG_ARGISNULL(6) ? DEFAULT_SEED : (uint64) PG_GETARG_INT64(6);

	if (permutations < 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"permutations\" must be at least 2, not %d", permutations)));
	if (model == MODEL_MARKOV || model == MODEL_SHAPLEY_MARKOV)
	{
		MarkovCounts counts;
		const Chain *chain;

		markov_init(&counts, CurrentMemoryContext);
		markov_add_paths(&counts, paths->set, PG_ARGISNULL(2) ? 1 : PG_GETARG_INT32(2));
		chain = chain_of_counts(fcinfo, &counts, 7);
		return model == MODEL_MARKOV ? markov_credit(chain) : markov_shapley_credit(chain, permutations, seed);
	}
	if (model == MODEL_SHAPLEY)
		return shapley_credit(paths);
	if (model == MODEL_SHAPLEY_OBSERVED)
		return observed_shapley_credit(paths);
	if (!PG_ARGISNULL(4))
		credit_rule_set_weights(&rule, PG_GETARG_ARRAYTYPE_P(4));
	if (rule.model == CREDIT_TIME_DECAY)
	{
		check_times(paths);
		return time_decay_credit(paths);
	}
	if (credit_needs_times(rule.model))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model \"%s\" cannot be used with conversion_paths, which do not keep milestones",
						text_to_cstring(PG_GETARG_TEXT_PP(1))),
				 errhint("Use attribution_weights with the rows of journeys().")));
	return rule_credit(paths, &rule, skipped_channels(fcinfo, 3, &paths->set->channels));
}

static AttributionModel
model_argument(FunctionCallInfo fcinfo, int number, CreditRule *rule)
{
	const text *model = PG_GETARG_TEXT_PP(number);
	char	   *name = text_to_cstring(model);

	if (credit_rule_of_name(VARDATA_ANY(model), (int) VARSIZE_ANY_EXHDR(model), rule))
		return MODEL_RULE;
	if (strcmp(name, "markov") == 0)
		return MODEL_MARKOV;
	/* by position, the parts of a channel add up to the same: see shapley_positions */
	if (strcmp(name, "shapley") == 0 || strcmp(name, "shapley_ordered") == 0)
		return MODEL_SHAPLEY;
	if (strcmp(name, "shapley_markov") == 0)
		return MODEL_SHAPLEY_MARKOV;
	if (strcmp(name, "shapley_observed") == 0)
		return MODEL_SHAPLEY_OBSERVED;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"model\" cannot be \"%s\"", name),
			 errhint("Valid models are first_touch, last_touch, last_non_direct, linear, position_based, u_shaped, j_shaped, inverse_j_shaped, time_decay, participation, markov, shapley, shapley_ordered, shapley_markov and shapley_observed.")));
}

/* By channel number, whether last_non_direct passes over it; NULL for the argument: (direct). */
static bool *
skipped_channels(FunctionCallInfo fcinfo, int number, const ChannelNames *channels)
{
	bool	   *skip = palloc0(Max(channels->count, 1) * sizeof(bool));

	for (uint32 i = 0; i < channels->count; i++)
	{
		const TimelineString *name = &channels->names[i];

		if (PG_ARGISNULL(number))
			skip[i] = name->length == 8 && memcmp(name->bytes, "(direct)", 8) == 0;
		else
		{
			TextArrayWalk walk;

			text_array_start(&walk, PG_GETARG_ARRAYTYPE_P(number), "skip");
			while (text_array_next(&walk) && !skip[i])
				skip[i] = walk.size == name->length && memcmp(walk.bytes, name->bytes, walk.size) == 0;
		}
	}
	return skip;
}

/* A chain of at most as many states as the argument of this number allows. */
static const Chain *
chain_of_counts(FunctionCallInfo fcinfo, const MarkovCounts *counts, int number)
{
	int			max_states = PG_ARGISNULL(number) ? DEFAULT_MAX_STATES : PG_GETARG_INT32(number);

	if (max_states < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"max_states\" must be at least 1, not %d", max_states)));
	if (counts->state_count > (uint32) max_states)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many states of a Markov chain of order %d: %u, where max_states is %d",
						counts->chain_order, counts->state_count, max_states),
				 errhint("Use a lower chain_order, give rare channels one name, or raise max_states and allow for the time it takes.")));
	return chain_create(counts);
}

/* Credit that fades with time needs the times of all touches that led to a conversion. */
static void
check_times(const SortedPaths *paths)
{
	if ((double) paths->set->timed_conversions != paths->conversions)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model \"time_decay\" needs the times of touches, which %.0f of %.0f conversions came without",
						paths->conversions - (double) paths->set->timed_conversions, paths->conversions),
				 errhint("Make the conversion_paths from timelines, or from all columns of journeys().")));
}

/* Shares of credit; and credit of a model that has effects only. */
static void
share_out(AttributionRows *rows)
{
	const Totals *totals = &rows->totals;
	double		effects = 0;
	double		value_effects = 0;

	rows->shares = palloc(Max(rows->channel_count, 1) * sizeof(double));
	for (uint32 i = 0; i < rows->channel_count; i++)
	{
		effects += rows->credit[i].effect;
		value_effects += rows->credit[i].value_effect;
	}
	for (uint32 i = 0; i < rows->channel_count; i++)
	{
		ChannelCredit *credit = &rows->credit[i];

		if (isnan(credit->conversions))
		{
			credit->conversions = effects > 0 ? totals->conversions * (credit->effect / effects) : NAN;
			credit->value = value_effects > 0 ? totals->value * (credit->value_effect / value_effects) : NAN;
		}
		rows->shares[i] = totals->conversions > 0 ? credit->conversions / totals->conversions : NAN;
	}
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
		if (rows->credit[place].std_error > 0)
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
