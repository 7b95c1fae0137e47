-- decayed_score: decayed_sum, rollup, score_at and the type.

-- One event of 8 points: 4 after one half-life, 2 after two.
SELECT day, score_at(score, '2026-01-05Z'::timestamptz + day * interval '24 hours') AS points
FROM (SELECT decayed_sum(8, '2026-01-05Z', '7 days') AS score) AS one,
     unnest(ARRAY[0, 7, 14, 70, 7700]) AS day;
SELECT day, score_at(score, '2026-01-05Z'::timestamptz + day * interval '24 hours')::numeric(20, 12) AS points,
    (8 * power(2, -day / 7))::numeric(20, 12) AS expected
FROM (SELECT decayed_sum(8, '2026-01-05Z', '7 days') AS score) AS one,
     unnest(ARRAY[0.25, 1, 3.5, 6.9, 12.3]) AS day;

CREATE TABLE activity (visitor text, at timestamptz, points float8);
INSERT INTO activity VALUES
    -- at full half-lives, so that results are exact
    ('ann', '2026-01-05 09:30:00.25Z', 10),
    ('ann', '2026-01-12 09:30:00.25Z', 6),
    ('ann', '2025-12-29 09:30:00.25Z', 4),
    ('bob', '2026-01-26 09:30:00.25Z', -1.5),
    ('cia', NULL, 7),
    ('cia', '2026-02-01 12:00Z', NULL),
    ('dag', NULL, 7),
    ('dag', '2026-02-02 09:30:00.25Z', 2);

SELECT visitor, decayed_sum(points, at, '7 days') AS score
FROM activity GROUP BY visitor ORDER BY visitor;

SELECT visitor, score_at(score, '2026-03-02 09:30:00.25Z') AS points, score_count(score), score_half_life(score),
    score_anchor(score) AT TIME ZONE 'UTC' AS anchor
FROM (SELECT visitor, decayed_sum(points, at, '7 days') AS score FROM activity GROUP BY visitor) AS scores
ORDER BY visitor;

SELECT decayed_sum(points, at, '7 days') FROM activity WHERE false;

-- A day is 24 hours in every way to write it.
SELECT DISTINCT decayed_sum(1, '2026-01-05Z', half_life) AS score
FROM unnest(ARRAY['1 week', '7 days', '168 hours', '8 days -24 hours', '604800 seconds']::interval[]) AS half_life
GROUP BY half_life;

SELECT score_half_life(decayed_sum(1, '2026-01-05Z', half_life)) AS half_life
FROM unnest(ARRAY['36 hours', '0.000001 seconds', '2147483647 days', '106751991 days 04:00:54.775807']::interval[])
    AS half_life
GROUP BY half_life ORDER BY half_life;

-- Windows: the score so far, and of the last two events.
SELECT at AT TIME ZONE 'UTC' AS at, decayed_sum(points, at, '7 days') OVER (ORDER BY at) AS so_far,
    rollup(score) OVER (ORDER BY at ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS of_two
FROM (SELECT at, points, decayed_sum(points, at, '7 days') AS score FROM activity GROUP BY at, points) AS scores
WHERE at IS NOT NULL AND points > 0 ORDER BY at;

-- rollup: one score a day gives what all events give.
SELECT rollup(score) = (SELECT decayed_sum(points, at, '7 days') FROM activity) AS same, rollup(score)
FROM (SELECT date_trunc('day', at, 'UTC') AS day, decayed_sum(points, at, '7 days') AS score
      FROM activity GROUP BY day) AS days;
SELECT rollup(NULL::decayed_score);

--
-- Text form.
--
SELECT score::decayed_score
FROM unnest(ARRAY[
    '(2026-01-05T09:30:00Z, 604800, 12.5, 3)',
    E' \t( 2026-01-05T11:30:00.250+02:00 ,604800.500, -1.25E+2,0 )\n',
    '(-4713-11-24T00:00:00Z, 0.000001, -0.0, 1)',
    '(0000-02-29T00:00:00Z, 1, 5e-324, 9223372036854775807)',
    '(+294276-12-31T23:59:59.999999Z, 9223372036854.775807, 1.7976931348623157e308, 1)'
]) AS score;

CREATE TABLE bad_score (score text);
INSERT INTO bad_score VALUES
    (''), ('()'), ('2026-01-05T09:30:00Z, 604800, 12.5, 3'), ('(2026-01-05T09:30:00Z, 604800, 12.5, 3'),
    ('(2026-01-05T09:30:00Z, 604800, 12.5, 3) x'), ('(2026-01-05T09:30:00Z, 604800, 12.5, 3, 0)'),
    ('(2026-01-05T09:30:00Z 604800, 12.5, 3)'), ('(2026-01-05T09:30:00Z, 604800 12.5, 3)'),
    ('(2026-01-05T09:30:00Z, 604800, 12.5 3)'), ('(2026-01-05T09:30:00Z, 604800, 12.5)'),
    -- times
    ('(infinity, 604800, 12.5, 3)'), ('(2026-01-05, 604800, 12.5, 3)'), ('(2026-01-05 09:30:00Z, 604800, 12.5, 3)'),
    ('(2026-01-05T09:30:00, 604800, 12.5, 3)'), ('(2026-01-05T09:30Z, 604800, 12.5, 3)'),
    ('(2026-02-29T09:30:00Z, 604800, 12.5, 3)'), ('(2026-13-01T09:30:00Z, 604800, 12.5, 3)'),
    ('(2026-01-05T24:00:00Z, 604800, 12.5, 3)'), ('(2026-01-05T09:60:00Z, 604800, 12.5, 3)'),
    ('(2026-01-05T09:30:60Z, 604800, 12.5, 3)'), ('(2026-01-05T09:30:00.Z, 604800, 12.5, 3)'),
    ('(2026-01-05T09:30:00.1234567Z, 604800, 12.5, 3)'), ('(2026-01-05T09:30:00+16:00, 604800, 12.5, 3)'),
    ('(2026-01-05T09:30:00+01, 604800, 12.5, 3)'), ('(12026-01-05T09:30:00Z, 604800, 12.5, 3)'),
    ('(-0000-01-05T09:30:00Z, 604800, 12.5, 3)'), ('(-4713-11-23T23:59:59Z, 604800, 12.5, 3)'),
    ('(+294277-01-01T00:00:00Z, 604800, 12.5, 3)'),
    -- half-lives
    ('(2026-01-05T09:30:00Z, 0, 12.5, 3)'), ('(2026-01-05T09:30:00Z, 0.000000, 12.5, 3)'),
    ('(2026-01-05T09:30:00Z, -1, 12.5, 3)'), ('(2026-01-05T09:30:00Z, 7 days, 12.5, 3)'),
    ('(2026-01-05T09:30:00Z, 1., 12.5, 3)'), ('(2026-01-05T09:30:00Z, .5, 12.5, 3)'),
    ('(2026-01-05T09:30:00Z, 0.0000001, 12.5, 3)'), ('(2026-01-05T09:30:00Z, 9223372036854.775808, 12.5, 3)'),
    ('(2026-01-05T09:30:00Z, 99999999999999999999, 12.5, 3)'), ('(2026-01-05T09:30:00Z, 1e3, 12.5, 3)'),
    -- sums
    ('(2026-01-05T09:30:00Z, 604800, NaN, 3)'), ('(2026-01-05T09:30:00Z, 604800, Infinity, 3)'),
    ('(2026-01-05T09:30:00Z, 604800, 1e309, 3)'), ('(2026-01-05T09:30:00Z, 604800, 1e-400, 3)'),
    ('(2026-01-05T09:30:00Z, 604800, 0x10, 3)'), ('(2026-01-05T09:30:00Z, 604800, .5, 3)'),
    ('(2026-01-05T09:30:00Z, 604800, 5., 3)'), ('(2026-01-05T09:30:00Z, 604800, +5, 3)'),
    ('(2026-01-05T09:30:00Z, 604800, 5e, 3)'), ('(2026-01-05T09:30:00Z, 604800, , 3)'),
    -- counts
    ('(2026-01-05T09:30:00Z, 604800, 12.5, -1)'), ('(2026-01-05T09:30:00Z, 604800, 12.5, 1.5)'),
    ('(2026-01-05T09:30:00Z, 604800, 12.5, 9223372036854775808)'), ('(2026-01-05T09:30:00Z, 604800, 12.5, )');

DO $$
DECLARE
    bad text;
    what text;
    hint text;
    softly boolean;
BEGIN
    FOR bad IN TABLE bad_score LOOP
        BEGIN
            PERFORM bad::decayed_score;
            RAISE WARNING 'accepted: %', bad;
        EXCEPTION WHEN invalid_text_representation THEN
            GET STACKED DIAGNOSTICS what = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            RAISE NOTICE '%: %', bad, what;
        END;
        IF current_setting('server_version_num')::int >= 160000 THEN
            EXECUTE $q$SELECT pg_input_is_valid($1, 'decayed_score')$q$ INTO softly USING bad;
            IF softly THEN
                RAISE WARNING 'accepted softly: %', bad;
            END IF;
        END IF;
    END LOOP;
    RAISE NOTICE '%', hint;
END
$$;

-- No setting changes the text, and reading it back gives the same value.
-- Scores that take 16 digits; 1001 has all of them.
CREATE TABLE stored_score AS
    SELECT n, decayed_sum(1.0 / n, '2026-01-05Z'::timestamptz + n * interval '0.7 seconds', '1.1 days') AS score
    FROM generate_series(1, 1000) AS n GROUP BY n;
INSERT INTO stored_score
    SELECT 1001, rollup(score) FROM stored_score;
INSERT INTO stored_score VALUES
    (1002, '(1999-12-31T23:59:59.999999Z, 95040.123456, -0.30000000000000004, 12)');
SELECT count(*), bool_and(score = score::text::decayed_score) AS equal FROM stored_score;
SET datestyle = 'SQL, DMY';
SET timezone = 'Asia/Kolkata';
SET extra_float_digits = -5;
SET intervalstyle = 'iso_8601';
SELECT score FROM stored_score WHERE n IN (3, 1002) ORDER BY n;
RESET datestyle;
RESET timezone;
RESET extra_float_digits;
RESET intervalstyle;

--
-- Binary form.
--
SELECT decayed_score_send('(2000-01-01T00:00:00.000001Z, 0.000002, 1.5, 3)');

\getenv directory PG_ABS_BUILDDIR
\set copy_out '\\copy (SELECT score FROM stored_score ORDER BY n) TO ''' :directory '/results/decayed_score.copy'' (FORMAT binary)'
\set copy_in '\\copy received_score (score) FROM ''' :directory '/results/decayed_score.copy'' (FORMAT binary)'
CREATE TABLE received_score (n serial, score decayed_score);
:copy_out
:copy_in
SELECT count(*), bool_and(received.score = stored.score) AS equal
FROM received_score AS received JOIN stored_score AS stored USING (n);
TRUNCATE received_score;

-- Each COPY file: signature, flags, one column, its length, then version 1, time 1, half-life 2, sum 1.5, count 3.
\copy received_score (score) FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\041\001\000\000\000\000\000\000\000\001\000\000\000\000\000\000\000\002\077\370\000\000\000\000\000\000\000\000\000\000\000\000\000\003\377\377"' (FORMAT binary)
-- sum -0
\copy received_score (score) FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\041\001\000\000\000\000\000\000\000\001\000\000\000\000\000\000\000\002\200\000\000\000\000\000\000\000\000\000\000\000\000\000\000\003\377\377"' (FORMAT binary)
SELECT score, score = score::text::decayed_score AS equal FROM received_score;
-- version 2
\copy received_score (score) FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\041\002\000\000\000\000\000\000\000\001\000\000\000\000\000\000\000\002\077\370\000\000\000\000\000\000\000\000\000\000\000\000\000\003\377\377"' (FORMAT binary)
-- time infinity
\copy received_score (score) FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\041\001\177\377\377\377\377\377\377\377\000\000\000\000\000\000\000\002\077\370\000\000\000\000\000\000\000\000\000\000\000\000\000\003\377\377"' (FORMAT binary)
-- time beyond the year 294276
\copy received_score (score) FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\041\001\177\377\377\377\377\377\377\376\000\000\000\000\000\000\000\002\077\370\000\000\000\000\000\000\000\000\000\000\000\000\000\003\377\377"' (FORMAT binary)
-- half-life 0
\copy received_score (score) FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\041\001\000\000\000\000\000\000\000\001\000\000\000\000\000\000\000\000\077\370\000\000\000\000\000\000\000\000\000\000\000\000\000\003\377\377"' (FORMAT binary)
-- half-life -1
\copy received_score (score) FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\041\001\000\000\000\000\000\000\000\001\377\377\377\377\377\377\377\377\077\370\000\000\000\000\000\000\000\000\000\000\000\000\000\003\377\377"' (FORMAT binary)
-- sum NaN
\copy received_score (score) FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\041\001\000\000\000\000\000\000\000\001\000\000\000\000\000\000\000\002\177\370\000\000\000\000\000\000\000\000\000\000\000\000\000\003\377\377"' (FORMAT binary)
-- sum infinity
\copy received_score (score) FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\041\001\000\000\000\000\000\000\000\001\000\000\000\000\000\000\000\002\177\360\000\000\000\000\000\000\000\000\000\000\000\000\000\003\377\377"' (FORMAT binary)
-- count -1
\copy received_score (score) FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\041\001\000\000\000\000\000\000\000\001\000\000\000\000\000\000\000\002\077\370\000\000\000\000\000\000\377\377\377\377\377\377\377\377\377\377"' (FORMAT binary)
-- a byte short
\copy received_score (score) FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\040\001\000\000\000\000\000\000\000\001\000\000\000\000\000\000\000\002\077\370\000\000\000\000\000\000\000\000\000\000\000\000\000\377\377"' (FORMAT binary)
-- a byte long
\copy received_score (score) FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\042\001\000\000\000\000\000\000\000\001\000\000\000\000\000\000\000\002\077\370\000\000\000\000\000\000\000\000\000\000\000\000\000\003\000\377\377"' (FORMAT binary)

--
-- Equality and hashing.
--
SELECT a = b AS eq, a <> b AS ne, decayed_score_hash(a) = decayed_score_hash(b) AS same_hash,
    decayed_score_hash_extended(a, 7) = decayed_score_hash_extended(b, 7) AS same_hash_extended
FROM (VALUES ('(2026-01-05T09:30:00Z, 604800, 0, 3)'::decayed_score)) AS a (a),
     unnest(ARRAY['(2026-01-05T10:30:00+01:00, 604800.0, -0e5, 3)', '(2026-01-05T09:30:01Z, 604800, 0, 3)',
                  '(2026-01-05T09:30:00Z, 604801, 0, 3)', '(2026-01-05T09:30:00Z, 604800, 1, 3)',
                  '(2026-01-05T09:30:00Z, 604800, 0, 2)']::decayed_score[]) AS b;
SELECT count(*) FROM (SELECT DISTINCT score FROM (TABLE stored_score UNION ALL TABLE stored_score) AS twice) AS scores;
-- Ranking by the value itself would mislead; it has no order.
SELECT score FROM stored_score ORDER BY score;

--
-- Accuracy: within 1e-12 of the exact result, in any order, however merged.
--

-- A million events of 0.1, one a second, half-life a year: a geometric series.
CREATE FUNCTION off_by(result float8, expected float8) RETURNS float8
    LANGUAGE sql RETURN abs(result - expected) / abs(expected);
WITH exact AS (
    SELECT (0.1 * (1 - power(2::numeric, -1000000.0::numeric(60, 40) / 31536000))
            / (1 - exp(-ln(2::numeric(60, 40)) / 31536000)))::float8 AS points
)
SELECT direction, score_count(score), off_by(score_at(score, '2026-01-05Z'), points) < 1e-12 AS close
FROM exact, LATERAL (
    SELECT 'forward' AS direction, decayed_sum(0.1, '2026-01-05Z'::timestamptz - n * interval '1 second', '365 days') AS score
    FROM generate_series(999999, 0, -1) AS n
    UNION ALL
    SELECT 'backward', decayed_sum(0.1, '2026-01-05Z'::timestamptz - n * interval '1 second', '365 days')
    FROM generate_series(0, 999999) AS n) AS scores;

-- Values of either sign and many sizes, times over half a year, out of order.
CREATE TABLE award (n int, visitor int, at timestamptz, points float8);
INSERT INTO award
SELECT n, n * 7919 % 13, '2026-01-01Z'::timestamptz + (n::bigint * 7654321 % 15778463) * interval '1.000001 seconds',
    (n % 101 - 20) * power(10.0, n % 5 - 2)
FROM generate_series(1, 100000) AS n;
ANALYZE award;

-- The terms, and what errors are measured against: the sum of their sizes.
CREATE VIEW plain_sql AS
SELECT visitor, sum(term::numeric)::float8 AS points, sum(abs(term)) AS size, count(*) AS events
FROM (SELECT visitor, points * power(2::float8, -extract(epoch FROM '2026-08-01Z' - at)::float8 / 864000) AS term
      FROM award) AS terms
GROUP BY visitor;

CREATE VIEW merged AS
SELECT 'ascending' AS way, visitor, decayed_sum(points, at, '10 days') AS score
FROM (SELECT * FROM award ORDER BY at OFFSET 0) AS p GROUP BY visitor
UNION ALL
SELECT 'descending', visitor, decayed_sum(points, at, '10 days')
FROM (SELECT * FROM award ORDER BY at DESC OFFSET 0) AS p GROUP BY visitor
UNION ALL
SELECT 'as it comes', visitor, decayed_sum(points, at, '10 days') FROM award GROUP BY visitor
UNION ALL
SELECT 'by day', visitor, rollup(score)
FROM (SELECT visitor, date_trunc('day', at, 'UTC') AS day, decayed_sum(points, at, '10 days') AS score
      FROM award GROUP BY visitor, day) AS d GROUP BY visitor
UNION ALL
SELECT 'tree', visitor, rollup(score)
FROM (SELECT visitor, n % 10 AS n, rollup(score) AS score
      FROM (SELECT visitor, n % 1000 AS n, decayed_sum(points, at, '10 days') AS score
            FROM award GROUP BY visitor, n % 1000) AS leaf
      GROUP BY visitor, n % 10) AS branch GROUP BY visitor;

SELECT way, count(*), sum(score_count(score)) AS events,
    bool_and(score_count(score) = events) AS all_events,
    bool_and(abs(score_at(score, '2026-08-01Z') - points) / size < 1e-12) AS close
FROM merged JOIN plain_sql USING (visitor)
GROUP BY way ORDER BY way;

-- Workers.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
CREATE FUNCTION is_partial(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        IF line LIKE '%Partial%Aggregate%' THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END
$$;
SELECT is_partial('SELECT visitor, decayed_sum(points, at, ''10 days'') FROM award GROUP BY visitor') AS decayed_sum,
    is_partial('SELECT rollup(score) FROM stored_score WHERE n <= 1000') AS rollup;
SELECT bool_and(score_count(score) = events) AS all_events,
    bool_and(abs(score_at(score, '2026-08-01Z') - points) / size < 1e-12) AS close
FROM (SELECT visitor, decayed_sum(points, at, '10 days') AS score FROM award GROUP BY visitor) AS workers
JOIN plain_sql USING (visitor);
SELECT off_by(score_at(workers.score, '2026-02-01Z'), score_at(one.score, '2026-02-01Z')) < 1e-12 AS close,
    score_count(workers.score)
FROM (SELECT rollup(score) AS score FROM stored_score WHERE n <= 1000) AS workers,
    (SELECT score FROM stored_score WHERE n = 1001) AS one;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;

--
-- Stored scores stay as they are when the aggregates' own functions are called on them.
--
SELECT decayed_score_accum(score, 100, score_anchor(score), '1.1 days') AS accum, decayed_score_combine(score, score) AS combine,
    decayed_score_final(score) = score AS final
FROM stored_score WHERE n = 3;
SELECT decayed_score_accum(score, NULL, '2026-02-01Z', '1.1 days') = score AS skipped FROM stored_score WHERE n = 3;
SELECT count(*) FROM stored_score WHERE score_count(decayed_score_combine(score, score)) <> 2 AND n <= 1000;
SELECT score FROM stored_score WHERE n = 3;
SELECT bool_and(rolled.score IS NOT NULL) AS rolled, bool_and(score_count(stored.score) = 1) AS unchanged
FROM (SELECT rollup(score) AS score FROM stored_score GROUP BY n % 7) AS rolled,
    stored_score AS stored WHERE stored.n <= 1000;

--
-- Extremes.
--
-- All of time with the longest and the shortest half-life.
SELECT half_life, score_at(decayed_sum(1, at, half_life), '294276-12-31 23:59:59.999999Z')::numeric(20, 12) AS points
FROM unnest(ARRAY['4714-11-24 00:00Z BC', '2026-01-05Z', '294276-12-31 23:59:59.999999Z']::timestamptz[]) AS at,
    unnest(ARRAY['0.000001 seconds', '9999999 days', '2147483647 days']::interval[]) AS half_life
GROUP BY half_life ORDER BY half_life;
-- A negative score decays to 0, not -0; what is very small keeps its sign until then.
SELECT score_at(decayed_sum(-1, '2026-01-05Z', '1 second'), '2026-01-05Z'::timestamptz + late * interval '1 second') AS points
FROM unnest(ARRAY[0, 1, 1074, 1076, 5000]) AS late GROUP BY late ORDER BY late;
SELECT decayed_sum('-0'::float8, '2026-01-05Z', '1 second');
-- A large sum does not swallow small values for good.
SELECT score_at(decayed_sum(points, at, '1 day'), '2026-01-05Z') AS points
FROM (VALUES (1e16, '2026-01-05Z'::timestamptz), (1, '2026-01-05Z'), (-1e16, '2026-01-05Z')) AS p (points, at);
-- Nor does a window, which shows its score after each row, nor does merging (partitions are summed one by one).
SELECT n, score_at(decayed_sum(points, '2026-01-05Z', '1 day') OVER (ORDER BY n), '2026-01-05Z') AS points
FROM (VALUES (1, 1e16), (2, 1), (3, 1), (4, -1e16)) AS p (n, points);
CREATE TABLE large_and_small (site int, points float8) PARTITION BY LIST (site);
CREATE TABLE large_and_small_1 PARTITION OF large_and_small FOR VALUES IN (1);
CREATE TABLE large_and_small_2 PARTITION OF large_and_small FOR VALUES IN (2);
INSERT INTO large_and_small VALUES (1, 1e16), (2, -1e16);
INSERT INTO large_and_small SELECT 1 + n % 2, 1 FROM generate_series(1, 20000) AS n;
ANALYZE large_and_small;
SET enable_partitionwise_aggregate = on;
SELECT is_partial($$SELECT decayed_sum(points, '2026-01-05Z', '1 day') FROM large_and_small$$);
SELECT score_at(decayed_sum(points, '2026-01-05Z', '1 day'), '2026-01-05Z') AS points FROM large_and_small;
RESET enable_partitionwise_aggregate;
-- Before 2000, where times are negative.
SELECT decayed_sum(points, at, '12 hours')
FROM (VALUES (1, '1999-12-30Z'::timestamptz), (1, '1999-12-31 12:00:00Z'), (1, '1999-12-31Z')) AS p (points, at);

--
-- Errors.
--
SELECT decayed_sum(1, '2026-01-05Z', NULL);
SELECT decayed_sum(NULL, '2026-01-05Z', NULL);
SELECT decayed_sum(1, '2026-01-05Z', '0 days');
SELECT decayed_sum(1, '2026-01-05Z', '-1 day');
SELECT decayed_sum(1, '2026-01-05Z', '1 day -25 hours');
SELECT decayed_sum(1, '2026-01-05Z', '1 month');
SELECT decayed_sum(1, '2026-01-05Z', '1 year -360 days');
-- Infinite intervals came with PostgreSQL 17.
DO $$
BEGIN
    IF current_setting('server_version_num')::int >= 170000 THEN
        EXECUTE $q$SELECT decayed_sum(1, '2026-01-05Z', 'infinity')$q$;
        RAISE WARNING 'accepted';
    END IF;
EXCEPTION WHEN invalid_parameter_value THEN
    IF sqlerrm <> 'argument "half_life" must be finite' THEN
        RAISE;
    END IF;
END
$$;
SELECT decayed_sum(1, at, half_life)
FROM (VALUES ('2026-01-05Z'::timestamptz, '7 days'::interval), ('2026-01-06Z', '1.5 seconds')) AS p (at, half_life);
SELECT decayed_sum('NaN', '2026-01-05Z', '7 days');
SELECT decayed_sum('Infinity', '2026-01-05Z', '7 days');
SELECT decayed_sum('-Infinity', '2026-01-05Z', '7 days');
SELECT decayed_sum(1, 'infinity', '7 days');
SELECT decayed_sum(1, '-infinity', '7 days');
SELECT decayed_sum(1e308, '2026-01-05Z', '7 days') FROM generate_series(1, 2);
SELECT rollup(score)
FROM unnest(ARRAY['(2026-01-05T09:30:00Z, 604800, 12.5, 3)', '(2026-01-05T09:30:00Z, 604800.25, 12.5, 3)']::decayed_score[]) AS score;
SELECT rollup(score)
FROM unnest(ARRAY['(2026-01-05T09:30:00Z, 604800, -1.7e308, 3)', '(2026-01-05T09:30:00Z, 604800, -1e308, 3)']::decayed_score[]) AS score;
SELECT rollup(score)
FROM unnest(ARRAY['(2026-01-05T09:30:00Z, 604800, 1, 9223372036854775807)', '(2026-01-05T09:30:00Z, 604800, 1, 1)']::decayed_score[]) AS score;
SELECT score_at('(2026-01-05T09:30:00Z, 604800, 12.5, 3)', '2026-01-05 09:29:59.999999Z');
SELECT score_at('(2026-01-05T09:30:00Z, 604800, 12.5, 3)', 'infinity');
SELECT score_at('(2026-01-05T09:30:00Z, 604800, 12.5, 3)', '-infinity');
SELECT score_at(NULL, '2026-01-05Z') IS NULL AS no_score, score_at('(2026-01-05T09:30:00Z, 604800, 12.5, 3)', NULL) IS NULL AS no_time;

DROP VIEW merged, plain_sql;
DROP FUNCTION off_by, is_partial;
DROP TABLE activity, bad_score, stored_score, received_score, award, large_and_small;
