/*
 * watch.h - the second and third guard: one thread that cuts connections whose header, body or answer
 * takes too long in total, sees clients leave while the library has their connection suspended, and ends
 * requests whose deadline passes.
 *
 * A client that closes its sending side is treated as gone WATCH_GRACE_MS later, unless its answer is ready
 * by then: TCP cannot tell a closed connection from a half-closed one before something is sent. A stream is
 * sent all the time, so its client has WATCH_STREAM_GRACE_MS from the last bytes it took.
 */
#ifndef SERVER_WATCH_H
#define SERVER_WATCH_H

#include "base/err.h"
#include "base/stop.h"

enum {
    WATCH_GRACE_MS = 150,
    WATCH_STREAM_GRACE_MS = 600,
    WATCH_TICK_MS = 50,
    WATCH_ADDRESS_BYTES = 46
};

struct watch;

/* What a connection is doing, as far as its time is concerned. */
enum conn_phase {
    CONN_IDLE,    /* between requests or receiving a header */
    CONN_BODY,    /* receiving a body */
    CONN_BUSY,    /* the server's turn: no limit here */
    CONN_SENDING, /* the client takes the answer */
    CONN_PHASES
};

struct conn;

struct watch_options {
    unsigned header_timeout_ms;
    /* Called on the watch thread, without locks, after stops were raised. */
    void (*stopped)(void *cls);
    /* Called on the watch thread, without locks, after n connections were cut in that phase. */
    void (*cut)(void *cls, enum conn_phase phase, unsigned n);
    void *cls;
};

enum status watch_new(const struct watch_options *options, struct watch **ret, struct err *err)
    NODISCARD;
void watch_free(struct watch *watch); /* after every connection was closed */

/* Called when fd was accepted, and before it is closed. NULL when out of memory. Any thread. */
struct conn *watch_open(struct watch *watch, int fd);
void watch_close(struct watch *watch, struct conn *conn);

char *conn_address(struct conn *conn); /* room of WATCH_ADDRESS_BYTES for the client's address */

/*
 * The connection enters a phase that must end by cut_at_ns (0: no limit). Lock-free; called by the thread that
 * owns the connection. CONN_IDLE ends a request: the next header's time starts with its first byte.
 */
void conn_enter(struct conn *conn, enum conn_phase phase, int64_t cut_at_ns);

/* Cuts the connection soon unless it leaves CONN_IDLE: for input on which the library may fall silent. */
void conn_hurry(struct conn *conn);

/* Ends the connection, whatever the library waits for. By a thread that keeps it from being closed meanwhile. */
void conn_cut(struct conn *conn);

/* The client of a stream took bytes: while it does, one that closed its sending side is not gone. */
void conn_progress(struct conn *conn, int64_t now_ns);

/* The phase in which the connection was cut; CONN_BUSY when it was not. */
enum conn_phase conn_cut_phase(const struct conn *conn);

/*
 * Between these two calls stop is raised with STOP_CLIENT_GONE when the client leaves and with STOP_DEADLINE
 * at deadline_ns. watch_stop_all raises every one of them.
 */
void watch_begin(struct watch *watch, struct conn *conn, struct stop *stop, int64_t deadline_ns);
void watch_extend(struct watch *watch, struct conn *conn); /* no deadline any more */
void watch_end(struct watch *watch, struct conn *conn);
void watch_stop_all(struct watch *watch, enum stop_reason reason);

#endif
