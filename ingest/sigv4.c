/* sigv4.c - AWS Signature Version 4: canonical request, string to sign, derived key, Authorization header. */
#define _GNU_SOURCE /* explicit_bzero */
#include "ingest/sigv4.h"

#include "base/arena.h"
#include "base/date.h"
#include "base/digest.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 64 << 10, SECRET_MAX = 256, SCOPE_MAX = 256, TIME_BYTES = 17 };

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

static void add_encoded(struct buf *out, struct str s, bool keeps_slash)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (is_unreserved(s.ptr[i]) || (keeps_slash && c == '/')) {
            buf_add_char(out, s.ptr[i]);
            continue;
        }
        buf_add_char(out, '%');
        buf_add_char(out, hex[c >> 4]);
        buf_add_char(out, hex[c & 15]);
    }
}

static int compare_fields(const void *a, const void *b)
{
    const struct sigv4_field *x = a, *y = b;
    int by_name = str_cmp(x->name, y->name);
    return by_name != 0 ? by_name : str_cmp(x->value, y->value);
}

static struct str encoded(struct arena *arena, struct str s)
{
    struct buf out;
    buf_init(&out, arena, TEXT_MAX);
    add_encoded(&out, s, false);
    return out.failed ? STR_NONE : buf_str(&out);
}

/* name=value&... in the order that is signed: by encoded name, then by encoded value. */
static bool add_query(struct buf *out, struct arena *arena, const struct sigv4_request *request)
{
    struct sigv4_field *fields = arena_array(arena, request->n_query + 1, sizeof *fields);
    if (fields == NULL)
        return false;
    for (size_t i = 0; i < request->n_query; i++) {
        fields[i].name = encoded(arena, request->query[i].name);
        fields[i].value = encoded(arena, request->query[i].value);
        if (fields[i].name.len < request->query[i].name.len ||
            fields[i].value.len < request->query[i].value.len)
            return false;
    }
    qsort(fields, request->n_query, sizeof *fields, compare_fields);
    for (size_t i = 0; i < request->n_query; i++) {
        buf_add_c(out, i > 0 ? "&" : "");
        buf_add(out, fields[i].name);
        buf_add_char(out, '=');
        buf_add(out, fields[i].value);
    }
    return !out->failed;
}

static struct str lower(struct arena *arena, struct str s)
{
    char *copy = arena_dup(arena, s);
    for (size_t i = 0; copy != NULL && i < s.len; i++)
        if (copy[i] >= 'A' && copy[i] <= 'Z')
            copy[i] = (char)(copy[i] - 'A' + 'a');
    return copy == NULL ? STR_NONE : (struct str){copy, s.len};
}

/* Without spaces at the ends and with single ones inside: what is signed, and sent in the same form. */
static struct str squeezed(struct arena *arena, struct str s)
{
    s = str_trim(s);
    char *copy = arena_dup(arena, s);
    if (copy == NULL)
        return STR_NONE;
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] != ' ' || s.ptr[i - 1] != ' ')
            copy[n++] = s.ptr[i];
    return (struct str){copy, n};
}

/* All headers that are signed, lower-case and sorted; room for Authorization after them. */
static bool collect_headers(struct arena *arena, const struct sigv4_keys *keys,
                            const struct sigv4_scope *scope, const struct sigv4_request *request,
                            struct str time, struct sigv4_signed *ret)
{
    struct sigv4_field *out = arena_array(arena, request->n_headers + 4, sizeof *out);
    if (out == NULL)
        return false;
    size_t n = 0;
    for (size_t i = 0; i < request->n_headers; i++)
        out[n++] = (struct sigv4_field){lower(arena, request->headers[i].name),
                                        squeezed(arena, request->headers[i].value)};
    out[n++] = (struct sigv4_field){STR("x-amz-date"), time};
    if (str_eq_c(scope->service, "s3"))
        out[n++] = (struct sigv4_field){STR("x-amz-content-sha256"), request->body_sha256};
    if (keys->session_token.len > 0)
        out[n++] = (struct sigv4_field){STR("x-amz-security-token"), keys->session_token};
    for (size_t i = 0; i < n; i++)
        if (out[i].name.ptr == NULL || out[i].value.ptr == NULL)
            return false;
    qsort(out, n, sizeof *out, compare_fields);
    ret->headers = out;
    ret->n_headers = n;
    return true;
}

static void add_names(struct buf *out, const struct sigv4_signed *head)
{
    for (size_t i = 0; i < head->n_headers; i++) {
        buf_add_c(out, i > 0 ? ";" : "");
        buf_add(out, head->headers[i].name);
    }
}

/* The canonical request's SHA-256; ret->target and ret->headers on the way. */
static enum status hash_request(struct arena *arena, const struct sigv4_request *request,
                                struct sigv4_signed *ret, char hash[DIGEST_HEX_BYTES],
                                struct err *err)
{
    struct buf path, query, text, target;
    buf_init(&path, arena, TEXT_MAX);
    buf_init(&query, arena, TEXT_MAX);
    buf_init(&text, arena, 4 * (size_t)TEXT_MAX);
    buf_init(&target, arena, 2 * (size_t)TEXT_MAX);
    add_encoded(&path, request->path, true);
    bool is_whole = add_query(&query, arena, request);
    buf_add(&target, buf_str(&path));
    buf_add_c(&target, request->n_query > 0 ? "?" : "");
    buf_add(&target, buf_str(&query));
    buf_printf(&text, "%.*s\n%.*s\n%.*s\n", STR_ARG(request->method), STR_ARG(buf_str(&path)),
               STR_ARG(buf_str(&query)));
    for (size_t i = 0; i < ret->n_headers; i++) {
        buf_add(&text, ret->headers[i].name);
        buf_add_char(&text, ':');
        buf_add(&text, ret->headers[i].value);
        buf_add_char(&text, '\n');
    }
    buf_add_char(&text, '\n');
    add_names(&text, ret);
    buf_add_char(&text, '\n');
    buf_add(&text, request->body_sha256);
    if (!is_whole || path.failed || target.failed || text.failed)
        return err_set(err, STATUS_TOO_LARGE, "A request of this length cannot be signed.");
    ret->target = buf_str(&target);
    return digest_hex(buf_str(&text), hash, err);
}

/* HMAC(HMAC(HMAC(HMAC("AWS4" + secret, day), region), service), "aws4_request"). */
static enum status derive_key(struct str secret, struct str day, const struct sigv4_scope *scope,
                              unsigned char key[DIGEST_BYTES], struct err *err)
{
    char first[4 + SECRET_MAX] = "AWS4";
    if (secret.len > SECRET_MAX)
        return err_set(err, STATUS_CONFIG, "A secret key has at most %d bytes.", SECRET_MAX);
    if (secret.len > 0)
        memcpy(first + 4, secret.ptr, secret.len);
    const struct str parts[] = {day, scope->region, scope->service, STR("aws4_request")};
    unsigned char next[DIGEST_BYTES];
    enum status s = digest_hmac((struct str){first, 4 + secret.len}, parts[0], key, err);
    for (size_t i = 1; s == STATUS_OK && i < ARRAY_LEN(parts); i++) {
        s = digest_hmac((struct str){(const char *)key, DIGEST_BYTES}, parts[i], next, err);
        if (s == STATUS_OK)
            memcpy(key, next, sizeof next);
    }
    explicit_bzero(first, sizeof first);
    explicit_bzero(next, sizeof next);
    return s;
}

/* 20150830T123600Z */
static void format_time(int64_t at_s, char ret[TIME_BYTES])
{
    char text[INSTANT_TEXT_BYTES];
    size_t n = 0;
    instant_format(at_s, text);
    for (const char *c = text; *c != '\0' && n < TIME_BYTES - 1; c++)
        if (*c != '-' && *c != ':')
            ret[n++] = *c;
    ret[n] = '\0';
}

static enum status signature(const struct sigv4_keys *keys, const struct sigv4_scope *scope,
                             struct str text, struct str day, char ret[DIGEST_HEX_BYTES],
                             struct err *err)
{
    unsigned char key[DIGEST_BYTES], raw[DIGEST_BYTES];
    enum status s = derive_key(keys->secret_key, day, scope, key, err);
    if (s == STATUS_OK)
        s = digest_hmac((struct str){(const char *)key, DIGEST_BYTES}, text, raw, err);
    explicit_bzero(key, sizeof key);
    if (s == STATUS_OK)
        digest_to_hex(raw, ret);
    return s;
}

enum status sigv4_sign(struct arena *arena, const struct sigv4_keys *keys,
                       const struct sigv4_scope *scope, const struct sigv4_request *request,
                       struct sigv4_signed *ret, struct err *err)
{
    struct sigv4_signed made = {0};
    char time_room[TIME_BYTES], hash[DIGEST_HEX_BYTES], sign[DIGEST_HEX_BYTES];
    format_time(scope->at_s, time_room);
    char *time = arena_dup(arena, str_of(time_room));
    if (time == NULL ||
        !collect_headers(arena, keys, scope, request, (struct str){time, TIME_BYTES - 1}, &made))
        return err_out_of_memory(err);
    struct str day = {time, 8};
    enum status s = hash_request(arena, request, &made, hash, err);
    if (s != STATUS_OK)
        return s;

    struct buf path, text, header;
    buf_init(&path, arena, SCOPE_MAX);
    buf_printf(&path, "%.*s/%.*s/%.*s/aws4_request", STR_ARG(day), STR_ARG(scope->region),
               STR_ARG(scope->service));
    buf_init(&text, arena, 2 * (size_t)SCOPE_MAX);
    buf_printf(&text, "AWS4-HMAC-SHA256\n%s\n%.*s\n%s", time, STR_ARG(buf_str(&path)), hash);
    s = signature(keys, scope, buf_str(&text), day, sign, err);
    if (s != STATUS_OK)
        return s;
    buf_init(&header, arena, TEXT_MAX);
    buf_printf(&header,
               "AWS4-HMAC-SHA256 Credential=%.*s/%.*s, SignedHeaders=", STR_ARG(keys->access_key),
               STR_ARG(buf_str(&path)));
    add_names(&header, &made);
    buf_printf(&header, ", Signature=%s", sign);
    if (path.failed || text.failed || header.failed)
        return err_set(err, STATUS_TOO_LARGE, "A request of this length cannot be signed.");
    made.headers[made.n_headers++] = (struct sigv4_field){STR("authorization"), buf_str(&header)};
    *ret = made;
    return STATUS_OK;
}
