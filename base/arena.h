/*
 * arena.h - a bump allocator with a byte limit; one per request, freed once.
 * Not thread-safe: one owner at a time. Memory is aligned for any type and not zeroed unless said.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/attrs.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used_bytes;          /* asked from malloc so far */
    size_t limit_bytes;         /* never asks for more than this */
};

void arena_init(struct arena *arena, size_t limit_bytes);
void arena_clear(struct arena *arena);
void arena_reset(
    struct arena *arena); /* forgets everything but keeps one block for the next round */

/* NULL when the limit or the machine's memory is reached, or when n * size overflows. */
void *arena_alloc(struct arena *arena, size_t bytes) NODISCARD;
void *arena_array(struct arena *arena, size_t n, size_t size) NODISCARD; /* zeroed */
void *arena_room(struct arena *arena, size_t n, size_t size)
    NODISCARD; /* not zeroed: for what is written in full */
char *arena_dup(struct arena *arena, struct str s) NODISCARD; /* NUL-terminated copy */

/*
 * Grows the allocation ptr from old_bytes to new_bytes, in place when it is the newest one, so that
 * a string builder does not pay for its history. ptr may be NULL with old_bytes 0.
 */
void *arena_grow(struct arena *arena, void *ptr, size_t old_bytes, size_t new_bytes) NODISCARD;

#define ARENA_NEW(arena, type) ((type *)arena_array((arena), 1, sizeof(type)))

#endif
