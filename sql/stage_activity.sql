--
-- What visitors do in each stage: stage_activity
--
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
\set map '{"page_view|impression": "awareness", "video_*": "consideration", "purchase": "decision"}'

-- the counts that are not 0, and the sums
CREATE FUNCTION pg_temp.shown(a stage_activity) RETURNS text LANGUAGE sql AS
$$
	SELECT string_agg(key || '=' || value, ' ' ORDER BY place) FROM jsonb_each_text(to_jsonb(a) - '{stage,period_start,visitor_count}'::text[]) e
		JOIN (SELECT attname, attnum FROM pg_attribute WHERE attrelid = 'stage_activity'::regclass) c(key, place) USING (key) WHERE value <> '0'
$$;

\set t '{2026-01-01T10:00:00Z like, 2026-01-02T10:00:00Z impression, 2026-01-02T10:00:01Z page_view, 2026-01-02T10:00:02Z share, 2026-01-31T23:30:00Z video_start, 2026-01-31T23:31:00Z video_25, 2026-02-01T00:00:00Z purchase =49.99, 2026-02-01T00:01:00.5Z click, 2026-02-01T00:02:00Z page_view, 2026-02-01T00:02:30Z purchase =0.01, 2026-02-01T00:03:00Z purchase, 2026-02-01T00:05:00Z subscribe =99 {"level": 2}, 2026-02-01T00:05:30Z subscribe {"level": "3.5"}, 2026-02-01T00:06:00Z subscribe {"level": "gold"}, 2026-02-02T00:00:00Z comment}'

-- an event without a stage of its own is where the visitor is: first nowhere, then in awareness, at last in decision
SELECT stage, period_start, visitor_count, pg_temp.shown(a) FROM stage_activity(:'t', :'map') a;
-- free: the page view of 1 February leads back to awareness
SELECT stage, period_start, pg_temp.shown(a) FROM stage_activity(:'t', :'map', ordered => false) a WHERE period_start = '2026-02-01';
SELECT stage, period_start, pg_temp.shown(a) FROM stage_activity(:'t', :'map', 'all') a;
SELECT stage, pg_temp.shown(a) FROM stage_activity(:'t', '{}', 'all') a;
SELECT stage, pg_temp.shown(a) FROM stage_activity(:'t', '{"page_view": "MQL", "purchase": "won"}', 'all', stages => '{MQL,SQL,won}') a;

-- periods, and where they begin in a time zone: DST in Oslo from 2026-03-29 01:00Z to 2026-10-25 01:00Z
SELECT period, array_agg(period_start ORDER BY period_start) FROM unnest('{day,week,month,quarter,year,all}'::text[]) WITH ORDINALITY p(period, n),
	stage_activity('{2025-12-31T22:59:59Z a, 2025-12-31T23:00:00Z a, 2026-03-28T22:59:59Z a, 2026-03-28T23:00:00Z a, 2026-03-29T21:59:59.999999Z a, 2026-03-29T22:00:00Z a, 2026-10-25T22:59:59Z a, 2026-10-25T23:00:00Z a}', '{}', period, 'Europe/Oslo') a
GROUP BY period, n ORDER BY n;
SELECT zone, period_start FROM unnest('{UTC,Europe/Oslo,UTC,America/New_York}'::text[]) WITH ORDINALITY z(zone, n), stage_activity('{2026-03-28T23:30:00Z a}', '{}', 'day', zone) ORDER BY n;
-- a day that comes again: clocks in Newfoundland were set back from 00:01 to 23:01 of the day before
SELECT period_start, event_count FROM stage_activity('{2006-10-29T02:29:00Z a, 2006-10-29T02:30:30Z a, 2006-10-29T02:31:00Z a, 2006-10-29T03:29:00Z a, 2006-10-29T03:30:00Z a}', '{}', 'day', 'America/St_Johns');
SELECT period_start, event_count FROM stage_activity('{2006-10-29T02:30:30Z a, 2006-10-29T02:31:00Z a, 2006-10-29T03:30:00Z a}', '{}', 'day', 'America/St_Johns');
-- Samoa had no 30 December 2011, and Brazil no midnight on 4 November 2018
SELECT period_start, event_count FROM stage_activity('{2011-12-30T09:59:59Z a, 2011-12-30T10:00:00Z a}', '{}', 'day', 'Pacific/Apia');
SELECT period_start, event_count FROM stage_activity('{2018-11-04T02:59:59Z a, 2018-11-04T03:00:00Z a}', '{}', 'day', 'America/Sao_Paulo');
SELECT period_start, event_count FROM stage_activity('{-4712-06-01T00:00:00Z a, +294276-12-31T23:59:59.999999Z a}', '{}', 'week');

-- actions after a video: at most after_video later, or at its very time; in the row of the last video event before
\set v '{2026-01-01T10:00:00Z click, 2026-01-01T10:00:00Z video_start, 2026-01-01T10:30:00Z like, 2026-01-01T10:30:00.000001Z share, 2026-01-01T10:40:00Z video_complete, 2026-01-01T10:45:00Z purchase, 2026-01-02T10:00:00Z comment}'
SELECT action, after_video, string_agg(stage || '=' || action_after_video_count, ' ') FROM (VALUES (1, NULL, NULL::interval), (2, NULL, '29 min 59.999999 s'), (3, NULL, '0'), (4, NULL, '100000000 days'), (5, 'purchase|like', NULL), (6, '*', NULL), (7, 'video_*', NULL)) s(i, action, after_video),
	stage_activity(:'v', :'map', 'year', action => action, after_video => after_video) a WHERE action_after_video_count > 0 GROUP BY i, action, after_video ORDER BY i;
SELECT stage, period_start, pg_temp.shown(a) FROM stage_activity('{2026-01-01T23:59:00Z video_start, 2026-01-02T00:01:00Z purchase}', :'map', 'day') a;
-- video events of two stages at one instant: the furthest
SELECT map, stage, pg_temp.shown(a) FROM unnest('{"{\"video_25\": \"consideration\", \"video_50\": \"decision\"}", "{\"video_25\": \"decision\", \"video_50\": \"consideration\"}"}'::jsonb[]) map,
	stage_activity('{2026-01-01T10:00:00Z video_25, 2026-01-01T10:00:00Z video_50, 2026-01-01T10:01:00Z click}', map, 'all') a WHERE action_after_video_count > 0;
SELECT pg_temp.shown(a) FROM stage_activity('{-4713-11-24T00:00:00Z video_start, +294276-12-31T23:59:59Z click}', '{}', 'all', after_video => '106751991 days') a;

-- the default names, and the labels that they are made for
SELECT event, string_agg(key, ' ' ORDER BY key) AS counts_for
FROM unnest('{impression,impression_ad,ad_impression,page_view,pageview,screen_view,product_view,view_item,view,like,reaction,share,comment,click,click_cta,ad_click,video_start,video_started,video_play,video_25,video_progress_25,video_50,video_progress_50,video_75,video_progress_75,video_complete,video_completed,video_100,video_progress_100,video_progress,purchase,order,subscribe,subscription,newsletter_signup,add_to_cart,unlike}'::text[]) WITH ORDINALITY e(event, n),
	stage_activity(('{2026-01-01T00:00:00Z ' || event || '}')::timeline, '{}', 'all') a,
	jsonb_each_text(to_jsonb(a) - '{stage,period_start,visitor_count,event_count}'::text[]) c WHERE value <> '0' GROUP BY event, n ORDER BY n;
SELECT pg_temp.shown(a) FROM stage_activity('{2026-01-01T00:00:00Z video_progress {"video_percent": 25}, 2026-01-01T00:01:00Z video_progress {"video_percent": 50}, 2026-01-01T00:02:00Z video_progress {"video_percent": "75"}}', '{}', 'all') a;
-- others; an event may count for several metrics; null switches one off
SELECT pg_temp.shown(a) FROM stage_activity(:'t', '{}', 'all', metric_map => '{"views": "page_view|impression", "likes": "s*", "orders": null, "video_completes": "video_25[x=1]|video_25", "subscriptions": "purchase"}') a;
SELECT i, pg_temp.shown(a) FROM (VALUES (1, NULL::jsonb, NULL), (2, '{"likes": "click"}', NULL), (3, '{"likes": null}', NULL), (4, '{"likes": null}', 'like'), (5, '{}', NULL), (6, '{}', 'like|click'), (7, '{}', 'like|c'), (8, '{}', 'like')) s(i, map, action),
	stage_activity('{2026-01-01T00:00:00Z video_play, 2026-01-01T00:00:01Z click, 2026-01-01T00:00:02Z like}', '{}', 'all', metric_map => map, action => action) a ORDER BY i;

-- levels
SELECT level, subscription_count, subscription_level_count, subscription_level_sum
FROM unnest('{3,-2.5,1e3,"\"7\"","\"1e2\"","\"0x10\"","\"inf\"","\"nan\"","\" 7\"","\"7 \"","\"\"","\"\\u0037\"",true,"null","[1]","{\"a\": 1}",0.1,1e400,123456789012345678}'::text[]) WITH ORDINALITY l(level, n),
	stage_activity(('{2026-01-01T00:00:00Z subscribe {"tier": ' || level || '}}')::timeline, '{}', 'all', level_property => 'tier') a ORDER BY n;
SELECT subscription_level_sum FROM stage_activity('{2026-01-01T00:00:00Z subscribe {"level": 1}}', '{}', level_property => NULL);
SELECT subscription_level_sum FROM stage_activity('{2026-01-01T00:00:00Z subscribe {"level": 1}}', '{}', level_property => 'lev');

-- sums of money are sums of decimals
SELECT revenue_value FROM (VALUES (1, '{2026-01-01T00:00:00Z order =0.1, 2026-01-01T00:00:01Z order =0.2}'::timeline), (2, '{2026-01-01T00:00:00Z order =0.001, 2026-01-01T00:00:01Z order =0.1, 2026-01-01T00:00:01Z order =0.002}'),
	(3, '{2026-01-01T00:00:00Z order =1e300, 2026-01-01T00:00:01Z order =0.01, 2026-01-01T00:00:01Z order =-1e300, 2026-01-01T00:00:01Z order =1e-20}'), (4, '{2026-01-01T00:00:00Z order =-5}'), (5, '{2026-01-01T00:00:00Z order =0}'), (6, '{2026-01-01T00:00:00Z order}'),
	(7, '{2026-01-01T00:00:00Z order =9007199254740993}'), (9, '{2026-01-01T00:00:00Z order =1000000000000000.375}'), (8, (SELECT timeline('2026-01-01Z'::timestamptz + i * interval '1 s', 'order', NULL, 9999999999999.99) FROM generate_series(1, 20000) i))) s(i, t), stage_activity(t, '{}', 'all') ORDER BY i;

-- nothing, NULL, and one timeline after the other
SELECT count(*) FROM stage_activity('{}', :'map');
SELECT count(*) FROM stage_activity(NULL, :'map');
SELECT count(*) FROM stage_activity(:'t', NULL);
SELECT i, (a).stage, (a).event_count FROM (SELECT i, stage_activity(t, :'map', 'all', NULL, NULL, NULL, NULL, NULL, NULL, NULL) AS a FROM (VALUES (1, '{2026-01-01T10:00:00Z a}'::timeline), (2, '{}'), (3, NULL), (4, :'t')) s(i, t)) s;
SELECT (SELECT stage FROM stage_activity(:'t', :'map') LIMIT 1 OFFSET 1) FROM generate_series(1, 2);

-- more kinds, events at one instant, and stages than fit into what is there at first
SELECT count(*), sum(event_count), min(event_count), max(event_count), sum(revenue_value)
FROM (SELECT timeline('2026-01-01Z'::timestamptz + i / 500 * interval '1 day', CASE WHEN i % 3 = 0 THEN 'order' ELSE 'label ' || i % 100 END, NULL, i) AS t, (SELECT jsonb_object_agg('label ' || k, k::text) FROM generate_series(0, 99) k) AS map FROM generate_series(1, 20000) i) s,
	stage_activity(t, map, 'day', stages => (SELECT array_agg(k::text) FROM generate_series(0, 99) k));

-- arguments that cannot be
\pset format unaligned
CREATE FUNCTION pg_temp.complaint(query text) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	what text;
	detail text;
	hint text;
BEGIN
	EXECUTE query;
	RETURN 'accepted: ' || query;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS what = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n', what || ' (' || SQLSTATE || ')', 'DETAIL: ' || nullif(detail, ''), 'HINT: ' || nullif(hint, ''));
END
$$;
SELECT pg_temp.complaint(format($$SELECT stage_activity('{2026-01-01T00:00:00Z view}', %s)$$, arguments))
FROM unnest(ARRAY[$$'[]'$$, $$'{"a": "b"}'$$, $$'{}', stages => '{}'$$, $$'{}', 'hour'$$, $$'{}', 'Day'$$, $$'{}', ''$$, $$'{}', time_zone => 'Europe/Olso'$$, $$'{}', 'all', 'Mars/Olympus'$$,
	$$'{}', metric_map => '[1]'$$, $$'{}', metric_map => '{"view": "a"}'$$, $$'{}', metric_map => '{"views": 1}'$$, $$'{}', metric_map => '{"views": ""}'$$, $$'{}', metric_map => '{"views": "a,b"}'$$, $$'{}', action => 'a@@b'$$,
	$$'{}', after_video => '1 month'$$, $$'{}', after_video => '-1 s'$$]) arguments;
SELECT pg_temp.complaint($$SELECT stage_activity('{-4713-11-24T00:00:00Z a}', '{}', 'year')$$), pg_temp.complaint($$SELECT stage_activity('{-4713-11-24T00:00:00Z a}', '{}', 'week', 'America/New_York')$$);
