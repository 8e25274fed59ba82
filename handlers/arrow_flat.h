/*
 * arrow_flat.h - a builder of FlatBuffers, as much of it as the metadata of Arrow needs: tables, vectors of
 * offsets and structs, strings. It grows from the end of a fixed room towards its start, so what is pointed
 * at is written first. Positions are counted from the end.
 * Source: "FlatBuffers internals" (flatbuffers.dev), section "Format".
 */
#ifndef HANDLERS_ARROW_FLAT_H
#define HANDLERS_ARROW_FLAT_H

#include "base/arena.h"

enum { FLAT_SLOTS = 8 };

struct flat {
    unsigned char *room;
    size_t size;
    size_t used;             /* bytes at the end of room */
    size_t align;            /* greatest one needed */
    size_t slot[FLAT_SLOTS]; /* position of each field of the table at hand; 0: absent */
    size_t table_start;
    bool failed; /* no room: nothing more is written */
};

void flat_init(struct flat *flat, struct arena *arena, size_t size);

/* A text; its position for flat_offset. */
size_t flat_text(struct flat *flat, struct str text);

/* A vector: flat_vector, its items from the last to the first, flat_vector_end gives its position. */
void flat_vector(struct flat *flat, size_t item_bytes, size_t n, size_t align);
size_t flat_vector_end(struct flat *flat, size_t n);
void flat_item_offset(struct flat *flat, size_t position);
void flat_item_i64(struct flat *flat, int64_t value);
void flat_item_i32(struct flat *flat, int32_t value);

/* A table: flat_table, its fields by slot, flat_table_end gives its position. */
void flat_table(struct flat *flat);
void flat_u8(struct flat *flat, size_t slot, unsigned value);
void flat_i16(struct flat *flat, size_t slot, int16_t value);
void flat_i32(struct flat *flat, size_t slot, int32_t value);
void flat_i64(struct flat *flat, size_t slot, int64_t value);
void flat_offset(struct flat *flat, size_t slot, size_t position);
size_t flat_table_end(struct flat *flat);

/* The whole buffer with root as its root table; a view into the room, ptr NULL when it failed. */
struct str flat_finish(struct flat *flat, size_t root);

#endif
