/*
 * properties.c
 *		Finding a key in the canonical text of a jsonb object.
 */
#include "postgres.h"

#include "base/properties.h"

static const char *skip_string(const char *p, const char *end, bool *is_escaped);
static const char *skip_value(const char *p, const char *end);
static bool string_equals(const char *raw, int raw_length, bool is_escaped,
						  const char *key, int key_length);
static int	unescape(const char *raw, int raw_length, char *result);

/*
 * Finds a top-level key, as the operator ->> does.  False if the text is not an
 * object, has no such key, or has JSON null there.  The value points into json.
 */
bool
property_find(const char *json, int length, const char *key, int key_length,
			  PropertyValue *value)
{
	const char *end = json + length;
	const char *p = json;

	if (p == end || *p++ != '{')
		return false;
	while (p < end && *p == '"')
	{
		const char *name = p + 1;
		const char *name_end;
		const char *value_end;
		bool		is_escaped;
		bool		is_wanted;

		name_end = skip_string(p, end, &is_escaped);
		if (name_end == NULL || end - name_end < 2 || name_end[0] != ':' || name_end[1] != ' ')
			return false;
		is_wanted = string_equals(name, (int) (name_end - 1 - name), is_escaped, key, key_length);

		p = name_end + 2;
		value_end = skip_value(p, end);
		if (value_end == NULL || value_end == p)
			return false;
		if (is_wanted)
		{
			value->is_string = *p == '"';
			value->is_escaped = false;
			if (value->is_string)
			{
				(void) skip_string(p, end, &value->is_escaped);
				p++;
				value_end--;
			}
			value->bytes = p;
			value->length = (int) (value_end - p);
			return value->is_string || value->length != 4 || memcmp(p, "null", 4) != 0;
		}
		p = value_end;
		if (end - p >= 2 && p[0] == ',' && p[1] == ' ')
			p += 2;
	}
	return false;
}

/*
 * Writes the value as ->> shows it into result, which has room for
 * value->length bytes, and returns how many it wrote.
 */
int
property_unescape(const PropertyValue *value, char *result)
{
	if (value->is_escaped)
		return unescape(value->bytes, value->length, result);
	memcpy(result, value->bytes, value->length);
	return value->length;
}

/* From an opening quote to behind the closing one; NULL if there is none. */
static const char *
skip_string(const char *p, const char *end, bool *is_escaped)
{
	*is_escaped = false;
	for (p++; p < end; p++)
	{
		if (*p == '"')
			return p + 1;
		if (*p == '\\')
		{
			*is_escaped = true;
			p++;
		}
	}
	return NULL;
}

/* To the comma or brace that ends a value; NULL if the text ends before. */
static const char *
skip_value(const char *p, const char *end)
{
	int			depth = 0;
	bool		ignored;

	while (p < end)
	{
		if (*p == '"')
		{
			p = skip_string(p, end, &ignored);
			if (p == NULL)
				return NULL;
			continue;
		}
		if (depth == 0 && (*p == ',' || *p == '}'))
			return p;
		if (*p == '{' || *p == '[')
			depth++;
		else if (*p == '}' || *p == ']')
			depth--;
		p++;
	}
	return NULL;
}

static bool
string_equals(const char *raw, int raw_length, bool is_escaped,
			  const char *key, int key_length)
{
	char	   *plain;
	int			length;
	bool		result;

	if (!is_escaped)
		return raw_length == key_length && memcmp(raw, key, key_length) == 0;
	if (raw_length < key_length)
		return false;
	plain = palloc(raw_length);
	length = unescape(raw, raw_length, plain);
	result = length == key_length && memcmp(plain, key, key_length) == 0;
	pfree(plain);
	return result;
}

/* Undoes the escapes that jsonb's output makes; anything else is left as it is. */
static int
unescape(const char *raw, int raw_length, char *result)
{
	const char *end = raw + raw_length;
	char	   *out = result;

	while (raw < end)
	{
		if (*raw != '\\' || end - raw < 2)
		{
			*out++ = *raw++;
			continue;
		}
		switch (raw[1])
		{
			case 'b':
				*out++ = '\b';
				break;
			case 'f':
				*out++ = '\f';
				break;
			case 'n':
				*out++ = '\n';
				break;
			case 'r':
				*out++ = '\r';
				break;
			case 't':
				*out++ = '\t';
				break;
			case 'u':
				{
					unsigned int code = 0;
					int			i;

					/* jsonb prints control characters so, which are below 0x20 */
					for (i = 2; i < 6 && raw + i < end; i++)
					{
						char		c = raw[i];

						code = code * 16 + (c >= '0' && c <= '9' ? c - '0' :
											c >= 'a' && c <= 'f' ? c - 'a' + 10 : 0);
					}
					*out++ = (char) (code & 0x7f);
					raw += Min(6, end - raw) - 2;
					break;
				}
			default:
				*out++ = raw[1];
		}
		raw += 2;
	}
	return (int) (out - result);
}
