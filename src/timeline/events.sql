-- events(timeline)

CREATE FUNCTION events(timeline timeline)
RETURNS TABLE (at timestamptz, event text, channel text, value double precision, properties jsonb)
AS 'MODULE_PATHNAME', 'timeline_events' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 10;
COMMENT ON FUNCTION events(timeline) IS 'One row for each event, in order of time';

