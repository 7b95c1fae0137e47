/*
 * rfm.c
 *		RFM: scores of customers by how recently, how often and for how much they bought,
 *		and the usual segments.
 *
 * A score is the bucket of ntile(), but rows that are equal in the window's ORDER BY all
 * have that of the first of them: customers who are alike get the same score, and those
 * at the bottom get 1 however many they are.
 *
 * Per partition, in its own memory: the number of parts and the score of the current
 * group of equals.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "windowapi.h"

#include "base/compat.h"

PG_FUNCTION_INFO_V1(rfm_score);
PG_FUNCTION_INFO_V1(rfm_segment);

#define DEFAULT_PARTS 5

/* The grid of segments has so many rows and columns. */
#define MAX_SCORE 5

typedef struct ScoreState
{
	int64		parts;			/* 0: no row was seen yet */
	int64		row_count;
	int64		score;
} ScoreState;

static int64 parts_argument(WindowObject window);
static int64 bucket_of(const ScoreState *state, int64 position);
static int	score_argument(FunctionCallInfo fcinfo, int number, const char *argument);

/* (parts) */
Datum
rfm_score(PG_FUNCTION_ARGS)
{
	WindowObject window = PG_WINDOW_OBJECT();
	ScoreState *state = WinGetPartitionLocalMemory(window, sizeof(ScoreState));
	int64		position = WinGetCurrentPosition(window);

	if (state->parts == 0)
	{
		state->parts = parts_argument(window);
		state->row_count = WinGetPartitionRowCount(window);
		state->score = 1;
	}
	else if (!WinRowsArePeers(window, position - 1, position))
		state->score = bucket_of(state, position);
	/* the row before the current one is compared with, none before that */
	WinSetMarkPosition(window, position);
	PG_RETURN_INT32((int32) state->score);
}

/* (recency_score, frequency_score, monetary_score) */
Datum
rfm_segment(PG_FUNCTION_ARGS)
{
	/* by recency, the lowest first, and frequency */
	static const char *const segments[MAX_SCORE][MAX_SCORE] = {
		{"lost", "hibernating", "at risk", "at risk", "cannot lose"},
		{"hibernating", "hibernating", "at risk", "at risk", "cannot lose"},
		{"about to sleep", "about to sleep", "need attention", "loyal", "loyal"},
		{"promising", "potential loyalists", "potential loyalists", "loyal", "loyal"},
		{"new customers", "potential loyalists", "potential loyalists", "champions", "champions"},
	};
	int			recency;
	int			frequency;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	recency = score_argument(fcinfo, 0, "recency_score");
	frequency = score_argument(fcinfo, 1, "frequency_score");
	/* the mean of both, rounded up */
	if (!PG_ARGISNULL(2))
		frequency = (frequency + score_argument(fcinfo, 2, "monetary_score") + 1) / 2;
	PG_RETURN_TEXT_P(cstring_to_text(segments[recency - 1][frequency - 1]));
}

/* Of the current row; NULL stands for the default. */
static int64
parts_argument(WindowObject window)
{
	bool		isnull;
	int32		parts = DatumGetInt32(WinGetFuncArgCurrent(window, 0, &isnull));

	if (isnull)
		return DEFAULT_PARTS;
	if (parts < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"parts\" must be greater than zero, not %d", parts)));
	return parts;
}

/*
 * The number, from 1, of the bucket that this row is in, from 0, if rows are dealt into
 * so many parts of equal size; where that is not possible, the first ones have one more.
 */
static int64
bucket_of(const ScoreState *state, int64 position)
{
	int64		size = state->row_count / state->parts;
	int64		larger = state->row_count % state->parts;

	if (position < larger * (size + 1))
		return position / (size + 1) + 1;
	return (position - larger) / size + 1;
}

static int
score_argument(FunctionCallInfo fcinfo, int number, const char *argument)
{
	int32		score = PG_GETARG_INT32(number);

	if (score < 1 || score > MAX_SCORE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be from 1 to %d, not %d", argument, MAX_SCORE, score),
				 errhint("Scores are those of rfm_score(): 1 is the worst fifth of customers, 5 the best.")));
	return score;
}
