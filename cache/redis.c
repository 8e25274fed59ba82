/* redis.c - the connections that are kept, and the breaker before them. */
#include "cache/redis.h"

#include "base/clock.h"
#include "base/lock.h"
#include "cache/redis_link.h"

#include <stdlib.h>

enum { NS_PER_MS = 1000000, FAILURES_MAX = 5, OPEN_MS = 1000, OPEN_MS_MAX = 30000, POOL_MAX = 64 };

struct redis {
    struct redis_address address;
    struct redis_tls *tls; /* NULL: plain */
    unsigned timeout_ms;
    unsigned idle_max;
    struct lock lock; /* leaf lock; guards every GUARDED field below */
    struct redisContext *idle[POOL_MAX] GUARDED;
    size_t n_idle GUARDED;
    struct redis_stats stats GUARDED;
    unsigned n_failures GUARDED; /* in a row */
    unsigned open_ms GUARDED;    /* of the next opening */
    int64_t open_until_ns GUARDED;
    uint64_t random GUARDED;
};

/* Files for TLS beside an address without it are somebody's belief that the connection is safe. */
static enum status refuse_idle_files(const struct redis_options *options, struct err *err)
{
    const char *setting = options->tls_ca_file[0] != '\0'     ? "redis_tls_ca_file"
                          : options->tls_cert_file[0] != '\0' ? "redis_tls_cert_file"
                          : options->tls_key_file[0] != '\0'  ? "redis_tls_key_file"
                                                              : NULL;
    if (setting == NULL)
        return STATUS_OK;
    enum status s =
        err_set(err, STATUS_CONFIG, "%s is for TLS, which redis_url does not ask for.", setting);
    err_at(err, ERR_SETTING, str_of(setting), STR_NONE);
    err_allow(err, "rediss:// in redis_url, or no %s", setting);
    return s;
}

enum status redis_new(const struct redis_options *options, struct redis **ret, struct err *err)
{
    struct redis *redis = calloc(1, sizeof *redis);
    if (redis == NULL)
        return err_out_of_memory(err);
    if (!redis_address_parse(str_of(options->url), &redis->address)) {
        free(redis);
        (void)err_set(err, STATUS_CONFIG, "The address of Redis cannot be read.");
        err_at(err, ERR_SETTING, STR("redis_url"), STR_NONE);
        err_allow(err, "redis[s]://[[user]:password@]host[:port][/db] or unix:///path[?db=n]");
        return STATUS_CONFIG;
    }
    enum status s = redis->address.is_tls
                        ? redis_tls_new(options, redis->address.host, &redis->tls, err)
                        : refuse_idle_files(options, err);
    if (s != STATUS_OK) {
        free(redis);
        return s;
    }
    redis->timeout_ms = options->timeout_ms;
    redis->idle_max =
        options->connections_max < POOL_MAX ? options->connections_max : (unsigned)POOL_MAX;
    redis->open_ms = OPEN_MS;
    redis->random = (uint64_t)clock_mono_ns() | 1;
    lock_init(&redis->lock);
    *ret = redis;
    return STATUS_OK;
}

void redis_free(struct redis *redis)
{
    if (redis == NULL)
        return;
    for (size_t i = 0; i < redis->n_idle; i++)
        redis_link_free(redis->idle[i]);
    redis_tls_free(redis->tls);
    lock_clear(&redis->lock);
    free(redis);
}

static struct redisContext *open_link(struct redis *redis)
{
    const char *refusal;
    struct redisContext *link =
        redis_link_open(&redis->address, redis->tls, redis->timeout_ms, &refusal);
    if (redis->tls != NULL) {
        lock_take(&redis->lock);
        redis->stats.tls_refusal = refusal;
        lock_give(&redis->lock);
    }
    return link;
}

/* A place to send to; false when the breaker is open. *ret is NULL when a new connection is needed. */
static bool enter(struct redis *redis, struct redisContext **ret)
{
    *ret = NULL;
    lock_take(&redis->lock);
    bool may = redis->stats.state == REDIS_CLOSED;
    if (redis->stats.state == REDIS_OPEN && clock_mono_ns() >= redis->open_until_ns) {
        redis->stats.state =
            REDIS_HALF_OPEN; /* this caller probes, the others wait for what it finds */
        may = true;
    }
    if (!may)
        redis->stats.bypassed++;
    else
        redis->stats.commands++;
    if (may && redis->n_idle > 0)
        *ret = redis->idle[--redis->n_idle];
    lock_give(&redis->lock);
    return may;
}

/* xorshift64: jitter needs no more. */
static uint64_t next_random(struct redis *redis) REQUIRES(redis->lock)
{
    redis->random ^= redis->random << 13;
    redis->random ^= redis->random >> 7;
    redis->random ^= redis->random << 17;
    return redis->random;
}

static void count_failure(struct redis *redis) REQUIRES(redis->lock)
{
    redis->stats.errors++;
    redis->n_failures++;
    if (redis->stats.state != REDIS_HALF_OPEN && redis->n_failures < FAILURES_MAX)
        return;
    if (redis->stats.state == REDIS_OPEN)
        return; /* opened by another command that failed meanwhile */
    unsigned ms = redis->open_ms / 2 + (unsigned)(next_random(redis) % redis->open_ms);
    redis->stats.state = REDIS_OPEN;
    redis->open_until_ns = clock_mono_ns() + (int64_t)ms * NS_PER_MS;
    redis->open_ms = redis->open_ms * 2 < OPEN_MS_MAX ? redis->open_ms * 2 : OPEN_MS_MAX;
}

static void leave(struct redis *redis, struct redisContext *link, bool is_good)
{
    lock_take(&redis->lock);
    if (is_good) {
        redis->n_failures = 0;
        redis->open_ms = OPEN_MS;
        redis->stats.state = REDIS_CLOSED;
    } else {
        count_failure(redis);
    }
    if (is_good && redis->n_idle < redis->idle_max) {
        redis->idle[redis->n_idle++] = link;
        link = NULL;
    }
    lock_give(&redis->lock);
    redis_link_free(link);
}

enum redis_outcome redis_run(struct redis *redis, const struct str *args, size_t n_args,
                             struct arena *arena, struct redis_reply *ret)
{
    struct redisContext *link;
    if (n_args > REDIS_ARGS_MAX || !enter(redis, &link))
        return REDIS_BYPASSED;
    bool is_old = link != NULL;
    if (link == NULL)
        link = open_link(redis);
    bool is_good =
        link != NULL && redis_link_run(link, redis->timeout_ms, args, n_args, arena, ret);
    /* A connection that was idle may have been closed by a server that restarted: that is no failure yet. */
    if (!is_good && is_old && redis_link_is_cut(link)) {
        redis_link_free(link);
        link = open_link(redis);
        is_good = link != NULL && redis_link_run(link, redis->timeout_ms, args, n_args, arena, ret);
    }
    leave(redis, link, is_good);
    return is_good ? REDIS_DONE : REDIS_FAILED;
}

enum redis_outcome redis_get_many(struct redis *redis, const struct str *names, size_t n,
                                  redis_take_fn *take, void *cls)
{
    struct redisContext *link;
    if (!enter(redis, &link))
        return REDIS_BYPASSED;
    bool is_old = link != NULL;
    if (link == NULL)
        link = open_link(redis);
    size_t n_taken =
        link == NULL ? 0 : redis_link_get(link, redis->timeout_ms, names, n, take, cls);
    if (n_taken == 0 && is_old && redis_link_is_cut(link)) { /* as in redis_run */
        redis_link_free(link);
        link = open_link(redis);
        n_taken = link == NULL ? 0 : redis_link_get(link, redis->timeout_ms, names, n, take, cls);
    }
    leave(redis, link, n_taken == n);
    return n_taken == n ? REDIS_DONE : REDIS_FAILED;
}

struct redis_stats redis_stats(struct redis *redis)
{
    lock_take(&redis->lock);
    struct redis_stats stats = redis->stats;
    int64_t left_ns = redis->open_until_ns - clock_mono_ns();
    if (stats.state == REDIS_OPEN && left_ns > 0)
        stats.open_ms = (unsigned)(left_ns / NS_PER_MS);
    lock_give(&redis->lock);
    return stats;
}

struct redis_ear {
    struct redisContext *link;
};

enum status redis_listen(struct redis *redis, const char *channel, struct redis_ear **ret,
                         struct err *err)
{
    struct redis_ear *ear = calloc(1, sizeof *ear);
    if (ear == NULL)
        return err_out_of_memory(err);
    ear->link = open_link(redis);
    if (ear->link == NULL || !redis_link_subscribe(ear->link, redis->timeout_ms, channel)) {
        redis_ear_free(ear);
        return err_set(err, STATUS_IO, "Redis does not answer.");
    }
    *ret = ear;
    return STATUS_OK;
}

enum status redis_next(struct redis_ear *ear, unsigned wait_ms, struct arena *arena,
                       struct str *ret_text, struct err *err)
{
    return redis_link_next(ear->link, wait_ms, arena, ret_text, err);
}

void redis_ear_free(struct redis_ear *ear)
{
    if (ear != NULL)
        redis_link_free(ear->link);
    free(ear);
}
