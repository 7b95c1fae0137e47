/*
 * label_text.h
 *		Labels and channels of a timeline as text, each made at its first use.
 *
 * For functions that return many rows of one timeline: start once a set, in a
 * memory context that lasts for the set, and take the same datum row after row.
 */
#ifndef ENGAGEMENT_TIMELINE_LABEL_TEXT_H
#define ENGAGEMENT_TIMELINE_LABEL_TEXT_H

#include "postgres.h"

#include "timeline/codec.h"

typedef struct LabelTexts
{
	const TimelineView *view;
	MemoryContext context;
	Datum	   *texts;			/* labels, then channels; 0: not used yet */
} LabelTexts;

extern void label_texts_start(LabelTexts *labels, const TimelineView *view);
extern Datum label_text_make(LabelTexts *labels, uint32 number);

/* The label of this number; or, from label_count on, the channel. */
static inline Datum
label_text(LabelTexts *labels, uint32 number)
{
	Datum		text = labels->texts[number];

	return likely(text != (Datum) 0) ? text : label_text_make(labels, number);
}

#endif							/* ENGAGEMENT_TIMELINE_LABEL_TEXT_H */
