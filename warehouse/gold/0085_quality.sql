-- Jumps of the days that were measured again (stg_day is that of the classes): few, so that their data sets are looked up.
DELETE FROM stg_quality;
INSERT INTO stg_quality (dataset, ymd, n_jumps)
SELECT q.dataset, q.ymd, COALESCE(j.n_jumps, 0)
FROM load_quality q
LEFT JOIN (
    SELECT p.dataset, p.date, count(*) AS n_jumps
    FROM stg_day d
    JOIN fact_price_measure m ON m.date = d.day
    JOIN fact_price p ON p.uid = m.uid AND p.date = m.date
    WHERE m.ret_1d > 4 OR m.ret_1d < -0.8
    GROUP BY p.dataset, p.date
) j ON j.dataset = q.dataset AND j.date = q.ymd
WHERE q.ymd IN (SELECT day FROM stg_day);
UPDATE load_quality
SET n_jumps = q.n_jumps, load_id = r.load_id
FROM stg_quality q
CROSS JOIN stg_run r
WHERE q.dataset = load_quality.dataset AND q.ymd = load_quality.ymd AND q.n_jumps <> load_quality.n_jumps;
-- only: postgresql
ANALYZE dim_dataset;
-- only: postgresql
ANALYZE load_quality;
-- Open days between the first and the last one of a data set that have no rows; a day that turns out closed is no gap. They are
-- looked for between the days with rows that lie around those of the new loads, and where the calendar was made anew.
UPDATE load_quality
SET status = 'ok', reason = NULL, load_id = r.load_id
FROM stg_market s
JOIN dim_dataset d ON d.market = s.market
JOIN mart_calendar c ON c.market = s.market
CROSS JOIN stg_run r
WHERE load_quality.dataset = d.dataset AND load_quality.ymd = c.date AND load_quality.reason = 'gap' AND NOT c.is_open;
DELETE FROM stg_span;
INSERT INTO stg_span (dataset, market, from_date, to_date)
SELECT u.dataset, d.market,
    min(CASE WHEN u.from_date > l.first_day THEN u.from_date ELSE l.first_day END),
    max(CASE WHEN u.to_date < l.last_day THEN u.to_date ELSE l.last_day END)
FROM (
    SELECT t.dataset,
        COALESCE(max(CASE WHEN q.ymd < t.first_day THEN q.ymd END), t.first_day) AS from_date,
        COALESCE(min(CASE WHEN q.ymd > t.last_day THEN q.ymd END), t.last_day) AS to_date
    FROM (
        SELECT o.dataset, min(o.ymd) AS first_day, max(o.ymd) AS last_day
        FROM stg_run r
        JOIN load_object o ON o.load_id > r.since
        GROUP BY o.dataset
    ) t
    JOIN load_quality q ON q.dataset = t.dataset AND q.n_rows > 0
    GROUP BY t.dataset, t.first_day, t.last_day
    UNION ALL
    SELECT e.dataset, s.from_date, s.to_date
    FROM stg_market s
    JOIN dim_dataset e ON e.market = s.market
) u
JOIN dim_dataset d ON d.dataset = u.dataset
JOIN (
    SELECT dataset, min(ymd) AS first_day, max(ymd) AS last_day
    FROM load_quality
    WHERE n_rows > 0
    GROUP BY dataset
) l ON l.dataset = u.dataset
GROUP BY u.dataset, d.market;
INSERT INTO load_quality (
    dataset, ymd, expected_rows, n_rows, n_duplicates, n_nulls, n_rejected, n_out_of_range, n_jumps, status, reason,
    fetched_at, load_id)
SELECT s.dataset, c.date, NULL, 0, 0, 0, 0, 0, 0, 'warn', 'gap', NULL, r.load_id
FROM stg_span s
JOIN mart_calendar c ON c.market = s.market AND c.date >= s.from_date AND c.date <= s.to_date
CROSS JOIN stg_run r
WHERE c.is_open
    AND NOT EXISTS (SELECT 1 FROM load_quality q WHERE q.dataset = s.dataset AND q.ymd = c.date);
UPDATE load_quality
SET status = 'warn', reason = 'gap', load_id = r.load_id
FROM stg_span s
JOIN mart_calendar c ON c.market = s.market AND c.is_open
CROSS JOIN stg_run r
WHERE load_quality.dataset = s.dataset AND load_quality.ymd = c.date AND c.date >= s.from_date AND c.date <= s.to_date
    AND load_quality.fetched_at IS NULL AND load_quality.status = 'ok';
-- Facts that refer to what is not there: kept in load_orphan until it is.
DELETE FROM load_orphan
WHERE reason = 'no-instrument' AND orphan_key IN (SELECT uid FROM dim_instrument);
DELETE FROM load_orphan
WHERE reason = 'no-terms' AND orphan_key IN (SELECT uid FROM dim_bond);
DELETE FROM load_orphan
WHERE reason = 'closed-day' AND EXISTS (
    SELECT 1
    FROM dim_instrument i
    JOIN mart_calendar c ON c.market = i.market
    WHERE i.uid = load_orphan.orphan_key AND c.date = load_orphan.ymd AND c.is_open);
DELETE FROM load_orphan WHERE reason = 'no-parent';
DELETE FROM load_orphan
WHERE dataset = 'table_action' AND (orphan_key, ymd) NOT IN (
    SELECT uid, date FROM fact_corporate_action WHERE is_withdrawn IS NULL OR NOT is_withdrawn
    UNION
    SELECT into_uid, date FROM fact_corporate_action WHERE is_withdrawn IS NULL OR NOT is_withdrawn);
-- Few days, if any, have prices while their market was closed: found first, they are what planners begin with.
DELETE FROM stg_day;
INSERT INTO stg_day (day)
SELECT DISTINCT k.date
FROM stg_market s
JOIN fact_trading_day k ON k.market = s.market AND k.date >= s.from_date AND k.date <= s.to_date
JOIN mart_calendar c ON c.market = k.market AND c.date = k.date
WHERE NOT c.is_open;
-- only: postgresql
ANALYZE stg_day;
DELETE FROM stg_orphan;
INSERT INTO stg_orphan (dataset, ymd, orphan_key, reason)
SELECT DISTINCT a.dataset || '_action', a.date, a.uid, 'no-instrument'
FROM stg_run r
JOIN load_touch t ON t.load_id > r.since AND t.subject = 'action'
JOIN fact_action a ON a.uid = t.touch_key AND a.date >= t.from_date AND a.date <= t.to_date
LEFT JOIN dim_instrument i ON i.uid = a.uid
WHERE i.uid IS NULL
UNION ALL
SELECT q.dataset, q.date, q.uid, 'no-instrument'
FROM (
    SELECT a.dataset, a.date, a.uid
    FROM stg_run r
    JOIN load_touch t ON t.load_id > r.since AND t.subject = 'action'
    JOIN fact_corporate_action a ON a.uid = t.touch_key AND a.date >= t.from_date AND a.date <= t.to_date
    WHERE a.is_withdrawn IS NULL OR NOT a.is_withdrawn
    UNION
    SELECT a.dataset, a.date, a.into_uid
    FROM stg_run r
    JOIN load_touch t ON t.load_id > r.since AND t.subject = 'action'
    JOIN fact_corporate_action a ON a.uid = t.touch_key AND a.date >= t.from_date AND a.date <= t.to_date
    WHERE a.is_withdrawn IS NULL OR NOT a.is_withdrawn
) q
LEFT JOIN dim_instrument i ON i.uid = q.uid
WHERE i.uid IS NULL
UNION ALL
SELECT DISTINCT p.dataset, p.date, p.uid, 'no-terms'
FROM stg_run r
JOIN load_touch t ON t.load_id > r.since AND t.subject = 'price' AND t.touch_key LIKE 'bond:%'
JOIN fact_price p ON p.uid = t.touch_key AND p.date >= t.from_date AND p.date <= t.to_date
LEFT JOIN dim_bond b ON b.uid = p.uid
WHERE b.uid IS NULL
UNION ALL
SELECT DISTINCT p.dataset, p.date, p.uid, 'closed-day'
FROM stg_day d
JOIN fact_trading_day k ON k.date = d.day
JOIN stg_market s ON s.market = k.market AND k.date >= s.from_date AND k.date <= s.to_date
JOIN mart_calendar c ON c.market = k.market AND c.date = k.date AND NOT c.is_open
JOIN fact_price_measure m ON m.date = k.date
JOIN dim_instrument i ON i.uid = m.uid AND i.market = k.market
JOIN fact_price p ON p.uid = m.uid AND p.date = m.date
UNION ALL
SELECT DISTINCT o.dataset, o.period_start, o.area, 'no-area'
FROM stg_run r
JOIN fact_observation o ON o.load_id > r.since AND o.area <> '-'
LEFT JOIN dim_country n ON n.iso2 = o.area OR n.iso3 = o.area
WHERE n.iso2 IS NULL
UNION ALL
SELECT c.dataset, c.date, c.scheme || ':' || c.code, 'no-parent'
FROM dim_code c
LEFT JOIN dim_code b ON b.scheme = c.scheme AND b.code = substr(c.code, 1, length(c.code) - 2)
WHERE c.dataset = 'gics' AND length(c.code) > 2 AND b.code IS NULL;
INSERT INTO load_orphan (dataset, ymd, orphan_key, reason)
SELECT s.dataset, s.ymd, s.orphan_key, s.reason
FROM stg_orphan s
JOIN dim_reference d ON d.dataset = s.dataset AND d.reason = s.reason
LEFT JOIN load_orphan o
    ON o.dataset = s.dataset AND o.ymd = s.ymd AND o.orphan_key = s.orphan_key AND o.reason = s.reason
WHERE o.dataset IS NULL;
DELETE FROM stg_orphan_day;
INSERT INTO stg_orphan_day (dataset, ymd, n_orphans, reason, verdict)
SELECT o.dataset, o.ymd, count(*),
    COALESCE(min(CASE WHEN d.verdict = 'fail' THEN o.reason END), min(o.reason)), min(d.verdict)
FROM load_orphan o
JOIN dim_reference d ON d.dataset = o.dataset AND d.reason = o.reason
GROUP BY o.dataset, o.ymd;
UPDATE load_quality
SET n_orphans = 0, orphan_reason = NULL, orphan_verdict = NULL, load_id = (SELECT load_id FROM stg_run)
WHERE n_orphans > 0
    AND NOT EXISTS (SELECT 1 FROM stg_orphan_day s WHERE s.dataset = load_quality.dataset AND s.ymd = load_quality.ymd);
UPDATE load_quality
SET n_orphans = s.n_orphans, orphan_reason = s.reason, orphan_verdict = s.verdict, load_id = r.load_id
FROM stg_orphan_day s
CROSS JOIN stg_run r
WHERE s.dataset = load_quality.dataset AND s.ymd = load_quality.ymd
    AND (load_quality.n_orphans <> s.n_orphans OR load_quality.orphan_reason <> s.reason
        OR load_quality.orphan_verdict <> s.verdict);
