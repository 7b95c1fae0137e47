--
-- The report of a funnel
--
CREATE SCHEMA funnel_steps_test;
SET search_path = funnel_steps_test, engagement;
SET timezone = 'UTC';
SET extra_float_digits = -6;
CREATE TABLE passage (visitor text, times timestamptz[]);
INSERT INTO passage VALUES
	('through', '{2026-01-01, 2026-01-01 00:01, 2026-01-05}'),
	('skips', '{2026-01-01, NULL, 2026-01-02}'),
	('at once', '{2026-01-03, 2026-01-03, NULL}'),
	('dropped', '{2026-01-02, NULL, NULL}'),
	('in progress', '{2026-01-03, NULL, NULL}'),
	('there too', '{2026-01-09, 2026-01-10, NULL}');
CREATE TABLE stored AS SELECT funnel_stats(times, '7 days', '2026-01-10') AS stats FROM passage;
\x on
SELECT s.* FROM stored, funnel_steps(stats, ARRAY['view', 'cart', 'buy'], 0.9) s;
\x off
-- 95 %, no labels
SELECT funnel_steps(stats) = funnel_steps(stats, NULL, 0.95) AS same, funnel_steps(stats, NULL, NULL) = funnel_steps(stats) AS too,
	(funnel_steps(stats)).label
FROM stored;
SELECT step, label FROM stored, funnel_steps(stats, labels => '{view, NULL, ""}');
SELECT count(*) FROM funnel_steps(NULL);
SELECT g, step, reached FROM generate_series(1, 3) g
	LEFT JOIN LATERAL funnel_steps((SELECT funnel_stats(times, NULL, NULL) FROM passage WHERE g <> 2 AND times[4 - g] IS NOT NULL)) s ON true
ORDER BY g, step;

SELECT funnel_steps(stats, '{view, buy}') FROM stored;
SELECT funnel_steps(stats, '{}') FROM stored;
SELECT funnel_steps(stats, '{{view, cart, buy}}') FROM stored;
SELECT funnel_steps(stats, conf_level => 0) FROM stored;
SELECT funnel_steps(stats, conf_level => 1) FROM stored;
SELECT funnel_steps(stats, conf_level => 'NaN') FROM stored;
SELECT funnel_steps(stats, conf_level => 95) FROM stored;

--
-- Against plain SQL
--
-- numbers from 0 to 1 that are the same everywhere
CREATE FUNCTION draw(VARIADIC what text[]) RETURNS float8
RETURN ('x' || left(md5(array_to_string(what, ' ')), 13))::bit(52)::bigint / 4503599627370496.0;
-- who gets how far at what times; some skip steps 2 and 4
CREATE TABLE visit AS
SELECT visitor, kind, CASE WHEN visitor % 10 > 0
		THEN array_agg(CASE WHEN n <= level AND NOT (n IN (2, 4) AND draw('skip', visitor::text, n::text) < 0.3) THEN at END ORDER BY n) END AS times
FROM (SELECT visitor, kind, n, floor(draw('level', visitor::text) * 6.5) AS level, CASE kind
			WHEN 'ordered' THEN timestamptz '2026-01-01' + sum(floor(exp(12 * x) - 1) * interval '1 s') OVER (PARTITION BY visitor ORDER BY n)
			WHEN 'any' THEN timestamptz '2026-01-05' + floor(x * 2000) * interval '1 min'
			ELSE timestamptz '2000-01-01' + floor(x * 1e15) * interval '1 us' END AS at
	FROM (SELECT visitor, (array['ordered', 'any', 'long'])[1 + visitor % 3] AS kind, n, draw('at', visitor::text, n::text) AS x
		FROM generate_series(1, 3000) visitor, generate_series(1, 5) n) s) s
GROUP BY visitor, kind;

CREATE FUNCTION plain_steps(asked text, within interval, as_of timestamptz)
RETURNS TABLE (step int, reached bigint, skipped bigint, in_progress bigint, dropped bigint, step_conversion float8,
	total_conversion float8, mean_seconds float8, percentiles float8[])
BEGIN ATOMIC
	WITH event AS (
			SELECT visitor, n::int AS step, t AS at, extract(epoch FROM t - lag(t) OVER (PARTITION BY visitor ORDER BY t, n)) AS seconds
			FROM visit, unnest(times) WITH ORDINALITY u (t, n) WHERE kind = asked AND t IS NOT NULL),
		person AS (
			SELECT visitor, max(event.step) AS level, array_agg(event.step) AS taken,
				max(event.step) < 5 AND coalesce(min(at) + within >= as_of, false) AS is_open
			FROM event GROUP BY visitor),
		line AS (
			SELECT s.step, count(*) FILTER (WHERE level >= s.step) AS reached, count(*) FILTER (WHERE level > s.step AND s.step <> ALL (taken)) AS skipped,
				count(*) FILTER (WHERE level = s.step AND is_open) AS in_progress,
				count(*) FILTER (WHERE level = s.step AND s.step < 5 AND NOT is_open) AS dropped
			FROM generate_series(1, 5) s (step) LEFT JOIN person ON true GROUP BY s.step)
	SELECT l.step, l.reached, l.skipped, l.in_progress, l.dropped,
		l.reached / nullif(lag(l.reached - l.in_progress) OVER w, 0)::float8,
		l.reached / nullif(first_value(l.reached) OVER w - coalesce(sum(l.in_progress) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0), 0)::float8,
		(SELECT avg(seconds) FROM event e WHERE e.step = l.step),
		(SELECT percentile_disc(ARRAY[0.25, 0.5, 0.75, 0.9]::float8[]) WITHIN GROUP (ORDER BY seconds::float8) FROM event e WHERE e.step = l.step AND seconds IS NOT NULL)
	FROM line l WINDOW w AS (ORDER BY l.step);
END;
CREATE FUNCTION near(a float8, b float8, tolerance float8) RETURNS boolean
RETURN a IS NOT DISTINCT FROM b OR abs(a - b) <= tolerance * abs(b);

SELECT kind, within, as_of, count(*) AS steps, min(s.reached) > 100 AND sum(s.skipped) > 100 AS many, sum(s.in_progress) > 100 AS many_in_progress,
	bool_and((s.reached, s.skipped, s.in_progress, s.dropped) = (p.reached, p.skipped, p.in_progress, p.dropped)) AS counts,
	bool_and(s.reached = coalesce(next_reached, 0) + s.in_progress + s.dropped OR s.step = 5) AS adds_up,
	bool_and(near(s.step_conversion, p.step_conversion, 1e-15) AND near(s.total_conversion, p.total_conversion, 1e-15)) AS conversions,
	bool_and(near(s.mean_seconds, p.mean_seconds, 1e-12)) AS means,
	bool_and(near(s.p25_seconds, p.percentiles[1], 0.01) AND near(s.p50_seconds, p.percentiles[2], 0.01)
		AND near(s.p75_seconds, p.percentiles[3], 0.01) AND near(s.p90_seconds, p.percentiles[4], 0.01)) AS percentiles
FROM (VALUES ('ordered', interval '1 day', timestamptz '2026-01-01 12:00'), ('ordered', '12 hours', '2026-01-01 12:00'), ('ordered', '1 day', NULL),
		('any', '1 day', '2026-01-06 16:40'), ('any', '15 days', '2026-01-06'), ('any', NULL, NULL),
		('long', '3000 days', '2020-01-01'), ('long', '0', '2020-01-01')) v (kind, within, as_of),
	LATERAL (SELECT funnel_stats(times, within, as_of) AS stats FROM visit WHERE visit.kind = v.kind) t,
	LATERAL (SELECT *, lead(reached) OVER (ORDER BY step) AS next_reached FROM funnel_steps(stats)) s
	JOIN LATERAL plain_steps(v.kind, within, as_of) p ON p.step = s.step
GROUP BY kind, within, as_of ORDER BY kind, within, as_of;

-- each percentile of n times is that of rank ceil(q * n)
SELECT bool_and(near(p25_seconds, ceil(0.25 * n), 0.01) AND near(p50_seconds, ceil(0.5 * n), 0.01)
	AND near(p75_seconds, ceil(0.75 * n), 0.01) AND near(p90_seconds, ceil(0.9 * n), 0.01)) AS ranks, bool_and(near(mean_seconds, (n + 1) / 2.0, 1e-15)) AS means
FROM generate_series(1, 45) n,
	LATERAL (SELECT funnel_stats(ARRAY[t, t + i * interval '1 s'], NULL, NULL) AS stats FROM generate_series(1, n) i, (VALUES (timestamptz '2026-01-01')) v (t)) s,
	LATERAL funnel_steps(stats) WHERE step = 2;
-- of so many visitors a rank times a hundred would not fit 64 bits
SELECT mean_seconds, p25_seconds, p50_seconds, p75_seconds, p90_seconds
FROM funnel_steps('(null, null, (0, 0, 0, 0, {}), (0, 9223372036854775807, 0, 17524406870024074033, {1:3689348814741910323, 36:2767011611056432742, 56:2767011611056432742}))') WHERE step = 2;
SELECT mean_seconds, p25_seconds, p50_seconds, p75_seconds, p90_seconds
FROM funnel_steps('(null, null, (0, 0, 0, 0, {}), (0, 4, 0, 18446744073709551616, {0:2, 1:1, 2240:1}))') WHERE step = 2;

--
-- Wilson's interval. Published: Newcombe (1998), Table I, method 3, to four digits; R's prop.test(10, 100, correct = FALSE).
--
CREATE FUNCTION of_all(successes bigint, trials bigint) RETURNS funnel_stats
RETURN format('(null, null, (0, %s, 0, 0, {}), (0, %s, 0, 0, {%s}))', trials - successes, successes, '0:' || nullif(successes, 0))::funnel_stats;
SELECT k, n, step_conversion::numeric(9, 7), step_conversion_lower::numeric(9, 7), step_conversion_upper::numeric(9, 7),
	(step_conversion_lower, step_conversion_upper) = (total_conversion_lower, total_conversion_upper) AS total_too
FROM (VALUES (81, 263), (15, 148), (0, 20), (1, 29), (10, 100), (20, 20)) v (k, n), funnel_steps(of_all(k, n)) WHERE step = 2;
-- the limits are where they belong
SELECT k, n, step_conversion_lower, step_conversion_upper, step_conversion_lower <= step_conversion AND step_conversion <= step_conversion_upper AS around
FROM (VALUES (0, 1), (1, 1), (0, 9223372036854775807), (1, 9223372036854775807), (9223372036854775806, 9223372036854775807), (9223372036854775807, 9223372036854775807)) v (k, n),
	funnel_steps(of_all(k, n)) WHERE step = 2;
SELECT bool_and(step_conversion_lower BETWEEN 0 AND step_conversion AND step_conversion_upper BETWEEN step_conversion AND 1)
FROM unnest(ARRAY[1e-15, 0.01, 0.5, 0.99, 0.999999999999999]) conf_level, unnest(ARRAY[1, 2, 7, 1000, 9007199254740993, 9223372036854775807]) n,
	LATERAL (VALUES (0), (1), (n / 2), (n - 1), (n)) v (k), funnel_steps(of_all(k, n), conf_level => conf_level) WHERE step = 2;

-- of 0 out of 100 the upper limit is z^2 / (100 + z^2), which shows the normal quantile z; from mpmath, for these very doubles
SELECT conf_level, sqrt(100 * step_conversion_upper / (1 - step_conversion_upper)) AS z, abs(sqrt(100 * step_conversion_upper / (1 - step_conversion_upper)) / z - 1) < 1e-14 AS close
FROM (VALUES (0.001::float8, 0.0012533144654325545383::float8), (0.1, 0.12566134685507404122), (0.3, 0.38532046640756760882),
	(0.5, 0.6744897501960817432), (0.50000001, 0.67448976593040730856), (0.6826894921370859, 0.99999999999999990574),
	(0.8, 1.2815515655446005935), (0.9, 1.6448536269514728225), (0.95, 1.9599639845400538556), (0.99, 2.5758293035489004539),
	(0.999, 3.2905267314918945433), (0.999999, 4.8916384756929317718), (0.999999999, 6.1094102093834491114),
	(0.999999999999, 7.1305098928792724473), (0.9999999999999999, 8.2923610758135955382)) v (conf_level, z),
	funnel_steps(of_all(0, 100), conf_level => conf_level) WHERE step = 2;

--
-- A step that nobody took
--
SELECT step, label, reached, step_conversion FROM funnel_steps('(null, null, (0, 3, 0, 0, {}), (0, 0, 0, 0, {}), (0, 0, 0, 0, {}))', '{view, Cart, buy}');
SELECT step, reached, total_conversion FROM funnel_steps('(null, null, (0, 0, 0, 0, {}), (0, 0, 0, 0, {}))', '{view, buy}');
SELECT step, reached, skipped FROM funnel_steps('(null, null, (0, 0, 0, 0, {}), (0, 0, 3, 0, {}), (0, 3, 0, 0, {0:3}))');
SELECT step, reached FROM funnel_steps('(0, 2000-01-01T00:00:00Z, (3, 0, 0, 0, {}), (0, 0, 0, 0, {}))', '{view, NULL}');
-- once for a step in one query
SELECT count(*) FROM unnest(ARRAY['(null, null, (0, 3, 0, 0, {}), (0, 0, 0, 0, {}))', '(null, null, (0, 1, 0, 0, {}), (0, 1, 0, 0, {0:1}))',
	'(null, null, (0, 2, 0, 0, {}), (0, 0, 0, 0, {}))', '(null, null, (0, 0, 0, 0, {}), (0, 0, 0, 0, {}))']::funnel_stats[]) stats, funnel_steps(stats);

-- Four start at the same time and one is quick: of those whose window is closed there is nobody yet. A week later it is one in four.
SELECT a AS as_of, step, reached, in_progress, dropped, step_conversion, mature_reached, mature_step_conversion, mature_total_conversion
FROM (SELECT a, funnel_stats(ARRAY['2026-01-07'::timestamptz, CASE WHEN i = 1 THEN '2026-01-07 01:00'::timestamptz END], '7 days', a) AS stats
	FROM generate_series(1, 4) i, unnest('{2026-01-08,2026-01-15}'::timestamptz[]) a GROUP BY a) AS s, funnel_steps(stats)
ORDER BY a, step;
