# Equal events give equal bytes, in whatever order and by whatever plan they come:
# shuffled rows, parallel workers, spilled hash aggregation, merge trees, windows.
# And every figure of a timeline is what plain SQL computes from the rows.
#
#	VISITORS=3000 SEED=1	how many are compared with plain SQL
use strict;
use warnings;
use Test::More;

my $last_failed;
my $database = 'any_order_test';
my $visitors = $ENV{VISITORS} || 3000;
# for setseed(), between 0 and 1
my $seed = ($ENV{SEED} || 1) * 0.618033988749895;
$seed -= int $seed;
$ENV{PGOPTIONS} = '-c client_min_messages=warning';

my $aggregate = 'timeline(at, event, channel, value, properties)';
my $serial = 'SET max_parallel_workers_per_gather = 0';
my $parallel = q{
	SET parallel_setup_cost = 0;
	SET parallel_tuple_cost = 0;
	SET min_parallel_table_scan_size = 0;
	SET max_parallel_workers_per_gather = 3;
	SET parallel_leader_participation = off};

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
test_orders();
test_plans();
test_merge_trees();
test_windows();
test_forms();
test_events();
make_small_visitors();
test_visits();
test_figures();
test_parts();
test_engagement_value();
done_testing();

# Everything in which equal things may look different: NULL and empty channels, equal
# times, repeats, negative zero, properties in other spelling, all time units. Visitors
# 1 to 20 have hundreds of kinds, visitor 0 has one event.
sub make_rows
{
	set_up("SELECT setseed($seed);
		CREATE TABLE event_row (visitor int, at timestamptz, event text, channel text, value float8, properties jsonb);
		INSERT INTO event_row SELECT v, t, e, c, a, p FROM (SELECT
				v, e, c, p,
				CASE v % 4
					WHEN 0 THEN timestamptz '2026-01-05' + floor(random() * 100) * interval '1 min'
					WHEN 1 THEN timestamptz '2026-01-05' + floor(random() * 1e8) * interval '0.001 s'
					WHEN 2 THEN timestamptz '2026-01-05' + floor(random() * 1e13) * interval '1 us'
					ELSE timestamptz '0001-01-05 BC' + floor(random() * 1e9) * interval '1 s' END AS t,
				CASE floor(random() * 8)::int
					WHEN 0 THEN 0 WHEN 1 THEN '-0'::float8 WHEN 2 THEN floor(random() * 100)
					WHEN 3 THEN floor(random() * 10000) / 100
					WHEN 4 THEN CASE WHEN v % 5 = 0 THEN random() END END AS a
			FROM (SELECT i % 400 + 1 AS v,
					CASE WHEN i % 400 < 20 THEN 'label ' || floor(random() * 400)
						ELSE (array['page_view', 'purchase', '', 'æøå', 'purchase '])[1 + floor(random() * 5)] END AS e,
					(array[NULL, '', 'email', 'E-mail', 'search'])[1 + floor(random() * 5)] AS c,
					CASE floor(random() * 6)::int
						WHEN 0 THEN '{\"a\": 1, \"b\": {\"c\": [1.0, null]}}' WHEN 1 THEN '{\"b\":{\"c\":[1.0,null]},\"a\":1}'
						WHEN 2 THEN '{}' WHEN 3 THEN '{\"a\": \"æ\\n\"}' END::jsonb AS p
				FROM generate_series(1, 60000) i) s) s;
		INSERT INTO event_row SELECT * FROM event_row WHERE random() < 0.1;
		INSERT INTO event_row SELECT visitor, NULL, event FROM event_row WHERE random() < 0.01;
		INSERT INTO event_row SELECT visitor, at, NULL FROM event_row WHERE random() < 0.01;
		INSERT INTO event_row VALUES (0, '2026-01-05', 'once'), (-1, NULL, 'never');
		CREATE TABLE shuffled AS SELECT *, random() AS place FROM event_row ORDER BY random();
		CREATE INDEX event_row_visitor ON event_row (visitor);
		ANALYZE event_row, shuffled;
		-- what all others are compared with: one process, sorted input
		$serial; SET enable_hashagg = off;
		CREATE TABLE reference AS SELECT visitor, $aggregate AS t
			FROM (SELECT * FROM event_row ORDER BY visitor, at, event, channel, value, properties) s GROUP BY visitor;
		CREATE FUNCTION text_sum(timeline) RETURNS text LANGUAGE sql AS 'SELECT md5(timeline_send(\$1))';
		CREATE AGGREGATE concatenate(timeline) (SFUNC = timeline_concatenate, STYPE = timeline)");
	is(sql('SELECT count(*) FROM reference'), '402', 'a timeline for each visitor');
	is(sql('SELECT sum(event_count(t)) = (SELECT count(*) FROM event_row WHERE at IS NOT NULL AND event IS NOT NULL) FROM reference'),
		't', 'with every event that has a time and a label');
	return;
}

sub test_orders
{
	same('rows in the order of the heap', "SELECT visitor, $aggregate AS t FROM event_row GROUP BY visitor", $serial);
	same('rows in random order', "SELECT visitor, $aggregate AS t FROM shuffled GROUP BY visitor", $serial);
	same('rows in reverse order', "SELECT visitor, $aggregate AS t FROM (SELECT * FROM event_row
		ORDER BY at DESC, event DESC, channel DESC, value DESC, properties DESC) s GROUP BY visitor", $serial);
	same('labels before times', "SELECT visitor, $aggregate AS t FROM (SELECT * FROM event_row
		ORDER BY properties, event, channel, at DESC) s GROUP BY visitor", $serial);
	same('an aggregate with its own ORDER BY', "SELECT visitor, timeline(at, event, channel, value, properties
		ORDER BY random()) AS t FROM event_row GROUP BY visitor", $serial);
	same('a grouping set', "SELECT visitor, t FROM (SELECT visitor, $aggregate AS t FROM shuffled
		GROUP BY GROUPING SETS ((visitor), ())) s WHERE visitor IS NOT NULL", $serial);
	return;
}

# Each plan is looked at, so that nothing else is tested by mistake.
sub test_plans
{
	my $query = "SELECT visitor, $aggregate AS t FROM shuffled GROUP BY visitor";
	same('sorted groups', $query, "$serial; SET enable_hashagg = off", qr/GroupAggregate/);
	same('hashed groups', $query, "$serial; SET enable_sort = off; SET work_mem = '1GB'", qr/HashAggregate.*Batches: 1 /s);
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
	same('workers that merge timelines', 'SELECT visitor, rollup(t) AS t FROM day_timeline GROUP BY visitor',
		"CREATE TABLE day_timeline AS SELECT visitor, $aggregate AS t FROM shuffled GROUP BY visitor, floor(place * 20);
		ANALYZE day_timeline; $parallel; SET enable_sort = off; SET work_mem = '1GB'",
		qr/Workers Launched: [1-9].*Partial HashAggregate/s);

	# aggregates whose groups are in one memory context, or in one context after the other
	same('beside other aggregates', "SELECT visitor, t FROM (SELECT visitor, $aggregate AS t, timeline(at, event) AS u, array_agg(event) AS v,
		rollup(CASE WHEN at IS NOT NULL THEN timeline '{2026-01-01T00:00:00Z other}' END) AS w FROM shuffled GROUP BY visitor) s",
		"$serial; SET enable_sort = off; SET work_mem = '1GB'", qr/HashAggregate.*Batches: 1 /s);
	same('several grouping sets', "SELECT visitor, t FROM (SELECT visitor, event, grouping(visitor, event) AS g, $aggregate AS t
		FROM shuffled GROUP BY CUBE (visitor, event)) s WHERE g = 1", "$serial; SET work_mem = '1GB'", qr/MixedAggregate/);
	same('a subquery for each visitor', "SELECT visitor, (SELECT $aggregate FROM event_row s WHERE s.visitor = r.visitor) AS t FROM reference r",
		"$serial; SET enable_seqscan = off", qr/SubPlan.*event_row_visitor/s);
	is(sql("$parallel; SELECT text_sum($aggregate) FROM shuffled"), sql("$serial; SELECT text_sum(rollup(t)) FROM reference"),
		'one group of all rows, by workers');
	return;
}

sub test_merge_trees
{
	my $pieces = "SELECT visitor, floor(place * 16)::int AS piece, $aggregate AS t FROM shuffled GROUP BY 1, 2";
	same('rollup of 16 pieces', "SELECT visitor, rollup(t ORDER BY random()) AS t FROM ($pieces) s GROUP BY visitor", $serial);
	same('rollup of rollups', "SELECT visitor, rollup(t) AS t FROM (SELECT visitor, rollup(t) AS t FROM
		(SELECT visitor, piece % 4 AS piece, rollup(t) AS t FROM ($pieces) s GROUP BY visitor, piece % 8, piece % 4) s
		GROUP BY visitor, piece) s GROUP BY visitor", $serial);
	same('a || b || ...', "SELECT visitor, concatenate(t ORDER BY random()) AS t FROM ($pieces) s GROUP BY visitor", $serial);
	same('rollup of rows and empty ones', "SELECT visitor, rollup(t) AS t FROM (SELECT visitor, timeline(at, event, channel, value, properties) AS t
		FROM shuffled GROUP BY visitor, place UNION ALL SELECT visitor, '{}' FROM shuffled UNION ALL SELECT visitor, NULL FROM shuffled) s
		GROUP BY visitor", $serial);
	same('random trees', "SELECT visitor, rollup(t) || concatenate(u) AS t FROM (SELECT visitor, rollup(t) FILTER (WHERE random() < 2) AS t,
		concatenate(u) AS u FROM (SELECT visitor, piece, CASE WHEN piece % 3 = 0 THEN t END AS t,
			CASE WHEN piece % 3 <> 0 THEN t ELSE '{}' END AS u FROM ($pieces) s) s
		GROUP BY visitor, piece % 5) s GROUP BY visitor", $serial);
	is(sql("SELECT count(*) FROM reference a JOIN reference b ON b.visitor = a.visitor + 4
		WHERE timeline_send(a.t || b.t) <> timeline_send(b.t || a.t) OR a.t || '{}' <> a.t OR '{}' || a.t <> a.t"),
		'0', 'a || b is b || a, and {} changes nothing');
	return;
}

# The final function is called for each row, and more rows follow.
sub test_windows
{
	same('the last of a running timeline', "SELECT DISTINCT ON (visitor) visitor, t FROM (SELECT visitor, place,
			timeline(at, event, channel, value, properties) OVER (PARTITION BY visitor ORDER BY place ROWS UNBOUNDED PRECEDING) AS t
			FROM shuffled WHERE visitor % 4 = 1) s ORDER BY visitor, place DESC", $serial, undef, 'visitor % 4 = 1');
	is(sql("WITH piece AS (SELECT visitor, at, event, channel, place, row_number() OVER (PARTITION BY visitor ORDER BY place) AS n
				FROM shuffled WHERE visitor IN (2, 25, 50, 75)),
			running AS (SELECT visitor, n, timeline(at, event, channel) OVER (PARTITION BY visitor ORDER BY n) AS t FROM piece)
		SELECT count(*) > 300 AND count(*) FILTER (WHERE timeline_send(t) <> timeline_send((SELECT timeline(at, event, channel)
			FROM piece p WHERE p.visitor = r.visitor AND p.n <= r.n))) = 0 FROM running r"),
		't', 'each of a running timeline');
	is(sql("WITH part AS (SELECT visitor, n, timeline(at, event, channel, value, properties) AS t
				FROM (SELECT *, floor(place * 30) AS n FROM shuffled WHERE visitor % 20 = 3) s GROUP BY visitor, n),
			week AS (SELECT visitor, n, rollup(t) OVER (PARTITION BY visitor ORDER BY n ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) AS t,
				array_agg(t) OVER (PARTITION BY visitor ORDER BY n ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) AS parts FROM part)
		SELECT count(*) > 300 AND count(*) FILTER (WHERE timeline_send(t) <>
			timeline_send((SELECT concatenate(u) FROM unnest(parts) u))) = 0 FROM week"),
		't', 'rollup over a moving window');
	return;
}

sub test_forms
{
	same('through text', 'SELECT visitor, t::text::timeline AS t FROM reference', $serial);
	same('through jsonb', 'SELECT visitor, t::jsonb::timeline AS t FROM reference', $serial);
	same('through events()', 'SELECT visitor, (SELECT timeline(e.at, e.event, e.channel, e.value, e.properties) FROM events(t) e) AS t
		FROM reference', $serial);
	same('through visits', "SELECT visitor, coalesce((SELECT rollup(v ORDER BY random()) FROM split_visits(t) v), '{}') AS t FROM reference", $serial);
	same('through time slices', "SELECT visitor, between_times(t, NULL, '2026-01-06') || between_times(t, '2026-01-06', NULL) AS t
		FROM reference", $serial);
	same('through what a pattern splits', "SELECT visitor, keep(t, 'p*\@email|*[a=1]') || omit(t, 'p*\@email|*[a=1]') AS t FROM reference", $serial);
	is(sql("SELECT count(DISTINCT t) = count(DISTINCT timeline_send(t)) AND count(DISTINCT t) = 402 FROM reference"), 't',
		'equal and distinct go by content');
	is(sql("SELECT count(*) FROM reference a, reference b WHERE a.visitor <= 60 AND b.visitor <= 60 AND (
			(a.t = b.t) <> (timeline_send(a.t) = timeline_send(b.t)) OR (a.t < b.t) <> (b.t > a.t) OR (a.t <= b.t) = (a.t > b.t)
			OR (a.t = b.t AND timeline_hash(a.t) <> timeline_hash(b.t)))"), '0', 'comparison agrees with itself');
	# by hand: event after event, NULL before anything, an end before more
	is(sql("SET enable_hashagg = off; WITH listed AS (SELECT visitor, t, (SELECT array_agg(row(e.at, (e.event COLLATE \"C\"), e.channel IS NOT NULL, e.channel COLLATE \"C\",
				e.properties IS NOT NULL, e.properties::text COLLATE \"C\", e.value IS NOT NULL, coalesce(e.value, 0)) ORDER BY e.n)
				FROM events(t) WITH ORDINALITY e(at, event, channel, value, properties, n)) AS list
			FROM reference WHERE visitor % 7 = 0)
		SELECT count(*) > 3000 AND count(*) FILTER (WHERE (a.t < b.t) <> (a.list < b.list)) = 0 FROM listed a, listed b
		WHERE a.list IS NOT NULL AND b.list IS NOT NULL"), 't', 'the order of timelines is that of their events');
	return;
}

sub test_events
{
	is(sql("WITH row AS (SELECT visitor, at, event, channel, value, properties FROM event_row WHERE at IS NOT NULL AND event IS NOT NULL),
			back AS (SELECT visitor, e.* FROM reference, events(t) e)
		SELECT (SELECT count(*) FROM (SELECT * FROM row EXCEPT ALL SELECT * FROM back) s),
			(SELECT count(*) FROM (SELECT * FROM back EXCEPT ALL SELECT * FROM row) s)"), '0|0', 'events() gives the rows back, repeats included');
	is(sql("SELECT count(*) FROM reference, events(t) e WHERE e.value = 0 AND float8send(e.value) <> float8send(0)"), '0',
		'without negative zero');
	is(sql("SELECT count(*) FROM (SELECT e.*, lag((e.at, e.event COLLATE \"C\")) OVER (PARTITION BY visitor ORDER BY n) AS before
			FROM reference, events(t) WITH ORDINALITY e(at, event, channel, value, properties, n)) s WHERE before > (at, event COLLATE \"C\")"),
		'0', 'in order of time, then of the label');
	return;
}

# Small visitors on a grid of 10 minutes, so that gaps often are exactly 30 minutes,
# times often equal, and midnight in Oslo (22:00 or 23:00 UTC) often between two.
sub make_small_visitors
{
	set_up("SELECT setseed($seed);
		CREATE TABLE small_row AS SELECT visitor, at, event, channel, value, properties FROM (SELECT v AS visitor,
			timestamptz '2026-03-28 18:00Z' + floor(random() * (CASE v % 3 WHEN 0 THEN 12 WHEN 1 THEN 60 ELSE 300 END)) * interval '10 min'
				+ CASE WHEN v % 4 = 0 THEN floor(random() * 3) * interval '0.5 s' ELSE '0' END AS at,
			(array['view', 'view', 'video_25', 'video_50', 'buy', 'signup'])[1 + floor(random() * 6)] AS event,
			(array[NULL, NULL, 'email', 'search', ''])[1 + floor(random() * 5)] AS channel,
			CASE WHEN random() < 0.4 THEN floor(random() * 1000) / 100 WHEN random() < 0.1 AND v % 2 = 0 THEN random() / 3 END AS value,
			CASE floor(random() * 5)::int WHEN 0 THEN '{\"country\": \"NO\"}' WHEN 1 THEN '{\"country\": \"SE\", \"device\": \"mobile\"}'
				WHEN 2 THEN '{\"country\": null, \"device\": 5}' END::jsonb AS properties
			FROM generate_series(1, $visitors) v, generate_series(1, v % 13) i) s;
		CREATE TABLE small AS SELECT visitor, timeline(at, event, channel, value, properties) AS t FROM small_row GROUP BY visitor;
		-- the rows in the order of the events
		CREATE TABLE ordered_row AS SELECT *, row_number() OVER (PARTITION BY visitor ORDER BY at, event COLLATE \"C\",
			channel COLLATE \"C\" NULLS FIRST, properties::text COLLATE \"C\" NULLS FIRST, value NULLS FIRST) AS place FROM small_row;
		ANALYZE");
	return;
}

sub test_visits
{
	my @rules = (
		[ '', "'30 min'", 'false', 'NULL', 'false' ],
		[ "gap => '30 min', gap_inclusive => true", "'30 min'", 'true', 'NULL', 'false' ],
		[ "gap => '0'", "'0'", 'false', 'NULL', 'false' ],
		[ "gap => '36500 days', time_zone => 'Europe/Oslo'", "'36500 days'", 'false', "'Europe/Oslo'", 'false' ],
		[ "time_zone => 'America/St_Johns'", "'30 min'", 'false', "'America/St_Johns'", 'false' ],
		[ "gap => '2 hours', split_channel => true", "'2 hours'", 'false', 'NULL', 'true' ],
		[ "gap => '40 min', gap_inclusive => true, time_zone => 'Europe/Oslo', split_channel => true", "'40 min'", 'true', "'Europe/Oslo'", 'true' ],
	);
	for (@rules)
	{
		my ($arguments, $gap, $inclusive, $zone, $split) = @$_;
		my $call = join ', ', 't', $arguments || ();
		my $visits = reference_visits($gap, $inclusive, $zone, $split);
		my $name = $arguments || 'by default';
		is(sql("CREATE TEMP TABLE expected AS $visits;
			CREATE TEMP TABLE got AS SELECT s.visitor, v.* FROM small s, visits($call, page_view => 'view|video_*', key_event => 'buy\@email',
				engaged_after => '10 min') v;
			SELECT (SELECT count(*) FROM got) = (SELECT count(*) FROM expected),
				(SELECT count(*) FROM (SELECT visitor, visit_number, started_at, ended_at, duration_seconds, event_count, channel, is_bounce, is_engaged,
					landing_event, md5(timeline_send(visit)) FROM got EXCEPT SELECT * FROM expected) s)"), 't|0', "visits $name");
		is(sql("CREATE TEMP TABLE expected AS $visits;
			SELECT (SELECT count(*) FROM small LEFT JOIN (SELECT visitor, count(*) AS n FROM expected GROUP BY visitor) e USING (visitor)
					WHERE visit_count($call) <> coalesce(n, 0)),
				(SELECT count(*) FROM (SELECT visitor, md5(timeline_send(split_visits($call))) FROM small
					EXCEPT ALL SELECT visitor, md5 FROM expected) s)"), '0|0', "visit_count and split_visits $name");
		next if $zone ne 'NULL' || $split eq 'true';
		is(sql("WITH numbered AS (SELECT visitor, visit_number(at, $gap, $inclusive) OVER (PARTITION BY visitor ORDER BY at) AS n FROM small_row)
			SELECT count(*) FROM (SELECT visitor, n, count(*) FROM numbered GROUP BY visitor, n
				EXCEPT ALL SELECT visitor, visit_number, event_count FROM ($visits) e) s"), '0', "visit_number $name");
	}
	return;
}

# In plain SQL. Within what gaps and dates leave whole, a channel splits where it differs
# from the one before that is not NULL, which is the visit's own.
sub reference_visits
{
	my ($gap, $inclusive, $zone, $split) = @_;
	my $longer = $inclusive eq 'true' ? '>=' : '>';
	return "
		WITH first_split AS (SELECT *, at - lag(at) OVER w IS NULL OR at - lag(at) OVER w $longer interval $gap
				OR (${zone}::text IS NOT NULL AND (at AT TIME ZONE $zone)::date <> (lag(at) OVER w AT TIME ZONE $zone)::date) AS starts
			FROM ordered_row WINDOW w AS (PARTITION BY visitor ORDER BY place)),
		part AS (SELECT *, count(*) FILTER (WHERE starts) OVER (PARTITION BY visitor ORDER BY place) AS part FROM first_split),
		carried AS (SELECT *, max(place) FILTER (WHERE channel IS NOT NULL) OVER (PARTITION BY visitor, part ORDER BY place
			ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS carrier FROM part),
		second_split AS (SELECT c.*, c.starts OR ($split AND c.channel <> o.channel) IS TRUE AS starts_visit
			FROM carried c LEFT JOIN ordered_row o ON o.visitor = c.visitor AND o.place = c.carrier),
		numbered AS (SELECT *, count(*) FILTER (WHERE starts_visit) OVER (PARTITION BY visitor ORDER BY place) AS visit_number FROM second_split)
		SELECT visitor, visit_number::int, min(at) AS started_at, max(at) AS ended_at,
			extract(epoch FROM max(at) - min(at))::float8 AS duration_seconds, count(*)::int AS event_count,
			(array_agg(channel ORDER BY place) FILTER (WHERE channel IS NOT NULL))[1] AS channel, count(*) = 1 AS is_bounce,
			max(at) - min(at) > interval '10 min' OR bool_or(event = 'buy' AND channel IS NOT DISTINCT FROM 'email')
				OR count(*) FILTER (WHERE event = 'view' OR event LIKE 'video\\_%') >= 2 AS is_engaged,
			(array_agg(event ORDER BY place))[1] AS landing_event,
			md5(timeline_send(timeline(at, event, channel, value, properties)))
		FROM numbered GROUP BY visitor, visit_number";
}

my @patterns;

# Patterns and what they mean, in SQL.
BEGIN
{
	@patterns = (
		[ 'NULL', 'true' ],
		[ "'view'", "event = 'view'" ],
		[ "'view|buy'", "event IN ('view', 'buy')" ],
		[ "'v*'", "event LIKE 'v%'" ],
		[ "'*_*0'", "event LIKE '%\\_%0'" ],
		[ "'buy\@email'", "event = 'buy' AND channel = 'email'" ],
		[ "'*\@*'", 'channel IS NOT NULL' ],
		[ "'*[country=NO]'", "properties->>'country' = 'NO'" ],
		[ "'view\@s*[country=*,device=mobile]|signup[device=5]'",
			"event = 'view' AND channel LIKE 's%' AND properties->>'country' IS NOT NULL AND properties->>'device' = 'mobile'
				OR event = 'signup' AND properties->>'device' = '5'" ],
		[ "'nothing'", 'false' ],
	);
}

sub test_figures
{
	for (@patterns)
	{
		my ($pattern, $condition) = @$_;
		my $list = join ",\n", map {
			my ($name, $got, $expected) = @$_;
			"count(*) FILTER (WHERE $got IS DISTINCT FROM $expected) AS $name"
		} (
			[ 'event_count', "event_count(t, $pattern)", 'c.n' ],
			[ 'first_at', "first_at(t, $pattern)", 'c.first' ],
			[ 'last_at', "last_at(t, $pattern)", 'c.last' ],
			[ 'span', "span(t, $pattern)", 'c.last - c.first' ],
			[ 'first_country', "first_property(t, 'country', $pattern)", 'c.first_country' ],
			[ 'last_device', "last_property(t, 'device', $pattern)", 'c.last_device' ],
			[ 'first_channel', "first_property(t, 'channel', $pattern)", 'c.first_channel' ],
			[ 'exact_total', "CASE WHEN visitor % 2 = 1 THEN total_value(t, $pattern) END", 'CASE WHEN visitor % 2 = 1 THEN c.total::float8 END' ],
			[ 'total', "abs(total_value(t, $pattern) - c.total) <= 1e-13", "CASE WHEN c.total IS NOT NULL THEN true END" ],
		);
		is(sql("WITH computed AS (SELECT s.visitor, count(r.at) AS n, min(r.at) AS first, max(r.at) AS last, sum(value::numeric) AS total,
				(array_agg(properties->>'country' ORDER BY place) FILTER (WHERE properties->>'country' IS NOT NULL))[1] AS first_country,
				(array_agg(properties->>'device' ORDER BY place DESC) FILTER (WHERE properties->>'device' IS NOT NULL))[1] AS last_device,
				(array_agg(channel ORDER BY place) FILTER (WHERE channel IS NOT NULL))[1] AS first_channel
				FROM small s LEFT JOIN ordered_row r ON r.visitor = s.visitor AND ($condition) GROUP BY s.visitor)
			SELECT $list FROM small JOIN computed c USING (visitor)"), join('|', (0) x 9), "figures of events that match $pattern");
	}
	return;
}

sub test_parts
{
	my @parts = ((map { [ "keep(t, $_->[0])", $_->[1] ], [ "omit(t, $_->[0])", "($_->[1]) IS NOT TRUE" ] } @patterns[ 1 .. $#patterns ]),
		(map { [ "during(t, '$_')", "at <\@ tstzrange '$_'" ] } '[2026-03-28 20:00Z,2026-03-29 10:00Z)', '(2026-03-28 20:00Z,2026-03-29 10:00Z]',
			'(,2026-03-28 22:00Z]', '[2026-03-28 22:00Z,)', '(,)', 'empty', '(2026-03-28 22:00Z,infinity)', '[-infinity,infinity]'),
		[ "between_times(t, '2026-03-28 20:00Z', '2026-03-29')", "at >= '2026-03-28 20:00Z' AND at < '2026-03-29'" ],
		[ "between_times(t, NULL, '2026-03-29')", "at < '2026-03-29'" ],
		[ "between_times(t, '2026-03-29', NULL)", "at >= '2026-03-29'" ],
		[ "between_times(t, '-infinity', 'infinity')", 'true' ],
		[ "between_times(t, '2026-03-30', '2026-03-29')", 'false' ]);
	my @wrong;
	for (@parts)
	{
		my ($call, $condition) = @$_;
		my $count = sql("SELECT count(*) FROM small s JOIN (SELECT visitor, timeline(at, event, channel, value, properties)
			FILTER (WHERE $condition) AS part FROM small_row GROUP BY visitor) p USING (visitor)
			WHERE timeline_send($call) IS DISTINCT FROM timeline_send(part)");
		push @wrong, "$call: $count" if $count ne '0';
	}
	is(join("\n", @wrong), '', scalar(@parts) . ' ways to keep, omit and cut by time');
	return;
}

# The goals from the most specific on.
sub test_engagement_value
{
	my $points = q('{"buy@email": 20, "buy": 10, "video_*": 1, "v*": -0.5, "*@search": 0.25, "*[country=SE]": 3}');
	my $goals = "SELECT *, CASE WHEN event = 'buy' AND channel = 'email' THEN 20 WHEN event = 'buy' THEN 10 WHEN event LIKE 'video\\_%' THEN 1
		WHEN event LIKE 'v%' THEN -0.5 WHEN channel = 'search' THEN 0.25 WHEN properties->>'country' = 'SE' THEN 3 END AS points FROM ordered_row";
	my @wrong;
	my $tried = 0;
	for my $gap ("'30 min'", "'3 hours'")
	{
		my $visits = "SELECT *, count(*) FILTER (WHERE starts) OVER (PARTITION BY visitor ORDER BY place) AS visit FROM
			(SELECT *, (at - lag(at) OVER (PARTITION BY visitor ORDER BY place) > interval $gap) IS NOT FALSE AS starts FROM ($goals) s) s";
		for my $count ('each', 'visit', 'visitor')
		{
			for my $time ([ 'NULL', 'NULL' ], [ 'NULL', "'2026-03-29 00:00Z'" ], [ "'7 hours'", "'2026-04-05 00:00Z'" ], [ "'1 day'", "'2026-03-28 23:00Z'" ])
			{
				my ($half_life, $as_of) = @$time;
				my $once = $count eq 'each' ? 'place' : $count eq 'visit' ? 'visit' : '1';
				my $faded = $half_life eq 'NULL' ? 'points' :
					"points * power(2, -extract(epoch FROM ${as_of}::timestamptz - at)::float8 / extract(epoch FROM interval $half_life)::float8)";
				my $different = sql("WITH counted AS (SELECT DISTINCT ON (visitor, points, $once) * FROM ($visits) s
						WHERE points IS NOT NULL AND at <= coalesce(${as_of}::timestamptz, 'infinity') ORDER BY visitor, points, $once, place),
					total AS (SELECT visitor, sum($faded) AS value FROM counted GROUP BY visitor)
					SELECT count(*) FROM small LEFT JOIN total USING (visitor)
					WHERE (abs(engagement_value(t, $points, '$count', $half_life, $as_of, $gap) - coalesce(value, 0)) <= 1e-9) IS NOT TRUE");
				push @wrong, "$count, half_life $half_life, as_of $as_of, gap $gap: $different" if $different ne '0';
				$tried++;
			}
		}
	}
	is(join("\n", @wrong), '', "engagement_value in $tried ways");
	return;
}

# Do these timelines equal those of the reference, byte for byte? With a pattern, the
# plan must match it, actual numbers included. A condition is on the reference.
sub same
{
	my ($name, $query, $settings, $plan, $condition) = @_;
	my $reference = 'SELECT * FROM reference WHERE ' . ($condition // 'true');
	my $difference = "SELECT count(*) FROM ($reference) r FULL JOIN made m USING (visitor)
		WHERE timeline_send(r.t) IS DISTINCT FROM timeline_send(m.t)";
	if ($plan)
	{
		my $explained = sql("$settings; EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) $query");
		like($explained, $plan, "plan of $name");
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
