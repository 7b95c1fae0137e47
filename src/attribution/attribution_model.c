/*
 * attribution_model.c
 *		An attribution model by its name, and the credit that it gives.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"

#include "attribution/attribution_model.h"
#include "base/text_array.h"

#define DEFAULT_PERMUTATIONS 1000

/* Losses of value with both signs may cancel out: nobody can say who earned what is left, this part of them or less. */
#define CANCELLED 1e-12

static ChannelCredit *credit_by_rule(const AttributionModel *model, const SortedPaths *paths);
static bool *skipped_channels(ArrayType *skip, const ChannelNames *channels);
static void check_times(const SortedPaths *paths);

/*
 * The model of this name, with the options at their defaults.  A name that is none is
 * an error (ERRCODE_INVALID_PARAMETER_VALUE).
 */
void
attribution_model_init(AttributionModel *model, const text *name)
{
	memset(model, 0, sizeof(AttributionModel));
	model->name = text_to_cstring(name);
	model->chain_order = 1;
	model->max_states = DEFAULT_MAX_STATES;
	model->permutations = DEFAULT_PERMUTATIONS;
	model->seed = DEFAULT_SEED;
	if (credit_rule_of_name(VARDATA_ANY(name), (int) VARSIZE_ANY_EXHDR(name), &model->rule))
		model->kind = MODEL_RULE;
	else if (strcmp(model->name, "markov") == 0)
		model->kind = MODEL_MARKOV;
	/* by position, the parts of a channel add up to the same: see shapley_positions */
	else if (strcmp(model->name, "shapley") == 0 || strcmp(model->name, "shapley_ordered") == 0)
		model->kind = MODEL_SHAPLEY;
	else if (strcmp(model->name, "shapley_markov") == 0)
		model->kind = MODEL_SHAPLEY_MARKOV;
	else if (strcmp(model->name, "shapley_observed") == 0)
		model->kind = MODEL_SHAPLEY_OBSERVED;
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"model\" cannot be \"%s\"", model->name),
				 errhint("Valid models are first_touch, last_touch, last_non_direct, linear, position_based, u_shaped, j_shaped, inverse_j_shaped, time_decay, participation, markov, shapley, shapley_ordered, shapley_markov and shapley_observed.")));
}

/*
 * What the model credits each channel with, by its place; palloc'd.  Options that are
 * out of range, and paths that the model cannot work with, are errors.
 */
ChannelCredit *
attribution_model_credit(const AttributionModel *model, const SortedPaths *paths)
{
	if (model->permutations < 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"permutations\" must be at least 2, not %d", model->permutations)));
	if (model->kind == MODEL_MARKOV || model->kind == MODEL_SHAPLEY_MARKOV)
	{
		MarkovCounts counts;
		const Chain *chain;

		markov_init(&counts, CurrentMemoryContext);
		markov_add_paths(&counts, paths->set, model->chain_order);
		chain = chain_of_counts(&counts, model->max_states);
		return model->kind == MODEL_MARKOV ? markov_credit(chain) :
			markov_shapley_credit(chain, model->permutations, model->seed);
	}
	if (model->kind == MODEL_SHAPLEY)
		return shapley_credit(paths);
	if (model->kind == MODEL_SHAPLEY_OBSERVED)
		return observed_shapley_credit(paths);
	return credit_by_rule(model, paths);
}

/*
 * Credit by removal effects, in conversions and value that add up to all of the chain's.
 * Without conversions effects are NaN.
 */
ChannelCredit *
markov_credit(const Chain *chain)
{
	ChannelCredit *credit = palloc0(Max(chain->channel_count, 1) * sizeof(ChannelCredit));
	ChannelLoss *losses = chain_losses(chain);
	double		lost_conversions = 0;
	double		lost_value = 0;
	double		all_lost_value = 0;

	for (uint32 i = 0; i < chain->channel_count; i++)
	{
		lost_conversions += losses[i].conversions;
		lost_value += losses[i].value;
		all_lost_value += fabs(losses[i].value);
	}
	for (uint32 i = 0; i < chain->channel_count; i++)
	{
		credit[i].std_error = NAN;
		credit[i].effect = chain->total_conversions > 0 ? losses[i].conversions / chain->total_conversions : NAN;
		credit[i].value_effect = chain->total_value != 0 ? losses[i].value / chain->total_value : NAN;
		/* as the last touch before a conversion loses all of them, something is lost */
		credit[i].conversions = lost_conversions > 0 ? chain->total_conversions * (losses[i].conversions / lost_conversions) : 0;
		credit[i].value = fabs(lost_value) > CANCELLED * all_lost_value ?
			chain->total_value * (losses[i].value / lost_value) : losses[i].value == 0 ? 0 : NAN;
	}
	return credit;
}

/* The shares of credit in these conversions, NaN if there are none; palloc'd. */
double *
attribution_shares(const ChannelCredit *credit, uint32 channel_count, double conversions)
{
	double	   *shares = palloc(Max(channel_count, 1) * sizeof(double));

	for (uint32 i = 0; i < channel_count; i++)
		shares[i] = conversions > 0 ? credit[i].conversions / conversions : NAN;
	return shares;
}

/*
 * The chain of these counts; one of more than max_states states is an error
 * (ERRCODE_PROGRAM_LIMIT_EXCEEDED).
 */
const Chain *
chain_of_counts(const MarkovCounts *counts, int max_states)
{
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

/* Says so if the conversions of channels are none; what depends on them is NaN then, and NULL in SQL. */
void
notice_no_conversions(uint32 channel_count, double conversions)
{
	if (channel_count > 0 && conversions == 0)
		ereport(NOTICE,
				(errmsg("no conversions: removal effects are NULL")));
}

static ChannelCredit *
credit_by_rule(const AttributionModel *model, const SortedPaths *paths)
{
	CreditRule	rule = model->rule;

	if (model->weights != NULL && rule.takes_weights)
		credit_rule_set_weights(&rule, model->weights);
	if (rule.model == CREDIT_TIME_DECAY)
	{
		check_times(paths);
		return time_decay_credit(paths);
	}
	if (credit_needs_times(rule.model))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model \"%s\" cannot be used with conversion_paths, which do not keep milestones", model->name),
				 errhint("Use attribution_weights with the rows of journeys().")));
	return rule_credit(paths, &rule, rule.model == CREDIT_LAST_NON_DIRECT ?
					   skipped_channels(model->skip, &paths->set->channels) : NULL);
}

/* By channel number, whether last_non_direct passes over it; NULL for the array: (direct). */
static bool *
skipped_channels(ArrayType *skip, const ChannelNames *channels)
{
	bool	   *is_skipped = palloc0(Max(channels->count, 1) * sizeof(bool));

	for (uint32 i = 0; i < channels->count; i++)
	{
		const TimelineString *name = &channels->names[i];

		CHECK_FOR_INTERRUPTS();
		if (skip == NULL)
			is_skipped[i] = name->length == sizeof(CHANNEL_DIRECT) - 1 &&
				memcmp(name->bytes, CHANNEL_DIRECT, name->length) == 0;
		else
		{
			TextArrayWalk walk;

			text_array_start(&walk, skip, "skip");
			while (text_array_next(&walk) && !is_skipped[i])
				is_skipped[i] = walk.size == name->length && memcmp(walk.bytes, name->bytes, walk.size) == 0;
		}
	}
	return is_skipped;
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
