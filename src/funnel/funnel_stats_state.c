/*
 * funnel_stats_state.c
 *		The bytes of a funnel_stats: reading them from a datum, and making room.
 *
 * A state under aggregation may have room to spare in its histograms, so that
 * most rows are counted in place; it says so by FUNNEL_STATS_SPARE.  One without
 * that flag is finished: equal content is equal bytes.
 */
#include "postgres.h"

#include "funnel/funnel_stats.h"

/*
 * A state as an SQL function gets it, detoasted if need be.  What no version of
 * this extension wrote is an error, so that nobody reads or writes beyond its end.
 */
FunnelStats *
funnel_stats_open(Datum datum)
{
	FunnelStats *stats = (FunnelStats *) PG_DETOAST_DATUM(datum);
	Size		size = VARSIZE(stats);
	Size		end;

	if (size < FUNNEL_STATS_HEADER_SIZE(1) || stats->version != FUNNEL_STATS_VERSION ||
		stats->step_count < 1 || stats->step_count > FUNNEL_STATS_MAX_STEPS)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("invalid or unknown version of funnel_stats")));
	end = FUNNEL_STATS_HEADER_SIZE(stats->step_count);
	for (int i = 0; i < stats->step_count && end <= size; i++)
	{
		const LogHistogram *durations = &stats->steps[i].durations;

		if ((uint8 *) stats + end != funnel_stats_counts(stats, i) || !log_histogram_is_valid(durations))
			break;
		end += log_histogram_bytes(durations);
	}
	if (end != size)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("corrupt funnel_stats")));
	return stats;
}

/* Likewise, but without room to spare: what users see, send, compare and hash. */
const FunnelStats *
funnel_stats_open_finished(Datum datum)
{
	const FunnelStats *stats = funnel_stats_open(datum);

	return (stats->flags & FUNNEL_STATS_SPARE) != 0 ? funnel_stats_finished(stats) : stats;
}

/* A state of no visitors, in the current memory context. */
FunnelStats *
funnel_stats_create(int step_count, uint8 flags, int64 within, TimestampTz as_of)
{
	FunnelStats *stats = palloc0(FUNNEL_STATS_HEADER_SIZE(step_count));

	SET_VARSIZE(stats, FUNNEL_STATS_HEADER_SIZE(step_count));
	stats->version = FUNNEL_STATS_VERSION;
	stats->flags = flags;
	stats->step_count = (uint16) step_count;
	stats->within = within;
	stats->as_of = as_of;
	return stats;
}

/*
 * A copy of a state in the current memory context, with the room for its
 * histograms that 'shapes' say, one for each step.  They must cover what is in
 * the histograms.
 */
FunnelStats *
funnel_stats_with_room(const FunnelStats *stats, const LogHistogram *shapes)
{
	Size		header = FUNNEL_STATS_HEADER_SIZE(stats->step_count);
	Size		size = header;
	FunnelStats *copy;

	/* at most 64 * 2240 * 8 bytes */
	for (int i = 0; i < stats->step_count; i++)
		size += log_histogram_bytes(&shapes[i]);
	copy = palloc(size);
	memcpy(copy, stats, header);
	memset((char *) copy + header, 0, size - header);
	SET_VARSIZE(copy, size);
	size = header;
	for (int i = 0; i < stats->step_count; i++)
	{
		FunnelStatsStep *step = &copy->steps[i];

		step->durations = shapes[i];
		step->durations.zeros = 0;
		step->offset = (uint32) (size - header);
		log_histogram_copy(&step->durations, funnel_stats_counts(copy, i),
						   &stats->steps[i].durations, funnel_stats_counts(stats, i));
		size += log_histogram_bytes(&shapes[i]);
	}
	return copy;
}

/* A copy of a state without room to spare, in the current memory context. */
FunnelStats *
funnel_stats_finished(const FunnelStats *stats)
{
	LogHistogram shapes[FUNNEL_STATS_MAX_STEPS];
	FunnelStats *finished;

	if ((stats->flags & FUNNEL_STATS_SPARE) == 0)
	{
		finished = palloc(VARSIZE(stats));
		memcpy(finished, stats, VARSIZE(stats));
		return finished;
	}
	for (int i = 0; i < stats->step_count; i++)
		shapes[i] = log_histogram_trimmed(&stats->steps[i].durations, funnel_stats_counts(stats, i));
	finished = funnel_stats_with_room(stats, shapes);
	finished->flags &= ~FUNNEL_STATS_SPARE;
	return finished;
}

/*
 * In assert builds, whether the numbers of a state agree with one another; called
 * after each operation.
 */
void
funnel_stats_assert(const FunnelStats *stats)
{
#ifdef USE_ASSERT_CHECKING
	int64		reached = 0;
	int128		times_due = 0;

	for (int i = stats->step_count - 1; i >= 0; i--)
	{
		const FunnelStatsStep *step = &stats->steps[i];
		int64		times = (int64) log_histogram_total(&step->durations, funnel_stats_counts(stats, i));

		Assert(step->in_progress >= 0 && step->ended >= 0);
		Assert(step->skipped >= 0 && step->skipped <= reached);
		Assert(step->in_progress == 0 || (stats->flags & FUNNEL_STATS_AS_OF) != 0);
		reached += step->in_progress + step->ended;
		Assert(times >= 0 && times <= reached - step->skipped);
		Assert(log_histogram_is_valid(&step->durations));
		if ((stats->flags & FUNNEL_STATS_SPARE) == 0)
		{
			LogHistogram trimmed = log_histogram_trimmed(&step->durations, funnel_stats_counts(stats, i));

			Assert(memcmp(&trimmed, &step->durations, sizeof(LogHistogram)) == 0);
		}
		times_due += (int128) reached - step->skipped - times;
	}
	Assert(stats->visitors == reached);
	Assert(times_due == reached);
#endif
}
