/*
 * log_histogram.h
 *		A histogram of durations with buckets of equal width in the logarithm.
 *
 * It answers any quantile within 1 % of the true value, and merging two of them
 * loses nothing: the result is that of all durations in one histogram, to the
 * bit.  This is the DDSketch of Masson, Rim and Lee (2019), with no limit to
 * the number of buckets, as 2240 cover all that 64 bits can hold.
 *
 * Bucket 0 is for durations of zero.  Each doubling of a duration then takes 35
 * buckets.  DDSketch numbers them by ceil(log_gamma x), and the last bit of a
 * logarithm differs between C libraries: the same duration could fall to one
 * side of a border here and to the other there.  So between powers of two the
 * logarithm is replaced by the cubic
 *
 *		log2(1 + s) ~ P(s) = (50 s - 21 s^2 + 6 s^3) / 35,		0 <= s <= 1
 *
 * which meets it at both ends and can be computed in integers: the number is a
 * matter of definition and the same on every machine.  Where P rises by 1/35, ln
 * x rises by at most 0.7/35 = 0.02, the greatest value of
 *
 *		d ln(1 + s) / dP = 35 / ((1 + s) (50 - 42 s + 18 s^2)),
 *
 * so the ends a and b of a bucket are in a ratio of at most exp(0.02), and
 * 2ab/(a+b) differs from any duration between them by at most tanh(0.01) =
 * 0.99997 % of it.
 *
 * A LogHistogram says where its counts begin and how wide they are; the counts
 * themselves lie where the caller puts them, with or without alignment.
 *
 * Plain C: no PostgreSQL header, no allocation, no error exit, so that a test
 * links it alone.
 */
#ifndef ENGAGEMENT_LOG_HISTOGRAM_H
#define ENGAGEMENT_LOG_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define LOG_HISTOGRAM_BUCKETS_PER_DOUBLING 35

/* The numbers of buckets for durations above zero are 1 to this. */
#define LOG_HISTOGRAM_LAST_BUCKET (64 * LOG_HISTOGRAM_BUCKETS_PER_DOUBLING)

typedef struct LogHistogram
{
	uint64_t	zeros;			/* how many durations are zero */
	uint16_t	first;			/* the first bucket that has a count; 0 if none has */
	uint16_t	length;			/* how many follow it, itself included */
	uint32_t	width;			/* bytes of a count: 1, 2, 4 or 8; 0 if there is none */
} LogHistogram;

extern uint64_t log_histogram_lower(int bucket);
extern uint64_t log_histogram_upper(int bucket);
extern void log_histogram_cover(LogHistogram *histogram, int bucket, uint64_t count);
extern bool log_histogram_cover_all(LogHistogram *histogram, const uint8_t *counts,
									const LogHistogram *other, const uint8_t *other_counts);
extern void log_histogram_copy(LogHistogram *histogram, uint8_t *counts,
							   const LogHistogram *other, const uint8_t *other_counts);
extern void log_histogram_merge(LogHistogram *histogram, uint8_t *counts,
								const LogHistogram *other, const uint8_t *other_counts);
extern LogHistogram log_histogram_trimmed(const LogHistogram *histogram, const uint8_t *counts);
extern uint64_t log_histogram_total(const LogHistogram *histogram, const uint8_t *counts);
extern double log_histogram_percentile(const LogHistogram *histogram, const uint8_t *counts, int percent);

/* The number of a duration's bucket. */
static inline int
log_histogram_bucket(uint64_t duration)
{
	int			exponent;
	uint64_t	s;				/* in units of 2^-28: the duration is 2^exponent (1 + s) */
	uint64_t	slope;			/* 35 P(s) / s, in the same units */

	if (duration == 0)
		return 0;
	exponent = 63 - __builtin_clzll(duration);
	s = (duration << (63 - exponent) & ~(UINT64_C(1) << 63)) >> 35;
	/* what the shift drops is less than the rise from one s to the next: the numbers never fall */
	slope = ((UINT64_C(50) << 56) - s * ((UINT64_C(21) << 28) - 6 * s)) >> 28;
	return 1 + LOG_HISTOGRAM_BUCKETS_PER_DOUBLING * exponent + (int) (s * slope >> 56);
}

/* Whether these can be where counts lie; bytes from elsewhere may say anything. */
static inline bool
log_histogram_is_valid(const LogHistogram *histogram)
{
	uint32_t	width = histogram->width;

	if (histogram->length == 0)
		return histogram->first == 0 && width == 0;
	return (width == 1 || width == 2 || width == 4 || width == 8) && histogram->first >= 1 &&
		histogram->first + histogram->length - 1 <= LOG_HISTOGRAM_LAST_BUCKET;
}

/* How much memory the counts take. */
static inline size_t
log_histogram_bytes(const LogHistogram *histogram)
{
	return (size_t) histogram->length * histogram->width;
}

/* The count in a place, from 0; see LogHistogram.first. */
static inline uint64_t
log_histogram_read(const LogHistogram *histogram, const uint8_t *counts, int place)
{
	uint16_t	two;
	uint32_t	four;
	uint64_t	eight;

	switch (histogram->width)
	{
		case 1:
			return counts[place];
		case 2:
			memcpy(&two, counts + 2 * (size_t) place, 2);
			return two;
		case 4:
			memcpy(&four, counts + 4 * (size_t) place, 4);
			return four;
		default:
			memcpy(&eight, counts + 8 * (size_t) place, 8);
			return eight;
	}
}

/* The count must fit the width. */
static inline void
log_histogram_write(const LogHistogram *histogram, uint8_t *counts, int place, uint64_t count)
{
	uint16_t	two = (uint16_t) count;
	uint32_t	four = (uint32_t) count;

	switch (histogram->width)
	{
		case 1:
			counts[place] = (uint8_t) count;
			break;
		case 2:
			memcpy(counts + 2 * (size_t) place, &two, 2);
			break;
		case 4:
			memcpy(counts + 4 * (size_t) place, &four, 4);
			break;
		default:
			memcpy(counts + 8 * (size_t) place, &count, 8);
	}
}

/* How many durations above zero are in a bucket. */
static inline uint64_t
log_histogram_count(const LogHistogram *histogram, const uint8_t *counts, int bucket)
{
	int			place = bucket - histogram->first;

	return place < 0 || place >= histogram->length ? 0 : log_histogram_read(histogram, counts, place);
}

/* The next place from this one on whose count is not 0; length if there is none. */
static inline int
log_histogram_next(const LogHistogram *histogram, const uint8_t *counts, int place)
{
	int			together = histogram->width == 0 ? 1 : 8 / (int) histogram->width;
	uint64_t	eight;

	/* few visitors leave most counts at 0 */
	for (; place + together <= histogram->length; place += together)
	{
		memcpy(&eight, counts + (size_t) place * histogram->width, 8);
		if (eight != 0)
			break;
	}
	while (place < histogram->length && log_histogram_read(histogram, counts, place) == 0)
		place++;
	return place;
}

/*
 * Counts one duration more, of this bucket.  False, with nothing changed, if
 * there is no room: then log_histogram_cover() says what room to make.
 */
static inline bool
log_histogram_add(LogHistogram *histogram, uint8_t *counts, int bucket)
{
	int			place = bucket - histogram->first;
	uint64_t	count;

	if (bucket == 0)
	{
		histogram->zeros++;
		return true;
	}
	if (place < 0 || place >= histogram->length)
		return false;
	count = log_histogram_read(histogram, counts, place) + 1;
	if (histogram->width < 8 && count >> (8 * histogram->width) != 0)
		return false;
	log_histogram_write(histogram, counts, place, count);
	return true;
}

#endif							/* ENGAGEMENT_LOG_HISTOGRAM_H */
