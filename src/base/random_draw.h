/*
 * random_draw.h
 *		Random numbers of distributions that PostgreSQL does not draw from.
 */
#ifndef ENGAGEMENT_RANDOM_DRAW_H
#define ENGAGEMENT_RANDOM_DRAW_H

#include "postgres.h"

#include "common/pg_prng.h"

extern int64 draw_poisson(pg_prng_state *random, double mean);
extern int64 draw_binomial(pg_prng_state *random, int64 trials, double chance);

#endif							/* ENGAGEMENT_RANDOM_DRAW_H */
