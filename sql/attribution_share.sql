--
-- attribution_share() OVER (PARTITION BY conversion ORDER BY at)
--
CREATE TABLE touch (conversion int, at timestamptz, channel text, converted_at timestamptz DEFAULT '2026-02-01Z');
INSERT INTO touch VALUES (1, '2026-01-01Z', 'a'), (1, '2026-01-08Z', 'b'), (1, '2026-01-15Z', 'a'), (1, '2026-01-22Z', '(direct)'), (2, '2026-01-05Z', 'a'), (3, NULL, NULL),
	(4, '2026-01-05Z', NULL), (4, '2026-01-06Z', ''), (5, '2026-01-05Z', NULL), (5, '2026-01-06Z', 'b'), (6, NULL, '(unattributed)');
SELECT conversion, at, channel, attribution_share('linear', at) OVER w AS "linear, no channel", attribution_share('linear', at, channel) OVER w AS linear,
	attribution_share('last_non_direct', at) OVER w AS "last, no channel", attribution_share('last_non_direct', at, channel) OVER w AS last_non_direct,
	attribution_share('last_non_direct', at, channel, skip => '{a,(direct)}') OVER w AS "but b",
	round(attribution_share('time_decay', at, channel, converted_at) OVER w::numeric, 6) AS time_decay, attribution_share('participation', at, channel) OVER w AS participation,
	round(attribution_share('w_shaped', at, channel, milestones => '{2026-01-10Z,NULL}') OVER w::numeric, 6) AS w_shaped,
	attribution_share('position_based', at, channel, weights => '{0.5,0.25,0.25}') OVER w AS position_based
FROM touch WINDOW w AS (PARTITION BY conversion ORDER BY at) ORDER BY conversion, at;

-- the frame does not matter, nor does the order of the input; the model may differ by partition
SELECT count(*), count(DISTINCT (conversion, at)) AS rows, bool_and(a = b AND b = c) AS same FROM (
	SELECT *, attribution_share('linear', at) OVER (PARTITION BY conversion ORDER BY at) AS a,
		attribution_share('linear', at) OVER (PARTITION BY conversion ORDER BY at ROWS BETWEEN CURRENT ROW AND CURRENT ROW EXCLUDE CURRENT ROW) AS b,
		attribution_share('linear', at) OVER (PARTITION BY conversion ORDER BY at GROUPS BETWEEN 1 PRECEDING AND 2 FOLLOWING) AS c
	FROM (SELECT * FROM touch ORDER BY at DESC) t) s;
SELECT conversion, at, attribution_share(CASE conversion WHEN 1 THEN 'last_touch' WHEN 2 THEN 'linear' END, at) OVER (PARTITION BY conversion ORDER BY at) FROM touch WHERE conversion < 4 ORDER BY 1, 2;
PREPARE share(text) AS SELECT sum(attribution_share) FROM (SELECT attribution_share('linear', at, $1) OVER (ORDER BY at) FROM touch WHERE conversion = 1) s;
EXECUTE share(NULL);
EXECUTE share('a');
EXECUTE share('');
DEALLOCATE share;

-- the same shares as the arrays have
CREATE TABLE random_touch AS
SELECT i % 300 AS conversion, '2026-01-01Z'::timestamptz + make_interval(mins => hashint4(i) & 65535) AS at, i,
	(ARRAY['a', 'b', '(direct)', 'a longer name of a channel', NULL, '', '(unattributed)', 'c'])[1 + (hashint4(-i) & 7)] AS channel
FROM generate_series(1, 3000) i;
SELECT model, count(*) AS rows, count(*) FILTER (WHERE share IS DISTINCT FROM weights[n]) AS differences
FROM unnest('{first_touch,last_touch,last_non_direct,linear,position_based,j_shaped,w_shaped,full_path,time_decay,participation}'::text[]) model, LATERAL (
	SELECT conversion, row_number() OVER w AS n, attribution_share(model, at, channel, '2026-03-01Z', '{a}', '{0.1,0.2,0.7}', '1 day', '{2026-01-10Z,2026-01-20Z}') OVER w AS share
	FROM random_touch WINDOW w AS (PARTITION BY conversion ORDER BY at, i)) s JOIN LATERAL (
	SELECT conversion, attribution_weights(model, array_agg(channel ORDER BY at, i), array_agg(at ORDER BY at, i), '2026-03-01Z', '{a}', '{0.1,0.2,0.7}', '1 day', '{2026-01-10Z,2026-01-20Z}') AS weights
	FROM random_touch GROUP BY conversion) a USING (conversion)
GROUP BY model ORDER BY model;

-- mistakes
SELECT attribution_share('linear', at) OVER (PARTITION BY conversion ORDER BY at DESC) FROM touch;
SELECT attribution_share('linear', at) OVER (PARTITION BY conversion) FROM (SELECT * FROM touch ORDER BY conversion, channel DESC) t;
SELECT attribution_share('linear', at, 'a') OVER (PARTITION BY conversion ORDER BY at) FROM touch;
SELECT attribution_share('participation', at) OVER (PARTITION BY conversion ORDER BY at) FROM touch;
SELECT attribution_share('time_decay', at, channel, '2026-01-10Z') OVER (PARTITION BY conversion ORDER BY at) FROM touch;
SELECT attribution_share('time_decay', at, half_life => '1 month') OVER (PARTITION BY conversion ORDER BY at) FROM touch;
SELECT attribution_share('markov', at) OVER (PARTITION BY conversion ORDER BY at) FROM touch;
SELECT attribution_share('linear', 'infinity') OVER (PARTITION BY conversion ORDER BY at) FROM touch;
SELECT attribution_share('full_path', at) OVER (PARTITION BY conversion ORDER BY at) FROM touch;
SELECT attribution_share('linear', at) FROM touch;
DROP TABLE touch, random_touch;
