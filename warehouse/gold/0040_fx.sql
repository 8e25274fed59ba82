-- Which source each pair has: the best one that ever gave it. A pair that changes its source is made anew as a whole.
DELETE FROM dim_fx_pair
WHERE EXISTS (
    SELECT 1
    FROM stg_run r
    JOIN fact_fx_rate f ON f.load_id > r.since
    WHERE f.base = dim_fx_pair.base AND f.quote = dim_fx_pair.quote
        AND CASE f.source WHEN 'frankfurter' THEN 1 WHEN 'ecos' THEN 2 WHEN 'yahoo' THEN 3 ELSE 4 END < dim_fx_pair.place);
INSERT INTO dim_fx_pair (base, quote, place, source, load_id)
SELECT c.base, c.quote, c.place, c.source, c.load_id
FROM (
    SELECT f.base, f.quote, f.source, r.load_id, f.place,
        row_number() OVER (PARTITION BY f.base, f.quote ORDER BY f.place, f.source) AS pick
    FROM (
        SELECT DISTINCT base, quote, source,
            CASE source WHEN 'frankfurter' THEN 1 WHEN 'ecos' THEN 2 WHEN 'yahoo' THEN 3 ELSE 4 END AS place
        FROM fact_fx_rate x
        CROSS JOIN stg_run r
        WHERE x.load_id > r.since
    ) f
    CROSS JOIN stg_run r
    WHERE NOT EXISTS (SELECT 1 FROM dim_fx_pair k WHERE k.base = f.base AND k.quote = f.quote)
) c
WHERE c.pick = 1;
DELETE FROM stg_day;
INSERT INTO stg_day (day)
SELECT x.date
FROM fact_fx_rate x
CROSS JOIN stg_run r
WHERE x.load_id > r.since
UNION
SELECT f.date
FROM dim_fx_pair k
JOIN fact_fx_rate f ON f.base = k.base AND f.quote = k.quote
WHERE k.load_id = (SELECT load_id FROM stg_run);
-- only: postgresql
ANALYZE stg_day;
INSERT INTO load_touch (load_id, subject, touch_key, from_date, to_date)
SELECT r.load_id, 'rates', 'all', min(d.day), max(d.day)
FROM stg_day d
CROSS JOIN stg_run r
GROUP BY r.load_id;
DELETE FROM mart_fx_daily WHERE date IN (SELECT day FROM stg_day);
INSERT INTO mart_fx_daily (base, quote, date, rate, is_cross, source, is_filled, known_at, load_id)
SELECT f.base, f.quote, f.date, f.rate, FALSE, f.source, FALSE,
    CAST(CAST(f.date AS TEXT) ||
        CASE WHEN k.source IN ('frankfurter', 'ecb') AND c.is_summer_eu THEN 'T14:00:00Z' ELSE 'T15:00:00Z' END AS {{instant}}),
    r.load_id
FROM stg_day d
JOIN dim_date c ON c.date = d.day
JOIN fact_fx_rate f ON f.date = d.day
JOIN dim_fx_pair k ON k.base = f.base AND k.quote = f.quote AND k.source = f.source
CROSS JOIN stg_run r
WHERE f.base <> f.quote;
-- What the won and the dollar cost in every currency, through the euro, where no source says it. One source for both legs.
INSERT INTO mart_fx_daily (base, quote, date, rate, is_cross, source, is_filled, known_at, load_id)
SELECT b.quote, a.quote, a.date, to_decimal(CAST(a.rate AS {{float}}) / CAST(b.rate AS {{float}})), TRUE, a.source,
    FALSE, a.known_at, r.load_id
FROM stg_day d
JOIN mart_fx_daily a ON a.date = d.day AND a.base = 'EUR' AND a.quote IN ('KRW', 'USD')
JOIN mart_fx_daily b ON b.date = d.day AND b.base = 'EUR' AND b.quote <> a.quote AND b.source = a.source
CROSS JOIN stg_run r
WHERE NOT a.is_cross AND NOT b.is_cross
    AND NOT EXISTS (
        SELECT 1 FROM mart_fx_daily k WHERE k.base = b.quote AND k.quote = a.quote AND k.date = a.date);
