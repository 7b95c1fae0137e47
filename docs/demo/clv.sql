-- The customers: who is still one, what they will be worth, and what they may cost. A purchase is the
-- psql variable conversion, as attribution.sql left it. Needs what report.sql made, and the psql variables
-- spend: {"channel": money, ...}, what acquiring customers cost, and margin: which part of the revenue is earned.

CREATE TABLE IF NOT EXISTS channel_spend (channel text PRIMARY KEY, spend float8 NOT NULL);

SELECT :'spend' <> '' AS has_given_spend
\gset
\if :has_given_spend
	DELETE FROM channel_spend;
	INSERT INTO channel_spend SELECT key, value::float8 FROM jsonb_each_text(:'spend'::jsonb);
\endif

-- Times are in weeks, and the observation ends with the last event.
CREATE TABLE customer AS
SELECT visitor,
	   coalesce(first_property(timeline, 'channel'), '(direct)') AS channel,
	   total_value(timeline, nullif(:'conversion', '')) AS revenue,
	   summary.*
FROM visitor_timeline,
	 (SELECT max(last_at(timeline)) AS ended_at FROM visitor_timeline) AS observation,
	 purchase_summary(timeline, nullif(:'conversion', ''), ended_at, '7 days', :'time_zone') AS summary
WHERE frequency IS NOT NULL;

CREATE TABLE customer_model AS
SELECT mbgnbd_fit(purchase_histories(frequency, recency, age)) AS buying,
	   gamma_gamma_fit(spend_histories(frequency, monetary_value)) AS spending
FROM customer;

SELECT count(*) > 0 AS has_customers,
	   count(*) FILTER (WHERE frequency > 0) >= 30 AS has_repeat_buyers,
	   count(*) AS customers,
	   count(*) FILTER (WHERE frequency > 0) AS repeat_buyers,
	   coalesce(sum(revenue), 0) <> 0 AS has_revenue
FROM customer
\gset
SELECT coalesce(b.converged, false) AS has_model,
	   coalesce(b.reason, '') AS model_reason,
	   coalesce(g.converged, false) AS has_value_model,
	   (SELECT count(*) FROM channel_spend) > 0 AS has_spend,
	   round(100 * :margin::numeric) AS margin_percent,
	   6 + :'has_steps'::boolean::int + :'has_stages'::boolean::int + (:'has_channels'::boolean AND :'has_conversions'::boolean)::int AS section
FROM customer_model, diagnostics(buying) AS b, diagnostics(spending) AS g
\gset

\if :has_customers
\if :has_repeat_buyers
\if :has_model

CREATE TABLE customer_value AS
SELECT customer.*,
	   rfm_segment(rfm_score() OVER (ORDER BY age - recency DESC), rfm_score() OVER (ORDER BY frequency)) AS segment,
	   p_alive(buying, frequency, recency, age) AS p_alive,
	   expected_purchases(buying, 52, frequency, recency, age) AS expected_purchases,
	   clv(buying, spending, frequency, recency, age, monetary_value, horizon => 52, rate => ln(1.1) / 52.18, margin => :margin) AS clv
FROM customer, customer_model;

\echo
\echo
\echo :section'. The customers: who is still one, and what they will be worth in the year to come'
\echo
SELECT coalesce(segment, 'all customers') AS segment,
	   count(*) AS customers,
	   sum(frequency + 1) AS purchases,
	   round(sum(revenue)::numeric, 2) AS revenue,
	   round(avg(age - recency)::numeric, 1) AS "weeks ago",
	   round(100 * avg(p_alive)::numeric, 1) AS "alive %",
	   round(avg(expected_purchases)::numeric, 2) AS "will buy",
	   round(avg(clv)::numeric, 2) AS "worth each",
	   round(sum(clv)::numeric, 2) AS "worth in all"
FROM customer_value
GROUP BY GROUPING SETS ((segment), ())
ORDER BY GROUPING(segment), "worth in all" DESC, segment COLLATE "C";
\echo 'weeks ago: since the last purchase. alive %: how likely it is that they are still customers; will buy: how'
\echo 'often in the next 52 weeks, each (MBG/NBD). worth: what these purchases earn, at' :margin_percent'% of the revenue (MARGIN),'
\echo 'discounted by 10% a year; a purchase is taken to be between the customer''s own mean and that of all (Gamma-Gamma).'
\echo 'Segments are those of RFM: when they bought last, and how often. See docs/clv.md.'

\echo
\echo '   ... what a new customer of each channel is worth, and costs'
\echo
SELECT channel,
	   count(*) AS customers,
	   round(100 * avg((frequency > 0)::int), 1) AS "bought again %",
	   round((:margin * avg(revenue))::numeric, 2) AS "earned so far",
	   round(avg(clv)::numeric, 2) AS "to come",
	   round((:margin * avg(revenue) + avg(clv))::numeric, 2) AS "CLV",
	   min(spend) AS spend,
	   round(customer_acquisition_cost(min(spend), count(*))::numeric, 2) AS "CAC",
	   round(clv_to_cac(:margin * avg(revenue) + avg(clv), customer_acquisition_cost(min(spend), count(*)))::numeric, 2) AS "CLV:CAC"
FROM customer_value LEFT JOIN channel_spend USING (channel)
GROUP BY channel
ORDER BY "CLV:CAC" DESC NULLS LAST, "CLV" DESC, channel COLLATE "C";
\echo 'The channel is the first that is known of a customer. CLV: earned so far, and to come. CAC: spend by customers.'
\if :has_spend
\else
	\echo 'To see what they cost, say what was spent:' :rerun 'SPEND=''{"email": 900, "display": 4000}'''
\endif

\else
	\echo
	\echo 'No model of the customers fits:' :model_reason'.'
\endif
\else
	\echo
	\echo 'Of' :customers 'customers' :repeat_buyers 'bought again, on another day: too few to say what customers will be worth.'
\endif
\endif
