/*
 * flight.h - equal work is done once: the first to ask for a key leads, whoever asks while it is at work waits
 * for it. Nothing is allocated and nobody sleeps here: a waiter is woken by a callback. Callable from any thread.
 */
#ifndef CACHE_FLIGHT_H
#define CACHE_FLIGHT_H

#include "base/err.h"

struct flights;

enum flight_end {
    FLIGHT_AGAIN,  /* look into the cache again, else join again */
    FLIGHT_ALONE,  /* what was made cannot be kept: each makes its own */
    FLIGHT_FAILED, /* with the leader's err */
};

/* Lives with the waiting request. Untouched after it was woken. */
struct flight_waiter {
    struct flight_waiter *next; /* the table's */
    void *cls;                  /* for wake */
    enum flight_end end;        /* written before wake is called */
    struct err err;             /* with FLIGHT_FAILED */
};

/* Lives with the leader until flight_land; key is borrowed for as long. */
struct flight {
    struct flight *next; /* the table's */
    struct str key;
    uint64_t hash;
    struct flight_waiter *waiters;
};

enum status flights_new(struct flights **ret, struct err *err) NODISCARD;
void flights_free(struct flights *flights); /* NULL is allowed; nothing may be in flight */

/*
 * True: flight now leads its key and must land. False: another does, and waiter, unless it is NULL, will be woken
 * exactly once.
 */
bool flight_join(struct flights *flights, struct flight *flight, struct flight_waiter *waiter)
    NODISCARD;

/* Ends the flight and wakes its waiters. wake must not block; it may run before flight_join has returned there. */
typedef void flight_wake_fn(void *cls);
void flight_land(struct flights *flights, struct flight *flight, enum flight_end end,
                 const struct err *err, flight_wake_fn *wake);

size_t flights_waiting(struct flights *flights); /* now, for a gauge */

#endif
