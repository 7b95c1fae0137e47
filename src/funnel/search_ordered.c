/*
 * search_ordered.c
 *		The greatest level in the modes ordered and contiguous, by one walk over the
 *		events.
 *
 * Per value of the property to hold (one if none is held) and per level, the walk
 * keeps the latest first time with which a chain came to that level.  That is enough:
 * whoever started later has more of the window left.
 *
 * A chain at a level also ends by itself: when the gap after the step gets too long,
 * after an event that breaks the gap, or, in mode contiguous, with the next instant.
 * All three ask how old the last step is.  Without optional steps the newest chain of
 * a level has the latest first time as well: what came later from a level below had
 * at least as late a predecessor to choose from.  With optional steps there are several
 * ways to a level, and a chain with a later first time may end earlier; then the
 * level keeps its Pareto front, from the latest first time to the latest last one.
 *
 * Instants are taken as a whole, and levels are updated from what they were before
 * the instant, so that the order of the events at one instant means nothing.  Time is
 * in proportion to events times steps, but for the matching of instants with several events.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"

#include "funnel/instant.h"
#include "funnel/search.h"

typedef struct Reached
{
	int64		first;			/* time of the first step */
	int64		last;			/* time of the last one */
} Reached;

/* The chains at one level: descending by first, ascending by last. */
typedef struct Level
{
	uint32		head;
	uint32		count;
	uint32		capacity;
	Reached		newest;			/* where one is enough: then count is 0 or 1 */
	Reached    *front;
} Level;

/* The levels of one value of the property to hold; only those that were reached. */
typedef struct Levels
{
	int			count;
	int			capacity;
	Level	   *level;			/* from level 1 on */
} Levels;

typedef struct Search
{
	const FunnelInput *input;
	const FunnelRule *rule;
	bool		keeps_front;
	int			bound;			/* no chain gets further */
	Instant		instant;
	Levels	  **levels;			/* by value of the property to hold */
	int64		previous_at;	/* the instant before, once there is one */
	uint64		broken;			/* gaps that were broken, and when last */
	int64		broken_at[FUNNEL_MAX_STEPS + 1];
	uint32	   *order;			/* of the kinds of an instant's events, by held value */
	uint32		order_capacity;
	FunnelBest *best;
} Search;

static uint64 steps_that_happen(const FunnelInput *input);
static void search_instant(Search *search, uint32 start, uint32 end);
static int	compare_held(const void *a, const void *b, void *kinds);
static void extend_chains(Search *search, uint32 held, int64 at, uint32 events_at_instant);
static uint64 alive_levels(Search *search, Levels *levels, int64 at, int64 *firsts);
static bool is_over(const Search *search, int level, int64 last, int64 at);
static void arrive(Search *search, uint32 held, int level, int64 at, int64 first);
static void store(Search *search, Levels *levels, int level, Reached reached);
static void push_front(Level *level, Reached reached);

/*
 * The greatest level, and of the chains that reach it the earliest last time and then
 * the latest first one, with the values of the property to hold for which there is
 * such a chain.  Works in the current memory context, and leaves its memory there.
 */
void
funnel_search_ordered(const FunnelInput *input, FunnelBest *best)
{
	const FunnelRule *rule = input->rule;
	Search		search = {0};
	uint32		start = 0;

	memset(best, 0, sizeof(FunnelBest));
	search.input = input;
	search.rule = rule;
	search.best = best;
	search.keeps_front = rule->mode == FUNNEL_ORDERED && rule->optional != 0 &&
		(rule->has_gaps || rule->has_exclusions);
	search.bound = funnel_highest_level(rule, steps_that_happen(input));
	if (search.bound == 0)
		return;
	search.levels = palloc_extended(sizeof(Levels *) * (Size) input->held_count,
									MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	while (start < input->event_count && best->level < search.bound)
	{
		uint32		end = start + 1;

		while (end < input->event_count && input->events[end].at == input->events[start].at)
			end++;
		search_instant(&search, start, end);
		CHECK_FOR_INTERRUPTS();
		start = end;
	}
}

static uint64
steps_that_happen(const FunnelInput *input)
{
	uint64		steps = 0;

	for (uint32 i = 0; i < input->event_count; i++)
		steps |= input->kinds[input->events[i].kind].steps;
	return steps;
}

/* The events from start to before end, which are at one instant. */
static void
search_instant(Search *search, uint32 start, uint32 end)
{
	const FunnelInput *input = search->input;
	const FunnelKind *kinds = input->kinds;
	const FunnelEvent *events = input->events;
	Instant    *instant = &search->instant;
	int			step_count = search->rule->step_count;
	int64		at = events[start].at;
	uint64		breaks = 0;

	if (input->held_count > 1 && end - start > 1)
	{
		uint32		count = end - start;
		uint32		next;

		if (count > search->order_capacity)
		{
			search->order_capacity = count;
			search->order = search->order == NULL ? palloc_extended(sizeof(uint32) * (Size) count, MCXT_ALLOC_HUGE) :
				repalloc_huge(search->order, sizeof(uint32) * (Size) count);
		}
		for (uint32 i = 0; i < count; i++)
			search->order[i] = events[start + i].kind;
		qsort_arg(search->order, count, sizeof(uint32), compare_held, (void *) kinds);
		for (uint32 i = 0; i < count; i = next)
		{
			uint32		held = kinds[search->order[i]].held;

			instant_clear(instant);
			for (next = i; next < count && kinds[search->order[next]].held == held; next++)
			{
				if (kinds[search->order[next]].steps != 0)
					instant_add(instant, kinds[search->order[next]].steps, step_count);
			}
			if (instant->steps != 0)
				extend_chains(search, held, at, count);
		}
	}
	else
	{
		instant_clear(instant);
		for (uint32 i = start; i < end; i++)
		{
			if (kinds[events[i].kind].steps != 0)
				instant_add(instant, kinds[events[i].kind].steps, step_count);
		}
		if (instant->steps != 0)
			extend_chains(search, kinds[events[start].kind].held, at, end - start);
	}

	if (search->rule->has_exclusions)
	{
		for (uint32 i = start; i < end; i++)
			breaks |= kinds[events[i].kind].breaks;
		search->broken |= breaks;
		for (; breaks != 0; breaks &= breaks - 1)
			search->broken_at[pg_rightmost_one_pos64(breaks) + 1] = at;
	}
	search->previous_at = at;
}

static int
compare_held(const void *a, const void *b, void *kinds)
{
	uint32		left = ((const FunnelKind *) kinds)[*(const uint32 *) a].held;
	uint32		right = ((const FunnelKind *) kinds)[*(const uint32 *) b].held;

	return (left > right) - (left < right);
}

/*
 * To which levels chains of this held value come at this instant, from the levels
 * they had before it.
 */
static void
extend_chains(Search *search, uint32 held, int64 at, uint32 events_at_instant)
{
	const FunnelRule *rule = search->rule;
	Instant    *instant = &search->instant;
	Levels	   *levels = search->levels[held];
	bool		enters = funnel_may_enter(rule, at);
	bool		is_contiguous = rule->mode == FUNNEL_CONTIGUOUS;
	int64		firsts[FUNNEL_MAX_STEPS + 1];
	int			lowest[FUNNEL_MAX_STEPS + 1];
	int			highest[FUNNEL_MAX_STEPS + 1];
	Reached		arrived[FUNNEL_MAX_STEPS + 1];
	uint64		going_on = 0;	/* levels that a chain can leave for a later instant */
	uint64		alive;
	int			best_from = 0;	/* best_first is that of the levels from here to best_to */
	int			best_to = 0;
	int64		best_first = 0;
	bool		has_best = false;

	if (levels == NULL)
	{
		/* most values never start a chain */
		if (!enters || (instant->steps & 1) == 0)
			return;
		levels = search->levels[held] = palloc0(sizeof(Levels));
	}
	alive = alive_levels(search, levels, at, firsts);
	instant_lowest(instant, rule, lowest);
	if (is_contiguous)
	{
		if (events_at_instant == instant->event_count)
			instant_highest(instant, rule, highest);
		else
			for (int i = 1; i <= rule->step_count; i++)
				highest[i] = -1;
	}

	for (uint64 rest = instant->steps; rest != 0; rest &= rest - 1)
	{
		int			level = pg_rightmost_one_pos64(rest) + 1;
		int			from = Max(lowest[level], 1);

		if (lowest[level] == 0 && enters)
		{
			arrived[level].first = arrived[level].last = at;
			arrive(search, held, level, at, at);
			going_on |= STEP_BIT(level);
			continue;
		}
		/* the latest first time among the levels from which the span can be served */
		if (from != best_from)
		{
			best_from = from;
			best_to = from - 1;
			has_best = false;
		}
		for (uint64 some = alive & STEPS_UP_TO(level - 1) & ~STEPS_UP_TO(best_to); some != 0; some &= some - 1)
		{
			int			below = pg_rightmost_one_pos64(some) + 1;

			if (!has_best || firsts[below] > best_first)
				best_first = firsts[below];
			has_best = true;
		}
		best_to = level - 1;
		if (!has_best)
			continue;
		arrive(search, held, level, at, best_first);
		if (!is_contiguous)
		{
			arrived[level].first = best_first;
			arrived[level].last = at;
			going_on |= STEP_BIT(level);
			continue;
		}
		/* it can go on only if it passed through all events of this instant */
		for (uint64 some = highest[level] < from ? 0 :
			 alive & STEPS_UP_TO(highest[level]) & ~STEPS_UP_TO(from - 1); some != 0; some &= some - 1)
		{
			int			below = pg_rightmost_one_pos64(some) + 1;

			if ((going_on & STEP_BIT(level)) == 0 || firsts[below] > arrived[level].first)
			{
				arrived[level].first = firsts[below];
				arrived[level].last = at;
				going_on |= STEP_BIT(level);
			}
		}
	}
	for (uint64 rest = going_on; rest != 0; rest &= rest - 1)
	{
		int			level = pg_rightmost_one_pos64(rest) + 1;

		store(search, levels, level, arrived[level]);
	}
}

/* The levels from which a chain may go on at this instant, and its latest first time. */
static uint64
alive_levels(Search *search, Levels *levels, int64 at, int64 *firsts)
{
	const FunnelRule *rule = search->rule;
	uint64		alive = 0;

	/* the last level has no next one */
	for (int i = 1; i <= Min(levels->count, rule->step_count - 1); i++)
	{
		Level	   *level = &levels->level[i - 1];
		const Reached *reached = &level->newest;

		if (search->keeps_front)
		{
			while (level->count > 0 && is_over(search, i, level->front[level->head].last, at))
			{
				level->head++;
				level->count--;
			}
			reached = level->count > 0 ? &level->front[level->head] : NULL;
		}
		else if (level->count > 0 && is_over(search, i, reached->last, at))
			level->count = 0;
		if (level->count == 0 || (uint64) at - (uint64) reached->first > rule->within)
			continue;
		firsts[i] = reached->first;
		alive |= STEP_BIT(i);
	}
	return alive;
}

/* Whether the gap after this step, at this last time, cannot be left at this instant any more. */
static bool
is_over(const Search *search, int step, int64 last, int64 at)
{
	const FunnelRule *rule = search->rule;

	return (rule->has_gaps && (uint64) at - (uint64) last > rule->gaps[step]) ||
		((search->broken & STEP_BIT(step)) && last < search->broken_at[step]) ||
		(rule->mode == FUNNEL_CONTIGUOUS && last != search->previous_at);
}

static void
arrive(Search *search, uint32 held, int level, int64 at, int64 first)
{
	FunnelBest *best = search->best;

	if (level < best->level || (level == best->level && (at > best->last || first < best->first)))
		return;
	if (level > best->level || first > best->first)
	{
		best->level = level;
		best->last = at;
		best->first = first;
		best->held_count = 0;
	}
	if (best->held_count == best->held_capacity)
	{
		best->held_capacity = Max(best->held_capacity * 2, 4);
		best->held = best->held == NULL ? palloc(best->held_capacity * sizeof(uint32)) :
			repalloc_huge(best->held, (Size) best->held_capacity * sizeof(uint32));
	}
	best->held[best->held_count++] = held;
}

static void
store(Search *search, Levels *levels, int level, Reached reached)
{
	Level	   *place;

	if (level > levels->count)
	{
		if (level > levels->capacity)
		{
			int			capacity = Min(Max(levels->capacity * 2, Max(level, 4)), FUNNEL_MAX_STEPS);

			levels->level = levels->level == NULL ? palloc(capacity * sizeof(Level)) :
				repalloc(levels->level, capacity * sizeof(Level));
			levels->capacity = capacity;
		}
		memset(&levels->level[levels->count], 0, (level - levels->count) * sizeof(Level));
		levels->count = level;
	}
	place = &levels->level[level - 1];
	if (search->keeps_front)
		push_front(place, reached);
	else
	{
		place->newest = reached;
		place->count = 1;
	}
}

/* What started no later and came here earlier has nothing to offer any more. */
static void
push_front(Level *level, Reached reached)
{
	while (level->count > 0 && level->front[level->head + level->count - 1].first <= reached.first)
		level->count--;
	if (level->head + level->count == level->capacity)
	{
		if (level->head >= level->capacity / 2 && level->head > 0)
		{
			memmove(level->front, level->front + level->head, (Size) level->count * sizeof(Reached));
		}
		else
		{
			Reached    *front;

			level->capacity = Max(level->capacity * 2, 4);
			front = palloc_extended((Size) level->capacity * sizeof(Reached), MCXT_ALLOC_HUGE);
			if (level->front != NULL)
			{
				memcpy(front, level->front + level->head, (Size) level->count * sizeof(Reached));
				pfree(level->front);
			}
			level->front = front;
		}
		level->head = 0;
	}
	level->front[level->head + level->count++] = reached;
}
