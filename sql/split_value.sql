--
-- split_value: money in parts that add up to it
--
SELECT split_value(49.90, '{1,1,1}') AS thirds, split_value(100, '{1,1,1}') AS whole, split_value(100, '{1,1,1}', 2) AS cents, split_value(-0.05, '{1,1}') AS negative, split_value(0.00, '{1,2}') AS zero,
	split_value(10, '{0,0.5,0}') AS alone, split_value(7.25, attribution_weights('position_based', '{a,b,c,d}')) AS by_model;
SELECT split_value(0.02, '{1,1,1,1}') AS ties_to_the_first, split_value(0.03, '{0.4,0.2,0.4}') AS largest_remainder, split_value(1, '{0.3,0.3,0.4}') AS largest_share, split_value(-1.50, '{2,1}', 1) AS trailing_zero,
	split_value(0.1, '{-0,1}') AS minus_zero;
SELECT split_value(NULL, '{1}') IS NULL AND split_value(1, NULL) IS NULL AS is_null;
SELECT split_value(9.99, '[3:4]={1,1}'::float8[]) AS other_bounds;

-- shares and values beyond 128 bits
SELECT split_value(100.00, '{1e-300,1,1e300,4.9e-324,1.7976931348623157e308}') AS far_apart, split_value(0.03, '{4.9e-324,4.9e-324}') AS smallest, split_value(0.03, '{1e308,1e308,1e308}') AS largest,
	split_value(1, '{9007199254740992,9007199254740993}') AS closest;
SELECT split_value(12345678901234567890123456789012345678.91, '{1,1,1}') AS parts;
SELECT (SELECT sum(p) = 1e-1000 FROM unnest(split_value(1e-1000, '{1,2}')) p) AS tiny, (SELECT sum(p) = 1e3000 AND max(scale(p)) = 0 FROM unnest(split_value(1e3000, '{1,2,3.3}')) p) AS huge,
	(split_value(1, '{1,1,1}', 1000))[1] = ('0.' || repeat('3', 999) || '4')::numeric AS many_digits,
	(SELECT sum(p) = 1 AND count(*) = 100000 AND max(p) = 0.00001 FROM unnest(split_value(1, array_fill(0.1::float8, ARRAY[100000]), 7)) p) AS many_parts,
	split_value(999999999999999999, '{1,2}') = '{333333333333333333,666666666666666666}' AS largest_int128, split_value(1000000000000000000, '{1,2}') AS first_numeric;

-- products just below and just above 2^128, against division of whole numbers; two parts are rounded, half up for the first
SELECT count(*) AS cases, count(*) FILTER (WHERE parts[1] <> div(2 * value * share + share + 1, 2 * (share + 1)) OR parts[1] + parts[2] <> value) AS differences
FROM generate_series(0, 40) shift, (VALUES (999999999999999999), (576460752303423488), (576460752303423487)) v (value), LATERAL (SELECT 9007199254740991::numeric * 2::numeric ^ shift) s (share),
	LATERAL (SELECT split_value(value::numeric, ARRAY[share, 1]::float8[])) p (parts);

-- both ways of dividing give the same where no remainders are equal: a share of nothing makes the numbers long; so do shares times a power of two
SELECT count(*) AS cases, count(*) FILTER (WHERE small IS DISTINCT FROM large[:n] OR large[n + 1] <> 0 OR small IS DISTINCT FROM scaled) AS differences,
	count(*) FILTER (WHERE (SELECT sum(p) FROM unnest(small) p) <> value) AS wrong_sums
FROM (SELECT i, 1 + i % 7 AS n, (hashint4(i) & 1048575) * power(0.1::numeric, i % 5) - 100 AS value FROM generate_series(1, 500) i) c,
	LATERAL (SELECT array_agg((1 + (hashint4(i * 10 + j) & 255)) / 7.0) FROM generate_series(1, n) j) s (shares),
	LATERAL (SELECT split_value(value, shares) AS small, split_value(value, shares || 1e-200::float8) AS large,
		split_value(value, (SELECT array_agg(x * 2::float8 ^ 300 ORDER BY k) FROM unnest(shares) WITH ORDINALITY AS t (x, k))) AS scaled) p;

-- mistakes
SELECT split_value('NaN', '{1}');
SELECT split_value('Infinity', '{1}');
SELECT split_value('-Infinity', '{1}');
SELECT split_value(1, '{}');
SELECT split_value(1, '{0,0}');
SELECT split_value(1, '{1,NULL}');
SELECT split_value(1, '{1,-1}');
SELECT split_value(1, '{1,NaN}');
SELECT split_value(1, '{1,Infinity}');
SELECT split_value(1, '{{1,2},{3,4}}');
SELECT split_value(1.005, '{1}', 2);
SELECT split_value(1, '{1}', -1);
SELECT split_value(1, '{1}', 1001);
