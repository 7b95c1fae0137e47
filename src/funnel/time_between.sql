-- Time between events

CREATE FUNCTION time_between(
	timeline timeline,
	from_event text,
	to_event text,
	within interval DEFAULT NULL,
	longer_than interval DEFAULT NULL,
	pick text DEFAULT 'first'
) RETURNS interval
AS 'MODULE_PATHNAME', 'timeline_time_between' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION time_between(timeline, text, text, interval, interval, text) IS 'How long it took from an event that matches from_event to one that matches to_event (time to convert, reaction time, time lag): of the pairs of times_between() the first, last, shortest or longest, or their mean, as pick says. NULL if there is no pair';

CREATE FUNCTION times_between(
	timeline timeline,
	from_event text,
	to_event text,
	within interval DEFAULT NULL,
	longer_than interval DEFAULT NULL
)
RETURNS TABLE (from_at timestamptz, to_at timestamptz, seconds double precision)
AS 'MODULE_PATHNAME', 'timeline_times_between' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 3;
COMMENT ON FUNCTION times_between(timeline, text, text, interval, interval) IS 'Each pair of an event that matches from_event and the next other one that matches to_event, later or at the same instant, and the seconds between. While a pair is open, further from events are not counted; an event that matches both closes a pair and opens the next, so that ''*'' and ''*'' give all times between events. Of the events at one instant those that only open a pair are taken first, those that only close one last. within: a pair not closed after that long is given up, and the next from event opens one. longer_than: only longer pairs, for example ''30 min'' for the pauses between visits';

