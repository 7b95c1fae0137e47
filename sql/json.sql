--
-- Casts between timeline and jsonb
--
SELECT '{2026-01-05T09:30:00Z page_view@email, 2026-01-05T09:31:00.25Z purchase@email =49.9 {"country": "NO"}}'::timeline::jsonb;
SELECT '{}'::timeline::jsonb, '[]'::jsonb::timeline;
SELECT '[{"event": "b", "at": "2026-01-02T00:00:00+01:00", "value": 1e2, "channel": null, "properties": null},
	{"at": "2026-01-01T00:00:00Z", "event": "a \"quoted\"\u00e5", "channel": "", "value": null, "properties": {"k": [1, {"x": null}]}},
	{"at": "2026-01-01T00:00:00Z", "event": "c", "properties": "text"}]'::jsonb::timeline;

-- there and back
SELECT t::jsonb::timeline = t AS same
FROM (VALUES ('{2026-01-01T00:00:00Z "\"\\ \t"@"" =-0.1 [1, 2], -0043-03-15T12:00:00Z x =1e300 "s", 2026-01-01T00:00:00.000001Z y {"a": {"b": "c"}}}'::timeline)) s(t);

-- what is not a timeline
SELECT '{}'::jsonb::timeline;
SELECT '3'::jsonb::timeline;
SELECT '[1]'::jsonb::timeline;
SELECT '[[]]'::jsonb::timeline;
SELECT '[{"at": "2026-01-01T00:00:00Z"}]'::jsonb::timeline;
SELECT '[{"event": "a"}]'::jsonb::timeline;
SELECT '[{"at": "2026-01-01", "event": "a"}]'::jsonb::timeline;
SELECT '[{"at": "2026-01-01T00:00:00Z ", "event": "a"}]'::jsonb::timeline;
SELECT '[{"at": 1767225600, "event": "a"}]'::jsonb::timeline;
SELECT '[{"at": "2026-01-01T00:00:00Z", "event": 1}]'::jsonb::timeline;
SELECT '[{"at": "2026-01-01T00:00:00Z", "event": "a", "channel": {}}]'::jsonb::timeline;
SELECT '[{"at": "2026-01-01T00:00:00Z", "event": "a", "value": "1"}]'::jsonb::timeline;
SELECT '[{"at": "2026-01-01T00:00:00Z", "event": "a", "value": 1e400}]'::jsonb::timeline;
SELECT '[{"at": "2026-01-01T00:00:00Z", "event": "a", "revenue": 1}]'::jsonb::timeline;
