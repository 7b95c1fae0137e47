-- ClickHouse's windowFunnel

CREATE FUNCTION window_funnel_transition(internal, interval, text, timestamptz, boolean[]) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION window_funnel_transition(internal, interval, text, timestamptz, boolean[]) IS 'Transition function of the aggregate window_funnel';

CREATE FUNCTION window_funnel_combine(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION window_funnel_combine(internal, internal) IS 'Combine function of the aggregate window_funnel';

CREATE FUNCTION window_funnel_serialize(internal) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION window_funnel_serialize(internal) IS 'Serialisation of the aggregate window_funnel';

CREATE FUNCTION window_funnel_deserialize(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION window_funnel_deserialize(bytea, internal) IS 'Deserialisation of the aggregate window_funnel';

CREATE FUNCTION window_funnel_final(internal) RETURNS integer
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION window_funnel_final(internal) IS 'Final function of the aggregate window_funnel';

CREATE AGGREGATE window_funnel(within interval, mode text, at timestamptz, VARIADIC conditions boolean[]) (
	SFUNC = window_funnel_transition,
	STYPE = internal,
	SSPACE = 128,
	COMBINEFUNC = window_funnel_combine,
	SERIALFUNC = window_funnel_serialize,
	DESERIALFUNC = window_funnel_deserialize,
	FINALFUNC = window_funnel_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE window_funnel(interval, text, timestamptz, boolean[]) IS 'How many of the conditions came true one after the other in rows of a group, the last at most within after the first, as ClickHouse''s windowFunnel(window, mode...)(timestamp, conditions...) counts them; rows may come in any order. within NULL: no limit. mode: NULL or any of strict_deduplication, strict_order, strict_increase, strict_once, allow_reentry (only with strict_order), separated by commas';
