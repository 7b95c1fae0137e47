-- Value of a cohort

CREATE TYPE cohort_value;

CREATE FUNCTION cohort_value_in(cstring) RETURNS cohort_value
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cohort_value_in(cstring) IS 'Text input of cohort_value: for each period, period 0 first, how many customers it is complete for, how many of them are active, and the sum of their values, such as {"periods": [[200, 200, 9980.5], [190, 41, 1020]]}';

CREATE FUNCTION cohort_value_out(cohort_value) RETURNS cstring
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cohort_value_out(cohort_value) IS 'Text output of cohort_value';

CREATE FUNCTION cohort_value_recv(internal) RETURNS cohort_value
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cohort_value_recv(internal) IS 'Binary input of cohort_value';

CREATE FUNCTION cohort_value_send(cohort_value) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cohort_value_send(cohort_value) IS 'Binary output of cohort_value';

CREATE TYPE cohort_value (
	INPUT = cohort_value_in,
	OUTPUT = cohort_value_out,
	RECEIVE = cohort_value_recv,
	SEND = cohort_value_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);
COMMENT ON TYPE cohort_value IS 'What customers were worth in each period since their start (historic customer lifetime value, one row of a cohort table in money): made by the aggregate cohort_value, storable, merged by rollup, read by cohort_value_periods';

CREATE FUNCTION cohort_value_eq(cohort_value, cohort_value) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cohort_value_eq(cohort_value, cohort_value) IS 'Implementation of the = operator';

CREATE FUNCTION cohort_value_ne(cohort_value, cohort_value) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cohort_value_ne(cohort_value, cohort_value) IS 'Implementation of the <> operator';

CREATE FUNCTION cohort_value_hash(cohort_value) RETURNS integer
AS 'MODULE_PATHNAME', 'state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cohort_value_hash(cohort_value) IS 'Hash of a cohort_value, for GROUP BY, DISTINCT and joins';

CREATE FUNCTION cohort_value_hash_extended(cohort_value, bigint) RETURNS bigint
AS 'MODULE_PATHNAME', 'state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cohort_value_hash_extended(cohort_value, bigint) IS 'Hash of a cohort_value with a seed';

CREATE OPERATOR = (
	LEFTARG = cohort_value, RIGHTARG = cohort_value, FUNCTION = cohort_value_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR = (cohort_value, cohort_value) IS 'the same counts and sums in the same periods';

CREATE OPERATOR <> (
	LEFTARG = cohort_value, RIGHTARG = cohort_value, FUNCTION = cohort_value_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (cohort_value, cohort_value) IS 'not the same counts and sums in the same periods';

CREATE OPERATOR CLASS cohort_value_hash_ops
	DEFAULT FOR TYPE cohort_value USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 cohort_value_hash(cohort_value),
	FUNCTION 2 cohort_value_hash_extended(cohort_value, bigint);
COMMENT ON OPERATOR CLASS cohort_value_hash_ops USING hash IS 'Hashing of cohort_value; there is no order on purpose';
COMMENT ON OPERATOR FAMILY cohort_value_hash_ops USING hash IS 'Hashing of cohort_value';

CREATE FUNCTION cohort_value_accum(cohort_value, value_by_age double precision[]) RETURNS cohort_value
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION cohort_value_accum(cohort_value, double precision[]) IS 'Transition function of the aggregate cohort_value: adds one customer';

CREATE FUNCTION cohort_value_combine(cohort_value, cohort_value) RETURNS cohort_value
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cohort_value_combine(cohort_value, cohort_value) IS 'Combine function of the aggregates cohort_value and rollup(cohort_value)';

CREATE FUNCTION cohort_value_final(cohort_value) RETURNS cohort_value
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cohort_value_final(cohort_value) IS 'Final function of the aggregates cohort_value and rollup(cohort_value)';

CREATE AGGREGATE cohort_value(value_by_age double precision[]) (
	SFUNC = cohort_value_accum,
	STYPE = cohort_value,
	SSPACE = 512,
	FINALFUNC = cohort_value_final,
	COMBINEFUNC = cohort_value_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE cohort_value(double precision[]) IS 'Adds up the results of value_by_age over many customers: for each period how many it is complete for (elements that are not NULL), how many of them are active (not 0), and the exact sum of their values, the same for any order of rows. Rows that are NULL, of those who never started, are skipped; elements must be finite and smaller than 2^900. Read it with cohort_value_periods. A table of cohorts: SELECT cohort, p.* FROM (SELECT date_trunc(''month'', first_at(timeline, ''purchase''), ''Europe/Oslo'') AS cohort, cohort_value(value_by_age(timeline, ''purchase'', ''purchase'', ''1 month'', 12, ''Europe/Oslo'', now())) AS stats FROM timelines GROUP BY cohort) AS c, cohort_value_periods(stats, acquisition_cost => 30) AS p';

CREATE AGGREGATE rollup(cohort_value) (
	SFUNC = cohort_value_combine,
	STYPE = cohort_value,
	SSPACE = 512,
	FINALFUNC = cohort_value_final,
	COMBINEFUNC = cohort_value_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE rollup(cohort_value) IS 'Merges stored cohort_values of the same periods into one, as if cohort_value had seen all of their customers: all cohorts of a year, all channels. Each customer must be in one of them only';

CREATE FUNCTION cohort_value_periods(cohort_value cohort_value, acquisition_cost double precision DEFAULT NULL, discount_rate double precision DEFAULT 0)
RETURNS TABLE (period integer, customers bigint, active_customers bigint, value double precision, value_per_customer double precision,
	cumulative_value double precision, discounted_value double precision, is_paid_back boolean, is_paid_back_discounted boolean)
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 13;
COMMENT ON FUNCTION cohort_value_periods(cohort_value, double precision, double precision) IS 'One row for each period, from 0, that of the start. customers: those for whom the period is complete; active_customers: those of them whose value is not 0; value: the sum of their values; value_per_customer: value / customers (revenue per user, ARPU, if value is revenue), NULL where there are none. cumulative_value: what a customer was worth up to the end of the period, the historic customer lifetime value: the sum of value_per_customer so far. So where customers are of different age, each period takes all for whom it is complete, as a life table does, and the sum is about a customer who lives through all of them; in one cohort with periods of the calendar all are of one age, and it is their mean. discounted_value: likewise, a value of period p being divided by (1 + discount_rate) ^ p; discount_rate is the rate of one period, such as 0.01 for 1 % a month. is_paid_back, is_paid_back_discounted: whether cumulative_value or discounted_value has reached acquisition_cost, the cost of acquiring one customer (CAC); NULL without it. The payback period is the first with true. All cumulative columns are NULL from the first period on that is not complete for anybody';
