/* arena.c - blocks of at least 64 KiB in a list; a large allocation gets a block of its own. */
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 16, BLOCK_BYTES = 64 * 1024 };

struct arena_block {
    struct arena_block *next;
    size_t size; /* of data[] */
    size_t used;
    _Alignas(ALIGN) unsigned char data[];
};

static size_t round_up(size_t bytes)
{
    return (bytes + (ALIGN - 1)) & ~(size_t)(ALIGN - 1);
}

void arena_init(struct arena *arena, size_t limit_bytes)
{
    *arena = (struct arena){.limit_bytes = limit_bytes};
}

void arena_clear(struct arena *arena)
{
    struct arena_block *block = arena->blocks;
    while (block != NULL) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
    arena->blocks = NULL;
    arena->used_bytes = 0;
}

void arena_reset(struct arena *arena)
{
    struct arena_block *keep = arena->blocks;
    if (keep == NULL)
        return;
    struct arena rest = {.blocks = keep->next};
    arena_clear(&rest);
    keep->next = NULL;
    keep->used = 0;
    arena->used_bytes = keep->size + sizeof *keep;
}

static bool within_limit(const struct arena *arena, size_t more)
{
    return more <= arena->limit_bytes && arena->used_bytes <= arena->limit_bytes - more;
}

/* A block with room for bytes. Large ones go behind the head, so that the head stays in use. */
static struct arena_block *add_block(struct arena *arena, size_t bytes)
{
    size_t size = bytes > BLOCK_BYTES / 4 ? bytes : BLOCK_BYTES;
    size_t total = size + sizeof(struct arena_block);
    if (!within_limit(arena, total)) {
        size = bytes; /* the last corner of the limit still serves small requests */
        total = size + sizeof(struct arena_block);
        if (!within_limit(arena, total))
            return NULL;
    }
    struct arena_block *block = malloc(total);
    if (block == NULL)
        return NULL;
    block->size = size;
    block->used = 0;
    arena->used_bytes += total;
    if (size == bytes && arena->blocks != NULL) {
        block->next = arena->blocks->next;
        arena->blocks->next = block;
    } else {
        block->next = arena->blocks;
        arena->blocks = block;
    }
    return block;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX / 2)
        return NULL;
    size_t need = round_up(bytes == 0 ? 1 : bytes);
    struct arena_block *block = arena->blocks;
    if (block == NULL || block->size - block->used < need) {
        block = add_block(arena, need);
        if (block == NULL)
            return NULL;
    }
    void *ptr = block->data + block->used;
    block->used += need;
    return ptr;
}

void *arena_room(struct arena *arena, size_t n, size_t size)
{
    size_t bytes;
    return __builtin_mul_overflow(n, size, &bytes) ? NULL : arena_alloc(arena, bytes);
}

void *arena_array(struct arena *arena, size_t n, size_t size)
{
    void *ptr = arena_room(arena, n, size);
    if (ptr != NULL)
        memset(ptr, 0, n * size);
    return ptr;
}

char *arena_dup(struct arena *arena, struct str s)
{
    char *copy = arena_alloc(arena, s.len + 1);
    if (copy == NULL)
        return NULL;
    if (s.len > 0)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return copy;
}

/* The link that points at the block which holds nothing but ptr, or NULL. */
static struct arena_block **own_block_link(struct arena *arena, const void *ptr, size_t bytes)
{
    for (struct arena_block **link = &arena->blocks; *link != NULL; link = &(*link)->next)
        if ((*link)->data == (const unsigned char *)ptr && (*link)->used == round_up(bytes))
            return link;
    return NULL;
}

static void *grow_own_block(struct arena *arena, struct arena_block **link, size_t new_bytes)
{
    struct arena_block *block = *link;
    size_t size = round_up(new_bytes);
    size_t more = size - block->size;
    if (!within_limit(arena, more))
        return NULL;
    struct arena_block *grown = realloc(block, sizeof *grown + size);
    if (grown == NULL)
        return NULL;
    arena->used_bytes += more;
    grown->size = size;
    grown->used = size;
    *link = grown;
    return grown->data;
}

void *arena_grow(struct arena *arena, void *ptr, size_t old_bytes, size_t new_bytes)
{
    if (new_bytes > SIZE_MAX / 2)
        return NULL;
    if (ptr == NULL)
        return arena_alloc(arena, new_bytes);
    if (round_up(new_bytes) <= round_up(old_bytes))
        return ptr;
    struct arena_block *head = arena->blocks;
    size_t old = round_up(old_bytes);
    size_t more = round_up(new_bytes) - old;
    bool is_newest = head->used >= old && head->data + head->used - old == (unsigned char *)ptr;
    if (is_newest && head->size - head->used >= more) {
        head->used += more;
        return ptr;
    }
    struct arena_block **link =
        old_bytes > BLOCK_BYTES / 4 ? own_block_link(arena, ptr, old_bytes) : NULL;
    if (link != NULL)
        return grow_own_block(arena, link, new_bytes);
    void *moved = arena_alloc(arena, new_bytes);
    if (moved != NULL)
        memcpy(moved, ptr, old_bytes);
    return moved;
}
