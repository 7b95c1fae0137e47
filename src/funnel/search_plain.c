/*
 * search_plain.c
 *		The search for funnels with no other option than within, once and entered,
 *		straight from a timeline.
 *
 * Most funnels are such.  They need no list of events: while the timeline is read, the
 * latest first time of each level is kept, as search_ordered.c does, and the walk ends at
 * the highest level that the visitor's kinds of events allow.  Only where events at one
 * instant compete for steps has the full search to decide; then both functions return false.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"

#include "funnel/search_plain.h"
#include "timeline/timeline.h"

/* A walk over the instants at which something happens. */
typedef struct PlainWalk
{
	const FunnelRule *rule;
	const TimelineView *view;
	TimelineCursor cursor;
	const uint64 *masks;		/* the steps that each kind satisfies */
	uint32		event;			/* number of the event read last */
	bool		has_next;		/* it is the first of the next instant */
	int64		at;
	uint64		steps;			/* that the events of the instant satisfy */
	uint32		entry_kind;		/* of the first of them that satisfies step 1 */
	bool		together;		/* they can be served at once */
	bool		compete;		/* that cannot be told here */
} PlainWalk;

typedef struct PlainLevel
{
	int			level;
	int64		first;			/* of the chain that reached it, ... */
	int64		last;			/* ... and when it did */
} PlainLevel;

static int	highest_level(const FunnelPlan *plan, const TimelineView *view, uint64 *masks);
static uint64 *room_for_masks(const TimelineView *view, uint64 *inline_masks);
static bool find_level(PlainWalk *walk, int highest, PlainLevel *found);
static int	reach(const PlainWalk *walk, int level, int64 *firsts);
static void start_walk(PlainWalk *walk, const FunnelPlan *plan, const TimelineView *view, const uint64 *masks);
static bool next_instant(PlainWalk *walk);

bool
funnel_plain_level(const FunnelPlan *plan, const TimelineView *view, int *level)
{
	uint64		inline_masks[TIMELINE_INLINE_KINDS];
	uint64	   *masks = room_for_masks(view, inline_masks);
	int			highest;
	PlainWalk	walk;
	PlainLevel	found;

	if (!funnel_plan_is_plain(plan))
		return false;
	highest = highest_level(plan, view, masks);
	*level = highest;
	/* with no step but the first the times do not matter */
	if (highest == 0 || (highest == 1 && !funnel_restricts_entry(funnel_plan_rule(plan))))
		return true;
	start_walk(&walk, plan, view, masks);
	if (!find_level(&walk, highest, &found))
		return false;
	*level = found.level;
	return true;
}

/* As funnel_search_chain(), but that the entry is told by its kind. */
bool
funnel_plain_chain(const FunnelPlan *plan, const TimelineView *view, FunnelChain *chain, uint32 *entry_kind)
{
	uint64		inline_masks[TIMELINE_INLINE_KINDS];
	uint64	   *masks = room_for_masks(view, inline_masks);
	PlainWalk	walk;
	PlainLevel	found = {0};
	int			highest;
	int			level = 0;

	if (!funnel_plan_is_plain(plan))
		return false;
	highest = highest_level(plan, view, masks);
	if (highest > 0)
	{
		start_walk(&walk, plan, view, masks);
		if (!find_level(&walk, highest, &found))
			return false;
	}
	chain->level = found.level;
	chain->taken = STEPS_UP_TO(found.level);
	chain->first = found.first;
	chain->last = found.last;

	/* with the first time known, the earliest event for each step is the one to take */
	if (found.level > 0)
		start_walk(&walk, plan, view, masks);
	while (level < found.level && next_instant(&walk))
	{
		if (walk.at < found.first)
			continue;
		if (level == 0)
			*entry_kind = walk.entry_kind;
		while (level < found.level && (walk.steps & STEP_BIT(level + 1)))
		{
			chain->times[++level] = walk.at;
			if (!walk.together)
				break;
		}
	}
	Assert(level == found.level);
	return true;
}

/* The masks of all kinds, and the highest level that they allow. */
static int
highest_level(const FunnelPlan *plan, const TimelineView *view, uint64 *masks)
{
	uint64		steps = 0;

	funnel_plan_steps(plan, view, masks);
	for (uint32 i = 0; i < view->kind_count; i++)
		steps |= masks[i];
	return funnel_highest_level(funnel_plan_rule(plan), steps);
}

static uint64 *
room_for_masks(const TimelineView *view, uint64 *inline_masks)
{
	if (view->kind_count <= TIMELINE_INLINE_KINDS)
		return inline_masks;
	return palloc_extended(sizeof(uint64) * view->kind_count, MCXT_ALLOC_HUGE);
}

/* False if events compete for steps. */
static bool
find_level(PlainWalk *walk, int highest, PlainLevel *found)
{
	int64		firsts[FUNNEL_MAX_STEPS + 1];

	found->level = 0;
	while (found->level < highest && next_instant(walk))
	{
		int			level = reach(walk, found->level, firsts);

		if (level > found->level)
			*found = (PlainLevel) {level, firsts[level], walk->at};
	}
	return !walk->compete;
}

/* One instant: its steps are served from the lowest on if together, else each from the state before. */
static int
reach(const PlainWalk *walk, int level, int64 *firsts)
{
	const FunnelRule *rule = walk->rule;
	int			before = level;

	for (uint64 steps = walk->steps; steps != 0;)
	{
		int			step = 1 + (walk->together ? pg_rightmost_one_pos64(steps) : pg_leftmost_one_pos64(steps));

		steps &= ~STEP_BIT(step);
		if (step == 1)
		{
			if (!funnel_may_enter(rule, walk->at))
				continue;
			firsts[1] = walk->at;
		}
		else if (step - 1 <= (walk->together ? level : before) &&
				 (uint64) walk->at - (uint64) firsts[step - 1] <= rule->within)
			firsts[step] = firsts[step - 1];
		else
			continue;
		level = Max(level, step);
	}
	return level;
}

static void
start_walk(PlainWalk *walk, const FunnelPlan *plan, const TimelineView *view, const uint64 *masks)
{
	walk->rule = funnel_plan_rule(plan);
	walk->view = view;
	walk->masks = masks;
	walk->event = 0;
	walk->has_next = false;
	walk->compete = false;
	timeline_cursor_start(&walk->cursor, view);
}

/* The next instant with an event that satisfies a step; false at the end, and where events compete. */
static bool
next_instant(PlainWalk *walk)
{
	const TimelineView *view = walk->view;

	walk->steps = 0;
	walk->together = !walk->rule->once;
	while (walk->has_next || timeline_next_time(&walk->cursor))
	{
		uint32		kind = timeline_kind_at(view, walk->event);
		uint64		steps = walk->masks[kind];

		if (steps != 0 && walk->steps != 0)
		{
			if (walk->cursor.at != walk->at)
			{
				walk->has_next = true;
				return true;
			}
			/* events for one step each can be put into the order of the steps */
			if (walk->rule->once && ((steps & (steps - 1)) || (!walk->together && (walk->steps & (walk->steps - 1)))))
			{
				walk->compete = true;
				return false;
			}
			walk->together = true;
		}
		walk->has_next = false;
		walk->event++;
		if (walk->event % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		if (steps == 0)
			continue;
		walk->at = walk->cursor.at;
		if ((steps & 1) && (walk->steps & 1) == 0)
			walk->entry_kind = kind;
		walk->steps |= steps;
	}
	timeline_cursor_end(&walk->cursor);
	return walk->steps != 0;
}
