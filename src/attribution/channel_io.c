/*
 * channel_io.c
 *		Text and binary form of the channels of a state.
 *
 *		["direct", "email"]; elsewhere a channel is its number in this list, from 0
 *
 * In binary form: how many channels (4 bytes), and of each its length (4) and its name in the
 * client's encoding; elsewhere a channel's number has 4 bytes.
 */
#include "postgres.h"

#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/json.h"

#include "attribution/channel_io.h"

static const char *add_channel(ChannelNames *channels, const char *name, uint32 size);

/* Into an empty list, so that a channel's number is its place in the text. */
bool
state_parse_channels(JsonReader *reader, ChannelNames *channels)
{
	if (!json_begin_array(reader))
		return false;
	for (uint64 n = 0; json_element(reader, n); n++)
	{
		const char *name;
		uint32		size;
		const char *problem;

		if (!json_string(reader, &name, &size))
			return false;
		problem = add_channel(channels, name, size);
		if (problem != NULL)
			return json_problem(reader, problem);
	}
	return reader->problem == NULL;
}

bool
state_parse_channel(JsonReader *reader, const ChannelNames *channels, uint32 *number)
{
	int64		place;

	if (!json_count(reader, &place))
		return false;
	if (place >= channels->count)
		return json_problem(reader, "There is no channel of this number.");
	*number = (uint32) place;
	return true;
}

void
state_print_channels(StringInfo out, const ChannelNames *channels, const uint32 *order)
{
	appendStringInfoChar(out, '[');
	for (uint32 i = 0; i < channels->count; i++)
	{
		const TimelineString *name = &channels->names[order[i]];
		char	   *terminated = pnstrdup(name->bytes, name->length);

		if (i > 0)
			appendStringInfoString(out, ", ");
		escape_json(out, terminated);
		pfree(terminated);
	}
	appendStringInfoChar(out, ']');
}

/* Into an empty list, so that a channel's number is its place in the message. */
void
state_receive_channels(StateMessage *message, ChannelNames *channels)
{
	uint32		count = state_receive_length(message, 4);

	for (uint32 i = 0; i < count; i++)
	{
		uint32		size = state_receive_length(message, 1);
		int			converted_size;
		char	   *name = pq_getmsgtext(message->in, (int) size, &converted_size);
		const char *problem = add_channel(channels, name, (uint32) converted_size);

		if (problem != NULL)
			state_bad_message(message, problem);
		pfree(name);
		CHECK_FOR_INTERRUPTS();
	}
}

uint32
state_receive_channel(StateMessage *message, const ChannelNames *channels)
{
	uint32		number = pq_getmsgint(message->in, 4);

	if (number >= channels->count)
		state_bad_message(message, "There is no channel of this number.");
	return number;
}

void
state_send_channels(StringInfo out, const ChannelNames *channels, const uint32 *order)
{
	pq_sendint32(out, channels->count);
	for (uint32 i = 0; i < channels->count; i++)
	{
		const TimelineString *name = &channels->names[order[i]];
		char	   *terminated = pnstrdup(name->bytes, name->length);
		char	   *converted = pg_server_to_client(terminated, (int) name->length);
		uint32		size = (uint32) strlen(converted);

		pq_sendint32(out, size);
		pq_sendbytes(out, converted, (int) size);
		if (converted != terminated)
			pfree(converted);
		pfree(terminated);
	}
}

/* Returns NULL, or what is wrong. */
static const char *
add_channel(ChannelNames *channels, const char *name, uint32 size)
{
	uint32		count = channels->count;

	if (size == 0)
		return "A channel must have a name.";
	if (!is_channel(name, size))
		return "\"" CHANNEL_UNATTRIBUTED "\" is not a channel: its path is the empty one.";
	if (channel_number(channels, name, size) != count)
		return "A channel is there twice.";
	return NULL;
}
