-- Purchase histories of many customers

CREATE TYPE purchase_histories;

CREATE FUNCTION purchase_histories_in(cstring) RETURNS purchase_histories
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION purchase_histories_in(cstring) IS 'Text input of purchase_histories';

CREATE FUNCTION purchase_histories_out(purchase_histories) RETURNS cstring
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION purchase_histories_out(purchase_histories) IS 'Text output of purchase_histories: JSON, exact, and no setting changes it';

CREATE FUNCTION purchase_histories_recv(internal) RETURNS purchase_histories
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION purchase_histories_recv(internal) IS 'Binary input of purchase_histories';

CREATE FUNCTION purchase_histories_send(purchase_histories) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION purchase_histories_send(purchase_histories) IS 'Binary output of purchase_histories';

CREATE TYPE purchase_histories (
	INPUT = purchase_histories_in,
	OUTPUT = purchase_histories_out,
	RECEIVE = purchase_histories_recv,
	SEND = purchase_histories_send,
	INTERNALLENGTH = variable,
	ALIGNMENT = double,
	STORAGE = extended
);
COMMENT ON TYPE purchase_histories IS 'How many customers have each purchase history of frequency, recency and age: the sufficient statistics of BG/NBD, MBG/NBD, Pareto/NBD and BG/BB models. Storable and mergeable: made by the aggregate purchase_histories, merged by rollup, read by the fits. Its size follows the distinct histories, not the customers';

CREATE FUNCTION purchase_histories_eq(purchase_histories, purchase_histories) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION purchase_histories_eq(purchase_histories, purchase_histories) IS 'Behind the operator = of purchase_histories';

CREATE FUNCTION purchase_histories_ne(purchase_histories, purchase_histories) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION purchase_histories_ne(purchase_histories, purchase_histories) IS 'Behind the operator <> of purchase_histories';

CREATE FUNCTION purchase_histories_hash(purchase_histories) RETURNS integer
AS 'MODULE_PATHNAME', 'state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION purchase_histories_hash(purchase_histories) IS 'Hash of a purchase_histories, for GROUP BY, DISTINCT and joins';

CREATE FUNCTION purchase_histories_hash_extended(purchase_histories, bigint) RETURNS bigint
AS 'MODULE_PATHNAME', 'state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION purchase_histories_hash_extended(purchase_histories, bigint) IS 'Seeded 64-bit hash of a purchase_histories, for hash partitions';

CREATE OPERATOR = (
	LEFTARG = purchase_histories,
	RIGHTARG = purchase_histories,
	FUNCTION = purchase_histories_eq,
	COMMUTATOR = =,
	NEGATOR = <>,
	RESTRICT = eqsel,
	JOIN = eqjoinsel,
	HASHES
);
COMMENT ON OPERATOR = (purchase_histories, purchase_histories) IS 'The same histories of as many customers';

CREATE OPERATOR <> (
	LEFTARG = purchase_histories,
	RIGHTARG = purchase_histories,
	FUNCTION = purchase_histories_ne,
	COMMUTATOR = <>,
	NEGATOR = =,
	RESTRICT = neqsel,
	JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (purchase_histories, purchase_histories) IS 'Different histories, or of more or fewer customers';

CREATE OPERATOR CLASS purchase_histories_hash_ops
	DEFAULT FOR TYPE purchase_histories USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 purchase_histories_hash(purchase_histories),
	FUNCTION 2 purchase_histories_hash_extended(purchase_histories, bigint);
COMMENT ON OPERATOR CLASS purchase_histories_hash_ops USING hash IS 'Hashing of purchase_histories; it has no order, as none would mean anything';
COMMENT ON OPERATOR FAMILY purchase_histories_hash_ops USING hash IS 'Hashing of purchase_histories';

CREATE FUNCTION purchase_histories_accum(purchase_histories, frequency integer, recency double precision, age double precision) RETURNS purchase_histories
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION purchase_histories_accum(purchase_histories, integer, double precision, double precision) IS 'A step of the aggregate purchase_histories: counts one customer';

CREATE FUNCTION purchase_histories_accum(purchase_histories, frequency integer, recency double precision, age double precision, customers bigint) RETURNS purchase_histories
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION purchase_histories_accum(purchase_histories, integer, double precision, double precision, bigint) IS 'A step of the aggregate purchase_histories: counts customers of one history';

CREATE FUNCTION purchase_histories_combine(purchase_histories, purchase_histories) RETURNS purchase_histories
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION purchase_histories_combine(purchase_histories, purchase_histories) IS 'A step of the aggregate rollup: adds one state to another';

CREATE AGGREGATE purchase_histories(frequency integer, recency double precision, age double precision) (
	STYPE = purchase_histories,
	SSPACE = 8192,
	SFUNC = purchase_histories_accum,
	COMBINEFUNC = purchase_histories_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE purchase_histories(integer, double precision, double precision) IS 'Collects the purchase histories of customers, one a row, as purchase_summary gives them, for bgnbd_fit and the other fits. frequency (x): repeat purchases; recency (t_x): time from the first purchase to the last; age (T): time from the first purchase to the end of the observation, in one unit. Rows with a NULL are skipped. A state holds some 8 million different histories: round times to days if there are more. For bgbb_fit, recency and age are numbers of opportunities';

CREATE AGGREGATE purchase_histories(frequency integer, recency double precision, age double precision, customers bigint) (
	STYPE = purchase_histories,
	SSPACE = 8192,
	SFUNC = purchase_histories_accum,
	COMBINEFUNC = purchase_histories_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE purchase_histories(integer, double precision, double precision, bigint) IS 'Collects purchase histories that are counted already: customers have this frequency, recency and age each. Rows with a NULL, and those of 0 customers, are skipped';

CREATE AGGREGATE rollup(purchase_histories) (
	STYPE = purchase_histories,
	SSPACE = 8192,
	SFUNC = purchase_histories_combine,
	COMBINEFUNC = purchase_histories_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE rollup(purchase_histories) IS 'Merges purchase histories into one, as if one aggregate had seen all of their customers: keep one a country, merge when asked. Each customer must be in one of them only, and all must be observed to the same end and in the same unit';

CREATE FUNCTION customer_count(histories purchase_histories) RETURNS bigint
AS 'MODULE_PATHNAME', 'purchase_histories_customers' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION customer_count(purchase_histories) IS 'How many customers the histories are of';

CREATE FUNCTION history_counts(histories purchase_histories)
RETURNS TABLE (frequency integer, recency double precision, age double precision, customers bigint)
AS 'MODULE_PATHNAME', 'purchase_histories_counts' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 1000;
COMMENT ON FUNCTION history_counts(purchase_histories) IS 'One row for each distinct history, ordered by age, recency and frequency, with the number of customers who have it. purchase_histories(frequency, recency, age, customers) over these rows, or some of them, makes the state again';
