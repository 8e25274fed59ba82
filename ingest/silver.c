/* silver.c - one load: which objects are new, their rows into the stage, the stage into the table, the books. */
#include "base/array.h"
#include "base/date.h"
#include "ingest/silver_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS_BYTES_MAX = 256 << 20 };

struct candidate {
    const char *key;
    int32_t ymd;
};

/* The window's objects that are to be loaded, in the order of their names; and the keys of those that are, sorted. */
struct candidates {
    struct silver_load *load;
    struct arena arena;
    struct candidate *all;
    size_t n, cap;
    const char **loaded;
    size_t n_loaded, loaded_cap;
};

static const char loaded_sql[] =
    "SELECT object_key FROM load_object WHERE object_key >= $1 AND object_key < $2";

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum status add_loaded(struct candidates *c, struct str key, struct err *err)
{
    const char **all =
        arena_reserve(&c->arena, c->loaded, c->n_loaded + 1, &c->loaded_cap, sizeof *all);
    if (all == NULL)
        return err_out_of_memory(err);
    c->loaded = all;
    c->loaded[c->n_loaded] = arena_dup(&c->arena, key);
    return c->loaded[c->n_loaded++] == NULL ? err_out_of_memory(err) : STATUS_OK;
}

/*
 * Those of the window, at once: a question for each object would be a way to the database and back for each. prefix: of the keys of all
 * days; behind its day a key goes on with '/', which '0' follows.
 */
static enum status read_loaded(struct candidates *c, const char *prefix, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    const struct silver_load *load = c->load;
    char day[DATE_TEXT_BYTES], first[LAKE_KEY_MAX + DATE_TEXT_BYTES],
        end[LAKE_KEY_MAX + DATE_TEXT_BYTES + 1];
    bool has_row = false;
    date_format(load->task->from, day);
    (void)snprintf(first, sizeof first, "%s%s", prefix, day);
    date_format(load->task->to, day);
    (void)snprintf(end, sizeof end, "%s%s0", prefix, day);
    enum status s = db_query(load->db, loaded_sql,
                             PARAMS(db_text(str_of(first)), db_text(str_of(end))), &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row)
        s = add_loaded(c, rows_text(&rows, 0), err);
    if (s == STATUS_OK && c->n_loaded > 0)
        qsort(c->loaded, c->n_loaded, sizeof *c->loaded, compare_keys);
    return s;
}

static bool is_loaded(const struct candidates *c, const char *key)
{
    return c->n_loaded > 0 &&
           bsearch(&key, c->loaded, c->n_loaded, sizeof *c->loaded, compare_keys) != NULL;
}

static enum status add(struct candidates *c, const struct lake_entry *entry, int32_t ymd,
                       struct err *err)
{
    struct candidate *all = arena_reserve(&c->arena, c->all, c->n + 1, &c->cap, sizeof *all);
    if (all == NULL)
        return err_out_of_memory(err);
    c->all = all;
    struct candidate *one = &c->all[c->n++];
    *one = (struct candidate){arena_dup(&c->arena, str_of(entry->key)), ymd};
    return one->key == NULL ? err_out_of_memory(err) : STATUS_OK;
}

static enum status visit(void *to, const struct lake_entry *entry, struct err *err)
{
    struct candidates *c = to;
    struct lake_key key;
    enum status s = lake_key_parse(str_of(entry->key), &key, err);
    if (s != STATUS_OK || !str_starts(key.file, STR("rows-")) ||
        !str_eq(key.dataset, c->load->task->folder) || is_loaded(c, entry->key))
        return s;
    return add(c, entry, key.from, err);
}

static enum status find_objects(struct candidates *c, struct err *err)
{
    const struct warehouse_task *task = c->load->task;
    char prefix[LAKE_KEY_MAX];
    int n = snprintf(prefix, sizeof prefix, "bronze/%.*s/ymd=", STR_ARG(task->folder));
    if (n < 0 || n >= (int)sizeof prefix)
        return err_set(err, STATUS_BAD_VALUE, "The folder's name is too long.");
    struct lake_range range = {str_of(prefix), task->from, task->to + 1};
    enum status s = task->force ? STATUS_OK : read_loaded(c, prefix, err);
    return s != STATUS_OK ? s : lake_list(c->load->lake, &range, visit, c, c->load->stop, err);
}

static enum status stage_objects(struct candidates *c, struct silver_object *objects,
                                 struct err *err)
{
    enum status s = STATUS_OK;
    for (size_t i = 0; i < c->n && s == STATUS_OK; i++) {
        objects[i] = (struct silver_object){.key = c->all[i].key, .ymd = c->all[i].ymd};
        if (stop_is_raised(c->load->stop))
            return stop_status(c->load->stop, err);
        /* Two objects of a day hold its keys twice; so may two of which one holds many days. */
        if (i > 0 && (c->all[i - 1].ymd == objects[i].ymd || c->load->shape->spans_days))
            c->load->merge.may_repeat = true;
        bool may_repeat = c->load->merge.may_repeat;
        s = silver_object_stage(c->load, &objects[i], err);
        c->load->merge.may_repeat |= may_repeat;
    }
    return s == STATUS_OK ? silver_stage_end(c->load, err) : s;
}

static enum status load_objects(struct candidates *c, struct err *err)
{
    struct silver_object *objects = arena_room(&c->arena, c->n, sizeof *objects);
    enum status s = STATUS_OK;
    if (objects == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; c->load->task->force && i < c->n && s == STATUS_OK; i++)
        s = silver_object_forget(c->load, c->all[i].key, err);
    if (s == STATUS_OK)
        s = stage_objects(c, objects, err);
    if (s == STATUS_OK)
        s = silver_objects_book(c->load, objects, c->n, err);
    if (s != STATUS_OK)
        db_copy_abort(c->load->db);
    return s;
}

/* What the models are to look at. */
static enum status note_touched(const struct silver_load *load, struct err *err)
{
    const struct silver_shape *shape = load->shape;
    const char *rows = load->merge.is_first ? load->merge.table : load->merge.stage;
    if (shape->subject == NULL)
        return STATUS_OK;
    return warehouse_exec(
        load->db, PARAMS(db_i64(load->load_id)), NULL, err,
        "INSERT INTO load_touch (load_id, subject, touch_key, from_date, to_date) "
        "SELECT load_id, '%s', %s, min(%s), max(%s) FROM %s WHERE load_id = $1 "
        "GROUP BY load_id, %s",
        shape->subject, shape->columns[0].name, shape->touched, shape->touched, rows,
        shape->columns[0].name);
}

static enum status merge(struct silver_load *load, struct err *err)
{
    enum status s = silver_merge_run(load->db, &load->merge, load->load_id, &load->n_changed, err);
    if (s == STATUS_OK)
        s = note_touched(load, err);
    if (s == STATUS_OK)
        s = silver_stage_drop(load->db, &load->merge, err);
    if (s == STATUS_OK)
        s = instrument_book_merge(load->book, load->db, load->task->dataset, load->load_id, err);
    return s;
}

static enum status finish(struct silver_load *load, struct err *err)
{
    int64_t n_failing = 0;
    enum status s = warehouse_number(
        load->db, "SELECT count(*) FROM load_quality WHERE load_id = $1 AND status = 'fail'",
        PARAMS(db_i64(load->load_id)), &n_failing, err);
    struct load_entry entry = {.load_id = load->load_id,
                               .stage = "silver",
                               .dataset = str_of(load->name),
                               .from = load->task->from,
                               .to = load->task->to,
                               .n_objects = load->n_objects,
                               .n_rows = load->n_rows,
                               .n_changed = load->n_changed,
                               .n_bad = load->n_bad,
                               .status = n_failing > 0 ? "fail" : "ok"};
    if (s == STATUS_OK)
        s = warehouse_book(load->db, &entry, err);
    return s == STATUS_OK ? db_commit(load->db, err) : s;
}

static enum status run(struct silver_load *load, struct candidates *found, struct err *err)
{
    enum status s = warehouse_begin(load->db, &load->load_id, err);
    if (s == STATUS_OK)
        s = find_objects(found, err);
    if (s != STATUS_OK || found->n == 0)
        return s;
    s = references_read(load->db, load->references, err);
    if (s == STATUS_OK)
        s = load_objects(found, err);
    if (s == STATUS_OK)
        s = merge(load, err);
    if (s == STATUS_OK)
        s = silver_judge(load, err);
    return s == STATUS_OK ? finish(load, err) : s;
}

enum status warehouse_silver(struct lake *lake, struct db_pool *warehouse,
                             const struct warehouse_task *task, const struct stop *stop,
                             struct warehouse_report *ret, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    CLEANUP(instrument_book_freep) struct instrument_book *book = NULL;
    struct references references = {0};
    struct silver_load load = {.lake = lake,
                               .task = task,
                               .stop = stop,
                               .references = &references,
                               .first_day = DATE_MAX,
                               .last_day = DATE_MIN};
    struct candidates found = {.load = &load};
    struct str suffix = STR("_action");
    bool is_action =
        task->folder.len > suffix.len &&
        str_eq(str_sub(task->folder, task->folder.len - suffix.len, task->folder.len), suffix);
    (void)snprintf(load.name, sizeof load.name, "%.*s%s", (int)(task->dataset.len & 63),
                   task->dataset.ptr, is_action ? "_action" : "");
    enum status s = instrument_book_new(&book, err);
    if (s == STATUS_OK)
        s = db_acquire(warehouse, DB_WRITE, stop, &db, err);
    if (s != STATUS_OK)
        return s;
    load.db = db;
    load.book = book;
    arena_init(&found.arena, KEYS_BYTES_MAX);
    s = run(&load, &found, err);
    arena_clear(&found.arena);
    references_clear(&references);
    if (s != STATUS_OK)
        return s;
    *ret = (struct warehouse_report){.load_id = found.n == 0 ? 0 : load.load_id,
                                     .n_objects = load.n_objects,
                                     .n_rows = load.n_rows,
                                     .n_changed = load.n_changed,
                                     .n_bad = load.n_bad};
    return STATUS_OK;
}
