/*
 * path_figures.h
 *		What a report says of a channel beside its credit.
 */
#ifndef ENGAGEMENT_PATH_FIGURES_H
#define ENGAGEMENT_PATH_FIGURES_H

#include "postgres.h"

#include "attribution/attribution.h"

/* Of the paths that converted; NaN: unknown. */
typedef struct PathFigures
{
	double		assisted_conversions;	/* the channel is in the path, but not last */
	double		last_touch_conversions;
	double		mean_path_length;	/* touches of the paths in which it is */
	double		mean_days;		/* from its first touch to the conversion */
} PathFigures;

extern PathFigures *path_figures(const SortedPaths *paths);

#endif							/* ENGAGEMENT_PATH_FIGURES_H */
