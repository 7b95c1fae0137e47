# An interrupt stops each long loop: statement_timeout and pg_cancel_backend, on
# timelines of millions of events and of a million kinds, must end within a second.
#
#	EVENTS=5000000
#
# Measured is what a client sees, so half a second more is allowed for a busy machine.
# A statement that ends by itself is late only if it does so after its timeout. What was
# measured is in the test's name.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../fuzz";
use Test::More;
use Time::HiRes qw(sleep time);
use WireClient;

my $events = $ENV{EVENTS} || 5_000_000;
my $kinds = int($events / 5);
my $allowed = 1.5;
# Early, when a statement may still be setting up, and later.
my @timeouts = (30, 500);
# Also in the phases of a statement, as parts of the time that it takes undisturbed.
my @phases = (0.5, 0.8);
my $database = 'interrupt_test';
$ENV{PGOPTIONS} = '-c client_min_messages=warning';

psql("DROP DATABASE IF EXISTS $database");
psql("CREATE DATABASE $database ENCODING 'UTF8' TEMPLATE template0");
my $client = WireClient->new($database);
END
{
	my $status = $?;
	undef $client;
	psql("DROP DATABASE IF EXISTS $database WITH (FORCE)");
	$? = $status;
}

my %event = (
	ordered => "'2000-01-01Z'::timestamptz + i * interval '7 s', 'event ' || i % 5, 'channel ' || i % 3, i % 100 / 10.0",
	shuffled => "'2000-01-01Z'::timestamptz + i::int8 * 7919 % $events * interval '7 s', 'event ' || i % 5, 'channel ' || i % 3, i % 100 / 10.0",
	labels => "'2000-01-01Z'::timestamptz + i * interval '7 s', 'label ' || i::int8 * 7919 % $kinds",
	properties => "'2000-01-01Z'::timestamptz + i * interval '7 s', 'event', NULL, NULL, jsonb_build_object('n', i)",
);

prepare();
test_phases(@$_) for (
	[ 'sorting', 'SELECT t || u FROM huge, other' ],
	[ 'building of many labels', "SELECT timeline($event{labels}) FROM generate_series(1, $kinds) i" ],
	[ 'building of many properties', "SELECT timeline($event{properties}) FROM generate_series(1, $kinds) i" ],
	[ 'many labels: rollup', 'SELECT rollup(t) FROM labels' ],
	[ 'many properties: rollup', 'SELECT rollup(t) FROM properties' ],
	# small, for most of its time is in PostgreSQL's own jsonb_in, which does not look for interrupts
	[ 'jsonb output', "SELECT between_times(t, NULL, '2000-01-01Z'::timestamptz + interval '2000000 s')::jsonb FROM part" ],
);
test_timeouts(@$_) for (
	[ 'building in order', "SELECT timeline($event{ordered}) FROM generate_series(1, $events) i" ],
	[ 'building and sorting', "SELECT timeline($event{shuffled}) FROM generate_series(1, $events) i" ],
	[ 'rollup', 'SELECT rollup(t) FROM huge, generate_series(1, 5)' ],
	[ 'events() in the select list', 'SELECT count(*) FROM (SELECT events(t) FROM huge) s' ],
	[ 'events() in FROM', 'SELECT count(*) FROM huge, events(t)' ],
	[ 'visits()', "SELECT count(*) FROM (SELECT visits(t, '1 s') FROM huge) s" ],
	[ 'one visit', "SELECT count(*) FROM (SELECT visits(t, page_view => 'event*') FROM huge) s" ],
	[ 'split_visits', "SELECT count(*) FROM (SELECT split_visits(t, '1 s') FROM huge) s" ],
	[ 'visit_count by date', "SELECT visit_count(t, '1 day', time_zone => 'Europe/Oslo', split_channel => true) FROM huge" ],
	[ 'visit_number', "SELECT count(*) FROM (SELECT visit_number(at) OVER (ORDER BY at) FROM (SELECT to_timestamp(i::float8 * 700) AS at FROM generate_series(1, $events) i) r) s" ],
	[ 'text output', 'SELECT length(t::text) FROM huge' ],
	[ 'text input', 'SELECT event_count(form::timeline) FROM form' ],
	[ 'jsonb input', 'SELECT event_count(document::timeline) FROM form' ],
	[ 'keep', "SELECT event_count(keep(t, 'event 1|event 3')) FROM huge" ],
	[ 'omit', "SELECT event_count(omit(t, 'event 1')) FROM huge" ],
	[ 'between_times', "SELECT event_count(between_times(t, '2000-01-02', '2100-01-01')) FROM huge" ],
	[ 'comparison', 'SELECT t < u OR t > u FROM huge, other' ],
	[ 'equality', 'SELECT t = u FROM huge, other' ],
	[ 'hash', 'SELECT timeline_hash(t), timeline_hash_extended(t, 1) FROM huge' ],
	[ 'event_count', "SELECT event_count(t, 'event 1') FROM huge" ],
	[ 'total_value', "SELECT total_value(t, 'event 1') FROM huge" ],
	[ 'last_at and span', 'SELECT last_at(t), span(t) FROM huge' ],
	[ 'first_property of none', "SELECT first_property(t, 'country') FROM huge" ],
	[ 'funnel_level', "SELECT funnel_level(t, '{event 1,event 2,event 1,event 0,none}', '1 day') FROM huge" ],
	[ 'funnel, contiguous', "SELECT funnel(t, '{event 1,event 3,event 2}', mode => 'contiguous') FROM huge" ],
	[ 'funnel, any order', "SELECT funnel(t, '{event 1,event 3,event 2,event 2}', '10 s', mode => 'any') FROM huge" ],
	[ 'funnel with gaps', "SELECT funnel(t, '{event 1,event 2,event 4,event 0,none}', step_within => '{1 day}', optional => '{2,3}', exclude => '{event 3}') FROM huge" ],
	[ 'funnel of held values', "SELECT funnel(t, '{event,event}', hold => 'n') FROM properties, generate_series(1, 5)" ],
	[ 'funnel_dropoffs', "SELECT count(*) FROM huge, funnel_dropoffs(t, '{event 1,none}', '7 days')" ],
	[ 'window_funnel', "SELECT window_funnel('1 day', NULL, to_timestamp(i::int8 * 7919 % $events), i % 3 = 0, i % 5 = 0, false) FROM generate_series(1, $events) i" ],
	[ 'stage_moves', "SELECT count(*) FROM huge, stage_moves(t, '{\"event 1\": \"awareness\", \"event 2\": \"decision\"}', ordered => false)" ],
	[ 'stage_activity', "SELECT count(*) FROM huge, stage_activity(t, '{\"event 1\": \"awareness\"}', 'day', 'Europe/Oslo')" ],
	[ 'retention', "SELECT retention(t, 'event 1', 'event 2', '1 day', 1000, 'Europe/Oslo') FROM huge" ],
	[ 'flow', "SELECT count(*) FROM huge, flow(t, 'event 1', gap => '1 s')" ],
	[ 'paths_to', "SELECT count(*) FROM huge, paths_to(t, 'event 1', 3)" ],
	[ 'paths_from', "SELECT count(*) FROM huge, paths_from(t, 'event 1', 3)" ],
	[ 'times_between', "SELECT count(*) FROM huge, times_between(t, 'event 1', 'event 2')" ],
	[ 'engagement_value', "SELECT engagement_value(t, '{\"event 1\": 1}') FROM huge" ],
	[ 'engagement_value with half-life', "SELECT engagement_value(t, '{\"event 1\": 1}', 'each', '1 day', '2030-01-01') FROM huge" ],
	[ 'engagement_value by visit', "SELECT engagement_value(t, '{\"event 1\": 1}', 'visit', '1 day', '2030-01-01', '1 s') FROM huge" ],
	[ 'binary output', 'SELECT length(timeline_send(t)) FROM huge' ],
	[ 'many labels: text output', 'SELECT length(t::text) FROM labels' ],
	[ 'many labels: comparison', 'SELECT t < t FROM labels' ],
	[ 'many labels: keep', "SELECT event_count(keep(t, '*1*2*3*|*[a=1]')) FROM labels" ],
	[ 'many labels: events()', 'SELECT count(*) FROM (SELECT events(t) FROM labels) s' ],
	[ 'many labels: engagement_value', "SELECT engagement_value(t, '{\"*1*2*\": 1, \"label 1*\": 2}') FROM labels" ],
	[ 'many labels: split_visits', "SELECT count(*) FROM (SELECT split_visits(t, '1 s') FROM labels) s" ],
	[ 'many properties: events()', 'SELECT count(*) FROM (SELECT events(t) FROM properties) s' ],
	[ 'many properties: keep', "SELECT event_count(keep(t, '*[n=*1*2*]')) FROM properties" ],
	[ 'many properties: last_property', "SELECT last_property(t, 'nothing') FROM properties" ],
);
test_received();
test_cancelled();
done_testing();

# Stored without compression: that would take longer than what is measured.
sub prepare
{
	$client->query("SET timezone = 'UTC'; SET log_min_messages = 'fatal'; SET log_min_error_statement = 'panic'; SET jit = off;
		SET max_parallel_workers_per_gather = 0; SET work_mem = '1GB'; CREATE EXTENSION engagement");
	$client->query("CREATE UNLOGGED TABLE $_->[0] ($_->[1])") for ([ 'huge', 't timeline' ], [ 'other', 'u timeline' ], [ 'labels', 't timeline' ],
		[ 'properties', 't timeline' ], [ 'part', 't timeline' ], [ 'form', 'form text, document jsonb' ]);
	$client->query("ALTER TABLE $_->[0] ALTER $_->[1] SET STORAGE external") for ([ 'huge', 't' ], [ 'other', 'u' ], [ 'labels', 't' ],
		[ 'properties', 't' ], [ 'part', 't' ], [ 'form', 'form' ], [ 'form', 'document' ]);
	my $part = int($events / 5);
	$client->query("INSERT INTO huge SELECT timeline($event{ordered}) FROM generate_series(1, $events) i;
		INSERT INTO other SELECT t || '{2300-01-01T00:00:00Z last}' FROM huge;
		INSERT INTO labels SELECT timeline($event{labels}) FROM generate_series(1, $kinds) i;
		INSERT INTO properties SELECT timeline($event{properties}) FROM generate_series(1, $kinds) i;
		INSERT INTO part SELECT between_times(t, NULL, '2000-01-01Z'::timestamptz + $part * interval '7 s') FROM huge;
		INSERT INTO form SELECT t::text, t::jsonb FROM part");
	is($client->value('SELECT event_count(t) FROM huge'), $events, "a timeline of $events events");
	is($client->value('SELECT count(DISTINCT event) FROM (SELECT (events(t)).event FROM labels) s'), $kinds, "and one of $kinds labels");
	return;
}

# One test for all timeouts.
sub test_timeouts
{
	my ($name, $sql) = @_;
	measure($name, sub { $client->query($sql) }, @timeouts);
	return;
}

# The result stays in the server, as sending it is not what is measured.
sub test_phases
{
	my ($name, $sql) = @_;
	my $call = sub { $client->query("SELECT count(x) FROM ($sql OFFSET 0) s(x)") };
	my $start = time;
	$call->();
	my $milliseconds = 1000 * (time - $start);
	measure($name, $call, $timeouts[0], map { int($_ * $milliseconds) } @phases);
	return;
}

# A busy machine can only make it later, so the best of three counts.
sub measure
{
	my ($worst, $title);
	for (1 .. 3)
	{
		($worst, $title) = lateness(@_);
		last if $worst <= $allowed;
	}
	cmp_ok($worst, '<=', $allowed, $title);
	return;
}

sub lateness
{
	my ($name, $call, @milliseconds) = @_;
	my (@seen, $worst);
	$worst = 0;
	for my $timeout (@milliseconds)
	{
		$client->query("SET statement_timeout = $timeout");
		my $start = time;
		my $done = eval { $call->(); 1 };
		my $seconds = time - $start;
		my $error = $done ? '' : $@;
		# on a busy machine, this may itself come too late
		for (1 .. 20)
		{
			last if eval { $client->query('SET statement_timeout = 0'); 1 };
		}
		return (9999, "$name: $error") if !$done && $error !~ /^57014/;
		my $late = $seconds - $timeout / 1000;
		$worst = $late if $late > $worst;
		push @seen, $done ? sprintf('ended by itself after %d ms', 1000 * $seconds) : sprintf('at %d ms %d ms late', $timeout, 1000 * $late);
		last if $done;
	}
	return ($worst, "$name: " . join(', ', @seen));
}

sub test_received
{
	$client->prepare('send', 'SELECT length(timeline_send($1))');
	for my $table ('huge', 'properties')
	{
		my $bytes = pack 'H*', $client->value("SELECT encode(timeline_send(t), 'hex') FROM $table");
		measure("binary input: $table", sub {
				my ($answer) = $client->run('send', 'binary', $bytes);
				die "$answer->{sqlstate}\n" if $answer->{sqlstate};
			}, @timeouts);
	}
	return;
}

sub test_cancelled
{
	my $pid = $client->value('SELECT pg_backend_pid()');
	my $child = fork // die "fork: $!\n";
	if ($child == 0)
	{
		sleep 0.4;
		exec 'psql', '-XAtq', '-o', '/dev/null', '-d', $database, '-c', "SELECT pg_cancel_backend($pid)" or die "psql: $!\n";
	}
	my $start = time;
	my $done = eval { $client->query('SELECT rollup(t) FROM huge, generate_series(1, 100)'); 1 };
	my $late = time - $start - 0.4;
	waitpid $child, 0;
	ok(!$done && $@ =~ /^57014/, 'pg_cancel_backend stops a rollup');
	cmp_ok($late, '<=', $allowed, sprintf '%d ms after the call', 1000 * $late);
	return;
}

sub psql
{
	my $sql = shift;
	system 'psql', '-XAtq', '-d', 'postgres', '-c', $sql;
	return;
}
