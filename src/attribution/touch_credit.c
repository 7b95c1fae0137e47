/*
 * touch_credit.c
 *		The rule-based attribution models.
 *
 * A path is given as numbers and times, without SQL types.  Per path: for
 * participation in long paths a hash table, else nothing.
 *
 * Each share is one division of integers where the model allows it, so that the
 * shares of a path add up to 1 but for the rounding of each.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "common/hashfn.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

#include "attribution/path_array.h"
#include "attribution/touch_credit.h"
#include "timeline/codec.h"

/* Weights that a user gives need not be nearer to a sum of 1. */
#define WEIGHTS_TOLERANCE 1e-9

/* Paths up to this length are searched for a channel, longer ones have a hash table. */
#define SHORT_PATH 16

static void give_all(double *weights, int length, int touch);
static int	last_not_skipped(const CreditPath *path);
static void give_by_position(const CreditRule *rule, int length, double *weights);
static void give_by_age(const CreditRule *rule, const CreditPath *path, double *weights);
static void give_by_milestone(const CreditPath *path, bool with_close, int milestone_credit, int rest_credit,
							  double *weights);
static int	touch_of_milestone(const CreditPath *path, int64 milestone);
static void give_each_channel(const CreditPath *path, double *weights);
static bool is_repeat(const CreditPath *path, int touch);

/*
 * Looks up a model and gives it the options that it has by default; false if there
 * is none of this name.
 */
bool
credit_rule_of_name(const char *name, int length, CreditRule *rule)
{
	static const struct
	{
		const char *name;
		int			length;
		CreditModel model;
		double		first,
					middle,
					last;
	}			models[] = {
		{"first_touch", 11, CREDIT_FIRST_TOUCH},
		{"last_touch", 10, CREDIT_LAST_TOUCH},
		{"last_non_direct", 15, CREDIT_LAST_NON_DIRECT},
		{"linear", 6, CREDIT_LINEAR},
		{"position_based", 14, CREDIT_POSITION_BASED, 0.4, 0.2, 0.4},
		{"u_shaped", 8, CREDIT_POSITION_BASED, 0.4, 0.2, 0.4},
		{"j_shaped", 8, CREDIT_POSITION_BASED, 0.2, 0.2, 0.6},
		{"inverse_j_shaped", 16, CREDIT_POSITION_BASED, 0.6, 0.2, 0.2},
		{"w_shaped", 8, CREDIT_W_SHAPED},
		{"full_path", 9, CREDIT_FULL_PATH},
		{"time_decay", 10, CREDIT_TIME_DECAY},
		{"participation", 13, CREDIT_PARTICIPATION},
	};

	for (size_t i = 0; i < lengthof(models); i++)
	{
		if (models[i].length != length || memcmp(models[i].name, name, length) != 0)
			continue;
		rule->model = models[i].model;
		rule->name = models[i].name;
		/* the one whose name is that of the model itself */
		rule->takes_weights = models[i].model == CREDIT_POSITION_BASED && length == 14;
		rule->first = models[i].first;
		rule->middle = models[i].middle;
		rule->last = models[i].last;
		rule->half_life = CREDIT_DEFAULT_HALF_LIFE;
		return true;
	}
	return false;
}

/*
 * Takes the weights {first, middle, last} of position_based from the argument
 * "weights": not negative, of sum 1, and with credit for one of the ends at
 * least.  Else an error (ERRCODE_INVALID_PARAMETER_VALUE).
 */
void
credit_rule_set_weights(CreditRule *rule, ArrayType *weights)
{
	WideArrayWalk walk;
	double		values[3];
	double		total;

	wide_array_start(&walk, weights, "weights");
	if (walk.length != 3)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"weights\" must have 3 elements, not %d", walk.length),
				 errhint("They are the shares of the first touch, of all in the middle and of the last, as {0.4,0.2,0.4}.")));
	for (int i = 0; i < 3; i++)
	{
		if (!wide_array_next(&walk, &values[i]))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument \"weights\" must not have NULL elements")));
		/* also true of NaN */
		if (!(values[i] >= 0 && values[i] <= DBL_MAX))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("element %d of argument \"weights\" must be a number of 0 or more, not %g",
							i + 1, values[i])));
	}
	total = values[0] + values[1] + values[2];
	if (!(fabs(total - 1) <= WEIGHTS_TOLERANCE))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"weights\" must have the sum 1, not %.10g", total),
				 errhint("They are the shares of the first touch, of all in the middle and of the last, as {0.4,0.2,0.4}.")));
	if (values[0] + values[2] == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"weights\" must give credit to the first or the last touch"),
				 errdetail("A path of one or two touches has no middle.")));
	/* thirds in decimals are meant as thirds; what differs by rounding only stays as it is */
	if (fabs(total - 1) <= DBL_EPSILON)
		total = 1;
	rule->first = values[0] / total;
	rule->middle = values[1] / total;
	rule->last = values[2] / total;
}

/* Whether a model looks at the times of touches. */
bool
credit_needs_times(CreditModel model)
{
	return model == CREDIT_TIME_DECAY || model == CREDIT_W_SHAPED || model == CREDIT_FULL_PATH;
}

/*
 * The share of each touch of a path in its conversion.  The shares add up to 1,
 * but those of CREDIT_PARTICIPATION to the number of channels.  The table of shares
 * is that of the documentation; w_shaped and full_path are the 30/30/30/10 and
 * 22.5/22.5/22.5/22.5/10 of marketing.
 */
void
credit_weights(const CreditRule *rule, const CreditPath *path, double *weights)
{
	int			length = path->length;

	Assert(length > 0);
	switch (rule->model)
	{
		case CREDIT_FIRST_TOUCH:
			give_all(weights, length, 0);
			break;
		case CREDIT_LAST_TOUCH:
			give_all(weights, length, length - 1);
			break;
		case CREDIT_LAST_NON_DIRECT:
			give_all(weights, length, last_not_skipped(path));
			break;
		case CREDIT_LINEAR:
			for (int i = 0; i < length; i++)
				weights[i] = 1.0 / length;
			break;
		case CREDIT_POSITION_BASED:
			give_by_position(rule, length, weights);
			break;
		case CREDIT_TIME_DECAY:
			give_by_age(rule, path, weights);
			break;
		case CREDIT_W_SHAPED:
			/* 30 % and 10 % in tenths */
			give_by_milestone(path, false, 3, 1, weights);
			break;
		case CREDIT_FULL_PATH:
			/* 22.5 % and 10 % in fortieths */
			give_by_milestone(path, true, 9, 4, weights);
			break;
		case CREDIT_PARTICIPATION:
			give_each_channel(path, weights);
			break;
	}
}

static void
give_all(double *weights, int length, int touch)
{
	memset(weights, 0, sizeof(double) * length);
	weights[touch] = 1;
}

static int
last_not_skipped(const CreditPath *path)
{
	int			touch = path->length - 1;

	while (touch >= 0 && path->skip != NULL && path->skip[touch])
		touch--;
	return touch >= 0 ? touch : path->length - 1;
}

static void
give_by_position(const CreditRule *rule, int length, double *weights)
{
	if (length == 1)
		weights[0] = 1;
	else if (length == 2)
	{
		double		lesser = Min(rule->first, rule->last) / (rule->first + rule->last);

		/* a difference from 1 is rounded once: 0.6 and 0.2 give 0.75 and 0.25 */
		weights[0] = rule->first < rule->last ? lesser : 1 - lesser;
		weights[1] = rule->first < rule->last ? 1 - lesser : lesser;
	}
	else
	{
		weights[0] = rule->first;
		for (int i = 1; i < length - 1; i++)
			weights[i] = rule->middle / (length - 2);
		weights[length - 1] = rule->last;
	}
}

static void
give_by_age(const CreditRule *rule, const CreditPath *path, double *weights)
{
	int64		youngest = path->touched_at[0];
	double		total = 0;

	for (int i = 1; i < path->length; i++)
		youngest = Max(youngest, path->touched_at[i]);
	/* from the small to the large; what is too old for a double becomes 0 */
	for (int i = 0; i < path->length; i++)
	{
		/* the range of time is wider than int64 */
		weights[i] = exp2(-(double) ((uint64) youngest - (uint64) path->touched_at[i]) / rule->half_life);
		total += weights[i];
		if (i % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	for (int i = 0; i < path->length; i++)
		weights[i] /= total;
}

/*
 * The first touch, each milestone reached and with_close the last touch have
 * milestone_credit each, the touches that are none of these rest_credit together.
 * What nobody has is shared in proportion.
 */
static void
give_by_milestone(const CreditPath *path, bool with_close, int milestone_credit, int rest_credit, double *weights)
{
	int			reached = 1;
	int			others = 0;
	double		total;

	memset(weights, 0, sizeof(double) * path->length);
	weights[0] = 1;
	for (int i = 0; i < path->milestone_count; i++)
	{
		int			touch = touch_of_milestone(path, path->milestones[i]);

		if (touch < 0)
			continue;
		weights[touch]++;
		reached++;
	}
	if (with_close)
	{
		weights[path->length - 1]++;
		reached++;
	}
	for (int i = 0; i < path->length; i++)
		others += weights[i] == 0;
	total = milestone_credit * reached + (others > 0 ? rest_credit : 0);
	for (int i = 0; i < path->length; i++)
		weights[i] = weights[i] > 0 ? weights[i] * milestone_credit / total : rest_credit / (total * others);
}

/* The last touch at or before a milestone; -1: none is. */
static int
touch_of_milestone(const CreditPath *path, int64 milestone)
{
	int			touch = path->length - 1;

	while (touch >= 0 && path->touched_at[touch] > milestone)
		touch--;
	return touch;
}

/* The first touch of each channel has its whole credit. */
static void
give_each_channel(const CreditPath *path, double *weights)
{
	uint32		slot_mask;
	int		   *slots;			/* touch + 1, 0: free; open addressing, at most half full */

	if (path->length <= SHORT_PATH)
	{
		for (int i = 0; i < path->length; i++)
			weights[i] = is_repeat(path, i) ? 0 : 1;
		return;
	}
	slot_mask = (uint32) pg_nextpower2_64(2 * (uint64) path->length) - 1;
	slots = palloc_extended(((Size) slot_mask + 1) * sizeof(int), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int i = 0; i < path->length; i++)
	{
		uint32		slot = murmurhash32(path->channels[i]) & slot_mask;

		while (slots[slot] != 0 && path->channels[slots[slot] - 1] != path->channels[i])
			slot = (slot + 1) & slot_mask;
		weights[i] = slots[slot] == 0;
		if (slots[slot] == 0)
			slots[slot] = i + 1;
		if (i % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	pfree(slots);
}

static bool
is_repeat(const CreditPath *path, int touch)
{
	for (int i = 0; i < touch; i++)
	{
		if (path->channels[i] == path->channels[touch])
			return true;
	}
	return false;
}
