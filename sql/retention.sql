-- retention(timeline, ...): in which periods after the start a visitor came back.
-- test/t/043_retention.pl compares it with plain SQL.
SET timezone = 'UTC';
SET datestyle = 'ISO';
CREATE TABLE person (visitor text, t timeline);
INSERT INTO person VALUES
	-- returns after 24 h - 1 us, 24 h, 49 h, 96 h
	('ann', '{2026-03-01T10:00:00Z signup, 2026-03-02T09:59:59.999999Z view, 2026-03-02T10:00:00Z view@email, 2026-03-03T11:00:00Z buy, 2026-03-05T10:00:00Z view}'),
	-- before, at and at the instant of the start only
	('bob', '{2026-03-01T09:00:00Z view, 2026-03-01T10:00:00Z view, 2026-03-01T10:00:00Z signup}'),
	-- starts twice; the first counts, and the second is a return
	('cia', '{2026-03-01T10:00:00Z signup, 2026-03-04T10:00:00Z signup, 2026-03-04T10:00:01Z view}'),
	('dag', '{2026-03-01T10:00:00Z view, 2026-03-04T10:00:00Z view}'),
	('eli', '{}'),
	('fay', NULL);

SELECT visitor, retention(t, 'signup', 'view', '1 day', 5) AS n_day,
	retention(t, 'signup', 'view', '1 day', 5, mode => 'unbounded') AS unbounded,
	retention(t, 'signup', 'view', '1 day', NULL, mode => 'brackets', brackets => '{1,3,7}') AS brackets
FROM person ORDER BY visitor;

-- both events are patterns
SELECT visitor, retention(t, 'signup', '*', '1 day', 5) AS any_event, retention(t, 'sign*|view', 'view@email|buy', '1 day', 5) AS some,
	retention(t, 'signup', 'signup', '1 day', 5) AS itself, retention(t, 'nothing', '*', '1 day', 5) AS nothing
FROM person ORDER BY visitor;

-- a period that is not complete is NULL, even if they returned in it; those after as_of are not there
SELECT as_of, retention(t, 'signup', 'view', '1 day', 4, as_of => as_of) AS n_day,
	retention(t, 'signup', 'view', '1 day', 4, as_of => as_of, mode => 'unbounded') AS unbounded,
	retention(t, 'signup', 'view', '1 day', NULL, as_of => as_of, mode => 'brackets', brackets => '{1,3,4,6}') AS brackets
FROM person, unnest(ARRAY['-infinity', '2026-03-01 09:59:59.999999Z', '2026-03-01 10:00Z', '2026-03-03 09:59:59.999999Z', '2026-03-03 10:00Z',
	'2026-03-04 10:00Z', '2026-03-05 09:59:59.999999Z', '2026-03-05 10:00Z', '2026-03-07 10:00Z', 'infinity', NULL]::timestamptz[]) AS as_of
WHERE visitor = 'ann';

-- NULL for what is needed gives NULL, NULL for an option is its default
SELECT retention(t, NULL, 'view', '1 day', 5) AS start_event, retention(t, 'signup', NULL, '1 day', 5) AS return_event,
	retention(t, 'signup', 'view', NULL, 5) AS period, retention(t, 'signup', 'view', '1 day', NULL) AS periods,
	retention(t, 'signup', 'view', '1 day', 5, NULL, NULL, NULL, NULL) AS options
FROM person WHERE visitor = 'ann';

--
-- Calendar periods.
--
-- Both nights of Oslo in which clocks change: local days of 23 and 25 hours.
SELECT zone, local_day, retention(t, 'signup', 'view', '1 day', 3, zone) AS calendar, retention(t, 'signup', 'view', '1 day', 3) AS rolling
FROM (VALUES
	('29 March has 23 h', '{2026-03-28T12:00:00Z signup, 2026-03-29T21:59:59Z view}'::timeline),
	('30 March begins after 23 h', '{2026-03-28T12:00:00Z signup, 2026-03-29T22:00:00Z view}'),
	('25 October has 25 h', '{2026-10-24T12:00:00Z signup, 2026-10-25T22:59:59.999999Z view}'),
	('26 October', '{2026-10-24T12:00:00Z signup, 2026-10-25T23:00:00Z view}'),
	('the next day after a minute', '{2026-03-28T22:59:30Z signup, 2026-03-28T23:00:30Z view}')) AS v (local_day, t),
	unnest(ARRAY['Europe/Oslo', 'UTC']) AS zone
ORDER BY zone DESC, t;
-- complete at the local midnight, not after 24 h
SELECT as_of, retention('{2026-03-28T12:00:00Z signup}', 'signup', 'view', '1 day', 2, 'Europe/Oslo', as_of)
FROM unnest(ARRAY['2026-03-29 21:59:59.999999Z', '2026-03-29 22:00Z', '2026-03-30 21:59:59.999999Z', '2026-03-30 22:00Z']::timestamptz[]) AS as_of;
-- In Samoa 30 December 2011 did not exist: the day after the 29th was the 31st.
SELECT retention('{2011-12-29T20:00:00Z signup, 2011-12-30T10:00:00Z view}', 'signup', 'view', '1 day', 2, 'Pacific/Apia');
-- In Newfoundland clocks once went back from 00:01 to 23:01: yesterday's date again.
SELECT as_of, retention(t, 'signup', 'view', '1 day', 2, 'America/St_Johns', as_of) AS n_day,
	retention(t, 'signup', 'view', '1 day', 1, 'America/St_Johns', as_of) AS one, retention(t, 'view', 'view', '1 day', 1, 'America/St_Johns', as_of) AS from_view
FROM (VALUES ('{2010-11-06T02:00:00Z signup, 2010-11-07T02:30:30Z view, 2010-11-07T03:00:00Z view}'::timeline)) AS v (t),
	unnest(ARRAY['2010-11-07 02:30:45Z', '2010-11-07 03:00:00Z', NULL]::timestamptz[]) AS as_of;

-- Half a second before clocks change, when times were still negative; and seasons out of order.
SELECT n, retention(t, 'signup', 'view', '1 day', 3, 'Europe/Oslo')
FROM (VALUES (1, '{1999-03-28T00:59:59.5Z signup, 1999-03-29T22:30:00Z view}'::timeline), (2, '{2028-01-10T12:00:00Z signup}'), (3, '{2026-01-10T12:00:00Z signup}'),
	(4, '{2027-07-01T12:00:00Z signup, 2027-07-01T22:30:00Z view}'), (5, '{2026-10-25T00:59:59.999999Z signup, 2026-10-25T22:30:00Z view}')) AS v (n, t);

-- ISO weeks from Monday, across years: 2026-W53 ends on Sunday 3 January 2027.
SELECT at, retention(timeline('2026-12-31 12:00Z', 'signup') || timeline(at, 'view'), 'signup', 'view', '7 days', 2, 'Europe/Oslo') AS weeks,
	retention(timeline('2026-12-31 12:00Z', 'signup') || timeline(at, 'view'), 'signup', 'view', '14 days', 2, 'Europe/Oslo') AS two_weeks,
	retention(timeline('2026-12-31 12:00Z', 'signup') || timeline(at, 'view'), 'signup', 'view', '10 days', 2, 'Europe/Oslo') AS ten_days
FROM unnest(ARRAY['2027-01-03 22:59Z', '2027-01-03 23:00Z', '2027-01-09 22:59Z', '2027-01-09 23:00Z', '2027-01-10 22:59Z', '2027-01-10 23:00Z',
	'2027-01-17 22:59Z', '2027-01-17 23:00Z']::timestamptz[]) AS at GROUP BY at ORDER BY at;

-- Months of different length, quarters, years and their multiples. A multiple counts from the start's unit.
SELECT at, retention(t, 'signup', 'view', '1 month', 3, 'Europe/Oslo') AS month, retention(t, 'signup', 'view', '2 months', 3, 'Europe/Oslo') AS two_months,
	retention(t, 'signup', 'view', '3 months', 3, 'Europe/Oslo') AS quarter, retention(t, 'signup', 'view', '6 months', 3, 'Europe/Oslo') AS two_quarters,
	retention(t, 'signup', 'view', '1 year', 3, 'Europe/Oslo') AS year, retention(t, 'signup', 'view', '2 years', 3, 'Europe/Oslo') AS two_years
FROM (SELECT at, timeline('2027-12-31 12:00Z', 'signup') || timeline(at, 'view') AS t
	FROM unnest(ARRAY['2027-12-31 22:59Z', '2027-12-31 23:00Z', '2028-02-29 22:59Z', '2028-02-29 23:00Z', '2028-03-31 21:59Z', '2028-03-31 22:00Z',
		'2028-12-31 22:59Z', '2028-12-31 23:00Z', '2029-12-31 23:00Z']::timestamptz[]) AS at GROUP BY at) AS v
ORDER BY at;
SELECT as_of, retention('{2026-01-31T12:00:00Z signup}', 'signup', 'view', '1 month', 2, 'Europe/Oslo', as_of)
FROM unnest(ARRAY['2026-02-28 22:59:59.999999Z', '2026-02-28 23:00Z', '2026-03-31 22:00Z']::timestamptz[]) AS as_of;
-- no year 0
SELECT retention('{0000-12-31T12:00:00Z signup, 0001-01-01T12:00:00Z view}'::timeline, 'signup', 'view', '1 year', 1, 'UTC');

-- Different zones, patterns and periods in the rows of one query.
SELECT zone, start_event, period, retention(t, start_event, 'view', period, 2, zone)
FROM (VALUES ('{2026-03-01T10:00:00Z signup, 2026-03-01T12:00:00Z start, 2026-03-02T22:30:00Z view}'::timeline)) AS v (t),
	unnest(ARRAY['Asia/Tokyo', 'Europe/Oslo', 'america/los_angeles', NULL]) AS zone,
	unnest(ARRAY['signup', 'start', 'nothing']) AS start_event, unnest(ARRAY['1 day', '2 days']::interval[]) AS period
ORDER BY start_event, zone COLLATE "C", period;

-- The session's settings change nothing.
SET timezone = 'Asia/Tokyo';
SELECT retention(t, 'signup', 'view', '1 day', 3, 'Europe/Oslo') AS calendar, retention(t, 'signup', 'view', '1 day', 3) AS rolling
FROM (VALUES ('{2026-03-28T22:59:30Z signup, 2026-03-28T23:00:30Z view, 2026-03-30T21:59:59Z view}'::timeline)) AS v (t);
RESET timezone;
SELECT retention(t, 'signup', 'view', '1 day', 3, 'Europe/Oslo') AS calendar, retention(t, 'signup', 'view', '1 day', 3) AS rolling
FROM (VALUES ('{2026-03-28T22:59:30Z signup, 2026-03-28T23:00:30Z view, 2026-03-30T21:59:59Z view}'::timeline)) AS v (t);
SET timezone = 'UTC';

--
-- Extremes.
--
SELECT retention(t, 'a', 'b', '1 us', 2) AS shortest, retention(t, 'a', 'b', '2147483647 days 1000000 hours', 2) AS longest,
	retention(t, 'a', 'b', '1 us', NULL, mode => 'brackets', brackets => '{1,2147483647}') AS brackets,
	retention(t, 'a', 'b', '2147483647 days', 2, 'UTC') AS days, retention(t, 'a', 'b', '178956970 years 7 months', 2, 'UTC') AS months
FROM unnest(ARRAY['{-4713-11-24T00:00:00Z a, +294276-12-31T23:59:59.999999Z b}', '{-4713-11-24T00:00:00Z a, -4713-11-24T00:00:00.000001Z b}']::timeline[]) AS t;
SELECT retention(t, 'a', 'b', '109203528 days', 1) AS exactly, retention(t, 'a', 'b', '109203528 days', 1, as_of => '294276-12-31 23:59:59.999999Z') AS complete,
	retention(t, 'a', 'b', '109203528 days', NULL, 'America/Los_Angeles', NULL, 'brackets', '{1,2}') AS west,
	retention(t, 'a', 'b', '1 day', NULL, 'Asia/Tokyo', NULL, 'brackets', '{109203527,109203528,109203529}') AS east
FROM unnest(ARRAY['{-4713-11-24T00:00:00Z a, +294276-12-31T00:00:00Z b}', '{-4713-11-24T00:00:00Z a, +294276-12-30T23:59:59.999999Z b}']::timeline[]) AS t;
SELECT cardinality(r) AS elements, array_positions(r, true) AS returned, cardinality(array_positions(r, NULL)) AS incomplete
FROM (SELECT retention('{2000-01-01T00:00:00Z a, 2027-05-18T00:00:00Z b, 2027-05-19T00:00:00Z b, 2030-01-01T00:00:00Z b}', 'a', 'b', '1 day', 10000, as_of => as_of) AS r
	FROM unnest(ARRAY['2026-01-01', NULL]::timestamptz[]) AS as_of) AS v;
-- which bracket the periods from 1 to 40 belong to
SELECT string_agg(coalesce(place::text, '-'), ' ' ORDER BY n) AS places
FROM generate_series(1, 40) AS n,
	LATERAL (SELECT format('{2026-01-01T00:00:00Z a, %sT00:00:00Z b}', date '2026-01-01' + n)::timeline AS t) AS v,
	LATERAL array_position((retention(t, 'a', 'b', '1 day', NULL, mode => 'brackets', brackets => '{2,3,7,8,20,30,31}'))[2:], true) AS place;

--
-- Errors.
--
CREATE FUNCTION error_of(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE 'SELECT retention(t, ''signup'', ''view'', ' || call || ') FROM person WHERE visitor = ''ann''';
	RETURN 'accepted';
EXCEPTION WHEN invalid_parameter_value OR syntax_error THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' / ', message, nullif(detail, ''), nullif(hint, ''));
END
$$;
SELECT call, error_of(call) FROM unnest(ARRAY[
	$q$'1 day', 0$q$, $q$'1 day', -1$q$, $q$'1 day', 10001$q$, $q$'1 day', 10000$q$,
	$q$'0', 5$q$, $q$'-1 day', 5$q$, $q$'1 month', 5$q$, $q$'1 year -365 days', 5$q$, $q$'1 day -24 hours', 5$q$,
	$q$'0', 5, 'UTC'$q$, $q$'-1 day', 5, 'UTC'$q$, $q$'-1 month', 5, 'UTC'$q$, $q$'1 month 1 day', 5, 'UTC'$q$, $q$'1 month -1 day', 5, 'UTC'$q$,
	$q$'-1 month 31 days', 5, 'UTC'$q$, $q$'24 hours', 5, 'UTC'$q$, $q$'1 day 1 us', 5, 'UTC'$q$, $q$'1 month 1 us', 5, 'UTC'$q$,
	$q$'1 day', 5, 'Europe/Atlantis'$q$, $q$'1 day', 5, ''$q$, $q$'1 day', 5, repeat('x', 256)$q$,
	$q$'1 day', 5, mode => 'bounded'$q$, $q$'1 day', 5, mode => ''$q$, $q$'1 day', 5, mode => 'N_DAY'$q$,
	$q$'1 day', 5, mode => 'brackets', brackets => '{1,3}'$q$, $q$'1 day', NULL, mode => 'brackets'$q$, $q$'1 day', 5, brackets => '{1,3}'$q$,
	$q$'1 day', NULL, mode => 'unbounded', brackets => '{1,3}'$q$,
	$q$'1 day', NULL, mode => 'brackets', brackets => '{}'$q$, $q$'1 day', NULL, mode => 'brackets', brackets => '{1}'$q$,
	$q$'1 day', NULL, mode => 'brackets', brackets => '{0,1}'$q$, $q$'1 day', NULL, mode => 'brackets', brackets => '{-1,1}'$q$,
	$q$'1 day', NULL, mode => 'brackets', brackets => '{1,3,3}'$q$, $q$'1 day', NULL, mode => 'brackets', brackets => '{1,3,2}'$q$,
	$q$'1 day', NULL, mode => 'brackets', brackets => '{1,NULL,3}'$q$, $q$'1 day', NULL, mode => 'brackets', brackets => '{{1,2},{3,4}}'$q$,
	$q$'1 day', NULL, mode => 'brackets', brackets => ARRAY(SELECT generate_series(1, 10001))$q$,
	$q$'1 day', NULL, mode => 'brackets', brackets => ARRAY(SELECT generate_series(1, 10002))$q$,
	$q$'1 day', NULL, mode => 'brackets', brackets => '[5:6]={1,3}'$q$]) AS call;
SELECT retention(t, 'a[', 'view', '1 day', 5) FROM person WHERE visitor = 'ann';
SELECT retention(t, 'signup', '', '1 day', 5) FROM person WHERE visitor = 'ann';
-- infinite intervals came with PostgreSQL 17
SELECT CASE WHEN current_setting('server_version_num')::int >= 170000 THEN error_of(call) = 'accepted' ELSE false END AS accepted
FROM unnest(ARRAY[$q$'infinity', 5$q$, $q$'-infinity', 5$q$, $q$'infinity', 5, 'UTC'$q$, $q$'-infinity', 5, 'UTC'$q$]) AS call;
-- an error of one row leaves nothing behind for the next
CREATE FUNCTION retention_or_null(t timeline, zone text) RETURNS boolean[] LANGUAGE plpgsql AS $$
BEGIN
	RETURN retention(t, 'signup', 'view', '1 day', 3, zone);
EXCEPTION WHEN invalid_parameter_value THEN
	RETURN NULL;
END
$$;
SELECT zone, retention_or_null('{2026-03-28T22:59:30Z signup, 2026-03-28T23:00:30Z view}', zone)
FROM unnest(ARRAY['UTC', 'Nowhere', 'Europe/Oslo', '', 'UTC', 'Europe/Oslo']) WITH ORDINALITY AS z (zone, n) ORDER BY n;

DROP FUNCTION error_of, retention_or_null;
DROP TABLE person;
