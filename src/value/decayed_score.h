/*
 * decayed_score.h
 *		The decayed score as it is stored, for its arithmetic (decayed_score.c)
 *		and its input and output (decayed_score_io.c).
 */
#ifndef ENGAGEMENT_DECAYED_SCORE_H
#define ENGAGEMENT_DECAYED_SCORE_H

#include "datatype/timestamp.h"
#include "fmgr.h"

typedef struct DecayedScore
{
	TimestampTz anchor;			/* the latest event */
	int64		half_life;		/* microseconds, > 0 */
	double		sum;			/* the score at the anchor */
	int64		count;			/* events */
	double		carry;			/* to be added to sum; 0 in a finished value */
} DecayedScore;

#define DatumGetDecayedScoreP(X) ((DecayedScore *) DatumGetPointer(X))
#define PG_GETARG_DECAYED_SCORE_P(n) DatumGetDecayedScoreP(PG_GETARG_DATUM(n))

extern double decayed_score_sum(const DecayedScore *score);
extern char *decayed_score_seconds(int64 microseconds);
extern void decayed_score_assert(const DecayedScore *score);

#endif							/* ENGAGEMENT_DECAYED_SCORE_H */
