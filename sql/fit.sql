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
SELECT model, round(log_likelihood::numeric, 3) AS log_likelihood, converged, regexp_replace(reason, 'it was \S+', 'it was ...') AS reason, gradient < 1e-9 AS at_maximum, customers
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

-- Of two tops the higher one: there is another with alpha 88 and a log-likelihood lower by 0.075.
SELECT name, round(estimate::numeric, 2) AS estimate FROM parameters(mbgnbd_fit('{"ages": [[211, [[0, [[0, 2]]], [58, [[6, 1]]]]], [212, [[0, [[0, 1]]]]], [214, [[0, [[0, 2]]]]], [215, [[0, [[0, 1]]], [152, [[4, 1]]]]], [216, [[0, [[0, 1]]]]], [218, [[0, [[0, 2]]], [49, [[2, 1]]], [78, [[1, 1]]]]], [219, [[171, [[4, 1]]]]], [221, [[0, [[0, 1]]], [155, [[2, 1]]]]], [222, [[0, [[0, 1]]], [168, [[3, 1]]]]], [223, [[170, [[2, 1]]]]], [224, [[182, [[4, 1]]], [189, [[2, 1]]]]], [225, [[13, [[1, 1]]]]], [226, [[0, [[0, 1]]]]], [227, [[0, [[0, 1]]], [162, [[11, 1]]], [197, [[5, 1]]]]], [228, [[0, [[0, 1]]]]], [229, [[0, [[0, 1]]], [69, [[2, 1]]], [195, [[4, 1]]]]], [231, [[158, [[2, 1]]]]], [233, [[35, [[1, 1]]]]], [234, [[0, [[0, 2]]]]], [235, [[0, [[0, 2]]]]], [236, [[0, [[0, 1]]]]], [237, [[0, [[0, 2]]]]], [238, [[0, [[0, 1]]], [110, [[2, 1]]]]], [240, [[73, [[2, 1]]]]], [242, [[200, [[2, 1]]]]], [243, [[0, [[0, 2]]]]], [244, [[0, [[0, 4]]]]], [246, [[0, [[0, 1]]], [14, [[2, 1]]]]], [250, [[0, [[0, 3]]], [231, [[1, 1]]]]], [251, [[88, [[3, 1]]]]], [253, [[0, [[0, 3]]]]], [254, [[0, [[0, 1]]]]], [256, [[233, [[2, 1]]], [249, [[2, 1]]]]], [257, [[215, [[1, 1]]]]], [258, [[0, [[0, 2]]]]], [259, [[0, [[0, 2]]], [226, [[2, 1]]]]], [262, [[4, [[1, 1]]]]], [263, [[0, [[0, 1]]], [105, [[1, 1]]]]], [264, [[0, [[0, 1]]]]], [265, [[126, [[1, 1]]], [257, [[12, 1]]]]], [267, [[0, [[0, 2]]]]], [268, [[0, [[0, 1]]], [248, [[3, 1]]], [263, [[4, 1]]]]], [269, [[164, [[3, 1]]]]], [270, [[25, [[1, 1]]], [60, [[1, 1]]]]], [271, [[0, [[0, 1]]]]], [272, [[0, [[0, 2]]], [29, [[1, 1]]], [110, [[1, 1]]]]], [273, [[0, [[0, 1]]]]], [274, [[0, [[0, 1]]], [65, [[1, 1]]], [272, [[4, 1]]]]], [276, [[0, [[0, 2]]], [16, [[1, 1]]], [65, [[1, 1]]]]], [277, [[0, [[0, 1]]], [131, [[5, 1]]], [252, [[3, 1]]]]], [278, [[0, [[0, 1]]]]], [279, [[0, [[0, 1]]]]]]}'));
-- Beside a parameter that grows without end the others are at their best, and none has a standard error.
SELECT converged, regexp_replace(reason, 'it was \S+', 'it was ...') AS reason, round(log_likelihood::numeric, 4) AS log_likelihood
FROM diagnostics(mbgnbd_fit('{"ages": [[10, [[0, [[0, 1]]]]], [13, [[0, [[0, 1]]]]], [18, [[0, [[0, 3]]]]], [23, [[0, [[0, 1]]]]], [26, [[0, [[0, 2]]], [7, [[1, 1]]]]], [27, [[0, [[0, 1]]]]], [28, [[0, [[0, 1]]]]], [29, [[15, [[1, 1]]]]], [30, [[0, [[0, 1]]]]], [35, [[0, [[0, 1]]]]], [39, [[0, [[0, 1]]]]], [44, [[0, [[0, 2]]]]], [46, [[0, [[0, 1]]]]], [47, [[0, [[0, 1]]]]], [49, [[21, [[1, 1]]]]], [58, [[0, [[0, 1]]]]], [65, [[0, [[0, 1]]]]], [66, [[0, [[0, 1]]]]], [73, [[0, [[0, 2]]]]], [78, [[0, [[0, 1]]]]], [103, [[0, [[0, 1]]]]], [106, [[41, [[1, 1]]], [81, [[1, 1]]]]], [110, [[86, [[4, 1]]]]], [111, [[0, [[0, 2]]]]], [112, [[0, [[0, 1]]]]], [118, [[0, [[0, 1]]]]], [126, [[0, [[0, 1]]]]], [129, [[0, [[0, 1]]]]], [131, [[0, [[0, 1]]]]], [133, [[0, [[0, 1]]]]], [134, [[0, [[0, 1]]]]], [136, [[83, [[3, 1]]]]]]}'));

-- A fit that fails says why, and goes on in a report by segments.
SELECT segment, converged, regexp_replace(reason, 'it was \S+', 'it was ...') AS reason, customers
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

-- who counts the first purchase too is told so
SELECT converged FROM diagnostics((SELECT mbgnbd_fit(purchase_histories(frequency + 1, recency, age)) FROM customer));

-- Bad input
SELECT bgbb_fit(purchase_histories(frequency, recency, age + 0.5)) FROM customer;
SELECT bgbb_fit(purchase_histories(2, 1, 3)) FROM customer;
SELECT sbg_fit('{1000,NULL}');
SELECT sbg_fit('{1000,900,901}');
SELECT sbg_fit('{10,-1}');
SELECT sbg_fit('{{3,2},{1,0}}');
