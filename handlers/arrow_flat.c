/* arrow_flat.c - the FlatBuffers builder. Little-endian, as the format is, whatever the machine. */
#include "handlers/arrow_flat.h"

#include <string.h>

void flat_init(struct flat *flat, struct arena *arena, size_t size)
{
    *flat = (struct flat){.room = arena_alloc(arena, size), .size = size, .align = 4};
    flat->failed = flat->room == NULL;
}

/* The next bytes in front of what there is; NULL when there is no room. */
static unsigned char *take(struct flat *flat, size_t bytes)
{
    if (flat->failed || bytes > flat->size - flat->used) {
        flat->failed = true;
        return NULL;
    }
    flat->used += bytes;
    return flat->room + flat->size - flat->used;
}

/* Zeros until what comes, after another more bytes, stands at a multiple of align from the end. */
static void align_for(struct flat *flat, size_t align, size_t more)
{
    if (align > flat->align)
        flat->align = align;
    size_t odd = (flat->used + more) % align;
    size_t bytes = odd == 0 ? 0 : align - odd;
    unsigned char *at = take(flat, bytes);
    if (at != NULL && bytes > 0)
        memset(at, 0, bytes);
}

static void put(struct flat *flat, uint64_t value, size_t bytes)
{
    align_for(flat, bytes, 0);
    unsigned char *at = take(flat, bytes);
    for (size_t i = 0; at != NULL && i < bytes; i++)
        at[i] = (unsigned char)(value >> (8 * i));
}

/* An offset is the distance from itself to what it points at. */
static void put_offset(struct flat *flat, size_t position)
{
    align_for(flat, 4, 0);
    put(flat, flat->used + 4 - position, 4);
}

size_t flat_text(struct flat *flat, struct str text)
{
    align_for(flat, 4, text.len + 1);
    unsigned char *at = take(flat, text.len + 1);
    if (at != NULL) {
        memcpy(at, text.ptr, text.len);
        at[text.len] = 0;
    }
    put(flat, text.len, 4);
    return flat->used;
}

void flat_vector(struct flat *flat, size_t item_bytes, size_t n, size_t align)
{
    align_for(flat, 4, item_bytes * n);
    align_for(flat, align, item_bytes * n);
}

size_t flat_vector_end(struct flat *flat, size_t n)
{
    put(flat, n, 4);
    return flat->used;
}

void flat_item_offset(struct flat *flat, size_t position)
{
    put_offset(flat, position);
}

void flat_item_i64(struct flat *flat, int64_t value)
{
    put(flat, (uint64_t)value, 8);
}

void flat_item_i32(struct flat *flat, int32_t value)
{
    put(flat, (uint32_t)value, 4);
}

void flat_table(struct flat *flat)
{
    memset(flat->slot, 0, sizeof flat->slot);
    flat->table_start = flat->used;
}

void flat_u8(struct flat *flat, size_t slot, unsigned value)
{
    put(flat, value, 1);
    flat->slot[slot] = flat->used;
}

void flat_i16(struct flat *flat, size_t slot, int16_t value)
{
    put(flat, (uint16_t)value, 2);
    flat->slot[slot] = flat->used;
}

void flat_i32(struct flat *flat, size_t slot, int32_t value)
{
    put(flat, (uint32_t)value, 4);
    flat->slot[slot] = flat->used;
}

void flat_i64(struct flat *flat, size_t slot, int64_t value)
{
    put(flat, (uint64_t)value, 8);
    flat->slot[slot] = flat->used;
}

void flat_offset(struct flat *flat, size_t slot, size_t position)
{
    put_offset(flat, position);
    flat->slot[slot] = flat->used;
}

/* In front of the table goes its vtable: its own size, the table's, then where each field stands in it. */
size_t flat_table_end(struct flat *flat)
{
    size_t n = FLAT_SLOTS;
    while (n > 0 && flat->slot[n - 1] == 0)
        n--;
    put(flat, 0, 4); /* the distance to the vtable, known below */
    size_t table = flat->used;
    for (size_t i = n; i-- > 0;)
        put(flat, flat->slot[i] == 0 ? 0 : table - flat->slot[i], 2);
    put(flat, table - flat->table_start, 2);
    put(flat, 2 * (n + 2), 2);
    size_t distance = flat->used - table;
    unsigned char *at = flat->failed ? NULL : flat->room + flat->size - table;
    for (size_t i = 0; at != NULL && i < 4; i++)
        at[i] = (unsigned char)(distance >> (8 * i));
    return table;
}

struct str flat_finish(struct flat *flat, size_t root)
{
    align_for(flat, flat->align, 4);
    put_offset(flat, root);
    if (flat->failed)
        return STR_NONE;
    return (struct str){(const char *)flat->room + flat->size - flat->used, flat->used};
}
