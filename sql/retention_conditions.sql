-- retention(conditions...): the aggregate on plain rows, as ClickHouse has it.
-- What ClickHouse 26.7.2 (chdb 3.4.0) answers is noted where it was asked; its 1 and 0 are t and f here.
CREATE TABLE row_of_day (visitor int, day int, extra boolean);
INSERT INTO row_of_day VALUES (1, 1, NULL), (1, 3, NULL), (2, 2, true), (2, 3, false), (3, 3, NULL), (3, 2, NULL), (3, 1, true), (4, 1, NULL), (5, NULL, NULL), (5, 1, NULL);

-- ClickHouse: [1,0,1] for days 1 and 3, [0,0,0] for 2 and 3, [1,1,1] for 3, 2 and 1
SELECT visitor, retention(day = 1, day = 2, day = 3) AS days, retention(day > 0, day = 1, day = 1) AS same_row, retention(day = 1) AS one, retention(extra, day = 3, NOT extra) AS extra
FROM row_of_day GROUP BY visitor ORDER BY visitor;
-- no rows: NULL, as the number of conditions is not known; ClickHouse: [0,0]
SELECT retention(day = 1, day = 2) FROM row_of_day WHERE false;
-- A NULL is false. ClickHouse skips a row with a NULL among its conditions: [0,0]; with ifNull(..., 0), [1,1]
SELECT retention(x = 1, y = 1) FROM (VALUES (NULL, 1), (1, NULL)) AS v (x, y);
SELECT retention(NULL, NULL);
-- from one condition to 32; ClickHouse from two
SELECT retention(VARIADIC array_fill(true, ARRAY[n])) FROM unnest(ARRAY[1, 2, 31, 32]) AS n GROUP BY n ORDER BY n;
SELECT retention(VARIADIC ARRAY(SELECT i IN (1, n) FROM generate_series(1, 32) AS i ORDER BY i)) FROM generate_series(2, 32, 15) AS n GROUP BY n ORDER BY n;
SELECT retention(VARIADIC ARRAY(SELECT i = n FROM generate_series(1, 32) AS i ORDER BY i)) FROM generate_series(1, 32) AS n;
SELECT retention(VARIADIC ARRAY(SELECT i = n FROM generate_series(1, 32) AS i ORDER BY i)) FROM generate_series(2, 32) AS n;
-- as an array: a NULL one is skipped
SELECT retention(VARIADIC c) FROM (VALUES ('{t,f,f}'::boolean[]), (NULL), ('{f,f,t}'), ('[0:2]={f,NULL,f}')) AS v (c);
SELECT retention(VARIADIC c) FROM (VALUES (NULL::boolean[])) AS v (c);
-- FILTER, DISTINCT, windows
SELECT retention(day = 1, day = 2) FILTER (WHERE visitor <> 3) AS without, retention(DISTINCT day = 1, day = 2) AS distinct FROM row_of_day;
SELECT visitor, day, retention(day = 1, day = 3) OVER (PARTITION BY visitor ORDER BY day DESC NULLS FIRST) AS so_far FROM row_of_day ORDER BY visitor, day DESC NULLS FIRST;

-- Errors.
SELECT retention(VARIADIC array_fill(true, ARRAY[33]));
SELECT retention(VARIADIC '{}'::boolean[]);
SELECT retention(VARIADIC '{{t,f},{f,t}}'::boolean[]);
SELECT retention(VARIADIC c) FROM (VALUES ('{t,f}'::boolean[]), ('{t,f,f}')) AS v (c);

-- The functions inside take no state that is none.
SELECT retention_conditions_accum(NULL, '{t,f,t}') AS one, retention_conditions_accum(NULL, NULL) AS none,
	retention_conditions_final(retention_conditions_combine(retention_conditions_accum(NULL, '{t,f,f}'), retention_conditions_accum(NULL, '{f,f,t}'))) AS combined;
SELECT retention_conditions_accum(0, '{t}');
SELECT retention_conditions_final(-1);
SELECT retention_conditions_final(33::int8 << 32);
SELECT retention_conditions_final((2::int8 << 32) + 4);
SELECT retention_conditions_final((1::int8 << 40) + (2::int8 << 32));
SELECT retention_conditions_combine(2::int8 << 32, 3::int8 << 32);
SELECT retention_conditions_combine(2::int8 << 32, 9223372036854775807);

DROP TABLE row_of_day;
