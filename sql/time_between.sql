--
-- time_between and times_between
--
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
\set t '{2026-01-01T10:00:00Z lead, 2026-01-01T11:00:00Z lead, 2026-01-01T12:30:00Z call, 2026-01-01T13:00:00Z call, 2026-01-05T09:00:00Z lead, 2026-01-05T09:20:00Z call, 2026-01-09T09:00:00Z lead}'
SELECT * FROM times_between(:'t', 'lead', 'call');
SELECT pick, time_between(:'t', 'lead', 'call', pick => pick) FROM (VALUES ('first'), ('last'), ('shortest'), ('longest'), ('mean'), (NULL)) s(pick);
SELECT time_between(:'t', 'lead', 'call'), time_between(:'t', 'call', 'lead'), time_between(:'t', 'lead', 'lead'), time_between(:'t', '*', 'call', pick => 'last');

-- an event that matches both closes a pair and opens the next
SELECT * FROM times_between('{2026-01-01T00:00:00Z a, 2026-01-01T00:00:05Z a, 2026-01-01T00:00:15Z a}', 'a', 'a');
SELECT * FROM times_between('{2026-01-01T00:00:00Z a, 2026-01-01T00:00:05Z b, 2026-01-01T00:00:15Z c}', 'a|b', 'b|c');
-- all times between events, and the pauses between visits
SELECT * FROM times_between(:'t', '*', '*', longer_than => '30 min');
SELECT (SELECT count(*) FROM times_between(:'t', '*', '*', longer_than => '30 min')) = visit_count(:'t') - 1 AS between_visits;

-- within: exactly as long counts; what is given up makes room for the next
SELECT within, p.* FROM (VALUES (interval '2 hours 30 min'), ('2 hours'), ('90 min'), ('20 min'), ('0')) s(within), times_between(:'t', 'lead', 'call', within) p;
SELECT * FROM times_between('{2026-01-01T00:00:00Z a, 2026-02-09T00:00:00Z a, 2026-02-10T00:00:00Z b}', 'a', 'b', '30 days');
SELECT * FROM times_between('{2026-01-01T00:00:00Z a, 2026-01-31T00:00:00Z a, 2026-02-10T00:00:00Z b}', 'a', 'b', '30 days');
SELECT * FROM times_between('{2026-01-01T00:00:00Z a, 2026-02-09T00:00:00Z b, 2026-02-10T00:00:00Z a, 2026-02-10T00:00:01Z b}', 'a', 'b', '30 days');
SELECT * FROM times_between('{2026-01-01T00:00:00Z a, 2026-02-09T00:00:00Z a, 2026-02-10T00:00:00Z a}', '*', '*', '30 days');
-- longer_than: exactly as long does not count; it changes no other pair
SELECT longer_than, p.* FROM (VALUES (interval '0'), ('19 min 59.999999 s'), ('20 min'), ('3 hours')) s(longer_than), times_between(:'t', 'lead', 'call', longer_than => longer_than) p;
SELECT count(*) FROM times_between(:'t', 'lead', 'call', within => '1 hour', longer_than => '1 hour');
SELECT time_between(:'t', 'lead', 'call', within => '1 hour'), time_between(:'t', 'lead', 'call', longer_than => '3 hours');

-- at one instant: first what opens, last what closes, whatever the labels
SELECT t, (SELECT string_agg(from_at - '2026-01-01 00:00:00Z' || '-' || to_at - '2026-01-01 00:00:00Z', ', ') FROM times_between(t, 'f*|both', 't*|both')) AS pairs
FROM (VALUES ('{2026-01-01T00:00:00Z from, 2026-01-01T00:00:00Z to}'::timeline), ('{2026-01-01T00:00:00Z f, 2026-01-01T00:00:01Z from, 2026-01-01T00:00:01Z to, 2026-01-01T00:00:02Z to}'),
	('{2026-01-01T00:00:00Z both, 2026-01-01T00:00:00Z to}'), ('{2026-01-01T00:00:00Z both, 2026-01-01T00:00:00Z from, 2026-01-01T00:00:01Z to}'),
	('{2026-01-01T00:00:00Z both}'), ('{2026-01-01T00:00:00Z both, 2026-01-01T00:00:00Z both, 2026-01-01T00:00:00Z both}'),
	('{2026-01-01T00:00:00Z f, 2026-01-01T00:00:01Z both, 2026-01-01T00:00:01Z from, 2026-01-01T00:00:01Z to, 2026-01-01T00:00:02Z to}'),
	('{2026-01-01T00:00:00Z to, 2026-01-01T00:00:00Z t2, 2026-01-01T00:00:01Z from, 2026-01-01T00:00:01Z f2}')) s(t);
SELECT time_between('{2026-01-01T00:00:00Z a, 2026-01-01T00:00:00Z b}', 'b', 'a'), time_between('{2026-01-01T00:00:00Z a, 2026-01-01T00:00:00Z b}', 'a', 'b');

-- as subtraction gives it; the mean is rounded to the microsecond
SELECT time_between(:'t', 'lead', 'call', pick => 'mean'), time_between('{2026-01-01T00:00:00Z a, 2026-03-01T12:00:00.000001Z b}', 'a', 'b'),
	timestamptz '2026-03-01 12:00:00.000001Z' - timestamptz '2026-01-01 00:00:00Z' AS subtracted;
SELECT time_between('{2026-01-01T00:00:00Z a, 2026-01-01T00:00:00Z a, 2026-01-01T00:00:00.000001Z a}', 'a', 'a', pick => 'mean') AS half,
	time_between('{2026-01-01T00:00:00Z a, 2026-01-01T00:00:00Z a, 2026-01-01T00:00:00Z a, 2026-01-01T00:00:00.000001Z a}', 'a', 'a', pick => 'mean') AS third;
-- all of time is no interval, and its half is one
SELECT * FROM times_between('{-4713-11-24T00:00:00Z a, +294276-12-31T23:59:59Z b}', 'a', 'b');
SELECT time_between('{-4713-11-24T00:00:00Z a, +294276-12-31T23:59:59Z b}', 'a', 'b');
SELECT time_between('{-4713-11-24T00:00:00Z a, 2000-01-01T00:00:00Z a, +294276-12-31T23:59:59Z a}', 'a', 'a', pick => 'mean');
SELECT time_between('{-4713-11-24T00:00:00Z a, +294276-12-31T23:59:59Z b}', 'a', 'b', within => '100000000 days');

-- of many visitors
SELECT count(*) AS visitors, count(time_between(t, 'lead', 'call')) AS called, percentile_cont(0.5) WITHIN GROUP (ORDER BY time_between(t, 'lead', 'call')) AS median
FROM (VALUES (:'t'::timeline), ('{2026-01-01T00:00:00Z lead, 2026-01-01T01:30:00Z call}'), ('{2026-01-01T00:00:00Z lead}'), ('{}'), (NULL)) s(t);
SELECT i, (times_between(t, 'a', 'b')).seconds FROM (VALUES (1, '{2026-01-01T10:00:00Z a, 2026-01-01T10:00:07Z b}'::timeline), (2, '{}'), (3, NULL),
	(4, '{2026-01-01T10:00:00Z a, 2026-01-02T10:00:00Z b, 2026-01-02T10:00:00Z a}')) s(i, t);

-- nothing, and NULL
SELECT time_between('{}', 'a', 'b'), time_between(NULL, 'a', 'b'), time_between(:'t', NULL, 'call'), time_between(:'t', 'lead', NULL), time_between(:'t', 'call', 'never');
SELECT count(*) FROM times_between('{}', '*', '*');
SELECT count(*) FROM times_between(NULL, '*', '*');
SELECT count(*) FROM times_between(:'t', NULL, '*');
SELECT count(*) FROM times_between(:'t', '*', NULL);
SELECT count(*) AS defaults FROM times_between(:'t', 'lead', 'call', NULL, NULL);

-- arguments
SELECT time_between(:'t', 'lead', 'call', pick => 'median');
SELECT time_between(:'t', 'lead', 'call', pick => 'lastly');
SELECT time_between(:'t', 'lead', 'call', within => '1 month');
SELECT time_between(:'t', 'lead', 'call', longer_than => '-1 s');
SELECT * FROM times_between(:'t', 'lead', 'call', within => '-1 s');
SELECT * FROM times_between(:'t', 'lead', 'call', longer_than => '1 year');
SELECT time_between(:'t', 'lead|', 'call');
SELECT time_between(:'t', 'lead', '[a=1]');
