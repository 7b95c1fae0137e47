/*
 * state_io.h
 *		What the text and binary forms of storable states have in common: counts and exact sums.
 *
 * A state_parse_ function reads JSON and says with false that there is a problem,
 * which the reader then has; a state_receive_ function reads the binary form, where a
 * problem is an error (ERRCODE_INVALID_BINARY_REPRESENTATION).
 */
#ifndef ENGAGEMENT_STATE_IO_H
#define ENGAGEMENT_STATE_IO_H

#include "postgres.h"

#include "lib/stringinfo.h"

#include "base/expanded_state.h"
#include "base/exact_sum.h"
#include "base/json_reader.h"

/* Reads what a client sent. */
typedef struct StateMessage
{
	StringInfo	in;
	const char *type;			/* name, for errors */
} StateMessage;

extern Datum state_finished(ExpandedState *state);

extern bool state_parse_sum(JsonReader *reader, ExactSum *sum, MemoryContext context);
extern bool state_parse_next_count(JsonReader *reader, int64 *count);
extern bool state_parse_next_sum(JsonReader *reader, ExactSum *sum, MemoryContext context);

extern void state_print_count(StringInfo out, int64 count);
extern void state_print_double(StringInfo out, double number);
extern void state_print_sum(StringInfo out, const ExactSum *sum);

extern void state_receive_version(StateMessage *message, int version);
extern uint32 state_receive_length(StateMessage *message, Size least_size);
extern int64 state_receive_count(StateMessage *message);
extern void state_receive_sum(StateMessage *message, ExactSum *sum, MemoryContext context);
pg_noreturn extern void state_bad_message(const StateMessage *message, const char *problem);

extern void state_send_sum(StringInfo out, const ExactSum *sum);

#endif							/* ENGAGEMENT_STATE_IO_H */
