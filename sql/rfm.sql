--
-- rfm_score() OVER (ORDER BY ...) and rfm_segment
--
CREATE TABLE customer (visitor int, purchases int);
INSERT INTO customer VALUES (1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 1), (7, 2), (8, 2), (9, 5), (10, 30);
SELECT *, rfm_score() OVER (ORDER BY purchases) AS frequency_score, rfm_score() OVER (ORDER BY purchases DESC) AS descending,
	rfm_score(3) OVER (ORDER BY purchases) AS thirds, rfm_score(NULL) OVER (ORDER BY purchases) AS fifths, rfm_score(1) OVER (ORDER BY purchases) AS one,
	rfm_score(2147483647) OVER (ORDER BY purchases) AS many, rfm_score() OVER () AS "no order", rfm_score() OVER (ORDER BY visitor) AS ntile
FROM customer ORDER BY visitor;

-- ntile of the first of the equals, for any number of rows and parts, in any input order
CREATE TABLE score_case AS
SELECT n, i, hashint4(i * 31 + n) & d AS v, d FROM generate_series(1, 60) n, generate_series(1, n) i, unnest('{0,1,3,15,1023,2147483647}'::int[]) d;
SELECT parts, count(*) AS rows, count(*) FILTER (WHERE score <> expected) AS differences FROM (
	SELECT *, min(bucket) OVER (PARTITION BY parts, n, d, v) AS expected FROM (
		SELECT parts, n, d, v, rfm_score(parts) OVER (PARTITION BY parts, n, d ORDER BY v) AS score, ntile(parts) OVER (PARTITION BY parts, n, d ORDER BY v) AS bucket
		FROM (SELECT * FROM score_case ORDER BY hashint4(i + v)) c, unnest('{1,2,3,5,7,10,59,60,61}'::int[]) parts) s) e
GROUP BY parts ORDER BY parts;
SELECT count(*) AS differences FROM (
	SELECT rfm_score() OVER w AS a, rfm_score() OVER (w ROWS BETWEEN CURRENT ROW AND CURRENT ROW EXCLUDE CURRENT ROW) AS b, rfm_score() OVER (w GROUPS BETWEEN 2 FOLLOWING AND 3 FOLLOWING) AS c
	FROM score_case WINDOW w AS (PARTITION BY n, d ORDER BY v)) s WHERE a <> b OR a <> c;

-- NULLs stand where ORDER BY puts them; partitions of no and of one row
SELECT v, rfm_score() OVER (ORDER BY v) AS last, rfm_score() OVER (ORDER BY v NULLS FIRST) AS first FROM unnest('{1,2,3,NULL,NULL}'::int[]) v ORDER BY v;
SELECT count(rfm_score) FROM (SELECT rfm_score() OVER (ORDER BY purchases) FROM customer WHERE false) s;
SELECT visitor, rfm_score() OVER (PARTITION BY visitor ORDER BY purchases) FROM customer WHERE visitor < 3 ORDER BY 1;
-- parts are those of the first row of the partition
SELECT visitor, rfm_score(CASE visitor WHEN 1 THEN 10 ELSE -1 END) OVER (ORDER BY visitor) FROM customer ORDER BY visitor;

-- the grid of segments, all 25 cells, then with the mean of frequency and money
SELECT r AS recency_score, array_agg(rfm_segment(r, f) ORDER BY f) AS "frequency_score 1 to 5" FROM generate_series(1, 5) r, generate_series(1, 5) f GROUP BY r ORDER BY r DESC;
SELECT rfm_segment(r, f) AS segment, count(*) AS cells, min(r) || '-' || max(r) AS r, min(f) || '-' || max(f) AS f FROM generate_series(1, 5) r, generate_series(1, 5) f GROUP BY 1 ORDER BY 1;
SELECT count(*), count(*) FILTER (WHERE rfm_segment(r, f, m) IS DISTINCT FROM rfm_segment(r, ceil((f + m) / 2.0)::int)) AS differences FROM generate_series(1, 5) r, generate_series(1, 5) f, generate_series(1, 5) m;
SELECT rfm_segment(5, 1), rfm_segment(5, 1, 5), rfm_segment(5, 1, NULL), rfm_segment(NULL, 1, 1), rfm_segment(1, NULL, 1);
SELECT rfm_segment(recency_score => 1, frequency_score => 5, monetary_score => 5);

-- mistakes
SELECT rfm_score(0) OVER (ORDER BY visitor) FROM customer;
SELECT rfm_score(-5) OVER (ORDER BY visitor) FROM customer;
SELECT rfm_score(5);
SELECT rfm_segment(0, 1);
SELECT rfm_segment(1, 6);
SELECT rfm_segment(1, 5, -1);
DROP TABLE customer, score_case;
