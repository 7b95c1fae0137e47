/*
 * matcher.h
 *		Which kinds of a timeline's events match which patterns.
 */
#ifndef ENGAGEMENT_TIMELINE_MATCHER_H
#define ENGAGEMENT_TIMELINE_MATCHER_H

#include "postgres.h"

#include "fmgr.h"

#include "base/pattern.h"
#include "timeline/codec.h"

/* Patterns that can be asked for at once with matcher_masks(). */
#define MATCHER_MAX_PATTERNS 64

typedef struct TimelineMatcher TimelineMatcher;

extern TimelineMatcher *matcher_create(const PatternSet *set);
extern TimelineMatcher *matcher_of_arguments(FunctionCallInfo fcinfo, void **cache, int count,
											 const int *numbers, const char *const *names);
extern uint64 *matcher_masks(TimelineMatcher *matcher, const TimelineView *view);
extern void matcher_fill_masks(TimelineMatcher *matcher, const TimelineView *view, uint64 *masks);
extern void matcher_best(TimelineMatcher *matcher, const TimelineView *view, int *patterns);

#endif							/* ENGAGEMENT_TIMELINE_MATCHER_H */
