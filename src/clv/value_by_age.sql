-- Value by age

CREATE FUNCTION value_by_age(
	timeline timeline,
	start_event text,
	value_event text,
	period interval,
	periods integer,
	time_zone text DEFAULT NULL,
	as_of timestamptz DEFAULT NULL
) RETURNS double precision[]
AS 'MODULE_PATHNAME', 'value_by_age' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION value_by_age(timeline, text, text, interval, integer, text, timestamptz) IS 'What the customer was worth in each period since the first start_event: the sums of the values of value_event, in the unit of the values; both are patterns. Element 1 is period 0, that of the start, and with all that happens at the instant of the start; the last is the one numbered periods, at most 10,000. Whoever never started gives NULL. With a first purchase as start_event this is a customer''s historic value; with a sign-up it includes those who never bought. Negative values, as of refunds and costs, are subtracted: where costs are events of their own, value_event ''purchase|refund|cost'' gives the margin beside the revenue of ''purchase''. Periods are as in retention(): without time_zone they are counted from the time of the start, a day being 24 hours; with it they are local days, ISO weeks, months, quarters or years, or multiples. Events after as_of do not exist, and a period that is not complete by then is NULL. Without as_of all periods count as complete. Sums are exact. Add customers up with cohort_value';
