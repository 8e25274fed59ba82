/* http_stream.h - the library's response around a stream. */
#ifndef SERVER_HTTP_STREAM_H
#define SERVER_HTTP_STREAM_H

#include "server/exchange.h"

struct MHD_Response;

/* Chunked on HTTP/1.1, until the connection closes on HTTP/1.0. NULL when out of memory. */
struct MHD_Response *http_stream_response(struct exchange *x);

#endif
