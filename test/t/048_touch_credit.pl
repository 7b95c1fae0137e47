# Shares of touches are what the table of models says, in fractions; money is split as whole
# numbers of any length say; rows have the shares that arrays have; paths are changed as
# plain Perl changes them.
#
#	CASES=1500 SEED=1	how many random paths, and amounts of money a fifth as many
use strict;
use warnings;
use Test::More;
use Math::BigInt;
use POSIX qw(floor strftime);

my $database = 'touch_credit_test';
my $cases = $ENV{CASES} || 1500;
srand($ENV{SEED} || 1);
$ENV{PGOPTIONS} = '-c client_min_messages=warning';

# Shares of the ends and the middle in thousandths.
my %position_weights = (u_shaped => [ 400, 200, 400 ], j_shaped => [ 200, 200, 600 ], inverse_j_shaped => [ 600, 200, 200 ]);
my @models = (qw(first_touch last_touch last_non_direct linear position_based time_decay w_shaped full_path participation), sort keys %position_weights);
# Not one of them is a touch.
my @others = (undef, '', '(unattributed)');
my $start = 1_767_225_600_000_000;
my $day = 86_400_000_000;
my @failures;

psql('postgres', "DROP DATABASE IF EXISTS $database");
psql('postgres', "CREATE DATABASE $database ENCODING 'UTF8' TEMPLATE template0");
END
{
	my $status = $?;
	psql('postgres', "DROP DATABASE IF EXISTS $database WITH (FORCE)");
	$? = $status;
}
psql($database, 'CREATE EXTENSION engagement');

my @paths = map { random_path($_) } 1 .. $cases;
load_paths();
test_weights($_) foreach @models;
test_rows();
test_split();
test_tools();
done_testing();

# A path with times and options; touches are few or many, close together or ages apart.
sub random_path
{
	my $number = shift;
	my $length = $number % 50 == 0 ? 30 + int rand 300 : int rand 9;
	my $at = $start;
	my $step = pick($day, 3_600_000_000, 1, 30 * $day);
	my $whole = rand() < 0.5;
	my $few = rand() < 0.1 ? 1 : rand() < 0.5 ? 3 : 6;
	my $other = pick(0, 0, 0.2, 0.6, 1);
	my (@path, @times, @touches);
	for (1 .. $length)
	{
		my $channel = rand() < $other ? pick(@others) : (qw(a b (direct)), 'e "f" \\g', 'NULL', 'a b', 'é,{ü}')[ rand $few ];
		$at += $whole ? $step * int rand 4 : int rand 4 * $step;
		# of what is no touch the time does not matter
		my $time = is_touch($channel) || rand() < 0.5 ? $at : pick(undef, $at - 100 * $day);
		push @path, $channel;
		push @times, $time;
		push @touches, $#path if is_touch($channel);
	}
	$times[ $touches[0] ] = -$day * 1_000_000 if @touches && rand() < 0.02;
	my @near = map { ($_, $_ - 1, $_ + 1) } grep { $_ > 0 } map { $times[$_] } @touches;
	my $first = int rand 1001;
	my $middle = int rand(1001 - $first);
	$middle = 0 if $first + $middle == 1000 && $first == 0;
	$middle = 500 if $first == 0 && $middle == 1000;
	return { path => \@path, times => \@times, touches => \@touches,
		converted => pick(undef, $at, $at + 1, $at + $day),
		skip => pick(undef, [], ['a'], [ 'a', undef, '(direct)' ], [ '(direct)', 'a b', 'b', 'a', 'NULL', 'e "f" \\g', 'é,{ü}' ]),
		weights => pick(undef, [ $first, $middle, 1000 - $first - $middle ]),
		# of weights, whose sum may differ from 1 by so much
		stretch => pick(1, 1, 1 - 9e-10, 1 + 9e-10),
		half_life => pick(undef, $step, 2 * $step, 7 * $day, 1),
		milestones => [ map { pick(undef, $start - $day, $at + $day, @near ? pick(@near) : undef) } 1 .. 2 ] };
}

sub load_paths
{
	my $rows = '';
	my $id = 0;
	for my $case (@paths)
	{
		$rows .= join("\t", map { copy_text($_) } ($id++, array($case->{path}), array([ map { iso($_) } @{ $case->{times} } ]), iso($case->{converted}),
			$case->{skip} && array($case->{skip}), $case->{weights} && array([ map { $_ / 1000 * $case->{stretch} } @{ $case->{weights} } ]),
			defined $case->{half_life} ? "$case->{half_life} microseconds" : undef, array([ map { iso($_) } @{ $case->{milestones} } ]))) . "\n";
	}
	psql($database, "CREATE TABLE path (id int, path text[], touched_at timestamptz[], converted_at timestamptz, skip text[], weights float8[], half_life interval, milestones timestamptz[]);
		COPY path FROM STDIN;\n$rows\\.\n");
	is(psql($database, 'SELECT count(*) FROM path'), $cases, 'paths');
	return;
}

sub test_weights
{
	my $model = shift;
	my @lines = split /\n/, psql($database, "SET extra_float_digits = 3;
		SELECT attribution_weights('$model', path, touched_at, converted_at, skip, weights, half_life, milestones) FROM path ORDER BY id");
	@failures = ();
	is(scalar @lines, $cases, "$model: answers");
	for my $id (0 .. $#lines)
	{
		my $case = $paths[$id];
		my @got = $lines[$id] =~ /[^{},]+/g;
		my @expected = expected_weights($model, $case);
		my $tolerance = $model eq 'time_decay' ? 2e-14 : 8e-16;
		my $total = exact_sum(-1, @got);
		my $length = @{ $case->{path} };
		fail_case("path $id: @got, not @expected") if @got != $length || grep { !(abs($got[$_] - $expected[$_]) <= $tolerance * $expected[$_] + 1e-305) } 0 .. $#expected;
		next if $model eq 'participation' || !grep { $_ > 0 } @expected;
		fail_case("path $id: the sum of the shares is 1 + $total") if !(abs($total) <= 1e-15 * (@{ $case->{touches} } || 1));
	}
	none_failed("$model: shares");
	return;
}

# From the table of the models.
sub expected_weights
{
	my ($model, $case) = @_;
	my @touches = @{ $case->{touches} };
	my $count = @touches;
	my @names = map { $case->{path}[$_] } @touches;
	my @times = map { $case->{times}[$_] } @touches;
	my @share = (0) x $count;
	my @expected = (0) x @{ $case->{path} };
	if (!$count)
	{
		my ($first) = grep { ($case->{path}[$_] // '') ne '' } 0 .. $#{ $case->{path} };
		$expected[$first] = 1 if defined $first;
		return @expected;
	}
	if ($model eq 'first_touch') { $share[0] = 1 }
	elsif ($model eq 'last_touch') { $share[-1] = 1 }
	elsif ($model eq 'last_non_direct')
	{
		my %skip = map { defined $_ ? ($_ => 1) : () } @{ $case->{skip} || ['(direct)'] };
		my @left = grep { !$skip{ $names[$_] } } 0 .. $count - 1;
		$share[ @left ? $left[-1] : $count - 1 ] = 1;
	}
	elsif ($model eq 'linear') { @share = (1 / $count) x $count }
	elsif ($model eq 'participation')
	{
		my %seen;
		@share = map { $seen{$_}++ ? 0 : 1 } @names;
	}
	elsif ($model eq 'time_decay')
	{
		my @part = map { 2**(-($times[-1] - $_) / ($case->{half_life} // 7 * $day)) } @times;
		my $total = exact_sum(@part);
		@share = map { $_ / $total } @part;
	}
	elsif ($model eq 'w_shaped' || $model eq 'full_path')
	{
		# whole numbers: tenths, and fortieths
		my ($credit, $rest) = $model eq 'w_shaped' ? (3, 1) : (9, 4);
		my @at = (0, $model eq 'full_path' ? $count - 1 : ());
		for my $milestone (grep { defined } @{ $case->{milestones} })
		{
			my @before = grep { $times[$_] <= $milestone } 0 .. $count - 1;
			push @at, $before[-1] if @before;
		}
		$share[$_] += $credit foreach @at;
		my $others = grep { $_ == 0 } @share;
		my $total = @at * $credit + ($others ? $rest : 0);
		@share = map { $_ ? $_ / $total : $rest / ($others * $total) } @share;
	}
	else
	{
		my ($first, $middle, $last) = @{ $position_weights{$model} || $case->{weights} || [ 400, 200, 400 ] };
		@share = $count == 1 ? (1) : $count == 2 ? ($first / ($first + $last), $last / ($first + $last))
			: ($first / 1000, ($middle / (1000 * ($count - 2))) x ($count - 2), $last / 1000);
	}
	@expected[@touches] = @share;
	return @expected;
}

# The same paths as rows, in any order of input, and with memory for few of them; and a long one.
sub test_rows
{
	psql($database, "CREATE TABLE touch AS SELECT id, n, channel, at, converted_at, skip, weights, half_life, milestones
			FROM path, unnest(path, touched_at) WITH ORDINALITY AS t (channel, at, n) ORDER BY hashint8(n * 1000 + id);
		INSERT INTO touch SELECT -1, n, CASE n % 4 WHEN 0 THEN NULL ELSE 'c' || hashint4(n) % 1000 END, '2026-01-01Z'::timestamptz + n * interval '1 min', NULL, '{c1}', '{0.3,0.1,0.6}', '100 days', '{2026-01-03Z,2026-01-04Z}'
			FROM generate_series(1, 40000) n;
		ANALYZE touch");
	# times that are out of order, of what is no touch, would put rows out of order
	my $order = 'ORDER BY id, n';
	for my $model (@models)
	{
		my $result = psql($database, "SET work_mem = '64kB';
			WITH ordered AS MATERIALIZED (SELECT *, max(at) FILTER (WHERE channel <> '' AND channel <> '(unattributed)') OVER (PARTITION BY id ORDER BY n) AS until FROM touch),
			in_rows AS (SELECT id, n, attribution_share('$model', at, channel, converted_at, skip, weights, half_life, milestones) OVER (PARTITION BY id ORDER BY until NULLS FIRST, n) AS share FROM ordered),
			whole AS (SELECT id, attribution_weights('$model', path, touched_at, converted_at, skip, weights, half_life, milestones) AS weights FROM path
				UNION ALL SELECT -1, attribution_weights('$model', array_agg(channel ORDER BY n), array_agg(at ORDER BY n), NULL, '{c1}', '{0.3,0.1,0.6}', '100 days', '{2026-01-03Z,2026-01-04Z}') FROM touch WHERE id = -1),
			elements AS (SELECT id, n, weight FROM whole, unnest(weights) WITH ORDINALITY AS t (weight, n))
			SELECT count(*) = (SELECT count(*) FROM touch), count(*) FILTER (WHERE share IS DISTINCT FROM weight) FROM in_rows FULL JOIN elements USING (id, n)");
		is($result, 't|0', "$model: rows have the shares of arrays");
	}
	return;
}

sub test_split
{
	my (@splits, $rows);
	for my $id (0 .. $cases / 5)
	{
		my $digits = join '', map { int rand 10 } 0 .. pick(1, 4, 8, 15, 18, 19, 25, 40);
		my $scale = pick(0, 2, 2, 3, 10, length $digits, 30);
		my $more = pick(undef, undef, 0, 2);
		my $value = pick('', '-') . decimal($digits, $scale);
		my $count = 1 + int rand pick(3, 8, 40);
		my $kind = int rand 6;
		my @shares = map { random_share($kind) } 1 .. $count;
		$shares[ rand $count ] = 1 if !grep { $_ > 0 } @shares;
		push @splits, { value => $value, shares => \@shares, scale => $scale + ($more // 0), digits => $digits . '0' x ($more // 0) };
		$rows .= join("\t", $id, $value, array([ map { sprintf '%.17g', $_ } @shares ]), defined $more ? $scale + $more : '\N') . "\n";
	}
	my @lines = split /\n/, psql($database, "CREATE TABLE split (id int, value numeric, shares float8[], digits int);
		COPY split FROM STDIN;\n$rows\\.\nSELECT split_value(value, shares, digits), value = (SELECT sum(p) FROM unnest(split_value(value, shares, digits)) p) FROM split ORDER BY id");
	@failures = ();
	is(scalar @lines, scalar @splits, 'amounts of money are split');
	for my $id (0 .. $#lines)
	{
		my ($parts, $is_whole) = $lines[$id] =~ /^\{(.*)\}\|(.)$/;
		my $expected = join ',', expected_parts($splits[$id]);
		fail_case("split_value($splits[$id]{value}, {@{ $splits[$id]{shares} }}): $parts, not $expected") if $parts ne $expected;
		fail_case("split_value($splits[$id]{value}, {@{ $splits[$id]{shares} }}): the parts do not add up") if $is_whole ne 't';
	}
	none_failed('parts by the largest remainder');
	return;
}

sub random_share
{
	my $kind = shift;
	return 0 if rand() < 0.1;
	return 1 + int rand 3 if $kind == 0;
	return pick(0.4, 0.2, 0.1, 0.05, 1 / 3, 0.225) if $kind == 1;
	return rand if $kind == 2;
	return 2**-rand 80 if $kind == 3;
	return (1 + rand) * 2**(int(rand 2040) - 1020) if $kind == 4;
	return pick(4.9406564584124654e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 1, 9007199254740993);
}

# Each share is m 2^e; the parts rounded down, then one more for the largest remainders.
sub expected_parts
{
	my $split = shift;
	my $value = Math::BigInt->new($split->{digits});
	my (@whole, $least);
	for my $share (@{ $split->{shares} })
	{
		my $bits = unpack 'Q', pack 'd', $share;
		my ($exponent, $mantissa) = ($bits >> 52, $bits & (1 << 52) - 1);
		if ($exponent > 0) { $mantissa += 1 << 52 } else { $exponent = 1 }
		$least = $exponent if $mantissa && (!defined $least || $exponent < $least);
		push @whole, [ $mantissa, $exponent ];
	}
	@whole = map { $_->[0] ? Math::BigInt->new($_->[0]) * Math::BigInt->new(2)->bpow($_->[1] - $least) : Math::BigInt->new(0) } @whole;
	my $total = Math::BigInt->new(0);
	$total += $_ foreach @whole;
	my @part = map { [ ($value * $_)->bdiv($total) ] } @whole;
	my $left = $value->copy;
	$left -= $_->[0] foreach @part;
	my @order = sort { $part[$b][1] <=> $part[$a][1] || $a <=> $b } 0 .. $#part;
	$part[$_][0]++ foreach @order[ 0 .. $left - 1 ];
	my $sign = $split->{value} =~ /^-/ ? '-' : '';
	return map { ($_->[0]->is_zero ? '' : $sign) . decimal($_->[0]->bstr, $split->{scale}) } @part;
}

sub test_tools
{
	my %tool = (
		"collapse_path(path, 'none')" => sub { @_ },
		"collapse_path(path)" => sub { my @path = @_; map { $_ == 0 || $path[$_] ne $path[ $_ - 1 ] ? $path[$_] : () } 0 .. $#path },
		"collapse_path(path, 'first')" => sub { my %seen; grep { !$seen{$_}++ } @_ },
		"path_frequency(path)" => sub { my (%count, @order); $count{$_}++ or push @order, $_ foreach @_; map { $_ eq '(unattributed)' ? $_ : "$_($count{$_})" } @order },
		"trim_path(path, '{a,(direct)}')" => sub { trimmed('end', @_) },
		"trim_path(path, '{a,NULL,(direct)}', 'start')" => sub { trimmed('start', @_) },
		"trim_path(path, '{a,\"\",(direct)}', 'both')" => sub { trimmed('both', @_) },
		"trim_path(path, '{(direct),a,a}', 'all')" => sub { trimmed('all', @_) },
		"path_last(path, 2)" => sub { @_ > 2 ? @_[ -2, -1 ] : @_ },
		"parse_path(replace(array_to_string(path, ' >' || CASE WHEN id % 2 = 0 THEN E'> \\n' ELSE '' END), '(unattributed)', ''))" => sub { grep { $_ ne '(unattributed)' } @_ });
	for my $call (sort keys %tool)
	{
		compare_tool($call, sub { my $case = shift; return $tool{$call}->(touches_of($case)) });
	}
	compare_tool("path_lookback(path, touched_at, '2026-01-06Z', '3 days')", sub
	{
		my $case = shift;
		my $converted = $start + 5 * $day;
		return touches_of($case) if !@{ $case->{touches} };
		return map { $case->{path}[$_] } grep { my $at = $case->{times}[$_]; $at <= $converted && $converted - $at <= 3 * $day } @{ $case->{touches} };
	});
	return;
}

sub compare_tool
{
	my ($call, $reference) = @_;
	my @lines = split /\n/, psql($database, "SELECT to_json($call) FROM path ORDER BY id");
	@failures = ();
	for my $id (0 .. $#paths)
	{
		my $expected = '[' . join(',', map { '"' . s/([\\"])/\\$1/gr . '"' } $reference->($paths[$id])) . ']';
		fail_case("path $id: $lines[$id], not $expected") if $lines[$id] ne $expected;
	}
	none_failed($call);
	return;
}

# What the tools work on: the channels, or the first (unattributed) if there are none.
sub touches_of
{
	my $case = shift;
	my @touches = map { $case->{path}[$_] } @{ $case->{touches} };
	@touches = (grep { defined $_ && $_ ne '' } @{ $case->{path} })[0] // () if !@touches;
	return grep { defined } @touches;
}

sub trimmed
{
	my ($at, @path) = @_;
	my %away = (a => 1, '(direct)' => 1);
	my @left = grep { !$away{$_} } @path;
	return @path if !@left;
	return @left if $at eq 'all';
	if ($at ne 'end') { shift @path while $away{ $path[0] } }
	if ($at ne 'start') { pop @path while $away{ $path[-1] } }
	return @path;
}

sub is_touch
{
	my $channel = shift;
	return defined $channel && $channel ne '' && $channel ne '(unattributed)';
}

sub pick
{
	return $_[ rand @_ ];
}

# The sum of doubles, rounded once: partial sums that do not overlap.
sub exact_sum
{
	my @partials;
	for my $addend (@_)
	{
		my $x = $addend;
		my @next;
		for my $y (@partials)
		{
			my $high = $x + $y;
			my $low = abs($x) >= abs($y) ? $y - ($high - $x) : $x - ($high - $y);
			push @next, $low if $low != 0;
			$x = $high;
		}
		@partials = (@next, $x);
	}
	my $sum = 0;
	$sum += $_ foreach @partials;
	return $sum;
}

# Microseconds since 1970 as a time; -10^6 days stands for a time at the beginning of calendars.
sub iso
{
	my $at = shift;
	return $at if !defined $at;
	return '0767-02-04 00:00:00Z BC' if $at == -$day * 1_000_000;
	my $seconds = floor($at / 1_000_000);
	return strftime('%Y-%m-%d %H:%M:%S', gmtime $seconds) . sprintf '.%06dZ', $at - $seconds * 1_000_000;
}

sub array
{
	my $elements = shift;
	return '{' . join(',', map { defined $_ ? '"' . s/([\\"])/\\$1/gr . '"' : 'NULL' } @$elements) . '}';
}

sub copy_text
{
	my $text = shift;
	return defined $text ? $text =~ s/\\/\\\\/gr : '\N';
}

sub decimal
{
	my ($digits, $scale) = @_;
	$digits = ('0' x ($scale + 1 - length $digits)) . $digits if length $digits <= $scale;
	$digits = substr($digits, 0, length($digits) - $scale) . ($scale ? '.' . substr($digits, -$scale) : '');
	return $digits =~ s/^0+(?=\d)//r;
}

sub fail_case
{
	push @failures, @_;
	return;
}

sub none_failed
{
	my $name = shift;
	is(scalar @failures, 0, $name);
	diag($_) foreach @failures[ 0 .. (@failures > 3 ? 2 : $#failures) ];
	return;
}

sub psql
{
	my ($where, $sql) = @_;
	my $script = "touch_credit.$$.sql";
	open my $out, '>:raw', $script or die "$script: $!\n";
	print {$out} $sql, $sql =~ /;\s*$/ || $sql =~ /\\\.\n$/ ? "\n" : ";\n";
	close $out;
	my $result = `psql -XqAt -v ON_ERROR_STOP=1 -d $where -f $script 2>&1`;
	my $status = $?;
	unlink $script;
	die "psql: $result\n" if $status != 0;
	chomp $result;
	return $result;
}
