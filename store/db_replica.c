/*
 * db_replica.c - reads of marts spread over replicas. Each has a pool of its own, which backs off by itself when its
 * server is down; a request never waits for a place there, it takes the next one, and at last the primary. Whether
 * a replica has what is asked for is found out by whoever reads: see generation_pin and mart_read.c.
 */
#include "store/db_impl.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { REPLICAS_MAX = 16 };

struct db_replicas {
    struct db_pool *pools[REPLICAS_MAX];
    size_t n;
    atomic_uint turn;
};

/* Length of the first URL of a list: to a comma that another URL follows, as hosts may be listed with commas too. */
static size_t url_len(const char *list)
{
    for (const char *at = list; (at = strchr(at, ',')) != NULL; at++)
        if (strncmp(at + 1, "postgres", strlen("postgres")) == 0)
            return (size_t)(at - list);
    return strlen(list);
}

static enum status open_one(const struct db_options *options, const char *url, size_t len,
                            struct db_pool *primary, struct db_replicas *replicas, struct err *err)
{
    if (replicas->n == REPLICAS_MAX)
        return err_set(err, STATUS_CONFIG, "At most %d read URLs can be given.", (int)REPLICAS_MAX);
    struct db_options one = *options;
    char *text = strndup(url, len);
    if (text == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while opening the database pool.");
    one.url = text;
    one.read_urls = NULL;
    one.acquire_ms = 0;
    enum status s = db_pool_open_for(&one, primary, &replicas->pools[replicas->n], err);
    free(text);
    if (s == STATUS_OK)
        replicas->n++;
    return s;
}

enum status db_replicas_open(const struct db_options *options, struct db_pool *primary,
                             struct db_replicas **ret, struct err *err)
{
    const char *list = options->read_urls == NULL ? "" : options->read_urls;
    struct db_replicas *replicas = calloc(1, sizeof *replicas);
    if (replicas == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while opening the database pool.");
    atomic_init(&replicas->turn, 0);
    while (*list != '\0') {
        size_t len = url_len(list);
        enum status s = open_one(options, list, len, primary, replicas, err);
        if (s != STATUS_OK) {
            db_replicas_close(replicas);
            return s;
        }
        list += len + (list[len] == ',' ? 1 : 0);
    }
    *ret = replicas;
    return STATUS_OK;
}

void db_replicas_close(struct db_replicas *replicas)
{
    if (replicas == NULL)
        return;
    for (size_t i = 0; i < replicas->n; i++)
        db_pool_close(replicas->pools[i]);
    free(replicas);
}

struct db *db_replicas_acquire(struct db_replicas *replicas, const struct stop *stop)
{
    struct db *db = NULL;
    if (replicas->n == 0)
        return NULL;
    unsigned first = atomic_fetch_add_explicit(&replicas->turn, 1, memory_order_relaxed);
    for (size_t i = 0; i < replicas->n && !stop_is_raised(stop); i++)
        if (db_acquire(replicas->pools[(first + i) % replicas->n], DB_READ, stop, &db, NULL) ==
            STATUS_OK)
            return db;
    return NULL;
}

void db_replicas_add_stats(struct db_replicas *replicas, struct db_stats *stats)
{
    for (size_t i = 0; i < replicas->n; i++) {
        struct db_stats one;
        db_pool_stats(replicas->pools[i], &one);
        stats->in_use += one.in_use;
        stats->open += one.open;
        stats->max += one.max;
        for (size_t k = 0; k < DB_CANCELS; k++)
            stats->cancelled[k] += one.cancelled[k];
    }
}

bool db_is_replica(const struct db *db)
{
    return db_pool_primary(db->pool) != NULL;
}

enum status db_to_primary(struct db *db, struct err *err)
{
    struct db_pool *primary = db_pool_primary(db->pool);
    struct db *other = NULL;
    if (primary == NULL)
        return STATUS_OK;
    enum status s = db_acquire(primary, DB_READ, db->stop, &other, err);
    if (s != STATUS_OK)
        return s;
    struct db replica = *db;
    *db = *other;
    *other = replica;
    db->statement_ms = replica.statement_ms;
    memcpy(db->comment, replica.comment, sizeof db->comment);
    db->waited_ns = replica.waited_ns;
    other->waited_ns = NULL;
    db_release(other);
    return STATUS_OK;
}
