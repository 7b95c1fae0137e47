-- Metrics of stages

CREATE TYPE stage_metrics AS (
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
	video_25_rate double precision,
	video_50_rate double precision,
	video_75_rate double precision,
	video_complete_rate double precision,
	watch_share double precision,
	order_count bigint,
	revenue_value double precision,
	average_order_value double precision,
	subscription_count bigint,
	subscription_level double precision,
	subscription_value double precision,
	action_after_video_count bigint,
	action_after_video_rate double precision
);
COMMENT ON TYPE stage_metrics IS 'The figures of a stage, as stage_metrics() gives them. Rates and shares are ratios, not percent, and NULL where the denominator is 0';
COMMENT ON COLUMN stage_metrics.visitor_count IS 'Unique visitors with events; NULL if rows of several stages or periods were added: visitors who are in more than one of them would be counted more than once';
COMMENT ON COLUMN stage_metrics.event_count IS 'Events of any kind';
COMMENT ON COLUMN stage_metrics.video_25_rate IS 'Play-through to the first quartile: video_25_count / video_start_count';
COMMENT ON COLUMN stage_metrics.video_50_rate IS 'Play-through to the middle: video_50_count / video_start_count';
COMMENT ON COLUMN stage_metrics.video_75_rate IS 'Play-through to the third quartile: video_75_count / video_start_count';
COMMENT ON COLUMN stage_metrics.video_complete_rate IS 'Play-through to the end (completion rate): video_complete_count / video_start_count';
COMMENT ON COLUMN stage_metrics.watch_share IS 'Mean share of the video that is watched for each start: (starts / 2 + 25% + 50% + 75% + completes / 2) / (4 * starts), as if who leaves between two quartiles left half-way. It may exceed 1, as may the rates above, where a video starts in one stage or period and goes on in another';
COMMENT ON COLUMN stage_metrics.revenue_value IS 'Sum of the values of orders; NULL if there are orders, but none has a value';
COMMENT ON COLUMN stage_metrics.average_order_value IS 'revenue_value / order_count (AOV)';
COMMENT ON COLUMN stage_metrics.subscription_level IS 'Mean level of the subscriptions that have one';
COMMENT ON COLUMN stage_metrics.subscription_value IS 'Sum of the values of subscriptions; NULL if there are subscriptions, but none has a value';
COMMENT ON COLUMN stage_metrics.action_after_video_count IS 'Actions that follow a video event of this stage and period';
COMMENT ON COLUMN stage_metrics.action_after_video_rate IS 'action_after_video_count / video_start_count; may exceed 1';

CREATE FUNCTION stage_activity_add(stage_activity, stage_activity) RETURNS stage_activity
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION stage_activity_add(stage_activity, stage_activity) IS 'Transition and combine function of the aggregates stage_metrics and rollup(stage_activity)';

CREATE FUNCTION stage_metrics_final(stage_activity) RETURNS stage_metrics
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION stage_metrics_final(stage_activity) IS 'Final function of the aggregate stage_metrics';

CREATE AGGREGATE stage_metrics(activity stage_activity) (
	SFUNC = stage_activity_add,
	STYPE = stage_activity,
	SSPACE = 320,
	COMBINEFUNC = stage_activity_add,
	FINALFUNC = stage_metrics_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE stage_metrics(stage_activity) IS 'The figures of a stage and period from the rows of stage_activity(), all in one value; NULL rows are skipped. Use it as SELECT stage, period_start, (stage_metrics(a)).* FROM timelines, stage_activity(timeline, ...) AS a GROUP BY stage, period_start: (...).* computes the aggregate once. To group by longer periods ask stage_activity() for them, as unique visitors do not add up';

CREATE AGGREGATE rollup(activity stage_activity) (
	SFUNC = stage_activity_add,
	STYPE = stage_activity,
	SSPACE = 320,
	COMBINEFUNC = stage_activity_add,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE rollup(stage_activity) IS 'The sum of rows of stage_activity(), to be stored and added up further with stage_metrics() or rollup(): of one stage and period, from disjoint sets of visitors or with rows of other sources. Exact, in any order';
