#!/usr/bin/perl
# Writes attribution.txt: chains of dozens of states, too many to solve exactly within a
# test, and their removal effects, exact but for the 25 digits they are rounded to.
#
#	perl test/reference/attribution.pl > test/reference/attribution.txt
#
# A chain is "order K", then a line "conversions non_conversions value channel ..." for each
# path, then "= channel removal_effect value_removal_effect" for each channel.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Attribution qw(markov_attribution chain_of);
use AttributionCases qw(whole pick chance);

srand 20;
my @letters = ('A' .. 'Z');
print "# Made by attribution.pl\n";

# order, channels, paths, longest path, largest count
foreach my $shape (
	[ 1, 26, 120, 8, 1e3 ],
	[ 1, 26, 60, 8, 4e9 ],
	[ 1, 20, 25, 40, 1e6 ],
	[ 2, 10, 120, 7, 1e2 ],
	[ 2, 10, 90, 7, 4e9 ],
	[ 2, 7, 12, 100, 1e9 ],
	[ 3, 5, 80, 7, 1e2 ],
	[ 3, 5, 60, 8, 4e9 ],
	[ 3, 4, 8, 200, 1e4 ],
	[ 4, 3, 60, 9, 1e2 ],
	[ 4, 3, 60, 9, 4e9 ],
	[ 4, 2, 9, 500, 1e4 ])
{
	my ($order, $channels, $paths, $longest, $most) = @$shape;
	my @rows = map { random_row($channels, $longest, $most) } 1 .. $paths;
	my $answer = markov_attribution(\@rows, $order);
	print "order $order\n";
	printf "%d %d %s %s\n", $_->{conversions}, $_->{non_conversions}, $_->{value} // '-', join ' ', @{ $_->{path} } for @rows;
	foreach my $name (sort keys %{ $answer->{channels} })
	{
		my $channel = $answer->{channels}{$name};
		print join(' ', '=', $name, map { digits($_) } @$channel{qw(removal_effect value_removal_effect)}), "\n";
	}
	warn sprintf "order %d: %d states\n", $order, scalar @{ chain_of(\@rows, $order)->{states} };
}

# Counts of all sizes up to the largest, half of them small.
sub random_row
{
	my ($channels, $longest, $most) = @_;
	my @counts = map { chance(0.5) ? whole(0, 2) : int exp(rand log $most) } 1 .. 2;
	return {
		path => [ map { $letters[ int(rand() * rand() * $channels) ] } 1 .. whole(1, $longest) ],
		conversions => $counts[0],
		non_conversions => $counts[1],
		value => $counts[0] > 0 ? pick(undef, whole(1, 1e6) / 8) : undef };
}

# 25 significant digits of a rational from 0 to 1.
sub digits
{
	my $number = shift;
	return 'NULL' if !defined $number;
	return '0' if $number->[0]->is_zero;
	my $power = 24 + length($number->[1]) - length($number->[0]);
	my $ten = Math::BigInt->new(10)->bpow($power);
	return (2 * $number->[0] * $ten + $number->[1]) / (2 * $number->[1]) . "e-$power";
}
