/*
 * special.c
 *		Special functions.
 */
#include "base/special.h"

#include <math.h>

/* From here on four terms more of the asymptotic series are below 1e-17. */
#define ASYMPTOTIC_FROM 10.0

/* ln of the gamma function of x > 0. */
double
log_gamma(double x)
{
	int			sign;

	/* lgamma() sets a global variable */
	return lgamma_r(x, &sign);
}

/*
 * ln of gamma(x + step) / gamma(x), x > 0, step >= 0.
 *
 * Where both are large and nearly the same, their difference would have lost its
 * digits; Stirling's formula is subtracted term by term instead (Abramowitz and
 * Stegun 6.1.41).
 */
double
log_gamma_ratio(double x, double step)
{
	if (x < ASYMPTOTIC_FROM || step > x)
		return log_gamma(x + step) - log_gamma(x);
	return (x - 0.5) * log1p(step / x) + step * (log(x + step) - 1) +
		(stirling_rest(x + step) - stirling_rest(x));
}

/*
 * What Stirling's formula leaves of ln gamma(x + 1), x > 0: less (x + 1/2) ln(x) - x + ln(2 pi) / 2
 * (Abramowitz and Stegun 6.1.41).
 */
double
stirling_rest(double x)
{
	double		y;

	if (x < ASYMPTOTIC_FROM)
		return log_gamma(x + 1) - (x + 0.5) * log(x) + x - 0.91893853320467274178;
	y = 1 / x / x;
	return (1.0 / 12 - y * (1.0 / 360 - y * (1.0 / 1260 - y * (1.0 / 1680 - y * (1.0 / 1188 -
																				 y * (691.0 / 360360 - y / 156)))))) / x;
}

/* The derivative of ln gamma(x), x > 0 (Abramowitz and Stegun 6.3.5, 6.3.18). */
double
digamma(double x)
{
	double		steps = 0;
	double		y;

	for (; x < ASYMPTOTIC_FROM; x++)
		steps += 1 / x;
	y = 1 / (x * x);
	return log(x) - 0.5 / x -
		y * (1.0 / 12 - y * (1.0 / 120 - y * (1.0 / 252 - y * (1.0 / 240 - y * (1.0 / 132 -
																				y * (691.0 / 32760 - y / 12)))))) - steps;
}

/* The second derivative of ln gamma(x), x > 0 (Abramowitz and Stegun 6.4.6, 6.4.12). */
double
trigamma(double x)
{
	double		steps = 0;
	double		y;

	for (; x < ASYMPTOTIC_FROM; x++)
		steps += 1 / (x * x);
	y = 1 / (x * x);
	return 1 / x + y / 2 +
		y / x * (1.0 / 6 - y * (1.0 / 30 - y * (1.0 / 42 - y * (1.0 / 30 - y * (5.0 / 66 -
																				y * (691.0 / 2730 - y * 7 / 6)))))) + steps;
}

/* ln of the beta function, a, b > 0. */
double
log_beta(double a, double b)
{
	double		smaller = fmin(a, b);

	return log_gamma(smaller) - log_gamma_ratio(fmax(a, b), smaller);
}

/* ln(exp(a) + exp(b)); either may be -infinity. */
double
log_add_exp(double a, double b)
{
	double		larger = fmax(a, b);

	if (larger == -HUGE_VAL)
		return larger;
	return larger + log1p(exp(fmin(a, b) - larger));
}
