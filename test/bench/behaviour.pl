# The figures of test/bench/figures.pl for retention, times between events, flow and stages. The plain SQL that they are
# compared with is right, not fast.
use strict;
use warnings;

my $weeks    = 8;
my $started  = "SELECT visitor, min(at) AS first FROM event WHERE event = 'page_view' GROUP BY visitor";
my $retained = "(SELECT count(*) FROM ($started) AS s) + (SELECT count(*) FROM
	(SELECT DISTINCT visitor, div(extract(epoch FROM at - first), 7 * 86400) AS week FROM event JOIN ($started) AS s USING (visitor)
		WHERE event = 'purchase' AND at >= first) AS returned WHERE week BETWEEN 1 AND $weeks)";

my $to_purchase = "(SELECT visitor, min(at) - first AS took
	FROM event JOIN (SELECT visitor, min(at) AS first FROM event WHERE event = 'add_to_cart' GROUP BY visitor) AS s USING (visitor)
	WHERE event = 'purchase' AND at >= first GROUP BY visitor, first) AS s";

# From the first page_view on, repeats of a label left out: each event and the next.
my $depth = 4;
my $links = "(SELECT step, source, target, seconds
	FROM (SELECT row_number() OVER w AS step, event AS source, lead(event) OVER w AS target,
			extract(epoch FROM lead(at) OVER w - at) AS seconds
		FROM (SELECT *, lag(event) OVER (PARTITION BY visitor ORDER BY rank) AS before
			FROM (SELECT *, bool_or(event = 'page_view') OVER (PARTITION BY visitor ORDER BY rank) AS started
				FROM (SELECT visitor, at, event, row_number() OVER (PARTITION BY visitor
					ORDER BY at, event COLLATE \"C\", channel COLLATE \"C\", value) AS rank FROM event) AS ranked) AS all_events
			WHERE started) AS from_start
		WHERE event IS DISTINCT FROM before
		WINDOW w AS (PARTITION BY visitor ORDER BY rank)) AS numbered
	WHERE step <= $depth) AS s";

my @stages = ('awareness', 'consideration', 'decision');
my $map    = qq('{"*": "awareness", "product_view|price_list_view|brochure_download": "consideration", "checkout_start|purchase": "decision"}');
my $stage  = "CASE WHEN event IN ('checkout_start', 'purchase') THEN 3
	WHEN event IN ('product_view', 'price_list_view', 'brochure_download') THEN 2 ELSE 1 END";

my @stored = (
	{ name => "retention_stats of retention, $weeks weeks", speedup => 1.6,
		sql => "SELECT sum(returned) FROM retention_periods((SELECT retention_stats(retention(events, 'page_view', 'purchase', '7 days', $weeks)) FROM stored))",
		plain => "SELECT $retained" },
	{ name => 'time_between', speedup => 1.6,
		sql => "SELECT count(took), extract(epoch FROM sum(took)) FROM (SELECT time_between(events, 'add_to_cart', 'purchase') AS took FROM stored OFFSET 0) AS s",
		plain => "SELECT count(took), extract(epoch FROM sum(took)) FROM $to_purchase" },
	{ name => "flow of $depth steps, its links", speedup => 1.6,
		sql => "SELECT count(*), sum(visitors), sum(seconds) FROM (SELECT step, source, target, count(*) AS visitors, sum(seconds) AS seconds
			FROM stored, flow(events, 'page_view', depth => $depth) GROUP BY step, source, target) AS link",
		plain => "SELECT count(*), sum(visitors), sum(seconds) FROM (SELECT step, source, target, count(*) AS visitors, sum(seconds) AS seconds
			FROM $links GROUP BY step, source, target) AS link" },
	{ name => 'stage_at', speedup => 1.6,
		sql => 'SELECT ' . join(', ', map { "count(*) FILTER (WHERE stage = '$_')" } @stages) . " FROM (SELECT stage_at(events, $map) AS stage FROM stored OFFSET 0) AS s",
		plain => 'SELECT ' . join(', ', map { "count(*) FILTER (WHERE stage = $_)" } 1 .. 3) . " FROM (SELECT max($stage) AS stage FROM event GROUP BY visitor) AS s" },
	{ name => 'stage_metrics of stage_activity by month', speedup => 1.6,
		sql => "SELECT sum(visitor_count), sum(order_count), sum(event_count) FROM (SELECT stage, period_start, (stage_metrics(a)).*
			FROM stored, stage_activity(events, $map) AS a GROUP BY stage, period_start) AS s",
		plain => "SELECT count(DISTINCT (visitor, $stage, date_trunc('month', at, 'UTC'))), count(*) FILTER (WHERE event = 'purchase'), count(*) FROM event" });

# Which of five events each visitor ever did, if the first of them.
my @events = ('page_view', 'product_view', 'add_to_cart', 'checkout_start', 'purchase');
my @rows   = (
	{ name => 'retention of 5 conditions', floor => 'GROUP BY visitor count(ARRAY[5 conditions])',
		sql => 'SELECT ' . join(', ', map { "count(*) FILTER (WHERE did[$_])" } 1 .. @events)
			. ' FROM (SELECT retention(' . join(', ', map { "event = '$_'" } @events) . ') AS did FROM event GROUP BY visitor) AS s',
		plain => 'SELECT ' . join(', ', map { "count(*) FILTER (WHERE events \@> '{$events[0],$_}')" } @events)
			. ' FROM (SELECT array_agg(DISTINCT event) AS events FROM event GROUP BY visitor) AS s' });

my $counted    = 'SELECT step, source, target, count(*) FROM';
my @identities = (
	[ 'flow gives the plain links',
		"WITH p AS MATERIALIZED ($counted $links GROUP BY step, source, target),
			f AS MATERIALIZED ($counted stored, flow(events, 'page_view', depth => $depth) GROUP BY step, source, target)
		SELECT count(*) FROM ((TABLE p EXCEPT ALL TABLE f) UNION ALL (TABLE f EXCEPT ALL TABLE p)) AS difference" ]);

return { rows => \@rows, stored => \@stored, identities => \@identities };
