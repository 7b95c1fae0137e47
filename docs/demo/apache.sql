-- A web server's access log ("combined" format of Apache and nginx) as events.
--
-- Reads the log from standard input, one line a row. The address is the visitor:
-- several people behind one address become one, one person on two networks two.
-- Robots are kept, and marked in the properties.

CREATE TABLE access_log (line text);
-- Neither delimiter nor quote occurs in a log: each line is one value, as it is.
\copy access_log FROM pstdin WITH (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02')

-- What can be read of a line that is cut off is used: only address and time must be there.
CREATE TABLE hit AS
SELECT part[1] AS address,
	   to_timestamp(part[2], 'DD/Mon/YYYY:HH24:MI:SS TZHTZM') AS at,
	   part[3] AS method,
	   part[4] AS path,
	   part[5]::int AS status,
	   nullif(part[6], '-') AS referrer,
	   lower(substring(part[6] from '^\w+://(?:www\.)?([^/:]+)')) AS referring_site,
	   part[7] AS agent
FROM access_log,
	 regexp_match(line, '^(\S+) \S+ \S+ \[(\d+/\w+/\d+:\d+:\d+:\d+ [+-]\d+)\](?: "(\S+) (\S+)[^"]*" (\d{3}) \S+(?: "([^"]*)" "([^"]*)"?)?)?') AS part
WHERE part IS NOT NULL;

-- A site links to itself more than others do.
SELECT coalesce((SELECT referring_site FROM hit WHERE referring_site IS NOT NULL
				 GROUP BY referring_site ORDER BY count(*) DESC, referring_site LIMIT 1), '') AS own_site
\gset

CREATE TABLE events AS
SELECT address AS visitor,
	   at,
	   CASE WHEN status IS NULL THEN 'unreadable_request'
			WHEN status >= 400 THEN 'error'
			WHEN path ~* '\.(css|js|png|jpe?g|gif|svg|ico|woff2?|ttf)(\?|$)' THEN 'file'
			WHEN path ~* '\.(pdf|zip|gz|tgz|jar|rpm|deb|exe|dmg)(\?|$)' THEN 'download'
			WHEN path ~* '(rss|atom|/feed)' THEN 'feed'
			WHEN path ~* '/robots\.txt' THEN 'robots_txt'
			ELSE 'page_view' END AS event,
	   -- the site's own pages refer to one another: that is no channel
	   CASE WHEN referring_site IS NULL OR referring_site = :'own_site' THEN NULL
			WHEN referring_site ~ '(^|\.)(google|bing|yahoo|duckduckgo|yandex|baidu|ask)\.' THEN 'search'
			WHEN referring_site ~ '(^|\.)(facebook|twitter|t|linkedin|reddit|plus\.google|news\.ycombinator)\.(com|co)$' THEN 'social'
			ELSE 'other sites' END AS channel,
	   NULL::float8 AS value,
	   jsonb_strip_nulls(jsonb_build_object(
		   'campaign', substring(path from '[?&]utm_campaign=([^&]*)'),
		   'is_robot', CASE WHEN agent ~* 'bot|crawl|spider|slurp|feed|reader|curl|wget|python|java/' THEN true END)) AS properties
FROM hit;
ANALYZE events;

SELECT count(*) AS lines, (SELECT count(*) FROM events) AS hits, count(*) - (SELECT count(*) FROM events) AS unreadable,
	   count(*) FILTER (WHERE line !~ '"\s*$') AS cut_off,
	   (SELECT count(*) FROM events WHERE properties ? 'is_robot') AS robot_hits
FROM access_log
\gset
\echo 'An access log:' :lines 'lines,' :hits 'hits;' :unreadable 'lines without address and time left out,'
\echo :cut_off 'lines cut off but used.'
\echo :robot_hits 'hits are by robots and feed readers that say so. Links from' :own_site 'are taken as the site''s own.'
