\echo Use "ALTER EXTENSION engagement UPDATE TO '0.4'" to load this file. \quit

-- Functions of states are no longer those of attribution alone

CREATE OR REPLACE FUNCTION conversion_paths_eq(conversion_paths, conversion_paths) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE OR REPLACE FUNCTION conversion_paths_ne(conversion_paths, conversion_paths) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE OR REPLACE FUNCTION conversion_paths_hash(conversion_paths) RETURNS integer
AS 'MODULE_PATHNAME', 'state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE OR REPLACE FUNCTION conversion_paths_hash_extended(conversion_paths, bigint) RETURNS bigint
AS 'MODULE_PATHNAME', 'state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE OR REPLACE FUNCTION markov_eq(markov, markov) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE OR REPLACE FUNCTION markov_ne(markov, markov) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE OR REPLACE FUNCTION markov_hash(markov) RETURNS integer
AS 'MODULE_PATHNAME', 'state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE OR REPLACE FUNCTION markov_hash_extended(markov, bigint) RETURNS bigint
AS 'MODULE_PATHNAME', 'state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- Models of customers

CREATE TYPE bgnbd;

CREATE FUNCTION bgnbd_in(cstring) RETURNS bgnbd
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgnbd_in(cstring) IS 'Text input of bgnbd: JSON with the parameters';

CREATE FUNCTION bgnbd_out(bgnbd) RETURNS cstring
AS 'MODULE_PATHNAME', 'model_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgnbd_out(bgnbd) IS 'Text output of bgnbd: JSON, exact, and no setting changes it';

CREATE FUNCTION bgnbd_recv(internal) RETURNS bgnbd
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgnbd_recv(internal) IS 'Binary input of bgnbd';

CREATE FUNCTION bgnbd_send(bgnbd) RETURNS bytea
AS 'MODULE_PATHNAME', 'model_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgnbd_send(bgnbd) IS 'Binary output of bgnbd';

CREATE TYPE bgnbd (
	INPUT = bgnbd_in,
	OUTPUT = bgnbd_out,
	RECEIVE = bgnbd_recv,
	SEND = bgnbd_send,
	INTERNALLENGTH = variable,
	ALIGNMENT = double,
	STORAGE = plain
);
COMMENT ON TYPE bgnbd IS 'BG/NBD (Fader, Hardie, Lee 2005): customers without a contract who buy at a rate of their own, lambda ~ Gamma(r, alpha), and are lost after a repeat purchase with a probability of their own, p ~ Beta(a, b). As nobody can be lost before a repeat purchase, it says of every one-time buyer that he is certainly alive; reports are better made with mbgnbd or paretonbd';

CREATE FUNCTION bgnbd_eq(bgnbd, bgnbd) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgnbd_eq(bgnbd, bgnbd) IS 'Behind the operator = of bgnbd';

CREATE FUNCTION bgnbd_ne(bgnbd, bgnbd) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgnbd_ne(bgnbd, bgnbd) IS 'Behind the operator <> of bgnbd';

CREATE FUNCTION bgnbd_hash(bgnbd) RETURNS integer
AS 'MODULE_PATHNAME', 'state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgnbd_hash(bgnbd) IS 'Hash of a bgnbd, for GROUP BY, DISTINCT and joins';

CREATE FUNCTION bgnbd_hash_extended(bgnbd, bigint) RETURNS bigint
AS 'MODULE_PATHNAME', 'state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgnbd_hash_extended(bgnbd, bigint) IS 'Seeded 64-bit hash of a bgnbd, for hash partitions';

CREATE OPERATOR = (
	LEFTARG = bgnbd, RIGHTARG = bgnbd, FUNCTION = bgnbd_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR = (bgnbd, bgnbd) IS 'Same parameters, from the same fit or both given';

CREATE OPERATOR <> (
	LEFTARG = bgnbd, RIGHTARG = bgnbd, FUNCTION = bgnbd_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (bgnbd, bgnbd) IS 'Different parameters, or from another fit';

CREATE OPERATOR CLASS bgnbd_hash_ops
	DEFAULT FOR TYPE bgnbd USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 bgnbd_hash(bgnbd),
	FUNCTION 2 bgnbd_hash_extended(bgnbd, bigint);
COMMENT ON OPERATOR CLASS bgnbd_hash_ops USING hash IS 'Hashing of bgnbd; there is no order, as none would mean anything';
COMMENT ON OPERATOR FAMILY bgnbd_hash_ops USING hash IS 'Hashing of bgnbd';

CREATE FUNCTION bgnbd(r double precision, alpha double precision, a double precision, b double precision) RETURNS bgnbd
AS 'MODULE_PATHNAME', 'bgnbd_of_parameters' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgnbd(double precision, double precision, double precision, double precision) IS 'A model bgnbd of given parameters, each greater than 0: those of another program, or of last year';

CREATE FUNCTION parameters(model bgnbd, conf_level double precision DEFAULT 0.95)
RETURNS TABLE (name text, estimate double precision, std_error double precision, lower double precision, upper double precision)
AS 'MODULE_PATHNAME', 'model_parameters' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 4;
COMMENT ON FUNCTION parameters(bgnbd, double precision) IS 'One row for each parameter of the model: of a fit, with its standard error and confidence interval, which is one of the logarithm and so never reaches 0. Of a model from given parameters, the estimates alone';

CREATE FUNCTION covariance(model bgnbd) RETURNS double precision[]
AS 'MODULE_PATHNAME', 'model_covariance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION covariance(bgnbd) IS 'Covariance matrix of the parameters that a fit estimated, in their order; NULL if there is none';

CREATE FUNCTION diagnostics(model bgnbd, OUT converged boolean, OUT reason text, OUT warning text, OUT customers bigint, OUT log_likelihood double precision, OUT aic double precision, OUT bic double precision, OUT iterations integer, OUT gradient double precision, OUT condition_number double precision, OUT boundary text)
AS 'MODULE_PATHNAME', 'model_diagnostics' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION diagnostics(bgnbd) IS 'Whether to believe the fit of the model: converged, or the reason why not; a warning to whoever uses it; the log-likelihood with the criteria of Akaike and Bayes, by which models of the same customers compare (less is better); iterations, the steps of all searches; the gradient a customer, near 0 at a maximum; the condition number of the Hessian by logarithms of the parameters (beyond 1e8 parameters are hard to tell apart); boundary, the name of a parameter that ran to 0 or grew without end. NULL of a model from given parameters';

CREATE CAST (bgnbd AS jsonb) WITH INOUT;
COMMENT ON CAST (bgnbd AS jsonb) IS 'The parameters and what the fit says about them, as JSON';

CREATE TYPE mbgnbd;

CREATE FUNCTION mbgnbd_in(cstring) RETURNS mbgnbd
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mbgnbd_in(cstring) IS 'Text input of mbgnbd: JSON with the parameters';

CREATE FUNCTION mbgnbd_out(mbgnbd) RETURNS cstring
AS 'MODULE_PATHNAME', 'model_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mbgnbd_out(mbgnbd) IS 'Text output of mbgnbd: JSON, exact, and no setting changes it';

CREATE FUNCTION mbgnbd_recv(internal) RETURNS mbgnbd
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mbgnbd_recv(internal) IS 'Binary input of mbgnbd';

CREATE FUNCTION mbgnbd_send(mbgnbd) RETURNS bytea
AS 'MODULE_PATHNAME', 'model_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mbgnbd_send(mbgnbd) IS 'Binary output of mbgnbd';

CREATE TYPE mbgnbd (
	INPUT = mbgnbd_in,
	OUTPUT = mbgnbd_out,
	RECEIVE = mbgnbd_recv,
	SEND = mbgnbd_send,
	INTERNALLENGTH = variable,
	ALIGNMENT = double,
	STORAGE = plain
);
COMMENT ON TYPE mbgnbd IS 'MBG/NBD (Batislam, Denizel, Filiztekin 2007): as bgnbd, but customers can be lost after their first purchase too, so that one-time buyers are not all alive';

CREATE FUNCTION mbgnbd_eq(mbgnbd, mbgnbd) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mbgnbd_eq(mbgnbd, mbgnbd) IS 'Behind the operator = of mbgnbd';

CREATE FUNCTION mbgnbd_ne(mbgnbd, mbgnbd) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mbgnbd_ne(mbgnbd, mbgnbd) IS 'Behind the operator <> of mbgnbd';

CREATE FUNCTION mbgnbd_hash(mbgnbd) RETURNS integer
AS 'MODULE_PATHNAME', 'state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mbgnbd_hash(mbgnbd) IS 'Hash of a mbgnbd, for GROUP BY, DISTINCT and joins';

CREATE FUNCTION mbgnbd_hash_extended(mbgnbd, bigint) RETURNS bigint
AS 'MODULE_PATHNAME', 'state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mbgnbd_hash_extended(mbgnbd, bigint) IS 'Seeded 64-bit hash of a mbgnbd, for hash partitions';

CREATE OPERATOR = (
	LEFTARG = mbgnbd, RIGHTARG = mbgnbd, FUNCTION = mbgnbd_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR = (mbgnbd, mbgnbd) IS 'Same parameters, from the same fit or both given';

CREATE OPERATOR <> (
	LEFTARG = mbgnbd, RIGHTARG = mbgnbd, FUNCTION = mbgnbd_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (mbgnbd, mbgnbd) IS 'Different parameters, or from another fit';

CREATE OPERATOR CLASS mbgnbd_hash_ops
	DEFAULT FOR TYPE mbgnbd USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 mbgnbd_hash(mbgnbd),
	FUNCTION 2 mbgnbd_hash_extended(mbgnbd, bigint);
COMMENT ON OPERATOR CLASS mbgnbd_hash_ops USING hash IS 'Hashing of mbgnbd; there is no order, as none would mean anything';
COMMENT ON OPERATOR FAMILY mbgnbd_hash_ops USING hash IS 'Hashing of mbgnbd';

CREATE FUNCTION mbgnbd(r double precision, alpha double precision, a double precision, b double precision) RETURNS mbgnbd
AS 'MODULE_PATHNAME', 'mbgnbd_of_parameters' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mbgnbd(double precision, double precision, double precision, double precision) IS 'A model mbgnbd of given parameters, each greater than 0: those of another program, or of last year';

CREATE FUNCTION parameters(model mbgnbd, conf_level double precision DEFAULT 0.95)
RETURNS TABLE (name text, estimate double precision, std_error double precision, lower double precision, upper double precision)
AS 'MODULE_PATHNAME', 'model_parameters' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 4;
COMMENT ON FUNCTION parameters(mbgnbd, double precision) IS 'One row for each parameter of the model: of a fit, with its standard error and confidence interval, which is one of the logarithm and so never reaches 0. Of a model from given parameters, the estimates alone';

CREATE FUNCTION covariance(model mbgnbd) RETURNS double precision[]
AS 'MODULE_PATHNAME', 'model_covariance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION covariance(mbgnbd) IS 'Covariance matrix of the parameters that a fit estimated, in their order; NULL if there is none';

CREATE FUNCTION diagnostics(model mbgnbd, OUT converged boolean, OUT reason text, OUT warning text, OUT customers bigint, OUT log_likelihood double precision, OUT aic double precision, OUT bic double precision, OUT iterations integer, OUT gradient double precision, OUT condition_number double precision, OUT boundary text)
AS 'MODULE_PATHNAME', 'model_diagnostics' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION diagnostics(mbgnbd) IS 'Whether to believe the fit of the model: converged, or the reason why not; a warning to whoever uses it; the log-likelihood with the criteria of Akaike and Bayes, by which models of the same customers compare (less is better); iterations, the steps of all searches; the gradient a customer, near 0 at a maximum; the condition number of the Hessian by logarithms of the parameters (beyond 1e8 parameters are hard to tell apart); boundary, the name of a parameter that ran to 0 or grew without end. NULL of a model from given parameters';

CREATE CAST (mbgnbd AS jsonb) WITH INOUT;
COMMENT ON CAST (mbgnbd AS jsonb) IS 'The parameters and what the fit says about them, as JSON';

CREATE TYPE paretonbd;

CREATE FUNCTION paretonbd_in(cstring) RETURNS paretonbd
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION paretonbd_in(cstring) IS 'Text input of paretonbd: JSON with the parameters';

CREATE FUNCTION paretonbd_out(paretonbd) RETURNS cstring
AS 'MODULE_PATHNAME', 'model_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION paretonbd_out(paretonbd) IS 'Text output of paretonbd: JSON, exact, and no setting changes it';

CREATE FUNCTION paretonbd_recv(internal) RETURNS paretonbd
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION paretonbd_recv(internal) IS 'Binary input of paretonbd';

CREATE FUNCTION paretonbd_send(paretonbd) RETURNS bytea
AS 'MODULE_PATHNAME', 'model_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION paretonbd_send(paretonbd) IS 'Binary output of paretonbd';

CREATE TYPE paretonbd (
	INPUT = paretonbd_in,
	OUTPUT = paretonbd_out,
	RECEIVE = paretonbd_recv,
	SEND = paretonbd_send,
	INTERNALLENGTH = variable,
	ALIGNMENT = double,
	STORAGE = plain
);
COMMENT ON TYPE paretonbd IS 'Pareto/NBD (Schmittlein, Morrison, Colombo 1987): customers without a contract who buy at a rate of their own, lambda ~ Gamma(r, alpha), and are lost at any moment at a rate of their own, mu ~ Gamma(s, beta)';

CREATE FUNCTION paretonbd_eq(paretonbd, paretonbd) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION paretonbd_eq(paretonbd, paretonbd) IS 'Behind the operator = of paretonbd';

CREATE FUNCTION paretonbd_ne(paretonbd, paretonbd) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION paretonbd_ne(paretonbd, paretonbd) IS 'Behind the operator <> of paretonbd';

CREATE FUNCTION paretonbd_hash(paretonbd) RETURNS integer
AS 'MODULE_PATHNAME', 'state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION paretonbd_hash(paretonbd) IS 'Hash of a paretonbd, for GROUP BY, DISTINCT and joins';

CREATE FUNCTION paretonbd_hash_extended(paretonbd, bigint) RETURNS bigint
AS 'MODULE_PATHNAME', 'state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION paretonbd_hash_extended(paretonbd, bigint) IS 'Seeded 64-bit hash of a paretonbd, for hash partitions';

CREATE OPERATOR = (
	LEFTARG = paretonbd, RIGHTARG = paretonbd, FUNCTION = paretonbd_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR = (paretonbd, paretonbd) IS 'Same parameters, from the same fit or both given';

CREATE OPERATOR <> (
	LEFTARG = paretonbd, RIGHTARG = paretonbd, FUNCTION = paretonbd_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (paretonbd, paretonbd) IS 'Different parameters, or from another fit';

CREATE OPERATOR CLASS paretonbd_hash_ops
	DEFAULT FOR TYPE paretonbd USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 paretonbd_hash(paretonbd),
	FUNCTION 2 paretonbd_hash_extended(paretonbd, bigint);
COMMENT ON OPERATOR CLASS paretonbd_hash_ops USING hash IS 'Hashing of paretonbd; there is no order, as none would mean anything';
COMMENT ON OPERATOR FAMILY paretonbd_hash_ops USING hash IS 'Hashing of paretonbd';

CREATE FUNCTION paretonbd(r double precision, alpha double precision, s double precision, beta double precision) RETURNS paretonbd
AS 'MODULE_PATHNAME', 'paretonbd_of_parameters' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION paretonbd(double precision, double precision, double precision, double precision) IS 'A model paretonbd of given parameters, each greater than 0: those of another program, or of last year';

CREATE FUNCTION parameters(model paretonbd, conf_level double precision DEFAULT 0.95)
RETURNS TABLE (name text, estimate double precision, std_error double precision, lower double precision, upper double precision)
AS 'MODULE_PATHNAME', 'model_parameters' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 4;
COMMENT ON FUNCTION parameters(paretonbd, double precision) IS 'One row for each parameter of the model: of a fit, with its standard error and confidence interval, which is one of the logarithm and so never reaches 0. Of a model from given parameters, the estimates alone';

CREATE FUNCTION covariance(model paretonbd) RETURNS double precision[]
AS 'MODULE_PATHNAME', 'model_covariance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION covariance(paretonbd) IS 'Covariance matrix of the parameters that a fit estimated, in their order; NULL if there is none';

CREATE FUNCTION diagnostics(model paretonbd, OUT converged boolean, OUT reason text, OUT warning text, OUT customers bigint, OUT log_likelihood double precision, OUT aic double precision, OUT bic double precision, OUT iterations integer, OUT gradient double precision, OUT condition_number double precision, OUT boundary text)
AS 'MODULE_PATHNAME', 'model_diagnostics' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION diagnostics(paretonbd) IS 'Whether to believe the fit of the model: converged, or the reason why not; a warning to whoever uses it; the log-likelihood with the criteria of Akaike and Bayes, by which models of the same customers compare (less is better); iterations, the steps of all searches; the gradient a customer, near 0 at a maximum; the condition number of the Hessian by logarithms of the parameters (beyond 1e8 parameters are hard to tell apart); boundary, the name of a parameter that ran to 0 or grew without end. NULL of a model from given parameters';

CREATE CAST (paretonbd AS jsonb) WITH INOUT;
COMMENT ON CAST (paretonbd AS jsonb) IS 'The parameters and what the fit says about them, as JSON';

CREATE TYPE gamma_gamma;

CREATE FUNCTION gamma_gamma_in(cstring) RETURNS gamma_gamma
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gamma_gamma_in(cstring) IS 'Text input of gamma_gamma: JSON with the parameters';

CREATE FUNCTION gamma_gamma_out(gamma_gamma) RETURNS cstring
AS 'MODULE_PATHNAME', 'model_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gamma_gamma_out(gamma_gamma) IS 'Text output of gamma_gamma: JSON, exact, and no setting changes it';

CREATE FUNCTION gamma_gamma_recv(internal) RETURNS gamma_gamma
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gamma_gamma_recv(internal) IS 'Binary input of gamma_gamma';

CREATE FUNCTION gamma_gamma_send(gamma_gamma) RETURNS bytea
AS 'MODULE_PATHNAME', 'model_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gamma_gamma_send(gamma_gamma) IS 'Binary output of gamma_gamma';

CREATE TYPE gamma_gamma (
	INPUT = gamma_gamma_in,
	OUTPUT = gamma_gamma_out,
	RECEIVE = gamma_gamma_recv,
	SEND = gamma_gamma_send,
	INTERNALLENGTH = variable,
	ALIGNMENT = double,
	STORAGE = plain
);
COMMENT ON TYPE gamma_gamma IS 'Gamma-Gamma (Fader, Hardie 2013): what a purchase of a customer is worth. Values of one customer''s purchases are Gamma(p, nu), and nu ~ Gamma(q, v) differs from customer to customer; the value must not depend on how often he buys';

CREATE FUNCTION gamma_gamma_eq(gamma_gamma, gamma_gamma) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gamma_gamma_eq(gamma_gamma, gamma_gamma) IS 'Behind the operator = of gamma_gamma';

CREATE FUNCTION gamma_gamma_ne(gamma_gamma, gamma_gamma) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gamma_gamma_ne(gamma_gamma, gamma_gamma) IS 'Behind the operator <> of gamma_gamma';

CREATE FUNCTION gamma_gamma_hash(gamma_gamma) RETURNS integer
AS 'MODULE_PATHNAME', 'state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gamma_gamma_hash(gamma_gamma) IS 'Hash of a gamma_gamma, for GROUP BY, DISTINCT and joins';

CREATE FUNCTION gamma_gamma_hash_extended(gamma_gamma, bigint) RETURNS bigint
AS 'MODULE_PATHNAME', 'state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gamma_gamma_hash_extended(gamma_gamma, bigint) IS 'Seeded 64-bit hash of a gamma_gamma, for hash partitions';

CREATE OPERATOR = (
	LEFTARG = gamma_gamma, RIGHTARG = gamma_gamma, FUNCTION = gamma_gamma_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR = (gamma_gamma, gamma_gamma) IS 'Same parameters, from the same fit or both given';

CREATE OPERATOR <> (
	LEFTARG = gamma_gamma, RIGHTARG = gamma_gamma, FUNCTION = gamma_gamma_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (gamma_gamma, gamma_gamma) IS 'Different parameters, or from another fit';

CREATE OPERATOR CLASS gamma_gamma_hash_ops
	DEFAULT FOR TYPE gamma_gamma USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 gamma_gamma_hash(gamma_gamma),
	FUNCTION 2 gamma_gamma_hash_extended(gamma_gamma, bigint);
COMMENT ON OPERATOR CLASS gamma_gamma_hash_ops USING hash IS 'Hashing of gamma_gamma; there is no order, as none would mean anything';
COMMENT ON OPERATOR FAMILY gamma_gamma_hash_ops USING hash IS 'Hashing of gamma_gamma';

CREATE FUNCTION gamma_gamma(p double precision, q double precision, v double precision) RETURNS gamma_gamma
AS 'MODULE_PATHNAME', 'gamma_gamma_of_parameters' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gamma_gamma(double precision, double precision, double precision) IS 'A model gamma_gamma of given parameters, each greater than 0: those of another program, or of last year';

CREATE FUNCTION parameters(model gamma_gamma, conf_level double precision DEFAULT 0.95)
RETURNS TABLE (name text, estimate double precision, std_error double precision, lower double precision, upper double precision)
AS 'MODULE_PATHNAME', 'model_parameters' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 3;
COMMENT ON FUNCTION parameters(gamma_gamma, double precision) IS 'One row for each parameter of the model: of a fit, with its standard error and confidence interval, which is one of the logarithm and so never reaches 0. Of a model from given parameters, the estimates alone';

CREATE FUNCTION covariance(model gamma_gamma) RETURNS double precision[]
AS 'MODULE_PATHNAME', 'model_covariance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION covariance(gamma_gamma) IS 'Covariance matrix of the parameters that a fit estimated, in their order; NULL if there is none';

CREATE FUNCTION diagnostics(model gamma_gamma, OUT converged boolean, OUT reason text, OUT warning text, OUT customers bigint, OUT log_likelihood double precision, OUT aic double precision, OUT bic double precision, OUT iterations integer, OUT gradient double precision, OUT condition_number double precision, OUT boundary text)
AS 'MODULE_PATHNAME', 'model_diagnostics' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION diagnostics(gamma_gamma) IS 'Whether to believe the fit of the model: converged, or the reason why not; a warning to whoever uses it; the log-likelihood with the criteria of Akaike and Bayes, by which models of the same customers compare (less is better); iterations, the steps of all searches; the gradient a customer, near 0 at a maximum; the condition number of the Hessian by logarithms of the parameters (beyond 1e8 parameters are hard to tell apart); boundary, the name of a parameter that ran to 0 or grew without end. NULL of a model from given parameters';

CREATE CAST (gamma_gamma AS jsonb) WITH INOUT;
COMMENT ON CAST (gamma_gamma AS jsonb) IS 'The parameters and what the fit says about them, as JSON';

CREATE TYPE bgbb;

CREATE FUNCTION bgbb_in(cstring) RETURNS bgbb
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgbb_in(cstring) IS 'Text input of bgbb: JSON with the parameters';

CREATE FUNCTION bgbb_out(bgbb) RETURNS cstring
AS 'MODULE_PATHNAME', 'model_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgbb_out(bgbb) IS 'Text output of bgbb: JSON, exact, and no setting changes it';

CREATE FUNCTION bgbb_recv(internal) RETURNS bgbb
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgbb_recv(internal) IS 'Binary input of bgbb';

CREATE FUNCTION bgbb_send(bgbb) RETURNS bytea
AS 'MODULE_PATHNAME', 'model_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgbb_send(bgbb) IS 'Binary output of bgbb';

CREATE TYPE bgbb (
	INPUT = bgbb_in,
	OUTPUT = bgbb_out,
	RECEIVE = bgbb_recv,
	SEND = bgbb_send,
	INTERNALLENGTH = variable,
	ALIGNMENT = double,
	STORAGE = plain
);
COMMENT ON TYPE bgbb IS 'BG/BB (Fader, Hardie, Shang 2010): customers who can buy at certain opportunities only (once a year, at each event). They buy with a probability of their own, Beta(alpha, beta), and are lost before an opportunity with another, Beta(gamma, delta)';

CREATE FUNCTION bgbb_eq(bgbb, bgbb) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgbb_eq(bgbb, bgbb) IS 'Behind the operator = of bgbb';

CREATE FUNCTION bgbb_ne(bgbb, bgbb) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgbb_ne(bgbb, bgbb) IS 'Behind the operator <> of bgbb';

CREATE FUNCTION bgbb_hash(bgbb) RETURNS integer
AS 'MODULE_PATHNAME', 'state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgbb_hash(bgbb) IS 'Hash of a bgbb, for GROUP BY, DISTINCT and joins';

CREATE FUNCTION bgbb_hash_extended(bgbb, bigint) RETURNS bigint
AS 'MODULE_PATHNAME', 'state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgbb_hash_extended(bgbb, bigint) IS 'Seeded 64-bit hash of a bgbb, for hash partitions';

CREATE OPERATOR = (
	LEFTARG = bgbb, RIGHTARG = bgbb, FUNCTION = bgbb_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR = (bgbb, bgbb) IS 'Same parameters, from the same fit or both given';

CREATE OPERATOR <> (
	LEFTARG = bgbb, RIGHTARG = bgbb, FUNCTION = bgbb_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (bgbb, bgbb) IS 'Different parameters, or from another fit';

CREATE OPERATOR CLASS bgbb_hash_ops
	DEFAULT FOR TYPE bgbb USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 bgbb_hash(bgbb),
	FUNCTION 2 bgbb_hash_extended(bgbb, bigint);
COMMENT ON OPERATOR CLASS bgbb_hash_ops USING hash IS 'Hashing of bgbb; there is no order, as none would mean anything';
COMMENT ON OPERATOR FAMILY bgbb_hash_ops USING hash IS 'Hashing of bgbb';

CREATE FUNCTION bgbb(alpha double precision, beta double precision, gamma double precision, delta double precision) RETURNS bgbb
AS 'MODULE_PATHNAME', 'bgbb_of_parameters' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bgbb(double precision, double precision, double precision, double precision) IS 'A model bgbb of given parameters, each greater than 0: those of another program, or of last year';

CREATE FUNCTION parameters(model bgbb, conf_level double precision DEFAULT 0.95)
RETURNS TABLE (name text, estimate double precision, std_error double precision, lower double precision, upper double precision)
AS 'MODULE_PATHNAME', 'model_parameters' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 4;
COMMENT ON FUNCTION parameters(bgbb, double precision) IS 'One row for each parameter of the model: of a fit, with its standard error and confidence interval, which is one of the logarithm and so never reaches 0. Of a model from given parameters, the estimates alone';

CREATE FUNCTION covariance(model bgbb) RETURNS double precision[]
AS 'MODULE_PATHNAME', 'model_covariance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION covariance(bgbb) IS 'Covariance matrix of the parameters that a fit estimated, in their order; NULL if there is none';

CREATE FUNCTION diagnostics(model bgbb, OUT converged boolean, OUT reason text, OUT warning text, OUT customers bigint, OUT log_likelihood double precision, OUT aic double precision, OUT bic double precision, OUT iterations integer, OUT gradient double precision, OUT condition_number double precision, OUT boundary text)
AS 'MODULE_PATHNAME', 'model_diagnostics' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION diagnostics(bgbb) IS 'Whether to believe the fit of the model: converged, or the reason why not; a warning to whoever uses it; the log-likelihood with the criteria of Akaike and Bayes, by which models of the same customers compare (less is better); iterations, the steps of all searches; the gradient a customer, near 0 at a maximum; the condition number of the Hessian by logarithms of the parameters (beyond 1e8 parameters are hard to tell apart); boundary, the name of a parameter that ran to 0 or grew without end. NULL of a model from given parameters';

CREATE CAST (bgbb AS jsonb) WITH INOUT;
COMMENT ON CAST (bgbb AS jsonb) IS 'The parameters and what the fit says about them, as JSON';

CREATE TYPE sbg;

CREATE FUNCTION sbg_in(cstring) RETURNS sbg
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sbg_in(cstring) IS 'Text input of sbg: JSON with the parameters';

CREATE FUNCTION sbg_out(sbg) RETURNS cstring
AS 'MODULE_PATHNAME', 'model_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sbg_out(sbg) IS 'Text output of sbg: JSON, exact, and no setting changes it';

CREATE FUNCTION sbg_recv(internal) RETURNS sbg
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sbg_recv(internal) IS 'Binary input of sbg';

CREATE FUNCTION sbg_send(sbg) RETURNS bytea
AS 'MODULE_PATHNAME', 'model_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sbg_send(sbg) IS 'Binary output of sbg';

CREATE TYPE sbg (
	INPUT = sbg_in,
	OUTPUT = sbg_out,
	RECEIVE = sbg_recv,
	SEND = sbg_send,
	INTERNALLENGTH = variable,
	ALIGNMENT = double,
	STORAGE = plain
);
COMMENT ON TYPE sbg IS 'sBG, shifted beta-geometric (Fader, Hardie 2007): customers with a contract, who leave at each renewal with a probability of their own, Beta(alpha, beta)';

CREATE FUNCTION sbg_eq(sbg, sbg) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sbg_eq(sbg, sbg) IS 'Behind the operator = of sbg';

CREATE FUNCTION sbg_ne(sbg, sbg) RETURNS boolean
AS 'MODULE_PATHNAME', 'state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sbg_ne(sbg, sbg) IS 'Behind the operator <> of sbg';

CREATE FUNCTION sbg_hash(sbg) RETURNS integer
AS 'MODULE_PATHNAME', 'state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sbg_hash(sbg) IS 'Hash of a sbg, for GROUP BY, DISTINCT and joins';

CREATE FUNCTION sbg_hash_extended(sbg, bigint) RETURNS bigint
AS 'MODULE_PATHNAME', 'state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sbg_hash_extended(sbg, bigint) IS 'Seeded 64-bit hash of a sbg, for hash partitions';

CREATE OPERATOR = (
	LEFTARG = sbg, RIGHTARG = sbg, FUNCTION = sbg_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR = (sbg, sbg) IS 'Same parameters, from the same fit or both given';

CREATE OPERATOR <> (
	LEFTARG = sbg, RIGHTARG = sbg, FUNCTION = sbg_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (sbg, sbg) IS 'Different parameters, or from another fit';

CREATE OPERATOR CLASS sbg_hash_ops
	DEFAULT FOR TYPE sbg USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 sbg_hash(sbg),
	FUNCTION 2 sbg_hash_extended(sbg, bigint);
COMMENT ON OPERATOR CLASS sbg_hash_ops USING hash IS 'Hashing of sbg; there is no order, as none would mean anything';
COMMENT ON OPERATOR FAMILY sbg_hash_ops USING hash IS 'Hashing of sbg';

CREATE FUNCTION sbg(alpha double precision, beta double precision) RETURNS sbg
AS 'MODULE_PATHNAME', 'sbg_of_parameters' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sbg(double precision, double precision) IS 'A model sbg of given parameters, each greater than 0: those of another program, or of last year';

CREATE FUNCTION parameters(model sbg, conf_level double precision DEFAULT 0.95)
RETURNS TABLE (name text, estimate double precision, std_error double precision, lower double precision, upper double precision)
AS 'MODULE_PATHNAME', 'model_parameters' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 2;
COMMENT ON FUNCTION parameters(sbg, double precision) IS 'One row for each parameter of the model: of a fit, with its standard error and confidence interval, which is one of the logarithm and so never reaches 0. Of a model from given parameters, the estimates alone';

CREATE FUNCTION covariance(model sbg) RETURNS double precision[]
AS 'MODULE_PATHNAME', 'model_covariance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION covariance(sbg) IS 'Covariance matrix of the parameters that a fit estimated, in their order; NULL if there is none';

CREATE FUNCTION diagnostics(model sbg, OUT converged boolean, OUT reason text, OUT warning text, OUT customers bigint, OUT log_likelihood double precision, OUT aic double precision, OUT bic double precision, OUT iterations integer, OUT gradient double precision, OUT condition_number double precision, OUT boundary text)
AS 'MODULE_PATHNAME', 'model_diagnostics' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION diagnostics(sbg) IS 'Whether to believe the fit of the model: converged, or the reason why not; a warning to whoever uses it; the log-likelihood with the criteria of Akaike and Bayes, by which models of the same customers compare (less is better); iterations, the steps of all searches; the gradient a customer, near 0 at a maximum; the condition number of the Hessian by logarithms of the parameters (beyond 1e8 parameters are hard to tell apart); boundary, the name of a parameter that ran to 0 or grew without end. NULL of a model from given parameters';

CREATE CAST (sbg AS jsonb) WITH INOUT;
COMMENT ON CAST (sbg AS jsonb) IS 'The parameters and what the fit says about them, as JSON';

-- Summary of purchases per customer

CREATE FUNCTION purchase_summary(
	timeline timeline,
	purchase text,
	as_of timestamptz,
	unit interval DEFAULT '1 day',
	time_zone text DEFAULT 'UTC',
	OUT frequency integer,
	OUT recency double precision,
	OUT age double precision,
	OUT monetary_value double precision
)
AS 'MODULE_PATHNAME', 'purchase_summary' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION purchase_summary(timeline, text, timestamptz, interval, text) IS 'What models of customers need of one (RFM summary, x, t_x, T and m of Fader and Hardie) from the events that match the pattern purchase, up to as_of. All purchases on one date in time_zone are one purchase. frequency: purchases after the first (repeat purchases); recency: time from the first to the last; age: time from the first to the date of as_of (T), both in unit, which only scales days: 7 days gives weeks, with fractions; monetary_value: mean value of the repeat purchases that have one, the first left out; 0 without a repeat purchase, or if all were free, NULL if the value of none is known. NULL without a purchase. An event without a value, or with 0 (a free order), is a purchase all the same. A negative value is a refund: it reduces its own day, and a day with refunds that sums to nothing or less is no purchase; a return on a later day leaves the purchase as it was, so give a return the time of its order. Use it in FROM: SELECT visitor, s.* FROM timelines, purchase_summary(timeline, ''purchase'', ''2026-07-01'') AS s';

CREATE FUNCTION holdout_purchases(
	timeline timeline,
	purchase text,
	from_at timestamptz,
	to_at timestamptz,
	time_zone text DEFAULT 'UTC'
) RETURNS integer
AS 'MODULE_PATHNAME', 'holdout_purchases' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION holdout_purchases(timeline, text, timestamptz, timestamptz, text) IS 'Number of purchases after the date of from_at, up to to_at, by the rules of purchase_summary (holdout or validation period, x* of Fader and Hardie): what a model fitted at as_of => from_at should have expected. The date of from_at belongs to the calibration period as a whole. Customers whose first purchase comes after from_at have some too, but no model knows them: leave out those for whom purchase_summary is NULL';

CREATE FUNCTION purchases_transition(internal, timestamptz, double precision) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION purchases_transition(internal, timestamptz, double precision) IS 'Transition function of the aggregate purchases';

CREATE AGGREGATE purchases(at timestamptz, value double precision) (
	SFUNC = purchases_transition,
	STYPE = internal,
	SSPACE = 256,
	COMBINEFUNC = timeline_combine,
	SERIALFUNC = timeline_serialize,
	DESERIALFUNC = timeline_deserialize,
	FINALFUNC = timeline_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE purchases(timestamptz, double precision) IS 'The timeline of a customer''s purchases from plain order rows, in any order and with any number of rows an order: events ''purchase'' with a value (revenue, or margin to look at profits); negative values are refunds, rows without a time are skipped. Read it with purchase_summary: SELECT customer, s.* FROM (SELECT customer, purchases(ordered_at, amount) AS p FROM orders GROUP BY customer) AS o, purchase_summary(p, ''purchase'', ''2026-07-01'') AS s';


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

-- Probability of a number of purchases

CREATE FUNCTION purchase_probability(model bgnbd, purchases integer, horizon double precision, frequency integer DEFAULT 0, recency double precision DEFAULT 0, age double precision DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'purchase_probability' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION purchase_probability(bgnbd, integer, double precision, integer, double precision, double precision) IS 'Probability that the customer makes exactly so many purchases in the time from now to now + horizon, by BG/NBD; over all numbers they sum to 1: frequency is the number of repeat purchases, recency the time from the first purchase to the last, age the time from the first purchase to now, in the time unit of the model. Without a history: of a new customer, after his first purchase';

CREATE FUNCTION purchase_probability(model mbgnbd, purchases integer, horizon double precision, frequency integer DEFAULT 0, recency double precision DEFAULT 0, age double precision DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'purchase_probability' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION purchase_probability(mbgnbd, integer, double precision, integer, double precision, double precision) IS 'Probability that the customer makes exactly so many purchases in the time from now to now + horizon, by MBG/NBD; over all numbers they sum to 1: frequency is the number of repeat purchases, recency the time from the first purchase to the last, age the time from the first purchase to now, in the time unit of the model. Without a history: of a new customer, after his first purchase';

CREATE FUNCTION purchase_probability(model paretonbd, purchases integer, horizon double precision, frequency integer DEFAULT 0, recency double precision DEFAULT 0, age double precision DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'purchase_probability' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION purchase_probability(paretonbd, integer, double precision, integer, double precision, double precision) IS 'Probability that the customer makes exactly so many purchases in the time from now to now + horizon, by Pareto/NBD; over all numbers they sum to 1: frequency is the number of repeat purchases, recency the time from the first purchase to the last, age the time from the first purchase to now, in the time unit of the model. Without a history: of a new customer, after his first purchase';

CREATE FUNCTION purchase_probability(model bgbb, purchases integer, horizon double precision, frequency integer DEFAULT 0, recency double precision DEFAULT 0, age double precision DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'purchase_probability' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION purchase_probability(bgbb, integer, double precision, integer, double precision, double precision) IS 'Probability that the customer makes exactly so many purchases in the next opportunities, whose number is horizon, by BG/BB; over all numbers they sum to 1: frequency is the number of opportunities used, recency the number of the last one used, age the number of all that there were. Without a history: of a new customer, before his first opportunity';

-- Discounted purchases

CREATE FUNCTION discounted_purchases(model bgnbd, rate double precision, frequency integer DEFAULT 0, recency double precision DEFAULT 0, age double precision DEFAULT 0, horizon double precision DEFAULT NULL) RETURNS double precision
AS 'MODULE_PATHNAME', 'discounted_purchases' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION discounted_purchases(bgnbd, double precision, integer, double precision, double precision, double precision) IS 'Expected purchases to come, each times exp(-rate * the time until then) (DERT, discounted expected residual transactions), by BG/NBD; rate is continuous per time unit of the model, ln(1 + d) of an effective rate d: with weeks, ln(1.1) / 52.18 is 10% a year: frequency is the number of repeat purchases, recency the time from the first purchase to the last, age the time from the first purchase to now, in the time unit of the model. Without a history: of a new customer, after his first purchase, which does not count. Up to now + horizon; NULL: all time to come, and then the rate must be greater than 0';

CREATE FUNCTION discounted_purchases(model mbgnbd, rate double precision, frequency integer DEFAULT 0, recency double precision DEFAULT 0, age double precision DEFAULT 0, horizon double precision DEFAULT NULL) RETURNS double precision
AS 'MODULE_PATHNAME', 'discounted_purchases' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION discounted_purchases(mbgnbd, double precision, integer, double precision, double precision, double precision) IS 'Expected purchases to come, each times exp(-rate * the time until then) (DERT, discounted expected residual transactions), by MBG/NBD; rate is continuous per time unit of the model, ln(1 + d) of an effective rate d: with weeks, ln(1.1) / 52.18 is 10% a year: frequency is the number of repeat purchases, recency the time from the first purchase to the last, age the time from the first purchase to now, in the time unit of the model. Without a history: of a new customer, after his first purchase, which does not count. Up to now + horizon; NULL: all time to come, and then the rate must be greater than 0';

CREATE FUNCTION discounted_purchases(model paretonbd, rate double precision, frequency integer DEFAULT 0, recency double precision DEFAULT 0, age double precision DEFAULT 0, horizon double precision DEFAULT NULL) RETURNS double precision
AS 'MODULE_PATHNAME', 'discounted_purchases' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION discounted_purchases(paretonbd, double precision, integer, double precision, double precision, double precision) IS 'Expected purchases to come, each times exp(-rate * the time until then) (DERT, discounted expected residual transactions), by Pareto/NBD; rate is continuous per time unit of the model, ln(1 + d) of an effective rate d: with weeks, ln(1.1) / 52.18 is 10% a year: frequency is the number of repeat purchases, recency the time from the first purchase to the last, age the time from the first purchase to now, in the time unit of the model. Without a history: of a new customer, after his first purchase, which does not count. Up to now + horizon; NULL: all time to come, and then the rate must be greater than 0';

CREATE FUNCTION discounted_purchases(model bgbb, rate double precision, frequency integer DEFAULT 0, recency double precision DEFAULT 0, age double precision DEFAULT 0, horizon double precision DEFAULT NULL) RETURNS double precision
AS 'MODULE_PATHNAME', 'discounted_purchases' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION discounted_purchases(bgbb, double precision, integer, double precision, double precision, double precision) IS 'Expected purchases to come, each divided by (1 + rate) for every opportunity until then (DERT, discounted expected residual transactions), by BG/BB; rate is effective per opportunity, 0.1 for 10%: frequency is the number of opportunities used, recency the number of the last one used, age the number of all that there were. Without a history: of a new customer, before his first opportunity. Up to now + horizon; NULL: all time to come, and then the rate must be greater than 0';

-- Value of a purchase

CREATE FUNCTION expected_value(model gamma_gamma, frequency integer DEFAULT 0, monetary_value double precision DEFAULT NULL)
RETURNS double precision
AS 'MODULE_PATHNAME', 'expected_value' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION expected_value(gamma_gamma, integer, double precision) IS 'Expected monetary value (average order value) of a customer''s next purchase by the Gamma-Gamma model: between the mean of his repeat purchases (monetary_value) and the mean of all customers, nearer to his own the more he bought. frequency is his number of repeat purchases; with 0 it is the mean of all customers, whatever monetary_value is. Infinity where the model''s expectation is infinite: p * frequency + q <= 1, so for new customers if q <= 1. NULL if frequency is, or if monetary_value is and frequency > 0';

-- Customer lifetime value

CREATE FUNCTION clv(model bgnbd, value_model gamma_gamma, frequency integer, recency double precision, age double precision, monetary_value double precision, horizon double precision DEFAULT NULL, rate double precision DEFAULT 0, margin double precision DEFAULT 1, acquisition_cost double precision DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'clv' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv(bgnbd, gamma_gamma, integer, double precision, double precision, double precision, double precision, double precision, double precision, double precision) IS 'Customer lifetime value that is still to come (residual CLV, LTV): margin * expected_value * discounted_purchases - acquisition_cost. The customer''s history is that of purchase_summary; horizon is in the unit of recency and age, and rate continuous per unit, ln(1.1) / 52.18 for 10 % a year in weeks. Without a horizon it is for ever, and needs a rate above 0. margin is the share of the value that is earned, 0.4 for 40 %: 1 if the value is margin already. What the customer has bought so far is not in it: for a customer to be acquired give 0, 0, 0 and NULL, and add the margin of first purchases, which is in the data (the value model is about repeat purchases). With bgnbd every one-time buyer counts as alive, which makes them worth too much: prefer mbgnbd or paretonbd. NULL without a history, or if a model has no parameters';

CREATE FUNCTION clv(model mbgnbd, value_model gamma_gamma, frequency integer, recency double precision, age double precision, monetary_value double precision, horizon double precision DEFAULT NULL, rate double precision DEFAULT 0, margin double precision DEFAULT 1, acquisition_cost double precision DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'clv' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv(mbgnbd, gamma_gamma, integer, double precision, double precision, double precision, double precision, double precision, double precision, double precision) IS 'Customer lifetime value that is still to come (residual CLV, LTV): margin * expected_value * discounted_purchases - acquisition_cost. The customer''s history is that of purchase_summary; horizon is in the unit of recency and age, and rate continuous per unit, ln(1.1) / 52.18 for 10 % a year in weeks. Without a horizon it is for ever, and needs a rate above 0. margin is the share of the value that is earned, 0.4 for 40 %: 1 if the value is margin already. What the customer has bought so far is not in it: for a customer to be acquired give 0, 0, 0 and NULL, and add the margin of first purchases, which is in the data (the value model is about repeat purchases). NULL without a history, or if a model has no parameters';

CREATE FUNCTION clv(model paretonbd, value_model gamma_gamma, frequency integer, recency double precision, age double precision, monetary_value double precision, horizon double precision DEFAULT NULL, rate double precision DEFAULT 0, margin double precision DEFAULT 1, acquisition_cost double precision DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'clv' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv(paretonbd, gamma_gamma, integer, double precision, double precision, double precision, double precision, double precision, double precision, double precision) IS 'Customer lifetime value that is still to come (residual CLV, LTV): margin * expected_value * discounted_purchases - acquisition_cost. The customer''s history is that of purchase_summary; horizon is in the unit of recency and age, and rate continuous per unit, ln(1.1) / 52.18 for 10 % a year in weeks. Without a horizon it is for ever, and needs a rate above 0. margin is the share of the value that is earned, 0.4 for 40 %: 1 if the value is margin already. What the customer has bought so far is not in it: for a customer to be acquired give 0, 0, 0 and NULL, and add the margin of first purchases, which is in the data (the value model is about repeat purchases). NULL without a history, or if a model has no parameters';

CREATE FUNCTION clv(model bgbb, value_model gamma_gamma, frequency integer, recency double precision, age double precision, monetary_value double precision, horizon double precision DEFAULT NULL, rate double precision DEFAULT 0, margin double precision DEFAULT 1, acquisition_cost double precision DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'clv' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv(bgbb, gamma_gamma, integer, double precision, double precision, double precision, double precision, double precision, double precision, double precision) IS 'Customer lifetime value that is still to come (residual CLV, LTV): margin * expected_value * discounted_purchases - acquisition_cost. The customer''s history is that of purchase_summary; horizon counts opportunities, and rate is effective for each, 0.1 for 10 %. Without a horizon it is for ever, and needs a rate above 0. margin is the share of the value that is earned, 0.4 for 40 %: 1 if the value is margin already. What the customer has bought so far is not in it: for a customer to be acquired give 0, 0, 0 and NULL, and add the margin of first purchases, which is in the data (the value model is about repeat purchases). NULL without a history, or if a model has no parameters';

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

-- RFM scores and segments

CREATE FUNCTION rfm_score(parts integer DEFAULT 5) RETURNS integer
AS 'MODULE_PATHNAME', 'rfm_score' LANGUAGE C IMMUTABLE WINDOW PARALLEL SAFE;
COMMENT ON FUNCTION rfm_score(integer) IS 'Score of a row from 1 to parts by its place in the window''s order, which goes from the worst to the best: rfm_score() OVER (ORDER BY frequency). Without ties it is ntile(parts): quintiles for 5, deciles for 10. Equal rows all have the score of the first of them, where ntile tells them apart at random: if 60% of customers bought once, they all have 1, and who bought twice has 4. The R of RFM is how long ago the last purchase was: from purchase_summary, rfm_score() OVER (ORDER BY age - recency DESC). Rows where the order''s value is NULL stand where ORDER BY puts them, last unless told otherwise and so with the best: leave them out or write NULLS FIRST. parts is that of the first row of a partition';

CREATE FUNCTION rfm_segment(recency_score integer, frequency_score integer, monetary_score integer DEFAULT NULL) RETURNS text
AS 'MODULE_PATHNAME', 'rfm_segment' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION rfm_segment(integer, integer, integer) IS 'The usual name for customers with these scores from 1 to 5 (rfm_score), by recency R and frequency F; with monetary_score M, F is the mean of F and M, rounded up. champions: R 5, F 4-5; loyal: R 3-4, F 4-5; potential loyalists: R 4-5, F 2-3; new customers: R 5, F 1; promising: R 4, F 1; need attention: R 3, F 3; about to sleep: R 3, F 1-2; at risk: R 1-2, F 3-4; cannot lose: R 1-2, F 5; hibernating: R 1-2, F 1-2 but for lost: R 1, F 1';


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


-- Unit economics

CREATE FUNCTION simple_clv(margin double precision, retention_rate double precision, discount_rate double precision, first_margin integer DEFAULT 1) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_simple_clv' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION simple_clv(double precision, double precision, double precision, integer) IS 'Customer lifetime value by the simple formula, for ever, with the same margin each period from those who are still customers: retention_rate is the share who stay from one period to the next, discount_rate the rate of one period. first_margin says when the first margin comes. 1: after one period, from those who stayed, margin * r / (1 + d - r), the value of a customer whose first margin has been earned already. 0: at once, margin * (1 + d) / (1 + d - r), which is that margin more; compare this one with the cost of acquisition. A retention_rate of 1 + discount_rate or more is an error, as the value would be infinite';

CREATE FUNCTION customer_acquisition_cost(spend double precision, customers double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_customer_acquisition_cost' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION customer_acquisition_cost(double precision, double precision) IS 'What one new customer cost (CAC): spend on acquiring / new customers, which may be shares of customers that attribution credits to a channel; NULL if there are none';

CREATE FUNCTION clv_to_cac(clv double precision, cac double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_clv_to_cac' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_to_cac(double precision, double precision) IS 'How many times a customer''s lifetime value pays the cost of acquiring him (CLV:CAC, LTV:CAC): clv / cac, clv before that cost is taken off; NULL if cac is 0';

CREATE FUNCTION roi(margin double precision, cost double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_roi' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION roi(double precision, double precision) IS 'Return on investment: (margin - cost) / cost, margin being the earnings before this cost; 0.25 is 25 %, 0 just pays; NULL if cost is 0';

CREATE FUNCTION romi(incremental_margin double precision, spend double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_romi' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION romi(double precision, double precision) IS 'Return on marketing investment: (incremental_margin - spend) / spend, where incremental_margin is the margin (not the revenue) that would not have come without the spend; NULL if spend is 0';

CREATE FUNCTION payback_period(acquisition_cost double precision, margins double precision[], discount_rate double precision DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_payback_period' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION payback_period(double precision, double precision[], double precision) IS 'After how many periods the margins of a customer have paid acquisition_cost for the first time; NULL if they never do. The first element of margins is period 0; a margin flows evenly over its period, so that 2.5 is half-way through the third. With discount_rate, the rate of one period, the discounted payback period: a margin of period p is divided by (1 + discount_rate) ^ p, as in cohort_value_periods (for margins at the end of their periods multiply the cost by 1 + discount_rate). A NULL element is not known yet, and neither are those after it';

CREATE FUNCTION repeat_rate(repeat_customers double precision, customers double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_repeat_rate' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION repeat_rate(double precision, double precision) IS 'Share of customers who bought again (repeat purchase rate): repeat_customers / customers; count only those who had the time to, as bought_again does; NULL if there are none';

CREATE FUNCTION churn_rate(customers_at_start double precision, customers_lost double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_churn_rate' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_rate(double precision, double precision) IS 'Share of the customers at the start of a period who were lost in it: customers_lost / customers_at_start; new customers of the period are in neither; NULL if there were none';

CREATE FUNCTION retention_rate(customers_at_start double precision, customers_at_end double precision, new_customers double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_retention_rate' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION retention_rate(double precision, double precision, double precision) IS 'Share of the customers at the start of a period who are still customers at its end (customer retention rate, 1 - churn rate): (customers_at_end - new_customers) / customers_at_start; NULL if there were none';

CREATE FUNCTION average_order_value(revenue double precision, orders double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_average_order_value' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION average_order_value(double precision, double precision) IS 'Average order value (AOV): revenue / orders; NULL if there are none';

CREATE FUNCTION average_revenue_per_user(revenue double precision, users double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'economics_average_revenue_per_user' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION average_revenue_per_user(double precision, double precision) IS 'Average revenue per user (ARPU) in a period: revenue / users, all users of the period, those who bought nothing too; NULL if there are none';

-- ROI or CLV

CREATE FUNCTION bought_again(
	timeline timeline,
	purchase text,
	within interval,
	as_of timestamptz DEFAULT NULL,
	time_zone text DEFAULT 'UTC'
) RETURNS boolean
AS 'MODULE_PATHNAME', 'bought_again' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bought_again(timeline, text, interval, timestamptz, text) IS 'Whether the customer bought on another day, at most within (whole days) after the day of the first purchase. Purchases and days are those of purchase_summary: purchases of one date in time_zone are one, refunds reduce it. NULL for whoever never bought, and as long as the date of as_of is not past the last of these days, even if the customer has bought again already, or the youngest customers would show too high a rate. Without as_of everybody had the time. The repeat rate: count(*) FILTER (WHERE again) of count(again)';

CREATE FUNCTION value_basis(
	repeat_customers bigint,
	customers bigint,
	threshold double precision DEFAULT 0.2,
	conf_level double precision DEFAULT 0.95
) RETURNS text
AS 'MODULE_PATHNAME', 'value_basis' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION value_basis(bigint, bigint, double precision, double precision) IS 'Whether to judge a product by the return on the first sale or by customer lifetime value: ROI if its customers buy once, CLV if they come back. repeat_customers of customers bought again, of those who had the time to (bought_again). CLV: their share is at least threshold, and so is the lower bound of its Wilson interval at conf_level; ROI: the upper bound is below it; undecided: the interval contains the threshold, or there are fewer than 30 customers; more are needed. threshold: if a share p buys again after each purchase, repeat purchases add p / (1 - p) of the first; from 0.2, the default, on that is a fourth or more, too much to leave out';

-- Value by age

CREATE FUNCTION value_by_age(
	timeline timeline,
	start_event text,
	value_event text,
	period interval,
	periods integer,
	time_zone text DEFAULT NULL,
	as_of timestamptz DEFAULT NULL
) RETURNS double precision[]
AS 'MODULE_PATHNAME', 'value_by_age' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION value_by_age(timeline, text, text, interval, integer, text, timestamptz) IS 'What the customer was worth in each period since the first start_event: the sums of the values of value_event, in the unit of the values; both are patterns. Element 1 is period 0, that of the start, and with all that happens at the instant of the start; the last is the one numbered periods, at most 10,000. Whoever never started gives NULL. With a first purchase as start_event this is a customer''s historic value; with a sign-up it includes those who never bought. Negative values, as of refunds and costs, are subtracted: where costs are events of their own, value_event ''purchase|refund|cost'' gives the margin beside the revenue of ''purchase''. Periods are as in retention(): without time_zone they are counted from the time of the start, a day being 24 hours; with it they are local days, ISO weeks, months, quarters or years, or multiples. Events after as_of do not exist, and a period that is not complete by then is NULL. Without as_of all periods count as complete. Sums are exact. Add customers up with cohort_value';

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

-- Dependence on discounts

CREATE FUNCTION discount_use(
	timeline timeline,
	purchase text,
	discounted text,
	as_of timestamptz DEFAULT NULL,
	OUT orders bigint,
	OUT discounted_orders bigint,
	OUT value double precision,
	OUT discounted_value double precision,
	OUT is_sale_only boolean
)
AS 'MODULE_PATHNAME', 'discount_use' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION discount_use(timeline, text, text, timestamptz) IS 'How much a customer buys at a discount, up to as_of: one row, of NULLs if there is no order. purchase says which events are purchases, discounted which of these are at a discount, such as purchase[discount=*]; an event that matches discounted alone counts for nothing. orders: instants with a purchase, so that the lines of an order that were recorded at one time are one; discounted_orders: those of them with a line at a discount; value and discounted_value: the sums of the values of the lines, and of those at a discount, exact; is_sale_only: every order was at a discount. A line with a negative value is no order by itself, and its value is subtracted: a refund, or where costs are events of their own a cost, so that purchase ''purchase|cost'' gives the margin in place of the revenue. For all customers: sum(discounted_orders) / sum(orders), sum(discounted_value) / sum(value), avg(is_sale_only::int)';
