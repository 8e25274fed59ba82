/* answer_make.c - an answer is made, compressed, named, kept in both caches and given to whoever asked. */
#include "handlers/answer_parts.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/http_date.h"
#include "handlers/front.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { NAME_HASH_BYTES = 32 };

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
bool attempt_is_whole(const struct request *request)
{
    return request->outcome == OUTCOME_ANSWERED && request->stream == NULL &&
           request->reply.http_status == 200;
}

/* Nothing but the body tells two states of an unmanaged mart apart. */
enum status attempt_answer_by_content(struct attempt *a, struct err *err)
{
    struct request *request = a->request;
    if (request->is_quick)
        return request_defer(request, LANE_IO);
    request->cache = "bypass";
    enum status s = a->what->produce(request, a->what->cls, err);
    if (s != STATUS_OK || !attempt_is_whole(request))
        return s;
    reply_header(request, "Cache-Status", "cmmc-l1; fwd=bypass; detail=unmanaged");
    s = tag_make(0, request->reply.body, a->tag, err);
    if (s != STATUS_OK)
        return s;
    tag_add_encoding(a->tag, a->encoding);
    if (!reply_if_unchanged(request, a->tag, "no-cache"))
        return compress(a, err);
    reply_body(request, STR(""));
    return STATUS_OK;
}

/* "cmmc:v{code}.{epoch}:{mart}:{version}:{encoding}:" and the identity in full. */
enum status attempt_make_key(struct attempt *a, struct err *err)
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
enum status attempt_make_name(struct attempt *a, struct err *err)
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
void attempt_describe(struct attempt *a)
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

void attempt_explain(struct attempt *a, const char *cache_status)
{
    reply_header(a->request, "Cache-Status", "%s", cache_status);
}

enum status attempt_give(struct attempt *a, struct blob *blob, const char *cache_status,
                         struct err *err)
{
    enum status s = reply_from_kept(a->request, blob, err);
    if (s == STATUS_OK)
        attempt_explain(a, cache_status);
    return s;
}

void attempt_note_front(struct attempt *a)
{
    front_note(a->request, a->key, a->is_pinned, a->next_due_at);
}

/* A 304 without a look at the caches: when the in-process one has the reply, the next is answered in front. */
void attempt_note_unchanged(struct attempt *a)
{
    if (a->cache == NULL || attempt_make_key(a, NULL) != STATUS_OK)
        return;
    struct blob *blob = l1_peek(a->cache->replies, a->key);
    if (blob != NULL)
        attempt_note_front(a);
    blob_unref(blob);
}

/* From the in-process cache; false when it is not there. */
bool attempt_answer_from_l1(struct attempt *a, enum status *ret, struct err *err)
{
    struct blob *blob = l1_get(a->cache->replies, a->key);
    if (blob == NULL)
        return false;
    if (!kept_is_fresh(blob, clock_wall_s())) {
        blob_unref(blob);
        return false;
    }
    a->request->cache = "l1";
    *ret = attempt_give(a, blob, "cmmc-l1; hit", err);
    if (*ret == STATUS_OK)
        attempt_note_front(a);
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
    if (s == STATUS_OK && attempt_is_whole(a->request) && !is_fleeting(a->request))
        blob = kept_from_reply(a->request, key, a->cache->l2.redis != NULL);
    else if (s != STATUS_OK && status_http(s) == 404)
        blob = kept_from_error(s, err, key);
    if (blob == NULL)
        return false;
    struct kept kept;
    kept_open(blob, &kept);
    bool is_kept = l1_put(a->cache->replies, kept.key, blob);
    if (is_kept && s == STATUS_OK)
        attempt_note_front(a);
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
    attempt_explain(a, text);
}

enum status attempt_make(struct attempt *a, bool *ret_is_kept, struct err *err)
{
    struct request *request = a->request;
    *ret_is_kept = false;
    request->cache = "miss";
    if (a->cache != NULL)
        (void)atomic_fetch_add(&a->cache->n_misses, 1);
    enum status s = a->what->produce(request, a->what->cls, err);
    if (s == STATUS_OK && attempt_is_whole(request))
        s = compress(a, err);
    if (s != STATUS_OK && err->status != s)
        (void)err_set(err, s, "%s.", status_title(s));
    if (a->cache != NULL)
        *ret_is_kept = keep(a, s, err);
    if (s == STATUS_OK)
        explain_miss(a, *ret_is_kept);
    return s;
}
