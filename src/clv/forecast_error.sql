-- Forecasts against what happened (holdout validation)

CREATE TYPE forecast_error AS (
	customers bigint,
	expected double precision,
	actual double precision,
	expected_mean double precision,
	actual_mean double precision,
	ratio double precision,
	mean_absolute_error double precision,
	root_mean_square_error double precision
);
COMMENT ON TYPE forecast_error IS 'How far a forecast is off for a group of customers, as the aggregate forecast_error() gives it';
COMMENT ON COLUMN forecast_error.customers IS 'Customers with a forecast and an outcome';
COMMENT ON COLUMN forecast_error.expected IS 'Sum of what was expected of them';
COMMENT ON COLUMN forecast_error.actual IS 'Sum of what happened';
COMMENT ON COLUMN forecast_error.expected_mean IS 'expected / customers';
COMMENT ON COLUMN forecast_error.actual_mean IS 'actual / customers';
COMMENT ON COLUMN forecast_error.ratio IS 'expected / actual: 1 is right in total, 1.12 is 12% too much (a total error of +12%), 0.9 is 10% too little; NULL if actual is 0';
COMMENT ON COLUMN forecast_error.mean_absolute_error IS 'Mean of abs(expected - actual) over the customers (MAE)';
COMMENT ON COLUMN forecast_error.root_mean_square_error IS 'Square root of the mean of (expected - actual)^2 (RMSE)';

CREATE FUNCTION forecast_error_transition(internal, double precision, double precision) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION forecast_error_transition(internal, double precision, double precision) IS 'Transition function of the aggregate forecast_error';

CREATE FUNCTION forecast_error_combine(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION forecast_error_combine(internal, internal) IS 'Combine function of the aggregate forecast_error';

CREATE FUNCTION forecast_error_serialize(internal) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION forecast_error_serialize(internal) IS 'Serialisation of the aggregate forecast_error';

CREATE FUNCTION forecast_error_deserialize(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION forecast_error_deserialize(bytea, internal) IS 'Deserialisation of the aggregate forecast_error';

CREATE FUNCTION forecast_error_final(internal) RETURNS forecast_error
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION forecast_error_final(internal) IS 'Final function of the aggregate forecast_error';

CREATE AGGREGATE forecast_error(expected double precision, actual double precision) (
	SFUNC = forecast_error_transition,
	STYPE = internal,
	SSPACE = 160,
	COMBINEFUNC = forecast_error_combine,
	SERIALFUNC = forecast_error_serialize,
	DESERIALFUNC = forecast_error_deserialize,
	FINALFUNC = forecast_error_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE forecast_error(double precision, double precision) IS 'What was expected of customers beside what they did in a holdout period: expected from a model fitted without that period (expected_purchases, or money), actual from holdout_purchases; rows without one of the two are skipped. Exact in any order. SELECT (forecast_error(expected, actual)).* gives the total; with GROUP BY least(frequency, 7) it shows whom the model gets wrong (conditional expectations by number of repeat purchases in the calibration period), by tenths of the forecast, rfm_score(10) OVER (ORDER BY expected) from a subquery, whether it tells good customers from bad (calibration table, decile analysis). Believe a model that beats naive_purchases in place of expected';

CREATE FUNCTION naive_purchases(horizon double precision, frequency integer, age double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'naive_purchases' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION naive_purchases(double precision, integer, double precision) IS 'The forecast without a model: the customer goes on at his own rate, frequency / age * horizon purchases, horizon in the unit of age; 0 for one who bought once. The yardstick for models, see forecast_error';

