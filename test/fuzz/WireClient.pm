package WireClient;

# A client of PostgreSQL's protocol that is as small as it can be and sends what bytes
# it is told to: a value in binary form goes through the type's receive function,
# thousands in a second, each in a transaction of its own. psql cannot do that, and
# a driver would be one more package to install.
#
#	my $client = WireClient->new('mydatabase');
#	$client->query('SET timezone = UTC');               # rows, or dies
#	$client->prepare('send', 'SELECT timeline_send($1)');
#	my @answers = $client->run('send', 'binary', @values);
#
# An answer is a hash with either row (a list of columns in binary form) or sqlstate
# and message.

use strict;
use warnings;
use IO::Socket::UNIX;
use Exporter 'import';

our @EXPORT_OK = qw(seed_random random_below);

# More at once, and both sides might wait for the other to read.
use constant { BATCH_COUNT => 100, BATCH_BYTES => 32_768 };

sub new
{
	my ($class, $database) = @_;
	my $path = "$ENV{PGHOST}/.s.PGSQL.$ENV{PGPORT}";
	my $socket = IO::Socket::UNIX->new(Peer => $path) or die "$path: $!\n";
	my $self = bless { socket => $socket, buffer => '' }, $class;
	my $parameters = join '', map { "$_\0" } user => $ENV{PGUSER}, database => $database, client_encoding => 'UTF8', '';
	$self->_write(pack('NN', 8 + length $parameters, 196_608) . $parameters);
	my ($answer) = $self->_answers(1);
	die "cannot connect: $answer->{message}\n" if $answer->{message};
	return $self;
}

# Several statements at once; the rows of all, as text.
sub query
{
	my ($self, $sql) = @_;
	$self->_write(_message('Q', "$sql\0"));
	my ($answer) = $self->_answers(1);
	die "$answer->{sqlstate} $answer->{message}\n$sql\n" if $answer->{sqlstate};
	return @{ $answer->{rows} };
}

sub value
{
	my ($self, $sql) = @_;
	my @rows = $self->query($sql);
	return @rows ? $rows[0][0] : undef;
}

sub prepare
{
	my ($self, $name, $sql) = @_;
	$self->_write(_message('P', "$name\0$sql\0" . pack('n', 0)) . _message('S', ''));
	my ($answer) = $self->_answers(1);
	die "$answer->{sqlstate} $answer->{message}\n$sql\n" if $answer->{sqlstate};
	return;
}

# Executes a prepared statement of one parameter for each of the values, which are
# in the format 'binary' or 'text'; an undefined one is NULL.
sub run
{
	my ($self, $name, $format, @values) = @_;
	my $code = $format eq 'binary' ? 1 : 0;
	my @answers;
	while (@values)
	{
		my ($out, $count) = ('', 0);
		while (@values && $count < BATCH_COUNT && ($count == 0 || length($out) + length($values[0] // '') < BATCH_BYTES))
		{
			my $value = shift @values;
			my $parameter = defined $value ? pack('N', length $value) . $value : pack('N', 0xffffffff);
			$out .= _message('B', "\0$name\0" . pack('nnn', 1, $code, 1) . $parameter . pack('nn', 1, 1))
				. _message('E', "\0" . pack('N', 0)) . _message('S', '');
			$count++;
		}
		$self->_write($out);
		push @answers, map { { %$_, row => $_->{rows}[0] } } $self->_answers($count);
	}
	return @answers;
}

# Until the server is ready again, so many times.
sub _answers
{
	my ($self, $count) = @_;
	my @answers;
	my $answer = { rows => [] };
	while (@answers < $count)
	{
		my ($type, $body) = $self->_read_message;
		if ($type eq 'Z')
		{
			push @answers, $answer;
			$answer = { rows => [] };
		}
		elsif ($type eq 'D')
		{
			push @{ $answer->{rows} }, _columns($body);
		}
		elsif ($type eq 'E')
		{
			my %fields = map { (substr($_, 0, 1) => substr($_, 1)) } split /\0/, $body;
			# a fatal error is not followed by anything
			die "the server ended the session: $fields{C} $fields{M}\n" if $fields{S} ne 'ERROR';
			@$answer{qw(sqlstate message)} = @fields{qw(C M)};
		}
		elsif ($type eq 'R')
		{
			die "the server wants a password\n" if unpack('N', $body) != 0;
		}
	}
	return @answers;
}

sub _columns
{
	my $body = shift;
	my $count = unpack 'n', $body;
	my $at = 2;
	my @columns;
	for (1 .. $count)
	{
		my $length = unpack 'l>', substr($body, $at, 4);
		$at += 4;
		push @columns, $length < 0 ? undef : substr($body, $at, $length);
		$at += $length if $length > 0;
	}
	return \@columns;
}

sub _message
{
	my ($type, $body) = @_;
	return $type . pack('N', 4 + length $body) . $body;
}

sub _write
{
	my ($self, $bytes) = @_;
	my $at = 0;
	local $SIG{PIPE} = 'IGNORE';
	while ($at < length $bytes)
	{
		my $written = syswrite($self->{socket}, $bytes, length($bytes) - $at, $at);
		die "the server closed the connection: $!\n" if !defined $written;
		$at += $written;
	}
	return;
}

sub _read_message
{
	my $self = shift;
	$self->_fill(5);
	my ($type, $length) = unpack 'aN', $self->{buffer};
	$self->_fill(1 + $length);
	my $message = substr $self->{buffer}, 0, 1 + $length, '';
	return ($type, substr $message, 5);
}

sub _fill
{
	my ($self, $wanted) = @_;
	while (length $self->{buffer} < $wanted)
	{
		my $read = sysread($self->{socket}, $self->{buffer}, 1 << 20, length $self->{buffer});
		die "the server closed the connection, it may have crashed\n" if !$read;
	}
	return;
}

# xorshift64, the same numbers everywhere; Perl's rand() differs from build to build.
my $random_state = 1;

sub seed_random
{
	my $seed = shift;
	$random_state = $seed * 0x9e3779b1 + 1;
	return;
}

sub random_below
{
	my $below = shift;
	$random_state ^= $random_state << 13;
	$random_state ^= $random_state >> 7;
	$random_state ^= $random_state << 17;
	return $random_state % $below;
}

1;
