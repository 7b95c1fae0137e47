/*
 * betageo_likelihood.c
 *		Log-likelihood of BG/NBD (Fader, Hardie, Lee 2005) and MBG/NBD (Batislam,
 *		Denizel, Filiztekin 2007).
 *
 * Customers buy at rate lambda ~ Gamma(r, alpha) and are lost after a purchase with
 * probability p ~ Beta(a, b): with BG/NBD after a repeat purchase, with MBG/NBD after the
 * first one too.  The likelihood of a customer is the sum of two: exp(A) that he is alive,
 * exp(D) that he was lost at his last purchase.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "base/special.h"
#include "clv/likelihood.h"

enum
{
	R, ALPHA, A, B, PARAMETERS
};

static void betageo_likelihood(Likelihood *likelihood, const double *parameters, int chances_at_start, Derivatives *result);
static void add_counts(DerivativeSum *sum, Likelihood *likelihood, const double *parameters, int chances_at_start);
static void add_history(DerivativeSum *sum, const History *history, const double *parameters, int chances_at_start);

void
bgnbd_likelihood(void *likelihood, const double *parameters, Derivatives *result)
{
	betageo_likelihood(likelihood, parameters, 0, result);
}

void
mbgnbd_likelihood(void *likelihood, const double *parameters, Derivatives *result)
{
	betageo_likelihood(likelihood, parameters, 1, result);
}

/* chances_at_start: 1 if a customer can be lost after the first purchase. */
static void
betageo_likelihood(Likelihood *likelihood, const double *parameters, int chances_at_start, Derivatives *result)
{
	DerivativeSum sum = {{0}};
	const Histories *histories = &likelihood->histories;

	add_counts(&sum, likelihood, parameters, chances_at_start);
	for (uint64 i = 0; i < histories->count; i += likelihood->step)
	{
		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		add_history(&sum, &histories->items[i], parameters, chances_at_start);
	}
	derivative_sum_result(&sum, PARAMETERS, result);
}

/* ln of gamma(r + x) / gamma(r) * B(a, b + chances) / B(a, b), for all customers with x. */
static void
add_counts(DerivativeSum *sum, Likelihood *likelihood, const double *parameters, int chances_at_start)
{
	const Frequencies *frequencies = likelihood_frequencies(likelihood);
	double		r = parameters[R];
	double		a = parameters[A];
	double		b = parameters[B];

	for (uint32 i = 0; i < frequencies->count; i++)
	{
		double		x = frequencies->items[i].frequency;
		double		chances = x + chances_at_start;
		Derivatives term = {0};
		/* of the beta function of a + b, which a and b have in common */
		double		both = digamma(a + b) - digamma(a + b + chances);
		double		both_twice = trigamma(a + b) - trigamma(a + b + chances);

		term.value = log_gamma_ratio(r, x) + log_gamma_ratio(b, chances) - log_gamma_ratio(a + b, chances);
		term.gradient[R] = digamma(r + x) - digamma(r);
		term.gradient[A] = both;
		term.gradient[B] = both + digamma(b + chances) - digamma(b);
		term.hessian[R][R] = trigamma(r + x) - trigamma(r);
		term.hessian[A][A] = both_twice;
		term.hessian[B][A] = both_twice;
		term.hessian[B][B] = both_twice + trigamma(b + chances) - trigamma(b);
		derivative_sum_add(sum, &term, PARAMETERS, frequencies->items[i].customers);
	}
}

/*
 * ln(exp(A) + exp(D)) + r ln(alpha) of one history, which is -r ln(1 + T/alpha) - x ln(alpha + T) and more:
 * nothing large is subtracted where r and alpha are large.
 */
static void
add_history(DerivativeSum *sum, const History *history, const double *parameters, int chances_at_start)
{
	double		r = parameters[R];
	double		alpha = parameters[ALPHA];
	double		x = history->frequency;
	double		s = r + x;
	double		age = alpha + history->age;
	double		recency = alpha + history->recency;
	double		growth = log1p(history->age / alpha);
	double		silence = log1p((history->age - history->recency) / recency);
	double		a = parameters[A];
	/* of the chances survived, without the last; in this order no small b is lost */
	double		c = parameters[B] + (x + chances_at_start - 1);
	Derivatives term = {0};

	term.value = -r * growth - x * log(age);
	term.gradient[R] = -growth;
	term.gradient[ALPHA] = r * (history->age / alpha) / age - x / age;
	term.hessian[ALPHA][R] = history->age / alpha / age;
	term.hessian[ALPHA][ALPHA] = x / (age * age) - r * (history->age / alpha) / age * (1 / alpha + 1 / age);
	if (history->frequency + chances_at_start > 0)
	{
		double		odds = exp(log(a / c) + s * silence);	/* that he is lost */
		double		lost = isinf(odds) ? 1 : odds / (1 + odds);
		double		both = isinf(odds) ? 0 : lost / (1 + odds);
		double		difference[PARAMETERS];

		difference[R] = silence;
		difference[ALPHA] = s * ((history->recency - history->age) / recency / age);
		difference[A] = 1 / a;
		difference[B] = -1 / c;
		term.value += isinf(odds) ? log(a / c) + s * silence : log1p(odds);
		for (int i = 0; i < PARAMETERS; i++)
		{
			term.gradient[i] += lost * difference[i];
			for (int j = 0; j <= i; j++)
				term.hessian[i][j] += both * difference[i] * difference[j];
		}
		term.hessian[ALPHA][R] += lost * difference[ALPHA] / s;
		term.hessian[ALPHA][ALPHA] -= lost * difference[ALPHA] * (1 / age + 1 / recency);
		term.hessian[A][A] -= lost / (a * a);
		term.hessian[B][B] += lost / (c * c);
	}
	derivative_sum_add(sum, &term, PARAMETERS, (double) history->customers);
}
