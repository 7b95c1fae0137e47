/*
 * sbg_likelihood.c
 *		Log-likelihood of the shifted beta-geometric distribution (Fader, Hardie 2007): at
 *		the end of which period customers left.
 *
 * Each renewal is a choice of its own: of those who are there before the t-th, a share of
 * alpha / (alpha + beta + t - 1) leaves and the others stay.  The product over the
 * periods is the published likelihood.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "clv/likelihood.h"

enum
{
	ALPHA, BETA, PARAMETERS
};

/* Takes lost, periods and survivors. */
void
sbg_likelihood(void *data, const double *parameters, Derivatives *result)
{
	const Likelihood *likelihood = data;
	double		a = parameters[ALPHA];
	double		stayed = (double) likelihood->survivors;
	DerivativeSum sum = {{0}};

	for (int t = likelihood->periods; t >= 1; t--)
	{
		double		lost = (double) likelihood->lost[t - 1];
		double		b = parameters[BETA] + (t - 1);
		double		both = a + b;
		Derivatives term = {0};

		if (t % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		term.value = -lost * log1p(b / a) - stayed * log1p(a / b);
		term.gradient[ALPHA] = lost * (b / (a * both)) - stayed / both;
		term.gradient[BETA] = stayed * (a / (b * both)) - lost / both;
		term.hessian[ALPHA][ALPHA] = (lost + stayed) / (both * both) - lost / (a * a);
		term.hessian[BETA][ALPHA] = (lost + stayed) / (both * both);
		term.hessian[BETA][BETA] = (lost + stayed) / (both * both) - stayed / (b * b);
		derivative_sum_add(&sum, &term, PARAMETERS, 1);
		/* who were there before this renewal stayed at the one before */
		stayed += lost;
	}
	derivative_sum_result(&sum, PARAMETERS, result);
}
