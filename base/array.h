/*
 * array.h - arrays that grow as items come, in an arena or on the heap.
 * An array is a pointer and *cap, for how many items of size bytes there is room: NULL and 0 to begin with. Both functions give
 * room for n items: items as it is while they fit, else grown to twice as many or more, often elsewhere; what is new is
 * not set. NULL when there is no memory for it or its bytes are beyond size_t: items and *cap are then as they were.
 * Columns that grow together each take a copy of the one cap that their owner keeps.
 */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include "base/attrs.h"

#include <stddef.h>

struct arena;

/* The slow half of both: n is more than *cap. Without an arena on the heap. */
void *array_grow(struct arena *arena, void *items, size_t n, size_t *cap, size_t size) NODISCARD;

NODISCARD static inline void *arena_reserve(struct arena *arena, void *items, size_t n, size_t *cap,
                                            size_t size)
{
    return n <= *cap ? items : array_grow(arena, items, n, cap, size);
}

/* The caller frees it. */
NODISCARD static inline void *heap_reserve(void *items, size_t n, size_t *cap, size_t size)
{
    return n <= *cap ? items : array_grow(NULL, items, n, cap, size);
}

#endif
