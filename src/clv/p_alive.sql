-- Probability that a customer is still one

CREATE FUNCTION p_alive(model bgnbd, frequency integer, recency double precision, age double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'p_alive' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION p_alive(bgnbd, integer, double precision, double precision) IS 'Probability that the customer is still one (P(alive), probability of being active; 1 minus it is the probability of churn), by BG/NBD: frequency is the number of repeat purchases, recency the time from the first purchase to the last, age the time from the first purchase to now, in the time unit of the model. It is 1 for everybody with frequency 0, who are most customers of most shops: in BG/NBD a customer can be lost after a repeat purchase only; ask mbgnbd or paretonbd about them';

CREATE FUNCTION p_alive(model mbgnbd, frequency integer, recency double precision, age double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'p_alive' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION p_alive(mbgnbd, integer, double precision, double precision) IS 'Probability that the customer is still one (P(alive), probability of being active; 1 minus it is the probability of churn), by MBG/NBD: frequency is the number of repeat purchases, recency the time from the first purchase to the last, age the time from the first purchase to now, in the time unit of the model';

CREATE FUNCTION p_alive(model paretonbd, frequency integer, recency double precision, age double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'p_alive' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION p_alive(paretonbd, integer, double precision, double precision) IS 'Probability that the customer is still one (P(alive), probability of being active; 1 minus it is the probability of churn), by Pareto/NBD: frequency is the number of repeat purchases, recency the time from the first purchase to the last, age the time from the first purchase to now, in the time unit of the model';

CREATE FUNCTION p_alive(model bgbb, frequency integer, recency double precision, age double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'p_alive' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION p_alive(bgbb, integer, double precision, double precision) IS 'Probability that the customer is still one (P(alive), probability of being active; 1 minus it is the probability of churn), by BG/BB: frequency is the number of opportunities used, recency the number of the last one used, age the number of all that there were. As published, it is the probability to be alive at the next opportunity';
