-- A shop's event table for the benchmarks: the same rows for the same seed on every machine.
--
--   psql -v rows=1000000 -v seed=1 -f test/bench/events.sql
--
-- One visitor per ten rows; events per visitor ~ n^-a on 1..5000, with a such that the mean is 10.
-- Sizes are stratified (each takes its exact share of the visitors), so the row count comes out within
-- about 0.1% of :rows (from a million on). A visitor's events lie in visits of 1 to 8 events, some 3 on average: one channel
-- a visit, 3 to 300 seconds a step, visits spread evenly over 2025. Times are whole seconds, as logs and
-- tag managers give them. 20 event names and 12 channels with unequal shares; add_to_cart and purchase,
-- 5% of the events, have a value in cents, no other event has.
--
-- Makes event (in order of time), event_shuffled and event_clustered (by visitor, then time) with the
-- same rows, and event_even, where each visitor has ten events of five kinds.

\set ON_ERROR_STOP on
\set QUIET on
SET client_min_messages = warning;
SET synchronize_seqscans = off;
SET max_parallel_workers_per_gather = 0;
SET jit = off;

-- Solve sum n^(1-a) / sum n^-a = 10 for a by bisection.
WITH RECURSIVE bisection(step, low, high) AS (
	SELECT 0, 1.0::float8, 3.0::float8
	UNION ALL
	SELECT step + 1,
		CASE WHEN mean > 10 THEN (low + high) / 2 ELSE low END,
		CASE WHEN mean > 10 THEN high ELSE (low + high) / 2 END
	FROM bisection,
		LATERAL (SELECT sum(n ^ (1 - (low + high) / 2)) / sum(n ^ (-(low + high) / 2)) AS mean
			FROM (SELECT generate_series(1, 5000)::float8 AS n) AS size) AS middle
	WHERE step < 45)
SELECT round(low::numeric, 6) AS exponent, :rows / 10 AS visitors
FROM bisection ORDER BY step DESC LIMIT 1 \gset

-- A label is drawn by one byte of a hash: 256 codes, as many of each as its weight.
SELECT decode(string_agg(repeat(lpad(to_hex(code), 2, '0'), weight), '' ORDER BY code), 'hex') AS codes,
	array_agg(label ORDER BY code) AS labels
FROM (VALUES
	(1, 'page_view', 84), (2, 'product_view', 40), (3, 'search', 18), (4, 'category_view', 16),
	(5, 'video_start', 12), (6, 'video_progress_25', 8), (7, 'video_progress_50', 6),
	(8, 'video_progress_75', 4), (9, 'video_complete', 3), (10, 'add_to_cart', 5), (11, 'purchase', 8),
	(12, 'checkout_start', 10), (13, 'newsletter_signup', 5), (14, 'brochure_download', 6),
	(15, 'webinar_signup', 3), (16, 'call_request', 3), (17, 'contact_form', 5), (18, 'price_list_view', 10),
	(19, 'chat_start', 5), (20, 'login', 5)) AS event(code, label, weight) \gset event_

SELECT decode(string_agg(repeat(lpad(to_hex(code), 2, '0'), weight), '' ORDER BY code), 'hex') AS codes,
	array_agg(label ORDER BY code) AS labels
FROM (VALUES
	(1, 'organic_search', 64), (2, 'direct', 48), (3, 'paid_search', 36), (4, 'email', 28),
	(5, 'paid_social', 20), (6, 'organic_social', 16), (7, 'referral', 12), (8, 'display', 10),
	(9, 'affiliate', 8), (10, 'video_ads', 6), (11, 'sms', 4), (12, 'push', 4)) AS channel(code, label, weight) \gset channel_

-- Which visitors get which size is a fixed permutation, so that size does not follow the id.
CREATE TEMP TABLE visitor AS
SELECT 1 + (rank * 2654435761 + :seed) % :visitors AS visitor, size
FROM (SELECT n::int AS size,
		lag(rank_end, 1, 0::bigint) OVER (ORDER BY n) AS rank_start, rank_end
	FROM (SELECT n, round(:visitors * sum(n ^ -:exponent::float8) OVER (ORDER BY n)
				/ sum(n ^ -:exponent::float8) OVER ())::bigint AS rank_end
		FROM (SELECT generate_series(1, 5000)::float8 AS n) AS size) AS cumulated) AS stratum,
	LATERAL generate_series(rank_start, rank_end - 1) AS rank;

-- The fences (OFFSET 0) keep a hash from being computed once for each use. A byte with about two bits
-- set says where visits begin among eight events.
DROP TABLE IF EXISTS event, event_shuffled, event_clustered, event_even;
CREATE UNLOGGED TABLE event AS
SELECT visitor,
	to_timestamp(1735689600 + (visit_hash & 2147483647) % (364 * 86400)
		+ (3 * 100 ^ (((visit_hash >> 32) & 255) / 255.0::float8))::int * (i & 7)
		+ ((event_hash >> 8) & 3)) AS at,
	(:'event_labels'::text[])[get_byte(:'event_codes', (event_hash & 255)::int)] AS event,
	(:'channel_labels'::text[])[get_byte(:'channel_codes', ((visit_hash >> 40) & 255)::int)] AS channel,
	CASE WHEN get_byte(:'event_codes', (event_hash & 255)::int) IN (10, 11)
		THEN (100 + ((event_hash >> 16) & 65535)) / 100.0::float8 END AS value
FROM (SELECT visitor, i, event_hash,
		hashint8extended((visitor << 16) + (i & -8)
			+ bit_count(((visit_starts | 1) & ((2 << (i & 7)) - 1))::int::bit(8)), :seed + 1) AS visit_hash
	FROM (SELECT visitor, i, hashint8extended((visitor << 16) + i, :seed) AS event_hash,
			(block_hash & (block_hash >> 8) & 255) AS visit_starts
		FROM (SELECT visitor, i, hashint8extended((visitor << 16) + (i & -8), :seed + 2) AS block_hash
			FROM visitor, generate_series(0, size - 1) AS i OFFSET 0) AS with_block
		OFFSET 0) AS with_event
	OFFSET 0) AS with_visit
ORDER BY at;

CREATE UNLOGGED TABLE event_shuffled AS
SELECT * FROM event ORDER BY hashint8extended(visitor * 367 + extract(epoch FROM at)::bigint, :seed);
CREATE UNLOGGED TABLE event_clustered AS
SELECT * FROM event ORDER BY visitor, at;
CREATE INDEX ON event_clustered (visitor);
CREATE UNLOGGED TABLE event_even AS
SELECT visitor, to_timestamp(1735689600 + i * 40000 + visitor % 40000) AS at,
	(:'event_labels'::text[])[1 + i % 5] AS event, (:'channel_labels'::text[])[1 + i % 5] AS channel
FROM generate_series(0, 9) AS i, generate_series(1, :visitors) AS visitor;
DROP TABLE visitor;

VACUUM ANALYZE event;
VACUUM ANALYZE event_shuffled;
VACUUM ANALYZE event_clustered;
VACUUM ANALYZE event_even;

\pset footer off
\echo Events per visitor ~ n^-:exponent on 1..5000
CREATE TEMP TABLE size AS SELECT count(*) AS n FROM event GROUP BY visitor;
SELECT sum(n) AS events, count(*) AS visitors, round(avg(n), 3) AS mean, q[1] AS "25%", q[2] AS "50%",
	q[3] AS "75%", q[4] AS "90%", q[5] AS "99%", q[6] AS "99.9%", q[7] AS largest
FROM size, (SELECT percentile_disc('{0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1}'::float8[])
		WITHIN GROUP (ORDER BY n) AS q FROM size) AS quantile
GROUP BY q;
SELECT class AS "events of a visitor", count(*) AS visitors, sum(n) AS events,
	round(100 * count(*) / sum(count(*)) OVER (), 1) AS "% of visitors",
	round(100 * sum(n) / sum(sum(n)) OVER (), 1) AS "% of events"
FROM size, LATERAL (SELECT CASE WHEN n = 1 THEN '1' WHEN n <= 3 THEN '2-3' WHEN n <= 10 THEN '4-10'
	WHEN n <= 100 THEN '11-100' WHEN n <= 1000 THEN '101-1000' ELSE '1001-5000' END AS class) AS c
GROUP BY class ORDER BY min(n);
DROP TABLE size;
