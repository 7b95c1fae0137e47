/*
 * retention_conditions.c
 *		The aggregate retention(conditions...) on plain rows, as ClickHouse has it.
 *
 * A group's state is one bigint: a bit for each condition that was true in some
 * row, and above them the number of conditions.  It is passed by value, so
 * there is no memory per group.
 */
#include "postgres.h"

#include "fmgr.h"

#include "base/boolean_array.h"
#include "base/compat.h"

PG_FUNCTION_INFO_V1(retention_conditions_accum);
PG_FUNCTION_INFO_V1(retention_conditions_combine);
PG_FUNCTION_INFO_V1(retention_conditions_final);

/* As in ClickHouse. */
#define MAX_CONDITIONS 32

typedef struct Conditions
{
	int			count;
	uint32		met;			/* bit i: condition i was true in some row */
} Conditions;

static Conditions unpack(int64 state);
static int64 pack(Conditions conditions);
pg_noreturn static void count_error(int expected, int found);

/* (state, conditions) */
Datum
retention_conditions_accum(PG_FUNCTION_ARGS)
{
	Conditions	conditions = {0};
	BooleanArrayWalk walk;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		return PG_GETARG_DATUM(0);
	}
	boolean_array_start(&walk, PG_GETARG_ARRAYTYPE_P(1), "conditions");
	if (walk.length < 1 || walk.length > MAX_CONDITIONS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("retention takes from 1 to %d conditions, not %d", MAX_CONDITIONS, walk.length)));

	if (!PG_ARGISNULL(0))
		conditions = unpack(PG_GETARG_INT64(0));
	if (conditions.count != 0 && conditions.count != walk.length)
		count_error(conditions.count, walk.length);
	conditions.count = walk.length;
	for (int i = 0; i < walk.length; i++)
	{
		if (boolean_array_next(&walk) == BOOLEAN_TRUE)
			conditions.met |= (uint32) 1 << i;
	}
	PG_RETURN_INT64(pack(conditions));
}

Datum
retention_conditions_combine(PG_FUNCTION_ARGS)
{
	Conditions	conditions = unpack(PG_GETARG_INT64(0));
	Conditions	other = unpack(PG_GETARG_INT64(1));

	if (conditions.count != other.count)
		count_error(conditions.count, other.count);
	conditions.met |= other.met;
	PG_RETURN_INT64(pack(conditions));
}

Datum
retention_conditions_final(PG_FUNCTION_ARGS)
{
	Conditions	conditions = unpack(PG_GETARG_INT64(0));
	bool		values[MAX_CONDITIONS];

	/* without the first condition nobody was there to return */
	for (int i = 0; i < conditions.count; i++)
		values[i] = (conditions.met & 1) != 0 && (conditions.met >> i & 1) != 0;
	PG_RETURN_ARRAYTYPE_P(boolean_array_form(values, conditions.count, conditions.count));
}

/* Checked, as anybody may call these functions with any number. */
static Conditions
unpack(int64 state)
{
	Conditions	conditions = {(int) (state >> 32 & 0xff), (uint32) state};

	if (conditions.count < 1 || conditions.count > MAX_CONDITIONS || pack(conditions) != state ||
		((uint64) conditions.met >> conditions.count) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg(INT64_FORMAT " is not a state of the aggregate retention", state)));
	return conditions;
}

static int64
pack(Conditions conditions)
{
	return (int64) conditions.count << 32 | conditions.met;
}

static void
count_error(int expected, int found)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("retention needs the same number of conditions in all rows: %d and %d", expected, found)));
}
