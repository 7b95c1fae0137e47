/*
 * funnel_stats.c
 *		How many visitors reached each step of a funnel, and how long they took.
 *
 * funnel() says of one visitor when each step was taken.  The aggregate
 * funnel_stats adds that up over visitors: for each step how many got no
 * further, how many skipped it, and a histogram of the times from the step
 * before.  rollup merges such results.
 *
 * A FunnelStats is one group's state and also what a user stores; nothing is
 * kept per query.  It is flat: a step takes 64 bytes, and then a histogram's
 * counts only between the shortest and the longest time seen, with as few bytes
 * each as the highest needs.  Everything in it is a whole number that is added
 * up, so neither the order of rows nor a merge tree makes a difference.
 *
 * The aggregates change their state in place; called in any other way the
 * functions work on a copy, since their argument may lie in a shared buffer.
 * Where a histogram needs more room, they return a larger state in the current
 * memory context with some room to spare, and leave it to the executor to keep
 * it and to free the one before.  Whoever shows a state to a user trims it
 * first: finished states are equal if and only if their bytes are.
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/duration.h"
#include "base/iso_time.h"
#include "common/hashfn.h"
#include "common/int.h"
#include "funnel/funnel_stats.h"
#include "utils/array.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(funnel_stats_accum);
PG_FUNCTION_INFO_V1(funnel_stats_combine);
PG_FUNCTION_INFO_V1(funnel_stats_final);
PG_FUNCTION_INFO_V1(funnel_stats_eq);
PG_FUNCTION_INFO_V1(funnel_stats_ne);
PG_FUNCTION_INFO_V1(funnel_stats_hash);
PG_FUNCTION_INFO_V1(funnel_stats_hash_extended);

/* What has to be the same in all that is added up. */
typedef struct Terms
{
	int			step_count;
	uint8		flags;			/* as in FunnelStats, but for FUNNEL_STATS_SPARE */
	int64		within;
	TimestampTz as_of;
} Terms;

/* One visitor's way through the funnel. */
typedef struct Passage
{
	int			step_count;		/* of the funnel */
	int			level;			/* number of the furthest step taken; 0: none */
	int			taken;			/* how many steps were */
	uint8		steps[FUNNEL_STATS_MAX_STEPS];	/* which, from 0, ... */
	TimestampTz at[FUNNEL_STATS_MAX_STEPS]; /* ... and when, in the order of time */
} Passage;

static FunnelStats *own_state(FunctionCallInfo fcinfo, bool in_aggregate);
static void read_passage(Passage *passage, const struct varlena *times);
static void sort_passage(Passage *passage);
static void read_window(Terms *terms, FunctionCallInfo fcinfo);
static FunnelStats *add_passage(FunnelStats *stats, const Passage *passage);
static void warn_of_mistakes(FunctionCallInfo fcinfo, const FunnelStats *stats, const Passage *passage);
static FunnelStats *add_durations(FunnelStats *stats, const Passage *passage);
static FunnelStats *make_room(FunnelStats *stats, const Passage *passage, int next);
static uint64 duration_before(const Passage *passage, int number);
static bool is_open(const FunnelStats *stats, TimestampTz entered);
static void add_skipped(FunnelStats *stats, const Passage *passage);
static FunnelStats *merge(FunnelStats *stats, const FunnelStats *other);
static Terms terms_of(const FunnelStats *stats);
static bool same_terms(const FunnelStats *stats, const Terms *terms);
pg_noreturn static void report_different_rows(const Terms *a, const Terms *b);
pg_noreturn static void report_different_states(const Terms *a, const Terms *b);
static char *window_text(const Terms *terms);
static char *as_of_text(const Terms *terms);
static bool is_equal(FunctionCallInfo fcinfo);

/*
 * funnel_stats' transition: (state, times, within, as_of).
 */
Datum
funnel_stats_accum(PG_FUNCTION_ARGS)
{
	bool		in_aggregate = AggCheckCallContext(fcinfo, NULL) != 0;
	FunnelStats *stats;
	Passage		passage;
	Terms		terms;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	read_passage(&passage, PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(1)));
	terms.step_count = passage.step_count;
	read_window(&terms, fcinfo);

	if (PG_ARGISNULL(0))
		stats = funnel_stats_create(terms.step_count, terms.flags, terms.within, terms.as_of);
	else
	{
		stats = own_state(fcinfo, in_aggregate);
		if (!same_terms(stats, &terms))
		{
			Terms		before = terms_of(stats);

			report_different_rows(&before, &terms);
		}
	}
	warn_of_mistakes(fcinfo, stats, &passage);
	stats = add_passage(stats, &passage);
	funnel_stats_assert(stats);
	PG_RETURN_POINTER(in_aggregate ? stats : funnel_stats_finished(stats));
}

/*
 * Merges two states: the combine function of both aggregates and rollup's
 * transition.
 */
Datum
funnel_stats_combine(PG_FUNCTION_ARGS)
{
	bool		in_aggregate = AggCheckCallContext(fcinfo, NULL) != 0;
	FunnelStats *stats = own_state(fcinfo, in_aggregate);

	stats = merge(stats, PG_GETARG_FUNNEL_STATS(1));
	funnel_stats_assert(stats);
	PG_RETURN_POINTER(in_aggregate ? stats : funnel_stats_finished(stats));
}

/*
 * The final function of both aggregates.  A copy, since a window's state goes on
 * to take more rows.
 */
Datum
funnel_stats_final(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(funnel_stats_finished(PG_GETARG_FUNNEL_STATS(0)));
}

Datum
funnel_stats_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(is_equal(fcinfo));
}

Datum
funnel_stats_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!is_equal(fcinfo));
}

Datum
funnel_stats_hash(PG_FUNCTION_ARGS)
{
	const FunnelStats *stats = PG_GETARG_FINISHED_FUNNEL_STATS(0);

	return hash_any((const unsigned char *) VARDATA(stats), VARSIZE(stats) - VARHDRSZ);
}

Datum
funnel_stats_hash_extended(PG_FUNCTION_ARGS)
{
	const FunnelStats *stats = PG_GETARG_FINISHED_FUNNEL_STATS(0);

	return hash_any_extended((const unsigned char *) VARDATA(stats), VARSIZE(stats) - VARHDRSZ,
							 PG_GETARG_INT64(1));
}

/* Argument 0 as a state that may be changed in place. */
static FunnelStats *
own_state(FunctionCallInfo fcinfo, bool in_aggregate)
{
	FunnelStats *stats = PG_GETARG_FUNNEL_STATS(0);
	FunnelStats *copy;

	if (in_aggregate || (Pointer) stats != PG_GETARG_POINTER(0))
		return stats;
	copy = palloc(VARSIZE(stats));
	memcpy(copy, stats, VARSIZE(stats));
	return copy;
}

/*
 * Reads what funnel() returned: a time for each step, NULL where it was skipped
 * or not reached.
 *
 * From the array's bytes, which may have a short header and no alignment, as
 * this is done once a row and a copy takes longer than all the rest.
 */
static void
read_passage(Passage *passage, const struct varlena *times)
{
	const char *array = VARDATA_ANY(times) - VARHDRSZ;	/* as if the header was a long one */
	const bits8 *present = NULL;
	const char *element;
	int			dimensions;
	int32		data_offset;
	bool		is_sorted = true;

	memcpy(&dimensions, array + offsetof(ArrayType, ndim), sizeof(dimensions));
	memcpy(&data_offset, array + offsetof(ArrayType, dataoffset), sizeof(data_offset));
	passage->step_count = 0;
	if (dimensions == 1)
		memcpy(&passage->step_count, array + sizeof(ArrayType), sizeof(int));
	if (dimensions > 1 || passage->step_count < 1 || passage->step_count > FUNNEL_STATS_MAX_STEPS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 dimensions > 1 ?
				 errmsg("argument \"times\" must have one dimension, not %d", dimensions) :
				 errmsg("argument \"times\" must have 1 to %d elements, one for each step, not %d",
						FUNNEL_STATS_MAX_STEPS, passage->step_count)));

	if (data_offset != 0)
		present = (const bits8 *) array + sizeof(ArrayType) + 2 * sizeof(int);
	element = array + (data_offset != 0 ? (Size) data_offset : ARR_OVERHEAD_NONULLS(1));
	passage->level = 0;
	passage->taken = 0;
	for (int i = 0; i < passage->step_count; i++)
	{
		TimestampTz at;

		if (present != NULL && (present[i / 8] & (1 << i % 8)) == 0)
			continue;
		memcpy(&at, element, sizeof(at));
		element += sizeof(at);
		if (unlikely(TIMESTAMP_NOT_FINITE(at)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"times\" must have finite elements, but element %d is %s",
							i + 1, TIMESTAMP_IS_NOBEGIN(at) ? "-infinity" : "infinity")));
		if (passage->taken > 0 && at < passage->at[passage->taken - 1])
			is_sorted = false;
		passage->at[passage->taken] = at;
		passage->steps[passage->taken] = (uint8) i;
		passage->taken++;
		passage->level = i + 1;
	}
	if (!is_sorted)
		sort_passage(passage);
}

/* In mode any the steps come in any order; at one instant the lower step is the first. */
static void
sort_passage(Passage *passage)
{
	for (int i = 1; i < passage->taken; i++)
	{
		TimestampTz at = passage->at[i];
		uint8		step = passage->steps[i];
		int			place = i;

		for (; place > 0 && passage->at[place - 1] > at; place--)
		{
			passage->at[place] = passage->at[place - 1];
			passage->steps[place] = passage->steps[place - 1];
		}
		passage->at[place] = at;
		passage->steps[place] = step;
	}
}

/* Arguments 2 and 3. */
static void
read_window(Terms *terms, FunctionCallInfo fcinfo)
{
	terms->flags = 0;
	terms->within = 0;
	terms->as_of = 0;
	if (!PG_ARGISNULL(2))
	{
		terms->flags |= FUNNEL_STATS_WITHIN;
		terms->within = duration_microseconds(PG_GETARG_INTERVAL_P(2), "within");
	}
	if (!PG_ARGISNULL(3))
	{
		terms->flags |= FUNNEL_STATS_AS_OF;
		terms->as_of = PG_GETARG_TIMESTAMPTZ(3);
		if (TIMESTAMP_NOT_FINITE(terms->as_of))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"as_of\" must be a finite time, not %s",
							TIMESTAMP_IS_NOBEGIN(terms->as_of) ? "-infinity" : "infinity"),
					 errhint("Give NULL if nobody is to count as in progress.")));
		if (PG_ARGISNULL(2))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"as_of\" needs argument \"within\""),
					 errdetail("Without a window everybody is in progress for ever, and nobody would count as dropped."),
					 errhint("Give within as to funnel(), or NULL for as_of.")));
	}
}

/* Counts one visitor; like all that may need more room it returns the state to go on with. */
static FunnelStats *
add_passage(FunnelStats *stats, const Passage *passage)
{
	FunnelStatsStep *furthest;

	if (passage->level == 0)
		return stats;
	if (pg_add_s64_overflow(stats->visitors, 1, &stats->visitors))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("number of visitors in funnel statistics is out of range")));
	stats = add_durations(stats, passage);
	furthest = &stats->steps[passage->level - 1];
	if (is_open(stats, passage->at[0]))
		furthest->in_progress++;
	else
		furthest->ended++;
	if (passage->taken < passage->level)
		add_skipped(stats, passage);
	return stats;
}

/*
 * Two mistakes that would pass for an answer: another window than that of funnel(), and
 * events after as_of.  A query hears of each once, as fn_extra remembers.
 */
static void
warn_of_mistakes(FunctionCallInfo fcinfo, const FunnelStats *stats, const Passage *passage)
{
	TimestampTz first = passage->at[0];
	TimestampTz last;
	bool	   *warned = fcinfo->flinfo->fn_extra;
	bool		is_apart;
	bool		is_late;

	if (passage->level == 0)
		return;
	last = passage->at[passage->taken - 1];
	is_apart = (stats->flags & FUNNEL_STATS_WITHIN) && stats->within != PG_INT64_MAX &&
		(uint64) last - (uint64) first > (uint64) stats->within;
	is_late = (stats->flags & FUNNEL_STATS_AS_OF) && last > stats->as_of;
	if (likely(!is_apart && !is_late))
		return;
	if (warned == NULL)
		warned = fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, 2 * sizeof(bool));
	if (is_apart && !warned[0])
	{
		warned[0] = true;
		ereport(WARNING,
				(errmsg("the times of a funnel are further apart than argument \"within\""),
				 errhint("Give funnel_stats() the same window as funnel().")));
	}
	if (is_late && !warned[1])
	{
		warned[1] = true;
		ereport(WARNING,
				(errmsg("a step was reached at %s, after argument \"as_of\"", timestamptz_to_str(last)),
				 errhint("Give the time up to which there are events, or leave later ones out: funnel(between_times(timeline, NULL, as_of), ...).")));
	}
}

static FunnelStats *
add_durations(FunnelStats *stats, const Passage *passage)
{
	for (int i = 1; i < passage->taken; i++)
	{
		int			number = passage->steps[i];
		uint64		duration = duration_before(passage, i);
		int			bucket = log_histogram_bucket(duration);

		if (unlikely(!log_histogram_add(&stats->steps[number].durations,
										funnel_stats_counts(stats, number), bucket)))
		{
			stats = make_room(stats, passage, i);
			(void) log_histogram_add(&stats->steps[number].durations,
									 funnel_stats_counts(stats, number), bucket);
		}
		funnel_stats_add_to_sum(&stats->steps[number], duration);
	}
	return stats;
}

/* For this duration of the visitor's and those after it, so that this is done once. */
static FunnelStats *
make_room(FunnelStats *stats, const Passage *passage, int next)
{
	LogHistogram shapes[FUNNEL_STATS_MAX_STEPS];

	for (int i = 0; i < stats->step_count; i++)
		shapes[i] = stats->steps[i].durations;
	for (int i = next; i < passage->taken; i++)
	{
		int			number = passage->steps[i];
		int			bucket = log_histogram_bucket(duration_before(passage, i));

		if (bucket != 0)
			log_histogram_cover(&shapes[number], bucket,
								log_histogram_count(&stats->steps[number].durations,
													funnel_stats_counts(stats, number), bucket) + 1);
	}
	stats = funnel_stats_with_room(stats, shapes);
	stats->flags |= FUNNEL_STATS_SPARE;
	return stats;
}

/* Unsigned: 4713 BC to 294276 AD does not fit an int64. */
static uint64
duration_before(const Passage *passage, int number)
{
	return (uint64) passage->at[number] - (uint64) passage->at[number - 1];
}

/* Whether the window, which includes its last instant, is still open. */
static bool
is_open(const FunnelStats *stats, TimestampTz entered)
{
	if ((stats->flags & FUNNEL_STATS_AS_OF) == 0)
		return false;
	/* what duration_microseconds() could not express never ends */
	return entered >= stats->as_of || stats->within == PG_INT64_MAX ||
		(uint64) stats->as_of - (uint64) entered <= (uint64) stats->within;
}

static void
add_skipped(FunnelStats *stats, const Passage *passage)
{
	uint64		skipped = ~UINT64CONST(0) >> (FUNNEL_STATS_MAX_STEPS - passage->level);

	for (int i = 0; i < passage->taken; i++)
		skipped &= ~(UINT64CONST(1) << passage->steps[i]);
	for (int i = 0; i < passage->level; i++)
		stats->steps[i].skipped += (int64) (skipped >> i & 1);
}

static FunnelStats *
merge(FunnelStats *stats, const FunnelStats *other)
{
	Terms		terms = terms_of(other);
	LogHistogram shapes[FUNNEL_STATS_MAX_STEPS];
	bool		has_room = true;

	if (!same_terms(stats, &terms))
	{
		Terms		before = terms_of(stats);

		report_different_states(&before, &terms);
	}
	if (pg_add_s64_overflow(stats->visitors, other->visitors, &stats->visitors))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("number of visitors in funnel statistics is out of range")));

	for (int i = 0; i < stats->step_count; i++)
	{
		shapes[i] = stats->steps[i].durations;
		if (!log_histogram_cover_all(&shapes[i], funnel_stats_counts(stats, i),
									 &other->steps[i].durations, funnel_stats_counts(other, i)))
			has_room = false;
	}
	if (!has_room)
	{
		stats = funnel_stats_with_room(stats, shapes);
		stats->flags |= FUNNEL_STATS_SPARE;
	}

	/* no sum overflows, as none is greater than that of the visitors */
	for (int i = 0; i < stats->step_count; i++)
	{
		FunnelStatsStep *step = &stats->steps[i];
		const FunnelStatsStep *added = &other->steps[i];

		step->in_progress += added->in_progress;
		step->ended += added->ended;
		step->skipped += added->skipped;
		funnel_stats_add_to_sum(step, funnel_stats_sum(added));
		log_histogram_merge(&step->durations, funnel_stats_counts(stats, i),
							&added->durations, funnel_stats_counts(other, i));
	}
	return stats;
}

static Terms
terms_of(const FunnelStats *stats)
{
	Terms		terms = {stats->step_count, stats->flags & ~FUNNEL_STATS_SPARE, stats->within, stats->as_of};

	return terms;
}

static bool
same_terms(const FunnelStats *stats, const Terms *terms)
{
	return stats->step_count == terms->step_count &&
		(stats->flags & ~FUNNEL_STATS_SPARE) == terms->flags &&
		stats->within == terms->within && stats->as_of == terms->as_of;
}

static void
report_different_rows(const Terms *a, const Terms *b)
{
	if (a->step_count != b->step_count)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"times\" must have as many elements in all rows: %d and %d",
						a->step_count, b->step_count),
				 errhint("Only results of funnel() with the same steps can be added up.")));
	if (strcmp(window_text(a), window_text(b)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"within\" must be the same in all rows: %s and %s",
						window_text(a), window_text(b)),
				 errhint("Write one window for all rows, or GROUP BY it.")));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"as_of\" must be the same in all rows: %s and %s",
					as_of_text(a), as_of_text(b)),
			 errhint("Write one time for all rows, such as now(), or GROUP BY it.")));
}

static void
report_different_states(const Terms *a, const Terms *b)
{
	if (a->step_count != b->step_count)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("funnel statistics of %d and of %d steps cannot be merged",
						a->step_count, b->step_count)));
	if (strcmp(window_text(a), window_text(b)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("funnel statistics of different windows (within) cannot be merged: %s and %s",
						window_text(a), window_text(b)),
				 errhint("Build them again with one window.")));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("funnel statistics as of different times cannot be merged: %s and %s",
					as_of_text(a), as_of_text(b)),
			 errhint("Build them again as of one time.")));
}

static char *
window_text(const Terms *terms)
{
	Interval	interval = {terms->within % USECS_PER_DAY, (int32) (terms->within / USECS_PER_DAY), 0};

	if ((terms->flags & FUNNEL_STATS_WITHIN) == 0)
		return "NULL";
	return DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(&interval)));
}

static char *
as_of_text(const Terms *terms)
{
	char	   *text = palloc(ISO_TIME_MAX_LENGTH);

	if ((terms->flags & FUNNEL_STATS_AS_OF) == 0)
		return "NULL";
	iso_time_print(terms->as_of, text);
	return text;
}

static bool
is_equal(FunctionCallInfo fcinfo)
{
	const FunnelStats *a = PG_GETARG_FINISHED_FUNNEL_STATS(0);
	const FunnelStats *b = PG_GETARG_FINISHED_FUNNEL_STATS(1);

	return VARSIZE(a) == VARSIZE(b) && memcmp(a, b, VARSIZE(a)) == 0;
}
