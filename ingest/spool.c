/* spool.c - two tables of rows and one of units in a file of SQLite. */
#define _GNU_SOURCE /* flock, strerrordesc_np */
#include "ingest/spool_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STALE_S = 20 * 3600, KEY_BYTES_MAX = 4096, LINE_BYTES_MAX = 1 << 20, ACQUIRE_MS = 5000 };

struct spool {
    struct db_pool *pool;
    struct db *db;
    int lock_fd;
    char path[PATH_MAX];
};

struct db *spool_database(struct spool *spool)
{
    return spool->db;
}

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS row(shape INTEGER NOT NULL, ymd INTEGER NOT NULL, key TEXT NOT NULL,"
    " fields TEXT NOT NULL, origin TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS reject(line TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS unit(name TEXT PRIMARY KEY, has_more INTEGER NOT NULL);";

static void remove_files(const char *path)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
    char name[PATH_MAX + 16];
    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        (void)snprintf(name, sizeof name, "%s%s", path, endings[i]);
        (void)unlink(name);
    }
}

static enum status failed(const char *what, struct err *err)
{
    return err_set(err, STATUS_IO, "%s the file for fetched rows failed: %s.", what,
                   strerrordesc_np(errno));
}

static void lock_name(const struct spool *spool, char ret[PATH_MAX + 16])
{
    (void)snprintf(ret, PATH_MAX + 16, "%s.lock", spool->path);
}

/* Holds the lock file, unless its holder removed it meanwhile: then there is a new one to hold. */
static enum status lock(struct spool *spool, struct err *err)
{
    char name[PATH_MAX + 16];
    struct stat held, there;
    lock_name(spool, name);
    for (;;) {
        spool->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (spool->lock_fd < 0)
            return failed("Locking", err);
        if (flock(spool->lock_fd, LOCK_EX | LOCK_NB) != 0) {
            enum status s = errno == EWOULDBLOCK ? STATUS_BUSY : failed("Locking", err);
            (void)close(spool->lock_fd);
            spool->lock_fd = -1;
            return s != STATUS_BUSY ? s
                                    : err_set(err, s,
                                              "Another process fetches the same days of this data "
                                              "set.");
        }
        if (fstat(spool->lock_fd, &held) == 0 && stat(name, &there) == 0 &&
            held.st_ino == there.st_ino)
            return STATUS_OK;
        (void)close(spool->lock_fd);
    }
}

static enum status open_database(struct spool *spool, int64_t now_s, const struct stop *stop,
                                 struct err *err)
{
    struct stat found;
    if (stat(spool->path, &found) == 0 && now_s - (int64_t)found.st_mtime > STALE_S)
        remove_files(spool->path);
    struct db_options options = {
        .sqlite_path = spool->path, .pool_max = 1, .acquire_ms = ACQUIRE_MS};
    enum status s = db_pool_open(&options, &spool->pool, err);
    if (s == STATUS_OK)
        s = db_acquire(spool->pool, DB_WRITE, stop, &spool->db, err);
    if (s == STATUS_OK)
        s = db_exec_script(spool->db, tables, err);
    return s;
}

enum status spool_open(const char *folder, const char *name, int64_t now_s, const struct stop *stop,
                       struct spool **ret, struct err *err)
{
    struct spool *spool = calloc(1, sizeof *spool);
    if (spool == NULL)
        return err_out_of_memory(err);
    spool->lock_fd = -1;
    int n = snprintf(spool->path, sizeof spool->path, "%s/%s.spool", folder, name);
    enum status s = STATUS_OK;
    if (n < 0 || (size_t)n >= sizeof spool->path)
        s = err_set(err, STATUS_IO, "The folder for fetched rows has too long a name.");
    else if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        s = failed("Making the folder of", err);
    if (s == STATUS_OK)
        s = lock(spool, err);
    if (s == STATUS_OK)
        s = open_database(spool, now_s, stop, err);
    if (s != STATUS_OK) {
        spool_close(spool, true);
        return s;
    }
    *ret = spool;
    return STATUS_OK;
}

void spool_close(struct spool *spool, bool is_kept)
{
    if (spool == NULL)
        return;
    db_release(spool->db);
    db_pool_close(spool->pool);
    if (!is_kept)
        remove_files(spool->path);
    if (spool->lock_fd >= 0) {
        char name[PATH_MAX + 16];
        lock_name(spool, name);
        (void)unlink(name);
        (void)close(spool->lock_fd);
    }
    free(spool);
}

enum status spool_has(struct spool *spool, const char *unit, bool *ret_has, bool *ret_has_more,
                      struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    enum status s = db_query_one(spool->db, "SELECT has_more FROM unit WHERE name = $1",
                                 PARAMS(db_text(str_of(unit))), &rows, ret_has, err);
    if (s == STATUS_OK && *ret_has)
        *ret_has_more = rows_i64(&rows, 0) != 0;
    return s;
}

enum status spool_begin(struct spool *spool, struct err *err)
{
    return db_begin(spool->db, err);
}

void spool_rollback(struct spool *spool)
{
    db_rollback(spool->db);
}

enum status spool_commit(struct spool *spool, const char *unit, bool has_more, struct err *err)
{
    enum status s = db_exec(spool->db, "INSERT INTO unit(name, has_more) VALUES ($1, $2)",
                            PARAMS(db_text(str_of(unit)), db_i64(has_more ? 1 : 0)), NULL, err);
    return s == STATUS_OK ? db_commit(spool->db, err) : s;
}

void spool_field(struct buf *out, struct str value)
{
    bool is_plain = true;
    for (size_t i = 0; i < value.len && is_plain; i++)
        is_plain = value.ptr[i] != '"' && value.ptr[i] != ',' && value.ptr[i] != '\n' &&
                   value.ptr[i] != '\r';
    if (is_plain)
        buf_add(out, value);
    else
        buf_add_quoted(out, value);
}

static void add_origin(struct buf *out, const struct spool_origin *origin)
{
    char when[INSTANT_TEXT_BYTES];
    instant_format(origin->fetched_at, when);
    buf_printf(out, "%s,%s,%s", origin->source, when, origin->raw_key);
}

/* Key columns with a byte between them that no text of a feed has. */
static void add_key(struct buf *out, const struct feed_row *row)
{
    for (size_t i = 0; i < feed_layouts[row->shape].n_key; i++) {
        if (i > 0)
            buf_add_char(out, '\x1f');
        buf_add(out, row->field[i]);
    }
}

enum status spool_row(struct spool *spool, struct arena *arena, const struct feed_row *row,
                      const struct spool_origin *origin, struct err *err)
{
    struct buf key, fields, from;
    buf_init(&key, arena, KEY_BYTES_MAX);
    add_key(&key, row);
    buf_init(&fields, arena, LINE_BYTES_MAX);
    for (size_t i = 0; i < feed_layouts[row->shape].n; i++) {
        if (i > 0)
            buf_add_char(&fields, ',');
        spool_field(&fields, row->field[i]);
    }
    buf_init(&from, arena, LINE_BYTES_MAX);
    add_origin(&from, origin);
    if (key.failed || fields.failed || from.failed)
        return err_out_of_memory(err);
    return db_exec(spool->db,
                   "INSERT INTO row(shape, ymd, key, fields, origin) VALUES ($1, $2, $3, $4, $5)",
                   PARAMS(db_i64(row->shape), db_i64(row->ymd), db_text(buf_str(&key)),
                          db_text(buf_str(&fields)), db_text(buf_str(&from))),
                   NULL, err);
}

/* The value as text that can be read again, whatever came. */
static struct str clean(struct str value, char room[64])
{
    size_t n = 0;
    for (size_t i = 0; i < value.len && n < 60; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        size_t width = str_utf8_char(value, i);
        if (c < 0x20 || c == 0x7f || width == 0) {
            room[n++] = '?';
            continue;
        }
        if (n + width > 60)
            break;
        memcpy(room + n, value.ptr + i, width);
        n += width;
        i += width - 1;
    }
    return (struct str){room, n};
}

enum status spool_reject(struct spool *spool, struct arena *arena, const struct feed_row *row,
                         const struct feed_reject *why, const struct spool_origin *origin,
                         struct err *err)
{
    struct buf line, key;
    char room[64], key_room[64];
    buf_init(&line, arena, LINE_BYTES_MAX);
    buf_init(&key, arena, KEY_BYTES_MAX);
    for (size_t i = 0; i < feed_layouts[row->shape].n_key; i++) {
        buf_add(&key, i > 0 ? STR(" ") : STR(""));
        buf_add(&key, clean(row->field[i], room));
    }
    buf_printf(&line, "%s,%s,", why->reason, why->column == NULL ? "" : why->column);
    spool_field(&line, clean(why->value, room));
    buf_printf(&line, ",%s,", feed_layouts[row->shape].name);
    spool_field(&line, clean(buf_str(&key), key_room));
    buf_add_char(&line, ',');
    add_origin(&line, origin);
    if (line.failed || key.failed)
        return err_out_of_memory(err);
    return db_exec(spool->db, "INSERT INTO reject(line) VALUES ($1)",
                   PARAMS(db_text(buf_str(&line))), NULL, err);
}

enum status spool_days(struct spool *spool, enum feed_shape shape, int32_t *ret_first,
                       int32_t *ret_last, int64_t *ret_n, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool found = false;
    enum status s =
        db_query_one(spool->db, "SELECT MIN(ymd), MAX(ymd), COUNT(*) FROM row WHERE shape = $1",
                     PARAMS(db_i64(shape)), &rows, &found, err);
    if (s != STATUS_OK)
        return s;
    *ret_first = (int32_t)rows_i64(&rows, 0);
    *ret_last = (int32_t)rows_i64(&rows, 1);
    *ret_n = rows_i64(&rows, 2);
    return STATUS_OK;
}
