-- Fits of models; exact references are in test/t/053_fits.pl.

-- The survivors of two cohorts (Fader and Hardie 2007).
SELECT cohort, name, round(estimate::numeric, 3) AS estimate, round(std_error::numeric, 3) AS std_error
FROM (VALUES ('high-end', sbg_fit('{1000,869,743,653,593,551,517,491}')), ('regular', sbg_fit('{1000,631,468,382,326,289,262,241}'))) AS f (cohort, model),
	parameters(model);
SELECT round(log_likelihood::numeric, 3) AS log_likelihood, converged, gradient < 1e-9 AS at_maximum
FROM diagnostics(sbg_fit('{1000,869,743,653,593,551,517,491}'));

-- Made-up customers of BG/NBD, lambda ~ Gamma(1, 60) and p ~ Beta(1, 4), by its own quantiles.
CREATE TEMP TABLE customer AS
SELECT i, x AS frequency, CASE WHEN x > 0 THEN ceil(age * (x::float8 / n) * u4 ^ (1.0::float8 / x)) ELSE 0 END AS recency, age, value AS monetary_value
FROM (SELECT *, least(n, 1 + floor(ln(u3) / ln(1 - p)))::int AS x
	FROM (SELECT *, floor(ln(u1) / ln(age / (60 + age)))::int AS n, 1 - u2 ^ 0.25 AS p
		FROM (SELECT i, (200 + hash[5] % 200)::float8 AS age, hash[1] / 1000003.0::float8 AS u1, hash[2] / 1000003.0::float8 AS u2, hash[3] / 1000003.0::float8 AS u3,
				hash[4] / 1000003.0::float8 AS u4, 5 + hash[6] % 40 AS value
			FROM (SELECT i, ARRAY(SELECT 1 + abs(hashint8extended(i, seed) % 1000001) FROM generate_series(1, 6) AS seed ORDER BY seed) AS hash
				FROM generate_series(1, 3000) AS i) AS h) AS u) AS d) AS c;
CREATE TEMP TABLE fitted AS
SELECT purchase_histories(frequency, recency, age) AS histories, spend_histories(frequency, monetary_value) AS spend FROM customer;
SELECT model, round(log_likelihood::numeric, 3) AS log_likelihood, converged, reason, gradient < 1e-9 AS at_maximum, customers
FROM (SELECT 'bgnbd' AS model, d.* FROM fitted, diagnostics(bgnbd_fit(histories)) AS d
	UNION ALL SELECT 'mbgnbd', d.* FROM fitted, diagnostics(mbgnbd_fit(histories)) AS d
	UNION ALL SELECT 'paretonbd', d.* FROM fitted, diagnostics(paretonbd_fit(histories)) AS d
	UNION ALL SELECT 'gamma_gamma', d.* FROM fitted, diagnostics(gamma_gamma_fit(spend)) AS d) AS f;
SELECT name, round(estimate::numeric, 4) AS estimate, round(std_error::numeric, 4) AS std_error, round(lower::numeric, 4) AS lower, round(upper::numeric, 4) AS upper
FROM fitted, parameters(mbgnbd_fit(histories));

-- The same for any order of rows, and for customers counted with weights.
SELECT bgnbd_fit(purchase_histories(frequency, recency, age))::text = (SELECT bgnbd_fit(histories)::text FROM fitted) AS same
FROM (SELECT * FROM customer ORDER BY -i) AS c;
SELECT mbgnbd_fit(purchase_histories(frequency, recency, age, customers))::text = (SELECT mbgnbd_fit(histories)::text FROM fitted) AS same
FROM (SELECT frequency, recency, age, count(*) AS customers FROM customer GROUP BY 1, 2, 3) AS c;

-- Another unit of time changes alpha alone.
SELECT f.name, round((d.estimate / f.estimate)::numeric, 9) AS days_to_weeks
FROM fitted, parameters(mbgnbd_fit(histories)) AS d
	JOIN (SELECT p.* FROM parameters((SELECT mbgnbd_fit(purchase_histories(frequency, recency / 7.0, age / 7.0)) FROM customer)) AS p) AS f USING (name);

-- Opportunities
SELECT name, round(estimate::numeric, 4) AS estimate, round(std_error::numeric, 4) AS std_error FROM parameters((
	SELECT bgbb_fit(purchase_histories(frequency, recency, 4, customers))
	FROM (VALUES (0, 0, 500), (1, 1, 160), (1, 2, 50), (1, 3, 30), (1, 4, 30), (2, 2, 90), (2, 3, 50), (2, 4, 70), (3, 3, 80), (3, 4, 120), (4, 4, 200))
		AS seen (frequency, recency, customers)));

-- A fit that fails says why, and goes on in a report by segments.
SELECT segment, converged, reason, customers
FROM (SELECT segment, mbgnbd_fit(purchase_histories(frequency, recency, age)) AS model
	FROM (SELECT 'all' AS segment, frequency, recency, age FROM customer
		UNION ALL SELECT 'one customer', frequency, recency, age FROM customer WHERE i = 5
		UNION ALL SELECT 'one-time buyers', 0, 0, age FROM customer
		UNION ALL SELECT 'no purchase', NULL, NULL, NULL FROM customer) AS s
	GROUP BY segment) AS f, diagnostics(model)
ORDER BY segment COLLATE "C";
SELECT converged, reason FROM diagnostics(sbg_fit('{1000}'));
SELECT converged, reason FROM diagnostics(sbg_fit('{1000,900}'));
SELECT converged, reason IS NOT NULL AS has_reason FROM diagnostics(sbg_fit('{1000,1000,1000}'));
SELECT converged, reason IS NOT NULL AS has_reason FROM diagnostics(sbg_fit('{1000,0}'));
SELECT converged, reason FROM diagnostics(sbg_fit('{}'));
SELECT converged, reason FROM diagnostics((SELECT gamma_gamma_fit(spend_histories(frequency, monetary_value)) FROM customer WHERE frequency = 0));
SELECT bgnbd_fit(NULL) IS NULL AS no_model, sbg_fit(NULL) IS NULL AS no_model;

-- Bad input
SELECT bgbb_fit(histories) FROM fitted;
SELECT bgbb_fit(purchase_histories(2, 1, 3)) FROM customer;
SELECT sbg_fit('{1000,NULL}');
SELECT sbg_fit('{1000,900,901}');
SELECT sbg_fit('{10,-1}');
SELECT sbg_fit('{{3,2},{1,0}}');
