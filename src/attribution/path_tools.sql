-- Path tools

CREATE FUNCTION parse_path(path text, separator text DEFAULT '>')
RETURNS text[]
AS 'MODULE_PATHNAME', 'parse_path' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION parse_path(text, text) IS 'A path written as one text, as other tools export it (''email > search > direct''), as an array of its channels. White space around channels and empty parts are left out';

CREATE FUNCTION collapse_path(path text[], how text DEFAULT 'consecutive')
RETURNS text[]
AS 'MODULE_PATHNAME', 'collapse_path' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION collapse_path(text[], text) IS 'A path with one touch for each run of touches of the same channel (how consecutive: deduplicated path, Snowplow''s exposure path), with only the first touch of each channel (first: Snowplow''s first path), or with all (none). Elements that are no channel (NULL, empty) are left out; so is (unattributed), but a path without channels keeps one';

CREATE FUNCTION path_frequency(path text[])
RETURNS text[]
AS 'MODULE_PATHNAME', 'path_frequency' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION path_frequency(text[]) IS 'The channels of a path in the order of their first touches, each with the number of its touches: {email(2),search(1)} (Snowplow''s frequency path)';

CREATE FUNCTION trim_path(path text[], channels text[], at text DEFAULT 'end')
RETURNS text[]
AS 'MODULE_PATHNAME', 'trim_path' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION trim_path(text[], text[], text) IS 'A path without the touches of these channels at its end, at its start, at both, or all of them; if nothing else is in the path, they stay. With at end it is what others call ignoring direct unless all is direct (Snowplow''s remove_if_last_and_not_all; with all: remove_if_not_all)';

CREATE FUNCTION path_lookback(path text[], touched_at timestamptz[], converted_at timestamptz, lookback interval)
RETURNS text[]
AS 'MODULE_PATHNAME', 'path_lookback' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION path_lookback(text[], timestamptz[], timestamptz, interval) IS 'The touches of a path at or before the conversion and not more than lookback before it (lookback window, attribution window); touched_at has the time of each touch. Lookback NULL: however long before. No touch left gives an empty path';

CREATE FUNCTION path_last(path text[], touches integer)
RETURNS text[]
AS 'MODULE_PATHNAME', 'path_last' LANGUAGE C IMMUTABLE PARALLEL SAFE STRICT;
COMMENT ON FUNCTION path_last(text[], integer) IS 'The last so many touches of a path (maximum path length, lookback steps); a shorter path stays as it is';
