/*
 * normal.c
 *		The standard normal distribution.
 *
 * All of them keep their relative accuracy, about 1e-15, in both tails and beside
 * the median: a p-value of 1e-30 has as many digits as one of 0.3.  They rest
 * on the C library's erf and erfc; what they add is the care at the places where
 * the textbook formulas lose digits.
 */
#include <math.h>

#include "base/normal.h"

/* sqrt(1/2) as the sum of two doubles */
#define SQRT_HALF_HIGH 0x1.6a09e667f3bcdp-1
#define SQRT_HALF_LOW -0x1.bdd3413b26456p-55

#define SQRT_TWO_PI 2.50662827463100050242
#define LN_SQRT_TWO_PI 0.918938533204672741780
#define TWO_BY_SQRT_PI 1.12837916709551257390

/* Below this, densities lose digits or are zero. */
#define FAR_TAIL 1e-290

static double quantile_beside_median(double offset);
static double quantile_of_tail(double tail);
static double quantile_of_far_tail(double tail);
static double mills_ratio(double x);
static double density(double x);

/* P(Z <= x).  NaN gives NaN. */
double
normal_cdf(double x)
{
	return normal_survival(-x);
}

/*
 * P(Z > x), the tail that p-values are made of; never write it as 1 - cdf.
 *
 * It is erfc(x / sqrt(2)) / 2.  Rounding the quotient costs x * x times as much
 * in the result, hence its second part and the derivative of erfc.
 */
double
normal_survival(double x)
{
	double		high = x * SQRT_HALF_HIGH;
	double		low;

	if (!(fabs(x) < 40))
		return x < 0 ? 1 : isnan(x) ? x : 0;
	low = fma(x, SQRT_HALF_HIGH, -high) + x * SQRT_HALF_LOW;
	return (erfc(high) - low * TWO_BY_SQRT_PI * exp(-high * high)) / 2;
}

/* The x with P(Z <= x) = probability; infinite at 0 and 1, NaN outside of them. */
double
normal_quantile(double probability)
{
	double		offset = probability - 0.5; /* exact where it is used */

	if (!(probability >= 0 && probability <= 1))
		return NAN;
	if (fabs(offset) <= 0.25)
		return quantile_beside_median(offset);
	/* 1 - probability is exact too */
	return offset < 0 ? -quantile_of_tail(probability) : quantile_of_tail(1 - probability);
}

/*
 * The z with P(-z < Z < z) = level: 1.96 for 0.95.  Infinite for 1, NaN outside
 * of 0 to 1.
 */
double
normal_critical_value(double level)
{
	if (!(level >= 0 && level <= 1))
		return NAN;
	/* of the two ways to halve, the one that loses no digits */
	return level <= 0.5 ? quantile_beside_median(level / 2) : quantile_of_tail((1 - level) / 2);
}

/*
 * The x with P(0 < Z < x) = offset, which is at most 1/4 away from zero: Halley's
 * method on erf, from two terms of the series at 0.  The error is cubed by each
 * step; it starts below 0.007.
 */
static double
quantile_beside_median(double offset)
{
	double		x = offset * SQRT_TWO_PI * (1 + M_PI / 3 * offset * offset);

	for (int i = 0; i < 2; i++)
	{
		double		newton = (erf(x * SQRT_HALF_HIGH) / 2 - offset) / density(x);

		x -= newton / (1 + x * newton / 2);
	}
	return x;
}

/*
 * The x with P(Z > x) = tail, for tails to 1/4: Halley's method from Abramowitz
 * and Stegun 26.2.23, whose error is below 4.5e-4.
 */
static double
quantile_of_tail(double tail)
{
	double		t;
	double		x;

	if (tail == 0)
		return INFINITY;
	if (tail < FAR_TAIL)
		return quantile_of_far_tail(tail);
	t = sqrt(-2 * log(tail));
	x = t - (2.515517 + t * (0.802853 + t * 0.010328)) /
		(1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
	for (int i = 0; i < 2; i++)
	{
		double		newton = (normal_survival(x) - tail) / density(x);

		x += newton / (1 - x * newton / 2);
	}
	return x;
}

/* As above by logarithms: Newton's method on -x^2/2 - ln sqrt(2 pi) + ln mills_ratio(x). */
static double
quantile_of_far_tail(double tail)
{
	double		log_tail = log(tail);
	double		x = sqrt(-2 * log_tail);

	for (int i = 0; i < 5; i++)
	{
		double		ratio = mills_ratio(x);

		x += (-x * x / 2 - LN_SQRT_TWO_PI + log(ratio) - log_tail) * ratio;
	}
	return x;
}

/* P(Z > x) / density(x), by Laplace's continued fraction, for x above 30. */
static double
mills_ratio(double x)
{
	double		fraction = x;

	for (int i = 12; i > 0; i--)
		fraction = x + i / fraction;
	return 1 / fraction;
}

static double
density(double x)
{
	return exp(-x * x / 2) / SQRT_TWO_PI;
}
