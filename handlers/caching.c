/* caching.c - joins the caches with settings, metrics, readiness and the threads behind them. */
#include "handlers/caching.h"

#include "cache/cache.h"
#include "handlers/bus.h"
#include "handlers/front.h"
#include "handlers/warm.h"

#include <stdlib.h>

struct caching {
    struct app *app;
    struct cache *cache;
    struct bus *bus;       /* NULL without Redis, and before the start */
    struct warmer *warmer; /* NULL before the start */
};

static void collect_l1(const struct app *app, const char *level, struct l1 *l1)
{
    struct metrics *metrics = app->metrics;
    struct l1_stats stats = front_stats(app, l1);
    metrics_set_labeled(metrics, METRIC_cache_bytes, LABELS(level), (double)stats.bytes);
    metrics_set_labeled(metrics, METRIC_cache_entries, LABELS(level), (double)stats.entries);
    metrics_set_labeled(metrics, METRIC_cache_evictions_total, LABELS(level),
                        (double)stats.evictions);
    metrics_set_labeled(metrics, METRIC_cache_refused_total, LABELS(level), (double)stats.refused);
    metrics_set_labeled(metrics, METRIC_cache_requests_total, LABELS(level, "hit"),
                        (double)stats.hits);
}

static void collect_l2(struct metrics *metrics, struct l2 *l2)
{
    const struct {
        const char *outcome;
        uint64_t n;
    } counts[] = {{"hit", atomic_load(&l2->hits)},
                  {"miss", atomic_load(&l2->misses)},
                  {"damaged", atomic_load(&l2->damaged)},
                  {"error", atomic_load(&l2->failed)},
                  {"bypass", atomic_load(&l2->bypassed)}};
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        metrics_set_labeled(metrics, METRIC_cache_requests_total,
                            LABELS("redis", counts[i].outcome), (double)counts[i].n);
    struct redis_stats stats = {0};
    if (l2->redis != NULL)
        stats = redis_stats(l2->redis);
    metrics_set(metrics, METRIC_redis_errors_total, (double)stats.errors);
    metrics_set_labeled(metrics, METRIC_breaker_state, LABELS("redis"), (double)stats.state);
}

static void collect(struct metrics *metrics, void *cls)
{
    struct caching *caching = cls;
    struct cache *cache = caching->cache;
    collect_l1(caching->app, "l1", cache->replies);
    collect_l1(caching->app, "front", cache->fronts);
    collect_l1(caching->app, "head", cache->heads);
    metrics_set_labeled(metrics, METRIC_cache_requests_total, LABELS("l1", "miss"),
                        (double)atomic_load(&cache->n_misses));
    metrics_set(metrics, METRIC_singleflight_waiters, (double)flights_waiting(cache->flights));
    collect_l2(metrics, &cache->l2);
}

static enum status check_redis(void *cls, struct err *err)
{
    struct caching *caching = cls;
    struct redis_stats stats = redis_stats(caching->cache->l2.redis);
    if (stats.tls_refusal != NULL)
        return err_set(err, STATUS_IO, "Its TLS is not accepted: %s.", stats.tls_refusal);
    if (stats.state != REDIS_CLOSED)
        return err_set(err, STATUS_IO, "The breaker is open, for %u ms more.", stats.open_ms);
    if (!caching_hears(caching))
        return err_set(err, STATUS_IO, "The channel to other servers is not open.");
    return STATUS_OK;
}

/* Where nothing is kept, all that can be told without I/O is that the client has the answer. */
static bool can_only_be_unchanged(struct request *request)
{
    return request_header(request, "If-None-Match").ptr != NULL ||
           request_header(request, "If-Modified-Since").ptr != NULL;
}

enum status caching_new(struct app *app, struct caching **ret, struct err *err)
{
    const struct config *config = app->config;
    struct caching *caching = calloc(1, sizeof *caching);
    if (caching == NULL)
        return err_out_of_memory(err);
    const struct cache_options options = {.max_bytes = (uint64_t)config->cache_mib << 20,
                                          .redis = {.url = config->redis_url,
                                                    .timeout_ms = config->redis_ms,
                                                    .tls_ca_file = config->redis_tls_ca_file,
                                                    .tls_cert_file = config->redis_tls_cert_file,
                                                    .tls_key_file = config->redis_tls_key_file,
                                                    .connections_max = config->io_workers + 1},
                                          .redis_ttl_s = config->redis_ttl_s};
    caching->app = app;
    enum status s = cache_new(&options, &caching->cache, err);
    if (s == STATUS_OK && caching->cache->l2.redis != NULL &&
        !app_add_check(app, "redis", check_redis, caching, false))
        s = err_set(err, STATUS_INTERNAL, "There is no room for another readiness check.");
    if (s != STATUS_OK) {
        caching_free(caching);
        return s;
    }
    app->cache = caching->cache;
    app->caching = caching;
    app->front = front_answer;
    app->recall = front_recall;
    app->stamp = front_stamp;
    app->recalled = front_recalled;
    if (!cache_keeps(caching->cache))
        app->is_quick = can_only_be_unchanged;
    metrics_collector(app->metrics, collect, caching);
    *ret = caching;
    return STATUS_OK;
}

enum status caching_start(struct caching *caching, struct err *err)
{
    enum status s = warmer_new(caching->app, &caching->warmer, err);
    if (s == STATUS_OK && caching->cache->l2.redis != NULL)
        s = bus_new(caching->app, &caching->bus, err);
    return s;
}

void caching_stop(struct caching *caching)
{
    if (caching == NULL)
        return;
    warmer_stop(caching->warmer);
    bus_free(caching->bus);
    caching->bus = NULL;
}

void caching_free(struct caching *caching)
{
    if (caching == NULL)
        return;
    caching_stop(caching);
    warmer_free(caching->warmer);
    caching->app->front = NULL;
    caching->app->recall = NULL;
    caching->app->stamp = NULL;
    caching->app->recalled = NULL;
    caching->app->is_quick = NULL;
    caching->app->cache = NULL;
    caching->app->caching = NULL;
    cache_free(caching->cache);
    free(caching);
}

void caching_moved(struct caching *caching, int64_t generation)
{
    if (caching->warmer != NULL)
        warmer_wake(caching->warmer);
    if (caching->cache->l2.redis != NULL)
        bus_tell_publish(caching->app, generation);
}

bool caching_hears(const struct caching *caching)
{
    return caching->bus != NULL && bus_is_open(caching->bus);
}
