-- Purchases to expect

CREATE FUNCTION expected_purchases(model bgnbd, horizon double precision, frequency integer DEFAULT 0, recency double precision DEFAULT 0, age double precision DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'expected_purchases' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION expected_purchases(bgnbd, double precision, integer, double precision, double precision) IS 'Expected number of purchases in the time from now to now + horizon, by BG/NBD (conditional expected transactions), with the probability counted in that the customer is lost already: frequency is the number of repeat purchases, recency the time from the first purchase to the last, age the time from the first purchase to now, in the time unit of the model. Without a history: of a new customer, after his first purchase';

CREATE FUNCTION expected_purchases(model mbgnbd, horizon double precision, frequency integer DEFAULT 0, recency double precision DEFAULT 0, age double precision DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'expected_purchases' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION expected_purchases(mbgnbd, double precision, integer, double precision, double precision) IS 'Expected number of purchases in the time from now to now + horizon, by MBG/NBD (conditional expected transactions), with the probability counted in that the customer is lost already: frequency is the number of repeat purchases, recency the time from the first purchase to the last, age the time from the first purchase to now, in the time unit of the model. Without a history: of a new customer, after his first purchase';

CREATE FUNCTION expected_purchases(model paretonbd, horizon double precision, frequency integer DEFAULT 0, recency double precision DEFAULT 0, age double precision DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'expected_purchases' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION expected_purchases(paretonbd, double precision, integer, double precision, double precision) IS 'Expected number of purchases in the time from now to now + horizon, by Pareto/NBD (conditional expected transactions), with the probability counted in that the customer is lost already: frequency is the number of repeat purchases, recency the time from the first purchase to the last, age the time from the first purchase to now, in the time unit of the model. Without a history: of a new customer, after his first purchase';

CREATE FUNCTION expected_purchases(model bgbb, horizon double precision, frequency integer DEFAULT 0, recency double precision DEFAULT 0, age double precision DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'expected_purchases' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION expected_purchases(bgbb, double precision, integer, double precision, double precision) IS 'Expected number of purchases in the next opportunities, whose number is horizon, by BG/BB (conditional expected transactions), with the probability counted in that the customer is lost already: frequency is the number of opportunities used, recency the number of the last one used, age the number of all that there were. Without a history: of a new customer, before his first opportunity';
