-- Whose listing says something else than before, or something about an earlier day: their intervals are made anew.
DELETE FROM stg_uid;
INSERT INTO stg_uid (uid)
SELECT DISTINCT l.uid
FROM stg_run r
JOIN load_touch t ON t.load_id > r.since AND t.subject = 'listing'
JOIN fact_listing l ON l.uid = t.touch_key AND l.date >= t.from_date AND l.date <= t.to_date
LEFT JOIN dim_industry i ON i.uid = l.uid AND i.to_date = CAST('2199-12-31' AS {{date}})
WHERE i.uid IS NULL OR l.date < i.from_date OR i.market <> l.market
    OR COALESCE(i.industry, '') <> COALESCE(l.industry, '');
INSERT INTO load_touch (load_id, subject, touch_key, from_date, to_date)
SELECT r.load_id, 'industry', u.uid, CAST('1900-01-01' AS {{date}}), CAST('2199-12-31' AS {{date}})
FROM stg_run r
CROSS JOIN stg_uid u;
DELETE FROM dim_industry WHERE uid IN (SELECT uid FROM stg_uid);
INSERT INTO dim_industry (uid, from_date, to_date, market, industry, load_id)
SELECT c.uid, c.date, COALESCE(lead(c.date) OVER (PARTITION BY c.uid ORDER BY c.date), CAST('2199-12-31' AS {{date}})),
    c.market, c.industry, r.load_id
FROM (
    SELECT l.uid, l.date, l.market, l.industry, l.market || '|' || COALESCE(l.industry, '') AS now,
        lag(l.market || '|' || COALESCE(l.industry, '')) OVER (PARTITION BY l.uid ORDER BY l.date) AS before
    FROM fact_listing l
    JOIN stg_uid u ON u.uid = l.uid
) c
CROSS JOIN stg_run r
WHERE c.before IS NULL OR c.before <> c.now;
-- Many warehouses have none: planners have to be told.
-- only: postgresql
ANALYZE dim_industry;
