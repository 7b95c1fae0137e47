/*
 * histories.c
 *		Distinct histories of customers with their counts.
 *
 * Per state: an array of the distinct histories, 32 bytes each, and while rows come in
 * no order a hash table over it, 11 to 21 bytes a history.  Per row: nothing, unless
 * the history is new.
 *
 * Who reads a state sorts the array where it stands.  That takes the hash table with it,
 * which is made anew if more rows come.  Rows that come in the order of the array are
 * put at its end, and two sorted states are merged, both without a hash table: so
 * parallel workers' states are, and what is read from a dump.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/set_call.h"
#include "clv/histories.h"

#define FORMAT_VERSION 1
#define INITIAL_ITEMS 16
#define MAX_ITEMS (UINT32_C(1) << 30)
#define INTERRUPT_EVERY 65536

/* Of the first number of a history in flat form; its frequency is above them. */
#define FLAG_AGE 2
#define FLAG_RECENCY 1
#define FLAG_BITS 2
#define LEAST_FLAT_SIZE 2

/* A state that is sorted is merged with another by their order if it has at most so many times as many histories. */
#define MERGE_RATIO 8

/* The rows of history_counts. */
typedef struct HistoryRows
{
	Histories	histories;
	uint32		next;
} HistoryRows;

static void init_purchases(void *content, MemoryContext context);
static void init_spend(void *content, MemoryContext context);
static void read_content(void *content, StateReader *reader);
static void write_content(const void *content, StringInfo out);
static void merge_content(void *content, const void *other_content);
static double read_double(StateReader *reader);
static void merge_sorted(HistorySet *set, const HistorySet *other);
static void add_customers(HistorySet *set, int64 customers);
static void append_item(HistorySet *set, const History *history);
static History *items_for(HistorySet *set, Size capacity);
static void make_slots(HistorySet *set);
static void grow_slots(HistorySet *set);
static uint64 *zeroed_slots(const HistorySet *set, Size slot_count);

const StateMethods purchase_histories_methods = {
	.type = "purchase_histories",
	.content_size = sizeof(HistorySet),
	.init = init_purchases,
	.read = read_content,
	.write = write_content,
	.merge = merge_content,
	.size_hint = "Count recency and age in a coarser unit, whole days or weeks, so that more customers have the same history, or keep several, each of some of the customers."
};

const StateMethods spend_histories_methods = {
	.type = "spend_histories",
	.content_size = sizeof(HistorySet),
	.init = init_spend,
	.read = read_content,
	.write = write_content,
	.merge = merge_content,
	.size_hint = "Round mean values, so that more customers have the same, or keep several, each of some of the customers."
};

/* By age, then recency, then frequency; none of them is NaN or -0. */
static inline int
compare_histories(const History *a, const History *b)
{
	if (a->age != b->age)
		return a->age < b->age ? -1 : 1;
	if (a->recency != b->recency)
		return a->recency < b->recency ? -1 : 1;
	return (a->frequency > b->frequency) - (a->frequency < b->frequency);
}

#define ST_SORT sort_items
#define ST_ELEMENT_TYPE History
#define ST_COMPARE(a, b) compare_histories(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

/* The finaliser of MurmurHash3. */
static inline uint64
mix(uint64 bits)
{
	bits ^= bits >> 33;
	bits *= UINT64CONST(0xff51afd7ed558ccd);
	bits ^= bits >> 33;
	bits *= UINT64CONST(0xc4ceb9fe1a85ec53);
	bits ^= bits >> 33;
	return bits;
}

static inline uint32
hash_history(const History *history)
{
	uint64		recency;
	uint64		age;

	memcpy(&recency, &history->recency, sizeof(recency));
	memcpy(&age, &history->age, sizeof(age));
	age += (uint64) history->frequency * UINT64CONST(0x9e3779b97f4a7c15);
	return (uint32) mix(mix(age) ^ recency);
}

/*
 * What an argument, which is not NULL, holds: good for as long as the argument, or the
 * current memory context, is.
 */
void
histories_of_argument(FunctionCallInfo fcinfo, int number, const StateMethods *methods, Histories *histories)
{
	const HistorySet *set = expanded_state_content(PG_GETARG_DATUM(number), methods);

	histories_sort(set);
	histories->customers = set->customers;
	histories->count = set->count;
	histories->items = set->items;
}

/* How many customers a state, which is not NULL, has counted: for a function with it as the argument. */
Datum
histories_count(FunctionCallInfo fcinfo, const StateMethods *methods)
{
	const HistorySet *set = expanded_state_content(PG_GETARG_DATUM(0), methods);

	PG_RETURN_INT64(set->customers);
}

/* A row for each distinct history of a state: for a set-returning function with it as the argument. */
Datum
histories_rows(FunctionCallInfo fcinfo, const StateMethods *methods, HistoryRow form)
{
	SetCall    *call = set_call_begin(fcinfo);
	HistoryRows *rows;

	if (!call->is_running)
	{
		MemoryContext caller;

		if (PG_ARGISNULL(0))
			SET_CALL_RETURN_DONE(fcinfo, call);
		set_call_start(fcinfo, call);
		caller = MemoryContextSwitchTo(call->context);
		call->state = rows = palloc0(sizeof(HistoryRows));
		histories_of_argument(fcinfo, 0, methods, &rows->histories);
		MemoryContextSwitchTo(caller);
	}
	rows = call->state;
	if (rows->next < rows->histories.count)
	{
		Datum		fields[4];
		bool		nulls[4] = {false};

		form(&rows->histories.items[rows->next++], fields);
		SET_CALL_RETURN_NEXT(fcinfo, HeapTupleGetDatum(heap_form_tuple(call->row_type, fields, nulls)));
	}
	SET_CALL_RETURN_DONE(fcinfo, call);
}

/*
 * The number of customers of a row: 1 if the function has no such argument, 0 if it is
 * NULL.  A negative one is an error (ERRCODE_INVALID_PARAMETER_VALUE).
 */
int64
customers_argument(FunctionCallInfo fcinfo, int number)
{
	int64		customers;

	if (PG_NARGS() <= number)
		return 1;
	if (PG_ARGISNULL(number))
		return 0;
	customers = PG_GETARG_INT64(number);
	if (customers < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"customers\" must be 0 or more, not %lld", (long long) customers),
				 errhint("It is the number of customers who have this history.")));
	return customers;
}

/*
 * Counts customers, more than 0, of a valid history.  More than 2^53 of all is an error
 * (ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE).
 */
void
histories_add(HistorySet *set, const History *history)
{
	uint32		hash;
	uint32		at;

	Assert(history->customers > 0 && history_is_valid(set->kind, history));
	add_customers(set, history->customers);
	if (unlikely(set->slots == NULL))
	{
		int			order = set->count == 0 ? 1 : compare_histories(history, &set->items[set->count - 1]);

		if (set->is_sorted && order == 0)
		{
			set->items[set->count - 1].customers += history->customers;
			return;
		}
		if (set->is_sorted && order > 0)
		{
			append_item(set, history);
			return;
		}
		make_slots(set);
	}
	hash = hash_history(history);
	for (at = hash;; at++)
	{
		uint64		slot = set->slots[at & set->slot_mask];

		if (slot == 0)
			break;
		if ((uint32) (slot >> 32) == hash)
		{
			History    *item = &set->items[(uint32) slot - 1];

			if (compare_histories(item, history) == 0)
			{
				item->customers += history->customers;
				return;
			}
		}
	}
	append_item(set, history);
	set->is_sorted = false;
	set->slots[at & set->slot_mask] = (uint64) hash << 32 | set->count;
	if (unlikely(set->count > set->slot_mask / 4 * 3))
		grow_slots(set);
}

/* Puts the histories in their order, which changes nothing in what the state says. */
void
histories_sort(const HistorySet *set)
{
	HistorySet *sorted = unconstify(HistorySet *, set);

	if (set->is_sorted)
		return;
	/* before an interrupt can come: a half sorted array is good, but no hash table is to be over it */
	if (set->slots != NULL)
	{
		pfree(sorted->slots);
		sorted->slots = NULL;
	}
	sort_items(sorted->items, sorted->count);
	sorted->is_sorted = true;
}

static void
init_purchases(void *content, MemoryContext context)
{
	HistorySet *set = content;

	set->context = context;
	set->kind = HISTORY_OF_PURCHASES;
	set->is_sorted = true;
}

static void
init_spend(void *content, MemoryContext context)
{
	init_purchases(content, context);
	((HistorySet *) content)->kind = HISTORY_OF_SPEND;
}

/*
 * The flat form: version, number of histories, and each in order: its frequency with flags,
 * its age and recency where they are not those of the one before, and customers.
 */
static void
write_content(const void *content, StringInfo out)
{
	const HistorySet *set = content;
	History		before = {.recency = -1, .age = -1};

	histories_sort(set);
	state_write_number(out, FORMAT_VERSION);
	state_write_number(out, set->count);
	for (uint32 i = 0; i < set->count; i++)
	{
		const History *item = &set->items[i];
		bool		is_new_age = item->age != before.age;
		bool		is_new_recency = is_new_age || item->recency != before.recency;

		state_write_number(out, (uint64) item->frequency << FLAG_BITS |
						   (is_new_age ? FLAG_AGE : 0) | (is_new_recency ? FLAG_RECENCY : 0));
		if (is_new_age)
			state_write_bytes(out, &item->age, sizeof(double));
		if (is_new_recency)
			state_write_bytes(out, &item->recency, sizeof(double));
		state_write_number(out, (uint64) item->customers);
		before = *item;
		if (i % INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
}

static void
read_content(void *content, StateReader *reader)
{
	HistorySet *set = content;
	History		item = {.recency = -1, .age = -1, .frequency = -1};
	uint32		count;

	if (state_read_number(reader, FORMAT_VERSION) != FORMAT_VERSION)
		state_corrupt(reader);
	count = (uint32) state_read_number(reader, Min(MAX_ITEMS, (uint64) (reader->end - reader->next) / LEAST_FLAT_SIZE));
	set->items = items_for(set, count);
	set->capacity = Max(count, 1);
	for (uint32 i = 0; i < count; i++)
	{
		History		before = item;
		uint64		number = state_read_number(reader, (uint64) PG_INT32_MAX << FLAG_BITS | FLAG_AGE | FLAG_RECENCY);

		item.frequency = (int32) (number >> FLAG_BITS);
		if (number & FLAG_AGE)
		{
			item.age = read_double(reader);
			if (!(item.age > before.age) || (number & FLAG_RECENCY) == 0)
				state_corrupt(reader);
		}
		if (number & FLAG_RECENCY)
		{
			item.recency = read_double(reader);
			if ((number & FLAG_AGE) == 0 && !(item.recency > before.recency))
				state_corrupt(reader);
		}
		else if (item.frequency <= before.frequency)
			state_corrupt(reader);
		item.customers = (int64) state_read_number(reader, (uint64) (HISTORIES_MAX_CUSTOMERS - set->customers));
		if (item.customers == 0 || !history_is_valid(set->kind, &item))
			state_corrupt(reader);
		set->customers += item.customers;
		set->items[i] = item;
		if (i % INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	set->count = count;
}

static double
read_double(StateReader *reader)
{
	double		number;

	memcpy(&number, state_read_bytes(reader, sizeof(number)), sizeof(number));
	/* -0 is not written */
	if (number == 0 && signbit(number))
		state_corrupt(reader);
	return number;
}

/* Adds what another state of the same type has counted. */
static void
merge_content(void *content, const void *other_content)
{
	HistorySet *set = content;
	const HistorySet *other = other_content;

	if (other->count == 0)
		return;
	if (set->is_sorted && other->count >= set->count / MERGE_RATIO)
	{
		histories_sort(other);
		merge_sorted(set, other);
		return;
	}
	for (uint32 i = 0; i < other->count; i++)
	{
		histories_add(set, &other->items[i]);
		CHECK_FOR_INTERRUPTS();
	}
}

static void
merge_sorted(HistorySet *set, const HistorySet *other)
{
	History    *merged = items_for(set, (Size) set->count + other->count);
	const History *a = set->items;
	const History *b = other->items;
	const History *a_end = a + set->count;
	const History *b_end = b + other->count;
	uint32		count = 0;

	add_customers(set, other->customers);
	while (a < a_end || b < b_end)
	{
		int			order = a == a_end ? 1 : b == b_end ? -1 : compare_histories(a, b);

		merged[count] = order <= 0 ? *a++ : *b++;
		if (order == 0)
			merged[count].customers += b++->customers;
		if (count++ % INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	if (set->items != NULL)
		pfree(set->items);
	set->items = repalloc_huge(merged, (Size) count * sizeof(History));
	set->count = count;
	set->capacity = count;
	if (set->slots != NULL)
	{
		pfree(set->slots);
		set->slots = NULL;
	}
}

static void
add_customers(HistorySet *set, int64 customers)
{
	if (unlikely(customers > HISTORIES_MAX_CUSTOMERS - set->customers))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("too many customers"),
				 errdetail("At most %lld can be counted.", (long long) HISTORIES_MAX_CUSTOMERS)));
	set->customers += customers;
}

static void
append_item(HistorySet *set, const History *history)
{
	if (unlikely(set->count == set->capacity))
	{
		uint32		capacity = Max(INITIAL_ITEMS, set->capacity * 2);

		if (set->items == NULL)
			set->items = items_for(set, capacity);
		else if (set->count >= MAX_ITEMS)
			(void) items_for(set, (Size) set->count + 1);
		else
			set->items = repalloc_huge(set->items, (Size) capacity * sizeof(History));
		set->capacity = capacity;
	}
	set->items[set->count++] = *history;
}

/* Room for so many histories; more than 2^30 are an error (ERRCODE_PROGRAM_LIMIT_EXCEEDED). */
static History *
items_for(HistorySet *set, Size capacity)
{
	if (capacity > MAX_ITEMS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many distinct histories"),
				 errdetail("At most %u can be counted.", MAX_ITEMS)));
	return MemoryContextAllocHuge(set->context, Max(capacity, 1) * sizeof(History));
}

/* A hash table over the items that there are. */
static void
make_slots(HistorySet *set)
{
	Size		slot_count = INITIAL_ITEMS * 2;
	uint64	   *slots;
	uint32		mask;

	while (slot_count / 4 * 3 <= set->count)
		slot_count *= 2;
	slots = zeroed_slots(set, slot_count);
	mask = (uint32) (slot_count - 1);
	for (uint32 i = 0; i < set->count; i++)
	{
		uint32		hash = hash_history(&set->items[i]);
		uint32		at = hash;

		/* histories can be chosen so that all have one hash */
		CHECK_FOR_INTERRUPTS();
		while (slots[at & mask] != 0)
			at++;
		slots[at & mask] = (uint64) hash << 32 | (i + 1);
	}
	set->slots = slots;
	set->slot_mask = mask;
}

static void
grow_slots(HistorySet *set)
{
	Size		old_count = (Size) set->slot_mask + 1;
	uint64	   *old = set->slots;
	uint64	   *slots = zeroed_slots(set, old_count * 2);
	uint32		mask = (uint32) (old_count * 2 - 1);

	for (Size i = 0; i < old_count; i++)
	{
		uint32		at = (uint32) (old[i] >> 32);

		if (old[i] == 0)
			continue;
		CHECK_FOR_INTERRUPTS();
		while (slots[at & mask] != 0)
			at++;
		slots[at & mask] = old[i];
	}
	set->slots = slots;
	set->slot_mask = mask;
	pfree(old);
}

static uint64 *
zeroed_slots(const HistorySet *set, Size slot_count)
{
	return MemoryContextAllocExtended(set->context, slot_count * sizeof(uint64), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}
