# Markov attribution: removal effects and credits against exact rational numbers
# (test/reference/Attribution.pm), and the same bytes for any order of rows, plan and merge tree.
#
#	SEED=1 CASES=252	random cases
use strict;
use warnings;
use File::Temp;
use FindBin;
use lib "$FindBin::Bin/../reference";
use Test::More;
use Attribution qw(markov_attribution chain_of flow_of_paths is_near is_zero rational double_value add multiply quotient decimal);
use AttributionCases qw(make_case families sql_rows whole);

my $last_failed;
my $database = 'markov_test';
my $seed = $ENV{SEED} || 1;
my $case_count = $ENV{CASES} || 252;
my $sql_seed = $seed * 0.618033988749895;
$sql_seed -= int $sql_seed;
srand $seed;
$ENV{PGOPTIONS} = '-c client_min_messages=warning';
binmode $_, ':utf8' for Test::More->builder->output, Test::More->builder->failure_output, Test::More->builder->todo_output;

my $aggregate = 'markov(path, conversions, value, non_conversions, chain_order)';
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

my @cases = map { make_case((families())[ $_ % families() ]) } 1 .. $case_count;
make_tables();
test_effects();
test_unions();
test_recorded();
test_large();
test_transitions();
test_invariants();
test_no_conversions();
test_errors();
test_orders();
test_plans();
test_merge_trees();
test_storage();
done_testing();

# Table counted: all rows of all cases, in random order.
sub make_tables
{
	my @values = map { sql_rows($_, $cases[$_]) } 0 .. $#cases;
	my $text = "SELECT setseed($sql_seed);
		CREATE TABLE named_row (g, chain_order, path, conversions, value, non_conversions) AS SELECT * FROM (VALUES
		(0, 1, NULL::text[], 0::bigint, NULL::float8, 0::bigint),\n" . join(",\n", @values) . ") v OFFSET 1;
		CREATE TABLE counted AS SELECT *, random() AS place FROM named_row ORDER BY random();
		-- more rows than cases: a few groups of thousands, some of a million conversions
		INSERT INTO counted SELECT $case_count + i % 23, 1 + i % 23 % 4, ARRAY(SELECT chr(65 + floor(random() * random() * (3 + i % 23 % 5))::int) FROM generate_series(1, 1 + i * 7 % 11 % 5)), floor(random() * 5)::int * (random() < 0.3)::int * 10 ^ floor(random() * 6)::int,
				CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN 0.1 WHEN 2 THEN random() * 1e9 ELSE round((random() * 1000)::numeric, 2) END, floor(random() * 3), random()
			FROM generate_series(1, 8000) i;
		UPDATE counted SET value = NULL WHERE conversions = 0;
		CREATE TABLE shuffled AS SELECT * FROM counted ORDER BY random();
		ANALYZE counted, shuffled;
		-- what all others are compared with: one process, sorted input
		$serial; SET enable_hashagg = off;
		CREATE TABLE reference AS SELECT g, $aggregate AS s FROM (SELECT * FROM counted ORDER BY g, place) s GROUP BY g";
	set_up($text);
	is(sql('SELECT count(*) FROM reference'), $case_count + 23, 'there is something to compare');
	return;
}

# Each number of attribution() within 1e-12 of the exact one.
sub test_effects
{
	my %found;
	$found{ $_->[0] }{ $_->[1] } = $_ for rows_of("SELECT g, a.* FROM reference, attribution(s) a WHERE g < $case_count");
	my (%checked, @wrong);
	foreach my $number (0 .. $#cases)
	{
		my $case = $cases[$number];
		push @wrong, map { "case $number ($case->{family}, order $case->{order}): $_" } check_case($case, $found{$number} // {}, \%checked);
	}
	is(join("\n", @wrong[ 0 .. ($#wrong < 19 ? $#wrong : 19) ]), '', "all within 1e-12 of the exact numbers, seed $seed");
	my @rare = grep { !$checked{$_} } map { ($_, "$_ = 0", "$_ NULL") } qw(removal_effect value_removal_effect);
	is(join(', ', @rare), '', join(', ', map { "$_: $checked{$_}" } sort keys %checked));
	return;
}

# What is wrong with the rows of attribution() for a case.
sub check_case
{
	my ($case, $found, $checked) = @_;
	my $exact = $case->{exact} = markov_attribution($case->{rows}, $case->{order});
	my @wrong;
	my @names = sort keys %{ $exact->{channels} };
	my $has_conversions = !is_zero($exact->{conversions});
	push @names, '(unattributed)' if !is_zero($exact->{unattributed});
	push @wrong, 'channels ' . join(' ', sort keys %$found) . ' instead of ' . join(' ', @names) if join("\0", sort keys %$found) ne join("\0", sort @names);

	my $slack = slack_of_values($case, $exact);
	foreach my $name (grep { $found->{$_} } @names)
	{
		my (undef, undef, $effect, $value_effect, $share, $conversions, $value) = @{ $found->{$name} };
		if ($name eq '(unattributed)')
		{
			push @wrong, "conversions of $name: $conversions" if !is_near($conversions, $exact->{unattributed}, '0e0');
			push @wrong, "value of $name: $value" if !is_right($value, $exact->{unattributed_value}, '1e-15');
			push @wrong, "effects of $name" if defined $effect || defined $value_effect;
			next;
		}
		my $want = $exact->{channels}{$name};
		my %got = (removal_effect => $effect, value_removal_effect => $value_effect, share => $share, conversions => $conversions, value => $value);
		foreach my $column (sort keys %got)
		{
			my $distance = $column =~ /effect/ ? '1e-12' : '2e-12';
			my $measure = $column =~ /value/ && $slack ? $slack->{$column} : undef;
			push @wrong, sprintf('%s of %s is %s instead of %s', $column, $name, $got{$column} // 'NULL', defined $want->{$column} ? sprintf('%.15g', double_value($want->{$column})) : 'NULL')
			  if !is_right($got{$column}, $want->{$column}, $distance, $measure);
			$checked->{ defined $want->{$column} ? is_zero($want->{$column}) ? "$column = 0" : $column : "$column NULL" }++;
		}
	}
	return @wrong;
}

# NULL is right for what is not defined.
sub is_right
{
	my ($got, $want, $distance, $measure) = @_;
	return !defined $got if !defined $want;
	return defined $got && is_near($got, $want, $distance, $measure);
}

# Where values of both signs cancel out, a distance relative to the result cannot be had:
# there it is relative to what the effects would be without the signs.
sub slack_of_values
{
	my ($case, $exact) = @_;
	my @values = map { $_->{value} // 0 } @{ $case->{rows} };
	return if !(grep { $_ > 0 } @values) || !(grep { $_ < 0 } @values) || is_zero($exact->{mean_value});
	my $unsigned = markov_attribution([ map { { %$_, value => abs($_->{value} // 0) } } @{ $case->{rows} } ], $case->{order});
	my $ratio = quotient($unsigned->{mean_value}, $exact->{mean_value});
	$ratio = [ abs $ratio->[0], $ratio->[1] ];
	my ($sum, $largest) = (rational(0), 1);
	foreach my $channel (values %{ $exact->{channels} })
	{
		$sum = add($sum, $channel->{value_removal_effect});
		my $size = abs double_value($channel->{value_removal_effect});
		$largest = $size if $size > $largest;
	}
	my $effect = multiply($ratio, rational($largest));
	return { value_removal_effect => $effect } if is_zero($sum);
	my $value = quotient(multiply(multiply($effect, $effect), $exact->{value}), multiply($sum, $sum));
	return { value_removal_effect => $effect, value => multiply($value, rational(scalar(keys %{ $exact->{channels} }) * $largest)) };
}

# The cases of an order as one chain of hundreds of states: if no two have a channel in common,
# a channel's effect in all is that in its own case times the case's part of the conversions. With
# walks that hardly ever end, and without: there are two ways to solve large chains.
sub test_unions
{
	for my $shape (map { ([ $_, qr/^negative$/ ], [ $_, qr/^(?:negative|cycles)$/ ]) } 1 .. 4)
	{
		my ($order, $left_out) = @$shape;
		my (%want, @wrong);
		my ($conversions, $value, $states) = (rational(0), rational(0), 0);
		my @numbers = grep { $cases[$_]{order} == $order && $cases[$_]{family} !~ $left_out } 0 .. $#cases;
		foreach my $number (@numbers)
		{
			my $exact = $cases[$number]{exact};
			$conversions = add($conversions, $exact->{conversions});
			$value = add($value, $exact->{value});
			$states += @{ chain_of($cases[$number]{rows}, $order)->{states} };
		}
		foreach my $number (@numbers)
		{
			my $exact = $cases[$number]{exact};
			foreach my $channel (keys %{ $exact->{channels} })
			{
				my ($effect, $value_effect) = @{ $exact->{channels}{$channel} }{qw(removal_effect value_removal_effect)};
				$want{"$number:$channel"} = [
					quotient(multiply($effect // rational(0), $exact->{conversions}), $conversions),
					quotient(multiply($value_effect // rational(0), $exact->{value}), $value) ];
			}
		}
		foreach my $row (rows_of("SELECT channel, removal_effect, value_removal_effect FROM attribution((SELECT markov(ARRAY(SELECT CASE WHEN c IN ('', '(unattributed)') THEN c ELSE g || ':' || c END
				FROM unnest(path) WITH ORDINALITY u (c, n) ORDER BY n), conversions, value, non_conversions, $order) FROM counted WHERE g IN (" . join(',', @numbers) . ')))'))
		{
			my ($channel, @got) = @$row;
			my $want = delete $want{$channel};
			next if $channel eq '(unattributed)';
			push @wrong, sprintf '%s: %s, %s instead of %s', $channel, map { $_ // 'NULL' } @got, $want ? join(', ', map { sprintf '%.15g', double_value($_) } @$want) : 'nothing'
			  if !$want || grep { !is_right($got[$_], $want->[$_], '1e-12') } 0, 1;
		}
		push @wrong, "nothing for $_" for keys %want;
		is(join("\n", @wrong[ 0 .. ($#wrong < 9 ? $#wrong : 9) ]), '', scalar(@numbers) . " cases of order $order as one chain of $states states");
	}
	return;
}

# Chains of dozens of states, solved beforehand.
sub test_recorded
{
	my $name = "$FindBin::Bin/../reference/attribution.txt";
	open my $file, '<', $name or die "$name: $!\n";
	my (@chains, @wrong, $checked);
	while (my $line = <$file>)
	{
		chomp $line;
		if ($line =~ /^order (\d)$/)
		{
			push @chains, { order => $1, rows => [], effects => {} };
		}
		elsif ($line =~ /^= (\S+) (\S+) (\S+)$/)
		{
			$chains[-1]{effects}{$1} = [ $2, $3 ];
		}
		elsif ($line =~ /^(\d+) (\d+) (\S+) (.+)$/)
		{
			push @{ $chains[-1]{rows} }, { conversions => $1, non_conversions => $2, value => $3 eq '-' ? undef : $3, path => [ split / /, $4 ] };
		}
	}
	close $file or die "$name: $!\n";
	foreach my $number (0 .. $#chains)
	{
		my ($order, $effects) = @{ $chains[$number] }{qw(order effects)};
		foreach my $row (rows_of('SELECT channel, removal_effect, value_removal_effect FROM attribution(' . state_of($order, $chains[$number]{rows}) . ')'))
		{
			my ($channel, @got) = @$row;
			my $want = delete $effects->{$channel};
			push @wrong, "chain $number, order $order, $channel: @got instead of @{[ $want ? @$want : 'nothing' ]}"
			  if !$want || !is_near($got[0], decimal($want->[0]), '1e-12') || !is_near($got[1], decimal($want->[1]), '1e-12');
			$checked++;
		}
		push @wrong, "chain $number: nothing for $_" for keys %$effects;
	}
	is(join("\n", @wrong), '', scalar(@chains) . ' recorded chains, ' . ($checked // 0) . ' channels');
	return;
}

# Chains of many states: such as the flow of paths can follow, and such of order 4 in which no
# state is in two paths, so that removing a channel loses just the paths with it.
sub test_large
{
	foreach my $shape ([ 1, 40, 300 ], [ 2, 22, 1000 ], [ 3, 9, 1000 ])
	{
		my ($order, $channels, $paths) = @$shape;
		my @rows = map { { path => [ map { 'c' . int(rand() * rand() * $channels) } 1 .. whole(1, 7) ], conversions => whole(0, 9), non_conversions => whole(1, 9), value => undef } } 1 .. $paths;
		my $chain = chain_of(\@rows, $order);
		my $all = flow_of_paths($chain, '');
		my @wrong;
		foreach my $row (rows_of('SELECT channel, removal_effect FROM attribution(' . state_of($order, \@rows) . ')'))
		{
			my ($channel, $got) = @$row;
			next if $channel =~ /[2-9]$/ && @{ $chain->{states} } > 300;
			my $want = 1 - flow_of_paths($chain, $channel) / $all;
			push @wrong, sprintf '%s: %s instead of %.17g', $channel, $got, $want if abs($got - $want) > 1e-13;
		}
		is(join("\n", @wrong), '', sprintf('order %d, %d channels, %d states: as paths flow', $order, $channels, scalar @{ $chain->{states} }));
	}

	my (@rows, %seen, %with);
	my $total = 0;
	while (@rows < 8000)
	{
		my @path = map { 'c' . int rand 40 } 1 .. 6;
		my @tuples = map { "@path[ $_ .. $_ + 3 ]" } 0 .. 2;
		next if grep { $seen{$_}++ } @tuples;
		my $conversions = whole(0, 3);
		push @rows, { path => \@path, conversions => $conversions, non_conversions => whole(1, 3), value => undef };
		$total += $conversions;
		my %channels = map { $_ => 1 } @path;
		$with{$_} += $conversions for keys %channels;
	}
	my @found = rows_of('SELECT channel, removal_effect, conversions FROM attribution(' . state_of(4, \@rows) . ')');
	my @wrong = grep { !is_near($_->[1], quotient(rational($with{ $_->[0] }), rational($total)), '1e-12') } @found;
	is(join("\n", map { "@$_" } @wrong), '', '24,000 states of order 4 in paths apart: what goes with the paths of each channel');
	is(scalar @found, 40, 'for each of 40 channels');
	return;
}

sub state_of
{
	my ($order, $rows) = @_;
	return "(SELECT $aggregate FROM (VALUES " . join(', ', sql_rows(0, { order => $order, rows => $rows })) . ') v (g, chain_order, path, conversions, value, non_conversions))';
}

# The counts of the chain are exactly those of the reference.
sub test_transitions
{
	my %found;
	my @wrong;
	my $few = $case_count < 150 ? $case_count : 150;
	foreach my $row (rows_of("SELECT g, to_json(from_state), to_json(to_state), transitions, probability FROM reference, transition_probabilities(s) WHERE g < $few"))
	{
		$found{ $row->[0] }{"$row->[1] $row->[2]"} = $row;
	}
	foreach my $number (0 .. $few - 1)
	{
		my $chain = chain_of($cases[$number]{rows}, $cases[$number]{order});
		my %want;
		my @names = map { json($_) } @{ $chain->{states} };
		foreach my $i (0 .. $#names)
		{
			my %to = (json(['(conversion)']), $chain->{conversions}[$i], json(['(no conversion)']), $chain->{nulls}[$i]);
			$to{ $names[$_] } += $chain->{moves}[$i]{$_} for keys %{ $chain->{moves}[$i] };
			$want{ json(['(start)']) }{ $names[$i] } = $chain->{start}[$i];
			$want{ $names[$i] } = \%to if $cases[$number]{family} ne 'names';
		}
		next if $cases[$number]{family} eq 'names';
		my %rows;
		foreach my $from (keys %want)
		{
			my $sum = 0;
			$sum += $_ for values %{ $want{$from} };
			$rows{"$from $_"} = [ $want{$from}{$_}, $sum ] for grep { $want{$from}{$_} } keys %{ $want{$from} };
		}
		my $got = $found{$number} // {};
		push @wrong, "case $number: " . join(', ', sort keys %$got) . ' instead of ' . join(', ', sort keys %rows)
		  if join("\n", sort keys %$got) ne join("\n", sort keys %rows);
		foreach my $name (grep { $got->{$_} } keys %rows)
		{
			push @wrong, "case $number, $name: $got->{$name}[3] transitions" if $got->{$name}[3] != $rows{$name}[0];
			push @wrong, "case $number, $name: probability $got->{$name}[4]"
			  if !is_near($got->{$name}[4], quotient(rational($rows{$name}[0]), rational($rows{$name}[1])), '1e-15');
		}
	}
	is(join("\n", @wrong[ 0 .. ($#wrong < 9 ? $#wrong : 9) ]), '', 'the transitions of each chain');
	return;
}

sub json
{
	my $tuple = shift;
	return '[' . join(',', map { '"' . s/(["\\])/\\$1/gr . '"' } @$tuple) . ']';
}

sub test_invariants
{
	is(sql("SELECT count(*) > 100, count(*) FILTER (WHERE abs(credited - converted) > 1e-12 * converted) FROM (SELECT g, sum(conversions) AS credited FROM reference, attribution(s) GROUP BY g) a
		JOIN (SELECT g, sum(conversions) AS converted FROM counted GROUP BY g) r USING (g) WHERE converted > 0"), 't|0', 'credits sum to the conversions');
	is(sql("SELECT count(*) > 200, string_agg(g || ' ' || channel || ' ' || removal_effect, ', ') FILTER (WHERE removal_effect NOT BETWEEN 0 AND 1)
		FROM reference, attribution(s) WHERE removal_effect IS NOT NULL"), 't|', 'each removal effect is from 0 to 1');
	# at order 1 a path says the same without its repeats
	is(sql("WITH collapsed AS (SELECT g, markov(ARRAY(SELECT c FROM (SELECT c, n, lag(c) OVER (ORDER BY n) AS before
				FROM unnest(path) WITH ORDINALITY u (c, n) WHERE coalesce(c, '') NOT IN ('', '(unattributed)')) u WHERE c IS DISTINCT FROM before ORDER BY n), conversions, value, non_conversions, 1) AS s FROM counted WHERE chain_order = 1 GROUP BY g)
		SELECT count(*) > 100, count(*) FILTER (WHERE abs(a.removal_effect - b.removal_effect) > 1e-13 * a.removal_effect)
		FROM (SELECT g, a.* FROM reference, attribution(s) a) a JOIN (SELECT g, a.* FROM collapsed, attribution(s) a) b USING (g, channel)"), 't|0', 'repeats change nothing at order 1');
	return;
}

sub test_no_conversions
{
	local $ENV{PGOPTIONS} = '-c client_min_messages=notice';
	my $text = sql("SELECT channel, removal_effect IS NULL, value_removal_effect IS NULL, share IS NULL FROM attribution((SELECT markov(ARRAY['A', 'B'], 0, NULL, 5, 1))) ORDER BY 1");
	like($text, qr/NOTICE: .*conversion/, 'a NOTICE where nothing converts');
	is(join(' ', $text =~ /^\w\|.*$/mg), 'A|t|t|t B|t|t|t', 'and no removal effects');
	unlike(sql("SELECT * FROM attribution((SELECT markov(ARRAY['A', 'B'], 1, NULL, 5, 1)))"), qr/NOTICE/, 'none without value alone');
	return;
}

sub test_errors
{
	my @bad = (
		[ "ARRAY['A'], -1, 1, 0, 1", qr/conversions.*-1/ ],
		[ "ARRAY['A'], 1, 1, -7, 1", qr/non_conversions.*-7/ ],
		[ "ARRAY['A'], 1, 'NaN', 0, 1", qr/value.*NaN/i ],
		[ "ARRAY['A'], 1, 'Infinity', 0, 1", qr/value.*inf/i ],
		[ "ARRAY['A'], 1, 1, 0, 0", qr/order.*0/ ],
		[ "ARRAY['A'], 1, 1, 0, 5", qr/order.*5/ ],
		[ "ARRAY['A'], 1, 1, 0, -2147483648", qr/order.*-2147483648/ ],
		[ "ARRAY[ARRAY['A', 'B']], 1, 1, 0, 1", qr/path|dimension/ ]);
	foreach my $bad (@bad)
	{
		my $text = sql("SELECT markov($bad->[0])");
		ok($last_failed && $text =~ $bad->[1], "refused: markov($bad->[0])") or diag($text);
	}
	my $text = sql("SELECT markov(ARRAY['A'], 1, 1, 0, i) FROM generate_series(1, 2) i");
	ok($last_failed && $text =~ /order/, 'refused: two orders in one aggregate') or diag($text);
	$text = sql("SELECT rollup(m) FROM (SELECT markov(ARRAY['A'], 1, 1, 0, i) AS m FROM generate_series(1, 2) i GROUP BY i) s");
	ok($last_failed && $text =~ /order/, 'refused: a rollup of two orders') or diag($text);
	$text = sql("SELECT markov(ARRAY['A', 'B'], 9223372036854775807, 1, 1, 1) FROM generate_series(1, 2)");
	ok($last_failed && $text =~ /out of range|too (?:large|many)|overflow/i, 'refused: more than 2^63 of them') or diag($text);
	return;
}

sub test_orders
{
	same('rows in the order of the heap', "SELECT g, $aggregate AS s FROM counted GROUP BY g", $serial);
	same('rows in random order', "SELECT g, $aggregate AS s FROM shuffled GROUP BY g", $serial);
	same('rows in reverse order', "SELECT g, $aggregate AS s FROM (SELECT * FROM counted ORDER BY g, place DESC) s GROUP BY g", $serial);
	same('rows by path', "SELECT g, $aggregate AS s FROM (SELECT * FROM counted ORDER BY path) s GROUP BY g", $serial);
	same('a grouping set', "SELECT g, s FROM (SELECT g, grouping(chain_order) AS all_orders, $aggregate AS s
		FROM shuffled GROUP BY GROUPING SETS ((g, chain_order), (g))) s WHERE all_orders = 1", $serial);
	# a row of two conversions is two rows of one: counts and values are taken apart
	same('each row in three', "SELECT g, markov(path, c, v, n, chain_order) AS s FROM (SELECT g, chain_order, path, conversions AS c, NULL::float8 AS v, 0 AS n FROM counted
		UNION ALL SELECT g, chain_order, path, 0, NULL, 0 FROM counted UNION ALL SELECT g, chain_order, path, 0, NULL, non_conversions FROM counted) s GROUP BY g", $serial, undef,
		"SELECT g, markov(path, conversions, NULL, non_conversions, chain_order) AS s FROM counted GROUP BY g");
	same('rows of the same path as one', "SELECT g, markov(path, c, NULL, n, chain_order) AS s FROM (SELECT g, chain_order, path, sum(conversions)::bigint AS c, sum(non_conversions)::bigint AS n
		FROM counted GROUP BY g, chain_order, path) s GROUP BY g", $serial, undef, "SELECT g, markov(path, conversions, NULL, non_conversions, chain_order) AS s FROM counted GROUP BY g");
	# sums that any rounding on the way would spoil
	is(sql("SELECT count(DISTINCT markov_send(s)), count(*) FROM (SELECT k, markov(ARRAY['A'], 1, v, 0, 1 ORDER BY random()) AS s
		FROM generate_series(1, 20) k, unnest(ARRAY[1e200, 1, 1e-200, 0.1, -1e200, 3e16, -0.3, 1e100, -1e100, 7]::float8[]) v GROUP BY k) s"), '1|20', 'values from 1e-200 to 1e200 in any order');
	is(sql("SELECT value FROM attribution((SELECT markov(ARRAY['A'], 1, v, 0, 1) FROM unnest(ARRAY[1e200, 1, 3e16, -1e200, 1, -3e16]::float8[]) v))"), '2', 'and their sum is exact');
	return;
}

# Each plan is looked at, so that nothing else is tested by mistake.
sub test_plans
{
	my $query = "SELECT g, $aggregate AS s FROM shuffled GROUP BY g";
	same('sorted groups', $query, "$serial; SET enable_hashagg = off", qr/GroupAggregate/);
	same('hashed groups', $query, "$serial; SET enable_sort = off", qr/HashAggregate.*Batches: 1 /s);
	same('spilled hash aggregation', $query, "$serial; SET enable_sort = off; SET work_mem = '64kB'; SET hash_mem_multiplier = 1",
		qr/HashAggregate.*Batches: (?:[2-9]|\d\d).*Disk Usage/s);
	same('workers that hash', $query, "$parallel; SET enable_sort = off; SET work_mem = '1GB'", qr/Workers Launched: [1-9].*Partial HashAggregate/s);
	same('workers that sort', $query, "$parallel; SET enable_hashagg = off", qr/Workers Launched: [1-9].*Partial GroupAggregate/s);
	set_up("CREATE TABLE part AS SELECT g, floor(place * 6)::int AS piece, $aggregate AS s FROM shuffled GROUP BY 1, 2;
		CREATE TABLE one_row AS SELECT g, $aggregate AS s FROM shuffled GROUP BY g, place; ANALYZE part, one_row");
	same('workers that merge', 'SELECT g, rollup(s) AS s FROM one_row GROUP BY g', "$parallel; SET enable_sort = off; SET work_mem = '1GB'", qr/Workers Launched: [1-9].*Partial HashAggregate/s);
	return;
}

sub test_merge_trees
{
	same('rollup of 6 pieces', 'SELECT g, rollup(s ORDER BY random()) AS s FROM part GROUP BY g', $serial);
	same('rollup of rollups', 'SELECT g, rollup(s) AS s FROM (SELECT g, rollup(s) AS s FROM part GROUP BY g, piece % 3) s GROUP BY g', $serial);
	same('random trees', 'SELECT g, rollup(s) AS s FROM (SELECT g, rollup(s) AS s FROM (SELECT g, rollup(s ORDER BY random()) AS s, twig % 3 AS branch
			FROM (SELECT *, floor(random() * 9)::int AS twig FROM part) p GROUP BY g, twig) s GROUP BY g, branch) s GROUP BY g', $serial);
	same('rollup of each row', 'SELECT g, rollup(s ORDER BY random()) AS s FROM one_row GROUP BY g', $serial);
	is(sql("SELECT count(*) > 20 AND count(*) FILTER (WHERE markov_send(s) IS DISTINCT FROM (SELECT markov_send(rollup(u)) FROM unnest(parts) u)) = 0
		FROM (SELECT rollup(s) OVER w AS s, array_agg(s) OVER w AS parts FROM part WHERE g % 5 = 0
			WINDOW w AS (PARTITION BY g ORDER BY piece ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)) s"), 't', 'rollup over a moving window');
	is(sql("SELECT count(*) > 20 AND count(*) FILTER (WHERE markov_send(s) IS DISTINCT FROM (SELECT markov_send($aggregate) FROM counted p WHERE p.g = r.g AND p.place <= r.place)) = 0
		FROM (SELECT g, place, $aggregate OVER (PARTITION BY g ORDER BY place) AS s FROM counted WHERE g < 40) r"), 't', 'each of running states');
	return;
}

# A stored state is the state: as text, in binary form, in line or out of line; what reads it does not write.
sub test_storage
{
	same('through text', 'SELECT g, s::text::markov AS s FROM reference', $serial);
	for my $format ('text', 'binary')
	{
		set_up("CREATE TABLE ${format}_copy (LIKE reference)");
		system("psql -Xq -d $database -c 'COPY reference TO STDOUT (FORMAT $format)' | psql -Xq -d $database -c 'COPY ${format}_copy FROM STDIN (FORMAT $format)'") == 0
		  or die "COPY failed\n";
		same("through COPY, $format", "SELECT * FROM ${format}_copy", $serial);
	}
	set_up('CREATE TABLE toasted (LIKE part); ALTER TABLE toasted ALTER s SET STORAGE external; INSERT INTO toasted SELECT * FROM part');
	same('rollup of what is out of line', 'SELECT g, rollup(s) AS s FROM toasted GROUP BY g', $serial);
	is(sql('SELECT count(*) FROM part p JOIN toasted t USING (g, piece) WHERE markov_send(p.s) <> markov_send(t.s)'), '0', 'and none of it has changed');
	my $before = sql("SELECT md5(string_agg(a::text, E'\\n' ORDER BY g, channel COLLATE \"C\")) FROM reference, attribution(s) a");
	is(sql("SELECT md5(string_agg(a::text, E'\\n' ORDER BY g, channel COLLATE \"C\")) FROM (SELECT g, rollup(s ORDER BY random()) AS s FROM part GROUP BY g) r, attribution(s) a"),
		$before, 'equal states give equal attributions');
	return;
}

# Do these equal the reference, byte for byte? With a pattern, the plan must match it, actual
# numbers included.
sub same
{
	my ($name, $query, $settings, $plan, $reference) = @_;
	$reference = $reference ? "($reference)" : 'reference';
	my $difference = "SELECT count(*) FROM $reference r FULL JOIN made m USING (g)
		WHERE markov_send(r.s) IS DISTINCT FROM markov_send(m.s) OR r.s::text IS DISTINCT FROM m.s::text";
	like(sql("$settings; EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) $query"), $plan, "plan of $name") if $plan;
	# CREATE TABLE AS takes the same plans as the query alone
	is(sql("$settings; CREATE TEMP TABLE made AS $query; RESET ALL; SELECT count(*) > 0, ($difference) FROM made"), 't|0', $name);
	return;
}

# Rows of a query, undef for NULL.
sub rows_of
{
	my $query = shift;
	my %meaning = (n => "\n", t => "\t", r => "\r", b => "\b", f => "\f", v => "\x0b", '\\' => '\\');
	my $text = sql("COPY ($query) TO STDOUT");
	die "$text\n" if $last_failed;
	return map { [ map { $_ eq '\N' ? undef : s/\\(.)/$meaning{$1}/gr } split /\t/, $_, -1 ] } split /\n/, $text;
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
	binmode $file, ':utf8';
	print {$file} "SET timezone = 'UTC';\n$sql;\n";
	close $file or die "$!\n";
	return run('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $db, '-f', $file->filename) =~ s/\n\z//r;
}

sub run
{
	my @command = @_;
	my $pid = open my $out, '-|';
	die "fork: $!\n" if !defined $pid;
	if ($pid == 0)
	{
		open STDERR, '>&', \*STDOUT or die "$!\n";
		exec @command or die "$command[0]: $!\n";
	}
	binmode $out, ':utf8';
	my $text = do { local $/ = undef; <$out> };
	$last_failed = !close $out;
	return $text // '';
}
