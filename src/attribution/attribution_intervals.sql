-- Intervals of attribution

CREATE FUNCTION attribution_intervals(
	paths conversion_paths,
	model text DEFAULT 'markov',
	chain_order integer DEFAULT 1,
	replicates integer DEFAULT 200,
	seed bigint DEFAULT 1,
	conf_level double precision DEFAULT 0.95,
	skip text[] DEFAULT NULL,
	weights double precision[] DEFAULT NULL,
	max_states integer DEFAULT 100000
)
RETURNS TABLE (channel text,
	share double precision, share_lower double precision, share_upper double precision,
	conversions double precision, conversions_lower double precision, conversions_upper double precision,
	value double precision, value_lower double precision, value_upper double precision,
	effect double precision, effect_lower double precision, effect_upper double precision)
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 20;
COMMENT ON FUNCTION attribution_intervals(conversion_paths, text, integer, integer, bigint, double precision, text[], double precision[], integer) IS 'What a model credits each channel with, as attribution does, with confidence intervals by the bootstrap: as many times as replicates says each journey is drawn Poisson(1) times and the model computed anew; the bounds are percentiles at conf_level. The values of journeys that went the same path are not known one by one: a path''s value follows its drawn conversions, so that intervals of value leave out how values differ within a path. The same seed gives the same bounds, for any order of rows and number of workers. Journeys count as independent, also those of one visitor. Not for time_decay, nor for shapley_markov where orders of channels are drawn';
