-- Why: an action that was told under a wrong key can be taken back: its row says so, and the newest one of a key wins, as ever.

-- only: postgresql, redshift
SET LOCAL search_path TO gold, silver, staging;

ALTER TABLE fact_corporate_action ADD COLUMN is_withdrawn {{bool}};

-- Each action once: as its source says, but for what a table tells of it; none that a table takes back, whoever told it. numerator is
-- the ratio where denominator is NULL. cash_at: when the amount was told; is_told: by a table, in the units of the prices around it.
DROP VIEW dim_action;
CREATE VIEW dim_action AS
    SELECT
        a.uid, a.date, a.kind, a.uid AS into_uid, t.pay_date, COALESCE(t.cash, a.amount) AS cash,
        COALESCE(t.ratio, a.numerator) AS numerator, CASE WHEN t.ratio IS NULL THEN a.denominator END AS denominator,
        CASE WHEN t.cash IS NULL THEN a.fetched_at ELSE t.fetched_at END AS cash_at,
        CASE WHEN t.cash IS NULL THEN FALSE ELSE TRUE END AS is_told,
        CASE WHEN t.cash IS NULL AND t.ratio IS NULL THEN a.source ELSE t.source END AS source
    FROM fact_action a
    LEFT JOIN fact_corporate_action t ON t.uid = a.uid AND t.date = a.date AND t.kind = a.kind AND t.into_uid = a.uid
    WHERE t.is_withdrawn IS NULL OR NOT t.is_withdrawn
    UNION ALL
    SELECT
        t.uid, t.date, t.kind, t.into_uid, t.pay_date, t.cash, t.ratio, CAST(NULL AS {{decimal}}), t.fetched_at, TRUE, t.source
    FROM fact_corporate_action t
    WHERE (t.is_withdrawn IS NULL OR NOT t.is_withdrawn)
        AND NOT EXISTS (
            SELECT 1 FROM fact_action a WHERE a.uid = t.uid AND a.date = t.date AND a.kind = t.kind AND t.into_uid = t.uid);

-- What a run of the models made anew as a whole: of a mart, the rows with this in the first column of their key. Those that are
-- not there any more are taken from the readers by the next publish.
CREATE TABLE load_scope (
    mart {{text}} NOT NULL,
    load_id BIGINT NOT NULL,
    scope {{text}} NOT NULL,
    PRIMARY KEY (mart, load_id, scope)
){{clustered}};
