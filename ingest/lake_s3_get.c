/* lake_s3_get.c - an object of the lake on S3: its metadata, and its bytes over as many requests as it takes. */
#include "ingest/lake_s3_impl.h"

#include "base/date.h"
#include "base/stop.h"

#include <stdio.h>
#include <string.h>

/* ---- Metadata ---------------------------------------------------------------------------------------------------- */

static const char *const meta_headers[] = {"content-length",         "x-amz-meta-sha256",
                                           "x-amz-meta-source-url",  "x-amz-meta-fetched-at",
                                           "x-amz-meta-http-status", "x-amz-meta-schema-hash"};

static bool take_text(struct str value, char *ret, size_t size)
{
    if (value.len >= size)
        return false;
    if (value.len > 0)
        memcpy(ret, value.ptr, value.len);
    return true;
}

/* Headers into an entry; false when they are not those of an object of the lake. */
static bool read_meta(const struct str values[], struct lake_entry *ret)
{
    int64_t status = 0;
    struct lake_meta *meta = &ret->meta;
    bool is_good = str_to_i64(values[0], &ret->bytes) && ret->bytes >= 0 &&
                   values[1].len == DIGEST_HEX_BYTES - 1 &&
                   take_text(values[1], ret->sha256, sizeof ret->sha256) &&
                   take_text(values[2], meta->source_url, sizeof meta->source_url) &&
                   (values[3].len == 0 || instant_parse(values[3], &meta->fetched_at)) &&
                   (values[4].len == 0 || str_to_i64(values[4], &status)) &&
                   take_text(values[5], meta->schema_hash, sizeof meta->schema_hash);
    if (!is_good || status < 0 || status > 999)
        return false;
    meta->http_status = (int)status;
    return true;
}

static enum status head_of(struct lake_s3 *lake, const char *key, const struct stop *stop,
                           struct lake_entry *ret, struct err *err)
{
    CLEANUP(arena_clear) struct arena arena;
    char path[LAKE_S3_PATH_MAX];
    struct aws_answer answer;
    struct lake_entry entry = {0};
    struct aws_call call = lake_s3_call(lake, "HEAD", key, path, stop);
    call.wanted = meta_headers;
    call.n_wanted = ARRAY_LEN(meta_headers);
    arena_init(&arena, LAKE_S3_ARENA_BYTES);
    enum status s = aws_send(lake->aws, &call, &arena, &answer, err);
    if (s != STATUS_OK)
        return s;
    if (answer.verdict != AWS_FINE)
        return lake_not_found(key, err);
    if (!read_meta(answer.wanted, &entry))
        return lake_no_meta(key, err);
    (void)snprintf(entry.key, sizeof entry.key, "%s", key);
    *ret = entry;
    return STATUS_OK;
}

enum status lake_s3_head(struct lake *lake, const char *key, struct lake_entry *ret,
                         struct err *err)
{
    return head_of((struct lake_s3 *)lake, key, NULL, ret, err);
}

/* ---- Reading ----------------------------------------------------------------------------------------------------- */

/* Bytes on their way to the caller, over as many requests as it takes. */
struct copy {
    struct lake_sink sink;
    struct digest *digest;
    int64_t given;
    bool failed; /* by the sink, not by the way */
};

struct span {
    const char *key;
    int64_t from, to;
    const struct stop *stop;
};

static enum status pass_on(void *to, struct str bytes, struct err *err)
{
    struct copy *copy = to;
    enum status s = digest_add(copy->digest, bytes, err);
    if (s == STATUS_OK)
        s = copy->sink.write(copy->sink.to, bytes, err);
    copy->failed = s != STATUS_OK;
    copy->given += (int64_t)bytes.len;
    return s;
}

/* One GET of [from + given, to), to INT64_MAX: to the end; the hash that the object is said to have. */
static enum status get_rest(struct lake_s3 *lake, const struct span *span, struct copy *copy,
                            char ret_sha256[DIGEST_HEX_BYTES], struct err *err)
{
    CLEANUP(arena_clear) struct arena arena;
    char path[LAKE_S3_PATH_MAX], range[64];
    struct aws_answer answer;
    struct aws_call call = lake_s3_call(lake, "GET", span->key, path, span->stop);
    int64_t start = span->from + copy->given;
    bool is_whole = start == 0 && span->to == INT64_MAX;
    int n = span->to == INT64_MAX ? snprintf(range, sizeof range, "bytes=%lld-", (long long)start)
                                  : snprintf(range, sizeof range, "bytes=%lld-%lld",
                                             (long long)start, (long long)span->to - 1);
    const struct sigv4_field field = {STR("range"), {range, (size_t)n}};
    call.headers = &field;
    call.n_headers = is_whole ? 0 : 1;
    call.write = pass_on;
    call.to = copy;
    call.write_status = is_whole ? 200 : 206;
    call.wanted = meta_headers;
    call.n_wanted = ARRAY_LEN(meta_headers);
    arena_init(&arena, LAKE_S3_ARENA_BYTES + AWS_BODY_MAX);
    enum status s = aws_send(lake->aws, &call, &arena, &answer, err);
    if (s != STATUS_OK)
        return s;
    if (answer.verdict != AWS_FINE)
        return lake_not_found(span->key, err);
    if (answer.status != call.write_status)
        return err_set(err, STATUS_BAD_DATA, "The server does not give ranges of an object.");
    return take_text(answer.wanted[1], ret_sha256, DIGEST_HEX_BYTES) && answer.wanted[1].len > 0
               ? STATUS_OK
               : lake_no_meta(span->key, err);
}

/* As many requests as it takes: one that breaks off is continued where it broke. */
static enum status get_all(struct lake_s3 *lake, struct span *span, struct copy *copy,
                           char ret_sha256[DIGEST_HEX_BYTES], struct err *err)
{
    for (int tries = 1;; tries++) {
        int64_t before = copy->given;
        struct lake_entry entry = {0};
        enum status s = get_rest(lake, span, copy, ret_sha256, err);
        bool passes = (s == STATUS_IO || s == STATUS_DEADLINE) && !copy->failed && copy->given > 0;
        if (!passes || stop_is_raised(span->stop))
            return s;
        tries = copy->given > before ? 1 : tries;
        if (!aws_may_continue(lake->aws, tries, span->stop) ||
            head_of(lake, span->key, span->stop, &entry, err) != STATUS_OK)
            return s;
        span->to = span->to < entry.bytes ? span->to : entry.bytes;
        memcpy(ret_sha256, entry.sha256, DIGEST_HEX_BYTES);
        if (span->from + copy->given >= span->to)
            return STATUS_OK;
    }
}

enum status lake_s3_get(struct lake *lake, const char *key, int64_t from, int64_t to,
                        struct lake_sink sink, const struct stop *stop, struct err *err)
{
    CLEANUP(digest_freep) struct digest *digest = NULL;
    unsigned char raw[DIGEST_BYTES];
    char want[DIGEST_HEX_BYTES] = "", found[DIGEST_HEX_BYTES];
    struct lake_s3 *s3 = (struct lake_s3 *)lake;
    struct lake_entry entry = {0};
    struct span span = {key, from, to, stop};
    bool is_whole = from == 0 && to == INT64_MAX;
    enum status s = digest_new(&digest, err);
    if (s == STATUS_OK && !is_whole) {
        s = head_of(s3, key, stop, &entry, err);
        if (s == STATUS_OK && (from < 0 || from > entry.bytes || from > to))
            s = lake_no_range(entry.bytes, err);
        span.to = to < entry.bytes ? to : entry.bytes;
        is_whole = from == 0 && span.to == entry.bytes;
        if (s != STATUS_OK || from == span.to)
            return s;
    }
    struct copy copy = {.sink = sink, .digest = digest};
    if (s == STATUS_OK)
        s = get_all(s3, &span, &copy, want, err);
    if (s == STATUS_OK)
        s = digest_finish(digest, raw, err);
    if (s != STATUS_OK || !is_whole)
        return s;
    digest_to_hex(raw, found);
    return strcmp(want, found) == 0 ? STATUS_OK : lake_changed(key, err);
}
