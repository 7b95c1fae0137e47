/*
 * dictionary.h
 *		The dictionary of a part: those kinds of a larger dictionary that some
 *		events use.
 */
#ifndef ENGAGEMENT_TIMELINE_DICTIONARY_H
#define ENGAGEMENT_TIMELINE_DICTIONARY_H

#include "postgres.h"

#include "timeline/encoder.h"

/* Dictionaries of this many kinds need no memory beside the struct. */
#define DICTIONARY_INLINE_KINDS 24

typedef struct PartDictionary
{
	TimelineDictionary part;
	bool		has_values;
	uint32		inline_numbers[2 * DICTIONARY_INLINE_KINDS];
	TimelineKind inline_kinds[DICTIONARY_INLINE_KINDS];
	TimelineString inline_strings[3 * DICTIONARY_INLINE_KINDS];
} PartDictionary;

extern void part_dictionary_build(PartDictionary *dictionary, const TimelineDictionary *whole,
								  EncoderEvent *events, uint32 event_count);
extern void part_dictionary_free(PartDictionary *dictionary);

#endif							/* ENGAGEMENT_TIMELINE_DICTIONARY_H */
