-- RFM scores and segments

CREATE FUNCTION rfm_score(parts integer DEFAULT 5) RETURNS integer
AS 'MODULE_PATHNAME', 'rfm_score' LANGUAGE C IMMUTABLE WINDOW PARALLEL SAFE;
COMMENT ON FUNCTION rfm_score(integer) IS 'Score of a row from 1 to parts by its place in the window''s order, which goes from the worst to the best: rfm_score() OVER (ORDER BY frequency). Without ties it is ntile(parts): quintiles for 5, deciles for 10. Equal rows all have the score of the first of them, where ntile tells them apart at random: if 60% of customers bought once, they all have 1, and who bought twice has 4. The R of RFM is how long ago the last purchase was: from purchase_summary, rfm_score() OVER (ORDER BY age - recency DESC). Rows where the order''s value is NULL stand where ORDER BY puts them, last unless told otherwise and so with the best: leave them out or write NULLS FIRST. parts is that of the first row of a partition';

CREATE FUNCTION rfm_segment(recency_score integer, frequency_score integer, monetary_score integer DEFAULT NULL) RETURNS text
AS 'MODULE_PATHNAME', 'rfm_segment' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION rfm_segment(integer, integer, integer) IS 'The usual name for customers with these scores from 1 to 5 (rfm_score), by recency R and frequency F; with monetary_score M, F is the mean of F and M, rounded up. champions: R 5, F 4-5; loyal: R 3-4, F 4-5; potential loyalists: R 4-5, F 2-3; new customers: R 5, F 1; promising: R 4, F 1; need attention: R 3, F 3; about to sleep: R 3, F 1-2; at risk: R 1-2, F 3-4; cannot lose: R 1-2, F 5; hibernating: R 1-2, F 1-2 but for lost: R 1, F 1';

