/*
 * search_plain.c
 *		The search for funnels with no other option than within, once and entered,
 *		straight from a timeline.
 *
 * Most funnels are such.  The latest first time of each level is kept, as
 * search_ordered.c does, over a list of the events that satisfy a step.  Only where
 * events at one instant compete for steps has the full search to decide; then both
 * functions return false.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"

#include "funnel/search_plain.h"
#include "timeline/timeline.h"

/* Timelines with at most so many events need no memory beside the struct. */
#define PLAIN_INLINE_EVENTS 128

/* The events that satisfy a step. */
typedef struct PlainEvents
{
	uint32		count;
	int64	   *at;
	uint32	   *kind;
	const uint64 *masks;		/* the steps that each kind satisfies */
	bool		have_ties;		/* some are at one instant */
	bool		are_single;		/* each satisfies one step */
	int			highest;		/* the highest level that the masks allow */
	int64		inline_at[PLAIN_INLINE_EVENTS + 1];
	uint32		inline_kind[PLAIN_INLINE_EVENTS + 1];
	uint64		inline_masks[TIMELINE_INLINE_KINDS];
} PlainEvents;

/* What happens at one instant. */
typedef struct PlainInstant
{
	uint32		end;			/* the next event */
	int64		at;
	uint64		steps;
	bool		together;		/* they can be served at once, from the lowest on */
} PlainInstant;

typedef struct PlainLevel
{
	int			level;
	int64		first;			/* of the chain that reached it, ... */
	int64		last;			/* ... and when it did */
} PlainLevel;

static void read_masks(PlainEvents *events, const FunnelPlan *plan, const TimelineView *view);
static void read_events(PlainEvents *events, const TimelineView *view);
static bool find_level(const PlainEvents *events, const FunnelRule *rule, PlainLevel *found);
static void find_level_untied(const PlainEvents *events, const FunnelRule *rule, PlainLevel *found);
static bool next_instant(const PlainEvents *events, bool once, PlainInstant *instant);
static int	reach(const FunnelRule *rule, const PlainInstant *instant, int level, int64 *firsts);

bool
funnel_plain_level(const FunnelPlan *plan, const TimelineView *view, int *level)
{
	PlainEvents events;
	PlainLevel	found;

	if (!funnel_plan_is_plain(plan))
		return false;
	read_masks(&events, plan, view);
	*level = events.highest;
	/* with no step but the first the times do not matter */
	if (events.highest == 0 || (events.highest == 1 && !funnel_restricts_entry(funnel_plan_rule(plan))))
		return true;
	read_events(&events, view);
	if (!find_level(&events, funnel_plan_rule(plan), &found))
		return false;
	*level = found.level;
	return true;
}

/* As funnel_search_chain(), but that the entry is told by its kind. */
bool
funnel_plain_chain(const FunnelPlan *plan, const TimelineView *view, FunnelChain *chain, uint32 *entry_kind)
{
	const FunnelRule *rule = funnel_plan_rule(plan);
	PlainEvents events;
	PlainLevel	found = {0};
	PlainInstant instant = {0};
	int			level = 0;

	if (!funnel_plan_is_plain(plan))
		return false;
	read_masks(&events, plan, view);
	if (events.highest > 0)
	{
		read_events(&events, view);
		if (!find_level(&events, rule, &found))
			return false;
	}
	chain->level = found.level;
	chain->taken = STEPS_UP_TO(found.level);
	chain->first = found.first;
	chain->last = found.last;

	/* with the first time known, the earliest event for each step is the one to take */
	while (level < found.level)
	{
		uint32		start = instant.end;

		(void) next_instant(&events, rule->once, &instant);
		if (instant.at < found.first)
			continue;
		for (uint32 i = start; level == 0 && i < instant.end; i++)
		{
			*entry_kind = events.kind[i];
			if (events.masks[*entry_kind] & STEP_BIT(1))
				break;
		}
		while (level < found.level && (instant.steps & STEP_BIT(level + 1)))
		{
			chain->times[++level] = instant.at;
			if (!instant.together)
				break;
		}
	}
	return true;
}

static void
read_masks(PlainEvents *events, const FunnelPlan *plan, const TimelineView *view)
{
	uint64	   *masks = events->inline_masks;
	uint64		steps = 0;
	uint64		several = 0;

	if (view->kind_count > TIMELINE_INLINE_KINDS)
		masks = palloc_extended(sizeof(uint64) * view->kind_count, MCXT_ALLOC_HUGE);
	funnel_plan_steps(plan, view, masks);
	for (uint32 i = 0; i < view->kind_count; i++)
	{
		steps |= masks[i];
		several |= masks[i] & (masks[i] - 1);
	}
	events->masks = masks;
	events->are_single = several == 0;
	events->highest = funnel_highest_level(funnel_plan_rule(plan), steps);
}

static void
read_events(PlainEvents *events, const TimelineView *view)
{
	TimelineCursor cursor;
	uint32		count = 0;
	uint32		ties = 0;
	int64		last = PG_INT64_MIN;
	const uint8 *codes = view->codes;
	const uint64 *masks = events->masks;
	uint32		code_width = view->code_width;
	uint32		kind_count = view->kind_count;
	int64	   *at = events->inline_at;
	uint32	   *kinds = events->inline_kind;

	if (view->event_count > PLAIN_INLINE_EVENTS)
	{
		/* one more, as each event is written before it is known to count */
		at = palloc_extended(sizeof(int64) * ((Size) view->event_count + 1), MCXT_ALLOC_HUGE);
		kinds = palloc_extended(sizeof(uint32) * ((Size) view->event_count + 1), MCXT_ALLOC_HUGE);
	}
	timeline_cursor_start(&cursor, view);
	/* each is written before it is known to count */
	for (uint32 i = 0; timeline_next_time(&cursor); i++)
	{
		uint32		kind = code_width == 1 ? codes[i] : timeline_kind_at(view, i);
		uint32		counts;

		if (unlikely(kind >= kind_count))
			(void) timeline_kind_at(view, i);
		at[count] = cursor.at;
		kinds[count] = kind;
		counts = masks[kind] != 0;
		ties |= counts & (uint32) (cursor.at == last);
		last = counts ? cursor.at : last;
		count += counts;
		if (i % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	timeline_cursor_end(&cursor);
	events->count = count;
	events->at = at;
	events->kind = kinds;
	events->have_ties = ties > 0;
}

/* False if events compete for steps. */
static bool
find_level(const PlainEvents *events, const FunnelRule *rule, PlainLevel *found)
{
	int64		firsts[FUNNEL_MAX_STEPS + 1];
	PlainInstant instant = {0};

	found->level = 0;
	if (events->are_single && !events->have_ties)
	{
		find_level_untied(events, rule, found);
		return true;
	}
	while (found->level < events->highest && instant.end < events->count)
	{
		int			level;

		if (!next_instant(events, rule->once, &instant))
			return false;
		level = reach(rule, &instant, found->level, firsts);
		if (level > found->level)
			*found = (PlainLevel) {level, firsts[level], instant.at};
	}
	return true;
}

/* What is common: each event satisfies one step, at a time of its own. */
static void
find_level_untied(const PlainEvents *events, const FunnelRule *rule, PlainLevel *found)
{
	int64		firsts[FUNNEL_MAX_STEPS + 1] = {0};
	int			level = 0;

	for (uint32 i = 0; i < events->count; i++)
	{
		int64		at = events->at[i];
		int			step = pg_rightmost_one_pos64(events->masks[events->kind[i]]) + 1;
		bool		comes;

		/* as if a step 0 had just happened */
		firsts[0] = at;
		comes = (step - 1 <= level) & ((uint64) at - (uint64) firsts[step - 1] <= rule->within) &
			((step > 1) | funnel_may_enter(rule, at));
		firsts[step] = comes ? firsts[step - 1] : firsts[step];
		if (unlikely(comes & (step > level)))
		{
			level = step;
			*found = (PlainLevel) {level, firsts[level], at};
			if (level == events->highest)
				break;
		}
	}
}

/* From instant->end on; false if the events there compete for steps. */
static bool
next_instant(const PlainEvents *events, bool once, PlainInstant *instant)
{
	uint32		start = instant->end;
	uint64		steps = 0;
	bool		several = false;	/* some event satisfies several steps */
	uint32		i = start;

	instant->at = events->at[start];
	for (; i < events->count && events->at[i] == instant->at; i++)
	{
		uint64		mask = events->masks[events->kind[i]];

		steps |= mask;
		several = several || (mask & (mask - 1)) != 0;
	}
	instant->end = i;
	instant->steps = steps;
	/* events for one step each can be put into the order of the steps */
	instant->together = !once || i - start > 1;
	return !(once && several && i - start > 1);
}

/* One instant: its steps are served from the lowest on if together, else each from the state before. */
static int
reach(const FunnelRule *rule, const PlainInstant *instant, int level, int64 *firsts)
{
	int			before = level;

	for (uint64 steps = instant->steps; steps != 0;)
	{
		int			step = 1 + (instant->together ? pg_rightmost_one_pos64(steps) : pg_leftmost_one_pos64(steps));

		steps &= ~STEP_BIT(step);
		if (step == 1)
		{
			if (!funnel_may_enter(rule, instant->at))
				continue;
			firsts[1] = instant->at;
		}
		else if (step - 1 <= (instant->together ? level : before) &&
				 (uint64) instant->at - (uint64) firsts[step - 1] <= rule->within)
			firsts[step] = firsts[step - 1];
		else
			continue;
		level = Max(level, step);
	}
	return level;
}
