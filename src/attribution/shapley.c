/*
 * shapley.c
 *		Shapley values of the channels in a Markov chain, and in what was observed.
 *
 * In a game, v(S) is what the channels S earn by themselves.  A channel's Shapley value
 * is what it adds to v, averaged over all orders in which the channels may come.
 *
 * For the chain, v(S) are the conversions when only states of channels in S are kept.
 * In a chain censored on what has not been decided, keeping a channel is eliminating
 * its states and leaving it out is deleting them.  So all coalitions are the leaves of
 * a tree that shares their elimination, and all v along an order of channels come from one
 * elimination.
 */
#include "postgres.h"

#include <math.h>

#include "common/hashfn.h"
#include "common/pg_prng.h"
#include "miscadmin.h"

#include "attribution/attribution.h"
#include "attribution/censored_chain.h"

/* Beyond these, or if it is less work, orders are drawn. */
#define MAX_EXACT_CHANNELS 16
#define ALWAYS_EXACT_WORK 1e10
/* Elimination takes the cube of the states. */
#define MAX_STATES 3000

/* What a coalition earns. */
typedef struct Earning
{
	double		conversions;
	double		value;
} Earning;

/* The tree of all coalitions. */
typedef struct CoalitionTree
{
	const Chain *chain;
	Earning    *earnings;		/* by coalition: bit i is channel i */
} CoalitionTree;

static bool can_be_exact(const Chain *chain, int permutations);
static double work_of_tree(const Chain *chain);
static ChannelCredit *exact_credit(const Chain *chain);
static void decide_channel(const CoalitionTree *tree, CensoredChain *censored, uint32 channel, uint32 coalition);
static ChannelCredit *sampled_credit(const Chain *chain, int permutations, uint64 seed);
static void draw_order(uint32 *order, uint32 count, uint64 seed, uint64 number);
static void earn_in_order(const Chain *chain, const CensoredChain *whole, const uint32 *order, Earning *added);
static int	compare_stages(const void *a, const void *b, void *stages);
static uint32 stage_of_state(const Chain *chain, uint32 state, const uint32 *stages);
static void finish_credit(const Chain *chain, ChannelCredit *credit);
static Earning earning(const CensoredChain *censored);
static double inverse_binomial(uint32 n, uint32 k);
static int	compare_numbers(const void *a, const void *b);

/*
 * In the game of a Markov chain.  With few channels all coalitions are counted, else so
 * many orders are drawn, the same ones for the same seed; what the channels get then
 * still adds up to everything.
 */
ChannelCredit *
markov_shapley_credit(const Chain *chain, int permutations, uint64 seed)
{
	ChannelCredit *credit;

	if (can_be_exact(chain, permutations))
		credit = exact_credit(chain);
	else
		credit = sampled_credit(chain, permutations, seed);
	finish_credit(chain, credit);
	return credit;
}

/*
 * In the game in which v(S) is the rate of conversion of the paths that met exactly
 * the channels S, and 0 where there are none.  It need not grow with S, so values may
 * be negative; they are returned as they are.  They add up to v of all channels: credit is
 * in proportion to it, and NaN if that is 0.
 */
ChannelCredit *
observed_shapley_credit(const SortedPaths *paths)
{
	uint32		channel_count = paths->channel_count;
	ChannelCredit *credit = palloc0(Max(channel_count, 1) * sizeof(ChannelCredit));
	ExactSum   *sums = palloc0(Max(channel_count, 1) * 2 * sizeof(ExactSum));
	uint32	   *channels = NULL;
	uint32		room = 0;
	Earning		whole = {0};	/* of all channels together */
	PathSet		coalitions;

	path_set_init(&coalitions, CurrentMemoryContext);
	for (uint32 i = 0; i < paths->set->path_count; i++)
	{
		const PathEntry *path = paths->paths[i];
		PathEntry  *coalition;
		uint32		count = 0;

		if (path->length == 0)
			continue;
		if (path->length > room)
		{
			room = Max(path->length, 64);
			channels = palloc_extended((Size) room * sizeof(uint32), MCXT_ALLOC_HUGE);
		}
		for (uint32 j = 0; j < path->length; j++)
			channels[j] = paths->places[path->channels[j]];
		qsort(channels, path->length, sizeof(uint32), compare_numbers);
		for (uint32 j = 0; j < path->length; j++)
		{
			if (j == 0 || channels[j] != channels[j - 1])
				channels[count++] = channels[j];
		}
		coalition = path_set_entry(&coalitions, channels, count);
		path_set_count(&coalitions, coalition, path->conversions, path->non_conversions);
		exact_sum_merge(&coalition->value, &path->value, CurrentMemoryContext);
		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
	}

	/*
	 * A coalition of s among m channels counts 1/(m C(m-1,s-1)) for its own channels, and
	 * -1/(m C(m-1,s)) for the others.
	 */
	for (uint32 i = 0; i < coalitions.path_count; i++)
	{
		const PathEntry *coalition = &coalitions.paths[i];
		double		count = (double) coalition->conversions + (double) coalition->non_conversions;
		double		rate = (double) coalition->conversions / count;
		double		value = exact_sum_value(&coalition->value) / count;
		double		own = inverse_binomial(channel_count - 1, coalition->length - 1) / channel_count;
		double		others = inverse_binomial(channel_count - 1, coalition->length) / channel_count;
		uint32		next = 0;

		if (coalition->length == channel_count)
		{
			whole.conversions = rate;
			whole.value = value;
		}
		CHECK_FOR_INTERRUPTS();
		for (uint32 channel = 0; channel < channel_count; channel++)
		{
			bool		is_own = next < coalition->length && coalition->channels[next] == channel;
			double		weight = is_own ? own : -others;

			next += is_own;
			exact_sum_add(&sums[channel * 2], weight * rate, CurrentMemoryContext);
			exact_sum_add(&sums[channel * 2 + 1], weight * value, CurrentMemoryContext);
		}
	}
	for (uint32 channel = 0; channel < channel_count; channel++)
	{
		credit[channel].effect = exact_sum_value(&sums[channel * 2]);
		credit[channel].value_effect = exact_sum_value(&sums[channel * 2 + 1]);
		/* all channels together are often never seen, and then there is nothing to share */
		credit[channel].conversions = whole.conversions > 0 ?
			paths->conversions * (credit[channel].effect / whole.conversions) : NAN;
		credit[channel].value = whole.value != 0 ? paths->value * (credit[channel].value_effect / whole.value) : NAN;
		credit[channel].std_error = NAN;
	}
	return credit;
}

/* Whether all coalitions can be counted, with no more work than that of drawing orders. */
static bool
can_be_exact(const Chain *chain, int permutations)
{
	double		states = chain->state_count;

	return chain->channel_count <= MAX_EXACT_CHANNELS && chain->state_count <= MAX_STATES &&
		work_of_tree(chain) <= Max(ALWAYS_EXACT_WORK, permutations * states * states * states / 3);
}

/*
 * Multiplications for all coalitions.  When the channels before the i-th are decided in
 * one of 2^i ways, of the states that need a later one those are left whose decided
 * channels are kept, half of them for each such channel.
 */
static double
work_of_tree(const Chain *chain)
{
	double		left[MAX_EXACT_CHANNELS + 1] = {0};
	double		decided[MAX_EXACT_CHANNELS] = {0};
	double		work = 0;

	for (uint32 i = 0; i < chain->state_count; i++)
	{
		uint32		channels = 0;

		for (uint64 tuple = chain->tuples[i]; tuple != 0; tuple >>= CHANNEL_BITS)
			channels |= 1u << tuple_channel(tuple, 0);
		for (uint32 channel = 0; channels >> channel != 0; channel++)
		{
			double		part = ldexp(1, -__builtin_popcount(channels & ((1u << channel) - 1)));

			left[channel] += part;
			if (channels >> channel == 1)
				decided[channel] += part;
		}
	}
	for (uint32 channel = 0; channel < chain->channel_count; channel++)
		work += ldexp(left[channel] * left[channel] * (1 + decided[channel]), (int) channel);
	return work;
}

static ChannelCredit *
exact_credit(const Chain *chain)
{
	uint32		channel_count = chain->channel_count;
	uint32		coalition_count = 1u << channel_count;
	ChannelCredit *credit = palloc0(Max(channel_count, 1) * sizeof(ChannelCredit));
	CoalitionTree tree = {chain, palloc(coalition_count * sizeof(Earning))};
	CensoredChain *whole = censored_chain_create(chain, true);
	uint32	   *rows = palloc(whole->count * sizeof(uint32));
	uint32	   *stages = palloc(whole->count * sizeof(uint32));
	uint32	   *identity = palloc(Max(channel_count, 1) * sizeof(uint32));

	/* the states that are decided first come last, where they can be eliminated */
	for (uint32 i = 0; i < channel_count; i++)
		identity[i] = i;
	for (uint32 i = 0; i < whole->count; i++)
	{
		rows[i] = i;
		stages[i] = i == 0 ? PG_UINT32_MAX : stage_of_state(chain, whole->states[i], identity);
	}
	qsort_arg(rows, whole->count, sizeof(uint32), compare_stages, stages);
	decide_channel(&tree, censored_chain_select(whole, rows, whole->count), 0, 0);

	for (uint32 channel = 0; channel < channel_count; channel++)
	{
		uint32		bit = 1u << channel;
		ExactSum	conversions = {0};
		ExactSum	value = {0};

		CHECK_FOR_INTERRUPTS();
		for (uint32 coalition = 0; coalition < coalition_count; coalition++)
		{
			const Earning *without = &tree.earnings[coalition];
			const Earning *with = &tree.earnings[coalition | bit];
			double		weight;

			if ((coalition & bit) != 0)
				continue;
			weight = inverse_binomial(channel_count - 1, (uint32) __builtin_popcount(coalition)) / channel_count;
			/* keeping more states never loses conversions, but the last digit may say so */
			exact_sum_add(&conversions, weight * Max(with->conversions - without->conversions, 0), CurrentMemoryContext);
			exact_sum_add(&value, weight * (with->value - without->value), CurrentMemoryContext);
		}
		credit[channel].conversions = exact_sum_value(&conversions);
		credit[channel].value = exact_sum_value(&value);
		credit[channel].std_error = NAN;
	}
	return credit;
}

/*
 * All coalitions that agree with this one on the channels before 'channel'; the chain has
 * no state of those any more, and is used up.
 */
static void
decide_channel(const CoalitionTree *tree, CensoredChain *censored, uint32 channel, uint32 coalition)
{
	const Chain *chain = tree->chain;
	uint32	   *rows;
	uint32		count = 0;

	if (channel == chain->channel_count)
	{
		tree->earnings[coalition] = earning(censored);
		censored_chain_free(censored);
		return;
	}
	rows = palloc(censored->count * sizeof(uint32));
	for (uint32 i = 0; i < censored->count; i++)
	{
		if (i == 0 || !tuple_has_channel(chain->tuples[censored->states[i]], channel, channel + 1))
			rows[count++] = i;
	}
	decide_channel(tree, censored_chain_select(censored, rows, count), channel + 1, coalition);
	pfree(rows);
	while (censored->count > 1 &&
		   !tuple_has_channel(chain->tuples[censored->states[censored->count - 1]], channel + 1, chain->channel_count))
		censored_chain_eliminate(censored);
	decide_channel(tree, censored, channel + 1, coalition | 1u << channel);
}

static ChannelCredit *
sampled_credit(const Chain *chain, int permutations, uint64 seed)
{
	uint32		channel_count = chain->channel_count;
	ChannelCredit *credit = palloc0(channel_count * sizeof(ChannelCredit));
	Earning    *added = palloc(channel_count * sizeof(Earning));
	double	   *squares = palloc0(channel_count * sizeof(double));
	uint32	   *order = palloc(channel_count * sizeof(uint32));
	CensoredChain *whole;

	if (chain->state_count > MAX_STATES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many states for model \"shapley_markov\": %u, where %d are possible",
						chain->state_count, MAX_STATES),
				 errhint("Use a lower chain_order, model \"shapley\", or give rare channels one name.")));
	whole = censored_chain_create(chain, true);
	for (int i = 0; i < permutations; i++)
	{
		draw_order(order, channel_count, seed, (uint64) i);
		earn_in_order(chain, whole, order, added);
		for (uint32 channel = 0; channel < channel_count; channel++)
		{
			/* running means, and squared distances from them (Welford 1962) */
			double		distance = added[channel].conversions - credit[channel].conversions;

			credit[channel].conversions += distance / (i + 1);
			credit[channel].value += (added[channel].value - credit[channel].value) / (i + 1);
			squares[channel] += distance * (added[channel].conversions - credit[channel].conversions);
		}
	}
	for (uint32 channel = 0; channel < channel_count; channel++)
		credit[channel].std_error = sqrt(squares[channel] / ((double) permutations - 1) / permutations);
	return credit;
}

/* The number-th random order of the channels under a seed. */
static void
draw_order(uint32 *order, uint32 count, uint64 seed, uint64 number)
{
	uint64		key[2] = {seed, number};
	pg_prng_state random;

	pg_prng_seed(&random, hash_bytes_extended((const unsigned char *) key, sizeof(key), 0));
	for (uint32 i = 0; i < count; i++)
	{
		uint32		place = (uint32) pg_prng_uint64_range(&random, 0, i);

		order[i] = order[place];
		order[place] = i;
	}
}

/* What each channel adds when the channels come in this order. */
static void
earn_in_order(const Chain *chain, const CensoredChain *whole, const uint32 *order, Earning *added)
{
	uint32	   *stages_of_channels = palloc(chain->channel_count * sizeof(uint32));
	uint32	   *stages = palloc(whole->count * sizeof(uint32));
	uint32	   *rows = palloc(whole->count * sizeof(uint32));
	CensoredChain *censored;
	Earning		before = {0};

	for (uint32 i = 0; i < chain->channel_count; i++)
		stages_of_channels[order[i]] = i;
	for (uint32 i = 0; i < whole->count; i++)
	{
		rows[i] = i;
		stages[i] = i == 0 ? PG_UINT32_MAX : stage_of_state(chain, whole->states[i], stages_of_channels);
	}
	qsort_arg(rows, whole->count, sizeof(uint32), compare_stages, stages);
	censored = censored_chain_select(whole, rows, whole->count);
	for (uint32 stage = 0; stage < chain->channel_count; stage++)
	{
		Earning		now;

		while (censored->count > 1 && stages[rows[censored->count - 1]] == stage)
			censored_chain_eliminate(censored);
		now = earning(censored);
		added[order[stage]].conversions = now.conversions - before.conversions;
		added[order[stage]].value = now.value - before.value;
		before = now;
	}
	censored_chain_free(censored);
	pfree(rows);
	pfree(stages);
	pfree(stages_of_channels);
}

/* The latest stage first; states of one stage stay in order. */
static int
compare_stages(const void *a, const void *b, void *stages)
{
	uint32		left = *(const uint32 *) a;
	uint32		right = *(const uint32 *) b;
	uint32		left_stage = ((const uint32 *) stages)[left];
	uint32		right_stage = ((const uint32 *) stages)[right];

	if (left_stage != right_stage)
		return left_stage > right_stage ? -1 : 1;
	return (left > right) - (left < right);
}

/* When the last of a state's channels has come, if each comes at its stage. */
static uint32
stage_of_state(const Chain *chain, uint32 state, const uint32 *stages)
{
	uint32		latest = 0;

	for (uint64 tuple = chain->tuples[state]; tuple != 0; tuple >>= CHANNEL_BITS)
		latest = Max(latest, stages[tuple_channel(tuple, 0)]);
	return latest;
}

/* Effects, from what channels add to the conversions of all paths. */
static void
finish_credit(const Chain *chain, ChannelCredit *credit)
{
	double		paths = chain->total_conversions + chain->total_non_conversions;

	for (uint32 channel = 0; channel < chain->channel_count; channel++)
	{
		credit[channel].effect = credit[channel].conversions / paths;
		credit[channel].value_effect = credit[channel].value / paths;
	}
}

/* What the channels earn whose states have been eliminated, the first row being the start. */
static Earning
earning(const CensoredChain *censored)
{
	const double *start = censored_row(censored, 0);
	Earning		earned = {start[COLUMN_CONVERSIONS], start[COLUMN_VALUE]};

	return earned;
}

/* 1 / C(n, k); 0 if k > n, as there is nothing then that it could weigh. */
static double
inverse_binomial(uint32 n, uint32 k)
{
	double		inverse = 1;

	if (k > n)
		return 0;
	k = Min(k, n - k);
	for (uint32 i = 1; i <= k && inverse > 0; i++)
		inverse *= (double) i / (n - k + i);
	return inverse;
}

static int
compare_numbers(const void *a, const void *b)
{
	uint32		left = *(const uint32 *) a;
	uint32		right = *(const uint32 *) b;

	return (left > right) - (left < right);
}
