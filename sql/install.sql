--
-- The extension as a DBA meets it: installed into a schema of its own.
--
CREATE SCHEMA engagement;
CREATE EXTENSION engagement SCHEMA engagement;
SELECT format('ALTER DATABASE %I SET search_path = public, engagement', current_database()) \gexec
SELECT extname, extversion, extrelocatable, nspname
FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'engagement';

-- every object has a COMMENT
SELECT pg_describe_object(d.classid, d.objid, d.objsubid) AS object_without_comment
FROM pg_depend d
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
	AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'engagement')
	AND obj_description(d.objid, d.classid::regclass::text::name) IS NULL
	AND NOT (d.classid = 'pg_type'::regclass
		AND EXISTS (SELECT FROM pg_type t WHERE t.oid = d.objid AND t.typelem <> 0 AND t.typlen = -1))
ORDER BY 1;

-- functions do what is safe for all: parallel plans, indexes, no borrowed rights
SELECT p.oid::regprocedure AS function, provolatile, proparallel, prosecdef
FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
WHERE extname = 'engagement' AND (provolatile <> 'i' OR proparallel <> 's' OR prosecdef)
ORDER BY 1::text;

-- a strict function has no argument that may be NULL to mean "not set"
SELECT p.oid::regprocedure AS function
FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
WHERE extname = 'engagement' AND proisstrict AND (pronargdefaults > 0 OR proretset)
ORDER BY 1::text;

-- operators and their support are what the planner needs
SELECT amname, opcname, opcdefault, amvalidate(c.oid) AS is_valid
FROM pg_opclass c JOIN pg_am a ON a.oid = opcmethod
WHERE opcintype IN ('engagement.timeline'::regtype, 'engagement.decayed_score'::regtype, 'engagement.funnel_stats'::regtype, 'engagement.retention_stats'::regtype,
	'engagement.conversion_paths'::regtype, 'engagement.markov'::regtype, 'engagement.purchase_histories'::regtype, 'engagement.spend_histories'::regtype, 'engagement.cohort_value'::regtype,
	'engagement.bgnbd'::regtype, 'engagement.mbgnbd'::regtype, 'engagement.paretonbd'::regtype, 'engagement.gamma_gamma'::regtype, 'engagement.bgbb'::regtype, 'engagement.sbg'::regtype)
ORDER BY 1, 2;

-- one schema a database, as with any extension
CREATE SCHEMA elsewhere;
CREATE EXTENSION engagement SCHEMA elsewhere;
DROP SCHEMA elsewhere;
