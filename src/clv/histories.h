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

#include "fmgr.h"

#include "base/expanded_state.h"

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

extern void histories_of_argument(FunctionCallInfo fcinfo, int number, const StateMethods *methods, Histories *histories);

extern const StateMethods purchase_histories_methods;
extern const StateMethods spend_histories_methods;

#endif							/* ENGAGEMENT_CLV_HISTORIES_H */
