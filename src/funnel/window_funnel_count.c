/*
 * window_funnel_count.c
 *		Counting the steps of the aggregate window_funnel, by ClickHouse's rules.
 *
 * Steps are numbered from 1, and level i is reached when steps 1 to i have happened
 * in a way that the modes allow; levels are reached one after the other.  Rows are
 * sorted, and taken instant by instant.  There are three ways to count:
 *
 * first	strict_once with strict_deduplication: from the second on, each step has
 *			one row, the first that can serve it.
 * greedy	strict_deduplication, or strict_order with strict_increase, both without
 *			strict_once: only the last chain of each level is known.
 * exact	All other modes: the longest chain.  So it is in ClickHouse, but under
 *			strict_increase alone, where ClickHouse is greedy and loses chains.
 *
 * strict_order then says where the rows that count end.  Sorting aside, each takes time
 * in proportion to rows times steps.  Only exact with strict_once takes more at instants
 * of several rows, which are matched with steps: in proportion to rows times the square
 * of steps at worst.  (ClickHouse lists all chains under strict_once, of which there may
 * be rows to the power of steps.)
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"

#include "funnel/instant.h"
#include "funnel/window_funnel_count.h"

typedef WindowFunnelRow Row;

/* The rows of one time. */
typedef struct RowGroup
{
	int64		at;
	const Row  *rows;			/* sorted by steps */
	uint32		row_count;
	uint64		steps;			/* that some row satisfies */
	uint64		repeated;		/* steps that several rows satisfy */
} RowGroup;

typedef struct Count
{
	int			step_count;
	uint64		within;
	uint8		modes;
	int			level;			/* reached so far */
	/* of the chains of each level: the latest time of a first step (greedy: of the last such chain) */
	int64		first[FUNNEL_MAX_STEPS + 1];
	int64		last[FUNNEL_MAX_STEPS + 1]; /* greedy only: the time of its last step */
	/* exact with strict_once only: */
	FunnelRule	rule;
	Instant		instant;
} Count;

static void sort_rows(Row *rows, uint32 row_count);
static bool count_exactly(Count *count, const RowGroup *group);
static void find_lowest_levels(Count *count, const RowGroup *group, int *lowest);
static bool count_greedily(Count *count, const RowGroup *group);
static bool count_first_rows(Count *count, const RowGroup *group);

static inline int
compare_rows(const Row *a, const Row *b)
{
	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return (a->steps > b->steps) - (a->steps < b->steps);
}

#define ST_SORT sort_window_funnel_rows
#define ST_ELEMENT_TYPE Row
#define ST_COMPARE(a, b) compare_rows(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * The level that rows reach, in any order, which are sorted here.  Step i is bit i - 1 of
 * their masks.  'within' is in microseconds, or FUNNEL_NO_LIMIT.  Rows that satisfy
 * no step matter under STRICT_ORDER only.
 */
int
window_funnel_count(Row *rows, uint32 row_count, int step_count, uint64 within, uint8 modes)
{
	bool		is_first = (modes & STRICT_ONCE) != 0 && (modes & STRICT_DEDUPLICATION) != 0;
	bool		is_greedy = (modes & STRICT_ONCE) == 0 &&
		((modes & STRICT_DEDUPLICATION) != 0 || ((modes & STRICT_ORDER) != 0 && (modes & STRICT_INCREASE) != 0));
	uint64		steps = 0;
	int			bound;
	bool		goes_on = true;
	Count		count;

	for (uint32 i = 0; i < row_count; i++)
		steps |= rows[i].steps;
	/* no chain gets past a step that never happens, and the first one always counts */
	bound = steps == PG_UINT64_MAX ? FUNNEL_MAX_STEPS : pg_rightmost_one_pos64(~steps);
	if (bound <= 1)
		return bound;

	sort_rows(rows, row_count);
	count.step_count = step_count;
	count.within = within;
	count.modes = modes;
	count.level = 0;
	count.first[1] = 0;
	if ((modes & STRICT_ONCE) != 0)
	{
		memset(&count.rule, 0, sizeof(count.rule));
		count.rule.step_count = step_count;
		count.rule.once = true;
		memset(&count.instant, 0, sizeof(count.instant));
	}
	for (uint32 i = 0; i < row_count && goes_on && count.level < bound;)
	{
		RowGroup	group = {rows[i].at, &rows[i], 0, 0, 0};

		/* under strict_order, a row that satisfies nothing comes before others of its time */
		if (count.level > 0 && rows[i].steps == 0)
			break;
		for (; i < row_count && rows[i].at == group.at; i++)
		{
			group.row_count++;
			group.repeated |= group.steps & rows[i].steps;
			group.steps |= rows[i].steps;
			if (i % TIMELINE_INTERRUPT_EVERY == 0)
				CHECK_FOR_INTERRUPTS();
		}
		if (is_first)
			goes_on = count_first_rows(&count, &group);
		else if (is_greedy)
			goes_on = count_greedily(&count, &group);
		else
			goes_on = count_exactly(&count, &group);
	}
	return count.level;
}

static void
sort_rows(Row *rows, uint32 row_count)
{
	for (uint32 i = 1; i < row_count; i++)
	{
		if (compare_rows(&rows[i - 1], &rows[i]) > 0)
		{
			sort_window_funnel_rows(rows, row_count);
			return;
		}
	}
}

/* Whether the window of the chain at this level is open still. */
static inline bool
is_open(const Count *count, int level, int64 at)
{
	return (uint64) at - (uint64) count->first[level] <= count->within;
}

/*
 * Under strict_order the count ends when a step happens that is more than one past
 * the level.
 */
static inline bool
is_in_order(const Count *count, uint64 steps)
{
	return (count->modes & STRICT_ORDER) == 0 || (count->modes & ALLOW_REENTRY) != 0 ||
		count->level == 0 || (steps & ~STEPS_UP_TO(Min(count->level + 1, count->step_count))) == 0;
}

/*
 * Takes the rows of an instant, and returns whether what follows counts too.
 *
 * All that matters of the chains that have come to a level is the latest time at which
 * one began.  A chain comes to a step here from the lowest level that the rows here
 * can bring to it; who comes from a higher level began earlier.
 */
static bool
count_exactly(Count *count, const RowGroup *group)
{
	int			lowest[FUNNEL_MAX_STEPS + 1];
	int			level = count->level;

	find_lowest_levels(count, group, lowest);
	count->first[0] = group->at;
	/* downwards, from what levels were before this instant */
	for (uint64 rest = group->steps; rest != 0;)
	{
		int			step = pg_leftmost_one_pos64(rest) + 1;

		rest &= ~STEP_BIT(step);
		if (lowest[step] <= count->level && is_open(count, lowest[step], group->at))
		{
			count->first[step] = count->first[lowest[step]];
			level = Max(level, step);
		}
	}
	count->level = level;
	return is_in_order(count, group->steps);
}

/* For each step that happens, the lowest level from which the rows here lead to it. */
static void
find_lowest_levels(Count *count, const RowGroup *group, int *lowest)
{
	int			low = 0;

	if ((count->modes & STRICT_ONCE) != 0 && (count->modes & STRICT_INCREASE) == 0 && group->row_count > 1)
	{
		CHECK_FOR_INTERRUPTS();
		instant_clear(&count->instant);
		for (uint32 i = 0; i < group->row_count; i++)
		{
			if (group->rows[i].steps != 0)
				instant_add(&count->instant, group->rows[i].steps, count->step_count);
			if (i % TIMELINE_INTERRUPT_EVERY == 0)
				CHECK_FOR_INTERRUPTS();
		}
		instant_lowest(&count->instant, &count->rule, lowest);
		return;
	}
	for (int step = 1; step <= count->step_count; step++)
	{
		if ((count->modes & (STRICT_ONCE | STRICT_INCREASE)) != 0 ||
			(step > 1 && (group->steps & STEP_BIT(step - 1)) == 0))
			low = step - 1;
		lowest[step] = low;
	}
}

/*
 * Likewise, by ClickHouse's rules: steps upwards, and of each level only the chain
 * that came there last.
 */
static bool
count_greedily(Count *count, const RowGroup *group)
{
	for (uint64 rest = group->steps; rest != 0; rest &= rest - 1)
	{
		int			step = pg_rightmost_one_pos64(rest) + 1;
		bool		is_duplicate = step > 1 && (count->modes & STRICT_DEDUPLICATION) != 0;

		if (is_duplicate && step <= count->level)
			return false;
		if (step > count->level + 1)
			return is_in_order(count, group->steps);
		if (step == 1)
			count->first[1] = group->at;
		else if (!is_open(count, step - 1, group->at) ||
				 ((count->modes & STRICT_INCREASE) != 0 && count->last[step - 1] == group->at))
			continue;
		else
			count->first[step] = count->first[step - 1];
		count->last[step] = group->at;
		count->level = Max(count->level, step);
		if (is_duplicate && (group->repeated & STEP_BIT(step)) != 0)
			return false;
	}
	return true;
}

/*
 * Likewise, under strict_once with strict_deduplication: a step from the second on is
 * served by the first row that can, and any other row that satisfies it later ends
 * the count.  Rows of one instant that satisfy the same step come in the order of all
 * the steps that they satisfy: ClickHouse takes them in order of arrival.
 *
 * So all chains have the same rows but for the first, and only step 1 has a choice.
 */
static bool
count_first_rows(Count *count, const RowGroup *group)
{
	int			before = count->level;
	int64		first = count->first[Max(before, 1)];
	uint32		taken[FUNNEL_MAX_STEPS];	/* rows of this instant by steps after the first */
	int			taken_count = 0;
	uint32		starts = 0;		/* rows that can be the first step, and are not taken */
	bool		has_open = before > 0 && is_open(count, before, group->at);

	if ((count->modes & STRICT_INCREASE) == 0 && before <= 1)
	{
		for (uint32 i = 0; i < group->row_count; i++)
			starts += group->rows[i].steps & STEP_BIT(1);
	}
	if ((group->steps & STEP_BIT(1)) != 0 && before <= 1)
	{
		count->level = 1;
		count->first[1] = group->at;
	}
	for (uint64 rest = group->steps & ~STEP_BIT(1); rest != 0; rest &= rest - 1)
	{
		int			step = pg_rightmost_one_pos64(rest) + 1;

		if (step <= count->level)
			return false;
		if (step > count->level + 1)
		{
			if (!is_in_order(count, group->steps))
				return false;
			break;
		}
		if ((count->modes & STRICT_INCREASE) != 0 && taken_count > 0)
			continue;
		CHECK_FOR_INTERRUPTS();
		for (uint32 i = 0; i < group->row_count; i++)
		{
			uint64		steps = group->rows[i].steps;
			bool		is_taken = false;

			if ((steps & STEP_BIT(step)) == 0)
				continue;
			/* the step has been served */
			if (step == count->level)
				return false;
			for (int j = 0; j < taken_count; j++)
				is_taken |= taken[j] == i;
			if (is_taken || !(has_open || starts > (steps & STEP_BIT(1))))
				continue;
			taken[taken_count++] = i;
			starts -= Min(starts, steps & STEP_BIT(1));
			count->level = step;
		}
	}
	if (count->level > 1)
		count->first[count->level] = starts > 0 ? group->at : first;
	return true;
}
