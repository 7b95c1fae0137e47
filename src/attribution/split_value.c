/*
 * split_value.c
 *		split_value(value, shares): money in parts that add up to it, by the largest
 *		remainder.
 *
 * All is exact: the value is an integer of units of its last digit, the shares,
 * which are doubles, are integers of units of the smallest power of two in any of
 * them.  Each part is the value times its share by the total of the shares, rounded
 * down; the units left go to the largest remainders of these divisions, of
 * equal ones to the first.
 *
 * Where the products fit into 128 bits, as for money and for shares that differ by
 * less than a factor of some billions, the division is done there; else by numeric.
 *
 * Per call: the parts.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "catalog/pg_type_d.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "attribution/path_array.h"

PG_FUNCTION_INFO_V1(split_value);

/* Digits after the point that can be asked for. */
#define MAX_DIGITS 1000

/* Numbers of so many decimal digits fit into int64. */
#define SMALL_DIGITS 18

/* A share is mantissa * 2^exponent, the mantissa odd or 0. */
typedef struct Share
{
	uint64		mantissa;
	int			exponent;
} Share;

typedef struct Shares
{
	int			count;
	Share	   *shares;
	int			min_exponent;	/* of those greater than 0, */
	int			bits;			/* and an upper bound for the bits of their sum / 2^min_exponent */
} Shares;

/* An amount: digits * 10^-scale. */
typedef struct Amount
{
	bool		is_negative;
	char	   *digits;			/* without leading zeros */
	int			digit_count;
	int			scale;
} Amount;

static Amount amount_argument(Numeric value, bool has_digits, int32 digits);
static Numeric round_to(Numeric value, int32 digits);
static Shares read_shares(ArrayType *array);
static Share share_of(double value);
static bool split_small(const Amount *amount, const Shares *shares, Datum *parts);
static void split_large(const Amount *amount, const Shares *shares, Datum *parts);
static Numeric share_in_units(const Share *share, int min_exponent);
static int *order_of_remainders(int count, qsort_arg_comparator compare, void *remainders);
static int	compare_small(const void *a, const void *b, void *remainders);
static int	compare_large(const void *a, const void *b, void *remainders);
static Numeric read_numeric(const char *text);
static Numeric call_numeric(PGFunction function, Numeric a, Numeric b);

/* (value, shares, digits) */
Datum
split_value(PG_FUNCTION_ARGS)
{
	Amount		amount;
	Shares		shares;
	Datum	   *parts;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	amount = amount_argument(PG_GETARG_NUMERIC(0), !PG_ARGISNULL(2), PG_ARGISNULL(2) ? 0 : PG_GETARG_INT32(2));
	shares = read_shares(PG_GETARG_ARRAYTYPE_P(1));
	parts = palloc_extended(sizeof(Datum) * shares.count, MCXT_ALLOC_HUGE);
	if (!split_small(&amount, &shares, parts))
		split_large(&amount, &shares, parts);
	PG_RETURN_ARRAYTYPE_P(construct_array(parts, shares.count, NUMERICOID, -1, false, TYPALIGN_INT));
}

static Amount
amount_argument(Numeric value, bool has_digits, int32 digits)
{
	Amount		amount;
	char	   *text;
	char	   *point;

	if (numeric_is_nan(value) || numeric_is_inf(value))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("argument \"value\" must be finite, not %s",
						DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value))))));
	if (has_digits)
		value = round_to(value, digits);

	text = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value)));
	amount.is_negative = text[0] == '-';
	text += amount.is_negative;
	point = strchr(text, '.');
	amount.scale = point == NULL ? 0 : (int) strlen(point + 1);
	if (point != NULL)
		memmove(point, point + 1, amount.scale + 1);
	while (*text == '0')
		text++;
	amount.digits = text;
	amount.digit_count = (int) strlen(text);
	return amount;
}

/* The value, written with this many digits after the point, which must be enough for it. */
static Numeric
round_to(Numeric value, int32 digits)
{
	if (digits < 0 || digits > MAX_DIGITS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"digits\" must be from 0 to %d, not %d", MAX_DIGITS, digits)));
	if (DatumGetInt32(DirectFunctionCall1(numeric_min_scale, NumericGetDatum(value))) > digits)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value %s has more than %d digits after the point",
						DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value))), digits),
				 errdetail("Parts with that many digits cannot add up to it."),
				 errhint("Round the value first, or give argument \"digits\" a greater number.")));
	return DatumGetNumeric(DirectFunctionCall2(numeric_round, NumericGetDatum(value), Int32GetDatum(digits)));
}

static Shares
read_shares(ArrayType *array)
{
	Shares		shares = {0};
	WideArrayWalk walk;
	int			max_bits = 0;
	bool		is_any = false;

	wide_array_start(&walk, array, "shares");
	shares.count = walk.length;
	shares.shares = palloc_extended(sizeof(Share) * Max(shares.count, 1), MCXT_ALLOC_HUGE);
	for (int i = 0; i < shares.count; i++)
	{
		Share	   *share = &shares.shares[i];
		double		value;

		if (!wide_array_next(&walk, &value))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument \"shares\" must not have NULL elements"),
					 errdetail("Element %d is NULL.", i + 1)));
		/* also true of NaN */
		if (!(value >= 0 && value <= DBL_MAX))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("element %d of argument \"shares\" must be a number of 0 or more, not %g", i + 1, value)));
		*share = share_of(value);
		if (share->mantissa > 0 && (!is_any || share->exponent < shares.min_exponent))
			shares.min_exponent = share->exponent;
		is_any = is_any || share->mantissa > 0;
	}
	if (!is_any)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"shares\" must have an element greater than 0"),
				 errdetail("Else there is nobody to give the value to.")));
	for (int i = 0; i < shares.count; i++)
	{
		const Share *share = &shares.shares[i];

		if (share->mantissa > 0)
			max_bits = Max(max_bits, pg_leftmost_one_pos64(share->mantissa) + 1 + share->exponent - shares.min_exponent);
	}
	shares.bits = max_bits + pg_leftmost_one_pos32(shares.count) + 1;
	return shares;
}

static Share
share_of(double value)
{
	Share		share = {0};
	int			zeros;

	if (value == 0)
		return share;
	share.mantissa = (uint64) ldexp(frexp(value, &share.exponent), DBL_MANT_DIG);
	zeros = pg_rightmost_one_pos64(share.mantissa);
	share.mantissa >>= zeros;
	share.exponent += zeros - DBL_MANT_DIG;
	return share;
}

/* Splits in 128 bits; false if they may be too few. */
static bool
split_small(const Amount *amount, const Shares *shares, Datum *parts)
{
	uint64		value = 0;
	uint64		left;
	uint128		total = 0;
	uint64	   *units;
	uint128    *remainders;

	if (amount->digit_count > SMALL_DIGITS)
		return false;
	for (int i = 0; i < amount->digit_count; i++)
		value = value * 10 + (amount->digits[i] - '0');
	if (value > 0 && pg_leftmost_one_pos64(value) + 1 + shares->bits > 128)
		return false;
	if (shares->bits > 128)
		return false;

	units = palloc_extended(sizeof(uint64) * shares->count, MCXT_ALLOC_HUGE);
	remainders = palloc_extended(sizeof(uint128) * shares->count, MCXT_ALLOC_HUGE);
	for (int i = 0; i < shares->count; i++)
	{
		const Share *share = &shares->shares[i];

		remainders[i] = share->mantissa == 0 ? 0 : (uint128) share->mantissa << (share->exponent - shares->min_exponent);
		total += remainders[i];
	}
	left = value;
	for (int i = 0; i < shares->count; i++)
	{
		uint128		product = remainders[i] * value;

		units[i] = (uint64) (product / total);
		remainders[i] = product - units[i] * total;
		left -= units[i];
		if (i % TIMELINE_INTERRUPT_EVERY == TIMELINE_INTERRUPT_EVERY - 1)
			CHECK_FOR_INTERRUPTS();
	}
	Assert(left < (uint64) shares->count);
	if (left > 0)
	{
		int		   *order = order_of_remainders(shares->count, compare_small, remainders);

		for (uint64 i = 0; i < left; i++)
			units[order[i]]++;
	}
	for (int i = 0; i < shares->count; i++)
	{
		int64		part = amount->is_negative ? -(int64) units[i] : (int64) units[i];

		parts[i] = NumericGetDatum(int64_div_fast_to_numeric(part, amount->scale));
	}
	return true;
}

/* Splits by numeric: slower, but no number is too large. */
static void
split_large(const Amount *amount, const Shares *shares, Datum *parts)
{
	Numeric		value = read_numeric(amount->digit_count == 0 ? "0" : amount->digits);
	Numeric		one = int64_to_numeric(1);
	Numeric		unit = read_numeric(psprintf("%se-%d", amount->is_negative ? "-1" : "1", amount->scale));
	Numeric		total = int64_to_numeric(0);
	Numeric		left = value;
	Numeric    *units = palloc_extended(sizeof(Numeric) * shares->count, MCXT_ALLOC_HUGE);
	Numeric    *remainders = palloc_extended(sizeof(Numeric) * shares->count, MCXT_ALLOC_HUGE);
	int		   *order;
	int			left_count;

	for (int i = 0; i < shares->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		remainders[i] = share_in_units(&shares->shares[i], shares->min_exponent);
		total = call_numeric(numeric_add, total, remainders[i]);
	}
	for (int i = 0; i < shares->count; i++)
	{
		Numeric		product = call_numeric(numeric_mul, value, remainders[i]);

		CHECK_FOR_INTERRUPTS();
		units[i] = call_numeric(numeric_div_trunc, product, total);
		remainders[i] = call_numeric(numeric_sub, product, call_numeric(numeric_mul, units[i], total));
		left = call_numeric(numeric_sub, left, units[i]);
	}
	/* fewer than there are parts */
	left_count = DatumGetInt32(DirectFunctionCall1(numeric_int4, NumericGetDatum(left)));
	order = order_of_remainders(shares->count, compare_large, remainders);
	for (int i = 0; i < left_count; i++)
		units[order[i]] = call_numeric(numeric_add, units[order[i]], one);
	for (int i = 0; i < shares->count; i++)
		parts[i] = NumericGetDatum(call_numeric(numeric_mul, units[i], unit));
}

/* A share as an integer of 2^min_exponent. */
static Numeric
share_in_units(const Share *share, int min_exponent)
{
	Numeric		result = int64_to_numeric((int64) share->mantissa);
	int			shift = share->mantissa == 0 ? 0 : share->exponent - min_exponent;

	while (shift > 0)
	{
		int			step = Min(shift, 62);

		result = call_numeric(numeric_mul, result, int64_to_numeric(INT64CONST(1) << step));
		shift -= step;
	}
	return result;
}

/* The parts from the largest remainder to the smallest, of equal ones the first first. */
static int *
order_of_remainders(int count, qsort_arg_comparator compare, void *remainders)
{
	int		   *order = palloc_extended(sizeof(int) * count, MCXT_ALLOC_HUGE);

	for (int i = 0; i < count; i++)
		order[i] = i;
	qsort_interruptible(order, count, sizeof(int), compare, remainders);
	return order;
}

static int
compare_small(const void *a, const void *b, void *remainders)
{
	int			first = *(const int *) a;
	int			second = *(const int *) b;
	uint128		first_rest = ((uint128 *) remainders)[first];
	uint128		second_rest = ((uint128 *) remainders)[second];

	if (first_rest != second_rest)
		return first_rest > second_rest ? -1 : 1;
	return (first > second) - (first < second);
}

static int
compare_large(const void *a, const void *b, void *remainders)
{
	int			first = *(const int *) a;
	int			second = *(const int *) b;
	int			order = DatumGetInt32(DirectFunctionCall2(numeric_cmp,
														  NumericGetDatum(((Numeric *) remainders)[second]),
														  NumericGetDatum(((Numeric *) remainders)[first])));

	return order != 0 ? order : (first > second) - (first < second);
}

static Numeric
read_numeric(const char *text)
{
	return DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(text),
											   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

static Numeric
call_numeric(PGFunction function, Numeric a, Numeric b)
{
	return DatumGetNumeric(DirectFunctionCall2(function, NumericGetDatum(a), NumericGetDatum(b)));
}
