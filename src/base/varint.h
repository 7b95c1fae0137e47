/*
 * varint.h
 *		Whole numbers in as few bytes as they need, seven bits a byte, least
 *		significant first: what timelines and storable states are written in.
 *
 * Plain C: no PostgreSQL header, so that a fuzzer links it alone.
 */
#ifndef ENGAGEMENT_VARINT_H
#define ENGAGEMENT_VARINT_H

#include <stdint.h>

#define VARINT_MAX_SIZE 10

typedef enum VarintFault
{
	VARINT_OK = 0,
	VARINT_TRUNCATED,
	VARINT_BAD					/* over 64 bits, or longer than it needs to be */
} VarintFault;

/* Reads a varint and moves *byte past it; a fault leaves *byte where it was. */
static inline VarintFault
varint_read(const uint8_t **byte, const uint8_t *end, uint64_t *number)
{
	const uint8_t *p = *byte;
	uint64_t	result;
	int			shift;

	if (p < end && *p < 0x80)
	{
		*number = *p;
		*byte = p + 1;
		return VARINT_OK;
	}
	for (result = 0, shift = 0; p < end; p++, shift += 7)
	{
		uint8_t		b = *p;

		if (shift == 63 && b > 1)
			return VARINT_BAD;
		result |= (uint64_t) (b & 0x7f) << shift;
		if (b < 0x80)
		{
			if (b == 0)
				return VARINT_BAD;
			*number = result;
			*byte = p + 1;
			return VARINT_OK;
		}
	}
	return VARINT_TRUNCATED;
}

static inline uint32_t
varint_size(uint64_t number)
{
	/* seven bits a byte; the lowest bit makes 0 take one */
	return (uint32_t) (70 - __builtin_clzll(number | 1)) / 7;
}

/* Writes a varint and returns what follows it. */
static inline uint8_t *
varint_write(uint8_t *out, uint64_t number)
{
	while (number >= 0x80)
	{
		*out++ = (uint8_t) (number | 0x80);
		number >>= 7;
	}
	*out++ = (uint8_t) number;
	return out;
}

#endif							/* ENGAGEMENT_VARINT_H */
