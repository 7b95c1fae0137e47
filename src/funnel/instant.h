/*
 * instant.h
 *		The events of one instant, and which steps they can serve at once.
 *
 * Events at one instant may be taken in any order, so what matters is which sets
 * of consecutive steps they can serve.  A span from level j to step i is step i and
 * all steps between that are not optional.
 */
#ifndef ENGAGEMENT_FUNNEL_INSTANT_H
#define ENGAGEMENT_FUNNEL_INSTANT_H

#include "postgres.h"

#include "funnel/funnel_rule.h"

/* Events that satisfy the same steps. */
typedef struct InstantGroup
{
	uint64		steps;
	uint64		serves;			/* the steps that its events are matched with */
	int			count;
	uint32		visited;		/* by which search for a matching */
} InstantGroup;

typedef struct Instant
{
	uint64		steps;			/* that some event satisfies */
	uint32		event_count;	/* events that satisfy a step */
	uint64		plentiful;		/* steps with as many events as there are steps */
	int			supply[FUNNEL_MAX_STEPS];
	int			group_count;
	int			group_capacity;
	InstantGroup *groups;
	InstantGroup *spare;		/* room for a copy of the groups */
	uint32		visit;
} Instant;

extern void instant_free(Instant *instant);
extern void instant_clear(Instant *instant);
extern void instant_add(Instant *instant, uint64 steps, int step_count);
extern void instant_lowest(Instant *instant, const FunnelRule *rule, int *lowest);
extern void instant_highest(Instant *instant, const FunnelRule *rule, int *highest);
extern bool instant_serves(Instant *instant, const FunnelRule *rule, uint64 steps);
extern bool instant_serves_also(Instant *instant, const FunnelRule *rule, int step);
extern void instant_release(Instant *instant, int step);
extern bool instant_serves_besides(Instant *instant, const FunnelRule *rule, uint64 taken, uint64 steps);
extern bool instant_uses_all(Instant *instant, uint64 steps);

#endif							/* ENGAGEMENT_FUNNEL_INSTANT_H */
