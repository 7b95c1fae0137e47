-- The type timeline

CREATE TYPE timeline;

CREATE FUNCTION timeline_in(cstring) RETURNS timeline
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_in(cstring) IS 'Text input of timeline';

CREATE FUNCTION timeline_out(timeline) RETURNS cstring
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_out(timeline) IS 'Text output of timeline';

CREATE FUNCTION timeline_recv(internal) RETURNS timeline
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_recv(internal) IS 'Binary input of timeline';

CREATE FUNCTION timeline_send(timeline) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_send(timeline) IS 'Binary output of timeline';

CREATE FUNCTION timeline_typanalyze(internal) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
COMMENT ON FUNCTION timeline_typanalyze(internal) IS 'ANALYZE of a column of type timeline: share of NULLs and width only';

CREATE TYPE timeline (
	INPUT = timeline_in,
	OUTPUT = timeline_out,
	RECEIVE = timeline_recv,
	SEND = timeline_send,
	ANALYZE = timeline_typanalyze,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE timeline IS 'Everything one visitor did, in order of time: events with a time, a label, and perhaps a channel, a value and properties';

