-- Value of a purchase

CREATE FUNCTION expected_value(model gamma_gamma, frequency integer DEFAULT 0, monetary_value double precision DEFAULT NULL)
RETURNS double precision
AS 'MODULE_PATHNAME', 'expected_value' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION expected_value(gamma_gamma, integer, double precision) IS 'Expected monetary value (average order value) of a customer''s next purchase by the Gamma-Gamma model: between the mean of his repeat purchases (monetary_value) and the mean of all customers, nearer to his own the more he bought. frequency is his number of repeat purchases; with 0 it is the mean of all customers, whatever monetary_value is. Infinity where the model''s expectation is infinite: p * frequency + q <= 1, so for new customers if q <= 1. NULL if frequency is, or if monetary_value is and frequency > 0';
