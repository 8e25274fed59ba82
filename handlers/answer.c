/* answer.c - validator, caches, work: the order in which a cacheable GET is answered. */
#include "handlers/answer.h"

#include "base/clock.h"
#include "base/digest.h"
#include "handlers/answer_reply.h"
#include "handlers/encoding.h"
#include "handlers/front.h"
#include "base/http_date.h"
#include "handlers/negotiate.h"
#include "server/app.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum {
    STALE_MAX_S = 86400, /* as Cache-Control says */
    NAME_HASH_BYTES = 32,
    LEASE_MS = 10000,
    LEASE_WAIT_MS = 250, /* for what another process makes; then we make it ourselves */
    LEASE_POLL_MS = 5,
    NS_PER_MS = 1000000
};

/* One call of answer(). */
struct attempt {
    struct request *request;
    const struct answer *what;
    struct cache *cache; /* NULL: nothing is cached */
    enum encoding encoding;
    char tag[TAG_BYTES];
    char cache_control[CACHE_CONTROL_BYTES];
    struct str key;  /* what both caches compare in full */
    size_t n_prefix; /* of key: all before the identity */
    struct str name; /* in Redis: the key with the identity's hash in the place of the identity */
    bool is_pinned;
    int64_t next_due_at; /* of the mart; 0: nobody knows */
    enum l2_found found;
    bool is_stored; /* in Redis, by this request */
};

/* Across the calls of one request's handler, in its arena: what it waits for. */
struct wait {
    struct flight_waiter waiter;
    bool is_waiting; /* waiter has been handed out and tells how the flight ended */

    bool has_fetched; /* fetch tells what Redis said just now */
    struct l2_fetch fetch;
    bool is_pinned; /* of the attempt that asked, as the next two */
    int64_t next_due_at;
    int64_t asked_ns;
};

static void add_suffix(char tag[TAG_BYTES], enum encoding encoding)
{
    size_t len = str_of(tag).len;
    (void)snprintf(tag + len, TAG_BYTES - len, "%s", encoding_suffix(encoding));
}

static enum status compress(const struct attempt *a, struct err *err)
{
    struct request *request = a->request;
    struct str packed;
    if (a->encoding == ENCODING_IDENTITY)
        return STATUS_OK;
    int64_t start_ns = clock_mono_ns();
    enum status s = encode_pack(a->encoding, request->reply.body, &request->arena, &packed, err);
    request_time(request, "enc", clock_mono_ns() - start_ns);
    if (s != STATUS_OK)
        return s;
    reply_header(request, "Content-Encoding", "%s", encoding_name(a->encoding));
    reply_body(request, packed);
    return STATUS_OK;
}

/* The handler has written a whole body, rather than begun a stream or moved to another lane. */
static bool is_whole(const struct request *request)
{
    return request->outcome == OUTCOME_ANSWERED && request->stream == NULL &&
           request->reply.http_status == 200;
}

/* Nothing but the body tells two states of an unmanaged mart apart. */
static enum status answer_by_content(struct attempt *a, struct err *err)
{
    struct request *request = a->request;
    if (request->is_quick)
        return request_defer(request, LANE_IO);
    request->cache = "bypass";
    enum status s = a->what->produce(request, a->what->cls, err);
    if (s != STATUS_OK || !is_whole(request))
        return s;
    reply_header(request, "Cache-Status", "cmmc-l1; fwd=bypass; detail=unmanaged");
    s = tag_make(0, request->reply.body, a->tag, err);
    if (s != STATUS_OK)
        return s;
    add_suffix(a->tag, a->encoding);
    if (!reply_if_unchanged(request, a->tag, "no-cache"))
        return compress(a, err);
    reply_body(request, STR(""));
    return STATUS_OK;
}

/* "cmmc:v{code}.{epoch}:{mart}:{version}:{encoding}:" and the identity in full. */
static enum status make_key(struct attempt *a, struct err *err)
{
    const struct answer *what = a->what;
    struct str mart = what->mart == NULL ? STR("-") : what->mart->name;
    struct buf key;
    buf_init(&key, &a->request->arena, what->identity.len + 512);
    buf_printf(&key, "cmmc:v%s.%lld:%.*s:%lld:%s:", CMMC_VERSION,
               (long long)epochs_of(a->cache->epochs, mart), STR_ARG(mart),
               (long long)what->version, encoding_name(a->encoding));
    a->n_prefix = key.len;
    buf_add(&key, what->identity);
    if (key.failed)
        return err_out_of_memory(err);
    a->key = buf_str(&key);
    return STATUS_OK;
}

/* 128 bits of SHA-256 stand for the identity; the value itself tells it in full. */
static enum status make_name(struct attempt *a, struct err *err)
{
    char hex[DIGEST_HEX_BYTES];
    struct buf name;
    buf_init(&name, &a->request->arena, a->n_prefix + sizeof hex);
    enum status s = digest_hex(a->what->identity, hex, err);
    if (s != STATUS_OK)
        return s;
    buf_add(&name, str_sub(a->key, 0, a->n_prefix));
    buf_add(&name, (struct str){hex, NAME_HASH_BYTES});
    a->name = buf_str(&name);
    return name.failed ? err_out_of_memory(err) : STATUS_OK;
}

/* Known before any I/O: the tag, how long it is good, and when the version was published. */
static void describe(struct attempt *a)
{
    const struct mart *mart = a->what->mart;
    char date[HTTP_DATE_BYTES];
    a->is_pinned = a->what->is_pinned;
    a->next_due_at = mart == NULL ? 0 : mart->next_due_at;
    (void)cache_control_text(a->is_pinned, a->next_due_at, clock_wall_s(), a->cache_control);
    if (mart == NULL || mart->published_at == 0 || a->what->version != mart->generation)
        return;
    http_date_format(mart->published_at, date);
    reply_header(a->request, "Last-Modified", "%s", date);
}

static void explain(struct attempt *a, const char *cache_status)
{
    reply_header(a->request, "Cache-Status", "%s", cache_status);
}

static enum status give(struct attempt *a, struct blob *blob, const char *cache_status,
                        struct err *err)
{
    enum status s = reply_from_kept(a->request, blob, err);
    if (s == STATUS_OK)
        explain(a, cache_status);
    return s;
}

static void note_front(struct attempt *a)
{
    front_note(a->request, a->key, a->is_pinned, a->next_due_at);
}

/* A 304 without a look at the caches: when the in-process one has the reply, the next is answered in front. */
static void note_unchanged(struct attempt *a)
{
    if (a->cache == NULL || make_key(a, NULL) != STATUS_OK)
        return;
    struct blob *blob = l1_peek(a->cache->replies, a->key);
    if (blob != NULL)
        note_front(a);
    blob_unref(blob);
}

/* From the in-process cache; false when it is not there. */
static bool answer_from_l1(struct attempt *a, enum status *ret, struct err *err)
{
    struct blob *blob = l1_get(a->cache->replies, a->key);
    if (blob == NULL)
        return false;
    if (!kept_is_fresh(blob, clock_wall_s())) {
        blob_unref(blob);
        return false;
    }
    a->request->cache = "l1";
    *ret = give(a, blob, "cmmc-l1; hit", err);
    if (*ret == STATUS_OK)
        note_front(a);
    return true;
}

/* What was made says itself that it is not the last word: facets that ran out of time. */
static bool is_fleeting(const struct request *request)
{
    for (size_t i = 0; i < request->reply.n_headers; i++)
        if (strcasecmp(request->reply.headers[i].name, "Cache-Control") == 0 &&
            strcmp(request->reply.headers[i].value, "no-store") == 0)
            return true;
    return false;
}

/* Puts what was made into the cache; false when it cannot be kept. */
static bool keep(struct attempt *a, enum status s, const struct err *err)
{
    struct str key = a->key;
    struct blob *blob = NULL;
    if (s == STATUS_OK && is_whole(a->request) && !is_fleeting(a->request))
        blob = kept_from_reply(a->request, key, a->cache->l2.redis != NULL);
    else if (s != STATUS_OK && status_http(s) == 404)
        blob = kept_from_error(s, err, key);
    if (blob == NULL)
        return false;
    struct kept kept;
    kept_open(blob, &kept);
    bool is_kept = l1_put(a->cache->replies, kept.key, blob);
    if (is_kept && s == STATUS_OK)
        note_front(a);
    if (s == STATUS_OK && (a->found == L2_MISS || a->found == L2_DAMAGED)) {
        int64_t start_ns = clock_mono_ns();
        a->is_stored = l2_put(&a->cache->l2, a->name, blob);
        request_time(a->request, "redis", clock_mono_ns() - start_ns);
    }
    blob_unref(blob);
    return is_kept;
}

static void explain_miss(struct attempt *a, bool is_kept)
{
    static const char *const redis[] = {
        [L2_ABSENT] = "",
        [L2_HIT] = ", cmmc-redis; hit",
        [L2_MISS] = ", cmmc-redis; fwd=miss",
        [L2_DAMAGED] = ", cmmc-redis; fwd=miss; detail=damaged",
        [L2_FAILED] = ", cmmc-redis; fwd=bypass; detail=failed",
        [L2_BYPASSED] = ", cmmc-redis; fwd=bypass; detail=breaker-open",
    };
    char text[128];
    (void)snprintf(text, sizeof text, "cmmc-l1; fwd=miss%s%s%s", is_kept ? "; stored" : "",
                   redis[a->found], a->is_stored ? "; stored" : "");
    explain(a, text);
}

static enum status make(struct attempt *a, bool *ret_is_kept, struct err *err)
{
    struct request *request = a->request;
    *ret_is_kept = false;
    request->cache = "miss";
    if (a->cache != NULL)
        (void)atomic_fetch_add(&a->cache->n_misses, 1);
    enum status s = a->what->produce(request, a->what->cls, err);
    if (s == STATUS_OK && is_whole(request))
        s = compress(a, err);
    if (s != STATUS_OK && err->status != s)
        (void)err_set(err, s, "%s.", status_title(s));
    if (a->cache != NULL)
        *ret_is_kept = keep(a, s, err);
    if (s == STATUS_OK)
        explain_miss(a, *ret_is_kept);
    return s;
}

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
    enum status s = give(a, blob, text, err);
    if (*ret_is_kept)
        note_front(a);
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
        return make(a, ret_is_kept, err);
    struct wait *wait = a->request->wait;
    bool is_known = wait != NULL && wait->has_fetched; /* by the call that deferred to this one */
    s = make_name(a, err);
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
        s = make(a, ret_is_kept, err);
    l2_release(&a->cache->l2, a->name, token);
    return s;
}

static enum status lead(struct attempt *a, struct flight *flight, struct err *err)
{
    enum status s = STATUS_OK;
    bool is_kept = true;
    if (!answer_from_l1(a, &s, err)) /* whoever led before may have landed since it was asked */
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
            return make(a, &is_kept,
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
    (void)give(a, blob, "cmmc-l1; hit; detail=stale-if-error", NULL);
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
    explain(a, "cmmc-l1; fwd=miss");
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
    if (wait == NULL || make_name(a, NULL) != STATUS_OK)
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
    enum status s = make_key(a, err);
    if (s != STATUS_OK || answer_from_l1(a, &s, err))
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
        return answer_by_content(&a, err);
    s = tag_make(answer->version, answer->identity, a.tag, err);
    if (s != STATUS_OK)
        return s;
    add_suffix(a.tag, a.encoding);
    describe(&a);
    if (reply_if_known(request, a.tag, a.cache_control)) {
        note_unchanged(&a);
        return STATUS_OK;
    }
    if (a.cache != NULL)
        s = answer_cached(&a, err);
    else
        s = request->is_quick ? request_defer(request, LANE_IO) : make(&a, &is_kept, err);
    if (s == STATUS_OK && is_whole(request) && request->method != METHOD_POST &&
        str_eq_c(str_trim(request_header(request, "If-None-Match")), "*"))
        reply_type(request, 304, NULL);
    return s;
}
