-- Jumps of the days that were measured again (stg_day is that of the classes).
DELETE FROM stg_quality;
INSERT INTO stg_quality (dataset, ymd, n_jumps)
SELECT p.dataset, m.date, sum(CASE WHEN m.ret_1d > 4 OR m.ret_1d < -0.8 THEN 1 ELSE 0 END)
FROM stg_day d
JOIN fact_price_measure m ON m.date = d.day
JOIN fact_price p ON p.uid = m.uid AND p.date = m.date
GROUP BY p.dataset, m.date;
UPDATE load_quality
SET n_jumps = q.n_jumps, load_id = r.load_id
FROM stg_quality q
CROSS JOIN stg_run r
WHERE q.dataset = load_quality.dataset AND q.ymd = load_quality.ymd AND q.n_jumps <> load_quality.n_jumps;
-- Open days between the first and the last one of a data set that have no rows; a day that turns out closed is no gap.
UPDATE load_quality
SET status = 'ok', reason = NULL, load_id = r.load_id
FROM stg_market s
JOIN dim_dataset d ON d.market = s.market
JOIN mart_calendar c ON c.market = s.market
CROSS JOIN stg_run r
WHERE load_quality.dataset = d.dataset AND load_quality.ymd = c.date AND load_quality.reason = 'gap' AND NOT c.is_open;
INSERT INTO load_quality (
    dataset, ymd, expected_rows, n_rows, n_duplicates, n_nulls, n_rejected, n_out_of_range, n_jumps, status, reason,
    fetched_at, load_id)
SELECT d.dataset, c.date, NULL, 0, 0, 0, 0, 0, 0, 'warn', 'gap', NULL, r.load_id
FROM stg_market s
JOIN dim_dataset d ON d.market = s.market
JOIN (
    SELECT dataset, min(ymd) AS first_day, max(ymd) AS last_day
    FROM load_quality
    WHERE n_rows > 0
    GROUP BY dataset
) l ON l.dataset = d.dataset
JOIN mart_calendar c ON c.market = s.market AND c.date > l.first_day AND c.date < l.last_day
CROSS JOIN stg_run r
WHERE c.is_open AND c.date >= s.from_date AND c.date <= s.to_date
    AND NOT EXISTS (SELECT 1 FROM load_quality q WHERE q.dataset = d.dataset AND q.ymd = c.date);
