--
-- Parts of a timeline, and the patterns that name events
--
CREATE TABLE narrowed AS SELECT '{2026-01-01T00:00:00Z video_start@ads {"country": "NO", "device": "mobile"},
	2026-01-01T00:01:00Z video_complete@ads {"country": "SE"}, 2026-01-02T00:00:00Z signup@email, 2026-01-02T00:00:00Z signup@ads,
	2026-01-03T00:00:00Z signup, 2026-01-04T00:00:00Z purchase@email =10 {"country": "NO", "amount": 10.50, "note": "a, \"b\"]", "gift": true, "none": null},
	2026-01-05T00:00:00Z "a|b@c[d]*\\ e"@"x*"}'::timeline AS t;

CREATE FUNCTION kept(pattern text) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(to_char(at AT TIME ZONE 'UTC', 'DD HH24:MI ') || event || coalesce('@' || channel, ''), ', ') FROM narrowed, events(keep(t, pattern)) $$;
SELECT pattern, kept(pattern)
FROM (VALUES ('purchase'), ('signup|purchase'), ('  signup | purchase  '), ('video_*'), ('*_start'), ('*_*e*t*'), ('v*o_*t'), ('*'), ('**'), ('signup@email'), ('*@ads'), ('signup@*'), ('*@e*|video_start'),
	('*[country=NO]'), ('*[country=NO,device=mobile]'), ('*[ country = N* , device = * ]'), ('video_*@ads[country=SE]|signup@email'),
	('*[amount=10.50]'), ('*[amount=10.5]'), ('*[gift=true]'), ('*[none=*]'), ('*[none=null]'), ('*[note=a\, "b"\]]'), ('*[note=*"b"*]'), ('*[missing=*]'),
	('a\|b\@c\[d\]\*\\ e'), ('a\|*@x\*'), ('a\|b\@c\[d\]\*\\\ e'), ('Purchase'), ('purchas'), ('urchase')) s(pattern);

SELECT event_count(omit(t, 'signup')), event_count(omit(t, '*')), omit(t, 'nothing') = t AS unchanged, keep(t, NULL), keep(NULL, 'a') FROM narrowed;
SELECT keep(t, 'signup') || omit(t, 'signup') = t AS whole FROM narrowed;

-- a part is as canonical as a whole
SELECT keep('{2026-01-01T00:00:00.5Z a =0.001 {"k": 1}, 2026-01-01T00:00:00Z b@c}', 'b') = '{2026-01-01T00:00:00Z b@c}' AS same;

SELECT keep(timeline(at, event, channel), 'a@c1*|b@c1*') = timeline(at, event, channel) FILTER (WHERE event <> 'c' AND channel LIKE 'c1%') AS same_of_many
FROM (SELECT '2026-01-01Z'::timestamptz + make_interval(secs => i) AS at, (ARRAY['a', 'b', 'c'])[1 + i % 3] AS event, 'c' || i / 3 AS channel
	FROM generate_series(0, 14999) i) s;

-- what stands between stars, at an end or twice; a blank that counts
SELECT pattern, event_count('{2026-01-01T00:00:00Z abc, 2026-01-02T00:00:00Z ab, 2026-01-03T00:00:00Z axb, 2026-01-04T00:00:00Z "ab "}', pattern)
FROM unnest(ARRAY['a*b*c', 'a*b*b', 'ab*b', '*b*', 'ab', 'ab\ ', 'a*\ ']) pattern;
-- labels of one length, more than a matcher remembers
SELECT event_count(timeline('2026-01-01Z'::timestamptz, to_char(i, 'FM0000')), '*7') FROM generate_series(1, 1000) i;

-- mistakes in patterns
SELECT kept('');
SELECT kept('a||b');
SELECT kept('a|');
SELECT kept('@email');
SELECT kept('a@');
SELECT kept('a@b@c');
SELECT kept('a, b');
SELECT kept('a@x,y');
SELECT kept('a\, b');
SELECT kept('a]');
SELECT kept('a\');
SELECT kept('a[');
SELECT kept('a[]');
SELECT kept('a[k]');
SELECT kept('a[k=]');
SELECT kept('a[k=v');
SELECT kept('a[k=v]b');
SELECT kept('a[k*=v]');

-- time
SELECT during(t, '[2026-01-02 00:00Z, 2026-01-04 00:00Z)'), during(t, '(2026-01-03 00:00Z, 2026-01-04 00:00Z]') FROM narrowed;
SELECT event_count(during(t, '(,)')), event_count(during(t, 'empty')), event_count(during(t, '[2026-01-04 00:00Z,)')), event_count(during(t, '(,2026-01-01 00:00Z]')),
	event_count(during(t, '[-infinity,infinity]')), during(t, NULL) FROM narrowed;
SELECT event_count(between_times(t, '2026-01-02 00:00Z', '2026-01-04 00:00Z')), event_count(between_times(t, NULL, '2026-01-02 00:00Z')),
	event_count(between_times(t, '2026-01-02 00:00Z', NULL)), between_times(t, NULL, NULL) = t AS all, between_times(NULL, NULL, NULL),
	event_count(between_times(t, '2026-01-04 00:00Z', '2026-01-02 00:00Z')) AS backwards FROM narrowed;

-- the pattern may change from row to row
SELECT pattern, event_count(keep(t, pattern)) FROM narrowed, unnest(ARRAY['signup', 'signup', 'purchase', NULL, 'signup@ads', 'signup']) pattern;
SELECT pattern, event_count(t, pattern) FROM narrowed, unnest(ARRAY['signup', 'singup', 'signup']) pattern;
DROP FUNCTION kept;
DROP TABLE narrowed;
