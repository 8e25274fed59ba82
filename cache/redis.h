/*
 * redis.h - commands to a Redis server, each with a time limit, behind a breaker: five failures in a row open it for
 * a second, doubling to thirty, with jitter; then one command probes. Callable from any thread but those that poll: a command
 * waits for the network, timeout_ms at most for it and as much for connecting.
 */
#ifndef CACHE_REDIS_H
#define CACHE_REDIS_H

#include "base/arena.h"
#include "base/err.h"

#include <stdint.h>

struct redis;

struct redis_options {
    const char *url; /* redis[s]://[[user]:password@]host[:port][/db], or unix:///path[?db=n] */
    unsigned timeout_ms;
    unsigned connections_max; /* kept open; more are opened and closed when all are in use */
    const char *tls_ca_file;  /* PEM files for rediss://; "": the system's certificates */
    const char *tls_cert_file, *tls_key_file; /* our own, where Redis asks for one; "": none */
};

enum redis_state { REDIS_CLOSED, REDIS_OPEN, REDIS_HALF_OPEN };

enum redis_type { REDIS_NIL, REDIS_INT, REDIS_TEXT, REDIS_LIST, REDIS_REFUSED };

struct redis_reply {
    enum redis_type type;
    int64_t integer;  /* REDIS_INT */
    struct str text;  /* REDIS_TEXT and REDIS_REFUSED (the server's error message); in the arena */
    struct str *list; /* REDIS_LIST: texts; ptr NULL for nil */
    size_t n_list;
};

struct redis_stats {
    uint64_t commands, errors, bypassed; /* since the start */
    enum redis_state state;
    unsigned open_ms; /* how long the breaker still refuses */
    const char
        *tls_refusal; /* why the last connection was not taken for the right Redis, or NULL */
};

/* CONFIG when the URL or a file for TLS cannot be used; nothing is connected yet. */
enum status redis_new(const struct redis_options *options, struct redis **ret, struct err *err)
    NODISCARD;
void redis_free(struct redis *redis); /* NULL is allowed */

enum redis_outcome { REDIS_DONE, REDIS_FAILED, REDIS_BYPASSED };

/*
 * Runs one command. FAILED: no answer in time, the connection broke, or what came was no reply at all; BYPASSED:
 * not tried, because the breaker is open. An error reply of the server is DONE and REDIS_REFUSED.
 */
enum redis_outcome redis_run(struct redis *redis, const struct str *args, size_t n_args,
                             struct arena *arena, struct redis_reply *ret) NODISCARD;

/*
 * GETs, all sent before the first answer is read. take is called for each answer that came, in order; its text is
 * good for the call only. What redis_run says about failures holds for the rest together.
 */
typedef void redis_take_fn(void *cls, const struct redis_reply *reply);
enum redis_outcome redis_get_many(struct redis *redis, const struct str *names, size_t n,
                                  redis_take_fn *take, void *cls) NODISCARD;

struct redis_stats redis_stats(struct redis *redis);

/*
 * A subscription, on a connection of its own, for one thread. Channel messages arrive in redis_next; a
 * heartbeat of our own shows that the way is open in both directions.
 */
struct redis_ear;
enum status redis_listen(struct redis *redis, const char *channel, struct redis_ear **ret,
                         struct err *err) NODISCARD;

/* The next message, waiting wait_ms at most: *ret_text ptr NULL when none came. IO when the connection is lost. */
enum status redis_next(struct redis_ear *ear, unsigned wait_ms, struct arena *arena,
                       struct str *ret_text, struct err *err) NODISCARD;
void redis_ear_free(struct redis_ear *ear); /* NULL is allowed */

#endif
