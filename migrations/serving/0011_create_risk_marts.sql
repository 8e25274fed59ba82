-- Why: risk by month, correlations, and bonds by day: the marts that were still missing of those the warehouse makes; jumps beside the other counts of quality.

CREATE TABLE gen_bond_daily (
    uid {{text}} NOT NULL,
    date {{date}} NOT NULL,
    bond_key {{text}} NOT NULL,
    isin {{text}} NOT NULL,
    name {{text}} NOT NULL,
    issuer {{text}},
    country {{text}},
    currency {{text}} NOT NULL,
    coupon {{float}},
    maturity_date {{date}},
    years_to_maturity {{float}} NOT NULL,
    clean_price {{decimal}} NOT NULL,
    accrued {{decimal}},
    dirty_price {{decimal}},
    ytm {{float}},
    current_yield {{float}},
    mod_duration {{float}},
    is_matured {{bool}} NOT NULL,
    ret_1d {{float}},
    gen_from BIGINT NOT NULL,
    gen_to BIGINT NOT NULL,
    PRIMARY KEY (uid, date, gen_from)
){{clustered}};
CREATE INDEX gen_bond_daily_closed ON gen_bond_daily (gen_to) WHERE gen_to < 9223372036854775807;
CREATE INDEX gen_bond_daily_date ON gen_bond_daily (date);
CREATE INDEX gen_bond_daily_maturity ON gen_bond_daily (maturity_date);
CREATE INDEX gen_bond_daily_currency ON gen_bond_daily (currency);
CREATE VIEW mart_bond_daily AS
    SELECT
        uid, date, bond_key, isin, name, issuer, country, currency, coupon, maturity_date, years_to_maturity,
        clean_price, accrued, dirty_price, ytm, current_yield, mod_duration, is_matured, ret_1d
    FROM gen_bond_daily
    WHERE gen_to = 9223372036854775807;
INSERT INTO meta_mart (mart, title, description, grain, key_columns, time_column, source_table)
VALUES ('mart_bond_daily', 'Bonds by day',
    'Prices in per cent of par, accrued interest, yields and durations of bonds whose terms are known.',
    'one row per bond and day', 'uid,date', 'date', 'gen_bond_daily');
INSERT INTO meta_column (mart, column_name, unit, description) VALUES
    ('mart_bond_daily', 'uid', '', 'Instrument, see mart_instrument'),
    ('mart_bond_daily', 'coupon', 'fraction', 'Interest a year, as a fraction of par'),
    ('mart_bond_daily', 'years_to_maturity', 'years', 'Of 365.25 days; below 0 afterwards'),
    ('mart_bond_daily', 'clean_price', 'per cent of par', 'As quoted, without accrued interest'),
    ('mart_bond_daily', 'accrued', 'per cent of par', 'Interest since the last coupon, ACT/ACT ICMA'),
    ('mart_bond_daily', 'dirty_price', 'per cent of par', 'Clean price and accrued interest'),
    ('mart_bond_daily', 'ytm', 'fraction', 'Yield to maturity, compounded as often as coupons are paid'),
    ('mart_bond_daily', 'current_yield', 'fraction', 'Coupon over clean price'),
    ('mart_bond_daily', 'mod_duration', 'years', 'Modified duration: relative change of the dirty price for a change of the yield'),
    ('mart_bond_daily', 'is_matured', '', 'On or after the maturity'),
    ('mart_bond_daily', 'ret_1d', 'fraction', 'Dirty price and coupons paid, over the dirty price of the row before');

CREATE TABLE gen_risk (
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
    gen_from BIGINT NOT NULL,
    gen_to BIGINT NOT NULL,
    PRIMARY KEY (uid, as_of, window_days, currency, gen_from)
){{clustered}};
CREATE INDEX gen_risk_closed ON gen_risk (gen_to) WHERE gen_to < 9223372036854775807;
CREATE INDEX gen_risk_as_of ON gen_risk (as_of, window_days);
CREATE VIEW mart_risk AS
    SELECT
        uid, as_of, window_days, currency, ann_return, ann_vol, sharpe, sortino, calmar, max_dd, max_dd_days, var_95,
        cvar_95, skew, kurt, beta_to_benchmark, n_obs
    FROM gen_risk
    WHERE gen_to = 9223372036854775807;
INSERT INTO meta_mart (mart, title, description, grain, key_columns, time_column, source_table)
VALUES ('mart_risk', 'Risk by month',
    'What holding an instrument alone would have risked over the days before the end of a month, by the measures of the backtests.',
    'one row per instrument, month, window and currency', 'uid,as_of,window_days,currency', 'as_of', 'gen_risk');
INSERT INTO meta_column (mart, column_name, unit, description) VALUES
    ('mart_risk', 'uid', '', 'Instrument, see mart_instrument'),
    ('mart_risk', 'as_of', '', 'End of the month; of the present month so far'),
    ('mart_risk', 'window_days', 'days', '90 or 365'),
    ('mart_risk', 'currency', '', 'Its own, KRW and USD'),
    ('mart_risk', 'ann_return', 'fraction', 'cagr'),
    ('mart_risk', 'ann_vol', 'fraction', 'volatility'),
    ('mart_risk', 'sharpe', 'ratio', 'Risk-free rate 0'),
    ('mart_risk', 'sortino', 'ratio', 'Target 0'),
    ('mart_risk', 'calmar', 'ratio', ''),
    ('mart_risk', 'max_dd', 'fraction', 'max_drawdown'),
    ('mart_risk', 'max_dd_days', 'days', 'max_drawdown_days'),
    ('mart_risk', 'var_95', 'fraction', 'Of a session'),
    ('mart_risk', 'cvar_95', 'fraction', 'Of a session'),
    ('mart_risk', 'skew', 'ratio', 'skewness'),
    ('mart_risk', 'kurt', 'ratio', 'kurtosis_excess'),
    ('mart_risk', 'beta_to_benchmark', 'ratio', 'To KOSPI in won, to the S&P 500 in dollars'),
    ('mart_risk', 'n_obs', '', 'Returns');

CREATE TABLE gen_correlation (
    as_of {{date}} NOT NULL,
    window_days BIGINT NOT NULL,
    instrument_a {{text}} NOT NULL,
    instrument_b {{text}} NOT NULL,
    corr {{float}},
    cov {{float}} NOT NULL,
    n_obs BIGINT NOT NULL,
    gen_from BIGINT NOT NULL,
    gen_to BIGINT NOT NULL,
    PRIMARY KEY (as_of, window_days, instrument_a, instrument_b, gen_from)
){{clustered}};
CREATE INDEX gen_correlation_closed ON gen_correlation (gen_to) WHERE gen_to < 9223372036854775807;
CREATE INDEX gen_correlation_a ON gen_correlation (instrument_a);
CREATE INDEX gen_correlation_b ON gen_correlation (instrument_b);
CREATE INDEX gen_correlation_time ON gen_correlation (as_of);
CREATE VIEW mart_correlation AS
    SELECT
        as_of, window_days, instrument_a, instrument_b, corr, cov, n_obs
    FROM gen_correlation
    WHERE gen_to = 9223372036854775807;
INSERT INTO meta_mart (mart, title, description, grain, key_columns, time_column, source_table)
VALUES ('mart_correlation', 'Correlations by month',
    'Of the returns of two instruments in dollars between the days on which both have a price: indices, commodities, coins and funds of the United States.',
    'one row per month and pair', 'as_of,window_days,instrument_a,instrument_b', 'as_of', 'gen_correlation');
INSERT INTO meta_column (mart, column_name, unit, description) VALUES
    ('mart_correlation', 'as_of', '', 'End of the month; of the present month so far'),
    ('mart_correlation', 'window_days', 'days', ''),
    ('mart_correlation', 'instrument_a', '', 'The lower uid of the two'),
    ('mart_correlation', 'corr', 'ratio', 'Pearson'),
    ('mart_correlation', 'cov', 'fraction^2', 'Of one return, divisor n - 1'),
    ('mart_correlation', 'n_obs', '', 'Returns');

ALTER TABLE gen_data_quality_daily ADD COLUMN n_jumps BIGINT;
-- only: postgresql
CREATE OR REPLACE VIEW mart_data_quality_daily AS
    SELECT
        dataset, ymd, expected_rows, n_rows, n_duplicates, n_nulls, n_rejected, n_out_of_range, status, reason,
        fetched_at, n_jumps
    FROM gen_data_quality_daily
    WHERE gen_to = 9223372036854775807;
-- only: sqlite
DROP VIEW mart_data_quality_daily;
-- only: sqlite
CREATE VIEW mart_data_quality_daily AS
    SELECT
        dataset, ymd, expected_rows, n_rows, n_duplicates, n_nulls, n_rejected, n_out_of_range, status, reason,
        fetched_at, n_jumps
    FROM gen_data_quality_daily
    WHERE gen_to = 9223372036854775807;
INSERT INTO meta_column (mart, column_name, unit, description) VALUES
    ('mart_data_quality_daily', 'n_jumps', 'rows', 'Prices below a fifth or above five times of those before');
