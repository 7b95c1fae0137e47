/*
 * funnel_rule.c
 *		Reading a funnel's steps and options from the arguments of a function.
 *
 * What was read is kept with the call site as long as the arguments stay the same:
 * constants are not even looked at again.
 */
#include "postgres.h"

#include <limits.h>

#include "catalog/pg_type.h"
#include "nodes/primnodes.h"
#include "port/pg_bitutils.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/rangetypes.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "base/compat.h"
#include "base/duration.h"
#include "funnel/funnel_rule.h"
#include "timeline/kind_property.h"
#include "timeline/timeline.h"

/* The options after steps, in the order of the SQL arguments. */
typedef enum Option
{
	OPTION_WITHIN,
	OPTION_STEP_WITHIN,
	OPTION_MODE,
	OPTION_ONCE,
	OPTION_STRICTLY_INCREASING,
	OPTION_EXCLUDE,
	OPTION_EXCLUDE_AFTER,
	OPTION_OPTIONAL,
	OPTION_HOLD,
	OPTION_ENTERED
} Option;

/* All arguments that a plan depends on: the steps, then the options. */
#define ARGUMENT_COUNT (1 + FUNNEL_OPTION_COUNT)

/* For comparing arguments: the length of the type, -1 if it varies, 0 if it is passed by value. */
static const int16 argument_length[ARGUMENT_COUNT] = {-1, sizeof(Interval), -1, -1, 0, 0, -1, -1, -1, -1, -1};

struct FunnelPlan
{
	MemoryContext context;
	bool		is_constant;	/* the arguments cannot change */
	bool		isnull[ARGUMENT_COUNT];
	Datum		arguments[ARGUMENT_COUNT];
	FunnelRule	rule;
	TimelineMatcher *steps;
	TimelineMatcher *exclusions;	/* NULL: none */
	uint64	   *breaks;			/* the gaps that each exclusion breaks */
	bool		holds;
	TimelineString hold;
};

/* The elements of an array argument. */
typedef struct Elements
{
	int			count;
	Datum	   *values;
	bool	   *isnull;
} Elements;

static bool is_unchanged(FunctionCallInfo fcinfo, const FunnelPlan *plan, int first_option);
static bool is_constant(FunctionCallInfo fcinfo, int number);
static void read_arguments(FunnelPlan *plan);
static void read_steps(FunnelPlan *plan, Datum steps);
static void read_mode(FunnelPlan *plan, const text *mode);
static void read_gaps(FunnelRule *rule, Datum step_within);
static uint64 read_limit(Datum interval, const char *argument);
static void read_exclusions(FunnelPlan *plan, Datum exclude);
static void read_optional(FunnelRule *rule, Datum optional);
static void read_entered(FunnelRule *rule, Datum entered);
static void check_mode_any(const FunnelRule *rule, const FunnelPlan *plan);
static Elements read_array(Datum array, Oid type, const char *argument);
static bool is_given(const FunnelPlan *plan, Option option);
static Datum option_value(const FunnelPlan *plan, Option option);
static uint32 number_held_values(const FunnelPlan *plan, const TimelineView *view, FunnelKind *kinds);
static int	compare_held_values(const void *a, const void *b);

/*
 * The plan of the arguments steps (number 1, not NULL) and of the options from
 * first_option on, kept in *cache from call to call; *cache is NULL at first and
 * lives as long as the call site, as fn_extra does.
 */
FunnelPlan *
funnel_plan_of_arguments(FunctionCallInfo fcinfo, void **cache, int first_option)
{
	FunnelPlan *plan = *cache;
	MemoryContext context;
	MemoryContext caller;

	if (plan != NULL && (plan->is_constant || is_unchanged(fcinfo, plan, first_option)))
		return plan;

	*cache = NULL;
	if (plan != NULL)
		MemoryContextDelete(plan->context);
	/* it outlives this call only if there is no mistake in the arguments */
	context = AllocSetContextCreate(CurrentMemoryContext, "funnel plan", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(context);
	plan = palloc0(sizeof(FunnelPlan));
	plan->context = context;
	plan->is_constant = true;
	for (int i = 0; i < ARGUMENT_COUNT; i++)
	{
		int			number = i == 0 ? 1 : first_option + i - 1;

		plan->is_constant = plan->is_constant && is_constant(fcinfo, number);
		plan->isnull[i] = PG_ARGISNULL(number);
		if (!plan->isnull[i])
			plan->arguments[i] = datumCopy(PG_GETARG_DATUM(number), argument_length[i] == 0, argument_length[i]);
	}
	read_arguments(plan);
	MemoryContextSwitchTo(caller);
	MemoryContextSetParent(context, fcinfo->flinfo->fn_mcxt);
	*cache = plan;
	return plan;
}

const FunnelRule *
funnel_plan_rule(const FunnelPlan *plan)
{
	return &plan->rule;
}

/* Whether steps, within and once (or not) are all there is to heed. */
bool
funnel_plan_is_plain(const FunnelPlan *plan)
{
	const FunnelRule *rule = &plan->rule;

	return rule->mode == FUNNEL_ORDERED && !rule->strictly_increasing && !rule->has_gaps &&
		!rule->has_exclusions && rule->optional == 0 && !plan->holds;
}

/* The steps that the events of each kind satisfy, into an array of view->kind_count elements. */
void
funnel_plan_steps(const FunnelPlan *plan, const TimelineView *view, uint64 *steps)
{
	matcher_fill_masks(plan->steps, view, steps);
}

/*
 * What the events of each kind mean to the rule, in the current memory context.
 * A kind without a value for the property to hold satisfies no step.
 */
FunnelKind *
funnel_plan_kinds(const FunnelPlan *plan, const TimelineView *view, uint32 *held_count)
{
	FunnelKind *kinds = palloc_extended(sizeof(FunnelKind) * Max(view->kind_count, 1),
										MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	uint64	   *masks = matcher_masks(plan->steps, view);

	for (uint32 i = 0; i < view->kind_count; i++)
		kinds[i].steps = masks[i];
	pfree(masks);
	if (plan->exclusions != NULL)
	{
		masks = matcher_masks(plan->exclusions, view);
		for (uint32 i = 0; i < view->kind_count; i++)
		{
			for (uint64 rest = masks[i]; rest != 0; rest &= rest - 1)
				kinds[i].breaks |= plan->breaks[pg_rightmost_one_pos64(rest)];
		}
		pfree(masks);
	}
	*held_count = plan->holds ? number_held_values(plan, view, kinds) : 1;
	return kinds;
}

static bool
is_unchanged(FunctionCallInfo fcinfo, const FunnelPlan *plan, int first_option)
{
	for (int i = 0; i < ARGUMENT_COUNT; i++)
	{
		int			number = i == 0 ? 1 : first_option + i - 1;

		if (PG_ARGISNULL(number) != plan->isnull[i])
			return false;
		/* also where a parameter comes toasted, or as an expanded array of PL/pgSQL */
		if (!plan->isnull[i] &&
			!datum_image_eq(PG_GETARG_DATUM(number), plan->arguments[i], argument_length[i] == 0, argument_length[i]))
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

/* In the plan's own memory context. */
static void
read_arguments(FunnelPlan *plan)
{
	FunnelRule *rule = &plan->rule;

	rule->once = !is_given(plan, OPTION_ONCE) || DatumGetBool(option_value(plan, OPTION_ONCE));
	rule->strictly_increasing = is_given(plan, OPTION_STRICTLY_INCREASING) &&
		DatumGetBool(option_value(plan, OPTION_STRICTLY_INCREASING));
	rule->within = FUNNEL_NO_LIMIT;
	rule->entered_from = PG_INT64_MIN;
	rule->entered_to = PG_INT64_MAX;

	read_steps(plan, plan->arguments[0]);
	if (is_given(plan, OPTION_MODE))
		read_mode(plan, DatumGetTextPP(option_value(plan, OPTION_MODE)));
	if (is_given(plan, OPTION_WITHIN))
		rule->within = read_limit(option_value(plan, OPTION_WITHIN), "within");
	if (is_given(plan, OPTION_STEP_WITHIN))
		read_gaps(rule, option_value(plan, OPTION_STEP_WITHIN));
	if (is_given(plan, OPTION_EXCLUDE))
		read_exclusions(plan, option_value(plan, OPTION_EXCLUDE));
	else if (is_given(plan, OPTION_EXCLUDE_AFTER))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"exclude_after\" needs \"exclude\""),
				 errhint("It tells for each pattern of exclude the step after which it breaks a chain.")));
	if (is_given(plan, OPTION_OPTIONAL))
		read_optional(rule, option_value(plan, OPTION_OPTIONAL));
	if (is_given(plan, OPTION_HOLD))
	{
		plan->holds = true;
		plan->hold = timeline_string(DatumGetTextPP(option_value(plan, OPTION_HOLD)));
	}
	if (is_given(plan, OPTION_ENTERED))
		read_entered(rule, option_value(plan, OPTION_ENTERED));
	if (rule->mode == FUNNEL_ANY)
		check_mode_any(rule, plan);
}

static void
read_steps(FunnelPlan *plan, Datum steps)
{
	Elements	elements = read_array(steps, TEXTOID, "steps");
	PatternSet *set = pattern_set_create();

	if (elements.count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"steps\" must not be empty"),
				 errhint("Give a pattern for each step, for example '{product_view,add_to_cart,purchase}'.")));
	if (elements.count > FUNNEL_MAX_STEPS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"steps\" has %d steps, and a funnel has at most %d", elements.count, FUNNEL_MAX_STEPS)));
	for (int i = 0; i < elements.count; i++)
	{
		text	   *pattern;

		if (elements.isnull[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("step %d in argument \"steps\" is NULL", i + 1),
					 errhint("Every step is a pattern, such as 'purchase' or 'signup|register'.")));
		pattern = DatumGetTextPP(elements.values[i]);
		pattern_set_add(set, VARDATA_ANY(pattern), VARSIZE_ANY_EXHDR(pattern), "steps");
	}
	pattern_set_sort(set);
	plan->rule.step_count = elements.count;
	plan->steps = matcher_create(set);
}

static void
read_mode(FunnelPlan *plan, const text *mode)
{
	static const struct
	{
		const char *name;
		FunnelMode	mode;
	}			names[] = {
		{"ordered", FUNNEL_ORDERED},
		{"any", FUNNEL_ANY},
		{"unordered", FUNNEL_ANY},
		{"contiguous", FUNNEL_CONTIGUOUS},
		{"strict", FUNNEL_CONTIGUOUS},
		{"exact_order", FUNNEL_CONTIGUOUS}
	};
	char	   *name = text_to_cstring(mode);

	for (int i = 0; i < (int) lengthof(names); i++)
	{
		if (strcmp(name, names[i].name) == 0)
		{
			plan->rule.mode = names[i].mode;
			return;
		}
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"mode\" cannot be \"%s\"", name),
			 errhint("Valid values are \"ordered\" (other events may come between), \"any\" (in any order; also \"unordered\") and \"contiguous\" (no other event between; also \"strict\" and \"exact_order\"). The modes of ClickHouse are those of window_funnel().")));
}

/* A gap that is NULL has no limit. */
static void
read_gaps(FunnelRule *rule, Datum step_within)
{
	Elements	elements = read_array(step_within, INTERVALOID, "step_within");

	if (elements.count == 0 || (elements.count != 1 && elements.count != rule->step_count - 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"step_within\" has %d elements for %d steps", elements.count, rule->step_count),
				 rule->step_count <= 2 ? errhint("Give one interval.") :
				 errhint("Give one interval for all gaps, or one for each gap from a step to the next: %d.",
						 rule->step_count - 1)));
	rule->has_gaps = true;
	for (int i = 1; i < rule->step_count; i++)
	{
		int			element = elements.count == 1 ? 0 : i - 1;

		rule->gaps[i] = elements.isnull[element] ? FUNNEL_NO_LIMIT :
			read_limit(elements.values[element], "step_within");
	}
	/* a mistake in it is one in a funnel of one step, too */
	if (rule->step_count == 1 && !elements.isnull[0])
		(void) read_limit(elements.values[0], "step_within");
}

/* What exceeds the range of times is no limit. */
static uint64
read_limit(Datum interval, const char *argument)
{
	int64		limit = duration_microseconds(DatumGetIntervalP(interval), argument);

	return limit == PG_INT64_MAX ? FUNNEL_NO_LIMIT - 1 : (uint64) limit;
}

static void
read_exclusions(FunnelPlan *plan, Datum exclude)
{
	int			step_count = plan->rule.step_count;
	Elements	patterns = read_array(exclude, TEXTOID, "exclude");
	Elements	after = {0};
	PatternSet *set = pattern_set_create();

	if (patterns.count > MATCHER_MAX_PATTERNS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"exclude\" has %d patterns, and may have at most %d", patterns.count, MATCHER_MAX_PATTERNS),
				 errhint("Join patterns that mean the same with |.")));
	if (is_given(plan, OPTION_EXCLUDE_AFTER))
	{
		after = read_array(option_value(plan, OPTION_EXCLUDE_AFTER), INT4OID, "exclude_after");
		if (after.count != patterns.count)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("arguments \"exclude\" and \"exclude_after\" differ in length: %d and %d", patterns.count, after.count),
					 errhint("Give for each pattern the step after which it breaks a chain, or NULL for any.")));
	}
	if (patterns.count == 0)
		return;
	plan->breaks = palloc(sizeof(uint64) * patterns.count);
	for (int i = 0; i < patterns.count; i++)
	{
		text	   *pattern;

		if (patterns.isnull[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("pattern %d in argument \"exclude\" is NULL", i + 1)));
		pattern = DatumGetTextPP(patterns.values[i]);
		pattern_set_add(set, VARDATA_ANY(pattern), VARSIZE_ANY_EXHDR(pattern), "exclude");
		plan->breaks[i] = STEPS_UP_TO(step_count - 1);
		if (after.count > 0 && !after.isnull[i])
		{
			int			step = DatumGetInt32(after.values[i]);

			if (step < 1 || step >= step_count)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("argument \"exclude_after\" cannot have %d", step),
						 errdetail("It names the step before the gap that an event breaks, and the last step, %d, has none after it.", step_count)));
			plan->breaks[i] = STEP_BIT(step);
		}
	}
	pattern_set_sort(set);
	plan->exclusions = matcher_create(set);
	plan->rule.has_exclusions = true;
}

static void
read_optional(FunnelRule *rule, Datum optional)
{
	Elements	elements = read_array(optional, INT4OID, "optional");

	for (int i = 0; i < elements.count; i++)
	{
		int			step = elements.isnull[i] ? 0 : DatumGetInt32(elements.values[i]);

		if (elements.isnull[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument \"optional\" must not have NULL elements")));
		if (step <= 1 || step >= rule->step_count)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"optional\" cannot have %d", step),
					 errdetail("It names steps between the first and the last, which is %d; those two cannot be skipped.", rule->step_count)));
		rule->optional |= STEP_BIT(step);
	}
}

/* Times are whole microseconds, so any range is one with both bounds included. */
static void
read_entered(FunnelRule *rule, Datum entered)
{
	RangeType  *range = DatumGetRangeTypeP(entered);
	TypeCacheEntry *type = lookup_type_cache(RangeTypeGetOid(range), TYPECACHE_RANGE_INFO);
	RangeBound	lower;
	RangeBound	upper;
	bool		is_empty;

	range_deserialize(type, range, &lower, &upper, &is_empty);
	if (is_empty)
	{
		rule->entered_from = PG_INT64_MAX;
		rule->entered_to = PG_INT64_MIN;
		return;
	}
	if (!lower.infinite)
	{
		rule->entered_from = DatumGetTimestampTz(lower.val);
		if (!lower.inclusive && rule->entered_from < PG_INT64_MAX)
			rule->entered_from++;
	}
	if (!upper.infinite)
	{
		rule->entered_to = DatumGetTimestampTz(upper.val);
		if (!upper.inclusive && rule->entered_to > PG_INT64_MIN)
			rule->entered_to--;
	}
}

static void
check_mode_any(const FunnelRule *rule, const FunnelPlan *plan)
{
	const char *argument = rule->has_gaps ? "step_within" :
		rule->has_exclusions ? "exclude" :
		rule->optional != 0 ? "optional" :
		rule->strictly_increasing ? "strictly_increasing" : NULL;

	if (argument != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" has no meaning with mode \"any\"", argument),
				 errdetail("Steps in any order have no next step."),
				 errhint("Use mode \"ordered\", or leave the argument out.")));
}

static Elements
read_array(Datum array, Oid type, const char *argument)
{
	ArrayType  *value = DatumGetArrayTypeP(array);
	Elements	elements;

	if (ARR_NDIM(value) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("argument \"%s\" must be an array of one dimension, not %d", argument, ARR_NDIM(value))));
	deconstruct_array(value, type,
					  type == TEXTOID ? -1 : type == INT4OID ? (int) sizeof(int32) : (int) sizeof(Interval),
					  type == INT4OID,
					  type == INTERVALOID ? TYPALIGN_DOUBLE : TYPALIGN_INT,
					  &elements.values, &elements.isnull, &elements.count);
	return elements;
}

static bool
is_given(const FunnelPlan *plan, Option option)
{
	return !plan->isnull[1 + option];
}

static Datum
option_value(const FunnelPlan *plan, Option option)
{
	return plan->arguments[1 + option];
}

/* A kind with its value of the property to hold. */
typedef struct HeldValue
{
	TimelineString value;
	uint32		kind;
} HeldValue;

/* Numbers the values from 0 and returns how many there are, at least 1. */
static uint32
number_held_values(const FunnelPlan *plan, const TimelineView *view, FunnelKind *kinds)
{
	HeldValue  *values = palloc_extended(sizeof(HeldValue) * Max(view->kind_count, 1), MCXT_ALLOC_HUGE);
	uint32		count = 0;
	uint32		number = 0;

	for (uint32 i = 0; i < view->kind_count; i++)
	{
		if (kinds[i].steps == 0)
			continue;
		if (kind_property_string(view, i, &plan->hold, &values[count].value))
			values[count++].kind = i;
		else
			kinds[i].steps = 0;
	}
	qsort(values, count, sizeof(HeldValue), compare_held_values);
	for (uint32 i = 0; i < count; i++)
	{
		if (i > 0 && timeline_compare_strings(&values[i - 1].value, &values[i].value) != 0)
			number++;
		kinds[values[i].kind].held = number;
	}
	pfree(values);
	return number + 1;
}

static int
compare_held_values(const void *a, const void *b)
{
	return timeline_compare_strings(&((const HeldValue *) a)->value, &((const HeldValue *) b)->value);
}
