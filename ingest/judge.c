/*
 * judge.c - load_quality out of load_object: what a day has is said by its newest object, its rows are the most of any, for
 * rows stay; what it should have is the most of the ten days before. So a load judges its days and the ten behind them, and
 * the verdicts are those of the objects that are there, in whatever order they came.
 */
#include "base/array.h"
#include "base/date.h"
#include "ingest/contract.h"
#include "ingest/silver_impl.h"

enum { DAYS_BYTES_MAX = 64 << 20, DAYS_BEFORE = 10 };

struct day {
    int32_t ymd;
    bool is_known, is_touched;
    struct contract_day counts; /* with what was expected when the day was judged last */
    int64_t n_nulls, n_out_of_range;
    struct str fetched_at, status, reason;
};

struct days {
    struct arena arena;
    struct day *all;
    size_t n, cap;
};

static const char days_sql[] =
    "SELECT o.ymd, m.n_rows, o.n_bad, o.n_repeated, o.n_nulls, o.n_out_of_range, o.fetched_at, "
    "m.load_id, q.expected_rows, q.status, q.reason FROM (SELECT ymd, max(object_key) AS object_key, "
    "max(n_rows) AS n_rows, max(load_id) AS load_id FROM load_object WHERE dataset = $1 "
    "AND ymd >= $2 AND ymd <= $3 GROUP BY ymd) m JOIN load_object o ON o.object_key = m.object_key "
    "LEFT JOIN load_quality q ON q.dataset = o.dataset AND q.ymd = o.ymd ORDER BY o.ymd";

static const char add_sql[] =
    "INSERT INTO load_quality (dataset, ymd, expected_rows, n_rows, n_duplicates, n_nulls, n_rejected, "
    "n_out_of_range, n_jumps, status, reason, fetched_at, load_id) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10, $11, $12)";

static const char change_sql[] =
    "UPDATE load_quality SET expected_rows = $3, n_rows = $4, n_duplicates = $5, n_nulls = $6, "
    "n_rejected = $7, n_out_of_range = $8, status = $9, reason = $10, fetched_at = $11, load_id = $12 "
    "WHERE dataset = $1 AND ymd = $2";

static bool keep_text(struct days *days, const struct rows *rows, size_t i, struct str *ret)
{
    *ret = rows_is_null(rows, i) ? STR_NONE : rows_text(rows, i);
    if (ret->ptr == NULL)
        return true;
    ret->ptr = arena_dup(&days->arena, *ret);
    return ret->ptr != NULL;
}

static enum status keep_day(struct days *days, const struct rows *rows, int64_t load_id,
                            struct err *err)
{
    struct day *all = arena_reserve(&days->arena, days->all, days->n + 1, &days->cap, sizeof *all);
    if (all == NULL)
        return err_out_of_memory(err);
    days->all = all;
    struct day *day = &days->all[days->n++];
    *day = (struct day){.is_touched = rows_i64(rows, 7) == load_id,
                        .is_known = !rows_is_null(rows, 9),
                        .counts = {.n_rows = rows_i64(rows, 1),
                                   .n_rejected = rows_i64(rows, 2),
                                   .n_repeated = rows_i64(rows, 3),
                                   .expected = rows_is_null(rows, 8) ? 0 : rows_i64(rows, 8)},
                        .n_nulls = rows_i64(rows, 4),
                        .n_out_of_range = rows_i64(rows, 5)};
    if (!rows_date(rows, 0, &day->ymd))
        return err_set(err, STATUS_DB_ERROR, "The day \"%.*s\" of a loaded object is no date.",
                       STR_ARG(rows_text(rows, 0)));
    bool is_kept = keep_text(days, rows, 6, &day->fetched_at) &&
                   keep_text(days, rows, 9, &day->status) &&
                   keep_text(days, rows, 10, &day->reason);
    return is_kept ? STATUS_OK : err_out_of_memory(err);
}

static enum status read_days(const struct silver_load *load, struct days *days, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    char from[DATE_TEXT_BYTES], to[DATE_TEXT_BYTES];
    bool has_row = false;
    enum status s =
        db_query(load->db, days_sql,
                 PARAMS(db_text(str_of(load->name)), db_date(load->first_day - DAYS_BEFORE, from),
                        db_date(load->last_day + DAYS_BEFORE, to)),
                 &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row)
        s = keep_day(days, &rows, load->load_id, err);
    return s;
}

static enum status write_day(const struct silver_load *load, const struct day *day,
                             const char *verdict, const char *reason, struct err *err)
{
    char ymd[DATE_TEXT_BYTES];
    return db_exec(
        load->db, day->is_known ? change_sql : add_sql,
        PARAMS(db_text(str_of(load->name)), db_date(day->ymd, ymd), db_i64(day->counts.expected),
               db_i64(day->counts.n_rows), db_i64(day->counts.n_repeated), db_i64(day->n_nulls),
               db_i64(day->counts.n_rejected), db_i64(day->n_out_of_range),
               db_text(str_of(verdict)), db_text(reason[0] == '\0' ? STR_NONE : str_of(reason)),
               db_text(day->fetched_at), db_i64(load->load_id)),
        NULL, err);
}

/* The most rows of one of the ten days before. */
static int64_t expected_on(const struct days *days, size_t at)
{
    int64_t most = 0;
    for (size_t i = at; i > 0 && days->all[i - 1].ymd >= days->all[at].ymd - DAYS_BEFORE; i--)
        most = days->all[i - 1].counts.n_rows > most ? days->all[i - 1].counts.n_rows : most;
    return most;
}

enum status silver_judge(const struct silver_load *load, struct err *err)
{
    struct days days = {0};
    arena_init(&days.arena, DAYS_BYTES_MAX);
    enum status s = read_days(load, &days, err);
    for (size_t i = 0; i < days.n && s == STATUS_OK; i++) {
        struct day *day = &days.all[i];
        const char *reason = "";
        int64_t before = day->counts.expected;
        if (day->ymd < load->first_day) /* of which not all that came before is here */
            continue;
        day->counts.expected = expected_on(&days, i);
        const char *verdict = contract_verdict(str_of(load->name), &day->counts, &reason);
        if (day->is_touched || !day->is_known || day->counts.expected != before ||
            !str_eq_c(day->status, verdict) || !str_eq_c(day->reason, reason))
            s = write_day(load, day, verdict, reason, err);
    }
    arena_clear(&days.arena);
    return s;
}
