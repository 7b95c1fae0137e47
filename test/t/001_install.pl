# The extension installs into any schema, for a user who is no superuser, describes
# every object, and drops without a trace.
use strict;
use warnings;
use Test::More;

my $database = 'install_test';
my $objects = q{
	FROM pg_depend d, pg_identify_object(d.classid, d.objid, 0) o
	WHERE d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass
		AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'engagement')};

psql('postgres', "CREATE DATABASE $database");
psql('postgres', 'CREATE ROLE analyst LOGIN');
psql('postgres', "GRANT CREATE ON DATABASE $database TO analyst");
END
{
	my $status = $?;
	psql('postgres', "DROP DATABASE IF EXISTS $database");
	psql('postgres', 'DROP ROLE IF EXISTS analyst');
	$? = $status;
}

my $before = psql($database, 'SELECT count(*) FROM pg_depend');

ok(run('CREATE SCHEMA engagement; CREATE EXTENSION engagement SCHEMA engagement'),
	'a user who may create schemas installs it');
is(query("SELECT count(*) $objects AND o.schema <> 'engagement'"), '0', 'everything is in the chosen schema');
is(query("SELECT string_agg(o.identity, ', ') $objects
		AND o.type IN ('function', 'aggregate', 'type', 'operator', 'cast', 'procedure', 'view', 'table')
		AND o.identity !~ '\\[\\]\$'
		AND obj_description(d.objid, d.classid::regclass::name) IS NULL"),
	'', 'every object has a COMMENT');
is(query("SELECT string_agg(oid::regprocedure::text, ', ') FROM pg_proc
		WHERE prosecdef AND oid IN (SELECT d.objid $objects)"),
	'', 'nothing is SECURITY DEFINER');
ok(run('DROP EXTENSION engagement'), 'it drops');
ok(run('CREATE EXTENSION engagement SCHEMA public'), 'it installs again, into another schema');
# What stands in the schema before must not be what a body means.
ok(run('DROP EXTENSION engagement; CREATE SCHEMA shop;
		CREATE FUNCTION shop.captured(text[], text[]) RETURNS text[] LANGUAGE plpgsql AS $$ BEGIN RAISE; END $$;
		CREATE FUNCTION shop.captured(float8, int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE; END $$;
		CREATE FUNCTION shop.unnest(text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RAISE; END $$;
		CREATE OPERATOR shop.|| (LEFTARG = text[], RIGHTARG = text[], FUNCTION = shop.captured);
		CREATE OPERATOR shop.= (LEFTARG = float8, RIGHTARG = int, FUNCTION = shop.captured);
		CREATE EXTENSION engagement SCHEMA shop'), 'it installs into a schema with look-alikes');
is(query(q{SELECT count(romi) > 0 FROM shop.attribution_report('{"channels": ["a"], "paths": [[[0], 1, 0, 1]]}', spend => '{"a": 2}')}), 't', 'and none of them is called');
ok(run('DROP EXTENSION engagement; DROP SCHEMA engagement; DROP SCHEMA shop CASCADE'), 'and drops again');
is(psql($database, 'SELECT count(*) FROM pg_depend'), $before, 'nothing is left of it');

done_testing();

sub query { return psql($database, shift, 'analyst'); }

sub run
{
	query(shift);
	return $? == 0;
}

sub psql
{
	my ($db, $sql, $user) = @_;
	my @command = ('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $db, '-c', $sql);
	push @command, '-U', $user if $user;
	open my $out, '-|', @command or die "psql: $!\n";
	my $text = do { local $/ = undef; <$out> };
	close $out;
	chomp $text if defined $text;
	return $text;
}
