/*
 * db_pool.c - the connection pool.
 * Connections are made on demand and kept idle; one that broke is closed instead of kept. After a failed
 * connect the pool fails fast for a short, growing, random while, so that a dead database costs nothing.
 */
#include "store/db.h"

#include "base/clock.h"
#include "store/db_impl.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_SLICE_MS = 50, BACKOFF_FIRST_MS = 100, BACKOFF_MAX_MS = 5000 };
enum { NS_PER_MS = 1000000 };

struct db_pool {
    struct db_options options; /* owns its strings; read-only after opening */
    const struct db_backend *backend;
    struct lock lock;        /* leaf lock; guards every GUARDED field below */
    struct cond freed;       /* a connection came back or was closed */
    struct db *idle GUARDED; /* newest first */
    unsigned n_open GUARDED; /* idle, borrowed, or being connected */
    unsigned n_in_use GUARDED;
    unsigned n_failures GUARDED; /* connects that failed in a row */
    int64_t connect_not_before_ns GUARDED;
    unsigned n_waiting GUARDED;
    unsigned n_held GUARDED; /* see db_pool_hold */
    int64_t n_copied GUARDED;
    uint64_t cancelled[DB_CANCELS] GUARDED;
    struct db_pool *primary; /* NULL: this is one */
    struct db_replicas *replicas;
};

static char *copy_string(const char *s)
{
    return strdup(s == NULL ? "" : s);
}

static void pool_free(struct db_pool *pool)
{
    db_replicas_close(pool->replicas);
    free((void *)(uintptr_t)pool->options.url);
    free((void *)(uintptr_t)pool->options.sqlite_path);
    cond_clear(&pool->freed);
    lock_clear(&pool->lock);
    free(pool);
}

static const struct db_backend *backend_of(const char *url)
{
    if (url == NULL || url[0] == '\0')
        return &db_backend_sqlite;
    return str_starts(str_of(url), STR("redshift://")) ? &db_backend_redshift : &db_backend_pg;
}

enum status db_pool_open(const struct db_options *options, struct db_pool **ret_pool,
                         struct err *err)
{
    return db_pool_open_for(options, NULL, ret_pool, err);
}

enum status db_pool_open_for(const struct db_options *options, struct db_pool *primary,
                             struct db_pool **ret_pool, struct err *err)
{
    const struct db_backend *backend = backend_of(options->url);
    enum status s = backend->check_options(options, err);
    if (s != STATUS_OK)
        return s;
    if (options->pool_max == 0)
        return err_set(err, STATUS_CONFIG,
                       "A connection pool needs room for at least one connection.");
    struct db_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while opening the database pool.");
    lock_init(&pool->lock);
    cond_init(&pool->freed);
    pool->backend = backend;
    pool->options = *options;
    pool->options.url = copy_string(options->url);
    pool->options.sqlite_path = copy_string(options->sqlite_path);
    if (pool->options.url == NULL || pool->options.sqlite_path == NULL) {
        pool_free(pool);
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while opening the database pool.");
    }
    pool->options.read_urls = NULL; /* borrowed */
    pool->primary = primary;
    s = db_replicas_open(options, pool, &pool->replicas, err);
    if (s != STATUS_OK) {
        pool_free(pool);
        return s;
    }
    *ret_pool = pool;
    return STATUS_OK;
}

static void db_destroy(struct db *db)
{
    db->backend->disconnect(db);
    free(db);
}

void db_pool_close(struct db_pool *pool)
{
    if (pool == NULL)
        return;
    lock_take(&pool->lock);
    while (pool->n_held > 0)
        cond_wait(&pool->freed, &pool->lock);
    lock_give(&pool->lock);
    assert(pool->n_in_use == 0);
    while (pool->idle != NULL) {
        struct db *db = pool->idle;
        pool->idle = db->next_idle;
        db_destroy(db);
    }
    pool_free(pool);
}

void db_pool_usage(struct db_pool *pool, unsigned *ret_in_use, unsigned *ret_open,
                   unsigned *ret_max)
{
    lock_take(&pool->lock);
    *ret_in_use = pool->n_in_use;
    *ret_open = pool->n_open;
    lock_give(&pool->lock);
    *ret_max = pool->options.pool_max;
}

struct db_pool *db_pool_primary(const struct db_pool *pool)
{
    return pool->primary;
}

void db_pool_stats(struct db_pool *pool, struct db_stats *ret)
{
    *ret = (struct db_stats){.max = pool->options.pool_max};
    lock_take(&pool->lock);
    ret->in_use = pool->n_in_use;
    ret->open = pool->n_open;
    ret->waiting = pool->n_waiting;
    ret->copied = pool->n_copied;
    memcpy(ret->cancelled, pool->cancelled, sizeof ret->cancelled);
    lock_give(&pool->lock);
    db_replicas_add_stats(pool->replicas, ret);
}

/* Takes an idle connection out of the list, one of the wanted mode if there is any. */
static struct db *take_idle(struct db_pool *pool, enum db_mode mode) REQUIRES(pool->lock)
{
    struct db **link = &pool->idle;
    for (struct db **at = &pool->idle; *at != NULL; at = &(*at)->next_idle)
        if ((*at)->mode == mode) {
            link = at;
            break;
        }
    struct db *db = *link;
    if (db != NULL && (db->mode == mode || pool->n_open >= pool->options.pool_max)) {
        *link = db->next_idle;
        return db;
    }
    return NULL;
}

static enum status unavailable(struct err *err, int64_t wait_ns, const char *detail)
{
    enum status s = err_set(err, STATUS_DB_UNAVAILABLE, "%s", detail);
    if (err != NULL)
        err->retry_after_s = (unsigned)(1 + wait_ns / (1000 * (int64_t)NS_PER_MS));
    return s;
}

/* What a borrower got a right to: an idle connection, or a place to connect one. */
struct place {
    struct db *idle;
    bool may_connect;
};

static enum status wait_for_place(struct db_pool *pool, enum db_mode mode, unsigned wait_ms,
                                  const struct stop *stop, struct place *ret, struct err *err)
    REQUIRES(pool->lock)
{
    int64_t until = clock_mono_ns() + (int64_t)wait_ms * NS_PER_MS;
    for (;;) {
        int64_t now = clock_mono_ns();
        ret->idle = take_idle(pool, mode);
        ret->may_connect = ret->idle == NULL && pool->n_open < pool->options.pool_max;
        if (ret->idle != NULL)
            return STATUS_OK;
        if (ret->may_connect && now < pool->connect_not_before_ns)
            return unavailable(err, pool->connect_not_before_ns - now,
                               "The database cannot be reached.");
        if (ret->may_connect)
            return STATUS_OK;
        if (stop_is_raised(stop))
            return stop_status(stop, err);
        if (now >= until)
            return unavailable(err, 0, "Every database connection is busy.");
        int64_t slice = now + (int64_t)WAIT_SLICE_MS * NS_PER_MS;
        pool->n_waiting++;
        (void)cond_wait_until(&pool->freed, &pool->lock, slice < until ? slice : until);
        pool->n_waiting--;
    }
}

/* Full jitter: anywhere between now and a limit that doubles with every failure in a row. */
static void back_off(struct db_pool *pool) REQUIRES(pool->lock)
{
    unsigned doublings = pool->n_failures < 6 ? pool->n_failures : 6;
    int64_t limit_ms = (int64_t)BACKOFF_FIRST_MS << doublings;
    if (limit_ms > BACKOFF_MAX_MS)
        limit_ms = BACKOFF_MAX_MS;
    int64_t now = clock_mono_ns();
    uint64_t mixed = (uint64_t)now * 0x9E3779B97F4A7C15u;
    pool->n_failures++;
    pool->connect_not_before_ns = now + (int64_t)((mixed >> 20) % (uint64_t)(limit_ms * NS_PER_MS));
}

static void give_up_place(struct db_pool *pool)
{
    lock_take(&pool->lock);
    pool->n_open--;
    pool->n_in_use--;
    cond_signal(&pool->freed);
    lock_give(&pool->lock);
}

void db_pool_describe(struct db_pool *pool, struct db *ret)
{
    *ret = (struct db){.pool = pool,
                       .backend = pool->backend,
                       .options = &pool->options,
                       .mode = DB_READ,
                       .statement_ms = pool->options.statement_ms,
                       .pinned_generation = -1};
}

static enum status connect_new(struct db_pool *pool, enum db_mode mode, const struct stop *stop,
                               struct db **ret_db, struct err *err)
{
    struct db *db = calloc(1, sizeof *db);
    if (db == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY,
                       "Out of memory while connecting to the database.");
    db_pool_describe(pool, db);
    db->mode = mode;
    db->stop = stop;
    enum status s = pool->backend->connect(db, err);
    if (s == STATUS_OK)
        s = pool->backend->set_mode(db, mode, err);
    lock_take(&pool->lock);
    if (s == STATUS_OK)
        pool->n_failures = 0;
    else if (s == STATUS_DB_UNAVAILABLE)
        back_off(pool);
    lock_give(&pool->lock);
    if (s != STATUS_OK) {
        db_destroy(db);
        return s;
    }
    *ret_db = db;
    return STATUS_OK;
}

/* Checks an idle connection and turns it to the wanted mode; NULL when it had to be closed. */
static struct db *revive(struct db *db, enum db_mode mode, const struct stop *stop)
{
    db->stop = stop;
    db->next_idle = NULL;
    bool is_usable = db->backend->is_alive(db, clock_mono_ns() - db->idle_since_ns);
    if (is_usable && db->mode != mode)
        is_usable = db->backend->set_mode(db, mode, NULL) == STATUS_OK;
    if (is_usable) {
        db->mode = mode;
        return db;
    }
    db_destroy(db);
    return NULL;
}

static enum status acquire_here(struct db_pool *pool, enum db_mode mode, unsigned wait_ms,
                                const struct stop *stop, struct db **ret_db, struct err *err)
{
    struct place place = {0};
    lock_take(&pool->lock);
    enum status s = wait_for_place(pool, mode, wait_ms, stop, &place, err);
    if (s == STATUS_OK)
        pool->n_in_use++;
    if (place.may_connect && s == STATUS_OK)
        pool->n_open++;
    lock_give(&pool->lock);
    if (s != STATUS_OK)
        return s;
    struct db *db = place.idle == NULL ? NULL : revive(place.idle, mode, stop);
    if (db == NULL) {
        s = connect_new(pool, mode, stop, &db, err);
        if (s != STATUS_OK) {
            give_up_place(pool);
            return s;
        }
    }
    assert(db != NULL);
    db->statement_ms = pool->options.statement_ms;
    db->comment[0] = '\0';
    db->waited_ns = NULL;
    *ret_db = db;
    return STATUS_OK;
}

enum status db_acquire(struct db_pool *pool, enum db_mode mode, const struct stop *stop,
                       struct db **ret_db, struct err *err)
{
    struct db *db = mode == DB_READ_MARTS ? db_replicas_acquire(pool->replicas, stop) : NULL;
    if (db == NULL)
        return acquire_here(pool, mode == DB_READ_MARTS ? DB_READ : mode, pool->options.acquire_ms,
                            stop, ret_db, err);
    *ret_db = db;
    return STATUS_OK;
}

struct db *db_try_acquire(struct db_pool *pool, enum db_mode mode, const struct stop *stop)
{
    struct db *db = NULL;
    return acquire_here(pool, mode, 0, stop, &db, NULL) == STATUS_OK ? db : NULL;
}

void db_pool_hold(struct db *db)
{
    struct db_pool *pool = db->pool;
    int reason = db->stop == NULL ? STOP_NONE : atomic_load(&db->stop->reason);
    enum db_cancel why = reason == STOP_CLIENT_GONE ? DB_CANCEL_CLIENT_GONE
                         : reason == STOP_DEADLINE  ? DB_CANCEL_DEADLINE
                         : reason == STOP_DRAINING  ? DB_CANCEL_DRAINING
                                                    : DB_CANCEL_ABANDONED;
    lock_take(&pool->lock);
    pool->n_held++;
    pool->cancelled[why]++;
    lock_give(&pool->lock);
}

void db_pool_let_go(struct db_pool *pool)
{
    lock_take(&pool->lock);
    pool->n_held--;
    cond_broadcast(&pool->freed);
    lock_give(&pool->lock);
}

struct db *db_pool_spare(struct db_pool *pool)
{
    lock_take(&pool->lock);
    struct db *db = pool->idle;
    if (db != NULL) {
        pool->idle = db->next_idle;
        pool->n_in_use++;
    }
    lock_give(&pool->lock);
    return db;
}

void db_release(struct db *db)
{
    if (db == NULL)
        return;
    assert(db->n_rows == 0);
    if (db->is_copying)
        db_copy_abort(db);
    db_rollback(db);
    db->waited_ns = NULL;
    struct db_pool *pool = db->pool;
    int64_t n_copied = db->n_copied;
    db->n_copied = 0;
    lock_take(&pool->lock);
    pool->n_copied += n_copied;
    lock_give(&pool->lock);
    if (db->is_broken) {
        db_destroy(db);
        give_up_place(pool);
        return;
    }
    db->stop = NULL;
    db->idle_since_ns = clock_mono_ns();
    lock_take(&pool->lock);
    db->next_idle = pool->idle;
    pool->idle = db;
    pool->n_in_use--;
    cond_signal(&pool->freed);
    lock_give(&pool->lock);
}

void db_releasep(struct db **db)
{
    db_release(*db);
    *db = NULL;
}
