-- The demo's own schema, made anew, and the extension on the search path.

SET client_min_messages = warning;

CREATE SCHEMA IF NOT EXISTS engagement;
CREATE EXTENSION IF NOT EXISTS engagement SCHEMA engagement;

DROP SCHEMA IF EXISTS engagement_demo CASCADE;
CREATE SCHEMA engagement_demo;

-- It may have been created elsewhere before.
SELECT nspname AS extension_schema
FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace
WHERE extname = 'engagement'
\gset
SET search_path = engagement_demo, :"extension_schema", public;

-- Times without a time zone are read as UTC, wherever this runs.
SET timezone = 'UTC';

-- Compiling these queries takes longer than running them.
SET jit = off;

-- A mistake in these is better found now than at the end of the report.
SELECT funnel_level('{}', '{a}', nullif(:'within', '')::interval) AS funnel_window_is_valid,
	   event_count('{}', nullif(:'conversion', '')) AS conversion_is_valid
\gset
SELECT set_config('engagement_demo.spend', :'spend', false) AS given_spend
\gset
DO $$
DECLARE
	given CONSTANT text := current_setting('engagement_demo.spend');
BEGIN
	IF given <> '' AND NOT (SELECT coalesce(bool_and(value IS NOT NULL AND value::float8 >= 0), true) FROM jsonb_each_text(given::jsonb)) THEN
		RAISE 'amounts must be 0 or more';
	END IF;
EXCEPTION WHEN OTHERS THEN
	RAISE EXCEPTION 'SPEND=%: %', given, SQLERRM USING HINT = 'Say what each channel cost: {"email": 900, "display": 4000}.';
END $$;
