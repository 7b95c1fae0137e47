# Random sets of paths, each family after one way to get attribution wrong. In what form they
# are is told in Attribution.pm; a case adds { family, order }.
package AttributionCases;
use strict;
use warnings;
use Exporter 'import';
use List::Util qw(shuffle);

our @EXPORT_OK = qw(make_case families sql_rows whole pick chance);

my %maker = (
	uniform => \&uniform_case,
	repeats => \&repeats_case,
	rare => \&rare_case,
	cycles => \&cycles_case,
	no_nulls => \&no_nulls_case,
	no_conversions => \&no_conversions_case,
	no_value => \&no_value_case,
	negative => \&negative_case,
	short => \&short_case,
	unreachable => \&unreachable_case,
	one_channel => \&one_channel_case,
	every_walk => \&every_walk_case,
	unattributed => \&unattributed_case,
	names => \&names_case);

sub families
{
	my @names = sort keys %maker;
	return @names;
}

sub make_case
{
	my ($family, $order) = @_;
	my $case = { family => $family, order => $order // whole(1, 4) };
	$case->{rows} = [ shuffle($maker{$family}->($case)) ];
	return $case;
}

sub uniform_case
{
	my $case = shift;
	my @channels = some_channels($case);
	return map { row([ map { pick(@channels) } 1 .. whole(1, 6) ]) } 1 .. whole(3, 12);
}

# Touches that repeat: states that lead to themselves.
sub repeats_case
{
	my $case = shift;
	my @channels = some_channels($case);
	return map { row([ map { (pick(@channels)) x pick(1, 1, 2, 3, 9, 200) } 1 .. whole(1, 4) ]) } 1 .. whole(2, 8);
}

# Channels of one path next to those of billions.
sub rare_case
{
	my $case = shift;
	my ($rare, @common) = shuffle(some_channels($case), 'Z');
	my @rows = map { row([ map { pick(@common) } 1 .. whole(1, 4) ], whole(0, 1e9), whole(1e6, 4e9)) } 1 .. whole(2, 7);
	push @rows, row([ map { pick($rare, $rare, @common) } 1 .. whole(1, 4) ], whole(0, 1), 1) for 1 .. whole(1, 2);
	push @rows, row([ $rare, pick(@common) ], 1, 0);
	return @rows;
}

# Walks that hardly ever end: of a thousand steps each, with a way out for few.
sub cycles_case
{
	my $case = shift;
	my @ring = some_channels($case);
	my @rows = map {
		my $turns = int(pick(500, 1500, 3000) / @ring);
		row([ (@ring) x $turns, @ring[ 0 .. whole(0, $#ring) ] ], whole(0, 3), whole(0, pick(3, 1e6, 4e9)))
	} 1 .. whole(1, 3);
	push @rows, row([ pick(@ring), 'exit' ], whole(0, 1e3), 1), row([ 'exit', pick(@ring) ], 1, 0);
	push @rows, row([ pick(@ring) ], 1, whole(0, 5));
	return @rows;
}

sub no_nulls_case
{
	return map { $_->{conversions} ||= 1; $_->{non_conversions} = 0; $_ } uniform_case(shift);
}

sub no_conversions_case
{
	return map { $_->{conversions} = 0; $_->{value} = undef; $_ } uniform_case(shift);
}

sub no_value_case
{
	my $value = pick(undef, undef, 0);
	return map { $_->{value} = $value; $_ } uniform_case(shift);
}

# Refunds, up to a sum of nothing.
sub negative_case
{
	my @rows = uniform_case(shift);
	my $rate = pick(0.2, 0.5, 1);
	$_->{value} = defined $_->{value} && chance($rate) ? -$_->{value} : $_->{value} for @rows;
	if (chance(0.2))
	{
		push @rows, map { { %$_, value => defined $_->{value} ? -$_->{value} : undef } } @rows;
	}
	return @rows;
}

# Most paths shorter than the order.
sub short_case
{
	my $case = shift;
	my @channels = some_channels($case);
	return map { row([ map { pick(@channels) } 1 .. whole(1, $case->{order} + pick(-1, -1, 0, 1) || 1) ]) } 1 .. whole(4, 12);
}

# Channels from which nobody converts, alone or beside others.
sub unreachable_case
{
	my $case = shift;
	my @rows = uniform_case($case);
	my @dead = ('X', pick('X', 'Y'));
	push @rows, row([ map { pick(@dead) } 1 .. whole(1, 4) ], 0, whole(1, 30)) for 1 .. whole(1, 3);
	push @rows, row([ pick('A', 'B'), map { pick(@dead) } 1 .. whole(1, 3) ], 0, whole(1, 30)) if chance(0.7);
	return @rows;
}

sub one_channel_case
{
	return map { row([ ('A') x pick(1, 2, 3, 4, 7, 1000) ]) } 1 .. whole(1, 4);
}

# One that each converting path meets, at the end or at the start.
sub every_walk_case
{
	my @rows = uniform_case(shift);
	my $first = chance(0.5);
	foreach my $row (@rows)
	{
		$row->{path} = [ $first ? 'E' : (), @{ $row->{path} }, $first ? () : 'E' ] if $row->{conversions} || chance(0.2);
	}
	return @rows;
}

# What is no channel, within paths and alone; rows that count nothing; rows that say the same.
sub unattributed_case
{
	my @rows = uniform_case(shift);
	foreach my $row (@rows)
	{
		splice @{ $row->{path} }, whole(0, scalar @{ $row->{path} }), 0, pick(undef, '', '(unattributed)') for 1 .. whole(0, 2);
	}
	push @rows, row(pick(undef, [], [undef], [''], ['(unattributed)'], [ undef, '', '(unattributed)' ])) for 1 .. whole(0, 3);
	push @rows, { path => ['ghost'], conversions => 0, non_conversions => 0, value => undef } if chance(0.5);
	push @rows, { %{ pick(@rows) } } for 1 .. whole(0, 2);
	return @rows;
}

# Names that contain one another, separators, quotes, NULL as a word, much and other letters.
sub names_case
{
	my @names = shuffle('a', 'aa', 'a,a', 'a > a', '"a"', "'a'", '{a}', 'NULL', 'null', '(start)', '(conversion)', '(null)', '(direct)',
		' ', 'a\\b', "tab\tand\nline", "\x{e9}t\x{e9}", 'x' x 300);
	my @chosen = @names[ 0 .. whole(1, 3) ];
	return map { row([ map { pick(@chosen) } 1 .. whole(1, 4) ]) } 1 .. whole(3, 8);
}

# Fewer at high orders, where they make more states.
sub some_channels
{
	my $case = shift;
	return ('A' .. 'F')[ 0 .. whole(2, $case->{order} == 1 ? 6 : 4) - 1 ];
}

# A path with counts, which may be given, and a value if it converts.
sub row
{
	my ($path, $conversions, $non_conversions) = @_;
	$conversions //= pick(0, 1, whole(0, 20), whole(0, 1000));
	$non_conversions //= pick(0, 1, whole(0, 20), whole(0, 1000));
	$conversions = 1 if $conversions + $non_conversions == 0;
	my $value = $conversions == 0 || chance(0.1) ? undef : pick(whole(1, 1e5), whole(1, 1e7) / 100, rand 1000, 1e-7, 1e12);
	return { path => $path, conversions => $conversions, non_conversions => $non_conversions, value => $value };
}

# Rows of VALUES: the number of the case, order, path, conversions, value, non_conversions.
sub sql_rows
{
	my ($number, $case) = @_;
	return map {
		sprintf "(%d, %d, %s, %s, %s, %s)", $number, $case->{order}, sql_path($_->{path}), sql_count($_->{conversions}), sql_number($_->{value}), sql_count($_->{non_conversions})
	} @{ $case->{rows} };
}

# NULL is no path as well.
sub sql_count
{
	my $count = shift;
	return $count == 0 && chance(0.2) ? 'NULL::bigint' : $count;
}

sub sql_path
{
	my $path = shift;
	return 'NULL::text[]' if !defined $path;
	return 'ARRAY[' . join(', ', map { defined $_ ? "'" . s/'/''/gr . "'" : 'NULL' } @$path) . ']::text[]';
}

sub sql_number
{
	my $number = shift;
	return defined $number ? sprintf('%.17g::float8', $number) : 'NULL::float8';
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
