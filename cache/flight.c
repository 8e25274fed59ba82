/* flight.c - a table of keys at work, each with the list of those that wait for it. */
#include "cache/flight.h"

#include "base/lock.h"

#include <stdint.h>
#include <stdlib.h>

enum { BUCKETS = 256 };

struct flights {
    struct lock lock; /* leaf lock; guards every GUARDED field below */
    struct flight *buckets[BUCKETS] GUARDED;
    size_t n_waiting GUARDED;
};

/* FNV-1a: the table is small and short-lived, so flooding it gains nothing. */
static uint64_t hash_of(struct str key)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ (unsigned char)key.ptr[i]) * 0x100000001b3u;
    return hash;
}

enum status flights_new(struct flights **ret, struct err *err)
{
    struct flights *flights = calloc(1, sizeof *flights);
    if (flights == NULL)
        return err_out_of_memory(err);
    lock_init(&flights->lock);
    *ret = flights;
    return STATUS_OK;
}

void flights_free(struct flights *flights)
{
    if (flights == NULL)
        return;
    lock_clear(&flights->lock);
    free(flights);
}

bool flight_join(struct flights *flights, struct flight *flight, struct flight_waiter *waiter)
{
    flight->hash = hash_of(flight->key);
    flight->waiters = NULL;
    lock_take(&flights->lock);
    struct flight **bucket = &flights->buckets[flight->hash % BUCKETS];
    struct flight *other = *bucket;
    while (other != NULL && (other->hash != flight->hash || !str_eq(other->key, flight->key)))
        other = other->next;
    if (other == NULL) {
        flight->next = *bucket;
        *bucket = flight;
    } else if (waiter != NULL) {
        waiter->next = other->waiters;
        other->waiters = waiter;
        flights->n_waiting++;
    }
    lock_give(&flights->lock);
    return other == NULL;
}

void flight_land(struct flights *flights, struct flight *flight, enum flight_end end,
                 const struct err *err, flight_wake_fn *wake)
{
    lock_take(&flights->lock);
    struct flight **place = &flights->buckets[flight->hash % BUCKETS];
    while (*place != flight)
        place = &(*place)->next;
    *place = flight->next;
    struct flight_waiter *waiter = flight->waiters;
    for (struct flight_waiter *each = waiter; each != NULL; each = each->next)
        flights->n_waiting--;
    lock_give(&flights->lock);
    while (waiter != NULL) {
        struct flight_waiter *next = waiter->next; /* gone once it is woken */
        waiter->end = end;
        if (end == FLIGHT_FAILED)
            waiter->err = *err;
        wake(waiter->cls);
        waiter = next;
    }
}

size_t flights_waiting(struct flights *flights)
{
    lock_take(&flights->lock);
    size_t n = flights->n_waiting;
    lock_give(&flights->lock);
    return n;
}
