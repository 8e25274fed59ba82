/* bronze_write.c - the spool becomes one object a day, unless the newest one of that day says the same. */
#include "ingest/bronze_impl.h"

#include "base/clock.h"
#include "base/date.h"
#include "base/gzip.h"

#include <stdio.h>
#include <string.h>

enum {
    STAMP_CHARS = 16,
    HASH_CHARS = 16,
    GZIP_LEVEL = 6,
    REJECTS_BYTES_MAX = 64 << 20,
    REJECT_LINES_MAX = 100000
};

/* The newest object of rows of each day from first on; at is 0 where there is none. */
struct newest {
    int64_t at;
    char hash[HASH_CHARS + 1];
};

struct writing {
    struct bronze_run *run;
    enum feed_shape shape;
    const char *folder;
    struct arena packed;
    struct newest *newest;
    int32_t first, last;
    int64_t now_s;
};

/* 20241202T010000Z */
static bool read_stamp(struct str stamp, int64_t *ret)
{
    char text[INSTANT_TEXT_BYTES];
    if (stamp.len != STAMP_CHARS)
        return false;
    const char *s = stamp.ptr;
    (void)snprintf(text, sizeof text, "%.4s-%.2s-%.5s:%.2s:%.3s", s, s + 4, s + 6, s + 11, s + 13);
    return instant_parse(str_of(text), ret);
}

/* rows-{stamp}-{hash}.csv.gz */
static enum status note_object(void *to, const struct lake_entry *entry, struct err *err)
{
    struct writing *w = to;
    struct lake_key key;
    (void)err;
    if (lake_key_parse(str_of(entry->key), &key, NULL) != STATUS_OK || key.from < w->first ||
        key.from > w->last || !str_starts(key.file, STR("rows-")))
        return STATUS_OK;
    struct str rest = str_sub(key.file, 5, key.file.len), stamp, hash;
    int64_t at = 0;
    if (!str_next_field(&rest, '-', &stamp) || !str_next_field(&rest, '.', &hash) ||
        !read_stamp(stamp, &at) || hash.len != HASH_CHARS)
        return STATUS_OK;
    struct newest *n = &w->newest[key.from - w->first];
    if (at < n->at)
        return STATUS_OK;
    n->at = at;
    memcpy(n->hash, hash.ptr, hash.len);
    n->hash[hash.len] = '\0';
    return STATUS_OK;
}

static enum status list_newest(struct writing *w, struct err *err)
{
    char prefix[DATASET_FOLDER_BYTES + 16];
    (void)snprintf(prefix, sizeof prefix, "bronze/%s/ymd=", w->folder);
    w->newest = arena_array(&w->run->kept, (size_t)(w->last - w->first) + 1, sizeof *w->newest);
    if (w->newest == NULL)
        return err_out_of_memory(err);
    struct lake_range range = {str_of(prefix), w->first, w->last + 1};
    return lake_list(w->run->world->lake, &range, note_object, w, w->run->stop, err);
}

static enum status put_packed(struct writing *w, const struct bronze_object *object,
                              struct str header, struct str lines, bool *ret_is_new,
                              struct err *err)
{
    char key[BRONZE_KEY_BYTES];
    struct buf plain;
    struct str packed = STR_NONE;
    struct lake_meta meta = {.fetched_at = object->fetched_at};
    enum status s = bronze_name(object, key, err);
    if (s == STATUS_OK)
        s = digest_hex(header, meta.schema_hash, err);
    arena_reset(&w->packed);
    buf_init(&plain, &w->packed, header.len + lines.len + 1);
    buf_add(&plain, header);
    buf_add(&plain, lines);
    if (s == STATUS_OK && plain.failed)
        return err_out_of_memory(err);
    if (s == STATUS_OK)
        s = gzip_pack(buf_str(&plain), GZIP_LEVEL, &w->packed, &packed, err);
    return s == STATUS_OK ? bronze_put(w->run, key, packed, &meta, ret_is_new, err) : s;
}

/*
 * Whether another server has put these rows there in the same second. The name says that they are the same rows; only
 * when they were fetched, and in which answers, are other bytes.
 */
static bool is_there(const struct writing *w, const struct bronze_object *object)
{
    char key[BRONZE_KEY_BYTES];
    struct lake_entry entry;
    return bronze_name(object, key, NULL) == STATUS_OK &&
           lake_head(w->run->world->lake, key, &entry, NULL) == STATUS_OK;
}

/*
 * By key the row that was fetched last wins. So rows of the second of the newest object, which may be others, are a second later,
 * and so are all of them while the clock is behind it.
 */
static int64_t time_of_row(void *to, int32_t ymd, int64_t fetched_at)
{
    const struct writing *w = to;
    int64_t newest = w->newest[ymd - w->first].at;
    return fetched_at == newest || w->now_s < newest ? newest + 1 : fetched_at;
}

static enum status write_day(void *to, const struct spool_day *day, struct err *err)
{
    struct writing *w = to;
    char hash[DIGEST_HEX_BYTES], room[1024];
    struct buf header;
    bool is_new = false;
    const struct newest *newest = &w->newest[day->ymd - w->first];
    if (stop_is_raised(w->run->stop))
        return stop_status(w->run->stop, err);
    enum status s = digest_hex(day->fields, hash, err);
    if (s != STATUS_OK)
        return s;
    w->run->report->rows_out += day->n_rows;
    if (strncmp(hash, newest->hash, HASH_CHARS) == 0) {
        w->run->report->objects_skipped++;
        return STATUS_OK;
    }
    /* Not before the newest one that there is: newer stamps win, whatever the clock did. */
    int64_t at = w->now_s > newest->at ? w->now_s : newest->at + 1;
    buf_init_fixed(&header, room, sizeof room);
    spool_header(w->shape, &header);
    struct bronze_object object = {w->folder, false, day->ymd, "rows", at, "csv.gz", day->fields};
    s = put_packed(w, &object, buf_str(&header), day->lines, &is_new, err);
    if (s == STATUS_BAD_DATA && is_there(w, &object)) {
        w->run->report->objects_skipped++;
        return STATUS_OK;
    }
    w->run->report->objects += is_new ? 1 : 0;
    return s;
}

static enum status write_shape(struct bronze_run *run, enum feed_shape shape, struct err *err)
{
    char folder[DATASET_FOLDER_BYTES];
    struct writing w = {.run = run, .shape = shape, .folder = folder, .now_s = clock_wall_s()};
    int64_t n = 0;
    enum status s = spool_days(run->spool, shape, &w.first, &w.last, &n, err);
    if (s != STATUS_OK || n == 0)
        return s;
    if (shape == run->task->dataset->shape) {
        run->report->rows_first = w.first;
        run->report->rows_last = w.last;
    }
    dataset_folder(run->task->dataset, shape, folder);
    s = list_newest(&w, err);
    arena_init(&w.packed, (size_t)1 << 30);
    struct spool_visitor visitor = {&w, write_day, time_of_row};
    if (s == STATUS_OK)
        s = spool_each_day(run->spool, shape, &run->answer, &visitor, err);
    arena_clear(&w.packed);
    return s;
}

static enum status write_rejects(struct bronze_run *run, struct err *err)
{
    struct writing w = {.run = run, .now_s = clock_wall_s()};
    struct buf lines, header;
    char room[256];
    int64_t n = 0;
    bool is_new = false;
    arena_reset(&run->answer);
    buf_init(&lines, &run->answer, REJECTS_BYTES_MAX);
    enum status s = spool_rejects(run->spool, REJECT_LINES_MAX, &lines, &n, err);
    if (s != STATUS_OK || n == 0)
        return s;
    if (lines.failed)
        return err_out_of_memory(err);
    buf_init_fixed(&header, room, sizeof room);
    spool_header(SHAPE_COUNT, &header);
    struct bronze_object object = {run->task->dataset->folder,
                                   true,
                                   run->task->to,
                                   "rejects",
                                   w.now_s,
                                   "csv.gz",
                                   buf_str(&lines)};
    arena_init(&w.packed, (size_t)1 << 28);
    s = put_packed(&w, &object, buf_str(&header), buf_str(&lines), &is_new, err);
    arena_clear(&w.packed);
    return s;
}

enum status bronze_write(struct bronze_run *run, struct err *err)
{
    enum feed_shape shape = run->task->dataset->shape;
    enum status s = write_shape(run, shape, err);
    if (s == STATUS_OK && shape == SHAPE_BAR)
        s = write_shape(run, SHAPE_ACTION, err);
    return s == STATUS_OK ? write_rejects(run, err) : s;
}
