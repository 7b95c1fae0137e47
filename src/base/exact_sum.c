/*
 * exact_sum.c
 *		The exact sum of doubles.
 *
 * One sum lives per path or state of a chain, so it is 24 bytes: two doubles and a
 * pointer.  Adding to two doubles is a few additions whose errors are doubles again
 * (Knuth's TwoSum, The Art of Computer Programming, volume 2, 4.2.2).  Where an error
 * is left over after that, the sum moves to a chunk in the caller's memory context.
 *
 * The chunk (ExactSumMore) is one long number in two's complement manner: digits of
 * 32 bits in 64, so that carries can wait for CARRY_EVERY additions.  Digit i counts
 * 2^(32 i - 1074).  Only the digits between the lowest and the highest ever used are
 * there: five or so for amounts of money of very different size, 70 at most.
 */
#include "postgres.h"

#include <math.h>

#include "base/exact_sum.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

#define DIGIT_BITS 32
#define DIGIT_BASE (INT64CONST(1) << DIGIT_BITS)

/* Bits are counted from that of the smallest double, 2^-1074. */
#define LOWEST_BIT 1074

/* So many additions of at most 2^32 to a digit below 2^32 stay below 2^62. */
#define CARRY_EVERY (1 << 29)

/* Doubles reach over 66 digits; the sum of 2^63 of them has two more. */
#define MAX_DIGITS 70

/* Two doubles whose sum is smaller overflow nowhere in two_sum. */
#define PARTS_LIMIT 0x1p1022

typedef struct ExactSumMore
{
	int			first;			/* number of the lowest digit here */
	int			count;
	int			waiting;		/* additions since the last carry */
	int64		digits[FLEXIBLE_ARRAY_MEMBER];
} ExactSumMore;

/* A copy of such a number, for reading. */
typedef struct LongNumber
{
	int			first;
	int			count;
	int64		digits[MAX_DIGITS];
} LongNumber;

static bool add_to_parts(ExactSum *sum, double addend);
static double two_sum(double a, double b, double *error);
static void add_to_more(ExactSum *sum, double addend, MemoryContext context);
static void spill(ExactSum *sum, MemoryContext context);
static void cover(ExactSum *sum, int low, int high, MemoryContext context);
static void note_addition(ExactSum *sum, MemoryContext context);
static void copy_number(LongNumber *number, const ExactSumMore *more);
static double take_rounded(LongNumber *number);
static void negate(LongNumber *number);
static int	lowest_digit(double number);
static void add_double(ExactSumMore *more, double addend);
static uint64 mantissa_of(double number);
static int	last_bit(double number);
static uint64 bits_of(double number);
static void carry(int64 *digits, int count);

/*
 * Adds a finite double.  The context is where the sum's memory lies: the same at
 * each call.
 */
void
exact_sum_add(ExactSum *sum, double addend, MemoryContext context)
{
	if (sum->more == NULL && add_to_parts(sum, addend))
		return;
	if (!isfinite(addend))
		elog(ERROR, "exact sum of a number that is not finite");
	add_to_more(sum, addend, context);
}

/*
 * Adds another sum, which keeps its value; its memory is not referred to.
 */
void
exact_sum_merge(ExactSum *sum, const ExactSum *other, MemoryContext context)
{
	if (other->more == NULL)
	{
		double		rounded = other->part[0];
		double		rest = other->part[1];

		exact_sum_add(sum, rounded, context);
		exact_sum_add(sum, rest, context);
	}
	else
	{
		LongNumber	number;
		int64	   *top;

		/* The sign goes into the digit below, or else the chunks would grow at each merge. */
		copy_number(&number, other->more);
		top = &number.digits[number.count - 1];
		if (number.count > 1 && (*top == 0 || *top == -1))
		{
			top[-1] += *top * DIGIT_BASE;
			number.count--;
		}

		spill(sum, context);
		cover(sum, number.first, number.first + number.count - 1, context);
		for (int i = 0; i < number.count; i++)
			sum->more->digits[number.first - sum->more->first + i] += number.digits[i];
		note_addition(sum, context);
	}
}

/*
 * The sum, correctly rounded (half to even).  An error if that is out of the range
 * of doubles.
 */
double
exact_sum_value(const ExactSum *sum)
{
	LongNumber	number;

	if (sum->more == NULL)
		return sum->part[0];
	copy_number(&number, sum->more);
	return take_rounded(&number);
}

/*
 * Writes the sum as the one list of doubles that stands for it: first the sum
 * correctly rounded, then what is left over correctly rounded, and so on until
 * nothing is.  Returns how many, 0 for a sum of zero, at most EXACT_SUM_MAX_PARTS; no
 * part is zero.  An error as in exact_sum_value.
 */
int
exact_sum_parts(const ExactSum *sum, double *parts)
{
	int			count = 0;

	if (sum->more == NULL)
	{
		while (count < 2 && sum->part[count] != 0)
		{
			parts[count] = sum->part[count];
			count++;
		}
	}
	else
	{
		LongNumber	number;
		double		part;

		copy_number(&number, sum->more);
		/* Each part is at most half of the last bit of the one before: 40 are enough. */
		while ((part = take_rounded(&number)) != 0)
		{
			Assert(count < EXACT_SUM_MAX_PARTS);
			parts[count++] = part;
		}
	}
	return count;
}

/*
 * False if two doubles do not hold the new sum, or if one is not finite; then the
 * sum is as it was.
 */
static bool
add_to_parts(ExactSum *sum, double addend)
{
	double		error;
	double		rest;
	double		rounded = two_sum(sum->part[0], addend, &error);

	rest = two_sum(sum->part[1], error, &error);
	rounded = two_sum(rounded, rest, &rest);
	if (error != 0)
	{
		/* After a cancellation there may be room for it. */
		rest = two_sum(rest, error, &error);
		if (error != 0)
			return false;
		rounded = two_sum(rounded, rest, &rest);
	}

	/* False for NaN as well, which is what an overflow on the way ends in. */
	if (!(fabs(rounded) < PARTS_LIMIT))
		return false;

	sum->part[0] = rounded;
	sum->part[1] = rest;
	return true;
}

/*
 * a + b rounded, and what rounding left over, which is a double too.  Nothing of it
 * is -0 unless both a and b are.
 */
static double
two_sum(double a, double b, double *error)
{
	double		sum = a + b;
	double		b_part = sum - a;
	double		a_part = sum - b_part;

	*error = (a - a_part) + (b - b_part);
	return sum;
}

static void
add_to_more(ExactSum *sum, double addend, MemoryContext context)
{
	int			low = lowest_digit(addend);

	spill(sum, context);
	cover(sum, low, low + 2, context);
	add_double(sum->more, addend);
	note_addition(sum, context);
}

/* Moves the sum from its two parts to a chunk, if it is not there yet. */
static void
spill(ExactSum *sum, MemoryContext context)
{
	double		parts[2] = {sum->part[0], sum->part[1]};

	if (sum->more != NULL)
		return;

	for (int i = 0; i < 2; i++)
	{
		int			low = lowest_digit(parts[i]);

		if (i == 0 || parts[i] != 0)
		{
			cover(sum, low, low + 2, context);
			add_double(sum->more, parts[i]);
			note_addition(sum, context);
		}
	}
	sum->part[0] = sum->part[1] = 0;
}

/* Makes the chunk, or a larger one, so that it has these digits. */
static void
cover(ExactSum *sum, int low, int high, MemoryContext context)
{
	ExactSumMore *old = sum->more;
	ExactSumMore *more;

	if (old != NULL)
	{
		if (low >= old->first && high < old->first + old->count)
			return;
		low = Min(low, old->first);
		high = Max(high, old->first + old->count - 1);
	}
	if (high - low >= MAX_DIGITS)
		elog(ERROR, "exact sum of too many numbers");

	more = MemoryContextAllocZero(context, offsetof(ExactSumMore, digits) + (high - low + 1) * sizeof(int64));
	more->first = low;
	more->count = high - low + 1;
	if (old != NULL)
	{
		more->waiting = old->waiting;
		memcpy(more->digits + (old->first - low), old->digits, old->count * sizeof(int64));
		pfree(old);
	}
	sum->more = more;
}

/* Every digit has had at most 2^32 added or subtracted. */
static void
note_addition(ExactSum *sum, MemoryContext context)
{
	ExactSumMore *more = sum->more;

	if (++more->waiting < CARRY_EVERY)
		return;
	carry(more->digits, more->count);
	if (more->digits[more->count - 1] <= -DIGIT_BASE || more->digits[more->count - 1] >= DIGIT_BASE)
	{
		cover(sum, more->first, more->first + more->count, context);
		more = sum->more;
		carry(more->digits, more->count);
	}
	more->waiting = 0;
}

/* With all carries done: each digit but the highest, which has the sign, is 0 to 2^32 - 1. */
static void
copy_number(LongNumber *number, const ExactSumMore *more)
{
	number->first = more->first;
	number->count = more->count;
	memcpy(number->digits, more->digits, more->count * sizeof(int64));
	if (number->count < MAX_DIGITS)
		number->digits[number->count++] = 0;
	carry(number->digits, number->count);
}

/*
 * The number correctly rounded, which is subtracted from it; 0 if it is zero.
 */
static double
take_rounded(LongNumber *number)
{
	int64	   *digits = number->digits;
	uint128		leading = 0;
	bool		has_more = false;
	bool		is_negative;
	int			highest;
	int			lowest;
	int			length;
	uint64		mantissa;
	int128		rest;
	int128		half;
	double		rounded;

	while (number->count > 0 && digits[number->count - 1] == 0)
		number->count--;
	if (number->count == 0)
		return 0;

	is_negative = digits[number->count - 1] < 0;
	if (is_negative)
		negate(number);
	highest = number->count - 1;
	while (digits[highest] == 0)
		highest--;

	/* The three leading digits have 65 bits at least; those below are only looked at. */
	for (int i = highest; i > highest - 3; i--)
		leading = leading << DIGIT_BITS | (uint64) (i >= 0 ? digits[i] : 0);
	for (int i = highest - 3; i >= 0 && !has_more; i--)
		has_more = digits[i] != 0;
	length = 64 + pg_leftmost_one_pos64((uint64) (leading >> 64)) + 1;

	/* Half to even. */
	half = (int128) 1 << (length - 54);
	mantissa = (uint64) (leading >> (length - 53));
	rest = (int128) (leading - ((uint128) mantissa << (length - 53)));
	if (rest > half || (rest == half && (has_more || mantissa % 2 == 1)))
	{
		mantissa++;
		rest -= 2 * half;
	}

	/* Exact: below the smallest double there are only zeros. */
	rounded = ldexp((double) mantissa, length - 53 + DIGIT_BITS * (number->first + highest - 2) - LOWEST_BIT);
	if (isinf(rounded))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a sum of values is out of the range of double precision")));

	/* What is left of the three digits fits into the lowest of them. */
	lowest = Max(highest - 2, 0);
	for (int i = lowest; i <= highest; i++)
		digits[i] = 0;
	digits[lowest] = (int64) (rest >> (DIGIT_BITS * (lowest - (highest - 2))));
	carry(digits, number->count);
	if (is_negative)
		negate(number);
	return is_negative ? -rounded : rounded;
}

static void
negate(LongNumber *number)
{
	for (int i = 0; i < number->count; i++)
		number->digits[i] = -number->digits[i];
	carry(number->digits, number->count);
}

/* The number of the digit in which the last bit of a double lies; it reaches over three. */
static int
lowest_digit(double number)
{
	return last_bit(number) / DIGIT_BITS;
}

static void
add_double(ExactSumMore *more, double addend)
{
	int			low = lowest_digit(addend);
	int64	   *digits = more->digits + (low - more->first);
	uint128		shifted = (uint128) mantissa_of(addend) << (last_bit(addend) % DIGIT_BITS);

	for (int i = 0; i < 3; i++)
	{
		int64		digit = (int64) (uint64) (shifted >> (DIGIT_BITS * i) & (DIGIT_BASE - 1));

		digits[i] += addend < 0 ? -digit : digit;
	}
}

/* A finite double is its mantissa times 2^(last bit - LOWEST_BIT). */
static uint64
mantissa_of(double number)
{
	uint64		bits = bits_of(number);
	uint64		fraction = bits & ((UINT64CONST(1) << 52) - 1);

	return (bits >> 52 & 0x7ff) == 0 ? fraction : fraction | UINT64CONST(1) << 52;
}

static int
last_bit(double number)
{
	int			exponent = (int) (bits_of(number) >> 52 & 0x7ff);

	return Max(exponent, 1) - 1;
}

static uint64
bits_of(double number)
{
	uint64		bits;

	memcpy(&bits, &number, sizeof(bits));
	return bits;
}

/* Leaves each digit but the highest from 0 to 2^32 - 1; the number is the same. */
static void
carry(int64 *digits, int count)
{
	for (int i = 0; i < count - 1; i++)
	{
		int64		over = digits[i] >> DIGIT_BITS;

		digits[i] -= over * DIGIT_BASE;
		digits[i + 1] += over;
	}
}
