-- Shares of touches on plain rows

CREATE FUNCTION attribution_share(
	model text,
	at timestamptz,
	channel text DEFAULT '(touch)',
	converted_at timestamptz DEFAULT NULL,
	skip text[] DEFAULT NULL,
	weights double precision[] DEFAULT NULL,
	half_life interval DEFAULT '7 days',
	milestones timestamptz[] DEFAULT NULL
) RETURNS double precision
AS 'MODULE_PATHNAME', 'attribution_share' LANGUAGE C IMMUTABLE WINDOW PARALLEL SAFE;
COMMENT ON FUNCTION attribution_share(text, timestamptz, text, timestamptz, text[], double precision[], interval, timestamptz[]) IS 'The share of a touch, one row, in its conversion: attribution_share(''linear'', at) OVER (PARTITION BY conversion ORDER BY at). Models and options are those of attribution_weights, and the numbers are the same as for the rows in arrays. Options are those of the first row of each partition; the frame does not matter. Without channel, which ''(touch)'' stands for, every row with a time is a touch; with it, a row whose channel is NULL, empty or (unattributed) is none and has 0, unless there is no other: then the first (unattributed) has 1';
