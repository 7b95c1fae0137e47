# Fits of the models of customers: beside 40 digits of reference/fits.txt; the same bytes
# for any order of rows, plan and merge tree; in any unit; of customers drawn from a model
# whose parameters are known; of customers who tell nothing; models through text and bytes,
# hostile ones too; a fit that is told to stop; the published results on real data.
#
#	CUSTOMERS=20000 FUZZ_CASES=3000 SEED=1
use strict;
use warnings;
use File::Temp;
use FindBin;
use lib "$FindBin::Bin/../fuzz";
use List::Util qw(max min sum0);
use Test::More;
use Time::HiRes qw(time);
use WireClient qw(seed_random random_below);

my $customers = $ENV{CUSTOMERS} || 20000;
my $fuzz_cases = $ENV{FUZZ_CASES} || 3000;
my $data = ($ENV{ENGAGEMENT_SHARED} // '../shared') . '/data/cdnow';
my $database = 'fits_test';
my $last_failed;
$ENV{PGOPTIONS} = '-c client_min_messages=warning -c statement_timeout=30s';
my $folder = File::Temp->newdir;
# after that name, which is random as well
srand($ENV{SEED} || 1);

my %parameters = (
	bgnbd => [qw(r alpha a b)],
	mbgnbd => [qw(r alpha a b)],
	paretonbd => [qw(r alpha s beta)],
	gamma_gamma => [qw(p q v)],
	bgbb => [qw(alpha beta gamma delta)],
	sbg => [qw(alpha beta)]);
# those that stretch with the unit of time, or of money
my %has_unit = (bgnbd => [qw(alpha)], mbgnbd => [qw(alpha)], paretonbd => [qw(alpha beta)], gamma_gamma => [qw(v)]);
# of the customers that are drawn
my %truth = (
	bgnbd => [ 0.6, 6, 0.8, 2.4 ],
	mbgnbd => [ 0.8, 7, 0.9, 1.9 ],
	paretonbd => [ 0.7, 9, 0.8, 14 ],
	gamma_gamma => [ 6.2, 3.7, 15.4 ],
	bgbb => [ 1.2, 0.75, 0.66, 2.8 ]);

psql('postgres', "DROP DATABASE IF EXISTS $database");
psql('postgres', "CREATE DATABASE $database ENCODING 'UTF8' TEMPLATE template0");
END
{
	my $status = $?;
	psql('postgres', "DROP DATABASE IF EXISTS $database WITH (FORCE)");
	$? = $status;
}
set_up('CREATE EXTENSION engagement');
test_reference();
draw_customers();
test_truth();
test_any_order();
test_units();
test_nothing_to_tell();
test_survivors();
test_round_trip();
test_hostile_text();
test_hostile_bytes();
test_interrupts();
test_published();
done_testing();

# As exact as doubles allow, whatever the unit and however many customers.
sub test_reference
{
	my @cases = read_cases("$FindBin::Bin/../reference/fits.txt");
	cmp_ok(scalar @cases, '>=', 24, 'there are references');
	my (@times, @spends);
	for my $number (0 .. $#cases)
	{
		my $case = $cases[$number];
		next if $case->{model} eq 'sbg';
		push @{ $case->{model} eq 'gamma_gamma' ? \@spends : \@times }, map { "($number, " . join(', ', @$_) . ')' } @{ $case->{histories} };
	}
	set_up('CREATE TABLE reference_time (number int, x int, tx float8, t float8, n bigint); INSERT INTO reference_time VALUES ' . join ', ', @times);
	set_up('CREATE TABLE reference_spend (number int, x int, m float8, n bigint); INSERT INTO reference_spend VALUES ' . join ', ', @spends);
	my %worst;
	for my $number (0 .. $#cases)
	{
		my $case = $cases[$number];
		my $model = $case->{model};
		my $fit =
		    $model eq 'sbg' ? "SELECT sbg_fit('{" . join(',', @{ $case->{histories}[0] }) . "}') AS m"
		  : $model eq 'gamma_gamma' ? "SELECT gamma_gamma_fit(spend_histories(x, m, n)) AS m FROM reference_spend WHERE number = $number"
		  : "SELECT ${model}_fit(purchase_histories(x, tx, t, n)) AS m FROM reference_time WHERE number = $number";
		my $result = result_of($fit);
		my @faults;
		push @faults, "not converged: $result->{reason}" if $result->{converged} ne 't';
		for my $name (@{ $parameters{$model} })
		{
			push @faults, far($result->{estimate}{$name}, $case->{estimate}{$name}, 1e-10, $name, \$worst{estimate});
			push @faults, far($result->{std_error}{$name}, $case->{std_error}{$name}, 1e-10, "standard error of $name", \$worst{std_error});
		}
		push @faults, far($result->{log_likelihood}, $case->{log_likelihood}, 1e-13, 'log-likelihood', \$worst{log_likelihood});
		my @lower = @{ $case->{covariance} };
		for my $i (0 .. $#{ $parameters{$model} })
		{
			for my $j (0 .. $i)
			{
				my $expected = shift @lower;
				# beside the variances, as a correlation can be next to 0
				my $scale = $case->{std_error}{ $parameters{$model}[$i] } * $case->{std_error}{ $parameters{$model}[$j] };
				push @faults, map { far($_ / $scale + 2, $expected / $scale + 2, 1e-10, "covariance $i, $j", \$worst{covariance}) }
				  $result->{covariance}[$i][$j], $result->{covariance}[$j][$i];
			}
		}
		is(join("\n", @faults), '', "$model: $case->{title}");
	}
	note("furthest from the references: ", join ', ', map { "$_ $worst{$_}" } sort keys %worst);
	return;
}

sub read_cases
{
	my $path = shift;
	my @cases;
	open my $file, '<', $path or die "$path: $!\n";
	while (my $line = <$file>)
	{
		chomp $line;
		next if $line =~ /^#/;
		my @words = split ' ', $line;
		if ($words[0] =~ /^[a-z]/)
		{
			push @cases, { model => shift @words, title => join(' ', @words), histories => [], estimate => {}, std_error => {} };
		}
		elsif ($words[0] ne '=') { push @{ $cases[-1]{histories} }, \@words }
		elsif ($words[1] eq 'covariance') { $cases[-1]{covariance} = [ @words[ 2 .. $#words ] ] }
		elsif ($words[1] eq 'log_likelihood') { $cases[-1]{log_likelihood} = $words[2] }
		else { $cases[-1]{estimate}{ $words[1] } = $words[2]; $cases[-1]{std_error}{ $words[1] } = $words[3] }
	}
	close $file or die "$path: $!\n";
	return @cases;
}

# What a query for one model m says, as Perl reads it.
sub result_of
{
	my $query = shift;
	my @rows = split /\n/, sql("WITH model AS MATERIALIZED ($query)
		SELECT 'd', converged, reason, log_likelihood FROM model, diagnostics(m)
		UNION ALL SELECT 'p', NULL, name || ' ' || coalesce(estimate::text, '') || ' ' || coalesce(std_error::text, ''), NULL FROM model, parameters(m)
		UNION ALL SELECT 'c', NULL, array_to_string(covariance(m), ' '), NULL FROM model");
	die "@rows\n" if $last_failed;
	my %result;
	for (@rows)
	{
		my ($kind, $converged, $text, $number) = split /\|/, $_, -1;
		if ($kind eq 'd') { @result{qw(converged reason log_likelihood)} = ($converged, $text, $number) }
		elsif ($kind eq 'p')
		{
			my ($name, $estimate, $std_error) = split / /, $text, -1;
			$result{estimate}{$name} = $estimate;
			$result{std_error}{$name} = $std_error;
		}
		else
		{
			my @numbers = split ' ', $text // '';
			my $count = sqrt @numbers;
			push @{ $result{covariance} }, [ splice @numbers, 0, $count ] while @numbers;
		}
	}
	return \%result;
}

# A fault, or nothing; keeps how far the furthest is.
sub far
{
	my ($is, $should, $limit, $name, $worst) = @_;
	return "$name is NULL, not $should" if !defined $is || $is eq '';
	my $distance = abs($is / $should - 1);
	$$worst = sprintf('%.1e', $distance) if $worst && $distance > ($$worst // 0);
	return $distance <= $limit ? () : "$name is $is, not $should";
}

# Each model's customers as it says they behave; no two with one age, so that all histories differ.
sub draw_customers
{
	my %rows;
	for my $model (sort keys %truth)
	{
		my @truth = @{ $truth{$model} };
		my @rows;
		for (1 .. $customers)
		{
			if ($model eq 'gamma_gamma')
			{
				my $x = 1 + int(-2 * log(1 - rand));
				my $nu = draw_gamma($truth[1]) / $truth[2];
				push @rows, join("\t", $x, sprintf('%.17g', draw_gamma($truth[0] * $x) / $nu / $x), '');
				next;
			}
			my $age = $model eq 'bgbb' ? 3 + int(rand 10) : 30 + rand 50;
			push @rows, join("\t", map { sprintf '%.17g', $_ } draw_history($model, $age, @truth), $age);
		}
		write_file("$folder/$model", map { "$model\t$_\n" } @rows);
	}
	set_up('CREATE TABLE drawn (model text, x int, tx float8, t float8, i serial)');
	for my $model (sort keys %truth)
	{
		set_up("\\copy drawn (model, x, tx, t) FROM '$folder/$model' (NULL '')");
	}
	set_up('ANALYZE drawn');
	return;
}

# frequency, recency
sub draw_history
{
	my ($model, $age, @truth) = @_;
	my ($x, $last) = (0, 0);
	if ($model eq 'bgbb')
	{
		my ($buys, $leaves) = (draw_beta(@truth[ 0, 1 ]), draw_beta(@truth[ 2, 3 ]));
		for my $i (1 .. $age)
		{
			last if rand() < $leaves;
			($x, $last) = ($x + 1, $i) if rand() < $buys;
		}
		return ($x, $last);
	}
	my $rate = draw_gamma($truth[0]) / $truth[1];
	my $chance = $model eq 'paretonbd' ? 0 : draw_beta(@truth[ 2, 3 ]);
	my $end = $model eq 'paretonbd' ? min($age, -log(1 - rand) * $truth[3] / draw_gamma($truth[2])) : $age;
	return (0, 0) if $model eq 'mbgnbd' && rand() < $chance;
	my $at = 0;
	while (1)
	{
		$at -= log(1 - rand) / $rate;
		return ($x, $last) if $at > $end;
		($x, $last) = ($x + 1, $at);
		return ($x, $last) if rand() < $chance;
	}
}

# Marsaglia and Tsang 2000; never 0.
sub draw_gamma
{
	my $shape = shift;
	return max(1e-300, draw_gamma($shape + 1) * (1 - rand)**(1 / $shape)) if $shape < 1;
	my $d = $shape - 1 / 3;
	while (1)
	{
		my $x = sqrt(-2 * log(1 - rand)) * cos(6.283185307179586 * rand);
		my $v = (1 + $x / sqrt(9 * $d))**3;
		return $d * $v if $v > 0 && log(1 - rand) < $x * $x / 2 + $d - $d * $v + $d * log($v);
	}
}

sub draw_beta
{
	my ($first, $second) = map { draw_gamma($_) } @_;
	return $first / ($first + $second);
}

# The fit of a model to rows of this form.
sub fit_of
{
	my ($model, $from, $weight) = @_;
	my $more = defined $weight ? ", $weight" : '';
	return $model eq 'gamma_gamma' ? "SELECT gamma_gamma_fit(spend_histories(x, tx$more)) AS m FROM $from"
	  : "SELECT ${model}_fit(purchase_histories(x, tx, t$more)) AS m FROM $from";
}

# A fit finds the parameters from which customers were drawn.
sub test_truth
{
	for my $model (sort keys %truth)
	{
		my $result = result_of(fit_of($model, "drawn WHERE model = '$model'"));
		is($result->{converged}, 't', "$model: $customers drawn customers tell its parameters");
		for my $i (0 .. $#{ $truth{$model} })
		{
			my $name = $parameters{$model}[$i];
			my $off = ($result->{estimate}{$name} - $truth{$model}[$i]) / $result->{std_error}{$name};
			cmp_ok(abs $off, '<', 4, sprintf '%s: %s is %.3g, %.1f standard errors from %g', $model, $name, $result->{estimate}{$name}, $off, $truth{$model}[$i]);
			cmp_ok($result->{std_error}{$name}, '<', 0.4 * $truth{$model}[$i], 'which are not large');
		}
	}
	# a contract: of customers drawn from sbg, so many are left after each period
	my @left = ($customers, (0) x 10);
	for (1 .. $customers)
	{
		my $leaves = draw_beta(0.7, 2.5);
		for my $period (1 .. 10)
		{
			last if rand() < $leaves;
			$left[$period]++;
		}
	}
	my $result = result_of("SELECT sbg_fit('{" . join(',', @left) . "}') AS m");
	my %known = (alpha => 0.7, beta => 2.5);
	cmp_ok(abs($result->{estimate}{$_} - $known{$_}), '<', 4 * $result->{std_error}{$_}, "sbg: $_ is $result->{estimate}{$_}, not far from $known{$_}") for sort keys %known;
	return;
}

# Rows, workers and merge trees in any order give the same bytes.
sub test_any_order
{
	my $parallel = 'SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 3; SET parallel_leader_participation = off';
	set_up('SELECT setseed(0.3); CREATE TABLE shuffled AS SELECT * FROM drawn ORDER BY random();
		-- the same customers counted and not, as whole numbers of times are often the same
		CREATE TABLE repeated AS SELECT model, i, x, CASE model WHEN \'gamma_gamma\' THEN ceil(tx) ELSE floor(tx) END AS tx, ceil(t) AS t FROM drawn;
		CREATE TABLE counted AS SELECT model, x, tx, t, count(*) AS n FROM repeated GROUP BY 1, 2, 3, 4 ORDER BY count(*), random();
		ANALYZE shuffled, repeated, counted');
	like(sql("$parallel; EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) " . fit_of('bgnbd', "shuffled WHERE model = 'bgnbd'")), qr/Workers Launched: [1-9].*Partial Aggregate/s, 'workers share the rows');
	my $states = 0;
	for my $model (sort keys %truth)
	{
		my $kind = $model eq 'gamma_gamma' ? 'spend_histories' : 'purchase_histories';
		my $columns = $model eq 'gamma_gamma' ? 'x, tx' : 'x, tx, t';
		my $is_model = "WHERE model = '$model'";
		my $reference = sql('SET max_parallel_workers_per_gather = 0; SELECT m::text FROM (' . fit_of($model, "drawn $is_model") . ') s');
		like($reference, qr/"outcome": "converged"/, "$model: there is something to compare");
		my %same = (
			'in random order' => fit_of($model, "shuffled $is_model"),
			'in reverse order' => fit_of($model, "(SELECT * FROM drawn $is_model ORDER BY t DESC, tx DESC, x DESC) s"),
			'by workers' => [ fit_of($model, "shuffled $is_model") ],
			'of pieces' => "SELECT ${model}_fit(rollup(h)) AS m FROM (SELECT $kind($columns) AS h FROM shuffled $is_model GROUP BY i % 17) s",
			'of pieces of pieces' => "SELECT ${model}_fit(rollup(h)) AS m FROM (SELECT rollup(h) AS h FROM (SELECT i % 5 AS piece, $kind($columns) AS h FROM shuffled $is_model GROUP BY i % 5, i % 31) s GROUP BY piece) s",
			'through text' => "SELECT ${model}_fit($kind($columns)::text::$kind) AS m FROM shuffled $is_model",
			'of ones' => fit_of($model, "shuffled $is_model", '1::bigint'));
		for my $name (sort keys %same)
		{
			my $query = $same{$name};
			is(sql((ref $query ? "$parallel; " : '') . 'SELECT m::text FROM (' . (ref $query ? $query->[0] : $query) . ') s'), $reference, "$model: the same bytes $name");
		}
		my $once = sql('SELECT m::text FROM (' . fit_of($model, "repeated $is_model") . ') s');
		like($once, qr/"customers": $customers,/, "$model: repeated customers");
		is(sql('SELECT m::text FROM (' . fit_of($model, "counted $is_model", 'n') . ') s'), $once, "$model: are like counted ones");
		is(sql('SELECT m::text FROM (' . fit_of($model, "(SELECT x, tx, t, k FROM counted, generate_series(0, 1) g, LATERAL (SELECT (n + g) / 2 AS k) h $is_model) s", 'k') . ') s'), $once, "$model: and like those counted in two parts");
		isnt(sql('SELECT m::text FROM (' . fit_of($model, "drawn $is_model AND i % 1000 > 0") . ') s'), $reference, "$model: other customers give another fit");
	}
	return;
}

# Days, weeks, seconds: alpha is a time and stretches, the rest stays.
sub test_units
{
	for my $model (sort keys %has_unit)
	{
		my $some = "drawn WHERE model = '$model' AND i % 10 = 0";
		my $base = result_of(fit_of($model, $some));
		my $repeats = sql('SELECT sum(' . ($model eq 'gamma_gamma' ? 1 : 'x') . ") FROM $some");
		my %is_time = map { $_ => 1 } @{ $has_unit{$model} };
		for my $factor (7, 604800, 1 / 52, 1e-9, 1e100)
		{
			my $result = result_of(fit_of($model, "(SELECT x, tx * $factor AS tx, t * $factor AS t FROM $some) s"));
			my @faults;
			push @faults, "not converged: $result->{reason}" if $result->{converged} ne 't';
			for my $name (@{ $parameters{$model} })
			{
				my $scale = $is_time{$name} ? $factor : 1;
				push @faults, far($result->{estimate}{$name}, $base->{estimate}{$name} * $scale, 1e-9, $name);
				push @faults, far($result->{std_error}{$name}, $base->{std_error}{$name} * $scale, 1e-9, "standard error of $name");
			}
			push @faults, far($result->{log_likelihood} + $repeats * log($factor), $base->{log_likelihood}, 1e-10, 'log-likelihood');
			is(join("\n", @faults), '', "$model: a unit $factor times smaller");
		}
	}
	return;
}

# Customers from whom no parameters can be told: a fit that says so, or an error; neither a crash nor NaN.
sub test_nothing_to_tell
{
	my %nothing = (
		'one-time buyers' => '(0,0,10,5),(0,0,20,7),(0,0,31,3)',
		'one history' => '(3,5,10,50)',
		'a single customer' => '(3,5,10,1)',
		'a single one-time buyer' => '(0,0,10,1)',
		'nobody bought again' => '(0,0,10,100)',
		'all buy always' => '(10,10,10,5),(20,20,20,7),(31,31,31,3)',
		'all buy always, of two ages' => '(10,10,10,5),(9,9,10,7)',
		'two customers' => '(0,0,10,1),(5,9,10,1)',
		'frequencies up to the largest' => '(2147483647,5,10,5),(0,0,10,7),(1,3,20,3)',
		'only the largest frequencies' => '(2147483647,5,10,5),(2147483646,5,11,5),(2147483640,6,11,5)',
		'tiny ages' => '(2,1e-301,1e-300,5),(0,0,1e-300,7),(1,5e-301,1e-300,3)',
		'huge ages' => '(2,1e299,1e300,5),(0,0,1e300,7),(1,5e299,1e300,3)',
		'ages of all sizes' => '(2,1e299,1e300,5),(0,0,1e-300,7),(1,5,10,3)',
		'the largest ages' => '(2,1e308,1.79e308,5),(0,0,1.79e308,7),(1,5e307,1e308,3)',
		'the smallest ages' => '(2,5e-324,5e-324,5),(0,0,5e-324,7),(1,5e-324,1e-323,3)',
		'ages of 0' => '(0,0,0,5),(1,0,0,7)',
		'some ages of 0' => '(0,0,0,5),(1,0,10,7),(2,0,10,7)',
		'all purchases at once' => '(3,0,10,5),(1,0,12,7),(0,0,9,5)',
		'nobody lost' => '(3,10,10,5),(1,10,10,7),(0,0,10,5)',
		'lost soon' => '(3,1,100,5),(1,1,100,7),(2,1,100,5)',
		'trillions of customers' => '(0,0,10,4503599627370496),(5,9,10,1000000000000),(2,4,10,1000000000000),(1,4,10,1000000000000)',
		'as many customers as can be' => '(0,0,10,9007199254740991),(5,9,10,1)');
	set_up(q{
		-- what is wrong with what a query for a model gives, or NULL
		CREATE FUNCTION fault_of(query text, type text, error text) RETURNS text LANGUAGE plpgsql AS $$
		DECLARE
			model text;
			again text;
			d record;
			fault text;
		BEGIN
			SET LOCAL statement_timeout = '10s';
			-- purchases at no time after the first are warned of
			SET LOCAL client_min_messages = error;
			EXECUTE query INTO model;
			IF model ~ 'NaN|[Ii]nf' THEN
				RETURN model;
			END IF;
			EXECUTE format('SELECT %L::%I::text', model, type) INTO again;
			EXECUTE format('SELECT (d).* FROM (SELECT diagnostics(%L::%I) AS d) s', model, type) INTO d;
			EXECUTE format('SELECT string_agg(p::text, '' '') FROM parameters(%L::%I) p WHERE NOT estimate > 0 OR estimate = ''infinity'' OR std_error IS NOT NULL', model, type) INTO fault;
			RETURN CASE WHEN again IS DISTINCT FROM model THEN 'reads as ' || again
				WHEN d.converged IS DISTINCT FROM false THEN 'converged: ' || model
				WHEN coalesce(length(d.reason), 0) < 20 THEN 'no reason: ' || model
				WHEN d::text ~ 'NaN' THEN d::text
				WHEN d.condition_number < 1 THEN 'condition number ' || d.condition_number
				ELSE fault END;
		EXCEPTION WHEN OTHERS THEN
			RETURN CASE WHEN SQLERRM !~ error OR SQLSTATE <> '22023' THEN SQLSTATE || ' ' || SQLERRM END;
		END$$});
	for my $name (sort keys %nothing)
	{
		for my $model (qw(bgnbd mbgnbd paretonbd bgbb))
		{
			my $query = "SELECT ${model}_fit(purchase_histories(x, tx, t, n)) FROM (VALUES $nothing{$name}) v (x, tx, t, n)";
			# a history that bgbb cannot have
			my $error = $model eq 'bgbb' ? '^a history of frequency .* cannot be one of bgbb$|opportunities' : '^-$';
			is(sql("SELECT fault_of(\$q\$$query\$q\$, '$model', '$error')"), '', "$model: $name");
		}
	}
	my %spend = (
		'one customer' => '(3,5,1)',
		'one history' => '(3,5,50)',
		'all spend the same' => '(1,5,50),(2,5,3),(7,5,9)',
		'one purchase each' => '(1,5,50),(1,7,3),(1,9,9),(1,30,4)',
		'tiny values' => '(1,1e-300,3),(2,2e-300,4),(3,5e-300,5)',
		'huge values' => '(1,1e300,3),(2,2e300,4),(3,5e300,5)',
		'the largest values' => '(1,1.7e308,3),(2,1.7e308,4),(3,1e308,5)',
		'the largest frequencies' => '(2147483647,5,3),(2147483646,9,4),(1,7,5)',
		'values of all sizes' => '(1,1e-300,3),(2,1,4),(3,1e300,5)',
		'as many customers as can be' => '(1,5,9007199254740990),(3,7,1)');
	for my $name (sort keys %spend)
	{
		is(sql("SELECT fault_of('SELECT gamma_gamma_fit(spend_histories(x, m, n)) FROM (VALUES $spend{$name}) v (x, m, n)', 'gamma_gamma', '^-\$')"), '', "gamma_gamma: $name");
	}
	for my $model (sort keys %truth)
	{
		my $kind = $model eq 'gamma_gamma' ? 'spend_histories(1, NULL)' : 'purchase_histories(1, 1, NULL)';
		is(sql("SELECT ${model}_fit($kind)::text"), '{"outcome": "too_few", "customers": 0}', "$model: no history, no fit");
		is(sql("SELECT ${model}_fit(NULL) IS NULL"), 't', "$model: of NULL");
	}
	return;
}

sub test_survivors
{
	is(sql("SELECT fault_of('SELECT sbg_fit(\$\$$_\$\$)', 'sbg', '^-\$')"), '', "sbg: survivors $_")
	  for '{}', '{0}', '{1000}', '{0,0,0}', '{1000,1000,1000}', '{1000,0}', '{1000,0,0}', '{1000,500}', '{1,1}', '{9007199254740992,1}', '{9223372036854775807,1,0}', '[0:2]={5,5,5}';
	like(sql("SELECT sbg_fit('$_->[0]')"), $_->[1], "sbg: survivors $_->[0]")
	  for [ '{10,11}', qr/element 2 of argument "survivors" must be from 0 to the one before, not 11/ ],
	  [ '{10,9,8,7,8}', qr/element 5 of argument "survivors" must be .*, not 8/ ],
	  [ '{-1}', qr/element 1 of argument "survivors" must be .*, not -1/ ],
	  [ '{10,NULL}', qr/element 2 of argument "survivors" must not be NULL/ ],
	  [ '{NULL}', qr/element 1 of argument "survivors" must not be NULL/ ],
	  [ '{{10,9},{8,7}}', qr/argument "survivors" must be an array of one dimension/ ];
	is(sql('SELECT sbg_fit(NULL) IS NULL'), 't', 'sbg: no survivors, no fit');
	# one loss a period is enough, and where the array begins does not matter
	is(sql("SELECT sbg_fit('[5:8]={100,80,70,65}')::text = sbg_fit('{100,80,70,65}')::text"), 't', 'sbg: any lower bound');
	return;
}

# One model of each kind and outcome, through all its forms.
sub test_round_trip
{
	my @fits = map { "SELECT '$_', m::text FROM (" . fit_of($_, "drawn WHERE model = '$_'") . ') s' } sort keys %truth;
	push @fits, "SELECT 'sbg', sbg_fit('{1000,869,743}')::text", "SELECT 'sbg', sbg_fit('{1000,1000}')::text", "SELECT 'sbg', sbg_fit('{1000}')::text",
	  "SELECT 'sbg', sbg(1e-300, 1e300)::text", "SELECT 'gamma_gamma', gamma_gamma(1, 0.1, 5e-324)::text", "SELECT 'bgnbd', bgnbd(1, 2, 1.7976931348623157e308, 0.1)::text",
	  "SELECT 'bgnbd', bgnbd_fit(purchase_histories(x, tx, 10)) ::text FROM (VALUES (0, 0), (3, 10), (1, 10)) v (x, tx)",
	  "SELECT 'mbgnbd', mbgnbd_fit(purchase_histories(0, 0, 10)) ::text", "SELECT 'paretonbd', paretonbd(0.1, 0.2, 0.3, 0.4)::text", "SELECT 'bgbb', bgbb(0.1, 0.2, 0.3, 0.4)::text";
	set_up('CREATE TABLE model (kind text, form text); INSERT INTO model ' . join ' UNION ALL ', @fits);
	for my $kind (sort keys %parameters)
	{
		set_up("CREATE TABLE stored AS SELECT form::$kind AS m FROM model WHERE kind = '$kind'; CREATE TABLE copied (m $kind)");
		is(sql("SELECT count(*) > 0 AND bool_and(m::text = form) FROM stored JOIN model ON m::text = form"), 't', "$kind: through text");
		set_up("\\copy stored TO '$folder/binary' (FORMAT binary)");
		set_up("\\copy copied FROM '$folder/binary' (FORMAT binary)");
		is(sql("SELECT array_agg(m::text ORDER BY m::text) = (SELECT array_agg(m::text ORDER BY m::text) FROM stored) AND bool_and(pg_column_size(m) > 0) FROM copied"), 't', "$kind: through bytes");
		is(sql("SET extra_float_digits = -15; SET DateStyle = German; SELECT count(*) FROM stored JOIN model ON kind = '$kind' AND m::text = form") > 0 ? 1 : 0, 1, "$kind: no setting changes its text");
		is(sql("SELECT bool_and(m::jsonb = form::jsonb) FROM stored JOIN model ON m::text = form"), 't', "$kind: as jsonb");
		my $names = join ' ', @{ $parameters{$kind} };
		is(sql("SELECT DISTINCT (SELECT string_agg(name, ' ' ORDER BY place) FROM parameters(m) WITH ORDINALITY p (name, e, s, l, u, place)) FROM stored"), $names, "$kind: its parameters in order");
		is(sql("SELECT count(*) FROM stored, parameters(m) WHERE (m::jsonb ->> name)::float8 IS DISTINCT FROM estimate"), '0', "$kind: and their estimates");
		set_up('DROP TABLE stored, copied');
	}
	return;
}

# Texts of models with changes that somebody may try.
sub test_hostile_text
{
	my @texts = map { [ split /\|/, $_, 2 ] } split /\n/, sql('SELECT kind, form FROM model');
	set_up(q{CREATE TABLE hostile (kind text, form text);
		CREATE FUNCTION reads_as(kind text, form text) RETURNS text LANGUAGE plpgsql AS $$
		DECLARE
			again text;
		BEGIN
			EXECUTE format('SELECT $1::%I::text', kind) INTO again USING form;
			RETURN again;
		EXCEPTION WHEN OTHERS THEN
			RETURN SQLSTATE || ' ' || SQLERRM;
		END$$});
	my @rows;
	my @numbers = ('NaN', '"NaN"', 'Infinity', '-1', '0', '-0', '1e400', '-1e400', '1e-400', '1e308', 'null', '""', '[]', '{}', 'true', '9223372036854775808', '1e', '01', '4294967297', '9223372036854775807', '.5', '5.', '0x10', '1 2', '99999999999999999999999999');
	for (1 .. $fuzz_cases)
	{
		my ($kind, $text) = @{ pick(@texts) };
		for (1 .. pick(1, 1, 2, 4))
		{
			my $way = int rand 8;
			my $at = int rand length($text) + 1;
			if ($way == 0) { substr($text, $at, 1) = '' if $at < length $text }
			elsif ($way == 1) { substr($text, $at, 0) = pick(split //, '{}[],:"0123456789.eE+-\\ ntu') }
			elsif ($way == 2) { $text = substr($text, 0, $at) }
			elsif ($way == 3) { my @places = number_places($text); my $place = pick(@places) or next; substr($text, $place->[0], $place->[1]) = pick(@numbers) }
			elsif ($way == 4) { my @members = $text =~ /("\w+": (?:-?[\d.e+-]+|"\w+"))/g; my $member = pick(@members) or next; $text =~ s/\}\z/, $member}/ }
			elsif ($way == 5) { $text =~ s/"\w+": (?:-?[\d.e+-]+|"\w+")(?:, )?// if rand() < 0.5; $text =~ s/(, )?"\w+": -?[\d.e+-]+(?=\}\z)// }
			elsif ($way == 6) { my @members = $text =~ /"(\w+)"/g; my $name = pick(@members) or next; my $other = pick(@members, 'x', 'r', 'alpha', '', 'outcome'); $text =~ s/"$name"/"$other"/ }
			else { $kind = pick(sort keys %parameters) }
		}
		push @rows, "$kind\t" . ($text =~ s/([\\\t\n])/\\$1/gr) . "\n";
	}
	for my $kind (sort keys %parameters)
	{
		my @names = @{ $parameters{$kind} };
		my $all = join ', ', map { qq{"$_": 1} } @names;
		push @rows, map { "$kind\t$_\n" } "{$all, \"$names[0]\": 1}", '{}', '[]', 'null', '1', '""', "{$all} x", "{$all", '{' . join(', ', map { qq{"$_": 1} } @names[ 1 .. $#names ]) . '}',
		  (map { my $number = $_; '{' . join(', ', map { qq{"$_": $number} } @names) . '}' } @numbers), "{$all, \"covariance\": [[1]]}", "{$all, \"covariance\": " . ('[' x 100000) . '}',
		  "{$all, \"outcome\": \"too_few\"}", "{$all, \"outcome\": \"boundary\"}", "{$all, \"outcome\": \"given\", \"customers\": 5}", "{$all, \"unknown\": 1}";
	}
	write_file("$folder/hostile", @rows);
	set_up("\\copy hostile FROM '$folder/hostile'");
	is(sql("SELECT count(*) FROM hostile"), scalar @rows, 'hostile texts');
	set_up("CREATE TABLE answer AS SELECT kind, form, reads_as(kind, form) AS answer FROM hostile");
	is(sql("SELECT string_agg(DISTINCT left(answer, 5), ' ') FROM answer WHERE answer !~ '^\\{'"), '22P02', 'are refused as what cannot be such a text');
	is(sql("SELECT count(*) FILTER (WHERE answer LIKE '22P02%') BETWEEN $fuzz_cases / 10 AND count(*) - 1 FROM answer"), 't', 'many of them');
	is(sql("SELECT kind, form, answer FROM answer WHERE answer ~ '^\\{' AND (answer ~ 'NaN|[Ii]nf' OR reads_as(kind, answer) <> answer) LIMIT 3"), '', 'and what is taken is a model');
	is(sql("SELECT kind, answer FROM answer WHERE answer ~ '^\\{' AND NOT (SELECT bool_and((answer::jsonb ->> name)::float8 > 0) OR answer LIKE '%too_few%' FROM unnest(string_to_array(
		(SELECT names FROM (VALUES " . join(', ', map { "('$_', '" . join(',', @{ $parameters{$_} }) . "')" } sort keys %parameters) . ") v (k, names) WHERE k = kind), ',')) name) LIMIT 3"), '', 'with all its parameters');
	# what no one should take for a model
	for my $kind (sort keys %parameters)
	{
		my @names = @{ $parameters{$kind} };
		for my $number ('NaN', '0', '-1', '1e400', 'null', '"1"')
		{
			my $text = '{' . join(', ', map { qq{"$_": } . ($_ eq $names[-1] ? $number : 1) } @names) . '}';
			like(sql("SELECT '$text'::$kind"), qr/invalid input syntax for type $kind/, "$kind: $names[-1] is $number");
		}
	}
	return if sql('SHOW server_version_num') < 160000;
	is(sql("SELECT count(*) FROM answer WHERE pg_input_is_valid(form, kind) <> (answer ~ '^\\{')"), '0', 'pg_input_is_valid knows');
	return;
}

# The binary form with changed bytes: refused as bad data, or a model that is the same through text.
sub test_hostile_bytes
{
	my $client = WireClient->new($database);
	$client->query("SET log_min_messages = 'fatal'; SET log_min_error_statement = 'panic'");
	my $backend = $client->value('SELECT pg_backend_pid()');
	seed_random($ENV{SEED} || 1);
	for my $kind (sort keys %parameters)
	{
		$client->prepare("of $kind", "SELECT ${kind}_send(\$1::text::$kind)");
		$client->prepare("take $kind", "SELECT ${kind}_send(\$1), \$1::$kind\::text");
		my @forms = map { $_->{row}[0] } $client->run("of $kind", 'text', split /\n/, sql("SELECT form FROM model WHERE kind = '$kind'"));
		my @values = map { mutated_bytes($forms[ random_below(scalar @forms) ]) } 1 .. $fuzz_cases / 6;
		for my $form (@forms)
		{
			push @values, map { substr $form, 0, $_ } 0 .. length($form) - 1;
			# each of the numbers, which begin there
			for my $place (map { 15 + 8 * $_ } 0 .. (length($form) - 15) / 8 - 1)
			{
				push @values, map { substr($form, 0, $place) . pack('d>', $_) . substr($form, $place + 8) } 9**9**9 - 9**9**9, 9**9**9, -1;
			}
		}
		my @answers = $client->run("take $kind", 'binary', @values);
		my @taken = grep { $answers[$_]{row} } 0 .. $#answers;
		my $refused = @answers - @taken;
		my ($other) = grep { defined $_->{sqlstate} && $_->{sqlstate} !~ /^(?:22...|08P01)\z/ } @answers;
		is($other && "$other->{sqlstate} $other->{message}", undef, "$kind: changed bytes are refused as bad data");
		my @again = $client->run("of $kind", 'text', map { $answers[$_]{row}[1] } @taken);
		my ($wrong) = grep { !$again[$_]{row} || $again[$_]{row}[0] ne $answers[ $taken[$_] ]{row}[0] } 0 .. $#taken;
		is(defined $wrong ? unpack('H*', $values[ $taken[$wrong] ]) . " $answers[ $taken[$wrong] ]{row}[1]" : undef, undef, "$kind: what is taken is the same through text");
		cmp_ok($refused, '>', @forms, "$kind: $refused of " . @answers . ' were refused');
		cmp_ok($refused, '<', @answers, "$kind: not all");
	}
	is($client->value('SELECT pg_backend_pid()'), $backend, 'the server lived through all of it');
	return;
}

sub mutated_bytes
{
	my $bytes = shift;
	for (0 .. random_below(3))
	{
		my $at = random_below(length $bytes);
		my $way = random_below(6);
		if ($way == 0) { substr($bytes, $at, 1) = chr random_below(256) }
		elsif ($way == 1) { substr($bytes, $at, 1) ^= chr(1 << random_below(8)) }
		# numbers: NaN, infinity, 0, -0, -1, a subnormal one; of a place where there may be one
		elsif ($way == 2) { substr($bytes, 15 + 8 * int(($at - 15) / 8), 8) = pack 'd>', (9**9**9 - 9**9**9, 9**9**9, 0, -0.0, -1, 5e-324)[ random_below(6) ] if $at >= 15 }
		elsif ($way == 3) { substr($bytes, 1 + random_below(2), 1) = chr random_below(10) }
		elsif ($way == 4) { substr($bytes, $at, 1 + random_below(9)) = '' if random_below(4) == 0 && $at > 0 }
		else { $bytes .= chr random_below(256) if random_below(4) == 0 }
	}
	return $bytes;
}

# Place and length of the numbers in a text.
sub number_places
{
	my $text = shift;
	my @places;
	push @places, [ $-[1], length $1 ] while $text =~ /[ \[](-?\d[\d.e+-]*)/g;
	return @places;
}

# A fit that would take long stops when it is told.
sub test_interrupts
{
	my %long = (
		bgbb => "purchase_histories(i, 1000 * i, 1000000 - i) FROM generate_series(1, 900) i",
		paretonbd => 'purchase_histories(1 + i % 9, i * 0.001, 1000 + i % 11) FROM generate_series(1, 400000) i',
		mbgnbd => 'purchase_histories(1 + i % 9, i * 0.001, 1000 + i % 11) FROM generate_series(1, 400000) i');
	for my $model (sort keys %long)
	{
		set_up("CREATE TABLE long AS SELECT $long{$model}");
		my $started = time;
		like(sql("SET statement_timeout = '100ms'; SELECT ${model}_fit(purchase_histories) FROM long"), qr/statement timeout/, "$model: a long fit is stopped");
		cmp_ok(time - $started, '<', 2, 'soon');
		set_up('DROP TABLE long');
	}
	return;
}

# The table of results in the papers, and what is known of the data otherwise.
sub test_published
{
  SKIP:
	{
		skip 'no real data: see ../shared', 12 if !-e "$data/cdnow_sample_summary.csv";
		set_up("CREATE TABLE cdnow (id int, first date, last date, frequency int, recency float8, age float8, cents bigint, holdout int, monetary float8)");
		set_up("\\copy cdnow FROM '$data/cdnow_sample_summary.csv' (FORMAT csv, HEADER)");
		set_up("CREATE TABLE donation (frequency int, recency float8, periods float8, customers bigint)");
		set_up("\\copy donation FROM '$data/donations_summary.csv' (FORMAT csv, HEADER)");
		my $weeks = 'purchase_histories(frequency, recency / 7, age / 7)) AS m FROM cdnow';
		published('bgnbd', "SELECT bgnbd_fit($weeks", -9582.429, 'CDNOW', '.2426', '4.414', '.793', '2.426');
		published('mbgnbd', "SELECT mbgnbd_fit($weeks", -9582.136, 'CDNOW', '.52484', '6.18309', '.89136', '1.61400');
		published('paretonbd', "SELECT paretonbd_fit($weeks", -9594.976, 'CDNOW', '.5533', '10.578', '.6062', '11.669');
		published('gamma_gamma', 'SELECT gamma_gamma_fit(spend_histories(frequency, monetary)) AS m FROM cdnow WHERE frequency > 0', -4055.918, 'CDNOW', '6.25', '3.74', '15.44');
		published('bgbb', 'SELECT bgbb_fit(purchase_histories(frequency, recency, periods, customers)) AS m FROM donation', -33225.58, 'donations', '1.204', '.750', '.657', '2.783');
		my $errors = result_of("SELECT bgnbd_fit($weeks")->{std_error};
		is(join(' ', map { rounded($errors->{ $_->[0] }, $_->[1]) } [ r => '.01256' ], [ alpha => '.3782' ], [ a => '.1857' ], [ b => '.7054' ]), '.01256 .3782 .1857 .7054', 'bgnbd, CDNOW: published standard errors');
		my %expected = (bgnbd => '1653.4', mbgnbd => '1576.7', paretonbd => '1665.5');
		is(rounded(sql("SELECT sum(expected_purchases(m, 39, frequency, recency / 7, age / 7)) FROM cdnow, (SELECT ${_}_fit($weeks) f"), $expected{$_}), $expected{$_}, "$_, CDNOW: expected purchases in 39 weeks")
		  for sort keys %expected;
		is(sql('SELECT sum(holdout), count(*), count(*) FILTER (WHERE frequency > 0) FROM cdnow'), '1882|2357|946', 'of those customers');
		# gone through counts and weights, and one by one, as the fits are
		is(sql("SELECT (bgbb_fit(purchase_histories(frequency, recency, periods))::text = bgbb_fit((SELECT purchase_histories(frequency, recency, periods, customers) FROM donation))::text)::text
			FROM donation, generate_series(1, customers)"), 'true', 'bgbb, donations: one by one');
		is(sql('SELECT customers FROM diagnostics((SELECT bgbb_fit(purchase_histories(frequency, recency, periods, customers)) FROM donation))'), '11104', 'bgbb, donations: customers');
	}
	published('sbg', "SELECT sbg_fit('{1000,869,743,653,593,551,517,491}') AS m", -1611.158, 'high end', '.668', '3.806');
	published('sbg', "SELECT sbg_fit('{1000,631,468,382,326,289,262,241}') AS m", -1680.265, 'regular', '.704', '1.182');
	return;
}

# All digits that are printed, and the log-likelihood to 1e-3.
sub published
{
	my ($model, $query, $log_likelihood, $title, @expected) = @_;
	my $result = result_of($query);
	my @names = @{ $parameters{$model} };
	my @got = map { rounded($result->{estimate}{ $names[$_] }, $expected[$_]) } 0 .. $#names;
	my ($digits) = $log_likelihood =~ /\.(\d+)/;
	is("$result->{converged}: @got, " . sprintf("%.*f", length $digits, $result->{log_likelihood}), "t: @expected, $log_likelihood", "$model, $title: as published");
	return;
}

# A number with as many digits behind the point as this one.
sub rounded
{
	my ($number, $like) = @_;
	my ($digits) = $like =~ /\.(\d+)/;
	my $text = sprintf '%.*f', length $digits, $number;
	$text =~ s/^0// if $like =~ /^\./;
	return $text;
}

sub pick
{
	return $_[ int rand @_ ];
}

sub write_file
{
	my ($path, @lines) = @_;
	open my $file, '>', $path or die "$path: $!\n";
	print {$file} @lines;
	close $file or die "$path: $!\n";
	return;
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
