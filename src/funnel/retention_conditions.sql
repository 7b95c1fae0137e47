-- Retention on plain rows

CREATE FUNCTION retention_conditions_accum(bigint, conditions boolean[]) RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION retention_conditions_accum(bigint, boolean[]) IS 'Transition function of the aggregate retention(conditions)';

CREATE FUNCTION retention_conditions_combine(bigint, bigint) RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION retention_conditions_combine(bigint, bigint) IS 'Combine function of the aggregate retention(conditions)';

CREATE FUNCTION retention_conditions_final(bigint) RETURNS boolean[]
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION retention_conditions_final(bigint) IS 'Final function of the aggregate retention(conditions)';

CREATE AGGREGATE retention(VARIADIC conditions boolean[]) (
	SFUNC = retention_conditions_accum,
	STYPE = bigint,
	COMBINEFUNC = retention_conditions_combine,
	FINALFUNC = retention_conditions_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE retention(VARIADIC boolean[]) IS 'Retention on the plain rows of a group, as ClickHouse''s retention: element 1 is whether the first condition was true in some row; element i, whether the first and the i-th each were, not always in the same row. For example retention(day = ''2026-01-05'', day = ''2026-01-06'') ... GROUP BY visitor. NULL counts as false; at most 32 conditions; no rows give NULL. In retention_stats its first element shows who is in the cohort: use FILTER (WHERE result[1])';
