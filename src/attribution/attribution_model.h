/*
 * attribution_model.h
 *		An attribution model with its options, and the credit that it gives.
 */
#ifndef ENGAGEMENT_ATTRIBUTION_MODEL_H
#define ENGAGEMENT_ATTRIBUTION_MODEL_H

#include "postgres.h"

#include "utils/array.h"

#include "attribution/attribution.h"

typedef enum AttributionModelKind
{
	MODEL_RULE,					/* one of touch_credit.h */
	MODEL_MARKOV,
	MODEL_SHAPLEY,
	MODEL_SHAPLEY_MARKOV,
	MODEL_SHAPLEY_OBSERVED
} AttributionModelKind;

typedef struct AttributionModel
{
	AttributionModelKind kind;
	const char *name;			/* as SQL knows it */
	CreditRule	rule;			/* of MODEL_RULE */
	ArrayType  *weights;		/* of CREDIT_POSITION_BASED; NULL: those of the model */
	ArrayType  *skip;			/* of CREDIT_LAST_NON_DIRECT; NULL: (direct) */
	int			chain_order;	/* of chains */
	int			max_states;
	int			permutations;	/* where orders of channels are drawn */
	uint64		seed;
} AttributionModel;

extern void attribution_model_init(AttributionModel *model, const text *name);
extern ChannelCredit *attribution_model_credit(const AttributionModel *model, const SortedPaths *paths);
extern double *attribution_shares(const ChannelCredit *credit, uint32 channel_count, double conversions);
extern const Chain *chain_of_counts(const MarkovCounts *counts, int max_states);
extern void notice_no_conversions(uint32 channel_count, double conversions);

#define DEFAULT_MAX_STATES 100000

#endif							/* ENGAGEMENT_ATTRIBUTION_MODEL_H */
