-- Customer lifetime value: what its parts say, put together.
CREATE TEMP TABLE customer (frequency int, recency float8, age float8, monetary_value float8);
INSERT INTO customer VALUES (0, 0, 30, 0), (0, 0, 0, NULL), (1, 5.5, 38.86, 22.35), (7, 29.4, 38.86, 73.74), (7, 12, 38.86, 73.74), (29, 38.8, 38.86, 12.5), (2, 10, 38.86, 0);
CREATE TEMP TABLE value_model AS SELECT gamma_gamma(6.25, 3.74, 15.44) AS values;

-- margin * value * purchases - cost, for each model, with a horizon and without
SELECT count(*) AS cases, count(*) FILTER (WHERE abs(clv - parts) <= 1e-12 * abs(parts) IS NOT TRUE) AS different
FROM (SELECT clv(model, values, frequency, recency, age, monetary_value, horizon, rate, margin, cost) AS clv,
		margin * expected_value(values, frequency, monetary_value) * discounted_purchases(model, rate, frequency, recency, age, horizon) - cost AS parts
	FROM customer, value_model, bgnbd(0.2426, 4.414, 0.793, 2.426) AS model, unnest('{13,52,NULL}'::float8[]) AS horizon,
		unnest('{0.001,0.01}'::float8[]) AS rate, unnest('{1,0.3}'::float8[]) AS margin, unnest('{0,12.5}'::float8[]) AS cost
	UNION ALL
	SELECT clv(model, values, frequency, recency, age, monetary_value, horizon, rate, 0.3, 5),
		0.3 * expected_value(values, frequency, monetary_value) * discounted_purchases(model, rate, frequency, recency, age, horizon) - 5
	FROM customer, value_model, mbgnbd(0.5248, 6.183, 0.8914, 1.614) AS model, unnest('{13,52,NULL}'::float8[]) AS horizon, unnest('{0.001,0.01}'::float8[]) AS rate
	UNION ALL
	SELECT clv(model, values, frequency, recency, age, monetary_value, horizon, rate, 0.3, 5),
		0.3 * expected_value(values, frequency, monetary_value) * discounted_purchases(model, rate, frequency, recency, age, horizon) - 5
	FROM customer, value_model, paretonbd(0.5533, 10.578, 0.6062, 11.669) AS model, unnest('{13,52,NULL}'::float8[]) AS horizon, unnest('{0.001,0.01}'::float8[]) AS rate
	UNION ALL
	SELECT clv(model, values, frequency, floor(recency), 40, monetary_value, horizon, rate, 0.3, 5),
		0.3 * expected_value(values, frequency, monetary_value) * discounted_purchases(model, rate, frequency, floor(recency), 40, horizon) - 5
	FROM customer, value_model, bgbb(1.204, 0.75, 0.657, 2.783) AS model, unnest('{13,52,NULL}'::float8[]) AS horizon, unnest('{0.01,0.1}'::float8[]) AS rate) AS c;

-- infinity is no horizon, and an undiscounted horizon needs no rate
SELECT clv(model, values, 2, 10, 38.86, 30, 'infinity', 0.001) = clv(model, values, 2, 10, 38.86, 30, NULL, 0.001) AS no_horizon,
	abs(clv(model, values, 2, 10, 38.86, 30, 52) / (expected_value(values, 2, 30) * expected_purchases(model, 52, 2, 10, 38.86)) - 1) < 1e-12 AS no_rate,
	clv(model, values, 2, 10, 38.86, 30, 0, acquisition_cost => 20) AS no_time
FROM value_model, mbgnbd(0.5248, 6.183, 0.8914, 1.614) AS model;

-- a longer horizon, a lower rate and a better margin are worth more
SELECT bool_and(a < b AND b < c AND b < d AND b < e) AS is_worth_more
FROM customer, value_model, mbgnbd(0.5248, 6.183, 0.8914, 1.614) AS model,
	LATERAL (SELECT clv(model, values, frequency, recency, age, monetary_value, 26, 0.001, 0.3) AS a, clv(model, values, frequency, recency, age, monetary_value, 52, 0.001, 0.3) AS b,
		clv(model, values, frequency, recency, age, monetary_value, 52, 0.0005, 0.3) AS c, clv(model, values, frequency, recency, age, monetary_value, 52, 0.001, 0.4) AS d,
		clv(model, values, frequency, recency, age, monetary_value, NULL, 0.001, 0.3) AS e) AS v;

-- without a history, or a model with parameters, there is nothing to say
SELECT clv(model, values, NULL, 0, 0, 0, 52) AS no_frequency, clv(model, values, 1, NULL, 9, 5, 52) AS no_recency, clv(model, values, 1, 3, 9, NULL, 52) AS no_value,
	clv(NULL::mbgnbd, values, 0, 0, 0, 0, 52) AS no_model, clv(model, NULL, 0, 0, 0, 0, 52) AS no_values,
	clv('{"outcome": "too_few", "customers": 1}'::mbgnbd, values, 0, 0, 0, 0, 52) AS no_fit, clv(model, '{"outcome": "too_few", "customers": 1}'::gamma_gamma, 0, 0, 0, 0, 52) AS no_values_fit
FROM value_model, mbgnbd(0.5248, 6.183, 0.8914, 1.614) AS model;
SELECT clv(model, values, 0, 0, 0, NULL, 52, margin => NULL, acquisition_cost => NULL, rate => NULL) = clv(model, values, 0, 0, 0, 0, 52) AS options_not_set
FROM value_model, mbgnbd(0.5248, 6.183, 0.8914, 1.614) AS model;

-- where the mean value is infinite: never NaN
SELECT clv(model, values, 0, 0, 0, 0, 52) AS for_ever, clv(model, values, 0, 0, 0, 0, 0) AS no_time, clv(model, values, 0, 0, 0, 0, 52, margin => 0) AS no_margin,
	clv(model, values, 3, 5, 9, 10, 52) < 'infinity' AS own_mean
FROM gamma_gamma(6.25, 0.9, 15.44) AS values, mbgnbd(0.5248, 6.183, 0.8914, 1.614) AS model;

-- Bad input
SELECT clv(model, values, 1, 10, 9, 5, 52) FROM value_model, mbgnbd(0.5248, 6.183, 0.8914, 1.614) AS model;
SELECT clv(model, values, -1, 0, 9, 5, 52) FROM value_model, mbgnbd(0.5248, 6.183, 0.8914, 1.614) AS model;
SELECT clv(model, values, 1, 3, 9, -5, 52) FROM value_model, mbgnbd(0.5248, 6.183, 0.8914, 1.614) AS model;
SELECT clv(model, values, 1, 3, 9, 5, -1) FROM value_model, mbgnbd(0.5248, 6.183, 0.8914, 1.614) AS model;
SELECT clv(model, values, 1, 3, 9, 5, 'NaN') FROM value_model, mbgnbd(0.5248, 6.183, 0.8914, 1.614) AS model;
SELECT clv(model, values, 1, 3, 9, 5, 52, -0.1) FROM value_model, mbgnbd(0.5248, 6.183, 0.8914, 1.614) AS model;
SELECT clv(model, values, 1, 3, 9, 5) FROM value_model, mbgnbd(0.5248, 6.183, 0.8914, 1.614) AS model;
SELECT clv(model, values, 1, 3, 9, 5, 52, margin => 'infinity') FROM value_model, mbgnbd(0.5248, 6.183, 0.8914, 1.614) AS model;
SELECT clv(model, values, 1, 3, 9, 5, 52, margin => 40) FROM value_model, mbgnbd(0.5248, 6.183, 0.8914, 1.614) AS model;
SELECT clv(model, values, 1, 3, 9, 5, 52, acquisition_cost => 'NaN') FROM value_model, mbgnbd(0.5248, 6.183, 0.8914, 1.614) AS model;
SELECT clv(model, values, 1, 3.5, 9, 5, 52) FROM value_model, bgbb(1.204, 0.75, 0.657, 2.783) AS model;
