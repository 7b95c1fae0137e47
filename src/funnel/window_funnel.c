/*
 * window_funnel.c
 *		The aggregate window_funnel(within, mode, at, conditions...): how many conditions
 *		came true one after the other, as ClickHouse's windowFunnel counts them.
 *
 * Per query there is a cache of the arguments within and mode in fn_extra, which may
 * be lost at any time.  Per group, the state is one chunk of memory: what the arguments
 * mean, and the time of each row with the conditions it satisfies, packed, in order of
 * arrival.  Per row that satisfies no condition nothing happens, but under
 * strict_order.
 *
 * At the end the rows are sorted and counted (window_funnel_count.c), so that input
 * order means nothing.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/duration.h"
#include "funnel/window_funnel_count.h"
#include "timeline/timeline.h"

PG_FUNCTION_INFO_V1(window_funnel_transition);
PG_FUNCTION_INFO_V1(window_funnel_combine);
PG_FUNCTION_INFO_V1(window_funnel_serialize);
PG_FUNCTION_INFO_V1(window_funnel_deserialize);
PG_FUNCTION_INFO_V1(window_funnel_final);

/* In the order of their bits. */
#define MODE_COUNT 5
static const char *const mode_names[MODE_COUNT] = {
	"strict_deduplication", "strict_order", "strict_increase", "strict_once", "allow_reentry"
};

/* What the arguments within and mode mean. */
typedef struct Options
{
	uint64		within;			/* microseconds, or FUNNEL_NO_LIMIT */
	uint8		modes;
} Options;

/* The arguments as they were given, by which they are recognised, with their meaning. */
typedef struct Arguments
{
	Options		options;
	bool		has_within;
	Interval	within;
	int			mode_length;	/* -1: NULL */
	char		mode[FLEXIBLE_ARRAY_MEMBER];
} Arguments;

/*
 * A row takes eight bytes for its time, and one, two, four or eight for the steps it
 * satisfies, lowest first.
 */
typedef struct WindowFunnel
{
	uint64		within;
	uint32		row_count;
	uint32		row_capacity;
	uint8		modes;
	uint8		step_count;
	uint8		row_size;
	uint8		rows[FLEXIBLE_ARRAY_MEMBER];
} WindowFunnel;

/* A partial state on its way between processes: this, then the rows. */
#define SERIAL_HEADER (sizeof(uint64) + sizeof(uint32) + 2 * sizeof(uint8))

/* A state begins with this many bytes: five rows if there are at most eight conditions. */
#define INITIAL_SIZE 64

/* Rows up to this number are unpacked on the stack. */
#define INLINE_ROWS 64

static const Options *options_of_arguments(FunctionCallInfo fcinfo);
static Options read_options(FunctionCallInfo fcinfo);
static uint8 parse_modes(const char *bytes, int length);
static uint8 parse_mode(const char *bytes, int length);
static uint64 true_conditions(ArrayType *conditions, int *count);
static WindowFunnel *create_state(FunctionCallInfo fcinfo, uint64 within, uint8 modes, int step_count);
static WindowFunnel *initialize(WindowFunnel *state, Size size, uint64 within, uint8 modes, int step_count);
static void check_same(const WindowFunnel *state, uint64 within, uint8 modes, int step_count);
static char *modes_text(uint8 modes);
static char *within_text(uint64 within);
static WindowFunnel *grow(WindowFunnel *state, uint32 more);
static void unpack_rows(const WindowFunnel *state, WindowFunnelRow *rows);

static inline Size
row_size_of(int step_count)
{
	return sizeof(int64) + (step_count <= 8 ? 1 : step_count <= 16 ? 2 : step_count <= 32 ? 4 : 8);
}

static inline void
write_row(uint8 *out, Size row_size, int64 at, uint64 steps)
{
	memcpy(out, &at, sizeof(int64));
	for (Size i = sizeof(int64); i < row_size; i++, steps >>= 8)
		out[i] = (uint8) steps;
}

static inline WindowFunnelRow
read_row(const uint8 *in, Size row_size)
{
	WindowFunnelRow row = {0, 0};

	memcpy(&row.at, in, sizeof(int64));
	for (Size i = row_size; i-- > sizeof(int64);)
		row.steps = row.steps << 8 | in[i];
	return row;
}

/*
 * (state, within, mode, at, conditions)
 *
 * Rows that say nothing, without a time or without a true condition, are not kept,
 * nor are their within and mode compared with those of others.
 */
Datum
window_funnel_transition(PG_FUNCTION_ARGS)
{
	WindowFunnel *state = PG_ARGISNULL(0) ? NULL : (WindowFunnel *) PG_GETARG_POINTER(0);
	const Options *options;
	uint64		steps;
	int			step_count;

	/* with many groups it is seldom in the processor's cache */
	if (state != NULL)
	{
		__builtin_prefetch(state, 1);
		__builtin_prefetch((const char *) state + 64, 1);
	}
	options = options_of_arguments(fcinfo);
	if (PG_ARGISNULL(4))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"conditions\" must not be NULL"),
				 errhint("A single condition may be NULL, and counts as false.")));
	steps = true_conditions(PG_GETARG_ARRAYTYPE_P(4), &step_count);
	if (!PG_ARGISNULL(3))
	{
		int64		at = PG_GETARG_TIMESTAMPTZ(3);

		timeline_check_time(at);
		if (steps != 0 || (options->modes & STRICT_ORDER) != 0)
		{
			if (state == NULL)
				state = create_state(fcinfo, options->within, options->modes, step_count);
			else
				check_same(state, options->within, options->modes, step_count);
			if (unlikely(state->row_count == state->row_capacity))
				state = grow(state, 1);
			write_row(state->rows + (Size) state->row_count * state->row_size, state->row_size, at, steps);
			state->row_count++;
		}
	}
	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(state);
}

Datum
window_funnel_combine(PG_FUNCTION_ARGS)
{
	WindowFunnel *state = PG_ARGISNULL(0) ? NULL : (WindowFunnel *) PG_GETARG_POINTER(0);

	if (!PG_ARGISNULL(1))
	{
		const WindowFunnel *other = (WindowFunnel *) PG_GETARG_POINTER(1);

		if (state == NULL)
			state = create_state(fcinfo, other->within, other->modes, other->step_count);
		else
			check_same(state, other->within, other->modes, other->step_count);
		if (state->row_capacity - state->row_count < other->row_count)
			state = grow(state, other->row_count);
		memcpy(state->rows + (Size) state->row_count * state->row_size, other->rows,
			   (Size) other->row_count * other->row_size);
		state->row_count += other->row_count;
	}
	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(state);
}

Datum
window_funnel_serialize(PG_FUNCTION_ARGS)
{
	const WindowFunnel *state;
	Size		rows_size;
	bytea	   *result;
	char	   *out;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "aggregate function called in non-aggregate context");
	state = (WindowFunnel *) PG_GETARG_POINTER(0);
	rows_size = (Size) state->row_count * state->row_size;
	if (rows_size > MaxAllocSize - VARHDRSZ - SERIAL_HEADER)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many rows in one group for a parallel window_funnel: %u", state->row_count),
				 errhint("Set max_parallel_workers_per_gather to 0, or leave out rows that satisfy no condition.")));
	result = palloc(VARHDRSZ + SERIAL_HEADER + rows_size);
	SET_VARSIZE(result, VARHDRSZ + SERIAL_HEADER + rows_size);
	out = VARDATA(result);
	memcpy(out, &state->within, sizeof(uint64));
	out += sizeof(uint64);
	memcpy(out, &state->row_count, sizeof(uint32));
	out += sizeof(uint32);
	*out++ = (char) state->modes;
	*out++ = (char) state->step_count;
	memcpy(out, state->rows, rows_size);
	PG_RETURN_BYTEA_P(result);
}

Datum
window_funnel_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *serial;
	const char *in;
	Size		size;
	uint64		within;
	uint32		row_count = 0;
	uint8		modes = 0;
	uint8		step_count = 0;
	Size		rows_size = 0;
	Size		state_size;
	WindowFunnel *state;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "aggregate function called in non-aggregate context");
	serial = PG_GETARG_BYTEA_PP(0);
	in = VARDATA_ANY(serial);
	size = VARSIZE_ANY_EXHDR(serial);
	if (size >= SERIAL_HEADER)
	{
		memcpy(&within, in, sizeof(uint64));
		memcpy(&row_count, in + sizeof(uint64), sizeof(uint32));
		modes = (uint8) in[sizeof(uint64) + sizeof(uint32)];
		step_count = (uint8) in[sizeof(uint64) + sizeof(uint32) + 1];
		rows_size = (Size) row_count * row_size_of(step_count);
	}
	if (size != SERIAL_HEADER + rows_size || modes >= 1 << MODE_COUNT ||
		step_count < 1 || step_count > FUNNEL_MAX_STEPS)
		elog(ERROR, "invalid partial state of window_funnel");

	/* it is read once, by the combine function, in this same short-lived context */
	state_size = offsetof(WindowFunnel, rows) + rows_size;
	state = initialize(palloc_extended(state_size, MCXT_ALLOC_HUGE), state_size, within, modes, step_count);
	memcpy(state->rows, in + SERIAL_HEADER, rows_size);
	state->row_count = row_count;
	PG_RETURN_POINTER(state);
}

/* No rows at all give 0, as count does.  The state is left as it was. */
Datum
window_funnel_final(PG_FUNCTION_ARGS)
{
	const WindowFunnel *state;
	WindowFunnelRow inline_rows[INLINE_ROWS];
	WindowFunnelRow *rows = inline_rows;
	int			level;

	if (PG_ARGISNULL(0))
		PG_RETURN_INT32(0);
	state = (WindowFunnel *) PG_GETARG_POINTER(0);
	if (state->row_count > INLINE_ROWS)
		rows = palloc_extended(sizeof(WindowFunnelRow) * state->row_count, MCXT_ALLOC_HUGE);
	unpack_rows(state, rows);
	level = window_funnel_count(rows, state->row_count, state->step_count, state->within, state->modes);
	if (rows != inline_rows)
		pfree(rows);
	PG_RETURN_INT32(level);
}

/* What within and mode mean, read again only when they change. */
static const Options *
options_of_arguments(FunctionCallInfo fcinfo)
{
	Arguments  *cache = fcinfo->flinfo->fn_extra;
	bool		has_within = !PG_ARGISNULL(1);
	const Interval *within = has_within ? PG_GETARG_INTERVAL_P(1) : NULL;
	text	   *mode = PG_ARGISNULL(2) ? NULL : PG_GETARG_TEXT_PP(2);
	int			mode_length = mode == NULL ? -1 : (int) VARSIZE_ANY_EXHDR(mode);
	Options		options;

	if (likely(cache != NULL && cache->has_within == has_within && cache->mode_length == mode_length &&
			   (within == NULL || memcmp(&cache->within, within, sizeof(Interval)) == 0) &&
			   (mode == NULL || memcmp(cache->mode, VARDATA_ANY(mode), mode_length) == 0)))
		return &cache->options;

	options = read_options(fcinfo);
	fcinfo->flinfo->fn_extra = NULL;
	if (cache != NULL)
		pfree(cache);
	cache = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, offsetof(Arguments, mode) + Max(mode_length, 0));
	cache->options = options;
	cache->has_within = has_within;
	if (has_within)
		cache->within = *within;
	cache->mode_length = mode_length;
	if (mode != NULL)
		memcpy(cache->mode, VARDATA_ANY(mode), mode_length);
	fcinfo->flinfo->fn_extra = cache;
	return &cache->options;
}

static Options
read_options(FunctionCallInfo fcinfo)
{
	Options		options = {FUNNEL_NO_LIMIT, 0};

	if (!PG_ARGISNULL(1))
	{
		int64		within = duration_microseconds(PG_GETARG_INTERVAL_P(1), "within");

		/* two times can be further apart than the longest duration that fits */
		if (within < PG_INT64_MAX)
			options.within = (uint64) within;
	}
	if (!PG_ARGISNULL(2))
	{
		text	   *mode = PG_GETARG_TEXT_PP(2);

		options.modes = parse_modes(VARDATA_ANY(mode), VARSIZE_ANY_EXHDR(mode));
	}
	return options;
}

static inline bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Names separated by commas, each with blanks around it; only blanks are no mode. */
static uint8
parse_modes(const char *bytes, int length)
{
	const char *end = bytes + length;
	uint8		modes = 0;

	while (bytes < end && is_blank(*bytes))
		bytes++;
	if (bytes == end)
		return 0;
	for (;;)
	{
		const char *comma = memchr(bytes, ',', end - bytes);
		const char *last = comma != NULL ? comma : end;

		while (bytes < last && is_blank(*bytes))
			bytes++;
		while (bytes < last && is_blank(last[-1]))
			last--;
		modes |= parse_mode(bytes, last - bytes);
		if (comma == NULL)
			break;
		bytes = comma + 1;
	}
	if ((modes & ALLOW_REENTRY) != 0 && (modes & STRICT_ORDER) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("mode \"allow_reentry\" needs \"strict_order\""),
				 errhint("For example 'strict_order, allow_reentry'.")));
	return modes;
}

static uint8
parse_mode(const char *bytes, int length)
{
	for (int i = 0; i < MODE_COUNT; i++)
	{
		if ((int) strlen(mode_names[i]) == length && memcmp(mode_names[i], bytes, length) == 0)
			return 1 << i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"mode\" cannot be \"%.*s\"", length, bytes),
			 errhint("Valid modes are %s, several of them separated by commas.", modes_text((1 << MODE_COUNT) - 1))));
}

static char *
modes_text(uint8 modes)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < MODE_COUNT; i++)
	{
		if ((modes & 1 << i) != 0)
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", mode_names[i]);
	}
	return names.data;
}

/* The conditions that are true, as a mask of steps, and how many conditions there are. */
static uint64
true_conditions(ArrayType *conditions, int *count)
{
	const bits8 *not_null = ARR_NULLBITMAP(conditions);
	const char *value = (const char *) conditions +
		(not_null != NULL ? (Size) conditions->dataoffset : ARR_OVERHEAD_NONULLS(ARR_NDIM(conditions)));
	uint64		steps = 0;
	int			condition_count;

	if (unlikely(ARR_NDIM(conditions) > 1))
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("argument \"conditions\" must have one dimension, not %d", ARR_NDIM(conditions))));
	condition_count = ARR_NDIM(conditions) == 0 ? 0 : ARR_DIMS(conditions)[0];
	if (unlikely(condition_count == 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("window_funnel needs at least one condition")));
	if (unlikely(condition_count > FUNNEL_MAX_STEPS))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("window_funnel takes at most %d conditions, not %d", FUNNEL_MAX_STEPS, condition_count)));
	for (int i = 0; i < condition_count; i++)
	{
		if (not_null != NULL && (not_null[i / 8] & 1 << i % 8) == 0)
			continue;
		if (*value++ != 0)
			steps |= UINT64CONST(1) << i;
	}
	*count = condition_count;
	return steps;
}

static WindowFunnel *
create_state(FunctionCallInfo fcinfo, uint64 within, uint8 modes, int step_count)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate function called in non-aggregate context");
	return initialize(MemoryContextAlloc(context, INITIAL_SIZE), INITIAL_SIZE, within, modes, step_count);
}

static WindowFunnel *
initialize(WindowFunnel *state, Size size, uint64 within, uint8 modes, int step_count)
{
	state->within = within;
	state->modes = modes;
	state->step_count = step_count;
	state->row_size = row_size_of(step_count);
	state->row_count = 0;
	state->row_capacity = Min((size - offsetof(WindowFunnel, rows)) / state->row_size, PG_UINT32_MAX);
	return state;
}

static void
check_same(const WindowFunnel *state, uint64 within, uint8 modes, int step_count)
{
	if (unlikely(state->within != within))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"within\" must be the same in all rows of a group"),
				 errdetail("It is %s and %s.", within_text(state->within), within_text(within))));
	if (unlikely(state->modes != modes))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"mode\" must be the same in all rows of a group"),
				 errdetail("It is \"%s\" and \"%s\".", modes_text(state->modes), modes_text(modes))));
	if (unlikely(state->step_count != step_count))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the number of conditions must be the same in all rows of a group, not %d and %d",
						state->step_count, step_count)));
}

static char *
within_text(uint64 within)
{
	Interval	interval = {0};

	if (within == FUNNEL_NO_LIMIT)
		return "NULL";
	interval.time = (int64) within;
	return DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(&interval)));
}

/* Makes room for so many more rows and returns the state, which has moved. */
static WindowFunnel *
grow(WindowFunnel *state, uint32 more)
{
	uint64		row_count = (uint64) state->row_count + more;
	Size		needed = offsetof(WindowFunnel, rows) + row_count * state->row_size;
	Size		size;
	WindowFunnel *grown;

	if (row_count > PG_UINT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many rows in one group of window_funnel: " UINT64_FORMAT, row_count)));
	/* powers of two, as a memory context rounds sizes up to them */
	size = pg_nextpower2_size_t(needed);
	grown = initialize(MemoryContextAllocExtended(GetMemoryChunkContext(state), size, MCXT_ALLOC_HUGE),
					   size, state->within, state->modes, state->step_count);
	grown->row_count = state->row_count;
	memcpy(grown->rows, state->rows, (Size) state->row_count * state->row_size);
	pfree(state);
	return grown;
}

static void
unpack_rows(const WindowFunnel *state, WindowFunnelRow *rows)
{
	const uint8 *in = state->rows;

	for (uint32 i = 0; i < state->row_count; i++, in += state->row_size)
	{
		rows[i] = read_row(in, state->row_size);
		if (i % TIMELINE_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
}
