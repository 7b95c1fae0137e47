# The figures that test/bench/run measures: one entry each.
#
#   name     as printed
#   sql      the timed query; one row, one or more numbers
#   plain    plain SQL over the event rows that must give the same row; or
#   visitor  [f(timeline), plain SQL giving visitor and x]: sql becomes the sum of f over all stored
#            timelines, and every visitor's answer is compared as well
#   off      planner settings turned off, so that floor and figure have the same plan
#   floor    name of the figure that it is a ratio of
#   target   highest ratio in one process
#   speedup  lowest speed-up by two workers
#   alone    true: it is not run with workers
#   beats    [name of a slower figure, how many times faster at least], ...; without a number it is only printed
#   at_most_ms  highest time in one process
#   memory_over  name of the figure whose most memory is subtracted from this one's
#   at_most_mb  highest rest in MB
#   once    true: it takes long, and is run in the first round only
#
# A subquery's aggregate is counted outside, else the planner would drop it.
use strict;
use warnings;
use File::Basename qw(dirname);

my $funnels        = do(dirname(__FILE__) . '/funnels.pl') or die $@ || $!;
my $behaviour      = do(dirname(__FILE__) . '/behaviour.pl') or die $@ || $!;
my $attribution    = do(dirname(__FILE__) . '/attribution.pl') or die $@ || $!;
my $clv            = do(dirname(__FILE__) . '/clv.pl') or die $@ || $!;
my $plain_visitors = 'SELECT count(DISTINCT visitor) FROM event';
my $full           = 'timeline(at, event, channel, value)';

my $points = { purchase => 100, call_request => 100, contact_form => 40, chat_start => 15, webinar_signup => 10,
	brochure_download => 8, newsletter_signup => 5, video_complete => 3, price_list_view => 2 };
my $points_json = '{' . join(', ', map { "\"$_\": $points->{$_}" } sort keys %$points) . '}';
my $points_case = join(' ', 'CASE event', (map { "WHEN '$_' THEN $points->{$_}" } sort keys %$points), 'ELSE 0 END');

sub grouped
{
	my ($aggregate, $table) = @_;
	return "SELECT count(t) FROM (SELECT $aggregate AS t FROM $table GROUP BY visitor) AS s";
}

sub building
{
	my ($input, $table, $off, $target, $full_target) = @_;
	my $floor = "GROUP BY visitor count(*), $input";
	return map { $_->{off} = $off; $_ } (
		{ name => $floor, sql => grouped('count(*)', $table), plain => $plain_visitors },
		{ name => "timeline(at, event), $input", sql => grouped('timeline(at, event)', $table),
			plain => $plain_visitors, floor => $floor, target => $target },
		{ name => "timeline(at, event, channel, value), $input", sql => grouped($full, $table),
			plain => $plain_visitors, floor => $floor, target => $full_target });
}

my @floors = ({ name => 'count(*) of the events', sql => 'SELECT count(*) FROM event', plain => 'SELECT sum(1) FROM event' });

my @building = (
	building('in order of time', 'event', [], 1.6, 2.0),
	building('shuffled', 'event_shuffled', [], 1.6, 2.0),
	building('clustered by visitor', 'event_clustered', [ 'enable_indexscan', 'enable_indexonlyscan' ], 2.0, 2.0),
	building('clustered, by an index', 'event_clustered', [ 'enable_hashagg', 'enable_indexonlyscan', 'enable_seqscan' ]));

# plain_visit is made by test/bench/run with window functions over event.
my @functions = (
	{ name => 'engagement_value, 9 goals', target => 1.0, speedup => 1.6,
		visitor => [ "engagement_value(events, '$points_json')",
			"SELECT visitor, sum($points_case) AS x FROM event GROUP BY visitor" ] },
	{ name => 'visit_count', target => 1.0, speedup => 1.6,
		visitor => [ 'visit_count(events)', 'SELECT visitor, count(*) AS x FROM plain_visit GROUP BY visitor' ] },
	{ name => 'visits in the select list', target => 4.0, speedup => 1.6,
		sql => 'SELECT count(*), sum((v).event_count), sum((v).duration_seconds)
			FROM (SELECT visits(events) AS v FROM stored) AS s',
		plain => 'SELECT count(*), sum(event_count), sum(duration_seconds) FROM plain_visit' },
	{ name => 'visits, LATERAL', target => 4.0, speedup => 1.6,
		sql => 'SELECT count(*), sum(v.event_count), sum(v.duration_seconds) FROM stored, visits(events) AS v',
		plain => 'SELECT count(*), sum(event_count), sum(duration_seconds) FROM plain_visit' },
	{ name => 'event_count with a pattern', speedup => 1.6,
		visitor => [ "event_count(events, 'video_*|purchase\@email')",
			"SELECT visitor, count(*) FILTER (WHERE event LIKE 'video\\_%' OR (event, channel) = ('purchase', 'email')) AS x
			FROM event GROUP BY visitor" ] },
	{ name => 'total_value', speedup => 1.6,
		visitor => [ 'total_value(events)', 'SELECT visitor, sum(value) AS x FROM event GROUP BY visitor' ] },
	{ name => 'event_count of keep', speedup => 1.6,
		visitor => [ "event_count(keep(events, 'purchase|add_to_cart'))",
			"SELECT visitor, count(*) FILTER (WHERE event IN ('purchase', 'add_to_cart')) AS x FROM event GROUP BY visitor" ] },
	{ name => 'events(), LATERAL', speedup => 1.6,
		sql => 'SELECT count(*), count(e.channel), sum(e.value) FROM stored, events(events) AS e',
		plain => 'SELECT count(*), count(channel), sum(value) FROM event' },
	{ name => 'event_count of timeline || timeline', speedup => 1.6,
		visitor => [ 'event_count(events || events)', 'SELECT visitor, 2 * count(*) AS x FROM event GROUP BY visitor' ] },
	{ name => 'rollup of two half-years by visitor',
		sql => grouped('rollup(events)', 'stored_half'), plain => $plain_visitors },
	@{ $funnels->{stored} }, @{ $behaviour->{stored} }, @{ $attribution->{stored} }, @{ $clv->{stored} });
$_->{floor} = $floors[0]{name} for grep { !$_->{at_most_ms} } @functions;

# Untimed: each query counts wrong rows and must give 0; alone or with two workers.
my $plain_rows = 'visitor, at, event, channel, value';
my $visit_rows = 'visit_number, started_at, ended_at, duration_seconds, event_count, channel, is_bounce, is_engaged, landing_event';
my @identities = (
	[ 'events of the stored timelines are the event rows',
		"SELECT count(*) FROM ((TABLE event EXCEPT ALL SELECT visitor, e.at, e.event, e.channel, e.value FROM stored, events(events) AS e)
			UNION ALL (SELECT visitor, e.at, e.event, e.channel, e.value FROM stored, events(events) AS e EXCEPT ALL TABLE event)) AS difference" ],
	(map {
		[ "$_->[0] gives the same bytes, $_->[1]",
			"SELECT count(*) FROM stored FULL JOIN (SELECT visitor, $full AS other FROM $_->[0] GROUP BY visitor) AS o USING (visitor)
				WHERE timeline_send(events) IS DISTINCT FROM timeline_send(other)", $_->[1] ]
	} [ 'event_shuffled', 'alone' ], [ 'event_clustered', 'alone' ], [ 'event', 'workers' ], [ 'event_shuffled', 'workers' ]),
	[ 'visits() gives the plain visits',
		"SELECT count(*) FROM ((SELECT visitor, $visit_rows FROM plain_visit EXCEPT ALL SELECT visitor, $visit_rows FROM stored, visits(events))
			UNION ALL (SELECT visitor, $visit_rows FROM stored, visits(events) EXCEPT ALL SELECT visitor, $visit_rows FROM plain_visit)) AS difference" ],
	[ 'rollup of two half-years is the whole',
		'SELECT count(*) FROM stored FULL JOIN (SELECT visitor, rollup(events) AS other FROM stored_half GROUP BY visitor) AS o USING (visitor)
			WHERE timeline_send(events) IS DISTINCT FROM timeline_send(other)' ],
	(map {
		[ "$_->{name} for every visitor",
			"SELECT count(*) FROM ($_->{visitor}[1]) AS p FULL JOIN (SELECT visitor, $_->{visitor}[0] AS y FROM stored) AS o USING (visitor)
				WHERE (x IS NULL) <> (y IS NULL) OR abs(x - y) > 1e-9 * abs(x)" ]
	} grep { $_->{visitor} } @functions));

for my $figure (grep { $_->{visitor} } @functions)
{
	$figure->{sql}   = "SELECT sum($figure->{visitor}[0]) FROM stored";
	$figure->{plain} = "SELECT sum(x) FROM ($figure->{visitor}[1]) AS p";
}

return {
	sections => [
		[ 'Floor', \@floors ],
		[ 'Building timelines', \@building ],
		[ 'Funnels and retention on event rows', [ @{ $funnels->{rows} }, @{ $behaviour->{rows} } ] ],
		[ 'Over stored timelines', \@functions ], @{ $attribution->{sections} }, @{ $clv->{sections} } ],
	identities  => [ @identities, map { @{ $_->{identities} } } $funnels, $behaviour, $attribution, $clv ],
	funnels     => $funnels,
	made        => [ $attribution, $clv ] };
