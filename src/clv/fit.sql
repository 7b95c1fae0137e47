-- Fits of models to customers

CREATE FUNCTION bgnbd_fit(histories purchase_histories) RETURNS bgnbd
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgnbd_fit(purchase_histories) IS 'Maximum likelihood fit of BG/NBD. It takes every one-time buyer for alive: prefer mbgnbd_fit or paretonbd_fit for reports. The same to the last digit for any order of rows and any plan. diagnostics tells whether it converged; too few customers give a model without parameters, whose answers are NULL';

CREATE FUNCTION mbgnbd_fit(histories purchase_histories) RETURNS mbgnbd
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mbgnbd_fit(purchase_histories) IS 'Maximum likelihood fit of MBG/NBD: the model to begin with. The same to the last digit for any order of rows and any plan. diagnostics tells whether it converged; too few customers give a model without parameters, whose answers are NULL';

CREATE FUNCTION paretonbd_fit(histories purchase_histories) RETURNS paretonbd
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION paretonbd_fit(purchase_histories) IS 'Maximum likelihood fit of Pareto/NBD: slower than mbgnbd_fit, and better where customers are lost some time after their last purchase. The same to the last digit for any order of rows and any plan. diagnostics tells whether it converged; too few customers give a model without parameters, whose answers are NULL';

CREATE FUNCTION bgbb_fit(histories purchase_histories) RETURNS bgbb
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgbb_fit(purchase_histories) IS 'Maximum likelihood fit of BG/BB: recency and age count opportunities to buy, and there is at most one purchase at each. The same to the last digit for any order of rows and any plan. diagnostics tells whether it converged; too few customers give a model without parameters, whose answers are NULL';

CREATE FUNCTION gamma_gamma_fit(histories spend_histories) RETURNS gamma_gamma
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gamma_gamma_fit(spend_histories) IS 'Maximum likelihood fit of Gamma-Gamma to the repeat buyers. The same to the last digit for any order of rows and any plan. diagnostics tells whether it converged; too few customers give a model without parameters, whose answers are NULL';

CREATE FUNCTION sbg_fit(survivors bigint[]) RETURNS sbg
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sbg_fit(bigint[]) IS 'Maximum likelihood fit of sBG to one cohort with a contract: how many customers there were at first, after one period, after two, and so on. diagnostics tells whether it converged';
