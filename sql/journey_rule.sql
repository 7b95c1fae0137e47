-- The options of journeys as one value.
\pset null NULL
SET timezone = 'UTC';
SET datestyle = ISO;
SET intervalstyle = postgres;

SELECT journey_rule('purchase');
SELECT (journey_rule('purchase|signup@email', '7 days', touch => 'ad_*', touch_by => 'campaign', conversions => 'first', reuse_touches => true,
	points => '{"purchase": 100, "signup": 20}', ignore => '{paypal,klarna}', collapse => 'consecutive', as_of => '2026-01-01 00:00+00',
	gap => '1 hour', time_zone => 'Europe/Oslo', split_channel => true)).*;
-- an option that is NULL has its default
SELECT journey_rule('purchase', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
SELECT journey_rule(NULL, points => '{"purchase": 100}');
SELECT pg_typeof(journey_rule('purchase')), journey_rule('purchase') = journey_rule('purchase', '2160 hours') AS same;

-- it is a value like any other
CREATE TEMP TABLE rule AS SELECT 1 AS n, journey_rule('purchase', ignore => '{paypal}') AS r;
INSERT INTO rule VALUES (2, journey_rule('signup', points => jsonb_build_object(repeat('x', 3000), 1)));
SELECT n, (r).conversion, (r).ignore, length((r).points::text) FROM rule ORDER BY n;
DROP TABLE rule;

-- every mistake is found here, and each message names its argument
\set VERBOSITY default
SELECT journey_rule(NULL);
SELECT journey_rule('');
SELECT journey_rule('a,b');
SELECT journey_rule('purchase', '1 month');
SELECT journey_rule('purchase', '-1 day');
SELECT journey_rule('purchase', touch => '');
SELECT journey_rule('purchase', touch => 'a|');
SELECT journey_rule('purchase', conversions => 'last');
SELECT journey_rule('purchase', conversions => '');
SELECT journey_rule('purchase', points => '[1]');
SELECT journey_rule('purchase', points => '{"a": "1"}');
SELECT journey_rule('purchase', points => '{"a,b": 1}');
SELECT journey_rule('purchase', points => '{"a": 1e400}');
SELECT journey_rule('purchase', ignore => '{paypal,NULL}');
SELECT journey_rule('purchase', ignore => '{{paypal,klarna}}');
SELECT journey_rule('purchase', collapse => 'all');
SELECT journey_rule('purchase', collapse => 'First');
SELECT journey_rule('purchase', gap => '-1 s');
SELECT journey_rule('purchase', gap => '1 year');
SELECT journey_rule('purchase', time_zone => 'Europe/Olso');
