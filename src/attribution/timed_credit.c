/*
 * timed_credit.c
 *		Adding credit that fades with time to a set of conversion paths.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "attribution/path_argument.h"
#include "attribution/timed_credit.h"
#include "attribution/touch_credit.h"
#include "base/duration.h"

/* Microseconds; NULL or no such argument: 7 days.  One of zero is an error (ERRCODE_INVALID_PARAMETER_VALUE). */
int64
half_life_argument(FunctionCallInfo fcinfo, int number)
{
	if (number >= PG_NARGS() || PG_ARGISNULL(number))
		return CREDIT_DEFAULT_HALF_LIFE;
	return duration_positive(PG_GETARG_INTERVAL_P(number), "half_life");
}

/*
 * Adds the sums of one conversion's path, of at least one touch.  Touches are in the
 * order of time and not after the conversion, else it is an error (ERRCODE_INVALID_PARAMETER_VALUE).
 */
void
timed_credit_add(PathSet *set, const uint32 *channels, const int64 *touched_at, uint32 length,
				 int64 converted_at, double value, int64 half_life)
{
	CreditRule	rule = {.model = CREDIT_TIME_DECAY,.half_life = (double) half_life};
	CreditPath	path = {.length = (int) length,.channels = channels,.touched_at = touched_at};
	double		room[PATH_ROOM];
	double	   *weights = length > PATH_ROOM ? palloc_extended(length * sizeof(double), MCXT_ALLOC_HUGE) : room;

	for (uint32 i = 0; i < length; i++)
	{
		if (touched_at[i] > (i + 1 < length ? touched_at[i + 1] : converted_at))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("touch %u of %u is later than %s", i + 1, length,
							i + 1 < length ? "the one after it" : "the conversion"),
					 errhint("Touches must be in the order of time, and not after the conversion: write array_agg(... ORDER BY at).")));
	}
	path_set_half_life(set, half_life);
	count_add(&set->timed_conversions, 1);
	credit_weights(&rule, &path, weights);
	for (uint32 i = 0; i < length; i++)
	{
		TimedCredit *timed = path_set_timed(set, channels[i]);

		exact_sum_add(&timed->conversions, weights[i], set->context);
		exact_sum_add(&timed->value, weights[i] * value, set->context);
		if (timed->seen_in != (uint64) set->timed_conversions)
		{
			timed->seen_in = (uint64) set->timed_conversions;
			count_add(&timed->journeys, 1);
			exact_sum_add(&timed->lag, (double) ((uint64) converted_at - (uint64) touched_at[i]), set->context);
		}
	}
	if (weights != room)
		pfree(weights);
}
