--
-- The aggregate window_funnel: ClickHouse's windowFunnel
--
-- Each visitor's events are one letter a minute, in brackets those of one minute.
CREATE FUNCTION minutes(events text) RETURNS TABLE (at timestamptz, e text)
LANGUAGE sql IMMUTABLE AS $$
	SELECT timestamptz '2026-01-05 12:00Z' + minute * interval '1 min', letter
	FROM regexp_matches(events, '\[[^]]*\]|[^ ]', 'g') WITH ORDINALITY m(part, minute),
		regexp_split_to_table(translate(part[1], '[]', ''), '') letter
$$;
CREATE FUNCTION abcd(events text, mode text, within interval DEFAULT NULL) RETURNS integer
LANGUAGE sql IMMUTABLE AS $$
	SELECT window_funnel(within, mode, at, e = 'a', e = 'b', e = 'c', e = 'd' ORDER BY random()) FROM minutes(events)
$$;

-- other events may come between, and a chain may start again
SELECT events, abcd(events, NULL) FROM unnest(ARRAY['', 'x', 'b c d', 'a', 'a c d', 'a b d', 'a x b y c z d', 'b a d c b', 'a b c a b c', '[dcba]']) events;
-- the window is inclusive, and goes from the first step to the last
SELECT within, abcd('a b x c d', NULL, within) FROM unnest(ARRAY['0', '59.999999 s', '1 min', '2 min', '3 min', '3.999999 min', '4 min', '1 day', NULL]::interval[]) within;
SELECT abcd('a b a x b c d', NULL, '3 min') AS later_start, abcd('a a a b c c d', NULL, '3 min') AS first_start_too_early;

-- ClickHouse's modes
SELECT events, abcd(events, '') AS none, abcd(events, 'strict_deduplication') AS deduplication, abcd(events, 'strict_order') AS in_order,
	abcd(events, 'strict_order, allow_reentry') AS reentry, abcd(events, 'strict_increase') AS increase, abcd(events, 'strict_once') AS once
FROM unnest(ARRAY['a b c d', 'a a b c d', 'a b b c d', 'a b a c d', 'a b c b d', 'a x b c d', 'x a b c d', 'b a b c d', 'a x a b c', 'a b a c', 'a c b c d',
	'[ab] [cd]', '[abcd]', 'a [ax] b', 'a [ab] [bc] [cd]', '[aab] c d']) events;
-- one row serves several steps, but under strict_once
CREATE TEMP TABLE several AS SELECT visitor, timestamptz '2026-01-05 12:00Z' + second * interval '1 s' AS at, steps
FROM (VALUES ('one row', 1, 7), ('two rows', 1, 3), ('two rows', 1, 6), ('three rows', 1, 7), ('three rows', 1, 7), ('three rows', 1, 7),
	('swapped', 1, 6), ('swapped', 1, 3), ('swapped', 1, 2), ('in time', 1, 7), ('in time', 2, 6), ('in time', 3, 4)) s(visitor, second, steps);
SELECT visitor, window_funnel('1 h', NULL, at, VARIADIC conditions) AS none, window_funnel('1 h', 'strict_once', at, VARIADIC conditions) AS once,
	window_funnel('1 h', 'strict_increase', at, VARIADIC conditions) AS increase,
	window_funnel('1 h', 'strict_once,strict_increase', at, VARIADIC conditions) AS once_increase,
	window_funnel('1 h', 'strict_once,strict_deduplication', at, VARIADIC conditions) AS once_deduplication
FROM several, LATERAL (SELECT ARRAY[steps & 1 > 0, steps & 2 > 0, steps & 4 > 0] AS conditions) s GROUP BY visitor ORDER BY visitor;
-- ClickHouse finds one step here: the later a hides the earlier one
SELECT abcd('a [ab]', 'strict_increase') AS increase, abcd('a [ab] [bc]', 'strict_increase') AS more;
-- modes in any order, with blanks, or none
SELECT mode, abcd('a c b x d', mode) FROM unnest(ARRAY[NULL, '', '  ', 'allow_reentry,strict_order', E' strict_order ,\tallow_reentry,strict_order\n']) mode;

-- NULL: a row without a time is skipped, a condition that is NULL is false
SELECT window_funnel('1 h', NULL, at, VARIADIC conditions)
FROM (VALUES ('2026-01-05 12:00Z'::timestamptz, ARRAY[true, NULL, NULL, NULL]), (NULL, ARRAY[NULL, true, true, true]), ('2026-01-05 12:01Z', ARRAY[NULL, NULL, NULL, NULL]::boolean[]),
	('2026-01-05 12:02Z', ARRAY[NULL, true, NULL, false]), (NULL, ARRAY[NULL, NULL, true, true])) s(at, conditions);
SELECT window_funnel('1 h', 'strict_order', NULL, true, true) AS no_times, window_funnel('1 h', 'strict_order', now(), false, NULL) AS no_step,
	window_funnel('1 h', NULL, now(), true) FILTER (WHERE false) AS no_rows, window_funnel(NULL, NULL, now(), true, NULL, true) AS no_limit;
SELECT window_funnel('1 h', NULL, now(), true) FROM several WHERE false;

-- as many conditions as there may be, of every width, and the ends of time
SELECT n, window_funnel(NULL, mode, at, VARIADIC conditions) AS whole, window_funnel('19 min', mode, at, VARIADIC conditions) AS part
FROM unnest(ARRAY[1, 2, 7, 8, 9, 16, 17, 31, 32, 33, 63, 64]) n, unnest(ARRAY['strict_once', 'strict_order,strict_deduplication']) mode,
	LATERAL (SELECT now() + i * interval '1 min' AS at, ARRAY(SELECT j = i FROM generate_series(1, n) j) AS conditions FROM generate_series(1, n) i ORDER BY random()) s
GROUP BY n, mode ORDER BY n, mode COLLATE "C";
SELECT within, window_funnel(within, NULL, at, at < '0001-01-01', at > '0001-01-01')
FROM (VALUES ('4713-01-01 00:00Z BC'::timestamptz), ('294276-12-31 23:59:59.999999Z')) s(at),
	unnest(ARRAY['0', '106751991 days', '109203489 days', '2147483647 days', NULL]::interval[]) within GROUP BY within ORDER BY within;

-- windows: the state grows on after each result
SELECT at::time, e, window_funnel('2 min', NULL, at, e = 'a', e = 'b', e = 'c') OVER w AS so_far,
	window_funnel('2 min', 'strict_once', at, e = 'a', e = 'b', e = 'c') OVER (w ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS last_three
FROM minutes('a b x a b c [abc]') WINDOW w AS (ORDER BY at, e);

-- many rows of one instant and of many, with many conditions: time stays in proportion
SELECT mode, window_funnel('1 h', mode, at, VARIADIC conditions)
FROM unnest(ARRAY['strict_once', 'strict_once,strict_order', 'strict_once,strict_deduplication', 'strict_deduplication', 'strict_increase', '']) mode,
	LATERAL (SELECT timestamptz '2026-01-05Z' + i / 5000 * interval '1 s' AS at, ARRAY(SELECT (i * j + i / 7) % 5 = 0 AND j <= 40 FROM generate_series(1, 44) j) AS conditions
		FROM generate_series(1, 10000) i) s
GROUP BY mode ORDER BY mode COLLATE "C";

-- what is refused
\set SHOW_CONTEXT never
SELECT abcd('a', 'strict');
SELECT abcd('a', 'Strict_Order');
SELECT abcd('a', 'strict_order,');
SELECT abcd('a', 'strict_order strict_once');
SELECT abcd('a', 'allow_reentry, strict_once');
SELECT abcd('a', NULL, '1 month');
SELECT abcd('a', NULL, '-1 s');
SELECT window_funnel('1 h', 'none', NULL, true);
SELECT window_funnel('1 h', NULL, 'infinity', true);
SELECT window_funnel('1 h', NULL, '-infinity', false);
SELECT window_funnel('1 h', NULL, now(), VARIADIC '{}'::boolean[]);
SELECT window_funnel('1 h', NULL, now(), VARIADIC array_fill(true, ARRAY[65]));
SELECT window_funnel('1 h', NULL, now(), VARIADIC ARRAY[ARRAY[true, false], ARRAY[false, true]]);
SELECT window_funnel('1 h', NULL, now(), VARIADIC NULL::boolean[]);
SELECT window_funnel(within, NULL, now(), true) FROM (VALUES ('1 h'::interval), ('61 min')) s(within);
SELECT window_funnel(within, NULL, now(), true) FROM (VALUES ('1 day'::interval), (NULL)) s(within);
SELECT window_funnel('1 h', mode, now(), true) FROM (VALUES ('strict_order,strict_once'), ('strict_once')) s(mode);
SELECT window_funnel('1 h', NULL, now(), VARIADIC conditions) FROM (VALUES (ARRAY[true, false]), (ARRAY[true])) s(conditions);
-- the same in other words, and rows that say nothing, are not
SELECT window_funnel(within, mode, now(), true, true) FROM (VALUES ('1 day'::interval, 'strict_order,strict_once'), ('24 h', ' strict_once, strict_order')) s(within, mode);
SELECT window_funnel(within, NULL, at, condition) FROM (VALUES ('1 h'::interval, now(), true), ('2 h', now(), false), ('3 h', NULL, true)) s(within, at, condition);

DROP FUNCTION abcd, minutes;
