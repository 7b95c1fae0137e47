--
-- expected_value(gamma_gamma, frequency, monetary_value): what a customer's next purchase is worth
--
SET extra_float_digits = 0;

-- CDNOW as published: a new customer, and the mean of one's own purchases against that of all
SELECT round(expected_value(m)::numeric, 2) AS new, round(expected_value(m, 1, 35)::numeric, 2) AS once, round(expected_value(m, 2, 35)::numeric, 2) AS twice,
	round(expected_value(m, 5000, 35)::numeric, 2) AS often, round(expected_value(m, 7, 22)::numeric, 2) AS less
FROM gamma_gamma(6.25, 3.74, 15.44) m;

-- the formula in numeric, where it has no trap
SELECT count(*) AS cases, count(*) FILTER (WHERE NOT abs(expected_value(gamma_gamma(p, q, v), x, m) / formula - 1) < 1e-14) AS wrong
FROM unnest(ARRAY[0.01, 0.5, 1, 6.25, 3000]) p, unnest(ARRAY[1.0009765625, 1.5, 3.74, 2000]) q, unnest(ARRAY[0.001, 15.44, 1e6]) v, unnest(ARRAY[0, 1, 2, 17, 5000]) x, unnest(ARRAY[0.01, 35.5, 1e5]) m,
	LATERAL (SELECT (p::numeric * (v::numeric + x * m::numeric) / (p::numeric * x + q::numeric - 1))::float8) f (formula);

-- between the own mean and that of all; nearer to the own with each purchase
SELECT bool_and(value BETWEEN 35 AND mean) AS between, bool_and(value < coalesce(before, 'infinity')) AS nearer
FROM (SELECT expected_value(g, x, 35) AS value, expected_value(g) AS mean, lag(expected_value(g, x, 35)) OVER (ORDER BY x) AS before
	FROM gamma_gamma(6.25, 3.74, 15.44) g, generate_series(0, 300) x) t;

-- an infinite mean is never a negative value, and a customer's own purchases can make it finite
SELECT q, expected_value(g) AS new, expected_value(g, 0, 20) AS no_repeat, round(expected_value(g, 1, 20)::numeric, 4) AS once, round(expected_value(g, 5, 20)::numeric, 4) AS five_times
FROM unnest(ARRAY[0.1, 0.5, 0.75, 0.999999999999, 1, 1.000000000001]) q, gamma_gamma(0.25, q, 10) g;
-- near the limit no digit is lost; 3 * 0.1 + 0.7 is a little less than 1 in binary
SELECT expected_value(gamma_gamma(1.000000000001, 1e-12, 5), 1, 0.01) / 2504888656972.353 BETWEEN 1 - 1e-14 AND 1 + 1e-14 AS near, expected_value(gamma_gamma(0.1, 0.7, 1), 3, 1) AS tenths,
	expected_value(gamma_gamma(1e308, 2, 1e-3), 2147483647, 5) AS huge_p, expected_value(gamma_gamma(1, 1, 1e-300), 1, 1e300) AS huge_value;

-- frequency 0: the value is not looked at, as purchase_summary has none there
SELECT expected_value(g, 0, m) = expected_value(g) AS same FROM gamma_gamma(6.25, 3.74, 15.44) g, unnest('{NULL,0,-1,NaN,Infinity}'::float8[]) m;
SELECT expected_value(g, NULL, 10) AS no_frequency, expected_value(g, 2) AS no_value, expected_value(NULL, 2, 10) AS no_model,
	expected_value(gamma_gamma_fit(s), 2, 10) AS no_fit, expected_value(g, frequency => 2, monetary_value => 10) IS NOT NULL AS named
FROM gamma_gamma(6.25, 3.74, 15.44) g, (SELECT spend_histories(1, 5.0::float8) FROM generate_series(1, 3)) t (s);

-- repeat purchases that were all free
SELECT round(expected_value(gamma_gamma(6, 4, 15), 3, 0)::numeric, 6) AS after_free_ones, round((6 * 15 / (6 * 3 + 4 - 1.0)), 6) AS formula;

-- mistakes
SELECT expected_value(gamma_gamma(6, 4, 15), -1, 10);
SELECT expected_value(gamma_gamma(6, 4, 15), 1, -10);
SELECT expected_value(gamma_gamma(6, 4, 15), 1, 'NaN');
SELECT expected_value(gamma_gamma(6, 4, 15), 1, 'infinity');
