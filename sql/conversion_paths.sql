--
-- conversion_paths: distinct paths with counts, as a state that can be stored and merged.
--
CREATE TEMP TABLE row (path text[], conversions bigint, value float8, non_conversions bigint, day int);
INSERT INTO row VALUES
	('{ads,email}', 2, 30.10, 5, 1),
	('{email}', 1, 9.99, 0, 1),
	('{ads,email}', 1, 0.20, 2, 2),
	('{ads,ads,email}', 0, NULL, 4, 2),
	(NULL, 3, 12, 1, 3),
	('{}', 1, 1, 0, 3),
	('{NULL,"","(unattributed)"}', 1, 1, 0, 3),
	('{NULL,email,"",ads,"(unattributed)"}', 1, 5, NULL, 3),
	('{never}', NULL, 100, NULL, 3),
	('{abc,email}', 1, 2.5, 1, 4);
SELECT conversion_paths(path, conversions, value, non_conversions) FROM row;
SELECT * FROM path_counts((SELECT conversion_paths(path, conversions, value, non_conversions) FROM row));
SELECT * FROM path_totals((SELECT conversion_paths(path, conversions, value, non_conversions) FROM row));

-- equal for any order of rows and any way of merging
SELECT count(DISTINCT p::text) AS texts, count(DISTINCT conversion_paths_send(p)) AS bytes FROM (
	SELECT conversion_paths(path, conversions, value, non_conversions) AS p FROM row
	UNION ALL SELECT conversion_paths(path, conversions, value, non_conversions) FROM (SELECT * FROM row ORDER BY path, day DESC) r
	UNION ALL SELECT rollup(p) FROM (SELECT conversion_paths(path, conversions, value, non_conversions) AS p FROM row GROUP BY day) d
	UNION ALL SELECT rollup(p) FROM (SELECT conversion_paths(path, conversions, value, non_conversions) AS p FROM row GROUP BY day ORDER BY day DESC) d
	UNION ALL SELECT p::text::conversion_paths FROM (SELECT conversion_paths(path, conversions, value, non_conversions) AS p FROM row) d) all_ways;

-- kept per day, merged over days; a moving window
CREATE TEMP TABLE per_day AS SELECT day, conversion_paths(path, conversions, value, non_conversions) AS paths FROM row GROUP BY day;
SELECT day, rollup(paths) OVER (ORDER BY day) AS up_to_now FROM per_day ORDER BY day;
SELECT day, rollup(paths) OVER (ORDER BY day ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS two_days FROM per_day ORDER BY day;
SELECT rollup(paths) IS NULL AS nothing FROM per_day WHERE day > 4;
SELECT rollup(NULLIF(paths::text, (SELECT paths::text FROM per_day WHERE day = 1))::conversion_paths) FROM per_day WHERE day < 3;

-- the step functions leave a stored value as it is
SELECT conversion_paths_accum(paths, '{x}'::text[], 1, 1, 1) FROM per_day WHERE day = 1;
SELECT conversion_paths_combine(paths, paths) FROM per_day WHERE day = 1;
SELECT paths FROM per_day WHERE day = 1;
SELECT conversion_paths_combine(NULL, paths)::text = paths::text AS left_null, conversion_paths_combine(paths, NULL)::text = paths::text AS right_null FROM per_day WHERE day = 1;

-- equality, DISTINCT
SELECT a.day, b.day, a.paths = b.paths AS equal, a.paths <> b.paths AS different FROM per_day a JOIN per_day b ON a.day <= b.day AND b.day < 3 ORDER BY 1, 2;
SELECT count(*), count(DISTINCT day), (SELECT count(*) FROM (SELECT DISTINCT paths FROM (TABLE per_day UNION ALL TABLE per_day) t) d) AS distinct_paths FROM per_day;

-- rows of journeys() have times
CREATE TEMP TABLE journey (path text[], touched_at timestamptz[], converted_at timestamptz, value float8);
INSERT INTO journey VALUES
	('{ads,email}', '{2026-01-01Z,2026-01-08Z}', '2026-01-09Z', 30),
	('{ads,ads}', '{2026-01-01Z,2026-01-15Z}', '2026-01-15Z', 10),
	('{email}', '{2026-01-08Z}', NULL, NULL),
	('{(unattributed)}', '{NULL}', '2026-01-09Z', 7);
SELECT conversion_paths(path, touched_at, converted_at, value) FROM journey;
SELECT t.* FROM (SELECT conversion_paths(path, touched_at, converted_at, value) AS p FROM journey) j, path_totals(p) t;
SELECT t.half_life FROM (SELECT conversion_paths(path, touched_at, converted_at, value, '1 day') AS p FROM journey) j, path_totals(p) t;
SELECT a.channel, a.conversions, a.value, a.mean_days_to_conversion
FROM (SELECT conversion_paths(path, touched_at, converted_at, value, '7 days') AS p FROM journey) j, attribution(p, 'time_decay') a;
SELECT rollup(p) FROM (SELECT conversion_paths(path, touched_at, converted_at, value, '7 days') AS p FROM journey
	UNION ALL SELECT conversion_paths(path, touched_at, converted_at, value, '8 days') FROM journey) j;
SELECT count(DISTINCT p::text) FROM (
	SELECT conversion_paths(path, touched_at, converted_at, value) AS p FROM journey
	UNION ALL SELECT rollup(p) FROM (SELECT conversion_paths(path, touched_at, converted_at, value) AS p FROM journey GROUP BY path ORDER BY path) j
	UNION ALL SELECT rollup(p) FROM (SELECT conversion_paths(path, touched_at, converted_at, value) AS p FROM journey GROUP BY path ORDER BY path DESC) j
	UNION ALL SELECT p::text::conversion_paths FROM (SELECT conversion_paths(path, touched_at, converted_at, value) AS p FROM journey) j) all_ways;
SELECT conversion_paths(path, touched_at[2:], converted_at, value) FROM journey;
SELECT conversion_paths('{a,b}', '{2026-01-02Z,2026-01-01Z}', '2026-01-09Z', 1::float8);
SELECT conversion_paths('{a}', '{2026-01-10Z}', '2026-01-09Z', 1::float8);
SELECT conversion_paths('{a}', '{NULL}', '2026-01-09Z', 1::float8);
SELECT conversion_paths('{a}', '{infinity}', 'infinity', 1::float8);
SELECT conversion_paths('{a}', '{2026-01-01Z}', '2026-01-09Z', 1::float8, '0 days');
SELECT conversion_paths('{a}', '{2026-01-01Z}', '2026-01-09Z', 1::float8, '1 month');

-- bad input
SELECT conversion_paths('{a}', -1, 1::float8, 1);
SELECT conversion_paths('{a}', 1, 1::float8, -5);
SELECT conversion_paths('{a}', 1, 'NaN'::float8, 1);
SELECT conversion_paths('{a}', 1, 'infinity'::float8, 1);
SELECT conversion_paths('{a}', 1, 1e300::float8, 1);
SELECT conversion_paths('{{a,b},{c,d}}', 1, 1::float8, 1);
SELECT conversion_paths('{a}', 9223372036854775807, 1::float8, 0) FROM generate_series(1, 2);
