/*
 * attribution_weights.c
 *		attribution_weights(model, path, ...): the share of each touch of a path in its
 *		conversion.
 *
 * Per call: what touch_list.c needs for the path, and the result.
 */
#include "postgres.h"

#include "fmgr.h"

#include "attribution/path_array.h"
#include "attribution/touch_list.h"
#include "base/text_array.h"

PG_FUNCTION_INFO_V1(attribution_weights);

#define ARGUMENT_PATH 1
#define ARGUMENT_TOUCHED_AT 2

/* (model, path, touched_at, converted_at, skip, weights, half_life, milestones) */
Datum
attribution_weights(PG_FUNCTION_ARGS)
{
	CreditOptions options;
	TextArrayWalk path;
	WideArrayWalk times = {0};
	bool		has_times = !PG_ARGISNULL(ARGUMENT_TOUCHED_AT);
	TouchList	list;
	ArrayType  *result;
	double	   *weights;

	if (PG_ARGISNULL(CREDIT_ARGUMENT_MODEL) || PG_ARGISNULL(ARGUMENT_PATH))
		PG_RETURN_NULL();
	credit_options_read(&options, fcinfo->args);
	text_array_start(&path, PG_GETARG_ARRAYTYPE_P(ARGUMENT_PATH), "path");
	if (has_times)
	{
		wide_array_start(&times, PG_GETARG_ARRAYTYPE_P(ARGUMENT_TOUCHED_AT), "touched_at");
		if (times.length != path.length)
			ereport(ERROR,
					(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
					 errmsg("argument \"touched_at\" must have as many elements as \"path\": %d, not %d",
							path.length, times.length)));
	}

	touch_list_start(&list, &options, path.length, has_times ? "touched_at" : NULL);
	while (text_array_next(&path))
	{
		TimelineString channel = {path.bytes, path.size};
		int64		at;

		touch_list_add(&list, &channel, has_times && wide_array_next(&times, &at) ? &at : NULL);
	}
	result = float8_array_form(path.length, &weights);
	touch_list_weights(&list, weights);
	PG_RETURN_ARRAYTYPE_P(result);
}
