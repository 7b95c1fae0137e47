# The attribution figures of test/bench/figures.pl: paths of four touches on average, the journeys of the stored
# timelines, and the models over both. Tables, with ROWS=10000000:
#
#   path_12        a million paths through 12 channels, one a row: text[], converted or not, value in cents
#   path_200, path_16, path_30   200,000 such paths each through 200, 16 and 30 channels
#   path_touch     the touches of path_12, one a row: 4 million
#   stored_chain, stored_paths   what attribution() reads: one row each, by name
#   plain_touch    the touches of all journeys of the event rows, by window functions
use strict;
use warnings;

my $paths_floor = 'count(path) of path rows';
my $touch_floor = 'row_number() over touch rows';
my $count_star  = 'count(*) of the events';
my $counts      = 'path, conversions, value, non_conversions';
my $rule        = "journey_rule('purchase')";
my $credit      = 'SELECT sum(conversions), sum(value) FROM';

# A row's hashes give all its draws. A byte stands for a channel; the first channels have more bytes.
sub path_table
{
	my ($channels, $events_per_path) = @_;
	my $skew   = $channels < 50 ? 2 : 1.25;
	my @labels = map { my $number = int($channels * ($_ / 256)**$skew); $number ? "channel_$number" : '(direct)' } 0 .. 255;
	my $draws  = join ', ', map { "labels[1 + get_byte(bytes, $_)]" } 0 .. 13;
	return "CREATE UNLOGGED TABLE path_$channels AS
		SELECT path, is_converted::int::bigint AS conversions, CASE WHEN is_converted THEN (100 + (draw & 16383)) / 100.0::float8 ELSE 0 END AS value,
			(NOT is_converted)::int::bigint AS non_conversions
		FROM (SELECT path, draw, (draw >> 16) & 1023 < 50 + 12 * cardinality(path) + 40 * (path[1] = 'channel_2')::int AS is_converted
			FROM (SELECT draw, (ARRAY[$draws])[1:('{1,1,1,1,1,2,2,2,3,3,4,5,6,8,10,14}'::int[])[1 + i % 16]] AS path
				FROM (SELECT i, hashint8extended(i, 1) AS draw, int8send(hashint8extended(i, 2)) || int8send(hashint8extended(i, 3)) AS bytes,
						'{" . join(',', @labels) . "}'::text[] AS labels
					FROM generate_series(1, (SELECT count(*) / $events_per_path FROM event)) AS i OFFSET 0) AS h OFFSET 0) AS p OFFSET 0) AS p;
		VACUUM ANALYZE path_$channels;\n";
}

# A touch belongs to the first conversion at or after it, within 90 days; the rest to a journey without conversion.
my $plain_touch = "CREATE UNLOGGED TABLE plain_touch AS
	SELECT visitor, at, channel, converted_at
	FROM (SELECT *, max(at) FILTER (WHERE converted_at IS NULL) OVER (PARTITION BY visitor) AS last_at
		FROM (SELECT *, min(at) FILTER (WHERE is_conversion) OVER (PARTITION BY visitor ORDER BY at DESC) AS converted_at
			FROM (SELECT visitor, at, NULL AS channel, true AS is_conversion FROM event WHERE event = 'purchase'
				UNION ALL SELECT visitor, started_at, channel, false FROM plain_visit WHERE landing_event <> 'purchase'
				UNION ALL SELECT v.visitor, min(at), v.channel, false FROM plain_visit AS v JOIN event AS e
					ON e.visitor = v.visitor AND e.event <> 'purchase' AND at BETWEEN started_at AND ended_at
					WHERE landing_event = 'purchase' GROUP BY v.visitor, started_at, v.channel) AS touch_or_conversion) AS with_conversion
		WHERE NOT is_conversion) AS touch
	WHERE coalesce(converted_at, last_at) - at <= interval '90 days';
	VACUUM ANALYZE plain_touch;\n";

my $tables = 'SET client_min_messages = warning; DROP TABLE IF EXISTS path_12, path_200, path_16, path_30, path_touch, stored_chain, stored_paths, plain_touch;'
	. path_table(12, 10) . path_table(200, 50) . path_table(16, 50) . path_table(30, 50)
	. "CREATE UNLOGGED TABLE path_touch AS
		SELECT conversion, timestamptz '2025-01-01 00:00+00' + ((hashint8extended(conversion * 16 + position, 1) & 7) + 8 * position) * interval '1 hour' AS at, channel
		FROM (SELECT row_number() OVER () AS conversion, path FROM path_12) AS p, unnest(path) WITH ORDINALITY AS t (channel, position);
	VACUUM ANALYZE path_touch;
	CREATE UNLOGGED TABLE stored_chain AS " . join(' UNION ALL ', map { my ($channels, $order) = @$_;
		"SELECT '$channels channels, order $order' AS name, markov($counts, $order) AS chain FROM path_$channels" }
		[ 12, 1 ], [ 12, 2 ], [ 12, 3 ], [ 12, 4 ], [ 200, 1 ], [ 200, 2 ]) . ";
	CREATE UNLOGGED TABLE stored_paths AS " . join(' UNION ALL ',
		(map { "SELECT '$_ channels' AS name, conversion_paths($counts) AS paths FROM path_$_" } 12, 16, 30),
		"SELECT 'journeys', conversion_paths(events, $rule) FROM stored") . ";\n$plain_touch";

# The fastest that was found: no window function is needed. Each row of path_12 is one path, so that rows are counts.
my %plain_transitions = (
	1 => "SELECT ARRAY[a] AS from_state, ARRAY[coalesce(b, CASE conversions WHEN 1 THEN '(conversion)' ELSE '(no conversion)' END)] AS to_state, count(*) AS transitions
		FROM path_12, unnest(path, path[2:]) AS t (a, b) GROUP BY a, 2
		UNION ALL SELECT ARRAY['(start)'], path[:1], count(*) FROM path_12 GROUP BY 2",
	3 => "SELECT array_remove(ARRAY[a, b, c], NULL) AS from_state,
			CASE WHEN d IS NOT NULL THEN ARRAY[b, c, d] ELSE ARRAY[CASE conversions WHEN 1 THEN '(conversion)' ELSE '(no conversion)' END] END AS to_state, count(*) AS transitions
		FROM path_12, unnest(path, path[2:], path[3:], path[4:]) WITH ORDINALITY AS t (a, b, c, d, position)
		WHERE c IS NOT NULL OR (position = 1 AND cardinality(path) < 3) GROUP BY a, b, c, 2
		UNION ALL SELECT ARRAY['(start)'], path[:3], count(*) FROM path_12 GROUP BY 2");

sub chain { my ($order) = @_; return "(SELECT markov($counts, $order) FROM path_12)" }

sub plain_counting { my ($order) = @_; return "GROUP BY over unnest(), the same transitions, order $order" }

sub counting
{
	my ($order) = @_;
	my $answer = 'SELECT count(*), sum(transitions) FROM';
	return (
		{ name => "markov of path rows, order $order", floor => $paths_floor, beats => [ [ plain_counting($order) ] ],
			sql => "$answer transition_probabilities(" . chain($order) . ')', plain => "$answer ($plain_transitions{$order}) AS t" },
		{ name => plain_counting($order), alone => 1,
			sql => "$answer ($plain_transitions{$order}) AS t", plain => "$answer ($plain_transitions{$order}) AS t" });
}

sub counting_and_solving
{
	my ($order, $at_most_ms) = @_;
	return { name => "attribution of markov of path rows, order $order", at_most_ms => $at_most_ms, memory_over => $paths_floor, at_most_mb => 100,
		sql => "$credit attribution(" . chain($order) . ')', plain => "$credit path_12" };
}

sub solving
{
	my ($channels, $order, $at_most_ms, $once) = @_;
	return { name => "attribution of a stored markov, $channels channels, order $order", alone => 1, at_most_ms => $at_most_ms, once => $once,
		sql => "$credit attribution((SELECT chain FROM stored_chain WHERE name = '$channels channels, order $order'))", plain => "$credit path_$channels" };
}

sub model
{
	my ($channels, $model, $options) = @_;
	(my $label = $options // '') =~ s/ => / /;
	return { name => "attribution of stored conversion_paths, $channels channels: $model$label", alone => 1, plain => "$credit path_$channels",
		sql => "$credit attribution((SELECT paths FROM stored_paths WHERE name = '$channels channels'), '$model'" . ($options // '') . ')' };
}

my @paths = (
	{ name => $paths_floor, sql => 'SELECT count(path) FROM path_12', plain => 'SELECT count(*) FROM path_12' },
	counting(1), counting(3),
	counting_and_solving(1, 1500), counting_and_solving(3, 4000),
	solving(12, 1), solving(12, 2), solving(12, 3, 4000), solving(12, 4), solving(200, 1, 1000), solving(200, 2, undef, 1),
	{ name => 'conversion_paths of path rows', floor => $paths_floor, memory_over => $paths_floor,
		sql => "SELECT (t).conversions, (t).non_conversions, (t).value FROM (SELECT path_totals(conversion_paths($counts)) AS t FROM path_12 OFFSET 0) AS s",
		plain => 'SELECT sum(conversions), sum(non_conversions), sum(value) FROM path_12' },
	(map { model(12, $_) } 'first_touch', 'last_touch', 'last_non_direct', 'linear', 'position_based', 'participation', 'shapley', 'shapley_ordered', 'shapley_observed', 'markov'),
	(map { model($_, 'shapley_markov') } 12, 16, 30));
for my $figure (grep { $_->{name} =~ /: shapley_observed/ } @paths)
{
	$figure->{sql}   =~ s/sum.*? FROM/round(sum(effect)::numeric, 12) FROM/;
	$figure->{plain} = "SELECT coalesce(round(sum(conversions) / sum(conversions + non_conversions), 12), 0) FROM path_12
		WHERE (SELECT count(DISTINCT channel) FROM unnest(path) AS channel) = 12";
}
$_->{plain} =~ s/FROM path_12/FROM path_12, LATERAL (SELECT channel FROM unnest(path) AS channel GROUP BY channel) AS distinct_channel/
	for grep { $_->{name} =~ /: participation/ } @paths;

my @touches = (
	(map {
		my ($model, $first) = @$_;
		{ name => "attribution_weights of path rows, $model", floor => $paths_floor,
			sql => "SELECT count(*), sum((attribution_weights('$model', path))[1]) FROM path_12",
			plain => "SELECT count(*), sum($first) FROM path_12" }
	} [ 'linear', '1.0::float8 / cardinality(path)' ],
		[ 'position_based', 'CASE cardinality(path) WHEN 1 THEN 1 WHEN 2 THEN 0.5 ELSE 0.4 END::float8' ]),
	{ name => $touch_floor, sql => 'SELECT sum(n) FROM (SELECT row_number() OVER (PARTITION BY conversion ORDER BY at) AS n FROM path_touch OFFSET 0) AS s',
		plain => 'SELECT sum(cardinality(path) * (cardinality(path) + 1) / 2) FROM path_12', alone => 1 },
	(map {
		{ name => "attribution_share over touch rows, $_", floor => $touch_floor, alone => 1, plain => 'SELECT count(*) FROM path_12',
			sql => "SELECT sum(share) FROM (SELECT attribution_share('$_', at) OVER (PARTITION BY conversion ORDER BY at) AS share FROM path_touch OFFSET 0) AS s" }
	} 'linear', 'time_decay'));

# A conversion takes the touches that have not been taken, so of several at one instant the first has them all.
my $attributed = '(SELECT count(DISTINCT (visitor, converted_at)) FROM plain_touch WHERE converted_at IS NOT NULL)';
my $left_over  = '(SELECT count(DISTINCT visitor) FROM plain_touch WHERE converted_at IS NULL)';
my $purchases  = "(SELECT count(*) FROM event WHERE event = 'purchase')";
my $plain_journeys = "SELECT $purchases + $left_over, $purchases, (SELECT count(*) FROM plain_touch) + $purchases - $attributed";
my $paths_answer   = 'SELECT (t).conversions, (t).non_conversions, (t).value, (t).unattributed_conversions';
my $plain_paths    = "SELECT $purchases, $left_over, (SELECT sum(value) FROM event WHERE event = 'purchase'), $purchases - $attributed";

my @journeys = (
	{ name => 'journeys in the select list', target => 4.0, speedup => 1.6, plain => $plain_journeys,
		sql => "SELECT count(*), count((j).converted_at), sum(cardinality((j).path)) FROM (SELECT journeys(events, 'purchase') AS j FROM stored) AS s" },
	{ name => 'journeys, LATERAL', speedup => 1.6, plain => $plain_journeys,
		sql => "SELECT count(*), count(j.converted_at), sum(cardinality(j.path)) FROM stored, journeys(events, 'purchase') AS j" },
	{ name => 'conversion_paths of stored timelines', target => 2.0, speedup => 1.6, plain => $plain_paths,
		sql => "$paths_answer FROM (SELECT path_totals(conversion_paths(events, $rule)) AS t FROM stored OFFSET 0) AS s" },
	{ name => 'conversion_paths of the rows of journeys()', speedup => 1.6, plain => $plain_paths,
		sql => "$paths_answer FROM (SELECT path_totals(conversion_paths(path, touched_at, converted_at, value)) AS t
			FROM stored, journeys(events, 'purchase') OFFSET 0) AS s" },
	{ name => 'markov of stored timelines, order 1', target => 2.0, speedup => 1.6,
		sql => "SELECT sum(transitions) FROM transition_probabilities((SELECT markov(events, $rule, 1) FROM stored))",
		plain => "SELECT (SELECT count(*) FROM plain_touch) + $attributed + $left_over" });
$_->{floor} = $count_star for @journeys;

# --- answers for every row, by plain SQL ---

# How many rows of two lists of channel, conversions and value differ. A channel without credit may be missing.
sub differing
{
	my ($plain, $name, $model) = @_;
	return "SELECT count(*) FROM ($plain) AS p FULL JOIN
			(SELECT channel, conversions, value FROM stored_paths, attribution(paths, '$model') WHERE name = '$name') AS a USING (channel)
		WHERE abs(coalesce(p.conversions, 0) - coalesce(a.conversions, 0)) > 1e-9 * abs(coalesce(p.conversions, 0))
			OR abs(coalesce(p.value, 0) - coalesce(a.value, 0)) > 1e-9 * abs(coalesce(p.value, 0))
			OR (SELECT count(*) FROM stored_paths, attribution(paths, '$model') WHERE name = '$name') < 12";
}

my $each_touch  = 'path_12, unnest(path) WITH ORDINALITY AS t (channel, position)';
my $each_once   = 'path_12, LATERAL (SELECT channel, count(*) OVER () AS number FROM unnest(path) AS channel GROUP BY channel) AS t';
my $length      = 'cardinality(path)';
my %plain_model = (
	first_touch     => [ 'position = 1', 1 ],
	last_touch      => [ "position = $length", 1 ],
	last_non_direct => [ "position = coalesce((SELECT max(n) FROM unnest(path) WITH ORDINALITY AS u (c, n) WHERE c <> '(direct)'), $length)", 1 ],
	linear          => [ 'true', "1.0::float8 / $length" ],
	position_based  => [ 'true', "CASE WHEN $length = 1 THEN 1 WHEN $length = 2 THEN 0.5 WHEN position IN (1, $length) THEN 0.4 ELSE 0.2 / ($length - 2) END::float8" ],
	participation   => [ 'true', 1, $each_once ],
	shapley         => [ 'true', '1.0::float8 / number', $each_once ]);

sub plain_model
{
	my ($model) = @_;
	my ($condition, $share, $from) = @{ $plain_model{$model} };
	return "SELECT channel, sum(conversions * ($share))::float8 AS conversions, sum(value * ($share)) AS value
		FROM " . ($from // $each_touch) . " WHERE conversions > 0 AND $condition GROUP BY channel";
}

my %journey_share = (
	first_touch => '(at = min(at) OVER w)::int',
	last_touch  => '(at = max(at) OVER w)::int',
	linear      => '1.0::float8 / count(*) OVER w',
	time_decay  => 'decayed / sum(decayed) OVER w');

# From the touches and the first purchase of each instant; what no touch leads to is unattributed.
sub plain_journey_model
{
	my ($model) = @_;
	return "WITH credit AS (SELECT channel, share, value
			FROM (SELECT *, $journey_share{$model} AS share
				FROM (SELECT *, 2 ^ (extract(epoch FROM at - max(at) OVER (PARTITION BY visitor, converted_at)) / (7 * 86400))::float8 AS decayed
					FROM plain_touch WHERE converted_at IS NOT NULL) AS t WINDOW w AS (PARTITION BY visitor, converted_at)) AS t
			JOIN (SELECT DISTINCT ON (visitor, at) visitor, at AS converted_at, value FROM event WHERE event = 'purchase'
				ORDER BY visitor, at, channel COLLATE \"C\", value) AS c USING (visitor, converted_at))
		SELECT channel, sum(share)::float8 AS conversions, sum(share * value) AS value FROM credit GROUP BY channel
		UNION ALL SELECT '(unattributed)', ($purchases - $attributed)::float8,
			(SELECT sum(value) FROM event WHERE event = 'purchase') - (SELECT sum(share * value) FROM credit)";
}

# The chain as a walk: where the paths are after each step, for the whole chain and without each channel. What
# is on its way to a removed channel is lost.
my $iterated = "WITH RECURSIVE step AS MATERIALIZED (
		SELECT from_state[1] AS a, to_state[1] AS b, probability FROM stored_chain, transition_probabilities(chain) WHERE name = '12 channels, order 1'
		UNION ALL SELECT '(conversion)', '(conversion)', 1),
	state AS MATERIALIZED (SELECT a AS state, row_number() OVER (ORDER BY a) AS n FROM (SELECT DISTINCT a FROM step) AS s),
	numbered AS MATERIALIZED (SELECT f.n AS from_n, t.n AS to_n, b, probability FROM step JOIN state AS f ON a = f.state JOIN state AS t ON b = t.state),
	walk AS (
		SELECT removed, 0 AS steps, (SELECT array_agg((state = '(start)')::int::float8 ORDER BY n) FROM state) AS mass
		FROM (SELECT state AS removed FROM state WHERE state <> '(conversion)') AS r
		UNION ALL
		SELECT removed, steps + 1, (SELECT array_agg(coalesce(arriving, 0) ORDER BY n)
			FROM state LEFT JOIN (SELECT to_n, sum(mass[from_n] * probability) AS arriving FROM numbered WHERE b <> removed GROUP BY to_n) AS m ON to_n = n)
		FROM walk WHERE steps < 300),
	result AS (SELECT removed, mass[(SELECT n FROM state WHERE state = '(conversion)')] AS p FROM walk WHERE steps = 300),
	whole AS (SELECT p, (SELECT sum(conversions) / sum(conversions + non_conversions) FROM path_12)::float8 AS observed FROM result WHERE removed = '(start)')
	SELECT count(*) FROM whole, (SELECT * FROM result WHERE removed <> '(start)') AS r FULL JOIN
			(SELECT channel, removal_effect FROM stored_chain, attribution(chain) WHERE name = '12 channels, order 1') AS a ON channel = removed
		WHERE abs(1 - r.p / whole.p - removal_effect) <= 1e-9 * removal_effect IS NOT TRUE OR abs(whole.p - observed) <= 1e-9 * observed IS NOT TRUE";

my $touch_hash = 'sum(hashtextextended(channel, extract(epoch FROM at)::bigint) + coalesce(extract(epoch FROM converted_at)::bigint, 0)) AS hash, count(*) AS touches';
my @identities = (
	[ 'journeys() gives the plain touches',
		"SELECT count(*) FROM (SELECT visitor, $touch_hash FROM plain_touch GROUP BY visitor) AS p FULL JOIN
				(SELECT visitor, $touch_hash FROM stored, journeys(events, 'purchase') AS j, unnest(path, touched_at) AS t (channel, at) WHERE at IS NOT NULL GROUP BY visitor) AS o USING (visitor)
			WHERE (p.hash, p.touches) IS DISTINCT FROM (o.hash, o.touches)" ],
	(map { [ "markov counts the plain transitions, order $_",
		"SELECT count(*) FROM ($plain_transitions{$_}) AS p FULL JOIN transition_probabilities(" . chain($_) . ') AS m USING (from_state, to_state)
			WHERE p.transitions IS DISTINCT FROM m.transitions' ] } 1, 3),
	[ 'attribution of markov: removal effects by walking the chain, and conversions / (conversions + non_conversions)', $iterated ],
	(map { [ "attribution of conversion_paths, every channel: $_", differing(plain_model($_), '12 channels', $_) ] } sort keys %plain_model),
	(map { [ "attribution of conversion_paths of journeys, every channel: $_", differing(plain_journey_model($_), 'journeys', $_) ] } sort keys %journey_share),
	(map {
		my ($model, $share) = @$_;
		[ "attribution_share of every touch row, $model",
			"SELECT count(*) FROM (SELECT attribution_share('$model', at) OVER (PARTITION BY conversion ORDER BY at) AS share, $share AS plain
				FROM (SELECT *, 2 ^ (extract(epoch FROM at - max(at) OVER (PARTITION BY conversion)) / (7 * 86400))::float8 AS decayed FROM path_touch) AS t
				WINDOW w AS (PARTITION BY conversion)) AS s
			WHERE abs(share - plain) <= 1e-12 IS NOT TRUE" ]
	} map { [ $_, $journey_share{$_} ] } 'linear', 'time_decay'));

return { sections => [ [ 'Attribution: path rows, one for ten events, and models', \@paths ], [ 'Attribution: shares of touches', \@touches ] ], stored => \@journeys,
	identities => \@identities,
	tables => $tables, made => 'path_\d+|path_touch|stored_chain|stored_paths|plain_touch' };
