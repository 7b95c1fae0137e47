-- How far a visitor got. The exhaustive search that this is held against is in test/t/040_funnel_search.pl.
\pset null NULL
SET timezone = 'UTC';
SET datestyle = ISO;

-- Day 1 a, day 2 b, and so on: short to write, easy to read.
CREATE FUNCTION days(VARIADIC events text[]) RETURNS timeline LANGUAGE sql IMMUTABLE
RETURN (SELECT timeline(timestamptz '2025-12-31 00:00+00' + split_part(e, ' ', 1)::float8 * interval '1 day', split_part(e, ' ', 2),
	nullif(split_part(e, ' ', 3), '')) FROM unnest(events) AS e);
CREATE FUNCTION day_numbers(times timestamptz[]) RETURNS text LANGUAGE sql IMMUTABLE
RETURN (SELECT string_agg(coalesce(round(extract(epoch FROM t - '2025-12-31 00:00+00') / 86400, 2)::float8::text, '-'), ' ' ORDER BY n) FROM unnest(times) WITH ORDINALITY AS u(t, n));

SELECT funnel('{2026-01-01T08:00:00Z view, 2026-01-01T08:05:00Z cart, 2026-01-02T20:00:00Z buy}', '{view,cart,buy}');
SELECT funnel_level(days('1 view', '2 cart', '3 buy'), '{view,cart,buy}'), funnel_level(days('1 view', '2 buy'), '{view,cart,buy}'),
	funnel_level(days('1 cart', '2 buy'), '{view,cart,buy}'), funnel_level('{}', '{view}'), funnel_level(NULL, '{view}');
SELECT funnel('{}', '{view,buy}'), funnel(NULL, '{view,buy}'), funnel(days('1 view'), NULL);

-- the window counts from the first step, both ends included; a later start may help, an early one may too
SELECT funnel_level(days('1 a', '2 b', '8 c'), '{a,b,c}', '7 days'), funnel_level(days('1 a', '2 b', '8.001 c'), '{a,b,c}', '7 days'),
	day_numbers(funnel(days('1 a', '3 a', '4 b', '9 c'), '{a,b,c}', '7 days')),
	day_numbers(funnel(days('1 a', '2 b', '5 a', '9 c'), '{a,b,c}', '7 days')),
	day_numbers(funnel(days('1 a', '2 b', '5 a', '9 c'), '{a,b,c}', '8 days')),
	day_numbers(funnel(days('1 a', '2 a', '3 b', '4 b'), '{a,b}'));
-- a window and times that no 64-bit difference can hold
SELECT funnel_level(timeline(t, e), '{a,b}', '106751991 days') AS wide, funnel_level(timeline(t, e), '{a,b}', '2147483647 days') AS wider, funnel_level(timeline(t, e), '{a,b}') AS open
FROM (VALUES (timestamptz '4713-01-01 00:00+00 BC', 'a'), ('294276-01-01 00:00+00', 'b')) AS v(t, e);

-- step_within: one for all gaps, or one each; NULL has no limit
SELECT funnel_level(days('1 a', '3 b', '5 c'), '{a,b,c}', step_within => '{2 days}'), funnel_level(days('1 a', '3 b', '5.1 c'), '{a,b,c}', step_within => '{2 days}'),
	funnel_level(days('1 a', '2 b', '5 c'), '{a,b,c}', step_within => '{1 day,3 days}'), funnel_level(days('1 a', '2 b', '5 c'), '{a,b,c}', step_within => '{1 day,2 days}'),
	funnel_level(days('1 a', '2 b', '50 c'), '{a,b,c}', step_within => '{1 day,NULL}');

-- an event serves one step, unless asked otherwise; events at one instant may come in any order
SELECT funnel_level(days('1 a'), '{a,a}') AS once, funnel_level(days('1 a'), '{a,a}', once => false) AS more,
	funnel_level(days('1 a', '1 a'), '{a,a}') AS two, funnel_level(days('1 c', '1 b', '1 a'), '{c,b,a}') AS instant,
	funnel_level(days('1 c', '1 b', '1 a'), '{c,b,a}', strictly_increasing => true) AS strictly;
-- b must be left for the second step
SELECT funnel_level(days('1 a', '1 b'), '{a|b,b}'), funnel_level(days('1 b', '1 a'), '{a|b,a}'), funnel_level(days('1 b', '1 c', '1 c'), '{b|c,b,*}');
-- one (first, last) pair a level loses the chain that starts on day 1 (ClickHouse issue 52844)
SELECT day_numbers(funnel(days('1 a', '2 a', '2 b', '3 c'), '{a,b,c}', strictly_increasing => true));

-- modes
SELECT m AS mode, funnel_level(days('1 a', '2 x', '3 b', '4 c'), '{a,b,c}', mode => m) AS "a x b c", funnel_level(days('1 c', '2 b', '3 a'), '{a,b,c}', '2 days', mode => m) AS "c b a",
	funnel_level(days('1 a', '2 x', '3 a', '4 b', '5 c'), '{a,b,c}', mode => m) AS "a x a b c", funnel_level(days('1 a', '2 b', '2 x', '2 c', '3 d'), '{a,b,c,d}', mode => m) AS "a b=x=c d"
FROM unnest('{ordered,any,unordered,contiguous,strict,exact_order}'::text[]) AS m;
SELECT day_numbers(funnel(days('1 c', '2 b', '3 a', '9 b'), '{a,b,c}', '2 days', mode => 'any')), funnel_level(days('1 a', '2 c'), '{a,b,c}', mode => 'any') AS "a prefix";
SELECT funnel_level(keep(days('1 a', '2 x', '3 b', '4 c'), 'a|b|c'), '{a,b,c}', mode => 'contiguous');

-- exclusions break a chain between two steps, not at their instants
SELECT funnel_level(days('1 a', '2 x', '3 b'), '{a,b}', exclude => '{x}'), funnel_level(days('1 a', '1 x', '3 b', '3 x'), '{a,b}', exclude => '{x}'),
	funnel_level(days('1 a', '2 x', '2.5 a', '3 b'), '{a,b}', exclude => '{x}'),
	funnel_level(days('1 a', '2 x', '3 b', '4 c'), '{a,b,c}', exclude => '{x}', exclude_after => '{2}'),
	funnel_level(days('1 a', '2 b', '3 x', '4 c'), '{a,b,c}', exclude => '{x}', exclude_after => '{2}'),
	funnel_level(days('1 a', '2 x', '3 b', '4 c'), '{a,b,c}', exclude => '{x}', exclude_after => '{NULL}'),
	funnel_level(days('1 a', '2 b'), '{a,b}', exclude => '{}');

-- optional steps; where gaps differ, at level c the chain of day 4 has more of the window left, that of day 1 more of the gap
SELECT day_numbers(funnel(days('1 a', '2 b', '3 c'), '{a,b,c}', optional => '{2}')), day_numbers(funnel(days('1 a', '3 c'), '{a,b,c}', optional => '{2}')),
	day_numbers(funnel(days('1 a', '2 b'), '{a,b,c}', optional => '{2}')), funnel_level(days('1 a', '3 d'), '{a,b,c,d}', optional => '{2}');
SELECT day_numbers(funnel(days('1 a', '2 b', '4 a', '5 c', '6 c', '6.4 d'), '{a,b,c,d}', '5 days', step_within => '{1 day,9 days,36 h}', optional => '{2}')),
	day_numbers(funnel(days('1 a', '2 b', '4 a', '5 c', '6 c', '7.2 d'), '{a,b,c,d}', '9 days', step_within => '{1 day,9 days,36 h}', optional => '{2}'));

-- hold: events of different products do not make a chain, and those without one none at all
SELECT funnel_level(t, '{view,buy}') AS free, funnel_level(t, '{view,buy}', hold => 'product') AS product, funnel_level(t, '{view,view,buy}', hold => 'channel') AS channel
FROM (VALUES (timeline '{2026-01-01T00:00:00Z view@web{"product": 1}, 2026-01-02T00:00:00Z view@web{"product": 2}, 2026-01-03T00:00:00Z buy@web{"product": "1"}}'),
	('{2026-01-01T00:00:00Z view@web{"product": 1}, 2026-01-02T00:00:00Z view@shop{"product": 2}, 2026-01-03T00:00:00Z buy@web{"product": 3}}'),
	('{2026-01-01T00:00:00Z view, 2026-01-03T00:00:00Z buy}')) AS v(t);

-- entered: the first step alone
SELECT r AS entered, day_numbers(funnel(days('1 a', '2 a', '3 a', '9 b'), '{a,b}', entered => r::tstzrange)) AS ordered,
	day_numbers(funnel(days('1 b', '2 a', '3 a', '9 b'), '{a,b}', mode => 'any', entered => r::tstzrange)) AS "any"
FROM unnest('{"[2026-01-01,2026-01-03)","[2026-01-01,2026-01-02)","(2026-01-01,2026-01-02]",empty,"(,)","[2026-01-04,)","[-infinity,infinity]"}'::text[]) AS r;

-- breakdown by the entry of the chain that is reported: the one of day 2, which buys within the window
SELECT funnel_entry(days('1 a phone', '2 a desktop', '4 b desktop'), '{a,b}', 'channel', '2 days'), funnel_entry(days('1 a phone', '9 b desktop'), '{a,b}', 'channel'),
	funnel_entry(days('1 a', '2 b web'), '{a,b}', 'channel'), funnel_entry(days('1 b web'), '{a,b}', 'channel'), funnel_entry(days('1 a web'), '{a,b}', 'no such'),
	funnel_entry('{2026-01-01T00:00:00Z a{"device": "p\"h", "n": [1, 2]}}', '{a}', 'device'), funnel_entry('{2026-01-01T00:00:00Z a{"device": "p", "n": [1, 2]}}', '{a}', 'n');

-- dropoffs
SELECT * FROM funnel_dropoffs(days('1 a', '2 b', '3 x', '4 y'), '{a,b,c}');
SELECT * FROM funnel_dropoffs(days('1 a', '2 b'), '{a,b,c}');
SELECT * FROM funnel_dropoffs(days('1 a', '2 b', '3 c'), '{a,b,c}');
SELECT d.* FROM unnest(ARRAY['2026-01-03', '2026-01-08', '2026-01-08 00:00:00.000001', 'infinity', NULL]::timestamptz[]) AS a,
	funnel_dropoffs(days('1 a', '2 b', '3 x'), '{a,b,c}', '7 days', as_of => a) AS d;
SELECT (funnel_dropoffs(t, '{a,b}')).* FROM (VALUES (days('1 a')), (NULL), ('{}'), (days('1 a', '2 b')), (days('5 a', '7 z'))) AS v(t);

-- a prepared statement, and PL/pgSQL, whose parameters change while the call site stays
PREPARE level(text[], interval) AS SELECT funnel_level(days('1 a', '2 b', '9 c'), $1, $2);
SET plan_cache_mode = force_generic_plan;
EXECUTE level('{a,b,c}', NULL); EXECUTE level('{a,b,c}', '2 days'); EXECUTE level('{b,c}', '7 days'); EXECUTE level(NULL, NULL);
RESET plan_cache_mode;
DO $$
DECLARE
	answers text := '';
	steps text[];
BEGIN
	FOREACH steps SLICE 1 IN ARRAY '{{a,b},{b,a},{b,c}}'::text[] LOOP
		answers := answers || ' ' || funnel_level(days('1 a', '2 b', '9 c'), steps);
	END LOOP;
	RAISE NOTICE '%', answers;
END $$;
SELECT funnel_level(days('1 a', '2 b', '9 c'), s, w, optional => o) FROM (VALUES ('{a,b,c}'::text[], interval '9 days', '{2}'::int[]), ('{a,b,c}', '1 day', '{}'), ('{a,x,c}', NULL, '{2}'), ('{a,x,c}', NULL, NULL)) AS v(s, w, o);

-- what is wrong is said
SELECT funnel('{}', '{}');
SELECT funnel('{}', '{a,NULL}');
SELECT funnel('{}', '{{a,b},{c,d}}');
SELECT funnel('{}', array_fill('a'::text, '{65}'));
SELECT funnel_level(days('1 a'), array_fill('a'::text, '{64}'), once => false);
SELECT funnel('{}', '{a,"b,c"}');
SELECT funnel('{}', '{a,b}', '1 month');
SELECT funnel('{}', '{a,b}', '-1 day');
SELECT funnel('{}', '{a,b}', step_within => '{1 day,1 day}');
SELECT funnel('{}', '{a,b,c}', step_within => '{}');
SELECT funnel('{}', '{a}', step_within => '{}');
SELECT funnel('{}', '{a,b}', step_within => '{-1 s}');
SELECT funnel('{}', '{a}', step_within => '{1 month}');
SELECT funnel('{}', '{a,b}', mode => 'Ordered');
SELECT funnel('{}', '{a,b}', exclude => '{x,NULL}');
SELECT funnel('{}', '{a,b}', exclude => '{x}', exclude_after => '{2}');
SELECT funnel('{}', '{a,b}', exclude => '{x}', exclude_after => '{0}');
SELECT funnel('{}', '{a,b}', exclude => '{x}', exclude_after => '{1,1}');
SELECT funnel('{}', '{a}', exclude => '{x}', exclude_after => '{1}');
SELECT funnel('{}', '{a,b}', exclude_after => '{1}');
SELECT funnel('{}', '{a,b,c}', optional => '{1}');
SELECT funnel('{}', '{a,b,c}', optional => '{3}');
SELECT funnel('{}', '{a,b}', optional => '{2}');
SELECT funnel('{}', '{a,b,c}', optional => '{NULL}');
SELECT funnel('{}', '{a,b}', mode => 'any', step_within => '{1 day}');
SELECT funnel('{}', '{a,b}', mode => 'any', exclude => '{x}');
SELECT funnel('{}', '{a,b,c}', mode => 'unordered', optional => '{2}');
SELECT funnel('{}', '{a,b}', mode => 'any', strictly_increasing => true);
SELECT * FROM funnel_dropoffs(days('1 a'), '{a,b}', as_of => '2026-02-01');
SELECT * FROM funnel_dropoffs(days('1 a'), '{a,b}', '2000000000 days', as_of => '2026-02-01');

DROP FUNCTION days, day_numbers;
