/*
 * chain_flow.h
 *		What would be lost without each channel, by following conversions back
 *		through the states they came from.
 */
#ifndef ENGAGEMENT_CHAIN_FLOW_H
#define ENGAGEMENT_CHAIN_FLOW_H

#include "postgres.h"

#include "attribution/chain.h"

extern bool chain_flow_losses(const Chain *chain, double most_work, ChannelLoss *losses);

#endif							/* ENGAGEMENT_CHAIN_FLOW_H */
