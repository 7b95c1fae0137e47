/*
 * kind_cache.c
 *		Recognising the kind of an incoming event without a look at its group.
 *
 * With a million groups, each touch of a group's memory costs more than all
 * computing about a row.  Groups share their kinds of events, so a call site
 * keeps those it has met, gives each a token, and a builder holds the tokens of
 * its kinds in its first bytes (builder_kinds.c).
 *
 * The cache lies in fn_extra and may vanish at any time.  Tokens mean something
 * only together with the number of their cache, which is random in 64 bits, so
 * those of a lost cache are recognised as such.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "base/compat.h"
#include "timeline/builder_kinds.h"
#include "timeline/kind_cache.h"

/* The cache stops taking in kinds at the first of these limits. */
#define MAX_KINDS 32768
#define MAX_BYTES (8 * 1024 * 1024)

#define INITIAL_SLOTS 256

typedef struct CachedKind
{
	uint32		hash;
	uint16		token;			/* 0: the slot is free */
	uint8		flags;
	TimelineString event;
	TimelineString channel;
	TimelineString properties;
} CachedKind;

typedef struct KindCache
{
	uint64		id;				/* 0 until the call site is called again */
	MemoryContext context;
	uint32		mask;
	uint32		count;
	Size		bytes;
	CachedKind *slots;
} KindCache;

static KindCache *create_cache(FmgrInfo *call_site);
static void start_cache(KindCache *cache);
static uint16 add_kind(KindCache *cache, uint32 hash, uint8 flags, const BuilderEvent *event);
static void double_slots(KindCache *cache);
static TimelineString copy_string(KindCache *cache, const TimelineString *string);

/* The token of an event's kind; cache_id is 0 as long as there is no cache. */
KindToken
kind_cache_look_up(FmgrInfo *call_site, const BuilderEvent *event)
{
	KindCache  *cache = call_site->fn_extra;
	KindToken	token = {0};
	uint8		flags;
	uint32		i;

	if (unlikely(cache == NULL))
	{
		/* where each row comes through a call site of its own, a cache is a waste */
		(void) create_cache(call_site);
		return token;
	}
	if (unlikely(cache->id == 0))
		start_cache(cache);

	flags = builder_kind_flags(event);
	token.cache_id = cache->id;
	token.hash = builder_hash_kind(flags, event);
	for (i = token.hash & cache->mask; cache->slots[i].token != 0; i = (i + 1) & cache->mask)
	{
		const CachedKind *kind = &cache->slots[i];

		if (kind->hash == token.hash && kind->flags == flags &&
			timeline_strings_equal(&kind->event, &event->event) &&
			(!(flags & KIND_HAS_CHANNEL) || timeline_strings_equal(&kind->channel, &event->channel)) &&
			(!(flags & KIND_HAS_PROPERTIES) || timeline_strings_equal(&kind->properties, &event->properties)))
		{
			token.token = kind->token;
			return token;
		}
	}
	token.token = add_kind(cache, token.hash, flags, event);
	return token;
}

static KindCache *
create_cache(FmgrInfo *call_site)
{
	KindCache  *cache = MemoryContextAllocZero(call_site->fn_mcxt, sizeof(KindCache));

	cache->context = call_site->fn_mcxt;
	call_site->fn_extra = cache;
	return cache;
}

static void
start_cache(KindCache *cache)
{
	cache->mask = INITIAL_SLOTS - 1;
	cache->slots = MemoryContextAllocZero(cache->context, INITIAL_SLOTS * sizeof(CachedKind));
	while (cache->id == 0)
	{
		if (!pg_strong_random(&cache->id, sizeof(cache->id)))
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("could not generate random number")));
	}
}

/* Returns the new kind's token, 0 if the cache is full. */
static uint16
add_kind(KindCache *cache, uint32 hash, uint8 flags, const BuilderEvent *event)
{
	CachedKind	kind = {hash, 0, flags};
	uint32		i;

	if (cache->count == MAX_KINDS || cache->bytes > MAX_BYTES)
		return 0;
	if ((cache->count + 1) * 2 > cache->mask)
		double_slots(cache);
	kind.event = copy_string(cache, &event->event);
	if (flags & KIND_HAS_CHANNEL)
		kind.channel = copy_string(cache, &event->channel);
	if (flags & KIND_HAS_PROPERTIES)
		kind.properties = copy_string(cache, &event->properties);
	kind.token = (uint16) ++cache->count;
	for (i = hash & cache->mask; cache->slots[i].token != 0; i = (i + 1) & cache->mask)
		;
	cache->slots[i] = kind;
	return kind.token;
}

static void
double_slots(KindCache *cache)
{
	uint32		mask = cache->mask * 2 + 1;
	CachedKind *slots = MemoryContextAllocZero(cache->context, ((Size) mask + 1) * sizeof(CachedKind));

	for (uint32 i = 0; i <= cache->mask; i++)
	{
		uint32		to = cache->slots[i].hash & mask;

		if (cache->slots[i].token == 0)
			continue;
		while (slots[to].token != 0)
			to = (to + 1) & mask;
		slots[to] = cache->slots[i];
	}
	pfree(cache->slots);
	cache->slots = slots;
	cache->mask = mask;
}

static TimelineString
copy_string(KindCache *cache, const TimelineString *string)
{
	TimelineString copy = {MemoryContextAlloc(cache->context, string->length + 1), string->length};

	memcpy((char *) copy.bytes, string->bytes, string->length);
	cache->bytes += string->length + sizeof(CachedKind);
	return copy;
}
