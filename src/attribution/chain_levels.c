/*
 * chain_levels.c
 *		Markov chains of orders 0 to k, tied to each other, with journeys held out.
 *
 * Paths are walked once, at the highest order; each level below is made from the
 * states and transitions of the one above, which are far fewer than steps.
 *
 * Probabilities are those of a hierarchical Dirichlet model (D. MacKay and L. Bauman
 * Peto 1995, "A hierarchical Dirichlet language model", Natural Language Engineering 1):
 * before any journey is seen, what comes after a context is expected as it comes after the
 * context without its oldest touch, with the weight of PRIOR_JOURNEYS.  So
 *
 *		p_k(next | context) = (n_k(context, next) + a p_k-1(next | shorter context)) / (n_k(context) + a)
 *
 * down to no context, before which all channels and both ends are as likely.  Without
 * this, one step that no other journey took would make a loss infinite, at the high
 * orders most of all; with it, an order that has seen little leans on the one below,
 * so orders differ by what they add.
 *
 * A context that was met whenever the shorter one was adds nothing: its probabilities are
 * those of the shorter one.  The same journeys would count twice else, and a higher order
 * seem better for being surer of the same.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "attribution/chain_levels.h"

/* The a of the formula above: a journey that nobody saw. */
#define PRIOR_JOURNEYS 1.0

static void walk_paths(ChainLevels *levels, const SortedPaths *paths, MarkovCounts *counts);
static void fill_level(ChainLevel *level, const MarkovCounts *counts);
static void add_coarser(const MarkovCounts *counts, ChainLevel *level, MarkovCounts *coarse, int order);
static void add_coarsest(const MarkovCounts *counts, ChainLevels *levels);
static void start_counts(MarkovCounts *counts, int order);
static void pass_down_held(ChainLevel *level, ChainLevel *below);
static void estimate_level(const ChainLevels *levels, int order);
static double smoothed(int64 count, int64 out, double prior);

/*
 * The chains of all orders up to max_order, which is from 1 to MARKOV_MAX_ORDER; palloc'd.
 * The paths must live as long.  Nothing is held out yet.
 */
ChainLevels *
chain_levels_create(const SortedPaths *paths, int max_order)
{
	ChainLevels *levels = palloc0(sizeof(ChainLevels));
	MarkovCounts counts;

	levels->max_order = max_order;
	levels->channel_count = paths->channel_count;
	levels->paths = paths->paths;
	levels->path_count = paths->set->path_count;
	/* in canonical order, the path without channels is the first */
	if (levels->path_count > 0 && levels->paths[0]->length == 0)
	{
		levels->paths++;
		levels->path_count--;
	}
	start_counts(&counts, max_order);
	walk_paths(levels, paths, &counts);
	fill_level(&levels->level[max_order], &counts);
	for (int order = max_order - 1; order > 0; order--)
	{
		MarkovCounts coarse;

		start_counts(&coarse, order);
		add_coarser(&counts, &levels->level[order + 1], &coarse, order);
		fill_level(&levels->level[order], &coarse);
		MemoryContextDelete(counts.context);
		counts = coarse;
	}
	add_coarsest(&counts, levels);
	MemoryContextDelete(counts.context);
	return levels;
}

/* How many states the chain of this order has, as markov counts them. */
int64
chain_level_states(const ChainLevel *level, int order)
{
	int64		count = 0;

	for (uint32 i = 0; i < level->state_count; i++)
	{
		const LevelState *state = &level->states[i];

		/* fewer touches are a state only if a path has no more */
		count += state->touches == order || state->ends[OUTCOME_CONVERSION] > 0 || state->ends[OUTCOME_NON_CONVERSION] > 0;
	}
	return count;
}

/* No journey is held out any more. */
void
chain_levels_clear_held(ChainLevels *levels)
{
	for (int order = 0; order <= levels->max_order; order++)
	{
		ChainLevel *level = &levels->level[order];

		for (uint32 i = 0; i < level->state_count; i++)
		{
			LevelState *state = &level->states[i];

			state->out_held = state->ends_held[OUTCOME_CONVERSION] = state->ends_held[OUTCOME_NON_CONVERSION] = 0;
		}
		for (uint32 i = 0; i < level->transition_count; i++)
			level->transitions[i].held = 0;
	}
}

/* Holds out so many journeys of a path, which are no more than it has. */
void
chain_levels_hold(ChainLevels *levels, uint32 path, int64 conversions, int64 non_conversions)
{
	const ChainLevel *level = &levels->level[levels->max_order];
	LevelState *last = &level->states[levels->last_states[path]];

	for (uint64 step = levels->first_step[path]; step < levels->first_step[path + 1]; step++)
		level->transitions[levels->steps[step]].held += conversions + non_conversions;
	last->ends_held[OUTCOME_CONVERSION] += conversions;
	last->ends_held[OUTCOME_NON_CONVERSION] += non_conversions;
}

/* The probabilities of all levels, by the journeys that are not held out. */
void
chain_levels_estimate(ChainLevels *levels)
{
	for (int order = levels->max_order; order > 0; order--)
		pass_down_held(&levels->level[order], &levels->level[order - 1]);
	for (int order = 0; order <= levels->max_order; order++)
	{
		CHECK_FOR_INTERRUPTS();
		estimate_level(levels, order);
	}
}

/* Counts at the highest order, and the steps. */
static void
walk_paths(ChainLevels *levels, const SortedPaths *paths, MarkovCounts *counts)
{
	uint64		next = 0;
	int128		conversions = 0;
	int128		non_conversions = 0;

	levels->first_step = palloc_extended(((Size) levels->path_count + 1) * sizeof(uint64), MCXT_ALLOC_HUGE);
	levels->last_states = palloc_extended(((Size) levels->path_count + 1) * sizeof(uint32), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < levels->path_count; i++)
	{
		levels->first_step[i] = next;
		next += levels->paths[i]->length;
	}
	levels->first_step[levels->path_count] = next;
	levels->steps = palloc_extended((next + 1) * sizeof(uint32), MCXT_ALLOC_HUGE);

	for (uint32 i = 0; i < levels->path_count; i++)
	{
		const PathEntry *path = levels->paths[i];
		uint32	   *steps = levels->steps + levels->first_step[i];
		int64		journeys = path->conversions;
		uint32		state = 0;

		count_add(&journeys, path->non_conversions);
		conversions += path->conversions;
		non_conversions += path->non_conversions;
		for (uint32 j = 0; j < path->length; j++)
		{
			MarkovTransition *transition = markov_transition(counts, state, paths->places[path->channels[j]]);

			count_add(&transition->count, journeys);
			steps[j] = (uint32) (transition - counts->transitions);
			state = transition->to;
		}
		levels->last_states[i] = state;
		count_add(&counts->states[state].conversions, path->conversions);
		count_add(&counts->states[state].non_conversions, path->non_conversions);
		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	levels->conversions = (double) conversions;
	levels->non_conversions = (double) non_conversions;
}

/* A level of what was counted; parents are not known yet. */
static void
fill_level(ChainLevel *level, const MarkovCounts *counts)
{
	level->state_count = counts->state_count;
	level->states = palloc_extended((Size) Max(counts->state_count, 1) * sizeof(LevelState), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	level->transition_count = counts->transition_count;
	level->transitions = palloc_extended((Size) Max(counts->transition_count, 1) * sizeof(LevelTransition),
										 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 i = 0; i < counts->state_count; i++)
	{
		LevelState *state = &level->states[i];

		state->touches = tuple_length(counts->states[i].tuple);
		state->ends[OUTCOME_CONVERSION] = counts->states[i].conversions;
		state->ends[OUTCOME_NON_CONVERSION] = counts->states[i].non_conversions;
		count_add(&state->out, counts->states[i].conversions);
		count_add(&state->out, counts->states[i].non_conversions);
	}
	for (uint32 i = 0; i < counts->transition_count; i++)
	{
		level->transitions[i].from = counts->transitions[i].from;
		level->transitions[i].count = counts->transitions[i].count;
		count_add(&level->states[level->transitions[i].from].out, level->transitions[i].count);
	}
}

/* Counts at an order from the counts of the next higher one, whose level learns its parents. */
static void
add_coarser(const MarkovCounts *counts, ChainLevel *level, MarkovCounts *coarse, int order)
{
	uint64		mask = PG_UINT64_MAX >> (64 - CHANNEL_BITS * order);

	for (uint32 i = 0; i < counts->state_count; i++)
	{
		uint32		parent = markov_state(coarse, counts->states[i].tuple & mask);

		level->states[i].parent = parent;
		count_add(&coarse->states[parent].conversions, counts->states[i].conversions);
		count_add(&coarse->states[parent].non_conversions, counts->states[i].non_conversions);
	}
	for (uint32 i = 0; i < counts->transition_count; i++)
	{
		const MarkovTransition *transition = &counts->transitions[i];
		MarkovTransition *parent = markov_transition(coarse, level->states[transition->from].parent, transition->channel);

		level->transitions[i].parent = (uint32) (parent - coarse->transitions);
		count_add(&parent->count, transition->count);
		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
	}
}

/* The level of no context, where a transition is a channel. */
static void
add_coarsest(const MarkovCounts *counts, ChainLevels *levels)
{
	ChainLevel *level = &levels->level[1];
	ChainLevel *coarsest = &levels->level[0];

	coarsest->state_count = 1;
	coarsest->states = palloc0(sizeof(LevelState));
	coarsest->transition_count = levels->channel_count;
	coarsest->transitions = palloc_extended((Size) Max(levels->channel_count, 1) * sizeof(LevelTransition),
											MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 i = 0; i < level->state_count; i++)
	{
		count_add(&coarsest->states[0].out, level->states[i].out);
		for (int outcome = 0; outcome < OUTCOMES; outcome++)
			count_add(&coarsest->states[0].ends[outcome], level->states[i].ends[outcome]);
	}
	for (uint32 i = 0; i < level->transition_count; i++)
	{
		level->transitions[i].parent = counts->transitions[i].channel;
		count_add(&coarsest->transitions[level->transitions[i].parent].count, level->transitions[i].count);
	}
}

/* No counts yet, in a context of their own; the start, which has no touches, is state 0. */
static void
start_counts(MarkovCounts *counts, int order)
{
	markov_init(counts, AllocSetContextCreate(CurrentMemoryContext, "chain level", ALLOCSET_DEFAULT_SIZES));
	markov_set_order(counts, order);
	(void) markov_state(counts, 0);
}

/* What a level holds out, the level below holds out too. */
static void
pass_down_held(ChainLevel *level, ChainLevel *below)
{
	for (uint32 i = 0; i < level->transition_count; i++)
		below->transitions[level->transitions[i].parent].held += level->transitions[i].held;
	for (uint32 i = 0; i < level->state_count; i++)
	{
		LevelState *parent = &below->states[level->states[i].parent];

		for (int outcome = 0; outcome < OUTCOMES; outcome++)
			parent->ends_held[outcome] += level->states[i].ends_held[outcome];
	}
}

/* The probabilities of one level; those of the level below are known. */
static void
estimate_level(const ChainLevels *levels, int order)
{
	const ChainLevel *level = &levels->level[order];
	const ChainLevel *below = order > 0 ? &levels->level[order - 1] : NULL;
	double		uniform = 1.0 / ((double) levels->channel_count + OUTCOMES);

	for (uint32 i = 0; i < level->state_count; i++)
		level->states[i].out_held = level->states[i].ends_held[OUTCOME_CONVERSION] + level->states[i].ends_held[OUTCOME_NON_CONVERSION];
	for (uint32 i = 0; i < level->transition_count; i++)
		level->states[level->transitions[i].from].out_held += level->transitions[i].held;

	for (uint32 i = 0; i < level->state_count; i++)
	{
		LevelState *state = &level->states[i];
		const LevelState *parent = below != NULL ? &below->states[state->parent] : NULL;

		state->adds_nothing = parent != NULL && state->out - state->out_held == parent->out - parent->out_held;
		for (int outcome = 0; outcome < OUTCOMES; outcome++)
		{
			double		prior = parent != NULL ? parent->end_probabilities[outcome] : uniform;

			state->end_probabilities[outcome] = state->adds_nothing ? prior :
				smoothed(state->ends[outcome] - state->ends_held[outcome], state->out - state->out_held, prior);
		}
	}
	for (uint32 i = 0; i < level->transition_count; i++)
	{
		LevelTransition *transition = &level->transitions[i];
		const LevelState *from = &level->states[transition->from];
		double		prior = below != NULL ? below->transitions[transition->parent].probability : uniform;

		transition->probability = from->adds_nothing ? prior :
			smoothed(transition->count - transition->held, from->out - from->out_held, prior);
		transition->loss = -log(transition->probability);
	}
}

static double
smoothed(int64 count, int64 out, double prior)
{
	return ((double) count + PRIOR_JOURNEYS * prior) / ((double) out + PRIOR_JOURNEYS);
}
