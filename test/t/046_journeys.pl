# journeys() beside a plain reading of its rules, in Perl and from the events: thousands of
# random small timelines with many equal times, under random choices of all options. Then
# timelines of 100,000 events for the time they take.
#
#	VISITORS=400 RULES=60 SEED=1
#
# What differs is printed with the timeline and the call.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time);

my $visitors = $ENV{VISITORS} || 400;
my $rules = $ENV{RULES} || 60;
my $shown = 3;
my $last_failed;
my $database = 'journeys_test';
$ENV{PGOPTIONS} = '-c client_min_messages=warning';
srand($ENV{SEED} || 1);

my @zones = ('UTC', 'Europe/Oslo', 'Pacific/Apia');
my %seconds_of = ('0' => 0, '1 us' => 0.000001, '10 min' => 600, '30 min' => 1800, '2 hours' => 7200, '1 day' => 86400, '3 days' => 259200, '90 days' => 7776000,
	'99999999 days' => 99999999 * 86400);

# A pattern, and the same as a condition on an event.
my %patterns = (
	'purchase' => sub { $_[0]{event} eq 'purchase' },
	'purchase|signup@email' => sub { $_[0]{event} eq 'purchase' || $_[0]{event} eq 'signup' && ($_[0]{channel} // '') eq 'email' },
	'*' => sub { 1 },
	'never' => sub { 0 },
	'click|view' => sub { $_[0]{event} eq 'click' || $_[0]{event} eq 'view' },
	'*@*' => sub { defined $_[0]{channel} },
	'view[campaign=a]' => sub { $_[0]{event} eq 'view' && ($_[0]{campaign} // '') eq 'a' });

# Points for goals, and the points of an event, undef if it reaches none.
my %points = (
	'{"signup": 20, "purchase": 100, "purchase@email": -7.5}' => sub {
		my ($e) = @_;
		return 20 if $e->{event} eq 'signup';
		return if $e->{event} ne 'purchase';
		return ($e->{channel} // '') eq 'email' ? -7.5 : 100;
	},
	'{"*[campaign=a]": 1, "view": 0}' => sub {
		my ($e) = @_;
		return $e->{event} eq 'view' ? 0 : ($e->{campaign} // '') eq 'a' ? 1 : undef;
	},
	'{}' => sub { return });

psql('postgres', "DROP DATABASE IF EXISTS $database");
psql('postgres', "CREATE DATABASE $database ENCODING 'UTF8' TEMPLATE template0");
END
{
	my $status = $?;
	psql('postgres', "DROP DATABASE IF EXISTS $database WITH (FORCE)");
	$? = $status;
}
set_up('CREATE EXTENSION engagement');

make_rows();
my $events = read_events();
test_random_rules();
test_changing_rules();
test_large();
done_testing();

# Times on a grid of minutes, of ten, of hours, or few; around midnights and a date that Samoa left out.
sub make_rows
{
	my $seed = rand;
	set_up("SELECT setseed($seed);
		CREATE TABLE event_row AS SELECT v AS visitor,
				(array['2026-03-28 20:00Z', '2011-12-29 20:00Z']::timestamptz[])[1 + v % 2]
					+ CASE v % 5 WHEN 0 THEN floor(random() * 4) * interval '30 min' WHEN 1 THEN floor(random() * 60) * interval '10 min'
						WHEN 2 THEN floor(random() * 500) * interval '1 min' WHEN 3 THEN floor(random() * 20) * interval '6 hours'
						ELSE floor(random() * 8) * interval '15 min' + floor(random() * 3) * interval '1 us' END AS at,
				(array['view', 'view', 'click', 'signup', 'purchase', 'chat'])[1 + floor(random() * 6)] AS event,
				(array[NULL, NULL, '', '(direct)', 'email', 'email', 'search', 'tv', 'paypal', 'pay \"pal'])[1 + floor(random() * 10)] AS channel,
				CASE floor(random() * 3)::int WHEN 0 THEN floor(random() * 10000) / 100 WHEN 1 THEN floor(random() * 5) END AS value,
				(array['{\"campaign\": \"a\"}', '{\"campaign\": \"a\", \"x\": 1}', '{\"campaign\": \"b \\\"c\\\"\"}', '{\"campaign\": \"\"}', '{\"campaign\": null}', '{\"campaign\": 3}',
					'{\"x\": 2}', '{\"campaign\": \"pay \\\"pal\", \"x\": 3}'])[1 + floor(random() * 12)]::jsonb AS properties
			FROM generate_series(1, $visitors) v, generate_series(1, v % 23) i;
		CREATE TABLE visitor_timeline AS SELECT v AS visitor, timeline(at, event, channel, value::float8, properties) AS t
			FROM generate_series(1, $visitors) v LEFT JOIN event_row ON visitor = v GROUP BY v;
		ANALYZE event_row, visitor_timeline");
	is(sql('SELECT sum(n) > 8 * ' . $visitors . ', count(*) FILTER (WHERE n > 1) > ' . $visitors . ' FROM (SELECT count(*) AS n FROM event_row GROUP BY visitor, at) s'),
		't|t', 'enough events, and enough at one instant');
	return;
}

# The events of each visitor in the order of the timeline; times in microseconds.
sub read_events
{
	my %events;
	my $days = join ', ', map { "(at AT TIME ZONE '$_')::date" } @zones;
	for my $row (split /\n/, sql("SELECT concat_ws('~', visitor, (extract(epoch FROM at) * 1000000)::bigint, event, coalesce(channel, 'NULL'), coalesce(value::text, 'NULL'),
			coalesce(properties->>'campaign', 'NULL'), $days) FROM visitor_timeline, events(t) WITH ORDINALITY AS e(at, event, channel, value, properties, n) ORDER BY visitor, n"))
	{
		my ($visitor, $at, $event, $channel, $value, $campaign, @days) = split /~/, $row, -1;
		my %e = (at => $at + 0, event => $event, channel => $channel, value => $value, campaign => $campaign);
		for (qw(channel value campaign))
		{
			$e{$_} = undef if $e{$_} eq 'NULL';
		}
		@{ $e{days} }{@zones} = @days;
		push @{ $events{$visitor} }, \%e;
	}
	return \%events;
}

sub test_random_rules
{
	my @wrong;
	my %seen;
	my $compared = 0;
	for my $i (1 .. $rules)
	{
		my $rule = random_rule();
		my $call = 'journeys(t, ' . join(', ', map { "$_ => $rule->{sql}{$_}" } sort keys %{ $rule->{sql} }) . ')';
		my %made = %{ journeys_of($call) };
		for my $visitor (1 .. $visitors)
		{
			my @expected = expected_journeys($events->{$visitor} // [], $rule);
			my @got = @{ $made{$visitor} // [] };
			$compared++;
			count_seen(\%seen, $rule, @expected);
			next if "@got" eq "@expected";
			push @wrong, "SELECT $call FROM (SELECT " . sql("SELECT quote_literal(t) FROM visitor_timeline WHERE visitor = $visitor") . "::timeline) s(t)\n" .
				"  got:      @got\n  expected: @expected\n";
			last;
		}
	}
	is(join("\n", @wrong[ 0 .. ($#wrong < $shown ? $#wrong : $shown - 1) ]), '', "$compared timelines under $rules rules");
	# that the cases were not all alike
	for my $what ('converted', 'null', 'unattributed', 'long', 'first, null', 'reused', 'as_of, null', 'points')
	{
		cmp_ok($seen{$what} // 0, '>', $rules / 10, "$what: " . ($seen{$what} // 0));
	}
	return;
}

# Options as SQL, and what they mean.
sub random_rule
{
	my %rule;
	my %sql;
	my $conversion = pick('purchase', 'purchase', 'purchase|signup@email', 'never', '*@*');
	$sql{conversion} = "'$conversion'";
	$rule{conversion} = $patterns{$conversion};
	if (rand() < 0.35)
	{
		my $points = pick(sort keys %points);
		$sql{points} = "'$points'";
		$rule{points} = $points{$points};
		if (rand() < 0.3)
		{
			$sql{conversion} = 'NULL';
			$rule{conversion} = $patterns{never};
		}
	}
	my $lookback = pick(sort keys %seconds_of);
	$sql{lookback} = "'$lookback'" if rand() < 0.85;
	$rule{lookback} = 1e6 * ($sql{lookback} ? $seconds_of{$lookback} : $seconds_of{'90 days'});
	if (rand() < 0.4)
	{
		my $touch = pick('*', 'click|view', '*@*', 'view[campaign=a]', 'purchase');
		$sql{touch} = "'$touch'";
		$rule{touch} = $patterns{$touch};
	}
	elsif (rand() < 0.3)
	{
		$sql{touch} = pick("'visit'", 'NULL');
	}
	$rule{touch_by} = pick('channel', 'channel', 'campaign', 'nothing');
	$sql{touch_by} = "'$rule{touch_by}'" if $rule{touch_by} ne 'channel' || rand() < 0.3;
	if (rand() < 0.35)
	{
		$rule{first} = 1;
		$sql{conversions} = "'first'";
	}
	if (rand() < 0.5)
	{
		$rule{reuse} = 1;
		$sql{reuse_touches} = 'true';
	}
	if (rand() < 0.5)
	{
		my $ignore = pick('{paypal}', '{paypal,"pay \"pal"}', '{(direct),tv,a}', '{"b \"c\"",email,3,paypal}', '{}');
		$sql{ignore} = "'$ignore'";
		(my $list = $ignore) =~ s/\\"/\x01/g;
		while ($list =~ /"([^"]*)"|([^{},"]+)/g)
		{
			(my $label = $1 // $2) =~ s/\x01/"/g;
			$rule{ignore}{$label} = 1;
		}
	}
	$rule{collapse} = pick('none', 'consecutive', 'first');
	$sql{collapse} = "'$rule{collapse}'" if $rule{collapse} ne 'none' || rand() < 0.5;
	if (rand() < 0.5)
	{
		my $as_of = pick('2026-03-28 20:30Z', '2026-03-29 03:00Z', '2026-03-29 21:30:00.000001Z', '2026-04-10 00:00Z', '2011-12-31 10:00Z', 'infinity', '-infinity');
		$sql{as_of} = "'$as_of'";
		$rule{as_of} = $as_of =~ /infinity/ ? 9**9**9 * ($as_of =~ /-i/ ? -1 : 1) : sql("SELECT (extract(epoch FROM '$as_of'::timestamptz) * 1000000)::bigint");
	}
	my $gap = pick('0', '1 us', '10 min', '30 min', '2 hours');
	$sql{gap} = "'$gap'" if rand() < 0.6;
	$rule{gap} = 1e6 * ($sql{gap} ? $seconds_of{$gap} : 1800);
	if (rand() < 0.4)
	{
		$rule{time_zone} = pick(@zones);
		$sql{time_zone} = "'$rule{time_zone}'";
	}
	if (rand() < 0.4)
	{
		$rule{split_channel} = 1;
		$sql{split_channel} = 'true';
	}
	$rule{sql} = \%sql;
	return \%rule;
}

# By the rules' own words, with no thought of speed.
sub expected_journeys
{
	my ($all, $rule) = @_;
	my @events = grep { !defined $rule->{as_of} || $_->{at} <= $rule->{as_of} } @$all;
	my @conversions;
	for my $e (@events)
	{
		my $points = $rule->{points} ? $rule->{points}->($e) : undef;
		$e->{is_conversion} = $rule->{conversion}->($e) || defined $points;
		my $label = $rule->{touch_by} eq 'nothing' ? undef : $e->{ $rule->{touch_by} };
		undef $label if defined $label && $label eq '';
		$e->{is_ignored} = defined $label && $rule->{ignore}{$label};
		$e->{label} = $e->{is_ignored} ? undef : $label;
		push @conversions, { at => $e->{at}, value => $points // $e->{value} } if $e->{is_conversion};
	}
	my @touches = $rule->{touch} ? event_touches(\@events, $rule) : visit_touches(\@events, $rule);
	@conversions = ($conversions[0]) if $rule->{first} && @conversions;

	my @journeys;
	my %taken;
	for my $c (@conversions)
	{
		my @before = grep { $touches[$_]{at} <= $c->{at} } 0 .. $#touches;
		my @seen = grep { $touches[$_]{at} >= $c->{at} - $rule->{lookback} && ($rule->{reuse} || !$taken{$_}) } @before;
		$taken{$_} = 1 for @before;
		push @journeys, journey_text($rule, $c, map { $touches[$_] } @seen);
	}
	return @journeys if $rule->{first} && @conversions;

	my @rest = @conversions ? grep { $_->{at} > $conversions[-1]{at} } @touches : @touches;
	return @journeys if !@rest;
	return @journeys if defined $rule->{as_of} && $rest[-1]{at} > $rule->{as_of} - $rule->{lookback};
	return (@journeys, journey_text($rule, undef, grep { $_->{at} >= $rest[-1]{at} - $rule->{lookback} } @rest));
}

sub event_touches
{
	my ($events, $rule) = @_;
	return map { { at => $_->{at}, label => $_->{label} // '(direct)' } }
		grep { !$_->{is_conversion} && !$_->{is_ignored} && $rule->{touch}->($_) } @$events;
}

sub visit_touches
{
	my ($events, $rule) = @_;
	my @visits;
	for my $e (@$events)
	{
		my $last = @visits ? $visits[-1]{events}[-1] : undef;
		my $is_near = $last && $e->{at} - $last->{at} <= $rule->{gap};
		if ($e->{is_ignored})
		{
			push @{ $visits[-1]{events} }, $e if $is_near;
			next;
		}
		my $own = $last ? $visits[-1]{channel} : undef;
		my $goes_on = $is_near &&
			!($rule->{time_zone} && $e->{days}{ $rule->{time_zone} } ne $last->{days}{ $rule->{time_zone} }) &&
			!($rule->{split_channel} && defined $e->{channel} && defined $own && $e->{channel} ne $own);
		push @visits, { events => [] } if !$goes_on;
		$visits[-1]{channel} //= $e->{channel};
		push @{ $visits[-1]{events} }, $e;
	}
	my @touches;
	for my $visit (@visits)
	{
		my ($first) = grep { !$_->{is_conversion} && !$_->{is_ignored} } @{ $visit->{events} };
		my ($label) = grep { defined $_ } map { $_->{label} } @{ $visit->{events} };
		push @touches, { at => $first->{at}, label => $label // '(direct)' } if $first;
	}
	return @touches;
}

sub journey_text
{
	my ($rule, $conversion, @touches) = @_;
	my @kept;
	my %labels;
	for my $touch (@touches)
	{
		next if $rule->{collapse} eq 'consecutive' && @kept && $kept[-1]{last} eq $touch->{label};
		next if $rule->{collapse} eq 'first' && $labels{ $touch->{label} }++;
		push @kept, { %$touch, last => $touch->{label} };
	}
	my $path = @kept ? join('>', map { $_->{label} } @kept) : '(unattributed)';
	my $times = @kept ? join(',', map { $_->{at} } @kept) : '-';
	return join '/', $path, $times, $conversion ? $conversion->{at} : '-', $conversion ? $conversion->{value} // '-' : '-';
}

sub count_seen
{
	my ($seen, $rule, @journeys) = @_;
	for my $journey (@journeys)
	{
		my $is_null = $journey =~ m{/-/-$};
		$seen->{ $is_null ? 'null' : 'converted' }++;
		$seen->{unattributed}++ if $journey =~ /unattributed/;
		$seen->{long}++ if $journey =~ />.*>.*>/;
		$seen->{'first, null'}++ if $is_null && $rule->{first};
		$seen->{'as_of, null'}++ if $is_null && defined $rule->{as_of} && $rule->{as_of} != 9**9**9;
		$seen->{points}++ if $rule->{points} && !$is_null;
	}
	$seen->{reused}++ if $rule->{reuse} && grep { m{^[^/]*>} } @journeys;
	return;
}

# The rows of a call as journey_text() writes them, by visitor.
sub journeys_of
{
	my ($call) = @_;
	my %made;
	for my $row (split /\n/, sql("SELECT visitor || '~' || array_to_string(path, '>', '-') || '/' ||
				(SELECT string_agg(coalesce(((extract(epoch FROM u) * 1000000)::bigint)::text, '-'), ',' ORDER BY k) FROM unnest(touched_at) WITH ORDINALITY AS u(u, k)) || '/' ||
				coalesce(((extract(epoch FROM converted_at) * 1000000)::bigint)::text, '-') || '/' || coalesce(value::text, '-')
			FROM (SELECT visitor, (j).*, row_number() OVER () AS n FROM (SELECT visitor, $call AS j FROM visitor_timeline) s) s ORDER BY visitor, n"))
	{
		my ($visitor, $text) = split /~/, $row, 2;
		push @{ $made{$visitor} }, $text;
	}
	return \%made;
}

# A call site whose rule changes with each row gives what constant rules give.
sub test_changing_rules
{
	my @lookbacks = ('0', '10 min', '2 hours', '90 days');
	my @collapses = ('none', 'consecutive', 'first');
	my $constant = join ' UNION ALL ', map
	{
		my $i = $_;
		"SELECT visitor, $i AS i, j.* FROM visitor_timeline, journeys(t, 'purchase', '" . $lookbacks[ $i % 4 ] . "', reuse_touches => true, ignore => '{tv}', collapse => '" . $collapses[ $i % 3 ] . "') j"
	} 0 .. 11;
	is(sql("CREATE TEMP TABLE constant_rule AS $constant;
			CREATE TEMP TABLE changing_rule AS SELECT visitor, i, j.* FROM visitor_timeline, generate_series(0, 11) i,
				journeys(t, 'purchase', ('{" . join(',', @lookbacks) . "}'::interval[])[1 + i % 4], reuse_touches => true, ignore => CASE WHEN i >= 0 THEN '{tv}'::text[] END,
					collapse => ('{" . join(',', @collapses) . "}'::text[])[1 + i % 3]) j;
			SELECT (SELECT count(*) FROM (TABLE changing_rule EXCEPT ALL TABLE constant_rule) s), (SELECT count(*) FROM (TABLE constant_rule EXCEPT ALL TABLE changing_rule) s),
				(SELECT count(*) FROM constant_rule) > 1000"),
		'0|0|t', 'rules that change from row to row');
	# sets that are not read to their end
	is(sql("SELECT count(*), count(DISTINCT j.path) FROM (SELECT (SELECT (j).path[1] FROM journeys(t, 'purchase') j LIMIT 1) AS path FROM visitor_timeline) j WHERE path IS NOT NULL"),
		sql("SELECT count(*), count(DISTINCT path) FROM (SELECT DISTINCT ON (visitor) visitor, (j.path)[1] AS path FROM visitor_timeline, journeys(t, 'purchase') WITH ORDINALITY j(path, a, b, c, n) ORDER BY visitor, n) s"),
		'the first row alone');
	return;
}

sub test_large
{
	# touches and conversions by turns; many channels, of which the rarest comes last
	set_up("CREATE TABLE large AS
			SELECT 'turns' AS name, timeline('2026-01-01Z'::timestamptz + i * interval '1 hour', CASE WHEN i % 2 = 0 THEN 'view' ELSE 'purchase' END, CASE WHEN i = 99000 THEN 'rare' ELSE 'c' || i % 6 END) AS t FROM generate_series(0, 99999) i
			UNION ALL SELECT 'labels', timeline('2026-01-01Z'::timestamptz + i * interval '1 hour', CASE WHEN i % 20 = 19 THEN 'purchase' ELSE 'view' END, 'c' || i, NULL, jsonb_build_object('k', i % 5000)) FROM generate_series(0, 99999) i");
	my %expect = (
		"journeys(t, 'purchase') j WHERE name = 'turns'" => '50000|50000',
		"journeys(t, 'purchase', '99999 days', reuse_touches => true, collapse => 'first') j WHERE name = 'turns'" => undef,
		"journeys(t, 'purchase', '10 days', reuse_touches => true) j WHERE name = 'turns'" => undef,
		"journeys(t, 'purchase', '10 days', reuse_touches => true, collapse => 'consecutive') j WHERE name = 'turns'" => undef,
		"journeys(t, 'purchase', '10 days', reuse_touches => true, collapse => 'first') j WHERE name = 'labels'" => undef,
		"journeys(t, 'purchase', touch_by => 'k', collapse => 'first') j WHERE name = 'labels'" => '5000|95000');
	for my $call (sort keys %expect)
	{
		my $started = time;
		my $got = sql("SELECT count(*), sum(cardinality(path)) FROM (SELECT j.* FROM large, $call) j");
		my $seconds = time - $started;
		is($got, $expect{$call}, "$call") if defined $expect{$call};
		ok($seconds < 3 && !$last_failed, sprintf('%s: %s in %.2f s', $call, $got, $seconds));
	}
	# one run for all: what is shown is one touch, however many conversions look back on them
	my $started = time;
	is(sql("SELECT count(*), max(cardinality(path)), count(DISTINCT touched_at) FROM (SELECT (journeys(timeline('2026-01-01Z'::timestamptz + i * interval '1 hour', CASE WHEN i % 2 = 0 THEN 'view' ELSE 'purchase' END, 'a'),
			'purchase', '30000 days', reuse_touches => true, collapse => 'consecutive')).* FROM generate_series(0, 199999) i) s"), '100000|1|1', 'one run, 100,000 conversions');
	cmp_ok(time - $started, '<', 5, 'in a moment');

	# a query that would not end stops when it is told
	$started = time;
	like(sql("SET statement_timeout = '300 ms'; SELECT sum(cardinality(path)) FROM large, journeys(t, 'purchase', '99999 days', reuse_touches => true) j WHERE name = 'labels'"),
		qr/statement timeout/, 'a quadratic output is stopped');
	cmp_ok(time - $started, '<', 2, 'soon');
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
