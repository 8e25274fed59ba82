/*
 * db_borrow.c - what the connection pool lends and takes back.
 * Connections are made on demand and kept idle; one that broke is closed instead of kept. After a failed
 * connect the pool fails fast for a short, growing, random while, so that a dead database costs nothing.
 */
#include "store/db_pool.h"

#include "base/clock.h"

#include <assert.h>
#include <stdlib.h>

enum { WAIT_SLICE_MS = 50, BACKOFF_FIRST_MS = 100, BACKOFF_MAX_MS = 5000 };
enum { NS_PER_MS = 1000000 };

void db_discard(struct db *db)
{
    db->backend->disconnect(db);
    free(db);
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
        db_discard(db);
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
    db_discard(db);
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
        db_discard(db);
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
