-- Unit economics

CREATE FUNCTION simple_clv(margin double precision, retention_rate double precision, discount_rate double precision, first_margin integer DEFAULT 1) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_simple_clv' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION simple_clv(double precision, double precision, double precision, integer) IS 'Customer lifetime value by the simple formula, for ever, with the same margin each period from those who are still customers: retention_rate is the share who stay from one period to the next, discount_rate the rate of one period. first_margin says when the first margin comes. 1: after one period, from those who stayed, margin * r / (1 + d - r), the value of a customer whose first margin has been earned already. 0: at once, margin * (1 + d) / (1 + d - r), which is that margin more; compare this one with the cost of acquisition. A retention_rate of 1 + discount_rate or more is an error, as the value would be infinite';

CREATE FUNCTION customer_acquisition_cost(spend double precision, customers double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_customer_acquisition_cost' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION customer_acquisition_cost(double precision, double precision) IS 'What one new customer cost (CAC): spend on acquiring / new customers, which may be shares of customers that attribution credits to a channel; NULL if there are none';

CREATE FUNCTION clv_to_cac(clv double precision, cac double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_clv_to_cac' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_to_cac(double precision, double precision) IS 'How many times a customer''s lifetime value pays the cost of acquiring him (CLV:CAC, LTV:CAC): clv / cac, clv before that cost is taken off; NULL if cac is 0';

CREATE FUNCTION roi(margin double precision, cost double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_roi' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION roi(double precision, double precision) IS 'Return on investment: (margin - cost) / cost, margin being the earnings before this cost; 0.25 is 25 %, 0 just pays; NULL if cost is 0';

CREATE FUNCTION romi(incremental_margin double precision, spend double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_romi' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION romi(double precision, double precision) IS 'Return on marketing investment: (incremental_margin - spend) / spend, where incremental_margin is the margin (not the revenue) that would not have come without the spend; NULL if spend is 0';

CREATE FUNCTION payback_period(acquisition_cost double precision, margins double precision[], discount_rate double precision DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_payback_period' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION payback_period(double precision, double precision[], double precision) IS 'After how many periods the margins of a customer have paid acquisition_cost for the first time; NULL if they never do. The first element of margins is period 0; a margin flows evenly over its period, so that 2.5 is half-way through the third. With discount_rate, the rate of one period, the discounted payback period: a margin of period p is divided by (1 + discount_rate) ^ p, as in cohort_value_periods (for margins at the end of their periods multiply the cost by 1 + discount_rate). A NULL element is not known yet, and neither are those after it';

CREATE FUNCTION repeat_rate(repeat_customers double precision, customers double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_repeat_rate' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION repeat_rate(double precision, double precision) IS 'Share of customers who bought again (repeat purchase rate): repeat_customers / customers; count only those who had the time to, as bought_again does; NULL if there are none';

CREATE FUNCTION churn_rate(customers_at_start double precision, customers_lost double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_churn_rate' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_rate(double precision, double precision) IS 'Share of the customers at the start of a period who were lost in it: customers_lost / customers_at_start; new customers of the period are in neither; NULL if there were none';

CREATE FUNCTION retention_rate(customers_at_start double precision, customers_at_end double precision, new_customers double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_retention_rate' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION retention_rate(double precision, double precision, double precision) IS 'Share of the customers at the start of a period who are still customers at its end (customer retention rate, 1 - churn rate): (customers_at_end - new_customers) / customers_at_start; NULL if there were none';

CREATE FUNCTION average_order_value(revenue double precision, orders double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_average_order_value' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION average_order_value(double precision, double precision) IS 'Average order value (AOV): revenue / orders; NULL if there are none';

CREATE FUNCTION average_revenue_per_user(revenue double precision, users double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_average_revenue_per_user' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION average_revenue_per_user(double precision, double precision) IS 'Average revenue per user (ARPU) in a period: revenue / users, all users of the period, those who bought nothing too; NULL if there are none';
