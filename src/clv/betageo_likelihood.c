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

/* ln of gamma(r + x) / gamma(r) * alpha^r * B(a, b + chances) / B(a, b), for all customers with x. */
static void
add_counts(DerivativeSum *sum, Likelihood *likelihood, const double *parameters, int chances_at_start)
{
	const Frequencies *frequencies = likelihood_frequencies(likelihood);
	double		r = parameters[R];
	double		alpha = parameters[ALPHA];
	double		a = parameters[A];
	double		b = parameters[B];
	Derivatives none = {0};

	none.value = r * log(alpha);
	none.gradient[R] = log(alpha);
	none.gradient[ALPHA] = r / alpha;
	none.hessian[ALPHA][R] = 1 / alpha;
	none.hessian[ALPHA][ALPHA] = -r / (alpha * alpha);
	for (uint32 i = 0; i < frequencies->count; i++)
	{
		double		x = frequencies->items[i].frequency;
		double		chances = x + chances_at_start;
		Derivatives term = none;
		/* of the beta function of a + b, which a and b have in common */
		double		both = digamma(a + b) - digamma(a + b + chances);
		double		both_twice = trigamma(a + b) - trigamma(a + b + chances);

		term.value += log_gamma_ratio(r, x) + log_gamma_ratio(b, chances) - log_gamma_ratio(a + b, chances);
		term.gradient[R] += digamma(r + x) - digamma(r);
		term.gradient[A] = both;
		term.gradient[B] = both + digamma(b + chances) - digamma(b);
		term.hessian[R][R] = trigamma(r + x) - trigamma(r);
		term.hessian[A][A] = both_twice;
		term.hessian[B][A] = both_twice;
		term.hessian[B][B] = both_twice + trigamma(b + chances) - trigamma(b);
		derivative_sum_add(sum, &term, PARAMETERS, frequencies->items[i].customers);
	}
}

/* ln(exp(A) + exp(D)) of one history. */
static void
add_history(DerivativeSum *sum, const History *history, const double *parameters, int chances_at_start)
{
	double		s = parameters[R] + history->frequency;
	double		age = parameters[ALPHA] + history->age;
	double		recency = parameters[ALPHA] + history->recency;
	double		log_age = log(age);
	double		a = parameters[A];
	/* of the chances survived, without the last */
	double		c = parameters[B] + history->frequency + chances_at_start - 1;
	Derivatives term = {0};

	term.value = -s * log_age;
	term.gradient[R] = -log_age;
	term.gradient[ALPHA] = -s / age;
	term.hessian[ALPHA][R] = -1 / age;
	term.hessian[ALPHA][ALPHA] = s / (age * age);
	if (history->frequency + chances_at_start > 0)
	{
		double		log_recency = log(recency);
		double		odds = exp(log(a / c) - s * (log_recency - log_age));	/* that he is lost */
		double		lost = isinf(odds) ? 1 : odds / (1 + odds);
		double		both = isinf(odds) ? 0 : lost / (1 + odds);
		double		difference[PARAMETERS];

		difference[R] = log_age - log_recency;
		difference[ALPHA] = s / age - s / recency;
		difference[A] = 1 / a;
		difference[B] = -1 / c;
		term.value += isinf(odds) ? log(a / c) + s * difference[R] : log1p(odds);
		for (int i = 0; i < PARAMETERS; i++)
		{
			term.gradient[i] += lost * difference[i];
			for (int j = 0; j <= i; j++)
				term.hessian[i][j] += both * difference[i] * difference[j];
		}
		term.hessian[ALPHA][R] += lost * (1 / age - 1 / recency);
		term.hessian[ALPHA][ALPHA] += lost * (s / (recency * recency) - s / (age * age));
		term.hessian[A][A] -= lost / (a * a);
		term.hessian[B][B] += lost / (c * c);
	}
	derivative_sum_add(sum, &term, PARAMETERS, (double) history->customers);
}
