# The text, binary and stored forms of purchase_histories and spend_histories: what is
# written reads back as the same bytes, what is listed in any order is what the aggregate
# makes of the same customers, and mutated forms are either rejected with a data error or
# accepted as one canonical value.
#
#	FUZZ_CASES=20000 SEED=1	a fifth of it are mutated values of each type and form, and 1,000 at least
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../fuzz";
use List::Util qw(max);
use Test::More;
use WireClient qw(seed_random random_below);

$ENV{PGOPTIONS} = '-c client_min_messages=warning';

my $cases = max(1_000, int(($ENV{FUZZ_CASES} || 20_000) / 5));
my $seed = $ENV{SEED} || 1;
my $database = 'history_bytes_test';
# 22: data exceptions, 08P01: a message that ends too early, XX001: stored bytes that are none of ours
my %data_error = (binary => qr/^(?:22...|08P01)$/, text => qr/^22...$/, stored => qr/^XX001$/);
my %columns = (purchase_histories => 'frequency, recency, age', spend_histories => 'frequency, monetary_value');
my @types = sort keys %columns;
my $largest = 1 << 53;

create_database();
my $client = WireClient->new($database);
# These errors are meant: they would fill the log.
$client->query("SET log_min_messages = 'fatal'");
$client->query("SET log_min_error_statement = 'panic'");
$client->query('CREATE EXTENSION engagement');
# A type whose bytes are those of a stored state, written as bytea is: what a damaged page may hold.
$client->query("CREATE TYPE raw; CREATE FUNCTION raw_in(cstring) RETURNS raw AS 'byteain' LANGUAGE internal IMMUTABLE STRICT;
	CREATE FUNCTION raw_out(raw) RETURNS cstring AS 'byteaout' LANGUAGE internal IMMUTABLE STRICT;
	CREATE TYPE raw (INPUT = raw_in, OUTPUT = raw_out, ALIGNMENT = double, INTERNALLENGTH = variable, STORAGE = extended)");
for my $type (@types)
{
	$client->query("CREATE CAST (raw AS $type) WITHOUT FUNCTION; CREATE CAST ($type AS raw) WITHOUT FUNCTION");
	# What rows of [frequency, ..., customers] make, added in so many groups.
	my $count = () = $columns{$type} =~ /\w+/g;
	my $arguments = join ', ', '(r->>0)::int', map { "(r->>$_)::float8" } 1 .. $count - 1;
	$client->query("CREATE FUNCTION ${type}_of(rows jsonb, groups int) RETURNS $type LANGUAGE sql BEGIN ATOMIC
		SELECT rollup(part) FROM (SELECT $type($arguments, (r->>$count)::bigint) AS part
			FROM jsonb_array_elements(rows) WITH ORDINALITY AS rs(r, n) GROUP BY n % groups) AS parts;
		END");
	$client->prepare("${type}_of", "SELECT ${type}_send(${type}_of((\$1::jsonb)->0, ((\$1::jsonb)->>1)::int))");
	$client->prepare("send $type", "SELECT ${type}_send(\$1)");
	$client->prepare("text $type", "SELECT \$1::$type\::text");
	$client->prepare("stored $type", "SELECT \$1::$type\::raw::text");
	# Read as it stands, and as a state in memory writes it again.
	$client->prepare("send stored $type", "SELECT ${type}_send(r::$type), ((SELECT rollup(x) FROM (VALUES (r::$type)) AS v(x)) = r::$type)::int4
		FROM (SELECT \$1::raw AS r) AS s");
	# Through text, jsonb, rollup and its own rows the value is the same.
	$client->prepare("round_trips $type", "SELECT (${type}_send(\$1::$type\::text::$type) = ${type}_send(\$1))::int4,
		(${type}_send(\$1::$type\::text::jsonb::text::$type) = ${type}_send(\$1))::int4,
		(${type}_send((SELECT rollup(x) FROM (VALUES (\$1), (NULL)) AS v(x))) = ${type}_send(\$1))::int4,
		(coalesce((SELECT $type($columns{$type}, customers) FROM history_counts(\$1)), '" . empty($type) . "') = \$1)::int4,
		(customer_count(\$1) = (SELECT coalesce(sum(customers), 0) FROM history_counts(\$1)))::int4");
}
my $backend = $client->value('SELECT pg_backend_pid()');

seed_random($seed);
check_any_order();
check_in_memory();
check_texts();
check_bytes();
check_stored();
check_settings();
for my $type (@types)
{
	my @corpus = corpus($type);
	check_cuts($type, @corpus);
	fuzz($type, 'binary', \&mutate_bytes, @corpus);
	fuzz($type, 'text', \&mutate_text, map { $_->{row}[0] } $client->run("text $type", 'binary', @corpus));
	fuzz($type, 'stored', \&mutate_bytes, map { pack 'H*', substr $_->{row}[0], 2 } $client->run("stored $type", 'binary', @corpus));
}
is($client->value('SELECT pg_backend_pid()'), $backend, 'the server lived through all of it');
done_testing();

sub create_database
{
	system('psql', '-XAtq', '-d', 'postgres', '-c', "DROP DATABASE IF EXISTS $database", '-c',
		"CREATE DATABASE $database ENCODING 'UTF8' TEMPLATE template0") == 0
		or die "cannot create the database\n";
	return;
}

END
{
	my $status = $?;
	undef $client;
	system 'psql', '-XAtq', '-d', 'postgres', '-c', "DROP DATABASE IF EXISTS $database WITH (FORCE)";
	$? = $status;
}

sub empty
{
	my $type = shift;
	return $type eq 'spend_histories' ? '{"monetary_values": []}' : '{"ages": []}';
}

# Texts with the histories in any order, some of them in two pieces, against what the
# aggregate makes of the same customers.
sub check_any_order
{
	my @numbers = (0.1, 1, 2.5, 38.86, 1e-300, 5e-324, 2**53 + 2, 1e300, 1 / 3, 273);
	my (%rows, %texts);
	for my $case (1 .. 150)
	{
		my $few = 1 + random_below(scalar @numbers);
		my @customers = map {
			my ($recency, $age) = sort { $a <=> $b } map { $numbers[ random_below($few) ] } 1, 2;
			my $frequency = random_below(4) ? 1 + random_below(3) : random_below(2) ? 2147483647 : 0;
			[$frequency, $frequency > 0 ? $recency : 0, $age, 1 + random_below(4)]
		} 1 .. 1 + random_below(random_below(5) ? 12 : 300);
		my $groups = 1 + random_below(5);
		my (%nested, @spend, %means);
		for (@customers)
		{
			my ($frequency, $recency, $age, $count) = @$_;
			my @pieces = $count > 1 && random_below(2) ? (1, $count - 1) : ($count);
			push @{ $nested{ number($age) }{ number($recency) } }, map { array($frequency, $_) } @pieces;
			push @spend, [$frequency, $recency, $count];
			push @{ $means{ number($recency) } }, map { array($frequency, $_) } @pieces if $frequency > 0;
		}
		push @{ $rows{purchase_histories} }, array(array(map { array($_->[0], (map { number($_) } @$_[1, 2]), $_->[3]) } @customers), $groups);
		push @{ $rows{spend_histories} }, array(array(map { array($_->[0], number($_->[1]), $_->[2]) } @spend), $groups);
		push @{ $texts{purchase_histories} }, object('ages', map {
			my $age = $_;
			map { array($age, $_) } split_list(map { recency_list($_, $nested{$age}{$_}) } sort keys %{ $nested{$age} })
		} sort keys %nested);
		push @{ $texts{spend_histories} }, object('monetary_values', map { recency_list($_, $means{$_}) } sort keys %means);
	}
	for my $type (@types)
	{
		my @expected = $client->run("${type}_of", 'text', @{ $rows{$type} });
		my @answers = $client->run("send $type", 'text', @{ $texts{$type} });
		my @wrong = grep { !$answers[$_]{row} || !$expected[$_]{row} || $answers[$_]{row}[0] ne $expected[$_]{row}[0] } 0 .. $#answers;
		is(scalar @wrong, 0, "$type: " . @answers . ' texts in any order are what the aggregate makes of the customers');
		diag(join "\n", $rows{$type}[$_], $texts{$type}[$_], map { $_->{message} // unpack 'H*', $_->{row}[0] } $expected[$_], $answers[$_])
			for @wrong[0 .. ($#wrong < 0 ? -1 : 0)];
	}
	return;
}

# One list, or the same in two.
sub recency_list
{
	my ($recency, $frequencies) = @_;
	return map { array($recency, $_) } split_list(@$frequencies);
}

sub split_list
{
	my @list = shuffled(@_);
	my $at = @list > 1 && random_below(2) ? 1 + random_below($#list) : scalar @list;
	return grep { $_ ne '[]' } array(@list[0 .. $at - 1]), array(@list[$at .. $#list]);
}

sub object
{
	my ($name, @list) = @_;
	my $space = (' ', "\n\t", '')[ random_below(3) ];
	return "{$space\"$name\"$space:$space" . array(shuffled(@list)) . "$space}";
}

sub array
{
	return '[' . join(', ', @_) . ']';
}

sub number
{
	return sprintf '%.17g', shift;
}

sub shuffled
{
	my @list = @_;
	for my $i (reverse 1 .. $#list)
	{
		my $j = random_below($i + 1);
		@list[$i, $j] = @list[$j, $i];
	}
	return @list;
}

# States in memory, not yet in order. An aggregate gives its state so from 16 on; its step
# functions do everywhere, unless all arguments are constants.
sub check_in_memory
{
	my $purchase = 'purchase_histories_accum(purchase_histories_accum(purchase_histories_accum(NULL, 2, 3, 5 * one), 1, 3, 5, 7), 0, 0, 1)';
	my $spend = 'spend_histories_accum(spend_histories_accum(spend_histories_accum(NULL, 2, 3 * one), 1, 3, 7), 4, 1)';
	my @list = (
		['purchase_histories', $purchase, '{"ages": [[1, [[0, [[0, 1]]]]], [5, [[3, [[1, 7], [2, 1]]]]]]}'],
		['spend_histories', $spend, '{"monetary_values": [[1, [[4, 1]]], [3, [[1, 7], [2, 1]]]]}'],
	);
	for (@list)
	{
		my ($type, $state, $text) = @$_;
		my $from = 'FROM generate_series(1, 1) AS one';
		is($client->value("SELECT $state\::text $from"), $text, "$type: text of a state in memory");
		is($client->value("SELECT ${type}_send($state) = ${type}_send('$text') $from"), 't', "$type: bytes of a state in memory");
		is($client->value("SELECT $state = '$text' AND ${type}_hash($state) = ${type}_hash('$text') $from"), 't', "$type: equality of a state in memory");
		is($client->value("SELECT string_agg(h.customers::text, ' ') $from, history_counts($state) AS h"), '1 7 1', "$type: rows of a state in memory");
		is($client->value("SELECT customer_count($state) $from"), '9', "$type: customers of a state in memory");
	}
	return;
}

# What is wrong with a text: what is said of it, and the text.
sub check_texts
{
	my $ages = '{"ages": [%s]}';
	my $means = '{"monetary_values": [%s]}';
	my $one = '[5, [[%s, [[%s, %s]]]]]';
	my @purchases = (
		['ok', sprintf $ages, ''], ['ok', sprintf $ages, '[0, [[0, [[0, 1]]]]]'], ['ok', sprintf $ages, sprintf $one, 5, 2147483647, $largest],
		['ok', sprintf $ages, sprintf $one, 0, 3, 1], ['ok', sprintf $ages, sprintf $one, '-0', 0, 1], ['ok', sprintf $ages, sprintf $one, '5e-324', 1, 1],
		['ok', sprintf $ages, '[1.7976931348623157e308, [[1.7976931348623157e308, [[1, 1]]]]]'],
		['It must be an object', ''], ['It must be an object', '[]'], ['It must be an object', 'null'],
		['"ages" must be there', '{}'], ['no member of this name', '{"ages": [], "x": 1}'], ['no member of this name', '{"monetary_values": []}'],
		['there twice', '{"ages": [], "ages": []}'], ['Nothing may follow', (sprintf $ages, '') . ' x'], ['ends too early', '{"ages": ['],
		['an array', '{"ages": {}}'], ['an array', '{"ages": 1}'], ['an array', sprintf $ages, '5'], ['an array', sprintf $ages, '[5, 5]'],
		['an array', sprintf $ages, '[5, [5]]'], ['an array', sprintf $ages, '[5, [[5, 5]]]'], ['an array', sprintf $ages, '[5, [[5, [5]]]]'],
		['one more element', sprintf $ages, '[5]'], ['one more element', sprintf $ages, '[5, [[5]]]'], ['one more element', sprintf $ages, '[5, [[5, [[1]]]]]'],
		['last element', sprintf $ages, '[5, [[0, [[0, 1]]]], 1]'], ['last element', sprintf $ages, '[5, [[0, [[0, 1]], 1]]]'], ['last element', sprintf $ages, '[5, [[0, [[0, 1, 1]]]]]'],
		['be a number', sprintf $ages, '[null, [[0, [[0, 1]]]]]'], ['be a number', sprintf $ages, '[5, [["1", [[1, 1]]]]]'], ['be a number', sprintf $ages, '[NaN, [[0, [[0, 1]]]]]'],
		['double precision', sprintf $ages, '[1e309, [[0, [[0, 1]]]]]'], ['double precision', sprintf $ages, '[5, [[1e-400, [[1, 1]]]]]'],
		['An age must have recencies', sprintf $ages, '[5, []]'], ['must be frequencies', sprintf $ages, '[5, [[0, []]]]'],
		['0 where the frequency is', sprintf $ages, sprintf $one, 1, 0, 1], ['from 0 to the age', sprintf $ages, sprintf $one, 5.1, 1, 1],
		['from 0 to the age', sprintf $ages, sprintf $one, -1, 1, 1], ['from 0 to the age', sprintf $ages, '[-5, [[0, [[0, 1]]]]]'],
		['whole number', sprintf $ages, sprintf $one, 1, -1, 1], ['whole number', sprintf $ages, sprintf $one, 1, '1.5', 1], ['whole number', sprintf $ages, sprintf $one, 1, 1, -1],
		['whole number', sprintf $ages, sprintf $one, 1, 1, '1e3'], ['32 bits', sprintf $ages, sprintf $one, 1, 2147483648, 1], ['32 bits', sprintf $ages, sprintf $one, 1, 4294967297, 1],
		['64 bits', sprintf $ages, sprintf $one, 1, 1, '9223372036854775808'], ['must have customers', sprintf $ages, sprintf $one, 1, 1, 0],
		['too many customers', sprintf $ages, sprintf $one, 1, 1, $largest + 2], ['too many customers', sprintf $ages, sprintf $one, 1, 1, '9223372036854775807'],
		['too many customers', sprintf $ages, join ', ', (sprintf $one, 1, 1, $largest), sprintf $one, 2, 2, 1],
	);
	my @spend = (
		['ok', sprintf $means, ''], ['ok', sprintf $means, '[9.99, [[1, 7], [2, 3]]]'], ['ok', sprintf $means, '[5e-324, [[2147483647, 1]]]'],
		['"monetary_values" must be there', '{}'], ['no member of this name', '{"ages": []}'], ['must be frequencies', sprintf $means, '[5, []]'],
		['more than 0', sprintf $means, '[0, [[1, 1]]]'], ['more than 0', sprintf $means, '[-5, [[1, 1]]]'], ['1 or more', sprintf $means, '[5, [[0, 1]]]'],
		['must have customers', sprintf $means, '[5, [[1, 0]]]'], ['too many customers', sprintf $means, "[5, [[1, $largest], [2, 1]]]"],
		['whole number', sprintf $means, '[5, [[-1, 1]]]'], ['double precision', sprintf $means, '[1e999, [[1, 1]]]'],
	);
	$client->query("CREATE FUNCTION what_is_wrong(text, text) RETURNS text LANGUAGE plpgsql AS \$\$
		DECLARE problem text; message text; state text;
		BEGIN
			EXECUTE format('SELECT %L::%I', \$1, \$2);
			RETURN 'ok';
		EXCEPTION WHEN data_exception THEN
			GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, problem = PG_EXCEPTION_DETAIL;
			RETURN message || ': ' || problem;
		END \$\$");
	my $soft = $client->value('SHOW server_version_num') >= 160_000;
	for (['purchase_histories', @purchases], ['spend_histories', @spend])
	{
		my ($type, @list) = @$_;
		for my $case (@list)
		{
			my ($expected, $text) = @$case;
			my $got = $client->value(sprintf 'SELECT what_is_wrong($t$%s$t$, $t$%s$t$)', $text, $type);
			if ($soft)
			{
				my $valid = $client->value(sprintf 'SELECT pg_input_is_valid($t$%s$t$, $t$%s$t$)', $text, $type);
				$got .= " but pg_input_is_valid says $valid" if $valid ne ($expected eq 'ok' ? 't' : 'f');
			}
			ok($expected eq 'ok' ? $got eq 'ok' : index($got, $expected) >= 0 && $got !~ / but /, "$type: $expected: " . substr $text, 0, 200)
				or diag("but got: $got");
		}
	}
	return;
}

# Crafted messages: a name, what is expected, the bytes.
sub check_bytes
{
	my $none = '22P03';
	my $frequencies = sub { pack('N', @_ / 2) . pack '(Nq>)*', @_ };
	my $recency = sub { pack('d>', shift) . $frequencies->(@_) };
	my $ages = sub { "\1" . pack('N', scalar @_) . join '', @_ };
	my $age = sub { my ($number, @recencies) = @_; return pack('d>N', $number, scalar @recencies) . join '', @recencies };
	my $purchase = sub { my ($at, @rest) = @_; return $ages->($age->($at, $recency->(@rest))) };
	my $most = ~0 & 0xffffffff;
	my @list = (
		['purchase_histories', 'nothing', 'ok', "\1\0\0\0\0"], ['purchase_histories', 'version 0', $none, "\0\0\0\0\0"], ['purchase_histories', 'version 2', $none, "\2\0\0\0\0"],
		['purchase_histories', '2^32 - 1 ages', $none, "\1" . pack 'N', $most], ['purchase_histories', 'fewer ages than said', $none, "\1" . pack('N', 2) . $age->(5, $recency->(5, 1, 1))],
		['purchase_histories', 'no recency', $none, $ages->($age->(5) . "\0" x 24)], ['purchase_histories', '2^32 - 1 recencies', $none, "\1" . pack 'Nd>Nx40', 1, 5, $most],
		['purchase_histories', 'no frequency', $none, $ages->($age->(5, $recency->(5)) . "\0" x 12)], ['purchase_histories', '2^32 - 1 frequencies', $none, "\1" . pack 'Nd>Nd>Nx12', 1, 5, 1, 5, $most],
		['purchase_histories', 'one history', 'ok', $purchase->(5, 5, 1, 1)], ['purchase_histories', 'two frequencies', 'ok', $purchase->(5, 5, 1, 1, 2, 7)],
		['purchase_histories', 'frequencies in another order', 'canonical', $purchase->(5, 5, 2, 7, 1, 1)], ['purchase_histories', 'the same twice', 'canonical', $purchase->(5, 5, 2, 7, 2, 1)],
		['purchase_histories', 'recencies in another order', 'canonical', $ages->($age->(5, $recency->(5, 1, 1), $recency->(0, 0, 1)))],
		['purchase_histories', 'ages in another order', 'canonical', $ages->($age->(5, $recency->(0, 0, 1)), $age->(4, $recency->(0, 0, 1)))],
		['purchase_histories', 'ages in order', 'ok', $ages->($age->(4, $recency->(0, 0, 1)), $age->(5, $recency->(0, 0, 1)))],
		['purchase_histories', 'an age of -0', 'canonical', $purchase->(-0.0, 0, 0, 1)], ['purchase_histories', 'a recency of -0', 'canonical', $purchase->(5, -0.0, 0, 1)],
		['purchase_histories', 'an age of NaN', $none, $ages->("\x7f\xf8\0\0\0\0\0\0" . pack('N', 1) . $recency->(0, 0, 1))], ['purchase_histories', 'an infinite age', $none, $purchase->(9**9**9, 0, 0, 1)],
		['purchase_histories', 'a negative age', $none, $purchase->(-5, 0, 0, 1)], ['purchase_histories', 'a negative recency', $none, $purchase->(5, -1, 1, 1)],
		['purchase_histories', 'a recency of NaN', $none, $ages->($age->(5, "\x7f\xf8\0\0\0\0\0\0" . $frequencies->(1, 1)))], ['purchase_histories', 'a recency beyond the age', $none, $purchase->(5, 5.5, 1, 1)],
		['purchase_histories', 'recency without frequency', $none, $purchase->(5, 5, 0, 1)], ['purchase_histories', 'frequency 2^31 - 1', 'ok', $purchase->(5, 5, 2147483647, 1)],
		['purchase_histories', 'frequency 2^31', $none, $purchase->(5, 5, 2147483648, 1)], ['purchase_histories', 'frequency -1', $none, $purchase->(5, 5, $most, 1)],
		['purchase_histories', 'no customers', $none, $purchase->(5, 5, 1, 0)], ['purchase_histories', 'negative customers', $none, $purchase->(5, 5, 1, -1)],
		['purchase_histories', '2^53 customers', 'ok', $purchase->(5, 5, 1, $largest)], ['purchase_histories', '2^53 + 1 customers', $none, $purchase->(5, 5, 1, $largest, 2, 1)],
		['purchase_histories', '2^63 - 1 customers', $none, $purchase->(5, 5, 1, '9223372036854775807')],
		['spend_histories', 'nothing', 'ok', "\1\0\0\0\0"], ['spend_histories', 'version 2', $none, "\2\0\0\0\0"], ['spend_histories', '2^32 - 1 values', $none, "\1" . pack 'Nx24', $most],
		['spend_histories', 'one value', 'ok', $ages->($recency->(9.99, 1, 7, 2, 3))], ['spend_histories', 'values in another order', 'canonical', $ages->($recency->(9.99, 1, 7), $recency->(9.9, 2, 3))],
		['spend_histories', 'the same twice', 'canonical', $ages->($recency->(9.99, 1, 7), $recency->(9.99, 1, 3))], ['spend_histories', 'frequency 0', $none, $ages->($recency->(9.99, 0, 7))],
		['spend_histories', 'value 0', $none, $ages->($recency->(0, 1, 7))], ['spend_histories', 'a negative value', $none, $ages->($recency->(-1, 1, 7))],
		['spend_histories', 'an infinite value', $none, $ages->($recency->(9**9**9, 1, 7))], ['spend_histories', 'no frequency', $none, $ages->($recency->(9.99)) . "\0" x 12],
	);
	for (@list)
	{
		my ($type, $name, $expected, $bytes) = @$_;
		my ($answer) = $client->run("send $type", 'binary', $bytes);
		my $got = $answer->{sqlstate} // ($answer->{row}[0] eq $bytes ? 'ok' : 'canonical');
		if ($answer->{row})
		{
			my ($again) = $client->run("round_trips $type", 'binary', $answer->{row}[0]);
			$got .= ', not equal after a round trip' if !round_trips($again);
		}
		is($got, $expected, "$type: $name");
	}
	return;
}

# What stands on disk has one form only.
sub check_stored
{
	my $number = sub { pack 'd<', shift };
	my @list = (
		['nothing', 'ok', "\1\0"], ['no bytes', 'XX001', ''], ['version 0', 'XX001', "\0\0"], ['version 2', 'XX001', "\2\0"], ['fewer than said', 'XX001', "\1\1"],
		['one', 'ok', "\1\1\7" . $number->(5) . $number->(4) . "\1"], ['more than said', 'XX001', "\1\0\7" . $number->(5) . $number->(4) . "\1"],
		['far too many', 'XX001', "\1\xff\xff\xff\xff\x0f\7" . $number->(5) . $number->(4) . "\1"], ['without an age', 'XX001', "\1\1\5" . $number->(4) . "\1"],
		['an age without a recency', 'XX001', "\1\1\6" . $number->(5) . "\1"], ['without either', 'XX001', "\1\1\4\1"],
		['two of an age', 'ok', "\1\2\7" . $number->(5) . $number->(3) . "\1\5" . $number->(4) . "\1"], ['which is said twice', 'XX001', "\1\2\7" . $number->(5) . $number->(3) . "\1\7" . $number->(5) . $number->(4) . "\1"],
		['two of a recency', 'ok', "\1\2\7" . $number->(5) . $number->(3) . "\1\x08\1"], ['which is said twice', 'XX001', "\1\2\7" . $number->(5) . $number->(3) . "\1\x09" . $number->(3) . "\1"],
		['recencies in the wrong order', 'XX001', "\1\2\7" . $number->(5) . $number->(3) . "\1\5" . $number->(2) . "\1"], ['frequencies in the wrong order', 'XX001', "\1\2\x0b" . $number->(5) . $number->(3) . "\1\4\1"],
		['the same twice', 'XX001', "\1\2\7" . $number->(5) . $number->(3) . "\1\4\1"], ['ages in the wrong order', 'XX001', "\1\2\7" . $number->(5) . $number->(3) . "\1\7" . $number->(4) . $number->(3) . "\1"],
		['no customers', 'XX001', "\1\1\7" . $number->(5) . $number->(4) . "\0"], ['an age of -0', 'XX001', "\1\1\3" . $number->(-0.0) . $number->(0) . "\1"],
		['a recency beyond the age', 'XX001', "\1\1\7" . $number->(4) . $number->(5) . "\1"], ['an age of NaN', 'XX001', "\1\1\7" . "\xff" x 8 . $number->(5) . "\1"],
		['too many customers', 'XX001', "\1\1\7" . $number->(5) . $number->(4) . "\x81\x80\x80\x80\x80\x80\x80\x10"], ['as many as can be', 'ok', "\1\1\7" . $number->(5) . $number->(4) . "\x80\x80\x80\x80\x80\x80\x80\x10"],
		['a number with a byte too many', 'XX001', "\1\1\7" . $number->(5) . $number->(4) . "\x81\x00"],
	);
	for (@list)
	{
		my ($name, $expected, $bytes) = @$_;
		my ($answer) = $client->run('send stored purchase_histories', 'text', '\\x' . unpack 'H*', $bytes);
		is($answer->{sqlstate} // (unpack('N', $answer->{row}[1]) ? 'ok' : 'another form'), $expected, "stored: $name");
	}
	return;
}

# No setting changes the text.
sub check_settings
{
	my $text = '{"ages": [[0.1, [[0, [[0, 1]]]]]]}';
	$client->query('SET extra_float_digits = -15');
	is($client->value("SELECT '$text'::purchase_histories::text"), $text, 'extra_float_digits does not change the text');
	$client->query('RESET extra_float_digits');
	return;
}

# Values to begin with, in binary form.
sub corpus
{
	my $type = shift;
	my @rows = ('[]', '[[0, 0, 5, 1]]', '[[1, 2.5, 5, 1], [1, 2.5, 5, 3], [2, 2.5, 5, 1]]', '[[2147483647, 1e300, 1e300, 9007199254740992]]',
		'[[0, 0, 38.86, 12], [2, 30.43, 38.86, 1], [3, 30.43, 38.86, 4], [1, 1.71, 38.86, 2], [0, 0, 38.71, 900], [1, 5, 38.71, 1], [1, 0, 0, 1], [40, 7, 7, 200]]',
		'[' . join(', ', map { my $age = $_; map { "[$_, $_, $age, $_]" } 1 .. $age } 1 .. 12) . ']');
	s/\[(\d+), ([^,]+), [^,]+, /[$1, $2, /g for $type eq 'spend_histories' ? @rows : ();
	s/\[1, 0, 1\]/[1, 1, 1]/ for @rows;
	return map { pack 'H*', $_ } map { $client->value("SELECT encode(${type}_send(coalesce(${type}_of('$_', 2), '" . empty($type) . "')), 'hex')") } @rows;
}

sub check_cuts
{
	my ($type, @corpus) = @_;
	my @answers = $client->run("send $type", 'binary', @corpus);
	is(scalar(grep { !$answers[$_]{row} || $answers[$_]{row}[0] ne $corpus[$_] } 0 .. $#corpus), 0,
		"$type: " . @corpus . ' values are sent as they were received');
	my @cut = map { my $bytes = $_; map { substr $bytes, 0, $_ } 0 .. length($bytes) - 1 } @corpus;
	@answers = $client->run("send $type", 'binary', @cut, map { "$_\0" } @corpus);
	is(scalar(grep { ($_->{sqlstate} // '') !~ /^(?:22P03|08P01)$/ } @answers), 0,
		"$type: cut off anywhere or one byte too long, each is an invalid message");
	return;
}

# Runs mutations of the samples and asserts what came of them.
sub fuzz
{
	my ($type, $form, $mutate, @samples) = @_;
	my %count_of = (accepted => 0, rejected => 0);
	my (%classes, @wrong);
	seed_random($seed);
	for (my $done = 0; $done < $cases; $done += 1000)
	{
		my @values = map { $mutate->(\@samples) } 1 .. ($cases - $done < 1000 ? $cases - $done : 1000);
		my @answers = $form eq 'stored' ? $client->run("send stored $type", 'text', map { '\\x' . unpack 'H*', $_ } @values)
			: $client->run("send $type", $form, @values);
		my @accepted = grep { !$answers[$_]{sqlstate} } 0 .. $#answers;
		my @sent = map { $answers[$_]{row}[0] } @accepted;
		my @resent = $client->run("send $type", 'binary', @sent);
		my @checks = $client->run("round_trips $type", 'binary', @sent);
		for (grep { $_->{sqlstate} } @answers)
		{
			$count_of{rejected}++;
			$classes{ $_->{sqlstate} }++;
			push @wrong, "$_->{sqlstate} $_->{message}" if $_->{sqlstate} !~ $data_error{$form};
		}
		for my $i (0 .. $#accepted)
		{
			$count_of{accepted}++;
			push @wrong, unpack('H*', $sent[$i]) . ' ' . ($checks[$i]{message} // '')
				if !$resent[$i]{row} || $resent[$i]{row}[0] ne $sent[$i] || !round_trips($checks[$i]);
			push @wrong, unpack('H*', $values[ $accepted[$i] ]) . ' is written differently'
				if $form eq 'stored' && unpack('N', $answers[ $accepted[$i] ]{row}[1]) != 1;
		}
	}
	is(join("\n", @wrong[0 .. ($#wrong < 9 ? $#wrong : 9)]), '',
		"$type, $form: what is rejected is a data error, what is accepted has one form");
	ok($count_of{accepted} > $cases / 50 && $count_of{rejected} > $cases / 50,
		"$type, $form: of $cases mutations (seed $seed) $count_of{accepted} accepted, $count_of{rejected} rejected: "
			. join(', ', map { "$_ $classes{$_}" } sort keys %classes));
	return;
}

sub round_trips
{
	my $answer = shift;
	return $answer->{row} && join('', map { unpack 'N', $_ // "\0\0\0\0" } @{ $answer->{row} }) eq '11111';
}

sub mutate_bytes
{
	my $samples = shift;
	my $bytes = $samples->[ random_below(scalar @$samples) ];
	for (0 .. random_below(2))
	{
		my $at = length $bytes ? random_below(length $bytes) : 0;
		my $what = random_below(9);
		if (length $bytes == 0 || $what == 0) { $bytes = substr $bytes, 0, $at; }
		elsif ($what <= 3) { substr($bytes, $at, 1) ^= chr(1 << random_below(8)); }
		elsif ($what == 4) { substr($bytes, $at, 1) = chr random_below(256); }
		elsif ($what == 5) { substr($bytes, $at, 4) = pack 'N', random_below(1 << 32) >> random_below(32); }
		elsif ($what == 6) { substr($bytes, $at, 8) = pack 'd>', (random_below(2000) - 1000) * 2**(random_below(200) - 100); }
		elsif ($what == 7) { substr($bytes, $at, 0) = substr $bytes, random_below(length $bytes), 1 + random_below(12); }
		else
		{
			my $other = $samples->[ random_below(scalar @$samples) ];
			substr($bytes, $at) = substr $other, random_below(length $other);
		}
	}
	return $bytes;
}

# In characters that mean something, as random bytes would say nothing new.
sub mutate_text
{
	my $samples = shift;
	my @pieces = ('{', '}', '[', ']', '"', '\\', ',', ':', ' ', '-', '+', '.', '0', '9', 'e', 'null', '0, ', '[1, 1], ', '[0, [[0, 1]]], ',
		'1e999', '-1e308', '9223372036854775807', '2147483648', "\xc3\xa6", "\xff", '\\u0000', '-0', '.5', '"ages"', 'NaN', "\n");
	my $text = $samples->[ random_below(scalar @$samples) ];
	for (0 .. random_below(2))
	{
		my $at = length $text ? random_below(length $text) : 0;
		my $what = random_below(9);
		if ($what <= 1) { substr($text, $at, 1) = $pieces[ random_below(scalar @pieces) ]; }
		elsif ($what == 2) { substr($text, $at, 0) = $pieces[ random_below(scalar @pieces) ]; }
		elsif ($what == 3) { substr($text, $at, 1 + random_below(4)) = ''; }
		elsif ($what == 4) { substr($text, $at, 0) = substr $text, $at, 1 + random_below(40); }
		elsif ($what <= 7)
		{
			# a digit for a digit, where there is one
			my @digits;
			push @digits, $-[0] while $text =~ /\d/g;
			$at = $digits[ random_below(scalar @digits) ] if @digits;
			substr($text, $at, 1) = chr(48 + random_below(10));
		}
		else
		{
			my $other = $samples->[ random_below(scalar @$samples) ];
			substr($text, $at) = substr $other, random_below(length $other);
		}
	}
	return $text;
}
