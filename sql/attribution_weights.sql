--
-- attribution_weights: the share of each touch of a path in its conversion
--
CREATE TABLE model (place int, model text);
INSERT INTO model SELECT n, m FROM unnest('{first_touch,last_touch,last_non_direct,linear,position_based,u_shaped,j_shaped,inverse_j_shaped,w_shaped,full_path,time_decay,participation}'::text[])
	WITH ORDINALITY AS t (m, n);
CREATE FUNCTION day(int) RETURNS timestamptz LANGUAGE sql IMMUTABLE RETURN '2026-01-01Z'::timestamptz + $1 * interval '1 day';
CREATE FUNCTION days(VARIADIC days int[]) RETURNS timestamptz[] LANGUAGE sql IMMUTABLE
	RETURN (SELECT array_agg(day(d) ORDER BY n) FROM unnest(days) WITH ORDINALITY AS t (d, n));
CREATE FUNCTION rounded(float8[]) RETURNS numeric[] LANGUAGE sql IMMUTABLE
	RETURN (SELECT array_agg(round(w::numeric, 6) ORDER BY n) FROM unnest($1) WITH ORDINALITY AS t (w, n));

-- all models beside each other, for paths of one to five touches
SELECT model, attribution_weights(model, '{a}', days(1), milestones => days(0, 5)) AS one, attribution_weights(model, '{a,b}', days(1, 8), milestones => days(1, 8)) AS two,
	rounded(attribution_weights(model, '{a,b,a}', days(1, 8, 15), milestones => days(8, 8))) AS three,
	rounded(attribution_weights(model, '{a,b,(direct),a,(direct)}', days(1, 8, 8, 15, 22), day(22), milestones => days(9, 15))) AS five
FROM model ORDER BY place;

-- what is no channel takes no credit and no place in the order; (unattributed) does if it is alone
SELECT model, attribution_weights(model, '{NULL,a,"",b,(unattributed),c,NULL}', ARRAY[NULL, day(1), NULL, day(9), NULL, day(16), NULL], milestones => '{NULL,NULL}') AS mixed,
	attribution_weights(model, '{NULL,(unattributed),(unattributed)}', ARRAY[NULL, NULL, NULL]::timestamptz[], milestones => '{NULL,NULL}') AS unattributed,
	attribution_weights(model, '{NULL,""}', milestones => '{NULL,NULL}') AS nothing,
	attribution_weights(model, '{}', '{}', milestones => '{NULL,NULL}') AS empty,
	attribution_weights(model, NULL, milestones => '{NULL,NULL}') AS null
FROM model ORDER BY place;
SELECT attribution_weights(NULL, '{a}') IS NULL AS no_model, attribution_weights('linear', '[5:6]={a,b}'::text[]) AS other_bounds;

-- last_non_direct with a list of one's own; all on it: the last
SELECT attribution_weights('last_non_direct', '{a,b,(direct)}', skip => '{b,NULL,(direct)}') AS a, attribution_weights('last_non_direct', '{a,b,(direct)}', skip => '{}') AS direct,
	attribution_weights('last_non_direct', '{a,b,(direct)}', skip => '{b}') AS not_on_it, attribution_weights('last_non_direct', '{a,b,b}', skip => '{b,a}') AS all_on_it,
	attribution_weights('last_non_direct', '{(direct),(direct)}') AS direct_alone, attribution_weights('last_non_direct', '{a,b}', skip => '{B,ab,""}') AS whole_names;

-- weights of position_based; sums near enough to 1 are taken as 1
SELECT attribution_weights('position_based', '{a,b,c,d}', weights => '{0.5,0.3,0.2}') AS four, attribution_weights('position_based', '{a,b}', weights => '{0.6,0.2,0.2}') AS two,
	attribution_weights('position_based', '{a,b}', weights => '{1,0,0}') AS first, attribution_weights('position_based', '{a,b,c}', weights => '{0.25,0.75,0}') AS no_last,
	attribution_weights('position_based', '{a}', weights => '{0.6,0.2,0.2}') AS one,
	attribution_weights('position_based', '{a,b,c}', weights => '{0.3333333333,0.3333333333,0.3333333334}') AS thirds,
	attribution_weights('u_shaped', '{a,b,c}', weights => '{1,0,0}') AS preset;

-- half-lives; ages beyond the range of doubles
SELECT attribution_weights('time_decay', '{a,b}', days(1, 2), half_life => '1 day') AS day, attribution_weights('time_decay', '{a,b}', days(1, 2), half_life => '12:00') AS half_day,
	attribution_weights('time_decay', '{a,b}', days(1, 8), half_life => NULL) AS "default",
	attribution_weights('time_decay', '{a,b,c}', '{4713-01-01Z BC,2026-01-01Z,294276-12-31Z}', half_life => '00:00:00.000001') AS huge_age,
	attribution_weights('time_decay', '{a,b}', '{4713-01-01Z BC,294276-12-31Z}', half_life => '2147483647 days') AS huge_half_life,
	attribution_weights('time_decay', '{a,b}', days(1, 1), day(1)) AS same_time;

-- milestones: the last touch at or before; before all touches or NULL: none; after all: the last; they may coincide
SELECT w, rounded(attribution_weights('w_shaped', '{a,b,c,d}', days(10, 20, 20, 30), milestones => w)) AS w_shaped,
	rounded(attribution_weights('full_path', '{a,b,c,d}', days(10, 20, 20, 30), milestones => w)) AS full_path
FROM unnest(ARRAY[1, 2, 3, 4, 5, 6, 7]) n, LATERAL (SELECT CASE n WHEN 1 THEN days(15, 25) WHEN 2 THEN days(20, 29) WHEN 3 THEN days(9, 30) WHEN 4 THEN days(40, 20) WHEN 5 THEN '{NULL,NULL}'
	WHEN 6 THEN ARRAY[NULL, day(20)] ELSE days(10, 10) END) t (w);

-- long paths of many channels
SELECT length, count(*) AS touches, sum(share) AS channels, count(*) FILTER (WHERE share <> (number <= length / 3)::int) AS not_the_first
FROM unnest(ARRAY[15, 18, 300, 60000]) length, LATERAL (SELECT array_agg('channel ' || i % (length / 3) ORDER BY i) FROM generate_series(1, length) i) p (path),
	unnest(attribution_weights('participation', path)) WITH ORDINALITY AS w (share, number)
GROUP BY length ORDER BY length;

-- mistakes
SELECT attribution_weights('last', '{a}');
SELECT attribution_weights('', '{a}');
SELECT attribution_weights('linear', '{{a,b},{c,d}}');
SELECT attribution_weights('linear', '{a,b}', days(1));
SELECT attribution_weights('linear', '{a,b}', ARRAY[days(1, 2)]);
SELECT attribution_weights('time_decay', '{a,b}');
SELECT attribution_weights('time_decay', '{a,b}', ARRAY[day(1), NULL]);
SELECT attribution_weights('first_touch', '{a,b}', days(2, 1));
SELECT attribution_weights('first_touch', '{a,NULL,b}', ARRAY[day(2), NULL, day(1)]);
SELECT attribution_weights('last_touch', '{a,b}', days(1, 3), day(2));
SELECT attribution_weights('last_touch', '{a,b}', '{-infinity,2026-01-01Z}');
SELECT attribution_weights('last_touch', '{a,b}', '{2026-01-01Z,infinity}');
SELECT attribution_weights('last_touch', '{a,b}', days(1, 3), 'infinity');
SELECT attribution_weights('time_decay', '{a}', days(1), half_life => '0');
SELECT attribution_weights('time_decay', '{a}', days(1), half_life => '-1 day');
SELECT attribution_weights('time_decay', '{a}', days(1), half_life => '1 month');
SELECT attribution_weights('w_shaped', '{a}', days(1));
SELECT attribution_weights('w_shaped', '{a}', milestones => days(1, 2));
SELECT attribution_weights('full_path', '{a}', days(1), milestones => days(1));
SELECT attribution_weights('full_path', '{a}', days(1), milestones => '{}');
SELECT attribution_weights('full_path', '{a}', days(1), milestones => '{NULL,infinity}');
SELECT attribution_weights('position_based', '{a}', weights => '{0.5,0.5}');
SELECT attribution_weights('position_based', '{a}', weights => '{}');
SELECT attribution_weights('position_based', '{a}', weights => '{{0.4,0.2,0.4}}');
SELECT attribution_weights('position_based', '{a}', weights => '{0.5,0.1,0.5}');
SELECT attribution_weights('position_based', '{a}', weights => '{0.4,0.2,0.400000002}');
SELECT attribution_weights('position_based', '{a}', weights => '{0,1,0}');
SELECT attribution_weights('position_based', '{a}', weights => '{1.5,-0.5,0}');
SELECT attribution_weights('position_based', '{a}', weights => '{0.5,NULL,0.5}');
SELECT attribution_weights('position_based', '{a}', weights => '{0.5,NaN,0.5}');
SELECT attribution_weights('position_based', '{a}', weights => '{0.5,Infinity,0.5}');
SELECT attribution_weights('last_non_direct', '{a}', skip => '{{a},{b}}');

-- what a model has no use for is not looked at
SELECT attribution_weights('linear', '{a}', skip => '{{a},{b}}', weights => '{7}', half_life => '0', milestones => '{}');
DROP TABLE model;
DROP FUNCTION day, days, rounded;
