-- cohort_value: value by age of many customers, its storable type, rollup, cohort_value_periods.
SET timezone = 'UTC';
SET datestyle = 'ISO';

-- A cohort table in money: who bought first in a month, and what they were worth from then on.
CREATE TABLE order_row (customer int, country text, at timestamptz, revenue numeric, cost numeric);
INSERT INTO order_row SELECT c, (ARRAY['NO', 'DK', NULL])[1 + c % 3], '2026-01-31 20:00Z'::timestamptz + c % 80 * interval '1 day' + n * interval '13 days 5 hours', (c * 7 % 90 + n * 3)::numeric / 10, (c * 5 % 60)::numeric / 10
FROM generate_series(1, 300) AS c, generate_series(0, 6) AS n WHERE n <= c % 7;
CREATE TABLE customer AS SELECT customer, country, timeline(at, event, NULL, value) AS t
FROM order_row, LATERAL (VALUES ('purchase', revenue), ('cost', -cost)) AS e (event, value) GROUP BY customer, country;
CREATE TABLE cohort AS
SELECT (date_trunc('month', first_at(t, 'purchase'), 'Europe/Oslo') AT TIME ZONE 'Europe/Oslo')::date AS cohort,
	cohort_value(value_by_age(t, 'purchase', 'purchase', '1 month', 4, 'Europe/Oslo', '2026-06-30 22:00Z')) AS revenue,
	cohort_value(value_by_age(t, 'purchase', 'purchase|cost', '1 month', 4, 'Europe/Oslo', '2026-06-30 22:00Z')) AS margin
FROM customer GROUP BY 1;
-- revenue beside margin, and whether the margin has paid 12 for each customer
SELECT cohort, r.period, r.customers, r.active_customers, r.value::numeric AS revenue, round(r.cumulative_value::numeric, 4) AS revenue_per_customer, round(m.cumulative_value::numeric, 4) AS margin_per_customer,
	round(m.discounted_value::numeric, 4) AS discounted_margin, m.is_paid_back, m.is_paid_back_discounted
FROM cohort, cohort_value_periods(revenue) AS r JOIN LATERAL cohort_value_periods(margin, acquisition_cost => 9, discount_rate => 0.05) AS m USING (period) ORDER BY cohort, period;
-- the same from the rows
WITH customer AS (SELECT customer, date_trunc('month', min(at) AT TIME ZONE 'Europe/Oslo')::date AS cohort FROM order_row GROUP BY customer),
of_customer AS (SELECT cohort, period, customer, sum(revenue) AS revenue, sum(revenue - cost) AS margin
	FROM customer CROSS JOIN generate_series(0, 4) AS period JOIN order_row AS o USING (customer)
	WHERE cohort + (period + 1) * interval '1 month' <= '2026-07-01'
		AND extract(month FROM o.at AT TIME ZONE 'Europe/Oslo') - extract(month FROM cohort) = period
	GROUP BY cohort, period, customer)
SELECT count(*) AS periods, count(*) FILTER (WHERE (r.active_customers, r.value::numeric, m.value::numeric) IS DISTINCT FROM (coalesce(v.active_customers, 0), coalesce(v.revenue, 0), coalesce(v.margin, 0))) AS different
FROM cohort CROSS JOIN cohort_value_periods(revenue) AS r JOIN LATERAL cohort_value_periods(margin) AS m USING (period)
	LEFT JOIN (SELECT cohort, period, count(*) FILTER (WHERE revenue <> 0) AS active_customers, sum(revenue) AS revenue, sum(margin) AS margin FROM of_customer GROUP BY cohort, period) AS v USING (cohort, period);
SELECT cohort, payback_period(9, margins) AS payback, payback_period(9, margins, 0.05) AS discounted_payback, first_paid
FROM cohort, LATERAL (SELECT array_agg(value_per_customer ORDER BY period) AS margins, min(period) FILTER (WHERE is_paid_back) AS first_paid FROM cohort_value_periods(margin, 9)) AS m ORDER BY cohort;

-- Kept by country, and merged: each customer is in one country.
CREATE TABLE kept AS
SELECT country, cohort_value(value_by_age(t, 'purchase', 'purchase', '7 days', 12, as_of => '2026-05-20')) AS stats FROM customer GROUP BY country;
SELECT rollup(stats) = (SELECT cohort_value(value_by_age(t, 'purchase', 'purchase', '7 days', 12, as_of => '2026-05-20')) FROM customer) AS same FROM kept;
SELECT country, period, customers, active_customers, value::numeric FROM kept, cohort_value_periods(stats) WHERE period IN (0, 6, 12) ORDER BY country, period;

-- Customers of different age: each period is a mean over those for whom it is complete.
SELECT p.* FROM (SELECT cohort_value(a) AS stats FROM (VALUES ('{10,4,6}'::float8[]), ('{20,6,NULL}'), ('{30,NULL,NULL}'), (NULL), ('{NULL,NULL,NULL}')) AS v (a)) AS v, cohort_value_periods(stats, 30, 1) AS p;
-- a period that nobody has completed ends what is known; a cost of 0 is paid at once, if nothing was lost
SELECT * FROM cohort_value_periods('{"periods": [[2, 1, 5], [0, 0, 0], [1, 1, 7]]}', 1);
SELECT is_paid_back, is_paid_back_discounted FROM cohort_value_periods('{"periods": [[2, 0, 0], [2, 1, -1], [2, 1, 3]]}', 0, -0.5);
SELECT count(*), max(discounted_value) FROM (SELECT cohort_value(array_fill(0::float8, ARRAY[10001])) AS stats) AS v, cohort_value_periods(stats, 1, -0.9);
SELECT cohort_value(a) FROM (VALUES (NULL::float8[]), (NULL)) AS v (a);
SELECT cohort_value(a) FROM (VALUES ('{1}'::float8[])) AS v (a) WHERE false;
SELECT rollup(value) FROM (VALUES (NULL::cohort_value), ('{"periods": [[1, 1, 2]]}'), (NULL), ('{"periods": [[5, 1, 0.5]]}')) AS v (value);
SELECT rollup(NULL::cohort_value);
SELECT count(*) FROM cohort_value_periods(NULL);
SELECT period, cumulative_value, discounted_value, is_paid_back FROM cohort_value_periods('{"periods": [[2, 2, 5], [2, 2, 5]]}', NULL, NULL);
SELECT cohort_value(a) FROM (VALUES ('[7:8]={1,NULL}'::float8[]), ('{2,-0}')) AS v (a);
-- in the select list, and a set that is left before its end
SELECT n, (p).period, (p).value FROM (SELECT n, cohort_value_periods(value) AS p FROM (VALUES (1, '{"periods": [[2, 2, 5], [1, 1, 1]]}'::cohort_value), (2, NULL), (3, '{"periods": [[2, 2, 7]]}')) AS v (n, value) OFFSET 0) AS s;
SELECT p.* FROM kept, LATERAL (SELECT period, customers FROM cohort_value_periods(stats) LIMIT 2) AS p ORDER BY 1, 2;
-- windows: so far, and of two rows; the sums outgrow their room and shrink again
SELECT n, cohort_value(a) OVER (ORDER BY n) AS so_far, rollup(value) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS of_two
FROM (VALUES (1, '{1e200,1}'::float8[], '{"periods": [[1, 1, 1e200]]}'::cohort_value), (2, '{1,1}', '{"periods": [[1, 1, [1, 1e-100]]]}'), (3, '{1e-200,1}', '{"periods": [[1, 1, -1e-100]]}'), (4, NULL, NULL), (5, '{-1e200,1}', '{"periods": [[1, 0, 0]]}'), (6, '{-1,1}', NULL)) AS v (n, a, value) ORDER BY n;

--
-- Sums are exact, in any order and any tree of merges.
--
CREATE TABLE wild AS SELECT n, ARRAY[v, -v, CASE WHEN n % 3 > 0 THEN v END] AS a FROM (SELECT n, (n * 7919 % 1000 - 500) * 10.0::float8 ^ (n * 7907 % 41 * 10 - 200) AS v FROM generate_series(1, 400) AS n) AS s;
SELECT count(DISTINCT value::text), bool_and(value = (SELECT cohort_value(a) FROM wild)) AS same FROM (
	SELECT cohort_value(a ORDER BY a[1]) AS value FROM wild UNION ALL SELECT cohort_value(a ORDER BY -a[1]) FROM wild UNION ALL SELECT cohort_value(a ORDER BY abs(a[1])) FROM wild UNION ALL SELECT cohort_value(a ORDER BY -abs(a[1])) FROM wild
	UNION ALL SELECT rollup(v ORDER BY g) FROM (SELECT n % 7 AS g, cohort_value(a) AS v FROM wild GROUP BY 1) AS s UNION ALL SELECT rollup(v ORDER BY -g) FROM (SELECT n % 50 AS g, cohort_value(a) AS v FROM wild GROUP BY 1) AS s
	UNION ALL SELECT rollup(v) FROM (SELECT rollup(v) AS v FROM (SELECT n % 50 AS g, cohort_value(a) AS v FROM wild GROUP BY 1) AS s GROUP BY g % 7) AS s) AS u;
SELECT count(*) AS periods, count(*) FILTER (WHERE value = total) AS as_numeric, count(*) FILTER (WHERE value = naive) < 13 AS naive_sums_differ
FROM (SELECT cohort_value(ARRAY(SELECT v * (n * p % 31 - 15) FROM generate_series(1, 13) AS p)) AS stats FROM (SELECT n, (n * 7919 % 1000 - 500) * 10.0::float8 ^ (n % 13) AS v FROM generate_series(1, 2000) AS n) AS s) AS c,
	cohort_value_periods(stats) AS r JOIN LATERAL (SELECT p - 1 AS period, sum((n * 7919 % 1000 - 500) * 10.0 ^ (n % 13) * (n * p % 31 - 15))::float8 AS total, sum(((n * 7919 % 1000 - 500) * 10.0 ^ (n % 13) * (n * p % 31 - 15))::float8) AS naive
		FROM generate_series(1, 2000) AS n, generate_series(1, 13) AS p GROUP BY p) AS e USING (period);
-- all that was added taken away again is nothing: no part is left
SELECT rollup(v) AS nothing FROM (SELECT cohort_value(a[1:2]) AS v FROM wild UNION ALL SELECT cohort_value(ARRAY[-a[1], -a[2]]) FROM wild) AS s;
SELECT cohort_value(ARRAY[v]) AS limits FROM (VALUES (8.452712498170643e270::float8), (8.452712498170643e270), (-5e-324), (0)) AS s (v);

--
-- Text form.
--
SELECT value::cohort_value FROM unnest(ARRAY['{"periods": [[0, 0, 0]]}', E' {\n"periods"\t:[ [ 3 ,2,1.50 ],[1,0,-0]\r, [1,1,[1,2,4]] ] } ', '{"periods": [[9223372036854775807, 9223372036854775807, [1e250, 1]]]}', '{"periods": [[1, 0, []]]}']) AS value;
CREATE TABLE bad_value (value text);
INSERT INTO bad_value VALUES (''), ('{}'), ('[]'), ('{"periods": []}'), ('{"periods": [[1, 1]]}'), ('{"periods": [[1, 1, 1, 1]]}'), ('{"periods": [[1, 2, 3]]}'), ('{"periods": [[-1, 0, 3]]}'), ('{"periods": [[1, 1, "3"]]}'), ('{"periods": [[1, 1, null]]}'),
	('{"periods": [[1, 1, 1e300]]}'), ('{"periods": [[1, 1, 1e400]]}'), ('{"periods": [[1.5, 1, 1]]}'), ('{"periods": [[9223372036854775808, 1, 1]]}'), ('{"periods": [[1, 1, 1]], "more": 1}'), ('{"periods": [[1, 1, 1]]} x'),
	('{"periods": [[1, 1, 1]], "periods": [[1, 1, 1]]}'), ('{"periods": [[1, 1, 1] [1, 1, 1]]}'), ('{"periods": [[1, 1, NaN]]}'), ('{"periods": [1, 1, 1]}'), ('{"periods": [[1, 1, [1, "x"]]]}');
DO $$
DECLARE
	bad text;
	what text;
	hint text;
	softly boolean;
BEGIN
	FOR bad IN TABLE bad_value LOOP
		BEGIN
			PERFORM bad::cohort_value;
			RAISE WARNING 'accepted: %', bad;
		EXCEPTION WHEN invalid_text_representation THEN
			GET STACKED DIAGNOSTICS what = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
			RAISE NOTICE '%: %', bad, what;
		END;
		IF current_setting('server_version_num')::int >= 160000 THEN
			EXECUTE $q$SELECT pg_input_is_valid($1, 'cohort_value')$q$ INTO softly USING bad;
			IF softly THEN
				RAISE WARNING 'accepted softly: %', bad;
			END IF;
		END IF;
	END LOOP;
	RAISE NOTICE '%', hint;
END
$$;
-- as many periods as value_by_age may give, and one more
SELECT cohort_value(array_fill(1::float8, ARRAY[10001]))::text = '{"periods": [' || (SELECT string_agg('[1, 1, 1]', ', ') FROM generate_series(0, 10000)) || ']}' AS printed;
SELECT ('{"periods": [' || (SELECT string_agg('[1, 1, 1]', ', ') FROM generate_series(0, 10000)) || ']}')::cohort_value = cohort_value(array_fill(1::float8, ARRAY[10001])) AS read;
\set VERBOSITY sqlstate
SELECT ('{"periods": [' || (SELECT string_agg('[1, 1, 1]', ', ') FROM generate_series(0, 10001)) || ']}')::cohort_value;
\set VERBOSITY default

-- Stored values, short, long and compressed, keep every bit in both forms.
CREATE TABLE stored (n int, value cohort_value);
INSERT INTO stored SELECT n, cohort_value(ARRAY(SELECT (n * i)::float8 / 7 * 10::float8 ^ (i * g % 30) FROM generate_series(1, n) AS i)) FROM generate_series(1, 120) AS n, generate_series(0, 3) AS g GROUP BY n;
INSERT INTO stored SELECT 0, cohort_value(array_fill(0::float8, ARRAY[10001]));
INSERT INTO stored SELECT -1, cohort_value(a) FROM wild;
SELECT count(*), bool_and(value = value::text::cohort_value) AS equal, min(pg_column_size(value)), max(pg_column_size(value)) < 20000 AS compressed FROM stored;
\getenv directory PG_ABS_BUILDDIR
\set copy_out '\\copy (SELECT n, value FROM stored) TO ''' :directory '/results/cohort_value.copy'' (FORMAT binary)'
\set copy_in '\\copy received FROM ''' :directory '/results/cohort_value.copy'' (FORMAT binary)'
CREATE TABLE received (LIKE stored);
:copy_out
:copy_in
SELECT count(*), bool_and(r.value = s.value) AS equal FROM received AS r JOIN stored AS s USING (n);
SELECT cohort_value_send('{"periods": [[3, 2, 1.5]]}');

-- Each COPY file: signature, flags, one column, its length, then version 1, 1 period, 3 customers, 2 active, 1 part, 1.5.
CREATE TABLE copied (value cohort_value);
\copy copied FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\036\001\000\000\000\001\000\000\000\000\000\000\000\003\000\000\000\000\000\000\000\002\001\077\370\000\000\000\000\000\000\377\377"' (FORMAT binary)
-- three parts that are one double
\copy copied FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\056\001\000\000\000\001\000\000\000\000\000\000\000\003\000\000\000\000\000\000\000\002\003\077\370\000\000\000\000\000\000\077\370\000\000\000\000\000\000\277\370\000\000\000\000\000\000\377\377"' (FORMAT binary)
SELECT value, value = '{"periods": [[3, 2, 1.5]]}' AS equal FROM copied;
-- version 2
\copy copied FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\036\002\000\000\000\001\000\000\000\000\000\000\000\003\000\000\000\000\000\000\000\002\001\077\370\000\000\000\000\000\000\377\377"' (FORMAT binary)
-- no period, 2 periods of which one is there, -1
\copy copied FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\036\001\000\000\000\000\000\000\000\000\000\000\000\003\000\000\000\000\000\000\000\002\001\077\370\000\000\000\000\000\000\377\377"' (FORMAT binary)
\copy copied FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\036\001\000\000\000\002\000\000\000\000\000\000\000\003\000\000\000\000\000\000\000\002\001\077\370\000\000\000\000\000\000\377\377"' (FORMAT binary)
\copy copied FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\036\001\377\377\377\377\000\000\000\000\000\000\000\003\000\000\000\000\000\000\000\002\001\077\370\000\000\000\000\000\000\377\377"' (FORMAT binary)
-- 4 of 3 active, -1 customers, 2 parts of which one is there, NaN
\copy copied FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\036\001\000\000\000\001\000\000\000\000\000\000\000\003\000\000\000\000\000\000\000\004\001\077\370\000\000\000\000\000\000\377\377"' (FORMAT binary)
\copy copied FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\036\001\000\000\000\001\377\377\377\377\377\377\377\377\000\000\000\000\000\000\000\002\001\077\370\000\000\000\000\000\000\377\377"' (FORMAT binary)
\copy copied FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\036\001\000\000\000\001\000\000\000\000\000\000\000\003\000\000\000\000\000\000\000\002\002\077\370\000\000\000\000\000\000\377\377"' (FORMAT binary)
\copy copied FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\036\001\000\000\000\001\000\000\000\000\000\000\000\003\000\000\000\000\000\000\000\002\001\177\370\000\000\000\000\000\000\377\377"' (FORMAT binary)
-- a byte long
\copy copied FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\037\001\000\000\000\001\000\000\000\000\000\000\000\003\000\000\000\000\000\000\000\002\001\077\370\000\000\000\000\000\000\000\377\377"' (FORMAT binary)

--
-- Equality and hash.
--
SELECT b, a = b AS eq, a <> b AS ne, cohort_value_hash(a) = cohort_value_hash(b) AS same_hash, cohort_value_hash_extended(a, 7) = cohort_value_hash_extended(b, 7) AS same_hash_extended
FROM (VALUES ('{"periods": [[3, 2, [1e30, 1]], [1, 1, 5]]}'::cohort_value)) AS a (a), unnest(ARRAY['{"periods": [[3, 2, [1, 1e30]], [1, 1, 5]]}', '{"periods": [[3, 2, [1e30, 1]]]}', '{"periods": [[3, 2, [1e30, 1]], [1, 1, 6]]}',
	'{"periods": [[3, 2, [1e30, 2]], [1, 1, 5]]}', '{"periods": [[3, 1, [1e30, 1]], [1, 1, 5]]}', '{"periods": [[4, 2, [1e30, 1]], [1, 1, 5]]}', '{"periods": [[3, 2, [1e30, 1, 1e-30]], [1, 1, 5]]}']::cohort_value[]) AS b;
SELECT count(*) FROM (SELECT DISTINCT value FROM (TABLE stored UNION ALL TABLE received) AS twice) AS v;
SELECT opcname, amvalidate(oid) FROM pg_opclass WHERE opcintype = 'cohort_value'::regtype;
SELECT value FROM stored ORDER BY value;

--
-- Stored values stay as they are when the aggregates' own functions are called on them.
--
CREATE TABLE plain (n int, value cohort_value);
ALTER TABLE plain ALTER value SET STORAGE external;
INSERT INTO plain SELECT n, cohort_value(array_fill(5::float8, ARRAY[n])) FROM unnest(ARRAY[1, 3, 20, 40, 200]) AS n GROUP BY n;
SELECT count(*) FROM plain WHERE cohort_value_accum(value, array_fill(1::float8, ARRAY[n])) = value OR cohort_value_combine(value, value) = value OR cohort_value_final(value) <> value
	OR cohort_value_accum(value, array_fill(1e-300::float8, ARRAY[n])) = value;
SELECT cohort_value_accum(value, '{1,0,NULL}') AS accum, cohort_value_combine(value, '{"periods": [[1, 1, 1], [1, 0, 0], [1, 1, 1e-300]]}') AS combine, cohort_value_accum(value, NULL) AS skipped, value FROM plain WHERE n = 3;
SELECT cohort_value_accum(value, '{1,0,-5}') = cohort_value_combine(value, '{"periods": [[1, 1, 1], [1, 0, 0], [1, 1, -5]]}') AS equal_without_final FROM plain WHERE n = 3;
SELECT bool_and(r.value IS NOT NULL) AS rolled FROM (SELECT rollup(value) AS value FROM plain, generate_series(1, 3) GROUP BY n) AS r;
SELECT count(*) AS unchanged FROM plain WHERE value = cohort_value_in(cstring(format('{"periods": [%s]}', (SELECT string_agg('[1, 1, 5]', ',') FROM generate_series(1, n)))));
SELECT cohort_value_accum(NULL, '{1,2}') AS first, cohort_value_accum(NULL, NULL) AS none;

--
-- Errors.
--
SELECT cohort_value(a) FROM (VALUES ('{1,2}'::float8[]), ('{1,2,3}')) AS v (a);
SELECT cohort_value('{}'::float8[]);
SELECT cohort_value(a) FROM (VALUES ('{1}'::float8[]), ('{}')) AS v (a);
SELECT cohort_value('{{1,2},{3,4}}'::float8[]);
SELECT cohort_value(a) FROM (VALUES ('{1,2}'::float8[]), ('{{1,2}}')) AS v (a);
SELECT cohort_value(array_fill(1::float8, ARRAY[10002]));
SELECT cohort_value('{1,NaN}'::float8[]);
SELECT cohort_value('{1,-Infinity}'::float8[]);
SELECT cohort_value('{8.452712498170644e270}'::float8[]);
SELECT rollup(value) FROM (VALUES ('{"periods": [[1, 1, 1]]}'::cohort_value), ('{"periods": [[1, 1, 1], [1, 1, 1]]}')) AS v (value);
SELECT rollup(value) FROM (VALUES ('{"periods": [[9223372036854775807, 1, 1]]}'::cohort_value), ('{"periods": [[1, 1, 1]]}')) AS v (value);
SELECT cohort_value_accum('{"periods": [[9223372036854775807, 1, 1]]}', '{1}');
SELECT cohort_value_accum('{"periods": [[9223372036854775807, 1, 1]]}', '{NULL}');
SELECT * FROM cohort_value_periods('{"periods": [[1, 1, 1]]}', -1);
SELECT * FROM cohort_value_periods('{"periods": [[1, 1, 1]]}', 'NaN');
SELECT * FROM cohort_value_periods('{"periods": [[1, 1, 1]]}', 'Infinity');
SELECT * FROM cohort_value_periods('{"periods": [[1, 1, 1]]}', 1, -1);
SELECT * FROM cohort_value_periods('{"periods": [[1, 1, 1]]}', 1, 'NaN');
SELECT * FROM (SELECT cohort_value(array_fill(1::float8, ARRAY[10001])) AS stats) AS v, cohort_value_periods(stats, 1, -0.5);

DROP TABLE order_row, customer, cohort, kept, wild, bad_value, stored, received, copied, plain;
