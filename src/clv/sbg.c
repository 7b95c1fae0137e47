/*
 * sbg.c
 *		The shifted beta-geometric distribution: how long customers stay who decide at each
 *		renewal, and leave with a probability of their own, theta ~ Beta(alpha, beta)
 *		(Fader, Hardie 2007, "How to project customer retention").
 *
 * BG/BB uses it too: its customers are lost in the same way.
 */
#include <math.h>

#include "base/special.h"
#include "clv/buyer.h"

/* More factors than this are taken as gamma functions; until then the product has more digits. */
#define MAX_FACTORS 100000.0

/* More terms than this are an integral. */
#define MAX_TERMS 2000.0

/* What is smaller, as a part of a sum, does not change it. */
#define NEGLIGIBLE 1e-19

/* e to the power of minus this is below half of the last digit of 1. */
#define FLAT 37.0

/* A width of theta in logit so small that theta is one number, to 12 digits. */
#define POINT_WIDTH 1e-6

#define LONGEST_STEP 0.2

/* exp() of what is below loses all digits. */
#define LOWEST_LOGIT -740.0

/* theta ~ Beta(a, b), and which periods count how much. */
typedef struct LossShare
{
	double		a;
	double		b;
	double		periods;
	double		rate;
	double		mode;			/* of theta in logit */
	double		mode_share;		/* theta there ... */
	double		mode_rest;		/* ... and 1 - theta */
} LossShare;

static double average_periods(const double *parameters, double periods, double rate);
static double periods_at(const LossShare *loss, double logit);
static double weight_at(const LossShare *loss, double logit);
static double log1p_exp(double x);

/*
 * S(period): the share of new customers who are still there after so many renewals.
 * period is a whole number, 0 or more.
 */
double
sbg_survival(const double *parameters, double period)
{
	double		a = parameters[0];
	double		b = parameters[1];
	double		product = 1;

	if (period > MAX_FACTORS)
	{
		if (a < period)
			return exp(log_gamma_ratio(b, a) - log_gamma_ratio(b + period, a));
		return exp(log_gamma_ratio(b, period) - log_gamma_ratio(a + b, period));
	}
	for (double t = 0; t < period; t++)
		product /= 1 + a / (b + t);
	return product;
}

/* r(period): of those who are there before a renewal, the first being number 1, the share that renews. */
double
sbg_retention(const double *parameters, double period)
{
	return 1 / (1 + parameters[0] / (parameters[1] + (period - 1)));
}

/*
 * The sum of S(m) / (1 + rate)^m over m from 1 to periods, which may be HUGE_VAL: how many
 * renewals a new customer will make, discounted.  Infinite if it is: rate = 0, all
 * periods, and alpha <= 1.
 *
 * Many terms are the expectation of a geometric sum over theta instead.  Without
 * discounting, and what follows on the last term also with it, is in closed form if
 * alpha > 1: the S(m) after the M-th add up to S(M) (beta + M) / (alpha - 1).
 */
double
sbg_discounted_periods(const double *parameters, double periods, double rate)
{
	double		a = parameters[0];
	double		b = parameters[1];
	double		term = 1;
	double		sum = 0;

	if (isinf(periods) && rate == 0)
		return a > 1 ? b / (a - 1) : HUGE_VAL;
	for (double m = 1; m <= MAX_TERMS; m++)
	{
		double		rest;

		if (m > periods)
			return sum;
		term /= (1 + a / (b + (m - 1))) * (1 + rate);
		sum += term;
		/* what follows is not more than a geometric series, nor than it would be without a rate */
		rest = term / rate;
		if (a > 1)
			rest = fmin(rest, term * ((b + m) / (a - 1)));
		if (rest <= NEGLIGIBLE * sum)
			return sum;
	}
	return average_periods(parameters, periods, rate);
}

/*
 * The same as an average over theta, by the trapezoidal rule in logit(theta), where
 * it converges exponentially and the weights theta^a (1 - theta)^b fall off
 * exponentially on both sides.  The sum of the weights stands for their integral.
 * Where weight and function are exponential functions themselves, the rest of the sum is a
 * geometric series; until there it is at most some thousand terms.
 */
static double
average_periods(const double *parameters, double periods, double rate)
{
	LossShare	loss = {.a = parameters[0], .b = parameters[1], .periods = periods, .rate = rate};
	double		width = sqrt(trigamma(loss.a) + trigamma(loss.b));
	double		step = fmin(LONGEST_STEP, width / 2);
	double		unit = fmax(rate, 1 / periods); /* nothing counts for more than 1 / unit periods */
	double		lowest;
	double		highest = FLAT + fmax(log(loss.a), 0);
	double		weights = 0;
	double		sum = 0;

	loss.mode = log(loss.a) - log(loss.b);
	loss.mode_share = 1 / (1 + loss.b / loss.a);
	loss.mode_rest = 1 / (1 + loss.a / loss.b);
	if (width < POINT_WIDTH)
		return periods_at(&loss, loss.mode);

	lowest = fmin(log(unit), -fmax(log(loss.b), 0)) - FLAT;
	lowest = fmax(lowest, LOWEST_LOGIT);
	for (double i = 0;; i++)
	{
		double		logit = loss.mode - i * step;
		double		weight = weight_at(&loss, logit);
		double		part = weight * (periods_at(&loss, logit) * unit);

		if (logit <= lowest)
		{
			double		rest = 1 + fmin(1 / expm1(loss.a * step), 1e300);

			weights += weight * rest;
			sum += part * rest;
			break;
		}
		weights += weight;
		sum += part;
		/* at the mode the weight is 1 */
		if (weight <= NEGLIGIBLE && part <= NEGLIGIBLE * sum)
			break;
	}
	for (double i = 1;; i++)
	{
		double		logit = loss.mode + i * step;
		double		weight = weight_at(&loss, logit);
		double		part = weight * (periods_at(&loss, logit) * unit);

		if (logit >= highest)
		{
			weights += weight * (1 + fmin(1 / expm1(loss.b * step), 1e300));
			sum += part * (1 + 1 / expm1((loss.b + 1) * step));
			break;
		}
		weights += weight;
		sum += part;
		/* the function falls on this side: of its products with the weights, the one at the mode is the largest */
		if (weight <= NEGLIGIBLE)
			break;
	}
	return sum / weights / unit;
}

/*
 * Of a customer with this theta, the sum of ((1 - theta) / (1 + rate))^m over the
 * periods: with q for the fraction, q (1 - q^periods) / (1 - q).
 */
static double
periods_at(const LossShare *loss, double logit)
{
	/* (1 - q) / q is rate + (1 + rate) odds, where the odds are theta / (1 - theta) */
	double		ratio = fmax(loss->rate + (1 + loss->rate) * exp(logit), 1e-307);

	if (isinf(loss->periods))
		return 1 / ratio;
	return -expm1(-loss->periods * (log1p(loss->rate) + log1p_exp(logit))) / ratio;
}

/* theta^a (1 - theta)^b, as a part of what it is at the mode. */
static double
weight_at(const LossShare *loss, double logit)
{
	double		distance = logit - loss->mode;

	/* near the mode what cancels must not be computed; far from it, expm1 overflows */
	if (fabs(distance) < 30)
		return exp(-loss->a * log1p(loss->mode_rest * expm1(-distance)) -
				   loss->b * log1p(loss->mode_share * expm1(distance)));
	return exp(-loss->a * (log1p_exp(-logit) - log1p_exp(-loss->mode)) -
			   loss->b * (log1p_exp(logit) - log1p_exp(loss->mode)));
}

/* ln(1 + e^x) */
static double
log1p_exp(double x)
{
	return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}
