-- Why: tables of whole prices may know adjusted closes alone, and descriptions bonds without an ISIN: the columns say so.

UPDATE meta_column
SET description = 'As quoted; the adjusted one where only that is known (bit 1 of quality in mart_price_daily)'
WHERE column_name = 'close' AND mart IN ('mart_stock_daily', 'mart_etf_daily', 'mart_return_period');
INSERT INTO meta_column (mart, column_name, unit, description)
VALUES ('mart_bond_daily', 'isin', '', '- where it is not known');
