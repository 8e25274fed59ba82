/* job_watch.c - see job_watch.h. */
#include "handlers/job_watch.h"

#include "base/array.h"
#include "base/clock.h"
#include "base/lock.h"
#include "handlers/job_events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TICK_MS = 100, EVENT_BYTES_MAX = 48 * 1024, OWNER_BYTES = 64, NS_PER_MS = 1000000 };

/* How the streams of one caller are counted: by key, or by address without one. */
struct owner {
    char name[OWNER_BYTES];
};

struct watcher {
    struct watcher *next;
    struct request *request;
    char id[JOB_ID_BYTES_MAX + 1];
    bool is_stream;
    int64_t until_ns; /* of a wait */
    struct owner owner;
    struct job_events events; /* of a stream */
};

struct job_watch {
    struct app *app;
    pthread_t thread;
    struct lock lock; /* leaf lock; guards every GUARDED field */
    struct cond woken;
    struct watcher *arrived GUARDED; /* not yet the thread's */
    struct owner *owners GUARDED;    /* one for each stream that is open */
    size_t n_owners GUARDED;
    size_t max_owners GUARDED;
    bool is_poked GUARDED;
    bool must_end GUARDED;
    /* The thread's own. */
    struct watcher *watchers;
    struct arena arena;                 /* of what was read of one job */
    char seen_id[JOB_ID_BYTES_MAX + 1]; /* the job looked at last in this round; "": none */
    bool is_found;
    struct job_glimpse seen;
};

static struct owner owner_of(const struct request *request)
{
    struct owner owner;
    if (request->principal.key_id != 0)
        (void)snprintf(owner.name, sizeof owner.name, "key %lld",
                       (long long)request->principal.key_id);
    else
        (void)snprintf(owner.name, sizeof owner.name, "%s", request->client);
    return owner;
}

static size_t count_owner(const struct job_watch *watch, const struct owner *owner)
    REQUIRES(watch->lock)
{
    size_t n = 0;
    for (size_t i = 0; i < watch->n_owners; i++)
        n += strcmp(watch->owners[i].name, owner->name) == 0;
    return n;
}

static bool add_owner(struct job_watch *watch, const struct owner *owner) REQUIRES(watch->lock)
{
    struct owner *all =
        heap_reserve(watch->owners, watch->n_owners + 1, &watch->max_owners, sizeof *all);
    if (all == NULL)
        return false;
    watch->owners = all;
    watch->owners[watch->n_owners++] = *owner;
    return true;
}

static void remove_owner(struct job_watch *watch, const struct owner *owner)
{
    lock_take(&watch->lock);
    for (size_t i = 0; i < watch->n_owners; i++)
        if (strcmp(watch->owners[i].name, owner->name) == 0) {
            watch->owners[i] = watch->owners[--watch->n_owners];
            break;
        }
    lock_give(&watch->lock);
}

enum status job_watch_admit(struct job_watch *watch, const struct request *request, struct err *err)
{
    struct owner owner = owner_of(request);
    unsigned max = request->app->config->job_streams_per_key;
    lock_take(&watch->lock);
    bool is_full = count_owner(watch, &owner) >= max;
    bool is_added = !is_full && add_owner(watch, &owner);
    lock_give(&watch->lock);
    if (is_added)
        return STATUS_OK;
    if (!is_full)
        return err_out_of_memory(err);
    (void)err_set(err, STATUS_TOO_MANY_JOBS, "You follow the events of %u %s already.", max,
                  str_plural(max, "job", "jobs"));
    err_allow(err, "at most %u %s of job events at the same time", max,
              str_plural(max, "stream", "streams"));
    err->retry_after_s = 5;
    return STATUS_TOO_MANY_JOBS;
}

void job_watch_leave(struct job_watch *watch, const struct request *request)
{
    struct owner owner = owner_of(request);
    remove_owner(watch, &owner);
}

static enum status add(struct job_watch *watch, struct request *request, struct str id,
                       const struct watcher *like, struct err *err)
{
    struct watcher *watcher = malloc(sizeof *watcher);
    if (watcher == NULL)
        return err_out_of_memory(err);
    *watcher = *like;
    watcher->request = request;
    (void)snprintf(watcher->id, sizeof watcher->id, "%.*s", STR_ARG(id));
    lock_take(&watch->lock);
    watcher->next = watch->arrived;
    watch->arrived = watcher;
    cond_signal(&watch->woken);
    lock_give(&watch->lock);
    return STATUS_OK;
}

enum status job_watch_wait(struct job_watch *watch, struct request *request, struct str id,
                           int64_t until_ns, struct err *err)
{
    const struct watcher like = {.until_ns = until_ns};
    return add(watch, request, id, &like, err);
}

enum status job_watch_stream(struct job_watch *watch, struct request *request, struct str id,
                             struct job_place from, struct err *err)
{
    const struct watcher like = {.is_stream = true,
                                 .owner = owner_of(request),
                                 .events = {.sent = from, .spoken_ns = clock_mono_ns()}};
    return add(watch, request, id, &like, err);
}

void job_watch_poke(struct job_watch *watch)
{
    if (watch == NULL)
        return;
    lock_take(&watch->lock);
    watch->is_poked = true;
    cond_signal(&watch->woken);
    lock_give(&watch->lock);
}

/* The request is given away: it may be gone when this returns. */
static void let_go(struct job_watch *watch, struct watcher *watcher, enum status s)
{
    if (watcher->is_stream) {
        remove_owner(watch, &watcher->owner);
        stream_end(watcher->request, s);
    } else {
        request_unpark(watcher->request);
    }
    free(watcher);
}

/* False: nobody listens any more. */
static bool speak(struct job_watch *watch, struct db *db, struct watcher *watcher,
                  const struct job_glimpse *now)
{
    struct buf out;
    int64_t heartbeat_ns = (int64_t)watch->app->config->job_heartbeat_ms * NS_PER_MS;
    buf_init(&out, &watch->arena, EVENT_BYTES_MAX);
    job_events_write(&watcher->events, db, str_of(watcher->id), now, heartbeat_ns, &watch->arena,
                     &out);
    return out.len == 0 || (!out.failed && stream_offer(watcher->request, buf_str(&out)));
}

/* Those who follow the same job stand behind one another: one look serves all of them. */
static enum status peek(struct job_watch *watch, struct db *db, const struct watcher *watcher)
{
    if (db == NULL)
        return STATUS_DB_UNAVAILABLE;
    if (strcmp(watch->seen_id, watcher->id) == 0)
        return STATUS_OK;
    arena_reset(&watch->arena);
    watch->seen_id[0] = '\0';
    enum status s =
        job_peek(db, str_of(watcher->id), &watch->arena, &watch->seen, &watch->is_found, NULL);
    if (s == STATUS_OK)
        (void)memcpy(watch->seen_id, watcher->id, sizeof watch->seen_id);
    return s;
}

/* STATUS_OK and *ret_stays false: it is served. */
static enum status look_at(struct job_watch *watch, struct db *db, struct watcher *watcher,
                           bool *ret_stays)
{
    *ret_stays = false;
    if (stop_is_raised(&watcher->request->stop))
        return watcher->is_stream ? stop_status(&watcher->request->stop, NULL) : STATUS_OK;
    if (!watcher->is_stream && clock_mono_ns() >= watcher->until_ns)
        return STATUS_OK;
    if (atomic_load(&watch->app->is_draining))
        return STATUS_OK; /* a stream ends in order, without "end": its client asks another server */
    *ret_stays = true;
    if (peek(watch, db, watcher) != STATUS_OK)
        return STATUS_OK;
    bool is_over = !watch->is_found || job_is_over(watch->seen.state);
    if (watch->is_found && watcher->is_stream) {
        if (!speak(watch, db, watcher, &watch->seen)) {
            *ret_stays = false;
            return STATUS_CLIENT_GONE;
        }
        is_over = is_over && watcher->events.sent.log >= watch->seen.n_log;
    }
    *ret_stays = !is_over;
    return STATUS_OK;
}

static void round_of(struct job_watch *watch)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    if (db_acquire(watch->app->db, DB_READ, NULL, &db, NULL) != STATUS_OK)
        db = NULL;
    watch->seen_id[0] = '\0';
    for (struct watcher **at = &watch->watchers; *at != NULL;) {
        struct watcher *watcher = *at;
        bool stays = false;
        enum status s = look_at(watch, db, watcher, &stays);
        if (stays) {
            at = &watcher->next;
            continue;
        }
        *at = watcher->next;
        let_go(watch, watcher, s);
    }
}

/* Takes over what has arrived; waits for something to do. False: it is time to end. */
static bool wait_round(struct job_watch *watch)
{
    int64_t until_ns = clock_mono_ns() + (int64_t)TICK_MS * NS_PER_MS;
    lock_take(&watch->lock);
    while (!watch->must_end && watch->arrived == NULL) {
        if (watch->watchers == NULL)
            cond_wait(&watch->woken, &watch->lock);
        else if (watch->is_poked || !cond_wait_until(&watch->woken, &watch->lock, until_ns))
            break;
    }
    watch->is_poked = false;
    while (watch->arrived != NULL) {
        struct watcher *watcher = watch->arrived;
        watch->arrived = watcher->next;
        struct watcher **at = &watch->watchers;
        while (*at != NULL && strcmp((*at)->id, watcher->id) < 0)
            at = &(*at)->next;
        watcher->next = *at;
        *at = watcher;
    }
    bool goes_on = !watch->must_end || watch->watchers != NULL;
    lock_give(&watch->lock);
    return goes_on;
}

static void *thread_main(void *cls)
{
    struct job_watch *watch = cls;
    while (wait_round(watch))
        round_of(watch);
    return NULL;
}

static void collect(struct metrics *metrics, void *cls)
{
    struct job_watch *watch = cls;
    lock_take(&watch->lock);
    size_t n_streams = watch->n_owners;
    lock_give(&watch->lock);
    metrics_set(metrics, METRIC_job_streams, (double)n_streams);
}

enum status job_watch_new(struct app *app, struct job_watch **ret, struct err *err)
{
    struct job_watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL)
        return err_out_of_memory(err);
    watch->app = app;
    lock_init(&watch->lock);
    cond_init(&watch->woken);
    arena_init(&watch->arena, (size_t)16 << 20);
    if (pthread_create(&watch->thread, NULL, thread_main, watch) != 0) {
        arena_clear(&watch->arena);
        cond_clear(&watch->woken);
        lock_clear(&watch->lock);
        free(watch);
        return err_set(err, STATUS_OUT_OF_MEMORY, "A thread cannot be started.");
    }
    metrics_collector(app->metrics, collect, watch);
    *ret = watch;
    return STATUS_OK;
}

void job_watch_free(struct job_watch *watch)
{
    if (watch == NULL)
        return;
    lock_take(&watch->lock);
    watch->must_end = true;
    cond_signal(&watch->woken);
    lock_give(&watch->lock);
    (void)pthread_join(watch->thread, NULL);
    arena_clear(&watch->arena);
    cond_clear(&watch->woken);
    lock_clear(&watch->lock);
    free(watch->owners);
    free(watch);
}
