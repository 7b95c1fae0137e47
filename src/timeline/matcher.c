/*
 * matcher.c
 *		Which kinds of a timeline's events match which patterns.
 *
 * Patterns are held against the dictionary of a timeline, once per timeline
 * and never per event.  As most visitors share their event labels, a matcher
 * also remembers which terms a label satisfies; what is left per timeline are
 * the conditions on channel and properties of those few terms.
 *
 * A matcher lives as long as the call site (in fn_extra) and may be thrown away
 * at any time: nothing in it changes an answer.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "timeline/argument.h"
#include "timeline/matcher.h"
#include "timeline/timeline.h"

/* A direct-mapped cache: a label that comes later takes the place. */
#define MEMO_SLOTS 128
#define MEMO_MAX_LABEL 128

typedef struct LabelMemo
{
	bool		is_set;
	uint32		length;
	char		label[MEMO_MAX_LABEL];
	bool		has_conditions;	/* some of its terms ask for more than the label */
	uint64		certain;		/* the patterns whose term does not, if these are few enough for a mask */
	int			term_count;
	int		   *terms;			/* that the label satisfies, most specific first */
} LabelMemo;

struct TimelineMatcher
{
	const PatternSet *set;
	MemoryContext context;
	LabelMemo	unremembered;	/* for labels too long to keep */
	LabelMemo	memos[MEMO_SLOTS];
};

/* What is kept for a call site whose arguments are patterns. */
typedef struct ArgumentMatcher
{
	MemoryContext context;
	TimelineMatcher *matcher;
	int			count;
	TimelineString texts[FLEXIBLE_ARRAY_MEMBER]; /* bytes == NULL: the argument was NULL */
} ArgumentMatcher;

static const LabelMemo *memo_of_label(TimelineMatcher *matcher, const TimelineString *label);
static void find_terms(TimelineMatcher *matcher, LabelMemo *memo, const TimelineString *label);
static bool conditions_hold(const PatternTerm *term, const TimelineView *view, const TimelineKind *kind);
static bool arguments_changed(FunctionCallInfo fcinfo, const ArgumentMatcher *cached, const int *numbers);
pg_noreturn static void tie_error(const PatternTerm *first, const PatternTerm *second,
					  const TimelineView *view, const TimelineKind *kind);

/* A matcher in the current memory context for a sorted set, which must live as long. */
TimelineMatcher *
matcher_create(const PatternSet *set)
{
	TimelineMatcher *matcher = palloc0(sizeof(TimelineMatcher));

	matcher->set = set;
	matcher->context = CurrentMemoryContext;
	return matcher;
}

/*
 * The matcher of a function's text arguments, each one pattern (NULL: matches
 * nothing), kept in *cache from call to call while they stay the same.  *cache
 * is NULL at first and lives as long as the call site, as fn_extra does.
 * numbers are their places among the arguments, names their SQL names.
 */
TimelineMatcher *
matcher_of_arguments(FunctionCallInfo fcinfo, void **cache, int count,
					 const int *numbers, const char *const *names)
{
	ArgumentMatcher *cached = *cache;
	MemoryContext context;
	MemoryContext caller;
	PatternSet *set;

	if (cached != NULL && !arguments_changed(fcinfo, cached, numbers))
		return cached->matcher;

	*cache = NULL;
	if (cached != NULL)
		MemoryContextDelete(cached->context);
	/* it outlives this call only if there is no mistake in a pattern */
	context = AllocSetContextCreate(CurrentMemoryContext, "timeline matcher",
									ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(context);
	cached = palloc0(offsetof(ArgumentMatcher, texts) + count * sizeof(TimelineString));
	cached->context = context;
	cached->count = count;
	set = pattern_set_create();
	for (int i = 0; i < count; i++)
	{
		text	   *pattern;

		if (PG_ARGISNULL(numbers[i]))
		{
			set->pattern_count++;
			continue;
		}
		pattern = DatumGetTextPCopy(PG_GETARG_DATUM(numbers[i]));
		cached->texts[i] = timeline_string(pattern);
		pattern_set_add(set, cached->texts[i].bytes, (int) cached->texts[i].length, names[i]);
	}
	pattern_set_sort(set);
	cached->matcher = matcher_create(set);
	MemoryContextSwitchTo(caller);
	MemoryContextSetParent(context, fcinfo->flinfo->fn_mcxt);
	*cache = cached;
	return cached->matcher;
}

/*
 * For each kind of the view, the bits of the patterns it matches; in the current
 * memory context.  The set has at most MATCHER_MAX_PATTERNS patterns.
 */
uint64 *
matcher_masks(TimelineMatcher *matcher, const TimelineView *view)
{
	uint64	   *masks = palloc_extended(sizeof(uint64) * Max(view->kind_count, 1), MCXT_ALLOC_HUGE);

	matcher_fill_masks(matcher, view, masks);
	return masks;
}

/* The same into an array of the caller's, of view->kind_count elements. */
void
matcher_fill_masks(TimelineMatcher *matcher, const TimelineView *view, uint64 *masks)
{
	const LabelMemo *memo = NULL;
	uint32		label = 0;

	Assert(matcher->set->pattern_count <= MATCHER_MAX_PATTERNS);
	for (uint32 i = 0; i < view->kind_count; i++)
	{
		const TimelineKind *kind = &view->kinds[i];

		/* kinds are sorted by label, so each label is looked up once */
		if (memo == NULL || kind->event != label)
			memo = memo_of_label(matcher, &view->labels[kind->event]);
		label = kind->event;
		masks[i] = memo->certain;
		if (!memo->has_conditions)
			continue;
		CHECK_FOR_INTERRUPTS();
		for (int t = 0; t < memo->term_count; t++)
		{
			const PatternTerm *term = &matcher->set->terms[memo->terms[t]];

			if (conditions_hold(term, view, kind))
				masks[i] |= UINT64CONST(1) << term->pattern;
		}
	}
}

/*
 * Sets, for each kind of the view, the number of the most specific pattern it
 * matches, -1 for none.  Two patterns that match it equally specifically are an
 * error (ERRCODE_INVALID_PARAMETER_VALUE).
 */
void
matcher_best(TimelineMatcher *matcher, const TimelineView *view, int *patterns)
{
	const LabelMemo *memo = NULL;
	uint32		label = 0;

	for (uint32 i = 0; i < view->kind_count; i++)
	{
		const TimelineKind *kind = &view->kinds[i];
		const PatternTerm *best = NULL;

		if (memo == NULL || kind->event != label)
			memo = memo_of_label(matcher, &view->labels[kind->event]);
		label = kind->event;
		CHECK_FOR_INTERRUPTS();
		for (int t = 0; t < memo->term_count; t++)
		{
			const PatternTerm *term = &matcher->set->terms[memo->terms[t]];

			if (best != NULL && (pattern_compare_specificity(best, term) > 0))
				break;
			if (!conditions_hold(term, view, kind))
				continue;
			if (best != NULL && best->pattern != term->pattern)
				tie_error(best, term, view, kind);
			best = term;
		}
		patterns[i] = best == NULL ? -1 : best->pattern;
	}
}

static const LabelMemo *
memo_of_label(TimelineMatcher *matcher, const TimelineString *label)
{
	uint64		head;
	uint64		tail;
	uint64		hash;
	LabelMemo  *memo;

	if (label->length > MEMO_MAX_LABEL)
	{
		find_terms(matcher, &matcher->unremembered, label);
		return &matcher->unremembered;
	}

	/* the ends of a label tell most labels apart; a collision costs only time */
	if (label->length >= 8)
	{
		memcpy(&head, label->bytes, 8);
		memcpy(&tail, label->bytes + label->length - 8, 8);
	}
	else
	{
		head = 0;
		tail = 0;
		for (uint32 i = 0; i < label->length; i++)
			head = head << 8 | (uint8) label->bytes[i];
	}
	hash = (head ^ (tail * UINT64CONST(0x9e3779b97f4a7c15)) ^ label->length) *
		UINT64CONST(0xd6e8feb86659fd93);
	memo = &matcher->memos[hash >> 57];
	StaticAssertStmt(MEMO_SLOTS == 128, "the hash is cut to 7 bits");

	if (!memo->is_set || memo->length != label->length ||
		!timeline_bytes_equal(memo->label, label->bytes, label->length))
	{
		memo->is_set = false;
		find_terms(matcher, memo, label);
		memcpy(memo->label, label->bytes, label->length);
		memo->length = label->length;
		memo->is_set = true;
	}
	return memo;
}

static void
find_terms(TimelineMatcher *matcher, LabelMemo *memo, const TimelineString *label)
{
	const PatternSet *set = matcher->set;

	if (memo->terms == NULL)
		memo->terms = MemoryContextAlloc(matcher->context, Max(set->term_count, 1) * sizeof(int));
	memo->term_count = 0;
	memo->certain = 0;
	memo->has_conditions = false;
	for (int i = 0; i < set->term_count; i++)
	{
		const PatternTerm *term = &set->terms[i];

		CHECK_FOR_INTERRUPTS();
		if (!glob_matches(&term->event, label->bytes, (int) label->length))
			continue;
		memo->terms[memo->term_count++] = i;
		if (term->has_channel || term->condition_count > 0)
			memo->has_conditions = true;
		else if (term->pattern < MATCHER_MAX_PATTERNS)
			memo->certain |= UINT64CONST(1) << term->pattern;
	}
}

static bool
conditions_hold(const PatternTerm *term, const TimelineView *view, const TimelineKind *kind)
{
	const TimelineString *properties;

	if (term->has_channel)
	{
		const TimelineString *channel;

		if (kind->channel == 0)
			return false;
		channel = &view->channels[kind->channel - 1];
		if (!glob_matches(&term->channel, channel->bytes, (int) channel->length))
			return false;
	}
	if (term->condition_count == 0)
		return true;
	if (kind->properties == 0)
		return false;
	properties = &view->properties[kind->properties - 1];
	return pattern_conditions_hold(term, properties->bytes, (int) properties->length);
}

static bool
arguments_changed(FunctionCallInfo fcinfo, const ArgumentMatcher *cached, const int *numbers)
{
	for (int i = 0; i < cached->count; i++)
	{
		if (!argument_is(fcinfo, numbers[i], &cached->texts[i]))
			return true;
	}
	return false;
}

static void
tie_error(const PatternTerm *first, const PatternTerm *second,
		  const TimelineView *view, const TimelineKind *kind)
{
	const TimelineString *label = &view->labels[kind->event];

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("patterns \"%s\" and \"%s\" match event \"%.*s\" equally well",
					first->text, second->text, (int) label->length, label->bytes),
			 errhint("Make one of them more specific: a plain event label beats one with stars, and more plain characters beat fewer; then the same for the channel; then more properties.")));
}
