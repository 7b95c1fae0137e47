# Retention is what plain SQL computes from the rows: for each visitor in every mode, with
# rolling and calendar periods, and counted over many visitors by any plan.
#
#	VISITORS=2400 SEED=1	how many are compared with plain SQL
use strict;
use warnings;
use Test::More;

my $last_failed;
my $database = 'retention_test';
my $visitors = $ENV{VISITORS} || 2400;
# for setseed(), between 0 and 1
my $seed = ($ENV{SEED} || 1) * 0.618033988749895;
$seed -= int $seed;
$ENV{PGOPTIONS} = '-c client_min_messages=warning';

my $serial = 'SET max_parallel_workers_per_gather = 0';
my $parallel = q{
	SET parallel_setup_cost = 0;
	SET parallel_tuple_cost = 0;
	SET min_parallel_table_scan_size = 0;
	SET max_parallel_workers_per_gather = 3;
	SET parallel_leader_participation = off};

# Each as_of, and whether there is one: none, the visitor's own, one for all.
my @as_of = ([ 'NULL::timestamptz', 0 ], [ 'as_of', 1 ], [ "'2026-11-01 12:00Z'::timestamptz", 1 ]);
my $cuts = 'ARRAY[1, 2, 5, 9, 10, 30]';
my $compared = 0;

psql('postgres', "DROP DATABASE IF EXISTS $database");
psql('postgres', "CREATE DATABASE $database ENCODING 'UTF8' TEMPLATE template0");
END
{
	my $status = $?;
	psql('postgres', "DROP DATABASE IF EXISTS $database WITH (FORCE)");
	$? = $status;
}
set_up('CREATE EXTENSION engagement');

make_rows();
test_rolling();
test_calendar_by_boundaries();
test_calendar_by_dates();
test_first_start();
make_arrays();
test_stats();
test_conditions();
done_testing();

# Visitors around instants at which something happens to local time: clocks change, a
# year, an ISO week or a leap day begins. Events lie hours, days, weeks or months apart;
# many lie exactly on a boundary or a microsecond beside it, of a rolling period or of a
# local day, and so does each visitor's own as_of. A visitor of five never starts.
sub make_rows
{
	set_up("SELECT setseed($seed);
		CREATE TABLE visitor AS SELECT v AS visitor, start_at + random() * interval '2 days' AS start_at, zone,
				(ARRAY['8 hours', '3 days', '20 days', '200 days']::interval[])[1 + v / 9 % 4] AS reach
			FROM generate_series(1, $visitors) v, LATERAL (SELECT (ARRAY['2026-03-27 18:00Z', '2026-10-23 18:00Z', '2026-12-30 06:00Z', '2027-12-31 06:00Z', '2028-02-27 12:00Z',
				'2010-11-05 22:00Z', '2011-12-28 20:00Z', '2026-10-31 06:00Z', '1999-12-30 12:00Z']::timestamptz[])[1 + v % 9] AS start_at,
				(ARRAY['Europe/Oslo', 'Europe/Oslo', 'Europe/Oslo', 'Asia/Beirut', 'Europe/Oslo', 'America/St_Johns', 'Pacific/Apia', 'America/Havana', 'Asia/Kolkata'])[1 + v % 9] AS zone) f;
		CREATE FUNCTION near(at timestamptz, zone text) RETURNS timestamptz LANGUAGE sql VOLATILE RETURN
			CASE floor(random() * 3)::int
				WHEN 0 THEN date_trunc((ARRAY['day', 'day', 'week', 'month', 'quarter', 'year'])[1 + floor(random() * 6)::int], at AT TIME ZONE zone + interval '1 day') AT TIME ZONE zone
				WHEN 1 THEN date_trunc('hour', at) ELSE at END
			+ floor(random() * 3 - 1) * interval '1 us';
		CREATE TABLE event_row AS
			SELECT visitor, start_at AS at, 'start' AS event FROM visitor WHERE visitor % 5 > 0
			UNION ALL SELECT visitor, CASE floor(random() * 3)::int
					WHEN 0 THEN start_at + floor(random() * 12) * (ARRAY['1 hour', '1 day', '7 days']::interval[])[1 + floor(random() * 3)::int] + floor(random() * 3 - 1) * interval '1 us'
					WHEN 1 THEN near(start_at + random() * reach, zone)
					ELSE start_at + (random() * 1.2 - 0.2) * reach END,
				(ARRAY['view', 'view', 'view', 'buy', 'other'])[1 + floor(random() * 5)::int]
			FROM visitor, generate_series(1, 9)
			UNION ALL SELECT visitor, start_at + (random() - 0.5) * reach, 'start' FROM visitor WHERE visitor % 5 > 2;
		ALTER TABLE visitor ADD as_of timestamptz;
		UPDATE visitor SET as_of = CASE visitor / 5 % 4
			WHEN 0 THEN start_at + floor(random() * 10) * interval '1 day' + floor(random() * 3 - 1) * interval '1 us'
			WHEN 1 THEN near(start_at + random() * reach, zone)
			WHEN 2 THEN start_at + (random() * 2 - 0.3) * reach END;
		CREATE TABLE made AS SELECT v.*, t FROM visitor v JOIN (SELECT visitor, timeline(at, event) AS t FROM event_row GROUP BY visitor) s USING (visitor);
		CREATE INDEX ON event_row (visitor);
		ANALYZE");
	is(sql("SELECT count(*), count(*) FILTER (WHERE event_count(t, 'start') = 0) > count(*) / 6, count(*) FILTER (WHERE as_of IS NULL) > count(*) / 6 FROM made"),
		"$visitors|t|t", "$visitors visitors");
	return;
}

# Compares the calls for a third of the visitors, which third changes. $bounds gives for
# each element after the first, numbered n, where its period begins and ends ("infinity":
# unbounded), and whether it is complete. It sees the first start event as start, and
# until, which is as_of or infinity.
sub compare
{
	my ($name, $as_of, $call, $bounds, $where) = @_;
	my $third = 'visitor / 45 % 3 = ' . ($compared + int($compared / 3) + int($compared / 9)) % 3;
	$compared++;
	$where = $where ? "$third AND $where" : $third;
	my $limit = "coalesce($as_of, 'infinity'::timestamptz)";
	my $expected = "WITH v AS (SELECT m.visitor, m.zone, m.t, $as_of AS as_of, $limit AS until, min(at) FILTER (WHERE event = 'start' AND at <= $limit) AS start
			FROM made m JOIN event_row USING (visitor) WHERE $where GROUP BY m.visitor, m.zone, m.t, m.as_of),
		element AS (SELECT v.visitor, n, CASE WHEN complete THEN bool_or(e.at IS NOT NULL) END AS back
			FROM v CROSS JOIN LATERAL ($bounds) b
				LEFT JOIN event_row e ON e.visitor = v.visitor AND e.event IN ('view', 'buy') AND e.at <= until AND e.at >= begins_at AND e.at < ends_at
			WHERE start IS NOT NULL GROUP BY v.visitor, n, complete),
		expected AS (SELECT visitor, ARRAY[true] || array_agg(back ORDER BY n) AS r FROM element GROUP BY visitor),
		got AS (SELECT visitor, $call AS r FROM v)";
	# a difference, and whether the case shows anything: both answers, NULL if there is an as_of
	return "$expected SELECT '$name', count(*) FILTER (WHERE g.r IS DISTINCT FROM e.r), bool_or(true = ANY (g.r[2:])) AND bool_or(false = ANY (g.r[2:])),
		bool_or(array_position(g.r, NULL) IS NOT NULL) FROM got g LEFT JOIN expected e USING (visitor)";
}

# All cases in one statement; a case that shows nothing is a failure too.
sub run_cases
{
	my ($title, @cases) = @_;
	my @wrong;
	my @rows = split /\n/, sql(join ' UNION ALL ', map { "($_->[0])" } @cases);
	is(scalar @rows, scalar @cases, "$title: all cases") or diag("@rows");
	my %has_as_of = map { $_->[0] =~ /^.*SELECT '(.*?)', count/s; ($1 => $_->[1]) } @cases;
	for (@rows)
	{
		my ($name, $different, $both, $null) = split /\|/;
		push @wrong, $_ if $different ne '0' || $both ne 't' || ($null eq 't') != $has_as_of{$name};
	}
	is(join("\n", @wrong), '', "$title: " . scalar(@rows) . ' cases');
	return;
}

sub test_rolling
{
	my @cases;
	for my $period ('1 day', '7 days', '1 hour', '30 days', '1 day 00:00:00.000001', '17 hours')
	{
		for (@as_of)
		{
			my ($as_of, $has_as_of) = @$_;
			my %bounds = (
				n_day => "SELECT n, start + n * p AS begins_at, start + (n + 1) * p AS ends_at, start + (n + 1) * p <= until AS complete FROM generate_series(1, 9) n",
				unbounded => "SELECT n, start + n * p AS begins_at, 'infinity'::timestamptz AS ends_at, start + (n + 1) * p <= until AS complete FROM generate_series(1, 9) n",
				brackets => "SELECT n, start + ($cuts)[n] * p AS begins_at, start + ($cuts)[n + 1] * p AS ends_at, start + ($cuts)[n + 1] * p <= until AS complete FROM generate_series(1, 5) n",
			);
			for my $mode (sort keys %bounds)
			{
				my $arguments = $mode eq 'brackets' ? "NULL, NULL, as_of, 'brackets', $cuts" : "9, NULL, as_of, '$mode'";
				(my $bounds = $bounds{$mode}) =~ s/\bp\b/interval '$period'/g;
				push @cases, [ compare("$mode $period " . scalar(@cases), $as_of, "retention(t, 'start', 'view|buy', '$period', $arguments)", $bounds), $has_as_of ];
			}
		}
	}
	run_cases('rolling periods', @cases);
	return;
}

# Periods by where they begin in local time. Left out are the zones in which a date comes
# twice or a midnight is ambiguous.
sub test_calendar_by_boundaries
{
	my @cases;
	for ([ '1 day', 'day' ], [ '7 days', 'week' ], [ '14 days', 'week' ], [ '10 days', 'day' ], [ '1 month', 'month' ], [ '2 months', 'month' ], [ '3 months', 'quarter' ], [ '6 months', 'quarter' ],
		[ '1 year', 'year' ])
	{
		my ($period, $unit) = @$_;
		for (@as_of)
		{
			my ($as_of, $has_as_of) = @$_;
			my $edge = sub { "((date_trunc('$unit', start AT TIME ZONE zone) + $_[0] * interval '$period') AT TIME ZONE zone)" };
			my %bounds = (
				n_day => 'SELECT n, ' . $edge->('n') . ' AS begins_at, ' . $edge->('(n + 1)') . ' AS ends_at, ' . $edge->('(n + 1)') . ' <= until AS complete FROM generate_series(1, 9) n',
				unbounded => 'SELECT n, ' . $edge->('n') . " AS begins_at, 'infinity'::timestamptz AS ends_at, " . $edge->('(n + 1)') . ' <= until AS complete FROM generate_series(1, 9) n',
				brackets => 'SELECT n, ' . $edge->("($cuts)[n]") . ' AS begins_at, ' . $edge->("($cuts)[n + 1]") . ' AS ends_at, ' . $edge->("($cuts)[n + 1]") . ' <= until AS complete FROM generate_series(1, 5) n',
			);
			for my $mode (sort keys %bounds)
			{
				my $arguments = $mode eq 'brackets' ? "NULL, zone, as_of, 'brackets', $cuts" : "9, zone, as_of, '$mode'";
				push @cases, [ compare("$mode $period " . scalar(@cases), $as_of, "retention(t, 'start', 'view|buy', '$period', $arguments)", $bounds{$mode},
						"zone NOT IN ('America/Havana', 'America/St_Johns')"), $has_as_of ];
			}
		}
	}
	run_cases('calendar periods by boundaries', @cases);
	return;
}

# Periods by the local dates of the events, in zones with every oddity.
sub test_calendar_by_dates
{
	my @wrong;
	my $tried = 0;
	for ([ '1 day', "(%s - date '2001-01-01')", 1 ], [ '7 days', "floor((%s - date '2001-01-01') / 7.0)", 1 ], [ '21 days', "floor((%s - date '2001-01-01') / 7.0)", 3 ],
		[ '1 month', 'extract(year FROM %1$s) * 12 + extract(month FROM %1$s)', 1 ], [ '5 months', 'extract(year FROM %1$s) * 12 + extract(month FROM %1$s)', 5 ],
		[ '3 months', 'extract(year FROM %1$s) * 4 + extract(quarter FROM %1$s)', 1 ], [ '9 months', 'extract(year FROM %1$s) * 4 + extract(quarter FROM %1$s)', 3 ],
		[ '1 year', 'extract(year FROM %s)', 1 ])
	{
		my ($period, $unit, $count) = @$_;
		my $number = sub { '(' . sprintf($unit, "($_[0] AT TIME ZONE zone)::date") . ')::int' };
		for ((map { [ $_->[0], 'zone' ] } @as_of), [ 'as_of', "text 'Europe/Oslo'" ])
		{
			my ($as_of, $zone) = @$_;
			my $limit = "coalesce($as_of, 'infinity'::timestamptz)";
			my $different = sql("WITH v AS (SELECT visitor, $zone AS zone, t, $as_of AS as_of, $limit AS until, (SELECT min(at) FROM event_row e WHERE e.visitor = m.visitor AND event = 'start' AND at <= $limit) AS start FROM made m),
				unit AS (SELECT *, " . $number->('start') . " AS u, CASE WHEN as_of IS NULL THEN 1000000 ELSE " . $number->('as_of') . " END AS last FROM v WHERE start IS NOT NULL),
				back AS (SELECT u.visitor, (" . $number->('at') . " - u) / $count AS n FROM unit u JOIN event_row e USING (visitor) WHERE e.event IN ('view', 'buy') AND e.at > start AND e.at <= until),
				backs AS (SELECT visitor, array_agg(DISTINCT n) AS periods FROM back GROUP BY visitor),
				expected AS (SELECT visitor, array_agg(CASE WHEN n = 0 THEN true WHEN (last - u) / $count > n THEN coalesce(n = ANY (periods), false) END ORDER BY n) AS r
					FROM unit LEFT JOIN backs USING (visitor), generate_series(0, 8) AS s (n) GROUP BY visitor)
				SELECT count(*), count(DISTINCT zone) FROM v LEFT JOIN expected e USING (visitor)
				WHERE retention(t, 'start', 'view|buy', '$period', 8, zone, as_of) IS DISTINCT FROM e.r");
			push @wrong, "$period, as_of $as_of: $different" if $different ne '0|0';
			$tried++;
		}
	}
	is(join("\n", @wrong), '', "calendar periods by dates in $tried ways");
	return;
}

# With the start as its own return, and any event as either.
sub test_first_start
{
	is(sql("SELECT count(*) FROM made m WHERE retention(t, 'start', 'start', '1 day', 3) IS DISTINCT FROM
			(SELECT ARRAY[true, bool_or(d = 1), bool_or(d = 2), bool_or(d = 3)] FROM (SELECT floor(extract(epoch FROM at - min(at) OVER ()) / 86400) AS d
				FROM event_row e WHERE e.visitor = m.visitor AND event = 'start') s HAVING count(*) > 0)"), '0', 'a second start is a return');
	is(sql("SELECT count(*) FROM made m WHERE retention(t, '*', '*', '1 day', 3) IS DISTINCT FROM
			(SELECT ARRAY[true, bool_or(d = 1), bool_or(d = 2), bool_or(d = 3)] FROM (SELECT floor(extract(epoch FROM at - min(at) OVER ()) / 86400) AS d
				FROM event_row e WHERE e.visitor = m.visitor) s)"), '0', 'any event is both');
	return;
}

# What retention gives, and what it might: for 30,000 visitors in 3,000 groups.
sub make_arrays
{
	set_up("SELECT setseed($seed);
		CREATE TABLE answer AS SELECT i % 3000 AS cohort, i, random() AS place,
				CASE WHEN random() < 0.9 THEN (SELECT array_agg(CASE WHEN n = 0 OR random() < 0.9 THEN n = 0 OR random() < 0.4 END ORDER BY n) FROM generate_series(0, 12 + 0 * i) n) END AS r
			FROM generate_series(1, 30000) i;
		CREATE INDEX ON answer (cohort);
		CREATE TABLE shuffled AS SELECT * FROM answer ORDER BY place;
		CREATE TABLE reference AS SELECT cohort, ('(' || string_agg(returned || '/' || size, ', ' ORDER BY n) || ')')::retention_stats AS s
			FROM (SELECT cohort, n, count(*) FILTER (WHERE r[n]) AS returned, count(r[n]) AS size FROM answer, generate_series(1, 13) n WHERE r IS NOT NULL GROUP BY cohort, n) s GROUP BY cohort;
		ANALYZE");
	return;
}

sub test_stats
{
	my $query = 'SELECT cohort, retention_stats(r) AS s FROM shuffled GROUP BY cohort';
	same('retention_stats: sorted groups', $query, "$serial; SET enable_hashagg = off", qr/GroupAggregate/);
	same('hashed groups', $query, "$serial; SET enable_sort = off; SET work_mem = '1GB'", qr/HashAggregate.*Batches: 1 /s);
	same('spilled hash aggregation', $query, "$serial; SET enable_sort = off; SET work_mem = '64kB'; SET hash_mem_multiplier = 1",
		qr/HashAggregate.*Batches: (?:[2-9]|\d\d).*Disk Usage/s);
	same('workers', $query, "$parallel; SET enable_sort = off; SET work_mem = '1GB'", qr/Workers Launched: [1-9].*Partial HashAggregate/s);
	same('workers that spill', $query, "$parallel; SET enable_sort = off; SET work_mem = '64kB'; SET hash_mem_multiplier = 1",
		qr/Workers Launched: [1-9].*Partial HashAggregate.*Batches: (?:[2-9]|\d\d).*Disk Usage/s);
	same('rollup by workers', 'SELECT cohort, rollup(s) AS s FROM part GROUP BY cohort',
		"CREATE TABLE part AS SELECT cohort, retention_stats(r) AS s FROM shuffled GROUP BY cohort, i; ANALYZE part; $parallel; SET enable_sort = off; SET work_mem = '1GB'",
		qr/Workers Launched: [1-9].*Partial HashAggregate/s);
	same('random trees', "SELECT cohort, rollup(s) AS s FROM (SELECT cohort, b, rollup(s ORDER BY random()) AS s FROM (SELECT cohort, floor(place * 9)::int AS a, floor(random() * 3) AS b, retention_stats(r) AS s
		FROM shuffled GROUP BY 1, 2, i) s GROUP BY cohort, b) s GROUP BY cohort", $serial);
	same('stored and read back', "SELECT cohort, rollup(s::text::retention_stats) AS s FROM (SELECT cohort, retention_stats(r) AS s FROM shuffled GROUP BY cohort, i % 2) s GROUP BY cohort", $serial);
	is(sql("$parallel; SELECT retention_stats(r)::text FROM shuffled"), sql("$serial; SELECT rollup(s)::text FROM reference"), 'one group of all rows, by workers');
	is(sql("SELECT count(*) FILTER (WHERE s::text <> t), count(*) FROM (SELECT s, (SELECT retention_stats(r)::text FROM answer b WHERE b.cohort = a.cohort AND b.i <= a.i) AS t
			FROM (SELECT cohort, i, retention_stats(r) OVER (PARTITION BY cohort ORDER BY i) AS s FROM answer WHERE cohort < 100) a OFFSET 0) s"), '0|1000', 'running counts');
	is(sql("WITH n AS (SELECT *, row_number() OVER (ORDER BY cohort) AS n FROM reference WHERE cohort < 500), w AS (SELECT n, rollup(s) OVER (ORDER BY n ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) AS s FROM n)
		SELECT count(*) FILTER (WHERE s <> (SELECT rollup(s) FROM n WHERE n.n BETWEEN w.n - 6 AND w.n)), count(*) > 450 FROM w"), '0|t', 'rollup over a moving window');
	is(sql("SELECT count(*) FILTER (WHERE size IS DISTINCT FROM a.n OR returned IS DISTINCT FROM a.back OR rate IS DISTINCT FROM a.back::float8 / nullif(a.n, 0)
				OR (rate_lower <= rate AND rate <= rate_upper) IS DISTINCT FROM (CASE WHEN a.n > 0 THEN true END)), count(*) = 13 * (SELECT count(*) FROM reference)
		FROM reference JOIN LATERAL retention_periods(s) p ON true JOIN (SELECT cohort, n - 1 AS period, count(r[n]) AS n, count(*) FILTER (WHERE r[n]) AS back
			FROM answer, generate_series(1, 13) n GROUP BY cohort, 2, answer.cohort, n.n) a USING (cohort, period)"), '0|t', 'retention_periods');
	return;
}

# ClickHouse's aggregate. These 13 rows of 6 visitors were asked there too (26.7.2, chdb
# 3.4.0, retention(c = 1, c = 2, c = 3) GROUP BY v): its answers are below.
sub test_conditions
{
	is(sql("SELECT string_agg(v || ':' || r::text, ' ' ORDER BY v) FROM (SELECT v, retention(c = 1, c = 2, c = 3) AS r
		FROM (VALUES (1,1), (1,3), (2,2), (2,3), (3,3), (3,2), (3,1), (4,1), (5,4), (6,2), (6,1), (6,1), (6,4)) AS rows (v, c) GROUP BY v) s"),
		'1:{t,f,t} 2:{f,f,f} 3:{t,t,t} 4:{t,f,f} 5:{f,f,f} 6:{t,t,f}', 'conditions as in ClickHouse');
	my $query = 'SELECT cohort AS v, retention(i % 7 = 0, i % 11 = 1, place < 0.2, i % 5 = 3, CASE WHEN place > 0.9 THEN i % 2 = 0 END) AS r FROM shuffled GROUP BY cohort';
	my $expected = 'SELECT cohort AS v, ARRAY[a, a AND b, a AND c, a AND d, a AND e] AS r FROM (SELECT cohort, bool_or(i % 7 = 0) AS a, bool_or(i % 11 = 1) AS b, bool_or(place < 0.2) AS c,
		bool_or(i % 5 = 3) AS d, coalesce(bool_or(place > 0.9 AND i % 2 = 0), false) AS e FROM answer GROUP BY cohort) s';
	for ([ 'sorted groups', "$serial; SET enable_hashagg = off", qr/GroupAggregate/ ],
		[ 'spilled hash aggregation', "$serial; SET enable_sort = off; SET work_mem = '64kB'; SET hash_mem_multiplier = 1", qr/HashAggregate.*Batches: (?:[2-9]|\d\d).*Disk Usage/s ],
		[ 'workers', "$parallel; SET enable_sort = off; SET work_mem = '1GB'", qr/Workers Launched: [1-9].*Partial HashAggregate/s ])
	{
		my ($name, $settings, $plan) = @$_;
		like(sql("$settings; EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) $query"), $plan, "conditions: plan of $name");
		is(sql("$settings; CREATE TEMP TABLE made AS $query; RESET ALL;
			SELECT count(*) FILTER (WHERE m.r IS DISTINCT FROM e.r), count(*), count(DISTINCT m.r) > 10 FROM made m FULL JOIN ($expected) e USING (v)"), '0|3000|t', "conditions: $name");
	}
	return;
}

# Do these counts equal those of the reference? With a pattern, the plan must match it.
sub same
{
	my ($name, $query, $settings, $plan) = @_;
	if ($plan)
	{
		like(sql("$settings; EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) $query"), $plan, "plan of $name");
		$settings =~ s/CREATE TABLE.*?;\s*ANALYZE \w+;//s;
	}
	is(sql("$settings; CREATE TEMP TABLE counted AS $query; RESET ALL; SELECT count(*) > 2900, count(*) FILTER (WHERE retention_stats_send(c.s) IS DISTINCT FROM retention_stats_send(r.s))
		FROM reference r FULL JOIN counted c USING (cohort)"), 't|0', $name);
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
