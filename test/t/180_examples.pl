# The examples in the documentation print what stands below them.
#
# A block ```sql is run, in one psql session a page; if a block ```text follows it, that is its output,
# blanks at the ends of lines left out. After a change: make test TESTS=180_examples shows the difference.
use strict;
use warnings;
use Test::More;

# A page that does not create the extension itself finds it.
my %needs_extension = ('docs/how-it-works.md' => 1);
my $database = 'examples_test';
delete $ENV{PGOPTIONS};
END
{
	my $status = $?;
	system("psql -Xq -d postgres -c 'DROP DATABASE IF EXISTS $database' 2>&1");
	$? = $status;
}

for my $page ('README.md', map { "docs/$_.md" } qw(tutorial how-it-works funnels stages retention flow attribution clv))
{
	my @examples = read_examples($page);
	ok(@examples > 0, "$page has examples");
	my @printed = run_examples($page, map { $_->{sql} } @examples);
	for my $i (0 .. $#examples)
	{
		if (!defined $examples[$i]{output})
		{
			unlike($printed[$i], qr/ERROR/, "$page, line $examples[$i]{line}");
			next;
		}
		is($printed[$i], $examples[$i]{output}, "$page, line $examples[$i]{line}");
	}
}
test_links();
done_testing();

# Every link to a function leads to its entry in the reference.
sub test_links
{
	my %anchor = map { $_ => 1 } slurp('docs/reference.md') =~ /<a id="([\w-]+)">/g;
	for my $page ('README.md', glob 'docs/*.md')
	{
		my @missing = grep { !$anchor{$_} } slurp($page) =~ /\((?:docs\/)?reference\.md#([\w-]+)/g;
		is("@missing", '', "$page: links into the reference");
	}
	return;
}

sub slurp
{
	my $file = shift;
	open my $in, '<', $file or die "$file: $!\n";
	return do { local $/ = undef; <$in> };
}

sub read_examples
{
	my $page = shift;
	my (@examples, $block, $kind, $is_next);
	open my $in, '<:raw', $page or die "$page: $!\n";
	while (my $line = <$in>)
	{
		if (!defined $kind && $line =~ /^```(\w*)$/)
		{
			($kind, $block) = ($1, '');
			push @examples, { line => $. } if $kind eq 'sql';
		}
		elsif (defined $kind && $line =~ /^```$/)
		{
			$examples[-1]{sql} = $block if $kind eq 'sql';
			$examples[-1]{output} = $block if $kind eq 'text' && $is_next;
			$is_next = $kind eq 'sql';
			undef $kind;
		}
		elsif (defined $kind)
		{
			$block .= $line;
		}
		elsif ($line =~ /\S/)
		{
			$is_next = 0;
		}
	}
	close $in;
	return @examples;
}

sub run_examples
{
	my ($page, @sql) = @_;
	my $prepare = $needs_extension{$page} ? 'CREATE SCHEMA engagement; CREATE EXTENSION engagement SCHEMA engagement' : 'SELECT';
	system("psql -Xq -d postgres -c 'DROP DATABASE IF EXISTS $database' -c 'CREATE DATABASE $database' 2>/dev/null && psql -Xq -d $database -c '$prepare' >/dev/null") == 0
		or die "cannot make the database\n";
	my $script = "examples.$$.sql";
	open my $out, '>:raw', $script or die "$script: $!\n";
	print {$out} "\\pset pager off\n", map { "\\echo <<<example>>>\n$_\n" } @sql;
	close $out;
	my $printed = `psql -X -d $database <$script 2>&1`;
	unlink $script;
	$printed =~ s/[ \t]+$//mg;
	$printed =~ s/^psql:<stdin>:\d+: //mg;
	my (undef, @parts) = split /^<<<example>>>\n/m, $printed;
	s/\n*\z/\n/ for @parts;
	return @parts;
}
