/*
 * channel_names.h
 *		The channels of a state, numbered in the order in which they came.
 *
 * The rule for all attribution: a NULL or empty name is no channel, nor is
 * "(unattributed)"; touches without a channel are passed over.
 */
#ifndef ENGAGEMENT_CHANNEL_NAMES_H
#define ENGAGEMENT_CHANNEL_NAMES_H

#include "postgres.h"

#include "base/expanded_state.h"
#include "timeline/codec.h"

/* The path of conversions without touches; and what touches without a channel are called. */
#define CHANNEL_UNATTRIBUTED "(unattributed)"
#define CHANNEL_DIRECT "(direct)"

typedef struct ChannelNames
{
	MemoryContext context;
	uint32		count;
	uint32		capacity;
	TimelineString *names;		/* by number */
	uint32	   *hashes;			/* by number */
	uint32		slot_mask;
	uint32	   *slots;			/* number + 1, 0: free; open addressing, at most half full */
} ChannelNames;

extern void channel_names_init(ChannelNames *channels, MemoryContext context);
extern uint32 channel_number(ChannelNames *channels, const char *name, uint32 size);
extern uint32 *channel_numbers(ChannelNames *channels, const ChannelNames *others);
extern uint32 *channels_in_order(const ChannelNames *channels);
extern uint32 *channel_places(const ChannelNames *channels, const uint32 *order);
extern Datum *channel_texts(const ChannelNames *channels, const uint32 *order);
extern void channel_names_write(const ChannelNames *channels, const uint32 *order, StringInfo out);
extern void channel_names_read(ChannelNames *channels, StateReader *reader);

/* Whether a name is that of a channel. */
static inline bool
is_channel(const char *name, uint32 size)
{
	return size > 0 &&
		!(size == sizeof(CHANNEL_UNATTRIBUTED) - 1 && memcmp(name, CHANNEL_UNATTRIBUTED, size) == 0);
}

#endif							/* ENGAGEMENT_CHANNEL_NAMES_H */
