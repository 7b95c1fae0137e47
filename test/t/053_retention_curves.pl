# sBG, the value of a purchase and BG/BB: SQL against 30-digit values
# (test/reference/retention_curves.txt, made by buyers_bgbb.py --curves); and without a server the
# formulas below, which are plain C: that probabilities add up, what follows from what, and
# that no parameters and no customer give NaN or something outside of its range. A fit of BG/BB to
# customers of different ages against the likelihood by its definition.
#
#	RUNS=20000 SEED=1	random customers
use strict;
use warnings;
use File::Temp;
use FindBin;
use Test::More;

my $last_failed;
my $runs = $ENV{RUNS} || 20000;
my $seed = $ENV{SEED} || 1;
my $database = 'retention_curves_test';

test_formulas();

psql('postgres', "DROP DATABASE IF EXISTS $database");
psql('postgres', "CREATE DATABASE $database TEMPLATE template0");
END
{
	my $status = $?;
	psql('postgres', "DROP DATABASE IF EXISTS $database WITH (FORCE)");
	$? = $status;
}
psql($database, 'CREATE EXTENSION engagement');
test_reference();
test_fit();
done_testing();

sub test_formulas
{
	my $folder = File::Temp->newdir;
	my $source = "$FindBin::Bin/../../src";
	write_file("$folder/main.c", <<'END');
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "clv/buyer.h"

static double worst;

static double draw(void) { return drand48(); }
static double parameter(double reach) { return draw() < 0.1 ? 1 : exp((2 * draw() - 1) * reach); }

static void expect(const char *what, double is, double should, double tolerance, const double *p, const Buyer *buyer)
{
	double		error = is == should ? 0 : fabs(is - should) / fmax(fabs(should), 1e-280);

	worst = fmax(worst, error / tolerance);
	if (!(error <= tolerance))
		printf("%s: %.17g, not %.17g (%g %g %g %g: %g %g %g)\n", what, is, should, p[0], p[1], p[2], p[3], buyer->frequency, buyer->recency, buyer->age);
}

static void within(const char *what, double is, double low, double high, const double *p, const Buyer *buyer)
{
	if (!(is >= low && is <= high))
		printf("%s: %.17g outside of %g to %g (%g %g %g %g: %g %g %g)\n", what, is, low, high, p[0], p[1], p[2], p[3], buyer->frequency, buyer->recency, buyer->age);
}

static Buyer customer(int opportunities)
{
	Buyer		buyer = {0, 0, floor(draw() * (opportunities + 1))};

	buyer.recency = draw() < 0.2 ? buyer.age : floor(draw() * (buyer.age + 1));
	if (buyer.recency > 0)
		buyer.frequency = draw() < 0.2 ? buyer.recency : 1 + floor(draw() * buyer.recency);
	return buyer;
}

int main(int argc, char **argv)
{
	const BuyerModel *m = &bgbb_buyer;
	int			runs = atoi(argv[argc - 2]);

	srand48(atoi(argv[argc - 1]));
	for (int run = 0; run < runs; run++)
	{
		double		p[4] = {parameter(8), parameter(8), parameter(8), parameter(8)};
		Buyer		buyer = customer(run % 100 == 0 ? 5000 : 40);
		double		horizon = floor(draw() * 60);
		double		total = 0;
		double		mean = 0;
		double		rate = exp(-draw() * 30);
		double		first;

		for (double n = 0; n <= horizon; n++)
		{
			double		probability = m->purchase_probability(p, &buyer, n, horizon);

			total += probability;
			mean += n * probability;
		}
		expect("sum of probabilities", total, 1, 1e-12, p, &buyer);
		expect("their mean", mean, m->expected_purchases(p, &buyer, horizon), 1e-11, p, &buyer);
		expect("one too many", m->purchase_probability(p, &buyer, horizon + 1, horizon), 0, 1, p, &buyer);
		first = m->p_alive(p, &buyer) / (1 + (p[1] + buyer.age - buyer.frequency) / (p[0] + buyer.frequency));
		expect("one opportunity", m->expected_purchases(p, &buyer, 1), first, 1e-13, p, &buyer);
		expect("its probability", m->purchase_probability(p, &buyer, 1, 1), first, 1e-13, p, &buyer);
		expect("one discounted", m->discounted_purchases(p, &buyer, 1, rate), first / (1 + rate), 1e-13, p, &buyer);
		/* one opportunity more at which he does not buy, by the theorem of Bayes */
		{
			Buyer		later = {buyer.frequency, buyer.recency, buyer.age + 1};
			double		loss[2] = {p[2], p[3] + later.age};
			double		alive = m->p_alive(p, &buyer);
			double		passing = 1 / (1 + (p[0] + buyer.frequency) / (p[1] + (buyer.age - buyer.frequency)));

			expect("an opportunity more", m->p_alive(p, &later) / sbg_survival(loss, 1), alive * passing / (1 - alive + alive * passing),
				   1e-13 * (1 + 1 / (1 - alive + alive * passing)), p, &buyer);
		}
		/* the next opportunities, and those after them if he is alive, at one more of each age */
		if (run % 10 == 0)
		{
			double		near = m->discounted_purchases(p, &buyer, 3000, rate);
			double		far = m->discounted_purchases(p, &buyer, HUGE_VAL, rate);
			double		loss[2] = {p[2], p[3] + buyer.age};
			double		later[2] = {p[2], p[3] + buyer.age + 3000};
			double		part = 1 / (1 + (p[1] + buyer.age - buyer.frequency) / (p[0] + buyer.frequency)) * m->p_alive(p, &buyer) / sbg_survival(loss, 1);
			double		survived = sbg_survival(loss, 3000) * exp(-3000 * log1p(rate));

			expect("a horizon and the rest", near + part * survived * sbg_discounted_periods(later, HUGE_VAL, rate), far, 1e-11, p, &buyer);
			expect("the seam of sum and integral", sbg_discounted_periods(loss, 2001, rate) - sbg_discounted_periods(loss, 2000, rate),
				   sbg_survival(loss, 2001) * exp(-2001 * log1p(rate)), 1e-11 * (1 + sbg_discounted_periods(loss, 2000, rate) / fmax(sbg_survival(loss, 2001) * exp(-2001 * log1p(rate)), 1e-280)), p, &buyer);
			expect("no discount", sbg_discounted_periods(loss, 5000, 0),
				   loss[0] == 1 ? sbg_discounted_periods(loss, 5000, 0) : loss[1] * (1 - (1 + 5000 / loss[1]) * sbg_survival(loss, 5000)) / (loss[0] - 1),
				   1e-9 * (1 + 1 / fabs(loss[0] - 1)) * (1 + loss[1] / 5000) * (1 + loss[0]), p, &buyer);
		}
	}
	/* factors that a double cannot hold */
	{
		double		p[4] = {5e5, 5e5, 1, 3000};
		Buyer		buyer = {0, 0, 0};
		double		total = 0;

		for (double n = 0; n <= 2500; n++)
			total += m->purchase_probability(p, &buyer, n, 2500);
		expect("sum of many probabilities", total, 1, 1e-12, p, &buyer);
	}
	for (int run = 0; run < runs / 10; run++)
	{
		double		p[4] = {parameter(690), parameter(690), parameter(690), parameter(690)};
		Buyer		buyer = customer(run % 10 == 0 ? 2000 : 10);
		double		rate = exp(-draw() * 700);
		double		horizon = draw() < 0.5 ? HUGE_VAL : floor(exp(draw() * 21));
		double		value = 1 + draw() * 100;

		within("p_alive", m->p_alive(p, &buyer), 0, 1, p, &buyer);
		within("probability", m->purchase_probability(p, &buyer, floor(draw() * 5), 7), 0, 1, p, &buyer);
		within("expected", m->expected_purchases(p, &buyer, 3000), 0, 3000 * (1 + 1e-13), p, &buyer);
		within("discounted", m->discounted_purchases(p, &buyer, horizon, rate), 0, fmin(horizon, 1 / rate) * (1 + 1e-12), p, &buyer);
		within("survival", sbg_survival(p, buyer.age), 0, 1, p, &buyer);
		within("survival of many", sbg_survival(p, 2e9), 0, 1, p, &buyer);
		within("retention", sbg_retention(p, 1 + buyer.age), 0, 1, p, &buyer);
		within("all periods", sbg_discounted_periods(p, HUGE_VAL, 0), 0, HUGE_VAL, p, &buyer);
		within("value", gamma_gamma_expected_value(p, buyer.frequency, value), 0, HUGE_VAL, p, &buyer);
	}
	printf("ok\n");
	fprintf(stderr, "worst error, as a part of what is allowed: %g\n", worst);
	return 0;
}
END
	my @compiler = split ' ', $ENV{CC} || 'cc';
	my $built = run(@compiler, qw(-O2 -std=gnu11 -ffp-contract=off -Wall -Wextra -Wno-missing-field-initializers -Werror), "-I$source", '-o', "$folder/main", "$folder/main.c",
		map({ "$source/$_.c" } qw(clv/sbg clv/betabinomial clv/gamma_gamma base/special)), '-lm');
	is($built, '', 'the formulas need nothing of PostgreSQL');
	my $output = run("$folder/main", $runs, $seed);
	like($output, qr/^ok$/m, "$runs random customers of BG/BB") and unlike($output, qr/:.*\(/, 'probabilities add up, one thing follows from another, all is within its range') or diag($output);
	return;
}

sub test_reference
{
	open my $file, '<', "$FindBin::Bin/../reference/retention_curves.txt" or die "retention_curves.txt: $!\n";
	my %calls = (
		survival_rate => sub { return "survival_rate(sbg($_[0]), $_[3])" },
		retention_rate => sub { return "retention_rate(sbg($_[0]), $_[3])" },
		expected_value => sub { return "expected_value(gamma_gamma($_[0]), $_[1], $_[2])" },
		discounted_lifetime => sub {
			my ($rate, $periods, $horizon) = split /,/, $_[3];
			return "expected_lifetime(sbg($_[0]), $periods)" if $rate == 0 && $horizon eq 'infinity';
			return "discounted_lifetime(sbg($_[0]), $rate, $periods, " . ($horizon eq 'infinity' ? 'NULL' : int $horizon) . ')';
		});
	my %cases;
	while (my $line = <$file>)
	{
		next if $line =~ /^(?:#|$)/;
		chomp $line;
		my ($function, undef, $parameters, $frequency, $value, undef, $extra, $expected) = split / /, $line;
		push @{ $cases{$function} }, [ $calls{$function}->($parameters, $frequency, $value, $extra), $expected ];
	}
	foreach my $function (sort keys %calls)
	{
		my @cases = @{ $cases{$function} // [] };
		my @got = split /\n/, psql($database, 'SELECT unnest(ARRAY[' . join(', ', map { $_->[0] } @cases) . '])');
		my ($worst, @wrong) = (0);
		foreach my $i (0 .. $#cases)
		{
			my ($call, $expected) = @{ $cases[$i] };
			my $got = $got[$i] // 'nothing';
			# of what the range of a double does not hold
			next if $expected == 9**9**9 ? $got eq 'Infinity' : $expected < 1e-300 && $got eq '0';
			my $error = $got =~ /^[\d.e+-]+$/ ? abs($got - $expected) / ($expected + 0 || 1e-300) : 9**9**9;
			$worst = $error if $error > $worst;
			push @wrong, "$call is $got, not $expected" if !($error <= 1e-11);
		}
		is(join("\n", @wrong), '', sprintf('%s: %d values, %.1g from the reference', $function, scalar @cases, $worst));
		cmp_ok(scalar @got, '==', scalar @cases, 'and no value is missing');
	}
	return;
}

# The likelihood is largest where the fit is, as large as it says, and as curved.
sub test_fit
{
	srand $seed;
	my %count;
	for (1 .. 2000)
	{
		my ($p, $theta) = (rand() ** 0.7, rand() ** 3 * 0.6);
		my ($x, $tx, $n) = (0, 0, rand() < 0.1 ? 60 : 1 + int rand 12);
		for my $t (1 .. $n)
		{
			last if rand() < $theta;
			($x, $tx) = ($x + 1, $t) if rand() < $p;
		}
		$count{"$x,$tx,$n"}++;
	}
	# of two ages nobody has bought again
	my @histories = ([ 0, 0, 13, 30 ], [ 0, 0, 14, 20 ], map { [ split(/,/), $count{$_} ] } sort keys %count);
	my $rows = join ', ', map { '(' . join(', ', @$_) . ')' } @histories;
	my $fit = "(SELECT bgbb_fit(purchase_histories(x, tx, n, customers::bigint)) AS model FROM (VALUES $rows) v (x, tx, n, customers)) f";
	my ($converged, $value, $estimates, $covariance) = split /\|/, psql($database, "SELECT (diagnostics(model)).converged, (diagnostics(model)).log_likelihood,
		(SELECT string_agg(estimate::text, ',') FROM parameters(model)), array_to_string(covariance(model), ',') FROM $fit");
	is($converged, 't', 'a fit of BG/BB to ' . @histories . ' histories') or return;
	my @at = split /,/, $estimates;
	my @covariance = split /,/, $covariance;
	my $likelihood = sub {
		my @steps = @_;
		my $sum = 0;
		$sum += $_->[3] * log likelihood_of([ map { $at[$_] * (1 + 1e-3 * ($steps[$_] // 0)) } 0 .. 3 ], @$_[ 0 .. 2 ]) for @histories;
		return $sum;
	};
	my $best = $likelihood->();
	cmp_ok(abs($value - $best), '<', 1e-11 * abs $best, 'its log-likelihood');
	my @unit = ([ 1, 0, 0, 0 ], [ 0, 1, 0, 0 ], [ 0, 0, 1, 0 ], [ 0, 0, 0, 1 ]);
	my ($slope, $off) = (0, 0);
	my @hessian;
	foreach my $i (0 .. 3)
	{
		# by Richardson's rule
		my @difference = map { my $h = $_; ($likelihood->(map { $h * $_ } @{ $unit[$i] }) - $likelihood->(map { -$h * $_ } @{ $unit[$i] })) / (2 * $h) } 1, 2;
		$slope = abs(4 * $difference[0] - $difference[1]) / 3 if abs(4 * $difference[0] - $difference[1]) / 3 > $slope;
		foreach my $j (0 .. 3)
		{
			my $moved = sub { my ($a, $b) = @_; return $likelihood->(map { $a * $unit[$i][$_] + $b * $unit[$j][$_] } 0 .. 3) };
			$hessian[$i][$j] = ($moved->(1, 1) - $moved->(1, -1) - $moved->(-1, 1) + $moved->(-1, -1)) / (4e-6 * $at[$i] * $at[$j]);
		}
	}
	cmp_ok($slope, '<', 1e-9 * abs $best, 'there it is largest');
	foreach my $i (0 .. 3)
	{
		foreach my $j (0 .. 3)
		{
			my $product = 0;
			$product -= $hessian[$i][$_] * $covariance[ 4 * $_ + $j ] for 0 .. 3;
			my $wrong = abs($product * $at[$i] / $at[$j] - ($i == $j));
			$off = $wrong if $wrong > $off;
		}
	}
	cmp_ok($off, '<', 1e-3, 'and the covariance is minus the inverse of its Hessian');
	return;
}

# Of x purchases at n opportunities, the last one number tx, by the time at which the customer was lost.
sub likelihood_of
{
	my ($parameters, $x, $tx, $n) = @_;
	my ($alpha, $beta, $gamma, $delta) = @$parameters;
	my ($bought, $stayed, $sum) = (1, 1, 0);
	my $used = 0;
	foreach my $t (0 .. $n)
	{
		# lost at opportunity t + 1, or never seen to be
		$sum += $bought * $stayed * ($t < $n ? $gamma / ($gamma + $delta + $t) : 1) if $t >= $tx;
		last if $t == $n;
		# purchases first, as their order does not matter
		my $is_used = $used < $x;
		$bought *= ($is_used ? $alpha + $used : $beta + $t - $used) / ($alpha + $beta + $t);
		$used++ if $is_used;
		$stayed *= ($delta + $t) / ($gamma + $delta + $t);
	}
	return $sum;
}

sub psql
{
	my ($db, $sql) = @_;
	my $folder = File::Temp->newdir;
	write_file("$folder/query.sql", $sql);
	return run('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $db, '-f', "$folder/query.sql") =~ s/\n\z//r;
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
	my $text = do { local $/ = undef; <$out> };
	$last_failed = !close $out;
	return $text // '';
}

sub write_file
{
	my ($path, $text) = @_;
	open my $file, '>', $path or die "$path: $!\n";
	print {$file} $text;
	close $file or die "$path: $!\n";
	return;
}
