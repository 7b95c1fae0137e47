-- expected_purchases: how often a customer will buy in a time to come.

-- CDNOW: the next 39 weeks of the published customer (x = 2, tx = 30.43, T = 38.86), and of others.
SELECT frequency, recency, age,
    expected_purchases(bgnbd(0.2426, 4.414, 0.793, 2.426), 39, frequency, recency, age)::numeric(10, 6) AS bgnbd,
    expected_purchases(mbgnbd(0.52484, 6.18309, 0.89136, 1.61400), 39, frequency, recency, age)::numeric(10, 6) AS mbgnbd,
    expected_purchases(paretonbd(0.5533, 10.578, 0.6062, 11.669), 39, frequency, recency, age)::numeric(10, 6) AS paretonbd
FROM (VALUES (2, 30.43, 38.86), (0, 0, 38.86), (1, 1.71, 38.86), (7, 29.43, 38.86), (26, 38.5, 39)) AS buyer (frequency, recency, age);

-- A new customer: no history is that of one who has just bought for the first time.
SELECT horizon, expected_purchases(bgnbd(0.2426, 4.414, 0.793, 2.426), horizon)::numeric(10, 6) AS bgnbd,
    expected_purchases(mbgnbd(0.52484, 6.18309, 0.89136, 1.61400), horizon)::numeric(10, 6) AS mbgnbd,
    expected_purchases(paretonbd(0.5533, 10.578, 0.6062, 11.669), horizon)::numeric(10, 6) AS paretonbd,
    expected_purchases(bgbb(1.204, 0.750, 0.657, 2.783), horizon)::numeric(10, 6) AS bgbb
FROM unnest(ARRAY[0, 1, 39, 78, 520]) AS horizon;
SELECT expected_purchases(bgnbd(1, 2, 3, 4), 5) = expected_purchases(bgnbd(1, 2, 3, 4), 5, 0, 0, 0) AS same;

-- By options that are named
SELECT expected_purchases(model => mbgnbd(0.52484, 6.18309, 0.89136, 1.61400), frequency => 2, recency => 30.43, age => 38.86, horizon => 39)::numeric(10, 6) AS expected;

-- a = 1, where the published formula divides by 0, is between its neighbours; so is a + b = 1.
SELECT frequency, expected_purchases(bgnbd(0.5, 10, 1, 2), 52, frequency, frequency, 30)::numeric(12, 9) AS at_1,
    ((expected_purchases(bgnbd(0.5, 10, 0.99999, 2), 52, frequency, frequency, 30) + expected_purchases(bgnbd(0.5, 10, 1.00001, 2), 52, frequency, frequency, 30)) / 2)::numeric(12, 9) AS around_1,
    expected_purchases(bgnbd(0.5, 10, 0.25, 0.75), 52, frequency, frequency, 30)::numeric(12, 9) AS sum_1,
    ((expected_purchases(bgnbd(0.5, 10, 0.25, 0.74999), 52, frequency, frequency, 30) + expected_purchases(bgnbd(0.5, 10, 0.25, 0.75001), 52, frequency, frequency, 30)) / 2)::numeric(12, 9) AS around_sum_1
FROM unnest(ARRAY[0, 1, 20]) AS frequency;

-- The sum and the integral meet: no step where one takes over from the other.
SELECT count(*), bool_and(step BETWEEN 0 AND 1.05 * previous) AS no_step
FROM (SELECT frequency, horizon, expected - lag(expected) OVER w AS step, lag(expected, 1) OVER w - lag(expected, 2) OVER w AS previous
    FROM (SELECT frequency, horizon, expected_purchases(bgnbd(0.2426, 4.414, 0.793, 2.426), horizon, frequency, 20, 30) AS expected
        FROM unnest(ARRAY[1, 5, 30, 300]) AS frequency, generate_series(1, 600) AS horizon) AS expectations
    WINDOW w AS (PARTITION BY frequency ORDER BY horizon)) AS steps
WHERE previous IS NOT NULL;

-- Very far and very near: never NaN
SELECT horizon, expected_purchases(bgnbd(0.2426, 4.414, 0.793, 2.426), horizon, 3, 2, 4) AS bgnbd
FROM unnest(ARRAY[0, 1e-300, 1e-12]::float8[]) AS horizon;
SELECT count(*) AS cases, count(*) FILTER (WHERE expected >= 0) AS numbers
FROM (SELECT unnest(ARRAY[expected_purchases(bgnbd(r, alpha, a, b), horizon, frequency, recency, age), expected_purchases(mbgnbd(r, alpha, a, b), horizon, frequency, recency, age)]) AS expected
    FROM unnest(ARRAY[1e-300, 1, 1e300]) AS r, unnest(ARRAY[1e-300, 1, 1e300]) AS alpha, unnest(ARRAY[1e-300, 1, 1e300]) AS a, unnest(ARRAY[1e-300, 1, 1e300]) AS b,
        unnest(ARRAY[1e-300, 1, 1e300]) AS horizon, (VALUES (0, 0, 0), (1, 0, 1), (1, 1e300, 1e300), (1000000, 3, 3)) AS buyer (frequency, recency, age)) AS extremes;

-- NULL, and a fit that had nothing to fit
SELECT expected_purchases(NULL::bgnbd, 1) IS NULL AND expected_purchases(bgnbd(1, 1, 1, 1), NULL) IS NULL AND
    expected_purchases(bgnbd(1, 1, 1, 1), 1, NULL, NULL, NULL) IS NULL AS nulls,
    expected_purchases('{"outcome": "too_few", "customers": 1}'::paretonbd, 1) IS NULL AS no_parameters;

-- Bad input
SELECT expected_purchases(bgnbd(1, 1, 1, 1), -1);
SELECT expected_purchases(bgnbd(1, 1, 1, 1), 'NaN');
SELECT expected_purchases(paretonbd(1, 1, 1, 1), 'Infinity', 1, 1, 2);
SELECT expected_purchases(bgbb(1, 1, 1, 1), 1.5);
SELECT expected_purchases(bgnbd(1, 1, 1, 1), 1, 1, 3, 2);
SELECT expected_purchases(mbgnbd(1, 1, 1, 1), 1, -3);
