/*
 * attribution.h
 *		What each channel is credited with by a model.
 */
#ifndef ENGAGEMENT_ATTRIBUTION_H
#define ENGAGEMENT_ATTRIBUTION_H

#include "postgres.h"

#include "attribution/chain.h"
#include "attribution/path_set.h"
#include "attribution/touch_credit.h"

/* Where random choices begin if SQL does not say. */
#define DEFAULT_SEED 1

/* A channel's credit; what is NaN is unknown, and NULL in SQL. */
typedef struct ChannelCredit
{
	double		conversions;
	double		value;
	double		effect;			/* the model's own measure: removal effect, Shapley value */
	double		value_effect;	/* the same in terms of value */
	double		std_error;		/* of conversions, where the model draws samples; else NaN */
} ChannelCredit;

/* The paths of a set in canonical order, with channels by their places in it. */
typedef struct SortedPaths
{
	const PathSet *set;
	uint32		channel_count;
	uint32	   *order;			/* by place: the channel's number */
	uint32	   *places;			/* by number: its place */
	const PathEntry **paths;
	double		conversions;	/* of paths with channels */
	double		value;
	double		unattributed_conversions;
	double		unattributed_value;
} SortedPaths;

extern SortedPaths *sorted_paths_create(const PathSet *set);

/* Each gives a credit for each channel by its place; palloc'd. */
extern ChannelCredit *rule_credit(const SortedPaths *paths, const CreditRule *rule, const bool *skip);
extern ChannelCredit *time_decay_credit(const SortedPaths *paths);
extern ChannelCredit *markov_credit(const Chain *chain);
extern ChannelCredit *shapley_credit(const SortedPaths *paths);
extern ChannelCredit *observed_shapley_credit(const SortedPaths *paths);
extern ChannelCredit *markov_shapley_credit(const Chain *chain, int permutations, uint64 seed);

#endif							/* ENGAGEMENT_ATTRIBUTION_H */
