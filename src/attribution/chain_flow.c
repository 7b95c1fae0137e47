/*
 * chain_flow.c
 *		Removal effects of chains with many states.
 *
 * The terms are those of chain.c: for a channel with states A, w_b is the share of the
 * paths in b that convert without meeting A, and what is lost are the conversions in A
 * plus n_ab w_b from each a to each b outside of it.
 *
 * w is a sum over the ways to a conversion, of one touch, two, three...  Nothing is ever
 * subtracted.  First all states are swept over, each adding what its last additions of the
 * states after it are worth to it, as in the iteration of Gauss and Seidel: that is quick, and
 * for most chains all.  What is then still to be added is pushed: a state gives what is
 * pending for it to the states that lead to it, where it is pending in turn, or is lost if they
 * are in A.  So a visitor who went to and fro between two channels a thousand times keeps
 * only their states busy.
 *
 * What is still pending can bring at most  sum over b of out_b pending_b, as out_b paths
 * leave b: those that come from A and those that come back to b before A are no more.  A
 * state whose part of this is below its share of one unit in the last digit of what is lost
 * need not push, and when none needs to, the loss is known: what is left out has a proved bound.
 * Rounding adds up with the length of the longest cycles, so that pushing is done in extended
 * precision, where the machine has it.
 *
 * Per chain: its transitions by the state they lead to, and room.  Per channel: nothing new.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "attribution/chain_flow.h"

/* What is lost is known to one part in this; a value, at least to this part of all values. */
#define PRECISION 1e-16
#define NEGLIGIBLE_VALUE 1e-25
/* While nothing is lost yet, of all conversions. */
#define NEGLIGIBLE 1e-200

#define MOST_SWEEPS 1024
/* Sweeps after which is asked whether they have been enough. */
#define SWEEPS_PER_CHECK 8
/* A sweep is as quick as pushing this part of all states. */
#define PUSHED_PART 16

#define PUSHES_PER_INTERRUPT_CHECK 4096

/* As memory from palloc is aligned, which is less than the type asks for. */
typedef long double Extended pg_attribute_aligned(MAXIMUM_ALIGNOF);

typedef struct FlowState
{
	Extended	conversions;	/* pending */
	Extended	value;
	double		out;			/* paths that leave for another state, or end */
	bool		is_removed;
	bool		is_queued;
	bool		can_convert;	/* from here a conversion or a value can be reached */
} FlowState;

/* Conversions and their value in the share of a state. */
typedef struct FlowShare
{
	double		conversions;
	double		value;
} FlowShare;

/* A transition, as the state knows it that it leads to. */
typedef struct FlowSource
{
	Extended	share;			/* of the paths that leave 'from' */
	uint32		from;
} FlowSource;

typedef struct Flow
{
	const Chain *chain;
	FlowState  *states;
	FlowShare  *sums;			/* w, by state, from sweeps */
	FlowShare  *additions;		/* of the last sweep */
	uint64	   *first;			/* of each state, where its sources begin; and their end */
	FlowSource *sources;
	uint32	   *queue;			/* a ring of as many states as there are */
	uint32		queue_start;
	uint32		queue_length;
	double		all_values;		/* without signs */
	double		work_left;
	Extended	lost_conversions;
	Extended	lost_value;
} Flow;

static Flow start_flow(const Chain *chain, double most_work);
static void read_sources(Flow *flow);
static void find_dead_ends(Flow *flow);
static bool lose_channel(Flow *flow, uint32 channel);
static bool start_channel(Flow *flow, uint32 channel);
static bool sweep_channel(Flow *flow);
static uint32 busy_states(const Flow *flow);
static FlowShare sweep(Flow *flow, bool is_first);
static FlowShare entering(const Flow *flow, uint32 number, uint32 first_to);
static void lose_sums(Flow *flow);
static void start_pushing(Flow *flow);
static void push(Flow *flow, uint32 number);
static inline void enqueue(Flow *flow, uint32 number);
static inline bool is_busy(const Flow *flow, const FlowState *state);
static inline bool is_needed(const Flow *flow, double conversions, double value, double out);

/*
 * What would be lost without each channel, by its place.  False if it would take more
 * multiplications than 'most_work'; losses are undefined then.
 */
bool
chain_flow_losses(const Chain *chain, double most_work, ChannelLoss *losses)
{
	Flow		flow = start_flow(chain, most_work);

	for (uint32 channel = 0; channel < chain->channel_count; channel++)
	{
		if (!lose_channel(&flow, channel))
			return false;
		losses[channel].conversions = (double) flow.lost_conversions;
		losses[channel].value = (double) flow.lost_value;
	}
	return true;
}

static Flow
start_flow(const Chain *chain, double most_work)
{
	Flow		flow = {.chain = chain,.work_left = most_work};
	Size		count = Max(chain->state_count, 1);

	flow.states = palloc_extended(count * sizeof(FlowState), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	flow.sums = palloc_extended(count * sizeof(FlowShare), MCXT_ALLOC_HUGE);
	flow.additions = palloc_extended(count * sizeof(FlowShare), MCXT_ALLOC_HUGE);
	flow.queue = palloc_extended(count * sizeof(uint32), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < chain->state_count; i++)
	{
		/* repeats of a state lead nowhere else: they are left out here and as sources */
		flow.states[i].out = chain->conversions[i] + chain->non_conversions[i];
		for (uint64 j = chain->first[i]; j < chain->first[i + 1]; j++)
			flow.states[i].out += chain->to[j] != i ? chain->counts[j] : 0;
		flow.all_values += fabs(chain->values[i]);
	}
	read_sources(&flow);
	find_dead_ends(&flow);
	return flow;
}

/* The transitions by the state they lead to. */
static void
read_sources(Flow *flow)
{
	const Chain *chain = flow->chain;
	uint32		count = chain->state_count;
	uint64	   *next;

	flow->first = palloc_extended((count + 1) * sizeof(uint64), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	flow->sources = palloc_extended(Max(chain->first[count], 1) * sizeof(FlowSource), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < count; i++)
	{
		for (uint64 j = chain->first[i]; j < chain->first[i + 1]; j++)
			flow->first[chain->to[j] + 1] += chain->to[j] != i;
	}
	for (uint32 i = 0; i < count; i++)
		flow->first[i + 1] += flow->first[i];
	next = palloc_extended(Max(count, 1) * sizeof(uint64), MCXT_ALLOC_HUGE);
	memcpy(next, flow->first, count * sizeof(uint64));
	for (uint32 i = 0; i < count; i++)
	{
		for (uint64 j = chain->first[i]; j < chain->first[i + 1]; j++)
		{
			FlowSource *source;

			if (chain->to[j] == i)
				continue;
			source = &flow->sources[next[chain->to[j]]++];
			source->from = i;
			source->share = (long double) chain->counts[j] / flow->states[i].out;
		}
	}
	pfree(next);
}

/* Marks the states from which a conversion or a value can be reached. */
static void
find_dead_ends(Flow *flow)
{
	const Chain *chain = flow->chain;

	for (uint32 i = 0; i < chain->state_count; i++)
	{
		if (chain->conversions[i] != 0 || chain->values[i] != 0)
			enqueue(flow, i);
	}
	while (flow->queue_length > 0)
	{
		uint32		number = flow->queue[flow->queue_start];

		flow->queue_start = (flow->queue_start + 1) % chain->state_count;
		flow->queue_length--;
		flow->states[number].can_convert = true;
		for (uint64 i = flow->first[number]; i < flow->first[number + 1]; i++)
		{
			if (!flow->states[flow->sources[i].from].is_queued)
				enqueue(flow, flow->sources[i].from);
		}
	}
}

/* What is lost without this channel.  False: there was too much work. */
static bool
lose_channel(Flow *flow, uint32 channel)
{
	if (!start_channel(flow, channel) || sweep_channel(flow))
		return flow->work_left >= 0;
	start_pushing(flow);
	for (uint64 pushes = 0; flow->queue_length > 0 && flow->work_left >= 0; pushes++)
	{
		uint32		number = flow->queue[flow->queue_start];

		if (pushes % PUSHES_PER_INTERRUPT_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		if (++flow->queue_start == flow->chain->state_count)
			flow->queue_start = 0;
		flow->queue_length--;
		flow->states[number].is_queued = false;
		if (is_busy(flow, &flow->states[number]))
			push(flow, number);
	}
	return flow->work_left >= 0;
}

/* False: nothing can be lost. */
static bool
start_channel(Flow *flow, uint32 channel)
{
	const Chain *chain = flow->chain;
	bool		can_be_lost = false;

	flow->lost_conversions = flow->lost_value = 0;
	for (uint32 i = 0; i < chain->state_count; i++)
	{
		FlowState  *state = &flow->states[i];

		state->is_removed = tuple_has_channel(chain->tuples[i], channel, channel + 1);
		can_be_lost |= state->is_removed && state->can_convert;
		memset(&flow->sums[i], 0, sizeof(FlowShare));
		memset(&flow->additions[i], 0, sizeof(FlowShare));
	}
	return can_be_lost;
}

/* Sweeps until the loss is known, or there was too much work.  False: neither, but few states are busy. */
static bool
sweep_channel(Flow *flow)
{
	const Chain *chain = flow->chain;

	for (int sweeps = 1; sweeps <= MOST_SWEEPS && flow->work_left >= 0; sweeps++)
	{
		FlowShare	pending = sweep(flow, sweeps == 1);

		CHECK_FOR_INTERRUPTS();
		flow->work_left -= (double) chain->first[chain->state_count] + chain->state_count;
		if (sweeps % SWEEPS_PER_CHECK != 0)
			continue;
		lose_sums(flow);
		if (pending.conversions <= Max((double) flow->lost_conversions * PRECISION, chain->total_conversions * NEGLIGIBLE) &&
			pending.value <= Max(fabs((double) flow->lost_value) * PRECISION, flow->all_values * NEGLIGIBLE_VALUE))
			return true;
		if (busy_states(flow) < chain->state_count / PUSHED_PART)
			return false;
	}
	return flow->work_left < 0;
}

/* How many states have more pending than may be left out. */
static uint32
busy_states(const Flow *flow)
{
	uint32		count = 0;

	for (uint32 i = 0; i < flow->chain->state_count; i++)
		count += is_needed(flow, flow->additions[i].conversions, flow->additions[i].value, flow->states[i].out);
	return count;
}

/*
 * Adds to the sums: conversions at once in the first sweep, in each what one more touch
 * makes of what was added last.  Returns the limit of what is to come.
 */
static FlowShare
sweep(Flow *flow, bool is_first)
{
	const Chain *chain = flow->chain;
	FlowShare	pending = {0};

	for (uint32 i = 0; i < chain->state_count; i++)
	{
		double		out = flow->states[i].out;
		FlowShare	added;

		if (flow->states[i].is_removed || out == 0)
			continue;
		added = entering(flow, i, 0);
		if (is_first)
		{
			added.conversions += chain->conversions[i];
			added.value += chain->values[i];
		}
		pending.conversions += added.conversions;
		pending.value += fabs(added.value);
		/* in place: later states see it in this sweep already */
		flow->additions[i].conversions = added.conversions / out;
		flow->additions[i].value = added.value / out;
		flow->sums[i].conversions += flow->additions[i].conversions;
		flow->sums[i].value += flow->additions[i].value;
	}
	return pending;
}

/* What the paths from this state to those from first_to on make of the last additions; repeats are left out. */
static FlowShare
entering(const Flow *flow, uint32 number, uint32 first_to)
{
	const Chain *chain = flow->chain;
	FlowShare	share = {0};

	for (uint64 j = chain->first[number]; j < chain->first[number + 1]; j++)
	{
		uint32		to = chain->to[j];

		if (to != number && to >= first_to)
		{
			share.conversions += chain->counts[j] * flow->additions[to].conversions;
			share.value += chain->counts[j] * flow->additions[to].value;
		}
	}
	return share;
}

/* What is lost by the sums so far; those of states that are removed are 0. */
static void
lose_sums(Flow *flow)
{
	const Chain *chain = flow->chain;

	flow->lost_conversions = flow->lost_value = 0;
	for (uint32 i = 0; i < chain->state_count; i++)
	{
		if (!flow->states[i].is_removed)
			continue;
		flow->lost_conversions += chain->conversions[i];
		flow->lost_value += chain->values[i];
		for (uint64 j = chain->first[i]; j < chain->first[i + 1]; j++)
		{
			flow->lost_conversions += chain->counts[j] * flow->sums[chain->to[j]].conversions;
			flow->lost_value += chain->counts[j] * flow->sums[chain->to[j]].value;
		}
	}
}

/* What the last sweep has left pending: its additions to later states are not known to earlier ones yet. */
static void
start_pushing(Flow *flow)
{
	flow->queue_start = flow->queue_length = 0;
	for (uint32 i = 0; i < flow->chain->state_count; i++)
	{
		FlowState  *state = &flow->states[i];
		FlowShare	left = {0};

		if (!state->is_removed && state->out > 0)
			left = entering(flow, i, i + 1);
		state->conversions = left.conversions;
		state->value = left.value;
		if (state->out > 0)
		{
			state->conversions /= state->out;
			state->value /= state->out;
		}
		state->is_queued = false;
	}
	for (uint32 i = 0; i < flow->chain->state_count; i++)
	{
		if (is_busy(flow, &flow->states[i]))
			enqueue(flow, i);
	}
}

/* Gives what is pending for a state to those that lead to it. */
static void
push(Flow *flow, uint32 number)
{
	FlowState  *state = &flow->states[number];
	Extended	conversions = state->conversions;
	Extended	value = state->value;

	state->conversions = state->value = 0;
	/* at random places, and in more digits: a touch costs more than in a sweep */
	flow->work_left -= 4 * (double) (flow->first[number + 1] - flow->first[number] + 1);
	for (uint64 i = flow->first[number]; i < flow->first[number + 1]; i++)
	{
		const FlowSource *source = &flow->sources[i];
		FlowState  *from = &flow->states[source->from];

		if (from->is_removed)
		{
			/* all that leave 'from' for here, not their share */
			flow->lost_conversions += source->share * from->out * conversions;
			flow->lost_value += source->share * from->out * value;
			continue;
		}
		from->conversions += source->share * conversions;
		from->value += source->share * value;
		if (!from->is_queued && is_busy(flow, from))
			enqueue(flow, source->from);
	}
}

static inline void
enqueue(Flow *flow, uint32 number)
{
	uint64		place = (uint64) flow->queue_start + flow->queue_length++;

	flow->states[number].is_queued = true;
	flow->queue[place >= flow->chain->state_count ? place - flow->chain->state_count : place] = number;
}

/* Whether what is pending for a state, which so many paths leave, is more than its share of what may be left out. */
static inline bool
is_needed(const Flow *flow, double conversions, double value, double out)
{
	double		count = flow->chain->state_count;

	return conversions * out * count > Max((double) flow->lost_conversions * PRECISION, flow->chain->total_conversions * NEGLIGIBLE) ||
		fabs(value) * out * count > Max(fabs((double) flow->lost_value) * PRECISION, flow->all_values * NEGLIGIBLE_VALUE);
}

static inline bool
is_busy(const Flow *flow, const FlowState *state)
{
	return is_needed(flow, (double) state->conversions, (double) state->value, state->out);
}
