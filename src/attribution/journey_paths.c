/*
 * journey_paths.c
 *		The aggregates conversion_paths and markov over timelines: each timeline's
 *		journeys go into the state without arrays between.
 *
 * Per call site: the rule and its walk.  Per timeline: the numbers of its labels as
 * channels, each looked up at its first touch.
 */
#include "postgres.h"

#include "attribution/journey.h"
#include "attribution/markov_counts.h"
#include "attribution/path_argument.h"
#include "attribution/path_set.h"
#include "attribution/timed_credit.h"

PG_FUNCTION_INFO_V1(conversion_paths_accum_timeline);
PG_FUNCTION_INFO_V1(markov_accum_timeline);

/* Not looked up yet, or no channel. */
#define NUMBER_UNKNOWN PG_UINT32_MAX
#define NUMBER_NONE (PG_UINT32_MAX - 1)

/* Reads the journeys of one timeline, with channels as a state numbers them. */
typedef struct JourneyReader
{
	JourneyWalk *walk;
	TimelineView view;
	ChannelNames *channels;
	uint32	   *numbers;		/* by label */
	uint32		numbers_room[PATH_ROOM];
	Journey		journey;
	uint32		length;			/* touches with a channel */
	uint32		capacity;
	uint32	   *path;
	int64	   *touched_at;
	uint32		path_room[PATH_ROOM];
	int64		touched_at_room[PATH_ROOM];
} JourneyReader;

static bool start_reader(JourneyReader *reader, FunctionCallInfo fcinfo, ChannelNames *channels);
static bool read_journey(JourneyReader *reader);
static uint32 number_of_label(JourneyReader *reader, uint32 label);

/* (conversion_paths, timeline, journey_rule [, half_life]) */
Datum
conversion_paths_accum_timeline(PG_FUNCTION_ARGS)
{
	ExpandedState *state = expanded_state_for_change(fcinfo, &path_set_methods);
	PathSet    *set = state->content;
	int64		half_life = half_life_argument(fcinfo, 3);
	JourneyReader reader;

	if (start_reader(&reader, fcinfo, &set->channels))
	{
		while (read_journey(&reader))
		{
			const Journey *journey = &reader.journey;
			double		value = journey->has_value ? journey->value : 0;

			path_set_add(set, reader.path, reader.length, journey->is_converted, !journey->is_converted, value);
			if (journey->is_converted && reader.length > 0)
				timed_credit_add(set, reader.path, reader.touched_at, reader.length,
								 journey->converted_at, value, half_life);
		}
	}
	PG_RETURN_STATE(state);
}

/* (markov, timeline, journey_rule, chain_order) */
Datum
markov_accum_timeline(PG_FUNCTION_ARGS)
{
	ExpandedState *state = expanded_state_for_change(fcinfo, &markov_methods);
	MarkovCounts *counts = state->content;
	JourneyReader reader;

	markov_set_order(counts, PG_ARGISNULL(3) ? 1 : PG_GETARG_INT32(3));
	if (start_reader(&reader, fcinfo, &counts->channels))
	{
		while (read_journey(&reader))
		{
			const Journey *journey = &reader.journey;
			ExactSum	value = {{journey->has_value ? journey->value : 0}};

			markov_add_path(counts, reader.path, reader.length, journey->is_converted, !journey->is_converted, &value);
		}
	}
	PG_RETURN_STATE(state);
}

/* Arguments 1 and 2, timeline and rule; false: there is nothing to read.  A rule that is NULL is an error. */
static bool
start_reader(JourneyReader *reader, FunctionCallInfo fcinfo, ChannelNames *channels)
{
	if (PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"rule\" must not be NULL"),
				 errhint("Make it with journey_rule(conversion => ...).")));
	if (PG_ARGISNULL(1))
		return false;
	reader->walk = journey_walk_of_rule(journey_rule_of_datum(fcinfo, 2, &fcinfo->flinfo->fn_extra));
	timeline_open(&reader->view, PG_GETARG_TIMELINE(1));
	journey_walk_start(reader->walk, &reader->view);
	reader->channels = channels;
	reader->numbers = reader->numbers_room;
	if (reader->walk->label_count > PATH_ROOM)
		reader->numbers = palloc_extended(reader->walk->label_count * sizeof(uint32), MCXT_ALLOC_HUGE);
	memset(reader->numbers, 0xff, reader->walk->label_count * sizeof(uint32));
	reader->capacity = PATH_ROOM;
	reader->path = reader->path_room;
	reader->touched_at = reader->touched_at_room;
	return true;
}

/* Moves to the next journey; false: there is none. */
static bool
read_journey(JourneyReader *reader)
{
	const Journey *journey = &reader->journey;

	if (!journey_next(reader->walk, &reader->journey))
		return false;
	if (journey->has_value)
		check_value(journey->value);
	if (journey->touch_count > reader->capacity)
	{
		reader->capacity = journey->touch_count;
		reader->path = palloc_extended(reader->capacity * sizeof(uint32), MCXT_ALLOC_HUGE);
		reader->touched_at = palloc_extended(reader->capacity * sizeof(int64), MCXT_ALLOC_HUGE);
	}
	reader->length = 0;
	for (uint32 i = 0; i < journey->touch_count; i++)
	{
		uint32		number = number_of_label(reader, journey->touches[i].label);

		if (number == NUMBER_NONE)
			continue;
		reader->path[reader->length] = number;
		reader->touched_at[reader->length++] = journey->touches[i].at;
	}
	return true;
}

static uint32
number_of_label(JourneyReader *reader, uint32 label)
{
	uint32		number = reader->numbers[label];

	if (unlikely(number == NUMBER_UNKNOWN))
	{
		const TimelineString *name = &reader->walk->labels[label];

		number = is_channel(name->bytes, name->length) ?
			channel_number(reader->channels, name->bytes, name->length) : NUMBER_NONE;
		reader->numbers[label] = number;
	}
	return number;
}
