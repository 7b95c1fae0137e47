/*
 * instant.c
 *		The events of one instant, and which steps they can serve at once.
 *
 * With "once", steps and events are matched as in a bipartite graph (augmenting
 * paths).  Events that satisfy the same steps form a group with a capacity, and an
 * event whose steps all have as many events as the funnel has steps is not needed:
 * so there are at most step_count squared events in groups, however many there are.
 */
#include "postgres.h"

#include "port/pg_bitutils.h"

#include "funnel/instant.h"

/* Which group has an event at which step, for matchings in which all events are used. */
typedef struct Placement
{
	uint64		window;			/* steps that may be used */
	int			owner[FUNNEL_MAX_STEPS + 1];	/* -1: none */
	int			missing[FUNNEL_MAX_STEPS];	/* events of each group without a step */
	int			missing_count;
} Placement;

static bool serve(Instant *instant, int step);
static bool find_event(Instant *instant, int step);
static void release_all(Instant *instant);
static void lowest_by_matching(Instant *instant, const FunnelRule *rule, int *lowest);
static void start_placement(const Instant *instant, Placement *placement);
static void place_missing(const Instant *instant, Placement *placement);
static bool place(const Instant *instant, Placement *placement, int group, uint64 *visited);

/* Before the first use the struct is zeroed; memory of groups is kept from use to use. */
void
instant_clear(Instant *instant)
{
	instant->steps = 0;
	instant->event_count = 0;
	instant->plentiful = 0;
	instant->group_count = 0;
	memset(instant->supply, 0, sizeof(instant->supply));
}

/* Gives back the memory of groups. */
void
instant_free(Instant *instant)
{
	if (instant->groups == NULL)
		return;
	pfree(instant->groups);
	pfree(instant->spare);
	instant->groups = instant->spare = NULL;
	instant->group_capacity = 0;
}

/* Adds one event that satisfies these steps, at least one. */
void
instant_add(Instant *instant, uint64 steps, int step_count)
{
	uint64		rest = steps;
	int			group;

	instant->steps |= steps;
	instant->event_count++;
	if ((steps & ~instant->plentiful) == 0)
		return;
	for (; rest != 0; rest &= rest - 1)
	{
		int			step = pg_rightmost_one_pos64(rest);

		if (++instant->supply[step] >= step_count)
			instant->plentiful |= rest & -rest;
	}
	/* kinds come sorted, so equal ones follow each other */
	for (group = instant->group_count - 1; group >= 0; group--)
	{
		if (instant->groups[group].steps == steps)
		{
			instant->groups[group].count++;
			return;
		}
	}
	if (instant->group_count == instant->group_capacity)
	{
		instant->group_capacity = Max(instant->group_capacity * 2, 8);
		if (instant->groups != NULL)
		{
			instant->groups = repalloc(instant->groups, instant->group_capacity * sizeof(InstantGroup));
			pfree(instant->spare);
		}
		else
			instant->groups = palloc(instant->group_capacity * sizeof(InstantGroup));
		instant->spare = palloc(instant->group_capacity * sizeof(InstantGroup));
	}
	instant->groups[instant->group_count++] = (InstantGroup) {.steps = steps, .count = 1, .visited = 0};
}

/*
 * For each step i that some event satisfies, lowest[i] is the lowest level from
 * which the span to i can be served here; spans from levels between that and i can
 * be served too.  Other places are left unset.  Both are numbered from 1.
 */
void
instant_lowest(Instant *instant, const FunnelRule *rule, int *lowest)
{
	bool		is_single = rule->strictly_increasing || (rule->once && instant->event_count == 1);
	uint64		passed = rule->optional | (is_single ? 0 : instant->steps);
	int			low = 0;

	if (rule->once && !is_single)
	{
		lowest_by_matching(instant, rule, lowest);
		return;
	}
	for (int i = 1; i <= rule->step_count; i++)
	{
		if (i > 1 && (passed & STEP_BIT(i - 1)) == 0)
			low = i - 1;
		if (instant->steps & STEP_BIT(i))
			lowest[i] = low;
	}
}

/*
 * Two pointers: the span's end moves up, and where its steps find no distinct
 * events any more its start moves up too, until they do.
 */
static void
lowest_by_matching(Instant *instant, const FunnelRule *rule, int *lowest)
{
	int			low = 0;

	release_all(instant);
	for (int i = 1; i <= rule->step_count; i++)
	{
		bool		is_optional = (rule->optional & STEP_BIT(i)) != 0;
		int			low_before = low;

		if ((instant->steps & STEP_BIT(i)) == 0)
		{
			if (!is_optional)
			{
				release_all(instant);
				low = i;
			}
			continue;
		}
		/* a span that ends at an optional step says nothing of those that skip it */
		if (is_optional)
			memcpy(instant->spare, instant->groups, instant->group_count * sizeof(InstantGroup));
		while (!serve(instant, i))
			instant_release(instant, ++low);
		lowest[i] = low;
		if (is_optional)
		{
			memcpy(instant->groups, instant->spare, instant->group_count * sizeof(InstantGroup));
			low = low_before;
		}
	}
}

/*
 * For each step i, highest[i] is the highest level from which a chain can pass to i
 * so that every event here is in it; lower levels will do too.  -1: there is none.
 * All events of the instant must have been added, each with a step.
 */
void
instant_highest(Instant *instant, const FunnelRule *rule, int *highest)
{
	Placement	placement;
	int			high = 0;

	for (int i = 1; i <= rule->step_count; i++)
		highest[i] = -1;
	if (instant->event_count > (uint32) rule->step_count ||
		(rule->strictly_increasing && instant->event_count > 1))
		return;
	start_placement(instant, &placement);
	for (int i = 1; i <= rule->step_count; i++)
	{
		placement.window |= STEP_BIT(i);
		place_missing(instant, &placement);
		if (placement.missing_count > 0)
			continue;
		/* leave out the lowest steps as long as all events still find a place */
		while (high < i - 1)
		{
			int			step = high + 1;
			int			group = placement.owner[step];
			uint64		visited = 0;

			placement.window &= ~STEP_BIT(step);
			placement.owner[step] = -1;
			if (group >= 0 && !place(instant, &placement, group, &visited))
			{
				placement.window |= STEP_BIT(step);
				placement.owner[step] = group;
				break;
			}
			high++;
		}
		highest[i] = high;
	}
}

/* Whether the events here can serve all these steps at once. */
bool
instant_serves(Instant *instant, const FunnelRule *rule, uint64 steps)
{
	if ((steps & ~instant->steps) != 0)
		return false;
	if (rule->strictly_increasing)
		return (steps & (steps - 1)) == 0;
	if (!rule->once)
		return true;
	release_all(instant);
	for (; steps != 0; steps &= steps - 1)
	{
		if (!serve(instant, pg_rightmost_one_pos64(steps) + 1))
			return false;
	}
	return true;
}

/* After instant_serves(), whether they can serve one more step. */
bool
instant_serves_also(Instant *instant, const FunnelRule *rule, int step)
{
	if ((instant->steps & STEP_BIT(step)) == 0 || rule->strictly_increasing)
		return false;
	return !rule->once || serve(instant, step);
}

/* Takes it back. */
void
instant_release(Instant *instant, int step)
{
	for (int i = 0; i < instant->group_count; i++)
		instant->groups[i].serves &= ~STEP_BIT(step);
}

/*
 * instant_serves() without one of the events, which satisfies the steps "taken".  Where these are
 * plentiful it may be in no group, but then nobody will miss another one of its kind.
 */
bool
instant_serves_besides(Instant *instant, const FunnelRule *rule, uint64 taken, uint64 steps)
{
	bool		serves;
	int			group = 0;

	while (group < instant->group_count && instant->groups[group].steps != taken)
		group++;
	if (group == instant->group_count)
		return instant_serves(instant, rule, steps);
	instant->groups[group].count--;
	serves = instant_serves(instant, rule, steps);
	instant->groups[group].count++;
	return serves;
}

/* Whether every event here can serve a step of its own among these. */
bool
instant_uses_all(Instant *instant, uint64 steps)
{
	Placement	placement;

	if (instant->event_count > (uint32) pg_popcount64(steps))
		return false;
	start_placement(instant, &placement);
	placement.window = steps;
	place_missing(instant, &placement);
	return placement.missing_count == 0;
}

/* Matches one more step, moving others to other events if need be. */
static bool
serve(Instant *instant, int step)
{
	instant->visit++;
	return find_event(instant, step);
}

static bool
find_event(Instant *instant, int step)
{
	for (int i = 0; i < instant->group_count; i++)
	{
		InstantGroup *group = &instant->groups[i];

		if ((group->steps & STEP_BIT(step)) == 0 || group->visited == instant->visit)
			continue;
		group->visited = instant->visit;
		if (pg_popcount64(group->serves) < group->count)
		{
			group->serves |= STEP_BIT(step);
			return true;
		}
		for (uint64 rest = group->serves; rest != 0; rest &= rest - 1)
		{
			if (find_event(instant, pg_rightmost_one_pos64(rest) + 1))
			{
				group->serves &= ~(rest & -rest);
				group->serves |= STEP_BIT(step);
				return true;
			}
		}
	}
	return false;
}

static void
release_all(Instant *instant)
{
	for (int i = 0; i < instant->group_count; i++)
	{
		instant->groups[i].serves = 0;
		instant->groups[i].visited = 0;
	}
	instant->visit = 0;
}

/* For at most as many events as a funnel has steps: then they are all in groups. */
static void
start_placement(const Instant *instant, Placement *placement)
{
	placement->window = 0;
	for (int i = 1; i <= FUNNEL_MAX_STEPS; i++)
		placement->owner[i] = -1;
	placement->missing_count = (int) instant->event_count;
	for (int i = 0; i < instant->group_count; i++)
		placement->missing[i] = instant->groups[i].count;
}

static void
place_missing(const Instant *instant, Placement *placement)
{
	for (int i = 0; i < instant->group_count; i++)
	{
		while (placement->missing[i] > 0)
		{
			uint64		visited = 0;

			if (!place(instant, placement, i, &visited))
				break;
			placement->missing[i]--;
			placement->missing_count--;
		}
	}
}

/* Finds a step in the window for one more event of the group. */
static bool
place(const Instant *instant, Placement *placement, int group, uint64 *visited)
{
	uint64		steps;

	while ((steps = instant->groups[group].steps & placement->window & ~*visited) != 0)
	{
		int			step = pg_rightmost_one_pos64(steps) + 1;

		*visited |= STEP_BIT(step);
		if (placement->owner[step] < 0 || place(instant, placement, placement->owner[step], visited))
		{
			placement->owner[step] = group;
			return true;
		}
	}
	return false;
}
