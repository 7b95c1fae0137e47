/*
 * attribution_share.c
 *		attribution_share(model, at, ...) OVER (PARTITION BY conversion ORDER BY at): the
 *		share of each touch, for people with rows of touches.
 *
 * Per partition, in its own memory: the shares of all its rows, computed at the
 * first.  Rows are read once, in their order, whatever the frame is.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"
#include "windowapi.h"

#include "attribution/touch_list.h"
#include "timeline/timeline.h"

PG_FUNCTION_INFO_V1(attribution_share);

#define ARGUMENT_AT 1
#define ARGUMENT_CHANNEL 2

/* The default of the argument: channels are not told. NULL is for a row without one. */
#define UNKNOWN_CHANNEL "(touch)"

/* Rows between two clearances of what their arguments left in memory. */
#define ROWS_PER_CLEARANCE 1024

typedef struct ShareState
{
	bool		is_known;
	double	   *shares;			/* of the partition's rows; NULL: there is no model */
} ShareState;

static void compute_shares(FunctionCallInfo fcinfo, WindowObject window, ShareState *state);
static void add_rows(FunctionCallInfo fcinfo, WindowObject window, TouchList *list);
static bool is_unknown(const TimelineString *channel);

/* (model, at, channel, converted_at, skip, weights, half_life, milestones) */
Datum
attribution_share(PG_FUNCTION_ARGS)
{
	WindowObject window = PG_WINDOW_OBJECT();
	ShareState *state = WinGetPartitionLocalMemory(window, sizeof(ShareState));

	if (!state->is_known)
		compute_shares(fcinfo, window, state);
	if (state->shares == NULL)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(state->shares[WinGetCurrentPosition(window)]);
}

/* Called at the first row of a partition, which has the options. */
static void
compute_shares(FunctionCallInfo fcinfo, WindowObject window, ShareState *state)
{
	NullableDatum arguments[CREDIT_ARGUMENTS];
	CreditOptions options;
	int64		row_count = WinGetPartitionRowCount(window);
	TouchList	list;

	for (int i = 0; i < CREDIT_ARGUMENTS; i++)
		arguments[i].value = WinGetFuncArgCurrent(window, i, &arguments[i].isnull);
	state->is_known = true;
	if (arguments[CREDIT_ARGUMENT_MODEL].isnull)
		return;
	credit_options_read(&options, arguments);
	if (row_count > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many touches of one conversion: " INT64_FORMAT, row_count),
				 errhint("Write OVER (PARTITION BY conversion ORDER BY at), with a column that tells the conversions apart.")));

	touch_list_start(&list, &options, (int) row_count, "at");
	add_rows(fcinfo, window, &list);
	state->shares = MemoryContextAllocHuge(GetMemoryChunkContext(state), sizeof(double) * row_count);
	touch_list_weights(&list, state->shares);
}

static void
add_rows(FunctionCallInfo fcinfo, WindowObject window, TouchList *list)
{
	/* expressions and detoasted channels would fill the memory of one row */
	const TimelineString none = {NULL, 0};
	MemoryContext of_rows = AllocSetContextCreate(CurrentMemoryContext, "engagement rows", ALLOCSET_SMALL_SIZES);

	for (int row = 0; row < list->capacity; row++)
	{
		MemoryContext caller = MemoryContextSwitchTo(of_rows);
		TimelineString channel = none;
		bool		at_isnull;
		bool		channel_isnull;
		bool		is_out;
		int64		at;
		Datum		name;

		at = DatumGetInt64(WinGetFuncArgInPartition(window, ARGUMENT_AT, row, WINDOW_SEEK_HEAD, true,
													&at_isnull, &is_out));
		name = WinGetFuncArgInPartition(window, ARGUMENT_CHANNEL, row, WINDOW_SEEK_HEAD, true, &channel_isnull, &is_out);
		if (!channel_isnull)
			channel = timeline_string(DatumGetTextPP(name));
		MemoryContextSwitchTo(caller);
		if (!is_unknown(&channel))
			touch_list_add(list, &channel, at_isnull ? NULL : &at);
		else if (list->options->rule.model == CREDIT_PARTICIPATION)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("model \"participation\" needs argument \"channel\"")));
		else
			/* a row without a time is a conversion that has no touches */
			touch_list_add(list, at_isnull ? &none : NULL, at_isnull ? NULL : &at);
		if (row % ROWS_PER_CLEARANCE == ROWS_PER_CLEARANCE - 1)
		{
			CHECK_FOR_INTERRUPTS();
			MemoryContextReset(of_rows);
		}
	}
	MemoryContextDelete(of_rows);
}

static bool
is_unknown(const TimelineString *channel)
{
	return channel->length == sizeof(UNKNOWN_CHANNEL) - 1 &&
		memcmp(channel->bytes, UNKNOWN_CHANNEL, channel->length) == 0;
}
