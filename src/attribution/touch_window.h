/*
 * touch_window.h
 *		A window over one visitor's touches in order of time, whose ends only move
 *		forward, and what of it is shown if repeats of a label are collapsed.
 *
 *		touch_window_clear(window);
 *		touch_window_add(window, at, label);		-- each touch
 *		touch_window_start(window, label_count);
 *		touch_window_enter(window, until);			-- then these in turns
 *		touch_window_leave_older(window, at, lookback);
 *		touches = touch_window_show(window, &count);
 */
#ifndef ENGAGEMENT_TOUCH_WINDOW_H
#define ENGAGEMENT_TOUCH_WINDOW_H

#include "postgres.h"

#include "attribution/path_collapse.h"

typedef struct JourneyTouch
{
	int64		at;
	uint32		label;
} JourneyTouch;

/* A label in the window. */
typedef struct WindowLabel
{
	uint32		first_touch;
	uint32		place;			/* among the members; or none */
} WindowLabel;

typedef struct TouchWindow
{
	MemoryContext context;
	PathCollapse collapse;

	uint32		touch_capacity;
	uint32		touch_count;
	JourneyTouch *touches;
	uint32		low;			/* the window is from here */
	uint32		high;			/* to before here */

	JourneyTouch *shown;		/* with collapse: runs, or the first touches of labels */

	/* for COLLAPSE_CONSECUTIVE: the window's runs in shown */
	uint32		run_low;
	uint32		run_high;

	/* for COLLAPSE_FIRST */
	uint32	   *next_same;		/* by touch: the next of the same label */
	uint32		label_capacity;
	WindowLabel *labels;
	uint32		member_count;
	uint32	   *members;		/* labels in the window, in any order */
	uint32	   *first_touches;	/* of these, sorted */
} TouchWindow;

extern void touch_window_init(TouchWindow *window, PathCollapse collapse, MemoryContext context);
extern void touch_window_clear(TouchWindow *window);
extern void touch_window_add(TouchWindow *window, int64 at, uint32 label);
extern void touch_window_start(TouchWindow *window, uint32 label_count);
extern void touch_window_enter(TouchWindow *window, int64 until);
extern void touch_window_leave_older(TouchWindow *window, int64 at, uint64 lookback);
extern void touch_window_leave_all(TouchWindow *window);
extern const JourneyTouch *touch_window_show(TouchWindow *window, uint32 *count);

#endif							/* ENGAGEMENT_TOUCH_WINDOW_H */
