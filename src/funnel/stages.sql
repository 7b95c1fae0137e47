-- Stages of the buyer's journey

CREATE FUNCTION stage_at(
	timeline timeline,
	stage_map jsonb,
	stages text[] DEFAULT '{awareness,consideration,decision}',
	as_of timestamptz DEFAULT NULL,
	ordered boolean DEFAULT true,
	lapse interval DEFAULT NULL
) RETURNS text
AS 'MODULE_PATHNAME', 'timeline_stage_at' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION stage_at(timeline, jsonb, text[], timestamptz, boolean, interval) IS 'The stage of the buyer''s journey (lifecycle stage) that the visitor is in; NULL before the first. stage_map is an object of patterns and stages, and an event belongs to the stage of the most specific pattern that it matches; stages lists them from the first to the last. ordered: the furthest stage reached, as nobody goes back; otherwise the stage of the latest event that has one, where the furthest counts if several are at one instant. With as_of only events up to then count; with lapse (needs as_of) a visitor whose last event of any kind is longer ago than that is in no stage. For how many are in each stage now: GROUP BY it';

CREATE FUNCTION stage_moves(
	timeline timeline,
	stage_map jsonb,
	stages text[] DEFAULT '{awareness,consideration,decision}',
	as_of timestamptz DEFAULT NULL,
	ordered boolean DEFAULT true
) RETURNS TABLE (from_stage text, to_stage text, moved_at timestamptz, seconds double precision)
AS 'MODULE_PATHNAME', 'timeline_stage_moves' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 2;
COMMENT ON FUNCTION stage_moves(timeline, jsonb, text[], timestamptz, boolean) IS 'One row for each change of the visitor''s stage, by the same rules as stage_at(), in order of time: the entry first, with from_stage NULL; seconds is the time spent in from_stage, NULL at the entry. ordered: only forward, and stages may be skipped; otherwise back too. Events at one instant count as one, that of the furthest stage among them';
