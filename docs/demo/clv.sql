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

-- Times are in weeks, and the observation ends with the last event. What brought a customer stands before the first purchase.
CREATE TABLE customer AS
SELECT visitor,
	   coalesce(first_property(between_times(timeline, NULL, first_at(timeline, :'conversion') + interval '1 microsecond'), 'channel'), '(direct)') AS channel,
	   total_value(timeline, :'conversion') AS revenue,
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
	   6 + :'has_steps'::boolean::int + :'has_stages'::boolean::int + (:'has_channels'::boolean AND :'has_conversions'::boolean)::int AS section
FROM customer
\gset
SELECT coalesce(b.converged, false) AS has_model,
	   b.reason AS model_reason,
	   coalesce(b.converged AND v.converged, false) AS has_value_model,
	   coalesce(v.reason, 'purchases have no values') AS value_reason,
	   round(100 * :margin::numeric) AS margin_percent,
	   :margin = 1 AS is_all_earned,
	   (SELECT count(*) FROM channel_spend) > 0 AS has_spend
FROM customer_model, diagnostics(buying) AS b, diagnostics(spending) AS v
\gset

\if :has_customers
\if :has_repeat_buyers

-- Without a model that fits, what it would say is not known.
CREATE TABLE customer_value AS
SELECT customer.*,
	   rfm_segment(rfm_score() OVER (ORDER BY age - recency DESC), rfm_score() OVER (ORDER BY frequency)) AS segment,
	   CASE WHEN :'has_model' THEN p_alive(buying, frequency, recency, age) END AS p_alive,
	   CASE WHEN :'has_model' THEN expected_purchases(buying, 52, frequency, recency, age) END AS expected_purchases,
	   CASE WHEN :'has_value_model'
			THEN clv(buying, spending, frequency, recency, age, monetary_value, horizon => 52, rate => ln(1.1) / 52.18, margin => :margin) END AS clv
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
ORDER BY GROUPING(segment), "worth in all" DESC, revenue DESC, segment COLLATE "C";
\echo 'Segments are those of RFM (recency, frequency, monetary value): when they bought last, and how often. The'
\echo 'purchases of one day count as one. weeks ago: since the last of them.'
\if :has_model
	\echo 'alive %: how likely it is that they are still customers; will buy: how often in the next 52 weeks, each (MBG/NBD).'
\else
	\echo 'Who is still a customer, no model says:' :model_reason'.'
\endif
\if :has_value_model
	\echo 'worth: what they will earn in that time, at' :margin_percent'% of the revenue (MARGIN), discounted by 10% a year. Of those who'
	\echo 'are customers now: new ones come on top. A purchase is taken to be between the customer''s own mean and that of all.'
	\if :is_all_earned
		\echo 'If not all of the revenue is earned, say which part:' :rerun 'MARGIN=0.4'
	\endif
\elif :has_model
	\echo 'What purchases will be worth, no model says:' :value_reason'.'
\endif

\echo
\echo '   ... what a new customer of each channel is worth, and costs'
\echo
SELECT channel,
	   count(visitor) AS customers,
	   round(100 * avg((frequency > 0)::int), 1) AS "bought again %",
	   round((:margin * avg(revenue))::numeric, 2) AS "earned so far",
	   round(avg(clv)::numeric, 2) AS "to come",
	   round((:margin * avg(revenue) + avg(clv))::numeric, 2) AS "CLV",
	   min(spend) AS spend,
	   round(customer_acquisition_cost(min(spend), count(visitor))::numeric, 2) AS "CAC",
	   round(clv_to_cac(:margin * avg(revenue) + avg(clv), customer_acquisition_cost(min(spend), count(visitor)))::numeric, 2) AS "CLV:CAC"
FROM customer_value FULL JOIN channel_spend USING (channel)
GROUP BY channel
ORDER BY "CLV:CAC" DESC NULLS LAST, "CLV" DESC NULLS LAST, channel COLLATE "C";
\echo 'The channel is the first that is known of a customer before the first purchase. CLV (customer lifetime value): what'
\echo 'was earned so far, and what is to come. CAC (customer acquisition cost): spend by customers. See docs/clv.md.'
\if :has_spend
\else
	\echo 'To see what they cost, say what was spent:' :rerun 'SPEND=''{"email": 900, "display": 4000}'''
\endif

\else
	\echo
	\echo 'Of' :customers 'customers' :repeat_buyers 'bought again, on another day: too few to say what customers will be worth.'
\endif
\endif
