-- Why: the models: what is computed from the facts, and sent on to the marts of the serving database.

-- only: postgresql, redshift
SET LOCAL search_path TO gold, silver, staging;

CREATE INDEX fact_price_load ON fact_price (load_id);
CREATE INDEX fact_fx_rate_load ON fact_fx_rate (load_id);
CREATE INDEX fact_observation_load ON fact_observation (load_id);
CREATE INDEX fact_article_load ON fact_article (load_id);

-- A double as a decimal of 15 digits; the embedded back end brings its own.
-- only: postgresql, redshift
CREATE FUNCTION to_decimal(DOUBLE PRECISION) RETURNS {{decimal}} IMMUTABLE AS $$ SELECT CAST($1 AS {{decimal}}) $$ LANGUAGE sql;

-- One row: the run in progress, and the last run before it.
CREATE TABLE stg_run (
    load_id BIGINT NOT NULL,
    since BIGINT NOT NULL
);

-- Whose prices are modelled again: the days from_date to to_date, for which those since lookback_date are read.
CREATE TABLE stg_touch (
    uid {{text}} NOT NULL PRIMARY KEY,
    from_date {{date}} NOT NULL,
    to_date {{date}} NOT NULL,
    lookback_date {{date}} NOT NULL
){{clustered}};
CREATE TABLE stg_uid (
    uid {{text}} NOT NULL PRIMARY KEY
){{clustered}};
CREATE TABLE stg_market (
    market {{text}} NOT NULL PRIMARY KEY,
    from_date {{date}} NOT NULL,
    to_date {{date}} NOT NULL,
    read_from {{date}} NOT NULL,
    read_to {{date}} NOT NULL
){{clustered}};
CREATE TABLE stg_day (
    day {{date}} NOT NULL PRIMARY KEY
){{clustered}};

CREATE TABLE dim_instrument (
    uid {{text}} NOT NULL PRIMARY KEY,
    asset_class {{text}} NOT NULL,
    symbol {{text}} NOT NULL,
    name {{text}} NOT NULL,
    name_local {{text}},
    market {{text}},
    country {{text}},
    currency {{text}} NOT NULL,
    isin {{text}},
    sector {{text}},
    industry {{text}},
    source {{text}} NOT NULL,
    source_symbol {{text}},
    quote_unit {{text}} NOT NULL,
    price_basis {{text}} NOT NULL,
    is_active {{bool}} NOT NULL,
    delisted_on {{date}},
    delisting_return {{decimal}},
    is_survivor_biased {{bool}} NOT NULL,
    coupon_rate {{decimal}},
    coupons_per_year BIGINT,
    maturity_date {{date}},
    day_count {{text}},
    load_id BIGINT NOT NULL
){{clustered}};

-- The industry of a stock from a day on until before another; to_date 2199-12-31: so far.
CREATE TABLE dim_industry (
    uid {{text}} NOT NULL,
    from_date {{date}} NOT NULL,
    to_date {{date}} NOT NULL,
    market {{text}} NOT NULL,
    industry {{text}},
    load_id BIGINT NOT NULL,
    PRIMARY KEY (uid, from_date)
){{clustered}};

-- Days on which some instrument of a market has a price.
CREATE TABLE fact_trading_day (
    market {{text}} NOT NULL,
    date {{date}} NOT NULL,
    PRIMARY KEY (market, date)
){{clustered}};

-- What changes prices between two days: amounts and ratios in the units of today.
CREATE TABLE dim_adjustment (
    uid {{text}} NOT NULL,
    date {{date}} NOT NULL,
    dividend_factor {{decimal}} NOT NULL,
    dividend {{decimal}} NOT NULL,
    split_ratio {{decimal}} NOT NULL,
    load_id BIGINT NOT NULL,
    PRIMARY KEY (uid, date)
){{clustered}};

-- The one source of each pair: sources are not mixed within a series.
CREATE TABLE dim_fx_pair (
    base {{text}} NOT NULL,
    quote {{text}} NOT NULL,
    place BIGINT NOT NULL,
    source {{text}} NOT NULL,
    load_id BIGINT NOT NULL,
    PRIMARY KEY (base, quote)
){{clustered}};

CREATE TABLE mart_fx_daily (
    base {{text}} NOT NULL,
    quote {{text}} NOT NULL,
    date {{date}} NOT NULL,
    rate {{decimal}} NOT NULL,
    is_cross {{bool}} NOT NULL,
    source {{text}} NOT NULL,
    is_filled {{bool}} NOT NULL,
    known_at {{instant}} NOT NULL,
    load_id BIGINT NOT NULL,
    PRIMARY KEY (base, quote, date)
){{clustered}};
CREATE INDEX mart_fx_daily_date ON mart_fx_daily (date);
CREATE INDEX mart_fx_daily_load ON mart_fx_daily (load_id);

CREATE TABLE mart_calendar (
    market {{text}} NOT NULL,
    date {{date}} NOT NULL,
    is_open {{bool}} NOT NULL,
    is_half_day {{bool}} NOT NULL,
    prev_open {{date}},
    next_open {{date}},
    is_week_end {{bool}} NOT NULL,
    is_month_end {{bool}} NOT NULL,
    is_quarter_end {{bool}} NOT NULL,
    is_year_end {{bool}} NOT NULL,
    close_at {{instant}},
    source {{text}} NOT NULL,
    load_id BIGINT NOT NULL,
    PRIMARY KEY (market, date)
){{clustered}};
CREATE INDEX mart_calendar_load ON mart_calendar (load_id);

CREATE TABLE mart_economic_indicator (
    stat_code {{text}} NOT NULL,
    country_code {{text}} NOT NULL,
    frequency {{text}} NOT NULL,
    period {{text}} NOT NULL,
    vintage {{date}} NOT NULL,
    stat_name {{text}} NOT NULL,
    unit {{text}},
    country_name {{text}},
    period_start {{date}} NOT NULL,
    period_end {{date}} NOT NULL,
    value {{decimal}},
    is_latest_vintage {{bool}} NOT NULL,
    source {{text}} NOT NULL,
    known_at {{instant}} NOT NULL,
    load_id BIGINT NOT NULL,
    PRIMARY KEY (stat_code, country_code, frequency, period, vintage)
){{clustered}};
CREATE INDEX mart_economic_indicator_load ON mart_economic_indicator (load_id);

-- Every price with what is measured on its series up to that day. Written by the series pass (ingest/series.c).
CREATE TABLE fact_price_measure (
    uid {{text}} NOT NULL,
    date {{date}} NOT NULL,
    open {{decimal}},
    high {{decimal}},
    low {{decimal}},
    close {{decimal}} NOT NULL,
    adj_close {{decimal}} NOT NULL,
    volume {{decimal}},
    dividend {{decimal}},
    split_ratio {{decimal}},
    currency {{text}} NOT NULL,
    source {{text}} NOT NULL,
    quality BIGINT NOT NULL,
    known_at {{instant}} NOT NULL,
    fx_krw {{float}},
    fx_usd {{float}},
    ret_1d {{float}},
    ret_5d {{float}},
    ret_20d {{float}},
    ret_ytd {{float}},
    ma_5 {{float}},
    ma_20 {{float}},
    ma_60 {{float}},
    ma_120 {{float}},
    vol_20d {{float}},
    vol_30d {{float}},
    high_52w {{float}},
    low_52w {{float}},
    nav_ret_1d {{float}},
    tracking_diff_20d {{float}},
    load_id BIGINT NOT NULL,
    PRIMARY KEY (uid, date)
){{clustered}};
CREATE INDEX fact_price_measure_load ON fact_price_measure (load_id);
CREATE INDEX fact_price_measure_date ON fact_price_measure (date);

CREATE VIEW mart_instrument AS
    SELECT
        uid, asset_class, symbol, name, name_local, market, country, currency, isin, sector, industry, source,
        source_symbol, quote_unit, price_basis, is_active, delisted_on, delisting_return, is_survivor_biased,
        coupon_rate, coupons_per_year, maturity_date, day_count, load_id
    FROM dim_instrument;

CREATE VIEW mart_price_daily AS
    SELECT
        uid, date, open, high, low, close, adj_close, volume, dividend, split_ratio, currency, source, quality,
        known_at, load_id
    FROM fact_price_measure;

CREATE VIEW mart_news_article AS
    SELECT
        mart_id AS article_id, published_at AS pub_date, pub_day, section, COALESCE(headline, '(no headline)') AS headline,
        abstract, byline, web_url, word_count, keywords, source, load_id
    FROM fact_article;

CREATE TABLE mart_price_panel (
    uid {{text}} NOT NULL,
    date {{date}} NOT NULL,
    asset_class {{text}} NOT NULL,
    symbol {{text}} NOT NULL,
    currency {{text}} NOT NULL,
    adj_close {{decimal}} NOT NULL,
    adj_close_krw {{decimal}},
    adj_close_usd {{decimal}},
    fx_to_krw {{float}},
    fx_to_usd {{float}},
    is_trading_day {{bool}} NOT NULL,
    is_filled {{bool}} NOT NULL,
    days_stale BIGINT NOT NULL,
    ret_1d {{float}},
    log_ret_1d {{float}},
    load_id BIGINT NOT NULL,
    PRIMARY KEY (uid, date)
){{clustered}};
CREATE INDEX mart_price_panel_load ON mart_price_panel (load_id);

CREATE TABLE mart_return_period (
    uid {{text}} NOT NULL,
    period {{text}} NOT NULL,
    period_end {{date}} NOT NULL,
    first_date {{date}} NOT NULL,
    last_date {{date}} NOT NULL,
    open {{decimal}} NOT NULL,
    high {{decimal}} NOT NULL,
    low {{decimal}} NOT NULL,
    close {{decimal}} NOT NULL,
    ret {{float}},
    vol {{float}},
    max_dd {{float}},
    volume {{decimal}},
    n_days BIGINT NOT NULL,
    load_id BIGINT NOT NULL,
    PRIMARY KEY (uid, period, period_end)
){{clustered}};
CREATE INDEX mart_return_period_load ON mart_return_period (load_id);

CREATE TABLE mart_asset_class_daily (
    date {{date}} NOT NULL,
    asset_class {{text}} NOT NULL,
    market {{text}} NOT NULL,
    n_instruments BIGINT NOT NULL,
    n_up BIGINT NOT NULL,
    n_down BIGINT NOT NULL,
    n_flat BIGINT NOT NULL,
    ret_mean {{float}},
    ret_median {{float}},
    ret_cap_weighted {{float}},
    value_traded_krw {{float}},
    load_id BIGINT NOT NULL,
    PRIMARY KEY (date, asset_class, market)
){{clustered}};
CREATE INDEX mart_asset_class_daily_load ON mart_asset_class_daily (load_id);

CREATE TABLE mart_stock_industry_daily (
    date {{date}} NOT NULL,
    market {{text}} NOT NULL,
    industry {{text}} NOT NULL,
    n_items BIGINT NOT NULL,
    n_up BIGINT NOT NULL,
    n_down BIGINT NOT NULL,
    ret_mean {{float}},
    ret_median {{float}},
    value_traded {{float}},
    load_id BIGINT NOT NULL,
    PRIMARY KEY (date, market, industry)
){{clustered}};
CREATE INDEX mart_stock_industry_daily_load ON mart_stock_industry_daily (load_id);

CREATE TABLE mart_news_daily (
    pub_day {{date}} NOT NULL,
    section {{text}} NOT NULL,
    n_articles BIGINT NOT NULL,
    words_total BIGINT NOT NULL,
    top_keywords {{text}},
    load_id BIGINT NOT NULL,
    PRIMARY KEY (pub_day, section)
){{clustered}};
CREATE TABLE mart_news_keyword_daily (
    keyword {{text}} NOT NULL,
    pub_day {{date}} NOT NULL,
    n_articles BIGINT NOT NULL,
    share {{float}} NOT NULL,
    load_id BIGINT NOT NULL,
    PRIMARY KEY (keyword, pub_day)
){{clustered}};
CREATE INDEX mart_news_keyword_daily_load ON mart_news_keyword_daily (load_id);
CREATE INDEX mart_news_keyword_daily_day ON mart_news_keyword_daily (pub_day);

-- The keywords of the articles of the days in stg_day.
CREATE TABLE stg_keyword (
    article_id {{text}} NOT NULL,
    pub_day {{date}} NOT NULL,
    section {{text}} NOT NULL,
    keyword {{text}} NOT NULL
);

CREATE VIEW mart_stock_daily AS
    SELECT
        m.uid, m.date, i.symbol, COALESCE(n.market, i.market) AS market, i.name, n.industry, m.open, m.high, m.low,
        m.close, m.adj_close, m.volume, p.value_traded, m.ret_1d, m.ret_5d, m.ret_20d, m.ret_ytd, m.ma_5, m.ma_20,
        m.ma_60, m.ma_120, m.vol_20d, m.high_52w, m.low_52w, m.load_id
    FROM fact_price_measure m
    JOIN dim_instrument i ON i.uid = m.uid AND i.asset_class = 'stock'
    JOIN fact_price p ON p.uid = m.uid AND p.date = m.date
    LEFT JOIN dim_industry n ON n.uid = m.uid AND n.from_date <= m.date AND n.to_date > m.date;

CREATE VIEW mart_etf_daily AS
    SELECT
        m.uid, m.date, i.symbol, i.isin, i.name, m.open, m.high, m.low, m.close, p.nav,
        CASE WHEN CAST(p.nav AS {{float}}) > 0 THEN CAST(p.close AS {{float}}) / CAST(p.nav AS {{float}}) - 1 END AS premium_pct,
        m.volume, p.value_traded, p.market_cap, p.net_assets, p.shares, p.base_index_name, p.base_index_close,
        m.ret_1d, m.nav_ret_1d, m.tracking_diff_20d, m.load_id
    FROM fact_price_measure m
    JOIN dim_instrument i ON i.uid = m.uid AND i.asset_class = 'etf'
    JOIN fact_price p ON p.uid = m.uid AND p.date = m.date;

CREATE VIEW mart_coin_daily AS
    SELECT
        m.uid, m.date, i.symbol, i.name, m.open, m.high, m.low, m.close, m.volume, p.value_traded AS quote_volume,
        p.n_trades,
        CASE WHEN CAST(p.volume AS {{float}}) > 0
            THEN CAST(p.taker_buy_volume AS {{float}}) / CAST(p.volume AS {{float}}) END AS taker_buy_ratio,
        to_decimal(CAST(m.close AS {{float}}) * m.fx_krw) AS close_krw, m.ret_1d, m.vol_30d, m.load_id
    FROM fact_price_measure m
    JOIN dim_instrument i ON i.uid = m.uid AND i.asset_class = 'coin'
    JOIN fact_price p ON p.uid = m.uid AND p.date = m.date;

CREATE VIEW mart_commodity_daily AS
    SELECT
        m.uid, m.date, i.symbol, i.name, n.unit, m.open, m.high, m.low, m.close, m.volume,
        to_decimal(CAST(m.close AS {{float}}) * m.fx_krw) AS close_krw, m.ret_1d, m.ret_ytd, m.load_id
    FROM fact_price_measure m
    JOIN dim_instrument i ON i.uid = m.uid AND i.asset_class = 'commodity'
    LEFT JOIN dim_name n ON n.uid = m.uid;

CREATE VIEW mart_index_daily AS
    SELECT
        m.uid, m.date, i.symbol, i.name AS full_name, c.region, m.source AS provider, m.close AS level, m.ret_1d AS change_pct,
        m.ret_ytd,
        CASE WHEN m.high_52w > 0 THEN CAST(m.adj_close AS {{float}}) / m.high_52w - 1 END AS drawdown,
        m.high_52w, m.low_52w, m.load_id
    FROM fact_price_measure m
    JOIN dim_instrument i ON i.uid = m.uid AND i.asset_class = 'index'
    LEFT JOIN dim_country c ON c.iso2 = i.country;

CREATE VIEW mart_data_quality_daily AS
    SELECT
        dataset, ymd, expected_rows, n_rows, n_duplicates, n_nulls, n_rejected, n_out_of_range, status, reason,
        fetched_at, load_id
    FROM load_quality;
