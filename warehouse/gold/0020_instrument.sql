-- Instruments are few: made anew as a whole.
DELETE FROM dim_instrument;
INSERT INTO dim_instrument (
    uid, asset_class, symbol, name, name_local, market, country, currency, isin, sector, industry, source, source_symbol,
    quote_unit, price_basis, is_active, delisted_on, delisting_return, is_survivor_biased, coupon_rate,
    coupons_per_year, maturity_date, day_count, load_id)
SELECT f.uid, f.asset_class,
    CASE WHEN d.dataset IS NULL THEN substr(f.uid, length(f.asset_class) + 2) ELSE f.symbol END,
    COALESCE(n.name, b.name, f.name, f.symbol),
    CASE WHEN d.country = 'KR' THEN f.name END,
    COALESCE(n.market, d.market, 'XNYS'),
    COALESCE(n.country, k.iso2, d.country),
    COALESCE(n.currency, b.currency, f.currency, d.currency, 'USD'),
    COALESCE(f.isin, b.isin), NULL, i.industry, f.source, f.source_symbol,
    COALESCE(d.quote_unit, CASE f.asset_class WHEN 'bond' THEN 'pct_of_par' WHEN 'index' THEN 'points' ELSE 'price' END),
    CASE f.asset_class WHEN 'stock' THEN 'adjusted' WHEN 'etf' THEN 'adjusted' WHEN 'bond' THEN 'raw' ELSE 'price' END,
    CASE WHEN b.maturity_date <= f.last_day THEN FALSE ELSE TRUE END,
    CASE WHEN b.maturity_date <= f.last_day THEN b.maturity_date END,
    CASE WHEN b.maturity_date <= f.last_day THEN 0 END,
    CASE WHEN f.dataset IN ('us_stock', 'us_etf', 'coin') THEN TRUE ELSE FALSE END,
    to_decimal(CAST(b.coupon AS {{float}}) / 100),
    CASE WHEN b.coupon IS NULL THEN NULL ELSE CAST(CAST(b.payments_per_year AS {{float}}) AS BIGINT) END,
    b.maturity_date,
    CASE WHEN b.uid IS NOT NULL THEN 'act_act_icma' END,
    r.load_id
FROM (
    SELECT uid, dataset, symbol, source_symbol, name, isin, currency, source,
        CAST(substr(CAST(fetched_at AS TEXT), 1, 10) AS {{date}}) AS last_day,
        CASE
            WHEN uid LIKE 'stock:%' THEN 'stock'
            WHEN uid LIKE 'etf:%' THEN 'etf'
            WHEN uid LIKE 'bond:%' THEN 'bond'
            WHEN uid LIKE 'coin:%' THEN 'coin'
            WHEN uid LIKE 'commodity:%' THEN 'commodity'
            WHEN uid LIKE 'fx:%' THEN 'fx'
            ELSE 'index'
        END AS asset_class
    FROM fact_instrument
) f
CROSS JOIN stg_run r
LEFT JOIN dim_dataset d ON d.dataset = f.dataset
LEFT JOIN dim_name n ON n.uid = f.uid
LEFT JOIN dim_bond b ON b.uid = f.uid
LEFT JOIN dim_country k ON k.name = b.country OR k.iso2 = b.country
LEFT JOIN dim_industry i ON i.uid = f.uid AND i.to_date = CAST('2199-12-31' AS {{date}})
WHERE NOT EXISTS (SELECT 1 FROM fact_description t WHERE t.uid = f.uid);
-- Whoever describes an instrument says everything of it.
INSERT INTO dim_instrument (
    uid, asset_class, symbol, name, name_local, market, country, currency, isin, sector, industry, source, source_symbol,
    quote_unit, price_basis, is_active, delisted_on, delisting_return, is_survivor_biased, coupon_rate,
    coupons_per_year, maturity_date, day_count, load_id)
SELECT t.uid, t.asset_class, t.symbol, t.name, t.name_local, t.market, t.country, t.currency, t.isin, t.sector,
    t.industry, t.source, t.source_symbol, t.quote_unit, t.price_basis, t.is_active, t.delisted_on, t.delisting_return,
    t.is_survivor_biased, t.coupon_rate, t.coupons_per_year, t.maturity_date, t.day_count, r.load_id
FROM fact_description t
CROSS JOIN stg_run r;
-- only: postgresql
ANALYZE dim_instrument;
