/*
 * label_text.c
 *		Labels and channels of a timeline as text, each made at its first use.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "timeline/label_text.h"

/*
 * The texts will be in the current memory context, and are valid as long as it
 * and the view are.
 */
void
label_texts_start(LabelTexts *labels, const TimelineView *view)
{
	labels->view = view;
	labels->context = CurrentMemoryContext;
	labels->texts = palloc_extended(sizeof(Datum) * ((Size) view->label_count + view->channel_count + 1),
									MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* What label_text() does at the first use of a number. */
Datum
label_text_make(LabelTexts *labels, uint32 number)
{
	/* channels follow the labels in the view's array too */
	const TimelineString *string = &labels->view->labels[number];
	MemoryContext caller = MemoryContextSwitchTo(labels->context);

	labels->texts[number] = PointerGetDatum(cstring_to_text_with_len(string->bytes, (int) string->length));
	MemoryContextSwitchTo(caller);
	return labels->texts[number];
}
