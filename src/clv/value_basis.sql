-- ROI or CLV

CREATE FUNCTION bought_again(
	timeline timeline,
	purchase text,
	within interval,
	as_of timestamptz DEFAULT NULL,
	time_zone text DEFAULT 'UTC'
) RETURNS boolean
AS 'MODULE_PATHNAME', 'bought_again' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bought_again(timeline, text, interval, timestamptz, text) IS 'Whether the customer bought on another day, at most within (whole days) after the day of the first purchase. Purchases and days are those of purchase_summary: purchases of one date in time_zone are one, refunds reduce it. NULL for whoever never bought, and as long as the date of as_of is not past the last of these days, even if the customer has bought again already, or the youngest customers would show too high a rate. Without as_of everybody had the time. The repeat rate: count(*) FILTER (WHERE again) of count(again)';

CREATE FUNCTION value_basis(
	repeat_customers bigint,
	customers bigint,
	threshold double precision DEFAULT 0.2,
	conf_level double precision DEFAULT 0.95
) RETURNS text
AS 'MODULE_PATHNAME', 'value_basis' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION value_basis(bigint, bigint, double precision, double precision) IS 'Whether to judge a product by the return on the first sale or by customer lifetime value: ROI if its customers buy once, CLV if they come back. repeat_customers of customers bought again, of those who had the time to (bought_again). CLV: their share is at least threshold, and so is the lower bound of its Wilson interval at conf_level; ROI: the upper bound is below it; undecided: the interval contains the threshold, or there are fewer than 30 customers; more are needed. threshold: if a share p buys again after each purchase, repeat purchases add p / (1 - p) of the first; from 0.2, the default, on that is a fourth or more, too much to leave out';
