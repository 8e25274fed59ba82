-- Fills mart_price_daily with :instruments instruments of :sessions daily bars each, in place of the sample's prices.
--
-- The database holds the sample data set (cmmc load), so calendars, currencies and the books of a publication are there
-- already: the rows take the number of its generation, and the books are brought in step at the end. Nothing is made
-- row by row: forty random walks are computed once and repeated under other names, in the order of the key. Decimals are
-- stored as a publish stores them, without trailing zeros: CSV is written by the database, digits as they are.
--
--   psql -v instruments=400 -v sessions=2500 -f fill.sql URL
\set ON_ERROR_STOP on
BEGIN;
SET LOCAL synchronous_commit = off;
SET LOCAL maintenance_work_mem = '512MB';
SET LOCAL work_mem = '256MB';
SELECT setseed(0.5);
SELECT generation AS generation FROM mart_generation WHERE mart = 'mart_price_daily' \gset

CREATE TEMPORARY TABLE walk ON COMMIT DROP AS
WITH session AS (
    SELECT date, row_number() OVER (ORDER BY date) AS n
    FROM (SELECT DISTINCT date FROM gen_price_daily WHERE uid = 'stock:US.AAPL' ORDER BY date DESC
          LIMIT :sessions) newest
), step AS (
    SELECT series, n, date, random() + random() + random() - 1.5 AS shock, random() AS a, random() AS b, random() AS c
    FROM generate_series(0, 39) series CROSS JOIN session
), level AS (
    SELECT *, (40 + 5 * series) * exp(0.02 * sum(shock) OVER (PARTITION BY series ORDER BY n)) AS price
    FROM step
)
SELECT series, n, date,
    trim_scale(round((price * (1 + 0.004 * (a - 0.5)))::numeric, 2)) AS open,
    trim_scale(round((price * (1.003 + 0.01 * b))::numeric, 2)) AS high,
    trim_scale(round((price * (0.997 - 0.01 * c))::numeric, 2)) AS low,
    trim_scale(round(price::numeric, 2)) AS close,
    trim_scale(round((price * (0.9 + 0.1 * n / :sessions))::numeric, 4)) AS adj_close,
    round((200000 + 5000000 * a * b)::numeric, 0) AS volume,
    CASE WHEN n % 63 = 0 THEN trim_scale(round((price * 0.005)::numeric, 2)) END AS dividend,
    CASE WHEN n = 1250 AND series % 8 = 0 THEN 2::numeric END AS split_ratio,
    date + time '21:00' AS known_at
FROM level ORDER BY series, n;
CREATE INDEX ON walk (series, n);
ANALYZE walk;

DROP INDEX gen_price_daily_closed, gen_price_daily_date;
ALTER TABLE gen_price_daily DROP CONSTRAINT gen_price_daily_pkey;
TRUNCATE gen_price_daily;
INSERT INTO gen_price_daily (uid, date, open, high, low, close, adj_close, volume, dividend, split_ratio, currency,
    source, quality, known_at, gen_from, gen_to)
SELECT 'stock:US.B' || lpad(i::text, 5, '0'), w.date, w.open, w.high, w.low, w.close, w.adj_close, w.volume, w.dividend,
    w.split_ratio, 'USD', 'bench', 2, w.known_at AT TIME ZONE 'UTC', :generation, 9223372036854775807
FROM generate_series(1, :instruments) i
CROSS JOIN LATERAL (SELECT * FROM walk WHERE series = i % 40 ORDER BY n) w;
ALTER TABLE gen_price_daily ADD CONSTRAINT gen_price_daily_pkey PRIMARY KEY (uid, date, gen_from);
CREATE INDEX gen_price_daily_closed ON gen_price_daily (gen_to) WHERE gen_to < 9223372036854775807;
CREATE INDEX gen_price_daily_date ON gen_price_daily (date);

INSERT INTO gen_instrument (uid, asset_class, symbol, name, market, country, currency, source, quote_unit, price_basis,
    is_active, is_survivor_biased, first_date, last_date, n_rows, gen_from, gen_to)
SELECT 'stock:US.B' || lpad(i::text, 5, '0'), 'stock', 'B' || lpad(i::text, 5, '0'), 'Walk ' || i, 'XNYS', 'US', 'USD',
    'bench', 'price', 'adjusted', true, false, r.first_date, r.last_date, :sessions, :generation, 9223372036854775807
FROM generate_series(1, :instruments) i CROSS JOIN (SELECT min(date) AS first_date, max(date) AS last_date FROM walk) r;

UPDATE mart_generation SET n_rows = :instruments * :sessions, as_of = (SELECT max(date) FROM walk)
WHERE mart = 'mart_price_daily';
UPDATE publication_mart SET as_of = (SELECT max(date) FROM walk) WHERE mart = 'mart_price_daily';
UPDATE mart_generation SET n_rows = n_rows + :instruments WHERE mart = 'mart_instrument';
UPDATE gen_freshness SET n_rows = :instruments * :sessions, last_date = (SELECT max(date) FROM walk)
WHERE dataset = 'mart_price_daily';
COMMIT;
VACUUM (FREEZE, ANALYZE) gen_price_daily;
VACUUM (ANALYZE) gen_instrument;
