-- Who bought again, and whether a product is judged by ROI or by CLV.
SET timezone = 'UTC';
SET datestyle = 'ISO';

-- A rule: shares that are below, above and about a fifth.
SELECT again, customers, value_basis(again, customers) FROM (VALUES (0, 0), (0, 1), (0, 10), (0, 29), (0, 30), (1, 1), (29, 29), (30, 30), (20, 100), (10, 100), (27, 100), (28, 100), (29, 100), (30, 100), (13, 100), (12, 100), (199, 1000), (173, 1000), (176, 1000), (226, 1000), (227, 1000)) AS v (again, customers);
SELECT again, value_basis(again, 100, 0.5) AS half, value_basis(again, 100, threshold => 0.05) AS twentieth, value_basis(again, 100, conf_level => 0.5) AS surer, value_basis(again, 100, NULL, NULL) = value_basis(again, 100) AS defaults
FROM unnest('{0,1,5,15,18,22,25,40,50,60,100}'::bigint[]) AS again;
-- all of 50: lower bound 50 / (50 + z^2) = 0.9286..., and none of 50
SELECT value_basis(50, 50, 0.9286) AS above, value_basis(50, 50, 0.9287) AS below, value_basis(0, 50, 0.0714) AS above, value_basis(0, 50, 0.0713) AS below;
SELECT value_basis(NULL, 5) AS again, value_basis(5, NULL) AS customers, value_basis(count(*), count(*) + 2) AS counts FROM generate_series(1, 50);
SELECT value_basis(6, 5);
SELECT value_basis(-1, 5);
SELECT value_basis(0, -1);
SELECT value_basis(1, 5, 0);
SELECT value_basis(1, 5, 1);
SELECT value_basis(1, 5, 'NaN');
SELECT value_basis(1, 5, 0.2, 1);

-- Another day, at most so many days after the first.
CREATE TABLE buyer (id text, t timeline);
INSERT INTO buyer VALUES ('again on the 10th day', '{2026-01-05T10:00:00Z purchase =10, 2026-01-15T23:59:59Z purchase =10}'),
	('a day later', '{2026-01-05T10:00:00Z purchase =10, 2026-01-16T00:00:00Z purchase =10}'),
	('twice on one day', '{2026-01-05T00:00:00Z purchase =10, 2026-01-05T23:59:59Z purchase =10}'),
	('over midnight', '{2026-01-05T23:30:00Z purchase =10, 2026-01-06T00:30:00Z purchase =10}'),
	('gave it back', '{2026-01-05T10:00:00Z purchase =10, 2026-01-07T10:00:00Z purchase =10, 2026-01-07T11:00:00Z purchase =-10}'),
	('the first was given back', '{2026-01-01T10:00:00Z purchase =10, 2026-01-01T11:00:00Z purchase =-10, 2026-01-05T10:00:00Z purchase =10, 2026-01-14T10:00:00Z purchase =3}'),
	('once', '{2026-01-05T10:00:00Z purchase}'), ('young', '{2026-01-20T10:00:00Z purchase, 2026-01-22T10:00:00Z purchase}'),
	('never', '{2026-01-05T10:00:00Z visit}'), ('empty', '{}'), ('null', NULL);
SELECT id, bought_again(t, 'purchase', '10 days') AS ever, bought_again(t, 'purchase', '10 days', '2026-01-15 23:59:59.999999Z') AS a_day_early, bought_again(t, 'purchase', '10 days', '2026-01-16') AS just,
	bought_again(t, 'purchase', '10 days', '2026-01-06') AS early, bought_again(t, 'purchase', '10 days', time_zone => 'Europe/Oslo') AS oslo FROM buyer;
-- the rule on them
SELECT count(*) FILTER (WHERE again) AS again, count(again) AS customers, repeat_rate(count(*) FILTER (WHERE again), count(again)), value_basis(count(*) FILTER (WHERE again), count(again))
FROM (SELECT bought_again(t, 'purchase', '10 days', '2026-01-25') AS again FROM buyer) AS v;
SELECT bought_again(t, NULL, '10 days') AS purchase, bought_again(t, 'purchase', NULL) AS within, bought_again(t, 'purchase', '10 days', NULL, NULL) AS zone, bought_again(t, 'purchase', '10 days', 'infinity') AS ever,
	bought_again(t, 'purchase', '10 days', '-infinity') AS before_all, bought_again(t, 'purchase', '240 hours') AS hours, bought_again(t, 'purchase', '2147483647 days', '294276-12-31 23:59Z') AS not_yet,
	bought_again(t, 'nothing|purchase[x=1]', '10 days') AS nothing FROM buyer WHERE id = 'again on the 10th day';
SELECT bought_again('{-4713-11-24T00:00:00Z a, +294276-12-31T23:59:59Z a}', 'a', '999999999 days') AS never_so_long, bought_again('{-4713-11-24T00:00:00Z a, +294276-12-31T23:59:59Z a}', 'a', '100000000 days', '294276-12-31 23:59:59Z') AS too_long;
-- the time zone and the pattern of a call site change from row to row
SELECT n, bought_again(t, CASE WHEN n < 2 THEN 'purchase' ELSE 'visit' END, '10 days', NULL, (ARRAY['UTC', 'Asia/Tokyo', 'UTC', 'America/New_York'])[n + 1]) FROM buyer, generate_series(0, 3) AS n WHERE id = 'over midnight' ORDER BY n;
SELECT bought_again(t, 'purchase', '36 hours') FROM buyer;
SELECT bought_again(t, 'purchase', '0 days') FROM buyer;
SELECT bought_again(t, 'purchase', '3 months') FROM buyer;
SELECT bought_again(t, 'purchase', '-3 days') FROM buyer;
SELECT bought_again(t, 'purchase[', '3 days') FROM buyer;
SELECT bought_again(t, 'purchase', '3 days', NULL, 'Europe/Nowhere') FROM buyer;
SELECT bought_again(t, 'purchase', '3 days', NULL, '') FROM buyer;
DROP TABLE buyer;
