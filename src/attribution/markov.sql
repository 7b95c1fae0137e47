-- Markov chains of conversion paths

CREATE TYPE markov;

CREATE FUNCTION markov_in(cstring) RETURNS markov
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION markov_in(cstring) IS 'Text input of markov';

CREATE FUNCTION markov_out(markov) RETURNS cstring
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION markov_out(markov) IS 'Text output of markov: JSON, exact, and no setting changes it';

CREATE FUNCTION markov_recv(internal) RETURNS markov
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION markov_recv(internal) IS 'Binary input of markov';

CREATE FUNCTION markov_send(markov) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION markov_send(markov) IS 'Binary output of markov';

CREATE TYPE markov (
	INPUT = markov_in,
	OUTPUT = markov_out,
	RECEIVE = markov_recv,
	SEND = markov_send,
	INTERNALLENGTH = variable,
	ALIGNMENT = double,
	STORAGE = extended
);
COMMENT ON TYPE markov IS 'How often each channel, or run of channels, follows another in conversion paths. Storable and mergeable: made by the aggregate markov, merged by rollup, read by attribution. Its size follows the distinct transitions, not the paths';

CREATE FUNCTION markov_eq(markov, markov) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION markov_eq(markov, markov) IS 'Behind the operator = of markov';

CREATE FUNCTION markov_ne(markov, markov) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION markov_ne(markov, markov) IS 'Behind the operator <> of markov';

CREATE FUNCTION markov_hash(markov) RETURNS integer
AS 'MODULE_PATHNAME', 'state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION markov_hash(markov) IS 'Hash of a markov, for GROUP BY, DISTINCT and joins';

CREATE FUNCTION markov_hash_extended(markov, bigint) RETURNS bigint
AS 'MODULE_PATHNAME', 'state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION markov_hash_extended(markov, bigint) IS 'Seeded 64-bit hash of a markov, for hash partitions';

CREATE OPERATOR = (
	LEFTARG = markov,
	RIGHTARG = markov,
	FUNCTION = markov_eq,
	COMMUTATOR = =,
	NEGATOR = <>,
	RESTRICT = eqsel,
	JOIN = eqjoinsel,
	HASHES
);
COMMENT ON OPERATOR = (markov, markov) IS 'Same order, states and transitions with the same counts and values';

CREATE OPERATOR <> (
	LEFTARG = markov,
	RIGHTARG = markov,
	FUNCTION = markov_ne,
	COMMUTATOR = <>,
	NEGATOR = =,
	RESTRICT = neqsel,
	JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (markov, markov) IS 'Different order, states, transitions, counts or values';

CREATE OPERATOR CLASS markov_hash_ops
	DEFAULT FOR TYPE markov USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 markov_hash(markov),
	FUNCTION 2 markov_hash_extended(markov, bigint);
COMMENT ON OPERATOR CLASS markov_hash_ops USING hash IS 'Hashing of markov; it has no order, as none would mean anything';
COMMENT ON OPERATOR FAMILY markov_hash_ops USING hash IS 'Hashing of markov';

CREATE FUNCTION markov_accum(markov, path text[], conversions bigint, value double precision, non_conversions bigint, chain_order integer) RETURNS markov
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION markov_accum(markov, text[], bigint, double precision, bigint, integer) IS 'A step of the aggregate markov: counts the paths of one row';

CREATE FUNCTION markov_combine(markov, markov) RETURNS markov
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION markov_combine(markov, markov) IS 'A step of the aggregate rollup: adds one Markov chain to another';

CREATE AGGREGATE markov(path text[], conversions bigint, value double precision, non_conversions bigint, chain_order integer) (
	STYPE = markov,
	SSPACE = 8192,
	SFUNC = markov_accum,
	COMBINEFUNC = markov_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE markov(text[], bigint, double precision, bigint, integer) IS 'Counts the transitions of paths, for Markov chain attribution. conversions went through this path and brought value together; non_conversions went through it and did not convert. chain_order, from 1 to 4 and the same in all rows, is how many touches a state remembers. NULL counts are 0. A NULL or empty channel is skipped; conversions of a path without channels are kept as (unattributed)';

CREATE AGGREGATE rollup(markov) (
	STYPE = markov,
	SSPACE = 8192,
	SFUNC = markov_combine,
	COMBINEFUNC = markov_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE rollup(markov) IS 'Merges Markov chains of the same order into one, as if one aggregate had seen all of their paths: keep one a day, merge when asked';

CREATE FUNCTION transition_probabilities(chain markov)
RETURNS TABLE (from_state text[], to_state text[], transitions bigint, probability double precision)
AS 'MODULE_PATHNAME', 'markov_transitions' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 100;
COMMENT ON FUNCTION transition_probabilities(markov) IS 'One row for each transition of a Markov chain: how many paths went from one state to the next, and which part that is of all that left it. A state is the last chain_order channels; the first comes after {(start)}, and {(conversion)} or {(no conversion)} after the last';

CREATE FUNCTION markov(paths conversion_paths, chain_order integer DEFAULT 1) RETURNS markov
AS 'MODULE_PATHNAME', 'markov_of_paths' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION markov(conversion_paths, integer) IS 'The Markov chain of conversion paths, of any order from 1 to 4';
