--
-- Single figures of a timeline
--
CREATE TABLE measured (id int, t timeline);
INSERT INTO measured VALUES
	(1, '{2026-01-01T10:00:00Z page_view@ads {"country": "NO"}, 2026-01-01T10:05:00Z purchase =10.10 {"sku": "a\"b\n\u0001", "n": {"x": 1}},
		2026-01-03T10:00:00Z page_view@email {"country": "SE"}, 2026-01-03T10:00:30.5Z purchase@email =20.20 {"country": null}}'),
	(2, '{}'), (3, NULL), (4, '{2026-01-01T10:00:00Z refund =-5}'), (5, '{2026-01-01T10:00:00Z page_view}');

SELECT id, event_count(t), event_count(t, 'page_view'), event_count(t, 'nothing'), event_count(t, NULL) FROM measured;
SELECT id, total_value(t), total_value(t, 'purchase@email'), total_value(t, 'page_view') FROM measured;
SELECT id, first_at(t), last_at(t), span(t) FROM measured;
SELECT id, first_at(t, 'purchase'), last_at(t, 'page_view@ads'), span(t, 'purchase') FROM measured;
SELECT id, first_property(t, 'country'), last_property(t, 'country'), first_property(t, 'country', 'purchase'), last_property(t, 'country', 'page_view@ads') FROM measured;
SELECT id, first_property(t, 'sku'), last_property(t, 'n'), first_property(t, 'channel'), last_property(t, 'channel'), first_property(t, 'channel', 'purchase'), first_property(t, NULL) FROM measured;

-- sums of money are exact, and others nearly so
SELECT total_value(timeline(now(), 'a', NULL, 0.1)) = 100000 AS exact FROM generate_series(1, 1000000);
SELECT sign * total_value(timeline('2026-01-01Z'::timestamptz + make_interval(secs => i), 'a', NULL, sign * unit)) / (2000 * unit) AS beyond_64_bits
FROM generate_series(1, 2000) i, (VALUES (1, 9007199254740992), (-1, 9007199254740992), (1, 90071992547409.5)) s(sign, unit) GROUP BY sign, unit;
SELECT total_value('{2026-01-01T00:00:00Z a =1e16, 2026-01-01T00:00:01Z a =1.001, 2026-01-01T00:00:02Z a =-1e16}') AS compensated;
SELECT total_value('{2026-01-01T00:00:00Z a =1e308, 2026-01-01T00:00:01Z a =1e308}');
SELECT span('{-4713-11-24T00:00:00Z a, +294276-12-31T23:59:59Z b}');
SELECT total_value('{2026-01-01T00:00:00Z a =0.29, 2026-01-01T00:00:01Z a =0.57}') AS hundredths;

-- a key is found whole; control characters are themselves
SELECT first_property(t, 'count') AS part, first_property(t, 'countryside') AS longer, first_property(t, 'k') = chr(31) AS control
FROM (VALUES ('{2026-01-01T00:00:00Z a {"country": "NO", "k": "\u001f"}}'::timeline)) s(t);
DROP TABLE measured;
