/*
 * path_collapse.c
 *		The names of the ways to collapse a path.
 */
#include "postgres.h"

#include "base/compat.h"
#include "attribution/path_collapse.h"

/*
 * The way of this name, which is not NULL; another one is an error
 * (ERRCODE_INVALID_PARAMETER_VALUE).  'argument' is the argument's name there.
 */
PathCollapse
path_collapse_of(const text *name, const char *argument)
{
	const char *bytes = VARDATA_ANY(name);
	int			length = VARSIZE_ANY_EXHDR(name);

	if (length == 4 && memcmp(bytes, "none", 4) == 0)
		return COLLAPSE_NONE;
	if (length == 11 && memcmp(bytes, "consecutive", 11) == 0)
		return COLLAPSE_CONSECUTIVE;
	if (length == 5 && memcmp(bytes, "first", 5) == 0)
		return COLLAPSE_FIRST;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" cannot be \"%.*s\"", argument, length, bytes),
			 errhint("Valid values are \"none\", \"consecutive\" and \"first\".")));
}
