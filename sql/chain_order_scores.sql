--
-- chain_order_scores: which order a Markov chain should have
--
CREATE TEMP TABLE journey (path text[], conversions bigint, non_conversions bigint);
INSERT INTO journey VALUES
	('{ads,email}', 400, 100),
	('{email,ads}', 50, 450),
	('{ads,ads,email}', 80, 120),
	('{email}', 200, 300),
	('{ads}', 10, 290),
	('{email,email,ads,email}', 60, 40),
	(NULL, 500, 500);
CREATE FUNCTION pg_temp.rounded(paths conversion_paths, max_order int DEFAULT 4, folds int DEFAULT 5, seed bigint DEFAULT 1)
RETURNS TABLE (chain_order int, log_loss numeric, std_error numeric, auc numeric, penalized_auc numeric, states bigint, is_best boolean)
AS 'SELECT chain_order, log_loss::numeric(20,9), log_loss_std_error::numeric(20,9), auc::numeric(20,9), penalized_auc::numeric(20,9), states, is_best
	FROM chain_order_scores(paths, max_order, folds, seed)' LANGUAGE SQL;
CREATE TEMP TABLE paths AS SELECT conversion_paths(path, conversions, 0, non_conversions) AS p FROM journey;
SELECT s.* FROM paths, pg_temp.rounded(p) s;
-- an order that comes first does not depend on those after it
SELECT s.* FROM paths, pg_temp.rounded(p, max_order => 2) s;
SELECT s.* FROM paths, pg_temp.rounded(p, 1, 2) s;
-- NULL options are those by default
SELECT count(*), count(DISTINCT s) FROM paths, LATERAL (SELECT a FROM chain_order_scores(p) a UNION ALL SELECT a FROM chain_order_scores(p, NULL, NULL, NULL) a) x(s);
-- each seed deals the journeys in its own way, and the same way again
SELECT count(DISTINCT s), count(*) FROM paths, generate_series(1, 5) seed, generate_series(1, 2), chain_order_scores(p, 1, 5, seed) s;

-- a channel whose meaning depends on what came before it: order 1 is no better than a coin
SELECT s.* FROM (SELECT conversion_paths(path, c, 0, n) AS p FROM (VALUES
	('{a,x}'::text[], 1000, 0), ('{b,x}', 0, 1000)) v(path, c, n)) v, pg_temp.rounded(p) s;
-- nothing to learn: both ends as likely after anything
SELECT s.* FROM (SELECT conversion_paths(path, 500, 0, 500) AS p FROM (VALUES ('{a}'::text[]), ('{b}')) v(path)) v, pg_temp.rounded(p) s;
-- one journey: foretold by nothing but what is possible, a touch and an end among three
SELECT chain_order, log_loss = 2 * ln(3::float8) AS is_uniform, log_loss_std_error, auc, penalized_auc, states, is_best
FROM (SELECT conversion_paths('{a}', 1, 0, 0) AS p) v, chain_order_scores(p) s;
-- as many states as journeys: no penalty can be given
SELECT s.* FROM (SELECT conversion_paths(ARRAY[i::text], 1, 0, 1) AS p FROM generate_series(1, 3) i) v, pg_temp.rounded(p, 1) s;
SELECT s.* FROM (SELECT conversion_paths(ARRAY[i::text], (i % 2)::bigint, 0, ((i + 1) % 2)::bigint) AS p FROM generate_series(1, 9) i) v, pg_temp.rounded(p, 1) s;

-- one kind of end only
SELECT s.* FROM (SELECT conversion_paths(path, conversions, 0, 0) AS p FROM journey) v, pg_temp.rounded(p, 2) s;
SELECT s.* FROM (SELECT conversion_paths(path, 0, 0, non_conversions) AS p FROM journey) v, pg_temp.rounded(p, 2) s;
-- no channels: nothing to score
SELECT s.* FROM (SELECT conversion_paths(path, conversions, 0, non_conversions) AS p FROM journey WHERE path IS NULL) v, chain_order_scores(p) s;
SELECT s.* FROM (SELECT conversion_paths(path, 0, 0, 0) AS p FROM journey) v, chain_order_scores(p) s;
SELECT * FROM chain_order_scores(NULL);
-- counts beyond what a double holds exactly
SELECT s.* FROM (SELECT conversion_paths(path, 1000000000000000000, 0, 500000000000000001) AS p FROM (VALUES ('{a,b}'::text[]), ('{b}')) v(path)) v, pg_temp.rounded(p, 2) s;
SELECT s.* FROM (SELECT conversion_paths('{a}', 2305843009213693952, 0, 2305843009213693951) AS p) v, pg_temp.rounded(p, 2, 1000) s;
SELECT s.* FROM (SELECT conversion_paths(path, 4000000000000000000, 0, 1) AS p FROM (VALUES ('{a,b}'::text[]), ('{b}')) v(path)) v, chain_order_scores(p, 2) s;
-- a path of 10,000 touches
SELECT s.* FROM (SELECT conversion_paths(ARRAY(SELECT CASE WHEN i % 2 = 0 THEN 'even' ELSE 'odd' END FROM generate_series(1, 10000) i), 10, 0, 10) AS p) v, pg_temp.rounded(p) s;

SELECT * FROM paths, chain_order_scores(p, 0);
SELECT * FROM paths, chain_order_scores(p, 5);
SELECT * FROM paths, chain_order_scores(p, folds => 1);
SELECT * FROM paths, chain_order_scores(p, folds => 1001);
