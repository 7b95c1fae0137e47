--
-- Equality, order and hash of timelines
--
CREATE TABLE compared (id int, timeline timeline);
INSERT INTO compared VALUES
	(1, '{}'),
	(2, '{2026-01-01T00:00:00Z a}'),
	(3, '{2026-01-01T00:00:00Z a, 2026-01-01T00:00:00Z a}'),
	(4, '{2026-01-01T00:00:00Z a =0}'),
	(5, '{2026-01-01T00:00:00Z a =1}'),
	(6, '{2026-01-01T00:00:00Z a {}}'),
	(7, '{2026-01-01T00:00:00Z a@""}'),
	(8, '{2026-01-01T00:00:00Z a@b}'),
	(9, '{2026-01-01T00:00:00Z aa}'),
	(10, '{2026-01-01T00:00:00Z b}'),
	(11, '{2026-01-01T00:00:00.000001Z a}'),
	(12, '{2026-01-02T00:00:00Z a}');

-- every pair agrees with the order in which they were written
SELECT a.id, b.id FROM compared a, compared b
WHERE (a.timeline = b.timeline) <> (a.id = b.id) OR (a.timeline <> b.timeline) <> (a.id <> b.id)
	OR (a.timeline < b.timeline) <> (a.id < b.id) OR (a.timeline <= b.timeline) <> (a.id <= b.id)
	OR (a.timeline > b.timeline) <> (a.id > b.id) OR (a.timeline >= b.timeline) <> (a.id >= b.id)
	OR sign(timeline_cmp(a.timeline, b.timeline)) <> sign(a.id - b.id)
	OR (a.id <> b.id AND timeline_hash(a.timeline) = timeline_hash(b.timeline));

-- the extended hash agrees with the plain one at seed 0 and changes with the seed
SELECT bool_and((timeline_hash_extended(timeline, 0) & 4294967295) = (timeline_hash(timeline)::bigint & 4294967295)) AS agrees,
	bool_and(timeline_hash_extended(timeline, 1) <> timeline_hash_extended(timeline, 0)) AS differs
FROM compared;

-- collation does not matter
SELECT '{2026-01-01T00:00:00Z B}'::timeline < '{2026-01-01T00:00:00Z a}'::timeline AS by_bytes;

-- DISTINCT, GROUP BY, joins and indexes
INSERT INTO compared SELECT id + 100, timeline FROM compared;
SELECT count(*), count(DISTINCT timeline) FROM compared;
SET enable_hashagg = off;
SELECT count(*) FROM (SELECT timeline FROM compared GROUP BY timeline) s;
RESET enable_hashagg;
SET enable_sort = off;
SELECT count(*) FROM (SELECT timeline FROM compared GROUP BY timeline) s;
RESET enable_sort;
SET enable_nestloop = off;
SET enable_mergejoin = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM compared a JOIN compared b USING (timeline);
SELECT count(*) FROM compared a JOIN compared b USING (timeline);
RESET enable_mergejoin;
SET enable_hashjoin = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM compared a JOIN compared b USING (timeline);
SELECT count(*) FROM compared a JOIN compared b USING (timeline);
RESET enable_hashjoin;
RESET enable_nestloop;
CREATE INDEX ON compared (timeline);
CREATE INDEX ON compared USING hash (timeline);
SET enable_seqscan = off;
SELECT id FROM compared WHERE timeline = '{2026-01-01T00:00:00Z a@b}' ORDER BY id;
SELECT id FROM compared WHERE timeline < '{2026-01-01T00:00:00Z a}' ORDER BY id;
RESET enable_seqscan;
DROP TABLE compared;
