-- purchase_probability: the probability of exactly so many purchases in a time to come.

SELECT purchases,
    purchase_probability(bgnbd(0.2426, 4.414, 0.793, 2.426), purchases, 39, 2, 30.43, 38.86)::numeric(10, 8) AS bgnbd,
    purchase_probability(mbgnbd(0.52484, 6.18309, 0.89136, 1.61400), purchases, 39, 2, 30.43, 38.86)::numeric(10, 8) AS mbgnbd,
    purchase_probability(paretonbd(0.5533, 10.578, 0.6062, 11.669), purchases, 39, 2, 30.43, 38.86)::numeric(10, 8) AS paretonbd,
    purchase_probability(bgbb(1.204, 0.750, 0.657, 2.783), purchases, 5, 2, 5, 6)::numeric(10, 8) AS bgbb
FROM generate_series(0, 7) AS purchases;

-- Of a new customer: the published P(X(t) = x) of CDNOW, here by hand for 0 and 1.
SELECT abs(purchase_probability(bgnbd(0.2426, 4.414, 0.793, 2.426), 0, 39) / power(4.414 / (4.414 + 39), 0.2426) - 1) < 1e-14 AS none,
    abs(purchase_probability(bgnbd(0.2426, 4.414, 0.793, 2.426), 1, 39)
        / (2.426 / (0.793 + 2.426) * 0.2426 * power(4.414 / (4.414 + 39), 0.2426) * 39 / (4.414 + 39)
            + 0.793 / (0.793 + 2.426) * (1 - power(4.414 / (4.414 + 39), 0.2426))) - 1) < 1e-14 AS one;

-- They sum to 1, and their mean is what is to be expected.
SELECT model, abs(sum(probability) - 1) < 1e-12 AS sums_to_1, abs(sum(n * probability) / max(expected) - 1) < 1e-11 AS has_mean
FROM generate_series(0, 3000) AS n,
    LATERAL (VALUES
        ('bgnbd', purchase_probability(bgnbd(2, 5, 2, 3), n, 30, 12, 20, 21), expected_purchases(bgnbd(2, 5, 2, 3), 30, 12, 20, 21)),
        ('mbgnbd', purchase_probability(mbgnbd(2, 5, 2, 3), n, 30, 12, 20, 21), expected_purchases(mbgnbd(2, 5, 2, 3), 30, 12, 20, 21)),
        ('paretonbd', purchase_probability(paretonbd(2, 5, 2, 3), n, 30, 12, 20, 21), expected_purchases(paretonbd(2, 5, 2, 3), 30, 12, 20, 21)))
        AS models (model, probability, expected)
GROUP BY model ORDER BY model;
SELECT abs(sum(purchase_probability(bgbb(1.204, 0.750, 0.657, 2.783), n, 20, 4, 5, 6)) - 1) < 1e-12 AS sums_to_1,
    abs(sum(n * purchase_probability(bgbb(1.204, 0.750, 0.657, 2.783), n, 20, 4, 5, 6)) / expected_purchases(bgbb(1.204, 0.750, 0.657, 2.783), 20, 4, 5, 6) - 1) < 1e-12 AS has_mean
FROM generate_series(0, 20) AS n;

-- No time: none. Huge numbers take no longer than small ones.
SELECT n, purchase_probability(mbgnbd(1, 1, 1, 1), n, 0, 1, 2, 3) AS no_time, purchase_probability(bgnbd(0.2426, 4.414, 0.793, 2.426), n, 1e9, 5, 20, 30)::numeric(30, 25) AS long_time
FROM unnest(ARRAY[0, 1, 1000000, 2147483647]) AS n;

-- NULL, and a fit that had nothing to fit
SELECT purchase_probability(NULL::bgnbd, 1, 1) IS NULL AND purchase_probability(bgnbd(1, 1, 1, 1), NULL, 1) IS NULL AND
    purchase_probability(bgnbd(1, 1, 1, 1), 1, NULL) IS NULL AND purchase_probability(bgnbd(1, 1, 1, 1), 1, 1, NULL, NULL, NULL) IS NULL AS nulls,
    purchase_probability('{"outcome": "too_few", "customers": 1}'::bgbb, 1, 1) IS NULL AS no_parameters;

-- Bad input
SELECT purchase_probability(bgnbd(1, 1, 1, 1), -1, 1);
SELECT purchase_probability(mbgnbd(1, 1, 1, 1), 1, -1);
SELECT purchase_probability(bgnbd(1, 1, 1, 1), 1, 'Infinity');
SELECT purchase_probability(bgbb(1, 1, 1, 1), 1, 0.5);
SELECT purchase_probability(bgnbd(1, 1, 1, 1), 1, 1, 1, 'NaN', 2);
