-- Any CSV file as events: the rows go into csv_rows, all columns text and named
-- as in the header line; the mapping says which column, or which SQL expression
-- over the columns, is the visitor, the time and so on.
--
-- Reads the file from standard input. psql variables: header (the first line)
-- and visitor, at, event, channel, value, properties (empty: guess by the usual names).

\set SHOW_CONTEXT never

SELECT delimiter
FROM (VALUES (',', 1), (';', 2), (E'\t', 3), ('|', 4)) AS candidate (delimiter, place)
ORDER BY length(:'header') - length(replace(:'header', delimiter, '')) DESC, place
LIMIT 1
\gset

-- Names as they stand; one that is missing or given twice gets its number.
CREATE TABLE csv_column AS
WITH cell AS (
	SELECT column_number, btrim(replace(regexp_replace(part[1], '^\s*"(.*)"\s*$', '\1'), '""', '"')) AS name
	FROM regexp_matches(:'header', '(?:^|[' || :'delimiter' || '])("(?:[^"]|"")*"|[^' || :'delimiter' || ']*)', 'g')
		 WITH ORDINALITY AS found (part, column_number)
)
SELECT column_number,
	   CASE WHEN name = '' OR row_number() OVER (PARTITION BY name ORDER BY column_number) > 1
			THEN concat_ws('_', coalesce(nullif(left(name, 40), ''), 'column'), column_number) ELSE left(name, 50) END AS name
FROM cell;

SELECT format('CREATE TABLE csv_rows (%s)', string_agg(format('%I text', name), ', ' ORDER BY column_number))
FROM csv_column
\gexec

\set load '\\copy csv_rows FROM pstdin WITH (FORMAT csv, HEADER true, DELIMITER ' :'delimiter' ')'
:load

-- The expression for a role, from what was given or the usual names of its
-- column; errors name the columns that there are.
CREATE FUNCTION pg_temp.column_for(role text, given text, usual_names text[], OUT expression text, OUT origin text)
LANGUAGE plpgsql AS $$
DECLARE
	columns text := (SELECT string_agg(name, ', ' ORDER BY column_number) FROM csv_column);
BEGIN
	IF given = '' THEN
		SELECT quote_ident(name), 'guessed' INTO expression, origin
		FROM csv_column
			 JOIN unnest(usual_names) WITH ORDINALITY AS usual (name_part, place)
			 ON name_part = btrim(lower(regexp_replace(name, '[^[:alnum:]]+', '_', 'g')), '_')
		ORDER BY place, column_number
		LIMIT 1;
		IF expression IS NULL THEN
			origin := 'not in the file';
		END IF;
		RETURN;
	END IF;

	SELECT quote_ident(name) INTO expression
	FROM csv_column
	WHERE lower(name) = lower(given)
	ORDER BY name = given DESC, column_number
	LIMIT 1;
	origin := 'given';
	IF expression IS NOT NULL THEN
		RETURN;
	END IF;

	-- a lone word is a misspelt column, even where SQL knows it: user would be the same for all
	IF given ~ '^[[:alpha:]_]\w*$' THEN
		RAISE undefined_column USING MESSAGE = 'no such column';
	END IF;
	expression := given;
	EXECUTE format('SELECT (%s) FROM csv_rows LIMIT 1', expression);
EXCEPTION
	WHEN syntax_error OR undefined_column OR undefined_function OR ambiguous_function OR datatype_mismatch THEN
		RAISE EXCEPTION '%=% is neither a column of the file nor an SQL expression over its columns (%)', role, given, SQLERRM
			USING HINT = format('The columns are: %s. Quote a name in an expression as "Name".', columns);
END $$;

-- Properties: columns by name, or an expression that gives jsonb.
CREATE FUNCTION pg_temp.properties_for(given text, OUT expression text, OUT origin text, OUT source text)
LANGUAGE plpgsql AS $$
DECLARE
	names text[] := regexp_split_to_array(lower(btrim(given)), '\s*,\s*');
	is_json boolean := false;
BEGIN
	SELECT format('jsonb_strip_nulls(jsonb_build_object(%s))',
				  string_agg(format('%L, nullif(%I, '''')', regexp_replace(lower(name), '^utm_', ''), name), ', ' ORDER BY column_number)),
		   CASE WHEN given = '' THEN 'guessed' ELSE 'given' END,
		   string_agg(name, ', ' ORDER BY column_number)
	INTO expression, origin, source
	FROM csv_column
	WHERE CASE WHEN given = '' THEN lower(name) IN ('campaign', 'utm_campaign', 'country', 'device', 'landing_page')
			   ELSE lower(name) = ANY (names) END
	HAVING count(*) = CASE WHEN given = '' THEN greatest(1, count(*)) ELSE cardinality(names) END;

	IF expression IS NULL AND given = '' THEN
		origin := 'not in the file';
	ELSIF expression IS NULL THEN
		SELECT *, given INTO expression, origin, source FROM pg_temp.column_for('PROPERTIES', given, '{}');
	ELSIF given <> '' AND cardinality(names) = 1 THEN
		EXECUTE format('SELECT bool_and(%I ~ ''^\s*\{'') FROM csv_rows', source) INTO is_json;
		IF is_json THEN
			expression := format('%I::jsonb', source);
		END IF;
	END IF;
END $$;

CREATE TABLE mapping AS
SELECT place, role, expression, origin, expression AS source, '' AS note
FROM (VALUES
	(1, 'VISITOR', :'visitor',
	 '{visitor_id,visitor,user_id,userid,user,client_id,user_pseudo_id,anonymous_id,customer_id,customerid,customer,contact_id,device_id,email}'::text[]),
	(2, 'AT', :'at',
	 '{occurred_at,at,event_time,event_timestamp,timestamp,created_at,datetime,time,date,ts,ordered_at,order_date,invoiced_at,invoicedate}'),
	(3, 'EVENT', :'event',
	 '{event_name,event,event_type,action,page_name,page,page_path,path,url,name,type}'),
	(4, 'CHANNEL', :'channel',
	 '{channel,utm_source,source,traffic_source,utm_medium,medium,referrer}'),
	(5, 'VALUE', :'value',
	 '{revenue,value,amount,event_value,price,total}')
) AS wanted (place, role, given, usual_names),
	 pg_temp.column_for(role, given, usual_names)
UNION ALL
SELECT 6, 'PROPERTIES', expression, origin, source, '' FROM pg_temp.properties_for(:'properties');

DO $$
DECLARE
	missing text := (SELECT string_agg(role, ', ' ORDER BY place) FROM mapping WHERE expression IS NULL AND place <= 3);
BEGIN
	IF missing IS NOT NULL THEN
		RAISE EXCEPTION 'no column looks like %: say which it is', missing
			USING HINT = format('The columns are: %s. Say for example VISITOR=user_id AT=created_at EVENT=page; any SQL expression over the columns will do. Where each row is a purchase: EVENT="''purchase''".',
								(SELECT string_agg(name, ', ' ORDER BY column_number) FROM csv_column));
	END IF;
END $$;

-- The time becomes timestamptz, whatever it was.
DO $$
DECLARE
	given text := (SELECT expression FROM mapping WHERE role = 'AT');
	given_type regtype;
	digits int;
	total bigint;
	zoned bigint;
	unit text;
	told text := '';
	day_first boolean;
BEGIN
	EXECUTE format('SELECT pg_typeof(%s) FROM csv_rows LIMIT 1', given) INTO given_type;
	IF given_type IN ('text'::regtype, 'bigint'::regtype, 'numeric'::regtype, 'float8'::regtype) THEN
		-- a number counts from 1970; its length tells the unit for any time since 2001
		EXECUTE format($sql$SELECT CASE WHEN bool_and(at ~ '^\d+(\.\d+)?$') THEN max(length(split_part(at, '.', 1))) END
							FROM (SELECT (%s)::text AS at FROM csv_rows) AS t$sql$, given) INTO digits;
		unit := CASE digits WHEN 10 THEN 'seconds' WHEN 13 THEN 'milliseconds' WHEN 16 THEN 'microseconds' END;
		IF unit IS NOT NULL THEN
			UPDATE mapping
			SET expression = format('to_timestamp((%s)::float8 / 1e%s)', given, digits - 10),
				note = format('numbers: read as %s since 1970', unit)
			WHERE role = 'AT';
			RETURN;
		END IF;
		EXECUTE format($sql$SELECT count(at), count(*) FILTER (WHERE at ~ ':\d\d([.,]\d+)?\s*([Zz]|[+-]\d\d(:?\d\d)?|[A-Za-z_]{3,}(/\w+)*)$')
							FROM (SELECT nullif(btrim((%s)::text), '') AS at FROM csv_rows) AS t$sql$, given)
		INTO total, zoned;
		told := CASE zoned WHEN total THEN '' WHEN 0 THEN 'no time zone given: read as UTC'
						   ELSE format('%s of %s without a time zone: read as UTC', total - zoned, total) END;
		-- 24/12/2026 cannot be the 12th of a 24th month; where all could be, Americans are right
		EXECUTE format($sql$SELECT bool_or(split_part(at, '/', 1)::int > 12)
							FROM (SELECT btrim((%s)::text) AS at FROM csv_rows) AS t
							WHERE at ~ '^\d{1,2}/\d{1,2}/\d{4}'$sql$, given) INTO day_first;
		IF day_first THEN
			SET datestyle = 'ISO, DMY';
		END IF;
		told := concat_ws('; ', CASE day_first WHEN true THEN 'day/month/year' WHEN false THEN 'month/day/year' END, nullif(told, ''));
	ELSIF given_type IN ('timestamp'::regtype, 'date'::regtype) THEN
		told := 'no time zone given: read as UTC';
	END IF;
	-- the session's time zone is UTC
	UPDATE mapping SET expression = format('nullif((%s)::text, '''')::timestamptz', given), note = told WHERE role = 'AT';
END $$;

-- The events: a row without visitor, time or event is none.
DO $$
DECLARE
	e text[] := (SELECT array_agg(coalesce(expression, 'NULL') ORDER BY place) FROM mapping);
BEGIN
	EXECUTE format($sql$
		CREATE TABLE events AS
		SELECT *
		FROM (SELECT nullif(btrim((%s)::text), '') AS visitor,
					 %s AS at,
					 nullif(btrim((%s)::text), '') AS event,
					 nullif(btrim((%s)::text), '') AS channel,
					 nullif(btrim((%s)::text), '')::float8 AS value,
					 (%s)::jsonb AS properties
			  FROM csv_rows) AS mapped
		WHERE visitor IS NOT NULL AND at IS NOT NULL AND event IS NOT NULL$sql$,
		e[1], e[2], e[3], e[4], e[5], e[6]);
EXCEPTION
	WHEN invalid_datetime_format OR datetime_field_overflow THEN
		RAISE EXCEPTION 'AT: %', SQLERRM
			USING HINT = 'Give an expression that reads it, for example AT="to_timestamp(time, ''DD.MM.YYYY HH24:MI'')".';
	WHEN invalid_text_representation THEN
		RAISE EXCEPTION 'VALUE or PROPERTIES: %', SQLERRM
			USING HINT = 'Give an expression that reads it, for example VALUE="replace(price, '','', ''.'')". PROPERTIES are column names or an expression that gives jsonb.';
END $$;
ANALYZE events;

\pset footer off
\pset null '-'
\echo
\echo 'How the file was read'
\echo
SELECT role AS "variable", source AS "read from", origin AS "given or guessed", note FROM mapping ORDER BY place;
SELECT (SELECT count(*) FROM csv_rows) AS rows_read,
	   count(*) AS rows_used,
	   (SELECT count(*) FROM csv_rows) - count(*) AS rows_left_out
FROM events
\gset
\echo :rows_read 'rows,' :rows_used 'events;' :rows_left_out 'rows without visitor, time or event were left out.'
