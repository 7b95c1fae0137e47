-- retention_stats: counts over many visitors, their storable type, rollup, retention_periods.
SET timezone = 'UTC';
SET datestyle = 'ISO';

-- A cohort table: who signed up in a week, and how many of them came back in the weeks after.
CREATE TABLE journey (visitor int, country text, t timeline);
INSERT INTO journey
SELECT v, (ARRAY['NO', 'DK', NULL])[1 + v % 3], timeline(at, event)
FROM generate_series(1, 300) AS v,
	LATERAL (SELECT timestamptz '2026-01-05 12:00Z' + v % 28 * interval '1 day' AS start) AS s,
	LATERAL (SELECT start AS at, CASE WHEN v % 10 = 0 THEN 'visit' ELSE 'signup' END AS event
		UNION ALL SELECT start + n * interval '5 days', 'visit' FROM generate_series(1, v % 7) AS n) AS e
GROUP BY v;

SELECT (cohort AT TIME ZONE 'Europe/Oslo')::date AS cohort, size, period, returned, round(rate::numeric, 4) AS rate, round(rate_lower::numeric, 4) AS rate_lower, round(rate_upper::numeric, 4) AS rate_upper
FROM (SELECT date_trunc('week', first_at(t, 'signup'), 'Europe/Oslo') AS cohort,
		retention_stats(retention(t, 'signup', 'visit', '7 days', 4, 'Europe/Oslo', '2026-02-22 23:00Z')) AS stats
	FROM journey GROUP BY cohort) AS c, retention_periods(stats) AS p
ORDER BY c.cohort, period;
-- the same from the rows
SELECT (cohort AT TIME ZONE 'Europe/Oslo')::date AS cohort, count(*) AS size, period, count(*) FILTER (WHERE period = 0 OR back) AS returned
FROM (SELECT date_trunc('week', first_at(t, 'signup'), 'Europe/Oslo') AS cohort, period,
		EXISTS (SELECT FROM events(t) AS e WHERE e.event = 'visit' AND period * 7 = date_trunc('week', e.at, 'Europe/Oslo')::date - date_trunc('week', first_at(t, 'signup'), 'Europe/Oslo')::date) AS back
	FROM journey, generate_series(0, 4) AS period) AS v
WHERE cohort IS NOT NULL AND (period = 0 OR cohort + (period + 1) * interval '7 days' <= '2026-02-22 23:00Z')
GROUP BY v.cohort, period ORDER BY v.cohort, period;

-- kept by country, and merged: each visitor is in one country
CREATE TABLE kept AS
SELECT country, retention_stats(retention(t, 'signup', 'visit', '1 day', 30, as_of => '2026-02-20')) AS stats FROM journey GROUP BY country;
SELECT rollup(stats) = (SELECT retention_stats(retention(t, 'signup', 'visit', '1 day', 30, as_of => '2026-02-20')) FROM journey) AS same,
	rollup(stats) AS stats FROM kept;
SELECT country, period, size, returned FROM kept, retention_periods(stats) WHERE period IN (0, 5, 10) ORDER BY country, period;

-- periods that nobody has completed, visitors who never started, nobody at all
SELECT retention_stats(r) FROM (VALUES ('{t,f,NULL}'::boolean[]), ('{t,NULL,NULL}'), (NULL), ('{t,t,NULL}')) AS v (r);
SELECT period, size, returned, rate, round(rate_lower::numeric, 12) AS rate_lower, round(rate_upper::numeric, 12) AS rate_upper FROM retention_periods('(3/3, 1/2, 0/0)') ORDER BY period;
SELECT retention_stats(r) FROM (VALUES (NULL::boolean[]), (NULL)) AS v (r);
SELECT retention_stats(r) FROM (VALUES ('{t}'::boolean[])) AS v (r) WHERE false;
SELECT rollup(stats) FROM (VALUES (NULL::retention_stats), ('(1/2)'), (NULL), ('(3/5)')) AS v (stats);
SELECT rollup(NULL::retention_stats);
SELECT count(*) FROM retention_periods(NULL);
SELECT round(rate_lower::numeric, 12) AS rate_lower, round(rate_upper::numeric, 12) AS rate_upper FROM retention_periods('(20/100)', NULL);
SELECT conf_level, round(rate_lower::numeric, 6) AS rate_lower, round(rate_upper::numeric, 6) AS rate_upper
FROM unnest(ARRAY[0.5, 0.8, 0.95, 0.999]) AS conf_level, retention_periods('(20/100)', conf_level) ORDER BY conf_level;
-- other arrays than retention's: of any bounds, from conditions on plain rows
SELECT retention_stats(r) FROM (VALUES ('[7:9]={t,f,NULL}'::boolean[]), ('{t,t,t}'), ('[-1:1]={NULL,NULL,NULL}')) AS v (r);
SELECT retention_stats(r) FILTER (WHERE r[1]) AS stats FROM (SELECT retention(day = 1, day = 2, day > 2) AS r
	FROM (VALUES (1, 1), (1, 3), (2, 2), (3, 1), (3, 2), (4, 1)) AS v (visitor, day) GROUP BY visitor) AS v;
-- in the select list, and a set that is left before its end
SELECT visitor, (p).period, (p).returned FROM (SELECT visitor, retention_periods(stats) AS p FROM (VALUES ('ann', '(2/2, 1/1)'::retention_stats), ('bob', NULL), ('cia', '(4/4, 0/3)')) AS v (visitor, stats) OFFSET 0) AS s;
SELECT p.* FROM kept, LATERAL (SELECT period, returned FROM retention_periods(stats) LIMIT 2) AS p ORDER BY 1, 2;

-- windows: so far, and of two rows
SELECT n, retention_stats(r) OVER (ORDER BY n) AS so_far, rollup(stats) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS of_two
FROM (VALUES (1, '{t,f}'::boolean[], '(1/1, 0/1)'::retention_stats), (2, NULL, NULL), (3, '{t,t}', '(5/6, 7/8)'), (4, '{t,NULL}', '(1/1, 0/0)')) AS v (n, r, stats) ORDER BY n;

--
-- Text form.
--
SELECT stats::retention_stats FROM unnest(ARRAY['(0/0)', E' \t(\n1 / 2 ,\r3/3,0/7\f) ', '(00/000,007/08)', '(9223372036854775807/9223372036854775807)']) AS stats;
CREATE TABLE bad_stats (stats text);
INSERT INTO bad_stats VALUES (''), ('()'), (' '), ('1/2'), ('(1/2'), ('(1/2))'), ('(1/2) x'), ('(1/2,)'), ('(,1/2)'), ('(1/2 3/4)'), ('(1/2;3/4)'), ('(1)'), ('(/2)'), ('(1/)'),
	('(1//2)'), ('(2/1)'), ('(-1/2)'), ('(1/-2)'), ('(+1/2)'), ('(1.0/2)'), ('(1e0/2)'), ('(0x1/2)'), ('(NULL/2)'), ('(1/9223372036854775808)'),
	('(9223372036854775808/9223372036854775808)'), ('(99999999999999999999/99999999999999999999)'), ('{1/2}'), ('((1/2))'), ('(1/2)(1/2)'), ('(1/2,(3/4))'), (',(1/2)'), ('(1/2),');
DO $$
DECLARE
	bad text;
	what text;
	hint text;
	softly boolean;
BEGIN
	FOR bad IN TABLE bad_stats LOOP
		BEGIN
			PERFORM bad::retention_stats;
			RAISE WARNING 'accepted: %', bad;
		EXCEPTION WHEN invalid_text_representation THEN
			GET STACKED DIAGNOSTICS what = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
			RAISE NOTICE '%: %', bad, what;
		END;
		IF current_setting('server_version_num')::int >= 160000 THEN
			EXECUTE $q$SELECT pg_input_is_valid($1, 'retention_stats')$q$ INTO softly USING bad;
			IF softly THEN
				RAISE WARNING 'accepted softly: %', bad;
			END IF;
		END IF;
	END LOOP;
	RAISE NOTICE '%', hint;
END
$$;
SELECT '(2/1)'::retention_stats;
-- as many elements as retention may give, and one more
SELECT length(s::retention_stats::text) = length(s) AS same FROM (SELECT '(' || string_agg('1/1', ', ') || ')' AS s FROM generate_series(1, 10001)) AS v;
\set VERBOSITY sqlstate
SELECT ('(' || repeat(',', 10001) || '1/1)')::retention_stats;
\set VERBOSITY default

-- Stored counts, short, long and compressed, keep every bit in both forms.
CREATE TABLE stored (n int, stats retention_stats);
INSERT INTO stored SELECT n, ('(' || string_agg(format('%s/%s', i * n::int8 * 922337203685, i * n::int8 * 922337203685 + n), ',') || ')')::retention_stats
FROM generate_series(1, 300) AS n, LATERAL generate_series(1, n) AS i GROUP BY n;
INSERT INTO stored SELECT 0, ('(' || repeat('1/1,', 10000) || '0/0)')::retention_stats;
SELECT count(*), bool_and(stats = stats::text::retention_stats) AS equal, min(pg_column_size(stats)), max(pg_column_size(stats)) < 20000 AS compressed FROM stored;
\getenv directory PG_ABS_BUILDDIR
\set copy_out '\\copy (SELECT n, stats FROM stored) TO ''' :directory '/results/retention_stats.copy'' (FORMAT binary)'
\set copy_in '\\copy received FROM ''' :directory '/results/retention_stats.copy'' (FORMAT binary)'
CREATE TABLE received (LIKE stored);
:copy_out
:copy_in
SELECT count(*), bool_and(r.stats = s.stats) AS equal FROM received AS r JOIN stored AS s USING (n);
SELECT retention_stats_send('(3/4, 258/9223372036854775807)');

-- Each COPY file: signature, flags, one column, its length, then version 1, 1 element, 3 of 4.
CREATE TABLE copied (stats retention_stats);
\copy copied FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\025\001\000\000\000\001\000\000\000\000\000\000\000\003\000\000\000\000\000\000\000\004\377\377"' (FORMAT binary)
SELECT * FROM copied;
-- version 2
\copy copied FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\025\002\000\000\000\001\000\000\000\000\000\000\000\003\000\000\000\000\000\000\000\004\377\377"' (FORMAT binary)
-- no elements, 10,002 and -1
\copy copied FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\025\001\000\000\000\000\000\000\000\000\000\000\000\003\000\000\000\000\000\000\000\004\377\377"' (FORMAT binary)
\copy copied FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\025\001\000\000\047\022\000\000\000\000\000\000\000\003\000\000\000\000\000\000\000\004\377\377"' (FORMAT binary)
\copy copied FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\025\001\377\377\377\377\000\000\000\000\000\000\000\003\000\000\000\000\000\000\000\004\377\377"' (FORMAT binary)
-- 2 elements of which one is there
\copy copied FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\025\001\000\000\000\002\000\000\000\000\000\000\000\003\000\000\000\000\000\000\000\004\377\377"' (FORMAT binary)
-- 5 of 4, -1 of 4, -2 of -1
\copy copied FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\025\001\000\000\000\001\000\000\000\000\000\000\000\005\000\000\000\000\000\000\000\004\377\377"' (FORMAT binary)
\copy copied FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\025\001\000\000\000\001\377\377\377\377\377\377\377\377\000\000\000\000\000\000\000\004\377\377"' (FORMAT binary)
\copy copied FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\025\001\000\000\000\001\377\377\377\377\377\377\377\376\377\377\377\377\377\377\377\377\377\377"' (FORMAT binary)
-- a byte long
\copy copied FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\026\001\000\000\000\001\000\000\000\000\000\000\000\003\000\000\000\000\000\000\000\004\000\377\377"' (FORMAT binary)

--
-- Equality and hash.
--
SELECT a, b, a = b AS eq, a <> b AS ne, retention_stats_hash(a) = retention_stats_hash(b) AS same_hash, retention_stats_hash_extended(a, 7) = retention_stats_hash_extended(b, 7) AS same_hash_extended
FROM (VALUES ('(3/4, 0/2)'::retention_stats)) AS a (a), unnest(ARRAY['( 03/4,0/2 )', '(3/4)', '(3/4, 0/2, 0/0)', '(3/4, 1/2)', '(3/4, 0/3)', '(0/2, 3/4)']::retention_stats[]) AS b;
SELECT retention_stats_hash_extended('(3/4)', 1) <> retention_stats_hash_extended('(3/4)', 2) AS seeded;
SELECT count(*) FROM (SELECT DISTINCT stats FROM (TABLE stored UNION ALL TABLE received) AS twice) AS v;
SELECT opcname, amvalidate(oid) FROM pg_opclass WHERE opcintype = 'retention_stats'::regtype;
SELECT stats FROM stored ORDER BY stats;

--
-- Stored counts stay as they are when the aggregates' own functions are called on them.
--
CREATE TABLE plain (stats retention_stats);
ALTER TABLE plain ALTER stats SET STORAGE external;
INSERT INTO plain SELECT ('(' || string_agg('3/4', ',') || ')')::retention_stats FROM unnest(ARRAY[1, 3, 20, 40]) AS n, generate_series(1, n) GROUP BY n;
SELECT count(*) FROM plain WHERE retention_stats_accum(stats, array_fill(true, ARRAY[array_length(string_to_array(stats::text, ','), 1)])) = stats
	OR retention_stats_combine(stats, stats) = stats;
SELECT retention_stats_accum(stats, '{t,f,NULL}') AS accum, retention_stats_combine(stats, '(1/1, 0/1, 0/0)') AS combine, stats,
	retention_stats_accum(stats, NULL) AS skipped FROM plain WHERE stats = '(3/4, 3/4, 3/4)';
SELECT count(*) AS unchanged FROM plain WHERE stats::text ~ '^\((3/4, )*3/4\)$';
SELECT bool_and(r.stats IS NOT NULL) AS rolled FROM (SELECT rollup(stats) AS stats FROM plain, generate_series(1, 3) GROUP BY stats::text) AS r;
SELECT count(*) AS unchanged FROM plain WHERE stats::text ~ '^\((3/4, )*3/4\)$';
SELECT retention_stats_accum(NULL, '{t,f}') AS first, retention_stats_accum(NULL, NULL) AS none;

--
-- Errors.
--
SELECT retention_stats(r) FROM (VALUES ('{t,f}'::boolean[]), ('{t,f,f}')) AS v (r);
SELECT retention_stats('{}'::boolean[]);
SELECT retention_stats(r) FROM (VALUES ('{t}'::boolean[]), ('{}')) AS v (r);
SELECT retention_stats('{{t,f},{t,f}}'::boolean[]);
SELECT retention_stats(r) FROM (VALUES ('{t,f}'::boolean[]), ('{{t,f}}')) AS v (r);
SELECT retention_stats(array_fill(true, ARRAY[10002]));
SELECT rate FROM (SELECT retention_stats(array_fill(true, ARRAY[10001])) AS stats) AS v, retention_periods(stats) WHERE period = 10000;
SELECT rollup(stats) FROM (VALUES ('(1/2)'::retention_stats), ('(1/2, 3/4)')) AS v (stats);
SELECT rollup(stats) FROM (VALUES ('(1/2, 0/9223372036854775807)'::retention_stats), ('(1/2, 1/1)')) AS v (stats);
SELECT retention_stats_accum('(1/9223372036854775807)', '{f}');
SELECT retention_stats_accum('(1/9223372036854775807)', '{NULL}');
SELECT * FROM retention_periods('(1/2)', 1);
SELECT * FROM retention_periods('(1/2)', 'NaN');

DROP TABLE journey, kept, bad_stats, stored, received, copied, plain;
