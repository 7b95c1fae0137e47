-- Shapley values by position

CREATE FUNCTION shapley_positions(paths conversion_paths)
RETURNS TABLE (channel text, touch_position integer, conversions double precision, value double precision)
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 100;
COMMENT ON FUNCTION shapley_positions(conversion_paths) IS 'The ordered Shapley value (Zhao, Mahboobi and Bagheri 2018): each channel''s credit by the model shapley, by its position in the path, from 1. The positions of a channel add up to its credit';
