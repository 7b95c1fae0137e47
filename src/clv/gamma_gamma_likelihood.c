/*
 * gamma_gamma_likelihood.c
 *		Log-likelihood of Gamma-Gamma (Fader, Hardie 2013): the mean value of a
 *		customer's purchases.
 *
 * A purchase has a value z ~ Gamma(p, nu), and nu ~ Gamma(q, v) differs from customer to
 * customer.  Of x repeat purchases with the mean m, the likelihood is
 *
 *		gamma(px + q) / (gamma(px) gamma(q)) * v^q * m^(px - 1) * x^(px) / (xm + v)^(px + q)
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "base/special.h"
#include "clv/likelihood.h"

enum
{
	P, Q, V, PARAMETERS
};

static void add_counts(DerivativeSum *sum, Likelihood *likelihood, const double *parameters);
static void add_history(DerivativeSum *sum, const History *history, const double *parameters);

void
gamma_gamma_likelihood(void *data, const double *parameters, Derivatives *result)
{
	Likelihood *likelihood = data;
	const Histories *histories = &likelihood->histories;
	DerivativeSum sum = {{0}};

	add_counts(&sum, likelihood, parameters);
	for (uint64 i = 0; i < histories->count; i += likelihood->step)
	{
		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		add_history(&sum, &histories->items[i], parameters);
	}
	derivative_sum_result(&sum, PARAMETERS, result);
}

/* ln of gamma(px + q) / (gamma(px) gamma(q)) * v^q, for all customers with x. */
static void
add_counts(DerivativeSum *sum, Likelihood *likelihood, const double *parameters)
{
	const Frequencies *frequencies = likelihood_frequencies(likelihood);
	double		p = parameters[P];
	double		q = parameters[Q];
	double		v = parameters[V];

	for (uint32 i = 0; i < frequencies->count; i++)
	{
		double		x = frequencies->items[i].frequency;
		Derivatives term = {0};

		term.value = log_gamma_ratio(p * x, q) - log_gamma(q) + q * log(v);
		term.gradient[P] = x * (digamma(p * x + q) - digamma(p * x));
		term.gradient[Q] = digamma(p * x + q) - digamma(q) + log(v);
		term.gradient[V] = q / v;
		term.hessian[P][P] = x * x * (trigamma(p * x + q) - trigamma(p * x));
		term.hessian[Q][P] = x * trigamma(p * x + q);
		term.hessian[Q][Q] = trigamma(p * x + q) - trigamma(q);
		term.hessian[V][Q] = 1 / v;
		term.hessian[V][V] = -q / (v * v);
		derivative_sum_add(sum, &term, PARAMETERS, frequencies->items[i].customers);
	}
}

/* ln of m^(px - 1) x^(px) / (xm + v)^(px + q). */
static void
add_history(DerivativeSum *sum, const History *history, const double *parameters)
{
	double		x = history->frequency;
	double		mean = history->recency;
	double		total = x * mean + parameters[V];
	double		n = parameters[P] * x + parameters[Q];
	Derivatives term = {0};

	/* log1p where v adds little to what was bought loses no digit either */
	term.value = -parameters[P] * x * log1p(parameters[V] / (x * mean)) - log(mean) - parameters[Q] * log(total);
	term.gradient[P] = -x * log1p(parameters[V] / (x * mean));
	term.gradient[Q] = -log(total);
	term.gradient[V] = -n / total;
	term.hessian[V][P] = -x / total;
	term.hessian[V][Q] = -1 / total;
	term.hessian[V][V] = n / (total * total);
	derivative_sum_add(sum, &term, PARAMETERS, (double) history->customers);
}
