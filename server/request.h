/*
 * request.h - what a handler sees of one HTTP request, and how it answers.
 *
 * A handler is one function: it reads the request, fills the reply and returns STATUS_OK; any other status
 * becomes a problem+json reply from the err it filled. It runs on one thread at a time: on a worker, or,
 * for routes marked on_http_thread, on a polling thread, where it must not block. Everything the request
 * and its reply point to lives in its arena until the connection reports completion.
 */
#ifndef SERVER_REQUEST_H
#define SERVER_REQUEST_H

#include "base/arena.h"
#include "base/err.h"
#include "base/stop.h"

struct app;
struct request;

enum method {
    METHOD_GET,
    METHOD_HEAD,
    METHOD_POST,
    METHOD_PUT,
    METHOD_DELETE,
    METHOD_PATCH,
    METHOD_OPTIONS
};

enum lane {
    LANE_HTTP, /* answered on the polling thread: no I/O, microseconds */
    LANE_IO,   /* database reads */
    LANE_CPU   /* backtests */
};

typedef enum status handler_fn(struct request *request, struct err *err);

/*
 * One row of the route table. path has {name} segments, e.g. "/v1/marts/{mart}/rows". GET also serves HEAD
 * (same headers, no body); OPTIONS and 405 with Allow follow from the table.
 */
struct route {
    enum method method;
    const char *path;
    handler_fn *handler;
    enum lane lane;
    unsigned deadline_ms;
    size_t body_max_bytes; /* 0: none is expected; one that comes is ignored up to 64 KiB */
    bool is_ops;           /* served on the ops listener instead of the data listener */
    const char *summary;   /* one line, as in openapi.yaml */
};

struct query_param {
    struct str name, value; /* percent-decoded, '+' is a space; valid UTF-8 without NUL */
};

enum {
    REQUEST_PATH_PARAMS = 4,
    REQUEST_ID_BYTES = 37,
    REPLY_HEADERS_MAX = 24,
    REQUEST_HEADERS_MAX = 64
};

struct header {
    struct str name, value; /* as sent; borrowed from the connection until the request completes */
};

struct reply_header {
    const char *name;
    const char *value;
};

struct reply {
    int http_status; /* 200 unless set */
    const char *content_type;
    struct str body;
    struct reply_header headers[REPLY_HEADERS_MAX];
    size_t n_headers;
};

struct request {
    struct app *app;
    struct arena arena;
    struct stop stop; /* raised when the client leaves, time runs out or the server drains */
    char id[REQUEST_ID_BYTES]; /* UUIDv7, ours */
    const char *public_id;     /* the client's X-Request-Id when it sent a usable one, else id */
    int64_t arrived_ns;        /* monotonic time of the request line */
    enum method method;
    struct str target; /* as sent */
    struct str path;   /* raw, still percent-encoded, without scheme, authority and query */
    struct str query;  /* raw, without '?' */
    const struct route *route;
    struct str
        path_params[REQUEST_PATH_PARAMS]; /* percent-decoded, in the order of the route's braces */
    struct query_param *params;
    size_t n_params;
    const struct header *headers; /* see request_header */
    size_t n_headers;
    struct str body;
    struct reply reply;
};

/*
 * Value of a request header (name case-insensitive, trimmed); ptr NULL when absent. Repeated ones are joined
 * by ", " in the request's arena, hence no const; ptr NULL too when that is full.
 */
struct str request_header(struct request *request, const char *name);

/* The first parameter of that name; ptr NULL when absent. */
struct str request_param(const struct request *request, const char *name);

void reply_type(struct request *request, int http_status, const char *content_type);

/*
 * Adds a header; one of the same name is replaced, except Link and Vary, which add up. The value must not
 * hold client text that was not validated: control characters become spaces. Ignored when the reply has
 * REPLY_HEADERS_MAX headers or the arena is full: nothing that a handler says this way is needed for framing.
 */
void reply_header(struct request *request, const char *name, const char *format, ...) PRINTF(3, 4);
void reply_body(struct request *request, struct str body); /* in the request's arena, or static */

/* Milliseconds since the request arrived, for Server-Timing. */
double request_elapsed_ms(const struct request *request);

#endif
