/* front.c - the shortest way from a request to its reply: two lookups on the polling thread. */
#include "handlers/front.h"

#include "base/clock.h"
#include "handlers/answer_reply.h"
#include "handlers/negotiate.h"
#include "server/app.h"
#include "server/recent.h"
#include "store/catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RAW_BYTES = 2048, RAW_FIELDS = 4 };

/* What a note holds, then the raw request, then the key of the reply. */
struct note {
    uint64_t stamp; /* of the catalogue and the epochs under which it holds */
    int64_t next_due_at;
    uint16_t is_pinned, is_memory;
    uint32_t raw_len, key_len;
};

/* Of a head that front_answer answered: its note, with the head behind the key, and what routing found. */
struct memory {
    struct note note; /* first */
    uint32_t head_len;
    uint32_t http_status;
    enum method method;
    unsigned scopes;
    const struct route *route;
};

/* Both kinds begin with a note. */
static struct note note_of(const struct blob *blob)
{
    struct note note;
    memcpy(&note, blob->bytes, sizeof note);
    return note;
}

uint64_t front_stamp(const struct app *app)
{
    uint64_t fingerprint = catalog_cell_fingerprint(app->catalog);
    return fingerprint == 0
               ? 0
               : (fingerprint ^ epochs_stamp(app->cache->epochs) * 0x9e3779b97f4a7c15u) | 1;
}

/*
 * Target, Accept, Accept-Encoding and what the caller may see, one a line: none can hold a line end. ptr NULL when it is
 * too long, asks by a body, or asks for what an older answer does not tell (Prefer is acknowledged, a Range is checked).
 */
static struct str raw_of(struct request *request, char room[RAW_BYTES])
{
    bool is_read = request->method == METHOD_GET || request->method == METHOD_HEAD;
    if (!is_read || request_header(request, "Prefer").ptr != NULL ||
        request_header(request, "Range").ptr != NULL)
        return STR_NONE;
    struct str accept = request_header(request, "Accept");
    struct str encoding = request_header(request, "Accept-Encoding");
    struct buf raw;
    buf_init_fixed(&raw, room, RAW_BYTES);
    buf_add(&raw, request->target);
    buf_add_char(&raw, '\n');
    buf_add(&raw, accept);
    buf_add(&raw, encoding.ptr == NULL ? STR("\n-") : STR("\n+"));
    buf_add(&raw, encoding);
    buf_add_char(&raw, '\n');
    buf_add_i64(&raw, (int64_t)request->principal.scopes);
    return raw.failed ? STR_NONE : buf_str(&raw);
}

static void open_note(const struct blob *blob, struct note *ret, struct str *ret_raw,
                      struct str *ret_key)
{
    *ret = note_of(blob);
    const char *at = blob->bytes + (ret->is_memory ? sizeof(struct memory) : sizeof *ret);
    *ret_raw = (struct str){at, ret->raw_len};
    *ret_key = (struct str){at + ret->raw_len, ret->key_len};
}

/* Copies text to at; gives where it stands there, and moves at behind it. */
static struct str put(char **at, struct str text)
{
    struct str copy = {*at, text.len};
    memcpy(*at, text.ptr, text.len);
    *at += text.len;
    return copy;
}

void front_note(struct request *request, struct str key, bool is_pinned, int64_t next_due_at)
{
    char room[RAW_BYTES];
    struct str raw = raw_of(request, room);
    struct note note = {.stamp = request->stamp,
                        .next_due_at = next_due_at,
                        .is_pinned = is_pinned,
                        .raw_len = (uint32_t)raw.len,
                        .key_len = (uint32_t)key.len};
    if (raw.ptr == NULL || request->stamp == 0 || key.len > UINT32_MAX / 2)
        return;
    struct blob *blob = blob_new(sizeof note + raw.len + key.len);
    if (blob == NULL)
        return;
    memcpy(blob->bytes, &note, sizeof note);
    char *at = blob->bytes + sizeof note;
    struct str kept_raw = put(&at, raw);
    (void)put(&at, key);
    (void)l1_put(request->app->cache->fronts, kept_raw, blob);
    blob_unref(blob);
}

/* What the reply needs beside the note's own: taken from the request that was just answered by it. */
static void remember(const struct request *request, const struct note *note, struct str raw,
                     struct str key)
{
    struct memory memory = {.note = *note,
                            .head_len = (uint32_t)request->head.len,
                            .http_status = (uint32_t)request->reply.http_status,
                            .method = request->method,
                            .scopes = request->principal.scopes,
                            .route = request->route};
    memory.note.is_memory = 1;
    struct blob *blob = blob_new(sizeof memory + raw.len + key.len + request->head.len);
    if (blob == NULL)
        return;
    memcpy(blob->bytes, &memory, sizeof memory);
    char *at = blob->bytes + sizeof memory;
    (void)put(&at, raw);
    (void)put(&at, key);
    (void)l1_put(request->app->cache->heads, put(&at, request->head), blob);
    blob_unref(blob);
}

/* The tag between the quotes of a kept ETag; false when it is not one of ours. */
static bool tag_of(const struct kept *kept, char ret[TAG_BYTES])
{
    struct str quoted = str_of(kept_header(kept, "ETag"));
    if (quoted.len < 2 || quoted.len - 2 >= TAG_BYTES)
        return false;
    memcpy(ret, quoted.ptr + 1, quoted.len - 2);
    ret[quoted.len - 2] = '\0';
    return true;
}

/* A 304 repeats what says how long and for whom the client's copy is good, and nothing about bytes. */
static void put_headers(struct request *request, const struct blob *blob, const char *cache_control)
{
    struct kept kept;
    kept_open(blob, &kept);
    static const char *const of_304[] = {"ETag", "Vary", "Last-Modified", "Content-Location"};
    struct reply *reply = &request->reply;
    reply_cache_control(request, cache_control);
    if (reply->http_status == 200) {
        reply_header(request, "Cache-Status", "cmmc-l1; hit");
        reply_take_kept(reply, &kept);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(of_304); i++) {
        const char *value = kept_header(&kept, of_304[i]);
        if (value != NULL)
            reply_header(request, of_304[i], "%s", value);
    }
}

/* With the kept reply of blob, whose reference it takes. */
static void answer_with(struct request *request, struct blob *blob, const struct kept *kept,
                        const struct note *note, bool is_unchanged)
{
    char cache_control[CACHE_CONTROL_BYTES];
    enum freshness freshness =
        cache_control_text(note->is_pinned != 0, note->next_due_at, clock_wall_s(), cache_control);
    request->cache = "l1";
    reply_type(request, is_unchanged ? 304 : 200, is_unchanged ? NULL : kept->type);
    reply_share(request, blob, is_unchanged ? STR("") : kept->body);
    unsigned slot = 1 + (unsigned)freshness * 2 + (is_unchanged ? 1 : 0);
    if (freshness == FRESH_UNTIL_DUE || !reply_prepared(request, slot))
        put_headers(request, blob, cache_control);
}

static bool answer_from(struct request *request, struct blob *blob, const struct note *note)
{
    char tag[TAG_BYTES];
    struct kept kept;
    kept_open(blob, &kept);
    if (kept.status != STATUS_OK || !tag_of(&kept, tag)) {
        blob_unref(blob);
        return false;
    }
    answer_with(request, blob, &kept, note,
                client_has(request, tag, kept_header(&kept, "Last-Modified")));
    return true;
}

bool front_answer(struct request *request)
{
    struct cache *cache = request->app->cache;
    char room[RAW_BYTES];
    request->stamp = front_stamp(request->app);
    struct str raw = raw_of(request, room);
    struct blob *blob = raw.ptr == NULL ? NULL : l1_get(cache->fronts, raw);
    if (blob == NULL)
        return false;
    struct note note;
    struct str key;
    open_note(blob, &note, &raw, &key);
    struct blob *reply = note.stamp == request->stamp ? l1_get(cache->replies, key) : NULL;
    bool is_answered = reply != NULL && answer_from(request, reply, &note);
    if (is_answered && request->head.ptr != NULL)
        remember(request, &note, raw, key);
    blob_unref(blob);
    return is_answered;
}

bool front_recall(struct request *request, struct str head)
{
    struct cache *cache = request->app->cache;
    struct blob *blob = l1_get(cache->heads, head);
    if (blob == NULL)
        return false;
    struct memory memory;
    memcpy(&memory, blob->bytes, sizeof memory);
    struct str key = {blob->bytes + sizeof memory + memory.note.raw_len, memory.note.key_len};
    bool holds = memory.note.stamp == front_stamp(request->app);
    struct blob *reply = holds ? l1_get(cache->replies, key) : NULL;
    blob_unref(blob);
    if (reply == NULL)
        return false;
    struct kept kept;
    kept_open_plain(reply, &kept);
    if (kept.status != STATUS_OK) {
        blob_unref(reply);
        return false;
    }
    request->method = memory.method;
    request->route = memory.route;
    request->principal =
        (struct principal){.name = "anonymous", .scopes = memory.scopes, .rate = -1};
    request->is_plain = true;
    answer_with(request, reply, &kept, &memory.note, memory.http_status == 304);
    return true;
}

struct l1_stats front_stats(const struct app *app, struct l1 *l1)
{
    struct l1_stats stats = l1_stats(l1);
    if (l1 == app->cache->replies || l1 == app->cache->heads)
        stats.hits += recents_hits(app->recents);
    return stats;
}

void front_recalled(const struct app *app, struct str head, uint64_t n)
{
    l1_add_hits(app->cache->heads, head, n);
}

struct blob *front_stale(struct request *request)
{
    struct cache *cache = request->app->cache;
    char room[RAW_BYTES];
    struct str raw = raw_of(request, room);
    struct blob *blob = raw.ptr == NULL ? NULL : l1_peek(cache->fronts, raw);
    if (blob == NULL)
        return NULL;
    struct note note;
    struct str key;
    open_note(blob, &note, &raw, &key);
    struct blob *reply = l1_peek(cache->replies, key);
    blob_unref(blob);
    return reply;
}

struct str front_raw_text(const struct blob *blob)
{
    struct note note;
    struct str raw, key;
    open_note(blob, &note, &raw, &key);
    return raw;
}

void front_parts(const struct blob *blob, struct front_raw *ret)
{
    struct str raw = front_raw_text(blob), fields[RAW_FIELDS] = {STR_NONE};
    for (size_t i = 0; i < RAW_FIELDS && str_next_field(&raw, '\n', &fields[i]); i++)
        continue;
    ret->target = fields[0];
    ret->scopes = fields[3].ptr == NULL ? 0 : (unsigned)strtoul(fields[3].ptr, NULL, 10);
    ret->accept = fields[1].len == 0 ? STR_NONE : fields[1];
    bool has_encoding = fields[2].len > 0 && fields[2].ptr[0] == '+';
    ret->accept_encoding = has_encoding ? str_sub(fields[2], 1, fields[2].len) : STR_NONE;
}
