--
-- spend_histories: how many customers bought how often for which mean value, as a state
-- that can be stored and merged.
--
CREATE TEMP TABLE customer (id int, frequency int, monetary_value float8);
INSERT INTO customer VALUES
	(1, 2, 22.35), (2, 1, 11.77), (3, 0, 0), (4, 0, NULL), (5, 0, 'NaN'), (6, 7, 73.74), (7, 1, 11.77), (8, 2, 11.77),
	(9, NULL, 5), (10, 1, NULL), (11, 0, -3);
SELECT spend_histories(frequency, monetary_value) FROM customer;
SELECT customer_count(spend_histories(frequency, monetary_value)) FROM customer;
SELECT h.* FROM (SELECT spend_histories(frequency, monetary_value) AS s FROM customer) c, history_counts(s) AS h;
SELECT spend_histories(frequency, monetary_value) AS none FROM customer WHERE false;
SELECT spend_histories(frequency, monetary_value) AS empty FROM customer WHERE id = 3;
SELECT count(*) FROM history_counts(NULL::spend_histories);

-- spend that is counted already; that of a state makes it again
SELECT spend_histories(frequency, monetary_value, n) AS counted FROM (VALUES (2, 3.5, 4), (2, 3.5, 6), (1, 1, NULL), (1, 2, 0), (0, 0, 9)) v(frequency, monetary_value, n);
SELECT again = s AS same FROM (SELECT s, (SELECT spend_histories(frequency, monetary_value, customers ORDER BY random()) FROM history_counts(s)) AS again
	FROM (SELECT spend_histories(frequency, monetary_value) AS s FROM customer) c) t;

-- equal for any order of rows and any way of merging
CREATE TEMP TABLE per_part AS SELECT id % 3 AS part, spend_histories(frequency, monetary_value) AS s FROM customer GROUP BY id % 3;
SELECT count(DISTINCT s::text) AS texts, count(DISTINCT spend_histories_send(s)) AS bytes FROM (
	SELECT spend_histories(frequency, monetary_value) AS s FROM customer
	UNION ALL SELECT spend_histories(frequency, monetary_value ORDER BY id DESC) FROM customer
	UNION ALL SELECT rollup(s) FROM per_part
	UNION ALL SELECT rollup(s ORDER BY part DESC) FROM per_part
	UNION ALL SELECT s::text::spend_histories FROM (SELECT spend_histories(frequency, monetary_value) AS s FROM customer) d) all_ways;
SELECT part, rollup(s) OVER (ORDER BY part) AS up_to_now FROM per_part ORDER BY part;

-- the step functions leave a stored value as it is
SELECT spend_histories_accum(s, 9, 9) FROM per_part WHERE part = 1;
SELECT spend_histories_accum(s, 9, 9, 9) FROM per_part WHERE part = 1;
SELECT spend_histories_combine(s, s) FROM per_part WHERE part = 1;
SELECT s FROM per_part WHERE part = 1;

-- equality, DISTINCT, hash
SELECT a.part, b.part, a.s = b.s AS equal, a.s <> b.s AS different FROM per_part a JOIN per_part b ON a.part <= b.part AND b.part < 2 ORDER BY 1, 2;
SELECT count(*) FROM (SELECT DISTINCT s FROM (TABLE per_part UNION ALL TABLE per_part) t) d;
SELECT count(*) FROM per_part a JOIN per_part b USING (s) WHERE spend_histories_hash(a.s) = spend_histories_hash(b.s)
	AND spend_histories_hash_extended(a.s, 5) = spend_histories_hash_extended(b.s, 5);

-- purchases that were all free are none of Gamma-Gamma's
SELECT spend_histories(frequency, monetary_value) FROM (VALUES (3, 0), (2, 5)) AS v (frequency, monetary_value);

-- bad input
SELECT spend_histories(-1, 5);
SELECT spend_histories(-1, NULL);
SELECT spend_histories(3, -9.99);
SELECT spend_histories(3, 'NaN');
SELECT spend_histories(3, 'infinity');
SELECT spend_histories(3, 5, -1);
SELECT spend_histories(3, 5, n) FROM (VALUES (9007199254740992), (1)) v(n);
SELECT ''::spend_histories;
SELECT '{"monetary_values": [[0, [[1, 1]]]]}'::spend_histories;
SELECT '{"ages": []}'::spend_histories;
