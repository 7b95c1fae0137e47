# The reference of attribution (test/reference/Attribution.pm) against what else gives the same
# numbers: the closed formula of removal effects, the flow of paths step by step, the axioms of
# Shapley values, and what can be found by hand.
#
#	SEED=1	random cases
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../reference";
use Math::BigRat;
use Test::More;
use Attribution qw(channels_of chain_of chain_shares markov_attribution flow_of_paths game_channels shapley conversions_within
  rate_of_exactly converted_by_chain shapley_by_position is_near is_zero rational double_value add quotient);
use AttributionCases qw(make_case families);

srand($ENV{SEED} || 1);

test_markov();
test_hand();
test_shapley();
done_testing();

# The reference by deletion against the formula that needs one inverse, and against
# the flow of paths step by step; exact, but for the flow.
sub test_markov
{
	my ($formulas, $flows, $loops, $conserved, @wrong) = (0, 0, 0, 0);
	foreach my $family (families(), families(), families())
	{
		my $case = make_case($family);
		my $chain = chain_of($case->{rows}, $case->{order});
		next if !@{ $chain->{states} };
		my $answer = markov_attribution($case->{rows}, $case->{order});
		my $name = "$family, order $case->{order}";

		my ($paths, $conversions) = (0, 0);
		$paths += $_ for @{ $chain->{start} };
		$conversions += $_ for @{ $chain->{conversions} };
		push @wrong, "P of $name" if !is_near("$conversions", [ $answer->{probability}[0] * $paths, $answer->{probability}[1] ], '0e0');
		my $mean = $answer->{mean_value};
		push @wrong, "mean value of $name" if !is_zero(add([ $mean->[0] * $paths, $mean->[1] ], [ -$answer->{value}[0], $answer->{value}[1] ]));
		$conserved++;

		push @wrong, "loops of $name" if !same_without_loops($chain, $answer, \$loops);
		if ($family ne 'cycles' && $family ne 'repeats' && $family ne 'one_channel')
		{
			foreach my $channel (keys %{ $answer->{channels} })
			{
				my ($kept) = chain_shares($chain, { map { $_ => 1 } grep { $_ ne $channel } keys %{ $answer->{channels} } });
				push @wrong, "flow of $name without $channel" if abs(flow_of_paths($chain, $channel) - double_value($kept)) > 1e-11;
				$flows++;
			}
		}
		next if @{ $chain->{states} } > 7 || $conversions == 0;
		my $by_formula = effects_by_formula($chain);
		foreach my $channel (keys %{ $answer->{channels} })
		{
			my $effect = $answer->{channels}{$channel}{removal_effect};
			push @wrong, "formula of $name for $channel" if Math::BigRat->new($effect->[0], $effect->[1]) != $by_formula->{$channel};
			$formulas++;
		}
	}
	is(join(', ', @wrong), '', "the reference agrees with itself ($conserved chains, $flows flows, $loops loops, $formulas effects by the formula)");
	ok($formulas > 20 && $flows > 60 && $loops > 5, 'on enough of each');
	return;
}

# Paths that go from a state to itself more often or not at all: the effects are the same.
sub same_without_loops
{
	my ($chain, $answer, $loops) = @_;
	my @moves = map { my %moves = %$_; \%moves } @{ $chain->{moves} };
	delete $moves[$_]{$_} and $$loops++ for 0 .. $#moves;
	my %bare = (%$chain, moves => \@moves);
	foreach my $channel (keys %{ $answer->{channels} })
	{
		my %others = map { $_ => 1 } grep { $_ ne $channel } keys %{ $answer->{channels} };
		my @with = chain_shares($chain, \%others);
		my @without = chain_shares(\%bare, \%others);
		return 0 if grep { !is_zero(add($with[$_], [ -$without[$_][0], $without[$_][1] ])) } 0, 1;
	}
	return 1;
}

# With N = (I - Q)^-1, x = N r and A = the states with c: RE_c = (s N)_A . N_AA^-1 . x_A / P.
sub effects_by_formula
{
	my $chain = shift;
	my $last = $#{ $chain->{states} };
	my ($paths, @out) = (0);
	$paths += $_ for @{ $chain->{start} };
	foreach my $i (0 .. $last)
	{
		$out[$i] = $chain->{conversions}[$i] + $chain->{nulls}[$i];
		$out[$i] += $_ for values %{ $chain->{moves}[$i] };
	}
	my @matrix;
	foreach my $i (0 .. $last)
	{
		$matrix[$i] = [ map { Math::BigRat->new(($i == $_ ? $out[$i] : 0) - ($chain->{moves}[$i]{$_} // 0), $out[$i]) } 0 .. $last ];
	}
	my $visits = inverse(\@matrix);
	my (@started, @reach);
	my $probability = Math::BigRat->new(0);
	foreach my $i (0 .. $last)
	{
		$started[$i] = Math::BigRat->new(0);
		$started[$i] += $visits->[$_][$i] * Math::BigRat->new($chain->{start}[$_], $paths) for 0 .. $last;
		$reach[$i] = Math::BigRat->new(0);
		$reach[$i] += $visits->[$i][$_] * Math::BigRat->new($chain->{conversions}[$_], $out[$_]) for 0 .. $last;
		$probability += $reach[$i] * Math::BigRat->new($chain->{start}[$i], $paths);
	}
	my %effect;
	foreach my $channel (map { @$_ } @{ $chain->{states} })
	{
		my @with = grep {
			my $i = $_;
			grep { $_ eq $channel } @{ $chain->{states}[$i] }
		} 0 .. $last;
		my $block = inverse([ map { my $i = $_; [ @{ $visits->[$i] }[@with] ] } @with ]);
		my $sum = Math::BigRat->new(0);
		foreach my $i (0 .. $#with)
		{
			$sum += $started[ $with[$i] ] * $block->[$i][$_] * $reach[ $with[$_] ] for 0 .. $#with;
		}
		$effect{$channel} = $sum / $probability;
	}
	return \%effect;
}

# Gauss and Jordan, in Math::BigRat.
sub inverse
{
	my $matrix = shift;
	my $last = $#$matrix;
	my @rows = map { my $i = $_; [ (map { $_->copy } @{ $matrix->[$i] }), map { Math::BigRat->new($i == $_ ? 1 : 0) } 0 .. $last ] } 0 .. $last;
	foreach my $k (0 .. $last)
	{
		my ($pivot) = grep { !$rows[$_][$k]->is_zero } $k .. $last;
		@rows[ $k, $pivot ] = @rows[ $pivot, $k ];
		my $divisor = $rows[$k][$k]->copy;
		$_ /= $divisor for @{ $rows[$k] };
		foreach my $i (grep { $_ != $k && !$rows[$_][$k]->is_zero } 0 .. $last)
		{
			my $factor = $rows[$i][$k]->copy;
			$rows[$i][$_] -= $factor * $rows[$k][$_] for grep { !$rows[$k][$_]->is_zero } 0 .. 2 * $last + 1;
		}
	}
	return [ map { [ @$_[ $last + 1 .. 2 * $last + 1 ] ] } @rows ];
}

# What can be found by hand.
sub test_hand
{
	my @rows = (
		{ path => [qw(A c B)], conversions => 1, non_conversions => 0, value => 1 },
		{ path => [qw(A B)], conversions => 0, non_conversions => 1 });
	foreach my $want ([ 1, '0.5' ], [ 2, '1' ])
	{
		my $effect = markov_attribution(\@rows, $want->[0])->{channels}{c}{removal_effect};
		ok(is_near($want->[1], $effect, '0e0'), "A>c>B converts and A>B does not: at order $want->[0] the effect of c is $want->[1]");
	}
	my $line = markov_attribution([ { path => [qw(A B)], conversions => 1, non_conversions => 3 }, { path => ['B'], conversions => 2, non_conversions => 0 } ], 1);
	# P = 3/6; without A: 2/6 of all start at B, half of whom convert
	ok(is_near('0.66666666666666666667', $line->{channels}{A}{removal_effect}, '1e-18'), 'A>B 1 of 4, B 2 of 2: the effect of A is 2/3');
	ok(is_near('1', $line->{channels}{B}{removal_effect}, '0e0'), 'and of B 1');
	return;
}

# The reference keeps the axioms, and by each path alone the simplified values are the same.
sub test_shapley
{
	my (@wrong, $games);
	foreach my $family (grep { $_ ne 'cycles' } families())
	{
		my $case = make_case($family, 1);
		my $rows = $case->{rows};
		my @channels = game_channels($rows);
		next if @channels > 5;
		my $simplified = shapley(\@channels, conversions_within($rows, 'conversions'));
		my $by_position = shapley_by_position($rows, 'conversions');
		foreach my $channel (@channels)
		{
			my ($by_path, $over_positions) = (rational(0), rational(0));
			foreach my $row (@$rows)
			{
				my %seen = map { $_ => 1 } channels_of($row->{path});
				$by_path = add($by_path, quotient(rational($row->{conversions}), rational(scalar keys %seen))) if $seen{$channel};
			}
			$over_positions = add($over_positions, $_) for values %{ $by_position->{$channel} // {} };
			push @wrong, "$family: $channel" if !equal($by_path, $simplified->{$channel}) || !equal($by_path, $over_positions);
		}
		foreach my $game (conversions_within($rows, 'value'), rate_of_exactly($rows, 'conversions'), converted_by_chain($rows, 1, 'conversions'))
		{
			my $values = shapley([ @channels, 'of no path' ], sub {
				my %set = %{ $_[0] };
				delete $set{'of no path'};
				return $game->(\%set);
			});
			my $sum = rational(0);
			$sum = add($sum, $_) for values %$values;
			push @wrong, "$family: the sum" if !equal($sum, $game->({ map { $_ => 1 } @channels }));
			push @wrong, "$family: a null player" if !is_zero($values->{'of no path'});
			$games++;
		}
	}
	is(join(', ', @wrong), '', "the reference agrees with itself and keeps the axioms in $games games");
	# one seller on the right side of the market, two on the left
	my $glove = shapley([qw(L1 L2 R)], sub { my $set = shift; return rational($set->{R} && ($set->{L1} || $set->{L2}) ? 1 : 0) });
	ok(equal($glove->{R}, quotient(rational(2), rational(3))) && equal($glove->{L1}, quotient(rational(1), rational(6))), 'the glove game');
	return;
}

sub equal
{
	my ($x, $y) = @_;
	return is_zero(add($x, [ -$y->[0], $y->[1] ]));
}
