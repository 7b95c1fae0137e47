-- Single figures of a timeline

CREATE FUNCTION event_count(timeline timeline, pattern text DEFAULT NULL) RETURNS bigint
AS 'MODULE_PATHNAME', 'timeline_event_count' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION event_count(timeline, text) IS 'Number of events, or of those that match the pattern';

CREATE FUNCTION total_value(timeline timeline, pattern text DEFAULT NULL) RETURNS double precision
AS 'MODULE_PATHNAME', 'timeline_total_value' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION total_value(timeline, text) IS 'Sum of the values of the events, or of those that match the pattern, in the unit of the values (revenue); NULL if none has a value; exact for whole numbers and hundredths';

CREATE FUNCTION first_at(timeline timeline, pattern text DEFAULT NULL) RETURNS timestamptz
AS 'MODULE_PATHNAME', 'timeline_first_at' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION first_at(timeline, text) IS 'Time of the first event, or of the first that matches the pattern; NULL if there is none';

CREATE FUNCTION last_at(timeline timeline, pattern text DEFAULT NULL) RETURNS timestamptz
AS 'MODULE_PATHNAME', 'timeline_last_at' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION last_at(timeline, text) IS 'Time of the last event, or of the last that matches the pattern; NULL if there is none';

CREATE FUNCTION span(timeline timeline, pattern text DEFAULT NULL) RETURNS interval
AS 'MODULE_PATHNAME', 'timeline_span' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION span(timeline, text) IS 'Time from the first event to the last, or between those that match the pattern; NULL if there is none';

CREATE FUNCTION first_property(timeline timeline, key text, pattern text DEFAULT NULL) RETURNS text
AS 'MODULE_PATHNAME', 'timeline_first_property' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION first_property(timeline, text, text) IS 'The property''s first value that is not NULL, as text, among all events or those that match the pattern; key channel gives the channel';

CREATE FUNCTION last_property(timeline timeline, key text, pattern text DEFAULT NULL) RETURNS text
AS 'MODULE_PATHNAME', 'timeline_last_property' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION last_property(timeline, text, text) IS 'The property''s last value that is not NULL, as text, among all events or those that match the pattern; key channel gives the channel';

