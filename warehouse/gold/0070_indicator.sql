-- Series with new observations are made anew: a vintage is kept where it says something else than the one before it.
-- One that came late may make a newer one say nothing: the series is published as a whole.
DELETE FROM stg_uid;
INSERT INTO stg_uid (uid)
SELECT DISTINCT t.touch_key
FROM stg_run r
JOIN load_touch t ON t.load_id > r.since AND t.subject = 'observation';
INSERT INTO load_scope (mart, load_id, scope)
SELECT DISTINCT 'mart_economic_indicator', r.load_id, m.stat_code
FROM stg_uid u
JOIN mart_economic_indicator m ON m.stat_code = u.uid
CROSS JOIN stg_run r;
DELETE FROM mart_economic_indicator WHERE stat_code IN (SELECT uid FROM stg_uid);
INSERT INTO mart_economic_indicator (
    stat_code, country_code, frequency, period, vintage, stat_name, unit, country_name, period_start, period_end, value,
    is_latest_vintage, source, known_at, load_id)
SELECT o.series, COALESCE(k.iso3, CASE o.area WHEN '-' THEN 'USA' ELSE o.area END), o.frequency,
    CASE o.frequency
        WHEN 'A' THEN substr(CAST(o.period_start AS TEXT), 1, 4)
        WHEN 'Q' THEN d.quarter_id
        WHEN 'M' THEN d.month_id
        ELSE CAST(o.period_start AS TEXT)
    END,
    o.vintage, COALESCE(o.series_name, o.series), o.unit, COALESCE(k.name, o.area_name), o.period_start, o.period_end,
    o.value, o.next_vintage IS NULL, o.source, CAST(CAST(o.vintage AS TEXT) || 'T23:00:00Z' AS {{instant}}), r.load_id
FROM (
    SELECT c.series, c.area, c.frequency, c.vintage, c.series_name, c.unit, c.area_name, c.period_start, c.period_end,
        c.value, c.source,
        lead(c.vintage) OVER (PARTITION BY c.series, c.area, c.frequency, c.period_start ORDER BY c.vintage) AS next_vintage
    FROM (
        SELECT f.series, f.area, f.frequency, f.vintage, f.series_name, f.unit, f.area_name, f.period_start, f.period_end,
            f.value, f.source, COALESCE(CAST(f.value AS TEXT), '') AS now,
            lag(COALESCE(CAST(f.value AS TEXT), '')) OVER (
                PARTITION BY f.series, f.area, f.frequency, f.period_start ORDER BY f.vintage) AS before
        FROM fact_observation f
        JOIN stg_uid u ON u.uid = f.series
    ) c
    WHERE c.before IS NULL OR c.before <> c.now
) o
CROSS JOIN stg_run r
JOIN dim_date d ON d.date = o.period_start
LEFT JOIN dim_country k ON k.iso2 = o.area OR k.iso3 = o.area;
