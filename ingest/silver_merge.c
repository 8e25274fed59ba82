/* silver_merge.c - the temporary stage of a table, and the delete-insert by key that brings it in. */
#include "base/checksum.h"
#include "ingest/silver_impl.h"
#include "store/migrate.h"

#include <string.h>

enum { TEXT_BYTES = 16 * 1024 };

static const char *const tail_names[] = {"dataset",  "source",  "fetched_at",
                                         "row_hash", "load_id", "seq"};
static const char *const tail_types[] = {"{{text}}", "{{text}}", "{{instant}}",
                                         "BIGINT",   "BIGINT",   "BIGINT"};

static void add_tail(struct silver_merge *merge, size_t n)
{
    for (size_t i = 0; i < ARRAY_LEN(tail_names); i++) {
        merge->names[n + i] = tail_names[i];
        merge->types[n + i] = tail_types[i];
    }
    merge->n = n + ARRAY_LEN(tail_names) - 1;
}

void silver_merge_init(struct silver_merge *merge, const struct silver_shape *shape,
                       const char *stage)
{
    size_t n = silver_width(shape);
    *merge = (struct silver_merge){
        .table = shape->table, .stage = stage, .may_repeat = !shape->has_own_day};
    for (size_t i = 0; i < n; i++) {
        merge->names[i] = shape->columns[i].name;
        merge->types[i] = silver_type(&shape->columns[i]);
    }
    for (size_t i = 0; i < shape->n_key; i++)
        merge->key[merge->n_key++] = shape->columns[i].name;
    /* Rates of two sources stand side by side: they are never mixed in one series. */
    if (shape == &silver_shapes[SHAPE_RATE])
        merge->key[merge->n_key++] = "source";
    add_tail(merge, n);
}

void silver_merge_init_instruments(struct silver_merge *merge)
{
    static const char *const names[] = {"uid",    "symbol", "source_symbol", "name",
                                        "market", "isin",   "currency"};
    *merge = (struct silver_merge){
        .table = "fact_instrument", .stage = "stg_instrument", .key = {"uid"}, .n_key = 1};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        merge->names[i] = names[i];
        merge->types[i] = "{{text}}";
    }
    add_tail(merge, ARRAY_LEN(names));
}

static void add_list(struct buf *out, const char *const *names, size_t n, const char *prefix)
{
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%s%s%s", i > 0 ? ", " : "", prefix, names[i]);
}

/* "a.k1 = b.k1 AND ..." */
static void add_match(struct buf *out, const struct silver_merge *merge, const char *a,
                      const char *b)
{
    for (size_t i = 0; i < merge->n_key; i++)
        buf_printf(out, "%s%s.%s = %s.%s", i > 0 ? " AND " : "", a, merge->key[i], b,
                   merge->key[i]);
}

static enum status run(struct db *db, struct buf *sql, const struct db_param *params, size_t n,
                       int64_t *ret_changed, struct err *err)
{
    const char *text = buf_c_str(sql);
    if (text == NULL)
        return err_out_of_memory(err);
    enum status s = db_exec(db, text, params, n, ret_changed, err);
    sql->len = 0;
    return s;
}

enum status silver_stage_drop(struct db *db, const struct silver_merge *merge, struct err *err)
{
    return warehouse_exec(db, NO_PARAMS, NULL, err, "DROP TABLE IF EXISTS %s", merge->stage);
}

enum status silver_stage_make(struct db *db, const struct silver_merge *merge, struct err *err)
{
    CLEANUP(arena_clear) struct arena arena;
    struct buf plain, sql;
    arena_init(&arena, (size_t)8 * TEXT_BYTES);
    buf_init(&plain, &arena, TEXT_BYTES);
    buf_init(&sql, &arena, TEXT_BYTES);
    buf_printf(&plain, "CREATE TEMPORARY TABLE %s (", merge->stage);
    for (size_t i = 0; i <= merge->n; i++)
        buf_printf(&plain, "%s%s %s", i > 0 ? ", " : "", merge->names[i], merge->types[i]);
    buf_add_c(&plain, ")");
    struct migration_file file = {0, merge->stage, buf_c_str(&plain)};
    if (file.sql == NULL)
        return err_out_of_memory(err);
    enum status s = silver_stage_drop(db, merge, err);
    if (s == STATUS_OK)
        s = migrate_render(&file, migrate_dialect(db_kind(db)), &sql, err);
    return s == STATUS_OK ? run(db, &sql, NO_PARAMS, NULL, err) : s;
}

/* Of rows with one key the newest stays; of two as new the one with the greater sum. */
static enum status drop_repeated(struct db *db, const struct silver_merge *merge, struct buf *sql,
                                 struct err *err)
{
    buf_printf(
        sql,
        "DELETE FROM %s WHERE seq IN (SELECT seq FROM (SELECT seq, row_number() OVER (PARTITION BY ",
        merge->stage);
    add_list(sql, merge->key, merge->n_key, "");
    buf_printf(sql,
               " ORDER BY fetched_at DESC, row_hash DESC, seq DESC) AS place FROM %s) ranked "
               "WHERE place > 1)",
               merge->stage);
    return run(db, sql, NO_PARAMS, NULL, err);
}

static enum status drop_older(struct db *db, const struct silver_merge *merge, struct buf *sql,
                              struct err *err)
{
    buf_printf(sql, "DELETE FROM %s WHERE EXISTS (SELECT 1 FROM %s WHERE ", merge->stage,
               merge->table);
    add_match(sql, merge, merge->table, merge->stage);
    buf_printf(sql,
               " AND (%s.fetched_at > %s.fetched_at OR (%s.fetched_at = %s.fetched_at "
               "AND %s.row_hash >= %s.row_hash)))",
               merge->table, merge->stage, merge->table, merge->stage, merge->table, merge->stage);
    return run(db, sql, NO_PARAMS, NULL, err);
}

/* What is known already has been brought by an earlier load, and stays its. */
static enum status keep_loads(struct db *db, const struct silver_merge *merge, struct buf *sql,
                              struct err *err)
{
    buf_printf(sql, "UPDATE %s SET load_id = (SELECT f.load_id FROM %s f WHERE ", merge->stage,
               merge->table);
    add_match(sql, merge, "f", merge->stage);
    buf_printf(sql, ") WHERE EXISTS (SELECT 1 FROM %s f WHERE ", merge->table);
    add_match(sql, merge, "f", merge->stage);
    buf_printf(sql, " AND f.row_hash = %s.row_hash)", merge->stage);
    return run(db, sql, NO_PARAMS, NULL, err);
}

static enum status replace(struct db *db, const struct silver_merge *merge, struct buf *sql,
                           int64_t *ret_inserted, struct err *err)
{
    enum status s = STATUS_OK;
    if (!merge->is_first) {
        buf_printf(sql, "DELETE FROM %s WHERE (", merge->table);
        add_list(sql, merge->key, merge->n_key, "");
        buf_add_c(sql, ") IN (SELECT ");
        add_list(sql, merge->key, merge->n_key, "");
        buf_printf(sql, " FROM %s)", merge->stage);
        s = run(db, sql, NO_PARAMS, NULL, err);
    }
    if (s != STATUS_OK)
        return s;
    buf_printf(sql, "INSERT INTO %s (", merge->table);
    add_list(sql, merge->names, merge->n, "");
    buf_add_c(sql, ") SELECT ");
    add_list(sql, merge->names, merge->n, "");
    buf_printf(sql, " FROM %s", merge->stage);
    if (merge->is_first) { /* a first load lies in the order in which it will be read */
        buf_add_c(sql, " ORDER BY ");
        add_list(sql, merge->key, merge->n_key, "");
    }
    return run(db, sql, NO_PARAMS, ret_inserted, err);
}

/* Rows that are not as an earlier load brought them. */
static enum status count_changed(struct db *db, const struct silver_merge *merge, int64_t load_id,
                                 struct buf *sql, int64_t *ret, struct err *err)
{
    buf_printf(sql, "SELECT count(*) FROM %s WHERE load_id = $1", merge->stage);
    const char *text = buf_c_str(sql);
    return text == NULL ? err_out_of_memory(err)
                        : warehouse_number(db, text, PARAMS(db_i64(load_id)), ret, err);
}

enum status silver_merge_run(struct db *db, struct silver_merge *merge, int64_t load_id,
                             int64_t *ret_changed, struct err *err)
{
    CLEANUP(arena_clear) struct arena arena;
    struct buf sql, indexes;
    int64_t has_rows = 0;
    arena_init(&arena, (size_t)4 * TEXT_BYTES + WAREHOUSE_INDEXES_BYTES);
    buf_init(&sql, &arena, TEXT_BYTES);
    buf_init(&indexes, &arena, WAREHOUSE_INDEXES_BYTES);
    buf_printf(&sql, "SELECT 1 FROM %s LIMIT 1", merge->table);
    const char *probe = buf_c_str(&sql);
    enum status s = probe == NULL ? err_out_of_memory(err) : STATUS_OK;
    if (s == STATUS_OK)
        s = warehouse_number(db, probe, NO_PARAMS, &has_rows, err);
    sql.len = 0;
    merge->is_first = has_rows == 0;
    /* A temporary table has no statistics of its own. */
    if (s == STATUS_OK && !merge->is_first && db_kind(db) == DB_POSTGRESQL)
        s = warehouse_exec(db, NO_PARAMS, NULL, err, "ANALYZE %s", merge->stage);
    if (s == STATUS_OK && merge->may_repeat)
        s = drop_repeated(db, merge, &sql, err);
    sql.len = 0;
    if (s == STATUS_OK && !merge->is_first)
        s = drop_older(db, merge, &sql, err);
    if (s == STATUS_OK && !merge->is_first)
        s = keep_loads(db, merge, &sql, err);
    if (s == STATUS_OK && merge->is_first)
        s = warehouse_unindex(db, merge->table, &indexes, err);
    if (s == STATUS_OK)
        s = replace(db, merge, &sql, ret_changed, err);
    if (s == STATUS_OK && indexes.len > 0)
        s = db_exec_script(db, buf_c_str(&indexes), err);
    if (s == STATUS_OK && !merge->is_first)
        s = count_changed(db, merge, load_id, &sql, ret_changed, err);
    return s == STATUS_OK ? warehouse_analyze(db, merge->table, *ret_changed, err) : s;
}

void silver_hash(const struct str *values, size_t n, char ret[SILVER_HASH_BYTES])
{
    uint64_t sum = UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = 0; i < n; i++) {
        unsigned char part[CHECKSUM_BYTES] = {1};
        uint64_t half[2];
        if (values[i].ptr != NULL)
            checksum(values[i], part);
        memcpy(half, part, sizeof half);
        sum = checksum_fold(sum ^ half[0], half[1] ^ (i + 1));
    }
    struct buf text;
    buf_init_fixed(&text, ret, SILVER_HASH_BYTES);
    buf_add_i64(&text, (int64_t)(sum >> 1));
    (void)buf_c_str(&text);
}
