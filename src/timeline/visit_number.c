/*
 * visit_number.c
 *		visit_number(at, gap) OVER (PARTITION BY visitor ORDER BY at): visits
 *		for people with plain rows.
 */
#include "postgres.h"

#include "utils/timestamp.h"
#include "windowapi.h"

#include "base/compat.h"
#include "timeline/visits.h"

PG_FUNCTION_INFO_V1(visit_number);

/* What is known of the partition so far. */
typedef struct VisitNumberState
{
	VisitSplitter splitter;
	int64		number;
} VisitNumberState;

Datum
visit_number(PG_FUNCTION_ARGS)
{
	WindowObject window = PG_WINDOW_OBJECT();
	VisitNumberState *state = WinGetPartitionLocalMemory(window, sizeof(VisitNumberState));
	bool		isnull;
	bool		gap_isnull;
	bool		gap_inclusive;
	Datum		gap;
	VisitRule	rule;
	int64		at;

	at = DatumGetTimestampTz(WinGetFuncArgCurrent(window, 0, &isnull));
	if (isnull)
		PG_RETURN_NULL();
	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("the time of an event cannot be infinite")));

	gap = WinGetFuncArgCurrent(window, 1, &gap_isnull);
	gap_inclusive = DatumGetBool(WinGetFuncArgCurrent(window, 2, &isnull)) && !isnull;
	rule = visit_rule(gap_isnull ? NULL : DatumGetIntervalP(gap), gap_inclusive, NULL, false);
	if (!state->splitter.is_running)
		state->splitter.rule = rule;
	else if (rule.gap != state->splitter.rule.gap)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("arguments \"gap\" and \"gap_inclusive\" must be the same for all rows of a partition")));
	if (state->splitter.is_running && at < state->splitter.last_at)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("visit_number needs its rows in the order of time"),
				 errhint("Write OVER (PARTITION BY visitor ORDER BY at) with the column of the first argument.")));
	state->number += visit_starts(&state->splitter, at, 0);
	PG_RETURN_INT64(state->number);
}
