-- Summary of purchases per customer

CREATE FUNCTION purchase_summary(
	timeline timeline,
	purchase text,
	as_of timestamptz,
	unit interval DEFAULT '1 day',
	time_zone text DEFAULT 'UTC',
	OUT frequency integer,
	OUT recency double precision,
	OUT age double precision,
	OUT monetary_value double precision
)
AS 'MODULE_PATHNAME', 'purchase_summary' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION purchase_summary(timeline, text, timestamptz, interval, text) IS 'What models of customers need of one (RFM summary, x, t_x, T and m of Fader and Hardie) from the events that match the pattern purchase, up to as_of. All purchases on one date in time_zone are one purchase. frequency: purchases after the first (repeat purchases); recency: time from the first to the last; age: time from the first to the date of as_of (T), both in unit, which only scales days: 7 days gives weeks, with fractions; monetary_value: mean value of the repeat purchases that have one, the first left out; 0 without a repeat purchase, or if all were free, NULL if the value of none is known. NULL without a purchase. An event without a value, or with 0 (a free order), is a purchase all the same. A negative value is a refund: it reduces its own day, and a day with refunds that sums to nothing or less is no purchase; a return on a later day leaves the purchase as it was, so give a return the time of its order. Use it in FROM: SELECT visitor, s.* FROM timelines, purchase_summary(timeline, ''purchase'', ''2026-07-01'') AS s';

CREATE FUNCTION holdout_purchases(
	timeline timeline,
	purchase text,
	from_at timestamptz,
	to_at timestamptz,
	time_zone text DEFAULT 'UTC'
) RETURNS integer
AS 'MODULE_PATHNAME', 'holdout_purchases' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION holdout_purchases(timeline, text, timestamptz, timestamptz, text) IS 'Number of purchases after the date of from_at, up to to_at, by the rules of purchase_summary (holdout or validation period, x* of Fader and Hardie): what a model fitted at as_of => from_at should have expected. The date of from_at belongs to the calibration period as a whole. Customers whose first purchase comes after from_at have some too, but no model knows them: leave out those for whom purchase_summary is NULL';

CREATE FUNCTION purchases_transition(internal, timestamptz, double precision) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION purchases_transition(internal, timestamptz, double precision) IS 'Transition function of the aggregate purchases';

CREATE AGGREGATE purchases(at timestamptz, value double precision) (
	SFUNC = purchases_transition,
	STYPE = internal,
	SSPACE = 256,
	COMBINEFUNC = timeline_combine,
	SERIALFUNC = timeline_serialize,
	DESERIALFUNC = timeline_deserialize,
	FINALFUNC = timeline_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE purchases(timestamptz, double precision) IS 'The timeline of a customer''s purchases from plain order rows, in any order and with any number of rows an order: events ''purchase'' with a value (revenue, or margin to look at profits); negative values are refunds, rows without a time are skipped. Read it with purchase_summary: SELECT customer, s.* FROM (SELECT customer, purchases(ordered_at, amount) AS p FROM orders GROUP BY customer) AS o, purchase_summary(p, ''purchase'', ''2026-07-01'') AS s';

