-- Paths

CREATE FUNCTION paths_to(
	timeline timeline,
	pattern text,
	n integer,
	among text DEFAULT NULL,
	collapse boolean DEFAULT false,
	occurrence text DEFAULT 'all'
)
RETURNS TABLE (at timestamptz, path text[])
AS 'MODULE_PATHNAME', 'timeline_paths_to' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 2;
COMMENT ON FUNCTION paths_to(timeline, text, integer, text, boolean, text) IS 'For each event that matches pattern, its time and the labels of up to n steps before it (path to conversion, reverse path), in order of time and without the event itself; n is at most 1000. Steps are the events that match among; without among, all. collapse: repeats of one label after each other are one step. occurrence: all events that match, or only the first, or only the last';

CREATE FUNCTION paths_from(
	timeline timeline,
	pattern text,
	n integer,
	among text DEFAULT NULL,
	collapse boolean DEFAULT false,
	occurrence text DEFAULT 'all'
)
RETURNS TABLE (at timestamptz, path text[])
AS 'MODULE_PATHNAME', 'timeline_paths_from' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 2;
COMMENT ON FUNCTION paths_from(timeline, text, integer, text, boolean, text) IS 'For each event that matches pattern, its time and the labels of up to n steps after it (next steps), in order of time and without the event itself; n is at most 1000. Steps are the events that match among; without among, all. collapse: repeats of one label after each other are one step. occurrence: all events that match, or only the first, or only the last';

