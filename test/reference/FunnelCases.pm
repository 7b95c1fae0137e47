# Random cases for FunnelSearch: small, in all combinations of options, and made so that
# simple ways to search go wrong. What a case is, FunnelSearch.pm says; here it has these
# too: family, unit (microseconds in a unit of time), count (of its steps), expected (what
# FunnelSearch answers).
#
# Perl's own random numbers: srand() makes them the same again.
package FunnelCases;
use strict;
use warnings;
use Exporter 'import';
use FunnelSearch qw(funnel_search pattern_matches);
use List::Util qw(max shuffle);
use Storable qw(dclone);

our @EXPORT_OK = qw(@options answer event families is_cheap random_cases);

# The options of funnel() in their order, and their types.
our @options = (
	[ within => 'interval' ], [ step_within => 'interval[]' ], [ mode => 'text' ], [ once => 'boolean' ],
	[ strictly_increasing => 'boolean' ], [ exclude => 'text[]' ], [ exclude_after => 'int[]' ],
	[ optional => 'int[]' ], [ hold => 'text' ], [ entered => 'tstzrange' ]);
# How many chains the reference may have to look at, so that it takes milliseconds.
my $chains_allowed = 1500;
my %chains_allowed = (long => 150_000, wide => 100);

# Value of a property as JSON, and as text.
my @values = ([ '1', '1' ], [ '"1"', '1' ], [ '"v"', 'v' ], [ '"v"', 'v' ], [ 'null', undef ], [ '""', '' ], [ '1.0', '1.0' ],
	[ 'true', 'true' ], [ '[1, null]', '[1, null]' ], [ '"w\"\\\\"', 'w"\\' ]);
my @lengths = (1, 1_000_000, 1_000_000, 3_600_000_000, 86_400_000_000);

# Each family of cases with its share in them.
my %family = (
	mixed => [ 30, \&mixed_case ],
	ties => [ 25, \&ties_case ],
	front => [ 25, \&front_case ],
	planted => [ 20, \&planted_case ],
	contiguous => [ 15, \&contiguous_case ],
	any => [ 15, \&any_case ],
	hold => [ 15, \&hold_case ],
	long => [ 5, \&long_case ],
	wide => [ 1, \&wide_case ],
);
my @families = map { ($_) x $family{$_}[0] } sort keys %family;

# That many, each with its answer. Half of them change one thing in the case before of the
# same family: there the options mostly stay, so that rows with equal arguments follow each
# other.
sub random_cases
{
	my $wanted = shift;
	my (@list, %last);
	while (@list < $wanted)
	{
		my $name = pick(@families);
		my $case = $last{$name} && $name ne 'wide' && chance(0.5) ? mutated($last{$name}) : $family{$name}[1]->();
		$case->{family} = $name;
		next if !is_cheap($case);
		$last{$name} = $case;
		push @list, answer($case);
	}
	return @list;
}

sub answer
{
	my $case = shift;
	$case->{expected} = funnel_search($case);
	return $case;
}

sub families
{
	return sort keys %family;
}

# By the number of chains, not counting order.
sub is_cheap
{
	my $case = shift;
	my $chains = ($case->{once} // 1) ? 1 : 2;
	foreach my $i (0 .. $#{ $case->{steps} })
	{
		$chains *= max(1, scalar grep { pattern_matches($case->{steps}[$i], $_) } @{ $case->{events} });
		$chains *= 1.3 if grep { $_ == $i + 1 } @{ $case->{optional} // [] };
	}
	return $chains <= ($chains_allowed{ $case->{family} } // $chains_allowed);
}

# Anything with anything.
sub mixed_case
{
	my $case = blank_case(whole(1, 5));
	my $span = whole(0, 9);
	$case->{events} = [ map { random_event(whole(0, $span)) } 1 .. whole(0, 8) ];
	$case->{steps} = [ map { pick($_, random_pattern()) } (qw(a b c d a))[ 0 .. $case->{count} - 1 ] ];
	add_options($case, 0.2);
	return $case;
}

# Few instants, patterns that overlap.
sub ties_case
{
	my $case = blank_case(whole(2, 5));
	my $span = whole(0, 2);
	$case->{events} = [ map { event(whole(0, $span), pick(qw(a b c d))) } 1 .. whole(3, 7) ];
	$case->{steps} = [ map { pick(qw(a b c a|b b|c c|d a|d a|b|c b|d *), random_pattern()) } 1 .. $case->{count} ];
	add_options($case, 0.12);
	return $case;
}

# Steps that may be skipped, and gaps that differ: only the early start reaches the late b,
# over x, and the late start only the early b. Either c is near enough to the late b alone,
# or the window is too short for the early start.
sub front_case
{
	my $case = blank_case(4);
	$case->{steps} = [qw(a x b c)];
	$case->{optional} = [2];
	my $gap = whole(1, 4);
	my $a1 = whole(0, 2);
	my $a2 = $a1 + whole(1, 4);
	my $x = $a1 + whole(0, $gap);
	my $b1 = $a2 + whole(0, $gap);
	my $b2 = $a2 + $gap + whole(1, 3);
	my $c = $b2 + whole(0, 3);
	my @gaps = ($gap, $b2 - $x + whole(0, 2));
	if (chance(0.6))
	{
		push @gaps, $c - $b1 + whole(0, 1);
		$case->{within} = $c - $a2 + whole(0, $a2 - $a1 - 1);
	}
	else
	{
		push @gaps, $c - $b2 + whole(0, $b2 - $b1 - 1);
		$case->{within} = $c - $a1 + whole(0, 1) if chance(0.5);
	}
	$case->{events} = [ event($a1, 'a'), event($a2, 'a'), event($x, 'x'), event($b1, 'b'), event($b2, 'b'), event($c, 'c') ];
	if (chance(0.3))
	{
		push @{ $case->{events} }, event(whole($b1, $b2 - 1), 'e');
		$case->{exclude} = ['e'];
		$case->{exclude_after} = [1];
		$gaps[0] = 20;
	}
	if (chance(0.3))
	{
		$case->{count} = 5;
		$case->{steps} = [qw(a x b y c)];
		push @{ $case->{optional} }, 4;
		splice @gaps, 3, 0, whole(1, 9);
		push @{ $case->{events} }, event(whole(0, $c), 'y');
	}
	$case->{step_within} = \@gaps;
	push @{ $case->{events} }, event(whole(0, $c), pick(qw(a x b c))) if chance(0.3);
	add_options($case, 1, pick(map { $_->[0] } @options)) if chance(0.3);
	return $case;
}

# A chain that is there, with bounds that just hold or just do not.
sub planted_case
{
	my $case = blank_case(whole(2, 5));
	my $at = 0;
	my @labels = map { pick(qw(a b c d)) } 1 .. $case->{count};
	$case->{events} = [ map { $at += whole(0, 3); event($at, $_, pick(undef, 'm'), @{ pick(@values[ 0 .. 3 ]) }) } @labels ];
	push @{ $case->{events} }, random_event(whole(0, $at)) while @{ $case->{events} } < 8 && chance(0.6);
	$case->{steps} = [ map { pick($_, $_, "$_|x", "$_*", "$_|" . pick(qw(a b c d))) } @labels ];
	$case->{within} = max(0, $at - whole(0, 1)) if chance(0.5);
	add_options($case, 0.25);
	return $case;
}

# Events that follow each other closely, and now and then a stranger or a tie.
sub contiguous_case
{
	my $case = blank_case(whole(2, 5));
	$case->{mode} = pick(qw(contiguous contiguous strict exact_order));
	my $at = 0;
	my @labels = map { (qw(a b c d))[ $_ % 4 ] } whole(0, 1) .. whole(3, 6);
	$case->{events} = [ map { $at += pick(0, 0, 1, 1, 2); event($at, $_, pick(undef, 'm'), @{ pick(@values) }) } @labels ];
	push @{ $case->{events} }, event(whole(0, $at), pick(qw(x a b c d))) while @{ $case->{events} } < 8 && chance(0.5);
	$case->{steps} = [ map { pick((qw(a b c d a))[$_], (qw(a b c d a))[$_], (qw(a|b b|c c|d d|a a|x))[$_], '*', random_pattern()) } 0 .. $case->{count} - 1 ];
	add_options($case, 0.15, grep { $_ ne 'mode' } map { $_->[0] } @options);
	return $case;
}

sub any_case
{
	my $case = blank_case(whole(1, 5));
	$case->{mode} = pick(qw(any any unordered));
	my $span = pick(whole(0, 2), whole(0, 9));
	$case->{events} = [ map { random_event(whole(0, $span)) } 1 .. whole(2, 8) ];
	$case->{steps} = [ map { pick($_, $_, "$_|b", "$_|c", random_pattern()) } (qw(a b c d a))[ 0 .. $case->{count} - 1 ] ];
	$case->{within} = whole(0, $span) if chance(0.6);
	add_options($case, 0.2, qw(once hold));
	add_options($case, 0.4, 'entered');
	return $case;
}

# Chains of two values woven into each other, and between them what may break them, with or
# without a value.
sub hold_case
{
	my $case = blank_case(whole(2, 4));
	my @labels = (qw(a b c d))[ 0 .. $case->{count} - 1 ];
	my $span = pick(2, 6);
	my @held = ([ 'm', @{ pick(@values) } ], [ pick('n', ''), @{ pick(@values) } ]);
	$case->{hold} = pick(qw(p p channel));
	$case->{steps} = [ map { pick($_, $_, "$_|b", '*') } @labels ];
	foreach my $held (@held)
	{
		my @times = sort { $a <=> $b } map { whole(0, $span) } @labels;
		push @{ $case->{events} }, map { event($times[$_], $labels[$_], @$held) } grep { chance(0.85) } 0 .. $#labels;
	}
	push @{ $case->{events} }, event(whole(0, $span), pick(@labels), @{ pick(@held) }) if chance(0.4);
	splice @{ $case->{events} }, 7 if @{ $case->{events} } > 7;
	if (chance(0.6))
	{
		push @{ $case->{events} }, event(whole(0, $span), 'x', @{ pick([], [], @held) });
		@$case{qw(exclude mode)} = chance(0.6) ? ([ pick(qw(x x|e)) ], 'ordered') : (undef, 'contiguous');
	}
	add_options($case, 0.12, grep { !/^(?:hold|exclude)/ } map { $_->[0] } @options);
	return $case;
}

# Many events, few within a window.
sub long_case
{
	my $case = blank_case(whole(3, 5));
	my $at = 0;
	$case->{events} = [ map { $at += pick(0, 0, 1, 1, 1, 2, 3); random_event($at) } 1 .. whole(20, 50) ];
	$case->{steps} = [ map { pick(qw(a b c d a|b b|c)) } 1 .. $case->{count} ];
	add_options($case, 0.3);
	$case->{within} = whole(2, 4);
	return $case;
}

# Many steps, up to as many as there can be, with an event or two for each.
sub wide_case
{
	my $case = blank_case(pick(64, 63, 32, 33, whole(20, 64)));
	my $at = 0;
	my @labels = map { "s$_" } 1 .. $case->{count};
	$case->{steps} = [ map { chance(0.1) ? "$labels[$_]|$labels[ $_ - 1 ]" : $labels[$_] } 0 .. $#labels ];
	$case->{events} = [ map { $at += pick(0, 1, 1, 2); event($at, $_) } @labels ];
	push @{ $case->{events} }, event(whole(0, $at), pick(@labels, 'x')) for 1 .. whole(0, 3);
	$case->{events}[ whole(0, $#labels) ]{at} += 1 if chance(0.3);
	$case->{within} = $at + whole(-3, 1) if chance(0.5);
	$case->{step_within} = [ map { pick(1, 2, 2, 2, 3, 3) + (chance(0.9) ? 2 : 0) } 2 .. $case->{count} ] if chance(0.5);
	$case->{optional} = [ map { whole(2, $case->{count} - 1) } 1 .. 3 ] if chance(0.5);
	$case->{exclude} = [ 'x', pick(@labels) ] if chance(0.5);
	$case->{exclude_after} = [ whole(1, $case->{count} - 1), $case->{count} - 1 ] if $case->{exclude} && chance(0.5);
	add_options($case, 0.1, qw(once strictly_increasing entered)) if chance(0.5);
	$case->{mode} = 'contiguous' if chance(0.2);
	return $case;
}

sub blank_case
{
	my $count = shift;
	return { count => $count, unit => pick(@lengths), property => pick(qw(p p channel channel q)) };
}

sub mutated
{
	my $case = dclone($_[0]);
	my $list = $case->{events};
	my $place = int rand(@$list || 1);
	my $what = @$list ? whole(1, 8) : 8;
	if ($what <= 3)
	{
		$list->[$place]{at} = max(0, $list->[$place]{at} + pick(-2, -1, -1, 1, 1, 2));
	}
	elsif ($what == 4)
	{
		splice @$list, $place, 1;
	}
	elsif ($what == 5)
	{
		push @$list, dclone($list->[$place]) if @$list < 8;
	}
	elsif ($what == 6)
	{
		$list->[$place] = random_event($list->[$place]{at});
	}
	elsif ($what == 7)
	{
		push @$list, random_event($list->[$place]{at}) if @$list < 8;
	}
	else
	{
		my @names = is_any($case) ? qw(within once hold entered) : map { $_->[0] } @options;
		add_options($case, 1, pick(@names));
	}
	return $case;
}

# Each of the options named, or of all, with this probability.
sub add_options
{
	my ($case, $rate, @names) = @_;
	my %wanted = map { $_ => chance($rate) } @names ? @names : map { $_->[0] } @options;
	my $gaps = $case->{count} - 1;
	$case->{mode} = pick(qw(ordered ordered contiguous any)) if $wanted{mode};
	$case->{within} = some_length($case) if $wanted{within};
	$case->{once} = pick(0, 0, 1) if $wanted{once};
	$case->{hold} = pick(qw(p p channel nothing)) if $wanted{hold};
	$case->{entered} = some_range($case) if $wanted{entered};
	if (is_any($case))
	{
		delete @$case{qw(step_within exclude exclude_after optional strictly_increasing)};
		return;
	}
	$case->{strictly_increasing} = pick(1, 1, 0) if $wanted{strictly_increasing};
	$case->{step_within} = [ map { some_length($case) } 1 .. (chance(0.4) ? 1 : $gaps) ] if $wanted{step_within} && $gaps;
	if ($wanted{exclude} || $wanted{exclude_after})
	{
		$case->{exclude} = [ map { pick('x', 'e', random_pattern()) } 1 .. whole(1, 2) ];
		$case->{exclude_after} = $wanted{exclude_after} && $gaps ? [ map { pick(undef, 1 .. $gaps) } @{ $case->{exclude} } ] : undef;
	}
	$case->{optional} = [ shuffle(grep { chance(0.6) } 2 .. $gaps) ] if $wanted{optional} && $gaps > 1;
	return;
}

sub is_any
{
	my $case = shift;
	return ($case->{mode} // '') =~ /^(?:any|unordered)$/;
}

# The time between two events, or nearly that.
sub some_length
{
	my $case = shift;
	my @times = map { $_->{at} } @{ $case->{events} };
	return whole(0, 5) if @times < 2 || chance(0.3);
	return max(0, abs(pick(@times) - pick(@times)) + pick(-1, 0, 0, 0, 1));
}

sub some_range
{
	my $case = shift;
	return { empty => 1 } if chance(0.03);
	my ($lower, $upper) = sort { $a <=> $b } map { pick(0, whole(0, 8), map { $_->{at} } @{ $case->{events} }) } 1 .. 2;
	return {
		lower => chance(0.3) ? undef : $lower,
		upper => chance(0.3) ? undef : $upper,
		lower_inc => chance(0.5),
		upper_inc => chance(0.5) };
}

sub random_event
{
	my $at = shift;
	my $plain = chance(0.4);
	my $event = event($at, pick(qw(a a b b c d e x)), $plain ? undef : pick(undef, 'm', 'n', ''), $plain || chance(0.3) ? () : @{ pick(@values) });
	$event->{value} = pick(0, 1.5, -2) if chance(0.2);
	return $event;
}

sub event
{
	my ($at, $label, $channel, $json, $text) = @_;
	return {
		at => $at,
		event => $label,
		channel => $channel,
		properties => defined $json ? "{\"p\": $json}" : undef,
		texts => { p => $text } };
}

sub random_pattern
{
	return pick(qw(a b c d), qw(a b c d), qw(a|b b|c c|d a|c *), 'a|b|c', 'a@m', '*@m', 'b@m|c', 'a[p=1]', '*[p=v]', 'a|b[p=*]', 'a*', 'c@n|*[p=1]');
}

sub chance
{
	return rand() < shift() ? 1 : 0;
}

sub whole
{
	my ($from, $to) = @_;
	return $from + int rand($to - $from + 1);
}

sub pick
{
	return $_[ int rand @_ ];
}

1;
