/*
 * newton.c
 *		Damped Newton steps in the logarithms of the parameters, in which they are free
 *		and their scales do not matter.
 *
 * Where the function is not concave the Hessian's eigenvalues are taken by their
 * size, so that each step goes up (Nocedal and Wright, Numerical Optimization, 3.4).
 */
#include "base/newton.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define MAX_ITERATIONS 100
#define MAX_HALVINGS 40
/* The longest step in any logarithm. */
#define MAX_STEP 2.0
/*
 * So far from the origin, by its logarithm, a parameter is held, and the others are searched for on.
 * One that is nearly as far when the search ends runs away: on the way there the function can
 * be so flat that rounding looks like a maximum.
 */
#define MAX_DISTANCE 15.0
#define FAR_DISTANCE 12.0
/* A sum with the origin, and less the origin, is rounded. */
#define HELD_DISTANCE (MAX_DISTANCE * (1 - 1e-12))

/*
 * What a full Newton step would still gain, in units of the function.  A log-likelihood
 * that is 1e-12 below its largest value has parameters a millionth of a standard error
 * away, and the step that follows brings them to rounding error.
 */
#define ENOUGH_GAIN 1e-12

/* Smaller eigenvalues, as a part of the largest, say that the direction is flat. */
#define SINGULAR 1e-13

/* The function at a point, by logarithms. */
typedef struct Point
{
	double		logs[NEWTON_MAX_PARAMETERS];
	double		value;
	double		gradient[NEWTON_MAX_PARAMETERS];
	/* minus the Hessian is vectors' * diag(curvatures) * vectors */
	double		curvatures[NEWTON_MAX_PARAMETERS];
	double		vectors[NEWTON_MAX_PARAMETERS][NEWTON_MAX_PARAMETERS];
	/* as far from the origin as it may be, and the function grows still farther out */
	bool		is_held[NEWTON_MAX_PARAMETERS];
	bool		is_finite;
} Point;

typedef struct Search
{
	NewtonFunction function;
	void	   *data;
	int			count;			/* of parameters */
	double		origin[NEWTON_MAX_PARAMETERS];	/* logarithms */
} Search;

static void look_at(const Search *search, Point *point);
static double newton_step(const Search *search, const Point *point, double *step);
static bool climb(const Search *search, Point *point, const double *step, double gain);
static void look_for_boundary(const Search *search, const Point *point, NewtonResult *result);
static void describe(const Search *search, const Point *point, NewtonResult *result);
static double largest_curvature(const Point *point, int count);
static double smallest_curvature(const Point *point, int count);
static void diagonalise(double matrix[NEWTON_MAX_PARAMETERS][NEWTON_MAX_PARAMETERS], int count, Point *point);
static void rotate(double matrix[NEWTON_MAX_PARAMETERS][NEWTON_MAX_PARAMETERS], int count, Point *point, int p, int q);

/*
 * Searches for the largest value from a start with positive parameters, uphill, so for the top of
 * the hill on which the start is.  The result has parameters in any case: the best that were
 * found.  The origin says where parameters are usual; far from it one runs away.
 *
 * The covariance is that of a maximum likelihood estimate: minus the inverse of the
 * Hessian by logarithms, times the parameters on both sides.
 */
void
newton_maximise(NewtonFunction function, void *data, int count, const double *origin,
				const double *start, NewtonResult *result)
{
	Search		search = {function, data, count, {0}};
	Point		point;

	memset(result, 0, sizeof(*result));
	memset(&point, 0, sizeof(point));
	result->end = NEWTON_TOO_LONG;
	result->boundary = -1;
	for (int i = 0; i < count; i++)
	{
		search.origin[i] = log(origin[i]);
		point.logs[i] = log(start[i]);
	}
	look_at(&search, &point);
	if (!point.is_finite)
	{
		result->end = NEWTON_OUT_OF_RANGE;
		memcpy(result->parameters, start, sizeof(double) * count);
		result->condition_number = HUGE_VAL;
		return;
	}
	while (result->end == NEWTON_TOO_LONG && result->iterations < MAX_ITERATIONS)
	{
		double		step[NEWTON_MAX_PARAMETERS];
		double		gain = newton_step(&search, &point, step);
		bool		is_last = gain <= ENOUGH_GAIN;

		result->iterations++;
		if (!climb(&search, &point, step, gain) || is_last)
		{
			if (smallest_curvature(&point, count) <= SINGULAR * largest_curvature(&point, count))
				result->end = NEWTON_SINGULAR;
			else
				result->end = is_last ? NEWTON_CONVERGED : NEWTON_STUCK;
		}
	}
	look_for_boundary(&search, &point, result);
	describe(&search, &point, result);
}

/* Says so if the search ended far from the origin. */
static void
look_for_boundary(const Search *search, const Point *point, NewtonResult *result)
{
	double		farthest = FAR_DISTANCE;

	for (int i = 0; i < search->count; i++)
	{
		double		distance = fabs(point->logs[i] - search->origin[i]);

		if (distance >= farthest)
		{
			result->end = NEWTON_BOUNDARY;
			result->boundary = i;
			farthest = distance;
		}
	}
}

/* Computes the function and its derivatives by logarithms where the point is. */
static void
look_at(const Search *search, Point *point)
{
	double		parameters[NEWTON_MAX_PARAMETERS];
	double		curvature[NEWTON_MAX_PARAMETERS][NEWTON_MAX_PARAMETERS] = {{0}};
	Derivatives at = {0};

	for (int i = 0; i < search->count; i++)
		parameters[i] = exp(point->logs[i]);
	search->function(search->data, parameters, &at);
	point->value = at.value;
	point->is_finite = isfinite(at.value);
	for (int i = 0; i < search->count; i++)
	{
		point->gradient[i] = parameters[i] * at.gradient[i];
		for (int j = 0; j <= i; j++)
			curvature[i][j] = curvature[j][i] = -parameters[i] * parameters[j] * at.hessian[i][j];
		curvature[i][i] -= point->gradient[i];
		for (int j = 0; j <= i; j++)
			point->is_finite = point->is_finite && isfinite(curvature[i][j]);
	}
	for (int i = 0; i < search->count; i++)
	{
		double		distance = point->logs[i] - search->origin[i];

		point->is_held[i] = fabs(distance) >= HELD_DISTANCE && distance * point->gradient[i] > 0;
		for (int j = 0; point->is_held[i] && j < search->count; j++)
		{
			if (j != i)
				curvature[i][j] = curvature[j][i] = 0;
		}
	}
	if (point->is_finite)
		diagonalise(curvature, search->count, point);
}

/* The step to try, no longer than MAX_STEP; returns what it gains if the function is as its derivatives say. */
static double
newton_step(const Search *search, const Point *point, double *step)
{
	double		floor = largest_curvature(point, search->count) * SINGULAR;
	double		longest = 0;
	double		gain = 0;

	memset(step, 0, sizeof(double) * NEWTON_MAX_PARAMETERS);
	for (int k = 0; k < search->count; k++)
	{
		double		slope = 0;
		double		length;

		for (int i = 0; i < search->count; i++)
			slope += point->is_held[i] ? 0 : point->vectors[k][i] * point->gradient[i];
		/* also where all is flat */
		if (slope == 0)
			continue;
		length = slope / fmax(fmax(fabs(point->curvatures[k]), floor), DBL_MIN);
		gain += slope * length / 2;
		/* a flat direction does not make the steps in the others shorter */
		length = fmax(fmin(length, MAX_STEP), -MAX_STEP);
		for (int i = 0; i < search->count; i++)
			step[i] += point->vectors[k][i] * length;
	}
	for (int i = 0; i < search->count; i++)
		longest = fmax(longest, fabs(step[i]));
	if (longest > MAX_STEP)
	{
		for (int i = 0; i < search->count; i++)
			step[i] *= MAX_STEP / longest;
	}
	return gain;
}

/*
 * Goes along a step, or half of it, and so on, to a larger value; false: there is none.
 * Where the step gains less than rounding takes, it is trusted.
 */
static bool
climb(const Search *search, Point *point, const double *step, double gain)
{
	double		noise = fabs(point->value) * 64 * DBL_EPSILON;
	double		part = 1;

	for (int halvings = 0; halvings < MAX_HALVINGS; halvings++, part /= 2)
	{
		Point		next = *point;

		for (int i = 0; i < search->count; i++)
		{
			double		distance = point->logs[i] + part * step[i] - search->origin[i];

			next.logs[i] = search->origin[i] + fmax(fmin(distance, MAX_DISTANCE), -MAX_DISTANCE);
		}
		look_at(search, &next);
		if (next.is_finite &&
			(next.value > point->value || (gain <= noise && next.value >= point->value - noise)))
		{
			*point = next;
			return true;
		}
	}
	return false;
}

/* Only at a maximum do the second derivatives say how sure the parameters are. */
static void
describe(const Search *search, const Point *point, NewtonResult *result)
{
	double		smallest = smallest_curvature(point, search->count);
	double		largest = largest_curvature(point, search->count);

	result->value = point->value;
	result->condition_number = smallest > 0 ? largest / smallest : HUGE_VAL;
	result->has_covariance = result->end == NEWTON_CONVERGED;
	for (int i = 0; i < search->count; i++)
	{
		result->parameters[i] = exp(point->logs[i]);
		result->gradient = fmax(result->gradient, fabs(point->gradient[i]));
	}
	for (int i = 0; i < search->count; i++)
	{
		for (int j = 0; j < search->count; j++)
		{
			for (int k = 0; k < search->count; k++)
				result->covariance[i][j] += point->vectors[k][i] * point->vectors[k][j] / point->curvatures[k];
			result->covariance[i][j] *= result->parameters[i] * result->parameters[j];
			result->has_covariance = result->has_covariance && isfinite(result->covariance[i][j]);
		}
	}
	if (!result->has_covariance)
		memset(result->covariance, 0, sizeof(result->covariance));
}

static double
largest_curvature(const Point *point, int count)
{
	double		largest = 0;

	for (int i = 0; i < count; i++)
		largest = fmax(largest, fabs(point->curvatures[i]));
	return largest;
}

/* With its sign: not above 0 where the function is not concave. */
static double
smallest_curvature(const Point *point, int count)
{
	double		smallest = HUGE_VAL;

	for (int i = 0; i < count; i++)
		smallest = fmin(smallest, point->curvatures[i]);
	return smallest;
}

/* Eigenvalues and eigenvectors of a symmetric matrix by Jacobi's rotations; the matrix is used up. */
static void
diagonalise(double matrix[NEWTON_MAX_PARAMETERS][NEWTON_MAX_PARAMETERS], int count, Point *point)
{
	memset(point->vectors, 0, sizeof(point->vectors));
	for (int i = 0; i < count; i++)
		point->vectors[i][i] = 1;
	/* it converges quadratically; so many rounds are never needed */
	for (int round = 0; round < 50; round++)
	{
		double		off_diagonal = 0;

		for (int p = 0; p < count; p++)
		{
			for (int q = p + 1; q < count; q++)
			{
				if (matrix[p][q] != 0)
				{
					off_diagonal = fmax(off_diagonal, fabs(matrix[p][q]));
					rotate(matrix, count, point, p, q);
				}
			}
		}
		if (off_diagonal == 0)
			break;
	}
	for (int i = 0; i < count; i++)
		point->curvatures[i] = matrix[i][i];
}

/* Makes matrix[p][q] zero (Golub and Van Loan, Matrix Computations, 8.5). */
static void
rotate(double matrix[NEWTON_MAX_PARAMETERS][NEWTON_MAX_PARAMETERS], int count, Point *point, int p, int q)
{
	double		theta = (matrix[q][q] - matrix[p][p]) / (2 * matrix[p][q]);
	double		t = (theta < 0 ? -1 : 1) / (fabs(theta) + hypot(theta, 1));
	double		c = 1 / hypot(t, 1);
	double		s = t * c;

	for (int i = 0; i < count; i++)
	{
		double		ip = matrix[i][p];
		double		iq = matrix[i][q];

		matrix[i][p] = c * ip - s * iq;
		matrix[i][q] = s * ip + c * iq;
	}
	for (int i = 0; i < count; i++)
	{
		double		pi = matrix[p][i];
		double		qi = matrix[q][i];

		matrix[p][i] = c * pi - s * qi;
		matrix[q][i] = s * pi + c * qi;
		pi = point->vectors[p][i];
		qi = point->vectors[q][i];
		point->vectors[p][i] = c * pi - s * qi;
		point->vectors[q][i] = s * pi + c * qi;
	}
	/* what rounding left */
	matrix[p][q] = matrix[q][p] = 0;
}
