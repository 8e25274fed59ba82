/*
 * redis_tls.h - TLS below a connection to Redis, where hiredis has it (1.0 and later). The server's chain and its name
 * are verified, always: there is no way to leave that out. With an older hiredis redis_tls_new refuses.
 */
#ifndef CACHE_REDIS_TLS_H
#define CACHE_REDIS_TLS_H

#include "cache/redis.h"

struct redis_tls;    /* whom to trust and what to show; read once, callable from any thread */
struct redisContext; /* a connection of hiredis */

/* CONFIG when a file cannot be used, naming its setting. host: whose certificate it has to be, a name or an address. */
enum status redis_tls_new(const struct redis_options *options, const char *host,
                          struct redis_tls **ret, struct err *err) NODISCARD;
void redis_tls_free(struct redis_tls *tls); /* NULL is allowed */

/*
 * Shakes hands on a connection that nothing was said on, by until_ns at the latest. From then on its socket does not
 * block. *ret_reason is NULL, or says why the connection must not be used; it is good for as long as the program runs.
 */
bool redis_tls_start(const struct redis_tls *tls, struct redisContext *context, int64_t until_ns,
                     const char **ret_reason) NODISCARD;

/* To be called on a thread before it reads or writes: OpenSSL takes an old error of the thread for one of now. */
void redis_tls_forget_errors(void);

#endif
