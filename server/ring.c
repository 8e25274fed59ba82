/* ring.c - see ring.h: each step is two copies, up to the end of the ring and from its beginning. */
#include "server/ring.h"

#include <string.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t ring_put(struct ring *ring, struct str bytes)
{
    size_t n = least(bytes.len, ring->size - ring->len);
    if (n == 0)
        return 0;
    size_t to = (ring->at + ring->len) % ring->size;
    size_t first = least(n, ring->size - to);
    memcpy(ring->bytes + to, bytes.ptr, first);
    memcpy(ring->bytes, bytes.ptr + first, n - first);
    ring->len += n;
    return n;
}

size_t ring_take(struct ring *ring, char *to, size_t max)
{
    size_t n = least(max, ring->len);
    if (n == 0)
        return 0;
    size_t first = least(n, ring->size - ring->at);
    memcpy(to, ring->bytes + ring->at, first);
    memcpy(to + first, ring->bytes, n - first);
    ring->at = (ring->at + n) % ring->size;
    ring->len -= n;
    return n;
}
