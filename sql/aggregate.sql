--
-- The aggregates timeline and rollup, and the operator ||
--
CREATE TABLE visited (visitor text, at timestamptz, event text, channel text, value float8, properties jsonb);
INSERT INTO visited VALUES
	('ann', '2026-01-05 09:31:00.25Z', 'purchase', 'email', 49.9, '{"country": "NO"}'),
	('ann', '2026-01-05 09:30:00Z', 'page_view', 'email', NULL, NULL),
	('ann', '2026-01-05 09:30:00Z', 'page_view', 'email', NULL, NULL),
	('ann', NULL, 'page_view', 'email', NULL, NULL),
	('ann', '2026-01-05 09:30:00Z', NULL, 'email', NULL, NULL),
	('bob', '2026-01-05 10:00:00Z', 'page_view', NULL, -0.0, '{}'),
	('bob', '2026-01-05 10:00:00Z', 'page_view', '', 0, NULL),
	('eve', NULL, NULL, NULL, NULL, NULL);

SELECT visitor, timeline(at, event) FROM visited GROUP BY visitor ORDER BY visitor;
SELECT visitor, timeline(at, event, channel) FROM visited GROUP BY visitor ORDER BY visitor;
SELECT visitor, timeline(at, event, channel, value) FROM visited GROUP BY visitor ORDER BY visitor;
SELECT visitor, timeline(at, event, channel, value, properties) FROM visited GROUP BY visitor ORDER BY visitor;

-- no rows, and no rows that count
SELECT timeline(at, event) FROM visited WHERE false;
SELECT timeline(at, event) FILTER (WHERE false) FROM visited;
SELECT rollup(t) FROM (VALUES (NULL::timeline)) s(t);

-- JSON null is no properties
SELECT timeline('2026-01-01Z', 'a', NULL, NULL, p ORDER BY p) FROM unnest(ARRAY['null', NULL, '{}', '[null]', '"null"', '0', 'false']::jsonb[]) p;

-- input that a timeline cannot hold
SELECT timeline('infinity', 'a');
SELECT timeline('-infinity', 'a');
SELECT timeline(now(), 'a', NULL, 'NaN');
SELECT timeline(now(), 'a', NULL, '-Infinity');

-- || and rollup are the sum of multisets, in any grouping
SELECT '{2026-01-02T00:00:00Z b, 2026-01-01T00:00:00Z a@x =1}'::timeline || '{2026-01-01T00:00:00Z a@x =1, 2026-01-03T00:00:00.5Z c {"k": 1}}' AS both,
	'{2026-01-02T00:00:00Z b}'::timeline || '{}' AS with_none, '{}'::timeline || NULL AS with_null;
SELECT rollup(t), rollup(t ORDER BY t DESC) = rollup(t) AS any_order
FROM (SELECT visitor, timeline(at, event, channel, value, properties) AS t FROM visited GROUP BY visitor) s;

-- as a window function the state goes on growing after each result
SELECT at, event_count(timeline(at, event) OVER (ORDER BY at)) AS so_far FROM visited WHERE visitor = 'ann' ORDER BY at;
SELECT d, rollup(t) OVER (ORDER BY d ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
FROM (SELECT d, timeline('2026-01-01Z'::timestamptz + make_interval(days => d), 'e' || d) AS t FROM generate_series(1, 4) d GROUP BY d) s;

-- many kinds: the index of kinds comes in, and codes of two bytes
CREATE TABLE many AS
SELECT i, '2026-01-01Z'::timestamptz + make_interval(secs => i * 7919 % 100003) AS at, 'event ' || i * i % 971 AS event,
	nullif('channel ' || i % 7, 'channel 0') AS channel, nullif(i % 13, 0) / 4.0::float8 AS value,
	CASE WHEN i % 3 > 0 THEN jsonb_build_object('p', i % 5, 'q', CASE WHEN i % 2 = 0 THEN 'even' END) END AS properties
FROM generate_series(1, 20000) i;
CREATE TABLE many_stored AS SELECT timeline(at, event, channel, value, properties) AS t FROM many;
SELECT event_count(t), (SELECT count(*) FROM (SELECT DISTINCT event, channel, value IS NULL, properties FROM many) s) AS kinds FROM many_stored;
SELECT count(*) AS differences FROM (
	(SELECT at, event, channel, value, properties FROM many EXCEPT ALL SELECT (events(t)).* FROM many_stored)
	UNION ALL
	(SELECT (events(t)).* FROM many_stored EXCEPT ALL SELECT at, event, channel, value, properties FROM many)) s;
SELECT t = t::text::timeline AS text, t = t::jsonb::timeline AS jsonb,
	t = (SELECT rollup(piece) FROM (SELECT timeline(at, event, channel, value, properties) AS piece FROM many GROUP BY i % 17) s) AS rollup,
	t = (SELECT timeline(at, event, channel, value, properties) FROM (SELECT * FROM many ORDER BY i DESC) s) AS backwards
FROM many_stored;

-- where a kind's code takes a byte more, and few kinds that take more than 64 kB
SELECT n, event_count(t), (SELECT count(DISTINCT event) FROM events(t)) AS kinds
FROM (SELECT n, timeline('2026-01-01Z'::timestamptz + make_interval(secs => i), 'e' || i) AS t
	FROM unnest(ARRAY[1, 2, 256, 257, 65536, 65537, 300000]) n, generate_series(1, n) i GROUP BY n) s ORDER BY n;
SELECT count(*), count(DISTINCT event) FROM events((SELECT timeline('2026-01-01Z'::timestamptz, repeat('x', 10000) || i % 12) FROM generate_series(1, 100) i));

-- a million visitors or one, sorted or hashed, spilled, parallel: equal bytes
CREATE TABLE groups AS
SELECT i * 7 % 501 AS visitor, at, event, channel, value, properties FROM many;
CREATE VIEW fingerprint AS
SELECT md5(string_agg(visitor || t::text, ',' ORDER BY visitor)) AS fingerprint
FROM (SELECT visitor, timeline(at, event, channel, value, properties) AS t FROM groups GROUP BY visitor) s;
SELECT fingerprint FROM fingerprint \gset
SET enable_hashagg = off;
SELECT fingerprint = :'fingerprint' AS sorted FROM fingerprint;
RESET enable_hashagg;
SET enable_sort = off;
SET work_mem = '64kB';
SELECT fingerprint = :'fingerprint' AS spilled FROM fingerprint;
RESET work_mem;
RESET enable_sort;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
ALTER TABLE groups SET (parallel_workers = 2);
ALTER TABLE many SET (parallel_workers = 2);
EXPLAIN (COSTS OFF) SELECT timeline(at, event, channel, value, properties) FROM many;
SELECT timeline(at, event, channel, value, properties) = (SELECT t FROM many_stored) AS parallel FROM many;
SET enable_hashagg = off;
SELECT fingerprint = :'fingerprint' AS parallel_groups FROM fingerprint;
RESET enable_hashagg;
SELECT fingerprint = :'fingerprint' AS parallel_groups FROM fingerprint;

-- partitions, aggregated each for itself and combined
CREATE TABLE parts (LIKE groups) PARTITION BY HASH (visitor);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parts SELECT * FROM groups;
SET enable_partitionwise_aggregate = on;
SET max_parallel_workers_per_gather = 0;
SELECT timeline(at, event, channel, value, properties) = (SELECT t FROM many_stored) AS partitions FROM parts;

DROP VIEW fingerprint;
DROP TABLE visited, many, many_stored, groups, parts;
