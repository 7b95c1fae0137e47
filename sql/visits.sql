--
-- visits, split_visits and visit_count
--
\set t '{2026-01-01T10:00:00Z page_view, 2026-01-01T10:30:00Z page_view@ads, 2026-01-01T10:30:05Z purchase@email =10, 2026-01-01T11:00:05.000001Z page_view@email, 2026-01-02T00:00:00Z chat}'
SELECT visit_number, started_at, ended_at, duration_seconds, event_count, channel, is_bounce, is_engaged, landing_event FROM visits(:'t');
SELECT visit FROM visits(:'t');
SELECT split_visits(:'t');

-- exactly the gap does not split, unless asked to
SELECT visit_count(:'t'), visit_count(:'t', gap_inclusive => true), visit_count(:'t', '30 min 1 microsecond'), visit_count(:'t', '0'),
	visit_count(:'t', '1 day'), visit_count(:'t', '100000 years'::interval - '100000 years'::interval), visit_count(:'t', NULL, NULL, NULL, NULL);
SELECT count(*) FROM visits(:'t', gap_inclusive => true);
SELECT count(*) FROM split_visits(:'t', gap_inclusive => true);

-- a channel that differs from the visit's own splits it; the first channel does not
SELECT visit_number, started_at, event_count, channel FROM visits(:'t', split_channel => true);
SELECT visit_count(:'t', split_channel => true);
SELECT visit_count('{2026-01-01T10:00:00Z a@x, 2026-01-01T10:01:00Z a, 2026-01-01T10:02:00Z a@x, 2026-01-01T10:03:00Z a@y, 2026-01-01T10:04:00Z a@x}', split_channel => true);

SELECT visit_count('{2026-01-01T10:00:00Z a@x, 2026-01-01T11:00:00Z a, 2026-01-01T11:01:00Z a@y}', split_channel => true) AS none_inherited;

-- a pause may be all of time
SELECT visit_count('{-4713-11-24T00:00:00Z a, +294276-12-31T23:59:59Z b}');

-- a visit is as canonical as a whole timeline
SELECT visit, visit = visit::text::timeline AS same
FROM (VALUES ('{2026-01-01T10:00:00Z b@y =2 {"k": 2}, 2026-01-01T10:00:01Z b@x {"k": 1}, 2026-01-01T10:00:02Z a@y, 2026-01-01T10:00:03Z b@y {"k": 2}, 2026-01-02T10:00:00Z a@x =3}'::timeline),
	('{2026-01-01T10:00:00.5Z a =1, 2026-01-02T10:00:00Z b =2, 2026-01-03T10:00:00.000001Z b =3}'),
	('{2026-01-01T10:00:00Z a =1.5, 2026-01-02T10:00:00Z b =2, 2026-01-03T10:00:00Z b}'),
	('{2026-01-01T10:00:00Z a =0.001, 2026-01-02T10:00:00Z b =2.5}')) s(t), visits(t);

-- a change of the local date splits: DST ends in Oslo on 2026-10-25, begins on 2026-03-29
\set night '{2026-10-24T21:50:00Z a, 2026-10-24T22:10:00Z b, 2026-10-25T22:50:00Z c, 2026-10-25T23:10:00Z d, 2026-03-28T22:50:00Z e, 2026-03-28T23:10:00Z f, 2026-03-29T21:50:00Z g, 2026-03-29T22:10:00Z h}'
SELECT visit_number, started_at AT TIME ZONE 'Europe/Oslo' AS local, event_count, landing_event FROM visits(:'night', time_zone => 'Europe/Oslo');
SELECT visit_count(:'night'), visit_count(:'night', time_zone => 'UTC'), visit_count(:'night', time_zone => 'Europe/Oslo');
SELECT visit_count('{2026-01-05T10:00:00Z a, 2026-02-05T10:00:00Z a}', '100 days', time_zone => 'UTC') AS same_day_of_another_month;
-- Samoa had no 30 December 2011
SELECT visit_count('{2011-12-30T09:50:00Z a, 2011-12-30T10:10:00Z b}', time_zone => 'Pacific/Apia');
SELECT visit_count('{-4713-11-24T00:00:00Z a, +294276-12-31T23:59:59Z b}', time_zone => 'UTC');

-- engaged: longer than ten seconds, a key event, or two page views
SELECT landing_event, event_count, duration_seconds, is_bounce, is_engaged,
	(visits(t, page_view => 'page_*')).is_engaged AS by_views, (visits(t, key_event => 'signup')).is_engaged AS by_key,
	(visits(t, engaged_after => '4 s')).is_engaged AS after_4
FROM (VALUES ('{2026-01-01T10:00:00Z page_a, 2026-01-01T10:00:10Z page_b}'::timeline), ('{2026-01-01T10:00:00Z a, 2026-01-01T10:00:10.000001Z b}'),
	('{2026-01-01T10:00:00Z signup}'), ('{2026-01-01T10:00:00Z a, 2026-01-01T10:00:05Z page_a}')) s(t), visits(t) v;

-- nothing, and NULL
SELECT count(*) FROM visits('{}');
SELECT count(*) FROM visits(NULL);
SELECT visit_count('{}'), visit_count(NULL);
SELECT i, (visits(t)).visit_number FROM (VALUES (1, '{2026-01-01T10:00:00Z a}'::timeline), (2, '{}'), (3, NULL), (4, '{2026-01-01T10:00:00Z a, 2026-01-02T10:00:00Z a}')) s(i, t);

-- arguments
SELECT visit_count(:'t', '1 month');
SELECT visit_count(:'t', '-1 s');
SELECT visit_count(:'t', '0', true);
SELECT visit_count(:'t', time_zone => 'Europe/Olso');
SELECT count(*) FROM visits(:'t', page_view => 'a|');
SELECT count(*) FROM visits(:'t', engaged_after => '-1 s');
