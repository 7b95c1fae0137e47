/*
 * boolean_array.h
 *		Reading and making a boolean[] of one dimension.
 *
 * A walk over the elements costs less than a Datum for each, which counts where
 * a row or a visitor has one array:
 *
 *		BooleanArrayWalk walk;
 *
 *		boolean_array_start(&walk, array, "conditions");
 *		for (int i = 0; i < walk.length; i++)
 *			... boolean_array_next(&walk) ...
 */
#ifndef ENGAGEMENT_BOOLEAN_ARRAY_H
#define ENGAGEMENT_BOOLEAN_ARRAY_H

#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "utils/array.h"

#include "base/compat.h"

typedef enum BooleanElement
{
	BOOLEAN_FALSE,
	BOOLEAN_TRUE,
	BOOLEAN_NULL
} BooleanElement;

typedef struct BooleanArrayWalk
{
	int			length;
	int			next;
	const char *values;			/* one byte an element that is not NULL, unread ones */
	const uint8 *not_nulls;		/* a bit an element; NULL: no element is NULL */
} BooleanArrayWalk;

/* Where an array's elements begin: ARR_DATA_PTR without its mix of signs, which is a warning. */
static inline char *
array_elements(ArrayType *array)
{
	return (char *) array + (ARR_HASNULL(array) ? array->dataoffset : (int32) ARR_OVERHEAD_NONULLS(ARR_NDIM(array)));
}

/*
 * Starts a walk over an array.  More than one dimension is an error
 * (ERRCODE_INVALID_PARAMETER_VALUE); 'argument' is the array's name there.
 */
static inline void
boolean_array_start(BooleanArrayWalk *walk, ArrayType *array, const char *argument)
{
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be an array of one dimension, not of %d",
						argument, ARR_NDIM(array))));
	Assert(ARR_ELEMTYPE(array) == BOOLOID);
	walk->length = ARR_NDIM(array) == 0 ? 0 : ARR_DIMS(array)[0];
	walk->next = 0;
	walk->values = array_elements(array);
	walk->not_nulls = ARR_NULLBITMAP(array);
}

/* The next of the walk's 'length' elements. */
static inline BooleanElement
boolean_array_next(BooleanArrayWalk *walk)
{
	int			place = walk->next++;

	if (walk->not_nulls != NULL && (walk->not_nulls[place / 8] & (1 << place % 8)) == 0)
		return BOOLEAN_NULL;
	return *walk->values++ != 0 ? BOOLEAN_TRUE : BOOLEAN_FALSE;
}

/* An array of 'length' elements, of which the first 'known' are these and the others are NULL. */
static inline ArrayType *
boolean_array_form(const bool *values, int known, int length)
{
	bool		has_nulls = known < length;
	int			overhead = has_nulls ? ARR_OVERHEAD_WITHNULLS(1, length) : ARR_OVERHEAD_NONULLS(1);
	ArrayType  *array = palloc0(overhead + known);

	SET_VARSIZE(array, overhead + known);
	array->ndim = 1;
	array->dataoffset = has_nulls ? overhead : 0;
	array->elemtype = BOOLOID;
	ARR_DIMS(array)[0] = length;
	ARR_LBOUND(array)[0] = 1;
	for (int i = 0; has_nulls && i < known; i++)
		ARR_NULLBITMAP(array)[i / 8] |= 1 << i % 8;
	memcpy(array_elements(array), values, known);
	return array;
}

#endif							/* ENGAGEMENT_BOOLEAN_ARRAY_H */
