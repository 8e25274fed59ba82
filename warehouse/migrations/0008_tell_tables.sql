-- Why: whole tables that say all of a mart's columns (the sample's, a user's own) take the way of everything else.

-- only: postgresql, redshift
SET LOCAL search_path TO gold, silver, staging;

-- A told price: quality is there, and what is told is published as it was told. close is the adjusted one where the
-- quoted one is not known (bit 1 of quality).
ALTER TABLE fact_price ADD COLUMN dividend {{decimal}};
ALTER TABLE fact_price ADD COLUMN split_ratio {{decimal}};
ALTER TABLE fact_price ADD COLUMN quality BIGINT;
ALTER TABLE fact_price ADD COLUMN known_at {{instant}};

CREATE TABLE fact_description (
    uid {{text}} NOT NULL PRIMARY KEY,
    date {{date}} NOT NULL,
    asset_class {{text}} NOT NULL,
    symbol {{text}} NOT NULL,
    name {{text}} NOT NULL,
    name_local {{text}},
    market {{text}} NOT NULL,
    country {{text}},
    currency {{text}} NOT NULL,
    isin {{text}},
    sector {{text}},
    industry {{text}},
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
    dataset {{text}} NOT NULL,
    source {{text}} NOT NULL,
    fetched_at {{instant}} NOT NULL,
    row_hash BIGINT NOT NULL,
    load_id BIGINT NOT NULL
){{clustered}};

CREATE TABLE fact_session (
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
    dataset {{text}} NOT NULL,
    source {{text}} NOT NULL,
    fetched_at {{instant}} NOT NULL,
    row_hash BIGINT NOT NULL,
    load_id BIGINT NOT NULL,
    PRIMARY KEY (market, date)
){{clustered}};

DROP VIEW mart_price_daily;
CREATE VIEW mart_price_daily AS
    SELECT
        uid, date, open, high, low, CASE WHEN (quality & 1) = 1 THEN NULL ELSE close END AS close, adj_close, volume,
        dividend, split_ratio, currency, source, quality, known_at, load_id
    FROM fact_price_measure;

-- The terms of a bond are those of its metadata, else of its description.
DROP VIEW mart_bond_daily;
CREATE VIEW mart_bond_daily AS
    SELECT
        m.uid, m.date, COALESCE(b.bond_key, i.symbol) AS bond_key, COALESCE(b.isin, i.isin, '-') AS isin, i.name, b.issuer,
        i.country, i.currency, COALESCE(CAST(b.coupon AS {{float}}) / 100, CAST(i.coupon_rate AS {{float}})) AS coupon,
        COALESCE(b.maturity_date, i.maturity_date) AS maturity_date, y.years_to_maturity,
        m.close AS clean_price, to_decimal(y.accrued) AS accrued, to_decimal(y.dirty_price) AS dirty_price, y.ytm,
        y.current_yield, y.mod_duration, y.is_matured, y.ret_1d, m.load_id
    FROM fact_price_measure m
    JOIN fact_bond_measure y ON y.uid = m.uid AND y.date = m.date
    JOIN dim_instrument i ON i.uid = m.uid
    LEFT JOIN dim_bond b ON b.uid = m.uid;
