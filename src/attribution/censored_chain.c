/*
 * censored_chain.c
 *		Eliminating states of a Markov chain, without a subtraction.
 *
 * The matrix is dense: elimination fills it anyway.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "attribution/censored_chain.h"

static CensoredChain *allocate(uint32 count);

/*
 * The whole chain; with its start as the first row if that is wanted, whose cells
 * are the numbers of paths that begin in each state.
 */
CensoredChain *
censored_chain_create(const Chain *chain, bool with_start)
{
	uint32		offset = with_start ? 1 : 0;
	CensoredChain *censored = allocate(chain->state_count + offset);

	if (with_start)
	{
		double	   *row = censored_row(censored, 0);

		censored->states[0] = CENSORED_START;
		for (uint32 i = 0; i < chain->state_count; i++)
			row[COLUMN_STATES + offset + i] = chain->starts[i];
	}
	for (uint32 i = 0; i < chain->state_count; i++)
	{
		double	   *row = censored_row(censored, i + offset);

		censored->states[i + offset] = i;
		row[COLUMN_CONVERSIONS] = chain->conversions[i];
		row[COLUMN_VALUE] = chain->values[i];
		row[COLUMN_EXIT] = chain->non_conversions[i];
		for (uint64 j = chain->first[i]; j < chain->first[i + 1]; j++)
			row[COLUMN_STATES + offset + chain->to[j]] = chain->counts[j];
	}
	return censored;
}

/*
 * A copy with these rows in this order.  The other states are deleted: paths that
 * would enter them end there without conversion.
 */
CensoredChain *
censored_chain_select(const CensoredChain *source, const uint32 *rows, uint32 count)
{
	CensoredChain *censored = allocate(count);
	bool	   *kept = palloc0(Max(source->count, 1) * sizeof(bool));

	for (uint32 i = 0; i < count; i++)
		kept[rows[i]] = true;
	for (uint32 i = 0; i < count; i++)
	{
		const double *from = censored_row(source, rows[i]);
		double	   *row = censored_row(censored, i);

		censored->states[i] = source->states[rows[i]];
		memcpy(row, from, COLUMN_STATES * sizeof(double));
		for (uint32 j = 0; j < count; j++)
			row[COLUMN_STATES + j] = from[COLUMN_STATES + rows[j]];
		/* no difference of sums, which would cost digits */
		for (uint32 j = 0; j < source->count; j++)
			row[COLUMN_EXIT] += kept[j] ? 0 : from[COLUMN_STATES + j];
	}
	pfree(kept);
	return censored;
}

/*
 * Eliminates the last state.
 *
 * Each path through another state that enters it leaves it, after any repeats, for
 * the other columns in the proportions of its row.  A state that nothing leaves is
 * never entered in a chain made from paths, as the last touch of each ends in a
 * conversion or without; in a made-up one, what enters it is lost, as it should be.
 */
void
censored_chain_eliminate(CensoredChain *censored)
{
	uint32		last = --censored->count;
	uint32		columns = COLUMN_STATES + last;
	const double *pivot_row = censored_row(censored, last);
	double		pivot = pivot_row[COLUMN_CONVERSIONS];

	CHECK_FOR_INTERRUPTS();
	for (uint32 j = COLUMN_EXIT; j < columns; j++)
		pivot += pivot_row[j];
	for (uint32 i = 0; i < last; i++)
	{
		double	   *row = censored_row(censored, i);
		double		entering = row[columns];

		if (entering != 0 && pivot > 0)
		{
			double		factor = entering / pivot;

			for (uint32 j = 0; j < columns; j++)
				row[j] += factor * pivot_row[j];
		}
	}
}

void
censored_chain_free(CensoredChain *censored)
{
	pfree(censored->states);
	pfree(censored->cells);
	pfree(censored);
}

static CensoredChain *
allocate(uint32 count)
{
	CensoredChain *censored = palloc(sizeof(CensoredChain));

	censored->count = count;
	censored->stride = COLUMN_STATES + count;
	censored->states = palloc_extended((Size) Max(count, 1) * sizeof(uint32), MCXT_ALLOC_HUGE);
	censored->cells = palloc_extended((Size) Max(count, 1) * censored->stride * sizeof(double),
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	return censored;
}
