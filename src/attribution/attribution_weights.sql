-- Shares of touches in a conversion

CREATE FUNCTION attribution_weights(
	model text,
	path text[],
	touched_at timestamptz[] DEFAULT NULL,
	converted_at timestamptz DEFAULT NULL,
	skip text[] DEFAULT NULL,
	weights double precision[] DEFAULT NULL,
	half_life interval DEFAULT '7 days',
	milestones timestamptz[] DEFAULT NULL
) RETURNS double precision[]
AS 'MODULE_PATHNAME', 'attribution_weights' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION attribution_weights(text, text[], timestamptz[], timestamptz, text[], double precision[], interval, timestamptz[]) IS 'The share of each touch of a path in its conversion (multi-touch attribution, fractional credit), parallel to path; shares add up to 1. Rule-based models: first_touch, last_touch, last_non_direct (the last channel that is not in skip, {(direct)} by default; all are: the last), linear, position_based with weights {first,middle,last} and its presets u_shaped (.4/.2/.4), j_shaped (.2/.2/.6) and inverse_j_shaped (.6/.2/.2), time_decay (half the credit for each half_life that a touch is older than the youngest), w_shaped and full_path (30 % or 22.5 % each to the first touch and to the two milestones, of lead and opportunity, with full_path also to the last touch; 10 % to the others; a milestone belongs to the last touch at or before it, and one that is NULL to none), participation (1 to the first touch of each channel: these do not add up to 1). time_decay, w_shaped and full_path need touched_at, in order of time. Elements that are NULL, empty or (unattributed) are no touches and have 0; in a path without touches the first (unattributed) has 1. Options of other models are not looked at';
