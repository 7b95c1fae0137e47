/*
 * compare.c
 *		Equality, order and hash of timelines.
 *
 * The order is that of the events, one after the other: by time, event label,
 * channel, properties (NULL first) and value (none first); a timeline comes
 * after its own beginnings.  Strings compare by bytes, never by collation.  A
 * hash is of the content, not of the bytes it is stored in.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "common/hashfn.h"
#include "miscadmin.h"

#include "base/compat.h"
#include "timeline/timeline.h"

PG_FUNCTION_INFO_V1(timeline_eq);
PG_FUNCTION_INFO_V1(timeline_ne);
PG_FUNCTION_INFO_V1(timeline_lt);
PG_FUNCTION_INFO_V1(timeline_le);
PG_FUNCTION_INFO_V1(timeline_gt);
PG_FUNCTION_INFO_V1(timeline_ge);
PG_FUNCTION_INFO_V1(timeline_cmp);
PG_FUNCTION_INFO_V1(timeline_hash);
PG_FUNCTION_INFO_V1(timeline_hash_extended);

static bool arguments_equal(FunctionCallInfo fcinfo);
static int	compare_arguments(FunctionCallInfo fcinfo);
static int	compare_views(const TimelineView *a, const TimelineView *b);
static bool have_same_dictionary(const TimelineView *a, const TimelineView *b);
static int	compare_kinds(const TimelineView *a, uint32 kind_a, const TimelineView *b, uint32 kind_b);
static int	compare_strings(const TimelineString *a, const TimelineString *b);
static void close_view(TimelineView *view);
static uint64 hash_view(const TimelineView *view, uint64 seed);
static uint64 hash_string(const TimelineString *string, uint64 seed);

/* Spreads the bits of a number over all of 64 (the finaliser of splitmix64). */
static inline uint64
mix(uint64 bits)
{
	bits ^= bits >> 30;
	bits *= UINT64CONST(0xbf58476d1ce4e5b9);
	bits ^= bits >> 27;
	bits *= UINT64CONST(0x94d049bb133111eb);
	return bits ^ bits >> 31;
}

Datum
timeline_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(arguments_equal(fcinfo));
}

Datum
timeline_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!arguments_equal(fcinfo));
}

Datum
timeline_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) < 0);
}

Datum
timeline_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) <= 0);
}

Datum
timeline_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) > 0);
}

Datum
timeline_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) >= 0);
}

Datum
timeline_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare_arguments(fcinfo));
}

Datum
timeline_hash(PG_FUNCTION_ARGS)
{
	Timeline   *timeline = PG_GETARG_TIMELINE(0);
	TimelineView view;
	uint64		hash;

	timeline_open(&view, timeline);
	hash = hash_view(&view, 0);
	close_view(&view);
	PG_FREE_IF_COPY(timeline, 0);
	PG_RETURN_UINT32((uint32) hash);
}

Datum
timeline_hash_extended(PG_FUNCTION_ARGS)
{
	Timeline   *timeline = PG_GETARG_TIMELINE(0);
	TimelineView view;
	uint64		hash;

	timeline_open(&view, timeline);
	hash = hash_view(&view, (uint64) PG_GETARG_INT64(1));
	close_view(&view);
	PG_FREE_IF_COPY(timeline, 0);
	PG_RETURN_UINT64(hash);
}

/* What is stored is canonical, so one content has one spelling. */
static bool
arguments_equal(FunctionCallInfo fcinfo)
{
	Size		size_a = toast_raw_datum_size(PG_GETARG_DATUM(0));
	Size		size_b = toast_raw_datum_size(PG_GETARG_DATUM(1));
	Timeline   *a;
	Timeline   *b;
	bool		result;

	if (size_a != size_b)
		return false;
	a = PG_GETARG_TIMELINE(0);
	b = PG_GETARG_TIMELINE(1);
	result = memcmp(VARDATA_ANY(a), VARDATA_ANY(b), size_a - VARHDRSZ) == 0;
	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return result;
}

static int
compare_arguments(FunctionCallInfo fcinfo)
{
	Timeline   *a = PG_GETARG_TIMELINE(0);
	Timeline   *b = PG_GETARG_TIMELINE(1);
	TimelineView view_a;
	TimelineView view_b;
	int			order;

	timeline_open(&view_a, a);
	timeline_open(&view_b, b);
	order = compare_views(&view_a, &view_b);
	close_view(&view_a);
	close_view(&view_b);
	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return order;
}

static int
compare_views(const TimelineView *a, const TimelineView *b)
{
	TimelineCursor cursor_a;
	TimelineCursor cursor_b;
	bool		same_dictionary = have_same_dictionary(a, b);
	int			order = 0;

	timeline_cursor_start(&cursor_a, a);
	timeline_cursor_start(&cursor_b, b);
	while (order == 0)
	{
		bool		more_a = timeline_next(&cursor_a);
		bool		more_b = timeline_next(&cursor_b);

		if (!more_a || !more_b)
		{
			order = (int) more_a - (int) more_b;
			break;
		}
		if (cursor_a.at != cursor_b.at)
			order = cursor_a.at < cursor_b.at ? -1 : 1;
		else if (same_dictionary)	/* which is sorted, so numbers stand for content */
			order = (cursor_a.kind > cursor_b.kind) - (cursor_a.kind < cursor_b.kind);
		else
			order = compare_kinds(a, cursor_a.kind, b, cursor_b.kind);
		if (order == 0 && cursor_a.has_value && cursor_a.value != cursor_b.value)
			order = cursor_a.value < cursor_b.value ? -1 : 1;
		if (cursor_a.remaining % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	timeline_cursor_end(&cursor_a);
	timeline_cursor_end(&cursor_b);
	return order;
}

static bool
have_same_dictionary(const TimelineView *a, const TimelineView *b)
{
	size_t		size = a->codes - a->strings_start;

	return a->kind_count == b->kind_count && a->label_count == b->label_count &&
		a->channel_count == b->channel_count && a->property_count == b->property_count &&
		(a->value_unit == TIMELINE_NO_VALUES) == (b->value_unit == TIMELINE_NO_VALUES) &&
		a->event_count > 0 && b->event_count > 0 &&
		size == (size_t) (b->codes - b->strings_start) &&
		memcmp(a->strings_start, b->strings_start, size) == 0;
}

static int
compare_kinds(const TimelineView *a, uint32 kind_a, const TimelineView *b, uint32 kind_b)
{
	const TimelineKind *left = &a->kinds[kind_a];
	const TimelineKind *right = &b->kinds[kind_b];
	int			order = compare_strings(&a->labels[left->event], &b->labels[right->event]);

	if (order == 0)
		order = compare_strings(left->channel == 0 ? NULL : &a->channels[left->channel - 1],
								right->channel == 0 ? NULL : &b->channels[right->channel - 1]);
	if (order == 0)
		order = compare_strings(left->properties == 0 ? NULL : &a->properties[left->properties - 1],
								right->properties == 0 ? NULL : &b->properties[right->properties - 1]);
	return order != 0 ? order : (int) left->has_value - (int) right->has_value;
}

static int
compare_strings(const TimelineString *a, const TimelineString *b)
{
	if (a == NULL || b == NULL)
		return (a != NULL) - (b != NULL);
	return timeline_compare_strings(a, b);
}

/* Index operations call these in contexts that live long. */
static void
close_view(TimelineView *view)
{
	if (view->labels != view->inline_strings)
		pfree(view->labels);
	if (view->kinds != view->inline_kinds)
		pfree(view->kinds);
}

static uint64
hash_view(const TimelineView *view, uint64 seed)
{
	uint64		hash = seed;
	uint64	   *kinds;
	TimelineCursor cursor;

	kinds = palloc_extended(sizeof(uint64) * Max(view->kind_count, 1), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < view->kind_count; i++)
	{
		const TimelineKind *kind = &view->kinds[i];

		kinds[i] = hash_string(&view->labels[kind->event], seed);
		kinds[i] = hash_combine64(kinds[i], kind->channel == 0 ? 0 :
								  hash_string(&view->channels[kind->channel - 1], seed));
		kinds[i] = hash_combine64(kinds[i], kind->properties == 0 ? 1 :
								  hash_string(&view->properties[kind->properties - 1], seed));
	}
	timeline_cursor_start(&cursor, view);
	while (timeline_next(&cursor))
	{
		hash = hash_combine64(hash, mix((uint64) cursor.at));
		hash = hash_combine64(hash, kinds[cursor.kind]);
		if (cursor.has_value)
		{
			uint64		bits;

			memcpy(&bits, &cursor.value, sizeof(bits));
			hash = hash_combine64(hash, mix(bits));
		}
		if (cursor.remaining % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	timeline_cursor_end(&cursor);
	pfree(kinds);
	return mix(hash);
}

static uint64
hash_string(const TimelineString *string, uint64 seed)
{
	return hash_bytes_extended((const unsigned char *) string->bytes, (int) string->length, seed);
}
