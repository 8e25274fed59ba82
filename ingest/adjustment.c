/*
 * adjustment.c - dividends and splits as factors between two days, in the units of today.
 *
 * A source that adjusts its closes for splits (dim_source) gives them in the units of the day they were fetched, by the
 * market's clock; others give them in the units of their own day. Amounts of actions are in the units of the day they were fetched; those that a table
 * tells are in the units of the prices around them.
 * A dividend d before trading on day t takes 1 - d / c off, c the close of the day before, both in the units of today.
 */
#include "base/number.h"
#include "ingest/action.h"
#include "ingest/series.h"
#include "ingest/warehouse_impl.h"

#include <assert.h>
#include <string.h>

enum { UIDS_BYTES_MAX = 64 << 20 };

/*
 * Those whose actions, or whose prices in the 15 days before one, are new; those that waited for an instrument (load_orphan); and all
 * of them, while the mart has none.
 */
static const char touched_sql[] =
    "SELECT touch_key FROM load_touch WHERE load_id > $1 AND subject = 'action' "
    "UNION SELECT t.touch_key FROM load_touch t JOIN dim_date d ON d.date = t.to_date "
    "JOIN dim_date e ON e.day_number = CASE WHEN d.day_number > 83990 THEN 84005 ELSE d.day_number + 15 END "
    "JOIN dim_action a ON a.uid = t.touch_key AND a.date > t.from_date AND a.date <= e.date "
    "WHERE t.load_id > $1 AND t.subject IN ('price', 'quote') "
    "UNION SELECT o.orphan_key FROM load_orphan o JOIN dim_instrument i ON i.uid = o.orphan_key "
    "WHERE o.reason = 'no-instrument' "
    "UNION SELECT a.uid FROM load_orphan o JOIN dim_instrument i ON i.uid = o.orphan_key "
    "JOIN fact_corporate_action a ON a.into_uid = o.orphan_key AND a.date = o.ymd "
    "WHERE o.reason = 'no-instrument' "
    "UNION SELECT uid FROM dim_action WHERE NOT EXISTS (SELECT 1 FROM mart_corporate_action) "
    "ORDER BY 1";

static const char known_sql[] = "SELECT date, dividend_factor, dividend, split_ratio "
                                "FROM dim_adjustment WHERE uid = $1 ORDER BY date DESC";

static double dividend_factor(const struct actions *actions, const struct action *a, double amount)
{
    if (!a->has_prev)
        return 1;
    int32_t basis = a->prev_is_adjusted ? a->prev_fetched : a->prev_date;
    double close = a->prev_close / actions_units_since(actions, basis);
    double factor = 1 - amount / close;
    return close > 0 && factor > 0 && factor <= 1 ? factor : 1;
}

/* One event a day, newest first; what does not matter is left out. */
static size_t make_events(const struct actions *actions, struct series_event *ret)
{
    size_t n = 0;
    assert(ret != NULL || actions->n == 0);
    for (size_t i = 0; i < actions->n; i++) {
        const struct action *a = &actions->all[i];
        bool is_split = action_is_split(a) && a->ratio > 0;
        if (!is_split && !(action_is_payment(a) && a->cash > 0))
            continue;
        if (n == 0 || ret[n - 1].date != a->date)
            ret[n++] = (struct series_event){a->date, 1, 0, 1};
        struct series_event *event = &ret[n - 1];
        if (is_split) {
            event->split_ratio *= a->ratio;
            continue;
        }
        double amount = actions_amount(actions, a);
        event->dividend += amount;
        event->dividend_factor *= dividend_factor(actions, a, amount);
    }
    return n;
}

struct event_text {
    char date[DATE_TEXT_BYTES];
    char number[3][DECIMAL_TEXT_BYTES];
};

static void write_event(const struct series_event *event, struct event_text *ret)
{
    date_format(event->date, ret->date);
    (void)decimal_format(event->dividend_factor, ret->number[0]);
    (void)decimal_format(event->dividend, ret->number[1]);
    (void)decimal_format(event->split_ratio, ret->number[2]);
}

static enum status is_known(struct db *db, const char *uid, const struct series_event *events,
                            size_t n, bool *ret, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool has_row = false, is_same = true;
    size_t i = 0;
    enum status s = db_query(db, known_sql, PARAMS(db_text(str_of(uid))), &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        struct event_text text;
        if (i < n)
            write_event(&events[i], &text);
        is_same = is_same && i < n && str_eq_c(rows_text(&rows, 0), text.date);
        for (size_t k = 0; is_same && k < 3; k++)
            is_same = decimal_cmp(rows_text(&rows, k + 1), str_of(text.number[k])) == 0;
        i++;
    }
    *ret = is_same && i == n;
    return s;
}

static enum status replace(struct db *db, const char *uid, const struct series_event *events,
                           size_t n, int64_t load_id, struct err *err)
{
    enum status s = db_exec(db, "DELETE FROM dim_adjustment WHERE uid = $1",
                            PARAMS(db_text(str_of(uid))), NULL, err);
    for (size_t i = 0; i < n && s == STATUS_OK; i++) {
        struct event_text text;
        write_event(&events[i], &text);
        s = db_exec(
            db,
            "INSERT INTO dim_adjustment (uid, date, dividend_factor, dividend, split_ratio, "
            "load_id) VALUES ($1, $2, $3, $4, $5, $6)",
            PARAMS(db_text(str_of(uid)), db_text(str_of(text.date)),
                   db_text(str_of(text.number[0])), db_text(str_of(text.number[1])),
                   db_text(str_of(text.number[2])), db_i64(load_id)),
            NULL, err);
    }
    if (s != STATUS_OK)
        return s;
    return db_exec(db,
                   "INSERT INTO load_touch (load_id, subject, touch_key, from_date, to_date) "
                   "VALUES ($1, 'adjustment', $2, '1900-01-01', '2199-12-31')",
                   PARAMS(db_i64(load_id), db_text(str_of(uid))), NULL, err);
}

static enum status refresh_one(struct db *db, const char *uid, int64_t load_id, struct err *err)
{
    CLEANUP(arena_clear) struct arena arena;
    struct actions actions = {0};
    bool known = false;
    arena_init(&arena, 16 << 20);
    enum status s = actions_read(db, uid, &arena, &actions, err);
    struct series_event *events = arena_room(&arena, actions.n + 1, sizeof *events);
    if (s == STATUS_OK && events == NULL)
        s = err_out_of_memory(err);
    if (s != STATUS_OK)
        return s;
    size_t n = make_events(&actions, events);
    s = is_known(db, uid, events, n, &known, err);
    if (s == STATUS_OK && !known)
        s = replace(db, uid, events, n, load_id, err);
    return s == STATUS_OK ? actions_to_mart(db, uid, &actions, load_id, err) : s;
}

enum status adjustments_refresh(struct db *db, int64_t load_id, int64_t since, struct err *err)
{
    CLEANUP(arena_clear) struct arena arena;
    struct rows rows = {0};
    struct buf uids;
    bool has_row = false;
    arena_init(&arena, (size_t)4 * UIDS_BYTES_MAX);
    buf_init(&uids, &arena, UIDS_BYTES_MAX);
    enum status s = db_query(db, touched_sql, PARAMS(db_i64(since)), &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        buf_add(&uids, rows_text(&rows, 0));
        buf_add_char(&uids, '\0');
    }
    rows_clear(&rows);
    if (s == STATUS_OK && uids.failed)
        s = err_out_of_memory(err);
    for (size_t at = 0; at < uids.len && s == STATUS_OK; at += strlen(uids.ptr + at) + 1)
        s = refresh_one(db, uids.ptr + at, load_id, err);
    return s;
}
