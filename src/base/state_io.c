/*
 * state_io.c
 *		Text and binary form of what storable states have in common.
 *
 *		a count		17
 *		a sum		249.5, or if no double is the exact sum, the list of those that it is
 *					made of, [1e+16, 0.5]: first the sum rounded, then the rest rounded...
 *
 * In binary form a count has 8 bytes; a sum has how many doubles (1), and these.
 */
#include "postgres.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "base/state_io.h"

static bool add_part(JsonReader *reader, ExactSum *sum, MemoryContext context);

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

/* Faster than appendStringInfo(). */
void
state_print_count(StringInfo out, int64 count)
{
	char		digits[MAXINT8LEN + 1];

	appendBinaryStringInfo(out, digits, pg_lltoa(count, digits));
}

/* The shortest digits that are this double, which is finite. */
void
state_print_double(StringInfo out, double number)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	appendBinaryStringInfo(out, digits, double_to_shortest_decimal_bufn(number, digits));
}

void
state_print_sum(StringInfo out, const ExactSum *sum)
{
	double		parts[EXACT_SUM_MAX_PARTS];
	int			count = exact_sum_parts(sum, parts);

	if (count == 0)
		appendStringInfoChar(out, '0');
	if (count > 1)
		appendStringInfoChar(out, '[');
	for (int i = 0; i < count; i++)
	{
		if (i > 0)
			appendStringInfoString(out, ", ");
		state_print_double(out, parts[i]);
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
state_send_sum(StringInfo out, const ExactSum *sum)
{
	double		parts[EXACT_SUM_MAX_PARTS];
	int			count = exact_sum_parts(sum, parts);

	pq_sendbyte(out, (uint8) count);
	for (int i = 0; i < count; i++)
		pq_sendfloat8(out, parts[i]);
}
