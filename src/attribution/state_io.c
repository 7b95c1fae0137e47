/*
 * state_io.c
 *		Text and binary form of what conversion_paths and markov have in common.
 *
 *		channels	["direct", "email"]; elsewhere a channel is its number in this list, from 0
 *		a count		17
 *		a sum		249.5, or if no double is the exact sum, the list of those that it is
 *					made of, [1e+16, 0.5]: first the sum rounded, then the rest rounded...
 *
 * In binary form: how many channels (4 bytes), and of each its length (4) and its name in the
 * client's encoding; a count has 8 bytes, a channel's number 4; a sum has how many
 * doubles (1), and these.
 */
#include "postgres.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/memutils.h"

#include "attribution/state_io.h"

static bool add_part(JsonReader *reader, ExactSum *sum, MemoryContext context);
static const char *add_channel(ChannelNames *channels, const char *name, uint32 size);

/*
 * A state that has been read, in its flat form, as types' input functions return values.
 * The state is gone then.
 */
Datum
state_finished(ExpandedState *state)
{
	const struct varlena *flat = expanded_state_flatten(state);
	struct varlena *copy = palloc(VARSIZE(flat));

	memcpy(copy, flat, VARSIZE(flat));
	MemoryContextDelete(state->header.eoh_context);
	return PointerGetDatum(copy);
}

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

/* Adds what it reads. */
bool
state_parse_sum(JsonReader *reader, ExactSum *sum, MemoryContext context)
{
	if (!json_is_array(reader))
		return add_part(reader, sum, context);
	(void) json_begin_array(reader);
	for (uint64 n = 0; json_element(reader, n); n++)
	{
		if (!add_part(reader, sum, context))
			return false;
	}
	return reader->problem == NULL;
}

static bool
add_part(JsonReader *reader, ExactSum *sum, MemoryContext context)
{
	double		part;

	if (!json_double(reader, &part))
		return false;
	if (fabs(part) >= EXACT_SUM_PART_LIMIT)
		return json_problem(reader, "This is more than amounts can add up to.");
	exact_sum_add(sum, part, context);
	return true;
}

/* A count that is not the first element of an array. */
bool
state_parse_next_count(JsonReader *reader, int64 *count)
{
	return json_next_element(reader) && json_count(reader, count);
}

/* Likewise a sum. */
bool
state_parse_next_sum(JsonReader *reader, ExactSum *sum, MemoryContext context)
{
	return json_next_element(reader) && state_parse_sum(reader, sum, context);
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

/* Faster than appendStringInfo(). */
void
state_print_count(StringInfo out, int64 count)
{
	char		digits[MAXINT8LEN + 1];

	appendBinaryStringInfo(out, digits, pg_lltoa(count, digits));
}

void
state_print_sum(StringInfo out, const ExactSum *sum)
{
	double		parts[EXACT_SUM_MAX_PARTS];
	int			count = exact_sum_parts(sum, parts);
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	if (count == 0)
		appendStringInfoChar(out, '0');
	if (count > 1)
		appendStringInfoChar(out, '[');
	for (int i = 0; i < count; i++)
	{
		if (i > 0)
			appendStringInfoString(out, ", ");
		appendBinaryStringInfo(out, digits, double_to_shortest_decimal_bufn(parts[i], digits));
	}
	if (count > 1)
		appendStringInfoChar(out, ']');
}

/* The first byte of a message. */
void
state_receive_version(StateMessage *message, int version)
{
	int			sent = pq_getmsgbyte(message->in);

	if (sent != version)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("unknown version %d of binary %s", sent, message->type)));
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

/* How many things follow, each of which takes so many bytes at least. */
uint32
state_receive_length(StateMessage *message, Size least_size)
{
	uint32		length = pq_getmsgint(message->in, 4);

	if (length > (Size) (message->in->len - message->in->cursor) / least_size)
		state_bad_message(message, "It ends too early.");
	return length;
}

int64
state_receive_count(StateMessage *message)
{
	int64		count = pq_getmsgint64(message->in);

	if (count < 0)
		state_bad_message(message, "Counts must not be negative.");
	return count;
}

/* Is added. */
void
state_receive_sum(StateMessage *message, ExactSum *sum, MemoryContext context)
{
	int			count = pq_getmsgbyte(message->in);

	for (int i = 0; i < count; i++)
	{
		double		part = pq_getmsgfloat8(message->in);

		/* also true of NaN */
		if (!(fabs(part) < EXACT_SUM_PART_LIMIT))
			state_bad_message(message, "A sum is not finite, or more than amounts can add up to.");
		exact_sum_add(sum, part, context);
	}
}

void
state_bad_message(const StateMessage *message, const char *problem)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("invalid binary %s", message->type),
			 errdetail("%s", problem)));
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

void
state_send_sum(StringInfo out, const ExactSum *sum)
{
	double		parts[EXACT_SUM_MAX_PARTS];
	int			count = exact_sum_parts(sum, parts);

	pq_sendbyte(out, (uint8) count);
	for (int i = 0; i < count; i++)
		pq_sendfloat8(out, parts[i]);
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
