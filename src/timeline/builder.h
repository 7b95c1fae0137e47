/*
 * builder.h
 *		Collecting the events of one visitor, in any order, into a timeline.
 */
#ifndef ENGAGEMENT_TIMELINE_BUILDER_H
#define ENGAGEMENT_TIMELINE_BUILDER_H

#include "postgres.h"

#include "timeline/codec.h"

typedef struct TimelineBuilder TimelineBuilder;

/* How an event's properties come: as the text that jsonb prints, or jsonb's own bytes. */
typedef enum PropertiesForm
{
	PROPERTIES_TEXT,
	PROPERTIES_JSONB
} PropertiesForm;

/* One event to append; bytes == NULL stands for NULL. */
typedef struct BuilderEvent
{
	int64		at;				/* valid and finite */
	TimelineString event;
	TimelineString channel;
	TimelineString properties;
	PropertiesForm form;
	bool		has_value;
	double		value;			/* finite, without negative zero */
} BuilderEvent;

/* What a kind_cache knows of an event's kind; cache_id 0: nothing. */
typedef struct KindToken
{
	uint64		cache_id;		/* of the cache that gave the token */
	uint16		token;			/* 0: the cache is full */
	uint32		hash;			/* of the kind */
} KindToken;

extern TimelineBuilder *builder_create(MemoryContext context);
extern TimelineBuilder *builder_create_among_many(MemoryContext context);
extern TimelineBuilder *builder_append(TimelineBuilder *builder, const BuilderEvent *event,
									   const KindToken *token);
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
