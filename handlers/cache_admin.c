/* cache_admin.c - for administrators: what the caches hold, making them forget, and asking for a look at the database. */
#include "handlers/handlers.h"

#include "base/clock.h"
#include "base/json_in.h"
#include "base/json_out.h"
#include "base/log.h"
#include "cache/cache.h"
#include "handlers/bus.h"
#include "handlers/caching.h"
#include "handlers/document.h"
#include "handlers/front.h"
#include "handlers/params.h"
#include "handlers/refresher.h"
#include "handlers/rows_answer.h"
#include "server/app.h"

enum { BODY_MAX = 64 * 1024, MARTS_MAX = 100, MART_NAME_MAX = EPOCH_NAME_BYTES - 1 };

static void put_level(struct json_out *json, const char *key, const struct app *app, struct l1 *l1)
{
    struct l1_stats stats = front_stats(app, l1);
    jw_key(json, key);
    jw_object(json);
    jw_key_i64(json, "entries", (int64_t)stats.entries);
    jw_key_i64(json, "bytes", (int64_t)stats.bytes);
    jw_key_i64(json, "max_bytes", (int64_t)l1_bytes_max(l1));
    jw_key_i64(json, "hits", (int64_t)stats.hits);
    jw_key_i64(json, "evictions", (int64_t)stats.evictions);
    jw_key_i64(json, "refused", (int64_t)stats.refused);
    jw_end_object(json);
}

static void put_redis(struct json_out *json, struct l2 *l2, bool hears)
{
    static const char *const states[] = {
        [REDIS_CLOSED] = "closed", [REDIS_OPEN] = "open", [REDIS_HALF_OPEN] = "half-open"};
    jw_key(json, "redis");
    jw_object(json);
    jw_key_bool(json, "is_configured", l2->redis != NULL);
    if (l2->redis != NULL) {
        struct redis_stats stats = redis_stats(l2->redis);
        jw_key_c(json, "breaker", states[stats.state]);
        jw_key_i64(json, "breaker_open_ms", stats.open_ms);
        jw_key_bool(json, "is_listening", hears);
        jw_key_i64(json, "hits", (int64_t)atomic_load(&l2->hits));
        jw_key_i64(json, "misses", (int64_t)atomic_load(&l2->misses));
        jw_key_i64(json, "damaged", (int64_t)atomic_load(&l2->damaged));
        jw_key_i64(json, "stored", (int64_t)atomic_load(&l2->stored));
        jw_key_i64(json, "errors", (int64_t)stats.errors);
        jw_key_i64(json, "bypassed", (int64_t)stats.bypassed);
    }
    jw_end_object(json);
}

enum status cache_get(struct request *request, struct err *err)
{
    struct cache *cache = request->app->cache;
    enum status s = params_expect(request, NULL, 0, err);
    if (s != STATUS_OK)
        return s;
    struct buf out;
    struct json_out json;
    document_begin(request, BODY_MAX, &out, &json);
    jw_object(&json);
    put_level(&json, "l1", request->app, cache->replies);
    put_level(&json, "front", request->app, cache->fronts);
    put_level(&json, "head", request->app, cache->heads);
    put_redis(&json, &cache->l2, caching_hears(request->app->caching));
    jw_key_i64(&json, "misses", (int64_t)atomic_load(&cache->n_misses));
    jw_key_i64(&json, "waiting", (int64_t)flights_waiting(cache->flights));
    jw_end_object(&json);
    document_end(&json);
    return document_no_store(request, 200, format_media_type(FORMAT_JSON), &out, err);
}

/* The marts of the body, all known; *ret_n 0 for everything. */
static enum status read_marts(struct request *request, struct json_val root, struct str *ret,
                              size_t *ret_n, struct err *err)
{
    static const char *const members[] = {"marts"};
    CLEANUP(catalog_unrefp) struct catalog *catalog = NULL;
    struct json_val list = jr_member(root, "marts");
    *ret_n = 0;
    enum status s = jr_expect_object(root, members, ARRAY_LEN(members), err);
    if (s != STATUS_OK || !jr_is_present(list))
        return s;
    s = jr_expect_array(list, 1, MARTS_MAX, err);
    if (s == STATUS_OK)
        s = rows_catalog(request, &catalog, err);
    for (size_t i = 0; s == STATUS_OK && i < jr_length(list); i++) {
        struct json_val item = jr_item(list, i);
        s = jr_read_str(item, 1, MART_NAME_MAX, &ret[i], err);
        if (s == STATUS_OK && catalog_mart(catalog, ret[i]) == NULL) {
            s = catalog_unknown_mart(catalog, ret[i], err);
            jr_err_at(err, item);
        }
        *ret_n = i + 1;
    }
    return s;
}

static void purge(struct app *app, struct str mart, int64_t at_ms)
{
    (void)epochs_raise(app->cache->epochs, mart, at_ms);
    bus_tell_purge(app, mart, at_ms);
}

enum status cache_purge(struct request *request, struct err *err)
{
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    struct cache *cache = request->app->cache;
    struct str marts[MARTS_MAX];
    size_t n = 0;
    enum status s = params_expect(request, NULL, 0, err);
    if (s == STATUS_OK)
        s = params_read_body(request, &doc, err);
    if (s == STATUS_OK)
        s = read_marts(request, jr_root(doc), marts, &n, err);
    if (s != STATUS_OK)
        return s;
    int64_t at_ms = epochs_next(cache->epochs, clock_wall_ms());
    for (size_t i = 0; i < n; i++)
        purge(request->app, marts[i], at_ms);
    if (n == 0)
        purge(request->app, STR(""), at_ms);
    log_event(LOG_INFO, "cache_purged", LOG_I64("marts", (int64_t)n), LOG_I64("epoch", at_ms),
              LOG_I64("by", request->principal.key_id));
    struct buf out;
    struct json_out json;
    document_begin(request, BODY_MAX, &out, &json);
    jw_object(&json);
    jw_key_i64(&json, "epoch", at_ms);
    jw_key(&json, "marts");
    jw_array(&json);
    for (size_t i = 0; i < n; i++)
        jw_str(&json, marts[i]);
    jw_end_array(&json);
    jw_end_object(&json);
    document_end(&json);
    return document_no_store(request, 200, format_media_type(FORMAT_JSON), &out, err);
}

enum status catalog_reload(struct request *request, struct err *err)
{
    enum status s = params_expect(request, NULL, 0, err);
    if (s != STATUS_OK)
        return s;
    refresher_wake(request->app->refresher);
    log_event(LOG_INFO, "catalogue_reload_asked", LOG_I64("by", request->principal.key_id));
    struct buf out;
    buf_init(&out, &request->arena, BODY_MAX);
    buf_add(&out, STR("{\"data\":{\"is_asked\":true}}"));
    buf_add_char(&out, '\n');
    return document_no_store(request, 202, format_media_type(FORMAT_JSON), &out, err);
}

enum status freshness_get(struct request *request, struct err *err)
{
    static const char *const names[] = {"select", "order",      "limit",
                                        "cursor", "generation", TABLE_PARAMETERS};
    CLEANUP(rows_end) struct rows_request rows = {0};
    enum status s = params_expect(request, names, ARRAY_LEN(names), err);
    if (s == STATUS_OK)
        s = rows_begin(request, STR("mart_freshness"), &rows, err);
    if (s == STATUS_OK)
        s = rows_read_page(request, &rows, err);
    if (s == STATUS_OK)
        s = rows_answer(request, &rows, err);
    reply_header(request, "Cache-Control", "no-store");
    return s;
}
