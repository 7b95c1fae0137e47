/*
 * attribution_report.c
 *		Reading the spend that attribution_report() compares credit with.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "attribution/channel_names.h"
#include "base/set_call.h"

PG_FUNCTION_INFO_V1(attribution_spend);

/* The members of the object under way. */
typedef struct SpendRows
{
	JsonbIterator *iterator;
	uint32		left;
} SpendRows;

static SpendRows *start_rows(Jsonb *spend);
static double amount_of(const JsonbValue *channel, const JsonbValue *amount);
static void check_margin(double margin);

/* (spend, margin) */
Datum
attribution_spend(PG_FUNCTION_ARGS)
{
	SetCall    *call = set_call_begin(fcinfo);
	SpendRows  *rows;

	if (!call->is_running)
	{
		MemoryContext caller;

		if (!PG_ARGISNULL(1))
			check_margin(PG_GETARG_FLOAT8(1));
		if (PG_ARGISNULL(0))
			SET_CALL_RETURN_DONE(fcinfo, call);
		set_call_start(fcinfo, call);
		caller = MemoryContextSwitchTo(call->context);
		call->state = start_rows(PG_GETARG_JSONB_P_COPY(0));
		MemoryContextSwitchTo(caller);
	}
	rows = call->state;
	if (rows->left > 0)
	{
		JsonbValue	channel;
		JsonbValue	amount;
		Datum		fields[2];
		bool		nulls[2] = {false};

		rows->left--;
		(void) JsonbIteratorNext(&rows->iterator, &channel, true);
		(void) JsonbIteratorNext(&rows->iterator, &amount, true);
		fields[0] = PointerGetDatum(cstring_to_text_with_len(channel.val.string.val, channel.val.string.len));
		nulls[1] = amount.type == jbvNull;
		fields[1] = nulls[1] ? (Datum) 0 : Float8GetDatum(amount_of(&channel, &amount));
		SET_CALL_RETURN_NEXT(fcinfo, HeapTupleGetDatum(heap_form_tuple(call->row_type, fields, nulls)));
	}
	SET_CALL_RETURN_DONE(fcinfo, call);
}

static SpendRows *
start_rows(Jsonb *spend)
{
	SpendRows  *rows = palloc(sizeof(SpendRows));
	JsonbValue	object;

	if (!JB_ROOT_IS_OBJECT(spend))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"spend\" must be a JSON object of channels and amounts"),
				 errhint("Make it with jsonb_object_agg(channel, amount) from one row for each channel, as in {\"email\": 120.5}.")));
	rows->iterator = JsonbIteratorInit(&spend->root);
	rows->left = JB_ROOT_COUNT(spend);
	(void) JsonbIteratorNext(&rows->iterator, &object, false);
	return rows;
}

static double
amount_of(const JsonbValue *channel, const JsonbValue *amount)
{
	double		number = NAN;

	if (amount->type == jbvNumeric)
		number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(amount->val.numeric)));
	if (!(number >= 0) || isinf(number))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"spend\" must have a number of 0 or more for channel \"%.*s\"",
						channel->val.string.len, channel->val.string.val),
				 errhint("Write numbers without quotes, as in {\"email\": 120.5}.")));
	if (!is_channel(channel->val.string.val, (uint32) channel->val.string.len))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"spend\" has an amount for \"%.*s\", which is no channel",
						channel->val.string.len, channel->val.string.val)));
	return number;
}

static void
check_margin(double margin)
{
	if (!(margin >= 0 && margin <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"margin\" must be from 0 to 1, not %g", margin),
				 errhint("It is the part of value that is margin: 0.4 for 40 %%.")));
}
