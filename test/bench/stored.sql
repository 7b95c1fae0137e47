-- The stored timelines, and the visits in plain SQL that the answers are compared with.

\set ON_ERROR_STOP on
SET client_min_messages = warning;
DROP TABLE IF EXISTS stored, stored_microseconds, stored_half, stored_long, plain_visit;

CREATE UNLOGGED TABLE stored AS
SELECT visitor, timeline(at, event, channel, value) AS events FROM event GROUP BY visitor;

-- The same with random microseconds in each second.
CREATE UNLOGGED TABLE stored_microseconds AS
SELECT visitor, timeline(at + (hashint8extended(visitor, extract(epoch FROM at)::bigint) & 1048575) % 1000000
	* interval '1 microsecond', event, channel, value) AS events FROM event GROUP BY visitor;

CREATE UNLOGGED TABLE stored_half AS
SELECT visitor, timeline(at, event, channel, value) AS events FROM event GROUP BY visitor, at < '2025-07-01 00:00+00';

-- One visitor with four events a minute for 17 days: nine kinds of events after the first, three channels.
CREATE UNLOGGED TABLE stored_long AS
SELECT timeline(to_timestamp(1735689600 + i / 4 * 60),
	CASE WHEN i = 0 THEN 'too_early' ELSE 'step_' || (hashint8extended(i, 1) & 1023) % 9 END,
	'channel_' || (hashint8extended(i, 2) & 1023) % 3) AS events FROM generate_series(0, 99999) AS i;

CREATE UNLOGGED TABLE plain_visit AS
SELECT visitor, (row_number() OVER (PARTITION BY visitor ORDER BY visit))::int AS visit_number,
	min(at) AS started_at, max(at) AS ended_at, extract(epoch FROM max(at) - min(at))::float8 AS duration_seconds,
	count(*)::int AS event_count, (array_agg(channel ORDER BY rank) FILTER (WHERE channel IS NOT NULL))[1] AS channel,
	count(*) = 1 AS is_bounce, max(at) - min(at) > interval '10 s' AS is_engaged,
	(array_agg(event ORDER BY rank))[1] AS landing_event
FROM (SELECT *, count(*) FILTER (WHERE begins) OVER (PARTITION BY visitor ORDER BY rank) AS visit
	FROM (SELECT *, row_number() OVER visitor_events AS rank,
			at - lag(at) OVER visitor_events > interval '30 min' AS begins
		FROM event
		WINDOW visitor_events AS (PARTITION BY visitor ORDER BY at, event COLLATE "C", channel COLLATE "C", value)) AS marked) AS numbered
GROUP BY visitor, visit;

VACUUM ANALYZE stored;
VACUUM ANALYZE stored_microseconds;
VACUUM ANALYZE stored_half;
VACUUM ANALYZE plain_visit;
