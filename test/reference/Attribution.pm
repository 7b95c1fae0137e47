# What attribution by Markov chains and by Shapley values must give, found from their
# definitions, in exact rational numbers.
#
# Meant to be plainly right: a removal effect comes from deleting the states of a channel
# and solving the chain again, a Shapley value from all coalitions.
#
# Rows are an array of hashes { path => [ channel or undef, ... ] or undef, conversions,
# non_conversions, value }; counts are whole numbers, value is a double or undef, the sum over
# the conversions of the row. A rational is [numerator, denominator], two Math::BigInt, the
# denominator positive, not reduced.
package Attribution;
use strict;
use warnings;
use Exporter 'import';
use Math::BigInt try => 'GMP';

our @EXPORT_OK = qw(channels_of chain_of chain_shares flow_of_paths markov_attribution game_channels shapley
  conversions_within rate_of_exactly converted_by_chain shapley_by_position is_near is_zero rational
  add multiply quotient decimal double_value);

# No prime below it is used twice; products of two such fit in 63 bits.
my $next_prime = 2**31;
my @primes;

# The channels of a path: NULL, '' and (unattributed) are none.
sub channels_of
{
	my $path = shift;
	return grep { defined && $_ ne '' && $_ ne '(unattributed)' } @{ $path // [] };
}

# The chain of an order, and what belongs to no channel:
#	states		[ [ channel, ... ], ... ]
#	start, moves, conversions, nulls, values	by number of state: n_ij is moves[i]{j}
#	scale		values are whole multiples of 1/scale (Math::BigInt)
#	unattributed, unattributed_value
sub chain_of
{
	my ($rows, $order) = @_;
	my @counted = grep { $_->{conversions} + $_->{non_conversions} > 0 } @$rows;
	my $chain = {
		states => [],
		scale => scale_of(map { $_->{value} // 0 } @counted),
		unattributed => Math::BigInt->new(0),
		unattributed_value => Math::BigInt->new(0) };
	my %number;
	foreach my $row (@counted)
	{
		my @channels = channels_of($row->{path});
		my $count = $row->{conversions} + $row->{non_conversions};
		my $value = scaled($row->{value} // 0, $chain->{scale});
		if (!@channels)
		{
			$chain->{unattributed} += $row->{conversions};
			$chain->{unattributed_value} += $value;
			next;
		}
		my @walk;
		foreach my $tuple (tuples($order, @channels))
		{
			my $name = join "\0", @$tuple;
			if (!defined $number{$name})
			{
				$number{$name} = push(@{ $chain->{states} }, $tuple) - 1;
				$chain->{$_}[ $number{$name} ] = 0 for qw(start conversions nulls);
				$chain->{moves}[ $number{$name} ] = {};
				$chain->{values}[ $number{$name} ] = Math::BigInt->new(0);
			}
			push @walk, $number{$name};
		}
		$chain->{start}[ $walk[0] ] += $count;
		$chain->{moves}[ $walk[ $_ - 1 ] ]{ $walk[$_] } += $count for 1 .. $#walk;
		$chain->{conversions}[ $walk[-1] ] += $row->{conversions};
		$chain->{nulls}[ $walk[-1] ] += $row->{non_conversions};
		$chain->{values}[ $walk[-1] ] += $value;
	}
	return $chain;
}

# Of A>B>C of order 2: (A, B), (B, C). A path that is too short is one state.
sub tuples
{
	my ($order, @channels) = @_;
	return ([@channels]) if @channels <= $order;
	return map { [ @channels[ $_ .. $_ + $order - 1 ] ] } 0 .. @channels - $order;
}

# The conversions, and the value, per path that starts, if only the states with channels of
# this set are kept and all that would enter another goes to null; as rationals.
#
# With out_i = sum n_ij + conv_i + null_i, and u_i the expected visits of state i per path,
# w_i = u_i * sum(start) / out_i solves a system of whole numbers:
#		out_i * w_i - sum over j of n_ji * w_j = start_i
# and the conversions are sum(conv_i * w_i) / sum(start).
sub chain_shares
{
	my ($chain, $keep) = @_;
	my @states = reached_states($chain, $keep);
	my %place = map { $states[$_] => $_ } 0 .. $#states;
	my $size = @states;
	my $paths = 0;
	$paths += $_ for @{ $chain->{start} // [] };
	return ([ Math::BigInt->new(0), Math::BigInt->new(1) ]) x 2 if $size == 0;

	my (@matrix, @conversions, @values);
	foreach my $i (0 .. $size - 1)
	{
		my $state = $states[$i];
		my $out = $chain->{conversions}[$state] + $chain->{nulls}[$state];
		foreach my $to (keys %{ $chain->{moves}[$state] })
		{
			my $count = $chain->{moves}[$state]{$to};
			$out += $count;
			$matrix[ $place{$to} ][$i] -= $count if defined $place{$to};
		}
		$matrix[$i][$i] += $out;
		$matrix[$i][$size] = $chain->{start}[$state];
		push @conversions, $chain->{conversions}[$state];
		push @values, $chain->{values}[$state];
	}
	my ($determinant, $converted, $valued) = products_with_solution(\@matrix, \@conversions, \@values);
	return ([ $converted, $determinant * $paths ], [ $valued, $determinant * $paths * $chain->{scale} ]);
}

# States that a walk from the start can be in; the others have no part in anything.
sub reached_states
{
	my ($chain, $keep) = @_;
	my @kept;
	foreach my $state (0 .. $#{ $chain->{states} })
	{
		$kept[$state] = !grep { !$keep->{$_} } @{ $chain->{states}[$state] };
	}
	my %seen;
	my @waiting = grep { $kept[$_] && $chain->{start}[$_] } 0 .. $#kept;
	while (defined(my $state = pop @waiting))
	{
		next if $seen{$state}++;
		push @waiting, grep { $kept[$_] } keys %{ $chain->{moves}[$state] };
	}
	return sort { $a <=> $b } keys %seen;
}

# For the system M w = b of whole numbers (b is the last column of M): det M and, for each
# list of numbers c given, det M * (c . w), which are whole numbers.
#
# They are found modulo as many primes as tell them apart. M has a diagonal > 0, no other
# entry > 0 and no column sum < 0, so 0 < det M <= the product of the diagonal, and as b comes
# from a chain with as much flowing in as out, 0 <= w <= 1.
sub products_with_solution
{
	my ($matrix, @lists) = @_;
	my $size = @$matrix;
	my $bound = Math::BigInt->new(1);
	$bound *= $matrix->[$_][$_] for 0 .. $size - 1;
	my $largest = Math::BigInt->new(1);
	foreach my $list (@lists)
	{
		my $sum = Math::BigInt->new(0);
		$sum += abs $_ for @$list;
		$largest = $sum if $sum > $largest;
	}
	$bound *= 2 * $largest;

	my @residues;
	my @used;
	my $product = Math::BigInt->new(1);
	my $number = 0;
	while ($product <= $bound)
	{
		my $prime = prime($number++);
		my @found = residues_of_products($matrix, \@lists, $prime) or next;
		push @used, $prime;
		$product *= $prime;
		push @{ $residues[$_] }, $found[$_] for 0 .. $#found;
	}
	return map { whole_number(\@used, $_, $product) } @residues;
}

# The same modulo a prime, by elimination; nothing if a pivot is 0 modulo the prime. Each list
# is a row below the matrix, where c . w comes to stand in the last column.
sub residues_of_products
{
	my ($matrix, $lists, $prime) = @_;
	use integer;
	my $size = @$matrix;
	my @rows;
	foreach my $row (@$matrix)
	{
		push @rows, [ map { my $x = ($_ // 0) % $prime; $x < 0 ? $x + $prime : $x } @$row[ 0 .. $size ] ];
	}
	foreach my $list (@$lists)
	{
		push @rows, [ (map { ref $_ ? (-$_ % $prime)->numify : -$_ % $prime } @$list), 0 ];
		$_ += $_ < 0 ? $prime : 0 for @{ $rows[-1] };
	}
	my $determinant = 1;
	foreach my $k (0 .. $size - 1)
	{
		my $pivot = $rows[$k];
		return if $pivot->[$k] == 0;
		$determinant = $determinant * $pivot->[$k] % $prime;
		my $inverse = power($pivot->[$k], $prime - 2, $prime);
		my @filled = grep { $pivot->[$_] } $k + 1 .. $size;
		foreach my $row (@rows[ $k + 1 .. $#rows ])
		{
			next if $row->[$k] == 0;
			my $factor = $prime - $row->[$k] * $inverse % $prime;
			$row->[$_] = ($row->[$_] + $factor * $pivot->[$_]) % $prime for @filled;
		}
	}
	return ($determinant, map { $determinant * $rows[$_][$size] % $prime } $size .. $#rows);
}

# The number of least absolute value with these residues (Garner's mixed radix).
sub whole_number
{
	my ($primes, $residues, $product) = @_;
	my @digits;
	foreach my $k (0 .. $#$primes)
	{
		use integer;
		my $prime = $primes->[$k];
		my ($value, $radix) = (0, 1);
		foreach my $j (0 .. $k - 1)
		{
			$value = ($value + $digits[$j] % $prime * $radix) % $prime;
			$radix = $radix * ($primes->[$j] % $prime) % $prime;
		}
		push @digits, ($residues->[$k] - $value + $prime) % $prime * power($radix, $prime - 2, $prime) % $prime;
	}
	my $number = Math::BigInt->new(0);
	$number->bmul($primes->[$_])->badd($digits[$_]) for reverse 0 .. $#digits;
	return 2 * $number > $product ? $number - $product : $number;
}

sub power
{
	my ($base, $exponent, $modulus) = @_;
	use integer;
	my $result = 1;
	for (; $exponent > 0; $exponent /= 2)
	{
		$result = $result * $base % $modulus if $exponent % 2;
		$base = $base * $base % $modulus;
	}
	return $result;
}

# Primes from 2^31 downwards.
sub prime
{
	my $number = shift;
	while ($number > $#primes)
	{
		$next_prime--;
		my $limit = int sqrt $next_prime;
		my $divisor = 2;
		$divisor++ while $divisor <= $limit && $next_prime % $divisor;
		push @primes, $next_prime if $divisor > $limit;
	}
	return $primes[$number];
}

# The share of paths that convert without a channel: all paths set out at once, and what
# each step brings to a conversion is added up.
sub flow_of_paths
{
	my ($chain, $channel) = @_;
	my @open = map { my $tuple = $_; !grep { $_ eq $channel } @$tuple } @{ $chain->{states} };
	my ($paths, $converted) = (0, 0);
	$paths += $_ for @{ $chain->{start} };
	my @here = map { $open[$_] ? $chain->{start}[$_] / $paths : 0 } 0 .. $#open;
	for (1 .. 3000)
	{
		my @next = (0) x @open;
		foreach my $i (grep { $here[$_] > 0 } 0 .. $#open)
		{
			my $moves = $chain->{moves}[$i];
			my $out = $chain->{conversions}[$i] + $chain->{nulls}[$i];
			$out += $_ for values %$moves;
			$converted += $here[$i] * $chain->{conversions}[$i] / $out;
			$next[$_] += $here[$i] * $moves->{$_} / $out for grep { $open[$_] } keys %$moves;
		}
		@here = @next;
		last if !grep { $_ > 1e-20 } @here;
	}
	return $converted;
}

# { channels => { name => { removal_effect, value_removal_effect, share, value_share, conversions,
# value } }, probability, mean_value, conversions, value, unattributed, unattributed_value }, all but
# the names rational, or undef where it is not defined: effects without conversions (value),
# shares where the effects sum to 0. Of nothing, each channel is credited with nothing.
sub markov_attribution
{
	my ($rows, $order) = @_;
	my $chain = chain_of($rows, $order);
	my %channels = map { $_ => {} } map { @$_ } @{ $chain->{states} };
	my ($probability, $mean) = chain_shares($chain, \%channels);
	my $total = Math::BigInt->new(0);
	$total += $_ for @{ $chain->{conversions} // [] };
	my $total_value = Math::BigInt->new(0);
	$total_value += $_ for @{ $chain->{values} // [] };
	my $result = {
		channels => \%channels,
		probability => $probability,
		mean_value => $mean,
		conversions => [ $total, Math::BigInt->new(1) ],
		value => [ $total_value, $chain->{scale} ],
		unattributed => [ $chain->{unattributed}, Math::BigInt->new(1) ],
		unattributed_value => [ $chain->{unattributed_value}, $chain->{scale} ] };

	foreach my $name (keys %channels)
	{
		my %others = map { $_ => 1 } grep { $_ ne $name } keys %channels;
		my ($kept, $kept_value) = chain_shares($chain, \%others);
		$channels{$name}{removal_effect} = loss($kept, $probability);
		$channels{$name}{value_removal_effect} = loss($kept_value, $mean);
	}
	share_out(\%channels, 'removal_effect', 'share', 'conversions', $result->{conversions});
	share_out(\%channels, 'value_removal_effect', 'value_share', 'value', $result->{value});
	return $result;
}

# 1 - kept / all, undef if all is 0.
sub loss
{
	my ($kept, $all) = @_;
	return undef if is_zero($all);
	return quotient(add($all, [ -$kept->[0], $kept->[1] ]), $all);
}

sub share_out
{
	my ($channels, $effect, $share, $credit, $total) = @_;
	if (is_zero($total))
	{
		$_->{$credit} = $total for values %$channels;
	}
	my $sum = [ Math::BigInt->new(0), Math::BigInt->new(1) ];
	foreach my $channel (values %$channels)
	{
		return if !defined $channel->{$effect};
		$sum = add($sum, $channel->{$effect});
	}
	return if is_zero($sum);
	foreach my $channel (values %$channels)
	{
		$channel->{$share} = quotient($channel->{$effect}, $sum);
		$channel->{$credit} = multiply($channel->{$share}, $total);
	}
	return;
}

# The players: channels of paths that count.
sub game_channels
{
	my $rows = shift;
	my %seen;
	foreach my $row (@$rows)
	{
		next if $row->{conversions} + $row->{non_conversions} == 0;
		$seen{$_} = 1 for channels_of($row->{path});
	}
	my @channels = sort keys %seen;
	return @channels;
}

# The Shapley value of each player of a game, { player => rational }. The game is asked for the
# worth of each set of players once; with n players, a player's value is
#		sum over sets S without it of |S|! (n - |S| - 1)! / n! * (v(S and it) - v(S))
sub shapley
{
	my ($players, $game) = @_;
	my $count = @$players;
	my @worth;
	foreach my $set (0 .. 2**$count - 1)
	{
		push @worth, $game->({ map { $players->[$_] => 1 } grep { $set >> $_ & 1 } 0 .. $count - 1 });
	}
	my @factorial = (1);
	push @factorial, $factorial[-1] * $_ for 1 .. $count;

	my %value;
	foreach my $player (0 .. $count - 1)
	{
		my $sum = [ Math::BigInt->new(0), Math::BigInt->new(1) ];
		foreach my $set (grep { !($_ >> $player & 1) } 0 .. 2**$count - 1)
		{
			my $size = grep { $set >> $_ & 1 } 0 .. $count - 1;
			my $weight = [ Math::BigInt->new($factorial[$size] * $factorial[ $count - $size - 1 ]), Math::BigInt->new($factorial[$count]) ];
			my ($with, $without) = ($worth[ $set | 1 << $player ], $worth[$set]);
			$sum = reduced(add($sum, multiply($weight, add($with, [ -$without->[0], $without->[1] ]))));
		}
		$value{ $players->[$player] } = $sum;
	}
	return \%value;
}

# The game "simplified": conversions, or value, of the paths with no channel outside the set.
sub conversions_within
{
	my ($rows, $measure) = @_;
	return sub {
		my $set = shift;
		my $sum = [ Math::BigInt->new(0), Math::BigInt->new(1) ];
		foreach my $row (@$rows)
		{
			my @channels = channels_of($row->{path}) or next;
			$sum = add($sum, rational($row->{$measure} // 0)) if $row->{conversions} && !grep { !$set->{$_} } @channels;
		}
		return reduced($sum);
	};
}

# The game "observed": conversions per path of those with exactly these channels, unseen: 0.
sub rate_of_exactly
{
	my ($rows, $measure) = @_;
	return sub {
		my $set = shift;
		my ($sum, $paths) = ([ Math::BigInt->new(0), Math::BigInt->new(1) ], 0);
		foreach my $row (@$rows)
		{
			my %path = map { $_ => 1 } channels_of($row->{path}) or next;
			next if join("\0", sort keys %path) ne join("\0", sort keys %$set);
			$sum = add($sum, rational($row->{$measure} // 0)) if $row->{conversions} + $row->{non_conversions} > 0;
			$paths += $row->{conversions} + $row->{non_conversions};
		}
		return $paths == 0 ? rational(0) : quotient($sum, rational($paths));
	};
}

# The game "markov": conversions, or value, per path in the chain that keeps only the set.
sub converted_by_chain
{
	my ($rows, $order, $measure) = @_;
	my $chain = chain_of($rows, $order);
	return sub { return (chain_shares($chain, shift))[ $measure eq 'value' ? 1 : 0 ] };
}

# Ordered Shapley (Zhao, Mahboobi and Bagheri 2018, "Shapley Value Methods for Attribution
# Modeling in Online Advertising"): the value of channel x at the i-th touch is the sum over sets
# S with x of R_i(S) / |S|, where R_i(S) counts the conversions of paths with exactly the
# channels S and x at touch i; in a path where x stands at K touches each has 1/K of it. So
# its sum over i is the value of x in the game "simplified". { channel => { i => rational } }
sub shapley_by_position
{
	my ($rows, $measure) = @_;
	my %value;
	foreach my $row (grep { $_->{conversions} > 0 } @$rows)
	{
		my @channels = channels_of($row->{path});
		my %times;
		$times{$_}++ for @channels;
		foreach my $i (0 .. $#channels)
		{
			my $part = quotient(rational($row->{$measure} // 0), rational(keys(%times) * $times{ $channels[$i] }));
			$value{ $channels[$i] }{ $i + 1 } = reduced(add($value{ $channels[$i] }{ $i + 1 } // rational(0), $part));
		}
	}
	return \%value;
}

# Is a number, as the server prints it, within a relative distance (a text such as 1e-12) of
# the exact one? All exact; 0 has nothing near it. With a third rational the distance
# is relative to that.
sub is_near
{
	my ($text, $exact, $distance, $measure) = @_;
	return 0 if $text !~ /^-?\d/;
	$measure //= $exact;
	my $difference = add(decimal($text), [ -$exact->[0], $exact->[1] ]);
	my $limit = multiply(decimal($distance), [ abs($measure->[0]), $measure->[1] ]);
	return abs($difference->[0]) * $limit->[1] <= $limit->[0] * $difference->[1] ? 1 : 0;
}

sub is_zero
{
	return $_[0][0]->is_zero ? 1 : 0;
}

# Of the text of a decimal number.
sub decimal
{
	my ($sign, $whole, $part, $exponent) = shift =~ /^([+-]?)(\d+)(?:\.(\d*))?(?:e([+-]?\d+))?$/i or die "not a number";
	$part //= '';
	my $power = ($exponent // 0) - length $part;
	my $digits = Math::BigInt->new("$sign$whole$part");
	my $ten = Math::BigInt->new(10)->bpow(abs $power);
	return $power < 0 ? [ $digits, $ten ] : [ $digits * $ten, Math::BigInt->new(1) ];
}

# Of a double, exactly, or of a Math::BigInt.
sub rational
{
	my $number = shift;
	return [ $number->copy, Math::BigInt->new(1) ] if ref $number;
	my $scale = scale_of($number);
	return [ scaled($number, $scale), $scale ];
}

# The smallest power of 2 that makes each of these doubles a whole number.
sub scale_of
{
	my $bits = 0;
	foreach my $number (@_)
	{
		$bits++ while $number * 2**$bits != int($number * 2**$bits);
	}
	return Math::BigInt->new(2)->bpow($bits);
}

sub scaled
{
	my ($number, $scale) = @_;
	return Math::BigInt->new(sprintf '%.0f', $number * $scale->numify);
}

sub add
{
	my ($x, $y) = @_;
	return [ $x->[0] + $y->[0], $x->[1] ] if $x->[1] == $y->[1];
	return [ $x->[0] * $y->[1] + $y->[0] * $x->[1], $x->[1] * $y->[1] ];
}

sub multiply
{
	my ($x, $y) = @_;
	return [ $x->[0] * $y->[0], $x->[1] * $y->[1] ];
}

sub quotient
{
	my ($x, $y) = @_;
	my $sign = $y->[0] < 0 ? -1 : 1;
	return [ $sign * $x->[0] * $y->[1], $sign * $x->[1] * $y->[0] ];
}

sub reduced
{
	my $x = shift;
	my $divisor = Math::BigInt::bgcd($x->[0], $x->[1]);
	return $divisor->is_one ? $x : [ $x->[0] / $divisor, $x->[1] / $divisor ];
}

# The double nearest to a rational, or very nearly.
sub double_value
{
	my $x = shift;
	my $shift = 400;
	my $number = $x->[0] * Math::BigInt->new(2)->bpow($shift) / $x->[1];
	return $number->numify / 2**$shift;
}

1;
