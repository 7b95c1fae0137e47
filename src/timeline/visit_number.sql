-- Visits on plain rows

CREATE FUNCTION visit_number(at timestamptz, gap interval DEFAULT '30 min', gap_inclusive boolean DEFAULT false)
RETURNS bigint
AS 'MODULE_PATHNAME', 'visit_number' LANGUAGE C IMMUTABLE WINDOW PARALLEL SAFE;
COMMENT ON FUNCTION visit_number(timestamptz, interval, boolean) IS 'Number of the visit (session) that a row belongs to, from 1: visit_number(at) OVER (PARTITION BY visitor ORDER BY at). A pause longer than gap starts a new visit, or one as long if gap_inclusive';

