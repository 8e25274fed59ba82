/* front.c - the shortest way from a request to its reply: two lookups on the polling thread. */
#include "handlers/front.h"

#include "base/clock.h"
#include "handlers/answer_reply.h"
#include "handlers/negotiate.h"
#include "server/app.h"
#include "store/catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RAW_BYTES = 2048, RAW_FIELDS = 4 };

/* What a note holds, then the raw request, then the key of the reply. */
struct note {
    uint64_t stamp; /* of the catalogue and the epochs under which it holds */
    int64_t next_due_at;
    uint32_t is_pinned;
    uint32_t raw_len, key_len;
};

/* Changes when anything may answer differently; 0 while there is no catalogue. */
static uint64_t stamp_now(const struct app *app)
{
    CLEANUP(catalog_unrefp) struct catalog *catalog = catalog_cell_get(app->catalog);
    if (catalog == NULL)
        return 0;
    return (catalog->fingerprint ^ epochs_stamp(app->cache->epochs) * 0x9e3779b97f4a7c15u) | 1;
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
    memcpy(ret, blob->bytes, sizeof *ret);
    *ret_raw = (struct str){blob->bytes + sizeof *ret, ret->raw_len};
    *ret_key = (struct str){blob->bytes + sizeof *ret + ret->raw_len, ret->key_len};
}

void front_note(struct request *request, struct str key, bool is_pinned, int64_t next_due_at)
{
    char room[RAW_BYTES];
    struct str raw = raw_of(request, room);
    struct note note = {.stamp = stamp_now(request->app),
                        .next_due_at = next_due_at,
                        .is_pinned = is_pinned,
                        .raw_len = (uint32_t)raw.len,
                        .key_len = (uint32_t)key.len};
    if (raw.ptr == NULL || key.len > UINT32_MAX / 2)
        return;
    struct blob *blob = blob_new(sizeof note + raw.len + key.len);
    if (blob == NULL)
        return;
    memcpy(blob->bytes, &note, sizeof note);
    memcpy(blob->bytes + sizeof note, raw.ptr, raw.len);
    memcpy(blob->bytes + sizeof note + raw.len, key.ptr, key.len);
    struct str kept_raw = {blob->bytes + sizeof note, raw.len};
    (void)l1_put(request->app->cache->fronts, kept_raw, blob);
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
static void put_headers(struct request *request, const struct kept *kept, const char *cache_control)
{
    static const char *const of_304[] = {"ETag", "Vary", "Last-Modified", "Content-Location"};
    struct reply *reply = &request->reply;
    reply_cache_control(request, cache_control);
    if (reply->http_status == 200) {
        reply_header(request, "Cache-Status", "cmmc-l1; hit");
        reply_take_kept(reply, kept);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(of_304); i++) {
        const char *value = kept_header(kept, of_304[i]);
        if (value != NULL)
            reply_header(request, of_304[i], "%s", value);
    }
}

/* Takes the reference to blob. */
static bool answer_from(struct request *request, struct blob *blob, const struct note *note)
{
    char cache_control[CACHE_CONTROL_BYTES], tag[TAG_BYTES];
    struct kept kept;
    kept_open(blob, &kept);
    if (kept.status != STATUS_OK || !tag_of(&kept, tag)) {
        blob_unref(blob);
        return false;
    }
    bool is_unchanged = client_has(request, tag, kept_header(&kept, "Last-Modified"));
    enum freshness freshness =
        cache_control_text(note->is_pinned != 0, note->next_due_at, clock_wall_s(), cache_control);
    request->cache = "l1";
    reply_type(request, is_unchanged ? 304 : 200, is_unchanged ? NULL : kept.type);
    reply_share(request, blob, is_unchanged ? STR("") : kept.body);
    unsigned slot = 1 + (unsigned)freshness * 2 + (is_unchanged ? 1 : 0);
    if (freshness == FRESH_UNTIL_DUE || !reply_prepared(request, slot))
        put_headers(request, &kept, cache_control);
    return true;
}

bool front_answer(struct request *request)
{
    struct cache *cache = request->app->cache;
    char room[RAW_BYTES];
    struct str raw = raw_of(request, room);
    struct blob *blob = raw.ptr == NULL ? NULL : l1_get(cache->fronts, raw);
    if (blob == NULL)
        return false;
    struct note note;
    struct str key;
    open_note(blob, &note, &raw, &key);
    struct blob *reply = note.stamp == stamp_now(request->app) ? l1_get(cache->replies, key) : NULL;
    blob_unref(blob);
    return reply != NULL && answer_from(request, reply, &note);
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

void front_parts(const struct blob *blob, struct front_raw *ret)
{
    struct note note;
    struct str raw, key, fields[RAW_FIELDS] = {STR_NONE};
    open_note(blob, &note, &raw, &key);
    for (size_t i = 0; i < RAW_FIELDS && str_next_field(&raw, '\n', &fields[i]); i++)
        continue;
    ret->target = fields[0];
    ret->scopes = fields[3].ptr == NULL ? 0 : (unsigned)strtoul(fields[3].ptr, NULL, 10);
    ret->accept = fields[1].len == 0 ? STR_NONE : fields[1];
    bool has_encoding = fields[2].len > 0 && fields[2].ptr[0] == '+';
    ret->accept_encoding = has_encoding ? str_sub(fields[2], 1, fields[2].len) : STR_NONE;
}
