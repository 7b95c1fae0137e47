/*
 * touch_list.c
 *		From SQL's touches and options to what a model needs, and back to a share for
 *		each element.
 *
 * Per path, in the caller's memory context: what the model looks at, for each
 * touch; usually nothing.
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "attribution/path_array.h"
#include "attribution/touch_list.h"
#include "base/duration.h"
#include "base/iso_time.h"
#include "base/text_array.h"

static void read_model(CreditRule *rule, const text *name);
static void read_skip(CreditOptions *options, const NullableDatum *argument);
static void read_milestones(CreditOptions *options, const NullableDatum *argument);
static void add_other(TouchList *list, const TimelineString *channel);
static void check_time(const TouchList *list, const int64 *at);
static bool is_skipped(const CreditOptions *options, const TimelineString *channel);
static char *time_text(int64 at);

/*
 * Reads the options from the arguments of attribution_weights or attribution_share,
 * of which the model is not NULL.  Options that the model has no use for are not
 * looked at, so that one call can serve many models.  The result may point into
 * the arguments.
 */
void
credit_options_read(CreditOptions *options, const NullableDatum *arguments)
{
	const NullableDatum *argument;

	read_model(&options->rule, DatumGetTextPP(arguments[CREDIT_ARGUMENT_MODEL].value));

	argument = &arguments[CREDIT_ARGUMENT_CONVERTED_AT];
	options->has_converted_at = !argument->isnull;
	options->converted_at = argument->isnull ? 0 : DatumGetTimestampTz(argument->value);
	if (!argument->isnull && TIMESTAMP_NOT_FINITE(options->converted_at))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("argument \"converted_at\" cannot be infinite")));

	options->skip_count = 0;
	if (options->rule.model == CREDIT_LAST_NON_DIRECT)
		read_skip(options, &arguments[CREDIT_ARGUMENT_SKIP]);

	argument = &arguments[CREDIT_ARGUMENT_WEIGHTS];
	if (options->rule.takes_weights && !argument->isnull)
		credit_rule_set_weights(&options->rule, DatumGetArrayTypeP(argument->value));

	argument = &arguments[CREDIT_ARGUMENT_HALF_LIFE];
	if (options->rule.model == CREDIT_TIME_DECAY && !argument->isnull)
		options->rule.half_life = (double) duration_positive(DatumGetIntervalP(argument->value), "half_life");

	options->milestone_count = 0;
	if (options->rule.model == CREDIT_W_SHAPED || options->rule.model == CREDIT_FULL_PATH)
		read_milestones(options, &arguments[CREDIT_ARGUMENT_MILESTONES]);
}

static void
read_model(CreditRule *rule, const text *name)
{
	const char *bytes = VARDATA_ANY(name);
	int			length = VARSIZE_ANY_EXHDR(name);

	if (!credit_rule_of_name(bytes, length, rule))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"model\" cannot be \"%.*s\"", length, bytes),
				 errhint("Valid values are " CREDIT_MODEL_NAMES ".")));
}

static void
read_skip(CreditOptions *options, const NullableDatum *argument)
{
	TextArrayWalk walk;

	if (argument->isnull)
	{
		options->default_skip.bytes = CHANNEL_DIRECT;
		options->default_skip.length = sizeof(CHANNEL_DIRECT) - 1;
		options->skip = &options->default_skip;
		options->skip_count = 1;
		return;
	}
	text_array_start(&walk, DatumGetArrayTypeP(argument->value), "skip");
	options->skip = palloc_extended(sizeof(TimelineString) * Max(walk.length, 1), MCXT_ALLOC_HUGE);
	while (text_array_next(&walk))
	{
		/* a NULL is no channel, so there is nothing to pass over */
		if (walk.bytes == NULL)
			continue;
		options->skip[options->skip_count].bytes = walk.bytes;
		options->skip[options->skip_count++].length = walk.size;
	}
}

static void
read_milestones(CreditOptions *options, const NullableDatum *argument)
{
	WideArrayWalk walk;

	if (argument->isnull)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model \"%s\" needs argument \"milestones\"", options->rule.name),
				 errhint("It has two times: when the visitor became a lead, and when an opportunity. One not reached is NULL.")));
	wide_array_start(&walk, DatumGetArrayTypeP(argument->value), "milestones");
	if (walk.length != CREDIT_MILESTONES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"milestones\" must have %d elements, not %d", CREDIT_MILESTONES, walk.length),
				 errhint("They are the times when the visitor became a lead, and when an opportunity. One not reached is NULL.")));
	for (int i = 0; i < CREDIT_MILESTONES; i++)
	{
		int64		at;

		if (!wide_array_next(&walk, &at))
			continue;
		if (TIMESTAMP_NOT_FINITE(at))
			ereport(ERROR,
					(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
					 errmsg("a time in argument \"milestones\" cannot be infinite"),
					 errhint("A milestone not reached is NULL.")));
		options->milestones[options->milestone_count++] = at;
	}
}

/*
 * Starts a path of at most 'capacity' elements.  'time_argument' is the name of the
 * argument that the touches' times come from; NULL: they have none, which is an
 * error for some models as soon as there is a touch.
 */
void
touch_list_start(TouchList *list, const CreditOptions *options, int capacity, const char *time_argument)
{
	CreditModel model = options->rule.model;

	list->options = options;
	list->time_argument = time_argument;
	list->capacity = capacity;
	list->length = 0;
	list->touch_count = 0;
	list->unattributed = -1;
	list->places = NULL;
	list->last_at = PG_INT64_MIN;
	list->times = NULL;
	list->channels = NULL;
	list->skip = NULL;
	if (credit_needs_times(model))
		list->times = palloc_extended(sizeof(int64) * capacity, MCXT_ALLOC_HUGE);
	if (model == CREDIT_LAST_NON_DIRECT)
		list->skip = palloc_extended(sizeof(bool) * capacity, MCXT_ALLOC_HUGE);
	if (model == CREDIT_PARTICIPATION)
	{
		list->channels = palloc_extended(sizeof(uint32) * capacity, MCXT_ALLOC_HUGE);
		channel_names_init(&list->names, CurrentMemoryContext);
	}
}

/*
 * Adds an element of the path.  channel NULL: it is a touch of the one channel that
 * all touches have; channel->bytes NULL: it has no channel.  at NULL: it has
 * no time.  Times that are missing, infinite, after the conversion or before
 * that of the touch before are errors.
 */
void
touch_list_add(TouchList *list, const TimelineString *channel, const int64 *at)
{
	int			touch;

	Assert(list->length < list->capacity);
	if (list->length % TIMELINE_INTERRUPT_EVERY == TIMELINE_INTERRUPT_EVERY - 1)
		CHECK_FOR_INTERRUPTS();
	if (channel != NULL && (channel->bytes == NULL || !is_channel(channel->bytes, channel->length)))
	{
		add_other(list, channel);
		return;
	}

	touch = list->touch_count++;
	if (list->places != NULL)
		list->places[touch] = list->length;
	list->length++;
	if (list->time_argument != NULL)
	{
		check_time(list, at);
		list->last_at = *at;
		if (list->times != NULL)
			list->times[touch] = *at;
	}
	else if (list->times != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model \"%s\" needs the times of the touches", list->options->rule.name),
				 errhint("Give argument \"touched_at\".")));
	if (list->skip != NULL)
		list->skip[touch] = channel != NULL && is_skipped(list->options, channel);
	if (list->channels != NULL)
		list->channels[touch] = channel_number(&list->names, channel->bytes, channel->length);
}

/* An element that is no touch. */
static void
add_other(TouchList *list, const TimelineString *channel)
{
	if (list->places == NULL)
	{
		list->places = palloc_extended(sizeof(int) * list->capacity, MCXT_ALLOC_HUGE);
		for (int i = 0; i < list->length; i++)
			list->places[i] = i;
	}
	/* of what is no channel, only (unattributed) has a name */
	if (list->unattributed < 0 && channel->bytes != NULL && channel->length > 0)
		list->unattributed = list->length;
	list->length++;
}

static void
check_time(const TouchList *list, const int64 *at)
{
	if (at == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be NULL for a touch", list->time_argument),
				 errdetail("It is NULL for element %d of the path.", list->length)));
	if (TIMESTAMP_NOT_FINITE(*at))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("the time of a touch cannot be infinite")));
	if (*at < list->last_at)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("touches must be in the order of time: the one at %s follows the one at %s",
						time_text(*at), time_text(list->last_at)),
				 strcmp(list->time_argument, "at") == 0 ?
				 errhint("Write OVER (PARTITION BY conversion ORDER BY at) with the columns of your table.") :
				 errhint("Sort both arrays by time.")));
	if (list->options->has_converted_at && *at > list->options->converted_at)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the touch at %s is after the conversion at %s",
						time_text(*at), time_text(list->options->converted_at)),
				 errhint("Only touches at or before the conversion can have a part in it.")));
}

static bool
is_skipped(const CreditOptions *options, const TimelineString *channel)
{
	for (int i = 0; i < options->skip_count; i++)
	{
		if (i % 1024 == 1023)
			CHECK_FOR_INTERRUPTS();
		if (options->skip[i].length == channel->length &&
			memcmp(options->skip[i].bytes, channel->bytes, channel->length) == 0)
			return true;
	}
	return false;
}

static char *
time_text(int64 at)
{
	char	   *text = palloc(ISO_TIME_MAX_LENGTH);

	(void) iso_time_print(at, text);
	return text;
}

/*
 * The share of each element that was added; the list is used up.  A path without
 * touches gives all to its first element that says (unattributed), if there is one.
 */
void
touch_list_weights(TouchList *list, double *weights)
{
	CreditPath	path = {
		.length = list->touch_count,
		.channels = list->channels,
		.skip = list->skip,
		.touched_at = list->times,
		.milestone_count = list->options->milestone_count,
		.milestones = list->options->milestones,
	};

	if (list->touch_count > 0)
		credit_weights(&list->options->rule, &path, weights);
	if (list->places != NULL)
	{
		/* from the last to the first: a touch is never before its place among the touches */
		for (int i = list->touch_count; i < list->length; i++)
			weights[i] = 0;
		for (int i = list->touch_count - 1; i >= 0; i--)
		{
			double		weight = weights[i];

			weights[i] = 0;
			weights[list->places[i]] = weight;
		}
	}
	if (list->touch_count == 0 && list->unattributed >= 0)
		weights[list->unattributed] = 1;
}
