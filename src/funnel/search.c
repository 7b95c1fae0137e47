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
	FunnelTrace *trace;

	memset(chain, 0, sizeof(FunnelChain));
	if (input->rule->mode == FUNNEL_ANY)
	{
		funnel_search_any_chain(input, chain);
		return;
	}
	funnel_search_ordered(input, &best);
	if (best.level == 0)
		return;
	trace = funnel_start_trace(input, &best);
	funnel_trace_chain(trace, 0, chain);
	for (uint32 i = 1; i < best.held_count; i++)
	{
		FunnelChain other;
		int			order;

		funnel_trace_chain(trace, i, &other);
		order = funnel_compare_times(&other, chain);
		if (order < 0 || (order == 0 && other.entry < chain->entry))
			*chain = other;
	}
}

/* Of two chains with the same steps: by their times from step to step, a skipped one last. */
int
funnel_compare_times(const FunnelChain *a, const FunnelChain *b)
{
	/* not two flags compared with each other: GCC 12.2 miscompiles that here at -O2 */
	uint64		both = a->taken & b->taken;

	for (int i = 1; i <= Max(a->level, b->level); i++)
	{
		if ((both & STEP_BIT(i)) == 0)
		{
			if (a->taken & STEP_BIT(i))
				return -1;
			if (b->taken & STEP_BIT(i))
				return 1;
		}
		else if (a->times[i] != b->times[i])
			return a->times[i] < b->times[i] ? -1 : 1;
	}
	return 0;
}
