/* array.c - see array.h. */
#include "base/array.h"

#include "base/arena.h"

#include <stdlib.h>

enum { FIRST_CAP = 64 };

void *array_grow(struct arena *arena, void *items, size_t n, size_t *cap, size_t size)
{
    size_t grown = *cap == 0 ? FIRST_CAP : *cap, bytes;
    while (grown < n)
        if (__builtin_mul_overflow(grown, (size_t)2, &grown))
            return NULL;
    if (__builtin_mul_overflow(grown, size, &bytes))
        return NULL;
    void *moved =
        arena != NULL ? arena_grow(arena, items, *cap * size, bytes) : realloc(items, bytes);
    if (moved != NULL)
        *cap = grown;
    return moved;
}
