/*
 * window_funnel_count.h
 *		Counting the steps of the aggregate window_funnel, by ClickHouse's rules.
 */
#ifndef ENGAGEMENT_FUNNEL_WINDOW_FUNNEL_COUNT_H
#define ENGAGEMENT_FUNNEL_WINDOW_FUNNEL_COUNT_H

#include "postgres.h"

#include "funnel/funnel_rule.h"

/* The modes, as bits. */
#define STRICT_DEDUPLICATION (1 << 0)
#define STRICT_ORDER (1 << 1)
#define STRICT_INCREASE (1 << 2)
#define STRICT_ONCE (1 << 3)
#define ALLOW_REENTRY (1 << 4)

typedef struct WindowFunnelRow
{
	int64		at;
	uint64		steps;			/* that it satisfies */
} WindowFunnelRow;

extern int	window_funnel_count(WindowFunnelRow *rows, uint32 row_count,
								int step_count, uint64 within, uint8 modes);

#endif							/* ENGAGEMENT_FUNNEL_WINDOW_FUNNEL_COUNT_H */
