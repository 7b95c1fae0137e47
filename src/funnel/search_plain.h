/*
 * search_plain.h
 *		The search for funnels with no other option than within, once and entered,
 *		straight from a timeline.
 */
#ifndef ENGAGEMENT_FUNNEL_SEARCH_PLAIN_H
#define ENGAGEMENT_FUNNEL_SEARCH_PLAIN_H

#include "postgres.h"

#include "funnel/search.h"

extern bool funnel_plain_level(const FunnelPlan *plan, const TimelineView *view, int *level);
extern bool funnel_plain_chain(const FunnelPlan *plan, const TimelineView *view, FunnelChain *chain, uint32 *entry_kind);

#endif							/* ENGAGEMENT_FUNNEL_SEARCH_PLAIN_H */
