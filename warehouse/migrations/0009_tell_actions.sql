-- Why: bars say when a share pays or splits, not when the payment comes or what becomes of a share: tables tell it, and the mart of
-- corporate actions is filled by both.

-- only: postgresql, redshift
SET LOCAL search_path TO gold, silver, staging;

CREATE TABLE fact_corporate_action (
    uid {{text}} NOT NULL,
    date {{date}} NOT NULL,
    kind {{text}} NOT NULL,
    into_uid {{text}} NOT NULL,
    pay_date {{date}},
    ratio {{decimal}},
    cash {{decimal}},
    dataset {{text}} NOT NULL,
    source {{text}} NOT NULL,
    fetched_at {{instant}} NOT NULL,
    row_hash BIGINT NOT NULL,
    load_id BIGINT NOT NULL,
    PRIMARY KEY (uid, date, kind, into_uid)
){{clustered}};

-- Each action once: as its source says, but for what a table tells of it. numerator is the ratio where denominator is NULL.
-- cash_at: when the amount was told; is_told: by a table, in the units of the prices around it.
CREATE VIEW dim_action AS
    SELECT
        a.uid, a.date, a.kind, a.uid AS into_uid, t.pay_date, COALESCE(t.cash, a.amount) AS cash,
        COALESCE(t.ratio, a.numerator) AS numerator, CASE WHEN t.ratio IS NULL THEN a.denominator END AS denominator,
        CASE WHEN t.cash IS NULL THEN a.fetched_at ELSE t.fetched_at END AS cash_at,
        CASE WHEN t.cash IS NULL THEN FALSE ELSE TRUE END AS is_told,
        CASE WHEN t.cash IS NULL AND t.ratio IS NULL THEN a.source ELSE t.source END AS source
    FROM fact_action a
    LEFT JOIN fact_corporate_action t ON t.uid = a.uid AND t.date = a.date AND t.kind = a.kind AND t.into_uid = a.uid
    UNION ALL
    SELECT
        t.uid, t.date, t.kind, t.into_uid, t.pay_date, t.cash, t.ratio, CAST(NULL AS {{decimal}}), t.fetched_at, TRUE, t.source
    FROM fact_corporate_action t
    WHERE NOT EXISTS (
        SELECT 1 FROM fact_action a WHERE a.uid = t.uid AND a.date = t.date AND a.kind = t.kind AND t.into_uid = t.uid);

-- Those whose instruments are known. cash and ratio are in the units and currency of mart_price_daily.
CREATE TABLE mart_corporate_action (
    uid {{text}} NOT NULL,
    date {{date}} NOT NULL,
    kind {{text}} NOT NULL,
    into_uid {{text}} NOT NULL,
    pay_date {{date}},
    ratio {{decimal}},
    cash {{decimal}},
    source {{text}} NOT NULL,
    load_id BIGINT NOT NULL,
    PRIMARY KEY (uid, date, kind, into_uid)
){{clustered}};
CREATE INDEX mart_corporate_action_load ON mart_corporate_action (load_id);

-- An action of an instrument that nobody knows waits for it.
INSERT INTO dim_reference (dataset, reason, verdict) VALUES ('table_action', 'no-instrument', 'warn');
