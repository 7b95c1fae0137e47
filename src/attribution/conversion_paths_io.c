/*
 * conversion_paths_io.c
 *		Text and binary form of conversion_paths.
 *
 * The text is JSON:
 *
 *		{"channels": ["direct", "email"],
 *		 "paths": [[[], 2, 0, 80], [[0, 1, 0], 5, 17, 249.5]],
 *		 "half_life": 604800000000,
 *		 "timed_conversions": 4,
 *		 "timed": [[1.5, 60.25, 3, 86400000000], [2.5, 40, 4, 7200000000]]}
 *
 * A path is (numbers of channels, conversions, non_conversions, value).  The last three members
 * are only there if touches came with their times: the half-life in microseconds,
 * how many conversions had times, and of each channel in the list its credit by
 * time_decay (conversions, value), how many of these conversions it was in, and the microseconds
 * from its first touch to them, added up.  state_io.c says what a sum looks like.
 *
 * The binary form has the same in the same order: version, a flag whether times
 * came, the channels, the paths, and the rest if there is any.
 *
 * What is written is in canonical order.  What is read need not be, and paths that
 * are there more than once are added up.
 */
#include "postgres.h"

#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "attribution/path_set.h"
#include "attribution/channel_io.h"

#define WIRE_VERSION 1

/* Of the binary form: sums by channel follow. */
#define WIRE_TIMED 1

/* Channel number, conversions, non_conversions, number of parts of the value. */
#define WIRE_LEAST_PATH (4 + 8 + 8 + 1)

#define EXAMPLE "{\"channels\": [\"direct\", \"email\"], \"paths\": [[[0, 1, 0], 5, 17, 249.5]]}"

PG_FUNCTION_INFO_V1(conversion_paths_in);
PG_FUNCTION_INFO_V1(conversion_paths_out);
PG_FUNCTION_INFO_V1(conversion_paths_recv);
PG_FUNCTION_INFO_V1(conversion_paths_send);

/* Members of the text. */
enum
{
	CHANNELS, PATHS, HALF_LIFE, TIMED_CONVERSIONS, TIMED, MEMBER_COUNT
};

static const char *const member_names[MEMBER_COUNT] = {
	"channels", "paths", "half_life", "timed_conversions", "timed"
};

/* The channels of the path that is being read. */
typedef struct PathRoom
{
	uint32		length;
	uint32		capacity;
	uint32	   *channels;
} PathRoom;

static bool parse(JsonReader *reader, PathSet *set);
static bool parse_path(JsonReader *reader, PathSet *set, PathRoom *room);
static bool parse_timed(JsonReader *reader, PathSet *set, const char *const *values);
static void print_path(StringInfo out, const PathEntry *entry, const uint32 *places);
static void print_timed(StringInfo out, const PathSet *set, const uint32 *order);
static void receive_path(StateMessage *message, PathSet *set, PathRoom *room);
static void receive_timed(StateMessage *message, PathSet *set);
static const char *count_path(PathSet *set, const PathRoom *room, int64 conversions,
							  int64 non_conversions, PathEntry **entry);
static const char *check_timed(const PathSet *set);
static const char *check_credit(const PathSet *set, const TimedCredit *timed);
static void path_room_init(PathRoom *room);
static void path_room_append(PathRoom *room, uint32 channel);

Datum
conversion_paths_in(PG_FUNCTION_ARGS)
{
	ExpandedState *state = expanded_state_create(&path_set_methods, CurrentMemoryContext);
	JsonReader	reader;

	json_reader_start(&reader, PG_GETARG_CSTRING(0), fcinfo->context);
	if (!parse(&reader, state->content))
	{
		json_report(&reader, path_set_methods.type, EXAMPLE);
		PG_RETURN_NULL();
	}
	PG_RETURN_DATUM(state_finished(state));
}

Datum
conversion_paths_out(PG_FUNCTION_ARGS)
{
	const PathSet *set = PG_GETARG_PATH_SET(0);
	uint32	   *order = channels_in_order(&set->channels);
	uint32	   *places = channel_places(&set->channels, order);
	const PathEntry **sorted = path_set_sorted(set, places);
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoString(&out, "{\"channels\": ");
	state_print_channels(&out, &set->channels, order);
	appendStringInfoString(&out, ", \"paths\": [");
	for (uint32 i = 0; i < set->path_count; i++)
	{
		if (i > 0)
			appendStringInfoString(&out, ", ");
		print_path(&out, sorted[i], places);
		CHECK_FOR_INTERRUPTS();
	}
	appendStringInfoChar(&out, ']');
	if (set->half_life != 0)
		print_timed(&out, set, order);
	appendStringInfoChar(&out, '}');
	PG_RETURN_CSTRING(out.data);
}

Datum
conversion_paths_recv(PG_FUNCTION_ARGS)
{
	StateMessage message = {(StringInfo) PG_GETARG_POINTER(0), path_set_methods.type};
	ExpandedState *state = expanded_state_create(&path_set_methods, CurrentMemoryContext);
	PathSet    *set = state->content;
	PathRoom	room;
	int			flags;
	uint32		path_count;

	state_receive_version(&message, WIRE_VERSION);
	flags = pq_getmsgbyte(message.in);
	if ((flags & ~WIRE_TIMED) != 0)
		state_bad_message(&message, "There is an unknown flag.");
	state_receive_channels(&message, &set->channels);
	path_room_init(&room);
	path_count = state_receive_length(&message, WIRE_LEAST_PATH);
	for (uint32 i = 0; i < path_count; i++)
	{
		receive_path(&message, set, &room);
		CHECK_FOR_INTERRUPTS();
	}
	if ((flags & WIRE_TIMED) != 0)
		receive_timed(&message, set);
	PG_RETURN_DATUM(state_finished(state));
}

Datum
conversion_paths_send(PG_FUNCTION_ARGS)
{
	const PathSet *set = PG_GETARG_PATH_SET(0);
	uint32	   *order = channels_in_order(&set->channels);
	uint32	   *places = channel_places(&set->channels, order);
	const PathEntry **sorted = path_set_sorted(set, places);
	StringInfoData out;

	pq_begintypsend(&out);
	pq_sendbyte(&out, WIRE_VERSION);
	pq_sendbyte(&out, set->half_life != 0 ? WIRE_TIMED : 0);
	state_send_channels(&out, &set->channels, order);
	pq_sendint32(&out, set->path_count);
	for (uint32 i = 0; i < set->path_count; i++)
	{
		const PathEntry *entry = sorted[i];

		pq_sendint32(&out, entry->length);
		for (uint32 j = 0; j < entry->length; j++)
			pq_sendint32(&out, places[entry->channels[j]]);
		pq_sendint64(&out, entry->conversions);
		pq_sendint64(&out, entry->non_conversions);
		state_send_sum(&out, &entry->value);
		CHECK_FOR_INTERRUPTS();
	}
	if (set->half_life != 0)
	{
		pq_sendint64(&out, set->half_life);
		pq_sendint64(&out, set->timed_conversions);
		for (uint32 i = 0; i < set->channels.count; i++)
		{
			const TimedCredit *timed = path_set_timed_credit(set, order[i]);

			state_send_sum(&out, &timed->conversions);
			state_send_sum(&out, &timed->value);
			pq_sendint64(&out, timed->journeys);
			state_send_sum(&out, &timed->lag);
		}
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

static bool
parse(JsonReader *reader, PathSet *set)
{
	const char *values[MEMBER_COUNT];
	PathRoom	room;

	if (!json_members(reader, member_names, values, MEMBER_COUNT))
		return false;
	if (values[CHANNELS] == NULL || values[PATHS] == NULL)
		return json_problem(reader, "Members \"channels\" and \"paths\" must be there.");
	reader->next = values[CHANNELS];
	if (!state_parse_channels(reader, &set->channels))
		return false;

	reader->next = values[PATHS];
	if (!json_begin_array(reader))
		return false;
	path_room_init(&room);
	for (uint64 n = 0; json_element(reader, n); n++)
	{
		if (!parse_path(reader, set, &room))
			return false;
	}
	if (reader->problem != NULL)
		return false;

	if (values[HALF_LIFE] == NULL && values[TIMED_CONVERSIONS] == NULL && values[TIMED] == NULL)
		return true;
	return parse_timed(reader, set, values);
}

/* [[0, 1, 0], 5, 17, 249.5] */
static bool
parse_path(JsonReader *reader, PathSet *set, PathRoom *room)
{
	int64		conversions;
	int64		non_conversions;
	PathEntry  *entry;
	const char *problem;

	room->length = 0;
	if (!json_begin_array(reader) || !json_begin_array(reader))
		return false;
	for (uint64 n = 0; json_element(reader, n); n++)
	{
		uint32		channel;

		if (!state_parse_channel(reader, &set->channels, &channel))
			return false;
		path_room_append(room, channel);
	}
	if (reader->problem != NULL ||
		!state_parse_next_count(reader, &conversions) ||
		!state_parse_next_count(reader, &non_conversions))
		return false;
	problem = count_path(set, room, conversions, non_conversions, &entry);
	if (problem != NULL)
		return json_problem(reader, problem);
	return state_parse_next_sum(reader, &entry->value, set->context) && json_end_array(reader);
}

static bool
parse_timed(JsonReader *reader, PathSet *set, const char *const *values)
{
	const char *problem;

	if (values[HALF_LIFE] == NULL || values[TIMED_CONVERSIONS] == NULL || values[TIMED] == NULL)
		return json_problem(reader, "Members \"half_life\", \"timed_conversions\" and \"timed\" must be there together.");
	reader->next = values[HALF_LIFE];
	if (!json_count(reader, &set->half_life))
		return false;
	reader->next = values[TIMED_CONVERSIONS];
	if (!json_count(reader, &set->timed_conversions))
		return false;
	problem = check_timed(set);
	if (problem != NULL)
		return json_problem(reader, problem);

	reader->next = values[TIMED];
	if (!json_begin_array(reader))
		return false;
	for (uint32 i = 0; i < set->channels.count; i++)
	{
		TimedCredit *timed = path_set_timed(set, i);

		if ((i > 0 && !json_next_element(reader)) ||
			!json_begin_array(reader) ||
			!state_parse_sum(reader, &timed->conversions, set->context) ||
			!state_parse_next_sum(reader, &timed->value, set->context) ||
			!state_parse_next_count(reader, &timed->journeys) ||
			!state_parse_next_sum(reader, &timed->lag, set->context) ||
			!json_end_array(reader))
			return false;
		problem = check_credit(set, timed);
		if (problem != NULL)
			return json_problem(reader, problem);
		CHECK_FOR_INTERRUPTS();
	}
	return json_end_array(reader);
}

static void
print_path(StringInfo out, const PathEntry *entry, const uint32 *places)
{
	appendStringInfoString(out, "[[");
	for (uint32 i = 0; i < entry->length; i++)
	{
		if (i > 0)
			appendStringInfoString(out, ", ");
		state_print_count(out, places[entry->channels[i]]);
	}
	appendStringInfoString(out, "], ");
	state_print_count(out, entry->conversions);
	appendStringInfoString(out, ", ");
	state_print_count(out, entry->non_conversions);
	appendStringInfoString(out, ", ");
	state_print_sum(out, &entry->value);
	appendStringInfoChar(out, ']');
}

static void
print_timed(StringInfo out, const PathSet *set, const uint32 *order)
{
	appendStringInfoString(out, ", \"half_life\": ");
	state_print_count(out, set->half_life);
	appendStringInfoString(out, ", \"timed_conversions\": ");
	state_print_count(out, set->timed_conversions);
	appendStringInfoString(out, ", \"timed\": [");
	for (uint32 i = 0; i < set->channels.count; i++)
	{
		const TimedCredit *timed = path_set_timed_credit(set, order[i]);

		appendStringInfoString(out, i > 0 ? ", [" : "[");
		state_print_sum(out, &timed->conversions);
		appendStringInfoString(out, ", ");
		state_print_sum(out, &timed->value);
		appendStringInfoString(out, ", ");
		state_print_count(out, timed->journeys);
		appendStringInfoString(out, ", ");
		state_print_sum(out, &timed->lag);
		appendStringInfoChar(out, ']');
	}
	appendStringInfoChar(out, ']');
}

static void
receive_path(StateMessage *message, PathSet *set, PathRoom *room)
{
	uint32		length = state_receive_length(message, 4);
	int64		conversions;
	int64		non_conversions;
	PathEntry  *entry;
	const char *problem;

	room->length = 0;
	for (uint32 i = 0; i < length; i++)
		path_room_append(room, state_receive_channel(message, &set->channels));
	conversions = state_receive_count(message);
	non_conversions = state_receive_count(message);
	problem = count_path(set, room, conversions, non_conversions, &entry);
	if (problem != NULL)
		state_bad_message(message, problem);
	state_receive_sum(message, &entry->value, set->context);
}

static void
receive_timed(StateMessage *message, PathSet *set)
{
	const char *problem;

	set->half_life = state_receive_count(message);
	set->timed_conversions = state_receive_count(message);
	problem = check_timed(set);
	if (problem != NULL)
		state_bad_message(message, problem);
	for (uint32 i = 0; i < set->channels.count; i++)
	{
		TimedCredit *timed = path_set_timed(set, i);

		state_receive_sum(message, &timed->conversions, set->context);
		state_receive_sum(message, &timed->value, set->context);
		timed->journeys = state_receive_count(message);
		state_receive_sum(message, &timed->lag, set->context);
		problem = check_credit(set, timed);
		if (problem != NULL)
			state_bad_message(message, problem);
		CHECK_FOR_INTERRUPTS();
	}
}

/* Counts a path and finds its entry.  Returns NULL, or what is wrong. */
static const char *
count_path(PathSet *set, const PathRoom *room, int64 conversions, int64 non_conversions, PathEntry **entry)
{
	if (conversions == 0 && non_conversions == 0)
		return "A path must have conversions or non_conversions.";
	*entry = path_set_entry(set, room->channels, room->length);
	path_set_count(set, *entry, conversions, non_conversions);
	return NULL;
}

static const char *
check_timed(const PathSet *set)
{
	if (set->half_life == 0)
		return "The half-life must be greater than zero.";
	if (set->timed_conversions > set->conversions)
		return "More conversions have times than there are.";
	return NULL;
}

static const char *
check_credit(const PathSet *set, const TimedCredit *timed)
{
	if (timed->journeys > set->timed_conversions)
		return "A channel is in more conversions with times than there are.";
	if (exact_sum_value(&timed->conversions) < 0 || exact_sum_value(&timed->lag) < 0)
		return "Credited conversions and times must not be negative.";
	return NULL;
}

static void
path_room_init(PathRoom *room)
{
	room->length = 0;
	room->capacity = 64;
	room->channels = palloc(room->capacity * sizeof(uint32));
}

static void
path_room_append(PathRoom *room, uint32 channel)
{
	if (room->length == room->capacity)
	{
		/* a path is shorter than the text it comes from, which is below 1 GB */
		room->capacity *= 2;
		room->channels = repalloc_huge(room->channels, (Size) room->capacity * sizeof(uint32));
	}
	room->channels[room->length++] = channel;
}
