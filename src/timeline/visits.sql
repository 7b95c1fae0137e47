-- Visits (sessions)

CREATE FUNCTION visits(
	timeline timeline,
	gap interval DEFAULT '30 min',
	gap_inclusive boolean DEFAULT false,
	time_zone text DEFAULT NULL,
	split_channel boolean DEFAULT false,
	page_view text DEFAULT NULL,
	key_event text DEFAULT NULL,
	engaged_after interval DEFAULT '10 s'
)
RETURNS TABLE (visit_number integer, started_at timestamptz, ended_at timestamptz,
	duration_seconds double precision, event_count integer, channel text,
	is_bounce boolean, is_engaged boolean, landing_event text, visit timeline)
AS 'MODULE_PATHNAME', 'timeline_visits' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 4;
COMMENT ON FUNCTION visits(timeline, interval, boolean, text, boolean, text, text, interval) IS 'One row for each visit (session). A pause longer than gap starts a new visit, or one as long if gap_inclusive; with time_zone so does a change of the local date; with split_channel a channel that differs from the visit''s own, which is its first that is not NULL. is_bounce: a single event; is_engaged: longer than engaged_after, or an event that matches key_event, or two that match page_view';

CREATE FUNCTION split_visits(
	timeline timeline,
	gap interval DEFAULT '30 min',
	gap_inclusive boolean DEFAULT false,
	time_zone text DEFAULT NULL,
	split_channel boolean DEFAULT false
) RETURNS SETOF timeline
AS 'MODULE_PATHNAME', 'timeline_split_visits' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 4;
COMMENT ON FUNCTION split_visits(timeline, interval, boolean, text, boolean) IS 'The visits (sessions) as timelines, by the same rules as visits()';

CREATE FUNCTION visit_count(
	timeline timeline,
	gap interval DEFAULT '30 min',
	gap_inclusive boolean DEFAULT false,
	time_zone text DEFAULT NULL,
	split_channel boolean DEFAULT false
) RETURNS integer
AS 'MODULE_PATHNAME', 'timeline_visit_count' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION visit_count(timeline, interval, boolean, text, boolean) IS 'Number of visits (sessions), by the same rules as visits()';

