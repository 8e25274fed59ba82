-- Why: the first schema: marts that hold generations of rows, what is known about them, and finished backtests.

-- Every publish that changed something. A generation is readable as long as its row is here.
CREATE TABLE publication (
    generation BIGINT NOT NULL PRIMARY KEY,
    published_at {{instant}} NOT NULL,
    n_inserted BIGINT NOT NULL,
    n_updated BIGINT NOT NULL,
    n_deleted BIGINT NOT NULL
);

-- The last publish that changed each mart.
CREATE TABLE mart_generation (
    mart {{text}} NOT NULL PRIMARY KEY,
    generation BIGINT NOT NULL,
    published_at {{instant}} NOT NULL,
    n_rows BIGINT NOT NULL,
    as_of {{date}},
    schema_hash {{text}} NOT NULL
);

-- Every version of each mart that a readable generation may show: the publishes that changed it. The generations from
-- one row's number to the next one's show the same rows.
CREATE TABLE publication_mart (
    mart {{text}} NOT NULL,
    generation BIGINT NOT NULL,
    as_of {{date}},
    PRIMARY KEY (mart, generation)
);

-- What the catalogue says about our marts beyond what the database itself knows.
CREATE TABLE meta_mart (
    mart {{text}} NOT NULL PRIMARY KEY,
    title {{text}} NOT NULL,
    description {{text}} NOT NULL,
    grain {{text}} NOT NULL,
    key_columns {{text}} NOT NULL,
    time_column {{text}},
    source_table {{text}} NOT NULL
);

CREATE TABLE meta_column (
    mart {{text}} NOT NULL REFERENCES meta_mart (mart),
    column_name {{text}} NOT NULL,
    unit {{text}} NOT NULL,
    description {{text}} NOT NULL,
    PRIMARY KEY (mart, column_name)
);

-- Finished backtests under the id that their content gives them; body is compressed.
CREATE TABLE backtest_result (
    id {{text}} NOT NULL PRIMARY KEY,
    spec {{text}} NOT NULL,
    generation BIGINT NOT NULL,
    body {{bytes}} NOT NULL,
    created_at {{instant}} NOT NULL
);

CREATE TABLE gen_instrument (
    uid {{text}} NOT NULL,
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
    first_date {{date}},
    last_date {{date}},
    n_rows BIGINT,
    gen_from BIGINT NOT NULL,
    gen_to BIGINT NOT NULL,
    PRIMARY KEY (uid, gen_from)
){{clustered}};
CREATE INDEX gen_instrument_closed ON gen_instrument (gen_to) WHERE gen_to < 9223372036854775807;
CREATE INDEX gen_instrument_class_symbol ON gen_instrument (asset_class, symbol);
CREATE INDEX gen_instrument_market ON gen_instrument (market);
CREATE INDEX gen_instrument_currency ON gen_instrument (currency);
CREATE VIEW mart_instrument AS
    SELECT
        uid, asset_class, symbol, name, name_local, market, country, currency, isin, sector, industry,
        source, source_symbol, quote_unit, price_basis, is_active, delisted_on, delisting_return,
        is_survivor_biased, first_date, last_date, n_rows
    FROM gen_instrument
    WHERE gen_to = 9223372036854775807;
INSERT INTO meta_mart (mart, title, description, grain, key_columns, time_column, source_table)
VALUES ('mart_instrument', 'Instruments',
    'What can be held or compared: stocks, funds, bonds, coins, commodities, indices and currencies.',
    'one row per instrument', 'uid', NULL, 'gen_instrument');
INSERT INTO meta_column (mart, column_name, unit, description) VALUES
    ('mart_instrument', 'uid', '', 'Stable name of the instrument: class, colon, market or family, symbol'),
    ('mart_instrument', 'asset_class', '', 'stock, etf, bond, fx, coin, commodity or index'),
    ('mart_instrument', 'symbol', '', 'Symbol on its market'),
    ('mart_instrument', 'name', '', 'Name in English'),
    ('mart_instrument', 'name_local', '', 'Name in the language of its market'),
    ('mart_instrument', 'market', '', 'Market identifier code (ISO 10383) or the name of a calendar'),
    ('mart_instrument', 'country', '', 'ISO 3166-1 alpha-2'),
    ('mart_instrument', 'currency', '', 'ISO 4217 code of its prices'),
    ('mart_instrument', 'isin', '', 'ISO 6166'),
    ('mart_instrument', 'source', '', 'Where its rows come from'),
    ('mart_instrument', 'source_symbol', '', 'Its symbol at the source'),
    ('mart_instrument', 'quote_unit', '', 'price, pct_of_par, points or rate'),
    ('mart_instrument', 'price_basis', '', 'What adj_close is adjusted for: adjusted, raw, price or total_return'),
    ('mart_instrument', 'is_active', '', 'Still listed'),
    ('mart_instrument', 'delisted_on', '', 'Last day of listing'),
    ('mart_instrument', 'delisting_return', 'fraction', 'Return from the last price to what holders received'),
    ('mart_instrument', 'is_survivor_biased', '', 'Its universe was chosen with hindsight'),
    ('mart_instrument', 'first_date', '', 'First date with a price; computed when publishing'),
    ('mart_instrument', 'last_date', '', 'Last date with a price; computed when publishing'),
    ('mart_instrument', 'n_rows', 'rows', 'Dates with a price; computed when publishing');

CREATE TABLE gen_price_daily (
    uid {{text}} NOT NULL,
    date {{date}} NOT NULL,
    open {{decimal}},
    high {{decimal}},
    low {{decimal}},
    close {{decimal}},
    adj_close {{decimal}},
    volume {{decimal}},
    dividend {{decimal}},
    split_ratio {{decimal}},
    currency {{text}} NOT NULL,
    source {{text}} NOT NULL,
    quality BIGINT NOT NULL,
    known_at {{instant}} NOT NULL,
    gen_from BIGINT NOT NULL,
    gen_to BIGINT NOT NULL,
    PRIMARY KEY (uid, date, gen_from)
){{clustered}};
CREATE INDEX gen_price_daily_closed ON gen_price_daily (gen_to) WHERE gen_to < 9223372036854775807;
CREATE INDEX gen_price_daily_date ON gen_price_daily (date);
CREATE VIEW mart_price_daily AS
    SELECT
        uid, date, open, high, low, close, adj_close, volume, dividend, split_ratio, currency, source,
        quality, known_at
    FROM gen_price_daily
    WHERE gen_to = 9223372036854775807;
INSERT INTO meta_mart (mart, title, description, grain, key_columns, time_column, source_table)
VALUES ('mart_price_daily', 'Daily prices',
    'Bars of one trading day, as quoted and adjusted.',
    'one row per instrument and date', 'uid,date', 'date', 'gen_price_daily');
INSERT INTO meta_column (mart, column_name, unit, description) VALUES
    ('mart_price_daily', 'uid', '', 'Instrument, see mart_instrument'),
    ('mart_price_daily', 'date', '', 'Trading day on its market'),
    ('mart_price_daily', 'open', 'currency', ''),
    ('mart_price_daily', 'high', 'currency', ''),
    ('mart_price_daily', 'low', 'currency', ''),
    ('mart_price_daily', 'close', 'currency', 'As quoted'),
    ('mart_price_daily', 'adj_close', 'currency', 'Close adjusted for splits and distributions'),
    ('mart_price_daily', 'volume', 'units', 'Units traded'),
    ('mart_price_daily', 'dividend', 'currency', 'Cash paid per unit, ex on this date'),
    ('mart_price_daily', 'split_ratio', 'ratio', 'New units for one old one, effective on this date'),
    ('mart_price_daily', 'currency', '', 'ISO 4217'),
    ('mart_price_daily', 'quality', 'bits', '1 adjusted only, 2 simulated, 4 halted or without volume, 8 jump, 16 universe with survivor bias'),
    ('mart_price_daily', 'known_at', '', 'When the row could first be known');

CREATE TABLE gen_fx_daily (
    base {{text}} NOT NULL,
    quote {{text}} NOT NULL,
    date {{date}} NOT NULL,
    rate {{decimal}} NOT NULL,
    is_cross {{bool}} NOT NULL,
    source {{text}} NOT NULL,
    is_filled {{bool}} NOT NULL,
    known_at {{instant}} NOT NULL,
    gen_from BIGINT NOT NULL,
    gen_to BIGINT NOT NULL,
    PRIMARY KEY (base, quote, date, gen_from)
){{clustered}};
CREATE INDEX gen_fx_daily_closed ON gen_fx_daily (gen_to) WHERE gen_to < 9223372036854775807;
CREATE INDEX gen_fx_daily_date ON gen_fx_daily (date);
CREATE INDEX gen_fx_daily_quote ON gen_fx_daily (quote, date);
CREATE VIEW mart_fx_daily AS
    SELECT
        base, quote, date, rate, is_cross, source, is_filled, known_at
    FROM gen_fx_daily
    WHERE gen_to = 9223372036854775807;
INSERT INTO meta_mart (mart, title, description, grain, key_columns, time_column, source_table)
VALUES ('mart_fx_daily', 'Daily exchange rates',
    'Units of the quote currency for one unit of the base currency.',
    'one row per pair and date', 'base,quote,date', 'date', 'gen_fx_daily');
INSERT INTO meta_column (mart, column_name, unit, description) VALUES
    ('mart_fx_daily', 'base', '', 'ISO 4217'),
    ('mart_fx_daily', 'quote', '', 'ISO 4217'),
    ('mart_fx_daily', 'rate', 'quote per base', ''),
    ('mart_fx_daily', 'is_cross', '', 'Computed through a third currency'),
    ('mart_fx_daily', 'is_filled', '', 'Carried forward from an earlier day'),
    ('mart_fx_daily', 'known_at', '', 'When the row could first be known');

CREATE TABLE gen_economic_indicator (
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
    gen_from BIGINT NOT NULL,
    gen_to BIGINT NOT NULL,
    PRIMARY KEY (stat_code, country_code, frequency, period, vintage, gen_from)
){{clustered}};
CREATE INDEX gen_economic_indicator_closed ON gen_economic_indicator (gen_to) WHERE gen_to < 9223372036854775807;
CREATE INDEX gen_economic_indicator_period_end ON gen_economic_indicator (period_end);
CREATE INDEX gen_economic_indicator_stat ON gen_economic_indicator (stat_code, period_end);
CREATE INDEX gen_economic_indicator_country ON gen_economic_indicator (country_code, period_end);
CREATE VIEW mart_economic_indicator AS
    SELECT
        stat_code, country_code, frequency, period, vintage, stat_name, unit, country_name,
        period_start, period_end, value, is_latest_vintage, source, known_at
    FROM gen_economic_indicator
    WHERE gen_to = 9223372036854775807;
INSERT INTO meta_mart (mart, title, description, grain, key_columns, time_column, source_table)
VALUES ('mart_economic_indicator', 'Economic indicators',
    'Macroeconomic series with every vintage that was published.',
    'one row per series, period and vintage', 'stat_code,country_code,frequency,period,vintage', 'period_end', 'gen_economic_indicator');
INSERT INTO meta_column (mart, column_name, unit, description) VALUES
    ('mart_economic_indicator', 'stat_code', '', 'Code of the series at its source'),
    ('mart_economic_indicator', 'country_code', '', 'ISO 3166-1 alpha-3, or XM for the euro area'),
    ('mart_economic_indicator', 'frequency', '', 'D, W, M, Q or A'),
    ('mart_economic_indicator', 'period', '', 'Period in the spelling of its frequency, e.g. 2020-01 or 2020Q1'),
    ('mart_economic_indicator', 'vintage', '', 'Day on which this value was published'),
    ('mart_economic_indicator', 'value', 'see unit', ''),
    ('mart_economic_indicator', 'known_at', '', 'When the row could first be known');

CREATE TABLE gen_calendar (
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
    gen_from BIGINT NOT NULL,
    gen_to BIGINT NOT NULL,
    PRIMARY KEY (market, date, gen_from)
){{clustered}};
CREATE INDEX gen_calendar_closed ON gen_calendar (gen_to) WHERE gen_to < 9223372036854775807;
CREATE INDEX gen_calendar_date ON gen_calendar (date);
CREATE VIEW mart_calendar AS
    SELECT
        market, date, is_open, is_half_day, prev_open, next_open, is_week_end, is_month_end,
        is_quarter_end, is_year_end, close_at, source
    FROM gen_calendar
    WHERE gen_to = 9223372036854775807;
INSERT INTO meta_mart (mart, title, description, grain, key_columns, time_column, source_table)
VALUES ('mart_calendar', 'Market calendars',
    'Which days each market was open.',
    'one row per market and date', 'market,date', 'date', 'gen_calendar');
INSERT INTO meta_column (mart, column_name, unit, description) VALUES
    ('mart_calendar', 'market', '', 'Market identifier code (ISO 10383) or the name of a calendar'),
    ('mart_calendar', 'prev_open', '', 'Open day before'),
    ('mart_calendar', 'next_open', '', 'Open day after'),
    ('mart_calendar', 'is_week_end', '', 'Last open day of its week'),
    ('mart_calendar', 'is_month_end', '', 'Last open day of its month'),
    ('mart_calendar', 'is_quarter_end', '', 'Last open day of its quarter'),
    ('mart_calendar', 'is_year_end', '', 'Last open day of its year'),
    ('mart_calendar', 'close_at', '', 'End of trading; empty when closed');

CREATE TABLE gen_news_article (
    article_id BIGINT NOT NULL,
    pub_date {{instant}} NOT NULL,
    pub_day {{date}} NOT NULL,
    section {{text}},
    headline {{text}} NOT NULL,
    abstract {{text}},
    byline {{text}},
    web_url {{text}},
    word_count BIGINT,
    keywords {{text}},
    source {{text}} NOT NULL,
    gen_from BIGINT NOT NULL,
    gen_to BIGINT NOT NULL,
    PRIMARY KEY (article_id, gen_from)
);
CREATE INDEX gen_news_article_closed ON gen_news_article (gen_to) WHERE gen_to < 9223372036854775807;
CREATE INDEX gen_news_article_pub_day ON gen_news_article (pub_day);
CREATE INDEX gen_news_article_section ON gen_news_article (section, pub_day);
CREATE VIEW mart_news_article AS
    SELECT
        article_id, pub_date, pub_day, section, headline, abstract, byline, web_url, word_count,
        keywords, source
    FROM gen_news_article
    WHERE gen_to = 9223372036854775807;
INSERT INTO meta_mart (mart, title, description, grain, key_columns, time_column, source_table)
VALUES ('mart_news_article', 'News articles',
    'Headlines and abstracts, without full texts.',
    'one row per article', 'article_id', 'pub_day', 'gen_news_article');
INSERT INTO meta_column (mart, column_name, unit, description) VALUES
    ('mart_news_article', 'article_id', '', 'Stable number made from the address'),
    ('mart_news_article', 'pub_date', '', 'When it was published'),
    ('mart_news_article', 'pub_day', '', 'Day of pub_date, UTC'),
    ('mart_news_article', 'word_count', 'words', ''),
    ('mart_news_article', 'keywords', '', 'Separated by semicolons');

CREATE TABLE gen_freshness (
    dataset {{text}} NOT NULL,
    last_date {{date}},
    n_rows BIGINT NOT NULL,
    last_success_at {{instant}} NOT NULL,
    status {{text}} NOT NULL,
    gen_from BIGINT NOT NULL,
    gen_to BIGINT NOT NULL,
    PRIMARY KEY (dataset, gen_from)
){{clustered}};
CREATE INDEX gen_freshness_closed ON gen_freshness (gen_to) WHERE gen_to < 9223372036854775807;
CREATE VIEW mart_freshness AS
    SELECT
        dataset, last_date, n_rows, last_success_at, status
    FROM gen_freshness
    WHERE gen_to = 9223372036854775807;
INSERT INTO meta_mart (mart, title, description, grain, key_columns, time_column, source_table)
VALUES ('mart_freshness', 'Freshness',
    'How current each mart is; written by publishing.',
    'one row per mart', 'dataset', NULL, 'gen_freshness');
INSERT INTO meta_column (mart, column_name, unit, description) VALUES
    ('mart_freshness', 'dataset', '', 'Name of the mart'),
    ('mart_freshness', 'last_date', '', 'Last date in its time column'),
    ('mart_freshness', 'n_rows', 'rows', ''),
    ('mart_freshness', 'last_success_at', '', 'Last publish that changed it'),
    ('mart_freshness', 'status', '', 'ok, or what went wrong');
