# Sizes and values at their ends: 5 million events of one visitor, none at all, 100,000
# labels, labels of every character, infinite and BC times, NULL everywhere, local dates
# around changes of the clock, other encodings, values of all kinds.
#
#	EVENTS=5000000 LABELS=100000
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../fuzz";
use File::Temp;
use Test::More;
use WireClient;

my $events = $ENV{EVENTS} || 5_000_000;
my $labels = $ENV{LABELS} || 100_000;
my $last_failed;
my $database = 'large_test';
$ENV{PGOPTIONS} = '-c client_min_messages=warning';
my $folder = File::Temp->newdir;

psql('postgres', "DROP DATABASE IF EXISTS $database");
psql('postgres', "CREATE DATABASE $database ENCODING 'UTF8' TEMPLATE template0");
END
{
	my $status = $?;
	psql('postgres', "DROP DATABASE IF EXISTS $database WITH (FORCE)");
	$? = $status;
}
# Uncompressed, as the compression of such sizes takes longer than what is tested.
set_up('CREATE EXTENSION engagement;
	CREATE TABLE kept (name text, t timeline);
	ALTER TABLE kept ALTER t SET STORAGE external;
	CREATE TABLE copied (LIKE kept)');

test_many_events();
test_no_events();
test_many_labels();
test_characters();
test_times();
test_nulls();
test_clock_changes();
test_values();
test_encodings();
done_testing();

sub test_many_events
{
	set_up("INSERT INTO kept SELECT 'many', timeline('2020-01-01Z'::timestamptz + i * interval '1 min',
		CASE WHEN i % 100 = 0 THEN 'purchase' ELSE 'page_view' END, 'channel ' || i % 3,
		CASE WHEN i % 100 = 0 THEN i % 1000 / 100.0 END) FROM generate_series(1, $events) i");
	# a pause of 30 minutes is never longer than 30 minutes, and 59 seconds always are
	is(sql("SELECT event_count(t), event_count(t, 'purchase'), visit_count(t), visit_count(t, '59 s'), visit_count(t, '59 s', split_channel => true),
			first_at(t) = '2020-01-01 00:01Z', last_at(t) = '2020-01-01Z'::timestamptz + $events * interval '1 min' FROM kept WHERE name = 'many'"),
		join('|', $events, int($events / 100), 1, $events, $events, 't', 't'), "$events events of one visitor: counts");
	is(sql("SELECT total_value(t) = (SELECT sum(i % 1000 / 100.0) FROM generate_series(1, $events) i WHERE i % 100 = 0) FROM kept WHERE name = 'many'"),
		't', 'their value');
	my $bytes = sql("SELECT octet_length(timeline_send(t)) FROM kept WHERE name = 'many'");
	cmp_ok($bytes, '<', 2.1 * $events, sprintf '%.2f bytes an event are sent', $bytes / $events);
	is(sql("SELECT count(*), count(DISTINCT channel), sum(value) FROM kept, events(t) e WHERE name = 'many' AND e.at < '2020-01-02Z'"),
		'1439|3|' . sql("SELECT sum(i % 1000 / 100.0)::float8 FROM generate_series(1, 1439) i WHERE i % 100 = 0"), 'events() of the first day');
	is(sql("SELECT timeline_send(rollup(part)) = (SELECT timeline_send(t) FROM kept WHERE name = 'many')
		FROM (SELECT timeline('2020-01-01Z'::timestamptz + i * interval '1 min', CASE WHEN i % 100 = 0 THEN 'purchase' ELSE 'page_view' END,
			'channel ' || i % 3, CASE WHEN i % 100 = 0 THEN i % 1000 / 100.0 END) AS part FROM generate_series(1, $events) i GROUP BY i % 7) s"),
		't', 'rolled up from seven parts that alternate');
	same_when_copied('many', 'through COPY in binary form');
	set_up('TRUNCATE kept');
	like(sql("SELECT timeline('2020-01-01'::timestamptz, repeat('x', 100000000) || i) FROM generate_series(1, 11) i"),
		qr/^ERROR:  timeline of 11 events is too large/, 'over 1 GB is a clear error');
	return;
}

sub test_no_events
{
	is(sql("SELECT timeline(now(), 'a') FROM generate_series(1, 0)"), '{}', 'no rows');
	is(sql("SELECT timeline(now(), NULL), timeline(NULL, 'a'), timeline(NULL, NULL, 'email', 1, '{}') FROM generate_series(1, 3)"),
		'{}|{}|{}', 'rows without time or label');
	is(sql("SELECT rollup(t) FROM (SELECT timeline '{}' AS t WHERE false) s"), '{}', 'rollup of nothing');
	is(sql("SELECT rollup(t) FROM (VALUES (NULL::timeline), ('{}'), (NULL)) s(t)"), '{}', 'rollup of NULL and nothing');
	is(sql("SELECT event_count(t), total_value(t), first_at(t), last_at(t), span(t), first_property(t, 'channel'), last_property(t, 'x'),
			visit_count(t), visit_count(t, time_zone => 'Europe/Oslo'), engagement_value(t, '{\"a\": 1}'),
			engagement_value(t, '{\"a\": 1}', 'visit', '1 day', '2026-01-01'), keep(t, 'a'), omit(t, 'a'), during(t, '[2026-01-01,)'),
			between_times(t, NULL, NULL), t || t, t::jsonb, (SELECT count(*) FROM events(t)), (SELECT count(*) FROM visits(t)),
			(SELECT count(*) FROM split_visits(t)), t = '[]'::jsonb::timeline, timeline_send(t) FROM (SELECT timeline '{}' AS t) s"),
		'0|||||||0|0|0|0|{}|{}|{}|{}|{}|[]|0|0|0|t|\x010000', 'every function of an empty timeline');
	return;
}

sub test_many_labels
{
	set_up("INSERT INTO kept SELECT 'labels', timeline('2026-01-01Z'::timestamptz + i * interval '1 s', 'label ' || i * 7919 % $labels)
			FROM generate_series(1, $labels) i;
		INSERT INTO kept SELECT 'channels', timeline('2026-01-01Z'::timestamptz + i * interval '1 s', 'event', 'channel ' || i) FROM generate_series(1, $labels) i;
		INSERT INTO kept SELECT 'properties', timeline('2026-01-01Z'::timestamptz + i * interval '1 s', 'event', NULL, NULL, jsonb_build_object('n', i))
			FROM generate_series(1, $labels) i");
	for my $name ('labels', 'channels', 'properties')
	{
		is(sql("SELECT count(*), count(DISTINCT e.event), count(DISTINCT e.channel), count(DISTINCT e.properties)
				FROM (SELECT (events(t)).* FROM kept WHERE name = '$name') e"),
			join('|', $labels, map { $_ eq $name ? $labels : $_ eq 'labels' ? 1 : 0 } qw(labels channels properties)), "$labels distinct $name");
		is(sql("SELECT timeline_send(t::text::timeline) = timeline_send(t), timeline_send(t::jsonb::timeline) = timeline_send(t),
			timeline_send(t || t) = timeline_send(rollup_of_two), timeline_hash(t) = timeline_hash(t::text::timeline) FROM (SELECT t,
				(SELECT rollup(x) FROM unnest(array[t, t]) x) AS rollup_of_two FROM kept WHERE name = '$name') s"), 't|t|t|t', "through text and jsonb: $name");
		same_when_copied($name, "through COPY in binary form: $name");
	}
	is(sql("SELECT event_count(t, 'label 1'), event_count(t, '*9'), engagement_value(t, '{\"label 1\": 2, \"*9\": 1}'),
		visit_count(t), (SELECT count(*) FROM visits(t)) FROM kept WHERE name = 'labels'"),
		join('|', 1, $labels / 10, $labels / 10 + 2, 1, 1), 'patterns and visits');
	# labels that differ only behind what a short comparison or hash would see
	is(sql("SELECT count(*), count(DISTINCT event) FROM (SELECT (events(timeline(now(), repeat('x', 10000) || i))).* FROM generate_series(1, 300) i) s"), '300|300', 'labels of 10,000 characters with the same beginning');
	is(sql("SELECT octet_length(first_property(t, 'channel')), octet_length(t::text::timeline::jsonb::text) FROM
		(SELECT timeline('2026-01-01', repeat('x', 10000000), repeat('y', 10000000)) AS t) s"), '10000000|20000060', 'labels of 10 MB');
	set_up('TRUNCATE kept');
	return;
}

# Each alone and twice in a row is a label, a channel, a key and a value of properties.
sub test_characters
{
	my $all = "(SELECT chr(i) AS c, i FROM generate_series(1, 196607) i WHERE i NOT BETWEEN 55296 AND 57343
		AND (i <= 12287 OR i % 97 = 0 OR i > 65000 AND i < 66000) UNION ALL SELECT chr(1114111), 1114111)";
	set_up("INSERT INTO kept SELECT 'characters', timeline('2026-01-01Z'::timestamptz + i * interval '1 s', c, c || c, NULL, jsonb_build_object(c, c, 'x', c || c))
		FROM $all s");
	is(sql("SELECT count(*) > 14000, count(*) FILTER (WHERE e.event <> c OR e.channel <> c || c OR e.properties <> jsonb_build_object(c, c, 'x', c || c)) FROM kept,
		events(t) e JOIN $all s ON e.at = '2026-01-01Z'::timestamptz + i * interval '1 s' WHERE name = 'characters'"), 't|0', 'every character to 0x2FFF and some beyond');
	is(sql("SELECT event_count(t) = (SELECT count(*) FROM $all s), timeline_send(t::text::timeline) = timeline_send(t),
		timeline_send(t::jsonb::timeline) = timeline_send(t) FROM kept WHERE name = 'characters'"), 't|t|t', 'through text and jsonb');
	same_when_copied('characters', 'through COPY in binary form');
	same_when_copied('characters', 'through COPY in text form', '');
	same_when_copied('characters', 'through COPY in CSV form', '(FORMAT csv)');
	# a backslash makes any character plain
	is(sql("SELECT count(*) > 14000, count(*) FILTER (WHERE event_count(timeline, '\\' || c) <> 1 OR event_count(timeline, '*\@\\' || c || '\\' || c) <> 1
			OR event_count(timeline, '*[\\' || c || '=\\' || c || ',x=\\' || c || '\\' || c || ']') <> 1 OR first_property(timeline, c) <> c)
		FROM (SELECT c, timeline('2026-01-01', c, c || c, NULL, jsonb_build_object(c, c, 'x', c || c)) FROM $all s GROUP BY c) s WHERE c <> 'x'"),
		't|0', 'each as pattern, channel and property');
	set_up('TRUNCATE kept');
	return;
}

sub test_times
{
	for my $at ('infinity', '-infinity')
	{
		like(sql("SELECT timeline('$at'::timestamptz, 'a')"), qr/cannot be infinite/, "$at is an error");
		like(sql("SELECT '[{\"at\": \"$at\", \"event\": \"a\"}]'::jsonb::timeline"), qr/ERROR/, "$at is an error in jsonb");
	}
	is(sql("SELECT t, t::text::timeline = t, t::jsonb::timeline = t, event_count(t), visit_count(t), visit_count(t, '40000000 days'),
			visit_count(t, '40000000 days', time_zone => 'Pacific/Kiritimati')
		FROM (SELECT timeline(at, 'a') AS t FROM (VALUES ('4714-11-24 00:00Z BC'::timestamptz), ('294276-12-31 23:59:59.999999Z'), ('0001-02-29 12:00Z BC'),
			('2000-01-01Z'), ('1999-12-31 23:59:59.999999Z')) s(at)) s"),
		'{-4713-11-24T00:00:00Z a, 0000-02-29T12:00:00Z a, 1999-12-31T23:59:59.999999Z a, 2000-01-01T00:00:00Z a, +294276-12-31T23:59:59.999999Z a}'
			. '|t|t|5|4|2|4', 'from the first time to the last');
	is(sql("SELECT bool_and(e.at = s.at) FROM (SELECT array_agg(at ORDER BY at) AS list, timeline(at, 'a') AS t FROM (SELECT '4714-11-24 00:00Z BC'::timestamptz
			+ (i * 29_9.7 || ' days')::interval + (i || ' us')::interval AS at FROM generate_series(0, 9000) i) s) x, events(t) WITH ORDINALITY e(at, a, b, c, d, n)
			JOIN LATERAL (SELECT list[n] AS at) s ON true" =~ s/29_9/299/r), 't', '9,000 times over 7,000 years');
	is(sql("SELECT keep(t, 'last'), between_times(t, '-infinity', '2000-01-01'), during(t, '[294276-01-01,infinity]') FROM
		(SELECT timeline '{-4713-11-24T00:00:00Z first, +294276-12-31T23:59:59.999999Z last}' AS t) s"),
		'{+294276-12-31T23:59:59.999999Z last}|{-4713-11-24T00:00:00Z first}|{+294276-12-31T23:59:59.999999Z last}', 'parts of it');
	is(sql("SELECT engagement_value(timeline '{-4713-11-24T00:00:00Z a, +294276-12-31T23:59:59.999999Z a}', '{\"a\": 1}', half_life => '1 s',
		as_of => '294276-12-31 23:59:59.999999Z')"), '1', 'and its value after all half-lives');
	return;
}

# A NULL timeline gives NULL or no rows; a NULL option is as if it were not given.
sub test_nulls
{
	is(sql("SELECT num_nonnulls(event_count(n), event_count(n, 'a'), total_value(n), first_at(n), last_at(n), span(n), first_property(n, 'k'), last_property(n, 'k', 'a'),
			keep(n, 'a'), omit(n, 'a'), during(n, '(,)'), between_times(n, NULL, NULL), visit_count(n), engagement_value(n, '{}'), n::text, n::jsonb, NULL::jsonb::timeline,
			n || n, n || '{}', '{}' || n, n = n, n < n, timeline_cmp(n, n), timeline_hash(n), timeline_send(n)),
			(SELECT count(*) FROM events(n)), (SELECT count(*) FROM visits(n)), (SELECT count(*) FROM split_visits(n)) FROM (SELECT NULL::timeline AS n) s"),
		'0|0|0|0', 'a NULL timeline');
	is(sql("SELECT num_nonnulls(first_property(t, NULL), last_property(t, NULL), keep(t, NULL), omit(t, NULL), during(t, NULL), engagement_value(t, NULL)),
			event_count(t, NULL), total_value(t, NULL), between_times(t, NULL, NULL) = t, visit_count(t, NULL, NULL, NULL, NULL),
			engagement_value(t, '{\"a\": 1}', NULL, NULL, NULL, NULL), (SELECT count(*) FROM visits(t, NULL, NULL, NULL, NULL, NULL, NULL, NULL)),
			(SELECT count(*) FROM split_visits(t, NULL, NULL, NULL, NULL))
		FROM (SELECT timeline '{2026-01-01T00:00:00Z a =5, 2026-01-01T01:00:00Z a}' AS t) s"), '0|2|5|t|2|2|2|2', 'NULL arguments');
	is(sql("SELECT timeline(at, event, channel, value, properties) FROM (VALUES ('2026-01-01Z'::timestamptz, 'a', NULL, NULL::float8, NULL::jsonb),
		('2026-01-01Z', 'a', '', 0, '{}'), (NULL, 'a', 'b', 1, '{}'), ('2026-01-01Z', NULL, 'b', 1, '{}')) s(at, event, channel, value, properties)"),
		'{2026-01-01T00:00:00Z a, 2026-01-01T00:00:00Z a@"" =0 {}}', 'NULL in rows; an empty channel is not NULL');
	is(sql("SELECT t, t::jsonb::timeline = t, t::text::timeline = t, e.properties FROM (SELECT timeline('2026-01-01Z'::timestamptz, 'a', NULL, NULL, 'null') AS t) s,
		events(t) e"), '{2026-01-01T00:00:00Z a}|t|t|', 'properties that are JSON null are none');
	return;
}

# Every 20 minutes for four days. With pauses that never split, visits are the local
# dates, as they follow one another; where the clock goes back over midnight a date comes twice.
sub test_clock_changes
{
	for (
		[ 'Europe/Oslo', '2026-03-27 12:00Z', 5, 'spring' ], [ 'Europe/Oslo', '2026-10-23 12:00Z', 5, 'autumn' ],
		[ 'Pacific/Apia', '2011-12-28 12:00Z', 5, 'a date that does not exist' ], [ 'America/Sao_Paulo', '2018-11-02 12:00Z', 5, 'midnight that does not exist' ],
		[ 'America/St_Johns', '2010-11-05 12:10Z', 7, 'back over midnight' ], [ 'Asia/Kathmandu', '2026-01-01 12:00Z', 5, '5:45 hours ahead' ],
		[ '+05:30', '2026-01-01 12:00Z', 5, 'by an offset' ])
	{
		my ($zone, $start, $expected, $what) = @$_;
		# St. John's went back at 00:01 (02:31 UTC): two of the times are within that minute
		my $rows = "(SELECT '$start'::timestamptz + i * interval '20 min' + j * interval '30 s' AS at FROM generate_series(0, 287) i, generate_series(0, 1) j) r";
		is(sql("SELECT visit_count(t, '1 day', time_zone => '$zone'), (SELECT count(*) FROM visits(t, '1 day', time_zone => '$zone')),
				(SELECT count(*) FILTER (WHERE d IS DISTINCT FROM before) FROM (SELECT (at AT TIME ZONE '$zone')::date AS d,
					lag((at AT TIME ZONE '$zone')::date) OVER (ORDER BY at) AS before FROM $rows) s)
			FROM (SELECT timeline(at, 'a') AS t FROM $rows) s"), "$expected|$expected|$expected", "local dates: $zone, $what");
	}
	is(sql("SELECT visit_number, started_at AT TIME ZONE 'Europe/Oslo', event_count FROM visits(timeline
		'{2026-03-28T22:50:00Z a, 2026-03-28T23:10:00Z a, 2026-03-29T00:50:00Z a, 2026-03-29T01:10:00Z a, 2026-03-29T21:50:00Z a, 2026-03-29T22:10:00Z a}',
		time_zone => 'Europe/Oslo')"),
		"1|2026-03-28 23:50:00|1\n2|2026-03-29 00:10:00|1\n3|2026-03-29 01:50:00|2\n4|2026-03-29 23:50:00|1\n5|2026-03-30 00:10:00|1",
		'the lost hour is no pause, and midnight moves with the clock');
	like(sql("SELECT visit_count(timeline '{}', time_zone => 'Europe/Atlantis')"), qr/time zone "Europe\/Atlantis" not recognized/, 'an unknown zone');
	return;
}

# Alone, and each with each other, as the unit of values depends on all of a timeline.
sub test_values
{
	my $values = "(VALUES (0), (1), (-1), (49), (49.9), (49.99), (-0.01), (1e15), (1e16), (0.1::float8 + 0.2::float8), (1::float8 / 3), (1e308), (-1e308), (5e-324), (-5e-324),
		(2.2250738585072014e-308), (9007199254740992), (-9007199254740992), (9007199254740994), (90071992547409.92), (90071992547409.91), (90071992547409.94), (0.29), (1.005),
		(1e-2), (1e-3), ('1.7976931348623157e308'::float8), (4503599627370496.5), (45035996273704.965), ('-0'::float8)) v(a)";
	is(sql("WITH v AS (SELECT a::float8, row_number() OVER () AS n FROM $values), pair AS (SELECT a.a, b.a AS b, timeline(at, 'e', NULL, CASE at WHEN '2026-01-01' THEN a.a ELSE b.a END) AS t
				FROM v a, v b, (VALUES ('2026-01-01'::timestamptz), ('2026-01-02')) t(at) GROUP BY a.n, b.n, a.a, b.a)
		SELECT count(*), count(*) FILTER (WHERE float8send((SELECT value FROM events(t) LIMIT 1)) <> float8send(a + 0)
				OR float8send((SELECT value FROM events(t) OFFSET 1)) <> float8send(b + 0)),
			count(*) FILTER (WHERE timeline_send(t::text::timeline) <> timeline_send(t)), count(*) FILTER (WHERE timeline_send(t::jsonb::timeline) <> timeline_send(t))
		FROM pair"), '900|0|0|0', 'values of all kinds, in pairs, and through text and jsonb');
	is(sql("SELECT octet_length(timeline_send(timeline('2026-01-01'::timestamptz, 'e', NULL, a))) - octet_length(timeline_send(timeline '{2026-01-01T00:00:00Z e =0}'))
		FROM (VALUES (1::float8), (49.99), (1::float8 / 3)) v(a) GROUP BY a ORDER BY a"), "7\n0\n1", 'cents are small');
	is(sql("SELECT total_value(timeline(at, 'e', NULL, a)) FROM (SELECT '2026-01-01'::timestamptz AS at, 0.1 AS a FROM generate_series(1, 1000000)) s"), '100000',
		'a million times ten cents is exact');
	for my $value ("'NaN'", "'Infinity'", "'-Infinity'")
	{
		like(sql("SELECT timeline('2026-01-01'::timestamptz, 'e', NULL, $value)"), qr/must be a finite number/, "$value is an error");
	}
	like(sql("SELECT total_value('{2026-01-01T00:00:00Z e =1.7e308, 2026-01-02T00:00:00Z e =1.7e308}')"), qr/out of range: overflow/, 'a sum that overflows');
	for my $value ('1e309', '1e-400', '0x10', 'nan', 'inf', '1e', '.', '1.2.3', '--1')
	{
		like(sql("SELECT timeline '{2026-01-01T00:00:00Z e =$value}'"), qr/ERROR/, "text =$value is an error");
	}
	return;
}

# A client in LATIN1 sends and receives labels in LATIN1, in binary form too.
sub test_encodings
{
	my $client = WireClient->new($database);
	$client->query("SET client_encoding = 'LATIN1'");
	$client->prepare('check', "SELECT (t = timeline '{2026-01-01T00:00:00Z \"' || chr(233) || '\"@\"' || chr(198) || '\" {\"' || chr(230) || '\": \"' || chr(255) || '\"}}')::int4,
		timeline_send(t) FROM (SELECT \$1::timeline AS t) s" =~ s/timeline ('.*?')\)::int4/($1)::timeline)::int4/r);
	my $bytes = "\1\x30\1\1\1\1\1\1\xe9\1\xc6\x0a{\"\xe6\": \"\xff\"}\0\1\1" . pack('C*', 128, 180, 220, 135, 6);
	$bytes = "\1\x30\1\1\1\1\1\1\xe9\1\xc6\x0a{\"\xe6\": \"\xff\"}\0\1\1"
		. pack('H*', substr $client->value("SELECT encode(timeline_send(timeline '{2026-01-01T00:00:00Z a}'), 'hex')"), -10);
	my ($answer) = $client->run('check', 'binary', $bytes);
	is($answer->{message}, undef, 'LATIN1 in binary form is understood');
	is(unpack('N', $answer->{row}[0]), 1, 'as the characters meant');
	is(unpack('H*', $answer->{row}[1]), unpack('H*', $bytes), 'and sent back in LATIN1');
	$client->prepare('euro', "SELECT timeline_send(('{2026-01-01T00:00:00Z ' || chr(\$1::int4) || '}')::timeline)");
	($answer) = $client->run('euro', 'text', 8364);
	is($answer->{sqlstate}, '22P05', 'a character that LATIN1 does not have is an error');
	$client->query("SET client_encoding = 'UTF8'");
	$client->prepare('send', 'SELECT timeline_send($1)');
	($answer) = $client->run('send', 'binary', $bytes);
	is($answer->{sqlstate}, '22021', 'the same bytes are no UTF-8');
	return;
}

# Out with psql, and in again.
sub same_when_copied
{
	my ($name, $title, $format) = @_;
	$format //= '(FORMAT binary)';
	my $file = "$folder/copy";
	system('psql', '-XAtq', '-d', $database, '-c', "\\copy (SELECT name, t FROM kept WHERE name = '$name') TO '$file' $format",
		'-c', 'TRUNCATE copied', '-c', "\\copy copied FROM '$file' $format") == 0 or diag("\\copy of $name failed");
	is(sql("SELECT timeline_send(k.t) = timeline_send(c.t) FROM kept k, copied c WHERE k.name = '$name'"), 't', $title);
	unlink $file;
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

# The results, or the error.
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
