-- Splitting money by shares

CREATE FUNCTION split_value(value numeric, shares double precision[], digits integer DEFAULT NULL)
RETURNS numeric[]
AS 'MODULE_PATHNAME', 'split_value' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION split_value(numeric, double precision[], integer) IS 'Splits an amount of money in proportion to shares (allocation, largest remainder method): the parts add up to value exactly, and each differs from its exact proportion by less than one unit of the last digit. Parts have as many digits after the point as value is written with, 2 for 49.90, or as many as digits says. Shares are relative and need not add up to 1. What is left after rounding down goes to the largest remainders, of equal ones to the first. A negative value is split as its amount, with the sign';
