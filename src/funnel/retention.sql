-- Retention

CREATE FUNCTION retention(
	timeline timeline,
	start_event text,
	return_event text,
	period interval,
	periods integer,
	time_zone text DEFAULT NULL,
	as_of timestamptz DEFAULT NULL,
	mode text DEFAULT 'n_day',
	brackets integer[] DEFAULT NULL
) RETURNS boolean[]
AS 'MODULE_PATHNAME', 'retention' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION retention(timeline, text, text, interval, integer, text, timestamptz, text, integer[]) IS 'In which periods after the first start_event the visitor did return_event; both are patterns. Element 1 is period 0 and true for everybody who started, so that it counts the cohort; the others are the periods from 1 to periods, at most 10,000. A visitor who never started gives NULL. mode: n_day (bounded, classic retention), returned in exactly this period; unbounded (also called rolling retention), in this or a later one; brackets, in those from one cut point to before the next, {1,3,7} giving 1 to 2 and 3 to 6, with NULL for periods. Without time_zone periods are counted from the time of the start, a day being 24 hours. With it they are those of the calendar: local days, ISO weeks for 7 days, months, quarters for 3 months, years; a multiple such as 14 days counts from the unit of the start. Events after as_of do not exist, and a period that is not complete by then (a calendar one: while the local date is not past it) is NULL, even if the visitor has returned already, or the last periods would show too high a rate. Without as_of all periods count as complete. Count many visitors with retention_stats';
