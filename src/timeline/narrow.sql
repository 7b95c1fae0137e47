-- Parts of a timeline

CREATE FUNCTION keep(timeline timeline, pattern text) RETURNS timeline
AS 'MODULE_PATHNAME', 'timeline_keep' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION keep(timeline, text) IS 'Only the events that match the pattern';

CREATE FUNCTION omit(timeline timeline, pattern text) RETURNS timeline
AS 'MODULE_PATHNAME', 'timeline_omit' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION omit(timeline, text) IS 'All events but those that match the pattern';

CREATE FUNCTION during(timeline timeline, period tstzrange) RETURNS timeline
AS 'MODULE_PATHNAME', 'timeline_during' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION during(timeline, tstzrange) IS 'Only the events within the period; its bounds count as the range says';

CREATE FUNCTION between_times(timeline timeline, from_at timestamptz, to_at timestamptz) RETURNS timeline
AS 'MODULE_PATHNAME', 'timeline_between_times' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION between_times(timeline, timestamptz, timestamptz) IS 'Only the events from from_at on and before to_at; NULL leaves that side open';

