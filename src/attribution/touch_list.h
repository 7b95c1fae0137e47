/*
 * touch_list.h
 *		The touches of one path and the options of a model as SQL gives them, so
 *		that a path in arrays and one in rows have the same shares.
 *
 *		credit_options_read(&options, fcinfo->args);
 *		touch_list_start(&list, &options, length, "touched_at");
 *		while (there is an element)
 *			touch_list_add(&list, channel, at);
 *		touch_list_weights(&list, weights);			-- of all 'length' elements
 */
#ifndef ENGAGEMENT_TOUCH_LIST_H
#define ENGAGEMENT_TOUCH_LIST_H

#include "postgres.h"

#include "attribution/channel_names.h"
#include "attribution/touch_credit.h"

/* Places of the options among the arguments of attribution_weights and attribution_share alike. */
#define CREDIT_ARGUMENT_MODEL 0
#define CREDIT_ARGUMENT_CONVERTED_AT 3
#define CREDIT_ARGUMENT_SKIP 4
#define CREDIT_ARGUMENT_WEIGHTS 5
#define CREDIT_ARGUMENT_HALF_LIFE 6
#define CREDIT_ARGUMENT_MILESTONES 7
#define CREDIT_ARGUMENTS 8

typedef struct CreditOptions
{
	CreditRule	rule;
	bool		has_converted_at;
	int64		converted_at;
	int			skip_count;
	TimelineString *skip;		/* channels that last_non_direct passes over */
	TimelineString default_skip;
	int			milestone_count;	/* of those that were reached */
	int64		milestones[CREDIT_MILESTONES];
} CreditOptions;

/* Elements are added in the order of the path; those that are no channel have no credit. */
typedef struct TouchList
{
	const CreditOptions *options;
	const char *time_argument;	/* its name; NULL: the touches have no times */
	int			capacity;
	int			length;			/* elements so far, */
	int			touch_count;	/* and how many of them are touches */
	int			unattributed;	/* the first element that says (unattributed); -1: none */
	int		   *places;			/* touches' elements; NULL: all elements are touches */
	int64		last_at;		/* of the touches so far */
	int64	   *times;			/* of each touch what the model needs: NULL or room for all */
	uint32	   *channels;
	bool	   *skip;
	ChannelNames names;			/* of channels */
} TouchList;

extern void credit_options_read(CreditOptions *options, const NullableDatum *arguments);
extern void touch_list_start(TouchList *list, const CreditOptions *options, int capacity, const char *time_argument);
extern void touch_list_add(TouchList *list, const TimelineString *channel, const int64 *at);
extern void touch_list_weights(TouchList *list, double *weights);

#endif							/* ENGAGEMENT_TOUCH_LIST_H */
