/*
 * expanded_state.c
 *		Aggregate states as expanded objects.
 *
 * Per state, in a memory context of its own below the aggregate's: the header with
 * its methods, the content, and the flat bytes if they were asked for since the
 * last change (a tuple is formed with two questions for the size).
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"

#include "base/expanded_state.h"
#include "base/varint.h"

/* A touch takes a byte or more here, and up to six times as many as text. */
#define MAX_FLAT_SIZE (160 * 1024 * 1024)

static Size flat_size(ExpandedObjectHeader *header);
static void flatten_into(ExpandedObjectHeader *header, void *result, Size size);
static void read_flat(ExpandedState *state, Datum datum);

static const ExpandedObjectMethods expanded_methods = {flat_size, flatten_into};

/* The state behind a datum; NULL: it is flat, or of another type. */
static ExpandedState *
state_of_datum(Datum datum, const StateMethods *methods)
{
	ExpandedState *state;

	if (!VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(datum)))
		return NULL;
	state = (ExpandedState *) DatumGetEOHP(datum);
	if (state->header.eoh_methods != &expanded_methods || state->methods != methods)
		return NULL;
	return state;
}

/* An empty state in a memory context below this one. */
ExpandedState *
expanded_state_create(const StateMethods *methods, MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "engagement state", ALLOCSET_DEFAULT_SIZES);
	ExpandedState *state = MemoryContextAllocZero(context, sizeof(ExpandedState));

	EOH_init_header(&state->header, &expanded_methods, context);
	state->methods = methods;
	state->content = MemoryContextAllocZero(context, methods->content_size);
	methods->init(state->content, context);
	return state;
}

/*
 * The state of argument 0, to be changed and returned: a new one if it is NULL.
 *
 * Only an expanded object that may be written to is changed in place; anything else,
 * a stored value above all, is read into a new one.
 */
ExpandedState *
expanded_state_for_change(FunctionCallInfo fcinfo, const StateMethods *methods)
{
	ExpandedState *state;
	MemoryContext parent;

	if (!PG_ARGISNULL(0) && VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(PG_GETARG_DATUM(0))))
	{
		state = state_of_datum(PG_GETARG_DATUM(0), methods);
		if (likely(state != NULL))
		{
			if (unlikely(state->flat != NULL))
			{
				pfree(state->flat);
				state->flat = NULL;
			}
			return state;
		}
	}
	if (!AggCheckCallContext(fcinfo, &parent))
		parent = CurrentMemoryContext;
	state = expanded_state_create(methods, parent);
	if (!PG_ARGISNULL(0))
		read_flat(state, PG_GETARG_DATUM(0));
	return state;
}

/* Of two states as arguments: the first with the second merged into it; NULL if both are. */
Datum
expanded_state_combine(FunctionCallInfo fcinfo, const StateMethods *methods)
{
	ExpandedState *state;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	state = expanded_state_for_change(fcinfo, methods);
	methods->merge(state->content, expanded_state_content(PG_GETARG_DATUM(1), methods));
	PG_RETURN_STATE(state);
}

/* What a state holds, to be read only; a flat one is read into the current memory context. */
const void *
expanded_state_content(Datum datum, const StateMethods *methods)
{
	ExpandedState *state = state_of_datum(datum, methods);

	if (state == NULL)
	{
		state = expanded_state_create(methods, CurrentMemoryContext);
		read_flat(state, datum);
	}
	return state->content;
}

/* The flat form, which belongs to the state. */
struct varlena *
expanded_state_flatten(ExpandedState *state)
{
	if (state->flat == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(state->header.eoh_context);
		StringInfoData out;

		initStringInfo(&out);
		appendStringInfoSpaces(&out, VARHDRSZ);
		state->methods->write(state->content, &out);
		if (out.len > MAX_FLAT_SIZE)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("%s of %d MB is too large", state->methods->type, out.len >> 20),
					 errdetail("A larger one could be stored, but not printed, and so not be dumped: a text has at most 1 GB."),
					 errhint("%s", state->methods->size_hint)));
		SET_VARSIZE(out.data, out.len);
		state->flat = (struct varlena *) out.data;
		MemoryContextSwitchTo(caller);
	}
	return state->flat;
}

static Size
flat_size(ExpandedObjectHeader *header)
{
	return VARSIZE(expanded_state_flatten((ExpandedState *) header));
}

static void
flatten_into(ExpandedObjectHeader *header, void *result, Size size)
{
	const struct varlena *flat = expanded_state_flatten((ExpandedState *) header);

	Assert(size == VARSIZE(flat));
	memcpy(result, flat, size);
}

static void
read_flat(ExpandedState *state, Datum datum)
{
	struct varlena *flat = PG_DETOAST_DATUM_PACKED(datum);
	StateReader reader;

	reader.type = state->methods->type;
	reader.next = (const uint8 *) VARDATA_ANY(flat);
	reader.end = reader.next + VARSIZE_ANY_EXHDR(flat);
	state->methods->read(state->content, &reader);
	if (reader.next != reader.end)
		state_corrupt(&reader);
	if ((Pointer) flat != DatumGetPointer(datum))
		pfree(flat);
}

/* A number in as few bytes as it needs, seven bits a byte. */
void
state_write_number(StringInfo out, uint64 number)
{
	enlargeStringInfo(out, VARINT_MAX_SIZE);
	out->len = (int) (varint_write((uint8 *) out->data + out->len, number) - (uint8 *) out->data);
}

void
state_write_bytes(StringInfo out, const void *bytes, Size size)
{
	if (size > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("state is too large"),
				 errdetail("A value takes at most 1 GB.")));
	appendBinaryStringInfo(out, bytes, (int) size);
}

/* A number of at most 'limit'; anything else is an error (ERRCODE_DATA_CORRUPTED). */
uint64
state_read_number(StateReader *reader, uint64 limit)
{
	uint64		number;

	if (varint_read(&reader->next, reader->end, &number) != VARINT_OK || number > limit)
		state_corrupt(reader);
	return number;
}

/* The next bytes, which stay where they are; too few left is an error (ERRCODE_DATA_CORRUPTED). */
const uint8 *
state_read_bytes(StateReader *reader, Size size)
{
	const uint8 *bytes = reader->next;

	if (size > (Size) (reader->end - reader->next))
		state_corrupt(reader);
	reader->next += size;
	return bytes;
}

/* The place of one of 'count' things. */
uint64
state_read_place(StateReader *reader, uint64 count)
{
	uint64		place = state_read_number(reader, PG_UINT64_MAX);

	if (place >= count)
		state_corrupt(reader);
	return place;
}

/* A sum as its parts, which are the same for equal sums. */
void
state_write_sum(StringInfo out, const ExactSum *sum)
{
	double		parts[EXACT_SUM_MAX_PARTS];
	int			count = exact_sum_parts(sum, parts);

	state_write_number(out, (uint64) count);
	state_write_bytes(out, parts, count * sizeof(double));
}

/* Adds written parts to a sum. */
void
state_read_sum(StateReader *reader, ExactSum *sum, MemoryContext context)
{
	uint64		count = state_read_number(reader, EXACT_SUM_MAX_PARTS);

	for (uint64 i = 0; i < count; i++)
	{
		double		part;

		memcpy(&part, state_read_bytes(reader, sizeof(double)), sizeof(double));
		if (isnan(part) || isinf(part))
			state_corrupt(reader);
		exact_sum_add(sum, part, context);
	}
}

void
state_corrupt(const StateReader *reader)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("corrupt %s", reader->type)));
}
