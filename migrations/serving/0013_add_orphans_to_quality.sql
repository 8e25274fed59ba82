-- Why: the quality of a day counts the rows that refer to what is not known: an instrument, an open day, the terms of a bond.

ALTER TABLE gen_data_quality_daily ADD COLUMN n_orphans BIGINT;
-- only: postgresql
CREATE OR REPLACE VIEW mart_data_quality_daily AS
    SELECT
        dataset, ymd, expected_rows, n_rows, n_duplicates, n_nulls, n_rejected, n_out_of_range, status, reason,
        fetched_at, n_jumps, n_orphans
    FROM gen_data_quality_daily
    WHERE gen_to = 9223372036854775807;
-- only: sqlite
DROP VIEW mart_data_quality_daily;
-- only: sqlite
CREATE VIEW mart_data_quality_daily AS
    SELECT
        dataset, ymd, expected_rows, n_rows, n_duplicates, n_nulls, n_rejected, n_out_of_range, status, reason,
        fetched_at, n_jumps, n_orphans
    FROM gen_data_quality_daily
    WHERE gen_to = 9223372036854775807;
INSERT INTO meta_column (mart, column_name, unit, description) VALUES
    ('mart_data_quality_daily', 'n_orphans', 'rows', 'That refer to an instrument, open day, terms or code that is not there');
