# window_funnel against ClickHouse: its answers to random cases of all modes
# (test/reference/window_funnel.txt), from rows in random order, by whatever plan. Under
# strict_increase alone, where ClickHouse loses chains, against an exhaustive search here.
#
#	SEED=1 CASES=1500	of the cases that only the exhaustive search answers
use strict;
use warnings;
use FindBin;
use List::Util qw(max shuffle);
use Test::More;

my $last_failed;
my $database = 'window_funnel_test';
my $case_count = $ENV{CASES} || 1500;
my $seed = $ENV{SEED} || 1;
# for setseed(), between 0 and 1
my $sql_seed = $seed * 0.618033988749895;
$sql_seed -= int $sql_seed;
srand $seed;
$ENV{PGOPTIONS} = '-c client_min_messages=warning';

my $funnel = 'window_funnel(within, mode, at, VARIADIC conditions)';
my $serial = 'SET max_parallel_workers_per_gather = 0';
my $parallel = q{
	SET parallel_setup_cost = 0;
	SET parallel_tuple_cost = 0;
	SET min_parallel_table_scan_size = 0;
	SET max_parallel_workers_per_gather = 3;
	SET parallel_leader_participation = off};

my $by_piece = 'SET enable_partitionwise_aggregate = on';

psql('postgres', "DROP DATABASE IF EXISTS $database");
psql('postgres', "CREATE DATABASE $database ENCODING 'UTF8' TEMPLATE template0");
END
{
	my $status = $?;
	psql('postgres', "DROP DATABASE IF EXISTS $database WITH (FORCE)");
	$? = $status;
}
set_up('CREATE EXTENSION engagement');

my @cases = read_reference();
test_reference();
push @cases, map { make_case() } 1 .. $case_count;
make_tables();
test_plans();
test_orders();
test_windows();
test_errors();
done_testing();

# A case is { within, mode, step_count, rows => [[time, mask], ...], answer, source }.
sub read_reference
{
	my @read;
	my $name = "$FindBin::Bin/../reference/window_funnel.txt";
	open my $file, '<', $name or die "$name: $!\n";
	while (my $line = <$file>)
	{
		next if $line =~ /^#/;
		chomp $line;
		my ($within, $mode, $step_count, $rows, $answer) = split /;/, $line;
		push @read, {
			within => $within, mode => $mode, step_count => $step_count,
			rows => [map { [split /:/] } split / /, $rows], answer => $answer, source => 'ClickHouse' };
	}
	close $file;
	return @read;
}

# All modes are there, and answers of all levels. Where ClickHouse means to find the
# longest chain, the exhaustive search here agrees with it; under strict_increase alone
# its answer is never too large.
sub test_reference
{
	my (%modes, %levels, %answers);
	foreach my $case (@cases)
	{
		$modes{ $case->{mode} }++;
		$levels{"$case->{answer} of $case->{step_count}"}++;
		my $longest = longest_chain($case) // next;
		my $how = $longest == $case->{answer} ? 'same' : $longest > $case->{answer} ? 'less' : 'more';
		$answers{ $case->{mode} }{$how}++;
		($case->{answer}, $case->{source}) = ($longest, 'search') if $case->{mode} eq 'strict_increase';
	}
	is(scalar @cases, 2000, 'cases of the reference');
	is(scalar(keys %modes), 24, 'each combination of modes');
	is(scalar(grep { $_ >= 4 } values %levels), 5 * 6 / 2 + 10, 'each level of two to six steps');
	foreach my $mode ('', 'strict_once', 'strict_increase,strict_once')
	{
		my $count = $answers{$mode}{same} // 0;
		is(join(' ', keys %{ $answers{$mode} }), 'same', "ClickHouse finds the longest chain, mode '$mode', $count cases");
	}
	my $lost = $answers{strict_increase}{less} // 0;
	ok($lost > 0 && !$answers{strict_increase}{more}, "but not under strict_increase, where it loses $lost chains");
	return;
}

# Under the modes that ask for the longest chain, many rows of few times.
sub make_case
{
	my $step_count = 1 + int rand 6;
	my $times = 1 + int rand 6;
	my $density = 0.1 + rand 0.4;
	my @rows;
	foreach (0 .. int rand 10)
	{
		my $steps = 1 << int rand $step_count;
		rand() < $density and $steps |= 1 << $_ for 0 .. $step_count - 1;
		push @rows, [ int rand $times, $steps ];
	}
	my $mode = ('', 'strict_increase', 'strict_once', 'strict_once,strict_increase', 'strict_increase')[ rand 5 ];
	my $case = { within => int rand $times + 1, mode => $mode, step_count => $step_count, rows => \@rows, source => 'search' };
	$case->{answer} = longest_chain($case);
	return $case;
}

# Tries all chains; undef: the modes ask for something else.
sub longest_chain
{
	my $case = shift;
	return if $case->{mode} =~ /order|deduplication/;
	my $is_once = $case->{mode} =~ /once/;
	my $increases = $case->{mode} =~ /increase/;
	my @rows = @{ $case->{rows} };
	my (@used, $extend, %seen);
	my $longest = 0;
	$extend = sub {
		my ($level, $first, $last) = @_;
		$longest = max($longest, $level);
		return if $longest == $case->{step_count};
		# what follows depends on nothing else
		return if $seen{ join ' ', $level, $first // '', $last // '', $is_once ? map { $_ ? 1 : 0 } @used[ 0 .. $#rows ] : () }++;
		foreach my $i (0 .. $#rows)
		{
			my ($at, $steps) = @{ $rows[$i] };
			next unless $steps & 1 << $level;
			next if defined $last && ($at < $last || ($increases && $at == $last) || $at - $first > $case->{within});
			next if $is_once && $used[$i];
			$used[$i] = 1;
			$extend->($level + 1, $first // $at, $at);
			$used[$i] = 0;
		}
	};
	$extend->(0);
	return $longest;
}

# The cases in several units of time, near its ends too, with false conditions behind,
# so that states of all widths occur. NULL is as good as false, rows without a time and,
# but for strict_order, without a true condition as good as none.
sub make_tables
{
	my $case_lines = '';
	my $row_lines = '';
	foreach my $i (0 .. $#cases)
	{
		my $case = $cases[$i];
		$case_lines .= join("\t", $i, $case->{within}, $case->{mode}, $case->{answer}) . "\n";
		my $padding = (0, 0, 1, 5, 12, 30, 58)[ $i % 7 ];
		my $unit = ('us', 's', 'd')[ $i % 3 ];
		my $start = ('4713-01-01 00:00Z BC', '2026-01-05 00:00Z', '1999-12-31 23:59:59.999995Z', '294270-01-01 00:00Z')[ $i % 4 ];
		my @rows = @{ $case->{rows} };
		push @rows, [ undef, int rand 2 ** $case->{step_count} ] if rand() < 0.3;
		push @rows, [ int rand 12, 0 ] if rand() < 0.3 && $case->{mode} !~ /order/;
		foreach my $row (@rows)
		{
			my ($at, $steps) = @$row;
			my @conditions = map { $steps & 1 << $_ ? 't' : rand() < 0.1 ? 'NULL' : 'f' } 0 .. $case->{step_count} - 1;
			push @conditions, ('f') x $padding;
			$row_lines .= join("\t", $i, $start, defined $at ? "$at $unit" : '\N', "$case->{within} $unit",
				spelled($case->{mode}), '{' . join(',', @conditions) . '}') . "\n";
		}
	}
	set_up("CREATE TABLE funnel_case (id int PRIMARY KEY, within int, mode text, answer int);
		CREATE TABLE loaded (id int, start timestamptz, at interval, within interval, mode text, conditions boolean[])");
	copy('funnel_case', $case_lines);
	copy('loaded', $row_lines);
	# of few groups, the planner is told, or it would not make partial states
	my $partitions = join ';', map { "CREATE TABLE piece_$_ PARTITION OF piece FOR VALUES IN ($_); ALTER TABLE piece_$_ ALTER id SET (n_distinct = 10)" } 0 .. 9;
	set_up("SELECT setseed($sql_seed);
		CREATE TABLE funnel_row AS SELECT id, CASE WHEN within < '900000 days' THEN within END AS within, mode, start + at AS at, conditions
			FROM loaded ORDER BY random();
		CREATE TABLE piece (LIKE funnel_row, number int) PARTITION BY LIST (number);
		$partitions;
		ALTER TABLE funnel_row ALTER id SET (n_distinct = 100);
		INSERT INTO piece SELECT *, floor(random() * 10) FROM funnel_row;
		ANALYZE funnel_row, piece");
	return;
}

# Modes in any order with blanks, none as NULL or blanks.
sub spelled
{
	my $mode = shift;
	my @names = shuffle split /,/, $mode;
	return ('\N', '', ' ')[ rand 3 ] if !@names;
	return join ',', map { ' ' x rand(2) . $_ . ' ' x rand(2) } @names;
}

# Each plan is looked at, so that nothing else is tested by mistake.
sub test_plans
{
	my $query = "SELECT id, $funnel AS level FROM funnel_row GROUP BY id";
	same('hashed groups', $query, "$serial; SET enable_sort = off; SET work_mem = '1GB'", qr/HashAggregate.*Batches: 1 /s);
	same('sorted groups', $query, "$serial; SET enable_hashagg = off", qr/GroupAggregate/);
	same('spilled hash aggregation', $query, "$serial; SET enable_sort = off; SET work_mem = '64kB'; SET hash_mem_multiplier = 1",
		qr/HashAggregate.*Batches: (?:[2-9]|\d\d).*Disk Usage/s);
	same('workers that hash', $query, "$parallel; SET enable_sort = off; SET work_mem = '1GB'",
		qr/Finalize HashAggregate.*Workers Launched: [2-9].*Partial HashAggregate/s);
	same('workers that sort', $query, "$parallel; SET enable_hashagg = off",
		qr/Finalize GroupAggregate.*Workers Launched: [2-9].*Partial GroupAggregate/s);
	same('workers that spill', $query, "$parallel; SET enable_sort = off; SET work_mem = '64kB'; SET hash_mem_multiplier = 1",
		qr/Workers Launched: [2-9].*Partial HashAggregate.*Batches: (?:[2-9]|\d\d).*Disk Usage/s);
	same('ten pieces of each group', "SELECT id, $funnel AS level FROM piece GROUP BY id",
		"$serial; $by_piece; SET enable_sort = off; SET work_mem = '1GB'",
		qr/Finalize HashAggregate.*Append.*(?:Partial HashAggregate.*){10}/s);
	same('ten pieces, by workers', "SELECT id, $funnel AS level FROM piece GROUP BY id",
		"$parallel; $by_piece; SET enable_sort = off; SET work_mem = '1GB'",
		qr/Finalize HashAggregate.*Workers Launched: [2-9].*Parallel Append.*Partial HashAggregate/s);
	is(sql("$parallel; SELECT window_funnel(NULL, NULL, at, conditions[1], conditions[2]) FROM funnel_row"), '2', 'one group of all rows, by workers');
	like(sql("$parallel; EXPLAIN (COSTS OFF) SELECT window_funnel(NULL, NULL, at, conditions[1], conditions[2]) FROM funnel_row"),
		qr/Finalize Aggregate.*Partial Aggregate/s, 'plan of it');
	return;
}

sub test_orders
{
	foreach my $order ('random()', 'random(), 1', 'at', 'at DESC', 'conditions, at', 'conditions DESC')
	{
		same("rows by $order", "SELECT id, window_funnel(within, mode, at, VARIADIC conditions ORDER BY $order) AS level FROM funnel_row GROUP BY id", $serial);
	}
	same('beside other aggregates', "SELECT id, level FROM (SELECT id, $funnel AS level, array_agg(at) AS ats, timeline(at, 'a') AS t,
		window_funnel('1 h', 'strict_once', at, conditions[1]) AS other FROM funnel_row GROUP BY id) s", "$serial; SET enable_sort = off");
	return;
}

# The final function is called for each row, and more rows follow.
sub test_windows
{
	same('the last of a running funnel', "SELECT DISTINCT ON (id) id, level FROM (SELECT id, n, $funnel OVER (PARTITION BY id ORDER BY n) AS level
		FROM (SELECT *, row_number() OVER () AS n FROM funnel_row) s) s ORDER BY id, n DESC", $serial);
	is(sql("WITH numbered AS MATERIALIZED (SELECT *, row_number() OVER (PARTITION BY id ORDER BY random()) AS n FROM funnel_row WHERE id % 5 = 1),
			running AS (SELECT id, n, $funnel OVER (PARTITION BY id ORDER BY n) AS level,
				$funnel OVER (PARTITION BY id ORDER BY n ROWS BETWEEN 3 PRECEDING AND 1 FOLLOWING) AS moving FROM numbered)
		SELECT count(*) > 2000, count(*) FILTER (WHERE level <> (SELECT $funnel FROM numbered p WHERE p.id = r.id AND p.n <= r.n)
			OR moving <> (SELECT $funnel FROM numbered p WHERE p.id = r.id AND p.n BETWEEN r.n - 3 AND r.n + 1)) FROM running r"),
		't|0', 'each of a running funnel, and of a moving one');
	return;
}

# States of different arguments do not merge: each partition has arguments of its own.
sub test_errors
{
	set_up("CREATE TABLE mixed (number int, within interval, mode text, conditions boolean[]) PARTITION BY LIST (number);
		CREATE TABLE mixed_1 PARTITION OF mixed FOR VALUES IN (1);
		CREATE TABLE mixed_2 PARTITION OF mixed FOR VALUES IN (2);
		INSERT INTO mixed SELECT 1, '1 h', NULL, '{t}' FROM generate_series(1, 10000);
		INSERT INTO mixed SELECT 2, '2 h', 'strict_once', '{t,f}' FROM generate_series(1, 10000);
		ANALYZE mixed");
	foreach my $arguments ([ 'within', 'NULL', '{t}', 'argument "within"' ], [ "'1 h'", 'mode', '{t}', 'argument "mode"' ],
		[ "'1 h'", 'NULL', undef, 'the number of conditions' ])
	{
		my ($within, $mode, $conditions, $error) = @$arguments;
		my $query = "SELECT window_funnel($within, $mode, 'epoch', VARIADIC " . ($conditions ? "'$conditions'" : 'conditions') . ') FROM mixed';
		like(sql("$serial; $by_piece; EXPLAIN (COSTS OFF) $query"), qr/Finalize Aggregate.*Append.*(?:Partial Aggregate.*){2}/s, "plan where $error differs");
		like(sql("$serial; $by_piece; $query"), qr/ERROR:  $error must be the same in all rows of a group/, "error where $error differs");
	}
	return;
}

# Does the query give each case its answer? With a pattern, the plan must match it,
# actual numbers included.
sub same
{
	my ($name, $query, $settings, $plan) = @_;
	like(sql("$settings; EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) $query"), $plan, "plan of $name") if $plan;
	# CREATE TABLE AS takes the same plans as the query alone
	my $result = sql("$settings; CREATE TEMP TABLE made AS $query; RESET ALL;
		SELECT count(*), count(*) FILTER (WHERE answer = level), string_agg(id || ': ' || coalesce(level::text, 'NULL'), ', ')
			FILTER (WHERE answer IS DISTINCT FROM level) FROM funnel_case FULL JOIN made USING (id)");
	my $total = @cases;
	return is($result, "$total|$total|", "$name: $total cases") || explain_first($result);
}

# The first case that went wrong, as it can be pasted.
sub explain_first
{
	my $result = shift;
	my ($id, $level) = $result =~ /\|(\d+): (\w+)/ or return 0;
	my $case = $cases[$id];
	diag("within $case->{within}, mode '$case->{mode}', $case->{step_count} steps, rows ", join(' ', map { join ':', @$_ } @{ $case->{rows} }),
		": $level, $case->{source} says $case->{answer}");
	return 0;
}

sub copy
{
	my ($table, $lines) = @_;
	open my $in, '|-', 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $database, '-c', "COPY $table FROM stdin" or die "psql: $!\n";
	print {$in} $lines;
	close $in or die "psql failed\n";
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
