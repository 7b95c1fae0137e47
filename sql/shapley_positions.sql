--
-- The ordered Shapley value: credit by position.
--
CREATE TEMP TABLE stored AS SELECT '{"channels": ["a", "b", "c"], "paths": [[[], 2, 1, 7.5], [[0, 1, 0], 4, 4, 10], [[1, 0], 3, 1, 6], [[2, 2], 0, 9, 0]]}'::conversion_paths AS paths;
SELECT p.* FROM stored, shapley_positions(paths) p;
-- the positions of a channel add up to its Shapley value
SELECT channel, s.conversions = a.conversions AS same_conversions, s.value = a.value AS same_value
FROM stored, LATERAL (SELECT channel, sum(conversions) AS conversions, sum(value) AS value FROM shapley_positions(paths) GROUP BY channel) s
	JOIN LATERAL attribution(paths, 'shapley') a USING (channel) ORDER BY channel COLLATE "C";
SELECT count(*) FROM shapley_positions(NULL);
SELECT count(*) FROM shapley_positions('{"channels": ["a"], "paths": [[[0], 0, 1, 0]]}');
