/*
 * trace.c
 *		The chain to report, when its level and its first and last time are known.
 *
 * A chain consists of blocks, the steps that it takes at one instant.  From the last
 * instant back to the first we note from which levels a chain can be completed; then
 * we go forward and give each step the earliest time that leaves a chain which can.
 *
 * Per search: the events of each value of the property to hold for which there is a
 * chain, and the times at which gaps are broken.  Per chain: the moments, instants at
 * which its events happen.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"

#include "funnel/instant.h"
#include "funnel/search.h"

/* Times in ascending order. */
typedef struct Times
{
	uint32		count;
	uint32		capacity;
	int64	   *at;
} Times;

/* Places of events in the input, in order. */
typedef struct Places
{
	uint32		count;
	uint32	   *place;
} Places;

struct FunnelTrace
{
	const FunnelInput *input;
	const FunnelBest *best;
	Places	   *events;			/* that satisfy a step, by the number of the chain */
	Times		breaks[FUNNEL_MAX_STEPS + 1];	/* by gap; 0: of all gaps */
};

/* An instant between the chain's first and last time at which some of its events are. */
typedef struct Moment
{
	int64		at;
	uint32		start;			/* these, among the chain's places */
	uint32		end;
	bool		is_full;		/* all events at the instant are among them */
	bool		follows;		/* there is no instant between the moment before and this one */
	uint64		enters;			/* levels from which a block here leads to the end */
	uint64		completes;		/* levels which, reached here, lead to the end */
} Moment;

typedef struct Tracer
{
	const FunnelTrace *trace;
	const FunnelInput *input;
	const FunnelRule *rule;
	const Places *events;
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
	int			leads_to;		/* the block can take all steps to this one that are not optional */
} Block;

static void find_breaks(FunnelTrace *trace);
static void append_time(Times *times, int64 at);
static uint32 first_later(const Times *times, int64 at);
static uint32 first_event_at(const FunnelInput *input, int64 at);
static void find_moments(Tracer *tracer);
static void trace_back(Tracer *tracer);
static void load(Tracer *tracer, uint32 moment);
static uint64 levels_that_enter(Tracer *tracer, uint32 moment);
static bool next_step(Tracer *tracer, Block *block);
static bool move_on(Tracer *tracer, Block *block, int step);
static bool can_complete(Tracer *tracer, Block *block);
static bool may_end(Tracer *tracer, const Block *block, uint64 allowed, int level);

/* For what the search found, with at least level 1; in the current memory context. */
FunnelTrace *
funnel_start_trace(const FunnelInput *input, const FunnelBest *best)
{
	FunnelTrace *trace = palloc0(sizeof(FunnelTrace));
	uint32		start = first_event_at(input, best->first);
	uint32		end = first_event_at(input, best->last + 1);
	uint32	   *number;			/* of the chain of each held value, from 1 */

	trace->input = input;
	trace->best = best;
	trace->events = palloc_extended(sizeof(Places) * (Size) best->held_count, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	number = palloc_extended(sizeof(uint32) * (Size) input->held_count, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 i = 0; i < best->held_count; i++)
		number[best->held[i]] = i + 1;
	/* first how many places each needs, then the places */
	for (int pass = 1; pass <= 2; pass++)
	{
		for (uint32 i = start; i < end; i++)
		{
			const FunnelKind *kind = &input->kinds[input->events[i].kind];
			Places	   *places;

			if (kind->steps == 0 || number[kind->held] == 0)
				continue;
			places = &trace->events[number[kind->held] - 1];
			if (pass == 2)
				places->place[places->count] = i;
			places->count++;
		}
		for (uint32 i = 0; pass == 1 && i < best->held_count; i++)
		{
			trace->events[i].place = palloc_extended(sizeof(uint32) * (Size) trace->events[i].count, MCXT_ALLOC_HUGE);
			trace->events[i].count = 0;
		}
	}
	pfree(number);
	if (input->rule->has_exclusions)
		find_breaks(trace);
	return trace;
}

/*
 * The chain whose times by step are the smallest, for the held value best->held[number].
 */
void
funnel_trace_chain(const FunnelTrace *trace, uint32 number, FunnelChain *chain)
{
	const FunnelBest *best = trace->best;
	Tracer		tracer = {0};
	Block		block = {0, 0, STEP_BIT(1), 1, 1};
	uint64		first_steps = 0;

	tracer.trace = trace;
	tracer.input = trace->input;
	tracer.rule = trace->input->rule;
	tracer.events = &trace->events[number];
	tracer.level = best->level;
	find_moments(&tracer);
	trace_back(&tracer);

	memset(chain, 0, sizeof(FunnelChain));
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
	chain->entry = funnel_find_entry(trace->input, tracer.events->place, tracer.moments[0].end, first_steps);
	pfree(tracer.moments);
	instant_free(&tracer.instant);
}

/*
 * The first of these events, all at one time, that can serve the lowest of the steps
 * while others of them serve the rest; its place in the input.
 */
uint32
funnel_find_entry(const FunnelInput *input, const uint32 *places, uint32 count, uint64 steps)
{
	uint64		lowest = steps & -steps;
	uint64		rest = steps & ~lowest;
	uint64		failed = 0;		/* the steps of an event that cannot be spared */
	Instant		instant = {0};

	if (input->rule->once && rest != 0)
	{
		instant_clear(&instant);
		for (uint32 i = 0; i < count; i++)
			instant_add(&instant, input->kinds[input->events[places[i]].kind].steps, input->rule->step_count);
	}
	for (uint32 i = 0; i < count; i++)
	{
		uint64		satisfied = input->kinds[input->events[places[i]].kind].steps;

		if ((satisfied & lowest) == 0 || satisfied == failed)
			continue;
		if (!input->rule->once || rest == 0 || instant_serves_besides(&instant, input->rule, satisfied, rest))
		{
			instant_free(&instant);
			return places[i];
		}
		failed = satisfied;
		CHECK_FOR_INTERRUPTS();
	}
	elog(ERROR, "the entry of a funnel was lost");
	return 0;
}

static void
find_breaks(FunnelTrace *trace)
{
	const FunnelInput *input = trace->input;
	uint64		all = STEPS_UP_TO(input->rule->step_count - 1);

	for (uint32 i = first_event_at(input, trace->best->first);
		 i < input->event_count && input->events[i].at < trace->best->last; i++)
	{
		uint64		breaks = input->kinds[input->events[i].kind].breaks;

		if (breaks == all)
			append_time(&trace->breaks[0], input->events[i].at);
		else
			for (; breaks != 0; breaks &= breaks - 1)
				append_time(&trace->breaks[pg_rightmost_one_pos64(breaks) + 1], input->events[i].at);
	}
}

static void
append_time(Times *times, int64 at)
{
	if (times->count > 0 && times->at[times->count - 1] == at)
		return;
	if (times->count == times->capacity)
	{
		times->capacity = Max(times->capacity * 2, 16);
		times->at = times->at == NULL ? palloc(times->capacity * sizeof(int64)) :
			repalloc_huge(times->at, (Size) times->capacity * sizeof(int64));
	}
	times->at[times->count++] = at;
}

/* The number of the first of the times after this one; the count if there is none. */
static uint32
first_later(const Times *times, int64 at)
{
	uint32		low = 0;
	uint32		high = times->count;

	while (low < high)
	{
		uint32		middle = low + (high - low) / 2;

		if (times->at[middle] <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
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

static void
find_moments(Tracer *tracer)
{
	const FunnelInput *input = tracer->input;
	uint32		capacity = 16;

	tracer->moments = palloc(capacity * sizeof(Moment));
	for (uint32 i = 0; i < tracer->events->count; i++)
	{
		int64		at = input->events[tracer->events->place[i]].at;

		if (tracer->count == 0 || tracer->moments[tracer->count - 1].at != at)
		{
			if (tracer->count == capacity)
			{
				capacity *= 2;
				tracer->moments = repalloc_huge(tracer->moments, (Size) capacity * sizeof(Moment));
			}
			tracer->moments[tracer->count++] = (Moment) {.at = at, .start = i};
		}
		tracer->moments[tracer->count - 1].end = i + 1;
	}
	tracer->loaded = PG_UINT32_MAX;

	for (uint32 m = 0, before = 0; tracer->rule->mode == FUNNEL_CONTIGUOUS && m < tracer->count; m++)
	{
		Moment	   *moment = &tracer->moments[m];
		uint32		start = first_event_at(input, moment->at);
		uint32		end = first_event_at(input, moment->at + 1);

		moment->is_full = moment->end - moment->start == end - start;
		moment->follows = m > 0 && start == before;
		before = end;
	}
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

	for (uint32 m = tracer->count; m-- > 0;)
	{
		Moment	   *moment = &tracer->moments[m];

		CHECK_FOR_INTERRUPTS();
		for (uint64 rest = entered; rest != 0; rest &= rest - 1)
		{
			int			level = pg_rightmost_one_pos64(rest) + 1;
			int64		at = tracer->moments[nearest[level]].at;
			bool		is_broken = false;

			for (int gap = 0; rule->has_exclusions && gap <= level; gap += level)
			{
				const Times *breaks = &tracer->trace->breaks[gap];

				uint32		later = first_later(breaks, moment->at);

				is_broken = is_broken || (later < breaks->count && breaks->at[later] < at);
			}
			if (is_broken ||
				(rule->has_gaps && (uint64) at - (uint64) moment->at > rule->gaps[level]) ||
				(rule->mode == FUNNEL_CONTIGUOUS && (nearest[level] != m + 1 || !tracer->moments[m + 1].follows)))
				continue;
			moment->completes |= STEP_BIT(level);
		}
		moment->enters = levels_that_enter(tracer, m);
		entered |= moment->enters;
		for (uint64 rest = moment->enters; rest != 0; rest &= rest - 1)
			nearest[pg_rightmost_one_pos64(rest) + 1] = m;
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
	if (ends == 0 || (passes && !moment->is_full))
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
		instant_add(&tracer->instant, input->kinds[input->events[tracer->events->place[i]].kind].steps,
					tracer->rule->step_count);
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
		if (step == block->leads_to ||
			(step < block->leads_to && (tracer->rule->optional & STEP_BIT(step)) == 0) ||
			can_complete(tracer, &longer))
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
	int64		broken_at = PG_INT64_MAX;

	if (rule->mode == FUNNEL_CONTIGUOUS && block->from > 0)
	{
		load(tracer, block->moment);
		if (!may_end(tracer, block, block->steps, block->last))
			return false;
	}
	for (int list = 0; rule->has_exclusions && list <= gap; list += gap)
	{
		const Times *breaks = &tracer->trace->breaks[list];
		uint32		first = first_later(breaks, left_at);

		if (first < breaks->count)
			broken_at = Min(broken_at, breaks->at[first]);
	}
	for (uint32 m = block->moment + 1; m < tracer->count; m++)
	{
		Moment	   *moment = &tracer->moments[m];

		CHECK_FOR_INTERRUPTS();
		if (moment->at > broken_at ||
			(rule->has_gaps && (uint64) moment->at - (uint64) left_at > rule->gaps[gap]) ||
			(rule->mode == FUNNEL_CONTIGUOUS && (m > block->moment + 1 || !moment->follows)))
			return false;
		if (moment->enters & STEP_BIT(gap))
		{
			Block		next = {m, gap, STEP_BIT(step), step, step};

			if (can_complete(tracer, &next))
			{
				*block = next;
				return true;
			}
		}
	}
	return false;
}

/* Whether the block, with further steps if need be, leads to the end; if so sets leads_to. */
static bool
can_complete(Tracer *tracer, Block *block)
{
	const FunnelRule *rule = tracer->rule;
	Instant    *instant = &tracer->instant;
	uint64		allowed = block->steps;

	load(tracer, block->moment);
	if (!instant_serves(instant, rule, block->steps))
		return false;
	for (int level = block->last; level <= tracer->level; level++)
	{
		bool		is_optional = (rule->optional & STEP_BIT(level)) != 0;

		allowed |= STEP_BIT(level);
		if (level == block->last || instant_serves_also(instant, rule, level))
		{
			if (may_end(tracer, block, allowed, level))
			{
				block->leads_to = level;
				return true;
			}
			/* later levels do not need it */
			if (is_optional && level != block->last)
				instant_release(instant, level);
		}
		else if (!is_optional)
			return false;
	}
	return false;
}

/*
 * Whether a block whose required steps can be served, with others of those allowed at will,
 * can end with this level.  A chain that passes through an instant in mode contiguous must use
 * all its events.  If some events can serve all required steps, and all events can
 * serve some allowed steps, then both are possible at once (Mendelsohn and Dulmage, 1958).
 */
static bool
may_end(Tracer *tracer, const Block *block, uint64 allowed, int level)
{
	const Moment *moment = &tracer->moments[block->moment];

	if (block->moment == tracer->count - 1)
		return level == tracer->level;
	if ((moment->completes & STEP_BIT(level)) == 0)
		return false;
	if (tracer->rule->mode != FUNNEL_CONTIGUOUS || block->from == 0)
		return true;
	return moment->is_full && instant_uses_all(&tracer->instant, allowed);
}
