-- Probability of a number of purchases

CREATE FUNCTION purchase_probability(model bgnbd, purchases integer, horizon double precision, frequency integer DEFAULT 0, recency double precision DEFAULT 0, age double precision DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'purchase_probability' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION purchase_probability(bgnbd, integer, double precision, integer, double precision, double precision) IS 'Probability that the customer makes exactly so many purchases in the time from now to now + horizon, by BG/NBD; over all numbers they sum to 1: frequency is the number of repeat purchases, recency the time from the first purchase to the last, age the time from the first purchase to now, in the time unit of the model. Without a history: of a new customer, after his first purchase';

CREATE FUNCTION purchase_probability(model mbgnbd, purchases integer, horizon double precision, frequency integer DEFAULT 0, recency double precision DEFAULT 0, age double precision DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'purchase_probability' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION purchase_probability(mbgnbd, integer, double precision, integer, double precision, double precision) IS 'Probability that the customer makes exactly so many purchases in the time from now to now + horizon, by MBG/NBD; over all numbers they sum to 1: frequency is the number of repeat purchases, recency the time from the first purchase to the last, age the time from the first purchase to now, in the time unit of the model. Without a history: of a new customer, after his first purchase';

CREATE FUNCTION purchase_probability(model paretonbd, purchases integer, horizon double precision, frequency integer DEFAULT 0, recency double precision DEFAULT 0, age double precision DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'purchase_probability' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION purchase_probability(paretonbd, integer, double precision, integer, double precision, double precision) IS 'Probability that the customer makes exactly so many purchases in the time from now to now + horizon, by Pareto/NBD; over all numbers they sum to 1: frequency is the number of repeat purchases, recency the time from the first purchase to the last, age the time from the first purchase to now, in the time unit of the model. Without a history: of a new customer, after his first purchase';

CREATE FUNCTION purchase_probability(model bgbb, purchases integer, horizon double precision, frequency integer DEFAULT 0, recency double precision DEFAULT 0, age double precision DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'purchase_probability' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION purchase_probability(bgbb, integer, double precision, integer, double precision, double precision) IS 'Probability that the customer makes exactly so many purchases in the next opportunities, whose number is horizon, by BG/BB; over all numbers they sum to 1: frequency is the number of opportunities used, recency the number of the last one used, age the number of all that there were. Without a history: of a new customer, before his first opportunity';
