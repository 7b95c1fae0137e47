/*
 * set_call.c
 *		Functions that return a set, one row a call.
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/memutils.h"

#include "base/set_call.h"

static void abandon(Datum argument);

/*
 * The call's state, made at the first call of the call site.  An error if the
 * function stands where no set is allowed.
 */
SetCall *
set_call_begin(FunctionCallInfo fcinfo)
{
	SetCall    *call = fcinfo->flinfo->fn_extra;
	MemoryContext caller;
	TupleDesc	row_type;

	if (call != NULL)
		return call;
	if (fcinfo->resultinfo == NULL || !IsA(fcinfo->resultinfo, ReturnSetInfo) ||
		(((ReturnSetInfo *) fcinfo->resultinfo)->allowedModes & SFRM_ValuePerCall) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("set-valued function called in context that cannot accept a set")));

	caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	call = palloc0(sizeof(SetCall));
	/* its first block, which is kept from set to set, holds what most sets need */
	call->context = AllocSetContextCreate(CurrentMemoryContext, "engagement set", ALLOCSET_DEFAULT_SIZES);
	if (get_call_result_type(fcinfo, NULL, &row_type) == TYPEFUNC_COMPOSITE)
		call->row_type = BlessTupleDesc(CreateTupleDescCopy(row_type));
	MemoryContextSwitchTo(caller);
	fcinfo->flinfo->fn_extra = call;
	return call;
}

/* A set starts: from here on a rescan or an early end of the query abandons it. */
void
set_call_start(FunctionCallInfo fcinfo, SetCall *call)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	RegisterExprContextCallback(result->econtext, abandon, PointerGetDatum(call));
	call->is_running = true;
}

/* The set is complete, or there was none. */
void
set_call_end(FunctionCallInfo fcinfo, SetCall *call)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	if (!call->is_running)
		return;
	UnregisterExprContextCallback(result->econtext, abandon, PointerGetDatum(call));
	abandon(PointerGetDatum(call));
}

static void
abandon(Datum argument)
{
	SetCall    *call = (SetCall *) DatumGetPointer(argument);

	call->is_running = false;
	call->state = NULL;
	MemoryContextReset(call->context);
}
