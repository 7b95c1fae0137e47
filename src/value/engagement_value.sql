-- Engagement value

CREATE FUNCTION engagement_value(
	timeline timeline,
	points jsonb,
	count text DEFAULT 'each',
	half_life interval DEFAULT NULL,
	as_of timestamptz DEFAULT NULL,
	gap interval DEFAULT '30 min'
) RETURNS double precision
AS 'MODULE_PATHNAME', 'engagement_value' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION engagement_value(timeline, jsonb, text, interval, timestamptz, interval) IS 'Points for the goals reached: points is an object of patterns and numbers, and an event counts for the most specific pattern that it matches. count: each completion, once a visit (with pauses up to gap), or once a visitor. With as_of only events up to then count; with half_life, each completion has lost half of its points for every half_life that passed until as_of';

