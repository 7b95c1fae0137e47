# pg_dump carries stored timelines, scores and statistics, views and indexes over them, exactly.
use strict;
use warnings;
use Test::More;

psql('postgres', "CREATE DATABASE $_") for 'dump_from', 'dump_to';
END
{
	my $status = $?;
	psql('postgres', "DROP DATABASE IF EXISTS $_") for 'dump_from', 'dump_to';
	$? = $status;
}

psql('dump_from', q{
	CREATE SCHEMA engagement;
	CREATE EXTENSION engagement SCHEMA engagement;
	SET search_path = public, engagement;
	CREATE TABLE history AS
	SELECT i % 97 AS visitor,
		timeline('2026-01-01Z'::timestamptz + make_interval(secs => i * 977.001), 'event ' || i % 7, nullif('channel ' || i % 3, 'channel 0'),
			CASE WHEN i % 5 = 0 THEN i / 3.0::float8 END, CASE WHEN i % 4 = 0 THEN jsonb_build_object('k', i % 11) END) AS timeline,
		decayed_sum(i / 7.0, '2026-01-01Z'::timestamptz + make_interval(secs => i), '7 days') AS score,
		funnel_stats(ARRAY['2026-01-01Z'::timestamptz, '2026-01-01Z'::timestamptz + make_interval(secs => i * 1.7), CASE WHEN i % 3 = 0 THEN '2026-01-02Z'::timestamptz END],
			'7 days', '2026-01-05Z') AS steps,
		retention_stats(ARRAY[true, i % 2 = 0, NULL, CASE WHEN i % 7 > 0 THEN i % 3 = 0 END]) AS returns
	FROM generate_series(1, 5000) i GROUP BY 1;
	CREATE INDEX ON history (timeline);
	CREATE INDEX ON history USING hash (timeline);
	CREATE VIEW history_visits AS
	SELECT visitor, v.visit_number, v.started_at, v.channel FROM history, visits(timeline, gap => '20 min', key_event => 'event 1') v;
	CREATE MATERIALIZED VIEW history_value AS
	SELECT visitor, engagement_value(timeline, '{"event 1": 2}') AS value FROM history WHERE event_count(timeline, 'event 2') > 0;
	CREATE TABLE activity AS
	SELECT visitor, a FROM history, stage_activity(timeline, '{"event 1": "awareness", "event 2": "decision"}', 'day') AS a;
	CREATE VIEW history_funnel AS
	SELECT (funnel_steps(rollup(steps), '{a,b,c}')).*, funnel_level(rollup(timeline), '{event 1,event 2}', '1 hour', optional => '{}') FROM history;
});
system("pg_dump dump_from | psql -Xq -v ON_ERROR_STOP=1 -d dump_to >/dev/null") == 0 or BAIL_OUT('pg_dump failed');

for my $query (
	'SELECT md5(string_agg(visitor || timeline::text || score::text, chr(10) ORDER BY visitor)) FROM history',
	"SELECT md5(string_agg(encode(engagement.timeline_send(timeline), 'hex'), chr(10) ORDER BY visitor)) FROM history",
	'SELECT md5(string_agg(h::text, chr(10) ORDER BY visitor, visit_number)) FROM history_visits h',
	'SELECT md5(string_agg(h::text, chr(10) ORDER BY visitor)) FROM history_value h',
	'SELECT md5(string_agg(visitor || steps::text || returns::text, chr(10) ORDER BY visitor)) FROM history',
	'SELECT md5(string_agg(a::text, chr(10) ORDER BY visitor, a)) FROM activity a',
	'SELECT md5(string_agg(h::text, chr(10) ORDER BY step)) FROM history_funnel h',
	"SELECT string_agg(indexdef, chr(10) ORDER BY indexname) FROM pg_indexes WHERE tablename = 'history'")
{
	my $expected = psql('dump_from', $query);
	isnt($expected, '', 'there is something to compare');
	is(psql('dump_to', $query), $expected, 'the same after restore');
}

# the binary form, as COPY and logical replication use it
psql('dump_from', 'CREATE TABLE copied (LIKE history)');
system("psql -Xq -d dump_from -c 'COPY history TO STDOUT (FORMAT binary)' | psql -Xq -d dump_from -c 'COPY copied FROM STDIN (FORMAT binary)'") == 0
	or BAIL_OUT('COPY failed');
is(psql('dump_from', 'SELECT count(*) FROM history h JOIN copied c USING (visitor) WHERE engagement.timeline_eq(h.timeline, c.timeline) AND (h.score::text, h.steps::text, h.returns::text) = (c.score::text, c.steps::text, c.returns::text)'),
	'97', 'the same through binary COPY');
done_testing();

sub psql
{
	my ($database, $sql) = @_;
	open my $out, '-|', 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $database, '-c', $sql or die "psql: $!\n";
	my $text = do { local $/ = undef; <$out> };
	close $out or die "failed: $sql\n";
	chomp $text if defined $text;
	return $text // '';
}
