--
-- visit_number() OVER (PARTITION BY visitor ORDER BY at)
--
CREATE TABLE rows (visitor int, at timestamptz);
INSERT INTO rows VALUES (1, '2026-01-01 10:00Z'), (1, '2026-01-01 10:30Z'), (1, '2026-01-01 11:00:00.000001Z'), (1, NULL), (2, '2026-01-01 10:00Z'),
	(2, '2026-01-01 10:00Z'), (2, '2026-01-03 10:00Z'), (3, NULL);
SELECT visitor, at, visit_number(at) OVER w, visit_number(at, '1 day') OVER w AS day, visit_number(at, gap_inclusive => true) OVER w AS inclusive
FROM rows WINDOW w AS (PARTITION BY visitor ORDER BY at) ORDER BY visitor, at;
SELECT at, visit_number(at) OVER (ORDER BY at NULLS FIRST) FROM rows ORDER BY at NULLS FIRST;

-- the same visits as the timeline finds
CREATE TABLE random_rows AS
SELECT i % 100 AS visitor, '2026-01-01Z'::timestamptz + make_interval(mins => (hashint4(i) & 65535)) AS at FROM generate_series(1, 10000) i;
SELECT count(*) AS differences FROM (
	SELECT visitor, visit_count(timeline(at, 'a')) AS a, visit_count(timeline(at, 'a'), '20 min', true) AS b FROM random_rows GROUP BY visitor) t
JOIN (SELECT visitor, max(a) AS a, max(b) AS b
	FROM (SELECT visitor, visit_number(at) OVER (PARTITION BY visitor ORDER BY at) AS a,
		visit_number(at, '20 min', true) OVER (PARTITION BY visitor ORDER BY at) AS b FROM random_rows) s GROUP BY visitor) r USING (visitor)
WHERE (t.a, t.b) IS DISTINCT FROM (r.a, r.b);

-- mistakes
SELECT visit_number(at) OVER (PARTITION BY visitor ORDER BY at DESC) FROM rows;
SELECT visit_number(at, '1 month') OVER (PARTITION BY visitor ORDER BY at) FROM rows;
SELECT visit_number(at, CASE WHEN at < '2026-01-02Z' THEN '1 h' ELSE '2 h' END::interval) OVER (PARTITION BY visitor ORDER BY at) FROM rows;
SELECT count(n) FROM (SELECT visit_number(at, CASE WHEN at < '2026-01-02Z' THEN '1 day' ELSE '24 h' END::interval) OVER (PARTITION BY visitor ORDER BY at) AS n FROM rows) s;
SELECT visit_number('infinity') OVER (ORDER BY at) FROM rows;
SELECT visit_number(at) FROM rows;
DROP TABLE rows, random_rows;
