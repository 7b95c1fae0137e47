-- Journeys

CREATE FUNCTION journeys(
	timeline timeline,
	conversion text,
	lookback interval DEFAULT '90 days',
	touch text DEFAULT 'visit',
	touch_by text DEFAULT 'channel',
	conversions text DEFAULT 'all',
	reuse_touches boolean DEFAULT false,
	points jsonb DEFAULT NULL,
	ignore text[] DEFAULT NULL,
	collapse text DEFAULT 'none',
	as_of timestamptz DEFAULT NULL,
	gap interval DEFAULT '30 min',
	time_zone text DEFAULT NULL,
	split_channel boolean DEFAULT false
)
RETURNS TABLE (path text[], touched_at timestamptz[], converted_at timestamptz, value double precision)
AS 'MODULE_PATHNAME', 'journeys' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 2;
COMMENT ON FUNCTION journeys(timeline, text, interval, text, text, text, boolean, jsonb, text[], text, timestamptz, interval, text, boolean) IS 'The journeys (conversion paths, paths to purchase) of a visitor: for each event that matches conversion, or with points one of the goals, the touches of the lookback (attribution window) before it and its value, or as a goal its points; then, with converted_at NULL, the touches that no conversion has followed. A touch is a visit (session) with its first channel, or the property touch_by, else (direct), and the time of its first event that is neither a conversion nor on the ignore list, without which it is none; with a pattern in touch, each event that matches it. Each conversion has the touches since the one before, or with reuse_touches all in its lookback, which is what goals with points need if they are not to take each other''s touches; one without touches has the path (unattributed)';
