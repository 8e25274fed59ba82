-- Why: mart_freshness also says how current each data set is, not only what was made of them.

UPDATE meta_mart
SET description = 'How current each mart and each data set is; written by publishing.', grain = 'one row per mart and data set'
WHERE mart = 'mart_freshness';
UPDATE meta_column SET description = 'Name of the mart or of the data set'
WHERE mart = 'mart_freshness' AND column_name = 'dataset';
UPDATE meta_column SET description = 'Last date in its time column; newest day with rows'
WHERE mart = 'mart_freshness' AND column_name = 'last_date';
UPDATE meta_column SET description = 'Last publish that changed it; when its newest rows were fetched'
WHERE mart = 'mart_freshness' AND column_name = 'last_success_at';
UPDATE meta_column SET description = 'ok; stale: older than its contract allows; failing: a day fails its contract'
WHERE mart = 'mart_freshness' AND column_name = 'status';
