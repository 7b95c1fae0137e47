-- The rule of journeys

CREATE TYPE journey_rule AS (
	conversion text,
	lookback interval,
	touch text,
	touch_by text,
	conversions text,
	reuse_touches boolean,
	points jsonb,
	ignore text[],
	collapse text,
	as_of timestamptz,
	gap interval,
	time_zone text,
	split_channel boolean
);
COMMENT ON TYPE journey_rule IS 'How journeys (conversion paths) are read from timelines, for aggregates over timelines, which take no named arguments: made by the function journey_rule';

CREATE FUNCTION journey_rule(
	conversion text DEFAULT NULL,
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
) RETURNS journey_rule
AS 'MODULE_PATHNAME', 'journey_rule' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION journey_rule(text, interval, text, text, text, boolean, jsonb, text[], text, timestamptz, interval, text, boolean) IS 'The options of journeys() as one value, for aggregates over timelines; a mistake in any of them is an error here';
