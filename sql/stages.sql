--
-- Stages of the buyer's journey: stage_at and stage_moves
--
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
\set map '{"page_view|search": "awareness", "product_view|video_*": "consideration", "purchase|checkout_start": "decision"}'
CREATE TABLE stage_visitors AS SELECT * FROM (VALUES
	(1, '{2026-01-01T10:00:00Z page_view, 2026-01-02T10:00:00Z video_start, 2026-01-02T10:00:30.5Z page_view, 2026-01-05T10:00:00Z purchase =20, 2026-01-06T10:00:00Z product_view, 2026-01-07T10:00:00Z logout}'::timeline),
	(2, '{2026-01-01T10:00:00Z login, 2026-01-03T10:00:00Z checkout_start, 2026-01-04T10:00:00Z search}'),
	(3, '{2026-01-02T10:00:00Z search}'),
	(4, '{2026-01-02T10:00:00Z login}'),
	(5, '{}'),
	(6, NULL)) s(visitor, t);

SELECT visitor, stage_at(t, :'map') AS ordered, stage_at(t, :'map', ordered => false) AS free,
	stage_at(t, :'map', as_of => '2026-01-02 10:00Z') AS at_that_time, stage_at(t, :'map', as_of => '2026-01-02 09:59:59.999999Z') AS just_before,
	stage_at(t, :'map', as_of => '-infinity') AS at_the_start, stage_at(t, :'map', as_of => 'infinity') AS at_the_end
FROM stage_visitors ORDER BY visitor;
SELECT stage_at(t, :'map') AS stage, count(*) FROM stage_visitors GROUP BY stage ORDER BY array_position('{awareness,consideration,decision}', stage_at(t, :'map'));

SELECT visitor, m.* FROM stage_visitors, stage_moves(t, :'map') m ORDER BY visitor, moved_at;
SELECT visitor, m.* FROM stage_visitors, stage_moves(t, :'map', ordered => false) m ORDER BY visitor, moved_at;
SELECT visitor, m.* FROM stage_visitors, stage_moves(t, :'map', NULL, '2026-01-02 10:00:30.5Z', false) m ORDER BY visitor, moved_at;
SELECT from_stage, to_stage, count(*), avg(seconds) / 3600 AS hours FROM stage_visitors, stage_moves(t, :'map') GROUP BY 1, 2 ORDER BY 1 NULLS FIRST, 2;

-- a visitor lapses when the last event, of whatever kind, is longer ago
SELECT lapse, visitor, stage_at(t, :'map', as_of => '2026-01-09 10:00Z', lapse => lapse)
FROM stage_visitors, unnest(ARRAY['2 days'::interval, '1 day 23:59:59.999999', '6 days', '0', '10000000 days']) lapse WHERE visitor <= 3 ORDER BY lapse, visitor;
SELECT stage_at('{-4713-11-24T00:00:00Z search}', :'map', as_of => '294276-12-31 23:59:59Z', lapse => '106751991 days') AS lapsed,
	stage_at('{-4713-11-24T00:00:00Z search, +294276-12-31T23:59:59Z x}', :'map', as_of => '294276-12-31 23:59:59Z', lapse => '0') AS back;
SELECT * FROM stage_moves('{-4713-11-24T00:00:00Z search, +294276-12-31T23:59:59.999999Z purchase}', :'map');

-- events at one instant count as one, that of the furthest stage, whatever their labels
SELECT map, stage_at(t, map), stage_at(t, map, ordered => false) AS free,
	(SELECT string_agg(coalesce(from_stage, '') || '>' || to_stage, ', ' ORDER BY moved_at) FROM stage_moves(t, map)) AS moves,
	(SELECT string_agg(coalesce(from_stage, '') || '>' || to_stage, ', ' ORDER BY moved_at) FROM stage_moves(t, map, ordered => false)) AS free_moves
FROM (SELECT '{2026-01-01T10:00:00Z a, 2026-01-01T10:00:00Z b, 2026-01-02T10:00:00Z a, 2026-01-02T10:00:00Z x, 2026-01-03T10:00:00Z a, 2026-01-03T10:00:00Z b, 2026-01-03T10:00:00Z c}'::timeline AS t) s,
	unnest(ARRAY['{"a": "awareness", "b": "consideration", "c": "decision"}', '{"a": "decision", "b": "consideration", "c": "awareness"}', '{"a": "consideration", "b": "decision", "c": "awareness"}']::jsonb[]) map;

-- other stages; one without a pattern; one stage; no pattern
\set deal '{2026-01-01T10:00:00Z form@linkedin {"size": 3}, 2026-01-08T10:00:00Z call {"who": "sales"}, 2026-02-08T10:00:00Z won =9000, 2026-03-08T10:00:00Z call {"who": "service"}}'
SELECT m.* FROM stage_moves(:'deal', '{"form": "MQL", "call[who=sales]": "SQL", "won": "won"}', '{MQL,SQL,opportunity,won}') m;
SELECT stage_at(:'deal', '{"form|call|won": "any"}', '{any}') AS one, stage_at(:'deal', '{}') AS none, stage_at(:'deal', '{"won": "æøå 1"}', '{"MQL", "æøå 1"}') AS utf8;
-- the order is that of the array, not of the names
SELECT stage_at(:'deal', '{"form": "MQL", "won": "won"}', '{won,SQL,MQL}') AS reversed;

-- the most specific pattern decides; two of one stage may match equally well
SELECT stage_at(:'deal', map) FROM unnest(ARRAY['{"*": "decision", "form|call|won": "awareness"}', '{"*": "decision", "form|call": "awareness", "w*": "consideration"}',
	'{"call": "awareness", "call[who=*]": "consideration", "call[who=service]": "decision"}', '{"form": "awareness", "form@l*": "consideration", "form@linkedin": "decision", "form@*": "awareness"}',
	'{"wo*": "decision", "*on": "decision", "*": "awareness"}']::jsonb[]) map;

-- arguments that change from row to row
SELECT i, stage_at(t, map, stages) FROM stage_visitors, (VALUES (1, '{"search": "a"}'::jsonb, '{a,b}'::text[]), (2, '{"search": "b"}', '{a,b}'), (3, '{"search": "a"}', '{c,a}'),
	(4, NULL, '{a,b}'), (5, '{"search": "awareness"}', NULL), (6, '{"search": "decision"}', '{decision}')) s(i, map, stages) WHERE visitor = 3 ORDER BY i;
SELECT stages, stage_at(t, '{"page_view": "a", "video_*": "b"}', stages) FROM stage_visitors, unnest('{"{a,b}", "{b,a}", "{b,a,c}"}'::text[]) s(list), LATERAL (SELECT list::text[]) l(stages) WHERE visitor = 1;
SELECT i, (SELECT string_agg(to_stage, ' ') FROM stage_moves(t, map, stages)) FROM stage_visitors, (VALUES (1, '{"search": "a"}'::jsonb, '{a,b}'::text[]), (2, '{"search": "b"}', '{a,b}'),
	(3, NULL, '{a,b}'), (4, '{"search": "awareness"}', NULL)) s(i, map, stages) WHERE visitor = 3 ORDER BY i;
SELECT visitor, stage_moves(t, :'map', NULL, NULL, NULL) FROM stage_visitors ORDER BY visitor LIMIT 3;
-- a set that is not read to its end
SELECT (SELECT to_stage FROM stage_moves(t, :'map', ordered => false) LIMIT 1 OFFSET 1) FROM stage_visitors, generate_series(1, 2) WHERE visitor = 1;

-- arguments that cannot be
\pset format unaligned
CREATE FUNCTION pg_temp.complaint(query text) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	what text;
	detail text;
	hint text;
BEGIN
	EXECUTE query;
	RETURN 'accepted: ' || query;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS what = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n', what || ' (' || SQLSTATE || ')', 'DETAIL: ' || nullif(detail, ''), 'HINT: ' || nullif(hint, ''));
END
$$;
SELECT pg_temp.complaint(format('SELECT stage_at(t, %s) FROM stage_visitors WHERE visitor = 1', arguments))
FROM unnest(ARRAY[$$'["a"]'$$, $$'"a"'$$, $$'null'$$, $$'{"a": 1}'$$, $$'{"a": null}'$$, $$'{"a": ["awareness"]}'$$, $$'{"a": "Awareness"}'$$, $$'{"awareness": "page_view"}'$$,
	$$'{"a|": "awareness"}'$$, $$'{"page_view": "awareness", " page_view ": "decision"}'$$, $$'{"p*w": "awareness", "*_vi": "decision", "*view": "decision", "page*": "awareness"}'$$,
	$$'{}', '{}'$$, $$'{}', '{{a,b},{c,d}}'$$, $$'{}', '{a,NULL}'$$, $$'{}', '{a,b,a}'$$, $$'{}', '{a,""}'$$, $$'{}', array_fill('a'::text, '{101}')$$, $$'{"a": "b"}', '{a,c}'$$,
	$$'{}', lapse => '1 day'$$, $$'{}', lapse => '1 day', as_of => 'infinity'$$, $$'{}', lapse => '1 month', as_of => '2026-01-01'$$, $$'{}', lapse => '-1 s', as_of => '2026-01-01'$$]) arguments;
SELECT pg_temp.complaint($$SELECT stage_moves(t, '{"a": "b"}', '{c}') FROM stage_visitors$$);
