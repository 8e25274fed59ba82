/*
 * stream.h - an answer of unknown length on its way from a worker to the library: a bounded ring of bytes.
 * The worker's side is stream_begin, stream_write and stream_trailer of request.h; here is the rest.
 *
 * The worker and the polling thread hold the exchange together until both are done with it: the one that is
 * last logs and frees. What either reads after stream_begin is fixed then: status, headers, timings, cache.
 *
 * Time: the route's deadline ends with stream_begin. From then on the client must take something within
 * send_timeout_ms and, while the worker waits for it, min_rate_kib over any STREAM_WINDOW_MS. A stream that
 * fails is cut: the client never sees its last chunk.
 */
#ifndef SERVER_STREAM_H
#define SERVER_STREAM_H

#include "server/exchange.h"

enum { STREAM_WINDOW_MS = 10000 };

/* Why streams end before their last byte, for the log and the metric. */
enum { STREAM_REASONS = 4 };
extern const char *const stream_reasons[STREAM_REASONS];

enum stream_step {
    STREAM_BYTES,     /* some were taken */
    STREAM_SUSPENDED, /* there are none now: the connection is suspended, and resumed when there are */
    STREAM_END,       /* all were taken; the trailers are final */
    STREAM_FAILED     /* close without the last chunk */
};

/* On the polling thread, when the library has room. */
enum stream_step stream_take(struct stream *stream, char *room, size_t max, size_t *ret_n);

/* i from 0; false when there is no such trailer. After STREAM_END. */
bool stream_get_trailer(const struct stream *stream, size_t i, const char **ret_name,
                        const char **ret_value);

/* On the worker, when the handler has returned s. x may be freed. */
void stream_finish(struct exchange *x, enum status s, const struct err *err);

/* On the polling thread, when the library is done with the request. */
void stream_leave(struct stream *stream);

/* True between stream_begin and the end of a request other than HEAD. */
bool stream_has_body(const struct stream *stream);

/* Bytes that the library took; why it failed (static), NULL when it did not. For the last owner. */
uint64_t stream_bytes(struct stream *stream);
const char *stream_reason(struct stream *stream, enum exchange_end end);

void stream_free(struct stream *stream); /* NULL is allowed */

#endif
