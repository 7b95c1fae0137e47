/*
 * buyer_argument.c
 *		The SQL arguments of functions about one customer: the model and his history.
 *
 * Nothing is kept between calls: reading the arguments of a row is a few comparisons.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "common/shortest_dec.h"

#include "clv/buyer_argument.h"
#include "clv/histories.h"

static void check_opportunities(int32 frequency, double recency, double age);
static void check_count(const char *argument, double value);
static char *double_text(double value);

/* The functions of a model of buyers, which all but gamma_gamma and sbg are. */
const BuyerModel *
buyer_model(const Model *model)
{
	switch (model->kind)
	{
		case MODEL_BGNBD:
			return &bgnbd_buyer;
		case MODEL_MBGNBD:
			return &mbgnbd_buyer;
		case MODEL_PARETONBD:
			return &paretonbd_buyer;
		case MODEL_BGBB:
			return &bgbb_buyer;
		default:
			elog(ERROR, "model %s does not say how often a customer buys", model_name(model->kind));
	}
}

/*
 * The history of a customer, checked as buyer.h asks for it; an error names the
 * argument that is wrong, as "frequency", "recency" or "age".  Times are in the unit of
 * the model; for bgbb they are numbers of opportunities.
 */
Buyer
buyer_of_arguments(const Model *model, int32 frequency, double recency, double age)
{
	Buyer		buyer;

	if (unlikely(!is_purchase_history(frequency, recency, age)))
		report_history(frequency, recency, age);
	if (model->kind == MODEL_BGBB)
		check_opportunities(frequency, recency, age);
	buyer.frequency = frequency;
	buyer.recency = recency;
	buyer.age = age;
	return buyer;
}

/* Says which argument of a history that is none is wrong (ERRCODE_INVALID_PARAMETER_VALUE). */
void
report_history(int32 frequency, double recency, double age)
{
	if (frequency < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"frequency\" must be 0 or more, not %d", frequency),
				 errhint("It is the number of repeat purchases: a customer who has bought once has 0.")));
	if (!(age >= 0 && age <= DBL_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"age\" must be finite and 0 or more, not %s", double_text(age)),
				 errhint("It is the time from the first purchase to the end of the observation.")));
	if (!(recency >= 0 && recency <= DBL_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"recency\" must be finite and 0 or more, not %s", double_text(recency)),
				 errhint("It is the time from the first purchase to the last.")));
	if (recency > age)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"recency\" must be at most \"age\", which is %s, not %s", double_text(age), double_text(recency)),
				 errhint("Both are times from the first purchase, in the same unit: recency to the last purchase, age to the end of the observation.")));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"recency\" must be 0 where \"frequency\" is 0, not %s", double_text(recency)),
			 errhint("Both leave out the first purchase: a customer who has bought once has 0 and 0.")));
}

static void
check_opportunities(int32 frequency, double recency, double age)
{
	check_count("age", age);
	check_count("recency", recency);
	if (frequency > recency)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"frequency\" must be at most \"recency\", which is %s, not %d", double_text(recency), frequency),
				 errdetail("In bgbb a customer buys at most once at an opportunity, and recency is the number of the last one that he used.")));
}

static void
check_count(const char *argument, double value)
{
	if (value != floor(value) || value > BUYER_MAX_OPPORTUNITIES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be a whole number of at most %d with bgbb, not %s", argument, BUYER_MAX_OPPORTUNITIES, double_text(value)),
				 errhint("It is a number of opportunities to buy.")));
}

/*
 * The mean value of a customer's repeat purchases, 0 if they were free.  Without any it is not
 * looked at, and can be NULL; else the caller has seen that it is not.
 */
double
monetary_value_argument(FunctionCallInfo fcinfo, int number, int32 frequency)
{
	double		monetary_value;

	if (frequency == 0)
		return 0;
	monetary_value = PG_GETARG_FLOAT8(number);
	/* not true of NaN either */
	if (!(monetary_value >= 0 && monetary_value <= DBL_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"monetary_value\" must be finite and 0 or more, not %s", double_text(monetary_value)),
				 errhint("It is the mean value of the customer's %d repeat purchases.", frequency)));
	return monetary_value;
}

/*
 * What a model answers.  With parameters or times near the limits of doubles it may be none
 * that a double can tell: an error, and never NaN.
 */
double
checked_score(double score)
{
	if (unlikely(isnan(score)))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("parameters of the model, or times, are too large or too small to compute with"),
				 errhint("Use another unit of time.")));
	return score;
}

/*
 * A time to come, in the unit of the model: 0 or more, and finite; for bgbb a whole
 * number of opportunities.
 */
void
check_horizon(const Model *model, double horizon)
{
	/* also true of NaN */
	if (!(horizon >= 0 && horizon <= DBL_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"horizon\" must be finite and 0 or more, not %s", double_text(horizon)),
				 errhint("It is a length of time in the unit of recency and age.")));
	if (model->kind == MODEL_BGBB)
		check_count("horizon", horizon);
}

/*
 * A discount rate, with the horizon of what is discounted, which is HUGE_VAL for all time to
 * come.
 */
void
check_rate(double rate, double horizon)
{
	/* also true of NaN */
	if (!(rate >= 0 && rate <= DBL_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"rate\" must be finite and 0 or more, not %s", double_text(rate)),
				 errhint("It is per unit of time: of an effective rate d, ln(1 + d), but with bgbb d itself.")));
	if (rate == 0 && horizon > DBL_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"rate\" must be greater than 0 without a horizon, not 0"),
				 errdetail("Without a discount, all time to come can hold infinitely many purchases."),
				 errhint("Give argument \"horizon\", or a rate.")));
}

static char *
double_text(double value)
{
	char	   *text = palloc(DOUBLE_SHORTEST_DECIMAL_LEN);

	double_to_shortest_decimal_buf(value, text);
	return text;
}
