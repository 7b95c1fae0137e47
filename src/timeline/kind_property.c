/*
 * kind_property.c
 *		A property of a kind of events by its key; the key "channel" stands for the
 *		channel.
 */
#include "postgres.h"

#include "base/compat.h"
#include "timeline/kind_property.h"

/* False if events of this kind do not have it, or it is null. */
bool
kind_property(const TimelineView *view, uint32 kind, const TimelineString *key, PropertyValue *value)
{
	uint32		channel = view->kinds[kind].channel;
	uint32		properties = view->kinds[kind].properties;

	if (key->length == 7 && memcmp(key->bytes, "channel", 7) == 0)
	{
		if (channel == 0)
			return false;
		value->bytes = view->channels[channel - 1].bytes;
		value->length = (int) view->channels[channel - 1].length;
		value->is_string = true;
		value->is_escaped = false;
		return true;
	}
	if (properties == 0)
		return false;
	return property_find(view->properties[properties - 1].bytes,
						 (int) view->properties[properties - 1].length,
						 key->bytes, (int) key->length, value);
}

/* The same as plain characters; in the current memory context if they were escaped. */
bool
kind_property_string(const TimelineView *view, uint32 kind, const TimelineString *key, TimelineString *string)
{
	PropertyValue value;

	if (!kind_property(view, kind, key, &value))
		return false;
	string->bytes = value.bytes;
	string->length = (uint32) value.length;
	if (value.is_escaped)
	{
		char	   *plain = palloc(value.length);

		string->length = (uint32) property_unescape(&value, plain);
		string->bytes = plain;
	}
	return true;
}

/* As a text, in the current memory context. */
text *
property_text(const PropertyValue *value)
{
	text	   *result = palloc(VARHDRSZ + value->length);

	SET_VARSIZE(result, VARHDRSZ + property_unescape(value, VARDATA(result)));
	return result;
}
