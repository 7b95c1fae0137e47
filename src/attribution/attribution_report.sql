-- Reports of attribution
--
-- The body is bound when the extension is made, with the names that stand in its schema
-- then: what is not ours is named so that no other can be meant.

CREATE FUNCTION attribution_spend(spend jsonb, margin double precision DEFAULT NULL)
RETURNS TABLE (channel text, spend double precision)
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 20;
COMMENT ON FUNCTION attribution_spend(jsonb, double precision) IS 'A step of attribution_report: the amounts in spend, an object of channels and numbers of 0 or more; also checks that margin is from 0 to 1';

CREATE FUNCTION attribution_report(
	paths conversion_paths,
	models text[] DEFAULT NULL,
	spend jsonb DEFAULT NULL,
	margin double precision DEFAULT NULL,
	chain_order integer DEFAULT 1,
	skip text[] DEFAULT NULL,
	weights double precision[] DEFAULT NULL,
	permutations integer DEFAULT 1000,
	seed bigint DEFAULT 1,
	max_states integer DEFAULT 100000
)
RETURNS TABLE (model text, channel text, share double precision, conversions double precision, value double precision,
	spend double precision, cpa double precision, roas double precision, romi double precision,
	assisted_conversions double precision, last_touch_conversions double precision, assist_ratio double precision,
	mean_path_length double precision, mean_days_to_conversion double precision)
LANGUAGE SQL IMMUTABLE PARALLEL SAFE ROWS 100
BEGIN ATOMIC
	WITH asked AS (
		SELECT m.model, m.place
		FROM pg_catalog.unnest(coalesce(models,
			CASE WHEN (path_totals(paths)).has_times
				THEN ARRAY['first_touch', 'last_touch', 'last_non_direct', 'linear', 'position_based', 'time_decay', 'markov', 'shapley']
				ELSE ARRAY['first_touch', 'last_touch', 'last_non_direct', 'linear', 'position_based', 'markov', 'shapley'] END)) WITH ORDINALITY AS m (model, place)
		WHERE m.model IS NOT NULL
	), credit AS (
		SELECT q.place, q.model, true AS is_credited, a.*
		FROM asked q CROSS JOIN LATERAL attribution(paths, q.model, chain_order, skip, weights, permutations, seed, max_states) a
	), cost AS (
		SELECT q.place, q.model, s.channel, s.spend
		FROM asked q CROSS JOIN attribution_spend(spend, margin) s
	)
	SELECT model, channel, c.share, CASE WHEN c.is_credited THEN c.conversions ELSE 0 END, CASE WHEN c.is_credited THEN c.value ELSE 0 END, s.spend,
		s.spend / nullif(c.conversions, 0::double precision),
		CASE WHEN c.is_credited THEN c.value ELSE 0 END / nullif(s.spend, 0::double precision),
		(CASE WHEN c.is_credited THEN c.value ELSE 0 END * coalesce(margin, 1::double precision) - s.spend) / nullif(s.spend, 0::double precision),
		c.assisted_conversions, c.last_touch_conversions, c.assist_ratio, c.mean_path_length, c.mean_days_to_conversion
	FROM credit c FULL JOIN cost s USING (place, model, channel)
	ORDER BY place, CASE WHEN channel OPERATOR(pg_catalog.=) '(unattributed)'::text THEN 2 ELSE 1 END, channel COLLATE "C";
END;
COMMENT ON FUNCTION attribution_report(conversion_paths, text[], jsonb, double precision, integer, text[], double precision[], integer, bigint, integer) IS 'Models side by side: for each model and channel conversions and value, and with spend, a JSON object of amounts by channel, cost per conversion (cpa), return on ad spend (roas: value per amount spent) and return on marketing investment (romi: gain per amount spent, of the margin where it is given, as a part of value). Without models all that apply, but participation, whose credit does not add up. Channels with spend but without credit are there, too';
