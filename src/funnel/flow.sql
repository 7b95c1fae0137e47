-- Flow

CREATE FUNCTION flow(
	timeline timeline,
	start_event text DEFAULT NULL,
	end_event text DEFAULT NULL,
	depth integer DEFAULT 5,
	among text DEFAULT NULL,
	collapse boolean DEFAULT true,
	gap interval DEFAULT NULL
)
RETURNS TABLE (step integer, source text, target text, seconds double precision)
AS 'MODULE_PATHNAME', 'timeline_flow' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 5;
COMMENT ON FUNCTION flow(timeline, text, text, integer, text, boolean, interval) IS 'One row for each transition (link, edge) from one step to the next: group by step, source and target for a Sankey diagram (path exploration, user flow). Forward from the visitor''s first event that matches start_event, or from the first step, numbered 1 to depth; a visitor who ends before depth has a last row without target (exit). Or back from the first event that matches end_event, numbered -1 to -depth; a visitor who begins there has a last row without source (entry). With gap each visit is a path of its own (a longer pause ends it, whatever events it is between). Steps are the events that match among, start_event or end_event; without among, all. collapse: repeats of one label after each other are one step, at the time of the first. seconds: from source to target';

