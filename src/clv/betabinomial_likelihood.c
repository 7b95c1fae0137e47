/*
 * betabinomial_likelihood.c
 *		Log-likelihood of BG/BB (Fader, Hardie, Shang 2010).
 *
 * A customer who took x of n opportunities, the last being number tx, can be alive, or
 * lost after t of them, tx <= t < n: his likelihood is a sum of n - tx + 1 terms
 *
 *		alive		B(alpha + x, beta + n - x) / B(alpha, beta) * B(gamma, delta + n) / B(gamma, delta)
 *		lost after t	B(alpha + x, beta + t - x) / B(alpha, beta) * B(gamma + 1, delta + t) / B(gamma, delta)
 *
 * With each term's part in the sum as its weight, the gradient of the logarithm is the weighted
 * mean of the terms' own, and its Hessian the mean of theirs plus the covariance of the
 * gradients.  Customers who differ in tx alone have their terms in common: they are taken
 * together, the latest purchase first, and each adds what he has more.
 *
 * Per fit: the order of the histories, 4 bytes each.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "base/special.h"
#include "clv/likelihood.h"

enum
{
	ALPHA, BETA, GAMMA, DELTA, PARAMETERS
};

/* Up to so many steps, differences of digamma are added up: quicker, and they keep their digits. */
#define FEW_STEPS 32

/* From here on four terms of their asymptotic series are exact. */
#define LARGE_START 1000.0

/* So many terms or factors are quick. */
#define INTERRUPT_EVERY 4096

/* Weights beyond this are made smaller, all of them; of a product, the logarithm is taken. */
#define LARGE_WEIGHT 1e200
#define LARGE_PRODUCT 1e100

/* psi(z + steps) - psi(z), and the same of its derivative */
typedef struct Climb
{
	double		first;
	double		second;
} Climb;

/* The terms of the customers with x of n, from alive down to lost after t. */
typedef struct Terms
{
	const double *parameters;
	double		x;
	double		n;
	double		t;
	double		alive;			/* logarithm of its term */
	double		next;			/* weight of lost after t - 1 */
	double		weight;			/* of all; that of alive is 1 ... */
	double		log_unit;		/* ... times e to the power of minus this */
	Climb		bought;			/* alpha, by x */
	Climb		passed;			/* beta, by t - x */
	Climb		offered;		/* alpha + beta, by t */
	Climb		stayed;			/* delta, by t */
	Climb		faced;			/* gamma + delta, by n, or t + 1 if lost */
	Derivatives mean;			/* of the terms' derivatives, by weight */
	double		covariance[PARAMETERS][PARAMETERS]; /* of their gradients */
} Terms;

static const uint32 *order_of_histories(Likelihood *likelihood);
static int	compare_histories(const void *a, const void *b, void *items);
static void terms_start(Terms *terms, const double *parameters, const History *history);
static void terms_extend(Terms *terms, double recency);
static void terms_add(Terms *terms, double weight, bool is_lost);
static void terms_result(const Terms *terms, Derivatives *result);
static double log_product(double a, double z, double steps);
static Climb climb(double z, double steps);
static void climb_back(Climb *climb, double z);

/* Recency and age are whole numbers of opportunities, frequency <= recency. */
void
bgbb_likelihood(void *data, const double *parameters, Derivatives *result)
{
	Likelihood *likelihood = data;
	const Histories *histories = &likelihood->histories;
	const uint32 *order = order_of_histories(likelihood);
	Terms		terms = {0};
	DerivativeSum sum = {{0}};

	for (uint64 i = 0; i < histories->count; i += likelihood->step)
	{
		const History *history = &histories->items[order[i]];
		Derivatives term;

		CHECK_FOR_INTERRUPTS();
		if (i == 0 || history->age != terms.n || history->frequency != terms.x)
			terms_start(&terms, parameters, history);
		terms_extend(&terms, history->recency);
		terms_result(&terms, &term);
		derivative_sum_add(&sum, &term, PARAMETERS, (double) history->customers);
	}
	derivative_sum_result(&sum, PARAMETERS, result);
}

/* By age, then frequency, then recency, the latest first. */
static const uint32 *
order_of_histories(Likelihood *likelihood)
{
	uint32		count = likelihood->histories.count;
	uint32	   *order = likelihood->prepared;

	if (order == NULL)
	{
		order = palloc_extended(Max((Size) count, 1) * sizeof(uint32), MCXT_ALLOC_HUGE);
		for (uint32 i = 0; i < count; i++)
			order[i] = i;
		qsort_arg(order, count, sizeof(uint32), compare_histories, unconstify(History *, likelihood->histories.items));
		likelihood->prepared = order;
	}
	return order;
}

static int
compare_histories(const void *a, const void *b, void *items)
{
	const History *left = (const History *) items + *(const uint32 *) a;
	const History *right = (const History *) items + *(const uint32 *) b;

	if (left->age != right->age)
		return left->age < right->age ? -1 : 1;
	if (left->frequency != right->frequency)
		return left->frequency < right->frequency ? -1 : 1;
	return (left->recency < right->recency) - (left->recency > right->recency);
}

/* With the term of a customer who is alive, alone. */
static void
terms_start(Terms *terms, const double *parameters, const History *history)
{
	double		alpha = parameters[ALPHA];
	double		beta = parameters[BETA];
	double		gamma = parameters[GAMMA];
	double		delta = parameters[DELTA];
	double		x = history->frequency;
	double		n = history->age;

	memset(terms, 0, sizeof(*terms));
	terms->parameters = parameters;
	terms->x = x;
	terms->n = n;
	terms->t = n;
	terms->alive = -log_product(beta, alpha, x) - log_product(alpha + x, beta, n - x) - log_product(gamma, delta, n);
	terms->bought = climb(alpha, x);
	terms->passed = climb(beta, n - x);
	terms->offered = climb(alpha + beta, n);
	terms->stayed = climb(delta, n);
	terms->faced = climb(gamma + delta, n);
	terms_add(terms, 1, false);
	if (n > x)
		terms->next = (1 + (alpha + x) / (beta + (n - 1 - x))) * (gamma / (delta + (n - 1)));
}

/* Adds the terms of those who were lost after t >= recency. */
static void
terms_extend(Terms *terms, double recency)
{
	double		bought = terms->parameters[ALPHA] + terms->x;
	double		beta = terms->parameters[BETA];
	double		both = terms->parameters[ALPHA] + beta;
	double		lost = terms->parameters[GAMMA] + 1;
	double		delta = terms->parameters[DELTA];

	for (int64 i = 1; terms->t > recency; i++)
	{
		double		t = --terms->t;

		if (i % INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		climb_back(&terms->passed, beta + (t - terms->x));
		climb_back(&terms->offered, both + t);
		climb_back(&terms->stayed, delta + t);
		/* who is lost after t was offered t + 1 times to be lost */
		if (t < terms->n - 1)
			climb_back(&terms->faced, terms->parameters[GAMMA] + delta + (t + 1));
		terms_add(terms, terms->next, true);
		if (t > terms->x)
			terms->next *= (1 + bought / (beta + (t - 1 - terms->x))) * (1 + lost / (delta + (t - 1)));
	}
}

static void
terms_add(Terms *terms, double weight, bool is_lost)
{
	double		gamma = terms->parameters[GAMMA];
	double		gradient[PARAMETERS];
	double		hessian[PARAMETERS][PARAMETERS] = {{0}};
	double		difference[PARAMETERS];
	double		part;

	gradient[ALPHA] = terms->bought.first - terms->offered.first;
	gradient[BETA] = terms->passed.first - terms->offered.first;
	gradient[GAMMA] = (is_lost ? 1 / gamma : 0) - terms->faced.first;
	gradient[DELTA] = terms->stayed.first - terms->faced.first;
	hessian[ALPHA][ALPHA] = terms->bought.second - terms->offered.second;
	hessian[BETA][ALPHA] = -terms->offered.second;
	hessian[BETA][BETA] = terms->passed.second - terms->offered.second;
	hessian[GAMMA][GAMMA] = (is_lost ? -1 / (gamma * gamma) : 0) - terms->faced.second;
	hessian[DELTA][GAMMA] = -terms->faced.second;
	hessian[DELTA][DELTA] = terms->stayed.second - terms->faced.second;

	terms->weight += weight;
	part = weight / terms->weight;
	for (int i = 0; i < PARAMETERS; i++)
		difference[i] = gradient[i] - terms->mean.gradient[i];
	for (int i = 0; i < PARAMETERS; i++)
	{
		terms->mean.gradient[i] += part * difference[i];
		for (int j = 0; j <= i; j++)
		{
			terms->mean.hessian[i][j] += part * (hessian[i][j] - terms->mean.hessian[i][j]);
			terms->covariance[i][j] = (1 - part) * (terms->covariance[i][j] + part * difference[i] * difference[j]);
		}
	}
	if (terms->weight > LARGE_WEIGHT)
	{
		terms->weight /= LARGE_WEIGHT;
		terms->next /= LARGE_WEIGHT;
		terms->log_unit += log(LARGE_WEIGHT);
	}
}

static void
terms_result(const Terms *terms, Derivatives *result)
{
	*result = terms->mean;
	result->value = terms->alive + log(terms->weight) + terms->log_unit;
	for (int i = 0; i < PARAMETERS; i++)
	{
		for (int j = 0; j <= i; j++)
			result->hessian[i][j] += terms->covariance[i][j];
	}
}

/*
 * ln of the product of 1 + a / (z + i) over i from 0 to steps - 1, which is
 * B(a, z) / B(a, z + steps).  As logarithms of gamma functions it would be a small
 * difference of large numbers.
 */
static double
log_product(double a, double z, double steps)
{
	double		product = 1;
	double		result = 0;

	for (int64 i = 0; i < steps; i++)
	{
		product *= 1 + a / (z + i);
		if (product > LARGE_PRODUCT || i % INTERRUPT_EVERY == 0)
		{
			CHECK_FOR_INTERRUPTS();
			result += log(product);
			product = 1;
		}
	}
	return result + log(product);
}

static Climb
climb(double z, double steps)
{
	Climb		result = {0};

	if (steps <= FEW_STEPS)
	{
		for (double i = 0; i < steps; i++)
		{
			result.first += 1 / (z + i);
			result.second -= 1 / ((z + i) * (z + i));
		}
	}
	else if (z < LARGE_START)
	{
		result.first = digamma(z + steps) - digamma(z);
		result.second = trigamma(z + steps) - trigamma(z);
	}
	else
	{
		/* the asymptotic series (Abramowitz and Stegun 6.3.18, 6.4.12), subtracted term by term */
		double		a = 1 / z;
		double		b = 1 / (z + steps);
		double		first = steps * a * b;	/* a - b */
		double		second = first * (a + b);	/* of the squares */
		double		third = first * (a * a + a * b + b * b);

		result.first = log1p(steps / z) + first / 2 + second / 12 - second * (a * a + b * b) / 120;
		result.second = -first - second / 2 - third / 6;
	}
	return result;
}

/* Takes back the step from z to z + 1. */
static void
climb_back(Climb *climb, double z)
{
	climb->first -= 1 / z;
	climb->second += 1 / (z * z);
}
