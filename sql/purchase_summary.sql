--
-- purchase_summary, holdout_purchases and the aggregate purchases
--
-- two purchases of one day are one; the first day is no repeat purchase
\set t '{2026-01-01T10:00:00Z view, 2026-01-01T11:00:00Z purchase =10, 2026-01-01T23:59:59.999999Z purchase =2.5, 2026-01-08T00:00:00Z purchase =7, 2026-01-15T12:00:00Z purchase@shop =20.05, 2026-01-15T13:00:00Z purchase =1}'
SELECT * FROM purchase_summary(:'t', 'purchase', '2026-01-29T12:00:00Z');
SELECT * FROM purchase_summary(:'t', 'purchase', '2026-01-29T12:00:00Z', '7 days');
SELECT * FROM purchase_summary(:'t', 'purchase', '2026-01-29T12:00:00Z', '1 hour');
SELECT * FROM purchase_summary(:'t', 'purchase', '2026-01-29T12:00:00Z', '1.5 days');
SELECT * FROM purchase_summary(:'t', 'purchase', '2026-01-29T12:00:00Z', NULL, NULL);
SELECT * FROM purchase_summary(:'t', 'purchase@shop', '2026-01-29T12:00:00Z');
SELECT * FROM purchase_summary(:'t', 'view|purchase', '2026-01-29T12:00:00Z', time_zone => 'Asia/Tokyo');

-- purchases after as_of do not count
SELECT i, s.* FROM generate_series('2025-12-31T23:59:59.999999Z'::timestamptz, '2026-01-08Z', '1 day') i, purchase_summary(:'t', 'purchase', i) s;
SELECT * FROM purchase_summary(:'t', 'purchase', '2026-01-15T12:59:59.999999Z');

-- a refund reduces its day; a day with refunds that sums to nothing or less is no purchase; a free order and one of unknown value are purchases
SELECT t, s.* FROM (VALUES ('{2026-01-01T10:00:00Z p =10, 2026-01-02T10:00:00Z p =10, 2026-01-02T11:00:00Z p =-4}'::timeline),
	('{2026-01-01T10:00:00Z p =10, 2026-01-02T10:00:00Z p =-10, 2026-01-02T11:00:00Z p =10, 2026-01-03T11:00:00Z p =-10, 2026-01-05T11:00:00Z p =3}'),
	('{2026-01-01T10:00:00Z p =10, 2026-01-01T10:00:00Z p =-10, 2026-01-02T11:00:00Z p =0, 2026-01-05T11:00:00Z p =3}'),
	('{2026-01-01T10:00:00Z p, 2026-01-02T10:00:00Z p, 2026-01-03T10:00:00Z p}'),
	('{2026-01-01T10:00:00Z p, 2026-01-02T10:00:00Z p, 2026-01-03T10:00:00Z p, 2026-01-03T10:00:00Z p =4, 2026-01-04T10:00:00Z p =5}'),
	('{2026-01-01T10:00:00Z p, 2026-01-02T10:00:00Z p, 2026-01-02T11:00:00Z p =-1}'),
	('{2026-01-01T10:00:00Z p}'),
	('{2026-01-01T10:00:00Z p =-1}'),
	-- 0.1 + 0.2 - 0.3 is nothing, whatever else the customer bought
	('{2026-01-01T10:00:00Z p =1, 2026-01-02T10:00:00Z p =0.1, 2026-01-02T10:00:00Z p =0.2, 2026-01-02T10:00:00Z p =-0.3}'),
	('{2026-01-01T10:00:00Z p =1, 2026-01-02T10:00:00Z p =0.1, 2026-01-02T10:00:00Z p =0.2, 2026-01-02T10:00:00Z p =-0.3, 2026-01-03T10:00:00Z p =0.125}'),
	('{2026-01-01T10:00:00Z p =1, 2026-01-02T10:00:00Z p =1e15, 2026-01-02T10:00:00Z p =0.125, 2026-01-02T10:00:00Z p =-1e15, 2026-01-03T10:00:00Z p =0.375}')) v(t),
	purchase_summary(t, 'p', '2026-01-11Z') s;

-- sums do not depend on the order of events, nor overflow where whole numbers are large
SELECT (purchase_summary(purchases('2026-01-01Z'::timestamptz + i * interval '1 day' + j * interval '1 minute', 9007199254740992), 'purchase', '2026-02-01Z')).*
FROM generate_series(0, 3) i, generate_series(1, 1000) j;
SELECT count(DISTINCT s) AS summaries, min(s::text) AS summary FROM generate_series(1, 50) seed, LATERAL (
	SELECT purchase_summary(purchases(at, value), 'purchase', '2026-02-01Z') AS s
	FROM (SELECT '2026-01-01Z'::timestamptz + i % 5 * interval '1 day' + (hashint4extended(i, seed) & 4194303) * interval '1 ms' AS at, (ARRAY[1e16, 0.1, 1, 0.001, -1e-3, 1e-7, 33.333, -0.1])[1 + i % 8] AS value
		FROM generate_series(0, 79) i ORDER BY hashint4extended(i, -seed)) r) o;
SELECT (purchase_summary('{2026-01-01T10:00:00Z p =1, 2026-01-02T10:00:00Z p =1e308, 2026-01-02T11:00:00Z p =1e308, 2026-01-02T12:00:00Z p =-1.5e308}', 'p', '2026-01-03Z')).monetary_value;
SELECT purchase_summary('{2026-01-01T10:00:00Z p =1, 2026-01-02T10:00:00Z p =1e308, 2026-01-02T11:00:00Z p =1e308}', 'p', '2026-01-03Z');

-- local dates; clocks of St. John's showed 7 November 2010 for a minute, and then 6 November for 59 minutes more
SELECT zone, s.* FROM unnest('{UTC,America/Sao_Paulo,Asia/Kolkata}'::text[]) zone,
	purchase_summary('{2018-11-03T23:00:00Z p =1, 2018-11-04T02:59:59Z p =2, 2018-11-04T03:00:00Z p =4, 2018-11-05T01:59:59Z p =8, 2018-11-05T02:00:00Z p =16}', 'p', '2018-11-06Z', time_zone => zone) s;
\set november '{2010-11-06T12:00:00Z p =1, 2010-11-07T02:30:30Z p =2, 2010-11-07T02:31:30Z p =4, 2010-11-07T03:40:00Z p =8}'
SELECT * FROM purchase_summary(:'november', 'p', '2010-11-08Z', time_zone => 'America/St_Johns');
SELECT * FROM purchase_summary(:'november', 'p', '2010-11-07T02:31:30Z', time_zone => 'America/St_Johns');
SELECT holdout_purchases(:'november', 'p', '2010-11-07T02:31:30Z', '2010-11-08Z', 'America/St_Johns'), holdout_purchases(:'november', 'p', '2010-11-06T02:31:30Z', '2010-11-08Z', 'America/St_Johns');
SELECT * FROM purchase_summary('{-4713-11-24T00:00:00Z p =1, +294276-12-31T23:59:59.999999Z p =2}', 'p', '294276-12-31T23:59:59.999999Z');
SELECT * FROM purchase_summary('{-4713-11-24T00:00:00Z p =1, +294276-12-31T23:59:59.999999Z p =2}', 'p', '294276-12-31T23:59:59.999999Z', '1 day', 'Asia/Tokyo');

-- nothing, and NULL
SELECT purchase_summary(t, 'p', '2026-01-03Z') IS NULL AS is_null, (purchase_summary(t, 'p', '2026-01-03Z')).*, holdout_purchases(t, 'p', '2026-01-01Z', '2026-01-03Z')
FROM (VALUES (NULL::timeline), ('{}'), ('{2026-01-01T10:00:00Z view =4}'), ('{2026-01-04T10:00:00Z p =4}'), ('{2026-01-02T10:00:00Z p =4}')) v(t);
SELECT purchase_summary(:'t', NULL, '2026-01-03Z'), holdout_purchases(:'t', NULL, '2026-01-03Z', '2026-01-04Z'), purchase_summary(NULL, 'p', NULL), holdout_purchases(NULL, 'p', NULL, NULL);
SELECT purchases(NULL, 1), purchases(NULL, NULL), (SELECT purchases(now(), 1) WHERE false);
SELECT purchases(at, value) FROM (VALUES ('2026-01-02Z'::timestamptz, 1), ('2026-01-01Z', NULL), (NULL, 5), ('2026-01-02Z', -1)) v(at, value);
SELECT (purchase_summary(rollup(p), 'purchase', '2026-01-03Z')).* FROM (VALUES ('{2026-01-01T00:00:00Z purchase =1}'::timeline), ('{2026-01-02T00:00:00Z purchase =2}')) v(p);

-- the holdout period is from the day after from_at to to_at
SELECT f, holdout_purchases(:'t', 'purchase', f, '2026-02-01Z') AS "to February", holdout_purchases(:'t', 'purchase', f, '2026-01-15T11:59:59Z') AS "to 15 January",
	holdout_purchases(:'t', 'purchase', f, '2026-01-20Z', 'America/New_York') AS "New York", holdout_purchases(:'t', 'purchase', f, f) AS none
FROM unnest('{2025-12-31Z,2026-01-01T00:00:00Z,2026-01-01T23:59:59Z,2026-01-07T23:59:59.999999Z,2026-01-08Z,2026-01-15Z}'::timestamptz[]) f;
SELECT holdout_purchases('{2026-01-01T10:00:00Z p =10, 2026-01-02T10:00:00Z p =10, 2026-01-02T11:00:00Z p =-10, 2026-01-03T10:00:00Z p =0, 2026-01-04T10:00:00Z p, 2026-01-05T10:00:00Z p =-3}', 'p', '2026-01-01T12:00:00Z', '2026-01-31Z');

-- mistakes
SELECT purchase_summary(:'t', 'purchase', NULL);
SELECT purchase_summary(:'t', 'purchase', 'infinity');
SELECT purchase_summary(:'t', 'purchase', '-infinity');
SELECT purchase_summary(:'t', 'purchase', '2026-01-03Z', '1 month');
SELECT purchase_summary(:'t', 'purchase', '2026-01-03Z', '0');
SELECT purchase_summary(:'t', 'purchase', '2026-01-03Z', '-1 day');
SELECT purchase_summary(:'t', 'purchase', '2026-01-03Z', time_zone => 'Europe/Olso');
SELECT purchase_summary(:'t', 'purchase', '2026-01-03Z', time_zone => '');
SELECT purchase_summary(:'t', 'purchase|', '2026-01-03Z');
SELECT holdout_purchases(:'t', 'purchase', NULL, '2026-01-03Z');
SELECT holdout_purchases(:'t', 'purchase', '2026-01-03Z', NULL);
SELECT holdout_purchases(:'t', 'purchase', '-infinity', '2026-01-03Z');
SELECT holdout_purchases(:'t', 'purchase', '2026-01-03Z', 'infinity');
SELECT holdout_purchases(:'t', 'purchase', '2026-01-03T00:00:00.000001Z', '2026-01-03Z');
SELECT purchases('infinity', 1);
SELECT purchases('2026-01-01Z', 'NaN');
