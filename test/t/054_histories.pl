# purchase_histories and spend_histories: what plain SQL counts, and the same bytes for any
# order of rows, plan and merge tree.
#
#	SEED=1	random customers
use strict;
use warnings;
use Test::More;

my $last_failed;
my $database = 'histories_test';
my $seed = $ENV{SEED} || 1;
my $sql_seed = $seed * 0.618033988749895;
$sql_seed -= int $sql_seed;
$ENV{PGOPTIONS} = '-c client_min_messages=warning';

my %aggregate = (
	purchase_histories => 'purchase_histories(frequency, recency, age, customers)',
	spend_histories => 'spend_histories(frequency, age, customers)',
);
my $serial = "SET max_parallel_workers_per_gather = 0; SET work_mem = '1GB'";
my $parallel = q{
	SET parallel_setup_cost = 0;
	SET parallel_tuple_cost = 0;
	SET min_parallel_table_scan_size = 0;
	SET max_parallel_workers_per_gather = 3;
	SET parallel_leader_participation = off};

psql('postgres', "DROP DATABASE IF EXISTS $database");
psql('postgres', "CREATE DATABASE $database ENCODING 'UTF8' TEMPLATE template0");
END
{
	my $status = $?;
	psql('postgres', "DROP DATABASE IF EXISTS $database WITH (FORCE)");
	$? = $status;
}
set_up('CREATE EXTENSION engagement');

make_customers();
for my $type (sort keys %aggregate)
{
	make_reference($type);
	test_orders($type);
	test_plans($type);
	test_merge_trees($type);
	test_windows($type);
	test_storage($type);
}
test_many();
done_testing();

# Groups 0 to 39 of up to 300 customers, most of whose histories are there more than once, with NULLs,
# weights, zeros of both signs and fractions of weeks; group 40 has 20,000, and hardly two of a kind.
# All ages are more than 0, so that they can stand for mean values of spend.
sub make_customers
{
	set_up("SELECT setseed($sql_seed);
		CREATE TABLE customer AS SELECT g, CASE WHEN random() < 0.02 THEN NULL ELSE x END AS frequency,
				CASE WHEN x = 0 THEN (ARRAY[0, '-0'])[1 + floor(random() * 2)] ELSE least(floor(random() * (days + 1)) / unit, days / unit) END::float8 AS recency,
				CASE WHEN random() < 0.02 THEN NULL ELSE days / unit END::float8 AS age,
				CASE WHEN random() < 0.7 THEN 1 WHEN random() < 0.1 THEN NULL WHEN random() < 0.1 THEN 0 WHEN random() < 0.1 THEN floor(random() * 1e9) ELSE floor(random() * 5) END::bigint AS customers,
				random() AS place
			FROM (SELECT g, CASE WHEN random() < 0.4 THEN 0 WHEN random() < 0.01 THEN floor(random() * 2147483648) ELSE ceil(-ln(1 - random()) * 3) END::int AS x,
					(1 + floor(random() * (CASE g WHEN 40 THEN 1e6 ELSE 1 + g END)))::float8 AS days, (ARRAY[1, 7, 30.4])[1 + g % 3] AS unit
				FROM generate_series(0, 40) g, generate_series(1, CASE g WHEN 40 THEN 20000 ELSE 1 + g * 7 END) i) s;
		CREATE TABLE shuffled AS SELECT * FROM customer ORDER BY random();
		ANALYZE customer, shuffled");
	return;
}

# What all others are compared with: text made by plain SQL.
sub make_reference
{
	my $type = shift;
	my $text = $type eq 'purchase_histories'
		? q{SELECT g, '{"ages": [' || string_agg(format('[%s, [%s]]', age, list), ', ' ORDER BY age) || ']}' AS text FROM
			(SELECT g, age, string_agg(format('[%s, [%s]]', recency + 0, list), ', ' ORDER BY recency) AS list FROM
				(SELECT g, age, recency, string_agg(format('[%s, %s]', frequency, n), ', ' ORDER BY frequency) AS list FROM
					(SELECT g, age, recency, frequency, sum(customers) AS n FROM customer WHERE frequency + age + recency IS NOT NULL AND customers > 0
						GROUP BY g, age, recency, frequency) s GROUP BY g, age, recency) s GROUP BY g, age) s GROUP BY g}
		: q{SELECT g, '{"monetary_values": [' || string_agg(format('[%s, [%s]]', age, list), ', ' ORDER BY age) || ']}' AS text FROM
			(SELECT g, age, string_agg(format('[%s, %s]', frequency, n), ', ' ORDER BY frequency) AS list FROM
				(SELECT g, age, frequency, sum(customers) AS n FROM customer WHERE frequency > 0 AND age IS NOT NULL AND customers > 0
					GROUP BY g, age, frequency) s GROUP BY g, age) s GROUP BY g};
	set_up("DROP TABLE IF EXISTS reference, part, one_row, toasted, text_copy, binary_copy;
		CREATE TABLE reference AS SELECT g, text, text::$type AS s FROM (SELECT g, coalesce(text, $type\_none) AS text
			FROM (SELECT DISTINCT g, (SELECT rollup(n)::text FROM (VALUES (NULL::$type), ('{\"" . member($type) . "\": []}')) v(n)) AS $type\_none FROM customer) c
				LEFT JOIN ($text) t USING (g)) s");
	is(sql("SELECT count(*), count(*) FILTER (WHERE s::text = text) FROM reference"), '41|41', "$type: there is something to compare");
	my $columns = $type eq 'purchase_histories' ? 'frequency, recency + 0, age' : 'frequency, age';
	my $where = $type eq 'purchase_histories' ? 'frequency + age + recency IS NOT NULL' : 'frequency > 0 AND age IS NOT NULL';
	is(sql("WITH counted AS (SELECT g, $columns, sum(customers)::bigint FROM customer WHERE $where AND customers > 0 GROUP BY g, $columns),
			listed AS (SELECT g, h.* FROM reference, history_counts(s) AS h)
		SELECT (SELECT count(*) FROM listed) > 10000, (SELECT count(*) FROM (TABLE counted EXCEPT ALL TABLE listed) s), (SELECT count(*) FROM (TABLE listed EXCEPT ALL TABLE counted) s),
			(SELECT count(*) FROM reference WHERE customer_count(s) <> (SELECT coalesce(sum(customers), 0) FROM history_counts(s)))"), 't|0|0|0', "$type: history_counts is GROUP BY");
	is(sql("SELECT count(*) FROM (SELECT ordinality - lag(ordinality) OVER (PARTITION BY g ORDER BY " . ($type eq 'purchase_histories' ? 'age, recency, frequency' : 'monetary_value, frequency') . ") AS step
		FROM reference, history_counts(s) WITH ORDINALITY) s WHERE step <> 1"), '0', "$type: in order");
	return;
}

sub member
{
	return shift eq 'purchase_histories' ? 'ages' : 'monetary_values';
}

sub test_orders
{
	my $type = shift;
	my $aggregate = $aggregate{$type};
	same($type, 'rows in the order of the heap', "SELECT g, $aggregate AS s FROM customer GROUP BY g", $serial);
	same($type, 'rows in random order', "SELECT g, $aggregate AS s FROM shuffled GROUP BY g", $serial);
	same($type, 'rows in order of the state', "SELECT g, $aggregate AS s FROM (SELECT * FROM customer ORDER BY age, recency, frequency) s GROUP BY g", $serial);
	same($type, 'rows in reverse order', "SELECT g, $aggregate AS s FROM (SELECT * FROM customer ORDER BY age DESC, recency DESC, frequency DESC) s GROUP BY g", $serial);
	same($type, 'rows in order but for some', "SELECT g, $aggregate AS s FROM (SELECT * FROM customer ORDER BY place < 0.01, age, recency, frequency) s GROUP BY g", $serial);
	same($type, 'a grouping set', "SELECT g, s FROM (SELECT g, grouping(customers) AS all_customers, $aggregate AS s FROM shuffled
		GROUP BY GROUPING SETS ((g, customers), (g))) s WHERE all_customers = 1", $serial);
	(my $one = $aggregate) =~ s/, customers\)/)/;
	same($type, 'one customer a row', "SELECT g, $one AS s FROM (SELECT * FROM customer WHERE customers < 6) c, generate_series(1, customers) GROUP BY g", $serial, undef,
		"SELECT g, $aggregate AS s FROM customer WHERE customers BETWEEN 1 AND 5 GROUP BY g");
	return;
}

# Each plan is looked at, so that nothing else is tested by mistake.
sub test_plans
{
	my $type = shift;
	my $aggregate = $aggregate{$type};
	my $query = "SELECT g, $aggregate AS s FROM shuffled GROUP BY g";
	same($type, 'sorted groups', $query, "$serial; SET enable_hashagg = off", qr/GroupAggregate/);
	same($type, 'hashed groups', $query, "$serial; SET enable_sort = off", qr/HashAggregate.*Batches: 1 /s);
	same($type, 'spilled hash aggregation', $query, "$serial; SET enable_sort = off; SET work_mem = '64kB'; SET hash_mem_multiplier = 1",
		qr/HashAggregate.*Batches: (?:[2-9]|\d\d).*Disk Usage/s);
	same($type, 'workers that hash', $query, "$parallel; SET enable_sort = off; SET work_mem = '1GB'", qr/Workers Launched: [1-9].*Partial HashAggregate/s);
	same($type, 'workers that sort', $query, "$parallel; SET enable_hashagg = off", qr/Workers Launched: [1-9].*Partial GroupAggregate/s);
	same($type, 'workers and their leader', $query, "$parallel; SET parallel_leader_participation = on; SET enable_hashagg = off", qr/Workers Launched: [1-9].*Partial GroupAggregate/s);
	set_up("CREATE TABLE part AS SELECT g, floor(place * 6)::int AS piece, $aggregate AS s FROM shuffled GROUP BY 1, 2;
		CREATE TABLE one_row AS SELECT g, place, $aggregate AS s FROM shuffled GROUP BY g, place; ANALYZE part, one_row");
	same($type, 'workers that merge', 'SELECT g, rollup(s) AS s FROM one_row GROUP BY g', "$parallel; SET enable_sort = off; SET work_mem = '1GB'", qr/Workers Launched: [1-9].*Partial HashAggregate/s);
	same($type, 'one group', "SELECT 40 AS g, $aggregate AS s FROM shuffled WHERE g = 40", $parallel, qr/Workers Launched: [1-9].*Partial Aggregate/s, 'SELECT g, s FROM reference WHERE g = 40');
	return;
}

sub test_merge_trees
{
	my $type = shift;
	same($type, 'rollup of 6 pieces', 'SELECT g, rollup(s ORDER BY random()) AS s FROM part GROUP BY g', $serial);
	same($type, 'rollup of rollups', 'SELECT g, rollup(s) AS s FROM (SELECT g, rollup(s) AS s FROM part GROUP BY g, piece % 3) s GROUP BY g', $serial);
	same($type, 'random trees', 'SELECT g, rollup(s) AS s FROM (SELECT g, rollup(s) AS s FROM (SELECT g, rollup(s ORDER BY random()) AS s, twig % 3 AS branch
			FROM (SELECT *, floor(random() * 9)::int AS twig FROM part) p GROUP BY g, twig) s GROUP BY g, branch) s GROUP BY g', $serial);
	same($type, 'rollup of each row', 'SELECT g, rollup(s ORDER BY random()) AS s FROM one_row GROUP BY g', $serial);
	# a large state first, and a large one last, after which more rows come
	same($type, 'pieces, rows, pieces', 'SELECT g, rollup(s ORDER BY n, random()) AS s FROM (SELECT g, s, piece * 2 AS n FROM part WHERE piece <> 1
		UNION ALL SELECT g, s, (ARRAY[-1, 3, 5])[1 + floor(random() * 3)] FROM one_row WHERE floor(place * 6) = 1) s GROUP BY g', $serial);
	same($type, 'rollup of empty states and none', "SELECT g, rollup(s ORDER BY random()) AS s FROM (SELECT g, s FROM part UNION ALL SELECT g, NULL FROM part
		UNION ALL SELECT g, '{\"" . member($type) . "\": []}' FROM part) s GROUP BY g", $serial);
	is(sql("SELECT count(*), count(*) FILTER (WHERE $type\_combine(a.s, b.s) <> $type\_combine(b.s, a.s)) FROM part a JOIN part b USING (g) WHERE a.piece < b.piece") =~ s/^[1-9]\d+\|/many|/r,
		'many|0', "$type: a and b are b and a");
	return;
}

# The state is read after each row, and more rows follow.
sub test_windows
{
	my $type = shift;
	my $aggregate = $aggregate{$type};
	is(sql("SELECT count(*) > 20 AND count(*) FILTER (WHERE $type\_send(s) IS DISTINCT FROM (SELECT $type\_send(rollup(u)) FROM unnest(parts) u)) = 0
		FROM (SELECT rollup(s) OVER w AS s, array_agg(s) OVER w AS parts FROM part WHERE g % 5 = 0
			WINDOW w AS (PARTITION BY g ORDER BY piece ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)) s"), 't', "$type: rollup over a moving window");
	is(sql("SELECT count(*) > 20 AND count(*) FILTER (WHERE $type\_send(s) IS DISTINCT FROM (SELECT $type\_send($aggregate) FROM customer p WHERE p.g = r.g AND p.place <= r.place)) = 0
		FROM (SELECT g, place, $aggregate OVER (PARTITION BY g ORDER BY place) AS s FROM customer WHERE g < 12) r"), 't', "$type: each of running states");
	return;
}

# A stored state is the state: as text, in binary form, in line or out of line; what reads it does not write.
sub test_storage
{
	my $type = shift;
	same($type, 'through text', "SELECT g, s::text::$type AS s FROM reference", $serial);
	for my $format ('text', 'binary')
	{
		set_up("CREATE TABLE ${format}_copy (LIKE reference)");
		system("psql -Xq -d $database -c 'COPY reference TO STDOUT (FORMAT $format)' | psql -Xq -d $database -c 'COPY ${format}_copy FROM STDIN (FORMAT $format)'") == 0
		  or die "COPY failed\n";
		same($type, "through COPY, $format", "SELECT * FROM ${format}_copy", $serial);
	}
	my $arguments = $type eq 'purchase_histories' ? '1, 0, 0' : '1, 1';
	set_up('CREATE TABLE toasted (LIKE part); ALTER TABLE toasted ALTER s SET STORAGE external; INSERT INTO toasted SELECT * FROM part');
	same($type, 'rollup of what is out of line', 'SELECT g, rollup(s) AS s FROM toasted GROUP BY g', $serial);
	for my $table ('toasted', 'part', 'one_row')
	{
		is(sql("SELECT md5(string_agg(md5($type\_send(s)), '' ORDER BY ctid)) FROM $table") eq
			sql("SELECT count($type\_accum(s, $arguments)), count($type\_accum(s, $arguments, 5)), count($type\_combine(s, s)), count($type\_combine(NULL, s)), count($type\_combine(s, NULL)) FROM $table;
			SELECT count($type\_combine(s, (SELECT s FROM reference WHERE g = 40))) FROM $table WHERE g = 39 AND random() < 0.02;
			SELECT count(t) FROM (SELECT $type\_accum(s, $arguments)::text, history_counts(s) AS t, s::text FROM $table WHERE g = 39) s;
			SELECT md5(string_agg(md5($type\_send(s)), '' ORDER BY ctid)) FROM $table") =~ s/.*\n//sr, 1, "$type: no function changes what is stored in $table");
	}
	is(sql("SELECT count(*) > 50 AND bool_and($type\_accum(s, $arguments, 0) = s AND customer_count($type\_accum(s, $arguments, 5)) = customer_count(s) + 5) FROM part"), 't', "$type: step functions count");
	return;
}

# So many histories that everything grows, in workers and without.
sub test_many
{
	set_up("CREATE TABLE many AS SELECT (i * 48271::bigint % 2147483647 % 5)::int + 1 AS frequency, (i % 400)::float8 AS recency, 400 + (i * 16807::bigint % 2147483647 % 150)::float8 AS age
		FROM generate_series(1, 250000) i; ANALYZE many");
	my $digest = 'md5(purchase_histories_send(purchase_histories(frequency, recency, age)))';
	my $expected = sql("$serial; SELECT $digest FROM (SELECT * FROM many ORDER BY age, recency, frequency) s");
	like($expected, qr/^[0-9a-f]{32}$/, 'many histories in order');
	is(sql("$serial; SELECT $digest FROM many"), $expected, 'in no order');
	is(sql("$parallel; SELECT $digest FROM many"), $expected, 'by workers');
	like(sql("$parallel; EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) SELECT $digest FROM many"), qr/Workers Launched: [1-9].*Partial Aggregate/s, 'who are at work');
	is(sql("$serial; SELECT md5(purchase_histories_send(rollup(p))) FROM (SELECT purchase_histories(frequency, recency, age) AS p FROM many GROUP BY age) s"), $expected, 'age by age');
	is(sql("SELECT (SELECT sum(customers) FROM history_counts(p)) = 250000 AND (SELECT count(*) FROM history_counts(p)) = (SELECT count(*) FROM (SELECT DISTINCT * FROM many) d)
		FROM (SELECT purchase_histories(frequency, recency, age) AS p FROM many) s"), 't', 'and as many as there are');
	return;
}

# Do these equal the reference, byte for byte? With a pattern, the plan must match it, actual
# numbers included.
sub same
{
	my ($type, $name, $query, $settings, $plan, $reference) = @_;
	$reference = $reference ? "($reference)" : 'reference';
	my $difference = "SELECT count(*) FROM $reference r FULL JOIN made m USING (g)
		WHERE $type\_send(r.s) IS DISTINCT FROM $type\_send(m.s) OR r.s::text IS DISTINCT FROM m.s::text";
	like(sql("$settings; EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) $query"), $plan, "$type: plan of $name") if $plan;
	# CREATE TABLE AS takes the same plans as the query alone
	is(sql("$settings; CREATE TEMP TABLE made AS $query; RESET ALL; SELECT count(*) > 0, ($difference) FROM made"), 't|0', "$type: $name");
	return;
}

sub sql
{
	return psql($database, shift);
}

# What the tests stand on.
sub set_up
{
	my $text = sql(shift);
	die "$text\n" if $last_failed;
	return;
}

# The last result, or the error.
sub psql
{
	my ($db, $sql) = @_;
	my $pid = open my $out, '-|';
	die "fork: $!\n" if !defined $pid;
	if ($pid == 0)
	{
		open STDERR, '>&', \*STDOUT or die "$!\n";
		exec 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $db, '-c', "SET timezone = 'UTC'", '-c', $sql or die "psql: $!\n";
	}
	my $text = do { local $/ = undef; <$out> };
	$last_failed = !close $out;
	chomp $text if defined $text;
	return $text // '';
}
