-- Why: PostgreSQL builds an index after many rows in a fraction of the time that it keeps one up with. Marts that hold no rows yet
-- leave their indexes out, but for their keys; the publish that fills one makes them. Readers do not wait for that.

-- only: postgresql
CREATE TABLE meta_index (
    index_name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    source_table TEXT COLLATE "C" NOT NULL,
    definition TEXT COLLATE "C" NOT NULL
);
-- What publishing itself writes keeps its indexes. (A semicolon at the end of a line would end the statement here.)
-- only: postgresql
DO $$
DECLARE
    i RECORD; is_filled BOOLEAN; BEGIN
    FOR i IN
        SELECT m.source_table, c.relname AS index_name, pg_get_indexdef(x.indexrelid) AS definition
        FROM meta_mart m
        JOIN pg_index x ON x.indrelid = to_regclass(quote_ident(m.source_table)) AND NOT x.indisunique
        JOIN pg_class c ON c.oid = x.indexrelid
        WHERE m.mart <> 'mart_freshness'
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I)', i.source_table) INTO is_filled; IF NOT is_filled THEN
            INSERT INTO meta_index VALUES (i.index_name, i.source_table, i.definition); EXECUTE format('DROP INDEX %I', i.index_name); END IF; END LOOP; END $$;
