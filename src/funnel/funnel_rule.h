/*
 * funnel_rule.h
 *		What a funnel asks for: its steps and options, as the search needs them.
 *
 * Steps are numbered from 1, levels from 0 (no step reached); the gap after a
 * step has the step's number.  In masks, bit i - 1 stands for step i.
 */
#ifndef ENGAGEMENT_FUNNEL_RULE_H
#define ENGAGEMENT_FUNNEL_RULE_H

#include "postgres.h"

#include "fmgr.h"

#include "timeline/codec.h"
#include "timeline/matcher.h"

#define FUNNEL_MAX_STEPS MATCHER_MAX_PATTERNS
#define FUNNEL_NO_LIMIT PG_UINT64_MAX
#define STEP_BIT(step) (UINT64CONST(1) << ((step) - 1))
/* The bits of steps 1 to this one; none for 0. */
#define STEPS_UP_TO(step) ((step) == 0 ? 0 : PG_UINT64_MAX >> (FUNNEL_MAX_STEPS - (step)))

typedef enum FunnelMode
{
	FUNNEL_ORDERED,
	FUNNEL_ANY,
	FUNNEL_CONTIGUOUS
} FunnelMode;

typedef struct FunnelRule
{
	int			step_count;
	FunnelMode	mode;
	bool		once;			/* one event serves one step */
	bool		strictly_increasing;
	bool		has_gaps;
	bool		has_exclusions;
	uint64		optional;		/* steps that may be skipped */
	uint64		within;			/* microseconds from the first step, or FUNNEL_NO_LIMIT */
	uint64		gaps[FUNNEL_MAX_STEPS + 1]; /* microseconds, by the step that a gap leaves */
	int64		entered_from;	/* the first step's time is between these, both included */
	int64		entered_to;
} FunnelRule;

/* What the events of a kind mean to a rule. */
typedef struct FunnelKind
{
	uint64		steps;			/* that they satisfy */
	uint64		breaks;			/* gaps in which they break a chain */
	uint32		held;			/* number of the value of the property to hold */
} FunnelKind;

/* A rule with the patterns of its steps and exclusions. */
typedef struct FunnelPlan FunnelPlan;

/* Where the options stand among a function's arguments; those before are its own. */
#define FUNNEL_OPTION_COUNT 10

extern FunnelPlan *funnel_plan_of_arguments(FunctionCallInfo fcinfo, void **cache, int first_option);
extern const FunnelRule *funnel_plan_rule(const FunnelPlan *plan);
extern void funnel_plan_steps(const FunnelPlan *plan, const TimelineView *view, uint64 *steps);
extern FunnelKind *funnel_plan_kinds(const FunnelPlan *plan, const TimelineView *view, uint32 *held_count);
extern bool funnel_plan_is_plain(const FunnelPlan *plan);

/* No chain reaches a higher level if only these steps ever happen. */
static inline int
funnel_highest_level(const FunnelRule *rule, uint64 steps)
{
	uint64		missing = ~(steps | rule->optional) & STEPS_UP_TO(rule->step_count);
	uint64		reachable = steps & STEPS_UP_TO(rule->step_count);

	if (missing != 0)
		reachable &= (missing & -missing) - 1;
	return reachable == 0 ? 0 : 64 - __builtin_clzll(reachable);
}

static inline bool
funnel_restricts_entry(const FunnelRule *rule)
{
	return rule->entered_from != PG_INT64_MIN || rule->entered_to != PG_INT64_MAX;
}

static inline bool
funnel_may_enter(const FunnelRule *rule, int64 at)
{
	return at >= rule->entered_from && at <= rule->entered_to;
}

#endif							/* ENGAGEMENT_FUNNEL_RULE_H */
