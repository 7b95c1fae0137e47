/*
 * shapley_positions.c
 *		The ordered Shapley value: a channel's credit by its position in the path.
 *
 * Zhao, Mahboobi and Bagheri (2018), "Shapley Value Methods for Attribution Modeling in Online
 * Advertising", section on the ordered Shapley value: of a path with the set S of distinct
 * channels, each channel earns 1/|S| of the conversions, in equal parts at the
 * positions where it stands.  Summed over positions this is the model shapley.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "attribution/attribution.h"
#include "base/set_call.h"

PG_FUNCTION_INFO_V1(shapley_positions);

/* Sums by channel place and position, of positions up to the longest path's. */
typedef struct PositionSums
{
	ExactSum	conversions;
	ExactSum	value;
	bool		is_met;
} PositionSums;

typedef struct PositionRows
{
	const SortedPaths *paths;
	uint32		position_count;
	PositionSums *sums;			/* position_count for each channel */
	uint64		next;
} PositionRows;

static PositionRows *start_rows(const PathSet *set);
static void add_path(PositionRows *rows, const PathEntry *entry, uint32 *times_met);

/* (conversion_paths) */
Datum
shapley_positions(PG_FUNCTION_ARGS)
{
	SetCall    *call = set_call_begin(fcinfo);
	PositionRows *rows;

	if (!call->is_running)
	{
		MemoryContext caller;

		if (PG_ARGISNULL(0))
			SET_CALL_RETURN_DONE(fcinfo, call);
		set_call_start(fcinfo, call);
		caller = MemoryContextSwitchTo(call->context);
		call->state = start_rows(PG_GETARG_PATH_SET(0));
		MemoryContextSwitchTo(caller);
	}
	rows = call->state;
	while (rows->next < (uint64) rows->paths->channel_count * rows->position_count)
	{
		uint64		number = rows->next++;
		const PositionSums *sums = &rows->sums[number];
		const TimelineString *name;
		Datum		fields[4];
		bool		nulls[4] = {false};

		if (!sums->is_met)
			continue;
		name = &rows->paths->set->channels.names[rows->paths->order[number / rows->position_count]];
		fields[0] = PointerGetDatum(cstring_to_text_with_len(name->bytes, (int) name->length));
		fields[1] = Int32GetDatum((int32) (number % rows->position_count) + 1);
		fields[2] = Float8GetDatum(exact_sum_value(&sums->conversions));
		fields[3] = Float8GetDatum(exact_sum_value(&sums->value));
		SET_CALL_RETURN_NEXT(fcinfo, HeapTupleGetDatum(heap_form_tuple(call->row_type, fields, nulls)));
	}
	SET_CALL_RETURN_DONE(fcinfo, call);
}

/* In a memory context that lasts for the whole set. */
static PositionRows *
start_rows(const PathSet *set)
{
	PositionRows *rows = palloc0(sizeof(PositionRows));
	uint32	   *times_met = palloc0(Max(set->channels.count, 1) * sizeof(uint32));

	rows->paths = sorted_paths_create(set);
	for (uint32 i = 0; i < set->path_count; i++)
	{
		if (set->paths[i].conversions > 0)
			rows->position_count = Max(rows->position_count, set->paths[i].length);
	}
	if ((Size) set->channels.count * rows->position_count > MaxAllocSize / sizeof(PositionSums))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many positions: %u channels in paths of up to %u touches",
						set->channels.count, rows->position_count),
				 errhint("Collapse repeats, shorten the lookback, or give rare channels one name.")));
	rows->sums = palloc0(Max((Size) set->channels.count * rows->position_count, 1) * sizeof(PositionSums));
	for (uint32 i = 0; i < set->path_count; i++)
	{
		if (rows->paths->paths[i]->conversions > 0)
			add_path(rows, rows->paths->paths[i], times_met);
		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	return rows;
}

/* 'times_met' is room, by channel number, all 0 before and after. */
static void
add_path(PositionRows *rows, const PathEntry *entry, uint32 *times_met)
{
	double		value = exact_sum_value(&entry->value);
	double		distinct = 0;

	for (uint32 i = 0; i < entry->length; i++)
		distinct += times_met[entry->channels[i]]++ == 0;
	for (uint32 i = 0; i < entry->length; i++)
	{
		uint32		channel = entry->channels[i];
		PositionSums *sums = &rows->sums[(Size) rows->paths->places[channel] * rows->position_count + i];
		double		part = 1 / (distinct * times_met[channel]);

		sums->is_met = true;
		exact_sum_add(&sums->conversions, part * (double) entry->conversions, CurrentMemoryContext);
		exact_sum_add(&sums->value, part * value, CurrentMemoryContext);
	}
	for (uint32 i = 0; i < entry->length; i++)
		times_met[entry->channels[i]] = 0;
}
