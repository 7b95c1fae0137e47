# Shapley values of channels against their definition over all coalitions, in exact rational
# numbers (test/reference/Attribution.pm), and the state conversion_paths behind them: the
# same bytes for any order of rows, plan and merge tree.
#
#	SEED=1 CASES=84	random cases
use strict;
use warnings;
use File::Temp;
use FindBin;
use lib "$FindBin::Bin/../reference";
use Test::More;
use Attribution qw(channels_of chain_of game_channels shapley conversions_within rate_of_exactly converted_by_chain
  shapley_by_position is_near is_zero rational add multiply double_value);
use AttributionCases qw(make_case families sql_rows whole pick);

my $last_failed;
my $database = 'shapley_test';
my $seed = $ENV{SEED} || 1;
my $case_count = $ENV{CASES} || 84;
my $sql_seed = $seed * 0.618033988749895;
$sql_seed -= int $sql_seed;
srand $seed;
$ENV{PGOPTIONS} = '-c client_min_messages=warning';
binmode $_, ':utf8' for Test::More->builder->output, Test::More->builder->failure_output, Test::More->builder->todo_output;

my $aggregate = 'conversion_paths(path, conversions, value, non_conversions)';
my $serial = "SET max_parallel_workers_per_gather = 0; SET work_mem = '1GB'";
my $parallel = q{
	SET parallel_setup_cost = 0;
	SET parallel_tuple_cost = 0;
	SET min_parallel_table_scan_size = 0;
	SET max_parallel_workers_per_gather = 3;
	SET parallel_leader_participation = off};

# Model, chain order, largest number of channels that the reference is asked for.
my @models = ([ 'shapley', undef, 5 ], [ 'shapley_observed', undef, 5 ], [ 'shapley_markov', 1, 4 ], [ 'shapley_markov', 2, 3 ]);

psql('postgres', "DROP DATABASE IF EXISTS $database");
psql('postgres', "CREATE DATABASE $database ENCODING 'UTF8' TEMPLATE template0");
END
{
	my $status = $?;
	psql('postgres', "DROP DATABASE IF EXISTS $database WITH (FORCE)");
	$? = $status;
}
set_up('CREATE EXTENSION engagement');

my @cases = map { make_case((families())[ $_ % families() ], whole(1, 2)) } 1 .. $case_count;
make_tables();
test_values();
test_positions();
test_axioms();
test_many_channels();
test_sampling();
test_markov();
test_orders();
test_plans();
test_merge_trees();
test_storage();
done_testing();

# Table counted: all rows of all cases, in random order; and groups of more rows.
sub make_tables
{
	my @values = map { sql_rows($_, $cases[$_]) } 0 .. $#cases;
	set_up("SELECT setseed($sql_seed);
		CREATE TABLE named_row (g, chain_order, path, conversions, value, non_conversions) AS SELECT * FROM (VALUES
		(0, 1, NULL::text[], 0::bigint, NULL::float8, 0::bigint),\n" . join(",\n", @values) . ") v OFFSET 1;
		CREATE TABLE counted AS SELECT *, random() AS place FROM named_row ORDER BY random();
		INSERT INTO counted SELECT $case_count + i % 23, 1 + i % 23 % 4, ARRAY(SELECT chr(65 + floor(random() * random() * (3 + i % 23 % 5))::int) FROM generate_series(1, 1 + i * 7 % 11 % 5)), floor(random() * 5)::int * (random() < 0.3)::int * 10 ^ floor(random() * 6)::int,
				CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN 0.1 WHEN 2 THEN random() * 1e9 ELSE round((random() * 1000)::numeric, 2) END, floor(random() * 3), random()
			FROM generate_series(1, 8000) i;
		UPDATE counted SET value = NULL WHERE conversions = 0;
		CREATE TABLE shuffled AS SELECT * FROM counted ORDER BY random();
		ANALYZE counted, shuffled;
		-- what all others are compared with: one process, sorted input
		$serial; SET enable_hashagg = off;
		CREATE TABLE reference AS SELECT g, min(chain_order) AS chain_order, $aggregate AS s FROM (SELECT * FROM counted ORDER BY g, place) s GROUP BY g");
	is(sql('SELECT count(*) FROM reference'), $case_count + 23, 'there is something to compare');
	return;
}

# Credits of each channel by each game, within 1e-12 of the exact ones.
sub test_values
{
	foreach my $model (@models)
	{
		my ($name, $order, $most) = @$model;
		my @numbers = grep { game_channels($cases[$_]{rows}) <= $most && (!$order || @{ chain_of($cases[$_]{rows}, $order)->{states} } <= 12) } 0 .. $#cases;
		my %found;
		foreach my $row (rows_of("SELECT g, a.channel, a.conversions, a.value, a.effect, a.std_error FROM reference, " . attribution('s', $name, $order) . ' a WHERE g IN (' . join(',', @numbers) . ')'))
		{
			$found{ $row->[0] }{ $row->[1] } = $row;
		}
		my (@wrong, $checked);
		foreach my $number (@numbers)
		{
			my $rows = $cases[$number]{rows};
			my %want = exact_values($rows, $name, $order);
			my $cancels = $name ne 'shapley' || grep { ($_->{value} // 0) < 0 } @$rows;
			foreach my $column (sort keys %want)
			{
				my $limit = $cancels ? size_of($rows, $want{$column}, $column) : undef;
				foreach my $channel (sort keys %{ $want{$column} })
				{
					my $got = $found{$number}{$channel}[ { conversions => 2, value => 3, effect => 4 }->{$column} ];
					push @wrong, sprintf('case %d (%s), %s of %s: %s instead of %.15g', $number, $cases[$number]{family}, $column, $channel, $got // 'NULL', double_value($want{$column}{$channel}))
					  if !defined $got || !is_near($got, $want{$column}{$channel}, '1e-12', $limit);
					$checked++;
				}
				push @wrong, "case $number: a standard error" if grep { defined $_->[5] } values %{ $found{$number} // {} };
			}
		}
		is(join("\n", @wrong[ 0 .. ($#wrong < 9 ? $#wrong : 9) ]), '', "$name" . ($order ? ", order $order" : '') . ": $checked numbers of " . @numbers . " cases, seed $seed");
	}
	return;
}

# The call of a model over a state.
sub attribution
{
	my ($state, $name, $order) = @_;
	return "attribution($state, '$name'" . ($order ? ", chain_order => $order" : '') . ')';
}

# The columns of attribution() by a model, each { channel => rational }. The effect is the
# Shapley value of a game in rates; times the paths, it is conversions.
sub exact_values
{
	my ($rows, $name, $order) = @_;
	my @channels = game_channels($rows);
	return (effect => shapley(\@channels, rate_of_exactly($rows, 'conversions'))) if $name eq 'shapley_observed';
	if ($name eq 'shapley')
	{
		my $credits = shapley(\@channels, conversions_within($rows, 'conversions'));
		return (conversions => $credits, value => shapley(\@channels, conversions_within($rows, 'value')));
	}
	my $paths = 0;
	$paths += $_->{conversions} + $_->{non_conversions} for grep { channels_of($_->{path}) } @$rows;
	my $effect = shapley(\@channels, converted_by_chain($rows, $order, 'conversions'));
	my $value = shapley(\@channels, converted_by_chain($rows, $order, 'value'));
	return (
		effect => $effect,
		conversions => { map { $_ => multiply($effect->{$_}, rational($paths)) } @channels },
		value => { map { $_ => multiply($value->{$_}, rational($paths)) } @channels });
}

# Where parts of both signs are added up, a distance is relative to the sum of their sizes.
sub size_of
{
	my ($rows, $want, $column) = @_;
	my $total = rational(0);
	foreach my $size (map { [ abs $_->[0], $_->[1] ] } values %$want)
	{
		$total = add($total, $size);
	}
	foreach my $row (grep { $column eq 'value' && ($_->{value} // 0) < 0 } @$rows)
	{
		$total = add($total, rational(-2 * $row->{value}));
	}
	return $total;
}

# Of each channel at each position, and over all positions what the model shapley gives.
sub test_positions
{
	my %found;
	$found{ $_->[0] }{"$_->[2] $_->[1]"} = $_ for rows_of("SELECT g, a.channel, a.touch_position, a.conversions, a.value FROM reference, shapley_positions(s) a WHERE g < $case_count");
	my (@wrong, $checked);
	foreach my $number (grep { $cases[$_]{family} !~ /^(?:cycles|repeats|one_channel|negative)$/ } 0 .. $#cases)
	{
		my $credits = shapley_by_position($cases[$number]{rows}, 'conversions');
		my $values = shapley_by_position($cases[$number]{rows}, 'value');
		foreach my $channel (sort keys %$credits)
		{
			foreach my $position (sort { $a <=> $b } keys %{ $credits->{$channel} })
			{
				my $got = delete $found{$number}{"$position $channel"};
				$checked++;
				next if $got && is_near($got->[3], $credits->{$channel}{$position}, '1e-12') && is_near($got->[4], $values->{$channel}{$position}, '1e-12');
				push @wrong, sprintf 'case %d: %s at %d has %s instead of %.15g', $number, $channel, $position, $got ? "$got->[3], $got->[4]" : 'nothing', double_value($credits->{$channel}{$position});
			}
		}
		push @wrong, "case $number: besides " . join ', ', keys %{ $found{$number} } if grep { $_->[1] ne '(unattributed)' && $_->[3] } values %{ $found{$number} // {} };
	}
	is(join("\n", @wrong[ 0 .. ($#wrong < 9 ? $#wrong : 9) ]), '', "ordered: $checked credits at positions");
	is(sql("SELECT count(*) > 200, count(*) FILTER (WHERE abs(a.conversions - b.conversions) > 1e-12 * a.conversions) FROM (SELECT g, a.* FROM reference, "
			. attribution('s', 'shapley') . " a) a FULL JOIN (SELECT g, b.* FROM reference, " . attribution('s', 'shapley_ordered') . " b) b USING (g, channel)"), 't|0', 'the model shapley_ordered gives as much as shapley');
	return;
}

sub equal
{
	my ($x, $y) = @_;
	return is_zero(add($x, [ -$y->[0], $y->[1] ]));
}

# In SQL: all is given out, equals get equal parts, and who adds nothing gets nothing.
sub test_axioms
{
	foreach my $model (grep { $_->[0] ne 'shapley_observed' } @models)
	{
		my $call = attribution('s', @$model[ 0, 1 ]);
		is(sql("SELECT count(*) > 80, count(*) FILTER (WHERE abs(given - conversions) > 1e-12 * conversions)
			FROM (SELECT g, sum(a.conversions) AS given FROM reference, $call a GROUP BY g) a
			JOIN (SELECT g, sum(conversions) AS conversions FROM counted GROUP BY g) r USING (g)"), 't|0', "$model->[0] gives out all conversions");
		# A and B, wherever one stands the other does as well; N only where nobody converts
		is(sql("SELECT string_agg(format('%s %s', channel, round(conversions::numeric, 9)), ', ' ORDER BY channel) FROM "
				. attribution("(SELECT $aggregate FROM (VALUES (ARRAY['A', 'C'], 5::bigint, 1::float8, 2::bigint), (ARRAY['B', 'C'], 5, 1, 2), (ARRAY['C'], 1, 1, 4), (ARRAY['N'], 0, NULL, 9)) v (path, conversions, value, non_conversions))", @$model[ 0, 1 ]) . ' a'),
			join(', ', map { sprintf '%s %.9f', @$_ } hand($model)), "$model->[0]: equals are equal, and a null player has nothing");
	}
	return;
}

sub hand
{
	my $model = shift;
	my @rows = map { { path => $_->[0], conversions => $_->[1], non_conversions => $_->[2], value => 1 } } [ [qw(A C)], 5, 2 ], [ [qw(B C)], 5, 2 ], [ ['C'], 1, 4 ], [ ['N'], 0, 9 ];
	my %exact = exact_values(\@rows, @$model[ 0, 1 ]);
	my $want = $exact{conversions};
	die "not equal\n" if !equal($want->{A}, $want->{B}) || !is_zero($want->{N});
	return map { [ $_, double_value($want->{$_}) ] } sort keys %$want;
}

# Sixteen channels, exactly: four groups of four that no path connects are four games, and
# each channel has in all what it has in its own.
sub test_many_channels
{
	my ($rows, $credits) = separate_games(4, 4);
	my @found = rows_of("SELECT channel, conversions, std_error FROM " . attribution(state_of($rows), 'shapley_markov', 1));
	my @wrong = grep { !$credits->{ $_->[0] } || !is_near($_->[1], $credits->{ $_->[0] }, '1e-11') || $_->[2] } @found;
	is(join(', ', map { join ' ', map { $_ // 'NULL' } @$_ } @wrong), '', 'sixteen channels: exact, and without a standard error');
	is(scalar @found, 16, 'all of them');
	return;
}

# More are sampled: near the exact values by their own standard errors, with an exact sum, and
# the same each time, whatever the order of the rows.
sub test_sampling
{
	my ($rows, $credits) = separate_games(5, 4);
	my $call = attribution(state_of($rows), 'shapley_markov', 1);
	my @found = rows_of("SELECT channel, conversions, std_error FROM $call");
	my (@wrong, $square);
	foreach my $row (@found)
	{
		my ($channel, $got, $error) = @$row;
		my $exact = double_value($credits->{$channel});
		push @wrong, "$channel $got +- " . ($error // 'NULL') . " for $exact" if !defined $error || $error < 0 || abs($got - $exact) > 5 * $error + 1e-9 * $exact;
		$square += (($got - $exact) / $error)**2 / @found if $error;
	}
	is(join(', ', @wrong), '', 'twenty channels: within five standard errors');
	ok(@found == 20 && $square > 0.2 && $square < 4, sprintf('and the errors are as large as they say (mean square %.2f)', $square // 0));
	my ($given, $conversions) = (0, 0);
	$given += $_->[1] for @found;
	$conversions += $_->{conversions} for @$rows;
	ok(abs($given - $conversions) <= 1e-12 * $conversions, 'their sum is exact') or diag("$given of $conversions");
	my $turned = attribution(state_of([ reverse @$rows ]), 'shapley_markov', 1);
	is(sql("SELECT count(*) FROM ((TABLE a EXCEPT TABLE b) UNION ALL (TABLE b EXCEPT TABLE a)) s", "CREATE TEMP TABLE a AS SELECT channel, conversions, value, std_error FROM $call; CREATE TEMP TABLE b AS SELECT channel, conversions, value, std_error FROM $turned"),
		'0', 'the same numbers from rows in another order');
	return;
}

# Rows of so many games of so many channels, and the exact credits of all.
sub separate_games
{
	my ($games, $size) = @_;
	my (@rows, %credits);
	foreach my $game (1 .. $games)
	{
		my @own;
		my @names = map { "$game$_" } ('a' .. 'z')[ 0 .. $size - 1 ];
		push @own, { path => [ map { pick(@names) } 1 .. whole(1, 4) ], conversions => whole(1, 9), non_conversions => whole(0, 30), value => whole(1, 100) } for 1 .. 8;
		push @own, { path => [@names], conversions => 1, non_conversions => 1, value => 1 };
		my %own = exact_values(\@own, 'shapley_markov', 1);
		@credits{ keys %{ $own{conversions} } } = values %{ $own{conversions} };
		push @rows, @own;
	}
	return (\@rows, \%credits);
}

sub state_of
{
	my $rows = shift;
	return "(SELECT $aggregate FROM (VALUES " . join(', ', sql_rows(0, { order => 1, rows => $rows })) . ') v (g, chain_order, path, conversions, value, non_conversions))';
}

# The chain of a state of paths is the chain counted from the rows, at each order.
sub test_markov
{
	for my $order (1 .. 4)
	{
		is(sql("SELECT count(*) > 80, count(*) FILTER (WHERE markov_send(markov(s, $order)) IS DISTINCT FROM markov_send(m)) FROM reference
			JOIN (SELECT g, markov(path, conversions, value, non_conversions, $order) AS m FROM counted GROUP BY g) r USING (g)"), 't|0', "markov of conversion_paths at order $order, byte for byte");
		is(sql("SELECT count(*) > 80, count(*) FILTER (WHERE (a.conversions, a.value, a.share) IS DISTINCT FROM (b.conversions, b.value, b.share)) FROM (SELECT g, a.* FROM reference, " . attribution('s', 'markov', $order) . " a) a
			FULL JOIN (SELECT g, b.* FROM reference, attribution(markov(s, $order)) b) b USING (g, channel)"), 't|0', 'and its attribution');
	}
	return;
}

sub test_orders
{
	same('rows in the order of the heap', "SELECT g, $aggregate AS s FROM counted GROUP BY g", $serial);
	same('rows in random order', "SELECT g, $aggregate AS s FROM shuffled GROUP BY g", $serial);
	same('rows in reverse order', "SELECT g, $aggregate AS s FROM (SELECT * FROM counted ORDER BY g, place DESC) s GROUP BY g", $serial);
	same('rows by path', "SELECT g, $aggregate AS s FROM (SELECT * FROM counted ORDER BY path) s GROUP BY g", $serial);
	same('a grouping set', "SELECT g, s FROM (SELECT g, $aggregate AS s FROM shuffled GROUP BY GROUPING SETS ((g), ())) s WHERE g IS NOT NULL", $serial);
	same('rows of the same path as one', "SELECT g, conversion_paths(path, c, NULL, n) AS s FROM (SELECT g, path, sum(conversions)::bigint AS c, sum(non_conversions)::bigint AS n
		FROM counted GROUP BY g, path) s GROUP BY g", $serial, undef, 'SELECT g, conversion_paths(path, conversions, NULL, non_conversions) AS s FROM counted GROUP BY g');
	is(sql("SELECT count(DISTINCT conversion_paths_send(s)), count(*) FROM (SELECT k, conversion_paths(ARRAY['A'], 1, v, 0 ORDER BY random()) AS s
		FROM generate_series(1, 20) k, unnest(ARRAY[1e200, 1, 1e-200, 0.1, -1e200, 3e16, -0.3, 1e100, -1e100, 7]::float8[]) v GROUP BY k) s"), '1|20', 'values from 1e-200 to 1e200 in any order');
	return;
}

# Each plan is looked at, so that nothing else is tested by mistake.
sub test_plans
{
	my $query = "SELECT g, $aggregate AS s FROM shuffled GROUP BY g";
	same('sorted groups', $query, "$serial; SET enable_hashagg = off", qr/GroupAggregate/);
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
	same('random trees', 'SELECT g, rollup(s) AS s FROM (SELECT g, rollup(s) AS s FROM (SELECT g, rollup(s ORDER BY random()) AS s, twig % 3 AS branch
			FROM (SELECT *, floor(random() * 9)::int AS twig FROM part) p GROUP BY g, twig) s GROUP BY g, branch) s GROUP BY g', $serial);
	same('rollup of each row', 'SELECT g, rollup(s ORDER BY random()) AS s FROM one_row GROUP BY g', $serial);
	is(sql("SELECT count(*) > 20 AND count(*) FILTER (WHERE conversion_paths_send(s) IS DISTINCT FROM (SELECT conversion_paths_send(rollup(u)) FROM unnest(parts) u)) = 0
		FROM (SELECT rollup(s) OVER w AS s, array_agg(s) OVER w AS parts FROM part WHERE g % 5 = 0
			WINDOW w AS (PARTITION BY g ORDER BY piece ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)) s"), 't', 'rollup over a moving window');
	return;
}

# A stored state is the state: as text, in binary form, in line or out of line.
sub test_storage
{
	same('through text', 'SELECT g, s::text::conversion_paths AS s FROM reference', $serial);
	for my $format ('text', 'binary')
	{
		set_up("CREATE TABLE ${format}_copy (LIKE reference)");
		system("psql -Xq -d $database -c 'COPY reference TO STDOUT (FORMAT $format)' | psql -Xq -d $database -c 'COPY ${format}_copy FROM STDIN (FORMAT $format)'") == 0
		  or die "COPY failed\n";
		same("through COPY, $format", "SELECT g, s FROM ${format}_copy", $serial);
	}
	set_up('CREATE TABLE toasted (LIKE part); ALTER TABLE toasted ALTER s SET STORAGE external; INSERT INTO toasted SELECT * FROM part');
	same('rollup of what is out of line', 'SELECT g, rollup(s) AS s FROM toasted GROUP BY g', $serial);
	is(sql('SELECT count(*) FROM part p JOIN toasted t USING (g, piece) WHERE conversion_paths_send(p.s) <> conversion_paths_send(t.s)'), '0', 'and none of it has changed');
	return;
}

# Do these equal the reference, byte for byte? With a pattern, the plan must match it, actual
# numbers included.
sub same
{
	my ($name, $query, $settings, $plan, $reference) = @_;
	$reference = $reference ? "($reference)" : 'reference';
	my $difference = "SELECT count(*) FROM $reference r FULL JOIN made m USING (g)
		WHERE conversion_paths_send(r.s) IS DISTINCT FROM conversion_paths_send(m.s) OR r.s::text IS DISTINCT FROM m.s::text";
	like(sql("$settings; EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) $query"), $plan, "plan of $name") if $plan;
	# CREATE TABLE AS takes the same plans as the query alone
	is(sql("SELECT count(*) > 0, ($difference) FROM made", "$settings; CREATE TEMP TABLE made AS $query; RESET ALL"), 't|0', $name);
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

# With what is to be done before.
sub sql
{
	my ($query, $before) = @_;
	return psql($database, ($before ? "$before;\n" : '') . $query);
}

# What the tests stand on.
sub set_up
{
	my $text = sql(shift);
	die "$text\n" if $last_failed;
	return;
}

# The last result, or the error. From a file, for it may be long.
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
