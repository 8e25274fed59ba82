/*
 * traffic.h - what the listeners, the workers and the shutdown share: where requests go, how many there
 * are, and the switches that end them. The pointers are fixed before the first listener starts.
 */
#ifndef SERVER_TRAFFIC_H
#define SERVER_TRAFFIC_H

#include "server/app.h"
#include "server/request_count.h"
#include "server/request_id.h"
#include "server/watch.h"
#include "server/workers.h"

#include "base/lock.h"

/* Connections of one listener. */
struct connection_count {
    atomic_uint n_open;     /* a polling thread has them */
    atomic_uint n_arriving; /* accepted, on their way to a polling thread */
};

struct traffic {
    struct app *app;
    struct watch *watch;
    struct workers *lanes[LANE_COUNT]; /* LANE_HTTP and LANE_QUICK have none */
    struct request_ids ids;
    struct request_counts counts;

    struct lock idle_lock; /* leaf lock; guards the two below */
    struct exchange
        *idle GUARDED; /* used before, to be used again: each with a block for its arena */
    unsigned n_idle GUARDED;

    atomic_uint n_inflight;  /* on the data listener, from request line to completion */
    atomic_uint n_suspended; /* handed to a worker and not yet taken back by its polling thread */
    atomic_uint n_streaming; /* streams whose handler has not returned */
    struct connection_count data, ops;

    atomic_bool is_closing;  /* every answer says Connection: close */
    atomic_bool is_refusing; /* nothing more goes to a worker */
};

#endif
