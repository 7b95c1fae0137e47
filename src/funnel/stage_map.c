/*
 * stage_map.c
 *		Which stage of the buyer's journey an event belongs to.
 *
 * A stage map is a jsonb object of patterns and stages.  The stages themselves
 * and their order are a text array beside it.  An event belongs to the stage of
 * the most specific pattern that it matches.  Both arguments are read once for a
 * call site and kept there while they stay the same.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "funnel/stage_map.h"

/* Each has a row for every period in stage_activity, and is compared with all others here. */
#define MAX_STAGES 100

static const char *const default_stages[] = {"awareness", "consideration", "decision"};

static void read_stages(StageMap *map, ArrayType *stages);
static void read_map(StageMap *map, Jsonb *patterns);
static int	stage_number(const StageMap *map, const JsonbValue *name, const JsonbValue *pattern);
static int	find_stage(const StageMap *map, int stage_count, const char *bytes, int length);
static char *list_of_stages(const StageMap *map);

/*
 * The stage map in argument map_number, a jsonb that is not NULL, with the
 * stages in argument stages_number, a text[] for which NULL stands for awareness,
 * consideration, decision.  *cache is NULL at first and lives as long as the
 * call site, as fn_extra does.  What cannot be read, and a stage that is not one
 * of stages, is an error (ERRCODE_INVALID_PARAMETER_VALUE).
 */
const StageMap *
stage_map_of_arguments(FunctionCallInfo fcinfo, void **cache, int map_number, int stages_number)
{
	StageMap   *map = *cache;
	MemoryContext context;
	MemoryContext caller;

	if (map != NULL && argument_is(fcinfo, map_number, &map->map) &&
		argument_is(fcinfo, stages_number, &map->stages))
		return map;

	*cache = NULL;
	if (map != NULL)
		MemoryContextDelete(map->context);
	/* it outlives this call only if there is no mistake in the arguments */
	context = AllocSetContextCreate(CurrentMemoryContext, "engagement stage map", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(context);
	map = palloc0(sizeof(StageMap));
	map->context = context;
	map->map = argument_copy(fcinfo, map_number);
	map->stages = argument_copy(fcinfo, stages_number);
	read_stages(map, PG_ARGISNULL(stages_number) ? NULL :
				DatumGetArrayTypePCopy(PG_GETARG_DATUM(stages_number)));
	read_map(map, DatumGetJsonbPCopy(PG_GETARG_DATUM(map_number)));
	MemoryContextSwitchTo(caller);
	MemoryContextSetParent(context, fcinfo->flinfo->fn_mcxt);
	*cache = map;
	return map;
}

/*
 * The stage of each kind of the view, or STAGE_NONE: in inline_stages, which has
 * room for TIMELINE_INLINE_KINDS, or in the current memory context.  A kind that
 * matches patterns of two stages equally specifically is an error
 * (ERRCODE_INVALID_PARAMETER_VALUE).
 */
int *
stage_map_kinds(const StageMap *map, const TimelineView *view, int *inline_stages)
{
	int		   *stages = inline_stages;

	if (view->kind_count > TIMELINE_INLINE_KINDS)
		stages = palloc_extended(sizeof(int) * view->kind_count, MCXT_ALLOC_HUGE);
	StaticAssertStmt(STAGE_NONE == -1, "matcher_best gives -1 for no pattern");
	matcher_best(map->matcher, view, stages);
	return stages;
}

/* In the map's own memory context, as all that follows. */
static void
read_stages(StageMap *map, ArrayType *stages)
{
	Datum	   *names;
	bool	   *nulls;

	if (stages == NULL)
	{
		map->stage_count = lengthof(default_stages);
		map->names = palloc(sizeof(default_stages));
		for (int i = 0; i < map->stage_count; i++)
			map->names[i] = CStringGetTextDatum(default_stages[i]);
		return;
	}

	if (ARR_NDIM(stages) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 ARR_NDIM(stages) == 0 ? errmsg("argument \"stages\" must not be empty") :
				 errmsg("argument \"stages\" must have one dimension, not %d", ARR_NDIM(stages)),
				 errhint("List the stages from the first to the last, for example '{MQL,SQL,opportunity,won}'.")));
	deconstruct_array(stages, TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &map->stage_count);
	if (map->stage_count > MAX_STAGES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"stages\" must have at most %d stages, not %d", MAX_STAGES, map->stage_count)));
	map->names = names;
	for (int i = 0; i < map->stage_count; i++)
	{
		TimelineString name;

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument \"stages\" must not contain NULL")));
		name = timeline_string((struct varlena *) DatumGetPointer(names[i]));
		if (name.length == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"stages\" must not contain an empty name")));
		if (find_stage(map, i, name.bytes, (int) name.length) != STAGE_NONE)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"stages\" contains \"%.*s\" twice", (int) name.length, name.bytes)));
	}
}

static void
read_map(StageMap *map, Jsonb *patterns)
{
	PatternSet *set = pattern_set_create();
	JsonbIterator *iterator = JsonbIteratorInit(&patterns->root);
	JsonbValue	pattern;
	JsonbValue	stage;
	int		   *stages;

	if (!JB_ROOT_IS_OBJECT(patterns))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"stage_map\" must be a JSON object of patterns and stages"),
				 errhint("For example '{\"page_view\": \"awareness\", \"video_*|brochure\": \"consideration\", \"purchase\": \"decision\"}'.")));
	stages = palloc(sizeof(int) * Max(JB_ROOT_COUNT(patterns), 1));
	(void) JsonbIteratorNext(&iterator, &pattern, false);
	for (uint32 i = 0; i < JB_ROOT_COUNT(patterns); i++)
	{
		(void) JsonbIteratorNext(&iterator, &pattern, true);
		(void) JsonbIteratorNext(&iterator, &stage, true);
		stages[i] = stage_number(map, &stage, &pattern);
		pattern_set_add(set, pattern.val.string.val, pattern.val.string.len, "stage_map");
	}
	/* patterns of one stage are as one: it does not matter which of them matches best */
	for (int i = 0; i < set->term_count; i++)
		set->terms[i].pattern = stages[set->terms[i].pattern];
	pattern_set_sort(set);
	map->matcher = matcher_create(set);
}

static int
stage_number(const StageMap *map, const JsonbValue *name, const JsonbValue *pattern)
{
	int			number;

	if (name->type != jbvString)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("stage of \"%.*s\" in argument \"stage_map\" must be a string",
						pattern->val.string.len, pattern->val.string.val)));
	number = find_stage(map, map->stage_count, name->val.string.val, name->val.string.len);
	if (number == STAGE_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%.*s\", to which \"%.*s\" belongs in argument \"stage_map\", is not a stage",
						name->val.string.len, name->val.string.val,
						pattern->val.string.len, pattern->val.string.val),
				 errdetail("The stages are %s.", list_of_stages(map)),
				 errhint("Write {\"pattern\": \"stage\"}, and give other stages in argument \"stages\".")));
	return number;
}

/* Among the first stage_count ones. */
static int
find_stage(const StageMap *map, int stage_count, const char *bytes, int length)
{
	for (int i = 0; i < stage_count; i++)
	{
		TimelineString name = timeline_string((struct varlena *) DatumGetPointer(map->names[i]));

		if (name.length == (uint32) length && memcmp(name.bytes, bytes, length) == 0)
			return i;
	}
	return STAGE_NONE;
}

static char *
list_of_stages(const StageMap *map)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < map->stage_count; i++)
		appendStringInfo(&list, "%s\"%s\"", i > 0 ? ", " : "", TextDatumGetCString(map->names[i]));
	return list.data;
}
