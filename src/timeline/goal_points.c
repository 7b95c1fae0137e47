/*
 * goal_points.c
 *		Reading goals and their points from jsonb.
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "timeline/goal_points.h"

/*
 * The goals of the argument "points", in the current memory context; the jsonb must last
 * as long.  Anything but an object of numbers is an error (ERRCODE_INVALID_PARAMETER_VALUE),
 * and so are a bad pattern and a number beyond double precision (ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE).
 */
GoalPoints
goal_points_read(Jsonb *points)
{
	GoalPoints	goals;
	PatternSet *set = pattern_set_create();
	JsonbIterator *iterator = JsonbIteratorInit(&points->root);
	JsonbValue	value;

	if (!JB_ROOT_IS_OBJECT(points))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"points\" must be a JSON object of patterns and numbers"),
				 errhint("For example '{\"purchase\": 100, \"signup@email\": 20}'.")));
	goals.goal_count = JB_ROOT_COUNT(points);
	goals.points = palloc(sizeof(double) * Max(goals.goal_count, 1));
	(void) JsonbIteratorNext(&iterator, &value, false);
	for (int i = 0; i < goals.goal_count; i++)
	{
		JsonbValue	key;

		(void) JsonbIteratorNext(&iterator, &key, true);
		(void) JsonbIteratorNext(&iterator, &value, true);
		pattern_set_add(set, key.val.string.val, key.val.string.len, "points");
		if (value.type != jbvNumeric)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("points of \"%.*s\" must be a number", key.val.string.len, key.val.string.val)));
		goals.points[i] = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
															 NumericGetDatum(value.val.numeric)));
		if (isinf(goals.points[i]))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("points of \"%.*s\" are out of range", key.val.string.len, key.val.string.val)));
	}
	pattern_set_sort(set);
	goals.matcher = matcher_create(set);
	return goals;
}
