/*
 * quadrature.c
 *		Numerical integrals.
 *
 * Gauss-Legendre rules of 8, 16 and 32 nodes on [0, 1], and what the integrals over the
 * time at which a customer leaves have in common: the logarithm of the integrand is
 * concave, and no singularity comes nearer than pi to the real axis.
 */
#include <math.h>
#include <stddef.h>

#include "base/quadrature.h"

/*
 * A panel of 16 nodes: no wider than this, and across it the logarithm of the integrand
 * rises or falls by no more than that. Its error is then below 1e-14 of the integral.
 */
#define PANEL_WIDTH 2.0
#define PANEL_DROP 12.0

/* More are never needed but by a function that is so steep that rounding makes it rough. */
#define MAX_PANELS 2000

/* What is left out beyond the last panel, relative to the integral. */
#define LEFT_OUT 1e-17

/* The place of the maximum is found to so much of the logarithm of the integrand. */
#define TOP_TOLERANCE 1.0

/* An integrand relative to its value at the top. */
typedef struct Integrand
{
	LogFunction function;
	const void *data;
	double		top;
} Integrand;

static double find_top(const Integrand *integrand, double end);
static double integrate_away(const Integrand *integrand, double from, double end, double sum);
static double integrate_panel(const Integrand *integrand, double from, double to);

/* Nodes and weights of Gauss and Legendre, moved from [-1, 1] to [0, 1]. */

static const double nodes_8[8] = {
	0.019855071751231884, 0.10166676129318664, 0.2372337950418355, 0.40828267875217511,
	0.59171732124782495, 0.7627662049581645, 0.89833323870681336, 0.98014492824876809
};

static const double weights_8[8] = {
	0.050614268145188129, 0.11119051722668724, 0.15685332293894363, 0.181341891689181,
	0.181341891689181, 0.15685332293894363, 0.11119051722668724, 0.050614268145188129
};

static const double nodes_16[16] = {
	0.0052995325041750333, 0.02771248846338371, 0.067184398806084122, 0.12229779582249849,
	0.19106187779867811, 0.27099161117138632, 0.35919822461037054, 0.45249374508118129,
	0.54750625491881877, 0.64080177538962946, 0.72900838882861374, 0.80893812220132189,
	0.87770220417750155, 0.93281560119391582, 0.9722875115366163, 0.99470046749582497
};

static const double weights_16[16] = {
	0.013576229705877048, 0.031126761969323947, 0.047579255841246393, 0.062314485627766938,
	0.074797994408288368, 0.084578259697501268, 0.091301707522461792, 0.094725305227534251,
	0.094725305227534251, 0.091301707522461792, 0.084578259697501268, 0.074797994408288368,
	0.062314485627766938, 0.047579255841246393, 0.031126761969323947, 0.013576229705877048
};

static const double nodes_32[32] = {
	0.0013680690752592183, 0.0071942442273658326, 0.017618872206246784, 0.032546962031130153,
	0.051839422116973941, 0.075316193133715015, 0.10275810201602879, 0.13390894062985517,
	0.16847786653489241, 0.20614212137961885, 0.24655004553388529, 0.28932436193468231,
	0.33406569885893617, 0.38035631887393145, 0.42776401920860174, 0.47584616715613082,
	0.52415383284386918, 0.57223598079139826, 0.61964368112606849, 0.66593430114106378,
	0.71067563806531764, 0.75344995446611474, 0.79385787862038115, 0.83152213346510762,
	0.86609105937014486, 0.89724189798397125, 0.92468380686628493, 0.9481605778830261,
	0.96745303796886983, 0.98238112779375319, 0.99280575577263419, 0.99863193092474078
};

static const double weights_32[32] = {
	0.0035093050047350482, 0.0081371973654528352, 0.012696032654631029, 0.017136931456510716,
	0.021417949011113342, 0.025499029631188087, 0.029342046739267772, 0.032911111388180925,
	0.036172897054424252, 0.039096947893535156, 0.041655962113473374, 0.043826046502201906,
	0.045586939347881945, 0.046922199540402283, 0.04781936003963743, 0.048270044257363899,
	0.048270044257363899, 0.04781936003963743, 0.046922199540402283, 0.045586939347881945,
	0.043826046502201906, 0.041655962113473374, 0.039096947893535156, 0.036172897054424252,
	0.032911111388180925, 0.029342046739267772, 0.025499029631188087, 0.021417949011113342,
	0.017136931456510716, 0.012696032654631029, 0.0081371973654528352, 0.0035093050047350482
};

static const QuadratureRule rules[] = {
	{8, nodes_8, weights_8},
	{16, nodes_16, weights_16},
	{32, nodes_32, weights_32}
};

/* The rule of the fewest nodes that has so many or, if none has, of the most. */
const QuadratureRule *
quadrature_rule(int nodes)
{
	size_t		last = sizeof(rules) / sizeof(rules[0]) - 1;

	for (size_t i = 0; i < last; i++)
		if (nodes <= rules[i].count)
			return &rules[i];
	return &rules[last];
}

/*
 * The logarithm of the integral over [0, end] of a function whose logarithm is concave
 * there and whose singularities stay pi away from the real axis. Relative to the
 * integral the error is about 1e-14, and what the logarithm loses itself. end is finite,
 * or the function falls to 0 at least as exp(-y / 100). end = 0 gives -infinity.
 *
 * From the top, where the function is largest, panels go both ways until what is left
 * cannot matter: a function of that kind lies below its tangents.
 */
double
quadrature_log_integral(LogFunction function, const void *data, double end)
{
	Integrand	integrand = {function, data, 0};
	double		top;
	double		slope;
	double		sum;

	if (!(end > 0))
		return -INFINITY;
	top = find_top(&integrand, end);
	integrand.top = function(data, top, &slope);
	if (!isfinite(integrand.top))
		return integrand.top;	/* it is 0, or not finite, where it is largest */
	sum = integrate_away(&integrand, top, end, 0);
	if (top > 0)
		sum += integrate_away(&integrand, top, 0, sum);
	return integrand.top + log(sum);
}

/*
 * A place whose value is close to the largest. It is looked for by doubling and halving
 * first: it can lie many powers of ten below the end.
 */
static double
find_top(const Integrand *integrand, double end)
{
	double		low = 0;
	double		high = end < 1 ? end : 1;
	double		rise;
	double		fall;

	integrand->function(integrand->data, 0, &rise);
	if (!(rise > 0))
		return 0;
	integrand->function(integrand->data, high, &fall);
	while (fall > 0)
	{
		low = high;
		rise = fall;
		if (high >= end)
			return end;
		high = 2 * high < end ? 2 * high : end;
		integrand->function(integrand->data, high, &fall);
	}
	/* concave: the top is at most rise * (high - low) above the value at low */
	while (!(rise * (high - low) < TOP_TOLERANCE) || !(-fall * (high - low) < TOP_TOLERANCE))
	{
		double		middle = low + (high - low) / 2;
		double		slope;

		if (!(middle > low && middle < high))
			break;
		integrand->function(integrand->data, middle, &slope);
		if (slope > 0)
		{
			low = middle;
			rise = slope;
		}
		else
		{
			high = middle;
			fall = slope;
		}
	}
	return low > 0 ? low : high;
}

/*
 * The integral from the top to the end on one side, relative to the value at the top.
 * sum is that of the other side, to know what still matters.
 */
static double
integrate_away(const Integrand *integrand, double from, double end, double sum)
{
	double		result = 0;
	double		side = end > from ? 1 : -1;
	double		width = PANEL_WIDTH;
	double		slope;
	double		value = integrand->function(integrand->data, from, &slope) - integrand->top;

	for (int panels = 0; from != end && panels < MAX_PANELS; panels++)
	{
		double		to;
		double		next;
		double		next_slope;

		/* the function falls at least as fast as here */
		if (-side * slope * width > PANEL_DROP)
			width = PANEL_DROP / (-side * slope);
		for (;;)
		{
			to = from + side * width;
			if (side * (to - end) >= 0)
				to = end;
			next = integrand->function(integrand->data, to, &next_slope) - integrand->top;
			if (value - next <= PANEL_DROP || to == from)
				break;
			width = fmin(width, fabs(to - from)) / 2;
		}
		if (to == from)
			break;				/* narrower than the numbers are dense */
		result += integrate_panel(integrand, from, to);
		from = to;
		value = next;
		slope = next_slope;
		if (-side * slope > 0 && exp(value) < LEFT_OUT * (sum + result) * -side * slope)
			break;
		width = 2 * width < PANEL_WIDTH ? 2 * width : PANEL_WIDTH;
	}
	return result;
}

static double
integrate_panel(const Integrand *integrand, double from, double to)
{
	double		sum = 0;

	for (int i = 0; i < 16; i++)
	{
		double		slope;

		sum += weights_16[i] * exp(integrand->function(integrand->data, from + (to - from) * nodes_16[i], &slope) - integrand->top);
	}
	return sum * fabs(to - from);
}
