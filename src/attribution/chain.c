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
 * Two ways to w, both without subtractions:
 *
 * - elimination (censored_chain.h).  Halving the channels again and again, the states
 *   that have none of one half's channels are eliminated once for all of them.
 * - for chains of many states: w as a sum of additions d, first of conversions at once, then
 *   of those with further touches, as the iteration of Gauss and Seidel adds them.  A step
 *   leaves of w at most what one more touch makes of the last d, and as out_b paths leave
 *   b, of what is lost at most  sum over b of out_b d_b.  (The paths that leave A for b,
 *   and those that come back to b before A, are no more than out_b.)  The steps end when
 *   that is less than one unit in the last digit of what is lost: a proved bound.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "attribution/censored_chain.h"
#include "attribution/chain.h"

/* Up to here elimination is quick; up to there it is possible. */
#define FEW_STATES 300
#define MOST_STATES_TO_ELIMINATE 3000

/* Steps after which the rate of convergence can be judged; then after twice as many, and so on. */
#define TRIAL_STEPS 64

/* What is lost is known to one part in this. */
#define PRECISION 1e-16
/* ... and is taken for nothing below this part of everything. */
#define NEGLIGIBLE 1e-100

typedef struct Addition
{
	double		conversions;
	double		value;
} Addition;

/* Room for lose_by_steps, by state. */
typedef struct StepRoom
{
	double	   *out;			/* paths that leave it for another state, or end there */
	bool	   *is_removed;
	Addition   *sum;			/* w */
	Addition   *addition;		/* d */
} StepRoom;

static void lose_by_elimination(const Chain *chain, const CensoredChain *censored,
								uint32 lowest, uint32 highest, ChannelLoss *losses);
static CensoredChain *watch_channels(const Chain *chain, const CensoredChain *censored,
									 uint32 lowest, uint32 highest);
static StepRoom step_room(const Chain *chain);
static bool lose_by_steps(const Chain *chain, uint32 channel, StepRoom *room, ChannelLoss *loss);
static Addition step(const Chain *chain, StepRoom *room, bool is_first);
static ChannelLoss loss_of_removed(const Chain *chain, const StepRoom *room);
static bool elimination_is_quicker(const Chain *chain, double rate, double under_way, double lost);

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
	uint64		next = 0;

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
		for (; next < counts->transition_count; next++)
		{
			const MarkovTransition *transition = &counts->transitions[order.transitions[next]];

			if (transition->from != order.states[i])
				break;
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
	{
		StepRoom	room = step_room(chain);

		is_done = true;
		for (uint32 channel = 0; channel < chain->channel_count && is_done; channel++)
			is_done = lose_by_steps(chain, channel, &room, &losses[channel]);
	}
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

static StepRoom
step_room(const Chain *chain)
{
	Size		count = chain->state_count;
	StepRoom	room;

	room.out = palloc_extended(count * sizeof(double), MCXT_ALLOC_HUGE);
	room.is_removed = palloc_extended(count * sizeof(bool), MCXT_ALLOC_HUGE);
	room.sum = palloc_extended(count * sizeof(Addition), MCXT_ALLOC_HUGE);
	room.addition = palloc_extended(count * sizeof(Addition), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < chain->state_count; i++)
	{
		room.out[i] = chain->conversions[i] + chain->non_conversions[i];
		for (uint64 j = chain->first[i]; j < chain->first[i + 1]; j++)
			room.out[i] += chain->to[j] != i ? chain->counts[j] : 0;
	}
	return room;
}

/* False: this would take longer than elimination. */
static bool
lose_by_steps(const Chain *chain, uint32 channel, StepRoom *room, ChannelLoss *loss)
{
	double		all_values = 0;
	double		under_way_before = 0;
	uint64		next_trial = TRIAL_STEPS / 2;

	for (uint32 i = 0; i < chain->state_count; i++)
	{
		room->is_removed[i] = tuple_has_channel(chain->tuples[i], channel, channel + 1);
		all_values += fabs(chain->values[i]);
		memset(&room->sum[i], 0, sizeof(Addition));
		memset(&room->addition[i], 0, sizeof(Addition));
	}
	for (uint64 steps = 1;; steps++)
	{
		Addition	under_way = step(chain, room, steps == 1);

		CHECK_FOR_INTERRUPTS();
		if (steps % 8 == 0 || (under_way.conversions == 0 && under_way.value == 0))
		{
			*loss = loss_of_removed(chain, room);
			if (under_way.conversions <= Max(loss->conversions * PRECISION, chain->total_conversions * NEGLIGIBLE) &&
				under_way.value <= Max(fabs(loss->value) * PRECISION, all_values * NEGLIGIBLE))
				return true;
		}
		/* judged again and again, as a slow part of the chain shows when the others are done */
		if (steps == next_trial)
		{
			double		rate = pow(under_way.conversions / under_way_before, 2.0 / (double) steps);

			if (steps >= TRIAL_STEPS && elimination_is_quicker(chain, rate, under_way.conversions, loss->conversions))
				return false;
			under_way_before = under_way.conversions;
			next_trial *= 2;
		}
	}
}

/*
 * Adds to the sums: conversions at once in the first step, in each what one more touch
 * makes of what was added last.  Returns the limit of all that is to come.
 */
static Addition
step(const Chain *chain, StepRoom *room, bool is_first)
{
	Addition	under_way = {0};
	Addition   *addition = room->addition;

	for (uint32 i = 0; i < chain->state_count; i++)
	{
		Addition	entering = {is_first ? chain->conversions[i] : 0, is_first ? chain->values[i] : 0};

		if (room->is_removed[i])
			continue;
		for (uint64 j = chain->first[i]; j < chain->first[i + 1]; j++)
		{
			uint32		to = chain->to[j];

			/* repeats of a state lead nowhere else: they are left out here and in out */
			if (to != i)
			{
				entering.conversions += chain->counts[j] * addition[to].conversions;
				entering.value += chain->counts[j] * addition[to].value;
			}
		}
		if (room->out[i] > 0)
		{
			/* in place: later states see it in this step already */
			addition[i].conversions = entering.conversions / room->out[i];
			addition[i].value = entering.value / room->out[i];
			room->sum[i].conversions += addition[i].conversions;
			room->sum[i].value += addition[i].value;
			under_way.conversions += entering.conversions;
			under_way.value += fabs(entering.value);
		}
	}
	return under_way;
}

/* What is lost by the sums so far. */
static ChannelLoss
loss_of_removed(const Chain *chain, const StepRoom *room)
{
	ChannelLoss loss = {0};

	for (uint32 i = 0; i < chain->state_count; i++)
	{
		if (!room->is_removed[i])
			continue;
		loss.conversions += chain->conversions[i];
		loss.value += chain->values[i];
		/* sums of states that are removed are 0 */
		for (uint64 j = chain->first[i]; j < chain->first[i + 1]; j++)
		{
			const Addition *sum = &room->sum[chain->to[j]];

			loss.conversions += chain->counts[j] * sum->conversions;
			loss.value += chain->counts[j] * sum->value;
		}
	}
	return loss;
}

/* Whether the steps that are still needed, at this rate, cost more than a dense matrix. */
static bool
elimination_is_quicker(const Chain *chain, double rate, double under_way, double lost)
{
	double		states = chain->state_count;
	double		transitions = chain->first[chain->state_count];
	double		steps;

	if (chain->state_count > MOST_STATES_TO_ELIMINATE || !(rate < 1) || !(lost > 0) || !(under_way > 0))
		return chain->state_count <= MOST_STATES_TO_ELIMINATE && !(rate < 1);
	steps = log(under_way / (lost * PRECISION)) / -log(rate);
	/* multiplications; those of elimination are by rows, and twice as fast */
	return steps * transitions * 2 > states * states * states / 4 / 2;
}
