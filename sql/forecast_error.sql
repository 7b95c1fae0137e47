--
-- forecast_error and naive_purchases
--
CREATE TABLE customer AS SELECT i AS visitor, i % 4 AS frequency, (hashint4(i) & 1023) / 512.0::float8 AS expected, (hashint4(-i) & 3)::int AS actual FROM generate_series(1, 3000) i;
SELECT (forecast_error(expected, actual)).* FROM (VALUES (1.5::float8, 2), (0.25, 0), (3, 1), (NULL, 1), (1, NULL)) v(expected, actual);
SELECT (forecast_error(expected, actual)).* FROM customer WHERE false;
SELECT (forecast_error(NULL, 1)).* FROM customer;
SELECT (forecast_error(1, 0)).* FROM customer;

-- by number of repeat purchases, by tenths of the forecast, in total; as plain SQL
SELECT frequency, (forecast_error(expected, actual)).* FROM customer GROUP BY ROLLUP (frequency) ORDER BY frequency;
SELECT count(*) AS groups, sum((f).customers) AS customers, count(*) FILTER (WHERE f IS DISTINCT FROM r) AS differences FROM (
	SELECT forecast_error(expected, actual) AS f, ROW(count(*), sum(expected), sum(actual)::float8, sum(expected) / count(*), sum(actual)::float8 / count(*), sum(expected) / sum(actual),
		sum(abs(expected - actual)) / count(*), sqrt(sum((expected - actual) * (expected - actual)) / count(*)))::forecast_error AS r
	FROM (SELECT *, rfm_score(10) OVER (ORDER BY expected) AS tenth FROM customer) c GROUP BY tenth) s;

-- the same bits for any order; a sum that rounding would lose
CREATE TABLE wide AS SELECT i, (hashint4(i) / 7.0::float8) * 10 ^ (hashint4(i + 1) % 12) AS expected, hashint4(-i) / 3.0::float8 AS actual FROM generate_series(1, 2000) i;
SELECT count(DISTINCT f::text) AS results FROM generate_series(1, 20) seed, LATERAL (SELECT forecast_error(expected, actual) AS f FROM (SELECT * FROM wide ORDER BY hashint4extended(i, seed)) w) s;
SELECT (forecast_error(e, a)).expected, (forecast_error(e, a)).ratio FROM (VALUES (1e99::float8, 1::float8), (1, 0), (-1e99, 0)) v(e, a);

-- parallel
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT i % 2, forecast_error(expected, actual) FROM wide GROUP BY 1;
CREATE TEMP TABLE parallel AS SELECT i % 2 AS half, forecast_error(expected, actual) AS f FROM wide GROUP BY 1;
SET max_parallel_workers_per_gather = 0;
SELECT count(*) AS differences FROM (SELECT i % 2 AS half, forecast_error(expected, actual) AS g FROM wide GROUP BY 1) s JOIN parallel USING (half) WHERE f IS DISTINCT FROM g;
RESET ALL;

SELECT i, (forecast_error(expected, actual) OVER (ORDER BY i ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)).expected FROM (VALUES (1, 1.5::float8, 1), (2, 2, 1), (3, 4, 1)) v(i, expected, actual);

-- the forecast without a model
SELECT naive_purchases(39, 2, 26), naive_purchases(39, 0, 26), naive_purchases(39, 0, 0), naive_purchases(0, 2, 26), naive_purchases(NULL, 2, 26), naive_purchases(39, NULL, 26), naive_purchases(39, 2, NULL);

-- mistakes
SELECT forecast_error('NaN', 1);
SELECT forecast_error(1, 'infinity');
SELECT forecast_error(-1e100, 1);
SELECT naive_purchases(-1, 2, 26);
SELECT naive_purchases(39, -2, 26);
SELECT naive_purchases(39, 2, -26);
SELECT naive_purchases(39, 2, 'NaN');
SELECT naive_purchases('infinity', 2, 26);
SELECT naive_purchases(39, 1, 0);
DROP TABLE customer, wide;
