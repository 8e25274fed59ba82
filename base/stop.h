/*
 * stop.h - a cancel word that long work polls. Whoever watches (client gone, deadline, shutdown)
 * raises it once; the first reason wins. Safe from any thread.
 */
#ifndef BASE_STOP_H
#define BASE_STOP_H

#include "base/err.h"

#include <stdatomic.h>

enum stop_reason { STOP_NONE, STOP_CLIENT_GONE, STOP_DEADLINE, STOP_DRAINING };

struct stop {
    atomic_int reason; /* enum stop_reason */
};

static inline void stop_raise(struct stop *stop, enum stop_reason reason)
{
    int none = STOP_NONE;
    (void)atomic_compare_exchange_strong(&stop->reason, &none, (int)reason);
}

/* stop may be NULL: work that nothing cancels. */
static inline bool stop_is_raised(const struct stop *stop)
{
    return stop != NULL && atomic_load_explicit(&stop->reason, memory_order_relaxed) != STOP_NONE;
}

/* The status of work that ended because it was stopped: CLIENT_GONE, DEADLINE or DRAINING. */
enum status stop_status(const struct stop *stop, struct err *err);

#endif
