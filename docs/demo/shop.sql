-- A shop's event table, made up but plausible: consumers buy, companies ask for
-- a call or a demo. About 200,000 events from 1 January to 30 June 2026.
--
-- Run by docs/demo/run, or: psql -v seed=1 -f docs/demo/shop.sql
--
-- Every choice is a hash of (seed, what is chosen, which row), so that a seed
-- gives the same table on every version, plan and number of workers.
--
-- What an analysis can find in it:
--   * spring_giveaway (13 April to 3 May) brings many visits of little value;
--   * channels differ, and retargeting is worth more than the rest of display;
--   * people who watched the video, took the brochure or came to the webinar ask
--     for calls and buy more often, and who has bought buys again;
--   * journeys cross channels, and one visitor in six uses two devices;
--   * few visitors make many of the visits, in a weekly and a daily rhythm.

\if :{?seed}
\else
	\set seed 20260101
\endif

-- A uniform number in [0, 1): the chance of event `what` for row (id, sub_id).
CREATE FUNCTION pg_temp.chance(seed bigint, what text, id bigint, sub_id bigint DEFAULT 0)
RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (hashint8extended(id, hashint8extended(sub_id, hashtextextended(what, seed)))
		& 9007199254740991) / 9007199254740992::float8;

-- One of the choices, each as likely as it is listed often.
CREATE FUNCTION pg_temp.pick(choices text, chance float8)
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (choices::text[])[1 + floor(chance * cardinality(choices::text[]))::int];

CREATE TEMP TABLE demo_visitor AS
SELECT id,
	   pg_temp.chance(:seed, 'segment', id) < 0.3 AS is_business,
	   false AS is_giveaway,
	   pg_temp.pick('{DK,DK,DK,DK,SE,SE,NO,NO,DE,GB}',
					pg_temp.chance(:seed, 'country', id)) AS country,
	   pg_temp.pick('{mobile,mobile,mobile,desktop,desktop,tablet}',
					pg_temp.chance(:seed, 'device', id)) AS first_device,
	   pg_temp.pick('{none,none,none,none,none,desktop}',
					pg_temp.chance(:seed, 'second device', id)) AS second_device,
	   0.3 + 1.4 * pg_temp.chance(:seed, 'interest', id) AS interest,
	   -- from 60 days before the table begins, so that it begins with returning visitors
	   -60 + 241 * pg_temp.chance(:seed, 'first day', id) AS first_day,
	   -- power law: most come once, a few come dozens of times
	   least(60, floor((1 - pg_temp.chance(:seed, 'visits', id)) ^ (-1 / 1.4)))::int AS visits
FROM generate_series(1, 23000) AS id
UNION ALL
SELECT id,
	   false,
	   true,
	   pg_temp.pick('{DK,DK,DK,SE,NO}', pg_temp.chance(:seed, 'country', id)),
	   pg_temp.pick('{mobile,mobile,mobile,desktop}', pg_temp.chance(:seed, 'device', id)),
	   'none',
	   0.1,
	   102 + 20 * pg_temp.chance(:seed, 'first day', id),
	   pg_temp.pick('{1,1,1,2}', pg_temp.chance(:seed, 'visits', id))::int
FROM generate_series(23001, 26500) AS id;

CREATE TEMP TABLE demo_visit_time AS
WITH gaps AS (
	SELECT v.*, n,
		   v.id * 100 + n AS visit_id,
		   CASE WHEN n = 1 THEN 0
				WHEN v.is_giveaway OR pg_temp.chance(:seed, 'same day', v.id, n) < 0.3 THEN 0.2
				ELSE -ln(1 - pg_temp.chance(:seed, 'gap', v.id, n)) * least(9, 160.0 / v.visits)
		   END AS gap_days
	FROM demo_visitor AS v, generate_series(1, v.visits) AS n
),
days AS (
	SELECT *,
		   date '2026-01-01'
		   + floor(first_day + sum(gap_days) OVER (PARTITION BY id ORDER BY n))::int AS day
	FROM gaps
),
working_days AS (
	-- companies rarely work on Saturday and Sunday, consumers shop a little less then
	SELECT *,
		   day + CASE WHEN extract(isodow FROM day) >= 6
					   AND pg_temp.chance(:seed, 'weekend', visit_id)
						   < CASE WHEN is_business THEN 0.85 ELSE 0.3 END
					  THEN 2 ELSE 0 END AS visit_day
	FROM days
)
SELECT *,
	   (visit_day
		+ make_interval(
			hours => CASE WHEN is_business
						  THEN pg_temp.pick('{7,8,8,9,9,9,9,10,10,10,10,11,11,11,12,13,13,13,14,14,14,15,15,16,17,20}',
											pg_temp.chance(:seed, 'hour', visit_id))
						  ELSE pg_temp.pick('{0,7,8,9,10,11,12,12,13,14,15,16,17,17,18,18,19,19,20,20,20,20,21,21,21,21,22,22,23}',
											pg_temp.chance(:seed, 'hour', visit_id)) END::int,
			secs => floor(3600 * pg_temp.chance(:seed, 'second', visit_id)))
	   ) AT TIME ZONE 'Europe/Copenhagen' AS started_at
FROM working_days
WHERE visit_day <= '2026-06-30';

-- How people arrive: on their own at first; later also from the newsletter they
-- signed up for.
CREATE TEMP TABLE demo_arrival AS
WITH first_channel AS (
	SELECT *,
		   CASE WHEN is_giveaway THEN 'facebook'
				WHEN is_business
				THEN pg_temp.pick('{direct,direct,organic_search,organic_search,organic_search,paid_search,paid_search,linkedin,linkedin,partner}',
								  pg_temp.chance(:seed, 'channel', visit_id))
				ELSE pg_temp.pick('{direct,direct,organic_search,organic_search,organic_search,paid_search,paid_search,facebook,display,display}',
								  pg_temp.chance(:seed, 'channel', visit_id))
		   END AS own_channel
	FROM demo_visit_time
),
newsletter AS (
	SELECT *,
		   pg_temp.chance(:seed, 'newsletter', visit_id) < CASE WHEN is_giveaway THEN 0.004 ELSE 0.03 * interest END
			   AS newsletter
	FROM first_channel
),
reachable AS (
	SELECT *,
		   coalesce(bool_or(newsletter) OVER (
			   PARTITION BY id ORDER BY started_at, n
			   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), false) AS has_newsletter
	FROM newsletter
),
arrival AS (
	SELECT *,
		   CASE WHEN has_newsletter AND pg_temp.chance(:seed, 'mailed', visit_id) < 0.5 THEN 'email'
				ELSE own_channel END AS channel
	FROM reachable
)
SELECT *,
	   CASE WHEN is_giveaway THEN 'spring_giveaway'
			WHEN channel = 'email'
			THEN pg_temp.pick('{monthly_newsletter,monthly_newsletter,new_products}', pg_temp.chance(:seed, 'campaign', visit_id))
			WHEN channel = 'paid_search'
			THEN pg_temp.pick('{brand_search,product_search,product_search}', pg_temp.chance(:seed, 'campaign', visit_id))
			WHEN channel = 'display'
			THEN CASE WHEN n > 1 THEN 'retargeting' ELSE 'awareness' END
			WHEN channel = 'linkedin' THEN 'webinar_invitation'
			WHEN channel = 'facebook' AND pg_temp.chance(:seed, 'campaign', visit_id) < 0.6 THEN 'summer_looks'
	   END AS campaign,
	   CASE WHEN second_device <> 'none' AND pg_temp.chance(:seed, 'which device', visit_id) < 0.5
			THEN second_device ELSE first_device END AS device
FROM arrival;

-- What they do: interest first (video, brochure, webinar), then what interest
-- leads to (calls, demos, baskets), then orders, then more orders.
CREATE TEMP TABLE demo_visit AS
WITH quality AS (
	SELECT *,
		   interest * CASE channel WHEN 'email' THEN 1.6 WHEN 'partner' THEN 1.5 WHEN 'linkedin' THEN 1.3
								   WHEN 'paid_search' THEN 1.2 WHEN 'organic_search' THEN 1.1 WHEN 'direct' THEN 1.0
								   WHEN 'facebook' THEN 0.5 ELSE CASE campaign WHEN 'retargeting' THEN 1.1 ELSE 0.3 END
					  END AS quality
	FROM demo_arrival
),
depth AS (
	SELECT *,
		   pg_temp.chance(:seed, 'stay', visit_id)
			   < CASE WHEN is_giveaway THEN 0.35 ELSE 0.45 + 0.2 * least(quality, 2) END AS stays
	FROM quality
),
interest AS (
	SELECT *,
		   CASE WHEN NOT stays THEN 1
				ELSE 2 + floor(-ln(1 - pg_temp.chance(:seed, 'pages', visit_id)) * 3.8)::int END AS pages,
		   -- 0 no video, 1 started, 2 to 4 the quartiles, 5 seen to the end
		   CASE WHEN stays AND pg_temp.chance(:seed, 'video', visit_id) < 0.08 * quality
				THEN pg_temp.pick('{1,1,2,2,3,4,5,5}', pg_temp.chance(:seed, 'quartile', visit_id))::int
				ELSE 0 END AS video,
		   stays AND pg_temp.chance(:seed, 'brochure', visit_id)
			   < quality * CASE WHEN is_business THEN 0.05 ELSE 0.01 END AS brochure,
		   stays AND pg_temp.chance(:seed, 'webinar', visit_id)
			   < quality * CASE WHEN is_business THEN 0.03 ELSE 0.001 END AS webinar
	FROM depth
),
warmth AS (
	SELECT *,
		   coalesce(sum((video = 5)::int + brochure::int + 2 * webinar::int + newsletter::int) OVER earlier, 0) AS warmth
	FROM interest
	WINDOW earlier AS (PARTITION BY id ORDER BY started_at, n
					   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
intent AS (
	SELECT *,
		   stays AND is_business AND pg_temp.chance(:seed, 'call', visit_id)
			   < 0.007 * quality * (1 + 1.5 * least(warmth, 4)) AS call_request,
		   stays AND is_business AND pg_temp.chance(:seed, 'demo', visit_id)
			   < 0.006 * quality * (1 + 2 * least(warmth, 4)) AS demo_request,
		   CASE WHEN stays AND pg_temp.chance(:seed, 'basket', visit_id)
					 < 0.10 * quality * (1 + 0.4 * least(warmth, 4))
				THEN pg_temp.pick('{1,1,1,2,3}', pg_temp.chance(:seed, 'items', visit_id))::int
				ELSE 0 END AS baskets
	FROM warmth
),
first_orders AS (
	SELECT *,
		   pg_temp.chance(:seed, 'order', visit_id)
			   < CASE WHEN baskets > 0 THEN 0.09 * (1 + 0.5 * least(warmth, 4))
					  WHEN NOT stays THEN 0
					  ELSE 0.002 + CASE WHEN bool_or(call_request OR demo_request) OVER earlier THEN 0.12
										WHEN max(baskets) OVER earlier > 0 THEN 0.03 ELSE 0 END
				 END AS orders_once
	FROM intent
	WINDOW earlier AS (PARTITION BY id ORDER BY started_at, n
					   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)
SELECT *,
	   orders_once OR stays
		   AND coalesce(bool_or(orders_once) OVER (PARTITION BY id ORDER BY started_at, n
												   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), false)
		   AND pg_temp.chance(:seed, 'reorder', visit_id) < 0.08 * interest AS purchase
FROM first_orders;

ANALYZE demo_visit;

-- A table as a shop may have it: its own column names, a row for each event,
-- the campaign in columns, NULL where nothing is known.
CREATE TABLE shop_events (
	event_id bigint PRIMARY KEY,
	visitor_id bigint NOT NULL,
	occurred_at timestamptz NOT NULL,
	event_name text NOT NULL,
	utm_source text,
	campaign text,
	country text,
	device text,
	landing_page text,
	revenue numeric(10,2)
);

WITH step AS (
	-- the step is the event's place in the visit
	SELECT visit_id, 100 * page AS step, 'page_view' AS event_name
	FROM demo_visit, generate_series(1, pages) AS page
	UNION ALL
	SELECT visit_id, 110 + level, (ARRAY['video_start', 'video_25', 'video_50', 'video_75', 'video_complete'])[level]
	FROM demo_visit, generate_series(1, video) AS level
	UNION ALL
	SELECT visit_id, 220, 'brochure_download' FROM demo_visit WHERE brochure
	UNION ALL
	SELECT visit_id, 230, 'webinar_signup' FROM demo_visit WHERE webinar
	UNION ALL
	SELECT visit_id, 240, 'newsletter_signup' FROM demo_visit WHERE newsletter
	UNION ALL
	SELECT visit_id, 250, 'demo_request' FROM demo_visit WHERE demo_request
	UNION ALL
	SELECT visit_id, 260, 'call_request' FROM demo_visit WHERE call_request
	UNION ALL
	SELECT visit_id, 100 * pages + 60 + item, 'add_to_cart'
	FROM demo_visit, generate_series(1, greatest(baskets, purchase::int)) AS item
	UNION ALL
	SELECT visit_id, 100 * pages + 90, 'purchase' FROM demo_visit WHERE purchase
),
clocked AS (
	-- seconds to minutes between events, always less than half an hour
	SELECT *,
		   floor(sum(CASE WHEN step = 100 THEN 0 ELSE 4 + 300 * pg_temp.chance(:seed, 'pause', visit_id, step) ^ 3 END)
				 OVER (PARTITION BY visit_id ORDER BY step)) AS second,
		   -- some events lose their campaign tags on the way
		   pg_temp.chance(:seed, 'tags lost', visit_id, step) < 0.03 AS tags_lost
	FROM step
)
INSERT INTO shop_events
SELECT row_number() OVER (ORDER BY started_at + make_interval(secs => second), visit_id, step),
	   id,
	   started_at + make_interval(secs => second),
	   event_name,
	   CASE WHEN NOT tags_lost THEN nullif(channel, 'direct') END,
	   CASE WHEN NOT tags_lost THEN campaign END,
	   country,
	   device,
	   CASE campaign WHEN 'spring_giveaway' THEN '/giveaway'
					 WHEN 'webinar_invitation' THEN '/webinar'
					 WHEN 'product_search' THEN '/products'
					 WHEN 'retargeting' THEN '/basket'
		   ELSE pg_temp.pick('{/,/,/products,/products,/guides}', pg_temp.chance(:seed, 'landing', visit_id)) END,
	   CASE WHEN event_name = 'purchase'
			THEN round((exp(4 + 1.6 * (pg_temp.chance(:seed, 'amount', visit_id)
									   + pg_temp.chance(:seed, 'amount', visit_id, 1) - 1))
						* CASE WHEN is_business THEN 5 ELSE 1 END)::numeric, 2) END
FROM clocked JOIN demo_visit USING (visit_id)
WHERE visit_day >= '2026-01-01'
ORDER BY 1;

DROP TABLE demo_visitor, demo_visit_time, demo_arrival, demo_visit;
ANALYZE shop_events;

COMMENT ON TABLE shop_events IS 'Events of the demo''s made-up shop, one row each';
COMMENT ON COLUMN shop_events.utm_source IS 'Channel of the visit; NULL: direct, or the tags were lost';
COMMENT ON COLUMN shop_events.revenue IS 'Money paid, of purchases only';

-- The mapping: which column is the visitor, the time, the event and so on.
-- This is all that the report needs to know about a table.
CREATE VIEW events AS
SELECT visitor_id AS visitor,
	   occurred_at AS at,
	   event_name AS event,
	   utm_source AS channel,
	   revenue::float8 AS value,
	   jsonb_strip_nulls(jsonb_build_object('campaign', campaign, 'country', country,
											'device', device, 'landing_page', landing_page)) AS properties
FROM shop_events;

-- What each goal is worth, given by hand. A pattern names events; where several
-- match, the most specific counts: video_complete is worth 5, not 1.
CREATE TABLE goal_points (pattern text PRIMARY KEY, points float8 NOT NULL);
INSERT INTO goal_points VALUES
	('purchase', 100),
	('demo_request', 60),
	('call_request', 50),
	('webinar_signup', 20),
	('brochure_download', 10),
	('newsletter_signup', 5),
	('add_to_cart', 5),
	('video_complete', 5),
	('video_*', 0.5);
COMMENT ON TABLE goal_points IS 'Engagement points of each goal: an event pattern and its points';

CREATE TABLE channel_spend (channel text PRIMARY KEY, spend float8 NOT NULL);
INSERT INTO channel_spend VALUES
	('paid_search', 12000), ('linkedin', 7000), ('display', 4000), ('facebook', 2500), ('partner', 2000), ('email', 900);
COMMENT ON TABLE channel_spend IS 'What the shop spent on each channel in these months';

-- The steps from stranger to customer, stage by stage.
CREATE TABLE funnel_step (step int PRIMARY KEY, label text NOT NULL, pattern text NOT NULL);
INSERT INTO funnel_step VALUES
	(1, 'awareness: a page', 'page_view'),
	(2, 'consideration: a second look', 'page_view|video_*'),
	(3, 'decision: basket, demo or call', 'add_to_cart|demo_request|call_request'),
	(4, 'customer: purchase', 'purchase');
COMMENT ON TABLE funnel_step IS 'The demo''s funnel: number of the step, what it means, the event pattern that completes it';

-- Which stage of the buyer's journey an event belongs to.
CREATE TABLE stage_pattern (pattern text PRIMARY KEY, stage text NOT NULL);
INSERT INTO stage_pattern VALUES
	('page_view', 'awareness'),
	('video_*|brochure_download|webinar_signup|newsletter_signup', 'consideration'),
	('add_to_cart|demo_request|call_request|purchase', 'decision');
COMMENT ON TABLE stage_pattern IS 'The stage of the buyer''s journey that events belong to: an event pattern and its stage';
