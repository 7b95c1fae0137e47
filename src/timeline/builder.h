/*
 * builder.h
 *		Collecting the events of one visitor, in any order, into a timeline.
 */
#ifndef ENGAGEMENT_TIMELINE_BUILDER_H
#define ENGAGEMENT_TIMELINE_BUILDER_H

#include "postgres.h"

#include "timeline/codec.h"
#include "timeline/kind_table.h"

typedef struct TimelineBuilder TimelineBuilder;

/* One event to append. */
typedef struct BuilderEvent
{
	int64		at;				/* valid and finite */
	KindContent kind;
	double		value;			/* if the kind has one: finite, without negative zero */
} BuilderEvent;

extern TimelineBuilder *builder_create(MemoryContext context);
extern TimelineBuilder *builder_create_among_many(MemoryContext context);
extern TimelineBuilder *builder_append(TimelineBuilder *builder, const BuilderEvent *event);
extern TimelineBuilder *builder_append_timeline(TimelineBuilder *builder, const TimelineView *view);
extern TimelineBuilder *builder_append_builder(TimelineBuilder *builder, const TimelineBuilder *other);
extern struct varlena *builder_finish(const TimelineBuilder *builder);

/*
 * Asks the processor for a builder that is needed soon: with many groups it is
 * seldom in its cache.
 */
static inline void
builder_prefetch(const TimelineBuilder *builder)
{
	__builtin_prefetch(builder, 1);
	__builtin_prefetch((const char *) builder + 64, 1);
}

#endif							/* ENGAGEMENT_TIMELINE_BUILDER_H */
