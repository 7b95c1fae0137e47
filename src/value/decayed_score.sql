-- decayed_score: a score whose events lose half of their value every half-life.

CREATE TYPE decayed_score;

CREATE FUNCTION decayed_score_in(cstring) RETURNS decayed_score
    AS 'MODULE_PATHNAME' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION decayed_score_in(cstring) IS
    'Text input of decayed_score: (time of the last event, half-life in seconds, score at that time, number of events).';

CREATE FUNCTION decayed_score_out(decayed_score) RETURNS cstring
    AS 'MODULE_PATHNAME' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION decayed_score_out(decayed_score) IS
    'Text output of decayed_score; no setting changes it.';

CREATE FUNCTION decayed_score_recv(internal) RETURNS decayed_score
    AS 'MODULE_PATHNAME' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION decayed_score_recv(internal) IS
    'Binary input of decayed_score.';

CREATE FUNCTION decayed_score_send(decayed_score) RETURNS bytea
    AS 'MODULE_PATHNAME' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION decayed_score_send(decayed_score) IS
    'Binary output of decayed_score.';

CREATE TYPE decayed_score (
    INPUT = decayed_score_in,
    OUTPUT = decayed_score_out,
    RECEIVE = decayed_score_recv,
    SEND = decayed_score_send,
    INTERNALLENGTH = 40,
    ALIGNMENT = double,
    STORAGE = plain
);
COMMENT ON TYPE decayed_score IS
    'A sum of values in which each loses half of its weight every half-life (recency-weighted score, lead score with decay, exponentially decayed sum). Small, storable and mergeable: made by decayed_sum, merged by rollup, read by score_at.';

CREATE FUNCTION decayed_score_eq(decayed_score, decayed_score) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION decayed_score_eq(decayed_score, decayed_score) IS
    'Behind the operator = of decayed_score.';

CREATE FUNCTION decayed_score_ne(decayed_score, decayed_score) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION decayed_score_ne(decayed_score, decayed_score) IS
    'Behind the operator <> of decayed_score.';

CREATE FUNCTION decayed_score_hash(decayed_score) RETURNS integer
    AS 'MODULE_PATHNAME' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION decayed_score_hash(decayed_score) IS
    'Hash of a decayed_score, for GROUP BY, DISTINCT and joins.';

CREATE FUNCTION decayed_score_hash_extended(decayed_score, bigint) RETURNS bigint
    AS 'MODULE_PATHNAME' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION decayed_score_hash_extended(decayed_score, bigint) IS
    'Seeded 64-bit hash of a decayed_score, for hash partitions.';

CREATE OPERATOR = (
    LEFTARG = decayed_score,
    RIGHTARG = decayed_score,
    FUNCTION = decayed_score_eq,
    COMMUTATOR = =,
    NEGATOR = <>,
    RESTRICT = eqsel,
    JOIN = eqjoinsel,
    HASHES
);
COMMENT ON OPERATOR = (decayed_score, decayed_score) IS
    'Same last event time, half-life, score and number of events.';

CREATE OPERATOR <> (
    LEFTARG = decayed_score,
    RIGHTARG = decayed_score,
    FUNCTION = decayed_score_ne,
    COMMUTATOR = <>,
    NEGATOR = =,
    RESTRICT = neqsel,
    JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (decayed_score, decayed_score) IS
    'Different last event time, half-life, score or number of events.';

CREATE OPERATOR CLASS decayed_score_hash_ops
    DEFAULT FOR TYPE decayed_score USING hash AS
    OPERATOR 1 =,
    FUNCTION 1 decayed_score_hash(decayed_score),
    FUNCTION 2 decayed_score_hash_extended(decayed_score, bigint);
COMMENT ON OPERATOR CLASS decayed_score_hash_ops USING hash IS
    'Hashing of decayed_score. There is no order on purpose: ORDER BY score_at(score, time) ranks by score.';
COMMENT ON OPERATOR FAMILY decayed_score_hash_ops USING hash IS
    'Hashing of decayed_score.';

CREATE FUNCTION decayed_score_accum(decayed_score, value double precision, at timestamptz, half_life interval)
    RETURNS decayed_score
    AS 'MODULE_PATHNAME' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION decayed_score_accum(decayed_score, double precision, timestamptz, interval) IS
    'A step of the aggregate decayed_sum: adds one event to a score.';

CREATE FUNCTION decayed_score_combine(decayed_score, decayed_score) RETURNS decayed_score
    AS 'MODULE_PATHNAME' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION decayed_score_combine(decayed_score, decayed_score) IS
    'A step of the aggregate rollup: merges two scores of the same half-life.';

CREATE FUNCTION decayed_score_final(decayed_score) RETURNS decayed_score
    AS 'MODULE_PATHNAME' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION decayed_score_final(decayed_score) IS
    'The last step of the aggregates decayed_sum and rollup.';

CREATE AGGREGATE decayed_sum(value double precision, at timestamptz, half_life interval) (
    STYPE = decayed_score,
    SFUNC = decayed_score_accum,
    FINALFUNC = decayed_score_final,
    COMBINEFUNC = decayed_score_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE decayed_sum(double precision, timestamptz, interval) IS
    'Adds up values so that each loses half of its weight every half-life (recency-weighted score, lead scoring with decay, exponentially decayed sum). Rows with a NULL value or time are skipped. Read the result with score_at. A day is 24 hours; months are refused.';

CREATE AGGREGATE rollup(decayed_score) (
    STYPE = decayed_score,
    SFUNC = decayed_score_combine,
    FINALFUNC = decayed_score_final,
    COMBINEFUNC = decayed_score_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE rollup(decayed_score) IS
    'Merges stored scores of the same half-life into one, as if decayed_sum had seen all of their events: keep one score per day, merge when asked.';

CREATE FUNCTION score_at(score decayed_score, at timestamptz) RETURNS double precision
    AS 'MODULE_PATHNAME' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION score_at(decayed_score, timestamptz) IS
    'The score at a time, with all decay up to then. The time must not be before the last event.';

CREATE FUNCTION score_anchor(score decayed_score) RETURNS timestamptz
    AS 'MODULE_PATHNAME' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION score_anchor(decayed_score) IS
    'The time of the last event in a score (recency): the first time that score_at can read.';

CREATE FUNCTION score_half_life(score decayed_score) RETURNS interval
    AS 'MODULE_PATHNAME' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION score_half_life(decayed_score) IS
    'The half-life of a score: the time in which a value loses half of its weight.';

CREATE FUNCTION score_count(score decayed_score) RETURNS bigint
    AS 'MODULE_PATHNAME' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION score_count(decayed_score) IS
    'The number of events in a score (frequency), without decay.';
