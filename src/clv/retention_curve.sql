-- Customers with a contract

CREATE FUNCTION survival_rate(model sbg, period integer) RETURNS double precision
AS 'MODULE_PATHNAME', 'sbg_survival_rate' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION survival_rate(sbg, integer) IS 'Survival function S(period): the share of a cohort that is still there after so many periods, that is renewals; 1 after 0';

CREATE FUNCTION retention_rate(model sbg, period integer) RETURNS double precision
AS 'MODULE_PATHNAME', 'sbg_retention_rate' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION retention_rate(sbg, integer) IS 'Retention rate of a period, from 1: of those who are there before it, the share that renews for it, S(period) / S(period - 1). It rises with time, as those who leave easily leave first. The churn rate is 1 minus it';

CREATE FUNCTION retention_curve(model sbg, periods integer)
RETURNS TABLE (period integer, survival_rate double precision, retention_rate double precision)
AS 'MODULE_PATHNAME', 'sbg_retention_curve' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 12;
COMMENT ON FUNCTION retention_curve(sbg, integer) IS 'Survival and retention rate of each period from 0 to periods: the projected curve of a cohort with a contract. Period 0 has no retention rate';

CREATE FUNCTION expected_lifetime(model sbg, periods integer DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'sbg_expected_lifetime' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION expected_lifetime(sbg, integer) IS 'Expected lifetime in periods of a new customer, his first period counted. Of one who has been there for so many periods, the expected number of periods that follow (residual lifetime), just before the renewal. Infinity if alpha <= 1: some customers then stay too long for a mean; use discounted_lifetime';

CREATE FUNCTION discounted_lifetime(model sbg, rate double precision, periods integer DEFAULT 0, horizon integer DEFAULT NULL)
RETURNS double precision
AS 'MODULE_PATHNAME', 'sbg_discounted_lifetime' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION discounted_lifetime(sbg, double precision, integer, integer) IS 'Discounted expected lifetime (Fader and Hardie 2010): times the margin of a period it is the lifetime value. With periods 0 that of a new customer (DEL), whose first payment is now and counts in full, the next 1 / (1 + rate), and so on. With periods n the residual lifetime (DERL) of a customer who has been there for n periods, just before he decides on renewal: a payment now if he renews, and the later ones. rate is the discount rate for a period, 0.1 for 10 %. horizon counts only so many payments, the one now included; NULL: all, and rate must be greater than 0 then';
