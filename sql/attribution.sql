--
-- attribution: every model, from markov and from conversion_paths.
--
CREATE TEMP TABLE row (path text[], conversions bigint, value float8, non_conversions bigint);

-- A > c > B converts, A > B does not: one touch back, c has half of the effect; two touches back, all of it
INSERT INTO row VALUES ('{A,c,B}', 1, 10, 0), ('{A,B}', 0, 0, 1);
SELECT k, a.* FROM generate_series(1, 3) k, LATERAL (SELECT markov(path, conversions, value, non_conversions, k) AS chain FROM row) m, attribution(chain) a;

-- repeats of a touch change nothing at order 1
SELECT a.channel, a.removal_effect = b.removal_effect AS same
FROM attribution((SELECT markov(path, conversions, value, non_conversions, 1) FROM row)) a
	JOIN attribution((SELECT markov(array_prepend('A', array_cat(path, '{B,B}')), conversions, value, non_conversions, 1) FROM row)) b USING (channel);

-- conversions without touches keep exactly their own, in every model
INSERT INTO row VALUES (NULL, 4, 44, 9), ('{c}', 3, 1.5, 7), ('{"(direct)"}', 2, 2, 20), ('{B,"(direct)"}', 5, 50, 1);
SELECT * FROM attribution((SELECT markov(path, conversions, value, non_conversions, 1) FROM row));
CREATE TEMP TABLE stored AS SELECT conversion_paths(path, conversions, value, non_conversions) AS paths FROM row;
SELECT model, channel, round(share::numeric, 6) AS share, round(conversions::numeric, 6) AS conversions, round(value::numeric, 6) AS value,
	round(effect::numeric, 6) AS effect, std_error
FROM stored, unnest('{first_touch,last_touch,last_non_direct,linear,position_based,u_shaped,j_shaped,inverse_j_shaped,participation,markov,shapley,shapley_ordered,shapley_markov,shapley_observed}'::text[]) model,
	attribution(paths, model);
SELECT channel, assisted_conversions, last_touch_conversions, assist_ratio, mean_path_length, mean_days_to_conversion FROM stored, attribution(paths, 'linear');
SELECT channel, conversions FROM stored, attribution(paths, 'last_non_direct', skip => '{c,B}');
SELECT channel, conversions FROM stored, attribution(paths, 'position_based', weights => '{0.5,0,0.5}');
SELECT channel, removal_effect = effect AND r.conversions = a.conversions AS same
FROM stored, attribution(markov(paths, 3)) r LEFT JOIN LATERAL attribution(paths, 'markov', chain_order => 3) a USING (channel) WHERE channel <> '(unattributed)';

-- every model but participation and the observed coalitions gives away all conversions and all value, and no more
SELECT model, round(sum(conversions)::numeric, 9) AS conversions, round(sum(value)::numeric, 9) AS value
FROM stored, unnest('{first_touch,last_touch,last_non_direct,linear,position_based,markov,shapley,shapley_markov}'::text[]) model, attribution(paths, model)
GROUP BY model ORDER BY model COLLATE "C";

-- no conversions; none that is not converted; one channel; no rows; no paths
SELECT a.* FROM attribution(markov('{"channels": ["a"], "paths": [[[0], 0, 7, 0]]}'::conversion_paths)) a;
SELECT model, channel, share, conversions, value, effect FROM unnest('{linear,markov,shapley,shapley_markov,shapley_observed}'::text[]) model,
	attribution('{"channels": ["a"], "paths": [[[0], 0, 7, 0]]}', model);
SELECT model, channel, share, conversions, value, effect FROM unnest('{linear,markov,shapley,shapley_markov,shapley_observed}'::text[]) model,
	attribution('{"channels": ["a", "b"], "paths": [[[0], 2, 0, 8], [[1, 0], 1, 0, 1]]}', model);
SELECT * FROM attribution((SELECT markov(path, conversions, value, non_conversions, 1) FROM row WHERE false));
SELECT * FROM attribution((SELECT conversion_paths(NULL::text[], 1, 1, 1)), 'markov');
SELECT count(*) FROM attribution(NULL::conversion_paths, 'markov');

-- value that is refunded again
SELECT channel, conversions, value FROM attribution('{"channels": ["a", "b"], "paths": [[[0], 1, 0, 8], [[1], 1, 0, -8]]}', 'markov');

-- sampled orders: a standard error, the same for the same seed, and credit still adds up
CREATE TEMP TABLE many AS SELECT conversion_paths(ARRAY[format('c%s', i % 18), format('c%s', i * 7 % 18), format('c%s', i * i % 18)], i % 3, i, i % 5) AS paths FROM generate_series(1, 500) i;
SELECT count(*), count(std_error) = 18 AND max(std_error) > 0 AS has_error, round(sum(conversions)::numeric, 6) AS conversions, round(sum(value)::numeric, 4) AS value FROM many, attribution(paths, 'shapley_markov', permutations => 20);
SELECT bool_and(a.conversions = b.conversions) AS same_seed, bool_or(a.conversions <> c.conversions) AS other_seed
FROM many, attribution(paths, 'shapley_markov', permutations => 20) a JOIN LATERAL attribution(paths, 'shapley_markov', permutations => 20) b USING (channel)
	JOIN LATERAL attribution(paths, 'shapley_markov', permutations => 20, seed => 2) c USING (channel);

-- all channels were never met together: effects, but nothing to share
SELECT count(effect) AS effects, count(conversions) AS conversions, count(share) AS shares FROM many, attribution(paths, 'shapley_observed');

-- bad input
SELECT * FROM stored, attribution(paths, 'last_click');
SELECT * FROM stored, attribution(paths, 'w_shaped');
SELECT * FROM stored, attribution(paths, 'time_decay');
SELECT * FROM stored, attribution(paths, 'markov', chain_order => 5);
SELECT * FROM stored, attribution(paths, 'markov', max_states => 2);
SELECT * FROM stored, attribution(paths, 'markov', max_states => 0);
SELECT * FROM stored, attribution(paths, 'shapley_markov', permutations => 1);
SELECT * FROM stored, attribution(paths, 'position_based', weights => '{0.5,0.5}');
SELECT * FROM stored, attribution(markov(paths, 2), max_states => 3);

-- more than 300 states: the same effects whether or not a visitor went to and fro for long, and beside a channel that leads nowhere
CREATE TEMP TABLE wide AS SELECT ARRAY[format('c%s', i % 331), format('c%s', i * 7 % 331), format('c%s', i * i % 331)] AS path, (i % 3 = 0)::int::bigint AS c, (i % 3 > 0)::int::bigint AS n FROM generate_series(1, 2000) i;
SELECT count(*), max(abs(a.lost - b.lost) / a.lost) < 1e-13 AS same
FROM (SELECT channel, removal_effect * (SELECT sum(c) FROM wide) AS lost FROM attribution((SELECT markov(path, c, c, n, 1) FROM wide))) a
	JOIN (SELECT channel, removal_effect * (SELECT sum(c) + 1 FROM wide) AS lost
		FROM attribution((SELECT markov(path, c, c, n, 1) FROM (TABLE wide UNION ALL SELECT array_agg(t ORDER BY i, t), 1, 0 FROM generate_series(1, 20000) i, unnest('{to,fro}'::text[]) t
			UNION ALL SELECT '{nowhere}', 0, 7) r))) b USING (channel);
SELECT channel, round((removal_effect * (SELECT sum(c) + 1 FROM wide))::numeric, 12) AS lost
FROM attribution((SELECT markov(path, c, c, n, 1) FROM (TABLE wide UNION ALL SELECT array_agg(t ORDER BY i, t), 1, 0 FROM generate_series(1, 20000) i, unnest('{to,fro}'::text[]) t
	UNION ALL SELECT '{nowhere}', 0, 7) r)) WHERE channel IN ('to', 'fro', 'nowhere');

-- values of both signs that cancel out
SELECT channel, value_removal_effect, value FROM attribution(markov('{"channels": ["a", "b"], "paths": [[[0], 1, 0, -3.15], [[1], 1, 0, 0.1], [[0, 1], 1, 0, 2]]}'::conversion_paths));
SELECT channel, conversions, value, roas FROM many, attribution_report(paths, '{shapley_observed}', spend => '{"c1": 5, "tv": 1}') WHERE channel IN ('c1', 'c2', 'tv');
