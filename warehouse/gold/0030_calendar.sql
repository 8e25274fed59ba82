-- Markets with new prices or holidays: from the year before the first one to the end of the year after the last; and so far that no
-- days are left between the new ones and those before, by whose first and last trading day days without prices are judged.
-- Days that a table tells are as it tells them; told prices make no days of a market whose days are told.
DELETE FROM stg_market;
INSERT INTO stg_market (market, from_date, to_date, read_from, read_to)
SELECT g.market, a.date, z.date, b.date, y.date
FROM (
    SELECT u.market,
        CASE WHEN k.last_date < min(u.from_date) THEN k.last_date ELSE min(u.from_date) END AS from_date,
        CASE WHEN k.first_date > max(u.to_date) THEN k.first_date ELSE max(u.to_date) END AS to_date
    FROM (
        SELECT i.market, t.from_date, t.to_date
        FROM stg_run r
        JOIN load_touch t ON t.load_id > r.since AND t.subject IN ('price', 'quote')
        JOIN dim_instrument i ON i.uid = t.touch_key
        WHERE t.subject = 'price' OR NOT EXISTS (SELECT 1 FROM fact_session s WHERE s.market = i.market)
        UNION ALL
        SELECT t.touch_key, t.from_date, t.to_date
        FROM stg_run r
        JOIN load_touch t ON t.load_id > r.since AND t.subject = 'holiday'
    ) u
    LEFT JOIN (
        SELECT market, max(first_date) AS first_date, min(last_date) AS last_date
        FROM (
            SELECT market, min(date) AS first_date, max(date) AS last_date FROM mart_calendar GROUP BY market
            UNION ALL
            SELECT market, min(date), max(date) FROM fact_trading_day GROUP BY market
        ) v
        GROUP BY market
    ) k ON k.market = u.market
    GROUP BY u.market, k.first_date, k.last_date
) g
JOIN dim_market m ON m.market = g.market
JOIN dim_date f ON f.date = g.from_date
JOIN dim_date l ON l.date = g.to_date
JOIN dim_date a ON a.date = CAST(CAST(f.year - 1 AS TEXT) || '-01-01' AS {{date}})
JOIN dim_date z ON z.date = CAST(CAST(l.year + 1 AS TEXT) || '-12-31' AS {{date}})
JOIN dim_date b ON b.day_number = a.day_number - 31
JOIN dim_date y ON y.day_number = z.day_number + 31;
-- only: postgresql
ANALYZE stg_market;
-- only: postgresql
ANALYZE dim_market;
INSERT INTO fact_trading_day (market, date)
SELECT DISTINCT i.market, p.date
FROM stg_run r
JOIN fact_price p ON p.load_id > r.since
JOIN dim_instrument i ON i.uid = p.uid
WHERE (p.quality IS NULL OR NOT EXISTS (SELECT 1 FROM fact_session s WHERE s.market = i.market))
    AND NOT EXISTS (SELECT 1 FROM fact_trading_day k WHERE k.market = i.market AND k.date = p.date);
DELETE FROM mart_calendar
WHERE EXISTS (
    SELECT 1 FROM stg_market s
    WHERE s.market = mart_calendar.market AND mart_calendar.date >= s.from_date AND mart_calendar.date <= s.to_date);
INSERT INTO mart_calendar (
    market, date, is_open, is_half_day, prev_open, next_open, is_week_end, is_month_end, is_quarter_end, is_year_end,
    close_at, source, load_id)
SELECT c.market, c.date, c.is_open = 1, FALSE, c.prev_open, c.next_open,
    c.is_open = 1 AND (c.next_open IS NULL OR c.next_open > c.week_end),
    c.is_open = 1 AND (c.next_open IS NULL OR c.next_open > c.month_end),
    c.is_open = 1 AND (c.next_open IS NULL OR c.next_open > c.quarter_end),
    c.is_open = 1 AND (c.next_open IS NULL OR c.next_open > c.year_end),
    CASE WHEN c.is_open = 1 THEN CAST(c.close_text AS {{instant}}) END,
    c.source, r.load_id
FROM (
    SELECT o.market, o.date, o.is_open, o.source, o.week_end, o.month_end, o.quarter_end, o.year_end, o.close_text,
        o.from_date, o.to_date,
        max(CASE WHEN o.is_open = 1 THEN o.date END) OVER (
            PARTITION BY o.market ORDER BY o.date ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS prev_open,
        min(CASE WHEN o.is_open = 1 THEN o.date END) OVER (
            PARTITION BY o.market ORDER BY o.date DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS next_open
    FROM (
        SELECT s.market, s.from_date, s.to_date, d.date, d.week_end, d.month_end, d.quarter_end, d.year_end,
            CASE
                WHEN k.is_open THEN 1
                WHEN k.market IS NOT NULL THEN 0
                WHEN m.has_weekends THEN 1
                WHEN d.weekday >= 5 OR h.market IS NOT NULL THEN 0
                WHEN y.market IS NOT NULL OR p.market IS NOT NULL THEN 1
                WHEN d.date >= b.first_day AND d.date <= b.last_day THEN 0
                ELSE 1
            END AS is_open,
            CASE WHEN y.market IS NOT NULL THEN 'holidays' ELSE 'derived' END AS source,
            CAST(d.date AS TEXT) || 'T' ||
                CASE
                    WHEN m.zone = 'us' AND d.is_summer_us THEN m.close_summer
                    WHEN m.zone = 'eu' AND d.is_summer_eu THEN m.close_summer
                    ELSE m.close_winter
                END || 'Z' AS close_text
        FROM stg_market s
        JOIN dim_market m ON m.market = s.market
        JOIN dim_date d ON d.date >= s.read_from AND d.date <= s.read_to
        LEFT JOIN fact_session k ON k.market = s.market AND k.date = d.date
        LEFT JOIN fact_holiday h ON h.market = s.market AND h.date = d.date
        LEFT JOIN (
            SELECT DISTINCT x.market, e.year
            FROM fact_holiday x
            JOIN dim_date e ON e.date = x.date
        ) y ON y.market = s.market AND y.year = d.year
        LEFT JOIN fact_trading_day p ON p.market = s.market AND p.date = d.date
        LEFT JOIN (
            SELECT market, min(date) AS first_day, max(date) AS last_day
            FROM fact_trading_day
            GROUP BY market
        ) b ON b.market = s.market
    ) o
) c
CROSS JOIN stg_run r
WHERE c.date >= c.from_date AND c.date <= c.to_date
    AND NOT EXISTS (SELECT 1 FROM fact_session k WHERE k.market = c.market AND k.date = c.date);
DELETE FROM mart_calendar
WHERE EXISTS (
    SELECT 1
    FROM stg_run r
    JOIN fact_session k ON k.load_id > r.since
    WHERE k.market = mart_calendar.market AND k.date = mart_calendar.date);
INSERT INTO mart_calendar (
    market, date, is_open, is_half_day, prev_open, next_open, is_week_end, is_month_end, is_quarter_end, is_year_end,
    close_at, source, load_id)
SELECT k.market, k.date, k.is_open, k.is_half_day, k.prev_open, k.next_open, k.is_week_end, k.is_month_end,
    k.is_quarter_end, k.is_year_end, k.close_at, k.source, r.load_id
FROM stg_run r
CROSS JOIN fact_session k
LEFT JOIN stg_market s ON s.market = k.market AND k.date >= s.from_date AND k.date <= s.to_date
WHERE k.load_id > r.since OR s.market IS NOT NULL;
