/*
 * path_array.c
 *		Reading a text[] without a copy of its elements, and making arrays.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "attribution/path_array.h"
#include "base/text_array.h"

/*
 * Finds the elements of a text[], which must live as long as they are used.  More
 * than one dimension is an error (ERRCODE_INVALID_PARAMETER_VALUE); 'argument' is
 * the array's name there.
 */
void
path_array_read(PathArray *path, ArrayType *array, const char *argument)
{
	TextArrayWalk walk;

	text_array_start(&walk, array, argument);
	path->length = walk.length;
	path->elements = path->inline_elements;
	if (path->length > PATH_INLINE_ELEMENTS)
		path->elements = palloc_extended(sizeof(TimelineString) * path->length, MCXT_ALLOC_HUGE);
	for (int i = 0; text_array_next(&walk); i++)
	{
		path->elements[i].bytes = walk.bytes;
		path->elements[i].length = walk.size;
		if (i % TIMELINE_INTERRUPT_EVERY == TIMELINE_INTERRUPT_EVERY - 1)
			CHECK_FOR_INTERRUPTS();
	}
}

/* A text[] of these elements, of which none is NULL; an empty one has no dimension. */
ArrayType *
path_array_form(const TimelineString *elements, int count)
{
	int			dimensions = count > 0 ? 1 : 0;
	Size		size = ARR_OVERHEAD_NONULLS(dimensions);
	ArrayType  *array;
	char	   *next;

	for (int i = 0; i < count; i++)
		size += INTALIGN(VARHDRSZ + elements[i].length);
	/* zeros, as the bytes between elements are compared with them */
	array = palloc0(size);
	SET_VARSIZE(array, size);
	array->ndim = dimensions;
	array->dataoffset = 0;
	array->elemtype = TEXTOID;
	if (count > 0)
	{
		ARR_DIMS(array)[0] = count;
		ARR_LBOUND(array)[0] = 1;
	}
	next = array_elements(array);
	for (int i = 0; i < count; i++)
	{
		SET_VARSIZE(next, VARHDRSZ + elements[i].length);
		memcpy(VARDATA(next), elements[i].bytes, elements[i].length);
		next += INTALIGN(VARHDRSZ + elements[i].length);
	}
	return array;
}

/*
 * The number of an array's elements.  More than one dimension is an error
 * (ERRCODE_INVALID_PARAMETER_VALUE); 'argument' is the array's name there.
 */
int
wide_array_length(ArrayType *array, const char *argument)
{
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be an array of one dimension, not of %d",
						argument, ARR_NDIM(array))));
	return ARR_NDIM(array) == 0 ? 0 : ARR_DIMS(array)[0];
}

/* A float8[] of this length, to be filled at *values; an empty one has no dimension. */
ArrayType *
float8_array_form(int length, double **values)
{
	int			dimensions = length > 0 ? 1 : 0;
	Size		size = ARR_OVERHEAD_NONULLS(dimensions) + sizeof(double) * (Size) length;
	ArrayType  *array = palloc(size);

	SET_VARSIZE(array, size);
	array->ndim = dimensions;
	array->dataoffset = 0;
	array->elemtype = FLOAT8OID;
	if (length > 0)
	{
		ARR_DIMS(array)[0] = length;
		ARR_LBOUND(array)[0] = 1;
	}
	*values = (double *) array_elements(array);
	return array;
}
