/* gold.c - the models in the order of their numbers, in one transaction; what SQL cannot say alike everywhere is in between. */
#include "base/date.h"
#include "ingest/series.h"
#include "ingest/warehouse_impl.h"
#include "store/migrate.h"

enum { MODEL_BYTES_MAX = 256 * 1024, BEFORE_TOUCH = 50, BEFORE_INDICATORS = 70 };

static const char last_gold[] = "SELECT max(load_id) FROM load_ledger WHERE stage = 'gold'";
static const char has_silver[] =
    "SELECT count(*) FROM load_ledger WHERE stage = 'silver' AND load_id > $1";

/*
 * r.since is written as the number that it is: planners then know how little is new. With a column of stg_run they take a third
 * of each fact, and read all of it.
 */
static void write_since(struct str sql, int64_t since, struct buf *out)
{
    static const char name[] = "r.since";
    for (size_t i = 0; i < sql.len;) {
        struct str rest = str_sub(sql, i, sql.len);
        if (str_starts(rest, str_of(name))) {
            buf_add_i64(out, since);
            i += sizeof name - 1;
        } else {
            buf_add_char(out, sql.ptr[i++]);
        }
    }
}

static enum status run_model(struct db *db, const struct migration_file *model, int64_t since,
                             struct err *err)
{
    CLEANUP(arena_clear) struct arena arena;
    struct buf rendered, sql;
    arena_init(&arena, (size_t)8 * MODEL_BYTES_MAX);
    buf_init(&rendered, &arena, MODEL_BYTES_MAX);
    buf_init(&sql, &arena, MODEL_BYTES_MAX);
    enum status s = migrate_render(model, migrate_dialect(db_kind(db)), &rendered, err);
    write_since(buf_str(&rendered), since, &sql);
    const char *script = buf_c_str(&sql);
    if (s == STATUS_OK && (script == NULL || rendered.failed))
        s = err_out_of_memory(err);
    return s == STATUS_OK ? db_exec_script(db, script, err) : s;
}

struct run {
    struct db *db, *reader;
    const struct stop *stop;
    int64_t load_id, since, n_rows;
    bool has_series;
};

static enum status run_models(struct run *run, struct err *err)
{
    enum status s = STATUS_OK;
    bool has_adjusted = false;
    for (size_t i = 0; i < gold_models_count && s == STATUS_OK; i++) {
        if (stop_is_raised(run->stop))
            return stop_status(run->stop, err);
        if (!has_adjusted && gold_models[i].version >= BEFORE_TOUCH) {
            s = adjustments_refresh(run->db, run->load_id, run->since, err);
            has_adjusted = true;
        }
        if (s == STATUS_OK && !run->has_series && gold_models[i].version >= BEFORE_INDICATORS) {
            s = series_pass(run->db, run->reader, run->load_id, run->stop, &run->n_rows, err);
            run->has_series = true;
        }
        if (s == STATUS_OK)
            s = run_model(run->db, &gold_models[i], run->since, err);
    }
    return s;
}

static enum status begin(struct run *run, int64_t *ret_n_loads, struct err *err)
{
    enum status s = warehouse_begin(run->db, &run->load_id, err);
    if (s == STATUS_OK)
        s = warehouse_number(run->db, last_gold, NO_PARAMS, &run->since, err);
    if (s == STATUS_OK)
        s = warehouse_number(run->db, has_silver, PARAMS(db_i64(run->since)), ret_n_loads, err);
    if (s == STATUS_OK)
        s = db_exec(run->db, "DELETE FROM stg_run", NO_PARAMS, NULL, err);
    if (s == STATUS_OK)
        s = db_exec(run->db, "INSERT INTO stg_run (load_id, since) VALUES ($1, $2)",
                    PARAMS(db_i64(run->load_id), db_i64(run->since)), NULL, err);
    if (s == STATUS_OK && db_kind(run->db) == DB_POSTGRESQL) /* one row, not a page of them */
        s = db_exec(run->db, "ANALYZE stg_run", NO_PARAMS, NULL, err);
    return s;
}

enum status warehouse_gold(struct db_pool *warehouse, const struct stop *stop,
                           struct warehouse_report *ret, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    CLEANUP(db_releasep) struct db *reader = NULL;
    struct run run = {.stop = stop};
    int64_t n_loads = 0;
    enum status s = db_acquire(warehouse, DB_WRITE, stop, &db, err);
    run.db = db;
    if (s == STATUS_OK)
        s = begin(&run, &n_loads, err);
    if (s == STATUS_OK && n_loads > 0 && db_kind(db) == DB_POSTGRESQL)
        reader = db_try_acquire(warehouse, DB_READ, stop);
    run.reader = reader;
    if (s != STATUS_OK)
        return s;
    if (n_loads == 0) {
        *ret = (struct warehouse_report){0};
        return STATUS_OK;
    }
    s = run_models(&run, err);
    struct load_entry entry = {.load_id = run.load_id,
                               .stage = "gold",
                               .dataset = STR("-"),
                               .from = DATE_NONE,
                               .to = DATE_NONE,
                               .n_rows = run.n_rows,
                               .status = "ok"};
    if (s == STATUS_OK)
        s = warehouse_book(db, &entry, err);
    if (s == STATUS_OK)
        s = db_commit(db, err);
    if (s == STATUS_OK)
        *ret = (struct warehouse_report){.load_id = run.load_id, .n_rows = run.n_rows};
    return s;
}
