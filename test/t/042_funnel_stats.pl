# Funnel statistics: the same bytes for any order of rows, plan and merge tree; hostile
# binary and text input; and, without a server, the functions below them against
# their definitions and a table of exact values.
#
#	FUZZ_CASES=4000 SEED=1	how many mutated binary values; half as many texts
use strict;
use warnings;
use File::Temp;
use FindBin;
use lib "$FindBin::Bin/../fuzz";
use Test::More;
use WireClient qw(seed_random random_below);

my $last_failed;
my $database = 'funnel_stats_test';
my $cases = $ENV{FUZZ_CASES} || 4000;
my $seed = $ENV{SEED} || 1;
$ENV{PGOPTIONS} = '-c client_min_messages=error';

my $aggregate = "funnel_stats(times, '3 days', '2026-01-06')";
my $serial = 'SET max_parallel_workers_per_gather = 0; SET work_mem = \'1GB\'';
my $parallel = q{
	SET parallel_setup_cost = 0;
	SET parallel_tuple_cost = 0;
	SET min_parallel_table_scan_size = 0;
	SET max_parallel_workers_per_gather = 3;
	SET parallel_leader_participation = off};

test_library();

psql('postgres', "DROP DATABASE IF EXISTS $database");
psql('postgres', "CREATE DATABASE $database ENCODING 'UTF8' TEMPLATE template0");
my $client;
END
{
	my $status = $?;
	undef $client;
	psql('postgres', "DROP DATABASE IF EXISTS $database WITH (FORCE)");
	$? = $status;
}
make_rows();
test_orders();
test_plans();
test_merge_trees();
test_windows();
test_dump();
test_hostile();
done_testing();

# normal.c and log_histogram.c are plain C: a program of a few lines shows what they give.
sub test_library
{
	my $folder = File::Temp->newdir;
	my $source = "$FindBin::Bin/../../src";
	write_file("$folder/main.c", <<'END');
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log_histogram.h"
#include "base/normal.h"

int
main(int argc, char **argv)
{
	uint64_t	previous = 0;
	double		worst = 0;

	for (int i = 1; i + 1 < argc; i += 2)
	{
		double		x = strtod(argv[i + 1], NULL);

		printf("%.17g\n", strcmp(argv[i], "cdf") == 0 ? normal_cdf(x) :
			   strcmp(argv[i], "survival") == 0 ? normal_survival(x) :
			   strcmp(argv[i], "quantile") == 0 ? normal_quantile(x) : normal_critical_value(x));
	}

	/* the buckets follow one another without gap or overlap, from 1 to the end */
	for (int bucket = 1; bucket <= LOG_HISTOGRAM_LAST_BUCKET; bucket++)
	{
		uint64_t	lower = log_histogram_lower(bucket);
		uint64_t	upper = log_histogram_upper(bucket);
		long double middle = 2 * (long double) lower * upper / ((long double) lower + upper);

		if (upper < lower)
			continue;
		if (lower != previous + 1 || log_histogram_bucket(lower) != bucket || log_histogram_bucket(upper) != bucket)
			printf("bucket %d is wrong\n", bucket);
		worst = fmax(worst, fmax((upper - middle) / upper, (middle - lower) / lower));
		previous = upper;
	}
	/* within a doubling, at all the values that the numbering tells apart, numbers never fall */
	for (uint64_t s = 0; s < 1 << 28; s += 1 + s % 7)
	{
		int			here = log_histogram_bucket((UINT64_C(1) << 60) + (s << 32));
		int			next = log_histogram_bucket((UINT64_C(1) << 60) + ((s + 1) << 32));

		if (next < here || next > here + 1)
			printf("step from %d to %d\n", here, next);
	}
	printf("%d %d %d\n", previous == UINT64_MAX, worst < 0.01, worst > 0.0099);
	return 0;
}
END
	my @table = read_table();
	delete local $ENV{LD_PRELOAD};
	my $compiler = $ENV{CC} || 'gcc';
	is(run($compiler, '-std=gnu11', '-O2', '-ffp-contract=off', '-Wall', '-Wextra', '-Werror', "-I$source", '-o', "$folder/main",
			"$folder/main.c", "$source/base/normal.c", "$source/base/log_histogram.c", '-lm'), '', 'normal.c and log_histogram.c stand alone')
		or return;
	my @lines = split /\n/, run("$folder/main", map { @$_[ 0, 1 ] } @table);
	is(pop @lines, '1 1 1', 'the buckets of a histogram cover 64 bits, and none is wider than 1 % allows');
	my @far;
	for my $i (0 .. $#table)
	{
		my ($function, $argument, $exact) = @{ $table[$i] };
		my $difference = $exact == 0 ? abs $lines[$i] : abs($lines[$i] / $exact - 1);
		push @far, "$function($argument) = $lines[$i]" if !($difference < 1e-14);
	}
	is(join("\n", @far), '', 'the normal distribution within 1e-14 of ' . @table . ' exact values');
	is(join(' ', @lines[ scalar @table .. $#lines ]), '', 'the buckets follow one another');
	@lines = split /\n/, run("$folder/main", map { ('quantile', $_) } qw(0 1 -0.1 1.1 nan));
	is(join(' ', @lines[ 0 .. 4 ]) =~ s/-nan/nan/gr, '-inf inf nan nan nan', 'the quantile at the ends of its range and beyond');
	return;
}

# From mpmath with 120 digits, each for the double nearest to the argument.
sub read_table
{
	return map { [split] } split /\n/, <<'END';
cdf -20 2.7536241186062336951e-89
cdf -8.5 9.4795348222033183542e-18
cdf -3 0.0013498980316300945267
cdf -1 0.15865525393145705141
cdf -0.3 0.38208857781104736693
cdf -1e-9 0.4999999996010577196
cdf 0 0.5
cdf 1e-5 0.50000398942280394784
cdf 0.75 0.77337264762313180067
cdf 1.96 0.97500210485177956379
cdf 2.5 0.99379033467422386483
cdf 6 0.99999999901341235496
survival -5 0.99999971334842812081
survival -0.5 0.69146246127401310364
survival 0.1 0.46017216272297101633
survival 1 0.15865525393145705141
survival 1.959963984540054 0.025000000000000010876
survival 3.3 0.0004834241423837775071
survival 4.7 1.3008074539172809281e-6
survival 7 1.2798125438858350044e-12
survival 12.25 8.3997960636334176589e-35
survival 25 3.0566967063825609164e-138
survival 37.5 4.6053530095819548438e-308
quantile 5e-324 -38.467405617144346251
quantile 1e-308 -37.540674921545942401
quantile 1e-291 -36.483851329760485805
quantile 9e-290 -36.36039820126105264
quantile 1e-100 -21.273453560965324294
quantile 1e-20 -9.2623400897984075796
quantile 1e-5 -4.2648907939228246102
quantile 0.025 -1.9599639845400542118
quantile 0.1 -1.2815515655446004353
quantile 0.2499999 -0.67449006488262320492
quantile 0.25 -0.6744897501960817432
quantile 0.3 -0.52440051270804081597
quantile 0.49999999 -2.5066282733116223143e-8
quantile 0.5000001 2.5066282733116483012e-7
quantile 0.7 0.52440051270804065631
quantile 0.75 0.6744897501960817432
quantile 0.7500001 0.67449006488262303023
quantile 0.9 1.2815515655446005935
quantile 0.975 1.9599639845400538556
quantile 0.999 3.0902323061678132778
quantile 0.9999999999 6.3613408896974218642
critical 1e-300 1.2533141373155002826e-300
critical 1e-10 1.2533141373155002969e-10
critical 0.25 0.31863936396437516302
critical 0.5 0.6744897501960817432
critical 0.51 0.69030882393303398434
critical 0.9 1.6448536269514728225
critical 0.95 1.9599639845400538556
critical 0.99 2.5758293035489004539
critical 0.999999999999 7.1305098928792724473
END
}

# Times in all orders, repeats, steps skipped and not reached, gaps from 0 to centuries. Group 0
# is small, groups 1 to 20 are large.
sub make_rows
{
	set_up("CREATE EXTENSION engagement;
		SELECT setseed(0.3);
		CREATE TABLE passage AS
		SELECT g, array_agg(CASE WHEN n <= level AND (n = 1 OR n = level OR random() < 0.8) THEN t END ORDER BY n) AS times, random() AS place
		FROM (SELECT *, timestamptz '2026-01-01' + floor(random() * 5000) * interval '1 min' + n * CASE g % 5
					WHEN 0 THEN interval '0' WHEN 1 THEN floor(exp(random() * 15)) * interval '1 us'
					WHEN 2 THEN floor(exp(random() * 25)) * interval '0.001 s' WHEN 3 THEN floor(random() * 3) * interval '100000 days'
					ELSE floor(random() * 3) * interval '1 hour' END AS t
			FROM (SELECT i, CASE WHEN i = 1 THEN 0 WHEN i % 2 = 0 THEN 1 + i % 20 ELSE i % 399 END AS g, floor(random() * 5)::int AS level
				FROM generate_series(1, 20000) i) v, generate_series(1, 4) n) s
		GROUP BY i, g;
		UPDATE passage SET times = NULL WHERE place < 0.02;
		CREATE TABLE shuffled AS SELECT * FROM passage ORDER BY random();
		ANALYZE passage, shuffled;
		-- what all others are compared with: one process, sorted input
		$serial; SET enable_hashagg = off;
		CREATE TABLE reference AS SELECT g, $aggregate AS s FROM (SELECT * FROM passage ORDER BY g, place) s GROUP BY g;
		CREATE AGGREGATE unfinished(timestamptz[], interval, timestamptz) (STYPE = funnel_stats, SFUNC = funnel_stats_accum)");
	is(sql("SELECT count(*) > 350, sum(reached) > 10000, sum(in_progress) > 1000, sum(skipped) > 1000
		FROM reference, funnel_steps(s)"), 't|t|t|t', 'there is something to compare');
	is(sql("SELECT count(*) FROM (SELECT g, (funnel_steps(s)).* FROM reference) r JOIN (SELECT g, n AS step,
			count(*) FILTER (WHERE (SELECT max(k) FROM unnest(times) WITH ORDINALITY u (t, k) WHERE t IS NOT NULL) >= n) AS reached
		FROM passage, generate_series(1, 4) n GROUP BY g, n) p USING (g, step) WHERE r.reached <> p.reached"), '0', 'as many as plain SQL counts');
	return;
}

sub test_orders
{
	same('rows in the order of the heap', "SELECT g, $aggregate AS s FROM passage GROUP BY g", $serial);
	same('rows in random order', "SELECT g, $aggregate AS s FROM shuffled GROUP BY g", $serial);
	same('rows in reverse order', "SELECT g, $aggregate AS s FROM (SELECT * FROM passage ORDER BY g, place DESC) s GROUP BY g", $serial);
	same('by the times', "SELECT g, $aggregate AS s FROM (SELECT * FROM passage ORDER BY times) s GROUP BY g", $serial);
	same('a grouping set', "SELECT g, s FROM (SELECT g, $aggregate AS s FROM shuffled GROUP BY GROUPING SETS ((g), ())) s
		WHERE g IS NOT NULL", $serial);
	same('arrays that are not stored', "SELECT g, funnel_stats(times || NULL::timestamptz[], '3 days', '2026-01-06') AS s FROM shuffled GROUP BY g", $serial);
	# a state with room to spare is equal to the same without
	is(sql("SELECT count(*) > 350 AND bool_and(u = s AND s = u AND NOT u <> s AND funnel_stats_hash(u) = funnel_stats_hash(s)
			AND funnel_stats_hash_extended(u, 3) = funnel_stats_hash_extended(s, 3) AND u::text = s::text AND funnel_stats_send(u) = funnel_stats_send(s)),
			bool_or(pg_column_size(u) > pg_column_size(s))
		FROM reference JOIN (SELECT g, unfinished(times, '3 days', '2026-01-06') AS u FROM shuffled GROUP BY g) m USING (g) WHERE u IS NOT NULL"),
		't|t', 'a state that no final function has seen is the same');
	return;
}

# Each plan is looked at, so that nothing else is tested by mistake.
sub test_plans
{
	my $query = "SELECT g, $aggregate AS s FROM shuffled GROUP BY g";
	same('sorted groups', $query, "$serial; SET enable_hashagg = off", qr/GroupAggregate/);
	same('hashed groups', $query, "$serial; SET enable_sort = off", qr/HashAggregate.*Batches: 1 /s);
	same('spilled hash aggregation', $query,
		"$serial; SET enable_sort = off; SET work_mem = '64kB'; SET hash_mem_multiplier = 1",
		qr/HashAggregate.*Batches: (?:[2-9]|\d\d).*Disk Usage/s);
	same('workers that hash', $query, "$parallel; SET enable_sort = off; SET work_mem = '1GB'",
		qr/Workers Launched: [1-9].*Partial HashAggregate/s);
	same('workers that sort', $query, "$parallel; SET enable_hashagg = off",
		qr/Workers Launched: [1-9].*Partial GroupAggregate/s);
	same('workers that spill', $query,
		"$parallel; SET enable_sort = off; SET work_mem = '64kB'; SET hash_mem_multiplier = 1",
		qr/Workers Launched: [1-9].*Partial HashAggregate.*Batches: (?:[2-9]|\d\d).*Disk Usage/s);
	set_up("CREATE TABLE part AS SELECT g, floor(place * 16)::int AS piece, $aggregate AS s FROM shuffled GROUP BY 1, 2; ANALYZE part");
	same('workers that merge', 'SELECT g, rollup(s) AS s FROM part GROUP BY g',
		"$parallel; SET enable_sort = off; SET work_mem = '1GB'", qr/Workers Launched: [1-9].*Partial HashAggregate/s);
	is(sql("$parallel; SELECT md5(funnel_stats_send($aggregate)) FROM shuffled"),
		sql("$serial; SELECT md5(funnel_stats_send(rollup(s))) FROM reference"), 'one group of all rows, by workers');
	return;
}

sub test_merge_trees
{
	same('rollup of 16 pieces', 'SELECT g, rollup(s ORDER BY random()) AS s FROM part GROUP BY g', $serial);
	same('rollup of rollups', 'SELECT g, rollup(s) AS s FROM (SELECT g, rollup(s) AS s FROM (SELECT g, piece % 4 AS piece, rollup(s) AS s
		FROM part GROUP BY g, piece % 8, piece % 4) s GROUP BY g, piece) s GROUP BY g', $serial);
	same('random trees', 'SELECT g, rollup(s) AS s FROM (SELECT g, coalesce(funnel_stats_combine(rollup(s) FILTER (WHERE place < 0.5),
				rollup(s) FILTER (WHERE place >= 0.5)), rollup(s)) AS s
			FROM (SELECT *, random() AS place, floor(random() * 3) AS branch FROM part) p GROUP BY g, branch) s GROUP BY g', $serial);
	same('rollup of each row', "SELECT g, rollup(s) AS s FROM (SELECT g, $aggregate AS s FROM shuffled GROUP BY g, place) s GROUP BY g", $serial);
	same('rollup of each row by workers', "SELECT g, rollup(s) AS s FROM one_row GROUP BY g", "CREATE TABLE one_row AS SELECT g, $aggregate AS s FROM shuffled GROUP BY g, place;
		ANALYZE one_row; $parallel; SET enable_sort = off; SET work_mem = '1GB'", qr/Workers Launched: [1-9].*Partial HashAggregate/s);
	# the first input of rollup comes as it is stored: with a short header never, compressed, or out of line
	set_up("CREATE TABLE toasted (LIKE part); ALTER TABLE toasted ALTER s SET STORAGE external; INSERT INTO toasted SELECT g, piece, funnel_stats_final(s) FROM part");
	is(sql("SELECT sum(pg_column_size(s)) FROM part") < sql("SELECT sum(pg_column_size(s)) FROM toasted") ? 1 : 0, 1, 'some are stored compressed, some out of line');
	same('rollup of what is out of line', 'SELECT g, rollup(s) AS s FROM toasted GROUP BY g', $serial);
	is(sql('SELECT count(*) FROM part p JOIN toasted t USING (g, piece) WHERE p.s <> t.s'), '0', 'and none of it has changed');
	return;
}

# The final function is called for each row, and more rows follow.
sub test_windows
{
	is(sql("WITH week AS (SELECT g, piece, rollup(s) OVER w AS s, array_agg(s) OVER w AS parts FROM part WHERE g <= 60
				WINDOW w AS (PARTITION BY g ORDER BY piece ROWS BETWEEN 6 PRECEDING AND CURRENT ROW))
		SELECT count(*) > 500 AND count(*) FILTER (WHERE funnel_stats_send(s) IS DISTINCT FROM
			(SELECT funnel_stats_send(rollup(u)) FROM unnest(parts) u)) = 0 FROM week"), 't', 'rollup over a moving window');
	is(sql("WITH running AS (SELECT g, place, $aggregate OVER (PARTITION BY g ORDER BY place) AS s FROM shuffled WHERE g IN (0, 25, 77, 78))
		SELECT count(*) > 70 AND count(*) FILTER (WHERE funnel_stats_send(s) IS DISTINCT FROM (SELECT funnel_stats_send($aggregate)
			FROM shuffled p WHERE p.g = r.g AND p.place <= r.place)) = 0 FROM running r"), 't', 'each of running statistics');
	return;
}

sub test_dump
{
	same('through text', 'SELECT g, s::text::funnel_stats AS s FROM reference', $serial);
	for my $format ('text', 'binary')
	{
		set_up("CREATE TABLE ${format}_copy (LIKE reference)");
		system("psql -Xq -d $database -c 'COPY reference TO STDOUT (FORMAT $format)' | psql -Xq -d $database -c 'COPY ${format}_copy FROM STDIN (FORMAT $format)'") == 0
			or die "COPY failed\n";
		same("through COPY, $format", "SELECT * FROM ${format}_copy", $serial);
	}
	return;
}

# What is accepted has one form only: it is sent as it came.
sub test_hostile
{
	$client = WireClient->new($database);
	$client->query("SET log_min_messages = 'fatal'");
	$client->query("SET log_min_error_statement = 'panic'");
	$client->prepare('send', 'SELECT funnel_stats_send($1), (funnel_stats_send($1::funnel_stats::text::funnel_stats) = funnel_stats_send($1))::int4,
		(SELECT count(*) FROM funnel_steps($1))');
	my $backend = $client->value('SELECT pg_backend_pid()');
	my @samples = map { [ pack('H*', $_->[0]), $_->[1] ] } $client->query("SELECT encode(funnel_stats_send(s), 'hex'), s::text
		FROM (SELECT s FROM reference WHERE s IS NOT NULL AND length(s::text) < 1000 ORDER BY g LIMIT 60) s
		UNION ALL SELECT encode(funnel_stats_send(s), 'hex'), s::text FROM unnest(ARRAY['(null, null, (0, 1, 0, 0, {}))',
			'(null, null, (0, 0, 0, 0, {}), (0, 9223372036854775807, 0, 0, {0:9223372036854775807}))']::funnel_stats[]) s");
	my @answers = $client->run('send', 'binary', map { $_->[0] } @samples);
	is(scalar(grep { accepted($answers[$_], $samples[$_][0]) } 0 .. $#samples), scalar @samples, 'each sample is sent as it was received');
	my @cut = map { my $bytes = $_->[0]; map { substr $bytes, 0, $_ } 0 .. length($bytes) - 1 } @samples[ 0 .. 9 ];
	@answers = $client->run('send', 'binary', @cut, map { "$_->[0]\0" } @samples);
	is(scalar(grep { ($_->{sqlstate} // '') !~ /^(?:22P03|08P01)$/ } @answers), 0, 'cut off anywhere or a byte too long, none is accepted');

	# version, flags, within, as_of, steps; in_progress, dropped, skipped, sum, buckets; bucket, count
	my $one = pack('CCq>q>C', 1, 0, 0, 0, 1);
	my @wrong = (
		[ 'version 2', pack('CCq>q>C', 2, 0, 0, 0, 1) . step(0, 1) ],
		[ 'an unknown flag', pack('CCq>q>C', 1, 8, 0, 0, 1) . step(0, 1) ],
		[ 'the flag of an unfinished state', pack('CCq>q>C', 1, 4, 0, 0, 1) . step(0, 1) ],
		[ 'a window without its flag', pack('CCq>q>C', 1, 0, 5, 0, 1) . step(0, 1) ],
		[ 'a time without its flag', pack('CCq>q>C', 1, 1, 0, 5, 1) . step(0, 1) ],
		[ 'a time without a window', pack('CCq>q>C', 1, 2, 0, 0, 1) . step(0, 1) ],
		[ 'a negative window', pack('CCq>q>C', 1, 1, -1, 0, 1) . step(0, 1) ],
		[ 'an infinite time', pack('CCq>q>C', 1, 3, 0, 9223372036854775807, 1) . step(0, 1) ],
		[ 'a time after 294276', pack('CCq>q>C', 1, 3, 0, 9223372036854775806, 1) . step(0, 1) ],
		[ 'no steps', pack('CCq>q>C', 1, 0, 0, 0, 0) ],
		[ '65 steps', pack('CCq>q>C', 1, 0, 0, 0, 65) . step(0, 0) x 65 ],
		[ 'negative visitors', $one . step(0, -1) ],
		[ 'negative skips', $one . step(0, 1, -1) ],
		[ 'somebody in progress without a time', $one . step(1, 0) ],
		[ 'a bucket count less than announced', $one . substr(step(0, 0), 0, -2) . pack('n', 65535) ],
		[ 'bucket 2241', pack('CCq>q>C', 1, 0, 0, 0, 2) . step(0, 0) . step(0, 1, 0, 0, 0, 2241, 1) ],
		[ 'a negative count', pack('CCq>q>C', 1, 0, 0, 0, 2) . step(0, 0) . step(0, 1, 0, 0, 0, 0, 2, 1, -1) ],
		[ 'a sum of 2^127', pack('CCq>q>C', 1, 0, 0, 0, 2) . step(0, 0) . step(0, 1, 0, -9223372036854775807 - 1, 0, 2240, 1) ],
	);
	@answers = $client->run('send', 'binary', map { $_->[1] } @wrong);
	is(join(', ', map { $wrong[$_][0] . ' ' . ($answers[$_]{sqlstate} // '') } grep { ($answers[$_]{sqlstate} // '') !~ /^(?:22P03|08P01)$/ } 0 .. $#wrong),
		'', 'wrong in one thing, each is an invalid binary representation');
	ok(accepted(($client->run('send', 'binary', $one . step(0, 1)))[0], $one . step(0, 1)), 'and right in all it is accepted');

	seed_random($seed);
	fuzz('binary', $cases, \&mutate_bytes, map { $_->[0] } @samples);
	fuzz('text', $cases / 2, \&mutate_text, map { $_->[1] } @samples);
	is($client->value('SELECT pg_backend_pid()'), $backend, 'the server lived through all of it');
	return;
}

sub step
{
	my ($in_progress, $ended, $skipped, $high, $low, @buckets) = (@_, (0) x (@_ < 5 ? 5 - @_ : 0));
	my $bytes = pack('q>q>q>q>q>n', $in_progress, $ended, $skipped, $high, $low, @buckets / 2);
	while (my ($bucket, $count) = splice @buckets, 0, 2)
	{
		$bytes .= pack('nq>', $bucket, $count);
	}
	return $bytes;
}

sub accepted
{
	my ($answer, $bytes) = @_;
	return $answer->{row} && (!defined $bytes || $answer->{row}[0] eq $bytes) && unpack('N', $answer->{row}[1]) == 1;
}

sub fuzz
{
	my ($form, $count, $mutate, @samples) = @_;
	my ($accepted, $rejected, @wrong) = (0, 0);
	my @values = map { $mutate->(\@samples) } 1 .. $count;
	my @answers = $client->run('send', $form, @values);
	for my $i (0 .. $#answers)
	{
		my $state = $answers[$i]{sqlstate};
		$state ? $rejected++ : $accepted++;
		push @wrong, "$state $answers[$i]{message}" if $state && $state !~ /^(?:22...|08P01)$/;
		push @wrong, unpack('H*', $values[$i]) if !$state && !accepted($answers[$i], $form eq 'binary' ? $values[$i] : undef);
	}
	is(join("\n", @wrong[ 0 .. ($#wrong < 9 ? $#wrong : 9) ]), '', "$form: what is rejected is a data error, what is accepted has one form");
	ok($accepted > 0 && $rejected > 0, "$form: of $count mutations (seed $seed) $accepted accepted, $rejected rejected");
	return;
}

sub mutate_bytes
{
	my $samples = shift;
	my $bytes = $samples->[ random_below(scalar @$samples) ];
	for (0 .. random_below(2))
	{
		my $at = random_below(length $bytes || 1);
		my $what = random_below(8);
		if ($what <= 3) { substr($bytes, $at, 1) ^= chr(1 << random_below(8)); }
		elsif ($what == 4) { substr($bytes, $at, 1) = chr random_below(256); }
		elsif ($what == 5) { substr($bytes, $at, random_below(12)) = ''; }
		elsif ($what == 6) { substr($bytes, $at, 0) = substr $bytes, random_below(length $bytes || 1), 1 + random_below(12); }
		else { substr($bytes, $at, 8) = pack 'q>', ~0 >> random_below(64); }
		$bytes = "\1" if $bytes eq '';
	}
	return $bytes;
}

sub mutate_text
{
	my $samples = shift;
	my @pieces = ('(', ')', '{', '}', ',', ':', ' ', '-', 'null', '0', '9', '1', '9223372036854775807', '340282366920938463463374607431768211456', '.5', 'e', '0:1', '2240:1, ');
	my $text = $samples->[ random_below(scalar @$samples) ];
	for (0 .. random_below(2))
	{
		my $at = random_below(length $text || 1);
		my $what = random_below(5);
		if ($what == 0) { substr($text, $at, 1) = $pieces[ random_below(scalar @pieces) ]; }
		elsif ($what == 1) { substr($text, $at, 0) = $pieces[ random_below(scalar @pieces) ]; }
		elsif ($what == 2) { substr($text, $at, 1 + random_below(4)) = ''; }
		elsif ($what == 3) { substr($text, $at, 0) = substr $text, $at, 1 + random_below(30); }
		else { substr($text, $at, 1) = chr(48 + random_below(10)); }
	}
	return $text;
}

# Do these equal the reference, byte for byte? With a pattern, the plan must match it, actual
# numbers included.
sub same
{
	my ($name, $query, $settings, $plan) = @_;
	my $difference = 'SELECT count(*) FROM reference r FULL JOIN made m USING (g)
		WHERE funnel_stats_send(r.s) IS DISTINCT FROM funnel_stats_send(m.s) OR r.s IS DISTINCT FROM m.s';
	if ($plan)
	{
		like(sql("$settings; EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) $query"), $plan, "plan of $name");
		$settings =~ s/CREATE TABLE.*?;\s*ANALYZE \w+;//s;
	}
	# CREATE TABLE AS takes the same plans as the query alone
	is(sql("$settings; CREATE TEMP TABLE made AS $query; RESET ALL; SELECT count(*) > 0, ($difference) FROM made"), 't|0', $name);
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
	return run('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $db, '-c', "SET timezone = 'UTC'", '-c', $sql) =~ s/\n\z//r;
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
