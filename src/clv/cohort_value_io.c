/*
 * cohort_value_io.c
 *		Text and binary form of cohort_value.
 *
 * The text has for each period, period 0 first, how many customers it is complete for,
 * how many of them are active, and the sum of their values as state_io.h has sums:
 * {"periods": [[200, 200, 9980.5], [190, 41, 1020]]}.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "libpq/pqformat.h"

#include "base/compat.h"
#include "base/state_io.h"
#include "clv/cohort_value.h"

PG_FUNCTION_INFO_V1(cohort_value_in);
PG_FUNCTION_INFO_V1(cohort_value_out);
PG_FUNCTION_INFO_V1(cohort_value_recv);
PG_FUNCTION_INFO_V1(cohort_value_send);

#define WIRE_VERSION 1

/* Two counts and the number of a sum's parts. */
#define LEAST_PERIOD_SIZE 17

/* What has been read so far. */
typedef struct PeriodList
{
	int			count;
	int			room;
	CohortCount *counts;
	ExactSum   *sums;
} PeriodList;

static bool parse_periods(JsonReader *reader, PeriodList *list);
static bool parse_period(JsonReader *reader, PeriodList *list);
static int	next_period(PeriodList *list);
static CohortValue *form_value(const PeriodList *list);

Datum
cohort_value_in(PG_FUNCTION_ARGS)
{
	PeriodList	list = {0};
	JsonReader	reader;

	json_reader_start(&reader, PG_GETARG_CSTRING(0), fcinfo->context);
	if (!parse_periods(&reader, &list))
	{
		json_report(&reader, "cohort_value", "{\"periods\": [[200, 200, 9980.5], [190, 41, 1020]]}");
		PG_RETURN_NULL();
	}
	PG_RETURN_POINTER(form_value(&list));
}

Datum
cohort_value_out(PG_FUNCTION_ARGS)
{
	const CohortValue *value = PG_GETARG_COHORT_VALUE_P(0);
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < value->length; i++)
	{
		ExactSum	sum;

		appendStringInfoString(&out, i == 0 ? "{\"periods\": [[" : ", [");
		state_print_count(&out, value->counts[i].customers);
		appendStringInfoString(&out, ", ");
		state_print_count(&out, value->counts[i].active);
		appendStringInfoString(&out, ", ");
		cohort_value_get_sum(value, i, &sum);
		state_print_sum(&out, &sum);
		appendStringInfoChar(&out, ']');
	}
	appendStringInfoString(&out, "]}");
	PG_RETURN_CSTRING(out.data);
}

Datum
cohort_value_recv(PG_FUNCTION_ARGS)
{
	StateMessage message = {(StringInfo) PG_GETARG_POINTER(0), "cohort_value"};
	PeriodList	list = {0};
	uint32		length;

	state_receive_version(&message, WIRE_VERSION);
	length = state_receive_length(&message, LEAST_PERIOD_SIZE);
	if (length < 1 || length > COHORT_MAX_PERIODS + 1)
		state_bad_message(&message, psprintf("There must be from 1 to %d periods.", COHORT_MAX_PERIODS + 1));
	for (uint32 i = 0; i < length; i++)
	{
		int			period = next_period(&list);

		list.counts[period].customers = state_receive_count(&message);
		list.counts[period].active = state_receive_count(&message);
		if (list.counts[period].active > list.counts[period].customers)
			state_bad_message(&message, "No more can be active than there are customers.");
		state_receive_sum(&message, &list.sums[period], CurrentMemoryContext);
	}
	PG_RETURN_POINTER(form_value(&list));
}

Datum
cohort_value_send(PG_FUNCTION_ARGS)
{
	const CohortValue *value = PG_GETARG_COHORT_VALUE_P(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, WIRE_VERSION);
	pq_sendint32(&buf, value->length);
	for (int i = 0; i < value->length; i++)
	{
		ExactSum	sum;

		pq_sendint64(&buf, value->counts[i].customers);
		pq_sendint64(&buf, value->counts[i].active);
		cohort_value_get_sum(value, i, &sum);
		state_send_sum(&buf, &sum);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* The whole text; false with a problem in the reader. */
static bool
parse_periods(JsonReader *reader, PeriodList *list)
{
	static const char *const names[] = {"periods"};
	const char *values[1];

	if (!json_members(reader, names, values, 1))
		return false;
	if (values[0] == NULL)
		return json_problem(reader, "There must be a member \"periods\".");
	reader->next = values[0];
	if (!json_begin_array(reader))
		return false;
	for (uint64 n = 0; json_element(reader, n); n++)
	{
		if (!parse_period(reader, list))
			return false;
	}
	if (reader->problem == NULL && list->count == 0)
		return json_problem(reader, "There must be a period.");
	return reader->problem == NULL;
}

static bool
parse_period(JsonReader *reader, PeriodList *list)
{
	int			period;

	if (list->count > COHORT_MAX_PERIODS)
		return json_problem(reader, "There are more periods than 0 to 10,000.");
	period = next_period(list);
	if (!json_begin_array(reader) ||
		!json_count(reader, &list->counts[period].customers) ||
		!state_parse_next_count(reader, &list->counts[period].active))
		return false;
	if (list->counts[period].active > list->counts[period].customers)
		return json_problem(reader, "No more can be active than there are customers.");
	return state_parse_next_sum(reader, &list->sums[period], CurrentMemoryContext) && json_end_array(reader);
}

/* The number of one period more, of zeros. */
static int
next_period(PeriodList *list)
{
	if (list->count == list->room)
	{
		int			room = list->room == 0 ? 16 : 2 * list->room;
		CohortCount *counts = palloc0(room * sizeof(CohortCount));
		ExactSum   *sums = palloc0(room * sizeof(ExactSum));

		if (list->count > 0)
		{
			memcpy(counts, list->counts, list->count * sizeof(CohortCount));
			memcpy(sums, list->sums, list->count * sizeof(ExactSum));
		}
		list->room = room;
		list->counts = counts;
		list->sums = sums;
	}
	return list->count++;
}

static CohortValue *
form_value(const PeriodList *list)
{
	CohortValue *value = cohort_value_create(list->count, 1);

	memcpy(value->counts, list->counts, list->count * sizeof(CohortCount));
	for (int i = 0; i < list->count; i++)
		value = cohort_value_put_sum(value, i, &list->sums[i]);
	return value;
}
