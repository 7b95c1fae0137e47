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
	   round(100 * step_conversion::numeric, 1) AS "of the step before %",
	   round(100 * step_conversion_lower::numeric, 1) || ' to ' || round(100 * step_conversion_upper::numeric, 1) AS "95 % sure",
	   round(100 * total_conversion::numeric, 1) AS "of all %",
	   in_progress AS "may go on",
	   dropped AS "dropped out",
	   CASE WHEN p50_seconds < 5400 THEN round(p50_seconds::numeric / 60, 1) || ' min'
			WHEN p50_seconds < 129600 THEN round(p50_seconds::numeric / 3600, 1) || ' h'
			ELSE round(p50_seconds::numeric / 86400, 1) || ' days' END AS "half of them after"
FROM funnel_state, funnel_steps(state, :'funnel_labels')
ORDER BY step;
\echo 'may go on: the last event of the file came before their time was up, so they are not counted against a step.'
SELECT string_agg(reached::text, ' > ' ORDER BY step) AS reached FROM funnel_state, funnel_steps(state) \gset
\echo :reached 'visitors'

\else

\echo
\echo 'To see how far visitors get, name the steps, for example'
\echo '   ' :rerun 'STEPS="first_event > second_event|other > last_event" WITHIN="7 days"'

\endif
