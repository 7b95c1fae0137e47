/*
 * pattern.h
 *		How a step, goal, conversion or exclusion names events.
 *
 *	purchase					events of this label
 *	a|b							either
 *	video_*						* stands for any characters
 *	signup@email				only on this channel; *@email: any event on it
 *	purchase[country=NO,device=mobile]		only with these properties
 *
 * A backslash takes the meaning from the character after it; outside of brackets
 * even a comma needs one, as it is mostly a slip for |.  Blanks around a
 * part are ignored unless a backslash precedes them.  Comparison is by bytes.
 */
#ifndef ENGAGEMENT_PATTERN_H
#define ENGAGEMENT_PATTERN_H

#include "postgres.h"

/* Text with stars: the pieces between them; one piece is plain text. */
typedef struct Glob
{
	int			piece_count;
	int			literal_length; /* sum over the pieces */
	const char **pieces;
	int		   *lengths;
} Glob;

typedef struct PropertyCondition
{
	const char *key;
	int			key_length;
	Glob		value;
} PropertyCondition;

/* One alternative of a pattern. */
typedef struct PatternTerm
{
	int			pattern;		/* its number in the set, from 0 */
	const char *text;			/* the pattern as given, for messages */
	Glob		event;
	bool		has_channel;
	Glob		channel;
	int			condition_count;
	PropertyCondition *conditions;
	int			specificity[4]; /* compared in this order, greater is more specific */
} PatternTerm;

/* Patterns that are asked together; terms are sorted from the most specific. */
typedef struct PatternSet
{
	int			pattern_count;
	int			term_count;
	int			term_capacity;
	PatternTerm *terms;
} PatternSet;

extern PatternSet *pattern_set_create(void);
extern void pattern_set_add(PatternSet *set, const char *pattern, int length, const char *argument);
extern void pattern_set_sort(PatternSet *set);
extern int	pattern_compare_specificity(const PatternTerm *a, const PatternTerm *b);
extern bool glob_matches(const Glob *glob, const char *bytes, int length);
extern bool pattern_conditions_hold(const PatternTerm *term, const char *properties, int length);

#endif							/* ENGAGEMENT_PATTERN_H */
