# funnel(), funnel_level() and funnel_entry() beside an exhaustive search
# (test/reference/FunnelSearch.pm): worked cases, thousands of random small ones in all
# combinations of options (FunnelCases.pm), then timelines of 100,000 events for the time
# they take and for how soon they stop.
#
#	CASES=6000 SEED=1 EVENTS=100000
#
# A case that differs is made smaller as long as it differs, and printed as a SELECT.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../reference";
use File::Temp;
use FunnelCases qw(@options answer event families is_cheap random_cases);
use FunnelSearch qw(in_order pattern_matches);
use List::Util qw(max shuffle);
use Storable qw(dclone);
use Test::More;
use Time::HiRes qw(time);

my $cases = $ENV{CASES} || 6000;
my $events = $ENV{EVENTS} || 100_000;
my $seconds_allowed = 2;
my $shown_of_each = 2;
my $database = 'funnel_search_test';
my $last_failed;
$ENV{PGOPTIONS} = '-c client_min_messages=warning';
srand($ENV{SEED} || 1);

my $given = join ', ', map { "$_->[0] => c.$_->[0]" } @options;
my $is_right = "(funnel(c.timeline, c.steps, $given), funnel_level(c.timeline, c.steps, $given),
	funnel_entry(c.timeline, c.steps, c.property, $given)) IS NOT DISTINCT FROM (c.times, c.level, c.entry)";

psql('postgres', "DROP DATABASE IF EXISTS $database");
psql('postgres', "CREATE DATABASE $database ENCODING 'UTF8' TEMPLATE template0");
END
{
	my $status = $?;
	psql('postgres', "DROP DATABASE IF EXISTS $database WITH (FORCE)");
	$? = $status;
}
set_up('CREATE EXTENSION engagement;
	CREATE UNLOGGED TABLE funnel_case (id int, timeline timeline, steps text[], ' . join(', ', map { "$_->[0] $_->[1]" } @options) . ',
		property text, times timestamptz[], level int, entry text)');

# How an answer is wrong: by an error, the level, the times or the entry.
set_up("CREATE FUNCTION judged(c funnel_case) RETURNS text LANGUAGE plpgsql AS \$\$
	BEGIN
		RETURN CASE
			WHEN $is_right THEN 'right'
			WHEN funnel_level(c.timeline, c.steps, $given) IS DISTINCT FROM c.level THEN 'level'
			WHEN funnel(c.timeline, c.steps, $given) IS DISTINCT FROM c.times THEN 'times'
			ELSE 'entry' END;
	EXCEPTION WHEN OTHERS THEN
		RETURN SQLERRM;
	END \$\$");

test_worked_cases();
test_far_times();
my @random = random_cases($cases);
test_difficulty(\@random);
test_random_cases(\@random);
test_constant_arguments(\@random);
test_misfits_of_any();
test_size();
test_cancel();
done_testing();

# Each: name, steps, events, options, expected times and perhaps entry; both the search and
# the reference must give them. An event is its label, its time, and perhaps its channel,
# which is what is asked for of the entry.
sub test_worked_cases
{
	my @worked = (
		[ 'times between', 'a b c', 'a0 x1 b2 x3 c4', {}, [ 0, 2, 4 ] ],
		[ 'no events', 'a b', '', {}, [ undef, undef ] ],
		[ 'steps out of order', 'a b c', 'c0 b1 a2', {}, [ 2, undef, undef ] ],
		[ 'one step', 'a', 'b0 a1 a2', {}, [1] ],
		[ 'the earliest last step, then the latest first', 'a b', 'a0 a1 b2 a3 b4', {}, [ 1, 2 ] ],
		[ 'then the smallest times between', 'a b c', 'a0 b1 b2 c3', {}, [ 0, 1, 3 ] ],
		[ 'a smaller time between outranks what comes after', 'a b c d', 'a0 b1 b2 c2 c3 d4', {}, [ 0, 1, 2, 4 ] ],
		[ 'ClickHouse 52844: the earlier a', 'a b c', 'a1 a2 b2 c3', { strictly_increasing => 1 }, [ 1, 2, 3 ] ],
		[ 'ClickHouse 52844: the earlier b', 'a b c', 'a0 b1 a2 b3 c3 b4', { strictly_increasing => 1, within => 3 }, [ 0, 1, 3 ] ],
		[ 'ClickHouse 52844: neither pair alone', 'a b c d', 'a0 b1 a2 b3 c3 d4', { strictly_increasing => 1 }, [ 0, 1, 3, 4 ] ],
		[ 'one instant is no chain', 'a b', 'a0 b0', { strictly_increasing => 1 }, [ 0, undef ] ],
		[ 'one instant in any order', 'c b a', 'a0 b0 c0', {}, [ 0, 0, 0 ] ],
		[ 'the window holds its end', 'a b', 'a0 b3', { within => 3 }, [ 0, 3 ] ],
		[ 'and no more', 'a b', 'a0 b4', { within => 3 }, [ 0, undef ] ],
		[ 'the window is of the chain, not of the first first step', 'a b c', 'a0 a3 b4 c6', { within => 3 }, [ 3, 4, 6 ] ],
		[ 'a window of nothing', 'a b', 'a0 b1 a1', { within => 0 }, [ 1, 1 ] ],
		[ 'one gap for all', 'a b c', 'a0 b2 c4', { step_within => [2] }, [ 0, 2, 4 ] ],
		[ 'one gap for each', 'a b c', 'a0 b2 c3', { step_within => [ 2, 0 ] }, [ 0, 2, undef ] ],
		[ 'the later b is near enough', 'a b c', 'a0 b1 b2 c4', { step_within => [ 9, 2 ] }, [ 0, 2, 4 ] ],
		[ 'an event serves once', 'a|b b', 'a0 b1', {}, [ 0, 1 ] ],
		[ 'the second serves the second step', 'a|b b', 'b0', {}, [ 0, undef ] ],
		[ 'or any number of steps', 'a|b b *', 'b0', { once => 0 }, [ 0, 0, 0 ] ],
		[ 'the first fitting event is not for the first step', 'a|b a', 'a0 b0', {}, [ 0, 0 ] ],
		[ 'a chain of exchanges', 'a|b b|c c|d a', 'a0 b0 c0 d0', {}, [ 0, 0, 0, 0 ] ],
		[ 'three steps, two events', 'a|b a|b a|b', 'a0 b0', {}, [ 0, 0, undef ] ],
		[ 'equal events are two', 'a a', 'a0 a0', {}, [ 0, 0 ] ],
		[ 'taken at the instant before', '* b *', 'a0 b0 b1', {}, [ 0, 0, 1 ] ],
		[ 'excluded between', 'a b', 'a0 x1 b2', { exclude => ['x'] }, [ 0, undef ] ],
		[ 'excluded events at the ends do not count', 'a b', 'a0 x0 x2 b2', { exclude => ['x'] }, [ 0, 2 ] ],
		[ 'excluded in the other gap', 'a b c', 'a0 x1 b2 c3', { exclude => ['x'], exclude_after => [2] }, [ 0, 2, 3 ] ],
		[ 'excluded in this gap', 'a b c', 'a0 b2 x3 c4', { exclude => ['x'], exclude_after => [2] }, [ 0, 2, undef ] ],
		[ 'excluded in all gaps and in one', 'a b c', 'a0 y1 b2 c3', { exclude => [qw(x y)], exclude_after => [ undef, 2 ] }, [ 0, 2, 3 ] ],
		[ 'a later start after what is excluded', 'a b', 'a0 x1 a2 b3', { exclude => ['x'] }, [ 2, 3 ] ],
		[ 'a step that is excluded', 'a b c', 'a0 b1 b2 c3', { exclude => ['b'] }, [ 0, 1, undef ] ],
		[ 'optional, taken', 'a b c', 'a0 b1 c2', { optional => [2] }, [ 0, 1, 2 ] ],
		[ 'optional, skipped', 'a b c', 'a0 c2', { optional => [2] }, [ 0, undef, 2 ] ],
		[ 'optional, and the furthest', 'a b c', 'a0 b2', { optional => [2] }, [ 0, 2, undef ] ],
		[ 'optional, and skipped for a later start', 'a b c', 'a0 b1 a2 c3', { optional => [2] }, [ 2, undef, 3 ] ],
		[ 'a gap belongs to the step it leaves', 'a b c', 'a0 c3', { optional => [2], step_within => [ 3, 0 ] }, [ 0, undef, 3 ] ],
		[ 'front: the earlier start lasts longer', 'a x b c', 'a0 x1 a3 b8 b10 c13', { optional => [2], step_within => [ 5, 10, 3 ] }, [ 0, 1, 10, 13 ] ],
		[ 'front: the later start is in the window', 'a x b c', 'a0 x1 a3 b8 b10 c11', { optional => [2], step_within => [ 5, 10, 3 ], within => 10 }, [ 3, undef, 8, 11 ] ],
		[ 'front: by an exclusion', 'a x b c', 'a0 x1 a3 b4 e5 b9 c12', { optional => [2], exclude => ['e'], exclude_after => [1], step_within => [ 9, 9, 4 ] }, [ 0, 1, 9, 12 ] ],
		[ 'contiguous', 'a b c', 'x0 a1 b2 c3 x4', { mode => 'contiguous' }, [ 1, 2, 3 ] ],
		[ 'contiguous: a x a b c', 'a b c', 'a0 x1 a2 b3 c4', { mode => 'contiguous' }, [ 2, 3, 4 ] ],
		[ 'contiguous: broken', 'a b c', 'a0 b1 x2 c3', { mode => 'strict' }, [ 0, 1, undef ] ],
		[ 'contiguous: others at the ends', 'a b c', 'a0 x0 b1 x2 c2', { mode => 'exact_order' }, [ 0, 1, 2 ] ],
		[ 'contiguous: ties between', 'a b c d', 'a0 b1 c1 d2', { mode => 'contiguous' }, [ 0, 1, 1, 2 ] ],
		[ 'contiguous: a tie too many', 'a b c', 'a0 b1 b1 c2', { mode => 'contiguous' }, [ 0, 1, undef ] ],
		[ 'contiguous: all of an instant', 'a b|c c|b c d', 'a0 b1 c1 c1 d2', { mode => 'contiguous' }, [ 0, 1, 1, 1, 2 ] ],
		[ 'contiguous: both steps of one event', 'a b b c', 'a0 b1 c2', { mode => 'contiguous', once => 0 }, [ 0, 1, 1, 2 ] ],
		[ 'any order', 'a b c', 'c0 x1 b2 a3', { mode => 'any' }, [ 3, 2, 0 ] ],
		[ 'any order: in one window', 'a b c', 'c0 b2 a3 c6', { mode => 'any', within => 3 }, [ 3, 2, 0 ] ],
		[ 'any order: not in one window', 'a b c', 'c0 b4 a7', { mode => 'unordered', within => 3 }, [ 7, 4, undef ] ],
		[ 'any order: a prefix, not any steps', 'a b c', 'b0 c1', { mode => 'any' }, [ undef, undef, undef ] ],
		[ 'any order: exchanges', 'a|b b|c a', 'a0 b1 c2', { mode => 'any' }, [ 1, 2, 0 ] ],
		[ 'any order: one event for two steps', 'a|b b', 'b0', { mode => 'any', once => 0 }, [ 0, 0 ] ],
		[ 'any order: the latest start', 'a b', 'a0 a2 b3', { mode => 'any' }, [ 2, 3 ] ],
		[ 'any order: the smallest times by step', '* b *', 'd1 b1 b3', { mode => 'any' }, [ 1, 1, 3 ] ],
		[ 'entered within the range', 'a b', 'a0 a2 b3', { entered => { lower => 0, upper => 2, lower_inc => 1 } }, [ 0, 3 ] ],
		[ 'entered after its lower bound', 'a b', 'a0 b1 a2', { entered => { lower => 0 } }, [ 2, undef ] ],
		[ 'entered never', 'a b', 'a0 b1', { entered => { empty => 1 } }, [ undef, undef ] ],
		[ 'any order: the earliest enters', 'a b', 'b0 a2 b3', { mode => 'any', entered => { lower => 1 } }, [ 2, 3 ] ],
		[ 'any order: the range is not for the others', 'a b *', 'a3 b1', { mode => 'any', entered => { upper => 1, upper_inc => 1 } }, [ 3, 1, undef ] ],
		[ 'contiguous: a tie at the start, of a step that would be too far', 'a b c', 'a1 b1 c2', { mode => 'contiguous', step_within => [ 1, 0 ], optional => [2] }, [ 1, undef, 2 ] ],
		[ 'contiguous: a tie at both ends', 'a x b c', 'a4 b4 b8 c8', { mode => 'contiguous', step_within => [ 9, 9, 0 ], optional => [2] }, [ 4, undef, 8, 8 ] ],
		[ 'contiguous: one event too early for two steps', 'b * c', 'b1 c2', { mode => 'contiguous', once => 0, step_within => [ 1, 0 ] }, [ 1, 2, 2 ] ],
		[ 'held', 'a b c', 'a0m a1n b2 b3m c4n', { hold => 'channel' }, [ 0, 3, undef ], 'm' ],
		[ 'held by the first that can be', '* *', 'a0m b0n', { hold => 'channel', once => 0 }, [ 0, 0 ], 'm' ],
		[ 'held: two values with the same times', '* *', 'a0n b0m c1m d1n', { hold => 'channel' }, [ 0, 1 ], 'n' ],
		[ 'held: the value that skips nothing', 'a|b b *', 'a0m b0n', { hold => 'channel', once => 0, optional => [2] }, [ 0, 0, 0 ], 'n' ],
		[ 'the first event that could have entered', 'a|b a|b', 'b0n a0 a0m', {}, [ 0, 0 ], undef ],
		[ 'the first event to have entered cannot be first in order', 'a|b a', 'a0m b0n', {}, [ 0, 0 ], 'n' ],
		[ 'any order: the lowest step of the first instant', 'a b c', 'a1m b0n c0', { mode => 'any' }, [ 1, 0, 0 ], 'n' ],
	);
	my @list;
	foreach my $worked (@worked)
	{
		my ($name, $steps, $happened, $chosen, $times, @entry) = @$worked;
		my $case = {
			family => $name, unit => 1_000_000, property => 'channel', %$chosen,
			steps => [ split / /, $steps ],
			events => [ map { /^(\w)(\d+)(\w?)$/; event($2, $1, $3 || undef) } split / /, $happened ] };
		answer($case);
		is(shown([ @{ $case->{expected}{times} }, @entry ? $case->{expected}{entry} : () ]), shown([ @$times, @entry ]), "reference: $name");
		push @list, $case;
	}
	push @list, answer({
			family => 'equal as text', unit => 1_000_000, property => 'p', steps => [qw(a b c)], hold => 'p',
			events => [ event(0, 'a', undef, '1', '1'), event(1, 'a', undef, '"v"', 'v'), event(2, 'b', undef, 'null', undef),
				event(3, 'b', undef, '"1"', '1'), event(4, 'c', undef, '"v"', 'v') ] });
	is(shown([ @{ $list[-1]{expected}{times} }, $list[-1]{expected}{entry} ]), shown([ 0, 3, undef, '1' ]), 'reference: equal as text');
	is(differences(\@list), '', scalar(@list) . ' worked cases');
	return;
}

# No sum of times overflows, and a window beyond 2^63 microseconds, which is 106,751,991
# days, is none.
sub test_far_times
{
	my $far = quote(sql("SELECT timeline(at, event) FROM (VALUES ('4714-11-24Z BC'::timestamptz, 'a'), ('294276-12-31 23:59:59.999999Z', 'b')) s(at, event)"));
	my @asked = map { "funnel_level($far, array['a', 'b']$_)" } '', ", within => '100000000 days'", ", within => '106751992 days'",
	  ", within => '2147483647 days'", ", step_within => array['2147483647 days'::interval]",
	  ", step_within => array['100000000 days'::interval]", ", mode => 'any', within => '2147483647 days'", ", mode => 'any', within => '100000000 days'",
	  ", mode => 'contiguous', within => '2147483647 days'", ", entered => '(-infinity,infinity)'", ", entered => '[,4713-01-01 BC)'";
	is(sql('SELECT ' . join ', ', @asked), '2|1|2|2|2|1|2|1|2|2|2', 'the two ends of time');
	return;
}

sub test_random_cases
{
	my $list = shift;
	is(differences($list), '', "$cases random cases");
	load($list);
	is(sql("SELECT count(*) FILTER (WHERE NOT $is_right) FROM (SELECT * FROM funnel_case ORDER BY random()) c"), '0', 'and in another order of rows');
	return;
}

# The cases are worth something only where simpler ways go wrong.
sub test_difficulty
{
	my $list = shift;
	my %wrong = (greedy => 0, latest_first => 0, latest_last => 0);
	my (%of_family, %of_level);
	foreach my $case (@$list)
	{
		my $level = $case->{expected}{level};
		$of_family{ $case->{family} }++;
		$of_level{$level}++;
		$wrong{greedy}++ if ($case->{mode} // 'ordered') eq 'ordered' && greedy_level($case) < $level;
		next if $case->{family} ne 'front' || !is_plain($case);
		$wrong{latest_first}++ if one_pair_level($case, sub { $_[0][0] <=> $_[1][0] || $_[0][1] <=> $_[1][1] }) < $level;
		$wrong{latest_last}++ if one_pair_level($case, sub { $_[0][1] <=> $_[1][1] || $_[0][0] <=> $_[1][0] }) < $level;
	}
	note("families: @{[ listed(\%of_family) ]}; levels: @{[ listed(\%of_level) ]}; wrong: @{[ listed(\%wrong) ]}");
	cmp_ok($wrong{greedy}, '>', $cases / 50, 'cases that a greedy scan gets wrong');
	cmp_ok($wrong{latest_first}, '>', $cases / 200, 'cases that need more than the latest first time of each level');
	cmp_ok($wrong{latest_last}, '>', $cases / 200, 'cases that need more than the latest last time of each level');
	return;
}

# From each first event: the next event in order that fits the next step.
sub greedy_level
{
	my $case = shift;
	my @happened = in_order(@{ $case->{events} });
	my $best = 0;
	foreach my $start (0 .. $#happened)
	{
		my $level = 0;
		foreach my $event (@happened[ $start .. $#happened ])
		{
			$level++ if $level < @{ $case->{steps} } && pattern_matches($case->{steps}[$level], $event);
		}
		$best = max($best, $level);
	}
	return $best;
}

# The usual dynamic programme with one (first, last) for each level, where $order says
# which is kept.
sub one_pair_level
{
	my ($case, $order) = @_;
	my %step = map { $case->{steps}[$_] => $_ + 1 } 0 .. $#{ $case->{steps} };
	my %optional = map { $_ => 1 } @{ $case->{optional} // [] };
	my @kept;
	foreach my $event (sort { $a->{at} <=> $b->{at} || ($step{ $a->{event} } // 0) <=> ($step{ $b->{event} } // 0) } @{ $case->{events} })
	{
		my $step = $step{ $event->{event} } or next;
		my @pairs = $step == 1 ? [ $event->{at}, $event->{at} ] : ();
		for (my $from = $step - 1; $from > 0; $from--)
		{
			push @pairs, [ $kept[$from][0], $event->{at} ] if $kept[$from] && follows($case, $from, @{ $kept[$from] }, $event->{at});
			last if !$optional{$from};
		}
		($kept[$step]) = sort { $order->($b, $a) } @pairs, $kept[$step] // ();
	}
	return (grep { $kept[$_] } 0 .. $#kept)[-1] // 0;
}

sub follows
{
	my ($case, $from, $first, $last, $at) = @_;
	return 0 if defined $case->{within} && $at - $first > $case->{within};
	return 0 if $case->{step_within} && $at - $last > $case->{step_within}[ @{ $case->{step_within} } == 1 ? 0 : $from - 1 ];
	my @after = @{ $case->{exclude_after} // [] };
	foreach my $x (0 .. $#{ $case->{exclude} // [] })
	{
		next if defined $after[$x] && $after[$x] != $from;
		return 0 if grep { $_->{at} > $last && $_->{at} < $at && pattern_matches($case->{exclude}[$x], $_) } @{ $case->{events} };
	}
	return 1;
}

# One that the programme above understands.
sub is_plain
{
	my $case = shift;
	return !$case->{strictly_increasing} && !$case->{hold} && !$case->{entered} && ($case->{mode} // 'ordered') eq 'ordered'
	  && !grep { !/^\w$/ } @{ $case->{steps} };
}

# Arguments written out, as in a query on a table of timelines: here the events alone change
# from row to row.
sub test_constant_arguments
{
	my $list = shift;
	foreach my $name (families())
	{
		my $case = (shuffle(grep { $_->{family} eq $name } @$list))[0] or next;
		my @others = (shuffle(grep { $_->{unit} == $case->{unit} && @{ $_->{events} } <= 8 } @$list))[ 0 .. 79 ];
		my @same = grep { is_cheap($_) } map { { %$case, events => $_->{events} } } grep { defined } @others;
		load([ map { answer($_) } @same ]);
		my $arguments = arguments_of($case);
		my $property = quote($case->{property});
		my $steps = literal($case, 'steps', 'text[]');
		is(sql("SELECT count(*) FROM funnel_case c WHERE (funnel(timeline, $steps, $arguments), funnel_level(timeline, $steps, $arguments),
				funnel_entry(timeline, $steps, $property, $arguments)) IS DISTINCT FROM (times, level, entry)"),
			'0', scalar(@same) . " timelines with constant arguments: $name");
	}
	return;
}

sub test_misfits_of_any
{
	foreach my $option ("step_within => array['1 s'::interval]", "exclude => array['x']", 'optional => array[2]', 'strictly_increasing => true')
	{
		my ($name) = $option =~ /^(\w+)/;
		like(sql("SELECT funnel('{}', array['a', 'b', 'c'], mode => 'any', $option)"), qr/^ERROR:.*$name/, "any with $name");
	}
	return;
}

# Many events of one visitor. The time that a call takes must not depend on what is asked
# for, nor on how the events lie: no worse than in proportion to events and steps, about.
sub test_size
{
	my $more = $events * 2;
	my %timeline = (
		cycle => "'2026-01-01Z'::timestamptz + i * interval '1 s', 's' || i % 64",
		reverse => "'2026-01-01Z'::timestamptz + i * interval '1 s', 's' || 63 - i % 64",
		twice => "'2026-01-01Z'::timestamptz + i / 2 * interval '1 s', 's' || i * 7 % 64, 'c' || i % 2",
		random => "'2026-01-01Z'::timestamptz + i / 3 * interval '1 s', 's' || mix(i, 64), NULL, NULL, jsonb_build_object('p', mix(i + $more, 1000))",
		instant => "'2026-01-01Z'::timestamptz, 's' || i % 64, NULL, NULL, jsonb_build_object('p', i / 64 % 1000)",
		few => "'2026-01-01Z'::timestamptz, CASE WHEN i <= 64 THEN 's' || i - 1 ELSE 'other' END",
		ones => "'2026-01-01Z'::timestamptz + i * interval '1 s', 's0'",
		values => "'2026-01-01Z'::timestamptz + i * interval '1 s', 's' || i / ($events / 2), NULL, NULL, jsonb_build_object('p', i % ($events / 2))",
	);
	set_up('CREATE UNLOGGED TABLE large (name text, t timeline); ALTER TABLE large ALTER t SET STORAGE external;
		CREATE FUNCTION mix(int, int) RETURNS int IMMUTABLE LANGUAGE sql AS $$ SELECT abs(hashint4($1) % $2) $$;
		' . join ';', map { "INSERT INTO large SELECT '$_', timeline($timeline{$_}) FROM generate_series(1, $events) i" } sort keys %timeline);

	my $all = steps_of('s%d', 0 .. 63);
	my $twenty = steps_of('s%d', 0 .. 19);
	my $pairs = steps_of('s%d|s%d', map { [ $_, ($_ + 1) % 64 ] } 0 .. 63);
	my $back = steps_of('s%d|s%d', map { [ $_, $_ + 1 ] } reverse 0 .. 62);
	my $stars = steps_of('*', 0 .. 63);
	my $halves = steps_of('s*[p=%d*]', map { 1 + $_ % 9 } 0 .. 19);
	my $optional = 'optional => (SELECT array_agg(i) FROM generate_series(2, 63) i)';
	my $gaps = "step_within => (SELECT array_agg(%s * interval '1 s' ORDER BY i) FROM generate_series(1, 63) i)";
	my $rising = sprintf $gaps, '(1 + i)';
	my $falling = sprintf $gaps, '(65 - i) * 10';
	my $mixed = sprintf $gaps, '(1 + i * 37 % 64 * 3)';
	my $sparse = "optional => (SELECT array_agg(i) FROM generate_series(2, 18, 2) i),
		step_within => (SELECT array_agg(CASE WHEN i % 2 = 1 THEN 40 ELSE 2000 END * interval '1 s' ORDER BY i) FROM generate_series(1, 19) i)";
	my $breaking = "exclude => array['s60', 's61', 's62', 's63']";
	my $after = "$breaking, exclude_after => array[1, 7, NULL, 12]";
	my $everything = "within => '3000 s', strictly_increasing => true, $sparse, $after, hold => 'p', entered => '[2026-01-01 01:00Z,2026-02-01)'";
	my $p = "hold => 'p'";

	# name, timeline, steps, options, level if it is plain
	is_quick(@$_) for (
		[ 'plain', 'cycle', $all, '', 64 ], [ 'steps against the stream', 'reverse', $all, '', 64 ],
		[ 'within', 'reverse', $all, "within => '4030 s'", 64 ], [ 'within that is too short', 'reverse', $all, "within => '3968 s'", 63 ],
		[ 'each event serves any step', 'ones', $stars, 'once => false', 64 ], [ 'each event fits any step', 'ones', $stars, '', 64 ],
		[ 'and strictly increasing', 'ones', $stars, "strictly_increasing => true, within => '63 s'", 64 ],
		[ 'ties of two', 'twice', $all, '', 64 ], [ 'ties of two, overlapping steps', 'twice', $pairs, '', 64 ],
		[ 'ties of two, strictly increasing', 'twice', $pairs, 'strictly_increasing => true', 64 ],
		[ 'one instant', 'instant', $all, '', 64 ], [ 'one instant, overlapping steps', 'instant', $pairs, '', 64 ],
		[ 'one instant, few that fit', 'few', $pairs, '', 64 ], [ 'one instant, few that fit, against their order', 'few', $back, '', 63 ],
		[ 'one instant, any event', 'instant', $stars, '', 64 ], [ 'one instant, strictly increasing', 'instant', $all, 'strictly_increasing => true', 1 ],
		[ 'one instant, all optional', 'instant', $pairs, $optional, 64 ], [ 'one instant, held', 'instant', $all, $p, 64 ],
		[ 'one instant, properties overlap', 'instant', $halves, '', 20 ], [ 'one instant, held, once => false', 'instant', $pairs, "$p, once => false", 64 ],
		[ 'optional', 'cycle', $all, $optional, 64 ], [ 'optional, within', 'reverse', $all, "$optional, within => '100 s'" ],
		[ 'optional, gaps that rise', 'random', $all, "$optional, $rising, within => '10000 s'" ],
		[ 'optional, gaps that fall', 'random', $all, "$optional, $falling" ], [ 'optional, gaps that differ', 'random', $all, "$optional, $mixed, within => '1000 s'" ],
		[ 'the same, overlapping steps', 'random', $pairs, "$optional, $mixed, within => '1000 s'" ],
		[ 'the same, strictly increasing', 'random', $pairs, "$optional, $mixed, within => '1000 s', strictly_increasing => true" ],
		[ 'the same, once => false', 'random', $pairs, "$optional, $mixed, within => '1000 s', once => false" ],
		[ 'each second step optional, gaps short and long', 'random', $twenty, $sparse ],
		[ 'gaps that differ', 'random', $all, $mixed ], [ 'excluded', 'random', $twenty, $breaking ], [ 'excluded after a step', 'random', $twenty, $after ],
		[ 'excluded, optional, gaps', 'random', $twenty, "$after, $sparse" ],
		[ 'held: a thousand values', 'random', $twenty, $p ], [ 'held, optional, gaps', 'random', $twenty, "$p, $sparse" ],
		[ 'held: fifty thousand values', 'values', steps_of('s%d', 0, 1), $p, 2 ], [ 'held, any event', 'values', $stars, $p, 2 ],
		[ 'held, any order', 'values', steps_of('s%d', 1, 0), "$p, mode => 'any'", 2 ],
		[ 'contiguous', 'cycle', $all, "mode => 'contiguous'", 64 ], [ 'contiguous, broken', 'reverse', $all, "mode => 'contiguous'", 1 ],
		[ 'contiguous, any event', 'ones', $stars, "mode => 'contiguous', within => '63 s'", 64 ],
		[ 'contiguous, ties of two', 'twice', $stars, "mode => 'contiguous'", 64 ], [ 'contiguous, ties of two, optional', 'twice', $pairs, "mode => 'contiguous', $optional" ],
		[ 'contiguous, once => false', 'twice', $stars, "mode => 'contiguous', once => false", 64 ],
		[ 'contiguous, one instant', 'instant', $pairs, "mode => 'contiguous'", 64 ], [ 'contiguous, held', 'random', $stars, "mode => 'contiguous', $p" ],
		[ 'contiguous, optional, gaps', 'random', $stars, "mode => 'contiguous', $optional, $mixed", 64 ],
		[ 'any order', 'reverse', $all, "mode => 'any'", 64 ], [ 'any order, within', 'reverse', $all, "mode => 'any', within => '63 s'", 64 ],
		[ 'any order, overlapping steps', 'random', $pairs, "mode => 'any', within => '30 s'" ], [ 'any order, any event', 'ones', $stars, "mode => 'any', within => '63 s'", 64 ],
		[ 'any order, ties of two', 'twice', $pairs, "mode => 'any', within => '20 s'" ], [ 'any order, once => false', 'random', $pairs, "mode => 'any', once => false, within => '15 s'" ],
		[ 'any order, one instant', 'instant', $pairs, "mode => 'any'", 64 ], [ 'any order, few that fit', 'few', $back, "mode => 'any'", 63 ],
		[ 'any order, held', 'random', $twenty, "mode => 'any', $p" ], [ 'any order, held, within', 'random', $pairs, "mode => 'any', $p, within => '5000 s'" ],
		[ 'everything', 'random', $twenty, $everything ], [ 'everything, once => false', 'random', $twenty, "$everything, once => false" ],
		[ 'everything, contiguous', 'random', $twenty, "$everything, mode => 'contiguous'" ],
		[ 'everything, of overlapping steps', 'random', steps_of('s%d|s%d', map { [ $_, $_ + 5 ] } 0 .. 19), $everything ],
	);
	return;
}

sub steps_of
{
	my ($pattern, @numbers) = @_;
	return 'array[' . join(',', map { quote(sprintf $pattern, ref $_ ? @$_ : $pattern =~ /%/ ? $_ : ()) } @numbers) . ']';
}

# All three functions in one query. A busy machine can only make it later, so the best of
# two counts.
my %slowest;

sub is_quick
{
	my ($name, $timeline, $steps, $chosen, $level) = @_;
	my $rest = $chosen ? ", $chosen" : '';
	my ($best, $text);
	for (1 .. 2)
	{
		my $start = time;
		$text = sql("SET statement_timeout = '10 s'; SELECT funnel_level(t, $steps$rest),
			array_position(funnel(t, $steps$rest), NULL), funnel_entry(t, $steps, 's'$rest) FROM large WHERE name = '$timeline'");
		my $seconds = time - $start;
		$best = $seconds if !defined $best || $seconds < $best;
		last if $best < $seconds_allowed;
	}
	$slowest{$best} = [ $timeline, "$steps, 's'$rest" ];
	like($text, defined $level ? qr/^$level\|/ : qr/^\d+\|/, "level: $name");
	cmp_ok($best, '<', $seconds_allowed, sprintf '%.3f s: %s', $best, $name);
	return;
}

# statement_timeout stops the slowest of these, on ten times as many events, in the middle.
sub test_cancel
{
	my ($timeline, $arguments) = @{ $slowest{ (sort { $b <=> $a } keys %slowest)[0] } };
	set_up("INSERT INTO large SELECT 'ten', timeline(e.at + n * $events * interval '1 s', e.event, e.channel, e.value, e.properties)
		FROM large, generate_series(0, 9) n, events(t) e WHERE name = '$timeline'");
	my $query = "SELECT count(*), count(funnel_entry(t, $arguments)) FROM large WHERE name = 'ten'";
	foreach my $timeout (50, 300)
	{
		my ($late, $text);
		for (1 .. 3)
		{
			my $start = time;
			$text = sql("SET statement_timeout = $timeout; $query");
			$late = time - $start - $timeout / 1000;
			last if $late < 1;
		}
		cmp_ok($late, '<', 1, sprintf 'a timeout of %d ms: %s, %d ms late', $timeout, $text =~ /^1\|/ ? 'ended by itself' : 'stopped', 1000 * $late);
		like($text, qr/^1\||canceling statement due to statement timeout/, 'and stopped by it, if at all');
	}
	return;
}

# ---- comparison ----

# Loads the cases and tells of those that differ, made smaller, some of each kind.
sub differences
{
	my $list = shift;
	load($list);
	my $count = scalar @$list;
	return '' if sql("SELECT count(*), count(*) FILTER (WHERE $is_right) FROM funnel_case c") eq "$count|$count";

	my (%of_kind, %seen);
	foreach my $line (split /\n/, sql('SELECT id, judged(c) FROM funnel_case c ORDER BY id'))
	{
		my ($id, $kind) = split /\|/, $line, 2;
		push @{ $of_kind{"$kind ($list->[$id]{family})"} }, $id if $kind ne 'right';
	}
	my @lines = map { scalar(@{ $of_kind{$_} }) . " $_" } sort keys %of_kind;
	foreach my $kind (sort keys %of_kind)
	{
		my @ids = @{ $of_kind{$kind} };
		push @lines, grep { !$seen{$_}++ } map { told(smaller($list->[$_])) } @ids > $shown_of_each ? @ids[ 0 .. $shown_of_each - 1 ] : @ids;
	}
	return join "\n", 'different answers:', @lines;
}

# Leaves out what is not needed for the case to differ as it does.
sub smaller
{
	my $case = shift;
	my $how = outcome($case);
	my $tries = 300;
	my $is_smaller;
	do
	{
		$is_smaller = 0;
		foreach my $other (simplified($case))
		{
			last if !$tries--;
			next if outcome(answer($other)) ne $how;
			$case = $other;
			$is_smaller = 1;
			last;
		}
	} while ($is_smaller && $tries > 0);
	return $case;
}

sub outcome
{
	my $case = shift;
	load([$case]);
	return sql('SELECT judged(c) FROM funnel_case c');
}

# The case with one thing less, in every way.
sub simplified
{
	my $case = shift;
	my @result;
	my $change = sub {
		my $other = dclone($case);
		$_[0]->($other);
		push @result, $other;
	};
	foreach my $i (0 .. $#{ $case->{events} })
	{
		$change->(sub { splice @{ $_[0]{events} }, $i, 1 });
	}
	foreach my $name (map { $_->[0] } @options)
	{
		$change->(sub { delete $_[0]{$name}; delete $_[0]{exclude_after} if $name eq 'exclude' }) if defined $case->{$name};
	}
	$change->(\&drop_last_step) if @{ $case->{steps} } > 1;
	foreach my $i (0 .. $#{ $case->{steps} })
	{
		my @terms = split /\|/, $case->{steps}[$i];
		next if @terms < 2;
		foreach my $term (@terms)
		{
			$change->(sub { $_[0]{steps}[$i] = $term });
		}
	}
	foreach my $i (0 .. $#{ $case->{events} })
	{
		my $event = $case->{events}[$i];
		$change->(sub { $_[0]{events}[$i] = event($event->{at}, $event->{event}) })
		  if grep { defined $event->{$_} } qw(channel properties value);
	}
	$change->(sub { $_[0]{unit} = 1_000_000 }) if $case->{unit} != 1_000_000;
	return @result;
}

sub drop_last_step
{
	my $case = shift;
	pop @{ $case->{steps} };
	my $last = @{ $case->{steps} };
	pop @{ $case->{step_within} } if $case->{step_within} && @{ $case->{step_within} } == $last;
	delete $case->{step_within} if $case->{step_within} && !@{ $case->{step_within} };
	$case->{optional} = [ grep { $_ < $last } @{ $case->{optional} } ] if $case->{optional};
	delete $case->{exclude_after} if grep { defined && $_ >= $last } @{ $case->{exclude_after} // [] };
	return;
}

sub load
{
	my $list = shift;
	my $file = File::Temp->new;
	print {$file} "TRUNCATE funnel_case;\nCOPY funnel_case FROM stdin;\n";
	my $id = 0;
	foreach my $case (@$list)
	{
		my $expected = $case->{expected};
		my @row = (
			$id++, timeline_of($case), (map { text_of($case, $_) } 'steps', map { $_->[0] } @options), $case->{property},
			array_of(map { defined ? at_text($case, $_) : undef } @{ $expected->{times} }), $expected->{level}, $expected->{entry});
		print {$file} join("\t", map { defined ? s/\\/\\\\/gr : '\N' } @row), "\n";
	}
	print {$file} "\\.\n";
	close $file or die "$file: $!\n";
	my $text = run_psql($database, '-f', "$file");
	die "$text\n" if $last_failed;
	return;
}

# ---- texts ----

# What to run to see the difference.
sub told
{
	my $case = shift;
	my $expected = $case->{expected};
	my $arguments = arguments_of($case, 1);
	my $steps = literal($case, 'steps', 'text[]');
	my $timeline = quote(timeline_of($case)) . '::timeline';
	my @calls = (
		join(', ', $timeline, $steps, $arguments || ()),
		join(', ', $timeline, $steps, quote($case->{property}), $arguments || ()));
	my $query = "SELECT funnel($calls[0]),\n    funnel_level($calls[0]),\n    funnel_entry($calls[1])";
	load([$case]);
	return join "\n", "-- $case->{family}", "$query;", '-- gives    ' . sql($query), '-- expected ' . join '|',
	  array_of(map { defined ? at_text($case, $_) : undef } @{ $expected->{times} }), $expected->{level}, $expected->{entry} // '';
}

# The options as named arguments; only those that are set, if so asked.
sub arguments_of
{
	my ($case, $brief) = @_;
	return join ', ', map { "$_->[0] => " . literal($case, @$_) } grep { !$brief || defined $case->{ $_->[0] } } @options;
}

sub literal
{
	my ($case, $name, $type) = @_;
	my $text = text_of($case, $name);
	return defined $text ? quote($text) . "::$type" : 'NULL';
}

# An argument as its type prints it.
sub text_of
{
	my ($case, $name) = @_;
	my $value = $case->{$name};
	return undef if !defined $value;
	return length_text($case, $value) if $name eq 'within';
	return array_of(map { length_text($case, $_) } @$value) if $name eq 'step_within';
	return range_text($case, $value) if $name eq 'entered';
	return $value ? 't' : 'f' if $name =~ /^(?:once|strictly_increasing)$/;
	return ref $value ? array_of(@$value) : $value;
}

sub array_of
{
	return '{' . join(',', map { defined ? '"' . s/(["\\])/\\$1/gr . '"' : 'NULL' } @_) . '}';
}

sub range_text
{
	my ($case, $range) = @_;
	return 'empty' if $range->{empty};
	return join '', $range->{lower_inc} ? '[' : '(', defined $range->{lower} ? at_text($case, $range->{lower}) : '', ',',
	  defined $range->{upper} ? at_text($case, $range->{upper}) : '', $range->{upper_inc} ? ']' : ')';
}

sub timeline_of
{
	my $case = shift;
	return '{' . join(', ', map { event_text($case, $_) } shuffle(@{ $case->{events} })) . '}';
}

sub event_text
{
	my ($case, $event) = @_;
	return join '', at_text($case, $event->{at}), " $event->{event}",
	  defined $event->{channel} ? '@"' . $event->{channel} . '"' : '',
	  defined $event->{value} ? " =$event->{value}" : '',
	  defined $event->{properties} ? " $event->{properties}" : '';
}

sub at_text
{
	my ($case, $at) = @_;
	my $microseconds = $at * $case->{unit};
	my @t = gmtime(1_767_225_600 + int($microseconds / 1_000_000));
	return sprintf '%04d-%02d-%02dT%02d:%02d:%02d.%06dZ', $t[5] + 1900, $t[4] + 1, @t[ 3, 2, 1, 0 ], $microseconds % 1_000_000;
}

sub length_text
{
	my ($case, $length) = @_;
	my $microseconds = $length * $case->{unit};
	return $microseconds % 86_400_000_000 ? sprintf '%d.%06d s', $microseconds / 1_000_000, $microseconds % 1_000_000
	  : $microseconds / 86_400_000_000 . ' days';
}

sub quote
{
	return "'" . (shift() =~ s/'/''/gr) . "'";
}

sub shown
{
	return join ' ', map { $_ // '-' } @{ $_[0] };
}

sub listed
{
	my $count = shift;
	return join ', ', map { "$_ $count->{$_}" } sort keys %$count;
}

sub sql
{
	return run_psql($database, '-c', "SET timezone = 'UTC'", '-c', shift);
}

# What the tests stand on.
sub set_up
{
	my $text = sql(shift);
	die "$text\n" if $last_failed;
	return;
}

sub psql
{
	my ($db, $sql) = @_;
	return run_psql($db, '-c', $sql);
}

# The last result, or the error.
sub run_psql
{
	my ($db, @what) = @_;
	my $pid = open my $out, '-|';
	die "fork: $!\n" if !defined $pid;
	if ($pid == 0)
	{
		open STDERR, '>&', \*STDOUT or die "$!\n";
		exec 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $db, @what or die "psql: $!\n";
	}
	my $text = do { local $/ = undef; <$out> };
	$last_failed = !close $out;
	chomp $text if defined $text;
	return $text // '';
}
