-- Dependence on discounts

CREATE FUNCTION discount_use(
	timeline timeline,
	purchase text,
	discounted text,
	as_of timestamptz DEFAULT NULL,
	OUT orders bigint,
	OUT discounted_orders bigint,
	OUT value double precision,
	OUT discounted_value double precision,
	OUT is_sale_only boolean
)
AS 'MODULE_PATHNAME', 'discount_use' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION discount_use(timeline, text, text, timestamptz) IS 'How much a customer buys at a discount, up to as_of: one row, of NULLs if there is no order. purchase says which events are purchases, discounted which of these are at a discount, such as purchase[discount=*]; an event that matches discounted alone counts for nothing. orders: instants with a purchase, so that the lines of an order that were recorded at one time are one; discounted_orders: those of them with a line at a discount; value and discounted_value: the sums of the values of the lines, and of those at a discount, exact; is_sale_only: every order was at a discount. A line with a negative value is no order by itself, and its value is subtracted: a refund, or where costs are events of their own a cost, so that purchase ''purchase|cost'' gives the margin in place of the revenue. For all customers: sum(discounted_orders) / sum(orders), sum(discounted_value) / sum(value), avg(is_sale_only::int)';
