# pg_dump carries stored timelines and scores, views and indexes over them, exactly.
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
		decayed_sum(i / 7.0, '2026-01-01Z'::timestamptz + make_interval(secs => i), '7 days') AS score
	FROM generate_series(1, 5000) i GROUP BY 1;
	CREATE INDEX ON history (timeline);
	CREATE INDEX ON history USING hash (timeline);
	CREATE VIEW history_visits AS
	SELECT visitor, v.visit_number, v.started_at, v.channel FROM history, visits(timeline, gap => '20 min', key_event => 'event 1') v;
	CREATE MATERIALIZED VIEW history_value AS
	SELECT visitor, engagement_value(timeline, '{"event 1": 2}') AS value FROM history WHERE event_count(timeline, 'event 2') > 0;
});
system("pg_dump dump_from | psql -Xq -v ON_ERROR_STOP=1 -d dump_to >/dev/null") == 0 or BAIL_OUT('pg_dump failed');

for my $query (
	'SELECT md5(string_agg(visitor || timeline::text || score::text, chr(10) ORDER BY visitor)) FROM history',
	"SELECT md5(string_agg(encode(engagement.timeline_send(timeline), 'hex'), chr(10) ORDER BY visitor)) FROM history",
	'SELECT md5(string_agg(h::text, chr(10) ORDER BY visitor, visit_number)) FROM history_visits h',
	'SELECT md5(string_agg(h::text, chr(10) ORDER BY visitor)) FROM history_value h',
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
is(psql('dump_from', 'SELECT count(*) FROM history h JOIN copied c USING (visitor) WHERE engagement.timeline_eq(h.timeline, c.timeline) AND h.score::text = c.score::text'),
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
