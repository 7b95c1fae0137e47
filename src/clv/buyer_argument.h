/*
 * buyer_argument.h
 *		The SQL arguments of functions about one customer: the model and his history.
 */
#ifndef ENGAGEMENT_CLV_BUYER_ARGUMENT_H
#define ENGAGEMENT_CLV_BUYER_ARGUMENT_H

#include "base/compat.h"
#include "clv/buyer.h"
#include "clv/model.h"

extern const BuyerModel *buyer_model(const Model *model);
pg_noreturn extern void report_history(int32 frequency, double recency, double age);
extern Buyer buyer_of_arguments(const Model *model, int32 frequency, double recency, double age);
extern double monetary_value_argument(FunctionCallInfo fcinfo, int number, int32 frequency);
extern double checked_score(double score);
extern void check_horizon(const Model *model, double horizon);
extern void check_rate(double rate, double horizon);

#endif							/* ENGAGEMENT_CLV_BUYER_ARGUMENT_H */
