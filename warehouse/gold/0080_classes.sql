-- The days on which some price was measured again, by this run, for none has been since: classes and industries are summed up anew
-- for them. (r.load_id would be a number that planners do not know: they would read all measures for it.)
-- Means are rounded to 12 digits behind the point: the order of a sum is the database's own.
DELETE FROM stg_day;
INSERT INTO stg_day (day)
SELECT DISTINCT m.date
FROM stg_run r
JOIN fact_price_measure m ON m.load_id > r.since;
-- only: postgresql
ANALYZE stg_day;
-- A class and market is a number, kind, while its prices are sorted: a quarter less time than with the texts.
DELETE FROM mart_asset_class_daily WHERE date IN (SELECT day FROM stg_day);
INSERT INTO mart_asset_class_daily (
    date, asset_class, market, n_instruments, n_up, n_down, n_flat, ret_mean, ret_median, ret_cap_weighted,
    value_traded_krw, load_id)
SELECT c.date, min(c.asset_class), min(c.market), count(*),
    sum(CASE WHEN c.ret_1d > 0 THEN 1 ELSE 0 END),
    sum(CASE WHEN c.ret_1d < 0 THEN 1 ELSE 0 END),
    sum(CASE WHEN c.ret_1d = 0 THEN 1 ELSE 0 END),
    CAST(round(CAST(avg(c.ret_1d) AS {{decimal}}), 12) AS {{float}}),
    avg(CASE WHEN c.place * 2 IN (c.n_ret, c.n_ret + 1, c.n_ret + 2) THEN c.ret_1d END),
    CAST(round(CAST(sum(c.ret_1d * c.cap) / sum(CASE WHEN c.ret_1d IS NULL THEN NULL ELSE c.cap END) AS {{decimal}}), 12)
        AS {{float}}),
    CAST(round(CAST(sum(c.value_krw) AS {{decimal}}), 0) AS {{float}}),
    max(c.load_id)
FROM (
    SELECT m.date, i.kind, i.asset_class, i.market, m.ret_1d, r.load_id,
        CAST(p.market_cap AS {{float}}) AS cap, CAST(p.value_traded AS {{float}}) * m.fx_krw AS value_krw,
        CASE WHEN m.ret_1d IS NOT NULL THEN row_number() OVER (
            PARTITION BY m.date, i.kind, CASE WHEN m.ret_1d IS NULL THEN 1 ELSE 0 END
            ORDER BY m.ret_1d) END AS place,
        count(m.ret_1d) OVER (PARTITION BY m.date, i.kind) AS n_ret
    FROM stg_day d
    JOIN fact_price_measure m ON m.date = d.day
    JOIN (
        SELECT uid, asset_class, COALESCE(market, '-') AS market,
            dense_rank() OVER (ORDER BY asset_class, COALESCE(market, '-')) AS kind
        FROM dim_instrument
    ) i ON i.uid = m.uid
    JOIN fact_price p ON p.uid = m.uid AND p.date = m.date
    CROSS JOIN stg_run r
) c
GROUP BY c.date, c.kind;
UPDATE mart_stock_industry_daily
SET n_items = 0, n_up = 0, n_down = 0, ret_mean = NULL, ret_median = NULL, value_traded = NULL,
    load_id = (SELECT load_id FROM stg_run)
WHERE date IN (SELECT day FROM stg_day);
DELETE FROM mart_stock_industry_daily
WHERE date IN (SELECT day FROM stg_day)
    AND EXISTS (
        SELECT 1
        FROM fact_price_measure m
        JOIN dim_industry n ON n.uid = m.uid AND n.from_date <= m.date AND n.to_date > m.date
        WHERE m.date = mart_stock_industry_daily.date AND n.market = mart_stock_industry_daily.market
            AND n.industry = mart_stock_industry_daily.industry);
INSERT INTO mart_stock_industry_daily (
    date, market, industry, n_items, n_up, n_down, ret_mean, ret_median, value_traded, load_id)
SELECT c.date, c.market, c.industry, count(*),
    sum(CASE WHEN c.ret_1d > 0 THEN 1 ELSE 0 END),
    sum(CASE WHEN c.ret_1d < 0 THEN 1 ELSE 0 END),
    CAST(round(CAST(avg(c.ret_1d) AS {{decimal}}), 12) AS {{float}}),
    avg(CASE WHEN c.place * 2 IN (c.n_ret, c.n_ret + 1, c.n_ret + 2) THEN c.ret_1d END),
    CAST(round(CAST(sum(c.value_traded) AS {{decimal}}), 0) AS {{float}}),
    max(c.load_id)
FROM (
    SELECT m.date, n.market, n.industry, m.ret_1d, r.load_id, CAST(p.value_traded AS {{float}}) AS value_traded,
        CASE WHEN m.ret_1d IS NOT NULL THEN row_number() OVER (
            PARTITION BY m.date, n.market, n.industry, CASE WHEN m.ret_1d IS NULL THEN 1 ELSE 0 END
            ORDER BY m.ret_1d, m.uid) END AS place,
        count(m.ret_1d) OVER (PARTITION BY m.date, n.market, n.industry) AS n_ret
    FROM stg_day d
    JOIN fact_price_measure m ON m.date = d.day
    JOIN dim_industry n ON n.uid = m.uid AND n.from_date <= m.date AND n.to_date > m.date
    JOIN fact_price p ON p.uid = m.uid AND p.date = m.date
    CROSS JOIN stg_run r
    WHERE n.industry IS NOT NULL
) c
GROUP BY c.date, c.market, c.industry;
