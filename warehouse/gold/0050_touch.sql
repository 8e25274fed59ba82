-- Terms of bonds change what their prices mean, and so do descriptions.
INSERT INTO load_touch (load_id, subject, touch_key, from_date, to_date)
SELECT r.load_id, 'terms', b.uid, CAST('1900-01-01' AS {{date}}), CAST('2199-12-31' AS {{date}})
FROM stg_run r
JOIN (
    SELECT uid, load_id FROM dim_bond
    UNION
    SELECT uid, load_id FROM fact_description
) b ON b.load_id > r.since;
-- Whose prices are modelled again, and for which days. Nothing that is measured looks further back than 400 days, or is
-- felt more than 800 days later (the return of the year after). A change of actions or of the industry is felt everywhere.
DELETE FROM stg_touch;
INSERT INTO stg_touch (uid, from_date, to_date, lookback_date)
SELECT g.uid, g.from_date, z.date, a.date
FROM (
    SELECT uid, min(from_date) AS from_date, max(to_date) AS to_date
    FROM (
        SELECT t.touch_key AS uid, t.from_date, t.to_date
        FROM stg_run r
        JOIN load_touch t ON t.load_id > r.since AND t.subject IN ('price', 'quote', 'adjustment', 'industry', 'terms')
        UNION ALL
        SELECT i.uid, t.from_date, e.date
        FROM stg_run r
        JOIN load_touch t ON t.load_id > r.since AND t.subject = 'rates'
        JOIN dim_date d ON d.date = t.to_date
        JOIN dim_date e ON e.day_number = d.day_number + 7
        CROSS JOIN dim_instrument i
        UNION ALL
        SELECT i.uid, t.from_date, e.date
        FROM stg_run r
        JOIN load_touch t ON t.load_id > r.since AND t.subject IN ('price', 'quote')
        JOIN dim_benchmark b ON b.uid = t.touch_key
        JOIN dim_date d ON d.date = t.to_date
        JOIN dim_date e ON e.day_number = d.day_number + 7
        CROSS JOIN dim_instrument i
    ) u
    GROUP BY uid
) g
JOIN dim_date f ON f.date = g.from_date
JOIN dim_date l ON l.date = g.to_date
JOIN dim_date a ON a.day_number = CASE WHEN f.day_number < -25167 THEN -25567 ELSE f.day_number - 400 END
JOIN dim_date z ON z.day_number = CASE WHEN l.day_number > 83205 THEN 84005 ELSE l.day_number + 800 END
JOIN dim_instrument k ON k.uid = g.uid;
-- only: postgresql
ANALYZE stg_touch;
