/*
 * path_credit.c
 *		Credit by models that share each path's conversions by a rule of their own,
 *		and the order of paths in which all models add up.
 *
 * Sums are exact and rounded once, so the order of adding could not matter; the
 * canonical order makes each addend the same.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "attribution/attribution.h"

/* How one path's conversions are shared among its touches. */
typedef void (*ShareFunction) (void *rule, const PathEntry *entry, double *weights);

typedef struct RuleWithSkips
{
	const CreditRule *rule;
	const bool *skip;			/* by channel number; NULL: none */
	bool	   *room;			/* by touch of the path */
} RuleWithSkips;

/* For distinct channels: the number of the path in which a channel was met last. */
typedef struct DistinctRoom
{
	uint64		path;
	uint64	   *met_in;
} DistinctRoom;

static ChannelCredit *share_paths(const SortedPaths *paths, ShareFunction share, void *rule);
static uint32 longest_path(const SortedPaths *paths);
static void share_by_rule(void *rule, const PathEntry *entry, double *weights);
static void share_by_distinct(void *room, const PathEntry *entry, double *weights);

/* Palloc'd. */
SortedPaths *
sorted_paths_create(const PathSet *set)
{
	SortedPaths *paths = palloc(sizeof(SortedPaths));
	int128		conversions = 0;
	int128		unattributed = 0;
	ExactSum	value = {0};

	paths->set = set;
	paths->channel_count = set->channels.count;
	paths->order = channels_in_order(&set->channels);
	paths->places = channel_places(&set->channels, paths->order);
	paths->paths = path_set_sorted(set, paths->places);
	paths->unattributed_value = 0;
	for (uint32 i = 0; i < set->path_count; i++)
	{
		const PathEntry *entry = &set->paths[i];

		if (entry->length == 0)
		{
			unattributed += entry->conversions;
			/* there is but one */
			paths->unattributed_value = exact_sum_value(&entry->value);
			continue;
		}
		conversions += entry->conversions;
		exact_sum_merge(&value, &entry->value, CurrentMemoryContext);
	}
	paths->conversions = (double) conversions;
	paths->unattributed_conversions = (double) unattributed;
	paths->value = exact_sum_value(&value);
	return paths;
}

/*
 * By a model of touch_credit.h that needs no times.  'skip' tells by channel number
 * which channels last_non_direct passes over; NULL: none.
 */
ChannelCredit *
rule_credit(const SortedPaths *paths, const CreditRule *rule, const bool *skip)
{
	RuleWithSkips with_skips = {rule, skip, palloc_extended(Max(longest_path(paths), 1), MCXT_ALLOC_HUGE)};

	return share_paths(paths, share_by_rule, &with_skips);
}

/* By the sums that were kept of touches with times. */
ChannelCredit *
time_decay_credit(const SortedPaths *paths)
{
	const PathSet *set = paths->set;
	ChannelCredit *credit = palloc0(Max(paths->channel_count, 1) * sizeof(ChannelCredit));

	for (uint32 place = 0; place < paths->channel_count; place++)
	{
		const TimedCredit *timed = path_set_timed_credit(set, paths->order[place]);

		credit[place].effect = credit[place].value_effect = credit[place].std_error = NAN;
		credit[place].conversions = exact_sum_value(&timed->conversions);
		credit[place].value = exact_sum_value(&timed->value);
	}
	return credit;
}

/*
 * By the Shapley value of the game in which channels earn the conversions of all
 * paths that need no other channel: each path's conversions in equal parts to its
 * distinct channels (Zhao, Mahboobi and Bagheri 2018, "Shapley Value Methods for Attribution
 * Modeling in Online Advertising").
 */
ChannelCredit *
shapley_credit(const SortedPaths *paths)
{
	DistinctRoom room = {0, palloc0(Max(paths->channel_count, 1) * sizeof(uint64))};

	return share_paths(paths, share_by_distinct, &room);
}

static ChannelCredit *
share_paths(const SortedPaths *paths, ShareFunction share, void *rule)
{
	Size		count = Max(paths->channel_count, 1);
	ChannelCredit *credit = palloc0(count * sizeof(ChannelCredit));
	ExactSum   *conversions = palloc0(count * sizeof(ExactSum));
	ExactSum   *values = palloc0(count * sizeof(ExactSum));
	double	   *weights = palloc_extended(Max(longest_path(paths), 1) * sizeof(double), MCXT_ALLOC_HUGE);

	for (uint32 i = 0; i < paths->set->path_count; i++)
	{
		const PathEntry *entry = paths->paths[i];
		double		value = exact_sum_value(&entry->value);

		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		if (entry->length == 0 || (entry->conversions == 0 && value == 0))
			continue;
		share(rule, entry, weights);
		for (uint32 j = 0; j < entry->length; j++)
		{
			uint32		place = paths->places[entry->channels[j]];

			if (weights[j] != 0)
			{
				exact_sum_add(&conversions[place], weights[j] * (double) entry->conversions, CurrentMemoryContext);
				/* a path's whole value to its last digit, which may be beyond a double */
				if (weights[j] == 1)
					exact_sum_merge(&values[place], &entry->value, CurrentMemoryContext);
				else
					exact_sum_add(&values[place], weights[j] * value, CurrentMemoryContext);
			}
		}
	}
	for (uint32 place = 0; place < paths->channel_count; place++)
	{
		credit[place].conversions = exact_sum_value(&conversions[place]);
		credit[place].value = exact_sum_value(&values[place]);
		credit[place].effect = credit[place].value_effect = credit[place].std_error = NAN;
	}
	return credit;
}

static uint32
longest_path(const SortedPaths *paths)
{
	uint32		longest = 0;

	for (uint32 i = 0; i < paths->set->path_count; i++)
		longest = Max(longest, paths->set->paths[i].length);
	return longest;
}

static void
share_by_rule(void *rule, const PathEntry *entry, double *weights)
{
	const RuleWithSkips *with_skips = rule;
	CreditPath	path = {.length = (int) entry->length,.channels = entry->channels};

	if (with_skips->skip != NULL)
	{
		for (uint32 i = 0; i < entry->length; i++)
			with_skips->room[i] = with_skips->skip[entry->channels[i]];
		path.skip = with_skips->room;
	}
	credit_weights(with_skips->rule, &path, weights);
}

/* The first touch of each distinct channel takes its part. */
static void
share_by_distinct(void *room, const PathEntry *entry, double *weights)
{
	DistinctRoom *distinct = room;
	uint32		count = 0;

	distinct->path++;
	for (uint32 i = 0; i < entry->length; i++)
	{
		uint64	   *met_in = &distinct->met_in[entry->channels[i]];

		weights[i] = *met_in != distinct->path;
		count += *met_in != distinct->path;
		*met_in = distinct->path;
	}
	for (uint32 i = 0; i < entry->length; i++)
		weights[i] /= count;
}
