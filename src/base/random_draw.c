/*
 * random_draw.c
 *		Random numbers of the Poisson and the binomial distribution.
 *
 * Small means by inversion, which takes one uniform number and as many steps as the
 * number drawn.  Large ones by transformed rejection with squeeze (PTRS in W. Hormann
 * 1993, "The transformed rejection method for generating Poisson random variables",
 * Insurance: Mathematics and Economics 12, and BTRS in W. Hormann 1993, "The generation
 * of binomial random variates", Journal of Statistical Computation and Simulation 46),
 * whose cost does not grow with the mean: two uniform numbers, and nine times in ten no
 * logarithm.
 *
 * Rejection compares with the probability of a number.  The textbook formula for its
 * logarithm, k log(mean) - mean - log(k!), is a small difference of large terms and has
 * no digit left for means of 1e15.  So it is taken as the distance of k from the mean
 * and the rest of Stirling's formula (C. Loader 2000, "Fast and accurate computation of
 * binomial probabilities"), which loses nothing.  The same for the binomial distribution,
 * with a distance for successes and one for failures.
 */
#include "postgres.h"

#include <math.h>

#include "base/random_draw.h"

/* From here on rejection, which needs a mean of 10 at least. */
#define LARGE_MEAN 10

/* Beyond this, a number below LARGE_MEAN is less likely than 1e-60. */
#define INVERSION_END 100

/* Up to here the factorial is multiplied out. */
#define SMALL_FACTORIAL 16

static int64 poisson_by_inversion(pg_prng_state *random, double mean);
static int64 poisson_by_rejection(pg_prng_state *random, double mean);
static double log_poisson(double k, double mean);
static int64 binomial_by_inversion(pg_prng_state *random, int64 trials, double chance);
static int64 binomial_by_rejection(pg_prng_state *random, double trials, double chance);
static double log_binomial(double k, double trials, double chance);
static double distance_from_mean(double k, double mean);
static double stirling_rest(double k);

/*
 * A number of the Poisson distribution with this mean, which is not negative and not above
 * 2^63.  A mean of 0 gives 0 and draws nothing.  What does not fit is the largest int64.
 */
int64
draw_poisson(pg_prng_state *random, double mean)
{
	Assert(mean >= 0 && mean <= 0x1p63);
	if (mean == 0)
		return 0;
	return mean < LARGE_MEAN ? poisson_by_inversion(random, mean) : poisson_by_rejection(random, mean);
}

/*
 * How many of so many trials succeed, each of which does with this chance: a number of
 * the binomial distribution.  Trials are not negative, the chance is from 0 to 1/2.  No
 * trials or no chance give 0 and draw nothing.
 */
int64
draw_binomial(pg_prng_state *random, int64 trials, double chance)
{
	Assert(trials >= 0 && chance >= 0 && chance <= 0.5);
	if (trials == 0 || chance == 0)
		return 0;
	if ((double) trials * chance < LARGE_MEAN)
		return binomial_by_inversion(random, trials, chance);
	return binomial_by_rejection(random, (double) trials, chance);
}

/* The smallest number whose cumulative probability exceeds a uniform number. */
static int64
poisson_by_inversion(pg_prng_state *random, double mean)
{
	double		rest = pg_prng_double(random);
	double		probability = exp(-mean);
	int64		k = 0;

	while (rest >= probability && k < INVERSION_END)
	{
		rest -= probability;
		probability *= mean / (double) ++k;
	}
	return k;
}

/* The names of the constants are those of the paper. */
static int64
poisson_by_rejection(pg_prng_state *random, double mean)
{
	double		b = 0.931 + 2.53 * sqrt(mean);
	double		a = -0.059 + 0.02483 * b;
	double		v_r = 0.9277 - 3.6224 / (b - 2);
	double		inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);

	for (;;)
	{
		double		u = pg_prng_double(random) - 0.5;
		double		v = 1 - pg_prng_double(random); /* not 0: its logarithm is taken */
		double		us = 0.5 - fabs(u);
		double		k;

		if (us == 0)
			continue;
		k = floor((2 * a / us + b) * u + mean + 0.43);
		if (us >= 0.07 && v <= v_r)
			return k < 0x1p63 ? (int64) k : PG_INT64_MAX;
		if (k < 0 || (us < 0.013 && v > us))
			continue;
		if (log(v * inverse_alpha / (a / (us * us) + b)) <= log_poisson(k, mean))
			return k < 0x1p63 ? (int64) k : PG_INT64_MAX;
	}
}

/* log(mean^k exp(-mean) / k!) */
static double
log_poisson(double k, double mean)
{
	if (k == 0)
		return -mean;
	return -distance_from_mean(k, mean) - stirling_rest(k) - log(2 * M_PI * k) / 2;
}

/* As above; each probability from the one before. */
static int64
binomial_by_inversion(pg_prng_state *random, int64 trials, double chance)
{
	double		rest = pg_prng_double(random);
	double		odds = chance / (1 - chance);
	double		probability = exp((double) trials * log1p(-chance));
	int64		k = 0;

	while (rest >= probability && k < trials && k < INVERSION_END)
	{
		rest -= probability;
		probability *= odds * (double) (trials - k) / (double) (k + 1);
		k++;
	}
	return k;
}

/*
 * The names of the constants are those of the paper.  Of more than 2^53 trials the last
 * digits are lost, which are far below the spread.
 */
static int64
binomial_by_rejection(pg_prng_state *random, double trials, double chance)
{
	double		spq = sqrt(trials * chance * (1 - chance));
	double		b = 1.15 + 2.53 * spq;
	double		a = -0.0873 + 0.0248 * b + 0.01 * chance;
	double		v_r = 0.92 - 4.2 / b;
	double		alpha = (2.83 + 5.1 / b) * spq;
	double		mode = log_binomial(floor((trials + 1) * chance), trials, chance);

	for (;;)
	{
		double		u = pg_prng_double(random) - 0.5;
		double		v = 1 - pg_prng_double(random); /* not 0: its logarithm is taken */
		double		us = 0.5 - fabs(u);
		double		k;

		if (us == 0)
			continue;
		k = floor((2 * a / us + b) * u + trials * chance + 0.5);
		if (us >= 0.07 && v <= v_r)
			return (int64) k;
		if (k < 0 || k > trials)
			continue;
		if (log(v * alpha / (a / (us * us) + b)) <= log_binomial(k, trials, chance) - mode)
			return (int64) k;
	}
}

/* log(trials! / (k! (trials - k)!) chance^k (1 - chance)^(trials - k)) */
static double
log_binomial(double k, double trials, double chance)
{
	double		failures = trials - k;

	if (k == 0)
		return trials * log1p(-chance);
	if (failures == 0)
		return trials * log(chance);
	return stirling_rest(trials) - stirling_rest(k) - stirling_rest(failures) -
		distance_from_mean(k, trials * chance) - distance_from_mean(failures, trials * (1 - chance)) +
		log(trials / (2 * M_PI * k * failures)) / 2;
}

/* k log(k / mean) + mean - k, for k > 0; small where k is near the mean. */
static double
distance_from_mean(double k, double mean)
{
	double		x = (k - mean) / mean;
	double		power = x;
	double		sum = 0;

	if (fabs(x) > 0.1)
		return k * log(k / mean) + mean - k;
	/* mean ((1 + x) log(1 + x) - x), as a series */
	for (int n = 2; n <= 18; n++)
	{
		power *= n == 2 ? x : -x;
		sum += power / ((double) n * (n - 1));
	}
	return mean * sum;
}

/* log(k!) - (k log(k) - k + log(2 pi k) / 2), for k >= 1. */
static double
stirling_rest(double k)
{
	double		square = k * k;

	if (k < SMALL_FACTORIAL)
	{
		double		factorial = 1;

		for (int i = 2; i <= (int) k; i++)
			factorial *= i;
		return log(factorial) - (k * log(k) - k + log(2 * M_PI * k) / 2);
	}
	return (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - 1.0 / 1680 / square) / square) / square) / k;
}
