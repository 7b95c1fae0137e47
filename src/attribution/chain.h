/*
 * chain.h
 *		A Markov chain of conversion paths, ready to be solved, and the effect of
 *		removing a channel from it.
 *
 * Everything is in numbers of paths, not probabilities: dividing a row by its sum
 * gives the probabilities.
 */
#ifndef ENGAGEMENT_CHAIN_H
#define ENGAGEMENT_CHAIN_H

#include "postgres.h"

#include "attribution/markov_counts.h"

typedef struct Chain
{
	uint32		channel_count;
	uint32		state_count;
	const TimelineString **channels;	/* names in order; those below are by their places */
	const uint64 *tuples;		/* of each state, its channels' places + 1, 16 bits each, the latest lowest */
	double	   *starts;
	double	   *conversions;
	double	   *non_conversions;
	double	   *values;
	uint64	   *first;			/* of each state, where its transitions begin; and their end */
	uint32	   *to;				/* of each transition */
	double	   *counts;
	double		total_conversions;	/* of the chain, without unattributed ones */
	double		total_non_conversions;
	double		total_value;
	double		unattributed_conversions;
	double		unattributed_value;
} Chain;

/* What would be lost without a channel: conversions, and their value. */
typedef struct ChannelLoss
{
	double		conversions;
	double		value;
} ChannelLoss;

extern Chain *chain_create(const MarkovCounts *counts);
extern ChannelLoss *chain_losses(const Chain *chain);

/* Whether a state has a channel of these places, from lowest up to, not including, highest. */
static inline bool
tuple_has_channel(uint64 tuple, uint32 lowest, uint32 highest)
{
	for (; tuple != 0; tuple >>= CHANNEL_BITS)
	{
		uint32		place = tuple_channel(tuple, 0);

		if (place >= lowest && place < highest)
			return true;
	}
	return false;
}

#endif							/* ENGAGEMENT_CHAIN_H */
