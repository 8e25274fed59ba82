-- Why: classes, industries and stocks want what was traded beside what was measured; to join each measure with its price again
-- was half of their time.

-- only: postgresql, redshift
SET LOCAL search_path TO gold, silver, staging;

-- As the source says, in the currency of the instrument. market_cap is a weight.
ALTER TABLE fact_price_measure ADD COLUMN value_traded {{decimal}};
ALTER TABLE fact_price_measure ADD COLUMN market_cap {{float}};
UPDATE fact_price_measure
SET value_traded = p.value_traded, market_cap = CAST(p.market_cap AS {{float}})
FROM fact_price p
WHERE p.uid = fact_price_measure.uid AND p.date = fact_price_measure.date;

DROP VIEW mart_stock_daily;
CREATE VIEW mart_stock_daily AS
    SELECT
        m.uid, m.date, i.symbol, COALESCE(n.market, i.market) AS market, i.name, n.industry, m.open, m.high, m.low,
        m.close, m.adj_close, m.volume, m.value_traded, m.ret_1d, m.ret_5d, m.ret_20d, m.ret_ytd, m.ma_5, m.ma_20,
        m.ma_60, m.ma_120, m.vol_20d, m.high_52w, m.low_52w, m.load_id
    FROM fact_price_measure m
    JOIN dim_instrument i ON i.uid = m.uid AND i.asset_class = 'stock'
    LEFT JOIN dim_industry n ON n.uid = m.uid AND n.from_date <= m.date AND n.to_date > m.date;
