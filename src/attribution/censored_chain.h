/*
 * censored_chain.h
 *		A Markov chain watched only while it is in some of its states.
 *
 * Eliminating a state sends the paths that enter it on to where they leave it for.
 * What is left are the numbers of paths between the states watched, and from them to
 * conversion or to nothing, exactly as in the whole chain.
 *
 * Elimination is that of Grassmann, Taksar and Heyman (1985, "Regenerative Analysis and
 * Steady State Distributions for Markov Chains"): the pivot, 1 - q_ii, is formed as
 * the sum of all other ways out of the state.  Nothing is ever subtracted, so every
 * number keeps nearly all of its digits, however close to singular the system is
 * (O'Cinneide 1993, "Entrywise perturbation theory and error analysis for Markov chains").
 */
#ifndef ENGAGEMENT_CENSORED_CHAIN_H
#define ENGAGEMENT_CENSORED_CHAIN_H

#include "postgres.h"

#include "attribution/chain.h"

/* The columns before those of the states. */
#define COLUMN_CONVERSIONS 0
#define COLUMN_VALUE 1
#define COLUMN_EXIT 2			/* paths that end without conversion */
#define COLUMN_STATES 3

/* In place of a state's number: the start, into which nothing leads. */
#define CENSORED_START PG_UINT32_MAX

typedef struct CensoredChain
{
	uint32		count;			/* states watched */
	uint32		stride;			/* cells in a row */
	uint32	   *states;			/* their numbers in the chain */
	double	   *cells;			/* a row for each state: the columns above, then one for each state */
} CensoredChain;

extern CensoredChain *censored_chain_create(const Chain *chain, bool with_start);
extern CensoredChain *censored_chain_select(const CensoredChain *source, const uint32 *rows, uint32 count);
extern void censored_chain_eliminate(CensoredChain *censored);
extern void censored_chain_free(CensoredChain *censored);

static inline double *
censored_row(const CensoredChain *censored, uint32 row)
{
	return censored->cells + (Size) row * censored->stride;
}

#endif							/* ENGAGEMENT_CENSORED_CHAIN_H */
