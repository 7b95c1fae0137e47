/*
 * histories_io.c
 *		Text and binary form of purchase_histories and spend_histories.
 *
 * The text is JSON; of purchase_histories
 *
 *		{"ages": [[38.86, [[0, [[0, 12]]], [30.43, [[2, 1], [3, 4]]]]], ...]}
 *
 * that is, for each age its recencies, for each of them its frequencies, and for each of
 * them the number of customers; of spend_histories
 *
 *		{"monetary_values": [[9.99, [[1, 7], [2, 3]]], ...]}
 *
 * The lists stand in each other, as one flat list would be ten times as long as what
 * is stored, and a text has at most 1 GB.
 *
 * The binary form is the version, then the same lists, each with its length before it.
 *
 * What is written is in ascending order.  What is read need not be, and what is there more
 * than once is added up.
 */
#include "postgres.h"

#include "common/shortest_dec.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"

#include "base/state_io.h"
#include "clv/histories.h"

#define WIRE_VERSION 1

/* A frequency and its customers; a recency, or mean value, and the length of its list; an age likewise. */
#define WIRE_FREQUENCY (4 + 8)
#define WIRE_LEAST_RECENCY (8 + 4 + WIRE_FREQUENCY)
#define WIRE_LEAST_AGE (8 + 4 + WIRE_LEAST_RECENCY)

PG_FUNCTION_INFO_V1(purchase_histories_in);
PG_FUNCTION_INFO_V1(purchase_histories_out);
PG_FUNCTION_INFO_V1(purchase_histories_recv);
PG_FUNCTION_INFO_V1(purchase_histories_send);
PG_FUNCTION_INFO_V1(spend_histories_in);
PG_FUNCTION_INFO_V1(spend_histories_out);
PG_FUNCTION_INFO_V1(spend_histories_recv);
PG_FUNCTION_INFO_V1(spend_histories_send);

/* The only member of the text, by HistoryKind, and an example. */
static const char *const member_names[] = {"ages", "monetary_values"};
static const char *const examples[] = {
	"{\"ages\": [[38.86, [[0, [[0, 12]]], [30.43, [[2, 1], [3, 4]]]]]]}",
	"{\"monetary_values\": [[9.99, [[1, 7], [2, 3]]]]}"
};

static Datum parse_state(FunctionCallInfo fcinfo, const StateMethods *methods);
static bool parse(JsonReader *reader, HistorySet *set);
static bool parse_ages(JsonReader *reader, HistorySet *set);
static bool parse_recencies(JsonReader *reader, HistorySet *set, History *history);
static bool parse_frequencies(JsonReader *reader, HistorySet *set, History *history);
static Datum print_state(FunctionCallInfo fcinfo, const StateMethods *methods);
static void print_double(StringInfo out, double number);
static Datum receive_state(FunctionCallInfo fcinfo, const StateMethods *methods);
static void receive_recencies(StateMessage *message, HistorySet *set, History *history);
static void receive_frequencies(StateMessage *message, HistorySet *set, History *history);
static double receive_double(StateMessage *message);
static Datum send_state(FunctionCallInfo fcinfo, const StateMethods *methods);
static uint32 length_of_ages(const HistorySet *set);
static uint32 length_of_recencies(const HistorySet *set, uint32 first);
static uint32 length_of_frequencies(const HistorySet *set, uint32 first);
static const char *add_history(HistorySet *set, const History *history);

Datum
purchase_histories_in(PG_FUNCTION_ARGS)
{
	return parse_state(fcinfo, &purchase_histories_methods);
}

Datum
purchase_histories_out(PG_FUNCTION_ARGS)
{
	return print_state(fcinfo, &purchase_histories_methods);
}

Datum
purchase_histories_recv(PG_FUNCTION_ARGS)
{
	return receive_state(fcinfo, &purchase_histories_methods);
}

Datum
purchase_histories_send(PG_FUNCTION_ARGS)
{
	return send_state(fcinfo, &purchase_histories_methods);
}

Datum
spend_histories_in(PG_FUNCTION_ARGS)
{
	return parse_state(fcinfo, &spend_histories_methods);
}

Datum
spend_histories_out(PG_FUNCTION_ARGS)
{
	return print_state(fcinfo, &spend_histories_methods);
}

Datum
spend_histories_recv(PG_FUNCTION_ARGS)
{
	return receive_state(fcinfo, &spend_histories_methods);
}

Datum
spend_histories_send(PG_FUNCTION_ARGS)
{
	return send_state(fcinfo, &spend_histories_methods);
}

static Datum
parse_state(FunctionCallInfo fcinfo, const StateMethods *methods)
{
	ExpandedState *state = expanded_state_create(methods, CurrentMemoryContext);
	HistorySet *set = state->content;
	JsonReader	reader;

	json_reader_start(&reader, PG_GETARG_CSTRING(0), fcinfo->context);
	if (!parse(&reader, set))
	{
		json_report(&reader, methods->type, examples[set->kind]);
		PG_RETURN_NULL();
	}
	PG_RETURN_DATUM(state_finished(state));
}

static bool
parse(JsonReader *reader, HistorySet *set)
{
	History		history = {0};
	const char *value;

	if (!json_members(reader, &member_names[set->kind], &value, 1))
		return false;
	if (value == NULL)
		return json_problem(reader, set->kind == HISTORY_OF_SPEND ?
							"Member \"monetary_values\" must be there." : "Member \"ages\" must be there.");
	reader->next = value;
	return set->kind == HISTORY_OF_SPEND ? parse_recencies(reader, set, &history) : parse_ages(reader, set);
}

/* [[38.86, [[0, [[0, 12]]], [30.43, [[2, 1], [3, 4]]]]], ...] */
static bool
parse_ages(JsonReader *reader, HistorySet *set)
{
	History		history;

	if (!json_begin_array(reader))
		return false;
	for (uint64 n = 0; json_element(reader, n); n++)
	{
		if (!json_begin_array(reader) ||
			!json_double(reader, &history.age) ||
			!json_next_element(reader) ||
			!parse_recencies(reader, set, &history) ||
			!json_end_array(reader))
			return false;
	}
	return reader->problem == NULL;
}

/* [[0, [[0, 12]]], [30.43, [[2, 1], [3, 4]]]] */
static bool
parse_recencies(JsonReader *reader, HistorySet *set, History *history)
{
	uint64		count = 0;

	if (!json_begin_array(reader))
		return false;
	for (; json_element(reader, count); count++)
	{
		if (!json_begin_array(reader) ||
			!json_double(reader, &history->recency) ||
			!json_next_element(reader) ||
			!parse_frequencies(reader, set, history) ||
			!json_end_array(reader))
			return false;
	}
	if (count == 0 && set->kind != HISTORY_OF_SPEND)
		return json_problem(reader, "An age must have recencies.");
	return reader->problem == NULL;
}

/* [[2, 1], [3, 4]] */
static bool
parse_frequencies(JsonReader *reader, HistorySet *set, History *history)
{
	uint64		count = 0;

	if (!json_begin_array(reader))
		return false;
	for (; json_element(reader, count); count++)
	{
		int64		frequency;
		const char *problem;

		if (!json_begin_array(reader) ||
			!json_count(reader, &frequency) ||
			!state_parse_next_count(reader, &history->customers) ||
			!json_end_array(reader))
			return false;
		if (frequency > PG_INT32_MAX)
			return json_problem(reader, "A frequency is more than 32 bits can count.");
		history->frequency = (int32) frequency;
		problem = add_history(set, history);
		if (problem != NULL)
			return json_problem(reader, problem);
	}
	if (count == 0)
		return json_problem(reader, "There must be frequencies.");
	return reader->problem == NULL;
}

static Datum
print_state(FunctionCallInfo fcinfo, const StateMethods *methods)
{
	const HistorySet *set = expanded_state_content(PG_GETARG_DATUM(0), methods);
	const History *before = NULL;
	StringInfoData out;

	histories_sort(set);
	initStringInfo(&out);
	appendStringInfo(&out, "{\"%s\": [", member_names[set->kind]);
	for (uint32 i = 0; i < set->count; i++)
	{
		const History *item = &set->items[i];
		bool		is_new_age = set->kind != HISTORY_OF_SPEND && (before == NULL || item->age != before->age);
		bool		is_new_recency = is_new_age || before == NULL || item->recency != before->recency;

		if (before != NULL)
			appendStringInfoString(&out, is_new_age ? "]]]], " : is_new_recency ? "]], " : ", ");
		if (is_new_age)
		{
			appendStringInfoChar(&out, '[');
			print_double(&out, item->age);
			appendStringInfoString(&out, ", [");
		}
		if (is_new_recency)
		{
			appendStringInfoChar(&out, '[');
			print_double(&out, item->recency);
			appendStringInfoString(&out, ", [");
		}
		appendStringInfoChar(&out, '[');
		state_print_count(&out, item->frequency);
		appendStringInfoString(&out, ", ");
		state_print_count(&out, item->customers);
		appendStringInfoChar(&out, ']');
		before = item;
		CHECK_FOR_INTERRUPTS();
	}
	if (before != NULL)
		appendStringInfoString(&out, set->kind == HISTORY_OF_SPEND ? "]]" : "]]]]");
	appendStringInfoString(&out, "]}");
	PG_RETURN_CSTRING(out.data);
}

static void
print_double(StringInfo out, double number)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	appendBinaryStringInfo(out, digits, double_to_shortest_decimal_bufn(number, digits));
}

static Datum
receive_state(FunctionCallInfo fcinfo, const StateMethods *methods)
{
	StateMessage message = {(StringInfo) PG_GETARG_POINTER(0), methods->type};
	ExpandedState *state = expanded_state_create(methods, CurrentMemoryContext);
	HistorySet *set = state->content;
	History		history = {0};

	state_receive_version(&message, WIRE_VERSION);
	if (set->kind == HISTORY_OF_SPEND)
		receive_recencies(&message, set, &history);
	else
	{
		uint32		count = state_receive_length(&message, WIRE_LEAST_AGE);

		for (uint32 i = 0; i < count; i++)
		{
			history.age = receive_double(&message);
			receive_recencies(&message, set, &history);
		}
	}
	PG_RETURN_DATUM(state_finished(state));
}

static void
receive_recencies(StateMessage *message, HistorySet *set, History *history)
{
	uint32		count = state_receive_length(message, WIRE_LEAST_RECENCY);

	if (count == 0 && set->kind != HISTORY_OF_SPEND)
		state_bad_message(message, "An age must have recencies.");
	for (uint32 i = 0; i < count; i++)
	{
		history->recency = receive_double(message);
		receive_frequencies(message, set, history);
	}
}

static void
receive_frequencies(StateMessage *message, HistorySet *set, History *history)
{
	uint32		count = state_receive_length(message, WIRE_FREQUENCY);

	if (count == 0)
		state_bad_message(message, "There must be frequencies.");
	for (uint32 i = 0; i < count; i++)
	{
		const char *problem;

		history->frequency = (int32) pq_getmsgint(message->in, 4);
		history->customers = state_receive_count(message);
		problem = add_history(set, history);
		if (problem != NULL)
			state_bad_message(message, problem);
		CHECK_FOR_INTERRUPTS();
	}
}

/* Never -0. */
static double
receive_double(StateMessage *message)
{
	return pq_getmsgfloat8(message->in) + 0.0;
}

static Datum
send_state(FunctionCallInfo fcinfo, const StateMethods *methods)
{
	const HistorySet *set = expanded_state_content(PG_GETARG_DATUM(0), methods);
	const History *before = NULL;
	StringInfoData out;

	histories_sort(set);
	pq_begintypsend(&out);
	pq_sendbyte(&out, WIRE_VERSION);
	if (set->kind == HISTORY_OF_SPEND)
		pq_sendint32(&out, length_of_recencies(set, 0));
	else
		pq_sendint32(&out, length_of_ages(set));
	for (uint32 i = 0; i < set->count; i++)
	{
		const History *item = &set->items[i];
		bool		is_new_age = set->kind != HISTORY_OF_SPEND && (before == NULL || item->age != before->age);

		if (is_new_age)
		{
			pq_sendfloat8(&out, item->age);
			pq_sendint32(&out, length_of_recencies(set, i));
		}
		if (is_new_age || before == NULL || item->recency != before->recency)
		{
			pq_sendfloat8(&out, item->recency);
			pq_sendint32(&out, length_of_frequencies(set, i));
		}
		pq_sendint32(&out, (uint32) item->frequency);
		pq_sendint64(&out, item->customers);
		before = item;
		CHECK_FOR_INTERRUPTS();
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

static uint32
length_of_ages(const HistorySet *set)
{
	uint32		length = 0;

	for (uint32 i = 0; i < set->count; i++)
		length += i == 0 || set->items[i].age != set->items[i - 1].age;
	return length;
}

/* Of the age of the history from which on it is. */
static uint32
length_of_recencies(const HistorySet *set, uint32 first)
{
	uint32		length = 0;

	for (uint32 i = first; i < set->count && set->items[i].age == set->items[first].age; i++)
		length += i == first || set->items[i].recency != set->items[i - 1].recency;
	return length;
}

/* Of its recency. */
static uint32
length_of_frequencies(const HistorySet *set, uint32 first)
{
	uint32		i = first;

	while (i < set->count && set->items[i].age == set->items[first].age && set->items[i].recency == set->items[first].recency)
		i++;
	return i - first;
}

/* Counts customers; what is wrong with them or their history, or NULL. */
static const char *
add_history(HistorySet *set, const History *history)
{
	if (!history_is_valid(set->kind, history))
		return set->kind == HISTORY_OF_SPEND ?
			"A frequency must be 1 or more, and a mean value finite and more than 0." :
			"A frequency must be 0 or more, a recency finite and from 0 to the age, and 0 where the frequency is.";
	if (history->customers == 0)
		return "A history must have customers.";
	if (history->customers > HISTORIES_MAX_CUSTOMERS - set->customers)
		return "There are too many customers.";
	histories_add(set, history);
	return NULL;
}
