/* db_pool.h - the inside of a connection pool, for db_pool.c and db_borrow.c alone. */
#ifndef STORE_DB_POOL_H
#define STORE_DB_POOL_H

#include "store/db_impl.h"

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

/* Closes a connection and frees it; what the pool counts is the caller's to put right. */
void db_discard(struct db *db);

#endif
