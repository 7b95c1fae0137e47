/*
 * journey.c
 *		The journeys of one visitor: the touches before each conversion, and what
 *		is left over.
 *
 * A timeline is read once, into its touches and its conversions, both in order of
 * time.  The journeys are then windows over the touches whose two ends only move
 * forward (touch_window.h).
 *
 * Per rule: the walk with all its arrays, which grow as the largest timeline needs
 * and are used again.  Per timeline: what each kind of events means, by its number.
 * Per event: nothing is allocated.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "attribution/journey.h"
#include "base/properties.h"

/* No label, which a touch shows as CHANNEL_DIRECT; and that of events on the ignore list, as long as it matters. */
#define NO_LABEL PG_UINT32_MAX
#define LABEL_IGNORED (PG_UINT32_MAX - 1)

/* What the events of a kind mean. */
typedef struct JourneyKind
{
	uint32		label;			/* or NO_LABEL */
	bool		is_conversion;
	bool		is_touch;		/* by itself: only if visits are not touches */
	bool		is_ignored;
} JourneyKind;

typedef struct Conversion
{
	int64		at;
	double		value;
	bool		has_value;
} Conversion;

/* A property's value, and whose: the number of the properties. */
typedef struct PropertyLabel
{
	TimelineString value;
	uint32		properties;
} PropertyLabel;

typedef struct JourneyWalkState
{
	JourneyWalk walk;
	MemoryContext strings;		/* property values whose escapes are resolved */
	bool		has_strings;	/* there are any */

	/* by kind, by label, or by channel or properties: there are never more of these than kinds */
	uint32		kind_capacity;
	JourneyKind *kinds;
	uint64	   *masks;
	int		   *goals;
	TimelineString *labels;		/* room for one more */
	uint32	   *string_labels;	/* of each channel, or of each properties */
	PropertyLabel *property_labels;

	TouchWindow window;
	uint32		conversion_capacity;
	uint32		conversion_count;
	Conversion *conversions;
	uint32		next_conversion;
	bool		is_done;
} JourneyWalkState;

static JourneyWalkState *create_state(const JourneyRule *rule);
static void reserve_kinds(JourneyWalkState *state, uint32 count);
static void *allocate(JourneyWalkState *state, void *before, uint64 count, Size size);
static void read_kinds(JourneyWalkState *state, const TimelineView *view);
static void number_channels(JourneyWalkState *state, const TimelineView *view);
static void number_properties(JourneyWalkState *state, const TimelineView *view);
static uint32 find_properties(JourneyWalkState *state, const TimelineView *view);
static int	compare_property_labels(const void *a, const void *b);
static uint32 label_of_string(JourneyWalkState *state, const TimelineString *string);
static bool is_ignored(const JourneyRule *rule, const TimelineString *string);
static void collect_visits(JourneyWalkState *state, const TimelineView *view);
static bool event_starts_visit(VisitSplitter *splitter, const JourneyKind *kind, int64 at, uint32 channel);
static void collect_events(JourneyWalkState *state, const TimelineView *view);
static bool next_event(const JourneyRule *rule, TimelineCursor *cursor);
static void add_conversion(JourneyWalkState *state, const TimelineCursor *cursor);
static bool has_first_conversion(const JourneyWalkState *state, int64 at);
static bool next_null_journey(JourneyWalkState *state, Journey *journey);

/*
 * The walk of a rule.  It lives with the rule, so it is to be asked for again when
 * the rule was: both may be new with each call of a function.
 */
JourneyWalk *
journey_walk_of_rule(const JourneyRule *rule)
{
	if (*rule->walk == NULL)
		*rule->walk = &create_state(rule)->walk;
	return *rule->walk;
}

/*
 * Starts the journeys of a timeline.  The view and the timeline behind it must
 * stay as long as labels are looked at.  Corrupt bytes are an error
 * (ERRCODE_DATA_CORRUPTED), two goals that match an event equally well another
 * (ERRCODE_INVALID_PARAMETER_VALUE).
 */
void
journey_walk_start(JourneyWalk *walk, const TimelineView *view)
{
	JourneyWalkState *state = walk->state;

	touch_window_clear(&state->window);
	state->conversion_count = 0;
	state->next_conversion = 0;
	state->is_done = false;
	read_kinds(state, view);
	if (walk->rule->touch_is_visit)
		collect_visits(state, view);
	else
		collect_events(state, view);
	touch_window_start(&state->window, walk->label_count);
}

/*
 * Moves to the next journey: those of conversions in order of time, then the null
 * journey.  False if there is none.
 */
bool
journey_next(JourneyWalk *walk, Journey *journey)
{
	JourneyWalkState *state = walk->state;
	const Conversion *conversion;

	CHECK_FOR_INTERRUPTS();
	if (state->next_conversion == state->conversion_count)
		return next_null_journey(state, journey);

	conversion = &state->conversions[state->next_conversion++];
	if (!walk->rule->reuse_touches)
		touch_window_leave_all(&state->window);
	touch_window_enter(&state->window, conversion->at);
	touch_window_leave_older(&state->window, conversion->at, walk->rule->lookback);
	journey->is_converted = true;
	journey->converted_at = conversion->at;
	journey->has_value = conversion->has_value;
	journey->value = conversion->value;
	journey->touches = touch_window_show(&state->window, &journey->touch_count);
	return true;
}

static JourneyWalkState *
create_state(const JourneyRule *rule)
{
	JourneyWalkState *state = MemoryContextAllocZero(rule->context, sizeof(JourneyWalkState));

	state->walk.rule = rule;
	state->walk.state = state;
	touch_window_init(&state->window, rule->collapse, rule->context);
	return state;
}

/* Sees to it that the arrays by kind have room for so many. */
static void
reserve_kinds(JourneyWalkState *state, uint32 count)
{
	const JourneyRule *rule = state->walk.rule;
	uint64		capacity;

	/* an empty timeline has no kind, but there is always the first label */
	if (count <= state->kind_capacity && state->kind_capacity > 0)
		return;
	capacity = Min(Max(Max((uint64) count, (uint64) state->kind_capacity * 2), 32), PG_UINT32_MAX);
	state->kind_capacity = 0;
	state->kinds = allocate(state, state->kinds, capacity, sizeof(JourneyKind));
	state->masks = allocate(state, state->masks, capacity, sizeof(uint64));
	state->labels = allocate(state, state->labels, capacity + 1, sizeof(TimelineString));
	state->string_labels = allocate(state, state->string_labels, capacity, sizeof(uint32));
	if (rule->goals.matcher != NULL)
		state->goals = allocate(state, state->goals, capacity, sizeof(int));
	if (!rule->touch_by_channel)
		state->property_labels = allocate(state, state->property_labels, capacity, sizeof(PropertyLabel));
	state->kind_capacity = (uint32) capacity;
}

/* Room for so many, for as long as the rule lives, with what was before in it. */
static void *
allocate(JourneyWalkState *state, void *before, uint64 count, Size size)
{
	return before == NULL ? MemoryContextAllocHuge(state->walk.rule->context, count * size) :
		repalloc_huge(before, count * size);
}

/* Finds what the events of each kind of the view mean, and numbers the labels. */
static void
read_kinds(JourneyWalkState *state, const TimelineView *view)
{
	const JourneyRule *rule = state->walk.rule;

	reserve_kinds(state, view->kind_count);
	if (rule->matcher != NULL)
		matcher_fill_masks(rule->matcher, view, state->masks);
	if (rule->goals.matcher != NULL)
		matcher_best(rule->goals.matcher, view, state->goals);
	state->labels[0].bytes = CHANNEL_DIRECT;
	state->labels[0].length = sizeof(CHANNEL_DIRECT) - 1;
	state->walk.labels = state->labels;
	state->walk.label_count = 1;
	if (rule->touch_by_channel)
		number_channels(state, view);
	else
		number_properties(state, view);

	for (uint32 i = 0; i < view->kind_count; i++)
	{
		JourneyKind *kind = &state->kinds[i];
		uint32		string = rule->touch_by_channel ? view->kinds[i].channel : view->kinds[i].properties;
		uint32		label = string == 0 ? NO_LABEL : state->string_labels[string - 1];
		uint64		mask = rule->matcher == NULL ? 0 : state->masks[i];

		kind->is_ignored = label == LABEL_IGNORED;
		kind->label = kind->is_ignored ? NO_LABEL : label;
		kind->is_conversion = (mask & JOURNEY_CONVERSION) != 0 || (rule->goals.matcher != NULL && state->goals[i] >= 0);
		kind->is_touch = (mask & JOURNEY_TOUCH) != 0 && !kind->is_conversion && !kind->is_ignored;
	}
}

static void
number_channels(JourneyWalkState *state, const TimelineView *view)
{
	for (uint32 i = 0; i < view->channel_count; i++)
		state->string_labels[i] = label_of_string(state, &view->channels[i]);
}

/* Different properties may have the same value of the one that is asked for. */
static void
number_properties(JourneyWalkState *state, const TimelineView *view)
{
	PropertyLabel *labels = state->property_labels;
	uint32		count = find_properties(state, view);

	qsort(labels, count, sizeof(PropertyLabel), compare_property_labels);
	for (uint32 i = 0; i < count; i++)
	{
		bool		is_new = i == 0 || timeline_compare_strings(&labels[i - 1].value, &labels[i].value) != 0;

		state->string_labels[labels[i].properties] = is_new ?
			label_of_string(state, &labels[i].value) : state->string_labels[labels[i - 1].properties];
	}
}

/* The values there are, each with its properties; those without have no label. */
static uint32
find_properties(JourneyWalkState *state, const TimelineView *view)
{
	const TimelineString *key = &state->walk.rule->touch_by;
	uint32		count = 0;

	if (state->has_strings)
		MemoryContextReset(state->strings);
	state->has_strings = false;
	for (uint32 i = 0; i < view->property_count; i++)
	{
		const TimelineString *properties = &view->properties[i];
		PropertyLabel *label = &state->property_labels[count];
		PropertyValue value;

		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		state->string_labels[i] = NO_LABEL;
		if (!property_find(properties->bytes, (int) properties->length, key->bytes, (int) key->length, &value))
			continue;
		label->properties = i;
		label->value.bytes = value.bytes;
		label->value.length = (uint32) value.length;
		if (value.is_escaped)
		{
			char	   *plain;

			if (state->strings == NULL)
				state->strings = AllocSetContextCreate(state->walk.rule->context, "engagement journey labels",
													   ALLOCSET_DEFAULT_SIZES);
			state->has_strings = true;
			plain = MemoryContextAllocHuge(state->strings, value.length);
			label->value.length = (uint32) property_unescape(&value, plain);
			label->value.bytes = plain;
		}
		count++;
	}
	return count;
}

static int
compare_property_labels(const void *a, const void *b)
{
	CHECK_FOR_INTERRUPTS();
	return timeline_compare_strings(&((const PropertyLabel *) a)->value, &((const PropertyLabel *) b)->value);
}

/* The number of a label that was not met before, or one of the above. */
static uint32
label_of_string(JourneyWalkState *state, const TimelineString *string)
{
	if (string->length == 0)
		return NO_LABEL;
	if (state->walk.rule->ignore_count > 0 && is_ignored(state->walk.rule, string))
		return LABEL_IGNORED;
	if (string->length == state->labels[0].length &&
		timeline_bytes_equal(string->bytes, state->labels[0].bytes, string->length))
		return 0;
	state->labels[state->walk.label_count] = *string;
	return state->walk.label_count++;
}

static bool
is_ignored(const JourneyRule *rule, const TimelineString *string)
{
	uint32		low = 0;
	uint32		high = rule->ignore_count;

	while (low < high)
	{
		uint32		middle = low + (high - low) / 2;
		int			order = timeline_compare_strings(string, &rule->ignore[middle]);

		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

/* Each visit is a touch, at its first event that is neither a conversion nor ignored; without one it is none. */
static void
collect_visits(JourneyWalkState *state, const TimelineView *view)
{
	VisitSplitter splitter = {state->walk.rule->visits};
	TimelineCursor cursor;
	bool		is_touch = false;
	int64		at = 0;
	uint32		label = NO_LABEL;

	timeline_cursor_start(&cursor, view);
	while (next_event(state->walk.rule, &cursor))
	{
		const JourneyKind *kind = &state->kinds[cursor.kind];

		if (event_starts_visit(&splitter, kind, cursor.at, view->kinds[cursor.kind].channel))
		{
			if (is_touch)
				touch_window_add(&state->window, at, label == NO_LABEL ? 0 : label);
			is_touch = false;
			label = NO_LABEL;
			if (has_first_conversion(state, cursor.at))
				break;
		}
		if (label == NO_LABEL)
			label = kind->label;
		if (kind->is_conversion)
			add_conversion(state, &cursor);
		else if (!is_touch && !kind->is_ignored)
		{
			is_touch = true;
			at = cursor.at;
		}
	}
	if (is_touch)
		touch_window_add(&state->window, at, label == NO_LABEL ? 0 : label);
}

/*
 * As visit_starts(), but an event on the ignore list starts no visit.  Within the gap
 * it prolongs the visit that is under way, on whatever day or channel; after a longer
 * one, or before any visit, it is passed over.
 */
static bool
event_starts_visit(VisitSplitter *splitter, const JourneyKind *kind, int64 at, uint32 channel)
{
	if (likely(!kind->is_ignored))
		return visit_starts(splitter, at, channel);
	/* the range of time is wider than int64 */
	if (!splitter->is_running || (uint64) at - (uint64) splitter->last_at > splitter->rule.gap)
		return false;
	splitter->last_at = at;
	if (splitter->rule.time_zone != NULL)
		splitter->local_day = local_clock_day(&splitter->clock, at);
	return false;
}

/* Each event that matches the pattern of touches is one. */
static void
collect_events(JourneyWalkState *state, const TimelineView *view)
{
	TimelineCursor cursor;

	timeline_cursor_start(&cursor, view);
	while (next_event(state->walk.rule, &cursor) && !has_first_conversion(state, cursor.at))
	{
		const JourneyKind *kind = &state->kinds[cursor.kind];

		if (kind->is_touch)
			touch_window_add(&state->window, cursor.at, kind->label == NO_LABEL ? 0 : kind->label);
		else if (kind->is_conversion)
			add_conversion(state, &cursor);
	}
}

/* Moves to the next event up to as_of. */
static bool
next_event(const JourneyRule *rule, TimelineCursor *cursor)
{
	if (!timeline_next(cursor))
	{
		timeline_cursor_end(cursor);
		return false;
	}
	if (cursor->remaining % TIMELINE_INTERRUPT_EVERY == 0)
		CHECK_FOR_INTERRUPTS();
	return cursor->at <= rule->as_of;
}

/* Takes the event at the cursor, unless only the first one is asked for. */
static void
add_conversion(JourneyWalkState *state, const TimelineCursor *cursor)
{
	const JourneyRule *rule = state->walk.rule;
	Conversion *conversion;

	if (rule->first_conversion_only && state->conversion_count > 0)
		return;
	if (unlikely(state->conversion_count == state->conversion_capacity))
	{
		uint64		capacity = Min(Max((uint64) state->conversion_capacity * 2, 16), PG_UINT32_MAX);

		state->conversions = allocate(state, state->conversions, capacity, sizeof(Conversion));
		state->conversion_capacity = (uint32) capacity;
	}
	conversion = &state->conversions[state->conversion_count++];
	conversion->at = cursor->at;
	if (rule->goals.matcher != NULL && state->goals[cursor->kind] >= 0)
	{
		conversion->has_value = true;
		conversion->value = rule->goals.points[state->goals[cursor->kind]];
	}
	else
	{
		conversion->has_value = cursor->has_value;
		conversion->value = cursor->has_value ? cursor->value : 0;
	}
}

/* Whether only the first conversion is asked for and nothing from this time on counts for it. */
static bool
has_first_conversion(const JourneyWalkState *state, int64 at)
{
	return state->walk.rule->first_conversion_only && state->conversion_count > 0 &&
		at > state->conversions[0].at;
}

/* What remains after the last conversion, if it cannot convert any more. */
static bool
next_null_journey(JourneyWalkState *state, Journey *journey)
{
	const JourneyRule *rule = state->walk.rule;
	TouchWindow *window = &state->window;
	int64		last_at;

	if (state->is_done)
		return false;
	state->is_done = true;
	touch_window_leave_all(window);
	if (window->low == window->touch_count || (rule->first_conversion_only && state->conversion_count > 0))
		return false;
	last_at = window->touches[window->touch_count - 1].at;
	/* no event is later than as_of */
	if (rule->as_of != PG_INT64_MAX && (uint64) rule->as_of - (uint64) last_at < rule->lookback)
		return false;
	touch_window_enter(window, last_at);
	touch_window_leave_older(window, last_at, rule->lookback);
	journey->is_converted = false;
	journey->converted_at = 0;
	journey->has_value = false;
	journey->value = 0;
	journey->touches = touch_window_show(&state->window, &journey->touch_count);
	return true;
}
