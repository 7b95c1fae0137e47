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
