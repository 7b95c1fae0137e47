/*
 * stage_map.h
 *		Which stage of the buyer's journey an event belongs to.
 */
#ifndef ENGAGEMENT_FUNNEL_STAGE_MAP_H
#define ENGAGEMENT_FUNNEL_STAGE_MAP_H

#include "postgres.h"

#include "fmgr.h"

#include "timeline/argument.h"
#include "timeline/matcher.h"
#include "timeline/timeline.h"

/* No stage: of an event without one, and of a visitor before the first stage. */
#define STAGE_NONE (-1)

/* The arguments stage_map and stages, read; stages are numbered from 0, the first. */
typedef struct StageMap
{
	MemoryContext context;
	TimelineString map;			/* the arguments, by which it is recognised */
	TimelineString stages;
	int			stage_count;
	Datum	   *names;			/* text */
	TimelineMatcher *matcher;	/* its pattern numbers are stage numbers */
} StageMap;

extern const StageMap *stage_map_of_arguments(FunctionCallInfo fcinfo, void **cache,
											  int map_number, int stages_number);
extern int *stage_map_kinds(const StageMap *map, const TimelineView *view, int *inline_stages);

#endif							/* ENGAGEMENT_FUNNEL_STAGE_MAP_H */
