-- The aggregates that build timelines

CREATE FUNCTION timeline_transition(internal, timestamptz, text) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION timeline_transition(internal, timestamptz, text) IS 'Transition function of the aggregate timeline';

CREATE FUNCTION timeline_transition(internal, timestamptz, text, text) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION timeline_transition(internal, timestamptz, text, text) IS 'Transition function of the aggregate timeline';

CREATE FUNCTION timeline_transition(internal, timestamptz, text, text, double precision) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION timeline_transition(internal, timestamptz, text, text, double precision) IS 'Transition function of the aggregate timeline';

CREATE FUNCTION timeline_transition(internal, timestamptz, text, text, double precision, jsonb) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION timeline_transition(internal, timestamptz, text, text, double precision, jsonb) IS 'Transition function of the aggregate timeline';

CREATE FUNCTION timeline_rollup_transition(internal, timeline) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION timeline_rollup_transition(internal, timeline) IS 'Transition function of the aggregate rollup(timeline)';

CREATE FUNCTION timeline_combine(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION timeline_combine(internal, internal) IS 'Combine function of the aggregates timeline and rollup(timeline)';

CREATE FUNCTION timeline_serialize(internal) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_serialize(internal) IS 'Serialisation of the aggregates timeline and rollup(timeline)';

CREATE FUNCTION timeline_deserialize(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_deserialize(bytea, internal) IS 'Deserialisation of the aggregates timeline and rollup(timeline)';

CREATE FUNCTION timeline_final(internal) RETURNS timeline
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION timeline_final(internal) IS 'Final function of the aggregates timeline and rollup(timeline)';

CREATE AGGREGATE timeline(at timestamptz, event text) (
	SFUNC = timeline_transition,
	STYPE = internal,
	SSPACE = 256,
	COMBINEFUNC = timeline_combine,
	SERIALFUNC = timeline_serialize,
	DESERIALFUNC = timeline_deserialize,
	FINALFUNC = timeline_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE timeline(timestamptz, text) IS 'The timeline of a group''s events by time and event label, from rows in any order; rows without time or event are skipped; no rows give an empty timeline. Use with GROUP BY visitor';

CREATE AGGREGATE timeline(at timestamptz, event text, channel text) (
	SFUNC = timeline_transition,
	STYPE = internal,
	SSPACE = 256,
	COMBINEFUNC = timeline_combine,
	SERIALFUNC = timeline_serialize,
	DESERIALFUNC = timeline_deserialize,
	FINALFUNC = timeline_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE timeline(timestamptz, text, text) IS 'The timeline of a group''s events by time, event label and channel, from rows in any order; rows without time or event are skipped; no rows give an empty timeline. Use with GROUP BY visitor';

CREATE AGGREGATE timeline(at timestamptz, event text, channel text, value double precision) (
	SFUNC = timeline_transition,
	STYPE = internal,
	SSPACE = 256,
	COMBINEFUNC = timeline_combine,
	SERIALFUNC = timeline_serialize,
	DESERIALFUNC = timeline_deserialize,
	FINALFUNC = timeline_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE timeline(timestamptz, text, text, double precision) IS 'The timeline of a group''s events by time, event label, channel and value, from rows in any order; rows without time or event are skipped; no rows give an empty timeline. Use with GROUP BY visitor';

CREATE AGGREGATE timeline(at timestamptz, event text, channel text, value double precision, properties jsonb) (
	SFUNC = timeline_transition,
	STYPE = internal,
	SSPACE = 256,
	COMBINEFUNC = timeline_combine,
	SERIALFUNC = timeline_serialize,
	DESERIALFUNC = timeline_deserialize,
	FINALFUNC = timeline_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE timeline(timestamptz, text, text, double precision, jsonb) IS 'The timeline of a group''s events by time, event label, channel, value and properties, from rows in any order; rows without time or event are skipped; no rows give an empty timeline. Use with GROUP BY visitor';

CREATE AGGREGATE rollup(timeline) (
	SFUNC = timeline_rollup_transition,
	STYPE = internal,
	SSPACE = 256,
	COMBINEFUNC = timeline_combine,
	SERIALFUNC = timeline_serialize,
	DESERIALFUNC = timeline_deserialize,
	FINALFUNC = timeline_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE rollup(timeline) IS 'All events of several timelines in one, repeats included: the pieces of one visitor from several days, devices or sources';

CREATE FUNCTION timeline_concatenate(timeline, timeline) RETURNS timeline
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_concatenate(timeline, timeline) IS 'Implementation of the || operator';

CREATE OPERATOR || (
	LEFTARG = timeline, RIGHTARG = timeline, FUNCTION = timeline_concatenate,
	COMMUTATOR = ||
);
COMMENT ON OPERATOR || (timeline, timeline) IS 'all events of both, repeats included';

