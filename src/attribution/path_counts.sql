-- Reading conversion paths

CREATE FUNCTION path_counts(paths conversion_paths)
RETURNS TABLE (path text[], conversions bigint, value double precision, non_conversions bigint)
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 1000;
COMMENT ON FUNCTION path_counts(conversion_paths) IS 'The distinct paths with how often each was taken: the most frequent journeys are those with the most conversions + non_conversions. The empty path is that of conversions without touches';

CREATE FUNCTION path_totals(paths conversion_paths,
	OUT distinct_paths bigint, OUT channels integer, OUT conversions bigint, OUT non_conversions bigint, OUT value double precision,
	OUT unattributed_conversions bigint, OUT unattributed_value double precision, OUT has_times boolean, OUT half_life interval)
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION path_totals(conversion_paths) IS 'Totals of conversion paths. has_times: the times of all touches that led to a conversion were seen, so the model time_decay can be used, with this half_life';
