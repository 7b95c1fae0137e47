# ClickHouse and DuckDB beside engagement: the same funnel on the same events, one process and one thread each,
# run in turns. test/bench/run calls peers::measure; client.js runs their SQL.
#
# Each system gets the rows ordered by visitor and time, in the types and with the query that suit it best among those
# tried. All tables are in memory: our own in shared buffers, ClickHouse's parts in the file cache, DuckDB's in itself.
package peers;
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use IPC::Open2 qw(open2);
use List::Util qw(min max);

my $here = dirname(abs_path(__FILE__));

# Of a folder filled by peers/install: the table as Markdown, and what is missing, if anything.
sub measure
{
	my ($folder, $rounds, $funnels, $bench) = @_;
	return (undef, 'ClickHouse and DuckDB were not installed (node and npm are needed), or cannot be read by the user who runs the bench.')
		unless -r "$folder/installed.json" && -r "$folder/node_modules";
	my $data = tempdir('peers_XXXXXX', DIR => $ENV{HOME}, CLEANUP => 1);
	local $SIG{PIPE} = 'IGNORE';
	my ($table, @running);
	my $done = eval { $table = table($data, $folder, $rounds, $funnels, $bench, \@running); 1 };
	my $error = $@;
	for my $system (@running)
	{
		close($system->{to});
		waitpid($system->{pid}, 0);
	}
	return $done ? ($table) : (undef, "ClickHouse and DuckDB were left out: $error");
}

sub table
{
	my ($data, $folder, $rounds, $funnels, $bench, $running) = @_;
	$bench->{progress}->('loading ClickHouse and DuckDB');
	system("psql -X -q -v ON_ERROR_STOP=1 -c 'COPY (SELECT visitor, extract(epoch FROM at)::bigint, event FROM event ORDER BY visitor, at) TO STDOUT' > $data/events.tsv") == 0
		or die "the events could not be exported\n";
	my @figures = (ours($funnels), clickhouse($data, $folder, $funnels, $running), duckdb($data, $folder, $funnels, $running));
	unlink "$data/events.tsv";

	my ($expected) = $bench->{query}->("$bench->{settings} $funnels->{reached}");
	for my $figure (grep { $_->{reached} } @figures)
	{
		$bench->{compare}->($figure->{name}, $expected, (ask($figure->{system}, $figure->{reached}))[2]);
	}
	for my $round (1 .. $rounds)
	{
		$bench->{progress}->("peers, round $round of $rounds");
		for my $figure (@figures)
		{
			my ($wall, $cpu) = $figure->{system} ? ask($figure->{system}, $figure->{sql}) : ask_postgres($bench, $figure->{sql});
			push @{ $figure->{wall} }, $wall;
			push @{ $figure->{cpu} },  $cpu;
		}
	}
	my $ours = $bench->{middle}->(@{ $figures[0]{wall} });
	my $text = "| One funnel, one thread | ms | range | processor, ms | to ours | target | |\n|:--|--:|--:|--:|--:|--:|:--|\n";
	for my $figure (@figures)
	{
		my $ratio = $bench->{middle}->(@{ $figure->{wall} }) / $ours;
		$text .= sprintf("| %s | %.0f | %.0f-%.0f | %.0f | %.2f | %s | %s |\n", $figure->{name}, $ratio * $ours, min(@{ $figure->{wall} }),
			max(@{ $figure->{wall} }), $bench->{middle}->(@{ $figure->{cpu} }), $ratio, $bench->{at_least}->($ratio, $figure->{target}));
	}
	return $text;
}

# --- the systems: a figure has a name, the timed sql, and reached, whose answer is compared ---

sub ours
{
	my ($funnels) = @_;
	return map { { name => "engagement: $_->{name}", sql => $_->{sql} } } @{ $funnels->{for_peers} };
}

sub clickhouse
{
	my ($data, $folder, $funnels, $running) = @_;
	my $system = start($folder, 'clickhouse', "$data/clickhouse", $running);
	my $name   = 'ClickHouse ' . (ask($system, 'SELECT version()'))[2] . ': windowFunnel';
	my %type   = (text => 'String', dictionary => 'LowCardinality(String)');
	for my $table (sort keys %type)
	{
		ask($system, "CREATE TABLE $table (visitor UInt64, at DateTime, event $type{$table}) ENGINE = MergeTree ORDER BY (visitor, at)");
		ask($system, "INSERT INTO $table SELECT visitor, at, event FROM file('$data/events.tsv', TSV, 'visitor UInt64, at UInt32, event String')");
		ask($system, "OPTIMIZE TABLE $table FINAL");
	}
	my $conditions = join(', ', map { "event = '$_'" } @{ $funnels->{steps} });
	my $only       = 'WHERE event IN (' . join(', ', map { "'$_'" } @{ $funnels->{steps} }) . ')';
	my $reached    = join(', ', map { "countIf(level >= $_)" } 1 .. @{ $funnels->{steps} });
	my $figure     = sub {
		my ($what, $table, $where, $setting, $target) = @_;
		my $levels = "FROM (SELECT windowFunnel($funnels->{within_seconds})(at, $conditions) AS level FROM $table $where GROUP BY visitor)
			SETTINGS max_threads = 1$setting";
		return { name => "$name, $what", system => $system, sql => "SELECT sum(level) $levels", reached => "SELECT $reached $levels", target => $target };
	};
	return ($figure->('event String', 'text', '', ''),
		$figure->('event LowCardinality(String)', 'dictionary', '', '', 3),
		$figure->('event LowCardinality(String), the rows of the five events', 'dictionary', $only, ''),
		$figure->('event LowCardinality(String), the rows of the five events, optimize_aggregation_in_order', 'dictionary', $only,
			', optimize_aggregation_in_order = 1'));
}

# No windowFunnel: lag() finds the last event that reached the step before. Tried as well: running maxima, ASOF
# joins, list_reduce over lists.
sub duckdb
{
	my ($data, $folder, $funnels, $running) = @_;
	my $system = start($folder, 'duckdb', ':memory:', $running);
	my $name   = 'DuckDB ' . (ask($system, 'SELECT version()'))[2] . ': lag(), one level after the other';
	ask($system, "CREATE TABLE event AS SELECT visitor, to_timestamp(seconds) AS moment, event FROM read_csv('$data/events.tsv', delim = '\\t', header = false,
		columns = {'visitor': 'BIGINT', 'seconds': 'BIGINT', 'event': 'VARCHAR'})");
	my @steps = @{ $funnels->{steps} };
	my @with;
	for my $step (2 .. @steps)
	{
		my $before = $step == 2 ? "SELECT visitor, moment, moment AS first, 1 AS step FROM event WHERE event = '$steps[0]'"
			: 'SELECT visitor, moment, first, ' . ($step - 1) . ' FROM reached_' . ($step - 1);
		push @with, "reached_$step AS MATERIALIZED (SELECT visitor, moment, first
			FROM (SELECT visitor, moment, step, lag(first) OVER (PARTITION BY visitor ORDER BY moment, step) AS first
				FROM ($before UNION ALL SELECT visitor, moment, NULL, $step FROM event WHERE event = '$steps[$step - 1]') AS s (visitor, moment, first, step))
			WHERE step = $step AND moment - first <= to_seconds($funnels->{within_seconds}))";
	}
	my $sql = 'WITH ' . join(', ', @with) . " SELECT (SELECT count(DISTINCT visitor) FROM event WHERE event = '$steps[0]')"
		. join('', map { ", (SELECT count(DISTINCT visitor) FROM reached_$_)" } 2 .. @steps);
	return { name => $name, system => $system, sql => $sql, reached => $sql };
}

# --- asking ---

sub start
{
	my ($folder, $system, $data, $running) = @_;
	my $pid = open2(my $from, my $to, 'node', "$here/client.js", $folder, $system, $data);
	my $started = { name => $system, pid => $pid, from => $from, to => $to };
	push @$running, $started;
	return $started;
}

# Wall-clock and processor time in ms, and the rows.
sub ask
{
	my ($system, $sql) = @_;
	$sql =~ s/\s+/ /g;
	$system->{to}->print("$sql\n");
	$system->{to}->flush;
	my $from = $system->{from};
	my $line = <$from>;
	defined $line or die "$system->{name} gave no answer\n";
	chomp $line;
	return split /\t/, $line, 3;
}

# The same from a new PostgreSQL session, which has run the query once before.
sub ask_postgres
{
	my ($bench, $sql) = @_;
	my $cpu = "SELECT 'cpu ' || 10 * (field[12]::bigint + field[13]::bigint)
		FROM regexp_split_to_array(regexp_replace(pg_read_file('/proc/self/stat'), '^.*\\) ', ''), ' ') AS field;";
	my (@ticks, $wall);
	for ($bench->{query}->("$bench->{settings}\n$sql;\n$cpu\n\\timing on\n$sql;\n\\timing off\n$cpu"))
	{
		push @ticks, $1 if /^cpu (\d+)/;
		$wall = $1 if /^Time: ([0-9.]+) ms/;
	}
	return ($wall, $ticks[1] - $ticks[0]);
}

1;
