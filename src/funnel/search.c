/*
 * search.c
 *		The exact search for the longest chain of events that completes the steps of
 *		a funnel: one entry for all modes.
 */
#include "postgres.h"

#include "funnel/search.h"

/* The number of the furthest step that a chain reaches; 0 if none starts. */
int
funnel_search_level(const FunnelInput *input)
{
	FunnelBest	best;

	if (input->rule->mode == FUNNEL_ANY)
		return funnel_search_any_level(input);
	funnel_search_ordered(input, &best);
	return best.level;
}

/*
 * The chain to report: of the greatest level the one with the earliest last time, then
 * the latest first time, then the smallest times by step, skipped ones last.  Its entry is
 * the first event, in the input's order, that can be the chain's first step (in mode any:
 * the lowest step at the chain's earliest time).
 */
void
funnel_search_chain(const FunnelInput *input, FunnelChain *chain)
{
	FunnelBest	best;

	memset(chain, 0, sizeof(FunnelChain));
	if (input->rule->mode == FUNNEL_ANY)
	{
		funnel_search_any_chain(input, chain);
		return;
	}
	funnel_search_ordered(input, &best);
	if (best.level == 0)
		return;
	funnel_find_chain(input, &best, best.held[0], chain);
	for (uint32 i = 1; i < best.held_count; i++)
	{
		FunnelChain other;
		int			order;

		memset(&other, 0, sizeof(FunnelChain));
		funnel_find_chain(input, &best, best.held[i], &other);
		order = funnel_compare_times(&other, chain);
		if (order < 0 || (order == 0 && other.entry < chain->entry))
			*chain = other;
	}
}

/* Of two chains with the same steps: by their times from step to step, a skipped one last. */
int
funnel_compare_times(const FunnelChain *a, const FunnelChain *b)
{
	int			level = Max(a->level, b->level);

	for (int i = 1; i <= level; i++)
	{
		bool		a_takes = (a->taken & STEP_BIT(i)) != 0;
		bool		b_takes = (b->taken & STEP_BIT(i)) != 0;

		if (a_takes != b_takes)
			return a_takes ? -1 : 1;
		if (a_takes && a->times[i] != b->times[i])
			return a->times[i] < b->times[i] ? -1 : 1;
	}
	return 0;
}
