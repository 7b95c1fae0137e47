/*
 * betageo.c
 *		What BG/NBD and MBG/NBD say about one customer.
 *
 * Plain C: no PostgreSQL header and no error exit, so that a test links it alone.
 *
 * Both: a customer buys at a rate lambda ~ Gamma(r, rate alpha), and after a purchase leaves
 * with probability p ~ Beta(a, b); with MBG/NBD he can leave after the first
 * purchase too.  Of a customer who is alive after x repeat purchases in the time T,
 * lambda is Gamma(s = r+x, rate alpha+T) and p is Beta(a, B), B = b+x (BG) or b+x+1
 * (MBG): that is all in which they differ, but for the chance to be alive.
 *
 * Without leaving, the purchases in a time t to come would be negative binomial with s
 * and u = t / (alpha+T).
 */
#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "base/quadrature.h"
#include "clv/betageo_integral.h"
#include "clv/buyer.h"

/* More terms, or a first one below e^-600, leave the sum to an integral. */
#define MAX_TERMS 400
#define MAX_FIRST_EXPONENT 600

/* With a greater u the sum is always too long. */
#define MAX_SUM_U 12

/* Up to here Gauss and Legendre's rule of 32 nodes takes discounted time to 1e-12. */
#define MAX_RULE_PURCHASES 40
#define MAX_RULE_DISCOUNT 5

/* A time is at most so many times alpha + T: squares of it do not overflow. */
#define MAX_U 1e250

/* What a customer is if he is alive. */
typedef struct Prospect
{
	double		s;
	double		rate;			/* alpha + T */
	double		a;
	double		b;				/* B */
	double		discount;		/* continuous, per unit of time */
	double		horizon;
} Prospect;

static double bgnbd_p_alive(const double *parameters, const Buyer *buyer);
static double mbgnbd_p_alive(const double *parameters, const Buyer *buyer);
static double bgnbd_expected(const double *parameters, const Buyer *buyer, double horizon);
static double mbgnbd_expected(const double *parameters, const Buyer *buyer, double horizon);
static double bgnbd_probability(const double *parameters, const Buyer *buyer, double n, double horizon);
static double mbgnbd_probability(const double *parameters, const Buyer *buyer, double n, double horizon);
static double bgnbd_discounted(const double *parameters, const Buyer *buyer, double horizon, double rate);
static double mbgnbd_discounted(const double *parameters, const Buyer *buyer, double horizon, double rate);
static double bgnbd_log_odds_of_leaving(const double *parameters, const Buyer *buyer);
static double mbgnbd_log_odds_of_leaving(const double *parameters, const Buyer *buyer);
static double log_odds_of_leaving(const double *parameters, const Buyer *buyer, double b);
static double probability_of_alive(double log_odds);
static void bgnbd_prospect(Prospect *prospect, const double *parameters, const Buyer *buyer, double horizon);
static void mbgnbd_prospect(Prospect *prospect, const double *parameters, const Buyer *buyer, double horizon);
static double expected_if_alive(const Prospect *prospect);
static double expected_by_sum(const Prospect *prospect, double u);
static double purchases_given_p(double p, const void *prospect);
static double probability_of_purchases(const Prospect *prospect, double log_odds, double n);
static double discounted_if_alive(const Prospect *prospect);
static double discounted_by_sums(const Prospect *prospect);
static double discounted_given_p(double p, const void *prospect);
static double relative_time(const Prospect *prospect);

const BuyerModel bgnbd_buyer = {bgnbd_p_alive, bgnbd_expected, bgnbd_probability, bgnbd_discounted};
const BuyerModel mbgnbd_buyer = {mbgnbd_p_alive, mbgnbd_expected, mbgnbd_probability, mbgnbd_discounted};

static double
bgnbd_p_alive(const double *parameters, const Buyer *buyer)
{
	return probability_of_alive(bgnbd_log_odds_of_leaving(parameters, buyer));
}

static double
mbgnbd_p_alive(const double *parameters, const Buyer *buyer)
{
	return probability_of_alive(mbgnbd_log_odds_of_leaving(parameters, buyer));
}

static double
bgnbd_expected(const double *parameters, const Buyer *buyer, double horizon)
{
	double		p_alive = bgnbd_p_alive(parameters, buyer);
	Prospect	prospect;

	if (p_alive == 0)
		return 0;
	bgnbd_prospect(&prospect, parameters, buyer, horizon);
	return p_alive * expected_if_alive(&prospect);
}

static double
mbgnbd_expected(const double *parameters, const Buyer *buyer, double horizon)
{
	double		p_alive = mbgnbd_p_alive(parameters, buyer);
	Prospect	prospect;

	if (p_alive == 0)
		return 0;
	mbgnbd_prospect(&prospect, parameters, buyer, horizon);
	return p_alive * expected_if_alive(&prospect);
}

static double
bgnbd_probability(const double *parameters, const Buyer *buyer, double n, double horizon)
{
	Prospect	prospect;

	bgnbd_prospect(&prospect, parameters, buyer, horizon);
	return probability_of_purchases(&prospect, bgnbd_log_odds_of_leaving(parameters, buyer), n);
}

static double
mbgnbd_probability(const double *parameters, const Buyer *buyer, double n, double horizon)
{
	Prospect	prospect;

	mbgnbd_prospect(&prospect, parameters, buyer, horizon);
	return probability_of_purchases(&prospect, mbgnbd_log_odds_of_leaving(parameters, buyer), n);
}

static double
bgnbd_discounted(const double *parameters, const Buyer *buyer, double horizon, double rate)
{
	double		p_alive = bgnbd_p_alive(parameters, buyer);
	Prospect	prospect;

	if (p_alive == 0)
		return 0;
	bgnbd_prospect(&prospect, parameters, buyer, horizon);
	prospect.discount = rate;
	return p_alive * discounted_if_alive(&prospect);
}

static double
mbgnbd_discounted(const double *parameters, const Buyer *buyer, double horizon, double rate)
{
	double		p_alive = mbgnbd_p_alive(parameters, buyer);
	Prospect	prospect;

	if (p_alive == 0)
		return 0;
	mbgnbd_prospect(&prospect, parameters, buyer, horizon);
	prospect.discount = rate;
	return p_alive * discounted_if_alive(&prospect);
}

/* BG/NBD lets nobody leave before his first repeat purchase. */
static double
bgnbd_log_odds_of_leaving(const double *parameters, const Buyer *buyer)
{
	if (buyer->frequency == 0)
		return -HUGE_VAL;
	return log_odds_of_leaving(parameters, buyer, parameters[3] + (buyer->frequency - 1));
}

static double
mbgnbd_log_odds_of_leaving(const double *parameters, const Buyer *buyer)
{
	return log_odds_of_leaving(parameters, buyer, parameters[3] + buyer->frequency);
}

/* ln(a / b) + (r+x) ln((alpha+T) / (alpha+tx)), where b is b+x-1 or b+x */
static double
log_odds_of_leaving(const double *parameters, const Buyer *buyer, double b)
{
	double		alpha = parameters[1];
	double		silence = (buyer->age - buyer->recency) / (alpha + buyer->recency);
	double		log_ratio;

	if (silence < 1e100)
		log_ratio = log1p(silence);
	else
		log_ratio = log(alpha + buyer->age) - log(alpha + buyer->recency);
	return log(fmax(parameters[2] / b, DBL_MIN)) + (parameters[0] + buyer->frequency) * log_ratio;
}

static double
probability_of_alive(double log_odds)
{
	return 1 / (1 + exp(log_odds));
}

static void
bgnbd_prospect(Prospect *prospect, const double *parameters, const Buyer *buyer, double horizon)
{
	prospect->s = parameters[0] + buyer->frequency;
	prospect->rate = parameters[1] + buyer->age;
	prospect->a = parameters[2];
	prospect->b = parameters[3] + buyer->frequency;
	prospect->discount = 0;
	prospect->horizon = horizon;
}

static void
mbgnbd_prospect(Prospect *prospect, const double *parameters, const Buyer *buyer, double horizon)
{
	bgnbd_prospect(prospect, parameters, buyer, horizon);
	prospect->b = parameters[3] + (buyer->frequency + 1);
}

/* The mean over p of (1 - e^(-lambda p t)) / p. */
static double
expected_if_alive(const Prospect *prospect)
{
	double		u = relative_time(prospect);
	double		expected = expected_by_sum(prospect, u);

	if (expected < 0)
		expected = beta_mean(prospect->a, prospect->b, (prospect->s + 1) * u, purchases_given_p, prospect);
	return expected;
}

/*
 * Sum over k >= 1 of the negative binomial probability of k times S_k, the purchases
 * that k opportunities to leave allow: the sum over j < k of (B)_j / (a+B)_j.
 * -1 if it were too long.
 */
static double
expected_by_sum(const Prospect *prospect, double u)
{
	double		s = prospect->s;
	double		z = u / (1 + u);
	double		first_exponent = s * log1p(u);
	double		b = prospect->b;
	double		c = prospect->a + prospect->b;
	double		probability;
	double		stays = 1;
	double		purchases = 0;
	double		sum = 0;

	if (!(u <= MAX_SUM_U && first_exponent <= MAX_FIRST_EXPONENT && s * u <= MAX_TERMS))
		return -1;
	probability = exp(-first_exponent);
	for (int k = 1; k <= MAX_TERMS; k++)
	{
		double		term;

		probability *= (s + (k - 1)) * z / k;
		purchases += stays;
		stays *= (b + (k - 1)) / (c + (k - 1));
		term = probability * purchases;
		sum += term;
		if (term <= sum * (DBL_EPSILON / 8))
		{
			/* from here on the terms shrink at least as fast as this */
			double		ratio = fmax((s + k) / (k + 1), 1) * z * (k + 1) / k;

			if (term * ratio <= sum * (DBL_EPSILON / 2) * (1 - ratio))
				return sum;
		}
	}
	return -1;
}

/* (1 - (1 + p u)^-s) / p */
static double
purchases_given_p(double p, const void *data)
{
	const Prospect *prospect = data;

	return -expm1(-prospect->s * log1p(p * relative_time(prospect))) / p;
}

/*
 * n purchases: either n would have come and he stays that long, or more would and he
 * leaves after the n-th.  The second needs the upper tail, never 1 minus the lower one.
 * The work is bounded however large n is.
 */
static double
probability_of_purchases(const Prospect *prospect, double log_odds, double n)
{
	double		p_alive = probability_of_alive(log_odds);
	double		s = prospect->s;
	double		a = prospect->a;
	double		b = prospect->b;
	double		u = relative_time(prospect);
	double		probability;

	if (n == 0)
		return p_alive * negative_binomial(0, s, u) + probability_of_alive(-log_odds);
	probability = negative_binomial(n, s, u) * beta_power_mean(a, b, n);
	probability += negative_binomial_tail(n, s, u) * beta_power_mean(a, b, n - 1) * (a / (a + b + (n - 1)));
	return p_alive * probability;
}

/* The mean over p of the integral over time t to the horizon of e^(-d t) times the rate of purchases. */
static double
discounted_if_alive(const Prospect *prospect)
{
	double		time = fmin(prospect->horizon, 1 / prospect->discount);
	double		discounted;

	if (prospect->discount == 0)
		return expected_if_alive(prospect);
	discounted = discounted_by_sums(prospect);
	if (discounted >= 0)
		return discounted;
	return beta_mean(prospect->a, prospect->b, fmin((prospect->s + 1) * (time / prospect->rate), DBL_MAX), discounted_given_p, prospect);
}

/*
 * By parts: e^(-d h) N(h) + the integral over t to the horizon h of d e^(-d t) N(t), where N(t) are the
 * purchases expected until t.  In v = ln(1 + t/(alpha+T)) no singularity is nearer than pi, and
 * Gauss and Legendre's rule needs the more nodes the more is expected.  -1 where one of the sums, or the
 * discount, is too long for that.
 */
static double
discounted_by_sums(const Prospect *prospect)
{
	double		u = relative_time(prospect);
	double		length = log1p(u);
	double		discounted;
	const QuadratureRule *rule;

	if (!(u <= MAX_SUM_U && prospect->s * u <= MAX_RULE_PURCHASES && prospect->discount * prospect->horizon <= MAX_RULE_DISCOUNT))
		return -1;
	discounted = expected_by_sum(prospect, u);
	if (discounted < 0)
		return -1;
	discounted *= exp(-prospect->discount * prospect->horizon);
	rule = quadrature_rule(prospect->s * u <= MAX_RULE_PURCHASES / 5 ? 16 : 32);
	for (int i = 0; i < rule->count; i++)
	{
		double		v = length * rule->nodes[i];
		double		time = expm1(v);
		double		expected = expected_by_sum(prospect, time);

		if (expected < 0)
			return -1;
		/* discounts are multiplied with times, which are at most the horizon, first: no product overflows */
		discounted += rule->weights[i] * exp(v - prospect->discount * (prospect->rate * time)) *
			(prospect->discount * (prospect->rate * length)) * expected;
	}
	return discounted;
}

/*
 * That rate is s/(alpha+T) (1 + p t/(alpha+T))^-(s+1).  With v = ln(1 + p t/(alpha+T)) the
 * integral is s/p times that of exp(-zeta expm1(v) - s v), zeta = d (alpha+T) / p.
 */
static double
discounted_given_p(double p, const void *data)
{
	const Prospect *prospect = data;
	double		zeta = prospect->discount * (prospect->rate / p);
	double		discount = prospect->discount * prospect->horizon;

	/* p is so small that nobody leaves, and the rate does not change */
	if (zeta / (1 + prospect->s) > 1e18)
		return prospect->s / prospect->rate / prospect->discount * -expm1(-discount);
	/* in this order: the product is at most 1, while s / p can overflow */
	return prospect->s * discounted_decay(zeta, prospect->s, discount, log1p(p * relative_time(prospect))) / p;
}

/* u: the horizon in units of alpha + T */
static double
relative_time(const Prospect *prospect)
{
	return fmin(prospect->horizon / prospect->rate, MAX_U);
}
