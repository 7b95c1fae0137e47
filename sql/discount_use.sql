-- How much customers buy at a discount.
SET timezone = 'UTC';
SET datestyle = 'ISO';

CREATE TABLE customer (id text, t timeline);
INSERT INTO customer VALUES
	('sale only', '{2026-01-01T00:00:00Z purchase =10 {"coupon": "JAN"}, 2026-02-01T00:00:00Z purchase =20.5 {"coupon": ""}}'),
	('both', '{2026-01-01T00:00:00Z purchase =10 {"coupon": "JAN"}, 2026-02-01T00:00:00Z purchase =0.1, 2026-03-01T00:00:00Z purchase =0.2, 2026-04-01T00:00:00Z visit {"coupon": "APR"}}'),
	('never at a discount', '{2026-01-01T00:00:00Z purchase =10, 2026-02-01T00:00:00Z purchase =5 {"coupon": null}}'),
	('lines of one order', '{2026-01-01T00:00:00Z purchase =10, 2026-01-01T00:00:00Z purchase =3 {"coupon": "JAN"}, 2026-01-01T00:00:00Z purchase =4 {"coupon": "JAN"}, 2026-01-01T00:00:00.000001Z purchase =7}'),
	('refunds', '{2026-01-01T00:00:00Z purchase =10 {"coupon": "JAN"}, 2026-01-03T00:00:00Z purchase =-10 {"coupon": "JAN"}, 2026-01-05T00:00:00Z purchase =8, 2026-01-06T00:00:00Z purchase =-1}'),
	('gift, unknown', '{2000-01-01T00:00:00Z purchase =0 {"coupon": "GIFT"}, 2026-01-02T00:00:00Z purchase}'),
	('refund only', '{2026-01-02T00:00:00Z purchase =-3 {"coupon": "JAN"}}'), ('visitor', '{2026-01-02T00:00:00Z visit =3}'), ('empty', '{}'), ('null', NULL);
SELECT id, d.* FROM customer, discount_use(t, 'purchase', 'purchase[coupon=*]') AS d;
SELECT id, d.* FROM customer, discount_use(t, 'purchase', '*[coupon=JAN]', '2026-01-31 23:59:59Z') AS d;
-- all customers: dependence on discounts, in orders, in money and in customers
SELECT sum(discounted_orders) / sum(orders) AS of_orders, round((sum(discounted_value) / sum(value))::numeric, 12) AS of_value, avg(is_sale_only::int) AS sale_only, count(is_sale_only) AS customers
FROM customer, discount_use(t, 'purchase', 'purchase[coupon=*]');
-- margin beside revenue: costs are events of their own, with the coupon of their order
SELECT kind, d.* FROM (VALUES ('{2026-01-01T00:00:00Z cost =-9 {"coupon": "JAN"}, 2026-01-01T00:00:00Z purchase =10 {"coupon": "JAN"}, 2026-02-01T00:00:00Z cost =-15, 2026-02-01T00:00:00Z purchase =20, 2026-02-02T00:00:00Z cost =-2.5}'::timeline)) AS v (t),
	(VALUES ('revenue', 'purchase'), ('margin', 'purchase|cost')) AS k (kind, purchase), discount_use(t, purchase, '*[coupon=*]') AS d;
-- discounted orders by a name of their own; a pattern that matches no purchase counts for nothing
SELECT n, d.* FROM (VALUES (1, 'purchase|sale_purchase', 'sale_purchase'), (2, 'purchase', 'sale_purchase'), (3, 'sale_purchase', '*'), (4, '*', '*'), (5, NULL, '*'), (6, '*', NULL)) AS v (n, purchase, discounted),
	discount_use('{2026-01-01T00:00:00Z sale_purchase =10, 2026-02-01T00:00:00Z purchase =20}', purchase, discounted) AS d ORDER BY n;
SELECT discount_use('{2026-01-01T00:00:00Z a =1, 2026-01-02T00:00:00Z a =1}', 'a', 'b', as_of) AS of, as_of FROM unnest('{infinity,-infinity,NULL,2026-01-01,2026-01-02}'::timestamptz[]) AS as_of;

-- Beside plain SQL: random lines of random orders.
SELECT setseed(0.5);
CREATE TABLE line AS SELECT v AS visitor, '2026-01-01Z'::timestamptz + floor(random() * 12) * interval '1 hour' AS at, (ARRAY['purchase', 'purchase', 'refund', 'visit'])[1 + floor(random() * 4)::int] AS event,
	CASE WHEN random() < 0.8 THEN (random() * 30 - 8)::numeric(10, 2) END AS value, (ARRAY['x', NULL])[1 + floor(random() * 2)::int] AS coupon FROM generate_series(1, 300) AS v, generate_series(1, 6);
SELECT count(*) AS visitors, count(*) FILTER (WHERE d.orders > 2) > 50 AS some_orders, count(*) FILTER (WHERE d.is_sale_only) > 20 AS some_sale_only, count(*) FILTER (WHERE d.orders IS NULL) > 5 AS some_none,
	count(*) FILTER (WHERE (d.orders, d.discounted_orders, d.value::numeric, d.discounted_value::numeric, d.is_sale_only) IS DISTINCT FROM (e.orders, e.discounted_orders, e.value, e.discounted_value, e.is_sale_only)) AS different
FROM (SELECT visitor, timeline(at, event, NULL, value, CASE WHEN coupon IS NOT NULL THEN jsonb_build_object('coupon', coupon) END) AS t FROM line GROUP BY visitor) AS s
	CROSS JOIN LATERAL discount_use(t, 'purchase|refund', '*[coupon=x]', '2026-01-01 05:00Z') AS d
	LEFT JOIN (SELECT visitor, count(*) FILTER (WHERE is_order) AS orders, count(*) FILTER (WHERE is_discounted) AS discounted_orders, coalesce(sum(value), 0) AS value, coalesce(sum(discounted_value), 0) AS discounted_value,
			bool_and(is_discounted) FILTER (WHERE is_order) AS is_sale_only
		FROM (SELECT visitor, at, bool_or(value IS NULL OR value >= 0) AS is_order, bool_or((value IS NULL OR value >= 0) AND coupon IS NOT NULL) AS is_discounted, sum(value) AS value, sum(value) FILTER (WHERE coupon IS NOT NULL) AS discounted_value
			FROM line WHERE event IN ('purchase', 'refund') AND at <= '2026-01-01 05:00Z' GROUP BY visitor, at) AS o GROUP BY visitor HAVING bool_or(is_order)) AS e USING (visitor);

SELECT * FROM discount_use('{}', 'a[', 'a');
SELECT * FROM discount_use('{}', 'a', 'a[');
SELECT discount_use('{2026-01-01T00:00:00Z a =1.7e308, 2026-01-01T00:00:01Z a =1.7e308}', 'a', 'a');
DROP TABLE customer, line;
