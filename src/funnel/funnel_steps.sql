-- The report of a funnel

CREATE FUNCTION funnel_steps(
	stats funnel_stats,
	labels text[] DEFAULT NULL,
	conf_level double precision DEFAULT 0.95
)
RETURNS TABLE (step integer, label text, reached bigint, skipped bigint, in_progress bigint, dropped bigint,
	step_conversion double precision, step_conversion_lower double precision, step_conversion_upper double precision,
	total_conversion double precision, total_conversion_lower double precision, total_conversion_upper double precision,
	mean_seconds double precision, p25_seconds double precision, p50_seconds double precision,
	p75_seconds double precision, p90_seconds double precision,
	mature_reached bigint, mature_step_conversion double precision, mature_total_conversion double precision)
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 5;
COMMENT ON FUNCTION funnel_steps(funnel_stats, text[], double precision) IS 'One row for each step of a funnel: the visitors who reached it or got further, who skipped it on the way further, who are in progress there, and who dropped out (drop-off, abandonment); the conversion rate from the step before and from the first step, without those in progress, each with a Wilson interval at conf_level; and the time from the step before, whose percentiles (p50: median) are within 1 %. mature_reached and the mature conversions are of visitors whose window was closed at as_of, and of them only: use these where many windows are open, as who converts early counts in the others and who has not yet does not. labels are usually the steps given to funnel(); a step that no visitor took is a WARNING, as its pattern may match no event';
