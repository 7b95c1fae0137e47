/*
 * path_set.h
 *		Distinct conversion paths with their counts, in memory: what a
 *		conversion_paths holds.
 */
#ifndef ENGAGEMENT_PATH_SET_H
#define ENGAGEMENT_PATH_SET_H

#include "postgres.h"

#include "attribution/channel_names.h"
#include "base/expanded_state.h"
#include "base/exact_sum.h"

/* One distinct path; without channels it is that of unattributed conversions. */
typedef struct PathEntry
{
	const uint32 *channels;		/* numbers in the set's channels, in the order of touches */
	uint32		length;
	uint32		hash;
	int64		conversions;
	int64		non_conversions;
	ExactSum	value;
} PathEntry;

/* What only touches with times can tell of a channel. */
typedef struct TimedCredit
{
	ExactSum	conversions;	/* by the model time_decay */
	ExactSum	value;
	int64		journeys;		/* conversions in whose path the channel is */
	ExactSum	lag;			/* of these: microseconds from its first touch to the conversion */
	uint64		seen_in;		/* number of the last journey it was in; not kept */
} TimedCredit;

typedef struct PathSet
{
	MemoryContext context;
	ChannelNames channels;
	uint32		path_count;
	uint32		path_capacity;
	PathEntry  *paths;			/* in order of arrival */
	uint32		slot_mask;
	uint32	   *slots;			/* path + 1, 0: free; open addressing, at most half full */
	int64		conversions;	/* of all paths, also those without channels */
	int64		timed_conversions;	/* of these, with times of their touches */
	int64		half_life;		/* microseconds, of the timed ones; 0: there are none yet */
	uint32		timed_capacity;
	TimedCredit *timed;			/* by channel, as many as timed_capacity */
} PathSet;

extern const StateMethods path_set_methods;

extern void path_set_init(void *content, MemoryContext context);
extern void path_set_add(PathSet *set, const uint32 *channels, uint32 length,
						 int64 conversions, int64 non_conversions, double value);
extern PathEntry *path_set_entry(PathSet *set, const uint32 *channels, uint32 length);
extern void path_set_count(PathSet *set, PathEntry *entry, int64 conversions, int64 non_conversions);
extern void path_set_half_life(PathSet *set, int64 half_life);
extern TimedCredit *path_set_timed(PathSet *set, uint32 channel);
extern const PathEntry **path_set_sorted(const PathSet *set, const uint32 *places);

#define PG_GETARG_PATH_SET(n) ((const PathSet *) expanded_state_content(PG_GETARG_DATUM(n), &path_set_methods))

/* The sums of a channel, to be read only; all zero if there are none. */
static inline const TimedCredit *
path_set_timed_credit(const PathSet *set, uint32 channel)
{
	static const TimedCredit none;

	return channel < set->timed_capacity ? &set->timed[channel] : &none;
}

/* Adds to a count; an overflow is an error (ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE). */
extern void count_add(int64 *count, int64 more);

#endif							/* ENGAGEMENT_PATH_SET_H */
