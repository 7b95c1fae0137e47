/*
 * buyer.h
 *		What a model says about one customer: whether he is alive, and what he will buy.
 *
 * Plain C: no PostgreSQL header and no error exit, so that a test links it alone.
 *
 * Times are in the unit of the model.  A new customer is {0, 0, 0}: he has bought once,
 * just now.  For bgbb, recency and age are numbers of opportunities, and so is a horizon.
 * The caller has checked: frequency >= 0; 0 <= recency <= age; recency is 0 if frequency
 * is; all finite; horizon >= 0 or infinite; rate >= 0, and > 0 if the horizon is infinite.
 */
#ifndef ENGAGEMENT_CLV_BUYER_H
#define ENGAGEMENT_CLV_BUYER_H

/*
 * Opportunities of bgbb are added up one by one, and a double counts them exactly; nobody has
 * more of them.
 */
#define BUYER_MAX_OPPORTUNITIES 1000000

typedef struct Buyer
{
	double		frequency;		/* a whole number */
	double		recency;
	double		age;
} Buyer;

/*
 * One model's answers.  None is ever NaN; expectations can be infinite only where the
 * model's are.
 *
 * p_alive: at the end of the observation (bgbb: at the next opportunity, as published).
 * expected_purchases: in (age, age + horizon]; the horizon is finite.
 * purchase_probability: that exactly n purchases happen in (age, age + horizon].
 * discounted_purchases: expected purchases in (age, age + horizon], each times exp(-rate * its time from now);
 * bgbb: times (1 + rate)^-(opportunity).  horizon may be HUGE_VAL.
 */
typedef struct BuyerModel
{
	double		(*p_alive) (const double *parameters, const Buyer *buyer);
	double		(*expected_purchases) (const double *parameters, const Buyer *buyer, double horizon);
	double		(*purchase_probability) (const double *parameters, const Buyer *buyer, double n, double horizon);
	double		(*discounted_purchases) (const double *parameters, const Buyer *buyer, double horizon, double rate);
} BuyerModel;

extern const BuyerModel bgnbd_buyer;
extern const BuyerModel mbgnbd_buyer;
extern const BuyerModel paretonbd_buyer;
extern const BuyerModel bgbb_buyer;

extern double gamma_gamma_expected_value(const double *parameters, double frequency, double monetary_value);

extern double sbg_survival(const double *parameters, double period);
extern double sbg_retention(const double *parameters, double period);
extern double sbg_discounted_periods(const double *parameters, double periods, double rate);

#endif							/* ENGAGEMENT_CLV_BUYER_H */
