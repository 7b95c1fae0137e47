/*
 * funnel_steps.c
 *		The report of a funnel: a row for each step.
 *
 * Of those who reached a step, some reached the next, some are in progress and
 * the others have dropped out.  Who is in progress has not decided, so the
 * denominators of conversion leave them out.  That still counts those who were quick: who
 * arrived while the window is open is in the numerator, and the slow ones of the same
 * days are in no denominator.  The mature columns are of visitors whose window is closed, and
 * of them only.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/set_call.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "funnel/funnel_stats.h"
#include "statistics/proportion.h"
#include "utils/array.h"
#include "utils/builtins.h"

#define DEFAULT_CONF_LEVEL 0.95

PG_FUNCTION_INFO_V1(funnel_steps);

/* The columns of a row. */
enum
{
	STEP,
	LABEL,
	REACHED,
	SKIPPED,
	IN_PROGRESS,
	DROPPED,
	STEP_CONVERSION,			/* and its bounds */
	TOTAL_CONVERSION = STEP_CONVERSION + 3, /* likewise */
	MEAN_SECONDS = TOTAL_CONVERSION + 3,
	PERCENTILES,
	MATURE_REACHED = PERCENTILES + 4,
	MATURE_STEP_CONVERSION,
	MATURE_TOTAL_CONVERSION,
	COLUMN_COUNT
};

static const int percents[] = {25, 50, 75, 90};

/* The walk over the steps, in the set's memory context. */
typedef struct StepWalk
{
	const FunnelStats *stats;
	Datum	   *labels;			/* NULL if there are none */
	bool	   *label_is_null;
	double		conf_level;
	int			step;			/* the next one, from 0 */
	int64		reached;		/* visitors who did reach it */
	int64		could_step;		/* of those who reached the one before, all but those still there */
	int64		could_total;	/* of those who reached the first, all but those still before it */
	int64		mature;			/* whose window is closed: who did reach it, ... */
	int64		mature_before;	/* ... the one before, ... */
	int64		mature_first;	/* ... and the first */
} StepWalk;

static StepWalk *start_walk(FunctionCallInfo fcinfo);
static void read_labels(StepWalk *walk, ArrayType *labels);
static void warn_of_unused_label(const StepWalk *walk, FunctionCallInfo fcinfo, SetCall *call);
static HeapTuple form_step(StepWalk *walk, TupleDesc row_type);
static void set_conversion(Datum *fields, bool *nulls, const StepWalk *walk, int64 could);
static void set_share(Datum *field, bool *isnull, int64 count, int64 total);
static void set_durations(Datum *fields, bool *nulls, const FunnelStats *stats, int step);

/* (stats, labels, conf_level) */
Datum
funnel_steps(PG_FUNCTION_ARGS)
{
	SetCall    *call = set_call_begin(fcinfo);
	StepWalk   *walk;

	if (!call->is_running)
	{
		MemoryContext caller;

		if (PG_ARGISNULL(0))
			SET_CALL_RETURN_DONE(fcinfo, call);
		set_call_start(fcinfo, call);
		caller = MemoryContextSwitchTo(call->context);
		call->state = walk = start_walk(fcinfo);
		MemoryContextSwitchTo(caller);
		warn_of_unused_label(walk, fcinfo, call);
	}
	walk = call->state;

	if (walk->step < walk->stats->step_count)
		SET_CALL_RETURN_NEXT(fcinfo, HeapTupleGetDatum(form_step(walk, call->row_type)));
	SET_CALL_RETURN_DONE(fcinfo, call);
}

static StepWalk *
start_walk(FunctionCallInfo fcinfo)
{
	StepWalk   *walk = palloc0(sizeof(StepWalk));

	walk->conf_level = PG_ARGISNULL(2) ? DEFAULT_CONF_LEVEL : PG_GETARG_FLOAT8(2);
	check_conf_level(walk->conf_level);
	/* an argument that is not toasted stays where it is until the set is complete */
	walk->stats = PG_GETARG_FUNNEL_STATS(0);
	if (!PG_ARGISNULL(1))
		read_labels(walk, PG_GETARG_ARRAYTYPE_P(1));
	walk->reached = walk->could_total = walk->stats->visitors;
	for (int i = 0; i < walk->stats->step_count; i++)
		walk->mature += walk->stats->steps[i].ended;
	walk->mature_first = walk->mature;
	return walk;
}

static void
read_labels(StepWalk *walk, ArrayType *labels)
{
	int			count;

	if (ARR_NDIM(labels) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"labels\" must have one dimension, not %d", ARR_NDIM(labels))));
	deconstruct_array(labels, TEXTOID, -1, false, TYPALIGN_INT, &walk->labels, &walk->label_is_null, &count);
	if (count != walk->stats->step_count)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"labels\" must have an element for each step: it has %d, the funnel %d",
						count, walk->stats->step_count),
				 errhint("Give the steps that were given to funnel().")));
}

/*
 * A step that nobody took is more often a misspelt pattern than a fact.  Steps
 * behind it say nothing.  A query that asks for many funnels hears of each step
 * once, and not if another of them took it before: then the label is right.
 */
static void
warn_of_unused_label(const StepWalk *walk, FunctionCallInfo fcinfo, SetCall *call)
{
	const FunnelStats *stats = walk->stats;
	int64		reached = stats->visitors;
	int			step = 0;
	uint64	   *known;			/* steps that were taken or warned of */
	const char *label = "";

	if (call->site == NULL)
		call->site = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(uint64));
	known = call->site;
	while (step < stats->step_count && reached > stats->steps[step].skipped)
	{
		reached -= stats->steps[step].in_progress + stats->steps[step].ended;
		*known |= UINT64CONST(1) << step;
		step++;
	}
	if (step == stats->step_count || (*known >> step & 1) != 0)
		return;
	*known |= UINT64CONST(1) << step;

	if (walk->labels != NULL && !walk->label_is_null[step])
		label = psprintf(", \"%s\"", TextDatumGetCString(walk->labels[step]));
	ereport(WARNING,
			(reached > 0 ?
			 errmsg("all visitors skipped step %d of the funnel%s", step + 1, label) :
			 errmsg("no visitor reached step %d of the funnel%s", step + 1, label),
			 errhint("Perhaps no event matches its pattern: capital and small letters differ.")));
}

/* The row of the next step. */
static HeapTuple
form_step(StepWalk *walk, TupleDesc row_type)
{
	const FunnelStatsStep *step = &walk->stats->steps[walk->step];
	bool		is_last = walk->step == walk->stats->step_count - 1;
	Datum		fields[COLUMN_COUNT];
	bool		nulls[COLUMN_COUNT] = {false};

	fields[STEP] = Int32GetDatum(walk->step + 1);
	nulls[LABEL] = walk->labels == NULL || walk->label_is_null[walk->step];
	fields[LABEL] = nulls[LABEL] ? (Datum) 0 : walk->labels[walk->step];
	fields[REACHED] = Int64GetDatum(walk->reached);
	fields[SKIPPED] = Int64GetDatum(step->skipped);
	/* who has arrived has no further to go */
	fields[IN_PROGRESS] = Int64GetDatum(is_last ? 0 : step->in_progress);
	fields[DROPPED] = Int64GetDatum(is_last ? 0 : step->ended);
	set_conversion(&fields[STEP_CONVERSION], &nulls[STEP_CONVERSION], walk, walk->could_step);
	set_conversion(&fields[TOTAL_CONVERSION], &nulls[TOTAL_CONVERSION], walk, walk->could_total);
	if (walk->step == 0 && walk->reached > 0)
	{
		/* all who reached it reached it: nothing is estimated */
		for (int i = 1; i < 3; i++)
			fields[TOTAL_CONVERSION + i] = Float8GetDatum(1);
	}
	set_durations(&fields[MEAN_SECONDS], &nulls[MEAN_SECONDS], walk->stats, walk->step);
	fields[MATURE_REACHED] = Int64GetDatum(walk->mature);
	set_share(&fields[MATURE_STEP_CONVERSION], &nulls[MATURE_STEP_CONVERSION], walk->mature, walk->mature_before);
	set_share(&fields[MATURE_TOTAL_CONVERSION], &nulls[MATURE_TOTAL_CONVERSION], walk->mature, walk->mature_first);

	walk->mature_before = walk->mature;
	walk->mature -= step->ended;
	walk->could_step = walk->reached - step->in_progress;
	walk->could_total -= step->in_progress;
	walk->reached -= step->in_progress + step->ended;
	walk->step++;
	return heap_form_tuple(row_type, fields, nulls);
}

/*
 * The share of those who could reach a step that did, and its bounds; NULL if
 * nobody could, as nobody stood before the first.
 */
static void
set_conversion(Datum *fields, bool *nulls, const StepWalk *walk, int64 could)
{
	double		lower;
	double		upper;

	if (could == 0 || !wilson_interval(walk->reached, could, walk->conf_level, &lower, &upper))
	{
		memset(nulls, true, 3 * sizeof(bool));
		return;
	}
	fields[0] = Float8GetDatum((double) walk->reached / (double) could);
	fields[1] = Float8GetDatum(lower);
	fields[2] = Float8GetDatum(upper);
}

static void
set_share(Datum *field, bool *isnull, int64 count, int64 total)
{
	*isnull = total == 0;
	*field = *isnull ? (Datum) 0 : Float8GetDatum((double) count / (double) total);
}

/* The mean and the percentiles in seconds; NULL if nobody has a step before this. */
static void
set_durations(Datum *fields, bool *nulls, const FunnelStats *stats, int step)
{
	const LogHistogram *durations = &stats->steps[step].durations;
	const uint8 *counts = funnel_stats_counts(stats, step);
	uint64		total = log_histogram_total(durations, counts);

	if (total == 0)
	{
		memset(nulls, true, (1 + lengthof(percents)) * sizeof(bool));
		return;
	}
	fields[0] = Float8GetDatum((double) funnel_stats_sum(&stats->steps[step]) / (double) total / 1000000.0);
	for (int i = 0; i < (int) lengthof(percents); i++)
		fields[1 + i] = Float8GetDatum(log_histogram_percentile(durations, counts, percents[i]) / 1000000.0);
}
