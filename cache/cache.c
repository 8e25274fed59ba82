/* cache.c - makes and frees the parts of the cache. */
#include "cache/cache.h"

#include <stdlib.h>

enum { FRONT_SHARE = 16 };

enum status cache_new(const struct cache_options *options, struct cache **ret, struct err *err)
{
    uint64_t max_bytes = options->max_bytes;
    struct cache *cache = calloc(1, sizeof *cache);
    if (cache == NULL)
        return err_out_of_memory(err);
    enum status s = l1_new(max_bytes - 2 * (max_bytes / FRONT_SHARE), &cache->replies, err);
    if (s == STATUS_OK)
        s = l1_new(max_bytes / FRONT_SHARE, &cache->fronts, err);
    if (s == STATUS_OK)
        s = l1_new(max_bytes / FRONT_SHARE, &cache->heads, err);
    if (s == STATUS_OK)
        s = flights_new(&cache->flights, err);
    if (s == STATUS_OK)
        s = epochs_new(&cache->epochs, err);
    cache->l2.ttl_s = options->redis_ttl_s;
    if (s == STATUS_OK && options->redis.url[0] != '\0')
        s = redis_new(&options->redis, &cache->l2.redis, err);
    if (s == STATUS_OK && cache->l2.redis != NULL)
        s = fetcher_new(&cache->l2, &cache->fetcher, err);
    if (s != STATUS_OK) {
        cache_free(cache);
        return s;
    }
    *ret = cache;
    return STATUS_OK;
}

bool cache_keeps(const struct cache *cache)
{
    return l1_bytes_max(cache->replies) > 0 || cache->l2.redis != NULL;
}

void cache_free(struct cache *cache)
{
    if (cache == NULL)
        return;
    fetcher_free(cache->fetcher);
    l1_free(cache->replies);
    l1_free(cache->fronts);
    l1_free(cache->heads);
    flights_free(cache->flights);
    epochs_free(cache->epochs);
    redis_free(cache->l2.redis);
    free(cache);
}
