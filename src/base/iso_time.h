/*
 * iso_time.h
 *		Times as strict ISO 8601 text in UTC, whatever DateStyle and TimeZone say.
 */
#ifndef ENGAGEMENT_ISO_TIME_H
#define ENGAGEMENT_ISO_TIME_H

#include "datatype/timestamp.h"

/* Room for the longest time, +294276-12-31T23:59:59.999999Z, and its NUL. */
#define ISO_TIME_MAX_LENGTH 32

extern int	iso_time_print(TimestampTz at, char *buf);
extern bool iso_time_parse(const char **cursor, const char *end,
						   TimestampTz *at);

#endif							/* ENGAGEMENT_ISO_TIME_H */
