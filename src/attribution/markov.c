/*
 * markov.c
 *		The aggregate markov: a Markov chain counted from paths, and what can be
 *		read from it without solving it.
 *
 * The state of the aggregate is the value itself, as an expanded object
 * (expanded_state.h); what it holds is described in markov_counts.h.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "attribution/chain.h"
#include "attribution/markov_counts.h"
#include "attribution/path_argument.h"
#include "base/set_call.h"

PG_FUNCTION_INFO_V1(markov_accum);
PG_FUNCTION_INFO_V1(markov_combine);
PG_FUNCTION_INFO_V1(markov_of_paths);
PG_FUNCTION_INFO_V1(markov_transitions);

/* The rows of transition_probabilities: those of the start, then those of each state. */
typedef struct TransitionRows
{
	const Chain *chain;
	double		starts;			/* paths in all */
	double		out;			/* paths that leave the state under way */
	uint32		state;			/* under way; state_count: the start */
	uint64		place;			/* of its next row */
} TransitionRows;

static bool next_transition(TransitionRows *rows, Datum *fields);
static void form_transition(Datum *fields, Datum from, Datum to, double count, double out);
static Datum state_array(const Chain *chain, uint32 state);
static Datum name_array(const char *name);

/* (markov, path, conversions, value, non_conversions, chain_order) */
Datum
markov_accum(PG_FUNCTION_ARGS)
{
	ExpandedState *state = expanded_state_for_change(fcinfo, &markov_methods);
	MarkovCounts *counts = state->content;
	int64		conversions = count_argument(fcinfo, 2, "conversions");
	int64		non_conversions = count_argument(fcinfo, 4, "non_conversions");
	ExactSum	value = {{value_argument(fcinfo, 3)}};
	PathArgument path;

	markov_set_order(counts, PG_ARGISNULL(5) ? 1 : PG_GETARG_INT32(5));
	/* a path that nobody took does not make its channels known either */
	if (conversions == 0 && non_conversions == 0)
		PG_RETURN_STATE(state);
	path_argument(fcinfo, 1, &counts->channels, &path);
	markov_add_path(counts, path.channels, path.length, conversions, non_conversions, &value);
	PG_RETURN_STATE(state);
}

/* (markov, markov) */
Datum
markov_combine(PG_FUNCTION_ARGS)
{
	return expanded_state_combine(fcinfo, &markov_methods);
}

/* (conversion_paths, chain_order) */
Datum
markov_of_paths(PG_FUNCTION_ARGS)
{
	const PathSet *set;
	ExpandedState *state;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	set = PG_GETARG_PATH_SET(0);
	state = expanded_state_create(&markov_methods, CurrentMemoryContext);
	markov_add_paths(state->content, set, PG_ARGISNULL(1) ? 1 : PG_GETARG_INT32(1));
	PG_RETURN_STATE(state);
}

/* (markov) */
Datum
markov_transitions(PG_FUNCTION_ARGS)
{
	SetCall    *call = set_call_begin(fcinfo);
	Datum		fields[4];
	bool		nulls[4] = {false};

	if (!call->is_running)
	{
		TransitionRows *rows;
		MemoryContext caller;

		if (PG_ARGISNULL(0))
			SET_CALL_RETURN_DONE(fcinfo, call);
		set_call_start(fcinfo, call);
		caller = MemoryContextSwitchTo(call->context);
		call->state = rows = palloc0(sizeof(TransitionRows));
		rows->chain = chain_create(PG_GETARG_MARKOV(0));
		rows->state = rows->chain->state_count;
		for (uint32 i = 0; i < rows->chain->state_count; i++)
			rows->starts += rows->chain->starts[i];
		MemoryContextSwitchTo(caller);
	}
	if (next_transition(call->state, fields))
		SET_CALL_RETURN_NEXT(fcinfo, HeapTupleGetDatum(heap_form_tuple(call->row_type, fields, nulls)));
	SET_CALL_RETURN_DONE(fcinfo, call);
}

static bool
next_transition(TransitionRows *rows, Datum *fields)
{
	const Chain *chain = rows->chain;

	/* the start leads to states only */
	while (rows->state == chain->state_count && rows->place < chain->state_count)
	{
		uint32		to = (uint32) rows->place++;

		if (chain->starts[to] > 0)
		{
			form_transition(fields, name_array("(start)"), state_array(chain, to), chain->starts[to], rows->starts);
			return true;
		}
	}
	if (rows->state == chain->state_count)
	{
		rows->state = 0;
		rows->place = 0;
	}
	for (; rows->state < chain->state_count; rows->state++, rows->place = 0)
	{
		uint32		state = rows->state;
		uint64		transitions = chain->first[state + 1] - chain->first[state];

		if (rows->place == 0)
		{
			rows->out = chain->conversions[state] + chain->non_conversions[state];
			for (uint64 i = chain->first[state]; i < chain->first[state + 1]; i++)
				rows->out += chain->counts[i];
		}
		while (rows->place < transitions + 2)
		{
			uint64		place = rows->place++;
			double		count;
			Datum		to;

			if (place < transitions)
			{
				count = chain->counts[chain->first[state] + place];
				to = state_array(chain, chain->to[chain->first[state] + place]);
			}
			else
			{
				count = place == transitions ? chain->conversions[state] : chain->non_conversions[state];
				to = name_array(place == transitions ? "(conversion)" : "(no conversion)");
			}
			if (count > 0)
			{
				form_transition(fields, state_array(chain, state), to, count, rows->out);
				return true;
			}
		}
	}
	return false;
}

static void
form_transition(Datum *fields, Datum from, Datum to, double count, double out)
{
	fields[0] = from;
	fields[1] = to;
	/* counts are sums of 64-bit ones, which a double may round up beyond them */
	fields[2] = Int64GetDatum(count < 0x1p63 ? (int64) count : PG_INT64_MAX);
	fields[3] = Float8GetDatum(count / out);
}

/* The channels of a state, the latest last. */
static Datum
state_array(const Chain *chain, uint32 state)
{
	uint64		tuple = chain->tuples[state];
	Datum		names[MARKOV_MAX_ORDER];
	int			count = 0;

	for (int before = tuple_length(tuple) - 1; before >= 0; before--)
	{
		const TimelineString *name = chain->channels[tuple_channel(tuple, before)];

		names[count++] = PointerGetDatum(cstring_to_text_with_len(name->bytes, (int) name->length));
	}
	return PointerGetDatum(construct_array(names, count, TEXTOID, -1, false, TYPALIGN_INT));
}

static Datum
name_array(const char *name)
{
	Datum		text = CStringGetTextDatum(name);

	return PointerGetDatum(construct_array(&text, 1, TEXTOID, -1, false, TYPALIGN_INT));
}
