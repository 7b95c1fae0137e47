--
-- The type funnel_stats and its aggregates
--
CREATE SCHEMA funnel_stats_test;
SET search_path = funnel_stats_test, engagement;
SET timezone = 'UTC';
CREATE TABLE passage (visitor text, times timestamptz[]);
INSERT INTO passage VALUES
	('through', '{2026-01-01, 2026-01-02, 2026-01-05}'),
	('skips', '{2026-01-01, NULL, 2026-01-01 00:00:05}'),
	('at once', '{2026-01-03, 2026-01-03, NULL}'),
	('dropped', '{2026-01-02 23:59:59.999999, NULL, NULL}'),
	('window closes', '{2026-01-03, NULL, NULL}'),
	('after as_of', '{2026-01-20, NULL, NULL}'),
	('not entered', '{NULL, NULL, NULL}'),
	('no result', NULL);
SELECT funnel_stats(times, '7 days', '2026-01-10') FROM passage;
SELECT funnel_stats(times, '7 days', NULL) FROM passage;
SELECT funnel_stats(times, NULL, NULL) FROM passage;
SELECT visitor, funnel_stats(times, '7 days', '2026-01-10') FROM passage GROUP BY visitor ORDER BY visitor;
SELECT funnel_stats(times, '7 days', '2026-01-10') FROM passage WHERE false;

-- steps in any order, as in mode any: the time from the step before is never negative;
-- of steps at one instant the lower is the first
SELECT t, funnel_stats(t::timestamptz[], '1 hour', '2026-01-01 01:00')
FROM unnest(ARRAY['{2026-01-01 00:10, 2026-01-01 00:00, NULL}', '{2026-01-01 00:10, 2026-01-01 00:10, 2026-01-01 00:00}',
	'{2026-01-01 00:00:00.000003, 2026-01-01 00:00:00.000001, 2026-01-01 00:00:00.000002}']) t GROUP BY t ORDER BY t;

-- the window is inclusive, and neither it nor a time is too long
SELECT w AS within, a AS as_of, funnel_stats(ARRAY[t::timestamptz, NULL], w::interval, a::timestamptz)
FROM (VALUES ('0', '2026-01-01', '2026-01-01'), ('0', '2026-01-01', '2026-01-01 00:00:00.000001'),
	('1 day', '2026-01-01', '2026-01-02'), ('1 day', '2026-01-01', '2026-01-02 00:00:00.000001'),
	('0', '294276-12-31 23:59:59.999999', '4714-11-24 00:00:00 BC'), ('106751991 days', '4714-11-24 00:00:00 BC', '294276-12-31 23:59:59.999999'),
	('2147483647 days', '4714-11-24 00:00:00 BC', '294276-12-31 23:59:59.999999')) v (w, t, a) GROUP BY w, t, a ORDER BY w, t, a;
SELECT funnel_stats(ARRAY['4714-11-24 00:00:00 BC', '294276-12-31 23:59:59.999999']::timestamptz[], NULL, NULL) FROM generate_series(1, 3);

-- from 1 to 64 steps
SELECT funnel_stats('{2026-01-01}', NULL, NULL);
SELECT left(funnel_stats(times, NULL, NULL)::text, 100) || '...' AS stats, count(*)
FROM (SELECT array_agg('2026-01-01'::timestamptz + i * interval '1 s') AS times FROM generate_series(1, 64) i) s;

-- what cannot be added up
SELECT funnel_stats('{}', NULL, NULL);
SELECT funnel_stats('{{2026-01-01, 2026-01-02}}', NULL, NULL);
SELECT funnel_stats(array_fill(timestamptz '2026-01-01', '{65}'), NULL, NULL);
SELECT funnel_stats('{2026-01-01, infinity}', NULL, NULL);
SELECT funnel_stats('{-infinity, NULL}', NULL, NULL);
SELECT funnel_stats(times, NULL, '2026-01-10') FROM passage;
SELECT funnel_stats(times, '7 days', 'infinity') FROM passage;
SELECT funnel_stats(times, '1 month', NULL) FROM passage;
SELECT funnel_stats(times, '-1 day', NULL) FROM passage;
SELECT funnel_stats(CASE visitor WHEN 'skips' THEN times[1:2] ELSE times END, NULL, NULL) FROM passage;
SELECT funnel_stats(times, CASE visitor WHEN 'skips' THEN '1 day' ELSE '36 hours' END::interval, NULL) FROM passage;
SELECT funnel_stats(times, CASE visitor WHEN 'skips' THEN '1 day' END::interval, NULL) FROM passage;
SELECT funnel_stats(times, '1 day', CASE visitor WHEN 'skips' THEN '2026-01-01' ELSE '2026-01-02 12:00' END::timestamptz) FROM passage;
SELECT funnel_stats(times, '1 day', CASE visitor WHEN 'skips' THEN '2026-01-01' END::timestamptz) FROM passage;

-- the bounds of an array and its subscripts say nothing
SELECT funnel_stats('[5:6]={2026-01-01, 2026-01-02}', NULL, NULL) = funnel_stats('{2026-01-01, 2026-01-02}', NULL, NULL) AS same;

--
-- rollup
--
CREATE TABLE partial AS
SELECT visitor, funnel_stats(times, '7 days', '2026-01-10') AS stats FROM passage GROUP BY visitor;
SELECT rollup(stats) = (SELECT funnel_stats(times, '7 days', '2026-01-10') FROM passage) AS same FROM partial;
SELECT rollup(stats) FROM partial WHERE visitor IN ('no result', 'not entered');
SELECT rollup(stats) FROM partial WHERE false;
SELECT rollup(s::funnel_stats) FROM unnest(ARRAY['(null, null, (0, 1, 0, 0, {}))', '(null, null, (0, 1, 0, 0, {}), (0, 0, 0, 0, {}))']) s;
SELECT rollup(s::funnel_stats) FROM unnest(ARRAY['(3600000000, null, (0, 1, 0, 0, {}))', '(86400000000, null, (0, 1, 0, 0, {}))']) s;
SELECT rollup(s::funnel_stats) FROM unnest(ARRAY['(0, null, (0, 1, 0, 0, {}))', '(null, null, (0, 1, 0, 0, {}))']) s;
SELECT rollup(s::funnel_stats) FROM unnest(ARRAY['(0, null, (0, 1, 0, 0, {}))', '(0, 2000-01-01T00:00:00Z, (0, 1, 0, 0, {}))']) s;
SELECT rollup(s::funnel_stats) FROM unnest(ARRAY['(0, 2000-01-01T00:00:00.5Z, (0, 1, 0, 0, {}))', '(0, 2000-01-01T00:00:00Z, (0, 1, 0, 0, {}))']) s;

-- states so small that they are stored with a short header
CREATE TABLE short AS SELECT i, funnel_stats('{2026-01-01}', '1 day', '2026-01-01') AS stats FROM generate_series(1, 3) i GROUP BY i;
SELECT rollup(stats), max(pg_column_size(stats)) FROM short;
SELECT count(*) FROM short WHERE stats::text <> '(86400000000, 2026-01-01T00:00:00Z, (0, 1, 0, 0, {}))';

-- each width that counts can have, and past the last
SELECT n, rollup(s) FROM (SELECT n, format('(null, null, (0, 0, 0, 0, {}), (0, %s, 0, %s, {36:%s}))', n, 2 * n::numeric, n)::funnel_stats
	FROM unnest(ARRAY[127, 128, 255, 32767, 32768, 2147483647, 2147483648, 4294967295, 4611686018427387903]) n) t (n, s), generate_series(1, 2)
GROUP BY n ORDER BY n;
SELECT rollup(s::funnel_stats) FROM unnest(ARRAY['(null, null, (0, 9223372036854775806, 0, 0, {}))', '(null, null, (0, 2, 0, 0, {}))']) s;
SELECT funnel_stats_accum('(null, null, (0, 9223372036854775807, 0, 0, {}))', '{2026-01-01}', NULL, NULL);

--
-- Called from plain SQL the functions return finished states and change no stored one.
--
CREATE TABLE stored AS
SELECT n, funnel_stats(ARRAY['2026-01-01'::timestamptz, '2026-01-01'::timestamptz + i % n * interval '1.7 s'], NULL, NULL) AS stats
FROM unnest(ARRAY[1, 2, 3, 50, 1000]) n, generate_series(1, 2000) i GROUP BY n;
CREATE TABLE stored_text AS SELECT n, stats::text FROM stored;
SELECT n, count(*) FROM stored, LATERAL (VALUES
	(funnel_stats_accum(stats, '{2026-01-01, 2026-01-01 00:00:01.7}', NULL, NULL)),
	(funnel_stats_accum(stats, '{2026-01-01, 2026-01-03}', NULL, NULL)),
	(funnel_stats_accum(stats, '{2026-01-01, NULL}', NULL, NULL)),
	(funnel_stats_accum(stats, '{NULL, NULL}', NULL, NULL)),
	(funnel_stats_accum(stats, NULL, NULL, NULL)),
	(funnel_stats_combine(stats, stats)),
	(funnel_stats_combine(stats, '(null, null, (0, 0, 0, 0, {}), (0, 1, 0, 1, {1:1}))')),
	(funnel_stats_final(stats))) v (result)
WHERE funnel_stats_hash(result) = funnel_stats_hash(result::text::funnel_stats) AND result = result::text::funnel_stats
GROUP BY n ORDER BY n;
SELECT count(*) FROM stored JOIN stored_text USING (n) WHERE stored.stats::text <> stored_text.stats;
SELECT funnel_stats_accum(NULL, NULL, NULL, NULL) IS NULL AS nothing,
	funnel_stats_accum(NULL, '{2026-01-01, 2026-01-03}', NULL, NULL) = funnel_stats('{2026-01-01, 2026-01-03}', NULL, NULL) AS one;

-- as a window function the state goes on growing after each result
SELECT n, running = (SELECT rollup(stats) FROM stored t WHERE t.n <= s.n) AS running, of_two = (SELECT rollup(stats) FROM
	(SELECT stats FROM stored t WHERE t.n <= s.n ORDER BY n DESC LIMIT 2) t) AS of_two
FROM (SELECT n, rollup(stats) OVER (ORDER BY n) AS running, rollup(stats) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS of_two FROM stored) s
ORDER BY n;

--
-- Text form
--
SELECT s::funnel_stats FROM unnest(ARRAY[
	'(604800000000, 2026-01-31T00:00:00Z, (1, 2, 0, 0, {}), (0, 3, 0, 16000000, {779:2, 789:1}))',
	'(null, null, (0, 1, 0, 0, {}), (0, 2, 0, 10000000, {779:2}))',
	E' ( null ,\tnull , ( 0 , 0 , 0 , 0 , { } ) )\n',
	'(0,2000-01-01T00:00:00+01:00,(3,2,0,0,{}),(0,1,0,0,{0:1}))',
	'(9223372036854775807, -4713-11-24T00:00:00Z, (1, 1, 0, 0, {}), (1, 0, 1, 5, {82:1}), (0, 1, 0, 18446744073709551615, {2240:1}))',
	'(null, null, (0, 0, 0, 0, {}), (0, 9223372036854775807, 0, 170141183460469231704017187605319778305, {2240:9223372036854775807}))',
	'(null, null, (0, 0, 0, 0, {}), (0, 7, 0, 0000000000000000000000000000000000000000000000000000000003, {00:4,1:3}))']) s;

CREATE TABLE bad_stats (stats text);
INSERT INTO bad_stats VALUES
	(''), ('()'), ('(null, null)'), ('(null)'), ('null, null, (0, 1, 0, 0, {})'), ('(null, null, (0, 1, 0, 0, {})'),
	('(null, null, (0, 1, 0, 0, {})) x'), ('(null, null, (0, 1, 0, 0, {}),)'), ('(null, null, (0, 1, 0, 0, {})(0, 0, 0, 0, {}))'),
	('(null, null' || repeat(', (0, 0, 0, 0, {})', 65) || ')'),
	-- the window and the time
	('(-1, null, (0, 1, 0, 0, {}))'), ('(9223372036854775808, null, (0, 1, 0, 0, {}))'), ('(7 days, null, (0, 1, 0, 0, {}))'),
	('(NULL, null, (0, 1, 0, 0, {}))'), ('(1, 2000-01-01, (0, 1, 0, 0, {}))'), ('(1, infinity, (0, 1, 0, 0, {}))'),
	('(null, 2000-01-01T00:00:00Z, (0, 1, 0, 0, {}))'), ('(1, , (0, 1, 0, 0, {}))'), ('(1 (0, 1, 0, 0, {}))'),
	-- steps
	('(null, null, 0, 1, 0, 0, {})'), ('(null, null, (0, 1, 0, 0))'), ('(null, null, (0, 1, 0, {}))'), ('(null, null, (0, 1, 0, 0, {}, 0))'),
	('(null, null, (0, -1, 0, 0, {}))'), ('(null, null, (0, 1, 0, -1, {}))'), ('(null, null, (0, 1.5, 0, 0, {}))'),
	('(null, null, (0, 9223372036854775808, 0, 0, {}))'), ('(null, null, (0, 1, 0, 170141183460469231731687303715884105728, {}))'),
	('(null, null, (1, 0, 0, 0, {}), (0, 0, 0, 0, {}))'),
	('(null, null, (0, 0, 2, 0, {}), (0, 1, 0, 0, {}))'), ('(null, null, (0, 0, 0, 0, {}), (0, 1, 1, 0, {0:1}))'),
	('(null, null, (0, 1, 0, 0, {}), (0, 9223372036854775807, 0, 0, {0:9223372036854775807}))'),
	-- times and their buckets
	('(null, null, (0, 0, 0, 0, {}), (0, 2, 0, 0, {0:1}))'), ('(null, null, (0, 0, 0, 0, {}), (0, 2, 0, 0, {0:3}))'),
	('(null, null, (0, 0, 0, 0, {}), (0, 0, 0, 0, {}), (0, 2, 0, 0, {0:3}))'),
	('(null, null, (0, 1, 0, 0, {0:1}))'), ('(null, null, (0, 0, 0, 0, {}), (0, 2, 0, 0, {0:1, 0:1}))'),
	('(null, null, (0, 0, 0, 0, {}), (0, 2, 0, 3, {36:1, 1:1}))'), ('(null, null, (0, 0, 0, 0, {}), (0, 1, 0, 0, {0:1, 1:0}))'),
	('(null, null, (0, 0, 0, 0, {}), (0, 1, 0, 1, {2:1}))'), ('(null, null, (0, 0, 0, 0, {}), (0, 1, 0, 1, {2241:1}))'),
	('(null, null, (0, 0, 0, 0, {}), (0, 1, 0, 1, {99999999999:1}))'), ('(null, null, (0, 0, 0, 0, {}), (0, 1, 0, 0, {0 :1}))'),
	('(null, null, (0, 0, 0, 0, {}), (0, 1, 0, 0, {0}))'), ('(null, null, (0, 0, 0, 0, {}), (0, 1, 0, 0, {0:1,}))'),
	('(null, null, (0, 0, 0, 0, {}), (0, 1, 0, 0, {0:1)))'), ('(null, null, (0, 0, 0, 0, {}), (0, 1, 0, 0, 0:1))'),
	('(null, null, (0, 0, 0, 0, {}), (0, 1, 0, 1, {0:1}))'), ('(null, null, (0, 0, 0, 0, {}), (0, 1, 0, 0, {1:1}))'),
	('(null, null, (0, 0, 0, 0, {}), (0, 1, 0, 2, {1:1}))'), ('(null, null, (0, 0, 0, 0, {}), (0, 1, 0, 1000000, {700:1}))'),
	('(null, null, (0, 0, 0, 1, {}), (0, 1, 0, 0, {0:1}))');
DO $$
DECLARE
	bad text;
	what text;
	hint text;
	softly boolean;
BEGIN
	FOR bad IN TABLE bad_stats LOOP
		BEGIN
			PERFORM bad::funnel_stats;
			RAISE WARNING 'accepted: %', bad;
		EXCEPTION WHEN invalid_text_representation THEN
			GET STACKED DIAGNOSTICS what = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
			RAISE NOTICE '%: %', left(bad, 100), what;
		END;
		IF current_setting('server_version_num')::int >= 160000 THEN
			EXECUTE $q$SELECT pg_input_is_valid($1, 'funnel_stats')$q$ INTO softly USING bad;
			IF softly THEN
				RAISE WARNING 'accepted softly: %', bad;
			END IF;
		END IF;
	END LOOP;
	RAISE NOTICE '%', hint;
END
$$;
SELECT 'x'::funnel_stats;

-- no setting changes the text
SET datestyle = 'SQL, DMY';
SET timezone = 'Asia/Kolkata';
SET intervalstyle = 'iso_8601';
SELECT stats FROM partial WHERE visitor = 'through';
SET timezone = 'UTC';
RESET datestyle;
RESET intervalstyle;

--
-- Binary form
--
SELECT funnel_stats_send('(3, 2000-01-01T00:00:00.000001Z, (1, 2, 0, 0, {}), (0, 2, 0, 2, {0:1, 36:1}))');
\getenv directory PG_ABS_BUILDDIR
\set copy_out '\\copy (SELECT stats FROM stored UNION ALL SELECT stats FROM partial) TO ''' :directory '/results/funnel_stats.copy'' (FORMAT binary)'
\set copy_in '\\copy received (stats) FROM ''' :directory '/results/funnel_stats.copy'' (FORMAT binary)'
CREATE TABLE received (n serial, stats funnel_stats);
:copy_out
:copy_in
SELECT count(*), bool_and(received.stats IS NOT DISTINCT FROM s.stats) AS equal
FROM received JOIN (SELECT row_number() OVER () AS n, stats FROM (SELECT stats FROM stored UNION ALL SELECT stats FROM partial) u) s USING (n);

--
-- Equality and hashing
--
SELECT a = b AS eq, a <> b AS ne, funnel_stats_hash(a) = funnel_stats_hash(b) AS same_hash,
	funnel_stats_hash_extended(a, 7) = funnel_stats_hash_extended(b, 7) AS same_hash_extended
FROM (VALUES ('(9, 2000-01-01T00:00:00Z, (0, 0, 0, 0, {}), (0, 1, 0, 3, {56:1}))'::funnel_stats)) a (a),
	unnest(ARRAY['(9, 2000-01-01T01:00:00+01:00, (0, 0, 0, 0, {}), (0, 1, 0, 3, {56:1}))', '(9, 2000-01-01T00:00:01Z, (0, 0, 0, 0, {}), (0, 1, 0, 3, {56:1}))',
		'(8, 2000-01-01T00:00:00Z, (0, 0, 0, 0, {}), (0, 1, 0, 3, {56:1}))', '(9, null, (0, 0, 0, 0, {}), (0, 1, 0, 3, {56:1}))',
		'(9, 2000-01-01T00:00:00Z, (0, 1, 0, 0, {}), (0, 1, 0, 3, {56:1}))', '(9, 2000-01-01T00:00:00Z, (0, 0, 0, 0, {}), (0, 1, 0, 2, {36:1}))',
		'(9, 2000-01-01T00:00:00Z, (0, 0, 0, 0, {}), (0, 1, 0, 3, {56:1}), (0, 0, 0, 0, {}))']::funnel_stats[]) b;
SELECT count(*) FROM (SELECT DISTINCT stats FROM (TABLE stored UNION ALL TABLE stored) s) s;
SELECT stats FROM stored ORDER BY stats;
