/*
 * purchase_days.h
 *		The days on which a customer bought.
 *
 *		PurchaseDayWalk walk;
 *		PurchaseDay day;
 *
 *		purchase_day_walk_start(&walk, &view, masks, clock, until);
 *		while (purchase_day_next(&walk, &day))
 *			... day.date, day.first_at, day.value ...
 */
#ifndef ENGAGEMENT_CLV_PURCHASE_DAYS_H
#define ENGAGEMENT_CLV_PURCHASE_DAYS_H

#include "postgres.h"

#include "base/calendar.h"
#include "base/exact_sum.h"
#include "timeline/codec.h"

/*
 * A sum of values, the same for any order of adding.  All zero bytes are a sum of
 * nothing; one walk has only sums of one kind, so the two ways never meet.
 */
typedef struct PurchaseSum
{
	int128		units;			/* whole numbers or hundredths, as the timeline has them */
	ExactSum	bought;			/* or doubles: those above zero ... */
	ExactSum	refunded;		/* ... and those below */
} PurchaseSum;

typedef struct PurchaseDay
{
	int32		date;			/* Julian day */
	bool		has_value;		/* some event of it has one */
	bool		has_refund;		/* some value is below zero */
	int64		first_at;		/* of its events, counted or not */
	PurchaseSum value;
} PurchaseDay;

typedef struct PurchaseDayWalk
{
	TimelineCursor cursor;
	const uint64 *masks;		/* of the kinds; not 0: a purchase */
	LocalClock *clock;
	int64		until;
	double		unit;			/* values are whole multiples of 1 / unit; 0: doubles */
	bool		is_complete;	/* no event is left */
	int			open_count;
	PurchaseDay open[2];		/* days to which events may be added, in their order */
} PurchaseDayWalk;

extern void purchase_day_walk_start(PurchaseDayWalk *walk, const TimelineView *view, const uint64 *masks,
									LocalClock *clock, int64 until);
extern bool purchase_day_next(PurchaseDayWalk *walk, PurchaseDay *day);
extern void purchase_sum_add(const PurchaseDayWalk *walk, PurchaseSum *sum, const PurchaseSum *addend);
extern double purchase_sum_value(const PurchaseDayWalk *walk, const PurchaseSum *sum);

#endif							/* ENGAGEMENT_CLV_PURCHASE_DAYS_H */
