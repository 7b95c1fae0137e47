/*
 * markov_counts.c
 *		Counting the transitions of a Markov chain.
 *
 * Per chain: the channels' names, its states and transitions, each with a hash table.
 * A transition knows the state it leads to, so a touch costs one look-up, of its
 * state and channel.  Memory follows the distinct transitions, not the paths.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "attribution/markov_counts.h"

#define FORMAT_VERSION 1
#define INITIAL_STATES 32
#define INITIAL_TRANSITIONS 64

static void read_content(void *content, StateReader *reader);
static void write_content(const void *content, StringInfo out);
static void merge_content(void *content, const void *other_content);
static void check_channel_count(const MarkovCounts *counts);
static uint64 tuple_after(const MarkovCounts *counts, uint64 tuple, uint32 channel);
static uint64 tuple_translated(uint64 tuple, const uint32 *numbers);
static uint64 tuple_read(const MarkovCounts *counts, StateReader *reader);
static void grow_states(MarkovCounts *counts);
static void grow_transitions(MarkovCounts *counts);
static uint32 *zeroed_slots(const MarkovCounts *counts, uint64 slot_count);
static int	compare_keys(const void *a, const void *b, void *keys);

const StateMethods markov_methods = {
	.type = "markov",
	.content_size = sizeof(MarkovCounts),
	.init = markov_init,
	.read = read_content,
	.write = write_content,
	.merge = merge_content,
	.size_hint = "Collapse repeats, shorten the lookback, give rare channels one name, or keep several, each of some of the paths."
};

static inline uint32
transition_hash(uint32 from, uint32 channel)
{
	return murmurhash32(from * 0x9e3779b9u + channel);
}

static inline uint32
tuple_hash(uint64 tuple)
{
	return murmurhash32((uint32) tuple ^ (uint32) (tuple >> 32) * 0x9e3779b9u);
}

void
markov_init(void *content, MemoryContext context)
{
	MarkovCounts *counts = content;

	memset(counts, 0, sizeof(MarkovCounts));
	counts->context = context;
	channel_names_init(&counts->channels, context);
	counts->state_capacity = INITIAL_STATES;
	counts->states = MemoryContextAlloc(context, INITIAL_STATES * sizeof(MarkovState));
	counts->state_slot_mask = INITIAL_STATES * 2 - 1;
	counts->state_slots = zeroed_slots(counts, INITIAL_STATES * 2);
	counts->transition_capacity = INITIAL_TRANSITIONS;
	counts->transitions = MemoryContextAlloc(context, INITIAL_TRANSITIONS * sizeof(MarkovTransition));
	counts->transition_slot_mask = INITIAL_TRANSITIONS * 2 - 1;
	counts->transition_slots = zeroed_slots(counts, INITIAL_TRANSITIONS * 2);
}

/*
 * The order of the chain: how many touches a state is made of.  One outside 1 to 4,
 * and one that differs from what has been counted, are errors (ERRCODE_INVALID_PARAMETER_VALUE).
 */
void
markov_set_order(MarkovCounts *counts, int64 chain_order)
{
	if (chain_order < 1 || chain_order > MARKOV_MAX_ORDER)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"chain_order\" must be from 1 to %d, not %lld",
						MARKOV_MAX_ORDER, (long long) chain_order)));
	if (counts->chain_order != 0 && counts->chain_order != chain_order)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a Markov chain of order %d cannot be added to one of order %lld",
						counts->chain_order, (long long) chain_order),
				 errhint("Argument \"chain_order\" must be the same in all rows; chains of several orders can be made from one conversion_paths.")));
	counts->chain_order = (int) chain_order;
}

/*
 * Counts paths that went through these channels, of which so many converted, worth
 * 'value' together.  The order must be set.  Paths with neither conversions nor
 * non_conversions are ignored; one without channels is unattributed.
 */
void
markov_add_path(MarkovCounts *counts, const uint32 *channels, uint32 length,
				int64 conversions, int64 non_conversions, const ExactSum *value)
{
	uint32		first = Min(length, (uint32) counts->chain_order);
	uint64		tuple = 0;
	int64		paths = conversions;
	uint32		state;

	if (conversions == 0 && non_conversions == 0)
		return;
	check_channel_count(counts);
	if (length == 0)
	{
		count_add(&counts->unattributed_conversions, conversions);
		exact_sum_merge(&counts->unattributed_value, value, counts->context);
		return;
	}
	count_add(&paths, non_conversions);
	for (uint32 i = 0; i < first; i++)
		tuple = tuple_after(counts, tuple, channels[i]);
	state = markov_state(counts, tuple);
	count_add(&counts->states[state].starts, paths);
	for (uint32 i = first; i < length; i++)
	{
		MarkovTransition *transition = markov_transition(counts, state, channels[i]);

		count_add(&transition->count, paths);
		state = transition->to;
	}
	count_add(&counts->states[state].conversions, conversions);
	count_add(&counts->states[state].non_conversions, non_conversions);
	exact_sum_merge(&counts->states[state].value, value, counts->context);
}

/* Counts all paths of a set. */
void
markov_add_paths(MarkovCounts *counts, const PathSet *set, int64 chain_order)
{
	uint32	   *numbers = channel_numbers(&counts->channels, &set->channels);
	uint32	   *path = NULL;
	uint32		path_room = 0;

	check_channel_count(counts);
	markov_set_order(counts, chain_order);
	for (uint32 i = 0; i < set->path_count; i++)
	{
		const PathEntry *entry = &set->paths[i];

		if (entry->length > path_room)
		{
			path_room = Max(entry->length, 64);
			path = palloc_extended((Size) path_room * sizeof(uint32), MCXT_ALLOC_HUGE);
		}
		for (uint32 j = 0; j < entry->length; j++)
			path[j] = numbers[entry->channels[j]];
		markov_add_path(counts, path, entry->length, entry->conversions, entry->non_conversions, &entry->value);
		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	pfree(numbers);
}

/* Adds what another chain of the same order has counted. */
static void
merge_content(void *content, const void *other_content)
{
	MarkovCounts *counts = content;
	const MarkovCounts *other = other_content;
	uint32	   *numbers;
	uint32	   *states;

	if (other->chain_order == 0)
		return;
	markov_set_order(counts, other->chain_order);
	numbers = channel_numbers(&counts->channels, &other->channels);
	check_channel_count(counts);
	states = palloc_extended(Max(other->state_count, 1) * sizeof(uint32), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < other->state_count; i++)
	{
		const MarkovState *from = &other->states[i];
		MarkovState *state;

		states[i] = markov_state(counts, tuple_translated(from->tuple, numbers));
		state = &counts->states[states[i]];
		count_add(&state->starts, from->starts);
		count_add(&state->conversions, from->conversions);
		count_add(&state->non_conversions, from->non_conversions);
		exact_sum_merge(&state->value, &from->value, counts->context);
	}
	for (uint32 i = 0; i < other->transition_count; i++)
	{
		const MarkovTransition *from = &other->transitions[i];

		count_add(&markov_transition(counts, states[from->from], numbers[from->channel])->count, from->count);
	}
	count_add(&counts->unattributed_conversions, other->unattributed_conversions);
	exact_sum_merge(&counts->unattributed_value, &other->unattributed_value, counts->context);
	pfree(states);
	pfree(numbers);
}

/* The number of the state that is this tuple, made if it is new. */
uint32
markov_state(MarkovCounts *counts, uint64 tuple)
{
	MarkovState *state;
	uint32		slot;

	for (slot = tuple_hash(tuple);; slot++)
	{
		uint32		number = counts->state_slots[slot & counts->state_slot_mask];

		if (number == 0)
			break;
		if (counts->states[number - 1].tuple == tuple)
			return number - 1;
	}
	if (counts->state_count == counts->state_capacity)
	{
		grow_states(counts);
		for (slot = tuple_hash(tuple); counts->state_slots[slot & counts->state_slot_mask] != 0;)
			slot++;
	}
	state = &counts->states[counts->state_count];
	memset(state, 0, sizeof(MarkovState));
	state->tuple = tuple;
	counts->state_slots[slot & counts->state_slot_mask] = ++counts->state_count;
	return counts->state_count - 1;
}

/* The transition from a state by a touch of this channel, made if it is new; valid until the next one is made. */
MarkovTransition *
markov_transition(MarkovCounts *counts, uint32 from, uint32 channel)
{
	MarkovTransition *transition;
	uint32		slot;

	for (slot = transition_hash(from, channel);; slot++)
	{
		uint32		number = counts->transition_slots[slot & counts->transition_slot_mask];

		if (number == 0)
			break;
		transition = &counts->transitions[number - 1];
		if (transition->from == from && transition->channel == channel)
			return transition;
	}
	if (counts->transition_count == counts->transition_capacity)
	{
		grow_transitions(counts);
		for (slot = transition_hash(from, channel); counts->transition_slots[slot & counts->transition_slot_mask] != 0;)
			slot++;
	}
	transition = &counts->transitions[counts->transition_count];
	transition->from = from;
	transition->channel = channel;
	transition->to = markov_state(counts, tuple_after(counts, counts->states[from].tuple, channel));
	transition->count = 0;
	counts->transition_slots[slot & counts->transition_slot_mask] = ++counts->transition_count;
	return transition;
}

/*
 * What is wrong with counts that did not come from paths, or NULL: as many paths
 * must enter each state as leave it.
 */
const char *
markov_check(const MarkovCounts *counts)
{
	int128	   *balance = palloc_extended(Max(counts->state_count, 1) * sizeof(int128), MCXT_ALLOC_HUGE);
	const char *fault = NULL;

	for (uint32 i = 0; i < counts->state_count; i++)
	{
		const MarkovState *state = &counts->states[i];

		balance[i] = (int128) state->starts - state->conversions - state->non_conversions;
	}
	for (uint32 i = 0; i < counts->transition_count; i++)
	{
		const MarkovTransition *transition = &counts->transitions[i];

		balance[transition->from] -= transition->count;
		balance[transition->to] += transition->count;
	}
	for (uint32 i = 0; i < counts->state_count && fault == NULL; i++)
	{
		if (balance[i] != 0)
			fault = "The paths that enter a state and those that leave it are not as many.";
	}
	pfree(balance);
	return fault;
}

/* The canonical order of a chain; palloc'd. */
MarkovOrder
markov_order(const MarkovCounts *counts)
{
	uint32		room = Max(counts->state_count, 1);
	uint64	   *tuples = palloc_extended(room * sizeof(uint64), MCXT_ALLOC_HUGE);
	uint64	   *keys;
	MarkovOrder order;

	order.channels = channels_in_order(&counts->channels);
	order.channel_places = channel_places(&counts->channels, order.channels);
	order.tuples = palloc_extended(room * sizeof(uint64), MCXT_ALLOC_HUGE);
	order.states = palloc_extended(room * sizeof(uint32), MCXT_ALLOC_HUGE);
	order.state_places = palloc_extended(room * sizeof(uint32), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < counts->state_count; i++)
	{
		tuples[i] = tuple_translated(counts->states[i].tuple, order.channel_places);
		order.states[i] = i;
	}
	qsort_interruptible(order.states, counts->state_count, sizeof(uint32), compare_keys, tuples);
	for (uint32 i = 0; i < counts->state_count; i++)
	{
		order.tuples[i] = tuples[order.states[i]];
		order.state_places[order.states[i]] = i;
	}
	pfree(tuples);

	keys = palloc_extended(Max(counts->transition_count, 1) * sizeof(uint64), MCXT_ALLOC_HUGE);
	order.transitions = palloc_extended(Max(counts->transition_count, 1) * sizeof(uint32), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < counts->transition_count; i++)
	{
		const MarkovTransition *transition = &counts->transitions[i];

		keys[i] = (uint64) order.state_places[transition->from] << CHANNEL_BITS |
			order.channel_places[transition->channel];
		order.transitions[i] = i;
	}
	qsort_interruptible(order.transitions, counts->transition_count, sizeof(uint32), compare_keys, keys);
	pfree(keys);
	return order;
}

/* Where in the canonical order the transitions of a state end that begin at 'first'. */
uint32
markov_transitions_end(const MarkovCounts *counts, const MarkovOrder *order, uint32 first, uint32 state)
{
	while (first < counts->transition_count && counts->transitions[order->transitions[first]].from == state)
		first++;
	return first;
}

void
markov_order_free(MarkovOrder *order)
{
	pfree(order->channels);
	pfree(order->channel_places);
	pfree(order->tuples);
	pfree(order->states);
	pfree(order->state_places);
	pfree(order->transitions);
}

/*
 * The flat form: version, order, names of the channels, unattributed conversions and
 * their value, then each state in canonical order: its channels' places + 1, paths that
 * begin and end there, and its transitions (channel, count).
 */
static void
write_content(const void *content, StringInfo out)
{
	const MarkovCounts *counts = content;
	MarkovOrder order = markov_order(counts);
	uint32		next = 0;

	state_write_number(out, FORMAT_VERSION);
	state_write_number(out, (uint64) counts->chain_order);
	channel_names_write(&counts->channels, order.channels, out);
	state_write_number(out, (uint64) counts->unattributed_conversions);
	state_write_sum(out, &counts->unattributed_value);
	state_write_number(out, counts->state_count);
	for (uint32 i = 0; i < counts->state_count; i++)
	{
		const MarkovState *state = &counts->states[order.states[i]];
		uint32		end = markov_transitions_end(counts, &order, next, order.states[i]);

		state_write_number(out, order.tuples[i]);
		state_write_number(out, (uint64) state->starts);
		state_write_number(out, (uint64) state->conversions);
		state_write_number(out, (uint64) state->non_conversions);
		state_write_sum(out, &state->value);
		state_write_number(out, end - next);
		for (; next < end; next++)
		{
			const MarkovTransition *transition = &counts->transitions[order.transitions[next]];

			state_write_number(out, order.channel_places[transition->channel]);
			state_write_number(out, (uint64) transition->count);
		}
		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	markov_order_free(&order);
}

static void
read_content(void *content, StateReader *reader)
{
	MarkovCounts *counts = content;
	uint64		state_count;

	if (state_read_number(reader, PG_UINT64_MAX) != FORMAT_VERSION)
		state_corrupt(reader);
	counts->chain_order = (int) state_read_number(reader, MARKOV_MAX_ORDER);
	channel_names_read(&counts->channels, reader);
	if (counts->channels.count > MARKOV_MAX_CHANNELS)
		state_corrupt(reader);
	counts->unattributed_conversions = (int64) state_read_number(reader, PG_INT64_MAX);
	state_read_sum(reader, &counts->unattributed_value, counts->context);
	state_count = state_read_number(reader, counts->chain_order > 0 ? PG_INT32_MAX : 0);
	for (uint64 i = 0; i < state_count; i++)
	{
		uint32		number = markov_state(counts, tuple_read(counts, reader));
		MarkovState *state = &counts->states[number];
		uint64		transition_count;

		state->starts = (int64) state_read_number(reader, PG_INT64_MAX);
		state->conversions = (int64) state_read_number(reader, PG_INT64_MAX);
		state->non_conversions = (int64) state_read_number(reader, PG_INT64_MAX);
		state_read_sum(reader, &state->value, counts->context);
		transition_count = state_read_number(reader, counts->channels.count);
		for (uint64 j = 0; j < transition_count; j++)
		{
			uint32		channel = (uint32) state_read_place(reader, counts->channels.count);

			markov_transition(counts, number, channel)->count = (int64) state_read_number(reader, PG_INT64_MAX);
		}
		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	if (counts->state_count != state_count)
		state_corrupt(reader);
}

static void
check_channel_count(const MarkovCounts *counts)
{
	if (unlikely(counts->channels.count > MARKOV_MAX_CHANNELS))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many channels for a Markov chain: more than %d", MARKOV_MAX_CHANNELS),
				 errhint("Give rare channels one name.")));
}

/* The tuple of the last k touches when a touch of this channel follows. */
static uint64
tuple_after(const MarkovCounts *counts, uint64 tuple, uint32 channel)
{
	return (tuple << CHANNEL_BITS | (channel + 1)) &
		(PG_UINT64_MAX >> (64 - CHANNEL_BITS * counts->chain_order));
}

/* The tuple with other numbers for the channels. */
static uint64
tuple_translated(uint64 tuple, const uint32 *numbers)
{
	uint64		translated = 0;

	for (int shift = 0; shift < 64 && tuple >> shift != 0; shift += CHANNEL_BITS)
		translated |= (uint64) (numbers[(tuple >> shift & CHANNEL_MASK) - 1] + 1) << shift;
	return translated;
}

static uint64
tuple_read(const MarkovCounts *counts, StateReader *reader)
{
	uint64		tuple = state_read_number(reader, PG_UINT64_MAX >> (64 - CHANNEL_BITS * Max(counts->chain_order, 1)));

	if (tuple == 0)
		state_corrupt(reader);
	for (int shift = 0; shift < 64 && tuple >> shift != 0; shift += CHANNEL_BITS)
	{
		uint64		number = tuple >> shift & CHANNEL_MASK;

		if (number == 0 || number > counts->channels.count)
			state_corrupt(reader);
	}
	return tuple;
}

static void
grow_states(MarkovCounts *counts)
{
	uint64		capacity = (uint64) counts->state_capacity * 2;

	if (capacity > PG_INT32_MAX / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many states of a Markov chain: more than %u", counts->state_capacity)));
	counts->state_capacity = (uint32) capacity;
	counts->states = repalloc_huge(counts->states, capacity * sizeof(MarkovState));
	pfree(counts->state_slots);
	counts->state_slots = zeroed_slots(counts, capacity * 2);
	counts->state_slot_mask = (uint32) (capacity * 2 - 1);
	for (uint32 i = 0; i < counts->state_count; i++)
	{
		uint32		slot = tuple_hash(counts->states[i].tuple);

		while (counts->state_slots[slot & counts->state_slot_mask] != 0)
			slot++;
		counts->state_slots[slot & counts->state_slot_mask] = i + 1;
	}
}

static void
grow_transitions(MarkovCounts *counts)
{
	uint64		capacity = (uint64) counts->transition_capacity * 2;

	if (capacity > PG_INT32_MAX / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many transitions of a Markov chain: more than %u", counts->transition_capacity)));
	counts->transition_capacity = (uint32) capacity;
	counts->transitions = repalloc_huge(counts->transitions, capacity * sizeof(MarkovTransition));
	pfree(counts->transition_slots);
	counts->transition_slots = zeroed_slots(counts, capacity * 2);
	counts->transition_slot_mask = (uint32) (capacity * 2 - 1);
	for (uint32 i = 0; i < counts->transition_count; i++)
	{
		const MarkovTransition *transition = &counts->transitions[i];
		uint32		slot = transition_hash(transition->from, transition->channel);

		while (counts->transition_slots[slot & counts->transition_slot_mask] != 0)
			slot++;
		counts->transition_slots[slot & counts->transition_slot_mask] = i + 1;
	}
}

static uint32 *
zeroed_slots(const MarkovCounts *counts, uint64 slot_count)
{
	return MemoryContextAllocExtended(counts->context, slot_count * sizeof(uint32),
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

static int
compare_keys(const void *a, const void *b, void *keys)
{
	uint64		left = ((const uint64 *) keys)[*(const uint32 *) a];
	uint64		right = ((const uint64 *) keys)[*(const uint32 *) b];

	return (left > right) - (left < right);
}
