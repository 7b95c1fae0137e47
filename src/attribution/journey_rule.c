/*
 * journey_rule.c
 *		Reading the rule of journeys from the arguments of a function, or from a
 *		value of the type journey_rule.
 *
 * What was read is kept with the call site as long as the arguments stay the same:
 * constants are not even looked at again.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "attribution/journey_rule.h"
#include "base/compat.h"
#include "base/duration.h"
#include "base/text_array.h"
#include "timeline/argument.h"
#include "timeline/timeline.h"

PG_FUNCTION_INFO_V1(journey_rule);

/* In the order of the SQL arguments and of the type's attributes. */
typedef enum Option
{
	OPTION_CONVERSION,
	OPTION_LOOKBACK,
	OPTION_TOUCH,
	OPTION_TOUCH_BY,
	OPTION_CONVERSIONS,
	OPTION_REUSE_TOUCHES,
	OPTION_POINTS,
	OPTION_IGNORE,
	OPTION_COLLAPSE,
	OPTION_AS_OF,
	OPTION_GAP,
	OPTION_TIME_ZONE,
	OPTION_SPLIT_CHANNEL
} Option;

static const Oid option_type[JOURNEY_OPTION_COUNT] = {
	TEXTOID, INTERVALOID, TEXTOID, TEXTOID, TEXTOID, BOOLOID, JSONBOID, TEXTARRAYOID, TEXTOID,
	TIMESTAMPTZOID, INTERVALOID, TEXTOID, BOOLOID
};

/* For comparing arguments: the length of the type, -1 if it varies, 0 if it is passed by value. */
static const int16 option_length[JOURNEY_OPTION_COUNT] = {
	-1, sizeof(Interval), -1, -1, -1, 0, -1, -1, -1, 0, sizeof(Interval), -1, 0
};

#define DEFAULT_LOOKBACK (INT64CONST(90) * USECS_PER_DAY)

/* What is kept for a call site. */
typedef struct CachedRule
{
	JourneyRule rule;
	bool		is_constant;	/* the arguments cannot change */
	bool		isnull[JOURNEY_OPTION_COUNT];
	Datum		options[JOURNEY_OPTION_COUNT];
	TimelineString datum;		/* of a rule that came as one value: its bytes */
	struct JourneyWalk *walk;
} CachedRule;

static CachedRule *create_rule(void);
static const JourneyRule *keep_rule(FunctionCallInfo fcinfo, CachedRule *rule, void **cache);
static bool is_unchanged(FunctionCallInfo fcinfo, int first, const CachedRule *cached);
static bool is_constant(FunctionCallInfo fcinfo, int number);
static void read_attributes(CachedRule *cached, HeapTupleHeader header);
static void read_options(CachedRule *cached);
static void read_patterns(CachedRule *cached);
static void read_conversions(JourneyRule *rule, const text *conversions);
static void read_ignore(JourneyRule *rule, ArrayType *ignore);
static int	compare_strings(const void *a, const void *b);
static bool is_given(const CachedRule *cached, Option option);
static bool is_true(const CachedRule *cached, Option option);
static const text *text_option(const CachedRule *cached, Option option);
static bool equals(const text *value, const char *name);

/* (conversion, lookback and so on, as Option) */
Datum
journey_rule(PG_FUNCTION_ARGS)
{
	TupleDesc	row_type;
	Datum		values[JOURNEY_OPTION_COUNT];
	bool		isnull[JOURNEY_OPTION_COUNT];

	(void) journey_rule_of_arguments(fcinfo, 0, &fcinfo->flinfo->fn_extra);
	if (get_call_result_type(fcinfo, NULL, &row_type) != TYPEFUNC_COMPOSITE ||
		row_type->natts != JOURNEY_OPTION_COUNT)
		elog(ERROR, "the type journey_rule does not fit the library");
	for (int i = 0; i < JOURNEY_OPTION_COUNT; i++)
	{
		values[i] = fcinfo->args[i].value;
		isnull[i] = PG_ARGISNULL(i);
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), values, isnull)));
}

/*
 * The rule of the arguments from 'first' on, in the order of Option, kept in
 * *cache from call to call; *cache is NULL at first and lives as long as the call
 * site, as fn_extra does.  An option that is NULL has its default.  The rule is
 * valid until the next call for the same cache.  Mistakes are errors that name the
 * argument: ERRCODE_INVALID_PARAMETER_VALUE, ERRCODE_NULL_VALUE_NOT_ALLOWED for an
 * element of the ignore list, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE for points.
 */
const JourneyRule *
journey_rule_of_arguments(FunctionCallInfo fcinfo, int first, void **cache)
{
	CachedRule *cached = *cache;
	MemoryContext caller;

	if (cached != NULL && (cached->is_constant || is_unchanged(fcinfo, first, cached)))
		return &cached->rule;

	cached = create_rule();
	caller = MemoryContextSwitchTo(cached->rule.context);
	cached->is_constant = true;
	for (int i = 0; i < JOURNEY_OPTION_COUNT; i++)
	{
		cached->is_constant = cached->is_constant && is_constant(fcinfo, first + i);
		cached->isnull[i] = PG_ARGISNULL(first + i);
		if (!cached->isnull[i])
			cached->options[i] = datumCopy(PG_GETARG_DATUM(first + i), option_length[i] == 0, option_length[i]);
	}
	read_options(cached);
	MemoryContextSwitchTo(caller);
	return keep_rule(fcinfo, cached, cache);
}

/*
 * The same of a value of the type journey_rule in argument 'number'.  A NULL is an
 * error (ERRCODE_NULL_VALUE_NOT_ALLOWED): there is no default for a conversion.
 */
const JourneyRule *
journey_rule_of_datum(FunctionCallInfo fcinfo, int number, void **cache)
{
	CachedRule *cached = *cache;
	MemoryContext caller;
	HeapTupleHeader header;

	if (PG_ARGISNULL(number))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the journey_rule must not be NULL"),
				 errhint("Make one with journey_rule(), for example journey_rule('purchase').")));
	if (cached != NULL && argument_is(fcinfo, number, &cached->datum))
		return &cached->rule;

	cached = create_rule();
	caller = MemoryContextSwitchTo(cached->rule.context);
	header = DatumGetHeapTupleHeaderCopy(PG_GETARG_DATUM(number));
	cached->datum = timeline_string((struct varlena *) header);
	read_attributes(cached, header);
	read_options(cached);
	MemoryContextSwitchTo(caller);
	return keep_rule(fcinfo, cached, cache);
}

/* In a context that outlives this call only if there is no mistake in the rule. */
static CachedRule *
create_rule(void)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "engagement journey rule",
												  ALLOCSET_SMALL_SIZES);
	CachedRule *cached = MemoryContextAllocZero(context, sizeof(CachedRule));

	cached->rule.context = context;
	cached->rule.walk = &cached->walk;
	return cached;
}

static const JourneyRule *
keep_rule(FunctionCallInfo fcinfo, CachedRule *rule, void **cache)
{
	CachedRule *before = *cache;

	MemoryContextSetParent(rule->rule.context, fcinfo->flinfo->fn_mcxt);
	*cache = rule;
	if (before != NULL)
		MemoryContextDelete(before->rule.context);
	return &rule->rule;
}

static bool
is_unchanged(FunctionCallInfo fcinfo, int first, const CachedRule *cached)
{
	for (int i = 0; i < JOURNEY_OPTION_COUNT; i++)
	{
		if (PG_ARGISNULL(first + i) != cached->isnull[i])
			return false;
		/* also where a parameter comes toasted, or as an expanded array of PL/pgSQL */
		if (!cached->isnull[i] &&
			!datum_image_eq(PG_GETARG_DATUM(first + i), cached->options[i], option_length[i] == 0, option_length[i]))
			return false;
	}
	return true;
}

/*
 * Only a constant in the query's text.  A parameter is not one: within PL/pgSQL it
 * changes while the call site stays.
 */
static bool
is_constant(FunctionCallInfo fcinfo, int number)
{
	Node	   *call = fcinfo->flinfo->fn_expr;

	return call != NULL && IsA(call, FuncExpr) &&
		list_length(((FuncExpr *) call)->args) > number &&
		IsA(list_nth(((FuncExpr *) call)->args, number), Const);
}

/* The rule's own copy of the value. */
static void
read_attributes(CachedRule *cached, HeapTupleHeader header)
{
	TupleDesc	row_type = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(header), HeapTupleHeaderGetTypMod(header));
	HeapTupleData tuple = {0};
	Datum	   *values = palloc(sizeof(Datum) * Max(row_type->natts, 1));
	bool	   *isnull = palloc(sizeof(bool) * Max(row_type->natts, 1));

	/* the type's owner may have altered it */
	for (int i = 0; i < JOURNEY_OPTION_COUNT; i++)
	{
		if (i >= row_type->natts || TupleDescAttr(row_type, i)->atttypid != option_type[i])
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("the type journey_rule is not as the extension made it"),
					 errdetail("Attribute %d must be of type %s.", i + 1, format_type_be(option_type[i]))));
	}
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_data = header;
	heap_deform_tuple(&tuple, row_type, values, isnull);
	memcpy(cached->options, values, sizeof(cached->options));
	memcpy(cached->isnull, isnull, sizeof(cached->isnull));
	ReleaseTupleDesc(row_type);
}

/* In the rule's own memory context. */
static void
read_options(CachedRule *cached)
{
	JourneyRule *rule = &cached->rule;
	int64		lookback = DEFAULT_LOOKBACK;

	if (is_given(cached, OPTION_LOOKBACK))
		lookback = duration_microseconds(DatumGetIntervalP(cached->options[OPTION_LOOKBACK]), "lookback");
	/* '30' is read as seconds, and nearly all conversions would be without touches */
	if (lookback > 0 && lookback < USECS_PER_MINUTE)
		ereport(WARNING,
				(errmsg("argument \"lookback\" is less than a minute"),
				 errhint("A number without a unit means seconds: write for example '30 days'.")));
	rule->lookback = lookback == PG_INT64_MAX ? JOURNEY_UNLIMITED : (uint64) lookback;
	if (is_given(cached, OPTION_POINTS))
		rule->goals = goal_points_read(DatumGetJsonbP(cached->options[OPTION_POINTS]));
	read_patterns(cached);
	rule->touch_by_channel = !is_given(cached, OPTION_TOUCH_BY) || equals(text_option(cached, OPTION_TOUCH_BY), "channel");
	if (!rule->touch_by_channel)
		rule->touch_by = timeline_string((const struct varlena *) text_option(cached, OPTION_TOUCH_BY));
	if (is_given(cached, OPTION_CONVERSIONS))
		read_conversions(rule, text_option(cached, OPTION_CONVERSIONS));
	rule->reuse_touches = is_true(cached, OPTION_REUSE_TOUCHES);
	if (is_given(cached, OPTION_IGNORE))
		read_ignore(rule, DatumGetArrayTypeP(cached->options[OPTION_IGNORE]));
	if (is_given(cached, OPTION_COLLAPSE))
		rule->collapse = path_collapse_of(text_option(cached, OPTION_COLLAPSE), "collapse");
	rule->as_of = is_given(cached, OPTION_AS_OF) ? DatumGetTimestampTz(cached->options[OPTION_AS_OF]) : PG_INT64_MAX;
	rule->visits = visit_rule(is_given(cached, OPTION_GAP) ? DatumGetIntervalP(cached->options[OPTION_GAP]) : NULL,
							  false,
							  is_given(cached, OPTION_TIME_ZONE) ? unconstify(text *, text_option(cached, OPTION_TIME_ZONE)) : NULL,
							  is_true(cached, OPTION_SPLIT_CHANNEL));
}

/* After the points, without which there must be a pattern for conversions. */
static void
read_patterns(CachedRule *cached)
{
	JourneyRule *rule = &cached->rule;
	PatternSet *set = pattern_set_create();

	if (is_given(cached, OPTION_CONVERSION))
	{
		const text *conversion = text_option(cached, OPTION_CONVERSION);

		pattern_set_add(set, VARDATA_ANY(conversion), VARSIZE_ANY_EXHDR(conversion), "conversion");
	}
	else if (rule->goals.matcher == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"conversion\" must not be NULL without \"points\""),
				 errhint("Give a pattern for the events that are conversions, for example 'purchase'.")));
	else
		set->pattern_count++;

	rule->touch_is_visit = !is_given(cached, OPTION_TOUCH) || equals(text_option(cached, OPTION_TOUCH), "visit");
	if (!rule->touch_is_visit)
	{
		const text *touch = text_option(cached, OPTION_TOUCH);

		pattern_set_add(set, VARDATA_ANY(touch), VARSIZE_ANY_EXHDR(touch), "touch");
	}
	if (set->term_count == 0)
		return;
	pattern_set_sort(set);
	rule->matcher = matcher_create(set);
}

static void
read_conversions(JourneyRule *rule, const text *conversions)
{
	rule->first_conversion_only = equals(conversions, "first");
	if (!rule->first_conversion_only && !equals(conversions, "all"))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"conversions\" cannot be \"%s\"", text_to_cstring(conversions)),
				 errhint("Valid values are \"all\" and \"first\".")));
}

static void
read_ignore(JourneyRule *rule, ArrayType *ignore)
{
	TextArrayWalk walk;
	TimelineString *labels;

	text_array_start(&walk, ignore, "ignore");
	labels = palloc(sizeof(TimelineString) * Max(walk.length, 1));
	while (text_array_next(&walk))
	{
		if (walk.bytes == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument \"ignore\" must not have NULL elements"),
					 errhint("Events without a channel, or without the property touch_by, need not be ignored: they give a visit no label.")));
		labels[rule->ignore_count].bytes = walk.bytes;
		labels[rule->ignore_count++].length = walk.size;
	}
	qsort(labels, rule->ignore_count, sizeof(TimelineString), compare_strings);
	rule->ignore = labels;
}

static int
compare_strings(const void *a, const void *b)
{
	return timeline_compare_strings(a, b);
}

static bool
is_given(const CachedRule *cached, Option option)
{
	return !cached->isnull[option];
}

static bool
is_true(const CachedRule *cached, Option option)
{
	return is_given(cached, option) && DatumGetBool(cached->options[option]);
}

/* It lives as long as the rule. */
static const text *
text_option(const CachedRule *cached, Option option)
{
	return DatumGetTextPP(cached->options[option]);
}

static bool
equals(const text *value, const char *name)
{
	size_t		length = strlen(name);

	return (size_t) VARSIZE_ANY_EXHDR(value) == length && memcmp(VARDATA_ANY(value), name, length) == 0;
}
