/*
 * betabinomial.c
 *		BG/BB (Fader, Hardie, Shang 2010, "Customer-Base Analysis in a Discrete-Time
 *		Noncontractual Setting"): what it says about one customer.
 *
 * At each opportunity a customer is lost with probability theta ~ Beta(gamma, delta); if
 * not, he buys with probability p ~ Beta(alpha, beta).  Of n opportunities he took x, the
 * last being number tx.
 *
 * All is sums and products of positive terms, so that nothing cancels.  The work is some
 * nanoseconds for each opportunity since the last purchase, and in purchase_probability for
 * each to come; that of the other sums over what is to come is bounded in sbg.c.
 */
#include <math.h>

#include "clv/buyer.h"

enum
{
	ALPHA, BETA, GAMMA, DELTA
};

/* value * 2^exponent; products of thousands of factors leave the range of a double. */
typedef struct Scaled
{
	double		value;
	int			exponent;
} Scaled;

/* Of a customer who is alive after n opportunities, how p and theta are distributed. */
typedef struct Prospect
{
	double		alive;			/* that he is */
	double		lost;			/* that he is not */
	double		alpha;
	double		beta;
	double		loss[2];		/* gamma, delta: parameters of an sBG */
} Prospect;

static double p_alive(const double *parameters, const Buyer *buyer);
static double expected_purchases(const double *parameters, const Buyer *buyer, double horizon);
static double purchase_probability(const double *parameters, const Buyer *buyer, double n, double horizon);
static double discounted_purchases(const double *parameters, const Buyer *buyer, double horizon, double rate);
static Prospect prospect_of_buyer(const double *parameters, const Buyer *buyer);
static double odds_of_loss(const double *parameters, const Buyer *buyer);
static inline void scaled_multiply(Scaled *number, double factor);
static inline void scaled_add(Scaled *sum, const Scaled *number, double factor);

const BuyerModel bgbb_buyer = {p_alive, expected_purchases, purchase_probability, discounted_purchases};

/* That he is alive at opportunity n + 1, as published. */
static double
p_alive(const double *parameters, const Buyer *buyer)
{
	Prospect	prospect = prospect_of_buyer(parameters, buyer);

	return prospect.alive * sbg_survival(prospect.loss, 1);
}

static double
expected_purchases(const double *parameters, const Buyer *buyer, double horizon)
{
	return discounted_purchases(parameters, buyer, horizon, 0);
}

/*
 * That he buys at exactly n of the next opportunities, by the last one at which he
 * is alive: the j-th, or the one at the horizon.
 */
static double
purchase_probability(const double *parameters, const Buyer *buyer, double n, double horizon)
{
	Prospect	prospect = prospect_of_buyer(parameters, buyer);
	const double *loss = prospect.loss;
	Scaled		alive = {1, 0}; /* that he is after j opportunities, and bought at n of them */
	Scaled		sum = {0, 0};
	double		probability;

	if (n > horizon)
		return 0;
	for (double i = 0; i < n; i++)
		scaled_multiply(&alive, 1 / ((1 + prospect.beta / (prospect.alpha + i)) * (1 + loss[0] / (loss[1] + i))));
	for (double j = n; j < horizon; j++)
	{
		scaled_add(&sum, &alive, 1 / (1 + (loss[1] + j) / loss[0]));
		/* one opportunity more at which he is alive and does not buy; the n can be among j + 1 */
		scaled_multiply(&alive, (1 + n / (j + 1 - n)) /
						((1 + (prospect.alpha + n) / (prospect.beta + (j - n))) * (1 + loss[0] / (loss[1] + j))));
	}
	scaled_add(&sum, &alive, 1);
	probability = prospect.alive * ldexp(sum.value, sum.exponent) + (n == 0 ? prospect.lost : 0);
	return fmin(probability, 1);
}

/* rate 0 is allowed with a finite horizon, HUGE_VAL as the horizon with a rate. */
static double
discounted_purchases(const double *parameters, const Buyer *buyer, double horizon, double rate)
{
	Prospect	prospect = prospect_of_buyer(parameters, buyer);

	return prospect.alive / (1 + prospect.beta / prospect.alpha) * sbg_discounted_periods(prospect.loss, horizon, rate);
}

static Prospect
prospect_of_buyer(const double *parameters, const Buyer *buyer)
{
	Prospect	prospect;
	double		odds = odds_of_loss(parameters, buyer);

	prospect.alive = 1 / (1 + odds);
	prospect.lost = 1 / (1 + 1 / odds);
	prospect.alpha = parameters[ALPHA] + buyer->frequency;
	prospect.beta = parameters[BETA] + (buyer->age - buyer->frequency);
	prospect.loss[0] = parameters[GAMMA];
	prospect.loss[1] = parameters[DELTA] + buyer->age;
	return prospect;
}

/*
 * That he was lost after t of the n opportunities, for all t from tx to n - 1, to that he is
 * alive.  The term of t is
 *
 *		B(alpha + x, beta + t - x) B(gamma + 1, delta + t) / (B(alpha + x, beta + n - x) B(gamma, delta + n))
 *
 * and each follows from the one of t + 1, the first from 1.
 */
static double
odds_of_loss(const double *parameters, const Buyer *buyer)
{
	double		bought = parameters[ALPHA] + buyer->frequency;
	double		lost = parameters[GAMMA] + 1;
	Scaled		term = {1, 0};
	Scaled		sum = {0, 0};

	for (double t = buyer->age - 1; t >= buyer->recency; t--)
	{
		/* beta + (t - x) in this order keeps a small beta */
		double		passed = parameters[BETA] + (t - buyer->frequency);
		double		stayed = parameters[DELTA] + t;
		double		factor = (1 + bought / passed) * (t == buyer->age - 1 ? parameters[GAMMA] / stayed : 1 + lost / stayed);

		if (factor > 0 && !isinf(factor))
			scaled_multiply(&term, factor);
		else
		{
			/* of parameters as far apart as no customers have them */
			scaled_multiply(&term, bought + passed);
			scaled_multiply(&term, 1 / passed);
			scaled_multiply(&term, t == buyer->age - 1 ? parameters[GAMMA] : lost + stayed);
			scaled_multiply(&term, 1 / stayed);
		}
		scaled_add(&sum, &term, 1);
	}
	return ldexp(sum.value, sum.exponent);
}

/* The factor is finite and not negative. */
static inline void
scaled_multiply(Scaled *number, double factor)
{
	double		product = number->value * factor;
	int			exponents[2];

	if (product > 0x1p-256 && product < 0x1p256)
	{
		number->value = product;
		return;
	}
	number->value = frexp(number->value, &exponents[0]) * frexp(factor, &exponents[1]);
	number->exponent += exponents[0] + exponents[1];
}

/* Adds number * factor, which is at most 1. */
static inline void
scaled_add(Scaled *sum, const Scaled *number, double factor)
{
	if (number->exponent > sum->exponent)
	{
		sum->value = ldexp(sum->value, sum->exponent - number->exponent);
		sum->exponent = number->exponent;
	}
	if (number->exponent == sum->exponent)
		sum->value += number->value * factor;
	else
		sum->value += ldexp(number->value * factor, number->exponent - sum->exponent);
}
