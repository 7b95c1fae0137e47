/*
 * pareto_likelihood.c
 *		Log-likelihood of the Pareto/NBD model (Schmittlein, Morrison, Colombo 1987;
 *		parameters r, alpha, s, beta).
 *
 * The likelihood of a customer is the sum of two: exp(A) that he is alive at the end of
 * the observation, exp(D) that he left between his last purchase and then:
 *
 *	A = -(r+x) ln(alpha+T) - s ln(beta+T)
 *	D = ln of the integral over tau in [tx, T] of s (alpha+tau)^-(r+x) (beta+tau)^-(s+1)
 *
 * With m the smaller of alpha and beta, M the larger, ratio = (m+tx) / (M+tx), y =
 * ln((m+tau) / (m+tx)) and v = log1p(ratio expm1(y)) = ln((M+tau) / (M+tx)), the
 * integrand is exp(-decay y - mixed_decay v): smooth, and its logarithm is concave. Its
 * derivatives by the parameters are polynomials in y, v, 1/(m+tau) and 1/(M+tau), so
 * that gradient and Hessian of D are means and covariances of these four, with the
 * integrand as the weight.
 *
 * A fit evaluates this a dozen times for each of half a million histories, and most of the
 * time goes into the integrals. They are computed for LANES histories at once, in loops
 * that the compiler can turn into vector instructions; hence our own exp and log, which
 * are without branches. Each lane has its own sums, so that the result does not depend
 * on how many the machine does at once.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "base/quadrature.h"
#include "base/special.h"
#include "clv/likelihood.h"

enum
{
	R, ALPHA, S, BETA, PARAMETERS
};

#define LANES 16

/*
 * Integrals end where the integrand is exp(-CUT) of its value at the start. With few
 * nodes, a larger part that is cut off is better than nodes that are far apart.
 */
#define CUT 45.0
#define CUT_OF_FEW_NODES 11.0

/*
 * So many nodes give the integral to 3e-13 (mostly to rounding error), if the logarithm
 * of the integrand is nowhere steeper than this by its whole length, and if that is no
 * longer than this.
 */
#define STEEPNESS_OF_8 3.5
#define LENGTH_OF_8 1.6
#define STEEPNESS_OF_16 16.0
#define LENGTH_OF_16 4.0
/* Longer ones, of models whose alpha or beta is next to nothing, take the rule of 32 nodes PANELS times. */
#define LENGTH_OF_32 7.0
#define PANELS 4

#define BATCHES 4

/* No integral is longer: exp(y) must not overflow. */
#define MAX_LENGTH 700.0

/* What customers with the same age, or the same age and recency, have in common. */
typedef struct Shared
{
	double		age;
	double		recency;
	double		log_alpha_age;	/* ln(alpha + age) */
	double		log_beta_age;
	double		log_alpha;		/* ln((alpha + age) / (alpha + recency)) */
	double		log_beta;
} Shared;

/* Histories whose integrals take the same rule, and what is needed of each. */
typedef struct Batch
{
	const QuadratureRule *rule;
	int			count;
	const History *histories[LANES];
	Shared		shared[LANES];
	/* of the integral over [0, length] */
	double		length[LANES];
	double		decay[LANES];
	double		mixed_decay[LANES];
	double		ratio[LANES];
} Batch;

/*
 * Sums of products by the weight: of 1, y, v, and of i = 1 - (m+tx) / (m+tau), j = 1 -
 * (M+tx) / (M+tau). These four are 0 at tx: where the integral is short, their
 * covariances keep their digits.
 */
typedef struct Moments
{
	double		one[LANES];
	double		y[LANES];
	double		v[LANES];
	double		i[LANES];
	double		j[LANES];
	double		yy[LANES];
	double		yv[LANES];
	double		yi[LANES];
	double		yj[LANES];
	double		vv[LANES];
	double		vi[LANES];
	double		vj[LANES];
	double		ii[LANES];
	double		ij[LANES];
	double		jj[LANES];
} Moments;

static void add_counts(DerivativeSum *sum, Likelihood *likelihood, const double *parameters);
static void share(Shared *shared, const History *history, const double *parameters);
static int	put_into_batch(Batch *batches, const History *history, const Shared *shared, const double *parameters, int nodes);
static double shorten(double length, double cut, double decay, double mixed_decay, double ratio);
static void add_batch(DerivativeSum *sum, Batch *batch, const double *parameters);
static void integrate(const Batch *batch, Moments *moments);
static void add_alive(Derivatives *term, const History *history, const Shared *shared, const double *parameters);
static void add_dead(Derivatives *term, const Batch *batch, const Moments *moments, int lane, const double *parameters);

/* A NewtonFunction of a Likelihood, whose nodes are 8 or 32. */
void
paretonbd_likelihood(void *data, const double *parameters, Derivatives *result)
{
	Likelihood *likelihood = data;
	DerivativeSum sum = {{0}};
	const Histories *histories = &likelihood->histories;
	Batch	   *batches = palloc(BATCHES * sizeof(Batch));
	double		nodes[PANELS * QUADRATURE_MAX_NODES];
	double		weights[PANELS * QUADRATURE_MAX_NODES];
	QuadratureRule panels = {PANELS * QUADRATURE_MAX_NODES, nodes, weights};
	Shared		shared = {.age = -1};
	uint32		seen = 0;

	for (int i = 0; i < panels.count; i++)
	{
		const QuadratureRule *rule = quadrature_rule(QUADRATURE_MAX_NODES);

		nodes[i] = (i / rule->count + rule->nodes[i % rule->count]) / PANELS;
		weights[i] = rule->weights[i % rule->count] / PANELS;
	}
	for (int i = 0; i < BATCHES; i++)
	{
		batches[i].rule = i < BATCHES - 1 ? quadrature_rule(8 << i) : &panels;
		batches[i].count = 0;
	}
	add_counts(&sum, likelihood, parameters);
	for (uint64 i = 0; i < histories->count; i += likelihood->step)
	{
		const History *history = &histories->items[i];

		if (seen++ % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		share(&shared, history, parameters);
		if (history->age > history->recency)
		{
			Batch	   *batch = &batches[put_into_batch(batches, history, &shared, parameters, likelihood->nodes)];

			if (batch->count == LANES)
				add_batch(&sum, batch, parameters);
		}
		else
		{
			/* he bought just now */
			Derivatives term = {0};

			add_alive(&term, history, &shared, parameters);
			derivative_sum_add(&sum, &term, PARAMETERS, (double) history->customers);
		}
	}
	for (int i = 0; i < BATCHES; i++)
		add_batch(&sum, &batches[i], parameters);
	derivative_sum_result(&sum, PARAMETERS, result);
	pfree(batches);
}

/* ln of gamma(r + x) / gamma(r) * alpha^r * beta^s, for all customers with x. */
static void
add_counts(DerivativeSum *sum, Likelihood *likelihood, const double *parameters)
{
	const Frequencies *frequencies = likelihood_frequencies(likelihood);
	double		r = parameters[R];
	double		alpha = parameters[ALPHA];
	double		s = parameters[S];
	double		beta = parameters[BETA];

	for (uint32 i = 0; i < frequencies->count; i++)
	{
		double		x = frequencies->items[i].frequency;
		Derivatives term = {0};

		term.value = log_gamma_ratio(r, x) + r * log(alpha) + s * log(beta);
		term.gradient[R] = digamma(r + x) - digamma(r) + log(alpha);
		term.gradient[ALPHA] = r / alpha;
		term.gradient[S] = log(beta);
		term.gradient[BETA] = s / beta;
		term.hessian[R][R] = trigamma(r + x) - trigamma(r);
		term.hessian[ALPHA][R] = 1 / alpha;
		term.hessian[ALPHA][ALPHA] = -r / (alpha * alpha);
		term.hessian[BETA][S] = 1 / beta;
		term.hessian[BETA][BETA] = -s / (beta * beta);
		derivative_sum_add(sum, &term, PARAMETERS, frequencies->items[i].customers);
	}
}

/* Histories come by age, then recency: most have both in common with the one before. */
static void
share(Shared *shared, const History *history, const double *parameters)
{
	double		idle = history->age - history->recency;

	if (history->age != shared->age)
	{
		shared->log_alpha_age = log(parameters[ALPHA] + history->age);
		shared->log_beta_age = log(parameters[BETA] + history->age);
	}
	else if (history->recency == shared->recency)
		return;
	shared->age = history->age;
	shared->recency = history->recency;
	shared->log_alpha = log1p(idle / (parameters[ALPHA] + history->recency));
	shared->log_beta = log1p(idle / (parameters[BETA] + history->recency));
}

/* Puts a history, whose age is above its recency, into the batch of those that need as many nodes; returns its number. */
static int
put_into_batch(Batch *batches, const History *history, const Shared *shared, const double *parameters, int nodes)
{
	double		x = history->frequency;
	double		alpha = parameters[ALPHA];
	double		beta = parameters[BETA];
	bool		alpha_first = alpha < beta;
	double		smaller = alpha_first ? alpha : beta;
	double		larger = alpha_first ? beta : alpha;
	double		decay = alpha_first ? parameters[R] + x - 1 : parameters[S];
	double		mixed_decay = alpha_first ? parameters[S] + 1 : parameters[R] + x;
	double		ratio = (smaller + history->recency) / (larger + history->recency);
	double		end_ratio = (smaller + history->age) / (larger + history->age);
	double		whole = Min(alpha_first ? shared->log_alpha : shared->log_beta, MAX_LENGTH);
	double		length = shorten(whole, nodes > 8 ? CUT : CUT_OF_FEW_NODES, decay, mixed_decay, ratio);
	double		steepness = length * Max(fabs(decay + mixed_decay * ratio),
										 fabs(decay + mixed_decay * (length < whole ? 1 : end_ratio)));
	int			number;
	Batch	   *batch;
	int			lane;

	/* few nodes are enough for an approximation */
	if (nodes <= 8 ? length <= LENGTH_OF_16 : length <= LENGTH_OF_8 && steepness <= STEEPNESS_OF_8)
		number = 0;
	else if (length <= LENGTH_OF_16 && steepness <= STEEPNESS_OF_16)
		number = 1;
	else
		number = length <= LENGTH_OF_32 ? 2 : 3;
	batch = &batches[number];
	lane = batch->count++;
	batch->histories[lane] = history;
	batch->shared[lane] = *shared;
	batch->length[lane] = length;
	batch->decay[lane] = decay;
	batch->mixed_decay[lane] = mixed_decay;
	batch->ratio[lane] = ratio;
	return number;
}

/*
 * How far the integral has to go. The integrand lies below its tangents, so that a
 * tangent that has fallen by cut says: it has, too. From the one at the start, Newton's
 * method comes nearer.
 */
static double
shorten(double length, double cut, double decay, double mixed_decay, double ratio)
{
	double		slope = decay + mixed_decay * ratio;

	if (slope > 0)
		length = Min(length, cut / slope);
	/* the slope is at most the sum of both: most are done */
	while (length * (decay + mixed_decay) > 1.5 * cut)
	{
		double		e = expm1(length);
		double		fallen = decay * length + mixed_decay * log1p(ratio * e);

		if (fallen <= 1.2 * cut)
			break;
		length -= (fallen - cut) / (decay + mixed_decay * (ratio * (e + 1) / (1 + ratio * e)));
	}
	return length;
}

static void
add_batch(DerivativeSum *sum, Batch *batch, const double *parameters)
{
	Moments		moments;

	/* so that all lanes have something to compute */
	for (int lane = batch->count; lane < LANES; lane++)
	{
		batch->length[lane] = 0;
		batch->decay[lane] = 0;
		batch->mixed_decay[lane] = 0;
		batch->ratio[lane] = 0;
	}
	if (batch->count > 0)
		integrate(batch, &moments);
	for (int lane = 0; lane < batch->count; lane++)
	{
		const History *history = batch->histories[lane];
		Derivatives term = {0};

		add_alive(&term, history, &batch->shared[lane], parameters);
		add_dead(&term, batch, &moments, lane, parameters);
		derivative_sum_add(sum, &term, PARAMETERS, (double) history->customers);
	}
	batch->count = 0;
}

/*
 * Without branches, for loops over lanes. The polynomials are Taylor's, on an interval
 * around 0 that is as short as halving and doubling makes it.
 */
#define LN2_HIGH 0x1.62e42fefa38p-1
#define LN2_LOW 0x1.ef35793c7673p-45
/* adding it rounds to a whole number, which then are the lowest bits */
#define ROUNDER 0x1.8p52

static inline double
double_of_bits(uint64 bits)
{
	double		result;

	memcpy(&result, &bits, sizeof(result));
	return result;
}

static inline uint64
bits_of_double(double number)
{
	uint64		result;

	memcpy(&result, &number, sizeof(result));
	return result;
}

/* exp(y) = *scale * (1 + result), y in [-700, 700]; *scale is a power of 2. */
static inline double
split_exp(double y, double *scale)
{
	double		rounded = y * M_LOG2E + ROUNDER;
	double		twos = rounded - ROUNDER;
	double		rest = (y - twos * LN2_HIGH) - twos * LN2_LOW;
	double		sum;

	*scale = double_of_bits((bits_of_double(rounded) << 52) + bits_of_double(1.0));
	sum = 1.0 / 479001600 + rest * (1.0 / 6227020800);
	sum = 1.0 / 39916800 + rest * sum;
	sum = 1.0 / 3628800 + rest * sum;
	sum = 1.0 / 362880 + rest * sum;
	sum = 1.0 / 40320 + rest * sum;
	sum = 1.0 / 5040 + rest * sum;
	sum = 1.0 / 720 + rest * sum;
	sum = 1.0 / 120 + rest * sum;
	sum = 1.0 / 24 + rest * sum;
	sum = 1.0 / 6 + rest * sum;
	sum = 1.0 / 2 + rest * sum;
	return rest + rest * rest * sum;
}

/* ln(number), number >= 1. */
static inline double
log_from_one(double number)
{
	/* number = 2^twos * part, part between sqrt(1/2) and sqrt(2) */
	uint64		bits = bits_of_double(number);
	uint64		twos = (bits - bits_of_double(M_SQRT1_2)) >> 52;
	double		part = double_of_bits(bits - (twos << 52));
	double		exponent = double_of_bits(twos | bits_of_double(0x1p52)) - 0x1p52;
	double		f = (part - 1) / (part + 1);
	double		g = f * f;
	double		sum;

	sum = 2.0 / 19 + g * (2.0 / 21);
	sum = 2.0 / 17 + g * sum;
	sum = 2.0 / 15 + g * sum;
	sum = 2.0 / 13 + g * sum;
	sum = 2.0 / 11 + g * sum;
	sum = 2.0 / 9 + g * sum;
	sum = 2.0 / 7 + g * sum;
	sum = 2.0 / 5 + g * sum;
	sum = 2.0 / 3 + g * sum;
	return exponent * LN2_HIGH + (2 * f + (f * g * sum + exponent * LN2_LOW));
}

/* The moments of all lanes; lengths are not multiplied in. */
static void
integrate(const Batch *batch, Moments *moments)
{
	const QuadratureRule *rule = batch->rule;
	Moments		sums = {{0}};

	for (int node = 0; node < rule->count; node++)
	{
		double		place = rule->nodes[node];
		double		rule_weight = rule->weights[node];
		double		e[LANES];
		double		v[LANES];
		double		j[LANES];
		double		weight[LANES];

		/* in parts: short ones overlap better */
		for (int lane = 0; lane < LANES; lane++)
		{
			double		scale;
			double		beyond = split_exp(place * batch->length[lane], &scale);

			/* beside 0 without the rounding error of exp(y) */
			e[lane] = scale * beyond + (scale - 1);
		}
		for (int lane = 0; lane < LANES; lane++)
		{
			double		mixed = batch->ratio[lane] * e[lane];
			double		mixed_exp = 1 + mixed;
			double		inverse = 1 / mixed_exp;

			/* with what rounding took from mixed_exp */
			v[lane] = log_from_one(mixed_exp) + (mixed - (mixed_exp - 1)) * inverse;
			j[lane] = mixed * inverse;
		}
		for (int lane = 0; lane < LANES; lane++)
		{
			double		scale;
			double		beyond = split_exp(-batch->decay[lane] * (place * batch->length[lane]) -
										   batch->mixed_decay[lane] * v[lane], &scale);

			weight[lane] = rule_weight * (scale + scale * beyond);
		}
		for (int lane = 0; lane < LANES; lane++)
		{
			double		y = place * batch->length[lane];
			double		i = e[lane] / (e[lane] + 1);
			double		weight_y = weight[lane] * y;
			double		weight_v = weight[lane] * v[lane];
			double		weight_i = weight[lane] * i;
			double		weight_j = weight[lane] * j[lane];

			sums.one[lane] += weight[lane];
			sums.y[lane] += weight_y;
			sums.v[lane] += weight_v;
			sums.i[lane] += weight_i;
			sums.j[lane] += weight_j;
			sums.yy[lane] += weight_y * y;
			sums.yv[lane] += weight_y * v[lane];
			sums.yi[lane] += weight_y * i;
			sums.yj[lane] += weight_y * j[lane];
			sums.vv[lane] += weight_v * v[lane];
			sums.vi[lane] += weight_v * i;
			sums.vj[lane] += weight_v * j[lane];
			sums.ii[lane] += weight_i * i;
			sums.ij[lane] += weight_i * j[lane];
			sums.jj[lane] += weight_j * j[lane];
		}
	}
	*moments = sums;
}

/* A, with its derivatives. */
static void
add_alive(Derivatives *term, const History *history, const Shared *shared, const double *parameters)
{
	double		shape = parameters[R] + history->frequency;
	double		s = parameters[S];
	double		alpha = 1 / (parameters[ALPHA] + history->age);
	double		beta = 1 / (parameters[BETA] + history->age);

	term->value -= shape * shared->log_alpha_age + s * shared->log_beta_age;
	term->gradient[R] -= shared->log_alpha_age;
	term->gradient[ALPHA] -= shape * alpha;
	term->gradient[S] -= shared->log_beta_age;
	term->gradient[BETA] -= s * beta;
	term->hessian[ALPHA][R] -= alpha;
	term->hessian[ALPHA][ALPHA] += shape * alpha * alpha;
	term->hessian[BETA][S] -= beta;
	term->hessian[BETA][BETA] += s * beta * beta;
}

/*
 * ln(1 + exp(D - A)), with its derivatives. With w = exp(D) / (exp(A) + exp(D)) they are
 * w grad(D - A), and w Hess(D - A) + w (1 - w) grad(D - A) grad(D - A)'. By the
 * parameters, ln of the integrand of D has the gradient
 *
 *	-ln(alpha+tau), -(r+x) / (alpha+tau), 1/s - ln(beta+tau), -(s+1) / (beta+tau)
 *
 * whose mean is the gradient of D; the Hessian of D is the mean of its Hessian and the
 * covariance of its gradient.
 */
static void
add_dead(Derivatives *term, const Batch *batch, const Moments *moments, int lane, const double *parameters)
{
	const History *history = batch->histories[lane];
	const Shared *shared = &batch->shared[lane];
	bool		alpha_first = parameters[ALPHA] < parameters[BETA];
	double		shape = parameters[R] + history->frequency;
	double		s = parameters[S];
	double		one = 1 / moments->one[lane];
	/* of y, i, v, j, with those of alpha first */
	double		mean[4] = {moments->y[lane], moments->i[lane], moments->v[lane], moments->j[lane]};
	double		covariance[4][4] = {
		{moments->yy[lane]},
		{moments->yi[lane], moments->ii[lane]},
		{moments->yv[lane], moments->vi[lane], moments->vv[lane]},
		{moments->yj[lane], moments->ij[lane], moments->vj[lane], moments->jj[lane]}
	};
	/* by which the gradient of ln of the integrand has them */
	double		alpha_recency = 1 / (parameters[ALPHA] + history->recency);
	double		beta_recency = 1 / (parameters[BETA] + history->recency);
	double		alpha_age = 1 / (parameters[ALPHA] + history->age);
	double		beta_age = 1 / (parameters[BETA] + history->age);
	double		factor[PARAMETERS] = {-1, shape * alpha_recency, -1, (s + 1) * beta_recency};
	double		difference[PARAMETERS];
	double		hessian[PARAMETERS][PARAMETERS];
	double		log_odds;
	double		dead;
	double		both;

	log_odds = log(s * batch->length[lane] * moments->one[lane] * (alpha_first ? batch->ratio[lane] : 1)) +
		shape * shared->log_alpha + s * shared->log_beta;
	both = exp(-fabs(log_odds));
	term->value += Max(log_odds, 0) + log1p(both);
	dead = (log_odds > 0 ? 1 : both) / (1 + both);
	both /= (1 + both) * (1 + both);

	for (int i = 0; i < 4; i++)
	{
		mean[i] *= one;
		for (int j = 0; j <= i; j++)
			covariance[i][j] = covariance[i][j] * one - mean[i] * mean[j];
	}
	for (int i = 0; i < PARAMETERS; i++)
	{
		for (int j = 0; j <= i; j++)
		{
			/* place of the parameters among y, i, v, j */
			int			a = alpha_first ? i : (i + 2) % 4;
			int			b = alpha_first ? j : (j + 2) % 4;

			hessian[i][j] = factor[i] * factor[j] * covariance[Max(a, b)][Min(a, b)];
		}
	}

#define MEAN(parameter) mean[alpha_first ? (parameter) : ((parameter) + 2) % 4]
#define SQUARE(parameter) (covariance[alpha_first ? (parameter) : ((parameter) + 2) % 4][alpha_first ? (parameter) : ((parameter) + 2) % 4] + \
						   (1 - MEAN(parameter)) * (1 - MEAN(parameter)))

	difference[R] = shared->log_alpha - MEAN(R);
	difference[ALPHA] = shape * (alpha_age - alpha_recency * (1 - MEAN(ALPHA)));
	difference[S] = 1 / s + shared->log_beta - MEAN(S);
	difference[BETA] = s * beta_age - (s + 1) * beta_recency * (1 - MEAN(BETA));

	/* the mean of the Hessian, and less that of A */
	hessian[ALPHA][R] += alpha_age - alpha_recency * (1 - MEAN(ALPHA));
	hessian[ALPHA][ALPHA] += shape * (alpha_recency * alpha_recency * SQUARE(ALPHA) - alpha_age * alpha_age);
	hessian[S][S] -= 1 / (s * s);
	hessian[BETA][S] += beta_age - beta_recency * (1 - MEAN(BETA));
	hessian[BETA][BETA] += (s + 1) * beta_recency * beta_recency * SQUARE(BETA) - s * beta_age * beta_age;

#undef MEAN
#undef SQUARE

	for (int i = 0; i < PARAMETERS; i++)
	{
		term->gradient[i] += dead * difference[i];
		for (int j = 0; j <= i; j++)
			term->hessian[i][j] += dead * hessian[i][j] + both * difference[i] * difference[j];
	}
}
