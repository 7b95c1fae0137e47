/*
 * decoder.c
 *		Feeds hostile bytes to the decoder of timelines, src/timeline/codec.c, without
 *		PostgreSQL.
 *
 * Built with -fsanitize=fuzzer this is a libFuzzer target.  With -DSTANDALONE it
 * has a main() of its own that makes seeded mutations of a corpus, so that gcc and
 * AddressSanitizer are enough:
 *
 *		decoder CORPUS.txt RUNS SEED
 *		decoder CORPUS.txt --write FOLDER		the corpus as files, for libFuzzer
 *
 * What the decoder accepts is walked over and held to what codec.h promises to
 * readers.  Memory is allocated to the exact size, so that the sanitizer sees
 * every read past an end.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "timeline/codec.h"

#define CHECK(condition) \
	do { \
		if (!(condition)) \
		{ \
			fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

static bool decode(const uint8_t *bytes, size_t length, bool inline_arrays);
static void check_accepted(const TimelineView *view);
static void check_string(const TimelineView *view, const TimelineString *string);

int			LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	/* with the arrays that timeline.c would use, and with none to spare */
	CHECK(decode(bytes, length, true) == decode(bytes, length, false));
	return 0;
}

/* As open_view() in timeline.c does it; true if the bytes are accepted. */
static bool
decode(const uint8_t *bytes, size_t length, bool inline_arrays)
{
	TimelineView *view = malloc(sizeof(TimelineView));
	TimelineString *strings = NULL;
	TimelineKind *kinds = NULL;
	bool		accepted = timeline_read_header(view, bytes, length);

	if (accepted)
	{
		uint64_t	string_count = (uint64_t) view->label_count + view->channel_count +
			view->property_count;

		/* what is allocated stays in proportion to what was sent */
		CHECK(string_count + view->kind_count <= length);
		if (!inline_arrays || string_count > TIMELINE_INLINE_STRINGS)
			view->labels = strings = malloc(string_count * sizeof(TimelineString));
		if (!inline_arrays || view->kind_count > TIMELINE_INLINE_KINDS)
			view->kinds = kinds = malloc(view->kind_count * sizeof(TimelineKind));
		accepted = timeline_read_dictionary(view) && timeline_validate(view);
	}
	if (accepted)
		check_accepted(view);
	else
	{
		CHECK(view->fault > TIMELINE_OK && view->fault <= TIMELINE_TRAILING_BYTES);
		CHECK(view->fault_offset <= length);
		CHECK(strcmp(timeline_fault_text(view->fault), "unknown fault") != 0);
	}
	free(strings);
	free(kinds);
	free(view);
	return accepted;
}

static void
check_accepted(const TimelineView *view)
{
	TimelineCursor cursor;
	int64_t		previous = INT64_MIN;
	uint32_t	events = 0;
	uint32_t	values = 0;

	CHECK(view->fault == TIMELINE_OK);
	for (uint32_t i = 0; i < view->label_count + view->channel_count + view->property_count; i++)
		check_string(view, &view->labels[i]);
	for (uint32_t i = 0; i < view->kind_count; i++)
	{
		CHECK(view->kinds[i].event < view->label_count);
		CHECK(view->kinds[i].channel <= view->channel_count);
		CHECK(view->kinds[i].properties <= view->property_count);
	}

	timeline_cursor_start(&cursor, view);
	while (timeline_next(&cursor))
	{
		CHECK(cursor.at >= TIMELINE_MIN_AT && cursor.at <= TIMELINE_MAX_AT);
		CHECK(cursor.at >= previous);
		CHECK(cursor.kind < view->kind_count);
		CHECK(!cursor.has_value || (isfinite(cursor.value) && !(cursor.value == 0 && signbit(cursor.value))));
		previous = cursor.at;
		events++;
		values += cursor.has_value;
	}
	CHECK(cursor.fault == TIMELINE_OK);
	CHECK(events == view->event_count && values == view->value_count);

	/* times alone are the same times */
	timeline_cursor_start(&cursor, view);
	while (timeline_next_time(&cursor))
		events--;
	CHECK(cursor.fault == TIMELINE_OK && events == 0);
	CHECK(view->event_count == 0 || cursor.at == previous);
}

static void
check_string(const TimelineView *view, const TimelineString *string)
{
	const uint8_t *start = (const uint8_t *) string->bytes;

	CHECK(start >= view->strings_start && start + string->length <= view->kinds_start);
}

#ifdef STANDALONE

#define MAX_LENGTH 8192
#define MAX_CORPUS 200

typedef struct Sample
{
	uint8_t    *bytes;
	size_t		length;
} Sample;

static int	run_mutations(const Sample *corpus, int count, uint64_t runs, uint64_t seed);
static size_t mutate(uint8_t *bytes, size_t length, const Sample *corpus, int count);
static size_t replace(uint8_t *bytes, size_t length, size_t at, size_t old, const uint8_t *with, size_t size);
static size_t write_varint(uint8_t *out, uint64_t number, int needless);
static size_t varint_length(const uint8_t *bytes, size_t length, uint64_t *number);
static uint64_t pick(uint64_t below);
static int	read_corpus(const char *path, Sample *corpus);
static int	write_files(const Sample *corpus, int count, const char *folder);

static uint64_t random_state;

int
main(int argc, char **argv)
{
	static Sample corpus[MAX_CORPUS];
	int			count;
	int			status;

	if (argc != 4)
	{
		fprintf(stderr, "usage: decoder CORPUS.txt RUNS SEED | decoder CORPUS.txt --write FOLDER\n");
		return 2;
	}
	count = read_corpus(argv[1], corpus);
	status = strcmp(argv[2], "--write") == 0 ? write_files(corpus, count, argv[3]) :
		run_mutations(corpus, count, strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10));
	for (int i = 0; i < count; i++)
		free(corpus[i].bytes);
	return status;
}

static int
run_mutations(const Sample *corpus, int count, uint64_t runs, uint64_t seed)
{
	uint64_t	accepted = 0;

	for (int i = 0; i < count; i++)
	{
		/* nothing is accepted that ends too early or goes on too long */
		uint8_t    *longer = calloc(corpus[i].length + 1, 1);

		memcpy(longer, corpus[i].bytes, corpus[i].length);
		CHECK(decode(corpus[i].bytes, corpus[i].length, true));
		CHECK(!decode(longer, corpus[i].length + 1, true));
		free(longer);
		for (size_t length = 0; length < corpus[i].length; length++)
		{
			uint8_t    *shorter = malloc(length == 0 ? 1 : length);

			memcpy(shorter, corpus[i].bytes, length);
			CHECK(!decode(shorter, length, true));
			free(shorter);
		}
	}

	/* the state must not be 0 */
	random_state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	for (uint64_t run = 0; run < runs; run++)
	{
		static uint8_t scratch[2 * MAX_LENGTH];
		const Sample *sample = &corpus[pick((uint64_t) count)];
		size_t		length = sample->length;
		uint8_t    *exact;

		memcpy(scratch, sample->bytes, length);
		for (uint64_t edits = 1 + pick(3); edits > 0; edits--)
			length = mutate(scratch, length, corpus, count);
		exact = malloc(length == 0 ? 1 : length);
		memcpy(exact, scratch, length);
		LLVMFuzzerTestOneInput(exact, length);
		accepted += decode(exact, length, true);
		free(exact);
	}
	printf("%" PRIu64 " mutations of %d values: %" PRIu64 " accepted, %" PRIu64 " rejected (seed %" PRIu64 ")\n",
		   runs, count, accepted, runs - accepted, seed);
	return accepted > 0 && accepted < runs ? 0 : 1;
}

/* One edit; the result is at most MAX_LENGTH long. */
static size_t
mutate(uint8_t *bytes, size_t length, const Sample *corpus, int count)
{
	size_t		at = (size_t) pick(length + 1);
	uint8_t		varint[12];
	uint64_t	number;
	size_t		old;

	if (length == 0)
		return replace(bytes, length, 0, 0, (const uint8_t *) "\001", 1);
	if (at == length)
		at--;
	switch (pick(12))
	{
		case 0:
			return at;
		case 1:
		case 2:
			bytes[at] ^= (uint8_t) (1 << pick(8));
			return length;
		case 3:
			bytes[at] = (uint8_t) pick(256);
			return length;
		case 4:
			bytes[0] = (uint8_t) pick(4);
			return length;
		case 5:
			bytes[1 % length] = (uint8_t) pick(64);
			return length;
		case 6:
			/* a number one off */
			old = varint_length(bytes + at, length - at, &number);
			number += pick(2) ? 1 : UINT64_MAX;
			return replace(bytes, length, at, old, varint, write_varint(varint, number, 0));
		case 7:
			/* a number of any size, with needless bytes at times */
			old = varint_length(bytes + at, length - at, &number);
			number = (pick(UINT64_MAX) >> pick(64)) - pick(2);
			return replace(bytes, length, at, old, varint, write_varint(varint, number, pick(4) == 0));
		case 8:
			/* the same number, too long */
			old = varint_length(bytes + at, length - at, &number);
			return replace(bytes, length, at, old, varint, write_varint(varint, number, 1));
		case 9:
			{
				/* the end of another value */
				const Sample *other = &corpus[pick((uint64_t) count)];
				size_t		from = (size_t) pick(other->length);

				return replace(bytes, length, at, length - at, other->bytes + from, other->length - from);
			}
		case 10:
			{
				/* some bytes once more, elsewhere */
				uint8_t		piece[32];
				size_t		size = (size_t) pick(sizeof(piece)) + 1;
				size_t		from = (size_t) pick(length);

				if (size > length - from)
					size = length - from;
				memcpy(piece, bytes + from, size);
				return replace(bytes, length, at, 0, piece, size);
			}
		default:
			return replace(bytes, length, at, (size_t) pick(length - at) % 16, NULL, 0);
	}
}

static size_t
replace(uint8_t *bytes, size_t length, size_t at, size_t old, const uint8_t *with, size_t size)
{
	size_t		result = length - old + size;

	if (result > MAX_LENGTH)
		return length;
	memmove(bytes + at + size, bytes + at + old, length - at - old);
	if (size > 0)
		memcpy(bytes + at, with, size);
	return result;
}

/* Like varint_write(), but at will with a last byte that says nothing. */
static size_t
write_varint(uint8_t *out, uint64_t number, int needless)
{
	size_t		size = (size_t) (varint_write(out, number) - out);

	if (needless)
	{
		out[size - 1] |= 0x80;
		out[size++] = 0;
	}
	return size;
}

/* What stands there read as a number, whether one is meant or not. */
static size_t
varint_length(const uint8_t *bytes, size_t length, uint64_t *number)
{
	const uint8_t *byte = bytes;

	if (timeline_read_varint(&byte, bytes + length, number) != TIMELINE_OK)
	{
		*number = 0;
		return 1;
	}
	return (size_t) (byte - bytes);
}

/* Below the given number, which is not 0 (xorshift64). */
static uint64_t
pick(uint64_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % below;
}

/* Lines of hexadecimal, then a tab and the query. */
static int
read_corpus(const char *path, Sample *corpus)
{
	FILE	   *file = fopen(path, "r");
	static char line[4 * MAX_LENGTH];
	int			count = 0;

	CHECK(file != NULL);
	while (fgets(line, sizeof(line), file) != NULL)
	{
		Sample	   *sample = &corpus[count++];
		unsigned int byte;

		CHECK(count <= MAX_CORPUS);
		sample->length = strspn(line, "0123456789abcdef") / 2;
		CHECK(sample->length > 0 && sample->length <= MAX_LENGTH);
		sample->bytes = malloc(sample->length);
		for (size_t i = 0; i < sample->length; i++)
		{
			CHECK(sscanf(line + 2 * i, "%2x", &byte) == 1);
			sample->bytes[i] = (uint8_t) byte;
		}
	}
	fclose(file);
	return count;
}

static int
write_files(const Sample *corpus, int count, const char *folder)
{
	for (int i = 0; i < count; i++)
	{
		char		path[4096];
		FILE	   *file;

		snprintf(path, sizeof(path), "%s/%03d", folder, i);
		file = fopen(path, "wb");
		CHECK(file != NULL && fwrite(corpus[i].bytes, 1, corpus[i].length, file) == corpus[i].length);
		fclose(file);
	}
	return 0;
}

#endif							/* STANDALONE */
