/*
 * path_key.h
 *		A number for each path that depends on nothing but the names of its channels and a seed.
 */
#ifndef ENGAGEMENT_PATH_KEY_H
#define ENGAGEMENT_PATH_KEY_H

#include "postgres.h"

#include "common/hashfn.h"

#include "attribution/attribution.h"

extern uint64 *path_keys(const SortedPaths *paths, uint64 seed);

/* A key for one thing more: a hash of both. */
static inline uint64
key_with(uint64 key, uint64 more)
{
	uint64		pair[2] = {key, more};

	return hash_bytes_extended((const unsigned char *) pair, sizeof(pair), 0);
}

#endif							/* ENGAGEMENT_PATH_KEY_H */
