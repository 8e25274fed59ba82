/* document.c - what answers of one piece begin and end with: the member data; who may keep them, type, body. */
#include "handlers/document.h"

#include "base/clock.h"
#include "cache/cache.h"
#include "handlers/encoding.h"
#include "handlers/negotiate.h"
#include "server/app.h"

#include <stdio.h>

enum { KEY_BYTES = TAG_BYTES + 64 };

void document_begin(struct request *request, size_t max_bytes, struct buf *ret_out,
                    struct json_out *ret_json)
{
    buf_init(ret_out, &request->arena, max_bytes);
    jw_init(ret_json, ret_out);
    jw_object(ret_json);
    jw_key(ret_json, "data");
}

void document_end(struct json_out *json)
{
    jw_end_object(json);
    buf_add_char(json->out, '\n');
}

static enum status reply_whole(struct request *request, int http_status, const char *media_type,
                               const struct buf *out)
{
    reply_type(request, http_status, media_type);
    reply_body(request, buf_str(out));
    return STATUS_OK;
}

enum status document_no_store(struct request *request, int http_status, const char *media_type,
                              const struct buf *out, struct err *err)
{
    if (out->failed)
        return err_out_of_memory(err);
    reply_header(request, "Cache-Control", "no-store");
    return reply_whole(request, http_status, media_type, out);
}

static void put(struct cache *cache, struct blob *blob)
{
    struct kept kept;
    kept_open(blob, &kept);
    (void)l1_put(cache->replies, kept.key, blob);
}

/* In its coding from the in-process cache, where it is put when it is not there: most documents never change. */
static enum status reply_packed(struct request *request, enum encoding encoding, const char *tag,
                                struct str body, struct err *err)
{
    struct cache *cache = request->app->cache;
    char room[KEY_BYTES];
    struct kept kept = {.status = STATUS_OK, .type = "", .made_at = clock_wall_s()};
    (void)snprintf(room, sizeof room, "document:%s", tag);
    kept.key = str_of(room);
    struct blob *blob = cache == NULL ? NULL : l1_get(cache->replies, kept.key);
    if (blob == NULL) {
        enum status s = encode_pack(encoding, body, &request->arena, &kept.body, err);
        if (s != STATUS_OK)
            return s;
        blob = kept_make(&kept, false);
        if (blob == NULL)
            return err_out_of_memory(err);
        if (cache != NULL)
            put(cache, blob);
    }
    kept_open(blob, &kept);
    reply_header(request, "Content-Encoding", "%s", encoding_name(encoding));
    reply_share(request, blob, kept.body);
    return STATUS_OK;
}

enum status document_named(struct request *request, char tag[TAG_BYTES], const char *cache_control,
                           const char *media_type, struct str body, struct err *err)
{
    enum encoding encoding;
    enum status s = encoding_choose(request, &encoding, err);
    if (s != STATUS_OK)
        return s;
    tag_add_encoding(tag, encoding);
    if (reply_if_unchanged(request, tag, cache_control))
        return STATUS_OK;
    reply_type(request, 200, media_type);
    if (encoding != ENCODING_IDENTITY)
        return reply_packed(request, encoding, tag, body, err);
    reply_body(request, body);
    return STATUS_OK;
}

enum status document_tagged(struct request *request, int64_t generation, const char *cache_control,
                            const char *media_type, const struct buf *out, struct err *err)
{
    char tag[TAG_BYTES];
    if (out->failed)
        return err_out_of_memory(err);
    enum status s = tag_make(generation, buf_str(out), tag, err);
    return s != STATUS_OK
               ? s
               : document_named(request, tag, cache_control, media_type, buf_str(out), err);
}
