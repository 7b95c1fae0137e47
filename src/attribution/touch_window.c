/*
 * touch_window.c
 *		A window over one visitor's touches in order of time, whose ends only move
 *		forward, and what of it is shown if repeats of a label are collapsed.
 *
 * What is shown is kept up to date as touches enter and leave the window: the runs of
 * equal labels, of which only the first can be cut, or the set of labels with the
 * first touch of each.  So even with touches reused by many conversions no more is
 * done than to move each end over each touch once, and to write what is shown.
 *
 * All arrays grow as the largest timeline needs and are used again for the next.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "attribution/touch_window.h"
#include "timeline/codec.h"

/* A label that is not in the window. */
#define NO_MEMBER PG_UINT32_MAX

static void reserve_labels(TouchWindow *window, uint32 count);
static void *allocate(TouchWindow *window, void *before, uint64 count, Size size);
static void enter_touch(TouchWindow *window);
static void leave_touch(TouchWindow *window);
static void show_first_touches(TouchWindow *window);
static int	compare_numbers(const void *a, const void *b);

/* Its arrays will be in this context. */
void
touch_window_init(TouchWindow *window, PathCollapse collapse, MemoryContext context)
{
	memset(window, 0, sizeof(TouchWindow));
	window->context = context;
	window->collapse = collapse;
}

/* Forgets all touches. */
void
touch_window_clear(TouchWindow *window)
{
	window->touch_count = 0;
}

/* Adds a touch that is not before the one added last. */
void
touch_window_add(TouchWindow *window, int64 at, uint32 label)
{
	if (unlikely(window->touch_count == window->touch_capacity))
	{
		uint64		capacity = Min(Max((uint64) window->touch_capacity * 2, 64), PG_UINT32_MAX);

		window->touches = allocate(window, window->touches, capacity, sizeof(JourneyTouch));
		if (window->collapse != COLLAPSE_NONE)
			window->shown = allocate(window, window->shown, capacity, sizeof(JourneyTouch));
		if (window->collapse == COLLAPSE_FIRST)
			window->next_same = allocate(window, window->next_same, capacity, sizeof(uint32));
		window->touch_capacity = (uint32) capacity;
	}
	window->touches[window->touch_count].at = at;
	window->touches[window->touch_count++].label = label;
}

/* The window is empty and before all touches, whose labels are below label_count. */
void
touch_window_start(TouchWindow *window, uint32 label_count)
{
	window->low = 0;
	window->high = 0;
	window->run_low = 0;
	window->run_high = 0;
	window->member_count = 0;
	if (window->collapse != COLLAPSE_FIRST)
		return;

	reserve_labels(window, label_count);
	for (uint32 i = 0; i < label_count; i++)
	{
		window->labels[i].first_touch = window->touch_count;
		window->labels[i].place = NO_MEMBER;
	}
	for (uint32 i = window->touch_count; i-- > 0;)
	{
		WindowLabel *label = &window->labels[window->touches[i].label];

		window->next_same[i] = label->first_touch;
		label->first_touch = i;
		if (i % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
}

/* Moves the end of the window behind all touches up to this time. */
void
touch_window_enter(TouchWindow *window, int64 until)
{
	while (window->high < window->touch_count && window->touches[window->high].at <= until)
	{
		enter_touch(window);
		if (window->high % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
}

/*
 * Moves the start of the window to the first touch that is no more than lookback
 * (microseconds) before this time, which no touch in the window is after.
 */
void
touch_window_leave_older(TouchWindow *window, int64 at, uint64 lookback)
{
	/* the range of time is wider than int64 */
	while (window->low < window->high && (uint64) at - (uint64) window->touches[window->low].at > lookback)
	{
		leave_touch(window);
		if (window->low % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
}

/* Moves the start of the window to its end. */
void
touch_window_leave_all(TouchWindow *window)
{
	while (window->low < window->high)
	{
		leave_touch(window);
		if (window->low % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
}

/* The touches of the window, collapsed; valid until the window moves or the next call. */
const JourneyTouch *
touch_window_show(TouchWindow *window, uint32 *count)
{
	switch (window->collapse)
	{
		case COLLAPSE_CONSECUTIVE:
			*count = window->run_high - window->run_low;
			return window->shown + window->run_low;
		case COLLAPSE_FIRST:
			show_first_touches(window);
			*count = window->member_count;
			return window->shown;
		default:
			*count = window->high - window->low;
			return window->touches + window->low;
	}
}

static void
reserve_labels(TouchWindow *window, uint32 count)
{
	uint64		capacity;

	if (count <= window->label_capacity)
		return;
	capacity = Min(Max(Max((uint64) count, (uint64) window->label_capacity * 2), 32), PG_UINT32_MAX);
	window->labels = allocate(window, window->labels, capacity, sizeof(WindowLabel));
	window->members = allocate(window, window->members, capacity, sizeof(uint32));
	window->first_touches = allocate(window, window->first_touches, capacity, sizeof(uint32));
	window->label_capacity = (uint32) capacity;
}

/* Room for so many, with what was before in it. */
static void *
allocate(TouchWindow *window, void *before, uint64 count, Size size)
{
	return before == NULL ? MemoryContextAllocHuge(window->context, count * size) : repalloc_huge(before, count * size);
}

/* Takes the touch behind the window into it. */
static void
enter_touch(TouchWindow *window)
{
	uint32		entering = window->high++;
	const JourneyTouch *touch = &window->touches[entering];

	if (window->collapse == COLLAPSE_CONSECUTIVE)
	{
		if (window->low == entering || touch[-1].label != touch->label)
			window->shown[window->run_high++] = *touch;
	}
	else if (window->collapse == COLLAPSE_FIRST)
	{
		WindowLabel *label = &window->labels[touch->label];

		if (label->place == NO_MEMBER)
		{
			label->first_touch = entering;
			label->place = window->member_count;
			window->members[window->member_count++] = touch->label;
		}
	}
}

/* Drops the first touch of the window. */
static void
leave_touch(TouchWindow *window)
{
	uint32		leaving = window->low++;
	const JourneyTouch *touch = &window->touches[leaving];

	if (window->collapse == COLLAPSE_CONSECUTIVE)
	{
		/* the rest of its run, if there is one, now begins later */
		if (window->low < window->high && touch[1].label == touch->label)
			window->shown[window->run_low] = touch[1];
		else
			window->run_low++;
	}
	else if (window->collapse == COLLAPSE_FIRST)
	{
		WindowLabel *label = &window->labels[touch->label];

		/* it is the first of its label, being the first of all */
		if (window->next_same[leaving] < window->high)
			label->first_touch = window->next_same[leaving];
		else
		{
			uint32		moved = window->members[--window->member_count];

			window->members[label->place] = moved;
			window->labels[moved].place = label->place;
			label->place = NO_MEMBER;
		}
	}
}

static void
show_first_touches(TouchWindow *window)
{
	for (uint32 i = 0; i < window->member_count; i++)
		window->first_touches[i] = window->labels[window->members[i]].first_touch;
	if (window->member_count > 1)
		qsort(window->first_touches, window->member_count, sizeof(uint32), compare_numbers);
	for (uint32 i = 0; i < window->member_count; i++)
		window->shown[i] = window->touches[window->first_touches[i]];
}

static int
compare_numbers(const void *a, const void *b)
{
	uint32		left = *(const uint32 *) a;
	uint32		right = *(const uint32 *) b;

	return (left > right) - (left < right);
}
