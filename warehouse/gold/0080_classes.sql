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
-- A day on which nobody is of a class, market or industry any more is published as a whole, so that readers lose the row, too.
-- A day of a class and market is a number, slot, with a half for the prices that have no return: they are sorted by it and by
-- what they returned alone. Two prices in three are told apart by the number, where a day, a class and a market took three looks.
INSERT INTO load_scope (mart, load_id, scope)
SELECT DISTINCT 'mart_asset_class_daily', r.load_id, CAST(o.date AS TEXT)
FROM stg_day d
JOIN mart_asset_class_daily o ON o.date = d.day
CROSS JOIN stg_run r
WHERE NOT EXISTS (
    SELECT 1
    FROM fact_price_measure m
    JOIN dim_instrument i ON i.uid = m.uid
    WHERE m.date = o.date AND i.asset_class = o.asset_class AND COALESCE(i.market, '-') = o.market);
DELETE FROM mart_asset_class_daily WHERE date IN (SELECT day FROM stg_day);
INSERT INTO mart_asset_class_daily (
    date, asset_class, market, n_instruments, n_up, n_down, n_flat, ret_mean, ret_median, ret_cap_weighted,
    value_traded_krw, load_id)
SELECT min(c.date), min(c.asset_class), min(c.market), count(*),
    sum(CASE WHEN c.ret_1d > 0 THEN 1 ELSE 0 END),
    sum(CASE WHEN c.ret_1d < 0 THEN 1 ELSE 0 END),
    sum(CASE WHEN c.ret_1d = 0 THEN 1 ELSE 0 END),
    CAST(round(CAST(avg(c.ret_1d) AS {{decimal}}), 12) AS {{float}}),
    avg(CASE WHEN c.place * 2 IN (c.n, c.n + 1, c.n + 2) THEN c.ret_1d END),
    CAST(round(CAST(sum(c.ret_1d * c.cap) / sum(CASE WHEN c.ret_1d IS NULL THEN NULL ELSE c.cap END) AS {{decimal}}), 12)
        AS {{float}}),
    CAST(round(CAST(sum(c.value_krw) AS {{decimal}}), 0) AS {{float}}),
    max(c.load_id)
FROM (
    SELECT p.date, p.asset_class, p.market, p.ret_1d, p.load_id, p.cap, p.value_krw, p.slot,
        row_number() OVER (PARTITION BY p.slot ORDER BY p.ret_1d) AS place,
        count(*) OVER (PARTITION BY p.slot) AS n
    FROM (
        SELECT m.date, i.asset_class, i.market, m.ret_1d, r.load_id, m.market_cap AS cap,
            CAST(m.value_traded AS {{float}}) * m.fx_krw AS value_krw,
            (d.place * i.n_kinds + i.kind) * 2 + CASE WHEN m.ret_1d IS NULL THEN 1 ELSE 0 END AS slot
        FROM (SELECT day, row_number() OVER (ORDER BY day) AS place FROM stg_day) d
        JOIN fact_price_measure m ON m.date = d.day
        JOIN (
            SELECT uid, asset_class, market, kind, max(kind) OVER () + 1 AS n_kinds
            FROM (
                SELECT uid, asset_class, COALESCE(market, '-') AS market,
                    dense_rank() OVER (ORDER BY asset_class, COALESCE(market, '-')) AS kind
                FROM dim_instrument
            ) k
        ) i ON i.uid = m.uid
        CROSS JOIN stg_run r
    ) p
) c
GROUP BY c.slot / 2;
INSERT INTO load_scope (mart, load_id, scope)
SELECT DISTINCT 'mart_stock_industry_daily', r.load_id, CAST(o.date AS TEXT)
FROM stg_day d
JOIN mart_stock_industry_daily o ON o.date = d.day
CROSS JOIN stg_run r
WHERE NOT EXISTS (
    SELECT 1
    FROM fact_price_measure m
    JOIN dim_industry n ON n.uid = m.uid AND n.from_date <= m.date AND n.to_date > m.date
    WHERE m.date = o.date AND n.market = o.market AND n.industry = o.industry);
DELETE FROM mart_stock_industry_daily WHERE date IN (SELECT day FROM stg_day);
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
    SELECT m.date, n.market, n.industry, m.ret_1d, r.load_id, CAST(m.value_traded AS {{float}}) AS value_traded,
        CASE WHEN m.ret_1d IS NOT NULL THEN row_number() OVER (
            PARTITION BY m.date, n.market, n.industry, CASE WHEN m.ret_1d IS NULL THEN 1 ELSE 0 END
            ORDER BY m.ret_1d, m.uid) END AS place,
        count(m.ret_1d) OVER (PARTITION BY m.date, n.market, n.industry) AS n_ret
    FROM stg_day d
    JOIN fact_price_measure m ON m.date = d.day
    JOIN dim_industry n ON n.uid = m.uid AND n.from_date <= m.date AND n.to_date > m.date
    CROSS JOIN stg_run r
    WHERE n.industry IS NOT NULL
) c
GROUP BY c.date, c.market, c.industry;
