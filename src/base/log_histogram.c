/*
 * log_histogram.c
 *		A histogram of durations with buckets of equal width in the logarithm.
 */
#include <math.h>

#include "base/log_histogram.h"

static uint32_t width_of(uint64_t count);

/*
 * The shortest duration of a bucket.  Below about 100 the buckets are narrower
 * than 1 and some hold no whole number; for those it is that of the next which
 * does.
 *
 * Newton's method inverts the cubic nearly.  The numbering itself then decides,
 * so that rounding makes no difference.
 */
uint64_t
log_histogram_lower(int bucket)
{
	int			exponent = (bucket - 1) / LOG_HISTOGRAM_BUCKETS_PER_DOUBLING;
	double		wanted = (bucket - 1) % LOG_HISTOGRAM_BUCKETS_PER_DOUBLING;
	double		s = wanted / LOG_HISTOGRAM_BUCKETS_PER_DOUBLING;
	uint64_t	unit = exponent > 28 ? UINT64_C(1) << (exponent - 28) : 1;
	uint64_t	duration;

	if (bucket == 0)
		return 0;
	for (int i = 0; i < 3; i++)
		s -= (s * (50 - s * (21 - s * 6)) - wanted) / (50 - s * (42 - s * 18));
	/* differences below this unit do not count */
	duration = (uint64_t) ldexp(1 + s, exponent) & ~(unit - 1);
	while (log_histogram_bucket(duration) >= bucket)
		duration -= unit;
	while (log_histogram_bucket(duration) < bucket)
		duration += unit;
	return duration;
}

/* The longest duration of a bucket; shorter than the lower one if it holds no whole number. */
uint64_t
log_histogram_upper(int bucket)
{
	return bucket == LOG_HISTOGRAM_LAST_BUCKET ? UINT64_MAX : log_histogram_lower(bucket + 1) - 1;
}

/*
 * Makes the histogram wide enough for so many durations in a bucket, with room
 * to spare where it had to grow.  What it covered it still covers; the counts
 * are the caller's to move: log_histogram_copy().
 */
void
log_histogram_cover(LogHistogram *histogram, int bucket, uint64_t count)
{
	int			first = histogram->first;
	int			last = first + histogram->length - 1;
	int			spare = 8 + histogram->length / 4;

	if (histogram->length == 0)
	{
		first = bucket - spare / 2;
		last = bucket + spare / 2;
	}
	else if (bucket < first)
		first = bucket - spare;
	else if (bucket > last)
		last = bucket + spare;
	if (first < 1)
		first = 1;
	if (last > LOG_HISTOGRAM_LAST_BUCKET)
		last = LOG_HISTOGRAM_LAST_BUCKET;
	histogram->first = (uint16_t) first;
	histogram->length = (uint16_t) (last - first + 1);
	if (histogram->width < width_of(count))
		histogram->width = width_of(count);
}

/*
 * Makes room for all durations of another histogram.  True if there was room
 * already.  No count may exceed 64 bits.
 */
bool
log_histogram_cover_all(LogHistogram *histogram, const uint8_t *counts,
						const LogHistogram *other, const uint8_t *other_counts)
{
	const LogHistogram before = *histogram;
	int			first = log_histogram_next(other, other_counts, 0);
	int			last = first;
	uint64_t	highest = 0;

	if (first == other->length)
		return true;
	for (int place = first; place < other->length; place = log_histogram_next(other, other_counts, place + 1))
	{
		uint64_t	count = log_histogram_read(other, other_counts, place) +
			log_histogram_count(&before, counts, other->first + place);

		if (count > highest)
			highest = count;
		last = place;
	}
	log_histogram_cover(histogram, other->first + first, highest);
	log_histogram_cover(histogram, other->first + last, highest);
	return histogram->first == before.first && histogram->length == before.length &&
		histogram->width == before.width;
}

/*
 * Makes the histogram, which has its place and width and counts nothing yet,
 * count the same as another.  It must cover what is in that one, but not its
 * room to spare.
 */
void
log_histogram_copy(LogHistogram *histogram, uint8_t *counts,
				   const LogHistogram *other, const uint8_t *other_counts)
{
	int			own_end = histogram->first + histogram->length;
	int			other_end = other->first + other->length;
	int			first = histogram->first > other->first ? histogram->first : other->first;
	int			end = own_end < other_end ? own_end : other_end;

	if (histogram->width != other->width)
	{
		log_histogram_merge(histogram, counts, other, other_counts);
		return;
	}
	histogram->zeros = other->zeros;
	if (first < end)
		memcpy(counts + (size_t) (first - histogram->first) * histogram->width,
			   other_counts + (size_t) (first - other->first) * histogram->width,
			   (size_t) (end - first) * histogram->width);
}

/* Adds all durations of another histogram, for which there must be room. */
void
log_histogram_merge(LogHistogram *histogram, uint8_t *counts,
					const LogHistogram *other, const uint8_t *other_counts)
{
	int			shift = other->first - histogram->first;

	histogram->zeros += other->zeros;
	for (int place = log_histogram_next(other, other_counts, 0); place < other->length;
		 place = log_histogram_next(other, other_counts, place + 1))
		log_histogram_write(histogram, counts, place + shift,
							log_histogram_read(histogram, counts, place + shift) +
							log_histogram_read(other, other_counts, place));
}

/* The same histogram without room to spare: equal durations give equal ones. */
LogHistogram
log_histogram_trimmed(const LogHistogram *histogram, const uint8_t *counts)
{
	LogHistogram trimmed = {0};
	int			first = log_histogram_next(histogram, counts, 0);
	int			last = histogram->length - 1;

	trimmed.zeros = histogram->zeros;
	if (first == histogram->length)
		return trimmed;
	while (log_histogram_read(histogram, counts, last) == 0)
		last--;
	trimmed.first = (uint16_t) (histogram->first + first);
	trimmed.length = (uint16_t) (last - first + 1);
	/* counts are seldom wider than they need be: the first few show it */
	for (int place = first; place <= last && trimmed.width < histogram->width; place++)
	{
		uint32_t	width = width_of(log_histogram_read(histogram, counts, place));

		if (width > trimmed.width)
			trimmed.width = width;
	}
	return trimmed;
}

/* How many durations it holds. */
uint64_t
log_histogram_total(const LogHistogram *histogram, const uint8_t *counts)
{
	uint64_t	total = histogram->zeros;

	for (int place = log_histogram_next(histogram, counts, 0); place < histogram->length;
		 place = log_histogram_next(histogram, counts, place + 1))
		total += log_histogram_read(histogram, counts, place);
	return total;
}

/*
 * The duration than which so many percent (1 to 100) are not longer, within 1 %:
 * the one of rank ceil(percent * total / 100), as percentile_disc takes it.  NaN
 * if there are no durations.
 */
double
log_histogram_percentile(const LogHistogram *histogram, const uint8_t *counts, int percent)
{
	uint64_t	total = log_histogram_total(histogram, counts);
	uint64_t	rank = total / 100 * (uint64_t) percent + (total % 100 * (uint64_t) percent + 99) / 100;
	uint64_t	passed = histogram->zeros;

	if (total == 0)
		return NAN;
	if (rank <= passed)
		return 0;
	for (int place = 0; place < histogram->length; place++)
	{
		passed += log_histogram_read(histogram, counts, place);
		if (rank <= passed)
		{
			double		lower = (double) log_histogram_lower(histogram->first + place);
			double		upper = (double) log_histogram_upper(histogram->first + place);

			return lower + (upper - lower) * (lower / (lower + upper));
		}
	}
	return NAN;
}

static uint32_t
width_of(uint64_t count)
{
	if (count <= UINT8_MAX)
		return 1;
	if (count <= UINT16_MAX)
		return 2;
	return count <= UINT32_MAX ? 4 : 8;
}
