--
-- attribution_intervals: credit with confidence intervals
--
CREATE TEMP TABLE journey (path text[], conversions bigint, value float8, non_conversions bigint);
INSERT INTO journey VALUES
	('{ads,email}', 40, 400.5, 100),
	('{email,ads}', 50, 1000, 450),
	('{ads,ads,(direct)}', 8, 80, 120),
	('{email}', 20, 10, 300),
	('{ads,(direct),email}', 6, 60.6, 40),
	(NULL, 25, 5, 500);
CREATE TEMP TABLE paths AS SELECT conversion_paths(path, conversions, value, non_conversions) AS p FROM journey;
CREATE FUNCTION pg_temp.rounded(paths conversion_paths, model text DEFAULT 'markov', chain_order int DEFAULT 1, replicates int DEFAULT 200, seed bigint DEFAULT 1,
	conf_level float8 DEFAULT 0.95, skip text[] DEFAULT NULL, weights float8[] DEFAULT NULL)
RETURNS TABLE (channel text, share text, conversions text, value text, effect text)
AS $$SELECT channel, format('%s [%s, %s]', share::numeric(12,4), share_lower::numeric(12,4), share_upper::numeric(12,4)),
		format('%s [%s, %s]', conversions::numeric(12,2), conversions_lower::numeric(12,2), conversions_upper::numeric(12,2)),
		format('%s [%s, %s]', value::numeric(12,2), value_lower::numeric(12,2), value_upper::numeric(12,2)),
		format('%s [%s, %s]', effect::numeric(12,4), effect_lower::numeric(12,4), effect_upper::numeric(12,4))
	FROM attribution_intervals(paths, model, chain_order, replicates, seed, conf_level, skip, weights)$$ LANGUAGE SQL;
SELECT a.* FROM paths, pg_temp.rounded(p) a;
SELECT a.* FROM paths, pg_temp.rounded(p, chain_order => 2) a;
SELECT a.* FROM paths, pg_temp.rounded(p, conf_level => 0.5, seed => 7, replicates => 1000) a;
SELECT model, a.* FROM paths, unnest('{first_touch,last_touch,linear,u_shaped,participation,shapley,shapley_ordered,shapley_markov,shapley_observed}'::text[]) r(model), pg_temp.rounded(p, model, replicates => 50) a;
-- options reach the model
SELECT a.* FROM paths, pg_temp.rounded(p, 'last_non_direct', replicates => 50) a;
SELECT a.* FROM paths, pg_temp.rounded(p, 'last_non_direct', replicates => 50, skip => '{email}') a;
SELECT a.* FROM paths, pg_temp.rounded(p, 'position_based', replicates => 50, weights => '{0.3,0.4,0.3}') a;

-- what is estimated is what attribution says
SELECT model, chain_order, count(*), count(*) FILTER (WHERE (i.share, i.conversions, i.value, i.effect) IS DISTINCT FROM (a.share, a.conversions, a.value, a.effect)
		OR i.share NOT BETWEEN share_lower AND share_upper OR i.conversions NOT BETWEEN conversions_lower AND conversions_upper) AS unequal
FROM paths, unnest('{first_touch,last_touch,last_non_direct,linear,u_shaped,j_shaped,inverse_j_shaped,participation,markov,shapley,shapley_ordered,shapley_markov,shapley_observed}'::text[]) r(model),
	generate_series(1, 2) chain_order, attribution_intervals(p, model, chain_order, 100) i JOIN LATERAL (SELECT * FROM attribution(p, model, chain_order)) a USING (channel)
GROUP BY 1, 2 ORDER BY 1, 2;
-- a seed is a sample, and the same one always; one more replicate keeps the others
SELECT count(DISTINCT a) AS samples, count(*) FROM paths, generate_series(1, 20) i, attribution_intervals(p, seed => i % 2) a WHERE channel = 'ads';
SELECT count(*), count(DISTINCT a) FROM paths, LATERAL (SELECT a FROM attribution_intervals(p) a
	UNION ALL SELECT a FROM attribution_intervals(p, 'markov', NULL, NULL, NULL, NULL, NULL, NULL, NULL) a) x(a);
-- two replicates, and all that lies between them; a wider interval holds a narrower one
SELECT bool_and(a.share_lower < b.share_lower AND b.share_upper < a.share_upper) FROM paths, attribution_intervals(p, conf_level => 0.99, replicates => 2) a
	JOIN LATERAL (SELECT * FROM attribution_intervals(p, conf_level => 0.5, replicates => 2)) b USING (channel);
-- a share that cannot vary
SELECT a.* FROM pg_temp.rounded((SELECT conversion_paths('{only}', 10, 10, 5))) a;
SELECT a.* FROM pg_temp.rounded((SELECT conversion_paths('{only}', 10, 10, 0)), 'linear') a;
-- one conversion: a third of the replicates have none, and no shares
SELECT a.* FROM pg_temp.rounded((SELECT conversion_paths(path, c, 1, 10) FROM (VALUES ('{a}'::text[], 1), ('{b}', 0)) v(path, c))) a;
-- value that came without a conversion
SELECT a.* FROM pg_temp.rounded((SELECT conversion_paths(path, c, 100, 10) FROM (VALUES ('{a}'::text[], 10), ('{b}', 0)) v(path, c)), 'linear') a;

-- no conversions: one NOTICE, not one for each replicate
SELECT a.* FROM (SELECT conversion_paths(path, 0, 0, non_conversions) AS p FROM journey) v, pg_temp.rounded(p) a;
SELECT a.* FROM (SELECT conversion_paths(path, 0, 0, non_conversions) AS p FROM journey) v, pg_temp.rounded(p, 'linear') a;
-- no channels, or nothing at all
SELECT a.* FROM (SELECT conversion_paths(path, conversions, value, 0) AS p FROM journey WHERE path IS NULL) v, pg_temp.rounded(p, 'linear') a;
SELECT a.* FROM (SELECT conversion_paths(path, 0, 0, 0) AS p FROM journey) v, pg_temp.rounded(p, 'linear') a;
SELECT * FROM attribution_intervals(NULL);
-- large counts
SELECT a.* FROM (SELECT conversion_paths(path, 1000000000000000000, 0, 2000000000000000000) AS p FROM (VALUES ('{a,b}'::text[]), ('{b}')) v(path)) v, attribution_intervals(p, replicates => 2) a;

SELECT * FROM paths, attribution_intervals(p, NULL);
SELECT * FROM paths, attribution_intervals(p, 'best');
SELECT * FROM paths, attribution_intervals(p, 'time_decay');
SELECT * FROM paths, attribution_intervals(p, 'w_shaped');
SELECT * FROM paths, attribution_intervals(p, 'linear', chain_order => 0);
SELECT * FROM paths, attribution_intervals(p, chain_order => 5);
SELECT * FROM paths, attribution_intervals(p, replicates => 1);
SELECT * FROM paths, attribution_intervals(p, replicates => 100001);
SELECT * FROM paths, attribution_intervals(p, conf_level => 1);
SELECT * FROM paths, attribution_intervals(p, conf_level => 'NaN');
SELECT * FROM paths, attribution_intervals(p, max_states => 2);
SELECT * FROM paths, attribution_intervals(p, max_states => 0);
SELECT * FROM paths, attribution_intervals(p, 'position_based', weights => '{1,2}');
SELECT * FROM paths, attribution_intervals(p, 'last_non_direct', skip => '{{a},{b}}');
SELECT * FROM (SELECT conversion_paths(ARRAY[i::text, (i % 5)::text], 1, 1, i) AS p FROM generate_series(1, 17) i) v, attribution_intervals(p, 'shapley_markov');
