-- Funnels

CREATE FUNCTION funnel(
	timeline timeline,
	steps text[],
	within interval DEFAULT NULL,
	step_within interval[] DEFAULT NULL,
	mode text DEFAULT 'ordered',
	once boolean DEFAULT true,
	strictly_increasing boolean DEFAULT false,
	exclude text[] DEFAULT NULL,
	exclude_after integer[] DEFAULT NULL,
	optional integer[] DEFAULT NULL,
	hold text DEFAULT NULL,
	entered tstzrange DEFAULT NULL
) RETURNS timestamptz[]
AS 'MODULE_PATHNAME', 'funnel' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION funnel(timeline, text[], interval, interval[], text, boolean, boolean, text[], integer[], integer[], text, tstzrange) IS 'The times at which the visitor reached each step (a pattern each), NULL for a step skipped or not reached: those of the longest chain of events that completes steps from the first on; among such chains the one that ends earliest, then starts latest. within: conversion window from the first step, inclusive; step_within: the same from step to step, one for all gaps or one each. mode: ordered; any (unordered: in any order within the window); contiguous (strict, exact_order: no other event between). once: an event serves one step. strictly_increasing: steps at one instant do not follow each other. exclude: patterns of events that break a chain between two steps; exclude_after: only after this step. optional: numbers of steps that may be skipped. hold: a property, or channel, whose value must be the same in all events of the chain. entered: when the first step must have been';

CREATE FUNCTION funnel_level(
	timeline timeline,
	steps text[],
	within interval DEFAULT NULL,
	step_within interval[] DEFAULT NULL,
	mode text DEFAULT 'ordered',
	once boolean DEFAULT true,
	strictly_increasing boolean DEFAULT false,
	exclude text[] DEFAULT NULL,
	exclude_after integer[] DEFAULT NULL,
	optional integer[] DEFAULT NULL,
	hold text DEFAULT NULL,
	entered tstzrange DEFAULT NULL
) RETURNS integer
AS 'MODULE_PATHNAME', 'funnel_level' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION funnel_level(timeline, text[], interval, interval[], text, boolean, boolean, text[], integer[], integer[], text, tstzrange) IS 'Number of the furthest step that the visitor reached, 0 if not even the first (ClickHouse: windowFunnel). The options are those of funnel()';

CREATE FUNCTION funnel_entry(
	timeline timeline,
	steps text[],
	property text,
	within interval DEFAULT NULL,
	step_within interval[] DEFAULT NULL,
	mode text DEFAULT 'ordered',
	once boolean DEFAULT true,
	strictly_increasing boolean DEFAULT false,
	exclude text[] DEFAULT NULL,
	exclude_after integer[] DEFAULT NULL,
	optional integer[] DEFAULT NULL,
	hold text DEFAULT NULL,
	entered tstzrange DEFAULT NULL
) RETURNS text
AS 'MODULE_PATHNAME', 'funnel_entry' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION funnel_entry(timeline, text[], text, interval, interval[], text, boolean, boolean, text[], integer[], integer[], text, tstzrange) IS 'A property (or channel) of the event with which the chain that funnel() reports started, as text: for breakdowns in which a visitor who changes device is counted once. NULL if no step was reached or the event does not have it. The options are those of funnel()';

CREATE FUNCTION funnel_dropoffs(
	timeline timeline,
	steps text[],
	within interval DEFAULT NULL,
	step_within interval[] DEFAULT NULL,
	mode text DEFAULT 'ordered',
	once boolean DEFAULT true,
	strictly_increasing boolean DEFAULT false,
	exclude text[] DEFAULT NULL,
	exclude_after integer[] DEFAULT NULL,
	optional integer[] DEFAULT NULL,
	hold text DEFAULT NULL,
	entered tstzrange DEFAULT NULL,
	as_of timestamptz DEFAULT NULL
)
RETURNS TABLE (step integer, entered_at timestamptz, reached_at timestamptz, next_event text, next_at timestamptz)
AS 'MODULE_PATHNAME', 'funnel_dropoffs' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2 ROWS 1;
COMMENT ON FUNCTION funnel_dropoffs(timeline, text[], interval, interval[], text, boolean, boolean, text[], integer[], integer[], text, tstzrange, timestamptz) IS 'What a visitor who is stuck between two steps did next: one row with the furthest step, when the chain started and when it got there, and the first event after that time (NULL: the visitor was not seen again). No row for who reached no step or all of them, nor, given as_of, for whose window is still open then, which is that of the chain that funnel() reports. The other options are those of funnel()';
