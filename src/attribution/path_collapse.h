/*
 * path_collapse.h
 *		What becomes of touches of the same channel in one path.
 */
#ifndef ENGAGEMENT_PATH_COLLAPSE_H
#define ENGAGEMENT_PATH_COLLAPSE_H

#include "postgres.h"

typedef enum PathCollapse
{
	COLLAPSE_NONE,
	COLLAPSE_CONSECUTIVE,		/* one touch for each run of a channel: its first */
	COLLAPSE_FIRST				/* one touch for each channel: its first */
} PathCollapse;

extern PathCollapse path_collapse_of(const text *name, const char *argument);

#endif							/* ENGAGEMENT_PATH_COLLAPSE_H */
