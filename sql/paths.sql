--
-- paths_to and paths_from: what came before an event and what after
--
SET timezone = 'UTC';
SET datestyle = 'ISO';
\set t '{2026-01-01T10:00:00Z ad, 2026-01-01T10:01:00Z home, 2026-01-01T10:02:00Z home, 2026-01-01T10:03:00Z product, 2026-01-01T10:04:00Z purchase =9.5, 2026-01-02T10:00:00Z home, 2026-01-02T10:01:00Z purchase =5, 2026-01-02T10:02:00Z home}'
SELECT * FROM paths_to(:'t', 'purchase', 3);
SELECT * FROM paths_to(:'t', 'purchase', 100);
SELECT * FROM paths_from(:'t', 'home', 2);
SELECT * FROM paths_from(:'t', 'ad', 1000);

-- the first or last only
SELECT 'to' AS which, o, p.* FROM (VALUES ('all'), ('first'), ('last'), (NULL)) s(o), paths_to(:'t', 'home', 1, occurrence => o) p
UNION ALL SELECT 'from', o, p.* FROM (VALUES ('all'), ('first'), ('last'), (NULL)) s(o), paths_from(:'t', 'home', 1, occurrence => o) p;

-- repeats as one step: n counts those
SELECT * FROM paths_to(:'t', 'product', 2, collapse => true);
SELECT * FROM paths_to(:'t', 'product', 2, collapse => false);
SELECT * FROM paths_from(:'t', 'ad', 2, collapse => true);
-- the event itself is not of the path, its repeats before and after are
SELECT * FROM paths_to('{2026-01-01T00:00:00Z a, 2026-01-01T00:00:01Z b, 2026-01-01T00:00:02Z b, 2026-01-01T00:00:03Z b, 2026-01-01T00:00:04Z c}', 'b', 5, collapse => true);
SELECT * FROM paths_from('{2026-01-01T00:00:00Z a, 2026-01-01T00:00:01Z b, 2026-01-01T00:00:02Z b, 2026-01-01T00:00:03Z b, 2026-01-01T00:00:04Z c}', 'b', 5, collapse => true);

-- among leaves others out; what it leaves out does not part repeats
SELECT * FROM paths_to(:'t', 'purchase', 3, 'home|ad');
SELECT * FROM paths_to(:'t', 'purchase', 3, 'home|ad', true);
SELECT * FROM paths_from(:'t', 'purchase', 3, 'purchase');
SELECT * FROM paths_from(:'t', 'purchase', 3, 'never');
SELECT * FROM paths_from('{2026-01-01T00:00:00Z a, 2026-01-01T00:00:01Z x, 2026-01-01T00:00:02Z a, 2026-01-01T00:00:03Z b}', 'x', 2, 'a|b', true);

-- events at one instant are in the timeline's order, which is that of their labels
SELECT p.path AS before, f.path AS after
FROM (VALUES ('{2026-01-01T00:00:00Z c, 2026-01-01T00:00:00Z a, 2026-01-01T00:00:00Z b, 2026-01-01T00:00:00Z b@x}'::timeline)) s(t), paths_to(t, 'b', 9) p, paths_from(t, p.path[1], 9) f;

-- all of time, strange labels, channels and properties in patterns
SELECT * FROM paths_to('{-4713-11-24T00:00:00Z a, +294276-12-31T23:59:59.999999Z "b, \"c"@x {"k": 1}}', '*@x[k=1]', 1);
SELECT * FROM paths_from('{-4713-11-24T00:00:00Z a, +294276-12-31T23:59:59.999999Z "b, \"c"}', '*', 1);

-- the same by window functions
CREATE TEMP TABLE visitor AS SELECT v, timeline(timestamptz '2026-01-01Z' + i * interval '1 min', chr(97 + (i * i + v) % 5)) AS t
FROM generate_series(1, 50) v, generate_series(1, v) i GROUP BY v;
WITH listed AS (SELECT v, at, event, array_agg(event) OVER (PARTITION BY v ORDER BY at ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING) AS before,
		array_agg(event) OVER (PARTITION BY v ORDER BY at ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING) AS after
	FROM visitor, events(t))
SELECT count(*), count(*) FILTER (WHERE p.path <> coalesce(before, '{}') OR f.path <> coalesce(after, '{}')) AS differ
FROM visitor JOIN listed USING (v), paths_to(t, 'c|d', 3) p, paths_from(t, 'c|d', 3) f WHERE p.at = listed.at AND f.at = listed.at;

-- the commonest ways to a purchase
SELECT path, count(*) FROM (VALUES (:'t'::timeline), ('{2026-01-01T00:00:00Z home, 2026-01-01T00:00:01Z purchase}'), ('{2026-01-01T00:00:00Z purchase}')) s(t),
	paths_to(t, 'purchase', 2, collapse => true, occurrence => 'first') GROUP BY path ORDER BY 2 DESC, 1;
SELECT i, (paths_to(t, 'a', 1)).* FROM (VALUES (1, '{2026-01-01T10:00:00Z a}'::timeline), (2, '{}'), (3, NULL), (4, '{2026-01-01T10:00:00Z b, 2026-01-02T10:00:00Z a}')) s(i, t);

-- nothing, and NULL
SELECT count(*) FROM paths_to('{}', 'a', 1), paths_from('{}', 'a', 1);
SELECT count(*) FROM paths_to(NULL, 'a', 1);
SELECT count(*) FROM paths_to(:'t', NULL, 1);
SELECT count(*) FROM paths_from(:'t', 'home', NULL);
SELECT count(*) FROM paths_from(:'t', 'never', 1, occurrence => 'last');
SELECT count(*) AS defaults FROM paths_from(:'t', 'home', 1, NULL, NULL, NULL);
SELECT path AS default_path FROM paths_to(:'t', 'product', 2, NULL, NULL, NULL);

-- arguments
SELECT * FROM paths_to(:'t', 'home', 0);
SELECT * FROM paths_from(:'t', 'home', 1001);
SELECT * FROM paths_from(:'t', 'home', -1);
SELECT * FROM paths_to(:'t', 'home', 1, occurrence => 'second');
SELECT * FROM paths_to(:'t', 'home', 1, occurrence => 'First');
SELECT * FROM paths_to(:'t', 'home', 1, occurrence => '');
SELECT * FROM paths_from(:'t', 'a,b', 1);
SELECT * FROM paths_from(:'t', 'a', 1, 'b@');
