\echo Use "CREATE EXTENSION engagement" to load this file. \quit

-- The type timeline

CREATE TYPE timeline;

CREATE FUNCTION timeline_in(cstring) RETURNS timeline
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_in(cstring) IS 'Text input of timeline';

CREATE FUNCTION timeline_out(timeline) RETURNS cstring
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_out(timeline) IS 'Text output of timeline';

CREATE FUNCTION timeline_recv(internal) RETURNS timeline
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_recv(internal) IS 'Binary input of timeline';

CREATE FUNCTION timeline_send(timeline) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_send(timeline) IS 'Binary output of timeline';

CREATE FUNCTION timeline_typanalyze(internal) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
COMMENT ON FUNCTION timeline_typanalyze(internal) IS 'ANALYZE of a column of type timeline: share of NULLs and width only';

CREATE TYPE timeline (
	INPUT = timeline_in,
	OUTPUT = timeline_out,
	RECEIVE = timeline_recv,
	SEND = timeline_send,
	ANALYZE = timeline_typanalyze,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE timeline IS 'Everything one visitor did, in order of time: events with a time, a label, and perhaps a channel, a value and properties';

-- Equality, order and hash of timelines

CREATE FUNCTION timeline_eq(timeline, timeline) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_eq(timeline, timeline) IS 'Implementation of the = operator: the same events';

CREATE FUNCTION timeline_ne(timeline, timeline) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_ne(timeline, timeline) IS 'Implementation of the <> operator';

CREATE FUNCTION timeline_lt(timeline, timeline) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_lt(timeline, timeline) IS 'Implementation of the < operator: events compared one after the other, by time first';

CREATE FUNCTION timeline_le(timeline, timeline) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_le(timeline, timeline) IS 'Implementation of the <= operator';

CREATE FUNCTION timeline_gt(timeline, timeline) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_gt(timeline, timeline) IS 'Implementation of the > operator';

CREATE FUNCTION timeline_ge(timeline, timeline) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_ge(timeline, timeline) IS 'Implementation of the >= operator';

CREATE FUNCTION timeline_cmp(timeline, timeline) RETURNS integer
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_cmp(timeline, timeline) IS 'Order of two timelines for btree: less than, equal to or greater than 0';

CREATE FUNCTION timeline_hash(timeline) RETURNS integer
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_hash(timeline) IS 'Hash of a timeline''s content';

CREATE FUNCTION timeline_hash_extended(timeline, bigint) RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_hash_extended(timeline, bigint) IS 'Hash of a timeline''s content with a seed';

CREATE OPERATOR = (
	LEFTARG = timeline, RIGHTARG = timeline, FUNCTION = timeline_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR = (timeline, timeline) IS 'the same events';

CREATE OPERATOR <> (
	LEFTARG = timeline, RIGHTARG = timeline, FUNCTION = timeline_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (timeline, timeline) IS 'not the same events';

CREATE OPERATOR < (
	LEFTARG = timeline, RIGHTARG = timeline, FUNCTION = timeline_lt,
	COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (timeline, timeline) IS 'earlier in the order of events';

CREATE OPERATOR <= (
	LEFTARG = timeline, RIGHTARG = timeline, FUNCTION = timeline_le,
	COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (timeline, timeline) IS 'earlier in the order of events, or equal';

CREATE OPERATOR > (
	LEFTARG = timeline, RIGHTARG = timeline, FUNCTION = timeline_gt,
	COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (timeline, timeline) IS 'later in the order of events';

CREATE OPERATOR >= (
	LEFTARG = timeline, RIGHTARG = timeline, FUNCTION = timeline_ge,
	COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (timeline, timeline) IS 'later in the order of events, or equal';

CREATE OPERATOR CLASS timeline_ops DEFAULT FOR TYPE timeline USING btree AS
	OPERATOR 1 <,
	OPERATOR 2 <=,
	OPERATOR 3 =,
	OPERATOR 4 >=,
	OPERATOR 5 >,
	FUNCTION 1 timeline_cmp(timeline, timeline);
COMMENT ON OPERATOR CLASS timeline_ops USING btree IS 'ORDER BY, DISTINCT and merge joins on timelines';
COMMENT ON OPERATOR FAMILY timeline_ops USING btree IS 'order of timelines';

CREATE OPERATOR CLASS timeline_hash_ops DEFAULT FOR TYPE timeline USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 timeline_hash(timeline),
	FUNCTION 2 timeline_hash_extended(timeline, bigint);
COMMENT ON OPERATOR CLASS timeline_hash_ops USING hash IS 'GROUP BY, DISTINCT and hash joins on timelines';
COMMENT ON OPERATOR FAMILY timeline_hash_ops USING hash IS 'hash of timelines';

-- Casts between timeline and jsonb

CREATE FUNCTION timeline_to_jsonb(timeline) RETURNS jsonb
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_to_jsonb(timeline) IS 'A timeline as a JSON array of objects with at, event, channel, value and properties; what an event does not have is left out';

CREATE FUNCTION timeline_from_jsonb(jsonb) RETURNS timeline
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_from_jsonb(jsonb) IS 'A timeline from a JSON array of objects with at (ISO 8601), event, and optionally channel, value and properties, in any order';

CREATE CAST (timeline AS jsonb) WITH FUNCTION timeline_to_jsonb(timeline);
COMMENT ON CAST (timeline AS jsonb) IS 'A JSON array with one object for each event';

CREATE CAST (jsonb AS timeline) WITH FUNCTION timeline_from_jsonb(jsonb);
COMMENT ON CAST (jsonb AS timeline) IS 'From a JSON array with one object for each event';

-- The aggregates that build timelines

CREATE FUNCTION timeline_transition(internal, timestamptz, text) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION timeline_transition(internal, timestamptz, text) IS 'Transition function of the aggregate timeline';

CREATE FUNCTION timeline_transition(internal, timestamptz, text, text) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION timeline_transition(internal, timestamptz, text, text) IS 'Transition function of the aggregate timeline';

CREATE FUNCTION timeline_transition(internal, timestamptz, text, text, double precision) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION timeline_transition(internal, timestamptz, text, text, double precision) IS 'Transition function of the aggregate timeline';

CREATE FUNCTION timeline_transition(internal, timestamptz, text, text, double precision, jsonb) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION timeline_transition(internal, timestamptz, text, text, double precision, jsonb) IS 'Transition function of the aggregate timeline';

CREATE FUNCTION timeline_rollup_transition(internal, timeline) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION timeline_rollup_transition(internal, timeline) IS 'Transition function of the aggregate rollup(timeline)';

CREATE FUNCTION timeline_combine(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION timeline_combine(internal, internal) IS 'Combine function of the aggregates timeline and rollup(timeline)';

CREATE FUNCTION timeline_serialize(internal) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_serialize(internal) IS 'Serialisation of the aggregates timeline and rollup(timeline)';

CREATE FUNCTION timeline_deserialize(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_deserialize(bytea, internal) IS 'Deserialisation of the aggregates timeline and rollup(timeline)';

CREATE FUNCTION timeline_final(internal) RETURNS timeline
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION timeline_final(internal) IS 'Final function of the aggregates timeline and rollup(timeline)';

CREATE AGGREGATE timeline(at timestamptz, event text) (
	SFUNC = timeline_transition,
	STYPE = internal,
	SSPACE = 256,
	COMBINEFUNC = timeline_combine,
	SERIALFUNC = timeline_serialize,
	DESERIALFUNC = timeline_deserialize,
	FINALFUNC = timeline_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE timeline(timestamptz, text) IS 'The timeline of a group''s events by time and event label, from rows in any order; rows without time or event are skipped; no rows give an empty timeline. Use with GROUP BY visitor';

CREATE AGGREGATE timeline(at timestamptz, event text, channel text) (
	SFUNC = timeline_transition,
	STYPE = internal,
	SSPACE = 256,
	COMBINEFUNC = timeline_combine,
	SERIALFUNC = timeline_serialize,
	DESERIALFUNC = timeline_deserialize,
	FINALFUNC = timeline_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE timeline(timestamptz, text, text) IS 'The timeline of a group''s events by time, event label and channel, from rows in any order; rows without time or event are skipped; no rows give an empty timeline. Use with GROUP BY visitor';

CREATE AGGREGATE timeline(at timestamptz, event text, channel text, value double precision) (
	SFUNC = timeline_transition,
	STYPE = internal,
	SSPACE = 256,
	COMBINEFUNC = timeline_combine,
	SERIALFUNC = timeline_serialize,
	DESERIALFUNC = timeline_deserialize,
	FINALFUNC = timeline_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE timeline(timestamptz, text, text, double precision) IS 'The timeline of a group''s events by time, event label, channel and value, from rows in any order; rows without time or event are skipped; no rows give an empty timeline. Use with GROUP BY visitor';

CREATE AGGREGATE timeline(at timestamptz, event text, channel text, value double precision, properties jsonb) (
	SFUNC = timeline_transition,
	STYPE = internal,
	SSPACE = 256,
	COMBINEFUNC = timeline_combine,
	SERIALFUNC = timeline_serialize,
	DESERIALFUNC = timeline_deserialize,
	FINALFUNC = timeline_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE timeline(timestamptz, text, text, double precision, jsonb) IS 'The timeline of a group''s events by time, event label, channel, value and properties, from rows in any order; rows without time or event are skipped; no rows give an empty timeline. Use with GROUP BY visitor';

CREATE AGGREGATE rollup(timeline) (
	SFUNC = timeline_rollup_transition,
	STYPE = internal,
	SSPACE = 256,
	COMBINEFUNC = timeline_combine,
	SERIALFUNC = timeline_serialize,
	DESERIALFUNC = timeline_deserialize,
	FINALFUNC = timeline_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE rollup(timeline) IS 'All events of several timelines in one, repeats included: the pieces of one visitor from several days, devices or sources';

CREATE FUNCTION timeline_concatenate(timeline, timeline) RETURNS timeline
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION timeline_concatenate(timeline, timeline) IS 'Implementation of the || operator';

CREATE OPERATOR || (
	LEFTARG = timeline, RIGHTARG = timeline, FUNCTION = timeline_concatenate,
	COMMUTATOR = ||
);
COMMENT ON OPERATOR || (timeline, timeline) IS 'all events of both, repeats included';

-- events(timeline)

CREATE FUNCTION events(timeline timeline)
RETURNS TABLE (at timestamptz, event text, channel text, value double precision, properties jsonb)
AS 'MODULE_PATHNAME', 'timeline_events' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 10;
COMMENT ON FUNCTION events(timeline) IS 'One row for each event, in order of time';

-- Parts of a timeline

CREATE FUNCTION keep(timeline timeline, pattern text) RETURNS timeline
AS 'MODULE_PATHNAME', 'timeline_keep' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION keep(timeline, text) IS 'Only the events that match the pattern';

CREATE FUNCTION omit(timeline timeline, pattern text) RETURNS timeline
AS 'MODULE_PATHNAME', 'timeline_omit' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION omit(timeline, text) IS 'All events but those that match the pattern';

CREATE FUNCTION during(timeline timeline, period tstzrange) RETURNS timeline
AS 'MODULE_PATHNAME', 'timeline_during' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION during(timeline, tstzrange) IS 'Only the events within the period; its bounds count as the range says';

CREATE FUNCTION between_times(timeline timeline, from_at timestamptz, to_at timestamptz) RETURNS timeline
AS 'MODULE_PATHNAME', 'timeline_between_times' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION between_times(timeline, timestamptz, timestamptz) IS 'Only the events from from_at on and before to_at; NULL leaves that side open';

-- Single figures of a timeline

CREATE FUNCTION event_count(timeline timeline, pattern text DEFAULT NULL) RETURNS bigint
AS 'MODULE_PATHNAME', 'timeline_event_count' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION event_count(timeline, text) IS 'Number of events, or of those that match the pattern';

CREATE FUNCTION total_value(timeline timeline, pattern text DEFAULT NULL) RETURNS double precision
AS 'MODULE_PATHNAME', 'timeline_total_value' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION total_value(timeline, text) IS 'Sum of the values of the events, or of those that match the pattern, in the unit of the values (revenue); NULL if none has a value; exact for whole numbers and hundredths';

CREATE FUNCTION first_at(timeline timeline, pattern text DEFAULT NULL) RETURNS timestamptz
AS 'MODULE_PATHNAME', 'timeline_first_at' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION first_at(timeline, text) IS 'Time of the first event, or of the first that matches the pattern; NULL if there is none';

CREATE FUNCTION last_at(timeline timeline, pattern text DEFAULT NULL) RETURNS timestamptz
AS 'MODULE_PATHNAME', 'timeline_last_at' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION last_at(timeline, text) IS 'Time of the last event, or of the last that matches the pattern; NULL if there is none';

CREATE FUNCTION span(timeline timeline, pattern text DEFAULT NULL) RETURNS interval
AS 'MODULE_PATHNAME', 'timeline_span' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION span(timeline, text) IS 'Time from the first event to the last, or between those that match the pattern; NULL if there is none';

CREATE FUNCTION first_property(timeline timeline, key text, pattern text DEFAULT NULL) RETURNS text
AS 'MODULE_PATHNAME', 'timeline_first_property' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION first_property(timeline, text, text) IS 'The property''s first value that is not NULL, as text, among all events or those that match the pattern; key channel gives the channel';

CREATE FUNCTION last_property(timeline timeline, key text, pattern text DEFAULT NULL) RETURNS text
AS 'MODULE_PATHNAME', 'timeline_last_property' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION last_property(timeline, text, text) IS 'The property''s last value that is not NULL, as text, among all events or those that match the pattern; key channel gives the channel';

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

-- Visits on plain rows

CREATE FUNCTION visit_number(at timestamptz, gap interval DEFAULT '30 min', gap_inclusive boolean DEFAULT false)
RETURNS bigint
AS 'MODULE_PATHNAME', 'visit_number' LANGUAGE C IMMUTABLE WINDOW PARALLEL SAFE;
COMMENT ON FUNCTION visit_number(timestamptz, interval, boolean) IS 'Number of the visit (session) that a row belongs to, from 1: visit_number(at) OVER (PARTITION BY visitor ORDER BY at). A pause longer than gap starts a new visit, or one as long if gap_inclusive';

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

-- decayed_score: a score whose events lose half of their value every half-life.

CREATE TYPE decayed_score;

CREATE FUNCTION decayed_score_in(cstring) RETURNS decayed_score
    AS 'MODULE_PATHNAME' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION decayed_score_in(cstring) IS
    'Text input of decayed_score: (time of the last event, half-life in seconds, score at that time, number of events).';

CREATE FUNCTION decayed_score_out(decayed_score) RETURNS cstring
    AS 'MODULE_PATHNAME' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION decayed_score_out(decayed_score) IS
    'Text output of decayed_score; no setting changes it.';

CREATE FUNCTION decayed_score_recv(internal) RETURNS decayed_score
    AS 'MODULE_PATHNAME' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION decayed_score_recv(internal) IS
    'Binary input of decayed_score.';

CREATE FUNCTION decayed_score_send(decayed_score) RETURNS bytea
    AS 'MODULE_PATHNAME' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION decayed_score_send(decayed_score) IS
    'Binary output of decayed_score.';

CREATE TYPE decayed_score (
    INPUT = decayed_score_in,
    OUTPUT = decayed_score_out,
    RECEIVE = decayed_score_recv,
    SEND = decayed_score_send,
    INTERNALLENGTH = 40,
    ALIGNMENT = double,
    STORAGE = plain
);
COMMENT ON TYPE decayed_score IS
    'A sum of values in which each loses half of its weight every half-life (recency-weighted score, lead score with decay, exponentially decayed sum). Small, storable and mergeable: made by decayed_sum, merged by rollup, read by score_at.';

CREATE FUNCTION decayed_score_eq(decayed_score, decayed_score) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION decayed_score_eq(decayed_score, decayed_score) IS
    'Behind the operator = of decayed_score.';

CREATE FUNCTION decayed_score_ne(decayed_score, decayed_score) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION decayed_score_ne(decayed_score, decayed_score) IS
    'Behind the operator <> of decayed_score.';

CREATE FUNCTION decayed_score_hash(decayed_score) RETURNS integer
    AS 'MODULE_PATHNAME' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION decayed_score_hash(decayed_score) IS
    'Hash of a decayed_score, for GROUP BY, DISTINCT and joins.';

CREATE FUNCTION decayed_score_hash_extended(decayed_score, bigint) RETURNS bigint
    AS 'MODULE_PATHNAME' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION decayed_score_hash_extended(decayed_score, bigint) IS
    'Seeded 64-bit hash of a decayed_score, for hash partitions.';

CREATE OPERATOR = (
    LEFTARG = decayed_score,
    RIGHTARG = decayed_score,
    FUNCTION = decayed_score_eq,
    COMMUTATOR = =,
    NEGATOR = <>,
    RESTRICT = eqsel,
    JOIN = eqjoinsel,
    HASHES
);
COMMENT ON OPERATOR = (decayed_score, decayed_score) IS
    'Same last event time, half-life, score and number of events.';

CREATE OPERATOR <> (
    LEFTARG = decayed_score,
    RIGHTARG = decayed_score,
    FUNCTION = decayed_score_ne,
    COMMUTATOR = <>,
    NEGATOR = =,
    RESTRICT = neqsel,
    JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (decayed_score, decayed_score) IS
    'Different last event time, half-life, score or number of events.';

CREATE OPERATOR CLASS decayed_score_hash_ops
    DEFAULT FOR TYPE decayed_score USING hash AS
    OPERATOR 1 =,
    FUNCTION 1 decayed_score_hash(decayed_score),
    FUNCTION 2 decayed_score_hash_extended(decayed_score, bigint);
COMMENT ON OPERATOR CLASS decayed_score_hash_ops USING hash IS
    'Hashing of decayed_score. There is no order on purpose: ORDER BY score_at(score, time) ranks by score.';
COMMENT ON OPERATOR FAMILY decayed_score_hash_ops USING hash IS
    'Hashing of decayed_score.';

CREATE FUNCTION decayed_score_accum(decayed_score, value double precision, at timestamptz, half_life interval)
    RETURNS decayed_score
    AS 'MODULE_PATHNAME' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION decayed_score_accum(decayed_score, double precision, timestamptz, interval) IS
    'A step of the aggregate decayed_sum: adds one event to a score.';

CREATE FUNCTION decayed_score_combine(decayed_score, decayed_score) RETURNS decayed_score
    AS 'MODULE_PATHNAME' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION decayed_score_combine(decayed_score, decayed_score) IS
    'A step of the aggregate rollup: merges two scores of the same half-life.';

CREATE FUNCTION decayed_score_final(decayed_score) RETURNS decayed_score
    AS 'MODULE_PATHNAME' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION decayed_score_final(decayed_score) IS
    'The last step of the aggregates decayed_sum and rollup.';

CREATE AGGREGATE decayed_sum(value double precision, at timestamptz, half_life interval) (
    STYPE = decayed_score,
    SFUNC = decayed_score_accum,
    FINALFUNC = decayed_score_final,
    COMBINEFUNC = decayed_score_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE decayed_sum(double precision, timestamptz, interval) IS
    'Adds up values so that each loses half of its weight every half-life (recency-weighted score, lead scoring with decay, exponentially decayed sum). Rows with a NULL value or time are skipped. Read the result with score_at. A day is 24 hours; months are refused.';

CREATE AGGREGATE rollup(decayed_score) (
    STYPE = decayed_score,
    SFUNC = decayed_score_combine,
    FINALFUNC = decayed_score_final,
    COMBINEFUNC = decayed_score_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE rollup(decayed_score) IS
    'Merges stored scores of the same half-life into one, as if decayed_sum had seen all of their events: keep one score per day, merge when asked.';

CREATE FUNCTION score_at(score decayed_score, at timestamptz) RETURNS double precision
    AS 'MODULE_PATHNAME' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION score_at(decayed_score, timestamptz) IS
    'The score at a time, with all decay up to then. The time must not be before the last event.';

CREATE FUNCTION score_anchor(score decayed_score) RETURNS timestamptz
    AS 'MODULE_PATHNAME' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION score_anchor(decayed_score) IS
    'The time of the last event in a score (recency): the first time that score_at can read.';

CREATE FUNCTION score_half_life(score decayed_score) RETURNS interval
    AS 'MODULE_PATHNAME' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION score_half_life(decayed_score) IS
    'The half-life of a score: the time in which a value loses half of its weight.';

CREATE FUNCTION score_count(score decayed_score) RETURNS bigint
    AS 'MODULE_PATHNAME' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION score_count(decayed_score) IS
    'The number of events in a score (frequency), without decay.';
-- Funnels

CREATE FUNCTION funnel(
	timeline timeline,
	steps text[],
	within interval DEFAULT NULL,
	step_within interval[] DEFAULT NULL,
	mode text DEFAULT 'ordered',
	once boolean DEFAULT true,
	strictly_increasing boolean DEFAULT false,
	exclude text[] DEFAULT NULL,
	exclude_after integer[] DEFAULT NULL,
	optional integer[] DEFAULT NULL,
	hold text DEFAULT NULL,
	entered tstzrange DEFAULT NULL
) RETURNS timestamptz[]
AS 'MODULE_PATHNAME', 'funnel' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION funnel(timeline, text[], interval, interval[], text, boolean, boolean, text[], integer[], integer[], text, tstzrange) IS 'The times at which the visitor reached each step (a pattern each), NULL for a step skipped or not reached: those of the longest chain of events that completes steps from the first on; among such chains the one that ends earliest, then starts latest. within: conversion window from the first step, inclusive; step_within: the same from step to step, one for all gaps or one each. mode: ordered; any (unordered: in any order within the window); contiguous (strict, exact_order: no other event between). once: an event serves one step. strictly_increasing: steps at one instant do not follow each other. exclude: patterns of events that break a chain between two steps; exclude_after: only after this step. optional: numbers of steps that may be skipped. hold: a property, or channel, whose value must be the same in all events of the chain. entered: when the first step must have been';

CREATE FUNCTION funnel_level(
	timeline timeline,
	steps text[],
	within interval DEFAULT NULL,
	step_within interval[] DEFAULT NULL,
	mode text DEFAULT 'ordered',
	once boolean DEFAULT true,
	strictly_increasing boolean DEFAULT false,
	exclude text[] DEFAULT NULL,
	exclude_after integer[] DEFAULT NULL,
	optional integer[] DEFAULT NULL,
	hold text DEFAULT NULL,
	entered tstzrange DEFAULT NULL
) RETURNS integer
AS 'MODULE_PATHNAME', 'funnel_level' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION funnel_level(timeline, text[], interval, interval[], text, boolean, boolean, text[], integer[], integer[], text, tstzrange) IS 'Number of the furthest step that the visitor reached, 0 if not even the first (ClickHouse: windowFunnel). The options are those of funnel()';

CREATE FUNCTION funnel_entry(
	timeline timeline,
	steps text[],
	property text,
	within interval DEFAULT NULL,
	step_within interval[] DEFAULT NULL,
	mode text DEFAULT 'ordered',
	once boolean DEFAULT true,
	strictly_increasing boolean DEFAULT false,
	exclude text[] DEFAULT NULL,
	exclude_after integer[] DEFAULT NULL,
	optional integer[] DEFAULT NULL,
	hold text DEFAULT NULL,
	entered tstzrange DEFAULT NULL
) RETURNS text
AS 'MODULE_PATHNAME', 'funnel_entry' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION funnel_entry(timeline, text[], text, interval, interval[], text, boolean, boolean, text[], integer[], integer[], text, tstzrange) IS 'A property (or channel) of the event with which the chain that funnel() reports started, as text: for breakdowns in which a visitor who changes device is counted once. NULL if no step was reached or the event does not have it. The options are those of funnel()';

CREATE FUNCTION funnel_dropoffs(
	timeline timeline,
	steps text[],
	within interval DEFAULT NULL,
	step_within interval[] DEFAULT NULL,
	mode text DEFAULT 'ordered',
	once boolean DEFAULT true,
	strictly_increasing boolean DEFAULT false,
	exclude text[] DEFAULT NULL,
	exclude_after integer[] DEFAULT NULL,
	optional integer[] DEFAULT NULL,
	hold text DEFAULT NULL,
	entered tstzrange DEFAULT NULL,
	as_of timestamptz DEFAULT NULL
)
RETURNS TABLE (step integer, entered_at timestamptz, reached_at timestamptz, next_event text, next_at timestamptz)
AS 'MODULE_PATHNAME', 'funnel_dropoffs' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2 ROWS 1;
COMMENT ON FUNCTION funnel_dropoffs(timeline, text[], interval, interval[], text, boolean, boolean, text[], integer[], integer[], text, tstzrange, timestamptz) IS 'What a visitor who is stuck between two steps did next: one row with the furthest step, when the chain started and when it got there, and the first event after that time (NULL: the visitor was not seen again). No row for who reached no step or all of them, nor, given as_of, for whose window is still open then, which is that of the chain that funnel() reports. The other options are those of funnel()';
-- The statistics of a funnel

CREATE TYPE funnel_stats;

CREATE FUNCTION funnel_stats_in(cstring) RETURNS funnel_stats
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION funnel_stats_in(cstring) IS 'Text input of funnel_stats';

CREATE FUNCTION funnel_stats_out(funnel_stats) RETURNS cstring
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION funnel_stats_out(funnel_stats) IS 'Text output of funnel_stats: exact, and no setting changes it';

CREATE FUNCTION funnel_stats_recv(internal) RETURNS funnel_stats
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION funnel_stats_recv(internal) IS 'Binary input of funnel_stats';

CREATE FUNCTION funnel_stats_send(funnel_stats) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION funnel_stats_send(funnel_stats) IS 'Binary output of funnel_stats';

CREATE TYPE funnel_stats (
	INPUT = funnel_stats_in,
	OUTPUT = funnel_stats_out,
	RECEIVE = funnel_stats_recv,
	SEND = funnel_stats_send,
	INTERNALLENGTH = variable,
	ALIGNMENT = double,
	STORAGE = extended
);
COMMENT ON TYPE funnel_stats IS 'How many visitors reached each step of a funnel, and how long they took. Storable and mergeable: made by the aggregate funnel_stats, merged by rollup, read by funnel_steps';

CREATE FUNCTION funnel_stats_eq(funnel_stats, funnel_stats) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION funnel_stats_eq(funnel_stats, funnel_stats) IS 'Behind the operator = of funnel_stats';

CREATE FUNCTION funnel_stats_ne(funnel_stats, funnel_stats) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION funnel_stats_ne(funnel_stats, funnel_stats) IS 'Behind the operator <> of funnel_stats';

CREATE FUNCTION funnel_stats_hash(funnel_stats) RETURNS integer
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION funnel_stats_hash(funnel_stats) IS 'Hash of a funnel_stats, for GROUP BY, DISTINCT and joins';

CREATE FUNCTION funnel_stats_hash_extended(funnel_stats, bigint) RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION funnel_stats_hash_extended(funnel_stats, bigint) IS 'Seeded 64-bit hash of a funnel_stats, for hash partitions';

CREATE OPERATOR = (
	LEFTARG = funnel_stats,
	RIGHTARG = funnel_stats,
	FUNCTION = funnel_stats_eq,
	COMMUTATOR = =,
	NEGATOR = <>,
	RESTRICT = eqsel,
	JOIN = eqjoinsel,
	HASHES
);
COMMENT ON OPERATOR = (funnel_stats, funnel_stats) IS 'Same window and as_of, and for each step the same numbers of visitors and the same times';

CREATE OPERATOR <> (
	LEFTARG = funnel_stats,
	RIGHTARG = funnel_stats,
	FUNCTION = funnel_stats_ne,
	COMMUTATOR = <>,
	NEGATOR = =,
	RESTRICT = neqsel,
	JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (funnel_stats, funnel_stats) IS 'Different window, as_of, numbers of visitors or times';

CREATE OPERATOR CLASS funnel_stats_hash_ops
	DEFAULT FOR TYPE funnel_stats USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 funnel_stats_hash(funnel_stats),
	FUNCTION 2 funnel_stats_hash_extended(funnel_stats, bigint);
COMMENT ON OPERATOR CLASS funnel_stats_hash_ops USING hash IS 'Hashing of funnel_stats; it has no order, as none would mean anything';
COMMENT ON OPERATOR FAMILY funnel_stats_hash_ops USING hash IS 'Hashing of funnel_stats';

CREATE FUNCTION funnel_stats_accum(funnel_stats, times timestamptz[], within interval, as_of timestamptz) RETURNS funnel_stats
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION funnel_stats_accum(funnel_stats, timestamptz[], interval, timestamptz) IS 'Transition function of the aggregate funnel_stats: adds one visitor';

CREATE FUNCTION funnel_stats_combine(funnel_stats, funnel_stats) RETURNS funnel_stats
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION funnel_stats_combine(funnel_stats, funnel_stats) IS 'Transition function of the aggregate rollup(funnel_stats), and combine function of both aggregates';

CREATE FUNCTION funnel_stats_final(funnel_stats) RETURNS funnel_stats
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION funnel_stats_final(funnel_stats) IS 'Final function of the aggregates funnel_stats and rollup(funnel_stats)';

CREATE AGGREGATE funnel_stats(times timestamptz[], within interval, as_of timestamptz) (
	STYPE = funnel_stats,
	SSPACE = 4096,
	SFUNC = funnel_stats_accum,
	FINALFUNC = funnel_stats_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = funnel_stats_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE funnel_stats(timestamptz[], interval, timestamptz) IS 'Adds up the results of funnel(), one for each visitor, into the statistics of a funnel (conversion funnel, drop-off analysis); read them with funnel_steps. within is the window given to funnel(), or NULL. Who has not reached the last step and whose window is still open at as_of (usually now(), or the end of the data) counts as in progress, not as dropped; with NULL for as_of nobody does. Rows with NULL for times are skipped';

CREATE AGGREGATE rollup(funnel_stats) (
	STYPE = funnel_stats,
	SSPACE = 4096,
	SFUNC = funnel_stats_combine,
	FINALFUNC = funnel_stats_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = funnel_stats_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE rollup(funnel_stats) IS 'Merges stored funnel statistics of the same steps, window and as_of into one, as if funnel_stats had seen all of their visitors: each visitor may be in one of them only';
-- The report of a funnel

CREATE FUNCTION funnel_steps(
	stats funnel_stats,
	labels text[] DEFAULT NULL,
	conf_level double precision DEFAULT 0.95
)
RETURNS TABLE (step integer, label text, reached bigint, skipped bigint, in_progress bigint, dropped bigint,
	step_conversion double precision, step_conversion_lower double precision, step_conversion_upper double precision,
	total_conversion double precision, total_conversion_lower double precision, total_conversion_upper double precision,
	mean_seconds double precision, p25_seconds double precision, p50_seconds double precision,
	p75_seconds double precision, p90_seconds double precision,
	mature_reached bigint, mature_step_conversion double precision, mature_total_conversion double precision)
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 5;
COMMENT ON FUNCTION funnel_steps(funnel_stats, text[], double precision) IS 'One row for each step of a funnel: the visitors who reached it or got further, who skipped it on the way further, who are in progress there, and who dropped out (drop-off, abandonment); the conversion rate from the step before and from the first step, without those in progress, each with a Wilson interval at conf_level; and the time from the step before, whose percentiles (p50: median) are within 1 %. mature_reached and the mature conversions are of visitors whose window was closed at as_of, and of them only: use these where many windows are open, as who converts early counts in the others and who has not yet does not. labels are usually the steps given to funnel(); a step that no visitor took is a WARNING, as its pattern may match no event';
-- ClickHouse's windowFunnel

CREATE FUNCTION window_funnel_transition(internal, interval, text, timestamptz, boolean[]) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION window_funnel_transition(internal, interval, text, timestamptz, boolean[]) IS 'Transition function of the aggregate window_funnel';

CREATE FUNCTION window_funnel_combine(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION window_funnel_combine(internal, internal) IS 'Combine function of the aggregate window_funnel';

CREATE FUNCTION window_funnel_serialize(internal) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION window_funnel_serialize(internal) IS 'Serialisation of the aggregate window_funnel';

CREATE FUNCTION window_funnel_deserialize(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION window_funnel_deserialize(bytea, internal) IS 'Deserialisation of the aggregate window_funnel';

CREATE FUNCTION window_funnel_final(internal) RETURNS integer
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION window_funnel_final(internal) IS 'Final function of the aggregate window_funnel';

CREATE AGGREGATE window_funnel(within interval, mode text, at timestamptz, VARIADIC conditions boolean[]) (
	SFUNC = window_funnel_transition,
	STYPE = internal,
	SSPACE = 128,
	COMBINEFUNC = window_funnel_combine,
	SERIALFUNC = window_funnel_serialize,
	DESERIALFUNC = window_funnel_deserialize,
	FINALFUNC = window_funnel_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE window_funnel(interval, text, timestamptz, boolean[]) IS 'How many of the conditions came true one after the other in rows of a group, the last at most within after the first, as ClickHouse''s windowFunnel(window, mode...)(timestamp, conditions...) counts them; rows may come in any order. within NULL: no limit. mode: NULL or any of strict_deduplication, strict_order, strict_increase, strict_once, allow_reentry (only with strict_order), separated by commas';
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
-- What visitors do in each stage

CREATE TYPE stage_activity AS (
	stage text,
	period_start timestamptz,
	visitor_count bigint,
	event_count bigint,
	impression_count bigint,
	view_count bigint,
	like_count bigint,
	share_count bigint,
	comment_count bigint,
	click_count bigint,
	video_start_count bigint,
	video_25_count bigint,
	video_50_count bigint,
	video_75_count bigint,
	video_complete_count bigint,
	order_count bigint,
	subscription_count bigint,
	subscription_level_count bigint,
	action_after_video_count bigint,
	revenue_value numeric,
	subscription_value numeric,
	subscription_level_sum numeric
);
COMMENT ON TYPE stage_activity IS 'What one visitor did in one stage and period, as stage_activity() gives it, or what several did, as rollup() adds it up: exact counts and sums. Storable. Figures without visitors, as an advertising system gives them for a day, are a row with visitor_count 0. NULL counts as 0, but in visitor_count it means that the number is not known';
COMMENT ON COLUMN stage_activity.stage IS 'NULL: no stage, or rows of several were added';
COMMENT ON COLUMN stage_activity.period_start IS 'First instant of the period in the time zone asked for; NULL: all time, or rows of several periods were added';
COMMENT ON COLUMN stage_activity.visitor_count IS 'Unique visitors: 1 in a row of stage_activity(); NULL: not known, as rows of several stages or periods were added, between which visitors would be counted twice';
COMMENT ON COLUMN stage_activity.event_count IS 'Events of any kind';
COMMENT ON COLUMN stage_activity.subscription_level_count IS 'Subscriptions that have a level';
COMMENT ON COLUMN stage_activity.action_after_video_count IS 'Actions that follow a video event of this row';
COMMENT ON COLUMN stage_activity.revenue_value IS 'Sum of the values of orders; NULL: none has a value';
COMMENT ON COLUMN stage_activity.subscription_value IS 'Sum of the values of subscriptions; NULL: none has a value';
COMMENT ON COLUMN stage_activity.subscription_level_sum IS 'Sum of the levels of subscriptions; NULL: none has a level';

CREATE FUNCTION stage_activity(
	timeline timeline,
	stage_map jsonb,
	period text DEFAULT 'month',
	time_zone text DEFAULT 'UTC',
	stages text[] DEFAULT '{awareness,consideration,decision}',
	metric_map jsonb DEFAULT NULL,
	level_property text DEFAULT 'level',
	action text DEFAULT NULL,
	after_video interval DEFAULT '30 min',
	ordered boolean DEFAULT true
) RETURNS SETOF stage_activity
AS 'MODULE_PATHNAME', 'timeline_stage_activity' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 3;
COMMENT ON FUNCTION stage_activity(timeline, jsonb, text, text, text[], jsonb, text, text, interval, boolean) IS 'One row for each stage and period in which the visitor has events, to be added up with stage_metrics(). stage_map and stages are as in stage_at(). An event counts in the stage of its own pattern; one that matches none, in the stage that the visitor is in at its time (stage_at() with ordered), which is NULL before the first. period: day, week (from Monday), month, quarter, year or all, in time_zone. An event counts for every metric whose pattern it matches; metric_map, an object of metrics and patterns (null: nothing counts), replaces some of these: impressions: impression*|*_impression; views: page_view|pageview|screen_view|product_view|view_item|view; likes: like|reaction; shares: share; comments: comment; clicks: click*|*_click; video_starts: video_start|video_started|video_play; video_25: video_25|video_progress_25|video_progress[video_percent=25], and likewise video_50, video_75; video_completes: video_complete|video_completed|video_100|video_progress_100; orders: purchase|order; subscriptions: subscribe|subscription|newsletter_signup. level_property: the property that holds the level of a subscription, a number. action: what counts as an action after a video, by default clicks, orders, subscriptions, likes, shares and comments. It counts once, if a video event of the visitor came at most after_video before it or at its very time, in the row of the last such event; a video event is no action';
-- Metrics of stages

CREATE TYPE stage_metrics AS (
	visitor_count bigint,
	event_count bigint,
	impression_count bigint,
	view_count bigint,
	like_count bigint,
	share_count bigint,
	comment_count bigint,
	click_count bigint,
	video_start_count bigint,
	video_25_count bigint,
	video_50_count bigint,
	video_75_count bigint,
	video_complete_count bigint,
	video_25_rate double precision,
	video_50_rate double precision,
	video_75_rate double precision,
	video_complete_rate double precision,
	watch_share double precision,
	order_count bigint,
	revenue_value double precision,
	average_order_value double precision,
	subscription_count bigint,
	subscription_level double precision,
	subscription_value double precision,
	action_after_video_count bigint,
	action_after_video_rate double precision
);
COMMENT ON TYPE stage_metrics IS 'The figures of a stage, as stage_metrics() gives them. Rates and shares are ratios, not percent, and NULL where the denominator is 0';
COMMENT ON COLUMN stage_metrics.visitor_count IS 'Unique visitors with events; NULL if rows of several stages or periods were added: visitors who are in more than one of them would be counted more than once';
COMMENT ON COLUMN stage_metrics.event_count IS 'Events of any kind';
COMMENT ON COLUMN stage_metrics.video_25_rate IS 'Play-through to the first quartile: video_25_count / video_start_count';
COMMENT ON COLUMN stage_metrics.video_50_rate IS 'Play-through to the middle: video_50_count / video_start_count';
COMMENT ON COLUMN stage_metrics.video_75_rate IS 'Play-through to the third quartile: video_75_count / video_start_count';
COMMENT ON COLUMN stage_metrics.video_complete_rate IS 'Play-through to the end (completion rate): video_complete_count / video_start_count';
COMMENT ON COLUMN stage_metrics.watch_share IS 'Mean share of the video that is watched for each start: (starts / 2 + 25% + 50% + 75% + completes / 2) / (4 * starts), as if who leaves between two quartiles left half-way. It may exceed 1, as may the rates above, where a video starts in one stage or period and goes on in another';
COMMENT ON COLUMN stage_metrics.revenue_value IS 'Sum of the values of orders; NULL if there are orders, but none has a value';
COMMENT ON COLUMN stage_metrics.average_order_value IS 'revenue_value / order_count (AOV)';
COMMENT ON COLUMN stage_metrics.subscription_level IS 'Mean level of the subscriptions that have one';
COMMENT ON COLUMN stage_metrics.subscription_value IS 'Sum of the values of subscriptions; NULL if there are subscriptions, but none has a value';
COMMENT ON COLUMN stage_metrics.action_after_video_count IS 'Actions that follow a video event of this stage and period';
COMMENT ON COLUMN stage_metrics.action_after_video_rate IS 'action_after_video_count / video_start_count; may exceed 1';

CREATE FUNCTION stage_activity_add(stage_activity, stage_activity) RETURNS stage_activity
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION stage_activity_add(stage_activity, stage_activity) IS 'Transition and combine function of the aggregates stage_metrics and rollup(stage_activity)';

CREATE FUNCTION stage_metrics_final(stage_activity) RETURNS stage_metrics
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION stage_metrics_final(stage_activity) IS 'Final function of the aggregate stage_metrics';

CREATE AGGREGATE stage_metrics(activity stage_activity) (
	SFUNC = stage_activity_add,
	STYPE = stage_activity,
	SSPACE = 320,
	COMBINEFUNC = stage_activity_add,
	FINALFUNC = stage_metrics_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE stage_metrics(stage_activity) IS 'The figures of a stage and period from the rows of stage_activity(), all in one value; NULL rows are skipped. Use it as SELECT stage, period_start, (stage_metrics(a)).* FROM timelines, stage_activity(timeline, ...) AS a GROUP BY stage, period_start: (...).* computes the aggregate once. To group by longer periods ask stage_activity() for them, as unique visitors do not add up';

CREATE AGGREGATE rollup(activity stage_activity) (
	SFUNC = stage_activity_add,
	STYPE = stage_activity,
	SSPACE = 320,
	COMBINEFUNC = stage_activity_add,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE rollup(stage_activity) IS 'The sum of rows of stage_activity(), to be stored and added up further with stage_metrics() or rollup(): of one stage and period, from disjoint sets of visitors or with rows of other sources. Exact, in any order';
-- Retention

CREATE FUNCTION retention(
	timeline timeline,
	start_event text,
	return_event text,
	period interval,
	periods integer,
	time_zone text DEFAULT NULL,
	as_of timestamptz DEFAULT NULL,
	mode text DEFAULT 'n_day',
	brackets integer[] DEFAULT NULL
) RETURNS boolean[]
AS 'MODULE_PATHNAME', 'retention' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION retention(timeline, text, text, interval, integer, text, timestamptz, text, integer[]) IS 'In which periods after the first start_event the visitor did return_event; both are patterns. Element 1 is period 0 and true for everybody who started, so that it counts the cohort; the others are the periods from 1 to periods, at most 10,000. A visitor who never started gives NULL. mode: n_day (bounded, classic retention), returned in exactly this period; unbounded (also called rolling retention), in this or a later one; brackets, in those from one cut point to before the next, {1,3,7} giving 1 to 2 and 3 to 6, with NULL for periods. Without time_zone periods are counted from the time of the start, a day being 24 hours. With it they are those of the calendar: local days, ISO weeks for 7 days, months, quarters for 3 months, years; a multiple such as 14 days counts from the unit of the start. Events after as_of do not exist, and a period that is not complete by then (a calendar one: while the local date is not past it) is NULL, even if the visitor has returned already, or the last periods would show too high a rate. Without as_of all periods count as complete. Count many visitors with retention_stats';
-- Retention of many visitors

CREATE TYPE retention_stats;

CREATE FUNCTION retention_stats_in(cstring) RETURNS retention_stats
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION retention_stats_in(cstring) IS 'Text input of retention_stats: for each period, the cohort first, how many returned of how many, such as (200/200, 80/190)';

CREATE FUNCTION retention_stats_out(retention_stats) RETURNS cstring
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION retention_stats_out(retention_stats) IS 'Text output of retention_stats';

CREATE FUNCTION retention_stats_recv(internal) RETURNS retention_stats
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION retention_stats_recv(internal) IS 'Binary input of retention_stats';

CREATE FUNCTION retention_stats_send(retention_stats) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION retention_stats_send(retention_stats) IS 'Binary output of retention_stats';

CREATE TYPE retention_stats (
	INPUT = retention_stats_in,
	OUTPUT = retention_stats_out,
	RECEIVE = retention_stats_recv,
	SEND = retention_stats_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);
COMMENT ON TYPE retention_stats IS 'How many visitors returned in each period after a start event, of how many (retention curve, one row of a cohort table): made by the aggregate retention_stats, storable, merged by rollup, read by retention_periods';

CREATE FUNCTION retention_stats_eq(retention_stats, retention_stats) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION retention_stats_eq(retention_stats, retention_stats) IS 'Implementation of the = operator';

CREATE FUNCTION retention_stats_ne(retention_stats, retention_stats) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION retention_stats_ne(retention_stats, retention_stats) IS 'Implementation of the <> operator';

CREATE FUNCTION retention_stats_hash(retention_stats) RETURNS integer
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION retention_stats_hash(retention_stats) IS 'Hash of a retention_stats, for GROUP BY, DISTINCT and joins';

CREATE FUNCTION retention_stats_hash_extended(retention_stats, bigint) RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION retention_stats_hash_extended(retention_stats, bigint) IS 'Hash of a retention_stats with a seed';

CREATE OPERATOR = (
	LEFTARG = retention_stats, RIGHTARG = retention_stats, FUNCTION = retention_stats_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR = (retention_stats, retention_stats) IS 'the same counts in the same periods';

CREATE OPERATOR <> (
	LEFTARG = retention_stats, RIGHTARG = retention_stats, FUNCTION = retention_stats_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (retention_stats, retention_stats) IS 'not the same counts in the same periods';

CREATE OPERATOR CLASS retention_stats_hash_ops
	DEFAULT FOR TYPE retention_stats USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 retention_stats_hash(retention_stats),
	FUNCTION 2 retention_stats_hash_extended(retention_stats, bigint);
COMMENT ON OPERATOR CLASS retention_stats_hash_ops USING hash IS 'Hashing of retention_stats; there is no order on purpose';
COMMENT ON OPERATOR FAMILY retention_stats_hash_ops USING hash IS 'Hashing of retention_stats';

CREATE FUNCTION retention_stats_accum(retention_stats, periods boolean[]) RETURNS retention_stats
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION retention_stats_accum(retention_stats, boolean[]) IS 'Transition function of the aggregate retention_stats: adds one visitor';

CREATE FUNCTION retention_stats_combine(retention_stats, retention_stats) RETURNS retention_stats
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION retention_stats_combine(retention_stats, retention_stats) IS 'Combine function of the aggregates retention_stats and rollup(retention_stats)';

CREATE AGGREGATE retention_stats(periods boolean[]) (
	SFUNC = retention_stats_accum,
	STYPE = retention_stats,
	SSPACE = 256,
	COMBINEFUNC = retention_stats_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE retention_stats(boolean[]) IS 'Counts the results of retention over many visitors: for each element how many are true, of how many that are not NULL; rows that are NULL, visitors who never started, are skipped. Read it with retention_periods. A cohort table: SELECT cohort, p.* FROM (SELECT date_trunc(''week'', first_at(timeline, ''signup''), ''Europe/Oslo'') AS cohort, retention_stats(retention(timeline, ''signup'', ''*'', ''7 days'', 8, ''Europe/Oslo'', now())) AS stats FROM timelines GROUP BY cohort) AS c, retention_periods(stats) AS p';

CREATE AGGREGATE rollup(retention_stats) (
	SFUNC = retention_stats_combine,
	STYPE = retention_stats,
	SSPACE = 256,
	COMBINEFUNC = retention_stats_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE rollup(retention_stats) IS 'Merges stored retention_stats of the same periods into one, as if retention_stats had seen all of their visitors: all cohorts of a year, all countries. Each visitor must be in one of them only';

CREATE FUNCTION retention_periods(stats retention_stats, conf_level double precision DEFAULT 0.95)
RETURNS TABLE (period integer, size bigint, returned bigint, rate double precision,
	rate_lower double precision, rate_upper double precision)
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 10;
COMMENT ON FUNCTION retention_periods(retention_stats, double precision) IS 'One row for each period, from 0, which is the cohort itself (of mode brackets: for each bracket, from 1). size: visitors for whom the period is complete, returned: those of them who returned, rate: returned / size, the retention rate, NULL where size is 0; rate_lower and rate_upper: Wilson interval at this confidence level';
-- Retention on plain rows

CREATE FUNCTION retention_conditions_accum(bigint, conditions boolean[]) RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION retention_conditions_accum(bigint, boolean[]) IS 'Transition function of the aggregate retention(conditions)';

CREATE FUNCTION retention_conditions_combine(bigint, bigint) RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION retention_conditions_combine(bigint, bigint) IS 'Combine function of the aggregate retention(conditions)';

CREATE FUNCTION retention_conditions_final(bigint) RETURNS boolean[]
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION retention_conditions_final(bigint) IS 'Final function of the aggregate retention(conditions)';

CREATE AGGREGATE retention(VARIADIC conditions boolean[]) (
	SFUNC = retention_conditions_accum,
	STYPE = bigint,
	COMBINEFUNC = retention_conditions_combine,
	FINALFUNC = retention_conditions_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE retention(VARIADIC boolean[]) IS 'Retention on the plain rows of a group, as ClickHouse''s retention: element 1 is whether the first condition was true in some row; element i, whether the first and the i-th each were, not always in the same row. For example retention(day = ''2026-01-05'', day = ''2026-01-06'') ... GROUP BY visitor. NULL counts as false; at most 32 conditions; no rows give NULL. In retention_stats its first element shows who is in the cohort: use FILTER (WHERE result[1])';
-- Flow

CREATE FUNCTION flow(
	timeline timeline,
	start_event text DEFAULT NULL,
	end_event text DEFAULT NULL,
	depth integer DEFAULT 5,
	among text DEFAULT NULL,
	collapse boolean DEFAULT true,
	gap interval DEFAULT NULL
)
RETURNS TABLE (step integer, source text, target text, seconds double precision)
AS 'MODULE_PATHNAME', 'timeline_flow' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 5;
COMMENT ON FUNCTION flow(timeline, text, text, integer, text, boolean, interval) IS 'One row for each transition (link, edge) from one step to the next: group by step, source and target for a Sankey diagram (path exploration, user flow). Forward from the visitor''s first event that matches start_event, or from the first step, numbered 1 to depth; a visitor who ends before depth has a last row without target (exit). Or back from the first event that matches end_event, numbered -1 to -depth; a visitor who begins there has a last row without source (entry). With gap each visit is a path of its own (a longer pause ends it, whatever events it is between). Steps are the events that match among, start_event or end_event; without among, all. collapse: repeats of one label after each other are one step, at the time of the first. seconds: from source to target';

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

-- Time between events

CREATE FUNCTION time_between(
	timeline timeline,
	from_event text,
	to_event text,
	within interval DEFAULT NULL,
	longer_than interval DEFAULT NULL,
	pick text DEFAULT 'first'
) RETURNS interval
AS 'MODULE_PATHNAME', 'timeline_time_between' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION time_between(timeline, text, text, interval, interval, text) IS 'How long it took from an event that matches from_event to one that matches to_event (time to convert, reaction time, time lag): of the pairs of times_between() the first, last, shortest or longest, or their mean, as pick says. NULL if there is no pair';

CREATE FUNCTION times_between(
	timeline timeline,
	from_event text,
	to_event text,
	within interval DEFAULT NULL,
	longer_than interval DEFAULT NULL
)
RETURNS TABLE (from_at timestamptz, to_at timestamptz, seconds double precision)
AS 'MODULE_PATHNAME', 'timeline_times_between' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 3;
COMMENT ON FUNCTION times_between(timeline, text, text, interval, interval) IS 'Each pair of an event that matches from_event and the next other one that matches to_event, later or at the same instant, and the seconds between. While a pair is open, further from events are not counted; an event that matches both closes a pair and opens the next, so that ''*'' and ''*'' give all times between events. Of the events at one instant those that only open a pair are taken first, those that only close one last. within: a pair not closed after that long is given up, and the next from event opens one. longer_than: only longer pairs, for example ''30 min'' for the pauses between visits';

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
AS 'MODULE_PATHNAME', 'state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION conversion_paths_eq(conversion_paths, conversion_paths) IS 'Behind the operator = of conversion_paths';

CREATE FUNCTION conversion_paths_ne(conversion_paths, conversion_paths) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION conversion_paths_ne(conversion_paths, conversion_paths) IS 'Behind the operator <> of conversion_paths';

CREATE FUNCTION conversion_paths_hash(conversion_paths) RETURNS integer
AS 'MODULE_PATHNAME', 'state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION conversion_paths_hash(conversion_paths) IS 'Hash of a conversion_paths, for GROUP BY, DISTINCT and joins';

CREATE FUNCTION conversion_paths_hash_extended(conversion_paths, bigint) RETURNS bigint
AS 'MODULE_PATHNAME', 'state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
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
AS 'MODULE_PATHNAME', 'state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION markov_eq(markov, markov) IS 'Behind the operator = of markov';

CREATE FUNCTION markov_ne(markov, markov) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION markov_ne(markov, markov) IS 'Behind the operator <> of markov';

CREATE FUNCTION markov_hash(markov) RETURNS integer
AS 'MODULE_PATHNAME', 'state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION markov_hash(markov) IS 'Hash of a markov, for GROUP BY, DISTINCT and joins';

CREATE FUNCTION markov_hash_extended(markov, bigint) RETURNS bigint
AS 'MODULE_PATHNAME', 'state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
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
-- Models of customers

CREATE TYPE bgnbd;

CREATE FUNCTION bgnbd_in(cstring) RETURNS bgnbd
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgnbd_in(cstring) IS 'Text input of bgnbd: JSON with the parameters';

CREATE FUNCTION bgnbd_out(bgnbd) RETURNS cstring
AS 'MODULE_PATHNAME', 'model_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgnbd_out(bgnbd) IS 'Text output of bgnbd: JSON, exact, and no setting changes it';

CREATE FUNCTION bgnbd_recv(internal) RETURNS bgnbd
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgnbd_recv(internal) IS 'Binary input of bgnbd';

CREATE FUNCTION bgnbd_send(bgnbd) RETURNS bytea
AS 'MODULE_PATHNAME', 'model_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgnbd_send(bgnbd) IS 'Binary output of bgnbd';

CREATE TYPE bgnbd (
	INPUT = bgnbd_in,
	OUTPUT = bgnbd_out,
	RECEIVE = bgnbd_recv,
	SEND = bgnbd_send,
	INTERNALLENGTH = variable,
	ALIGNMENT = double,
	STORAGE = plain
);
COMMENT ON TYPE bgnbd IS 'BG/NBD (Fader, Hardie, Lee 2005): customers without a contract who buy at a rate of their own, lambda ~ Gamma(r, alpha), and are lost after a repeat purchase with a probability of their own, p ~ Beta(a, b). As nobody can be lost before a repeat purchase, it says of every one-time buyer that he is certainly alive; reports are better made with mbgnbd or paretonbd';

CREATE FUNCTION bgnbd_eq(bgnbd, bgnbd) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgnbd_eq(bgnbd, bgnbd) IS 'Behind the operator = of bgnbd';

CREATE FUNCTION bgnbd_ne(bgnbd, bgnbd) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgnbd_ne(bgnbd, bgnbd) IS 'Behind the operator <> of bgnbd';

CREATE FUNCTION bgnbd_hash(bgnbd) RETURNS integer
AS 'MODULE_PATHNAME', 'state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgnbd_hash(bgnbd) IS 'Hash of a bgnbd, for GROUP BY, DISTINCT and joins';

CREATE FUNCTION bgnbd_hash_extended(bgnbd, bigint) RETURNS bigint
AS 'MODULE_PATHNAME', 'state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgnbd_hash_extended(bgnbd, bigint) IS 'Seeded 64-bit hash of a bgnbd, for hash partitions';

CREATE OPERATOR = (
	LEFTARG = bgnbd, RIGHTARG = bgnbd, FUNCTION = bgnbd_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR = (bgnbd, bgnbd) IS 'Same parameters, from the same fit or both given';

CREATE OPERATOR <> (
	LEFTARG = bgnbd, RIGHTARG = bgnbd, FUNCTION = bgnbd_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (bgnbd, bgnbd) IS 'Different parameters, or from another fit';

CREATE OPERATOR CLASS bgnbd_hash_ops
	DEFAULT FOR TYPE bgnbd USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 bgnbd_hash(bgnbd),
	FUNCTION 2 bgnbd_hash_extended(bgnbd, bigint);
COMMENT ON OPERATOR CLASS bgnbd_hash_ops USING hash IS 'Hashing of bgnbd; there is no order, as none would mean anything';
COMMENT ON OPERATOR FAMILY bgnbd_hash_ops USING hash IS 'Hashing of bgnbd';

CREATE FUNCTION bgnbd(r double precision, alpha double precision, a double precision, b double precision) RETURNS bgnbd
AS 'MODULE_PATHNAME', 'bgnbd_of_parameters' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgnbd(double precision, double precision, double precision, double precision) IS 'A model bgnbd of given parameters, each greater than 0: those of another program, or of last year';

CREATE FUNCTION parameters(model bgnbd, conf_level double precision DEFAULT 0.95)
RETURNS TABLE (name text, estimate double precision, std_error double precision, lower double precision, upper double precision)
AS 'MODULE_PATHNAME', 'model_parameters' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 4;
COMMENT ON FUNCTION parameters(bgnbd, double precision) IS 'One row for each parameter of the model: of a fit, with its standard error and confidence interval, which is one of the logarithm and so never reaches 0. Of a model from given parameters, the estimates alone';

CREATE FUNCTION covariance(model bgnbd) RETURNS double precision[]
AS 'MODULE_PATHNAME', 'model_covariance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION covariance(bgnbd) IS 'Covariance matrix of the parameters that a fit estimated, in their order; NULL if there is none';

CREATE FUNCTION diagnostics(model bgnbd, OUT converged boolean, OUT reason text, OUT warning text, OUT customers bigint, OUT log_likelihood double precision, OUT aic double precision, OUT bic double precision, OUT iterations integer, OUT gradient double precision, OUT condition_number double precision, OUT boundary text)
AS 'MODULE_PATHNAME', 'model_diagnostics' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION diagnostics(bgnbd) IS 'Whether to believe the fit of the model: converged, or the reason why not; a warning to whoever uses it; the log-likelihood with the criteria of Akaike and Bayes, by which models of the same customers compare (less is better); iterations, the steps of all searches; the gradient a customer, near 0 at a maximum; the condition number of the Hessian by logarithms of the parameters (beyond 1e8 parameters are hard to tell apart); boundary, the name of a parameter that ran to 0 or grew without end. NULL of a model from given parameters';

CREATE CAST (bgnbd AS jsonb) WITH INOUT;
COMMENT ON CAST (bgnbd AS jsonb) IS 'The parameters and what the fit says about them, as JSON';

CREATE TYPE mbgnbd;

CREATE FUNCTION mbgnbd_in(cstring) RETURNS mbgnbd
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mbgnbd_in(cstring) IS 'Text input of mbgnbd: JSON with the parameters';

CREATE FUNCTION mbgnbd_out(mbgnbd) RETURNS cstring
AS 'MODULE_PATHNAME', 'model_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mbgnbd_out(mbgnbd) IS 'Text output of mbgnbd: JSON, exact, and no setting changes it';

CREATE FUNCTION mbgnbd_recv(internal) RETURNS mbgnbd
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mbgnbd_recv(internal) IS 'Binary input of mbgnbd';

CREATE FUNCTION mbgnbd_send(mbgnbd) RETURNS bytea
AS 'MODULE_PATHNAME', 'model_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mbgnbd_send(mbgnbd) IS 'Binary output of mbgnbd';

CREATE TYPE mbgnbd (
	INPUT = mbgnbd_in,
	OUTPUT = mbgnbd_out,
	RECEIVE = mbgnbd_recv,
	SEND = mbgnbd_send,
	INTERNALLENGTH = variable,
	ALIGNMENT = double,
	STORAGE = plain
);
COMMENT ON TYPE mbgnbd IS 'MBG/NBD (Batislam, Denizel, Filiztekin 2007): as bgnbd, but customers can be lost after their first purchase too, so that one-time buyers are not all alive';

CREATE FUNCTION mbgnbd_eq(mbgnbd, mbgnbd) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mbgnbd_eq(mbgnbd, mbgnbd) IS 'Behind the operator = of mbgnbd';

CREATE FUNCTION mbgnbd_ne(mbgnbd, mbgnbd) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mbgnbd_ne(mbgnbd, mbgnbd) IS 'Behind the operator <> of mbgnbd';

CREATE FUNCTION mbgnbd_hash(mbgnbd) RETURNS integer
AS 'MODULE_PATHNAME', 'state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mbgnbd_hash(mbgnbd) IS 'Hash of a mbgnbd, for GROUP BY, DISTINCT and joins';

CREATE FUNCTION mbgnbd_hash_extended(mbgnbd, bigint) RETURNS bigint
AS 'MODULE_PATHNAME', 'state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mbgnbd_hash_extended(mbgnbd, bigint) IS 'Seeded 64-bit hash of a mbgnbd, for hash partitions';

CREATE OPERATOR = (
	LEFTARG = mbgnbd, RIGHTARG = mbgnbd, FUNCTION = mbgnbd_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR = (mbgnbd, mbgnbd) IS 'Same parameters, from the same fit or both given';

CREATE OPERATOR <> (
	LEFTARG = mbgnbd, RIGHTARG = mbgnbd, FUNCTION = mbgnbd_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (mbgnbd, mbgnbd) IS 'Different parameters, or from another fit';

CREATE OPERATOR CLASS mbgnbd_hash_ops
	DEFAULT FOR TYPE mbgnbd USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 mbgnbd_hash(mbgnbd),
	FUNCTION 2 mbgnbd_hash_extended(mbgnbd, bigint);
COMMENT ON OPERATOR CLASS mbgnbd_hash_ops USING hash IS 'Hashing of mbgnbd; there is no order, as none would mean anything';
COMMENT ON OPERATOR FAMILY mbgnbd_hash_ops USING hash IS 'Hashing of mbgnbd';

CREATE FUNCTION mbgnbd(r double precision, alpha double precision, a double precision, b double precision) RETURNS mbgnbd
AS 'MODULE_PATHNAME', 'mbgnbd_of_parameters' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mbgnbd(double precision, double precision, double precision, double precision) IS 'A model mbgnbd of given parameters, each greater than 0: those of another program, or of last year';

CREATE FUNCTION parameters(model mbgnbd, conf_level double precision DEFAULT 0.95)
RETURNS TABLE (name text, estimate double precision, std_error double precision, lower double precision, upper double precision)
AS 'MODULE_PATHNAME', 'model_parameters' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 4;
COMMENT ON FUNCTION parameters(mbgnbd, double precision) IS 'One row for each parameter of the model: of a fit, with its standard error and confidence interval, which is one of the logarithm and so never reaches 0. Of a model from given parameters, the estimates alone';

CREATE FUNCTION covariance(model mbgnbd) RETURNS double precision[]
AS 'MODULE_PATHNAME', 'model_covariance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION covariance(mbgnbd) IS 'Covariance matrix of the parameters that a fit estimated, in their order; NULL if there is none';

CREATE FUNCTION diagnostics(model mbgnbd, OUT converged boolean, OUT reason text, OUT warning text, OUT customers bigint, OUT log_likelihood double precision, OUT aic double precision, OUT bic double precision, OUT iterations integer, OUT gradient double precision, OUT condition_number double precision, OUT boundary text)
AS 'MODULE_PATHNAME', 'model_diagnostics' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION diagnostics(mbgnbd) IS 'Whether to believe the fit of the model: converged, or the reason why not; a warning to whoever uses it; the log-likelihood with the criteria of Akaike and Bayes, by which models of the same customers compare (less is better); iterations, the steps of all searches; the gradient a customer, near 0 at a maximum; the condition number of the Hessian by logarithms of the parameters (beyond 1e8 parameters are hard to tell apart); boundary, the name of a parameter that ran to 0 or grew without end. NULL of a model from given parameters';

CREATE CAST (mbgnbd AS jsonb) WITH INOUT;
COMMENT ON CAST (mbgnbd AS jsonb) IS 'The parameters and what the fit says about them, as JSON';

CREATE TYPE paretonbd;

CREATE FUNCTION paretonbd_in(cstring) RETURNS paretonbd
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION paretonbd_in(cstring) IS 'Text input of paretonbd: JSON with the parameters';

CREATE FUNCTION paretonbd_out(paretonbd) RETURNS cstring
AS 'MODULE_PATHNAME', 'model_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION paretonbd_out(paretonbd) IS 'Text output of paretonbd: JSON, exact, and no setting changes it';

CREATE FUNCTION paretonbd_recv(internal) RETURNS paretonbd
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION paretonbd_recv(internal) IS 'Binary input of paretonbd';

CREATE FUNCTION paretonbd_send(paretonbd) RETURNS bytea
AS 'MODULE_PATHNAME', 'model_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION paretonbd_send(paretonbd) IS 'Binary output of paretonbd';

CREATE TYPE paretonbd (
	INPUT = paretonbd_in,
	OUTPUT = paretonbd_out,
	RECEIVE = paretonbd_recv,
	SEND = paretonbd_send,
	INTERNALLENGTH = variable,
	ALIGNMENT = double,
	STORAGE = plain
);
COMMENT ON TYPE paretonbd IS 'Pareto/NBD (Schmittlein, Morrison, Colombo 1987): customers without a contract who buy at a rate of their own, lambda ~ Gamma(r, alpha), and are lost at any moment at a rate of their own, mu ~ Gamma(s, beta)';

CREATE FUNCTION paretonbd_eq(paretonbd, paretonbd) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION paretonbd_eq(paretonbd, paretonbd) IS 'Behind the operator = of paretonbd';

CREATE FUNCTION paretonbd_ne(paretonbd, paretonbd) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION paretonbd_ne(paretonbd, paretonbd) IS 'Behind the operator <> of paretonbd';

CREATE FUNCTION paretonbd_hash(paretonbd) RETURNS integer
AS 'MODULE_PATHNAME', 'state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION paretonbd_hash(paretonbd) IS 'Hash of a paretonbd, for GROUP BY, DISTINCT and joins';

CREATE FUNCTION paretonbd_hash_extended(paretonbd, bigint) RETURNS bigint
AS 'MODULE_PATHNAME', 'state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION paretonbd_hash_extended(paretonbd, bigint) IS 'Seeded 64-bit hash of a paretonbd, for hash partitions';

CREATE OPERATOR = (
	LEFTARG = paretonbd, RIGHTARG = paretonbd, FUNCTION = paretonbd_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR = (paretonbd, paretonbd) IS 'Same parameters, from the same fit or both given';

CREATE OPERATOR <> (
	LEFTARG = paretonbd, RIGHTARG = paretonbd, FUNCTION = paretonbd_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (paretonbd, paretonbd) IS 'Different parameters, or from another fit';

CREATE OPERATOR CLASS paretonbd_hash_ops
	DEFAULT FOR TYPE paretonbd USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 paretonbd_hash(paretonbd),
	FUNCTION 2 paretonbd_hash_extended(paretonbd, bigint);
COMMENT ON OPERATOR CLASS paretonbd_hash_ops USING hash IS 'Hashing of paretonbd; there is no order, as none would mean anything';
COMMENT ON OPERATOR FAMILY paretonbd_hash_ops USING hash IS 'Hashing of paretonbd';

CREATE FUNCTION paretonbd(r double precision, alpha double precision, s double precision, beta double precision) RETURNS paretonbd
AS 'MODULE_PATHNAME', 'paretonbd_of_parameters' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION paretonbd(double precision, double precision, double precision, double precision) IS 'A model paretonbd of given parameters, each greater than 0: those of another program, or of last year';

CREATE FUNCTION parameters(model paretonbd, conf_level double precision DEFAULT 0.95)
RETURNS TABLE (name text, estimate double precision, std_error double precision, lower double precision, upper double precision)
AS 'MODULE_PATHNAME', 'model_parameters' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 4;
COMMENT ON FUNCTION parameters(paretonbd, double precision) IS 'One row for each parameter of the model: of a fit, with its standard error and confidence interval, which is one of the logarithm and so never reaches 0. Of a model from given parameters, the estimates alone';

CREATE FUNCTION covariance(model paretonbd) RETURNS double precision[]
AS 'MODULE_PATHNAME', 'model_covariance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION covariance(paretonbd) IS 'Covariance matrix of the parameters that a fit estimated, in their order; NULL if there is none';

CREATE FUNCTION diagnostics(model paretonbd, OUT converged boolean, OUT reason text, OUT warning text, OUT customers bigint, OUT log_likelihood double precision, OUT aic double precision, OUT bic double precision, OUT iterations integer, OUT gradient double precision, OUT condition_number double precision, OUT boundary text)
AS 'MODULE_PATHNAME', 'model_diagnostics' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION diagnostics(paretonbd) IS 'Whether to believe the fit of the model: converged, or the reason why not; a warning to whoever uses it; the log-likelihood with the criteria of Akaike and Bayes, by which models of the same customers compare (less is better); iterations, the steps of all searches; the gradient a customer, near 0 at a maximum; the condition number of the Hessian by logarithms of the parameters (beyond 1e8 parameters are hard to tell apart); boundary, the name of a parameter that ran to 0 or grew without end. NULL of a model from given parameters';

CREATE CAST (paretonbd AS jsonb) WITH INOUT;
COMMENT ON CAST (paretonbd AS jsonb) IS 'The parameters and what the fit says about them, as JSON';

CREATE TYPE gamma_gamma;

CREATE FUNCTION gamma_gamma_in(cstring) RETURNS gamma_gamma
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gamma_gamma_in(cstring) IS 'Text input of gamma_gamma: JSON with the parameters';

CREATE FUNCTION gamma_gamma_out(gamma_gamma) RETURNS cstring
AS 'MODULE_PATHNAME', 'model_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gamma_gamma_out(gamma_gamma) IS 'Text output of gamma_gamma: JSON, exact, and no setting changes it';

CREATE FUNCTION gamma_gamma_recv(internal) RETURNS gamma_gamma
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gamma_gamma_recv(internal) IS 'Binary input of gamma_gamma';

CREATE FUNCTION gamma_gamma_send(gamma_gamma) RETURNS bytea
AS 'MODULE_PATHNAME', 'model_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gamma_gamma_send(gamma_gamma) IS 'Binary output of gamma_gamma';

CREATE TYPE gamma_gamma (
	INPUT = gamma_gamma_in,
	OUTPUT = gamma_gamma_out,
	RECEIVE = gamma_gamma_recv,
	SEND = gamma_gamma_send,
	INTERNALLENGTH = variable,
	ALIGNMENT = double,
	STORAGE = plain
);
COMMENT ON TYPE gamma_gamma IS 'Gamma-Gamma (Fader, Hardie 2013): what a purchase of a customer is worth. Values of one customer''s purchases are Gamma(p, nu), and nu ~ Gamma(q, v) differs from customer to customer; the value must not depend on how often he buys';

CREATE FUNCTION gamma_gamma_eq(gamma_gamma, gamma_gamma) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gamma_gamma_eq(gamma_gamma, gamma_gamma) IS 'Behind the operator = of gamma_gamma';

CREATE FUNCTION gamma_gamma_ne(gamma_gamma, gamma_gamma) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gamma_gamma_ne(gamma_gamma, gamma_gamma) IS 'Behind the operator <> of gamma_gamma';

CREATE FUNCTION gamma_gamma_hash(gamma_gamma) RETURNS integer
AS 'MODULE_PATHNAME', 'state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gamma_gamma_hash(gamma_gamma) IS 'Hash of a gamma_gamma, for GROUP BY, DISTINCT and joins';

CREATE FUNCTION gamma_gamma_hash_extended(gamma_gamma, bigint) RETURNS bigint
AS 'MODULE_PATHNAME', 'state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gamma_gamma_hash_extended(gamma_gamma, bigint) IS 'Seeded 64-bit hash of a gamma_gamma, for hash partitions';

CREATE OPERATOR = (
	LEFTARG = gamma_gamma, RIGHTARG = gamma_gamma, FUNCTION = gamma_gamma_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR = (gamma_gamma, gamma_gamma) IS 'Same parameters, from the same fit or both given';

CREATE OPERATOR <> (
	LEFTARG = gamma_gamma, RIGHTARG = gamma_gamma, FUNCTION = gamma_gamma_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (gamma_gamma, gamma_gamma) IS 'Different parameters, or from another fit';

CREATE OPERATOR CLASS gamma_gamma_hash_ops
	DEFAULT FOR TYPE gamma_gamma USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 gamma_gamma_hash(gamma_gamma),
	FUNCTION 2 gamma_gamma_hash_extended(gamma_gamma, bigint);
COMMENT ON OPERATOR CLASS gamma_gamma_hash_ops USING hash IS 'Hashing of gamma_gamma; there is no order, as none would mean anything';
COMMENT ON OPERATOR FAMILY gamma_gamma_hash_ops USING hash IS 'Hashing of gamma_gamma';

CREATE FUNCTION gamma_gamma(p double precision, q double precision, v double precision) RETURNS gamma_gamma
AS 'MODULE_PATHNAME', 'gamma_gamma_of_parameters' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gamma_gamma(double precision, double precision, double precision) IS 'A model gamma_gamma of given parameters, each greater than 0: those of another program, or of last year';

CREATE FUNCTION parameters(model gamma_gamma, conf_level double precision DEFAULT 0.95)
RETURNS TABLE (name text, estimate double precision, std_error double precision, lower double precision, upper double precision)
AS 'MODULE_PATHNAME', 'model_parameters' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 3;
COMMENT ON FUNCTION parameters(gamma_gamma, double precision) IS 'One row for each parameter of the model: of a fit, with its standard error and confidence interval, which is one of the logarithm and so never reaches 0. Of a model from given parameters, the estimates alone';

CREATE FUNCTION covariance(model gamma_gamma) RETURNS double precision[]
AS 'MODULE_PATHNAME', 'model_covariance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION covariance(gamma_gamma) IS 'Covariance matrix of the parameters that a fit estimated, in their order; NULL if there is none';

CREATE FUNCTION diagnostics(model gamma_gamma, OUT converged boolean, OUT reason text, OUT warning text, OUT customers bigint, OUT log_likelihood double precision, OUT aic double precision, OUT bic double precision, OUT iterations integer, OUT gradient double precision, OUT condition_number double precision, OUT boundary text)
AS 'MODULE_PATHNAME', 'model_diagnostics' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION diagnostics(gamma_gamma) IS 'Whether to believe the fit of the model: converged, or the reason why not; a warning to whoever uses it; the log-likelihood with the criteria of Akaike and Bayes, by which models of the same customers compare (less is better); iterations, the steps of all searches; the gradient a customer, near 0 at a maximum; the condition number of the Hessian by logarithms of the parameters (beyond 1e8 parameters are hard to tell apart); boundary, the name of a parameter that ran to 0 or grew without end. NULL of a model from given parameters';

CREATE CAST (gamma_gamma AS jsonb) WITH INOUT;
COMMENT ON CAST (gamma_gamma AS jsonb) IS 'The parameters and what the fit says about them, as JSON';

CREATE TYPE bgbb;

CREATE FUNCTION bgbb_in(cstring) RETURNS bgbb
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgbb_in(cstring) IS 'Text input of bgbb: JSON with the parameters';

CREATE FUNCTION bgbb_out(bgbb) RETURNS cstring
AS 'MODULE_PATHNAME', 'model_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgbb_out(bgbb) IS 'Text output of bgbb: JSON, exact, and no setting changes it';

CREATE FUNCTION bgbb_recv(internal) RETURNS bgbb
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgbb_recv(internal) IS 'Binary input of bgbb';

CREATE FUNCTION bgbb_send(bgbb) RETURNS bytea
AS 'MODULE_PATHNAME', 'model_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgbb_send(bgbb) IS 'Binary output of bgbb';

CREATE TYPE bgbb (
	INPUT = bgbb_in,
	OUTPUT = bgbb_out,
	RECEIVE = bgbb_recv,
	SEND = bgbb_send,
	INTERNALLENGTH = variable,
	ALIGNMENT = double,
	STORAGE = plain
);
COMMENT ON TYPE bgbb IS 'BG/BB (Fader, Hardie, Shang 2010): customers who can buy at certain opportunities only (once a year, at each event). They buy with a probability of their own, Beta(alpha, beta), and are lost before an opportunity with another, Beta(gamma, delta)';

CREATE FUNCTION bgbb_eq(bgbb, bgbb) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgbb_eq(bgbb, bgbb) IS 'Behind the operator = of bgbb';

CREATE FUNCTION bgbb_ne(bgbb, bgbb) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgbb_ne(bgbb, bgbb) IS 'Behind the operator <> of bgbb';

CREATE FUNCTION bgbb_hash(bgbb) RETURNS integer
AS 'MODULE_PATHNAME', 'state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgbb_hash(bgbb) IS 'Hash of a bgbb, for GROUP BY, DISTINCT and joins';

CREATE FUNCTION bgbb_hash_extended(bgbb, bigint) RETURNS bigint
AS 'MODULE_PATHNAME', 'state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgbb_hash_extended(bgbb, bigint) IS 'Seeded 64-bit hash of a bgbb, for hash partitions';

CREATE OPERATOR = (
	LEFTARG = bgbb, RIGHTARG = bgbb, FUNCTION = bgbb_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR = (bgbb, bgbb) IS 'Same parameters, from the same fit or both given';

CREATE OPERATOR <> (
	LEFTARG = bgbb, RIGHTARG = bgbb, FUNCTION = bgbb_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (bgbb, bgbb) IS 'Different parameters, or from another fit';

CREATE OPERATOR CLASS bgbb_hash_ops
	DEFAULT FOR TYPE bgbb USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 bgbb_hash(bgbb),
	FUNCTION 2 bgbb_hash_extended(bgbb, bigint);
COMMENT ON OPERATOR CLASS bgbb_hash_ops USING hash IS 'Hashing of bgbb; there is no order, as none would mean anything';
COMMENT ON OPERATOR FAMILY bgbb_hash_ops USING hash IS 'Hashing of bgbb';

CREATE FUNCTION bgbb(alpha double precision, beta double precision, gamma double precision, delta double precision) RETURNS bgbb
AS 'MODULE_PATHNAME', 'bgbb_of_parameters' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgbb(double precision, double precision, double precision, double precision) IS 'A model bgbb of given parameters, each greater than 0: those of another program, or of last year';

CREATE FUNCTION parameters(model bgbb, conf_level double precision DEFAULT 0.95)
RETURNS TABLE (name text, estimate double precision, std_error double precision, lower double precision, upper double precision)
AS 'MODULE_PATHNAME', 'model_parameters' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 4;
COMMENT ON FUNCTION parameters(bgbb, double precision) IS 'One row for each parameter of the model: of a fit, with its standard error and confidence interval, which is one of the logarithm and so never reaches 0. Of a model from given parameters, the estimates alone';

CREATE FUNCTION covariance(model bgbb) RETURNS double precision[]
AS 'MODULE_PATHNAME', 'model_covariance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION covariance(bgbb) IS 'Covariance matrix of the parameters that a fit estimated, in their order; NULL if there is none';

CREATE FUNCTION diagnostics(model bgbb, OUT converged boolean, OUT reason text, OUT warning text, OUT customers bigint, OUT log_likelihood double precision, OUT aic double precision, OUT bic double precision, OUT iterations integer, OUT gradient double precision, OUT condition_number double precision, OUT boundary text)
AS 'MODULE_PATHNAME', 'model_diagnostics' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION diagnostics(bgbb) IS 'Whether to believe the fit of the model: converged, or the reason why not; a warning to whoever uses it; the log-likelihood with the criteria of Akaike and Bayes, by which models of the same customers compare (less is better); iterations, the steps of all searches; the gradient a customer, near 0 at a maximum; the condition number of the Hessian by logarithms of the parameters (beyond 1e8 parameters are hard to tell apart); boundary, the name of a parameter that ran to 0 or grew without end. NULL of a model from given parameters';

CREATE CAST (bgbb AS jsonb) WITH INOUT;
COMMENT ON CAST (bgbb AS jsonb) IS 'The parameters and what the fit says about them, as JSON';

CREATE TYPE sbg;

CREATE FUNCTION sbg_in(cstring) RETURNS sbg
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sbg_in(cstring) IS 'Text input of sbg: JSON with the parameters';

CREATE FUNCTION sbg_out(sbg) RETURNS cstring
AS 'MODULE_PATHNAME', 'model_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sbg_out(sbg) IS 'Text output of sbg: JSON, exact, and no setting changes it';

CREATE FUNCTION sbg_recv(internal) RETURNS sbg
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sbg_recv(internal) IS 'Binary input of sbg';

CREATE FUNCTION sbg_send(sbg) RETURNS bytea
AS 'MODULE_PATHNAME', 'model_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sbg_send(sbg) IS 'Binary output of sbg';

CREATE TYPE sbg (
	INPUT = sbg_in,
	OUTPUT = sbg_out,
	RECEIVE = sbg_recv,
	SEND = sbg_send,
	INTERNALLENGTH = variable,
	ALIGNMENT = double,
	STORAGE = plain
);
COMMENT ON TYPE sbg IS 'sBG, shifted beta-geometric (Fader, Hardie 2007): customers with a contract, who leave at each renewal with a probability of their own, Beta(alpha, beta)';

CREATE FUNCTION sbg_eq(sbg, sbg) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sbg_eq(sbg, sbg) IS 'Behind the operator = of sbg';

CREATE FUNCTION sbg_ne(sbg, sbg) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sbg_ne(sbg, sbg) IS 'Behind the operator <> of sbg';

CREATE FUNCTION sbg_hash(sbg) RETURNS integer
AS 'MODULE_PATHNAME', 'state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sbg_hash(sbg) IS 'Hash of a sbg, for GROUP BY, DISTINCT and joins';

CREATE FUNCTION sbg_hash_extended(sbg, bigint) RETURNS bigint
AS 'MODULE_PATHNAME', 'state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sbg_hash_extended(sbg, bigint) IS 'Seeded 64-bit hash of a sbg, for hash partitions';

CREATE OPERATOR = (
	LEFTARG = sbg, RIGHTARG = sbg, FUNCTION = sbg_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR = (sbg, sbg) IS 'Same parameters, from the same fit or both given';

CREATE OPERATOR <> (
	LEFTARG = sbg, RIGHTARG = sbg, FUNCTION = sbg_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (sbg, sbg) IS 'Different parameters, or from another fit';

CREATE OPERATOR CLASS sbg_hash_ops
	DEFAULT FOR TYPE sbg USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 sbg_hash(sbg),
	FUNCTION 2 sbg_hash_extended(sbg, bigint);
COMMENT ON OPERATOR CLASS sbg_hash_ops USING hash IS 'Hashing of sbg; there is no order, as none would mean anything';
COMMENT ON OPERATOR FAMILY sbg_hash_ops USING hash IS 'Hashing of sbg';

CREATE FUNCTION sbg(alpha double precision, beta double precision) RETURNS sbg
AS 'MODULE_PATHNAME', 'sbg_of_parameters' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sbg(double precision, double precision) IS 'A model sbg of given parameters, each greater than 0: those of another program, or of last year';

CREATE FUNCTION parameters(model sbg, conf_level double precision DEFAULT 0.95)
RETURNS TABLE (name text, estimate double precision, std_error double precision, lower double precision, upper double precision)
AS 'MODULE_PATHNAME', 'model_parameters' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 2;
COMMENT ON FUNCTION parameters(sbg, double precision) IS 'One row for each parameter of the model: of a fit, with its standard error and confidence interval, which is one of the logarithm and so never reaches 0. Of a model from given parameters, the estimates alone';

CREATE FUNCTION covariance(model sbg) RETURNS double precision[]
AS 'MODULE_PATHNAME', 'model_covariance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION covariance(sbg) IS 'Covariance matrix of the parameters that a fit estimated, in their order; NULL if there is none';

CREATE FUNCTION diagnostics(model sbg, OUT converged boolean, OUT reason text, OUT warning text, OUT customers bigint, OUT log_likelihood double precision, OUT aic double precision, OUT bic double precision, OUT iterations integer, OUT gradient double precision, OUT condition_number double precision, OUT boundary text)
AS 'MODULE_PATHNAME', 'model_diagnostics' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION diagnostics(sbg) IS 'Whether to believe the fit of the model: converged, or the reason why not; a warning to whoever uses it; the log-likelihood with the criteria of Akaike and Bayes, by which models of the same customers compare (less is better); iterations, the steps of all searches; the gradient a customer, near 0 at a maximum; the condition number of the Hessian by logarithms of the parameters (beyond 1e8 parameters are hard to tell apart); boundary, the name of a parameter that ran to 0 or grew without end. NULL of a model from given parameters';

CREATE CAST (sbg AS jsonb) WITH INOUT;
COMMENT ON CAST (sbg AS jsonb) IS 'The parameters and what the fit says about them, as JSON';
-- Summary of purchases per customer

CREATE FUNCTION purchase_summary(
	timeline timeline,
	purchase text,
	as_of timestamptz,
	unit interval DEFAULT '1 day',
	time_zone text DEFAULT 'UTC',
	OUT frequency integer,
	OUT recency double precision,
	OUT age double precision,
	OUT monetary_value double precision
)
AS 'MODULE_PATHNAME', 'purchase_summary' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION purchase_summary(timeline, text, timestamptz, interval, text) IS 'What models of customers need of one (RFM summary, x, t_x, T and m of Fader and Hardie) from the events that match the pattern purchase, up to as_of. All purchases on one date in time_zone are one purchase. frequency: purchases after the first (repeat purchases); recency: time from the first to the last; age: time from the first to the date of as_of (T), both in unit, which only scales days: 7 days gives weeks, with fractions; monetary_value: mean value of the repeat purchases that have one, the first left out; 0 without a repeat purchase, or if all were free, NULL if the value of none is known. NULL without a purchase. An event without a value, or with 0 (a free order), is a purchase all the same. A negative value is a refund: it reduces its own day, and a day with refunds that sums to nothing or less is no purchase; a return on a later day leaves the purchase as it was, so give a return the time of its order. Use it in FROM: SELECT visitor, s.* FROM timelines, purchase_summary(timeline, ''purchase'', ''2026-07-01'') AS s';

CREATE FUNCTION holdout_purchases(
	timeline timeline,
	purchase text,
	from_at timestamptz,
	to_at timestamptz,
	time_zone text DEFAULT 'UTC'
) RETURNS integer
AS 'MODULE_PATHNAME', 'holdout_purchases' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION holdout_purchases(timeline, text, timestamptz, timestamptz, text) IS 'Number of purchases after the date of from_at, up to to_at, by the rules of purchase_summary (holdout or validation period, x* of Fader and Hardie): what a model fitted at as_of => from_at should have expected. The date of from_at belongs to the calibration period as a whole. Customers whose first purchase comes after from_at have some too, but no model knows them: leave out those for whom purchase_summary is NULL';

CREATE FUNCTION purchases_transition(internal, timestamptz, double precision) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION purchases_transition(internal, timestamptz, double precision) IS 'Transition function of the aggregate purchases';

CREATE AGGREGATE purchases(at timestamptz, value double precision) (
	SFUNC = purchases_transition,
	STYPE = internal,
	SSPACE = 256,
	COMBINEFUNC = timeline_combine,
	SERIALFUNC = timeline_serialize,
	DESERIALFUNC = timeline_deserialize,
	FINALFUNC = timeline_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE purchases(timestamptz, double precision) IS 'The timeline of a customer''s purchases from plain order rows, in any order and with any number of rows an order: events ''purchase'' with a value (revenue, or margin to look at profits); negative values are refunds, rows without a time are skipped. Read it with purchase_summary: SELECT customer, s.* FROM (SELECT customer, purchases(ordered_at, amount) AS p FROM orders GROUP BY customer) AS o, purchase_summary(p, ''purchase'', ''2026-07-01'') AS s';

-- Purchase histories of many customers

CREATE TYPE purchase_histories;

CREATE FUNCTION purchase_histories_in(cstring) RETURNS purchase_histories
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION purchase_histories_in(cstring) IS 'Text input of purchase_histories';

CREATE FUNCTION purchase_histories_out(purchase_histories) RETURNS cstring
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION purchase_histories_out(purchase_histories) IS 'Text output of purchase_histories: JSON, exact, and no setting changes it';

CREATE FUNCTION purchase_histories_recv(internal) RETURNS purchase_histories
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION purchase_histories_recv(internal) IS 'Binary input of purchase_histories';

CREATE FUNCTION purchase_histories_send(purchase_histories) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION purchase_histories_send(purchase_histories) IS 'Binary output of purchase_histories';

CREATE TYPE purchase_histories (
	INPUT = purchase_histories_in,
	OUTPUT = purchase_histories_out,
	RECEIVE = purchase_histories_recv,
	SEND = purchase_histories_send,
	INTERNALLENGTH = variable,
	ALIGNMENT = double,
	STORAGE = extended
);
COMMENT ON TYPE purchase_histories IS 'How many customers have each purchase history of frequency, recency and age: the sufficient statistics of BG/NBD, MBG/NBD, Pareto/NBD and BG/BB models. Storable and mergeable: made by the aggregate purchase_histories, merged by rollup, read by the fits. Its size follows the distinct histories, not the customers';

CREATE FUNCTION purchase_histories_eq(purchase_histories, purchase_histories) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION purchase_histories_eq(purchase_histories, purchase_histories) IS 'Behind the operator = of purchase_histories';

CREATE FUNCTION purchase_histories_ne(purchase_histories, purchase_histories) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION purchase_histories_ne(purchase_histories, purchase_histories) IS 'Behind the operator <> of purchase_histories';

CREATE FUNCTION purchase_histories_hash(purchase_histories) RETURNS integer
AS 'MODULE_PATHNAME', 'state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION purchase_histories_hash(purchase_histories) IS 'Hash of a purchase_histories, for GROUP BY, DISTINCT and joins';

CREATE FUNCTION purchase_histories_hash_extended(purchase_histories, bigint) RETURNS bigint
AS 'MODULE_PATHNAME', 'state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION purchase_histories_hash_extended(purchase_histories, bigint) IS 'Seeded 64-bit hash of a purchase_histories, for hash partitions';

CREATE OPERATOR = (
	LEFTARG = purchase_histories,
	RIGHTARG = purchase_histories,
	FUNCTION = purchase_histories_eq,
	COMMUTATOR = =,
	NEGATOR = <>,
	RESTRICT = eqsel,
	JOIN = eqjoinsel,
	HASHES
);
COMMENT ON OPERATOR = (purchase_histories, purchase_histories) IS 'The same histories of as many customers';

CREATE OPERATOR <> (
	LEFTARG = purchase_histories,
	RIGHTARG = purchase_histories,
	FUNCTION = purchase_histories_ne,
	COMMUTATOR = <>,
	NEGATOR = =,
	RESTRICT = neqsel,
	JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (purchase_histories, purchase_histories) IS 'Different histories, or of more or fewer customers';

CREATE OPERATOR CLASS purchase_histories_hash_ops
	DEFAULT FOR TYPE purchase_histories USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 purchase_histories_hash(purchase_histories),
	FUNCTION 2 purchase_histories_hash_extended(purchase_histories, bigint);
COMMENT ON OPERATOR CLASS purchase_histories_hash_ops USING hash IS 'Hashing of purchase_histories; it has no order, as none would mean anything';
COMMENT ON OPERATOR FAMILY purchase_histories_hash_ops USING hash IS 'Hashing of purchase_histories';

CREATE FUNCTION purchase_histories_accum(purchase_histories, frequency integer, recency double precision, age double precision) RETURNS purchase_histories
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION purchase_histories_accum(purchase_histories, integer, double precision, double precision) IS 'A step of the aggregate purchase_histories: counts one customer';

CREATE FUNCTION purchase_histories_accum(purchase_histories, frequency integer, recency double precision, age double precision, customers bigint) RETURNS purchase_histories
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION purchase_histories_accum(purchase_histories, integer, double precision, double precision, bigint) IS 'A step of the aggregate purchase_histories: counts customers of one history';

CREATE FUNCTION purchase_histories_combine(purchase_histories, purchase_histories) RETURNS purchase_histories
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION purchase_histories_combine(purchase_histories, purchase_histories) IS 'A step of the aggregate rollup: adds one state to another';

CREATE AGGREGATE purchase_histories(frequency integer, recency double precision, age double precision) (
	STYPE = purchase_histories,
	SSPACE = 8192,
	SFUNC = purchase_histories_accum,
	COMBINEFUNC = purchase_histories_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE purchase_histories(integer, double precision, double precision) IS 'Collects the purchase histories of customers, one a row, as purchase_summary gives them, for bgnbd_fit and the other fits. frequency (x): repeat purchases; recency (t_x): time from the first purchase to the last; age (T): time from the first purchase to the end of the observation, in one unit. Rows with a NULL are skipped. A state holds some 8 million different histories: round times to days if there are more. For bgbb_fit, recency and age are numbers of opportunities';

CREATE AGGREGATE purchase_histories(frequency integer, recency double precision, age double precision, customers bigint) (
	STYPE = purchase_histories,
	SSPACE = 8192,
	SFUNC = purchase_histories_accum,
	COMBINEFUNC = purchase_histories_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE purchase_histories(integer, double precision, double precision, bigint) IS 'Collects purchase histories that are counted already: customers have this frequency, recency and age each. Rows with a NULL, and those of 0 customers, are skipped';

CREATE AGGREGATE rollup(purchase_histories) (
	STYPE = purchase_histories,
	SSPACE = 8192,
	SFUNC = purchase_histories_combine,
	COMBINEFUNC = purchase_histories_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE rollup(purchase_histories) IS 'Merges purchase histories into one, as if one aggregate had seen all of their customers: keep one a country, merge when asked. Each customer must be in one of them only, and all must be observed to the same end and in the same unit';

CREATE FUNCTION customer_count(histories purchase_histories) RETURNS bigint
AS 'MODULE_PATHNAME', 'purchase_histories_customers' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION customer_count(purchase_histories) IS 'How many customers the histories are of';

CREATE FUNCTION history_counts(histories purchase_histories)
RETURNS TABLE (frequency integer, recency double precision, age double precision, customers bigint)
AS 'MODULE_PATHNAME', 'purchase_histories_counts' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 1000;
COMMENT ON FUNCTION history_counts(purchase_histories) IS 'One row for each distinct history, ordered by age, recency and frequency, with the number of customers who have it. purchase_histories(frequency, recency, age, customers) over these rows, or some of them, makes the state again';
-- Spend of many customers

CREATE TYPE spend_histories;

CREATE FUNCTION spend_histories_in(cstring) RETURNS spend_histories
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION spend_histories_in(cstring) IS 'Text input of spend_histories';

CREATE FUNCTION spend_histories_out(spend_histories) RETURNS cstring
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION spend_histories_out(spend_histories) IS 'Text output of spend_histories: JSON, exact, and no setting changes it';

CREATE FUNCTION spend_histories_recv(internal) RETURNS spend_histories
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION spend_histories_recv(internal) IS 'Binary input of spend_histories';

CREATE FUNCTION spend_histories_send(spend_histories) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION spend_histories_send(spend_histories) IS 'Binary output of spend_histories';

CREATE TYPE spend_histories (
	INPUT = spend_histories_in,
	OUTPUT = spend_histories_out,
	RECEIVE = spend_histories_recv,
	SEND = spend_histories_send,
	INTERNALLENGTH = variable,
	ALIGNMENT = double,
	STORAGE = extended
);
COMMENT ON TYPE spend_histories IS 'How many customers have each number of repeat purchases and mean value of them: the sufficient statistics of the Gamma-Gamma model of spend. Storable and mergeable: made by the aggregate spend_histories, merged by rollup, read by gamma_gamma_fit. Its size follows the distinct pairs, not the customers';

CREATE FUNCTION spend_histories_eq(spend_histories, spend_histories) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION spend_histories_eq(spend_histories, spend_histories) IS 'Behind the operator = of spend_histories';

CREATE FUNCTION spend_histories_ne(spend_histories, spend_histories) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION spend_histories_ne(spend_histories, spend_histories) IS 'Behind the operator <> of spend_histories';

CREATE FUNCTION spend_histories_hash(spend_histories) RETURNS integer
AS 'MODULE_PATHNAME', 'state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION spend_histories_hash(spend_histories) IS 'Hash of a spend_histories, for GROUP BY, DISTINCT and joins';

CREATE FUNCTION spend_histories_hash_extended(spend_histories, bigint) RETURNS bigint
AS 'MODULE_PATHNAME', 'state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION spend_histories_hash_extended(spend_histories, bigint) IS 'Seeded 64-bit hash of a spend_histories, for hash partitions';

CREATE OPERATOR = (
	LEFTARG = spend_histories,
	RIGHTARG = spend_histories,
	FUNCTION = spend_histories_eq,
	COMMUTATOR = =,
	NEGATOR = <>,
	RESTRICT = eqsel,
	JOIN = eqjoinsel,
	HASHES
);
COMMENT ON OPERATOR = (spend_histories, spend_histories) IS 'The same spend of as many customers';

CREATE OPERATOR <> (
	LEFTARG = spend_histories,
	RIGHTARG = spend_histories,
	FUNCTION = spend_histories_ne,
	COMMUTATOR = <>,
	NEGATOR = =,
	RESTRICT = neqsel,
	JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (spend_histories, spend_histories) IS 'Different spend, or of more or fewer customers';

CREATE OPERATOR CLASS spend_histories_hash_ops
	DEFAULT FOR TYPE spend_histories USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 spend_histories_hash(spend_histories),
	FUNCTION 2 spend_histories_hash_extended(spend_histories, bigint);
COMMENT ON OPERATOR CLASS spend_histories_hash_ops USING hash IS 'Hashing of spend_histories; it has no order, as none would mean anything';
COMMENT ON OPERATOR FAMILY spend_histories_hash_ops USING hash IS 'Hashing of spend_histories';

CREATE FUNCTION spend_histories_accum(spend_histories, frequency integer, monetary_value double precision) RETURNS spend_histories
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION spend_histories_accum(spend_histories, integer, double precision) IS 'A step of the aggregate spend_histories: counts one customer';

CREATE FUNCTION spend_histories_accum(spend_histories, frequency integer, monetary_value double precision, customers bigint) RETURNS spend_histories
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION spend_histories_accum(spend_histories, integer, double precision, bigint) IS 'A step of the aggregate spend_histories: counts customers of one history';

CREATE FUNCTION spend_histories_combine(spend_histories, spend_histories) RETURNS spend_histories
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION spend_histories_combine(spend_histories, spend_histories) IS 'A step of the aggregate rollup: adds one state to another';

CREATE AGGREGATE spend_histories(frequency integer, monetary_value double precision) (
	STYPE = spend_histories,
	SSPACE = 8192,
	SFUNC = spend_histories_accum,
	COMBINEFUNC = spend_histories_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE spend_histories(integer, double precision) IS 'Collects the spend of customers, one a row, as purchase_summary gives it, for gamma_gamma_fit. frequency (x): repeat purchases; monetary_value (m): their mean value. Rows with a NULL, and customers without repeat purchases (frequency 0) or with none that was paid for (monetary_value 0), are skipped: Gamma-Gamma is about the others';

CREATE AGGREGATE spend_histories(frequency integer, monetary_value double precision, customers bigint) (
	STYPE = spend_histories,
	SSPACE = 8192,
	SFUNC = spend_histories_accum,
	COMBINEFUNC = spend_histories_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE spend_histories(integer, double precision, bigint) IS 'Collects spend that is counted already: customers have this frequency and monetary_value each. Rows with a NULL, without repeat purchases that were paid for, and those of 0 customers, are skipped';

CREATE AGGREGATE rollup(spend_histories) (
	STYPE = spend_histories,
	SSPACE = 8192,
	SFUNC = spend_histories_combine,
	COMBINEFUNC = spend_histories_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE rollup(spend_histories) IS 'Merges the spend of customers into one state, as if one aggregate had seen all of them: keep one a country, merge when asked. Each customer must be in one of them only';

CREATE FUNCTION customer_count(histories spend_histories) RETURNS bigint
AS 'MODULE_PATHNAME', 'spend_histories_customers' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION customer_count(spend_histories) IS 'How many customers the spend is of: those with repeat purchases';

CREATE FUNCTION history_counts(histories spend_histories)
RETURNS TABLE (frequency integer, monetary_value double precision, customers bigint)
AS 'MODULE_PATHNAME', 'spend_histories_counts' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 1000;
COMMENT ON FUNCTION history_counts(spend_histories) IS 'One row for each distinct pair of mean value and frequency, in this order, with the number of customers who have it. spend_histories(frequency, monetary_value, customers) over these rows, or some of them, makes the state again';
-- Fits of models to customers

CREATE FUNCTION bgnbd_fit(histories purchase_histories) RETURNS bgnbd
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgnbd_fit(purchase_histories) IS 'Maximum likelihood fit of BG/NBD. It takes every one-time buyer for alive: prefer mbgnbd_fit or paretonbd_fit for reports. The same to the last digit for any order of rows and any plan. diagnostics tells whether it converged; too few customers give a model without parameters, whose answers are NULL';

CREATE FUNCTION mbgnbd_fit(histories purchase_histories) RETURNS mbgnbd
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mbgnbd_fit(purchase_histories) IS 'Maximum likelihood fit of MBG/NBD: the model to begin with. The same to the last digit for any order of rows and any plan. diagnostics tells whether it converged; too few customers give a model without parameters, whose answers are NULL';

CREATE FUNCTION paretonbd_fit(histories purchase_histories) RETURNS paretonbd
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION paretonbd_fit(purchase_histories) IS 'Maximum likelihood fit of Pareto/NBD: slower than mbgnbd_fit, and better where customers are lost some time after their last purchase. The same to the last digit for any order of rows and any plan. diagnostics tells whether it converged; too few customers give a model without parameters, whose answers are NULL';

CREATE FUNCTION bgbb_fit(histories purchase_histories) RETURNS bgbb
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgbb_fit(purchase_histories) IS 'Maximum likelihood fit of BG/BB: recency and age count opportunities to buy, and there is at most one purchase at each. The same to the last digit for any order of rows and any plan. diagnostics tells whether it converged; too few customers give a model without parameters, whose answers are NULL';

CREATE FUNCTION gamma_gamma_fit(histories spend_histories) RETURNS gamma_gamma
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gamma_gamma_fit(spend_histories) IS 'Maximum likelihood fit of Gamma-Gamma to the repeat buyers. The same to the last digit for any order of rows and any plan. diagnostics tells whether it converged; too few customers give a model without parameters, whose answers are NULL';

CREATE FUNCTION sbg_fit(survivors bigint[]) RETURNS sbg
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sbg_fit(bigint[]) IS 'Maximum likelihood fit of sBG to one cohort with a contract: how many customers there were at first, after one period, after two, and so on. diagnostics tells whether it converged';
-- Probability that a customer is still one

CREATE FUNCTION p_alive(model bgnbd, frequency integer, recency double precision, age double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'p_alive' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION p_alive(bgnbd, integer, double precision, double precision) IS 'Probability that the customer is still one (P(alive), probability of being active; 1 minus it is the probability of churn), by BG/NBD: frequency is the number of repeat purchases, recency the time from the first purchase to the last, age the time from the first purchase to now, in the time unit of the model. It is 1 for everybody with frequency 0, who are most customers of most shops: in BG/NBD a customer can be lost after a repeat purchase only; ask mbgnbd or paretonbd about them';

CREATE FUNCTION p_alive(model mbgnbd, frequency integer, recency double precision, age double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'p_alive' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION p_alive(mbgnbd, integer, double precision, double precision) IS 'Probability that the customer is still one (P(alive), probability of being active; 1 minus it is the probability of churn), by MBG/NBD: frequency is the number of repeat purchases, recency the time from the first purchase to the last, age the time from the first purchase to now, in the time unit of the model';

CREATE FUNCTION p_alive(model paretonbd, frequency integer, recency double precision, age double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'p_alive' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION p_alive(paretonbd, integer, double precision, double precision) IS 'Probability that the customer is still one (P(alive), probability of being active; 1 minus it is the probability of churn), by Pareto/NBD: frequency is the number of repeat purchases, recency the time from the first purchase to the last, age the time from the first purchase to now, in the time unit of the model';

CREATE FUNCTION p_alive(model bgbb, frequency integer, recency double precision, age double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'p_alive' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION p_alive(bgbb, integer, double precision, double precision) IS 'Probability that the customer is still one (P(alive), probability of being active; 1 minus it is the probability of churn), by BG/BB: frequency is the number of opportunities used, recency the number of the last one used, age the number of all that there were. As published, it is the probability to be alive at the next opportunity';
-- Purchases to expect

CREATE FUNCTION expected_purchases(model bgnbd, horizon double precision, frequency integer DEFAULT 0, recency double precision DEFAULT 0, age double precision DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'expected_purchases' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION expected_purchases(bgnbd, double precision, integer, double precision, double precision) IS 'Expected number of purchases in the time from now to now + horizon, by BG/NBD (conditional expected transactions), with the probability counted in that the customer is lost already: frequency is the number of repeat purchases, recency the time from the first purchase to the last, age the time from the first purchase to now, in the time unit of the model. Without a history: of a new customer, after his first purchase';

CREATE FUNCTION expected_purchases(model mbgnbd, horizon double precision, frequency integer DEFAULT 0, recency double precision DEFAULT 0, age double precision DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'expected_purchases' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION expected_purchases(mbgnbd, double precision, integer, double precision, double precision) IS 'Expected number of purchases in the time from now to now + horizon, by MBG/NBD (conditional expected transactions), with the probability counted in that the customer is lost already: frequency is the number of repeat purchases, recency the time from the first purchase to the last, age the time from the first purchase to now, in the time unit of the model. Without a history: of a new customer, after his first purchase';

CREATE FUNCTION expected_purchases(model paretonbd, horizon double precision, frequency integer DEFAULT 0, recency double precision DEFAULT 0, age double precision DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'expected_purchases' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION expected_purchases(paretonbd, double precision, integer, double precision, double precision) IS 'Expected number of purchases in the time from now to now + horizon, by Pareto/NBD (conditional expected transactions), with the probability counted in that the customer is lost already: frequency is the number of repeat purchases, recency the time from the first purchase to the last, age the time from the first purchase to now, in the time unit of the model. Without a history: of a new customer, after his first purchase';

CREATE FUNCTION expected_purchases(model bgbb, horizon double precision, frequency integer DEFAULT 0, recency double precision DEFAULT 0, age double precision DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'expected_purchases' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION expected_purchases(bgbb, double precision, integer, double precision, double precision) IS 'Expected number of purchases in the next opportunities, whose number is horizon, by BG/BB (conditional expected transactions), with the probability counted in that the customer is lost already: frequency is the number of opportunities used, recency the number of the last one used, age the number of all that there were. Without a history: of a new customer, before his first opportunity';
-- Probability of a number of purchases

CREATE FUNCTION purchase_probability(model bgnbd, purchases integer, horizon double precision, frequency integer DEFAULT 0, recency double precision DEFAULT 0, age double precision DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'purchase_probability' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION purchase_probability(bgnbd, integer, double precision, integer, double precision, double precision) IS 'Probability that the customer makes exactly so many purchases in the time from now to now + horizon, by BG/NBD; over all numbers they sum to 1: frequency is the number of repeat purchases, recency the time from the first purchase to the last, age the time from the first purchase to now, in the time unit of the model. Without a history: of a new customer, after his first purchase';

CREATE FUNCTION purchase_probability(model mbgnbd, purchases integer, horizon double precision, frequency integer DEFAULT 0, recency double precision DEFAULT 0, age double precision DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'purchase_probability' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION purchase_probability(mbgnbd, integer, double precision, integer, double precision, double precision) IS 'Probability that the customer makes exactly so many purchases in the time from now to now + horizon, by MBG/NBD; over all numbers they sum to 1: frequency is the number of repeat purchases, recency the time from the first purchase to the last, age the time from the first purchase to now, in the time unit of the model. Without a history: of a new customer, after his first purchase';

CREATE FUNCTION purchase_probability(model paretonbd, purchases integer, horizon double precision, frequency integer DEFAULT 0, recency double precision DEFAULT 0, age double precision DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'purchase_probability' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION purchase_probability(paretonbd, integer, double precision, integer, double precision, double precision) IS 'Probability that the customer makes exactly so many purchases in the time from now to now + horizon, by Pareto/NBD; over all numbers they sum to 1: frequency is the number of repeat purchases, recency the time from the first purchase to the last, age the time from the first purchase to now, in the time unit of the model. Without a history: of a new customer, after his first purchase';

CREATE FUNCTION purchase_probability(model bgbb, purchases integer, horizon double precision, frequency integer DEFAULT 0, recency double precision DEFAULT 0, age double precision DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'purchase_probability' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION purchase_probability(bgbb, integer, double precision, integer, double precision, double precision) IS 'Probability that the customer makes exactly so many purchases in the next opportunities, whose number is horizon, by BG/BB; over all numbers they sum to 1: frequency is the number of opportunities used, recency the number of the last one used, age the number of all that there were. Without a history: of a new customer, before his first opportunity';
-- Discounted purchases

CREATE FUNCTION discounted_purchases(model bgnbd, rate double precision, frequency integer DEFAULT 0, recency double precision DEFAULT 0, age double precision DEFAULT 0, horizon double precision DEFAULT NULL) RETURNS double precision
AS 'MODULE_PATHNAME', 'discounted_purchases' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION discounted_purchases(bgnbd, double precision, integer, double precision, double precision, double precision) IS 'Expected purchases to come, each times exp(-rate * the time until then) (DERT, discounted expected residual transactions), by BG/NBD; rate is continuous per time unit of the model, ln(1 + d) of an effective rate d: with weeks, ln(1.1) / 52.18 is 10% a year: frequency is the number of repeat purchases, recency the time from the first purchase to the last, age the time from the first purchase to now, in the time unit of the model. Without a history: of a new customer, after his first purchase, which does not count. Up to now + horizon; NULL: all time to come, and then the rate must be greater than 0';

CREATE FUNCTION discounted_purchases(model mbgnbd, rate double precision, frequency integer DEFAULT 0, recency double precision DEFAULT 0, age double precision DEFAULT 0, horizon double precision DEFAULT NULL) RETURNS double precision
AS 'MODULE_PATHNAME', 'discounted_purchases' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION discounted_purchases(mbgnbd, double precision, integer, double precision, double precision, double precision) IS 'Expected purchases to come, each times exp(-rate * the time until then) (DERT, discounted expected residual transactions), by MBG/NBD; rate is continuous per time unit of the model, ln(1 + d) of an effective rate d: with weeks, ln(1.1) / 52.18 is 10% a year: frequency is the number of repeat purchases, recency the time from the first purchase to the last, age the time from the first purchase to now, in the time unit of the model. Without a history: of a new customer, after his first purchase, which does not count. Up to now + horizon; NULL: all time to come, and then the rate must be greater than 0';

CREATE FUNCTION discounted_purchases(model paretonbd, rate double precision, frequency integer DEFAULT 0, recency double precision DEFAULT 0, age double precision DEFAULT 0, horizon double precision DEFAULT NULL) RETURNS double precision
AS 'MODULE_PATHNAME', 'discounted_purchases' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION discounted_purchases(paretonbd, double precision, integer, double precision, double precision, double precision) IS 'Expected purchases to come, each times exp(-rate * the time until then) (DERT, discounted expected residual transactions), by Pareto/NBD; rate is continuous per time unit of the model, ln(1 + d) of an effective rate d: with weeks, ln(1.1) / 52.18 is 10% a year: frequency is the number of repeat purchases, recency the time from the first purchase to the last, age the time from the first purchase to now, in the time unit of the model. Without a history: of a new customer, after his first purchase, which does not count. Up to now + horizon; NULL: all time to come, and then the rate must be greater than 0';

CREATE FUNCTION discounted_purchases(model bgbb, rate double precision, frequency integer DEFAULT 0, recency double precision DEFAULT 0, age double precision DEFAULT 0, horizon double precision DEFAULT NULL) RETURNS double precision
AS 'MODULE_PATHNAME', 'discounted_purchases' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION discounted_purchases(bgbb, double precision, integer, double precision, double precision, double precision) IS 'Expected purchases to come, each divided by (1 + rate) for every opportunity until then (DERT, discounted expected residual transactions), by BG/BB; rate is effective per opportunity, 0.1 for 10%: frequency is the number of opportunities used, recency the number of the last one used, age the number of all that there were. Without a history: of a new customer, before his first opportunity. Up to now + horizon; NULL: all time to come, and then the rate must be greater than 0';
-- Value of a purchase

CREATE FUNCTION expected_value(model gamma_gamma, frequency integer DEFAULT 0, monetary_value double precision DEFAULT NULL)
RETURNS double precision
AS 'MODULE_PATHNAME', 'expected_value' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION expected_value(gamma_gamma, integer, double precision) IS 'Expected monetary value (average order value) of a customer''s next purchase by the Gamma-Gamma model: between the mean of his repeat purchases (monetary_value) and the mean of all customers, nearer to his own the more he bought. frequency is his number of repeat purchases; with 0 it is the mean of all customers, whatever monetary_value is. Infinity where the model''s expectation is infinite: p * frequency + q <= 1, so for new customers if q <= 1. NULL if frequency is, or if monetary_value is and frequency > 0';
-- Customer lifetime value

CREATE FUNCTION clv(model bgnbd, value_model gamma_gamma, frequency integer, recency double precision, age double precision, monetary_value double precision, horizon double precision DEFAULT NULL, rate double precision DEFAULT 0, margin double precision DEFAULT 1, acquisition_cost double precision DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'clv' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv(bgnbd, gamma_gamma, integer, double precision, double precision, double precision, double precision, double precision, double precision, double precision) IS 'Customer lifetime value that is still to come (residual CLV, LTV): margin * expected_value * discounted_purchases - acquisition_cost. The customer''s history is that of purchase_summary; horizon is in the unit of recency and age, and rate continuous per unit, ln(1.1) / 52.18 for 10 % a year in weeks. Without a horizon it is for ever, and needs a rate above 0. margin is the share of the value that is earned, 0.4 for 40 %: 1 if the value is margin already. What the customer has bought so far is not in it: for a customer to be acquired give 0, 0, 0 and NULL, and add the margin of first purchases, which is in the data (the value model is about repeat purchases). With bgnbd every one-time buyer counts as alive, which makes them worth too much: prefer mbgnbd or paretonbd. NULL without a history, or if a model has no parameters';

CREATE FUNCTION clv(model mbgnbd, value_model gamma_gamma, frequency integer, recency double precision, age double precision, monetary_value double precision, horizon double precision DEFAULT NULL, rate double precision DEFAULT 0, margin double precision DEFAULT 1, acquisition_cost double precision DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'clv' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv(mbgnbd, gamma_gamma, integer, double precision, double precision, double precision, double precision, double precision, double precision, double precision) IS 'Customer lifetime value that is still to come (residual CLV, LTV): margin * expected_value * discounted_purchases - acquisition_cost. The customer''s history is that of purchase_summary; horizon is in the unit of recency and age, and rate continuous per unit, ln(1.1) / 52.18 for 10 % a year in weeks. Without a horizon it is for ever, and needs a rate above 0. margin is the share of the value that is earned, 0.4 for 40 %: 1 if the value is margin already. What the customer has bought so far is not in it: for a customer to be acquired give 0, 0, 0 and NULL, and add the margin of first purchases, which is in the data (the value model is about repeat purchases). NULL without a history, or if a model has no parameters';

CREATE FUNCTION clv(model paretonbd, value_model gamma_gamma, frequency integer, recency double precision, age double precision, monetary_value double precision, horizon double precision DEFAULT NULL, rate double precision DEFAULT 0, margin double precision DEFAULT 1, acquisition_cost double precision DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'clv' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv(paretonbd, gamma_gamma, integer, double precision, double precision, double precision, double precision, double precision, double precision, double precision) IS 'Customer lifetime value that is still to come (residual CLV, LTV): margin * expected_value * discounted_purchases - acquisition_cost. The customer''s history is that of purchase_summary; horizon is in the unit of recency and age, and rate continuous per unit, ln(1.1) / 52.18 for 10 % a year in weeks. Without a horizon it is for ever, and needs a rate above 0. margin is the share of the value that is earned, 0.4 for 40 %: 1 if the value is margin already. What the customer has bought so far is not in it: for a customer to be acquired give 0, 0, 0 and NULL, and add the margin of first purchases, which is in the data (the value model is about repeat purchases). NULL without a history, or if a model has no parameters';

CREATE FUNCTION clv(model bgbb, value_model gamma_gamma, frequency integer, recency double precision, age double precision, monetary_value double precision, horizon double precision DEFAULT NULL, rate double precision DEFAULT 0, margin double precision DEFAULT 1, acquisition_cost double precision DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'clv' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv(bgbb, gamma_gamma, integer, double precision, double precision, double precision, double precision, double precision, double precision, double precision) IS 'Customer lifetime value that is still to come (residual CLV, LTV): margin * expected_value * discounted_purchases - acquisition_cost. The customer''s history is that of purchase_summary; horizon counts opportunities, and rate is effective for each, 0.1 for 10 %. Without a horizon it is for ever, and needs a rate above 0. margin is the share of the value that is earned, 0.4 for 40 %: 1 if the value is margin already. What the customer has bought so far is not in it: for a customer to be acquired give 0, 0, 0 and NULL, and add the margin of first purchases, which is in the data (the value model is about repeat purchases). NULL without a history, or if a model has no parameters';
-- Customers with a contract

CREATE FUNCTION survival_rate(model sbg, period integer) RETURNS double precision
AS 'MODULE_PATHNAME', 'sbg_survival_rate' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION survival_rate(sbg, integer) IS 'Survival function S(period): the share of a cohort that is still there after so many periods, that is renewals; 1 after 0';

CREATE FUNCTION retention_rate(model sbg, period integer) RETURNS double precision
AS 'MODULE_PATHNAME', 'sbg_retention_rate' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION retention_rate(sbg, integer) IS 'Retention rate of a period, from 1: of those who are there before it, the share that renews for it, S(period) / S(period - 1). It rises with time, as those who leave easily leave first. The churn rate is 1 minus it';

CREATE FUNCTION retention_curve(model sbg, periods integer)
RETURNS TABLE (period integer, survival_rate double precision, retention_rate double precision)
AS 'MODULE_PATHNAME', 'sbg_retention_curve' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 12;
COMMENT ON FUNCTION retention_curve(sbg, integer) IS 'Survival and retention rate of each period from 0 to periods: the projected curve of a cohort with a contract. Period 0 has no retention rate';

CREATE FUNCTION expected_lifetime(model sbg, periods integer DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'sbg_expected_lifetime' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION expected_lifetime(sbg, integer) IS 'Expected lifetime in periods of a new customer, his first period counted. Of one who has been there for so many periods, the expected number of periods that follow (residual lifetime), just before the renewal. Infinity if alpha <= 1: some customers then stay too long for a mean; use discounted_lifetime';

CREATE FUNCTION discounted_lifetime(model sbg, rate double precision, periods integer DEFAULT 0, horizon integer DEFAULT NULL)
RETURNS double precision
AS 'MODULE_PATHNAME', 'sbg_discounted_lifetime' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION discounted_lifetime(sbg, double precision, integer, integer) IS 'Discounted expected lifetime (Fader and Hardie 2010): times the margin of a period it is the lifetime value. With periods 0 that of a new customer (DEL), whose first payment is now and counts in full, the next 1 / (1 + rate), and so on. With periods n the residual lifetime (DERL) of a customer who has been there for n periods, just before he decides on renewal: a payment now if he renews, and the later ones. rate is the discount rate for a period, 0.1 for 10 %. horizon counts only so many payments, the one now included; NULL: all, and rate must be greater than 0 then';
-- RFM scores and segments

CREATE FUNCTION rfm_score(parts integer DEFAULT 5) RETURNS integer
AS 'MODULE_PATHNAME', 'rfm_score' LANGUAGE C IMMUTABLE WINDOW PARALLEL SAFE;
COMMENT ON FUNCTION rfm_score(integer) IS 'Score of a row from 1 to parts by its place in the window''s order, which goes from the worst to the best: rfm_score() OVER (ORDER BY frequency). Without ties it is ntile(parts): quintiles for 5, deciles for 10. Equal rows all have the score of the first of them, where ntile tells them apart at random: if 60% of customers bought once, they all have 1, and who bought twice has 4. The R of RFM is how long ago the last purchase was: from purchase_summary, rfm_score() OVER (ORDER BY age - recency DESC). Rows where the order''s value is NULL stand where ORDER BY puts them, last unless told otherwise and so with the best: leave them out or write NULLS FIRST. parts is that of the first row of a partition';

CREATE FUNCTION rfm_segment(recency_score integer, frequency_score integer, monetary_score integer DEFAULT NULL) RETURNS text
AS 'MODULE_PATHNAME', 'rfm_segment' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION rfm_segment(integer, integer, integer) IS 'The usual name for customers with these scores from 1 to 5 (rfm_score), by recency R and frequency F; with monetary_score M, F is the mean of F and M, rounded up. champions: R 5, F 4-5; loyal: R 3-4, F 4-5; potential loyalists: R 4-5, F 2-3; new customers: R 5, F 1; promising: R 4, F 1; need attention: R 3, F 3; about to sleep: R 3, F 1-2; at risk: R 1-2, F 3-4; cannot lose: R 1-2, F 5; hibernating: R 1-2, F 1-2 but for lost: R 1, F 1';

-- Forecasts against what happened (holdout validation)

CREATE TYPE forecast_error AS (
	customers bigint,
	expected double precision,
	actual double precision,
	expected_mean double precision,
	actual_mean double precision,
	ratio double precision,
	mean_absolute_error double precision,
	root_mean_square_error double precision
);
COMMENT ON TYPE forecast_error IS 'How far a forecast is off for a group of customers, as the aggregate forecast_error() gives it';
COMMENT ON COLUMN forecast_error.customers IS 'Customers with a forecast and an outcome';
COMMENT ON COLUMN forecast_error.expected IS 'Sum of what was expected of them';
COMMENT ON COLUMN forecast_error.actual IS 'Sum of what happened';
COMMENT ON COLUMN forecast_error.expected_mean IS 'expected / customers';
COMMENT ON COLUMN forecast_error.actual_mean IS 'actual / customers';
COMMENT ON COLUMN forecast_error.ratio IS 'expected / actual: 1 is right in total, 1.12 is 12% too much (a total error of +12%), 0.9 is 10% too little; NULL if actual is 0';
COMMENT ON COLUMN forecast_error.mean_absolute_error IS 'Mean of abs(expected - actual) over the customers (MAE)';
COMMENT ON COLUMN forecast_error.root_mean_square_error IS 'Square root of the mean of (expected - actual)^2 (RMSE)';

CREATE FUNCTION forecast_error_transition(internal, double precision, double precision) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION forecast_error_transition(internal, double precision, double precision) IS 'Transition function of the aggregate forecast_error';

CREATE FUNCTION forecast_error_combine(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION forecast_error_combine(internal, internal) IS 'Combine function of the aggregate forecast_error';

CREATE FUNCTION forecast_error_serialize(internal) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION forecast_error_serialize(internal) IS 'Serialisation of the aggregate forecast_error';

CREATE FUNCTION forecast_error_deserialize(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION forecast_error_deserialize(bytea, internal) IS 'Deserialisation of the aggregate forecast_error';

CREATE FUNCTION forecast_error_final(internal) RETURNS forecast_error
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION forecast_error_final(internal) IS 'Final function of the aggregate forecast_error';

CREATE AGGREGATE forecast_error(expected double precision, actual double precision) (
	SFUNC = forecast_error_transition,
	STYPE = internal,
	SSPACE = 160,
	COMBINEFUNC = forecast_error_combine,
	SERIALFUNC = forecast_error_serialize,
	DESERIALFUNC = forecast_error_deserialize,
	FINALFUNC = forecast_error_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE forecast_error(double precision, double precision) IS 'What was expected of customers beside what they did in a holdout period: expected from a model fitted without that period (expected_purchases, or money), actual from holdout_purchases; rows without one of the two are skipped. Exact in any order. SELECT (forecast_error(expected, actual)).* gives the total; with GROUP BY least(frequency, 7) it shows whom the model gets wrong (conditional expectations by number of repeat purchases in the calibration period), by tenths of the forecast, rfm_score(10) OVER (ORDER BY expected) from a subquery, whether it tells good customers from bad (calibration table, decile analysis). Believe a model that beats naive_purchases in place of expected';

CREATE FUNCTION naive_purchases(horizon double precision, frequency integer, age double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'naive_purchases' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION naive_purchases(double precision, integer, double precision) IS 'The forecast without a model: the customer goes on at his own rate, frequency / age * horizon purchases, horizon in the unit of age; 0 for one who bought once. The yardstick for models, see forecast_error';

-- Unit economics

CREATE FUNCTION simple_clv(margin double precision, retention_rate double precision, discount_rate double precision, first_margin integer DEFAULT 1) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_simple_clv' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION simple_clv(double precision, double precision, double precision, integer) IS 'Customer lifetime value by the simple formula, for ever, with the same margin each period from those who are still customers: retention_rate is the share who stay from one period to the next, discount_rate the rate of one period. first_margin says when the first margin comes. 1: after one period, from those who stayed, margin * r / (1 + d - r), the value of a customer whose first margin has been earned already. 0: at once, margin * (1 + d) / (1 + d - r), which is that margin more; compare this one with the cost of acquisition. A retention_rate of 1 + discount_rate or more is an error, as the value would be infinite';

CREATE FUNCTION customer_acquisition_cost(spend double precision, customers double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_customer_acquisition_cost' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION customer_acquisition_cost(double precision, double precision) IS 'What one new customer cost (CAC): spend on acquiring / new customers, which may be shares of customers that attribution credits to a channel; NULL if there are none';

CREATE FUNCTION clv_to_cac(clv double precision, cac double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_clv_to_cac' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_to_cac(double precision, double precision) IS 'How many times a customer''s lifetime value pays the cost of acquiring him (CLV:CAC, LTV:CAC): clv / cac, clv before that cost is taken off; NULL if cac is 0';

CREATE FUNCTION roi(margin double precision, cost double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_roi' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION roi(double precision, double precision) IS 'Return on investment: (margin - cost) / cost, margin being the earnings before this cost; 0.25 is 25 %, 0 just pays; NULL if cost is 0';

CREATE FUNCTION romi(incremental_margin double precision, spend double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_romi' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION romi(double precision, double precision) IS 'Return on marketing investment: (incremental_margin - spend) / spend, where incremental_margin is the margin (not the revenue) that would not have come without the spend; NULL if spend is 0';

CREATE FUNCTION payback_period(acquisition_cost double precision, margins double precision[], discount_rate double precision DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_payback_period' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION payback_period(double precision, double precision[], double precision) IS 'After how many periods the margins of a customer have paid acquisition_cost for the first time; NULL if they never do. The first element of margins is period 0; a margin flows evenly over its period, so that 2.5 is half-way through the third. With discount_rate, the rate of one period, the discounted payback period: a margin of period p is divided by (1 + discount_rate) ^ p, as in cohort_value_periods (for margins at the end of their periods multiply the cost by 1 + discount_rate). A NULL element is not known yet, and neither are those after it';

CREATE FUNCTION repeat_rate(repeat_customers double precision, customers double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_repeat_rate' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION repeat_rate(double precision, double precision) IS 'Share of customers who bought again (repeat purchase rate): repeat_customers / customers; count only those who had the time to, as bought_again does; NULL if there are none';

CREATE FUNCTION churn_rate(customers_at_start double precision, customers_lost double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_churn_rate' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_rate(double precision, double precision) IS 'Share of the customers at the start of a period who were lost in it: customers_lost / customers_at_start; new customers of the period are in neither; NULL if there were none';

CREATE FUNCTION retention_rate(customers_at_start double precision, customers_at_end double precision, new_customers double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_retention_rate' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION retention_rate(double precision, double precision, double precision) IS 'Share of the customers at the start of a period who are still customers at its end (customer retention rate, 1 - churn rate): (customers_at_end - new_customers) / customers_at_start; NULL if there were none';

CREATE FUNCTION average_order_value(revenue double precision, orders double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_average_order_value' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION average_order_value(double precision, double precision) IS 'Average order value (AOV): revenue / orders; NULL if there are none';

CREATE FUNCTION average_revenue_per_user(revenue double precision, users double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_average_revenue_per_user' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION average_revenue_per_user(double precision, double precision) IS 'Average revenue per user (ARPU) in a period: revenue / users, all users of the period, those who bought nothing too; NULL if there are none';
-- ROI or CLV

CREATE FUNCTION bought_again(
	timeline timeline,
	purchase text,
	within interval,
	as_of timestamptz DEFAULT NULL,
	time_zone text DEFAULT 'UTC'
) RETURNS boolean
AS 'MODULE_PATHNAME', 'bought_again' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bought_again(timeline, text, interval, timestamptz, text) IS 'Whether the customer bought on another day, at most within (whole days) after the day of the first purchase. Purchases and days are those of purchase_summary: purchases of one date in time_zone are one, refunds reduce it. NULL for whoever never bought, and as long as the date of as_of is not past the last of these days, even if the customer has bought again already, or the youngest customers would show too high a rate. Without as_of everybody had the time. The repeat rate: count(*) FILTER (WHERE again) of count(again)';

CREATE FUNCTION value_basis(
	repeat_customers bigint,
	customers bigint,
	threshold double precision DEFAULT 0.2,
	conf_level double precision DEFAULT 0.95
) RETURNS text
AS 'MODULE_PATHNAME', 'value_basis' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION value_basis(bigint, bigint, double precision, double precision) IS 'Whether to judge a product by the return on the first sale or by customer lifetime value: ROI if its customers buy once, CLV if they come back. repeat_customers of customers bought again, of those who had the time to (bought_again). CLV: their share is at least threshold, and so is the lower bound of its Wilson interval at conf_level; ROI: the upper bound is below it; undecided: the interval contains the threshold, or there are fewer than 30 customers; more are needed. threshold: if a share p buys again after each purchase, repeat purchases add p / (1 - p) of the first; from 0.2, the default, on that is a fourth or more, too much to leave out';
-- Value by age

CREATE FUNCTION value_by_age(
	timeline timeline,
	start_event text,
	value_event text,
	period interval,
	periods integer,
	time_zone text DEFAULT NULL,
	as_of timestamptz DEFAULT NULL
) RETURNS double precision[]
AS 'MODULE_PATHNAME', 'value_by_age' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION value_by_age(timeline, text, text, interval, integer, text, timestamptz) IS 'What the customer was worth in each period since the first start_event: the sums of the values of value_event, in the unit of the values; both are patterns. Element 1 is period 0, that of the start, and with all that happens at the instant of the start; the last is the one numbered periods, at most 10,000. Whoever never started gives NULL. With a first purchase as start_event this is a customer''s historic value; with a sign-up it includes those who never bought. Negative values, as of refunds and costs, are subtracted: where costs are events of their own, value_event ''purchase|refund|cost'' gives the margin beside the revenue of ''purchase''. Periods are as in retention(): without time_zone they are counted from the time of the start, a day being 24 hours; with it they are local days, ISO weeks, months, quarters or years, or multiples. Events after as_of do not exist, and a period that is not complete by then is NULL. Without as_of all periods count as complete. Sums are exact. Add customers up with cohort_value';
-- Value of a cohort

CREATE TYPE cohort_value;

CREATE FUNCTION cohort_value_in(cstring) RETURNS cohort_value
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cohort_value_in(cstring) IS 'Text input of cohort_value: for each period, period 0 first, how many customers it is complete for, how many of them are active, and the sum of their values, such as {"periods": [[200, 200, 9980.5], [190, 41, 1020]]}';

CREATE FUNCTION cohort_value_out(cohort_value) RETURNS cstring
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cohort_value_out(cohort_value) IS 'Text output of cohort_value';

CREATE FUNCTION cohort_value_recv(internal) RETURNS cohort_value
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cohort_value_recv(internal) IS 'Binary input of cohort_value';

CREATE FUNCTION cohort_value_send(cohort_value) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cohort_value_send(cohort_value) IS 'Binary output of cohort_value';

CREATE TYPE cohort_value (
	INPUT = cohort_value_in,
	OUTPUT = cohort_value_out,
	RECEIVE = cohort_value_recv,
	SEND = cohort_value_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);
COMMENT ON TYPE cohort_value IS 'What customers were worth in each period since their start (historic customer lifetime value, one row of a cohort table in money): made by the aggregate cohort_value, storable, merged by rollup, read by cohort_value_periods';

CREATE FUNCTION cohort_value_eq(cohort_value, cohort_value) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cohort_value_eq(cohort_value, cohort_value) IS 'Implementation of the = operator';

CREATE FUNCTION cohort_value_ne(cohort_value, cohort_value) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cohort_value_ne(cohort_value, cohort_value) IS 'Implementation of the <> operator';

CREATE FUNCTION cohort_value_hash(cohort_value) RETURNS integer
AS 'MODULE_PATHNAME', 'state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cohort_value_hash(cohort_value) IS 'Hash of a cohort_value, for GROUP BY, DISTINCT and joins';

CREATE FUNCTION cohort_value_hash_extended(cohort_value, bigint) RETURNS bigint
AS 'MODULE_PATHNAME', 'state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cohort_value_hash_extended(cohort_value, bigint) IS 'Hash of a cohort_value with a seed';

CREATE OPERATOR = (
	LEFTARG = cohort_value, RIGHTARG = cohort_value, FUNCTION = cohort_value_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR = (cohort_value, cohort_value) IS 'the same counts and sums in the same periods';

CREATE OPERATOR <> (
	LEFTARG = cohort_value, RIGHTARG = cohort_value, FUNCTION = cohort_value_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (cohort_value, cohort_value) IS 'not the same counts and sums in the same periods';

CREATE OPERATOR CLASS cohort_value_hash_ops
	DEFAULT FOR TYPE cohort_value USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 cohort_value_hash(cohort_value),
	FUNCTION 2 cohort_value_hash_extended(cohort_value, bigint);
COMMENT ON OPERATOR CLASS cohort_value_hash_ops USING hash IS 'Hashing of cohort_value; there is no order on purpose';
COMMENT ON OPERATOR FAMILY cohort_value_hash_ops USING hash IS 'Hashing of cohort_value';

CREATE FUNCTION cohort_value_accum(cohort_value, value_by_age double precision[]) RETURNS cohort_value
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION cohort_value_accum(cohort_value, double precision[]) IS 'Transition function of the aggregate cohort_value: adds one customer';

CREATE FUNCTION cohort_value_combine(cohort_value, cohort_value) RETURNS cohort_value
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cohort_value_combine(cohort_value, cohort_value) IS 'Combine function of the aggregates cohort_value and rollup(cohort_value)';

CREATE FUNCTION cohort_value_final(cohort_value) RETURNS cohort_value
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cohort_value_final(cohort_value) IS 'Final function of the aggregates cohort_value and rollup(cohort_value)';

CREATE AGGREGATE cohort_value(value_by_age double precision[]) (
	SFUNC = cohort_value_accum,
	STYPE = cohort_value,
	SSPACE = 512,
	FINALFUNC = cohort_value_final,
	COMBINEFUNC = cohort_value_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE cohort_value(double precision[]) IS 'Adds up the results of value_by_age over many customers: for each period how many it is complete for (elements that are not NULL), how many of them are active (not 0), and the exact sum of their values, the same for any order of rows. Rows that are NULL, of those who never started, are skipped; elements must be finite and smaller than 2^900. Read it with cohort_value_periods. A table of cohorts: SELECT cohort, p.* FROM (SELECT date_trunc(''month'', first_at(timeline, ''purchase''), ''Europe/Oslo'') AS cohort, cohort_value(value_by_age(timeline, ''purchase'', ''purchase'', ''1 month'', 12, ''Europe/Oslo'', now())) AS stats FROM timelines GROUP BY cohort) AS c, cohort_value_periods(stats, acquisition_cost => 30) AS p';

CREATE AGGREGATE rollup(cohort_value) (
	SFUNC = cohort_value_combine,
	STYPE = cohort_value,
	SSPACE = 512,
	FINALFUNC = cohort_value_final,
	COMBINEFUNC = cohort_value_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE rollup(cohort_value) IS 'Merges stored cohort_values of the same periods into one, as if cohort_value had seen all of their customers: all cohorts of a year, all channels. Each customer must be in one of them only';

CREATE FUNCTION cohort_value_periods(cohort_value cohort_value, acquisition_cost double precision DEFAULT NULL, discount_rate double precision DEFAULT 0)
RETURNS TABLE (period integer, customers bigint, active_customers bigint, value double precision, value_per_customer double precision,
	cumulative_value double precision, discounted_value double precision, is_paid_back boolean, is_paid_back_discounted boolean)
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 13;
COMMENT ON FUNCTION cohort_value_periods(cohort_value, double precision, double precision) IS 'One row for each period, from 0, that of the start. customers: those for whom the period is complete; active_customers: those of them whose value is not 0; value: the sum of their values; value_per_customer: value / customers (revenue per user, ARPU, if value is revenue), NULL where there are none. cumulative_value: what a customer was worth up to the end of the period, the historic customer lifetime value: the sum of value_per_customer so far. So where customers are of different age, each period takes all for whom it is complete, as a life table does, and the sum is about a customer who lives through all of them; in one cohort with periods of the calendar all are of one age, and it is their mean. discounted_value: likewise, a value of period p being divided by (1 + discount_rate) ^ p; discount_rate is the rate of one period, such as 0.01 for 1 % a month. is_paid_back, is_paid_back_discounted: whether cumulative_value or discounted_value has reached acquisition_cost, the cost of acquiring one customer (CAC); NULL without it. The payback period is the first with true. All cumulative columns are NULL from the first period on that is not complete for anybody';
-- Dependence on discounts

CREATE FUNCTION discount_use(
	timeline timeline,
	purchase text,
	discounted text,
	as_of timestamptz DEFAULT NULL,
	OUT orders bigint,
	OUT discounted_orders bigint,
	OUT value double precision,
	OUT discounted_value double precision,
	OUT is_sale_only boolean
)
AS 'MODULE_PATHNAME', 'discount_use' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION discount_use(timeline, text, text, timestamptz) IS 'How much a customer buys at a discount, up to as_of: one row, of NULLs if there is no order. purchase says which events are purchases, discounted which of these are at a discount, such as purchase[discount=*]; an event that matches discounted alone counts for nothing. orders: instants with a purchase, so that the lines of an order that were recorded at one time are one; discounted_orders: those of them with a line at a discount; value and discounted_value: the sums of the values of the lines, and of those at a discount, exact; is_sale_only: every order was at a discount. A line with a negative value is no order by itself, and its value is subtracted: a refund, or where costs are events of their own a cost, so that purchase ''purchase|cost'' gives the margin in place of the revenue. For all customers: sum(discounted_orders) / sum(orders), sum(discounted_value) / sum(value), avg(is_sale_only::int)';
