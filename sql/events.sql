--
-- events(timeline)
--
SELECT e.* FROM events('{2026-01-05T09:30:00Z page_view@email, 2026-01-05T09:31:00.25Z purchase@"" =49.9 {"country": "NO"}, 2026-01-05T09:31:00.25Z "purchase"}') e;
SELECT count(*) FROM events('{}');
SELECT count(*) FROM events(NULL);

-- in the select list, side by side with sets of other lengths, and cut off by LIMIT
SELECT i, (events(t)).event
FROM (VALUES (1, '{2026-01-01T00:00:00Z a, 2026-01-02T00:00:00Z b}'::timeline), (2, '{}'), (3, NULL), (4, '{2026-01-01T00:00:00Z c}')) s(i, t);
SELECT i, (SELECT (events(t)).event LIMIT 1) AS first
FROM (VALUES (1, '{2026-01-01T00:00:00Z a, 2026-01-02T00:00:00Z b}'::timeline), (2, '{}'), (3, '{2026-01-01T00:00:00Z c, 2026-01-02T00:00:00Z d}')) s(i, t);
SELECT i, e.event
FROM (VALUES (1, '{2026-01-01T00:00:00Z a, 2026-01-02T00:00:00Z b}'::timeline), (2, '{2026-01-01T00:00:00Z c, 2026-01-02T00:00:00Z d}')) s(i, t),
	LATERAL (SELECT event FROM events(t) LIMIT 1) e;
