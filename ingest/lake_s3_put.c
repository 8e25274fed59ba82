/* lake_s3_put.c - the lake on S3: written once, in one request or in parts. */
#include "ingest/lake_s3_impl.h"

#include "base/date.h"
#include "base/stop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PART_BYTES = 8 << 20, META_MAX = 5, META_TEXT_BYTES = LAKE_URL_MAX };

/* What is to be put: all of it in room, or in the file and a part of it in room. */
struct load {
    char *room;
    size_t n;   /* bytes in room */
    FILE *file; /* NULL: room has all */
    struct digest *digest;
};

static void clear_load(struct load *load)
{
    free(load->room);
    if (load->file != NULL)
        (void)fclose(load->file);
    digest_freep(&load->digest);
}

static enum status spool_failed(struct err *err)
{
    return err_set(err, STATUS_IO, "An object cannot be spooled to a temporary file.");
}

/* The next PART_BYTES of the source at most, into room. */
static enum status fill(struct load *load, struct lake_source source, const struct stop *stop,
                        bool *ret_is_end, struct err *err)
{
    load->n = 0;
    while (load->n < PART_BYTES) {
        size_t n = 0;
        if (stop_is_raised(stop))
            return stop_status(stop, err);
        enum status s =
            source.read(source.from, load->room + load->n, PART_BYTES - load->n, &n, err);
        if (s != STATUS_OK)
            return s;
        *ret_is_end = n == 0;
        if (n == 0)
            return STATUS_OK;
        load->n += n;
    }
    *ret_is_end = false;
    return STATUS_OK;
}

/* All of the source, through the hash: room for what is short, a file for the rest. */
static enum status take_in(struct load *load, struct lake_source source, const struct stop *stop,
                           struct lake_entry *entry, struct err *err)
{
    unsigned char raw[DIGEST_BYTES];
    bool is_end = false;
    load->room = malloc(PART_BYTES);
    enum status s = load->room == NULL ? err_out_of_memory(err) : digest_new(&load->digest, err);
    while (s == STATUS_OK && !is_end) {
        s = fill(load, source, stop, &is_end, err);
        if (s == STATUS_OK)
            s = digest_add(load->digest, (struct str){load->room, load->n}, err);
        entry->bytes += (int64_t)load->n;
        if (s != STATUS_OK || (is_end && load->file == NULL))
            continue;
        load->file = load->file == NULL ? tmpfile() : load->file;
        if (load->file == NULL || fwrite(load->room, 1, load->n, load->file) != load->n)
            s = spool_failed(err);
    }
    if (s == STATUS_OK && load->file != NULL && fflush(load->file) != 0)
        s = spool_failed(err);
    if (s == STATUS_OK)
        s = digest_finish(load->digest, raw, err);
    if (s == STATUS_OK)
        digest_to_hex(raw, entry->sha256);
    return s;
}

/* Headers hold printable ASCII: other bytes of an address are escaped as an address escapes them. */
static void escape_url(const char *url, char ret[META_TEXT_BYTES])
{
    size_t n = 0;
    for (; *url != '\0' && n + 4 < META_TEXT_BYTES; url++) {
        unsigned char c = (unsigned char)*url;
        if (c > ' ' && c < 0x7f)
            ret[n++] = *url;
        else
            n += (size_t)snprintf(ret + n, 4, "%%%02X", c);
    }
    ret[n] = '\0';
}

struct meta_text {
    char url[META_TEXT_BYTES], when[INSTANT_TEXT_BYTES], status[16];
};

/* Metadata as headers; without those that are not known. */
static size_t make_meta(const struct lake_entry *entry, struct meta_text *text,
                        struct sigv4_field ret[META_MAX])
{
    const struct lake_meta *meta = &entry->meta;
    size_t n = 0;
    escape_url(meta->source_url, text->url);
    instant_format(meta->fetched_at, text->when);
    (void)snprintf(text->status, sizeof text->status, "%d", meta->http_status);
    ret[n++] = (struct sigv4_field){STR("x-amz-meta-sha256"), str_of(entry->sha256)};
    ret[n++] = (struct sigv4_field){STR("x-amz-meta-fetched-at"), str_of(text->when)};
    ret[n++] = (struct sigv4_field){STR("x-amz-meta-http-status"), str_of(text->status)};
    if (text->url[0] != '\0')
        ret[n++] = (struct sigv4_field){STR("x-amz-meta-source-url"), str_of(text->url)};
    if (meta->schema_hash[0] != '\0')
        ret[n++] = (struct sigv4_field){STR("x-amz-meta-schema-hash"), str_of(meta->schema_hash)};
    return n;
}

void lake_s3_checksum(const char hex[DIGEST_HEX_BYTES], char ret[LAKE_S3_CHECKSUM_BYTES])
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned bits = 0, n_bits = 0;
    size_t n = 0;
    for (size_t i = 0; i < DIGEST_HEX_BYTES - 1; i++) {
        unsigned digit = hex[i] <= '9' ? (unsigned)(hex[i] - '0') : (unsigned)(hex[i] - 'a' + 10);
        bits = (bits << 4 | digit) & 0xfff;
        n_bits += 4;
        if (n_bits >= 6) {
            n_bits -= 6;
            ret[n++] = letters[bits >> n_bits & 63];
        }
    }
    ret[n++] = letters[bits << (6 - n_bits) & 63]; /* 256 bits: four are left */
    ret[n++] = '=';
    ret[n] = '\0';
}

static enum status put_once(struct lake_s3 *lake, const struct lake_entry *entry,
                            const struct load *load, const struct stop *stop, bool *ret_exists,
                            bool *ret_repeated, struct err *err)
{
    CLEANUP(arena_clear) struct arena arena;
    char path[LAKE_S3_PATH_MAX], checksum[LAKE_S3_CHECKSUM_BYTES];
    struct meta_text text;
    struct sigv4_field headers[META_MAX + 2];
    struct aws_answer answer;
    size_t n = make_meta(entry, &text, headers);
    lake_s3_checksum(entry->sha256, checksum);
    headers[n++] = (struct sigv4_field){STR("if-none-match"), STR("*")};
    headers[n++] = (struct sigv4_field){STR("x-amz-checksum-sha256"), str_of(checksum)};
    struct aws_call call = lake_s3_call(lake, "PUT", entry->key, path, stop);
    call.headers = headers;
    call.n_headers = n;
    call.body = (struct str){load->room, load->n};
    call.has_body = true;
    arena_init(&arena, LAKE_S3_ARENA_BYTES);
    enum status s = aws_send(lake->aws, &call, &arena, &answer, err);
    if (s == STATUS_OK) {
        *ret_exists = answer.verdict == AWS_EXISTS;
        *ret_repeated = answer.tries > 1;
    }
    if (s == STATUS_OK && answer.verdict == AWS_ABSENT)
        return err_set(err, STATUS_CONFIG, "The server knows no such bucket.");
    return s;
}

static enum status put_parts(struct lake_s3 *lake, const struct lake_entry *entry,
                             const struct load *load, const struct stop *stop, bool *ret_exists,
                             struct err *err)
{
    struct meta_text text;
    struct sigv4_field headers[META_MAX];
    const struct lake_s3_parts parts = {
        lake,       entry,      headers, make_meta(entry, &text, headers), fileno(load->file),
        load->room, PART_BYTES, stop};
    return lake_s3_upload(&parts, ret_exists, err);
}

static bool is_ours(const struct lake_entry *there, const struct lake_entry *entry)
{
    char url[META_TEXT_BYTES];
    escape_url(entry->meta.source_url, url);
    return there->meta.fetched_at == entry->meta.fetched_at &&
           strcmp(there->meta.source_url, url) == 0;
}

/*
 * Looks at what holds the key. *ret_is_new stays as it is unless an object is there: then it is whether it has this
 * call's metadata and may so come from a try whose answer was lost.
 */
static enum status compare(struct lake_s3 *lake, const struct lake_entry *entry, bool *ret_is_new,
                           struct err *err)
{
    struct lake_entry there;
    enum status s = lake_s3_head(&lake->lake, entry->key, &there, err);
    if (s != STATUS_OK)
        return s;
    if (strcmp(there.sha256, entry->sha256) != 0)
        return lake_other_bytes(entry->key, err);
    *ret_is_new = is_ours(&there, entry);
    return STATUS_OK;
}

enum status lake_s3_put(struct lake *lake, struct lake_entry *entry, struct lake_source source,
                        const struct stop *stop, bool *ret_is_new, struct err *err)
{
    CLEANUP(clear_load) struct load load = {0};
    struct lake_s3 *s3 = (struct lake_s3 *)lake;
    bool exists = false, is_ours = false, is_repeated = false;
    enum status s = take_in(&load, source, stop, entry, err);
    if (s != STATUS_OK)
        return s;
    if (load.file != NULL) { /* a look is cheaper than an upload in vain */
        s = lake_s3_head(lake, entry->key, &(struct lake_entry){0}, NULL);
        exists = s == STATUS_OK || s == STATUS_BAD_DATA;
    }
    s = exists              ? STATUS_OK
        : load.file == NULL ? put_once(s3, entry, &load, stop, &exists, &is_repeated, err)
                            : put_parts(s3, entry, &load, stop, &exists, err);
    bool is_lost =
        s == STATUS_IO || s == STATUS_BUSY || (s == STATUS_DEADLINE && !stop_is_raised(stop));
    if (s == STATUS_OK && !exists) {
        *ret_is_new = true;
        return STATUS_OK;
    }
    if (s != STATUS_OK && !is_lost)
        return s;
    /* Somebody was first, be it an earlier try of this call; or no answer came, and nobody knows what happened. */
    enum status found = compare(s3, entry, &is_ours, is_lost ? NULL : err);
    if (is_lost && found != STATUS_OK && found != STATUS_BAD_DATA)
        return s;
    if (found == STATUS_OK)
        *ret_is_new = (is_lost || is_repeated) && is_ours;
    return found == STATUS_BAD_DATA ? lake_other_bytes(entry->key, err) : found;
}
