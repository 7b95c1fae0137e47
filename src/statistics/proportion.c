/*
 * proportion.c
 *		Intervals for a proportion: so many successes of so many trials.
 */
#include "postgres.h"

#include <math.h>

#include "base/normal.h"
#include "statistics/proportion.h"
#include "utils/builtins.h"

/* An error unless the SQL argument conf_level lies between 0 and 1. */
void
check_conf_level(double conf_level)
{
	if (!(conf_level > 0 && conf_level < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"conf_level\" must be greater than 0 and less than 1, not %s",
						DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(conf_level)))),
				 errhint("For example 0.95 for an interval of 95 %%.")));
}

/*
 * Wilson's score interval for successes / trials, without continuity correction.
 * False, with NaN in both bounds, if there are no trials.  conf_level is one
 * that check_conf_level accepts, and 0 <= successes <= trials.
 *
 * The bounds are the two roots p of (k/n - p)^2 = z^2 p (1 - p) / n (Wilson 1927).
 * The upper one is a sum of positive terms.  The lower one would be a difference
 * of nearly equal numbers where successes are few, so it is taken from the
 * product of both roots, (k/n)^2 / (1 + z^2/n).
 */
bool
wilson_interval(int64 successes, int64 trials, double conf_level, double *lower, double *upper)
{
	double		k = (double) successes;
	double		n = (double) trials;
	double		z = normal_critical_value(conf_level);
	double		spread;

	Assert(successes >= 0 && successes <= trials);
	Assert(conf_level > 0 && conf_level < 1);

	*lower = *upper = NAN;
	if (trials == 0)
		return false;
	spread = z * sqrt(k * ((double) (trials - successes) / n) + z * z / 4);
	*upper = successes == trials ? 1 : Min((k + z * z / 2 + spread) / (n + z * z), 1);
	*lower = successes == 0 ? 0 : k / n * (k / (n + z * z)) / *upper;
	/* where the interval is narrower than rounding, the share itself */
	*lower = Min(*lower, k / n);
	*upper = Max(*upper, k / n);
	return true;
}
