--
-- markov: the counted transitions of paths, as a state that can be stored and merged.
--
CREATE TEMP TABLE row (path text[], conversions bigint, value float8, non_conversions bigint, day int);
INSERT INTO row VALUES
	('{A,c,B}', 1, 10.5, 0, 1),
	('{A,B}', 0, NULL, 1, 2),
	(NULL, 2, 3, 5, 2),
	('{B,A,A,B,"",NULL}', 3, 33.3, 2, 3);
SELECT k, (SELECT markov(path, conversions, value, non_conversions, k) FROM row) FROM generate_series(1, 4) k;
SELECT k, markov(p, k)::text = (SELECT markov(path, conversions, value, non_conversions, k) FROM row)::text AS same
FROM generate_series(1, 4) k, (SELECT conversion_paths(path, conversions, value, non_conversions) AS p FROM row) t;
SELECT markov(path, conversions, value, non_conversions, NULL)::text = markov(path, conversions, value, non_conversions, 1)::text AS first_order FROM row;
SELECT t.* FROM (SELECT markov(path, conversions, value, non_conversions, 1) AS chain FROM row) c, transition_probabilities(chain) t;
SELECT t.* FROM (SELECT markov(path, conversions, value, non_conversions, 2) AS chain FROM row) c, transition_probabilities(chain) t;
SELECT count(*) FROM transition_probabilities(NULL);

-- equal for any order of rows and any way of merging
SELECT k, count(DISTINCT m::text) AS texts, count(DISTINCT markov_send(m)) AS bytes FROM generate_series(1, 4) k, LATERAL (
	SELECT markov(path, conversions, value, non_conversions, k) AS m FROM row
	UNION ALL SELECT markov(path, conversions, value, non_conversions, k) FROM (SELECT * FROM row ORDER BY path, day DESC) r
	UNION ALL SELECT rollup(m) FROM (SELECT markov(path, conversions, value, non_conversions, k) AS m FROM row GROUP BY day) d
	UNION ALL SELECT rollup(m) FROM (SELECT markov(path, conversions, value, non_conversions, k) AS m FROM row GROUP BY day ORDER BY day DESC) d
	UNION ALL SELECT m::text::markov FROM (SELECT markov(path, conversions, value, non_conversions, k) AS m FROM row) d) all_ways
GROUP BY k ORDER BY k;

-- kept per day, merged over days
CREATE TEMP TABLE per_day AS SELECT day, markov(path, conversions, value, non_conversions, 1) AS chain FROM row GROUP BY day;
SELECT day, rollup(chain) OVER (ORDER BY day) AS up_to_now FROM per_day ORDER BY day;
SELECT day, rollup(chain) OVER (ORDER BY day ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS two_days FROM per_day ORDER BY day;

-- the step functions leave a stored value as it is
SELECT markov_accum(chain, '{x}', 1, 1, 1, 1) FROM per_day WHERE day = 1;
SELECT markov_combine(chain, chain) FROM per_day WHERE day = 1;
SELECT chain FROM per_day WHERE day = 1;

-- equality, DISTINCT
SELECT a.day, b.day, a.chain = b.chain AS equal, a.chain <> b.chain AS different FROM per_day a JOIN per_day b ON a.day <= b.day ORDER BY 1, 2;
SELECT count(*) FROM (SELECT DISTINCT chain FROM (TABLE per_day UNION ALL TABLE per_day) t) d;

-- bad input
SELECT markov('{a}'::text[], 1, 1, 1, 0);
SELECT markov('{a}'::text[], 1, 1, 1, 5);
SELECT markov('{a}'::text[], 1, 1, 1, k) FROM generate_series(1, 2) k;
SELECT rollup(m) FROM (SELECT markov('{a}'::text[], 1, 1, 1, k) AS m FROM generate_series(1, 2) k GROUP BY k) t;
SELECT markov('{a}'::text[], -1, 1, 1, 1);
SELECT markov('{a}'::text[], 1, 1, -1, 1);
SELECT a.* FROM (SELECT markov('{a}'::text[], 0, 5, 1, 1) AS chain) m, attribution(chain) a;
SELECT markov('{a}'::text[], 1, 'NaN', 1, 1);
SELECT markov('{a}'::text[], 9223372036854775807, 1, 1, 1);
SELECT markov('{}'::conversion_paths, 1);
SELECT markov(ARRAY[n::text], 1, 1, 0, 1) IS NULL FROM generate_series(1, 65536) n;
