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
#include "base/blob.h"
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
    METHOD_TRACE, /* this and the next are known, and allowed nowhere */
    METHOD_QUERY,
    METHOD_OPTIONS
};

enum lane {
    LANE_HTTP, /* answered on the polling thread: no I/O, microseconds */
    LANE_QUICK, /* called on the polling thread first; what it cannot answer there it defers to a worker */
    LANE_IO,     /* database reads */
    LANE_CPU,    /* backtests */
    LANE_STREAM, /* long answers: a thread each for as long as the client reads */
    LANE_COUNT
};

/* Who may call a route. What a caller may do is decided by app->admit before the handler runs. */
enum access {
    ACCESS_PUBLIC,   /* anyone, without a key */
    ACCESS_READ,     /* scope read, or anyone where anonymous reading is on */
    ACCESS_BACKTEST, /* scope backtest */
    ACCESS_ADMIN,    /* scope admin */
    ACCESS_OPS       /* on the ops listener, which has no keys */
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
    enum access access;
    const char *summary; /* one line, as in openapi.yaml */
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
    struct blob
        *blob; /* what body points into when it is shared: a reference, given back at the end */
    struct reply_header headers[REPLY_HEADERS_MAX];
    size_t n_headers;
    size_t n_fixed; /* the first of them, set by app->admit: they stay whatever the handler does */
    unsigned slot;  /* see reply_prepared; 0: this reply is for this request alone */
};

/* Who asks: filled by app->admit. */
struct principal {
    const char *name;   /* of the key; "anonymous" without one */
    int64_t key_id;     /* 0 without one */
    unsigned scopes;    /* bits 1 << ACCESS_READ ... */
    int64_t rate;       /* requests a minute of this key; -1: what the setting says; 0: no limit */
    int64_t expires_at; /* seconds since 1970; 0: never */
};

/* W3C Trace Context: the caller's when it sent a valid traceparent, else our own. Lower-case hex. */
struct trace {
    char trace_id[33];
    char span_id[17]; /* this request's own */
    bool is_sampled;
};

/* What a handler's call decided, beside its status. */
enum outcome { OUTCOME_ANSWERED, OUTCOME_DEFERRED, OUTCOME_PARKED, OUTCOME_DETACHED };

enum { REQUEST_TIMINGS = 8 };
struct request_timing {
    const char *name; /* a Server-Timing metric: "pg", "redis"; static */
    int64_t ns;
};

struct request {
    struct app *app;
    struct arena arena;
    struct stop stop; /* raised when the client leaves, time runs out or the server drains */
    char id[REQUEST_ID_BYTES]; /* UUIDv7, ours */
    const char *client;        /* numeric address; app->admit looks behind trusted proxies */
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
    bool is_quick;  /* this call is on the polling thread: answer without I/O, or request_defer */
    enum lane lane; /* where it runs, or goes to when deferred */
    struct principal principal;
    struct trace trace;
    const char
        *cache; /* for metrics: "l1", "redis", "miss", "bypass", "none" (the default); static */
    struct request_timing timings[REQUEST_TIMINGS];
    size_t n_timings;
    atomic_int_fast64_t pg_ns; /* waited for PostgreSQL, also while a stream is sent */
    struct stream *stream;     /* the transport's; NULL until stream_begin */
    int64_t
        stream_bytes; /* set before stream_begin when the length is known: Content-Length; else 0 */
    atomic_int park;  /* the transport's */
    bool is_fresh_head; /* its reply is to have its headers, whether or not they are prepared */
    bool is_plain;      /* nothing about this request alone need be said in its reply's head */
    bool
        is_open_to_all; /* set by app->admit: whoever sends this is let in alike, and nothing is counted */
    struct str
        head; /* while app->front runs: the head, word for word, when it and the data alone decide the
                         answer; else ptr NULL */
    uint64_t
        stamp; /* of the data when the request came, for notes about its answer; 0: none are taken */
    bool is_own;          /* the server asks itself: nobody waits for it, so it does not park */
    handler_fn *again;    /* see request_park_quick */
    struct wait *wait;    /* of answer.c, across calls of the handler; NULL at first */
    bool is_detached;     /* see stream_begin_detached: no rows to count in a trailer */
    void *kept;           /* the handler's own, across its calls; NULL at first */
    enum outcome outcome; /* the transport's */
};

/*
 * Value of a request header (name case-insensitive, trimmed); ptr NULL when absent. Repeated ones are joined
 * by ", " in the request's arena, hence no const; ptr NULL too when that is full.
 */
struct str request_header(struct request *request, const char *name);

/* Copies the headers into the request's arena, for a handler that outlives what the library keeps. false: it is full. */
bool request_keep_headers(struct request *request);

/* The first parameter of that name; ptr NULL when absent. */
struct str request_param(const struct request *request, const char *name);

void reply_type(struct request *request, int http_status, const char *content_type);

/*
 * Adds a header; one of the same name is replaced, except Link and Vary, whose values are joined. The value must not
 * hold client text that was not validated: control characters become spaces. Ignored when the reply has
 * REPLY_HEADERS_MAX headers or the arena is full: nothing that a handler says this way is needed for framing.
 */
void reply_header(struct request *request, const char *name, const char *format, ...) PRINTF(3, 4);
void reply_body(struct request *request, struct str body); /* in the request's arena, or static */

/* A body shared with a cache, sent without a copy. Takes one reference of blob; body is a view into it. */
void reply_share(struct request *request, struct blob *blob, struct str body);

/*
 * After reply_type and reply_share: everyone who gets this status from this blob under this slot (1 to
 * PREPARED_SLOTS) gets the same head, so that the transport may keep what it makes of it. True when it has it
 * already: no header need be set. X-Request-Id and Server-Timing are left out of such a head. Does nothing for
 * a request that is not plain, and false is the answer.
 */
bool reply_prepared(struct request *request, unsigned slot);

/*
 * Handlers of LANE_QUICK routes are called with is_quick set first. One that needs I/O returns the value of
 * this: it is called again from its beginning, with an empty reply, on a worker of lane (IO or STREAM).
 * A handler that runs on a worker may move to another lane the same way. 503 when that lane's queue is full.
 */
enum status request_defer(struct request *request, enum lane lane);

/*
 * On a worker: the handler returns the value of this at once, and the request waits, without a thread, until
 * someone calls request_unpark; then its handler is called again from its beginning. For work that another
 * request is already doing. Each park is followed by exactly one unpark, from any thread, also before the
 * handler has returned; whoever parks guarantees it, at shutdown too. A request that is unparked goes back to
 * its lane's queue even when that is full: it was admitted once, and connections bound how many there are.
 * One whose client left or whose deadline passed meanwhile is not called again.
 */
enum status request_park(struct request *request);
void request_unpark(struct request *request);

/*
 * The same in a quick call, for what is done without a worker and without blocking one: whoever calls
 * request_unpark_quick calls again in the place of the handler, with is_quick set and an empty reply; it answers or
 * defers. False, and nothing happens, while the server shuts down.
 */
bool request_park_quick(struct request *request, handler_fn *again) NODISCARD;
void request_unpark_quick(struct request *request);

/*
 * An answer of unknown length: status, type and headers are final with stream_begin, then bytes follow, and
 * the handler's status ends it: STATUS_OK with the last chunk and the trailers, anything else by closing the
 * connection without one, so that the client sees the failure. stream_write waits while the client is slow
 * (at most STREAM_RING_BYTES are held); CLIENT_GONE, DEADLINE or DRAINING tell the handler to give up.
 * Only on a worker of LANE_STREAM. A HEAD request needs no more than stream_begin.
 */
enum { STREAM_RING_BYTES = 256 * 1024 };
enum status stream_begin(struct request *request, struct err *err) NODISCARD;
enum status stream_write(struct request *request, struct str bytes, struct err *err) NODISCARD;
void stream_trailer(struct request *request, const char *name, const char *value); /* copied */

/*
 * A stream that needs no thread while nothing happens: begun by a handler on a worker of any lane, which returns the
 * value of stream_detach; from then on another thread offers bytes and, exactly once, ends it. Whoever that is looks
 * at request->stop, and must not touch the request after stream_end. ring_bytes: what a slow client may be behind.
 */
enum status stream_begin_detached(struct request *request, size_t ring_bytes, struct err *err)
    NODISCARD;
enum status stream_detach(struct request *request);
bool stream_offer(struct request *request, struct str bytes)
    NODISCARD; /* false: no room, or nobody there */
void stream_end(struct request *request, enum status s);

/* Adds ns to the Server-Timing part name. */
void request_time(struct request *request, const char *name, int64_t ns);

#endif
