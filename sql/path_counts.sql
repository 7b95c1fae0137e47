--
-- Reading conversion_paths.
--
CREATE TEMP TABLE stored AS SELECT '{"channels": ["a", "b"], "paths": [[[], 2, 1, 7.5], [[1, 0], 3, 4, 10.25], [[0], 0, 9, 0]]}'::conversion_paths AS paths;
SELECT c.* FROM stored, path_counts(paths) c;
SELECT t.* FROM stored, path_totals(paths) t;
-- what was read makes the same paths again
SELECT conversion_paths(path, conversions, value, non_conversions)::text = (SELECT paths::text FROM stored) AS same FROM stored, path_counts(paths);
SELECT count(*) FROM path_counts(NULL);
SELECT path_totals(NULL) IS NULL AS nothing;
SELECT * FROM path_counts((SELECT conversion_paths('{x}'::text[], 0, 1, 0)));
SELECT * FROM path_totals((SELECT conversion_paths('{x}'::text[], 0, 1, 0)));
