/*
 * chain.c
 *		What would be lost without a channel: removal effects, exactly.
 *
 * Removing channel c deletes the states A that contain it; paths that would enter
 * them are lost.  What is lost are the conversions whose path meets A, counted here
 * where a path leaves A for the last time:
 *
 *		lost(c) = sum over a in A of  conversions_a + sum over b not in A of n_ab w_b
 *
 * with w_b the share of paths in b that convert without meeting A.  (As many paths
 * leave each state as enter it, so n_ab, counted in the data, is what the chain
 * expects; no second linear system is needed.)  The removal effect is lost(c) divided by all
 * conversions.  With money in place of conversions it is that of value.
 *
 * The system for w always has one solution: each state was met in some path, and
 * each path ends, so from each state there is a way out of the chain.
 *
 * Two ways to w, both without subtractions: elimination (censored_chain.h), halving the
 * channels again and again, so that the states that have none of one half's channels are
 * eliminated once for all of them; and for chains of many states, following the
 * conversions back through the paths (chain_flow.h).
 */
#include "postgres.h"

#include <math.h>


#include "attribution/censored_chain.h"
#include "attribution/chain.h"
#include "attribution/chain_flow.h"

/* Up to here elimination is quick; up to there it is possible. */
#define FEW_STATES 300
#define MOST_STATES_TO_ELIMINATE 3000

static void lose_by_elimination(const Chain *chain, const CensoredChain *censored,
								uint32 lowest, uint32 highest, ChannelLoss *losses);
static CensoredChain *watch_channels(const Chain *chain, const CensoredChain *censored,
									 uint32 lowest, uint32 highest);
static double work_of_elimination(const Chain *chain);

/* The chain of these counts, its parts in canonical order; palloc'd. */
Chain *
chain_create(const MarkovCounts *counts)
{
	Chain	   *chain = palloc0(sizeof(Chain));
	MarkovOrder order = markov_order(counts);
	Size		states = Max(counts->state_count, 1) * sizeof(double);
	ExactSum	value = {0};
	int128		conversions = 0;
	int128		non_conversions = 0;
	uint32		next = 0;
	uint32		end;

	chain->channel_count = counts->channels.count;
	chain->state_count = counts->state_count;
	chain->channels = palloc(Max(chain->channel_count, 1) * sizeof(TimelineString *));
	for (uint32 i = 0; i < chain->channel_count; i++)
		chain->channels[i] = &counts->channels.names[order.channels[i]];
	chain->tuples = order.tuples;
	chain->starts = palloc_extended(states, MCXT_ALLOC_HUGE);
	chain->conversions = palloc_extended(states, MCXT_ALLOC_HUGE);
	chain->non_conversions = palloc_extended(states, MCXT_ALLOC_HUGE);
	chain->values = palloc_extended(states, MCXT_ALLOC_HUGE);
	chain->first = palloc_extended(states + sizeof(uint64), MCXT_ALLOC_HUGE);
	chain->to = palloc_extended(Max(counts->transition_count, 1) * sizeof(uint32), MCXT_ALLOC_HUGE);
	chain->counts = palloc_extended(Max(counts->transition_count, 1) * sizeof(double), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < chain->state_count; i++)
	{
		const MarkovState *state = &counts->states[order.states[i]];

		chain->starts[i] = (double) state->starts;
		chain->conversions[i] = (double) state->conversions;
		chain->non_conversions[i] = (double) state->non_conversions;
		chain->values[i] = exact_sum_value(&state->value);
		conversions += state->conversions;
		non_conversions += state->non_conversions;
		exact_sum_merge(&value, &state->value, CurrentMemoryContext);
		chain->first[i] = next;
		end = markov_transitions_end(counts, &order, next, order.states[i]);
		for (; next < end; next++)
		{
			const MarkovTransition *transition = &counts->transitions[order.transitions[next]];

			chain->to[next] = order.state_places[transition->to];
			chain->counts[next] = (double) transition->count;
		}
	}
	chain->first[chain->state_count] = next;
	chain->total_conversions = (double) conversions;
	chain->total_non_conversions = (double) non_conversions;
	chain->total_value = exact_sum_value(&value);
	chain->unattributed_conversions = (double) counts->unattributed_conversions;
	chain->unattributed_value = exact_sum_value(&counts->unattributed_value);
	return chain;
}

/* What would be lost without each channel; palloc'd. */
ChannelLoss *
chain_losses(const Chain *chain)
{
	ChannelLoss *losses = palloc0(Max(chain->channel_count, 1) * sizeof(ChannelLoss));
	bool		is_done = false;

	if (chain->channel_count == 0)
		return losses;
	if (chain->state_count > FEW_STATES)
		is_done = chain_flow_losses(chain, work_of_elimination(chain), losses);
	if (!is_done)
	{
		CensoredChain *whole = censored_chain_create(chain, false);

		lose_by_elimination(chain, whole, 0, chain->channel_count, losses);
		censored_chain_free(whole);
	}
	/* no more than all can be lost, but the last digit may say so */
	for (uint32 channel = 0; channel < chain->channel_count; channel++)
		losses[channel].conversions = Min(losses[channel].conversions, chain->total_conversions);
	return losses;
}

/* Of the channels from lowest up to, not including, highest: the states that have none of them are eliminated. */
static void
lose_by_elimination(const Chain *chain, const CensoredChain *censored,
					uint32 lowest, uint32 highest, ChannelLoss *losses)
{
	uint32		bounds[3] = {lowest, lowest + (highest - lowest) / 2, highest};

	if (highest - lowest == 1)
	{
		ChannelLoss loss = {0};

		for (uint32 i = 0; i < censored->count; i++)
		{
			loss.conversions += censored_row(censored, i)[COLUMN_CONVERSIONS];
			loss.value += censored_row(censored, i)[COLUMN_VALUE];
		}
		losses[lowest] = loss;
		return;
	}
	for (int half = 0; half < 2; half++)
	{
		CensoredChain *watched = watch_channels(chain, censored, bounds[half], bounds[half + 1]);

		lose_by_elimination(chain, watched, bounds[half], bounds[half + 1], losses);
		censored_chain_free(watched);
	}
}

/* The chain watched only where a state has one of these channels. */
static CensoredChain *
watch_channels(const Chain *chain, const CensoredChain *censored, uint32 lowest, uint32 highest)
{
	uint32	   *rows = palloc(Max(censored->count, 1) * sizeof(uint32));
	uint32		watched_count = 0;
	uint32		end = censored->count;
	CensoredChain *watched;

	/* the others last, where they can be eliminated */
	for (uint32 i = 0; i < censored->count; i++)
	{
		if (tuple_has_channel(chain->tuples[censored->states[i]], lowest, highest))
			rows[watched_count++] = i;
		else
			rows[--end] = i;
	}
	watched = censored_chain_select(censored, rows, censored->count);
	while (watched->count > watched_count)
		censored_chain_eliminate(watched);
	pfree(rows);
	return watched;
}

/* In multiplications of a flow, which fetches states at random; those here are by rows. */
static double
work_of_elimination(const Chain *chain)
{
	double		states = chain->state_count;

	return chain->state_count > MOST_STATES_TO_ELIMINATE ? HUGE_VAL : states * states * states / 60;
}
