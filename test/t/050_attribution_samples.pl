# What rests on random choices: binomial numbers against their distribution; with them,
# chain_order_scores beside a plain reading of its rules in Perl, folds included, and where
# the answer is known; the Poisson numbers behind attribution_intervals against their
# distribution, and its bounds where the spread is known; the same numbers for any order
# of rows, plan and merge tree. All seeds are fixed, so that nothing here fails by chance.
#
#	DATA_SETS=40 SEEDS=8000 SEED=1
use strict;
use warnings;
use File::Temp;
use FindBin;
use IPC::Open2;
use List::Util qw(min max sum0);
use Test::More;
use Time::HiRes qw(time);

my $data_sets = $ENV{DATA_SETS} || 40;
my $seeds = $ENV{SEEDS} || 8000;
my $last_failed;
my $database = 'attribution_samples_test';
$ENV{PGOPTIONS} = '-c client_min_messages=warning';
my $folder = File::Temp->newdir;
# after that name, which is random as well
srand($ENV{SEED} || 1);

# Between two replicates, the bounds at a conf_level of 0.5 lie a quarter from each end: both can be told.
my $both = 'LATERAL (VALUES (1.5 * conversions_lower - 0.5 * conversions_upper), (1.5 * conversions_upper - 0.5 * conversions_lower)) v (x)';

# of the normal distribution
my @quantiles = qw(-1.644853627 -1.281551566 -1.036433389 -0.841621234 -0.67448975 -0.524400513 -0.385320466 -0.253347103 -0.125661347 0
	0.125661347 0.253347103 0.385320466 0.524400513 0.67448975 0.841621234 1.036433389 1.281551566 1.644853627);

psql('postgres', "DROP DATABASE IF EXISTS $database");
psql('postgres', "CREATE DATABASE $database ENCODING 'UTF8' TEMPLATE template0");
END
{
	my $status = $?;
	psql('postgres', "DROP DATABASE IF EXISTS $database WITH (FORCE)");
	$? = $status;
}
my ($to_binomials, $from_binomials);
start_binomials();
test_binomials();
make_functions();
test_scores();
test_known_order();
test_many_alike();
test_poisson();
test_independence();
test_spread();
test_any_order();
test_large();
done_testing();

# random_draw.c by itself, behind a program that answers a line of key, trials and chance
# with a number. The generator, xoroshiro128** that splitmix64 seeds, is written down once more.
sub start_binomials
{
	my $source = "$FindBin::Bin/../../src";
	write_file("$folder/main.c", <<'END');
#include "postgres.h"
#include <inttypes.h>
#include <math.h>
#include "base/random_draw.h"

#undef printf

static uint64
turned(uint64 x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static uint64
mixed(uint64 *seed)
{
	uint64		x = *seed += UINT64CONST(0x9E3779B97F4A7C15);

	x = (x ^ x >> 30) * UINT64CONST(0xBF58476D1CE4E5B9);
	x = (x ^ x >> 27) * UINT64CONST(0x94D049BB133111EB);
	return x ^ x >> 31;
}

double
pg_prng_double(pg_prng_state *random)
{
	uint64		s0 = random->s0;
	uint64		sx = random->s1 ^ s0;

	random->s0 = turned(s0, 24) ^ sx ^ sx << 16;
	random->s1 = turned(sx, 37);
	return ldexp((double) (turned(s0 * 5, 7) * 9 >> 12), -52);
}

int
main(int argc, char **argv)
{
	uint64		key;
	long long	trials;
	int			one_in;
	long		draws;

	while (scanf("%" SCNu64 " %lld %d %ld", &key, &trials, &one_in, &draws) == 4)
	{
		pg_prng_state random;

		random.s0 = mixed(&key);
		random.s1 = mixed(&key);
		while (draws-- > 0)
			printf("%lld%c", (long long) draw_binomial(&random, trials, 1.0 / one_in), draws > 0 ? ' ' : '\n');
		fflush(stdout);
	}
	return 0;
}
END
	# what an assertion calls, by its name alone: its arguments are not those of every version
	write_file("$folder/assertion.c", "#include <stdlib.h>\nvoid ExceptionalCondition(void) { abort(); }\n");
	delete local $ENV{LD_PRELOAD};
	my $pg_config = $ENV{PG_CONFIG} || 'pg_config';
	chomp(my $include = `$pg_config --includedir-server`);
	is(system(split(' ', $ENV{CC} || 'gcc'), '-std=gnu11', '-O2', '-ffp-contract=off', '-fwrapv', "-I$source", "-I$include",
			'-o', "$folder/main", "$folder/main.c", "$folder/assertion.c", "$source/base/random_draw.c", '-lm'), 0, 'random_draw.c stands alone') or BAIL_OUT('no compiler');
	open2($from_binomials, $to_binomials, "$folder/main");
	return;
}

# Draws from a generator that starts from a key.
sub binomials
{
	my ($key, $trials, $one_in, $draws) = @_;
	print {$to_binomials} "$key $trials $one_in $draws\n";
	$to_binomials->flush;
	return split ' ', readline $from_binomials;
}

sub write_file
{
	my ($path, $text) = @_;
	open my $file, '>', $path or die "$path: $!\n";
	print {$file} $text;
	close $file or die "$path: $!\n";
	return;
}

# Few and many trials, around the mean of 10 where one way of drawing gives way to the other.
sub test_binomials
{
	my $draws = 10 * $seeds;
	my @trials = ([ 1, 2 ], [ 1, 7 ], [ 2, 3 ], [ 5, 2 ], [ 12, 1000 ], [ 19, 2 ], [ 20, 2 ], [ 21, 2 ], [ 29, 3 ], [ 30, 3 ], [ 49, 5 ], [ 50, 5 ], [ 51, 5 ], [ 300, 4 ], [ 9999, 1000 ], [ 10000, 1000 ],
		[ 5000, 2 ], [ 100000, 3 ]);
	my @faults;
	for (@trials)
	{
		my ($trials, $one_in) = @$_;
		my %counts;
		$counts{$_}++ for binomials(17, $trials, $one_in, $draws);
		my $fault = fit_of(\%counts, $draws, $trials / $one_in, $trials / $one_in * (1 - 1 / $one_in), sub { log_binomial(shift, $trials, 1 / $one_in) }, $trials);
		push @faults, "$trials trials, one in $one_in: $fault" if $fault;
	}
	is(join("\n", @faults), '', @trials . ' binomial distributions');

	@faults = ();
	for my $trials (1e8, 1e12, 2**53, 1e17, 2**62)
	{
		for my $one_in (2, 3, 1000)
		{
			my $deviation = sqrt($trials / $one_in * (1 - 1 / $one_in));
			my $fault = normal_fit(map { ($_ - $trials / $one_in) / $deviation } binomials(23, sprintf('%.0f', $trials), $one_in, $draws));
			push @faults, "$trials trials, one in $one_in: $fault" if $fault;
		}
	}
	is(join("\n", @faults), '', 'with many trials, the normal distribution');
	is(join(' ', binomials(5, 0, 2, 3)), '0 0 0', 'no trials');
	return;
}

# -inf beyond the ends.
sub log_binomial
{
	my ($k, $trials, $chance) = @_;
	our @log_factorials;
	push @log_factorials, @log_factorials ? $log_factorials[-1] + log @log_factorials : 0 while @log_factorials <= $trials;
	return -9**9**9 if $k > $trials;
	return $log_factorials[$trials] - $log_factorials[$k] - $log_factorials[ $trials - $k ] + $k * log($chance) + ($trials - $k) * log(1 - $chance);
}

# The key of a path, from which all random choices start.
sub make_functions
{
	set_up(q{CREATE EXTENSION engagement;
		-- eight bytes as this machine has them in memory
		CREATE FUNCTION bytes_of(n bigint) RETURNS text LANGUAGE SQL IMMUTABLE AS
			$$SELECT string_agg(lpad(to_hex(get_byte(int8send(n), 7 - i)), 2, '0'), '' ORDER BY i) FROM generate_series(0, 7) i$$;
		CREATE FUNCTION key_with(key bigint, more bigint) RETURNS bigint LANGUAGE SQL IMMUTABLE AS
			$$SELECT uuid_hash_extended((bytes_of(key) || bytes_of(more))::uuid, 0)$$;
		CREATE FUNCTION path_key(path text[], seed bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
		DECLARE
			key bigint := 0;
			name text;
		BEGIN
			FOREACH name IN ARRAY path LOOP
				key := key_with(key, hashtextextended(name COLLATE "C", 0));
			END LOOP;
			RETURN key_with(key, seed);
		END$$;
		CREATE TABLE journey (data_set int, path text[], conversions bigint, non_conversions bigint)});
	return;
}

# Small random sets of paths, with repeats, paths that nobody took, and folds without journeys.
sub test_scores
{
	my @rows;
	for my $set (1 .. $data_sets)
	{
		my $channels = 1 + int rand 4;
		my $most = pick(2, 5, 30, 4000);
		my %seen;
		for (1 .. 1 + int rand 25)
		{
			my $path = join ',', map { pick(('a' .. 'd')[ 0 .. $channels - 1 ]) } 1 .. 1 + int rand pick(2, 4, 8);
			next if $seen{$path}++;
			push @rows, sprintf("(%d, '{%s}', %d, %d)", $set, $path, max(0, int(rand($most + 2)) - 2), max(0, int(rand($most + 2)) - 2));
		}
		push @rows, "($set, '{}', 7, 3)" if $set % 3 == 0;
	}
	set_up('INSERT INTO journey VALUES ' . join ', ', @rows);

	my ($wrong, $compared, %bests, @far) = (0, 0);
	for my $set (1 .. $data_sets)
	{
		my ($max_order, $folds, $seed) = (1 + int rand 4, 2 + int rand 7, int rand 1000);
		my @paths = map { path_of_row($_) } split /\n/, sql("SELECT array_to_string(path, ','), conversions, non_conversions,
			(SELECT string_agg(key_with(key_with(path_key(path, $seed), outcome), fold)::text, ' ' ORDER BY outcome, fold)
				FROM generate_series(0, 1) outcome, generate_series(0, $folds - 2) fold) FROM journey WHERE data_set = $set AND path <> '{}'");
		my @expected = scores(\@paths, $max_order, $folds);
		my @got = map { [ split /\|/, $_, -1 ] } split /\n/, sql("SELECT (chain_order_scores(conversion_paths(path, conversions, 0, non_conversions), $max_order, $folds, $seed)).*
			FROM journey WHERE data_set = $set");
		is(scalar @got, scalar @expected, "set $set: as many orders") if @got != @expected;
		for my $i (0 .. $#expected)
		{
			for my $column (0 .. 6)
			{
				$compared++;
				my ($is, $should) = ($got[$i][$column], $expected[$i][$column]);
				next if $is eq $should || $is ne '' && $should ne '' && $column < 5 && abs($is - $should) < 1e-10 * max(1, abs $should);
				push @far, "set $set, order " . ($i + 1) . ", column $column of ($max_order, $folds, $seed): $is, not $should";
			}
			$bests{ $i + 1 }++ if $expected[$i][6] eq 't';
		}
	}
	is(join("\n", @far[ 0 .. min(4, $#far) ]), '', "$compared scores of $data_sets sets of paths are those of the definition");
	cmp_ok(scalar(keys %bests), '>', 1, 'not one order is the best of all');
	return;
}

sub path_of_row
{
	my ($path, $conversions, $non_conversions, $keys) = split /\|/, shift;
	my @keys = map { unpack 'Q', pack 'q', $_ } split ' ', $keys;
	my $folds = 1 + @keys / 2;
	my @dealt = (deal($conversions, @keys[ 0 .. $folds - 2 ]), deal($non_conversions, @keys[ $folds - 1 .. $#keys ]));
	return { touches => [ split /,/, $path ], journeys => [ $conversions, $non_conversions ], dealt => \@dealt };
}

# Journeys by fold: each has as good a chance to be in one as in any other. There is a key for each fold but the last.
sub deal
{
	my ($left, @keys) = @_;
	my @dealt;
	while (my $key = shift @keys)
	{
		push @dealt, binomials($key, $left, 2 + @keys, 1);
		$left -= $dealt[-1];
	}
	return [ @dealt, $left ];
}

# Rows of chain_order_scores, by its definition.
sub scores
{
	my ($paths, $max_order, $folds) = @_;
	# rows without journeys are as good as none
	my %channels = map { $_ => 1 } map { @{ $_->{touches} } } grep { sum0(@{ $_->{journeys} }) > 0 } @$paths;
	my $n = sum0(map { @{ $_->{journeys} } } @$paths);
	return if $n == 0;
	my @sums = map { { loss => 0, square => 0, concordant => 0, pairs => 0, states => {} } } 0 .. $max_order;
	for my $fold (0 .. $folds - 1)
	{
		my (@in, @out);
		for my $path (@$paths)
		{
			my @held = map { $path->{dealt}[$_][$fold] } 0, 1;
			push @out, [ $path->{touches}, \@held ];
			push @in, [ $path->{touches}, [ map { $path->{journeys}[$_] - $held[$_] } 0, 1 ] ];
		}
		my $counts = count_steps(\@in, $max_order);
		for my $order (1 .. $max_order)
		{
			my $sum = $sums[$order];
			my @predicted;
			for my $held (@out)
			{
				my ($touches, $journeys) = @$held;
				my $loss = 0;
				$loss -= log(probability($counts, $order, [ @$touches[ 0 .. $_ - 1 ] ], $touches->[$_], 2 + keys %channels)) for 0 .. $#$touches;
				my @end = map { probability($counts, $order, $touches, ">$_", 2 + keys %channels) } 0, 1;
				$sum->{loss} += $journeys->[$_] * ($loss - log $end[$_]) for 0, 1;
				$sum->{square} += $journeys->[$_] * ($loss - log $end[$_])**2 for 0, 1;
				push @predicted, [ $end[0] / ($end[0] + $end[1]), @$journeys ];
			}
			for my $one (@predicted)
			{
				for my $other (@predicted)
				{
					# the same to the last digits is the same
					my $difference = abs($one->[0] - $other->[0]) < 1e-13 ? 0 : $one->[0] <=> $other->[0];
					$sum->{concordant} += $one->[1] * $other->[2] * (1 + $difference) / 2;
					$sum->{pairs} += $one->[1] * $other->[2];
				}
			}
		}
	}
	my @rows;
	my $best = 1;
	for my $order (1 .. $max_order)
	{
		my $sum = $sums[$order];
		for my $path (grep { $_->{journeys}[0] + $_->{journeys}[1] > 0 } @$paths)
		{
			my @touches = @{ $path->{touches} };
			$sum->{states}{ join ',', @touches[ max(0, $_ - $order + 1) .. $_ ] } = 1 for min($order, scalar @touches) - 1 .. $#touches;
		}
		my $states = keys %{ $sum->{states} };
		my $loss = $sum->{loss} / $n;
		my $auc = $sum->{pairs} > 0 ? $sum->{concordant} / $sum->{pairs} : '';
		$best = $order if $loss < $sums[$best]{loss} / $n - 1e-14;
		push @rows, [ $order, $loss, $n > 1 ? sqrt(max(0, $sum->{square} / $n - $loss**2) / ($n - 1)) : '', $auc,
			$auc ne '' && $n > $states + 1 ? 1 - (1 - $auc) * ($n - 1) / ($n - $states - 1) : '', $states ];
	}
	$rows[ $_ - 1 ][6] = $_ == $best ? 't' : 'f' for 1 .. $max_order;
	return @rows;
}

# How often what followed which context, at each order.
sub count_steps
{
	my ($paths, $max_order) = @_;
	my @counts;
	for my $path (@$paths)
	{
		my ($touches, $journeys) = @$path;
		for my $order (0 .. $max_order)
		{
			for my $i (0 .. @$touches)
			{
				my $context = context($order, [ @$touches[ 0 .. $i - 1 ] ]);
				my %next = $i < @$touches ? ($touches->[$i] => $journeys->[0] + $journeys->[1]) : ('>0' => $journeys->[0], '>1' => $journeys->[1]);
				for (keys %next)
				{
					$counts[$order]{$context}{next}{$_} += $next{$_};
					$counts[$order]{$context}{all} += $next{$_};
				}
			}
		}
	}
	return \@counts;
}

# The last touches; with fewer than that, also that there were no others.
sub context
{
	my ($order, $history) = @_;
	return join ',', '^', @$history if @$history < $order;
	return join ',', @$history[ @$history - $order .. $#$history ];
}

sub probability
{
	my ($counts, $order, $history, $next, $possible) = @_;
	return 1 / $possible if $order < 0;
	my $shorter = probability($counts, $order - 1, $history, $next, $possible);
	my $here = $counts->[$order]{ context($order, $history) };
	my $all = $here->{all} // 0;
	return $shorter if $order > 0 && $all == ($counts->[ $order - 1 ]{ context($order - 1, $history) }{all} // 0);
	return (($here->{next}{$next} // 0) + $shorter) / ($all + 1);
}

# Journeys drawn from chains of a known order, with few journeys and many.
sub test_known_order
{
	for my $order (1 .. 3)
	{
		my %probabilities;
		my %journeys;
		for (1 .. 6000)
		{
			my @path;
			while (1)
			{
				my $next = step($probabilities{ join ',', @path[ max(0, @path - $order) .. $#path ] } //= [ map { -log(1 - rand) } 1 .. 5 ], @path == 0);
				if ($next >= 3 || @path == 40)
				{
					$journeys{ join ',', @path }[ $next == 4 ]++;
					last;
				}
				push @path, qw(a b c)[$next];
			}
		}
		set_up("CREATE TABLE chain_$order AS SELECT * FROM (VALUES " . join(', ', map { sprintf("('{%s}'::text[], %d, %d)", $_, $journeys{$_}[0] // 0, $journeys{$_}[1] // 0) } sort keys %journeys)
				. ') v (path, conversions, non_conversions)');
		# the lowest order within one standard error of the best
		is(sql("WITH score AS (SELECT s.* FROM chain_order_scores((SELECT conversion_paths(path, conversions, 0, non_conversions) FROM chain_$order)) s)
			SELECT min(chain_order) FROM score WHERE log_loss <= (SELECT log_loss + log_loss_std_error FROM score WHERE is_best)"),
			$order, "6,000 journeys of a chain of order $order");
	}
	return;
}

# Few channels and many journeys, thousands of which go the same path: each counts by itself, or the highest order seems best
# whatever the truth, and coins are foretold.
sub test_many_alike
{
	my $sets = 6;
	set_up('CREATE TABLE simulated (kind text, data_set int, path text[], conversions bigint, non_conversions bigint)');
	for my $set (1 .. $sets)
	{
		simulate('order 1', $set, 40000, sub { (0.5, 0.3, 0.2)[ $_[-1] ] }, sub { 0.1 + 0.1 * $_[-1] });
		simulate('order 2', $set, 40000, sub { @_ > 1 && $_[-1] == $_[-2] ? 0.2 : 0.6 }, sub { 0.1 + 0.1 * $_[-1] });
		simulate("coins $_", $set, 4000, sub { 0.5 }, sub { 0.2 }) for 1 .. 4;
	}
	for my $order (1, 2)
	{
		is(sql("SELECT string_agg(s.chain_order::text, ' ') FROM (SELECT data_set, conversion_paths(path, conversions, 0, non_conversions) AS p FROM simulated WHERE kind = 'order $order' GROUP BY 1) d,
			chain_order_scores(p, seed => data_set) s WHERE is_best"), join(' ', ($order) x $sets), "40,000 journeys of three channels, of order $order");
	}
	is(sql("SELECT string_agg(chain_order || ': ' || mean || ' +- ' || error, ', ') FROM (SELECT s.chain_order, avg(auc) AS mean, stddev(auc) / sqrt(count(*)) AS error
		FROM (SELECT kind, data_set, conversion_paths(path, conversions, 0, non_conversions) AS p FROM simulated WHERE kind LIKE 'coins%' GROUP BY 1, 2) d,
		chain_order_scores(p, seed => hashtext(kind) + data_set) s GROUP BY 1) s WHERE abs(mean - 0.5) > 3 * error OR error > 0.01"), '', 'AUC of coins is that of chance');
	return;
}

# Journeys of the channels 0, 1, 2: the chance to stay with the channel, and that to convert in the end, by the journey so far.
sub simulate
{
	my ($kind, $set, $journeys, $stays, $converts) = @_;
	my %counts;
	for (1 .. $journeys)
	{
		my @path = (int rand 3);
		push @path, rand() < $stays->(@path) ? $path[-1] : ($path[-1] + 1 + int rand 2) % 3 while rand() < 0.65;
		$counts{ join ',', @path }[ rand() < $converts->(@path) ? 0 : 1 ]++;
	}
	my @rows = map { sprintf "('%s', %d, '{%s}', %d, %d)", $kind, $set, $_, map { $_ // 0 } @{ $counts{$_} }[ 0, 1 ] } sort keys %counts;
	while (@rows)
	{
		set_up('INSERT INTO simulated VALUES ' . join ', ', splice @rows, 0, 1000);
	}
	return;
}

# One of five by their weights; an end, of which there are two, not at the start.
sub step
{
	my ($weights, $is_start) = @_;
	my @weights = @$weights;
	@weights[ 3, 4 ] = (0, 0) if $is_start;
	my $at = rand sum0(@weights);
	for (0 .. 4)
	{
		$at -= $weights[$_];
		return $_ if $at < 0;
	}
	return 2;
}

sub test_poisson
{
	for my $mean (1, 2, 5, 9, 10, 11, 30, 200)
	{
		is(poisson_fit(histogram("conversion_paths('{a}', $mean, 0, 3)", "channel = 'a'"), $mean), '', "numbers with mean $mean are Poisson numbers");
	}
	# the sum of what is drawn for different paths; and of a path without channels
	is(poisson_fit(histogram("(SELECT conversion_paths(ARRAY[i::text, 'z'], 1, 0, 1) FROM generate_series(1, 12) i)", "channel = 'z'"), 12), '', 'so are sums over paths');
	is(poisson_fit(histogram("conversion_paths(NULL, 4, 0, 0)", "channel = '(unattributed)'"), 4), '', 'and unattributed conversions');

	# far away from 0, the normal distribution
	for my $mean (1e7, 1e10, 1e15, 4e18)
	{
		my $list = join ',', @quantiles;
		my %counts = map { split /\|/ } split /\n/, sql(sprintf "SELECT width_bucket((x - %.0f) / sqrt(%.0f), ARRAY[%s]::float8[]), count(*)
			FROM generate_series(1, %d) seed, (SELECT conversion_paths('{a}', %.0f, 0, 0) AS p) p, attribution_intervals(p, 'last_touch', replicates => 2, conf_level => 0.5, seed => seed), $both GROUP BY 1",
			$mean, $mean, $list, $seeds, $mean);
		my $expected = 2 * $seeds / 20;
		my $square = sum0(map { (($counts{$_} // 0) - $expected)**2 / $expected } 0 .. 19);
		cmp_ok($square, '<', 19 + 4 * sqrt(38), "mean $mean: chi-square " . sprintf('%.1f', $square) . ' of 19 degrees');
	}
	return;
}

sub histogram
{
	my ($paths, $condition) = @_;
	my %counts = map { split /\|/ } split /\n/, sql("SELECT round(x), count(*) FROM (SELECT $paths AS p) p, generate_series(1, $seeds) seed,
		attribution_intervals(p, 'participation', replicates => 2, conf_level => 0.5, seed => seed), $both WHERE $condition GROUP BY 1");
	return \%counts;
}

sub poisson_fit
{
	my ($counts, $mean) = @_;
	my @logs = (-$mean);
	return fit_of($counts, 2 * $seeds, $mean, $mean, sub { my $k = shift; $logs[$_] //= $logs[ $_ - 1 ] + log($mean / $_) for @logs .. $k; $logs[$k] }, 9**9**9);
}

# What is wrong with so many numbers of a distribution, whose logarithm of the probability and end are given: mean,
# variance, chi-square, the far tail; '' if nothing is.
sub fit_of
{
	my ($counts, $count, $mean, $spread, $log_probability, $end) = @_;
	my $n = sum0(values %$counts);
	return "$n numbers" if $n != $count;
	my $average = sum0(map { $_ * $counts->{$_} } keys %$counts) / $n;
	my $variance = sum0(map { ($_ - $mean)**2 * $counts->{$_} } keys %$counts) / $n;
	my @faults;
	push @faults, "mean $average" if abs($average - $mean) > 4 * sqrt($spread / $n);
	# the fourth moment of both distributions is at most this
	push @faults, "variance $variance" if abs($variance - $spread) > 4 * sqrt((2 * $spread**2 + $spread) / $n);
	my ($square, $degrees, $probability, $seen, $expected) = (0, -1, 0, 0, 0);
	for (my $k = 0; $k < 20 * $mean + 100; $k++)
	{
		my $here = exp $log_probability->($k);
		$expected += $n * $here;
		$seen += $counts->{$k} // 0;
		$probability += $here;
		# classes of 20 or more; what is beyond is one class
		my $is_last = $n * (1 - $probability) < 20;
		next if $expected < 20 && !$is_last;
		if ($is_last)
		{
			$expected += max(0, $n * (1 - $probability));
			$seen += $counts->{$_} for grep { $_ > $k } keys %$counts;
		}
		$square += ($seen - $expected)**2 / $expected;
		$degrees++;
		($seen, $expected) = (0, 0);
		last if $is_last;
	}
	push @faults, "chi-square $square of $degrees degrees" if $square > $degrees + 4 * sqrt(2 * $degrees);
	my ($least, $most) = (min(keys %$counts), max(keys %$counts));
	push @faults, "from $least to $most" if $least < 0 || $most > min($end, $mean + 7 * sqrt($spread) + 7);
	return join ', ', @faults;
}

# What is wrong with numbers that should be of the standard normal distribution: chi-square of twenty classes as likely.
sub normal_fit
{
	my @classes = (0) x 20;
	for my $x (@_)
	{
		my $class = 0;
		$class++ while $class < 19 && $x >= $quantiles[$class];
		$classes[$class]++;
	}
	my $expected = @_ / 20;
	my $square = sum0(map { ($_ - $expected)**2 / $expected } @classes);
	return $square < 19 + 4 * sqrt(38) ? '' : "chi-square $square of 19 degrees";
}

# Replicates, conversions and non-conversions, and seeds know nothing of each other.
sub test_independence
{
	# two replicates differ by a variance of 2 * 50
	my $squares = sql("SELECT avg((2 * (conversions_upper - conversions_lower))^2) FROM (SELECT conversion_paths('{a}', 50, 0, 0) AS p) p, generate_series(1, $seeds) seed,
		attribution_intervals(p, 'linear', replicates => 2, conf_level => 0.5, seed => seed)");
	cmp_ok(abs($squares / 100 - 1), '<', 4 * sqrt(2 / $seeds), "two replicates: mean square difference $squares, not far from 100");
	# a rate c / (c + n) of 400 and 1200 varies by r (1 - r) / 1600
	$squares = sql("SELECT avg((2 * (effect_upper - effect_lower))^2) / 2 FROM (SELECT conversion_paths('{a}', 400, 0, 1200) AS p) p, generate_series(1, $seeds) seed,
		attribution_intervals(p, 'shapley_observed', replicates => 2, conf_level => 0.5, seed => seed)");
	my $known = 0.25 * 0.75 / 1600;
	cmp_ok(abs($squares / $known - 1), '<', 4 * sqrt(2 / $seeds) + 0.005, "a rate: variance $squares, not far from $known");
	# neighbouring seeds
	my $correlation = sql("SELECT corr(m, next) FROM (SELECT m, lead(m) OVER (ORDER BY seed) AS next FROM (SELECT seed, conversions_lower + conversions_upper AS m
		FROM (SELECT conversion_paths('{a}', 20, 0, 0) AS p) p, generate_series(1, $seeds) seed, attribution_intervals(p, 'linear', replicates => 2, conf_level => 0.5, seed => seed)) s) s");
	cmp_ok(abs $correlation, '<', 4 / sqrt($seeds), "neighbouring seeds: correlation $correlation");
	return;
}

# A share of last touches is multinomial; bounds of many replicates are quantiles of it.
sub test_spread
{
	my $known = sqrt(0.3 * 0.7 / 1000);
	my ($estimate, $lower, $upper, $width) = split /\|/, sql("SELECT share, share_lower, share_upper, (share_upper - share_lower) / 2 FROM attribution_intervals(
		(SELECT conversion_paths(path, c, 0, 5) FROM (VALUES ('{x,a}'::text[], 100), ('{a}', 200), ('{a,b}', 650), ('{b,b}', 50)) v (path, c)),
		'last_touch', replicates => 20000, conf_level => 0.6826894921370859) WHERE channel = 'a'");
	cmp_ok(abs($width / $known - 1), '<', 0.03, "half the width of 68.27 %, $width, is the standard deviation, $known");
	cmp_ok(abs($lower + $known - 0.3), '<', 0.05 * $known, 'and the lower bound that far from the share');
	# of the conversions, it is Poisson: 300
	($estimate, $lower, $upper) = split /\|/, sql("SELECT conversions, conversions_lower, conversions_upper FROM attribution_intervals(
		(SELECT conversion_paths(path, c, 0, 5) FROM (VALUES ('{x,a}'::text[], 100), ('{a}', 200), ('{a,b}', 650), ('{b,b}', 50)) v (path, c)),
		'last_touch', replicates => 20000) WHERE channel = 'a'");
	cmp_ok(abs($lower - 266.5), '<', 1.6, "2.5 % of Poisson(300) below $lower");
	cmp_ok(abs($upper - 334.5), '<', 1.6, "and above $upper");
	# value follows conversions: four paths of 10 each, of which one brings it all
	is(sql("SELECT bool_and(abs(value_lower - 2.5 * conversions_lower) < 1e-9 AND abs(value_upper - 2.5 * conversions_upper) < 1e-9), count(*)
		FROM attribution_intervals((SELECT conversion_paths('{a}', 40, 100, 40)), 'linear')"), 't|1', 'value follows conversions');
	# the bounds are those of percentile_cont over the replicates, which are the same one by one
	is(sql("WITH p AS (SELECT conversion_paths(path, c, c, n) AS p FROM (VALUES ('{a,b}'::text[], 30, 90), ('{b,a}', 20, 10), ('{a}', 3, 40)) v (path, c, n)),
		two AS (SELECT * FROM p, attribution_intervals(p, replicates => 2, conf_level => 0.5)),
		-- the third replicate is the one that the first two do not explain
		three AS (SELECT * FROM p, attribution_intervals(p, replicates => 3, conf_level => 1e-300))
		SELECT bool_and(three.share_lower BETWEEN least(0, 1.5 * two.share_lower - 0.5 * two.share_upper) AND greatest(1, 1.5 * two.share_upper - 0.5 * two.share_lower)
			AND three.share_lower = three.share_upper), count(*) FROM two JOIN three USING (channel)"), 't|2', 'a conf_level of next to nothing: the median');
	return;
}

# Rows, workers and merge trees in any order give the same digits.
sub test_any_order
{
	set_up("SELECT setseed(0.7);
		CREATE TABLE touched AS SELECT ARRAY(SELECT 'channel ' || floor(random() * random() * 9) FROM generate_series(1, 1 + i % 6)) AS path,
			floor(random() * 3)::bigint AS c, floor(random() * 40)::bigint AS n, round((random() * 100)::numeric, 2)::float8 AS v, i % 13 AS piece FROM generate_series(1, 6000) i;
		UPDATE touched SET v = 0 WHERE c = 0;
		INSERT INTO touched VALUES (NULL, 7, 3, 1.5, 0), ('{}', 2, 1, 0.1, 1);
		CREATE TABLE shuffled AS SELECT * FROM touched ORDER BY random();
		ANALYZE touched, shuffled;
		CREATE FUNCTION digest(p conversion_paths) RETURNS text LANGUAGE SQL PARALLEL SAFE AS \$\$SELECT md5(string_agg(x, ';' ORDER BY x)) FROM (
			SELECT s::text FROM chain_order_scores(p, seed => 5) s
			UNION ALL SELECT model || a::text FROM unnest('{markov,linear,last_non_direct,shapley,shapley_observed}'::text[]) r (model), attribution_intervals(p, model, replicates => 6) a
			UNION ALL SELECT a::text FROM attribution_intervals(p, 'markov', 2, replicates => 3) a) s (x)\$\$");
	my $reference = sql('SET max_parallel_workers_per_gather = 0; SELECT digest(conversion_paths(path, c, v, n)) FROM (SELECT * FROM touched ORDER BY path, c, n, v) s');
	like($reference, qr/^[0-9a-f]{32}\z/, 'there is something to compare');
	my $parallel = 'SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 3; SET parallel_leader_participation = off';
	like(sql("$parallel; EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) SELECT conversion_paths(path, c, v, n) FROM shuffled"), qr/Workers Launched: [1-9].*Partial Aggregate/s, 'workers share the rows');
	my %same = (
		'rows in random order' => 'conversion_paths(path, c, v, n)) FROM shuffled',
		'rows in reverse order' => 'conversion_paths(path, c, v, n)) FROM (SELECT * FROM touched ORDER BY path DESC, c DESC) s',
		'workers' => ['conversion_paths(path, c, v, n)) FROM shuffled'],
		'pieces' => 'rollup(p)) FROM (SELECT conversion_paths(path, c, v, n) AS p FROM shuffled GROUP BY piece) s',
		'pieces of pieces' => 'rollup(p)) FROM (SELECT rollup(p) AS p FROM (SELECT piece, conversion_paths(path, c, v, n) AS p FROM shuffled GROUP BY piece, c) s GROUP BY piece % 4) s',
		'through text' => 'conversion_paths(path, c, v, n)::text::conversion_paths) FROM shuffled',
		'journeys one by one' => "rollup(p)) FROM (SELECT conversion_paths(path, c, v, 0) AS p FROM shuffled UNION ALL SELECT conversion_paths(path, 0, 0, 1) FROM shuffled, generate_series(1, n)) s");
	for my $name (sort keys %same)
	{
		my $query = $same{$name};
		is(sql(ref $query ? "$parallel; SELECT digest($query->[0]" : "SELECT digest($query"), $reference, $name);
	}
	isnt(sql('SELECT digest(conversion_paths(path, c, v, n + (n = 17)::int)) FROM touched'), $reference, 'other counts are not the same');
	return;
}

sub test_large
{
	set_up("SELECT setseed(0.2);
		CREATE TABLE large AS SELECT conversion_paths(ARRAY(SELECT (random() * random() * 20)::int::text FROM generate_series(1, 1 + i % 11)), i % 3, 1, (i + 1) % 2) AS p FROM generate_series(1, 150000) i");
	my $started = time;
	is(sql('SELECT count(*) FROM large, chain_order_scores(p)'), '4', 'scores of 100,000 distinct paths');
	cmp_ok(time - $started, '<', 8, 'in seconds');
	$started = time;
	is(sql('SELECT count(*) > 20 FROM large, attribution_intervals(p, replicates => 20)'), 't', 'intervals of them');
	cmp_ok(time - $started, '<', 8, 'in seconds');
	# a call that would not end stops when it is told
	for my $call ('attribution_intervals(p, replicates => 100000)', 'chain_order_scores(p, folds => 1000)')
	{
		$started = time;
		like(sql("SET statement_timeout = '1 s'; SELECT count(*) FROM large, $call"), qr/statement timeout/, "$call is stopped");
		cmp_ok(time - $started, '<', 3, 'soon');
	}
	return;
}

sub pick
{
	return $_[ int rand @_ ];
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

# The last result, or the error.
sub psql
{
	my ($db, $sql) = @_;
	my $pid = open my $out, '-|';
	die "fork: $!\n" if !defined $pid;
	if ($pid == 0)
	{
		open STDERR, '>&', \*STDOUT or die "$!\n";
		exec 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $db, '-c', "SET timezone = 'UTC'", '-c', $sql or die "psql: $!\n";
	}
	my $text = do { local $/ = undef; <$out> };
	$last_failed = !close $out;
	chomp $text if defined $text;
	return $text // '';
}
