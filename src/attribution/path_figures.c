/*
 * path_figures.c
 *		Assists, path length and time lag of each channel.
 */
#include "postgres.h"

#include <math.h>

#include "datatype/timestamp.h"
#include "miscadmin.h"

#include "attribution/path_figures.h"

/* By channel place; palloc'd. */
PathFigures *
path_figures(const SortedPaths *paths)
{
	const PathSet *set = paths->set;
	Size		count = Max(paths->channel_count, 1);
	PathFigures *figures = palloc0(count * sizeof(PathFigures));
	uint64	   *met_in = palloc0(count * sizeof(uint64));
	int128	   *conversions = palloc0(count * sizeof(int128));
	int128	   *last = palloc0(count * sizeof(int128));
	int128	   *touches = palloc0(count * sizeof(int128));

	for (uint32 i = 0; i < set->path_count; i++)
	{
		const PathEntry *entry = &set->paths[i];

		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		if (entry->length == 0 || entry->conversions == 0)
			continue;
		for (uint32 j = 0; j < entry->length; j++)
		{
			uint32		place = paths->places[entry->channels[j]];

			if (met_in[place] == (uint64) i + 1)
				continue;
			met_in[place] = (uint64) i + 1;
			conversions[place] += entry->conversions;
			touches[place] += (int128) entry->conversions * entry->length;
		}
		last[paths->places[entry->channels[entry->length - 1]]] += entry->conversions;
	}
	for (uint32 place = 0; place < paths->channel_count; place++)
	{
		const TimedCredit *timed = path_set_timed_credit(set, paths->order[place]);

		figures[place].last_touch_conversions = (double) last[place];
		figures[place].assisted_conversions = (double) (conversions[place] - last[place]);
		figures[place].mean_path_length = conversions[place] > 0 ?
			(double) touches[place] / (double) conversions[place] : NAN;
		figures[place].mean_days = timed->journeys > 0 ?
			exact_sum_value(&timed->lag) / (double) timed->journeys / (double) USECS_PER_DAY : NAN;
	}
	return figures;
}
