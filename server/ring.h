/*
 * ring.h - a bounded queue of bytes: what is put in at one end is taken out at the other, in its order. Not thread-safe; a
 * stream has a lock around it.
 */
#ifndef SERVER_RING_H
#define SERVER_RING_H

#include "base/str.h"

/* bytes[at, at + len) are waiting, those beyond the end at its beginning. */
struct ring {
    char *bytes; /* the owner's */
    size_t size;
    size_t at;
    size_t len;
};

/* As many of bytes as there is room for; how many that were. */
size_t ring_put(struct ring *ring, struct str bytes);

/* At most max of what waits, into to; how many that were. */
size_t ring_take(struct ring *ring, char *to, size_t max);

#endif
