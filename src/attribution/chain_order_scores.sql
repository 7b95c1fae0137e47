-- Choosing the order of a Markov chain

CREATE FUNCTION chain_order_scores(
	paths conversion_paths,
	max_order integer DEFAULT 4,
	folds integer DEFAULT 5,
	seed bigint DEFAULT 1
)
RETURNS TABLE (chain_order integer, log_loss double precision, log_loss_std_error double precision,
	auc double precision, penalized_auc double precision, states bigint, is_best boolean)
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 4;
COMMENT ON FUNCTION chain_order_scores(conversion_paths, integer, integer, bigint) IS 'How well Markov chains of orders 1 to max_order foretell journeys that they have not seen (model selection by cross-validation): each journey is dealt to one of the folds at random, by the seed, and each fold is judged by the chain of the others. log_loss is the mean of -ln(probability) of a whole journey, each touch and its end, and smaller is better; is_best marks the smallest. By the one-standard-error rule, take the lowest order whose log_loss is at most that of the best plus the best''s log_loss_std_error. auc: how often a journey that converts gets a higher probability of conversion where it ends than one that does not; penalized_auc takes off for the number of states, in the manner of adjusted R squared (compare choose_order of the R package ChannelAttribution). Paths without channels are left out';
