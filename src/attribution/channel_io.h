/*
 * channel_io.h
 *		Text and binary form of the channels of conversion_paths and markov; as in
 *		base/state_io.h, parsing notes a problem in the reader, receiving is an error.
 */
#ifndef ENGAGEMENT_CHANNEL_IO_H
#define ENGAGEMENT_CHANNEL_IO_H

#include "postgres.h"

#include "attribution/channel_names.h"
#include "base/state_io.h"

extern bool state_parse_channels(JsonReader *reader, ChannelNames *channels);
extern bool state_parse_channel(JsonReader *reader, const ChannelNames *channels, uint32 *number);
extern void state_print_channels(StringInfo out, const ChannelNames *channels, const uint32 *order);
extern void state_receive_channels(StateMessage *message, ChannelNames *channels);
extern uint32 state_receive_channel(StateMessage *message, const ChannelNames *channels);
extern void state_send_channels(StringInfo out, const ChannelNames *channels, const uint32 *order);

#endif							/* ENGAGEMENT_CHANNEL_IO_H */
