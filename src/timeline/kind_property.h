/*
 * kind_property.h
 *		A property of a kind of events by its key; the key "channel" stands for the
 *		channel.
 */
#ifndef ENGAGEMENT_TIMELINE_KIND_PROPERTY_H
#define ENGAGEMENT_TIMELINE_KIND_PROPERTY_H

#include "postgres.h"

#include "base/properties.h"
#include "timeline/codec.h"

extern bool kind_property(const TimelineView *view, uint32 kind, const TimelineString *key, PropertyValue *value);
extern bool kind_property_string(const TimelineView *view, uint32 kind, const TimelineString *key, TimelineString *string);
extern text *property_text(const PropertyValue *value);

#endif							/* ENGAGEMENT_TIMELINE_KIND_PROPERTY_H */
