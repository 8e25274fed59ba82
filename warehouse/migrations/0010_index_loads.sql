-- Why: what is new is asked for by its load. These two tables have a row for every object and every day of every data set: without
-- an index each day's run reads all that came before it.

-- only: postgresql, redshift
SET LOCAL search_path TO gold, silver, staging;

CREATE INDEX load_object_load ON load_object (load_id);
CREATE INDEX load_quality_load ON load_quality (load_id);
