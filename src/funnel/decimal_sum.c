/*
 * decimal_sum.c
 *		Exact sums of money and other decimals that come as doubles.
 *
 * A double stands for the shortest decimal that reads back as it: 0.1 is meant,
 * not the binary fraction closest to it.  Sums of decimals are decimals, so
 * nothing is rounded and the order does not matter.  Hundredths, as money mostly
 * is, add up as integers; what is finer or larger adds up as numeric.
 */
#include "postgres.h"

#include <math.h>

#include "common/int.h"
#include "common/shortest_dec.h"
#include "utils/fmgrprotos.h"

#include "funnel/decimal_sum.h"

/* Decimals of up to 15 digits are the shortest of their doubles. */
#define MAX_HUNDREDTHS 1e15

static Numeric decimal_of(double value);
static Numeric add_numeric(Numeric a, Numeric b);

/* Adds a finite number; what is kept of it is in the current memory context. */
void
decimal_sum_add(DecimalSum *sum, double value)
{
	double		hundredths = rint(value * 100.0);
	int64		total;
	Numeric		decimal;

	sum->is_set = true;
	if (fabs(hundredths) < MAX_HUNDREDTHS && hundredths / 100.0 == value &&
		!pg_add_s64_overflow(sum->hundredths, (int64) hundredths, &total))
	{
		sum->hundredths = total;
		return;
	}
	decimal = decimal_of(value);
	if (sum->rest != NULL)
	{
		Numeric		addend = decimal;

		decimal = add_numeric(sum->rest, addend);
		pfree(addend);
		pfree(sum->rest);
	}
	sum->rest = decimal;
}

/* The sum, with two decimal places or as many more as it takes. */
Numeric
decimal_sum_total(const DecimalSum *sum)
{
	Numeric		total = int64_div_fast_to_numeric(sum->hundredths, 2);

	return sum->rest == NULL ? total : add_numeric(total, sum->rest);
}

static Numeric
decimal_of(double value)
{
	char		text[DOUBLE_SHORTEST_DECIMAL_LEN];

	(void) double_to_shortest_decimal_buf(value, text);
	return DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(text),
											   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

static Numeric
add_numeric(Numeric a, Numeric b)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_add, NumericGetDatum(a), NumericGetDatum(b)));
}
