-- How far visitors get: the steps are those of the psql variable steps ('a > b > c'), or of the
-- table funnel_step (step, label, pattern), or guessed where a file has few kinds of events.

CREATE TABLE IF NOT EXISTS funnel_step (step int PRIMARY KEY, label text NOT NULL, pattern text NOT NULL);

SELECT :'steps' <> '' AS has_given_steps,
	   CASE WHEN :'within' <> '' THEN :'within' ELSE '30 days' END AS funnel_window,
	   (SELECT count(*) FROM funnel_step) = 0 AND (SELECT count(DISTINCT event) FROM events) BETWEEN 2 AND 8 AS guess_steps
\gset
\if :has_given_steps
	DELETE FROM funnel_step;
	INSERT INTO funnel_step
	SELECT number, pattern, pattern
	FROM regexp_split_to_table(btrim(:'steps'), '\s*>\s*') WITH ORDINALITY AS given(pattern, number);
\elif :guess_steps
	-- the event that most visitors have comes first; special characters of patterns are escaped
	INSERT INTO funnel_step
	SELECT row_number() OVER (ORDER BY count(DISTINCT visitor) DESC, event COLLATE "C"),
		   event,
		   regexp_replace(event, '([\\|*@\[\],=])', '\\\1', 'g')
	FROM events
	GROUP BY event;
\endif

SELECT count(*) > 0 AS has_steps, array_agg(pattern ORDER BY step) AS funnel_steps, array_agg(label ORDER BY step) AS funnel_labels,
	   (SELECT max(at) FROM events) AS funnel_as_of
FROM funnel_step
\gset

\if :has_steps

\echo
\echo
\echo '6. How far visitors get, step by step within' :funnel_window
\echo
CREATE TABLE funnel_state AS
SELECT funnel_stats(funnel(timeline, :'funnel_steps', :'funnel_window'), :'funnel_window', :'funnel_as_of') AS state
FROM visitor_timeline;

SELECT step,
	   label AS event,
	   reached AS visitors,
	   round(100 * mature_step_conversion::numeric, 1) AS "of the step before %",
	   round(100 * mature_total_conversion::numeric, 1) AS "of all %",
	   in_progress AS "may go on",
	   dropped AS "dropped out",
	   CASE WHEN p50_seconds < 5400 THEN round(p50_seconds::numeric / 60, 1) || ' min'
			WHEN p50_seconds < 129600 THEN round(p50_seconds::numeric / 3600, 1) || ' h'
			ELSE round(p50_seconds::numeric / 86400, 1) || ' days' END AS "half of them after"
FROM funnel_state, funnel_steps(state, :'funnel_labels')
ORDER BY step;
\echo 'may go on: the last event of the file came before their time was up. Percent: of the visitors whose time is up.'
SELECT string_agg(reached::text, ' > ' ORDER BY step) AS reached FROM funnel_state, funnel_steps(state, :'funnel_labels') \gset
\echo :reached 'visitors'

\else

\echo
\echo 'To see how far visitors get, name the steps, for example'
\echo '   ' :rerun 'STEPS="first_event > second_event|other > last_event" WITHIN="7 days"'

\endif

-- Where visitors stand on their way, if the events have stages.
CREATE TABLE IF NOT EXISTS stage_pattern (pattern text PRIMARY KEY, stage text NOT NULL);
SELECT count(*) > 0 AS has_stages, coalesce(jsonb_object_agg(pattern, stage), '{}') AS stage_map FROM stage_pattern
\gset

\if :has_stages

\echo
\echo
\echo '7. The stages of the journey: where visitors stand at the end, and what they do there'
\echo
WITH now AS (
	SELECT stage_at(timeline, :'stage_map') AS stage,
		   count(*) AS visitors,
		   count(*) FILTER (WHERE stage_at(timeline, :'stage_map', as_of => :'funnel_as_of', lapse => '30 days') IS NOT NULL) AS active
	FROM visitor_timeline
	GROUP BY 1
),
entered AS (
	SELECT to_stage AS stage,
		   count(*) FILTER (WHERE moved_at > :'funnel_as_of'::timestamptz - interval '30 days') AS entered,
		   percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS seconds
	FROM visitor_timeline, stage_moves(timeline, :'stage_map')
	GROUP BY to_stage
),
done AS (
	SELECT (activity).stage, stage_metrics(activity) AS m
	FROM (SELECT stage_activity(timeline, :'stage_map', 'all') AS activity FROM visitor_timeline) AS each_visitor
	GROUP BY 1
)
SELECT stage,
	   visitors AS "visitors now",
	   active AS "active in 30 days",
	   entered AS "came in 30 days",
	   CASE WHEN seconds < 5400 THEN round(seconds::numeric / 60, 1) || ' min'
			WHEN seconds < 129600 THEN round(seconds::numeric / 3600, 1) || ' h'
			ELSE round(seconds::numeric / 86400, 1) || ' days' END AS "half came after",
	   (m).visitor_count AS "had events in it",
	   (m).view_count AS views,
	   (m).video_start_count AS "video starts",
	   round(100 * (m).video_complete_rate::numeric, 1) AS "seen to the end %",
	   (m).subscription_count AS subscriptions,
	   (m).order_count AS orders,
	   round((m).average_order_value::numeric, 2) AS "order value"
FROM now JOIN entered USING (stage) JOIN done USING (stage)
ORDER BY array_position(ARRAY['awareness', 'consideration', 'decision'], stage);
\echo 'A visitor stands in the furthest stage reached. half came after: the time in the stage before, of those who came from one.'

\endif
