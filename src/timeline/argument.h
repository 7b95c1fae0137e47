/*
 * argument.h
 *		Recognising an argument of variable length that is the same as in the call
 *		before, so that what was made of it can be used again.
 */
#ifndef ENGAGEMENT_TIMELINE_ARGUMENT_H
#define ENGAGEMENT_TIMELINE_ARGUMENT_H

#include "postgres.h"

#include "fmgr.h"

#include "timeline/timeline.h"

/* The bytes of a variable-length argument, without its header; of a NULL one, bytes == NULL. */
static inline TimelineString
argument_bytes(FunctionCallInfo fcinfo, int number)
{
	TimelineString none = {NULL, 0};

	if (PG_ARGISNULL(number))
		return none;
	return timeline_string((struct varlena *) PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(number)));
}

static inline bool
argument_is(FunctionCallInfo fcinfo, int number, const TimelineString *known)
{
	TimelineString now = argument_bytes(fcinfo, number);

	return (now.bytes == NULL) == (known->bytes == NULL) && now.length == known->length &&
		(now.length == 0 || memcmp(now.bytes, known->bytes, now.length) == 0);
}

/* A copy in the current memory context, for argument_is. */
static inline TimelineString
argument_copy(FunctionCallInfo fcinfo, int number)
{
	TimelineString string = argument_bytes(fcinfo, number);

	if (string.bytes != NULL)
		string.bytes = memcpy(palloc(Max(string.length, 1)), string.bytes, string.length);
	return string;
}

#endif							/* ENGAGEMENT_TIMELINE_ARGUMENT_H */
