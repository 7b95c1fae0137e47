/*
 * kind_table.c
 *		The kinds of events that builders have met.
 *
 * A kind is what distinguishes events besides time and value.  Visitors share most
 * of their kinds, so all builders of an aggregate's memory context share one table,
 * and an event in a builder is a kind's number, a time and perhaps a value.  With a
 * million groups in memory, this keeps what each row must touch of its group down to
 * a few bytes, and the strings of kinds in the processor's cache.
 *
 * Each builder holds a pointer to its table, and the table lives in the same memory
 * context as the builders, so nothing depends on fn_extra: Citus calls a transition
 * function through a fresh FmgrInfo for each row.
 *
 * Numbers are given in the order of arrival.  When a timeline is written, the table
 * is sorted, if it has grown since; the dictionary of any timeline is then a
 * selection from the sorted one, made without a look at a string.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "timeline/kind_table.h"

/* Name and identifier of the memory context of a shared table. */
static const char SHARED_TABLE_NAME[] = "timeline kinds";
#define SHARED_TABLE_IDENT "shared"

#define INITIAL_SLOTS 32
#define INITIAL_KINDS 16
#define INITIAL_ARENA 512
#define MAX_ARENA (64 * 1024)

typedef struct TableKind
{
	KindContent content;
	TimelineString properties_text; /* bytes == NULL: none, or not printed yet */
} TableKind;

typedef struct TableSlot
{
	uint32		hash;
	uint32		number;			/* + 1; 0: free */
} TableSlot;

struct KindTable
{
	char		ident[sizeof(SHARED_TABLE_IDENT)];	/* must come first, see kind_table_shared */
	MemoryContext context;
	uint32		kind_count;
	uint32		kind_capacity;
	TableKind  *kinds;			/* by number */
	uint64		slot_mask;
	TableSlot  *slots;			/* by hash, open addressing, at most half full */
	char	   *arena;			/* where the next strings go */
	Size		arena_left;
	Size		arena_size;
	uint32		sorted_count;	/* kinds when the table was sorted last */
	uint32	   *places;			/* of each kind then, its place in the dictionary */
	TimelineDictionary dictionary;
};

static uint32 hash_content(const KindTable *table, const KindContent *content);
static inline uint64 hash_string(uint64 hash, const TimelineString *string);
static inline bool contents_equal(const KindContent *a, const KindContent *b);
static inline bool strings_equal(const TimelineString *a, const TimelineString *b);
static uint32 add_kind(KindTable *table, uint32 hash, const KindContent *content);
static void double_slots(KindTable *table);
static TimelineString keep_string(KindTable *table, const TimelineString *string);
static void sort_table(KindTable *table);
static void print_properties(KindTable *table);
static uint32 sort_member(KindTable *table, Size member, uint32 *places, TimelineString **sorted);

static inline const TimelineString *
member_of(const TableKind *kind, Size member)
{
	return (const TimelineString *) ((const char *) kind + member);
}

typedef struct SortedString
{
	TimelineString string;
	uint32		kind;
} SortedString;

#define ST_SORT sort_strings
#define ST_ELEMENT_TYPE SortedString
#define ST_COMPARE(a, b) timeline_compare_strings(&(a)->string, &(b)->string)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

typedef struct SortedKind
{
	TimelineKind kind;
	uint32		number;
} SortedKind;

static inline int
compare_kinds(const TimelineKind *a, const TimelineKind *b)
{
	if (a->event != b->event)
		return a->event < b->event ? -1 : 1;
	if (a->channel != b->channel)
		return a->channel < b->channel ? -1 : 1;
	if (a->properties != b->properties)
		return a->properties < b->properties ? -1 : 1;
	return (int) a->has_value - (int) b->has_value;
}

#define ST_SORT sort_kinds
#define ST_ELEMENT_TYPE SortedKind
#define ST_COMPARE(a, b) compare_kinds(&(a)->kind, &(b)->kind)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* An empty table in this memory context. */
KindTable *
kind_table_create(MemoryContext context)
{
	KindTable  *table = MemoryContextAllocZero(context, sizeof(KindTable));

	memcpy(table->ident, SHARED_TABLE_IDENT, sizeof(SHARED_TABLE_IDENT));
	table->context = context;
	table->kind_capacity = INITIAL_KINDS;
	table->kinds = MemoryContextAlloc(context, INITIAL_KINDS * sizeof(TableKind));
	table->slot_mask = INITIAL_SLOTS - 1;
	table->slots = MemoryContextAllocZero(context, INITIAL_SLOTS * sizeof(TableSlot));
	table->arena_size = INITIAL_ARENA;
	return table;
}

/*
 * The table that all builders in a memory context share.  It has a context of its
 * own below that one, by whose identifier, which is the table's first member, it is
 * found again.  A search that misses one made before costs memory, not correctness,
 * so a context with many children is not searched to the end.
 */
KindTable *
kind_table_shared(MemoryContext context)
{
	MemoryContext child = context->firstchild;
	KindTable  *table;

	for (int i = 0; i < 8 && child != NULL; i++, child = child->nextchild)
	{
		if (child->name == SHARED_TABLE_NAME)
			return (KindTable *) child->ident;
	}
	child = AllocSetContextCreateInternal(context, SHARED_TABLE_NAME, ALLOCSET_DEFAULT_SIZES);
	table = kind_table_create(child);
	MemoryContextSetIdentifier(child, table->ident);
	return table;
}

/* The number of a kind, which is added if it is new.  Its strings are copied. */
uint32
kind_table_number(KindTable *table, const KindContent *content)
{
	uint32		hash = hash_content(table, content);

	for (uint64 i = hash & table->slot_mask; table->slots[i].number != 0; i = (i + 1) & table->slot_mask)
	{
		const TableSlot *slot = &table->slots[i];

		if (slot->hash == hash && contents_equal(&table->kinds[slot->number - 1].content, content))
			return slot->number - 1;
	}
	return add_kind(table, hash, content);
}

/* How many kinds there are, which are numbered from 0. */
uint32
kind_table_count(const KindTable *table)
{
	return table->kind_count;
}

const KindContent *
kind_table_content(const KindTable *table, uint32 number)
{
	return &table->kinds[number].content;
}

/*
 * All kinds of the table as a timeline's dictionary: sorted and without repeats.
 * *places are the places of the kinds in it, by number.  Both are valid until the
 * next kind is added.
 */
const TimelineDictionary *
kind_table_dictionary(KindTable *table, const uint32 **places)
{
	if (table->sorted_count != table->kind_count)
		sort_table(table);
	*places = table->places;
	return &table->dictionary;
}

static uint32
hash_content(const KindTable *table, const KindContent *content)
{
	/* the address makes it hard to send labels that collide on purpose */
	uint64		hash = (uint64) (uintptr_t) table + content->has_value;

	hash = hash_string(hash, &content->event);
	if (content->channel.bytes != NULL)
		hash = hash_string(hash, &content->channel);
	if (content->properties.bytes != NULL)
		hash = hash_string(hash, &content->properties);
	/* slots are chosen by the low bits, which every byte must reach */
	hash *= UINT64CONST(0xbf58476d1ce4e5b9);
	return (uint32) (hash >> 32);
}

/* Takes in eight bytes at a time, as labels are short and this is done for each row. */
static inline uint64
hash_string(uint64 hash, const TimelineString *string)
{
	const char *bytes = string->bytes;
	uint32		length = string->length;
	uint64		word = 0;

	hash += length;
	if (length < 8)
	{
		for (uint32 i = 0; i < length; i++)
			word = word << 8 | (uint8) bytes[i];
	}
	else
	{
		for (uint32 i = 0; i + 8 < length; i += 8)
		{
			memcpy(&word, bytes + i, 8);
			hash = (hash ^ word) * UINT64CONST(0x9e3779b97f4a7c15);
			hash ^= hash >> 32;
		}
		/* the last eight may overlap with those before */
		memcpy(&word, bytes + length - 8, 8);
	}
	hash = (hash ^ word) * UINT64CONST(0xd6e8feb86659fd93);
	return hash ^ hash >> 32;
}

static inline bool
contents_equal(const KindContent *a, const KindContent *b)
{
	return a->has_value == b->has_value &&
		strings_equal(&a->event, &b->event) &&
		strings_equal(&a->channel, &b->channel) &&
		strings_equal(&a->properties, &b->properties) &&
		(a->properties.bytes == NULL || a->form == b->form);
}

/* NULL equals NULL here, and nothing else. */
static inline bool
strings_equal(const TimelineString *a, const TimelineString *b)
{
	if (a->bytes == NULL || b->bytes == NULL)
		return a->bytes == b->bytes;
	return a->length == b->length && timeline_bytes_equal(a->bytes, b->bytes, a->length);
}

static uint32
add_kind(KindTable *table, uint32 hash, const KindContent *content)
{
	TableKind  *kind;
	uint64		i;

	if (table->kind_count == table->kind_capacity)
	{
		if (table->kind_capacity > PG_INT32_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("too many distinct kinds of events: %u", table->kind_count),
					 errhint("Leave out properties that differ in each event.")));
		table->kind_capacity *= 2;
		table->kinds = repalloc_huge(table->kinds, (Size) table->kind_capacity * sizeof(TableKind));
	}
	if (((uint64) table->kind_count + 1) * 2 > table->slot_mask + 1)
		double_slots(table);

	kind = &table->kinds[table->kind_count];
	kind->content = *content;
	kind->content.event = keep_string(table, &content->event);
	kind->content.channel = keep_string(table, &content->channel);
	kind->content.properties = keep_string(table, &content->properties);
	kind->properties_text.bytes = NULL;
	if (content->form == PROPERTIES_TEXT)
		kind->properties_text = kind->content.properties;
	for (i = hash & table->slot_mask; table->slots[i].number != 0; i = (i + 1) & table->slot_mask)
		;
	table->slots[i].hash = hash;
	table->slots[i].number = ++table->kind_count;
	return table->kind_count - 1;
}

static void
double_slots(KindTable *table)
{
	uint64		mask = table->slot_mask * 2 + 1;
	TableSlot  *slots = MemoryContextAllocExtended(table->context, (mask + 1) * sizeof(TableSlot),
												   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	for (uint64 from = 0; from <= table->slot_mask; from++)
	{
		uint64		to = table->slots[from].hash & mask;

		if (table->slots[from].number == 0)
			continue;
		while (slots[to].number != 0)
			to = (to + 1) & mask;
		slots[to] = table->slots[from];
	}
	pfree(table->slots);
	table->slots = slots;
	table->slot_mask = mask;
}

/* Copies a string to the arena, whose bytes stay where they are. */
static TimelineString
keep_string(KindTable *table, const TimelineString *string)
{
	TimelineString kept = *string;

	if (string->bytes == NULL)
		return kept;
	if (table->arena == NULL || table->arena_left < string->length)
	{
		/* a long string gets a piece of its own size */
		table->arena_left = Max(table->arena_size, string->length);
		table->arena = MemoryContextAlloc(table->context, table->arena_left);
		table->arena_size = Min(table->arena_size * 2, MAX_ARENA);
	}
	memcpy(table->arena, string->bytes, string->length);
	kept.bytes = table->arena;
	table->arena += string->length;
	table->arena_left -= string->length;
	return kept;
}

/*
 * Sorts the strings, then the kinds by the places of their strings.  Kinds of
 * equal content, which differ in the form that their properties came in, share a
 * place.
 */
static void
sort_table(KindTable *table)
{
	TimelineDictionary *dictionary = &table->dictionary;
	Size		count = table->kind_count;
	MemoryContext caller = MemoryContextSwitchTo(table->context);
	uint32	   *members = palloc_extended(3 * count * sizeof(uint32), MCXT_ALLOC_HUGE);
	SortedKind *sorted = palloc_extended(count * sizeof(SortedKind), MCXT_ALLOC_HUGE);

	if (table->sorted_count > 0)
	{
		pfree(table->places);
		pfree(dictionary->kinds);
		pfree(dictionary->labels);
		pfree(dictionary->channels);
		pfree(dictionary->properties);
	}
	table->sorted_count = 0;
	print_properties(table);
	dictionary->label_count = sort_member(table, offsetof(TableKind, content.event),
										  members, &dictionary->labels);
	dictionary->channel_count = sort_member(table, offsetof(TableKind, content.channel),
											members + count, &dictionary->channels);
	dictionary->property_count = sort_member(table, offsetof(TableKind, properties_text),
											 members + 2 * count, &dictionary->properties);
	for (uint32 i = 0; i < count; i++)
	{
		/* labels count from 0, as they are never NULL */
		sorted[i].kind.event = members[i] - 1;
		sorted[i].kind.channel = members[count + i];
		sorted[i].kind.properties = members[2 * count + i];
		sorted[i].kind.has_value = table->kinds[i].content.has_value;
		sorted[i].number = i;
	}
	sort_kinds(sorted, count);

	dictionary->kinds = palloc_extended(count * sizeof(TimelineKind), MCXT_ALLOC_HUGE);
	dictionary->kind_count = 0;
	table->places = palloc_extended(count * sizeof(uint32), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < count; i++)
	{
		if (i == 0 || compare_kinds(&sorted[i - 1].kind, &sorted[i].kind) != 0)
			dictionary->kinds[dictionary->kind_count++] = sorted[i].kind;
		table->places[sorted[i].number] = dictionary->kind_count - 1;
	}
	pfree(members);
	pfree(sorted);
	table->sorted_count = table->kind_count;
	MemoryContextSwitchTo(caller);
}

/* Gives the kinds whose properties came as jsonb's bytes their text. */
static void
print_properties(KindTable *table)
{
	for (uint32 i = 0; i < table->kind_count; i++)
	{
		TableKind  *kind = &table->kinds[i];
		const TimelineString *bytes = &kind->content.properties;
		char	   *aligned;
		char	   *text;

		if (bytes->bytes == NULL || kind->properties_text.bytes != NULL)
			continue;
		/* jsonb must be aligned */
		aligned = palloc(bytes->length);
		memcpy(aligned, bytes->bytes, bytes->length);
		text = JsonbToCString(NULL, (JsonbContainer *) aligned, (int) bytes->length);
		kind->properties_text.bytes = text;
		kind->properties_text.length = strlen(text);
		kind->properties_text = keep_string(table, &kind->properties_text);
		pfree(text);
		pfree(aligned);
		CHECK_FOR_INTERRUPTS();
	}
}

/*
 * Sorts one member of the kinds.  Returns the number of distinct strings, in
 * *sorted, and the place + 1 of each kind's string among them, 0 for NULL.
 */
static uint32
sort_member(KindTable *table, Size member, uint32 *places, TimelineString **sorted)
{
	SortedString *strings = palloc_extended(Max(table->kind_count, 1) * sizeof(SortedString), MCXT_ALLOC_HUGE);
	uint32		found = 0;
	uint32		count = 0;

	for (uint32 i = 0; i < table->kind_count; i++)
	{
		const TimelineString *string = member_of(&table->kinds[i], member);

		places[i] = 0;
		if (string->bytes == NULL)
			continue;
		strings[found].string = *string;
		strings[found++].kind = i;
	}
	sort_strings(strings, found);
	*sorted = palloc_extended(Max(found, 1) * sizeof(TimelineString), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < found; i++)
	{
		if (i == 0 || timeline_compare_strings(&strings[i - 1].string, &strings[i].string) != 0)
			(*sorted)[count++] = strings[i].string;
		places[strings[i].kind] = count;
	}
	pfree(strings);
	return count;
}
