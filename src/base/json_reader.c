/*
 * json_reader.c
 *		Reads the JSON text of our own types.
 *
 * The members of an object may stand in any order (jsonb has an order of its own), so
 * json_members() only notes where the value of each begins; the caller reads them
 * in the order that it needs.  Skipping a value goes by its brackets and strings;
 * whether it is well-formed shows when it is read.  Nothing here recurses.
 */
#include "postgres.h"

#include <math.h>

#include "base/compat.h"
#include "base/json_reader.h"
#include "common/int.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"

static int	member_number(const char *name, size_t size, const char *const *names, int count);
static bool skip_value(JsonReader *reader);
static bool scan_string(JsonReader *reader, bool *has_escapes);
static bool decode_string(JsonReader *reader, const char *literal, size_t size, const char **bytes, uint32 *decoded_size);
static const char *end_of_number(const char *in);
static bool accept(JsonReader *reader, char wanted);
static void skip_spaces(JsonReader *reader);
static bool is_digit(char c);

/* The text ends with a NUL. It and the problems must outlive the reader. */
void
json_reader_start(JsonReader *reader, const char *text, Node *escontext)
{
	memset(reader, 0, sizeof(JsonReader));
	reader->text = text;
	reader->next = text;
	reader->escontext = escontext;
}

/*
 * Reads the object that is the whole text.  values[i] becomes the beginning of
 * the value of member names[i], or NULL if there is no such member; to read the value, set
 * 'next' there.  Unknown and repeated names are a problem.
 */
bool
json_members(JsonReader *reader, const char *const *names, const char **values, int count)
{
	memset(values, 0, count * sizeof(*values));
	if (!accept(reader, '{'))
		return json_problem(reader, "It must be an object, in braces.");
	for (bool is_first = true; !accept(reader, '}'); is_first = false)
	{
		bool		has_escapes;
		const char *name;
		int			number;

		if (!is_first && !accept(reader, ','))
			return json_problem(reader, "A comma or a brace must follow each member.");
		skip_spaces(reader);
		name = reader->next + 1;
		if (!scan_string(reader, &has_escapes))
			return false;
		number = member_number(name, reader->next - 1 - name, names, count);
		if (number < 0)
			return json_problem(reader, "There is no member of this name.");
		if (values[number] != NULL)
			return json_problem(reader, "A member is there twice.");
		if (!accept(reader, ':'))
			return json_problem(reader, "A colon must follow the name of a member.");
		values[number] = reader->next;
		if (!skip_value(reader))
			return false;
	}
	skip_spaces(reader);
	if (*reader->next != '\0')
		return json_problem(reader, "Nothing may follow the closing brace.");
	return true;
}

bool
json_begin_array(JsonReader *reader)
{
	return accept(reader, '[') || json_problem(reader, "There must be an array, in brackets.");
}

/*
 * Before element 'number' from 0 of an array: whether there is one.  False at the closing
 * bracket, which is read, and at a problem.
 */
bool
json_element(JsonReader *reader, uint64 number)
{
	if (reader->problem != NULL)
		return false;
	CHECK_FOR_INTERRUPTS();
	if (accept(reader, ']'))
		return false;
	if (number > 0 && !accept(reader, ','))
		return json_problem(reader, "A comma or a bracket must follow each element.");
	return true;
}

/* Before each but the first element of an array whose length is known. */
bool
json_next_element(JsonReader *reader)
{
	return accept(reader, ',') || json_problem(reader, "A comma and one more element must follow.");
}

/* After its last element. */
bool
json_end_array(JsonReader *reader)
{
	return accept(reader, ']') || json_problem(reader, "A bracket must follow the last element.");
}

/* A whole number from 0 that fits into 64 bits. */
bool
json_count(JsonReader *reader, int64 *count)
{
	const char *in;
	const char *end;

	skip_spaces(reader);
	in = reader->next;
	end = end_of_number(in);
	if (end == NULL || *in == '-')
		return json_problem(reader, "There must be a whole number from 0.");
	for (*count = 0; in < end; in++)
	{
		if (!is_digit(*in))
			return json_problem(reader, "There must be a whole number from 0.");
		if (pg_mul_s64_overflow(*count, 10, count) || pg_add_s64_overflow(*count, *in - '0', count))
			return json_problem(reader, "A number is more than 64 bits can count.");
	}
	reader->next = end;
	return true;
}

/* A number, rounded to the nearest double; never -0. */
bool
json_double(JsonReader *reader, double *number)
{
	const char *end;
	char	   *converted;

	skip_spaces(reader);
	end = end_of_number(reader->next);
	if (end == NULL)
		return json_problem(reader, "There must be a number.");
	errno = 0;
	*number = strtod(reader->next, &converted) + 0.0;
	/* strtod takes hexadecimal numbers too */
	if (converted != end)
		return json_problem(reader, "There must be a number.");
	/* The smallest numbers set ERANGE too, though they are exact. */
	if (isinf(*number) || (errno == ERANGE && *number == 0))
		return json_problem(reader, "A number is out of the range of double precision.");
	reader->next = end;
	return true;
}

/* The bytes are in the text itself or palloc'd, and do not end with a NUL. */
bool
json_string(JsonReader *reader, const char **bytes, uint32 *size)
{
	const char *begin;
	bool		has_escapes;

	skip_spaces(reader);
	begin = reader->next;
	if (!scan_string(reader, &has_escapes))
		return false;
	if (has_escapes)
		return decode_string(reader, begin, reader->next - begin, bytes, size);
	*bytes = begin + 1;
	*size = (uint32) (reader->next - begin - 2);
	return true;
}

/* Whether an array comes next, of which nothing is read. */
bool
json_is_array(JsonReader *reader)
{
	skip_spaces(reader);
	return *reader->next == '[';
}

/* Notes a problem where the reader stands, unless there is one; always false. */
bool
json_problem(JsonReader *reader, const char *problem)
{
	if (reader->problem == NULL)
		reader->problem = problem;
	return false;
}

/*
 * Reports the problem as that of the input function of a type; the error is soft where
 * the server has soft errors.
 */
void
json_report(const JsonReader *reader, const char *type, const char *example)
{
	if (reader->is_reported)
		return;
	ereturn(reader->escontext,,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type %s", type),
			 errdetail("%s It is read up to byte %zu.", reader->problem, (size_t) (reader->next - reader->text)),
			 errhint("An example of what can be read: %s", example)));
}

static int
member_number(const char *name, size_t size, const char *const *names, int count)
{
	for (int i = 0; i < count; i++)
	{
		if (strlen(names[i]) == size && memcmp(names[i], name, size) == 0)
			return i;
	}
	return -1;
}

/* Over a value, to the comma or bracket that follows it if it is well-formed. */
static bool
skip_value(JsonReader *reader)
{
	uint64		depth = 0;
	bool		has_escapes;

	for (;; reader->next++)
	{
		switch (*reader->next)
		{
			case '\0':
				return json_problem(reader, "It ends too early.");
			case '"':
				if (!scan_string(reader, &has_escapes))
					return false;
				reader->next--;
				break;
			case '[':
			case '{':
				CHECK_FOR_INTERRUPTS();
				depth++;
				break;
			case ']':
			case '}':
				if (depth == 0)
					return true;
				depth--;
				break;
			case ',':
				if (depth == 0)
					return true;
				break;
		}
	}
}

/* Over a string with its quotes. */
static bool
scan_string(JsonReader *reader, bool *has_escapes)
{
	const char *in = reader->next;

	*has_escapes = false;
	if (*in != '"')
		return json_problem(reader, "There must be a string, in double quotes.");
	for (in++; *in != '"'; in++)
	{
		if (*in == '\\')
		{
			*has_escapes = true;
			in++;
		}
		if ((unsigned char) *in < ' ')
		{
			reader->next = in;
			return json_problem(reader, "A string does not end, or a control character in it is not escaped.");
		}
	}
	reader->next = in + 1;
	return true;
}

/* Escapes are jsonb's business, as they depend on the encoding of the database. */
static bool
decode_string(JsonReader *reader, const char *literal, size_t size, const char **bytes, uint32 *decoded_size)
{
	Datum		jsonb;
	JsonbValue	value;

	if (!call_input_safely(jsonb_in, pnstrdup(literal, size), reader->escontext, &jsonb))
	{
		reader->is_reported = true;
		return json_problem(reader, "A string has a wrong escape.");
	}
	if (!JsonbExtractScalar(&DatumGetJsonbP(jsonb)->root, &value) || value.type != jbvString)
		return json_problem(reader, "There must be a string, in double quotes.");
	*bytes = value.val.string.val;
	*decoded_size = (uint32) value.val.string.len;
	return true;
}

/* Of a number as JSON has them; NULL if there is none. */
static const char *
end_of_number(const char *in)
{
	if (*in == '-')
		in++;
	if (!is_digit(*in))
		return NULL;
	if (*in == '0')
		in++;
	else
	{
		while (is_digit(*in))
			in++;
	}
	if (*in == '.')
	{
		if (!is_digit(*++in))
			return NULL;
		while (is_digit(*in))
			in++;
	}
	if (*in == 'e' || *in == 'E')
	{
		in++;
		if (*in == '+' || *in == '-')
			in++;
		if (!is_digit(*in))
			return NULL;
		while (is_digit(*in))
			in++;
	}
	return in;
}

/* Reads a character after spaces, if it comes next. */
static bool
accept(JsonReader *reader, char wanted)
{
	skip_spaces(reader);
	if (*reader->next != wanted)
		return false;
	reader->next++;
	return true;
}

static void
skip_spaces(JsonReader *reader)
{
	while (*reader->next == ' ' || *reader->next == '\t' || *reader->next == '\n' || *reader->next == '\r')
		reader->next++;
}

/* Not isdigit: that depends on the locale. */
static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}
