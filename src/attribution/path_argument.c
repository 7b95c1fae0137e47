/*
 * path_argument.c
 *		Reading a path and the counts that go with it from SQL arguments.
 */
#include "postgres.h"

#include <math.h>

#include "attribution/path_argument.h"
#include "base/exact_sum.h"
#include "base/text_array.h"

/*
 * The channels of a text[] argument; those that are new get a number.  NULL stands
 * for an empty path.  An array of more than one dimension is an error
 * (ERRCODE_INVALID_PARAMETER_VALUE).
 */
void
path_argument(FunctionCallInfo fcinfo, int number, ChannelNames *channels, PathArgument *path)
{
	TextArrayWalk walk;

	path->length = 0;
	path->channels = path->room;
	if (PG_ARGISNULL(number))
		return;
	text_array_start(&walk, PG_GETARG_ARRAYTYPE_P(number), "path");
	if (unlikely(walk.length > PATH_ROOM))
		path->channels = palloc_extended((Size) walk.length * sizeof(uint32), MCXT_ALLOC_HUGE);
	while (text_array_next(&walk))
	{
		if (is_channel(walk.bytes, walk.size))
			path->channels[path->length++] = channel_number(channels, walk.bytes, walk.size);
	}
}

/* How many; NULL stands for 0, a negative number is an error (ERRCODE_INVALID_PARAMETER_VALUE). */
int64
count_argument(FunctionCallInfo fcinfo, int number, const char *argument)
{
	int64		count = PG_ARGISNULL(number) ? 0 : PG_GETARG_INT64(number);

	if (unlikely(count < 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must not be negative, as " INT64_FORMAT " is", argument, count)));
	return count;
}

/* An amount; NULL stands for 0. */
double
value_argument(FunctionCallInfo fcinfo, int number)
{
	return PG_ARGISNULL(number) ? 0 : check_value(PG_GETARG_FLOAT8(number));
}

/*
 * Returns the value.  NaN and numbers beyond what can be added up without overflow are
 * errors (ERRCODE_INVALID_PARAMETER_VALUE).
 */
double
check_value(double value)
{
	if (unlikely(isnan(value) || fabs(value) >= EXACT_SUM_LIMIT))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"value\" cannot be %g", value),
				 errhint("Amounts are numbers smaller than 8e270; NULL stands for none.")));
	return value;
}
