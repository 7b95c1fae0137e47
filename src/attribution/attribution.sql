-- Attribution: what each channel is credited with

CREATE FUNCTION attribution(chain markov, max_states integer DEFAULT 100000)
RETURNS TABLE (channel text, removal_effect double precision, value_removal_effect double precision,
	share double precision, conversions double precision, value double precision)
AS 'MODULE_PATHNAME', 'attribution_markov' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 20;
COMMENT ON FUNCTION attribution(markov, integer) IS 'Markov chain attribution (data-driven attribution), solved exactly: for each channel the part of conversions, and of their value, that would be lost without it, and its share of these removal effects as conversions and value. Conversions without touches are credited to (unattributed). Without conversions effects are NULL. More than max_states states are an error';

CREATE FUNCTION attribution(
	paths conversion_paths,
	model text,
	chain_order integer DEFAULT 1,
	skip text[] DEFAULT NULL,
	weights double precision[] DEFAULT NULL,
	permutations integer DEFAULT 1000,
	seed bigint DEFAULT 1,
	max_states integer DEFAULT 100000
)
RETURNS TABLE (channel text, share double precision, conversions double precision, value double precision,
	effect double precision, std_error double precision,
	assisted_conversions double precision, last_touch_conversions double precision, assist_ratio double precision,
	mean_path_length double precision, mean_days_to_conversion double precision)
AS 'MODULE_PATHNAME', 'attribution_paths' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 20;
COMMENT ON FUNCTION attribution(conversion_paths, text, integer, text[], double precision[], integer, bigint, integer) IS 'What a model credits each channel with. Models: first_touch, last_touch, last_non_direct (which passes over the channels in skip, by default (direct)), linear, position_based (weights of first, middle, last), u_shaped, j_shaped, inverse_j_shaped, time_decay, participation (which credits every channel of a path in full), markov and shapley_markov (of chain_order), shapley, shapley_ordered, shapley_observed. effect is the removal effect of markov, or the Shapley value in the rate of conversion: of shapley_observed as it is, also negative, and without conversions if all channels were never met together; std_error that of conversions, where orders of channels are drawn (permutations, seed: beyond 16 channels, or where counting all coalitions is more work). assisted_conversions: the channel was in the path, but not last';
