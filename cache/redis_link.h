/*
 * redis_link.h - one connection to Redis: what is sent on it, and what comes back in time. hiredis lives in redis_link.c, and its
 * TLS in redis_tls.c. A connection is for one thread at a time; every call waits for the network, timeout_ms at most.
 */
#ifndef CACHE_REDIS_LINK_H
#define CACHE_REDIS_LINK_H

#include "cache/redis.h"
#include "cache/redis_address.h"
#include "cache/redis_tls.h"

enum { REDIS_ARGS_MAX = 16 };

/*
 * Connects, shakes hands when there is tls (NULL: plain), logs in and chooses the database. NULL when that fails; *ret_refusal says
 * why the other side was not taken for the right Redis, or is NULL.
 */
struct redisContext *redis_link_open(const struct redis_address *address,
                                     const struct redis_tls *tls, unsigned timeout_ms,
                                     const char **ret_refusal) NODISCARD;
void redis_link_free(struct redisContext *link); /* NULL is allowed */

/* Whether the other side has closed it: so a failure on an idle connection says nothing about the server. */
bool redis_link_is_cut(const struct redisContext *link) NODISCARD;

/* One command of at most REDIS_ARGS_MAX words and its reply; false when none came in time. */
bool redis_link_run(struct redisContext *link, unsigned timeout_ms, const struct str *args,
                    size_t n_args, struct arena *arena, struct redis_reply *ret) NODISCARD;

/* GETs, all sent before the first answer is read; how many were answered. */
size_t redis_link_get(struct redisContext *link, unsigned timeout_ms, const struct str *names,
                      size_t n, redis_take_fn *take, void *cls) NODISCARD;

bool redis_link_subscribe(struct redisContext *link, unsigned timeout_ms, const char *channel)
    NODISCARD;

/* The next message of the channel, as redis_next. */
enum status redis_link_next(struct redisContext *link, unsigned wait_ms, struct arena *arena,
                            struct str *ret_text, struct err *err) NODISCARD;

#endif
