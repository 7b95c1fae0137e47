/*
 * purchase_days.c
 *		The days on which a customer bought.
 *
 * Days are the dates that clocks of a time zone show.  All purchases of one date are one;
 * its value is the sum of theirs.  A negative value is a refund.  A day with refunds
 * that sums to nothing or less does not count: all was given back.  A day without any
 * counts whatever its sum, be it a gift, an order paid with a voucher (0), or a
 * purchase whose amount is not known (no value).
 *
 * A clock that is put back just after midnight shows the date before once more, so two
 * days are open at a time.  None is put back by more than a day.
 *
 * Values are summed as whole numbers where the timeline has them so, as money mostly
 * is.  Other doubles are summed exactly, but 10.1 + 20.2 - 30.3 is not zero then: what is
 * less than the rounding of the addends can explain is taken for nothing.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "base/compat.h"
#include "clv/purchase_days.h"
#include "timeline/timeline.h"

/* Twice what rounding to doubles leaves of a sum that is zero, relative to its addends. */
#define ROUNDING 0x1p-52

static bool next_purchase(PurchaseDayWalk *walk);
static PurchaseDay *find_open(PurchaseDayWalk *walk, int32 date);
static PurchaseDay *open_day(PurchaseDayWalk *walk, int32 date);
static PurchaseDay take_oldest(PurchaseDayWalk *walk);
static void add_purchase(PurchaseDayWalk *walk, PurchaseDay *day);
static bool day_counts(const PurchaseDayWalk *walk, const PurchaseDay *day);
static void add_to_sum(const PurchaseDayWalk *walk, PurchaseSum *sum, double value);

/*
 * Starts a walk over the purchases at or before 'until': events of the kinds whose
 * mask is not 0.  View, masks and clock must last as long.
 */
void
purchase_day_walk_start(PurchaseDayWalk *walk, const TimelineView *view, const uint64 *masks,
						LocalClock *clock, int64 until)
{
	timeline_cursor_start(&walk->cursor, view);
	walk->masks = masks;
	walk->clock = clock;
	walk->until = until;
	walk->unit = view->value_unit == TIMELINE_DOUBLES ? 0 : view->value_unit == TIMELINE_HUNDREDTHS ? 100.0 : 1.0;
	walk->is_complete = false;
	walk->open_count = 0;
}

/* The next day that counts, in the order of dates; false if there is none. */
bool
purchase_day_next(PurchaseDayWalk *walk, PurchaseDay *day)
{
	do
	{
		bool		is_taken = false;

		while (!is_taken && !walk->is_complete)
		{
			PurchaseDay *open;
			int32		date;

			if (!next_purchase(walk))
			{
				walk->is_complete = true;
				break;
			}
			date = local_clock_day(walk->clock, walk->cursor.at);
			open = find_open(walk, date);
			if (open == NULL)
			{
				if (walk->open_count == lengthof(walk->open))
				{
					*day = take_oldest(walk);
					is_taken = true;
				}
				open = open_day(walk, date);
			}
			add_purchase(walk, open);
		}
		if (!is_taken)
		{
			if (walk->open_count == 0)
				return false;
			*day = take_oldest(walk);
		}
	} while (!day_counts(walk, day));
	return true;
}

/* Adds the value of a day of this walk to a sum, which is zero at first. */
void
purchase_sum_add(const PurchaseDayWalk *walk, PurchaseSum *sum, const PurchaseSum *addend)
{
	if (walk->unit != 0)
	{
		sum->units += addend->units;
		return;
	}
	exact_sum_merge(&sum->bought, &addend->bought, CurrentMemoryContext);
	exact_sum_merge(&sum->refunded, &addend->refunded, CurrentMemoryContext);
}

/* A sum rounded to a double; an error if it is out of the range of doubles. */
double
purchase_sum_value(const PurchaseDayWalk *walk, const PurchaseSum *sum)
{
	ExactSum	total = {0};

	if (walk->unit != 0)
		return (double) sum->units / walk->unit;
	exact_sum_merge(&total, &sum->bought, CurrentMemoryContext);
	exact_sum_merge(&total, &sum->refunded, CurrentMemoryContext);
	return exact_sum_value(&total);
}

/* Moves to the next purchase up to the end; false if there is none. */
static bool
next_purchase(PurchaseDayWalk *walk)
{
	TimelineCursor *cursor = &walk->cursor;

	while (timeline_next(cursor) && cursor->at <= walk->until)
	{
		if (cursor->remaining % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		if (walk->masks[cursor->kind] != 0)
			return true;
	}
	timeline_cursor_end(cursor);
	return false;
}

static PurchaseDay *
find_open(PurchaseDayWalk *walk, int32 date)
{
	/* most often it is the latest */
	for (int i = walk->open_count - 1; i >= 0; i--)
	{
		if (walk->open[i].date == date)
			return &walk->open[i];
	}
	return NULL;
}

/* A new day among those open, of which there are fewer than there is room for. */
static PurchaseDay *
open_day(PurchaseDayWalk *walk, int32 date)
{
	PurchaseDay *day = &walk->open[walk->open_count++];

	if (walk->open_count == 2 && walk->open[0].date > date)
	{
		walk->open[1] = walk->open[0];
		day = &walk->open[0];
	}
	memset(day, 0, sizeof(PurchaseDay));
	day->date = date;
	day->first_at = walk->cursor.at;
	return day;
}

static PurchaseDay
take_oldest(PurchaseDayWalk *walk)
{
	PurchaseDay day = walk->open[0];

	walk->open_count--;
	walk->open[0] = walk->open[1];
	return day;
}

static void
add_purchase(PurchaseDayWalk *walk, PurchaseDay *day)
{
	if (!walk->cursor.has_value)
		return;
	day->has_value = true;
	if (walk->cursor.value < 0)
		day->has_refund = true;
	add_to_sum(walk, &day->value, walk->cursor.value);
}

static bool
day_counts(const PurchaseDayWalk *walk, const PurchaseDay *day)
{
	double		addends;

	if (!day->has_refund)
		return true;
	if (walk->unit != 0)
		return day->value.units > 0;
	addends = exact_sum_value(&day->value.bought) - exact_sum_value(&day->value.refunded);
	return purchase_sum_value(walk, &day->value) > addends * ROUNDING;
}

static void
add_to_sum(const PurchaseDayWalk *walk, PurchaseSum *sum, double value)
{
	if (walk->unit != 0)
		sum->units += (int64) rint(value * walk->unit);
	else
		exact_sum_add(value < 0 ? &sum->refunded : &sum->bought, value, CurrentMemoryContext);
}
