/*
 * stage_map.h
 *		Which stage of the buyer's journey an event belongs to.
 */
#ifndef ENGAGEMENT_FUNNEL_STAGE_MAP_H
#define ENGAGEMENT_FUNNEL_STAGE_MAP_H

#include "postgres.h"

#include "fmgr.h"

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

/* The bytes of a variable-length argument, without its header; of a NULL one, bytes == NULL. */
static inline TimelineString
argument_bytes(FunctionCallInfo fcinfo, int number)
{
	TimelineString none = {NULL, 0};

	if (PG_ARGISNULL(number))
		return none;
	return timeline_string((struct varlena *) PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(number)));
}

static inline bool
argument_is(FunctionCallInfo fcinfo, int number, const TimelineString *known)
{
	TimelineString now = argument_bytes(fcinfo, number);

	return (now.bytes == NULL) == (known->bytes == NULL) && now.length == known->length &&
		(now.length == 0 || memcmp(now.bytes, known->bytes, now.length) == 0);
}

/* A copy in the current memory context, for argument_is. */
static inline TimelineString
argument_copy(FunctionCallInfo fcinfo, int number)
{
	TimelineString string = argument_bytes(fcinfo, number);

	if (string.bytes != NULL)
		string.bytes = memcpy(palloc(Max(string.length, 1)), string.bytes, string.length);
	return string;
}

#endif							/* ENGAGEMENT_FUNNEL_STAGE_MAP_H */
