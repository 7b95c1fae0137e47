# The text and binary forms of conversion_paths and markov: what is written reads back as
# the same bytes, what is listed in any order is what the aggregate makes of the same
# paths, and mutated forms are either rejected with a data error or accepted as one
# canonical value. And sums: exactly rounded, against whole numbers of 2^-1074.
#
#	FUZZ_CASES=8000 SEED=1	how many mutated values of each type and form
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../fuzz";
use Math::BigInt;
use Test::More;
use WireClient qw(seed_random random_below);

$ENV{PGOPTIONS} = '-c client_min_messages=warning';

my $cases = $ENV{FUZZ_CASES} || 8_000;
my $seed = $ENV{SEED} || 1;
my $database = 'attribution_bytes_test';
# Class 22 has wrong encodings (22021) and wrong JSON (22P02) too; 54000: too large.
my $data_error = qr/^(?:22...|08P01|54000)$/;
my @types = qw(conversion_paths markov);

create_database();
my $client = WireClient->new($database);
# These errors are meant: they would fill the log.
$client->query("SET log_min_messages = 'fatal'");
$client->query("SET log_min_error_statement = 'panic'");
$client->query('CREATE EXTENSION engagement');
# What paths make of rows of [path, conversions, value, non_conversions], added in so many groups.
$client->query(<<'END');
CREATE FUNCTION paths_of(rows jsonb, groups int) RETURNS conversion_paths LANGUAGE sql BEGIN ATOMIC
	SELECT rollup(part) FROM (
		SELECT conversion_paths(ARRAY(SELECT jsonb_array_elements_text(nullif(r->0, 'null'))),
			(r->>1)::bigint, (r->>2)::float8, (r->>3)::bigint) AS part
		FROM jsonb_array_elements(rows) WITH ORDINALITY AS rs(r, n) GROUP BY n % groups) AS parts;
END;
CREATE FUNCTION markov_of(rows jsonb, groups int, chain_order int) RETURNS markov LANGUAGE sql BEGIN ATOMIC
	SELECT rollup(part) FROM (
		SELECT markov(ARRAY(SELECT jsonb_array_elements_text(nullif(r->0, 'null'))),
			(r->>1)::bigint, (r->>2)::float8, (r->>3)::bigint, chain_order) AS part
		FROM jsonb_array_elements(rows) WITH ORDINALITY AS rs(r, n) GROUP BY n % groups) AS parts;
END;
END
for my $type (@types)
{
	$client->prepare("send $type", "SELECT ${type}_send(\$1)");
	$client->prepare("text $type", "SELECT \$1::$type\::text");
	# Through text, jsonb, storage and rollup the value is the same.
	$client->prepare("round_trips $type", "SELECT (${type}_send(\$1::$type\::text::$type) = ${type}_send(\$1))::int4,
		(${type}_send(\$1::$type\::text::jsonb::text::$type) = ${type}_send(\$1))::int4,
		(${type}_send((SELECT rollup(x) FROM (VALUES (\$1), (NULL)) AS v(x))) = ${type}_send(\$1))::int4,
		((SELECT rollup(x) FROM (VALUES (\$1)) AS v(x))::text = \$1::text)::int4");
}
$client->prepare('paths_of', "SELECT conversion_paths_send(paths_of((\$1::jsonb)->0, ((\$1::jsonb)->>1)::int))");
$client->prepare('markov_of',
	"SELECT markov_send(markov_of((\$1::jsonb)->0, ((\$1::jsonb)->>1)::int, ((\$1::jsonb)->>2)::int))");
# What is accepted must be something that can be used: a chain can be solved.
$client->prepare('use markov', 'SELECT coalesce(bool_and(removal_effect BETWEEN 0 AND 1 + 1e-12), true)::int4 FROM attribution($1)');
$client->prepare('use conversion_paths', "SELECT coalesce(bool_and(effect BETWEEN 0 AND 1 + 1e-12), true)::int4 FROM attribution(\$1, 'markov', 2)");
$client->prepare('report conversion_paths', "SELECT count(*)::int4 FROM attribution(\$1, 'time_decay')");
my $backend = $client->value('SELECT pg_backend_pid()');

seed_random($seed);
check_sums();
check_any_order();
check_in_memory();
check_texts();
check_bytes();
check_settings();
for my $type (@types)
{
	my @corpus = corpus($type);
	check_cuts($type, @corpus);
	fuzz($type, 'binary', \&mutate_bytes, @corpus);
	fuzz($type, 'text', \&mutate_text, map { $_->{row}[0] } $client->run("text $type", 'binary', @corpus));
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

# Values of one path against the sum as a whole number of 2^-1074.
sub check_sums
{
	my %kinds = (
		'money' => sub { (1 + random_below(1_000_000)) / 100 },
		'money and refunds' => sub { (random_below(2_000_000) - 1_000_000) / 100 },
		'numbers of any size' => sub { (random_below(2) ? -1 : 1) * (1 + random_below(1 << 52) / 2**52) * 2**(random_below(1930) - 1035) },
		'subnormal numbers' => sub { (random_below(2) ? -1 : 1) * random_below(1 << (1 + random_below(50))) * 2**-1074 },
		'ties' => sub { (random_below(2) ? -1 : 1) * (1, 3, 2**53 - 1)[ random_below(3) ] * 2**-(0, 1, 52, 53, 54, 106, 107, 108, 160)[ random_below(9) ] },
	);
	for my $kind (sort keys %kinds)
	{
		my (@parameters, @expected);
		for (1 .. 60)
		{
			my @values = map { $kinds{$kind}->() } 0 .. random_below(30);
			# half of them cancel out but for a little
			push @values, (map { -$_ } @values), $kinds{$kind}->() if random_below(4) == 0;
			@values = shuffled(@values);
			my $sum = Math::BigInt->new(0);
			$sum->badd(whole($_)) for @values;
			push @expected, canonical_parts($sum);
			push @parameters, sprintf '[[%s], %d]',
				join(', ', map { sprintf '[["a"], 1, "%.17g", 0]', $_ } @values), 1 + random_below(6);
		}
		my @answers = $client->run('paths_of', 'text', @parameters);
		my @wrong = grep { ($answers[$_]{row} ? substr $answers[$_]{row}[0], 39 : $answers[$_]{message}) ne
				chr(length($expected[$_]) / 8) . $expected[$_] } 0 .. $#answers;
		diag($answers[ $wrong[0] ]{message} // unpack('H*', $answers[ $wrong[0] ]{row}[0]) . "\n$parameters[ $wrong[0] ]") if @wrong;
		my ($most) = sort { $b <=> $a } map { length($_) / 8 } @expected;
		is(scalar @wrong, 0, "sums of $kind are exact: of at most $most doubles");
	}
	return;
}

# A double as a whole number of 2^-1074.
sub whole
{
	my $bits = unpack 'Q>', pack 'd>', shift;
	my $exponent = $bits >> 52 & 0x7ff;
	my $mantissa = $bits & (1 << 52) - 1;
	$mantissa |= 1 << 52 if $exponent > 0;
	my $whole = Math::BigInt->new($mantissa)->blsft($exponent > 0 ? $exponent - 1 : 0);
	return $bits >> 63 ? $whole->bneg : $whole;
}

# The sum rounded to a double, half to even, then the rest rounded, and so on; in binary form.
sub canonical_parts
{
	my $sum = shift;
	my $bytes = '';
	while (!$sum->is_zero)
	{
		my $size = $sum->copy->babs;
		my $drop = length(substr $size->as_bin, 2) - 53;
		$drop = 0 if $drop < 0;
		my $step = Math::BigInt->new(1)->blsft($drop);
		my ($mantissa, $rest) = $size->copy->bdiv($step);
		my $half = $rest->copy->bmul(2)->bcmp($step);
		$mantissa->binc if $half > 0 || ($half == 0 && $mantissa->is_odd);
		my $bits = $mantissa->bcmp(1 << 52) < 0 ? $mantissa->numify :
			$mantissa->bcmp(1 << 53) == 0 ? ($drop + 2) << 52 : (($drop + 1) << 52) + ($mantissa->numify - (1 << 52));
		my $negative = $sum->is_neg;
		$bytes .= pack 'Q>', $bits | ($negative ? 1 << 63 : 0);
		my $part = $mantissa->copy->bmul($step);
		$sum = $negative ? $sum->copy->badd($part) : $sum->copy->bsub($part);
	}
	return $bytes;
}

# Texts that list paths, or states and transitions counted from paths here, in any order and
# some of them in two pieces, against what the aggregates make of the same paths.
sub check_any_order
{
	my @names = ('direct', 'email', "\xc3\xa6ble", 'a "quoted" \\ one', "line\nfeed", '[', '}', "\x01", 'x' x 300);
	my (@rows, @path_texts, @markov_texts, @markov_rows);
	for my $case (1 .. 120)
	{
		my $channels = 1 + random_below(scalar @names);
		my @journeys = map {
			my @path = map { random_below($channels) } 1 .. random_below(random_below(10) ? 6 : 200);
			my $conversions = random_below(3);
			my $non_conversions = $conversions ? random_below(3) : 1 + random_below(5);
			[\@path, $conversions, (random_below(200_000) - 1000) / 100, $non_conversions]
		} 1 .. 1 + random_below(12);
		my $rows = '[' . join(', ', map {
			sprintf '[[%s], %d, "%.17g", %d]', join(', ', map { json_string($names[$_]) } @{ $_->[0] }), @$_[1 .. 3]
		} @journeys) . ']';
		my @place = shuffled(0 .. $channels - 1);    # of each channel in the text
		my @list;
		@list[@place] = map { json_string($_) } @names[0 .. $channels - 1];
		# channels that no path has would be in the list
		my %used = map { $_ => 1 } map { @{ $_->[0] } } @journeys;
		next if keys %used < $channels;
		my $order = 1 + random_below(4);
		push @rows, "[$rows, " . (1 + random_below(4)) . ']';
		push @markov_rows, "[$rows, " . (1 + random_below(4)) . ", $order]";
		push @path_texts, object(channels => array(@list), paths => array(shuffled(map {
			my ($path, $conversions, $value, $non_conversions) = @$_;
			my $numbers = array(map { $place[$_] } @$path);
			$conversions > 0 && $non_conversions > 0 && random_below(2)
				? (array($numbers, $conversions, 0, sum($value)), array($numbers, 0, $non_conversions, 0))
				: array($numbers, $conversions, $non_conversions, sum($value))
		} @journeys)));
		push @markov_texts, markov_text($order, \@list, \@place, @journeys);
	}
	for (['conversion_paths', 'paths_of', \@rows, \@path_texts], ['markov', 'markov_of', \@markov_rows, \@markov_texts])
	{
		my ($type, $statement, $rows, $texts) = @$_;
		my @expected = $client->run($statement, 'text', @$rows);
		my @answers = $client->run("send $type", 'text', @$texts);
		my @wrong = grep { !$answers[$_]{row} || !$expected[$_]{row} || $answers[$_]{row}[0] ne $expected[$_]{row}[0] } 0 .. $#answers;
		is(scalar @wrong, 0, "$type: " . @answers . ' texts in any order are what the aggregate makes of the paths');
		diag(join "\n", $rows->[$_], $texts->[$_], map { $_->{message} // unpack 'H*', $_->{row}[0] } $expected[$_], $answers[$_])
			for @wrong[0 .. ($#wrong < 0 ? -1 : 0)];
	}
	return;
}

# States in memory, whose channels have other numbers than in what is written of them. An
# aggregate gives its state so from 16 on; its step functions do everywhere, unless all
# arguments are constants.
sub check_in_memory
{
	my $both = '(%s(NULL, ARRAY[\'b\', \'a\'], one, 0.5, 0%s), ARRAY[\'a\', \'c\', \'b\'], 2, 1, 3%s)';
	my $timed = "conversion_paths_accum(NULL, ARRAY['email', 'direct'], ARRAY['2026-01-01', '2026-01-03']::timestamptz[],
		'2026-01-03'::timestamptz, 50 * one, '1 day')";
	my @list = (
		['conversion_paths', 'conversion_paths_accum' . sprintf($both, 'conversion_paths_accum', '', ''),
			'{"channels": ["a", "b", "c"], "paths": [[[0, 2, 1], 2, 3, 1], [[1, 0], 1, 0, 0.5]]}'],
		['conversion_paths', $timed, '{"channels": ["direct", "email"], "paths": [[[1, 0], 1, 0, 50]], "half_life": 86400000000, '
				. '"timed_conversions": 1, "timed": [[0.8, 40, 1, 0], [0.2, 10, 1, 172800000000]]}'],
		['markov', 'markov_accum' . sprintf($both, 'markov_accum', ', 1', ', 1'), '{"chain_order": 1, "channels": ["a", "b", "c"], '
				. '"states": [[[0], 5, 1, 0, 0.5], [[1], 1, 2, 3, 1], [[2], 0, 0, 0, 0]], '
				. '"transitions": [[0, 2, 5], [1, 0, 1], [2, 1, 5]], "unattributed": [0, 0]}'],
		['markov', 'markov_accum' . sprintf($both, 'markov_accum', ', 2', ', 2'), '{"chain_order": 2, "channels": ["a", "b", "c"], '
				. '"states": [[[0, 2], 5, 0, 0, 0], [[1, 0], 1, 1, 0, 0.5], [[2, 1], 0, 2, 3, 1]], '
				. '"transitions": [[0, 1, 5]], "unattributed": [0, 0]}'],
	);
	for (@list)
	{
		my ($type, $state, $text) = @$_;
		is($client->value("SELECT $state\::text FROM generate_series(1, 1) AS one"), $text, "$type: text of a state in memory");
		is($client->value("SELECT ${type}_send($state) = ${type}_send('$text') FROM generate_series(1, 1) AS one"), 't', "$type: bytes of a state in memory");
	}
	return;
}

sub markov_text
{
	my ($order, $list, $place, @journeys) = @_;
	my (%states, %transitions);
	my ($unattributed, @unattributed_values) = (0);
	for (@journeys)
	{
		my ($path, $conversions, $value, $non_conversions) = @$_;
		my @path = map { $place->[$_] } @$path;
		if (!@path)
		{
			$unattributed += $conversions;
			push @unattributed_values, $value;
			next;
		}
		my $first = @path < $order ? @path : $order;
		my $state = array(@path[0 .. $first - 1]);
		$states{$state}{starts} += $conversions + $non_conversions;
		for my $i ($first .. $#path)
		{
			$transitions{$state}{ $path[$i] } += $conversions + $non_conversions;
			$state = array(@path[$i - $order + 1 .. $i]);
		}
		$states{$state}{conversions} += $conversions;
		$states{$state}{non_conversions} += $non_conversions;
		push @{ $states{$state}{values} }, $value;
	}
	$states{$_} //= {} for keys %transitions;
	my @states = shuffled(keys %states);
	my %number = map { $states[$_] => $_ } 0 .. $#states;
	my @lines = map {
		my $state = $_;
		map {
			my $count = $transitions{$state}{$_};
			$count > 1 && random_below(3) == 0
				? (array($number{$state}, $_, 1), array($number{$state}, $_, $count - 1))
				: array($number{$state}, $_, $count)
		} keys %{ $transitions{$state} }
	} @states;
	return object(chain_order => $order, channels => array(@$list),
		states => array(map {
			my $state = $states{$_};
			array($_, (map { $state->{$_} // 0 } qw(starts conversions non_conversions)), sum(@{ $state->{values} // [] }))
		} @states),
		transitions => array(shuffled(@lines)),
		unattributed => array($unattributed, sum(@unattributed_values)));
}

# Members in any order, spaces where there may be some.
sub object
{
	my %members = @_;
	my $space = (' ', "\n\t", '')[ random_below(3) ];
	return "{$space" . join(",$space", map { "\"$_\"$space:$space$members{$_}" } shuffled(sort keys %members)) . "$space}";
}

sub array
{
	return '[' . join(', ', @_) . ']';
}

# One number as it is, others as the list of them.
sub sum
{
	my @numbers = map { sprintf '%.17g', $_ } shuffled(@_);
	return @numbers == 1 && random_below(2) ? $numbers[0] : array(@numbers);
}

sub json_string
{
	my $string = shift;
	$string =~ s/(["\\])/\\$1/g;
	$string =~ s/([\x00-\x1f])/sprintf '\\u%04x', ord $1/ge;
	return "\"$string\"";
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

# What is wrong with a text: what is said of it, and the text.
sub check_texts
{
	my $paths = '{"channels": ["a", "b"], "paths": [%s]}';
	my $chain = '{"chain_order": %s, "channels": ["a", "b"], "states": [%s], "transitions": [%s], "unattributed": [%s]}';
	my $good = '[[0], 5, 0, 2, 0], [[1], 0, 3, 0, 249.5]';
	my $long = '9223372036854775807';
	my @conversion_paths = (
		['ok', sprintf $paths, ''], ['ok', sprintf $paths, '[[0, 1, 0], 5, 17, 249.5]'], ['ok', sprintf $paths, '[[], 5, 0, -1e-5]'],
		['ok', sprintf $paths, '[[0], 1, 0, 7.7e289]'], ['ok', sprintf $paths, '[[0], 1, 0, 5e-324]'],
		['ok', sprintf $paths, "[[0], $long, $long, 0], [[1], 0, $long, 0]"],
		['ok', sprintf $paths, '[[0], 1, 0, [7e289, 7e289, -7e289]]'],
		['It must be an object', ''], ['It must be an object', '[]'], ['It must be an object', 'null'],
		['must be there', '{}'], ['must be there', '{"channels": []}'], ['must be there', '{"paths": []}'],
		['no member of this name', '{"channels": [], "paths": [], "x": 1}'],
		['no member of this name', '{"channels": [], "paths": [], "path": 1}'],
		['there twice', '{"channels": [], "paths": [], "paths": []}'],
		['Nothing may follow', (sprintf $paths, '') . ' x'], ['ends too early', substr sprintf($paths, ''), 0, -1],
		['A channel is there twice', '{"channels": ["a", "a"], "paths": []}'],
		['must have a name', '{"channels": [""], "paths": []}'],
		['"(unattributed)" is not a channel', '{"channels": ["(unattributed)"], "paths": []}'],
		['must be a string', '{"channels": [null], "paths": []}'], ['must be a string', '{"channels": [1], "paths": []}'],
		['an array', '{"channels": {}, "paths": []}'], ['an array', '{"channels": [], "paths": 1}'],
		['an array', sprintf $paths, '1'], ['an array', sprintf $paths, '[1, 1, 1, 1]'], ['whole number', sprintf $paths, '[[], , 0, 0]'],
		['one more element', sprintf $paths, '[[0], 1, 0]'], ['last element', sprintf $paths, '[[0], 1, 0, 0, 0]'],
		['no channel of this number', sprintf $paths, '[[2], 1, 0, 0]'], ['whole number', sprintf $paths, '[[-1], 1, 0, 0]'],
		['no channel of this number', sprintf $paths, '[[4294967296], 1, 0, 0]'],
		['whole number', sprintf $paths, '[[0], -1, 0, 0]'], ['whole number', sprintf $paths, '[[0], 1.5, 0, 0]'],
		['whole number', sprintf $paths, '[[0], 1e3, 0, 0]'], ['whole number', sprintf $paths, '[[0], null, 0, 0]'],
		['whole number', sprintf $paths, '[[0], "1", 0, 0]'], ['one more element', sprintf $paths, '[[0], 01, 0, 0]'],
		['64 bits', sprintf $paths, '[[0], 9223372036854775808, 0, 0]'],
		['too many journeys', sprintf $paths, "[[0], $long, 0, 0], [[1], 1, 0, 0]"],
		['too many journeys', sprintf $paths, "[[0], 0, $long, 0], [[0], 0, 1, 0]"],
		['conversions or non_conversions', sprintf $paths, '[[0], 0, 0, 0]'],
		['be a number', sprintf $paths, '[[0], 1, 0, NaN]'], ['be a number', sprintf $paths, '[[0], 1, 0, null]'],
		['be a number', sprintf $paths, '[[0], 1, 0, Infinity]'], ['be a number', sprintf $paths, '[[0], 1, 0, .5]'],
		['be a number', sprintf $paths, '[[0], 1, 0, 0x1]'], ['be a number', sprintf $paths, '[[0], 1, 0, [1, ]]'],
		['double precision', sprintf $paths, '[[0], 1, 0, 1e309]'], ['double precision', sprintf $paths, '[[0], 1, 0, 1e-400]'],
		['add up to', sprintf $paths, '[[0], 1, 0, 7.8e289]'],
		['add up to', sprintf $paths, '[[0], 1, 0, [1, -1.7e308]]'],
		['input syntax for type json', '{"channels": ["\\ud83d"], "paths": []}'],
		['Unicode escape', '{"channels": ["\\u0000"], "paths": []}'],
		['control character', "{\"channels\": [\"a\nb\"], \"paths\": []}"], ['does not end', '{"channels": ["'],
		['ok', '{"channels": ["a"], "paths": [[[0], 1, 0, 0]], "half_life": 5, "timed_conversions": 1, "timed": [[1, 0, 1, 7]]}'],
		['together', '{"channels": ["a"], "paths": [[[0], 1, 0, 0]], "half_life": 5}'],
		['together', '{"channels": ["a"], "paths": [[[0], 1, 0, 0]], "timed_conversions": 1, "timed": [[1, 0, 1, 7]]}'],
		['half-life', '{"channels": [], "paths": [], "half_life": 0, "timed_conversions": 0, "timed": []}'],
		['More conversions', '{"channels": [], "paths": [], "half_life": 1, "timed_conversions": 1, "timed": []}'],
		['an array', '{"channels": ["a"], "paths": [[[0], 1, 0, 0]], "half_life": 5, "timed_conversions": 1, "timed": []}'],
		['last element', '{"channels": ["a"], "paths": [[[0], 1, 0, 0]], "half_life": 5, "timed_conversions": 1, "timed": [[1, 0, 1, 7], [0, 0, 0, 0]]}'],
		['more conversions', '{"channels": ["a"], "paths": [[[0], 1, 0, 0]], "half_life": 5, "timed_conversions": 1, "timed": [[1, 0, 2, 7]]}'],
		['negative', '{"channels": ["a"], "paths": [[[0], 1, 0, 0]], "half_life": 5, "timed_conversions": 1, "timed": [[1, 0, 1, -7]]}'],
	);
	my @markov = (
		['ok', sprintf $chain, 1, $good, '[0, 1, 3]', '2, 80'], ['ok', sprintf $chain, 1, '', '', '0, 0'],
		['ok', '{"chain_order": 0, "channels": [], "states": [], "transitions": [], "unattributed": [0, 0]}'],
		['from 1 to 4', sprintf $chain, 0, '', '', '0, 0'], ['from 1 to 4', sprintf $chain, 5, '', '', '0, 0'],
		['from 1 to 4', '{"chain_order": 0, "channels": [], "states": [], "transitions": [], "unattributed": [1, 0]}'],
		['at most as many channels', '{"chain_order": 0, "channels": ["a"], "states": [[[0], 1, 1, 0, 0]], "transitions": [], "unattributed": [0, 0]}'],
		['must be there', '{"chain_order": 1, "channels": [], "states": [], "transitions": []}'],
		['no state of this number', sprintf $chain, 1, $good, '[2, 1, 3]', '0, 0'],
		['no channel of this number', sprintf $chain, 1, $good, '[0, 2, 3]', '0, 0'],
		['not as many', sprintf $chain, 1, $good, '[0, 1, 2]', '0, 0'], ['not as many', sprintf $chain, 1, $good, '[0, 0, 3]', '0, 0'],
		['not as many', sprintf $chain, 1, '[[0], 5, 0, 2, 0]', '[0, 1, 3]', '0, 0'],
		['must have paths', sprintf $chain, 1, $good, '[0, 1, 3], [0, 1, 0]', '0, 0'],
		['must have a channel', sprintf $chain, 1, '[[], 1, 1, 0, 0]', '', '0, 0'],
		['at most as many channels', sprintf $chain, 1, '[[0, 0], 1, 1, 0, 0]', '', '0, 0'],
		['ok', sprintf $chain, 2, '[[0], 1, 1, 0, 0]', '', '0, 0'],
		['fewer channels', sprintf $chain, 2, '[[0], 1, 0, 0, 0], [[0, 0], 0, 1, 0, 0]', '[0, 0, 1]', '0, 0'],
		['ok', sprintf $chain, 1, "$good, [[1], 0, 0, 0, 0], [[0], 0, 0, 0, 0]", '[0, 1, 1], [3, 1, 2], [0, 0, 2]', '0, 0'],
		['no path leads to', sprintf $chain, 1, '[[0], 1, 1, 0, 0], [[1], 0, 0, 0, 0]', '', '0, 0'],
		['no path leads to', sprintf $chain, 1, '[[0], 1, 1, 0, 0], [[1], 0, 0, 0, 0]', '[1, 1, 7]', '0, 0'],
		['too many journeys', sprintf $chain, 1, "[[0], $long, 0, 0, 0], [[0], 1, 0, 0, 0]", '', '0, 0'],
		['too many journeys', sprintf $chain, 1, $good, "[0, 1, 3], [0, 0, $long], [0, 0, 1]", '0, 0'],
		['whole number', sprintf $chain, 1, $good, '[0, 1, -3]', '0, 0'], ['whole number', sprintf $chain, 1, '[[0], -1, 0, 0, 0]', '', '0, 0'],
		['whole number', sprintf $chain, 1, $good, '[0, 1, 3]', '-1, 0'], ['be a number', sprintf $chain, 1, $good, '[0, 1, 3]', '0, NaN'],
		['(unattributed)', '{"chain_order": 1, "channels": ["(unattributed)"], "states": [], "transitions": [], "unattributed": [0, 0]}'],
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
	for (['conversion_paths', @conversion_paths], ['markov', @markov])
	{
		my ($type, @list) = @$_;
		for my $case (@list)
		{
			my ($expected, $text) = @$case;
			my $got = $client->value(sprintf 'SELECT what_is_wrong($t$%s$t$, $t$%s$t$)', $text, $type);
			# From 16 on the error is soft, unless a count or a sum overflows.
			if ($soft && $expected !~ /too many|out of/)
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
	my $short = '08P01';
	my $header = "\1\0" . pack 'N', 0;
	my $one = "\1\0" . pack('NNa*', 1, 1, 'a');
	my $path = sub { $one . pack('N', 1) . pack('NNq>q>', 1, 0, @_[0, 1]) . $_[2] };
	my $timed = "\1\1" . pack('NNa*', 1, 1, 'a') . pack('N', 1) . pack('NNq>q>C', 1, 0, 1, 0, 0);
	my $chain = sub { "\1" . chr($_[0]) . pack('NNa*', 1, 1, 'a') . pack('q>C', 0, 0) . $_[1] };
	my $state = sub { pack('N', 1) . chr($_[0]) . pack('N*', (0) x $_[0]) . pack('q>q>q>C', @_[1 .. 3], 0) . $_[4] };
	my @list = (
		['conversion_paths', 'no paths', 'ok', $header . pack 'N', 0],
		['conversion_paths', 'version 0', $none, "\0"], ['conversion_paths', 'version 2', $none, "\2"],
		['conversion_paths', 'an unknown flag', $none, "\1\2" . pack 'NN', 0, 0],
		['conversion_paths', '2^32 - 1 channels', $none, "\1\0" . pack 'N', ~0 & 0xffffffff],
		['conversion_paths', 'a name of 2^31 bytes', $none, "\1\0" . pack 'NNa*', 1, 1 << 31, 'a'],
		['conversion_paths', 'no name', $none, "\1\0" . pack 'NNN', 1, 0, 0],
		['conversion_paths', '(unattributed)', $none, "\1\0" . pack 'NNa*N', 1, 14, '(unattributed)', 0],
		['conversion_paths', 'the same name twice', $none, "\1\0" . pack 'NNaNaN', 2, 1, 'a', 1, 'a', 0],
		['conversion_paths', 'names in another order', 'canonical', "\1\0" . pack 'NNaNaN', 2, 1, 'b', 1, 'a', 0],
		['conversion_paths', 'a name of invalid UTF-8', '22021', "\1\0" . pack 'NNaN', 1, 1, "\xff", 0],
		['conversion_paths', 'a name with a zero byte', '22021', "\1\0" . pack 'NNa3N', 1, 3, "a\0b", 0],
		['conversion_paths', '2^32 - 1 paths', $none, $header . pack 'N', ~0 & 0xffffffff],
		['conversion_paths', 'a path of 2^30 channels', $none, $one . pack('NN', 1, 1 << 30) . "\0" x 100],
		['conversion_paths', 'one path', 'ok', $path->(1, 0, "\0")],
		['conversion_paths', 'a sum of one part', 'ok', $path->(1, 0, "\1" . pack 'd>', 0.5)],
		['conversion_paths', 'a sum of two parts', 'ok', $path->(1, 0, "\2" . pack 'd>d>', 1e16, 0.5)],
		['conversion_paths', 'two parts in the wrong order', 'canonical', $path->(1, 0, "\2" . pack 'd>d>', 0.5, 1e16)],
		['conversion_paths', 'parts that cancel', 'canonical', $path->(1, 0, "\2" . pack 'd>d>', 0.5, -0.5)],
		['conversion_paths', 'a part of -0', 'canonical', $path->(1, 0, "\1" . pack 'd>', -0.0)],
		['conversion_paths', '255 parts', 'canonical', $path->(1, 0, "\xff" . pack 'd>*', map { 2**($_ - 128) } 1 .. 255)],
		['conversion_paths', 'a part that is NaN', $none, $path->(1, 0, "\1\x7f\xf8\0\0\0\0\0\0")],
		['conversion_paths', 'a part that is infinite', $none, $path->(1, 0, "\1\xff\xf0\0\0\0\0\0\0")],
		['conversion_paths', 'a sum out of range', '22P03', $path->(1, 0, "\2" . pack 'd>d>', 1.7e308, 1.7e308)],
		['conversion_paths', 'negative conversions', $none, $path->(-1, 0, "\0")],
		['conversion_paths', 'negative non_conversions', $none, $path->(1, -1, "\0")],
		['conversion_paths', 'neither', $none, $path->(0, 0, "\0")],
		['conversion_paths', 'times', 'ok', $timed . pack 'q>q>Cd>Cq>Cd>', 5, 1, 1, 1, 0, 1, 1, 7],
		['conversion_paths', 'a half-life of zero', $none, $timed . pack 'q>q>CCq>C', 0, 1, 0, 0, 0, 0],
		['conversion_paths', 'a negative half-life', $none, $timed . pack 'q>q>CCq>C', -1, 1, 0, 0, 0, 0],
		['conversion_paths', 'more conversions with times than there are', $none, $timed . pack 'q>q>CCq>C', 1, 2, 0, 0, 0, 0],
		['conversion_paths', 'a channel in more of them', $none, $timed . pack 'q>q>CCq>C', 1, 1, 0, 0, 2, 0],
		['conversion_paths', 'negative time', $none, $timed . pack 'q>q>CCq>Cd>', 1, 1, 0, 0, 1, 1, -7],
		['markov', 'order 0 and nothing', 'ok', "\1\0" . pack('N', 0) . pack('q>C', 0, 0) . pack('N', 0)],
		['markov', 'order 0 and a channel', $none, $chain->(0, pack 'N', 0)],
		['markov', 'order 5', $none, $chain->(5, pack 'N', 0)], ['markov', 'version 2', $none, "\2\1"],
		['markov', 'no states', 'ok', $chain->(1, pack 'N', 0)],
		['markov', '2^32 - 1 states', $none, $chain->(1, pack 'N', ~0 & 0xffffffff)],
		['markov', 'one state', 'ok', $chain->(1, $state->(1, 1, 1, 0, pack 'N', 0))],
		['markov', 'round and round', 'ok', $chain->(1, $state->(1, 1, 1, 0, pack 'NNq>', 1, 0, 5))],
		['markov', 'round and round from nowhere', $none, $chain->(1, $state->(1, 0, 0, 0, pack 'NNq>', 1, 0, 5))],
		['markov', 'more in than out', $none, $chain->(1, $state->(1, 2, 1, 0, pack 'N', 0))],
		['markov', 'a state of no channel', $none, $chain->(1, $state->(0, 1, 1, 0, pack 'N', 0))],
		['markov', 'a state of two channels at order 1', $none, $chain->(1, $state->(2, 1, 1, 0, pack 'N', 0))],
		['markov', 'a state of 255 channels', $none, $chain->(4, $state->(255, 1, 1, 0, pack 'N', 0))],
		['markov', 'a state of one channel at order 4', 'ok', $chain->(4, $state->(1, 1, 1, 0, pack 'N', 0))],
		['markov', 'which leads on', $none, $chain->(4, $state->(1, 1, 1, 0, pack 'NNq>', 1, 0, 5))],
		['markov', 'a transition of none', $none, $chain->(1, $state->(1, 1, 1, 0, pack 'NNq>', 1, 0, 0))],
		['markov', 'a transition of less', $none, $chain->(1, $state->(1, 1, 1, 0, pack 'NNq>', 1, 0, -1))],
		['markov', '2^31 transitions', $none, $chain->(1, $state->(1, 1, 1, 0, pack 'NNq>', 1 << 31, 0, 1))],
		['markov', 'a transition twice', 'canonical', $chain->(1, $state->(1, 1, 1, 0, pack 'NNq>Nq>', 2, 0, 5, 0, 6))],
		['markov', 'too many in one transition', '22003',
			$chain->(1, $state->(1, 1, 1, 0, pack 'NNq>Nq>', 2, 0, '9223372036854775807', 0, 6))],
		['markov', 'as many as can be', 'ok',
			$chain->(1, $state->(1, ('9223372036854775807') x 2, 0, pack 'NNq>', 1, 0, '9223372036854775807'))],
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

# No setting changes the text.
sub check_settings
{
	my $text = '{"channels": ["a"], "paths": [[[0], 1, 0, 0.1]]}';
	$client->query('SET extra_float_digits = -15');
	is($client->value("SELECT '$text'::conversion_paths::text"), $text, 'extra_float_digits does not change the text');
	$client->query('RESET extra_float_digits');
	my $latin = "SELECT ascii('{\"channels\": [\"\xe6\"], \"paths\": []}'::conversion_paths::text::jsonb->'channels'->>0)";
	$client->query("SET client_encoding = 'LATIN1'");
	is($client->value($latin), ord("\xe6"), 'text in the encoding of the client');
	my $bytes = "\1\0" . pack 'NNaN', 1, 1, "\xe6", 0;
	my ($answer) = $client->run('send conversion_paths', 'binary', $bytes);
	is(unpack('H*', $answer->{row}[0]), unpack('H*', $bytes), 'binary form in the encoding of the client');
	$client->query("SET client_encoding = 'UTF8'");
	return;
}

# Values to begin with, in binary form.
sub corpus
{
	my $type = shift;
	my @rows = ('[]', '[[["a"], 1, 2.5, 0]]', '[[null, 3, 0.1, 0]]',
		'[[["email", "direct", "email"], 5, 249.5, 17], [["email"], 0, 0, 4], [null, 2, 80, 0], [["b"], 1, 1e16, 0], [["b"], 1, 0.1, 0]]',
		'[[["\u00e6", "b", "a \"c\"", "b", "b"], 1, -3, 1], [["b", "\u00e6"], 9, 99.99, 1], [["b", "\u00e6"], 0, 1e-300, 7]]');
	my @queries = $type eq 'conversion_paths' ? (map { "paths_of('$_', 2)" } @rows)
		: (map { my $order = $_; map { "markov_of('$_', 2, $order)" } @rows } 1 .. 3);
	push @queries, "(SELECT conversion_paths(p, t, c, v) FROM (VALUES
		(ARRAY['email', 'direct', 'email'], ARRAY['2026-01-01', '2026-01-03', '2026-01-04']::timestamptz[], '2026-01-05'::timestamptz, 49.5::float8),
		(ARRAY['b'], ARRAY['2026-01-01']::timestamptz[], NULL, NULL)) AS j(p, t, c, v))" if $type eq 'conversion_paths';
	return map { pack 'H*', $_ } grep { defined } map { $client->value("SELECT encode(${type}_send($_), 'hex')") } @queries;
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
		my @answers = $client->run("send $type", $form, @values);
		my @accepted = grep { !$answers[$_]{sqlstate} } 0 .. $#answers;
		my @sent = map { $answers[$_]{row}[0] } @accepted;
		my @resent = $client->run("send $type", 'binary', @sent);
		my @checks = $client->run("round_trips $type", 'binary', @sent);
		my @uses = $client->run("use $type", 'binary', @sent);
		push @wrong, map { $_->{message} } grep { $_->{sqlstate} && $_->{sqlstate} !~ $data_error }
			map { $client->run("report $_", 'binary', @sent) } grep { $_ eq 'conversion_paths' } $type;
		for (grep { $_->{sqlstate} } @answers)
		{
			$count_of{rejected}++;
			$classes{ $_->{sqlstate} }++;
			push @wrong, "$_->{sqlstate} $_->{message}" if $_->{sqlstate} !~ $data_error;
		}
		for my $i (0 .. $#accepted)
		{
			$count_of{accepted}++;
			push @wrong, unpack('H*', $sent[$i]) . ' ' . ($checks[$i]{message} // $uses[$i]{message} // '')
				if !$resent[$i]{row} || $resent[$i]{row}[0] ne $sent[$i] || !round_trips($checks[$i])
				|| ($uses[$i]{row} ? unpack 'N', $uses[$i]{row}[0] : $uses[$i]{sqlstate} =~ $data_error) != 1;
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
	return $answer->{row} && join('', map { unpack 'N', $_ // "\0\0\0\0" } @{ $answer->{row} }) eq '1111';
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
	my @pieces = ('{', '}', '[', ']', '"', '\\', ',', ':', ' ', '-', '+', '.', '0', '9', 'e', 'null', '0, ', '[0, 1, 1], ', '[0], ',
		'1e999', '-1e308', '9223372036854775807', "\xc3\xa6", "\xff", '\\u0000', '\\u0061', '\\ud83d', '-0', '.5', '"paths"', 'NaN', "\n", '(unattributed)');
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
