/*
 * cache.h - the parts of the cache together: what app->cache points to. Each part has its own header.
 */
#ifndef CACHE_CACHE_H
#define CACHE_CACHE_H

#include "cache/epoch.h"
#include "cache/fetcher.h"
#include "cache/flight.h"
#include "cache/kept.h"
#include "cache/l1.h"
#include "cache/l2.h"

#include <stdatomic.h>

struct cache {
    struct l1 *replies; /* finished replies, by everything their bytes depend on */
    struct l1 *fronts;  /* raw requests, and the key of the reply that answered each */
    struct l1
        *heads;   /* the same by all bytes of a request's head: nothing of it need be looked at */
    struct l2 l2; /* finished replies in Redis, if there is one */
    struct fetcher
        *fetcher; /* reads from it for those who wait without a thread; NULL without Redis */
    struct flights *flights;
    struct epochs *epochs;
    atomic_uint_fast64_t n_misses; /* answers that the in-process cache did not have */
};

struct cache_options {
    uint64_t max_bytes;         /* of all in-process parts */
    struct redis_options redis; /* url "": none */
    unsigned redis_ttl_s;
};

enum status cache_new(const struct cache_options *options, struct cache **ret, struct err *err)
    NODISCARD;
bool cache_keeps(const struct cache *cache); /* anything at all: there are bytes or a Redis */
void cache_free(struct cache *cache);        /* NULL is allowed; nothing may be in flight */

#endif
