/*
 * json_reader.h
 *		Reads the JSON text of our own types in one pass, without making a jsonb of it.
 *
 * A jsonb array holds at most 256 MB, so a large state that was dumped as text could
 * not be restored through jsonb; and the text of a state is mostly small numbers,
 * which a jsonb would make numerics of.
 *
 * A function that finds a fault notes it in the reader and returns false; what
 * follows then need not be called.  Elements of an array are visited so:
 *
 *		for (n = 0; json_element(&reader, n); n++)
 *			if (!json_count(&reader, &number))
 *				break;
 *		if (reader.problem != NULL)
 *			return false;
 */
#ifndef ENGAGEMENT_JSON_READER_H
#define ENGAGEMENT_JSON_READER_H

#include "postgres.h"

#include "nodes/nodes.h"

typedef struct JsonReader
{
	const char *text;
	const char *next;			/* what has not been read */
	const char *problem;		/* a sentence; NULL while there is none */
	bool		is_reported;	/* the problem is in the error context already */
	Node	   *escontext;		/* of the input function */
} JsonReader;

extern void json_reader_start(JsonReader *reader, const char *text, Node *escontext);
extern bool json_members(JsonReader *reader, const char *const *names, const char **values, int count);
extern bool json_begin_array(JsonReader *reader);
extern bool json_element(JsonReader *reader, uint64 number);
extern bool json_next_element(JsonReader *reader);
extern bool json_end_array(JsonReader *reader);
extern bool json_count(JsonReader *reader, int64 *count);
extern bool json_double(JsonReader *reader, double *number);
extern bool json_string(JsonReader *reader, const char **bytes, uint32 *size);
extern bool json_is_array(JsonReader *reader);
extern bool json_problem(JsonReader *reader, const char *problem);
extern void json_report(const JsonReader *reader, const char *type, const char *example);

#endif							/* ENGAGEMENT_JSON_READER_H */
