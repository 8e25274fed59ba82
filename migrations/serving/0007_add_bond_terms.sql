-- Why: a bond's total return needs what it promises: its coupons between the quotes, and par at its maturity.
ALTER TABLE gen_instrument ADD COLUMN coupon_rate {{decimal}};
ALTER TABLE gen_instrument ADD COLUMN coupons_per_year BIGINT;
ALTER TABLE gen_instrument ADD COLUMN maturity_date {{date}};
ALTER TABLE gen_instrument ADD COLUMN day_count {{text}};

-- The new columns come last, so that PostgreSQL keeps the view and what was granted on it.
-- only: postgresql
CREATE OR REPLACE VIEW mart_instrument AS
    SELECT
        uid, asset_class, symbol, name, name_local, market, country, currency, isin, sector, industry,
        source, source_symbol, quote_unit, price_basis, is_active, delisted_on, delisting_return,
        is_survivor_biased, first_date, last_date, n_rows, coupon_rate, coupons_per_year, maturity_date, day_count
    FROM gen_instrument
    WHERE gen_to = 9223372036854775807;
-- only: sqlite
DROP VIEW mart_instrument;
-- only: sqlite
CREATE VIEW mart_instrument AS
    SELECT
        uid, asset_class, symbol, name, name_local, market, country, currency, isin, sector, industry,
        source, source_symbol, quote_unit, price_basis, is_active, delisted_on, delisting_return,
        is_survivor_biased, first_date, last_date, n_rows, coupon_rate, coupons_per_year, maturity_date, day_count
    FROM gen_instrument
    WHERE gen_to = 9223372036854775807;

INSERT INTO meta_column (mart, column_name, unit, description) VALUES
    ('mart_instrument', 'coupon_rate', 'fraction', 'Of a bond: interest a year, as a fraction of par'),
    ('mart_instrument', 'coupons_per_year', '', 'Of a bond: 1, 2, 4 or 12; 0 for none before maturity'),
    ('mart_instrument', 'maturity_date', '', 'Of a bond: when par is paid back'),
    ('mart_instrument', 'day_count', '', 'Of a bond: act_act_icma or 30_360');
