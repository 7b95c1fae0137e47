# Each released version, updated to the current one, is the same as a fresh install; and the
# current library still has every C function that a released script names, so that a server
# with the new library and the old SQL goes on working until somebody runs the update.
use strict;
use warnings;
use Test::More;

my $current = `sed -n "s/^default_version = '\\(.*\\)'/\\1/p" engagement.control`;
chomp $current;
my @released = map { m{engagement--(.*)\.sql$} ? $1 : () } sort glob 'src/release/engagement--*.sql';
@released = grep { !/--/ } @released;
ok(@released > 0, 'there is a released script');

my %symbols = map { $_ => 1 } `nm -D --defined-only engagement.so` =~ /\bT (\w+)$/mg;
ok(keys %symbols > 0, 'the library has functions');

# What a DBA would compare: every member object by its full definition.
my $catalog = q{
	SELECT pg_describe_object(d.classid, d.objid, 0),
		CASE d.classid
			WHEN 'pg_proc'::regclass THEN (SELECT concat_ws(' ', prosrc, prokind, provolatile, proparallel, proisstrict, proretset, procost, prorows,
					pg_get_function_arguments(oid), pg_get_function_result(oid)) FROM pg_proc WHERE oid = d.objid)
			WHEN 'pg_type'::regclass THEN (SELECT concat_ws(' ', typlen, typalign, typstorage, typinput, typoutput, typreceive, typsend, typanalyze)
					FROM pg_type WHERE oid = d.objid)
			WHEN 'pg_operator'::regclass THEN (SELECT concat_ws(' ', oprcode, oprcom::regoperator, oprnegate::regoperator, oprrest, oprjoin, oprcanhash, oprcanmerge)
					FROM pg_operator WHERE oid = d.objid)
		END,
		(SELECT concat_ws(' ', aggtransfn, aggcombinefn, aggserialfn, aggdeserialfn, aggfinalfn, aggtranstype::regtype, aggtransspace, agginitval)
			FROM pg_aggregate WHERE d.classid = 'pg_proc'::regclass AND aggfnoid = d.objid),
		obj_description(d.objid, d.classid::regclass::name)
	FROM pg_depend d
	WHERE d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass
		AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'engagement')
	ORDER BY 1};

my $fresh = in_database("CREATE EXTENSION engagement", $catalog);
like($fresh, qr/timeline/, 'the catalog is read');

for my $version (@released)
{
	my %missing = map { $_ => 1 } grep { !$symbols{$_} } named_functions("src/release/engagement--$version.sql");
	is(join(', ', sort keys %missing), '', "the library has all functions of $version");
	is(in_database("CREATE EXTENSION engagement VERSION '$version'; ALTER EXTENSION engagement UPDATE TO '$current'", $catalog),
		$fresh, "$version updated to $current is a fresh install");
}
done_testing();

# The C function is named after the library, or is the SQL function's own name.
sub named_functions
{
	my $file = shift;
	open my $in, '<', $file or die "$file: $!\n";
	my $text = do { local $/ = undef; <$in> };
	my @names;
	while ($text =~ /CREATE FUNCTION (\w+)\s*\((?:(?!CREATE).)*?AS 'MODULE_PATHNAME'(?:, '(\w+)')?/gs)
	{
		push @names, $2 // $1;
	}
	return @names;
}

sub in_database
{
	my ($prepare, $query) = @_;
	psql('postgres', 'DROP DATABASE IF EXISTS upgrade_test');
	psql('postgres', 'CREATE DATABASE upgrade_test');
	psql('upgrade_test', $prepare);
	my $result = psql('upgrade_test', $query);
	psql('postgres', 'DROP DATABASE upgrade_test');
	return $result;
}

sub psql
{
	my ($database, $sql) = @_;
	open my $out, '-|', 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $database, '-c', $sql or die "psql: $!\n";
	my $text = do { local $/ = undef; <$out> };
	close $out or die "failed: $sql\n";
	return $text // '';
}
