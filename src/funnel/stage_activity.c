/*
 * stage_activity.c
 *		What one visitor did in each stage of the buyer's journey, period by period.
 *
 * Per call site the maps and the time zone are kept.  Per call the events are
 * walked through once, and a row is made for each stage and period that they are
 * in; then the rows are returned, one a call.
 *
 * An event counts in the stage of its own pattern.  One without a stage of its
 * own counts in the stage that the visitor is in at its time, which is what
 * stage_at() gives for that time; so the events of an instant are looked at
 * together.
 *
 * An action after a video counts in the row of the video event that it follows,
 * the last one at or before it, so that it stands beside the starts that it is
 * compared with.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "datatype/timestamp.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "base/calendar.h"
#include "base/compat.h"
#include "base/duration.h"
#include "base/set_call.h"
#include "funnel/decimal_sum.h"
#include "funnel/metric_map.h"
#include "funnel/stage_activity.h"
#include "funnel/stage_map.h"
#include "timeline/kind_property.h"
#include "timeline/timeline.h"

PG_FUNCTION_INFO_V1(timeline_stage_activity);

#define DEFAULT_AFTER_VIDEO (UINT64CONST(30) * 60 * 1000000)

typedef enum PeriodUnit
{
	PERIOD_DAY,
	PERIOD_WEEK,
	PERIOD_MONTH,
	PERIOD_QUARTER,
	PERIOD_YEAR,
	PERIOD_ALL
} PeriodUnit;

static const char *const period_names[] = {
	[PERIOD_DAY] = "day",
	[PERIOD_WEEK] = "week",
	[PERIOD_MONTH] = "month",
	[PERIOD_QUARTER] = "quarter",
	[PERIOD_YEAR] = "year",
	[PERIOD_ALL] = "all"
};

typedef struct ActivityRow
{
	int32		first_day;		/* of the period, as a Julian day */
	int			stage;
	int64		period_start;
	int32		counts[ACTIVITY_COLUMNS];	/* those that are counts */
	DecimalSum	revenue;
	DecimalSum	subscription_value;
	DecimalSum	level_sum;
} ActivityRow;

typedef struct InstantEvent
{
	uint32		kind;
	bool		has_value;
	double		value;
} InstantEvent;

/* What is kept for the call site. */
typedef struct ActivitySite
{
	void	   *stage_map;
	void	   *metric_map;
	LocalClock	clock;
} ActivitySite;

typedef struct ActivityWalk
{
	TimelineView view;
	const StageMap *map;
	const int  *kind_stages;
	const uint64 *masks;		/* of each kind, its metrics */
	const double *levels;		/* of each kind; NaN: none; NULL: no subscriptions */
	uint64		action_bits;
	bool		ordered;
	uint64		after_video;
	PeriodUnit	unit;
	LocalClock *clock;

	int			stage;			/* the visitor's */
	bool		has_video;
	int64		video_at;		/* of the last video event */
	int			video_row;		/* in which it counts */
	InstantEvent *events;		/* of one instant */
	uint32		event_count;
	uint32		event_capacity;

	int32		day;			/* of the instant before, if there are periods */
	int			period;			/* of the instant */
	int			period_count;
	int			period_capacity;
	int32		last_first_day; /* of the latest period */
	int32	   *first_days;		/* of each period */
	int64	   *period_starts;
	int		   *row_numbers;	/* by period, then stage from STAGE_NONE on; -1: no such row */
	int			row_count;
	int			row_capacity;
	ActivityRow *rows;
	int			next_row;		/* to be returned */
} ActivityWalk;

static ActivityWalk *start_walk(FunctionCallInfo fcinfo, SetCall *call);
static PeriodUnit parse_period(const text *period);
static const double *read_levels(const ActivityWalk *walk, const TimelineString *key);
static double level_of(const TimelineView *view, uint32 kind, const TimelineString *key);
static void count_events(ActivityWalk *walk);
static void add_to_instant(ActivityWalk *walk, const TimelineCursor *cursor);
static void count_instant(ActivityWalk *walk, int64 at);
static void count_event(ActivityWalk *walk, int64 at, const InstantEvent *event);
static int	stage_of(const ActivityWalk *walk, uint32 kind);
static int	row_of(ActivityWalk *walk, int stage);
static void enter_period(ActivityWalk *walk, int64 at);
static int32 first_day_of(PeriodUnit unit, int32 day);
static void add_period(ActivityWalk *walk, int32 first_day);
static int64 local_midnight(int32 day, pg_tz *time_zone);
static int	compare_rows(const void *a, const void *b);
static Datum form_row(const ActivityWalk *walk, const ActivityRow *row, SetCall *call);
static Datum decimal_datum(const DecimalSum *sum, bool *isnull);

/*
 * (timeline, stage_map, period, time_zone, stages, metric_map, level_property,
 * action, after_video, ordered)
 */
Datum
timeline_stage_activity(PG_FUNCTION_ARGS)
{
	SetCall    *call = set_call_begin(fcinfo);
	ActivityWalk *walk;

	if (!call->is_running)
	{
		MemoryContext caller;

		if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
			SET_CALL_RETURN_DONE(fcinfo, call);
		set_call_start(fcinfo, call);
		caller = MemoryContextSwitchTo(call->context);
		call->state = walk = start_walk(fcinfo, call);
		count_events(walk);
		qsort(walk->rows, walk->row_count, sizeof(ActivityRow), compare_rows);
		MemoryContextSwitchTo(caller);
	}
	walk = call->state;

	if (walk->next_row < walk->row_count)
		SET_CALL_RETURN_NEXT(fcinfo, form_row(walk, &walk->rows[walk->next_row++], call));
	SET_CALL_RETURN_DONE(fcinfo, call);
}

/* In a memory context that lasts for the whole set. */
static ActivityWalk *
start_walk(FunctionCallInfo fcinfo, SetCall *call)
{
	ActivityWalk *walk = palloc0(sizeof(ActivityWalk));
	ActivitySite *site = call->site;
	const MetricMap *metrics;
	pg_tz	   *time_zone;
	TimelineString level_property = {"level", 5};

	if (site == NULL)
	{
		stage_activity_check(call->row_type);
		call->site = site = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(ActivitySite));
	}
	walk->map = stage_map_of_arguments(fcinfo, &site->stage_map, 1, 4);
	metrics = metric_map_of_arguments(fcinfo, &site->metric_map, 5, 7);
	walk->action_bits = metrics->action_bits;
	walk->unit = PG_ARGISNULL(2) ? PERIOD_MONTH : parse_period(PG_GETARG_TEXT_PP(2));
	time_zone = calendar_time_zone(PG_ARGISNULL(3) ? cstring_to_text("UTC") : PG_GETARG_TEXT_PP(3));
	if (site->clock.time_zone != time_zone)
		local_clock_set(&site->clock, time_zone);
	walk->clock = &site->clock;
	walk->after_video = PG_ARGISNULL(8) ? DEFAULT_AFTER_VIDEO :
		(uint64) duration_microseconds(PG_GETARG_INTERVAL_P(8), "after_video");
	walk->ordered = PG_ARGISNULL(9) || PG_GETARG_BOOL(9);
	walk->stage = STAGE_NONE;
	if (!PG_ARGISNULL(6))
		level_property = timeline_string(PG_GETARG_TEXT_PP(6));

	timeline_open(&walk->view, PG_GETARG_TIMELINE(0));
	walk->kind_stages = stage_map_kinds(walk->map, &walk->view,
										palloc(sizeof(int) * TIMELINE_INLINE_KINDS));
	walk->masks = matcher_masks(metrics->matcher, &walk->view);
	walk->levels = read_levels(walk, &level_property);
	return walk;
}

static PeriodUnit
parse_period(const text *period)
{
	const char *bytes = VARDATA_ANY(period);
	int			length = VARSIZE_ANY_EXHDR(period);

	for (int i = 0; i < (int) lengthof(period_names); i++)
	{
		if (strlen(period_names[i]) == (size_t) length && memcmp(period_names[i], bytes, length) == 0)
			return (PeriodUnit) i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"period\" cannot be \"%.*s\"", length, bytes),
			 errhint("Valid values are \"day\", \"week\", \"month\", \"quarter\", \"year\" and \"all\".")));
}

/* NULL if there are no subscriptions. */
static const double *
read_levels(const ActivityWalk *walk, const TimelineString *key)
{
	const TimelineView *view = &walk->view;
	double	   *levels = NULL;

	for (uint32 i = 0; i < view->kind_count; i++)
	{
		if ((walk->masks[i] & METRIC_BIT(METRIC_SUBSCRIPTIONS)) == 0)
			continue;
		if (levels == NULL)
		{
			levels = palloc_extended(sizeof(double) * view->kind_count, MCXT_ALLOC_HUGE);
			for (uint32 k = 0; k < view->kind_count; k++)
				levels[k] = NAN;
		}
		levels[i] = level_of(view, i, key);
	}
	return levels;
}

/* The number in a property, be it a JSON number or a string of one; else NaN. */
static double
level_of(const TimelineView *view, uint32 kind, const TimelineString *key)
{
	TimelineString property;
	char	   *text;
	char	   *end;
	double		level;

	/* strtod would read hexadecimal numbers and names of infinity too */
	if (!kind_property_string(view, kind, key, &property) || property.length == 0)
		return NAN;
	text = pnstrdup(property.bytes, property.length);
	if (strspn(text, "+-.0123456789eE") != property.length)
		return NAN;
	level = strtod(text, &end);
	return end == text + property.length && !isinf(level) ? level : NAN;
}

static void
count_events(ActivityWalk *walk)
{
	TimelineCursor cursor;
	bool		has_next;

	timeline_cursor_start(&cursor, &walk->view);
	has_next = timeline_next(&cursor);
	while (has_next)
	{
		int64		at = cursor.at;

		walk->event_count = 0;
		do
		{
			add_to_instant(walk, &cursor);
			if (cursor.remaining % TIMELINE_INTERRUPT_EVERY == 0)
				CHECK_FOR_INTERRUPTS();
			has_next = timeline_next(&cursor);
		} while (has_next && cursor.at == at);
		count_instant(walk, at);
	}
	timeline_cursor_end(&cursor);
}

static void
add_to_instant(ActivityWalk *walk, const TimelineCursor *cursor)
{
	InstantEvent *event;

	if (walk->event_count == walk->event_capacity)
	{
		walk->event_capacity = Max(16, walk->event_capacity * 2);
		walk->events = walk->events == NULL ?
			palloc(sizeof(InstantEvent) * walk->event_capacity) :
			repalloc_huge(walk->events, sizeof(InstantEvent) * walk->event_capacity);
	}
	event = &walk->events[walk->event_count++];
	event->kind = cursor->kind;
	event->has_value = cursor->has_value;
	event->value = cursor->value;
}

static void
count_instant(ActivityWalk *walk, int64 at)
{
	int			furthest = STAGE_NONE;
	int			video_stage = STAGE_NONE;
	bool		has_video = false;

	for (uint32 i = 0; i < walk->event_count; i++)
		furthest = Max(furthest, walk->kind_stages[walk->events[i].kind]);
	if (furthest > walk->stage || (!walk->ordered && furthest != STAGE_NONE))
		walk->stage = furthest;
	enter_period(walk, at);

	for (uint32 i = 0; i < walk->event_count; i++)
	{
		uint32		kind = walk->events[i].kind;

		if ((walk->masks[kind] & VIDEO_BITS) != 0)
		{
			has_video = true;
			video_stage = Max(video_stage, stage_of(walk, kind));
		}
	}
	if (has_video)
	{
		walk->has_video = true;
		walk->video_at = at;
		walk->video_row = row_of(walk, video_stage);
	}

	for (uint32 i = 0; i < walk->event_count; i++)
		count_event(walk, at, &walk->events[i]);
}

static void
count_event(ActivityWalk *walk, int64 at, const InstantEvent *event)
{
	uint64		mask = walk->masks[event->kind];
	int			number = row_of(walk, stage_of(walk, event->kind));
	ActivityRow *row = &walk->rows[number];

	row->counts[ACTIVITY_EVENTS]++;
	for (uint64 rest = mask & METRIC_BITS; rest != 0; rest &= rest - 1)
		row->counts[ACTIVITY_METRIC(pg_rightmost_one_pos64(rest))]++;
	if ((mask & METRIC_BIT(METRIC_ORDERS)) != 0 && event->has_value)
		decimal_sum_add(&row->revenue, event->value);
	if ((mask & METRIC_BIT(METRIC_SUBSCRIPTIONS)) != 0)
	{
		if (event->has_value)
			decimal_sum_add(&row->subscription_value, event->value);
		if (walk->levels != NULL && !isnan(walk->levels[event->kind]))
		{
			row->counts[ACTIVITY_LEVELS]++;
			decimal_sum_add(&row->level_sum, walk->levels[event->kind]);
		}
	}
	/* seeing more of a video is no action after it; times may be further apart than int64 */
	if ((mask & walk->action_bits) != 0 && (mask & VIDEO_BITS) == 0 && walk->has_video &&
		(uint64) at - (uint64) walk->video_at <= walk->after_video)
		walk->rows[walk->video_row].counts[ACTIVITY_ACTIONS_AFTER_VIDEO]++;
}

static int
stage_of(const ActivityWalk *walk, uint32 kind)
{
	return walk->kind_stages[kind] != STAGE_NONE ? walk->kind_stages[kind] : walk->stage;
}

/* The number of the row of this stage in the current period, a new one if need be. */
static int
row_of(ActivityWalk *walk, int stage)
{
	int		   *number = &walk->row_numbers[(Size) walk->period * (walk->map->stage_count + 1) + stage + 1];
	ActivityRow *row;

	if (*number >= 0)
		return *number;
	if (walk->row_count == walk->row_capacity)
	{
		walk->row_capacity = Max(8, walk->row_capacity * 2);
		walk->rows = walk->rows == NULL ?
			palloc(sizeof(ActivityRow) * walk->row_capacity) :
			repalloc_huge(walk->rows, sizeof(ActivityRow) * walk->row_capacity);
	}
	*number = walk->row_count++;
	row = &walk->rows[*number];
	memset(row, 0, sizeof(ActivityRow));
	row->first_day = walk->first_days[walk->period];
	row->period_start = walk->period_starts[walk->period];
	row->stage = stage;
	row->counts[ACTIVITY_VISITORS] = 1;
	return *number;
}

/* Makes the period that this instant falls into the current one. */
static void
enter_period(ActivityWalk *walk, int64 at)
{
	int32		day = walk->unit == PERIOD_ALL ? 0 : local_clock_day(walk->clock, at);
	int32		first_day;

	if (walk->period_count > 0 && day == walk->day)
		return;
	walk->day = day;
	first_day = first_day_of(walk->unit, day);

	if (walk->period_count > 0 && first_day <= walk->last_first_day)
	{
		/* mostly the last; not where clocks are set back over midnight, by which a day comes again */
		for (walk->period = walk->period_count - 1; walk->period >= 0; walk->period--)
		{
			if (walk->first_days[walk->period] == first_day)
				return;
		}
	}
	add_period(walk, first_day);
}

/* The first day, as a Julian day, of the period that a day is in. */
static int32
first_day_of(PeriodUnit unit, int32 day)
{
	int			year;
	int			month;
	int			day_of_month;

	/* west of Greenwich, time begins on the day before day 0: local_midnight refuses it */
	if (unit == PERIOD_DAY || unit == PERIOD_ALL || day < 0)
		return day;
	/* Julian day 0 was a Monday */
	if (unit == PERIOD_WEEK)
		return day - day % 7;
	j2date(day, &year, &month, &day_of_month);
	if (unit == PERIOD_QUARTER)
		month = (month - 1) / 3 * 3 + 1;
	else if (unit == PERIOD_YEAR)
		month = 1;
	return date2j(year, month, 1);
}

static void
add_period(ActivityWalk *walk, int32 first_day)
{
	int			stages = walk->map->stage_count + 1;

	if (walk->period_count == walk->period_capacity)
	{
		Size		capacity = Max(4, walk->period_capacity * 2);

		walk->period_capacity = (int) capacity;
		if (walk->first_days == NULL)
		{
			walk->first_days = palloc(sizeof(int32) * capacity);
			walk->period_starts = palloc(sizeof(int64) * capacity);
			walk->row_numbers = palloc(sizeof(int) * stages * capacity);
		}
		else
		{
			walk->first_days = repalloc_huge(walk->first_days, sizeof(int32) * capacity);
			walk->period_starts = repalloc_huge(walk->period_starts, sizeof(int64) * capacity);
			walk->row_numbers = repalloc_huge(walk->row_numbers, sizeof(int) * stages * capacity);
		}
	}
	walk->period = walk->period_count++;
	walk->last_first_day = walk->period == 0 ? first_day : Max(walk->last_first_day, first_day);
	walk->first_days[walk->period] = first_day;
	walk->period_starts[walk->period] = walk->unit == PERIOD_ALL ? 0 : local_midnight(first_day, walk->clock->time_zone);
	for (int i = 0; i < stages; i++)
		walk->row_numbers[(Size) walk->period * stages + i] = -1;
}

/* When a day begins in a time zone, as date_trunc has it. */
static int64
local_midnight(int32 day, pg_tz *time_zone)
{
	struct pg_tm tm = {0};
	Timestamp	result;
	int			offset;

	if (day >= 0)
	{
		j2date(day, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
		offset = DetermineTimeZoneOffset(&tm, time_zone);
		if (tm2timestamp(&tm, 0, &offset, &result) == 0)
			return result;
	}
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("timestamp out of range"),
			 errdetail("A period begins before the first time that there is.")));
}

/* By period, then by stage, those of no stage first. */
static int
compare_rows(const void *a, const void *b)
{
	const ActivityRow *left = a;
	const ActivityRow *right = b;

	if (left->first_day != right->first_day)
		return left->first_day < right->first_day ? -1 : 1;
	return left->stage - right->stage;
}

static Datum
form_row(const ActivityWalk *walk, const ActivityRow *row, SetCall *call)
{
	Datum		fields[ACTIVITY_COLUMNS];
	bool		nulls[ACTIVITY_COLUMNS] = {false};

	nulls[ACTIVITY_STAGE] = row->stage == STAGE_NONE;
	fields[ACTIVITY_STAGE] = nulls[ACTIVITY_STAGE] ? (Datum) 0 : walk->map->names[row->stage];
	nulls[ACTIVITY_PERIOD_START] = walk->unit == PERIOD_ALL;
	fields[ACTIVITY_PERIOD_START] = TimestampTzGetDatum(row->period_start);
	for (int i = ACTIVITY_VISITORS; ACTIVITY_IS_COUNT(i); i++)
		fields[i] = Int64GetDatum(row->counts[i]);
	fields[ACTIVITY_REVENUE] = decimal_datum(&row->revenue, &nulls[ACTIVITY_REVENUE]);
	fields[ACTIVITY_SUBSCRIPTION_VALUE] = decimal_datum(&row->subscription_value, &nulls[ACTIVITY_SUBSCRIPTION_VALUE]);
	fields[ACTIVITY_LEVEL_SUM] = decimal_datum(&row->level_sum, &nulls[ACTIVITY_LEVEL_SUM]);
	return HeapTupleGetDatum(heap_form_tuple(call->row_type, fields, nulls));
}

/* NULL if nothing was added. */
static Datum
decimal_datum(const DecimalSum *sum, bool *isnull)
{
	*isnull = !sum->is_set;
	return sum->is_set ? NumericGetDatum(decimal_sum_total(sum)) : (Datum) 0;
}
