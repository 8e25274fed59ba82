/* lake_s3.c - the lake on S3: opened, asked for an object's metadata, read. */
#include "ingest/lake_s3_impl.h"

#include "base/date.h"
#include "base/stop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Opening ----------------------------------------------------------------------------------------------------- */

static enum status is_wrong(const char *what, const char *setting, const char *value,
                            struct err *err)
{
    (void)err_set(err, STATUS_CONFIG, "%s", what);
    err_at(err, ERR_SETTING, str_of(setting), str_of(value));
    return STATUS_CONFIG;
}

static bool is_name(struct str s, const char *others)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_letter && strchr(others, c) == NULL)
            return false;
    }
    return s.len > 0;
}

/* "s3://bucket/prefix" into bucket and "prefix/". */
static enum status read_address(struct lake_s3 *lake, const char *address, struct err *err)
{
    struct str rest = str_of(address);
    if (!str_starts(rest, STR("s3://")))
        return is_wrong("The address has to start with s3://.", "lake", address, err);
    rest = str_sub(rest, 5, rest.len);
    size_t slash = str_find(rest, '/', 0);
    struct str bucket = str_sub(rest, 0, slash), prefix = str_sub(rest, slash + 1, rest.len);
    while (prefix.len > 0 && prefix.ptr[prefix.len - 1] == '/')
        prefix.len--;
    bool is_good = bucket.len >= 3 && bucket.len < sizeof lake->bucket && is_name(bucket, ".-") &&
                   prefix.len + 2 < sizeof lake->prefix &&
                   (prefix.len == 0 || is_name(prefix, "./-_=")) && prefix.ptr[0] != '/';
    if (!is_good) {
        (void)is_wrong("That is no bucket with a prefix.", "lake", address, err);
        err_allow(err,
                  "s3://bucket/prefix; letters, digits, '.', '-'; in the prefix '_', '=' and '/'");
        return STATUS_CONFIG;
    }
    memcpy(lake->bucket, bucket.ptr, bucket.len);
    (void)snprintf(lake->prefix, sizeof lake->prefix, "%.*s%s", STR_ARG(prefix),
                   prefix.len > 0 ? "/" : "");
    return STATUS_OK;
}

/* Scheme and host of all requests, with the bucket's name in it or not. */
static enum status read_endpoint(struct lake_s3 *lake, const char *endpoint, const char *region,
                                 enum lake_s3_style style, struct err *err)
{
    char whole[AWS_URL_MAX];
    bool is_aws = endpoint[0] == '\0', has_dots = strchr(lake->bucket, '.') != NULL;
    int n = is_aws ? snprintf(whole, sizeof whole, "https://s3.%s.amazonaws.com%s", region,
                              strncmp(region, "cn-", 3) == 0 ? ".cn" : "")
                   : snprintf(whole, sizeof whole, "%s", endpoint);
    size_t length = (size_t)n;
    while (length > 0 && length < sizeof whole && whole[length - 1] == '/')
        whole[--length] = '\0';
    const char *host = strncmp(whole, "https://", 8) == 0  ? whole + 8
                       : strncmp(whole, "http://", 7) == 0 ? whole + 7
                                                           : NULL;
    if (host == NULL || length >= sizeof whole || !is_name(str_of(host), ".-:[]"))
        return is_wrong("That is no address of a server: a scheme, a host, and a port if need be.",
                        "s3_endpoint", endpoint, err);
    lake->has_path_style =
        style == LAKE_S3_PATH || (style == LAKE_S3_AUTO && (!is_aws || has_dots));
    if (lake->has_path_style)
        (void)snprintf(lake->base, sizeof lake->base, "%s", whole);
    else
        (void)snprintf(lake->base, sizeof lake->base, "%.*s%s.%s", (int)(host - whole), whole,
                       lake->bucket, host);
    return STATUS_OK;
}

static void close_lake(struct lake *lake)
{
    struct lake_s3 *s3 = (struct lake_s3 *)lake;
    aws_freep(&s3->aws);
    aws_credentials_freep(&s3->credentials);
    free(s3->costs);
    free(s3);
}

static enum status lake_s3_get(struct lake *lake, const char *key, int64_t from, int64_t to,
                               struct lake_sink sink, const struct stop *stop, struct err *err);

static enum status remove_object(struct lake *lake, const char *key, struct err *err)
{
    CLEANUP(arena_clear) struct arena arena;
    char path[LAKE_S3_PATH_MAX];
    struct aws_answer answer;
    struct lake_s3 *s3 = (struct lake_s3 *)lake;
    const struct aws_call call = lake_s3_call(s3, "DELETE", key, path, NULL);
    arena_init(&arena, LAKE_S3_ARENA_BYTES);
    return aws_send(s3->aws, &call, &arena, &answer, err);
}

static void address_of(const struct lake *lake, const char *key, char ret[LAKE_ADDRESS_MAX])
{
    const struct lake_s3 *s3 = (const struct lake_s3 *)lake;
    (void)snprintf(ret, LAKE_ADDRESS_MAX, "s3://%s/%s%s", s3->bucket, s3->prefix, key);
}

static void cost_of(const struct lake *lake, struct lake_cost *ret)
{
    const struct lake_s3 *s3 = (const struct lake_s3 *)lake;
    for (size_t i = 0; i < LAKE_REQUESTS; i++) {
        ret->requests[i] = atomic_load(&s3->costs[i].requests);
        ret->bytes += atomic_load(&s3->costs[i].bytes);
    }
}

static const struct lake_ops s3_ops = {lake_s3_put,  lake_s3_head,  lake_s3_get,
                                       lake_s3_list, remove_object, lake_s3_tidy,
                                       address_of,   close_lake,    cost_of};

enum status lake_open_s3(const char *address, const struct lake_s3_options *options,
                         struct lake **ret, struct err *err)
{
    struct aws_login login = options->login;
    login.region = aws_region_of(&login);
    struct lake_s3 *lake = calloc(1, sizeof *lake);
    if (lake != NULL)
        lake->costs = calloc(LAKE_REQUESTS, sizeof *lake->costs);
    if (lake == NULL || lake->costs == NULL) {
        free(lake);
        return err_out_of_memory(err);
    }
    lake->lake.ops = &s3_ops;
    lake->page_keys = options->page_keys > 0 && options->page_keys < LAKE_S3_PAGE_KEYS
                          ? options->page_keys
                          : LAKE_S3_PAGE_KEYS;
    enum status s = read_address(lake, address, err);
    if (s == STATUS_OK && (!is_name(str_of(login.region), "-") || strlen(login.region) > 40))
        s = is_wrong("That is no region.", "aws_region", login.region, err);
    if (s == STATUS_OK)
        s = read_endpoint(lake, options->endpoint, login.region, options->style, err);
    if (s == STATUS_OK)
        s = aws_credentials_new(&login, &lake->credentials, err);
    const struct aws_options client = {login.region, login.ca_file, lake->credentials, false};
    if (s == STATUS_OK)
        s = aws_new(&client, &lake->aws, err);
    if (s != STATUS_OK) {
        close_lake(&lake->lake);
        return s;
    }
    *ret = &lake->lake;
    return STATUS_OK;
}

struct aws_call lake_s3_call(const struct lake_s3 *lake, const char *method, const char *key,
                             char path[LAKE_S3_PATH_MAX], const struct stop *stop)
{
    int n = snprintf(path, LAKE_S3_PATH_MAX, "/%s%s%s%s", lake->has_path_style ? lake->bucket : "",
                     lake->has_path_style && key[0] != '\0' ? "/" : "",
                     key[0] == '\0' ? "" : lake->prefix, key);
    enum lake_request kind = key[0] == '\0'                                 ? LAKE_LIST
                             : strcmp(method, "DELETE") == 0                ? LAKE_FREE
                             : strcmp(method, "GET") == 0 || *method == 'H' ? LAKE_GET
                                                                            : LAKE_PUT;
    return (struct aws_call){.service = STR("s3"),
                             .cost = &lake->costs[kind],
                             .base = str_of(lake->base),
                             .method = str_of(method),
                             .path = {path, (size_t)n},
                             .stop = stop};
}

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

static enum status lake_s3_get(struct lake *lake, const char *key, int64_t from, int64_t to,
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
