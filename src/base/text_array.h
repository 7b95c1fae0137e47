/*
 * text_array.h
 *		Walking over a text[] of one dimension without a Datum for each element.
 *
 *		TextArrayWalk walk;
 *
 *		text_array_start(&walk, array, "path");
 *		while (text_array_next(&walk))
 *			... walk.bytes, walk.size; walk.bytes == NULL: a NULL element ...
 */
#ifndef ENGAGEMENT_TEXT_ARRAY_H
#define ENGAGEMENT_TEXT_ARRAY_H

#include "postgres.h"

#include "access/tupmacs.h"
#include "catalog/pg_type_d.h"
#include "utils/array.h"

#include "base/boolean_array.h"
#include "base/compat.h"

typedef struct TextArrayWalk
{
	int			length;			/* elements in all */
	int			place;			/* of the next one */
	const char *next;
	const uint8 *not_nulls;		/* a bit an element; NULL: no element is NULL */
	const char *bytes;			/* of the element, without its header */
	uint32		size;
} TextArrayWalk;

/*
 * Starts a walk over an array.  More than one dimension is an error
 * (ERRCODE_INVALID_PARAMETER_VALUE); 'argument' is the array's name there.
 */
static inline void
text_array_start(TextArrayWalk *walk, ArrayType *array, const char *argument)
{
	if (unlikely(ARR_NDIM(array) > 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be an array of one dimension, not of %d",
						argument, ARR_NDIM(array))));
	Assert(ARR_ELEMTYPE(array) == TEXTOID);
	walk->length = ARR_NDIM(array) == 0 ? 0 : ARR_DIMS(array)[0];
	walk->place = 0;
	walk->next = array_elements(array);
	walk->not_nulls = ARR_NULLBITMAP(array);
}

/* Moves to the next element; false at the end. */
static inline bool
text_array_next(TextArrayWalk *walk)
{
	int			place = walk->place;
	const struct varlena *element;

	if (place >= walk->length)
		return false;
	walk->place++;
	walk->size = 0;
	walk->bytes = NULL;
	if (walk->not_nulls != NULL && (walk->not_nulls[place / 8] & (1 << place % 8)) == 0)
		return true;
	/* elements are neither compressed nor toasted, but may have a short header */
	element = (const struct varlena *) att_align_pointer(walk->next, TYPALIGN_INT, -1, walk->next);
	walk->bytes = VARDATA_ANY(element);
	walk->size = VARSIZE_ANY_EXHDR(element);
	walk->next = walk->bytes + walk->size;
	return true;
}

#endif							/* ENGAGEMENT_TEXT_ARRAY_H */
