/*
 * path_counts.c
 *		Reading conversion_paths: the paths one by one, and their totals.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "attribution/attribution.h"
#include "base/duration.h"
#include "base/set_call.h"

PG_FUNCTION_INFO_V1(path_counts);
PG_FUNCTION_INFO_V1(path_totals);

/* The rows of path_counts. */
typedef struct PathRows
{
	const SortedPaths *paths;
	uint32		next;
	Datum	   *names;			/* by channel number */
	Datum	   *elements;		/* room for those of a path */
	uint32		capacity;
} PathRows;

static PathRows *start_rows(const PathSet *set);
static ArrayType *path_array(PathRows *rows, const PathEntry *entry);

/* (conversion_paths) */
Datum
path_counts(PG_FUNCTION_ARGS)
{
	SetCall    *call = set_call_begin(fcinfo);
	PathRows   *rows;

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
	if (rows->next < rows->paths->set->path_count)
	{
		const PathEntry *entry = rows->paths->paths[rows->next++];
		Datum		fields[4];
		bool		nulls[4] = {false};

		fields[0] = PointerGetDatum(path_array(rows, entry));
		fields[1] = Int64GetDatum(entry->conversions);
		fields[2] = Float8GetDatum(exact_sum_value(&entry->value));
		fields[3] = Int64GetDatum(entry->non_conversions);
		SET_CALL_RETURN_NEXT(fcinfo, HeapTupleGetDatum(heap_form_tuple(call->row_type, fields, nulls)));
	}
	SET_CALL_RETURN_DONE(fcinfo, call);
}

/* (conversion_paths) */
Datum
path_totals(PG_FUNCTION_ARGS)
{
	const PathSet *set = PG_GETARG_PATH_SET(0);
	int64		non_conversions = 0;
	int64		unattributed_conversions = 0;
	double		unattributed_value = 0;
	ExactSum	value = {{0}};
	TupleDesc	row_type;
	Datum		fields[9];
	bool		nulls[9] = {false};

	if (get_call_result_type(fcinfo, NULL, &row_type) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	for (uint32 i = 0; i < set->path_count; i++)
	{
		const PathEntry *entry = &set->paths[i];

		count_add(&non_conversions, entry->non_conversions);
		exact_sum_merge(&value, &entry->value, CurrentMemoryContext);
		if (entry->length == 0)
		{
			unattributed_conversions = entry->conversions;
			unattributed_value = exact_sum_value(&entry->value);
		}
	}
	fields[0] = Int64GetDatum(set->path_count);
	fields[1] = Int32GetDatum((int32) set->channels.count);
	fields[2] = Int64GetDatum(set->conversions);
	fields[3] = Int64GetDatum(non_conversions);
	fields[4] = Float8GetDatum(exact_sum_value(&value));
	fields[5] = Int64GetDatum(unattributed_conversions);
	fields[6] = Float8GetDatum(unattributed_value);
	fields[7] = BoolGetDatum(set->timed_conversions > 0 && set->timed_conversions == set->conversions - unattributed_conversions);
	nulls[8] = set->half_life == 0;
	fields[8] = IntervalPGetDatum(duration_interval(set->half_life));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), fields, nulls)));
}

/* In a memory context that lasts for the whole set. */
static PathRows *
start_rows(const PathSet *set)
{
	PathRows   *rows = palloc0(sizeof(PathRows));

	rows->paths = sorted_paths_create(set);
	rows->names = channel_texts(&set->channels, NULL);
	for (uint32 i = 0; i < set->path_count; i++)
		rows->capacity = Max(rows->capacity, set->paths[i].length);
	rows->elements = palloc_extended(Max(rows->capacity, 1) * sizeof(Datum), MCXT_ALLOC_HUGE);
	return rows;
}

static ArrayType *
path_array(PathRows *rows, const PathEntry *entry)
{
	if (entry->length > MaxAllocSize / sizeof(Datum))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("path of %u touches is too long for an array", entry->length)));
	for (uint32 i = 0; i < entry->length; i++)
		rows->elements[i] = rows->names[entry->channels[i]];
	return construct_array(rows->elements, (int) entry->length, TEXTOID, -1, false, TYPALIGN_INT);
}
