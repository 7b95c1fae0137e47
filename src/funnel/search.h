/*
 * search.h
 *		The exact search for the longest chain of events that completes the steps of
 *		a funnel.
 *
 * A chain takes one event for each step that it does not skip.  The greatest level
 * wins; then the earliest last time, then the latest first time, then the smallest
 * times by step, where a skipped step comes after every time.
 */
#ifndef ENGAGEMENT_FUNNEL_SEARCH_H
#define ENGAGEMENT_FUNNEL_SEARCH_H

#include "postgres.h"

#include "funnel/funnel_rule.h"

typedef struct FunnelEvent
{
	int64		at;
	uint32		kind;
} FunnelEvent;

/* The events of one visitor in order of time; in mode contiguous all of them. */
typedef struct FunnelInput
{
	const FunnelRule *rule;
	const FunnelKind *kinds;
	uint32		held_count;		/* one more than the greatest kinds[].held */
	const FunnelEvent *events;
	uint32		event_count;
} FunnelInput;

typedef struct FunnelChain
{
	int			level;			/* number of the furthest step; 0: none */
	uint64		taken;			/* steps that were not skipped */
	int64		times[FUNNEL_MAX_STEPS + 1];	/* of those, by step number */
	int64		first;			/* earliest of them */
	int64		last;			/* latest of them */
	uint32		entry;			/* place of the event that entered the chain */
} FunnelChain;

/* The best level, and what is known of the chains that reach it. */
typedef struct FunnelBest
{
	int			level;
	int64		first;
	int64		last;
	uint32		held_count;
	uint32		held_capacity;
	uint32	   *held;			/* the values of the property to hold that reach it so */
} FunnelBest;

extern int	funnel_search_level(const FunnelInput *input);
extern void funnel_search_chain(const FunnelInput *input, FunnelChain *chain);

/* What the traces of all chains of one search share. */
typedef struct FunnelTrace FunnelTrace;

/* The parts of it: search_ordered.c, search_any.c, trace.c */
extern void funnel_search_ordered(const FunnelInput *input, FunnelBest *best);
extern int	funnel_search_any_level(const FunnelInput *input);
extern void funnel_search_any_chain(const FunnelInput *input, FunnelChain *chain);
extern FunnelTrace *funnel_start_trace(const FunnelInput *input, const FunnelBest *best);
extern void funnel_trace_chain(const FunnelTrace *trace, uint32 number, FunnelChain *chain);
extern uint32 funnel_find_entry(const FunnelInput *input, const uint32 *places, uint32 count, uint64 steps);
extern int	funnel_compare_times(const FunnelChain *a, const FunnelChain *b);

#endif							/* ENGAGEMENT_FUNNEL_SEARCH_H */
