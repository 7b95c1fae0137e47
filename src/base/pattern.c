/*
 * pattern.c
 *		Parsing event patterns, and the tests that one term of them makes.
 *
 * The syntax is described in pattern.h.  Which events of a timeline match is
 * found in timeline/matcher.c, once per timeline and not per event.
 *
 * Specificity orders terms that match the same event: a plain event label
 * comes before one with stars, more plain characters before fewer; then the
 * same for the channel, where having none is the least; then the number of
 * properties asked for, and how many of them without stars.
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/pattern.h"
#include "base/properties.h"

typedef struct PatternParser
{
	const char *pattern;		/* whole, for messages */
	int			length;
	const char *argument;
	const char *p;
	const char *end;
} PatternParser;

static void parse_term(PatternParser *parser, PatternTerm *term);
static void parse_conditions(PatternParser *parser, PatternTerm *term);
static void parse_glob(PatternParser *parser, const char *stops, Glob *glob, const char *what,
					   const char *if_empty);
static const char *find_stop(const PatternParser *parser, const char *stops);
static int	glob_rank(const Glob *glob);
pg_noreturn static void pattern_error(PatternParser *parser, const char *detail, const char *hint);
static int	compare_terms(const void *a, const void *b);
static const char *find_piece(const char *bytes, const char *end, const char *piece, int length);

/* An empty set, in the current memory context, where its patterns will be too. */
PatternSet *
pattern_set_create(void)
{
	PatternSet *set = palloc0(sizeof(PatternSet));

	set->term_capacity = 4;
	set->terms = palloc(set->term_capacity * sizeof(PatternTerm));
	return set;
}

/*
 * Adds a pattern under the next number.  argument is the name of the SQL
 * function's argument, for messages.  A pattern that cannot be read is an error
 * (ERRCODE_INVALID_PARAMETER_VALUE).
 */
void
pattern_set_add(PatternSet *set, const char *pattern, int length, const char *argument)
{
	PatternParser parser = {pattern, length, argument, pattern, pattern + length};
	const char *text = pnstrdup(pattern, length);

	for (;;)
	{
		if (set->term_count == set->term_capacity)
		{
			set->term_capacity *= 2;
			set->terms = repalloc(set->terms, set->term_capacity * sizeof(PatternTerm));
		}
		parse_term(&parser, &set->terms[set->term_count]);
		set->terms[set->term_count].text = text;
		set->terms[set->term_count++].pattern = set->pattern_count;
		if (parser.p == parser.end)
			break;
		parser.p++;				/* parse_term stops only at | or the end */
	}
	set->pattern_count++;
}

/* To be called once after the last pattern was added. */
void
pattern_set_sort(PatternSet *set)
{
	qsort(set->terms, set->term_count, sizeof(PatternTerm), compare_terms);
}

/* Greater than 0 if a is more specific than b, 0 if neither is. */
int
pattern_compare_specificity(const PatternTerm *a, const PatternTerm *b)
{
	for (int i = 0; i < (int) lengthof(a->specificity); i++)
	{
		if (a->specificity[i] != b->specificity[i])
			return a->specificity[i] > b->specificity[i] ? 1 : -1;
	}
	return 0;
}

/*
 * Does the text match?  The first and last piece are anchored; those between
 * are taken at their first occurrence, which is enough when only stars separate
 * them.  Time is linear in the text.
 */
bool
glob_matches(const Glob *glob, const char *bytes, int length)
{
	int			last = glob->piece_count - 1;
	const char *end = bytes + length;

	if (last == 0)
		return length == glob->lengths[0] && memcmp(bytes, glob->pieces[0], length) == 0;
	if (length < glob->literal_length ||
		memcmp(bytes, glob->pieces[0], glob->lengths[0]) != 0 ||
		memcmp(end - glob->lengths[last], glob->pieces[last], glob->lengths[last]) != 0)
		return false;
	bytes += glob->lengths[0];
	end -= glob->lengths[last];
	for (int i = 1; i < last; i++)
	{
		bytes = find_piece(bytes, end, glob->pieces[i], glob->lengths[i]);
		if (bytes == NULL)
			return false;
		bytes += glob->lengths[i];
	}
	return bytes <= end;
}

/* Does an event with these properties (NULL: none) meet all of a term's conditions? */
bool
pattern_conditions_hold(const PatternTerm *term, const char *properties, int length)
{
	for (int i = 0; i < term->condition_count; i++)
	{
		const PropertyCondition *condition = &term->conditions[i];
		PropertyValue value;
		bool		matches;

		if (properties == NULL ||
			!property_find(properties, length, condition->key, condition->key_length, &value))
			return false;
		if (value.is_escaped)
		{
			char	   *plain = palloc(value.length);

			matches = glob_matches(&condition->value, plain, property_unescape(&value, plain));
			pfree(plain);
		}
		else
			matches = glob_matches(&condition->value, value.bytes, value.length);
		if (!matches)
			return false;
	}
	return true;
}

/* event [ @channel ] [ \[ conditions \] ] up to | or the end. */
static void
parse_term(PatternParser *parser, PatternTerm *term)
{
	int			exact_conditions = 0;

	memset(term, 0, sizeof(PatternTerm));
	parse_glob(parser, "@[|", &term->event, "event label", "Write * for any.");
	if (parser->p < parser->end && *parser->p == '@')
	{
		parser->p++;
		term->has_channel = true;
		parse_glob(parser, "[|", &term->channel, "channel", "Write * for any.");
	}
	if (parser->p < parser->end && *parser->p == '[')
		parse_conditions(parser, term);

	for (int i = 0; i < term->condition_count; i++)
		exact_conditions += term->conditions[i].value.piece_count == 1;
	term->specificity[0] = glob_rank(&term->event);
	term->specificity[1] = term->has_channel ? glob_rank(&term->channel) : -1;
	term->specificity[2] = term->condition_count;
	term->specificity[3] = exact_conditions;
}

static void
parse_conditions(PatternParser *parser, PatternTerm *term)
{
	int			capacity = 0;

	do
	{
		PropertyCondition *condition;
		Glob		key;

		parser->p++;			/* [ or , */
		if (term->condition_count == capacity)
		{
			capacity = capacity == 0 ? 2 : capacity * 2;
			term->conditions = term->conditions == NULL ?
				palloc(capacity * sizeof(PropertyCondition)) :
				repalloc(term->conditions, capacity * sizeof(PropertyCondition));
		}
		condition = &term->conditions[term->condition_count++];
		parse_glob(parser, "=,]", &key, "property name", "Write [name=value], or [name=*] for any value.");
		if (key.piece_count != 1)
			pattern_error(parser, "A property name cannot have a star.",
						  "Write \\* for a star that is part of the name.");
		if (parser->p == parser->end || *parser->p != '=')
			pattern_error(parser, "A property needs a value.",
						  "Write [name=value], or [name=*] for any value.");
		condition->key = key.pieces[0];
		condition->key_length = key.lengths[0];
		parser->p++;
		parse_glob(parser, ",]", &condition->value, "property value", "Write * for any.");
	} while (parser->p < parser->end && *parser->p == ',');

	if (parser->p == parser->end)
		pattern_error(parser, "The closing ] is missing.", NULL);
	parser->p++;
	while (parser->p < parser->end && *parser->p == ' ')
		parser->p++;
	if (parser->p < parser->end && *parser->p != '|')
		pattern_error(parser, "Only | may follow ].", NULL);
}

/*
 * Reads text with stars up to an unescaped stop character or the end.  An
 * unescaped character that has a meaning elsewhere in a pattern is an error
 * here, so that a slip is not taken for a label.
 */
static void
parse_glob(PatternParser *parser, const char *stops, Glob *glob, const char *what,
		   const char *if_empty)
{
	char	   *text = palloc(find_stop(parser, stops) - parser->p + 1);
	int			used = 0;		/* bytes of text, stars left out */
	int			trimmed = 0;	/* where unescaped trailing blanks start */
	int			capacity = 4;
	int			piece = 0;
	int		   *starts = palloc(capacity * sizeof(int));

	starts[0] = 0;
	while (parser->p < parser->end && *parser->p == ' ')
		parser->p++;
	for (; parser->p < parser->end && strchr(stops, *parser->p) == NULL; parser->p++)
	{
		char		c = *parser->p;

		if (c == '*')
		{
			if (piece + 1 == capacity)
			{
				capacity *= 2;
				starts = repalloc(starts, capacity * sizeof(int));
			}
			starts[++piece] = used;
			trimmed = used;
			continue;
		}
		if (c == ',')
			pattern_error(parser, psprintf("A comma cannot stand in the %s.", what),
						  "Write a|b for either of two, or \\, if the comma is part of the name.");
		if (c == '@' || c == '[' || c == ']' || c == '|')
			pattern_error(parser, psprintf("Character \"%c\" cannot stand in the %s.", c, what),
						  psprintf("Write \\%c if it is part of the name.", c));
		if (c == '\\')
		{
			if (++parser->p == parser->end)
				pattern_error(parser, "A backslash must be followed by a character.", NULL);
			text[used++] = *parser->p;
			trimmed = used;
			continue;
		}
		text[used++] = c;
		if (c != ' ')
			trimmed = used;
	}
	used = trimmed;
	if (used == 0 && piece == 0)
		pattern_error(parser, psprintf("The %s is empty.", what), if_empty);

	glob->piece_count = piece + 1;
	glob->literal_length = used;
	glob->pieces = palloc(glob->piece_count * sizeof(char *));
	glob->lengths = palloc(glob->piece_count * sizeof(int));
	for (int i = 0; i <= piece; i++)
	{
		glob->pieces[i] = text + starts[i];
		glob->lengths[i] = (i < piece ? starts[i + 1] : used) - starts[i];
	}
	pfree(starts);
}

/* The first unescaped stop character, or the end. */
static const char *
find_stop(const PatternParser *parser, const char *stops)
{
	const char *p;

	for (p = parser->p; p < parser->end && strchr(stops, *p) == NULL; p++)
	{
		if (*p == '\\' && p + 1 < parser->end)
			p++;
	}
	return p;
}

static int
glob_rank(const Glob *glob)
{
	return glob->piece_count == 1 ? PG_INT32_MAX : glob->literal_length;
}

static void
pattern_error(PatternParser *parser, const char *detail, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid pattern in argument \"%s\": \"%.*s\"",
					parser->argument, parser->length, parser->pattern),
			 errdetail("%s", detail),
			 hint != NULL ? errhint("%s", hint) : 0));
}

/* From the most specific; equal ones in the order of their patterns. */
static int
compare_terms(const void *a, const void *b)
{
	const PatternTerm *left = a;
	const PatternTerm *right = b;
	int			order = pattern_compare_specificity(right, left);

	return order != 0 ? order : (left->pattern > right->pattern) - (left->pattern < right->pattern);
}

static const char *
find_piece(const char *bytes, const char *end, const char *piece, int length)
{
	/* the C library's search takes linear time, whatever the text */
	return length == 0 ? bytes : memmem(bytes, end - bytes, piece, length);
}
