-- Casts between timeline and jsonb

CREATE FUNCTION timeline_to_jsonb(timeline) RETURNS jsonb
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_to_jsonb(timeline) IS 'A timeline as a JSON array of objects with at, event, channel, value and properties; what an event does not have is left out';

CREATE FUNCTION timeline_from_jsonb(jsonb) RETURNS timeline
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_from_jsonb(jsonb) IS 'A timeline from a JSON array of objects with at (ISO 8601), event, and optionally channel, value and properties, in any order';

CREATE CAST (timeline AS jsonb) WITH FUNCTION timeline_to_jsonb(timeline);
COMMENT ON CAST (timeline AS jsonb) IS 'A JSON array with one object for each event';

CREATE CAST (jsonb AS timeline) WITH FUNCTION timeline_from_jsonb(jsonb);
COMMENT ON CAST (jsonb AS timeline) IS 'From a JSON array with one object for each event';

