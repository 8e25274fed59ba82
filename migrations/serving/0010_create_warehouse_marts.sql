-- Why: the marts that the warehouse's models make: by class, by period, by industry, news counted, quality, and the panel.

CREATE TABLE gen_price_panel (
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
    gen_from BIGINT NOT NULL,
    gen_to BIGINT NOT NULL,
    PRIMARY KEY (uid, date, gen_from)
){{clustered}};
CREATE INDEX gen_price_panel_closed ON gen_price_panel (gen_to) WHERE gen_to < 9223372036854775807;
CREATE INDEX gen_price_panel_date ON gen_price_panel (date);
CREATE INDEX gen_price_panel_symbol ON gen_price_panel (symbol, date);
CREATE VIEW mart_price_panel AS
    SELECT
        uid, date, asset_class, symbol, currency, adj_close, adj_close_krw, adj_close_usd, fx_to_krw, fx_to_usd,
        is_trading_day, is_filled, days_stale, ret_1d, log_ret_1d
    FROM gen_price_panel
    WHERE gen_to = 9223372036854775807;
INSERT INTO meta_mart (mart, title, description, grain, key_columns, time_column, source_table)
VALUES ('mart_price_panel', 'Price panel',
    'Adjusted closes of every instrument on every weekday (coins: every day), carried forward for at most five sessions, in its currency, won and dollars.',
    'one row per instrument and day', 'uid,date', 'date', 'gen_price_panel');
INSERT INTO meta_column (mart, column_name, unit, description) VALUES
    ('mart_price_panel', 'uid', '', 'Instrument, see mart_instrument'),
    ('mart_price_panel', 'date', '', 'Day of the panel'),
    ('mart_price_panel', 'currency', '', 'ISO 4217'),
    ('mart_price_panel', 'adj_close', 'currency', 'Close adjusted for splits and distributions'),
    ('mart_price_panel', 'adj_close_krw', 'KRW', 'The same in won, at the rate of the day'),
    ('mart_price_panel', 'adj_close_usd', 'USD', 'The same in dollars'),
    ('mart_price_panel', 'fx_to_krw', 'KRW per currency', 'Rate of the day, or of at most seven days before'),
    ('mart_price_panel', 'fx_to_usd', 'USD per currency', 'The same for dollars'),
    ('mart_price_panel', 'is_trading_day', '', 'Has a price of its own'),
    ('mart_price_panel', 'is_filled', '', 'Carried forward from an earlier day'),
    ('mart_price_panel', 'days_stale', 'sessions', 'Since the price was made'),
    ('mart_price_panel', 'ret_1d', 'fraction', 'From the price before; 0 where carried forward'),
    ('mart_price_panel', 'log_ret_1d', '', 'Logarithm of 1 + ret_1d');

CREATE TABLE gen_return_period (
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
    gen_from BIGINT NOT NULL,
    gen_to BIGINT NOT NULL,
    PRIMARY KEY (uid, period, period_end, gen_from)
){{clustered}};
CREATE INDEX gen_return_period_closed ON gen_return_period (gen_to) WHERE gen_to < 9223372036854775807;
CREATE INDEX gen_return_period_period ON gen_return_period (period, period_end);
CREATE INDEX gen_return_period_time ON gen_return_period (period_end);
CREATE VIEW mart_return_period AS
    SELECT
        uid, period, period_end, first_date, last_date, open, high, low, close, ret, vol, max_dd, volume, n_days
    FROM gen_return_period
    WHERE gen_to = 9223372036854775807;
INSERT INTO meta_mart (mart, title, description, grain, key_columns, time_column, source_table)
VALUES ('mart_return_period', 'Returns by period',
    'Weeks, months, quarters and years of every instrument, the current ones so far.',
    'one row per instrument, kind of period and its end', 'uid,period,period_end', 'period_end', 'gen_return_period');
INSERT INTO meta_column (mart, column_name, unit, description) VALUES
    ('mart_return_period', 'uid', '', 'Instrument, see mart_instrument'),
    ('mart_return_period', 'period', '', 'W, M, Q or Y'),
    ('mart_return_period', 'period_end', '', 'Last day of the calendar period'),
    ('mart_return_period', 'first_date', '', 'First day with a price'),
    ('mart_return_period', 'last_date', '', 'Last day with a price'),
    ('mart_return_period', 'open', 'currency', ''),
    ('mart_return_period', 'high', 'currency', ''),
    ('mart_return_period', 'low', 'currency', ''),
    ('mart_return_period', 'close', 'currency', ''),
    ('mart_return_period', 'ret', 'fraction', 'Adjusted, from the last close before the period'),
    ('mart_return_period', 'vol', 'fraction', 'Sample standard deviation of the daily returns, not annualised'),
    ('mart_return_period', 'max_dd', 'fraction', 'Deepest fall within the period, not above 0'),
    ('mart_return_period', 'volume', 'units', 'Units traded'),
    ('mart_return_period', 'n_days', 'days', 'With a price');

CREATE TABLE gen_asset_class_daily (
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
    gen_from BIGINT NOT NULL,
    gen_to BIGINT NOT NULL,
    PRIMARY KEY (date, asset_class, market, gen_from)
){{clustered}};
CREATE INDEX gen_asset_class_daily_closed ON gen_asset_class_daily (gen_to) WHERE gen_to < 9223372036854775807;
CREATE INDEX gen_asset_class_daily_class ON gen_asset_class_daily (asset_class, date);
CREATE INDEX gen_asset_class_daily_time ON gen_asset_class_daily (date);
CREATE VIEW mart_asset_class_daily AS
    SELECT
        date, asset_class, market, n_instruments, n_up, n_down, n_flat, ret_mean, ret_median, ret_cap_weighted,
        value_traded_krw
    FROM gen_asset_class_daily
    WHERE gen_to = 9223372036854775807;
INSERT INTO meta_mart (mart, title, description, grain, key_columns, time_column, source_table)
VALUES ('mart_asset_class_daily', 'Asset classes by day',
    'How each class did on each market.',
    'one row per day, class and market', 'date,asset_class,market', 'date', 'gen_asset_class_daily');
INSERT INTO meta_column (mart, column_name, unit, description) VALUES
    ('mart_asset_class_daily', 'market', '', 'Market identifier code (ISO 10383) or the name of a calendar'),
    ('mart_asset_class_daily', 'n_instruments', '', 'With a price'),
    ('mart_asset_class_daily', 'ret_mean', 'fraction', ''),
    ('mart_asset_class_daily', 'ret_median', 'fraction', ''),
    ('mart_asset_class_daily', 'ret_cap_weighted', 'fraction', 'Weighted by market capitalisation, where it is known'),
    ('mart_asset_class_daily', 'value_traded_krw', 'KRW', '');

CREATE TABLE gen_stock_daily (
    uid {{text}} NOT NULL,
    date {{date}} NOT NULL,
    symbol {{text}} NOT NULL,
    market {{text}},
    name {{text}} NOT NULL,
    industry {{text}},
    open {{decimal}},
    high {{decimal}},
    low {{decimal}},
    close {{decimal}} NOT NULL,
    adj_close {{decimal}} NOT NULL,
    volume {{decimal}},
    value_traded {{decimal}},
    ret_1d {{float}},
    ret_5d {{float}},
    ret_20d {{float}},
    ret_ytd {{float}},
    ma_5 {{float}},
    ma_20 {{float}},
    ma_60 {{float}},
    ma_120 {{float}},
    vol_20d {{float}},
    high_52w {{float}},
    low_52w {{float}},
    gen_from BIGINT NOT NULL,
    gen_to BIGINT NOT NULL,
    PRIMARY KEY (uid, date, gen_from)
){{clustered}};
CREATE INDEX gen_stock_daily_closed ON gen_stock_daily (gen_to) WHERE gen_to < 9223372036854775807;
CREATE INDEX gen_stock_daily_date ON gen_stock_daily (date, market);
CREATE INDEX gen_stock_daily_industry ON gen_stock_daily (industry, date);
CREATE VIEW mart_stock_daily AS
    SELECT
        uid, date, symbol, market, name, industry, open, high, low, close, adj_close, volume, value_traded, ret_1d,
        ret_5d, ret_20d, ret_ytd, ma_5, ma_20, ma_60, ma_120, vol_20d, high_52w, low_52w
    FROM gen_stock_daily
    WHERE gen_to = 9223372036854775807;
INSERT INTO meta_mart (mart, title, description, grain, key_columns, time_column, source_table)
VALUES ('mart_stock_daily', 'Stocks by day',
    'Prices of stocks with returns, moving averages and extremes up to that day.',
    'one row per stock and day', 'uid,date', 'date', 'gen_stock_daily');
INSERT INTO meta_column (mart, column_name, unit, description) VALUES
    ('mart_stock_daily', 'uid', '', 'Instrument, see mart_instrument'),
    ('mart_stock_daily', 'market', '', 'As of the day, where listings are known'),
    ('mart_stock_daily', 'industry', '', 'As of the day'),
    ('mart_stock_daily', 'open', 'currency', ''),
    ('mart_stock_daily', 'high', 'currency', ''),
    ('mart_stock_daily', 'low', 'currency', ''),
    ('mart_stock_daily', 'close', 'currency', 'As quoted'),
    ('mart_stock_daily', 'adj_close', 'currency', 'Adjusted for splits and distributions'),
    ('mart_stock_daily', 'volume', 'units', ''),
    ('mart_stock_daily', 'value_traded', 'currency', ''),
    ('mart_stock_daily', 'ret_1d', 'fraction', 'Adjusted; none after a gap of more than 31 days'),
    ('mart_stock_daily', 'ret_5d', 'fraction', 'Five rows'),
    ('mart_stock_daily', 'ret_20d', 'fraction', 'Twenty rows'),
    ('mart_stock_daily', 'ret_ytd', 'fraction', 'Since the last close of the year before'),
    ('mart_stock_daily', 'ma_5', 'currency', 'Mean adjusted close of five rows'),
    ('mart_stock_daily', 'ma_20', 'currency', ''),
    ('mart_stock_daily', 'ma_60', 'currency', ''),
    ('mart_stock_daily', 'ma_120', 'currency', ''),
    ('mart_stock_daily', 'vol_20d', 'fraction', 'Sample standard deviation of 20 daily returns, annualised'),
    ('mart_stock_daily', 'high_52w', 'currency', 'Highest adjusted close of 365 days'),
    ('mart_stock_daily', 'low_52w', 'currency', 'Lowest adjusted close of 365 days');

CREATE TABLE gen_stock_industry_daily (
    date {{date}} NOT NULL,
    market {{text}} NOT NULL,
    industry {{text}} NOT NULL,
    n_items BIGINT NOT NULL,
    n_up BIGINT NOT NULL,
    n_down BIGINT NOT NULL,
    ret_mean {{float}},
    ret_median {{float}},
    value_traded {{float}},
    gen_from BIGINT NOT NULL,
    gen_to BIGINT NOT NULL,
    PRIMARY KEY (date, market, industry, gen_from)
){{clustered}};
CREATE INDEX gen_stock_industry_daily_closed ON gen_stock_industry_daily (gen_to) WHERE gen_to < 9223372036854775807;
CREATE INDEX gen_stock_industry_daily_industry ON gen_stock_industry_daily (industry, date);
CREATE INDEX gen_stock_industry_daily_time ON gen_stock_industry_daily (date);
CREATE VIEW mart_stock_industry_daily AS
    SELECT
        date, market, industry, n_items, n_up, n_down, ret_mean, ret_median, value_traded
    FROM gen_stock_industry_daily
    WHERE gen_to = 9223372036854775807;
INSERT INTO meta_mart (mart, title, description, grain, key_columns, time_column, source_table)
VALUES ('mart_stock_industry_daily', 'Industries by day',
    'How the stocks of each industry did.',
    'one row per day, market and industry', 'date,market,industry', 'date', 'gen_stock_industry_daily');
INSERT INTO meta_column (mart, column_name, unit, description) VALUES
    ('mart_stock_industry_daily', 'n_items', '', 'Stocks with a price'),
    ('mart_stock_industry_daily', 'ret_mean', 'fraction', ''),
    ('mart_stock_industry_daily', 'ret_median', 'fraction', ''),
    ('mart_stock_industry_daily', 'value_traded', 'currency', '');

CREATE TABLE gen_etf_daily (
    uid {{text}} NOT NULL,
    date {{date}} NOT NULL,
    symbol {{text}} NOT NULL,
    isin {{text}},
    name {{text}} NOT NULL,
    open {{decimal}},
    high {{decimal}},
    low {{decimal}},
    close {{decimal}} NOT NULL,
    nav {{decimal}},
    premium_pct {{float}},
    volume {{decimal}},
    value_traded {{decimal}},
    market_cap {{decimal}},
    net_assets {{decimal}},
    shares {{decimal}},
    base_index_name {{text}},
    base_index_close {{decimal}},
    ret_1d {{float}},
    nav_ret_1d {{float}},
    tracking_diff_20d {{float}},
    gen_from BIGINT NOT NULL,
    gen_to BIGINT NOT NULL,
    PRIMARY KEY (uid, date, gen_from)
){{clustered}};
CREATE INDEX gen_etf_daily_closed ON gen_etf_daily (gen_to) WHERE gen_to < 9223372036854775807;
CREATE INDEX gen_etf_daily_date ON gen_etf_daily (date);
CREATE INDEX gen_etf_daily_index ON gen_etf_daily (base_index_name);
CREATE VIEW mart_etf_daily AS
    SELECT
        uid, date, symbol, isin, name, open, high, low, close, nav, premium_pct, volume, value_traded, market_cap,
        net_assets, shares, base_index_name, base_index_close, ret_1d, nav_ret_1d, tracking_diff_20d
    FROM gen_etf_daily
    WHERE gen_to = 9223372036854775807;
INSERT INTO meta_mart (mart, title, description, grain, key_columns, time_column, source_table)
VALUES ('mart_etf_daily', 'Funds by day',
    'Prices of exchange-traded funds beside their net asset values and indices.',
    'one row per fund and day', 'uid,date', 'date', 'gen_etf_daily');
INSERT INTO meta_column (mart, column_name, unit, description) VALUES
    ('mart_etf_daily', 'uid', '', 'Instrument, see mart_instrument'),
    ('mart_etf_daily', 'open', 'currency', ''),
    ('mart_etf_daily', 'high', 'currency', ''),
    ('mart_etf_daily', 'low', 'currency', ''),
    ('mart_etf_daily', 'close', 'currency', ''),
    ('mart_etf_daily', 'nav', 'currency', 'Net asset value of one unit'),
    ('mart_etf_daily', 'premium_pct', 'fraction', 'Close over net asset value, less 1'),
    ('mart_etf_daily', 'volume', 'units', ''),
    ('mart_etf_daily', 'value_traded', 'currency', ''),
    ('mart_etf_daily', 'market_cap', 'currency', ''),
    ('mart_etf_daily', 'net_assets', 'currency', ''),
    ('mart_etf_daily', 'shares', 'units', ''),
    ('mart_etf_daily', 'base_index_close', 'points', ''),
    ('mart_etf_daily', 'ret_1d', 'fraction', ''),
    ('mart_etf_daily', 'nav_ret_1d', 'fraction', 'Of the net asset value'),
    ('mart_etf_daily', 'tracking_diff_20d', 'fraction', 'Return of twenty rows less that of the index');

CREATE TABLE gen_coin_daily (
    uid {{text}} NOT NULL,
    date {{date}} NOT NULL,
    symbol {{text}} NOT NULL,
    name {{text}} NOT NULL,
    open {{decimal}},
    high {{decimal}},
    low {{decimal}},
    close {{decimal}} NOT NULL,
    volume {{decimal}},
    quote_volume {{decimal}},
    n_trades BIGINT,
    taker_buy_ratio {{float}},
    close_krw {{decimal}},
    ret_1d {{float}},
    vol_30d {{float}},
    gen_from BIGINT NOT NULL,
    gen_to BIGINT NOT NULL,
    PRIMARY KEY (uid, date, gen_from)
){{clustered}};
CREATE INDEX gen_coin_daily_closed ON gen_coin_daily (gen_to) WHERE gen_to < 9223372036854775807;
CREATE INDEX gen_coin_daily_date ON gen_coin_daily (date);
CREATE VIEW mart_coin_daily AS
    SELECT
        uid, date, symbol, name, open, high, low, close, volume, quote_volume, n_trades, taker_buy_ratio, close_krw,
        ret_1d, vol_30d
    FROM gen_coin_daily
    WHERE gen_to = 9223372036854775807;
INSERT INTO meta_mart (mart, title, description, grain, key_columns, time_column, source_table)
VALUES ('mart_coin_daily', 'Coins by day',
    'Coins against the dollar, with what they cost in won.',
    'one row per coin and day', 'uid,date', 'date', 'gen_coin_daily');
INSERT INTO meta_column (mart, column_name, unit, description) VALUES
    ('mart_coin_daily', 'uid', '', 'Instrument, see mart_instrument'),
    ('mart_coin_daily', 'date', '', 'UTC day'),
    ('mart_coin_daily', 'open', 'USD', ''),
    ('mart_coin_daily', 'high', 'USD', ''),
    ('mart_coin_daily', 'low', 'USD', ''),
    ('mart_coin_daily', 'close', 'USD', ''),
    ('mart_coin_daily', 'volume', 'units', ''),
    ('mart_coin_daily', 'quote_volume', 'USD', ''),
    ('mart_coin_daily', 'taker_buy_ratio', 'fraction', 'Of the volume, bought by takers'),
    ('mart_coin_daily', 'close_krw', 'KRW', ''),
    ('mart_coin_daily', 'ret_1d', 'fraction', ''),
    ('mart_coin_daily', 'vol_30d', 'fraction', 'Sample standard deviation of 30 daily returns, annualised');

CREATE TABLE gen_commodity_daily (
    uid {{text}} NOT NULL,
    date {{date}} NOT NULL,
    symbol {{text}} NOT NULL,
    name {{text}} NOT NULL,
    unit {{text}},
    open {{decimal}},
    high {{decimal}},
    low {{decimal}},
    close {{decimal}} NOT NULL,
    volume {{decimal}},
    close_krw {{decimal}},
    ret_1d {{float}},
    ret_ytd {{float}},
    gen_from BIGINT NOT NULL,
    gen_to BIGINT NOT NULL,
    PRIMARY KEY (uid, date, gen_from)
){{clustered}};
CREATE INDEX gen_commodity_daily_closed ON gen_commodity_daily (gen_to) WHERE gen_to < 9223372036854775807;
CREATE INDEX gen_commodity_daily_date ON gen_commodity_daily (date);
CREATE VIEW mart_commodity_daily AS
    SELECT
        uid, date, symbol, name, unit, open, high, low, close, volume, close_krw, ret_1d, ret_ytd
    FROM gen_commodity_daily
    WHERE gen_to = 9223372036854775807;
INSERT INTO meta_mart (mart, title, description, grain, key_columns, time_column, source_table)
VALUES ('mart_commodity_daily', 'Commodities by day',
    'Continuous front-month futures, not adjusted for rolls.',
    'one row per commodity and day', 'uid,date', 'date', 'gen_commodity_daily');
INSERT INTO meta_column (mart, column_name, unit, description) VALUES
    ('mart_commodity_daily', 'uid', '', 'Instrument, see mart_instrument'),
    ('mart_commodity_daily', 'open', 'USD', ''),
    ('mart_commodity_daily', 'high', 'USD', ''),
    ('mart_commodity_daily', 'low', 'USD', ''),
    ('mart_commodity_daily', 'close', 'USD', 'May be negative'),
    ('mart_commodity_daily', 'volume', 'contracts', ''),
    ('mart_commodity_daily', 'close_krw', 'KRW', ''),
    ('mart_commodity_daily', 'ret_1d', 'fraction', ''),
    ('mart_commodity_daily', 'ret_ytd', 'fraction', '');

CREATE TABLE gen_index_daily (
    uid {{text}} NOT NULL,
    date {{date}} NOT NULL,
    symbol {{text}} NOT NULL,
    full_name {{text}} NOT NULL,
    region {{text}},
    provider {{text}} NOT NULL,
    level {{decimal}} NOT NULL,
    change_pct {{float}},
    ret_ytd {{float}},
    drawdown {{float}},
    high_52w {{float}},
    low_52w {{float}},
    gen_from BIGINT NOT NULL,
    gen_to BIGINT NOT NULL,
    PRIMARY KEY (uid, date, gen_from)
){{clustered}};
CREATE INDEX gen_index_daily_closed ON gen_index_daily (gen_to) WHERE gen_to < 9223372036854775807;
CREATE INDEX gen_index_daily_date ON gen_index_daily (date);
CREATE INDEX gen_index_daily_region ON gen_index_daily (region);
CREATE VIEW mart_index_daily AS
    SELECT
        uid, date, symbol, full_name, region, provider, level, change_pct, ret_ytd, drawdown, high_52w, low_52w
    FROM gen_index_daily
    WHERE gen_to = 9223372036854775807;
INSERT INTO meta_mart (mart, title, description, grain, key_columns, time_column, source_table)
VALUES ('mart_index_daily', 'Indices by day',
    'Levels of stock market indices.',
    'one row per index and day', 'uid,date', 'date', 'gen_index_daily');
INSERT INTO meta_column (mart, column_name, unit, description) VALUES
    ('mart_index_daily', 'uid', '', 'Instrument, see mart_instrument'),
    ('mart_index_daily', 'provider', '', 'Where the level comes from'),
    ('mart_index_daily', 'level', 'points', ''),
    ('mart_index_daily', 'change_pct', 'fraction', 'From the level before'),
    ('mart_index_daily', 'ret_ytd', 'fraction', ''),
    ('mart_index_daily', 'drawdown', 'fraction', 'Below the highest level of 365 days'),
    ('mart_index_daily', 'high_52w', 'points', ''),
    ('mart_index_daily', 'low_52w', 'points', '');

CREATE TABLE gen_news_daily (
    pub_day {{date}} NOT NULL,
    section {{text}} NOT NULL,
    n_articles BIGINT NOT NULL,
    words_total BIGINT NOT NULL,
    top_keywords {{text}},
    gen_from BIGINT NOT NULL,
    gen_to BIGINT NOT NULL,
    PRIMARY KEY (pub_day, section, gen_from)
){{clustered}};
CREATE INDEX gen_news_daily_closed ON gen_news_daily (gen_to) WHERE gen_to < 9223372036854775807;
CREATE INDEX gen_news_daily_section ON gen_news_daily (section);
CREATE INDEX gen_news_daily_time ON gen_news_daily (pub_day);
CREATE VIEW mart_news_daily AS
    SELECT
        pub_day, section, n_articles, words_total, top_keywords
    FROM gen_news_daily
    WHERE gen_to = 9223372036854775807;
INSERT INTO meta_mart (mart, title, description, grain, key_columns, time_column, source_table)
VALUES ('mart_news_daily', 'News by day',
    'Articles of a day by section.',
    'one row per day and section', 'pub_day,section', 'pub_day', 'gen_news_daily');
INSERT INTO meta_column (mart, column_name, unit, description) VALUES
    ('mart_news_daily', 'pub_day', '', 'UTC day'),
    ('mart_news_daily', 'words_total', 'words', ''),
    ('mart_news_daily', 'top_keywords', '', 'The five most frequent, separated by semicolons');

CREATE TABLE gen_news_keyword_daily (
    keyword {{text}} NOT NULL,
    pub_day {{date}} NOT NULL,
    n_articles BIGINT NOT NULL,
    share {{float}} NOT NULL,
    gen_from BIGINT NOT NULL,
    gen_to BIGINT NOT NULL,
    PRIMARY KEY (keyword, pub_day, gen_from)
){{clustered}};
CREATE INDEX gen_news_keyword_daily_closed ON gen_news_keyword_daily (gen_to) WHERE gen_to < 9223372036854775807;
CREATE INDEX gen_news_keyword_daily_day ON gen_news_keyword_daily (pub_day);
CREATE VIEW mart_news_keyword_daily AS
    SELECT
        keyword, pub_day, n_articles, share
    FROM gen_news_keyword_daily
    WHERE gen_to = 9223372036854775807;
INSERT INTO meta_mart (mart, title, description, grain, key_columns, time_column, source_table)
VALUES ('mart_news_keyword_daily', 'Keywords by day',
    'How often each keyword stood on the articles of a day.',
    'one row per keyword and day', 'keyword,pub_day', 'pub_day', 'gen_news_keyword_daily');
INSERT INTO meta_column (mart, column_name, unit, description) VALUES
    ('mart_news_keyword_daily', 'pub_day', '', 'UTC day'),
    ('mart_news_keyword_daily', 'share', 'fraction', 'Of the articles of the day');

CREATE TABLE gen_data_quality_daily (
    dataset {{text}} NOT NULL,
    ymd {{date}} NOT NULL,
    expected_rows BIGINT,
    n_rows BIGINT NOT NULL,
    n_duplicates BIGINT NOT NULL,
    n_nulls BIGINT NOT NULL,
    n_rejected BIGINT NOT NULL,
    n_out_of_range BIGINT NOT NULL,
    status {{text}} NOT NULL,
    reason {{text}},
    fetched_at {{instant}},
    gen_from BIGINT NOT NULL,
    gen_to BIGINT NOT NULL,
    PRIMARY KEY (dataset, ymd, gen_from)
){{clustered}};
CREATE INDEX gen_data_quality_daily_closed ON gen_data_quality_daily (gen_to) WHERE gen_to < 9223372036854775807;
CREATE INDEX gen_data_quality_daily_ymd ON gen_data_quality_daily (ymd);
CREATE VIEW mart_data_quality_daily AS
    SELECT
        dataset, ymd, expected_rows, n_rows, n_duplicates, n_nulls, n_rejected, n_out_of_range, status, reason,
        fetched_at
    FROM gen_data_quality_daily
    WHERE gen_to = 9223372036854775807;
INSERT INTO meta_mart (mart, title, description, grain, key_columns, time_column, source_table)
VALUES ('mart_data_quality_daily', 'Data quality',
    'What each load found in each day of each data set.',
    'one row per data set and day', 'dataset,ymd', 'ymd', 'gen_data_quality_daily');
INSERT INTO meta_column (mart, column_name, unit, description) VALUES
    ('mart_data_quality_daily', 'ymd', '', 'Day of the partition'),
    ('mart_data_quality_daily', 'expected_rows', 'rows', 'The most of one of the ten days before'),
    ('mart_data_quality_daily', 'n_rows', 'rows', ''),
    ('mart_data_quality_daily', 'n_duplicates', 'rows', 'Keys that stood twice in one object'),
    ('mart_data_quality_daily', 'n_nulls', 'values', 'Empty, of all rows'),
    ('mart_data_quality_daily', 'n_rejected', 'rows', 'In quarantine'),
    ('mart_data_quality_daily', 'n_out_of_range', 'rows', 'Of those rejected'),
    ('mart_data_quality_daily', 'status', '', 'ok, warn or fail'),
    ('mart_data_quality_daily', 'fetched_at', '', 'When the newest of its rows was fetched');
