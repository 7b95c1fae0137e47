--
-- Path tools
--
SELECT parse_path('email > search>direct') AS path, parse_path('a -> b -> c', '->') AS arrow, parse_path(E'\t a b \n>>  > c >') AS blanks, parse_path('') AS empty, parse_path('>', '>') AS only_separator,
	parse_path(NULL) AS null, parse_path('é>ü>>日本', '>') AS utf8, parse_path('aXXXb', 'XX') AS first_match, parse_path('a,b', ';') AS other, parse_path('>>>', '>>') AS odd;
SELECT how, collapse_path('{a,a,NULL,a,b,"",b,a,(unattributed),a,c}', how) AS path, collapse_path('{}', how) AS empty, collapse_path('{NULL,""}', how) AS nothing,
	collapse_path('{NULL,(unattributed),(unattributed)}', how) AS unattributed, collapse_path(NULL, how) AS null
FROM unnest('{none,consecutive,first,NULL}'::text[]) how;
SELECT collapse_path('{a,a,b,a}') AS "default", collapse_path('[4:6]={a,a,b}'::text[]) AS other_bounds, array_dims(collapse_path('[4:6]={a,a,b}'::text[]));
SELECT path_frequency('{b,a,b,NULL,b,a}') AS path, path_frequency('{}') AS empty, path_frequency('{(unattributed)}') AS unattributed, path_frequency(NULL) AS null, path_frequency('{"a(1)",a}') AS brackets;
SELECT at, trim_path('{d,e,a,d,b,e,d}', '{d,e}', at) AS path, trim_path('{d,e,d}', '{d,e,NULL}', at) AS all_of_it, trim_path('{a,d,b}', '{d}', at) AS inside, trim_path('{d,a,d}', '{}', at) AS no_channels,
	trim_path('{d,a,d}', NULL, at) AS null_channels, trim_path('{d,NULL,a,"",d}', '{d,""}', at) AS nulls, trim_path('{(unattributed),NULL}', '{(unattributed)}', at) AS unattributed, trim_path('{}', '{d}', at) AS empty,
	trim_path(NULL, '{d}', at) AS null
FROM unnest('{end,start,both,all,NULL}'::text[]) at;
SELECT trim_path('{a,d}', '{d}') AS "default";
SELECT lookback, path_lookback('{a,b,c,d}', '{2026-01-01Z,2026-01-02Z,2026-01-03Z,2026-01-03 00:00:00.000001Z}', '2026-01-03Z', lookback) AS path
FROM unnest('{0,24:00,"1 day 23:59:59.999999","2 days",NULL}'::interval[]) lookback;
SELECT path_lookback('{a,b}', '{4713-01-01Z BC,294276-12-31Z}', '294276-12-31Z', '2147483647 days') AS far, path_lookback('{a,b}', '{4713-01-01Z BC,294276-12-31Z}', '294276-12-31Z', NULL) AS no_limit,
	path_lookback('{NULL,a,"",(unattributed)}', '{NULL,2026-01-01Z,NULL,NULL}', '2026-01-01Z', '1 day') AS others, path_lookback('{NULL,(unattributed)}', '{NULL,NULL}', '2026-01-01Z', '1 day') AS unattributed,
	path_lookback('{a}', '{2026-01-01Z}', '2026-02-01Z', '1 day') AS none_left, path_lookback('{a}', '{2026-01-01Z}', NULL, '1 day') AS null;
SELECT path_last('{a,b,c}', 2) AS two, path_last('{a,b,c}', 5) AS five, path_last('{a,NULL,b,"",(unattributed)}', 2) AS nulls, path_last('{}', 1) AS empty, path_last('{(unattributed)}', 3) AS unattributed, path_last(NULL, 2) AS null;

-- long paths; a path of ours equals one that PostgreSQL made
SELECT cardinality(path) AS parts, collapse_path(path) = path AS alternating, collapse_path(path, 'first') AS first, path_frequency(path) AS frequency, cardinality(trim_path(path, '{b}', 'all')) AS without_b,
	path_last(path, 3) AS last, parse_path(array_to_string(path, '|'), '|') = path AS parsed, pg_column_size(parse_path(array_to_string(path, '|'), '|')) = pg_column_size(path) AS same_size
FROM (SELECT array_agg((ARRAY['a', 'b', 'a name longer than those'])[1 + i % 3] ORDER BY i) AS path FROM generate_series(0, 99999) i) p;

-- mistakes
SELECT parse_path('a', '');
SELECT parse_path('a', NULL);
SELECT collapse_path('{a}', 'all');
SELECT collapse_path('{{a},{b}}');
SELECT trim_path('{a}', '{a}', 'last');
SELECT trim_path('{a}', '{{a},{b}}');
SELECT path_lookback('{a,b}', '{2026-01-01Z}', '2026-01-01Z', '1 day');
SELECT path_lookback('{a}', '{NULL}', '2026-01-01Z', '1 day');
SELECT path_lookback('{a}', '{infinity}', '2026-01-01Z', '1 day');
SELECT path_lookback('{a}', '{2026-01-01Z}', 'infinity', '1 day');
SELECT path_lookback('{a}', '{2026-01-01Z}', '2026-01-01Z', '1 month');
SELECT path_lookback('{a}', '{2026-01-01Z}', '2026-01-01Z', '-1 day');
SELECT path_last('{a}', 0);
SELECT path_frequency('{{a},{b}}');
