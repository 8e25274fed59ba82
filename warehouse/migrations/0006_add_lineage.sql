-- Why: from a row of a mart to the bytes that it was made of: its load is a run of the models, which took these objects in.

-- only: postgresql, redshift
SET LOCAL search_path TO gold, silver, staging;

CREATE VIEW load_lineage AS
    SELECT g.load_id, o.object_key, o.sha256, o.dataset, o.ymd, o.n_rows, o.load_id AS silver_load_id
    FROM (
        SELECT load_id, COALESCE(lag(load_id) OVER (ORDER BY load_id), 0) AS since
        FROM load_ledger
        WHERE stage = 'gold'
    ) g
    JOIN load_object o ON o.load_id > g.since AND o.load_id < g.load_id;
