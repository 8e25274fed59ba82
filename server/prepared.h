/*
 * prepared.h - the library's responses for replies that are the same for everyone: made for the first request,
 * kept with the reply's blob until that goes, and queued again for the next. Making one costs more than all the
 * rest of a cache hit: each header is two allocations. Callable from any thread. The counter bounds their memory,
 * a few KiB each, and outlives every blob.
 */
#ifndef SERVER_PREPARED_H
#define SERVER_PREPARED_H

#include "base/blob.h"

enum {
    PREPARED_SLOTS = 8, /* of one blob: 1 .. PREPARED_SLOTS */
    PREPARED_MAX = 8192 /* in all */
};

/* NULL when there is none yet. Good for as long as the caller has its reference to blob. */
void *prepared_get(const struct blob *blob, unsigned slot);

/* The blob takes response and gives it to release in the end; false: it has one, or there are too many already. */
bool prepared_put(struct blob *blob, unsigned slot, void *response, void (*release)(void *response),
                  atomic_uint *n_prepared);

#endif
