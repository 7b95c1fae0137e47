# The summary of a customer's purchases is what plain SQL computes from the rows: for random
# customers of every kind, in time zones whose clocks do odd things, in any order and by any
# plan; for the sample of CDNOW, whose summary is published; and for the online retail
# data, with its cancelled orders.
#
#	CUSTOMERS=6000 SEED=1	how many random ones
use strict;
use warnings;
use Test::More;

my $last_failed;
my $database = 'purchase_summary_test';
my $customers = $ENV{CUSTOMERS} || 6000;
# for setseed(), between 0 and 1
my $seed = ($ENV{SEED} || 1) * 0.618033988749895;
$seed -= int $seed;
my $data = ($ENV{ENGAGEMENT_SHARED} // '../shared') . '/data';
$ENV{PGOPTIONS} = '-c client_min_messages=warning';

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
make_reference();

make_random();
test_random();
test_any_order();
SKIP:
{
	skip "no data in $data/cdnow", 10 if !-e "$data/cdnow/cdnow_sample_log.csv";
	test_cdnow();
}
SKIP:
{
	skip "no data in $data/retail", 4 if !-e "$data/retail/online_retail.csv.gz";
	test_retail();
}
done_testing();

# The rules once more, over rows of (customer, zone, as_of, to_at, at, value): value is numeric,
# so that sums are those of decimal fractions.
sub make_reference
{
	set_up(q{
		CREATE FUNCTION reference(orders text) RETURNS TABLE (customer int, frequency int, age int, recency int, total numeric, valued int, holdout int)
		LANGUAGE plpgsql AS $$
		BEGIN
			RETURN QUERY EXECUTE format('
				WITH day AS (
					SELECT customer, zone, as_of, to_at, (at AT TIME ZONE zone)::date AS date, false AS is_holdout, sum(value) AS value, bool_or(value < 0) AS refunds, min(at) AS first_at
					FROM %1$s WHERE at <= as_of GROUP BY 1, 2, 3, 4, 5
					UNION ALL
					SELECT customer, zone, as_of, to_at, (at AT TIME ZONE zone)::date, true, sum(value), bool_or(value < 0), min(at)
					FROM %1$s WHERE at <= to_at GROUP BY 1, 2, 3, 4, 5),
				counted AS (
					SELECT *, min(date) OVER (PARTITION BY customer, is_holdout) AS first FROM day WHERE refunds IS NOT TRUE OR value > 0)
				SELECT customer, (count(*) FILTER (WHERE NOT is_holdout))::int - 1,
					greatest((min(as_of) AT TIME ZONE zone)::date, max(date) FILTER (WHERE NOT is_holdout)) - min(first) FILTER (WHERE NOT is_holdout),
					(max(date) FILTER (WHERE NOT is_holdout)) - min(first) FILTER (WHERE NOT is_holdout),
					sum(value) FILTER (WHERE date > first AND NOT is_holdout), (count(value) FILTER (WHERE date > first AND NOT is_holdout))::int,
					(count(*) FILTER (WHERE is_holdout AND date > (as_of AT TIME ZONE zone)::date AND first_at > as_of))::int
				FROM counted GROUP BY customer, zone', orders);
		END $$;
		CREATE FUNCTION expected_money(frequency int, total numeric, valued int) RETURNS float8 LANGUAGE sql RETURN
			CASE WHEN frequency = 0 THEN 0 WHEN valued > 0 THEN total::float8 / valued END});
	return;
}

# How many customers of a table with (customer, zone, as_of, to_at, t) differ from the reference
# made of these orders; money may be off by so much, relatively.
sub differences
{
	my ($made, $orders, $tolerance, $pattern) = @_;
	$pattern //= 'purchase';
	return sql("SELECT count(*) FROM (SELECT m.customer, s.*, holdout_purchases(t, '$pattern', as_of, to_at, zone) AS holdout
			FROM $made m, purchase_summary(t, '$pattern', as_of, NULL, zone) s) s FULL JOIN reference('$orders') r USING (customer)
		WHERE s.frequency IS DISTINCT FROM CASE WHEN r.frequency >= 0 THEN r.frequency END
			OR s.recency IS DISTINCT FROM r.recency OR s.age IS DISTINCT FROM r.age OR s.holdout IS DISTINCT FROM coalesce(r.holdout, 0)
			OR (s.monetary_value IS DISTINCT FROM expected_money(r.frequency, r.total, r.valued) AND r.frequency >= 0
				AND abs(s.monetary_value - expected_money(r.frequency, r.total, r.valued)) <= $tolerance * s.monetary_value IS NOT TRUE)");
}

# Customers who buy around the times at which clocks of their zone are changed, some a
# minute after midnight, some by a whole day; money as whole numbers, cents, or thousandths;
# lines that cancel each other, gifts, and values that are not known. Other events have values as
# well, but not such as would change how a timeline keeps those of the purchases.
sub make_random
{
	set_up("SELECT setseed($seed);
		CREATE TABLE customer AS SELECT customer, start_at, zone, start_at + interval '12 hours' + random() * interval '8 days' AS as_of, start_at + interval '9 days' + random() * interval '2 days' AS to_at,
				(ARRAY['{1,2,30,7,1000,0,-3,-2,-30,-40}', '{0.10,0.20,10.10,20.20,99.99,0,1234567.89,-0.30,-30.30,-99.99}', '{0.1,0.2,33.333,0.001,0.125,1e9,0,-0.3,-33.333,-1e-3}'])[1 + customer % 3]::numeric[] AS amounts
			FROM generate_series(1, $customers) customer, LATERAL (SELECT (ARRAY['2026-03-27 18:00Z', '2018-11-02 18:00Z', '2018-02-16 06:00Z', '2010-11-05 12:00Z', '2011-12-28 20:00Z', '2026-10-23 18:00Z', '1867-10-17 00:00Z']::timestamptz[])[1 + customer / 3 % 7] AS start_at,
				(ARRAY['Europe/Oslo', 'America/Sao_Paulo', 'America/Sao_Paulo', 'America/St_Johns', 'Pacific/Apia', 'UTC', 'America/Sitka'])[1 + customer / 3 % 7] AS zone) z;
		CREATE TABLE event_row AS SELECT customer, zone, as_of, to_at, at, event, CASE WHEN random() < 0.85 AND (event = 'purchase' OR customer % 3 < 2) THEN amounts[1 + floor(random() * sqrt(random()) * 10)::int] END AS value
			FROM customer, generate_series(1, 1 + customer % 19) i, LATERAL (SELECT
				CASE WHEN random() < 0.3 THEN date_trunc('hour', start_at + random() * interval '10 days' + i * interval '0') + floor(random() * 3 - 1) * interval '1 us'
					ELSE start_at + random() * random() * interval '10 days' + i * interval '0' END AS at,
				(ARRAY['purchase', 'purchase', 'purchase', 'view'])[1 + floor(random() * 4 + i * 0)::int] AS event) e;
		-- exactly at the end of what counts, and a microsecond after it
		INSERT INTO event_row SELECT DISTINCT ON (customer) customer, zone, as_of, to_at, as_of + (customer % 2) * interval '1 us', 'purchase', 5 FROM event_row WHERE customer % 4 < 2;
		CREATE VIEW orders AS SELECT * FROM event_row WHERE event = 'purchase';
		CREATE TABLE made AS SELECT customer, zone, as_of, to_at, timeline(at, event, NULL, value::float8) AS t FROM event_row GROUP BY 1, 2, 3, 4;
		ANALYZE");
	return;
}

sub test_random
{
	is(sql('SELECT count(*) > 0.9 * ' . $customers . ', count(*) FILTER (WHERE frequency > 2) > count(*) / 4, count(*) FILTER (WHERE frequency = 0) > count(*) / 20,
			count(*) FILTER (WHERE frequency < 0) > count(*) / 20, count(*) FILTER (WHERE holdout > 1) > count(*) / 20, count(*) FILTER (WHERE valued < frequency) > count(*) / 20
		FROM reference(\'orders\')'), 't|t|t|t|t|t', 'the cases show something');
	is(sql("SELECT count(*) > $customers / 100, count(*) FILTER (WHERE (as_of AT TIME ZONE zone)::date < last) > 0 FROM (
		SELECT as_of, zone, max((at AT TIME ZONE zone)::date) FILTER (WHERE at <= as_of) AS last, bool_or((at AT TIME ZONE zone)::date < latest) AS back
		FROM (SELECT *, max((at AT TIME ZONE zone)::date) OVER (PARTITION BY customer ORDER BY at) AS latest FROM orders) o GROUP BY customer, as_of, zone) s WHERE back"),
		't|t', 'dates that come back, some at the end');
	is(differences('(SELECT * FROM made WHERE customer % 3 < 2)', '(SELECT * FROM orders WHERE customer % 3 < 2) o', 0), '0', 'random customers with whole numbers or cents, to the last bit');
	is(differences('(SELECT * FROM made WHERE customer % 3 = 2)', '(SELECT * FROM orders WHERE customer % 3 = 2) o', '1e-14'), '0', 'random customers with thousandths');
	is(sql("SELECT count(*) > $customers / 2, count(*) FILTER (WHERE d.recency / 7 IS DISTINCT FROM w.recency OR d.age / 7 IS DISTINCT FROM w.age OR d.recency * 24 <> h.recency OR d.age * 24 <> h.age
			OR (d.frequency, d.monetary_value) IS DISTINCT FROM (w.frequency, w.monetary_value) OR (d.frequency, d.monetary_value) IS DISTINCT FROM (h.frequency, h.monetary_value))
		FROM made, purchase_summary(t, 'purchase', as_of, '1 day', zone) d, purchase_summary(t, 'purchase', as_of, '7 days', zone) w, purchase_summary(t, 'purchase', as_of, '01:00', zone) h WHERE d IS NOT NULL"),
		't|0', 'the unit only scales');
	return;
}

# Order rows through the aggregate give what timelines of all events give, for any order and plan.
sub test_any_order
{
	my $summary = 'SELECT customer, purchase_summary(p, \'purchase\', as_of, NULL, zone) AS s';
	my $query = "SELECT customer, as_of, zone, purchases(at, value::float8) AS p FROM %s GROUP BY 1, 2, 3";
	set_up("CREATE TABLE summary AS SELECT customer, purchase_summary(t, 'purchase', as_of, NULL, zone)::text AS s FROM made");
	my @orders = (
		[ 'order rows', 'orders', $serial ],
		[ 'order rows shuffled', '(SELECT * FROM orders ORDER BY hashint8extended(customer, 3), random()) o', $serial ],
		[ 'order rows backwards', '(SELECT * FROM orders ORDER BY at DESC) o', $serial ],
		[ 'by parallel workers', 'orders', $parallel ],
		[ 'by parallel workers that sort', 'orders', "$parallel; SET enable_hashagg = off" ],
		[ 'spilled to disk', 'orders', "$serial; SET work_mem = '64kB'; SET enable_sort = off" ],
	);
	for (@orders)
	{
		my ($name, $rows, $settings) = @$_;
		my $rows_query = sprintf $query, $rows;
		if ($name =~ /parallel/)
		{
			like(sql("$settings; EXPLAIN (COSTS OFF) $rows_query"), qr/Partial/, "plan of $name");
		}
		is(sql("$settings; SELECT count(*) > $customers / 2, count(*) FILTER (WHERE a.s IS DISTINCT FROM b.s::text) FROM summary a JOIN ($summary FROM ($rows_query) q) b USING (customer)"), 't|0', $name);
	}
	return;
}

sub test_cdnow
{
	set_up("CREATE TABLE log (master_id int, id int, date text, cds int, value numeric);
		CREATE TABLE published (id int, first date, last date, frequency int, recency_days int, t_days int, repeat_cents bigint, holdout_x int, monetary float8)");
	copy_in("\\copy log FROM '$data/cdnow/cdnow_sample_log.csv' CSV HEADER");
	copy_in("\\copy published FROM '$data/cdnow/cdnow_sample_summary.csv' CSV HEADER");
	set_up("CREATE TABLE cdnow AS SELECT id AS customer, 'UTC'::text AS zone, '1997-09-30 23:59:59Z'::timestamptz AS as_of, '1998-06-30 23:59:59Z'::timestamptz AS to_at, date::date::timestamp AT TIME ZONE 'UTC' AS at, value FROM log;
		CREATE TABLE cdnow_made AS SELECT customer, zone, as_of, to_at, purchases(at, value::float8) AS t FROM cdnow GROUP BY 1, 2, 3, 4");
	is(sql('SELECT count(*) FROM published'), '2357', 'CDNOW: all customers');
	is(sql("SELECT count(*), count(*) FILTER (WHERE (s.frequency, s.recency, s.age, s.monetary_value) IS DISTINCT FROM (p.frequency, p.recency_days::float8, p.t_days::float8, p.monetary))
		FROM published p JOIN cdnow_made ON id = customer, purchase_summary(t, 'purchase', '1997-09-30 23:59:59Z') s"), '2357|0', 'CDNOW: the published summary in all rows');
	is(sql("SELECT count(*), count(*) FILTER (WHERE (s.frequency, s.recency, s.age, s.monetary_value) IS DISTINCT FROM (p.frequency, p.recency_days / 7.0::float8, p.t_days / 7.0::float8, p.monetary))
		FROM published p JOIN cdnow_made ON id = customer, purchase_summary(t, 'purchase', '1997-09-30 23:59:59Z', '7 days') s"), '2357|0', 'CDNOW: in weeks');
	is(sql("SELECT count(*), sum(x), count(*) FILTER (WHERE x IS DISTINCT FROM holdout_x) FROM (
			SELECT holdout_x, holdout_purchases(t, 'purchase', '1997-09-30 23:59:59Z', '1997-09-30 23:59:59Z'::timestamptz + interval '39 weeks') AS x FROM published JOIN cdnow_made ON id = customer) s"),
		'2357|1882|0', 'CDNOW: purchases in the next 39 weeks');
	is(differences('cdnow_made', 'cdnow', 0), '0', 'CDNOW: as plain SQL');
	is(sql("SELECT count(*) FILTER (WHERE value = 0) FROM cdnow"), '8', 'CDNOW: free orders are there, and count');
	# the dates alone decide
	is(sql("SELECT count(*) FILTER (WHERE s IS DISTINCT FROM purchase_summary(t, 'purchase', '1997-09-30 00:00Z')) FROM cdnow_made, purchase_summary(t, 'purchase', '1997-09-30 23:59:59Z') s"), '0', 'CDNOW: at the start of the last day');

	set_up('CREATE TABLE master (id int, date text, cds int, value numeric)');
	copy_in("\\copy master FROM PROGRAM 'gzip -dc $data/cdnow/cdnow_master_log.csv.gz' CSV HEADER");
	set_up("CREATE TABLE cdnow_all AS SELECT id AS customer, 'UTC'::text AS zone, '1997-12-31 12:00Z'::timestamptz AS as_of, '1998-06-30 23:59:59Z'::timestamptz AS to_at, date::date::timestamp AT TIME ZONE 'UTC' AS at, value FROM master;
		CREATE TABLE cdnow_all_made AS SELECT customer, zone, as_of, to_at, purchases(at, value::float8) AS t FROM cdnow_all GROUP BY 1, 2, 3, 4");
	is(sql('SELECT count(*), sum(event_count(t)) FROM cdnow_all_made'), '23570|69659', 'CDNOW: all 23,570 customers');
	is(differences('cdnow_all_made', 'cdnow_all', 0), '0', 'CDNOW: all of them as plain SQL');

	# how a forecast without a model does, in total and by number of repeat purchases
	is(sql("WITH c AS (SELECT p.*, least(p.frequency, 7) AS seven, naive_purchases(39, p.frequency, t_days / 7.0::float8) AS naive FROM published p),
			f AS (SELECT seven, forecast_error(naive, holdout_x) AS f FROM c GROUP BY ROLLUP (seven)),
			r AS (SELECT seven, count(*) AS customers, sum(naive) AS expected, sum(holdout_x) AS actual, avg(abs(naive - holdout_x)) AS error FROM c GROUP BY ROLLUP (seven))
		SELECT count(*), sum((f).customers), max((f).actual), count(*) FILTER (WHERE (f).customers <> customers OR abs((f).expected / nullif(expected, 0) - 1) > 1e-13 OR (f).actual <> actual
			OR abs((f).mean_absolute_error / error - 1) > 1e-13 OR abs((f).ratio / nullif(expected / nullif(actual, 0), 0) - 1) > 1e-13) FROM f JOIN r ON f.seven IS NOT DISTINCT FROM r.seven"), '9|4714|1882|0', 'CDNOW: error of the naive forecast');
	return;
}

# Cancelled orders are lines with negative quantities; some prices have more than two decimals.
sub test_retail
{
	set_up('CREATE UNLOGGED TABLE line (invoice text, stock_code text, quantity int, invoiced_at timestamp, unit_price numeric, customer_id int, country text)');
	copy_in("\\copy line FROM PROGRAM 'gzip -dc $data/retail/online_retail.csv.gz' CSV HEADER");
	set_up("CREATE UNLOGGED TABLE retail AS SELECT customer_id AS customer, 'Europe/London'::text AS zone, '2011-06-30 15:00 Europe/London'::timestamptz AS as_of, '2011-12-31 Europe/London'::timestamptz AS to_at,
				invoiced_at AT TIME ZONE 'Europe/London' AS at, quantity * unit_price AS value FROM line WHERE customer_id IS NOT NULL;
		CREATE TABLE retail_made AS SELECT customer, zone, as_of, to_at, purchases(at, value::float8) AS t FROM retail GROUP BY 1, 2, 3, 4;
		ANALYZE retail");
	is(sql('SELECT count(*), sum(event_count(t)) FROM retail_made'), '4372|406829', 'online retail: all customers and lines');
	is(differences('retail_made', 'retail', '1e-14'), '0', 'online retail: as plain SQL, cancelled orders included');
	is(sql("SELECT count(*) FILTER (WHERE frequency = -1) > 0, count(*) FILTER (WHERE frequency > 5) > 100 FROM reference('retail')"), 't|t', 'online retail: customers who gave all back, and good ones');
	# gone the day it was bought: the lines of one day cancel, in cents, and leave no purchase
	is(sql("SELECT count(*) > 20, count(*) FILTER (WHERE purchase_summary(purchases, 'purchase', '2012-01-01Z') IS NOT NULL) FROM (
		SELECT customer, purchases(at, value::float8) FROM (SELECT customer, at, value FROM retail WHERE value > 0 UNION ALL SELECT customer, at, -value FROM retail WHERE value > 0) r GROUP BY customer) s"),
		't|0', 'online retail: all lines given back leave nothing');
	return;
}

sub copy_in
{
	my $text = psql($database, shift);
	die "$text\n" if $last_failed;
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
