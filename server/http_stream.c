/* http_stream.c - feeds the library from a stream's ring; polling thread only. */
#include "server/http_stream.h"

#include "server/stream.h"

#include <microhttpd.h>

enum {
    BLOCK_BYTES = 32 * 1024
}; /* asked for; what fits into the connection's pool is what comes */

static void add_trailers(struct exchange *x)
{
    const char *name = NULL, *value = NULL;
    for (size_t i = 0; stream_get_trailer(x->request.stream, i, &name, &value); i++)
        (void)MHD_add_response_footer(x->response, name, value);
}

/* Returns 0 only after suspending: the library would ask again and again. */
static ssize_t read_stream(void *cls, uint64_t at, char *room, size_t max)
{
    struct exchange *x = cls;
    size_t n = 0;
    (void)at;
    switch (stream_take(x->request.stream, room, max, &n)) {
    case STREAM_BYTES:
        return (ssize_t)n;
    case STREAM_SUSPENDED:
        return 0;
    case STREAM_END:
        add_trailers(x);
        return MHD_CONTENT_READER_END_OF_STREAM;
    case STREAM_FAILED:
        break;
    }
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

struct MHD_Response *http_stream_response(struct exchange *x)
{
    int64_t known = x->request.stream_bytes;
    uint64_t size = known > 0 ? (uint64_t)known : MHD_SIZE_UNKNOWN;
    x->response = MHD_create_response_from_callback(size, BLOCK_BYTES, read_stream, x, NULL);
    /* The library sends the last chunk of a chunked answer to HEAD, too, where the next answer belongs. */
    if (x->response != NULL && known == 0 && !stream_has_body(x->request.stream))
        (void)MHD_set_response_options(x->response, MHD_RF_HTTP_VERSION_1_0_ONLY, MHD_RO_END);
    return x->response;
}
