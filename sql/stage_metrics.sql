--
-- Metrics of stages: stage_metrics, and rollup of stage_activity
--
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
CREATE TABLE stage_journey AS SELECT * FROM (VALUES
	(1, 'NO', '{2026-01-01T10:00:00Z page_view, 2026-01-02T10:00:00Z video_start, 2026-01-02T10:00:10Z video_25, 2026-01-02T10:00:20Z video_50, 2026-01-02T10:00:30Z video_75, 2026-01-02T10:00:40Z video_complete, 2026-01-02T10:10:00Z purchase =19.99, 2026-01-03T10:00:00Z purchase =5.01}'::timeline),
	(2, 'NO', '{2026-01-05T10:00:00Z page_view, 2026-01-05T10:00:00Z page_view, 2026-01-05T10:00:10Z video_start, 2026-01-05T10:00:20Z video_25, 2026-01-05T10:01:00Z like, 2026-01-20T10:00:00Z page_view}'),
	(3, 'DK', '{2026-01-06T10:00:00Z video_start, 2026-01-06T11:00:00Z purchase =100, 2026-01-07T10:00:00Z subscribe =9 {"level": 2}, 2026-01-08T10:00:00Z subscribe =9 {"level": 5}, 2026-01-08T10:00:00Z subscribe}'),
	(4, 'DK', '{2026-02-01T10:00:00Z chat}'),
	(5, 'DK', NULL)) s(visitor, country, events);
\set map '{"page_view": "awareness", "video_*": "consideration", "purchase|subscribe": "decision"}'

\x
SELECT stage, period_start, (stage_metrics(a)).*
FROM stage_journey, stage_activity(events, :'map') AS a
GROUP BY stage, period_start ORDER BY period_start, array_position('{awareness,consideration,decision}', stage);
\x

-- the aggregate is computed once, however many columns are taken from it
EXPLAIN (COSTS OFF) SELECT stage, (stage_metrics(a)).* FROM stage_journey, stage_activity(events, :'map') AS a GROUP BY stage;
CREATE FUNCTION counted_stage_final(stage_activity) RETURNS stage_metrics LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'final'; RETURN stage_metrics_final($1); END $$;
CREATE AGGREGATE counted_stage_metrics(stage_activity) (SFUNC = stage_activity_add, STYPE = stage_activity, FINALFUNC = counted_stage_final);
SELECT (counted_stage_metrics(a)).visitor_count, (counted_stage_metrics(a)).order_count, (counted_stage_metrics(a)).revenue_value FROM stage_journey, stage_activity(events, :'map', 'all') AS a WHERE stage = 'decision';

-- visitors do not add up over stages or periods, so their number is not known there; all else adds up
SELECT stage, (stage_metrics(a)).visitor_count, (stage_metrics(a)).view_count FROM stage_journey, stage_activity(events, :'map', 'week') AS a WHERE stage IN ('awareness', 'consideration') GROUP BY stage ORDER BY 1;
SELECT stage, (stage_metrics(a)).visitor_count, (stage_metrics(a)).view_count FROM stage_journey, stage_activity(events, :'map', 'all') AS a WHERE stage IN ('awareness', 'consideration') GROUP BY stage ORDER BY 1;
SELECT (stage_metrics(a)).visitor_count, (stage_metrics(a)).event_count FROM stage_journey, stage_activity(events, :'map', 'all') AS a;
SELECT (stage_metrics(a)).visitor_count, (stage_metrics(a)).event_count FROM stage_journey, stage_activity(events, '{}', 'all') AS a;
SELECT coalesce(stage, 'all') AS stage, (stage_metrics(a)).visitor_count, (stage_metrics(a)).event_count FROM stage_journey, stage_activity(events, :'map', 'all') AS a GROUP BY ROLLUP (stage) ORDER BY 1;
SELECT stage, country, (stage_metrics(a)).visitor_count, (stage_metrics(a)).order_count FROM stage_journey, stage_activity(events, :'map', 'all') AS a GROUP BY 1, 2 ORDER BY 1, 2;

-- rollup keeps what is the same; no rows, and NULL
SELECT rollup(a) FROM stage_journey, stage_activity(events, :'map', 'all') AS a WHERE stage = 'decision';
SELECT rollup(a) FROM stage_journey, stage_activity(events, :'map', 'month') AS a WHERE stage = 'decision';
SELECT rollup(a) FROM stage_journey, stage_activity(events, :'map', 'week') AS a WHERE stage = 'consideration';
SELECT rollup(a) FROM stage_journey, stage_activity(events, :'map', 'all') AS a WHERE stage <> 'decision';
SELECT stage_metrics(a) FROM stage_journey, stage_activity(events, :'map') AS a WHERE false;
SELECT rollup(a) IS NULL AS nothing FROM stage_journey, stage_activity(events, :'map') AS a WHERE false;
SELECT stage_metrics(a) IS NOT DISTINCT FROM stage_metrics_final(NULL) AS same FROM stage_journey LEFT JOIN stage_activity(events, :'map') AS a ON true WHERE visitor = 5;
SELECT stage_activity_add(NULL, NULL) IS NULL AS nothing, stage_activity_add(a, NULL) = a AND stage_activity_add(NULL, a) = a AS unchanged FROM stage_activity('{2026-01-01T10:00:00Z order =1}', '{}') a;

-- parts that were stored give what all rows give
CREATE TABLE stage_part AS SELECT stage, visitor % 2 AS half, rollup(a) AS a FROM stage_journey, stage_activity(events, :'map', 'all') AS a GROUP BY 1, 2;
SELECT stage, stage_metrics(a)::text FROM stage_part GROUP BY stage EXCEPT ALL SELECT stage, stage_metrics(a)::text FROM stage_journey, stage_activity(events, :'map', 'all') AS a GROUP BY stage;
SELECT count(*) FROM stage_part;
SELECT n, (stage_metrics(a) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)).order_count FROM (SELECT n, a FROM generate_series(1, 4) n, stage_activity('{2026-01-01T10:00:00Z order =1}', '{}') a) s;

-- figures of a day that no visitor belongs to
SELECT (stage_metrics(a)).visitor_count, (stage_metrics(a)).impression_count, (stage_metrics(a)).like_count, (stage_metrics(a)).view_count, (stage_metrics(a)).event_count
FROM (SELECT a FROM stage_journey, stage_activity(events, :'map') AS a WHERE stage = 'awareness' AND period_start = '2026-01-01'
	UNION ALL SELECT jsonb_populate_record(NULL::stage_activity, '{"stage": "awareness", "period_start": "2026-01-01Z", "visitor_count": 0, "impression_count": 120000, "like_count": 34}')) s(a);
-- whatever their period; the stage and period of the sum are those of rows with visitors
SELECT (s).stage, (s).period_start, (s).visitor_count, (s).click_count FROM (SELECT rollup(jsonb_populate_record(NULL::stage_activity, r) ORDER BY n * direction) AS s
	FROM unnest('{"{\"visitor_count\": 0, \"click_count\": 1, \"stage\": \"a\", \"period_start\": \"2026-01-01Z\"}", "{\"visitor_count\": 0, \"click_count\": 1, \"stage\": \"a\", \"period_start\": \"2026-01-02Z\"}",
		"{\"visitor_count\": 1, \"stage\": \"a\"}", "{\"visitor_count\": 0, \"click_count\": 1, \"period_start\": \"2026-01-01Z\"}", "{\"visitor_count\": 2, \"stage\": \"a\"}"}'::jsonb[]) WITH ORDINALITY r(r, n),
	(VALUES (1, 5), (-1, 5), (1, 2), (1, 1), (-1, 4)) d(direction, last) WHERE n <= last GROUP BY direction, last ORDER BY last, direction) s;
-- a number of visitors that is not known stays so
SELECT (stage_metrics(a)).visitor_count, (stage_metrics(a)).like_count FROM (SELECT jsonb_populate_record(NULL::stage_activity, r) FROM unnest('{"{\"visitor_count\": 3}","{\"like_count\": 5}","{\"visitor_count\": 4}"}'::jsonb[]) r) s(a);

-- a total of nothing is 0; of orders without values it is not known
SELECT (m).order_count, (m).revenue_value, (m).average_order_value, (m).subscription_count, (m).subscription_value, (m).subscription_level
FROM unnest('{"{2026-01-01T00:00:00Z a}","{2026-01-01T00:00:00Z order, 2026-01-01T00:00:00Z subscribe}","{2026-01-01T00:00:00Z order, 2026-01-01T00:00:00Z order =3, 2026-01-01T00:00:00Z subscribe =0 {\"level\": 0}}"}'::timeline[]) WITH ORDINALITY s(t, n),
	LATERAL (SELECT stage_metrics(a) AS m FROM stage_activity(t, '{}') a) s2 ORDER BY n;

-- watch share: one who saw all, one who left at once
SELECT n, (stage_metrics(a)).watch_share, (stage_metrics(a)).video_25_rate, (stage_metrics(a)).video_complete_rate
FROM (VALUES (1, '{2026-01-01T10:00:00Z video_start, 2026-01-01T10:00:00Z video_25, 2026-01-01T10:00:00Z video_50, 2026-01-01T10:00:00Z video_75, 2026-01-01T10:00:00Z video_complete}'::timeline),
	(2, '{2026-01-01T10:00:00Z video_start}'), (3, '{2026-01-01T10:00:00Z video_start, 2026-01-01T10:00:00Z video_start, 2026-01-01T10:00:00Z video_25, 2026-01-01T10:00:00Z video_50}'), (4, '{2026-01-01T10:00:00Z video_25}')) s(n, t), stage_activity(t, '{}') a GROUP BY n ORDER BY n;

-- a stored row does not change when another is added to it
CREATE TABLE stage_stored AS SELECT rollup(a) AS a FROM stage_journey, stage_activity(events, :'map', 'all') AS a WHERE stage = 'decision';
SELECT (stage_activity_add(a, a)).order_count FROM stage_stored;
SELECT (a).order_count FROM stage_stored;

-- money: exact whatever the order, and too much of it
SELECT (stage_metrics(a ORDER BY n)).revenue_value, (stage_metrics(a ORDER BY -n)).revenue_value = (stage_metrics(a ORDER BY n)).revenue_value AS same
FROM (VALUES (1, 1e300), (2, 0.1), (3, 0.2), (4, -1e300), (5, 1e16), (6, 0.07), (7, -1e16)) v(n, value), stage_activity(('{2026-01-01T00:00:00Z order =' || value::float8 || '}')::timeline, '{}') a;
SELECT stage_metrics(a) FROM (SELECT timeline('2026-01-01Z'::timestamptz, 'order', NULL, 1e308) AS t FROM generate_series(1, 2) i GROUP BY i) s, stage_activity(t, '{}') a;
SELECT rollup(jsonb_populate_record(NULL::stage_activity, r)) FROM unnest('{"{\"view_count\": 9223372036854775807}","{\"view_count\": 1}"}'::jsonb[]) r;
SELECT stage_metrics(jsonb_populate_record(NULL::stage_activity, '{"view_count": -1}'));
SELECT stage_metrics(jsonb_populate_record(NULL::stage_activity, '{"revenue_value": "NaN"}'));
SELECT stage_metrics(jsonb_populate_record(NULL::stage_activity, '{"subscription_value": "-Infinity"}'));

-- types that were altered are noticed
BEGIN;
ALTER EXTENSION engagement DROP TYPE stage_activity;
ALTER TYPE stage_activity ADD ATTRIBUTE more text;
SELECT count(*) FROM stage_activity('{2026-01-01T10:00:00Z order =1}', '{}');
ROLLBACK;
BEGIN;
ALTER EXTENSION engagement DROP TYPE stage_metrics;
ALTER TYPE stage_metrics ALTER ATTRIBUTE view_count TYPE text;
SELECT stage_metrics(a) FROM stage_activity('{2026-01-01T10:00:00Z order =1}', '{}') a;
ROLLBACK;
