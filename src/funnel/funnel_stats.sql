-- The statistics of a funnel

CREATE TYPE funnel_stats;

CREATE FUNCTION funnel_stats_in(cstring) RETURNS funnel_stats
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION funnel_stats_in(cstring) IS 'Text input of funnel_stats';

CREATE FUNCTION funnel_stats_out(funnel_stats) RETURNS cstring
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION funnel_stats_out(funnel_stats) IS 'Text output of funnel_stats: exact, and no setting changes it';

CREATE FUNCTION funnel_stats_recv(internal) RETURNS funnel_stats
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION funnel_stats_recv(internal) IS 'Binary input of funnel_stats';

CREATE FUNCTION funnel_stats_send(funnel_stats) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION funnel_stats_send(funnel_stats) IS 'Binary output of funnel_stats';

CREATE TYPE funnel_stats (
	INPUT = funnel_stats_in,
	OUTPUT = funnel_stats_out,
	RECEIVE = funnel_stats_recv,
	SEND = funnel_stats_send,
	INTERNALLENGTH = variable,
	ALIGNMENT = double,
	STORAGE = extended
);
COMMENT ON TYPE funnel_stats IS 'How many visitors reached each step of a funnel, and how long they took. Storable and mergeable: made by the aggregate funnel_stats, merged by rollup, read by funnel_steps';

CREATE FUNCTION funnel_stats_eq(funnel_stats, funnel_stats) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION funnel_stats_eq(funnel_stats, funnel_stats) IS 'Behind the operator = of funnel_stats';

CREATE FUNCTION funnel_stats_ne(funnel_stats, funnel_stats) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION funnel_stats_ne(funnel_stats, funnel_stats) IS 'Behind the operator <> of funnel_stats';

CREATE FUNCTION funnel_stats_hash(funnel_stats) RETURNS integer
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION funnel_stats_hash(funnel_stats) IS 'Hash of a funnel_stats, for GROUP BY, DISTINCT and joins';

CREATE FUNCTION funnel_stats_hash_extended(funnel_stats, bigint) RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION funnel_stats_hash_extended(funnel_stats, bigint) IS 'Seeded 64-bit hash of a funnel_stats, for hash partitions';

CREATE OPERATOR = (
	LEFTARG = funnel_stats,
	RIGHTARG = funnel_stats,
	FUNCTION = funnel_stats_eq,
	COMMUTATOR = =,
	NEGATOR = <>,
	RESTRICT = eqsel,
	JOIN = eqjoinsel,
	HASHES
);
COMMENT ON OPERATOR = (funnel_stats, funnel_stats) IS 'Same window and as_of, and for each step the same numbers of visitors and the same times';

CREATE OPERATOR <> (
	LEFTARG = funnel_stats,
	RIGHTARG = funnel_stats,
	FUNCTION = funnel_stats_ne,
	COMMUTATOR = <>,
	NEGATOR = =,
	RESTRICT = neqsel,
	JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (funnel_stats, funnel_stats) IS 'Different window, as_of, numbers of visitors or times';

CREATE OPERATOR CLASS funnel_stats_hash_ops
	DEFAULT FOR TYPE funnel_stats USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 funnel_stats_hash(funnel_stats),
	FUNCTION 2 funnel_stats_hash_extended(funnel_stats, bigint);
COMMENT ON OPERATOR CLASS funnel_stats_hash_ops USING hash IS 'Hashing of funnel_stats; it has no order, as none would mean anything';
COMMENT ON OPERATOR FAMILY funnel_stats_hash_ops USING hash IS 'Hashing of funnel_stats';

CREATE FUNCTION funnel_stats_accum(funnel_stats, times timestamptz[], within interval, as_of timestamptz) RETURNS funnel_stats
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION funnel_stats_accum(funnel_stats, timestamptz[], interval, timestamptz) IS 'Transition function of the aggregate funnel_stats: adds one visitor';

CREATE FUNCTION funnel_stats_combine(funnel_stats, funnel_stats) RETURNS funnel_stats
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION funnel_stats_combine(funnel_stats, funnel_stats) IS 'Transition function of the aggregate rollup(funnel_stats), and combine function of both aggregates';

CREATE FUNCTION funnel_stats_final(funnel_stats) RETURNS funnel_stats
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION funnel_stats_final(funnel_stats) IS 'Final function of the aggregates funnel_stats and rollup(funnel_stats)';

CREATE AGGREGATE funnel_stats(times timestamptz[], within interval, as_of timestamptz) (
	STYPE = funnel_stats,
	SSPACE = 4096,
	SFUNC = funnel_stats_accum,
	FINALFUNC = funnel_stats_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = funnel_stats_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE funnel_stats(timestamptz[], interval, timestamptz) IS 'Adds up the results of funnel(), one for each visitor, into the statistics of a funnel (conversion funnel, drop-off analysis); read them with funnel_steps. within is the window given to funnel(), or NULL. Who has not reached the last step and whose window is still open at as_of (usually now(), or the end of the data) counts as in progress, not as dropped; with NULL for as_of nobody does. Rows with NULL for times are skipped';

CREATE AGGREGATE rollup(funnel_stats) (
	STYPE = funnel_stats,
	SSPACE = 4096,
	SFUNC = funnel_stats_combine,
	FINALFUNC = funnel_stats_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = funnel_stats_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE rollup(funnel_stats) IS 'Merges stored funnel statistics of the same steps, window and as_of into one, as if funnel_stats had seen all of their visitors: each visitor may be in one of them only';
