# What the models say about a customer: every line of test/reference/buyers*.txt within 1e-10, and
# laws that hold whatever the parameters are.
use strict;
use warnings;
use File::Temp;
use FindBin;
use Test::More;

my $last_failed;
my $database = 'buyers_test';
my @models = qw(bgnbd mbgnbd paretonbd bgbb);
$ENV{PGOPTIONS} = '-c client_min_messages=error';

# A relative error, and what is as good as 0.
my $tolerance = 1e-10;
my $smallest = 1e-300;

psql('postgres', "DROP DATABASE IF EXISTS $database");
psql('postgres', "CREATE DATABASE $database ENCODING 'UTF8' TEMPLATE template0");
END
{
	my $status = $?;
	psql('postgres', "DROP DATABASE IF EXISTS $database WITH (FORCE)");
	$? = $status;
}
psql($database, 'CREATE EXTENSION engagement');
test_reference();
make_customers();
test_probabilities();
test_horizons();
test_rates();
test_long_work();
done_testing();

sub test_reference
{
	my %cases;
	foreach my $path (sort glob "$FindBin::Bin/../reference/buyers*.txt")
	{
		open my $file, '<', $path or die "$path: $!\n";
		while (my $line = <$file>)
		{
			next if $line =~ /^(#|\s*$)/;
			chomp $line;
			my @fields = split / /, $line;
			die "$path: $line\n" if @fields != 8;
			push @{ $cases{ $fields[0] } }, \@fields;
		}
		close $file or die "$path: $!\n";
	}
	is(join(' ', sort keys %cases), 'discounted_purchases expected_purchases p_alive purchase_probability', 'functions of the references');
	foreach my $function (sort keys %cases)
	{
		my %with = map { $_->[1] => 1 } @{ $cases{$function} };
		is(join(' ', sort keys %with), join(' ', sort @models), "$function of each model has a reference");
		compare($function, $cases{$function});
	}
	return;
}

# All of a function's cases in one query.
sub compare
{
	my ($function, $cases) = @_;
	my @given = split /\n/, script($database, join("\nUNION ALL ", map { "SELECT $_, " . call(@{ $cases->[$_] }) } 0 .. $#$cases) . " ORDER BY 1;\n");
	my ($worst, $worst_line, @wrong) = (0, '');
	foreach my $i (0 .. $#$cases)
	{
		my $value = ($given[$i] // '') =~ /^$i\|(.*)/ ? $1 : 'nothing';
		my $error = error_of($value, $cases->[$i][7]);
		($worst, $worst_line) = ($error, "@{ $cases->[$i] }") if $error > $worst;
		push @wrong, "@{ $cases->[$i] }: $value" if !($error <= $tolerance);
	}
	is(join("\n", grep { defined } @wrong[0 .. 9]), '', scalar(@$cases) . " cases of $function");
	note(sprintf '%s: worst relative error %.2g: %s', $function, $worst, $worst_line);
	return;
}

# Relative; infinite of what is no number.
sub error_of
{
	my ($value, $expected) = @_;
	my $infinity = 9**9**9;
	return $value eq 'Infinity' ? 0 : $infinity if $expected eq 'infinity';
	return $infinity if $value !~ /^-?[\d.]+(e[-+]?\d+)?$/;
	return 0 if abs($value - $expected) <= $smallest;
	return $expected == 0 ? $infinity : abs($value - $expected) / abs($expected);
}

sub call
{
	my ($function, $model, $parameters, $frequency, $recency, $age, $extra) = @_;
	my @extra = split /,/, $extra;
	my $made = "$model(" . join(', ', map { double($_) } split /,/, $parameters) . ')';
	my $history = "$frequency, " . double($recency) . ', ' . double($age);
	return "p_alive($made, $history)" if $function eq 'p_alive';
	return "expected_purchases($made, " . double($extra[0]) . ", $history)" if $function eq 'expected_purchases';
	return "purchase_probability($made, $extra[0], " . double($extra[1]) . ", $history)" if $function eq 'purchase_probability';
	return "discounted_purchases($made, " . double($extra[0]) . ", $history, " . double($extra[1]) . ')';
}

sub double
{
	return "'$_[0]'::float8";
}

# Customers of each model, with horizons.
sub make_customers
{
	my %parameters = (
		bgnbd => [ '0.2426, 4.414, 0.793, 2.426', '0.5, 10, 1, 1', '0.75, 3, 0.2, 0.3', '20, 30, 3, 40', '2, 0.5, 1e-6, 1e-6', '1000, 900, 0.01, 7721' ],
		paretonbd => [ '0.5533, 10.578, 0.6062, 11.669', '0.5, 10, 1, 20', '1, 20, 1, 20', '20, 30, 3, 40', '0.7, 2, 0.5, 7721' ],
		bgbb => [ '1.204, 0.750, 0.657, 2.783', '0.5, 0.5, 1, 1', '30, 400, 2, 5', '0.01, 7721, 0.5, 0.25' ]);
	$parameters{mbgnbd} = $parameters{bgnbd};
	foreach my $model (@models)
	{
		my $histories = $model eq 'bgbb' ? '(0, 0, 0), (0, 0, 6), (2, 3, 6), (6, 6, 6), (40, 90, 100)' :
			'(0, 0, 0), (0, 0, 39), (1, 0.25, 30), (5, 20, 30), (30, 30, 30), (300, 100, 101)';
		my $horizons = $model eq 'bgbb' ? '1, 20, 300' : '0.5, 20, 100';
		my $list = join ', ', map { "$model($_)" } @{ $parameters{$model} };
		script($database, qq{
			CREATE TABLE ${model}_customers AS
			SELECT row_number() OVER () AS number, model, frequency, recency::float8, age::float8
			FROM unnest(ARRAY[$list]) AS model, (VALUES $histories) AS histories (frequency, recency, age);
			CREATE TABLE ${model}_questions AS
			SELECT row_number() OVER () AS question, customers.*, horizon::float8
			FROM ${model}_customers AS customers, unnest(ARRAY[$horizons]) AS horizon;});
	}
	return;
}

# They sum to 1, and their mean is what is to be expected; of the questions whose answers
# end in time.
sub test_probabilities
{
	foreach my $model (@models)
	{
		my $most = $model eq 'bgbb' ? 300 : 600;
		is(psql($database, qq{
			SELECT count(*) > 40, count(*) FILTER (WHERE NOT abs(total - 1) < 1e-12), count(*) FILTER (WHERE NOT abs(mean - expected) <= 1e-11 * expected), bool_and(least >= 0)
			FROM (SELECT expected_purchases(model, horizon, frequency, recency, age) AS expected, sums.*
				FROM (SELECT * FROM ${model}_questions
					WHERE purchase_probability(model, $most, horizon, frequency, recency, age) < 1e-20 OFFSET 0) AS questions,
				LATERAL (SELECT sum(probability) AS total, sum(n * probability) AS mean, min(probability) AS least
					FROM (SELECT n, purchase_probability(model, n, horizon, frequency, recency, age) AS probability
						FROM generate_series(0, $most) AS n OFFSET 0) AS probabilities) AS sums) AS answers}),
			't|0|0|t', "probabilities of $model sum to 1, and their mean is the expectation");
	}
	return;
}

# More time, more purchases, but no more than in proportion: customers leave.
sub test_horizons
{
	foreach my $model (@models)
	{
		my $horizons = $model eq 'bgbb' ? 'generate_series(0, 60) AS h' : 'LATERAL (SELECT power(10, i / 2.0)::float8 AS h FROM generate_series(-12, 12) AS i) AS horizons';
		is(psql($database, qq{
			SELECT count(*) > 500, count(*) FILTER (WHERE NOT expected >= previous * (1 - 1e-14)),
				count(*) FILTER (WHERE NOT discounted >= previous_discounted * (1 - 1e-14)),
				count(*) FILTER (WHERE NOT discounted <= expected * (1 + 1e-13)),
				count(*) FILTER (WHERE NOT discounted <= for_ever * (1 + 1e-13)),
				count(*) FILTER (WHERE previous_h > 0 AND NOT expected * previous_h <= previous * h * (1 + 1e-13))
			FROM (SELECT *, lag(h) OVER w AS previous_h, lag(expected) OVER w AS previous, lag(discounted) OVER w AS previous_discounted
				FROM (SELECT number, h, expected_purchases(model, h, frequency, recency, age) AS expected,
						discounted_purchases(model, 0.01, frequency, recency, age, h) AS discounted,
						discounted_purchases(model, 0.01, frequency, recency, age) AS for_ever
					FROM ${model}_customers, $horizons) AS answers
				WINDOW w AS (PARTITION BY number ORDER BY h)) AS steps
			WHERE previous_h IS NOT NULL}), 't|0|0|0|0|0', "$model: more time, more purchases");
	}
	return;
}

sub test_rates
{
	foreach my $model (@models)
	{
		is(psql($database, qq{
			SELECT count(*) > 50, count(*) FILTER (WHERE NOT abs(no_rate - expected) <= 1e-14 * expected), count(*) FILTER (WHERE NOT abs(small_rate - expected) <= 1e-11 * expected),
				count(*) FILTER (WHERE NOT higher_rate <= rate), count(*) FILTER (WHERE NOT abs(far - for_ever) <= 1e-12 * for_ever)
			FROM (SELECT expected_purchases(model, horizon, frequency, recency, age) AS expected,
					discounted_purchases(model, 0, frequency, recency, age, horizon) AS no_rate,
					discounted_purchases(model, 1e-14, frequency, recency, age, horizon) AS small_rate,
					discounted_purchases(model, 0.05, frequency, recency, age, horizon) AS rate,
					discounted_purchases(model, 0.1, frequency, recency, age, horizon) AS higher_rate,
					discounted_purchases(model, 0.5, frequency, recency, age, 2000) AS far,
					discounted_purchases(model, 0.5, frequency, recency, age) AS for_ever
				FROM ${model}_questions) AS answers}),
			't|0|0|0|0', "$model: a rate near 0 is none, a higher one gives less, and a horizon far away is none");
	}
	return;
}

# However large the numbers, an answer comes at once.
sub test_long_work
{
	foreach my $model (qw(bgnbd mbgnbd))
	{
		my $sizes = 'ARRAY[1e-6, 2, 1e12]::float8[]';
		is(psql($database, qq{SET statement_timeout = '10s';
			SELECT count(*), count(*) FILTER (WHERE probability BETWEEN 0 AND 1)
			FROM (SELECT purchase_probability($model(r, alpha, a, b), n, h, frequency, recency, age) AS probability
				FROM unnest($sizes) AS r, unnest($sizes) AS alpha, unnest($sizes) AS a, unnest($sizes) AS b,
					(VALUES (0, 0, 1), (2147483647, 1, 1)) AS histories (frequency, recency, age),
					unnest(ARRAY[1, 1000000, 2147483647]) AS n, unnest(ARRAY[1e-6, 10, 1e12]::float8[]) AS h) AS probabilities}),
			'1458|1458', "$model: probabilities of up to 2147483647 purchases");
	}
	return;
}

# Through a file, as it can be longer than an argument.
sub script
{
	my ($db, $sql) = @_;
	my $file = File::Temp->new;
	print {$file} $sql;
	close $file or die "$!\n";
	my $text = run('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $db, '-f', $file->filename);
	diag($text) if $last_failed;
	return $text;
}

sub psql
{
	my ($db, $sql) = @_;
	return run('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $db, '-c', $sql) =~ s/\n\z//r;
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
