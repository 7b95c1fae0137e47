/*
 * iso_time.c
 *		Times as strict ISO 8601 text in UTC.
 *
 * Text input and output of our types is IMMUTABLE and must round-trip, so it
 * cannot use timestamptz_out: that depends on DateStyle and TimeZone.
 *
 * Years 0000 to 9999 have four digits.  Others are ISO 8601's expanded years:
 * a sign, then at least four digits (-4713-11-24T00:00:00Z,
 * +294276-12-31T23:59:59.999999Z).  Years are numbered astronomically: 0000
 * is 1 BC and -4712 is 4713 BC.
 */
#include "postgres.h"

#include "base/iso_time.h"
#include "common/int.h"
#include "utils/datetime.h"

/* PostgreSQL's own limit for a zone's displacement is the same. */
#define MAX_OFFSET_HOUR 15

static char *print_year(char *out, int year);
static char *print_fraction(char *out, int microseconds);
static char *print_two_digits(char *out, unsigned int number);
static char *print_four_digits(char *out, unsigned int number);
static bool parse_date(const char **cursor, const char *end, int *julian_day);
static bool parse_year(const char **cursor, const char *end, int *year);
static bool parse_time_of_day(const char **cursor, const char *end,
							  int64 *microseconds);
static bool parse_fraction(const char **cursor, const char *end,
						   int *microseconds);
static bool parse_offset(const char **cursor, const char *end,
						 int64 *microseconds);
static bool parse_two_digits(const char **cursor, const char *end, int *number);
static bool parse_character(const char **cursor, const char *end, char wanted);
static bool is_digit(char c);

/*
 * Write 'at', which must be finite and valid, to buf with a NUL; return the
 * length without it.  buf has ISO_TIME_MAX_LENGTH bytes.
 */
int
iso_time_print(TimestampTz at, char *buf)
{
	int64		day = at / USECS_PER_DAY;
	int64		rest = at % USECS_PER_DAY;
	unsigned int seconds;
	int			year;
	int			month;
	int			day_of_month;
	char	   *out = buf;

	Assert(!TIMESTAMP_NOT_FINITE(at) && IS_VALID_TIMESTAMP(at));

	if (rest < 0)
	{
		day--;
		rest += USECS_PER_DAY;
	}
	j2date((int) day + POSTGRES_EPOCH_JDATE, &year, &month, &day_of_month);
	seconds = (unsigned int) (rest / USECS_PER_SEC);

	out = print_year(out, year);
	*out++ = '-';
	out = print_two_digits(out, month);
	*out++ = '-';
	out = print_two_digits(out, day_of_month);
	*out++ = 'T';
	out = print_two_digits(out, seconds / SECS_PER_HOUR);
	*out++ = ':';
	out = print_two_digits(out, seconds / SECS_PER_MINUTE % MINS_PER_HOUR);
	*out++ = ':';
	out = print_two_digits(out, seconds % SECS_PER_MINUTE);
	out = print_fraction(out, (int) (rest % USECS_PER_SEC));
	*out++ = 'Z';
	*out = '\0';
	return out - buf;
}

static char *
print_year(char *out, int year)
{
	unsigned int digits = abs(year);

	if (year < 0)
		*out++ = '-';
	else if (year > 9999)
		*out++ = '+';

	if (digits >= 100000)
		out = print_two_digits(out, digits / 10000);
	else if (digits >= 10000)
		*out++ = '0' + digits / 10000;
	return print_four_digits(out, digits % 10000);
}

/* A fraction of a second without trailing zeros; nothing for a full second. */
static char *
print_fraction(char *out, int microseconds)
{
	if (microseconds == 0)
		return out;

	*out++ = '.';
	out = print_two_digits(out, microseconds / 10000);
	out = print_four_digits(out, microseconds % 10000);
	while (out[-1] == '0')
		out--;
	return out;
}

static char *
print_four_digits(char *out, unsigned int number)
{
	out = print_two_digits(out, number / 100);
	return print_two_digits(out, number % 100);
}

static char *
print_two_digits(char *out, unsigned int number)
{
	out[0] = '0' + number / 10;
	out[1] = '0' + number % 10;
	return out + 2;
}

/*
 * Parse a time at *cursor, reading nothing at or past 'end'.  On success move
 * *cursor past it; on failure leave *cursor and *at alone.
 *
 * Accepted is a date, T, hh:mm:ss, one to six decimals or none, and Z or an
 * offset as +hh:mm or -hh:mm.  24:00 and leap seconds are refused, since
 * they'd give one time a second spelling.
 */
bool
iso_time_parse(const char **cursor, const char *end, TimestampTz *at)
{
	const char *in = *cursor;
	int			julian_day;
	int64		time_of_day;
	int64		offset;
	TimestampTz result;

	if (!parse_date(&in, end, &julian_day) ||
		!parse_character(&in, end, 'T') ||
		!parse_time_of_day(&in, end, &time_of_day) ||
		!parse_offset(&in, end, &offset))
		return false;

	/* parse_year keeps the day within a year of the valid times. */
	if (pg_mul_s64_overflow((int64) julian_day - POSTGRES_EPOCH_JDATE,
							USECS_PER_DAY, &result) ||
		pg_add_s64_overflow(result, time_of_day - offset, &result) ||
		!IS_VALID_TIMESTAMP(result))
		return false;

	*at = result;
	*cursor = in;
	return true;
}

static bool
parse_date(const char **cursor, const char *end, int *julian_day)
{
	int			year;
	int			month;
	int			day;

	if (!parse_year(cursor, end, &year) ||
		!parse_character(cursor, end, '-') ||
		!parse_two_digits(cursor, end, &month) ||
		!parse_character(cursor, end, '-') ||
		!parse_two_digits(cursor, end, &day))
		return false;

	if (month < 1 || month > MONTHS_PER_YEAR ||
		day < 1 || day > day_tab[isleap(year)][month - 1])
		return false;

	*julian_day = date2j(year, month, day);
	return true;
}

static bool
parse_year(const char **cursor, const char *end, int *year)
{
	const char *in = *cursor;
	const char *digits;
	char		sign = '\0';
	int			number = 0;

	if (in < end && (*in == '+' || *in == '-'))
		sign = *in++;

	for (digits = in; in < end && is_digit(*in) && in - digits < 7; in++)
		number = number * 10 + (*in - '0');
	if (in - digits < 4 || in - digits > (sign ? 6 : 4))
		return false;

	if (sign == '-')
	{
		/* ISO 8601 has no year minus zero. */
		if (number == 0)
			return false;
		number = -number;
	}

	/* date2j needs a year after -4800, and no valid time is before. */
	if (number < JULIAN_MINYEAR || number > 294277)
		return false;

	*year = number;
	*cursor = in;
	return true;
}

static bool
parse_time_of_day(const char **cursor, const char *end, int64 *microseconds)
{
	int			hour;
	int			minute;
	int			second;
	int			fraction;

	if (!parse_two_digits(cursor, end, &hour) ||
		!parse_character(cursor, end, ':') ||
		!parse_two_digits(cursor, end, &minute) ||
		!parse_character(cursor, end, ':') ||
		!parse_two_digits(cursor, end, &second) ||
		!parse_fraction(cursor, end, &fraction))
		return false;

	if (hour >= HOURS_PER_DAY || minute >= MINS_PER_HOUR ||
		second >= SECS_PER_MINUTE)
		return false;

	*microseconds = fraction +
		USECS_PER_SEC * (int64) ((hour * MINS_PER_HOUR + minute) *
								 SECS_PER_MINUTE + second);
	return true;
}

static bool
parse_fraction(const char **cursor, const char *end, int *microseconds)
{
	const char *in;
	int			number = 0;
	int			scale = 1000000;

	*microseconds = 0;
	if (!parse_character(cursor, end, '.'))
		return true;

	for (in = *cursor; in < end && is_digit(*in); in++)
	{
		/* A seventh decimal can't be kept, and dropping it would not be exact. */
		if (scale == 1)
			return false;
		number = number * 10 + (*in - '0');
		scale /= 10;
	}
	if (in == *cursor)
		return false;

	*microseconds = number * scale;
	*cursor = in;
	return true;
}

static bool
parse_offset(const char **cursor, const char *end, int64 *microseconds)
{
	int			sign;
	int			hour;
	int			minute;

	if (parse_character(cursor, end, 'Z'))
	{
		*microseconds = 0;
		return true;
	}

	if (parse_character(cursor, end, '+'))
		sign = 1;
	else if (parse_character(cursor, end, '-'))
		sign = -1;
	else
		return false;

	if (!parse_two_digits(cursor, end, &hour) ||
		!parse_character(cursor, end, ':') ||
		!parse_two_digits(cursor, end, &minute) ||
		hour > MAX_OFFSET_HOUR || minute >= MINS_PER_HOUR)
		return false;

	*microseconds = sign * (hour * USECS_PER_HOUR + minute * USECS_PER_MINUTE);
	return true;
}

static bool
parse_two_digits(const char **cursor, const char *end, int *number)
{
	const char *in = *cursor;

	if (end - in < 2 || !is_digit(in[0]) || !is_digit(in[1]))
		return false;

	*number = (in[0] - '0') * 10 + (in[1] - '0');
	*cursor = in + 2;
	return true;
}

static bool
parse_character(const char **cursor, const char *end, char wanted)
{
	if (*cursor >= end || **cursor != wanted)
		return false;

	(*cursor)++;
	return true;
}

/* Not isdigit: that depends on the locale. */
static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}
