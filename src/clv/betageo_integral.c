/*
 * betageo_integral.c
 *		The integrals of BG/NBD and MBG/NBD that have no short sum: means over a beta
 *		distribution, discounted time, and the tail of a negative binomial distribution.
 *
 * The textbook forms of these, by 2F1, are singular at a = 1, cancel for a + b < 1 and
 * overflow for many purchases.  Here every integrand is positive, and what is the same in
 * numerator and denominator is never computed: weights are taken relative to one of them.
 *
 * Each call does a bounded number of steps, whatever its arguments: some thousands in the
 * worst case, some hundreds as a rule.
 */
#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "base/quadrature.h"
#include "base/special.h"
#include "clv/betageo_integral.h"

/* Weights below e^-45 = 3e-20 of the largest are left out. */
#define NEGLIGIBLE_LOG 45.0

/* e^-37 is half a unit in the last place of 1. */
#define LAST_PLACE_LOG 37.0

/* A logit beyond this would make p, or 1 - p, too small for a double. */
#define MAX_LOGIT 690.0

#define MAX_STEP 0.2
#define MIN_STEP 3e-9

/* More than the terms of a sum, an integral is used instead. */
#define MAX_TERMS 400

#define MAX_FRACTION_TERMS 1000

/* Nodes in each panel of an integral. */
#define PANEL_NODES 8

/* The weight p^a (1-p)^b in the logit of p, relative to that at an anchor. */
typedef struct LogitWeight
{
	double		a;
	double		b;
	double		anchor;			/* logit of p */
	double		p;				/* at the anchor */
	double		q;				/* 1 - p */
} LogitWeight;

static void set_anchor(LogitWeight *weight, double a, double b, double anchor);
static double log_weight(const LogitWeight *weight, double distance);
static double probability_of_logit(double logit);
static double exponential_integral(double zeta, double s);
static double exponential_integral_series(double zeta, double s);
static double exponential_integral_fraction(double zeta, double s);
static double log_gamma_beside_one(double x);
static double discounted_part(double zeta, double s, double length);
static double tail_integral(double n, double s, double u);
static double weight_integral(const LogitWeight *weight, double end, double width);
static double negligible_distance(const LogitWeight *weight, double direction, double width);
static double log_power_mean(double a, double b, double n);
static double deviance(double x, double mean, double difference);

/*
 * The mean of function(p) for p ~ Beta(a, b): trapezoids in the logit y of p, whose
 * weight is p^a (1-p)^b, divided by the sum of the weights.
 *
 * The function must be positive, not grow with p, and be as good as constant where p
 * * reach is below e^-37.  Beyond the logits where it is constant and one of p and 1-p is
 * 1, the weights are a geometric series, whose sum is known.  The singularities of weights
 * and functions are +-pi i away from the real axis, or +-pi i / 2 where they grow, so that
 * steps of 0.25 leave an error of e^(-pi^2 / 0.25) = 7e-18; where the distribution
 * is narrow, 0.6 standard deviations of y do the same.  Where both limit the step, a = 6 and b = 600,
 * that left 5e-12; a fifth less leaves 3e-15.
 */
double
beta_mean(double a, double b, double reach, ProbabilityFunction function, const void *data)
{
	double		lowest = -fmin(LAST_PLACE_LOG + log(fmax(fmax(b, reach), 1)), MAX_LOGIT);
	double		highest = fmin(LAST_PLACE_LOG + log(fmax(a, 1)), MAX_LOGIT);
	double		step = fmin(MAX_STEP, 0.5 * sqrt(trigamma(a) + trigamma(b)));
	double		scale = fmin(fmin(a, b), 1);	/* the sums of tails are up to 1 / scale */
	double		limit;
	double		value;
	double		w;
	double		sum;
	double		weights = scale;
	LogitWeight weight;

	/* narrower than what the mean of a product with a smooth function could tell from its middle */
	if (step < MIN_STEP)
		return function(a < b ? 1 / (1 + b / a) : 1 - 1 / (1 + a / b), data);

	set_anchor(&weight, a, b, fmax(lowest, fmin(log(a) - log(b), highest)));
	value = function(probability_of_logit(weight.anchor), data);
	sum = scale * value;

	/* to the left the function grows, by a factor that is known */
	limit = -NEGLIGIBLE_LOG - log(fmin(fmax(function(probability_of_logit(lowest), data) / fmax(value, DBL_MIN), 1), DBL_MAX));
	w = scale;
	for (int i = 1;; i++)
	{
		double		distance = -step * i;
		double		log_w = log_weight(&weight, distance);

		if (weight.anchor + distance < lowest)
		{
			w /= expm1(a * step);
			sum += w * value;
			weights += w;
			break;
		}
		if (log_w < limit)
			break;
		w = scale * exp(log_w);
		value = function(probability_of_logit(weight.anchor + distance), data);
		sum += w * value;
		weights += w;
	}

	value = function(probability_of_logit(weight.anchor), data);
	w = scale;
	for (int i = 1;; i++)
	{
		double		distance = step * i;
		double		log_w = log_weight(&weight, distance);

		if (weight.anchor + distance > highest)
		{
			w /= expm1(b * step);
			sum += w * value;
			weights += w;
			break;
		}
		if (log_w < -NEGLIGIBLE_LOG)
			break;
		w = scale * exp(log_w);
		value = function(probability_of_logit(weight.anchor + distance), data);
		sum += w * value;
		weights += w;
	}
	return sum / weights;
}

static void
set_anchor(LogitWeight *weight, double a, double b, double anchor)
{
	weight->a = a;
	weight->b = b;
	weight->anchor = anchor;
	weight->p = probability_of_logit(anchor);
	weight->q = probability_of_logit(-anchor);
}

/*
 * ln of the weight at this distance from the anchor: a d - (a+b) ln(q + p e^d), written
 * with the smaller of p and q.  What rounding takes for large a and b grows
 * with their square root, as the influence of the weights shrinks.
 */
static double
log_weight(const LogitWeight *weight, double distance)
{
	if (weight->p > 0.5)
		return -weight->b * distance - (weight->a + weight->b) * log1p(weight->q * expm1(-distance));
	return weight->a * distance - (weight->a + weight->b) * log1p(weight->p * expm1(distance));
}

static double
probability_of_logit(double logit)
{
	return 1 / (1 + exp(-logit));
}

/*
 * The integral over v in [0, length] of exp(-s v - zeta expm1(v)), for s > 0, zeta >= 0,
 * where discount = zeta expm1(length), which may be known better; both are infinite for
 * an infinite length.
 */
double
discounted_decay(double zeta, double s, double discount, double length)
{
	double		exponent = discount + s * length;

	if (zeta == 0)
		return -expm1(-exponent) / s;
	if (!(exponent < 800))
		return exponential_integral(zeta, s);
	/* the difference is more than half of what it is taken from */
	if (exponent >= 1)
		return exponential_integral(zeta, s) - exp(-exponent) * exponential_integral(zeta + discount, s);
	return discounted_part(zeta, s, length);
}

/* e^zeta E_(s+1)(zeta): the integral over all v >= 0. */
static double
exponential_integral(double zeta, double s)
{
	/* the same to the last place */
	if (zeta / (1 + s) > 1e18)
		return 1 / zeta;
	if (zeta < 1.5 && s < 12)
		return exponential_integral_series(zeta, s);
	return exponential_integral_fraction(zeta, s);
}

/*
 * By the series at that order nu in (0.5, 1.5] which is a whole number away from s + 1,
 * then upwards: E_(nu+1) = (e^-zeta - zeta E_nu) / nu.  The series is (Gamma(1 + e)
 * zeta^-e - 1) / e - sum over k >= 1 of (-zeta)^k / (k! (e + k)), e = 1 - nu.
 */
static double
exponential_integral_series(double zeta, double s)
{
	int			steps = s > 0.5 ? (int) ceil(s - 0.5) : 0;
	double		e = steps - s;
	double		exponent = log_gamma_beside_one(e) - e * log(zeta);
	double		power = 1;
	double		value;

	/* at 0 the limit: the derivative, Euler's constant being that of the first term */
	value = e == 0 ? -0.57721566490153286061 - log(zeta) : expm1(exponent) / e;
	for (int k = 1; k < 60; k++)
	{
		double		term;

		power *= -zeta / k;
		term = power / (e + k);
		value -= term;
		if (fabs(term) < fabs(value) * (DBL_EPSILON / 16))
			break;
	}
	value *= exp(zeta);
	for (int i = 0; i < steps; i++)
		value = (1 - zeta * value) / (1 - e + i);
	return value;
}

/*
 * The continued fraction 1 / (zeta + nu - 1 nu / (zeta + nu + 2 - 2 (nu+1) / ...)),
 * nu = s + 1, from the front.
 */
static double
exponential_integral_fraction(double zeta, double s)
{
	double		b = zeta + s + 1;
	double		d = 1 / b;
	double		change = d;
	double		value = d;

	for (int k = 1; k < MAX_FRACTION_TERMS; k++)
	{
		double		a = k * (s + k);

		/* Steed: d = 1 / (b_k - a_k d), and the change is that times (b d - 1) */
		b += 2;
		d = 1 / (b - a * d);
		change *= b * d - 1;
		value += change;
		if (fabs(change) < value * (DBL_EPSILON / 8))
			break;
	}
	return value;
}

/* ln Gamma(1 + x) for |x| <= 1/2, good beside 0 too, where 1 + x is rounded. */
static double
log_gamma_beside_one(double x)
{
	if (fabs(x) > 2e-3)
		return lgamma(1 + x);
	return x * (-0.57721566490153286061 + x * (0.82246703342411321824 + x * (-0.40068563438653142847 +
																			  x * (0.27058080842778454788 + x * (-0.20738555102867398527 + x * 0.16955717699740818995)))));
}

/* discounted_decay where the integrand stays above 1/e. */
static double
discounted_part(double zeta, double s, double length)
{
	const QuadratureRule *rule = quadrature_rule(PANEL_NODES);
	int			panels = 1 + (int) fmin(length, 1000);
	double		width = length / panels;
	double		sum = 0;

	for (int i = 0; i < panels; i++)
	{
		for (int j = 0; j < rule->count; j++)
		{
			double		v = width * (i + rule->nodes[j]);

			sum += rule->weights[j] * exp(-s * v - zeta * expm1(v));
		}
	}
	return sum * width;
}

/*
 * The probability of n under a negative binomial distribution: a Poisson variable whose
 * mean is Gamma(s, rate 1 / u).  n a whole number, s > 0, u >= 0.
 *
 * As Loader's binomial: gamma functions are not computed, but what Stirling's formula
 * leaves of them, and the distance of n from what is expected.
 */
double
negative_binomial(double n, double s, double u)
{
	double		total = s + n;
	double		difference;

	if (n == 0)
		return exp(-s * log1p(u));
	if (u == 0)
		return 0;
	difference = fma(s, u, -n) / (1 + u);
	return sqrt(s / total / n / (2 * M_PI)) *
		exp(stirling_rest(total) - stirling_rest(s) - stirling_rest(n) -
			deviance(s, total / (1 + u), -difference) - deviance(n, total * (u / (1 + u)), difference));
}

/*
 * The probability of n or more, n >= 1: a sum from n upwards, or, where that were long
 * or underflows, an integral.
 */
double
negative_binomial_tail(double n, double s, double u)
{
	double		z = u / (1 + u);
	double		term = negative_binomial(n, s, u);
	double		sum = term;

	if (u == 0)
		return 0;
	if (term > 1e-280)
	{
		for (int i = 0; i < MAX_TERMS; i++)
		{
			double		k = n + i;
			double		ratio;

			term *= (s + k) / (k + 1) * z;
			sum += term;
			/* from here on the terms shrink at least as fast as now, or by z */
			ratio = fmax((s + k + 1) / (k + 2) * z, z);
			if (ratio < 1 && term * ratio < sum * (DBL_EPSILON / 4) * (1 - ratio))
				return fmin(sum, 1);
		}
	}
	return tail_integral(n, s, u);
}

/*
 * The same as the incomplete beta integral I_z(n, s): over logits y up to ln u, the
 * weight z^n (1-z)^s.  The anchor is where the weight is largest, and n times the probability of n
 * there (u = n / s, or the given u if that is less) is the weight / B(n, s).
 */
static double
tail_integral(double n, double s, double u)
{
	double		width = sqrt(1 / n + 1 / s);
	double		y = log(u);
	double		peak = log(n) - log(s);
	double		anchor = fmin(fmin(y, peak), MAX_LOGIT);
	double		integral;
	LogitWeight weight;

	set_anchor(&weight, n, s, anchor);
	integral = weight_integral(&weight, negligible_distance(&weight, -1, width), width);
	if (y > anchor)
		integral += weight_integral(&weight, fmin(y - anchor, negligible_distance(&weight, 1, width)), width);
	return fmin(n * negative_binomial(n, s, y > peak ? n / s : u) * integral, 1);
}

/* The integral of the weight from the anchor to 'end', whose sign does not count. */
static double
weight_integral(const LogitWeight *weight, double end, double width)
{
	const QuadratureRule *rule = quadrature_rule(PANEL_NODES);
	int			panels = (int) fmin(ceil(fmax(16, fabs(end) / fmin(width, 1))), 3000);
	double		panel = end / panels;
	double		sum = 0;

	for (int i = 0; i < panels; i++)
	{
		for (int j = 0; j < rule->count; j++)
			sum += rule->weights[j] * exp(log_weight(weight, panel * (i + rule->nodes[j])));
	}
	return sum * fabs(panel);
}

/* How far from the anchor, with its sign, the weight is negligible; not much farther. */
static double
negligible_distance(const LogitWeight *weight, double direction, double width)
{
	double		distance = direction * fmin(width, 1);

	while (log_weight(weight, distance) > -NEGLIGIBLE_LOG && fabs(distance) < 2 * MAX_LOGIT)
		distance *= 1.25;
	return distance;
}

/*
 * The mean of (1-p)^n for p ~ Beta(a, b): (b)_n / (a+b)_n.
 *
 * The first factors one by one; beyond them Stirling's formula holds.
 */
double
beta_power_mean(double a, double b, double n)
{
	double		product = 1;

	for (int i = 0; i < 16; i++)
	{
		if (n == 0)
			return product;
		product *= b / (a + b);
		b++;
		n--;
	}
	return product * exp(log_power_mean(a, b, n));
}

/*
 * ln of the same for b > 15, a second difference of ln Gamma: its terms are ordered
 * such that they stay in the order of the result, however large a, b and n are.
 */
static double
log_power_mean(double a, double b, double n)
{
	return (b - 0.5) * log1p(n / b * (a / (a + b + n))) - n * log1p(a / (b + n)) - a * log1p(n / (a + b)) +
		(stirling_rest(a + b) - stirling_rest(b)) + (stirling_rest(b + n) - stirling_rest(a + b + n));
}

/* x ln(x / mean) + mean - x for x > 0, where difference = mean - x. */
static double
deviance(double x, double mean, double difference)
{
	double		t = difference / x;
	double		ratio;
	double		power;
	double		sum;

	if (fabs(t) > 0.1)
		return difference + x * log(x / mean);
	/* t - ln(1 + t) = t^2 / (2 + t) - 2 (r^3/3 + r^5/5 + ...), r = t / (2 + t) */
	ratio = t / (2 + t);
	power = ratio * ratio * ratio;
	sum = 0;
	for (int k = 3; k < 31; k += 2)
	{
		sum += power / k;
		power *= ratio * ratio;
	}
	return x * (t * ratio - 2 * sum);
}
