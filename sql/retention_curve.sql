--
-- survival_rate, retention_rate, retention_curve, expected_lifetime and discounted_lifetime of sbg
--

-- Fader and Hardie 2007: regular and high-end customers, seven years fitted, five projected
CREATE TABLE cohort (cohort text, survivors bigint[], model sbg);
INSERT INTO cohort SELECT c, s, sbg_fit(s)
FROM (VALUES ('regular', '{1000,631,468,382,326,289,262,241}'::bigint[]), ('high end', '{1000,869,743,653,593,551,517,491}')) t (c, s);
SELECT cohort, name, round(estimate::numeric, 3) AS estimate, round((diagnostics(model)).log_likelihood::numeric, 3) AS log_likelihood, (diagnostics(model)).converged FROM cohort, parameters(model)
ORDER BY cohort DESC, name;
SELECT cohort, period, survivors[period + 1] AS survivors, round(survival_rate::numeric * 1000, 1) AS projected, round(retention_rate::numeric, 4) AS retention_rate
FROM cohort, retention_curve(model, 12) ORDER BY cohort DESC, period;

-- the curve by its definition, in numeric; and the scalar functions are the curve
CREATE TABLE curve AS
SELECT a, b, period, c.survival_rate, c.retention_rate, (exp(sum(ln((b + period - 1) / (a + b + period - 1))) OVER (PARTITION BY a, b ORDER BY period)))::float8 AS expected
FROM (VALUES (0.668, 3.806), (1, 1), (0.001, 2.5), (30, 0.2), (5000, 100000)) t (a, b), sbg(a::float8, b::float8) m, retention_curve(m, 400) c
WHERE period > 0;
SELECT count(*) AS periods, count(*) FILTER (WHERE NOT abs(survival_rate / expected - 1) < 1e-12) AS wrong,
	count(*) FILTER (WHERE NOT abs(survival_rate / survival_rate(sbg(a::float8, b::float8), period) - 1) < 1e-13) AS not_the_survival_rate,
	count(*) FILTER (WHERE retention_rate <> retention_rate(sbg(a::float8, b::float8), period)) AS not_the_retention_rate
FROM curve;
SELECT survival_rate(m, 0) AS start, retention_rate(m, 1) AS first, survival_rate(m, 1) AS after_one, survival_rate(m, 3) AS after_three, round((survival_rate(m, 2147483647) * 2147483648)::numeric, 12) AS last FROM sbg(1, 1) m;
SELECT * FROM retention_curve(sbg(1, 1), 0);
SELECT survival_rate(sbg(2, 3), 100000) / survival_rate(sbg(2, 3), 100001) * retention_rate(sbg(2, 3), 100001) BETWEEN 1 - 1e-11 AND 1 + 1e-11 AS no_seam;

-- lifetimes are sums over the curve; the one after n periods is conditional on n - 1 renewals
CREATE TABLE lifetime AS
SELECT a, b, periods, rate, horizon, discounted_lifetime(m, rate, periods, horizon) AS lifetime,
	(SELECT coalesce(sum(survival_rate(m, t) / survival_rate(m, greatest(periods - 1, 0)) / (1 + rate) ^ (t - periods)), 0) FROM generate_series(periods, periods + horizon - 1) t) AS expected
FROM (VALUES (0.668, 3.806), (1, 1), (0.001, 2.5), (30, 0.2)) t (a, b), sbg(a::float8, b::float8) m, unnest(ARRAY[0, 1, 2, 10]) periods, unnest(ARRAY[0, 0.0001, 0.1, 2]::float8[]) rate, unnest(ARRAY[0, 1, 2, 30]) horizon;
SELECT count(*) AS cases, count(*) FILTER (WHERE NOT abs(lifetime - expected) <= 1e-13 * expected) AS wrong FROM lifetime;
DROP TABLE curve, lifetime;

-- all payments, and without a discount
SELECT round(discounted_lifetime(model, 0.1)::numeric, 4) AS del, round(discounted_lifetime(model, 0.1, 0, 1000)::numeric, 4) AS of_1000, round(discounted_lifetime(model, 0.1, 1)::numeric, 4) AS derl_1,
	round(discounted_lifetime(model, 0.1, 5)::numeric, 4) AS derl_5, abs(discounted_lifetime(model, 0.1) - 1 - discounted_lifetime(model, 0.1, 1) / 1.1) < 1e-12 AS one_and_the_rest, expected_lifetime(model)
FROM cohort ORDER BY cohort DESC;
SELECT a, expected_lifetime(sbg(a, 4)) AS new, expected_lifetime(sbg(a, 4), 3) AS after_three, discounted_lifetime(sbg(a, 4), 1e-9) < expected_lifetime(sbg(a, 4)) AS less_if_discounted
FROM unnest(ARRAY[0.5, 1, 1.5, 2, 5]::float8[]) a;

-- nothing known
SELECT survival_rate(NULL, 1) AS a, retention_rate(model, NULL) AS b, expected_lifetime(NULL) AS c, expected_lifetime(model, NULL) AS d, discounted_lifetime(NULL, 0.1) AS e,
	discounted_lifetime(model, NULL) AS f, discounted_lifetime(model, 0.1, NULL) AS g, (SELECT count(*) FROM retention_curve(NULL, 3)) AS h, (SELECT count(*) FROM retention_curve(model, NULL)) AS i
FROM cohort LIMIT 1;
SELECT survival_rate(m, 1) AS a, retention_rate(m, 1) AS b, expected_lifetime(m) AS c, discounted_lifetime(m, 0.1) AS d, (SELECT count(*) FROM retention_curve(m, 3)) AS rows FROM sbg_fit('{}') m;

-- mistakes
SELECT survival_rate(sbg(1, 1), -1);
SELECT retention_rate(sbg(1, 1), 0);
SELECT * FROM retention_curve(sbg(1, 1), -1);
SELECT expected_lifetime(sbg(1, 1), -1);
SELECT discounted_lifetime(sbg(1, 1), -0.1);
SELECT discounted_lifetime(sbg(1, 1), 'NaN');
SELECT discounted_lifetime(sbg(1, 1), 'infinity');
SELECT discounted_lifetime(sbg(1, 1), 0);
SELECT discounted_lifetime(sbg(1, 1), 0.1, -1);
SELECT discounted_lifetime(sbg(1, 1), 0.1, 0, -1);
DROP TABLE cohort;

-- parameters that no double can compute with: an error, not NaN
SELECT survival_rate(sbg(1.7e308, 1.7e308), 2147483647);
SELECT expected_lifetime(sbg(0.5, 5e-324), 1);
