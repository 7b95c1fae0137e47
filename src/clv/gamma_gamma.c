/*
 * gamma_gamma.c
 *		What Gamma-Gamma expects a customer's next purchase to be worth (Fader, Hardie 2013,
 *		"The Gamma-Gamma Model of Monetary Value").
 */
#include <math.h>

#include "clv/buyer.h"

/*
 * E[M] = p (v + x m) / (p x + q - 1): between the mean m of the customer's x repeat
 * purchases and the mean of all customers, p v / (q - 1).  With x = 0 it is the latter,
 * and m is not looked at; with x > 0, m > 0.
 *
 * HUGE_VAL where the expectation is infinite, as the model then says: p x + q <= 1, so for
 * x = 0 with any q <= 1.  The formula would give a negative value there.
 */
double
gamma_gamma_expected_value(const double *parameters, double frequency, double monetary_value)
{
	double		p = parameters[0];
	double		q = parameters[1];
	double		v = parameters[2];
	double		own = p * frequency;
	double		divisor;

	if (isinf(own))
		return monetary_value + v / frequency;
	/* what is subtracted first is near 1 if all is near 0, and loses no digit */
	divisor = own >= 0.5 ? (own - 1) + q : (q - 1) + own;
	/* what rounding took from p x */
	divisor += fma(p, frequency, -own);
	if (divisor <= 0)
		return HUGE_VAL;
	if (frequency == 0)
		return p / divisor * v;
	return own / divisor * monetary_value + p / divisor * v;
}
