/*
 * markov_io.c
 *		Text and binary form of markov.
 *
 * The text is JSON:
 *
 *		{"chain_order": 2,
 *		 "channels": ["direct", "email"],
 *		 "states": [[[0], 1, 0, 1, 0], [[0, 1], 3, 2, 1, 59.5]],
 *		 "transitions": [[1, 0, 12], ...],
 *		 "unattributed": [2, 80]}
 *
 * A state is (numbers of its channels, the latest last, paths that begin in it,
 * conversions, non_conversions, value of the conversions), a transition (number of the state
 * in the list above, number of the next touch's channel, paths).  Unattributed are
 * conversions of paths without channels, and their value.  state_io.c says what a sum looks like.
 *
 * The binary form is version, order, channels, unattributed conversions and value, and the
 * states, each followed by its transitions.
 *
 * What is written is in canonical order.  What is read need not be, and what is there
 * more than once is added up.  But there must be paths that would give these counts: as many
 * enter each state as leave it, and each state can be reached from the beginning of a path.
 */
#include "postgres.h"

#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "attribution/markov_counts.h"
#include "attribution/channel_io.h"

#define WIRE_VERSION 1

/* Length of the tuple, a channel, three counts, number of parts of the value, number of transitions. */
#define WIRE_LEAST_STATE (1 + 4 + 3 * 8 + 1 + 4)

/* A channel and a count. */
#define WIRE_TRANSITION (4 + 8)

#define EXAMPLE "{\"chain_order\": 1, \"channels\": [\"direct\", \"email\"], \"states\": [[[0], 5, 0, 2, 0], [[1], 0, 3, 0, 249.5]], \"transitions\": [[0, 1, 3]], \"unattributed\": [0, 0]}"

PG_FUNCTION_INFO_V1(markov_in);
PG_FUNCTION_INFO_V1(markov_out);
PG_FUNCTION_INFO_V1(markov_recv);
PG_FUNCTION_INFO_V1(markov_send);

/* Members of the text. */
enum
{
	CHAIN_ORDER, CHANNELS, STATES, TRANSITIONS, UNATTRIBUTED, MEMBER_COUNT
};

static const char *const member_names[MEMBER_COUNT] = {
	"chain_order", "channels", "states", "transitions", "unattributed"
};

/* The states in the order of the text. */
typedef struct ListedStates
{
	uint32		count;
	uint32		capacity;
	uint32	   *numbers;		/* in the counts */
} ListedStates;

/* A tuple that is being read. */
typedef struct Tuple
{
	int			length;
	uint64		channels;		/* as in MarkovState */
} Tuple;

static bool parse(JsonReader *reader, MarkovCounts *counts);
static bool parse_states(JsonReader *reader, MarkovCounts *counts, ListedStates *listed);
static bool parse_state(JsonReader *reader, MarkovCounts *counts, uint32 *number);
static bool parse_transition(JsonReader *reader, MarkovCounts *counts, const ListedStates *listed);
static void print_state(StringInfo out, const MarkovState *state, uint64 tuple);
static void send_state(StringInfo out, const MarkovState *state, uint64 tuple);
static void receive_state(StateMessage *message, MarkovCounts *counts);
static const char *set_chain_order(MarkovCounts *counts, int64 chain_order);
static const char *append_channel(const MarkovCounts *counts, Tuple *tuple, uint32 channel);
static const char *count_state(MarkovCounts *counts, const Tuple *tuple, const MarkovState *read, uint32 *number);
static const char *count_transition(MarkovCounts *counts, uint32 state, uint32 channel, int64 paths);
static const char *check_finished(const MarkovCounts *counts);
static bool all_reached(const MarkovCounts *counts);

Datum
markov_in(PG_FUNCTION_ARGS)
{
	ExpandedState *state = expanded_state_create(&markov_methods, CurrentMemoryContext);
	JsonReader	reader;

	json_reader_start(&reader, PG_GETARG_CSTRING(0), fcinfo->context);
	if (!parse(&reader, state->content))
	{
		json_report(&reader, markov_methods.type, EXAMPLE);
		PG_RETURN_NULL();
	}
	PG_RETURN_DATUM(state_finished(state));
}

Datum
markov_out(PG_FUNCTION_ARGS)
{
	const MarkovCounts *counts = PG_GETARG_MARKOV(0);
	MarkovOrder order = markov_order(counts);
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "{\"chain_order\": %d, \"channels\": ", counts->chain_order);
	state_print_channels(&out, &counts->channels, order.channels);
	appendStringInfoString(&out, ", \"states\": [");
	for (uint32 i = 0; i < counts->state_count; i++)
	{
		if (i > 0)
			appendStringInfoString(&out, ", ");
		print_state(&out, &counts->states[order.states[i]], order.tuples[i]);
		CHECK_FOR_INTERRUPTS();
	}
	appendStringInfoString(&out, "], \"transitions\": [");
	for (uint32 i = 0; i < counts->transition_count; i++)
	{
		const MarkovTransition *transition = &counts->transitions[order.transitions[i]];

		appendStringInfoString(&out, i > 0 ? ", [" : "[");
		state_print_count(&out, order.state_places[transition->from]);
		appendStringInfoString(&out, ", ");
		state_print_count(&out, order.channel_places[transition->channel]);
		appendStringInfoString(&out, ", ");
		state_print_count(&out, transition->count);
		appendStringInfoChar(&out, ']');
		CHECK_FOR_INTERRUPTS();
	}
	appendStringInfoString(&out, "], \"unattributed\": [");
	state_print_count(&out, counts->unattributed_conversions);
	appendStringInfoString(&out, ", ");
	state_print_sum(&out, &counts->unattributed_value);
	appendStringInfoString(&out, "]}");
	PG_RETURN_CSTRING(out.data);
}

Datum
markov_recv(PG_FUNCTION_ARGS)
{
	StateMessage message = {(StringInfo) PG_GETARG_POINTER(0), markov_methods.type};
	ExpandedState *state = expanded_state_create(&markov_methods, CurrentMemoryContext);
	MarkovCounts *counts = state->content;
	uint32		state_count;
	const char *problem;

	state_receive_version(&message, WIRE_VERSION);
	problem = set_chain_order(counts, pq_getmsgbyte(message.in));
	if (problem != NULL)
		state_bad_message(&message, problem);
	state_receive_channels(&message, &counts->channels);
	counts->unattributed_conversions = state_receive_count(&message);
	state_receive_sum(&message, &counts->unattributed_value, counts->context);
	state_count = state_receive_length(&message, WIRE_LEAST_STATE);
	for (uint32 i = 0; i < state_count; i++)
	{
		receive_state(&message, counts);
		CHECK_FOR_INTERRUPTS();
	}
	problem = check_finished(counts);
	if (problem != NULL)
		state_bad_message(&message, problem);
	PG_RETURN_DATUM(state_finished(state));
}

Datum
markov_send(PG_FUNCTION_ARGS)
{
	const MarkovCounts *counts = PG_GETARG_MARKOV(0);
	MarkovOrder order = markov_order(counts);
	uint32		next = 0;
	StringInfoData out;

	pq_begintypsend(&out);
	pq_sendbyte(&out, WIRE_VERSION);
	pq_sendbyte(&out, (uint8) counts->chain_order);
	state_send_channels(&out, &counts->channels, order.channels);
	pq_sendint64(&out, counts->unattributed_conversions);
	state_send_sum(&out, &counts->unattributed_value);
	pq_sendint32(&out, counts->state_count);
	for (uint32 i = 0; i < counts->state_count; i++)
	{
		uint32		end = markov_transitions_end(counts, &order, next, order.states[i]);

		send_state(&out, &counts->states[order.states[i]], order.tuples[i]);
		pq_sendint32(&out, end - next);
		for (; next < end; next++)
		{
			const MarkovTransition *transition = &counts->transitions[order.transitions[next]];

			pq_sendint32(&out, order.channel_places[transition->channel]);
			pq_sendint64(&out, transition->count);
		}
		CHECK_FOR_INTERRUPTS();
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

static bool
parse(JsonReader *reader, MarkovCounts *counts)
{
	const char *values[MEMBER_COUNT];
	ListedStates listed;
	int64		chain_order;
	const char *problem;

	if (!json_members(reader, member_names, values, MEMBER_COUNT))
		return false;
	for (int i = 0; i < MEMBER_COUNT; i++)
	{
		if (values[i] == NULL)
			return json_problem(reader, "Members \"chain_order\", \"channels\", \"states\", \"transitions\" and \"unattributed\" must be there.");
	}
	reader->next = values[CHAIN_ORDER];
	if (!json_count(reader, &chain_order))
		return false;
	problem = set_chain_order(counts, chain_order);
	if (problem != NULL)
		return json_problem(reader, problem);
	reader->next = values[CHANNELS];
	if (!state_parse_channels(reader, &counts->channels))
		return false;
	reader->next = values[UNATTRIBUTED];
	if (!json_begin_array(reader) ||
		!json_count(reader, &counts->unattributed_conversions) ||
		!state_parse_next_sum(reader, &counts->unattributed_value, counts->context) ||
		!json_end_array(reader))
		return false;
	reader->next = values[STATES];
	if (!parse_states(reader, counts, &listed))
		return false;
	reader->next = values[TRANSITIONS];
	if (!json_begin_array(reader))
		return false;
	for (uint64 n = 0; json_element(reader, n); n++)
	{
		if (!parse_transition(reader, counts, &listed))
			return false;
	}
	if (reader->problem != NULL)
		return false;
	problem = check_finished(counts);
	return problem == NULL || json_problem(reader, problem);
}

static bool
parse_states(JsonReader *reader, MarkovCounts *counts, ListedStates *listed)
{
	listed->count = 0;
	listed->capacity = 64;
	listed->numbers = palloc(listed->capacity * sizeof(uint32));
	if (!json_begin_array(reader))
		return false;
	for (uint64 n = 0; json_element(reader, n); n++)
	{
		if (listed->count == listed->capacity)
		{
			listed->capacity *= 2;
			listed->numbers = repalloc_huge(listed->numbers, (Size) listed->capacity * sizeof(uint32));
		}
		if (!parse_state(reader, counts, &listed->numbers[listed->count]))
			return false;
		listed->count++;
	}
	return reader->problem == NULL;
}

/* [[0, 1], 3, 2, 1, 59.5] */
static bool
parse_state(JsonReader *reader, MarkovCounts *counts, uint32 *number)
{
	Tuple		tuple = {0};
	MarkovState state = {0};
	const char *problem;

	if (!json_begin_array(reader) || !json_begin_array(reader))
		return false;
	for (uint64 n = 0; json_element(reader, n); n++)
	{
		uint32		channel;

		if (!state_parse_channel(reader, &counts->channels, &channel))
			return false;
		problem = append_channel(counts, &tuple, channel);
		if (problem != NULL)
			return json_problem(reader, problem);
	}
	if (reader->problem != NULL ||
		!state_parse_next_count(reader, &state.starts) ||
		!state_parse_next_count(reader, &state.conversions) ||
		!state_parse_next_count(reader, &state.non_conversions) ||
		!state_parse_next_sum(reader, &state.value, counts->context) ||
		!json_end_array(reader))
		return false;
	problem = count_state(counts, &tuple, &state, number);
	return problem == NULL || json_problem(reader, problem);
}

/* [0, 1, 12] */
static bool
parse_transition(JsonReader *reader, MarkovCounts *counts, const ListedStates *listed)
{
	int64		place;
	uint32		channel;
	int64		paths;
	const char *problem;

	if (!json_begin_array(reader) || !json_count(reader, &place))
		return false;
	if (place >= listed->count)
		return json_problem(reader, "There is no state of this number.");
	if (!json_next_element(reader) ||
		!state_parse_channel(reader, &counts->channels, &channel) ||
		!state_parse_next_count(reader, &paths) ||
		!json_end_array(reader))
		return false;
	problem = count_transition(counts, listed->numbers[place], channel, paths);
	return problem == NULL || json_problem(reader, problem);
}

/* The tuple is that of the canonical order: channels' places, each + 1. */
static void
print_state(StringInfo out, const MarkovState *state, uint64 tuple)
{
	const char *separator = "";

	appendStringInfoString(out, "[[");
	for (int i = tuple_length(tuple) - 1; i >= 0; i--)
	{
		appendStringInfoString(out, separator);
		state_print_count(out, (int64) tuple_channel(tuple, i));
		separator = ", ";
	}
	appendStringInfoString(out, "], ");
	state_print_count(out, state->starts);
	appendStringInfoString(out, ", ");
	state_print_count(out, state->conversions);
	appendStringInfoString(out, ", ");
	state_print_count(out, state->non_conversions);
	appendStringInfoString(out, ", ");
	state_print_sum(out, &state->value);
	appendStringInfoChar(out, ']');
}

static void
send_state(StringInfo out, const MarkovState *state, uint64 tuple)
{
	int			length = tuple_length(tuple);

	pq_sendbyte(out, (uint8) length);
	for (int i = length - 1; i >= 0; i--)
		pq_sendint32(out, tuple_channel(tuple, i));
	pq_sendint64(out, state->starts);
	pq_sendint64(out, state->conversions);
	pq_sendint64(out, state->non_conversions);
	state_send_sum(out, &state->value);
}

static void
receive_state(StateMessage *message, MarkovCounts *counts)
{
	int			length = pq_getmsgbyte(message->in);
	Tuple		tuple = {0};
	MarkovState state = {0};
	uint32		number;
	uint32		transition_count;
	const char *problem;

	for (int i = 0; i < length; i++)
	{
		problem = append_channel(counts, &tuple, state_receive_channel(message, &counts->channels));
		if (problem != NULL)
			state_bad_message(message, problem);
	}
	state.starts = state_receive_count(message);
	state.conversions = state_receive_count(message);
	state.non_conversions = state_receive_count(message);
	state_receive_sum(message, &state.value, counts->context);
	problem = count_state(counts, &tuple, &state, &number);
	if (problem != NULL)
		state_bad_message(message, problem);

	transition_count = state_receive_length(message, WIRE_TRANSITION);
	for (uint32 i = 0; i < transition_count; i++)
	{
		uint32		channel = state_receive_channel(message, &counts->channels);

		problem = count_transition(counts, number, channel, state_receive_count(message));
		if (problem != NULL)
			state_bad_message(message, problem);
	}
}

/* Each of these returns NULL, or what is wrong. */

static const char *
set_chain_order(MarkovCounts *counts, int64 chain_order)
{
	if (chain_order > MARKOV_MAX_ORDER)
		return "The order of the chain must be from 1 to 4.";
	if (chain_order > 0)
		markov_set_order(counts, chain_order);
	return NULL;
}

static const char *
append_channel(const MarkovCounts *counts, Tuple *tuple, uint32 channel)
{
	if (tuple->length == counts->chain_order)
		return "A state must have at most as many channels as the order of the chain.";
	if (channel >= MARKOV_MAX_CHANNELS)
		return "There are too many channels for a Markov chain.";
	tuple->channels = tuple->channels << CHANNEL_BITS | (channel + 1);
	tuple->length++;
	return NULL;
}

static const char *
count_state(MarkovCounts *counts, const Tuple *tuple, const MarkovState *read, uint32 *number)
{
	MarkovState *state;

	if (tuple->length == 0)
		return "A state must have a channel.";
	*number = markov_state(counts, tuple->channels);
	state = &counts->states[*number];
	count_add(&state->starts, read->starts);
	count_add(&state->conversions, read->conversions);
	count_add(&state->non_conversions, read->non_conversions);
	exact_sum_merge(&state->value, &read->value, counts->context);
	return NULL;
}

static const char *
count_transition(MarkovCounts *counts, uint32 state, uint32 channel, int64 paths)
{
	if (paths == 0)
		return "A transition must have paths.";
	if (tuple_length(counts->states[state].tuple) < counts->chain_order)
		return "No transition leads from a state of fewer channels than the order of the chain.";
	if (channel >= MARKOV_MAX_CHANNELS)
		return "There are too many channels for a Markov chain.";
	count_add(&markov_transition(counts, state, channel)->count, paths);
	return NULL;
}

static const char *
check_finished(const MarkovCounts *counts)
{
	const char *problem = markov_check(counts);

	if (problem != NULL)
		return problem;
	if (counts->chain_order == 0 &&
		(counts->channels.count > 0 || counts->unattributed_conversions > 0 ||
		 exact_sum_value(&counts->unattributed_value) != 0))
		return "The order of the chain must be from 1 to 4.";
	if (counts->channels.count > MARKOV_MAX_CHANNELS)
		return "There are too many channels for a Markov chain.";
	if (!all_reached(counts))
		return "There is a state that no path leads to.";
	return NULL;
}

/*
 * Whether each state can be reached from the beginning of a path.  One that cannot
 * would go round in circles without an end, which no solver could make sense of.
 */
static bool
all_reached(const MarkovCounts *counts)
{
	Size		states = Max(counts->state_count, 1);
	Size		transitions = Max(counts->transition_count, 1);
	uint32	   *first = palloc_extended(states * sizeof(uint32), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);	/* transition + 1 */
	uint32	   *next = palloc_extended(transitions * sizeof(uint32), MCXT_ALLOC_HUGE);	/* of the same state */
	bool	   *is_reached = palloc_extended(states * sizeof(bool), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	uint32	   *stack = palloc_extended(states * sizeof(uint32), MCXT_ALLOC_HUGE);
	uint32		height = 0;
	uint32		reached = 0;

	for (uint32 i = 0; i < counts->transition_count; i++)
	{
		uint32		from = counts->transitions[i].from;

		next[i] = first[from];
		first[from] = i + 1;
	}
	for (uint32 i = 0; i < counts->state_count; i++)
	{
		if (counts->states[i].starts > 0)
		{
			is_reached[i] = true;
			stack[height++] = i;
		}
	}
	while (height > 0)
	{
		uint32		state = stack[--height];

		reached++;
		for (uint32 i = first[state]; i != 0; i = next[i - 1])
		{
			uint32		to = counts->transitions[i - 1].to;

			if (!is_reached[to])
			{
				is_reached[to] = true;
				stack[height++] = to;
			}
		}
	}
	pfree(stack);
	pfree(is_reached);
	pfree(next);
	pfree(first);
	return reached == counts->state_count;
}
