-- The points of the goals, from the psql variable points: {"pattern": points, ...}.

CREATE TABLE IF NOT EXISTS goal_points (pattern text PRIMARY KEY, points float8 NOT NULL);

SELECT :'points' <> '' AS has_given_points
\gset
\if :has_given_points
	DELETE FROM goal_points;
	INSERT INTO goal_points SELECT key, value::float8 FROM jsonb_each_text(:'points'::jsonb);
\endif
