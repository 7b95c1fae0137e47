-- What each channel is credited with: all models beside last click. The conversion is the psql
-- variable conversion, or the last step of the funnel, or the goal of most points, or an event
-- that is called a purchase. Needs what report.sql and funnel.sql made.

-- The last step of a guessed funnel is just the rarest event: no reason to call it a conversion.
SELECT coalesce(nullif(:'conversion', ''),
				CASE WHEN NOT :'guess_steps'::boolean THEN (SELECT pattern FROM funnel_step ORDER BY step DESC LIMIT 1) END,
				(SELECT pattern FROM goal_points
				 WHERE points > 0 AND EXISTS (SELECT FROM visitor_timeline WHERE event_count(timeline, pattern) > 0)
				 ORDER BY points DESC, pattern COLLATE "C" LIMIT 1),
				(SELECT CASE WHEN count(*) = 1 THEN min(pattern) END
				 FROM (SELECT DISTINCT regexp_replace(event, '([][|*@=,\\])', '\\\1', 'g') AS pattern
					   FROM events
					   WHERE event ~* '(^|[^a-z])(purchased?|transaction|conversion|order[ _-](placed|completed))([^a-z]|$)') AS named),
				'') AS conversion,
	   :'conversion' <> '' AS is_given,
	   (SELECT count(DISTINCT channel) FROM events) AS channel_count
\gset
SELECT :channel_count > 0 AS has_channels,
	   :'conversion' <> '' AS has_conversion,
	   CASE WHEN :'conversion' <> ''
			THEN (SELECT coalesce(sum(event_count(timeline, :'conversion')), 0) FROM visitor_timeline) ELSE 0 END AS conversion_count,
	   6 + :'has_steps'::boolean::int + :'has_stages'::boolean::int AS section,
	   :channel_count > 12 AS has_many_channels
\gset
SELECT :conversion_count > 0 AS has_conversions,
	   CASE WHEN :'is_given'::boolean THEN '' ELSE ' (CONVERSION=... names another)' END AS who_said_so
\gset

\if :has_channels
\if :has_conversions

-- Hundreds of channels make no table: the twelve with most events stay.
\if :has_many_channels
	CREATE TABLE attribution_timeline AS
	SELECT visitor,
		   timeline(at, event, CASE WHEN is_shown THEN channel WHEN channel IS NOT NULL THEN 'all others' END, value) AS timeline
	FROM events
		 LEFT JOIN (SELECT channel, true AS is_shown FROM events WHERE channel IS NOT NULL
					GROUP BY channel ORDER BY count(*) DESC, channel COLLATE "C" LIMIT 12) AS shown USING (channel)
	GROUP BY visitor;
\else
	CREATE VIEW attribution_timeline AS SELECT visitor, timeline FROM visitor_timeline;
\endif

CREATE TABLE attribution_paths AS
SELECT conversion_paths(timeline, journey_rule(:'conversion')) AS paths FROM attribution_timeline;

CREATE TABLE credit AS
SELECT model, channel, conversions, value, assisted_conversions, last_touch_conversions, assist_ratio
FROM attribution_paths,
	 attribution_report(paths, '{first_touch,last_touch,last_non_direct,linear,u_shaped,time_decay,markov,shapley,participation}');

SELECT ltrim(to_char(conversions, '999,999,999,990')) AS conversions,
	   ltrim(to_char(non_conversions, '999,999,999,990')) AS non_conversions,
	   value <> 0 AS has_value,
	   CASE WHEN value <> 0 THEN 'value' ELSE 'conversions' END AS amount,
	   CASE WHEN value <> 0 THEN 'revenue' ELSE 'conversions' END AS amount_name,
	   CASE WHEN value <> 0 THEN 2 ELSE 1 END AS digits,
	   unattributed_conversions > 0 AS has_unattributed
FROM attribution_paths, path_totals(paths)
\gset

\echo
\echo
\echo :section'. What each channel is credited with, by model: conversions'
\echo
SELECT channel,
	   round(sum(conversions) FILTER (WHERE model = 'first_touch')::numeric, 1) AS first,
	   round(sum(conversions) FILTER (WHERE model = 'last_touch')::numeric, 1) AS last,
	   round(sum(conversions) FILTER (WHERE model = 'last_non_direct')::numeric, 1) AS "non-direct",
	   round(sum(conversions) FILTER (WHERE model = 'linear')::numeric, 1) AS linear,
	   round(sum(conversions) FILTER (WHERE model = 'u_shaped')::numeric, 1) AS "U-shaped",
	   round(sum(conversions) FILTER (WHERE model = 'time_decay')::numeric, 1) AS "time decay",
	   round(sum(conversions) FILTER (WHERE model = 'markov')::numeric, 1) AS markov,
	   round(sum(conversions) FILTER (WHERE model = 'shapley')::numeric, 1) AS shapley
FROM credit
GROUP BY channel
ORDER BY channel = '(unattributed)', last DESC, markov DESC, channel COLLATE "C";
\echo 'A conversion is' :conversion:who_said_so': there are' :conversions', and' :non_conversions 'journeys'
\echo 'ended without one. A touch is a visit, up to 90 days before; after a conversion a new journey'
\echo 'begins. Time decay: half as much for each 7 days earlier. Each column adds up to all conversions.'
\if :has_unattributed
\echo '(unattributed): conversions without a touch, as a second one in the same visit, whose touch the first'
\echo 'one took; see reuse_touches in docs/attribution.md.'
\endif

\echo
\echo '   ... and the goal scorers beside the players:' :amount_name 'by last click and by Markov chain'
\echo
SELECT channel,
	   round(last::numeric, :digits) AS "last click",
	   round(markov::numeric, :digits) AS markov,
	   round(markov::numeric - last::numeric, :digits) AS difference,
	   round((100 * (markov / nullif(last, 0) - 1))::numeric, 1) AS "change %",
	   last_touch_conversions AS "was last",
	   assisted_conversions AS assisted,
	   round(assist_ratio::numeric, 2) AS "assist ratio",
	   round(part::numeric, :digits) AS "part in"
FROM (SELECT channel,
			 sum(:amount) FILTER (WHERE model = 'last_touch') AS last,
			 sum(:amount) FILTER (WHERE model = 'markov') AS markov,
			 sum(:amount) FILTER (WHERE model = 'participation') AS part,
			 min(last_touch_conversions) AS last_touch_conversions,
			 min(assisted_conversions) AS assisted_conversions,
			 min(assist_ratio) AS assist_ratio
	  FROM credit
	  WHERE channel <> '(unattributed)'
	  GROUP BY channel) AS compared
ORDER BY difference DESC, channel COLLATE "C";
\echo 'was last, assisted: conversions in which the channel was last, or somewhere else on the way. part in:'
\echo 'all that these brought; a channel cannot have earned more. No model proves what caused a conversion:'
\echo 'what each believes, and when not to believe it, is in docs/attribution.md.'

\else
\if :has_conversion
\echo
\echo 'No event matches the conversion' :conversion': there is nothing to credit channels with.'
\else
-- An event that exists, the same that points are suggested for: the one of fewest visitors. For the shell in quotes if it needs them.
SELECT CASE WHEN pattern ~ '^[[:alnum:]_./-]+$' THEN pattern ELSE '''' || replace(pattern, '''', '''\''''') || '''' END AS conversion_example
FROM (SELECT regexp_replace(event, '([][|*@=,\\])', '\\\1', 'g') AS pattern
	  FROM events
	  GROUP BY event
	  ORDER BY count(DISTINCT visitor), event COLLATE "C" DESC
	  LIMIT 1) AS rarest
\gset
\echo
\echo 'To see what each channel is credited with, and what customers are worth, name the conversion, for example'
\echo '   ' :rerun 'CONVERSION=':conversion_example
\endif
\endif
\endif
