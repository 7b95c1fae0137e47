--
-- flow: transitions from step to step
--
\set t '{2026-01-01T10:00:00Z ad, 2026-01-01T10:00:30Z home, 2026-01-01T10:01:00Z home, 2026-01-01T10:02:30Z product, 2026-01-01T10:03:00Z cart, 2026-01-02T10:00:00Z home, 2026-01-02T10:00:05Z product, 2026-01-02T10:01:00Z purchase =9.5, 2026-01-02T10:02:00Z home}'
SELECT * FROM flow(:'t');
SELECT * FROM flow(:'t', 'home', depth => 2);
SELECT * FROM flow(:'t', 'product', depth => 10);
SELECT * FROM flow(:'t', end_event => 'product|purchase', depth => 10);
SELECT * FROM flow(:'t', end_event => 'purchase', depth => 3);

-- who ends at the last step asked for has no exit; who ends before has one
SELECT depth, count(*), count(*) FILTER (WHERE target IS NULL) AS exits, count(*) FILTER (WHERE source IS NULL) AS entries
FROM generate_series(1, 5) depth, flow('{2026-01-01T00:00:00Z a, 2026-01-01T00:00:01Z b, 2026-01-01T00:00:02Z c}', depth => depth) GROUP BY depth ORDER BY depth;
SELECT depth, count(*), count(*) FILTER (WHERE target IS NULL) AS exits, count(*) FILTER (WHERE source IS NULL) AS entries
FROM generate_series(1, 5) depth, flow('{2026-01-01T00:00:00Z a, 2026-01-01T00:00:01Z b, 2026-01-01T00:00:02Z c}', end_event => 'c', depth => depth) GROUP BY depth ORDER BY depth;
SELECT * FROM flow('{2026-01-01T00:00:00Z a}');
SELECT * FROM flow('{2026-01-01T00:00:00Z a}', end_event => '*');

-- repeats: one step at the time of the first, or steps of their own
SELECT * FROM flow(:'t', 'home', depth => 2, collapse => false);
SELECT * FROM flow('{2026-01-01T00:00:00Z a, 2026-01-01T00:00:01Z b@x, 2026-01-01T00:00:05Z b@y, 2026-01-01T00:00:09Z c}', end_event => 'b@y') AS repeats_of_the_end;
-- among leaves others out, but not the start or end; what it leaves out does not part repeats
SELECT * FROM flow(:'t', 'ad', among => 'home|purchase');
SELECT * FROM flow(:'t', end_event => 'purchase', among => 'home|ad');
SELECT * FROM flow(:'t', among => 'home|purchase');
SELECT * FROM flow(:'t', among => 'newsletter');

-- each visit a path of its own; a pause as long as the gap does not end it
SELECT * FROM flow(:'t', gap => '30 min');
SELECT * FROM flow(:'t', 'product', gap => '30 min');
SELECT * FROM flow(:'t', end_event => 'product', gap => '30 min', depth => 1);
SELECT * FROM flow('{2026-01-01T00:00:00Z a, 2026-01-01T00:30:00Z b, 2026-01-01T01:00:00.000001Z c}', gap => '30 min');
-- events that are no steps still keep a visit going
SELECT * FROM flow('{2026-01-01T00:00:00Z a, 2026-01-01T00:20:00Z ping, 2026-01-01T00:40:00Z b}', among => 'a|b', gap => '30 min');
SELECT * FROM flow('{2026-01-01T00:00:00Z b, 2026-01-01T00:00:00Z a, 2026-01-01T00:00:00Z a, 2026-01-01T00:00:01Z c}', gap => '0');

-- all of time
SELECT * FROM flow('{-4713-11-24T00:00:00Z a, +294276-12-31T23:59:59.999999Z b}');
-- label by label, whatever the channel
SELECT * FROM flow('{2026-01-01T00:00:00Z ""@x, 2026-01-01T00:00:01Z ""@y, 2026-01-01T00:00:02Z "a, b"}');

-- of many visitors: the links of a Sankey diagram
CREATE TEMP TABLE visitor (t timeline);
INSERT INTO visitor VALUES ('{2026-01-01T00:00:00Z home, 2026-01-01T00:00:10Z product, 2026-01-01T00:00:30Z cart}'),
	('{2026-01-01T00:00:00Z home, 2026-01-01T00:00:20Z product}'), ('{2026-01-01T00:00:00Z home}'), ('{2026-01-01T00:00:00Z ad}'), ('{}'), (NULL);
SELECT step, source, target, count(*) AS visitors, round(count(*) / sum(count(*)) OVER (PARTITION BY step, source), 3) AS share, avg(seconds) AS seconds
FROM visitor, flow(t, 'home', depth => 2) GROUP BY step, source, target ORDER BY step, visitors DESC, target;
SELECT (flow(t)).* FROM visitor;

-- nothing, and NULL
SELECT count(*) FROM flow('{}');
SELECT count(*) FROM flow(NULL);
SELECT count(*) FROM flow(:'t', 'never');
SELECT count(*) FROM flow(:'t', end_event => 'never');
SELECT count(*) FROM flow(:'t', end_event => 'never', gap => '30 min');
SELECT count(*) = 5 AS defaults FROM flow(:'t', NULL, NULL, NULL, NULL, NULL, NULL);

-- arguments
SELECT * FROM flow(:'t', 'ad', 'purchase');
SELECT * FROM flow(:'t', depth => 0);
SELECT * FROM flow(:'t', depth => 1001);
SELECT * FROM flow(:'t', depth => -2147483648);
SELECT * FROM flow(:'t', 'a|');
SELECT * FROM flow(:'t', end_event => 'a[b]');
SELECT * FROM flow(:'t', among => '');
SELECT * FROM flow(:'t', gap => '1 month');
SELECT * FROM flow(:'t', gap => '-1 s');
