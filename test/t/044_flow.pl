# flow, paths_to, paths_from, time_between and times_between against Perl that works on lists of
# events, over thousands of random small timelines with equal times and repeats; in all plans; and in
# linear time.
#
#	VISITORS=3000 CASES=200 SEED=1	how many timelines, and option sets of each function
use strict;
use warnings;
use Test::More;

my $database = 'flow_test';
my $visitors = $ENV{VISITORS} || 3000;
my $cases = $ENV{CASES} || 200;
my $seed = $ENV{SEED} || 1;
# each case is asked of one timeline in so many
my $share = 16;
my $minute = 60_000_000;
$ENV{PGOPTIONS} = '-c client_min_messages=warning';
srand $seed;

# Patterns, and which events (label, channel) match them; undef: no pattern is given.
my %pattern = (
	'a' => sub { $_[0] eq 'a' },
	'b' => sub { $_[0] eq 'b' },
	'a|b' => sub { $_[0] eq 'a' || $_[0] eq 'b' },
	'c|d*' => sub { $_[0] eq 'c' || $_[0] =~ /^d/ },
	'd*' => sub { $_[0] =~ /^d/ },
	'a@x' => sub { $_[0] eq 'a' && $_[1] eq 'x' },
	'*@x' => sub { $_[1] eq 'x' },
	'*@y|b' => sub { $_[1] eq 'y' || $_[0] eq 'b' },
	'*' => sub { 1 },
	'never' => sub { 0 });
my @patterns = sort keys %pattern;

psql('postgres', "DROP DATABASE IF EXISTS $database", "CREATE DATABASE $database ENCODING 'UTF8' TEMPLATE template0");
END
{
	my $status = $?;
	psql('postgres', "DROP DATABASE IF EXISTS $database WITH (FORCE)");
	$? = $status;
}
make_timelines();
my %events = read_events();
test_flow();
test_paths();
test_times();
test_sums();
test_plans();
test_large();
done_testing();

# Times on a grid of ten minutes, so that several events are at one instant and pauses are often
# exactly the gap.
sub make_timelines
{
	my $fraction = $seed * 0.618033988749895;
	$fraction -= int $fraction;
	sql("CREATE EXTENSION engagement; SELECT setseed($fraction);
		CREATE TABLE small AS SELECT v AS visitor, timeline(
				timestamptz '2026-01-01 00:00Z' + floor(random() * (CASE v % 4 WHEN 0 THEN 2 WHEN 1 THEN 8 WHEN 2 THEN 30 ELSE 90 END))
					* (CASE v % 5 WHEN 0 THEN interval '10 min 0.000001 s' ELSE interval '10 min' END),
				(array['a', 'a', 'a', 'b', 'b', 'c', 'd', 'dd', 'é'])[1 + floor(random() * (v % 9 + 1))],
				(array[NULL, NULL, 'x', 'y'])[1 + floor(random() * 4)]) AS t
			FROM generate_series(1, $visitors) v, generate_series(1, v % 17) GROUP BY v;
		INSERT INTO small VALUES (0, '{}'), (-1, NULL)");
	return;
}

# For each visitor a list of [microseconds, label, channel], in the timeline's order.
sub read_events
{
	my %read = map { $_ => [] } split /\n/, sql('SELECT visitor FROM small WHERE t IS NOT NULL');
	for my $line (split /\n/, sql("SELECT visitor, (extract(epoch FROM e.at) * 1000000)::bigint, e.event, coalesce(e.channel, '')
			FROM small, events(t) WITH ORDINALITY e(at, event, channel, value, properties, n) ORDER BY visitor, n"))
	{
		my ($visitor, @event) = split /\|/, $line, -1;
		push @{ $read{$visitor} }, \@event;
	}
	my $ties = grep { my $list = $_; grep { $list->[$_][0] == $list->[ $_ - 1 ][0] } 1 .. $#$list } values %read;
	cmp_ok($ties, '>', $visitors / 3, "$ties of $visitors timelines have events at one instant");
	return %read;
}

sub test_flow
{
	my @asked;
	for my $case (1 .. $cases)
	{
		my %option = (
			depth => pick(undef, 1, 2, 3, 5, 7, 1000), among => pick(undef, undef, @patterns),
			collapse => pick(undef, 'true', 'false', 'false'), gap => pick(undef, undef, 0, 10, 20, 60));
		$option{ pick('start_event', 'end_event') } = pick(@patterns) if $case % 5;
		push @asked, { option => \%option, sql => "flow(t" . list(\%option) . ')', columns => "f.step, f.source, f.target, round(f.seconds * 1000000)",
			expected => sub { flow_rows($_[0], \%option) } };
	}
	compare('flow', @asked);
	return;
}

sub flow_rows
{
	my ($events, $option) = @_;
	my @rows;
	my $depth = $option->{depth} // 5;
	my $anchor = $option->{start_event} // $option->{end_event};
	for my $visit (defined $option->{gap} ? visits_of($events, $option->{gap}) : $events)
	{
		my @steps = grep { !defined $option->{among} || matches($option->{among}, $_) || matches($anchor, $_) } @$visit;
		if (defined $anchor)
		{
			my ($first) = grep { matches($anchor, $steps[$_]) } 0 .. $#steps;
			next if !defined $first;
			@steps = defined $option->{start_event} ? @steps[ $first .. $#steps ] : @steps[ 0 .. $first ];
		}
		@steps = collapsed(@steps) if ($option->{collapse} // 'true') eq 'true';
		# each step begins a row; the last one's has no other side
		my @pairs = map { [ $steps[$_], $steps[ $_ + 1 ] ] } 0 .. $#steps;
		@pairs = map { [ $_ > 0 ? $steps[ $_ - 1 ] : undef, $steps[$_] ] } reverse 0 .. $#steps if defined $option->{end_event};
		splice @pairs, $depth if @pairs > $depth;
		my $step = 0;
		for my $pair (@pairs)
		{
			my ($source, $target) = @$pair;
			$step += defined $option->{end_event} ? -1 : 1;
			push @rows, join '|', $step, $source ? $source->[1] : '', $target ? $target->[1] : '',
				$source && $target ? $target->[0] - $source->[0] : '';
		}
	}
	return @rows;
}

sub visits_of
{
	my ($events, $gap) = @_;
	my @visits;
	for my $i (0 .. $#$events)
	{
		push @visits, [] if $i == 0 || $events->[$i][0] - $events->[ $i - 1 ][0] > $gap * $minute;
		push @{ $visits[-1] }, $events->[$i];
	}
	return @visits;
}

# Without those that have the label of the one before.
sub collapsed
{
	my @steps = @_;
	return map { $steps[$_] } grep { $_ == 0 || $steps[$_][1] ne $steps[ $_ - 1 ][1] } 0 .. $#steps;
}

sub test_paths
{
	for my $function ('paths_to', 'paths_from')
	{
		my @asked;
		for my $case (1 .. $cases)
		{
			my %option = (pattern => pick(@patterns), n => pick(1, 2, 3, 4, 6, 1000), among => pick(undef, undef, @patterns),
				collapse => pick(undef, 'true', 'true', 'false'), occurrence => pick(undef, 'all', 'first', 'last'));
			push @asked, { option => \%option, sql => "$function(t" . list(\%option) . ')',
				columns => '(extract(epoch FROM f.at) * 1000000)::bigint, f.path',
				expected => sub { path_rows($_[0], \%option, $function eq 'paths_to') } };
		}
		compare($function, @asked);
	}
	return;
}

sub path_rows
{
	my ($events, $option, $is_to) = @_;
	my $occurrence = $option->{occurrence} // 'all';
	my @found = grep { matches($option->{pattern}, $events->[$_]) } 0 .. $#$events;
	@found = $occurrence eq 'first' ? $found[0] : $found[-1] if @found && $occurrence ne 'all';
	my @rows;
	for my $i (@found)
	{
		my @steps = grep { !defined $option->{among} || matches($option->{among}, $_) }
			@$events[ $is_to ? (0 .. $i - 1) : ($i + 1 .. $#$events) ];
		@steps = collapsed(@steps) if ($option->{collapse} // 'false') eq 'true';
		my $extra = @steps - $option->{n};
		splice @steps, $is_to ? 0 : $option->{n}, $extra if $extra > 0;
		push @rows, "$events->[$i][0]|{" . join(',', map { $_->[1] } @steps) . '}';
	}
	return @rows;
}

sub test_times
{
	my (@all, @one);
	for my $case (1 .. $cases)
	{
		my %option = (from_event => pick(@patterns), to_event => pick(@patterns), within => pick(undef, undef, 0, 10, 20, 40, 100),
			longer_than => pick(undef, undef, 0, 10, 30));
		push @all, { option => \%option, sql => "times_between(t" . list(\%option) . ')',
			columns => '(extract(epoch FROM f.from_at) * 1000000)::bigint, (extract(epoch FROM f.to_at) * 1000000)::bigint, round(f.seconds * 1000000)',
			expected => sub { pair_rows($_[0], \%option) } };
		my %picked = (%option, pick => pick(undef, 'first', 'last', 'shortest', 'longest', 'mean'));
		push @one, { option => \%picked, sql => '(SELECT time_between(t' . list(\%picked) . ') AS i)',
			columns => "(extract(epoch FROM f.i) * 1000000)::bigint", expected => sub { pair_pick($_[0], \%picked) } };
	}
	compare('times_between', @all);
	compare('time_between', @one);
	return;
}

# At one instant first those that only open, last those that only close; then one after the other.
sub pair_rows
{
	my ($events, $option) = @_;
	my (@all, @rows, $open);
	for my $event (@$events)
	{
		my ($from, $to) = map { matches($option->{$_}, $event) ? 1 : 0 } 'from_event', 'to_event';
		push @all, [ $event->[0], 1 + $to - $from, $from, $to ] if $from || $to;
	}
	for my $event (sort { $a->[0] <=> $b->[0] || $a->[1] <=> $b->[1] } @all)
	{
		my ($at, undef, $from, $to) = @$event;
		undef $open if defined $open && defined $option->{within} && $at - $open > $option->{within} * $minute;
		if ($to && defined $open)
		{
			push @rows, join '|', $open, $at, $at - $open
				if !defined $option->{longer_than} || $at - $open > $option->{longer_than} * $minute;
			undef $open;
		}
		$open //= $at if $from;
	}
	return @rows;
}

sub pair_pick
{
	my ($events, $option) = @_;
	my @lengths = map { (split /\|/)[2] } pair_rows($events, $option);
	return '' if !@lengths;
	my @sorted = sort { $a <=> $b } @lengths;
	my $sum = 0;
	$sum += $_ for @lengths;
	my %picked = (first => $lengths[0], last => $lengths[-1], shortest => $sorted[0], longest => $sorted[-1],
		mean => int($sum / @lengths + 0.5));
	return $picked{ $option->{pick} // 'first' };
}

# What holds for whole populations, in plain SQL.
sub test_sums
{
	is(sql("SELECT count(*) FROM (SELECT step, sum(n) FILTER (WHERE target IS NOT NULL) AS inflow, lead(sum(n)) OVER (ORDER BY step) AS outflow
			FROM (SELECT step, source, target, count(*) AS n FROM small, flow(t, depth => 6) GROUP BY 1, 2, 3) s GROUP BY step) s
		WHERE step < 6 AND inflow IS DISTINCT FROM coalesce(outflow, 0)"), '0', 'who arrives at a step goes on from it or exits');
	is(sql("SELECT count(*) FROM (SELECT label, step, sum(n) FROM (
				SELECT target AS label, step + 1 AS step, count(*) AS n FROM small, flow(t, 'a', depth => 6) WHERE target IS NOT NULL AND step < 6 GROUP BY 1, 2
				UNION ALL SELECT source, step, -count(*) FROM small, flow(t, 'a', depth => 6) WHERE step > 1 GROUP BY 1, 2) s
			GROUP BY 1, 2 HAVING sum(n) <> 0) s"), '0', 'for each label');
	is(sql("WITH pair AS (SELECT visitor, before, at FROM (SELECT visitor, at, lag(at) OVER (PARTITION BY visitor ORDER BY at) AS before
				FROM small, events(t)) s WHERE before IS NOT NULL),
			ours AS (SELECT visitor, from_at, to_at FROM small, times_between(t, '*', '*'))
		SELECT (SELECT count(*) FROM (SELECT * FROM pair EXCEPT ALL SELECT * FROM ours) s),
			(SELECT count(*) FROM (SELECT * FROM ours EXCEPT ALL SELECT * FROM pair) s)"), '0|0', 'all times between events are those of lag()');
	is(sql("SELECT count(*) FROM small WHERE event_count(t) > 0
		AND (SELECT count(*) FROM times_between(t, '*', '*', longer_than => '30 min')) <> visit_count(t) - 1"), '0',
		'the pauses longer than 30 minutes are those between visits');
	is(sql("SELECT count(*) FROM small, LATERAL (SELECT min(to_at - from_at) AS shortest, max(to_at - from_at) AS longest FROM times_between(t, 'a', 'b')) p
		WHERE time_between(t, 'a', 'b', pick => 'shortest')::text IS DISTINCT FROM shortest::text
			OR time_between(t, 'a', 'b', pick => 'longest')::text IS DISTINCT FROM longest::text"), '0', 'intervals are those of subtraction');
	# the order of labels at one instant changes nothing: other names, other order
	is(sql("WITH renamed AS (SELECT visitor, t, (SELECT timeline(e.at, translate(e.event, 'abcd', 'dcba')) FROM events(t) e) AS r FROM small WHERE visitor > 0)
		SELECT count(*) FROM renamed WHERE (SELECT array_agg(p::text) FROM times_between(t, 'a|d*', 'b|d*') p)
			IS DISTINCT FROM (SELECT array_agg(p::text) FROM times_between(r, 'd|a*', 'c|a*') p)"), '0', 'the order of labels does not matter');
	return;
}

# In the select list, in loops that are cut off and started again, by workers.
sub test_plans
{
	my %functions = (flow => "flow(t, 'a|b', gap => '20 min')", paths_to => "paths_to(t, 'b', 3)",
		paths_from => "paths_from(t, 'a', 3, collapse => true)", times_between => "times_between(t, 'a', 'b|c')");
	for my $name (sort keys %functions)
	{
		my $call = $functions{$name};
		my $rows = "ARRAY(SELECT f::text FROM $call f)";
		is(sql("SELECT count(*) FILTER (WHERE cardinality($rows) > 2) > 100, count(*) FILTER (WHERE ARRAY(SELECT $call)::text[] <> $rows) FROM small"),
			't|0', "$name in the select list");
		is(sql("SELECT count(*) FROM small WHERE ARRAY(SELECT f::text FROM $call f LIMIT 2) <> ($rows)[1:2]"), '0', "$name cut off after two rows");
		is(sql("SELECT count(*) FROM (SELECT t FROM small WHERE visitor % 100 = 16) s, generate_series(1, 9) i
			WHERE ARRAY(SELECT f::text FROM (SELECT $call AS f OFFSET 0) s, (SELECT i AS again OFFSET 0) a LIMIT i)::text[] <> ($rows)[1:i]"),
			'0', "$name started again and again");
		my $parallel = 'SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2';
		my $sum = "SELECT count(*), sum(hashtext(f::text)::bigint) FROM small, $call f";
		like(sql("$parallel; EXPLAIN (COSTS OFF) $sum"), qr/Gather.*Function Scan/s, "$name runs in workers");
		is(sql("$parallel; $sum"), sql("SET max_parallel_workers_per_gather = 0; $sum"), 'with the same answer');
	}
	# patterns and options that change from row to row
	is(sql("SELECT count(*) FROM small, (VALUES ('a', 1), ('b', 2), ('*\@x', 3)) o(p, n)
		WHERE ARRAY(SELECT f::text FROM paths_to(t, p, n) f) <> CASE n
			WHEN 1 THEN ARRAY(SELECT f::text FROM paths_to(t, 'a', 1) f)
			WHEN 2 THEN ARRAY(SELECT f::text FROM paths_to(t, 'b', 2) f)
			ELSE ARRAY(SELECT f::text FROM paths_to(t, '*\@x', 3) f) END"), '0', 'arguments that change with the row');
	return;
}

# Where a walk of all events for each event would take minutes.
sub test_large
{
	my $events = 300_000;
	sql("CREATE TABLE large AS SELECT timeline(timestamptz '2026-01-01Z' + i / 3 * interval '1 s',
		CASE WHEN i % 100000 = 99999 THEN 'rare' WHEN i % 2 = 0 THEN 'a' ELSE 'b' END) AS t FROM generate_series(1, $events) i");
	my $limit = "SET statement_timeout = '20 s'";
	is(sql("$limit; SELECT count(*), min(cardinality(path)), max(cardinality(path)) FROM large, paths_from(t, 'a', 3, 'rare')"), '150000|0|3',
		'what comes after 150,000 events, where it is rare');
	is(sql("$limit; SELECT count(*), max(cardinality(path)) FROM large, paths_from(t, '*', 1000, 'never', collapse => true)"), "$events|0", 'and where it never is');
	is(sql("$limit; SELECT count(*), max(cardinality(path)) FROM large, paths_from(t, '*', 2, 'a', collapse => true)"), "$events|1", 'and where all are repeats');
	is(sql("$limit; SELECT count(*), min(cardinality(path)), array_agg(path[1000]) FROM large, paths_to(t, 'rare', 1000)"), '3|1000|{b,a,b}', 'what came before');
	is(sql("$limit; SELECT count(*), max(step) FROM large, flow(t, depth => 1000)"), '1000|1000', 'a flow of the greatest depth');
	is(sql("$limit; SELECT count(*), min(step), sum(seconds) FROM large, flow(t, end_event => 'rare', depth => 1000, collapse => false)"),
		'1000|-1000|333', 'and back');
	is(sql("$limit; SELECT count(*), sum(seconds) FROM large, times_between(t, 'a', 'rare')"), '3|99997', 'times between');
	is(sql("$limit; SELECT time_between(t, 'never', '*'), time_between(t, '*', '*', pick => 'mean') FROM large"), '|00:00:00.333334', 'and their mean');
	return;
}

# Asks all cases in one session and compares the rows of each, visitor by visitor.
sub compare
{
	my ($name, @asked) = @_;
	my $script = "\\set ON_ERROR_STOP 1\n";
	for my $i (0 .. $#asked)
	{
		my $slice = $i % $share;
		$script .= "SELECT '== $i';\nSELECT visitor, $asked[$i]{columns} FROM small, LATERAL "
			. ($asked[$i]{sql} =~ /^\(/ ? "$asked[$i]{sql} f" : "$asked[$i]{sql} WITH ORDINALITY f")
			. " WHERE t IS NOT NULL AND visitor % $share = $slice ORDER BY visitor" . ($asked[$i]{sql} =~ /^\(/ ? ";\n" : ", f.ordinality;\n");
	}
	my (@answers, $rows);
	for my $line (split /\n/, run_script($script))
	{
		if ($line =~ /^== /) { push @answers, ''; }
		else { $answers[-1] .= "$line\n"; $rows++; }
	}
	my @wrong;
	for my $i (0 .. $#asked)
	{
		my $slice = $i % $share;
		my $expected = join '', map { my $v = $_; map { "$v|$_\n" } $asked[$i]{expected}->($events{$v}) }
			sort { $a <=> $b } grep { $_ % $share == $slice } keys %events;
		push @wrong, "$asked[$i]{sql}\n" . first_difference($answers[$i] // 'no answer', $expected) if ($answers[$i] // '') ne $expected;
	}
	is(join("\n", @wrong[ 0 .. ($#wrong < 2 ? $#wrong : 2) ]), '', "$name: $cases option sets");
	cmp_ok($rows, '>', $visitors, "with $rows rows");
	return;
}

sub first_difference
{
	my @got = split /\n/, $_[0];
	my @expected = split /\n/, $_[1];
	my ($i) = grep { ($got[$_] // '') ne ($expected[$_] // '') } 0 .. ($#got > $#expected ? $#got : $#expected);
	my $visitor = (sort { $a <=> $b } map { (split /\|/)[0] } grep { defined } $got[$i], $expected[$i])[0];
	return "got " . ($got[$i] // 'nothing') . ', expected ' . ($expected[$i] // 'nothing') . ' of '
		. join ' ', map { join '/', @$_ } @{ $events{$visitor} };
}

sub matches
{
	my ($name, $event) = @_;
	return defined $name && $pattern{$name}->($event->[1], $event->[2]);
}

sub pick
{
	return $_[ rand @_ ];
}

# The options as named arguments; NULL now and then instead of leaving one out.
sub list
{
	my $option = shift;
	my $text = '';
	for my $name (sort keys %$option)
	{
		my $value = $option->{$name};
		next if !defined $value && rand() < 0.5;
		$value = "'$value min'" if defined $value && $name =~ /^(?:gap|within|longer_than)$/;
		$value = "'$value'" if defined $value && $value !~ /^(?:'.*|\d+|true|false)$/;
		$text .= ", $name => " . ($value // 'NULL');
	}
	return $text;
}

sub run_script
{
	my $script = shift;
	my $path = ($ENV{TESTDATADIR} || '.') . "/flow_$$.sql";
	open my $file, '>', $path or die "$path: $!\n";
	print {$file} $script;
	close $file or die "$path: $!\n";
	open my $pipe, '-|', 'psql', '-XAtq', '-d', $database, '-f', $path or die "psql: $!\n";
	my $output = do { local $/; <$pipe> };
	close $pipe or die "psql failed\n";
	unlink $path;
	return $output // '';
}

sub sql
{
	my $sql = shift;
	open my $pipe, '-|', 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $database, '-c', $sql or die "psql: $!\n";
	my $output = do { local $/; <$pipe> } // '';
	close $pipe or die "psql failed: $sql\n";
	chomp $output;
	return $output;
}

sub psql
{
	my ($in, @commands) = @_;
	system('psql', '-XAtq', '-d', $in, map { ('-c', $_) } @commands) == 0 or warn "psql failed\n";
	return;
}
