/* db_pool.c - a connection pool's opening and closing, its figures, and what keeps it open; db_borrow.c lends. */
#include "store/db_pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

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
        db_discard(db);
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

void db_pool_describe(struct db_pool *pool, struct db *ret)
{
    *ret = (struct db){.pool = pool,
                       .backend = pool->backend,
                       .options = &pool->options,
                       .mode = DB_READ,
                       .statement_ms = pool->options.statement_ms,
                       .pinned_generation = -1};
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
