-- Why: the first warehouse: facts and dimensions that bronze is loaded into, and the books of what was loaded.

-- only: postgresql, redshift
SET LOCAL search_path TO silver, gold, staging;

-- Every run that wrote, silver and gold alike. load_id rises in the order of commits.
CREATE TABLE load_ledger (
    load_id BIGINT NOT NULL PRIMARY KEY,
    stage {{text}} NOT NULL,
    dataset {{text}} NOT NULL,
    from_date {{date}},
    to_date {{date}},
    n_objects BIGINT NOT NULL,
    n_rows BIGINT NOT NULL,
    n_changed BIGINT NOT NULL,
    n_bad BIGINT NOT NULL,
    status {{text}} NOT NULL,
    finished_at {{instant}} NOT NULL
);

-- Which objects of the lake have been loaded: lineage from a row's load to its bytes.
CREATE TABLE load_object (
    object_key {{text}} NOT NULL PRIMARY KEY,
    sha256 {{text}} NOT NULL,
    dataset {{text}} NOT NULL,
    ymd {{date}} NOT NULL,
    n_rows BIGINT NOT NULL,
    load_id BIGINT NOT NULL
){{clustered}};

-- What a load changed, by key and span of days: all that the models look at.
CREATE TABLE load_touch (
    load_id BIGINT NOT NULL,
    subject {{text}} NOT NULL,
    touch_key {{text}} NOT NULL,
    from_date {{date}} NOT NULL,
    to_date {{date}} NOT NULL,
    PRIMARY KEY (load_id, subject, touch_key)
){{clustered}};

CREATE TABLE load_published (
    mart {{text}} NOT NULL PRIMARY KEY,
    load_id BIGINT NOT NULL,
    generation BIGINT NOT NULL
);

-- Rows that broke a contract: nothing is dropped silently.
CREATE TABLE quarantine (
    dataset {{text}} NOT NULL,
    ymd {{date}} NOT NULL,
    object_key {{text}} NOT NULL,
    line BIGINT NOT NULL,
    reason {{text}} NOT NULL,
    raw {{text}} NOT NULL,
    load_id BIGINT NOT NULL,
    PRIMARY KEY (object_key, line)
){{clustered}};

CREATE TABLE load_quality (
    dataset {{text}} NOT NULL,
    ymd {{date}} NOT NULL,
    expected_rows BIGINT,
    n_rows BIGINT NOT NULL,
    n_duplicates BIGINT NOT NULL,
    n_nulls BIGINT NOT NULL,
    n_rejected BIGINT NOT NULL,
    n_out_of_range BIGINT NOT NULL,
    n_jumps BIGINT NOT NULL,
    status {{text}} NOT NULL,
    reason {{text}},
    fetched_at {{instant}},
    load_id BIGINT NOT NULL,
    PRIMARY KEY (dataset, ymd)
){{clustered}};

-- Every day from 1900 to 2199: dates are looked up, not computed. day_number counts from 1970-01-01.
CREATE TABLE dim_date (
    date {{date}} NOT NULL PRIMARY KEY,
    day_number BIGINT NOT NULL,
    weekday BIGINT NOT NULL,
    year BIGINT NOT NULL,
    quarter_id {{text}} NOT NULL,
    month_id {{text}} NOT NULL,
    week_end {{date}} NOT NULL,
    month_end {{date}} NOT NULL,
    quarter_end {{date}} NOT NULL,
    year_end {{date}} NOT NULL,
    is_summer_us {{bool}} NOT NULL,
    is_summer_eu {{bool}} NOT NULL
){{clustered}};
CREATE UNIQUE INDEX dim_date_day_number ON dim_date (day_number);

CREATE TABLE fact_price (
    uid {{text}} NOT NULL,
    date {{date}} NOT NULL,
    open {{decimal}},
    high {{decimal}},
    low {{decimal}},
    close {{decimal}} NOT NULL,
    adj_close {{decimal}},
    volume {{decimal}},
    value_traded {{decimal}},
    n_trades BIGINT,
    taker_buy_volume {{decimal}},
    market_cap {{decimal}},
    shares {{decimal}},
    nav {{decimal}},
    net_assets {{decimal}},
    base_index_name {{text}},
    base_index_close {{decimal}},
    dataset {{text}} NOT NULL,
    source {{text}} NOT NULL,
    fetched_at {{instant}} NOT NULL,
    row_hash BIGINT NOT NULL,
    load_id BIGINT NOT NULL,
    PRIMARY KEY (uid, date)
){{clustered}};

-- What the newest row of each instrument says of it. fetched_at: the day of that row, which decides here.
CREATE TABLE fact_instrument (
    uid {{text}} NOT NULL PRIMARY KEY,
    dataset {{text}} NOT NULL,
    symbol {{text}} NOT NULL,
    source_symbol {{text}} NOT NULL,
    name {{text}},
    market {{text}},
    isin {{text}},
    currency {{text}},
    source {{text}} NOT NULL,
    fetched_at {{instant}} NOT NULL,
    row_hash BIGINT NOT NULL,
    load_id BIGINT NOT NULL
){{clustered}};

CREATE TABLE fact_action (
    uid {{text}} NOT NULL,
    date {{date}} NOT NULL,
    kind {{text}} NOT NULL,
    amount {{decimal}},
    numerator {{decimal}},
    denominator {{decimal}},
    currency {{text}},
    dataset {{text}} NOT NULL,
    source {{text}} NOT NULL,
    fetched_at {{instant}} NOT NULL,
    row_hash BIGINT NOT NULL,
    load_id BIGINT NOT NULL,
    PRIMARY KEY (uid, date, kind)
){{clustered}};

CREATE TABLE fact_fx_rate (
    base {{text}} NOT NULL,
    quote {{text}} NOT NULL,
    date {{date}} NOT NULL,
    rate {{decimal}} NOT NULL,
    dataset {{text}} NOT NULL,
    source {{text}} NOT NULL,
    fetched_at {{instant}} NOT NULL,
    row_hash BIGINT NOT NULL,
    load_id BIGINT NOT NULL,
    PRIMARY KEY (base, quote, date, source)
){{clustered}};
CREATE INDEX fact_fx_rate_date ON fact_fx_rate (date);

CREATE TABLE fact_observation (
    series {{text}} NOT NULL,
    area {{text}} NOT NULL,
    frequency {{text}} NOT NULL,
    period_start {{date}} NOT NULL,
    period_end {{date}} NOT NULL,
    vintage {{date}} NOT NULL,
    value {{decimal}},
    unit {{text}},
    series_name {{text}},
    area_name {{text}},
    dataset {{text}} NOT NULL,
    source {{text}} NOT NULL,
    fetched_at {{instant}} NOT NULL,
    row_hash BIGINT NOT NULL,
    load_id BIGINT NOT NULL,
    PRIMARY KEY (series, area, frequency, period_start, vintage)
){{clustered}};

CREATE TABLE fact_article (
    article_id {{text}} NOT NULL PRIMARY KEY,
    mart_id BIGINT NOT NULL,
    web_url {{text}} NOT NULL,
    published_at {{instant}} NOT NULL,
    pub_day {{date}} NOT NULL,
    section {{text}},
    headline {{text}},
    abstract {{text}},
    byline {{text}},
    word_count BIGINT,
    keywords {{text}},
    dataset {{text}} NOT NULL,
    source {{text}} NOT NULL,
    fetched_at {{instant}} NOT NULL,
    row_hash BIGINT NOT NULL,
    load_id BIGINT NOT NULL
){{clustered}};
CREATE INDEX fact_article_pub_day ON fact_article (pub_day);

CREATE TABLE fact_holiday (
    market {{text}} NOT NULL,
    date {{date}} NOT NULL,
    name {{text}},
    dataset {{text}} NOT NULL,
    source {{text}} NOT NULL,
    fetched_at {{instant}} NOT NULL,
    row_hash BIGINT NOT NULL,
    load_id BIGINT NOT NULL,
    PRIMARY KEY (market, date)
){{clustered}};

-- Who was listed where and in which industry, as of each day that was asked for.
CREATE TABLE fact_listing (
    uid {{text}} NOT NULL,
    date {{date}} NOT NULL,
    market {{text}} NOT NULL,
    name {{text}},
    industry {{text}},
    dataset {{text}} NOT NULL,
    source {{text}} NOT NULL,
    fetched_at {{instant}} NOT NULL,
    row_hash BIGINT NOT NULL,
    load_id BIGINT NOT NULL,
    PRIMARY KEY (uid, date)
){{clustered}};

CREATE TABLE dim_bond (
    uid {{text}} NOT NULL PRIMARY KEY,
    bond_key {{text}} NOT NULL,
    isin {{text}} NOT NULL,
    name {{text}},
    country {{text}},
    issuer {{text}},
    issue_volume {{decimal}},
    currency {{text}},
    issue_price {{decimal}},
    issue_date {{date}},
    coupon {{decimal}},
    denomination {{decimal}},
    payment_type {{text}},
    maturity_date {{date}},
    payments_per_year {{decimal}},
    coupon_start_date {{date}},
    is_floater {{text}},
    dataset {{text}} NOT NULL,
    source {{text}} NOT NULL,
    fetched_at {{instant}} NOT NULL,
    row_hash BIGINT NOT NULL,
    load_id BIGINT NOT NULL
){{clustered}};

CREATE TABLE dim_code (
    scheme {{text}} NOT NULL,
    level_name {{text}} NOT NULL,
    code {{text}} NOT NULL,
    name {{text}} NOT NULL,
    date {{date}} NOT NULL,
    dataset {{text}} NOT NULL,
    source {{text}} NOT NULL,
    fetched_at {{instant}} NOT NULL,
    row_hash BIGINT NOT NULL,
    load_id BIGINT NOT NULL,
    PRIMARY KEY (scheme, level_name, code)
){{clustered}};
