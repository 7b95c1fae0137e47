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
