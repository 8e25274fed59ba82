/*
 * table_stream.c - a table of unknown length, in bounded memory: the writer's chunks go through the content coding
 * into the transport's ring, and wait there for the client. Nothing is sent before the first chunk is full, so
 * that an early failure is still a problem document; what fits in one chunk is answered whole.
 */
#include "handlers/table_write.h"

#include "base/clock.h"
#include "handlers/answer_reply.h"
#include "handlers/encoding.h"
#include "handlers/warnings.h"

#include <stdio.h>

struct streaming {
    struct table *table;
    enum encoding encoding;
    struct encoder *encoder; /* NULL until the stream has begun, and for identity */
};

static enum status send_coded(void *cls, struct str bytes, struct err *err)
{
    struct request *request = cls;
    return stream_write(request, bytes, err);
}

/* From here on the status and the headers are final. What is known only at the end is promised as a trailer. */
static enum status begin(struct streaming *streaming, struct err *err)
{
    struct request *request = streaming->table->request;
    table_headers(streaming->table);
    reply_header(request, "Trailer", "Data-Warnings"); /* beside X-Row-Count */
    if (streaming->encoding != ENCODING_IDENTITY)
        reply_header(request, "Content-Encoding", "%s", encoding_name(streaming->encoding));
    enum status s = stream_begin(request, err);
    if (s == STATUS_OK && streaming->encoding != ENCODING_IDENTITY)
        s = encoder_new(streaming->encoding, 0, send_coded, request, &streaming->encoder, err);
    return s;
}

static enum status send(void *cls, struct str bytes, struct err *err)
{
    struct streaming *streaming = cls;
    struct request *request = streaming->table->request;
    enum status s = request->stream == NULL ? begin(streaming, err) : STATUS_OK;
    if (s != STATUS_OK)
        return s;
    return streaming->encoder == NULL ? stream_write(request, bytes, err)
                                      : encoder_add(streaming->encoder, bytes, err);
}

static void add_trailers(const struct table *table)
{
    char text[32], codes[WARNINGS_TEXT_BYTES];
    (void)snprintf(text, sizeof text, "%zu", table->n_rows);
    stream_trailer(table->request, "X-Row-Count", text);
    warnings_text(table->warnings, codes);
    if (codes[0] != '\0')
        stream_trailer(table->request, "Data-Warnings", codes);
}

/* Everything was small enough to be kept: an ordinary answer, with a length. */
static enum status reply_whole(struct streaming *streaming, struct err *err)
{
    struct table *table = streaming->table;
    struct str body;
    enum status s =
        encode_pack(streaming->encoding, buf_str(&table->out), &table->request->arena, &body, err);
    if (s != STATUS_OK)
        return s;
    table_headers(table);
    reply_header(table->request, "X-Row-Count", "%zu", table->n_rows);
    if (streaming->encoding != ENCODING_IDENTITY)
        reply_header(table->request, "Content-Encoding", "%s", encoding_name(streaming->encoding));
    reply_body(table->request, body);
    return STATUS_OK;
}

static enum status run(struct streaming *streaming, struct err *err)
{
    struct table *table = streaming->table;
    enum status s = table_produce(table, err);
    if (s != STATUS_OK)
        return s;
    if (table->n_sunk == 0)
        return reply_whole(streaming, err);
    s = table_drain(table, 1, err);
    if (s == STATUS_OK && streaming->encoder != NULL)
        s = encoder_finish(streaming->encoder, err);
    if (s == STATUS_OK)
        add_trailers(table);
    return s;
}

/* The validator, as answer() sets it; an unmanaged mart has none that is known before its rows are read. */
static enum status reply_if_same(struct table *table, enum encoding encoding, bool *ret_is_same,
                                 struct err *err)
{
    const struct answer *how = &table->how;
    char tag[TAG_BYTES], cache_control[CACHE_CONTROL_BYTES];
    if (how->mart == NULL || !how->mart->is_managed) {
        reply_cache_control(table->request, "no-cache");
        return STATUS_OK;
    }
    enum status s = tag_make(how->version, how->identity, tag, err);
    if (s != STATUS_OK)
        return s;
    size_t len = str_of(tag).len;
    (void)snprintf(tag + len, sizeof tag - len, "%s", encoding_suffix(encoding));
    cache_control_text(how->is_pinned, how->mart->next_due_at, clock_wall_s(), cache_control);
    *ret_is_same = reply_if_known(table->request, tag, cache_control);
    return STATUS_OK;
}

enum status table_stream(struct table *table, struct err *err)
{
    struct request *request = table->request;
    struct streaming streaming = {.table = table};
    bool is_same = false;
    enum status s = encoding_choose(request, &streaming.encoding, err);
    if (s == STATUS_OK)
        s = reply_if_same(table, streaming.encoding, &is_same, err);
    if (s != STATUS_OK || is_same)
        return s;
    if (request->lane != LANE_STREAM || request->is_quick)
        return request_defer(request, LANE_STREAM);
    request->cache = "bypass";
    table_open(table);
    if (request->method == METHOD_HEAD)
        return begin(&streaming, err);
    table->sink = send;
    table->sink_cls = &streaming;
    s = run(&streaming, err);
    encoder_free(streaming.encoder);
    return s;
}
