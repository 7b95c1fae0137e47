-- Conversion paths and Markov chains of timelines

CREATE FUNCTION conversion_paths_accum(conversion_paths, timeline timeline, rule journey_rule) RETURNS conversion_paths
AS 'MODULE_PATHNAME', 'conversion_paths_accum_timeline' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION conversion_paths_accum(conversion_paths, timeline, journey_rule) IS 'A step of the aggregate conversion_paths: counts the journeys of one timeline';

CREATE FUNCTION conversion_paths_accum(conversion_paths, timeline timeline, rule journey_rule, half_life interval) RETURNS conversion_paths
AS 'MODULE_PATHNAME', 'conversion_paths_accum_timeline' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION conversion_paths_accum(conversion_paths, timeline, journey_rule, interval) IS 'A step of the aggregate conversion_paths: counts the journeys of one timeline';

CREATE AGGREGATE conversion_paths(timeline timeline, rule journey_rule) (
	STYPE = conversion_paths,
	SSPACE = 8192,
	SFUNC = conversion_paths_accum,
	COMBINEFUNC = conversion_paths_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE conversion_paths(timeline, journey_rule) IS 'Collects the journeys of timelines, as journeys() with the options of the rule gives them: write conversion_paths(events, journey_rule(''purchase'')). With a half-life of 7 days for the model time_decay';

CREATE AGGREGATE conversion_paths(timeline timeline, rule journey_rule, half_life interval) (
	STYPE = conversion_paths,
	SSPACE = 8192,
	SFUNC = conversion_paths_accum,
	COMBINEFUNC = conversion_paths_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE conversion_paths(timeline, journey_rule, interval) IS 'Collects the journeys of timelines, with this half-life for the model time_decay';

CREATE FUNCTION markov_accum(markov, timeline timeline, rule journey_rule, chain_order integer) RETURNS markov
AS 'MODULE_PATHNAME', 'markov_accum_timeline' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION markov_accum(markov, timeline, journey_rule, integer) IS 'A step of the aggregate markov: counts the journeys of one timeline';

CREATE AGGREGATE markov(timeline timeline, rule journey_rule, chain_order integer) (
	STYPE = markov,
	SSPACE = 8192,
	SFUNC = markov_accum,
	COMBINEFUNC = markov_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE markov(timeline, journey_rule, integer) IS 'Counts the transitions of the journeys of timelines, as journeys() with the options of the rule gives them. chain_order, from 1 to 4, is how many touches a state remembers';
