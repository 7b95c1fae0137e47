-- Journeys. The plain reading of the rules that this is held against is in test/t/046_journeys.pl.
\pset null NULL
SET timezone = 'UTC';
SET datestyle = ISO;
SET intervalstyle = postgres;

-- Day 1 view@email, day 2 purchase 10, and so on: short to write, easy to read. view@'' has an empty channel.
CREATE FUNCTION days(VARIADIC events text[]) RETURNS timeline LANGUAGE sql IMMUTABLE
RETURN (SELECT timeline(timestamptz '2025-12-31 00:00+00' + split_part(e, ' ', 1)::float8 * interval '1 day', split_part(split_part(e, ' ', 2), '@', 1),
	replace(nullif(split_part(split_part(e, ' ', 2), '@', 2), ''), '''''', ''), nullif(split_part(e, ' ', 3), '')::float8) FROM unnest(events) AS e);
CREATE FUNCTION day_numbers(times timestamptz[]) RETURNS text LANGUAGE sql IMMUTABLE
RETURN (SELECT string_agg(coalesce(round(extract(epoch FROM t - '2025-12-31 00:00+00') / 86400, 4)::float8::text, '-'), ' ' ORDER BY n) FROM unnest(times) WITH ORDINALITY AS u(t, n));

SELECT * FROM journeys('{2026-01-01T10:00:00Z view@email, 2026-01-01T10:05:00Z purchase =10, 2026-01-02T10:00:00Z view, 2026-01-03T10:00:00Z purchase@search =5, 2026-01-04T10:00:00Z purchase, 2026-01-05T10:00:00Z view@tv}', 'purchase');
SELECT journeys('{2026-01-01T10:00:00Z view@email}', 'purchase');
SELECT * FROM journeys('{}', 'purchase');
SELECT * FROM journeys(NULL, 'purchase');
SELECT i, (journeys(t, 'purchase')).path FROM (VALUES (1, days('1 view@a')), (2, NULL), (3, days('1 purchase')), (4, '{}'), (5, days('1 view@b', '2 purchase'))) v(i, t);

-- cut at each conversion, or reused by every conversion whose lookback they fall in
\set t 'days(''1 view@a'', ''2 view@b'', ''3 purchase 30'', ''4 view@c'', ''10 purchase 10'', ''11 purchase'', ''12 view@d'', ''20 view@e'')'
SELECT path, day_numbers(touched_at), day_numbers(ARRAY[converted_at]), value FROM journeys(:t, 'purchase');
SELECT path, day_numbers(touched_at), day_numbers(ARRAY[converted_at]), value FROM journeys(:t, 'purchase', reuse_touches => true);
-- a touch exactly as old as the lookback counts; a cut takes older ones away, too
SELECT path, day_numbers(ARRAY[converted_at]) FROM journeys(:t, 'purchase', '8 days', reuse_touches => true);
SELECT path, day_numbers(ARRAY[converted_at]) FROM journeys(:t, 'purchase', '6 days');
SELECT path, day_numbers(ARRAY[converted_at]) FROM journeys(:t, 'purchase', '5 days 23:59:59.999999');
SELECT path FROM journeys(days('1 view@a', '1 purchase'), 'purchase', '0');
-- only the first: then who converted leaves nothing over
SELECT path, value FROM journeys(:t, 'purchase', conversions => 'first');
SELECT path, value FROM journeys(:t, 'purchase', '1 day', conversions => 'first');
SELECT path, value FROM journeys(:t, 'refund', conversions => 'first');
-- what is left: within the lookback of its last touch, and old enough not to convert any more
SELECT path, day_numbers(touched_at) FROM journeys(:t, 'refund', '8 days');
SELECT path, day_numbers(touched_at) FROM journeys(:t, 'refund', '7 days 23:59:59.999999');
SELECT a, (journeys(:t, 'purchase', '8 days', as_of => a)).path FROM (VALUES (timestamptz '2026-01-27 23:59:59.999999Z'), ('2026-01-28 00:00Z'), ('infinity'), ('-infinity'), ('2026-01-03 12:00Z')) v(a);

-- a visit is one touch, by its first channel, at its first event that is no conversion
SELECT path, day_numbers(touched_at), day_numbers(ARRAY[converted_at]) FROM journeys(days('1 purchase', '1.01 view', '1.02 view@a', '1.03 view@b', '1.04 purchase', '5 view@c'), 'purchase');
SELECT path FROM journeys(days('1 purchase@a', '1.01 view@b', '1.02 purchase'), 'purchase');
-- in pieces: a shorter gap, another date, another channel
SELECT path FROM journeys(days('1 view@a', '1.01 view@b', '1.015 view', '2 purchase'), 'purchase', gap => '10 min');
SELECT path FROM journeys(days('1.99 view@a', '2.005 view@b', '3 purchase'), 'purchase');
SELECT path FROM journeys(days('1.99 view@a', '2.005 view@b', '3 purchase'), 'purchase', time_zone => 'UTC');
SELECT path FROM journeys(days('1.99 view@a', '2.005 view@b', '3 purchase'), 'purchase', time_zone => 'Europe/Oslo');
SELECT path FROM journeys(days('1 view@a', '1.01 view', '1.015 view@b', '2 purchase'), 'purchase', split_channel => true);
-- no channel and an empty one are none; (direct) is one like any other
SELECT events(days('2 view@'''''));
SELECT path FROM journeys(days('1 view', '1.01 view@''''', '1.02 view@a', '2 view@''''', '3 view', '4 view@(direct)', '4.01 view@a', '5 purchase'), 'purchase');

-- each event that matches a pattern
SELECT path, day_numbers(touched_at) FROM journeys(days('1 view@a', '1.001 view@b', '1.002 click', '1.003 purchase@c', '1.004 click@d'), 'purchase', touch => 'view|click');
SELECT path FROM journeys(days('1 view@a', '1.001 purchase@b', '1.002 purchase@c'), 'purchase', touch => '*', reuse_touches => true);
-- equal times count, in whatever order events of one instant are kept
SELECT path, day_numbers(ARRAY[converted_at]) FROM journeys(days('1 a@x', '1 purchase', '1 view@y', '1 purchase 5', '1 zoom@z'), 'purchase', touch => '*');
SELECT path, day_numbers(ARRAY[converted_at]) FROM journeys(days('1 purchase', '1 view@y'), 'purchase');

-- by a property
\set p '{2026-01-01T10:00:00Z view@x {"campaign": "spring"}, 2026-01-02T10:00:00Z view@x {"campaign": "a \\"b\\"", "n": 1}, 2026-01-03T10:00:00Z view@x {"campaign": null}, 2026-01-04T10:00:00Z view {"campaign": 7}, 2026-01-05T10:00:00Z view@x {"campaign": "a \\"b\\"", "n": 2}, 2026-01-06T10:00:00Z view@x {"campaign": ""}, 2026-01-07T10:00:00Z purchase@y {"campaign": "own"}}'
SELECT path FROM journeys(:'p', 'purchase', touch_by => 'campaign');
SELECT path FROM journeys(:'p', 'purchase', touch_by => 'campaign', collapse => 'first', ignore => '{spring}');
SELECT path FROM journeys(:'p', 'purchase', touch_by => 'nothing', collapse => 'consecutive');

-- payment pages neither split visits nor take credit
\set pay 'days(''1 view@a'', ''1.03 back@paypal'', ''1.05 view@b'', ''1.06 purchase@paypal'', ''2 back@paypal'', ''2.01 view@c'', ''3 purchase'')'
SELECT path, day_numbers(touched_at), day_numbers(ARRAY[converted_at]) FROM journeys(:pay, 'purchase');
SELECT path, day_numbers(touched_at), day_numbers(ARRAY[converted_at]) FROM journeys(:pay, 'purchase', ignore => '{paypal}');
SELECT path, day_numbers(touched_at), day_numbers(ARRAY[converted_at]) FROM journeys(:pay, 'purchase', ignore => '{klarna,paypal,a}', touch => '*');
SELECT path FROM journeys(days('1.99 view@a', '2.005 back@paypal', '2.01 view@b', '3 purchase'), 'purchase', ignore => '{paypal}', time_zone => 'UTC', split_channel => true);
SELECT path FROM journeys(days('1.99 view', '2.005 back@paypal', '2.01 view@b', '3 purchase'), 'purchase', ignore => '{paypal}', time_zone => 'UTC', split_channel => true);
-- within the gap they prolong a visit, after a longer one they are passed over, as they are before the first visit
SELECT path, touched_at FROM journeys('{2026-01-01T10:00:00Z view@email, 2026-02-20T10:00:00Z return@paypal, 2026-02-20T10:05:00Z view@ads, 2026-02-20T10:06:00Z purchase}', 'purchase', ignore => '{paypal}');
SELECT path FROM journeys('{2026-01-01T10:00:00Z view@a, 2026-01-01T10:30:00Z back@paypal, 2026-01-01T11:00:00Z view@b, 2026-01-02T10:00:00Z purchase}', 'purchase', ignore => '{paypal}');
SELECT path FROM journeys('{2026-01-01T10:00:00Z view@a, 2026-01-01T10:30:00.000001Z back@paypal, 2026-01-01T11:00:00Z view@b, 2026-01-02T10:00:00Z purchase}', 'purchase', ignore => '{paypal}');
SELECT path FROM journeys('{-4713-11-24T00:00:00Z view@a, +294276-12-31T23:00:00Z back@paypal, +294276-12-31T23:20:00Z view@b, +294276-12-31T23:59:59Z purchase}', 'purchase', '2147483647 days', ignore => '{paypal}');
SELECT path, day_numbers(touched_at) FROM journeys(days('1 back@paypal', '1.01 view', '1.02 view@a', '2 purchase'), 'purchase', ignore => '{paypal}', split_channel => true);
-- no touch is at one, nor a visit of such and conversions a touch at all
SELECT path, day_numbers(touched_at) FROM journeys(days('1 purchase@a', '1.01 back@paypal', '1.02 view', '2 purchase'), 'purchase', ignore => '{paypal}');
SELECT path, day_numbers(ARRAY[converted_at]) FROM journeys(days('1 view@a', '2 purchase@b', '2.01 back@paypal', '3 purchase', '4 back@paypal'), 'purchase', ignore => '{paypal}');
SELECT path, day_numbers(ARRAY[converted_at]) FROM journeys(days('1 back@paypal', '2 purchase@paypal'), 'purchase', ignore => '{paypal}');
SELECT count(*) FROM journeys(days('1 back@paypal', '1.01 back@paypal'), 'purchase', ignore => '{paypal}');

-- points: goals get credit, too; a conversion that is no goal has its own value
\set g 'days(''1 view@a'', ''2 signup@b 1'', ''3 view@c'', ''4 purchase@email 50'', ''5 view@d'', ''6 demo 7'')'
SELECT path, day_numbers(ARRAY[converted_at]), value FROM journeys(:g, 'purchase');
SELECT path, day_numbers(ARRAY[converted_at]), value FROM journeys(:g, 'demo', points => '{"signup": 20, "purchase": 100, "purchase@email": 150.5}');
SELECT path, day_numbers(ARRAY[converted_at]), value FROM journeys(:g, 'view|purchase', points => '{"purchase": 100}', reuse_touches => true, touch => 'signup');
SELECT path, day_numbers(ARRAY[converted_at]), value FROM journeys(:g, NULL, points => '{"signup": 20}');
SELECT path, day_numbers(ARRAY[converted_at]), value FROM journeys(:g, NULL, points => '{}');
SELECT * FROM journeys(:g, NULL, points => '{"signup|a": 20, "signup|b": 100}');

-- repeats, after the lookback
\set r 'days(''1 view@a'', ''2 view@b'', ''3 view@b'', ''4 view@a'', ''5 view@b'', ''6 purchase'', ''7 view@b'', ''8 view@b'', ''9 purchase'')'
SELECT c, path, day_numbers(touched_at) FROM (VALUES (1, 'none'), (2, 'consecutive'), (3, 'first')) v(n, c), journeys(:r, 'purchase', collapse => c) ORDER BY n;
SELECT c, path, day_numbers(touched_at) FROM (VALUES (1, 'none'), (2, 'consecutive'), (3, 'first')) v(n, c), journeys(:r, 'purchase', '6 days', reuse_touches => true, collapse => c) ORDER BY n;
SELECT c, path, day_numbers(touched_at) FROM (VALUES (1, 'none'), (2, 'consecutive'), (3, 'first')) v(n, c), journeys(:r, 'refund', '5 days', collapse => c) ORDER BY n;

-- times that no 64-bit difference can hold
SELECT l, j.path FROM (VALUES (interval '106751991 days'), ('107751991 days'), ('2147483647 days')) v(l),
	journeys('{-4713-11-24T00:00:00Z view@a, +294276-12-31T23:59:59Z purchase}', 'purchase', l) j;
SELECT l, path, touched_at FROM (VALUES (interval '106751991 days'), ('2147483647 days')) v(l),
	journeys('{-4713-11-24T00:00:00Z view@a, +294276-12-31T23:59:59Z view@b}', 'purchase', l) j;
SELECT count(*) FROM journeys('{-4713-11-24T00:00:00Z view@a}', 'purchase', '2147483647 days', as_of => '294276-12-31 23:59:59Z');
SELECT count(*) FROM journeys('{-4713-11-24T00:00:00Z view@a}', 'purchase', '106751991 days', as_of => '294276-12-31 23:59:59Z');

-- many labels, and a timeline with few after it
SELECT n, cardinality(path) AS length, path[1:2], path[cardinality(path)] AS last, (SELECT count(DISTINCT e) FROM unnest(path) e)
FROM (SELECT n, journeys(t, 'purchase', touch => 'view', collapse => 'first') AS j
	FROM (VALUES (1, days('1 view@a', '2 purchase')),
		(2, (SELECT timeline('2026-01-01Z'::timestamptz + i * interval '1 min', CASE WHEN i < 3000 THEN 'view' ELSE 'purchase' END, 'c' || i % 777) FROM generate_series(1, 3000) i)),
		(3, days('1 view@a', '2 purchase'))) v(n, t)) s, LATERAL (SELECT (j).path) p;

-- mistakes: those of the options are in journey_rule.sql
SELECT journeys(:t, NULL);
SELECT * FROM journeys(:t, 'purchase', collapse => 'last');
SELECT * FROM journeys(:t, 'purchase', conversions => 'each');

-- the planner knows that there are few
SELECT prorows, provolatile, proparallel, proisstrict FROM pg_proc WHERE proname = 'journeys';
DROP FUNCTION days, day_numbers;
