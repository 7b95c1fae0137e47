-- Models from given parameters, and what is read from a model.
SELECT bgnbd(0.2426, 4.414, 0.793, 2.426), sbg(0.668, 3.806), gamma_gamma(6.25, 3.74, 15.44);
SELECT * FROM parameters(bgnbd(0.2426, 4.414, 0.793, 2.426));
SELECT covariance(bgnbd(0.2426, 4.414, 0.793, 2.426)) IS NULL AS no_covariance;
SELECT * FROM diagnostics(paretonbd(0.5533, 10.578, 0.6062, 11.669)) \gx
SELECT warning FROM diagnostics(gamma_gamma(6.25, 1, 15.44));
SELECT mbgnbd(0.5, 6, 0.9, 1.6)::jsonb, bgbb(1.2, 0.75, 0.66, 2.78)::jsonb -> 'delta' AS delta;

-- A fit by hand: intervals are those of the logarithm, and never reach 0.
CREATE TEMP TABLE fitted AS SELECT '{"alpha": 2, "beta": 0.5, "outcome": "converged", "customers": 50, "iterations": 7, "log_likelihood": -12.5, "gradient": 0, "condition_number": 10, "covariance": [[0.04, -0.01], [-0.01, 1]]}'::sbg AS model;
SELECT name, estimate, std_error, round(lower::numeric, 9) AS lower, round(upper::numeric, 9) AS upper FROM fitted, parameters(model);
SELECT round((2 / exp(1.959963984540054 * 0.1))::numeric, 9) AS lower, round((0.5 * exp(1.959963984540054 * 2))::numeric, 9) AS upper;
SELECT name, round(lower::numeric, 9) AS lower FROM fitted, parameters(model, conf_level => 0.8);
SELECT covariance(model) FROM fitted;
SELECT * FROM fitted, diagnostics(model) \gx
SELECT model::text::sbg::text = model::text AS same_text FROM fitted;
SELECT (model::jsonb ->> 'customers')::bigint FROM fitted;
SELECT reason, converged, boundary FROM diagnostics('{"r": 1e-7, "alpha": 2, "a": 1, "b": 1, "outcome": "boundary", "boundary": "r", "customers": 9}'::bgnbd);
SELECT reason, customers FROM diagnostics('{"outcome": "too_few", "customers": 1}'::mbgnbd);
SELECT * FROM parameters('{"outcome": "too_few", "customers": 1}'::mbgnbd);
SELECT outcome, reason FROM unnest('{singular,stuck,too_long}'::text[]) AS outcome,
	diagnostics(format('{"alpha": 2, "beta": 0.5, "outcome": "%s", "customers": 200}', outcome)::sbg);

-- NULL
SELECT bgnbd(NULL, 1, 1, 1) IS NULL AS no_model, (SELECT count(*) FROM parameters(NULL::bgnbd)) AS no_rows;
SELECT count(*) FROM parameters(bgnbd(1, 1, 1, 1), NULL);

-- No setting changes the text.
SET extra_float_digits = 0;
SELECT bgnbd(0.1::float8 + 0.2, 1e-300, 1e300, 3);
RESET extra_float_digits;

-- Bad input
SELECT bgnbd(0, 1, 1, 1);
SELECT mbgnbd(1, 'NaN', 1, 1);
SELECT paretonbd(1, 1, 'Infinity', 1);
SELECT gamma_gamma(1, 1, -2);
SELECT * FROM parameters(bgnbd(1, 1, 1, 1), 1);
SELECT '{"r": 1}'::bgnbd;
SELECT '{"r": 1, "alpha": 1, "a": 1, "b": 0}'::bgnbd;
SELECT '{"r": 1, "alpha": 1, "a": 1, "b": 1, "c": 1}'::bgnbd;
SELECT '{"alpha": 1, "beta": 1, "outcome": "fine"}'::sbg;
SELECT '{"alpha": 1, "beta": 1, "outcome": "boundary"}'::sbg;
SELECT '{"alpha": 1, "beta": 1, "customers": 5}'::sbg;
SELECT '{"alpha": 1, "beta": 1, "outcome": "too_few"}'::sbg;
SELECT '{"alpha": 1, "beta": 1, "outcome": "converged", "covariance": [[1, 2], [3, 4]]}'::sbg;
SELECT '{"alpha": 1, "beta": 1, "outcome": "converged", "covariance": [[1, 2]]}'::sbg;
SELECT '{"alpha": 1, "beta": 1, "outcome": "converged", "iterations": 4294967296}'::sbg;
SELECT 'sbg'::sbg;

-- equality and hashing: all that a model holds
SELECT count(*) AS different
FROM (SELECT DISTINCT model FROM (VALUES (sbg(1, 2)), (sbg(1, 2)), (sbg(2, 1)), ('{"alpha": 1, "beta": 2}'), ('{"alpha": 1, "beta": 2, "outcome": "converged", "customers": 5}')) AS m (model)) AS d;
SELECT bgnbd(1, 2, 3, 4) = bgnbd(1, 2, 3, 4) AS equal, bgnbd(1, 2, 3, 4) <> bgnbd(1, 2, 3, 5) AS different,
	paretonbd_hash_extended(paretonbd(1, 2, 3, 4), 7) = paretonbd_hash_extended('{"r": 1, "alpha": 2, "s": 3, "beta": 4}', 7) AS same_hash;
