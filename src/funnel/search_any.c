/*
 * search_any.c
 *		The mode any: the longest prefix of steps that all occur, in any order, within
 *		one window.
 *
 * Whether steps 1 to k fit into a window that ends at an event is a matching of steps
 * and events.  Sets of events that can be matched are independent in a matroid, so
 * the greedy set of the latest events is kept while the window moves: a new event is
 * matched in addition or in place of the oldest one that it can replace, and
 * events that fall out of the window simply go.  An event costs one walk over the
 * steps.  The set also tells the latest first time, as it is the best in every place.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"

#include "funnel/instant.h"
#include "funnel/search.h"

/* An event of one value of the property to hold. */
typedef struct Candidate
{
	int64		at;
	uint64		steps;
} Candidate;

typedef struct Candidates
{
	uint32		held;
	uint32		count;
	Candidate  *events;
} Candidates;

/* The steps asked for, each with its event if it has one. */
typedef struct Window
{
	uint64		steps;
	uint64		served;
	Candidate	owner[FUNNEL_MAX_STEPS];
} Window;

/* Where a prefix of the steps is complete for the first time. */
typedef struct Completion
{
	int64		first;
	int64		last;
} Completion;

static Candidates *split_by_held(const FunnelInput *input);
static int	greatest_level(const FunnelRule *rule, const Candidates *candidates, Completion *completion);
static bool find_completion(const FunnelRule *rule, const Candidates *candidates, int level, Completion *completion);
static void add_to_window(Window *window, const Candidate *event, bool once);
static void find_times(const FunnelInput *input, const Candidates *candidates, int level,
					   const Completion *completion, FunnelChain *chain);
static bool fits(Instant *instant, const FunnelRule *rule, const Candidate *kept, const bool *used, int count,
				 uint64 rest, bool has_first, int64 first);

int
funnel_search_any_level(const FunnelInput *input)
{
	Candidates *candidates = split_by_held(input);
	Completion	completion;
	int			best = 0;

	for (uint32 i = 0; i < input->held_count; i++)
	{
		int			level = greatest_level(input->rule, &candidates[i], &completion);

		best = Max(best, level);
		CHECK_FOR_INTERRUPTS();
	}
	return best;
}

/* Fills in a zeroed chain, as funnel_search_chain() says. */
void
funnel_search_any_chain(const FunnelInput *input, FunnelChain *chain)
{
	Candidates *candidates = split_by_held(input);

	for (uint32 i = 0; i < input->held_count; i++)
	{
		Completion	completion;
		int			level = greatest_level(input->rule, &candidates[i], &completion);
		FunnelChain found;
		int			order;

		CHECK_FOR_INTERRUPTS();
		if (level == 0 || level < chain->level)
			continue;
		if (level == chain->level &&
			(completion.last > chain->last ||
			 (completion.last == chain->last && completion.first < chain->first)))
			continue;
		find_times(input, &candidates[i], level, &completion, &found);
		order = level > chain->level || found.last < chain->last || found.first > chain->first ? -1 :
			funnel_compare_times(&found, chain);
		if (order < 0 || (order == 0 && found.entry < chain->entry))
			*chain = found;
	}
}

/* The events that satisfy a step and are not too early to be in a chain. */
static Candidates *
split_by_held(const FunnelInput *input)
{
	Candidates *candidates = palloc_extended(sizeof(Candidates) * (Size) input->held_count,
											 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	Candidate  *room = palloc_extended(sizeof(Candidate) * ((Size) input->event_count + 1), MCXT_ALLOC_HUGE);

	for (uint32 i = 0; i < input->event_count; i++)
		candidates[input->kinds[input->events[i].kind].held].count++;
	for (uint32 i = 0; i < input->held_count; i++)
	{
		candidates[i].held = i;
		candidates[i].events = room;
		room += candidates[i].count;
		candidates[i].count = 0;
	}
	for (uint32 i = 0; i < input->event_count; i++)
	{
		const FunnelKind *kind = &input->kinds[input->events[i].kind];
		Candidates *its = &candidates[kind->held];

		if (kind->steps != 0 && input->events[i].at >= input->rule->entered_from)
			its->events[its->count++] = (Candidate) {input->events[i].at, kind->steps};
	}
	return candidates;
}

/* By bisection: what completes k steps completes k - 1 steps. */
static int
greatest_level(const FunnelRule *rule, const Candidates *candidates, Completion *completion)
{
	uint64		steps = 0;
	int			low = 0;
	int			high;
	int			middle;

	for (uint32 i = 0; i < candidates->count; i++)
		steps |= candidates->events[i].steps;
	middle = high = funnel_highest_level(rule, steps);
	while (low < high)
	{
		Completion	found;

		if (find_completion(rule, candidates, middle, &found))
		{
			low = middle;
			*completion = found;
		}
		else
			high = middle - 1;
		middle = low + (high - low + 1) / 2;
	}
	return low;
}

/*
 * The first instant at which steps 1 to level are complete, and the latest time at
 * which such a chain started.
 */
static bool
find_completion(const FunnelRule *rule, const Candidates *candidates, int level, Completion *completion)
{
	Window		window = {.steps = STEPS_UP_TO(level)};
	bool		has_entered = false;
	int64		entered_at = 0; /* the latest event that may be the first of a chain */

	for (uint32 i = 0; i < candidates->count; i++)
	{
		const Candidate *event = &candidates->events[i];
		int64		first = event->at;

		for (uint64 rest = window.served; rest != 0; rest &= rest - 1)
		{
			if ((uint64) event->at - (uint64) window.owner[pg_rightmost_one_pos64(rest)].at > rule->within)
				window.served &= ~(rest & -rest);
		}
		if ((event->steps & window.steps) != 0)
		{
			add_to_window(&window, event, rule->once);
			if (event->at <= rule->entered_to)
			{
				has_entered = true;
				entered_at = event->at;
			}
		}
		if (i % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		/* the events of an instant belong together */
		if (window.served != window.steps ||
			(i + 1 < candidates->count && candidates->events[i + 1].at == event->at))
			continue;
		if (!has_entered || (uint64) event->at - (uint64) entered_at > rule->within)
			continue;
		for (int step = 0; step < level; step++)
			first = Min(first, window.owner[step].at);
		/* any event that satisfies a step can be exchanged into a complete chain */
		completion->first = first <= rule->entered_to ? first : entered_at;
		completion->last = event->at;
		return true;
	}
	return false;
}

static void
add_to_window(Window *window, const Candidate *event, bool once)
{
	uint64		reached = event->steps & window->steps;
	uint64		visited = reached;
	int8		from[FUNNEL_MAX_STEPS];	/* the step whose event moves to this one; -1: the new one */
	int			target = -1;

	if (!once)
	{
		for (; reached != 0; reached &= reached - 1)
			window->owner[pg_rightmost_one_pos64(reached)] = *event;
		window->served |= visited;
		return;
	}
	for (uint64 rest = reached; rest != 0; rest &= rest - 1)
		from[pg_rightmost_one_pos64(rest)] = -1;
	while (reached != 0)
	{
		int			step = pg_rightmost_one_pos64(reached);
		uint64		more;

		reached &= reached - 1;
		if ((window->served & (UINT64CONST(1) << step)) == 0)
		{
			target = step;
			break;
		}
		if (target < 0 || window->owner[step].at < window->owner[target].at)
			target = step;
		more = window->owner[step].steps & window->steps & ~visited;
		visited |= more;
		for (uint64 rest = more; rest != 0; rest &= rest - 1)
			from[pg_rightmost_one_pos64(rest)] = (int8) step;
		reached |= more;
	}
	if (target < 0)
		return;
	window->served |= UINT64CONST(1) << target;
	for (; from[target] >= 0; target = from[target])
		window->owner[target] = window->owner[from[target]];
	window->owner[target] = *event;
}

/*
 * The smallest times by step among the chains with this first and last time.  Each step in
 * turn takes its earliest event that leaves the other steps theirs.  Of the events of
 * a step, only as many as there are steps come into question.
 */
static void
find_times(const FunnelInput *input, const Candidates *candidates, int level,
		   const Completion *completion, FunnelChain *chain)
{
	const FunnelRule *rule = input->rule;
	uint64		rest = STEPS_UP_TO(level);
	uint64		first_steps = 0;
	Instant		instant = {0};
	int			capacity = Min(candidates->count, (uint32) (rule->step_count * rule->step_count));
	Candidate  *kept = palloc(sizeof(Candidate) * Max(capacity, 1));
	bool	   *used = palloc0(sizeof(bool) * Max(capacity, 1));
	int			count = 0;

	for (uint32 i = 0; i < candidates->count; i++)
	{
		const Candidate *event = &candidates->events[i];
		uint64		steps = event->steps & rest;

		if (event->at < completion->first || steps == 0 || (steps & ~instant.plentiful) == 0)
			continue;
		if (event->at > completion->last)
			break;
		instant_add(&instant, steps, rule->step_count);
		kept[count++] = (Candidate) {event->at, steps};
	}

	memset(chain, 0, sizeof(FunnelChain));
	chain->level = level;
	chain->first = completion->first;
	chain->last = completion->last;
	chain->taken = rest;
	for (int step = 1; step <= level; step++)
	{
		rest &= ~STEP_BIT(step);
		for (int i = 0;; i++)
		{
			int			group;

			if (i == count)
				elog(ERROR, "a chain of the funnel was lost");
			if (used[i] || (kept[i].steps & STEP_BIT(step)) == 0)
				continue;
			chain->times[step] = kept[i].at;
			if (!rule->once)
				break;
			for (group = 0; instant.groups[group].steps != kept[i].steps; group++)
				;
			used[i] = true;
			instant.groups[group].count--;
			if (fits(&instant, rule, kept, used, count, rest,
					 first_steps != 0 || kept[i].at == completion->first, completion->first))
				break;
			used[i] = false;
			instant.groups[group].count++;
			CHECK_FOR_INTERRUPTS();
		}
		if (chain->times[step] == completion->first)
			first_steps |= STEP_BIT(step);
	}
	chain->entry = funnel_find_entry(input, candidates->held, completion->first, first_steps);
	pfree(kept);
	pfree(used);
}

/* Whether the events not yet used can serve the rest, one of them at the first time if none was. */
static bool
fits(Instant *instant, const FunnelRule *rule, const Candidate *kept, const bool *used, int count,
	 uint64 rest, bool has_first, int64 first)
{
	/* what satisfies a step can be exchanged into a complete chain; the first time comes first */
	for (int i = 0; !has_first && i < count && kept[i].at == first; i++)
		has_first = !used[i] && (kept[i].steps & rest) != 0;
	return has_first && instant_serves(instant, rule, rest);
}
