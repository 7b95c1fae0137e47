--
-- conversion_paths and markov of timelines: the same as from the rows of journeys().
--
CREATE TEMP TABLE shopper AS
SELECT v AS visitor, timeline(at, event, channel, value) AS events
FROM (SELECT v, timestamptz '2026-01-01Z' + (i * i * 7 + v) % 90 * interval '11 hours' AS at, (ARRAY['view','view','signup','purchase'])[1 + (i * v) % 4] AS event,
		(ARRAY['ads','email',NULL,'search','','(unattributed)'])[1 + (i + v) % 6] AS channel, CASE WHEN i * v % 4 = 3 THEN v / 4.0 END AS value
	FROM generate_series(1, 40) v, generate_series(1, 12) i) e
GROUP BY v;
CREATE TEMP TABLE rules AS
SELECT n, rule FROM (VALUES
	(1, journey_rule('purchase')),
	(2, journey_rule('purchase', lookback => '5 days', touch => 'view', reuse_touches => true)),
	(3, journey_rule('purchase', conversions => 'first', collapse => 'consecutive')),
	(4, journey_rule('purchase', points => '{"signup": 10, "purchase": 200}', ignore => '{search}', collapse => 'first'))) r (n, rule);
SELECT n, path_totals(conversion_paths(events, rule)) FROM shopper, rules GROUP BY n ORDER BY n;
SELECT n, r.from_journeys = r.from_timelines AS same, r.markov_from_journeys = r.markov_from_timelines AS same_markov FROM rules, LATERAL (
	SELECT conversion_paths(path, touched_at, converted_at, value)::text AS from_journeys, (SELECT conversion_paths(events, rule)::text FROM shopper) AS from_timelines,
		markov(path, (converted_at IS NOT NULL)::int, value, (converted_at IS NULL)::int, 2)::text AS markov_from_journeys, (SELECT markov(events, rule, 2)::text FROM shopper) AS markov_from_timelines
	FROM shopper, journeys(events, (rule).conversion, (rule).lookback, (rule).touch, (rule).touch_by, (rule).conversions, (rule).reuse_touches, (rule).points, (rule).ignore, (rule).collapse)) r
ORDER BY n;
SELECT (path_totals(conversion_paths(events, journey_rule('purchase'), '1 day'))).half_life FROM shopper;
SELECT conversion_paths(events, journey_rule('purchase')) FROM (VALUES (NULL::timeline)) t (events);
SELECT conversion_paths(events, NULL::journey_rule) FROM shopper;
SELECT conversion_paths(events, ROW('purchase', NULL, 'visits', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)::journey_rule) FROM shopper;
SELECT conversion_paths(events, journey_rule('purchase'), '-1 day') FROM shopper;
SELECT markov(events, journey_rule('purchase'), 9) FROM shopper;
