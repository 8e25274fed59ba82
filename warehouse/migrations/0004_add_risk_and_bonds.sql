-- Why: what instruments risk, how they move together, and what the prices of bonds mean.

-- only: postgresql, redshift
SET LOCAL search_path TO gold, silver, staging;

-- What the prices of other instruments are measured against: when it changes, so do they.
CREATE TABLE dim_benchmark (
    uid {{text}} NOT NULL PRIMARY KEY,
    currency {{text}} NOT NULL
);
INSERT INTO dim_benchmark (uid, currency) VALUES ('index:KOSPI', 'KRW'), ('index:SPX', 'USD');

-- Those of which every pair is correlated: few, so that pairs stay few.
CREATE VIEW dim_paired AS
    SELECT uid
    FROM dim_instrument
    WHERE asset_class IN ('index', 'commodity', 'coin') OR (asset_class = 'etf' AND market <> 'XKRX');

CREATE TABLE mart_risk (
    uid {{text}} NOT NULL,
    as_of {{date}} NOT NULL,
    window_days BIGINT NOT NULL,
    currency {{text}} NOT NULL,
    ann_return {{float}},
    ann_vol {{float}},
    sharpe {{float}},
    sortino {{float}},
    calmar {{float}},
    max_dd {{float}},
    max_dd_days {{float}},
    var_95 {{float}},
    cvar_95 {{float}},
    skew {{float}},
    kurt {{float}},
    beta_to_benchmark {{float}},
    n_obs BIGINT NOT NULL,
    load_id BIGINT NOT NULL,
    PRIMARY KEY (uid, as_of, window_days, currency)
){{clustered}};
CREATE INDEX mart_risk_load ON mart_risk (load_id);

CREATE TABLE mart_correlation (
    as_of {{date}} NOT NULL,
    window_days BIGINT NOT NULL,
    instrument_a {{text}} NOT NULL,
    instrument_b {{text}} NOT NULL,
    corr {{float}},
    cov {{float}} NOT NULL,
    n_obs BIGINT NOT NULL,
    load_id BIGINT NOT NULL,
    PRIMARY KEY (as_of, window_days, instrument_a, instrument_b)
){{clustered}};
CREATE INDEX mart_correlation_load ON mart_correlation (load_id);

CREATE TABLE fact_bond_measure (
    uid {{text}} NOT NULL,
    date {{date}} NOT NULL,
    is_matured {{bool}} NOT NULL,
    years_to_maturity {{float}} NOT NULL,
    accrued {{float}} NOT NULL,
    dirty_price {{float}} NOT NULL,
    ytm {{float}},
    current_yield {{float}},
    mod_duration {{float}},
    ret_1d {{float}},
    load_id BIGINT NOT NULL,
    PRIMARY KEY (uid, date)
){{clustered}};
CREATE INDEX fact_bond_measure_load ON fact_bond_measure (load_id);

CREATE VIEW mart_bond_daily AS
    SELECT
        m.uid, m.date, b.bond_key, b.isin, i.name, b.issuer, i.country, i.currency, CAST(b.coupon AS {{float}}) / 100 AS coupon,
        b.maturity_date, y.years_to_maturity, m.close AS clean_price, to_decimal(y.accrued) AS accrued,
        to_decimal(y.dirty_price) AS dirty_price, y.ytm, y.current_yield, y.mod_duration, y.is_matured, y.ret_1d, m.load_id
    FROM fact_price_measure m
    JOIN fact_bond_measure y ON y.uid = m.uid AND y.date = m.date
    JOIN dim_bond b ON b.uid = m.uid
    JOIN dim_instrument i ON i.uid = m.uid;
