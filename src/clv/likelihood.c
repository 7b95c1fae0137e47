/*
 * likelihood.c
 *		What the log-likelihoods have in common: compensated sums, and the terms that
 *		need nothing of a customer but the number of purchases.
 */
#include "postgres.h"

#include <math.h>

#include "clv/likelihood.h"

static int	compare_frequencies(const void *a, const void *b);

/* Adds a term for so many customers. */
void
derivative_sum_add(DerivativeSum *sum, const Derivatives *term, int count, double customers)
{
	double	   *next = sum->sum;
	double	   *rest = sum->rest;

#define ADD(number) \
	do { \
		double		addend = (number) * customers; \
		double		total = *next + addend; \
		*rest++ += fabs(*next) >= fabs(addend) ? (*next - total) + addend : (addend - total) + *next; \
		*next++ = total; \
	} while (0)

	ADD(term->value);
	for (int i = 0; i < count; i++)
		ADD(term->gradient[i]);
	for (int i = 0; i < count; i++)
	{
		for (int j = 0; j <= i; j++)
			ADD(term->hessian[i][j]);
	}
#undef ADD
}

/* The sum, rounded. */
void
derivative_sum_result(const DerivativeSum *sum, int count, Derivatives *result)
{
	int			place = 0;

#define TOTAL() (place++, sum->sum[place - 1] + sum->rest[place - 1])

	result->value = TOTAL();
	for (int i = 0; i < count; i++)
		result->gradient[i] = TOTAL();
	for (int i = 0; i < count; i++)
	{
		for (int j = 0; j <= i; j++)
			result->hessian[i][j] = TOTAL();
	}
#undef TOTAL
}

/*
 * How many customers made how many repeat purchases, in ascending order: of the
 * histories that the likelihood takes.  Gamma functions are computed once for each.
 */
const Frequencies *
likelihood_frequencies(Likelihood *likelihood)
{
	Frequencies *frequencies = likelihood->frequencies;
	FrequencyCount *all;
	uint32		used = 0;

	if (frequencies != NULL)
		return frequencies;
	frequencies = palloc(sizeof(Frequencies));
	all = palloc_extended(((Size) likelihood->histories.count / likelihood->step + 1) * sizeof(FrequencyCount), MCXT_ALLOC_HUGE);
	for (uint64 i = 0; i < likelihood->histories.count; i += likelihood->step)
	{
		const History *history = &likelihood->histories.items[i];

		all[used++] = (FrequencyCount) {history->frequency, (double) history->customers};
	}
	qsort(all, used, sizeof(FrequencyCount), compare_frequencies);
	frequencies->items = all;
	frequencies->count = 0;
	for (uint32 i = 0; i < used; i++)
	{
		if (frequencies->count > 0 && all[frequencies->count - 1].frequency == all[i].frequency)
			all[frequencies->count - 1].customers += all[i].customers;
		else
			all[frequencies->count++] = all[i];
	}
	likelihood->frequencies = frequencies;
	return frequencies;
}

static int
compare_frequencies(const void *a, const void *b)
{
	double		left = ((const FrequencyCount *) a)->frequency;
	double		right = ((const FrequencyCount *) b)->frequency;

	return (left > right) - (left < right);
}
