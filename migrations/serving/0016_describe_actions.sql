-- Why: the warehouse fills mart_corporate_action, also with what the bars say already: dividends, capital gains and splits.

UPDATE meta_mart
SET description = 'Dividends, splits and capital gains with their days of payment, and which shares become others. Backtests take amounts and ratios of the first three from mart_price_daily alone.'
WHERE mart = 'mart_corporate_action';
UPDATE meta_column
SET description = 'dividend, capital_gain, split, spin_off, merger or rename'
WHERE mart = 'mart_corporate_action' AND column_name = 'kind';
UPDATE meta_column
SET description = 'Instrument whose units holders receive; the instrument itself for dividends, capital gains, splits and mergers for cash'
WHERE mart = 'mart_corporate_action' AND column_name = 'into_uid';
UPDATE meta_column
SET description = 'Of a dividend or capital gain: the day on which it is paid, where it is known'
WHERE mart = 'mart_corporate_action' AND column_name = 'pay_date';
UPDATE meta_column
SET description = 'Units received for one held; of a split new units for one old one'
WHERE mart = 'mart_corporate_action' AND column_name = 'ratio';
UPDATE meta_column
SET description = 'For one unit held, in the currency and units of its prices: a dividend, a capital gain, or the cash of a merger'
WHERE mart = 'mart_corporate_action' AND column_name = 'cash';
