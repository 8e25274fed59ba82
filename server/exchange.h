/*
 * exchange.h - one request from its first line to its completion: everything about it that is not the HTTP
 * library's. Each call below is made by the polling thread that owns the connection, except that run and
 * skip happen on a worker or on the watch thread while the connection is suspended. Ownership passes by the
 * queue's lock on the way there and by the library's resume lock on the way back.
 *
 *   exchange_new -> exchange_head -> exchange_take* -> exchange_start -> [exchange_submit ... resume ->
 *   exchange_resumed] -> (reply is ready) -> exchange_done
 *
 * exchange.c has the way to the handler and the end, exchange_recall.c the answers that need none, exchange_run.c the
 * handler's calls.
 */
#ifndef SERVER_EXCHANGE_H
#define SERVER_EXCHANGE_H

#include "server/framing.h"
#include "server/recent.h"
#include "server/router.h"
#include "server/traffic.h"

enum exchange_state {
    EXCHANGE_HEAD,     /* the header has not been looked at */
    EXCHANGE_BODY,     /* collecting or discarding the body */
    EXCHANGE_WAITING,  /* suspended: a worker's */
    EXCHANGE_ANSWERED, /* the reply is with the library */
};

/* What the transport does next. */
enum exchange_step {
    STEP_READ,    /* let the body come, then exchange_start */
    STEP_ANSWER,  /* the reply is ready */
    STEP_SUSPEND, /* suspend the connection, then exchange_submit */
    STEP_CLOSE    /* close without an answer */
};

/* How the library says a request ended. */
enum exchange_end { END_COMPLETED, END_ABORTED, END_TIMEOUT };

struct exchange {
    struct request request; /* first: all that handlers see */
    struct exchange *next_idle;
    struct traffic *traffic;
    const struct router *router;
    struct conn *conn;
    void *connection;                  /* the library's */
    void (*suspend)(void *connection); /* on its polling thread */
    void (*resume)(void *connection);  /* called exactly once after each suspension; any thread */
    void *response;                    /* the library's, of a stream */
    atomic_uint references;            /* the library's, and while a stream lasts its worker's */
    bool is_ops;

    enum exchange_state state;
    struct framing framing;
    bool is_framed;         /* the head was trusted: request.method means something */
    bool is_recalled;       /* app->recall has made the reply, or recent is one of its */
    struct recent *recent;  /* a reference: the reply is this one */
    struct str recent_head; /* becomes one when the reply is made; else ptr NULL */
    uint64_t recent_stamp;  /* of the data when the request came */
    bool has_trace;         /* the client sent a valid traceparent */
    bool has_bad_target;    /* longer than TARGET_BYTES_MAX: request.target is cut */
    struct str client_id;   /* a usable X-Request-Id */
    struct buf body;
    uint64_t body_bytes; /* received, kept or not */
    size_t body_max;     /* kept */
    bool is_discarding;  /* the reply is made, the rest of the body is read for good manners */

    struct job job;
    int64_t queue_ns;        /* waited for workers, all calls together */
    int64_t parked_ns;       /* since when it is parked; 0: it is not */
    atomic_bool is_finished; /* the worker's part is over */
    bool is_silent;          /* the client left: no answer, status 499 */
    enum status status;      /* of the handler or of the refusal */
    struct arena spare;      /* for problem bodies */
    char problem_detail[256];

    /* Noted when the library is done, for the log: the connection may be gone by then. */
    enum exchange_end end;
    enum conn_phase cut_phase;
    char address[WATCH_ADDRESS_BYTES]; /* of the client; copied at the start for the same reason */
};

/* target is copied. NULL when out of memory. */
struct exchange *exchange_new(struct traffic *traffic, const struct router *router,
                              struct conn *conn, struct str target, bool is_ops);

/* The whole header is there: framing, target, route and body size are checked, in this order. */
enum exchange_step exchange_head(struct exchange *x, const struct framing_head *head);

/* Gives the request its id and its trace, unless it has them: most answers from memory are over without. */
void exchange_identify(struct exchange *x);

/* The very same bytes were answered before, and the reply is made so again: from the head alone, and after the body. */
bool exchange_is_recalled(struct exchange *x, const struct framing_head *head);
bool exchange_is_known(struct exchange *x);

/* Bytes of the body; false: too many, close. */
bool exchange_take(struct exchange *x, struct str bytes);

/* The whole request is there: runs it, or asks to be suspended. */
enum exchange_step exchange_start(struct exchange *x);

/* After the connection was suspended. x may be finished and resumed before this returns. */
void exchange_submit(struct exchange *x);

/* The connection was resumed. STEP_ANSWER or STEP_CLOSE. */
enum exchange_step exchange_resumed(struct exchange *x);

/* The request ends with s, of which err tells more: makes its reply. */
void exchange_settle(struct exchange *x, enum status s, struct err *err);

/* The first call of the handler, or a place in a lane's queue for it. STEP_ANSWER or STEP_SUSPEND. */
enum exchange_step exchange_run(struct exchange *x);

/* The library is done with it. Counts, logs and frees, or leaves that to the worker of a stream. */
void exchange_done(struct exchange *x, enum exchange_end end);
void exchange_release(struct exchange *x);

/* Before and after all others. */
void exchange_pool_init(struct traffic *traffic);
void exchange_pool_clear(struct traffic *traffic);

/* For the workers' options. */
void exchange_run_job(struct job *job);
void exchange_skip_job(struct job *job);

#endif
