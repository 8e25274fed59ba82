/* encode_gzip.c - gzip streams through zlib, which it shares with gzip.c. */
#define ZLIB_CONST
#include "base/encode_impl.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

enum { LEVEL = 6, WINDOW_GZIP = 15 + 16, MEMORY_LEVEL = 8 };

static void *gzip_begin(size_t size_hint)
{
    (void)size_hint;
    z_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return NULL;
    if (deflateInit2(stream, LEVEL, Z_DEFLATED, WINDOW_GZIP, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
        free(stream);
        return NULL;
    }
    return stream;
}

static bool gzip_step(void *state, enum encode_step step, struct str *in, char *out, size_t size,
                      size_t *ret_n, bool *ret_is_done)
{
    static const int flushes[] = {[ENCODE_ADD] = Z_NO_FLUSH, [ENCODE_FINISH] = Z_FINISH};
    z_stream *stream = state;
    size_t given = in->len > UINT_MAX ? UINT_MAX : in->len;
    uInt room = size > UINT_MAX ? UINT_MAX : (uInt)size;
    stream->next_in = (const Bytef *)in->ptr;
    stream->avail_in = (uInt)given;
    stream->next_out = (Bytef *)out;
    stream->avail_out = room;
    int rc = deflate(stream, flushes[step]);
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR) /* the last: nothing to do */
        return false;
    *in = str_sub(*in, given - stream->avail_in, in->len);
    *ret_n = room - stream->avail_out;
    *ret_is_done =
        step == ENCODE_FINISH ? rc == Z_STREAM_END : in->len == 0 && stream->avail_out > 0;
    return true;
}

static void gzip_end(void *state)
{
    (void)deflateEnd(state);
    free(state);
}

const struct codec codec_gzip = {gzip_begin, gzip_step, gzip_end};
