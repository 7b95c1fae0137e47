/*
 * encoder.h
 *		Writing a timeline: from events in any order to its one canonical spelling.
 */
#ifndef ENGAGEMENT_TIMELINE_ENCODER_H
#define ENGAGEMENT_TIMELINE_ENCODER_H

#include "postgres.h"

#include "utils/memutils.h"

#include "base/compat.h"
#include "timeline/codec.h"

typedef struct EncoderEvent
{
	int64		at;
	double		value;			/* looked at only if its kind has values */
	uint32		kind;			/* its place in the dictionary */
} EncoderEvent;

/* Events that follow each other in a timeline, and where they are written there. */
typedef struct TimelineRun
{
	EncoderEvent *events;		/* overwritten */
	uint32		event_count;
	const uint8 *values;		/* of all of them */
	const uint8 *values_end;
	const uint8 *times;			/* of all but the first */
	const uint8 *times_end;
} TimelineRun;

/* Characters of a label that make quotes necessary in the text form are all others. */
static inline bool
timeline_is_plain(char c)
{
	return (unsigned char) c > ' ' && c != 0x7f && strchr("\"\\,{}@=", c) == NULL;
}

/*
 * The text form of a timeline, as pg_dump writes it, must leave a row of 1 GB some
 * room for its other columns.
 */
#define TIMELINE_MAX_TEXT ((uint64) MaxAllocSize - 64 * 1024 * 1024)

/* More events than this would have a longer one: the shortest takes 24 bytes. */
#define TIMELINE_MAX_EVENTS ((uint32) (MaxAllocSize / 24))

extern struct varlena *timeline_empty(void);
pg_noreturn extern void timeline_too_large(uint32 event_count);
extern struct varlena *timeline_encode(const TimelineDictionary *whole,
									   EncoderEvent *events, uint32 event_count);
extern struct varlena *timeline_subset(const TimelineView *view,
									   EncoderEvent *events, uint32 event_count);
extern struct varlena *timeline_of_run(const TimelineView *view, const TimelineRun *run);

#endif							/* ENGAGEMENT_TIMELINE_ENCODER_H */
