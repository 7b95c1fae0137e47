/*
 * attribution_intervals.c
 *		How far the credit of channels could be off by chance: the bootstrap.
 *
 * Each replicate draws every journey Poisson(1) times, independently.  That is the
 * bootstrap for a number of journeys that is itself random; it needs no more than
 * counts, as the sum of n draws is Poisson(n) (Chamandy, Muralidharan, Najmi and Naidu
 * 2012, "Estimating Uncertainty for Massive Data Streams").  A path's value is scaled by
 * its drawn conversions.  The model is computed on the replicate as on the data.
 *
 * What is drawn for a path depends on its channels' names, the seed and the number of the
 * replicate only.
 *
 * Per call: the figures of all replicates, by channel; the keys and values of the
 * paths.  Per replicate: counts of the paths, which reuse one room, and whatever the
 * model needs, in a context of its own.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "attribution/attribution_model.h"
#include "attribution/path_key.h"
#include "base/random_draw.h"
#include "base/set_call.h"
#include "statistics/proportion.h"

PG_FUNCTION_INFO_V1(attribution_intervals);

#define DEFAULT_REPLICATES 200
#define MAX_REPLICATES 100000
#define DEFAULT_CONF_LEVEL 0.95

#define FIGURE_SHARE 0
#define FIGURE_CONVERSIONS 1
#define FIGURE_VALUE 2
#define FIGURE_EFFECT 3
#define FIGURES 4

typedef struct FigureInterval
{
	double		estimate;
	double		lower;
	double		upper;
} FigureInterval;

/* The last row is that of unattributed conversions. */
typedef struct IntervalRows
{
	uint32		count;
	uint32		next;
	Datum	   *names;
	FigureInterval   *intervals;		/* of each row, FIGURES */
} IntervalRows;

typedef struct Bootstrap
{
	const SortedPaths *paths;
	const AttributionModel *model;
	uint32		row_count;
	int			replicates;
	uint64		seed;
	double		conf_level;
	uint64	   *keys;			/* by place of the path */
	double	   *values;			/* by place of the path */
	PathEntry  *entries;		/* room for those of a replicate */
	const PathEntry **sorted;
	double	   *samples;		/* of each row, of each figure, of each replicate */
} Bootstrap;

static IntervalRows *rows_of_arguments(FunctionCallInfo fcinfo);
static void read_model(FunctionCallInfo fcinfo, AttributionModel *model);
static IntervalRows *rows_create(const SortedPaths *paths);
static void check_not_drawn(const AttributionModel *model, const ChannelCredit *credit, uint32 channel_count);
static void note_figures(double *figures, Size stride, const SortedPaths *paths, ChannelCredit *credit);
static void sample_replicates(Bootstrap *bootstrap);
static void draw_replicate(const Bootstrap *bootstrap, int number, PathSet *set, SortedPaths *replicate);
static void find_bounds(const Bootstrap *bootstrap, FigureInterval *intervals);
static double quantile(const double *sorted, int count, double probability);
static int	compare_doubles(const void *a, const void *b);
static Datum next_row(IntervalRows *rows, const SetCall *call);

/* (conversion_paths, model, chain_order, replicates, seed, conf_level, skip, weights, max_states) */
Datum
attribution_intervals(PG_FUNCTION_ARGS)
{
	SetCall    *call = set_call_begin(fcinfo);
	Datum		row;

	if (!call->is_running)
	{
		MemoryContext caller;

		if (PG_ARGISNULL(0))
			SET_CALL_RETURN_DONE(fcinfo, call);
		set_call_start(fcinfo, call);
		caller = MemoryContextSwitchTo(call->context);
		call->state = rows_of_arguments(fcinfo);
		MemoryContextSwitchTo(caller);
	}
	row = next_row(call->state, call);
	if (row != (Datum) 0)
		SET_CALL_RETURN_NEXT(fcinfo, row);
	SET_CALL_RETURN_DONE(fcinfo, call);
}

static IntervalRows *
rows_of_arguments(FunctionCallInfo fcinfo)
{
	AttributionModel model;
	Bootstrap	bootstrap = {
		.model = &model,
		.replicates = PG_ARGISNULL(3) ? DEFAULT_REPLICATES : PG_GETARG_INT32(3),
		.seed = PG_ARGISNULL(4) ? DEFAULT_SEED : (uint64) PG_GETARG_INT64(4),
		.conf_level = PG_ARGISNULL(5) ? DEFAULT_CONF_LEVEL : PG_GETARG_FLOAT8(5)
	};
	IntervalRows *rows;
	ChannelCredit *credit;
	double	   *figures;

	read_model(fcinfo, &model);
	if (bootstrap.replicates < 2 || bootstrap.replicates > MAX_REPLICATES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"replicates\" must be from 2 to %d, not %d", MAX_REPLICATES, bootstrap.replicates)));
	check_conf_level(bootstrap.conf_level);

	bootstrap.paths = sorted_paths_create(PG_GETARG_PATH_SET(0));
	rows = rows_create(bootstrap.paths);
	credit = attribution_model_credit(&model, bootstrap.paths);
	if (model.kind == MODEL_MARKOV)
		notice_no_conversions(bootstrap.paths->channel_count, bootstrap.paths->conversions);
	check_not_drawn(&model, credit, bootstrap.paths->channel_count);
	bootstrap.row_count = bootstrap.paths->channel_count + 1;
	figures = palloc((Size) bootstrap.row_count * FIGURES * sizeof(double));
	note_figures(figures, 1, bootstrap.paths, credit);
	for (Size i = 0; i < (Size) bootstrap.row_count * FIGURES; i++)
		rows->intervals[i].estimate = figures[i];

	if (rows->count > 0)
	{
		sample_replicates(&bootstrap);
		find_bounds(&bootstrap, rows->intervals);
	}
	return rows;
}

static void
read_model(FunctionCallInfo fcinfo, AttributionModel *model)
{
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"model\" must not be NULL"),
				 errhint("For example 'markov', which it is if it is not given.")));
	attribution_model_init(model, PG_GETARG_TEXT_PP(1));
	if (!PG_ARGISNULL(2))
		model->chain_order = PG_GETARG_INT32(2);
	if (!PG_ARGISNULL(6))
		model->skip = PG_GETARG_ARRAYTYPE_P(6);
	if (!PG_ARGISNULL(7))
		model->weights = PG_GETARG_ARRAYTYPE_P(7);
	if (!PG_ARGISNULL(8))
		model->max_states = PG_GETARG_INT32(8);
	if (model->chain_order < 1 || model->chain_order > MARKOV_MAX_ORDER)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"chain_order\" must be from 1 to %d, not %d", MARKOV_MAX_ORDER, model->chain_order)));
	if (model->kind == MODEL_RULE && model->rule.model == CREDIT_TIME_DECAY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model \"time_decay\" has no intervals"),
				 errdetail("In conversion_paths its credit has been added up already, so single journeys cannot be drawn."),
				 errhint("position_based is the nearest model without times.")));
}

/* The rows, without figures; that of unattributed conversions only if there are any. */
static IntervalRows *
rows_create(const SortedPaths *paths)
{
	IntervalRows *rows = palloc0(sizeof(IntervalRows));
	Size		room = (Size) paths->channel_count + 1;

	rows->count = paths->channel_count + (paths->unattributed_conversions > 0 ? 1 : 0);
	rows->names = palloc(room * sizeof(Datum));
	rows->intervals = palloc0(room * FIGURES * sizeof(FigureInterval));
	for (uint32 i = 0; i < paths->channel_count; i++)
	{
		const TimelineString *name = &paths->set->channels.names[paths->order[i]];

		rows->names[i] = PointerGetDatum(cstring_to_text_with_len(name->bytes, (int) name->length));
	}
	rows->names[paths->channel_count] = CStringGetTextDatum(CHANNEL_UNATTRIBUTED);
	return rows;
}

/* Orders of channels drawn anew for each replicate would take hours, and add their own chance. */
static void
check_not_drawn(const AttributionModel *model, const ChannelCredit *credit, uint32 channel_count)
{
	for (uint32 i = 0; i < channel_count; i++)
	{
		if (!isnan(credit[i].std_error))
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("model \"%s\" has no intervals with so many channels or states, as it is not computed exactly then",
							model->name),
					 errhint("Use model \"markov\" or \"shapley\", or give rare channels one name.")));
	}
}

/* The figures of each row, those of a row 'stride' apart from each other. */
static void
note_figures(double *figures, Size stride, const SortedPaths *paths, ChannelCredit *credit)
{
	double	   *shares = attribution_shares(credit, paths->channel_count, paths->conversions);

	for (uint32 i = 0; i <= paths->channel_count; i++, figures += FIGURES * stride)
	{
		bool		is_channel = i < paths->channel_count;

		figures[FIGURE_SHARE * stride] = is_channel ? shares[i] : NAN;
		figures[FIGURE_CONVERSIONS * stride] = is_channel ? credit[i].conversions : paths->unattributed_conversions;
		figures[FIGURE_VALUE * stride] = is_channel ? credit[i].value : paths->unattributed_value;
		figures[FIGURE_EFFECT * stride] = is_channel ? credit[i].effect : NAN;
	}
}

/* The figures of all replicates. */
static void
sample_replicates(Bootstrap *bootstrap)
{
	const SortedPaths *paths = bootstrap->paths;
	Size		path_count = Max(paths->set->path_count, 1);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "attribution replicate", ALLOCSET_DEFAULT_SIZES);

	bootstrap->keys = path_keys(paths, bootstrap->seed);
	bootstrap->values = palloc_extended(path_count * sizeof(double), MCXT_ALLOC_HUGE);
	bootstrap->entries = palloc_extended(path_count * sizeof(PathEntry), MCXT_ALLOC_HUGE);
	bootstrap->sorted = palloc_extended(path_count * sizeof(PathEntry *), MCXT_ALLOC_HUGE);
	bootstrap->samples = palloc_extended((Size) bootstrap->row_count * FIGURES * (Size) bootstrap->replicates * sizeof(double),
										 MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < paths->set->path_count; i++)
		bootstrap->values[i] = exact_sum_value(&paths->paths[i]->value);
	for (int i = 0; i < bootstrap->replicates; i++)
	{
		MemoryContext caller = MemoryContextSwitchTo(context);
		PathSet		set;
		SortedPaths replicate;

		CHECK_FOR_INTERRUPTS();
		draw_replicate(bootstrap, i, &set, &replicate);
		note_figures(bootstrap->samples + i, (Size) bootstrap->replicates, &replicate,
					 attribution_model_credit(bootstrap->model, &replicate));
		MemoryContextSwitchTo(caller);
		MemoryContextReset(context);
	}
	MemoryContextDelete(context);
}

/* A set of the paths that were drawn, with all channels of the data. */
static void
draw_replicate(const Bootstrap *bootstrap, int number, PathSet *set, SortedPaths *replicate)
{
	const SortedPaths *paths = bootstrap->paths;
	int128		conversions = 0;
	ExactSum	value = {0};

	*set = *paths->set;
	set->context = CurrentMemoryContext;
	set->path_count = set->path_capacity = 0;
	set->paths = bootstrap->entries;
	set->slots = NULL;
	set->slot_mask = 0;
	*replicate = *paths;
	replicate->set = set;
	replicate->paths = bootstrap->sorted;
	replicate->unattributed_conversions = replicate->unattributed_value = 0;
	for (uint32 i = 0; i < paths->set->path_count; i++)
	{
		const PathEntry *path = paths->paths[i];
		PathEntry  *drawn = &bootstrap->entries[set->path_count];
		pg_prng_state random;
		double		scaled;

		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		pg_prng_seed(&random, key_with(bootstrap->keys[i], (uint64) number));
		drawn->conversions = draw_poisson(&random, (double) path->conversions);
		drawn->non_conversions = draw_poisson(&random, (double) path->non_conversions);
		if (drawn->conversions == 0 && drawn->non_conversions == 0)
			continue;
		drawn->channels = path->channels;
		drawn->length = path->length;
		drawn->hash = path->hash;
		/* value that came without a conversion follows the journeys that it came with */
		scaled = bootstrap->values[i] * (path->conversions > 0 ?
										 (double) drawn->conversions / (double) path->conversions :
										 (double) drawn->non_conversions / (double) path->non_conversions);
		memset(&drawn->value, 0, sizeof(ExactSum));
		exact_sum_add(&drawn->value, scaled, CurrentMemoryContext);
		bootstrap->sorted[set->path_count++] = drawn;
		if (path->length == 0)
		{
			replicate->unattributed_conversions = (double) drawn->conversions;
			replicate->unattributed_value = scaled;
			continue;
		}
		conversions += drawn->conversions;
		exact_sum_add(&value, scaled, CurrentMemoryContext);
	}
	replicate->conversions = (double) conversions;
	replicate->value = exact_sum_value(&value);
}

/*
 * Percentiles of each figure, over the replicates in which it is known: one without
 * conversions has no shares, for instance.  None knows it: NaN.
 */
static void
find_bounds(const Bootstrap *bootstrap, FigureInterval *intervals)
{
	double		tail = (1 - bootstrap->conf_level) / 2;
	double	   *sorted = palloc((Size) bootstrap->replicates * sizeof(double));

	for (Size i = 0; i < (Size) bootstrap->row_count * FIGURES; i++)
	{
		const double *samples = bootstrap->samples + i * (Size) bootstrap->replicates;
		int			count = 0;

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < bootstrap->replicates; j++)
		{
			if (!isnan(samples[j]))
				sorted[count++] = samples[j];
		}
		qsort(sorted, (size_t) count, sizeof(double), compare_doubles);
		intervals[i].lower = quantile(sorted, count, tail);
		intervals[i].upper = quantile(sorted, count, 1 - tail);
	}
	pfree(sorted);
}

/* Between the two nearest numbers, as percentile_cont has it (type 7 of Hyndman and Fan 1996); NaN of none. */
static double
quantile(const double *sorted, int count, double probability)
{
	double		place = (count - 1) * probability;
	int			below = (int) floor(place);

	if (count == 0)
		return NAN;
	if (below + 1 >= count)
		return sorted[count - 1];
	return sorted[below] + (place - below) * (sorted[below + 1] - sorted[below]);
}

static int
compare_doubles(const void *a, const void *b)
{
	double		left = *(const double *) a;
	double		right = *(const double *) b;

	return (left > right) - (left < right);
}

/* The next row, or 0; what is NaN is NULL, also the bounds of a figure that is not known. */
static Datum
next_row(IntervalRows *rows, const SetCall *call)
{
	Datum		fields[1 + FIGURES * 3];
	bool		nulls[1 + FIGURES * 3] = {0};
	const FigureInterval *intervals = &rows->intervals[(Size) rows->next * FIGURES];

	if (rows->next == rows->count)
		return (Datum) 0;
	fields[0] = rows->names[rows->next++];
	for (int i = 0; i < FIGURES; i++)
	{
		nulls[1 + i * 3] = isnan(intervals[i].estimate);
		nulls[2 + i * 3] = nulls[3 + i * 3] = isnan(intervals[i].estimate) || isnan(intervals[i].lower);
		fields[1 + i * 3] = Float8GetDatum(intervals[i].estimate);
		fields[2 + i * 3] = Float8GetDatum(intervals[i].lower);
		fields[3 + i * 3] = Float8GetDatum(intervals[i].upper);
	}
	return HeapTupleGetDatum(heap_form_tuple(call->row_type, fields, nulls));
}
