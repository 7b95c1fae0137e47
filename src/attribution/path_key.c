/*
 * path_key.c
 *		A number for each path that depends on nothing but the names of its channels and a seed.
 *
 * Random choices start from these, and so are the same for any order of rows, number of
 * workers and way of merging.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "attribution/path_key.h"

/* By place in the canonical order; palloc'd.  Two paths of a million share one with a chance of 1e-7. */
uint64 *
path_keys(const SortedPaths *paths, uint64 seed)
{
	const PathSet *set = paths->set;
	uint64	   *keys = palloc_extended(Max(set->path_count, 1) * sizeof(uint64), MCXT_ALLOC_HUGE);
	uint64	   *names = palloc_extended(Max(set->channels.count, 1) * sizeof(uint64), MCXT_ALLOC_HUGE);

	for (uint32 i = 0; i < set->channels.count; i++)
		names[i] = hash_bytes_extended((const unsigned char *) set->channels.names[i].bytes,
									   (int) set->channels.names[i].length, 0);
	for (uint32 i = 0; i < set->path_count; i++)
	{
		const PathEntry *path = paths->paths[i];
		uint64		key = 0;

		for (uint32 j = 0; j < path->length; j++)
			key = key_with(key, names[path->channels[j]]);
		keys[i] = key_with(key, seed);
		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	pfree(names);
	return keys;
}
