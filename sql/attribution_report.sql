--
-- attribution_report: models side by side, with spend.
--
CREATE TEMP TABLE stored AS SELECT conversion_paths(path, conversions, value, non_conversions) AS paths
FROM (VALUES ('{search,email}'::text[], 4, 400, 10), ('{ads,search}', 2, 100, 30), ('{"(direct)"}', 1, 10, 5), (NULL, 1, 5, 0)) r (path, conversions, value, non_conversions);
SELECT model, channel, round(share::numeric, 4) AS share, round(r.conversions::numeric, 4) AS conversions, round(r.value::numeric, 4) AS value
FROM stored, attribution_report(paths) r;
SELECT model, channel, conversions, value, spend, cpa, roas, romi
FROM stored, attribution_report(paths, '{linear,last_touch}', spend => '{"ads": 40, "search": 100, "email": 0, "tv": 75}', margin => 0.5);
SELECT model, channel, assisted_conversions, last_touch_conversions, assist_ratio, mean_path_length, mean_days_to_conversion FROM stored, attribution_report(paths, '{participation}');
SELECT model FROM attribution_report((SELECT conversion_paths('{a}'::text[], '{2026-01-01Z}', '2026-01-02Z', 1::float8)), spend => NULL);
SELECT channel, conversions FROM stored, attribution_report(paths, '{last_non_direct,position_based}', weights => '{1,0,0}', skip => '{email}') WHERE model = 'last_non_direct';
SELECT count(*) FROM stored, attribution_report(paths, '{}');
SELECT count(*) FROM attribution_report(NULL);
SELECT * FROM stored, attribution_report(paths, '{linear,bogus}');
SELECT * FROM stored, attribution_report(paths, spend => '{"ads": "a lot"}');
SELECT * FROM stored, attribution_report(paths, spend => '[1, 2]');
SELECT * FROM stored, attribution_report(paths, spend => '{"ads": -1}');
SELECT * FROM stored, attribution_report(paths, spend => '{"ads": 1}', margin => 40);
SELECT * FROM stored, attribution_report(paths, spend => '{"ads": 1}', margin => 'NaN');
SELECT model, channel, conversions, spend, cpa FROM stored, attribution_report(paths, '{NULL,last_touch}', spend => '{"search": null}');
