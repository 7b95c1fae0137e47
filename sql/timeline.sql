--
-- The type timeline: text and binary form, storage, ANALYZE
--
SELECT '{}'::timeline;
SELECT '{2026-01-05T09:30:00Z page_view@email, 2026-01-05T09:31:00.25Z purchase@email =49.9 {"country": "NO"}}'::timeline;

-- input sorts, by time, event, channel, properties, value; repeats stay
SELECT ' { 2026-01-02T00:00:00Z b , 2026-01-01T00:00:00Z b@y,2026-01-01T00:00:00Z b@x, 2026-01-01T00:00:00Z b
	, 2026-01-01T00:00:00Z b@x =2,2026-01-01T00:00:00Z b@x =1, 2026-01-01T00:00:00Z b@x {"k":1}, 2026-01-01T00:00:00Z a,
	2026-01-01T00:00:00Z a } '::timeline;

-- labels that need quotes, and an empty channel beside none
SELECT '{2026-01-01T00:00:00Z "", 2026-01-01T00:00:01Z ""@"", 2026-01-01T00:00:02Z "a b"@"c,d", 2026-01-01T00:00:03Z "q\"\\@={}",
	2026-01-01T00:00:04Z "\p\l\a\i\n", 2026-01-01T00:00:05Z blåbær@søk}'::timeline;
SELECT '{2026-01-01T00:00:00Z ab}'::timeline = '{2026-01-01T00:00:00Z "a\b"}'::timeline AS same;

SELECT '{2026-01-01T00:00:00Z a=1, 2026-01-01T00:00:01Z "a=1"}'::timeline;

-- time: offsets are read, UTC is printed, whatever the settings; fractions as far as they go
SET TimeZone = 'Asia/Kathmandu';
SET DateStyle = 'SQL, DMY';
SET extra_float_digits = -15;
SELECT '{2026-01-05T09:30:00+05:45 a, 2026-01-05T09:30:00.000001Z a, 2026-01-05T09:30:00.120Z a =0.1}'::timeline;
RESET TimeZone;
RESET DateStyle;
RESET extra_float_digits;
SELECT '{-4713-11-24T00:00:00Z first, +294276-12-31T23:59:59.999999Z last, 0001-01-01T00:00:00Z ad, 0000-12-31T00:00:00Z bc}'::timeline;

-- values: exact, negative zero is zero, NULL is not zero
SELECT '{2026-01-01T00:00:00Z a =-0, 2026-01-01T00:00:00Z a, 2026-01-01T00:00:00Z a =1e3, 2026-01-01T00:00:00Z a =-12.34,
	2026-01-01T00:00:00Z a =0.30000000000000004, 2026-01-01T00:00:00Z a =1.7976931348623157e308, 2026-01-01T00:00:00Z a =5e-324}'::timeline;

-- whole numbers as far as a double counts them, and beside hundredths
SELECT '{2026-01-01T00:00:00Z a =9007199254740992, 2026-01-01T00:00:01Z a =-9007199254740992}'::timeline;
SELECT '{2026-01-01T00:00:00Z a =9007199254740991, 2026-01-01T00:00:01Z a =0.5}'::timeline;
SELECT '{2026-01-01T00:00:00Z a =1e300}'::timeline;

-- properties of any JSON kind, in jsonb's own spelling
SELECT '{2026-01-01T00:00:00Z a {"b":1,"a":{"x":[1,2,"}"]},"b":2}, 2026-01-01T00:00:01Z a [1,2], 2026-01-01T00:00:02Z a "s,\"}",
	2026-01-01T00:00:03Z a null, 2026-01-01T00:00:04Z a 12.50, 2026-01-01T00:00:05Z a {}}'::timeline;

-- mistakes say what was expected and where
SELECT ''::timeline;
SELECT '2026-01-05T09:30:00Z a'::timeline;
SELECT '{2026-01-05 09:30:00 a}'::timeline;
SELECT '{2026-02-30T09:30:00Z a}'::timeline;
SELECT '{2026-01-05T09:30:00Z}'::timeline;
SELECT '{2026-01-05T09:30:00Z a@}'::timeline;
SELECT '{2026-01-05T09:30:00Z a =}'::timeline;
SELECT '{2026-01-05T09:30:00Z a =0x1F}'::timeline;
SELECT '{2026-01-05T09:30:00Z a =nan}'::timeline;
SELECT '{2026-01-05T09:30:00Z a =1e999}'::timeline;
SELECT '{2026-01-05T09:30:00Z a =1e-999}'::timeline;
SELECT '{2026-01-05T09:30:00Z a =1e-999}'::timeline;
SELECT '{2026-01-05T09:30:00Z a =4null}'::timeline;
SELECT '{2026-01-05T09:30:00Z a b}'::timeline;
SELECT '{2026-01-05T09:30:00Z a {"k":}}'::timeline;
SELECT '{2026-01-05T09:30:00Z a, }'::timeline;
SELECT '{2026-01-05T09:30:00Z a'::timeline;
SELECT '{2026-01-05T09:30:00Z "a'::timeline;
SELECT '{2026-01-05T09:30:00Z "a\'::timeline;
SELECT '{2026-01-05T09:30:00Z a} b'::timeline;
SELECT '{infinity a}'::timeline;

-- the stored form is small: 3 + (3 labels) + (3 kinds) + 3 codes + times, and says its unit
SELECT encode(timeline_send('{}'), 'hex') AS empty,
	encode(timeline_send('{2026-01-01T00:00:00Z a}'), 'hex') AS seconds,
	encode(timeline_send('{2026-01-01T00:00:00.5Z a, 2026-01-01T00:00:01Z b@c =1}'), 'hex') AS milliseconds,
	encode(timeline_send('{2026-01-01T00:00:00.000001Z a =0.25 {"k": 1}, 2026-01-01T00:00:01Z a =0.125}'), 'hex') AS microseconds;
SELECT pg_column_size('{2026-01-01T00:00:00Z page_view@email}'::timeline) AS one_event;

-- ANALYZE keeps no copy of a history
CREATE TABLE stored (visitor int, timeline timeline);
INSERT INTO stored SELECT i, format('{2026-01-01T00:00:00Z a%s}', i)::timeline FROM generate_series(1, 500) i;
INSERT INTO stored SELECT i, NULL FROM generate_series(1, 500) i;
ANALYZE stored;
SELECT null_frac, n_distinct, avg_width BETWEEN 10 AND 40 AS is_narrow, most_common_vals IS NULL AS no_values,
	histogram_bounds IS NULL AS no_histogram
FROM pg_stats WHERE tablename = 'stored' AND attname = 'timeline';
DROP TABLE stored;

-- soft errors, where the server has them
DO $$
BEGIN
	IF current_setting('server_version_num')::int >= 160000 THEN
		ASSERT pg_input_is_valid('{2026-01-01T00:00:00Z a}', 'timeline');
		ASSERT NOT pg_input_is_valid('{2026-01-01 a}', 'timeline');
		ASSERT NOT pg_input_is_valid('{2026-01-01T00:00:00Z a {"k":}}', 'timeline');
	END IF;
END $$;
