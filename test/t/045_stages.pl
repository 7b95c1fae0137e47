# Stages against plain SQL over the rows: where each visitor is, each move, and every
# count of every stage and period, over thousands of small random visitors with many
# equal times, around changes of the clocks. And sums of activity are the same, byte
# for byte, in any order, by any plan and in any tree.
#
#	VISITORS=1200 SEED=1
use strict;
use warnings;
use Test::More;

my $last_failed;
my $database = 'stages_test';
my $visitors = $ENV{VISITORS} || 1200;
# for setseed(), between 0 and 1
my $seed = ($ENV{SEED} || 1) * 0.618033988749895;
$seed -= int $seed;
$ENV{PGOPTIONS} = '-c client_min_messages=warning';

my $serial = 'SET max_parallel_workers_per_gather = 0';
my $parallel = q{
	SET parallel_setup_cost = 0;
	SET parallel_tuple_cost = 0;
	SET min_parallel_table_scan_size = 0;
	SET max_parallel_workers_per_gather = 3;
	SET parallel_leader_participation = off};

# The stages and which events belong to them: patterns for the functions, conditions for SQL.
my @maps = (
	{
		patterns => '{"page_view|imp*": "awareness", "video_start|video_25|click": "consideration", "purchase": "consideration", "purchase[plan=gold]": "decision", "demo@email": "decision"}',
		stages => 'NULL',
		names => [ 'awareness', 'consideration', 'decision' ],
		stage_number => q{CASE WHEN event IN ('page_view', 'impression') THEN 1 WHEN event = 'purchase' AND properties->>'plan' = 'gold' THEN 3
			WHEN event IN ('video_start', 'video_25', 'click', 'purchase') THEN 2 WHEN event = 'demo' AND channel = 'email' THEN 3 END}
	},
	{
		patterns => '{"*": "SQL", "page_view": "MQL", "video_*": "MQL", "purchase": "won", "video_75": "lost", "demo": "won"}',
		stages => q{'{MQL,SQL,opportunity,won,lost}'},
		names => [ 'MQL', 'SQL', 'opportunity', 'won', 'lost' ],
		stage_number => q{CASE WHEN event IN ('purchase', 'demo') THEN 4 WHEN event = 'video_75' THEN 5 WHEN event = 'page_view' OR event LIKE 'video%' THEN 1 ELSE 2 END}
	});

# Columns of stage_activity, and for a row of theirs, does it count?
my @counts = (
	[ event_count => 'true' ],
	[ impression_count => "event = 'impression'" ],
	[ view_count => "event = 'page_view'" ],
	[ like_count => "event = 'like'" ],
	[ share_count => "event = 'share'" ],
	[ comment_count => "event = 'comment'" ],
	[ click_count => "event = 'click'" ],
	[ video_start_count => "event = 'video_start'" ],
	[ video_25_count => "event = 'video_25'" ],
	[ video_50_count => "event = 'video_50'" ],
	[ video_75_count => "event = 'video_75'" ],
	[ video_complete_count => "event = 'video_complete'" ],
	[ order_count => "event = 'purchase'" ],
	[ subscription_count => "event = 'subscribe'" ],
	[ subscription_level_count => "event = 'subscribe' AND properties->>'level' ~ '^[0-9.]+\$'" ]);
my @sums = (
	[ revenue_value => 'value', "event = 'purchase'" ],
	[ subscription_value => 'value', "event = 'subscribe'" ],
	[ subscription_level_sum => "CASE WHEN properties->>'level' ~ '^[0-9.]+\$' THEN (properties->>'level')::numeric END", "event = 'subscribe'" ]);
my $is_action = "event IN ('click', 'purchase', 'subscribe', 'like', 'share', 'comment')";

# Newfoundland set its clocks back at one minute past midnight, so that a day came twice;
# Samoa left out 30 December 2011; a day in Brazil began at one o'clock.
my @zones = ('UTC', 'Europe/Oslo', 'America/St_Johns', 'Pacific/Apia', 'America/Sao_Paulo', 'Asia/Kathmandu');
my @periods = ('day', 'week', 'month', 'quarter', 'year', 'all');
my @spans = ('30 min', '0', '1 hour', '29 min 59.999999 s', '20 days', '1 us');

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
test_stage_at();
test_stage_moves();
test_stage_activity();
test_metrics();
test_other_metrics();
test_plans();
test_merge_trees();
test_windows();
test_many_events();
done_testing();

# Times on a grid of minutes, or of ten, or all of them few, around places where clocks
# change; so that equal times, midnights and exact distances are frequent.
sub make_rows
{
	set_up("SELECT setseed($seed);
		CREATE TABLE event_row AS SELECT v AS visitor,
				(array['2026-03-28 20:00Z', '2026-10-24 20:00Z', '2006-10-28 22:00Z', '2011-12-29 20:00Z', '2018-11-03 20:00Z', '2025-12-31 16:00Z']::timestamptz[])[1 + v % 6]
					+ CASE v % 5 WHEN 0 THEN floor(random() * 4) * interval '30 min' WHEN 1 THEN floor(random() * 60) * interval '10 min'
						WHEN 2 THEN floor(random() * 500) * interval '1 min' WHEN 3 THEN floor(random() * 50) * interval '6 hours'
						ELSE floor(random() * 8) * interval '15 min' + floor(random() * 2) * interval '1 us' END AS at,
				(array['page_view', 'page_view', 'impression', 'like', 'share', 'comment', 'click', 'video_start', 'video_start', 'video_25', 'video_50', 'video_75',
					'video_complete', 'purchase', 'purchase', 'subscribe', 'demo', 'chat'])[1 + floor(random() * 18)] AS event,
				(array[NULL, 'email', 'search'])[1 + floor(random() * 3)] AS channel,
				CASE floor(random() * 4)::int WHEN 0 THEN floor(random() * 10000) / 100 WHEN 1 THEN floor(random() * 100)
					WHEN 2 THEN CASE WHEN v % 7 = 0 THEN round(random()::numeric, 9) ELSE -1.5 END END::numeric AS value,
				CASE floor(random() * 5)::int WHEN 0 THEN '{\"plan\": \"gold\"}' WHEN 1 THEN '{\"level\": 2}' WHEN 2 THEN '{\"level\": \"3.25\"}'
					WHEN 3 THEN '{\"level\": \"gold\", \"plan\": \"free\"}' END::jsonb AS properties
			FROM generate_series(1, $visitors) v, generate_series(1, v % 17) i;
		CREATE TABLE visitor_timeline AS SELECT v AS visitor, timeline(at, event, channel, value::float8, properties) AS t, (array_agg(at ORDER BY md5(at::text)))[1] AS some_at
			FROM generate_series(1, $visitors) v LEFT JOIN event_row ON visitor = v GROUP BY v;
		CREATE INDEX event_row_visitor ON event_row (visitor, at);
		ANALYZE event_row, visitor_timeline");
	for my $i (0 .. $#maps)
	{
		# the stage of each instant by its own events, and where the visitor is then, both ways
		set_up("CREATE TABLE staged_row_$i AS SELECT *, $maps[$i]{stage_number} AS own FROM event_row;
			CREATE TABLE instant_$i AS SELECT visitor, at, own, max(own) OVER up_to AS ordered,
					(array_agg(own) FILTER (WHERE own IS NOT NULL) OVER up_to)[count(own) OVER up_to] AS free
				FROM (SELECT visitor, at, max(own) AS own FROM staged_row_$i GROUP BY visitor, at) s
				WINDOW up_to AS (PARTITION BY visitor ORDER BY at);
			CREATE INDEX ON instant_$i (visitor, at);
			ANALYZE staged_row_$i, instant_$i");
	}
	is(sql('SELECT count(*) > 5 * ' . $visitors . ', count(*) FILTER (WHERE n > 1) > ' . $visitors . ' FROM (SELECT count(*) AS n FROM event_row GROUP BY visitor, at) s'),
		't|t', 'enough events, and enough at one instant');
	return;
}

sub test_stage_at
{
	my @wrong;
	my $tried = 0;
	for my $i (0 .. $#maps)
	{
		for my $ordered ('true', 'false')
		{
			my $column = $ordered eq 'true' ? 'ordered' : 'free';
			# nothing; a fixed time; the very time of an event, and just before it
			for my $as_of ('NULL::timestamptz', "'2026-03-29 01:00Z'::timestamptz", 'some_at', "some_at - interval '1 us'")
			{
				for my $lapse ('NULL::interval', "'0'::interval", "'90 min'::interval", "'10000 days'::interval")
				{
					next if $as_of =~ /^NULL/ && $lapse !~ /^NULL/ || $as_of ne 'some_at' && $lapse =~ /0'|days/;
					my $count = sql(qq{
						WITH found AS (SELECT a.*, $as_of AS as_of, n.$column AS stage, n.at AS last_at
							FROM visitor_timeline a LEFT JOIN LATERAL (SELECT * FROM instant_$i n WHERE n.visitor = a.visitor AND n.at <= coalesce($as_of, 'infinity')
								ORDER BY at DESC LIMIT 1) n ON true)
						SELECT count(*) FROM found WHERE ($lapse IS NULL OR as_of IS NOT NULL) AND
							stage_at(t, '$maps[$i]{patterns}', $maps[$i]{stages}, as_of, $ordered, $lapse)
							IS DISTINCT FROM CASE WHEN (as_of - last_at > $lapse) IS NOT TRUE THEN (@{[ names($i) ]})[stage] END});
					push @wrong, "map $i, ordered $ordered, as_of $as_of, lapse $lapse: $count" if $count ne '0';
					$tried++;
				}
			}
		}
	}
	is(join("\n", @wrong), '', "stage_at in $tried ways");
	return;
}

sub test_stage_moves
{
	my @wrong;
	my $tried = 0;
	for my $i (0 .. $#maps)
	{
		for my $column ('ordered', 'free')
		{
			for my $as_of ('NULL::timestamptz', "timestamptz '2026-03-29 01:00Z'", "timestamptz '2012-01-01 00:00Z'")
			{
				my $difference = difference(
					"SELECT visitor, m.from_stage, m.to_stage, m.moved_at, m.seconds FROM visitor_timeline,
						stage_moves(t, '$maps[$i]{patterns}', $maps[$i]{stages}, $as_of, " . ($column eq 'ordered' ? 'true' : 'false') . ') m',
					"SELECT visitor, (@{[ names($i) ]})[before], (@{[ names($i) ]})[stage], at,
							extract(epoch FROM at - lag(at) OVER (PARTITION BY visitor ORDER BY at))::float8
						FROM (SELECT visitor, at, $column AS stage, lag($column) OVER (PARTITION BY visitor ORDER BY at) AS before FROM instant_$i
							WHERE at <= coalesce($as_of, 'infinity')) s
						WHERE stage IS DISTINCT FROM before");
				push @wrong, "map $i, $column, as_of $as_of: $difference" if $difference !~ /^0\|0\|[1-9]/;
				$tried++;
			}
		}
	}
	is(join("\n", @wrong), '', "stage_moves in $tried ways");
	is(sql("SELECT count(*) FROM (SELECT moved_at, lag(moved_at) OVER (PARTITION BY visitor ORDER BY n) AS before FROM visitor_timeline,
			stage_moves(t, '$maps[1]{patterns}', $maps[1]{stages}, ordered => false) WITH ORDINALITY m(f, t2, moved_at, s, n)) s WHERE moved_at <= before"),
		'0', 'moves come in the order of time');
	return;
}

# Makes the table expected, as stage_activity() should be, from events by plain SQL.
sub expect_activity
{
	my (%option) = @_;
	my $i = $option{map};
	my $period = $option{period} eq 'all' ? 'NULL::timestamptz' : "date_trunc('$option{period}', at, '$option{time_zone}')";
	my $counts = join ",\n", map { "count(*) FILTER (WHERE $_->[1]) AS $_->[0]" } @counts;
	my $sums = join ",\n", map { "sum($_->[1]) FILTER (WHERE $_->[2]) AS $_->[0]" } @sums;
	return qq{
		CREATE TEMP TABLE placed AS SELECT e.*, coalesce(e.own, n.$option{ordered}) AS stage, $period AS period_start
			FROM staged_row_$i e JOIN instant_$i n USING (visitor, at);
		CREATE TEMP TABLE video AS SELECT visitor, at, nullif(max(coalesce(stage, 0)), 0) AS stage, min(period_start) AS period_start
			FROM placed WHERE event IN ('video_start', 'video_25', 'video_50', 'video_75', 'video_complete') GROUP BY visitor, at;
		CREATE INDEX ON video (visitor, at);
		ANALYZE placed, video;
		CREATE TEMP TABLE followed AS SELECT visitor, v.stage, v.period_start, count(*) AS n FROM placed p, LATERAL
			(SELECT at AS video_at, stage, period_start FROM video v WHERE v.visitor = p.visitor AND v.at <= p.at ORDER BY v.at DESC LIMIT 1) v
			WHERE ($option{is_action}) AND p.event NOT LIKE 'video%' AND p.at - video_at <= interval '$option{after_video}' GROUP BY 1, 2, 3;
		CREATE TEMP TABLE expected AS WITH counted AS (SELECT visitor, stage, period_start, $counts, $sums FROM placed GROUP BY 1, 2, 3)
			SELECT c.visitor, (@{[ names($i) ]})[c.stage] AS stage, c.period_start, 1 AS visitor_count, @{[ join ', ', map { $_->[0] } @counts ]},
				coalesce(n, 0) AS action_after_video_count, @{[ join ', ', map { $_->[0] } @sums ]}
			FROM counted c LEFT JOIN followed f ON f.visitor = c.visitor AND coalesce(f.stage, 0) = coalesce(c.stage, 0)
				AND coalesce(f.period_start, '-infinity') = coalesce(c.period_start, '-infinity');};
}

# Each period in each time zone once, the other options taken in turn.
sub test_stage_activity
{
	my @wrong;
	my $tried = 0;
	for my $period (0 .. $#periods)
	{
		for my $zone (0 .. $#zones)
		{
			next if $periods[$period] eq 'all' && $zone > 1;
			my %option = (map => ($period + $zone) % 2, period => $periods[$period], time_zone => $zones[$zone],
				ordered => ($period + $zone / 2) % 2 ? 'ordered' : 'free', after_video => $spans[ ($period + $zone) % @spans ],
				is_action => $zone % 3 == 0 ? "event IN ('chat', 'demo', 'video_25')" : $is_action);
			my $ordered = $option{ordered} eq 'ordered' ? 'true' : 'false';
			my $action = $zone % 3 == 0 ? "'chat|demo|video_25'" : 'NULL';
			my $difference = difference("SELECT visitor, a.* FROM visitor_timeline, stage_activity(t, '$maps[$option{map}]{patterns}', '$option{period}', '$option{time_zone}',
					$maps[$option{map}]{stages}, action => $action, after_video => '$option{after_video}', ordered => $ordered) a",
				undef, expect_activity(%option));
			push @wrong, join(', ', map { "$_ $option{$_}" } sort keys %option) . ": $difference" if $difference !~ /^0\|0\|[1-9]/;
			$tried++;
		}
	}
	is(join("\n", @wrong), '', "stage_activity in $tried ways");
	is(sql("SELECT count(*) FROM (SELECT (period_start, coalesce(array_position(@{[ names(0) ]}, stage), 0)) AS place,
			lag((period_start, coalesce(array_position(@{[ names(0) ]}, stage), 0))) OVER (PARTITION BY visitor ORDER BY n) AS before
		FROM visitor_timeline, LATERAL (SELECT a.*, row_number() OVER () AS n FROM stage_activity(t, '$maps[0]{patterns}', 'day', 'America/St_Johns') a) a) s WHERE place <= before"),
		'0', 'rows come by period, then by stage');
	return;
}

# Every column of stage_metrics by plain SQL from what plain SQL counts.
sub test_metrics
{
	my $expected = expect_activity(map => 0, period => 'week', time_zone => 'Europe/Oslo', ordered => 'ordered', after_video => '30 min', is_action => $is_action);
	my $sums = join ', ', map { "sum($_->[0]) AS $_->[0]" } @counts, @sums, ['visitor_count'], ['action_after_video_count'];
	set_up("$expected CREATE TABLE expected_metrics AS SELECT stage, period_start, $sums FROM expected GROUP BY 1, 2");
	my $starts = 'nullif(video_start_count, 0)';
	is(difference("SELECT stage, period_start, (stage_metrics(a)).* FROM visitor_timeline, stage_activity(t, '$maps[0]{patterns}', 'week', 'Europe/Oslo') a GROUP BY stage, period_start",
			"SELECT stage, period_start, visitor_count, event_count, impression_count, view_count, like_count, share_count, comment_count, click_count,
				video_start_count, video_25_count, video_50_count, video_75_count, video_complete_count,
				video_25_count::float8 / ${starts}::float8, video_50_count::float8 / ${starts}::float8, video_75_count::float8 / ${starts}::float8, video_complete_count::float8 / ${starts}::float8,
				-- those who left in each quarter, half-way through it
				(0.125 * (video_start_count - video_25_count) + 0.375 * (video_25_count - video_50_count) + 0.625 * (video_50_count - video_75_count)
					+ 0.875 * (video_75_count - video_complete_count) + video_complete_count)::float8 / ${starts}::float8,
				order_count, CASE WHEN order_count = 0 THEN 0 ELSE revenue_value::float8 END, revenue_value::float8 / nullif(order_count, 0)::float8,
				subscription_count, subscription_level_sum::float8 / nullif(subscription_level_count, 0)::float8, CASE WHEN subscription_count = 0 THEN 0 ELSE subscription_value::float8 END,
				action_after_video_count, action_after_video_count::float8 / ${starts}::float8 FROM expected_metrics"),
		'0|0|' . sql('SELECT count(*) FROM expected_metrics'), 'stage_metrics');
	cmp_ok(sql('SELECT count(*) FROM expected_metrics'), '>', 20, 'of many stages and periods');
	return;
}

# Names that several metrics share, and patterns with conditions.
sub test_other_metrics
{
	my $map = '{"views": "*@email", "likes": "chat|demo", "comments": null, "video_starts": "video_*", "video_25": "*[plan=gold]", "orders": "purchase[plan=gold]|demo", "subscriptions": "purchase"}';
	is(difference("SELECT visitor, a.stage, a.view_count, a.like_count, a.comment_count, a.video_start_count, a.video_25_count, a.video_complete_count, a.order_count, a.revenue_value, a.subscription_count,
				a.subscription_value, a.subscription_level_sum, a.action_after_video_count
			FROM visitor_timeline, stage_activity(t, '{}', 'all', metric_map => '$map', level_property => 'plan', after_video => '1000000 days') a",
			"SELECT visitor, NULL, count(*) FILTER (WHERE channel = 'email'), count(*) FILTER (WHERE event IN ('chat', 'demo')), 0,
				count(*) FILTER (WHERE event LIKE 'video%'), count(*) FILTER (WHERE properties->>'plan' = 'gold'), count(*) FILTER (WHERE event = 'video_complete'),
				count(*) FILTER (WHERE (event = 'purchase' AND properties->>'plan' = 'gold') OR event = 'demo'), sum(value) FILTER (WHERE (event = 'purchase' AND properties->>'plan' = 'gold') OR event = 'demo'),
				count(*) FILTER (WHERE event = 'purchase'), sum(value) FILTER (WHERE event = 'purchase'), NULL::numeric,
				count(*) FILTER (WHERE event IN ('click', 'purchase', 'demo', 'chat', 'share') AND (properties->>'plan' = 'gold') IS NOT TRUE
					AND at >= (SELECT min(at) FROM event_row v WHERE v.visitor = e.visitor AND (v.event LIKE 'video%' OR v.properties->>'plan' = 'gold')))
			FROM event_row e GROUP BY visitor"),
		'0|0|' . sql('SELECT count(DISTINCT visitor) FROM event_row'), 'metrics of other events');
	return;
}

# Activity of 30,000 visitors with awkward amounts, in random order.
sub test_plans
{
	set_up("SELECT setseed($seed);
		CREATE TABLE many AS SELECT i, i % 40 AS grp, i % 7 AS part, timeline '{}' || format('{2026-01-%sT00:00:00Z page_view, 2026-01-05T00:00:00Z purchase =%s, 2026-01-05T00:00:01Z subscribe =%s {\"level\": %s}}',
				lpad((1 + i % 28)::text, 2, '0'), (array[random() * 1e3, random() * 1e-3, floor(random() * 1e6) / 100, 1e15, -1e15, 9007199254740991])[1 + floor(random() * 6)], random(), floor(random() * 5))::timeline AS t
			FROM generate_series(1, 30000) i ORDER BY random();
		ANALYZE many;
		CREATE TABLE many_activity AS SELECT grp, part, stage, a FROM many, stage_activity(t, '$maps[0]{patterns}', 'all') a;
		ANALYZE many_activity;
		$serial; SET enable_hashagg = off;
		CREATE TABLE reference AS SELECT grp, stage, record_send(stage_metrics(a ORDER BY a))::text AS metrics, record_send(rollup(a ORDER BY a))::text AS activity FROM many_activity GROUP BY 1, 2;
		CREATE AGGREGATE add_up(stage_activity) (SFUNC = stage_activity_add, STYPE = stage_activity)");
	is(sql('SELECT count(*), count(DISTINCT metrics) > 40 FROM reference'), '80|t', 'sums to compare with');

	my $query = 'SELECT grp, stage, record_send(stage_metrics(a))::text AS metrics, record_send(rollup(a))::text AS activity FROM many_activity GROUP BY 1, 2';
	same('hashed groups', $query, "$serial; SET enable_sort = off", qr/HashAggregate/);
	same('sorted groups', $query, "$serial; SET enable_hashagg = off", qr/GroupAggregate/);
	same('workers that hash', $query, "$parallel; SET enable_sort = off", qr/Workers Launched: [1-9].*Partial HashAggregate/s);
	same('workers that sort', $query, "$parallel; SET parallel_tuple_cost = 0.1; SET enable_hashagg = off", qr/Workers Launched: [1-9].*Partial GroupAggregate/s);
	same('workers that make the rows too', "SELECT grp, stage, record_send(stage_metrics(a))::text AS metrics, record_send(rollup(a))::text AS activity
			FROM many, stage_activity(t, '$maps[0]{patterns}', 'all') a GROUP BY 1, 2", $parallel, qr/Workers Launched: [1-9].*Partial \w+Aggregate.*Function Scan/s);
	my $spilled = "SELECT i % 10000 AS grp, stage, rollup(a) AS a FROM many, stage_activity(t, '$maps[0]{patterns}', 'all') a GROUP BY 1, 2";
	like(sql("$serial; SET enable_sort = off; SET work_mem = '64kB'; SET hash_mem_multiplier = 1; EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) $spilled"),
		qr/HashAggregate.*Batches: (?:[2-9]|\d\d).*Disk Usage/s, 'plan of spilled hash aggregation');
	same('spilled hash aggregation', "SELECT grp % 40 AS grp, stage, record_send(stage_metrics(a))::text AS metrics, record_send(rollup(a))::text AS activity FROM ($spilled) s GROUP BY 1, 2",
		"$serial; SET enable_sort = off; SET work_mem = '64kB'; SET hash_mem_multiplier = 1");
	return;
}

sub test_merge_trees
{
	my $send = 'record_send(stage_metrics(a))::text AS metrics, record_send(rollup(a))::text AS activity';
	my $parts = "SELECT grp, stage, part, rollup(a) AS a FROM many_activity GROUP BY 1, 2, 3";
	same('rollups of rollups', "SELECT grp, stage, $send FROM (SELECT grp, stage, part % 3, rollup(a ORDER BY random()) AS a FROM ($parts) s GROUP BY 1, 2, 3) s GROUP BY 1, 2", $serial);
	same('random trees', "SELECT grp, stage, $send FROM (SELECT grp, stage, stage_activity_add(a, b) AS a FROM (SELECT grp, stage, part % 2, rollup(a) FILTER (WHERE part < 4) AS a,
			add_up(a ORDER BY random()) FILTER (WHERE part >= 4) AS b FROM ($parts) s GROUP BY 1, 2, 3) s) s GROUP BY 1, 2", $serial);
	same('through text', "SELECT grp, stage, $send FROM (SELECT grp, stage, a::text::stage_activity AS a FROM ($parts) s) s GROUP BY 1, 2", $serial);
	same('through columns', "SELECT grp, s, $send FROM (SELECT grp, stage AS s, row((a).*)::stage_activity AS a FROM ($parts) s) s GROUP BY 1, 2", $serial);

	# which number of visitors and which stage and period a sum has does not depend on the order
	is(sql("SELECT count(*), count(*) FILTER (WHERE different > 1) FROM (SELECT set, count(DISTINCT record_send(sum)) AS different FROM
			(SELECT set, attempt, CASE WHEN attempt % 2 = 0 THEN rollup(a ORDER BY md5(n::text || attempt))
					ELSE stage_activity_add(add_up(a ORDER BY md5(n::text || attempt)) FILTER (WHERE n % 3 = attempt % 3), add_up(a ORDER BY n) FILTER (WHERE n % 3 <> attempt % 3)) END AS sum
				FROM (SELECT set, n, jsonb_populate_record(NULL::stage_activity, jsonb_build_object('stage', (array['a', 'b', NULL])[1 + abs(hashint4(set * 7 + n * 3)) % (1 + set % 3)],
						'period_start', (array['2026-01-01Z', '2026-01-02Z', NULL])[1 + abs(hashint4(set * 11 + n)) % (1 + set / 3 % 3)],
						'visitor_count', (array[0, 0, 1, 2, NULL])[1 + abs(hashint4(set * 5 + n * 13)) % (2 + set / 9 % 4)], 'view_count', n)) AS a
					FROM generate_series(1, 300) set, generate_series(1, 2 + set % 5) n) s, generate_series(1, 12) attempt GROUP BY 1, 2) s GROUP BY 1) s"),
		'300|0', 'sums over several stages and periods');
	return;
}

# The final function is called for each row, and more rows follow.
sub test_windows
{
	is(sql("WITH piece AS (SELECT grp, stage, a, row_number() OVER (PARTITION BY grp, stage ORDER BY md5(a::text)) AS n FROM many_activity WHERE grp < 3 AND part = 1),
			running AS (SELECT *, stage_metrics(a) OVER w AS m, array_agg(a) OVER w AS rows FROM piece WHERE n <= 60
				WINDOW w AS (PARTITION BY grp, stage ORDER BY n ROWS BETWEEN 6 PRECEDING AND CURRENT ROW))
		SELECT count(*) > 300 AND count(*) FILTER (WHERE record_send(m) <> record_send((SELECT stage_metrics(r) FROM unnest(rows) r))) = 0 FROM running"),
		't', 'over a moving window');
	is(sql("SELECT count(*) FROM many_activity m, LATERAL (SELECT stage_activity_add(a, a) AS sum) s WHERE (sum).event_count <> 2 * (a).event_count"), '0', 'a sum outside of an aggregate');
	is(sql("SELECT count(*) FROM (SELECT grp, stage, record_send(rollup(a))::text AS activity FROM many_activity GROUP BY 1, 2) s JOIN reference r USING (grp, stage) WHERE s.activity <> r.activity"),
		'0', 'leaves the stored rows as they were');
	return;
}

# One visitor with 100,000 events, many at one instant, and a row for each day.
sub test_many_events
{
	set_up("CREATE TABLE long AS SELECT timeline(timestamptz '2020-01-01Z' + i / 20 * interval '10 min', (array['page_view', 'video_start', 'purchase', 'chat', 'click'])[1 + i % 5], NULL, i / 100.0) AS t
		FROM generate_series(0, 99999) i");
	my $started = time;
	is(sql("SELECT count(*), sum(event_count), sum(order_count), sum(action_after_video_count), sum(revenue_value) FROM long, stage_activity(t, '$maps[1]{patterns}', 'day', 'Europe/Oslo', $maps[1]{stages})"),
		'105|100000|20000|40000|9999900.00', 'activity of 100,000 events');
	is(sql("SELECT stage_at(t, '$maps[1]{patterns}', $maps[1]{stages}, '2020-01-10Z'), (SELECT count(*) FROM stage_moves(t, '$maps[1]{patterns}', $maps[1]{stages}, ordered => false)) FROM long"),
		'won|1', 'and their stages');
	cmp_ok(time - $started, '<', 5, 'in a moment');
	return;
}

# An array expression of a map's stages.
sub names
{
	my ($i) = @_;
	return q{'} . '{' . join(',', @{ $maps[$i]{names} }) . '}' . q{'::text[]};
}

# How many rows are only in the first query, only in the second, and in the second at all.
# Instead of the second, statements that make the table expected.
sub difference
{
	my ($made, $expected, $statements) = @_;
	$statements //= "CREATE TEMP TABLE expected (LIKE made); INSERT INTO expected $expected;";
	return sql("CREATE TEMP TABLE made AS $made; $statements
		SELECT (SELECT count(*) FROM (TABLE made EXCEPT ALL TABLE expected) s), (SELECT count(*) FROM (TABLE expected EXCEPT ALL TABLE made) s), (SELECT count(*) FROM expected)");
}

# Does a query give the reference, byte for byte? With a pattern, the plan must match it.
sub same
{
	my ($name, $query, $settings, $plan) = @_;
	like(sql("$settings; EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) $query"), $plan, "plan of $name") if $plan;
	is(sql("$settings; CREATE TEMP TABLE made (grp, stage, metrics, activity) AS $query; RESET ALL;
			SELECT (SELECT count(*) FROM (TABLE made EXCEPT ALL TABLE reference) s), (SELECT count(*) FROM made)"), '0|80', $name);
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
