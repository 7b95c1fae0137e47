/*
 * chain.c
 *		The chain to report, when its level and its first and last time are known.
 *
 * A chain consists of blocks, the steps that it takes at one instant.  From the last
 * instant back to the first we note from which levels a chain can be completed; then
 * we go forward and give each step the earliest time that leaves a chain which can.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"

#include "funnel/instant.h"
#include "funnel/search.h"

/* An instant between the chain's first and last time. */
typedef struct Moment
{
	int64		at;
	uint32		start;			/* its events */
	uint32		end;
	uint64		breaks;			/* gaps that are broken here */
	uint64		enters;			/* levels from which a block here leads to the end */
	uint64		completes;		/* levels which, reached here, lead to the end */
} Moment;

typedef struct Tracer
{
	const FunnelInput *input;
	const FunnelRule *rule;
	uint32		held;
	int			level;
	Instant		instant;		/* the events of ... */
	uint32		loaded;			/* ... this moment */
	uint32		count;
	Moment	   *moments;
} Tracer;

/* The block under way. */
typedef struct Block
{
	uint32		moment;
	int			from;			/* the level before it; 0: the chain starts with it */
	uint64		steps;			/* taken so far */
	int			last;			/* the last of them */
} Block;

static void find_moments(Tracer *tracer, int64 first, int64 last);
static void trace_back(Tracer *tracer);
static void load(Tracer *tracer, uint32 moment);
static uint64 levels_that_enter(Tracer *tracer, uint32 moment);
static bool next_step(Tracer *tracer, Block *block);
static bool move_on(Tracer *tracer, Block *block, int step);
static bool can_complete(Tracer *tracer, const Block *block);
static bool may_end(Tracer *tracer, const Block *block, uint64 required, uint64 allowed, int level);
static uint32 first_event_at(const FunnelInput *input, int64 at);

/*
 * Fills in the chain with best's level, first and last time whose times by step are the
 * smallest, for one value of the property to hold for which there is such a chain.
 */
void
funnel_find_chain(const FunnelInput *input, const FunnelBest *best, uint32 held, FunnelChain *chain)
{
	Tracer		tracer = {0};
	Block		block = {0, 0, STEP_BIT(1), 1};
	uint64		first_steps = 0;

	tracer.input = input;
	tracer.rule = input->rule;
	tracer.held = held;
	tracer.level = best->level;
	find_moments(&tracer, best->first, best->last);
	trace_back(&tracer);

	chain->level = best->level;
	chain->first = best->first;
	chain->last = best->last;
	do
	{
		chain->taken |= STEP_BIT(block.last);
		chain->times[block.last] = tracer.moments[block.moment].at;
		if (block.moment == 0)
			first_steps |= STEP_BIT(block.last);
	} while (block.last < best->level && next_step(&tracer, &block));
	if (block.last != best->level)
		elog(ERROR, "a chain of the funnel was lost");
	chain->entry = funnel_find_entry(input, held, best->first, first_steps);
	pfree(tracer.moments);
}

static void
find_moments(Tracer *tracer, int64 first, int64 last)
{
	const FunnelInput *input = tracer->input;
	uint32		capacity = 16;

	tracer->moments = palloc(capacity * sizeof(Moment));
	for (uint32 i = first_event_at(input, first); i < input->event_count && input->events[i].at <= last; i++)
	{
		Moment	   *moment;

		if (tracer->count == 0 || tracer->moments[tracer->count - 1].at != input->events[i].at)
		{
			if (tracer->count == capacity)
			{
				capacity *= 2;
				tracer->moments = repalloc_huge(tracer->moments, (Size) capacity * sizeof(Moment));
			}
			tracer->moments[tracer->count++] = (Moment) {.at = input->events[i].at, .start = i};
		}
		moment = &tracer->moments[tracer->count - 1];
		moment->breaks |= input->kinds[input->events[i].kind].breaks;
		moment->end = i + 1;
	}
	tracer->loaded = PG_UINT32_MAX;
}

/*
 * For every moment, the levels that can be left towards the end.  Of the moments that
 * a block from a level can be at, the nearest is best: the gap is the shortest, and
 * the fewest events lie in it.
 */
static void
trace_back(Tracer *tracer)
{
	const FunnelRule *rule = tracer->rule;
	uint64		entered = 0;	/* levels that can be left for a later moment, ... */
	uint32		nearest[FUNNEL_MAX_STEPS + 1];	/* ... and for which one */
	uint64		broken = 0;		/* gaps that are broken later, ... */
	int64		broken_at[FUNNEL_MAX_STEPS + 1];	/* ... and when first */

	for (uint32 m = tracer->count; m-- > 0;)
	{
		Moment	   *moment = &tracer->moments[m];

		CHECK_FOR_INTERRUPTS();
		for (uint64 rest = m == tracer->count - 1 ? 0 : entered; rest != 0; rest &= rest - 1)
		{
			int			level = pg_rightmost_one_pos64(rest) + 1;
			int64		at = tracer->moments[nearest[level]].at;

			if (rule->mode == FUNNEL_CONTIGUOUS ? nearest[level] != m + 1 :
				((rule->has_gaps && (uint64) at - (uint64) moment->at > rule->gaps[level]) ||
				 ((broken & STEP_BIT(level)) && broken_at[level] < at)))
				continue;
			moment->completes |= STEP_BIT(level);
		}
		moment->enters = levels_that_enter(tracer, m);
		entered |= moment->enters;
		for (uint64 rest = moment->enters; rest != 0; rest &= rest - 1)
			nearest[pg_rightmost_one_pos64(rest) + 1] = m;
		broken |= moment->breaks;
		for (uint64 rest = moment->breaks; rest != 0; rest &= rest - 1)
			broken_at[pg_rightmost_one_pos64(rest) + 1] = moment->at;
	}
}

/* The levels from 1 on from which a block at this moment leads to the end. */
static uint64
levels_that_enter(Tracer *tracer, uint32 m)
{
	const FunnelRule *rule = tracer->rule;
	Moment	   *moment = &tracer->moments[m];
	bool		is_last = m == tracer->count - 1;
	bool		passes = rule->mode == FUNNEL_CONTIGUOUS && !is_last;
	uint64		levels = 0;
	uint64		ends;
	int			lowest[FUNNEL_MAX_STEPS + 1];
	int			highest[FUNNEL_MAX_STEPS + 1];

	load(tracer, m);
	ends = tracer->instant.steps & (is_last ? STEP_BIT(tracer->level) : moment->completes);
	if (ends == 0 || (passes && tracer->instant.event_count != moment->end - moment->start))
		return 0;
	instant_lowest(&tracer->instant, rule, lowest);
	if (passes)
		instant_highest(&tracer->instant, rule, highest);
	for (; ends != 0; ends &= ends - 1)
	{
		int			end = pg_rightmost_one_pos64(ends) + 1;
		int			from = Max(lowest[end], 1);
		int			to = passes ? Min(highest[end], end - 1) : end - 1;

		if (to >= from)
			levels |= STEPS_UP_TO(to) & ~STEPS_UP_TO(from - 1);
	}
	return levels;
}

static void
load(Tracer *tracer, uint32 m)
{
	const FunnelInput *input = tracer->input;

	if (tracer->loaded == m)
		return;
	tracer->loaded = m;
	instant_clear(&tracer->instant);
	for (uint32 i = tracer->moments[m].start; i < tracer->moments[m].end; i++)
	{
		const FunnelKind *kind = &input->kinds[input->events[i].kind];

		if (kind->steps != 0 && kind->held == tracer->held)
			instant_add(&tracer->instant, kind->steps, tracer->rule->step_count);
	}
}

/* The next step that the chain takes, at the earliest time that still leads to the end. */
static bool
next_step(Tracer *tracer, Block *block)
{
	for (int step = block->last + 1; step <= tracer->level; step++)
	{
		Block		longer = *block;

		longer.steps |= STEP_BIT(step);
		longer.last = step;
		if (can_complete(tracer, &longer))
		{
			*block = longer;
			return true;
		}
		if (move_on(tracer, block, step))
			return true;
		if ((tracer->rule->optional & STEP_BIT(step)) == 0)
			break;
	}
	return false;
}

/* Ends the block, if that is possible, and starts one with this step at a later moment. */
static bool
move_on(Tracer *tracer, Block *block, int step)
{
	const FunnelRule *rule = tracer->rule;
	int			gap = block->last;
	int64		left_at = tracer->moments[block->moment].at;

	if (rule->mode == FUNNEL_CONTIGUOUS && block->from > 0)
	{
		load(tracer, block->moment);
		if (!may_end(tracer, block, block->steps, block->steps, block->last))
			return false;
	}
	for (uint32 m = block->moment + 1; m < tracer->count; m++)
	{
		Moment	   *moment = &tracer->moments[m];

		if (rule->has_gaps && (uint64) moment->at - (uint64) left_at > rule->gaps[gap])
			return false;
		if (moment->enters & STEP_BIT(gap))
		{
			Block		next = {m, gap, STEP_BIT(step), step};

			if (can_complete(tracer, &next))
			{
				*block = next;
				return true;
			}
		}
		if (rule->mode == FUNNEL_CONTIGUOUS || (moment->breaks & STEP_BIT(gap)))
			return false;
		if (m % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	return false;
}

/* Whether the block, with further steps if need be, leads to the end. */
static bool
can_complete(Tracer *tracer, const Block *block)
{
	const FunnelRule *rule = tracer->rule;
	uint64		required = block->steps;
	uint64		allowed = block->steps;

	load(tracer, block->moment);
	if (!instant_serves(&tracer->instant, rule, required))
		return false;
	for (int level = block->last; level <= tracer->level; level++)
	{
		uint64		ends_here = required | STEP_BIT(level);

		allowed |= STEP_BIT(level);
		if ((tracer->instant.steps & STEP_BIT(level)) &&
			(level == block->last || instant_serves(&tracer->instant, rule, ends_here)))
		{
			if (may_end(tracer, block, ends_here, allowed, level))
				return true;
			if ((rule->optional & STEP_BIT(level)) == 0)
				required = ends_here;
		}
		else if ((rule->optional & STEP_BIT(level)) == 0)
			return false;
	}
	return false;
}

/*
 * Whether a block with these required steps, and at will others of those allowed, can end
 * with this level.  A chain that passes through an instant in mode contiguous must use
 * all its events.  If some events can serve all required steps, and all events can
 * serve some allowed steps, then both are possible at once (Mendelsohn and Dulmage, 1958).
 */
static bool
may_end(Tracer *tracer, const Block *block, uint64 required, uint64 allowed, int level)
{
	const Moment *moment = &tracer->moments[block->moment];

	if (block->moment == tracer->count - 1)
		return level == tracer->level;
	if ((moment->completes & STEP_BIT(level)) == 0)
		return false;
	if (tracer->rule->mode != FUNNEL_CONTIGUOUS || block->from == 0)
		return true;
	return tracer->instant.event_count == moment->end - moment->start &&
		instant_uses_all(&tracer->instant, allowed);
}

/*
 * The place of the first event, at this time and with this value of the property to
 * hold, that can serve the lowest of these steps while others at the time serve the rest.
 */
uint32
funnel_find_entry(const FunnelInput *input, uint32 held, int64 at, uint64 steps)
{
	uint64		lowest = steps & -steps;
	uint64		rest = steps & ~lowest;
	uint32		start = first_event_at(input, at);
	Instant		instant = {0};

	for (uint32 entry = start; entry < input->event_count && input->events[entry].at == at; entry++)
	{
		const FunnelKind *kind = &input->kinds[input->events[entry].kind];

		if ((kind->steps & lowest) == 0 || kind->held != held)
			continue;
		if (!input->rule->once || rest == 0)
			return entry;
		/* repeats of a kind serve equally well */
		if (entry > start && input->events[entry - 1].kind == input->events[entry].kind)
			continue;
		instant_clear(&instant);
		for (uint32 i = start; i < input->event_count && input->events[i].at == at; i++)
		{
			const FunnelKind *other = &input->kinds[input->events[i].kind];

			if (i != entry && other->steps != 0 && other->held == held)
				instant_add(&instant, other->steps, input->rule->step_count);
		}
		if (instant_serves(&instant, input->rule, rest))
			return entry;
		CHECK_FOR_INTERRUPTS();
	}
	elog(ERROR, "the entry of a funnel was lost");
	return 0;
}

/* The place of the first event at this time or later. */
static uint32
first_event_at(const FunnelInput *input, int64 at)
{
	uint32		low = 0;
	uint32		high = input->event_count;

	while (low < high)
	{
		uint32		middle = low + (high - low) / 2;

		if (input->events[middle].at < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
