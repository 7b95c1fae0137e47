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
	uint32	   *places;			/* of the events in the input */
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
	bool		must_have_first;	/* some chain with this last time starts too late */
} Completion;

/* Which event serves which step, while steps are restricted to times one by one. */
typedef struct Assignment
{
	int			level;
	bool		once;
	int			count;
	Candidate  *events;
	int		   *step_of;		/* by event; 0: none */
	bool	   *visited;		/* by event, in the search under way */
	int			event_of[FUNNEL_MAX_STEPS + 1];
	uint64		restricted;		/* steps that have their time, ... */
	int64		only_at[FUNNEL_MAX_STEPS + 1]; /* ... and which */
	bool		must_have_first;	/* one of those left must have the first time */
	int64		first;
} Assignment;

static Candidates *split_by_held(const FunnelInput *input);
static int	greatest_level(const FunnelRule *rule, const Candidates *candidates, Completion *completion);
static bool find_completion(const FunnelRule *rule, const Candidates *candidates, int level, Completion *completion);
static void add_to_window(Window *window, const Candidate *event, bool once);
static void find_times(const FunnelInput *input, const Candidates *candidates, int level,
					   const Completion *completion, FunnelChain *chain);
static void collect_events(Assignment *assignment, const Candidates *candidates, int step_count, int level,
						   const Completion *completion);
static bool restrict_step(Assignment *assignment, int step, int64 at);
static bool reassign(Assignment *assignment, int step);
static void clear_visits(Assignment *assignment);
static bool assign(Assignment *assignment, int step);
static uint32 find_entry(const FunnelInput *input, const Candidates *candidates, int64 first, uint64 steps);

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
	uint32	   *places = palloc_extended(sizeof(uint32) * ((Size) input->event_count + 1), MCXT_ALLOC_HUGE);

	for (uint32 i = 0; i < input->event_count; i++)
		candidates[input->kinds[input->events[i].kind].held].count++;
	for (uint32 i = 0; i < input->held_count; i++)
	{
		candidates[i].held = i;
		candidates[i].events = room;
		room += candidates[i].count;
		candidates[i].places = places;
		places += candidates[i].count;
		candidates[i].count = 0;
	}
	for (uint32 i = 0; i < input->event_count; i++)
	{
		const FunnelKind *kind = &input->kinds[input->events[i].kind];
		Candidates *its = &candidates[kind->held];

		if (kind->steps != 0 && input->events[i].at >= input->rule->entered_from)
		{
			its->places[its->count] = i;
			its->events[its->count++] = (Candidate) {input->events[i].at, kind->steps};
		}
	}
	return candidates;
}

/*
 * What completes k steps completes k - 1 steps, so bisection finds the level; but not if
 * the entry is restricted, as it may be the event of step k that has the right time.
 */
static int
greatest_level(const FunnelRule *rule, const Candidates *candidates, Completion *completion)
{
	bool		is_monotone = !funnel_restricts_entry(rule);
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
			*completion = found;
			low = middle;
			if (!is_monotone)
				break;
		}
		else
			high = middle - 1;
		middle = is_monotone ? low + (high - low + 1) / 2 : high;
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
		completion->must_have_first = first > rule->entered_to;
		completion->first = completion->must_have_first ? entered_at : first;
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
 * turn is restricted to the earliest time that leaves all steps an event.  Of the events
 * of a step, only as many as there are steps come into question.
 */
static void
find_times(const FunnelInput *input, const Candidates *candidates, int level,
		   const Completion *completion, FunnelChain *chain)
{
	const FunnelRule *rule = input->rule;
	Assignment	assignment = {0};
	uint64		first_steps = 0;

	collect_events(&assignment, candidates, rule->step_count, level, completion);
	assignment.level = level;
	assignment.once = rule->once;
	assignment.must_have_first = completion->must_have_first;
	assignment.first = completion->first;
	for (int step = 1; step <= level; step++)
	{
		clear_visits(&assignment);
		if (!assign(&assignment, step))
			elog(ERROR, "a chain of the funnel was lost");
	}

	memset(chain, 0, sizeof(FunnelChain));
	chain->level = level;
	chain->first = completion->first;
	chain->last = completion->last;
	chain->taken = STEPS_UP_TO(level);
	for (int step = 1; step <= level; step++)
	{
		for (int i = 0;; i++)
		{
			if (i == assignment.count)
				elog(ERROR, "a chain of the funnel was lost");
			if ((assignment.events[i].steps & STEP_BIT(step)) && restrict_step(&assignment, step, assignment.events[i].at))
				break;
			CHECK_FOR_INTERRUPTS();
		}
		chain->times[step] = assignment.only_at[step];
		if (chain->times[step] == completion->first)
			first_steps |= STEP_BIT(step);
	}
	chain->entry = find_entry(input, candidates, completion->first, first_steps);
	pfree(assignment.events);
	pfree(assignment.step_of);
	pfree(assignment.visited);
}

static void
collect_events(Assignment *assignment, const Candidates *candidates, int step_count, int level,
			   const Completion *completion)
{
	int			capacity = (int) Min(candidates->count, (uint32) (step_count * step_count));
	int			supply[FUNNEL_MAX_STEPS] = {0};
	uint64		scarce = STEPS_UP_TO(level);

	assignment->events = palloc(sizeof(Candidate) * capacity);
	assignment->step_of = palloc0(sizeof(int) * capacity);
	assignment->visited = palloc0(sizeof(bool) * capacity);
	for (uint32 i = 0; i < candidates->count && candidates->events[i].at <= completion->last; i++)
	{
		const Candidate *event = &candidates->events[i];

		if (event->at < completion->first || (event->steps & scarce) == 0)
			continue;
		for (uint64 rest = event->steps & scarce; rest != 0; rest &= rest - 1)
		{
			if (++supply[pg_rightmost_one_pos64(rest)] == step_count)
				scarce &= ~(rest & -rest);
		}
		assignment->events[assignment->count++] = *event;
	}
}

/* Restricts one more step to this time, if all steps still find an event. */
static bool
restrict_step(Assignment *assignment, int step, int64 at)
{
	Assignment	before = *assignment;
	int		   *step_of = palloc(sizeof(int) * assignment->count);
	bool		fits;

	memcpy(step_of, assignment->step_of, sizeof(int) * assignment->count);
	assignment->restricted |= STEP_BIT(step);
	assignment->only_at[step] = at;
	fits = assignment->events[assignment->event_of[step]].at == at || reassign(assignment, step);
	if (fits && assignment->must_have_first && at == assignment->first)
		assignment->must_have_first = false;
	else if (fits && assignment->must_have_first)
	{
		Assignment	trial = *assignment;

		/* is there a later step that can have the first time? */
		fits = false;
		trial.must_have_first = false;
		for (int later = step + 1; later <= assignment->level && !fits; later++)
			fits = restrict_step(&trial, later, assignment->first);
		/* the trial may have moved events from step to step, which is as good */
		if (fits)
			memcpy(assignment->event_of, trial.event_of, sizeof(trial.event_of));
	}
	if (!fits)
	{
		*assignment = before;
		memcpy(assignment->step_of, step_of, sizeof(int) * assignment->count);
	}
	pfree(step_of);
	return fits;
}

static bool
reassign(Assignment *assignment, int step)
{
	assignment->step_of[assignment->event_of[step]] = 0;
	clear_visits(assignment);
	return assign(assignment, step);
}

static void
clear_visits(Assignment *assignment)
{
	memset(assignment->visited, 0, sizeof(bool) * assignment->count);
}

/* Finds an event for the step, moving others to other events if need be. */
static bool
assign(Assignment *assignment, int step)
{
	for (int i = 0; i < assignment->count; i++)
	{
		const Candidate *event = &assignment->events[i];

		if ((event->steps & STEP_BIT(step)) == 0 || assignment->visited[i] ||
			((assignment->restricted & STEP_BIT(step)) && event->at != assignment->only_at[step]))
			continue;
		assignment->visited[i] = assignment->once;
		if (!assignment->once || assignment->step_of[i] == 0 || assign(assignment, assignment->step_of[i]))
		{
			assignment->event_of[step] = i;
			assignment->step_of[i] = step;
			return true;
		}
	}
	return false;
}

static uint32
find_entry(const FunnelInput *input, const Candidates *candidates, int64 first, uint64 steps)
{
	uint32		start = 0;
	uint32		end;

	while (candidates->events[start].at < first)
		start++;
	for (end = start; end < candidates->count && candidates->events[end].at == first;)
		end++;
	return funnel_find_entry(input, candidates->places + start, end - start, steps);
}
