/*
 * timeline.h
 *		The type timeline as C functions over it use it.
 *
 * A timeline is a varlena whose payload is described in codec.h.  It may have a
 * short header, so it is always read byte by byte:
 *
 *		TimelineView view;
 *		TimelineCursor cursor;
 *
 *		timeline_open(&view, PG_GETARG_TIMELINE(0));
 *		timeline_cursor_start(&cursor, &view);
 *		while (timeline_next(&cursor))
 *			... cursor.at, view.kinds[cursor.kind] ...
 *		timeline_cursor_end(&cursor);
 */
#ifndef ENGAGEMENT_TIMELINE_H
#define ENGAGEMENT_TIMELINE_H

#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/jsonb.h"

#include "base/compat.h"
#include "timeline/codec.h"
#include "timeline/encoder.h"

typedef struct varlena Timeline;

#define PG_GETARG_TIMELINE(n) ((Timeline *) PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(n)))
#define PG_RETURN_TIMELINE(timeline) PG_RETURN_POINTER(timeline)

extern void timeline_open(TimelineView *view, const Timeline *timeline);
pg_noreturn extern void timeline_corrupt(TimelineFault fault, size_t offset);
extern void timeline_check_time(int64 at);
extern double timeline_check_value(double value);
extern TimelineString timeline_properties_text(Jsonb *properties);

extern char *timeline_to_text(const TimelineView *view);
extern Timeline *timeline_from_text(const char *text, Node *escontext);

/* To be called after a walk, which also ends at corrupt bytes. */
static inline void
timeline_cursor_end(const TimelineCursor *cursor)
{
	if (unlikely(cursor->fault != TIMELINE_OK))
		timeline_corrupt(cursor->fault, cursor->fault_offset);
}

/* The kind of an event by its number, without a walk; corrupt bytes are an error. */
static inline uint32
timeline_kind_at(const TimelineView *view, uint32 event)
{
	const uint8 *code = view->codes + (size_t) event * view->code_width;
	uint32		kind = timeline_read_code(code, view->code_width);

	if (unlikely(kind >= view->kind_count))
		timeline_corrupt(TIMELINE_BAD_KIND, code - view->start);
	return kind;
}

static inline TimelineString
timeline_string(const struct varlena *text)
{
	TimelineString string = {VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text)};

	return string;
}

/* The step of the aggregate timeline: (state, at, event [, channel [, value [, properties]]]). */
extern Datum timeline_transition(PG_FUNCTION_ARGS);

#endif							/* ENGAGEMENT_TIMELINE_H */
