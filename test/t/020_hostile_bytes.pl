# Mutated values in binary, text and jsonb form against a live server: each is either
# rejected with a data error or accepted as exactly one canonical value.
#
#	FUZZ_CASES=20000 SEED=1	how many binary values; half as many texts, a quarter of jsonb
#
# The binary form goes through timeline_recv as a parameter of a prepared statement
# (test/fuzz/WireClient.pm). What is stored is trusted, as everything on disk is.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../fuzz";
use Test::More;
use WireClient qw(seed_random random_below);

$ENV{PGOPTIONS} = '-c client_min_messages=warning';

my $cases = $ENV{FUZZ_CASES} || 20_000;
my $seed = $ENV{SEED} || 1;
my $database = 'hostile_bytes_test';
# Class 22 has wrong encodings (22021) and wrong JSON (22P02) too; 54000: too large.
my $data_error = qr/^(?:22...|08P01|54000)$/;

create_database();
my $client = WireClient->new($database);
# These errors are meant: they would fill the log.
$client->query("SET log_min_messages = 'fatal'");
$client->query("SET log_min_error_statement = 'panic'");
$client->query("SET timezone = 'UTC'");
$client->query('CREATE EXTENSION engagement');
$client->prepare('send', 'SELECT timeline_send($1)');
$client->prepare('send_jsonb', 'SELECT timeline_send($1::jsonb::timeline)');
$client->prepare('as_text', 'SELECT $1::timeline::text');
$client->prepare('as_jsonb', 'SELECT $1::timeline::jsonb::text');
$client->prepare('round_trips', 'SELECT (timeline_send($1::timeline::text::timeline) = timeline_send($1))::int4,
	(timeline_send($1::timeline::jsonb::timeline) = timeline_send($1))::int4,
	((SELECT timeline(e.at, e.event, e.channel, e.value, e.properties) FROM events($1) e) = $1)::int4');
my $backend = $client->value('SELECT pg_backend_pid()');

my @corpus = read_corpus();
check_corpus();
check_crafted();
fuzz('binary', $cases, \&mutate_bytes, 'send', 'binary', map { $_->{bytes} } @corpus);
fuzz('text', $cases / 2, \&mutate_text, 'send', 'text', column('as_text'));
fuzz('jsonb', $cases / 4, \&mutate_text, 'send_jsonb', 'text', column('as_jsonb'));
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

sub read_corpus
{
	open my $file, '<', "$FindBin::Bin/../fuzz/corpus.txt" or die "corpus.txt: $!\n";
	return map { /^([0-9a-f]*)\t(.*)/ ? { bytes => pack('H*', $1), query => $2 } : () } <$file>;
}

# The corpus as the prepared statement shows it.
sub column
{
	my $statement = shift;
	return map { $_->{row}[0] // die "$statement: $_->{message}\n" }
		$client->run($statement, 'binary', map { $_->{bytes} } @corpus);
}

# Else the mutations would start from values that nobody sends any more.
sub check_corpus
{
	my @stale = grep { $client->value("SELECT encode(timeline_send($_->{query}), 'hex')") ne unpack('H*', $_->{bytes}) } @corpus;
	is(join("\n", map { $_->{query} } @stale), '', 'the corpus is what timeline_send makes (else: test/fuzz/make-corpus)');

	my @answers = $client->run('send', 'binary', map { $_->{bytes} } @corpus);
	is(scalar(grep { defined $answers[$_]{row} && $answers[$_]{row}[0] eq $corpus[$_]{bytes} } 0 .. $#corpus),
		scalar @corpus, 'each value of the corpus is sent as it was received');

	my @cut = map { my $bytes = $_->{bytes}; map { substr $bytes, 0, $_ } 0 .. length($bytes) - 1 } @corpus;
	@answers = $client->run('send', 'binary', @cut, map { "$_->{bytes}\0" } @corpus);
	is(scalar(grep { ($_->{sqlstate} // '') ne '22P03' } @answers), 0,
		'cut off anywhere or one byte too long, each is an invalid binary representation');
	return;
}

# What each rule of the format is worth: a name, what is expected, the bytes.
sub check_crafted
{
	my $none = '22P03';
	my @cases = (
		['version 0', $none, "\0\0\0"], ['version 2', $none, "\2\0\0"], ['version 255', $none, "\xff\0\0"],
		['no events', 'ok', "\1\0\0"], ['no events, with a unit', $none, "\1\1\0"],
		['no events, but a byte', $none, "\1\0\0\0"],
		['an unknown flag', $none, value(flags => 0x40)], ['time unit 3', $none, value(flags => 3)],
		['one event', 'ok', value()],
		['milliseconds that are whole seconds', 'canonical', value(flags => 1, times => varint(4000))],
		['event count 2 of 1', $none, value(events => 2)],
		['event count 2^32', $none, value(events => 1 << 32)],
		['event count 2^64 - 1', $none, value(events => ~0)],
		['label count 2^31', $none, value(labels => 1 << 31)],
		['no label', $none, value(labels => 0, strings => '')],
		['more labels than kinds', $none, value(labels => 2, strings => string('a') . string('b'))],
		['a needless byte in the event count', $none, "\1\0\x81\0" . substr(value(), 3)],
		['a needless byte in a time', $none, value(times => "\x80\0")],
		['a varint of ten full bytes', $none, value(times => "\xff" x 10)],
		['a varint of eleven bytes', $none, value(times => ("\xff" x 10) . "\1")],
		['a label longer than the value', $none, value(strings => varint(1000) . 'a')],
		['a label of 2^63 bytes', $none, value(strings => varint(1 << 63) . 'a')],
		['kind 1 of 1', $none, value(events => 2, kinds => 2, kind => "\0\1", codes => "\0\1", times => "\0\0")],
		['code 2 of 2 kinds', $none, value(events => 2, labels => 2, strings => string('a') . string('b'),
				kinds => 2, kind => "\0\1", codes => "\0\2", times => "\0\0")],
		['labels out of order', 'canonical', value(events => 2, labels => 2, strings => string('b') . string('a'),
				kinds => 2, kind => "\0\1", codes => "\0\1", times => "\0\0")],
		['the same label twice', 'canonical', value(events => 2, labels => 2, strings => string('a') . string('a'),
				kinds => 2, kind => "\0\1", codes => "\0\1", times => "\0\0")],
		['a kind that no event has', 'canonical', value(events => 2, labels => 2, strings => string('a') . string('b'),
				kinds => 2, kind => "\0\1", codes => "\1\1", times => "\0\0")],
		['a time that decreases', $none, value(events => 2, times => varint(10) . varint(~0))],
		['a time before 4714 BC', $none, value(times => varint(2 * 211_813_488_000 + 1))],
		['the last second', 'ok', value(times => varint(2 * 9_223_371_331_199))],
		['a second later', $none, value(times => varint(2 * 9_223_371_331_200))],
		['an infinite time', $none, value(flags => 2, times => varint(~0 - 1))],
		['label of invalid UTF-8', '22021', value(strings => string("\xff"))],
		['label of half a character', '22021', value(strings => string("\xc3"))],
		['label of an overlong character', '22021', value(strings => string("\xc0\x80"))],
		['label of a surrogate', '22021', value(strings => string("\xed\xa0\x80"))],
		['label with a zero byte', '22021', value(strings => string("a\0b"))],
		['an empty label', 'ok', value(strings => string(''))],
		['properties that are no JSON', '22P02', properties('{')],
		['properties with trailing text', '22P02', properties('{} {}')],
		['properties in other spelling', 'canonical', properties('{"b":1,"a":2,  "b":3}')],
		['properties with an escape of zero', '22P05', properties('{"a": "\u0000"}')],
		['empty properties', '22P02', properties('')],
		['properties that are JSON null, which are none', 'canonical', properties('null')],
		['a value that is NaN', $none, double("\0\0\0\0\0\0\xf8\x7f")],
		['a value that is infinite', $none, double("\0\0\0\0\0\0\xf0\x7f")],
		['negative zero', $none, double("\0\0\0\0\0\0\0\x80")],
		['a double that is a whole number', 'canonical', double("\0\0\0\0\0\0\xf0\x3f")],
		['hundredths that are whole numbers', 'canonical', value(flags => 8, values => 1, kind => "\1", doubles => varint(400))],
		['a whole number over 2^53', $none, value(flags => 4, values => 1, kind => "\1", doubles => varint(2 * ((1 << 53) + 1)))],
		['a value less than announced', $none, value(flags => 4, values => 0, kind => "\1", doubles => "\2")],
		['a value that no event has', $none, value(flags => 4, values => 1, kind => "\0", doubles => "\2")],
		['the flag of channels without any', 'canonical', value(flags => 0x10, channels => 0)],
	);
	my @answers = $client->run('send', 'binary', map { $_->[2] } @cases);
	my @again = $client->run('round_trips', 'binary', map { $_->{row} ? $_->{row}[0] : undef } @answers);
	for my $i (0 .. $#cases)
	{
		my ($name, $expected, $bytes) = @{ $cases[$i] };
		my $got = $answers[$i]{sqlstate} // ($answers[$i]{row}[0] eq $bytes ? 'ok' : 'canonical');
		$got .= ', not equal after a round trip' if $answers[$i]{row} && !round_trips($again[$i]);
		is($got, $expected, $name);
	}
	return;
}

# A value by its parts; what is not given is that of one event "a" at 2000-01-01.
sub value
{
	my %part = (flags => 0, events => 1, labels => 1, strings => string('a'), kinds => 1, kind => "\0",
		codes => '', doubles => '', times => "\0", @_);
	return join '', "\1", chr $part{flags}, varint($part{events}),
		(map { defined $part{$_} ? varint($part{$_}) : '' } qw(values labels channels properties kinds)),
		@part{qw(strings kind codes doubles times)};
}

sub properties
{
	return value(flags => 0x20, properties => 1, strings => string('a') . string(shift), kind => "\0\1");
}

sub double
{
	return value(flags => 0xc, values => 1, kind => "\1", doubles => shift);
}

sub string
{
	my $bytes = shift;
	return varint(length $bytes) . $bytes;
}

sub varint
{
	my $number = shift;
	my $bytes = '';
	while ($number >= 128)
	{
		$bytes .= chr($number % 128 | 128);
		$number = int($number >> 7);
	}
	return $bytes . chr $number;
}

# Runs so many mutations of the samples and asserts what came of them.
sub fuzz
{
	my ($form, $count, $mutate, $statement, $format, @samples) = @_;
	my %count_of = (accepted => 0, rejected => 0, canonicalised => 0);
	my (%classes, @wrong);
	seed_random($seed);
	for (my $done = 0; $done < $count; $done += 1000)
	{
		my @values = map { $mutate->(\@samples) } 1 .. ($count - $done < 1000 ? $count - $done : 1000);
		my @answers = $client->run($statement, $format, @values);
		my @accepted = grep { !$answers[$_]{sqlstate} } 0 .. $#answers;
		my @sent = map { $answers[$_]{row}[0] } @accepted;
		my @resent = $client->run('send', 'binary', @sent);
		my @checks = $client->run('round_trips', 'binary', @sent);
		for (grep { $_->{sqlstate} } @answers)
		{
			$count_of{rejected}++;
			$classes{ $_->{sqlstate} }++;
			push @wrong, "$_->{sqlstate} $_->{message}" if $_->{sqlstate} !~ $data_error;
		}
		for my $i (0 .. $#accepted)
		{
			$count_of{accepted}++;
			$count_of{canonicalised}++ if $sent[$i] ne $values[ $accepted[$i] ];
			push @wrong, unpack('H*', $values[ $accepted[$i] ]) . ' ' . ($checks[$i]{message} // '')
				if !$resent[$i]{row} || $resent[$i]{row}[0] ne $sent[$i] || !round_trips($checks[$i]);
		}
	}
	is(join("\n", @wrong[0 .. ($#wrong < 9 ? $#wrong : 9)]), '',
		"$form: what is rejected is a data error, what is accepted has one form");
	ok($count_of{accepted} > 0 && $count_of{rejected} > 0,
		"$form: of $count mutations (seed $seed) $count_of{accepted} accepted, "
			. ($format eq 'binary' ? "$count_of{canonicalised} of them in another form, " : '')
			. "$count_of{rejected} rejected: " . join(', ', map { "$_ $classes{$_}" } sort keys %classes));
	return;
}

# Through text, jsonb and events() the value is the same; each is an int4 in binary form.
sub round_trips
{
	my $answer = shift;
	return $answer->{row} && join('', map { unpack 'N', $_ // "\0\0\0\0" } @{ $answer->{row} }) eq '111';
}

sub mutate_bytes
{
	my $samples = shift;
	my $bytes = $samples->[ random_below(scalar @$samples) ];
	for (0 .. random_below(3))
	{
		my $at = length $bytes ? random_below(length $bytes) : 0;
		my $what = random_below(10);
		if (length $bytes == 0 || $what == 0) { $bytes = substr $bytes, 0, $at; }
		elsif ($what <= 3) { substr($bytes, $at, 1) ^= chr(1 << random_below(8)); }
		elsif ($what == 4) { substr($bytes, $at, 1) = chr random_below(256); }
		elsif ($what == 5) { substr($bytes, $at, 1) = varint(random_below(~0) >> random_below(64)); }
		elsif ($what == 6) { substr($bytes, $at, 1) = chr(ord(substr $bytes, $at, 1) | 128) . "\0"; }
		elsif ($what == 7) { substr($bytes, $at, random_below(8)) = ''; }
		elsif ($what == 8) { substr($bytes, $at, 0) = substr $bytes, random_below(length $bytes), 1 + random_below(12); }
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
	my @pieces = ('{', '}', '[', ']', '"', '\\', ',', ':', '@', '=', ' ', 'Z', 'T', '-', '+', '.', '0', '9', 'e', 'null', '"":',
		'+00:00', '1e999', "\xc3\xa6", "\xff", '\\u0000', '\\ud83d', '-0', '.5', '2026-02-29T00:00:00Z a, ', '"at"', 'infinity', "\n");
	my $text = $samples->[ random_below(scalar @$samples) ];
	for (0 .. random_below(3))
	{
		my $at = length $text ? random_below(length $text) : 0;
		my $what = random_below(8);
		if ($what <= 2) { substr($text, $at, 1) = $pieces[ random_below(scalar @pieces) ]; }
		elsif ($what == 3) { substr($text, $at, 0) = $pieces[ random_below(scalar @pieces) ]; }
		elsif ($what == 4) { substr($text, $at, 1 + random_below(4)) = ''; }
		elsif ($what == 5) { substr($text, $at, 0) = substr $text, $at, 1 + random_below(40); }
		elsif ($what == 6) { substr($text, $at, 1) = chr(48 + random_below(10)); }
		else
		{
			my $other = $samples->[ random_below(scalar @$samples) ];
			substr($text, $at) = substr $other, random_below(length $other);
		}
	}
	return $text;
}
