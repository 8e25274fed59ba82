/* warm.c - a background thread that plays the part of a client which nobody waits for. */
#include "handlers/warm.h"

#include "base/clock.h"
#include "base/lock.h"
#include "cache/cache.h"
#include "handlers/front.h"
#include "handlers/handlers.h"
#include "server/query_string.h"
#include "server/router.h"
#include "server/target.h"
#include "store/db.h"

#include <stdlib.h>
#include <time.h>

enum { TOP = 256, PAUSE_MS = 5, PAUSES_MAX = 200, NS_PER_MS = 1000000 };

struct warmer {
    struct app *app;
    struct router *router;
    pthread_t thread;
    bool is_running;  /* the thread exists; the owner's own */
    struct lock lock; /* leaf lock; guards every GUARDED field below */
    struct cond woken;
    bool must_stop GUARDED;
    bool has_moved GUARDED;
};

static bool must_stop(struct warmer *warmer)
{
    lock_take(&warmer->lock);
    bool answer = warmer->must_stop;
    lock_give(&warmer->lock);
    return answer;
}

/* Waits while most database connections are in use; not for ever, since a busy server needs its cache most. */
static void give_way(struct warmer *warmer)
{
    for (int i = 0; i < PAUSES_MAX && !must_stop(warmer); i++) {
        unsigned in_use, open, max;
        db_pool_usage(warmer->app->db, &in_use, &open, &max);
        if (in_use * 2 <= max)
            return;
        struct timespec pause = {.tv_nsec = (long)PAUSE_MS * NS_PER_MS};
        (void)nanosleep(&pause, NULL);
    }
}

static enum status route_of(struct warmer *warmer, struct request *request, struct err *err)
{
    struct target target;
    enum status s = target_parse(request->target, false, &target, err);
    if (s != STATUS_OK)
        return s;
    request->path = target.path;
    request->query = target.query;
    s = router_match(warmer->router, request, err);
    if (s == STATUS_OK)
        s = query_parse(request->query, &request->arena, &request->params, &request->n_params, err);
    return s;
}

static void ask(struct warmer *warmer, const struct front_raw *raw)
{
    struct request *request = calloc(1, sizeof *request);
    if (request == NULL)
        return;
    struct header headers[2];
    struct err err = {0};
    request->app = warmer->app;
    arena_init(&request->arena, (size_t)warmer->app->config->request_memory_mib << 20);
    request->method = METHOD_GET;
    request->target = raw->target;
    request->headers = headers;
    if (raw->accept.ptr != NULL)
        headers[request->n_headers++] = (struct header){STR("Accept"), raw->accept};
    if (raw->accept_encoding.ptr != NULL)
        headers[request->n_headers++] =
            (struct header){STR("Accept-Encoding"), raw->accept_encoding};
    request->public_id = request->id;
    request->principal.name = "";
    request->principal.scopes = raw->scopes;
    request->reply.http_status = 200;
    request->lane = LANE_IO;
    request->is_own = true;
    request->arrived_ns = clock_mono_ns();
    request->stamp = front_stamp(warmer->app);
    request->cache = "none";
    if (route_of(warmer, request, &err) == STATUS_OK && request->route->lane == LANE_QUICK &&
        request->route->handler(request, &err) == STATUS_OK)
        metrics_add(warmer->app->metrics, METRIC_cache_warmed_total, 1);
    blob_unref(request->reply.blob);
    arena_clear(&request->arena);
    free(request);
}

/* Heads of one raw request may be many, and it has a note of its own. */
static bool is_among(struct blob *const *notes, size_t n, const struct blob *note)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(front_raw_text(notes[i]), front_raw_text(note)))
            return true;
    return false;
}

static void warm_all(struct warmer *warmer)
{
    struct blob *top[2 * TOP];
    size_t n_heads = 0, n_fronts = 0;
    l1_take_top(warmer->app->cache->heads, top, TOP, &n_heads);
    l1_take_top(warmer->app->cache->fronts, top + n_heads, TOP, &n_fronts);
    size_t n = n_heads + n_fronts;
    for (size_t i = 0; i < n; i++) {
        struct front_raw raw;
        if (must_stop(warmer) || is_among(top, i, top[i]))
            continue;
        front_parts(top[i], &raw);
        give_way(warmer);
        ask(warmer, &raw);
    }
    for (size_t i = 0; i < n; i++)
        blob_unref(top[i]);
}

static bool wait_for_move(struct warmer *warmer)
{
    lock_take(&warmer->lock);
    while (!warmer->must_stop && !warmer->has_moved)
        cond_wait(&warmer->woken, &warmer->lock);
    bool goes_on = !warmer->must_stop;
    warmer->has_moved = false;
    lock_give(&warmer->lock);
    return goes_on;
}

static void *thread_main(void *arg)
{
    struct warmer *warmer = arg;
    while (wait_for_move(warmer))
        warm_all(warmer);
    return NULL;
}

enum status warmer_new(struct app *app, struct warmer **ret, struct err *err)
{
    struct warmer *warmer = calloc(1, sizeof *warmer);
    if (warmer == NULL)
        return err_out_of_memory(err);
    warmer->app = app;
    lock_init(&warmer->lock);
    cond_init(&warmer->woken);
    enum status s = router_new(routes, routes_count, false, &warmer->router, err);
    if (s == STATUS_OK && pthread_create(&warmer->thread, NULL, thread_main, warmer) != 0)
        s = err_set(err, STATUS_OUT_OF_MEMORY, "A thread cannot be started.");
    warmer->is_running = s == STATUS_OK;
    if (s != STATUS_OK) {
        warmer_free(warmer);
        return s;
    }
    *ret = warmer;
    return STATUS_OK;
}

void warmer_stop(struct warmer *warmer)
{
    if (warmer == NULL || !warmer->is_running)
        return;
    lock_take(&warmer->lock);
    warmer->must_stop = true;
    cond_signal(&warmer->woken);
    lock_give(&warmer->lock);
    (void)pthread_join(warmer->thread, NULL);
    warmer->is_running = false;
}

void warmer_free(struct warmer *warmer)
{
    if (warmer == NULL)
        return;
    warmer_stop(warmer);
    router_free(warmer->router);
    cond_clear(&warmer->woken);
    lock_clear(&warmer->lock);
    free(warmer);
}

void warmer_wake(struct warmer *warmer)
{
    lock_take(&warmer->lock);
    warmer->has_moved = true;
    cond_signal(&warmer->woken);
    lock_give(&warmer->lock);
}
