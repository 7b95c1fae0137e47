/*
 * pareto.c
 *		What the Pareto/NBD model says about one customer (Schmittlein, Morrison, Colombo
 *		1987; parameters r, alpha, s, beta).
 *
 * Purchases come at a rate lambda, gamma distributed with shape r and rate alpha; the
 * customer leaves for good at a rate mu, gamma distributed with shape s and rate beta.
 * Given a history and that he is alive at its end, both are gamma distributed again: the
 * shapes are r + x and s, the rates alpha + T and beta + T.
 *
 * The textbook forms, with hypergeometric functions, lose all digits or overflow. Instead
 * we integrate over the time at which he leaves, by the logarithm y of how often the
 * smaller of the two rates has doubled, so to speak: m + tau = (m + start) exp(y). Then
 * the logarithm of each integrand is concave and smooth.
 */
#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "base/quadrature.h"
#include "base/special.h"
#include "clv/buyer.h"

/* Beyond it, exp(y) may overflow. */
#define FAR 700.0

/*
 * ln of an integrand at y, with e = expm1(y):
 * power ln e - decay y - mixed_decay log1p(ratio e) - discount e
 */
typedef struct DeathTime
{
	double		power;			/* >= 0 */
	double		decay;
	double		mixed_decay;	/* >= 0 */
	double		ratio;			/* of the smaller to the larger rate at the start, 0 to 1 */
	double		discount;		/* >= 0 */
} DeathTime;

static double p_alive(const double *parameters, const Buyer *buyer);
static double log_odds_of_death(const double *parameters, const Buyer *buyer);
static double expected_purchases(const double *parameters, const Buyer *buyer, double horizon);
static double purchase_probability(const double *parameters, const Buyer *buyer, double n, double horizon);
static double log_leaves_after(const double *parameters, const Buyer *buyer, double n, double horizon);
static double discounted_purchases(const double *parameters, const Buyer *buyer, double horizon, double rate);
static double alive_times_rates(const double *parameters, const Buyer *buyer, double lifetime);
static double log_growth(double start, double length);
static double log_integrand(const void *data, double y, double *slope);

const BuyerModel paretonbd_buyer = {p_alive, expected_purchases, purchase_probability, discounted_purchases};

/* 1 / (1 + the likelihood of having left since the last purchase by that of being alive). */
static double
p_alive(const double *parameters, const Buyer *buyer)
{
	return 1 / (1 + exp(log_odds_of_death(parameters, buyer)));
}

/*
 * ln of (1 - p) / p, p = P(alive): the integral over tau in [recency, age] of
 *
 *	s (alpha + tau)^-(r+x) (beta + tau)^-(s+1) by (alpha + age)^-(r+x) (beta + age)^-s
 *
 * -infinity if age = recency.
 */
static double
log_odds_of_death(const double *parameters, const Buyer *buyer)
{
	double		shape = parameters[0] + buyer->frequency;
	double		alpha = parameters[1] + buyer->recency;
	double		s = parameters[2];
	double		beta = parameters[3] + buyer->recency;
	double		idle = buyer->age - buyer->recency;
	DeathTime	time = {0};
	double		result = log(s) + shape * log_growth(alpha, idle) + s * log_growth(beta, idle);

	if (!(idle > 0))
		return -HUGE_VAL;
	if (alpha < beta)
	{
		time.decay = shape - 1;
		time.mixed_decay = s + 1;
		time.ratio = fmax(alpha / beta, DBL_MIN);
		/* of dtau / (beta + tau) */
		result += log(time.ratio);
	}
	else
	{
		time.decay = s;
		time.mixed_decay = shape;
		time.ratio = fmax(beta / alpha, DBL_MIN);
	}
	return result + quadrature_log_integral(log_integrand, &time, log_growth(fmin(alpha, beta), idle));
}

/*
 * P(alive) times the mean of lambda times the mean time that is left within the horizon,
 * which is (beta + T) times the integral of exp(-(s - 1) y) over y in [0, ln(1 + horizon / (beta + T))].
 */
static double
expected_purchases(const double *parameters, const Buyer *buyer, double horizon)
{
	double		s = parameters[2];
	double		end = log_growth(parameters[3] + buyer->age, horizon);
	double		lifetime = s == 1 ? end : -expm1(-(s - 1) * end) / (s - 1);

	return alive_times_rates(parameters, buyer, lifetime);
}

/*
 * P(exactly n purchases): negative binomial if he stays, averaged over the time at which
 * he leaves if he does not. Who is not alive buys nothing. The horizon is finite.
 */
static double
purchase_probability(const double *parameters, const Buyer *buyer, double n, double horizon)
{
	double		shape = parameters[0] + buyer->frequency;
	double		alpha = parameters[1] + buyer->age;
	double		s = parameters[2];
	double		beta = parameters[3] + buyer->age;
	double		odds = log_odds_of_death(parameters, buyer);
	double		log_alive = odds > 0 ? -odds - log1p(exp(-odds)) : -log1p(exp(odds));
	double		log_ways = n > 0 ? -log(n) - log_beta(shape, n) : 0;
	double		log_stays = -s * log_growth(beta, horizon) - shape * log_growth(alpha, horizon);
	double		leaves;

	if (!(horizon > 0))
		return n == 0 ? 1 : 0;
	if (n > 0)
		log_stays -= n * log_growth(horizon, alpha);
	leaves = exp(log_alive + log_ways + log_leaves_after(parameters, buyer, n, horizon));
	/* and of P(not alive) for no purchase, without a subtraction */
	return fmin(exp(log_alive + log_ways + log_stays) + leaves + (n == 0 ? 1 / (1 + exp(-odds)) : 0), 1);
}

/*
 * ln of the integral over u in [0, horizon], the time at which he leaves, of
 *
 *	s (beta+T)^s (beta+T+u)^-(s+1) * (alpha+T)^(r+x) u^n (alpha+T+u)^-(r+x+n)
 *
 * given that he is alive at T: P(leaves within the horizon, after n purchases), but for
 * the number of ways, gamma(r+x+n) / (gamma(r+x) n!).
 */
static double
log_leaves_after(const double *parameters, const Buyer *buyer, double n, double horizon)
{
	double		shape = parameters[0] + buyer->frequency;
	double		alpha = parameters[1] + buyer->age;
	double		s = parameters[2];
	double		beta = parameters[3] + buyer->age;
	DeathTime	time = {.power = n};
	double		result = log(s);

	if (alpha < beta)
	{
		time.decay = shape + n - 1;
		time.mixed_decay = s + 1;
		time.ratio = fmax(alpha / beta, DBL_MIN);
		result += log(time.ratio);
	}
	else
	{
		time.decay = s;
		time.mixed_decay = shape + n;
		time.ratio = fmax(beta / alpha, DBL_MIN);
		result += n * log(time.ratio);
	}
	return result + quadrature_log_integral(log_integrand, &time, log_growth(fmin(alpha, beta), horizon));
}

/*
 * As expected_purchases, each exp(-rate * time from now):
 * (beta + T) times the integral of exp(-z expm1(y) - (s - 1) y), z = rate (beta + T).
 */
static double
discounted_purchases(const double *parameters, const Buyer *buyer, double horizon, double rate)
{
	double		beta = parameters[3] + buyer->age;
	DeathTime	time = {.decay = parameters[2] - 1, .discount = fmin(rate * beta, DBL_MAX)};

	if (!(rate > 0))
		return expected_purchases(parameters, buyer, horizon);
	return alive_times_rates(parameters, buyer, exp(quadrature_log_integral(log_integrand, &time, log_growth(beta, horizon))));
}

/* P(alive) (r + x) (beta + T) / (alpha + T) times a lifetime in units of beta + T. */
static double
alive_times_rates(const double *parameters, const Buyer *buyer, double lifetime)
{
	double		alive = p_alive(parameters, buyer);
	double		time = (parameters[3] + buyer->age) * lifetime;

	/* neither 0 * infinity */
	if (alive == 0 || time == 0)
		return 0;
	return alive * (parameters[0] + buyer->frequency) * (time / (parameters[1] + buyer->age));
}

/* ln of (start + length) / start, start > 0, length >= 0. */
static double
log_growth(double start, double length)
{
	double		ratio = length / start;

	/* also where the quotient alone would overflow */
	return isinf(ratio) && !isinf(length) ? log(length) - log(start) : log1p(ratio);
}

/* A LogFunction of a DeathTime. */
static double
log_integrand(const void *data, double y, double *slope)
{
	const DeathTime *time = data;
	double		e = expm1(y);
	bool		is_far = y > FAR;
	double		value = -time->decay * y;

	*slope = -time->decay;
	if (time->mixed_decay > 0)
	{
		double		rest = exp(-y) * (1 - time->ratio);

		value -= time->mixed_decay * (is_far ? log_add_exp(0, y + log(time->ratio)) : log1p(time->ratio * e));
		*slope -= time->mixed_decay * time->ratio / (time->ratio + rest);
	}
	if (time->power > 0)
	{
		value += time->power * (is_far ? y : log(e));
		*slope += e > 0 ? time->power / -expm1(-y) : HUGE_VAL;
	}
	if (time->discount > 0)
	{
		value -= time->discount * e;
		*slope -= time->discount * (e + 1);
	}
	return value;
}
