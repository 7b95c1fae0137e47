/*
 * markov_counts.h
 *		The counted transitions of a Markov chain, in memory: what a markov holds.
 *
 * A state of a chain of order k is the last k touches, so it says what a path did
 * up to a touch.  A path of k touches or fewer is in one state only.
 */
#ifndef ENGAGEMENT_MARKOV_COUNTS_H
#define ENGAGEMENT_MARKOV_COUNTS_H

#include "postgres.h"

#include "attribution/channel_names.h"
#include "base/expanded_state.h"
#include "attribution/path_set.h"
#include "base/exact_sum.h"

#define MARKOV_MAX_ORDER 4
/* Four numbers of channels go into 64 bits, each plus 1; 0 stands for no channel. */
#define CHANNEL_BITS 16
#define CHANNEL_MASK UINT64CONST(0xffff)
#define MARKOV_MAX_CHANNELS 65535

typedef struct MarkovState
{
	uint64		tuple;			/* channel numbers + 1, 16 bits each, the latest lowest */
	int64		starts;			/* paths that begin in this state */
	int64		conversions;	/* paths that end in it, and convert */
	int64		non_conversions;	/* paths that end in it, and do not */
	ExactSum	value;			/* of those that convert */
} MarkovState;

typedef struct MarkovTransition
{
	uint32		from;			/* number of the state */
	uint32		channel;		/* of the next touch */
	uint32		to;
	int64		count;
} MarkovTransition;

typedef struct MarkovCounts
{
	MemoryContext context;
	int			chain_order;	/* 0: not known yet */
	ChannelNames channels;
	uint32		state_count;
	uint32		state_capacity;
	MarkovState *states;		/* in order of arrival */
	uint32		state_slot_mask;
	uint32	   *state_slots;	/* by tuple: state + 1, 0: free */
	uint32		transition_count;
	uint32		transition_capacity;
	MarkovTransition *transitions;
	uint32		transition_slot_mask;
	uint32	   *transition_slots;	/* by state and channel: transition + 1, 0: free */
	int64		unattributed_conversions;	/* of paths without channels */
	ExactSum	unattributed_value;
} MarkovCounts;

/* A chain in canonical order, which does not depend on the order of arrival. */
typedef struct MarkovOrder
{
	uint32	   *channels;		/* by place: its number */
	uint32	   *channel_places; /* by number: its place */
	uint64	   *tuples;			/* by place, ascending: the state's channels, as places */
	uint32	   *states;			/* by place: its number */
	uint32	   *state_places;	/* by number: its place */
	uint32	   *transitions;	/* in the order of from, then channel: numbers */
} MarkovOrder;

extern const StateMethods markov_methods;

extern void markov_init(void *content, MemoryContext context);
extern void markov_set_order(MarkovCounts *counts, int64 chain_order);
extern void markov_add_path(MarkovCounts *counts, const uint32 *channels, uint32 length,
							int64 conversions, int64 non_conversions, const ExactSum *value);
extern void markov_add_paths(MarkovCounts *counts, const PathSet *set, int64 chain_order);
extern uint32 markov_state(MarkovCounts *counts, uint64 tuple);
extern MarkovTransition *markov_transition(MarkovCounts *counts, uint32 from, uint32 channel);
extern const char *markov_check(const MarkovCounts *counts);
extern MarkovOrder markov_order(const MarkovCounts *counts);
extern uint32 markov_transitions_end(const MarkovCounts *counts, const MarkovOrder *order, uint32 first, uint32 state);
extern void markov_order_free(MarkovOrder *order);

#define PG_GETARG_MARKOV(n) ((const MarkovCounts *) expanded_state_content(PG_GETARG_DATUM(n), &markov_methods))

/* How many touches a state is made of. */
static inline int
tuple_length(uint64 tuple)
{
	int			length = 0;

	for (; tuple != 0; tuple >>= CHANNEL_BITS)
		length++;
	return length;
}

/* The number, or place, of the channel so many touches before a state's latest. */
static inline uint32
tuple_channel(uint64 tuple, int before)
{
	return (uint32) (tuple >> (CHANNEL_BITS * before) & CHANNEL_MASK) - 1;
}

#endif							/* ENGAGEMENT_MARKOV_COUNTS_H */
