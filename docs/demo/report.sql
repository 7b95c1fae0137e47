-- The report: what visits are worth, when, from where, and which to look at.
--
-- Needs, on the search path:
--   events       a table or view (visitor, at, event, channel, value, properties)
--   goal_points  a table (pattern, points), empty if no goal has points yet
-- and the psql variable time_zone: whose days and weeks are meant.
--
-- value: engagement value, in points; revenue: the money in the column value.

\set QUIET on
\pset footer off
\pset null '-'
SET client_min_messages = warning;

-- Everything below is a query over these two tables.

CREATE TABLE visitor_timeline AS
SELECT visitor, timeline(at, event, channel, value, properties) AS timeline
FROM events
GROUP BY visitor;

CREATE TABLE visit_fact AS
SELECT visitor,
	   visit_number,
	   started_at,
	   ended_at,
	   duration_seconds,
	   event_count,
	   is_bounce,
	   coalesce(channel, '(direct)') AS channel,
	   coalesce(first_property(visit, 'campaign'), '(none)') AS campaign,
	   engagement_value(visit, goals.points) AS value,
	   total_value(visit) AS revenue,
	   visit
FROM visitor_timeline,
	 visits(timeline),
	 (SELECT coalesce(jsonb_object_agg(pattern, points), '{}') AS points FROM goal_points) AS goals;

ANALYZE visit_fact;

DO $$
BEGIN
	IF NOT EXISTS (SELECT FROM visit_fact) THEN
		RAISE EXCEPTION 'there are no events to report on';
	END IF;
END $$;

SELECT (SELECT count(*) > 0 FROM goal_points) AS has_points,
	   coalesce(bool_or(campaign <> '(none)'), false) AS has_campaigns,
	   CASE WHEN count(revenue) > 0 THEN 'round(revenue::numeric, 2) AS revenue,' ELSE '' END AS revenue_column,
	   (max(ended_at) AT TIME ZONE :'time_zone')::date - (min(started_at) AT TIME ZONE :'time_zone')::date < 21
		   AS is_short
FROM visit_fact
\gset

-- Few days are shown by day, else by week.
\if :is_short
	\set period_name day
\else
	\set period_name week
\endif

\echo
\echo '1. What was loaded'
\echo
SELECT sum(event_count) AS events,
	   count(DISTINCT visitor) AS visitors,
	   count(*) AS visits,
	   to_char(min(started_at) AT TIME ZONE :'time_zone', 'YYYY-MM-DD HH24:MI') AS "first event",
	   to_char(max(ended_at) AT TIME ZONE :'time_zone', 'YYYY-MM-DD HH24:MI') AS "last event",
	   :'time_zone' AS "time zone"
FROM visit_fact;
\echo 'A visit ends when its visitor does nothing for more than 30 minutes.'

-- Periods without a visit count too: a week after an empty one is not compared with
-- the last busy one. The data seldom begins and ends with a whole period.
CREATE VIEW period_total AS
WITH data AS (
	SELECT min(started_at AT TIME ZONE :'time_zone')::date AS first_day,
		   max(ended_at AT TIME ZONE :'time_zone')::date AS last_day
	FROM visit_fact
),
period AS (
	SELECT start::date,
		   start::date < first_day
			   OR (start + ('1 ' || :'period_name')::interval)::date - 1 > last_day
			   OR (:'period_name' = 'day' AND start::date IN (first_day, last_day)) AS is_partial
	FROM data,
		 generate_series(date_trunc(:'period_name', first_day::timestamp), last_day::timestamp,
						 ('1 ' || :'period_name')::interval) AS start
),
total AS (
	SELECT date_trunc(:'period_name', started_at AT TIME ZONE :'time_zone')::date AS start,
		   count(*) AS visits,
		   count(DISTINCT visitor) AS visitors,
		   sum(event_count) AS events,
		   count(*) FILTER (WHERE is_bounce) AS bounces,
		   sum(value) AS value,
		   sum(revenue) AS revenue
	FROM visit_fact
	GROUP BY 1
),
filled AS (
	SELECT start, is_partial, coalesce(visits, 0) AS visits, coalesce(visitors, 0) AS visitors,
		   events, bounces, coalesce(value, 0) AS value, revenue, value / visits AS value_per_visit
	FROM period LEFT JOIN total USING (start)
)
SELECT *,
	   CASE WHEN NOT is_partial AND NOT lag(is_partial) OVER by_start
			THEN visits::float8 / nullif(lag(visits) OVER by_start, 0) - 1 END AS visits_change,
	   CASE WHEN NOT is_partial AND NOT lag(is_partial) OVER by_start
			THEN value_per_visit / nullif(lag(value_per_visit) OVER by_start, 0) - 1 END AS value_per_visit_change
FROM filled
WINDOW by_start AS (ORDER BY start);

\if :has_points

\echo
\echo
\echo '2. The goals, and the points that each completion earns'
\echo
-- An event earns the points of the most specific pattern that matches it: with 1 for
-- one goal and 0 for all others, the value is the number of completions of the one.
CREATE VIEW goal_points_alone AS
SELECT goal.pattern AS goal,
	   goal.points,
	   jsonb_object_agg(other.pattern, (other.pattern = goal.pattern)::int) AS alone
FROM goal_points AS goal, goal_points AS other
GROUP BY goal.pattern, goal.points;

SELECT goal,
	   points,
	   sum(completions)::bigint AS completions,
	   count(*) FILTER (WHERE completions > 0) AS visitors,
	   points * sum(completions) AS value,
	   round((100 * points * sum(completions) / nullif(sum(points * sum(completions)) OVER (), 0))::numeric, 1)
		   AS "share of value %",
	   CASE WHEN sum(event_count(timeline, goal)) = 0 THEN 'matches no event'
			WHEN sum(completions) = 0 THEN 'other goals are more specific'
			ELSE '' END AS note
FROM goal_points_alone,
	 visitor_timeline,
	 engagement_value(timeline, alone) AS completions
GROUP BY goal, points
ORDER BY points DESC, goal COLLATE "C";
\echo 'value: points earned; visitors: who completed the goal at least once. The points are given by'
\echo 'hand, in the table goal_points.'

\echo
\echo
\echo '3. Visits, value and value per visit by' :period_name
\echo
SELECT to_char(start, 'Dy YYYY-MM-DD') AS starting,
	   visits,
	   round(100 * visits_change::numeric, 1) AS "visits, change %",
	   round(value::numeric, 1) AS value,
	   round(value_per_visit::numeric, 2) AS "value per visit",
	   round(100 * value_per_visit_change::numeric, 1) AS "per visit, change %",
	   :revenue_column
	   CASE WHEN is_partial THEN 'part of a ' || :'period_name'
			WHEN visits_change > 0.1 AND value_per_visit_change < -0.1 THEN '<< more visits, each worth less'
			WHEN visits_change < -0.1 AND value_per_visit_change > 0.1 THEN '<< fewer visits, each worth more'
			ELSE '' END AS note
FROM period_total
ORDER BY start;
\echo 'change: against the period before, where both are whole. <<: visits and value per visit moved'
\echo 'against each other, both by more than 10%. Traffic alone would have told the wrong story.'

\echo
\echo
\echo '4. Value per visit by channel, and the potential of each'
\echo
WITH overall AS (
	SELECT count(*) AS visits, sum(value) / count(*) AS value_per_visit FROM visit_fact
),
segment AS (
	SELECT channel, count(*) AS visits, sum(value) AS value, sum(value) / count(*) AS value_per_visit, sum(revenue) AS revenue
	FROM visit_fact
	GROUP BY GROUPING SETS ((channel), ())
)
SELECT coalesce(channel, 'all visits') AS channel,
	   segment.visits,
	   round(100.0 * segment.visits / overall.visits, 1) AS "share of visits %",
	   round(value::numeric, 1) AS value,
	   round(segment.value_per_visit::numeric, 2) AS "value per visit",
	   :revenue_column
	   CASE WHEN channel IS NOT NULL
			THEN round((segment.visits * greatest(0, overall.value_per_visit - segment.value_per_visit))::numeric, 1)
	   END AS potential
FROM segment, overall
ORDER BY channel IS NULL, potential DESC, segment.visits DESC, channel COLLATE "C";
\echo 'potential: the points that the channel would add if each of its visits were worth as much as the'
\echo 'average of all visits: where improving the visits, or spending elsewhere, pays most. A visit earns'
\echo 'what happens in it: a channel that opens journeys which others close is worth more than it shows.'

\if :has_campaigns
\echo
\echo '   ... and by channel and campaign (with at least 0.5% of the visits)'
\echo
WITH overall AS (
	SELECT count(*) AS visits, sum(value) / count(*) AS value_per_visit FROM visit_fact
),
sized AS (
	SELECT channel, campaign, value, count(*) OVER (PARTITION BY channel, campaign) >= 0.005 * overall.visits AS is_shown
	FROM visit_fact, overall
),
segment AS (
	SELECT CASE WHEN is_shown THEN channel ELSE 'all smaller ones' END AS channel,
		   CASE WHEN is_shown THEN campaign ELSE '' END AS campaign,
		   is_shown,
		   count(*) AS visits, sum(value) AS value, sum(value) / count(*) AS value_per_visit
	FROM sized
	GROUP BY 1, 2, 3
)
SELECT channel,
	   campaign,
	   segment.visits,
	   round(value::numeric, 1) AS value,
	   round(segment.value_per_visit::numeric, 2) AS "value per visit",
	   round((segment.visits * greatest(0, overall.value_per_visit - segment.value_per_visit))::numeric, 1) AS potential
FROM segment, overall
ORDER BY is_shown DESC, potential DESC, segment.visits DESC, channel COLLATE "C", campaign COLLATE "C";
\endif

\echo
\echo
\echo '5. The best visits: most value'
\echo
SELECT visitor,
	   to_char(started_at AT TIME ZONE :'time_zone', 'YYYY-MM-DD HH24:MI') AS started,
	   channel,
	   campaign,
	   round(duration_seconds::numeric / 60, 1) AS minutes,
	   event_count AS events,
	   round(value::numeric, 1) AS value,
	   string_agg(earned.goal || CASE WHEN completions > 1 THEN ' (' || completions || ')' ELSE '' END, ', '
				  ORDER BY earned.points * completions DESC, earned.goal COLLATE "C") AS "what earned it"
FROM (SELECT * FROM visit_fact WHERE value > 0
	  ORDER BY value DESC, event_count DESC, started_at, visitor::text COLLATE "C" LIMIT 10) AS best,
	 LATERAL (SELECT goal, goal_points_alone.points, engagement_value(visit, alone) AS completions
			  FROM goal_points_alone) AS earned
WHERE completions > 0
GROUP BY visitor, visit_number, started_at, channel, campaign, duration_seconds, event_count, value
ORDER BY value DESC, event_count DESC, started_at, visitor::text COLLATE "C";

\echo
\echo '   ... and the worst: much done, nothing of value'
\echo
SELECT visitor,
	   to_char(started_at AT TIME ZONE :'time_zone', 'YYYY-MM-DD HH24:MI') AS started,
	   channel,
	   campaign,
	   round(duration_seconds::numeric / 60, 1) AS minutes,
	   event_count AS events,
	   round(value::numeric, 1) AS value,
	   CASE WHEN length(what_happened) > 70 THEN left(what_happened, 67) || '...' ELSE what_happened END AS "what happened"
FROM (SELECT * FROM visit_fact WHERE value <= 0
	  ORDER BY value, event_count DESC, started_at, visitor::text COLLATE "C" LIMIT 10) AS worst,
	 LATERAL (SELECT string_agg(event || CASE WHEN times > 1 THEN ' (' || times || ')' ELSE '' END, ', '
								 ORDER BY times DESC, event COLLATE "C") AS what_happened
			  FROM (SELECT event, count(*) AS times FROM events(visit) GROUP BY event) AS counted) AS told
ORDER BY worst.value, event_count DESC, started_at, visitor::text COLLATE "C";

\else

-- Without points nothing can be said about value, and nothing is made up: what there
-- is to give points to, and visits alone.

\echo
\echo
\echo '2. The events: none has points yet, so there is no value to report'
\echo
SELECT CASE WHEN length(event) > 70 THEN left(event, 67) || '...' ELSE event END AS event,
	   count(*) AS events,
	   count(DISTINCT visitor) AS visitors,
	   round(100.0 * count(DISTINCT visitor) / (SELECT count(*) FROM visitor_timeline), 1) AS "share of visitors %"
FROM visitor_timeline, events(timeline)
GROUP BY events.event
ORDER BY events DESC, events.event COLLATE "C"
LIMIT 20;

-- special characters of patterns are escaped
SELECT quote_literal(jsonb_build_object(regexp_replace(event, '([][|*@=,\\])', '\\\1', 'g'), 100)) AS example
FROM visitor_timeline, events(timeline)
GROUP BY event
ORDER BY count(DISTINCT visitor), event COLLATE "C" DESC
LIMIT 1
\gset
\echo 'Decide which events are goals and what each is worth in points, then for example'
\echo '   ' :rerun POINTS=:example

\echo
\echo
\echo '3. Visits by' :period_name
\echo
SELECT to_char(start, 'Dy YYYY-MM-DD') AS starting,
	   visits,
	   round(100 * visits_change::numeric, 1) AS "visits, change %",
	   visitors,
	   round(events::numeric / visits, 2) AS "events per visit",
	   round(100.0 * bounces / visits, 1) AS "bounce %",
	   CASE WHEN is_partial THEN 'part of a ' || :'period_name' ELSE '' END AS note
FROM period_total
ORDER BY start;
\echo 'change: against the period before, where both are whole. bounce: a visit of a single event.'

\echo
\echo
\echo '4. Visits by channel'
\echo
SELECT coalesce(channel, 'all visits') AS channel,
	   count(*) AS visits,
	   round(100.0 * count(*) / (SELECT count(*) FROM visit_fact), 1) AS "share of visits %",
	   count(DISTINCT visitor) AS visitors,
	   round(avg(event_count), 2) AS "events per visit",
	   round((avg(duration_seconds) / 60)::numeric, 1) AS "minutes per visit",
	   round(100 * avg(is_bounce::int), 1) AS "bounce %"
FROM visit_fact
GROUP BY GROUPING SETS ((visit_fact.channel), ())
ORDER BY GROUPING(visit_fact.channel), visits DESC, channel COLLATE "C";

\echo
\echo
\echo '5. The visits of most events: read them first, to find your best guests, or robots'
\echo
SELECT visitor,
	   to_char(started_at AT TIME ZONE :'time_zone', 'YYYY-MM-DD HH24:MI') AS started,
	   channel,
	   round(duration_seconds::numeric / 60, 1) AS minutes,
	   event_count AS events,
	   CASE WHEN length(what_happened) > 70 THEN left(what_happened, 67) || '...' ELSE what_happened END AS "what happened"
FROM (SELECT * FROM visit_fact ORDER BY event_count DESC, started_at, visitor::text COLLATE "C" LIMIT 10) AS longest,
	 LATERAL (SELECT string_agg(event || CASE WHEN times > 1 THEN ' (' || times || ')' ELSE '' END, ', '
								 ORDER BY times DESC, event COLLATE "C") AS what_happened
			  FROM (SELECT event, count(*) AS times FROM events(visit) GROUP BY event) AS counted) AS told
ORDER BY event_count DESC, started_at, visitor::text COLLATE "C";

\endif

\ir funnel.sql

\ir attribution.sql

\ir clv.sql

SELECT ltrim(to_char(count(*), '999,999,999,990')) AS visits,
	   ltrim(to_char(count(DISTINCT visitor), '999,999,999,990')) AS visitors,
	   ltrim(to_char(sum(event_count), '999,999,999,990')) AS events
FROM visit_fact
\gset
\echo
\echo :visits visits of :visitors visitors, made of :events events.
