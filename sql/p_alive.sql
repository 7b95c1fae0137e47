-- p_alive: whether a customer is still one.

-- The model of CDNOW's customers, in weeks, and what it says of them after 39 weeks.
SELECT frequency, recency, age,
    p_alive(bgnbd(0.2426, 4.414, 0.793, 2.426), frequency, recency, age)::numeric(10, 8) AS bgnbd,
    p_alive(mbgnbd(0.52484, 6.18309, 0.89136, 1.61400), frequency, recency, age)::numeric(10, 8) AS mbgnbd,
    p_alive(paretonbd(0.5533, 10.578, 0.6062, 11.669), frequency, recency, age)::numeric(10, 8) AS paretonbd
FROM (VALUES (2, 30.43, 38.86), (1, 1.71, 38.86), (7, 29.43, 38.86), (26, 3.5, 39), (3, 39, 39)) AS buyer (frequency, recency, age);

-- BG/NBD: 1 for everybody who bought once, however long ago; ask the other two about them.
SELECT age, p_alive(bgnbd(0.2426, 4.414, 0.793, 2.426), 0, 0, age) AS bgnbd,
    p_alive(mbgnbd(0.52484, 6.18309, 0.89136, 1.61400), 0, 0, age)::numeric(10, 8) AS mbgnbd,
    p_alive(paretonbd(0.5533, 10.578, 0.6062, 11.669), 0, 0, age)::numeric(10, 8) AS paretonbd
FROM unnest(ARRAY[0, 1, 38.86, 1000, 1e300]::float8[]) AS age;

-- BG/NBD from its formula: 1 / (1 + a / (b + x - 1) * ((alpha + T) / (alpha + tx)) ^ (r + x)); MBG/NBD has b + x.
SELECT count(*), bool_and(abs(p_alive(bgnbd(0.2426, 4.414, 0.793, 2.426), x, tx, tx + rest)
    / (1 / (1 + 0.793 / (2.426 + x - 1) * power((4.414 + tx + rest) / (4.414 + tx), 0.2426 + x))) - 1) < 1e-13) AS bgnbd,
    bool_and(abs(p_alive(mbgnbd(0.2426, 4.414, 0.793, 2.426), x, tx, tx + rest)
    / (1 / (1 + 0.793 / (2.426 + x) * power((4.414 + tx + rest) / (4.414 + tx), 0.2426 + x))) - 1) < 1e-13) AS mbgnbd
FROM generate_series(1, 40) AS x, unnest(ARRAY[0.5, 10, 39]::float8[]) AS tx, unnest(ARRAY[0, 1e-9, 3, 40]::float8[]) AS rest;

-- BG/BB counts opportunities to buy: 6 years, so frequency is at most recency, and that at most age.
SELECT frequency, recency, p_alive(bgbb(1.204, 0.750, 0.657, 2.783), frequency, recency, 6)::numeric(6, 4) AS bgbb
FROM (VALUES (0, 0), (1, 1), (1, 6), (6, 6), (3, 4)) AS buyer (frequency, recency);

-- The end of what doubles hold: 0 or 1, never NaN.
SELECT p_alive(bgnbd(0.2426, 4.414, 0.793, 2.426), 2147483647, 1, 1e6) AS gone, p_alive(bgnbd(1e-300, 1e-300, 1e-300, 1e-300), 1, 0, 1e300) AS small,
    p_alive(mbgnbd(1e300, 1e300, 1e300, 1e300), 1, 0, 1e300) AS large, p_alive(bgnbd(1e300, 1e-300, 1e-300, 1e300), 1, 0, 1e300) AS far;

-- NULL, and a fit that had nothing to fit
SELECT p_alive(NULL::bgnbd, 1, 1, 2) IS NULL AND p_alive(bgnbd(1, 1, 1, 1), NULL, 1, 2) IS NULL AND
    p_alive(bgnbd(1, 1, 1, 1), 1, NULL, 2) IS NULL AND p_alive(bgnbd(1, 1, 1, 1), 1, 1, NULL) IS NULL AS nulls,
    p_alive('{"outcome": "too_few", "customers": 1}'::mbgnbd, 1, 1, 2) IS NULL AS no_parameters;

-- A model from a table reads the same.
CREATE TEMP TABLE models AS SELECT bgnbd(0.2426, 4.414, 0.793, 2.426) AS model;
SELECT p_alive(model, 2, 30.43, 38.86) = p_alive(bgnbd(0.2426, 4.414, 0.793, 2.426), 2, 30.43, 38.86) AS same FROM models;

-- Bad input
SELECT p_alive(bgnbd(1, 1, 1, 1), -1, 1, 2);
SELECT p_alive(bgnbd(1, 1, 1, 1), 1, -0.5, 2);
SELECT p_alive(mbgnbd(1, 1, 1, 1), 1, 'NaN', 2);
SELECT p_alive(paretonbd(1, 1, 1, 1), 1, 1, 'NaN');
SELECT p_alive(bgnbd(1, 1, 1, 1), 1, 1, 'Infinity');
SELECT p_alive(bgnbd(1, 1, 1, 1), 1, 'Infinity', 'Infinity');
SELECT p_alive(bgnbd(1, 1, 1, 1), 1, 2.5, 2.25);
SELECT p_alive(bgnbd(1, 1, 1, 1), 0, 0.125, 2);
SELECT p_alive(bgbb(1, 1, 1, 1), 1, 1, 2.5);
SELECT p_alive(bgbb(1, 1, 1, 1), 1, 1.5, 2);
SELECT p_alive(bgbb(1, 1, 1, 1), 3, 2, 4);
SELECT p_alive(bgbb(1, 1, 1, 1), 1, 2, 1e7);
SELECT p_alive(bgnbd(1, 1, 1, 1), 1.5, 1, 2);
SELECT p_alive(gamma_gamma(1, 2, 1), 1, 1, 2);
