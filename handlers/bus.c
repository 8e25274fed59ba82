/* bus.c - a background thread that listens, with a heartbeat that shows a channel which died silently. */
#include "handlers/bus.h"

#include "base/clock.h"
#include "cache/cache.h"
#include "handlers/refresher.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    NS_PER_MS = 1000000,
    WAIT_MS = 200,
    BEAT_MS = 2000,
    SILENCE_MS = 7000,
    RETRY_MS = 500,
    MESSAGE_BYTES = 8192
};

struct bus {
    struct app *app;
    pthread_t thread;
    atomic_bool must_stop;
    atomic_bool is_open;
    struct redis_ear *ear; /* the thread's own, like the times below */
    int64_t heard_ns, beaten_ns;
};

static void raise_epoch(void *cls, struct str mart, int64_t at_ms)
{
    struct cache *cache = cls;
    (void)epochs_raise(cache->epochs, str_eq_c(mart, "*") ? STR("") : mart, at_ms);
}

static void learn_epochs(struct app *app)
{
    (void)l2_read_epochs(&app->cache->l2, raise_epoch, app->cache);
}

static void hear(struct bus *bus, struct str text)
{
    bus->heard_ns = clock_mono_ns();
    if (str_starts(text, STR("purged")))
        learn_epochs(bus->app);
    else if (str_starts(text, STR("published")) && bus->app->refresher != NULL)
        refresher_wake(bus->app->refresher);
}

static void hang_up(struct bus *bus)
{
    redis_ear_free(bus->ear);
    bus->ear = NULL;
    atomic_store(&bus->is_open, false);
}

/* What was said meanwhile is made up for: a look at the catalogue and at the epochs. */
static void call(struct bus *bus)
{
    if (redis_listen(bus->app->cache->l2.redis, L2_CHANNEL, &bus->ear, NULL) != STATUS_OK) {
        struct timespec pause = {.tv_nsec = (long)RETRY_MS * NS_PER_MS};
        (void)nanosleep(&pause, NULL);
        return;
    }
    atomic_store(&bus->is_open, true);
    learn_epochs(bus->app);
    hear(bus, STR("published"));
}

static void listen_once(struct bus *bus)
{
    struct arena arena;
    struct str text;
    arena_init(&arena, MESSAGE_BYTES);
    enum status s = redis_next(bus->ear, WAIT_MS, &arena, &text, NULL);
    if (s == STATUS_OK && text.ptr != NULL)
        hear(bus, text);
    arena_clear(&arena);
    int64_t now_ns = clock_mono_ns();
    if (now_ns - bus->beaten_ns > (int64_t)BEAT_MS * NS_PER_MS) {
        bus->beaten_ns = now_ns;
        (void)l2_tell(&bus->app->cache->l2, STR("beat"));
    }
    if (s != STATUS_OK || now_ns - bus->heard_ns > (int64_t)SILENCE_MS * NS_PER_MS)
        hang_up(bus);
}

static void *thread_main(void *arg)
{
    struct bus *bus = arg;
    while (!atomic_load(&bus->must_stop)) {
        if (bus->ear == NULL)
            call(bus);
        else
            listen_once(bus);
    }
    hang_up(bus);
    return NULL;
}

enum status bus_new(struct app *app, struct bus **ret, struct err *err)
{
    struct bus *bus = calloc(1, sizeof *bus);
    if (bus == NULL)
        return err_out_of_memory(err);
    bus->app = app;
    if (pthread_create(&bus->thread, NULL, thread_main, bus) != 0) {
        free(bus);
        return err_set(err, STATUS_OUT_OF_MEMORY, "A thread cannot be started.");
    }
    *ret = bus;
    return STATUS_OK;
}

void bus_free(struct bus *bus)
{
    if (bus == NULL)
        return;
    atomic_store(&bus->must_stop, true);
    (void)pthread_join(bus->thread, NULL);
    free(bus);
}

bool bus_is_open(const struct bus *bus)
{
    return atomic_load(&bus->is_open);
}

void bus_tell_purge(struct app *app, struct str mart, int64_t at_ms)
{
    (void)l2_put_epoch(&app->cache->l2, mart.len == 0 ? STR("*") : mart, at_ms);
    (void)l2_tell(&app->cache->l2, STR("purged"));
}

void bus_tell_publish(struct app *app, int64_t generation)
{
    char text[48];
    int n = snprintf(text, sizeof text, "published %lld", (long long)generation);
    if (n > 0)
        (void)l2_tell(&app->cache->l2, (struct str){text, (size_t)n});
}
