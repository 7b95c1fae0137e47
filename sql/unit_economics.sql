-- Unit economics: formulas on numbers.

-- The simple formula in both conventions, and the sum that it stands for.
SELECT margin, r, d, first, round(simple_clv(margin, r, d, first)::numeric, 6) AS clv,
	round(simple_clv(margin, r, d, first)::numeric, 6) = round((SELECT sum(margin * (r / (1 + d)) ^ t) FROM generate_series(first, CASE WHEN r > 0.95 THEN 3000 ELSE 900 END) AS t)::numeric, 6) AS is_sum
FROM (VALUES (100::float8, 0.8::float8, 0.1::float8), (100, 0.8, 0), (-30, 0.5, 0.1), (100, 0, 0.1), (100, 1, 0.1), (0, 0.8, 0.1), (100, 0.5, -0.25), (12.5, 0.99, 0.005)) AS v (margin, r, d), generate_series(0, 1) AS first
ORDER BY margin, r, d, first;
SELECT round(simple_clv(100, 0.8, 0.1)::numeric, 9) AS from_period_1, round(simple_clv(100, 0.8, 0.1, first_margin => 0)::numeric, 9) AS at_once,
	simple_clv(100, 0.8, 0.1, NULL) = simple_clv(100, 0.8, 0.1, 1) AS default_is_1;
-- the difference is the first margin; near the pole nothing is lost
SELECT simple_clv(40, 0.7, 0.12, 0) - simple_clv(40, 0.7, 0.12, 1) AS first_margin, simple_clv(1, 1, 1e-12) AS for_ever, simple_clv(1, 1, 1e-300) AS nearly_for_ever,
	simple_clv(1, 1 - 2 ^ -53, 0) = 2 ^ 53 - 1 AS exact;
SELECT simple_clv(NULL, 0.8, 0.1) AS margin, simple_clv(100, NULL, 0.1) AS retention_rate, simple_clv(100, 0.8, NULL) AS discount_rate;

-- Ratios.
SELECT customer_acquisition_cost(5000, 40) AS cac, customer_acquisition_cost(5000, 40.5) AS shared, customer_acquisition_cost(0, 40) AS free, customer_acquisition_cost(5000, 0) AS nobody;
SELECT clv_to_cac(375, 125) AS clv_to_cac, clv_to_cac(-50, 125) AS loss, clv_to_cac(375, 0) AS free;
SELECT roi(1250, 1000) AS roi, roi(400, 1000) AS loss, roi(-400, 1000) AS worse, roi(1000, 1000) AS even, roi(10, 0) AS free;
SELECT romi(3000, 1000) AS romi, romi(900, 1000) AS loss, romi(10, 0) AS free;
SELECT repeat_rate(30, 120) AS repeat_rate, repeat_rate(0, 120) AS none, repeat_rate(120, 120) AS all_of_them, repeat_rate(0, 0) AS nobody;
SELECT churn_rate(200, 30) AS churn_rate, churn_rate(200, 0) AS none, churn_rate(200, 200) AS all_of_them, churn_rate(0, 0) AS nobody;
SELECT retention_rate(200, 210, 40) AS retention_rate, retention_rate(200, 40, 40) AS none, retention_rate(200, 200, 0) AS all_of_them, retention_rate(0, 5, 5) AS nobody,
	retention_rate(200, 210, 40) + churn_rate(200, 30) AS both;
SELECT average_order_value(1234.5, 10) AS aov, average_order_value(-5, 10) AS refunded, average_order_value(0, 0) AS nothing;
SELECT average_revenue_per_user(1234.5, 100) AS arpu, average_revenue_per_user(0, 100) AS nothing, average_revenue_per_user(0, 0) AS nobody;
-- arguments as tables have them: numeric, integers of all kinds, sums, text from psql variables
SELECT customer_acquisition_cost(sum(spend), count(*)) AS cac, average_order_value(sum(revenue), sum(orders)) AS aov, average_revenue_per_user(sum(cents) / 100.0, count(*)) AS arpu,
	churn_rate(count(*), count(*) FILTER (WHERE revenue < 20)) AS churn, retention_rate('4', '5', '2') AS from_text, roi('110', 100::smallint) AS roi
FROM (VALUES (10.5, 19.99, 1, 1999), (9.5, 20.01, 2, 2001)) AS v (spend, revenue, orders, cents);
SELECT (SELECT count(*) FROM (VALUES (roi(NULL, 1)), (roi(1, NULL)), (romi(NULL, 1)), (clv_to_cac(NULL, 1)), (customer_acquisition_cost(1, NULL)), (repeat_rate(NULL, 1)),
	(churn_rate(NULL, 1)), (retention_rate(1, 1, NULL)), (average_order_value(NULL, 1)), (average_revenue_per_user(1, NULL))) AS v (r) WHERE r IS NOT NULL) AS not_null;

-- Payback: of 40 a period, and of what is worth less each period.
SELECT cost, payback_period(cost, '{40,40,40}') AS payback, round(payback_period(cost, '{40,40,40}', 0.1)::numeric, 6) AS discounted FROM unnest('{0,1,40,79,80,100,109.42,109.43,120,120.01}'::float8[]) AS cost;
SELECT payback_period(100, '{}') AS nothing, payback_period(100, '{50,NULL,50}') AS not_known, payback_period(50, '{50,NULL}') AS known, payback_period(100, '{120,-50,50}') AS first_time,
	payback_period(100, '{50,-50,60,60}') AS after_loss, payback_period(100, '{0,0,100}') AS late, payback_period(100, '[5:6]={50,100}') AS bounds, payback_period(0, '{}') AS free, payback_period(0, '{NaN}') AS unread;
SELECT payback_period(NULL, '{1}') AS cost, payback_period(1, NULL) AS margins, payback_period(100, '{40,40,40}', NULL) AS no_discount, payback_period(100, ARRAY[40, 40.5, 40]) AS numbers;
-- ten times a tenth is what a tenth means
SELECT payback_period(0.3, '{0.1,0.1,0.1}') AS tenths, payback_period(1, array_fill(0.1::float8, '{10}')) AS ten_tenths;
-- margins at the end of their periods: 1,000 now, 400 a year, at 10 %
SELECT round(payback_period(1000 * 1.1, '{400,400,400,400}', 0.1)::numeric, 4) AS textbook;
SELECT payback_period(1e300, '{1e300,1}', -0.9999999999) AS growing, payback_period(1, '{0,0,1}', 1e300) AS worthless, payback_period(1, array_fill(0::float8, '{2000}'), -0.9) AS nothing;

-- Errors.
CREATE FUNCTION failure(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
	state text;
	result text;
BEGIN
	EXECUTE 'SELECT ' || query INTO result;
	RETURN 'accepted: ' || coalesce(result, 'NULL');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, state = RETURNED_SQLSTATE;
	RETURN state || ' ' || message || CASE WHEN detail = '' THEN '' ELSE ' | ' || detail END;
END
$$;
SELECT call, failure(call) FROM unnest(ARRAY['simple_clv(100, 1.1, 0.1)', 'simple_clv(100, 1, 0)', 'simple_clv(100, 1.1, 0.5)', 'simple_clv(100, 0.9, -0.1)', 'simple_clv(100, 0.95, -0.1)', 'simple_clv(100, 0.5, -1)', 'simple_clv(100, 0.5, -1.5)',
	'simple_clv(100, -0.1, 0.1)', $$simple_clv('NaN', 0.5, 0.1)$$, $$simple_clv(100, 'NaN', 0.1)$$, $$simple_clv(100, 0.5, 'NaN')$$, $$simple_clv('inf', 0.5, 0.1)$$, $$simple_clv(100, 0.5, 'inf')$$,
	'simple_clv(100, 0.5, 0.1, 2)', 'simple_clv(100, 0.5, 0.1, -1)', 'simple_clv(1e308, 1, 1e-12)', 'simple_clv(1, 1, 5e-324)',
	'customer_acquisition_cost(-1, 5)', 'customer_acquisition_cost(1, -5)', $$customer_acquisition_cost('NaN', 5)$$, $$customer_acquisition_cost(1, 'inf')$$, 'customer_acquisition_cost(1e300, 1e-300)',
	'clv_to_cac(1, -1)', $$clv_to_cac('-inf', 1)$$, 'roi(1, -1)', $$roi('NaN', 1)$$, 'romi(1, -1)', $$romi('inf', 1)$$,
	'repeat_rate(3, 2)', 'repeat_rate(1, 0)', 'repeat_rate(-1, 2)', 'churn_rate(2, 3)', 'churn_rate(-2, 3)', 'retention_rate(100, 120, 10)', 'retention_rate(100, 20, 30)', 'retention_rate(0, 1, 0)', 'retention_rate(10, 5, -1)',
	$$average_order_value('NaN', 1)$$, 'average_order_value(1, -1)', $$average_revenue_per_user(1, 'NaN')$$,
	$$payback_period(-1, '{1}')$$, $$payback_period('NaN', '{1}')$$, $$payback_period(1, '{NaN}')$$, $$payback_period(5, '{1,-inf}')$$, $$payback_period(1, '{{1,2}}')$$, $$payback_period(1, '{1}', -1)$$, $$payback_period(1, '{1}', 'NaN')$$,
	$$payback_period(1e300, '{1e299,1e299}', -0.9999999999999999)$$]) AS call;
DROP FUNCTION failure;
