/* freshness.c - how current each data set is, for those who read mart_freshness and for the note of a publish. */
#include "base/date.h"
#include "ingest/contract.h"
#include "ingest/warehouse_impl.h"
#include "store/publish.h"

static const char datasets_sql[] =
    "SELECT dataset, max(CASE WHEN n_rows > 0 THEN ymd END), CAST(sum(n_rows) AS BIGINT), "
    "max(fetched_at), sum(CASE WHEN status = 'fail' THEN 1 ELSE 0 END) FROM load_verdict "
    "GROUP BY dataset ORDER BY dataset";

static void add_stale(struct buf *text, struct str dataset, struct str since)
{
    size_t room = WAREHOUSE_STALE_BYTES - text->len;
    if (dataset.len + since.len + 16 < room)
        buf_printf(text, "%s%.*s since %.*s", text->len > 0 ? ", " : "", STR_ARG(dataset),
                   STR_ARG(since));
}

enum status warehouse_freshness(struct db *db, int32_t today, struct publish *publish,
                                char ret_stale[WAREHOUSE_STALE_BYTES], struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    struct buf text;
    bool has_row = false;
    buf_init_fixed(&text, ret_stale, WAREHOUSE_STALE_BYTES);
    enum status s = db_query(db, datasets_sql, NO_PARAMS, &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        char day[DATE_TEXT_BYTES], at[INSTANT_TEXT_BYTES];
        struct str dataset = rows_text(&rows, 0);
        int allowed = contract_fresh_days(dataset);
        int32_t newest = 0;
        int64_t fetched_s = 0;
        if (!rows_date(&rows, 1, &newest) || !rows_instant(&rows, 3, &fetched_s))
            continue; /* nothing has come yet */
        date_format(newest, day);
        instant_format(fetched_s, at);
        bool is_stale = allowed > 0 && today - newest > allowed;
        if (is_stale)
            add_stale(&text, dataset, str_of(day));
        const struct publish_dataset row = {.name = dataset,
                                            .last_date = str_of(day),
                                            .last_success_at = str_of(at),
                                            .status = rows_i64(&rows, 4) > 0 ? STR("failing")
                                                      : is_stale             ? STR("stale")
                                                                             : STR("ok"),
                                            .n_rows = rows_i64(&rows, 2)};
        s = publish_note_dataset(publish, &row, err);
    }
    return s == STATUS_OK && buf_c_str(&text) == NULL ? err_out_of_memory(err) : s;
}
