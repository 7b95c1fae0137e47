# The funnel figures of test/bench/figures.pl: five steps within 30 days of the first.
#
# plain_level has the right level of every visitor, from window functions. The steps have different labels, so
# that one event never serves two of them, and all rules about that give the same answer.
use strict;
use warnings;

my @steps      = ('page_view', 'product_view', 'add_to_cart', 'checkout_start', 'purchase');
my $steps      = 'ARRAY[' . join(', ', map { "'$_'" } @steps) . ']';
my $within     = "interval '30 days'";
my $conditions = join(', ', map { "event = '$_'" } @steps);
my $only       = 'WHERE event IN (' . join(', ', map { "'$_'" } @steps) . ')';
my $level_sum  = 'SELECT sum(level) FROM plain_level';
my $level_rows = 'SELECT visitor, level AS x FROM plain_level';
my $reached    = 'SELECT ' . join(', ', map { "count(*) FILTER (WHERE level >= $_)" } 1 .. @steps) . ' FROM plain_level';

my $floor      = 'GROUP BY visitor count(ARRAY[5 conditions])';
my $floor_only = 'GROUP BY visitor count(ARRAY[5 conditions]), the rows of the five events';
my $by_row     = 'plain SQL, a running maximum per step';
my $by_level   = 'plain SQL, one level after the other';
my $funnel     = "funnel(events, $steps, $within)";

sub window_funnel { return "window_funnel($within, NULL, at, $conditions)" }

sub level_of_rows
{
	my ($aggregate, $where) = @_;
	return "(SELECT visitor, $aggregate AS level FROM event $where GROUP BY visitor) AS s";
}

# The latest first step from which a visitor has come to step k, as a running maximum over the time: exact, and all
# visitors' levels in one query. A frame up to the current row has all rows of the same time in it.
sub running_maximum
{
	my ($where) = @_;
	my $rows = "SELECT visitor, at, event, max(at) FILTER (WHERE event = '$steps[0]') OVER w AS first_1 FROM event $where WINDOW w AS (PARTITION BY visitor ORDER BY at)";
	for my $step (2 .. @steps - 1)
	{
		$rows = 'SELECT *, max(first_' . ($step - 1) . ') FILTER (WHERE ' . follows($step) . ") OVER w AS first_$step
			FROM ($rows) AS s WINDOW w AS (PARTITION BY visitor ORDER BY at)";
	}
	my $level = 'WHEN bool_or(' . follows(scalar @steps) . ') THEN ' . @steps . ' '
		. join(' ', map { "WHEN count(first_$_) > 0 THEN $_" } reverse 1 .. @steps - 1);
	return "SELECT visitor, CASE $level ELSE 0 END AS level FROM ($rows) AS s GROUP BY visitor";
}

sub follows
{
	my ($step) = @_;
	return "event = '$steps[$step - 1]' AND at - first_" . ($step - 1) . " <= $within";
}

# The same, but each level sorts only the events of its own step and those that reached the step before. It gives
# the numbers of visitors, not the visitors. Nothing faster in plain SQL without an index was found.
sub level_by_level
{
	my @with;
	for my $step (2 .. @steps)
	{
		my $rows = $step == 2
			? "SELECT visitor, at, event = '$steps[1]' AS is_step, CASE WHEN event = '$steps[0]' THEN at END AS first
				FROM event WHERE event IN ('$steps[0]', '$steps[1]')"
			: 'SELECT visitor, at, false AS is_step, first FROM reached_' . ($step - 1)
				. " UNION ALL SELECT visitor, at, true, NULL FROM event WHERE event = '$steps[$step - 1]'";
		push @with, "reached_$step AS MATERIALIZED (SELECT visitor, at, first
			FROM (SELECT visitor, at, is_step, max(first) OVER (PARTITION BY visitor ORDER BY at) AS first FROM ($rows) AS s) AS s
			WHERE is_step AND at - first <= $within)";
	}
	return 'WITH ' . join(', ', @with) . " SELECT (SELECT count(DISTINCT visitor) FROM event WHERE event = '$steps[0]')"
		. join('', map { " + (SELECT count(DISTINCT visitor) FROM reached_$_)" } 2 .. @steps);
}

# What is often written, and wrong: the first time of step 1, then the first time of step 2 after it, and so on. Who
# starts, goes away, and starts again later is held to the first start, and lost.
sub next_minimum
{
	my @with = ("reached_1 AS MATERIALIZED (SELECT visitor, min(at) AS first, min(at) AS at FROM event WHERE event = '$steps[0]' GROUP BY visitor)");
	for my $step (2 .. @steps)
	{
		push @with, "reached_$step AS MATERIALIZED (SELECT e.visitor, first, min(e.at) AS at FROM reached_" . ($step - 1) . " AS r
			JOIN event AS e ON e.visitor = r.visitor AND e.event = '$steps[$step - 1]' AND e.at >= r.at AND e.at - first <= $within
			GROUP BY e.visitor, first)";
	}
	return 'WITH ' . join(', ', @with) . ' SELECT ' . join(', ', map { "(SELECT count(*) FROM reached_$_)" } 1 .. @steps);
}

my @rows = (
	{ name => $floor, sql => "SELECT count(level) FROM " . level_of_rows("count(ARRAY[$conditions])", ''),
		plain => 'SELECT count(DISTINCT visitor) FROM event' },
	{ name => 'window_funnel', sql => 'SELECT sum(level) FROM ' . level_of_rows(window_funnel(), ''),
		plain => $level_sum, floor => $floor, target => 1.5, beats => [ [ $by_row, 3.5 ] ] },
	{ name => $floor_only, sql => "SELECT count(level) FROM " . level_of_rows("count(ARRAY[$conditions])", $only),
		plain => "SELECT count(DISTINCT visitor) FROM event $only" },
	{ name => 'window_funnel, the rows of the five events', sql => 'SELECT sum(level) FROM ' . level_of_rows(window_funnel(), $only),
		plain => $level_sum, floor => $floor_only, target => 1.5, beats => [ [ $by_level, 3.5 ] ] },
	{ name => $by_row, alone => 1, plain => $level_sum,
		sql => 'SELECT sum(level) FROM (' . running_maximum('') . ') AS s' },
	{ name => $by_level, alone => 1, plain => $level_sum, sql => level_by_level() });

# 100,000 events of one visitor (stored_long). The last step happens, but too early, so that the search never stops; all
# before it are reached. In any order the window is so short that few are.
my @long_steps = ((map { "step_$_" } 1 .. 8), 'too_early');
my $long_steps = 'ARRAY[' . join(', ', map { "'$_'" } @long_steps) . ']';
my $long_gaps  = 'ARRAY[' . join(', ', map { "'$_ hours'" } 48, 3, 30, 8, 24, 5, 12, 6) . ']::interval[]';
my $long       = 'funnel_level of 100,000 events of one visitor, 9 steps';
my $any_order  = 'SELECT max(CASE ' . join(' ', map { "WHEN NOT has_$_ THEN " . ($_ - 1) } 1 .. @long_steps) . ' ELSE ' . @long_steps . ' END) FROM (SELECT '
	. join(', ', map { "bool_or(event = '$long_steps[$_ - 1]') OVER w AS has_$_" } 1 .. @long_steps) . " FROM stored_long, events(events)
	WINDOW w AS (PARTITION BY channel ORDER BY at RANGE BETWEEN CURRENT ROW AND interval '5 minutes' FOLLOWING)) AS s";

my @stored = (
	{ name => 'funnel_level, 5 steps', target => 1.0, speedup => 1.6,
		visitor => [ "funnel_level(events, $steps, $within)", $level_rows ],
		beats => [ [ $by_row ], [ $by_level ], [ 'window_funnel' ] ] },
	{ name => 'funnel, 5 steps', speedup => 1.6,
		sql => 'SELECT ' . join(', ', map { "count(times[$_])" } 1 .. @steps) . " FROM (SELECT $funnel AS times FROM stored OFFSET 0) AS s",
		plain => $reached },
	{ name => 'funnel_stats of funnel, and its report', speedup => 1.6,
		sql => "SELECT sum(reached) FROM funnel_steps((SELECT funnel_stats($funnel, $within, '2027-01-01 00:00+00') FROM stored), $steps)",
		plain => $level_sum },
	{ name => $long, alone => 1, at_most_ms => 500, plain => 'SELECT 8',
		sql => "SELECT funnel_level(events, $long_steps, interval '7 days') FROM stored_long" },
	{ name => "$long, all options", alone => 1, at_most_ms => 500, plain => 'SELECT 8',
		sql => "SELECT funnel_level(events, $long_steps, interval '7 days', $long_gaps, strictly_increasing => true, exclude => ARRAY['step_0'],
			exclude_after => ARRAY[3], optional => ARRAY[4, 6], hold => 'channel', entered => '[2025-01-01 00:00+00, 2025-01-12 00:00+00)') FROM stored_long" },
	{ name => "$long, in any order", alone => 1, at_most_ms => 500, plain => $any_order,
		sql => "SELECT funnel_level(events, $long_steps, interval '5 minutes', mode => 'any', hold => 'channel') FROM stored_long" });

my @identities = map {
	[ "window_funnel for every visitor, $_",
		"SELECT count(*) FROM plain_level AS p FULL JOIN " . level_of_rows(window_funnel(), '') . ' USING (visitor)
			WHERE p.level IS DISTINCT FROM s.level', $_ ]
} ('alone', 'workers');

return { rows => \@rows, stored => \@stored, identities => \@identities,
	tables => 'DROP TABLE IF EXISTS plain_level; CREATE UNLOGGED TABLE plain_level AS ' . running_maximum('') . '; VACUUM ANALYZE plain_level;',
	for_peers => [ { name => 'funnel_level over stored timelines', sql => "SELECT sum(funnel_level(events, $steps, $within)) FROM stored" },
		{ name => 'window_funnel over the event rows of the five events', sql => $rows[3]{sql} } ],
	steps => \@steps, within_seconds => 30 * 86400, reached => $reached, next_minimum => next_minimum() };
