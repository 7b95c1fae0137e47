/*
 * touch_credit.h
 *		How a rule-based attribution model shares one conversion among the touches
 *		before it.
 */
#ifndef ENGAGEMENT_TOUCH_CREDIT_H
#define ENGAGEMENT_TOUCH_CREDIT_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/array.h"

/* For the hint of an error about a model that does not exist. */
#define CREDIT_MODEL_NAMES \
	"first_touch, last_touch, last_non_direct, linear, position_based, u_shaped, j_shaped, " \
	"inverse_j_shaped, w_shaped, full_path, time_decay, participation"

/* Milestones of CREDIT_W_SHAPED and CREDIT_FULL_PATH: the lead and the opportunity. */
#define CREDIT_MILESTONES 2

/* Microseconds: 7 days. */
#define CREDIT_DEFAULT_HALF_LIFE (7 * USECS_PER_DAY)

typedef enum CreditModel
{
	CREDIT_FIRST_TOUCH,
	CREDIT_LAST_TOUCH,
	CREDIT_LAST_NON_DIRECT,
	CREDIT_LINEAR,
	CREDIT_POSITION_BASED,		/* also u_shaped, j_shaped, inverse_j_shaped */
	CREDIT_TIME_DECAY,
	CREDIT_W_SHAPED,
	CREDIT_FULL_PATH,
	CREDIT_PARTICIPATION
} CreditModel;

/* A model with its options. */
typedef struct CreditRule
{
	CreditModel model;
	const char *name;			/* as SQL knows it */
	bool		takes_weights;	/* position_based, but not its presets */
	double		first,			/* weights of CREDIT_POSITION_BASED */
				middle,
				last;
	double		half_life;		/* microseconds, of CREDIT_TIME_DECAY */
} CreditRule;

/* One path of 'length' touches, at least one; each of them is of a channel. */
typedef struct CreditPath
{
	int			length;
	const uint32 *channels;		/* equal numbers are equal channels; for CREDIT_PARTICIPATION */
	const bool *skip;			/* touches that last_non_direct passes over; NULL: none */
	const int64 *touched_at;	/* never decreasing; for the models that credit_needs_times() */
	int			milestone_count;
	const int64 *milestones;	/* times; those not reached are left out */
} CreditPath;

extern bool credit_rule_of_name(const char *name, int length, CreditRule *rule);
extern void credit_rule_set_weights(CreditRule *rule, ArrayType *weights);
extern bool credit_needs_times(CreditModel model);
extern void credit_weights(const CreditRule *rule, const CreditPath *path, double *weights);

#endif							/* ENGAGEMENT_TOUCH_CREDIT_H */
