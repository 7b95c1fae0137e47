/*
 * chain_levels.h
 *		Markov chains of orders 0 to k, counted from the same paths and tied to each
 *		other, with some of the journeys held out.
 *
 * A state of level k is the context of a step: the last k touches, or all there
 * were.  Level 0 has one state.  Unlike those of a chain they also include the start, and the
 * beginnings of longer paths.  Its parent is the state of level k - 1 that it is a part
 * of; the parent of a transition is that by the same channel from the state's parent.
 */
#ifndef ENGAGEMENT_CHAIN_LEVELS_H
#define ENGAGEMENT_CHAIN_LEVELS_H

#include "postgres.h"

#include "attribution/attribution.h"
#include "attribution/markov_counts.h"

/* How a journey ends. */
#define OUTCOME_CONVERSION 0
#define OUTCOME_NON_CONVERSION 1
#define OUTCOMES 2

typedef struct LevelState
{
	uint32		parent;
	int			touches;		/* how many it is made of */
	bool		adds_nothing;	/* to its parent, by the journeys that are not held out */
	int64		out;			/* journeys that go on from it, or end in it */
	int64		out_held;		/* of these, held out */
	int64		ends[OUTCOMES];
	int64		ends_held[OUTCOMES];
	double		end_probabilities[OUTCOMES];	/* by the journeys that are not held out */
} LevelState;

typedef struct LevelTransition
{
	uint32		from;			/* number of the state */
	uint32		parent;
	int64		count;
	int64		held;
	double		probability;	/* by the journeys that are not held out */
	double		loss;			/* -ln(probability) */
} LevelTransition;

typedef struct ChainLevel
{
	uint32		state_count;
	uint32		transition_count;
	LevelState *states;
	LevelTransition *transitions;
} ChainLevel;

typedef struct ChainLevels
{
	int			max_order;
	uint32		channel_count;
	ChainLevel	level[MARKOV_MAX_ORDER + 1];	/* by order */
	double		conversions;
	double		non_conversions;
	uint32		path_count;
	const PathEntry **paths;	/* in canonical order, those with channels */
	uint64	   *first_step;		/* of each path; and the end of the last one's */
	uint32	   *steps;			/* transitions of the highest level */
	uint32	   *last_states;	/* of each path, in the highest level */
} ChainLevels;

extern ChainLevels *chain_levels_create(const SortedPaths *paths, int max_order);
extern int64 chain_level_states(const ChainLevel *level, int order);
extern void chain_levels_clear_held(ChainLevels *levels);
extern void chain_levels_hold(ChainLevels *levels, uint32 path, int64 conversions, int64 non_conversions);
extern void chain_levels_estimate(ChainLevels *levels);

#endif							/* ENGAGEMENT_CHAIN_LEVELS_H */
