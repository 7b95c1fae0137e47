/*
 * path_argument.h
 *		Reading a path, text[], and the counts that go with it from SQL arguments.
 */
#ifndef ENGAGEMENT_PATH_ARGUMENT_H
#define ENGAGEMENT_PATH_ARGUMENT_H

#include "postgres.h"

#include "fmgr.h"

#include "attribution/channel_names.h"

/* Room for the channels of a path: on the stack for most. */
#define PATH_ROOM 128

typedef struct PathArgument
{
	uint32		length;			/* touches that have a channel */
	uint32	   *channels;		/* their numbers */
	uint32		room[PATH_ROOM];
} PathArgument;

extern void path_argument(FunctionCallInfo fcinfo, int number, ChannelNames *channels, PathArgument *path);
extern int64 count_argument(FunctionCallInfo fcinfo, int number, const char *argument);
extern double value_argument(FunctionCallInfo fcinfo, int number);
extern double check_value(double value);

#endif							/* ENGAGEMENT_PATH_ARGUMENT_H */
