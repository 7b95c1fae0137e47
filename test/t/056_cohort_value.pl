# The value of cohorts: the same bytes for any order of rows, plan and merge tree, sums
# against exact whole numbers; then the orders of a real shop, where every figure is
# recomputed by plain SQL from its invoice lines.
#
#	SEED=1 CUSTOMERS=12000
use strict;
use warnings;
use File::Temp;
use Math::BigInt;
use Test::More;

my $last_failed;
my $database = 'cohort_value_test';
my $customers = $ENV{CUSTOMERS} || 12_000;
my $seed = ($ENV{SEED} || 1) * 0.618033988749895;
$seed -= int $seed;
my $retail = ($ENV{ENGAGEMENT_SHARED} // '../shared') . '/data/retail/online_retail.csv.gz';
$ENV{PGOPTIONS} = '-c client_min_messages=warning';

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

make_arrays();
test_exactness();
test_plans();
test_merge_trees();
SKIP:
{
	skip 'no shared data', 1 if !-e $retail;
	load_retail();
	test_value_by_age();
	test_cohorts();
	test_bought_again();
	test_discount_use();
}
done_testing();

# Arrays of 6 periods in 40 large groups and many small ones: money, doubles of every size, sums that cancel, NULL
# at their ends. Group 0 is hostile throughout.
sub make_arrays
{
	set_up("SELECT setseed($seed);
		CREATE TABLE made AS SELECT i, CASE WHEN i % 2 = 0 THEN i / 2 % 41 ELSE 1000 + i % 301 END AS g,
			CASE WHEN i % 97 <> 0 THEN ARRAY(SELECT CASE WHEN p > i % 7 AND i % 3 = 0 THEN NULL WHEN i % 82 = 0 OR i % 500 = 1 THEN (random() - 0.5) * 10.0::float8 ^ floor(random() * 500 - 250)
					WHEN i % 5 = 0 THEN random() * 1e6 WHEN i % 5 = 1 THEN 0 ELSE round((random() * 500 - 100)::numeric, 2) END FROM generate_series(1, 6) p) END AS a
		FROM generate_series(1, $customers) i;
		-- some that come back with the opposite sign
		INSERT INTO made SELECT -i, g, ARRAY(SELECT -e FROM unnest(a) WITH ORDINALITY u (e, n) ORDER BY n) FROM made WHERE i % 3 > 0 AND i % 4 = 0 AND a IS NOT NULL;
		CREATE TABLE shuffled AS SELECT * FROM made ORDER BY random();
		ANALYZE made, shuffled;
		$serial; SET enable_hashagg = off;
		CREATE TABLE reference AS SELECT g, cohort_value(a) AS v FROM (SELECT * FROM made ORDER BY g, i) s GROUP BY g;
		CREATE FUNCTION parts(cohort_value) RETURNS text LANGUAGE sql IMMUTABLE RETURN \$1::text");
	like(sql('SELECT max((SELECT max(jsonb_array_length(s)) FROM jsonb_path_query(v::text::jsonb, \'strict $.periods[*][2] ? (@.type() == "array")\') s)) FROM reference'), qr/^1[0-9]$|^[2-4][0-9]$/,
		'some sums need many doubles');
	return;
}

# Counts and sums of some groups as Perl has them, in units of the smallest double.
sub test_exactness
{
	my (%expected, @wrong);
	for (split /\n/, sql("SELECT g, coalesce(encode(float8send(e), 'hex'), ''), n - 1 FROM made, unnest(a) WITH ORDINALITY u (e, n) WHERE g IN (0, 1, 2, 3, 1001, 1002)"))
	{
		my ($g, $hex, $period) = split /\|/, $_, -1;
		my $sum = $expected{$g}[$period] //= [ 0, 0, Math::BigInt->new(0) ];
		next if $hex eq '';
		my $units = units($hex);
		$sum->[0]++;
		$sum->[1]++ if !$units->is_zero;
		$sum->[2] += $units;
	}
	my $periods = 0;
	for (split /\n/, sql("SELECT g, n - 1, p->>0, p->>1, (SELECT string_agg(encode(float8send(s::text::float8), 'hex'), ' ' ORDER BY m) FROM jsonb_array_elements(CASE jsonb_typeof(p->2) WHEN 'array' THEN p->2 ELSE jsonb_build_array(p->2) END) WITH ORDINALITY x (s, m)),
			encode(float8send(r.value), 'hex')
		FROM reference, jsonb_array_elements(v::text::jsonb->'periods') WITH ORDINALITY u (p, n) JOIN LATERAL cohort_value_periods(v) r ON r.period = n - 1 WHERE g IN (0, 1, 2, 3, 1001, 1002)"))
	{
		my ($g, $period, $count, $active, $parts, $value) = split /\|/;
		my $total = Math::BigInt->new(0);
		$total += units($_) for split / /, $parts;
		my $e = $expected{$g}[$period];
		# what is printed is the sum, and its first part is the value, within half of its last bit
		my $rest = ($e->[2] - units($value))->babs;
		push @wrong, "$g, $period" if $count != $e->[0] || $active != $e->[1] || $total != $e->[2] || $rest * 2 > ulp($value);
		$periods++;
	}
	is("@wrong", '', 'exact sums');
	is($periods, 36, 'of six groups');
	return;
}

# A double in units of 2^-1074, from its bytes in hexadecimal.
sub units
{
	my $bits = unpack "Q>", pack "H16", shift;
	my $exponent = $bits >> 52 & 0x7ff;
	my $fraction = $bits & ((1 << 52) - 1);
	my $units = Math::BigInt->new($exponent == 0 ? $fraction : $fraction | 1 << 52);
	$units->blsft($exponent - 1) if $exponent > 1;
	return $bits >> 63 ? -$units : $units;
}

sub ulp
{
	my $exponent = unpack("Q>", pack "H16", shift) >> 52 & 0x7ff;
	return Math::BigInt->new(1)->blsft($exponent > 1 ? $exponent - 1 : 0);
}

sub test_plans
{
	my $query = 'SELECT g, cohort_value(a) AS v FROM shuffled GROUP BY g';
	same_as_reference('shuffled, hashed', $query, $serial, qr/HashAggregate/);
	same_as_reference('shuffled, sorted', $query, "$serial; SET enable_hashagg = off", qr/GroupAggregate/);
	same_as_reference('spilled', $query, "SET max_parallel_workers_per_gather = 0; SET work_mem = '64kB'; SET enable_sort = off", qr/Disk Usage/);
	same_as_reference('parallel', $query, $parallel, qr/Finalize.*Partial/s);
	same_as_reference('parallel, sorted', $query, "$parallel; SET enable_hashagg = off", qr/Finalize.*Partial/s);
	is(sql("$parallel; SET max_parallel_workers_per_gather = 4; CREATE TEMP TABLE one AS SELECT cohort_value(a) AS v FROM shuffled; RESET ALL; SELECT cohort_value_send(v) = (SELECT cohort_value_send(cohort_value(a)) FROM made) FROM one"), 't', 'of all, parallel');
	return;
}

sub test_merge_trees
{
	for my $ways (2, 5, 60)
	{
		same_as_reference("merged from $ways parts", "SELECT g, rollup(v ORDER BY part * 7919 % 61) AS v FROM (SELECT g, i % $ways AS part, cohort_value(a) AS v FROM shuffled GROUP BY 1, 2) s GROUP BY g", $serial);
	}
	same_as_reference('merged in a tree', 'SELECT g, rollup(v) AS v FROM (SELECT g, part % 3 AS part, rollup(v) AS v FROM (SELECT g, part % 11 AS part, rollup(v) AS v FROM (SELECT g, i % 60 AS part, cohort_value(a) AS v FROM shuffled GROUP BY 1, 2) s GROUP BY 1, s.part % 11) s GROUP BY 1, 2) s GROUP BY g', $serial);
	set_up("CREATE TABLE stored AS SELECT g, i % 9 AS part, cohort_value(a)::text AS v FROM shuffled GROUP BY 1, 2; ANALYZE stored");
	same_as_reference('merged from text, parallel', 'SELECT g, rollup(v::cohort_value) AS v FROM stored GROUP BY g', $parallel, qr/Finalize.*Partial/s);
	return;
}

sub same_as_reference
{
	my ($name, $query, $settings, $plan) = @_;
	like(sql("$settings; EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) $query"), $plan, "plan of $name") if $plan;
	is(sql("$settings; CREATE TEMP TABLE compared AS $query; RESET ALL; SELECT count(*) > 300, (SELECT count(*) FROM reference r FULL JOIN compared m USING (g)
		WHERE cohort_value_send(r.v) IS DISTINCT FROM cohort_value_send(m.v) OR r.v <> m.v OR r.v::text IS DISTINCT FROM m.v::text) FROM compared"), 't|0', $name);
	return;
}

# Invoice lines of known customers: purchases, and cancellations as refunds. A line below the
# highest price that its article has had so far counts as one at a discount.
sub load_retail
{
	my $file = File::Temp->new;
	system("gzip -dc '$retail' > '$file'") == 0 or die "$retail: cannot be read\n";
	set_up("CREATE TABLE raw (invoice text, stock_code text, quantity int, invoiced_at timestamp, unit_price numeric, customer_id int, country text);
		\\copy raw FROM '$file' (FORMAT csv, HEADER)
		SELECT 1");
	set_up("CREATE TABLE line AS SELECT customer_id AS customer, invoiced_at AT TIME ZONE 'Europe/London' AS at, quantity * unit_price AS value, CASE WHEN quantity > 0 THEN 'purchase' ELSE 'refund' END AS event,
				unit_price < 0.7 * max(unit_price) OVER (PARTITION BY stock_code) AS discounted
			FROM raw WHERE customer_id IS NOT NULL AND unit_price > 0 AND (quantity > 0) = (invoice NOT LIKE 'C%');
		CREATE TABLE buyer AS SELECT customer, timeline(at, event, NULL, value, CASE WHEN discounted THEN jsonb '{\"discount\": \"yes\"}' END) AS t FROM line GROUP BY customer;
		CREATE TABLE first_order AS SELECT customer, min(at) AS at FROM line WHERE event = 'purchase' GROUP BY customer;
		CREATE TABLE receipt AS SELECT customer, at, event, sum(value) AS value FROM line GROUP BY customer, at, event;
		ANALYZE line, buyer, first_order, receipt");
	is(sql("SELECT count(*), sum(value), count(DISTINCT customer) FROM line WHERE event = 'purchase'"), '397884|8911407.904|4338', 'the lines that are known');
	return;
}

# Every customer's value in each month, week and stretch of 30 days, beside plain SQL.
sub test_value_by_age
{
	my %periods = (
		'1 month' => [ "'Europe/London'", "(extract(year FROM %1\$s) * 12 + extract(month FROM %1\$s))::int" ],
		'7 days' => [ "'Europe/London'", "((date_trunc('week', %1\$s)::date - date '2001-01-01') / 7)" ],
		'30 days' => [ 'NULL', undef ]);
	for my $period (sort keys %periods)
	{
		my ($zone, $unit) = @{ $periods{$period} };
		my $local = sub { sprintf $unit, "($_[0] AT TIME ZONE 'Europe/London')" };
		my $number = sub { $unit ? $local->($_[0]) . ' - ' . $local->('f.at') : "floor(extract(epoch FROM $_[0] - f.at) / 2592000)::int" };
		my $as_of = "timestamptz '2011-11-30 23:59:59Z'";
		for ([ 'purchase', "event = 'purchase'" ], [ 'purchase|refund', 'true' ])
		{
			my ($pattern, $condition) = @$_;
			is(sql("WITH sums AS (SELECT customer, " . $number->('l.at') . " AS n, sum(value) AS value FROM receipt l JOIN first_order f USING (customer) WHERE $condition AND l.at >= f.at AND l.at <= $as_of AND f.at <= $as_of GROUP BY 1, 2),
				expected AS (SELECT customer, n, CASE WHEN " . $number->($as_of) . " > n THEN coalesce(s.value, 0) END AS value FROM first_order f CROSS JOIN generate_series(0, 13) n LEFT JOIN sums s USING (customer, n) WHERE f.at <= $as_of),
				got AS (SELECT customer, n - 1 AS n, e AS value FROM buyer, unnest(value_by_age(t, 'purchase', '$pattern', '$period', 13, $zone, $as_of)) WITH ORDINALITY u (e, n))
				SELECT count(*) > 50000, count(*) FILTER (WHERE g.value IS NULL) > 3000, count(*) FILTER (WHERE g.customer IS NULL OR e.customer IS NULL OR round(g.value::numeric, 6) IS DISTINCT FROM round(e.value, 6))
				FROM expected e FULL JOIN got g USING (customer, n)"), 't|t|0', "value by age of $pattern, $period");
		}
	}
	return;
}

# Cohorts of first months in the table, their sum, and what it takes to pay back 250.
sub test_cohorts
{
	set_up("CREATE TABLE cohort AS SELECT date_trunc('month', f.at, 'Europe/London') AS cohort, cohort_value(value_by_age(t, 'purchase', 'purchase|refund', '1 month', 11, 'Europe/London', '2011-11-30 23:59:59Z')) AS stats
		FROM buyer JOIN first_order f USING (customer) GROUP BY 1");
	my $london = "(extract(year FROM %1\$s AT TIME ZONE 'Europe/London') * 12 + extract(month FROM %1\$s AT TIME ZONE 'Europe/London'))::int";
	my $age = sprintf($london, 'l.at') . ' - ' . sprintf $london, 'f.at';
	is(sql("WITH expected AS (SELECT date_trunc('month', f.at, 'Europe/London') AS cohort, $age AS period, sum(value) AS value, count(DISTINCT l.customer) AS active
			FROM receipt l JOIN first_order f USING (customer) WHERE l.at >= f.at AND l.at < '2011-11-01Z' GROUP BY 1, 2),
		size AS (SELECT date_trunc('month', at, 'Europe/London') AS cohort, count(*) AS customers FROM first_order GROUP BY 1)
		SELECT count(*), count(*) FILTER (WHERE p.customers > 0), count(*) FILTER (WHERE p.customers > 0 AND (p.customers <> s.customers OR abs(p.value - coalesce(e.value, 0)::float8) > 1e-6 OR p.active_customers > coalesce(e.active, 0)))
		FROM cohort c CROSS JOIN cohort_value_periods(stats) p JOIN size s USING (cohort) LEFT JOIN expected e USING (cohort, period)"), '144|66|0', 'cohorts of months');
	is(sql("SELECT abs(sum(value) - (SELECT sum(value) FROM receipt l JOIN first_order f USING (customer) WHERE l.at >= f.at AND l.at < '2011-11-01Z')::float8) < 1e-5 FROM cohort, cohort_value_periods(stats)"), 't', 'nothing is lost');
	is(sql("SELECT rollup(stats) = (SELECT cohort_value(value_by_age(t, 'purchase', 'purchase|refund', '1 month', 11, 'Europe/London', '2011-11-30 23:59:59Z')) FROM buyer) FROM cohort"), 't', 'the year is the sum of its months');
	# cumulative columns, from the others
	is(sql("SELECT count(*), count(*) FILTER (WHERE customers > 0 AND (abs(cumulative_value - total) > 1e-9 * total OR abs(discounted_value - present) > 1e-9 * present OR is_paid_back <> (total >= cost) OR is_paid_back_discounted <> (present >= cost))),
			count(*) FILTER (WHERE is_paid_back AND NOT is_paid_back_discounted) > 0, count(*) FILTER (WHERE is_paid_back IS NULL AND customers > 0)
		FROM (SELECT cost, p.*, sum(value / nullif(customers, 0)) OVER so_far AS total, sum(value / nullif(customers, 0) * 1.03::float8 ^ -period) OVER so_far AS present
			FROM (SELECT * FROM cohort UNION ALL SELECT NULL, rollup(stats) FROM cohort) c, unnest('{250,500,700,1000,1500,2000}'::float8[]) cost, cohort_value_periods(stats, cost, 0.03) p WINDOW so_far AS (PARTITION BY cost, cohort ORDER BY period)) s"),
		'936|0|t|0', 'cumulative values and payback');
	is(sql("SELECT count(*) > 5, count(*) FILTER (WHERE ceil(payback)::int - 1 <> first_paid) FROM (SELECT payback_period(700, array_agg(value_per_customer ORDER BY period), 0.01) AS payback, min(period) FILTER (WHERE is_paid_back_discounted) AS first_paid
		FROM cohort, cohort_value_periods(stats, 700, 0.01) GROUP BY cohort) s WHERE payback IS NOT NULL OR first_paid IS NOT NULL"), 't|0', 'payback_period says the same');
	return;
}

sub test_bought_again
{
	for my $as_of ('2011-12-09 23:59:59Z', '2011-09-01 00:00Z')
	{
		is(sql("WITH day AS (SELECT customer, (at AT TIME ZONE 'Europe/London')::date AS date FROM line WHERE at <= '$as_of' GROUP BY 1, 2 HAVING min(value) >= 0 OR sum(value) > 0),
			expected AS (SELECT customer, CASE WHEN (timestamptz '$as_of' AT TIME ZONE 'Europe/London')::date - min(date) > 90 THEN bool_or(date > first AND date - first <= 90) END AS again
				FROM (SELECT *, min(date) OVER (PARTITION BY customer) AS first FROM day) d GROUP BY customer),
			got AS (SELECT customer, bought_again(t, 'purchase|refund', '90 days', '$as_of', 'Europe/London') AS again FROM buyer)
			SELECT count(*) FILTER (WHERE g.again) > 500, count(*) FILTER (WHERE NOT g.again) > 500, count(*) FILTER (WHERE g.again IS NULL) > 500, count(*) FILTER (WHERE g.again IS DISTINCT FROM e.again),
				value_basis(count(*) FILTER (WHERE g.again), count(g.again)) FROM got g LEFT JOIN expected e USING (customer)"), 't|t|t|0|CLV', "who bought again in 90 days, up to $as_of");
	}
	return;
}

sub test_discount_use
{
	is(sql("WITH expected AS (SELECT customer, count(*) FILTER (WHERE is_order) AS orders, count(*) FILTER (WHERE is_discounted) AS discounted_orders, sum(value) AS value, sum(discounted_value) AS discounted_value
			FROM (SELECT customer, at, bool_or(value >= 0) AS is_order, bool_or(value >= 0 AND discounted) AS is_discounted, sum(value) AS value, coalesce(sum(value) FILTER (WHERE discounted), 0) AS discounted_value FROM line GROUP BY customer, at) o
			GROUP BY customer HAVING bool_or(is_order))
		SELECT count(d.orders), count(*) FILTER (WHERE d.is_sale_only) > 100, count(*) FILTER (WHERE (d.orders, d.discounted_orders, round(d.value::numeric, 6), round(d.discounted_value::numeric, 6), d.is_sale_only)
			IS DISTINCT FROM (e.orders, e.discounted_orders, round(e.value, 6), round(e.discounted_value, 6), e.orders = e.discounted_orders)),
			sum(d.orders) = (SELECT count(*) FROM receipt WHERE event = 'purchase')
		FROM (SELECT customer, d.* FROM buyer, discount_use(t, 'purchase|refund', '*[discount=*]') d) d LEFT JOIN expected e USING (customer)"), '4338|t|0|t', 'use of discounts');
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

# The last result, or the error. The text comes through a pipe, for it may be long.
sub psql
{
	my ($db, $sql) = @_;
	my $file = File::Temp->new;
	print {$file} "SET timezone = 'UTC';\n$sql;\n";
	close $file or die "$!\n";
	my @command = ('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $db, '-f', $file->filename);
	my $pid = open my $out, '-|';
	die "fork: $!\n" if !defined $pid;
	if ($pid == 0)
	{
		open STDERR, '>&', \*STDOUT or die "$!\n";
		exec @command or die "$command[0]: $!\n";
	}
	my $text = do { local $/ = undef; <$out> };
	$last_failed = !close $out;
	return ($text // '') =~ s/\n\z//r;
}
