-- Spend of many customers

CREATE TYPE spend_histories;

CREATE FUNCTION spend_histories_in(cstring) RETURNS spend_histories
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION spend_histories_in(cstring) IS 'Text input of spend_histories';

CREATE FUNCTION spend_histories_out(spend_histories) RETURNS cstring
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION spend_histories_out(spend_histories) IS 'Text output of spend_histories: JSON, exact, and no setting changes it';

CREATE FUNCTION spend_histories_recv(internal) RETURNS spend_histories
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION spend_histories_recv(internal) IS 'Binary input of spend_histories';

CREATE FUNCTION spend_histories_send(spend_histories) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION spend_histories_send(spend_histories) IS 'Binary output of spend_histories';

CREATE TYPE spend_histories (
	INPUT = spend_histories_in,
	OUTPUT = spend_histories_out,
	RECEIVE = spend_histories_recv,
	SEND = spend_histories_send,
	INTERNALLENGTH = variable,
	ALIGNMENT = double,
	STORAGE = extended
);
COMMENT ON TYPE spend_histories IS 'How many customers have each number of repeat purchases and mean value of them: the sufficient statistics of the Gamma-Gamma model of spend. Storable and mergeable: made by the aggregate spend_histories, merged by rollup, read by gamma_gamma_fit. Its size follows the distinct pairs, not the customers';

CREATE FUNCTION spend_histories_eq(spend_histories, spend_histories) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION spend_histories_eq(spend_histories, spend_histories) IS 'Behind the operator = of spend_histories';

CREATE FUNCTION spend_histories_ne(spend_histories, spend_histories) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION spend_histories_ne(spend_histories, spend_histories) IS 'Behind the operator <> of spend_histories';

CREATE FUNCTION spend_histories_hash(spend_histories) RETURNS integer
AS 'MODULE_PATHNAME', 'state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION spend_histories_hash(spend_histories) IS 'Hash of a spend_histories, for GROUP BY, DISTINCT and joins';

CREATE FUNCTION spend_histories_hash_extended(spend_histories, bigint) RETURNS bigint
AS 'MODULE_PATHNAME', 'state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION spend_histories_hash_extended(spend_histories, bigint) IS 'Seeded 64-bit hash of a spend_histories, for hash partitions';

CREATE OPERATOR = (
	LEFTARG = spend_histories,
	RIGHTARG = spend_histories,
	FUNCTION = spend_histories_eq,
	COMMUTATOR = =,
	NEGATOR = <>,
	RESTRICT = eqsel,
	JOIN = eqjoinsel,
	HASHES
);
COMMENT ON OPERATOR = (spend_histories, spend_histories) IS 'The same spend of as many customers';

CREATE OPERATOR <> (
	LEFTARG = spend_histories,
	RIGHTARG = spend_histories,
	FUNCTION = spend_histories_ne,
	COMMUTATOR = <>,
	NEGATOR = =,
	RESTRICT = neqsel,
	JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (spend_histories, spend_histories) IS 'Different spend, or of more or fewer customers';

CREATE OPERATOR CLASS spend_histories_hash_ops
	DEFAULT FOR TYPE spend_histories USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 spend_histories_hash(spend_histories),
	FUNCTION 2 spend_histories_hash_extended(spend_histories, bigint);
COMMENT ON OPERATOR CLASS spend_histories_hash_ops USING hash IS 'Hashing of spend_histories; it has no order, as none would mean anything';
COMMENT ON OPERATOR FAMILY spend_histories_hash_ops USING hash IS 'Hashing of spend_histories';

CREATE FUNCTION spend_histories_accum(spend_histories, frequency integer, monetary_value double precision) RETURNS spend_histories
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION spend_histories_accum(spend_histories, integer, double precision) IS 'A step of the aggregate spend_histories: counts one customer';

CREATE FUNCTION spend_histories_accum(spend_histories, frequency integer, monetary_value double precision, customers bigint) RETURNS spend_histories
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION spend_histories_accum(spend_histories, integer, double precision, bigint) IS 'A step of the aggregate spend_histories: counts customers of one history';

CREATE FUNCTION spend_histories_combine(spend_histories, spend_histories) RETURNS spend_histories
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION spend_histories_combine(spend_histories, spend_histories) IS 'A step of the aggregate rollup: adds one state to another';

CREATE AGGREGATE spend_histories(frequency integer, monetary_value double precision) (
	STYPE = spend_histories,
	SSPACE = 8192,
	SFUNC = spend_histories_accum,
	COMBINEFUNC = spend_histories_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE spend_histories(integer, double precision) IS 'Collects the spend of customers, one a row, as purchase_summary gives it, for gamma_gamma_fit. frequency (x): repeat purchases; monetary_value (m): their mean value. Rows with a NULL, and customers without repeat purchases (frequency 0) or with none that was paid for (monetary_value 0), are skipped: Gamma-Gamma is about the others';

CREATE AGGREGATE spend_histories(frequency integer, monetary_value double precision, customers bigint) (
	STYPE = spend_histories,
	SSPACE = 8192,
	SFUNC = spend_histories_accum,
	COMBINEFUNC = spend_histories_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE spend_histories(integer, double precision, bigint) IS 'Collects spend that is counted already: customers have this frequency and monetary_value each. Rows with a NULL, without repeat purchases that were paid for, and those of 0 customers, are skipped';

CREATE AGGREGATE rollup(spend_histories) (
	STYPE = spend_histories,
	SSPACE = 8192,
	SFUNC = spend_histories_combine,
	COMBINEFUNC = spend_histories_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE rollup(spend_histories) IS 'Merges the spend of customers into one state, as if one aggregate had seen all of them: keep one a country, merge when asked. Each customer must be in one of them only';

CREATE FUNCTION customer_count(histories spend_histories) RETURNS bigint
AS 'MODULE_PATHNAME', 'spend_histories_customers' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION customer_count(spend_histories) IS 'How many customers the spend is of: those with repeat purchases';

CREATE FUNCTION history_counts(histories spend_histories)
RETURNS TABLE (frequency integer, monetary_value double precision, customers bigint)
AS 'MODULE_PATHNAME', 'spend_histories_counts' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 1000;
COMMENT ON FUNCTION history_counts(spend_histories) IS 'One row for each distinct pair of mean value and frequency, in this order, with the number of customers who have it. spend_histories(frequency, monetary_value, customers) over these rows, or some of them, makes the state again';
