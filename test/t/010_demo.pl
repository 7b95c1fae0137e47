# The main job, docs/demo/run: every printed number is recomputed by plain SQL over
# the event rows, without the extension, and compared as it is printed.
use strict;
use warnings;
use File::Temp;
use FindBin;
use Test::More;
use lib "$FindBin::Bin/../reference";
use Attribution qw(markov_attribution double_value);

my $database = 'demo_test';
my $folder = File::Temp->newdir;
my $data = ($ENV{ENGAGEMENT_SHARED} // '../shared') . '/data';
delete @ENV{qw(SEED CSV VISITOR AT EVENT CHANNEL VALUE PROPERTIES POINTS STEPS WITHIN CONVERSION SPEND MARGIN TIME_ZONE)};

psql('postgres', "DROP DATABASE IF EXISTS $database");
psql('postgres', "CREATE DATABASE $database");
END
{
	my $status = $?;
	psql('postgres', "DROP DATABASE IF EXISTS $database") if $database;
	$? = $status;
}

test_seeds(test_shop());
test_own_file();
test_messages();
test_cooltshirts();
test_access_log();
done_testing();

# The made-up shop with its nine goals.
sub test_shop
{
	my $report = demo();
	recompute(q{SELECT visitor_id::text AS visitor, occurred_at AS at, event_name AS event, utm_source AS channel,
					revenue::float8 AS value, campaign FROM engagement_demo.shop_events}, 'Europe/Copenhagen');
	compare_with_points($report, 'shop');
	compare_funnel($report);
	compare_attribution($report, 'shop', 'purchase');
	compare_customers($report);
	like($report->{text}, qr/^\(unattributed\): conversions without a touch/m, 'shop: what (unattributed) is');

	my ($events, $goals, $worst) = split /\|/, query(q{
		SELECT (SELECT count(*) FROM hit), (SELECT count(DISTINCT goal) FROM hit),
			   (SELECT campaign FROM visit GROUP BY channel, campaign
				ORDER BY count(*) * ((SELECT avg(value) FROM visit) - avg(value)) DESC LIMIT 1)});
	cmp_ok($events, '>', 150_000, 'about 200,000 events');
	cmp_ok($events, '<', 250_000, 'and no more');
	is($goals, 9, 'all nine goals are reached');
	is($worst, 'spring_giveaway', 'the giveaway has the greatest potential');
	my $marked = grep { $_->[7] =~ /more visits, each worth less/ } @{ $report->{tables}[2]{rows} };
	cmp_ok($marked, '>', 0, 'and marks the week in which it began');
	my $bought = query('SELECT avg((coalesce(revenue, 0) > 0)::int) FROM visit');
	cmp_ok($bought, '>', 0.01, 'some visits buy');
	cmp_ok($bought, '<', 0.04, 'and most do not');
	return $report;
}

# Another seed, other numbers, by the same rules; one seed, one table, whatever the plan.
sub test_seeds
{
	my $first = shift;
	my $report = demo(SEED => 7);
	recompute(q{SELECT visitor_id::text AS visitor, occurred_at AS at, event_name AS event, utm_source AS channel,
					revenue::float8 AS value, campaign FROM engagement_demo.shop_events}, 'Europe/Copenhagen');
	foreach my $i (0 .. $#{ $report->{tables} })
	{
		my ($one, $other) = map { join "\n", map { "@$_" } @{ $_->{tables}[$i]{rows} } } $first, $report;
		isnt($one, $other, "another seed changes the numbers: $report->{tables}[$i]{title}");
	}
	compare_with_points($report, 'shop of another seed');
	compare_attribution($report, 'shop of another seed', 'purchase');

	query(q{CREATE SCHEMA again});
	local $ENV{PGOPTIONS} = '-c search_path=again -c enable_hashjoin=off -c enable_hashagg=off '
	  . '-c jit=off -c max_parallel_workers_per_gather=0 -c work_mem=1MB -c timezone=Asia/Tokyo';
	system('psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-v', 'seed=7', '-d', $database, '-f', 'docs/demo/shop.sql');
	is(query(q{SELECT count(*) FROM (SELECT * FROM again.shop_events EXCEPT SELECT * FROM engagement_demo.shop_events) AS d}),
		0, 'the same seed gives the same events under another plan');
	is(query('SELECT (SELECT count(*) FROM again.shop_events) = (SELECT count(*) FROM engagement_demo.shop_events)'),
		't', 'and as many');
	return;
}

# A file of one's own, as badly behaved as they come.
sub test_own_file
{
	my $report = demo(
		CSV => file("\x{EF}\x{BB}\x{BF}\"User ID\";When;\"Page; name\";Kanal;Betrag;Campaign\r\n"
			. "1;24/12/2026 10:00;start;x;\"1,50\";c1\r\n1;24/12/2026 10:30;\"buy;now\";;;\r\n"
			. "1;24/12/2026 11:00:01;start;;;\r\n2;13/1/2027 10:10;start;y;3;c2\r\n;25/12/2026 10:10;start;y;;\r\n"),
		VISITOR => 'user id', AT => 'when', EVENT => 'Page; name', CHANNEL => 'kanal',
		VALUE => q{replace("Betrag", ',', '.')}, POINTS => '{"buy;now": 7, "start[campaign=c2]": 2}');
	like($report->{text}, qr/5 rows, 4 events; 1 rows without visitor, time or event were left out/, 'rows without a visitor are left out');
	like($report->{text}, qr{AT .*given .*day/month/year; no time zone given: read as UTC}, 'it says how times were read');
	recompute(q{SELECT * FROM (VALUES ('1', timestamptz '2026-12-24 10:00Z', 'start', 'x', 1.5::float8, 'c1'),
		('1', '2026-12-24 10:30Z', 'buy;now', NULL, NULL, NULL), ('1', '2026-12-24 11:00:01Z', 'start', NULL, NULL, NULL),
		('2', '2027-01-13 10:10Z', 'start', 'y', 3, 'c2')) AS t (visitor, at, event, channel, value, campaign)},
		'UTC', q{CASE WHEN event = 'buy;now' THEN 'buy;now' WHEN campaign = 'c2' THEN 'start[campaign=c2]' END});
	compare_with_points($report, 'own file');
	like($report->{text}, qr/^3 visits of 2 visitors, made of 4 events\.$/m, 'a gap of exactly 30 minutes does not end a visit');

	like(demo(CSV => file("user_id,at,event\n1,2026-01-01,order_a\n"), POINTS => '{"order_*": 1, "order_a": 2, "oder": 3}')->{text},
		qr/order_\* .* other goals are more specific.*oder .* matches no event|oder .* matches no event.*order_\* .* other goals are more specific/s,
		'goals that never count are pointed out');

	my $times = "user_id,ts,event\n1,1767225600000,a\n1,1767227400001,a\n";
	like(demo(CSV => file($times))->{text}, qr/AT .*numbers: read as milliseconds.*^2 visits of 1 visitors/ms, 'epoch milliseconds');
	like(demo(CSV => file($times), AT => 'to_timestamp(ts::float8 / 1000)')->{text}, qr/^2 visits of 1 visitors/m, 'an expression as time');
	like(demo(CSV => file("user_id\tts\tevent\n1\t2026-03-29T01:59:59+01:00\ta\n1\t2026-03-29T03:10:00+02:00\ta\n"),
			TIME_ZONE => 'Europe/Oslo')->{text},
		qr/2026-03-29 01:59 .*2026-03-29 03:10 .*Europe\/Oslo.*^1 visits/ms, 'tabs, times with a zone, reported in a time zone');
	like(demo(CSV => file("user_id,ts,\xE9v\xE9nement\n1,2026-01-01,caf\xE9\n"), EVENT => "\x{C3}\x{A9}v\x{C3}\x{A9}nement")->{text}, qr/Windows-1252.*caf\x{C3}\x{A9}/s, 'a file that is not UTF-8');
	return;
}

# What is wrong is said in the words of the user's file.
sub test_messages
{
	my $file = file("who,ts,what\n1,2026-01-01 10:00,a\n");
	my %works = (CSV => $file, VISITOR => 'who', EVENT => 'what');
	like(demo(%works)->{text}, qr/^1 visits of 1 visitors/m, 'the columns are guessed or given');
	fails_with({ CSV => $file }, qr/no column looks like VISITOR, EVENT.*The columns are: who, ts, what\./s, 'columns that cannot be guessed');
	fails_with({ %works, AT => 'time' }, qr/AT=time is neither a column.*The columns are: who, ts, what\./s, 'a misspelt column');
	fails_with({ %works, VISITOR => 'user' }, qr/VISITOR=user is neither a column/, 'a misspelt column that SQL knows');
	fails_with({ %works, AT => 'to_date(' }, qr/AT=to_date\( is neither a column of the file nor an SQL expression/, 'a broken expression');
	fails_with({ %works, CSV => file("who,ts,what\n1,yesterday at ten,a\n") }, qr/AT: .*"yesterday at ten".*HINT/s, 'a time that cannot be read');
	fails_with({ %works, VALUE => 'what' }, qr/VALUE.*"a".*HINT/s, 'a value that is no number');
	fails_with({ %works, CSV => file("who,ts,what\n") }, qr/no events/, 'a file of a header only');
	fails_with({ %works, CSV => file('') }, qr/first line.*is empty/, 'an empty file');
	fails_with({ SEED => 'x' }, qr/a seed is a whole number/, 'a seed that is no number');
	fails_with({ %works, CONVERSION => 'a,b' }, qr/invalid pattern.*"a,b"/, 'a conversion that is no pattern');
	unlike(demo(%works)->{text}, qr/credited with/, 'without channels there is nothing to credit');
	my %clicks = (CSV => file("user_id,at,event,channel\n1,2026-01-01,view,a\n1,2026-01-02,order,b\n"));
	like(demo(%clicks, CONVERSION => 'ordr')->{text}, qr/No event matches the conversion ordr:/, 'a conversion that nobody made');
	like(demo(%clicks, CONVERSION => 'ord*')->{text}, qr/^ a +\| +1.0 \| .*A conversion is ord\*: there are 1, and 0 journeys/ms, 'a conversion by pattern');
	unlike(demo(%clicks, CONVERSION => 'ord*')->{text}, qr/unattributed/, 'nothing is said of (unattributed) where there is none');
	like(demo(%clicks, CONVERSION => 'ord*')->{text}, qr/^Of 1 customers 0 bought again, on another day: too few/m, 'too few customers for a model');
	fails_with({ %works, SPEND => '{"a": "much"}' }, qr/SPEND=\{"a": "much"\}: .*HINT:  Say what each channel cost/s, 'spend that is no number');
	fails_with({ %works, SPEND => $_ }, qr/SPEND=\Q$_\E: .*HINT/s, "spend $_") for 'email=900', '[900]', '{"a": null}', '{"a": -1}';
	fails_with({ %works, MARGIN => $_ }, qr/MARGIN=\Q$_\E: it is the part of the revenue/, "margin $_") for '40%', '0,4', '-1', '40', 'x';
	fails_with({ %works, POINTS => '{"a": "many"}' }, qr/many/, 'points that are no number');
	fails_with({ CSV => "$folder/none.csv" }, qr/no such file/, 'a file that is not there');
	return;
}

sub test_cooltshirts
{
	my $file = "$data/web/cooltshirts.csv";
  SKIP:
	{
		skip "$file is not there", 26 unless -r $file;
		my %columns = (CSV => $file, VISITOR => 'user_id', AT => 'timestamp', EVENT => 'page_name', CHANNEL => 'utm_source');
		my $report = demo(%columns);
		like($report->{text}, qr/^5,072 visits of 1,979 visitors, made of 5,692 events\.$/m, 'cooltshirts: 5,072 visits');

		psql($database, qq{CREATE TABLE shirts (page text, at timestamp, visitor text, campaign text, channel text)});
		psql($database, "\\copy shirts FROM '$file' WITH (FORMAT csv, HEADER)");
		recompute(q{SELECT visitor, at AT TIME ZONE 'UTC' AS at, page AS event, channel, NULL::float8 AS value, campaign FROM shirts},
			'UTC', q{CASE event WHEN '4 - purchase' THEN '4 - purchase' WHEN '3 - checkout' THEN '3*' END});
		compare_without_points($report, 'cooltshirts');
		compare_attribution($report, 'cooltshirts', '4 - purchase');
		compare_with_points(demo(%columns, POINTS => '{"4 - purchase": 100, "3*": 5.5}'), 'cooltshirts with points');
		my $pages = query(q{SELECT string_agg(n::text, ' > ' ORDER BY page) FROM (SELECT page, count(DISTINCT visitor) AS n FROM shirts GROUP BY page) s});
		is($pages, '1979 > 1881 > 1431 > 361', 'cooltshirts: visitors of each page, counted in plain SQL');
		like($report->{text}, qr/^\Q$pages visitors\E$/m, 'cooltshirts: the funnel with steps guessed');
		my $guessed = demo(CSV => $file, STEPS => '1* > 3* > 4 - purchase', WITHIN => '12 days');
		like($guessed->{text}, qr/^5,072 visits/m, 'cooltshirts: all columns guessed');
		my $bought = query(q{SELECT count(DISTINCT a.visitor) FROM shirts a JOIN shirts b USING (visitor) JOIN shirts c USING (visitor)
			WHERE a.page LIKE '1%' AND b.page LIKE '3%' AND c.page LIKE '4%' AND a.at <= b.at AND b.at <= c.at AND c.at - a.at <= interval '12 days'});
		like($guessed->{text}, qr/^1979 > \d+ > $bought visitors$/m, 'cooltshirts: the funnel with steps and window given');
	}
	return;
}

# The first step and the stages are simple to count; steps in between are tested elsewhere.
sub compare_funnel
{
	my $report = shift;
	my ($visitors, $bought, $views, $orders) = split /\|/, query(q{SELECT count(DISTINCT visitor_id) FILTER (WHERE event_name = 'page_view'),
		(SELECT count(DISTINCT c.visitor_id) FROM engagement_demo.shop_events a JOIN engagement_demo.shop_events b USING (visitor_id)
			JOIN engagement_demo.shop_events c USING (visitor_id)
			WHERE a.event_name = 'page_view' AND b.event_name ~ '^(add_to_cart|demo_request|call_request)$' AND c.event_name = 'purchase'
				AND a.occurred_at <= b.occurred_at AND b.occurred_at <= c.occurred_at AND c.occurred_at - a.occurred_at <= interval '30 days'
				AND EXISTS (SELECT FROM engagement_demo.shop_events m WHERE m.visitor_id = a.visitor_id AND m.event_name ~ '^(page_view|video_.*)$'
					AND m.event_id <> a.event_id AND m.occurred_at BETWEEN a.occurred_at AND b.occurred_at)),
		count(*) FILTER (WHERE event_name = 'page_view'), count(*) FILTER (WHERE event_name = 'purchase') FROM engagement_demo.shop_events});
	like($report->{text}, qr/^$visitors > \d+ > \d+ > $bought visitors$/m, 'the funnel begins with all visitors and ends with the buyers');
	like($report->{text}, qr/^ awareness .*\| +$visitors \| +$views \|/m, 'the stage awareness has all page views');
	like($report->{text}, qr/^ decision .*\| +$orders \| +[\d.]+$/m, 'the stage decision has all orders');
	return;
}

# The journeys by window functions over hit and visit, the credit from their definitions: by SQL, and for
# the chain in exact numbers.
sub compare_attribution
{
	my ($report, $name, $conversion) = @_;
	make_journeys($conversion);
	my ($credit, $compared) = grep { $_->{columns}[0] eq 'channel' && grep { $_ eq 'markov' } @{ $_->{columns} } } @{ $report->{tables} };
	my ($conversions, $lost, $value) = split /\|/, query(q{
		SELECT count(*) FILTER (WHERE converted), count(*) FILTER (WHERE NOT converted), coalesce(sum(value), 0)
		FROM (SELECT DISTINCT visitor, number, converted, value FROM journey) AS j});
	my ($told, $ended) = $report->{text} =~ /there are ([\d,]+), and ([\d,]+) journeys/;
	is(join('|', map { s/,//gr } $told // '', $ended // ''), "$conversions|$lost", "$name: conversions, and journeys without");

	my %chain = %{ markov_credit() };
	my (%expected, %amounts);
	my $amount = $value > 0 ? 'value' : 'conversions';
	foreach (split /\n/, query(credit_by_rules($value > 0 ? 'value' : '1')))
	{
		my ($channel, @row) = split /\|/;
		my $part = pop @row;
		my ($last_amount, $was_last, $assisted) = splice @row, 7, 3;
		$expected{$channel} = [@row[0 .. 5], $chain{$channel}{conversions} // $row[1], $row[6]];
		$amounts{$channel} = [$last_amount, $chain{$channel}{$amount}, $chain{$channel}{$amount} - $last_amount,
			$last_amount > 0 ? 100 * ($chain{$channel}{$amount} / $last_amount - 1) : '-', $was_last, $assisted,
			$was_last > 0 ? $assisted / $was_last : '-', $part] if $channel ne '(unattributed)';
	}
	near($credit, \%expected, "$name: credit by each model");
	near($compared, \%amounts, "$name: $amount by last click and by Markov chain");
	my @order = map { $_->[3] } @{ $compared->{rows} };
	is("@order", join(' ', sort { $b <=> $a } @order), "$name: the greatest gain comes first");
	return;
}

# The customers by plain SQL, but for the parameters of the models, which other tests compare.
sub compare_customers
{
	my ($report) = @_;
	my ($segments, $channels) = grep { grep { /^(worth each|CAC)$/ } @{ $_->{columns} } } @{ $report->{tables} };
	query(q{
		DROP TABLE IF EXISTS buyer;
		-- the fifth of the first of equals, where a fifth of the rows has one score
		CREATE OR REPLACE FUNCTION score(place bigint, n bigint) RETURNS int LANGUAGE sql
		RETURN CASE WHEN place <= n % 5 * (n / 5 + 1) THEN (place - 1) / (n / 5 + 1) + 1 ELSE n % 5 + (place - 1 - n % 5 * (n / 5 + 1)) / (n / 5) + 1 END;
		CREATE TABLE buyer AS
		SELECT visitor, frequency, recency, age, revenue, r, f, 1 / (1 + a / (b + frequency) * exp((shape + frequency) * ln((alpha + age) / (alpha + recency)))) AS alive
		FROM (SELECT *, score(rank() OVER (ORDER BY age - recency DESC), count(*) OVER ()) AS r, score(rank() OVER (ORDER BY frequency), count(*) OVER ()) AS f
			FROM (SELECT visitor, count(DISTINCT day) - 1 AS frequency, (max(day) - min(day)) / 7.0::float8 AS recency, ((SELECT max(at) FROM hit)::date - min(day)) / 7.0::float8 AS age,
					sum(value) AS revenue
				FROM (SELECT visitor, value, (at AT TIME ZONE 'Europe/Copenhagen')::date AS day FROM hit WHERE event = 'purchase') AS purchase GROUP BY visitor) AS c) AS scored,
			(SELECT (m ->> 'r')::float8 AS shape, (m ->> 'alpha')::float8 AS alpha, (m ->> 'a')::float8 AS a, (m ->> 'b')::float8 AS b
				FROM (SELECT buying::jsonb AS m FROM engagement_demo.customer_model) AS j) AS parameters});
	my %expected = map { my ($segment, @row) = split /\|/; $segment => \@row } split /\n/, query(q{
		SELECT coalesce(segment, 'all customers'), count(*), sum(frequency + 1), sum(revenue), avg(age - recency), 100 * avg(alive)
		FROM (SELECT *, CASE WHEN r = 5 THEN CASE WHEN f >= 4 THEN 'champions' WHEN f = 1 THEN 'new customers' ELSE 'potential loyalists' END
				WHEN f >= 4 AND r >= 3 THEN 'loyal' WHEN r = 4 THEN CASE WHEN f = 1 THEN 'promising' ELSE 'potential loyalists' END
				WHEN r = 3 THEN CASE WHEN f = 3 THEN 'need attention' ELSE 'about to sleep' END WHEN f = 5 THEN 'cannot lose' WHEN f >= 3 THEN 'at risk'
				WHEN r = 1 AND f = 1 THEN 'lost' ELSE 'hibernating' END AS segment FROM buyer) AS s
		GROUP BY GROUPING SETS ((segment), ())});
	near({ rows => [map { [@$_[0 .. 5]] } @{ $segments->{rows} }] }, \%expected, 'shop: customers by segment');
	my @sums = (0, 0);
	foreach my $row (@{ $segments->{rows} }[0 .. $#{ $segments->{rows} } - 1])
	{
		$sums[0] += $row->[1] * $row->[6];
		$sums[1] += $row->[8];
	}
	my $all = $segments->{rows}[-1];
	cmp_ok(abs($sums[0] - $all->[1] * $all->[6]), '<', 0.01 * $all->[1], 'what segments will buy adds up');
	cmp_ok(abs($sums[1] - $all->[8]), '<', 0.1, 'and what they are worth');
	cmp_ok($all->[8], '>', 0.3 * $all->[6] * $all->[3] / $all->[2] * $all->[1], 'they are worth about the margin of what they will buy');
	cmp_ok($all->[8], '<', 0.6 * $all->[6] * $all->[3] / $all->[2] * $all->[1], 'and no more');

	my %channel = map { my ($channel, @row) = split /\|/; $channel => \@row } split /\n/, query(q{
		SELECT channel, count(visitor), 100 * avg((frequency > 0)::int), 0.4 * avg(revenue), coalesce(min(spend)::text, '-'), coalesce((min(spend) / count(visitor))::text, '-')
		FROM (SELECT buyer.*, coalesce((SELECT channel FROM hit WHERE hit.visitor = buyer.visitor AND channel IS NOT NULL
				AND at <= (SELECT min(at) FROM hit AS h WHERE h.visitor = buyer.visitor AND event = 'purchase') ORDER BY at, channel COLLATE "C" LIMIT 1), '(direct)') AS channel FROM buyer) AS c
			FULL JOIN engagement_demo.channel_spend USING (channel) GROUP BY channel});
	near({ rows => [map { [@$_[0 .. 3, 6, 7]] } @{ $channels->{rows} }] }, \%channel, 'shop: customers by channel');
	my @wrong = grep { abs($_->[3] + $_->[4] - $_->[5]) > 0.011 || ($_->[7] ne '-' && abs($_->[5] / $_->[7] - $_->[8]) > 0.006) } @{ $channels->{rows} };
	is(@wrong, 0, 'CLV is what was earned and what is to come, and CLV:CAC their ratio');
	return;
}

# A row for each touch: which journey of the visitor, its place from 1, the length of the path.
sub make_journeys
{
	my $conversion = shift;
	query(qq{
		SET client_min_messages = warning;
		DROP TABLE IF EXISTS journey;
		CREATE TABLE journey AS
		WITH touch AS (
			SELECT visitor, visit, min(at) FILTER (WHERE event <> '$conversion') AS touched FROM hit GROUP BY 1, 2
		), done AS (
			SELECT visitor, at AS done_at, hit.value, row_number() OVER (PARTITION BY visitor ORDER BY at, value) AS number
			FROM hit WHERE event = '$conversion'
		), dealt AS (
			SELECT visitor, channel, touched,
				   (SELECT min(number) FROM done WHERE done.visitor = touch.visitor AND done_at >= touched) AS number
			FROM touch JOIN visit USING (visitor, visit) WHERE touched IS NOT NULL
		), kept AS (
			SELECT dealt.*, done_at, done.value,
				   coalesce(done_at, max(touched) OVER (PARTITION BY dealt.visitor, dealt.number)) - touched AS age
			FROM dealt LEFT JOIN done ON (done.visitor, done.number) = (dealt.visitor, dealt.number)
		)
		SELECT visitor, coalesce(number, 0) AS number, done_at IS NOT NULL AS converted, value, channel, touched, age,
			   row_number() OVER (PARTITION BY visitor, number ORDER BY touched) AS place,
			   count(*) OVER (PARTITION BY visitor, number) AS length
		FROM kept WHERE age <= interval '90 days'
		UNION ALL
		SELECT visitor, number, true, value, '(unattributed)', NULL, NULL, 1, 1
		FROM done WHERE NOT EXISTS (SELECT FROM kept WHERE (kept.visitor, kept.number) = (done.visitor, done.number) AND age <= interval '90 days');
		CREATE INDEX ON journey (visitor, number)});
	return;
}

# By channel: first, last, non-direct, linear, U-shaped, time decay, Shapley, the amount of the last
# touch, conversions in which it was last, in which it was not, and the amount of them all.
sub credit_by_rules
{
	my $amount = shift;
	return qq{
		WITH touch AS (
			SELECT *, power(2, -extract(epoch FROM age) / 604800) AS freshness,
				   max(CASE WHEN channel <> '(direct)' THEN place ELSE 0 END) OVER path AS last_known
			FROM journey WHERE converted WINDOW path AS (PARTITION BY visitor, number)
		), played AS (
			SELECT visitor, number, channel, max($amount) AS amount, count(*) OVER (PARTITION BY visitor, number) AS players,
				   bool_or(place = length) AS was_last
			FROM journey WHERE converted GROUP BY visitor, number, channel
		), shared AS (
			SELECT channel, sum((place = 1)::int) AS first, sum((place = length)::int) AS last,
				   sum((place = CASE last_known WHEN 0 THEN length ELSE last_known END)::int) AS known, sum(1.0 / length) AS linear,
				   sum(CASE WHEN length = 1 THEN 1 WHEN length = 2 THEN 0.5 WHEN place IN (1, length) THEN 0.4 ELSE 0.2 / (length - 2) END) AS u,
				   coalesce(sum(freshness / total), 1) AS decay, sum(CASE WHEN place = length THEN $amount ELSE 0 END) AS last_amount
			FROM (SELECT *, sum(freshness) OVER (PARTITION BY visitor, number) AS total FROM touch) AS t GROUP BY channel
		)
		SELECT all_channels.channel, coalesce(first, 0), coalesce(last, 0), coalesce(known, 0), coalesce(linear, 0), coalesce(u, 0),
			   CASE channel WHEN '(unattributed)' THEN last ELSE coalesce(decay, 0) END, coalesce(shapley, 0),
			   coalesce(last_amount, 0), coalesce(was_last, 0), coalesce(assisted, 0), coalesce(part, 0)
		FROM (SELECT DISTINCT channel FROM journey) AS all_channels LEFT JOIN shared USING (channel)
			 LEFT JOIN (SELECT channel, sum(1.0 / players) AS shapley, sum(was_last::int) AS was_last, sum((NOT was_last)::int) AS assisted, sum(amount) AS part
						FROM played GROUP BY channel) AS played USING (channel)};
}

sub markov_credit
{
	my @rows = map { my ($path, $converted, $lost, $value) = split /\|/; { path => [split / > /, $path], conversions => $converted, non_conversions => $lost, value => $value } }
	  split /\n/, query(q{
		SELECT path, count(*) FILTER (WHERE converted), count(*) FILTER (WHERE NOT converted), coalesce(sum(value), 0)
		FROM (SELECT string_agg(channel, ' > ' ORDER BY place) AS path, converted, max(value) AS value FROM journey GROUP BY visitor, number, converted) AS j
		GROUP BY path});
	my $channels = markov_attribution(\@rows, 1)->{channels};
	return { map { my $of = $channels->{$_}; $_ => { map { $_ => $of->{$_} ? double_value($of->{$_}) : 0 } qw(conversions value) } } keys %$channels };
}

# Each number is the expected one, rounded as it is printed.
sub near
{
	my ($table, $expected, $name) = @_;
	my @wrong;
	push @wrong, 'there is no such table' unless $table;
	foreach my $row (@{ $table->{rows} })
	{
		my ($channel, @printed) = @$row;
		my @computed = @{ $expected->{$channel} // [] };
		foreach my $i (0 .. $#printed)
		{
			my $digits = $printed[$i] =~ /\.(\d+)$/ ? length $1 : 0;
			my $is_right = ($computed[$i] // '-') eq '-' ? $printed[$i] eq '-'
			  : $printed[$i] ne '-' && abs($printed[$i] - $computed[$i]) <= 0.5 * 10**-$digits + 1e-6;
			push @wrong, "$channel, $table->{columns}[$i + 1]: $printed[$i], not " . ($computed[$i] // 'anything') unless $is_right;
		}
		push @wrong, "$channel: " . @printed . ' numbers' if @printed != @computed;
	}
	push @wrong, 'rows are missing' if $table && @{ $table->{rows} } != keys %$expected;
	is(join("\n", @wrong), '', $name);
	return;
}

# The visits are counted here, in Perl; the rest from the events that the documented query made.
sub test_access_log
{
	my $file = "$data/web/apache.log.gz";
  SKIP:
	{
		skip "$file is not there", 12 unless -r $file;
		my $report = demo(CSV => $file);
		my ($hits, $visitors, $visits) = count_log($file);
		is("$hits $visitors $visits", '10000 1753 3052', 'access log: the count in Perl');
		like($report->{text}, qr/10000 hits; 0 lines without address and time left out,\n1 lines cut off but used/, 'access log: the malformed line');
		like($report->{text}, qr/^3,052 visits of 1,753 visitors, made of 10,000 events\.$/m, 'access log: 3,052 visits by address');
		my ($suggested) = $report->{text} =~ /credited with, and what customers are worth, name the conversion, for example\n    make demo CSV=\S+ CONVERSION=(\w+)\n/;
		ok(defined $suggested, 'access log: no conversion is made up');
		recompute(q{SELECT visitor, at, event, channel, value, properties ->> 'campaign' AS campaign FROM engagement_demo.events}, 'UTC');
		compare_without_points($report, 'access log');
		$suggested //= '';
		cmp_ok(query("SELECT count(*) FROM hit WHERE event = '$suggested'"), '>', 0, 'access log: the conversion that is suggested is an event');
	}
	return;
}

sub count_log
{
	my $file = shift;
	my %month = (May => 5);
	my ($hits, %times) = (0);
	open my $log, '-|', 'gzip', '-dc', $file or die "gzip: $!\n";
	while (<$log>)
	{
		next unless m{^(\S+) .*?\[(\d+)/(\w+)/2015:(\d+):(\d+):(\d+) \+0000\]};
		$hits++;
		push @{ $times{$1} }, ((($month{$3} * 31 + $2) * 24 + $4) * 60 + $5) * 60 + $6;
	}
	close $log;
	my $visits = 0;
	foreach my $list (values %times)
	{
		my $last;
		foreach my $time (sort { $a <=> $b } @$list)
		{
			$visits++ if !defined $last || $time - $last > 30 * 60;
			$last = $time;
		}
	}
	return ($hits, scalar keys %times, $visits);
}

# Plain SQL: hit has each event with its visit and goal, visit each visit. goal is an SQL
# expression that says which goal an event counts for.
sub recompute
{
	my ($events, $zone, $goal) = @_;
	$goal //= q{CASE WHEN event IN (SELECT pattern FROM engagement_demo.goal_points) THEN event
					 WHEN event LIKE 'video\_%' THEN 'video_*' END};
	my $place = 'at, event COLLATE "C", channel COLLATE "C", campaign COLLATE "C"';
	query(qq{
		SET client_min_messages = warning;
		DROP TABLE IF EXISTS hit, visit, period;
		CREATE TABLE hit AS
		SELECT *, sum(CASE WHEN at - before <= '30 min' THEN 0 ELSE 1 END)
					  OVER (PARTITION BY visitor ORDER BY $place ROWS UNBOUNDED PRECEDING) AS visit
		FROM (SELECT *, lag(at) OVER (PARTITION BY visitor ORDER BY $place) AS before, $goal AS goal
			  FROM ($events) AS source) AS ordered;

		CREATE TABLE visit AS
		SELECT visitor, visit, count(*) AS events, min(at) AS started, max(at) AS ended,
			   extract(epoch FROM max(at) - min(at)) / 60 AS minutes,
			   coalesce((array_agg(channel ORDER BY $place) FILTER (WHERE channel IS NOT NULL))[1], '(direct)') AS channel,
			   coalesce((array_agg(campaign ORDER BY $place) FILTER (WHERE campaign IS NOT NULL))[1], '(none)') AS campaign,
			   sum(value)::numeric AS revenue, 0::float8 AS value
		FROM hit GROUP BY visitor, visit;
		ALTER TABLE visit ADD start date;
		CREATE TABLE period (start date, is_partial boolean, unit text)});
	my ($first, $last) = split /\|/, query(qq{
		SELECT min(started AT TIME ZONE '$zone')::date, max(ended AT TIME ZONE '$zone')::date FROM visit});
	my $unit = query("SELECT CASE WHEN date '$last' - date '$first' < 21 THEN 'day' ELSE 'week' END");
	query(qq{
		UPDATE visit SET start = CASE '$unit' WHEN 'day' THEN (started AT TIME ZONE '$zone')::date
			ELSE (started AT TIME ZONE '$zone')::date - extract(isodow FROM started AT TIME ZONE '$zone')::int + 1 END;
		INSERT INTO period
		SELECT day, CASE '$unit' WHEN 'day' THEN day IN (date '$first', date '$last')
						 ELSE day < date '$first' OR day + 6 > date '$last' END, '$unit'
		FROM (SELECT date '$first' - 7 + n AS day FROM generate_series(0, date '$last' - date '$first' + 7) AS n) AS days
		WHERE day <= date '$last' AND ( '$unit' = 'day' AND day >= date '$first' OR '$unit' = 'week' AND extract(isodow FROM day) = 1 AND day + 6 >= date '$first')});
	query(qq{ALTER DATABASE $database SET timezone = '$zone'});
	return;
}

sub give_value
{
	query(q{
		UPDATE visit SET value = earned.value
		FROM (SELECT hit.visitor, hit.visit, sum(points) AS value
			  FROM hit JOIN engagement_demo.goal_points ON goal = pattern GROUP BY 1, 2) AS earned
		WHERE (earned.visitor, earned.visit) = (visit.visitor, visit.visit)});
	return;
}

# Each table of the report beside the query that recomputes it.
sub compare_with_points
{
	my ($report, $name) = @_;
	give_value();
	my $revenue = query('SELECT count(revenue) > 0 FROM visit') eq 't' ? 'round(sum(revenue), 2),' : '';
	my @tables = grep { $_->{columns}[0] ne 'variable' } @{ $report->{tables} };
	my @queries = (loaded(), q{
		SELECT pattern, points, completions, visitors, points * completions,
			   round((100 * points * completions / sum(points * completions) OVER ())::numeric, 1),
			   CASE WHEN completions = 0 THEN 'matches no event' ELSE '' END
		FROM engagement_demo.goal_points,
			 LATERAL (SELECT count(*) AS completions, count(DISTINCT visitor) AS visitors FROM hit WHERE goal = pattern) AS done
		ORDER BY points DESC, pattern COLLATE "C"}, qq{
		WITH total AS (
			SELECT start, is_partial, unit, count(visitor) AS visits, coalesce(sum(value), 0) AS value,
				   sum(value) / nullif(count(visitor), 0) AS each, $revenue 0 AS nothing
			FROM period LEFT JOIN visit USING (start) GROUP BY 1, 2, 3
		), paired AS (
			SELECT now.*, now.visits / nullif(before.visits, 0)::float8 - 1 AS more, now.each / nullif(before.each, 0) - 1 AS better
			FROM total AS now LEFT JOIN total AS before
				 ON NOT now.is_partial AND NOT before.is_partial
				 AND before.start = (SELECT max(start) FROM total AS earlier WHERE earlier.start < now.start)
		)
		SELECT to_char(start, 'Dy YYYY-MM-DD'), visits, round((100 * more)::numeric, 1), round(value::numeric, 1),
			   round(each::numeric, 2), round((100 * better)::numeric, 1), @{[ $revenue ? 'round,' : '' ]}
			   CASE WHEN is_partial THEN 'part of a ' || unit
					WHEN more > 0.1 AND better < -0.1 THEN '<< more visits, each worth less'
					WHEN more < -0.1 AND better > 0.1 THEN '<< fewer visits, each worth more' ELSE '' END
		FROM paired ORDER BY start}, qq{
		SELECT channel, visits, share, value, each, @{[ $revenue ? 'revenue,' : '' ]} potential FROM (
			SELECT channel, count(*) AS visits, round(100.0 * count(*) / (SELECT count(*) FROM visit), 1) AS share,
				   round(sum(value)::numeric, 1) AS value, round((sum(value) / count(*))::numeric, 2) AS each,
				   round(sum(revenue), 2) AS revenue, round((@{[ potential() ]})::numeric, 1) AS potential, 1 AS place
			FROM visit GROUP BY channel
			UNION ALL
			SELECT 'all visits', count(*), 100.0, round(sum(value)::numeric, 1), round((sum(value) / count(*))::numeric, 2),
				   round(sum(revenue), 2), NULL, 2 FROM visit) AS lines
		ORDER BY place, potential DESC, visits DESC, channel COLLATE "C"});
	push @queries, qq{
		SELECT channel, campaign, visits, value, each, potential FROM (
			SELECT channel, campaign, count(*) AS visits, round(sum(value)::numeric, 1) AS value, round((sum(value) / count(*))::numeric, 2) AS each,
				   round((@{[ potential() ]})::numeric, 1) AS potential, 1 AS place
			FROM visit GROUP BY channel, campaign HAVING count(*) * 200 >= (SELECT count(*) FROM visit)
			UNION ALL
			SELECT 'all smaller ones', '', count(*), round(sum(value)::numeric, 1), round((sum(value) / count(*))::numeric, 2),
				   round((@{[ potential() ]})::numeric, 1), 2
			FROM (SELECT *, count(*) OVER (PARTITION BY channel, campaign) AS size FROM visit) AS sized
			WHERE size * 200 < (SELECT count(*) FROM visit)
			HAVING count(*) > 0) AS lines
		ORDER BY place, potential DESC, visits DESC, channel COLLATE "C", campaign COLLATE "C"}
	  if query(q{SELECT bool_or(campaign <> '(none)') FROM visit}) eq 't';
	push @queries, visits_told('WHERE value > 0 ORDER BY value DESC, events DESC', 'round(value::numeric, 1),', q{
			SELECT string_agg(goal || CASE WHEN n > 1 THEN format(' (%s)', n) ELSE '' END, ', ' ORDER BY n * points DESC, goal COLLATE "C")
			FROM (SELECT goal, count(*) AS n FROM hit WHERE (hit.visitor, hit.visit) = (v.visitor, v.visit) GROUP BY goal) AS done
				 JOIN engagement_demo.goal_points ON pattern = goal WHERE points <> 0});
	push @queries, visits_told('WHERE value <= 0 ORDER BY value, events DESC', 'round(value::numeric, 1),', happened());
	compare($name, \@tables, \@queries);
	return;
}

sub compare_without_points
{
	my ($report, $name) = @_;
	my @tables = grep { $_->{columns}[0] ne 'variable' } @{ $report->{tables} };
	compare($name, \@tables, [loaded(), q{
		SELECT event, count(*), count(DISTINCT visitor), round(100.0 * count(DISTINCT visitor) / (SELECT count(DISTINCT visitor) FROM hit), 1)
		FROM hit GROUP BY event ORDER BY 2 DESC, event COLLATE "C" LIMIT 20}, q{
		WITH total AS (
			SELECT start, is_partial, unit, count(visitor) AS visits, count(DISTINCT visitor) AS visitors, sum(events) AS events,
				   count(*) FILTER (WHERE events = 1) AS bounces
			FROM period LEFT JOIN visit USING (start) GROUP BY 1, 2, 3
		)
		SELECT to_char(now.start, 'Dy YYYY-MM-DD'), now.visits,
			   CASE WHEN NOT now.is_partial AND NOT before.is_partial THEN round((100 * (now.visits / nullif(before.visits, 0)::float8 - 1))::numeric, 1) END,
			   now.visitors, round(now.events / nullif(now.visits, 0), 2), round(100.0 * now.bounces / nullif(now.visits, 0), 1),
			   CASE WHEN now.is_partial THEN 'part of a ' || now.unit ELSE '' END
		FROM total AS now LEFT JOIN total AS before ON before.start = (SELECT max(start) FROM total AS earlier WHERE earlier.start < now.start)
		ORDER BY now.start}, q{
		SELECT channel, visits, share, visitors, each, minutes, bounces FROM (
			SELECT coalesce(channel, 'all visits') AS channel, count(*) AS visits, round(100.0 * count(*) / (SELECT count(*) FROM visit), 1) AS share,
				   count(DISTINCT visitor) AS visitors, round(avg(events), 2) AS each, round(avg(minutes), 1) AS minutes,
				   round(100.0 * count(*) FILTER (WHERE events = 1) / count(*), 1) AS bounces, channel IS NULL AS is_all
			FROM visit GROUP BY ROLLUP (channel)) AS lines
		ORDER BY is_all, visits DESC, channel COLLATE "C"},
		visits_told('ORDER BY events DESC', '', happened(), '')]);
	return;
}

sub loaded
{
	return q{SELECT count(*), count(DISTINCT visitor), (SELECT count(*) FROM visit), to_char(min(at), 'YYYY-MM-DD HH24:MI'),
				to_char(max(at), 'YYYY-MM-DD HH24:MI'), current_setting('timezone') FROM hit};
}

sub potential
{
	return 'count(*) * greatest(0, (SELECT sum(value) / count(*) FROM visit) - sum(value) / count(*))';
}

sub visits_told
{
	my ($which, $value, $told, $campaign) = @_;
	$campaign //= 'campaign,';
	return qq{
		SELECT visitor, to_char(started, 'YYYY-MM-DD HH24:MI'), channel, $campaign round(minutes, 1), events, $value ($told)
		FROM (SELECT * FROM visit $which, started, visitor COLLATE "C" LIMIT 10) AS v};
}

sub happened
{
	return q{SELECT CASE WHEN length(told) > 70 THEN left(told, 67) || '...' ELSE told END
			FROM (SELECT string_agg(event || CASE WHEN n > 1 THEN format(' (%s)', n) ELSE '' END, ', ' ORDER BY n DESC, event COLLATE "C") AS told
				  FROM (SELECT event, count(*) AS n FROM hit WHERE (hit.visitor, hit.visit) = (v.visitor, v.visit) GROUP BY event) AS done) AS t};
}

sub compare
{
	my ($name, $tables, $queries) = @_;
	# the funnel and the stages come after these
	cmp_ok(scalar @$tables, '>=', scalar @$queries, "$name: as many tables as expected");
	foreach my $i (0 .. $#$queries)
	{
		my $table = $tables->[$i] or next;
		my @expected = map { [map { s/^\s+|\s+$//gr } split /\|/, $_, -1] } split /\n/, query($queries->[$i]);
		is_deeply($table->{rows}, \@expected, "$name: $table->{title}") or diag("columns: @{ $table->{columns} }");
	}
	return;
}

sub fails_with
{
	my ($variables, $message, $name) = @_;
	my $report = demo(%$variables, EXPECT_FAILURE => 1);
	isnt($report->{status}, 0, "$name: fails");
	like($report->{text}, $message, "$name: says why");
	return;
}

sub file
{
	my $content = shift;
	my $file = File::Temp->new(DIR => $folder, SUFFIX => '.csv', UNLINK => 0);
	binmode $file;
	print {$file} $content;
	close $file or die "$file: $!\n";
	return $file->filename;
}

# Runs the demo; its text, and the tables that psql printed in it.
sub demo
{
	my %variables = @_;
	my $may_fail = delete $variables{EXPECT_FAILURE};
	local %ENV = (%ENV, PGDATABASE => $database, %variables);
	my $text = `docs/demo/run 2>&1`;
	my $status = $?;
	is($status, 0, 'the demo runs: ' . join ' ', map { "$_=$variables{$_}" } sort grep { $_ ne 'CSV' } keys %variables) or diag($text)
	  unless $may_fail;
	return { status => $status, text => $text, tables => tables($text) };
}

sub tables
{
	my @lines = split /\n/, shift, -1;
	my ($title, @tables) = ('');
	while (@lines)
	{
		my $line = shift @lines;
		if (@lines && $lines[0] =~ /^-+(\+-+)*$/)
		{
			shift @lines;
			my @rows;
			push @rows, [cells(shift @lines)] while @lines && $lines[0] ne '';
			push @tables, { title => $title, columns => [cells($line)], rows => \@rows };
		}
		elsif ($line =~ /\S/)
		{
			$title = $line =~ s/^\s+//r;
		}
	}
	return \@tables;
}

sub cells { return map { s/^\s+|\s+$//gr } split /\|/, shift, -1; }

sub query { return psql($database, shift); }

sub psql
{
	my ($db, $sql) = @_;
	local $ENV{PGOPTIONS} = '-c client_min_messages=warning';
	open my $out, '-|', 'psql', '-XAtq', '-P', 'null=-', '-v', 'ON_ERROR_STOP=1', '-d', $db, '-c', $sql or die "psql: $!\n";
	my $text = do { local $/ = undef; <$out> };
	close $out or die "psql failed: $sql\n";
	chomp $text if defined $text;
	return $text;
}
