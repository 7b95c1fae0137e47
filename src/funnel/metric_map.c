/*
 * metric_map.c
 *		Which events count for which metrics of a stage.
 *
 * Each metric has a pattern, and an event counts for every metric whose pattern
 * it matches.  The defaults know the usual names; a metric map, a jsonb object
 * of metrics and patterns, replaces those that it names.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "funnel/metric_map.h"
#include "funnel/stage_map.h"

/* The pattern of the argument action follows those of the metrics. */
#define ACTION_BIT METRIC_BIT(METRIC_COUNT)

/* What counts as an action where the argument is not given. */
#define DEFAULT_ACTION_BITS \
	(METRIC_BIT(METRIC_CLICKS) | METRIC_BIT(METRIC_ORDERS) | METRIC_BIT(METRIC_SUBSCRIPTIONS) | \
	 METRIC_BIT(METRIC_LIKES) | METRIC_BIT(METRIC_SHARES) | METRIC_BIT(METRIC_COMMENTS))

/* The defaults stand in the COMMENT of stage_activity() too. */
static const struct
{
	const char *name;
	const char *pattern;
}			metrics[METRIC_COUNT] = {
	[METRIC_IMPRESSIONS] = {"impressions", "impression*|*_impression"},
	[METRIC_VIEWS] = {"views", "page_view|pageview|screen_view|product_view|view_item|view"},
	[METRIC_LIKES] = {"likes", "like|reaction"},
	[METRIC_SHARES] = {"shares", "share"},
	[METRIC_COMMENTS] = {"comments", "comment"},
	[METRIC_CLICKS] = {"clicks", "click*|*_click"},
	[METRIC_VIDEO_STARTS] = {"video_starts", "video_start|video_started|video_play"},
	[METRIC_VIDEO_25] = {"video_25", "video_25|video_progress_25|video_progress[video_percent=25]"},
	[METRIC_VIDEO_50] = {"video_50", "video_50|video_progress_50|video_progress[video_percent=50]"},
	[METRIC_VIDEO_75] = {"video_75", "video_75|video_progress_75|video_progress[video_percent=75]"},
	[METRIC_VIDEO_COMPLETES] = {"video_completes", "video_complete|video_completed|video_100|video_progress_100"},
	[METRIC_ORDERS] = {"orders", "purchase|order"},
	[METRIC_SUBSCRIPTIONS] = {"subscriptions", "subscribe|subscription|newsletter_signup"}
};

static void read_map(Jsonb *map, JsonbValue *patterns);
static Metric metric_number(const JsonbValue *name);
static char *list_of_metrics(void);

/*
 * The metrics of arguments map_number, a jsonb, and action_number, a pattern as
 * text; NULL stands for the defaults.  In the map a JSON null for a metric means
 * that no event counts for it.  *cache is NULL at first and lives as long as the
 * call site, as fn_extra does.  An unknown metric and a pattern that cannot be
 * read are errors (ERRCODE_INVALID_PARAMETER_VALUE).
 */
const MetricMap *
metric_map_of_arguments(FunctionCallInfo fcinfo, void **cache, int map_number, int action_number)
{
	MetricMap  *map = *cache;
	MemoryContext context;
	MemoryContext caller;
	PatternSet *set;
	JsonbValue	patterns[METRIC_COUNT];

	if (map != NULL && argument_is(fcinfo, map_number, &map->map) &&
		argument_is(fcinfo, action_number, &map->action))
		return map;

	*cache = NULL;
	if (map != NULL)
		MemoryContextDelete(map->context);
	/* it outlives this call only if there is no mistake in the arguments */
	context = AllocSetContextCreate(CurrentMemoryContext, "engagement metric map", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(context);
	map = palloc0(sizeof(MetricMap));
	map->context = context;
	map->map = argument_copy(fcinfo, map_number);
	map->action = argument_copy(fcinfo, action_number);

	for (int i = 0; i < METRIC_COUNT; i++)
	{
		patterns[i].type = jbvString;
		patterns[i].val.string.val = unconstify(char *, metrics[i].pattern);
		patterns[i].val.string.len = strlen(metrics[i].pattern);
	}
	if (!PG_ARGISNULL(map_number))
		read_map(DatumGetJsonbPCopy(PG_GETARG_DATUM(map_number)), patterns);

	set = pattern_set_create();
	for (int i = 0; i < METRIC_COUNT; i++)
	{
		if (patterns[i].type == jbvNull)
			set->pattern_count++;
		else
			pattern_set_add(set, patterns[i].val.string.val, patterns[i].val.string.len, "metric_map");
	}
	map->action_bits = DEFAULT_ACTION_BITS;
	if (map->action.bytes != NULL)
	{
		pattern_set_add(set, map->action.bytes, (int) map->action.length, "action");
		map->action_bits = ACTION_BIT;
	}
	pattern_set_sort(set);
	map->matcher = matcher_create(set);
	MemoryContextSwitchTo(caller);
	MemoryContextSetParent(context, fcinfo->flinfo->fn_mcxt);
	*cache = map;
	return map;
}

static void
read_map(Jsonb *map, JsonbValue *patterns)
{
	JsonbIterator *iterator = JsonbIteratorInit(&map->root);
	JsonbValue	name;
	JsonbValue	pattern;

	if (!JB_ROOT_IS_OBJECT(map))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"metric_map\" must be a JSON object of metrics and patterns"),
				 errhint("For example '{\"views\": \"page_view|screen_view\", \"orders\": \"purchase\"}'.")));
	(void) JsonbIteratorNext(&iterator, &name, false);
	for (uint32 i = 0; i < JB_ROOT_COUNT(map); i++)
	{
		Metric		metric;

		(void) JsonbIteratorNext(&iterator, &name, true);
		(void) JsonbIteratorNext(&iterator, &pattern, true);
		metric = metric_number(&name);
		if (pattern.type != jbvString && pattern.type != jbvNull)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("pattern of \"%s\" in argument \"metric_map\" must be a string or null",
							metrics[metric].name),
					 errhint("With null, no event counts for it.")));
		patterns[metric] = pattern;
	}
}

static Metric
metric_number(const JsonbValue *name)
{
	for (int i = 0; i < METRIC_COUNT; i++)
	{
		if (strlen(metrics[i].name) == (size_t) name->val.string.len &&
			memcmp(metrics[i].name, name->val.string.val, name->val.string.len) == 0)
			return (Metric) i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown metric \"%.*s\" in argument \"metric_map\"",
					name->val.string.len, name->val.string.val),
			 errhint("Valid metrics are %s.", list_of_metrics())));
}

static char *
list_of_metrics(void)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < METRIC_COUNT; i++)
		appendStringInfo(&list, "%s\"%s\"", i == 0 ? "" : i < METRIC_COUNT - 1 ? ", " : " and ", metrics[i].name);
	return list.data;
}
