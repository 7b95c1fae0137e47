-- What visitors do in each stage

CREATE TYPE stage_activity AS (
	stage text,
	period_start timestamptz,
	visitor_count bigint,
	event_count bigint,
	impression_count bigint,
	view_count bigint,
	like_count bigint,
	share_count bigint,
	comment_count bigint,
	click_count bigint,
	video_start_count bigint,
	video_25_count bigint,
	video_50_count bigint,
	video_75_count bigint,
	video_complete_count bigint,
	order_count bigint,
	subscription_count bigint,
	subscription_level_count bigint,
	action_after_video_count bigint,
	revenue_value numeric,
	subscription_value numeric,
	subscription_level_sum numeric
);
COMMENT ON TYPE stage_activity IS 'What one visitor did in one stage and period, as stage_activity() gives it, or what several did, as rollup() adds it up: exact counts and sums. Storable. Figures without visitors, as an advertising system gives them for a day, are a row with visitor_count 0. NULL counts as 0, but in visitor_count it means that the number is not known';
COMMENT ON COLUMN stage_activity.stage IS 'NULL: no stage, or rows of several were added';
COMMENT ON COLUMN stage_activity.period_start IS 'First instant of the period in the time zone asked for; NULL: all time, or rows of several periods were added';
COMMENT ON COLUMN stage_activity.visitor_count IS 'Unique visitors: 1 in a row of stage_activity(); NULL: not known, as rows of several stages or periods were added, between which visitors would be counted twice';
COMMENT ON COLUMN stage_activity.event_count IS 'Events of any kind';
COMMENT ON COLUMN stage_activity.subscription_level_count IS 'Subscriptions that have a level';
COMMENT ON COLUMN stage_activity.action_after_video_count IS 'Actions that follow a video event of this row';
COMMENT ON COLUMN stage_activity.revenue_value IS 'Sum of the values of orders; NULL: none has a value';
COMMENT ON COLUMN stage_activity.subscription_value IS 'Sum of the values of subscriptions; NULL: none has a value';
COMMENT ON COLUMN stage_activity.subscription_level_sum IS 'Sum of the levels of subscriptions; NULL: none has a level';

CREATE FUNCTION stage_activity(
	timeline timeline,
	stage_map jsonb,
	period text DEFAULT 'month',
	time_zone text DEFAULT 'UTC',
	stages text[] DEFAULT '{awareness,consideration,decision}',
	metric_map jsonb DEFAULT NULL,
	level_property text DEFAULT 'level',
	action text DEFAULT NULL,
	after_video interval DEFAULT '30 min',
	ordered boolean DEFAULT true
) RETURNS SETOF stage_activity
AS 'MODULE_PATHNAME', 'timeline_stage_activity' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 3;
COMMENT ON FUNCTION stage_activity(timeline, jsonb, text, text, text[], jsonb, text, text, interval, boolean) IS 'One row for each stage and period in which the visitor has events, to be added up with stage_metrics(). stage_map and stages are as in stage_at(). An event counts in the stage of its own pattern; one that matches none, in the stage that the visitor is in at its time (stage_at() with ordered), which is NULL before the first. period: day, week (from Monday), month, quarter, year or all, in time_zone. An event counts for every metric whose pattern it matches; metric_map, an object of metrics and patterns (null: nothing counts), replaces some of these: impressions: impression*|*_impression; views: page_view|pageview|screen_view|product_view|view_item|view; likes: like|reaction; shares: share; comments: comment; clicks: click*|*_click; video_starts: video_start|video_started|video_play; video_25: video_25|video_progress_25|video_progress[video_percent=25], and likewise video_50, video_75; video_completes: video_complete|video_completed|video_100|video_progress_100; orders: purchase|order; subscriptions: subscribe|subscription|newsletter_signup. level_property: the property that holds the level of a subscription, a number. action: what counts as an action after a video, by default clicks, orders, subscriptions, likes, shares and comments. It counts once, if a video event of the visitor came at most after_video before it or at its very time, in the row of the last such event; a video event is no action';
