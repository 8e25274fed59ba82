/* freshness.c - which data sets are older than they promise. */
#include "base/date.h"
#include "ingest/contract.h"
#include "ingest/warehouse_impl.h"

static const char newest_sql[] =
    "SELECT dataset, max(ymd) FROM load_quality WHERE n_rows > 0 GROUP BY dataset ORDER BY dataset";

enum status warehouse_stale(struct db *db, int32_t today, char ret[WAREHOUSE_STALE_BYTES],
                            struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    struct buf text;
    bool has_row = false;
    buf_init_fixed(&text, ret, WAREHOUSE_STALE_BYTES);
    enum status s = db_query(db, newest_sql, NO_PARAMS, &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        struct str dataset = rows_text(&rows, 0), day = rows_text(&rows, 1);
        int allowed = contract_fresh_days(dataset);
        int32_t newest = today;
        (void)rows_date(&rows, 1, &newest);
        size_t room = WAREHOUSE_STALE_BYTES - text.len;
        if (allowed > 0 && today - newest > allowed && dataset.len + day.len + 16 < room)
            buf_printf(&text, "%s%.*s since %.*s", text.len > 0 ? ", " : "", STR_ARG(dataset),
                       STR_ARG(day));
    }
    return s == STATUS_OK && buf_c_str(&text) == NULL ? err_out_of_memory(err) : s;
}
