-- Why: a day can fail for what only the series show: prices in another unit than those of the day before, or no rows at all.

-- only: postgresql, redshift
SET LOCAL search_path TO gold, silver, staging;

CREATE TABLE stg_quality (
    dataset {{text}} NOT NULL,
    ymd {{date}} NOT NULL,
    n_jumps BIGINT NOT NULL,
    PRIMARY KEY (dataset, ymd)
){{clustered}};

-- More than a fifth of at least five prices a fifth or five times of those before: another unit, not a market.
CREATE VIEW load_verdict AS
    SELECT
        dataset, ymd, expected_rows, n_rows, n_duplicates, n_nulls, n_rejected, n_out_of_range, n_jumps,
        CASE WHEN n_rows >= 5 AND n_jumps * 5 > n_rows THEN 'fail' ELSE status END AS status,
        CASE WHEN n_rows >= 5 AND n_jumps * 5 > n_rows THEN 'jumps' ELSE reason END AS reason,
        fetched_at, load_id
    FROM load_quality;

DROP VIEW mart_data_quality_daily;
CREATE VIEW mart_data_quality_daily AS
    SELECT
        dataset, ymd, expected_rows, n_rows, n_duplicates, n_nulls, n_rejected, n_out_of_range, n_jumps, status, reason,
        fetched_at, load_id
    FROM load_verdict;
