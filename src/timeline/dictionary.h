/*
 * dictionary.h
 *		The dictionary that a timeline is written with: the kinds of its events
 *		and their strings, sorted and without repeats.
 */
#ifndef ENGAGEMENT_TIMELINE_DICTIONARY_H
#define ENGAGEMENT_TIMELINE_DICTIONARY_H

#include "postgres.h"

#include "timeline/encoder.h"

/* Dictionaries of this many kinds need no memory beside the struct. */
#define DICTIONARY_INLINE_KINDS 24

/* Parts of up to this many events get theirs without a look at all kinds of the whole. */
#define DICTIONARY_SMALL_SUBSET 12

/* What is written before the events.  Arrays have room for all kinds given. */
typedef struct Dictionary
{
	uint32		kind_count;		/* kinds in use, without repeats */
	uint32		label_count;
	uint32		channel_count;
	uint32		property_count;
	bool		has_values;
	/* of each kind, in the order of their content: */
	uint32	   *event_index;
	uint32	   *channel_index;	/* index + 1 */
	uint32	   *property_index; /* index + 1 */
	bool	   *has_value;
	/* sorted, without repeats: */
	TimelineString *labels;
	TimelineString *channels;
	TimelineString *properties;
	/* for the making of it: */
	uint32	   *order;			/* kinds in use, by content */
	uint32	   *codes;			/* of each kind given, its number here */
	uint32		inline_numbers[5 * DICTIONARY_INLINE_KINDS];
	bool		inline_has_value[DICTIONARY_INLINE_KINDS];
	TimelineString inline_strings[3 * DICTIONARY_INLINE_KINDS];
} Dictionary;

extern void dictionary_build(Dictionary *dictionary, const EncoderKind *kinds, uint32 kind_count,
							 EncoderEvent *events, uint32 event_count);
extern void dictionary_build_small_subset(Dictionary *dictionary, const TimelineView *view,
										  EncoderEvent *events, uint32 event_count);
extern void dictionary_free(Dictionary *dictionary);

#endif							/* ENGAGEMENT_TIMELINE_DICTIONARY_H */
