/*
 * properties.h
 *		Looking into an event's properties.
 *
 * Properties are kept as the text that jsonb prints, which is canonical: keys
 * are unique, one space follows a colon or comma, and strings are escaped in
 * one way only.  That makes a key cheap to find without parsing the rest, and
 * safe to look for in bytes that may be corrupt.
 */
#ifndef ENGAGEMENT_PROPERTIES_H
#define ENGAGEMENT_PROPERTIES_H

#include "postgres.h"

/* A property's value: for a string, what stands between its quotes, still escaped. */
typedef struct PropertyValue
{
	const char *bytes;
	int			length;
	bool		is_string;
	bool		is_escaped;		/* a string with a backslash in it */
} PropertyValue;

extern bool property_find(const char *json, int length, const char *key, int key_length,
						  PropertyValue *value);
extern int	property_unescape(const PropertyValue *value, char *result);

#endif							/* ENGAGEMENT_PROPERTIES_H */
