/*
 * path_array.h
 *		A path as SQL has it, an array of the names of channels; and the arrays
 *		beside it whose elements have 8 bytes, of times and of weights.
 *
 *		WideArrayWalk walk;
 *		int64		at;
 *
 *		wide_array_start(&walk, array, "touched_at");
 *		for (int i = 0; i < walk.length; i++)
 *			... wide_array_next(&walk, &at) ...
 */
#ifndef ENGAGEMENT_PATH_ARRAY_H
#define ENGAGEMENT_PATH_ARRAY_H

#include "postgres.h"

#include "base/boolean_array.h"
#include "timeline/codec.h"

/* Paths of this many elements need no memory beside the struct. */
#define PATH_INLINE_ELEMENTS 32

typedef struct PathArray
{
	int			length;
	TimelineString *elements;	/* in the array itself; bytes == NULL: it is NULL */
	TimelineString inline_elements[PATH_INLINE_ELEMENTS];
} PathArray;

typedef struct WideArrayWalk
{
	int			length;
	int			next;
	const char *values;			/* 8 bytes an element that is not NULL, unread ones */
	const uint8 *not_nulls;		/* a bit an element; NULL: no element is NULL */
} WideArrayWalk;

extern void path_array_read(PathArray *path, ArrayType *array, const char *argument);
extern ArrayType *path_array_form(const TimelineString *elements, int count);
extern int	wide_array_length(ArrayType *array, const char *argument);
extern ArrayType *float8_array_form(int length, double **values);

/* Starts a walk over an array, with wide_array_length's error. */
static inline void
wide_array_start(WideArrayWalk *walk, ArrayType *array, const char *argument)
{
	walk->length = wide_array_length(array, argument);
	walk->next = 0;
	walk->values = array_elements(array);
	walk->not_nulls = ARR_NULLBITMAP(array);
}

/* Reads the next of the walk's 'length' elements, a double or an int64; false: it is NULL. */
static inline bool
wide_array_next(WideArrayWalk *walk, void *value)
{
	int			place = walk->next++;

	if (walk->not_nulls != NULL && (walk->not_nulls[place / 8] & (1 << place % 8)) == 0)
		return false;
	memcpy(value, walk->values, 8);
	walk->values += 8;
	return true;
}

#endif							/* ENGAGEMENT_PATH_ARRAY_H */
