\echo Use "ALTER EXTENSION engagement UPDATE TO '0.3'" to load this file. \quit

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

-- Shares of touches in a conversion

CREATE FUNCTION attribution_weights(
	model text,
	path text[],
	touched_at timestamptz[] DEFAULT NULL,
	converted_at timestamptz DEFAULT NULL,
	skip text[] DEFAULT NULL,
	weights double precision[] DEFAULT NULL,
	half_life interval DEFAULT '7 days',
	milestones timestamptz[] DEFAULT NULL
) RETURNS double precision[]
AS 'MODULE_PATHNAME', 'attribution_weights' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION attribution_weights(text, text[], timestamptz[], timestamptz, text[], double precision[], interval, timestamptz[]) IS 'The share of each touch of a path in its conversion (multi-touch attribution, fractional credit), parallel to path; shares add up to 1. Rule-based models: first_touch, last_touch, last_non_direct (the last channel that is not in skip, {(direct)} by default; all are: the last), linear, position_based with weights {first,middle,last} and its presets u_shaped (.4/.2/.4), j_shaped (.2/.2/.6) and inverse_j_shaped (.6/.2/.2), time_decay (half the credit for each half_life that a touch is older than the youngest), w_shaped and full_path (30 % or 22.5 % each to the first touch and to the two milestones, of lead and opportunity, with full_path also to the last touch; 10 % to the others; a milestone belongs to the last touch at or before it, and one that is NULL to none), participation (1 to the first touch of each channel: these do not add up to 1). time_decay, w_shaped and full_path need touched_at, in order of time. Elements that are NULL, empty or (unattributed) are no touches and have 0; in a path without touches the first (unattributed) has 1. Options of other models are not looked at';

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

-- Splitting money by shares

CREATE FUNCTION split_value(value numeric, shares double precision[], digits integer DEFAULT NULL)
RETURNS numeric[]
AS 'MODULE_PATHNAME', 'split_value' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION split_value(numeric, double precision[], integer) IS 'Splits an amount of money in proportion to shares (allocation, largest remainder method): the parts add up to value exactly, and each differs from its exact proportion by less than one unit of the last digit. Parts have as many digits after the point as value is written with, 2 for 49.90, or as many as digits says. Shares are relative and need not add up to 1. What is left after rounding down goes to the largest remainders, of equal ones to the first. A negative value is split as its amount, with the sign';

-- Path tools

CREATE FUNCTION parse_path(path text, separator text DEFAULT '>')
RETURNS text[]
AS 'MODULE_PATHNAME', 'parse_path' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION parse_path(text, text) IS 'A path written as one text, as other tools export it (''email > search > direct''), as an array of its channels. White space around channels and empty parts are left out';

CREATE FUNCTION collapse_path(path text[], how text DEFAULT 'consecutive')
RETURNS text[]
AS 'MODULE_PATHNAME', 'collapse_path' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION collapse_path(text[], text) IS 'A path with one touch for each run of touches of the same channel (how consecutive: deduplicated path, Snowplow''s exposure path), with only the first touch of each channel (first: Snowplow''s first path), or with all (none). Elements that are no channel (NULL, empty) are left out; so is (unattributed), but a path without channels keeps one';

CREATE FUNCTION path_frequency(path text[])
RETURNS text[]
AS 'MODULE_PATHNAME', 'path_frequency' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION path_frequency(text[]) IS 'The channels of a path in the order of their first touches, each with the number of its touches: {email(2),search(1)} (Snowplow''s frequency path)';

CREATE FUNCTION trim_path(path text[], channels text[], at text DEFAULT 'end')
RETURNS text[]
AS 'MODULE_PATHNAME', 'trim_path' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION trim_path(text[], text[], text) IS 'A path without the touches of these channels at its end, at its start, at both, or all of them; if nothing else is in the path, they stay. With at end it is what others call ignoring direct unless all is direct (Snowplow''s remove_if_last_and_not_all; with all: remove_if_not_all)';

CREATE FUNCTION path_lookback(path text[], touched_at timestamptz[], converted_at timestamptz, lookback interval)
RETURNS text[]
AS 'MODULE_PATHNAME', 'path_lookback' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION path_lookback(text[], timestamptz[], timestamptz, interval) IS 'The touches of a path at or before the conversion and not more than lookback before it (lookback window, attribution window); touched_at has the time of each touch. Lookback NULL: however long before. No touch left gives an empty path';

CREATE FUNCTION path_last(path text[], touches integer)
RETURNS text[]
AS 'MODULE_PATHNAME', 'path_last' LANGUAGE C IMMUTABLE PARALLEL SAFE STRICT;
COMMENT ON FUNCTION path_last(text[], integer) IS 'The last so many touches of a path (maximum path length, lookback steps); a shorter path stays as it is';

-- Conversion paths

CREATE TYPE conversion_paths;

CREATE FUNCTION conversion_paths_in(cstring) RETURNS conversion_paths
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION conversion_paths_in(cstring) IS 'Text input of conversion_paths';

CREATE FUNCTION conversion_paths_out(conversion_paths) RETURNS cstring
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION conversion_paths_out(conversion_paths) IS 'Text output of conversion_paths: JSON, exact, and no setting changes it';

CREATE FUNCTION conversion_paths_recv(internal) RETURNS conversion_paths
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION conversion_paths_recv(internal) IS 'Binary input of conversion_paths';

CREATE FUNCTION conversion_paths_send(conversion_paths) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION conversion_paths_send(conversion_paths) IS 'Binary output of conversion_paths';

CREATE TYPE conversion_paths (
	INPUT = conversion_paths_in,
	OUTPUT = conversion_paths_out,
	RECEIVE = conversion_paths_recv,
	SEND = conversion_paths_send,
	INTERNALLENGTH = variable,
	ALIGNMENT = double,
	STORAGE = extended
);
COMMENT ON TYPE conversion_paths IS 'Distinct conversion paths (customer journeys) with how many converted, their value, and how many did not. Storable and mergeable: made by the aggregate conversion_paths, merged by rollup, read by attribution for every model';

CREATE FUNCTION conversion_paths_eq(conversion_paths, conversion_paths) RETURNS boolean
AS 'MODULE_PATHNAME', 'attribution_state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION conversion_paths_eq(conversion_paths, conversion_paths) IS 'Behind the operator = of conversion_paths';

CREATE FUNCTION conversion_paths_ne(conversion_paths, conversion_paths) RETURNS boolean
AS 'MODULE_PATHNAME', 'attribution_state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION conversion_paths_ne(conversion_paths, conversion_paths) IS 'Behind the operator <> of conversion_paths';

CREATE FUNCTION conversion_paths_hash(conversion_paths) RETURNS integer
AS 'MODULE_PATHNAME', 'attribution_state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION conversion_paths_hash(conversion_paths) IS 'Hash of a conversion_paths, for GROUP BY, DISTINCT and joins';

CREATE FUNCTION conversion_paths_hash_extended(conversion_paths, bigint) RETURNS bigint
AS 'MODULE_PATHNAME', 'attribution_state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION conversion_paths_hash_extended(conversion_paths, bigint) IS 'Seeded 64-bit hash of a conversion_paths, for hash partitions';

CREATE OPERATOR = (
	LEFTARG = conversion_paths,
	RIGHTARG = conversion_paths,
	FUNCTION = conversion_paths_eq,
	COMMUTATOR = =,
	NEGATOR = <>,
	RESTRICT = eqsel,
	JOIN = eqjoinsel,
	HASHES
);
COMMENT ON OPERATOR = (conversion_paths, conversion_paths) IS 'Same paths with the same counts and values';

CREATE OPERATOR <> (
	LEFTARG = conversion_paths,
	RIGHTARG = conversion_paths,
	FUNCTION = conversion_paths_ne,
	COMMUTATOR = <>,
	NEGATOR = =,
	RESTRICT = neqsel,
	JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (conversion_paths, conversion_paths) IS 'Different paths, counts or values';

CREATE OPERATOR CLASS conversion_paths_hash_ops
	DEFAULT FOR TYPE conversion_paths USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 conversion_paths_hash(conversion_paths),
	FUNCTION 2 conversion_paths_hash_extended(conversion_paths, bigint);
COMMENT ON OPERATOR CLASS conversion_paths_hash_ops USING hash IS 'Hashing of conversion_paths; it has no order, as none would mean anything';
COMMENT ON OPERATOR FAMILY conversion_paths_hash_ops USING hash IS 'Hashing of conversion_paths';

CREATE FUNCTION conversion_paths_accum(conversion_paths, path text[], conversions bigint, value double precision, non_conversions bigint) RETURNS conversion_paths
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION conversion_paths_accum(conversion_paths, text[], bigint, double precision, bigint) IS 'A step of the aggregate conversion_paths: counts the paths of one row';

CREATE FUNCTION conversion_paths_accum(conversion_paths, path text[], touched_at timestamptz[], converted_at timestamptz, value double precision, half_life interval) RETURNS conversion_paths
AS 'MODULE_PATHNAME', 'conversion_paths_accum_timed' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION conversion_paths_accum(conversion_paths, text[], timestamptz[], timestamptz, double precision, interval) IS 'A step of the aggregate conversion_paths: counts one journey';

CREATE FUNCTION conversion_paths_accum(conversion_paths, path text[], touched_at timestamptz[], converted_at timestamptz, value double precision) RETURNS conversion_paths
AS 'MODULE_PATHNAME', 'conversion_paths_accum_timed' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION conversion_paths_accum(conversion_paths, text[], timestamptz[], timestamptz, double precision) IS 'A step of the aggregate conversion_paths: counts one journey';

CREATE FUNCTION conversion_paths_combine(conversion_paths, conversion_paths) RETURNS conversion_paths
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION conversion_paths_combine(conversion_paths, conversion_paths) IS 'A step of the aggregate rollup: adds one set of paths to another';

CREATE AGGREGATE conversion_paths(path text[], conversions bigint, value double precision, non_conversions bigint) (
	STYPE = conversion_paths,
	SSPACE = 8192,
	SFUNC = conversion_paths_accum,
	COMBINEFUNC = conversion_paths_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE conversion_paths(text[], bigint, double precision, bigint) IS 'Collects conversion paths. conversions went through this path and brought value together; non_conversions went through it and did not convert. NULL counts are 0. A NULL or empty channel is skipped; conversions of a path without channels are kept as (unattributed)';

CREATE AGGREGATE conversion_paths(path text[], touched_at timestamptz[], converted_at timestamptz, value double precision, half_life interval) (
	STYPE = conversion_paths,
	SSPACE = 8192,
	SFUNC = conversion_paths_accum,
	COMBINEFUNC = conversion_paths_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE conversion_paths(text[], timestamptz[], timestamptz, double precision, interval) IS 'Collects the rows of journeys(), one journey each; converted_at NULL: it did not convert. As it sees the times of touches, the model time_decay works too, with this half_life';

CREATE AGGREGATE conversion_paths(path text[], touched_at timestamptz[], converted_at timestamptz, value double precision) (
	STYPE = conversion_paths,
	SSPACE = 8192,
	SFUNC = conversion_paths_accum,
	COMBINEFUNC = conversion_paths_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE conversion_paths(text[], timestamptz[], timestamptz, double precision) IS 'Collects the rows of journeys(), with a half-life of 7 days for the model time_decay';

CREATE AGGREGATE rollup(conversion_paths) (
	STYPE = conversion_paths,
	SSPACE = 8192,
	SFUNC = conversion_paths_combine,
	COMBINEFUNC = conversion_paths_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE rollup(conversion_paths) IS 'Merges sets of conversion paths into one, as if one aggregate had seen all of them: keep one a day, merge when asked';

-- Markov chains of conversion paths

CREATE TYPE markov;

CREATE FUNCTION markov_in(cstring) RETURNS markov
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION markov_in(cstring) IS 'Text input of markov';

CREATE FUNCTION markov_out(markov) RETURNS cstring
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION markov_out(markov) IS 'Text output of markov: JSON, exact, and no setting changes it';

CREATE FUNCTION markov_recv(internal) RETURNS markov
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION markov_recv(internal) IS 'Binary input of markov';

CREATE FUNCTION markov_send(markov) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION markov_send(markov) IS 'Binary output of markov';

CREATE TYPE markov (
	INPUT = markov_in,
	OUTPUT = markov_out,
	RECEIVE = markov_recv,
	SEND = markov_send,
	INTERNALLENGTH = variable,
	ALIGNMENT = double,
	STORAGE = extended
);
COMMENT ON TYPE markov IS 'How often each channel, or run of channels, follows another in conversion paths. Storable and mergeable: made by the aggregate markov, merged by rollup, read by attribution. Its size follows the distinct transitions, not the paths';

CREATE FUNCTION markov_eq(markov, markov) RETURNS boolean
AS 'MODULE_PATHNAME', 'attribution_state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION markov_eq(markov, markov) IS 'Behind the operator = of markov';

CREATE FUNCTION markov_ne(markov, markov) RETURNS boolean
AS 'MODULE_PATHNAME', 'attribution_state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION markov_ne(markov, markov) IS 'Behind the operator <> of markov';

CREATE FUNCTION markov_hash(markov) RETURNS integer
AS 'MODULE_PATHNAME', 'attribution_state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION markov_hash(markov) IS 'Hash of a markov, for GROUP BY, DISTINCT and joins';

CREATE FUNCTION markov_hash_extended(markov, bigint) RETURNS bigint
AS 'MODULE_PATHNAME', 'attribution_state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION markov_hash_extended(markov, bigint) IS 'Seeded 64-bit hash of a markov, for hash partitions';

CREATE OPERATOR = (
	LEFTARG = markov,
	RIGHTARG = markov,
	FUNCTION = markov_eq,
	COMMUTATOR = =,
	NEGATOR = <>,
	RESTRICT = eqsel,
	JOIN = eqjoinsel,
	HASHES
);
COMMENT ON OPERATOR = (markov, markov) IS 'Same order, states and transitions with the same counts and values';

CREATE OPERATOR <> (
	LEFTARG = markov,
	RIGHTARG = markov,
	FUNCTION = markov_ne,
	COMMUTATOR = <>,
	NEGATOR = =,
	RESTRICT = neqsel,
	JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (markov, markov) IS 'Different order, states, transitions, counts or values';

CREATE OPERATOR CLASS markov_hash_ops
	DEFAULT FOR TYPE markov USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 markov_hash(markov),
	FUNCTION 2 markov_hash_extended(markov, bigint);
COMMENT ON OPERATOR CLASS markov_hash_ops USING hash IS 'Hashing of markov; it has no order, as none would mean anything';
COMMENT ON OPERATOR FAMILY markov_hash_ops USING hash IS 'Hashing of markov';

CREATE FUNCTION markov_accum(markov, path text[], conversions bigint, value double precision, non_conversions bigint, chain_order integer) RETURNS markov
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION markov_accum(markov, text[], bigint, double precision, bigint, integer) IS 'A step of the aggregate markov: counts the paths of one row';

CREATE FUNCTION markov_combine(markov, markov) RETURNS markov
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION markov_combine(markov, markov) IS 'A step of the aggregate rollup: adds one Markov chain to another';

CREATE AGGREGATE markov(path text[], conversions bigint, value double precision, non_conversions bigint, chain_order integer) (
	STYPE = markov,
	SSPACE = 8192,
	SFUNC = markov_accum,
	COMBINEFUNC = markov_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE markov(text[], bigint, double precision, bigint, integer) IS 'Counts the transitions of paths, for Markov chain attribution. conversions went through this path and brought value together; non_conversions went through it and did not convert. chain_order, from 1 to 4 and the same in all rows, is how many touches a state remembers. NULL counts are 0. A NULL or empty channel is skipped; conversions of a path without channels are kept as (unattributed)';

CREATE AGGREGATE rollup(markov) (
	STYPE = markov,
	SSPACE = 8192,
	SFUNC = markov_combine,
	COMBINEFUNC = markov_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE rollup(markov) IS 'Merges Markov chains of the same order into one, as if one aggregate had seen all of their paths: keep one a day, merge when asked';

CREATE FUNCTION transition_probabilities(chain markov)
RETURNS TABLE (from_state text[], to_state text[], transitions bigint, probability double precision)
AS 'MODULE_PATHNAME', 'markov_transitions' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 100;
COMMENT ON FUNCTION transition_probabilities(markov) IS 'One row for each transition of a Markov chain: how many paths went from one state to the next, and which part that is of all that left it. A state is the last chain_order channels; the first comes after {(start)}, and {(conversion)} or {(no conversion)} after the last';

CREATE FUNCTION markov(paths conversion_paths, chain_order integer DEFAULT 1) RETURNS markov
AS 'MODULE_PATHNAME', 'markov_of_paths' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION markov(conversion_paths, integer) IS 'The Markov chain of conversion paths, of any order from 1 to 4';

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

-- Reading conversion paths

CREATE FUNCTION path_counts(paths conversion_paths)
RETURNS TABLE (path text[], conversions bigint, value double precision, non_conversions bigint)
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 1000;
COMMENT ON FUNCTION path_counts(conversion_paths) IS 'The distinct paths with how often each was taken: the most frequent journeys are those with the most conversions + non_conversions. The empty path is that of conversions without touches';

CREATE FUNCTION path_totals(paths conversion_paths,
	OUT distinct_paths bigint, OUT channels integer, OUT conversions bigint, OUT non_conversions bigint, OUT value double precision,
	OUT unattributed_conversions bigint, OUT unattributed_value double precision, OUT has_times boolean, OUT half_life interval)
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION path_totals(conversion_paths) IS 'Totals of conversion paths. has_times: the times of all touches that led to a conversion were seen, so the model time_decay can be used, with this half_life';

-- Attribution: what each channel is credited with

CREATE FUNCTION attribution(chain markov, max_states integer DEFAULT 100000)
RETURNS TABLE (channel text, removal_effect double precision, value_removal_effect double precision,
	share double precision, conversions double precision, value double precision)
AS 'MODULE_PATHNAME', 'attribution_markov' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 20;
COMMENT ON FUNCTION attribution(markov, integer) IS 'Markov chain attribution (data-driven attribution), solved exactly: for each channel the part of conversions, and of their value, that would be lost without it, and its share of these removal effects as conversions and value. Conversions without touches are credited to (unattributed). Without conversions effects are NULL. More than max_states states are an error';

CREATE FUNCTION attribution(
	paths conversion_paths,
	model text,
	chain_order integer DEFAULT 1,
	skip text[] DEFAULT NULL,
	weights double precision[] DEFAULT NULL,
	permutations integer DEFAULT 1000,
	seed bigint DEFAULT 1,
	max_states integer DEFAULT 100000
)
RETURNS TABLE (channel text, share double precision, conversions double precision, value double precision,
	effect double precision, std_error double precision,
	assisted_conversions double precision, last_touch_conversions double precision, assist_ratio double precision,
	mean_path_length double precision, mean_days_to_conversion double precision)
AS 'MODULE_PATHNAME', 'attribution_paths' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 20;
COMMENT ON FUNCTION attribution(conversion_paths, text, integer, text[], double precision[], integer, bigint, integer) IS 'What a model credits each channel with. Models: first_touch, last_touch, last_non_direct (which passes over the channels in skip, by default (direct)), linear, position_based (weights of first, middle, last), u_shaped, j_shaped, inverse_j_shaped, time_decay, participation (which credits every channel of a path in full), markov and shapley_markov (of chain_order), shapley, shapley_ordered, shapley_observed. effect is the removal effect of markov, or the Shapley value in the rate of conversion: of shapley_observed as it is, also negative, and without conversions if all channels were never met together; std_error that of conversions, where orders of channels are drawn (permutations, seed: beyond 16 channels, or where counting all coalitions is more work). assisted_conversions: the channel was in the path, but not last';

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

-- Choosing the order of a Markov chain

CREATE FUNCTION chain_order_scores(
	paths conversion_paths,
	max_order integer DEFAULT 4,
	folds integer DEFAULT 5,
	seed bigint DEFAULT 1
)
RETURNS TABLE (chain_order integer, log_loss double precision, log_loss_std_error double precision,
	auc double precision, penalized_auc double precision, states bigint, is_best boolean)
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 4;
COMMENT ON FUNCTION chain_order_scores(conversion_paths, integer, integer, bigint) IS 'How well Markov chains of orders 1 to max_order foretell journeys that they have not seen (model selection by cross-validation): each journey is dealt to one of the folds at random, by the seed, and each fold is judged by the chain of the others. log_loss is the mean of -ln(probability) of a whole journey, each touch and its end, and smaller is better; is_best marks the smallest. By the one-standard-error rule, take the lowest order whose log_loss is at most that of the best plus the best''s log_loss_std_error. auc: how often a journey that converts gets a higher probability of conversion where it ends than one that does not; penalized_auc takes off for the number of states, in the manner of adjusted R squared (compare choose_order of the R package ChannelAttribution). Paths without channels are left out';

-- Shapley values by position

CREATE FUNCTION shapley_positions(paths conversion_paths)
RETURNS TABLE (channel text, touch_position integer, conversions double precision, value double precision)
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 100;
COMMENT ON FUNCTION shapley_positions(conversion_paths) IS 'The ordered Shapley value (Zhao, Mahboobi and Bagheri 2018): each channel''s credit by the model shapley, by its position in the path, from 1. The positions of a channel add up to its credit';

-- Reports of attribution
--
-- The body is bound when the extension is made, with the names that stand in its schema
-- then: what is not ours is named so that no other can be meant.

CREATE FUNCTION attribution_spend(spend jsonb, margin double precision DEFAULT NULL)
RETURNS TABLE (channel text, spend double precision)
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 20;
COMMENT ON FUNCTION attribution_spend(jsonb, double precision) IS 'A step of attribution_report: the amounts in spend, an object of channels and numbers of 0 or more; also checks that margin is from 0 to 1';

CREATE FUNCTION attribution_report(
	paths conversion_paths,
	models text[] DEFAULT NULL,
	spend jsonb DEFAULT NULL,
	margin double precision DEFAULT NULL,
	chain_order integer DEFAULT 1,
	skip text[] DEFAULT NULL,
	weights double precision[] DEFAULT NULL,
	permutations integer DEFAULT 1000,
	seed bigint DEFAULT 1,
	max_states integer DEFAULT 100000
)
RETURNS TABLE (model text, channel text, share double precision, conversions double precision, value double precision,
	spend double precision, cpa double precision, roas double precision, romi double precision,
	assisted_conversions double precision, last_touch_conversions double precision, assist_ratio double precision,
	mean_path_length double precision, mean_days_to_conversion double precision)
LANGUAGE SQL IMMUTABLE PARALLEL SAFE ROWS 100
BEGIN ATOMIC
	WITH asked AS (
		SELECT m.model, m.place
		FROM pg_catalog.unnest(coalesce(models,
			CASE WHEN (path_totals(paths)).has_times
				THEN ARRAY['first_touch', 'last_touch', 'last_non_direct', 'linear', 'position_based', 'time_decay', 'markov', 'shapley']
				ELSE ARRAY['first_touch', 'last_touch', 'last_non_direct', 'linear', 'position_based', 'markov', 'shapley'] END)) WITH ORDINALITY AS m (model, place)
		WHERE m.model IS NOT NULL
	), credit AS (
		SELECT q.place, q.model, true AS is_credited, a.*
		FROM asked q CROSS JOIN LATERAL attribution(paths, q.model, chain_order, skip, weights, permutations, seed, max_states) a
	), cost AS (
		SELECT q.place, q.model, s.channel, s.spend
		FROM asked q CROSS JOIN attribution_spend(spend, margin) s
	)
	SELECT model, channel, c.share, CASE WHEN c.is_credited THEN c.conversions ELSE 0 END, CASE WHEN c.is_credited THEN c.value ELSE 0 END, s.spend,
		s.spend / nullif(c.conversions, 0::double precision),
		CASE WHEN c.is_credited THEN c.value ELSE 0 END / nullif(s.spend, 0::double precision),
		(CASE WHEN c.is_credited THEN c.value ELSE 0 END * coalesce(margin, 1::double precision) - s.spend) / nullif(s.spend, 0::double precision),
		c.assisted_conversions, c.last_touch_conversions, c.assist_ratio, c.mean_path_length, c.mean_days_to_conversion
	FROM credit c FULL JOIN cost s USING (place, model, channel)
	ORDER BY place, CASE WHEN channel OPERATOR(pg_catalog.=) '(unattributed)'::text THEN 2 ELSE 1 END, channel COLLATE "C";
END;
COMMENT ON FUNCTION attribution_report(conversion_paths, text[], jsonb, double precision, integer, text[], double precision[], integer, bigint, integer) IS 'Models side by side: for each model and channel conversions and value, and with spend, a JSON object of amounts by channel, cost per conversion (cpa), return on ad spend (roas: value per amount spent) and return on marketing investment (romi: gain per amount spent, of the margin where it is given, as a part of value). Without models all that apply, but participation, whose credit does not add up. Channels with spend but without credit are there, too';
