-- Retention of many visitors

CREATE TYPE retention_stats;

CREATE FUNCTION retention_stats_in(cstring) RETURNS retention_stats
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION retention_stats_in(cstring) IS 'Text input of retention_stats: for each period, the cohort first, how many returned of how many, such as (200/200, 80/190)';

CREATE FUNCTION retention_stats_out(retention_stats) RETURNS cstring
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION retention_stats_out(retention_stats) IS 'Text output of retention_stats';

CREATE FUNCTION retention_stats_recv(internal) RETURNS retention_stats
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION retention_stats_recv(internal) IS 'Binary input of retention_stats';

CREATE FUNCTION retention_stats_send(retention_stats) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION retention_stats_send(retention_stats) IS 'Binary output of retention_stats';

CREATE TYPE retention_stats (
	INPUT = retention_stats_in,
	OUTPUT = retention_stats_out,
	RECEIVE = retention_stats_recv,
	SEND = retention_stats_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);
COMMENT ON TYPE retention_stats IS 'How many visitors returned in each period after a start event, of how many (retention curve, one row of a cohort table): made by the aggregate retention_stats, storable, merged by rollup, read by retention_periods';

CREATE FUNCTION retention_stats_eq(retention_stats, retention_stats) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION retention_stats_eq(retention_stats, retention_stats) IS 'Implementation of the = operator';

CREATE FUNCTION retention_stats_ne(retention_stats, retention_stats) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION retention_stats_ne(retention_stats, retention_stats) IS 'Implementation of the <> operator';

CREATE FUNCTION retention_stats_hash(retention_stats) RETURNS integer
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION retention_stats_hash(retention_stats) IS 'Hash of a retention_stats, for GROUP BY, DISTINCT and joins';

CREATE FUNCTION retention_stats_hash_extended(retention_stats, bigint) RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION retention_stats_hash_extended(retention_stats, bigint) IS 'Hash of a retention_stats with a seed';

CREATE OPERATOR = (
	LEFTARG = retention_stats, RIGHTARG = retention_stats, FUNCTION = retention_stats_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR = (retention_stats, retention_stats) IS 'the same counts in the same periods';

CREATE OPERATOR <> (
	LEFTARG = retention_stats, RIGHTARG = retention_stats, FUNCTION = retention_stats_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (retention_stats, retention_stats) IS 'not the same counts in the same periods';

CREATE OPERATOR CLASS retention_stats_hash_ops
	DEFAULT FOR TYPE retention_stats USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 retention_stats_hash(retention_stats),
	FUNCTION 2 retention_stats_hash_extended(retention_stats, bigint);
COMMENT ON OPERATOR CLASS retention_stats_hash_ops USING hash IS 'Hashing of retention_stats; there is no order on purpose';
COMMENT ON OPERATOR FAMILY retention_stats_hash_ops USING hash IS 'Hashing of retention_stats';

CREATE FUNCTION retention_stats_accum(retention_stats, periods boolean[]) RETURNS retention_stats
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION retention_stats_accum(retention_stats, boolean[]) IS 'Transition function of the aggregate retention_stats: adds one visitor';

CREATE FUNCTION retention_stats_combine(retention_stats, retention_stats) RETURNS retention_stats
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION retention_stats_combine(retention_stats, retention_stats) IS 'Combine function of the aggregates retention_stats and rollup(retention_stats)';

CREATE AGGREGATE retention_stats(periods boolean[]) (
	SFUNC = retention_stats_accum,
	STYPE = retention_stats,
	SSPACE = 256,
	COMBINEFUNC = retention_stats_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE retention_stats(boolean[]) IS 'Counts the results of retention over many visitors: for each element how many are true, of how many that are not NULL; rows that are NULL, visitors who never started, are skipped. Read it with retention_periods. A cohort table: SELECT cohort, p.* FROM (SELECT date_trunc(''week'', first_at(timeline, ''signup''), ''Europe/Oslo'') AS cohort, retention_stats(retention(timeline, ''signup'', ''*'', ''7 days'', 8, ''Europe/Oslo'', now())) AS stats FROM timelines GROUP BY cohort) AS c, retention_periods(stats) AS p';

CREATE AGGREGATE rollup(retention_stats) (
	SFUNC = retention_stats_combine,
	STYPE = retention_stats,
	SSPACE = 256,
	COMBINEFUNC = retention_stats_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE rollup(retention_stats) IS 'Merges stored retention_stats of the same periods into one, as if retention_stats had seen all of their visitors: all cohorts of a year, all countries. Each visitor must be in one of them only';

CREATE FUNCTION retention_periods(stats retention_stats, conf_level double precision DEFAULT 0.95)
RETURNS TABLE (period integer, size bigint, returned bigint, rate double precision,
	rate_lower double precision, rate_upper double precision)
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 10;
COMMENT ON FUNCTION retention_periods(retention_stats, double precision) IS 'One row for each period, from 0, which is the cohort itself (of mode brackets: for each bracket, from 1). size: visitors for whom the period is complete, returned: those of them who returned, rate: returned / size, the retention rate, NULL where size is 0; rate_lower and rate_upper: Wilson interval at this confidence level';
