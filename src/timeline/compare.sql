-- Equality, order and hash of timelines

CREATE FUNCTION timeline_eq(timeline, timeline) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_eq(timeline, timeline) IS 'Implementation of the = operator: the same events';

CREATE FUNCTION timeline_ne(timeline, timeline) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_ne(timeline, timeline) IS 'Implementation of the <> operator';

CREATE FUNCTION timeline_lt(timeline, timeline) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_lt(timeline, timeline) IS 'Implementation of the < operator: events compared one after the other, by time first';

CREATE FUNCTION timeline_le(timeline, timeline) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_le(timeline, timeline) IS 'Implementation of the <= operator';

CREATE FUNCTION timeline_gt(timeline, timeline) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_gt(timeline, timeline) IS 'Implementation of the > operator';

CREATE FUNCTION timeline_ge(timeline, timeline) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_ge(timeline, timeline) IS 'Implementation of the >= operator';

CREATE FUNCTION timeline_cmp(timeline, timeline) RETURNS integer
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_cmp(timeline, timeline) IS 'Order of two timelines for btree: less than, equal to or greater than 0';

CREATE FUNCTION timeline_hash(timeline) RETURNS integer
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_hash(timeline) IS 'Hash of a timeline''s content';

CREATE FUNCTION timeline_hash_extended(timeline, bigint) RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_hash_extended(timeline, bigint) IS 'Hash of a timeline''s content with a seed';

CREATE OPERATOR = (
	LEFTARG = timeline, RIGHTARG = timeline, FUNCTION = timeline_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR = (timeline, timeline) IS 'the same events';

CREATE OPERATOR <> (
	LEFTARG = timeline, RIGHTARG = timeline, FUNCTION = timeline_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (timeline, timeline) IS 'not the same events';

CREATE OPERATOR < (
	LEFTARG = timeline, RIGHTARG = timeline, FUNCTION = timeline_lt,
	COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (timeline, timeline) IS 'earlier in the order of events';

CREATE OPERATOR <= (
	LEFTARG = timeline, RIGHTARG = timeline, FUNCTION = timeline_le,
	COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (timeline, timeline) IS 'earlier in the order of events, or equal';

CREATE OPERATOR > (
	LEFTARG = timeline, RIGHTARG = timeline, FUNCTION = timeline_gt,
	COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (timeline, timeline) IS 'later in the order of events';

CREATE OPERATOR >= (
	LEFTARG = timeline, RIGHTARG = timeline, FUNCTION = timeline_ge,
	COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (timeline, timeline) IS 'later in the order of events, or equal';

CREATE OPERATOR CLASS timeline_ops DEFAULT FOR TYPE timeline USING btree AS
	OPERATOR 1 <,
	OPERATOR 2 <=,
	OPERATOR 3 =,
	OPERATOR 4 >=,
	OPERATOR 5 >,
	FUNCTION 1 timeline_cmp(timeline, timeline);
COMMENT ON OPERATOR CLASS timeline_ops USING btree IS 'ORDER BY, DISTINCT and merge joins on timelines';
COMMENT ON OPERATOR FAMILY timeline_ops USING btree IS 'order of timelines';

CREATE OPERATOR CLASS timeline_hash_ops DEFAULT FOR TYPE timeline USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 timeline_hash(timeline),
	FUNCTION 2 timeline_hash_extended(timeline, bigint);
COMMENT ON OPERATOR CLASS timeline_hash_ops USING hash IS 'GROUP BY, DISTINCT and hash joins on timelines';
COMMENT ON OPERATOR FAMILY timeline_hash_ops USING hash IS 'hash of timelines';

