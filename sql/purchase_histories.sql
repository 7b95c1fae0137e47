--
-- purchase_histories: how many customers have which frequency, recency and age, as a
-- state that can be stored and merged.
--
CREATE TEMP TABLE customer (id int, frequency int, recency float8, age float8);
INSERT INTO customer VALUES
	(1, 2, 30.43, 38.86), (2, 1, 1.71, 38.86), (3, 0, 0, 38.86), (4, 0, 0, 38.86), (5, 0, '-0', 38.86),
	(6, 7, 29.43, 38.86), (7, 1, 5, 38.71), (8, 0, 0, 38.71), (9, 0, 0, 0), (10, 3, 30.43, 38.86), (11, 2, 30.43, 38.86),
	(12, NULL, 1, 2), (13, 1, NULL, 2), (14, 1, 1, NULL), (15, 1, 0, 5);
SELECT purchase_histories(frequency, recency, age) FROM customer;
SELECT customer_count(purchase_histories(frequency, recency, age)) FROM customer;
SELECT h.* FROM (SELECT purchase_histories(frequency, recency, age) AS p FROM customer) c, history_counts(p) AS h;
-- NULL is no row, and a state of none
SELECT purchase_histories(frequency, recency, age) AS none FROM customer WHERE false;
SELECT purchase_histories(frequency, recency, age) AS empty FROM customer WHERE id BETWEEN 12 AND 14;
SELECT customer_count('{"ages": []}'::purchase_histories), customer_count(NULL::purchase_histories) AS none;
SELECT count(*) FROM history_counts('{"ages": []}'::purchase_histories);
SELECT count(*) FROM history_counts(NULL::purchase_histories);

-- histories that are counted already; those of a state make it again
SELECT purchase_histories(frequency, recency, age, n) AS counted FROM (VALUES (2, 3.5, 5, 4), (2, 3.5, 5, 6), (0, 0, 5, 0), (1, 1, 5, NULL), (0, 0, 5, 1)) v(frequency, recency, age, n);
SELECT again = p AS same, again::text = p::text AS same_text
FROM (SELECT p, (SELECT purchase_histories(frequency, recency, age, customers ORDER BY random()) FROM history_counts(p)) AS again
	FROM (SELECT purchase_histories(frequency, recency, age) AS p FROM customer) c) t;
SELECT purchase_histories(frequency, recency, age, customers) FROM history_counts('{"ages": [[5, [[0, [[0, 1]]], [3.5, [[2, 10]]]]]]}'::purchase_histories) WHERE frequency > 0;

-- equal for any order of rows and any way of merging
CREATE TEMP TABLE per_part AS SELECT id % 4 AS part, purchase_histories(frequency, recency, age) AS p FROM customer GROUP BY id % 4;
SELECT count(DISTINCT p::text) AS texts, count(DISTINCT purchase_histories_send(p)) AS bytes FROM (
	SELECT purchase_histories(frequency, recency, age) AS p FROM customer
	UNION ALL SELECT purchase_histories(frequency, recency, age ORDER BY id DESC) FROM customer
	UNION ALL SELECT purchase_histories(frequency, recency, age ORDER BY age, recency, frequency) FROM customer
	UNION ALL SELECT purchase_histories(frequency, recency, age ORDER BY age DESC, recency DESC, frequency DESC) FROM customer
	UNION ALL SELECT rollup(p) FROM per_part
	UNION ALL SELECT rollup(p ORDER BY part DESC) FROM per_part
	UNION ALL SELECT rollup(p) FROM (SELECT purchase_histories(frequency, recency, age) AS p FROM customer GROUP BY id) d
	UNION ALL SELECT p::text::purchase_histories FROM (SELECT purchase_histories(frequency, recency, age) AS p FROM customer) d) all_ways;

-- kept per part, merged; a moving window
SELECT part, rollup(p) OVER (ORDER BY part) AS up_to_now FROM per_part ORDER BY part;
SELECT part, rollup(p) OVER (ORDER BY part ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS two FROM per_part ORDER BY part;
SELECT id, customer_count(purchase_histories(frequency, recency, age) OVER (ORDER BY id)) AS customers FROM customer WHERE id > 9 ORDER BY id;

-- the step functions leave a stored value as it is
SELECT purchase_histories_accum(p, 9, 9, 9) FROM per_part WHERE part = 2;
SELECT purchase_histories_accum(p, 9, 9, 9, 9) FROM per_part WHERE part = 2;
SELECT purchase_histories_combine(p, p) FROM per_part WHERE part = 2;
SELECT purchase_histories_combine(NULL, p) = p AS left_null, purchase_histories_combine(p, NULL) = p AS right_null, purchase_histories_combine(NULL, NULL) IS NULL AS both FROM per_part WHERE part = 2;
SELECT p FROM per_part WHERE part = 2;
-- a state in memory, which its text puts in order, goes on
SELECT purchase_histories_combine(purchase_histories_accum(purchase_histories_accum(purchase_histories_accum(NULL, 3, 2, 2 * one), 1, 1, 2), 3, 2, 2), '{"ages": [[2, [[1, [[1, 5], [2, 1]]]]]]}')
FROM generate_series(1, 1) AS one;
SELECT purchase_histories_combine('{"ages": [[2, [[1, [[1, 5], [2, 1]]]]]]}', purchase_histories_accum(purchase_histories_accum(purchase_histories_accum(NULL, 3, 2, 2 * one), 1, 1, 2), 3, 2, 2))
FROM generate_series(1, 1) AS one;
DO $$
DECLARE p purchase_histories; copy purchase_histories;
BEGIN
	FOR i IN REVERSE 100..1 LOOP
		p := purchase_histories_accum(p, 1, i % 7, 7 + i % 2);
		IF i % 30 = 0 THEN copy := p; RAISE NOTICE '%', p; END IF;
	END LOOP;
	p := purchase_histories_combine(p, p);
	RAISE NOTICE '% customers, then %', customer_count(copy), p;
END $$;

-- equality, DISTINCT, hash
SELECT a.part, b.part, a.p = b.p AS equal, a.p <> b.p AS different FROM per_part a JOIN per_part b ON a.part <= b.part AND b.part < 2 ORDER BY 1, 2;
SELECT count(*) FROM (SELECT DISTINCT p FROM (TABLE per_part UNION ALL TABLE per_part) t) d;
SELECT count(*) FROM per_part a JOIN per_part b USING (p) WHERE purchase_histories_hash(a.p) = purchase_histories_hash(b.p)
	AND purchase_histories_hash_extended(a.p, 5) = purchase_histories_hash_extended(b.p, 5);

-- the text in any order, twice, with spaces
SELECT ' { "ages" : [[5, [[3.5e0,[[2,1],[1,2]]],[0,[[0,3]]]]],[1.50, [[0, [[0, 1]]]]], [5, [[-0, [[0, 4]]]]] ] }'::purchase_histories;

-- numbers of any size
SELECT purchase_histories(frequency, recency, age, customers) FROM (VALUES
	(2147483647, 1.7976931348623157e308, 1.7976931348623157e308, 1), (1, 5e-324, 5e-324, 9007199254740990), (0, 0, 0.1, 1)) v(frequency, recency, age, customers);

-- bad input
SELECT purchase_histories(-1, 0, 5);
SELECT purchase_histories(1, 5.1, 5);
SELECT purchase_histories(1, -0.5, 5);
SELECT purchase_histories(1, 'NaN', 5);
SELECT purchase_histories(1, 'infinity', 'infinity');
SELECT purchase_histories(1, 'infinity', 5);
SELECT purchase_histories(1, 1, 'infinity');
SELECT purchase_histories(1, 1, 'NaN');
SELECT purchase_histories(0, 0, -1);
SELECT purchase_histories(0, 0.5, 5);
SELECT purchase_histories(1, 1, 5, -1);
SELECT purchase_histories(1, 5.1, 5, 0);
SELECT purchase_histories(1, 1, 5, n) FROM (VALUES (9007199254740992), (1)) v(n);
SELECT purchase_histories(1, 1, 5, 9007199254740993);
SELECT rollup(p) FROM (SELECT purchase_histories(1, g, 5, 5e15::bigint) AS p FROM generate_series(1, 2) g GROUP BY g) t;
SELECT purchase_histories_combine(purchase_histories_accum(NULL, 1, 2, 5, 5e15::bigint * one), '{"ages": [[5, [[1, [[1, 5000000000000000]]]]]]}') FROM generate_series(1, 1) one;
SELECT ''::purchase_histories;
SELECT '{"ages": [[5, [[6, [[1, 1]]]]]]}'::purchase_histories;
