--
-- engagement_value
--
\set t '{2026-01-01T10:00:00Z page_view@ads, 2026-01-01T10:01:00Z signup@email {"country": "NO"}, 2026-01-01T10:02:00Z signup, 2026-01-08T10:00:00Z signup@ads, 2026-01-08T10:01:00Z purchase =99}'
SELECT engagement_value(:'t', '{"signup": 10, "purchase": 100}') AS each, engagement_value(:'t', '{"signup": 10, "purchase": 100}', 'visit') AS visit,
	engagement_value(:'t', '{"signup": 10, "purchase": 100}', 'visitor') AS visitor, engagement_value(:'t', '{}') AS nothing,
	engagement_value('{}', '{"signup": 10}') AS empty, engagement_value(NULL, '{}') AS no_timeline, engagement_value(:'t', NULL) AS no_points;

-- the most specific pattern counts
SELECT points, engagement_value(:'t', points) FROM unnest(ARRAY['{"*": 1}', '{"*": 1, "s*": 2}', '{"*": 1, "s*": 2, "signup": 4}', '{"signup": 4, "signup@*": 8}',
	'{"signup": 4, "signup@*": 8, "signup@email": 16}', '{"signup@email": 16, "signup@email[country=NO]": 32}', '{"signup@email[country=*]": 16, "signup@email[country=NO]": 32}',
	'{"*@email": 64, "signup": 4}', '{"signup|purchase": 1, "s*": 50}', '{"signup": -1.5, "page_view": 0.25}']::jsonb[]) points;
SELECT points, engagement_value(:'t', points) FROM unnest(ARRAY['{"signup@email": 16, "signup@email[country=*]": 32}', '{"signup[country=*]": 1, "s*[country=NO]": 2}']::jsonb[]) points;
-- a tie is an error, but only where it happens
SELECT engagement_value(:'t', '{"sig*": 1, "*nup": 2}');
SELECT engagement_value(:'t', '{"signup|a": 1, "b|signup": 2}');
SELECT engagement_value(:'t', '{"nothing|a": 1, "b|nothing": 2, "purchase|purchase": 3}');

-- as_of hides what came later; half_life fades
SELECT engagement_value(:'t', '{"signup": 10}', as_of => '2026-01-01 10:01Z') AS one, engagement_value(:'t', '{"signup": 10}', as_of => '2026-01-01 10:00Z') AS none,
	engagement_value(:'t', '{"purchase": 100}', half_life => '7 days', as_of => '2026-01-15 10:01Z') AS half,
	engagement_value(:'t', '{"signup": 10}', 'visitor', '7 days', '2026-01-08 10:01Z') AS first_one_counts,
	engagement_value(:'t', '{"signup": 10}', as_of => 'infinity') AS all, engagement_value(:'t', '{"signup": 10}', as_of => '-infinity') AS before;
SELECT engagement_value(:'t', '{"signup": 10}', 'visit', gap => '30 s') AS short_gap, engagement_value(:'t', '{"signup": 10}', 'visit', gap => '30 days') AS long_gap;

-- agrees with the sum over rows
CREATE TABLE rows AS SELECT i % 50 AS visitor, '2026-01-01Z'::timestamptz + make_interval(mins => hashint4(i) & 16383) AS at,
	(ARRAY['a', 'b', 'c', 'd'])[1 + (hashint4(-i) & 3)] AS event FROM generate_series(1, 5000) i;
SELECT count(*) AS differences
FROM (SELECT visitor, engagement_value(timeline(at, event), '{"a": 1, "b": 2.5}') AS each,
		engagement_value(timeline(at, event), '{"a": 1, "b": 2.5}', 'visit') AS visit,
		engagement_value(timeline(at, event), '{"a": 1, "b": 2.5}', 'each', '3 days', '2026-01-10Z') AS faded
	FROM rows GROUP BY visitor) v
JOIN (SELECT visitor, sum(points) AS each, sum(points / same_goal) AS visit,
		sum(points * power(2, -extract(epoch FROM '2026-01-10Z' - at) / 259200.0)) FILTER (WHERE at <= '2026-01-10Z') AS faded
	FROM (SELECT *, CASE event WHEN 'a' THEN 1 WHEN 'b' THEN 2.5 ELSE 0 END AS points, count(*) OVER (PARTITION BY visitor, visit, event) AS same_goal
		FROM (SELECT *, visit_number(at) OVER (PARTITION BY visitor ORDER BY at) AS visit FROM rows) s) s
	GROUP BY visitor) r USING (visitor)
WHERE v.each <> r.each OR abs(v.visit - r.visit) > 1e-9 OR abs(v.faded - r.faded) > 1e-9 OR r.faded IS NULL;
DROP TABLE rows;

-- arguments
SELECT engagement_value(:'t', '[]');
SELECT engagement_value(:'t', '3');
SELECT engagement_value(:'t', '{"signup": "10"}');
SELECT engagement_value(:'t', '{"sign[up": 10}');
SELECT engagement_value(:'t', '{"signup": 1e400}');
SELECT engagement_value(:'t', '{"signup": 1e308}');
SELECT engagement_value(:'t', '{"signup": 1}', 'once');
SELECT engagement_value(:'t', '{"signup": 1}', half_life => '7 days');
SELECT engagement_value(:'t', '{"signup": 1}', half_life => '7 days', as_of => 'infinity');
SELECT engagement_value(:'t', '{"signup": 1}', half_life => '0', as_of => now());
SELECT engagement_value(:'t', '{"signup": 1}', half_life => '1 month', as_of => now());
SELECT engagement_value(:'t', '{"signup": 1}', 'visit', gap => '1 year');
