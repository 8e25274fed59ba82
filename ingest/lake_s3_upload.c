/* lake_s3_upload.c - the lake on S3: objects in parts, seen whole or not at all, and uploads that nobody ended. */
#include "ingest/lake_s3_impl.h"

#include "base/date.h"
#include "base/stop.h"
#include "ingest/xml_in.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { UPLOAD_ID_BYTES = 1024, ETAG_BYTES = 132, PARTS_MAX = 10000, LIST_ARENA_BYTES = 4 << 20 };

struct part {
    char etag[ETAG_BYTES];
    char checksum[LAKE_S3_CHECKSUM_BYTES]; /* "": the server knows of none, and may refuse them */
};

static enum status take_id(void *to, struct str path, struct str text, struct err *err)
{
    (void)err;
    if (str_eq_c(path, "InitiateMultipartUploadResult/UploadId") && text.len < UPLOAD_ID_BYTES)
        memcpy(to, text.ptr, text.len);
    return STATUS_OK;
}

static enum status begin(const struct lake_s3_parts *parts, char ret_id[UPLOAD_ID_BYTES],
                         struct err *err)
{
    CLEANUP(arena_clear) struct arena arena;
    char path[LAKE_S3_PATH_MAX];
    struct aws_answer answer;
    struct sigv4_field headers[8];
    const struct sigv4_field query = {STR("uploads"), STR("")};
    size_t n = 0;
    for (; n < parts->n_meta && n < ARRAY_LEN(headers) - 1; n++)
        headers[n] = parts->meta[n];
    headers[n++] = (struct sigv4_field){STR("x-amz-checksum-algorithm"), STR("SHA256")};
    struct aws_call call = lake_s3_call(parts->lake, "POST", parts->entry->key, path, parts->stop);
    call.query = &query;
    call.n_query = 1;
    call.headers = headers;
    call.n_headers = n;
    call.has_body = true;
    arena_init(&arena, LAKE_S3_ARENA_BYTES);
    enum status s = aws_send(parts->lake->aws, &call, &arena, &answer, err);
    memset(ret_id, 0, UPLOAD_ID_BYTES);
    if (s == STATUS_OK)
        s = xml_read(answer.body, take_id, ret_id, err);
    if (s == STATUS_OK && ret_id[0] == '\0')
        s = err_set(err, STATUS_BAD_DATA, "The server began no upload in parts.");
    return s;
}

/* The next bytes of the file into room; fewer than a part only at its end. */
static enum status read_part(const struct lake_s3_parts *parts, int64_t at, size_t *ret_n,
                             struct err *err)
{
    size_t n = 0;
    while (n < parts->part_bytes) {
        ssize_t got =
            pread(parts->fd, parts->room + n, parts->part_bytes - n, (off_t)(at + (int64_t)n));
        if (got < 0 && errno != EINTR)
            return err_set(err, STATUS_IO, "A temporary file cannot be read.");
        if (got == 0)
            break;
        n += got > 0 ? (size_t)got : 0;
    }
    *ret_n = n;
    return STATUS_OK;
}

static enum status send_part(const struct lake_s3_parts *parts, const char *id, int number,
                             size_t bytes, struct part *ret, struct err *err)
{
    CLEANUP(arena_clear) struct arena arena;
    char path[LAKE_S3_PATH_MAX], text[16], hash[DIGEST_HEX_BYTES];
    char checksum[LAKE_S3_CHECKSUM_BYTES];
    struct aws_answer answer;
    static const char *const wanted[] = {"etag", "x-amz-checksum-sha256"};
    struct aws_call call = lake_s3_call(parts->lake, "PUT", parts->entry->key, path, parts->stop);
    (void)snprintf(text, sizeof text, "%d", number);
    const struct sigv4_field query[] = {{STR("partNumber"), str_of(text)},
                                        {STR("uploadId"), str_of(id)}};
    arena_init(&arena, LAKE_S3_ARENA_BYTES);
    call.body = (struct str){parts->room, bytes};
    call.has_body = true;
    enum status s = digest_hex(call.body, hash, err);
    if (s != STATUS_OK)
        return s;
    lake_s3_checksum(hash, checksum);
    const struct sigv4_field header = {STR("x-amz-checksum-sha256"), str_of(checksum)};
    call.query = query;
    call.n_query = ARRAY_LEN(query);
    call.headers = &header;
    call.n_headers = 1;
    call.wanted = wanted;
    call.n_wanted = ARRAY_LEN(wanted);
    s = aws_send(parts->lake->aws, &call, &arena, &answer, err);
    if (s != STATUS_OK)
        return s;
    struct str tag = answer.wanted[0], theirs = answer.wanted[1];
    if (answer.verdict != AWS_FINE || tag.len == 0 || tag.len >= sizeof ret->etag ||
        (theirs.ptr != NULL && !str_eq_c(theirs, checksum)))
        return err_set(err, STATUS_BAD_DATA, "The server took a part and did not name it.");
    *ret = (struct part){"", ""};
    memcpy(ret->etag, tag.ptr, tag.len);
    if (theirs.ptr != NULL)
        memcpy(ret->checksum, checksum, sizeof checksum);
    return STATUS_OK;
}

/* Makes the object of its parts; its answer may be an error with status 200. */
static enum status complete(const struct lake_s3_parts *parts, const char *id,
                            const struct part *part, int n, bool *ret_exists, struct err *err)
{
    CLEANUP(arena_clear) struct arena arena;
    char path[LAKE_S3_PATH_MAX];
    struct aws_answer answer;
    struct buf body;
    const struct sigv4_field query = {STR("uploadId"), str_of(id)};
    const struct sigv4_field headers[] = {{STR("if-none-match"), STR("*")},
                                          {STR("content-type"), STR("application/xml")}};
    arena_init(&arena, LAKE_S3_ARENA_BYTES + (size_t)n * 512);
    buf_init(&body, &arena, (size_t)n * 256 + 256);
    buf_add_c(&body, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (int i = 0; i < n; i++) {
        buf_printf(&body, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag>", i + 1, part[i].etag);
        if (part[i].checksum[0] != '\0')
            buf_printf(&body, "<ChecksumSHA256>%s</ChecksumSHA256>", part[i].checksum);
        buf_add_c(&body, "</Part>");
    }
    buf_add_c(&body, "</CompleteMultipartUpload>");
    if (body.failed)
        return err_out_of_memory(err);
    struct aws_call call = lake_s3_call(parts->lake, "POST", parts->entry->key, path, parts->stop);
    call.query = &query;
    call.n_query = 1;
    call.headers = headers;
    call.n_headers = ARRAY_LEN(headers);
    call.body = buf_str(&body);
    call.has_body = true;
    call.may_fail_inside = true;
    enum status s = aws_send(parts->lake->aws, &call, &arena, &answer, err);
    if (s == STATUS_OK)
        *ret_exists = answer.verdict == AWS_EXISTS;
    return s;
}

static enum status abort_upload(struct lake_s3 *lake, const char *key, const char *id,
                                struct err *err)
{
    CLEANUP(arena_clear) struct arena arena;
    char path[LAKE_S3_PATH_MAX];
    struct aws_answer answer;
    const struct sigv4_field query = {STR("uploadId"), str_of(id)};
    struct aws_call call = lake_s3_call(lake, "DELETE", key, path, NULL);
    call.query = &query;
    call.n_query = 1;
    arena_init(&arena, LAKE_S3_ARENA_BYTES);
    return aws_send(lake->aws, &call, &arena, &answer, err);
}

static enum status send_all(const struct lake_s3_parts *parts, const char *id, bool *ret_exists,
                            struct err *err)
{
    int64_t bytes = parts->entry->bytes, part_bytes = (int64_t)parts->part_bytes;
    int64_t n = (bytes + part_bytes - 1) / part_bytes;
    if (n > PARTS_MAX)
        return err_set(err, STATUS_TOO_LARGE, "An object has at most %lld bytes.",
                       (long long)PARTS_MAX * (long long)part_bytes);
    struct part *made = calloc((size_t)n, sizeof *made);
    enum status s = STATUS_OK;
    if (made == NULL)
        return err_out_of_memory(err);
    for (int64_t i = 0; s == STATUS_OK && i < n; i++) {
        size_t length = 0;
        s = read_part(parts, i * part_bytes, &length, err);
        if (s == STATUS_OK)
            s = send_part(parts, id, (int)i + 1, length, &made[i], err);
    }
    if (s == STATUS_OK)
        s = complete(parts, id, made, (int)n, ret_exists, err);
    free(made);
    return s;
}

enum status lake_s3_upload(const struct lake_s3_parts *parts, bool *ret_exists, struct err *err)
{
    char id[UPLOAD_ID_BYTES];
    enum status s = begin(parts, id, err);
    if (s != STATUS_OK)
        return s;
    s = send_all(parts, id, ret_exists, err);
    if (s != STATUS_OK || *ret_exists)
        (void)abort_upload(parts->lake, parts->entry->key, id, NULL);
    if (s ==
        STATUS_BAD_VALUE) /* NoSuchUpload: an earlier try of the last step may have been the one */
        s = STATUS_IO;
    return s;
}

/* ---- Uploads that nobody ended ----------------------------------------------------------------------------------- */

enum { KEY_BYTES = LAKE_S3_PATH_MAX };

/* One page of uploads: those that are old are aborted as they are read from the kept text. */
struct page {
    struct lake_s3 *lake;
    int64_t before_s, n_aborted;
    char key[KEY_BYTES], id[UPLOAD_ID_BYTES];
    int64_t begun_s;
    char next_key[KEY_BYTES], next_id[UPLOAD_ID_BYTES];
    bool is_truncated;
    const struct stop *stop;
};

static void keep(struct str text, char *ret, size_t size)
{
    size_t n = text.len < size ? text.len : 0;
    if (n > 0)
        memcpy(ret, text.ptr, n);
    ret[n] = '\0';
}

static enum status end_upload(struct page *page, struct err *err)
{
    size_t prefix = strlen(page->lake->prefix);
    bool is_old = page->begun_s > 0 && page->begun_s < page->before_s && page->id[0] != '\0';
    if (!is_old || strncmp(page->key, page->lake->prefix, prefix) != 0)
        return STATUS_OK;
    if (stop_is_raised(page->stop))
        return stop_status(page->stop, err);
    enum status s = abort_upload(page->lake, page->key + prefix, page->id, err);
    page->n_aborted += s == STATUS_OK;
    return s == STATUS_BAD_VALUE ? STATUS_OK : s; /* it has ended by itself */
}

/* "2024-02-29T01:02:03.000Z"; 0 for another form. */
static int64_t begun_at(struct str text)
{
    char whole[INSTANT_TEXT_BYTES];
    int64_t at = 0;
    if (text.len < 20)
        return 0;
    (void)snprintf(whole, sizeof whole, "%.19sZ", text.ptr);
    return instant_parse(str_of(whole), &at) ? at : 0;
}

static enum status on_upload(void *to, struct str path, struct str text, struct err *err)
{
    struct page *page = to;
    if (str_eq_c(path, "ListMultipartUploadsResult/Upload/Key"))
        keep(text, page->key, sizeof page->key);
    else if (str_eq_c(path, "ListMultipartUploadsResult/Upload/UploadId"))
        keep(text, page->id, sizeof page->id);
    else if (str_eq_c(path, "ListMultipartUploadsResult/Upload/Initiated"))
        page->begun_s = begun_at(text);
    else if (str_eq_c(path, "ListMultipartUploadsResult/Upload"))
        return end_upload(page, err);
    else if (str_eq_c(path, "ListMultipartUploadsResult/NextKeyMarker"))
        keep(text, page->next_key, sizeof page->next_key);
    else if (str_eq_c(path, "ListMultipartUploadsResult/NextUploadIdMarker"))
        keep(text, page->next_id, sizeof page->next_id);
    else if (str_eq_c(path, "ListMultipartUploadsResult/IsTruncated"))
        page->is_truncated = str_eq_c(text, "true");
    return STATUS_OK;
}

enum status lake_s3_tidy(struct lake *lake, int64_t before_s, const struct stop *stop,
                         int64_t *ret_n, struct err *err)
{
    struct page page = {
        .lake = (struct lake_s3 *)lake, .before_s = before_s, .stop = stop, .is_truncated = true};
    enum status s = STATUS_OK;
    while (s == STATUS_OK && page.is_truncated) {
        CLEANUP(arena_clear) struct arena arena;
        char path[LAKE_S3_PATH_MAX];
        struct aws_answer answer;
        const struct sigv4_field query[] = {{STR("uploads"), STR("")},
                                            {STR("prefix"), str_of(page.lake->prefix)},
                                            {STR("key-marker"), str_of(page.next_key)},
                                            {STR("upload-id-marker"), str_of(page.next_id)}};
        struct aws_call call = lake_s3_call(page.lake, "GET", "", path, stop);
        call.query = query;
        call.n_query = page.next_key[0] == '\0' ? 2 : ARRAY_LEN(query);
        arena_init(&arena, LIST_ARENA_BYTES * 2);
        page.is_truncated = false;
        s = aws_send(page.lake->aws, &call, &arena, &answer, err);
        if (s == STATUS_OK)
            s = xml_read(answer.body, on_upload, &page, err);
    }
    if (s == STATUS_OK)
        *ret_n = page.n_aborted;
    return s;
}
