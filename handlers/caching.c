/* caching.c - joins the caches with settings and metrics. */
#include "handlers/caching.h"

#include "cache/cache.h"
#include "handlers/front.h"

#include <stdlib.h>

struct caching {
    struct app *app;
    struct cache *cache;
};

static void collect_l1(struct metrics *metrics, const char *level, struct l1 *l1)
{
    struct l1_stats stats = l1_stats(l1);
    metrics_set_labeled(metrics, METRIC_cache_bytes, LABELS(level), (double)stats.bytes);
    metrics_set_labeled(metrics, METRIC_cache_entries, LABELS(level), (double)stats.entries);
    metrics_set_labeled(metrics, METRIC_cache_evictions_total, LABELS(level),
                        (double)stats.evictions);
    metrics_set_labeled(metrics, METRIC_cache_refused_total, LABELS(level), (double)stats.refused);
    metrics_set_labeled(metrics, METRIC_cache_requests_total, LABELS(level, "hit"),
                        (double)stats.hits);
}

static void collect(struct metrics *metrics, void *cls)
{
    struct caching *caching = cls;
    struct cache *cache = caching->cache;
    collect_l1(metrics, "l1", cache->replies);
    collect_l1(metrics, "front", cache->fronts);
    metrics_set_labeled(metrics, METRIC_cache_requests_total, LABELS("l1", "miss"),
                        (double)atomic_load(&cache->n_misses));
    metrics_set(metrics, METRIC_singleflight_waiters, (double)flights_waiting(cache->flights));
}

enum status caching_new(struct app *app, struct caching **ret, struct err *err)
{
    struct caching *caching = calloc(1, sizeof *caching);
    if (caching == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory.");
    caching->app = app;
    enum status s = cache_new((uint64_t)app->config->cache_mib << 20, &caching->cache, err);
    if (s != STATUS_OK) {
        caching_free(caching);
        return s;
    }
    app->cache = caching->cache;
    app->front = front_answer;
    metrics_collector(app->metrics, collect, caching);
    *ret = caching;
    return STATUS_OK;
}

void caching_free(struct caching *caching)
{
    if (caching == NULL)
        return;
    caching->app->front = NULL;
    caching->app->cache = NULL;
    cache_free(caching->cache);
    free(caching);
}
