/*
 * histories.h
 *		What purchase_histories and spend_histories hold: how many customers have
 *		which history.
 *
 * A history is a number of repeat purchases and two numbers more: recency and age, or the
 * mean value and nothing.  Customers with the same history are counted, not kept.
 */
#ifndef ENGAGEMENT_CLV_HISTORIES_H
#define ENGAGEMENT_CLV_HISTORIES_H

#include "postgres.h"

#include <float.h>

#include "fmgr.h"

#include "base/expanded_state.h"

/* Every sum of so many counts is exact as a double. */
#define HISTORIES_MAX_CUSTOMERS (INT64CONST(1) << 53)

typedef struct History
{
	double		recency;		/* of spend: the mean value of a repeat purchase */
	double		age;			/* of spend: 0 */
	int64		customers;		/* > 0 */
	int32		frequency;
} History;

/* The histories of a state in their order: by age, then recency, then frequency. */
typedef struct Histories
{
	int64		customers;		/* of all; an error if beyond 2^53 */
	uint32		count;
	const History *items;
} Histories;

typedef enum HistoryKind
{
	HISTORY_OF_PURCHASES,
	HISTORY_OF_SPEND
} HistoryKind;

/* The content of a state.  No two items are the same history. */
typedef struct HistorySet
{
	MemoryContext context;
	HistoryKind kind;
	bool		is_sorted;
	int64		customers;
	uint32		count;
	uint32		capacity;
	History    *items;			/* in order of arrival, or sorted */
	uint32		slot_mask;
	uint64	   *slots;			/* hash of an item << 32 | its number + 1, 0: free; NULL: not made */
} HistorySet;

/* Makes the row of a set-returning function of a history. */
typedef void (*HistoryRow) (const History *history, Datum *fields);

extern void histories_of_argument(FunctionCallInfo fcinfo, int number, const StateMethods *methods, Histories *histories);

extern void histories_add(HistorySet *set, const History *history);
extern void histories_sort(const HistorySet *set);
extern int64 customers_argument(FunctionCallInfo fcinfo, int number);
extern Datum histories_count(FunctionCallInfo fcinfo, const StateMethods *methods);
extern Datum histories_rows(FunctionCallInfo fcinfo, const StateMethods *methods, HistoryRow form);

extern const StateMethods purchase_histories_methods;
extern const StateMethods spend_histories_methods;

/* Can a customer have this history of purchases?  Also false of NaN. */
static inline bool
is_purchase_history(int32 frequency, double recency, double age)
{
	return frequency >= 0 && recency >= 0 && recency <= age && age <= DBL_MAX && (frequency > 0 || recency == 0);
}

/* Likewise for histories of a kind. */
static inline bool
history_is_valid(HistoryKind kind, const History *history)
{
	if (kind == HISTORY_OF_SPEND)
		return history->frequency > 0 && history->recency > 0 && history->recency <= DBL_MAX && history->age == 0;
	return is_purchase_history(history->frequency, history->recency, history->age);
}

#endif							/* ENGAGEMENT_CLV_HISTORIES_H */
