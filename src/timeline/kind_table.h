/*
 * kind_table.h
 *		The kinds of events that builders have met.
 */
#ifndef ENGAGEMENT_TIMELINE_KIND_TABLE_H
#define ENGAGEMENT_TIMELINE_KIND_TABLE_H

#include "postgres.h"

#include "timeline/codec.h"

typedef struct KindTable KindTable;

/* How an event's properties come: as the text that jsonb prints, or jsonb's own bytes. */
typedef enum PropertiesForm
{
	PROPERTIES_TEXT,
	PROPERTIES_JSONB
} PropertiesForm;

/* A kind by its strings; bytes == NULL stands for NULL. */
typedef struct KindContent
{
	TimelineString event;
	TimelineString channel;
	TimelineString properties;
	PropertiesForm form;
	bool		has_value;
} KindContent;

extern KindTable *kind_table_create(MemoryContext context);
extern KindTable *kind_table_shared(MemoryContext context);
extern uint32 kind_table_number(KindTable *table, const KindContent *content);
extern uint32 kind_table_count(const KindTable *table);
extern const KindContent *kind_table_content(const KindTable *table, uint32 number);
extern const TimelineDictionary *kind_table_dictionary(KindTable *table, const uint32 **places);

#endif							/* ENGAGEMENT_TIMELINE_KIND_TABLE_H */
