-- Conversion paths

CREATE TYPE conversion_paths;

CREATE FUNCTION conversion_paths_in(cstring) RETURNS conversion_paths
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION conversion_paths_in(cstring) IS 'Text input of conversion_paths';

CREATE FUNCTION conversion_paths_out(conversion_paths) RETURNS cstring
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION conversion_paths_out(conversion_paths) IS 'Text output of conversion_paths: JSON, exact, and no setting changes it';

CREATE FUNCTION conversion_paths_recv(internal) RETURNS conversion_paths
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION conversion_paths_recv(internal) IS 'Binary input of conversion_paths';

CREATE FUNCTION conversion_paths_send(conversion_paths) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION conversion_paths_send(conversion_paths) IS 'Binary output of conversion_paths';

CREATE TYPE conversion_paths (
	INPUT = conversion_paths_in,
	OUTPUT = conversion_paths_out,
	RECEIVE = conversion_paths_recv,
	SEND = conversion_paths_send,
	INTERNALLENGTH = variable,
	ALIGNMENT = double,
	STORAGE = extended
);
COMMENT ON TYPE conversion_paths IS 'Distinct conversion paths (customer journeys) with how many converted, their value, and how many did not. Storable and mergeable: made by the aggregate conversion_paths, merged by rollup, read by attribution for every model';

CREATE FUNCTION conversion_paths_eq(conversion_paths, conversion_paths) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION conversion_paths_eq(conversion_paths, conversion_paths) IS 'Behind the operator = of conversion_paths';

CREATE FUNCTION conversion_paths_ne(conversion_paths, conversion_paths) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION conversion_paths_ne(conversion_paths, conversion_paths) IS 'Behind the operator <> of conversion_paths';

CREATE FUNCTION conversion_paths_hash(conversion_paths) RETURNS integer
AS 'MODULE_PATHNAME', 'state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION conversion_paths_hash(conversion_paths) IS 'Hash of a conversion_paths, for GROUP BY, DISTINCT and joins';

CREATE FUNCTION conversion_paths_hash_extended(conversion_paths, bigint) RETURNS bigint
AS 'MODULE_PATHNAME', 'state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION conversion_paths_hash_extended(conversion_paths, bigint) IS 'Seeded 64-bit hash of a conversion_paths, for hash partitions';

CREATE OPERATOR = (
	LEFTARG = conversion_paths,
	RIGHTARG = conversion_paths,
	FUNCTION = conversion_paths_eq,
	COMMUTATOR = =,
	NEGATOR = <>,
	RESTRICT = eqsel,
	JOIN = eqjoinsel,
	HASHES
);
COMMENT ON OPERATOR = (conversion_paths, conversion_paths) IS 'Same paths with the same counts and values';

CREATE OPERATOR <> (
	LEFTARG = conversion_paths,
	RIGHTARG = conversion_paths,
	FUNCTION = conversion_paths_ne,
	COMMUTATOR = <>,
	NEGATOR = =,
	RESTRICT = neqsel,
	JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (conversion_paths, conversion_paths) IS 'Different paths, counts or values';

CREATE OPERATOR CLASS conversion_paths_hash_ops
	DEFAULT FOR TYPE conversion_paths USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 conversion_paths_hash(conversion_paths),
	FUNCTION 2 conversion_paths_hash_extended(conversion_paths, bigint);
COMMENT ON OPERATOR CLASS conversion_paths_hash_ops USING hash IS 'Hashing of conversion_paths; it has no order, as none would mean anything';
COMMENT ON OPERATOR FAMILY conversion_paths_hash_ops USING hash IS 'Hashing of conversion_paths';

CREATE FUNCTION conversion_paths_accum(conversion_paths, path text[], conversions bigint, value double precision, non_conversions bigint) RETURNS conversion_paths
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION conversion_paths_accum(conversion_paths, text[], bigint, double precision, bigint) IS 'A step of the aggregate conversion_paths: counts the paths of one row';

CREATE FUNCTION conversion_paths_accum(conversion_paths, path text[], touched_at timestamptz[], converted_at timestamptz, value double precision, half_life interval) RETURNS conversion_paths
AS 'MODULE_PATHNAME', 'conversion_paths_accum_timed' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION conversion_paths_accum(conversion_paths, text[], timestamptz[], timestamptz, double precision, interval) IS 'A step of the aggregate conversion_paths: counts one journey';

CREATE FUNCTION conversion_paths_accum(conversion_paths, path text[], touched_at timestamptz[], converted_at timestamptz, value double precision) RETURNS conversion_paths
AS 'MODULE_PATHNAME', 'conversion_paths_accum_timed' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION conversion_paths_accum(conversion_paths, text[], timestamptz[], timestamptz, double precision) IS 'A step of the aggregate conversion_paths: counts one journey';

CREATE FUNCTION conversion_paths_combine(conversion_paths, conversion_paths) RETURNS conversion_paths
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION conversion_paths_combine(conversion_paths, conversion_paths) IS 'A step of the aggregate rollup: adds one set of paths to another';

CREATE AGGREGATE conversion_paths(path text[], conversions bigint, value double precision, non_conversions bigint) (
	STYPE = conversion_paths,
	SSPACE = 8192,
	SFUNC = conversion_paths_accum,
	COMBINEFUNC = conversion_paths_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE conversion_paths(text[], bigint, double precision, bigint) IS 'Collects conversion paths. conversions went through this path and brought value together; non_conversions went through it and did not convert. NULL counts are 0. A NULL or empty channel is skipped; conversions of a path without channels are kept as (unattributed)';

CREATE AGGREGATE conversion_paths(path text[], touched_at timestamptz[], converted_at timestamptz, value double precision, half_life interval) (
	STYPE = conversion_paths,
	SSPACE = 8192,
	SFUNC = conversion_paths_accum,
	COMBINEFUNC = conversion_paths_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE conversion_paths(text[], timestamptz[], timestamptz, double precision, interval) IS 'Collects the rows of journeys(), one journey each; converted_at NULL: it did not convert. As it sees the times of touches, the model time_decay works too, with this half_life';

CREATE AGGREGATE conversion_paths(path text[], touched_at timestamptz[], converted_at timestamptz, value double precision) (
	STYPE = conversion_paths,
	SSPACE = 8192,
	SFUNC = conversion_paths_accum,
	COMBINEFUNC = conversion_paths_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE conversion_paths(text[], timestamptz[], timestamptz, double precision) IS 'Collects the rows of journeys(), with a half-life of 7 days for the model time_decay';

CREATE AGGREGATE rollup(conversion_paths) (
	STYPE = conversion_paths,
	SSPACE = 8192,
	SFUNC = conversion_paths_combine,
	COMBINEFUNC = conversion_paths_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE rollup(conversion_paths) IS 'Merges sets of conversion paths into one, as if one aggregate had seen all of them: keep one a day, merge when asked';
