-- What a customer was worth in each period since a start.
SET timezone = 'UTC';
SET datestyle = 'ISO';

CREATE TABLE customer (id text, t timeline);
INSERT INTO customer VALUES
	('regular', '{2026-01-05T10:00:00Z purchase =10, 2026-01-06T09:59:59Z purchase =0.1, 2026-01-06T10:00:00Z purchase =0.2, 2026-01-08T12:00:00Z purchase =5, 2026-01-09T10:00:00Z purchase =7}'),
	('refunded', '{2026-01-05T10:00:00Z purchase =10, 2026-01-07T10:00:00Z refund =-10, 2026-01-07T11:00:00Z purchase =2.5}'),
	('signed up first', '{2026-01-04T10:00:00Z purchase =99, 2026-01-05T10:00:00Z signup, 2026-01-07T12:00:00Z purchase =4}'),
	('signed up only', '{2026-01-05T10:00:00Z signup}'), ('no value', '{2026-01-05T10:00:00Z purchase}'), ('never', '{2026-01-05T10:00:00Z visit =3}'), ('empty', '{}'), ('null', NULL);
SELECT id, value_by_age(t, 'purchase', 'purchase', '1 day', 3) AS revenue, value_by_age(t, 'purchase', 'purchase|refund', '1 day', 3) AS net, value_by_age(t, 'signup', 'purchase', '1 day', 3) AS since_signup FROM customer;

-- Earnings beside revenue: costs as events of their own, at the instant of the order. "cost" stands before "purchase".
SELECT value_by_age(t, 'purchase', 'purchase', '30 days', 1) AS revenue, value_by_age(t, 'purchase', 'purchase|cost|shipping', '30 days', 1) AS margin
FROM (VALUES ('{2026-01-01T10:00:00Z cost =-60, 2026-01-05T10:00:00Z cost =-6, 2026-01-05T10:00:00Z purchase =10, 2026-01-05T10:00:00Z shipping =-1.5, 2026-02-10T10:00:00Z cost =-3, 2026-02-10T10:00:00Z purchase =4}'::timeline)) AS v (t);

-- A period is complete when as_of is in a later one; what comes after as_of does not exist.
SELECT as_of, value_by_age(t, 'purchase', 'purchase', '1 day', 3, as_of => as_of) AS days, value_by_age(t, 'purchase', 'purchase', '1 day', 3, 'Europe/Oslo', as_of) AS local_days, value_by_age(t, 'purchase', 'purchase', '7 days', 1, 'UTC', as_of) AS weeks
FROM customer, unnest(ARRAY['2026-01-05 09:59:59.999999Z', '2026-01-05 10:00Z', '2026-01-05 22:59Z', '2026-01-05 23:00Z', '2026-01-06 09:59:59.999999Z', '2026-01-06 10:00Z', '2026-01-09 09:59:59Z', '2026-01-09 10:00Z', '2026-01-11 23:59:59Z', '2026-01-12 00:00Z', '2026-02-01', 'infinity', '-infinity', NULL]::timestamptz[]) AS as_of
WHERE id = 'regular';
SELECT value_by_age(t, 'purchase', 'purchase', '1 day', 0) AS first_day, value_by_age(t, 'purchase', 'purchase', '1 month', 1, 'UTC') AS months, value_by_age(t, 'purchase', 'purchase', '1 year', 0, 'UTC') AS year,
	value_by_age(t, 'purchase', 'purchase', '10 us', 2) AS short FROM customer WHERE id = 'regular';
-- money is exact: 0.3, not 0.30000000000000004; other values as the sum of the doubles
SELECT value_by_age('{2026-01-01T00:00:00Z a =0.1, 2026-01-01T00:00:01Z a =0.2}', 'a', 'a', '1 day', 0) AS hundredths, value_by_age('{2026-01-01T00:00:00Z a =0.1, 2026-01-01T00:00:01Z a =0.2, 2026-01-03T00:00:01Z a =0.125}', 'a', 'a', '1 day', 0) AS doubles,
	value_by_age(timeline('2026-01-01Z'::timestamptz + i * interval '1 s', 'a', NULL, 9007199254740991), 'a', 'a', '1 day', 0) AS large FROM generate_series(1, 4096) AS i;
-- exact: as the sum of decimals rounded once, whatever cancels
SELECT value_by_age(t, 'a', '*', '1 day', 1) = ARRAY[1, 0.3]::float8[] AS exact FROM (SELECT timeline('2026-01-01Z'::timestamptz + n * interval '1 s' + (v = 0.3) ::int * interval '1 day', CASE WHEN n = 1 THEN 'a' ELSE 'b' END, NULL, v)
	FROM unnest(ARRAY[1e300, 1, -1e300, 1e-300, 0.3, -1e-300]) WITH ORDINALITY AS u (v, n)) AS s (t);
SELECT value_by_age('{2026-01-01T00:00:00Z a =1.7e308, 2026-01-01T00:00:01Z a =1.7e308, 2026-01-01T00:00:02Z a =-1.7e308}', 'a', 'a', '1 day', 0) AS no_overflow_on_the_way;
SELECT value_by_age('{2026-01-01T00:00:00Z a =1.7e308, 2026-01-01T00:00:01Z a =1.7e308}', 'a', 'a', '1 day', 0);
-- the ends of time
SELECT value_by_age('{-4713-11-24T00:00:00Z a =1, +294276-12-31T23:59:59Z a =2}', 'a', 'a', '99999999 days', 2) AS rolling, value_by_age('{-4713-11-24T00:00:00Z a =1, +294276-12-31T23:59:59Z a =2}', 'a', 'a', '100000 years', 3, 'UTC') AS years,
	(value_by_age('{-4713-11-24T00:00:00Z a =1, +294276-12-31T23:59:59Z a =2}', 'a', 'a', '1 us', 10000))[10001] AS last;

-- Beside plain SQL: random events around two changes of the clock, rolling and calendar periods, every as_of.
SELECT setseed(0.25);
CREATE TABLE event_row AS SELECT v AS visitor, timestamptz '2026-03-20 20:00Z' + CASE WHEN v % 3 = 0 THEN floor(random() * 60) * interval '12 hours' ELSE random() * interval '40 days' END + floor(random() * 3 - 1) * interval '1 us' AS at,
	(ARRAY['start', 'buy', 'buy', 'refund', 'view'])[1 + floor(random() * 5)::int] AS event, CASE WHEN random() < 0.9 THEN (random() * 2000 - 500)::numeric(10, 2) END AS value FROM generate_series(1, 120) AS v, generate_series(1, 12);
CREATE TABLE made AS SELECT visitor, timeline(at, event, NULL, value) AS t, min(at) FILTER (WHERE event = 'start') AS first FROM event_row GROUP BY visitor;
CREATE TABLE as_of AS SELECT n, '2026-03-22Z'::timestamptz + n * interval '2 days 7 hours' AS as_of FROM generate_series(0, 20) AS n UNION ALL SELECT 21, NULL UNION ALL SELECT 22, 'infinity';
ANALYZE event_row, made, as_of;
-- number of the period that an instant is in, since another
CREATE FUNCTION period_of(kind int, start timestamptz, at timestamptz) RETURNS int LANGUAGE sql IMMUTABLE RETURN CASE kind
	WHEN 1 THEN floor(extract(epoch FROM at - start) / 86400 / 3)
	WHEN 2 THEN (at AT TIME ZONE 'Europe/Oslo')::date - (start AT TIME ZONE 'Europe/Oslo')::date
	WHEN 3 THEN ((date_trunc('week', at, 'Europe/Oslo') AT TIME ZONE 'Europe/Oslo')::date - (date_trunc('week', start, 'Europe/Oslo') AT TIME ZONE 'Europe/Oslo')::date) / 7
	ELSE extract(month FROM at AT TIME ZONE 'Europe/Oslo') - extract(month FROM start AT TIME ZONE 'Europe/Oslo') END;
WITH v AS (SELECT kind, visitor, n, as_of, coalesce(as_of, 'infinity') AS until, t, CASE WHEN first <= coalesce(as_of, 'infinity') THEN first END AS first FROM made, as_of, generate_series(1, 4) AS kind),
valued AS (SELECT kind, visitor, n, period_of(kind, first, at) AS period, sum(value) AS value FROM v JOIN event_row USING (visitor) WHERE event IN ('buy', 'refund') AND at BETWEEN first AND until GROUP BY 1, 2, 3, 4),
expected AS (SELECT kind, visitor, n, array_agg(CASE WHEN until = 'infinity' OR period_of(kind, first, as_of) > period THEN coalesce(value, 0) END ORDER BY period) AS expected
	FROM v CROSS JOIN generate_series(0, 6) AS period LEFT JOIN valued USING (kind, visitor, n, period) WHERE first IS NOT NULL GROUP BY 1, 2, 3),
got AS (SELECT kind, visitor, n, value_by_age(t, 'start', 'buy|refund', (ARRAY['3 days', '1 day', '7 days', '1 month']::interval[])[kind], 6, CASE WHEN kind > 1 THEN 'Europe/Oslo' END, as_of) AS got FROM v)
SELECT kind, count(*) AS cases, count(*) FILTER (WHERE got IS NULL) > 20 AS some_never, count(*) FILTER (WHERE got[3] IS NULL AND got[2] IS NOT NULL) > 20 AS some_incomplete, count(*) FILTER (WHERE got[2] <> 0) > 20 AS some_value,
	count(*) FILTER (WHERE ARRAY(SELECT round(e::numeric, 2) FROM unnest(got) WITH ORDINALITY AS u (e, i) ORDER BY i) IS DISTINCT FROM coalesce(expected, '{}')) AS different
FROM got LEFT JOIN expected USING (kind, visitor, n) GROUP BY kind ORDER BY kind;

-- A NULL argument; a call site whose arguments change from row to row.
SELECT value_by_age(NULL, 'a', 'a', '1 day', 1) AS t, value_by_age(t, NULL, 'a', '1 day', 1) AS start_event, value_by_age(t, 'a', NULL, '1 day', 1) AS value_event, value_by_age(t, 'a', 'a', NULL, 1) AS period, value_by_age(t, 'a', 'a', '1 day', NULL) AS periods
FROM (VALUES ('{2026-01-01T00:00:00Z a =1}'::timeline)) AS v (t);
SELECT n, value_by_age(t, (ARRAY['purchase', 'signup'])[1 + n % 2], 'purchase', (n % 3 + 1) * interval '1 day', 2 + n, (ARRAY['UTC', NULL, 'Asia/Tokyo'])[1 + n % 3]) FROM customer, generate_series(0, 5) AS n WHERE id = 'signed up first' ORDER BY n;

-- Errors.
SELECT value_by_age('{}', 'a', 'a', '1 day', -1);
SELECT value_by_age('{}', 'a', 'a', '1 day', 10001);
SELECT value_by_age('{}', 'a', 'a', '1 month', 1);
SELECT value_by_age('{}', 'a', 'a', '0 days', 1);
SELECT value_by_age('{}', 'a', 'a', '-1 day', 1);
SELECT value_by_age('{}', 'a', 'a', '12 hours', 1, 'UTC');
SELECT value_by_age('{}', 'a', 'a', '1 month 1 day', 1, 'UTC');
SELECT value_by_age('{}', 'a', 'a', '1 day', 1, 'Europe/Nowhere');
SELECT value_by_age('{}', 'a[', 'a', '1 day', 1);
SELECT value_by_age('{}', 'a', 'a@b@c[', '1 day', 1);

DROP TABLE customer, event_row, made, as_of;
DROP FUNCTION period_of;
