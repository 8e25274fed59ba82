/* answer.c - validator, caches, work: the order in which a cacheable GET is answered. */
#include "handlers/answer_parts.h"

#include "base/clock.h"
#include "handlers/front.h"

#include <stdio.h>
#include <time.h>

enum {
    STALE_MAX_S = 86400, /* as Cache-Control says */
    LEASE_MS = 10000,
    LEASE_WAIT_MS = 250, /* for what another process makes; then we make it ourselves */
    LEASE_POLL_MS = 5,
    NS_PER_MS = 1000000
};

/* What Redis had, into the in-process cache and to the client. Takes the reference to blob. */
static enum status give_from_l2(struct attempt *a, struct blob *blob, bool *ret_is_kept,
                                struct err *err)
{
    (void)atomic_fetch_add(&a->cache->n_misses, 1);
    struct kept kept;
    kept_open(blob, &kept);
    char text[96];
    int64_t left_s = kept.made_at + (int64_t)a->cache->l2.ttl_s - clock_wall_s();
    (void)snprintf(text, sizeof text, "cmmc-l1; fwd=miss%s, cmmc-redis; hit; ttl=%lld",
                   l1_put(a->cache->replies, kept.key, blob) ? "; stored" : "",
                   (long long)(left_s < 0 ? 0 : left_s));
    struct blob *there = l1_peek(a->cache->replies, a->key);
    *ret_is_kept = there != NULL;
    blob_unref(there);
    a->request->cache = "redis";
    enum status s = attempt_give(a, blob, text, err);
    if (*ret_is_kept)
        attempt_note_front(a);
    return s;
}

/* From Redis, into the in-process cache and to the client; false when it is not there. */
static bool answer_from_l2(struct attempt *a, enum status *ret, bool *ret_is_kept, struct err *err)
{
    struct blob *blob = NULL;
    int64_t start_ns = clock_mono_ns();
    a->found = l2_get(&a->cache->l2, a->name, a->key, &blob);
    if (a->found != L2_ABSENT)
        request_time(a->request, "redis", clock_mono_ns() - start_ns);
    if (a->found != L2_HIT)
        return false;
    *ret = give_from_l2(a, blob, ret_is_kept, err);
    return true;
}

/* Another process makes it: looks for it now and then, a little less often each time. */
static bool wait_for_l2(struct attempt *a, enum status *ret, bool *ret_is_kept, struct err *err)
{
    int64_t until_ns = clock_mono_ns() + (int64_t)LEASE_WAIT_MS * NS_PER_MS;
    int64_t pause_ns = (int64_t)LEASE_POLL_MS * NS_PER_MS;
    while (!stop_is_raised(&a->request->stop)) {
        int64_t now_ns = clock_mono_ns();
        int64_t left_ns = until_ns - now_ns;
        if (left_ns <= 0)
            return false;
        pause_ns += now_ns % (pause_ns / 2 + 1); /* jitter: the clock's last digits */
        pause_ns = pause_ns < left_ns ? pause_ns : left_ns;
        struct timespec pause = {.tv_nsec = (long)pause_ns};
        (void)nanosleep(&pause, NULL);
        if (answer_from_l2(a, ret, ret_is_kept, err))
            return true;
        if (a->found != L2_MISS)
            return false;
    }
    return false;
}

/* A leader that was stopped says nothing about the work: one of the others takes over. */
static enum flight_end end_of(enum status s, bool is_kept)
{
    if (s == STATUS_OK || is_kept)
        return is_kept ? FLIGHT_AGAIN : FLIGHT_ALONE;
    bool is_own_fate = s == STATUS_CLIENT_GONE || s == STATUS_DRAINING;
    return is_own_fate ? FLIGHT_AGAIN : FLIGHT_FAILED;
}

static void wake(void *cls)
{
    request_unpark(cls);
}

/* Redis, else the work, under a lease so that other processes need not do it too. */
static enum status fetch_or_make(struct attempt *a, bool *ret_is_kept, struct err *err)
{
    char token[L2_TOKEN_BYTES] = "";
    enum status s = STATUS_OK;
    if (a->cache->l2.redis == NULL)
        return attempt_make(a, ret_is_kept, err);
    struct wait *wait = a->request->wait;
    bool is_known = wait != NULL && wait->has_fetched; /* by the call that deferred to this one */
    s = attempt_make_name(a, err);
    if (s != STATUS_OK || (!is_known && answer_from_l2(a, &s, ret_is_kept, err)))
        return s;
    if (is_known) {
        a->found = wait->fetch.found;
        wait->has_fetched = false;
    }
    bool may_wait = a->found == L2_MISS || a->found == L2_DAMAGED;
    bool is_ours = !may_wait || l2_lease(&a->cache->l2, a->name, LEASE_MS, token);
    if (!is_ours)
        token[0] = '\0';
    /* Whoever had the lease until just now has put the answer there. */
    bool is_there = is_ours ? token[0] != '\0' && answer_from_l2(a, &s, ret_is_kept, err)
                            : wait_for_l2(a, &s, ret_is_kept, err);
    if (!is_there)
        s = attempt_make(a, ret_is_kept, err);
    l2_release(&a->cache->l2, a->name, token);
    return s;
}

static enum status lead(struct attempt *a, struct flight *flight, struct err *err)
{
    enum status s = STATUS_OK;
    bool is_kept = true;
    if (!attempt_answer_from_l1(a, &s,
                                err)) /* whoever led before may have landed since it was asked */
        s = fetch_or_make(a, &is_kept, err);
    flight_land(a->cache->flights, flight, end_of(s, is_kept), err, wake);
    return s;
}

/* On a worker, and not in the cache: the work, or a wait for whoever does it. */
static enum status join(struct attempt *a, struct err *err)
{
    struct request *request = a->request;
    struct wait *wait = request->wait;
    struct flight flight = {.key = a->key};
    bool is_kept;
    if (request->is_own)
        return flight_join(a->cache->flights, &flight, NULL) ? lead(a, &flight, err) : STATUS_OK;
    if (wait != NULL && wait->is_waiting) {
        wait->is_waiting = false;
        wait->has_fetched = false; /* that was before the flight */
        if (wait->waiter.end == FLIGHT_FAILED) {
            *err = wait->waiter.err;
            return err->status;
        }
        if (wait->waiter.end == FLIGHT_ALONE)
            return attempt_make(a, &is_kept,
                                err); /* without Redis: what does not fit here fits there less */
    }
    if (wait == NULL)
        wait = request->wait = ARENA_NEW(&request->arena, struct wait);
    if (wait == NULL)
        return err_out_of_memory(err);
    wait->waiter.cls = request;
    wait->is_waiting = true; /* before it is seen: once it is, it may be woken */
    if (!flight_join(a->cache->flights, &flight, &wait->waiter))
        return request_park(request);
    wait->is_waiting = false;
    return lead(a, &flight, err);
}

/* The database cannot answer, but somebody was told the previous version: better old than nothing, and said so. */
static bool answer_stale(struct attempt *a, enum status s)
{
    struct request *request = a->request;
    bool is_database = s == STATUS_DB_UNAVAILABLE || s == STATUS_DB_TIMEOUT;
    struct blob *blob = is_database ? front_stale(request) : NULL;
    if (blob == NULL)
        return false;
    struct kept kept;
    kept_open(blob, &kept);
    int64_t age_s = clock_wall_s() - kept.made_at;
    if (kept.status != STATUS_OK || age_s > STALE_MAX_S) {
        blob_unref(blob);
        return false;
    }
    (void)attempt_give(a, blob, "cmmc-l1; hit; detail=stale-if-error", NULL);
    reply_cache_control(request, "public, max-age=1");
    reply_header(request, "Age", "%lld", (long long)(age_s < 0 ? 0 : age_s));
    request->cache = "stale";
    return true;
}

/* HEAD of an answer that would be 200: the headers that are known, and no length. */
static enum status answer_head(struct attempt *a, struct err *err)
{
    struct request *request = a->request;
    if (request->lane != LANE_STREAM || request->is_quick)
        return request_defer(request, LANE_STREAM);
    enum status s = a->what->head(request, a->what->cls, err);
    if (s != STATUS_OK)
        return s;
    if (a->encoding != ENCODING_IDENTITY)
        reply_header(request, "Content-Encoding", "%s", encoding_name(a->encoding));
    attempt_explain(a, "cmmc-l1; fwd=miss");
    return stream_begin(request, err);
}

/* Called again with what Redis said, on the thread that asked it. */
static enum status take_fetched(struct request *request, struct err *err)
{
    struct wait *wait = request->wait;
    bool is_kept;
    request_time(request, "redis", clock_mono_ns() - wait->asked_ns);
    if (wait->fetch.found != L2_HIT)
        return request_defer(request, LANE_IO);
    wait->has_fetched = false;
    struct attempt a = {.request = request,
                        .cache = request->app->cache,
                        .key = wait->fetch.key,
                        .is_pinned = wait->is_pinned,
                        .next_due_at = wait->next_due_at};
    (void)cache_control_text(a.is_pinned, a.next_due_at, clock_wall_s(), a.cache_control);
    reply_cache_control(request, a.cache_control);
    return give_from_l2(&a, wait->fetch.blob, &is_kept, err);
}

static void wake_fetched(void *cls)
{
    request_unpark_quick(cls);
}

/*
 * On the polling thread: asks Redis without a worker, for what needs nothing of the reply so far. False when that
 * cannot be: the worker asks then, which is also how an open breaker finds out that Redis is back.
 */
static bool ask_redis(struct attempt *a)
{
    struct request *request = a->request;
    struct cache *cache = a->cache;
    bool is_read = request->method == METHOD_GET || request->method == METHOD_HEAD;
    if (cache->fetcher == NULL || !is_read || redis_stats(cache->l2.redis).state != REDIS_CLOSED ||
        request_header(request, "Prefer").ptr != NULL ||
        request_header(request, "Range").ptr != NULL ||
        request_header(request, "If-None-Match").ptr != NULL)
        return false;
    struct wait *wait = ARENA_NEW(&request->arena, struct wait);
    if (wait == NULL || attempt_make_name(a, NULL) != STATUS_OK)
        return false;
    wait->has_fetched = true;
    wait->fetch =
        (struct l2_fetch){.name = a->name, .key = a->key, .done = wake_fetched, .cls = request};
    wait->is_pinned = a->is_pinned;
    wait->next_due_at = a->next_due_at;
    wait->asked_ns = clock_mono_ns();
    if (!request_park_quick(request, take_fetched))
        return false;
    request->wait = wait;
    fetcher_ask(cache->fetcher, &wait->fetch);
    return true;
}

static enum status answer_cached(struct attempt *a, struct err *err)
{
    struct request *request = a->request;
    enum status s = attempt_make_key(a, err);
    if (s != STATUS_OK || attempt_answer_from_l1(a, &s, err))
        return s;
    if (request->method == METHOD_HEAD && a->what->head != NULL)
        return answer_head(a, err);
    if (request->is_quick)
        return ask_redis(a) ? STATUS_OK : request_defer(request, LANE_IO);
    s = join(a, err);
    return s != STATUS_OK && answer_stale(a, s) ? STATUS_OK : s;
}

enum status answer(struct request *request, const struct answer *answer, struct err *err)
{
    struct cache *cache = request->app->cache;
    struct attempt a = {.request = request, .what = answer};
    bool is_kept;
    if (cache != NULL &&
        cache_keeps(cache)) /* else equal requests would wait for what they do not get */
        a.cache = cache;
    enum status s = encoding_choose(request, &a.encoding, err);
    if (s != STATUS_OK)
        return s;
    if (answer->mart != NULL && !answer->mart->is_managed)
        return attempt_answer_by_content(&a, err);
    s = tag_make(answer->version, answer->identity, a.tag, err);
    if (s != STATUS_OK)
        return s;
    tag_add_encoding(a.tag, a.encoding);
    attempt_describe(&a);
    if (reply_if_known(request, a.tag, a.cache_control)) {
        attempt_note_unchanged(&a);
        return STATUS_OK;
    }
    if (a.cache != NULL)
        s = answer_cached(&a, err);
    else
        s = request->is_quick ? request_defer(request, LANE_IO) : attempt_make(&a, &is_kept, err);
    if (s == STATUS_OK && attempt_is_whole(request) && request->method != METHOD_POST &&
        str_eq_c(str_trim(request_header(request, "If-None-Match")), "*"))
        reply_type(request, 304, NULL);
    return s;
}
