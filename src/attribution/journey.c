/*
 * journey.c
 *		The journeys of one visitor: the touches before each conversion, and what
 *		is left over.
 *
 * A timeline is read once, into its touches and its conversions, both in order of
 * time.  The journeys are then windows over the touches whose two ends only move
 * forward.
 *
 * With collapse, what a window shows is kept up to date as touches enter and leave
 * it: the runs of equal labels, of which only the first can be cut, or the set of
 * labels with the first touch of each.  So even with touches reused by many
 * conversions no more is done than to move each end over each touch once, and to
 * write the journeys themselves.
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

/* No label, which a touch shows as JOURNEY_DIRECT; and that of events on the ignore list, as long as it matters. */
#define NO_LABEL PG_UINT32_MAX
#define LABEL_IGNORED (PG_UINT32_MAX - 1)

/* A label that is not in the window. */
#define NO_MEMBER PG_UINT32_MAX

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

/* A label in the window, for COLLAPSE_FIRST. */
typedef struct WindowLabel
{
	uint32		first_touch;
	uint32		place;			/* among the members, or NO_MEMBER */
} WindowLabel;

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
	WindowLabel *window_labels; /* one more */
	uint32	   *members;		/* labels in the window, in any order; one more */
	uint32	   *first_touches;	/* of these, sorted; one more */

	uint32		touch_capacity;
	uint32		touch_count;
	JourneyTouch *touches;
	JourneyTouch *shown;		/* with collapse: runs, or the first touches of labels */
	uint32	   *next_same;		/* for COLLAPSE_FIRST: the next touch of the same label */

	uint32		conversion_capacity;
	uint32		conversion_count;
	Conversion *conversions;

	/* the window: touches from low to before high */
	uint32		low;
	uint32		high;
	uint32		run_low;		/* its runs in shown, for COLLAPSE_CONSECUTIVE */
	uint32		run_high;
	uint32		member_count;	/* for COLLAPSE_FIRST */
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
static void add_touch(JourneyWalkState *state, int64 at, uint32 label);
static void add_conversion(JourneyWalkState *state, const TimelineCursor *cursor);
static bool has_first_conversion(const JourneyWalkState *state, int64 at);
static void start_windows(JourneyWalkState *state);
static bool next_null_journey(JourneyWalkState *state, Journey *journey);
static void enter_touches(JourneyWalkState *state, int64 until);
static void leave_older(JourneyWalkState *state, int64 at);
static void leave_until(JourneyWalkState *state, uint32 touch);
static void enter_touch(JourneyWalkState *state);
static void leave_touch(JourneyWalkState *state);
static void show_window(JourneyWalkState *state, Journey *journey);
static void show_first_touches(JourneyWalkState *state);
static int	compare_numbers(const void *a, const void *b);

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

	state->touch_count = 0;
	state->conversion_count = 0;
	read_kinds(state, view);
	if (walk->rule->touch_is_visit)
		collect_visits(state, view);
	else
		collect_events(state, view);
	start_windows(state);
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
		leave_until(state, state->high);
	enter_touches(state, conversion->at);
	leave_older(state, conversion->at);
	journey->is_converted = true;
	journey->converted_at = conversion->at;
	journey->has_value = conversion->has_value;
	journey->value = conversion->value;
	show_window(state, journey);
	return true;
}

static JourneyWalkState *
create_state(const JourneyRule *rule)
{
	JourneyWalkState *state = MemoryContextAllocZero(rule->context, sizeof(JourneyWalkState));

	state->walk.rule = rule;
	state->walk.state = state;
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
	if (rule->goals != NULL)
		state->goals = allocate(state, state->goals, capacity, sizeof(int));
	if (!rule->touch_by_channel)
		state->property_labels = allocate(state, state->property_labels, capacity, sizeof(PropertyLabel));
	if (rule->collapse == COLLAPSE_FIRST)
	{
		state->window_labels = allocate(state, state->window_labels, capacity + 1, sizeof(WindowLabel));
		state->members = allocate(state, state->members, capacity + 1, sizeof(uint32));
		state->first_touches = allocate(state, state->first_touches, capacity + 1, sizeof(uint32));
	}
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
	if (rule->goals != NULL)
		matcher_best(rule->goals, view, state->goals);
	state->labels[0].bytes = JOURNEY_DIRECT;
	state->labels[0].length = sizeof(JOURNEY_DIRECT) - 1;
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
		kind->is_conversion = (mask & JOURNEY_CONVERSION) != 0 || (rule->goals != NULL && state->goals[i] >= 0);
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

/* Each visit is a touch, at its first event that is no conversion. */
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
				add_touch(state, at, label);
			is_touch = false;
			label = NO_LABEL;
			if (has_first_conversion(state, cursor.at))
				break;
		}
		if (label == NO_LABEL)
			label = kind->label;
		if (kind->is_conversion)
			add_conversion(state, &cursor);
		else if (!is_touch)
		{
			is_touch = true;
			at = cursor.at;
		}
	}
	if (is_touch)
		add_touch(state, at, label);
}

/*
 * As visit_starts(), but an event on the ignore list goes on with the visit that is
 * under way, on whatever day or channel, and has no channel itself.
 */
static bool
event_starts_visit(VisitSplitter *splitter, const JourneyKind *kind, int64 at, uint32 channel)
{
	if (likely(!kind->is_ignored))
		return visit_starts(splitter, at, channel);
	if (!splitter->is_running)
		return visit_starts(splitter, at, 0);
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
			add_touch(state, cursor.at, kind->label);
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

static void
add_touch(JourneyWalkState *state, int64 at, uint32 label)
{
	if (unlikely(state->touch_count == state->touch_capacity))
	{
		uint64		capacity = Min(Max((uint64) state->touch_capacity * 2, 64), PG_UINT32_MAX);

		state->touches = allocate(state, state->touches, capacity, sizeof(JourneyTouch));
		if (state->walk.rule->collapse != COLLAPSE_NONE)
			state->shown = allocate(state, state->shown, capacity, sizeof(JourneyTouch));
		if (state->walk.rule->collapse == COLLAPSE_FIRST)
			state->next_same = allocate(state, state->next_same, capacity, sizeof(uint32));
		state->touch_capacity = (uint32) capacity;
	}
	state->touches[state->touch_count].at = at;
	state->touches[state->touch_count++].label = label == NO_LABEL ? 0 : label;
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
	if (rule->goals != NULL)
	{
		int			goal = state->goals[cursor->kind];

		conversion->has_value = true;
		conversion->value = goal < 0 ? 0 : rule->points[goal];
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

static void
start_windows(JourneyWalkState *state)
{
	state->low = 0;
	state->high = 0;
	state->run_low = 0;
	state->run_high = 0;
	state->member_count = 0;
	state->next_conversion = 0;
	state->is_done = false;
	if (state->walk.rule->collapse != COLLAPSE_FIRST)
		return;

	for (uint32 i = 0; i < state->walk.label_count; i++)
	{
		state->window_labels[i].first_touch = state->touch_count;
		state->window_labels[i].place = NO_MEMBER;
	}
	for (uint32 i = state->touch_count; i-- > 0;)
	{
		WindowLabel *label = &state->window_labels[state->touches[i].label];

		state->next_same[i] = label->first_touch;
		label->first_touch = i;
		if (i % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
}

/* What remains after the last conversion, if it cannot convert any more. */
static bool
next_null_journey(JourneyWalkState *state, Journey *journey)
{
	const JourneyRule *rule = state->walk.rule;
	int64		last_at;

	if (state->is_done)
		return false;
	state->is_done = true;
	leave_until(state, state->high);
	if (state->low == state->touch_count || (rule->first_conversion_only && state->conversion_count > 0))
		return false;
	last_at = state->touches[state->touch_count - 1].at;
	/* no event is later than as_of */
	if (rule->as_of != PG_INT64_MAX && (uint64) rule->as_of - (uint64) last_at < rule->lookback)
		return false;
	enter_touches(state, last_at);
	leave_older(state, last_at);
	journey->is_converted = false;
	journey->converted_at = 0;
	journey->has_value = false;
	journey->value = 0;
	show_window(state, journey);
	return true;
}

/* Moves the end of the window behind all touches up to this time. */
static void
enter_touches(JourneyWalkState *state, int64 until)
{
	while (state->high < state->touch_count && state->touches[state->high].at <= until)
	{
		enter_touch(state);
		if (state->high % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
}

/* Moves the start of the window to the first touch within the lookback of this time, which is not before the window. */
static void
leave_older(JourneyWalkState *state, int64 at)
{
	/* the range of time is wider than int64 */
	while (state->low < state->high &&
		   (uint64) at - (uint64) state->touches[state->low].at > state->walk.rule->lookback)
	{
		leave_touch(state);
		if (state->low % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
}

/* Moves the start of the window to this touch, which is in it or just behind it. */
static void
leave_until(JourneyWalkState *state, uint32 touch)
{
	while (state->low < touch)
	{
		leave_touch(state);
		if (state->low % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
}

/* Takes the touch behind the window into it. */
static void
enter_touch(JourneyWalkState *state)
{
	uint32		entering = state->high++;
	const JourneyTouch *touch = &state->touches[entering];

	if (state->walk.rule->collapse == COLLAPSE_CONSECUTIVE)
	{
		if (state->low == entering || touch[-1].label != touch->label)
			state->shown[state->run_high++] = *touch;
	}
	else if (state->walk.rule->collapse == COLLAPSE_FIRST)
	{
		WindowLabel *label = &state->window_labels[touch->label];

		if (label->place == NO_MEMBER)
		{
			label->first_touch = entering;
			label->place = state->member_count;
			state->members[state->member_count++] = touch->label;
		}
	}
}

/* Drops the first touch of the window. */
static void
leave_touch(JourneyWalkState *state)
{
	uint32		leaving = state->low++;
	const JourneyTouch *touch = &state->touches[leaving];

	if (state->walk.rule->collapse == COLLAPSE_CONSECUTIVE)
	{
		/* the rest of its run, if there is one, now begins later */
		if (state->low < state->high && touch[1].label == touch->label)
			state->shown[state->run_low] = touch[1];
		else
			state->run_low++;
	}
	else if (state->walk.rule->collapse == COLLAPSE_FIRST)
	{
		WindowLabel *label = &state->window_labels[touch->label];

		/* it is the first of its label, being the first of all */
		if (state->next_same[leaving] < state->high)
			label->first_touch = state->next_same[leaving];
		else
		{
			uint32		moved = state->members[--state->member_count];

			state->members[label->place] = moved;
			state->window_labels[moved].place = label->place;
			label->place = NO_MEMBER;
		}
	}
}

/* Sets the journey's touches to those of the window, collapsed as the rule says. */
static void
show_window(JourneyWalkState *state, Journey *journey)
{
	switch (state->walk.rule->collapse)
	{
		case COLLAPSE_NONE:
			journey->touches = state->touches + state->low;
			journey->touch_count = state->high - state->low;
			break;
		case COLLAPSE_CONSECUTIVE:
			journey->touches = state->shown + state->run_low;
			journey->touch_count = state->run_high - state->run_low;
			break;
		case COLLAPSE_FIRST:
			show_first_touches(state);
			journey->touches = state->shown;
			journey->touch_count = state->member_count;
			break;
	}
}

static void
show_first_touches(JourneyWalkState *state)
{
	for (uint32 i = 0; i < state->member_count; i++)
		state->first_touches[i] = state->window_labels[state->members[i]].first_touch;
	if (state->member_count > 1)
		qsort(state->first_touches, state->member_count, sizeof(uint32), compare_numbers);
	for (uint32 i = 0; i < state->member_count; i++)
		state->shown[i] = state->touches[state->first_touches[i]];
}

static int
compare_numbers(const void *a, const void *b)
{
	uint32		left = *(const uint32 *) a;
	uint32		right = *(const uint32 *) b;

	return (left > right) - (left < right);
}
