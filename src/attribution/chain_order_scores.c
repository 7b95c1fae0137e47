/*
 * chain_order_scores.c
 *		How well Markov chains of different orders foretell journeys: cross-validation.
 *
 * Journeys are dealt to folds, each by a draw of its own; each fold is foretold by chains
 * counted from the others.  Spreading the journeys of a distinct path evenly would not do:
 * all folds would then be alike, each foretold by its own likeness, and the highest order
 * seem best.  How many journeys of a path and end a fold gets is a binomial number of
 * those left, from a generator that starts from a hash of the channels' names, the seed,
 * the end and the fold, so nothing depends on the order of rows.
 *
 * The chains are levels of one tree (chain_levels.h): the context of a step at order k is
 * the last k touches, that at order k-1 the last k-1, and so on down to no context
 * at all.  What a fold counted is taken from the totals at each level, which gives the
 * probabilities of all orders at once.
 *
 * Log-loss: -ln of the probability of a journey, its touches and its end, as the chain has
 * it.  Its standard error is that over journeys; folds are too few to tell.
 *
 * AUC: of all pairs of a conversion and a non-conversion held out together, the part in
 * which the conversion's last state is the likelier one to convert, of journeys that end
 * there; ties count half.  Only pairs of one fold are compared, as probabilities from
 * different chains are not alike (Forman and Scholz 2010, "Apples-to-apples in
 * cross-validation studies").
 *
 * Penalised AUC: 1 - (1 - AUC) (n - 1) / (n - p - 1), as choose_order of the R package
 * ChannelAttribution has it, in the manner of adjusted R squared.  n are the journeys.
 * p there is the number of possible sets of channels in a state, C(channels + k - 1, k);
 * here it is the number of states that the chain has.  And the AUC there is of the very
 * journeys that were counted, which needs the penalty more than ours does.
 *
 * Per call: the tree, the steps of all paths as numbers of its transitions, and of each
 * path how many journeys are in the fold at hand and in those to come.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "attribution/chain_levels.h"
#include "attribution/path_key.h"
#include "base/random_draw.h"
#include "base/set_call.h"

PG_FUNCTION_INFO_V1(chain_order_scores);

#define DEFAULT_MAX_ORDER 4
#define DEFAULT_FOLDS 5
#define MAX_FOLDS 1000

/* Probabilities that are no further apart are the same but for rounding. */
#define TIED_WITHIN 1e-13

#define COLUMNS 7

/* Of a chain's order. */
typedef struct OrderScore
{
	bool		has_loss;
	double		first_loss;		/* of one journey */
	double		excess;			/* sums over journeys: of the loss beyond that */
	double		square_excess;	/* and of its square */
	double		concordant;		/* pairs, a tie as half of one */
	double		pairs;
	int64		states;
} OrderScore;

typedef struct ScoreRows
{
	int			count;
	int			next;
	int			best;
	double		journeys;
	OrderScore	scores[MARKOV_MAX_ORDER];
} ScoreRows;

/* Journeys that end with the same probability of conversion. */
typedef struct Prediction
{
	double		probability;
	int64		conversions;
	int64		non_conversions;
} Prediction;

/* Journeys of a path, by outcome. */
typedef struct DealtJourneys
{
	int64		held[OUTCOMES]; /* in the fold at hand */
	int64		left[OUTCOMES]; /* for folds to come */
} DealtJourneys;

/* What is to be validated. */
typedef struct Validation
{
	ChainLevels *levels;
	int			folds;
	uint64	   *keys;			/* by path of the levels */
	DealtJourneys *dealt;		/* likewise */
	Prediction *predictions;	/* room */
} Validation;

static ScoreRows *rows_of_arguments(FunctionCallInfo fcinfo);
static int	checked_argument(FunctionCallInfo fcinfo, int number, const char *argument, int lowest, int highest, int standard);
static void start_dealing(Validation *validation);
static void score_fold(const Validation *validation, int fold, OrderScore *scores);
static void deal_journeys(const Validation *validation, uint32 path, int fold);
static bool holds_none(const DealtJourneys *dealt);
static void score_losses(const Validation *validation, OrderScore *scores);
static void add_loss(OrderScore *score, double journeys, double loss);
static double mean_loss(const OrderScore *score, double journeys);
static void score_pairs(const Validation *validation, const ChainLevel *level, OrderScore *score);
static int	compare_predictions(const void *a, const void *b);
static Datum next_row(ScoreRows *rows, const SetCall *call);

/* (conversion_paths, max_order, folds, seed) */
Datum
chain_order_scores(PG_FUNCTION_ARGS)
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
		call->state = rows_of_arguments(fcinfo);
		MemoryContextSwitchTo(caller);
	}
	row = next_row(call->state, call);
	if (row != (Datum) 0)
		SET_CALL_RETURN_NEXT(fcinfo, row);
	SET_CALL_RETURN_DONE(fcinfo, call);
}

static ScoreRows *
rows_of_arguments(FunctionCallInfo fcinfo)
{
	ScoreRows  *rows = palloc0(sizeof(ScoreRows));
	int			max_order = checked_argument(fcinfo, 1, "max_order", 1, MARKOV_MAX_ORDER, DEFAULT_MAX_ORDER);
	Validation	validation = {
		.folds = checked_argument(fcinfo, 2, "folds", 2, MAX_FOLDS, DEFAULT_FOLDS)
	};
	uint64		seed = PG_ARGISNULL(3) ? DEFAULT_SEED : (uint64) PG_GETARG_INT64(3);
	const SortedPaths *paths = sorted_paths_create(PG_GETARG_PATH_SET(0));
	uint32		most_states = 0;

	validation.levels = chain_levels_create(paths, max_order);
	validation.keys = path_keys(paths, seed) + (validation.levels->paths - paths->paths);
	if (validation.levels->conversions + validation.levels->non_conversions == 0)
		return rows;
	if (validation.levels->conversions == 0 || validation.levels->non_conversions == 0)
		ereport(NOTICE,
				(errmsg("no %sconversions: AUC is NULL", validation.levels->conversions == 0 ? "" : "non_")));

	for (int order = 1; order <= max_order; order++)
	{
		most_states = Max(most_states, validation.levels->level[order].state_count);
		rows->scores[order - 1].states = chain_level_states(&validation.levels->level[order], order);
	}
	validation.predictions = palloc_extended((Size) most_states * sizeof(Prediction), MCXT_ALLOC_HUGE);
	start_dealing(&validation);
	for (int fold = 0; fold < validation.folds; fold++)
		score_fold(&validation, fold, rows->scores);

	rows->count = max_order;
	rows->journeys = validation.levels->conversions + validation.levels->non_conversions;
	for (int i = 1; i < rows->count; i++)
	{
		if (mean_loss(&rows->scores[i], rows->journeys) < mean_loss(&rows->scores[rows->best], rows->journeys))
			rows->best = i;
	}
	return rows;
}

/* An integer argument in its range; NULL: the standard value. */
static int
checked_argument(FunctionCallInfo fcinfo, int number, const char *argument, int lowest, int highest, int standard)
{
	int			given = PG_ARGISNULL(number) ? standard : PG_GETARG_INT32(number);

	if (given < lowest || given > highest)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be from %d to %d, not %d", argument, lowest, highest, given)));
	return given;
}

/* All journeys are left to deal. */
static void
start_dealing(Validation *validation)
{
	const ChainLevels *levels = validation->levels;

	validation->dealt = palloc_extended((Size) levels->path_count * sizeof(DealtJourneys), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 i = 0; i < levels->path_count; i++)
	{
		validation->dealt[i].left[OUTCOME_CONVERSION] = levels->paths[i]->conversions;
		validation->dealt[i].left[OUTCOME_NON_CONVERSION] = levels->paths[i]->non_conversions;
	}
}

/* Adds the scores of a fold; folds come one after the other from 0. */
static void
score_fold(const Validation *validation, int fold, OrderScore *scores)
{
	ChainLevels *levels = validation->levels;
	bool		is_empty = true;

	chain_levels_clear_held(levels);
	for (uint32 i = 0; i < levels->path_count; i++)
	{
		const DealtJourneys *dealt = &validation->dealt[i];

		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		deal_journeys(validation, i, fold);
		if (holds_none(dealt))
			continue;
		chain_levels_hold(levels, i, dealt->held[OUTCOME_CONVERSION], dealt->held[OUTCOME_NON_CONVERSION]);
		is_empty = false;
	}
	if (is_empty)
		return;
	chain_levels_estimate(levels);
	score_losses(validation, scores);
	for (int order = 1; order <= levels->max_order; order++)
		score_pairs(validation, &levels->level[order], &scores[order - 1]);
}

/*
 * Draws how many of a path's journeys are in this fold: of those left, each is in it with
 * the same chance as in any fold to come, and so in any fold with a chance of 1 in folds.
 */
static void
deal_journeys(const Validation *validation, uint32 path, int fold)
{
	DealtJourneys *dealt = &validation->dealt[path];
	int			folds_left = validation->folds - fold;

	for (int outcome = 0; outcome < OUTCOMES; outcome++)
	{
		pg_prng_state random;

		dealt->held[outcome] = dealt->left[outcome];
		if (folds_left > 1 && dealt->left[outcome] > 0)
		{
			pg_prng_seed(&random, key_with(key_with(validation->keys[path], (uint64) outcome), (uint64) fold));
			dealt->held[outcome] = draw_binomial(&random, dealt->left[outcome], 1.0 / folds_left);
		}
		dealt->left[outcome] -= dealt->held[outcome];
	}
}

static bool
holds_none(const DealtJourneys *dealt)
{
	return dealt->held[OUTCOME_CONVERSION] == 0 && dealt->held[OUTCOME_NON_CONVERSION] == 0;
}

/* Adds the losses of the journeys in a fold, in the order of the paths. */
static void
score_losses(const Validation *validation, OrderScore *scores)
{
	const ChainLevels *levels = validation->levels;

	for (uint32 i = 0; i < levels->path_count; i++)
	{
		const DealtJourneys *dealt = &validation->dealt[i];
		double		touches[MARKOV_MAX_ORDER + 1] = {0};
		uint32		state;

		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		if (holds_none(dealt))
			continue;
		for (uint64 step = levels->first_step[i]; step < levels->first_step[i + 1]; step++)
		{
			uint32		transition = levels->steps[step];

			for (int order = levels->max_order; order > 0; order--)
			{
				const LevelTransition *here = &levels->level[order].transitions[transition];

				touches[order] += here->loss;
				transition = here->parent;
			}
		}
		state = levels->last_states[i];
		for (int order = levels->max_order; order > 0; order--)
		{
			const LevelState *here = &levels->level[order].states[state];

			for (int outcome = 0; outcome < OUTCOMES; outcome++)
			{
				if (dealt->held[outcome] > 0)
					add_loss(&scores[order - 1], (double) dealt->held[outcome], touches[order] - log(here->end_probabilities[outcome]));
			}
			state = here->parent;
		}
	}
}

/* Journeys with this loss each.  Losses are taken from the first one, or their variance would be lost in the last digits. */
static void
add_loss(OrderScore *score, double journeys, double loss)
{
	if (!score->has_loss)
	{
		score->has_loss = true;
		score->first_loss = loss;
	}
	loss -= score->first_loss;
	score->excess += journeys * loss;
	score->square_excess += journeys * loss * loss;
}

static double
mean_loss(const OrderScore *score, double journeys)
{
	return score->first_loss + score->excess / journeys;
}

/* Adds the pairs of journeys in a fold. */
static void
score_pairs(const Validation *validation, const ChainLevel *level, OrderScore *score)
{
	Prediction *predictions = validation->predictions;
	uint32		count = 0;
	double		lower = 0;		/* non-conversions of lower probability */
	double		non_conversions = 0;
	double		conversions = 0;

	for (uint32 i = 0; i < level->state_count; i++)
	{
		const LevelState *state = &level->states[i];

		if (state->ends_held[OUTCOME_CONVERSION] == 0 && state->ends_held[OUTCOME_NON_CONVERSION] == 0)
			continue;
		predictions[count].probability = state->end_probabilities[OUTCOME_CONVERSION] /
			(state->end_probabilities[OUTCOME_CONVERSION] + state->end_probabilities[OUTCOME_NON_CONVERSION]);
		predictions[count].conversions = state->ends_held[OUTCOME_CONVERSION];
		predictions[count++].non_conversions = state->ends_held[OUTCOME_NON_CONVERSION];
	}
	qsort(predictions, count, sizeof(Prediction), compare_predictions);
	for (uint32 i = 0; i < count;)
	{
		int64		tied_conversions = 0;
		int64		tied_non_conversions = 0;
		uint32		first = i;

		/* as whole numbers, so that the order of ties makes no difference */
		do
		{
			tied_conversions += predictions[i].conversions;
			tied_non_conversions += predictions[i].non_conversions;
		} while (++i < count && predictions[i].probability - predictions[first].probability <= TIED_WITHIN);
		score->concordant += (double) tied_conversions * (lower + (double) tied_non_conversions / 2);
		lower += (double) tied_non_conversions;
		conversions += (double) tied_conversions;
		non_conversions += (double) tied_non_conversions;
	}
	score->pairs += conversions * non_conversions;
}

static int
compare_predictions(const void *a, const void *b)
{
	double		left = ((const Prediction *) a)->probability;
	double		right = ((const Prediction *) b)->probability;

	return (left > right) - (left < right);
}

/* The next row, or 0. */
static Datum
next_row(ScoreRows *rows, const SetCall *call)
{
	const OrderScore *score = &rows->scores[rows->next];
	double		n = rows->journeys;
	double		excess;
	double		auc;
	Datum		fields[COLUMNS] = {0};
	bool		nulls[COLUMNS] = {0};

	if (rows->next == rows->count)
		return (Datum) 0;
	excess = score->excess / n;
	auc = score->concordant / score->pairs;
	fields[0] = Int32GetDatum(rows->next + 1);
	fields[1] = Float8GetDatum(mean_loss(score, n));
	nulls[2] = n < 2;
	fields[2] = Float8GetDatum(sqrt(Max(score->square_excess / n - excess * excess, 0) / (n - 1)));
	nulls[3] = score->pairs == 0;
	fields[3] = Float8GetDatum(auc);
	nulls[4] = nulls[3] || n <= (double) score->states + 1;
	fields[4] = Float8GetDatum(1 - (1 - auc) * (n - 1) / (n - (double) score->states - 1));
	fields[5] = Int64GetDatum(score->states);
	fields[6] = BoolGetDatum(rows->next == rows->best);
	rows->next++;
	return HeapTupleGetDatum(heap_form_tuple(call->row_type, fields, nulls));
}
