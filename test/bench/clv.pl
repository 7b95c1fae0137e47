# The figures of customer lifetime value of test/bench/figures.pl. Table, with ROWS=10000000:
#
#   history_row   a million customers, one a row: frequency, recency, age in days, mean value in cents
#
# Their purchases are those of BG/NBD with lambda ~ Gamma(1, 60 days) and p ~ Beta(1, 4), by its own quantiles.
use strict;
use warnings;

my $rows_floor = 'sum over history rows';
my $call_floor = 'a trivial C function of history rows';
my $histories  = 'purchase_histories(frequency, recency, age)';
my $customers  = 'SELECT count(*), 1 FROM history_row';
my %model      = (
	bgnbd     => 'bgnbd(0.2426, 4.414, 0.793, 2.426)',
	mbgnbd    => 'mbgnbd(0.5248, 6.183, 0.8914, 1.614)',
	paretonbd => 'paretonbd(0.5533, 10.578, 0.6062, 11.669)');
my $weeks = 'frequency, recency / 7, age / 7';

my $tables = 'SET client_min_messages = warning; DROP TABLE IF EXISTS history_row;
	CREATE UNLOGGED TABLE history_row AS
	SELECT x AS frequency, CASE WHEN x > 0 THEN greatest(x, ceil(age * (x::float8 / n) * u4 ^ (1.0::float8 / x))) ELSE 0 END AS recency, age,
		(400 + (draw & 8191)) / 100.0::float8 AS monetary_value
	FROM (SELECT *, least(n, 1 + floor(ln(u3) / ln(1 - p)))::int AS x
		FROM (SELECT *, least(age, floor(ln(u1) / ln(age / (60 + age))))::int AS n, least(0.999999, 1 - u2 ^ 0.25) AS p
			FROM (SELECT hashint8extended(i, 9) AS draw, (1 + (hashint8extended(i, 5) & 511))::float8 AS age,
					' . join(', ', map { "(1 + (hashint8extended(i, $_) & 4294967295)) / 4294967298.0::float8 AS u$_" } 1 .. 4) . '
				FROM generate_series(1, (SELECT count(*) / 10 FROM event)) AS i OFFSET 0) AS h OFFSET 0) AS d OFFSET 0) AS c;
	VACUUM ANALYZE history_row;
';

sub fit
{
	my ($name, $state, $where, $at_most_ms) = @_;
	return { name => "$name of history rows", floor => $rows_floor, at_most_ms => $at_most_ms, memory_over => $rows_floor, at_most_mb => 100,
		sql => "SELECT customers, converged::int FROM diagnostics((SELECT $name($state) FROM history_row))", plain => "$customers $where" };
}

sub scoring
{
	my ($kind, $function, $options) = @_;
	return { name => "$function of history rows, $kind", floor => $call_floor, %$options,
		sql => "SELECT count(*), bool_and(score >= 0)::int FROM (SELECT $options->{call} AS score FROM history_row OFFSET 0) AS s",
		plain => $customers };
}

# P(alive) as anybody would write it.
my $plain_alive = 'SELECT sum(1 / (1 + CASE WHEN frequency > 0 THEN exp(ln(0.793 / (2.426 + frequency - 1)) +
	(0.2426 + frequency) * (ln(4.414 + age / 7) - ln(4.414 + recency / 7))) ELSE 0 END)) FROM history_row';

my @figures = (
	{ name => $rows_floor, sql => 'SELECT sum(frequency + recency + age) FROM history_row', plain => 'SELECT sum(frequency + recency + age) FROM history_row' },
	{ name => 'purchase_histories of history rows', floor => $rows_floor, memory_over => $rows_floor, at_most_mb => 100,
		sql => "SELECT customer_count(h) FROM (SELECT $histories AS h FROM history_row OFFSET 0) AS s", plain => 'SELECT count(*) FROM history_row' },
	fit('bgnbd_fit', $histories, '', 1500), fit('mbgnbd_fit', $histories, '', 1500), fit('paretonbd_fit', $histories, '', 5000),
	fit('gamma_gamma_fit', 'spend_histories(frequency, monetary_value)', 'WHERE frequency > 0'),
	{ name => $call_floor, sql => 'SELECT sum(float8larger(recency / 7, age / 7)) FROM history_row', plain => 'SELECT sum(age / 7) FROM history_row' },
	{ name => 'p_alive of history rows, bgnbd', floor => $call_floor, target => 2.0, sql => "SELECT sum(p_alive($model{bgnbd}, $weeks)) FROM history_row", plain => $plain_alive },
	(map { scoring($_, 'p_alive', { call => "p_alive($model{$_}, $weeks)" }) } 'mbgnbd', 'paretonbd'),
	scoring('bgnbd', 'expected_purchases', { call => "expected_purchases($model{bgnbd}, 39, $weeks)", at_most_ms => 1000 }),
	(map { scoring($_, 'expected_purchases', { call => "expected_purchases($model{$_}, 39, $weeks)" }) } 'mbgnbd', 'paretonbd'),
	(map { scoring($_, 'discounted_purchases, infinite horizon,', { alone => 1, once => 1, call => "discounted_purchases($model{$_}, 0.0027, $weeks)" }) } 'mbgnbd', 'paretonbd'),
	scoring('mbgnbd', 'clv', { alone => 1, call => "clv($model{mbgnbd}, gamma_gamma(6.25, 3.74, 15.44), $weeks, monetary_value, 52, 0.0027, 0.3)" }));

return { sections => [ [ 'Customer lifetime value: history rows, one for ten events', \@figures ] ], stored => [
		{ name => 'purchase_summary of stored timelines', floor => 'count(*) of the events', target => 4.0, speedup => 1.6,
			sql => "SELECT count((s).frequency), sum((s).frequency + 1) FROM (SELECT purchase_summary(events, 'purchase', '2100-01-01 00:00+00') AS s FROM stored OFFSET 0) AS t",
			plain => "SELECT count(DISTINCT visitor), count(DISTINCT (visitor, (at AT TIME ZONE 'UTC')::date)) FROM event WHERE event = 'purchase' AND value > 0" } ],
	identities => [ [ 'the same fit for any order of rows',
		"SELECT ((SELECT bgnbd_fit($histories)::text FROM history_row) <> (SELECT bgnbd_fit($histories)::text FROM (SELECT * FROM history_row ORDER BY recency) AS h))::int" ] ],
	tables => $tables, made => 'history_row' };
