-- discounted_purchases: purchases to come, each worth the less the later it is.

-- 15% a year of 52 weeks, continuously: for all time to come, and for a year.
SELECT frequency, recency, age,
    discounted_purchases(bgnbd(0.2426, 4.414, 0.793, 2.426), 0.15 / 52, frequency, recency, age)::numeric(10, 6) AS bgnbd,
    discounted_purchases(mbgnbd(0.52484, 6.18309, 0.89136, 1.61400), 0.15 / 52, frequency, recency, age)::numeric(10, 6) AS mbgnbd,
    discounted_purchases(paretonbd(0.5533, 10.578, 0.6062, 11.669), 0.15 / 52, frequency, recency, age)::numeric(10, 6) AS paretonbd,
    discounted_purchases(bgnbd(0.2426, 4.414, 0.793, 2.426), 0.15 / 52, frequency, recency, age, 52)::numeric(10, 6) AS bgnbd_year,
    discounted_purchases(mbgnbd(0.52484, 6.18309, 0.89136, 1.61400), 0.15 / 52, frequency, recency, age, horizon => 52)::numeric(10, 6) AS mbgnbd_year
FROM (VALUES (0, 0, 0), (2, 30.43, 38.86), (7, 29.43, 38.86), (26, 38.5, 39)) AS buyer (frequency, recency, age);

-- BG/BB: the rate is effective per opportunity.
SELECT discounted_purchases(bgbb(1.204, 0.750, 0.657, 2.783), 0.1, 4, 5, 6)::numeric(10, 6) AS for_ever,
    discounted_purchases(bgbb(1.204, 0.750, 0.657, 2.783), 0.1, 4, 5, 6, 5)::numeric(10, 6) AS five_times;

-- Infinity says what NULL does; a horizon far away as well; and without a rate nothing is discounted.
SELECT discounted_purchases(model, 0.003, 2, 3, 4, NULL) = discounted_purchases(model, 0.003, 2, 3, 4, 'Infinity') AS infinite,
    abs(discounted_purchases(model, 0.003, 2, 3, 4, 1e6) / discounted_purchases(model, 0.003, 2, 3, 4) - 1) < 1e-13 AS far,
    discounted_purchases(model, 0, 2, 3, 4, 39) = expected_purchases(model, 39, 2, 3, 4) AS no_rate,
    abs(discounted_purchases(model, 1e-12, 2, 3, 4, 39) / expected_purchases(model, 39, 2, 3, 4) - 1) < 1e-10 AS small_rate
FROM mbgnbd(0.52484, 6.18309, 0.89136, 1.61400) AS model;

-- By parts: e^(-d h) E(h) + d times the integral of e^(-d t) E(t), here by Simpson's rule.
SELECT abs(discounted_purchases(bgnbd(0.2426, 4.414, 0.793, 2.426), 0.01, 2, 3, 4, 40)
    / (exp(-0.4) * expected_purchases(bgnbd(0.2426, 4.414, 0.793, 2.426), 40, 2, 3, 4) + 0.01 * sum(0.1 / 3 * CASE WHEN i IN (0, 400) THEN 1 WHEN i % 2 = 1 THEN 4 ELSE 2 END
        * exp(-0.001 * i) * expected_purchases(bgnbd(0.2426, 4.414, 0.793, 2.426), i * 0.1, 2, 3, 4))) - 1) < 1e-8 AS by_parts
FROM generate_series(0, 400) AS i;

-- Soon lost, and a discount that counts: the rule of Gauss and Legendre needs its 32 nodes
SELECT abs(discounted_purchases(model, 0.8, horizon => 6)
    / (exp(-4.8) * expected_purchases(model, 6) + 0.8 * sum(0.0015 / 3 * CASE WHEN i IN (0, 4000) THEN 1 WHEN i % 2 = 1 THEN 4 ELSE 2 END
        * exp(-0.0012 * i) * expected_purchases(model, i * 0.0015))) - 1) < 1e-11 AS by_parts
FROM bgnbd(20, 4.4, 50, 2) AS model, generate_series(0, 4000) AS i
GROUP BY model;

-- Many purchases and hardly any discount: the integral is as short as any
SELECT round(discounted_purchases(mbgnbd(0.24, 4.4, 1e9, 1e9), 1e-300, 2147483647, 5, 5)::numeric, 6) AS soon_lost,
	discounted_purchases(paretonbd(0.5, 10, 0.6, 11), 1e308, 0, 0, 10) < 1e-300 AS next_to_nothing;

-- The end of what doubles hold: never NaN
SELECT count(*) AS cases, count(*) FILTER (WHERE discounted >= 0) AS numbers
FROM (SELECT unnest(ARRAY[discounted_purchases(bgnbd(r, alpha, a, b), rate, frequency, recency, age), discounted_purchases(mbgnbd(r, alpha, a, b), rate, frequency, recency, age, 1e300)]) AS discounted
    FROM unnest(ARRAY[1e-300, 1, 1e300]) AS r, unnest(ARRAY[1e-300, 1, 1e300]) AS alpha, unnest(ARRAY[1e-300, 1, 1e300]) AS a, unnest(ARRAY[1e-300, 1, 1e300]) AS b,
        unnest(ARRAY[1e-300, 1, 1e300]) AS rate, (VALUES (0, 0, 0), (1, 0, 1), (1, 1e300, 1e300)) AS buyer (frequency, recency, age)) AS extremes;

-- NULL, and a fit that had nothing to fit
SELECT discounted_purchases(NULL::bgnbd, 1) IS NULL AND discounted_purchases(bgnbd(1, 1, 1, 1), NULL) IS NULL AND
    discounted_purchases(bgnbd(1, 1, 1, 1), 1, NULL, 1, 2) IS NULL AND discounted_purchases(bgnbd(1, 1, 1, 1), 1, 1, NULL, 2) IS NULL AND
    discounted_purchases(bgnbd(1, 1, 1, 1), 1, 1, 1, NULL) IS NULL AS nulls,
    discounted_purchases('{"outcome": "too_few", "customers": 1}'::bgnbd, 1) IS NULL AS no_parameters;

-- Bad input
SELECT discounted_purchases(bgnbd(1, 1, 1, 1), -0.01);
SELECT discounted_purchases(bgnbd(1, 1, 1, 1), 0);
SELECT discounted_purchases(bgbb(1, 1, 1, 1), 'NaN');
SELECT discounted_purchases(bgnbd(1, 1, 1, 1), 'Infinity');
SELECT discounted_purchases(mbgnbd(1, 1, 1, 1), 0.1, horizon => -1);
SELECT discounted_purchases(bgbb(1, 1, 1, 1), 0.1, horizon => 2.5);
SELECT discounted_purchases(bgnbd(1, 1, 1, 1), 0.1, 1, 3, 2);
